"""What an instrument does to a spectrum: noise level, flat tops, spikes of one or two samples."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from perolux.errors import InputError
from perolux.measured.noise import estimate_noise
from perolux.measured.peaks import smoothed
from perolux.measured.records import FloatArray

__all__ = ["check_values", "cosmic_ray_samples", "flat_top", "is_saturated", "noise_level", "without_samples"]

_MAD_TO_SIGMA = 1.482602218505602  # 1/Phi^-1(3/4): median absolute deviation of a Gaussian to its sigma
_SECOND_DIFFERENCE_NORM = 6.0**0.5  # sqrt(1 + 4 + 1)
_SPIKE_SIGMAS = 12.0
_SPIKE_FRACTION = 0.01
_SPIKE_HALF_WINDOW = 12
_SPIKE_NOISE = 7.0  # sigmas of the noise at its height, which on a band is more than that of the background
_OUTSIDE = 0.15  # part of a spike of two samples that its neighbours may have: a line of 2 samples has 0.2
_PAIR_BALANCE = 0.2  # part of its larger sample that the smaller one of a spike of two has at least
# cubics through two samples on each side, as weights of the samples from the first to the last
_CUBIC_ONE = np.array([-1.0, 4.0, 0.0, 4.0, -1.0]) / 6.0  # at the middle of 5
_CUBIC_FIRST = np.array([-0.3, 1.0, 0.0, 0.0, 0.5, -0.2])  # at the third of 6, without third and fourth
_CUBIC_BESIDE = np.array([-20.0, 56.0, 0.0, 0.0, 0.0, 0.0, 14.0, -8.0]) / 42.0  # at the third of 8
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


def flat_top(values: FloatArray) -> npt.NDArray[np.bool_]:
    """True at the samples of a top that is cut flat (see `is_saturated`): those that equal the maximum."""
    return (values == np.max(values)) & is_saturated(values)


_SMALLEST, _LARGEST = 1e-30, 1e30
"""Largest absolute value of a record that can be squared and divided without overflow or loss."""


def check_values(values: FloatArray, where: str) -> None:
    """Raise `InputError` where values are not finite, or no detector's: all of them beyond 1e±30."""
    bad = int(np.count_nonzero(~np.isfinite(values)))
    if bad:
        raise InputError(
            f"{bad} of {len(values)} values are not finite numbers",
            where=where,
            fix="remove these samples from the file, or export it again",
        )
    largest = float(np.max(np.abs(values))) if len(values) else 0.0
    if largest > _LARGEST or 0.0 < largest < _SMALLEST:
        raise InputError(
            f"the largest value is {largest:.3g}, which no detector gives",
            where=where,
            allowed=f"a largest value between {_SMALLEST:g} and {_LARGEST:g}",
            fix="rescale the values, or export the file again",
        )


def cosmic_ray_samples(values: FloatArray) -> npt.NDArray[np.intp]:
    """Indices of one or two adjacent samples that stand out of their neighbours, as cosmic rays do.

    Samples are compared with the cubic through two neighbours on each side. A spike stands above 12 robust
    sigmas of that difference in its surroundings, above 7 sigmas of the noise that its height has, and above
    1 % of the largest sample-to-baseline height. A single one drags both neighbours' differences down by
    about two thirds of its own; beside a pair nothing stands out. A narrow real line does neither.
    """
    if len(values) < 2 * _SPIKE_HALF_WINDOW:
        return np.empty(0, dtype=np.intp)
    height = float(np.max(values) - np.median(values))
    single, single_sizes = _single_spikes(values, height)
    first, pair_sizes = _pair_spikes(values, height)
    samples = np.unique(np.concatenate([single, first, first + 1]))
    if not len(samples):
        return samples
    # the noise at this height, from the record without the suspects
    clean = without_samples(values, samples)
    clean = clean - np.median(clean)
    smooth, _ = smoothed(clean)
    sigma = estimate_noise(clean, smooth).sigma(smooth)
    single = single[single_sizes > _SPIKE_NOISE * np.sqrt(1.0 + _CUBIC_ONE @ _CUBIC_ONE) * sigma[single]]
    above = np.maximum(sigma[first], sigma[first + 1]) * np.sqrt(1.0 + _CUBIC_FIRST @ _CUBIC_FIRST)
    first = first[pair_sizes > _SPIKE_NOISE * above]
    return np.unique(np.concatenate([single, first, first + 1]))


