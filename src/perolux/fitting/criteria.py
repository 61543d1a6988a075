"""Information criteria: which of several models of the same data is worth its parameters.

Only differences between models of the *same data with the same errors* mean something. Sources: Akaike,
IEEE Trans. Autom. Control 19, 716 (1974); Hurvich and Tsai, Biometrika 76, 297 (1989); Schwarz, Ann. Stat.
6, 461 (1978); Burnham and Anderson, Model Selection and Multimodel Inference (Springer 2002), for weights.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError

__all__ = ["aic", "aicc", "akaike_weights", "bic"]


def aic(deviance: float, parameters: int) -> float:
    """Akaike's criterion 2k + D; D = -2 ln L, or chi^2 or a deviance where the rest is common to all models.

    >>> aic(10.0, 3)
    16.0
    """
    return 2.0 * _count(parameters) + deviance


def aicc(deviance: float, parameters: int, points: int) -> float:
    """Akaike's criterion with the correction for few points: AIC + 2k(k+1)/(n-k-1); needs n > k + 1."""
    k = _count(parameters)
    if points <= k + 1:
        raise OptionError(f"{points} points for {k} parameters", allowed=f"{k + 2} points or more")
    return aic(deviance, k) + 2.0 * k * (k + 1) / (points - k - 1)


def bic(deviance: float, parameters: int, points: int) -> float:
    """Bayesian information criterion k ln n + D (Schwarz); n points."""
    if points < 1:
        raise OptionError(f"{points} points", allowed="1 or more")
    return _count(parameters) * float(np.log(points)) + deviance


def akaike_weights(criteria: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """exp(-d_i/2)/sum, d_i the distance to the best: relative weights of models; shape (models,), sum 1.

    >>> akaike_weights([100.0, 100.0]).tolist()
    [0.5, 0.5]
    """
    values = np.asarray(criteria, dtype=float)
    if values.ndim != 1 or not values.size or not np.isfinite(values).all():
        raise OptionError("criteria must be a list of one or more finite numbers")
    weights = np.exp(-(values - values.min()) / 2)
    return weights / weights.sum()


def _count(parameters: int) -> int:
    if parameters < 0 or int(parameters) != parameters:
        raise OptionError(f"{parameters} parameters", allowed="a whole number, 0 or more")
    return int(parameters)
