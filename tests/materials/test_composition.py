"""Formulas: what is read, what is refused, and that formula and composition give one another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perolux.errors import OptionError, PeroluxError
from perolux.materials import CATIONS, HALIDES, Composition, known_materials, parse_composition


@pytest.mark.parametrize("name", known_materials())
def test_every_end_member_is_its_own_formula(name):
    composition = parse_composition(name)
    assert composition.formula == name
    assert composition.end_members == ((name, 1.0),)
    assert not composition.is_mixed and not composition.is_open


@pytest.mark.parametrize(
    ("text", "formula", "members"),
    [
        ("CsPb(Br0.7I0.3)3", "CsPb(Br0.7I0.3)3", {"CsPbBr3": 0.7, "CsPbI3": 0.3}),
        ("CsPb(I0.3Br0.7)3", "CsPb(Br0.7I0.3)3", {"CsPbBr3": 0.7, "CsPbI3": 0.3}),
        ("CsPbBr2I", "CsPb(Br0.666667I0.333333)3", {"CsPbBr3": 2 / 3, "CsPbI3": 1 / 3}),
        ("CsPbBr1.5Cl1.5", "CsPb(Cl0.5Br0.5)3", {"CsPbCl3": 0.5, "CsPbBr3": 0.5}),
        ("Cs0.9FA0.1PbBr3", "Cs0.9FA0.1PbBr3", {"CsPbBr3": 0.9, "FAPbBr3": 0.1}),
        ("(Cs0.9FA0.1)PbBr3", "Cs0.9FA0.1PbBr3", {"CsPbBr3": 0.9, "FAPbBr3": 0.1}),
        (" CsPbBr₃ ", "CsPbBr3", {"CsPbBr3": 1.0}),
        ("CH3NH3PbI3", "MAPbI3", {"MAPbI3": 1.0}),
        ("CH(NH2)2PbBr3", "FAPbBr3", {"FAPbBr3": 1.0}),
        ("CsPb(Br1I0)3", "CsPbBr3", {"CsPbBr3": 1.0}),
    ],
)
def test_spellings(text, formula, members):
    composition = parse_composition(text)
    assert composition.formula == formula
    assert dict(composition.end_members) == pytest.approx(members)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("CdSe", "unknown material"),
        ("", "unknown material"),
        ("CsPbBr", "sum to 1"),
        ("CsPbBrI", "sum to 2"),
        ("CsPb(Br0.7I0.4)3", "sum to 1.1"),
        ("CsPb(Br0.7I)3", "fraction is missing"),
        ("CsPb(Br0.5Br0.5)3", "stands twice"),
        ("CsPb(Br,Br)3", "two different halides"),
        ("CsPb(Cl,Br,I)3", "two different halides"),
        ("Cs0.9FA0.3PbBr3", "sum to 1.2"),
        ("Rb0.1Cs0.9PbBr3", "unknown material"),
        ("CsPbBr3" * 40, "unknown material"),
    ],
)
def test_refused_with_a_reason(text, part):
    with pytest.raises(OptionError, match=part):
        parse_composition(text)


@pytest.mark.parametrize(
    ("text", "near"), [("cspbbr3", "CsPbBr3"), ("MAPbJ3", "MAPbI3"), ("FaPbBr", "FAPbBr3")]
)
def test_nearest_known_material_is_named(text, near):
    with pytest.raises(OptionError) as caught:
        parse_composition(text)
    problem = caught.value.problems[0]
    assert near in str(problem)
    if problem.what.startswith("unknown"):
        assert all(name in (problem.allowed or "") for name in known_materials())


def test_open_fraction_belongs_to_the_second_halide():
    composition = parse_composition("CsPb(Br,I)3")
    assert composition.is_open and composition.formula == "CsPb(Br,I)3"
    assert dict(composition.with_fraction(0.25).end_members) == {"CsPbBr3": 0.75, "CsPbI3": 0.25}
    assert composition.with_fraction(0.0).formula == "CsPbBr3"
    assert composition.with_fraction(1.0).formula == "CsPbI3"
    assert dict(parse_composition("CsPb(I,Br)3").with_fraction(0.25).end_members)["CsPbBr3"] == 0.25
    with pytest.raises(OptionError, match="is open"):
        _ = composition.end_members
    with pytest.raises(OptionError, match=r"fraction of 1\.5"):
        composition.with_fraction(1.5)
    with pytest.raises(OptionError, match="given already"):
        parse_composition("CsPbBr3").with_fraction(0.5)


@st.composite
def closed_compositions(draw):
    cation_names = draw(st.lists(st.sampled_from(CATIONS), min_size=1, max_size=3, unique=True))
    halide_names = draw(st.lists(st.sampled_from(HALIDES), min_size=1, max_size=3, unique=True))

    def shares(names, order):
        # Six printed digits are the precision of a formula; smaller shares would vanish from it.
        raw = [draw(st.integers(1, 1000)) for _ in names]
        return tuple((s, r / sum(raw)) for s in order for n, r in zip(names, raw, strict=True) if s == n)

    return Composition(shares(cation_names, CATIONS), shares(halide_names, HALIDES))


@given(closed_compositions())
def test_formula_round_trip(composition):
    again = parse_composition(composition.formula)
    assert [s for s, _ in again.cations] == [s for s, _ in composition.cations]
    for mine, back in ((composition.cations, again.cations), (composition.halides, again.halides)):
        # Printed to 1e-6 and normalised over at most three terms.
        assert [f for _, f in back] == pytest.approx([f for _, f in mine], abs=3e-6)
    # Rounding of a product and a sum of nine terms.
    assert sum(w for _, w in again.end_members) == pytest.approx(1.0, abs=1e-12)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text):
    try:
        composition = parse_composition(text)
    except PeroluxError:
        return
    assert parse_composition(composition.formula).formula == composition.formula


@given(st.text(alphabet="CsMAFAZPbBrClI0123456789.,()", max_size=30))
def test_near_formulas_are_read_or_refused(text):
    try:
        parse_composition(text)
    except PeroluxError as error:
        assert error.problems
