"""Operators between blocks against products of Pauli matrices."""

from math import comb

import numpy as np
import pytest

from perolux.collective.blocks import (
    blocks,
    different_sites,
    hamiltonian,
    lowering,
    photon_operator,
    product_state,
    symmetric_single,
)
from perolux.errors import ModelRangeError


def lowers(n):
    """s-_j on 2^n states; bit j set: emitter j excited."""
    found = []
    for j in range(n):
        one = np.zeros((2**n, 2**n))
        for pattern in range(2**n):
            if pattern >> j & 1:
                one[pattern ^ (1 << j), pattern] = 1.0
        found.append(one)
    return found


def test_operators(cluster):
    between = cluster(2, 2, 1, spread=3.0, dipole=(1.0, 0.0, 1.0))
    n, of, low = 4, blocks(4), lowers(4)
    h = sum(between.detuning[i] * low[i].T @ low[i] for i in range(n))
    h = h + sum(between.shift[i, j] * low[i].T @ low[j] for i in range(n) for j in range(n))
    light = sum(between.decay[i, j] * low[i].T @ low[j] for i in range(n) for j in range(n))
    for k in range(n + 1):
        here = of.states[k]
        assert len(here) == comb(4, k)
        assert hamiltonian(of, k, between).toarray() == pytest.approx(h[np.ix_(here, here)])
        assert photon_operator(of, k, between).toarray() == pytest.approx(light[np.ix_(here, here)])
        if k:
            for j, one in enumerate(lowering(of, k)):
                assert np.array_equal(one.toarray(), low[j][np.ix_(of.states[k - 1], here)])


def test_states():
    of = blocks(5)
    k, vector = product_state(of, np.array([0, 3]))
    assert k == 2 and of.states[2][np.argmax(np.abs(vector))] == 0b01001
    k, vector = symmetric_single(of)
    assert k == 1 and np.linalg.norm(vector) == pytest.approx(1.0)
    apart = different_sites(of, 2)
    assert set(np.unique(apart)) == {0.0, 2.0, 4.0}
    with pytest.raises(ModelRangeError):
        blocks(21)
