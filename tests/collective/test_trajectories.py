"""Jump trajectories are unbiased: within their own errors of the exact solver, and repeatable."""

import numpy as np
import pytest
from scipy.linalg import expm

from perolux.collective.blocks import blocks, hamiltonian, photon_operator, product_state, symmetric_single
from perolux.collective.master_equation import exact_emission
from perolux.collective.trajectories import _blocks, _moved, trajectory_emission
from perolux.errors import ModelRangeError, OptionError

TIMES = np.linspace(0.0, 1.5, 16)


def scores(found, exact):
    apart = found.photon_rate - exact.photon_rate
    return np.abs(apart[found.sigma > 1e-9] / found.sigma[found.sigma > 1e-9])


@pytest.mark.parametrize(
    ("shape", "spread", "star", "loss", "shifts"),
    [((2, 2, 1), 0.0, 0.0, 0.0, True), ((2, 2, 1), 5.0, 0.0, 0.0, True), ((3, 1, 1), 0.0, 2.0, 0.0, True),
     ((2, 2, 1), 0.0, 1.0, 0.5, True), ((5, 1, 1), 0.0, 0.0, 0.0, False)],
)  # fmt: skip
def test_unbiased(cluster, full, shape, spread, star, loss, shifts):
    between = cluster(*shape, spread=spread)
    between = between if shifts else between.without_shifts()
    rates = {"dephasing": star, "loss": loss}
    found = trajectory_emission(
        between, full(between), TIMES, trajectories=1500, rng=np.random.default_rng(1), **rates
    )
    exact = exact_emission(between, full(between), TIMES, **rates)
    z = scores(found, exact)
    # 15 correlated scores: above 4 about once in a thousand runs; the seed is fixed
    assert np.max(z) < 4.0 and np.sqrt(np.mean(z**2)) < 2.2
    # population: counts of up to N excitations, spread below N/2
    assert np.max(np.abs(found.excited - exact.excited)) < 4.0 * len(between) / 2 / np.sqrt(1500)


def test_partial_and_single(cluster):
    between, of = cluster(2, 2, 1), blocks(4)
    for start in (product_state(of, np.array([0, 3])), symmetric_single(of)):
        found = trajectory_emission(between, start, TIMES, trajectories=800, rng=np.random.default_rng(2))
        assert np.max(scores(found, exact_emission(between, start, TIMES)), initial=0.0) < 4.0


def test_blocks_by_turned_bits(cluster):
    # without detunings the upper blocks are those of as many holes
    between = cluster(2, 2, 1, dipole=(1.0, 0.0, 1.0))
    for k, block in _blocks(between, 4, 0.3).items():
        h = hamiltonian(blocks(4), k, between) - 0.5j * photon_operator(blocks(4), k, between)
        h = h.toarray() - 0.15j * k * np.eye(h.shape[0])
        assert block.right @ (block.values[:, None] * block.inverse) == pytest.approx(h, abs=1e-9)


def test_single_precision_of_large_blocks(cluster):
    # against the exponential of the matrix itself in double precision, over phases of up to ten turns; with
    # detunings, since eigenvectors of equal eigenvalues are as LAPACK happens to choose them
    between, of = cluster(3, 3, 1, spread=20.0), blocks(9)
    block = _blocks(between, 4, 0.0)[4]
    assert block.right.dtype == np.complex64
    light = photon_operator(of, 4, between).toarray()
    h = hamiltonian(of, 4, between).toarray() - 0.5j * light
    psi = np.random.default_rng(5).normal(size=(126, 2)) @ np.array([1.0, 1.0j])
    psi /= np.linalg.norm(psi)
    exact = expm(-0.05j * h) @ psi
    weights = block.inverse @ psi[:, None].astype(np.complex64)
    found, norm, rate = _moved(block, weights, np.array([0.05]))
    # rounding of 6e-8 over sqrt(126) sums and a condition below 4
    assert found[:, 0] == pytest.approx(exact, abs=5e-6)
    assert norm[0] == pytest.approx(np.linalg.norm(exact) ** 2, abs=3e-6)
    assert rate[0] == pytest.approx(np.real(exact.conj() @ light @ exact), abs=2e-5)


def test_times_before_the_last_photons(cluster, full):
    between, short = cluster(2, 2, 1), np.array([0.0, 1e-3])
    found = trajectory_emission(between, full(between), short, trajectories=4, rng=np.random.default_rng(1))
    assert found.excited[0] == 4.0 and found.photon_rate[0] == pytest.approx(4.0)


def test_repeatable(cluster, full):
    between = cluster(2, 2, 1)
    runs = [
        trajectory_emission(between, full(between), TIMES, trajectories=50, rng=np.random.default_rng(4))
        for _ in range(2)
    ]
    assert np.array_equal(runs[0].photon_rate, runs[1].photon_rate)


def test_refusals(together, full):
    with pytest.raises(ModelRangeError):
        trajectory_emission(together(17), (1, np.ones(17) / np.sqrt(17)), TIMES, rng=np.random.default_rng(0))
    for wrong in ({"trajectories": 1}, {"dephasing": -1.0}):
        with pytest.raises(OptionError):
            trajectory_emission(together(2), full(together(2)), TIMES, rng=np.random.default_rng(0), **wrong)
