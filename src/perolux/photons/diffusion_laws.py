"""Laws of a wandering line and their exact likelihoods: what exposures of a finite length see of them.

    y_k = u + (1/T) int x dt over exposure k + e_k,   e_k normal, of the error of that centre

Ornstein-Uhlenbeck x (stationary deviation s1, correlation time tc, a = T/tc), exposures dt apart:

    mean squared shift of x itself   2 s1^2 (1 - exp(-dt/tc))
    variance of a mean               2 s1^2 (a - 1 + exp(-a))/a^2                       -> s1^2 for a -> 0
    covariance of two means          s1^2 [(1 - exp(-a))/a]^2 exp(-(dt - T)/tc)
    left inside an exposure          s1^2 - variance of a mean

Free walk of variance 2 D t: variance of a mean 2D T/3, gain of the end 2D T, covariance of both D T. The
likelihood is a product over frames (Kalman's filter on mean and end of each exposure) and equals that of the
dense covariance. The level u is at its best value; with `restricted` it is integrated out (flat prior),
which takes the bias of short records off s1 and makes all laws comparable. tc -> 0 is white scatter beside
the errors, tc -> infinity the free walk with D = s1^2/tc. Standard form (exposure averaging as for tracked
particles: Michalet, Phys. Rev. E 82, 041914 (2010), recalled).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError
from perolux.photons._diffusion_kernels import innovations

__all__ = [
    "Observed",
    "Profile",
    "WanderFit",
    "dense_covariance",
    "fit_static",
    "fit_walk",
    "fit_wander",
    "inside_variance",
    "log_likelihood",
    "mean_covariance",
    "mean_variance",
    "squared_shift",
]

FloatArray = npt.NDArray[np.float64]
_SERIES = 1e-3
"""Exposure over correlation time below which a series stands for the differences of exponentials."""


@dataclass(frozen=True, eq=False)
class Observed:
    """Centres of the frames that have one: start_s, centre_ev, sigma_ev, all (n,); exposure_s of each."""

    start_s: FloatArray
    centre_ev: FloatArray
    sigma_ev: FloatArray
    exposure_s: float

    def __post_init__(self) -> None:
        if len(self.start_s) < 3 or np.any(np.diff(self.start_s) < self.exposure_s * (1 - 1e-9)):
            raise OptionError("centres that do not fit", allowed="three or more, exposures one after another")
        if not (np.all(np.isfinite(self.centre_ev)) and np.all(self.sigma_ev > 0)):
            raise OptionError("centres without an error", allowed="finite centres, errors above 0")

    def __len__(self) -> int:
        return len(self.start_s)


def squared_shift(spread_ev: float, time_s: float, lag_s: npt.ArrayLike) -> FloatArray:
    """2 s1^2 (1 - exp(-dt/tc)) of the line itself, eV^2.

    >>> round(float(squared_shift(1e-3, 1.0, 1e9)) * 1e6, 12)
    2.0
    """
    return np.asarray(-2 * spread_ev**2 * np.expm1(-np.asarray(lag_s, dtype=float) / time_s))


def mean_variance(spread_ev: float, time_s: float, exposure_s: npt.ArrayLike) -> FloatArray:
    """Variance of the mean over an exposure, eV^2: 2 s1^2 (a - 1 + exp(-a))/a^2."""
    a = np.asarray(exposure_s, dtype=float) / time_s
    safe = np.maximum(a, _SERIES)
    full = 2 * (safe + np.expm1(-safe)) / safe**2
    return np.asarray(spread_ev**2 * np.where(a < _SERIES, 1 - a / 3 + a**2 / 12 - a**3 / 60, full))


def inside_variance(spread_ev: float, time_s: float, exposure_s: npt.ArrayLike) -> FloatArray:
    """Variance about the mean within an exposure, eV^2: what it adds to the width of the line."""
    a = np.asarray(exposure_s, dtype=float) / time_s
    safe = np.maximum(a, _SERIES)
    full = 1 - 2 * (safe + np.expm1(-safe)) / safe**2
    return np.asarray(spread_ev**2 * np.where(a < _SERIES, a / 3 - a**2 / 12 + a**3 / 60, full))


def mean_covariance(spread_ev: float, time_s: float, exposure_s: float, lag_s: npt.ArrayLike) -> FloatArray:
    """Covariance of the means of two exposures lag_s (the exposure or more) apart, eV^2."""
    a = exposure_s / time_s
    share = -math.expm1(-a) / a if a > 0 else 1.0
    lag = np.asarray(lag_s, dtype=float)
    return np.asarray(spread_ev**2 * share**2 * np.exp(-(lag - exposure_s) / time_s))


def dense_covariance(
    observed: Observed, *, wander: tuple[float, float] | None = None, walk: float | None = None
) -> FloatArray:
    """Covariance (n, n) of the centres, errors included: of the law wander = (s1 in eV, tc in s) or
    walk = D in eV^2/s from the start of the first exposure."""
    t, exposure = observed.start_s - observed.start_s[0], observed.exposure_s
    lag = np.abs(t[:, None] - t[None, :])
    if wander is not None:
        full = mean_covariance(wander[0], wander[1], exposure, np.maximum(lag, exposure))
        same = mean_variance(wander[0], wander[1], exposure)
        found = np.where(np.eye(len(t), dtype=bool), same, full)
    else:
        d = walk or 0.0
        early = np.minimum(t[:, None], t[None, :])
        found = 2 * d * (early + np.where(np.eye(len(t), dtype=bool), exposure / 3, exposure / 2))
    return np.asarray(found + np.diag(observed.sigma_ev**2))


def log_likelihood(
    observed: Observed,
    *,
    wander: tuple[float, float] | None = None,
    walk: float | None = None,
    extra_ev: float = 0.0,
    restricted: bool = False,
) -> tuple[float, float, float]:
    """ln L at the best level u, u, and its error: law wander = (s1, tc), walk = D, or neither (static).

    extra_ev: white scatter beside the errors. restricted: with u integrated out (the constant ln 2 pi/2 of a
    flat prior in eV kept).
    """
    t, exposure = observed.start_s, observed.exposure_s
    gap_s = np.diff(t, prepend=t[0] - exposure) - exposure
    gap_s = np.maximum(gap_s, 0.0)
    if wander is not None:
        s2, tc = wander[0] ** 2, wander[1]
        a = exposure / tc
        keep, gap = math.exp(-a), np.exp(-gap_s / tc)
        gap_q, end_q = s2 * -np.expm1(-2 * gap_s / tc), s2 * -math.expm1(-2 * a)
        mean_c = -math.expm1(-a) / a if a > 1e-12 else 1.0
        mean_q, cross_q, first = _wander_gains(s2, a)[0], _wander_gains(s2, a)[1], s2
    else:
        d = walk or 0.0
        keep, gap, mean_c = 1.0, np.ones(len(t)), 1.0
        gap_q, end_q = 2 * d * gap_s, 2 * d * exposure
        mean_q, cross_q, first = 2 * d * exposure / 3, d * exposure, 0.0
    # In units of a typical error, from a typical centre: the numbers stay near 1.
    unit, middle = float(np.median(observed.sigma_ev)), float(np.median(observed.centre_ev))
    left, one, variance = innovations(
        (observed.centre_ev - middle) / unit, (observed.sigma_ev**2 + extra_ev**2) / unit**2, gap,
        np.asarray(gap_q / unit**2), keep, end_q / unit**2, mean_c, mean_q / unit**2, cross_q / unit**2,
        first / unit**2,
    )  # fmt: skip
    weight = float(np.sum(one**2 / variance))
    level = float(np.sum(one * left / variance)) / weight
    square = float(np.sum((left - level * one) ** 2 / variance))
    n = len(t)
    value = -0.5 * (square + float(np.sum(np.log(variance))) + n * math.log(2 * math.pi * unit**2))
    if restricted:
        value += 0.5 * (math.log(2 * math.pi * unit**2) - math.log(weight))
    return value, middle + unit * level, unit / math.sqrt(weight)


def _wander_gains(s2: float, a: float) -> tuple[float, float]:
    """Variance that a mean gains over an exposure of a correlation times, and its covariance with the end."""
    cross = math.expm1(-a) ** 2 / a
    if a > 1.0:
        mean = 2 * (a - 1 + math.exp(-a)) / a**2 - (math.expm1(-a) / a) ** 2
    else:  # the same as a series: its first terms cancel
        mean = sum((-a) ** k * (4 - 2 ** (k + 2)) / math.factorial(k + 2) for k in range(1, 24))
    return s2 * mean, s2 * cross


@dataclass(frozen=True)
class Profile:
    """A number with its interval by profile likelihood; an end is None where the data leave it open, and
    `reason` says so."""

    value: float
    low: float | None
    high: float | None
    level: float = 0.95
    reason: str | None = None

    def as_dict(self) -> dict[str, float | str | None]:
        """For JSON."""
        found: dict[str, float | str | None] = {
            "value": self.value, "low": self.low, "high": self.high, "level": self.level
        }  # fmt: skip
        if self.reason:
            found["reason"] = self.reason
        return found


@dataclass(frozen=True)
class WanderFit:
    """A law fitted: numbers with intervals by name, level with error, restricted ln L, and how many numbers
    were free beside the level."""

    law: str
    parameters: dict[str, Profile]
    level_ev: float
    level_sigma_ev: float
    log_likelihood: float
    free: int


def fit_static(observed: Observed, level: float = 0.95) -> tuple[WanderFit, WanderFit]:
    """A line that stands still, and one with white scatter beside the errors (motion faster than a frame)."""
    value, centre, sigma = log_likelihood(observed, restricted=True)
    still = WanderFit("static", {}, centre, sigma, value, 0)
    typical = float(np.median(observed.sigma_ev))
    wide = max(float(np.std(observed.centre_ev)), typical)

    def restricted(log_extra: float) -> float:
        return log_likelihood(observed, extra_ev=math.exp(log_extra), restricted=True)[0]

    low, high = math.log(1e-3 * typical), math.log(10 * wide)
    found = _profile(restricted, low, high, level, "scatter_ev")
    at = log_likelihood(observed, extra_ev=found.value, restricted=True)
    return still, WanderFit("white", {"scatter_ev": found}, at[1], at[2], at[0], 1)


def fit_walk(observed: Observed, level: float = 0.95) -> WanderFit:
    """A free walk: D in eV^2/s with its interval."""
    low, high = _walk_range(observed)

    found = _profile(
        lambda x: log_likelihood(observed, walk=math.exp(x), restricted=True)[0],
        low, high, level, "diffusion_ev2_per_s",
    )  # fmt: skip
    at = log_likelihood(observed, walk=found.value, restricted=True)
    return WanderFit("walk", {"diffusion_ev2_per_s": found}, at[1], at[2], at[0], 1)


def _walk_range(observed: Observed) -> tuple[float, float]:
    span = float(observed.start_s[-1] - observed.start_s[0])
    wide = float(np.var(observed.centre_ev)) + float(np.median(observed.sigma_ev)) ** 2
    least = (1e-3 * float(np.median(observed.sigma_ev))) ** 2 / span
    return math.log(least), math.log(1e2 * wide / observed.exposure_s)


def fit_wander(
    observed: Observed, level: float = 0.95, lags_s: npt.ArrayLike = ()
) -> tuple[WanderFit, list[Profile]]:
    """Ornstein-Uhlenbeck: s1, tc, their intervals; and of the root mean squared shift at each of lags_s, eV.

    Searched over tc from a tenth of an exposure to a hundred records; beyond either end white scatter and
    free walk stand for it, and the interval is open there.
    """
    span = float(observed.start_s[-1] - observed.start_s[0])
    times = math.log(0.1 * observed.exposure_s), math.log(100 * span)
    typical = float(np.median(observed.sigma_ev))
    wide = max(float(np.std(observed.centre_ev)), typical)
    spreads = math.log(1e-3 * typical), math.log(100 * wide)

    def of(spread: float, tau: float) -> float:
        return log_likelihood(observed, wander=(math.exp(spread), math.exp(tau)), restricted=True)[0]

    def best_spread(tau: float) -> tuple[float, float]:
        return _maximum(lambda s: of(s, tau), *spreads)

    def best_time(along: Callable[[float], float]) -> float:
        # along: ln s1 at a given ln tc, on the line that is profiled
        return _maximum(lambda tau: of(along(tau), tau), *times)[1]

    tau, top = _maximum(lambda t: best_spread(t)[1], *times)
    spread = best_spread(tau)[0]
    by_time = _ends(lambda t: best_spread(t)[1], tau, top, *times, level, "correlation_time_s")
    by_spread = _ends(lambda s: best_time(lambda t: s), spread, top, *spreads, level, "spread_ev")
    shifts = []
    for lag in np.atleast_1d(np.asarray(lags_s, dtype=float)):
        shifts.append(_shift_profile(float(lag), best_time, spread, tau, top, spreads, times, level))
    here = log_likelihood(observed, wander=(math.exp(spread), math.exp(tau)))
    fit = WanderFit(
        "wander", {"spread_ev": by_spread, "correlation_time_s": by_time}, here[1], here[2], top, 2
    )
    return fit, shifts


def _shift_profile(
    lag: float,
    best_time: Callable[[Callable[[float], float]], float],
    spread: float,
    tau: float,
    top: float,
    spreads: tuple[float, float],
    times: tuple[float, float],
    level: float,
) -> Profile:
    """Root mean squared shift at a lag: s1 follows from it at each tc."""

    def half(t: float) -> float:
        return 0.5 * math.log(-2 * math.expm1(-lag / math.exp(t)))

    low, high = spreads[0] + half(times[1]), spreads[1] + half(times[0])
    return _ends(
        lambda v: best_time(lambda t: v - half(t)), spread + half(tau), top, low, high, level, "shift_ev"
    )


def _maximum(function: Callable[[float], float], low: float, high: float) -> tuple[float, float]:
    """Highest point on an interval: a coarse grid, then Brent's search about its best."""
    from scipy.optimize import minimize_scalar

    grid = np.linspace(low, high, 17)
    values = [function(float(x)) for x in grid]
    k = int(np.argmax(values))
    bounds = float(grid[max(k - 1, 0)]), float(grid[min(k + 1, len(grid) - 1)])
    found = minimize_scalar(
        lambda x: -function(float(x)), bounds=bounds, method="bounded", options={"xatol": 1e-5}
    )
    if -float(found.fun) >= values[k]:
        return float(found.x), -float(found.fun)
    return float(grid[k]), float(values[k])


