"""Counts that a model of `MODELS` would give an instrument: for tests, examples and studies of coverage."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from perolux.collective.backwards.data import BurstData
from perolux.collective.backwards.likelihood import burst_problem
from perolux.collective.couplings import FloatArray
from perolux.errors import OptionError

__all__ = ["simulated_counts"]


def simulated_counts(
    name: str,
    numbers: dict[str, float],
    axes: BurstData,
    photons: FloatArray,
    rng: np.random.Generator,
) -> BurstData:
    """Poisson counts on the axes of `axes`, (J,) photons at each fluence on average, background included.

    numbers: every parameter of `burst_problem(name, axes)`. With `same_exposure` only the sum of `photons`
    counts: yields share it out. Raises `OptionError` for a parameter that is missing.
    """
    total = np.asarray(photons, dtype=float)
    if total.shape != axes.fluences.shape:
        raise OptionError(f"photons of {total.shape} for {len(axes.fluences)} fluences")
    shape = axes.counts.shape
    # counts of the right sums, so that the expected numbers have them
    even = np.broadcast_to(total[:, None, None] / (shape[1] * shape[2]), shape)
    problem = burst_problem(name, replace(axes, counts=np.array(even)))
    missing = [one.name for one in problem.priors if one.name not in numbers]
    if missing:
        raise OptionError(f"no {', '.join(missing)}", where="numbers")
    expected = problem.expected(numbers)
    return replace(axes, counts=rng.poisson(expected).astype(float))
