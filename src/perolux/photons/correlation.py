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
    sides: Sides | None = None,
    progress: Progress = silent,
) -> LagCorrelation:
    """g2 of A and B over lags t_B - t_A >= 0 from shortest_ns (one tick) to longest_ns (a tenth of the run).

    Lags that hold few pairs are counted exactly. Beyond them photons are binned and multiplied (multiple
    tau): the bins are then 1/per_octave of an octave or narrower, and a lag is the mean over two bins.
    Expected pairs are those of unrelated photons, from the counts of just the stretches that a lag joins.
    """
    from perolux.photons._correlation_kernels import binned, lag_products, short_lags

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
    photons = len(stream)
    # Pairs are enumerated up to the lag that holds some thirty photons; beyond it the bins are full.
    reach = max(64 * per_octave * shortest, int(30 * total / max(photons, 1)))
    reach = 1 << (min(reach, longest).bit_length())
    edges = _edges(shortest, reach, per_octave)
    near = np.zeros(len(edges) - 1, dtype=np.int64)
    width = max(1, reach // (2 * per_octave))
    bins_a = np.zeros(total // width, dtype=np.float32)
    bins_b = np.zeros_like(bins_a)
    seen = [0, 0]
    held = np.zeros(0, np.int64)
    held_side = np.zeros(0, np.uint8)
    for photon, side in sided_chunks(stream, a, b, progress):
        seen[0] += int(np.count_nonzero(side == 0))
        seen[1] += int(np.count_nonzero(side == 1))
        binned(photon.macro, side, 0, width, bins_a, bins_b)
        time = np.concatenate([held, photon.macro])
        both = np.concatenate([held_side, side])
        low = short_lags(time, both, edges, edges[-1], len(held), near)
        held, held_side = time[low:], both[low:]
        recent = held > (time[-1] if len(time) else 0) - edges[-1]
        held, held_side = held[recent], held_side[recent]
    if min(seen) == 0:
        raise OptionError("one detector has no photons: no correlation", where=stream.source.path)
    low_edges, high_edges = [edges[:-1].astype(float)], [edges[1:].astype(float)]
    counted = [near.astype(float)]
    centre = (low_edges[0] + high_edges[0] - 1) / 2
    expected = [seen[0] * seen[1] * np.diff(edges) / total * (1 - centre / total)]
    lags = np.arange(2 * per_octave, 4 * per_octave)
    while lags[0] * width < longest:
        wanted = lags[(lags + 1) * width <= longest]
        if len(wanted) == 0 or len(bins_a) <= wanted[-1]:
            break
        found = np.zeros(len(wanted))
        lag_products(bins_a, bins_b, wanted, found)
        # Means over just those bins that take part at a lag: a drift or an uneven end then does not tilt g2.
        n = len(bins_a)
        heads = np.concatenate([[0.0], np.cumsum(bins_a, dtype=float)])
        tails = np.concatenate([[0.0], np.cumsum(bins_b, dtype=float)])
        counted.append(found)
        expected.append(heads[n - wanted] * (tails[-1] - tails[wanted]) / (n - wanted))
        low_edges.append((wanted - 0.5) * width)
        high_edges.append((wanted + 0.5) * width)
        lags = np.arange(2 * per_octave, 4 * per_octave)
        bins_a, bins_b, width = _halved(bins_a), _halved(bins_b), 2 * width
    all_pairs = np.concatenate(counted)
    return LagCorrelation(
        low_ns=np.concatenate(low_edges) * tick,
        high_ns=np.concatenate(high_edges) * tick,
        g2=all_pairs / np.concatenate(expected),
        pairs=all_pairs,
    )


def _edges(shortest: int, longest: int, per_octave: int) -> IntArray:
    """Whole edges from `shortest` to `longest`, per_octave to a doubling, none twice."""
    octaves = math.log2(longest / shortest)
    found = np.unique(np.rint(shortest * 2.0 ** (np.arange(int(octaves * per_octave) + 1) / per_octave)))
    return np.append(found[found < longest], longest).astype(np.int64)


def _halved(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    even = values[: len(values) // 2 * 2]
    return np.asarray(even[0::2] + even[1::2])


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
