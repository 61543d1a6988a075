"""`map_recipe`: a recipe over a grid or a sample of its numbers; interrupted anywhere, it continues.

map.json      the question (recipe, axes, tolerance, version), what it rests on, the summary
recipe.toml   the recipe as given
rows.csv      one row a point, in their order
map.svg       the mean size over one or two axes
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from perolux import __version__
from perolux.errors import InputError, OptionError, PeroluxError
from perolux.files import write_bytes, write_json
from perolux.lock import alone_in, clear_temporaries, names_in
from perolux.progress import Progress, silent
from perolux.studies.map_rows import append_rows, columns_of, mended, read_rows, row_of
from perolux.studies.recipe_axes import Plan, plan_of
from perolux.studies.run import library_versions
from perolux.synthesis.cohorts import TOLERANCE
from perolux.synthesis.every_route import (
    carry_out_any,
    constants_to_choose,
    given_constants,
    outcomes_for,
    require_one_solid,
    size_of_route,
    takes_steps,
)
from perolux.synthesis.kinetics import priors
from perolux.synthesis.many import MOST_JOBS, in_order
from perolux.synthesis.recipe import read_recipe, recipe_of
from perolux.synthesis.solid_priors import solid_priors

if TYPE_CHECKING:
    from perolux.synthesis.recipe import AnyRecipe

__all__ = ["RecipeMap", "map_recipe"]

_PIECE = 16
"""Points that are written together; after a kill at most a few such pieces are computed again."""
_MOST_DRAWN = 100_000
_SIZES = {"mean_edge_nm": "mean edge", "mean_diameter_nm": "mean diameter"}
Row = list[Any]


@dataclass(frozen=True)
class RecipeMap:
    """A finished map: its folder, its record (`map.json`) and how many points were computed this time."""

    folder: Path
    record: dict[str, Any] = field(repr=False)
    computed: int

    @property
    def rows_file(self) -> Path:
        """The table."""
        return self.folder / "rows.csv"

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows one by one; missing is None."""
        return read_rows(self.rows_file)


