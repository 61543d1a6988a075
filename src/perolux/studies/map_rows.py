"""The table of a map, `rows.csv`: one row a point, written in durable pieces, mended after a kill."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from perolux.errors import ConvergenceError, InputError, PeroluxError
from perolux.lock import cannot_write
from perolux.studies.recipe_axes import Axis, with_values
from perolux.synthesis.every_route import carry_out_any, outcome_of_any, outcomes_for
from perolux.synthesis.recipe import recipe_of

__all__ = ["STATUSES", "append_rows", "columns_of", "csv_of", "mended", "read_rows", "row_of"]

STATUSES = {
    "grown": "crystals at the end",
    "no-crystals": "carried out, without crystals at the end",
    "not-possible": "the recipe of this point cannot be carried out",
    "not-solved": "the engine did not reach the end",
    "program-error": "perolux itself failed here: please report it with the recipe",
}
"""What can become of a point."""


def columns_of(axes: Sequence[Axis], route: str) -> dict[str, tuple[str, str]]:
    """Name of each column of the map of a recipe -> its unit and what it means."""
    return {
        "point": ("", "number of the point, from 1"),
        **{axis.column: (axis.unit, f"{axis.path} of the recipe") for axis in axes},
        "status": ("", "; ".join(f"{name}: {meaning}" for name, meaning in STATUSES.items())),
        **outcomes_for(route),
        "warnings": ("", "what the program says of this batch"),
        "reason": ("", "why a number is missing"),
    }


def row_of(
    content: dict[str, Any], axes: Sequence[Axis], point: int, values: Sequence[float], tolerance: float
) -> list[Any]:
    """Grow one point and return its cells; what goes wrong at a point is a row as well."""
    numbers: dict[str, float | None] = dict.fromkeys(outcomes_for(content["route"]))
    warnings = ""
    try:
        recipe = recipe_of(with_values(content, axes, values))
        with np.errstate(all="ignore"):  # what overflows at the end of a range shows in the status
            found = outcome_of_any(carry_out_any(recipe, tolerance=tolerance))
        numbers, warnings = found.numbers, "; ".join(found.warnings)
        status = "grown" if found.has_crystals else "no-crystals"
        reason = "; ".join(_grouped(found.reasons))
    except PeroluxError as error:
        problems = error.problems
        status = "not-solved" if isinstance(error, ConvergenceError) else "not-possible"
        reason = "; ".join(f"{p.where}: {p.what}" if p.where else p.what for p in problems)
    except Exception as error:  # one point never ends a map
        status, reason = "program-error", f"{type(error).__name__}: {error}"
    cells = [point, *values, status, *numbers.values(), warnings, reason]
    return [_cell(cell) for cell in cells]


def csv_of(rows: Iterable[Sequence[Any]]) -> bytes:
    """Rows as lines of csv; no cell holds a line break."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode("utf-8")


def append_rows(
    path: Path, keep_bytes: int, header: Sequence[str], pieces: Iterable[Sequence[Sequence[Any]]]
) -> Iterator[int]:
    """Write pieces (rows that belong together) behind the first `keep_bytes` of a file.

    Each piece is on the disk before the number of its rows is yielded. Where nothing is kept the header
    comes first.
    """
    try:
        file = path.open("r+b" if path.exists() else "wb")
    except OSError as error:
        raise cannot_write(path, error) from error
    with file:
        _write_durably(file, path, b"" if keep_bytes else csv_of([header]), keep_bytes)
        for piece in pieces:
            _write_durably(file, path, csv_of(piece))
            yield len(piece)


def _write_durably(file: BinaryIO, path: Path, content: bytes, at: int | None = None) -> None:
    try:
        if at is not None:
            file.truncate(at)
            file.seek(at)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    except OSError as error:
        raise cannot_write(path, error) from error


def mended(path: Path, columns: Iterable[str], points: int) -> tuple[int, int]:
    """How many whole rows a file holds and how many bytes up to their end; a last line without end is cut.

    (0, 0) where not even the header is there. Raises `InputError` for a file that is not the one of this map.
    """
    header = csv_of([list(columns)])
    rows, size = -1, 0
    if not path.is_file():
        return 0, 0
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                break
            whole = line == header if rows < 0 else line.split(b",", 1)[0] == str(rows + 1).encode()
            if not whole or rows >= points:
                raise InputError(
                    f"line {rows + 2} is not the one that this map wrote",
                    where=str(path),
                    fix="remove or rename this file: all points are then computed again",
                )
            rows, size = rows + 1, size + len(line)
    return max(rows, 0), size


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows one by one: numbers as floats, missing as None, words as text."""
    words = {"status", "warnings", "reason"}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield {
                name: cell if name in words else (float(cell) if cell else None) for name, cell in row.items()
            }


def _grouped(reasons: dict[str, str]) -> list[str]:
    by_reason: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        by_reason.setdefault(reason, []).append(name)
    return [f"{', '.join(names)}: {reason}" for reason, names in by_reason.items()]


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    return f"{value:.12g}" if isinstance(value, float) else " ".join(str(value).split())
