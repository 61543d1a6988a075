"""`perolux burst fit`: every model on the same data, weighed by evidence; what the best one leaves known.

ln Z by importance sampling (`fitting.evidence`), Laplace beside it, BIC as a third; models start equal. Where
even the best leaves a misfit that photon noise does not make, or its fastest light is quicker than a fifth of
the response, that is said before anything else.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from perolux.collective.backwards.bunching import Bunching, bunching_rivals
from perolux.collective.backwards.data import BurstData
from perolux.collective.backwards.identify import (
    Combination,
    ProfileCurve,
    combinations,
    equivalent_spread,
    profile_curve,
)
from perolux.collective.backwards.likelihood import Problem, burst_problem
from perolux.collective.backwards.models import MODELS, photons_until
from perolux.collective.couplings import FloatArray
from perolux.errors import OptionError
from perolux.fitting.criteria import bic
from perolux.fitting.evidence import Evidence, evidence
from perolux.progress import Progress, silent

__all__ = ["Comparison", "ModelFit", "compare_models"]

_MISFIT_SIGMAS = 4.0
_QUICK = 0.2
_KEPT = 4000
SUPERFLUORESCENCE = "superfluorescence"


@dataclass(frozen=True, eq=False)
class ModelFit:
    """A model on the data. best: numbers at its top; intervals: 2.5, 50 and 97.5 % of the posterior. misfit:
    standard deviations by which Pearson's chi^2 exceeds what photon noise makes."""

    name: str
    problem: Problem = field(repr=False)
    evidence: Evidence = field(repr=False)
    best: dict[str, float]
    intervals: dict[str, tuple[float, float, float]]
    draws: dict[str, FloatArray] = field(repr=False)
    deviance: float
    bic: float
    misfit: float

    @property
    def expected(self) -> FloatArray:
        """Expected counts at the top, (J, T, L)."""
        return self.problem.expected(self.best)


@dataclass(frozen=True, eq=False)
class Comparison:
    """fits: by evidence, the best first; probabilities beside each other. quickest_ps: fall to 1/e of the
    best model's light at the highest fluence, before the response. profiles, known: of superfluorescence,
    where it is among the models. spread: (low, median, high) of the spread of energies, over Gamma, that
    would cost as much as the dephasing. bunching: of g2(0), where given."""

    data: BurstData
    fits: tuple[ModelFit, ...]
    probabilities: tuple[float, ...]
    quickest_ps: float
    profiles: tuple[ProfileCurve, ...]
    known: tuple[Combination, ...]
    spread: tuple[float, float, float] | None
    bunching: tuple[Bunching, ...]
    g2: tuple[float, float] | None
    warnings: tuple[str, ...]

    def fit(self, name: str) -> ModelFit | None:
        """The fit of a model, None where it was not asked for."""
        return next((one for one in self.fits if one.name == name), None)


def compare_models(
    data: BurstData,
    models: Sequence[str] | None = None,
    *,
    seed: int = 0,
    draws: int = 1500,
    identify: bool = True,
    g2: tuple[float, float] | None = None,
    progress: Progress = silent,
) -> Comparison:
    """Evidence and posterior of each model of `MODELS` (all if left out) for the same data.

    draws: of the last round of importance sampling; one seed gives one result. identify: profiles of
    superfluorescence too (some seconds). g2: value and error of a measured g2(0).
    """
    names = list(MODELS) if models is None else list(dict.fromkeys(models))
    wrong = [name for name in names if name not in MODELS]
    if wrong or not names:
        raise OptionError(f"no model {', '.join(wrong)}", where="--models", allowed=", ".join(MODELS))
    progress.start("models", len(names) + identify)
    fits = []
    for name in names:
        # the draws of a model do not depend on which others are asked for
        fits.append(fit_model(name, data, np.random.default_rng((seed, list(MODELS).index(name))), draws))
        progress.advance()
    fits.sort(key=lambda one: -one.evidence.log_evidence)
    logs = np.array([one.evidence.log_evidence for one in fits])
    weights = np.exp(logs - logs[0])
    own = next((one for one in fits if one.name == SUPERFLUORESCENCE), None)
    profiles: tuple[ProfileCurve, ...] = ()
    known: tuple[Combination, ...] = ()
    spread = None
    if own is not None and identify:
        profiles, known, spread = _identified(own)
    progress.finish()
    quickest = _quickest(fits[0])
    return Comparison(
        data, tuple(fits), tuple(float(one) for one in weights / weights.sum()), quickest, profiles, known,
        spread, bunching_rivals(*g2) if g2 is not None else (), g2, tuple(_warnings(data, fits, quickest)),
    )  # fmt: skip


