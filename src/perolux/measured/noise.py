"""Noise of a spectrum: how it grows with the signal, and how far neighbouring samples share it.

A detector counts photons, so the noise at the top of a band is larger than that of the background; and
software that resamples or smooths leaves noise that neighbouring samples share. Both decide how well a peak
is known, and neither shows in one number for the whole record.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from perolux.measured.records import FloatArray

__all__ = ["INDEPENDENT", "Noise", "correlated_square", "estimate_noise", "mean_factor"]

INDEPENDENT: FloatArray = np.ones(1)
"""Correlation of noise that samples do not share: 1 at lag 0 and nothing beyond."""
_MAD_TO_SIGMA = 1.482602218505602  # 1/Phi^-1(3/4): median absolute deviation of a Gaussian to its sigma
_DIFFERENCE_NORMS = {2: 6.0**0.5, 4: 70.0**0.5, 6: 924.0**0.5}  # root of the sum of squared binomials
_QUIET = 0.02
"""Fraction of the maximum up to which a sample counts as background."""
_MEANS = (2, 3, 4, 5, 7, 9, 12, 16, 21)
"""Numbers of neighbours whose means are tried against independent noise."""
_CHUNKS = {40: 6, 28: 5, 20: 5, 14: 4}
"""Samples of a stretch, and order of the polynomial that takes the smooth structure out of it."""
_GROWTH, _SMOOTH_GROWTH = 1.2, 13.0
"""Second differences over 2 samples against those over 1, as a ratio of squares: 1 in white noise, 2 to 3 in
means over neighbours, 6 and 11 between the points of a linear and a cubic interpolation, 16 in a smooth curve
without noise. Only between these two is a correlation looked for."""
_WIDEST_MEAN = 0.6
"""Widest mean, in widths of the band, that counts as shared noise; wider ones are tails of the band."""
_WHITE_PARTS = (0.01, 0.1, 0.3, 0.7)
"""Parts of independent noise that are tried beside each mean."""
_MOST_WHITE = 0.1
"""With more independent noise than this the slow part is structure of the background, not noise."""
_LIKELIER = 10.0
"""Fall of the deviance (-2 ln likelihood) from which noise counts as shared."""


@dataclass(frozen=True)
class Noise:
    """Variance of a sample = floor^2 + gain * height, and its correlation with its neighbours.

    floor: standard deviation away from the band. gain: variance per unit of height above the baseline (1 for
    photon counts, 0 where the noise does not grow). correlation: by lag in samples, 1 at lag 0.
    """

    floor: float
    gain: float
    correlation: FloatArray

    def sigma(self, height: FloatArray) -> FloatArray:
        """Standard deviation of samples of this height, same shape."""
        result: FloatArray = np.sqrt(self.floor**2 + self.gain * np.maximum(height, 0.0))
        return result


def mean_factor(correlation: FloatArray, length: int) -> float:
    """Standard deviation of a mean of `length` neighbours over that of one sample.

    >>> round(mean_factor(INDEPENDENT, 4), 6)
    0.5
    """
    lag = np.arange(1, min(len(correlation), length))
    total = 1.0 + 2.0 * float(np.sum((1.0 - lag / length) * correlation[lag]))
    return math.sqrt(max(total, 1.0) / length)


def correlated_square(rows: FloatArray, correlation: FloatArray) -> float:
    """Sum over the rows g of g R g, with R the correlation of the samples; shape (k, n) or (n,)."""
    total = float(np.sum(rows * rows))
    white = total
    for lag in range(1, min(len(correlation), rows.shape[-1])):
        total += 2.0 * float(correlation[lag]) * float(np.sum(rows[..., lag:] * rows[..., :-lag]))
    # a correlation cut at some lag is not quite positive definite; sharing noise does not remove it
    return max(total, 1e-3 * white)


def estimate_noise(height: FloatArray, smooth: FloatArray) -> Noise:
    """Noise of a spectrum after its baseline from sample-to-sample differences, beside and in the band.

    height, smooth: samples and their running mean, shape (n,). Differences of second to sixth order are
    blind to smooth structure; the least of them is taken, because structure only adds. Where neighbours
    share noise, the number of neighbours comes from the likelihood of the background and the band.
    """
    i = int(np.argmax(smooth))
    below = smooth < 0.5 * smooth[i]
    low = i - int(np.argmax(below[i::-1])) if np.any(below[: i + 1]) else 0
    high = i + int(np.argmax(below[i:])) if np.any(below[i:]) else len(height) - 1
    margin = 3 * (high - low + 1) // 2
    away = np.ones(len(height), dtype=bool)
    away[max(0, low - margin) : high + margin + 1] = False
    if np.count_nonzero(away) < 16:
        away[:] = True
    floor = _from_differences(height, away)
    band = np.zeros(len(height), dtype=bool)
    band[max(0, low - 1) : high + 2] = True
    inside = _from_differences(height, band)
    level = float(np.mean(height[band]))
    gain = max(0.0, inside**2 - floor**2) / level if level > 0 else 0.0
    neighbours = _neighbours(height, away & (smooth < _QUIET * smooth[i]), height[low : high + 1])
    if neighbours == 1:
        return Noise(floor, gain, INDEPENDENT)
    correlation = 1.0 - np.arange(neighbours) / neighbours
    second = correlation[2] if neighbours > 2 else 0.0
    # second differences of shared noise are smaller than its variance says
    excess = 1.0 / (1.0 - 4.0 / 3.0 * float(correlation[1]) + float(second) / 3.0)
    return Noise(floor * math.sqrt(excess), gain * excess, correlation)


def _from_differences(height: FloatArray, chosen: npt.NDArray[np.bool_]) -> float:
    """Least of the noise levels that differences of three orders imply, from those inside `chosen`."""
    levels = []
    for order, norm in _DIFFERENCE_NORMS.items():
        inside = chosen[order // 2 : len(chosen) - order // 2]
        if np.count_nonzero(inside) >= 5:
            difference = np.diff(height, order)[inside]
            levels.append(_MAD_TO_SIGMA * float(np.median(np.abs(difference))) / norm)
    return min(levels, default=0.0)


def _neighbours(height: FloatArray, quiet: npt.NDArray[np.bool_], band: FloatArray) -> int:
    """Number of neighbours whose mean the noise is like; 1 where samples are independent.

    A mean over m neighbours has the correlation 1 - lag/m. The background and the band are cut into
    stretches; a polynomial takes what is smooth in each, and the restricted likelihoods of what is left are
    compared, each stretch at its own best variance. Background and band must agree.
    """
    ends = np.flatnonzero(np.diff(quiet.astype(np.int8))) + 1
    parts = [height[part] for part in np.split(np.arange(len(quiet)), ends) if quiet[part[0]]]
    seconds = [part[2:] - 2.0 * part[1:-1] + part[:-2] for part in parts if len(part) >= min(_CHUNKS)]
    if not seconds:
        return 1
    one = sum(float(d @ d) for d in seconds)
    # a second difference with stride 2 is the sum of those with stride 1, weighted 1, 2, 1
    wide = sum(float(d @ d) for d in (d[2:] + 2.0 * d[1:-1] + d[:-2] for d in seconds))
    if not _GROWTH * one < wide < _SMOOTH_GROWTH * one:
        return 1
    found = []
    for part in (*parts, band):
        size = next((size for size in _CHUNKS if len(part) >= size), None)
        if size is None:
            continue
        count = min(len(part) // size, 6)
        first = (len(part) - count * size) // 2
        stretches = part[first : first + count * size].reshape(count, size)
        rest, turns, spectra, constants = _restricted(size, _CHUNKS[size])
        left = stretches @ rest
        squares = np.sum(left**2, axis=1)
        left, squares = left[squares > 0], squares[squares > 0]
        independent = left.shape[1] * float(np.sum(np.log(squares)))
        powers = np.einsum("mij,ki->kmj", turns, left) ** 2
        ratios = np.einsum("kmj,mwj->kmw", powers, 1.0 / spectra)
        found.append((part is band, np.sum(left.shape[1] * np.log(ratios) + constants, axis=0) - independent))
    deviances = sum(gain for _, gain in found)
    best, white = np.unravel_index(int(np.argmin(deviances)), deviances.shape)
    # noise is shared everywhere or nowhere: structure of one stretch is not noise
    background = sum(float(gain[best, white]) for in_band, gain in found if not in_band)
    limit = {True: 0.5 * _LIKELIER, False: 0.0}
    against = background > -0.5 * _LIKELIER
    against |= any(gain[best, white] > limit[in_band] for in_band, gain in found)
    if against or deviances[best, white] > -_LIKELIER or _WHITE_PARTS[white] > _MOST_WHITE:
        return 1
    return _MEANS[best] if _MEANS[best] <= _WIDEST_MEAN * len(band) else 1


@lru_cache(maxsize=8)
def _restricted(count: int, order: int) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Basis of what a polynomial leaves of `count` samples, shape (n, f), and there the models of the noise.

    Of each mean in `_MEANS` the eigenvectors, (m, f, f); with each part of white noise the eigenvalues,
    (m, w, f), and the sum of their logarithms, (m, w).
    """
    powers = np.linspace(-1.0, 1.0, count)[:, None] ** np.arange(order + 1)
    rest = np.linalg.qr(powers, mode="complete")[0][:, order + 1 :]
    lags = np.abs(np.subtract.outer(np.arange(count), np.arange(count)))
    found = [np.linalg.eigh(rest.T @ np.maximum(0.0, 1.0 - lags / m) @ rest) for m in _MEANS]
    white = np.asarray(_WHITE_PARTS)[None, :, None]
    spectra = white + (1.0 - white) * np.stack([values for values, _ in found])[:, None, :]
    return rest, np.stack([vectors for _, vectors in found]), spectra, np.sum(np.log(spectra), axis=2)
