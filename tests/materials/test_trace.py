"""`trace`: all that a number rests on, down to the records, each once."""

import pytest

from perolux.errors import ModelRangeError, NotAvailableError, OptionError
from perolux.materials import (
    known_materials,
    material,
    mixed_material_arrays,
    parameter_sets,
    trace,
    trace_series,
)
from perolux.quantities.citations import citation_keys

SIZING = ("gap", "reduced_mass", "eps_effective")


def keys(values):
    return [value.key for value in values]


def test_cold_cspbbr3():
    found = trace(material("CsPbBr3", 77.0, "yang2017"), SIZING)
    assert set(keys(found)) == {
        *(f"CsPbBr3.{q}" for q in (*SIZING, "gap_300k", "gap_low_t", "gap_slope", "gap_slope_sign")),
        *(f"gap_course.{q}_temperature" for q in ("knee", "low", "anchor")),
    }
    assert {value.parameter_set for value in found} == {None, "yang2017"}


def test_mapbbr3_rests_on_an_assumed_slope_and_on_its_binding():
    found = keys(trace(material("MAPbBr3"), SIZING))
    assert {"MAPbBr3.gap_300k", "gap_course.unlisted_slope", "gap_course.anchor_temperature"} <= set(found)
    assert "MAPbBr3.exciton_binding" in found  # its dielectric constant is derived from it
    assert "MAPbBr3.gap_low_t" not in found  # not used at 298 K


def test_a_binding_that_is_not_used_is_not_named():
    for name in ("CsPbBr3", "CsPbI3", "MAPbI3"):
        assert f"{name}.exciton_binding" not in keys(trace(material(name), SIZING))


def test_the_sign_of_the_slope_is_named_where_it_cuts_the_assumed_slope():
    assert "CsPbCl3.gap_slope_sign" in keys(trace(material("CsPbCl3"), ["gap"]))


def test_a_mixture_rests_on_the_records_of_its_end_members():
    found = keys(trace(material("Cs0.9FA0.1Pb(Br0.7I0.3)3"), ["bohr_radius", "gap"]))
    mixture = "Cs0.9FA0.1Pb(Br0.7I0.3)3"
    assert found[0] == f"{mixture}.bohr_radius" and f"{mixture}.eps_effective" in found
    for member in ("CsPbBr3", "CsPbI3", "FAPbBr3", "FAPbI3"):
        assert {f"{member}.{q}" for q in ("reduced_mass", "eps_effective", "gap", "gap_300k")} <= set(found)
    assert {"mixing.bowing_br_i", "mixing.bowing_cations", "gap_course.unlisted_slope"} <= set(found)


def test_series():
    found = trace_series("CsPb(Br,I)3", 298.0, "yang2017")
    assert found == mixed_material_arrays("CsPb(Br,I)3", [0.1], 298.0, "yang2017").rests_on
    named = {f"{m}.{q}" for m in ("CsPbBr3", "CsPbI3") for q in (*SIZING, "gap_300k")}
    course = {"gap_course.unlisted_slope", "gap_course.anchor_temperature"}
    assert set(keys(found)) == named | course | {"CsPbBr3.gap_slope", "mixing.bowing_br_i"}
    assert {v.parameter_set for v in found if v.key.endswith("reduced_mass")} == {"yang2017"}


@pytest.mark.parametrize("name", [*known_materials(), "CsPb(Br0.7I0.3)3", "MAPb(Br0.5I0.5)3"])
def test_a_trace_is_closed_and_says_each_thing_once(name):
    """Every ingredient of every quantity is there, and every work that the quantity cites."""
    for chosen in parameter_sets(name) or (None,):
        one = material(name, 298.0, chosen)
        for quantity, value in one.values().items():
            found = trace(one, [quantity])
            assert found[0] == value
            told = [(v.key, v.number, v.low, v.high, v.source) for v in found]
            assert len(set(told)) == len(told)
            ingredients = one.answer(quantity).ingredients
            assert {(v.key, v.number) for v in ingredients} <= {(v.key, v.number) for v in found}
            # A table of n and k is no record: what is computed from it names the table's source itself.
            if len(found) > 1 and quantity != "intrinsic_absorption_335nm":
                leaves = {key for v in found[1:] for key in citation_keys(v.source)}
                assert set(citation_keys(value.source)) <= leaves


def test_quantities_that_share_a_record_name_it_once_with_its_extrapolation():
    found = trace(material("CsPbBr3"), ["bohr_radius", "rydberg", "reduced_mass"])
    (mass,) = (v for v in found if v.key == "CsPbBr3.reduced_mass")
    assert "extrapolated" in mass.note
    assert trace(material("CsPbBr3"), []) == ()


def test_what_is_not_there_is_not_traced():
    with pytest.raises(OptionError, match="unknown quantity"):
        trace(material("CsPbBr3"), ["gapp"])
    with pytest.raises(NotAvailableError, match="reduced_mass of AZPbBr3"):
        trace(material("AZPbBr3"), ["reduced_mass"])
    with pytest.raises(OptionError, match="no open halide fraction"):
        trace_series("CsPbBr3")
    with pytest.raises(ModelRangeError, match="do not mix"):
        trace_series("CsPb(Cl,I)3")
