"""The rows above a table of numbers: names of columns, units, and which column is an axis."""

from __future__ import annotations

import re

from perolux.measured import wording
from perolux.measured.sniff import Dialect

__all__ = ["axis_columns", "fitted", "head_facts", "header_rows", "is_unit_row"]

_SETTING_MARK = re.compile(r"[:=\t;,]")


def header_rows(
    lines: list[str], first: int, dialect: Dialect, width: int
) -> tuple[tuple[tuple[str, ...], ...], int]:
    """Up to three rows of cells directly above the data, nearest first, and the position of the topmost.

    A line of prose ends the search.
    """
    rows: list[tuple[str, ...]] = []
    top = first
    for position in range(first - 1, max(-1, first - 13), -1):
        line = lines[position]
        if not line.strip() or not line.strip(" -=_*#+\t"):
            continue
        cells = _header_cells(line, dialect, width)
        if cells is None:
            break
        rows.append(cells)
        top = position
        if len(rows) == 3:
            break
    return tuple(rows), top


def _header_cells(line: str, dialect: Dialect, width: int) -> tuple[str, ...] | None:
    """Cells of a header line of a table of `width` columns; None for a line that is no header.

    A header may name more columns than the rows fill, where it names the axis as well.
    """
    bare = line.lstrip("#%!/ ") if dialect.is_comment(line) else line
    ways = [dialect.split(bare)]
    if dialect.delimiter == " ":
        ways = [
            re.split(r"\t+|\s{2,}", bare.strip()),
            bare.split("\t"),
            bare.split(","),
            bare.split(";"),
            _words_with_units(bare.split()),
            bare.split(),
        ]
    elif dialect.is_comment(line):
        ways.append(bare.split())
    for cells in ways:
        names = [wording.plain(cell) for cell in cells]
        while len(names) > 1 and not names[-1]:
            names.pop()
        if dialect.delimiter == " ":
            fits = len(names) == width
        else:
            fits = len(names) >= 2 and (len(names) <= width or any(map(wording.is_axis_header, names)))
        if fits and not _is_setting(names):
            return tuple(names)
    return None


def _words_with_units(words: list[str]) -> list[str]:
    """Words joined with the unit that follows: "Wavelength (nm)", "30 s"."""
    joined: list[str] = []
    for word in words:
        after_number = joined and re.fullmatch(r"\d+(?:[.,]\d+)?", joined[-1]) is not None
        if joined and (word[0] in "([" or (after_number and word.lower() in ("s", "min", "h", "k"))):
            joined[-1] = f"{joined[-1]} {word}"
        else:
            joined.append(word)
    return joined


def _is_setting(names: list[str]) -> bool:
    """True for a line such as "Integration time: 100 ms", "Step,1" or "Measured by A. B., room 7"."""
    if names[0].endswith((":", "=")):
        return True
    if len(names) != 2 or not names[0] or wording.is_axis_header(names[0]):
        return False
    return re.match(r"[+-]?\d", names[1]) is not None or len(names[0].split()) > 3


def fitted(row: tuple[str, ...], width: int) -> tuple[str, ...]:
    """The row cut or filled with empty cells to `width`."""
    return (row + ("",) * width)[:width]


def is_unit_row(row: tuple[str, ...]) -> bool:
    """True for a row that holds nothing but units."""
    return any(row) and all(wording.is_unit_cell(cell) for cell in row)


def axis_columns(header: tuple[tuple[str, ...], ...]) -> list[int]:
    """Columns that hold an axis, as the header says; the first column where it says nothing."""
    for row in header[:2]:
        found = [position for position, cell in enumerate(row) if wording.is_axis_header(cell)]
        if found:
            return found
    return [0]


def head_facts(head: tuple[str, ...], most: int = 80) -> tuple[tuple[str, str], ...]:
    """Facts such as ("Integration Time (sec)", "0.1") from the lines above a table."""
    facts: list[tuple[str, str]] = []
    for line in head[:400]:
        mark = _SETTING_MARK.search(line, 0, 80)
        if mark is None or len(facts) >= most:
            continue
        key = wording.plain(line[: mark.start()].lstrip("#%! "), 60)
        value = wording.plain(line[mark.end() : mark.end() + 400]).strip(" ,;\t")
        if len(key) > 1 and value:
            facts.append((key, value))
    return tuple(facts)
