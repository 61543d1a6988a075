"""Tables of recipes: CSV in, checked columns out; every problem of a file in one message."""

from __future__ import annotations

import csv
import difflib
import io
import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from perolux.errors import InputError, Problem

__all__ = ["Table", "as_number", "numbers", "read_table"]

MAX_ROWS = 3000
"""The work grows with the cube of the rows."""
_MAX_BYTES = 20_000_000


@dataclass(frozen=True)
class Table:
    """Column names and cells as text; `lines` are the line numbers in the file."""

    name: str
    columns: dict[str, list[str]]
    lines: list[int]

    def column(self, name: str) -> list[str]:
        """Cells of a column. Raises `InputError` with near names where there is none."""
        if name not in self.columns:
            near = difflib.get_close_matches(name, self.columns, n=3, cutoff=0.4)
            raise InputError(
                f"no column {name!r}",
                where=self.name,
                allowed=", ".join(near or self.columns),
                fix="name a column",
            )
        return self.columns[name]


def read_table(path: str | Path) -> Table:
    """A CSV with a header (comma or semicolon, UTF-8). Raises `InputError` on what is no such table."""
    path = Path(path)
    try:
        content = path.read_bytes() if path.stat().st_size <= _MAX_BYTES else None
    except OSError as error:
        raise InputError(f"cannot read: {error.strerror}", where=str(path)) from error
    if content is None:
        raise InputError("the file is larger than 20 MB", where=str(path), fix="keep the rows that matter")
    try:
        text = content.decode("utf-8-sig")
        head = text.split("\n", 1)[0]
        reader = csv.reader(io.StringIO(text), delimiter=";" if head.count(";") > head.count(",") else ",")
        found = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"no CSV in UTF-8: {error}", where=str(path)) from error
    if len(found) < 2:
        raise InputError("the table has no rows", where=str(path))
    header = [cell.strip() for cell in found[0][1]]
    problems = [
        Problem(f"column {name!r} occurs {count} times", str(path), fix="rename one of them")
        for name, count in Counter(header).items()
        if count > 1
    ]
    problems += [
        Problem(f"{len(row)} cells under {len(header)} columns", f"{path}, line {line}")
        for line, row in found[1:]
        if len(row) != len(header)
    ][:10]
    if len(found) - 1 > MAX_ROWS:
        problems.append(Problem(f"{len(found) - 1} rows", str(path), f"{MAX_ROWS} at most"))
    if problems:
        raise InputError(problems)
    cells = list(zip(*([cell.strip() for cell in row] for _, row in found[1:]), strict=True))
    return Table(
        str(path),
        {name: list(c) for name, c in zip(header, cells, strict=True)},
        [line for line, _ in found[1:]],
    )


def as_number(cell: str) -> float | None:
    """The finite number in a cell, else None."""
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def numbers(table: Table, name: str, *, missing: bool = False) -> list[float | None]:
    """A column as numbers; an empty cell is None where `missing` allows it, everything else is refused."""
    values = [as_number(cell) for cell in table.column(name)]
    bad = [
        Problem(f"{cell!r} in column {name!r} is no finite number", f"{table.name}, line {line}")
        for cell, value, line in zip(table.column(name), values, table.lines, strict=True)
        if value is None and not (missing and not cell)
    ]
    if bad:
        raise InputError(bad[:10])
    return values
