"""The exact solver: closed forms, a plain sparse exponential, positivity, limits."""

import numpy as np
import pytest
from scipy.sparse.linalg import expm_multiply

from perolux.collective.block_generator import block_generator
from perolux.collective.blocks import blocks, photon_operator, product_state, symmetric_single
from perolux.collective.couplings import Couplings
from perolux.collective.dicke import dicke_burst
from perolux.collective.master_equation import exact_density, exact_emission, generator_matrix
from perolux.errors import ModelRangeError, OptionError


@pytest.mark.parametrize("shift", [0.0, 7.3, 400.0])
@pytest.mark.parametrize("g", [0.2, 0.9956])
def test_two_emitters(g, shift, full):
    off = np.array([[0.0, 1.0], [1.0, 0.0]])
    between = Couplings(np.eye(2) + g * off, shift * off, np.zeros(2))
    t = np.linspace(0.0, 3.0, 41)
    both = np.exp(-2.0 * t)
    wanted = 2.0 * both + (1 + g) ** 2 / (1 - g) * (np.exp(-(1 + g) * t) - both)
    wanted += (1 - g) ** 2 / (1 + g) * (np.exp(-(1 - g) * t) - both)
    found = exact_emission(between, full(between), t)
    assert found.photon_rate == pytest.approx(wanted, abs=1e-10)
    # two photons: the second-order correlation of the full inversion of two emitters
    assert found.g2_zero == pytest.approx((1 + g**2) / 2.0, abs=1e-12)
    assert found.g2_zero == pytest.approx(between.initial_g2(), abs=1e-12)


def test_two_emitters_one_excitation():
    off = np.array([[0.0, 1.0], [1.0, 0.0]])
    between = Couplings(np.eye(2) + 0.6 * off, 20.0 * off, np.zeros(2))
    t = np.linspace(0.0, 2.0, 21)
    star = 1.5
    found = exact_emission(between, symmetric_single(blocks(2)), t, dephasing=star)
    # rates (1 + g*) -+ sqrt(g*^2 + g^2)
    root = np.hypot(star, 0.6)
    slow, fast = 1.0 + star - root, 1.0 + star + root
    # P = a e^(-slow t) + b e^(-fast t) with P(0) = 1, P'(0) = -(1 + g)
    a = (fast - 1.6) / (fast - slow)
    assert found.excited == pytest.approx(a * np.exp(-slow * t) + (1 - a) * np.exp(-fast * t), abs=1e-10)


@pytest.mark.parametrize("star", [0.0, 2.0, 30.0])
def test_bright_state(together, star):
    n, t = 4, np.linspace(0.0, 1.0, 11)
    found = exact_emission(together(n), symmetric_single(blocks(n)), t, dephasing=star)
    matrix = np.array([[0.0, -1.0], [2.0 * star, -(n + 2.0 * star)]])
    wanted = expm_multiply(matrix, np.array([1.0, n]), start=0.0, stop=1.0, num=11)
    assert found.excited == pytest.approx(wanted[:, 0], abs=1e-10)
    assert found.photon_rate == pytest.approx(wanted[:, 1], abs=1e-9)


@pytest.mark.parametrize("n", [3, 6])
def test_ladder(together, full, n):
    t = np.linspace(0.0, 2.0, 21)
    found, ladder = exact_emission(together(n), full(together(n)), t), dicke_burst(n, t)
    assert found.photon_rate == pytest.approx(ladder.photon_rate, abs=1e-9)
    assert found.excited == pytest.approx(ladder.excited, abs=1e-9)


def test_far_apart(cluster, full):
    between = cluster(5, 1, 1, pitch_nm=1e8)
    t = np.linspace(0.0, 3.0, 7)
    assert exact_emission(between, full(between), t).photon_rate == pytest.approx(5.0 * np.exp(-t), abs=1e-5)


@pytest.mark.parametrize(
    ("spread", "star", "loss", "listed"),
    [(0.0, 0.0, 0.0, (0, 1, 2, 3)), (30.0, 2.0, 0.7, (0, 1, 2, 3)), (0.0, 150.0, 0.0, (0, 3))],
)
def test_plain_exponential(cluster, spread, star, loss, listed):
    between, of = cluster(2, 2, 1, spread=spread), blocks(4)
    start = product_state(of, np.array(listed))
    top = len(listed)
    matrix = generator_matrix(of, between, top, star, loss)
    rho = np.zeros(matrix.shape[0], dtype=complex)
    rho[: len(start[1]) ** 2] = np.outer(start[1], start[1].conj()).ravel()
    states = expm_multiply(matrix, rho, start=0.0, stop=0.5, num=6)
    weights = np.concatenate(
        [photon_operator(of, k, between).toarray().T.ravel() for k in range(top, -1, -1)]
    )
    found = exact_emission(between, start, np.linspace(0.0, 0.5, 6), dephasing=star, loss=loss)
    assert found.photon_rate == pytest.approx((states @ weights).real, abs=1e-9)
    last = exact_density(between, start, 0.5, dephasing=star, loss=loss)
    flat = np.concatenate([last[k].ravel() for k in range(top, -1, -1)])
    assert flat == pytest.approx(states[-1], abs=1e-10)


