"""`perolux grow`: a kinetic case or a recipe, from supersaturation to a population."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from perolux.cli.console import numbers_of, patiently, peak_cell, print_json, print_table
from perolux.cli.grow_uncertainty import Draws, drawn, draws_of, show_uncertainty
from perolux.errors import OptionError

__all__ = ["grow"]

_MOST_TIMES = 10_000
_MOST_ROWS = 20
_CASE_TIMES = "1,10,60,300,600,1800"


def grow(
    case: Annotated[Path, Parameter(help="a kinetic case (JSON) or a recipe (TOML)")],
    /,
    *,
    times: Annotated[str | None, Parameter(help="times in s, e.g. 10,60,300")] = None,
    engine: Annotated[
        Literal["cohorts", "finite-volume"], Parameter(help="which solver of the population balance")
    ] = "cohorts",
    tolerance: Annotated[float | None, Parameter(help="relative error of one step of the cohorts")] = None,
    out: Annotated[
        Path | None, Parameter(help="recipe: a new folder for tables, spectra and the report")
    ] = None,
    replace: Annotated[bool, Parameter(negative="", help="replace the folder of --out")] = False,
    uncertainty: Annotated[
        list[int] | None,
        Parameter(
            consume_multiple=True,
            negative="",
            help="of a recipe: grow so many draws from the priors (200 if no number is given)",
        ),
    ] = None,
    seed: Annotated[int | None, Parameter(help="of the draws; 0 if left out")] = None,
    json: Annotated[bool, Parameter(negative="", help="print one JSON document")] = False,
) -> None:
    """Nucleation, growth, dissolution and ripening of one batch against time."""
    draws = draws_of(uncertainty, seed, is_recipe=case.suffix.lower() == ".toml")
    if case.suffix.lower() == ".toml":
        _recipe(case, times, engine, tolerance, out, replace, json, draws)
        return
    if out is not None:
        raise OptionError("--out belongs to recipes (TOML)", fix="--json prints all of a kinetic case")
    wanted = _times(times or _CASE_TIMES)
    from perolux.synthesis.kinetic_case import grow_case, read_kinetic_case

    found = read_kinetic_case(case)
    history = grow_case(found, wanted, engine=engine, tolerance=tolerance)
    if json:
        print_json(
            {
                "case": found.name,
                "engine": history.engine,
                "rows": history.rows(),
                "mass_error": history.mass_error,
                "steps": history.steps,
                "warnings": list(history.warnings),
            }
        )
        return
    print_table(
        f"{found.name} ({history.engine}, {history.steps} steps)",
        ["t (s)", "N (1/m3)", "mean diameter (nm)", "cv", "c (mol/m3)", "S", "J (1/(m3 s))"],
        [_cells(row) for row in history.rows()],
        "\n".join((f"mass error {history.mass_error:.1e}", *history.warnings)),
    )


def _recipe(
    path: Path,
    times: str | None,
    engine: str,
    tolerance: float | None,
    out: Path | None,
    replace: bool,
    json: bool,
    draws: Draws | None,
) -> None:
    if times is not None or engine != "cohorts":
        raise OptionError(
            "--times and --engine belong to kinetic cases",
            fix="write the times, or the detectors of a tube, into [observe] of the recipe",
        )
    from perolux.studies.growth import growth_record, light_of, require_new_folder, write_growth
    from perolux.synthesis.batch import grow_recipe
    from perolux.synthesis.cohorts import TOLERANCE
    from perolux.synthesis.recipe import read_recipe
    from perolux.synthesis.recipe_solid import SolidRecipe

    recipe = read_recipe(path)
    other = recipe.route in ("droplet", "tube") or isinstance(recipe, SolidRecipe)
    if other and out is not None:
        raise OptionError(f"--out belongs to recipes in a flask, not to {recipe.route}", fix="--json > FILE")
    if recipe.route in ("droplet", "tube"):
        from perolux.cli.grow_flow import show_flow

        show_flow(recipe, path.stem, tolerance, json, draws)
        return
    if isinstance(recipe, SolidRecipe):
        from perolux.cli.grow_solid import show_solid

        show_solid(path, recipe, tolerance, json, draws)
        return
    if out is not None:
        require_new_folder(out, replace=replace)
    batch = patiently(lambda: grow_recipe(recipe, tolerance=tolerance or TOLERANCE), "growing")
    name = recipe.name or path.stem
    spectra, why = light_of(batch)
    spread = drawn(batch.recipe, draws, tolerance or TOLERANCE)
    if out is not None:
        write_growth(batch, spectra, why, out, name, path)
    if json:
        record = growth_record(batch, spectra, why, name)
        print_json(record | ({} if spread is None else {"uncertainty": spread.as_dict()}))
        return
    rests_on = [value.key for value in batch.rests_on()]
    rows = growth_record(batch, spectra, why, name)["rows"]
    shown = rows if len(rows) <= _MOST_ROWS else rows[:: -(-len(rows) // _MOST_ROWS)] + rows[-1:]
    balances = ", ".join(
        f"{ion} {one['fed_umol']:.4g} umol ({one['in_crystals_umol']:.4g} in crystals)"
        for ion, one in batch.balances().items()
    )
    print_table(
        f"{name} ({recipe.route}, {recipe.product})",
        ["t (s)", "T (degC)", "S", "J (1/(m3 s))", "N (1/m3)", "edge (nm)", "cv", "yield (%)", "PL (nm)"],
        [_recipe_cells(row) for row in shown],
        "\n".join(
            (
                *batch.warnings,
                f"fed: {balances}",
                f"at equilibrium, constants assumed, of the lead: {_phases(batch.phases())}",
                f"priors, not literature ({len(rests_on)}): {', '.join(key or '' for key in rests_on)}",
                f"given by the recipe: {', '.join(batch.constants.from_recipe) or 'none'}",
                *([f"tables, spectra and report.html: {out}"] if out is not None else []),
            )
        ),
    )
    if spread is not None:
        show_uncertainty(spread)


def _phases(shares: dict[str, float]) -> str:
    there = [f"{name} {100.0 * share:.3g} %" for name, share in shares.items() if share > 5e-4]
    return ", ".join(there)


def _recipe_cells(row: dict[str, Any]) -> list[str]:
    def cell(name: str, style: str, factor: float = 1.0) -> str:
        return "–" if row[name] is None else format(factor * row[name], style)

    return [
        f"{row['t_s']:.3g}", cell("temperature_c", ".1f"), cell("supersaturation", ".3g"),
        cell("nucleation_per_m3_s", ".2e"), cell("N_per_m3", ".3g"), cell("mean_edge_nm", ".2f"),
        cell("cv", ".3f"), cell("yield", ".1f", 100.0), peak_cell(row.get("pl_peak_nm")),
    ]  # fmt: skip


def _cells(row: dict[str, Any]) -> list[str]:
    def cell(name: str, style: str) -> str:
        return "–" if row[name] is None else format(row[name], style)

    return [
        f"{row['t_s']:g}", cell("N_per_m3", ".4g"), cell("mean_diameter_nm", ".4f"), cell("cv", ".4f"),
        cell("c_mol_m3", ".5g"), cell("supersaturation", ".4g"), cell("nucleation_per_m3_s", ".3g"),
    ]  # fmt: skip


def _times(text: str) -> list[float]:
    values = numbers_of(text, "--times", "time", "seconds from 0, e.g. 10,60,300", _MOST_TIMES)
    if any(b <= a for a, b in itertools.pairwise(values)):
        raise OptionError("the times do not rise", where="--times", allowed="each later than the one before")
    return values
