"""Functions of the rows in `photons_decay.toml`: decays."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import numpy.typing as npt

from perolux.files import example_path
from perolux.measured import read_decay
from perolux.photons.decay_batch import fit_decays_batch, interpolation_error
from perolux.photons.decay_fit import fit_decay
from perolux.photons.decay_models import exponential_columns
from perolux.photons.decay_record import DecayAnalysis, analyse_decay
from perolux.photons.instrument_response import GaussianResponse
from perolux.photons.poisson_projection import Curve, minimise

__all__ = [
    "biexponential",
    "counts_kept",
    "dot",
    "exgaussian_against_quadrature",
    "incomplete_decay",
    "table_error",
]

FloatArray = npt.NDArray[np.float64]
_BINS, _BIN_NS, _TRUTH_NS = 1024, 50 / 1024, np.array([2.0, 9.0])
_RESPONSE = GaussianResponse(0.15 / (2 * math.sqrt(2 * math.log(2))), 2.0)


def exgaussian_against_quadrature() -> float:
    """Largest difference of bins around the rise and after it."""
    from scipy.integrate import quad

    sigma, centre, h, worst = 0.15, 1.0, 0.25, 0.0
    nodes, weights = np.polynomial.legendre.leggauss(30)
    for tau in (0.05, 0.4, 3.0, 50.0):
        found, _, _ = exponential_columns([tau], 12, h, GaussianResponse(sigma, centre))

        def density(t: float, tau: float = tau) -> float:
            def inside(u: float) -> float:
                bell = math.exp(-0.5 * ((t - centre - u) / sigma) ** 2) / (sigma * math.sqrt(2 * math.pi))
                return bell * math.exp(-u / tau) / tau

            middle = max(0.0, t - centre)
            ends = max(0.0, middle - 10 * sigma), middle + 10 * sigma
            return float(quad(inside, *ends, epsabs=1e-14, epsrel=1e-13)[0])

        for i in (3, 4, 7):
            values = [density((i + (x + 1) / 2) * h) for x in nodes]
            worst = max(worst, abs(float(found[i, 0]) - float(weights @ values) * h / 2))
    return worst


def counts_kept() -> float:
    """Two exponentials and a background on Poisson counts, seed 4."""
    counts = np.random.default_rng(4).poisson(_recipe())
    fit = fit_decay(counts, _BIN_NS, irf=_RESPONSE, exponentials=2, intervals=False)
    return abs(float(fit.expected.sum() / counts.sum()) - 1)


def incomplete_decay(treatment: str) -> float:
    """Lifetime (ns) of 1e7 counts per period of 100 ns, 30 ns, an instant pulse at 10 ns."""
    pulse = GaussianResponse(0.0, 10.0)
    column, _, _ = exponential_columns([30.0], 1000, 0.1, pulse, period_ns=100.0)
    counts = 1e7 * column[:, 0]
    if treatment == "subtracted":
        after = slice(100, 1000)
        left = np.maximum(counts - counts[:100].mean(), 0.0)[after]

        def columns(theta: FloatArray) -> tuple[FloatArray, FloatArray]:
            phi, slope, _ = exponential_columns(np.exp(theta), 1000, 0.1, pulse)
            return phi[after], slope[None, after]

        curve = Curve(left, np.zeros(900), columns, np.array([0]))
        best = minimise([curve], np.log([25.0]), np.log([1.0]), np.log([100.0]))
        return float(np.exp(best.theta[0]))
    period = 100.0 if treatment == "wrap" else None
    fit = fit_decay(np.rint(counts), 0.1, irf=pulse, period_ns=period, exponentials=1, intervals=False)
    return fit.lifetimes_ns[0]


def _recipe() -> FloatArray:
    columns, _, _ = exponential_columns(_TRUTH_NS, _BINS, _BIN_NS, _RESPONSE)
    mean: FloatArray = 5000 * (0.95 * columns / columns.sum(axis=0) @ np.array([0.4, 0.6]) + 0.05 / _BINS)
    return mean


@cache
def _batch() -> tuple[FloatArray, FloatArray]:
    """Lifetimes of 2000 decays, and the bound."""
    mean = _recipe()
    columns, slopes, _ = exponential_columns(_TRUTH_NS, _BINS, _BIN_NS, _RESPONSE)
    area = 0.95 * 5000 * np.array([0.4, 0.6]) / columns.sum(axis=0)
    jacobian = np.column_stack([slopes * area, columns, np.ones(_BINS)])
    bound = np.sqrt(np.diag(np.linalg.inv(jacobian.T @ (jacobian / mean[:, None])))[:2]) * _TRUTH_NS
    counts = np.random.default_rng(1).poisson(mean, size=(2000, _BINS))
    return fit_decays_batch(counts, _BIN_NS, exponentials=2, irf=_RESPONSE).lifetimes_ns, bound


def biexponential(quantity: str, component: int) -> float:
    """Median (ns), scatter over the bound, or the bound (ns)."""
    lifetimes, bound = _batch()
    one = lifetimes[:, component]
    found = {
        "median": np.median(one),
        "scatter": one.std() / bound[component],
        "bound": bound[component],
    }
    return float(found[quantity])


def table_error() -> float:
    """Of the table that the batch of the bar uses."""
    return interpolation_error(_BINS, _BIN_NS, _RESPONSE)


@cache
def _dot(model: str) -> DecayAnalysis:
    record = read_decay(example_path("single_dot") / "corr_unseg.txt")
    return analyse_decay(record, start_ns=0.1, models=["1", "2", "3", "4"] if model == "auto" else [model])


def dot(model: str, quantity: str) -> float:
    """A number of the fit of the shipped dot from its second bin on."""
    fit = _dot(model).fit
    if quantity.startswith("lifetime-"):
        return fit.lifetimes_ns[int(quantity[-1])]
    found = {
        "background": fit.background,
        "chi2": fit.pearson_chi2 / fit.degrees_of_freedom,
        "deviance": fit.deviance / fit.degrees_of_freedom,
        "order": float(fit.model),
    }
    if quantity == "three":
        return float(np.max(np.abs(np.array(fit.lifetimes_ns) / [1.26, 8.24, 29.8] - 1)))
    return found[quantity]