def map_recipe(
    recipe_file: str | Path,
    vary: Sequence[str],
    out: str | Path | None = None,
    *,
    sample: int | None = None,
    seed: int | None = None,
    jobs: int = 2,
    tolerance: float = TOLERANCE,
    progress: Progress = silent,
) -> RecipeMap:
    """Grow a recipe at every point of a grid, or of a sample of the space, of some of its numbers.

    vary: axes as `recipe_axes` reads them, e.g. "vessel.temperature=140..200 degC:13".
    out: the folder; `runs/map-NAME-DIGEST` in the current folder when not given.
    sample, seed: that many points of a scrambled Sobol sequence in place of the grid (seed 0 if left out).
    jobs: threads that share the points; the rows do not depend on it. tolerance: of the engine.

    A point that cannot be carried out is a row with its reason. Each batch is observed at 60 rising times,
    whatever `times` the recipe has, and what flows at its last detector. Memory does not grow with the number
    of points. A finished map of the same question is returned as it is, an interrupted one continues. Raises
    `OptionError` for axes that do not fit the recipe and for a folder that holds something else, `InputError`
    for a recipe that cannot be read, `OutputError` where the folder cannot be written.
    """
    if not 1 <= jobs <= MOST_JOBS:
        raise OptionError(f"{jobs} jobs", where="--jobs", allowed=f"1 to {MOST_JOBS}")
    if not 1e-12 < tolerance < 1:
        raise OptionError(
            f"a tolerance of {tolerance:g}", where="--tolerance", allowed="1e-12 to 1, e.g. 1e-4"
        )
    recipe_file = Path(recipe_file)
    recipe = read_recipe(recipe_file)
    require_one_solid(recipe)
    if tolerance != TOLERANCE and not takes_steps(recipe.route):
        raise OptionError(
            "a tolerance belongs to steps in time",
            where="--tolerance",
            fix=f"leave it out for the route {recipe.route}",
        )
    given = recipe_file.read_bytes()
    content = tomllib.loads(given.decode("utf-8-sig"))
    content["observe"] = {name: value for name, value in content["observe"].items() if name != "times"}
    plan = plan_of(content, vary, sample, seed)
    question = {
        "task": "map 1",
        "perolux": __version__,
        "recipe": hashlib.sha256(given).hexdigest(),
        "axes": [axis.as_dict() for axis in plan.axes],
        "sample": None
        if sample is None
        else {"sequence": "scrambled Sobol", "points": sample, "seed": plan.seed},
        "tolerance": tolerance,
    }
    digest = hashlib.sha256(json.dumps(question, sort_keys=True).encode()).hexdigest()
    folder = Path(out) if out is not None else _default_folder(recipe.name or recipe_file.stem, digest)
    columns = columns_of(plan.axes, recipe.route)
    _refuse_another(folder, question)
    with alone_in(folder):
        clear_temporaries(folder)
        if not (folder / "map.json").is_file():
            record = _record(recipe_of(content), recipe_file.name, plan, question, digest, columns, tolerance)
            write_json(folder / "map.json", record)
        if not (folder / "recipe.toml").is_file():
            write_bytes(folder / "recipe.toml", given)
        record = json.loads((folder / "map.json").read_text("utf-8"))
        there, size = mended(folder / "rows.csv", columns, len(plan))
        drawn = record.get("figure")
        if (
            there == len(plan)
            and record["summary"] is not None
            and (drawn is None or (folder / drawn).is_file())
        ):
            return RecipeMap(folder, record, 0)
        points = enumerate(plan.points(there), there + 1)
        rows = in_order(partial(_row, content, plan, tolerance), points, jobs)
        written = append_rows(folder / "rows.csv", size, list(columns), _pieces(rows))
        _finish(folder, plan, record, there, written, progress)
    return RecipeMap(folder, record, len(plan) - there)


def _finish(
    folder: Path, plan: Plan, record: dict[str, Any], there: int, written: Iterator[int], progress: Progress
) -> None:
    """Write what is missing, then summary and picture."""
    done = there
    progress.start("recipes", len(plan))
    progress.advance(there)
    try:
        for count in written:
            done += count
            progress.advance(count)
        route = record["recipe"]["route"]
        record |= {"summary": _summary(folder, plan, route), "summary_reason": None}
        record |= _picture(folder, plan, size_of_route(route))
        write_json(folder / "map.json", record)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"interrupted: {done} of {len(plan)} recipes are kept in {folder}; "
            "start the same command again, it continues there"
        ) from None
    finally:
        progress.finish()


def _row(content: dict[str, Any], plan: Plan, tolerance: float, point: tuple[int, Sequence[float]]) -> Row:
    return row_of(content, plan.axes, *point, tolerance)


def _pieces(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while piece := list(islice(rows, _PIECE)):
        yield piece


def _default_folder(name: str, digest: str) -> Path:
    slug = re.sub(r"[^\w.-]+", "-", name, flags=re.ASCII).strip("-.") or "recipe"
    return Path("runs") / f"map-{slug[:60]}-{digest[:8]}"


def _refuse_another(folder: Path, question: dict[str, Any]) -> None:
    """Raise `OptionError` where a folder holds the map of another question, or something else."""
    names = names_in(folder)
    if "map.json" not in names:
        foreign = [name for name in names if name != ".lock" and not name.endswith(".part")]
        if foreign:
            raise OptionError(
                f"the folder is not empty and is no map: it holds {foreign[0]!r}",
                where=str(folder),
                fix="give a new folder to --out",
            )
        return
    try:
        known = json.loads((folder / "map.json").read_text("utf-8"))["question"]
        other = [name for name, value in question.items() if known.get(name) != value]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            "map.json is damaged or none of perolux", where=str(folder), fix="give a new folder to --out"
        ) from error
    if other:
        words = ", ".join(f"another {name}" if name != "axes" else "other axes" for name in other)
        raise OptionError(
            f"the folder holds a map of {words.replace('another perolux', 'another version of perolux')}",
            where=str(folder),
            fix="give another folder to --out, or remove this one",
        )


