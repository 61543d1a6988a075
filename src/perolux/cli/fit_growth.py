"""`perolux fit-growth`: kinetic constants of a recipe from a series of sizes, PL or absorbance."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from perolux.cli.console import print_json, print_table, terminal_progress

__all__ = ["fit_growth_command"]


def fit_growth_command(
    recipe: Annotated[Path, Parameter(help="the recipe (TOML), in a flask or in flow")],
    series: Annotated[
        Path, Parameter(help="CSV of sizes (t_s or, in flow, x_mm; mean_edge_nm, sigma_nm, ...) or spectra")
    ],
    /,
    *,
    constants: Annotated[str, Parameter(help="constants to fit, e.g. surface_rate_m_s,surface_energy_j_m2")],
    parameter_set: Annotated[
        str | None, Parameter(help="of the product's light, e.g. yang2017 (the first if left out)")
    ] = None,
    spectra: Annotated[Literal["pl", "absorbance"], Parameter(help="what a table of spectra holds")] = "pl",
    scale: Annotated[
        Literal["each", "series", "none"] | None,
        Parameter(
            help="factors between spectra and model: one each (PL), one for the series (absorbance), or none"
        ),
    ] = None,
    jobs: Annotated[int, Parameter(help="threads that share the search")] = 2,
    posterior: Annotated[int, Parameter(help="draws of the posterior; 0: none")] = 0,
    seed: Annotated[int, Parameter(help="of the search and the draws")] = 0,
    tolerance: Annotated[float | None, Parameter(help="relative error of one step of the cohorts")] = None,
    json: Annotated[bool, Parameter(negative="", help="print one JSON document")] = False,
) -> None:
    """Kinetic constants from a series: values, intervals, and what the series leaves open."""
    from perolux.inference.growth_fit import fit_growth
    from perolux.inference.growth_series import read_growth_series
    from perolux.synthesis.cohorts import TOLERANCE
    from perolux.synthesis.every_route import require_one_solid
    from perolux.synthesis.recipe import in_a_flask, read_recipe
    from perolux.synthesis.recipe_droplet import FlowRecipe

    read = read_recipe(recipe)
    require_one_solid(read)
    flask = read if isinstance(read, FlowRecipe) else in_a_flask(read)
    names = [name.strip() for name in constants.split(",") if name.strip()]
    data = read_growth_series(series, flask, parameter_set=parameter_set, kind=spectra, scale=scale)
    found = fit_growth(
        flask, data, names, samples=posterior, seed=seed, tolerance=tolerance or TOLERANCE,
        jobs=jobs, progress=terminal_progress(),
    )  # fmt: skip
    if json:
        print_json({"recipe": flask.name or recipe.stem, **found.as_dict(), "rows": found.batch.rows()})
        return
    free = found.points - len(found.names)
    name = flask.name or recipe.stem
    print_table(
        f"{name}: {found.points} numbers, chi2 {found.chi2:.4g} for {free} degrees of freedom",
        ["constant", "value", "95 % from", "to", "unit", "by"],
        [
            [
                one.name,
                f"{one.value:.4g}",
                "open" if one.low is None else f"{one.low:.4g}",
                "open" if one.high is None else f"{one.high:.4g}",
                one.unit,
                one.how,
            ]
            for one in found.intervals
        ],
        "\n".join((*found.words, *found.warnings)),
    )
