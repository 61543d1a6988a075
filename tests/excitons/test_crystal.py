"""`nanocrystal`: sizes in every convention, and what is refused."""

from __future__ import annotations

import math

import pytest
from matplotlib.figure import Figure

from perolux.errors import ModelRangeError, NotAvailableError, OptionError
from perolux.excitons import nanocrystal, over_size, over_temperature, passport
from perolux.excitons.layers import Layers, require_layers
from perolux.materials import material


def test_lengths_are_core_lengths_whatever_was_measured():
    cell = material("CsPbBr3").lattice_constant_nm
    core = nanocrystal("CsPbBr3", "cube", 8.0, "core-edge")
    assert core.lengths_nm == (8.0, 8.0, 8.0)
    tem = nanocrystal("CsPbBr3", "cube", 8.0 - cell, "edge-without-half-cells")
    assert tem.lengths_nm == pytest.approx(core.lengths_nm, rel=1e-12)
    ball = nanocrystal("CsPbBr3", "sphere", 6.0, "core-diameter")
    assert ball.volume_nm3 == pytest.approx(math.pi * 36.0)
    rod = nanocrystal("CsPbBr3", "rod", (4.0, 20.0), "core-diameter")
    assert rod.lengths_nm == (4.0, 4.0, 20.0)


def test_a_platelet_is_as_thick_as_its_monolayers():
    layer = material("CsPbBr3").value("monolayer_thickness").number
    plate = nanocrystal("CsPbBr3", "platelet", (20.0, 15.0), "core-edge", monolayers=3)
    assert plate.lengths_nm == pytest.approx((20.0, 15.0, 3 * layer)) and plate.monolayers == 3
    assert "3 monolayers" in plate.label


@pytest.mark.parametrize("layers", [0, 1.5, -2, float("nan"), None])
def test_platelets_have_whole_monolayers(layers):
    with pytest.raises(OptionError, match="platelet"):
        nanocrystal("CsPbBr3", "platelet", 20.0, "core-edge", monolayers=layers)


@pytest.mark.parametrize("edge", [0.3, 101.0])
def test_sizes_end_at_one_unit_cell_and_100_nm(edge):
    with pytest.raises(ModelRangeError, match="core lengths"):
        nanocrystal("CsPbBr3", "cube", edge, "core-edge")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (("CsPbBr3", "cube", -3.0, "core-edge"), "-3"),
        (("CsPbBr3", "cube", float("nan"), "core-edge"), "nan"),
        (("CsPbBr3", "cube", 8.0, "core-diameter"), "convention"),
        (("CsPbBr3", "cuboid", (8.0, 8.0), "core-edge"), "2 lengths"),
        (("CsPbBr3", "brick", 8.0, "core-edge"), "brick"),
        (("CsPbX3", "cube", 8.0, "core-edge"), "CsPbX3"),
        (("CsPb(Cl0.5I0.5)3", "cube", 8.0, "core-edge"), "mix"),
    ],
)
def test_contradictions_are_refused_with_their_reason(call, said):
    with pytest.raises((OptionError, ModelRangeError), match=said):
        nanocrystal(*call)


def test_a_material_stands_for_its_formula_and_temperature():
    cold = nanocrystal(material("CsPbBr3", 77.0), "cube", 8.0, "core-edge")
    assert cold.material == "CsPbBr3" and cold.temperature_k == 77.0
    assert (
        nanocrystal(material("CsPbBr3", 77.0), "cube", 8, "core-edge", temperature_k=4.0).temperature_k == 4
    )


@pytest.mark.parametrize("wrong", [3.0, None, ["CsPbBr3"]])
def test_no_material_is_an_option_error(wrong):
    with pytest.raises(OptionError, match="no material"):
        nanocrystal(wrong, "cube", 8.0, "core-edge")


def test_lengths_that_are_no_numbers_are_an_option_error():
    with pytest.raises(OptionError, match="lengths"):
        nanocrystal("CsPbBr3", "cube", "8 nm", "core-edge")


def test_one_set_by_name_no_set_and_negative_draws():
    cube = nanocrystal("CsPbBr3", "cube", 8.0, "core-edge")
    assert passport(cube, sets="yang2017", draws=2).set_names == ("yang2017",)
    assert over_size(cube, [8.0], sets="yang2017", draws=2).passports[0].set_names == ("yang2017",)
    with pytest.raises(OptionError, match="no parameter set"):
        passport(cube, sets=[])
    with pytest.raises(OptionError, match="-1 draws"):
        passport(cube, draws=-1)


@pytest.mark.parametrize("course", [over_size, over_temperature])
def test_a_formula_is_no_nanocrystal(course):
    with pytest.raises(OptionError, match="'CsPbBr3' is no nanocrystal"):
        course("CsPbBr3", [8.0])


