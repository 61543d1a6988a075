"""The ensemble sampler against densities whose moments are known."""

import numpy as np
import pytest

from perolux.errors import OptionError
from perolux.fitting.ensemble_sampler import sample_ensemble


def test_a_correlated_normal():
    covariance = np.array([[1.0, 0.95], [0.95, 1.0]])
    precision = np.linalg.inv(covariance)
    drawn = sample_ensemble(
        lambda x: -0.5 * float(x @ precision @ x), [0.0, 0.0], 0.3, 12_000, np.random.default_rng(1)
    )
    error = 4.0 / np.sqrt(drawn.effective)
    assert np.abs(drawn.values.mean(axis=0)).max() < error
    assert np.cov(drawn.values.T) == pytest.approx(covariance, abs=2.0 * error)
    assert 0.3 < drawn.acceptance < 0.9
    assert drawn.effective > 100


def test_walls_hold():
    """Even on the unit square: mean 1/2, variance 1/12, nothing outside."""
    drawn = sample_ensemble(
        lambda x: 0.0 if np.all((x >= 0) & (x <= 1)) else -np.inf,
        [0.5, 0.5], 0.1, 8000, np.random.default_rng(2),
    )  # fmt: skip
    assert drawn.values.min() >= 0 and drawn.values.max() <= 1
    assert drawn.values.mean(axis=0) == pytest.approx([0.5, 0.5], abs=0.04)
    assert drawn.values.var(axis=0) == pytest.approx([1 / 12, 1 / 12], rel=0.1)


def test_one_seed_gives_one_chain():
    runs = [sample_ensemble(lambda x: -float(x @ x), [0.0], 1.0, 100, np.random.default_rng(3)) for _ in "ab"]
    assert np.array_equal(runs[0].values, runs[1].values)


def test_refusals():
    rng = np.random.default_rng(0)
    with pytest.raises(OptionError, match="walkers"):
        sample_ensemble(lambda x: 0.0, [0.0], 1.0, 100, rng, walkers=3)
    with pytest.raises(OptionError, match="density is 0"):
        sample_ensemble(lambda x: -np.inf, [0.0], 1.0, 100, rng)
