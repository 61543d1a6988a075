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
    # a state seen through a window lies in its bin but for the soft edges
    seen = vectors.T @ block.vectors(np.zeros((0, 0)), 3, np.random.default_rng(0))[2]
    inside = np.abs(energy - block.of.low - 0.5 * (block.of.high - block.of.low)) < 0.18 * np.ptp(energy)
    assert np.sum(seen[inside] ** 2) > 0.95 * np.sum(seen**2)


def test_flows_by_random_states(sheet):
    of, k, rng = blocks(8), 4, np.random.default_rng(3)
    gammas, modes = sheet.modes()
    factor, light = modes * np.sqrt(gammas), photon_operator(of, k, sheet)
    # every state its own bin: rates between eigenstates, whose sums are the light of each
    each = [levels(of, j, sheet, 10**9) for j in (k, k - 1)]
    rows, _ = jumps_between(of, k, each[0], each[1], np.ones(70), factor, light, 1.0, rng)
    assert rows.sum(axis=0) == pytest.approx(np.sum(each[0].states * (light @ each[0].states), axis=0))
    # random vectors see them through the windows of both blocks, squared above
    pair = sampled(of, k, sheet, 3), sampled(of, k - 1, sheet, 3)
    seen = []
    for block, j in zip(pair, (k, k - 1), strict=True):
        energy = np.linalg.eigvalsh(hamiltonian(of, j, sheet).toarray())
        x = (energy - block.of.middle) / block.of.real_half
        seen.append(np.polynomial.chebyshev.chebval(x, block.windows.T))
    share = seen[0].T ** 2
    exact = seen[1] @ rows @ (share / share.sum(axis=0))
    many = [jumps_between(of, k, *pair, np.zeros((0, 0)), factor, light, 1.0, rng)[0] for _ in range(12)]
    error = np.std(many, axis=0, ddof=1) / np.sqrt(12)
    # nine scores; ratios of sums over four vectors are a few per cent off in the mean
    assert np.all(np.abs(np.mean(many, axis=0) - exact) < 4.0 * error + 0.03 * exact.max())


def test_what_arrives_adds_up(sheet):
    # squares of the columns below are the light of the states above, over what leaves
    of, k, rng = blocks(8), 4, np.random.default_rng(4)
    gammas, modes = sheet.modes()
    light = photon_operator(of, k, sheet)
    upper, lower = sampled(of, k, sheet, 3), sampled(of, k - 1, sheet, 3)
    came = rng.normal(size=(70, 4))
    draws = [
        jumps_between(of, k, upper, lower, came, modes * np.sqrt(gammas), light, 0.0, rng)[1]
        for _ in range(40)
    ]
    total = np.array([np.sum(one**2) for one in draws])
    # nothing else leaves: all that came goes on, but for what random signs and times scatter
    assert total.mean() == pytest.approx(
        np.sum(came**2), rel=4.0 * total.std() / total.mean() / np.sqrt(40) + 0.03
    )
