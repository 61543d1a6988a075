"""Light scattered by the sample, seen in an absorbance as a lambda^-p + c below the gap."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from perolux.measured.records import FloatArray

__all__ = ["ScatterFit", "fit_scatter"]

EXPONENTS = (1.5, 4.5)
"""Exponents that count as scattering: Rayleigh's 4 down to 2 for aggregates, with room for their error."""
_MIN_SAMPLES = 12
_MIN_RATIO = 1.06
"""Shortest span of the fit, longest over shortest wavelength: less does not tell a power from a line."""
_MAX_EXPONENT_SIGMA = 0.75


@dataclass(frozen=True)
class ScatterFit:
    """A = amplitude (wavelength/reference_nm)^-exponent + offset from low_nm to high_nm, or why not.

    exponent_sigma takes the residuals as independent; drifts of a lamp are not. reason: set where exponent
    is None; offset is then the mean absorbance of the region where there is a region.
    """

    exponent: float | None
    exponent_sigma: float | None
    amplitude: float
    offset: float
    reference_nm: float
    low_nm: float | None
    high_nm: float | None
    reason: str | None = None

    def curve(self, wavelength_nm: FloatArray) -> FloatArray:
        """Scatter and offset at any wavelength; extrapolated outside the region of the fit."""
        if self.exponent is None:
            return np.full_like(wavelength_nm, self.offset, dtype=float)
        return self.amplitude * (wavelength_nm / self.reference_nm) ** -self.exponent + self.offset


def _none(reason: str, offset: float = 0.0, region: FloatArray | None = None) -> ScatterFit:
    low, high = (None, None) if region is None else (float(region[0]), float(region[-1]))
    return ScatterFit(None, None, 0.0, offset, 1.0, low, high, reason)


def fit_scatter(
    wavelength_nm: FloatArray, absorbance: FloatArray, from_nm: float, noise: float = 0.0
) -> ScatterFit:
    """Least squares of A = a lambda^-p + c on the samples at and beyond `from_nm` (below the gap).

    wavelength_nm ascending (n,), absorbance (n,), noise: standard deviation of a sample. a and c follow in
    closed form for each p, so only p is searched. Nothing is raised: the fit says in `reason` why no
    exponent is given (region too short, no rise towards the blue, exponent not determined or not one of
    scattering, which is 1.5 to 4.5).
    """
    below = wavelength_nm >= from_nm
    x, y = wavelength_nm[below], absorbance[below]
    if len(x) < _MIN_SAMPLES or x[-1] < _MIN_RATIO * x[0]:
        return _none("the record ends too soon beyond the edge to fit scattering")
    mean = float(np.mean(y))
    u = x / x[0]
    yc = y - mean
    total = float(yc @ yc)
    if total <= 1e-24 * (1.0 + mean * mean):
        return _none("the absorbance below the gap is flat", mean, x)

    def project(exponents: FloatArray) -> tuple[FloatArray, FloatArray]:
        t = u[None, :] ** -exponents[:, None]
        tc = t - np.mean(t, axis=1, keepdims=True)
        overlap, norm = tc @ yc, np.einsum("ij,ij->i", tc, tc)
        return total - overlap**2 / norm, overlap / norm

    grid = np.linspace(0.25, 12.0, 48)
    for _ in range(4):
        squares, slopes = project(grid)
        best = int(np.argmin(squares))
        step = grid[1] - grid[0]
        lowest = max(0.05, float(grid[best] - step))
        coarse, grid = grid, np.linspace(lowest, float(grid[best] + step), 33)
    exponent, slope = float(coarse[best]), float(slopes[best])
    if slope <= 0:
        return _none("the absorbance below the gap does not rise towards the blue", mean, x)
    freedom = len(x) - 3
    delta = 0.05
    if exponent <= 2.0 * delta:
        return _none("the exponent is not determined by the samples below the gap", mean, x)
    variance = max(float(squares[best]) / freedom, noise**2)
    around, _ = project(np.array([exponent - delta, exponent, exponent + delta]))
    curvature = float(around[0] - 2.0 * around[1] + around[2]) / delta**2
    sigma = math.sqrt(2.0 * variance / curvature) if curvature > 0 else math.inf
    outside = max(EXPONENTS[0] - exponent, exponent - EXPONENTS[1])
    if sigma > _MAX_EXPONENT_SIGMA and not outside > 2.0 * sigma:
        return _none("the exponent is not determined by the samples below the gap", mean, x)
    if outside > 0:
        return _none(
            f"the fitted exponent {exponent:.1f} is not one of scattering "
            f"({EXPONENTS[0]:g} to {EXPONENTS[1]:g}): an absorbing tail or a lamp drift",
            mean,
            x,
        )
    offset = mean - slope * float(np.mean(u**-exponent))
    return ScatterFit(exponent, sigma, slope, offset, float(x[0]), float(x[0]), float(x[-1]))
