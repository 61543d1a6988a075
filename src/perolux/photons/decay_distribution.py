"""Distributions of lifetimes of one decay by three methods, side by side, with intervals by Poisson
bootstrap.

    m_i = e_i (sum_k N_k p_k(i) + B),   N_k >= 0 photons of the lifetime tau_k, even in ln(tau)

    mean, sd of ln(tau)     weighted by photons N_k
    average by amplitude    sum(N)/sum(N/tau)
    average by intensity    sum(N tau)/sum(N)

likelihood: the true maximum (`distribution_likely`), which is a few spikes whatever the sample is. entropy
and curvature: smooth answers of the same data (`distribution_smooth`). Where the three agree the data speak,
where they differ the methods do. Intervals of moments come from fits to counts drawn from the fit, its
weight kept, reflected at the value (basic bootstrap): amplitudes that cannot be negative push widths and
averages up, for the drawn counts as for the real ones, so that a value may lie at an end of its interval, or
past it. Plain percentiles held the truth in as few as 8 of 20 records. Bands of single lifetimes are the
scatter alone. A width is told beside the width that a single lifetime would show here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.errors import ConvergenceError, OptionError
from perolux.photons.decay_result import Histogram
from perolux.photons.distribution_grid import Tabulated, grid_of, tabulate
from perolux.photons.distribution_likely import most_likely, value_of
from perolux.photons.distribution_smooth import (
    basis_of,
    by_cross_validation,
    by_evidence,
    curvature_fit,
    entropy_fit,
)

__all__ = ["MOMENTS", "SPIKES", "LifetimeDistribution", "MethodResult", "Peak", "fit_distribution"]

FloatArray = npt.NDArray[np.float64]

MOMENTS = ("mean_ln_tau", "sd_ln_tau", "average_amplitude_ns", "average_intensity_ns", "background")
SPIKES = (
    "the distribution of greatest likelihood is a few spikes whatever the sample is: their number, "
    "places and "
    "heights are no finding; moments are"
)
_LEAST_SHARE = 0.01
"""Peaks with a smaller share of the photons are left out of the list."""
_BROAD = 1.5
"""A peak this many times as wide as a single lifetime would show is called broad."""
_APART = 0.05
"""Relative spread of the methods in an average lifetime from which it is a warning."""


@dataclass(frozen=True)
class Peak:
    """One peak: its mean lifetime (geometric), the sd of ln(tau), its share of the photons. single_sd: the
    sd that a single lifetime of as many photons would show there; None where that fit did not converge.
    """

    tau_ns: float
    sd_ln_tau: float
    share: float
    single_sd: float | None

    @property
    def broad(self) -> bool | None:
        """Whether it is clearly wider than a single lifetime would be; None where that is not known."""
        return None if self.single_sd is None else self.sd_ln_tau > _BROAD * max(self.single_sd, 1e-3)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "tau_ns": self.tau_ns,
            "sd_ln_tau": self.sd_ln_tau,
            "share_of_photons": self.share,
            "sd_ln_tau_of_a_single_lifetime": self.single_sd,
            "broad": self.broad,
        }


@dataclass(frozen=True, eq=False)
class MethodResult:
    """One method's distribution.

    photons: of each lifetime over all times (with a period: per period), shape (k,); photons_low,
    photons_high: their intervals. weight: of the penalty, None for the likelihood; criterion: how it was
    chosen. moments: name -> (value, low, high); sd 0 where one lifetime is left. peaks: by lifetime. gap:
    how much ln L may still rise at most (likelihood only). expected: the model of the bins used.
    """

    name: str
    criterion: str
    weight: float | None
    photons: FloatArray
    photons_low: FloatArray | None
    photons_high: FloatArray | None
    background: float
    moments: dict[str, tuple[float, float | None, float | None]]
    peaks: tuple[Peak, ...]
    deviance: float
    gap: float | None
    expected: FloatArray

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "criterion": self.criterion,
            "weight": self.weight,
            "photons": self.photons.tolist(),
            "photons_low": None if self.photons_low is None else self.photons_low.tolist(),
            "photons_high": None if self.photons_high is None else self.photons_high.tolist(),
            "moments": {
                name: {"value": value, "low": low, "high": high}
                for name, (value, low, high) in self.moments.items()
            },
            "peaks": [one.as_dict() for one in self.peaks],
            "deviance": self.deviance,
            "log_likelihood_may_rise_by": self.gap,
        }


@dataclass(frozen=True, eq=False)
class LifetimeDistribution:
    """Distributions of one histogram; methods: likelihood, entropy, curvature. spread: of each moment over
    the methods (least, greatest). level: of the intervals; resamples: fits behind them.
    """

    tau_ns: FloatArray
    methods: tuple[MethodResult, ...]
    spread: dict[str, tuple[float, float]]
    level: float
    resamples: int
    warnings: tuple[str, ...]

    def __getitem__(self, name: str) -> MethodResult:
        for one in self.methods:
            if one.name == name:
                return one
        raise OptionError(
            f"no method is called {name!r}", allowed=", ".join(one.name for one in self.methods)
        )

    def as_dict(self) -> dict[str, Any]:
        """For JSON; photons of each lifetime over all times."""
        return {
            "tau_ns": self.tau_ns.tolist(),
            "chosen": "entropy",
            "methods": {one.name: one.as_dict() for one in self.methods},
            "spread_of_methods": {
                name: {"least": low, "greatest": high} for name, (low, high) in self.spread.items()
            },
            "level": self.level,
            "resamples": self.resamples,
            "intervals": "moments: Poisson bootstrap from the fit, weight kept, reflected at the value; "
            "photons: scatter"
            if self.resamples
            else None,
            "warnings": [SPIKES, *self.warnings],
        }


def fit_distribution(
    h: Histogram,
    *,
    grid: tuple[float, float, int] | None = None,
    shift_ns: float = 0.0,
    background: float | None = None,
    resamples: int = 100,
    level: float = 0.95,
    rng: np.random.Generator | None = None,
) -> LifetimeDistribution:
    """The distribution of lifetimes of a histogram (`make_histogram`, or that of a `DecayFit`).

    grid: (shortest ns, longest ns, values); default as `grid_of`. shift_ns: of the response, as `fit_decay`
    finds it. background: counts per bin, where it is known; free, with the prior of a dark record in h where
    there is one, otherwise. resamples: fits of drawn counts behind the intervals, 0 for none, else 20 or
    more. rng: default seed 0. Raises `OptionError`, `ConvergenceError`.

    >>> from perolux.photons.decay_fit import make_histogram
    >>> decay = np.rint(2e4 * np.exp(-np.arange(200) * 0.1 / 3.0) + 5)
    >>> found = fit_distribution(make_histogram(decay, 0.1), resamples=0)
    >>> round(found["likelihood"].moments["average_intensity_ns"][0], 2)
    3.0
    """
    if resamples != 0 and not 20 <= resamples <= 2000:
        raise OptionError(f"{resamples} resamples", where="--resamples", allowed="0, or 20 to 2000")
    if not 0 < level < 1:
        raise OptionError(f"a level of {level:g}", allowed="between 0 and 1")
    generator = np.random.default_rng(0) if rng is None else rng
    problem = tabulate(h, grid_of(h, grid), shift_ns=shift_ns, background=background)
    basis = basis_of(problem)
    likely, gap = _likely(problem)
    entropy, entropy_weight, entropy_inside = by_evidence(problem, basis)
    curvature, curvature_weight, curvature_inside = by_cross_validation(problem, basis, generator)
    fits: list[tuple[str, str, float | None, FloatArray, Callable[[Tabulated], FloatArray]]] = [
        ("likelihood", "none: the maximum itself", None, likely, lambda one: _likely(one)[0]),
        (
            "entropy", "evidence", entropy_weight, entropy,
            lambda one: entropy_fit(one, basis, entropy_weight, entropy),
        ),
        (
            "curvature", "cross-validation, five folds of photons", curvature_weight, curvature,
            lambda one: curvature_fit(one, basis, curvature_weight, curvature),
        ),
    ]  # fmt: skip
    methods, failed = [], 0
    for name, criterion, weight, a, refit in fits:
        samples, lost = _resampled(problem, a, refit, resamples, generator)
        failed += lost
        methods.append(_result(problem, background, name, criterion, weight, a, samples, level, gap, refit))
    spread = {
        key: (min(x), max(x))
        for key in MOMENTS
        if (x := [one.moments[key][0] for one in methods]) is not None
    }
    said = _warnings(h, problem, methods, spread, entropy_inside, curvature_inside, failed, resamples)
    return LifetimeDistribution(problem.tau_ns, tuple(methods), spread, level, resamples, tuple(said))


def _likely(problem: Tabulated) -> tuple[FloatArray, float]:
    return most_likely(problem.counts, problem.columns, problem.fixed, ordered=len(problem.tau_ns))


def _resampled(
    problem: Tabulated, a: FloatArray, refit: Callable[[Tabulated], FloatArray], resamples: int,
    rng: np.random.Generator,
) -> tuple[list[FloatArray], int]:  # fmt: skip
    expected = problem.columns @ a + problem.fixed
    samples, failed = [], 0
    for _ in range(resamples):
        # a dark record is drawn like the rest: a count need not be whole there, and one more is no harm
        try:
            samples.append(refit(replace(problem, counts=rng.poisson(expected).astype(float))))
        except ConvergenceError:
            failed += 1
    if failed > 0.1 * resamples:
        raise ConvergenceError(
            f"{failed} of {resamples} resamples did not "
            "converge", fix="give no intervals (resamples=0), or a grid "
            "that begins later",
        )  # fmt: skip
    return samples, failed


def _result(
    problem: Tabulated, background: float | None, name: str, criterion: str, weight: float | None,
    a: FloatArray,
    samples: list[FloatArray], level: float, gap: float, refit: Callable[[Tabulated], FloatArray],
) -> MethodResult:  # fmt: skip
    k = len(problem.tau_ns)
    value = _moments(problem, a, background)
    ends: dict[str, tuple[float | None, float | None]] = dict.fromkeys(MOMENTS, (None, None))
    low = high = None
    if samples:
        tails = [(1 - level) / 2, (1 + level) / 2]
        drawn = [_moments(problem, one, background) for one in samples]
        for key in MOMENTS:
            first, last = np.quantile([one[key] for one in drawn], tails)
            # reflected: what the fits of drawn counts are off their own truth, this fit is off the sample's
            least = -math.inf if key == "mean_ln_tau" else 0.0
            ends[key] = (max(2 * value[key] - float(last), least), max(2 * value[key] - float(first), least))
        if background is not None:
            ends["background"] = (None, None)
        low, high = np.quantile(np.array([one[:k] / problem.unit[:k] for one in samples]), tails, axis=0)
    expected = problem.columns @ a + problem.fixed
    b = problem.bins
    return MethodResult(
        name,
        criterion,
        weight,
        a[:k] / problem.unit[:k],
        low,
        high,
        value["background"],
        {key: (value[key], *ends[key]) for key in MOMENTS},
        _peaks(problem, a, None if name == "likelihood" else refit),
        2 * value_of(problem.counts[:b], expected[:b]),
        gap if name == "likelihood" else None,
        expected[:b],
    )


def _moments(problem: Tabulated, a: FloatArray, background: float | None) -> dict[str, float]:
    tau, k = problem.tau_ns, len(problem.tau_ns)
    n = a[:k] / problem.unit[:k]
    logs, total = np.log(tau), max(float(n.sum()), 1e-300)
    mean = float(n @ logs) / total
    return {
        "mean_ln_tau": mean,
        "sd_ln_tau": math.sqrt(max(float(n @ (logs - mean) ** 2) / total, 0.0)),
        "average_amplitude_ns": total / max(float(n @ (1 / tau)), 1e-300),
        "average_intensity_ns": float(n @ tau) / total,
        "background": float(a[k] / problem.unit[k]) if background is None else background,
    }


def _peaks(
    problem: Tabulated, a: FloatArray, refit: Callable[[Tabulated], FloatArray] | None
) -> tuple[Peak, ...]:
    """Stretches of the grid between minima (spikes: between zeros), with the width of a single lifetime
    there.
    """
    k = len(problem.tau_ns)
    n, logs = a[:k] / problem.unit[:k], np.log(problem.tau_ns)
    found = []
    for low, high in _stretches(n):
        part = n[low:high]
        share = float(part.sum() / n.sum())
        if share < _LEAST_SHARE:
            continue
        mean, sd = _mean_sd(part, logs[low:high])
        single = None
        if refit is not None:
            # the same decay with this peak as one lifetime, without noise
            other = a.copy()
            other[low:high] = 0.0
            place = float(np.clip((mean - logs[0]) / (logs[1] - logs[0]), 0, k - 1.000001))
            j, u = int(place), place - int(place)
            other[j] += (1 - u) * float(a[low:high].sum())
            other[j + 1] += u * float(a[low:high].sum())
            try:
                again = refit(replace(problem, counts=problem.columns @ other + problem.fixed))
                single = _mean_sd(again[low:high] / problem.unit[low:high], logs[low:high])[1]
            except ConvergenceError:
                single = None
        found.append(Peak(math.exp(mean), sd, share, single))
    return tuple(found)


def _mean_sd(n: FloatArray, logs: FloatArray) -> tuple[float, float]:
    total = max(float(n.sum()), 1e-300)
    mean = float(n @ logs) / total
    return mean, math.sqrt(max(float(n @ (logs - mean) ** 2) / total, 0.0))


def _stretches(n: FloatArray) -> list[tuple[int, int]]:
    """(first, end) around each maximum that stands 5 % above the lower of the minima beside it."""
    cuts = [0]
    peak, valley, place = n[0], n[0], 0
    rising = True
    for i in range(1, len(n)):
        if rising:
            peak = max(peak, n[i])
            if n[i] < 0.95 * peak:
                rising, valley, place = False, n[i], i
        elif n[i] <= valley:
            valley, place = n[i], i
        elif n[i] > max(valley / 0.95, 1e-6 * float(n.max())):
            cuts.append(place)
            rising, peak = True, n[i]
    return [(a, b) for a, b in zip(cuts, [*cuts[1:], len(n)], strict=True) if b > a]


def _warnings(
    h: Histogram, problem: Tabulated, methods: list[MethodResult], spread: dict[str, tuple[float, float]],
    entropy_inside: bool, curvature_inside: bool, failed: int, resamples: int,
) -> list[str]:  # fmt: skip
    said = []
    for key, words in (
        ("average_amplitude_ns", "weighted by amplitude"),
        ("average_intensity_ns", "weighted by intensity"),
    ):
        low, high = spread[key]
        if high > (1 + _APART) * low:
            said.append(
                f"the methods differ in the average lifetime {words}: {low:.4g} to {high:.4g} ns; the "
                "counts do not "
                "say which"
            )
    if not entropy_inside:
        said.append(
            "the evidence has no peak among the weights tried: the entropy's weight is at an end of the range"
        )
    if not curvature_inside:
        said.append(
            "cross-validation is best at an end of the weights tried: the curvature is hardly held down, "
            "or wholly"
        )
    n = problem.counts[: problem.bins]
    for one in methods[:1]:
        m = np.maximum(one.expected, 1e-12)
        chi2 = float(np.sum((n - m) ** 2 / m))
        dof = max(problem.bins - 2 * len(one.peaks) - 1, 1)
        if chi2 > dof + 4 * math.sqrt(2 * dof + float(np.sum(1 / m))):
            said.append(
                "no distribution on this grid describes the counts to their noise (Pearson's chi2 per "
                "degree of "
                f"freedom {chi2 / dof:.3g}): the distributions follow what is wrong, and intervals are too "
                "narrow"
            )
    ends = []
    for one in methods:
        shares = one.photons / max(float(one.photons.sum()), 1e-300)
        ends += [i for i in (0, len(shares) - 1) if shares[i] > _LEAST_SHARE]
    if 0 in ends:
        said.append(
            "photons pile up at the shortest lifetime of the grid: begin it earlier, or check the response"
        )
    if any(ends):
        said.append(
            "photons pile up at the longest lifetime of the grid: slow light and background cannot be told "
            "apart"
        )
    if failed:
        said.append(f"{failed} of {3 * resamples} resamples did not converge and are left out")
    return said
