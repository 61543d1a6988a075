"""The pair in any shape: cuboids against the solver, rods, spheroids and platelets against their limits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perolux.errors import ModelRangeError, OptionError
from perolux.excitons.pair.cube import solve_cuboid
from perolux.excitons.pair.rod import BAR_OF_ROD, bar_state, transverse_distances
from perolux.excitons.pair.shapes import pair_in, spheroid_kinetic
from perolux.excitons.pair.tables import interpolate


def test_cube_and_sphere_are_their_tables():
    for shape, size in (("cube", 2.7), ("sphere", 5.4)):
        curve, pair = interpolate(shape, 2.7), pair_in(shape, (size,) * 3)
        for name in ("energy_over_rydberg", "overlap_k", "exchange_x"):
            assert getattr(pair, name) == pytest.approx(getattr(curve, name), rel=1e-9)


@pytest.mark.parametrize("edges", [(0.8, 1.1, 1.9), (1.5, 4.0, 4.5), (0.7, 0.9, 5.0), (3.0, 3.5, 8.0)])
def test_cuboid_agrees_with_the_solver(edges):
    exact, pair = solve_cuboid(edges, order=6), pair_in("cuboid", edges[::-1])
    # order 6 lies up to 4e-4 Ry above order 8
    assert abs(pair.energy_over_rydberg - exact.energy_over_rydberg) < 2e-3 + 2e-4 * abs(
        exact.energy_over_rydberg
    )
    assert pair.overlap_k == pytest.approx(exact.overlap_k, rel=5e-3)
    assert pair.exchange_x == pytest.approx(exact.exchange_x, rel=5e-3)


@pytest.mark.slow
def test_cuboid_errors_cover_random_cuboids():
    rng = np.random.default_rng(3)
    for _ in range(6):
        size, stretch, split = math.exp(rng.uniform(-1.2, 1.8)), rng.uniform(0, 2.15), rng.uniform()
        logs = np.array([0.0, split * stretch, stretch])
        edges = tuple(float(v) for v in size * np.exp(logs - logs.mean()))
        exact, pair = solve_cuboid(edges, order=8), pair_in("cuboid", edges)
        assert abs(pair.energy_over_rydberg - exact.energy_over_rydberg) < 3 * pair.estimated_error_rydberg
        assert abs(pair.overlap_k / exact.overlap_k - 1) < 3 * pair.estimated_error_k_relative
        assert abs(pair.exchange_x / exact.exchange_x - 1) < 3 * pair.estimated_error_x_relative


@given(st.permutations([1.0, 1.7, 2.9]), st.floats(0.3, 6.0))
@settings(max_examples=20, deadline=None)
def test_order_of_edges_does_not_matter_and_volume_lowers_the_energy(edges, scale):
    here = pair_in("cuboid", [scale * edge for edge in edges])
    assert here.energy_over_rydberg == pytest.approx(
        pair_in("cuboid", [scale * edge for edge in sorted(edges)]).energy_over_rydberg, rel=1e-12
    )
    larger = pair_in("cuboid", [1.1 * scale * edge for edge in edges])
    assert larger.energy_over_rydberg < here.energy_over_rydberg
    assert larger.overlap_k > here.overlap_k >= 1.0


def test_beyond_the_table_the_laws_continue():
    edges = np.array([1.0, 1.5, 2.5])
    # far below: kinetic and first-order Coulomb energy; far above: the bulk exciton
    small = pair_in("cuboid", edges * 0.01)
    assert small.regime == "strong"
    kinetic = math.pi**2 * (1 / (0.01 * edges) ** 2).sum()
    assert 0 < kinetic - small.energy_over_rydberg < 1e-2 * kinetic
    large = pair_in("cuboid", edges * 50)
    assert large.regime == "weak"
    # the bulk exciton as one particle of mass 4 mu behind a dead layer of 1.4 aB on each axis
    moving = 0.25 * math.pi**2 * (1 / (50 * edges - 1.4) ** 2).sum()
    assert large.energy_over_rydberg == pytest.approx(-1.0 + moving, abs=1e-4)
    assert large.exchange_x == pytest.approx(1.0, abs=1e-3)
    # no step at either end of the table
    for size in (0.25, 7.0):
        scaled = edges / np.cbrt(edges.prod()) * size
        inside, outside = (pair_in("cuboid", scaled * f) for f in (1 + 1e-7, 1 - 1e-7))
        assert inside.energy_over_rydberg == pytest.approx(outside.energy_over_rydberg, rel=1e-5)
        assert inside.overlap_k == pytest.approx(outside.overlap_k, rel=1e-5)


@pytest.mark.parametrize(("width", "length"), [(0.5, 4.0), (1.0, 3.0), (2.0, 6.0)])
def test_bar_lies_above_the_correlated_cuboid_and_nears_it(width, length):
    bar, exact = bar_state(width, length, "square"), solve_cuboid((width, width, length), order=6)
    lacks = bar.energy_over_rydberg - exact.energy_over_rydberg
    # variational within its own basis; correlation across the bar is second order, 0.1 to 0.3 Ry
    assert 0.0 < lacks < 0.35
    assert lacks < 0.005 * abs(bar.energy_over_rydberg - 2 * (math.pi / width) ** 2) + 0.3


def test_bar_converges_in_the_number_of_sines():
    rough, middle, fine = (bar_state(1.0, 4.0, number=n).energy_over_rydberg for n in (8, 16, 32))
    assert fine < middle < rough
    assert middle - fine < 0.4 * (rough - middle)


def test_rod_is_the_square_bar_of_equal_transverse_energy():
    # the difference between the two sections, both in the adiabatic approximation, is what `pair_in` neglects
    for diameter, length in ((0.4, 2.0), (1.0, 4.0), (3.0, 9.0)):
        rod = bar_state(diameter, length, "circle")
        bar = bar_state(BAR_OF_ROD * diameter, length, "square")
        pair = pair_in("rod", (diameter, diameter, length))
        assert abs(rod.energy_over_rydberg - bar.energy_over_rydberg) < pair.estimated_error_rydberg
        assert abs(rod.overlap_k / bar.overlap_k - 1) < pair.estimated_error_k_relative
        assert abs(rod.exchange_x / bar.exchange_x - 1) < pair.estimated_error_x_relative


def test_transverse_distances_have_their_second_moment():
    # <|s_e - s_h|^2> = 2 <s^2>: 4 (1/12 - 1/(2 pi^2)) of a square, (1/6)(1 - 2/j^2) of a circle of diameter 1
    s, weight = transverse_distances("square")
    assert weight.sum() == pytest.approx(1.0)
    assert weight @ s**2 == pytest.approx(4 * (1 / 12 - 1 / (2 * math.pi**2)), rel=1e-9)
    s, weight = transverse_distances("circle")
    assert weight @ s**2 == pytest.approx((1 - 2 / 2.404825557695773**2) / 6, rel=1e-4)


def test_spheroid_is_exact_for_a_sphere_and_its_kinetic_energy_for_all():
    sphere = pair_in("sphere", (5.0, 5.0, 5.0))
    spheroid = pair_in("spheroid", (5.0, 5.0, 5.0))
    assert spheroid.energy_over_rydberg == pytest.approx(sphere.energy_over_rydberg, abs=1e-6)
    assert spheroid.overlap_k == pytest.approx(sphere.overlap_k, rel=1e-6)
    # flat: local plate, harmonic motion in its plane and the fourth order of the radius, which adds 2
    k2 = float(spheroid_kinetic(1 / 6))
    adiabatic = (math.pi / 2 * 6) ** 2 + 2 * (math.pi / 2 * 6) + 2.0
    assert k2 == pytest.approx(adiabatic, rel=0.01)  # next order: aspect^2 and less
    # perturbation about the sphere at constant volume has no first order
    for aspect in (1.02, 1 / 1.02):
        volume_radius = aspect ** (1 / 3)
        assert spheroid_kinetic(aspect) * volume_radius**2 == pytest.approx(math.pi**2, rel=3e-4)


@pytest.mark.slow
def test_spheroid_first_order_coulomb_energy():
    # strong confinement: the uncorrelated pair sin(pi s)/s in scaled coordinates, by Monte Carlo
    aspect, size = 2.0, 0.05
    pair = pair_in("spheroid", (size, size, aspect * size))
    kinetic = spheroid_kinetic(aspect) / (0.5 * size) ** 2
    rng = np.random.default_rng(7)
    total = rng.random((2_000_000, 6)) * 2 - 1
    keep = (np.linalg.norm(total[:, :3], axis=1) < 1) & (np.linalg.norm(total[:, 3:], axis=1) < 1)
    points = total[keep]
    electron, hole = points[:, :3], points[:, 3:]
    density = np.sinc(np.linalg.norm(electron, axis=1)) ** 2 * np.sinc(np.linalg.norm(hole, axis=1)) ** 2
    stretch = 0.5 * size * np.array([1.0, 1.0, aspect])
    inverse = 1 / np.linalg.norm((electron - hole) * stretch, axis=1)
    coulomb = 2 * (density @ inverse) / density.sum()
    # 0.3 % of the sample; the scaled function is not quite the ground state, and the mapping not exact: 2 %
    assert kinetic - pair.energy_over_rydberg == pytest.approx(coulomb, rel=0.02)


def test_platelet_passes_from_the_cuboid_to_the_plate():
    pair = pair_in("platelet", ([6.0, 8.9, 9.1, 20.0],) * 2 + (1.0,))
    assert (np.diff(pair.energy_over_rydberg) < 0).all()
    # the plate's K, from a dead layer in the plane, is within its own error of the cuboid's growth with area
    grown = pair.overlap_k[1] * (9.1 / 8.9) ** 2
    assert abs(pair.overlap_k[2] / grown - 1) < pair.estimated_error_k_relative[2]
    assert pair.regime.tolist() == ["table", "table", "plate", "plate"]
    step = pair.energy_over_rydberg[1] - pair.energy_over_rydberg[2]
    assert step < 0.01 + pair.estimated_error_rydberg[2]


def test_refusals():
    with pytest.raises(OptionError, match="unknown shape"):
        pair_in("star", (1.0, 1.0, 1.0))
    with pytest.raises(OptionError, match="positive"):
        pair_in("cuboid", (1.0, -1.0, 1.0))
    with pytest.raises(OptionError, match="broadcast"):
        pair_in("cuboid", ([1.0, 2.0], [1.0, 2.0, 3.0], 1.0))
    for shape, lengths in (
        ("cuboid", (1.0, 1.0, 20.0)),
        ("rod", (2.0, 2.0, 1.0)),
        ("spheroid", (1.0, 1.0, 8.0)),
        ("platelet", (1.5, 30.0, 1.0)),
    ):
        with pytest.raises(ModelRangeError):
            pair_in(shape, lengths)
    with pytest.raises(ModelRangeError):
        bar_state(2.0, 1.0)
    with pytest.raises(OptionError):
        transverse_distances("triangle")
