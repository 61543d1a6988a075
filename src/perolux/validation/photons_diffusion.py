"""Functions of the rows in `photons_diffusion.toml`: the wandering line of one nanocrystal."""

from __future__ import annotations

import itertools
import math
from functools import cache

import numpy as np

from perolux.photons.diffusion_laws import (
    Observed,
    dense_covariance,
    fit_wander,
    log_likelihood,
    mean_variance,
    squared_shift,
)
from perolux.photons.diffusion_shifts import width_against_exposure
from perolux.photons.diffusion_simulation import SimulatedSeries, Wander, simulate_series
from perolux.photons.hom import diffusion_spread
from perolux.photons.line_jumps import chain_log_likelihood
from perolux.photons.line_path import LinePath, fit_line_path
from perolux.photons.line_profile import LineModel, gaussian_instrument
from perolux.photons.spectral_diffusion import HBAR_EV_PS
from perolux.photons.spectral_series import series_of
from perolux.validation.run import Computed

__all__ = [
    "averaging_factor",
    "centre_pulls",
    "chain_against_enumeration",
    "kalman_against_dense",
    "recovered",
    "shift_after_one_time",
    "spread_against_interference",
    "wander_against_walk",
    "width_of_sums",
]

_SPREAD_EV, _TIME_S = 5e-4, 1.0


def shift_after_one_time() -> float:
    """(1 - 1/e), of the law."""
    return float(squared_shift(_SPREAD_EV, _TIME_S, _TIME_S)) / (2 * _SPREAD_EV**2)


def spread_against_interference() -> float:
    """Largest difference over ten decades of delay."""
    lag = np.geomspace(1e-9, 10.0, 41)
    here = np.sqrt(squared_shift(_SPREAD_EV, _TIME_S, lag)) / HBAR_EV_PS
    return float(np.max(np.abs(here - diffusion_spread(_SPREAD_EV / HBAR_EV_PS, lag, _TIME_S))))


def _uneven(count: int = 200) -> Observed:
    rng = np.random.default_rng(0)
    start = np.cumsum(rng.choice([0.1, 0.13, 0.8], count))
    return Observed(start, 2.4 + 4e-4 * rng.normal(size=count), rng.uniform(2e-5, 1e-4, count), 0.1)


def kalman_against_dense(law: str) -> float:
    """Relative difference of the two likelihoods."""
    one, unit = _uneven(), 1e-4
    if law == "walk":
        covariance, value = dense_covariance(one, walk=1e-7), log_likelihood(one, walk=1e-7)[0]
    else:
        numbers = (_SPREAD_EV, _TIME_S)
        covariance, value = dense_covariance(one, wander=numbers), log_likelihood(one, wander=numbers)[0]
    root = np.linalg.cholesky(covariance / unit**2)
    y = np.linalg.solve(root, (one.centre_ev - 2.4) / unit)
    ones = np.linalg.solve(root, np.ones(len(one)))
    left = y - (ones @ y) / (ones @ ones) * ones
    logs = 2 * float(np.sum(np.log(np.diag(root)))) + len(one) * math.log(2 * math.pi * unit**2)
    dense = -0.5 * (float(left @ left) + logs)
    return abs(value - dense) / abs(dense)


def averaging_factor(ratio: float) -> float:
    """Variance of a mean over an exposure of `ratio` correlation times, in units of s1^2."""
    return float(mean_variance(1.0, 1.0, ratio))


def wander_against_walk() -> float:
    """Relative difference of restricted likelihoods at tc = 1e7 records."""
    one = _uneven()
    span = float(one.start_s[-1] - one.start_s[0])
    time = 1e7 * span
    slow = log_likelihood(one, wander=(math.sqrt(1e-7 * time), time), restricted=True)[0]
    walk = log_likelihood(one, walk=1e-7, restricted=True)[0]
    return abs(slow - walk) / abs(walk)


@cache
def _round_trip(frames: int, photons: float) -> tuple[SimulatedSeries, LinePath]:
    instrument = gaussian_instrument(4e-4)
    made = simulate_series(
        Wander(_SPREAD_EV, _TIME_S), np.random.default_rng(11), frames=frames, exposure_s=0.1, pixels=64,
        photons=photons, model=LineModel("lorentzian", instrument), widths_ev=(1e-4,),
    )  # fmt: skip
    return made, fit_line_path(series_of(made.spectra), LineModel("voigt", instrument))


def _observed(path: LinePath) -> Observed:
    ok, series = path.ok, path.series
    return Observed(series.start_s[ok], path.centre_ev[ok], path.centre_sigma_ev[ok], series.exposure_s)


def centre_pulls() -> Computed:
    """Standard deviation of (centre - truth)/error."""
    made, path = _round_trip(600, 200.0)
    pull = ((path.centre_ev - made.centre_ev) / path.centre_sigma_ev)[path.ok]
    return Computed(float(pull.std()), f"mean {pull.mean():.3f}, {path.ok.sum()} frames")


def recovered(quantity: str) -> Computed:
    """Distance from the truth in half widths of the interval, both in logarithms."""
    _, path = _round_trip(1000, 200.0)
    found = fit_wander(_observed(path))[0].parameters[quantity]
    truth = _SPREAD_EV if quantity == "spread_ev" else _TIME_S
    assert found.low is not None and found.high is not None
    half = 0.5 * math.log(found.high / found.low)
    return Computed(
        abs(math.log(found.value / truth)) / half, f"{found.value:.4g} ({found.low:.3g} to {found.high:.3g})"
    )


def width_of_sums() -> Computed:
    """Added variance of the fit to sums of eight frames over that of the centres in them."""
    _, path = _round_trip(1000, 200.0)
    found = width_against_exposure(path, wander=(_SPREAD_EV, _TIME_S))
    assert found is not None
    at = int(np.argmin(np.abs(found.exposure_s - 0.8)))
    ratio = float(found.extra_ev2[at] / found.path_ev2[at])
    law = float(found.path_ev2[at] / found.expected_ev2[at])
    return Computed(ratio, f"centres over the law of the truth {law:.3f}, by chance; {found.sums[at]} sums")


def chain_against_enumeration() -> float:
    """ln of the sum over all 729 paths against the forward recursion."""
    rng = np.random.default_rng(0)
    step = np.array([[0.7, 0.2, 0.1], [0.3, 0.5, 0.2], [0.05, 0.15, 0.8]])
    energy = np.array([2.399, 2.400, 2.4015])
    start = np.array([0.0, 0.1, 0.2, 0.5, 0.6, 0.7])
    one = Observed(start, 2.4 + 1e-3 * rng.normal(size=6), rng.uniform(2e-4, 5e-4, 6), 0.1)
    scatter = 2e-4
    # at rest: a chain that has run long
    rest = np.linalg.matrix_power(step, 512)[0]
    variance = one.sigma_ev**2 + scatter**2
    hops = [np.linalg.matrix_power(step, int(k)) for k in np.round(np.diff(start) / 0.1)]
    total = 0.0
    for path in itertools.product(range(3), repeat=6):
        share = float(rest[path[0]]) * math.prod(
            float(hop[a, b]) for hop, a, b in zip(hops, path[:-1], path[1:], strict=True)
        )
        left = one.centre_ev - energy[list(path)]
        total += share * math.exp(float(np.sum(-(left**2) / 2 / variance - np.log(2 * np.pi * variance) / 2)))
    found = chain_log_likelihood(one, 0.1, energy, step, scatter)
    return abs(found - math.log(total)) / abs(math.log(total))
