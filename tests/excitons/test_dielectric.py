"""Self-energies and image interaction: exact limits, the multipole series, boundary elements, correlation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perolux.errors import ModelRangeError, NotAvailableError, OptionError
from perolux.excitons.pair import _boundary as surface
from perolux.excitons.pair.dielectric import (
    dielectric_shift_ev,
    image_interaction_ev,
    plate_self_energy_ev,
    self_energy_ev,
    sphere_coefficients,
)
from perolux.quantities.constants import COULOMB_EV_NM

SHAPES = {
    "cube": (6.0, 6.0, 6.0),
    "cuboid": (4.0, 6.0, 12.0),
    "sphere": (7.0, 7.0, 7.0),
    "spheroid": (5.0, 5.0, 10.0),
    "rod": (4.0, 4.0, 12.0),
}


def moments(top):
    """<r^2n> of sin^2(pi r)/r^2 in a unit ball."""
    node, weight = np.polynomial.legendre.leggauss(1200)
    r, density = 0.5 * (node + 1), weight * np.sin(0.5 * math.pi * (node + 1)) ** 2
    return np.array([density @ r ** (2 * n) for n in range(top + 1)])


@pytest.mark.parametrize("shape", SHAPES)
def test_no_contrast_is_no_shift(shape):
    for bohr in (None, 3.0):
        shift = dielectric_shift_ev(shape, SHAPES[shape], 5.0, 5.0, bohr_radius_nm=bohr)
        assert shift.self_energy_ev == shift.image_interaction_ev == shift.total_ev == 0.0


@pytest.mark.parametrize("ratio", [0.6, 1.01, 2.0, 3.3, 6.0, 11.0])
@pytest.mark.slow
def test_sphere_is_the_multipole_series(ratio):
    # the sum to n = 500 lacks 4.9 t/(2 500^2), 1e-5 of the total; the table's quadrature is finer than that
    alpha, mean = sphere_coefficients(ratio, 500), moments(500)
    unit = COULOMB_EV_NM / (5.0 * 3.5)
    shift = dielectric_shift_ev("sphere", SHAPES["sphere"], 5.0, 5.0 / ratio)
    assert shift.self_energy_ev == pytest.approx(unit * alpha @ mean, rel=3e-4)
    assert shift.image_interaction_ev == pytest.approx(-unit * alpha[0], rel=1e-7)  # eight digits
    assert shift.total_ev == pytest.approx(unit * alpha[1:] @ mean[1:], rel=1e-3)


def test_multipole_series_converges_as_the_cube_of_n():
    alpha, mean = sphere_coefficients(3.0, 400), moments(400)
    sums = np.cumsum(alpha * mean)
    # <r^2n> falls as n^-3, so what is left falls fourfold when n doubles
    left = sums[-1] - sums[[20, 40, 80]]
    assert left[0] / left[1] == pytest.approx(4.0, rel=0.15)
    assert left[1] / left[2] == pytest.approx(4.0, rel=0.15)


def test_image_interaction_of_s_states_by_a_direct_double_integral():
    # the kernel summed over n at each pair of points, not term by term
    ratio, points = 3.0, 24
    node, weight = np.polynomial.legendre.leggauss(points)
    r, density = 0.5 * (node + 1), weight * np.sin(0.5 * math.pi * (node + 1)) ** 2
    alpha = sphere_coefficients(ratio, 400)
    y = r[:, None, None] * r[None, :, None]
    series = np.polynomial.legendre.legval(node[None, None, :], np.eye(60))  # P_n(c)
    kernel = sum(alpha[n] * y**n * series[n] for n in range(60))
    mean = np.einsum("i,j,k,ijk->", density, density, 0.5 * weight, kernel)
    found = image_interaction_ev("sphere", (2.0, 2.0, 2.0), 6.0, 2.0) * 6.0 / COULOMB_EV_NM
    assert found == pytest.approx(-mean, rel=1e-7)


@pytest.mark.slow
def test_boundary_elements_reproduce_the_sphere_and_converge():
    contrast = np.array([0.5])
    alpha, mean = sphere_coefficients(3.0, 400), moments(400)
    exact = np.array([alpha @ mean, alpha[0]]) / 0.5
    errors = []
    for number in (6, 12):
        density = surface.ball_density((1.0, 1.0, 1.0), 12)
        own, mutual = surface.image_means(surface.ball_octant((1.0, 1.0, 1.0), number), *density, contrast)
        errors.append(np.abs(np.array([own[0], mutual[0]]) / exact - 1.0))
    # flat triangles: the error falls with their area, fourfold, less a little for the points near the wall
    assert errors[1][0] < errors[0][0] / 2.8 and errors[1][0] < 0.005
    assert errors[1][1] < 1e-5  # the total charge is exact on any mesh


def test_solid_angles_of_a_closed_surface_add_up():
    octant = surface.box_octant((1.0, 2.0, 3.0), 4)
    inside = octant.fluxes(np.array([[0.1, 0.3, 0.7], [0.4, 0.9, 1.4]]))[0].sum(axis=0)
    assert inside == pytest.approx(4 * math.pi, rel=1e-12)
    assert octant.interaction[0].sum(axis=0) == pytest.approx(2 * math.pi, rel=1e-9)
    assert octant.volume == pytest.approx(6.0)


def test_mean_inverse_distance_of_a_triangle_is_that_of_its_points():
    triangle = np.array([[[0.0, 0.0, 0.0], [1.0, 0.0, 0.2], [0.1, 0.8, 0.1]]])
    point = np.array([[0.3, 0.4, 1.0], [2.0, -1.0, 0.5]])
    rng = np.random.default_rng(5)
    a, b = np.sort(rng.random((2, 200_000)), axis=0)
    samples = triangle[0, 0] + a[:, None] * (triangle[0, 1] - triangle[0, 0])
    samples = samples + (b - a)[:, None] * (triangle[0, 2] - triangle[0, 0])
    mean = (1 / np.linalg.norm(samples[None] - point[:, None], axis=2)).mean(axis=1)
    assert surface.potential(point, triangle)[:, 0] == pytest.approx(mean, rel=2e-3)  # 5 sigma of the sample


@pytest.mark.slow
def test_first_bounce_is_what_the_mesh_tends_to():
    edges = (1.0, 1.3, 0.8)
    exact = surface.first_bounce(edges, *surface.box_density(edges, 20))
    errors = []
    for number in (3, 6):
        own, _ = surface.image_means(
            surface.box_octant(edges, number), *surface.box_density(edges, 6), np.array([0.0])
        )
        errors.append(abs(own[0] / exact - 1.0))
    assert errors[1] < 0.015 and errors[1] < 0.5 * errors[0]


@pytest.mark.slow
def test_doubling_the_mesh_of_a_cube_changes_less_than_one_milli_electron_volt():
    # CsPbBr3 of 5 nm, eps 7.3 (set A) or 4.5 (high frequency) against 2.2
    for inside in (7.3, 4.5):
        contrast = np.array([(inside - 2.2) / (inside + 2.2), 0.0])
        unit = 1e3 * COULOMB_EV_NM / (inside * 5.0) * contrast[0]
        found = []
        for number in (6, 12):
            octant, density = surface.box_octant((1.0, 1.0, 1.0), number), surface.box_density((1.0,) * 3, 8)
            own, mutual = surface.image_means(octant, *density, contrast)
            found.append(unit * np.array([own[0] - own[1], mutual[0]]))
        assert np.abs(found[0] - found[1]).max() < 0.5


@pytest.mark.slow
def test_flat_box_tends_to_the_plate():
    # potential of the images at the centre: sum over n != 0 of q^|n|/|n|; the rim matters less the wider it
    q = 1.0 / 3.0
    plate = -2.0 * math.log(1.0 - q)
    lacks = []
    for edge in (4.0, 8.0):
        octant = surface.box_octant((edge, edge, 1.0), 6)
        own, _ = surface.image_means(octant, np.zeros((1, 3)), np.ones(1), np.array([q]))
        lacks.append(abs(own[0] * q / plate - 1.0))
    assert lacks[1] < 0.04 and lacks[1] < 0.5 * lacks[0]


def test_plate_self_energy_is_the_image_series():
    # direct sum over images and positions; the density vanishes at the wall, where the image diverges
    node, weight = np.polynomial.legendre.leggauss(400)
    z, q = 0.5 * node, (7.3 - 2.2) / (7.3 + 2.2)
    density = weight * np.cos(math.pi * z) ** 2
    total = np.zeros_like(z)
    for n in range(1, 60):
        sign = (-1) ** n
        total += q**n * (1 / abs(z - sign * z + n) + 1 / abs(z - sign * z - n))
    # two carriers, each half the potential of its images
    expected = COULOMB_EV_NM / (7.3 * 2.0) * density @ total
    assert plate_self_energy_ev(2.0, 7.3, 2.2) == pytest.approx(expected, rel=1e-5)


def test_thick_plate_is_one_wall():
    from perolux.excitons.pair.plate_pair import _self_energy

    depth, thickness, q = 0.5, 500.0, 0.6
    # one image at twice the depth: q e^2/(8 pi eps0 eps depth) per carrier is q/(2 depth) Ry aB
    found = _self_energy(np.array([0.5 * thickness - depth]), thickness, q)[0]
    assert found == pytest.approx(q / (2 * depth), rel=0.01)  # the far wall adds of the order depth/thickness


@given(
    shape=st.sampled_from(sorted(SHAPES)),
    scale=st.floats(0.4, 6.0),
    ratio=st.floats(0.5, 12.0),
    bohr=st.floats(1.0, 6.0),
)
@settings(max_examples=60, deadline=None)
def test_signs_scaling_and_correlation(shape, scale, ratio, bohr):
    lengths = [scale * length for length in SHAPES[shape]]
    shift = dielectric_shift_ev(shape, lengths, 6.0, 6.0 / ratio, bohr_radius_nm=bohr)
    free = dielectric_shift_ev(shape, lengths, 6.0, 6.0 / ratio)
    sign = 1.0 if ratio >= 1.0 else -1.0
    assert sign * shift.self_energy_ev >= 0 and sign * shift.image_interaction_ev <= 0
    # half the square of a difference of fields; drawn together, the difference is smaller
    assert 0 <= sign * shift.total_ev <= sign * free.total_ev * (1 + 1e-9)
    assert shift.uncorrelated_total_ev == free.total_ev
    assert shift.total_ev == pytest.approx(shift.self_energy_ev + shift.image_interaction_ev, abs=1e-12)
    single = dielectric_shift_ev(shape, SHAPES[shape], 6.0, 6.0 / ratio)
    assert free.self_energy_ev * scale == pytest.approx(single.self_energy_ev, rel=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
def test_parts_cancel_in_weak_confinement(shape):
    lengths = [20.0 * length for length in SHAPES[shape]]
    shift = dielectric_shift_ev(shape, lengths, 7.3, 2.2, bohr_radius_nm=2.0)
    assert shift.total_ev < 0.03 * shift.self_energy_ev


def test_shapes_meet_where_they_are_the_same_body():
    ball = dielectric_shift_ev("sphere", (6.0, 6.0, 6.0), 7.3, 2.2, bohr_radius_nm=3.0)
    spheroid = dielectric_shift_ev("spheroid", (6.0, 6.0, 6.0), 7.3, 2.2, bohr_radius_nm=3.0)
    assert spheroid.self_energy_ev == pytest.approx(ball.self_energy_ev, rel=1e-4)
    assert spheroid.total_ev == pytest.approx(ball.total_ev, rel=1e-3)
    cube = self_energy_ev("cube", (6.0, 6.0, 6.0), 7.3, 2.2)
    assert self_energy_ev("cuboid", (6.0, 6.0, 6.0 + 1e-9), 7.3, 2.2) == pytest.approx(cube, rel=1e-6)
    # a cylinder as long as wide lies near the cube of equal volume: 0.923 of its diameter
    same = self_energy_ev("cube", (5.536, 5.536, 5.536), 7.3, 2.2)
    assert self_energy_ev("rod", (6.0, 6.0, 6.0), 7.3, 2.2) == pytest.approx(same, rel=0.02)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("edges", "screen"),
    [
        ((1.0, 1.7, 2.9), 0.25),
        pytest.param((1.0, 1.2, 5.5), 0.4, marks=pytest.mark.long),
        pytest.param((1.0, 4.0, 5.0), 0.15, marks=pytest.mark.long),
    ],
)
def test_interpolation_over_aspect_ratios_agrees_with_boundary_elements_between_the_knots(edges, screen):
    contrast = np.array([1.0 - 2.0 * screen, 0.0])
    octant = surface.box_octant(edges, 8)
    own, mutual = surface.image_means(octant, *surface.box_density(edges, 8), contrast)
    exact = own[0] - own[1] + surface.first_bounce(edges, *surface.box_density(edges, 20)) - mutual[0]
    exact *= contrast[0] * COULOMB_EV_NM / 6.0
    found = dielectric_shift_ev("cuboid", edges, 6.0, 6.0 * screen / (1.0 - screen)).total_ev
    assert found == pytest.approx(exact, rel=0.01)  # what the docstring promises


@pytest.mark.slow
@pytest.mark.parametrize("edge", [2.0, 4.0])
def test_correlation_in_a_cube_is_near_that_of_the_sphere(edge):
    """The solved pair of the cube on a grid of both particles against scaling from the sphere."""
    from scipy.linalg import eigh

    from perolux.excitons.pair import cube
    from perolux.excitons.pair._variation import box_wall
    from perolux.excitons.pair.screening import COULOMB

    contrast, points = 0.5, 6
    octant = surface.box_octant((1.0, 1.0, 1.0), 6)
    r, _ = surface.box_density((1.0, 1.0, 1.0), points)
    _, weight = np.polynomial.legendre.leggauss(points)
    w = np.einsum("i,j,k->ijk", weight, weight, weight).ravel()
    flux, pot = octant.fluxes(r), octant.potentials(r)
    unit = np.eye(octant.triangles.shape[0])
    green = np.stack(
        [
            pot[p].T @ np.linalg.solve(unit - contrast / (2 * math.pi) * octant.interaction[p], flux[p])
            for p in range(8)
        ]
    )
    pairs = np.einsum("pg,pij->gij", surface._CHARACTERS, green) / 8.0
    own = np.einsum("pii->i", green) / 8.0
    state = cube.solve_cube(edge, order=4)
    basis = cube._basis(4, (True, True, True), True)
    physics = cube._Physics((edge,) * 3, 1.0, COULOMB)
    overlap, energy = cube._matrices(physics, state.exponent, state.wall, basis, 24)
    vector = eigh(energy, overlap)[1][:, 0]
    rests = []
    for correlated in (False, True):
        chi = np.prod(box_wall(r, 1.0 - state.wall * edge**2 if correlated else 1.0)[0], axis=1)
        total = norm = 0.0
        for signs, between in zip(surface._SIGNS, pairs, strict=True):
            one, two = (r * signs)[:, None], r[None]
            distance = edge * np.linalg.norm(one - two, axis=2)
            psi = np.outer(chi, chi)
            if correlated:
                factor = np.zeros_like(distance)
                for first, count, c in zip(basis.first, basis.size, vector, strict=True):
                    for row in range(first, first + count):
                        terms = (one + two) ** basis.m[row] * (one - two) ** basis.n[row]
                        factor += c * distance ** int(basis.s[row]) * terms.prod(axis=2)
                psi = psi * factor * np.exp(-state.exponent * distance)
            density = psi**2 * np.outer(w, w)
            norm += density.sum()
            total += (density * (0.5 * (own[:, None] + own[None]) - between)).sum()
        rests.append(total / norm)
    found = dielectric_shift_ev("cube", (edge,) * 3, 6.0, 2.0, bohr_radius_nm=1.0)
    # the ratio is 0.7 and 0.5; 6 % of it is what the scaling is good for
    assert found.total_ev / found.uncorrelated_total_ev == pytest.approx(rests[1] / rests[0], rel=0.06)


def test_arrays_broadcast_over_draws_and_sizes():
    draws = np.array([6.5, 7.3, 8.7])[:, None]
    edges = np.array([4.0, 6.0, 8.0, 10.0])
    shift = dielectric_shift_ev("cube", (edges, edges, edges), draws, 2.2, bohr_radius_nm=0.4 * draws)
    assert shift.total_ev.shape == (3, 4)
    alone = dielectric_shift_ev("cube", (6.0, 6.0, 6.0), 7.3, 2.2, bohr_radius_nm=0.4 * 7.3)
    assert shift.total_ev[1, 1] == pytest.approx(float(alone.total_ev), rel=1e-12)


def test_refusals():
    with pytest.raises(ModelRangeError, match="permittivities"):
        dielectric_shift_ev("cube", (5.0, 5.0, 5.0), 40.0, 2.0)
    with pytest.raises(ModelRangeError, match="aspect"):
        dielectric_shift_ev("cuboid", (1.0, 5.0, 50.0), 7.0, 2.0)
    with pytest.raises(OptionError, match="positive"):
        dielectric_shift_ev("cube", (5.0, -5.0, 5.0), 7.0, 2.0)
    with pytest.raises(OptionError, match="positive"):
        dielectric_shift_ev("cube", (5.0, 5.0, 5.0), float("nan"), 2.0)
    with pytest.raises(OptionError, match="unknown shape"):
        dielectric_shift_ev("star", (5.0, 5.0, 5.0), 7.0, 2.0)
    with pytest.raises(OptionError, match="Bohr"):
        dielectric_shift_ev("cube", (5.0, 5.0, 5.0), 7.0, 2.0, bohr_radius_nm=0.0)
    with pytest.raises(NotAvailableError, match="platelet"):
        dielectric_shift_ev("platelet", (20.0, 20.0, 2.0), 7.0, 2.0)