def _profile(function: Callable[[float], float], low: float, high: float, level: float, name: str) -> Profile:
    at, top = _maximum(function, low, high)
    return _ends(function, at, top, low, high, level, name)


def _ends(
    function: Callable[[float], float],
    at: float,
    top: float,
    low: float,
    high: float,
    level: float,
    name: str,
) -> Profile:
    """Where the profile of the logarithm has fallen by the quantile of chi^2/2; open at the ends of the
    search."""
    from statistics import NormalDist

    from scipy.optimize import brentq

    drop = NormalDist().inv_cdf((1 + level) / 2) ** 2 / 2
    ends: list[float | None] = []
    reasons = []
    for bound, side in ((low, "below"), (high, "above")):
        end, inside, step = None, at, 0.25 if bound > at else -0.25
        while (bound - inside) * step > 0:
            outside = inside + step
            outside = min(outside, bound) if step > 0 else max(outside, bound)
            if function(outside) < top - drop:
                end = float(brentq(lambda x: function(x) - top + drop, inside, outside, xtol=1e-4))
                break
            inside, step = outside, 1.6 * step
        ends.append(None if end is None else math.exp(end))
        if end is None:
            reasons.append(f"the series does not bound {name} from {side}")
    return Profile(math.exp(at), ends[0], ends[1], level, "; ".join(reasons) or None)