def test_notebook_faces_are_short(tmp_path):
    cube = nanocrystal("CsPbBr3", "cube", 8.0, "core-edge")
    found = passport(cube, draws=2)
    assert len(repr(found)) < 250 and "\n" not in repr(found) and "CsPbBr3, cube, 8 nm" in repr(found)
    assert "2.3" in repr(found.emission_ev) and len(repr(found.emission_ev)) < 80
    course = over_size(cube, [6.0, 8.0], draws=2)
    assert repr(course) == "<Course of a CsPbBr3 cube over edge: 2 points, 6 to 8 nm>"
    assert course._repr_html_().count("<tr>") == 3
    axes = Figure().subplots()
    assert found.plot(axes) is axes.figure and axes.get_xlabel() == "energy (eV)"
    axes = Figure().subplots()
    assert course.plot("overlap K", axes) is axes.figure
    assert axes.lines[0].get_ydata()[0] == found_at(course, 0)
    with pytest.raises(OptionError, match="no result"):
        course.plot("colour")
    lacking = over_size(nanocrystal("MAPbBr3", "cube", 8.0, "core-edge"), [8.0], draws=2)
    with pytest.raises(NotAvailableError, match="lt_splitting"):
        lacking.plot("bright above dark (meV)", axes)


def found_at(course, point):
    spread = course.passports[point].overlap_k.spread
    return spread.sets[course.passports[point].set_names[0]]


def test_a_negative_temperature_is_refused():
    with pytest.raises(OptionError, match="-5 K"):
        nanocrystal("CsPbBr3", "cube", 8.0, "core-edge", temperature_k=-5.0)


def test_monolayers_go_with_platelets_alone():
    with pytest.raises(OptionError, match="monolayers"):
        nanocrystal("CsPbBr3", "cube", 8.0, "core-edge", monolayers=3)


@pytest.mark.slow
def test_sizes_that_no_nanocrystal_has_are_left_out_of_a_course():
    course = over_size(nanocrystal("CsPbBr3", "cube", 8.0, "core-edge"), [0.05, 0.3, 8, 200], draws=4)
    assert course.x.tolist() == [8.0] and course.left_out_x == (0.05, 0.3, 200.0)
    assert all("one unit cell (0.5" in said for said in course.left_out)
    plate = nanocrystal("CsPbBr3", "platelet", 20.0, "core-edge", monolayers=3)
    assert over_size(plate, [0.3, 20.0], draws=4).x.tolist() == [20.0]


@pytest.mark.parametrize("points", [8, "8", [], [float("nan")], [-1.0], ["a"], [[8.0]], None])
@pytest.mark.parametrize("course", [over_size, over_temperature])
def test_a_course_needs_a_list_of_numbers(course, points):
    with pytest.raises(OptionError):
        course(nanocrystal("CsPbBr3", "cube", 8.0, "core-edge"), points)


@pytest.mark.parametrize("length", [8.0, 8.7, 64.5, 4.0])
def test_rods_end_by_their_core_lengths(length):
    with pytest.raises(ModelRangeError, match=r"allowed: 1\.1 to 8 diameters") as refused:
        nanocrystal("CsPbBr3", "rod", (8.0, length), "core-diameter")
    assert f"{length:g} nm long and 8 nm thick" in str(refused.value)


@pytest.mark.parametrize("length", [8.8, 64.0])
@pytest.mark.slow
def test_rods_within_the_stated_limits_have_an_answer(length):
    assert passport(nanocrystal("CsPbBr3", "rod", (8.0, length), "core-diameter"), draws=16) is not None


def test_a_thick_platelet_is_named_by_its_recorded_thickness():
    thick = 60 * material("CsPbBr3").value("monolayer_thickness").number
    with pytest.raises(ModelRangeError, match=f"{thick:.4g} nm thick") as refused:
        passport(nanocrystal("CsPbBr3", "platelet", 40.0, "core-edge", monolayers=60))
    assert f"--edge 40,40,{thick:.4g}" in str(refused.value)


@pytest.mark.parametrize(
    "wrong",
    [{"outside_index": "1.5"}, {"outside_index": True}, {"monolayers": "3"}, {"shell_nm": 1.0}],
    ids=str,
)
def test_options_of_the_wrong_kind_or_without_effect(wrong):
    shape = "platelet" if "monolayers" in wrong else "cube"
    with pytest.raises(OptionError) as refused:
        nanocrystal("CsPbBr3", shape, 20.0, "core-edge", **wrong)
    assert refused.value.problems[0].allowed


def test_a_shell_goes_with_the_convention_that_has_one():
    shelled = nanocrystal("CsPbBr3", "cube", 10.0, "edge-with-shell", shell_nm=1.0)
    assert shelled.lengths_nm[0] == 8.0


def test_layers_are_layers_or_none():
    assert (
        require_layers(None, "here") == Layers()
        and require_layers(Layers(barrier=False), "here").barrier is False
    )
    for wrong in ("x", True, {"barrier": False}, 3):
        with pytest.raises(OptionError, match="here: "):
            require_layers(wrong, "here")
