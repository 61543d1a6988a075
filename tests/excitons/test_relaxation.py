"""Relaxation: detailed balance, conservation, and the closed form against the matrix exponential."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from perolux.errors import ModelRangeError, OptionError
from perolux.excitons.levels.polarised import thermal_occupation
from perolux.excitons.levels.relaxation import (
    TransferRates,
    decay_components,
    occupation,
    one_phonon_rates,
    populations,
    rate_matrix,
    two_level_decay,
    two_phonon_rates,
)
from perolux.excitons.light.rates import Levels, thermal_lifetime
from perolux.quantities.constants import BOLTZMANN_EV_PER_K

RATE = st.floats(0.0, 10.0)


@given(st.floats(0.1, 30.0), st.floats(0.1, 40.0), st.floats(2.0, 400.0))
def test_detailed_balance(splitting, phonon, kelvin):
    boltzmann = np.exp(-splitting / (1000 * BOLTZMANN_EV_PER_K * kelvin))
    for rates in (
        one_phonon_rates(0.3, splitting, kelvin),
        two_phonon_rates(0.3, splitting, phonon, kelvin),
        one_phonon_rates(0.3, splitting, kelvin) + two_phonon_rates(2.0, splitting, phonon, kelvin),
    ):
        if rates.down_per_ns > 0:
            assert float(rates.up_per_ns / rates.down_per_ns) == pytest.approx(boltzmann, rel=1e-10)


def test_cold_and_warm_limits():
    cold = one_phonon_rates(0.3, 2.0, 0.0)
    assert (float(cold.down_per_ns), float(cold.up_per_ns)) == (0.3, 0.0)
    frozen = two_phonon_rates(0.3, 2.0, 3.2, [0.0, 0.01])
    assert np.all(frozen.down_per_ns == 0) and np.all(frozen.up_per_ns == 0)
    # far above: n = kT/E - 1/2, so the one-phonon rate grows as T, the two-phonon rate as T^2
    assert float(occupation(2.0, 1e5)) == pytest.approx(1000 * BOLTZMANN_EV_PER_K * 1e5 / 2.0 - 0.5, rel=1e-7)
    warm = two_phonon_rates(1.0, 2.0, 3.2, [1e6, 2e6]).down_per_ns
    assert warm[1] / warm[0] == pytest.approx(4.0, rel=1e-3)
    with pytest.raises(ModelRangeError):
        occupation(1.0, -1.0)
    with pytest.raises(OptionError, match="positive"):
        one_phonon_rates(1.0, 0.0, 10.0)
    with pytest.raises(OptionError, match="rate"):
        one_phonon_rates(-1.0, 1.0, 10.0)


@settings(deadline=None, max_examples=40)
@given(RATE, RATE, st.floats(0.01, 5.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.booleans())
@example(2e-28, 9e-142, 1.0, 1.0, 0.0, False)
@example(0.25, 1e-140, 1.0, 0.25, 0.3, False)
@example(0.0, 0.25, 1.0, 0.25, 0.3, True)
@example(0.0, 0.0, 1.0, 1.0, 0.5, True)
def test_closed_form_is_the_matrix_exponential(down, up, bright, dark, share, above):
    decay = two_level_decay(
        TransferRates(np.array(down), np.array(up)), bright, dark, bright_fraction=share, bright_above=above
    )
    to_dark, to_bright = (down, 3 * up) if above else (up, 3 * down)
    generator = np.array([[-bright - to_dark, to_bright], [to_dark, -dark - to_bright]])
    times = np.array([0.0, 0.1, 1.0, 7.0])
    expected = expm(times[:, None, None] * generator) @ [share, 1 - share] @ [bright, dark]
    # two nearly equal rates share an amplitude between them to about sqrt of the rounding
    assert decay.intensity_per_ns(times) == pytest.approx(expected, abs=1e-7)
    assert np.all(decay.slow_lifetime_ns >= decay.fast_lifetime_ns * (1 - 1e-12))


@settings(deadline=None, max_examples=60)
@given(st.floats(1e-12, 10.0), st.floats(1e-12, 1.0), st.floats(0.01, 5.0), st.floats(0.0, 1.0))
def test_without_losses_every_excitation_gives_a_photon(down, ratio, bright, share):
    """Also where the dark level empties only after a second: the slow amplitude does not cancel."""
    decay = two_level_decay(
        TransferRates(np.array(down), np.array(down * ratio)), bright, bright_fraction=share
    )
    assert float(decay.quantum_yield) == pytest.approx(1.0, rel=1e-9)
    assert float(decay.slow_fraction) >= 0.0
    if decay.fast_amplitude_per_ns >= 0:  # else the fast part is a rise
        assert float(decay.slow_fraction) <= 1.0 + 1e-12


def test_fast_exchange_is_thermal_equilibrium_and_none_is_two_decays():
    levels = Levels.of([0.0, 2.0], [0.001, 1.0], [1, 3])
    kelvin = np.array([3.0, 10.0, 60.0])
    quick = two_level_decay(one_phonon_rates(1e7, 2.0, kelvin), 1.0, 0.001)
    expected = thermal_lifetime(levels, kelvin).lifetime_ns
    # the correction is of the order of Gamma/g1 = 1e-7, over n where it is cold
    assert quick.slow_lifetime_ns == pytest.approx(expected, rel=1e-5)
    apart = two_level_decay(TransferRates(np.array(0.0), np.array(0.0)), 1.0, 0.001)
    assert float(apart.fast_lifetime_ns) == 1.0 and float(apart.slow_lifetime_ns) == pytest.approx(1000.0)
    assert float(apart.fast_amplitude_per_ns) == pytest.approx(0.75)
    assert float(apart.slow_amplitude_per_ns) == pytest.approx(0.25e-3)
    frozen = two_level_decay(TransferRates(np.array(0.0), np.array(0.0)), 1.0)
    assert np.isposinf(frozen.slow_lifetime_ns) and float(frozen.quantum_yield) == pytest.approx(0.75)


def test_the_slow_lifetime_falls_on_warming_with_two_phonons():
    kelvin = np.linspace(2.0, 60.0, 30)
    decay = two_level_decay(two_phonon_rates(1.0, 2.0, 3.2, kelvin), 1.0, 1e-4)
    assert np.all(np.diff(decay.slow_lifetime_ns) < 0)


@pytest.mark.parametrize("kelvin", [2.0, 20.0, 300.0])
def test_matrix_keeps_population_and_boltzmann(kelvin):
    levels = Levels.of([0.0, 2.0, 2.5, 9.0], [0.0, 0.0, 0.0, 0.0], [1, 1, 2, 3])
    matrix = rate_matrix(levels, kelvin, one_phonon_per_ns=0.2, two_phonon_per_ns=0.5, phonon_mev=3.2)
    assert matrix.sum(axis=0) == pytest.approx(np.zeros(4), abs=1e-12)
    equilibrium = thermal_occupation(levels.energy_mev, kelvin, levels.degeneracy)
    assert matrix @ equilibrium == pytest.approx(np.zeros(4), abs=1e-12)
    later = populations(matrix, [0.0, 1.0, 0.0, 0.0], [0.0, 3.0, 1e3])
    assert later.sum(axis=1) == pytest.approx([1, 1, 1], abs=1e-9)  # expm: rounding x rate x time
    assert later.min() > -1e-12
    assert later[2] == pytest.approx(equilibrium, abs=1e-9)


def test_matrix_of_two_levels_is_the_closed_form():
    levels = Levels.of([0.0, 2.0], [0.01, 0.8], [1, 3])
    matrix = rate_matrix(levels, 12.0, two_phonon_per_ns=0.5, phonon_mev=3.2)
    decay = two_level_decay(two_phonon_rates(0.5, 2.0, 3.2, 12.0), 0.8, 0.01)
    times = np.array([0.0, 1.0, 10.0])
    light = populations(matrix, [0.25, 0.75], times) @ levels.rate_per_ns
    assert decay.intensity_per_ns(times) == pytest.approx(light, rel=1e-10)
    rates = -1.0 / np.array([float(decay.fast_lifetime_ns), float(decay.slow_lifetime_ns)])
    assert np.sort(np.linalg.eigvals(matrix).real) == pytest.approx(np.sort(rates), rel=1e-10)


def test_components_of_any_levels_add_up_to_the_light():
    levels = Levels.of([0.0, 2.0, 2.6, 3.5], [1e-3, 0.8, 0.9, 0.7])
    pairs = np.zeros((4, 4))
    pairs[0, 1:] = pairs[1:, 0] = 0.05  # between dark and bright only
    for kelvin in (4.0, 30.0, 200.0):
        matrix = rate_matrix(levels, kelvin, two_phonon_per_ns=pairs, phonon_mev=3.2)
        start = np.array([0.1, 0.2, 0.3, 0.4])
        lifetime, amplitude = decay_components(matrix, start, levels.rate_per_ns)
        assert np.all(np.diff(lifetime) >= 0)
        times = np.array([0.0, 0.5, 4.0, 30.0])
        light = populations(matrix, start, times) @ levels.rate_per_ns
        assert np.exp(-times[:, None] / lifetime) @ amplitude == pytest.approx(light, rel=1e-9)
        assert amplitude @ lifetime == pytest.approx(1.0, rel=1e-9)  # every excitation gives a photon


def test_losses_and_bad_matrices():
    levels = Levels.of([0.0, 2.0], [0.01, 0.8], [1, 3])
    matrix = rate_matrix(levels, 12.0, one_phonon_per_ns=0.5, loss_per_ns=0.1)
    assert -matrix.sum(axis=0) == pytest.approx([0.11, 0.9])
    with pytest.raises(OptionError, match="phonon"):
        rate_matrix(levels, 12.0, two_phonon_per_ns=0.5)
    with pytest.raises(OptionError, match="both ways"):
        rate_matrix(levels, 12.0, one_phonon_per_ns=[[0, 1], [2, 0]])
    with pytest.raises(OptionError, match="shape"):
        rate_matrix(Levels.of([[0.0, 1.0]], 1.0), 12.0)
    with pytest.raises(OptionError, match="times"):
        populations(matrix, [1, 0], -1.0)
    with pytest.raises(OptionError, match="fraction"):
        two_level_decay(TransferRates(np.array(1.0), np.array(1.0)), 1.0, bright_fraction=2.0)
