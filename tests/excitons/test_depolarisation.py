"""Depolarisation factors: sums, limits, and an independent integral for each shape."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import dblquad, quad
from scipy.special import elliprd, j1

from perolux.errors import ModelRangeError, OptionError
from perolux.excitons.levels.depolarisation import (
    box_factors,
    cylinder_factors,
    depolarisation_factors,
    spheroid_factors,
)
from perolux.excitons.levels.profile_factors import profile_factors

LENGTH = st.floats(0.05, 20.0)


@settings(deadline=None)
@given(LENGTH, LENGTH, LENGTH)
def test_box_factors_sum_to_one_and_order_as_the_edges_do(a, b, c):
    factors = box_factors(a, b, c)
    assert factors.sum() == pytest.approx(1.0, abs=1e-10)  # ratios up to 400 lose about 1e-11
    order = np.argsort([a, b, c])
    assert np.all(np.diff(factors[order]) <= 1e-10)


@pytest.mark.parametrize("edges", [(1.0, 1.0, 1.0), (1.0, 2.0, 3.0), (5.0, 4.0, 0.5), (0.3, 0.3, 6.0)])
def test_box_is_the_energy_of_two_charged_faces(edges):
    """N_c = [W(0) - W(c)]/(2 pi V), W(h) the Coulomb integral of two faces a x b at distance h."""
    a, b, c = edges

    def faces(h):
        # in polar coordinates about the corner: the 1/rho of h = 0 goes with rho d rho
        def inner(angle):
            co, si = np.cos(angle), np.sin(angle)
            reach = min(a / co if co > 0 else np.inf, b / si if si > 0 else np.inf)
            f = lambda r: (a - r * co) * (b - r * si) * r / np.hypot(r, h)  # noqa: E731
            return quad(f, 0, reach)[0]

        corner = np.arctan2(b, a)
        return 4.0 * (quad(inner, 0, corner)[0] + quad(inner, corner, np.pi / 2)[0])

    expected = (faces(0.0) - faces(c)) / (2.0 * np.pi * a * b * c)
    assert box_factors(a, b, c)[2] == pytest.approx(expected, abs=1e-8)  # tolerance of quad


def test_faces_agree_with_a_plain_double_integral():
    a, b, c = 1.0, 2.0, 3.0

    def faces(h):
        return 4.0 * dblquad(lambda v, u: (a - u) * (b - v) / np.sqrt(u * u + v * v + h * h), 0, a, 0, b)[0]

    # W(0) is singular for a plain integral: only W(c) is compared, by difference
    longer = box_factors(a, b, 2.0 * c)[2] * 2.0 * c - box_factors(a, b, c)[2] * c
    assert longer == pytest.approx((faces(c) - faces(2.0 * c)) / (2.0 * np.pi * a * b), abs=1e-8)


def test_plate_and_needle_limits():
    plate, needle = box_factors(1000.0, 1000.0, 1.0), box_factors(1.0, 1.0, 1000.0)
    # N across a square plate: 1 - (2 t/(pi a)) (3/2 + ln(2 a/t) ... ) -> 1; 0.995 at a ratio of 1000
    assert plate[2] > 0.99 and needle[2] < 0.001
    assert needle[:2] == pytest.approx([0.5, 0.5], abs=0.001)
    assert box_factors(1.0, 1.0, 1.0) == pytest.approx([1 / 3] * 3, abs=1e-14)


@pytest.mark.parametrize("polar", [1e-3, 0.1, 0.5, 0.98, 0.9899, 0.995, 1.0, 1.004, 1.0102, 1.02, 2.0, 100.0])
def test_spheroid_is_carlsons_integral(polar):
    expected = polar / 3.0 * elliprd(1.0, 1.0, polar**2)
    factors = spheroid_factors(1.0, polar)
    assert factors[2] == pytest.approx(expected, abs=1e-14)
    assert factors.sum() == pytest.approx(1.0, abs=1e-14)


@pytest.mark.parametrize("ratio", [0.1, 0.5, 1.0, 3.0, 10.0, 40.0])
def test_cylinder_is_a_bessel_integral(ratio):
    """N_z = (2R/L) int J1(q)^2 (1 - exp(-q L/R))/q^2 dq."""
    s, end = 2.0 * ratio, 400.0
    integral = quad(lambda q: j1(q) ** 2 * -np.expm1(-q * s) / q**2, 0, end, limit=2000)[0]
    tail = 1.0 / (2.0 * np.pi * end**2)  # J1^2 -> 1/(pi q) on average
    # what the oscillation of J1^2 leaves of the tail is of order 1/end^3
    assert cylinder_factors(1.0, ratio)[2] == pytest.approx(2.0 / s * (integral + tail), abs=2e-8 / s)


def test_cylinder_is_smooth_where_the_series_begins():
    lengths = np.linspace(31.0, 32.3, 41)  # k^2 = 0.001 at L = 31.6 D
    axial = cylinder_factors(1.0, lengths)[:, 2]
    assert np.abs(np.diff(axial * lengths, 2)).max() < 1e-7


def test_every_shape_and_broadcasting():
    for shape in ("cube", "cuboid", "platelet", "sphere", "spheroid", "rod"):
        factors = depolarisation_factors(shape, np.full((2, 1), 8.0), 8.0, np.full(3, 8.0))
        assert factors.shape == (2, 3, 3)
        assert factors.sum(axis=-1) == pytest.approx(np.ones((2, 3)), abs=1e-12)


def test_bad_lengths():
    with pytest.raises(OptionError):
        box_factors(1.0, -1.0, 1.0)
    with pytest.raises(ModelRangeError, match="ratio"):
        spheroid_factors(1.0, 2000.0)
    with pytest.raises(OptionError, match="shape"):
        depolarisation_factors("star", 1.0, 1.0, 1.0)


BOXES = [
    (1.0, 1.0, 1.0),
    (1.0, 2.0, 3.0),
    (10.0, 10.0, 2.0),
    (3.0, 3.0, 10.0),
    (100.0, 100.0, 1.0),
    (1.0, 1.0, 100.0),
]


@pytest.mark.parametrize("edges", BOXES)
def test_uniform_profile_is_the_closed_form(edges):
    """Two independent ways to the same factors; 2e-8 is the tail of the quadrature that is cut off."""
    assert profile_factors(*edges, "uniform") == pytest.approx(box_factors(*edges), abs=2e-8)


@pytest.mark.parametrize("profile", ["strong", "weak"])
@pytest.mark.parametrize("edges", BOXES)
def test_profiles_converge_and_sum_to_one(profile, edges):
    factors = profile_factors(*edges, profile)
    assert factors.sum() == pytest.approx(1.0, abs=1e-9)
    finer = profile_factors(*edges, profile, times=288, points=64)
    assert factors == pytest.approx(finer, abs=1e-8)
    # the pair keeps away from the walls, and the short axis gains
    short = int(np.argmin(edges))
    assert factors[short] >= box_factors(*edges)[short] - 1e-9


@pytest.mark.slow
@pytest.mark.parametrize("profile", ["strong", "weak"])
def test_profile_is_an_integral_over_wave_vectors(profile):
    """N_i from the Fourier transforms of cos and cos^2 on a grid of wave vectors."""
    edges = np.array([1.0, 1.3, 0.6])
    step = 0.4
    k = (np.arange(-150, 150) + 0.5) * step  # in 1/(longest edge); midpoints leave out k = 0

    def power(q):
        half = 0.5 * q
        if profile == "weak":
            return (2 * np.pi * np.cos(half) / (np.pi**2 - q**2)) ** 2
        # cos^2 = (1 + cos 2 pi x)/2
        return (np.sin(half) / half * 2 * np.pi**2 / (4 * np.pi**2 - q**2)) ** 2

    px, py, pz = (power(k * edge) for edge in edges)
    kx, ky, kz = (k[:, None, None], k[:, None], k)
    weight = px[:, None, None] * py[:, None] * pz
    square = kx**2 + ky**2 + kz**2
    expected = [float((weight * c**2 / square).sum() / weight.sum()) for c in (kx, ky, kz)]
    # k_i^2/k^2 has no value at k = 0: the cells around it cost about step^3 of the peak
    assert profile_factors(*edges, profile) == pytest.approx(expected, abs=1e-3)


def test_profile_factors_of_many_boxes_and_bad_ones():
    many = profile_factors(np.array([[5.0], [8.0]]), 8.0, [8.0, 7.0, 6.0])
    assert many.shape == (2, 3, 3)
    assert many[1, 2] == pytest.approx(profile_factors(8.0, 8.0, 6.0), abs=1e-10)
    with pytest.raises(OptionError, match="profile"):
        profile_factors(1.0, 1.0, 1.0, "flat")
    with pytest.raises(OptionError, match="positive"):
        profile_factors(1.0, 0.0, 1.0)
    with pytest.raises(ModelRangeError):
        profile_factors(1.0, 1.0, 200.0)
