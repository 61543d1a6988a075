"""The decay matrix as a product, and the radiation pattern."""

import numpy as np
import pytest

from perolux.collective.blocks import blocks, photon_operator, product_state
from perolux.collective.couplings import couplings, sphere_directions
from perolux.collective.master_equation import correlations, exact_density
from perolux.collective.plane_waves import decay_factor, plane_wave_order, radiation_pattern, real_factor
from perolux.errors import ConvergenceError, OptionError


@pytest.mark.parametrize("pitch", [12.5, 200.0])
def test_plane_waves(grid, pitch):
    emitters = grid(3, 3, 3, pitch_nm=pitch, dipole=(1.0, 1.0, 0.0))
    k = decay_factor(emitters)
    assert np.max(np.abs(k @ k.conj().T - couplings(emitters).decay)) < 1e-9


def test_real_factor(cluster):
    decay = cluster(6, 6, 6).decay
    factor = real_factor(decay)
    assert factor.shape[1] < 25  # nearly singular: 19 rates above 1e-6
    left = decay - factor @ factor.T
    assert np.trace(left) < 1e-6 * 216 and np.max(np.abs(left)) < 216e-6


def test_no_factor():
    with pytest.raises(ConvergenceError):
        real_factor(np.array([[1.0, 2.0], [2.0, 1.0]]))
    with pytest.raises(OptionError):
        real_factor(np.ones((2, 3)))


def test_pattern_sums_to_the_rate(grid):
    emitters = grid(2, 2, 1, pitch_nm=150.0, spread=1.0, dipole=(1.0, 0.0, 1.0))
    between, of = couplings(emitters), blocks(4)
    density = exact_density(between, product_state(of, np.arange(4)), 0.4, dephasing=0.2)
    pairs = correlations(4, density)
    rate = sum(np.trace(photon_operator(of, k, between) @ rho).real for k, rho in density.items() if k)
    assert np.sum(between.decay * pairs).real == pytest.approx(rate, abs=1e-12)
    directions, weights = sphere_directions(plane_wave_order(emitters))
    pattern = radiation_pattern(emitters, pairs, directions)
    assert np.min(pattern) > 0.0
    assert 4.0 * np.pi * np.sum(weights * pattern) == pytest.approx(rate, abs=1e-9)


def test_one_dipole(grid):
    # sin^2 of the angle to the dipole
    pattern = radiation_pattern(
        grid(1, 1, 1), np.ones((1, 1)), np.array([[0.0, 0, 1], [1, 0, 0], [0.6, 0, 0.8]])
    )
    assert pattern == pytest.approx(3.0 / (8.0 * np.pi) * np.array([0.0, 1.0, 0.36]), abs=1e-15)
