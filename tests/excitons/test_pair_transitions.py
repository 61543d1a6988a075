"""Transitions against size and lattice screening as a layer: tables against solvers, limits, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perolux.errors import ModelRangeError, OptionError
from perolux.excitons.pair.centre_of_mass import centre_of_mass_ladder
from perolux.excitons.pair.cube import solve_cube, solve_cube_levels
from perolux.excitons.pair.lattice_screening import SIZES, haken_shift
from perolux.excitons.pair.screening import bulk_ground_state, haken
from perolux.excitons.pair.sphere import solve_sphere, solve_sphere_levels
from perolux.excitons.pair.tables import interpolate
from perolux.excitons.pair.transitions import LEVELS, transition_names, transitions

SHAPES = ("sphere", "cube")
LEVELS_OF = {"sphere": solve_sphere_levels, "cube": solve_cube_levels}
CASE = {"eps_static": 24.1, "eps_optical": 4.5, "eps_effective": 7.3, "phonon_over_rydberg": 0.6}


@pytest.mark.parametrize(("shape", "size"), [("sphere", 0.83), ("sphere", 2.9), ("cube", 1.7), ("cube", 4.1)])
@pytest.mark.slow
def test_curves_agree_with_the_solver_between_knots(shape, size):
    exact, found = LEVELS_OF[shape](size, 4), transitions(shape, size, 4)
    # the solver's order is lower than the table's; interpolation adds about 1e-6 away from avoided crossings
    allowed = exact.estimated_error_rydberg + found.estimated_error_rydberg + 1e-5
    assert np.all(np.abs(found.energy_over_rydberg - exact.energy_over_rydberg) <= allowed)
    assert found.overlap_k == pytest.approx(exact.overlap_k, rel=5e-3, abs=1e-3 * exact.overlap_k[0])
    assert found.exchange_x == pytest.approx(exact.exchange_x, rel=5e-3)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_first_curve_is_the_ground_state_of_the_other_table(shape):
    size = np.geomspace(0.01, 500.0, 60)
    first, ground = transitions(shape, size, 1), interpolate(shape, size)
    error = first.estimated_error_rydberg[0] + ground.estimated_error_rydberg
    assert np.all(np.abs(first.energy_over_rydberg[0] - ground.energy_over_rydberg) <= error)
    # K of an order-12 basis at 20 aB is 0.2 % short of the limit of large orders
    assert first.overlap_k[0] == pytest.approx(ground.overlap_k, rel=3e-3)


@pytest.mark.parametrize("shape", SHAPES)
def test_levels_stay_in_order_and_join_their_laws(shape):
    curves = transitions(shape, np.geomspace(0.01, 300.0, 3000))
    assert np.all(np.diff(curves.energy_over_rydberg, axis=0) > -1e-3)  # interpolation near avoided crossings
    assert np.all(curves.overlap_k >= 0)
    assert np.all(np.diff(curves.energy_over_rydberg, axis=1) < 0)  # a larger box lowers every level
    low, high = curves.table_range
    for end in (low, high):
        left, right = (transitions(shape, end * (1 + d)) for d in (-1e-9, 1e-9))
        assert left.energy_over_rydberg == pytest.approx(right.energy_over_rydberg, rel=1e-6)
        assert left.overlap_k == pytest.approx(right.overlap_k, rel=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_both_limits(shape):
    tiny = transitions(shape, 1e-4)
    assert tiny.energy_over_rydberg * 1e-8 / np.pi**2 == pytest.approx(
        {"sphere": [1, 2.0458, 2.5, 3.3657, 4, 4.0463, 4.9476, 5], "cube": [3, 6, 7, 9, 10, 11, 11, 12]}[
            shape
        ],
        abs=1e-3,
    )
    ladder = centre_of_mass_ladder(shape, 2000.0, 80)
    bright = ladder.overlap_k > 0
    count = min(LEVELS, int(bright.sum()))
    large = transitions(shape, 2000.0, count)
    kinetic = (large.energy_over_rydberg + 1) / (ladder.energy_over_rydberg[bright][:count] + 1)
    assert kinetic == pytest.approx(np.ones(count), abs=0.01)  # the layers differ by some 0.1 aB
    k = large.overlap_k / ladder.overlap_k[bright][:count]
    assert k[:3] == pytest.approx(np.ones(3), abs=0.03)  # like 1/x


def test_names_follow_the_binding_of_the_pair():
    curves = transitions("sphere", [1.0, 10.0], 2)
    assert curves.names.tolist() == [
        ["1s-1s", "1s pair, centre of mass 1s"],
        ["1p-1p", "1s pair, centre of mass 2s"],
    ]
    assert len(transition_names("cube")[0]) == LEVELS == len(transition_names("cube")[1])


def test_shapes_and_refusals_of_transitions():
    assert transitions("cube", np.ones((2, 3)), 5).overlap_k.shape == (5, 2, 3)
    assert transitions("cube", []).overlap_k.shape == (LEVELS, 0)
    with pytest.raises(ModelRangeError):
        transitions("cube", [1.0, -1.0])
    with pytest.raises(OptionError):
        transitions("cube", 1.0, 99)
    with pytest.raises(OptionError):
        transitions("cone", 1.0)


@pytest.mark.parametrize(
    ("shape", "size", "static"), [("sphere", 0.7, 18.0), ("sphere", 5.0, 24.1), ("cube", 2.4, 12.0)]
)
def test_haken_shift_agrees_with_a_direct_solution(shape, size, static):
    options = CASE | {"eps_static": static}
    screening = haken(
        eps_static=static,
        eps_optical=4.5,
        eps_of_unit=7.3,
        phonon_over_rydberg=options["phonon_over_rydberg"],
    )
    solve = solve_sphere if shape == "sphere" else solve_cube
    screened, plain = solve(size, screening=screening), interpolate(shape, size)
    shift = haken_shift(shape, size, **options)
    # the stated accuracy of the polynomials
    assert shift.energy_over_rydberg == pytest.approx(
        screened.energy_over_rydberg - float(plain.energy_over_rydberg), abs=2e-3
    )
    assert shift.k_ratio == pytest.approx(screened.overlap_k / float(plain.overlap_k), rel=5e-3)
    assert shift.x_ratio == pytest.approx(screened.exchange_x / float(plain.exchange_x), rel=5e-3)


@pytest.mark.parametrize("shape", SHAPES)
def test_haken_shift_has_its_limits(shape):
    same = haken_shift(
        shape, [0.1, 3.0, 500.0], eps_static=5, eps_optical=5, eps_effective=5, phonon_over_rydberg=0.5
    )
    assert same.energy_over_rydberg == pytest.approx(0.0, abs=1e-9)
    assert same.k_ratio == pytest.approx(1.0, abs=1e-9)
    # large: the difference of the two bindings
    screening = haken(eps_static=24.1, eps_optical=4.5, eps_of_unit=7.3, phonon_over_rydberg=0.6)
    energy, contact = bulk_ground_state(screening)
    shift = haken_shift(shape, 1e4, **CASE)
    assert shift.energy_over_rydberg == pytest.approx(energy + 1, abs=2e-3)
    assert shift.x_ratio == pytest.approx(contact, rel=5e-3)
    # small: only eps_inf acts, and the lattice takes a little of it back
    small = haken_shift(shape, 0.05, **CASE)
    bare = interpolate(shape, 0.05 * 7.3 / 4.5).energy_over_rydberg * (7.3 / 4.5) ** 2
    assert bare < small.energy_over_rydberg + interpolate(shape, 0.05).energy_over_rydberg < bare * 1.01


@given(
    st.sampled_from(SHAPES),
    st.floats(0.05, 60.0),
    st.floats(6.0, 31.0),
    st.floats(0.3, 1.0),
    st.floats(0.7, 1.4),
)
@settings(max_examples=50, deadline=None)
def test_more_lattice_screening_binds_less(shape, size, static, phonon, masses):
    options = {"eps_optical": 4.5, "eps_effective": 7.3, "phonon_over_rydberg": phonon, "mass_ratio": masses}
    weak = haken_shift(shape, size, eps_static=static, **options)
    strong = haken_shift(shape, size, eps_static=static * 1.2, **options)
    assert strong.energy_over_rydberg > weak.energy_over_rydberg - 1e-4


@pytest.mark.parametrize("shape", SHAPES)
def test_haken_shift_is_continuous_at_the_ends_of_the_table(shape):
    for end in SIZES[shape]:
        size = end * 7.3**-1 * 4.5  # the table counts in aB of eps_inf
        left, right = (haken_shift(shape, size * (1 + d), **CASE) for d in (-1e-9, 1e-9))
        assert left.energy_over_rydberg == pytest.approx(right.energy_over_rydberg, rel=1e-5, abs=1e-6)


def test_haken_shift_takes_draws_and_refuses_what_it_cannot_do():
    draws = np.linspace(4.0, 5.0, 7)[:, None]
    shift = haken_shift("cube", np.linspace(1, 8, 11), **(CASE | {"eps_optical": draws}))
    assert shift.k_ratio.shape == (7, 11)
    with pytest.raises(ModelRangeError, match="eps_inf/eps_0"):
        haken_shift("cube", 1.0, **(CASE | {"eps_static": 3.0}))
    with pytest.raises(ModelRangeError, match="polaron length"):
        haken_shift("cube", 1.0, **(CASE | {"phonon_over_rydberg": 1e-4}))
