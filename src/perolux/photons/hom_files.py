"""Measured coincidence histograms of two-photon interference: read, centred on delay zero, and checked.

A file is a text of delay and counts, or a PicoQuant .phu; a text of three columns holds both polarisations,
named "parallel" and "orthogonal" in its head. Delays are the middles of bins.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from perolux.errors import InputError, OptionError, Problem
from perolux.measured.decays import TIME_UNITS_NS, decay_from_bytes, table_from_bytes
from perolux.measured.decoding import load_bytes
from perolux.measured.histogram_files import is_histogram
from perolux.photons.hom_histogram import HomHistogram

__all__ = ["HomFile", "check_spacing", "read_hom", "spacing_of"]

FloatArray = npt.NDArray[np.float64]
_PARALLEL = re.compile(r"par(a|\b|_)|\bco\b|copol|hh|vv", re.IGNORECASE)
_ORTHOGONAL = re.compile(r"orth|perp|cross|hv|vh", re.IGNORECASE)
_MOST_MISS = 0.05
"""Part of the delay by which the peaks may lie elsewhere."""


@dataclass(frozen=True)
class HomFile:
    """Histograms of one measurement; orthogonal is None where it was not recorded. files: (name, sha256)."""

    parallel: HomHistogram
    orthogonal: HomHistogram | None
    files: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def read_hom(
    parallel: str | Path,
    orthogonal: str | Path | None = None,
    *,
    time_unit: str | None = None,
    curves: tuple[int, int | None] | None = None,
    zero_ns: float | None = None,
    within_ns: float | None = None,
    rebin: int = 1,
) -> HomFile:
    """Read one or two histograms.

    time_unit: of a text that does not say it. curves: numbers from 1 in a .phu file, of the parallel and the
    orthogonal histogram (both in the first file where the second is None). zero_ns: delay zero on the axis of
    the files; 0 where left out, if the axis has both signs. within_ns: only delays up to this, both signs.
    rebin: bins to put together. Raises `InputError` for a gap in the axis or counts that are none,
    `OptionError` for an axis without delay zero, with the place that the histogram is even about.
    """
    if rebin < 1:
        raise OptionError(f"{rebin} bins put together", where="rebin", allowed="1 or more")
    read = _read_one(parallel, time_unit, None if curves is None else curves[0])
    found = [read[0]]
    files, notes = [read[1]], list(read[2])
    if len(read[0]) == 3:
        if orthogonal is not None:
            raise OptionError(
                "the first file holds both polarisations already", where=str(orthogonal), fix="leave it out"
            )
        time, one, two = read[0]
        found = [(time, one), (time, two)]
    elif orthogonal is not None or (curves is not None and curves[1] is not None):
        second = orthogonal if orthogonal is not None else parallel
        other = _read_one(second, time_unit, None if curves is None else curves[1])
        if len(other[0]) != 2:
            raise OptionError("the second file holds two histograms", where=str(second), fix="give it alone")
        found.append(other[0])
        if orthogonal is not None:
            files.append(other[1])
            notes += [f"orthogonal: {note}" for note in other[2]]
            if files[0][1] == files[1][1] and curves is None:
                raise OptionError("both files are the same, byte by byte", where=str(second))
    histograms = [
        _centred(time, counts, zero_ns, within_ns, rebin, str(parallel)) for time, counts, *_ in found
    ]
    return HomFile(histograms[0], histograms[1] if len(histograms) > 1 else None, tuple(files), tuple(notes))


def _read_one(
    path: str | Path, time_unit: str | None, curve: int | None
) -> tuple[tuple[FloatArray, ...], tuple[str, str], tuple[str, ...]]:
    """(delay in ns, counts[, counts]), (name, sha256), notes."""
    data, name = load_bytes(path), str(path)
    if not is_histogram(data):
        if curve is not None:
            raise OptionError("a text has no numbered curves", where=name, fix="leave --curves out")
        try:
            table = table_from_bytes(data, name)
        except InputError:
            table = None  # what is wrong with it is said below, in the words of a histogram
        if table is not None and len(table.columns) == 3:
            return _both(table.columns, name, time_unit), (name, table.source.sha256), table.notes
    record = decay_from_bytes(data, name, time_unit=time_unit, curve=curve)
    if record.gaps:
        told = ", ".join(f"{a:g} to {b:g} ns" for a, b in record.gaps[:3])
        raise InputError("the axis has gaps", where=name, allowed="bins without a gap", fix=f"fill {told}")
    return (record.time_ns, record.counts.astype(float)), (name, record.source.sha256), record.notes


def _both(
    columns: dict[str, npt.NDArray[np.int64] | FloatArray], name: str, time_unit: str | None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    names = list(columns)
    one = [label for label in names[1:] if _PARALLEL.search(label) and not _ORTHOGONAL.search(label)]
    two = [label for label in names[1:] if _ORTHOGONAL.search(label)]
    problems = []
    if len(one) != 1 or len(two) != 1:
        problems.append(
            Problem(
                f"the columns are called {', '.join(repr(label) for label in names)}", name,
                "delay, parallel, orthogonal", "say in the head of the table which is which",
            )
        )  # fmt: skip
    units = {word for word in re.split(r"[^a-z]+", names[0].lower()) if word in TIME_UNITS_NS}
    unit = time_unit or (units.pop() if len(units) == 1 else None)
    if unit is None:
        problems.append(
            Problem("the unit of the delays is not said", name, "delay_ns, delay (ps), ...", "--time-unit ns")
        )
    elif unit not in TIME_UNITS_NS:
        problems.append(Problem(f"unknown time unit {unit!r}", name, ", ".join(TIME_UNITS_NS)))
    time = np.asarray(columns[names[0]], dtype=float) * TIME_UNITS_NS.get(unit or "", 1.0)
    if len(time) < 3 or np.any(np.diff(time) <= 0):
        problems.append(Problem("the delays do not ascend", name, "three delays or more, ascending"))
    for label in one + two:
        counts = np.asarray(columns[label], dtype=float)
        if np.any(counts < 0) or np.any(counts != np.rint(counts)):
            problems.append(
                Problem(f"column {label!r} holds no counts", name, "whole numbers from 0 up",
                        "give the coincidences as counted, not normalised")
            )  # fmt: skip
    if problems:
        raise InputError(problems)
    return time, np.asarray(columns[one[0]], dtype=float), np.asarray(columns[two[0]], dtype=float)


def _centred(
    time: FloatArray, counts: FloatArray, zero: float | None, within: float | None, rebin: int, name: str
) -> HomHistogram:
    step = np.diff(time)
    if np.ptp(step) > 0.01 * float(np.median(step)):
        raise InputError("the bins are not of one width", where=name, allowed="steps equal to a hundredth")
    if zero is None and not time[0] < 0 < time[-1]:
        raise OptionError(
            f"the axis runs from {time[0]:.5g} to {time[-1]:.5g} ns: where on it is delay zero?", where=name,
            fix=f"give --zero NS (the histogram is even about {_even_about(time, counts):.5g} ns)",
        )  # fmt: skip
    width = float(np.median(step))
    edges = np.concatenate([[time[0] - width / 2], time + width / 2]) - (zero or 0.0)
    # whole groups only, so that no bin is narrower than the others
    groups = len(counts) // rebin
    edges, counts = (
        edges[: groups * rebin + 1 : rebin],
        counts[: groups * rebin].reshape(groups, rebin).sum(1),
    )
    if within is not None:
        first = int(np.searchsorted(edges, -within - 1e-9))
        last = int(np.searchsorted(edges, within + 1e-9, side="right")) - 1
        if last - first < 3:
            raise OptionError(f"no bins within {within:g} ns of delay zero", where=name)
        edges, counts = edges[first : last + 1], counts[first:last]
    return HomHistogram(edges, np.rint(counts).astype(np.int64))


def _even_about(time: FloatArray, counts: FloatArray) -> float:
    """The place about which a histogram is most even, half its length around it at least."""
    n = len(counts)
    squares = np.concatenate([[0.0], np.cumsum(counts**2)])
    best, place = -1.0, 0.5 * (time[0] + time[-1])
    for middle in range(n // 4 * 2, (n - n // 4) * 2):  # in half bins
        reach = min(middle // 2, n - 1 - (middle + 1) // 2)
        low, high = middle // 2 - reach, (middle + 1) // 2 + reach
        if reach < n // 5:
            continue
        part = counts[low : high + 1]
        score = float(part @ part[::-1]) / max(float(squares[high + 1] - squares[low]), 1e-300)
        if score > best:
            best, place = score, 0.5 * (time[low] + time[high])
    return float(place)


def spacing_of(histogram: HomHistogram) -> float | None:
    """Distance of the peaks from the counts' correlation with themselves; None where no peak returns."""
    counts = histogram.counts - histogram.counts.mean()
    n = len(counts)
    power = np.abs(np.fft.rfft(counts, 2 * n)) ** 2
    own = np.fft.irfft(power)[: 2 * n // 3]
    below = np.flatnonzero(own < 0.3 * own[0])
    if not len(below):
        return None
    rest = own[below[0] :]
    # of the peaks that return well, the first: the second neighbours of a pulse pair may return better
    high = np.flatnonzero(rest > 0.6 * rest.max())
    first = high[: int(np.argmax(np.diff(high) > 1)) + 1] if np.any(np.diff(high) > 1) else high
    at = int(below[0]) + int(first[np.argmax(rest[first])])
    if own[at] < 0.1 * own[0] or at in (below[0], len(own) - 1):
        return None
    # a parabola through the top, so that the answer is finer than a bin
    before, top, after = own[at - 1 : at + 2]
    bent = before - 2 * top + after
    finer = at + (0.5 * (before - after) / bent if bent < 0 else 0.0)
    return float(np.diff(histogram.edges_ns).mean() * finer)


def check_spacing(histogram: HomHistogram, delay_ns: float, name: str) -> None:
    """`OptionError` where no peaks stand at plus and minus the delay, with the spacing that is seen."""
    middle = 0.5 * (histogram.edges_ns[1:] + histogram.edges_ns[:-1])
    counts = histogram.counts.astype(float)
    seen = spacing_of(histogram)
    if seen is None:
        told = "give the delay of the interferometer as --delay, and the middle of the histogram as --zero"
    elif abs(seen / delay_ns - 1) < _MOST_MISS:
        even = _even_about(middle, counts)
        told = f"peaks are so far apart, but elsewhere: --zero moved by {even:.4g} ns?"
    else:
        told = f"the peaks lie about {seen:.3g} ns apart: --delay {seen:.3g}?"
    places = []
    for side in (-1, 1):
        at = middle - side * delay_ns
        top, foot = np.abs(at) <= delay_ns / 4, (np.abs(at) > delay_ns / 4) & (np.abs(at) <= delay_ns / 2)
        if not top.any() or not foot.any():
            raise OptionError(
                f"the bins are too wide for a delay of {delay_ns:g} ns", where=name,
                allowed="eight bins in a delay", fix=told,
            )  # fmt: skip
        on, off = counts[top].sum(), counts[foot].sum() * top.sum() / foot.sum()
        if on - off < 4 * np.sqrt(on + off + 1):
            raise OptionError(f"no peak at {side * delay_ns:g} ns", where=name, fix=told)
        near = np.abs(at) <= delay_ns / 2
        above = counts[near] - np.quantile(counts[near], 0.2)
        places.append(float(np.sum(middle[near] * above) / np.sum(above)))
    found = 0.5 * (places[1] - places[0])
    if abs(found / delay_ns - 1) > _MOST_MISS or (seen is not None and seen < 0.75 * delay_ns):
        raise OptionError(f"the peaks are not {delay_ns:g} ns apart", where=name, fix=told)
    if abs(places[1] + places[0]) / 2 > 0.2 * delay_ns:
        raise OptionError(
            f"the side peaks lie at {places[0]:.4g} and {places[1]:.4g} ns: delay zero is "
            f"elsewhere", where=name,
            fix=f"--zero, moved by {(places[0] + places[1]) / 2:.4g} ns",
        )  # fmt: skip
