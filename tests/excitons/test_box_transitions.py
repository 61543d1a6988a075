"""Excited lines of boxes, rods, spheroids, platelets: tables, free carriers, two-dimensional hydrogen."""

from __future__ import annotations

import math

import numpy as np
import pytest

from perolux.errors import ModelRangeError, OptionError
from perolux.excitons.crystal import nanocrystal
from perolux.excitons.pair.box_transitions import STEP_ERROR, box_transitions, equal_confinement_edges
from perolux.excitons.pair.cube import solve_cuboid_levels
from perolux.excitons.pair.plate_pair import solve_plate_levels
from perolux.excitons.pair.transitions import transitions
from perolux.excitons.properties import passport


@pytest.mark.parametrize("edge", [0.8, 2.0, 3.0, 5.0, 8.0])
def test_equal_edges_give_the_lines_of_the_cube(edge):
    box, cube = box_transitions((edge, edge, edge)), transitions("cube", edge, 4)
    steps = cube.energy_over_rydberg - cube.energy_over_rydberg[0]
    assert box.steps_rydberg[1:, 0] == pytest.approx(steps[1:].ravel(), rel=STEP_ERROR)
    ratio = (cube.overlap_k / cube.overlap_k[0]).ravel()
    assert box.overlap_ratio[:, 0] == pytest.approx(ratio, rel=0.05, abs=0.02)


def test_small_boxes_have_the_steps_of_free_carriers():
    size = 0.02
    edges = size * np.array([1.0, 1.2, 1.5])
    box = box_transitions(tuple(edges))
    kinetic = math.pi**2 / edges**2
    # (112)-(112), then (111)-(113) beside (121)-(121): 3, 4 and 3 of pi^2/L^2 along their axes
    expected = sorted([3 * kinetic[2], 3 * kinetic[1], 4 * kinetic[2], 3 * kinetic[0], 4 * kinetic[1]])[:3]
    # energies are linear in 1/size beyond the kinetic ones: 2 % at 0.02 aB; aspect rounded to 1 %
    assert box.steps_rydberg[1:, 0] == pytest.approx(expected, rel=0.04)
    assert box.names[:2] == ("(111)-(111)", "(112)-(112)")


@pytest.mark.slow
@pytest.mark.parametrize("edges", [(2.5, 3.0, 3.6), (2.0, 2.0, 6.0), (8.0, 9.0, 10.0), (1.0, 6.0, 6.0)])
def test_the_rule_for_exponent_and_wall_keeps_to_the_searched_levels(edges):
    searched = solve_cuboid_levels(edges, 4, order=8).energy_over_rydberg
    found = box_transitions(edges)
    assert found.steps_rydberg[1:, 0] == pytest.approx(searched[1:] - searched[0], rel=STEP_ERROR)


def test_turned_boxes_have_the_same_lines_and_rows_their_own_scale():
    one, other = box_transitions((2.0, 3.0, 4.0)), box_transitions((4.0, 2.0, 3.0))
    assert one.steps_rydberg == pytest.approx(other.steps_rydberg)
    assert one.names != other.names
    scales = np.array([0.9, 1.0, 1.1])
    rows = box_transitions(tuple(np.outer((2.0, 3.0, 4.0), scales)))
    assert np.all(np.diff(rows.steps_rydberg[1:], axis=1) < 0)
    assert rows.steps_rydberg[:, 1] == pytest.approx(one.steps_rydberg[:, 0], rel=1e-9)
    with pytest.raises(ModelRangeError, match="longest over shortest"):
        box_transitions((1.0, 1.0, 10.0))


def test_equal_confinement_is_exact_for_sphere_and_cylinder():
    sphere = equal_confinement_edges("spheroid", (np.array(2.0),) * 3)
    assert sum(1 / e**2 for e in sphere) == pytest.approx(1.0)  # j_0: k R = pi, with R = 1
    a, b, c = equal_confinement_edges("rod", (np.array(2.0), np.array(2.0), np.array(7.0)))
    assert math.pi**2 * (1 / a**2 + 1 / b**2) == pytest.approx(2.404825557695773**2)
    assert c == 7.0


def test_thin_plates_have_the_series_of_two_dimensional_hydrogen():
    thin = solve_plate_levels(1e-3)
    n = np.arange(1, 4)
    # the plate of 1e-3 aB lies 0.2 % (1s) below the limit; the third level is right to 1 %
    assert thin.binding == pytest.approx(4 / (2 * n - 1) ** 2, rel=0.01)
    assert thin.contact[:2] == pytest.approx(8 / math.pi / (2 * n[:2] - 1) ** 3, rel=0.01)
    with pytest.raises(OptionError, match="levels"):
        solve_plate_levels(1.0, count=4)


@pytest.mark.parametrize(
    ("shape", "lengths", "more", "least"),
    [
        ("cuboid", (8.0, 8.0, 10.0), {}, 4),
        ("rod", (5.0, 12.0), {}, 4),
        ("spheroid", (6.0, 9.0), {}, 4),
        ("platelet", (20.0,), {"monolayers": 4}, 3),
    ],
)
def test_every_shape_names_its_first_lines(shape, lengths, more, least):
    one = nanocrystal(
        "CsPbBr3", shape, lengths if len(lengths) > 1 else lengths[0], CONVENTION[shape], **more
    )
    lines = passport(one, draws=8).absorption
    assert len(lines) >= least
    medians = [line.energy_ev.median for line in lines]
    assert medians == sorted(medians)
    assert all(line.oscillator_strength.spread.median > 0 for line in lines)


CONVENTION = {
    "cuboid": "core-edge", "rod": "core-diameter", "spheroid": "core-diameter", "platelet": "core-edge",
}  # fmt: skip


def test_a_nearly_round_spheroid_has_nearly_the_lines_of_the_sphere():
    def medians(shape, lengths):
        one = nanocrystal("CsPbBr3", shape, lengths, "core-diameter")
        return [line.energy_ev.median for line in passport(one, draws=4).absorption]

    sphere, spheroid = medians("sphere", 7.0), medians("spheroid", (7.0, 7.07))
    # steps of the cuboid of equal confinement: 4 % beside those of the sphere
    assert spheroid[1] - spheroid[0] == pytest.approx(sphere[1] - sphere[0], rel=0.10)
