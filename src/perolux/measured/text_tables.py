"""Tables in text: from lines to columns of numbers with their headers, and from those to recorded spectra.

Layouts: two columns; many columns on one axis, named by sample or time; scans side by side with an axis
column each (Cary: two header rows, a log after the data); a row of units below the header; a prose head; no
header.
"""

from __future__ import annotations

import itertools
import math
from array import array
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import InputError, Problem
from perolux.measured import wording
from perolux.measured.headers import axis_columns, fitted, header_rows, is_unit_row
from perolux.measured.sniff import MAX_COLUMNS, Dialect, Options, is_missing, row_starts, sniff_dialect

__all__ = ["NumberTable", "split_lines", "tabulate"]

FloatArray = npt.NDArray[np.float64]

MAX_CELLS = 20_000_000
MAX_LINES = 2_000_000
_SHOWN = 5


@dataclass(frozen=True)
class NumberTable:
    """The numbers of a table and what stands around them.

    numbers: shape (rows, columns), NaN where a cell holds no number; lines: line in the file of each row.
    header: rows of cells directly above the data, the nearest first, each `columns` long; possibly none.
    head: all lines above the data; prose: those of them above the header rows.
    dropped: number of non-empty lines after the data that were left out.
    """

    numbers: FloatArray
    lines: npt.NDArray[np.int64]
    header: tuple[tuple[str, ...], ...]
    head: tuple[str, ...]
    dialect: Dialect
    prose: tuple[str, ...] = ()
    dropped: int = 0
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...] | None:
        """Names of the columns: the header row that is not a row of units; None without a header."""
        for row in self.header[:2]:
            if not is_unit_row(row):
                return row
        return self.header[0] if self.header else None