def _record(
    recipe: AnyRecipe,
    name: str,
    plan: Plan,
    question: dict[str, Any],
    digest: str,
    columns: dict[str, tuple[str, str]],
    tolerance: float,
) -> dict[str, Any]:
    known = priors() | solid_priors()
    varied = {axis.path.rpartition(".")[2] for axis in plan.axes} & known.keys()
    try:
        values = carry_out_any(recipe, tolerance=tolerance).rests_on()
    except PeroluxError:  # as given it cannot be carried out: its points may be
        values = [known[name] for name in constants_to_choose(recipe)]
    return {
        "program": "perolux",
        "version": __version__,
        "question": question,
        "digest": digest,
        "recipe": {
            "file": "recipe.toml",
            "given_as": name,
            "name": recipe.name,
            "route": recipe.route,
            "sha256": question["recipe"],
        },
        "points": len(plan),
        "kinetics_given": list(given_constants(recipe)),
        "kinetics_varied": sorted(varied),
        "rests_on": [v.as_dict() for v in values if v.key.removeprefix("prior.") not in varied],
        "columns": [
            {"name": key, "unit": unit, "meaning": meaning} for key, (unit, meaning) in columns.items()
        ],
        "versions": library_versions(),
        "summary": None,
        "summary_reason": "the map is not finished: start the same command again",
    }


def _summary(folder: Path, plan: Plan, route: str) -> dict[str, Any]:
    """Counts by status, the least and the largest of each number with its point, the first reason of each."""
    statuses: Counter[str] = Counter()
    reasons: dict[str, dict[str, Any]] = {}
    ends: dict[str, dict[str, Any]] = {name: {"least": None, "largest": None} for name in outcomes_for(route)}
    for row in read_rows(folder / "rows.csv"):
        statuses[row["status"]] += 1
        if row["status"] != "grown":
            reasons.setdefault(row["status"], {"point": int(row["point"]), "reason": row["reason"]})
        for name, pair in ends.items():
            value = row[name]
            if value is None:
                continue
            found = {"value": value, "point": int(row["point"])}
            found["at"] = {axis.column: row[axis.column] for axis in plan.axes}
            if pair["least"] is None or value < pair["least"]["value"]:
                pair["least"] = found
            if pair["largest"] is None or value > pair["largest"]["value"]:
                pair["largest"] = found
    return {"statuses": dict(statuses), "first_reasons": reasons, "numbers": ends}


def _picture(folder: Path, plan: Plan, size: str) -> dict[str, Any]:
    """Draw map.svg; {"figure": its name or None, "figure_reason": why not}."""
    why = None
    if len(plan.axes) > 2:
        why = f"{len(plan.axes)} axes: a picture has one or two"
    elif len(plan) > _MOST_DRAWN:
        why = f"more than {_MOST_DRAWN} points"
    elif not any(row[size] is not None for row in read_rows(folder / "rows.csv")):
        why = "no point has crystals"
    if why is None:
        from perolux.reports.map_figure import draw_map

        names = [*(axis.column for axis in plan.axes), size, "cv"]
        table = np.full((len(plan), len(names)), np.nan)
        for k, row in enumerate(read_rows(folder / "rows.csv")):
            table[k] = [np.nan if row[name] is None else row[name] for name in names]
        shape = None if plan.sample is not None else [axis.points or 0 for axis in plan.axes]
        titles, logs = [axis.column for axis in plan.axes], [axis.log for axis in plan.axes]
        write_bytes(
            folder / "map.svg",
            draw_map(titles, logs, table[:, :-2], table[:, -2], table[:, -1], shape, _SIZES[size]),
        )
    return {"figure": None if why else "map.svg", "figure_reason": why}
