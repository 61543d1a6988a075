"""Bootstrap: the spread of a fit from fits to data made anew.

Parametric: data are simulated from the fitted model with its noise. Residual: residuals of the fit are drawn
with replacement and put on the fitted model; they must be exchangeable (same error everywhere, or weighted).
Source: Efron and Tibshirani, An Introduction to the Bootstrap (Chapman and Hall 1993), chapters 6 and 9.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import ConvergenceError, OptionError
from perolux.progress import Progress, silent, track

__all__ = ["BootstrapResult", "bootstrap_parametric", "bootstrap_residuals"]

FloatArray = npt.NDArray[np.float64]
Refit = Callable[[FloatArray], npt.ArrayLike]

MAX_FAILED = 0.1
"""Part of the refits that may fail to converge before the spread of the others says nothing."""


@dataclass(frozen=True, eq=False)
class BootstrapResult:
    """Parameters of the refits that converged, shape (m, k), and how many of the `asked` ones did not."""

    samples: FloatArray
    asked: int
    failed: int

    @property
    def mean(self) -> FloatArray:
        """Mean of the refits; shape (k,)."""
        mean: FloatArray = self.samples.mean(axis=0)
        return mean

    @property
    def sigma(self) -> FloatArray:
        """Standard deviation of the refits (m - 1); shape (k,)."""
        return np.std(self.samples, axis=0, ddof=1)

    @property
    def covariance(self) -> FloatArray:
        """Covariance of the refits (m - 1); shape (k, k)."""
        return np.atleast_2d(np.cov(self.samples, rowvar=False))

    def interval(self, level: float = 0.95) -> FloatArray:
        """Percentile interval of each parameter; shape (k, 2)."""
        if not 0 < level < 1:
            raise OptionError(f"a level of {level:g}", allowed="between 0 and 1")
        return np.quantile(self.samples, [(1 - level) / 2, (1 + level) / 2], axis=0).T


def bootstrap_parametric(
    simulate: Callable[[np.random.Generator], npt.ArrayLike],
    refit: Refit,
    rng: np.random.Generator,
    n: int = 200,
    progress: Progress = silent,
) -> BootstrapResult:
    """Refit data drawn from the model: simulate(rng) -> data, refit(data) -> parameters, shape (k,).

    A refit that raises `ConvergenceError` is counted, not hidden; more than 10 % of them are an error.
    """
    return _bootstrap(lambda: np.asarray(simulate(rng), dtype=float), refit, n, progress)


def bootstrap_residuals(
    model: npt.ArrayLike,
    residuals: npt.ArrayLike,
    refit: Refit,
    rng: np.random.Generator,
    n: int = 200,
    *,
    sigma: npt.ArrayLike = 1.0,
    parameters: int = 0,
    progress: Progress = silent,
) -> BootstrapResult:
    """Refit model + sigma * resampled weighted residuals; refit(data) -> parameters, shape (k,).

    model, residuals: shape (m,), at the fitted parameters; residuals = (data - model)/sigma. They are
    centred, and with `parameters` = k enlarged by sqrt(m/(m - k)), because a fit makes them too small.
    """
    fitted, weighted = np.asarray(model, dtype=float), np.asarray(residuals, dtype=float)
    if fitted.shape != weighted.shape or fitted.ndim != 1 or len(fitted) <= max(parameters, 1):
        raise OptionError(f"model {fitted.shape} and residuals {weighted.shape} for {parameters} parameters")
    if not (np.isfinite(fitted).all() and np.isfinite(weighted).all()):
        raise OptionError("model or residuals hold something that is not a finite number")
    pool = (weighted - weighted.mean()) * np.sqrt(len(weighted) / (len(weighted) - parameters))
    error = np.broadcast_to(np.asarray(sigma, dtype=float), fitted.shape)

    def draw() -> FloatArray:
        return fitted + error * rng.choice(pool, len(pool))

    return _bootstrap(draw, refit, n, progress)


def _bootstrap(draw: Callable[[], FloatArray], refit: Refit, n: int, progress: Progress) -> BootstrapResult:
    if n < 2:
        raise OptionError(f"{n} bootstrap samples", allowed="2 or more, for a sigma about 200")
    samples, failed = [], 0
    for _ in track(range(n), "bootstrap", n, progress):
        try:
            samples.append(np.atleast_1d(np.asarray(refit(draw()), dtype=float)))
        except ConvergenceError:
            failed += 1
    if failed > MAX_FAILED * n or len(samples) < 2:
        raise ConvergenceError(
            f"{failed} of {n} refits did not converge",
            allowed=f"{MAX_FAILED:.0%} or fewer",
            fix="start the refits from the fitted parameters, or bound them",
        )
    return BootstrapResult(np.array(samples), n, failed)
