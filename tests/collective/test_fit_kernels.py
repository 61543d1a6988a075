"""Compiled loops of the fits against plain NumPy, and against light behind a Gaussian in closed form."""

import numpy as np
import pytest
from scipy.special import gammaln, ndtr

from perolux.collective.backwards._fit_kernels import (
    add_domains,
    between_logs,
    binned,
    deviance_residuals,
    emptied,
    expected_counts,
    log_likelihood,
    steps_of,
)
from perolux.collective.backwards.likelihood import burst_problem
from perolux.collective.backwards.simulate import simulated_counts
from perolux.collective.backwards.study import TYPICAL, study_axes
from perolux.collective.instruments.response import GaussianBlur
from perolux.fitting.likelihoods import poisson_deviance_residuals


def behind_a_gaussian(t, lifetime, sigma):
    """Photons until t of exp(-t/lifetime)/lifetime behind a Gaussian."""
    late = np.exp(0.5 * (sigma / lifetime) ** 2 - t / lifetime) * ndtr(t / sigma - sigma / lifetime)
    return ndtr(t / sigma) - late


@pytest.mark.parametrize("pulse", [0.0, 0.31, 3.7])
def test_light_in_bins_as_closed_forms_have_it_wherever_the_pulse_comes(pulse):
    problem = burst_problem("exponential", study_axes())
    numbers = {
        "lifetime_ps": 60.0, "second_share": 0.4, "lifetime_ratio": 0.05, "pulse_ps": pulse,
        "background_per_ps": 0.0,
    }  # fmt: skip
    found = problem.expected(numbers)[0, :, 0] / problem.totals[0]
    edges, sigma = problem.data.edges_ps - pulse, GaussianBlur(4.0).sigma_ps
    until = 0.6 * behind_a_gaussian(edges, 60.0, sigma) + 0.4 * behind_a_gaussian(edges, 3.0, sigma)
    exact = np.diff(until) / (until[-1] - until[0])
    # steps of 4 % of the response at first, 3 % of the time later; 1e4 counts see 1e-2 of the top
    assert np.max(np.abs(found - exact)) < 3e-4 * exact.max()


def test_the_likelihood_is_smooth_in_the_moment_of_the_pulse():
    made = simulated_counts("fused", TYPICAL, study_axes(), np.full(3, 1e4), np.random.default_rng(0))
    problem = burst_problem("fused", made)
    u = np.array([one.share(TYPICAL[one.name]) for one in problem.priors])
    where = [one.name for one in problem.priors].index("pulse_ps")
    ways = np.linspace(-0.6, 0.6, 41)
    heights = []
    for way in ways:
        u[where] = problem.priors[where].share(way)
        heights.append(problem.log_likelihood(u))
    apart = np.array(heights) - np.polynomial.Polynomial.fit(ways, heights, 5)(ways)
    # an even grid of half a response, as before, was rough by tenths
    assert np.max(np.abs(apart)) < 0.01


def test_light_that_waits():
    tau, held = 20.0, 3.0
    after = np.concatenate([np.linspace(0.0, 2.0, 50), np.geomspace(2.05, 80.0, 120)])
    steps = np.empty((len(after) - 1, 1))
    steps_of(-np.expm1(-after / tau)[None], after, held, steps)
    exact = 1.0 - (tau * np.exp(-after / tau) - held * np.exp(-after / held)) / (tau - held)
    # light is even within a step, which is 3 % of the time
    assert np.max(np.abs(np.cumsum(steps[:, 0]) - exact[1:])) < 1e-4


def test_bins_as_plain_sums_over_steps():
    blur, rng = GaussianBlur(4.0), np.random.default_rng(1)
    starts = np.concatenate([[-3.1], -3.1 + np.geomspace(0.05, 90.0, 60)])
    edges = np.sort(rng.uniform(-10.0, 60.0, 30))
    steps = rng.random((60, 4))
    low, high = blur.reach
    found = np.empty((29, 4))
    binned(steps, starts, edges, low, high, blur.primitive(np.linspace(low, high, 4001)), found)
    arrived = -np.diff(blur.primitive(edges[None, :] - starts[:, None]), axis=0) / np.diff(starts)[:, None]
    # straight lines between 4001 points of the response, over the first step
    assert np.allclose(found, np.diff(arrived, axis=1).T @ steps, atol=1e-4)
    none = np.empty((29, 4))
    binned(steps, starts, edges, 0.0, 0.0, np.zeros(2), none)
    part = (edges[None, :] - starts[:-1, None]) / np.diff(starts)[:, None]
    share = np.diff(np.clip(part, 0.0, 1.0), axis=1)
    assert np.allclose(none, share.T @ steps)


