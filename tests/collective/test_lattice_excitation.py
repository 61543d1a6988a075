"""One excitation on a lattice: transforms against dense products, Krylov steps against eigenvectors."""

from dataclasses import replace

import numpy as np
import pytest

from perolux.collective.burst import burst
from perolux.collective.case import BurstCase
from perolux.collective.couplings import couplings
from perolux.collective.lattice_excitation import grid_spacing, lattice_couplings, lattice_emission
from perolux.collective.single_excitation import effective_hamiltonian, single_excitation_emission
from perolux.errors import InputError, NotAvailableError, OptionError

PITCH = np.full(3, 12.5)


def holes(emitters, keep):
    return replace(
        emitters, positions_nm=emitters.positions_nm[keep], dipoles=emitters.dipoles[keep],
        detuning=emitters.detuning[keep], nanocrystal=np.arange(int(np.sum(keep))),
    )  # fmt: skip


def test_products(grid):
    emitters = grid(5, 4, 6, spread=30.0, dipole=(1.0, 0.5, 2.0))
    emitters = holes(emitters, np.random.default_rng(1).random(120) > 0.2)
    fast, dense = lattice_couplings(emitters, PITCH, screening=0.3), couplings(emitters, screening=0.3)
    n = len(dense)
    c = np.random.default_rng(2).normal(size=(2, n)) @ np.eye(n) * np.array([[1.0], [1.0j]])
    c = c.sum(axis=0)
    moved = effective_hamiltonian(dense, 0.5) @ c
    assert fast.shifted(c, 0.5) == pytest.approx(moved, abs=1e-10 * np.abs(moved).max())
    assert fast.photon_rate(c) == pytest.approx(np.real(c.conj() @ dense.decay @ c), rel=1e-10)


@pytest.mark.parametrize("tolerance", [1e-4, 1e-8])
def test_steps(grid, tolerance):
    emitters = grid(4, 4, 3, spread=30.0)
    c, t = np.full(48, 1.0 / np.sqrt(48.0), dtype=complex), np.linspace(0.0, 0.5, 11)
    found = lattice_emission(lattice_couplings(emitters, PITCH), c, t, loss=0.2, tolerance=tolerance)
    exact = single_excitation_emission(couplings(emitters), c, t, loss=0.2)
    # an error e of the amplitude is 2 e of the population and 2 Gamma_max e, Gamma_max below 48, of the rate
    assert found.excited == pytest.approx(exact.excited, abs=2.0 * tolerance + 1e-9)
    assert found.photon_rate == pytest.approx(exact.photon_rate, abs=96.0 * tolerance + 1e-8)


def test_above_the_dense_limit(grid, monkeypatch):
    emitters, t = grid(5, 5, 4, spread=10.0), np.linspace(0.0, 0.1, 6)
    case = BurstCase("", emitters, 0.0, 0.0, "symmetric single excitation", np.arange(0), t, 0.3)
    dense = burst(case)
    monkeypatch.setattr("perolux.collective.burst.MOST_DENSE", 99)
    found = burst(case)
    assert found.method == "single-excitation" and "Krylov" in found.validity
    assert grid_spacing(emitters) == pytest.approx(PITCH)
    # 1e-6 of the amplitude, rates below 100
    assert found.photon_rate == pytest.approx(dense.photon_rate, abs=2e-4)
    with pytest.raises(NotAvailableError):
        burst(replace(case, dephasing=1.0))


def test_refusals(grid):
    emitters = grid(2, 2, 2)
    with pytest.raises(InputError, match="off the grid"):
        lattice_couplings(emitters, np.array([12.5, 12.5, 10.0]))
    with pytest.raises(OptionError, match="spacings"):
        lattice_couplings(emitters, np.array([12.5, 0.0, 12.5]))
    fast = lattice_couplings(emitters, PITCH)
    for c, loss in ((np.ones(8, dtype=complex), 0.0), (np.eye(8)[0].astype(complex), -1.0)):
        with pytest.raises(OptionError):
            lattice_emission(fast, c, np.array([0.0, 1.0]), loss=loss)
