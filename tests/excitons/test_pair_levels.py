"""Excited levels, the centre-of-mass ladder and unequal masses: limits, second methods, convergence."""

from __future__ import annotations

import math

import numpy as np
import pytest

from perolux.errors import ModelRangeError, OptionError
from perolux.excitons.pair.centre_of_mass import bessel_zeros, centre_of_mass_ladder, cuboid_ladder
from perolux.excitons.pair.cube import solve_cube, solve_cube_levels, solve_cuboid
from perolux.excitons.pair.product_sines import solve_levels_by_product_sines
from perolux.excitons.pair.sphere import solve_sphere, solve_sphere_levels
from perolux.excitons.pair.sphere_products import solve_by_sphere_products
from perolux.excitons.pair.tables import interpolate


@pytest.mark.parametrize(
    ("solve", "one", "order"), [(solve_sphere_levels, solve_sphere, 8), (solve_cube_levels, solve_cube, 8)]
)
def test_the_first_level_is_the_ground_state(solve, one, order):
    levels, ground = solve(2.0, 3, order=order), one(2.0, order=order)
    # another exponent, so they differ by the basis error
    assert levels.energy_over_rydberg[0] == pytest.approx(ground.energy_over_rydberg, abs=1e-5)
    assert levels.overlap_k[0] == pytest.approx(ground.overlap_k, rel=1e-3)
    assert np.all(np.diff(levels.energy_over_rydberg) > 0)


@pytest.mark.slow
def test_levels_fall_with_order_and_their_errors_cover_it():
    for solve, orders in ((solve_sphere_levels, (7, 10)), (solve_cube_levels, (8, 10))):
        small, large = (solve(3.0, 4, order=order) for order in orders)
        assert np.all(large.energy_over_rydberg <= small.energy_over_rydberg + 1e-9)
        assert np.all(small.energy_over_rydberg - large.energy_over_rydberg <= small.estimated_error_rydberg)


@pytest.mark.slow
def test_strong_confinement_gives_the_free_pairs():
    x = 0.01
    levels = solve_sphere_levels(x, 6)
    zeros = {
        name: bessel_zeros("spd".index(name[1]), int(name[0]))[-1] for name in ("1s", "1p", "2s", "1d", "2p")
    }
    pairs = (("1s", "1s"), ("1p", "1p"), ("1s", "2s"), ("1d", "1d"), ("2s", "2s"), ("1p", "2p"))
    free = np.array([0.5 * (zeros[a] ** 2 + zeros[b] ** 2) for a, b in pairs])
    # the attraction is of order 2 J x = 0.04 in these units
    assert levels.energy_over_rydberg * x**2 == pytest.approx(free, abs=0.06)
    # K counts the states that are equal by symmetry, 2l + 1, and vanishes between different states
    assert levels.overlap_k == pytest.approx([1, 3, 0, 5, 1, 0], rel=0.03, abs=1e-4)
    cube = solve_cube_levels(0.02, 4)
    assert cube.energy_over_rydberg * 0.02**2 / math.pi**2 == pytest.approx([3, 6, 7, 9], abs=0.02)
    assert cube.overlap_k == pytest.approx([1, 3, 0, 3], rel=0.05, abs=1e-4)


@pytest.mark.parametrize(
    ("edge", "level", "energy", "k", "x"),
    [
        (1.0, 1, 52.6435, 4.65, 30.35),
        (1.0, 2, 62.3060, 0.0032, 30.5),
        (3.0, 1, 4.1469, 10.05, 2.69),
        (3.0, 2, 5.2835, 0.346, 2.53),
    ],
)
def test_published_excited_levels_of_the_cube(edge, level, energy, k, x):
    found = solve_cube_levels(edge, 3)
    assert found.energy_over_rydberg[level] == pytest.approx(energy, abs=1e-4)  # the digits given
    assert found.overlap_k[level] == pytest.approx(k, rel=0.01)  # the table's 1 %
    assert found.exchange_x[level] == pytest.approx(x, rel=0.005)


@pytest.mark.slow
def test_excited_levels_lie_below_those_of_both_product_bases():
    exact = solve_cube_levels(2.0, 4).energy_over_rydberg
    four, six = (solve_levels_by_product_sines(2.0, n, 4)[0] for n in (4, 6))
    assert np.all((exact < six) & (six < four) & (six < exact + 0.05))
    exact = solve_sphere_levels(1.0, 4).energy_over_rydberg
    four, six = (solve_by_sphere_products(1.0, n, n, count=4)[0] for n in (4, 6))
    assert np.all((exact < six) & (six < four) & (six < exact + 0.05))


@pytest.mark.slow
def test_sphere_products_agree_for_unequal_masses():
    own = solve_sphere(1.0, mass_ratio=0.3)
    four, six, eight = (solve_by_sphere_products(1.0, n, n, mass_ratio=0.3)[0][0] for n in (4, 6, 8))
    limit = np.linalg.solve([[1, n**-3.0, n**-4.0] for n in (4, 6, 8)], [four, six, eight])[0]
    assert limit == pytest.approx(own.energy_over_rydberg, abs=2e-4)  # what the extrapolation leaves


