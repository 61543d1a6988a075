"""Coherence volume, centre-of-mass ladder, calibration of the coherent region, T1 with T2: limits, counts."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perolux.errors import ModelRangeError, OptionError
from perolux.excitons.assumptions import assumption
from perolux.excitons.crystal import nanocrystal
from perolux.excitons.layers import Layers
from perolux.excitons.light.coherence import (
    COHERENCE_MODELS,
    coherence_volume_nm3,
    linewidth_coherence_volume_nm3,
)
from perolux.excitons.light.dephasing import acoustic_dephasing_ev_per_k, coherence, pure_dephasing_fwhm_ev
from perolux.excitons.light.rates import Levels, thermal_lifetime
from perolux.excitons.light.thermal_ladder import centre_of_mass_ladder, thermal_ladder_fraction
from perolux.excitons.pair.limits import overlap_constant
from perolux.excitons.pair.tables import interpolate
from perolux.excitons.parameters import parameters_of
from perolux.excitons.properties import results_of
from perolux.quantities.constants import HBAR2_OVER_2M0_EV_NM2, constant

BOHR, MASS = 2.56, 0.72


def test_no_width_leaves_the_crystal_and_a_large_one_its_own_limit():
    volume = np.array([1e3, 2.7e4, 1e9])
    assert linewidth_coherence_volume_nm3(volume, MASS, 0.0) == pytest.approx(volume, rel=1e-15)
    bulk = 6 * math.pi**2 * (HBAR2_OVER_2M0_EV_NM2 / (MASS * 1e-3)) ** 1.5
    assert float(linewidth_coherence_volume_nm3(1e12, MASS, 1.0)) == pytest.approx(bulk, rel=1e-6)
    widths = linewidth_coherence_volume_nm3(2.7e4, MASS, np.geomspace(1e-3, 100, 20))
    assert np.all(np.diff(widths) < 0)


@pytest.mark.parametrize(("edge", "width_mev"), [(60.0, 40.0), (120.0, 40.0)])
def test_the_count_of_states_is_that_of_a_box(edge, width_mev):
    """N counted in a periodic box, where no surface term disturbs; it agrees the better the more states."""
    unit = HBAR2_OVER_2M0_EV_NM2 / MASS * (2 * math.pi / edge) ** 2
    top = math.isqrt(int(1e-3 * width_mev / unit)) + 1
    n = np.arange(-top, top + 1) ** 2
    counted = int((n[:, None, None] + n[:, None] + n <= 1e-3 * width_mev / unit).sum())
    held = float(linewidth_coherence_volume_nm3(edge**3, MASS, width_mev))
    assert edge**3 / held - 1.0 == pytest.approx(counted, rel=3 / math.sqrt(counted))


def test_named_models():
    for model in COHERENCE_MODELS:
        held = coherence_volume_nm3(
            model, 2.7e4, bohr_radius_nm=BOHR, total_mass_m0=MASS, homogeneous_fwhm_mev=1.0
        )
        assert 0 < held <= 2.7e4
    diameter = assumption("coherence_diameter_over_bohr").number * BOHR
    assert float(coherence_volume_nm3("localisation", 1e9, bohr_radius_nm=BOHR)) == pytest.approx(
        math.pi / 6 * diameter**3
    )
    for arguments in ({"model": "magic"}, {"model": "localisation"}, {"model": "linewidth"}):
        with pytest.raises(OptionError):
            coherence_volume_nm3(volume_nm3=1e3, **arguments)


def test_ladder_holds_every_state_and_the_strength_of_the_volume():
    energy, strength, states = centre_of_mass_ladder(30.0, BOHR, MASS, 7.0, up_to_mev=3000.0)
    assert energy[0] == 0.0 and strength[0] == 7.0 and states[0] == 1.0
    unit = energy[1] / 3.0  # (2,1,1) lies 3 units above (1,1,1)
    assert strength[1] == 0.0 and states[1] == 3.0
    n = np.arange(1, 80) ** 2
    counted = int((n[:, None, None] + n[:, None] + n - 3 <= 3000.0 / unit + 1e-9).sum())
    assert states.sum() == counted
    # the sum over odd n converges as 1/n_max, here about 1/60 on each axis
    assert (strength * states).sum() == pytest.approx(7.0 * (math.pi**2 / 8) ** 3, rel=0.03)
    # and (8/pi^2)^3 of the whole is the weak limit of the lowest level
    assert overlap_constant("cube") * math.pi == pytest.approx((8 / math.pi**2) ** 3)
    with pytest.raises(ModelRangeError, match="weak"):
        centre_of_mass_ladder(10.0, BOHR, MASS, 1.0, up_to_mev=10.0)


def test_ladder_begins_at_the_energy_of_the_table():
    """The unit gives back the confinement of the lowest level: 3 units above -1 Ry for m_e = m_h."""
    rydberg = 1e3 * HBAR2_OVER_2M0_EV_NM2 / (0.25 * MASS * BOHR**2)
    energy, _, _ = centre_of_mass_ladder(30.0, BOHR, MASS, 1.0, up_to_mev=20.0)
    above = float(interpolate("cube", 30.0 / BOHR).energy_over_rydberg) + 1.0
    assert energy[1] == pytest.approx(rydberg * above, rel=1e-12)  # 3 units again: (2,1,1) - (1,1,1)


def test_the_closed_sum_over_the_ladder_is_the_list_of_levels():
    kelvin = np.array([0.0, 1e-3, 4.0, 30.0])
    levels = Levels.of(*centre_of_mass_ladder(30.0, BOHR, MASS, 1.0, up_to_mev=120.0))  # 46 kT
    listed = thermal_lifetime(levels, kelvin).rate_per_ns
    assert thermal_ladder_fraction(30.0, BOHR, MASS, kelvin) == pytest.approx(listed, rel=1e-12)
    draws = thermal_ladder_fraction(np.array([[20.0], [30.0]]), BOHR, [0.5, 0.7, 0.9], 10.0)
    assert draws.shape == (2, 3)
    # heavier and larger: closer levels, more of them occupied
    assert np.all(np.diff(draws, axis=1) < 0) and np.all(draws[1] < draws[0])
    with pytest.raises(ModelRangeError):
        thermal_ladder_fraction(30.0, BOHR, MASS, -1.0)


@pytest.mark.parametrize("name", ["A", "B"])
def test_the_record_gives_the_passport_the_lifetimes_it_was_calibrated_on(name):
    (parameters,) = parameters_of("CsPbBr3", 4.0, sets=name, draws=0)
    record = parameters.values["coherence_diameter"]

    def picoseconds(edge_nm, diameter):
        one = nanocrystal("CsPbBr3", "cube", edge_nm, "core-edge", temperature_k=4.0).as_crystals
        numbers = {**parameters.numbers, "coherence_diameter": np.array([diameter])}
        found = results_of(one, replace(parameters, numbers=numbers), Layers(), with_absorption=False)
        return 1e3 * float(found.arrays["bright_lifetime"][0])

    assert picoseconds(30.0, record.low) == pytest.approx(
        100.0, abs=0.5
    )  # two digits after the point of d/aB
    assert picoseconds(30.0, record.high) == pytest.approx(80.0, abs=0.5)
    course = np.array([picoseconds(edge, record.number) for edge in (8.0, 12.0, 16.0, 20.0, 30.0, 60.0)])
    assert np.all(np.diff(course[:4]) < 0)
    # beyond the coherent region (22 nm) hardly anything changes
    assert course[3:] == pytest.approx(course[4], rel=0.08)


@given(st.floats(1e-3, 1e3), st.floats(0.0, 1e-3))
def test_coherence_never_outlives_twice_the_lifetime(lifetime, width):
    found = coherence(lifetime, width)
    assert 0 < float(found.coherence_time_ns) <= 2 * lifetime * (1 + 1e-12)
    assert float(found.excess * found.indistinguishability) == pytest.approx(1.0)
    hbar = constant("planck_j_s") / (2 * math.pi) / constant("elementary_charge_c") * 1e9
    # widths add: hbar/T1 of the lifetime, and the pure part
    assert float(found.homogeneous_fwhm_ev) == pytest.approx(hbar / lifetime + width, rel=1e-9)


def test_dephasing_calibrates_and_activates():
    acoustic = acoustic_dephasing_ev_per_k(0.09, 0.08, 4.0)
    width = pure_dephasing_fwhm_ev(4.0, acoustic)
    assert float(coherence(0.09, width).coherence_time_ns) == pytest.approx(0.08, rel=1e-12)
    cold, warm = pure_dephasing_fwhm_ev([0.0, 60.0], 0.0, 5e-4, 3.2e-3)
    assert cold == 0.0 and warm > 5e-4
    with pytest.raises(OptionError, match="phonon"):
        pure_dephasing_fwhm_ev(4.0, 0.0, 5e-4)
    with pytest.raises(OptionError, match="negative"):
        pure_dephasing_fwhm_ev(4.0, -1e-6)
    with pytest.raises(OptionError, match="twice"):
        acoustic_dephasing_ev_per_k(0.03, 0.08, 4.0)
    with pytest.raises(OptionError):
        coherence(-1.0)
