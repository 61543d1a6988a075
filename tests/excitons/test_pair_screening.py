"""Screened attraction and image charges: exact limits, second methods, convergence, refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perolux.errors import ModelRangeError, OptionError
from perolux.excitons.pair._sphere_images import image_coefficient, pair_image, self_image
from perolux.excitons.pair.cube import solve_cube
from perolux.excitons.pair.screening import COULOMB, Screening, bulk_ground_state, bulk_s_states, haken
from perolux.excitons.pair.sphere import solve_sphere
from perolux.excitons.pair.sphere_products import solve_by_sphere_products

CASE = haken(eps_static=24.1, eps_optical=4.5, eps_of_unit=9.0, phonon_over_rydberg=0.6, mass_ratio=0.8)


@given(st.floats(0.02, 50.0), st.floats(0.0, 0.8), st.floats(0.0, 0.8), st.floats(-1.0, 1.0))
@settings(max_examples=60, deadline=None)
def test_image_sums_are_their_series(ratio, electron, hole, cosine):
    degree = np.arange(1, 90)  # 0.64^90 is below rounding
    alpha = image_coefficient(degree, ratio)
    legendre = np.array([np.polynomial.legendre.Legendre.basis(n)(cosine) for n in degree])
    distance = math.sqrt(max(electron**2 + hole**2 - 2 * electron * hole * cosine, 0.0))
    found = pair_image(np.array(electron), np.array(hole), np.array(distance), ratio)
    # 24 points on the line of charge leave about 1e-9 up to r_e r_h = 0.64 R^2
    scale = 1e-7 * (1.0 + float(np.abs(alpha).max()))
    assert float(found) == pytest.approx(
        float(np.sum(alpha * (electron * hole) ** degree * legendre)), abs=scale
    )
    assert float(self_image(np.array(electron), ratio)) == pytest.approx(
        float(np.sum(alpha * electron ** (2 * degree))), abs=scale
    )


@pytest.mark.slow
def test_images_vanish_without_contrast_and_pull_inwards_or_outwards():
    # self-energy repels from the wall where the outside screens less: the pair is pushed up
    one, up, down = (solve_sphere(1.0, dielectric_ratio=e).energy_over_rydberg for e in (1.0, 4.0, 0.25))
    assert solve_sphere(1.0, dielectric_ratio=1.0 + 1e-10).energy_over_rydberg == pytest.approx(one, abs=1e-8)
    assert down < one < up
    # odd in the contrast to first order: (e-1)/(e+1) changes sign with e -> 1/e, up to the lines of charge
    near = [solve_sphere(1.0, dielectric_ratio=e).energy_over_rydberg - one for e in (1.02, 1 / 1.02)]
    assert near[0] == pytest.approx(-near[1], rel=0.03)


@pytest.mark.parametrize("ratio", [0.05, 4.0, 40.0])
def test_images_converge_with_basis_and_quadrature(ratio):
    states = [solve_sphere(2.0, dielectric_ratio=ratio, order=order) for order in (5, 7, 8)]
    last = states[-1]
    for state in states:
        assert abs(state.energy_over_rydberg - last.energy_over_rydberg) <= state.estimated_error_rydberg
    assert last.estimated_error_rydberg < 1e-4  # the bar of the solver
    assert states[0].energy_over_rydberg >= states[1].energy_over_rydberg >= last.energy_over_rydberg - 1e-9


@pytest.mark.parametrize("ratio", [0.25, 4.0])
def test_images_agree_with_products_of_orbitals(ratio):
    # the products converge like n^-3: from above, and by the same amount with and without images
    own = solve_sphere(1.0, dielectric_ratio=ratio).energy_over_rydberg
    four, six = (solve_by_sphere_products(1.0, n, n, dielectric_ratio=ratio)[0][0] for n in (4, 6))
    assert own < six < four < own + 0.02
    assert six + (six - four) / ((6 / 4) ** 3 - 1) == pytest.approx(own, abs=1e-3)


def test_haken_limits_at_short_and_long_distance():
    near, far = CASE.attraction(np.array([1e-9, 1e3]))
    assert near == pytest.approx(9.0 / 4.5, abs=1e-8)
    assert far == pytest.approx(9.0 / 24.1, abs=1e-12)
    flat = haken(eps_static=5.0, eps_optical=5.0, eps_of_unit=5.0, phonon_over_rydberg=1.0)
    assert solve_sphere(2.0, screening=flat).energy_over_rydberg == pytest.approx(
        solve_sphere(2.0).energy_over_rydberg, abs=1e-8
    )


@pytest.mark.slow
def test_scaling_of_a_plain_attraction():
    # twice the attraction is half the Bohr radius and four times the Rydberg
    strong = Screening((2.0,), (0.0,))
    for solve, size in ((solve_sphere, 1.0), (solve_cube, 1.5)):
        state, scaled = solve(size, screening=strong), solve(2.0 * size)
        assert state.energy_over_rydberg == pytest.approx(4.0 * scaled.energy_over_rydberg, abs=4e-5)
        assert state.overlap_k == pytest.approx(scaled.overlap_k, rel=1e-4)
        assert 8.0 * scaled.exchange_x == pytest.approx(state.exchange_x, rel=1e-4)
    assert bulk_ground_state(strong) == pytest.approx((-4.0, 8.0), abs=1e-8)


def test_bulk_states_are_hydrogenic_and_converge():
    assert bulk_s_states(COULOMB, 3) == pytest.approx((-1.0, -1 / 4, -1 / 9), abs=1e-9)
    assert bulk_s_states(CASE, 1, 30) == pytest.approx(bulk_s_states(CASE, 1, 50), abs=1e-9)
    # between the two plain ones
    assert -4.0 < bulk_s_states(CASE)[0] < -((9 / 24.1) ** 2)


def test_bulk_yukawa_against_a_finite_difference_solution():
    from scipy.linalg import eigh_tridiagonal

    step = 0.002
    r = step * np.arange(1, 20000)
    main = 2.0 / step**2 - 2.0 * CASE.attraction(r) / r
    lowest = eigh_tridiagonal(main, np.full(r.size - 1, -1 / step**2), select="i", select_range=(0, 0))[0][0]
    assert bulk_s_states(CASE)[0] == pytest.approx(lowest, abs=2e-5)  # step^2 Z^4/4 of the difference scheme


@pytest.mark.slow
def test_large_spheres_and_cubes_tend_to_the_bulk():
    bulk = bulk_s_states(CASE)[0]
    for solve, size, kinetic, layer in ((solve_sphere, 16.0, 1.0, 1.6), (solve_cube, 20.0, 3.0, 3.2)):
        energy = solve(size, screening=CASE, mass_ratio=1.0).energy_over_rydberg
        # confined between a layer of 0 and one of twice that of the plain exciton
        assert kinetic * math.pi**2 / (4 * size**2) < energy - bulk
        assert energy - bulk < kinetic * math.pi**2 / (4 * (size - layer) ** 2)


@pytest.mark.parametrize(
    "options", [{"dielectric_ratio": 0.0}, {"dielectric_ratio": math.nan}, {"dielectric_ratio": 1e4}]
)
def test_contrasts_outside_the_tested_range_are_refused(options):
    with pytest.raises(ModelRangeError, match="dielectric ratio"):
        solve_sphere(1.0, **options)


def test_what_cannot_go_together_is_refused():
    with pytest.raises(OptionError, match="contrast and a screened"):
        solve_sphere(1.0, dielectric_ratio=2.0, screening=CASE)
    with pytest.raises(OptionError, match="image charges of a cube"):
        solve_cube(1.0, dielectric_ratio=2.0)
    with pytest.raises(OptionError, match="eps_0 >= eps_inf"):
        haken(eps_static=3.0, eps_optical=4.5, eps_of_unit=9.0, phonon_over_rydberg=0.6)
    with pytest.raises(OptionError, match="rates"):
        Screening((1.0,), (-1.0,))
