"""Both asymptotic limits, and constants by a second road."""

from __future__ import annotations

import math

import numpy as np
import pytest

from perolux.errors import OptionError
from perolux.excitons.pair import limits


def test_coulomb_constant_of_the_sphere_has_its_closed_form():
    from scipy.special import sici

    closed = 2 - sici(2 * math.pi)[0] / math.pi + sici(4 * math.pi)[0] / (2 * math.pi)
    assert limits.coulomb_constant("sphere") == pytest.approx(closed, abs=1e-12)
    assert limits.coulomb_constant("sphere") == pytest.approx(1.786073, abs=1e-6)  # published digits


def test_coulomb_constant_of_the_cube_by_gaussians():
    # 1/r = (2/sqrt(pi)) int exp(-t^2 r^2) dt makes the integral a third power of a two-dimensional one
    x, w = np.polynomial.legendre.leggauss(160)
    x, w = 0.5 * (x + 1), 0.5 * w
    density = 2 * np.sin(math.pi * x) ** 2 * w
    s, sw = np.polynomial.legendre.leggauss(80)
    s, sw = 0.5 * (s + 1) * 0.985, 0.5 * sw * 0.985
    t = s / (1 - s)
    each = np.array([density @ np.exp(-((u * (x[:, None] - x)) ** 2)) @ density for u in t])
    # beyond t = 65.7 the one-axis integral is sqrt(pi) (3/2)/t
    rest = (math.sqrt(math.pi) * 1.5) ** 3 / (2 * (0.985 / 0.015) ** 2)
    total = 2 / math.sqrt(math.pi) * (float(sw / (1 - s) ** 2 @ each**3) + rest)
    # the tail, 2e-3, is leading order in 1/t^2 only: t = 66 leaves about 1e-3 of it
    assert limits.coulomb_constant("cube") == pytest.approx(total, abs=5e-6)
    assert limits.coulomb_constant("cube") == pytest.approx(3.047787, abs=1e-6)  # published digits


@pytest.mark.slow
def test_contact_constants(sphere, cube):
    assert limits.contact_constant("sphere") == pytest.approx(2.1114, abs=5e-5)  # published digits
    assert limits.contact_constant("cube") == pytest.approx(10.603, abs=5e-4)
    # the solver tends to them: X size^3 grows by a few per cent per 0.01 aB
    assert sphere(0.002).exchange_x * 0.002**3 == pytest.approx(2.1114, rel=3e-3)
    assert cube(0.002).exchange_x * 0.002**3 == pytest.approx(10.603, rel=3e-3)


def test_strong_confinement_of_the_sphere(sphere):
    def remainder(size):
        return limits.strong_limit_remainder("sphere", size, sphere(size).energy_over_rydberg)

    assert remainder(0.05) == pytest.approx(-0.2805, abs=1e-4)  # published with four digits
    assert remainder(0.005) == pytest.approx(-0.279, abs=5e-4)  # the second-order constant, three digits


@pytest.mark.slow
def test_strong_confinement_of_the_cube(cube):
    for size, published in ((0.25, -0.2903), (0.5, -0.2966), (1.0, -0.3096)):
        energy = cube(size).energy_over_rydberg
        assert limits.strong_limit_remainder("cube", size, energy) == pytest.approx(published, abs=1e-4)
        # -0.284 - 0.024 y, the rest is quadratic
        assert limits.strong_limit_remainder("cube", size, energy) == pytest.approx(
            -0.284 - 0.024 * size, abs=5e-4 + 2e-3 * size**2
        )


def test_weak_confinement_of_the_sphere(sphere):
    for size in (4.0, 6.0, 10.0):
        energy = sphere(size).energy_over_rydberg
        # the published law with d = 0.735 holds within 2e-4 Ry
        assert energy == pytest.approx(-1 + math.pi**2 / (4 * (size - 0.735) ** 2), abs=2e-4)
    assert limits.dead_layer("sphere", 4.0, sphere(4.0).energy_over_rydberg) == pytest.approx(0.735, abs=0.01)


@pytest.mark.slow
def test_weak_confinement_of_the_cube(cube):
    for size, published in ((6.0, 1.311), (8.0, 1.359), (12.0, 1.387)):
        energy = cube(size).energy_over_rydberg
        assert limits.dead_layer("cube", size, energy) == pytest.approx(published, abs=1e-3)


def test_overlap_in_weak_confinement(sphere, cube):
    # published ratios of K to its limit, with two and three digits (0.95 at 4 stands there for 0.947)
    for size, ratio in ((6.0, 0.78), (10.0, 0.84)):
        k = sphere(size).overlap_k / (limits.overlap_constant("sphere") * size**3)
        assert k == pytest.approx(ratio, abs=0.006)
    for size, ratio in ((4.0, 0.947), (6.0, 0.765), (8.0, 0.742), (12.0, 0.771)):
        k = cube(size).overlap_k / (limits.overlap_constant("cube") * size**3)
        assert k == pytest.approx(ratio, abs=0.002)
    # the layers of energy and overlap tend to the same 0.70 aB per wall
    assert limits.overlap_layer("sphere", 30.0, sphere(30.0).overlap_k) == pytest.approx(0.70, abs=0.05)


def test_uncorrelated_limit(sphere, cube):
    assert sphere(0.002).overlap_k == pytest.approx(1.0, abs=3e-3)
    assert cube(0.002).overlap_k == pytest.approx(1.0, abs=3e-3)


@pytest.mark.slow
def test_equal_confinement_of_sphere_and_cube(sphere, cube):
    # published differences at R = L/sqrt(3), with the digits given there
    for size, energy, k, x in (
        (0.5, -0.099, 0.991, 1.025),
        (2.0, -0.019, 0.970, 1.005),
        (6.0, -0.0020, 0.952, 0.999),
    ):
        ball, box = sphere(size), cube(size * math.sqrt(3))
        assert ball.energy_over_rydberg - box.energy_over_rydberg == pytest.approx(energy, abs=6e-4)
        assert ball.overlap_k / box.overlap_k == pytest.approx(k, abs=1.5e-3)
        assert ball.exchange_x / box.exchange_x == pytest.approx(x, abs=6e-4)


def test_unknown_shape_is_refused():
    for function in (limits.coulomb_constant, limits.contact_constant, limits.overlap_constant):
        with pytest.raises(OptionError, match="unknown shape"):
            function("cone")
