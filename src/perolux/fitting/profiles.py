"""Profile-likelihood intervals: how far one parameter can go while all the others adapt.

The interval holds the values where chi^2, minimised over the other parameters, is at most the quantile of
the chi^2 distribution (one degree of freedom) above its minimum: 3.84 for 95 %. Unlike the covariance it
need not be symmetric, and it finds open ends. Source: Wilks, Ann. Math. Stat. 9, 60 (1938).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import ConvergenceError, OptionError
from perolux.fitting.least_squares import FitResult, Residual, least_squares

__all__ = ["ProfileInterval", "profile_interval"]

FloatArray = npt.NDArray[np.float64]
Excess = Callable[[float, FloatArray], tuple[float, FloatArray]]
_EXPANSIONS = 40


@dataclass(frozen=True)
class ProfileInterval:
    """Interval of one parameter; an end is None where the data do not close it (the reason says why)."""

    name: str
    value: float
    low: float | None
    high: float | None
    level: float
    reason: str | None = None


def profile_interval(
    residual: Residual,
    fit: FitResult,
    name: str,
    level: float = 0.95,
    *,
    low: npt.ArrayLike | None = None,
    high: npt.ArrayLike | None = None,
    jacobian: Callable[[FloatArray], npt.ArrayLike] | None = None,
) -> ProfileInterval:
    """Profile-likelihood interval of one parameter of a fit to weighted (or deviance) residuals.

    residual, low, high, jacobian: as given to `least_squares`. Where the errors are only relative
    (absolute_sigma=False) chi^2 is scaled by its minimum per degree of freedom. Raises `ConvergenceError`
    where the profile finds a fit better than the fit itself.
    """
    if name not in fit.names:
        raise OptionError(f"no parameter is called {name!r}", allowed=", ".join(fit.names))
    if not 0 < level < 1:
        raise OptionError(f"a level of {level:g}", allowed="between 0 and 1")
    i, k = fit.names.index(name), len(fit.values)
    below = np.broadcast_to(np.asarray(-np.inf if low is None else low, dtype=float), (k,))
    above = np.broadcast_to(np.asarray(np.inf if high is None else high, dtype=float), (k,))
    unit = 1.0 if fit.absolute_sigma else fit.reduced_chi2
    if not unit:
        raise OptionError("the size of the errors is not known, and no degree of freedom is left to tell it")
    from statistics import NormalDist

    # the chi^2 quantile with one degree of freedom is a squared normal quantile
    threshold = NormalDist().inv_cdf((1 + level) / 2) ** 2
    others = [j for j in range(k) if j != i]
    steps = _steps(fit, below, above, unit)

    def excess(value: float, near: FloatArray) -> tuple[float, FloatArray]:
        """(profiled chi^2 - minimum)/unit - threshold, and where; the others start from the values `near`."""
        fixed = near.copy()
        fixed[i] = value
        if not others:
            r = np.asarray(residual(fixed), dtype=float)
            chi2 = float(r @ r)
        else:

            def whole(p: FloatArray) -> FloatArray:
                every = fixed.copy()
                every[others] = p
                return every

            inner = least_squares(
                lambda p: residual(whole(p)),
                fixed[others],
                low=below[others],
                high=above[others],
                scale=steps[others],
                jacobian=None if jacobian is None else lambda p: np.asarray(jacobian(whole(p)))[:, others],
            )
            fixed[others] = inner.values
            chi2 = inner.chi2
        gain = (chi2 - fit.chi2) / unit
        if gain < -1e-3:
            raise ConvergenceError(
                f"the profile of {name} found a better fit (chi2 {chi2:.6g} below {fit.chi2:.6g})",
                fix=f"fit again from {name} = {value:.6g}",
            )
        return gain - threshold, fixed

    at_best, _ = excess(float(fit.values[i]), fit.values)  # raises where the fit itself is no minimum
    ends: list[float | None] = []
    reasons = []
    for sign, bound in ((-1.0, float(below[i])), (1.0, float(above[i]))):
        end = _crossing(excess, at_best, i, fit.values, sign * float(steps[i]), bound)
        ends.append(end)
        if end is None:
            side = "below" if sign < 0 else "above"
            reasons.append(f"the data do not bound {name} from {side}")
    return ProfileInterval(name, float(fit.values[i]), ends[0], ends[1], level, "; ".join(reasons) or None)


def _steps(fit: FitResult, below: FloatArray, above: FloatArray, unit: float) -> FloatArray:
    """A step for each parameter: its sigma, else the change that alone raises chi^2 by about `unit`.

    Where there is no sigma the value says nothing about the step: on a bound at 0 it is 0, or what rounding
    left. A parameter that chi^2 hardly feels gets a tenth of its bounds; without bounds its value, or 1.
    """
    steps = []
    for i, (sigma, value) in enumerate(zip(fit.sigma, fit.values, strict=True)):
        column = float(np.linalg.norm(fit.jacobian[:, i]))
        felt = math.sqrt(unit) / column if column > 0 else math.inf
        step = sigma or min(felt, float(above[i] - below[i]) / 10)
        steps.append(step if math.isfinite(step) else abs(float(value)) / 10 or 1.0)
    return np.array(steps)


def _crossing(
    excess: Excess, below: float, i: int, best: FloatArray, step: float, bound: float
) -> float | None:
    """First zero of `excess`, `below` at best, from there in the direction of `step`; None at the bound."""
    inside, near = float(best[i]), best
    for _ in range(_EXPANSIONS):
        outside = inside + step
        if math.isfinite(bound) and (outside - bound) * step >= 0:
            outside = bound
        if outside == inside:
            return None
        above, there = excess(outside, near)
        if above > 0:
            return _zero(excess, near, {inside: below, outside: above}, abs(step))
        if outside == bound:
            return None
        inside, near, below, step = outside, there, above, 2 * step
    return None


def _zero(excess: Excess, near: FloatArray, known: dict[float, float], step: float) -> float:
    """Zero of `excess` between two values where it is known, with different signs.

    Every value starts from the same neighbour, and the ends keep what they gave: where the other parameters
    have two minima, chi^2 at an end depends on where its search came from, and the sign could change.
    """
    from scipy.optimize import brentq

    inside, outside = known
    return float(
        brentq(
            lambda value: known[value] if value in known else excess(value, near)[0],
            inside,
            outside,
            xtol=1e-9 * max(abs(outside), step),
            rtol=1e-12,
        )
    )
