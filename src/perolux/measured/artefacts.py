"""What an instrument does to a spectrum: noise level, flat tops, single-sample spikes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from perolux.measured.records import FloatArray

__all__ = ["cosmic_ray_samples", "is_saturated", "noise_level", "without_samples"]

_MAD_TO_SIGMA = 1.482602218505602  # 1/Phi^-1(3/4): median absolute deviation of a Gaussian to its sigma
_SECOND_DIFFERENCE_NORM = 6.0**0.5  # sqrt(1 + 4 + 1)
_SPIKE_SIGMAS = 12.0
_SPIKE_FRACTION = 0.01
_SPIKE_HALF_WINDOW = 12
_FULL_SCALES = tuple(2.0**bits - 1.0 for bits in (12, 14, 16))


def noise_level(values: FloatArray) -> float:
    """Standard deviation of sample-to-sample noise: median absolute second difference, scaled to sigma.

    Insensitive to smooth structure and to spikes; blind to noise that is correlated over several samples,
    which a spectrum resampled by its instrument software has.
    """
    if len(values) < 5:
        return 0.0
    second = np.diff(values, 2)
    return float(_MAD_TO_SIGMA * np.median(np.abs(second)) / _SECOND_DIFFERENCE_NORM)


def is_saturated(values: FloatArray) -> bool:
    """True where the top is flat: three or more adjacent equal maxima, or two at an integer full scale.

    A top that is flat only because the file is rounded coarsely falls off by one or two of its smallest
    steps; a clipped top falls off by more.
    """
    top = float(np.max(values))
    at_top = np.flatnonzero(values == top)
    if len(at_top) >= 2 and top in _FULL_SCALES:
        return True
    if len(at_top) < 3 or top <= 0:
        return False
    breaks = np.flatnonzero(np.diff(at_top) > 1)
    runs = np.split(at_top, breaks + 1)
    run = max(runs, key=len)
    if len(run) < 3 or len(run) == len(values):
        return False
    steps = np.abs(np.diff(values))
    quantum = float(np.min(steps[steps > 0]))
    drops = [top - float(values[i]) for i in (run[0] - 1, run[-1] + 1) if 0 <= i < len(values)]
    return max(drops) > 3.0 * quantum


def cosmic_ray_samples(values: FloatArray) -> npt.NDArray[np.intp]:
    """Indices of single samples that stand out of their neighbours, as cosmic rays and hot pixels do.

    Each sample is compared with the cubic through its four neighbours. A spike stands above 12 robust sigmas
    of that difference in its surroundings and above 1 % of the largest sample-to-baseline height, and drags
    both neighbours' differences down by about two thirds of its own: a narrow real line does not.
    """
    count = len(values)
    if count < 2 * _SPIKE_HALF_WINDOW:
        return np.empty(0, dtype=np.intp)
    y = values
    difference = np.zeros(count)
    difference[2:-2] = y[2:-2] - (4.0 * (y[1:-3] + y[3:-1]) - y[:-4] - y[4:]) / 6.0
    height = float(np.max(y) - np.median(y))
    candidates = np.flatnonzero(difference > _SPIKE_FRACTION * height)
    candidates = candidates[(candidates > 2) & (candidates < count - 3)]
    found = []
    for i in map(int, candidates):
        if max(difference[i - 1], difference[i + 1]) > -0.5 * difference[i]:
            continue
        around = np.arange(max(2, i - _SPIKE_HALF_WINDOW), min(count - 2, i + _SPIKE_HALF_WINDOW + 1))
        around = around[np.abs(around - i) > 3]
        local = _MAD_TO_SIGMA * float(np.median(np.abs(difference[around])))
        if difference[i] > _SPIKE_SIGMAS * local:
            found.append(i)
    return np.asarray(found, dtype=np.intp)


def without_samples(values: FloatArray, samples: npt.NDArray[np.intp]) -> FloatArray:
    """A copy with the given inner samples replaced by the cubic through their four neighbours."""
    out = values.copy()
    for i in samples:
        out[i] = (4.0 * (values[i - 1] + values[i + 1]) - values[i - 2] - values[i + 2]) / 6.0
    return out
