"""Intensity correlation of two detectors, from all pairs of photons, not from start and stop.

    C(tau) = pairs with t_B - t_A in a bin;   g2 = C T_run/(N_A N_B dtau (1 - |tau|/T_run))       continuous
    light

Start and stop keeps the first stop only and bends g2 down at high rates. `pairs` counts over a window,
`log_lags` from nanoseconds to seconds in bins that widen with the lag. Photons pass in chunks: memory does
not grow with the record.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError
from perolux.measured.photon_stream import Photons, PhotonStream
from perolux.progress import Progress, silent

__all__ = ["LagCorrelation", "PairHistogram", "log_lags", "pairs", "two_sides"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Sides = tuple[Sequence[int], Sequence[int]]


@dataclass(frozen=True)
class PairHistogram:
    """Coincidences of two detectors against their delay t_B - t_A.

    tau_ns: (n,) centres of bins of width_ns, 0 in the middle of the middle one; counts: (n,); photons: of
    both sides.
    """

    tau_ns: FloatArray
    counts: IntArray
    width_ns: float
    photons: tuple[int, int]
    duration_s: float

    def continuous_g2(self) -> tuple[FloatArray, FloatArray]:
        """g2 and its counting error sqrt(C), for light that is not pulsed; `OptionError` where a side is
        dark."""
        if min(self.photons) == 0:
            raise OptionError("one detector has no photons: no g2", fix="name two detectors that saw light")
        run_ns = self.duration_s * 1e9
        expected = (
            self.photons[0] * self.photons[1] * self.width_ns / run_ns * (1 - np.abs(self.tau_ns) / run_ns)
        )
        return self.counts / expected, np.sqrt(np.maximum(self.counts, 1)) / expected


@dataclass(frozen=True)
class LagCorrelation:
    """g2 over lags that grow geometrically. low_ns, high_ns: (n,) ends of the lag bins, g2: (n,), pairs:
    (n,)."""

    low_ns: FloatArray
    high_ns: FloatArray
    g2: FloatArray
    pairs: FloatArray


def two_sides(stream: PhotonStream, sides: Sides | None = None) -> Sides:
    """The channels of detectors A and B: the two that hold photons, unless they are named.

    Raises `OptionError` where a record has not exactly two, or the named ones overlap.
    """
    if sides is None:
        if len(stream.channels) != 2:
            raise OptionError(
                f"photons in channels {', '.join(map(str, stream.channels)) or 'none'}: which are A and B?",
                where=stream.source.path,
                allowed="two detectors",
                fix="name them: --channels 0,1" if len(stream.channels) > 2 else "one detector has no g2",
            )
        return (stream.channels[0],), (stream.channels[1],)
    a, b = (tuple(side) for side in sides)
    if not a or not b or set(a) & set(b):
        raise OptionError("a channel on both sides, or a side without one", allowed="two separate detectors")
    return a, b


def pairs(
    stream: PhotonStream,
    *,
    window_ns: float,
    width_ns: float,
    sides: Sides | None = None,
    progress: Progress = silent,
) -> PairHistogram:
    """All pairs of a photon at A and one at B whose delay is at most window_ns, in bins of width_ns.

    The middle bin is centred on 0. A record whose macro times do not count laser pulses has its delays from
    macro times. Raises `OptionError` for a window below the width, or finer than the ticks of the record.
    """
    from perolux.photons._correlation_kernels import pair_histogram

    half = math.ceil(window_ns / width_ns - 0.5) if width_ns > 0 else 0
    if not (0 < width_ns <= window_ns) or half > 20_000_000:
        raise OptionError(
            f"a window of {window_ns:g} ns in bins of {width_ns:g} ns", allowed="width up to window, 2e7 bins"
        )
    a, b = two_sides(stream, sides)
    counts = np.zeros(2 * half + 1, dtype=np.int64)
    span = (half + 0.5) * width_ns
    seen = [0, 0]
    for macro, fine, side, first in with_reach(sided_chunks(stream, a, b, progress), span, stream):
        pair_histogram(macro, fine, side, stream.macro_tick_ns, span, first, width_ns, counts)
        seen[0] += int(np.count_nonzero(side[first:] == 0))
        seen[1] += int(np.count_nonzero(side[first:] == 1))
    return PairHistogram(
        tau_ns=width_ns * np.arange(-half, half + 1, dtype=float),
        counts=counts,
        width_ns=width_ns,
        photons=(seen[0], seen[1]),
        duration_s=stream.duration_s,
    )


def log_lags(
    stream: PhotonStream,
    *,
    shortest_ns: float | None = None,
    longest_ns: float | None = None,
    per_octave: int = 8,
    exact_to_ns: float | None = None,
    sides: Sides | None = None,
    progress: Progress = silent,
) -> LagCorrelation:
    """g2 of A and B over lags t_B - t_A >= 0 from shortest_ns (one tick) to longest_ns (a tenth of the run).

    Up to exact_to_ns (the lag that holds some thirty photons, rounded up to a power of two of ticks; at least
    64 per_octave times the shortest) all pairs are counted, each in the bin of its lag. Beyond, photons are
    counted in bins and those multiplied (`multiple_tau`): lags are then 1/per_octave of an octave apart or
    closer, and each is a mean over a triangle of 1/(2 per_octave) of the lag or less to either side, which
    moves an exponential g2 - 1 by at most 0.011/per_octave^2 of its height (1.8e-4 for 8). Expected pairs are
    those of unrelated photons; beyond exact_to_ns from the counts of just the stretches that a lag joins.

    Memory is that of one chunk, and of the photons within exact_to_ns. Raises `OptionError` for less than two
    octaves of lags, or a detector without photons.
    """
    from perolux.photons._lag_kernels import two_lists
    from perolux.photons.multiple_tau import MultipleTau

    a, b = two_sides(stream, sides)
    tick = stream.macro_tick_ns
    total = round(stream.duration_s * 1e9 / tick)
    longest = min(int((longest_ns or stream.duration_s * 1e8) / tick), total // 2)
    shortest = max(1, round((shortest_ns or tick) / tick))
    if per_octave < 2 or longest < 4 * shortest:
        raise OptionError(
            f"lags from {shortest * tick:g} to {longest * tick:g} ns",
            allowed="at least two octaves, per_octave >= 2",
        )
    # Pairs are enumerated up to the lag that holds some thirty photons; beyond it the bins are full.
    reach = int(30 * total / max(len(stream), 1)) if exact_to_ns is None else math.ceil(exact_to_ns / tick)
    reach = min(max(64 * per_octave * shortest, reach), longest)
    # A whole number of bins whose width is a power of two: a photon's bin is then a shift of its time.
    shift = max((-(-reach // (2 * per_octave)) - 1).bit_length(), 0)
    reach = 2 * per_octave << shift
    edges = _edges(shortest, min(reach, longest), per_octave)
    near = _NearPairs(edges)
    far = MultipleTau(shift=shift, first_lag=2 * per_octave, bins=total >> shift, longest=longest)
    seen = [0, 0]
    side_of = np.full(256, 2, dtype=np.uint8)
    side_of[list(a)], side_of[list(b)] = 0, 1
    progress.start("correlating", len(stream))
    try:
        for photons in stream.chunks():
            if not len(photons):
                continue
            in_a, in_b = (np.empty(len(photons), np.int64) for _ in range(2))
            count = two_lists(photons.macro, photons.channel, side_of, in_a, in_b)
            new_a, new_b = in_a[: count[0]], in_b[: count[1]]
            seen = [seen[0] + count[0], seen[1] + count[1]]
            last = int(photons.macro[-1])
            near.add(new_a, new_b, last)
            far.add(new_a, new_b, last >> shift)
            progress.advance(len(photons))
    finally:
        progress.finish()
    far.add(np.zeros(0, np.int64), np.zeros(0, np.int64), total >> shift)
    if min(seen) == 0:
        raise OptionError("one detector has no photons: no correlation", where=stream.source.path)
    low_edges, high_edges = [edges[:-1].astype(float)], [edges[1:].astype(float)]
    counted = [near.counts().astype(float)]
    centre = (low_edges[0] + high_edges[0] - 1) / 2
    expected = [seen[0] * seen[1] * np.diff(edges) / total * (1 - centre / total)]
    for level in far.levels:
        inside = ((far.lags + 1) * level.width <= longest) & (far.lags < level.seen)
        lags = far.lags[inside]
        counted.append(level.pairs[inside])
        expected.append(level.expected(lags))
        low_edges.append((lags - 0.5) * level.width)
        high_edges.append((lags + 0.5) * level.width)
    all_pairs = np.concatenate(counted)
    return LagCorrelation(
        low_ns=np.concatenate(low_edges) * tick,
        high_ns=np.concatenate(high_edges) * tick,
        g2=all_pairs / np.concatenate(expected),
        pairs=all_pairs,
    )


class _NearPairs:
    """Pairs counted one by one in bins between whole edges, with the photons of A that are still in reach."""

    def __init__(self, edges: IntArray) -> None:
        self.edges, self.held = edges, np.zeros(0, np.int64)
        least, most = int(edges[0]), int(edges[-1])
        # Cells of equal length over the lags, each with the bin of its least lag.
        self.shift = max(most.bit_length() - 13, 0)
        cells = np.arange((most >> self.shift) + 1) << self.shift
        self.first = np.maximum(np.searchsorted(edges, cells, side="right") - 1, 0)
        self.found = np.zeros(most if self.shift == 0 else len(edges) - 1, dtype=np.int64)
        self.least, self.most = least, most

    def add(self, a: IntArray, b: IntArray, last: int) -> None:
        """New photons of both sides, none later than `last`."""
        from perolux.photons._lag_kernels import every_lag, near_lags

        a = np.concatenate([self.held, a])
        if self.shift == 0:
            every_lag(a, b, self.least, self.found)
        else:
            near_lags(a, b, self.edges, self.first, self.shift, self.found)
        self.held = a[np.searchsorted(a, last - self.most, side="right") :].copy()

    def counts(self) -> IntArray:
        """Pairs in each bin."""
        if self.shift:
            return self.found
        return np.asarray(np.add.reduceat(self.found, self.edges[:-1]))


def _edges(shortest: int, longest: int, per_octave: int) -> IntArray:
    """Whole edges from `shortest` to `longest`, per_octave to a doubling, none twice."""
    octaves = math.log2(longest / shortest)
    found = np.unique(np.rint(shortest * 2.0 ** (np.arange(int(octaves * per_octave) + 1) / per_octave)))
    return np.append(found[found < longest], longest).astype(np.int64)


def sided_chunks(
    stream: PhotonStream, a: Iterable[int], b: Iterable[int], progress: Progress
) -> Iterator[tuple[Photons, npt.NDArray[np.uint8]]]:
    table = np.full(256, 2, dtype=np.uint8)
    table[list(a)], table[list(b)] = 0, 1
    yield from _labelled(stream, table, progress)


def sided_photons(
    stream: PhotonStream, detectors: Sequence[int], progress: Progress
) -> Iterator[tuple[Photons, npt.NDArray[np.uint8]]]:
    """Chunks with the place of each photon's channel among `detectors`, 255 for the other channels."""
    table = np.full(256, 255, dtype=np.uint8)
    table[list(detectors)] = np.arange(len(detectors))
    yield from _labelled(stream, table, progress)


