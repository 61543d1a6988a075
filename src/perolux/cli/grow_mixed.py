"""`perolux grow` of a recipe of mixed halides in droplets: one row a detector, with its PL bands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perolux.cli.console import patiently, print_json, print_table
from perolux.errors import ModelRangeError, NotAvailableError, OptionError

if TYPE_CHECKING:
    from perolux.synthesis.recipe_mixed import MixedDropletRecipe

__all__ = ["show_mixed"]


def show_mixed(recipe: MixedDropletRecipe, stem: str, tolerance: float | None, json: bool) -> None:
    """Carry out a recipe of mixed halides and print it."""
    from perolux.synthesis.cohorts import TOLERANCE
    from perolux.synthesis.mixed_flow import grow_mixed_flow

    used = TOLERANCE if tolerance is None else tolerance
    flow = patiently(lambda: grow_mixed_flow(recipe, tolerance=used), "growing")
    spectra, why = None, ""
    try:
        spectra = flow.spectra()
    except (NotAvailableError, ModelRangeError, OptionError) as error:
        why = error.problems[0].what
    rows, balances = flow.rows(spectra), flow.balances()
    rests_on = [value.key for value in flow.rests_on()]
    second = recipe.halides[1]
    if json:
        print_json(
            {
                "recipe": recipe.name or stem,
                "route": recipe.route,
                "product": recipe.product,
                "fraction_of": second,
                "fraction_fed": flow.mean_fraction_fed(),
                "velocity_mm_s": 1e3 * flow.tube.velocity_m_s,
                "reynolds": flow.tube.reynolds,
                "flow_ml_min": flow.tube.flow_ml_min,
                "droplets_per_s": flow.tube.droplets_per_s,
                "rows": rows,
                "balances": balances,
                "spectra": {"reason": why or None, "conditions": recipe.spectra.model_dump()},
                "kinetics_given": list(flow.given),
                "rests_on": rests_on,
                "warnings": list(flow.warnings),
            }
        )
        return
    names = list(rows[0]["families"])
    fed = ", ".join(
        f"{ion} {one['fed_umol_min']:.4g} umol/min ({one['in_crystals_umol_min']:.4g} in crystals)"
        for ion, one in balances.items()
    )
    print_table(
        f"{recipe.name or stem} ({recipe.route}, {recipe.product}, {1e3 * flow.tube.velocity_m_s:.3g} mm/s)",
        [
            "x (mm)", "t (s)", "T (degC)", "edge (nm)", "cv", f"mean {second}", "sd",
            *(f"N {n} (1/m3)" for n in names), "yield (%)", "PL bands (nm)",
        ],
        [_cells(row, names) for row in rows],
        "\n".join(
            (
                *flow.warnings,
                f"fraction of {second} among the halides fed: {flow.mean_fraction_fed():.6g}",
                *([f"no emission: {why}"] if why else []),
                f"fed, and at the last detector: {fed}",
                f"priors, not literature ({len(rests_on)}): {', '.join(key or '' for key in rests_on)}",
                f"given by the recipe: {', '.join(flow.given) or 'none'}",
            )
        ),
    )  # fmt: skip


def _cells(row: dict[str, Any], names: list[str]) -> list[str]:
    def cell(value: float | None, style: str, factor: float = 1.0) -> str:
        return "–" if value is None else format(factor * value, style)

    numbers = [cell(row["families"][name]["N_per_m3"], ".3g") for name in names]
    return [
        cell(row["position_mm"], "g"), cell(row["time_s"], ".3g"), cell(row["temperature_c"], ".1f"),
        cell(row["mean_edge_nm"], ".2f"), cell(row["cv"], ".3f"), cell(row["mean_fraction"], ".3f"),
        cell(row["fraction_sd"], ".3f"), *numbers, cell(row["yield"], ".1f", 100.0),
        _bands(row.get("pl_bands_nm")),
    ]  # fmt: skip


def _bands(bands: dict[str, list[float]] | None) -> str:
    """Bands of each parameter set that shows others than the one before."""
    seen = [] if bands is None else [" + ".join(f"{nm:.0f}" for nm in one) for one in bands.values() if one]
    return " or ".join(dict.fromkeys(seen)) or "–"