def fit_model(name: str, data: BurstData, rng: np.random.Generator, draws: int = 1500) -> ModelFit:
    """Evidence and posterior of one model."""
    problem = burst_problem(name, data)
    found = evidence(
        problem.log_likelihood, len(problem.priors), rng, draws=draws, residuals=problem.residuals
    )
    best = problem.numbers(found.best)
    picked = found.resampled(_KEPT, rng)
    values = {
        prior.name: np.array([prior.at(float(u)) for u in picked[:, i]])
        for i, prior in enumerate(problem.priors)
    }
    ends = {
        key: tuple(float(one) for one in np.quantile(value, [0.025, 0.5, 0.975]))
        for key, value in values.items()
    }
    deviance = problem.deviance(best)
    return ModelFit(
        name, problem, found, best, ends, values, deviance,  # type: ignore[arg-type]
        bic(deviance, len(problem.priors), data.counts.size),
        _misfit(data.counts, problem.expected(best), len(problem.priors)),
    )  # fmt: skip


def _misfit(n: FloatArray, m: FloatArray, parameters: int) -> float:
    there = m > 1e-9
    chi2 = float(np.sum((n[there] - m[there]) ** 2 / m[there]))
    dof = max(int(there.sum()) - parameters, 1)
    # a cell's (n - m)^2/m has variance 2 + 1/m
    return (chi2 - dof) / math.sqrt(2.0 * dof + float(np.sum(1.0 / np.maximum(m[there], 1e-2))))


def _identified(
    own: ModelFit,
) -> tuple[tuple[ProfileCurve, ...], tuple[Combination, ...], tuple[float, float, float]]:
    top, best = own.evidence.log_likelihood, own.evidence.best
    profiles = tuple(
        profile_curve(own.problem, name, best, top) for name in ("coupled_number", "dephasing_over_gamma")
    )
    values = own.draws
    known = combinations(
        {
            "N": values["coupled_number"],
            "(g*/Gamma)": values["dephasing_over_gamma"],
            "Gamma": 1.0 / values["lifetime_ps"],
        }
    )
    few = slice(0, 400)
    spreads = [
        equivalent_spread(float(n), float(g))
        for n, g in zip(values["coupled_number"][few], values["dephasing_over_gamma"][few], strict=True)
    ]
    low, middle, high = (float(one) for one in np.quantile(spreads, [0.025, 0.5, 0.975]))
    return profiles, known, (low, middle, high)


def _quickest(fit: ModelFit) -> float:
    """Time in which the light at the highest fluence falls from its peak to 1/e, before the response."""
    data = fit.problem.data
    span = float(data.edges_ps[-1] - data.edges_ps[0])
    times = np.concatenate([[0.0], np.geomspace(1e-4 * span, span, 3000)])
    base, second = photons_until(fit.name, fit.best, data.fluences[-1:], times)
    rate = np.diff(base[0] + second[0]) / np.diff(times)
    peak = int(np.argmax(rate))
    below = np.flatnonzero(rate[peak:] < rate[peak] / math.e)
    middle = 0.5 * (times[1:] + times[:-1])
    return float(middle[peak + below[0]] - middle[peak]) if len(below) else span


