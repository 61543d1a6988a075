"""Blocks without matrices: products, propagation and windows of energy against dense linear algebra."""

import numpy as np
import pytest
from scipy.linalg import expm

from perolux.collective.bin_flows import jumps_between
from perolux.collective.blocks import blocks, hamiltonian, photon_operator
from perolux.collective.energy_bins import levels, sampled
from perolux.collective.sectors import sector


@pytest.fixture
def sheet(cluster):
    return cluster(2, 4, 1, spread=50.0)


def states(size, many):
    psi = np.random.default_rng(1).normal(size=(size, 2 * many)).view(complex)
    return psi / np.linalg.norm(psi, axis=0)


def test_carried_is_the_exponential(sheet):
    of, k = blocks(8), 5
    block = sector(of, k, sheet)
    h, g = (one(of, k, sheet).toarray() for one in (hamiltonian, photon_operator))
    assert (block.low, block.high) == pytest.approx(tuple(np.linalg.eigvalsh(h)[[0, -1]]), rel=1e-3)
    psi, elapsed, loss = states(len(block), 3), np.array([0.01, 0.0, 0.003]), 0.5
    found = block.carried(psi.astype(np.complex64), elapsed, loss)
    h = h - 0.5j * (g + (loss * k) * np.eye(len(block))) - block.middle * np.eye(len(block))
    for column, t in enumerate(elapsed):
        # single precision over tens of products
        assert found[:, column] == pytest.approx(expm(-1j * t * h) @ psi[:, column], abs=2e-6)
    light = np.einsum("cs,cs->s", psi.conj(), g @ psi).real
    assert block.light(psi.astype(np.complex64)) == pytest.approx(light, rel=1e-5)


def test_windows_are_those_of_the_eigenstates(sheet):
    of, k, bins = blocks(8), 4, 5
    energy, vectors = np.linalg.eigh(hamiltonian(of, k, sheet).toarray())
    block = sampled(of, k, sheet, bins)
    u = states(of.size(k), 2).real
    found = block.shares(u)
    x = (energy - block.of.middle) / block.of.real_half
    windows = np.polynomial.chebyshev.chebval(x, block.windows.T)
    assert found == pytest.approx(windows @ (vectors.T @ u) ** 2, abs=1e-5)
    # together they are 1, and none is negative: shares are shares
    assert found.sum(axis=0) == pytest.approx(np.sum(u**2, axis=0), rel=1e-5)
    assert windows.min() > -1e-6
    # a state seen through a window lies in its bin, 0.155 to either side, but for the soft edges
    seen = vectors.T @ block.vectors(3, np.random.default_rng(0))[2]
    inside = np.abs(energy - block.of.low - 0.5 * (block.of.high - block.of.low)) < 0.185 * np.ptp(energy)
    assert np.sum(seen[inside] ** 2) > 0.95 * np.sum(seen**2)


def test_flows_by_random_states(sheet):
    of, k, rng = blocks(8), 4, np.random.default_rng(3)
    gammas, modes = sheet.modes()
    rest = (modes * np.sqrt(gammas), photon_operator(of, k, sheet), rng)
    exact = jumps_between(of, k, levels(of, k, sheet, 3), levels(of, k - 1, sheet, 3), *rest)
    many = [
        jumps_between(of, k, sampled(of, k, sheet, 3), sampled(of, k - 1, sheet, 3), *rest) for _ in range(12)
    ]
    error = np.std(many, axis=0, ddof=1) / np.sqrt(12)
    # soft edges move states of the other bins in: a quarter of a bin's width in 256 terms of 3 bins is 4 %
    assert np.all(np.abs(np.mean(many, axis=0) - exact) < 4.0 * error + 0.05 * exact.max())