def test_two_threads_are_one(cluster, full, monkeypatch):
    between, t = cluster(5, 1, 1, spread=20.0), np.linspace(0.0, 0.4, 9)
    found = []
    for two in (False, True):
        monkeypatch.setattr("perolux.collective.block_series._two_threads", lambda _, two=two: two)
        found.append(exact_emission(between, full(between), t, dephasing=3.0, loss=0.4))
    assert found[1].photon_rate == pytest.approx(found[0].photon_rate, abs=1e-11)
    assert found[1].excited == pytest.approx(found[0].excited, abs=1e-11)


@pytest.mark.parametrize("excited", [5, 3])
def test_generator_is_the_sparse_matrix(cluster, excited):
    between = cluster(5, 1, 1, spread=5.0)
    generator = block_generator(between, excited, dephasing=2.0, loss=0.7)
    rng = np.random.default_rng(0)
    density = {}
    for k in range(excited + 1):
        block = rng.normal(size=(2, generator.of.size(k), generator.of.size(k)))
        density[k] = block[0] + block[0].T + 1j * (block[1] - block[1].T)
    matrix = generator_matrix(generator.of, between, excited, 2.0, 0.7)
    wanted = matrix @ np.concatenate([density[k].ravel() for k in range(excited, -1, -1)])
    found = generator.unpacked(generator(generator.packed(density)))
    flat = np.concatenate([found[k].ravel() for k in range(excited, -1, -1)])
    assert flat == pytest.approx(wanted, abs=1e-9)


def test_state_stays_a_state(cluster, full):
    between = cluster(2, 3, 1, spread=10.0)
    density = exact_density(between, full(between), 0.7, dephasing=0.5, loss=0.2)
    assert sum(np.trace(rho).real for rho in density.values()) == pytest.approx(1.0, abs=1e-10)
    for rho in density.values():
        assert np.max(np.abs(rho - rho.conj().T)) < 1e-13
        assert np.linalg.eigvalsh(rho)[0] > -1e-11


def test_energy(cluster, full):
    between = cluster(2, 2, 1)
    t = np.linspace(0.0, 1.0, 801)
    found = exact_emission(between, full(between), t, dephasing=1.0, loss=0.5)
    given = np.concatenate(
        [[0.0], np.cumsum(0.5 * np.diff(t) * (found.photon_rate[1:] + found.photon_rate[:-1]))]
    )
    lost = np.concatenate([[0.0], np.cumsum(0.25 * np.diff(t) * (found.excited[1:] + found.excited[:-1]))])
    # trapezoids of 1.25e-3 under oscillations of some hundred Gamma
    assert found.excited + given + lost == pytest.approx(np.full(801, 4.0), abs=5e-4)
    assert found.imbalance < 1e-12


def test_cube_of_eight_without_shifts(cluster, full):
    between = cluster(2, 2, 2).without_shifts()
    found = exact_emission(between, full(between), np.linspace(0.0, 1.0, 51))
    assert np.max(found.photon_rate) == pytest.approx(15.136, abs=1e-3)
    assert found.photon_rate[-1] == pytest.approx(0.606, abs=1e-3)


@pytest.mark.slow
def test_cube_of_eight(cluster, full):
    between = cluster(2, 2, 2)
    found = exact_emission(between, full(between), np.linspace(0.0, 1.0, 51))
    assert np.max(found.photon_rate) == pytest.approx(10.116, abs=1e-3)
    assert found.excited[-1] == pytest.approx(1.4636, abs=1e-4)


def test_refusals(together, full):
    with pytest.raises(ModelRangeError):
        exact_emission(together(12), (1, np.ones(12) / np.sqrt(12)), np.array([0.0, 1.0]))
    with pytest.raises(OptionError):
        exact_emission(together(2), full(together(2)), np.array([0.0, 1.0]), loss=-1.0)
    ground = exact_emission(together(2), (0, np.ones(1)), np.array([0.0, 1.0]))
    assert ground.g2_zero is None and not np.any(ground.photon_rate)
