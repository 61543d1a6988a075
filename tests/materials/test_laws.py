"""Laws of temperature, the Kane energy, and the arithmetic of values."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perolux.errors import ModelRangeError, OptionError
from perolux.materials.derive import bounds, combine, common_valid, weakest_kind
from perolux.materials.kane import (
    kane_energy_ev,
    kane_energy_from_lt_splitting,
    kane_energy_from_mass,
    lt_splitting_ev,
)
from perolux.materials.temperature import gap_course_two_oscillator, linewidth_ev, phonon_occupation
from perolux.quantities import Value


def test_width_law_s14():
    widths = 1e3 * linewidth_ev([10, 150, 290, 300], 0.020, 0.070, 0.018)
    assert widths == pytest.approx([20.000, 43.140, 86.350, 89.565], abs=0.001)  # three decimals printed


def test_width_law_at_high_temperature():
    """Gamma0 + Gamma_LO (kT/E - 1/2), with the next term of the series, E/(12 kT), as its error."""
    kt = 8.617333262e-5 * 3000.0
    expected = 0.020 + 0.070 * (kt / 0.018 - 0.5)
    assert float(linewidth_ev(3000.0, 0.020, 0.070, 0.018)) == pytest.approx(
        expected, abs=0.070 * 0.018 / (10 * kt)
    )


@given(
    st.floats(0, 1e-3), st.floats(-0.2, 0.0), st.floats(0.002, 0.05), st.floats(0, 400), st.floats(0.1, 100)
)
def test_gap_law_s15(expansion, coupling, phonon, temperature, step):
    """A_TE > 0 and A_EP > 0 would both raise it; here A_EP < 0 pulls down: E(0) = E0 + A_EP."""
    at_zero = gap_course_two_oscillator(0.0, 2.4, expansion, coupling, phonon)
    assert float(at_zero) == pytest.approx(2.4 + coupling, abs=1e-12)
    # Expansion alone rises, coupling alone falls: each of the two terms has its sign.
    both = [temperature, temperature + step]
    assert np.diff(gap_course_two_oscillator(both, 2.4, expansion, 0.0, phonon))[0] >= 0
    assert np.diff(gap_course_two_oscillator(both, 2.4, 0.0, coupling, phonon))[0] <= 0


def test_gap_law_rises_where_expansion_wins():
    course = gap_course_two_oscillator(np.arange(0, 301, 10.0), 2.40, 3e-4, -0.004, 0.018)
    assert np.all(np.diff(course) > 0)


def test_two_oscillators_add():
    one = gap_course_two_oscillator(200.0, 0.0, 0.0, -0.03, 0.005)
    other = gap_course_two_oscillator(200.0, 0.0, 0.0, 0.02, 0.04)
    both = gap_course_two_oscillator(200.0, 3.0, 0.0, [-0.03, 0.02], [0.005, 0.04])
    assert float(both) == pytest.approx(3.0 + float(one) + float(other), abs=1e-14)
    with pytest.raises(OptionError, match="2 couplings for 1 phonons"):
        gap_course_two_oscillator(200.0, 3.0, 0.0, [-0.03, 0.02], 0.005)


def test_occupation():
    assert phonon_occupation([0.0, 1e-3], 0.02).tolist() == [0.0, 0.0]
    assert float(phonon_occupation(300.0, 0.02)) == pytest.approx(
        1 / math.expm1(0.02 / (8.617333262e-5 * 300)), rel=1e-9
    )  # ten digits of k typed
    with pytest.raises(ModelRangeError, match="below 0 K"):
        phonon_occupation([-1.0], 0.02)
    with pytest.raises(ModelRangeError, match="below 0 K"):
        phonon_occupation(float("nan"), 0.02)
    with pytest.raises(OptionError, match="phonon energy"):
        phonon_occupation(300.0, 0.0)


# --- Kane energy ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mass", "delta", "kane"),
    # Bookkeeping of the excitons chapter at Eg 2.35 eV; 28 and 19.6, 16.8 and 11.8 as printed.
    [(0.126, None, 28.0), (0.18, None, 19.6), (0.126, 1.2, 16.8), (0.18, 1.2, 11.8)],
)
def test_kane_energy_of_a_mass(mass, delta, kane):
    assert kane_energy_from_mass(mass, 2.35, delta) == pytest.approx(kane, abs=0.05)


@pytest.mark.parametrize(("bohr_nm", "kane"), [(3.066, 25.4), (2.558, 14.7)])
def test_kane_energy_of_the_lt_splitting(bohr_nm, kane):
    # The chapter prints 25.4 and 14.7; with its own inputs the formula gives 25.2 and 14.6 (0.7 %).
    found = kane_energy_from_lt_splitting(5.3e-3, 2.35 - 0.0325, 4.5, bohr_nm)
    assert found == pytest.approx(kane, rel=0.01)


@given(st.floats(1, 50), st.floats(1, 4), st.floats(1, 10), st.floats(1, 10))
def test_lt_splitting_inverts(kane, energy, eps, bohr):
    splitting = lt_splitting_ev(kane, energy, eps, bohr)
    assert kane_energy_from_lt_splitting(splitting, energy, eps, bohr) == pytest.approx(kane, rel=1e-12)


def test_conventions_agree():
    """One physical P in the three conventions gives one Ep."""
    hbar2_over_2m0 = 13.605693 * 0.0529177**2
    kane_p_ev_nm = math.sqrt(15.0 * hbar2_over_2m0)
    assert kane_energy_ev(15.0, "momentum-matrix-element") == 15.0
    assert kane_energy_ev(5.0, "band-edge-element") == 15.0
    assert kane_energy_ev(kane_p_ev_nm, "kane-parameter-ev-nm") == pytest.approx(
        15.0, rel=1e-6
    )  # digits typed
    with pytest.raises(OptionError, match="needs its convention"):
        kane_energy_ev(15.0, "None")


# --- arithmetic of values ---------------------------------------------------------------------------------


def value(number, **more):
    return Value(
        **{"number": number, "unit": "eV", "kind": "read", "source": "yang2017: x", "key": "a.b", **more}
    )


def test_kind_is_that_of_the_weakest():
    assert weakest_kind([value(1)]) == "derived"
    assert weakest_kind([value(1), value(1, kind="recalled")]) == "recalled"
    assert weakest_kind([value(1, kind="assumed"), value(1, kind="recalled")]) == "assumed"


@given(st.floats(-5, 5), st.floats(0, 2), st.floats(-5, 5), st.floats(0, 2), st.floats(0, 1), st.floats(0, 1))
def test_bounds_of_a_sum_hold_every_member(a, da, b, db, u, v):
    parts = (value(a + da / 2, low=a, high=a + da), value(b + db / 2, low=b, high=b + db))
    total = combine(lambda x, y: x - y, parts, unit="eV", key="k", how="difference")
    inside = (a + u * da) - (b + v * db)
    assert total.low - 1e-9 <= inside <= total.high + 1e-9


def test_sigmas_add_in_quadrature():
    total = combine(
        lambda x, y: 2 * x + y, (value(1.0, sigma=0.3), value(2.0, sigma=0.8)), unit="eV", key="k", how="sum"
    )
    assert total.sigma == pytest.approx(1.0)
    assert total.source == "yang2017: sum" and total.kind == "derived"


def test_sigma_beside_a_range_has_equal_standard_deviation():
    low, high = bounds(value(1.0, sigma=0.1))
    assert (high - low) / math.sqrt(12) == pytest.approx(0.1)
    mixed = combine(
        lambda x, y: x + y,
        (value(1.0, sigma=0.1), value(0.5, low=0.0, high=1.0)),
        unit="eV",
        key="k",
        how="sum",
    )
    assert (mixed.low, mixed.high) == pytest.approx((low, high + 1.0)) and mixed.sigma is None


def test_valid_ranges_are_carried_along():
    """What all ingredients allow; the computation's own range of a quantity counts alone."""
    wide = value(1.0, valid=(("edge_nm", 8, 100), ("temperature_k", 2, 300)))
    cold = value(2.0, valid=(("temperature_k", 1, 10),))
    total = combine(lambda x: x, (wide,), unit="eV", key="k", how="same", also=(cold,))
    assert set(total.valid) == {("edge_nm", 8, 100), ("temperature_k", 2, 10)}
    with pytest.raises(ModelRangeError, match="edge_nm = 5"):
        total.check(edge_nm=5.0)
    own = combine(lambda x: x, (wide,), unit="eV", key="k", how="same", valid=(("temperature_k", 2, 360),))
    assert set(own.valid) == {("edge_nm", 8, 100), ("temperature_k", 2, 360)}


def test_records_without_a_common_range_are_valid_nowhere():
    cold, warm = (value(1.0, valid=(("temperature_k", *span),)) for span in ((2, 10), (285, 315)))
    assert common_valid([cold, warm]) == (("temperature_k", 2, 10), ("temperature_k", 285, 315))
    total = combine(lambda x, y: x + y, (cold, warm), unit="eV", key="k", how="sum")
    for temperature in (5.0, 100.0, 300.0):
        with pytest.raises(ModelRangeError):
            total.check(temperature_k=temperature)
