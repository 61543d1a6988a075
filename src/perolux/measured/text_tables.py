"""Tables in text: from lines to columns of numbers with their headers, and from those to recorded spectra.

Layouts: two columns; many columns on one axis, named by sample or time; scans side by side with an axis
column each (Cary: two header rows, a log after the data); a row of units below the header; a prose head; no
header.
"""

from __future__ import annotations

import itertools
import math
import re
from array import array
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from perolux.errors import InputError, Problem
from perolux.measured import wording
from perolux.measured.sniff import MAX_COLUMNS, Dialect, Options, is_missing, row_starts, sniff_dialect

__all__ = ["Column", "NumberTable", "head_facts", "recorded_columns", "split_lines", "tabulate"]

FloatArray = npt.NDArray[np.float64]

MAX_CELLS = 20_000_000
MAX_ROWS = 2_000_000
_SHOWN = 5
_SETTING_MARK = re.compile(r"[:=\t;,]")


@dataclass(frozen=True)
class NumberTable:
    """The numbers of a table and what stands around them.

    numbers: shape (rows, columns), NaN where a cell holds no number; lines: line in the file of each row.
    header: rows of cells directly above the data, the nearest first, each `columns` long; possibly none.
    head: all lines above the data. dropped: number of non-empty lines after the data that were left out.
    """

    numbers: FloatArray
    lines: npt.NDArray[np.int64]
    header: tuple[tuple[str, ...], ...]
    head: tuple[str, ...]
    dialect: Dialect
    dropped: int = 0
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...] | None:
        """Names of the columns: the header row that is not a row of units; None without a header."""
        for row in self.header[:2]:
            if not _is_unit_row(row):
                return row
        return self.header[0] if self.header else None


@dataclass(frozen=True)
class Column:
    """One recorded spectrum before it is checked: axis and values as they stand in the file.

    axis, values: shape (rows,), NaN where the cell is empty; lines: line in the file of each row.
    """

    axis: FloatArray
    values: FloatArray
    lines: npt.NDArray[np.int64]
    label: str
    axis_words: str = ""
    value_words: str = ""
    facts: tuple[tuple[str, str], ...] = field(default=(), repr=False)


def split_lines(text: str) -> list[str]:
    """Lines of a text with any of the three usual line ends."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def tabulate(lines: list[str], options: Options, where: str, first_line: int = 1) -> NumberTable:
    """The longest table of numbers in `lines`; `first_line` is the number of lines[0] in the file.

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
    header = _header_rows(lines, first, dialect, width)
    axes = _axis_columns(header)
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
    header = tuple(_fitted(row, numbers.shape[1]) for row in header)
    problems += _width_problem(header, numbers, dialect, where)
    first_axis = numbers[:, _axis_columns(header)[0]]
    problems += _faulty_start(lines, first, first_axis, dialect, where, first_line)
    dropped = sum(1 for line in lines[stop:] if line.strip())
    return NumberTable(
        numbers=numbers,
        lines=np.array(rows, dtype=np.int64) + first_line,
        header=header,
        head=tuple(lines[:first]),
        dialect=dialect,
        dropped=dropped,
        problems=tuple(problems),
        notes=tuple(notes),
    )


def _named(header: tuple[tuple[str, ...], ...], positions: list[int]) -> list[str]:
    return [row[position] for row in header[:2] for position in positions[:3] if row[position]]


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


def _header_rows(lines: list[str], first: int, dialect: Dialect, width: int) -> tuple[tuple[str, ...], ...]:
    """Up to three rows of cells directly above the data, nearest first; a prose line ends the search."""
    rows: list[tuple[str, ...]] = []
    for line in reversed(lines[max(0, first - 12) : first]):
        if not line.strip() or not line.strip(" -=_*#+\t"):
            continue
        cells = _header_cells(line, dialect, width)
        if cells is None:
            break
        rows.append(cells)
        if len(rows) == 3:
            break
    return tuple(rows)


