"""What data of a burst tell, and what they do not: profiles, combinations, dephasing against spread.

Combinations: the posterior of ln N, ln(g*/Gamma), ln Gamma has principal axes; the shortest is the product of
powers that is known best, the longest the one that is known least.

A static spread of energies and dephasing both take the coherence of pairs: exp(-sigma^2 t^2) and exp(-2 g*
t). They do so equally where the integral under the rise of a burst, exp(-N Gamma t), is the same:

    sqrt(pi)/(2 sigma) erfcx(N/(2 sigma)) = 1/(N + 2 g*)        in units of Gamma

Against the exact solver (5 emitters, sigma 1 to 30 Gamma, `tests`) sigma comes out within a factor of 1.6,
and the two traces differ by 1 to 4 % of I(0): only better data than that tell one from the other.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from perolux.collective.backwards.likelihood import Problem
from perolux.collective.couplings import FloatArray
from perolux.errors import OptionError
from perolux.fitting.evidence import step_slopes

__all__ = [
    "Combination", "Known", "ProfileCurve", "combinations", "equivalent_spread", "expected_knowledge",
    "profile_curve",
]  # fmt: skip

Residuals = Callable[[FloatArray], FloatArray]
_DROP = 1.9207
"""Half of the 95 % point of chi^2 with one degree of freedom."""


@dataclass(frozen=True)
class ProfileCurve:
    """values (n,) of one parameter, log_likelihood (n,) less the best with all others free. low, high:
    where it
    falls by 1.92 (95 %), None where it does not within the prior."""

    name: str
    values: FloatArray
    log_likelihood: FloatArray
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Combination:
    """A product of powers; factor: exp of its standard deviation, 1 for a number that is known exactly."""

    powers: dict[str, float]
    factor: float

    @property
    def text(self) -> str:
        """As in "N^1 g*^-0.52"."""
        return " ".join(f"{name}^{power:.2g}" for name, power in self.powers.items())


def combinations(values: dict[str, FloatArray]) -> tuple[Combination, ...]:
    """Products of powers by how well draws (n,) of positive parameters know them, the best first.

    >>> rng = np.random.default_rng(0)
    >>> x = np.exp(rng.standard_normal(4000))
    >>> found = combinations({"a": x, "b": np.exp(0.01 * rng.standard_normal(4000)) / x})
    >>> {name: round(power, 1) for name, power in found[0].powers.items()}
    {'a': 1.0, 'b': 1.0}
    """
    names = list(values)
    logs = np.log(np.stack([values[name] for name in names]))
    spread, axes = np.linalg.eigh(np.atleast_2d(np.cov(logs)))
    found = []
    for variance, axis in zip(spread, axes.T, strict=True):
        k = int(np.argmax(np.abs(axis)))
        powers = axis / axis[k]
        # the width is that of the product as it is written, its largest power 1
        factor = math.exp(math.sqrt(max(float(variance), 0.0)) / abs(float(axis[k])))
        found.append(Combination(dict(zip(names, (float(one) for one in powers), strict=True)), factor))
    return tuple(found)


@dataclass(frozen=True)
class Known:
    """What data are expected to tell of a parameter. left: its standard deviation over that of its prior (1:
    nothing is learnt); spread: its own, a factor where the law is uniform in the logarithm; partner: the
    parameter that it goes with most, and their correlation."""

    name: str
    left: float
    spread: float
    partner: str
    correlation: float


def expected_knowledge(problem: Problem, numbers: dict[str, float]) -> tuple[Known, ...]:
    """Spread of each parameter before any count is taken, from Fisher's matrix at `numbers`.

        F = sum over cells of (dm/du_i)(dm/du_j)/m + 12 (i = j),   u: share of the prior below the parameter

    12 stands for the variance 1/12 of the flat prior, so that no spread exceeds the prior's. Valid where the
    posterior is about a Gaussian within the prior; bent ridges are wider. Counts set only the totals.
    """
    u = np.array([prior.share(numbers[prior.name]) for prior in problem.priors])
    if not np.all((u >= 0.0) & (u <= 1.0)):
        wrong = [one.name for one, x in zip(problem.priors, u, strict=True) if not 0.0 <= x <= 1.0]
        raise OptionError(f"{', '.join(wrong)} outside of its prior", where="numbers")
    here = problem.expected(numbers).ravel()
    slopes = np.empty((len(here), len(u)))
    for i in range(len(u)):
        # both sides: tables have kinks at whole numbers of emitters
        low, high = u.copy(), u.copy()
        low[i], high[i] = max(u[i] - 1e-3, 0.0), min(u[i] + 1e-3, 1.0)
        change = problem.expected(problem.numbers(high)) - problem.expected(problem.numbers(low))
        slopes[:, i] = change.ravel() / (high[i] - low[i])
    information = (slopes / np.maximum(here, 1e-12)[:, None]).T @ slopes + 12.0 * np.eye(len(u))
    covariance = np.linalg.inv(information)
    sd = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(sd, sd) - np.eye(len(u))
    found = []
    for i, prior in enumerate(problem.priors):
        k = int(np.argmax(np.abs(correlation[i])))
        if prior.law == "log":
            spread = math.exp(float(sd[i]) * math.log(prior.high / prior.low))
        else:
            spread = float(sd[i]) * (prior.high - prior.low)
        left = float(sd[i]) * math.sqrt(12.0)
        found.append(Known(prior.name, left, spread, problem.priors[k].name, float(correlation[i, k])))
    return tuple(found)


def profile_curve(
    problem: Problem, name: str, best: FloatArray, log_likelihood: float, points: int = 9
) -> ProfileCurve:
    """ln L of one parameter with all others at their best, from `best` (u) outward to both ends of its prior.

    points: on each side, fewer where ln L has fallen by 6. A value above `log_likelihood` (the best known)
    makes the curve's own maximum the zero.
    """
    from scipy.optimize import least_squares

    k = [one.name for one in problem.priors].index(name)
    others = [i for i in range(len(best)) if i != k]
    prior = problem.priors[k]
    found: dict[float, float] = {float(best[k]): log_likelihood}
    for end in (0.001, 0.999):
        z = np.clip(np.log(best[others] / (1.0 - best[others])), -7.9, 7.9)
        # steps grow from a fiftieth of the way
        for part in np.geomspace(0.02, 1.0, points):
            u = best.copy()
            u[k] = best[k] + part * (end - best[k])

            def residuals(at: FloatArray, u: FloatArray = u) -> FloatArray:
                u[others] = 1.0 / (1.0 + np.exp(-at))
                return problem.residuals(u)

            def slopes(at: FloatArray, f: Residuals = residuals) -> FloatArray:
                return step_slopes(f, at)

            top = least_squares(
                residuals, z, jac=slopes, bounds=(-8.0, 8.0), max_nfev=25, xtol=1e-5, ftol=1e-6
            )
            z = np.clip(top.x, -7.9, 7.9)
            found[float(u[k])] = -float(top.cost)
            if -float(top.cost) < log_likelihood - 6.0:
                break
    at = np.array(sorted(found))
    height = np.array([found[one] for one in at])
    height = height - height.max()
    values = np.array([prior.at(one) for one in at])
    peak = int(np.argmax(height))
    return ProfileCurve(
        name, values, height, _crossing(values[: peak + 1][::-1], height[: peak + 1][::-1]),
        _crossing(values[peak:], height[peak:]),
    )  # fmt: skip


def _crossing(values: FloatArray, height: FloatArray) -> float | None:
    below = np.flatnonzero(height < -_DROP)
    if not len(below):
        return None
    k = int(below[0])
    # the root of the fall is about even in the parameter
    a, b = math.sqrt(-height[k - 1]), math.sqrt(-height[k])
    part = (math.sqrt(_DROP) - a) / (b - a)
    return float(values[k - 1] + part * (values[k] - values[k - 1]))


def equivalent_spread(coupled: float, dephasing: float) -> float:
    """Standard deviation of emitter energies (hbar Gamma) that costs a burst of `coupled` emitters as much as
    the dephasing g* (Gamma): an upper limit of the spread, as real dephasing is part of a fitted g*.

    >>> round(equivalent_spread(5.0, 4.0), 1)
    8.5
    """
    from scipy.optimize import brentq
    from scipy.special import erfcx

    if not (coupled >= 1.0 and dephasing > 0.0):
        raise OptionError(f"{coupled:g} emitters, dephasing {dephasing:g}", allowed="1 and more, above 0")

    def excess(log_sigma: float) -> float:
        sigma = math.exp(log_sigma)
        held = math.sqrt(math.pi) / (2.0 * sigma) * float(erfcx(coupled / (2.0 * sigma)))
        return math.log(held * (coupled + 2.0 * dephasing))

    return math.exp(float(brentq(excess, math.log(1e-6), math.log(1e8), xtol=1e-10)))
