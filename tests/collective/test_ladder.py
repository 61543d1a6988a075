"""The ladder of number and energy: its known errors against the exact solver, and its energy balance."""

import numpy as np
import pytest

from perolux.collective import ladder
from perolux.collective.first_photons import first_photons
from perolux.collective.ladder import _driven, ladder_emission
from perolux.collective.master_equation import exact_emission
from perolux.errors import ModelRangeError, OptionError


def test_sheet(cluster, full):
    between, t = cluster(2, 3, 1), np.linspace(0.0, 1.0, 51)
    found, exact = ladder_emission(between, t), exact_emission(between, full(between), t)
    assert np.max(found.photon_rate) == pytest.approx(np.max(exact.photon_rate), rel=1e-3)
    assert found.photon_rate == pytest.approx(exact.photon_rate, abs=0.005 * 6)
    assert found.imbalance < 1e-4 and found.g2_zero == pytest.approx(exact.g2_zero)


@pytest.mark.slow
def test_with_loss_and_dephasing(cluster, full):
    between, t = cluster(2, 3, 1), np.linspace(0.0, 1.0, 51)
    rates = {"dephasing": 1.0, "loss": 0.5}
    found, exact = ladder_emission(between, t, **rates), exact_emission(between, full(between), t, **rates)
    assert found.photon_rate == pytest.approx(exact.photon_rate, abs=0.01 * 6)
    assert found.excited == pytest.approx(exact.excited, abs=0.05)


@pytest.mark.slow
def test_cube(cluster):
    found = ladder_emission(cluster(2, 2, 2), np.linspace(0.0, 2.0, 101))
    # exact 10.116 and 0.473; bins of all states alike, not of those reached, end at 1.19
    assert np.max(found.photon_rate) == pytest.approx(10.116, rel=0.005)
    assert found.excited[-1] == pytest.approx(0.473, rel=0.06)


@pytest.mark.slow
def test_dephasing_and_loss_of_the_cube(cluster, full):
    between, t = cluster(2, 2, 2), np.linspace(0.0, 0.5, 26)
    rates = {"dephasing": 1.0, "loss": 0.5}
    found, exact = ladder_emission(between, t, **rates), exact_emission(between, full(between), t, **rates)
    # 4 % of 8 Gamma measured to 2/Gamma at a dephasing of 1, where bins of all states miss by 16 %
    assert found.photon_rate == pytest.approx(exact.photon_rate, abs=0.04 * 8)
    assert found.excited == pytest.approx(exact.excited, rel=0.04)


@pytest.mark.slow
def test_first_photons_are_the_master_equation(cluster, full):
    # all blocks, no cutoff, against the other solver: what differs is the fourth-order rule
    between, t = cluster(2, 2, 1, spread=20.0), np.linspace(0.0, 0.3, 301)
    rates = {"dephasing": 2.0, "loss": 0.5}
    top = first_photons(between, 0, cutoff=np.inf, **rates)
    seen, whole = top.run(t, np.ones((1, 1, 1)), 0.0)
    exact = exact_emission(between, full(between), t, **rates)
    assert seen[0] == pytest.approx(exact.photon_rate, abs=1e-4)
    assert seen[1] == pytest.approx(exact.excited, abs=1e-4)
    # the last block is the ground state
    assert seen[2, 0] == 0.0 and np.all(np.diff(seen[2]) >= 0.0)
    assert whole[0, 0] == pytest.approx(np.sum(seen[2]) * 1e-3)


@pytest.mark.slow
def test_cutoff(cluster):
    t = np.linspace(0.0, 0.3, 31)
    near, all_kept = (ladder_emission(cluster(2, 3, 1), t, cutoff=c) for c in (100.0, np.inf))
    # rate/cutoff squared, with collective rates of about 10 Gamma, and less: 4e-5 found
    assert near.photon_rate == pytest.approx(all_kept.photon_rate, rel=1e-3)


@pytest.mark.slow
def test_random_states_stand_for_all(cluster, monkeypatch):
    between, t = cluster(2, 2, 2, spread=100.0), np.linspace(0.0, 0.3, 31)
    rates = {"dephasing": 1.0, "loss": 0.5}
    whole = ladder_emission(between, t, **rates)
    monkeypatch.setattr(ladder, "_DIAGONAL", 20)
    found = ladder_emission(between, t, **rates)
    # blocks of 28 to 70 states, four random vectors: 1/sqrt(4 x 3) a bin, the light averages over them
    assert found.photon_rate == pytest.approx(whole.photon_rate, rel=0.05)
    assert np.max(found.photon_rate) == pytest.approx(np.max(whole.photon_rate), rel=0.005)
    assert found.imbalance < 1e-4


def test_driven():
    # p' = -2 p + t
    t = np.linspace(0.0, 1.0, 11)
    found = _driven(np.array([[-2.0]]), t[None, :], 0.1)
    assert found[0] == pytest.approx(t / 2.0 - 0.25 * (1.0 - np.exp(-2.0 * t)), abs=1e-13)


def test_refusals(cluster):
    for shape in ((2, 2, 1), (17, 1, 1)):
        with pytest.raises(ModelRangeError, match="5 to 16"):
            ladder_emission(cluster(*shape), np.array([0.0, 1.0]))
    with pytest.raises(OptionError):
        ladder_emission(cluster(5, 1, 1), np.array([0.0, 1.0]), loss=-1.0)