def _surroundings(
    difference: FloatArray, chosen: npt.NDArray[np.intp], least: int
) -> npt.NDArray[np.float64]:
    """Robust sigma of `difference` within 12 samples of each chosen one, without the nearest `least`."""
    offsets = np.arange(-_SPIKE_HALF_WINDOW, _SPIKE_HALF_WINDOW + 1)
    offsets = offsets[np.abs(offsets) > least]
    # at the ends of the record the last difference stands for those outside
    around = np.clip(chosen[:, None] + offsets, 0, len(difference) - 1)
    result: FloatArray = _MAD_TO_SIGMA * np.median(np.abs(difference[around]), axis=1)
    return result


def _single_spikes(y: FloatArray, height: float) -> tuple[npt.NDArray[np.intp], FloatArray]:
    difference = np.zeros(len(y))
    difference[2:-2] = y[2:-2] - np.convolve(y, _CUBIC_ONE, "valid")
    beside = np.maximum(difference[:-2], difference[2:])
    found = np.flatnonzero(
        (difference[1:-1] > _SPIKE_FRACTION * height) & (beside <= -0.5 * difference[1:-1])
    ) + 1  # fmt: skip
    found = found[(found > 2) & (found < len(y) - 3)]
    if len(found):
        # the last two differences at each end are not known
        inner = _surroundings(difference[2:-2], found - 2, 3)
        found = found[difference[found] > _SPIKE_SIGMAS * inner]
    return found, difference[found]


def _pair_spikes(y: FloatArray, height: float) -> tuple[npt.NDArray[np.intp], FloatArray]:
    """First samples of spikes of two, and how far the larger one stands out."""
    count = len(y)
    # first[i], second[i]: excess of samples i and i + 1, if these two are the spike
    first, second = np.zeros(count), np.zeros(count)
    first[2:-3] = y[2:-3] - np.correlate(y, _CUBIC_FIRST, "valid")
    second[2:-3] = y[3:-2] - np.correlate(y, _CUBIC_FIRST[::-1], "valid")
    larger, smaller = np.maximum(first, second), np.minimum(first, second)
    before, after = np.full(count, np.inf), np.full(count, np.inf)
    before[3:-4] = y[2:-5] - np.correlate(y, _CUBIC_BESIDE, "valid")
    after[3:-4] = y[5:-2] - np.correlate(y, _CUBIC_BESIDE[::-1], "valid")
    beside = np.maximum(np.abs(before), np.abs(after))
    found = np.flatnonzero(
        (larger > _SPIKE_FRACTION * height) & (smaller > _PAIR_BALANCE * larger) & np.isfinite(beside)
    )
    if not len(found):
        return found, larger[found]
    local = _surroundings(first[2:-3], found - 2, 5)
    stands_out = larger[found] > _SPIKE_SIGMAS * local
    alone = beside[found] < np.maximum(_OUTSIDE * larger[found], 4.0 * local)
    found = found[stands_out & alone]
    return found, larger[found]


def without_samples(values: FloatArray, samples: npt.NDArray[np.intp]) -> FloatArray:
    """A copy with the given inner samples replaced by the cubic through two neighbours on each side.

    Adjacent samples are replaced together. samples: ascending; at least two samples lie outside of each run.
    """
    out = values.copy()
    if not len(samples):
        return out
    for run in np.split(samples, np.flatnonzero(np.diff(samples) > 1) + 1):
        low, high = int(run[0]), int(run[-1])
        nodes = np.array([low - 2, low - 1, high + 1, high + 2])
        places = np.arange(low, high + 1)
        out[low : high + 1] = 0.0
        for node in nodes:
            others = nodes[nodes != node]
            weight = np.prod((places[:, None] - others) / (node - others), axis=1)
            out[low : high + 1] += weight * values[node]
    return out
