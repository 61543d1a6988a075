"""Fits of bursts: one likelihood of each model, one comparison of all five."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from benchmarks.timing import median_cpu, row
from perolux.collective.backwards.compare import compare_models
from perolux.collective.backwards.data import burst_data
from perolux.collective.backwards.likelihood import burst_problem
from perolux.collective.backwards.models import MODELS
from perolux.collective.backwards.simulate import simulated_counts
from perolux.collective.backwards.study import EDGES, FLUENCES, TYPICAL, study_axes


def run() -> list[dict[str, Any]]:
    """A clear case of superfluorescence, 30 000 photons at three fluences."""
    made = simulated_counts(
        "superfluorescence", TYPICAL, study_axes(), np.full(3, 10_000.0), np.random.default_rng(0)
    )
    data = burst_data(EDGES, made.counts, made.response, fluences=FLUENCES, zero_ps=(-10.0, 10.0))
    rows = []
    for name in MODELS:
        problem = burst_problem(name, data)
        u = np.array([one.share(TYPICAL[one.name]) for one in problem.priors])
        rows.append(
            row(f"likelihood of one point, {name}", median_cpu(lambda p=problem, u=u: p.log_likelihood(u)))
        )
    start = time.process_time()
    found = compare_models(data, draws=900, identify=False)
    seconds = time.process_time() - start
    asked = sum(fit.evidence.evaluations for fit in found.fits)
    rows.append(
        row("evidence of all five models, tables made on the way", seconds, note=f"{asked} likelihoods")
    )
    return rows
