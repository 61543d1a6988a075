"""From a table to recorded spectra: which column is an axis, which holds values, what each is called."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from perolux.measured import wording
from perolux.measured.axes import MIN_POINTS
from perolux.measured.headers import axis_columns, is_unit_row
from perolux.measured.text_tables import NumberTable

__all__ = ["COLUMN_HEADER", "Column", "recorded_columns", "run_along_rows", "with_facts"]

FloatArray = npt.NDArray[np.float64]
_SHOWN = 5
COLUMN_HEADER = "column header"
"""Name of the fact that keeps the header of a lone column that was called after its file."""


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


def recorded_columns(table: NumberTable, stem: str, notes: list[str], flags: list[str]) -> list[Column]:
    """The spectra of a table: which column is an axis, which holds values, what they are called.

    What is left out (uncertainties, a second energy axis, the third column of a headerless file) is said
    in `notes` and flagged.
    """
    layout, left_out = _layout(table)
    numbers = table.numbers
    axis_values = {axis: numbers[:, axis] for axis, _ in layout.groups}
    columns: list[Column] = []
    for axis, positions in layout.groups:
        for position in positions:
            label = layout.label(position, axis)
            if wording.is_error_header(label):
                left_out.append(f"{label!r} (uncertainties)")
            elif wording.is_index_header(label):
                left_out.append(f"{label!r} (an index)")
            elif np.isnan(numbers[:, position]).all():
                left_out.append(f"{label!r} (no numbers)")
            else:
                columns.append(
                    Column(
                        axis=axis_values[axis],
                        values=numbers[:, position],
                        lines=table.lines,
                        label=label,
                        axis_words=layout.words(layout.axis_row, axis),
                        value_words=layout.words(layout.value_row, position),
                    )
                )
    if not table.header and layout.groups == ((0, (1, 2)),):
        left_out.append(f"column 3 ({_third_column(numbers)})")
        columns = columns[:1]
    if left_out:
        flags.append("columns-left-out")
        notes.append("Left out: " + _listed(left_out) + ".")
    return _labelled(columns, stem, notes)


def with_facts(columns: list[Column], facts: tuple[tuple[str, str], ...]) -> list[Column]:
    """Columns of a table without a header, with the axis and value words of facts such as XUNITS (JASCO)."""
    said = {key.lower().replace(" ", "").replace("-", ""): value for key, value in facts}
    axis = next((said[key] for key in ("xunits", "xunit", "xaxis") if key in said), "")
    values = next((said[key] for key in ("yunits", "yunit", "yaxis") if key in said), "")
    return [
        replace(column, axis_words=column.axis_words or axis, value_words=column.value_words or values)
        for column in columns
    ]


def run_along_rows(table: NumberTable) -> bool:
    """True where the names of the columns are a monotonic axis: the spectra run along the rows."""
    cells = (table.names or ())[1:]
    if len(cells) < MIN_POINTS or not all(table.dialect.is_number(cell) for cell in cells):
        return False
    with np.errstate(over="ignore", invalid="ignore"):
        steps = np.diff([float(cell.replace(",", ".")) for cell in cells])
    return bool((steps > 0).all() or (steps < 0).all())


@dataclass(frozen=True)
class _Layout:
    """Roles of the columns of a table.

    groups: an axis column and the columns of its values, for each axis.
    names, axis_row, value_row, units: the header rows that name the spectra, the axes, the values and the
    units; None where there is none.
    """

    groups: tuple[tuple[int, tuple[int, ...]], ...]
    names: tuple[str, ...] | None
    axis_row: tuple[str, ...] | None
    value_row: tuple[str, ...] | None
    units: tuple[str, ...] | None

    def label(self, position: int, axis: int) -> str:
        """Name of the spectrum in a column; that of a Cary scan stands above its axis column."""
        own = self.names[position] if self.names else ""
        if not own and self.names is not None and self.names is not self.axis_row:
            own = self.names[axis]
        return own or f"column {position + 1}"

    def words(self, row: tuple[str, ...] | None, position: int) -> str:
        """What a header row and the row of units say of a column."""
        said = (row[position] if row else "", self.units[position] if self.units else "")
        return " ".join(word for word in said if word)


def _layout(table: NumberTable) -> tuple[_Layout, list[str]]:
    """Roles of the columns, and those that have none, with the reason."""
    rows, width = table.header, table.numbers.shape[1]
    names = table.names
    axes = axis_columns(rows) if rows else _repeated_axes(table.numbers)
    axis_row = next((row for row in rows[:2] if any(map(wording.is_axis_header, row))), names)
    units = next((row for row in rows[:2] if is_unit_row(row)), None)
    value_row = names
    if names is not None and len(rows) > 1 and names is rows[0] and _names_stand_above(rows, axes):
        # Two header rows: samples or scans above, what was measured below.
        names, value_row = rows[1], rows[0]
    left_out = [f"{_name(names, position)} (before the axis)" for position in range(axes[0])]
    groups: list[tuple[int, tuple[int, ...]]] = []
    for axis, end in zip(axes, [*axes[1:], width], strict=True):
        values = tuple(range(axis + 1, end))
        if groups and not groups[-1][1]:
            left_out.append(f"{_name(axis_row, axis)} (a second axis)")
            groups[-1] = (groups[-1][0], values)
        elif groups and not values:
            left_out.append(f"{_name(axis_row, axis)} (an axis without values)")
        else:
            groups.append((axis, values))
    return _Layout(tuple(groups), names, axis_row, value_row, units), left_out


def _names_stand_above(rows: tuple[tuple[str, ...], ...], axes: list[int]) -> bool:
    """True where the second header row names the spectra and the first only says what was measured."""
    if any(map(wording.is_axis_header, rows[1])) or is_unit_row(rows[1]):
        return False
    if len(axes) > 1:
        return True
    values = range(axes[0] + 1, len(rows[0]))
    return all(wording.is_generic_label(rows[0][position]) for position in values) and all(
        rows[1][position] for position in values if rows[0][position]
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
    with np.errstate(over="ignore", invalid="ignore"):
        span = np.ptp(second) if len(second) else 0.0
        if span > 0 and np.isfinite(span):
            low, high = int(second.argmin()), int(second.argmax())
            line = third[low] + (second - second[low]) * ((third[high] - third[low]) / span)
            if np.ptp(third) > 0 and np.max(np.abs(line - third)) <= 1e-6 * np.ptp(third):
                return "column 2, scaled"
    return "its meaning is not written in the file"


def _labelled(columns: list[Column], stem: str, notes: list[str]) -> list[Column]:
    """Columns with a label each: the stem of the file where a single column has no telling name; unique."""
    if len(columns) == 1 and wording.is_generic_label(columns[0].label):
        only = columns[0]
        # "S1" is a signal of one instrument and a sample of someone else: whoever knows the samples decides
        only = replace(only, facts=(*only.facts, (COLUMN_HEADER, only.label)))
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
    return replace(column, label=label)


def _name(names: tuple[str, ...] | None, position: int) -> str:
    return repr(names[position]) if names and names[position] else f"column {position + 1}"


def _listed(items: list[str]) -> str:
    return ", ".join(items[:_SHOWN]) + (f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else "")
