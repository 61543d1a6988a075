"""Functions of the rows in `photons_distribution.toml`: distributions of lifetimes, dark counts."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import numpy as np
import numpy.typing as npt

from perolux.photons.dark_record import dark_record
from perolux.photons.decay_distribution import LifetimeDistribution, fit_distribution
from perolux.photons.decay_fit import fit_decay, make_histogram
from perolux.photons.decay_models import exponential_columns
from perolux.photons.distribution_grid import tabulate
from perolux.photons.distribution_likely import DistributionBatch, fit_distributions_batch, most_likely
from perolux.photons.instrument_response import GaussianResponse

__all__ = ["counts_kept", "dark_counts", "gap", "lognormal", "one_exponential"]

FloatArray = npt.NDArray[np.float64]
_BINS, _BIN_NS, _RESPONSE = 256, 50 / 256, GaussianResponse(0.2, 2.0)


@cache
def _batch() -> tuple[DistributionBatch, FloatArray]:
    columns, _, _ = exponential_columns([2.0, 9.0], _BINS, _BIN_NS, _RESPONSE)
    mean = 5000 * (columns @ [0.4, 0.6] + 0.05 / _BINS)
    counts = np.random.default_rng(0).poisson(mean, size=(500, _BINS))
    return fit_distributions_batch(counts, _BIN_NS, irf=_RESPONSE), counts.sum(axis=1)


def gap() -> float:
    """Of 5000 counts each, 2 and 9 ns."""
    return float(_batch()[0].gap.max())


def counts_kept() -> float:
    """The worst of the same."""
    found, total = _batch()
    columns, _, _ = exponential_columns(found.tau_ns, _BINS, _BIN_NS, _RESPONSE)
    model = found.photons @ columns.sum(axis=0) + found.background * _BINS
    return float(np.max(np.abs(model / total - 1)))


def one_exponential() -> float:
    """Photons of the grid's 4 ns."""
    h = make_histogram(np.ones(_BINS), _BIN_NS, irf=_RESPONSE)
    grid = np.array([*np.geomspace(0.3, 4.0, 30), *np.geomspace(4.0, 40, 31)[1:]])
    problem = tabulate(h, grid)
    column = exponential_columns([4.0], _BINS, _BIN_NS, _RESPONSE)[0][:, 0]
    exact = replace(problem, counts=1e6 * column + 20.0)
    a, _ = most_likely(exact.counts, exact.columns, exact.fixed, ordered=60)
    return float(a[29] / problem.unit[29])


@cache
def _lognormal() -> LifetimeDistribution:
    tau = np.geomspace(0.02, 200, 2000)
    photons = tau * np.exp(-0.5 * (np.log(tau / 3) / 0.5) ** 2)
    light = exponential_columns(tau, _BINS, _BIN_NS, _RESPONSE)[0] @ (photons / photons.sum())
    counts = np.rint(1e7 * (light + 0.05 / _BINS))
    return fit_distribution(make_histogram(counts, _BIN_NS, irf=_RESPONSE), resamples=0)


def lognormal(moment: str) -> float:
    """A moment by greatest entropy, 5 % background."""
    return _lognormal()["entropy"].moments[moment][0]


@cache
def _dark(seeds: int = 100) -> tuple[float, float]:
    response = GaussianResponse(0.3, 5.0)
    column = exponential_columns([20.0], 200, 0.5, response)[0][:, 0]
    inside, pulls = 0, []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        counts = rng.poisson(1500 * column + 1.5)
        dark = dark_record(rng.poisson(3000) / 100, pulses=1e8, bin_ns=0.5, dark_time_s=100.0)
        fit = fit_decay(
            counts, 0.5, irf=response, exponentials=1, free_shift=False, start_ns=[15.0], dark=dark
        )
        low, high = fit.intervals_ns[0]
        inside += low is not None and high is not None and low <= 20.0 <= high
        pulls.append(math.nan if fit.dark is None else fit.dark.sigmas)
    return inside / seeds, float(np.std(pulls))


def dark_counts(quantity: str) -> float:
    """1500 photons of 20 ns, 1.5 dark counts per bin, a dark record of 3000 counts."""
    coverage, pull = _dark()
    return coverage if quantity == "coverage" else pull
