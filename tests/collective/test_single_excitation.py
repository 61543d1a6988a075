"""One excitation: closed forms for pairs, the exact solver for more, known modes."""

import numpy as np
import pytest

from perolux.collective.blocks import blocks, product_state, symmetric_single
from perolux.collective.couplings import Couplings
from perolux.collective.master_equation import exact_emission
from perolux.collective.single_excitation import modes, single_excitation_emission
from perolux.errors import ModelRangeError, OptionError


def test_pair_modes():
    off = np.array([[0.0, 1.0], [1.0, 0.0]])
    rates, shifts, _ = modes(Couplings(np.eye(2) + 0.7 * off, 9.0 * off, np.zeros(2)), loss=0.2)
    assert rates == pytest.approx([1.9, 0.5]) and shifts == pytest.approx([9.0, -9.0])


@pytest.mark.parametrize("star", [0.0, 3.0])
def test_against_exact(cluster, star):
    between, of, t = cluster(2, 2, 1, spread=10.0), blocks(4), np.linspace(0.0, 2.0, 21)
    for start in (product_state(of, np.array([2])), symmetric_single(of)):
        amplitudes = np.zeros(4, dtype=complex)
        # the states of one excitation are in the order of the emitters
        amplitudes[:] = start[1]
        found = single_excitation_emission(between, amplitudes, t, dephasing=star, loss=0.3)
        exact = exact_emission(between, start, t, dephasing=star, loss=0.3)
        assert found.photon_rate == pytest.approx(exact.photon_rate, abs=1e-6)
        assert found.excited == pytest.approx(exact.excited, abs=1e-6)


def test_brightest_of_216(cluster):
    rates, _, _ = modes(cluster(6, 6, 6))
    assert rates[0] == pytest.approx(189.0, abs=1.0)
    assert np.sum(rates) == pytest.approx(216.0)


@pytest.mark.slow
def test_diffusion():
    # neighbours only, J far below g*: the spread grows as 2 J^2/g* t in units of the pitch
    n, j, star = 31, 1.0, 40.0
    shift = j * (np.eye(n, k=1) + np.eye(n, k=-1))
    between = Couplings(1e-9 * np.eye(n), shift, np.zeros(n))
    from scipy.integrate import solve_ivp

    from perolux.collective.single_excitation import effective_hamiltonian

    h = effective_hamiltonian(between)
    fade = 2.0 * star * (1.0 - np.eye(n))

    def slope(_, flat):
        rho = flat.reshape(n, n)
        moved = h @ rho
        return (-1j * (moved - moved.conj().T) - fade * rho).ravel()

    rho = np.zeros((n, n), dtype=complex)
    rho[n // 2, n // 2] = 1.0
    solved = solve_ivp(slope, (0.0, 8.0), rho.ravel(), t_eval=[4.0, 8.0], rtol=1e-7, atol=1e-10)
    place = (np.arange(n) - n // 2) ** 2
    spread = [place @ np.real(np.diag(one.reshape(n, n))) for one in solved.y.T]
    assert (spread[1] - spread[0]) / 4.0 == pytest.approx(2.0 * j**2 / star, rel=0.02)


def test_refusals(together):
    with pytest.raises(OptionError, match="one excitation"):
        single_excitation_emission(together(3), np.ones(3, dtype=complex), np.array([0.0]))
    with pytest.raises(ModelRangeError):
        single_excitation_emission(
            together(401), np.ones(401, dtype=complex) / np.sqrt(401), np.array([0.0, 1.0]), dephasing=1.0
        )
