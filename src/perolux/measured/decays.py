"""Decays, correlation histograms and other numeric tables that are no spectra; facts of a metadata file.

Counts stay integers. A part of the time axis that was cut out stays a gap: the axis is never spliced.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path, PurePath

import numpy as np
import numpy.typing as npt

from perolux.errors import InputError, NotAvailableError, OptionError, Problem
from perolux.measured.decoding import DEFAULT_MAX_BYTES, check_size, decode, load_bytes
from perolux.measured.headers import head_facts
from perolux.measured.records import FileSource
from perolux.measured.sniff import Options
from perolux.measured.text_tables import NumberTable, split_lines, tabulate

__all__ = [
    "Decay",
    "NumericTable",
    "decay_from_bytes",
    "facts_from_bytes",
    "read_decay",
    "read_facts",
    "read_table",
    "table_from_bytes",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

TIME_UNITS_NS = {"ps": 1e-3, "ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}
_UNIT = re.compile(r"(?<![a-z])(ps|ns|us|\u00b5s|\u03bcs|ms|s|sec)(?![a-z])", re.IGNORECASE)
_LARGEST_EXACT = 2.0**53
_GAP = 1.5
"""A step longer than this many usual steps is a gap in the axis."""


@dataclass(frozen=True)
class Decay:
    """A histogram over time: a laser-referenced decay or a coincidence histogram g2.

    time_ns: shape (n,), strictly ascending; counts: shape (n,), integers; step_ns: the usual step.
    gaps: (start, stop) in ns of each part of the axis without bins: last bin before, first bin after.
    """

    time_ns: FloatArray
    counts: IntArray
    step_ns: float
    gaps: tuple[tuple[float, float], ...]
    label: str
    source: FileSource
    notes: tuple[str, ...] = ()
    header: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        for values in (self.time_ns, self.counts):
            values.flags.writeable = False

    def __len__(self) -> int:
        return len(self.time_ns)

    def on_full_axis(self) -> tuple[FloatArray, IntArray, npt.NDArray[np.bool_]]:
        """Axis without gaps, counts, and a mask that is True where a bin was recorded.

        Bins inside a gap carry zero counts and a mask of False; they are no measurement.
        """
        places = np.rint((self.time_ns - self.time_ns[0]) / self.step_ns).astype(np.int64)
        length = int(places[-1]) + 1
        if length > 100 * len(self) + 1000 or len(np.unique(places)) != len(places):
            raise InputError(
                "the time axis is not a regular one with gaps",
                where=self.source.path,
                fix="use time_ns as it is",
            )
        time_ns = self.time_ns[0] + self.step_ns * np.arange(length)
        time_ns[places] = self.time_ns
        counts = np.zeros(length, dtype=np.int64)
        counts[places] = self.counts
        recorded = np.zeros(length, dtype=bool)
        recorded[places] = True
        return time_ns, counts, recorded

    def __repr__(self) -> str:
        gaps = ", ".join(f"{start:.4g} to {stop:.4g} ns" for start, stop in self.gaps) or "none"
        return (
            f"<Decay {self.label!r}: {len(self)} bins of {self.step_ns:.5g} ns, {self.time_ns[0]:.4g} to "
            f"{self.time_ns[-1]:.4g} ns, {int(self.counts.sum())} counts, gaps: {gaps}>"
        )


@dataclass(frozen=True)
class NumericTable:
    """A table of numbers with named columns; columns of whole numbers are int64, the others float64."""

    columns: dict[str, IntArray | FloatArray]
    source: FileSource
    notes: tuple[str, ...] = ()
    header: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()))) if self.columns else 0

    def __getitem__(self, name: str) -> IntArray | FloatArray:
        if name not in self.columns:
            raise NotAvailableError(f"no column is called {name!r}", allowed=", ".join(self.columns))
        return self.columns[name]

    def __repr__(self) -> str:
        names = ", ".join(f"{name} ({values.dtype})" for name, values in list(self.columns.items())[:12])
        return f"<NumericTable: {len(self)} rows; {names}{' ...' if len(self.columns) > 12 else ''}>"


def read_decay(
    path: str | Path,
    *,
    time_unit: str | None = None,
    curve: int | None = None,
    max_bytes: int = DEFAULT_MAX_BYTES,
) -> Decay:
    """Read a decay or a coincidence histogram: two columns of text, or a .phu or .sdt file.

    Recognised by content. time_unit: "ps", "ns", "us", "ms" or "s", where a text does not say it. curve: its
    number from 1 in a .phu or .sdt of several. Raises `InputError` for counts that are no whole numbers or
    are negative, a time axis that does not ascend, an unknown time unit; `OptionError` that lists the
    curves.
    """
    return decay_from_bytes(
        load_bytes(path, max_bytes), str(path), time_unit=time_unit, curve=curve, max_bytes=max_bytes
    )


def read_table(path: str | Path, *, max_bytes: int = DEFAULT_MAX_BYTES) -> NumericTable:
    """Read a table of numbers with a header, such as a list of photon segments; missing cells are errors."""
    return table_from_bytes(load_bytes(path, max_bytes), str(path), max_bytes=max_bytes)


def read_facts(path: str | Path, *, max_bytes: int = DEFAULT_MAX_BYTES) -> dict[str, int | float | str]:
    """Read lines "key: value" of a metadata file; whole numbers come as int, others as float, else text."""
    return facts_from_bytes(load_bytes(path, max_bytes), str(path), max_bytes=max_bytes)


def decay_from_bytes(
    data: bytes,
    name: str,
    *,
    time_unit: str | None = None,
    curve: int | None = None,
    max_bytes: int = DEFAULT_MAX_BYTES,
) -> Decay:
    """`read_decay` of bytes in memory."""
    from perolux.measured.histogram_files import decay_from_histograms, is_histogram

    if time_unit is not None and time_unit not in TIME_UNITS_NS:
        raise OptionError(f"unknown time unit {time_unit!r}", allowed=", ".join(TIME_UNITS_NS))
    check_size(len(data), name, max_bytes)
    if is_histogram(data):
        if time_unit is not None:
            raise OptionError("the file states its time unit", where=name, fix="leave time_unit out")
        return decay_from_histograms(data, name, curve)
    if curve is not None:
        raise OptionError("a text file holds one curve", where=name, fix="leave curve out")
    table, notes, source = _table(data, name, "decay", max_bytes)
    notes += table.notes
    problems = list(table.problems)
    numbers = table.numbers
    if numbers.shape[1] != 2:
        problems.append(
            Problem(
                f"the table has {numbers.shape[1]} columns", name, "two: time and counts", "use read_table"
            )
        )
        raise InputError(problems)
    unit = time_unit or _time_unit(table)
    with np.errstate(over="ignore"):
        time, counts = numbers[:, 0] * TIME_UNITS_NS.get(unit or "ns", 1.0), numbers[:, 1]
        steps = np.diff(time)
    if unit is None:
        problems.append(
            Problem(
                "the time unit is not written in the file", name, ", ".join(TIME_UNITS_NS), 'time_unit="ns"'
            )
        )
    if len(time) < 2:
        problems.append(Problem(f"the histogram has {len(time)} bin", name, "at least 2 bins"))
    missing = ~np.isfinite(time) | ~np.isfinite(counts)
    if missing.any():
        problems.append(_at(table, missing, "hold no number", name, "a time and a count in each row"))
    falling = np.zeros(len(time), dtype=bool)
    falling[1:] = steps <= 0
    if falling.any():
        problems.append(_at(table, falling, "do not follow in time", name, "a time axis that only rises"))
    with np.errstate(invalid="ignore"):
        no_count = (counts != np.rint(counts)) | (counts < 0) | (counts > _LARGEST_EXACT)
        broken: npt.NDArray[np.bool_] = np.logical_and(~missing, no_count)
    if broken.any():
        problems.append(_at(table, broken, "hold no count", name, "whole numbers that are not negative"))
    if not problems and not np.all(np.isfinite(steps)):
        problems.append(Problem("the time axis is longer than numbers can hold", name, "times in ps to s"))
    if problems or unit is None:
        raise InputError(problems)
    step_ns = float(np.median(steps))
    wide = np.flatnonzero(steps > _GAP * step_ns)
    gaps = tuple((float(time[at]), float(time[at + 1])) for at in wide)
    if len(gaps):
        notes.append(f"The time axis has {len(gaps)} gap{'s' * (len(gaps) > 1)}; nothing was joined across.")
    return Decay(
        time_ns=time,
        counts=np.rint(counts).astype(np.int64),
        step_ns=step_ns,
        gaps=gaps,
        label=PurePath(name).stem,
        source=source,
        notes=tuple(notes),
        header=head_facts(table.head),
    )


def table_from_bytes(data: bytes, name: str, *, max_bytes: int = DEFAULT_MAX_BYTES) -> NumericTable:
    """`read_table` of bytes in memory."""
    table, notes, source = _table(data, name, "table", max_bytes)
    notes += table.notes
    problems = list(table.problems)
    missing = np.asarray(np.isnan(table.numbers).any(axis=1))
    if missing.any():
        problems.append(_at(table, missing, "have empty cells", name, "a number in each cell"))
    if problems:
        raise InputError(problems)
    columns: dict[str, IntArray | FloatArray] = {}
    names = table.names or ()
    for position in range(table.numbers.shape[1]):
        label = names[position] if position < len(names) and names[position] else f"column {position + 1}"
        while label in columns:
            label = f"{label} ({position + 1})"
        values = table.numbers[:, position]
        whole = bool(np.all(values == np.rint(values)) and np.all(np.abs(values) < _LARGEST_EXACT))
        columns[label] = values.astype(np.int64) if whole else values.copy()
        columns[label].flags.writeable = False
    if table.dropped:
        notes.append(f"{table.dropped} lines after the table were left out.")
    return NumericTable(columns, source, tuple(notes), head_facts(table.head))


def facts_from_bytes(
    data: bytes, name: str, *, max_bytes: int = DEFAULT_MAX_BYTES
) -> dict[str, int | float | str]:
    """`read_facts` of bytes in memory."""
    check_size(len(data), name, max_bytes)
    text, _ = decode(data, name)
    facts: dict[str, int | float | str] = {}
    for key, value in head_facts(tuple(split_lines(text, name)[:400]), most=400):
        facts.setdefault(key, _typed(value))
    if not facts:
        raise InputError("no lines of the form key: value were found", where=name, fix="check the file")
    return facts


def _typed(text: str) -> int | float | str:
    if re.fullmatch(r"[+-]?\d{1,18}", text, re.ASCII):
        return int(text)
    if re.fullmatch(r"[+-]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:[eE][+-]?\d{1,3})?", text, re.ASCII):
        number = float(text)
        return number if np.isfinite(number) else text
    return text


def _table(data: bytes, name: str, reader: str, max_bytes: int) -> tuple[NumberTable, list[str], FileSource]:
    check_size(len(data), name, max_bytes)
    text, notes = decode(data, name)
    table = tabulate(split_lines(text, name), Options(), name)
    return table, list(notes), FileSource(name, hashlib.sha256(data).hexdigest(), reader)


def _time_unit(table: NumberTable) -> str | None:
    """The one time unit that the header names, else the one that the lines above it name."""
    header = " ".join(row[0] for row in table.header[:2] if row)
    for words in (header.replace("_", " "), " ".join(table.head)[:5000].replace("_", " ")):
        found = {match.lower() for match in _UNIT.findall(words)}
        found = {"us" if unit in ("\u00b5s", "\u03bcs") else "s" if unit == "sec" else unit for unit in found}
        if len(found) == 1:
            return found.pop()
    return None


def _at(table: NumberTable, bad: npt.NDArray[np.bool_], what: str, name: str, allowed: str) -> Problem:
    places = table.lines[bad]
    shown = ", ".join(str(line) for line in places[:5]) + (" ..." if len(places) > 5 else "")
    return Problem(f"{len(places)} rows {what} (line {shown})", name, allowed, "mend or remove these rows")