def _labelled(
    stream: PhotonStream, table: npt.NDArray[np.uint8], progress: Progress
) -> Iterator[tuple[Photons, npt.NDArray[np.uint8]]]:
    progress.start("correlating", len(stream))
    try:
        for photons in stream.chunks():
            yield photons, table[photons.channel]
            progress.advance(len(photons))
    finally:
        progress.finish()


def with_reach(
    chunks: Iterator[tuple[Photons, npt.NDArray[np.uint8]]], window_ns: float, stream: PhotonStream
) -> Iterator[tuple[IntArray, FloatArray, npt.NDArray[np.uint8], int]]:
    """Chunks with the photons of the chunk before that are still in reach, and the index of the first new
    one."""
    tick, bin_ns = stream.macro_tick_ns, stream.nanotime_bin_ns
    fine_counts = bin_ns is not None and stream.macro_is_sync
    held: tuple[IntArray, FloatArray, npt.NDArray[np.uint8]] = (
        np.zeros(0, np.int64),
        np.zeros(0),
        np.zeros(0, np.uint8),
    )
    longest_fine = 0.0
    for photons, side in chunks:
        if not len(photons):
            continue
        fine = (
            np.asarray(photons.nanotime, dtype=float) * bin_ns
            if fine_counts and bin_ns is not None
            else np.zeros(len(photons))
        )
        macro = np.concatenate([held[0], photons.macro])
        fine = np.concatenate([held[1], fine])
        both = np.concatenate([held[2], side])
        yield macro, fine, both, len(held[0])
        longest_fine = max(longest_fine, float(fine.max()))
        keep = macro >= macro[-1] - int((window_ns + longest_fine) / tick) - 2
        held = (macro[keep], fine[keep], both[keep])
