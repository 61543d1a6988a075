"""Log-likelihoods of independent data, and residuals whose squares sum to a deviance.

A deviance is 2 (ln L of the perfect model - ln L of this model): not negative, 0 for a perfect model, and
minimised by the maximum-likelihood parameters. `deviance_residuals` lets least squares maximise a Poisson
likelihood exactly.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError

__all__ = [
    "gaussian_log_likelihood",
    "poisson_deviance",
    "poisson_deviance_residuals",
    "poisson_deviance_slopes",
    "poisson_log_likelihood",
    "student_t_log_likelihood",
]

FloatArray = npt.NDArray[np.float64]


def gaussian_log_likelihood(data: npt.ArrayLike, model: npt.ArrayLike, sigma: npt.ArrayLike) -> float:
    """ln L = sum[-(d - m)^2/(2 s^2) - ln s - ln(2 pi)/2]; sigma > 0, broadcast against data and model."""
    d, m, s = _three(data, model, sigma, "sigma")
    return float(np.sum(-(((d - m) / s) ** 2) / 2 - np.log(s) - math.log(2 * math.pi) / 2))


def student_t_log_likelihood(
    data: npt.ArrayLike, model: npt.ArrayLike, scale: npt.ArrayLike, degrees_of_freedom: float
) -> float:
    """ln L of Student's t errors with a scale: like a Gaussian, but an outlier counts only as ln(1 + t^2/nu).

    ln L = sum[ln G((nu+1)/2) - ln G(nu/2) - ln(nu pi)/2 - ln s - (nu+1)/2 ln(1 + ((d-m)/s)^2/nu)], nu > 0.
    """
    nu = float(degrees_of_freedom)
    if not (math.isfinite(nu) and nu > 0):
        raise OptionError(f"{nu:g} degrees of freedom", allowed="a positive number")
    d, m, s = _three(data, model, scale, "scale")
    constant = math.lgamma((nu + 1) / 2) - math.lgamma(nu / 2) - math.log(nu * math.pi) / 2
    return float(np.sum(constant - np.log(s) - (nu + 1) / 2 * np.log1p(((d - m) / s) ** 2 / nu)))


def poisson_log_likelihood(counts: npt.ArrayLike, model: npt.ArrayLike) -> float:
    """ln L = sum[n ln m - m - ln n!]; -inf where the model forbids counts that are there (m = 0, n > 0)."""
    from scipy.special import gammaln, xlogy

    n, m = _counts(counts, model)
    return float(np.sum(xlogy(n, m) - m - gammaln(n + 1)))


def poisson_deviance(counts: npt.ArrayLike, model: npt.ArrayLike) -> float:
    """D = 2 sum[n ln(n/m) - n + m], exact at any counts, n = 0 included.

    >>> poisson_deviance([0, 2], [1.0, 2.0])
    2.0
    """
    return float(np.sum(_deviances(*_counts(counts, model))))


def poisson_deviance_residuals(counts: npt.ArrayLike, model: npt.ArrayLike) -> FloatArray:
    """sign(n - m) sqrt(2 [n ln(n/m) - n + m]): squares sum to the deviance; shape of counts."""
    n, m = _counts(counts, model)
    return np.sign(n - m) * np.sqrt(_deviances(n, m))


def poisson_deviance_slopes(counts: npt.ArrayLike, model: npt.ArrayLike) -> FloatArray:
    """dr/dm of `poisson_deviance_residuals`, (n - m)/m over -r, which is -1/sqrt(m) at n = m; 0 at m = 0."""
    n, m = _counts(counts, model)
    size = np.sqrt(_deviances(n, m))
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = np.where(size > 0, -np.abs(n - m) / (m * size), -1 / np.sqrt(m))
    return np.where(m > 0, slopes, 0.0)


def _deviances(n: FloatArray, m: FloatArray) -> FloatArray:
    # With n = m (1 + x) a term is 2 m [(1 + x) ln(1 + x) - x], which cancels for small x: a series there.
    with np.errstate(divide="ignore", invalid="ignore"):
        x = np.where(m > 0, (n - m) / m, 0.0)
        ratio = np.where(n > 0, n / m, 1.0)
        direct = np.where(n > 0, n * np.log(ratio), 0.0) - (n - m)
    series = m * x**2 * (1 / 2 - x * (1 / 6 - x * (1 / 12 - x * (1 / 20 - x / 30))))
    return 2 * np.where(np.abs(x) < 1e-2, np.where(m > 0, series, direct), direct)


def _counts(counts: npt.ArrayLike, model: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    n, m = np.broadcast_arrays(np.asarray(counts, dtype=float), np.asarray(model, dtype=float))
    if not (np.isfinite(n).all() and np.isfinite(m).all()):
        raise OptionError("counts or model hold something that is not a finite number")
    if np.any(n < 0) or np.any(m < 0):
        raise OptionError(
            "Poisson statistics need counts and a model that are not negative",
            fix="add the background to the model instead of subtracting it from the counts",
        )
    return n, m


def _three(
    data: npt.ArrayLike, model: npt.ArrayLike, width: npt.ArrayLike, name: str
) -> tuple[FloatArray, FloatArray, FloatArray]:
    arrays = [np.asarray(x, dtype=float) for x in (data, model, width)]
    if not all(np.isfinite(x).all() for x in arrays):
        raise OptionError("data, model or width hold something that is not a finite number")
    if np.any(arrays[2] <= 0):
        raise OptionError(f"{name} must be positive everywhere")
    d, m, s = np.broadcast_arrays(*arrays)
    return d, m, s
