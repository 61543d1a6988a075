"""Radiative rates, local fields and thermal lifetimes: exact limits and the reader of tables of levels."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import constants as si

from perolux.errors import InputError, ModelRangeError, OptionError
from perolux.excitons.light.level_tables import MAX_BYTES, read_levels
from perolux.excitons.light.rates import (
    Levels,
    fine_structure_levels,
    local_field,
    oscillator_strength,
    product_levels,
    radiative_rate_per_ns,
    thermal_lifetime,
)
from perolux.quantities.constants import BOLTZMANN_EV_PER_K


def test_the_rate_is_the_si_formula():
    """Written out in SI with the constants of scipy."""
    energy, strength, index, field = 2.1, 7.3, 1.5, 0.4
    omega = energy * si.e / si.hbar
    expected = (
        1e-9 * index * field**2 * si.e**2 * omega**2 * strength
        / (6 * math.pi * si.epsilon_0 * si.m_e * si.c**3)
    )  # fmt: skip
    found = radiative_rate_per_ns(energy, strength, index_outside=index, field_factor=field)
    assert float(found) == pytest.approx(expected, rel=1e-7)  # CODATA editions differ in the eighth digit


def test_the_rate_is_that_of_the_dipole():
    """w^3 n d^2/(3 pi eps0 hbar c^3) with d^2 = e^2 hbar f/(2 m0 w): the two common forms agree."""
    omega = 2.1 * si.e / si.hbar
    dipole2 = si.e**2 * si.hbar * 7.3 / (2 * si.m_e * omega)
    expected = 1e-9 * omega**3 * dipole2 / (3 * math.pi * si.epsilon_0 * si.hbar * si.c**3)
    assert float(radiative_rate_per_ns(2.1, 7.3)) == pytest.approx(expected, rel=1e-7)


def test_local_field_limits():
    assert local_field(4.0, 4.0, [0.1, 0.9]) == pytest.approx([1.0, 1.0])
    assert float(local_field(4.5, 2.25)) == pytest.approx(3 * 2.25 / (2 * 2.25 + 4.5))
    assert local_field(4.0, 2.0, [0.0, 1.0]) == pytest.approx([1.0, 0.5])  # along a needle, across a plate
    with pytest.raises(OptionError):
        local_field(4.0, 2.0, 1.5)
    with pytest.raises(OptionError):
        oscillator_strength(20.0, 0.0, 1.0)


def test_equal_levels_give_four_thirds_of_the_bright_lifetime():
    levels = Levels.of([5.0] * 4, [0.0, 0.4, 0.4, 0.4])
    result = thermal_lifetime(levels, [0.0, 1e-3, 4.0, 300.0])
    assert result.lifetime_ns == pytest.approx([2.5 * 4 / 3] * 4, rel=1e-14)
    grouped = thermal_lifetime(Levels.of([0.0, 0.0], [0.0, 0.4], [1, 3]), 300.0)
    assert grouped.lifetime_ns == pytest.approx([10 / 3], rel=1e-14)


def test_cold_dark_levels_live_for_ever():
    levels = Levels.of([-3.0, 4.0], [0.0, 1.0], [1, 3])
    result = thermal_lifetime(levels, [0.0, 1e-200, 1e-3, 2.0])
    assert np.isposinf(result.lifetime_ns[:3]).all()
    activated = 3.0 * math.exp(-7.0 / (1000 * BOLTZMANN_EV_PER_K * 2.0))
    assert result.rate_per_ns[3] == pytest.approx(activated / (1 + activated), rel=1e-12)
    bright = thermal_lifetime(Levels.of([0.0, 7.0], [1.0, 0.0]), 0.0)
    assert bright.lifetime_ns == pytest.approx([1.0])


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 1600), st.floats(0, 5)), min_size=1, max_size=9), st.floats(0, 1e4))
def test_the_mean_rate_lies_between_the_rates_and_knows_no_zero(levels, kelvin):
    energy, rate = (np.array(one) for one in zip(*levels, strict=True))
    energy = energy / 8.0  # eighths of a meV: moving them rounds nothing
    result = thermal_lifetime(Levels.of(energy, rate), kelvin)
    assert rate.min() - 1e-12 <= result.rate_per_ns[0] <= rate.max() + 1e-12
    moved = thermal_lifetime(Levels.of(energy + 37.0, rate), kelvin)
    assert moved.rate_per_ns == pytest.approx(result.rate_per_ns, rel=1e-9, abs=1e-300)


def test_incomplete_below_six_kt():
    kelvin = 100.0
    border = 6.0 * 1000.0 * BOLTZMANN_EV_PER_K * kelvin
    for span, incomplete in ((0.999 * border, True), (1.001 * border, False)):
        assert bool(thermal_lifetime(Levels.of([0, span], [0, 1]), kelvin).levels_incomplete[0]) is incomplete


def test_batches_and_bad_levels():
    energy = np.random.default_rng(1).uniform(0, 20, (5, 4))
    batch = thermal_lifetime(Levels.of(energy, [0.0, 1.0, 1.0, 2.0]), [10.0, 100.0])
    assert batch.rate_per_ns.shape == batch.levels_incomplete.shape == (5, 2)
    one = thermal_lifetime(Levels.of(energy[3], [0.0, 1.0, 1.0, 2.0]), [10.0, 100.0])
    assert batch.rate_per_ns[3] == pytest.approx(one.rate_per_ns)
    for energies, rates, states in (([], [], 1), ([1.0], [-1.0], 1), ([np.nan], [1.0], 1), ([1.0], [1.0], 0)):
        with pytest.raises(OptionError):
            Levels.of(energies, rates, states)
    with pytest.raises(ModelRangeError):
        thermal_lifetime(Levels.of([0.0], [1.0]), -1.0)


def test_a_ladder_times_spin_averages_as_a_product():
    """Rates and weights factorise, so 1/tau = <K>_orbital x <Gamma>_spin exactly."""
    orbital, overlap, states = [0.0, 5.0, 9.0], [20.0, 0.0, 3.0], [1, 3, 3]
    spin, rate = [0.0, 2.0, 2.0, 2.5], [0.0, 1.0, 1.0, 1.2]
    ladder = product_levels(orbital, overlap, spin, rate, degeneracy=states)
    assert ladder.energy_mev.shape == (12,)
    kelvin = [3.0, 50.0, 300.0]
    of_orbitals = thermal_lifetime(Levels.of(orbital, overlap, states), kelvin).rate_per_ns
    of_spins = thermal_lifetime(Levels.of(spin, rate), kelvin).rate_per_ns
    assert thermal_lifetime(ladder, kelvin).rate_per_ns == pytest.approx(of_orbitals * of_spins, rel=1e-12)
    higher = product_levels(orbital, overlap, spin, rate, degeneracy=states, transition_ev=2.0)
    assert higher.rate_per_ns[-1] / ladder.rate_per_ns[-1] == pytest.approx(1 + 0.0115 / 2)


def test_a_field_shortens_the_life_of_the_cold_dark_level():
    """Dark with the admixture (mixing/D)^2 of a bright level lives that much longer than the bright one."""
    from perolux.excitons.levels.fine_structure import fine_structure
    from perolux.quantities.constants import constant

    mixing = 0.5 * (1.7 - 0.65) * 1e3 * constant("bohr_magneton_ev_per_t") * 5.0
    fine = fine_structure([3.0] * 3, field_t=[[0, 0, 5.0], [3.0, 0, 4.0]], g_electron=1.7, g_hole=0.65)
    levels = fine_structure_levels(fine, [0.4, 0.8])
    assert levels.rate_per_ns.sum(axis=-1) == pytest.approx([1.2, 2.4])
    cold = thermal_lifetime(levels, 0.0).rate_per_ns[:, 0]
    # second order in mixing/D = 0.05, so good to 1 % ; isotropic: the direction of the field is all one
    assert cold == pytest.approx(np.array([0.4, 0.8]) * (mixing / 3.0) ** 2, rel=0.01)


def write(tmp_path, text):
    path = tmp_path / "levels.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_reads_levels(tmp_path):
    path = write(
        tmp_path,
        "\ufeff# CsPbI3\nradiative_lifetime_ns, energy_mev ,degeneracy\n,0,\n\n2.5,7.0,3\n1e3,-1,2\n",
    )
    levels = read_levels(path)
    assert levels.energy_mev.tolist() == [0.0, 7.0, -1.0]
    assert levels.rate_per_ns.tolist() == [0.0, 0.4, 0.001]
    assert levels.degeneracy.tolist() == [1.0, 3.0, 2.0]
    two = read_levels(write(tmp_path, "energy_mev,radiative_lifetime_ns\r\n0,\r\n7,2.5\r\n"))
    assert two.degeneracy.tolist() == [1.0, 1.0]


def test_all_problems_of_a_table_at_once(tmp_path):
    path = write(
        tmp_path,
        "energy_mev,radiative_lifetime_ns,degeneracy\n"
        "0,,1\nabc,1,1\n1,0,1\n2,-3,0\n3,inf,1\n4,1\nnan,1,1\n5,1,x\n6,1e-320,1\n1e7,1,1\n7,1,1e10\n",
    )
    with pytest.raises(InputError) as caught:
        read_levels(path)
    places = [problem.where.rsplit(" ", 1)[1] for problem in caught.value.problems]
    assert places == ["3", "4", "5", "5", "6", "7", "8", "9", "10", "11", "12"]
    many = "energy_mev,radiative_lifetime_ns\n" + "x,1\n" * 500
    with pytest.raises(InputError) as caught:
        read_levels(write(tmp_path, many))
    assert len(caught.value.problems) == 21 and "480 more" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no levels"),
        ("# nothing\n", "no levels"),
        ("energy_mev,radiative_lifetime_ns\n", "no levels"),
        ("energy_mev;radiative_lifetime_ns\n0;1\n", "missing"),
        ("energy_mev,radiative_lifetime_ns,colour\n0,1,red\n", "unknown column 'colour'"),
        ("energy_mev,energy_mev,radiative_lifetime_ns\n0,0,1\n", "twice"),
        (b"energy_mev\xff", "UTF-8"),
        (b"energy_mev,radiative_lifetime_ns\n0,\x001\n", "no text"),
        (b"#" * (MAX_BYTES + 1), "too large"),
    ],
)
def test_unusable_tables(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        read_levels(write(tmp_path, text))


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_levels(tmp_path / "none.csv")
    with pytest.raises(InputError, match="no file"):
        read_levels(tmp_path)


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=200))
def test_any_bytes_give_levels_or_an_input_error(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("fuzz") / "levels.csv"
    path.write_bytes(b"energy_mev,radiative_lifetime_ns\n" + content)
    try:
        assert read_levels(path).energy_mev.size > 0
    except InputError as error:
        assert error.problems
