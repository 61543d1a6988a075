"""Intensity correlation of a blinking record, from a microsecond or a millisecond to a tenth of the record.

    G(tau) = <I(t) I(t + tau)>/(<I(t)> <I(t + tau)>)

G - 1 is the relative variance of the intensity that lasts for tau: between two states it falls as
exp(-(1/t_on + 1/t_off) tau) for exponential dwells, and nearly as a power of tau for power laws. From a
millisecond on counts are binned and multiplied (multiple tau), with two detectors each against the other,
so that afterpulses and dead time of either do not count. Shorter lags are pairs of photons
(`correlation.log_lags`); one detector alone has none, since its afterpulses stand there. Means are those of
just the bins that a lag joins. Errors: ten blocks of the record left out one by one; below a millisecond,
where the blinking is the same, that of the first millisecond together with the counting error.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError
from perolux.measured.photon_stream import PhotonStream
from perolux.photons.correlation import Sides, log_lags
from perolux.progress import Progress, silent

__all__ = ["IntensityCorrelation", "binned_correlation", "intensity_correlation"]

FloatArray = npt.NDArray[np.float64]
_BLOCKS = 10
_PER_OCTAVE = 8
_MOST_BINS = 1 << 22
_FIRST_S, _SHORTEST_S = 1e-3, 1e-6
_AFTER_S = 1e-5


@dataclass(frozen=True)
class IntensityCorrelation:
    """G over lags that grow geometrically. lag_s, value, sigma: (n,); two_detectors: whether it is of one
    against the other; after_share, after_sigma: counts that the same detector follows within 10 us, over
    those within the next 10 us; notes: what to beware of."""

    lag_s: FloatArray
    value: FloatArray
    sigma: FloatArray
    two_detectors: bool
    after_share: float | None
    after_sigma: float | None
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "lag_s": self.lag_s.tolist(),
            "value": self.value.tolist(),
            "sigma": self.sigma.tolist(),
            "of": "one detector against the other" if self.two_detectors else "all photons with themselves",
            "blocks": _BLOCKS,
            "follow_within_10us": self.after_share,
            "follow_sigma": self.after_sigma,
            "reason": None,
        }


def intensity_correlation(
    stream: PhotonStream,
    *,
    sides: Sides | None = None,
    channels: Sequence[int] | None = None,
    progress: Progress = silent,
) -> IntensityCorrelation:
    """G of a record up to a tenth of its length, with errors.

    sides: channels of two detectors, for lags from a microsecond on. Without: all photons (of `channels`)
    with themselves, from a millisecond on. Raises `OptionError` for a record that is shorter than 0.08 s.
    """
    bins = int(min(stream.duration_s / _FIRST_S * _PER_OCTAVE, _MOST_BINS))
    if stream.duration_s < 80 * _FIRST_S:
        raise OptionError(
            f"a record of {stream.duration_s:.3g} s is too short for lags from a millisecond on"
        )
    width = stream.duration_s / bins
    counts = np.zeros((2, bins), dtype=np.float32)
    after, later = 0, 0
    kept_sides = sides if sides is not None else (tuple(channels or stream.channels),)
    progress.start("binning photons", len(stream))
    for photons in stream.chunks():
        place = (photons.macro * (stream.macro_tick_ns * 1e-9 / width)).astype(np.int64)
        for k, side in enumerate(kept_sides):
            mine = np.isin(photons.channel, side)
            counts[k] += np.bincount(np.minimum(place[mine], bins - 1), minlength=bins)
            # Each detector on its own: photons of two channels of one side do not bring each other.
            for channel in side:
                time = photons.macro[photons.channel == channel]
                near, far = _followers(time, max(round(_AFTER_S * 1e9 / stream.macro_tick_ns), 1))
                after, later = after + near, later + far
        progress.advance(len(photons))
    progress.finish()
    total = counts.sum(axis=1)
    if not np.all(total[: len(kept_sides)] > 0):
        raise OptionError("a detector has no photons: no correlation")
    a = counts[0]
    lag, value, sigma = binned_correlation(a, a if sides is None else counts[1], width)
    if sides is not None:
        short = log_lags(
            stream, shortest_ns=_SHORTEST_S * 1e9, longest_ns=_FIRST_S * 1e9, sides=sides, progress=progress
        )
        at = np.sqrt(short.low_ns * short.high_ns) * 1e-9
        use = (at < lag[0]) & (short.pairs > 0)
        own = short.g2[use] / np.sqrt(short.pairs[use])
        lag, value = np.concatenate([at[use], lag]), np.concatenate([short.g2[use], value])
        sigma = np.concatenate([np.hypot(own, sigma[0]), sigma])
    share = (after - later) / float(total.sum())
    error = math.sqrt(max(after + later, 1)) / float(total.sum())
    notes: tuple[str, ...] = ()
    if share > max(3 * error, 1e-3):
        notes = (
            f"{100 * share:.2g} % of the counts are followed by one more of the same detector within 10 us: "
            "afterpulses, or light that comes in bunches; "
            + (
                "the intensity correlation is of one detector against the other and free of afterpulses"
                if sides is not None
                else "the intensity correlation of one detector begins at 1 ms for that reason"
            ),
        )
    return IntensityCorrelation(lag, value, sigma, sides is not None, share, error, notes)


def binned_correlation(
    a: npt.NDArray[np.float32], b: npt.NDArray[np.float32], width_s: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Lags from 8 bins to a tenth of the record, G, and its error from ten blocks left out one by one.

    a, b: (n,) counts in bins of width_s, the same array twice for a correlation with itself.
    """
    longest = len(a) * width_s / 10
    lags_s: list[float] = []
    values: list[float] = []
    errors: list[float] = []
    lags = np.arange(_PER_OCTAVE, 2 * _PER_OCTAVE)
    while lags[0] * width_s <= longest:
        for lag in lags[lags * width_s <= longest]:
            g, sigma = _one_lag(a, b, int(lag))
            lags_s.append(float(lag * width_s))
            values.append(g)
            errors.append(sigma)
        even = len(a) // 2 * 2
        same = a is b
        a = a[:even:2] + a[1:even:2]
        b = a if same else b[:even:2] + b[1:even:2]
        width_s *= 2
    return np.array(lags_s), np.array(values), np.array(errors)