def _warnings(data: BurstData, fits: Sequence[ModelFit], quickest: float) -> list[str]:
    told = []
    best = fits[0]
    if best.misfit > _MISFIT_SIGMAS:
        told.append(
            f"no model fits: the best, {best.name}, misses by {best.misfit:.0f} standard deviations of "
            "photon noise; "
            "its evidence says only that the others are worse"
        )
    blur = data.response.sigma_ps
    if blur > 0.0 and quickest < _QUICK * 2.355 * blur:
        told.append(
            f"the quickest light falls in {quickest:.2g} ps, below a fifth of the response: take it as an "
            "upper "
            "limit"
        )
    if len(data.fluences) == 1:
        told.append(
            "one fluence: what a fluence changes is not tested, and the excitation is known only by its shape"
        )
    early, _, late = best.intervals["pulse_ps"]
    if late - early > 2.0 * max(blur, float(np.diff(data.edges_ps).min())):
        told.append(
            f"the time of the pulse is known to {late - early:.2g} ps only: a delay is hard to see; give "
            "--zero"
        )
    if any(one.evidence.effective < 100.0 for one in fits):
        names = ", ".join(one.name for one in fits if one.evidence.effective < 100.0)
        told.append(f"few independent draws ({names}): the evidence is good to about 0.3 only")
    if len(fits) > 1 and fits[0].evidence.log_evidence - fits[1].evidence.log_evidence < 3.0:
        told.append(f"{fits[1].name} is not excluded: its evidence is within a factor of 20")
    return told


def record_of(found: Comparison) -> dict[str, Any]:
    """Plain JSON of a comparison."""
    data = found.data
    best = found.fits[0]
    return {
        "best": best.name,
        "warnings": list(found.warnings),
        "models": [
            {
                "model": one.name,
                "title": MODELS[one.name].title,
                "probability": probability,
                "log_evidence": one.evidence.log_evidence,
                "log_evidence_error": one.evidence.error,
                "log_evidence_laplace": one.evidence.laplace if math.isfinite(one.evidence.laplace) else None,
                "log_evidence_below_best": best.evidence.log_evidence - one.evidence.log_evidence,
                "bic": one.bic,
                "deviance": one.deviance,
                "cells": int(data.counts.size),
                "free_parameters": len(one.problem.priors),
                "misfit_sigmas": one.misfit,
                "effective_draws": one.evidence.effective,
                "evaluations": one.evidence.evaluations,
                "parameters": {
                    prior.name: dict(
                        zip(("low95", "median", "high95"), one.intervals[prior.name], strict=True)
                    )
                    | {"best": one.best[prior.name]}
                    for prior in one.problem.priors
                },
            }
            for one, probability in zip(found.fits, found.probabilities, strict=True)
        ],
        "quickest_fall_ps": found.quickest_ps,
        "identified": _identified_record(found),
        "g2": None
        if found.g2 is None
        else {
            "value": found.g2[0],
            "sigma": found.g2[1],
            "hypotheses": [
                {
                    "name": one.name, "log_evidence": one.log_evidence, "probability": one.probability,
                    "lowest": one.low, "highest": one.high,
                }
                for one in found.bunching
            ],
        },
        "priors": [
            {
                "name": prior.name, "law": prior.law, "low": prior.low, "high": prior.high,
                "meaning": prior.meaning, "kind": prior.kind, "reason": prior.reason,
            }
            for prior in {p.name: p for one in found.fits for p in one.problem.priors}.values()
        ],
        "data": {
            "fluences": [float(one) for one in data.fluences],
            "fluence_unit": data.fluence_unit,
            "counts": [float(one) for one in data.totals],
            "times_ps": [float(data.edges_ps[0]), float(data.edges_ps[-1])],
            "time_bins": len(data.edges_ps) - 1,
            "energy_bins": data.counts.shape[2],
            "response": data.response.note,
            "pulse_between_ps": list(data.zero_ps),
            "same_exposure": data.same_exposure,
            "notes": list(data.notes),
        },
    }  # fmt: skip


def _identified_record(found: Comparison) -> dict[str, Any] | None:
    own = found.fit(SUPERFLUORESCENCE)
    if own is None or not found.profiles or found.spread is None:
        return None
    return {
        "of": SUPERFLUORESCENCE,
        "profiles": [
            {
                "parameter": one.name,
                "low95": one.low,
                "high95": one.high,
                "open_reason": None
                if one.low is not None and one.high is not None
                else "ln L does not fall by 1.92 within the prior",
                "values": [float(x) for x in one.values],
                "log_likelihood_below_best": [float(x) for x in one.log_likelihood],
            }
            for one in found.profiles
        ],
        "combinations": [{"powers": one.powers, "factor": one.factor} for one in found.known],
        "energy_spread_over_gamma_at_most": dict(
            zip(("low95", "median", "high95"), found.spread, strict=True)
        ),
        "energy_spread_note": "a spread that would cost as much as the fitted dephasing; the two are "
        "not told apart",
    }