def split_lines(text: str, where: str) -> list[str]:
    """Lines of a text with any of the three usual line ends; `InputError` for more than two million."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    count = text.count("\n")
    if count > MAX_LINES:
        raise InputError(
            f"the file has {count} lines", where=where, allowed=f"up to {MAX_LINES}", fix="split the file"
        )
    return text.split("\n")


def tabulate(
    lines: list[str], options: Options, where: str, *, first_line: int = 1, headed: bool = True
) -> NumberTable:
    """The longest table of numbers in `lines`; `first_line` is the number of lines[0] in the file.

    headed: whether rows above the data may be a header of columns; a format with a head of its own says no.

    Raises `InputError` where there is no table (`sniff_dialect`) or where it is wider or longer than the
    limits. Faults inside the table (text in a cell, a second table) are gathered in `problems`.
    """
    dialect = sniff_dialect(lines, options, where)
    starts = list(row_starts(lines, dialect, 0, len(lines)))
    if not starts:
        raise InputError("no rows of numbers were found", where=where, fix="export the spectrum as text")
    first, runs = _longest_run(lines, dialect, starts)
    width = _width(lines, dialect, [position for position in starts if position >= first][:200])
    if width > MAX_COLUMNS:
        raise InputError(
            f"the table has {width} columns",
            where=where,
            allowed=f"up to {MAX_COLUMNS}",
            fix="split the file",
        )
    header, top = header_rows(lines, first, dialect, width) if headed else ((), first)
    axes = axis_columns(header)
    problems: list[Problem] = []
    numbers, rows, stop = _parse(lines, dialect, first, axes, where, first_line, problems)
    if not rows:
        raise InputError(
            f"the axis column that the header names ({', '.join(map(repr, _named(header, axes)))}) "
            "holds no number in the first row",
            where=where,
            fix="correct the header, or remove it",
        )
    used = set(rows)
    problems += _outside(starts, used, runs, where, first_line)
    notes = [f"The table is {dialect.name}."] if dialect.decimal == "," else []
    longest = max((len(row) for row in header), default=0)
    if numbers.shape[1] < longest <= MAX_COLUMNS and numbers.shape[0] * longest <= MAX_CELLS:
        # Columns that are named but empty to the end: kept, so that they are reported as left out.
        numbers = np.pad(numbers, ((0, 0), (0, longest - numbers.shape[1])), constant_values=np.nan)
    header = tuple(fitted(row, numbers.shape[1]) for row in header)
    problems += _width_problem(header, numbers, dialect, where)
    first_axis = numbers[:, axis_columns(header)[0]]
    problems += _faulty_start(lines, first, first_axis, dialect, where, first_line)
    dropped = sum(1 for line in lines[stop:] if line.strip())
    return NumberTable(
        numbers=numbers,
        lines=np.array(rows, dtype=np.int64) + first_line,
        header=header,
        head=tuple(lines[:first]),
        prose=tuple(lines[:top]),
        dialect=dialect,
        dropped=dropped,
        problems=tuple(problems),
        notes=tuple(notes),
    )


def _named(header: tuple[tuple[str, ...], ...], positions: list[int]) -> list[str]:
    cells = (row[position] for row in header[:2] for position in positions[:3] if position < len(row))
    return [cell for cell in cells if cell]


def _longest_run(lines: list[str], dialect: Dialect, starts: list[int]) -> tuple[int, list[list[int]]]:
    """First line of the longest run of rows, and all runs; blank lines and comments do not end a run.

    Nor does a line that begins with a number and goes on with words: a row with a fault, reported later.
    """
    runs: list[list[int]] = [[starts[0]]]
    for before, here in itertools.pairwise(starts):
        between = lines[before + 1 : here]
        if any(
            line.strip() and not dialect.is_comment(line) and not _begins_row(line, dialect)
            for line in between
        ):
            runs.append([])
        runs[-1].append(here)
    longest = max(runs, key=len)
    return longest[0], runs


def _begins_row(line: str, dialect: Dialect) -> bool:
    cells = dialect.split(line, 1)
    return len(cells) == 2 and dialect.is_number(cells[0])


def _width(lines: list[str], dialect: Dialect, positions: list[int]) -> int:
    if dialect.delimiter == " ":
        return max(len(lines[position].split()) for position in positions)
    return max(lines[position].count(dialect.delimiter) + 1 for position in positions)


def _parse(
    lines: list[str],
    dialect: Dialect,
    first: int,
    axes: list[int],
    where: str,
    first_line: int,
    problems: list[Problem],
) -> tuple[FloatArray, list[int], int]:
    """Numbers, the positions of their lines, and the position where the table ends.

    The table ends at the first row without a number in any axis column. Text in a cell is a problem.
    """
    flat = array("d")
    widths: list[int] = []
    rows: list[int] = []
    bad: list[str] = []
    comma = dialect.decimal == ","
    stop = len(lines)
    for position in range(first, len(lines)):
        line = lines[position]
        if not line or line.isspace() or dialect.is_comment(line):
            continue
        cells = dialect.split(line)
        if len(cells) > MAX_COLUMNS or len(flat) + len(cells) > MAX_CELLS:
            raise InputError(
                f"the table is too large at line {position + first_line}",
                where=where,
                allowed=f"up to {MAX_COLUMNS} columns and {MAX_CELLS} cells",
                fix="split the file",
            )
        quick = _quick_row(line, cells, comma)
        row = [_number(cell, dialect, comma) for cell in cells] if quick is None else quick
        if not any(axis < len(row) and _is_value(row[axis]) for axis in axes):
            stop = position
            break
        if quick is not None:
            flat.extend(quick)
        else:
            flat.extend(math.nan if value is None else value for value in row)
            for column, value in enumerate(row):
                if value is None:
                    cell = wording.plain(cells[column], 30)
                    bad.append(f"line {position + first_line}, column {column + 1}: {cell!r}")
        widths.append(len(row))
        rows.append(position)
    if bad:
        shown = "; ".join(bad[:_SHOWN]) + (f"; and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else "")
        problems.append(
            Problem(
                f"{len(bad)} cell{'s' * (len(bad) > 1)} of the table hold no number: {shown}",
                where,
                "numbers, or empty (or NaN) where a value is missing",
                "mend these cells, or empty them to leave these points out",
            )
        )
    return _rectangle(flat, widths), rows, stop


def _is_value(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _quick_row(line: str, cells: list[str], comma: bool) -> list[float] | None:
    """The row by Python's own number parser; None where a cell needs a closer look."""
    if "_" in line or (comma and "." in line):
        return None
    try:
        if comma:
            return [float(cell.replace(",", ".")) for cell in cells]
        return [float(cell) for cell in cells]
    except ValueError:
        return None


