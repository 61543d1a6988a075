"""How often the true model of a burst wins, and how often its intervals hold the truth: simulated data.

10000 photons at each of three fluences (10, 50, 250), bins of 2 ps from -20 to 400 ps, a Gaussian response of
4 ps, the pulse within 10 ps; all models fitted. With every parameter drawn from its prior (pulse and
background too) and each model as often, theory leaves no choice: intervals of 95 % hold 95 % of the truths,
ranks of truths in their posteriors are uniform, and of all models that got the probability p the share p is
true. What deviates is a fault of the sampler, of the likelihood or of the arithmetic.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from perolux.collective.backwards.compare import compare_models
from perolux.collective.backwards.data import BurstData, burst_data
from perolux.collective.backwards.likelihood import burst_problem
from perolux.collective.backwards.models import MODELS
from perolux.collective.backwards.simulate import simulated_counts
from perolux.collective.instruments.response import GaussianBlur

__all__ = ["TYPICAL", "study_axes", "study_set"]

EDGES = np.arange(-20.0, 401.0, 2.0)
FLUENCES = np.array([10.0, 50.0, 250.0])
TYPICAL = {
    "lifetime_ps": 400.0, "saturation_fluence": 100.0, "coupled_number": 20.0, "dephasing_over_gamma": 10.0,
    "uncoupled_share": 0.2, "gain_length": 10.0, "guided_share": 0.1, "transit_ps": 1.0, "auger_ps": 40.0,
    "radiative_scaling": 3.0, "second_share": 0.4, "lifetime_ratio": 0.2, "bimolecular_fluence": 50.0,
    "pulse_ps": 0.0, "background_per_ps": 0.3,
}  # fmt: skip


def study_axes(photons: float = 10_000.0) -> BurstData:
    """The axes of all data here, with even counts that set the prior of the background alone."""
    even = np.full((len(FLUENCES), len(EDGES) - 1), photons / (len(EDGES) - 1.0))
    return burst_data(
        EDGES, even, GaussianBlur(4.0), fluences=FLUENCES, zero_ps=(-10.0, 10.0), join=False
    )  # fmt: skip


def study_set(
    name: str, seed: int, photons: float = 10_000.0, *, typical: bool = False, rivals: bool = True
) -> dict[str, Any]:
    """One simulated set of the model `name`: winner, evidence, and where the truth lies in each posterior.

    typical: parameters of `TYPICAL`, a clear case of each model, in place of those drawn from the prior.
    rivals: left out where only intervals are wanted, five times as quick; those of the model are the same.
    ranks: share of the posterior below the truth; hits: whether the interval of 95 % holds it; left: share of
    the prior that it spans, over 0.95 (1 where the data say nothing).
    """
    rng = np.random.default_rng((seed, list(MODELS).index(name), 77))
    blank = study_axes(photons)
    truth = dict(TYPICAL)
    if not typical:
        truth = {prior.name: prior.at(float(rng.random())) for prior in burst_problem(name, blank).priors}
    made = simulated_counts(name, truth, blank, np.full(len(FLUENCES), photons), rng)
    data = burst_data(EDGES, made.counts, made.response, fluences=FLUENCES, zero_ps=(-10.0, 10.0))
    found = compare_models(data, None if rivals else [name], seed=seed, draws=900, identify=False)
    own = next(fit for fit in found.fits if fit.name == name)
    bics = {fit.name: fit.bic for fit in found.fits}
    draws, weights = own.evidence.draws, own.evidence.weights
    ranks = {
        prior.name: float(weights[draws[:, i] < prior.share(truth[prior.name])].sum())
        for i, prior in enumerate(own.problem.priors)
    }
    left = {}
    for prior in own.problem.priors:
        low, _, high = own.intervals[prior.name]
        left[prior.name] = (prior.share(high) - prior.share(low)) / 0.95
    return {
        "truth": name,
        "seed": seed,
        "typical": typical,
        "rivals": rivals,
        "photons": photons,
        "numbers": {prior.name: truth[prior.name] for prior in own.problem.priors},
        "winner": found.fits[0].name,
        "by_bic": min(bics, key=lambda key: bics[key]),
        "probabilities": dict(zip((fit.name for fit in found.fits), found.probabilities, strict=True)),
        "log_evidence": {fit.name: fit.evidence.log_evidence for fit in found.fits},
        "effective": {fit.name: fit.evidence.effective for fit in found.fits},
        "ranks": ranks,
        "left": left,
        "hits": {key: bool(low <= truth[key] <= high) for key, (low, _, high) in own.intervals.items()},
        "misfit": own.misfit,
    }