def test_a_heavy_hole_sits_in_the_field_of_a_fixed_charge():
    # E lies above the electron's energy around a hole fixed in the centre, 4.748 Ry (hydrogen in a hard
    # sphere of 1 aB), plus the hole's own confinement, and falls towards it
    energies = [solve_sphere(1.0, mass_ratio=ratio).energy_over_rydberg for ratio in (0.1, 0.03, 0.01, 0.003)]
    assert np.all(np.diff(energies) < 0)
    for ratio, energy in zip((0.1, 0.03, 0.01, 0.003), energies, strict=True):
        assert energy > 4.748 + ratio / (1 + ratio) * math.pi**2


@pytest.mark.slow
def test_thin_plates_tend_to_two_dimensions():
    binding = [
        math.pi**2 / c**2 - solve_cuboid((3.0, 3.0, c), order=6).energy_over_rydberg for c in (1.0, 0.5, 0.25)
    ]
    assert 1.0 < binding[0] < binding[1] < binding[2] < 4.0  # bulk 1 Ry, plane 4 Ry


def test_the_ladder_starts_at_the_table_and_counts_its_states():
    for shape, size in (("cube", [6.0, 9.0]), ("sphere", [4.0, 12.0])):
        ladder = centre_of_mass_ladder(shape, size, 6)
        curve = interpolate(shape, size)
        assert ladder.energy_over_rydberg[0] == pytest.approx(curve.energy_over_rydberg, abs=1e-12)
        assert ladder.overlap_k[0] == pytest.approx(curve.overlap_k, rel=1e-12)
        assert np.all(np.diff(ladder.energy_over_rydberg, axis=0) > 0)
    assert centre_of_mass_ladder("sphere", 5.0, 4).names == ("1s", "1p", "1d", "2s")
    assert centre_of_mass_ladder("sphere", 5.0, 4).degeneracy.tolist() == [1, 3, 5, 1]
    assert centre_of_mass_ladder("cube", 8.0, 4).degeneracy.tolist() == [1, 3, 3, 3]


def test_the_overlaps_of_the_ladder_obey_its_sum_rule():
    # sum over all levels of |int Phi|^2 is the volume: K adds up to K_1s (pi^2/8)^3 in a cube
    ladder = centre_of_mass_ladder("cube", 10.0, 80)
    part = float(ladder.overlap_k.sum() / ladder.overlap_k[0]) / (math.pi**2 / 8) ** 3
    assert 0.85 < part < 1.0  # the rest is in higher levels, like 1/n


def test_a_cuboid_of_equal_edges_has_the_ladder_of_the_cube():
    cube, cuboid = centre_of_mass_ladder("cube", 8.0, 8), cuboid_ladder((8.0, 8.0, 8.0), 8)
    assert cuboid.energy_over_rydberg == pytest.approx(cube.energy_over_rydberg, abs=1e-12)
    assert cuboid.overlap_k == pytest.approx(cube.overlap_k, rel=1e-12)
    assert cuboid.degeneracy.tolist() == cube.degeneracy.tolist()
    long = cuboid_ladder((6.0, 6.0, 20.0), 3)
    assert long.names == ("111", "112", "113") and long.degeneracy.tolist() == [1, 1, 1]


@pytest.mark.slow
@pytest.mark.parametrize(("size", "tolerance"), [(8.0, 0.06), (12.0, 0.03)])
def test_the_ladder_agrees_with_the_excited_levels_of_the_cube(size, tolerance):
    ladder = centre_of_mass_ladder("cube", size, 30)
    bright = ladder.overlap_k > 0
    levels = solve_cube_levels(size, 2, order=12)
    kinetic = (ladder.energy_over_rydberg[bright][:2] + 1) / (levels.energy_over_rydberg + 1)
    # the dead layer of an excited level differs; the difference falls with size
    assert kinetic == pytest.approx([1.0, 1.0], abs=tolerance)


@pytest.mark.slow
def test_what_the_ladder_cannot_do_is_refused():
    with pytest.raises(ModelRangeError, match="too small"):
        centre_of_mass_ladder("cube", [8.0, 2.0])
    with pytest.raises(ModelRangeError, match="too small"):
        cuboid_ladder((8.0, 2.0, 8.0))
    with pytest.raises(OptionError, match="levels"):
        centre_of_mass_ladder("cube", 8.0, 500)
    with pytest.raises(OptionError, match="too many"):
        solve_cube_levels(1.0, 50, order=6)


@pytest.mark.parametrize("ratio", [0.25, 0.7, 1.6])
def test_the_ladder_of_unequal_masses_starts_at_the_solver(ratio):
    state = solve_sphere(9.0, mass_ratio=ratio)
    ladder = centre_of_mass_ladder("sphere", 9.0, 1, mass_ratio=ratio)
    # the layers are those at 15 aB, between tabulated ratios
    kinetic = (ladder.energy_over_rydberg[0] + 1) / (state.energy_over_rydberg + 1)
    assert kinetic == pytest.approx(1.0, rel=0.01)
    assert ladder.overlap_k[0] == pytest.approx(state.overlap_k, rel=0.02)
