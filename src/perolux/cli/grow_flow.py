"""`perolux grow` of a recipe in flow: one row a detector."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perolux.cli.console import peak_cell, print_json, print_table
from perolux.cli.grow_uncertainty import Draws, drawn, show_uncertainty

if TYPE_CHECKING:
    from perolux.synthesis.recipe_droplet import FlowRecipe

__all__ = ["show_flow"]


def show_flow(
    recipe: FlowRecipe, stem: str, tolerance: float | None, json: bool, draws: Draws | None = None
) -> None:
    """Carry out a recipe in flow and print it."""
    from perolux.studies.growth import light_of, with_light
    from perolux.synthesis.cohorts import TOLERANCE
    from perolux.synthesis.flow import grow_flow

    flow = grow_flow(recipe, tolerance=TOLERANCE if tolerance is None else tolerance)
    spectra, why = light_of(flow)
    rows, balances = with_light(flow.rows(), spectra), flow.balances()
    rests_on = [value.key for value in flow.rests_on()]
    spread = drawn(recipe, draws, TOLERANCE if tolerance is None else tolerance)
    if json:
        print_json(
            {
                "recipe": recipe.name or stem,
                "route": recipe.route,
                "product": recipe.product,
                "velocity_mm_s": 1e3 * flow.velocity_m_s,
                "reynolds": flow.reynolds,
                "flow_ml_min": flow.flow_ml_min,
                "droplets_per_s": flow.droplets_per_s,
                "rows": rows,
                "balances": balances,
                "spectra": {"reason": why or None, "conditions": recipe.spectra.model_dump()},
                "kinetics_given": list(flow.constants.from_recipe),
                "rests_on": rests_on,
                "warnings": list(flow.warnings),
            }
            | ({} if spread is None else {"uncertainty": spread.as_dict()})
        )
        return
    columns = [
        "x (mm)",
        "t (s)",
        "sd (s)",
        "T (degC)",
        "N (1/m3)",
        "mean edge (nm)",
        "cv",
        "c (mol/m3)",
        "yield (%)",
        "PL (nm)",
    ]
    in_droplets = flow.droplets_per_s is not None
    train = f", {flow.droplets_per_s:.3g} droplets/s" if in_droplets else ""
    fed = ", ".join(
        f"{ion} {one['fed_umol_min']:.4g} umol/min ({one['in_crystals_umol_min']:.4g} in crystals)"
        for ion, one in balances.items()
    )
    speed = f"{1e3 * flow.velocity_m_s:.3g} mm/s{train}"
    print_table(
        f"{recipe.name or stem} ({recipe.route}, {recipe.product}, {speed})",
        columns + (["nuclei a droplet"] if in_droplets else []),
        [_cells(row, in_droplets) for row in rows],
        "\n".join(
            (
                *flow.warnings,
                *(_droplets(row) for row in rows if row["droplets"]),
                f"fed, and at the last detector: {fed}",
                f"priors, not literature ({len(rests_on)}): {', '.join(key or '' for key in rests_on)}",
                f"given by the recipe: {', '.join(flow.constants.from_recipe) or 'none'}",
            )
        ),
    )
    if spread is not None:
        show_uncertainty(spread)


def _cells(row: dict[str, Any], in_droplets: bool) -> list[str]:
    def cell(name: str, style: str, factor: float = 1.0) -> str:
        return "–" if row[name] is None else format(factor * row[name], style)

    found = [
        cell("position_mm", "g"), cell("time_s", ".3g"), cell("time_sd_s", ".2g"),
        cell("temperature_c", ".1f"), cell("N_per_m3", ".3g"), cell("mean_edge_nm", ".2f"),
        cell("cv", ".3f"), cell("c_mol_m3", ".3g"), cell("yield", ".1f", 100.0),
        peak_cell(row.get("pl_peak_nm")),
    ]  # fmt: skip
    return found + ([cell("nuclei_per_droplet", ".3g")] if in_droplets else [])


def _droplets(row: dict[str, Any]) -> str:
    one = row["droplets"]
    edge = "no crystals" if one["mean_edge_nm"] is None else f"mean edge {one['mean_edge_nm']:.4g} nm"
    return (
        f"single droplets at {row['position_mm']:g} mm: {one['crystals_mean']:.3g} crystals (sd "
        f"{one['crystals_sd']:.2g}), {100 * one['without_crystals']:.3g} % without, {edge}; "
        f"no nucleus in {100 * row['no_nucleus']:.3g} %"
    )