def _number(cell: str, dialect: Dialect, comma: bool) -> float | None:
    """The number in a cell, NaN where it is missing, None where it holds something else."""
    if dialect.is_number(cell):
        # str.strip knows separators (0x1c to 0x1f) that float does not take for white space.
        return float((cell.replace(",", ".") if comma else cell).strip())
    return float("nan") if is_missing(cell) else None


def _rectangle(flat: array[float], widths: list[int]) -> FloatArray:
    """Rows of one length, filled up with NaN; infinities become NaN, columns empty at the right end go."""
    width = max(widths, default=0)
    values = np.frombuffer(flat, dtype=np.float64) if flat else np.empty(0)
    if all(own == width for own in widths):
        numbers = values.reshape(len(widths), width).copy()
    else:
        if len(widths) * width > 2 * MAX_CELLS:
            raise InputError("the rows of the table differ too much in length", fix="split the file")
        numbers = np.full((len(widths), width), np.nan)
        numbers[np.arange(width) < np.array(widths)[:, None]] = values
    numbers[~np.isfinite(numbers)] = np.nan
    while numbers.shape[1] > 2 and np.isnan(numbers[:, -1]).all():
        numbers = numbers[:, :-1]
    return numbers


def _outside(
    starts: list[int], used: set[int], runs: list[list[int]], where: str, first_line: int
) -> list[Problem]:
    """Rows of data that are not part of the table: never dropped in silence."""
    stray = [position for position in starts if position not in used]
    if not stray or not used:
        return []
    before = [position for position in stray if position < min(used)]
    second = any(len([p for p in run if p not in used]) >= _SHOWN for run in runs)
    close = [p for p in stray if p > max(used) and p - max(used) <= 2]
    if not before and not second and not close:
        return []
    shown = ", ".join(str(position + first_line) for position in stray[:_SHOWN])
    shown += " ..." * (len(stray) > _SHOWN)
    return [
        Problem(
            f"the table from line {min(used) + first_line} to {max(used) + first_line} is interrupted: "
            f"{len(stray)} more rows of numbers stand outside it (line {shown})",
            where,
            "one table in a file; the first cell of each row holds the axis value",
            "mend the row where the table breaks off, or split the file",
        )
    ]


def _width_problem(
    header: tuple[tuple[str, ...], ...], numbers: FloatArray, dialect: Dialect, where: str
) -> list[Problem]:
    """A header of n names over 2n columns separated by commas: the comma is the decimal sign as well."""
    if dialect.delimiter != "," or not header:
        return []
    named = sum(1 for cell in header[0] if cell)
    if named < 2 or numbers.shape[1] != 2 * named or any(header[0][named:]):
        return []
    return [
        Problem(
            f"the header names {named} columns and the rows have {numbers.shape[1]}",
            where,
            "as many cells in each row as in the header",
            "the comma seems to be the decimal sign as well: export with semicolons or with a decimal point",
        )
    ]


def _faulty_start(
    lines: list[str], first: int, axis: FloatArray, dialect: Dialect, where: str, first_line: int
) -> list[Problem]:
    """A line above the data that begins with a number next to the axis: a row with a fault, not a header."""
    axis = axis[np.isfinite(axis)]
    above = (p for p in range(first - 1, -1, -1) if lines[p].strip() and not dialect.is_comment(lines[p]))
    position = next(above, None)
    if position is None or len(axis) < 2 or not _begins_row(lines[position], dialect):
        return []
    cell = dialect.split(lines[position], 1)[0].strip()
    number = float(cell.replace(",", ".") if dialect.decimal == "," else cell)
    with np.errstate(over="ignore"):
        reach = 10 * float(np.max(np.abs(np.diff(axis))))
    if not axis.min() - reach <= number <= axis.max() + reach:
        return []
    return [
        Problem(
            f"line {position + first_line} begins with {cell!r} like a row of data and goes on with words",
            where,
            "numbers in each row, or a header that does not begin with a number",
            "mend or remove this line",
        )
    ]
