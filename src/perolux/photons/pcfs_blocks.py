"""Errors of a PCFS fit from the record itself: the time of each stage position cut into blocks.

Pairs that share a photon are not independent, and a centre that wanders is seen only so many times: both make
counts of neighbouring lags scatter together, which no error of a single count tells. Leaving out one block
after the other of all positions (jackknife) gives

    sigma^2 = (B - 1)/B sum_j (x_j - mean x)^2

for ln T2, the spread and ln of its time, with Student's t of B - 1 degrees of freedom. Blocks must be long
against the lags and against what wanders.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError, PeroluxError
from perolux.measured.photon_stream import PhotonStream
from perolux.photons.correlation import Sides, two_sides
from perolux.photons.pcfs import PcfsFit, PcfsRecord, fit_pcfs
from perolux.progress import Progress, silent, track

__all__ = ["BLOCKS", "PcfsBlocks", "count_blocks", "with_blocks"]

FloatArray = npt.NDArray[np.float64]
Ends = tuple[float | None, float | None]
BLOCKS = 20
_FEWEST, _LEAST_LAGS, _LEAST_FRINGES = 6, 20.0, 2.0


@dataclass(frozen=True)
class PcfsBlocks:
    """Counts of each block of time. pairs: (B, m, k); photons: (B, m, 2) of both sides; seconds: (m,) of a
    block."""

    delay_ps: FloatArray
    lag_edges_s: FloatArray
    pairs: FloatArray
    photons: FloatArray
    seconds: FloatArray
    fringes_per_s: float | None

    def __len__(self) -> int:
        return len(self.pairs)

    def without(self, block: int) -> PcfsRecord:
        """The record of all blocks but one; pairs across the borders are missing, in it and in what is
        expected. Rates are those of the whole rest: within a block the dither may favour one side."""
        rest = np.delete(np.arange(len(self)), block)
        lag, width = 0.5 * (self.lag_edges_s[1:] + self.lag_edges_s[:-1]), np.diff(self.lag_edges_s)
        both = self.photons[rest].sum(axis=0).prod(axis=1)
        time = self.seconds * len(rest)
        expected = 2 * both[:, None] * width / time[:, None] * (1 - lag / self.seconds[:, None])
        return PcfsRecord(
            self.delay_ps, self.lag_edges_s, self.pairs[rest].sum(axis=0), expected, self.fringes_per_s
        )


def count_blocks(
    streams: Sequence[PhotonStream],
    delay_ps: npt.ArrayLike,
    lag_edges_s: npt.ArrayLike,
    *,
    blocks: int = BLOCKS,
    fringes_per_s: float | None = None,
    sides: Sides | None = None,
    progress: Progress = silent,
) -> PcfsBlocks | None:
    """Pairs within each block of time of each stage position.

    Fewer blocks where one would be shorter than 20 of the longest lag or than two fringes of the dither (a
    part of a fringe has its own mean); None below 6.
    """
    from perolux.photons._correlation_kernels import short_lags

    delay, edges = np.asarray(delay_ps, dtype=float), np.asarray(lag_edges_s, dtype=float)
    if len(streams) != len(delay) or not len(delay):
        raise OptionError(f"{len(streams)} streams for {len(delay)} positions", allowed="one each")
    shortest = min(one.duration_s for one in streams)
    count = min(blocks, int(shortest / (_LEAST_LAGS * float(edges[-1]))))
    if fringes_per_s is not None:
        count = min(count, int(shortest * fringes_per_s / _LEAST_FRINGES * (1 + 1e-9)))
    if count < _FEWEST:
        return None
    pairs = np.zeros((count, len(delay), len(edges) - 1))
    counted = np.zeros((count, len(delay), 2))
    for m, stream in enumerate(track(streams, "pairs of blocks of time", len(streams), progress)):
        of_a, of_b = two_sides(stream, sides)
        ticks = np.round(edges * 1e9 / stream.macro_tick_ns).astype(np.int64)
        photons = stream.load()
        photons = photons.only(np.isin(photons.channel, (*of_a, *of_b)))
        first = np.isin(photons.channel, of_b).astype(np.uint8)
        step = stream.duration_s / count * 1e9 / stream.macro_tick_ns
        begin = min(int(photons.macro[0]), int(photons.macro[-1] - step * count)) if len(first) else 0
        borders = np.searchsorted(photons.macro, max(begin, 0) + np.arange(1, count) * step)
        parts = zip(np.split(photons.macro, borders), np.split(first, borders), strict=True)
        for j, (macro, side) in enumerate(parts):
            found = np.zeros(len(ticks) - 1, dtype=np.int64)
            for one in (side, (1 - side).astype(np.uint8)):
                short_lags(macro, one, ticks, int(ticks[-1]), 0, found)
            pairs[j, m] = found
            counted[j, m] = len(side) - int(side.sum()), int(side.sum())
    seconds = np.array([one.duration_s / count for one in streams])
    found_all = PcfsBlocks(delay, edges, pairs, counted, seconds, fringes_per_s)
    empty = any(np.any(np.delete(counted, j, axis=0).sum(axis=0) == 0) for j in range(count))
    return None if empty else found_all


def with_blocks(
    fit: PcfsFit,
    blocks: PcfsBlocks | None,
    *,
    contrast: float = 1.0,
    diffusion: bool = True,
    offsets_rad_per_ps: Sequence[float] = (0.0,),
    weights: Sequence[float] = (1.0,),
    progress: Progress = silent,
) -> PcfsFit:
    """The fit with intervals that hold the jackknife over blocks too: each end is the wider of the two.

    An end that is open stays open. Unchanged without blocks.
    """
    from scipy.special import stdtrit

    if blocks is None:
        return fit
    found = []
    for j in track(range(len(blocks)), "blocks left out", len(blocks), progress):
        try:
            again = fit_pcfs(
                blocks.without(j), contrast=contrast, diffusion=diffusion,
                offsets_rad_per_ps=offsets_rad_per_ps, weights=weights, level=fit.level, like=fit,
            )  # fmt: skip
        except PeroluxError:
            continue
        found.append((math.log(again.t2_ps), again.diffusion_rad_per_ps, again.diffusion_time_s))
    n = len(found)
    if n < _FEWEST:
        return replace(fit, warnings=(*fit.warnings, "blocks of time were too short to tell the errors"))
    wide = float(stdtrit(n - 1, 0.5 + fit.level / 2)) * math.sqrt((n - 1) ** 2 / n)
    ln_t2 = wide * float(np.std([one[0] for one in found], ddof=1))
    sd = wide * float(np.std([one[1] for one in found], ddof=1))
    times = [math.log(one[2]) for one in found if one[2] is not None]
    t2 = _wider(fit.t2_interval_ps, fit.t2_ps * math.exp(-ln_t2), fit.t2_ps * math.exp(ln_t2))
    spread, long = fit.diffusion_interval, fit.diffusion_time_interval_s
    if diffusion:
        spread = _wider(spread, max(fit.diffusion_rad_per_ps - sd, 0.0), fit.diffusion_rad_per_ps + sd)
    if fit.diffusion_time_s is not None and len(times) == n:
        ln_time = wide * float(np.std(times, ddof=1))
        long = _wider(
            long, fit.diffusion_time_s * math.exp(-ln_time), fit.diffusion_time_s * math.exp(ln_time)
        )
    return replace(fit, t2_interval_ps=t2, diffusion_interval=spread, diffusion_time_interval_s=long)


def _wider(ends: Ends, low: float, high: float) -> Ends:
    return (
        None if ends[0] is None else min(ends[0], low),
        None if ends[1] is None else max(ends[1], high),
    )