def _one_lag(a: npt.NDArray[np.float32], b: npt.NDArray[np.float32], lag: int) -> tuple[float, float]:
    """G at one lag, both ways for two detectors, and its error."""
    n = len(a) - lag
    start = (np.arange(_BLOCKS) * n) // _BLOCKS
    size = np.diff(np.append(start, n)).astype(float)
    ways = [(a, b)] if a is b else [(a, b), (b, a)]
    sums = np.zeros((3, _BLOCKS))
    value, without = 0.0, np.zeros(_BLOCKS)
    for x, y in ways:
        head, tail = x[:n], y[lag:]
        sums = np.array([np.add.reduceat(v, start, dtype=float) for v in (head * tail, head, tail)])
        whole = sums.sum(axis=1)
        left = whole[:, None] - sums
        value += n * whole[0] / (whole[1] * whole[2]) / len(ways)
        without += (n - size) * left[0] / (left[1] * left[2]) / len(ways)
    spread = without - without.mean()
    return float(value), math.sqrt((_BLOCKS - 1) / _BLOCKS * float(spread @ spread))


def _followers(time: npt.NDArray[np.int64], reach: int) -> tuple[int, int]:
    """Pairs of one detector's photons up to `reach` ticks apart (not in one tick), and up to twice that."""
    here = np.searchsorted(time, time, side="right")
    near = np.searchsorted(time, time + reach, side="right")
    far = np.searchsorted(time, time + 2 * reach, side="right")
    return int((near - here).sum()), int((far - near).sum())
