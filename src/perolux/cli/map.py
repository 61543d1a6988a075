"""`perolux map`: a recipe over a grid or a sample of its numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from perolux.cli.console import print_json, print_table, terminal_progress

if TYPE_CHECKING:
    from perolux.studies.recipe_map import RecipeMap

__all__ = ["map_command"]


def map_command(
    recipe: Annotated[Path, Parameter(help="a recipe (TOML)")],
    /,
    *,
    vary: Annotated[
        list[str] | None,
        Parameter(
            negative="",
            help='a number and its values, e.g. "vessel.temperature=140..200 degC:13" (:13log: even in the '
            'logarithm) or "events.1.contents.1.volume=0.1,0.2,0.4 mL"; once for each axis',
        ),
    ] = None,
    out: Annotated[Path | None, Parameter(help="folder of the map; by default a new one under runs/")] = None,
    sample: Annotated[
        int | None,
        Parameter(help="points of a scrambled Sobol sample instead of the grid (ranges need no :POINTS)"),
    ] = None,
    seed: Annotated[int | None, Parameter(help="of the sample; 0 if left out")] = None,
    jobs: Annotated[int, Parameter(help="threads that share the points")] = 2,
    tolerance: Annotated[float | None, Parameter(help="relative error of one step of the engine")] = None,
    json: Annotated[bool, Parameter(negative="", help="print one JSON document")] = False,
) -> None:
    """Grow a recipe at every point of a grid of its numbers; a table, a picture, a record.

    An interrupted map goes on where it stopped when it is started again.
    """
    from perolux.studies.recipe_map import map_recipe
    from perolux.synthesis.cohorts import TOLERANCE

    found = map_recipe(
        recipe,
        vary or [],
        out,
        sample=sample,
        seed=seed,
        jobs=jobs,
        tolerance=TOLERANCE if tolerance is None else tolerance,
        progress=terminal_progress(),
    )
    if json:
        figure = found.record["figure"]
        print_json(
            {
                "folder": str(found.folder),
                "rows": str(found.rows_file),
                "figure_file": None if figure is None else str(found.folder / figure),
                "computed": found.computed,
                **found.record,
            }
        )
        return
    _show(found)


def _show(found: RecipeMap) -> None:
    record = found.record
    summary = record["summary"]
    counts = ", ".join(f"{count} {status}" for status, count in summary["statuses"].items())
    names = {column["name"]: column["unit"] for column in record["columns"]}
    rows = []
    for name, ends in summary["numbers"].items():
        title = (
            name if names[name] in ("", "1") or name.endswith(("_nm", "_s")) else f"{name} ({names[name]})"
        )
        rows.append([title, *_end(ends["least"]), *_end(ends["largest"])])
    notes = [
        f"{status} first at point {one['point']}: {one['reason']}"
        for status, one in summary["first_reasons"].items()
    ]
    keys = [value["key"] for value in record["rests_on"]]
    notes += [
        f"priors, not literature ({len(keys)}): {', '.join(keys)}",
        f"given by the recipe: {', '.join(record['kinetics_given']) or 'none'}",
        f"table    {found.rows_file} ({record['points']} points, {found.computed} computed now)",
        f"picture  {found.folder / record['figure']}"
        if record["figure"]
        else f"picture  none: {record['figure_reason']}",
    ]
    print_table(
        f"{record['recipe']['name'] or record['recipe']['given_as']}: {record['points']} points, {counts}",
        ["", "least", "at", "largest", "at"],
        rows,
        "\n".join(notes),
    )


def _end(one: dict[str, Any] | None) -> tuple[str, str]:
    if one is None:
        return "–", "–"
    at = ", ".join(f"{value:.6g}" for value in one["at"].values())
    return f"{one['value']:.4g}", f"point {one['point']}: {at}"
