"""`nanocrystal`: sizes in every convention, and what is refused."""

from __future__ import annotations

import math

import pytest

from perolux.errors import ModelRangeError, OptionError
from perolux.excitons import nanocrystal
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


def test_a_negative_temperature_is_refused():
    with pytest.raises(OptionError, match="-5 K"):
        nanocrystal("CsPbBr3", "cube", 8.0, "core-edge", temperature_k=-5.0)


def test_monolayers_go_with_platelets_alone():
    with pytest.raises(OptionError, match="monolayers"):
        nanocrystal("CsPbBr3", "cube", 8.0, "core-edge", monolayers=3)
