"""The variational solvers against the independent tables, their own error estimates, and symmetries."""

from __future__ import annotations

import math
import time
from itertools import pairwise

import numpy as np
import pytest

from perolux.errors import ModelRangeError, OptionError
from perolux.excitons.pair._variation import ball_wall, box_wall
from perolux.excitons.pair.cube import solve_cube, solve_cuboid
from perolux.excitons.pair.sphere import solve_sphere
from perolux.validation.rows import read_table

CUBES = {
    float(row["L_over_aB"]): tuple(
        float(row[name])
        for name in ("E_over_Ry", "E_uncertainty_Ry", "overlap_K", "K_rel_uncertainty", "exchange_X")
    )
    for row in read_table("exciton_hard_cube_benchmark.csv")
}
SPHERES = {
    float(row["R_over_aB"]): (float(row["E_over_Ry"]), float(row["tol_E_Ry"]), float(row["overlap2_K"]))
    for row in read_table("exciton_hard_sphere_benchmark.csv")
}
SOLVE = {"sphere": solve_sphere, "cube": solve_cube}
SPHERE_X = {
    float(row["R_over_aB"]): float(row["exchange_X"])
    for row in read_table("exciton_hard_sphere_exchange.csv")
}


@pytest.mark.parametrize("size", SPHERES)
def test_sphere_agrees_with_the_independent_table(size, sphere):
    energy, _, k = SPHERES[size]
    state = sphere(size)
    # the table quotes 5e-4 (1e-3 when large), but its energies are converged to 1e-5 and have 5 decimals
    assert state.energy_over_rydberg == pytest.approx(energy, abs=1.5e-5)
    # K of the table is converged to 0.1 % and rounded to three or four digits
    assert state.overlap_k == pytest.approx(k, rel=1e-3)
    # X has four or five digits
    assert state.exchange_x == pytest.approx(SPHERE_X[size], rel=5e-4)


@pytest.mark.parametrize("size", CUBES)
def test_cube_agrees_with_the_independent_table(size, cube):
    energy, uncertainty, k, k_uncertainty, x = CUBES[size]
    state = cube(size)
    assert state.energy_over_rydberg == pytest.approx(energy, abs=uncertainty)  # the table's own uncertainty
    assert state.overlap_k == pytest.approx(k, rel=k_uncertainty)
    assert state.exchange_x == pytest.approx(x, rel=2e-4)  # the table's smallest uncertainty of X


@pytest.mark.parametrize(("shape", "reference"), [("sphere", SPHERES), ("cube", CUBES)])
def test_own_error_estimates_cover_the_difference_to_the_tables(shape, reference, request):
    solve = request.getfixturevalue(shape)
    for size, row in reference.items():
        state = solve(size)
        assert abs(state.energy_over_rydberg - row[0]) <= state.estimated_error_rydberg
        assert abs(state.overlap_k / row[2] - 1) <= state.estimated_error_k_relative
        x = row[4] if len(row) == 5 else SPHERE_X[size]
        assert abs(state.exchange_x / x - 1) <= state.estimated_error_x_relative


@pytest.mark.parametrize(
    ("shape", "orders", "size"),
    [("sphere", (3, 4, 5), s) for s in (0.5, 3.0, 10.0)] + [("cube", (4, 6), s) for s in (0.5, 3.0, 8.0)],
)
def test_error_estimates_of_small_bases_cover_what_a_large_basis_finds(shape, orders, size, request):
    exact = request.getfixturevalue(shape)(size)
    solve = SOLVE[shape]
    energies = []
    for order in orders:
        state = solve(size, order=order)
        energies.append(state.energy_over_rydberg)
        assert abs(state.energy_over_rydberg - exact.energy_over_rydberg) <= state.estimated_error_rydberg
        assert abs(state.overlap_k / exact.overlap_k - 1) <= state.estimated_error_k_relative
        assert abs(state.exchange_x / exact.exchange_x - 1) <= state.estimated_error_x_relative
    # nested bases: the energy may only fall (the tolerance is rounding)
    assert all(a >= b - 1e-10 * abs(a) for a, b in pairwise(energies))
    assert energies[-1] >= exact.energy_over_rydberg - 1e-10 * abs(energies[-1])


@pytest.mark.parametrize("curvature", [1.0, 0.6, 1e-9, -0.3, -25.0, -4000.0])
@pytest.mark.parametrize("wall", [box_wall, ball_wall])
def test_wall_functions_vanish_at_the_wall_and_know_their_own_curvature(wall, curvature):
    edge = 0.5 if wall is box_wall else 1.0
    position = np.linspace(0.05, 0.9, 7) * edge
    step = 1e-4 * edge
    chi, bend = wall(position, curvature)
    ahead, back = wall(position + step, curvature)[0], wall(position - step, curvature)[0]
    laplacian = (ahead - 2 * chi + back) / step**2
    if wall is ball_wall:
        laplacian += (ahead - back) / (step * position)
    # a central second difference of step h errs by h^2 f''''/12, here up to 1e-5 of the largest curvature
    assert bend == pytest.approx(-laplacian, rel=1e-3, abs=1e-5 * float(np.abs(bend).max()) + 1e-6)
    assert wall(np.array([edge]), curvature)[0] == pytest.approx(0.0, abs=1e-12)
    assert wall(np.array([1e-9]), curvature)[0] == pytest.approx(1.0, abs=1e-6)