def _header_cells(line: str, dialect: Dialect, width: int) -> tuple[str, ...] | None:
    bare = line.lstrip("#%!/ ") if dialect.is_comment(line) else line
    ways = [dialect.split(bare)]
    if dialect.delimiter == " ":
        ways = [
            re.split(r"\t+|\s{2,}", bare.strip()),
            bare.split("\t"),
            bare.split(","),
            bare.split(";"),
            bare.split(),
        ]
    elif dialect.is_comment(line):
        ways.append(bare.split())
    for cells in ways:
        names = [wording.plain(cell) for cell in cells]
        while len(names) > 1 and not names[-1]:
            names.pop()
        fits = len(names) == width if dialect.delimiter == " " else 2 <= len(names) <= width
        if fits and not _is_setting(names):
            return _fitted(tuple(names), width)
    return None


def _is_setting(names: list[str]) -> bool:
    """True for a line such as "Integration time: 100 ms" or "Step,1", which is no header of a table."""
    if names[0].endswith((":", "=")):
        return True
    return (
        len(names) == 2
        and bool(names[0])
        and not wording.is_axis_header(names[0])
        and re.match(r"[+-]?\d", names[1]) is not None
    )


def _fitted(row: tuple[str, ...], width: int) -> tuple[str, ...]:
    return (row + ("",) * width)[:width]


def _is_unit_row(row: tuple[str, ...]) -> bool:
    return any(row) and all(wording.is_unit_cell(cell) for cell in row)


def _axis_columns(header: tuple[tuple[str, ...], ...]) -> list[int]:
    """Columns that hold an axis, as the header says; the first column where it says nothing."""
    for row in header[:2]:
        found = [position for position, cell in enumerate(row) if wording.is_axis_header(cell)]
        if found:
            return found
    return [0]


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
        if len(cells) > MAX_COLUMNS or len(flat) + len(cells) > MAX_CELLS or len(rows) >= MAX_ROWS:
            raise InputError(
                f"the table is too large at line {position + first_line}",
                where=where,
                allowed=f"up to {MAX_COLUMNS} columns, {MAX_ROWS} rows and {MAX_CELLS} cells",
                fix="split the file",
            )
        row = _quick_row(line, cells, comma)
        if row is None:
            row = [_number(cell, dialect, comma) for cell in cells]
        if not any(axis < len(row) and _is_value(row[axis]) for axis in axes):
            stop = position
            break
        if None in row:
            for column, value in enumerate(row):
                if value is None:
                    cell = wording.plain(cells[column], 30)
                    bad.append(f"line {position + first_line}, column {column + 1}: {cell!r}")
        flat.extend(float("nan") if value is None else value for value in row)
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


def _quick_row(line: str, cells: list[str], comma: bool) -> list[float | None] | None:
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
        return float(cell.replace(",", ".") if comma else cell)
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


def recorded_columns(
    table: NumberTable, stem: str, notes: list[str], flags: list[str], *, header: bool = True
) -> list[Column]:
    """The spectra of a table: which column is an axis, which holds values, what they are called.

    What is left out (uncertainties, a second energy axis, the third column of a headerless file) is said
    in `notes` and flagged.
    """
    numbers = table.numbers
    rows = table.header if header else ()
    width = numbers.shape[1]
    names = table.names if rows else None
    axes = _axis_columns(rows)
    axis_row = next((row for row in rows[:2] if any(map(wording.is_axis_header, row))), names)
    units = next((row for row in rows[:2] if _is_unit_row(row)), None)
    scans = len(axes) > 1 and axis_row is not names
    if len(axes) > 1 and axis_row is rows[0] and len(rows) > 1:
        names, scans = rows[1], True
    if names is None:
        axes = _repeated_axes(numbers)
    left_out: list[str] = []
    columns: list[Column] = []
    axis_values = {axis: numbers[:, axis] for axis in axes}
    if axes[0] > 0:
        left_out.append(
            _listed([_name(names, position) for position in range(axes[0])]) + " (before the axis)"
        )
    for place, axis in enumerate(axes):
        end = axes[place + 1] if place + 1 < len(axes) else width
        if place > 0 and axes[place - 1] == axis - 1:
            left_out.append(f"{_name(axis_row, axis)} (a second axis)")
            previous = axes[place - 1]
        else:
            previous = axis
        for position in range(axis + 1, end):
            column, why = _column(
                table, axis_values[previous], previous, position, names, axis_row, units, scans, axis
            )
            if column is None:
                left_out.append(f"{_name(names, position)} ({why})")
            else:
                columns.append(column)
    if names is None and len(axes) == 1 and width == 3:
        left_out.append(f"column 3 ({_third_column(numbers)})")
        columns = columns[:1]
    if left_out:
        flags.append("columns-left-out")
        notes.append("Left out: " + _listed(left_out) + ".")
    return _labelled(columns, stem, notes)


