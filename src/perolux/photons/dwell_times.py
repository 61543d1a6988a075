"""Laws of dwell times between changes, by maximum likelihood between two limits.

    power law             p ~ t^-a
    truncated power law   p ~ t^-a exp(-t/tc)
    exponential           p ~ exp(-t/tc)
    stretched             p ~ (t/tc)^(b-1) exp(-(t/tc)^b)
    lognormal             p ~ exp(-(ln t - m)^2/(2 s^2))/t

each normalised over lower <= t <= upper, by quadrature in ln t (incomplete gamma functions of negative
argument are not needed), and times w(t), the chance that a dwell of length t is seen at all, where it is
given. A straight line through a logarithmic histogram is no estimate: it weighs empty bins and knows no
limits. No fitted exponent is independent of the lower limit: `against_limit` shows how it moves. Source of
the practice: Clauset, Shalizi and Newman, SIAM Review 51, 661 (2009): recalled.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError

__all__ = [
    "LAWS",
    "DwellComparison",
    "DwellFit",
    "against_limit",
    "compare_laws",
    "detection_chance",
    "fit_law",
    "law_density",
    "sample_law",
]

FloatArray = npt.NDArray[np.float64]
Chance = Callable[[FloatArray], FloatArray]

LAWS = ("power-law", "truncated-power-law", "exponential", "stretched", "lognormal")
_NAMES = {
    "power-law": ("exponent",),
    "truncated-power-law": ("exponent", "cut_off_s"),
    "exponential": ("mean_s",),
    "stretched": ("stretching", "scale_s"),
    "lognormal": ("median_s", "log_sd"),
}
_FEWEST = 20
_PANELS = 500


@dataclass(frozen=True)
class DwellFit:
    """One law fitted to dwells between lower_s and upper_s.

    parameters, sigma, low95, high95: by name; sigma from the curvature, limits from the profile likelihood
    (None where it does not close). log_likelihood: of the dwells, times in s. bic: lower is better.
    """

    law: str
    parameters: dict[str, float]
    sigma: dict[str, float | None]
    low95: dict[str, float | None]
    high95: dict[str, float | None]
    log_likelihood: float
    bic: float
    dwells: int
    lower_s: float
    upper_s: float


@dataclass(frozen=True)
class DwellComparison:
    """All laws on one set of dwells, best first. against_power_law: units of log-likelihood gained over it.

    p_power_law: chance that a pure power law would gain as much as the truncated one does (likelihood ratio,
    half a chi^2 of one degree of freedom, since 1/tc = 0 is an end of its range).
    """

    fits: tuple[DwellFit, ...]
    against_power_law: dict[str, float]
    p_power_law: float

    def __getitem__(self, law: str) -> DwellFit:
        return next(fit for fit in self.fits if fit.law == law)


def fit_law(
    dwells_s: npt.ArrayLike,
    law: str,
    *,
    lower_s: float,
    upper_s: float | None = None,
    chance: Chance | None = None,
    intervals: bool = True,
) -> DwellFit:
    """Maximum-likelihood parameters of one law for the dwells within the limits.

    dwells_s: lengths of completed dwells; those outside the limits are left out (the law is normalised
    between them). upper_s: none if left out. chance: t -> chance that a dwell of that length is seen. Raises
    `OptionError` where fewer than 20 are within.
    """
    if law not in LAWS:
        raise OptionError(f"no law is called {law!r}", allowed=", ".join(LAWS))
    t = _within(dwells_s, lower_s, upper_s)
    return fit_problem(_Problem(law, t, lower_s, upper_s, chance), intervals)


def fit_problem(problem: _Problem, intervals: bool) -> DwellFit:
    """The best parameters of a likelihood, with their errors and limits."""
    law, t, lower_s, upper_s = problem.law, problem.t, problem.lower, problem.upper
    best = problem.maximise()
    top = -problem.loss(best)
    names = _NAMES[law]
    sigma: list[float | None] = [None] * len(names)
    low: list[float | None] = [None] * len(names)
    high: list[float | None] = [None] * len(names)
    covariance = problem.covariance(best)
    for i in range(len(names)):
        width = math.sqrt(covariance[i, i]) if covariance is not None and covariance[i, i] > 0 else None
        sigma[i] = None if width is None else width * problem.slope(i, best[i])
        if intervals and width is not None:
            low[i], high[i] = (problem.limit(best, i, side * width, top) for side in (-1, 1))
    return DwellFit(
        law=law,
        parameters=dict(zip(names, problem.outside(best), strict=True)),
        sigma=dict(zip(names, sigma, strict=True)),
        low95=dict(zip(names, low, strict=True)),
        high95=dict(zip(names, high, strict=True)),
        log_likelihood=top,
        bic=-2 * top + len(names) * math.log(len(t)),
        dwells=len(t),
        lower_s=lower_s,
        upper_s=math.inf if upper_s is None else upper_s,
    )


def compare_laws(
    dwells_s: npt.ArrayLike, *, lower_s: float, upper_s: float | None = None, chance: Chance | None = None
) -> DwellComparison:
    """All five laws on the same dwells, best first by information criterion."""
    return compared([fit_law(dwells_s, law, lower_s=lower_s, upper_s=upper_s, chance=chance) for law in LAWS])


def compared(fits: Sequence[DwellFit]) -> DwellComparison:
    """Fits of the five laws, in their order, to the same dwells: best first."""
    from scipy.stats import chi2

    pure = fits[0].log_likelihood
    gained = {fit.law: fit.log_likelihood - pure for fit in fits}
    share = 0.5 * float(chi2.sf(2 * max(gained.get("truncated-power-law", 0.0), 0.0), 1))
    return DwellComparison(tuple(sorted(fits, key=lambda fit: fit.bic)), gained, share)


def against_limit(
    dwells_s: npt.ArrayLike, lowers_s: Sequence[float], law: str = "truncated-power-law"
) -> tuple[DwellFit, ...]:
    """The same law fitted from each lower limit on: what moves with the limit is no property of the
    emitter."""
    return tuple(fit_law(dwells_s, law, lower_s=lower, intervals=False) for lower in lowers_s)


def detection_chance(
    rate_cps: float, other_cps: float, threshold: float
) -> Callable[[npt.ArrayLike], FloatArray]:
    """Chance that a dwell of length t at `rate_cps` between stretches at `other_cps` is seen by the search
    for changes.

    Its n photons gain n ln(r/q) - (r - q) t in log-likelihood, n being Poisson with mean r t; two changes
    must bring twice the threshold. Neighbours are taken as long.
    """
    from scipy.stats import poisson

    if min(rate_cps, other_cps) <= 0 or rate_cps == other_cps:
        raise OptionError("two different positive rates are needed")
    ratio = math.log(rate_cps / other_cps)

    def chance(t: npt.ArrayLike) -> FloatArray:
        length = np.asarray(t, dtype=float)
        needed = (2 * threshold + (rate_cps - other_cps) * length) / ratio
        # A brighter dwell is seen with more photons than `needed`, a darker one (ratio < 0) with fewer.
        if ratio > 0:
            return np.asarray(poisson.sf(np.ceil(needed) - 1, rate_cps * length))
        return np.asarray(poisson.cdf(np.floor(needed), rate_cps * length))

    return chance


def law_density(fit: DwellFit, t: npt.ArrayLike) -> FloatArray:
    """Density (1/s) of a fitted law at lengths t within its limits, without the chance of being seen."""
    upper = None if math.isinf(fit.upper_s) else fit.upper_s
    at = np.asarray(t, dtype=float)
    inner = _inside(fit.law, list(fit.parameters.values()))
    norm = _Problem(fit.law, np.array([fit.lower_s]), fit.lower_s, upper, None).log_norm(inner)
    return np.asarray(np.exp(_log_density(fit.law, inner, at) - norm))


def sample_law(
    law: str,
    parameters: dict[str, float],
    count: int,
    generator: np.random.Generator,
    *,
    lower_s: float,
    upper_s: float | None = None,
) -> FloatArray:
    """Dwells drawn from a law between its limits, by inversion of the cumulative sum over 2e4 points in ln
    t."""
    p = _inside(law, [parameters[name] for name in _NAMES[law]])
    upper = upper_s if upper_s is not None else _far(law, p, lower_s)
    u = np.linspace(math.log(lower_s), math.log(upper), 20_000)
    weight = np.exp(_log_density(law, p, np.exp(u)) + u)
    total = np.concatenate([[0.0], np.cumsum((weight[1:] + weight[:-1]) / 2)])
    return np.exp(np.interp(generator.uniform(0, total[-1], count), total, u))


class _Problem:
    """Likelihood of one law in parameters without bounds: exponent as it is, times and widths as
    logarithms. objective: -ln(likelihood) of them, where it is another one than that of lone dwells."""

    def __init__(
        self,
        law: str,
        t: FloatArray,
        lower: float,
        upper: float | None,
        chance: Chance | None,
        objective: Callable[[FloatArray], float] | None = None,
    ) -> None:
        self.law, self.t, self.lower, self.upper, self.chance = law, t, lower, upper, chance
        self.objective = objective
        seen = None if chance is None else chance(t)
        if seen is not None and np.any(seen <= 0):
            raise OptionError("dwells that could not have been seen", fix="raise the lower limit")
        self.seen = 0.0 if seen is None else float(np.log(seen).sum())

    def log_norm(self, p: FloatArray) -> float:
        """ln of the integral of the bare density (times the chance) between the limits."""
        law = self.law
        if self.chance is None and law == "power-law":
            a = p[0]
            if self.upper is None:
                return (1 - a) * math.log(self.lower) - math.log(a - 1) if a > 1 else math.inf
            log_ratio = math.log(self.upper / self.lower)
            x = (1 - a) * log_ratio
            share = log_ratio if abs(x) < 1e-9 else math.expm1(x) / (1 - a)
            return (1 - a) * math.log(self.lower) + math.log(share)
        if law == "power-law" and self.upper is None and p[0] <= 1.0:
            return math.inf
        top = self.upper if self.upper is not None else _far(law, p, self.lower)
        if not top > self.lower:
            return math.inf  # a law that ends where the dwells begin: its norm is lost in rounding
        x, w = _gauss(1 if self.chance is None else _PANELS)
        span = math.log(top / self.lower) / 2
        u = math.log(self.lower) + span * (x + 1)
        t = np.exp(u)
        log = _log_density(law, p, t) + u
        if self.chance is not None:
            with np.errstate(divide="ignore"):
                log = log + np.log(self.chance(t))
        peak = float(log.max())
        if not math.isfinite(peak):
            return math.inf
        return peak + math.log(span * float(w @ np.exp(log - peak)))

    def loss(self, p: FloatArray) -> float:
        if self.objective is not None:
            return self.objective(p)
        norm = self.log_norm(p)
        if not math.isfinite(norm):
            return 1e300
        value = len(self.t) * norm - float(_log_density(self.law, p, self.t).sum()) - self.seen
        return value if math.isfinite(value) else 1e300

    def starts(self) -> list[list[float]]:
        mean, logs = float(self.t.mean()), np.log(self.t)
        pure = 1 + len(self.t) / max(float((logs - math.log(self.lower)).sum()), 1e-12)
        return {
            "power-law": [[pure]],
            "truncated-power-law": [[min(pure, 2.0) - 0.5, math.log(3 * mean)], [pure, math.log(30 * mean)]],
            "exponential": [[math.log(max(mean - self.lower, mean / 10))]],
            "stretched": [[0.0, math.log(mean)], [-0.7, math.log(mean / 3)]],
            "lognormal": [
                [float(logs.mean()), math.log(max(float(logs.std()), 0.05))],
                [math.log(self.lower), math.log(2 * max(float(logs.std()), 0.05))],
            ],
        }[self.law]

    def maximise(self) -> FloatArray:
        from scipy.optimize import minimize

        best, least = np.zeros(0), math.inf
        # An objective of its own is slow: it is searched from where the lone dwells lead.
        starts = self.starts()
        fine = 1e-6
        if self.objective is not None:
            starts = [list(_Problem(self.law, self.t, self.lower, self.upper, None).maximise())]
            fine = 1e-4
        for start in starts:
            found = minimize(
                self.loss, start, method="Nelder-Mead",
                options={"xatol": fine, "fatol": fine, "maxfev": 4000, "maxiter": 4000},
            )  # fmt: skip
            if found.fun < least:
                best, least = np.asarray(found.x, dtype=float), float(found.fun)
        return best

    def covariance(self, best: FloatArray) -> FloatArray | None:
        k = len(best)
        step = 1e-3 * np.maximum(np.abs(best), 0.3)
        if self.objective is not None:  # one from tables is smooth to 1e-6 only
            step = np.full(k, 0.02)
        hessian = np.zeros((k, k))
        centre = self.loss(best)
        for i in range(k):
            for j in range(i, k):
                e, f = np.zeros(k), np.zeros(k)
                e[i], f[j] = step[i], step[j]
                if i == j:
                    value = (self.loss(best + e) - 2 * centre + self.loss(best - e)) / step[i] ** 2
                else:
                    value = (
                        self.loss(best + e + f) - self.loss(best + e - f)
                        - self.loss(best - e + f) + self.loss(best - e - f)
                    ) / (4 * step[i] * step[j])  # fmt: skip
                hessian[i, j] = hessian[j, i] = value
        try:
            inverse = np.linalg.inv(hessian)
        except np.linalg.LinAlgError:
            return None
        return np.asarray(inverse) if np.all(np.diag(inverse) > 0) else None

    def limit(self, best: FloatArray, i: int, width: float, top: float) -> float | None:
        """Where the profile of parameter i falls by 1.92 (95 %) in the direction of `width`; None if it
        never does."""
        from scipy.optimize import brentq, minimize_scalar

        def excess(x: float) -> float:
            p = best.copy()
            p[i] = x
            loss = self.loss(p)
            if len(best) == 2:  # no law has more parameters
                other = 1 - i

                def inner(q: float) -> float:
                    p[other] = q
                    return self.loss(p)

                near = best[other]
                found = minimize_scalar(inner, bracket=(near - 0.1, near + 0.1), options={"xtol": 1e-4})
                loss = min(loss, float(found.fun))
            return loss + top - 1.9207294

        far = 1.96 * width
        for _ in range(12):
            if excess(best[i] + far) > 0:
                edge = float(brentq(excess, best[i], best[i] + far, xtol=abs(width) * 3e-3))
                p = best.copy()
                p[i] = edge
                return self.outside(p)[i]
            far *= 1.5
        return None

    def outside(self, p: FloatArray) -> list[float]:
        """Parameters as they are told, from those of the search."""
        linear = {"power-law": (True,), "truncated-power-law": (True, False)}.get(self.law, (False, False))
        # a cut-off that the data do not ask for runs away until no number holds it
        return [float(x) if as_is else math.exp(min(x, 700.0)) for x, as_is in zip(p, linear, strict=False)]

    def slope(self, i: int, x: float) -> float:
        """d(told)/d(searched) of parameter i."""
        return 1.0 if self.law in ("power-law", "truncated-power-law") and i == 0 else math.exp(min(x, 700.0))


def _inside(law: str, told: Sequence[float]) -> FloatArray:
    linear = law in ("power-law", "truncated-power-law")
    return np.array([v if linear and i == 0 else math.log(v) for i, v in enumerate(told)])


def _log_density(law: str, p: FloatArray, t: FloatArray) -> FloatArray:
    """ln of the density without its normalisation, at parameters of the search."""
    if law == "power-law":
        return -p[0] * np.log(t)
    if law == "truncated-power-law":
        return -p[0] * np.log(t) - t * math.exp(min(-p[1], 700.0))
    if law == "exponential":
        return -t * math.exp(min(-p[0], 700.0))
    if law == "stretched":
        u = np.log(t) - p[1]
        b = math.exp(min(max(p[0], -5.0), 5.0))
        return (b - 1) * u - np.exp(np.minimum(b * u, 700.0))
    s = math.exp(min(max(p[1], -20.0), 300.0))
    return -((np.log(t) - p[0]) ** 2) / (2 * s * s) - np.log(t)


def _far(law: str, p: FloatArray, lower: float) -> float:
    """Where nothing of a law without an upper limit is left, to about 1e-16."""
    if law == "power-law":
        return lower * math.exp(min(40 / max(p[0] - 1, 0.05), 300.0))
    if law == "truncated-power-law":
        return lower + 45 * math.exp(min(p[1], 300.0))
    if law == "exponential":
        return lower + 45 * math.exp(min(p[0], 300.0))
    if law == "stretched":
        b = math.exp(min(max(p[0], -5.0), 5.0))
        start = math.exp(min(b * (math.log(lower) - p[1]), 700.0))
        return math.exp(min(p[1] + math.log(start + 45) / b, 300.0))
    s = math.exp(min(max(p[1], -20.0), 300.0))
    return math.exp(min(max(p[0], math.log(lower)) + 9 * s + 1e-6, 300.0))


def _within(dwells_s: npt.ArrayLike, lower_s: float, upper_s: float | None) -> FloatArray:
    t = np.asarray(dwells_s, dtype=float)
    if t.ndim != 1 or not np.isfinite(t).all() or np.any(t <= 0):
        raise OptionError("dwell times must be positive finite numbers of seconds")
    if not lower_s > 0 or (upper_s is not None and upper_s <= lower_s):
        raise OptionError("limits of the dwells", allowed="0 < lower < upper, in s")
    kept = t[(t >= lower_s) & (t <= (math.inf if upper_s is None else upper_s))]
    if len(kept) < _FEWEST:
        raise OptionError(
            f"{len(kept)} dwells between the limits",
            allowed=f"{_FEWEST} or more",
            fix="lower the lower limit",
        )
    return kept


@cache
def _gauss(panels: int) -> tuple[FloatArray, FloatArray]:
    """Nodes and weights on -1 to 1: one rule of 200 points gives smooth laws to 1e-12.

    A chance of being seen jumps where one photon more is needed: it wants many panels (of 20 points).
    """
    x, w = np.polynomial.legendre.leggauss(200 if panels == 1 else 20)
    start = np.linspace(-1, 1, panels + 1)[:-1]
    return ((start[:, None] + (x[None, :] + 1) / panels).ravel(), np.tile(w / panels, panels))
