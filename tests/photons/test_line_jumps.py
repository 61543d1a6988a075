"""Hidden chain of jumps: likelihood by enumeration, recovery, missing frames, number of states."""

import itertools
import math

import numpy as np
import pytest

from perolux.errors import OptionError
from perolux.photons._diffusion_kernels import forward_backward
from perolux.photons.diffusion_laws import Observed
from perolux.photons.diffusion_simulation import Jumps, simulate_series
from perolux.photons.line_jumps import chain_log_likelihood, fit_jumps

STEP = np.array([[0.7, 0.2, 0.1], [0.3, 0.5, 0.2], [0.05, 0.15, 0.8]])
ENERGY = np.array([2.399, 2.400, 2.4015])


def rest(matrix):
    values, vectors = np.linalg.eig(matrix.T)
    found = np.real(vectors[:, np.argmax(np.real(values))])
    return found / found.sum()


def test_likelihood_by_enumeration():
    rng = np.random.default_rng(0)
    start = np.array([0.0, 0.1, 0.2, 0.5, 0.6, 0.7])
    one = Observed(start, 2.4 + 1e-3 * rng.normal(size=6), rng.uniform(2e-4, 5e-4, 6), 0.1)
    scatter, total = 2e-4, 0.0
    steps = np.round(np.diff(start) / 0.1).astype(int)
    for path in itertools.product(range(3), repeat=6):
        p = rest(STEP)[path[0]]
        for k in range(5):
            p *= np.linalg.matrix_power(STEP, steps[k])[path[k], path[k + 1]]
        variance = one.sigma_ev**2 + scatter**2
        left = one.centre_ev - ENERGY[list(path)]
        total += p * math.exp(float(np.sum(-(left**2) / 2 / variance - np.log(2 * np.pi * variance) / 2)))
    assert chain_log_likelihood(one, 0.1, ENERGY, STEP, scatter) == pytest.approx(math.log(total), rel=1e-12)


def test_kernel_uncompiled_is_the_same():
    rng = np.random.default_rng(1)
    emission = rng.normal(size=(40, 3))
    powers = np.array([STEP, STEP @ STEP])
    which = rng.integers(0, 2, 40)
    arguments = (emission, powers, which, rest(STEP))
    fast, plain = forward_backward(*arguments), forward_backward.py_func(*arguments)
    for a, b in zip(fast, plain, strict=True):
        assert np.allclose(a, b, rtol=1e-12, atol=1e-14)
    _, posterior, steps = fast
    assert np.allclose(posterior.sum(axis=1), 1.0) and steps.sum() == pytest.approx(39.0)


def jumping(seed, n=600, error=1e-4, keep=None):
    rng = np.random.default_rng(seed)
    made = simulate_series(
        Jumps((-1e-3, 0.0, 8e-4), (5.0, 3.0, 4.0)), rng, frames=n, exposure_s=0.1, pixels=8, photons=1.0
    )
    kept = np.arange(n) if keep is None else np.flatnonzero(rng.random(n) < keep)
    centre = made.centre_ev + error * rng.normal(size=n)
    return Observed(made.start_s[kept], centre[kept], np.full(len(kept), error), 0.1)


@pytest.mark.parametrize("keep", [None, 0.8])
def test_three_states_are_found(keep):
    fit = fit_jumps(jumping(3, keep=keep), 0.1, 3)
    # frames with a jump in them pull a little: 5e-5 is half the error of one frame
    assert fit.energy_ev - 2.4 == pytest.approx([-1e-3, 0.0, 8e-4], abs=5e-5)
    for dwell, (low, high), true in zip(fit.dwell_s, fit.dwell_interval_s, (5.0, 3.0, 4.0), strict=True):
        assert low < true < high and low < dwell < high
    assert fit.scatter_ev < 1e-4 and fit.share.sum() == pytest.approx(1.0)
    two, four = (fit_jumps(jumping(3, keep=keep), 0.1, m) for m in (2, 4))
    bic = {len(f): f.free * math.log(600) - 2 * f.log_likelihood for f in (two, fit, four)}
    assert bic[2] > bic[3] + 100
    # a fourth state may collect the frames with a jump in them: it lasts one frame, and is named
    assert bic[4] > bic[3] or "fewer than 3 frames" in four.warnings[0]


def test_shift_of_the_chain():
    fit = fit_jumps(jumping(4), 0.1, 3)
    mean = fit.share @ fit.energy_ev
    variance = fit.share @ (fit.energy_ev - mean) ** 2
    shift = fit.squared_shift([0.0, 1e5], 0.1)
    assert shift[0] == pytest.approx(0.0, abs=1e-12 * variance)
    assert shift[1] == pytest.approx(2 * variance, rel=1e-9)


def test_short_dwells_are_named():
    rng = np.random.default_rng(5)
    made = simulate_series(Jumps((0.0, 1e-3), (0.15, 0.15)), rng, frames=400, exposure_s=0.1, pixels=8)
    one = Observed(made.start_s, made.centre_ev + 5e-5 * rng.normal(size=400), np.full(400, 5e-5), 0.1)
    assert "fewer than 3 frames" in fit_jumps(one, 0.1, 2).warnings[0]


def test_what_is_refused():
    one = jumping(6, n=30)
    with pytest.raises(OptionError, match="4 states"):
        fit_jumps(one, 0.1, 4)
    odd = Observed(np.array([0.0, 0.13, 0.37, 0.5]), np.zeros(4), np.ones(4), 0.1)
    with pytest.raises(OptionError, match="whole periods"):
        fit_jumps(odd, 0.1, 2)
