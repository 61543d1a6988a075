"""Excited lines of boxes, rods, spheroids, platelets: tables, free carriers, two-dimensional hydrogen."""

from __future__ import annotations

import math

import numpy as np
import pytest

from perolux.errors import ModelRangeError, OptionError
from perolux.excitons.crystal import nanocrystal
from perolux.excitons.pair._variation import gauss_unit
from perolux.excitons.pair.box_transitions import STEP_ERROR, box_transitions, equal_confinement_edges
from perolux.excitons.pair.cube import solve_cuboid_levels
from perolux.excitons.pair.plate_pair import solve_plate_levels
from perolux.excitons.pair.product_sines import solve_levels_by_product_sines
from perolux.excitons.pair.transitions import transition_names, transitions
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_thin_plates_have_the_series_of_two_dimensional_hydrogen():
    thin = solve_plate_levels(1e-3)
    n = np.arange(1, 4)
    # the plate of 1e-3 aB lies 0.2 % (1s, binding) and 0.5 % (contact) below the limit
    assert thin.binding == pytest.approx(4 / (2 * n - 1) ** 2, rel=0.01)
    assert thin.contact == pytest.approx(8 / math.pi / (2 * n - 1) ** 3, rel=0.01)
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
@pytest.mark.slow
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
    # steps of the cuboid of equal confinement: 4 % below those of the sphere for line 2
    assert spheroid[1] - spheroid[0] == pytest.approx(sphere[1] - sphere[0], rel=0.10)


def test_equal_edges_are_named_as_the_cube_even_where_only_the_rounding_makes_them_equal():
    for edges in ((1.0, 1.0, 1.0), (1.0, 1.0, 1.005)):
        assert box_transitions(edges).names == transition_names("cube", 4)[0]


@pytest.mark.parametrize("edge", [0.5, 1.0, 1.5, 2.0, 2.5, 3.0])
def test_names_are_those_of_the_first_free_levels_and_the_faintest_is_of_unlike_states(edge):
    box = box_transitions((edge, edge, 1.25 * edge))
    # steps over pi^2/c^2: 3, 4 and 3 (c/a)^2 = 4.7 are the lowest
    assert set(box.names) == {"(111)-(111)", "(112)-(112)", "(111)-(113)", "(121)-(121)"}
    faint, next_one = np.sort(box.overlap_ratio[:, 0])[:2]
    if 2 * faint < next_one:
        assert box.names.index("(111)-(113)") == int(np.argmin(box.overlap_ratio[:, 0]))
    else:  # mixed: the place of strong confinement
        assert box.names.index("(111)-(113)") == 2


@pytest.mark.slow
def test_fewer_levels_keep_their_place_where_none_stands_out():
    # the faint level is the fourth: of the first three, none has less than half the K of the others
    assert box_transitions((2.5, 3.0, 3.6), 3).names[1] == "(112)-(112)"


@pytest.mark.slow
def test_lines_of_a_cuboid_agree_with_products_of_sines():
    edges = (2.5, 3.0, 3.6)
    few, many = (solve_levels_by_product_sines(edges, number, 4) for number in (5, 8))
    # E approaches its limit like n^-3, K like 1/n
    cube, line = (8 / 5) ** 3, 8 / 5
    energy = (cube * many[0] - few[0]) / (cube - 1)
    overlap = (line * many[1] - few[1]) / (line - 1)
    box = box_transitions(edges)
    assert box.steps_rydberg[1:, 0] == pytest.approx((energy - energy[0])[1:], rel=0.01)
    assert box.overlap_ratio[:, 0] == pytest.approx(overlap / overlap[0], rel=0.03, abs=0.01)


@pytest.mark.parametrize(("number", "step"), [(1, -0.0434), (2, -0.1103), (3, -0.1537)])
def test_round_limit_of_spheroids_misses_the_sphere_by_what_is_stated(number, step):
    radius = 0.05
    box = box_transitions(equal_confinement_edges("spheroid", (np.array(2 * radius),) * 3))
    sphere = transitions("sphere", radius, 4).energy_over_rydberg.ravel()
    error = box.steps_rydberg[number, 0] / (sphere[number] - sphere[0]) - 1
    assert error == pytest.approx(step, abs=0.003)
    # free carriers: 1p-1p, 1s-2s and 1d-1d in units of pi^2/R^2 over 1, 4/3 and 2
    p, d = 4.493409457909064, 5.763459196894550
    exact = [(p * p - math.pi**2), 1.5 * math.pi**2, d * d - math.pi**2][number - 1]
    assert (1.0, 4 / 3, 2.0)[number - 1] * math.pi**2 / exact - 1 == pytest.approx(step, abs=0.003)


@pytest.mark.parametrize("thickness", [0.3, 1.0])
def test_series_of_a_plate_agrees_with_the_adiabatic_radial_equation(thickness):
    found, (binding, contact) = solve_plate_levels(thickness), radial_series(thickness)
    # electron and hole follow each other across the plate, which the adiabatic pair lacks: 1s is held less
    assert np.all(binding < found.binding)
    assert found.binding == pytest.approx(binding, rel=0.02)
    assert found.contact / found.contact[0] == pytest.approx(contact / contact[0], rel=0.03)


def radial_series(thickness: float, count: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Binding (Ry) and |phi(0)|^2 (1/aB^2) of -lap phi + V phi, V = -2/r averaged over both cos^2.

    Linear finite elements on rho = reach s^3, no mismatch.
    """
    from scipy.sparse import diags
    from scipy.sparse.linalg import eigsh

    node, weight = gauss_unit(40)
    u, u_weight = node**3, weight * 3.0 * node**2
    density = [
        (1 - t)
        * weight
        @ (4 * np.sin(np.pi * (1 - t) * node) ** 2 * np.sin(np.pi * ((1 - t) * node + t)) ** 2)
        for t in u
    ]
    r = 90.0 * np.linspace(0.0, 1.0, 1201) ** 3
    x, w = gauss_unit(5)
    step = np.diff(r)
    rho = r[:-1, None] + step[:, None] * x
    measure = step[:, None] * w * rho
    potential = np.zeros_like(rho)
    for here, part in zip(u, u_weight * np.array(density), strict=True):
        potential -= 4.0 * part / np.sqrt(rho**2 + (thickness * here) ** 2)

    def matrix(values: np.ndarray, slope: float):  # type: ignore[no-untyped-def]
        kinetic = slope * measure.sum(axis=1) / step**2
        main, beside = np.zeros(r.size), (values * x * (1 - x)).sum(axis=1) - kinetic
        main[:-1] += (values * (1 - x) ** 2).sum(axis=1) + kinetic
        main[1:] += (values * x**2).sum(axis=1) + kinetic
        return diags([beside[:-1], main[:-1], beside[:-1]], [-1, 0, 1]).tocsc()

    mass = matrix(measure, 0.0)
    energy, vectors = eigsh(matrix(measure * potential, 1.0), k=count, M=mass, sigma=-12.0, which="LM")
    order = np.argsort(energy)
    norm = (vectors * (mass @ vectors)).sum(axis=0)
    return -energy[order], (vectors[0] ** 2 / norm / (2.0 * np.pi))[order]


def test_a_cuboid_beyond_the_solver_says_why_it_has_one_line():
    one = passport(nanocrystal("CsPbBr3", "cuboid", (80.0, 80.0, 100.0), "core-edge"), draws=4)
    assert [line.name for line in one.absorption] == ["first exciton"]
    assert any("only the first absorption line" in text for text in one.warnings)
