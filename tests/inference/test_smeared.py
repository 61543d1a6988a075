"""The closed form of box + box + Gaussian against quadrature, and its limits."""

import math

import numpy as np
import pytest

from perolux.inference.smeared import gaussian, smeared_box


def by_quadrature(x, low_1, high_1, low_2, high_2, sigma):
    u, w = np.polynomial.legendre.leggauss(200)
    first = (low_1 + high_1) / 2 + (high_1 - low_1) / 2 * u
    second = (low_2 + high_2) / 2 + (high_2 - low_2) / 2 * u
    return float((gaussian(x - first[:, None] - second[None, :], sigma) @ w / 2) @ w / 2)


@pytest.mark.parametrize("x", [-0.12, -0.05, 0.0, 0.013, 0.04])
@pytest.mark.parametrize("sigma", [0.002, 0.005, 0.02])
def test_closed_form_equals_quadrature(x, sigma):
    boxes = (0.0, 0.03, -0.1, 0.0)
    expected = by_quadrature(x, *boxes, sigma)
    # The table of the normal integral is linear between points 0.0025 sigma apart: error below 1e-6 of it.
    assert float(smeared_box(x, *boxes, sigma)) == pytest.approx(expected, rel=2e-4, abs=1e-6)


def test_integral_is_one_and_never_negative():
    x = np.linspace(-0.5, 0.5, 20001)
    density = smeared_box(x, 0.0, 0.03, -0.1, 0.0, 0.004)
    assert np.trapezoid(density, x) == pytest.approx(1.0, abs=1e-6)
    assert density.min() >= 0.0


@pytest.mark.parametrize("boxes", [(0.1, 0.1, 0.0, 0.0), (0.1, 0.1, -0.05, 0.05), (0.05, 0.15, 0.0, 0.0)])
def test_narrow_boxes_are_points(boxes):
    x = np.linspace(-1.0, 1.0, 20001)
    density = smeared_box(x, *boxes, 0.01)
    assert np.trapezoid(density, x) == pytest.approx(1.0, abs=1e-6)
    assert float(x @ density / density.sum()) == pytest.approx(0.1, abs=1e-9)


def test_box_without_noise_has_its_height():
    assert float(smeared_box(0.0, -1.0, 1.0, 0.0, 0.0, 1e-3)) == pytest.approx(0.5, rel=1e-6)
    assert math.isclose(float(smeared_box(1.0, -1.0, 1.0, 0.0, 0.0, 1e-3)), 0.25, rel_tol=1e-6)
