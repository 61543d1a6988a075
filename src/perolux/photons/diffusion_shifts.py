"""What the path of a line shows without a model: squared shifts, their distribution, width against exposure.

    shift(m) = mean of (y_k+m - y_k)^2 - r_k+m^2 - r_k^2            noise of the centres taken off

Squared shifts that share frames are not independent: for normal differences d of covariance C_d

    var(mean d^2) = (2/N^2) sum_ij C_d(i, j)^2

with C_d from a law fitted to the series, and the errors of the centres in it. With steps all whole periods
the sum goes over the distance of the pairs alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.photons.diffusion_laws import (
    Observed,
    inside_variance,
    mean_covariance,
    mean_variance,
)
from perolux.photons.line_path import LinePath, fit_line_path
from perolux.photons.line_profile import LineModel

__all__ = [
    "ExposureWidths",
    "JumpKernel",
    "Shifts",
    "jump_kernels",
    "squared_shifts",
    "width_against_exposure",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
_FEWEST_PAIRS = 8
_FEWEST_SUMS = 6
_KERNEL_BINS = (9, 41)


@dataclass(frozen=True, eq=False)
class Shifts:
    """Mean squared shift of the line against lag: lag_s, shift_ev2 (noise taken off, may be negative),
    sigma_ev2, noise_ev2 (what was taken off), pairs, independent (pairs that would say as much), all (k,)."""

    lag_s: FloatArray
    shift_ev2: FloatArray
    sigma_ev2: FloatArray
    noise_ev2: FloatArray
    pairs: IntArray
    independent: FloatArray


@dataclass(frozen=True, eq=False)
class JumpKernel:
    """Shifts at one lag: edges_ev (b + 1,), counts (b,); deviation_ev, noise taken off, None where the
    noise is all; excess: kurtosis less 3, of the shifts over their deviation, and its error."""

    lag_s: float
    edges_ev: FloatArray
    counts: IntArray
    deviation_ev: float | None
    noise_ev: float
    excess: float
    excess_sigma: float


@dataclass(frozen=True, eq=False)
class ExposureWidths:
    """Width of the line in sums of frames. exposure_s: (k,), from the start of the first frame to the end of
    the last; extra_ev2, sigma_ev2: variance that summing added, of the fit to the summed spectra; path_ev2:
    the same from the centres; expected_ev2: of the law; fwhm_ev: Voigt width of the sums without the
    instrument; sums: how many."""

    exposure_s: FloatArray
    extra_ev2: FloatArray
    sigma_ev2: FloatArray
    path_ev2: FloatArray
    expected_ev2: FloatArray
    fwhm_ev: FloatArray
    sums: IntArray


def _pairs(observed: Observed, period_s: float, lag: int) -> tuple[IntArray, IntArray, IntArray]:
    """Positions of the frames of each pair, and the index of the earlier on the grid of periods."""
    index = np.round((observed.start_s - observed.start_s[0]) / period_s).astype(np.int64)
    place = np.full(int(index[-1]) + 1, -1, dtype=np.int64)
    place[index] = np.arange(len(index))
    first = np.flatnonzero((place[:-lag] >= 0) & (place[lag:] >= 0)) if lag < len(place) else index[:0]
    return place[first], place[first + lag], first.astype(np.int64)


def _lags(observed: Observed, period_s: float) -> list[int]:
    span = round(float(observed.start_s[-1] - observed.start_s[0]) / period_s)
    most = max(span // 4, 1)
    return sorted({round(x) for x in np.geomspace(1, most, 24)})


def squared_shifts(
    observed: Observed,
    period_s: float,
    *,
    wander: tuple[float, float] | None = None,
    walk: float | None = None,
) -> Shifts:
    """Mean squared shifts at about 24 lags up to a quarter of the record, frames whole periods apart.

    wander, walk: the law whose covariance gives the errors, as in `diffusion_laws.log_likelihood`. Lags with
    fewer than 8 pairs are left out.
    """
    rows = []
    for lag in _lags(observed, period_s):
        early, late, first = _pairs(observed, period_s, lag)
        n = len(early)
        if n < _FEWEST_PAIRS:
            continue
        r2 = observed.sigma_ev**2
        square = (observed.centre_ev[late] - observed.centre_ev[early]) ** 2
        noise = float(np.mean(r2[late] + r2[early]))
        variance = _variance(observed, period_s, lag, first, float(np.mean(r2)), wander, walk)
        alone = 2 * (float(np.mean(square))) ** 2 / n
        mean = float(np.mean(square))
        rows.append(
            (lag * period_s, mean - noise, math.sqrt(variance), noise, n, min(n, n * alone / variance))
        )
    table = np.array(rows, dtype=float).reshape(-1, 6)
    return Shifts(
        table[:, 0], table[:, 1], table[:, 2], table[:, 3], table[:, 4].astype(np.int64), table[:, 5]
    )


def _shift_of_means(
    lag_s: npt.ArrayLike, exposure_s: float, wander: tuple[float, float] | None, walk: float | None
) -> FloatArray:
    """Mean squared difference of two exposures, 0 at lag 0."""
    lag = np.abs(np.asarray(lag_s, dtype=float))
    if wander is not None:
        same = float(mean_variance(wander[0], wander[1], exposure_s))
        apart = mean_covariance(wander[0], wander[1], exposure_s, np.maximum(lag, exposure_s))
        return np.where(lag == 0, 0.0, 2 * (same - apart))
    return np.where(lag == 0, 0.0, 2 * (walk or 0.0) * np.maximum(lag - exposure_s / 3, 0.0))


def _variance(
    observed: Observed,
    period_s: float,
    lag: int,
    first: IntArray,
    r2: float,
    wander: tuple[float, float] | None,
    walk: float | None,
) -> float:
    """(2/N^2) sum over pairs of pairs of the squared covariance of their differences."""
    n = len(first)
    there = np.zeros(int(first[-1] - first[0]) + 1)
    there[first - first[0]] = 1.0
    # how many pairs of pairs lie each distance apart
    size = 1 << (2 * len(there) - 1).bit_length()
    spectrum = np.fft.rfft(there, size)
    often = np.round(np.fft.irfft(np.abs(spectrum) ** 2, size)[: len(there)])
    k = np.arange(len(there))
    # 2 cov(y_a+m - y_a, y_b+m - y_b) = V(k + m) + V(k - m) - 2 V(k), V the squared shift
    both, exposure = np.asarray(k * period_s, dtype=float), observed.exposure_s
    covariance = 0.5 * (
        _shift_of_means(both + lag * period_s, exposure, wander, walk)
        + _shift_of_means(both - lag * period_s, exposure, wander, walk)
        - 2 * _shift_of_means(both, exposure, wander, walk)
    )
    covariance = covariance + r2 * (2.0 * (k == 0) - 1.0 * (k == lag))
    often[1:] *= 2
    return float(2 * np.sum(often * covariance**2) / n**2)


def jump_kernels(observed: Observed, period_s: float, shifts: Shifts, most: int = 4) -> list[JumpKernel]:
    """Distributions of the shifts at up to `most` lags, from one period to the longest in even ratios."""
    if not len(shifts.lag_s):
        return []
    chosen = sorted({round(x) for x in np.linspace(0, len(shifts.lag_s) - 1, most)})
    found = []
    for at in chosen:
        lag = round(float(shifts.lag_s[at]) / period_s)
        early, late, _ = _pairs(observed, period_s, lag)
        shift = observed.centre_ev[late] - observed.centre_ev[early]
        reach = float(np.max(np.abs(shift))) * 1.0001 or 1e-12
        bins = int(np.clip(math.sqrt(len(shift)), *_KERNEL_BINS)) // 2 * 2 + 1
        counts, edges = np.histogram(shift, bins=bins, range=(-reach, reach))
        square = float(np.mean(shift**2))
        excess = float(np.mean(shift**4)) / square**2 - 3
        net = float(shifts.shift_ev2[at])
        found.append(
            JumpKernel(
                lag * period_s, edges, counts.astype(np.int64), math.sqrt(net) if net > 0 else None,
                math.sqrt(float(shifts.noise_ev2[at])), excess,
                math.sqrt(24 / max(float(shifts.independent[at]), 1.0)),
            )
        )  # fmt: skip
    return found


def width_against_exposure(
    path: LinePath, *, wander: tuple[float, float] | None = None, walk: float | None = None
) -> ExposureWidths | None:
    """Sums of 2, 4, 8 ... frames: the variance that moving adds to the line, three ways.

    Fit: a Gaussian part shared by all sums, beside the widths of a single frame. Path: variance of the
    centres within a sum, errors taken off. Law: what an exposure of that length holds more than a frame.
    The error has counting and the scatter from sum to sum. None where six sums of two cannot be had.
    """
    series, ok = path.series, path.ok
    if not path.shared or not series.regular or path.model.wing:
        return None
    period = series.period_s
    index = np.round((series.start_s - series.start_s[0]) / period).astype(np.int64)
    rows = []
    several = 2
    while (int(index[-1]) + 1) // several >= _FEWEST_SUMS:
        block = index // several
        whole = np.bincount(block[ok], minlength=int(block[-1]) + 1) == several
        keep = np.flatnonzero(whole)
        several *= 2
        if len(keep) < _FEWEST_SUMS:
            continue
        row = _one_exposure(path, block, keep, several // 2, wander, walk)
        if row is not None:
            rows.append(row)
    if not rows:
        return None
    table = np.array(rows, dtype=float)
    return ExposureWidths(
        table[:, 0], table[:, 1], table[:, 2], table[:, 3], table[:, 4], table[:, 5],
        table[:, 6].astype(np.int64),
    )  # fmt: skip


def _one_exposure(
    path: LinePath,
    block: IntArray,
    keep: IntArray,
    several: int,
    wander: tuple[float, float] | None,
    walk: float | None,
) -> tuple[float, ...] | None:
    from dataclasses import replace

    from perolux.errors import PeroluxError

    series = path.series
    rows = [np.flatnonzero(block == b) for b in keep]
    summed = replace(
        series,
        counts=np.array([series.counts[r].sum(axis=0) for r in rows]),
        start_s=series.start_s[[r[0] for r in rows]],
        noise=replace(series.noise, read_counts=math.sqrt(several) * series.noise.read_counts, said="given"),
    )
    inside, light = [], []
    for r in rows:
        w = path.area_counts[r] / path.area_counts[r].sum()
        mean = float(w @ path.centre_ev[r])
        found = float(w @ (path.centre_ev[r] - mean) ** 2)
        inside.append(found - float(np.sum(w * (1 - w) * path.centre_sigma_ev[r] ** 2)))
        light.append(float(path.area_counts[r].sum()))
    path_mean = float(np.average(inside, weights=light))
    scatter = float(np.std(inside, ddof=1)) / math.sqrt(len(inside))
    assert path.widths is not None
    model = _frozen(path)
    try:
        fit = fit_line_path(summed, model)
    except PeroluxError:
        return None
    assert fit.widths is not None
    sigma, _ = fit.widths["sigma_ev"]
    extra = sigma**2
    counting = fit.gaussian_variance_sigma_ev2 or 0.0
    length = (several - 1) * series.period_s + series.exposure_s
    expected = math.nan
    if wander is not None:
        frame = float(inside_variance(wander[0], wander[1], series.exposure_s))
        expected = float(_frames_inside(several, series.period_s, series.exposure_s, wander, None))
        assert frame >= 0
    elif walk is not None:
        expected = float(_frames_inside(several, series.period_s, series.exposure_s, None, walk))
    from perolux.photons.line_profile import voigt_fwhm
    from perolux.quantities.constants import FWHM_PER_SIGMA

    lorentz = 2 * path.widths.get("gamma_ev", (0.0, None))[0]
    gauss = FWHM_PER_SIGMA * math.sqrt(path.widths.get("sigma_ev", (0.0, None))[0] ** 2 + extra)
    return (
        length, extra, math.hypot(counting, scatter), path_mean, expected,
        float(voigt_fwhm(gauss, lorentz)), float(len(keep)),
    )  # fmt: skip


def _frames_inside(
    several: int,
    period_s: float,
    exposure_s: float,
    wander: tuple[float, float] | None,
    walk: float | None,
) -> float:
    """Mean variance of the centres of `several` frames about their mean: half the mean squared difference."""
    k = np.arange(1, several)
    shift = _shift_of_means(k * period_s, exposure_s, wander, walk)
    return float(np.sum((several - k) * shift)) / several**2


def _frozen(path: LinePath) -> LineModel:
    """A Gaussian beside the widths of a single frame, which go into the instrument function."""
    from dataclasses import replace

    assert path.widths is not None
    gamma = path.widths.get("gamma_ev", (0.0, None))[0]
    sigma = path.widths.get("sigma_ev", (0.0, None))[0]
    instrument = path.model.instrument
    return LineModel(
        "gaussian",
        replace(
            instrument,
            sigma_ev=tuple(math.hypot(s, sigma) for s in instrument.sigma_ev),
            gamma_ev=tuple(g + gamma for g in instrument.gamma_ev),
        ),
    )
