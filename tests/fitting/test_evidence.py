"""Evidence: closed forms, an unknown parameter, nested sampling as the second method."""

import math

import numpy as np
import pytest

from perolux.errors import ConvergenceError, OptionError
from perolux.fitting.evidence import evidence
from perolux.fitting.nested import nested_evidence

SIGMAS = np.array([0.02, 0.1, 0.05])
EXACT = float(np.sum(np.log(SIGMAS * math.sqrt(2.0 * math.pi))))


def bell(u):
    return -0.5 * float(np.sum(((u[:3] - 0.4) / SIGMAS) ** 2))


@pytest.mark.parametrize("by_squares", [False, True])
def test_a_gaussian_beside_a_parameter_that_does_nothing(by_squares):
    more = {"residuals": lambda u: (u[:3] - 0.4) / SIGMAS} if by_squares else {}
    found = evidence(bell, 4, np.random.default_rng(1), draws=500, **more)
    # the cut of the widest bell at u = 0 is 3e-5; four standard errors
    assert abs(found.log_evidence - EXACT) < 4.0 * found.error + 1e-3
    assert found.error < 0.05 and found.effective > 200
    # one Gaussian in z: 12 % for a flat parameter, curvature of the bells in z for the rest
    assert abs(found.laplace - EXACT) < 0.4
    mean = found.weights @ found.draws
    spread = np.sqrt(found.weights @ (found.draws - mean) ** 2)
    assert np.allclose(spread[:3], SIGMAS, rtol=0.15)
    assert spread[3] == pytest.approx(math.sqrt(1.0 / 12.0), rel=0.15)


def test_a_top_at_the_end_of_the_prior():
    found = evidence(lambda u: -float(u[0]) / 0.01, 1, np.random.default_rng(2), draws=500)
    assert found.log_evidence == pytest.approx(math.log(0.01), abs=0.05)


def test_one_seed_gives_one_result():
    values = [evidence(bell, 3, np.random.default_rng(5), draws=60).log_evidence for _ in range(2)]
    assert values[0] == values[1]


@pytest.mark.slow
def test_nested_sampling_agrees_on_a_curved_ridge():
    def ridge(u):
        x, y = 4.0 * u[0] - 2.0, 4.0 * u[1] - 2.0
        return -0.5 * (x / 0.7) ** 2 - 0.5 * ((y - 0.5 * x * x) / 0.1) ** 2

    grid = np.linspace(-2.0, 2.0, 1201)
    x, y = np.meshgrid(grid, grid)
    exact = math.log(np.mean(np.exp(-0.5 * (x / 0.7) ** 2 - 0.5 * ((y - 0.5 * x * x) / 0.1) ** 2)))
    found = evidence(ridge, 2, np.random.default_rng(3))
    assert abs(found.log_evidence - exact) < 4.0 * found.error + 0.01
    value, error = nested_evidence(ridge, 2, np.random.default_rng(4), live=120)
    assert abs(value - exact) < 4.0 * error


def test_what_cannot_be_weighed():
    with pytest.raises(ConvergenceError, match="no point"):
        evidence(lambda u: -math.inf, 2, np.random.default_rng(0))
    with pytest.raises(OptionError):
        evidence(bell, 0, np.random.default_rng(0))
    with pytest.raises(OptionError):
        nested_evidence(bell, 3, np.random.default_rng(0), live=2)
