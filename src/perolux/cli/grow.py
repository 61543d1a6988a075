"""`perolux grow`: a kinetic case or a recipe, from supersaturation to a population."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from perolux.cli.console import numbers_of, patiently, peak_cell, print_json, print_table
from perolux.cli.grow_uncertainty import Draws, drawn, draws_of, show_uncertainty
from perolux.errors import OptionError

if TYPE_CHECKING:
    from perolux.reports.grown import Grown

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
    if replace and out is None:
        raise OptionError("nothing is replaced", where="--replace", fix="give --out FOLDER as well")
    from perolux.reports.grown_routes import grown_of
    from perolux.studies.growth import require_new_folder, write_growth
    from perolux.synthesis.cohorts import TOLERANCE
    from perolux.synthesis.recipe import Recipe, read_recipe
    from perolux.synthesis.recipe_mixed import MixedDropletRecipe
    from perolux.synthesis.routes import carry_out

    recipe = read_recipe(path)
    mixed = isinstance(recipe, MixedDropletRecipe)
    if draws is not None and (mixed or (isinstance(recipe, Recipe) and recipe.platelets is not None)):
        of = "mixed halides" if mixed else "platelets"
        raise OptionError(f"no uncertainty is drawn for {of}", where="--uncertainty", fix="leave it out")
    if isinstance(recipe, MixedDropletRecipe):
        from perolux.cli.grow_mixed import show_mixed

        if out is not None:
            raise OptionError("no folder is written of mixed halides", where="--out", fix="--json > FILE")
        show_mixed(recipe, path.stem, tolerance, json)
        return
    if out is not None:
        require_new_folder(out, replace=replace)
    result = patiently(lambda: carry_out(recipe, tolerance), "growing")
    grown = grown_of(result, recipe.name or path.stem)
    spread = drawn(recipe, draws, TOLERANCE if tolerance is None else tolerance)
    if out is not None:
        write_growth(grown, out, path)
    if json:
        print_json(grown.record() | ({} if spread is None else {"uncertainty": spread.as_dict()}))
        return
    _show(grown, out)
    if spread is not None:
        show_uncertainty(spread)


def _show(grown: Grown, out: Path | None) -> None:
    """Print the table of a recipe, at most twenty rows of it, and what belongs to it."""
    from perolux.reports.grown import entry

    stride = -(-len(grown.rows) // _MOST_ROWS)
    shown = [row for n, row in enumerate(grown.rows) if (len(grown.rows) - 1 - n) % stride == 0]

    def cells(row: dict[str, Any]) -> list[str]:
        found = []
        for key, _, style, factor in grown.columns:
            value = entry(row, key)
            found.append("–" if value is None else format(factor * value, style))
        return [*found, peak_cell(row.get("pl_peak_nm"))]

    unit, priors = grown.unit.replace("_", "/"), ", ".join(one.key for one in grown.rests_on)
    fed = ", ".join(
        f"{ion} {one[f'fed_{grown.unit}']:.4g} {unit} ({one[f'in_crystals_{grown.unit}']:.4g} in crystals)"
        for ion, one in grown.balances.items()
    )
    print_table(
        f"{grown.name} ({grown.recipe.route}, {grown.recipe.product}{grown.aside})",
        [*(heading for _, heading, _, _ in grown.columns), "PL (nm)"],
        [cells(row) for row in shown],
        "\n".join(
            (
                *grown.warnings,
                *grown.light_warnings(),
                *grown.notes,
                f"fed, and {grown.along.end}: {fed}",
                f"priors, not literature ({len(grown.rests_on)}): {priors}",
                f"given by the recipe: {', '.join(grown.given) or 'none'}",
                *([f"tables, spectra and report.html: {out}"] if out is not None else []),
            )
        ),
    )


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