def test_domains_as_plain_sums_over_starts():
    n, rng = 7, np.random.default_rng(2)
    tables = tuple(np.cumsum(rng.random((n + 1, 12)), axis=1) for _ in range(4))
    weights, excited = (-0.1, 0.7, 0.5, -0.1), np.array([1e-9, 0.3, 1.0])
    log_choose = gammaln(n + 1) - gammaln(np.arange(n + 1.0) + 1) - gammaln(n + 1 - np.arange(n + 1.0))
    curves = np.zeros((3, 12))
    add_domains(n, 0.4, log_choose, tables, weights, excited, 2, 11, curves)
    e = np.arange(n + 1)
    chance = np.exp(log_choose) * excited[:, None] ** e * (1.0 - excited[:, None]) ** (n - e)
    plain = 0.4 / n * chance @ sum(w * one for w, one in zip(weights, tables, strict=True))
    assert np.allclose(curves[:, 2:11], plain[:, 2:11], rtol=1e-9) and np.all(curves[:, [0, 1, 11]] == 0.0)


def test_between_points_even_in_the_logarithm():
    ratio = 1.03
    grid = np.concatenate([[0.0], 1e-3 * ratio ** np.arange(250.0)])
    times = np.concatenate([[0.0, 4e-4], np.geomspace(1.1e-3, 1.4, 300), [5.0]])
    found = np.empty(len(times))
    between_logs(times, 1e-3, ratio, -np.expm1(-4.0 * grid), found)
    exact = -np.expm1(-4.0 * np.minimum(times, grid[-1]))
    # straight lines are good to 1e-4
    assert np.max(np.abs(found - exact)) < 4e-6


def test_a_stripe_that_empties_as_plain_sums():
    from scipy.interpolate import CubicHermiteSpline

    starts, times = np.array([0.2, 0.55, 0.999]), np.concatenate([[0.0, 0.0], np.geomspace(0.01, 800.0, 90)])
    tau, gain, guided = 300.0, 12.0, 0.05
    fall = np.concatenate([np.linspace(0.0, 1.2, 400), np.geomspace(1.22, 40.0, 200)])
    base, second = np.empty((2, 3, len(times)))
    emptied(starts, tau, gain, guided, 0.5, fall, np.exp(-fall), times, base, second)

    def integral(values):
        return np.append(0.0, np.cumsum(0.5 * (values[1:] + values[:-1]) * np.diff(fall)))

    for j, start in enumerate(starts):
        p = start * np.exp(-fall)
        g = gain * (p - 0.5) / 0.5
        rate = (1.0 - guided + guided * np.expm1(g) / g) / tau
        at, share = integral(1.0 / rate), (1.0 - guided) / tau
        given = start - CubicHermiteSpline(at, p, -rate * p)(times)
        aside = np.minimum(CubicHermiteSpline(at, share * integral(p / rate), share * p)(times), given)
        assert np.allclose(base[j], aside, atol=1e-12) and np.allclose(second[j], given - aside, atol=1e-12)


@pytest.mark.parametrize("together", [False, True])
def test_cells_and_their_residuals_as_plain_arrays(together):
    rng = np.random.default_rng(3)
    bands, lines, flat = rng.random((6, 4)), rng.random((2, 3)), rng.random((6, 3))
    flat /= flat.sum() * (2 if together else 1)
    totals, parts = (np.array([500.0]), np.array([0.1])) if together else (np.array([300.0, 200.0]),) * 2
    parts = parts if together else np.array([0.1, 0.3])
    found = np.empty((2, 6, 3))
    expected_counts(bands, lines, totals, parts, flat, together, found)
    cells = np.einsum("tbj,bl->jtl", bands.reshape(6, 2, 2), lines)
    cells /= cells.sum(axis=None if together else (1, 2), keepdims=True)
    scale = (totals[:, None, None], parts[:, None, None])
    plain = scale[0] * ((1.0 - scale[1]) * cells + scale[1] * flat)
    assert np.allclose(found, plain) and found.sum() == pytest.approx(500.0)
    counts, residuals = rng.poisson(found).astype(float).ravel(), np.empty(36)
    counts[0], found[0, 0, 1] = 0.0, counts[1] * (1.0 + 1e-4)
    assert deviance_residuals(counts, found.ravel(), residuals)
    assert np.allclose(residuals, poisson_deviance_residuals(counts, found.ravel()), atol=1e-12)
    plain = float(np.sum(counts * np.log(found.ravel())))
    assert log_likelihood(counts, found.ravel()) == pytest.approx(plain)
    found[0, 0, 0] = np.nan
    assert log_likelihood(counts, found.ravel()) == -np.inf
    assert not deviance_residuals(counts, found.ravel(), residuals)
