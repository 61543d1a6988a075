"""Profile-likelihood intervals for fits with nearly degenerate parameters, on top of `perolux.fitting`.

As `perolux.fitting.profile_interval`, but with analytic derivatives, and judged by chi^2 alone: along a
valley of degenerate parameters the gradient is as small as rounding, and noise-free data leave a chi^2 of
1e-28, whose gradient has no direction. At each value the other parameters are searched from the last
solution and, where that is worse than expected, from the best fit as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError
from perolux.fitting import FitResult, ProfileInterval

__all__ = ["profile"]

FloatArray = npt.NDArray[np.float64]
Function = Callable[[FloatArray], FloatArray]

_EXPANSIONS = 30
_BETTER = 1e-3
"""By how much chi^2 may fall below the minimum of the fit, in units of a squared sigma."""


_UNDEFINED = 1e8
"""Residual where the model is not defined: worse than any other, and its square is still a number."""


def profile(
    residual: Function,
    jacobian: Function | None,
    fit: FitResult,
    name: str,
    level: float,
    low: FloatArray,
    high: FloatArray,
) -> ProfileInterval:
    """The interval of one parameter within which chi^2 rises by no more than the quantile of the level.

    residual, low, high as given to the fit; jacobian: dr/dp (n, k) or None (finite differences). An end that
    the data or a bound leave open is None, with the reason. Raises `OptionError` for a level outside 0 to 1.
    """
    if not 0.0 < level < 1.0:
        raise OptionError(f"a level of {level:g}", allowed="between 0 and 1")
    i = fit.names.index(name)
    value = float(fit.values[i])
    unit = 1.0 if fit.absolute_sigma else fit.reduced_chi2
    if unit is None:
        return ProfileInterval(name, value, None, None, level, "no degree of freedom tells the errors")
    threshold = NormalDist().inv_cdf((1.0 + level) / 2.0) ** 2 * unit
    search = _Search(residual, jacobian, fit, i, low, high)
    if not threshold > 0.0 or not search.step > 0.0:
        return ProfileInterval(name, value, None, None, level, f"{name}: the data have no scatter or no say")
    ends: list[float | None] = []
    reasons = []
    for sign, bound, side in ((-1.0, float(low[i]), "below"), (1.0, float(high[i]), "above")):
        end, why = _end(search, value, sign * search.step * math.sqrt(threshold), bound, threshold)
        ends.append(end)
        if why:
            reasons.append(f"{name} is {why} {side}")
    if search.lowest < fit.chi2 - _BETTER * unit:
        reasons.append(f"the profile of {name} found chi2 {search.lowest:.6g} below the fit's {fit.chi2:.6g}")
    return ProfileInterval(name, value, ends[0], ends[1], level, "; ".join(reasons) or None)


class _Search:
    """chi^2 less its minimum against one parameter, the others searched; remembers the last solution."""

    def __init__(
        self,
        residual: Function,
        jacobian: Function | None,
        fit: FitResult,
        i: int,
        low: FloatArray,
        high: FloatArray,
    ) -> None:
        self.residual, self.jacobian, self.fit, self.i = residual, jacobian, fit, i
        self.others = [j for j in range(len(fit.values)) if j != i]
        self.bounds = (low[self.others], high[self.others])
        self.warm = self._inside(fit.values[self.others])
        norms = np.linalg.norm(fit.jacobian, axis=0)
        # the width along this parameter alone: never more than that of the profile
        self.step = 1.0 / float(norms[i]) if norms[i] > 0 else 0.0
        self.scale = np.where(norms > 0, 1.0 / np.where(norms > 0, norms, 1.0), 1.0)
        self.lowest = fit.chi2

    def restart(self) -> None:
        self.warm = self._inside(self.fit.values[self.others])

    def excess(self, value: float) -> float:
        whole = self.fit.values.copy()
        whole[self.i] = value
        if not self.others:
            return self._seen(self.residual(whole)) - self.fit.chi2
        best = math.inf
        for start in (self.warm, self._inside(self.fit.values[self.others])):
            found, chi2 = self._inner(whole, start)
            if chi2 < best - 1e-9 * abs(best if math.isfinite(best) else 1.0):
                best, self.warm = chi2, self._inside(found)
            if start is self.warm:
                break
        self.lowest = min(self.lowest, best)
        return best - self.fit.chi2

    def _inner(self, whole: FloatArray, start: FloatArray) -> tuple[FloatArray, float]:
        from scipy.optimize import least_squares

        unit = self.scale[self.others]

        def put(u: FloatArray) -> FloatArray:
            p = whole.copy()
            p[self.others] = u * unit
            return p

        first = self.residual(put(start / unit))
        if not np.isfinite(first).all():
            return start, len(first) * _UNDEFINED**2
        slopes = self.jacobian
        found = least_squares(
            lambda u: np.nan_to_num(
                self.residual(put(u)), nan=_UNDEFINED, posinf=_UNDEFINED, neginf=-_UNDEFINED
            ),
            start / unit,
            jac="2-point" if slopes is None else (lambda u: slopes(put(u))[:, self.others] * unit),
            bounds=(self.bounds[0] / unit, self.bounds[1] / unit),
            x_scale="jac",
            ftol=1e-12,
            xtol=1e-12,
            gtol=1e-14,
            max_nfev=300,
        )
        return found.x * unit, 2.0 * float(found.cost)

    def _seen(self, residual: FloatArray) -> float:
        chi2 = float(residual @ residual)
        self.lowest = min(self.lowest, chi2)
        return chi2

    def _inside(self, values: FloatArray) -> FloatArray:
        low, high = self.bounds
        margin = 1e-9 * np.maximum(np.abs(values), 1e-300)
        return np.clip(values, low + margin, high - margin)


def _end(
    search: _Search, start: float, step: float, bound: float, threshold: float
) -> tuple[float | None, str]:
    """Where the profile crosses the threshold on one side; None and why where it does not."""
    from scipy.optimize import brentq

    search.restart()
    known = search.excess(start)
    if known > threshold:
        return None, "lost in rounding: chi2 jumps at the best fit itself"
    search.restart()
    inside = start
    for _ in range(_EXPANSIONS):
        outside = inside + step
        if math.isfinite(bound) and (outside - bound) * step >= 0:
            outside = bound
        if outside == inside:
            return None, f"limited by its bound {bound:g} only,"
        found = search.excess(outside)
        if found > threshold:
            # a search from another start may disagree by rounding: the ends keep the values that bracket
            ends = {inside: known, outside: found}
            # a thousandth of the step is far below what an interval needs
            end = brentq(
                lambda v, ends=ends: (
                    (ends[float(v)] if float(v) in ends else search.excess(float(v))) - threshold
                ),
                inside,
                outside,
                xtol=1e-3 * abs(step),
                rtol=1e-9,
            )
            return float(end), ""
        if outside == bound:
            return None, f"limited by its bound {bound:g} only,"
        inside, known, step = outside, found, 1.6 * step
    return None, "not bounded by the data"
