"""Decay matrix and shifts of dipoles: closed limits, digits at small distance, errors."""

from decimal import Decimal, getcontext

import numpy as np
import pytest

from perolux.collective.couplings import Emitters, couplings, pair_couplings, sphere_directions
from perolux.errors import InputError, OptionError


def precise(x: str, a: str, b: str) -> tuple[float, float]:
    """Both couplings from series of sine and cosine with 60 digits."""
    getcontext().prec = 60
    x, a, b = Decimal(x), Decimal(a), Decimal(b)
    sine, cosine, term = Decimal(0), Decimal(0), Decimal(1)
    for n in range(80):
        sign = -1 if n // 2 % 2 else 1
        if n % 2:
            sine += sign * term
        else:
            cosine += sign * term
        term *= x / (n + 1)
    gamma = Decimal("1.5") * ((a - b) * sine / x + (a - 3 * b) * (cosine / x**2 - sine / x**3))
    omega = Decimal("0.75") * (-(a - b) * cosine / x + (a - 3 * b) * (sine / x**2 + cosine / x**3))
    return float(gamma), float(omega)


@pytest.mark.parametrize("x", ["0.001", "0.02", "0.0499999", "0.0500001", "0.3", "1", "7.5"])
@pytest.mark.parametrize(("a", "b"), [("1", "0"), ("1", "1"), ("0.3", "-0.2"), ("0", "0.4")])
def test_digits(x, a, b):
    gamma, omega = pair_couplings(np.array([float(x)]), np.array([float(a)]), np.array([float(b)]))
    wanted = precise(x, a, b)
    # the closed form loses about eps/x^2 just above the change to the series
    assert gamma[0] == pytest.approx(wanted[0], abs=5e-13)
    assert omega[0] == pytest.approx(wanted[1], rel=1e-13, abs=1e-13)


def test_table():
    # distance 12.5 nm at 530 nm: dipoles across and along the axis
    x = np.full(2, 2.0 * np.pi * 12.5 / 530.0)
    gamma, omega = pair_couplings(x, np.ones(2), np.array([0.0, 1.0]))
    assert gamma == pytest.approx([0.99561320758, 0.997805743362], abs=1e-11)
    assert omega == pytest.approx([227.983590901, -465.978498171], rel=1e-11)


def test_near_and_far():
    near, _ = pair_couplings(np.array([1e-4, 1e-4]), np.array([1.0, 0.0]), np.array([0.3, 0.0]))
    assert near == pytest.approx([1.0, 0.0], abs=1e-7)
    far, shift = pair_couplings(np.array([1e6]), np.array([1.0]), np.array([0.0]))
    assert abs(far[0]) < 2e-6 and abs(shift[0]) < 1e-6


def test_mean_over_orientations():
    # three orthogonal orientations: sin x/x, no static shift
    x = np.full(3, 1.7)
    gamma, omega = pair_couplings(x, np.ones(3), np.array([1.0, 0.0, 0.0]))
    assert np.mean(gamma) == pytest.approx(np.sin(1.7) / 1.7, abs=1e-14)
    assert np.mean(omega) == pytest.approx(-0.5 * np.cos(1.7) / 1.7, abs=1e-14)


def test_matrix(cluster):
    between = cluster(3, 3, 2, dipole=(1.0, 2.0, 2.0))
    assert np.array_equal(between.decay, between.decay.T)
    assert np.array_equal(between.shift, between.shift.T)
    assert np.trace(between.decay) == pytest.approx(18.0)
    rates, modes = between.modes()
    assert np.sum(rates) == pytest.approx(18.0)
    assert modes @ np.diag(rates) @ modes.T == pytest.approx(between.decay, abs=1e-12)


def test_initial_g2(together, cluster):
    assert together(7).initial_g2() == pytest.approx(2.0 - 2.0 / 7.0, abs=1e-14)
    far = cluster(5, 1, 1, pitch_nm=1e7)
    assert far.initial_g2() == pytest.approx(0.8, abs=1e-6)
    cube = cluster(2, 2, 2)
    rates, _ = cube.modes()
    variance = np.sum(rates**2) / 8.0 - 1.0
    assert variance == pytest.approx(6.91, abs=0.01)
    assert cube.initial_g2() == pytest.approx(1.739, abs=1e-3)


def test_screening(grid):
    whole, half = couplings(grid(2, 2, 1)), couplings(grid(2, 2, 1), screening=0.5)
    assert half.shift == pytest.approx(0.5 * whole.shift)
    assert half.decay == pytest.approx(whole.decay)
    assert not np.any(whole.without_shifts().shift)
    with pytest.raises(OptionError, match="screening"):
        couplings(grid(2, 1, 1), screening=1.5)


def test_refusals():
    place, up = np.zeros((2, 3)), np.tile([0.0, 0.0, 1.0], (2, 1))
    with pytest.raises(InputError, match="0 and 1 are at one place"):
        couplings(Emitters(place, up, 1.0, 530.0))
    # metres in place of nm: the shift overflows every solver
    with pytest.raises(InputError, match=r"0 and 1 are 1\.25e-08 nm apart"):
        couplings(Emitters(1.25e-8 * np.diag([0.0, 0.0, 1.0])[1:], up, 1.0, 530.0))
    with pytest.raises(InputError, match="length 2"):
        Emitters(place, 2.0 * up, 1.0, 530.0)
    with pytest.raises(InputError, match="detunings"):
        Emitters(place, up, 1.0, 530.0, np.zeros(3))
    with pytest.raises(OptionError, match="refractive"):
        Emitters(place, up, 0.5, 530.0)
    with pytest.raises(OptionError, match="one place"):
        pair_couplings(np.array([0.0]), np.ones(1), np.zeros(1))


def test_sphere():
    directions, weights = sphere_directions(12)
    assert np.sum(weights) == pytest.approx(1.0)
    assert np.sum(weights * directions[:, 2] ** 6) == pytest.approx(1.0 / 7.0)
    assert np.sum(weights * directions[:, 0] ** 4 * directions[:, 1] ** 2) == pytest.approx(1.0 / 35.0)
