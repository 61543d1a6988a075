"""Trajectories carried step by step: the same process as by eigenvectors, against the exact solver."""

import numpy as np
import pytest

from perolux.collective import trajectories
from perolux.collective.blocks import blocks, product_state
from perolux.collective.master_equation import exact_emission
from perolux.collective.stepped_trajectories import _where, stepped_seconds
from perolux.collective.trajectories import trajectory_emission

TIMES = np.linspace(0.0, 0.6, 7)


@pytest.mark.slow
@pytest.mark.parametrize(("spread", "star", "loss", "excited"), [(5.0, 0.0, 0.0, 4), (0.0, 1.0, 0.5, 3)])
def test_unbiased(cluster, monkeypatch, spread, star, loss, excited):
    monkeypatch.setattr(trajectories, "_EIGENVECTORS", 3)
    between, start = cluster(2, 2, 1, spread=spread), product_state(blocks(4), np.arange(excited))
    rates = {"dephasing": star, "loss": loss}
    found = trajectory_emission(
        between, start, TIMES, trajectories=1000, rng=np.random.default_rng(2), **rates
    )
    exact = exact_emission(between, start, TIMES, **rates)
    noisy = found.sigma > 1e-6
    z = (found.photon_rate - exact.photon_rate)[noisy] / found.sigma[noisy]
    # six correlated scores: above 4 about once in two thousand runs; the seed is fixed
    assert np.max(np.abs(z)) < 4.0
    assert found.photon_rate[~noisy] == pytest.approx(exact.photon_rate[~noisy], abs=1e-5)
    assert np.max(np.abs(found.excited - exact.excited)) < 4.0 * 2.0 / np.sqrt(1000)


def test_first_photons_of_thirteen(cluster, full):
    between = cluster(13, 1, 1)
    found = trajectory_emission(
        between, full(between), np.array([0.0, 1e-3]), trajectories=40, rng=np.random.default_rng(1)
    )
    # all excited: 13 photons a unit of time, exactly; of 40 a photon in half of one by then
    assert found.photon_rate[0] == pytest.approx(13.0, rel=1e-5)
    assert 13.0 - found.excited[1] == pytest.approx(0.013, abs=4.0 * np.sqrt(0.013 / 40))
    whole = stepped_seconds(between, 1e-3, 13)
    assert stepped_seconds(between, 2e-3, 13) == pytest.approx(2.0 * whole)
    # two excitations: 78 states in place of 1716, each with half of the neighbours
    assert stepped_seconds(between, 1e-3, 2) < 0.05 * whole


def test_where_the_cubic_meets_the_share():
    norms, slopes = (
        (np.array([1.0]), np.array([np.exp(-0.4)])),
        (np.array([-2.0]), np.array([-2.0 * np.exp(-0.4)])),
    )
    # exp(-2 t) by a cubic over 0.2: 0.4^4/384 and less
    assert _where(norms, slopes, np.array([0.2]), np.array([0.8]))[0] == pytest.approx(
        -np.log(0.8) / 2, abs=5e-5
    )
