"""Clusters of emitters on a grid of 12.5 nm, dipoles along z, 530 nm in vacuum."""

import numpy as np
import pytest

from perolux.collective.blocks import blocks, product_state
from perolux.collective.couplings import Couplings, Emitters, couplings


@pytest.fixture
def grid():
    def make(*shape, pitch_nm=12.5, spread=0.0, dipole=(0.0, 0.0, 1.0)):
        sites = np.array(list(np.ndindex(*shape)), dtype=float) * pitch_nm
        dipoles = np.tile(np.array(dipole) / np.linalg.norm(dipole), (len(sites), 1))
        detuning = np.random.default_rng(5).normal(0.0, spread, len(sites)) if spread else np.zeros(0)
        return Emitters(sites, dipoles, 1.0, 530.0, detuning)

    return make


@pytest.fixture
def cluster(grid):
    def make(*shape, **options):
        return couplings(grid(*shape, **options))

    return make


@pytest.fixture
def together():
    """Identical emitters at one place."""

    def make(n):
        return Couplings(np.ones((n, n)), np.zeros((n, n)), np.zeros(n))

    return make


@pytest.fixture
def full():
    """All excited."""

    def make(between):
        n = len(between)
        return product_state(blocks(n), np.arange(n))

    return make