def test_a_cuboid_that_is_nearly_a_cube_is_nearly_the_cube():
    # no symmetry between axes is used here, so three different pyramids and 210 functions give what 56 gave
    same = solve_cuboid((3.0000002, 3.0, 3.0000001), order=6)
    reference = solve_cube(3.0, order=6)
    assert same.functions > 3 * reference.functions
    # dE/dL is about -1.5 Ry/aB, so a mean change of 1e-7 aB moves E by 2e-7
    assert same.energy_over_rydberg == pytest.approx(reference.energy_over_rydberg, abs=1e-6)
    assert same.overlap_k == pytest.approx(reference.overlap_k, rel=1e-6)
    assert same.exchange_x == pytest.approx(reference.exchange_x, rel=1e-6)


@pytest.mark.slow
def test_a_cuboid_does_not_depend_on_the_order_of_its_edges_and_lies_between_cubes(cube):
    states = [solve_cuboid(edges, order=4) for edges in ((2.0, 3.0, 4.0), (4.0, 2.0, 3.0), (3.0, 4.0, 2.0))]
    # the starting point of the exponent search is the same; what remains is rounding of the summation order
    for state in states[1:]:
        assert state.energy_over_rydberg == pytest.approx(states[0].energy_over_rydberg, abs=1e-9)
        assert state.overlap_k == pytest.approx(states[0].overlap_k, rel=1e-6)
    # a larger box that contains a smaller one has the lower energy
    assert cube(4.0).energy_over_rydberg < states[0].energy_over_rydberg < cube(2.0).energy_over_rydberg


@pytest.mark.parametrize(("solve", "order"), [(solve_sphere, 5), (solve_cube, 6)])
def test_exchanging_the_masses_changes_nothing_and_equal_masses_are_a_limit(solve, order):
    heavy, light = solve(2.0, order=order, mass_ratio=2.5), solve(2.0, order=order, mass_ratio=0.4)
    assert heavy.energy_over_rydberg == pytest.approx(light.energy_over_rydberg, abs=1e-8)
    assert heavy.overlap_k == pytest.approx(light.overlap_k, rel=1e-6)
    equal, nearly = solve(2.0, order=order), solve(2.0, order=order, mass_ratio=1.0 + 1e-7)
    # the larger basis without exchange symmetry must find the same state; the energy is even in ln(ratio)
    assert nearly.energy_over_rydberg == pytest.approx(equal.energy_over_rydberg, abs=1e-8)
    assert nearly.exchange_x == pytest.approx(equal.exchange_x, rel=1e-6)


def test_unequal_masses_lower_the_energy_by_the_published_amounts(sphere):
    # reference: at fixed reduced mass a ratio of 0.8 changes E by 0.001 Ry and 0.5 by 0.009 Ry for x = 1 to 3
    for size in (1.0, 3.0):
        equal = sphere(size).energy_over_rydberg
        assert 0.0003 < equal - solve_sphere(size, mass_ratio=0.8).energy_over_rydberg < 0.0016
        assert 0.006 < equal - solve_sphere(size, mass_ratio=0.5).energy_over_rydberg < 0.012


@pytest.mark.parametrize(
    ("size", "said"),
    [(0.0, "is 0"), (-1.0, "negative"), (math.nan, "no number")]
    + [(size, "not tested") for size in (math.inf, 1e-4, 45.0)],
)
@pytest.mark.parametrize("solve", [solve_sphere, solve_cube])
def test_sizes_outside_the_tested_range_are_refused(solve, size, said):
    with pytest.raises(ModelRangeError, match=said):
        solve(size)


@pytest.mark.parametrize("options", [{"order": 1}, {"order": 99}, {"mass_ratio": 0.0}, {"exponent": 1.0}])
@pytest.mark.parametrize("solve", [solve_sphere, solve_cube])
def test_options_that_cannot_be_used_are_refused(solve, options):
    with pytest.raises(OptionError):
        solve(1.0, **options)


def test_an_odd_order_of_the_cube_is_refused():
    with pytest.raises(OptionError, match="order 5"):
        solve_cube(1.0, order=5)


def test_the_exponent_is_that_of_the_lowest_energy():
    best = solve_cube(3.0, order=4)
    for factor in (0.8, 1.25):
        other = solve_cube(3.0, order=4, exponent=best.exponent * factor, wall=best.wall)
        assert other.energy_over_rydberg > best.energy_over_rydberg
    for shift in (-0.15, 0.15):
        other = solve_cube(3.0, order=4, exponent=best.exponent, wall=best.wall + shift)
        assert other.energy_over_rydberg > best.energy_over_rydberg


def test_a_state_is_plain_data(sphere, cube):
    entries = sphere(2.0).as_dict()
    assert entries["shape"] == "sphere" and entries["edges_over_bohr"] is None
    assert entries["energy_over_rydberg"] == sphere(2.0).energy_over_rydberg
    assert cube(3.0).as_dict()["edges_over_bohr"] == [3.0, 3.0, 3.0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("solve", "sizes"), [(solve_sphere, (0.3, 3.0, 20.0)), (solve_cube, (0.5, 3.0, 20.0))]
)
def test_one_solve_takes_less_than_two_seconds_of_cpu(solve, sizes):
    solve(1.5)  # imports and the list of basis functions are made once
    for size in sizes:
        start = time.process_time()
        solve(size)
        # 0.1 s and 0.5 s on one core of a small machine; the bar is that of the issue
        assert time.process_time() - start < 2.0
