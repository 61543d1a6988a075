"""Laws of a wandering line: Kalman against dense, exact limits, exposure averaging, intervals."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import dblquad

from perolux.errors import OptionError
from perolux.photons._diffusion_kernels import innovations
from perolux.photons.diffusion_laws import (
    Observed,
    dense_covariance,
    fit_static,
    fit_walk,
    fit_wander,
    inside_variance,
    log_likelihood,
    mean_covariance,
    mean_variance,
    squared_shift,
)
from perolux.photons.diffusion_simulation import Wander, simulate_series

UNIT = 1e-4


def observed(seed=0, n=60, exposure=0.1):
    rng = np.random.default_rng(seed)
    start = np.cumsum(rng.choice([exposure, exposure, 1.3 * exposure, 8 * exposure], n))
    return Observed(start, 2.4 + 4e-4 * rng.normal(size=n), rng.uniform(2e-5, 1e-4, n), exposure)


def dense_likelihood(one, restricted, **law):
    covariance = dense_covariance(one, **law) / UNIT**2
    root = np.linalg.cholesky(covariance)
    y = np.linalg.solve(root, (one.centre_ev - 2.4) / UNIT)
    ones = np.linalg.solve(root, np.ones(len(one)))
    weight = ones @ ones
    level = ones @ y / weight
    square = np.sum((y - level * ones) ** 2)
    value = -0.5 * (square + 2 * np.sum(np.log(np.diag(root))) + len(one) * math.log(2 * math.pi * UNIT**2))
    if restricted:
        value += 0.5 * (math.log(2 * math.pi * UNIT**2) - math.log(weight))
    return value, 2.4 + UNIT * level, UNIT / math.sqrt(weight)


@settings(max_examples=60)
@given(
    st.integers(0, 10_000), st.floats(-4.5, -2.5), st.floats(-4, 4), st.booleans(), st.booleans(),
    st.sampled_from([0.01, 0.1, 1.0]),
)  # fmt: skip
def test_kalman_is_the_dense_gaussian(seed, log_spread, log_time, walk, restricted, exposure):
    one = observed(seed, exposure=exposure)
    law = {"walk": 10 ** (2 * log_spread)} if walk else {"wander": (10**log_spread, 10**log_time)}
    found = log_likelihood(one, restricted=restricted, **law)
    dense = dense_likelihood(one, restricted, **law)
    # 1e-9: stated bar
    assert found[0] == pytest.approx(dense[0], rel=1e-9)
    assert found[1] == pytest.approx(dense[1], abs=1e-9 * max(dense[2], UNIT) + 1e-13)
    assert found[2] == pytest.approx(dense[2], rel=1e-8)


def test_kernel_uncompiled_is_the_same():
    rng = np.random.default_rng(1)
    y, noise = rng.normal(size=30), rng.uniform(0.5, 2, 30)
    gap, gap_q = rng.uniform(0.2, 1, 30), rng.uniform(0, 1, 30)
    arguments = (y, noise, gap, gap_q, 0.8, 0.4, 0.9, 0.1, 0.12, 1.5)
    for a, b in zip(innovations(*arguments), innovations.py_func(*arguments), strict=True):
        assert np.allclose(a, b, rtol=1e-13, atol=0)


@pytest.mark.parametrize("time", [0.02, 0.1, 0.5, 3.0])
def test_exposure_averaging_by_quadrature(time):
    s1, exposure = 1e-3, 0.3

    def covariance(u, v):
        return s1**2 * math.exp(-abs(u - v) / time)

    # the kink on the diagonal: below it, twice
    same = 2 * dblquad(covariance, 0, exposure, 0, lambda v: v, epsrel=1e-10)[0] / exposure**2
    assert float(mean_variance(s1, time, exposure)) == pytest.approx(same, rel=1e-8)
    assert float(inside_variance(s1, time, exposure)) == pytest.approx(s1**2 - same, rel=1e-7)
    apart = dblquad(covariance, 0.5, 0.5 + exposure, 0, exposure, epsrel=1e-10)[0] / exposure**2
    assert float(mean_covariance(s1, time, exposure, 0.5)) == pytest.approx(apart, rel=1e-8)


@given(st.floats(1e-7, 1e7))
def test_averaging_keeps_the_whole_variance(ratio):
    whole = mean_variance(1.0, 1.0, ratio) + inside_variance(1.0, 1.0, ratio)
    assert float(whole) == pytest.approx(1.0, rel=1e-10)
    assert 0 <= float(inside_variance(1.0, 1.0, ratio)) <= 1


def test_limits_of_the_shift():
    lag = np.array([1e-6, 0.1, 1.0, 1e6])
    assert squared_shift(1e-3, 1.0, lag) == pytest.approx(2e-6 * -np.expm1(-lag), rel=1e-12)
    assert squared_shift(1e-3, 1e-12, lag) == pytest.approx(2e-6, rel=1e-12)
    # free walk: 2 D t with D = s1^2/tc
    assert squared_shift(1.0, 1e9, lag) == pytest.approx(2e-9 * lag, rel=1e-3)


def test_limits_of_the_likelihood():
    one = observed(2)
    walk = log_likelihood(one, walk=1e-7, restricted=True)[0]
    slow = log_likelihood(one, wander=(math.sqrt(1e-7 * 1e7), 1e7), restricted=True)[0]
    # corrections are of the order of record over tc
    assert slow == pytest.approx(walk, rel=1e-5)
    white = log_likelihood(one, extra_ev=3e-4, restricted=True)[0]
    # white scatter of the means: 2 s1^2 tc/T
    fast = log_likelihood(one, wander=(3e-4 * math.sqrt(0.1 / 2e-7), 1e-7), restricted=True)[0]
    assert fast == pytest.approx(white, rel=1e-5)
    still = log_likelihood(one)[0]
    assert log_likelihood(one, wander=(1e-12, 1.0))[0] == pytest.approx(still, rel=1e-9)


def centres(seed, motion, n=300, error=5e-5, exposure=0.1, steps=20):
    rng = np.random.default_rng(seed)
    made = simulate_series(motion, rng, frames=n, exposure_s=exposure, pixels=8, photons=1.0, steps=steps)
    return Observed(made.start_s, made.centre_ev + error * rng.normal(size=n), np.full(n, error), exposure)


def holds(profile, true):
    return (profile.low is None or profile.low <= true) and (profile.high is None or true <= profile.high)


def test_wander_is_found():
    fit, shifts = fit_wander(centres(0, Wander(5e-4, 1.0)), lags_s=[1e-3, 1e4])
    p = fit.parameters
    assert holds(p["spread_ev"], 5e-4) and holds(p["correlation_time_s"], 1.0)
    assert p["correlation_time_s"].low > 0.3 and p["correlation_time_s"].high < 5.0
    assert holds(shifts[0], math.sqrt(float(squared_shift(5e-4, 1.0, 1e-3))))
    # at infinite lag the shift is sqrt2 s1, and so are its ends
    assert shifts[1].low == pytest.approx(math.sqrt(2) * p["spread_ev"].low, rel=1e-3)


def test_a_free_walk_leaves_tc_open_above():
    one = centres(1, Wander(diffusion_ev2_per_s=1e-8))
    fit, shifts = fit_wander(one, lags_s=[0.1])
    assert fit.parameters["correlation_time_s"].high is None
    assert "from above" in fit.parameters["correlation_time_s"].reason
    walk = fit_walk(one)
    assert holds(walk.parameters["diffusion_ev2_per_s"], 1e-8)
    assert holds(shifts[0], math.sqrt(2 * 1e-8 * 0.1))


def test_fast_motion_leaves_tc_open_below():
    one = centres(2, Wander(5e-4, 2e-3), steps=500)
    fit, _ = fit_wander(one)
    assert fit.parameters["correlation_time_s"].low is None
    _, white = fit_static(one)
    scatter = math.sqrt(float(mean_variance(5e-4, 2e-3, 0.1)))
    assert holds(white.parameters["scatter_ev"], scatter)


def test_what_is_refused():
    with pytest.raises(OptionError, match="do not fit"):
        Observed(np.array([0.0, 0.05, 0.2]), np.ones(3), np.ones(3), 0.1)
    with pytest.raises(OptionError, match="without an error"):
        Observed(np.array([0.0, 0.1, 0.2]), np.ones(3), np.zeros(3), 0.1)


@pytest.mark.long
def test_coverage_of_the_intervals():
    hits = np.zeros(3)
    runs = 200
    for seed in range(runs):
        fit, shifts = fit_wander(centres(seed, Wander(5e-4, 1.0)), lags_s=[1e-2])
        hits += [
            holds(fit.parameters["spread_ev"], 5e-4),
            holds(fit.parameters["correlation_time_s"], 1.0),
            holds(shifts[0], math.sqrt(float(squared_shift(5e-4, 1.0, 1e-2)))),
        ]
    # 95 % of 200: 190 with a deviation of 3.1; below 180 or none missed is not chance
    assert np.all(hits >= 180) and np.all(hits <= runs - 1)
