"""Nested sampling: evidence by shrinking the prior, the slow check of `evidence`.

The worst of the live points is replaced by one above it; each step leaves exp(-1/live) of the prior mass on
average. Skilling, Bayesian Anal. 1, 833 (2006): recalled. New points walk along differences of live points.
"""

from __future__ import annotations

import math

import numpy as np

from perolux.errors import OptionError
from perolux.fitting.evidence import LogLikelihood

__all__ = ["nested_evidence"]


def nested_evidence(
    log_likelihood: LogLikelihood,
    parameters: int,
    rng: np.random.Generator,
    *,
    live: int = 200,
    steps: int = 25,
    left: float = 0.01,
) -> tuple[float, float]:
    """ln Z and its standard error by nested sampling: a check of `evidence`, some 1e5 likelihoods.

    live: points; steps: accepted or refused moves along differences of live points for each new one. Ends
    where the live points can add no more than the share `left`. Error sqrt(H/live), H the information.

    >>> rng = np.random.default_rng(0)
    >>> bell = lambda u: -0.5 * float(np.sum(((u - 0.5) / 0.05) ** 2))
    >>> value, error = nested_evidence(bell, 2, rng, live=50)
    >>> abs(value - math.log(2 * math.pi * 0.0025)) < 4 * error
    True
    """
    if live < 10 or steps < 1:
        raise OptionError(f"{live} live points", allowed="10 and more, steps of 1 and more")
    points = rng.random((live, parameters))
    heights = np.array([log_likelihood(u) for u in points])
    log_z, information, log_width = -math.inf, 0.0, math.log(-math.expm1(-1.0 / live))
    for i in range(200 * live):
        worst = int(np.argmin(heights))
        floor = float(heights[worst])
        term = floor + log_width
        new = np.logaddexp(log_z, term)
        if new > -math.inf and term > -math.inf:
            before = 0.0 if log_z == -math.inf else math.exp(log_z - new) * (information + log_z)
            information = math.exp(term - new) * floor + before - new
        log_z = float(new)
        log_width -= 1.0 / live
        if float(np.max(heights)) - i / live < log_z + math.log(left):
            break
        at = int(rng.integers(live - 1))
        at += at >= worst
        u, height = points[at].copy(), heights[at]
        for _ in range(steps):
            a, b = rng.integers(live, size=2)
            reach = 2.38 / math.sqrt(2.0 * parameters) if rng.random() < 0.9 else 1.0
            trial = u + reach * (points[a] - points[b]) + 1e-6 * rng.standard_normal(parameters)
            trial = 1.0 - np.abs(1.0 - np.abs(trial))
            if np.any(trial <= 0.0) or np.any(trial >= 1.0):
                continue
            value = log_likelihood(trial)
            if value > floor:
                u, height = trial, value
        points[worst], heights[worst] = u, height
    rest = float(np.logaddexp.reduce(heights)) - math.log(live) - i / live
    log_z = float(np.logaddexp(log_z, rest))
    return log_z, math.sqrt(max(information, 0.0) / live)