def _column(
    table: NumberTable,
    axis_values: FloatArray,
    axis: int,
    position: int,
    names: tuple[str, ...] | None,
    axis_row: tuple[str, ...] | None,
    units: tuple[str, ...] | None,
    scans: bool,
    scan_axis: int,
) -> tuple[Column | None, str]:
    name = names[position] if names else ""
    value_words = name
    if scans and names is not None and axis_row is not None:
        # Cary: the name of a scan stands above its axis column, the value word above its value column.
        value_words = axis_row[position]
        name = names[position] or names[scan_axis]
    if units is not None:
        value_words = f"{value_words} {units[position]}"
    if wording.is_error_header(name):
        return None, "uncertainties"
    values = table.numbers[:, position]
    if np.isnan(values).all():
        return None, "no numbers"
    axis_words = (axis_row[axis] if axis_row else "") + (f" {units[axis]}" if units else "")
    return (
        Column(
            axis=axis_values,
            values=values,
            lines=table.lines,
            label=name or f"column {position + 1}",
            axis_words=axis_words.strip(),
            value_words=value_words.strip(),
        ),
        "",
    )


def _repeated_axes(numbers: FloatArray) -> list[int]:
    """The first column, and each later one that repeats it number by number (scans side by side)."""
    first = numbers[:, 0]
    return [0] + [
        position
        for position in range(2, numbers.shape[1] - 1)
        if np.array_equal(first, numbers[:, position], equal_nan=True)
    ]


def _third_column(numbers: FloatArray) -> str:
    """Says whether column 3 of a headerless file is column 2 scaled."""
    good = np.isfinite(numbers[:, 1:3]).all(axis=1)
    second, third = numbers[good, 1], numbers[good, 2]
    span = np.ptp(second) if len(second) else 0.0
    if span > 0 and np.isfinite(span):
        low, high = int(second.argmin()), int(second.argmax())
        with np.errstate(over="ignore", invalid="ignore"):
            line = third[low] + (second - second[low]) * ((third[high] - third[low]) / span)
            if np.ptp(third) > 0 and np.max(np.abs(line - third)) <= 1e-6 * np.ptp(third):
                return "column 2, scaled"
    return "its meaning is not written in the file"


def _labelled(columns: list[Column], stem: str, notes: list[str]) -> list[Column]:
    """Columns with a label each: the stem of the file where a single column has no telling name; unique."""
    if len(columns) == 1 and wording.is_generic_label(columns[0].label):
        only = columns[0]
        return [_renamed(only, wording.plain(stem, 120) or "spectrum")]
    times_seen: dict[str, int] = {}
    taken: set[str] = set()
    renamed: list[str] = []
    result: list[Column] = []
    for column in columns:
        count = times_seen.get(column.label, 0) + 1
        label = column.label if count == 1 else f"{column.label} ({count})"
        while label in taken:
            count += 1
            label = f"{column.label} ({count})"
        times_seen[column.label] = count
        taken.add(label)
        if label != column.label:
            renamed.append(repr(label))
        result.append(_renamed(column, label))
    if renamed:
        notes.append(f"Names that occur more than once were numbered: {_listed(renamed)}.")
    return result


def _renamed(column: Column, label: str) -> Column:
    return Column(
        column.axis, column.values, column.lines, label, column.axis_words, column.value_words, column.facts
    )


def _name(names: tuple[str, ...] | None, position: int) -> str:
    return repr(names[position]) if names and names[position] else f"column {position + 1}"


def _listed(items: list[str]) -> str:
    return ", ".join(items[:_SHOWN]) + (f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else "")
