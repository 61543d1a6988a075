"""The table of recipes: a delimited text file read into typed columns, every fault with its line."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from perolux.errors import InputError, Problem

__all__ = ["MISSING_WORDS", "Cell", "Table", "read_table"]

Cell = float | str | None

MISSING_WORDS = frozenset({"", "-", "--", "na", "n/a", "nan", "none", "null"})
"""Cells that mean "not known" in a column of numbers, in lower case."""

_LARGEST_BYTES = 64 * 1024 * 1024
_DELIMITERS = (",", ";", "\t")


def read_table(path: str | Path, *, delimiter: str | None = None, name: str | None = None) -> Table:
    """Read a table with one header row; numbers become floats, empty cells None, the rest stays text.

    delimiter: "," ";" or tab; the one that splits the first lines most evenly when not given. A column is
    numeric when every cell that is not missing (`MISSING_WORDS`) is a finite number; with ";" or tab a
    decimal comma is understood. UTF-8 (with or without BOM), UTF-16 with BOM and Windows-1252 are read.

    Raises `InputError` for a missing, empty, binary or ragged file, and for repeated column names.
    """
    path = Path(path)
    shown = name or str(path)
    text = _text_of(path, shown)
    delimiter = delimiter or _delimiter_of(text)
    try:
        lines = [line for line in csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)]
    except csv.Error as error:
        raise InputError(f"not a readable table: {error}", where=shown, fix="save it as csv again") from error
    filled = [(number, line) for number, line in enumerate(lines, 1) if any(cell.strip() for cell in line)]
    if not filled:
        raise InputError("the table is empty", where=shown, fix="give a csv file with a header and rows")
    header = [cell.strip() for cell in filled[0][1]]
    problems = [
        Problem(f"the column name {column!r} stands {times} times", shown, "each name once", "rename one")
        for column, times in Counter(column for column in header if column).items()
        if times > 1
    ]
    body = filled[1:]
    if not body:
        problems.append(Problem("the table has a header but no rows", shown, fix="add the recipes"))
    for number, line in body:
        if len(line) > len(header) and any(cell.strip() for cell in line[len(header) :]):
            problems.append(
                Problem(
                    f"{len(line)} cells under {len(header)} column names",
                    f"{shown}, line {number}",
                    fix="quote cells that contain the separator, or name the separator: delimiter = ';'",
                )
            )
    if problems:
        raise InputError(problems)
    decimal_comma = delimiter != ","
    columns = {
        column: _typed([line[i].strip() if i < len(line) else "" for _, line in body], decimal_comma)
        for i, column in enumerate(header)
        if column
    }
    raw = {
        column: tuple(line[i].strip() if i < len(line) else "" for _, line in body)
        for i, column in enumerate(header)
        if column
    }
    return Table(columns, raw, tuple(number for number, _ in body), delimiter)


def _text_of(path: Path, shown: str) -> str:
    try:
        size = path.stat().st_size
        if size > _LARGEST_BYTES:
            raise InputError(
                f"the table has {size / 1e6:.0f} MB",
                where=shown,
                allowed=f"up to {_LARGEST_BYTES / 1e6:.0f} MB",
                fix="give the recipe table, not the spectra",
            )
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", where=shown) from error
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    elif b"\x00" in raw:
        raise InputError("this is a binary file, not a table", where=shown, fix="export the table as csv")
    else:
        encodings = ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InputError("the text encoding is not known", where=shown, allowed="UTF-8", fix="save as UTF-8 csv")


def _delimiter_of(text: str) -> str:
    lines = [line for line in text.splitlines()[:50] if line.strip()]
    scores = {}
    for delimiter in _DELIMITERS:
        counts = [line.count(delimiter) for line in lines]
        common = Counter(counts).most_common(1)[0] if counts else (0, 0)
        scores[delimiter] = (common[1] if common[0] else 0, common[0])
    return max(_DELIMITERS, key=lambda d: scores[d])


def _typed(cells: list[str], decimal_comma: bool) -> tuple[Cell, ...]:
    numbers: list[Cell] = []
    for cell in cells:
        if cell.lower() in MISSING_WORDS:
            numbers.append(None)
            continue
        number = _number(cell, decimal_comma)
        if number is None:
            return tuple(cell or None for cell in cells)
        numbers.append(number)
    if all(number is None for number in numbers):
        return tuple(cell or None for cell in cells)
    return tuple(numbers)


def _number(cell: str, decimal_comma: bool) -> float | None:
    if decimal_comma and cell.count(",") == 1 and "." not in cell:
        cell = cell.replace(",", ".")
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if math.isfinite(number) and "_" not in cell else None


@dataclass(frozen=True)
class Table:
    """Typed columns of a table, its cells as text, and the file line of each row."""

    columns: dict[str, tuple[Cell, ...]]
    text: dict[str, tuple[str, ...]]
    lines: tuple[int, ...]
    delimiter: str

    def __len__(self) -> int:
        return len(self.lines)

    def is_numeric(self, column: str) -> bool:
        """True where the column holds numbers (and possibly gaps)."""
        cells = self.columns[column]
        return any(cell is not None for cell in cells) and not any(isinstance(cell, str) for cell in cells)
