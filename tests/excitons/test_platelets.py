"""Plates: two and three dimensions, images, convergence, adiabatic second method, ladder, refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perolux.errors import ModelRangeError, OptionError
from perolux.excitons.pair.plate_pair import free_pair_rydberg, image_sum, solve_plate
from perolux.excitons.pair.platelets import (
    interpolate_plate,
    lateral_energy_ev,
    plate_exciton,
    two_band_confinement_ev,
    two_band_well_ev,
)


def test_thin_plate_without_mismatch_is_the_two_dimensional_hydrogen_atom():
    # first order in the thickness: the energy approaches 4 Ry linearly in d, by about 6.6 d
    plates = [solve_plate(d) for d in (0.001, 0.002)]
    assert 2 * plates[0].binding - plates[1].binding == pytest.approx(4.0, abs=1e-3)
    # the amplitude at contact converges more slowly, with d ln d
    assert plates[0].contact == pytest.approx(8 / math.pi, rel=0.01)
    # <rho^2> = 3/8 aB^2
    assert plates[0].radius == pytest.approx(math.sqrt(3 / 8), rel=0.005)


def test_thick_plate_is_the_bulk_exciton_behind_a_dead_layer():
    plate = solve_plate(12.0)
    layer = 12.0 - math.sqrt(0.25 * math.pi**2 / (plate.energy + 1.0))
    assert layer == pytest.approx(1.39, abs=0.02)  # of the cube at 12 aB: 1.387, chapter 6.1
    assert plate.exchange_x == pytest.approx(1.0, abs=0.01)
    assert plate.radius == pytest.approx(math.sqrt(2.0), rel=0.005)  # <x^2 + y^2> = 2 aB^2


@pytest.mark.slow
@pytest.mark.parametrize(("d", "q"), [(0.4, 0.0), (0.4, 0.55), (1.5, 0.55), (6.0, 0.3)])
def test_convergence_in_the_basis(d, q):
    rough, fine = solve_plate(d, q, order=4), solve_plate(d, q, order=8)
    assert fine.energy <= rough.energy + 1e-6  # variational
    assert rough.energy - fine.energy < 2e-3
    middle = solve_plate(d, q, order=6)
    assert abs(middle.energy - fine.energy) < 1e-4
    assert middle.contact == pytest.approx(fine.contact, rel=2e-3)
    assert middle.exchange_x == pytest.approx(fine.exchange_x, rel=2e-3)


def test_images_in_closed_form():
    # sum over n of q^n exp(-k n d) in the plane's Fourier space, transformed back
    from scipy.integrate import quad
    from scipy.special import j0

    d, q, rho, u, sum_z = 1.0, 0.6, 0.7, 0.3, 0.2

    def integrand(k):
        t = q * math.exp(-k * d)
        odd = t / (1 - t * t) * 2 * math.cosh(k * sum_z)
        even = t * t / (1 - t * t) * 2 * math.cosh(k * u)
        return j0(k * rho) * (odd + even)

    closed = -2.0 * quad(integrand, 0, 60, limit=400)[0]
    found = image_sum(np.array(rho**2), np.array(u), np.array(sum_z), d, q)
    assert float(found) == pytest.approx(closed, rel=1e-6)


def test_strong_contrast_is_the_potential_of_a_polarisable_sheet():
    # Keldysh: -(2/eps_out)(pi/2 r0)[H0 - Y0](rho/r0), with eps_in = 1 here and r0 = d eps_in/(2 eps_out)
    from scipy.special import struve, y0

    d, q = 0.01, 0.95
    ratio = (1 + q) / (1 - q)
    r0 = d * ratio / 2
    for rho in (0.1, 0.3, 1.0):
        keldysh = -2.0 * ratio * math.pi / (2 * r0) * (struve(0, rho / r0) - y0(rho / r0))
        found = float(image_sum(np.array(rho**2), np.array(0.0), np.array(0.0), d, q)) - 2.0 / rho
        # corrections of order d/r0 = 5 %, and of (eps_out/eps_in)^2
        assert found == pytest.approx(keldysh, rel=0.05)


def adiabatic(d, q, points=1500):
    """Energy less pi^2/d^2 in the potential averaged over both cos^2, on a logarithmic grid in the plane."""
    from scipy.linalg import eigh_tridiagonal

    node, weight = np.polynomial.legendre.leggauss(40)
    u, w = 0.5 * (node + 1), 0.5 * weight
    turn = 2 * math.pi * u
    share = 2 * ((1 - u) * (1 + 0.5 * np.cos(turn)) + 0.75 / math.pi * np.sin(turn)) * w
    # not nearer to the origin: 1/(step rho)^2 must leave digits for the energy
    x = np.linspace(math.log(2e-3), math.log(40.0), points)
    rho, step = np.exp(x), x[1] - x[0]
    potential = np.zeros_like(rho)
    # the density is even, so z_e - z_h and z_e + z_h are distributed alike
    for n in range(-60, 61):
        for sign in (1, -1):
            distance = np.sqrt(rho[:, None] ** 2 + d * d * (sign * u[None] + n) ** 2)
            potential -= abs(q) ** abs(n) * (share / distance).sum(axis=1)
    # -f''(x)/rho^2 + V f = E f with weight rho^2: symmetric after f -> f/rho
    main = 2.0 / (step * rho) ** 2 + potential
    main[0] -= 1.0 / (step * rho[0]) ** 2  # no slope at the origin
    side = -1.0 / (step**2 * rho[:-1] * rho[1:])
    return eigh_tridiagonal(main, side, select="i", select_range=(0, 0))[0][0]


@pytest.mark.slow
@pytest.mark.parametrize(("d", "q"), [(0.1, 0.0), (0.5, 0.0), (0.1, 0.55), (0.5, 0.55)])
def test_adiabatic_separation_lies_above_and_meets_in_thin_plates(d, q):
    pair = solve_plate(d, q, order=8)
    # first-order self-energies are those of the separated function
    from perolux.excitons.pair.dielectric import plate_self_energy_ev
    from perolux.quantities.constants import COULOMB_EV_NM

    ratio = (1 + q) / (1 - q)
    own = float(plate_self_energy_ev(d, ratio, 1.0)) * ratio / COULOMB_EV_NM * 2.0  # C is 2 Ry aB
    above = adiabatic(d, q) + own - (pair.energy - math.pi**2 / d**2)
    # what it lacks is the correlation across the plate, second order: about 0.3 Ry d
    assert -1e-3 < above < 0.02 + 0.35 * d


def test_free_pair_without_contrast_is_the_box():
    assert free_pair_rydberg(2.0, 0.0) == pytest.approx(math.pi**2 / 4)


@given(st.floats(0.06, 14.0), st.floats(-0.25, 0.79))
@settings(max_examples=40, deadline=None)
def test_more_contrast_binds_more(d, q):
    low, high = interpolate_plate(d, q), interpolate_plate(d, q + 0.05)
    assert high.binding_rydberg > low.binding_rydberg > 0
    assert high.contact >= low.contact * 0.98
    # the image is a difference of two tabled energies, each to 5e-4 of the binding: beyond that, a sign
    if abs(low.image_rydberg) > 1e-3 * low.binding_rydberg:
        assert np.sign(low.image_rydberg) == -np.sign(q)


@pytest.mark.slow
@pytest.mark.parametrize(("d", "q"), [(0.13, 0.5), (0.37, 0.33), (0.9, 0.61), (2.2, 0.1), (7.0, 0.7)])
def test_table_agrees_with_the_solver_between_its_knots(d, q):
    exact, table = solve_plate(d, q, order=8), interpolate_plate(d, q)
    assert table.binding_rydberg == pytest.approx(exact.binding, rel=5e-4)
    assert table.free_rest_rydberg == pytest.approx(exact.free - math.pi**2 / d**2, rel=1e-3)
    # below 0.3 aB contact and radius, which are not variational, move by 0.5 % between bases and exponents
    relative = 2e-3 if d > 0.3 else 1e-2
    assert table.contact == pytest.approx(exact.contact, rel=relative)
    assert table.exchange_x == pytest.approx(exact.exchange_x, rel=relative)
    assert table.radius_over_bohr == pytest.approx(exact.radius, rel=0.5 * relative)


def test_two_bands_tend_to_parabolic_ones_and_lie_below():
    wide, _ = two_band_confinement_ev(2.0, 0.15, 1e6)
    real, growth = two_band_confinement_ev(2.0, 0.15, 2.35)
    assert wide == pytest.approx(0.0380998 / 0.15 * (math.pi / 2) ** 2, rel=1e-4)
    assert real < wide and growth == pytest.approx(1 + real / 2.35)


def test_barriers_tend_to_hard_walls_and_let_the_wave_function_out():
    hard, _ = two_band_confinement_ev(2.0, 0.15, 2.35)
    high, _, near = two_band_well_ev(2.0, 0.15, 2.35, 1e7, 1.0)
    assert high == pytest.approx(hard, rel=2e-3) and near == pytest.approx(2.0, rel=2e-3)
    real, growth, wide = two_band_well_ev(2.0, 0.15, 2.35, 2.25, 1.0)
    assert real < hard and wide > 2.0
    # the matching condition itself, with the wave number of the effective thickness
    energy = 0.5 * real
    mass = 0.3 * (1 + energy / 2.35)
    k, unit = math.pi / wide, 0.0380998
    assert k == pytest.approx(math.sqrt(mass * energy / unit), rel=1e-5)
    decay = math.sqrt((2.25 - energy) / unit)
    assert k * math.tan(k) / mass == pytest.approx(decay, rel=1e-5)
    assert growth == pytest.approx(1 + real / 2.35)


def test_parts_add_up_and_thicker_plates_are_redder():
    n = np.arange(1, 11)
    plate = plate_exciton(n, 0.6, 0.126, 7.3, 2.2, 2.36)
    parts = plate.confinement_ev + plate.free_self_energy_ev - plate.binding_ev + plate.lateral_ev
    assert plate.energy_ev == pytest.approx(parts)
    assert (np.diff(plate.energy_ev) < 0).all() and (np.diff(plate.binding_ev) < 0).all()
    assert plate.overlap_k is None


def test_lateral_confinement_is_the_centre_of_mass_in_the_plane():
    energy, area, valid = lateral_energy_ev((20.0, 30.0), 0.5, 1e-6)
    assert energy == pytest.approx(0.0380998 / 0.5 * math.pi**2 * (1 / 400 + 1 / 900), rel=1e-4)
    assert area == pytest.approx((8 / math.pi**2) ** 2 * 600, rel=1e-4) and valid
    small = plate_exciton(3, 0.6, 0.126, 7.3, 2.2, 2.36, lateral_nm=(10.0, 10.0))
    large = plate_exciton(3, 0.6, 0.126, 7.3, 2.2, 2.36, lateral_nm=(30.0, 30.0))
    assert small.energy_ev > large.energy_ev > plate_exciton(3, 0.6, 0.126, 7.3, 2.2, 2.36).energy_ev
    assert large.overlap_k > small.overlap_k > 1


@pytest.mark.slow
def test_lateral_confinement_agrees_with_the_cuboid_solver():
    from perolux.excitons.pair.cube import solve_cuboid
    from perolux.excitons.pair.shapes import pair_in

    box = solve_cuboid((1.0, 8.5, 8.5), order=8)
    plate = pair_in("platelet", (8.5 * 1.1, 8.5 * 1.1, 1.0))  # beyond 9:1 the plate is used
    wide = solve_cuboid((1.0, 9.35, 9.35), order=8)
    assert plate.regime == "plate"
    assert abs(plate.energy_over_rydberg - wide.energy_over_rydberg) < 2 * plate.estimated_error_rydberg
    assert plate.overlap_k == pytest.approx(wide.overlap_k, rel=2 * float(plate.estimated_error_k_relative))
    assert wide.energy_over_rydberg < box.energy_over_rydberg


@pytest.mark.parametrize("layers", [0, 1.5, -2, float("nan"), [2, 2.5]])
def test_layers_are_whole_numbers(layers):
    with pytest.raises(OptionError, match="monolayers"):
        plate_exciton(layers, 0.6, 0.126, 7.3, 2.2, 2.36)


def test_refusals():
    with pytest.raises(ModelRangeError, match="thickness"):
        interpolate_plate(40.0, 0.2)
    with pytest.raises(ModelRangeError, match="contrast"):
        interpolate_plate(1.0, 0.99)
    with pytest.raises(ModelRangeError):
        solve_plate(30.0)
    with pytest.raises(ModelRangeError):
        solve_plate(1.0, 0.99)
    with pytest.raises(OptionError):
        solve_plate(1.0, order=1)
    with pytest.raises(OptionError, match="bands"):
        plate_exciton(2, 0.6, 0.126, 7.3, 2.2, 2.36, bands="four")
    with pytest.raises(OptionError, match="positive"):
        plate_exciton(2, 0.6, -0.126, 7.3, 2.2, 2.36)
    with pytest.raises(ModelRangeError, match="lateral"):
        plate_exciton(2, 0.6, 0.126, 7.3, 2.2, 2.36, lateral_nm=(2.0, 20.0))
