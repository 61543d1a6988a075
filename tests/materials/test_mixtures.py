"""Mixtures: end members exact, Vegard, sign of the bowing, what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perolux.errors import ModelRangeError, NotAvailableError, OptionError
from perolux.materials import material, mixed_material, mixed_material_arrays, parameter_sets, trace_series
from perolux.materials.resolve import model_choice

FAMILIES = ("CsPb(Br,I)3", "CsPb(Cl,Br)3", "MAPb(Br,I)3", "FAPb(I,Br)3", "Cs0.9FA0.1Pb(Br,I)3")
fractions = st.floats(0.0, 1.0)


def ends(family):
    first, second = family[family.index("(") + 1 : family.index(")")].split(",")
    cations = family[: family.index("Pb")]
    return f"{cations}Pb{first}3", f"{cations}Pb{second}3"


@pytest.mark.parametrize("family", FAMILIES)
def test_end_members_are_exact(family):
    series = mixed_material_arrays(family, [0.0, 1.0])
    for position, name in enumerate(ends(family)):
        one = material(name, parameter_set=None)
        low, high = one.gap.low, one.gap.high
        if low is None:
            low = high = one.gap.number
        # The sums of the series round in another order.
        assert series.gap_low_ev[position] == pytest.approx(low, abs=1e-12)
        assert series.gap_high_ev[position] == pytest.approx(high, abs=1e-12)
        assert series.reduced_mass_m0[position] == pytest.approx(one.reduced_mass_m0, rel=1e-12)
        assert series.bohr_radius_nm[position] == pytest.approx(one.bohr_radius_nm, rel=1e-12)


@given(fractions, st.sampled_from(FAMILIES))
def test_bowing_only_lowers_the_gap(x, family):
    """b >= 0 on record: the low end lies on or below the straight line, the high end on it."""
    series = mixed_material_arrays(family, [0.0, x, 1.0])
    line_low = (1 - x) * series.gap_low_ev[0] + x * series.gap_low_ev[2]
    line_high = (1 - x) * series.gap_high_ev[0] + x * series.gap_high_ev[2]
    assert series.gap_low_ev[1] <= line_low + 1e-12
    assert series.gap_high_ev[1] == pytest.approx(line_high, abs=1e-12)
    widest = 0.25 if "I" in family else 0.0
    assert line_low - series.gap_low_ev[1] == pytest.approx(widest * x * (1 - x), abs=1e-12)


@given(fractions, st.sampled_from(FAMILIES))
def test_mass_and_constant_lie_between_the_ends(x, family):
    series = mixed_material_arrays(family, [0.0, x, 1.0])
    for array in (series.reduced_mass_m0, series.eps_effective):
        low, high = sorted((array[0], array[2]))
        assert low * (1 - 1e-12) <= array[1] <= high * (1 + 1e-12)
        assert 1 / array[1] == pytest.approx((1 - x) / array[0] + x / array[2], rel=1e-12)


@given(st.integers(1, 999), st.sampled_from(FAMILIES))
def test_arrays_and_materials_agree(thousandths, family):
    x = thousandths / 1000  # a fraction that its formula prints exactly
    for chosen in parameter_sets(family):
        series = mixed_material_arrays(family, x, parameter_set=chosen)
        one = mixed_material(family, x, parameter_set=chosen)
        # The formula of a mixture of three rounds its fractions at 1e-6.
        assert (one.gap.low, one.gap.high) == pytest.approx((series.gap_low_ev, series.gap_high_ev), abs=2e-6)
        assert one.reduced_mass_m0 == pytest.approx(float(series.reduced_mass_m0), rel=1e-5)
        assert one.rydberg_ev == pytest.approx(float(series.rydberg_ev), rel=1e-5)
        assert one.parameter_set == chosen == series.parameter_set


@given(st.integers(1, 999))
def test_lattice_follows_vegard(thousandths):
    x = thousandths / 1000
    one = mixed_material("CsPb(Br,I)3", x)
    assert one.lattice_constant_nm == pytest.approx((1 - x) * 0.585 + x * 0.629, rel=1e-9)


def test_by_hand():
    """CsPb(Br0.7I0.3)3 at 298 K: ends 2.3594 to 2.3896 and 1.7292 to 1.7808 eV, bowing 0 to 0.25 eV."""
    gap = material("CsPb(Br0.7I0.3)3").gap
    assert gap.low == pytest.approx(0.7 * 2.3594 + 0.3 * 1.7292 - 0.25 * 0.21, abs=1e-12)
    assert gap.high == pytest.approx(0.7 * 2.3896 + 0.3 * 1.7808, abs=1e-12)
    assert gap.kind == "assumed"  # the iodide's slope is
    assert material("CsPbBr2I").reduced_mass_m0 == pytest.approx(
        1 / (2 / 3 / 0.18 + 1 / 3 / 0.114), rel=1e-12
    )


def test_mixed_cations_are_linear():
    mixed = material("Cs0.9FA0.1PbBr3")
    ends_ev = [material(name).gap_ev for name in ("CsPbBr3", "FAPbBr3")]
    assert mixed.gap_ev == pytest.approx(0.9 * ends_ev[0] + 0.1 * ends_ev[1], abs=1e-12)
    assert mixed.gap.kind == "assumed"


@pytest.mark.parametrize("x", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("family", ["Cs0.9FA0.1Pb(Br,I)3", "Cs0.5FA0.3MA0.2Pb(Br,I)3"])
def test_bowing_of_cations_is_the_same_for_materials_and_series(monkeypatch, family, x):
    """With a bowing other than the nought on record: 0.1 to 0.3 eV times the products of cation fractions."""
    products = 0.9 * 0.1 if "0.9" in family else 0.5 * 0.3 + 0.5 * 0.2 + 0.3 * 0.2
    without = mixed_material_arrays(family, x)

    def choice(name, model):
        value = model_choice(name, model)
        return replace(value, number=0.2, low=0.1, high=0.3) if name == "bowing_cations" else value

    monkeypatch.setattr("perolux.materials.mixtures.model_choice", choice)
    series, one = mixed_material_arrays(family, x), mixed_material(family, x).gap
    # The formula of a mixture rounds its fractions at 1e-6.
    assert (one.low, one.high) == pytest.approx((series.gap_low_ev, series.gap_high_ev), abs=2e-6)
    assert without.gap_low_ev - series.gap_low_ev == pytest.approx(0.3 * products, abs=1e-12)
    assert without.gap_high_ev - series.gap_high_ev == pytest.approx(0.1 * products, abs=1e-12)
    assert "mixing.bowing_cations" in {value.key for value in series.rests_on}


def test_a_single_cation_has_no_bowing_of_cations():
    for rests_on in (
        mixed_material_arrays("CsPb(Br,I)3", 0.3).rests_on,
        material("CsPbBr2I").answer("gap").ingredients,
    ):
        assert "mixing.bowing_cations" not in {value.key for value in rests_on}


@pytest.mark.parametrize("x", [0.0, 0.3, 1.0])
def test_a_range_of_the_dielectric_constant_reaches_the_series(x):
    """MAPbI3 has 9 to 10, MAPbBr3 (x = 0) a number: as many series as scales of the material, and equal."""
    three = mixed_material_arrays("MAPb(Br,I)3", x).scale_range()
    one = mixed_material("MAPb(Br,I)3", x)
    assert len(three) == len(one.scale_range()) == (1 if x == 0 else 3)
    for series, scale in zip(three, one.scale_range(), strict=True):
        # rel: the formula of a mixture rounds its fractions at 1e-6.
        assert float(series.bohr_radius_nm) == pytest.approx(scale.bohr_radius_nm, rel=1e-5)
        assert float(series.rydberg_ev) == pytest.approx(scale.rydberg_ev, rel=1e-5)
    same = mixed_material_arrays("CsPb(Br,I)3", x)
    assert same.scale_range() == (same,)


def test_sets_of_mixtures_are_named_after_the_member_that_has_a_choice():
    assert parameter_sets("CsPb(Br,I)3") == parameter_sets("CsPb(Br0.5I0.5)3") == ("pssrrl2023", "yang2017")
    assert parameter_sets("Cs0.5FA0.5PbBr3") == ("pssrrl2023", "yang2017")
    assert parameter_sets("Cs0.5FA0.5PbI3") == ("yang2017+galkowski2016",)
    assert parameter_sets("AZPbBr3") == ()
    assert material("CsPb(Br0.5I0.5)3", parameter_set="A").parameter_set == "yang2017"
    assert mixed_material("CsPb(Br,I)3", 1.0, parameter_set="pssrrl2023").parameter_set == "yang2017"
    assert mixed_material("CsPb(Br,I)3", 0.0, parameter_set="yang2017").parameter_set == "yang2017"


@pytest.mark.parametrize("name", ["CsPb(Cl0.5I0.5)3", "CsPb(Cl0.2Br0.4I0.4)3"])
def test_chloride_and_iodide_do_not_mix(name):
    with pytest.raises(ModelRangeError, match="chloride and iodide do not mix"):
        material(name)


@pytest.mark.parametrize("call", [material, trace_series, lambda name: mixed_material(name, 0.3)])
def test_an_open_fraction_of_what_does_not_mix_is_refused_as_such(call):
    """And not with the advice to give a fraction, which would be refused in turn."""
    with pytest.raises(ModelRangeError, match="chloride and iodide do not mix") as caught:
        call("CsPb(Cl,I)3")
    assert "the halide fraction" not in str(caught.value) and "give it" not in str(caught.value)


def test_chloride_and_iodide_series_is_refused():
    with pytest.raises(ModelRangeError, match="chloride and iodide do not mix"):
        mixed_material_arrays("CsPb(Cl,I)3", [0.0, 0.5])


def test_a_mixture_with_an_unknown_end_member_is_not_available():
    one = material("Cs0.9AZ0.1PbBr3")
    assert one.gap.kind == "assumed"
    with pytest.raises(NotAvailableError, match="reduced_mass of AZPbBr3"):
        _ = one.reduced_mass_m0


def test_what_has_no_rule_of_mixing_is_not_available():
    with pytest.raises(NotAvailableError, match="no rule is known for mixing"):
        material("CsPb(Br0.5I0.5)3").value("lt_splitting")
    assert material("CsPb(Br0.5I0.5)3").value("barrier").key == "CsPb(Br0.5I0.5)3.barrier"


@pytest.mark.parametrize(
    ("call", "part"),
    [
        (lambda: mixed_material_arrays("CsPbBr3", [0.5]), "no open halide fraction"),
        (lambda: mixed_material_arrays("CsPb(Br,I)3", [0.5, 1.1]), "outside its range"),
        (lambda: mixed_material_arrays("CsPb(Br,I)3", [np.nan]), "outside its range"),
    ],
)
def test_wrong_series_are_refused(call, part):
    with pytest.raises(OptionError, match=part):
        call()


def test_series_keeps_shape_and_says_what_it_rests_on():
    series = mixed_material_arrays("CsPb(Br,I)3", np.linspace(0, 1, 6).reshape(2, 3))
    assert series.gap_ev.shape == series.bohr_radius_nm.shape == (2, 3)
    assert {"CsPbBr3.gap", "CsPbI3.gap", "mixing.bowing_br_i"} <= {value.key for value in series.rests_on}
