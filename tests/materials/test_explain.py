"""`explain`: the value, its ingredients, its rivals, as text and as JSON."""

import json

import pytest

from perolux.errors import ModelRangeError, NotAvailableError, OptionError
from perolux.materials import explain, known_materials, material


def test_gap_at_300_k():
    found = explain("CsPbBr3.gap", 300)
    assert (found.chosen.low, found.chosen.high, found.chosen.kind) == (2.36, 2.39, "recalled")
    assert {v.key for v in found.ingredients} == {
        "CsPbBr3.gap_300k",
        "CsPbBr3.gap_slope",
        "gap_course.anchor_temperature",
    }
    (rival,) = found.rivals  # the other route: 2.342 eV kept to 150 K, then 0.2 to 0.3 meV/K
    assert (rival.low, rival.high) == pytest.approx((2.342 + 0.030, 2.342 + 0.045))
    text = str(found)
    for part in (
        "value        2.375 eV",
        "2.36 to 2.39 eV",
        "recalled",
        "sigma",
        "source",
        "2 to 360",
        "rivals",
    ):
        assert part in text


def test_other_sets_are_rivals():
    masses = {v.parameter_set: v.number for v in explain("CsPbBr3.reduced_mass").rivals}
    assert masses == {"yang2017": 0.126}
    radii = [v.number for v in explain("CsPbBr3.bohr_radius").rivals]
    assert radii == [pytest.approx(3.066, abs=0.001)]
    kane = {round(v.number, 1) for v in explain("CsPbBr3.kane_energy").rivals}
    assert {12.2, 20.0, 27.9} <= kane and any(24 < v < 26 for v in kane)  # read, theory, doubtful, other set
    assert [v.number for v in explain("MAPbBr3.eps_effective").rivals] == [7.5]
    assert [v.number for v in explain("CsPbBr3.lattice_constant").rivals] == [pytest.approx(0.5874)]
    assert explain("CsPb(Br0.7I0.3)3.reduced_mass").rivals[0].number == pytest.approx(
        material("CsPb(Br0.7I0.3)3", parameter_set="A").reduced_mass_m0
    )


def test_other_keys():
    assert explain("constants.planck_j_s").chosen.number == 6.62607015e-34
    assert explain("mixing.bowing_br_i").rivals[0].high == 0.3
    assert explain("gap_course.knee_temperature").chosen.kind == "assumed"
    assert explain("CsPb(Br0.7I0.3)3.gap").ingredients[-1].key == "mixing.bowing_br_i"


def test_temperature_is_said_to_be_assumed():
    assert explain("CsPbBr3.gap").temperature_assumed
    assert "298 K (assumed, none was given)" in str(explain("CsPbBr3.gap"))
    assert not explain("CsPbBr3.gap", 298).temperature_assumed


@pytest.mark.parametrize("name", [*known_materials(), "CsPb(Br0.7I0.3)3", "Cs0.9FA0.1PbBr3"])
def test_all_that_a_material_answers_can_be_explained(name):
    for quantity, value in material(name).values().items():
        found = explain(f"{name}.{quantity}")
        assert found.chosen == value
        assert all(v.number != value.number or v.source != value.source for v in found.rivals)
        text = json.dumps(found.as_dict(), allow_nan=False)
        assert json.loads(text)["chosen"]["value"] == value.number
        assert found.references and "\n" in str(found)


@pytest.mark.parametrize(
    ("key", "error", "part"),
    [
        ("CsPbBr3", OptionError, "names no quantity"),
        ("", OptionError, "names no quantity"),
        ("CdSe.gap", OptionError, "unknown material"),
        ("CsPbBr3.gapp", OptionError, "unknown quantity 'gapp'"),
        ("constants.h", OptionError, "unknown constant 'h'"),
        ("mixing.x", OptionError, "no record 'x'"),
        ("AZPbBr3.reduced_mass", NotAvailableError, "reduced_mass of AZPbBr3"),
        ("CsPb(Cl0.5I0.5)3.gap", ModelRangeError, "do not mix"),
    ],
)
def test_wrong_keys_are_refused(key, error, part):
    with pytest.raises(error, match=part):
        explain(key)


def test_temperature_outside_is_refused():
    with pytest.raises(ModelRangeError, match="2 to 360 K"):
        explain("CsPbBr3.gap", 400)
