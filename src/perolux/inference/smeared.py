"""Densities of sums of uniform and Gaussian variables, in closed form, without importing scipy."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import numpy.typing as npt

__all__ = ["gaussian", "normal_cdf", "smeared_box"]

FloatArray = npt.NDArray[np.float64]


def gaussian(x: npt.ArrayLike, sigma: float) -> FloatArray:
    """Normal density of mean 0."""
    z = np.asarray(x, dtype=float) / sigma
    return np.exp(-0.5 * z * z) / (sigma * math.sqrt(2.0 * math.pi))


def smeared_box(
    x: npt.ArrayLike, low_1: float, high_1: float, low_2: npt.ArrayLike, high_2: npt.ArrayLike, sigma: float
) -> FloatArray:
    """Density at x of U(low_1, high_1) + U(low_2, high_2) + N(0, sigma^2).

    With G(z) = z Phi(z) + phi(z), the second integral of the normal density, it is
    sigma [G(a) - G(b) - G(c) + G(d)]/(w_1 w_2), a..d the distances to the four corners over sigma. A box
    narrower than sigma/100 is treated as a point with its mean (relative error below 1e-5).
    """
    at = np.asarray(x, dtype=float)
    low_2, high_2 = np.broadcast_arrays(np.asarray(low_2, dtype=float), np.asarray(high_2, dtype=float))
    narrow_1 = high_1 - low_1 < 0.01 * sigma
    narrow_2 = bool(np.all(high_2 - low_2 < 0.01 * sigma))
    if narrow_1 and narrow_2:
        return gaussian(at - (low_1 + high_1) / 2 - (low_2 + high_2) / 2, sigma)
    if narrow_1:
        shifted = at - (low_1 + high_1) / 2
        return (_phi(shifted - low_2, sigma) - _phi(shifted - high_2, sigma)) / (high_2 - low_2)
    if narrow_2:
        shifted = at - (low_2 + high_2) / 2
        return (_phi(shifted - low_1, sigma) - _phi(shifted - high_1, sigma)) / (high_1 - low_1)
    width_2 = np.maximum(high_2 - low_2, 0.01 * sigma)
    # The density is symmetric; on the rising side the four terms do not cancel one another in the tail.
    middle = (low_1 + high_1) / 2 + low_2 + width_2 / 2
    at = middle - np.abs(at - middle)
    total = (
        _ramp((at - low_1 - low_2) / sigma)
        - _ramp((at - high_1 - low_2) / sigma)
        - _ramp((at - low_1 - low_2 - width_2) / sigma)
        + _ramp((at - high_1 - low_2 - width_2) / sigma)
    )
    return np.maximum(sigma * total / ((high_1 - low_1) * width_2), 0.0)


_REACH = 9.0
"""Beyond nine sigma the normal tail is below 1e-18 and the integrals take their asymptotic form."""


@cache
def _tables() -> tuple[FloatArray, FloatArray, FloatArray]:
    z = np.linspace(-_REACH, _REACH, 7201)
    phi = np.array([0.5 * math.erfc(-v / math.sqrt(2.0)) for v in z])
    return z, phi, z * phi + np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)


def normal_cdf(z: npt.ArrayLike) -> FloatArray:
    """Distribution function of the standard normal; within 1e-7, exactly 0 and 1 beyond nine sigma."""
    grid, phi, _ = _tables()
    return np.interp(np.asarray(z, dtype=float), grid, phi, left=0.0, right=1.0)


def _phi(x: FloatArray, sigma: float) -> FloatArray:
    return normal_cdf(x / sigma)


def _ramp(z: FloatArray) -> FloatArray:
    grid, _, ramp = _tables()
    return np.where(z > _REACH, z, np.interp(z, grid, ramp, left=0.0))
