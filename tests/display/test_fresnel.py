"""Faces: Fresnel from inside, diffuse reflectance, mirrors, conservation from outside."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perolux.display.fresnel import (
    Face,
    critical_cosine,
    diffuse_internal_reflectance,
    inside_cosine,
    internal_reflectance,
    normal_reflectance,
)
from perolux.errors import OptionError


def test_normal_incidence_and_total_reflection():
    assert internal_reflectance(1.0, 1.6) == pytest.approx(normal_reflectance(1.6), rel=1e-14)
    assert internal_reflectance(critical_cosine(1.6) - 1e-9, 1.6) == 1.0
    assert internal_reflectance(0.0, 1.6) == 1.0
    assert internal_reflectance(0.3, 1.0) == pytest.approx(0.0, abs=1e-15)


def test_brewster_angle_loses_half_of_s_only():
    n = 1.5
    mu = float(np.cos(np.arctan(1.0 / n)))  # from inside
    out = np.sqrt(1.0 - n**2 * (1.0 - mu**2))
    s = ((n * mu - out) / (n * mu + out)) ** 2
    assert internal_reflectance(mu, n) == pytest.approx(s / 2.0, rel=1e-12)


@pytest.mark.parametrize("n", [1.0, 1.33, 1.5, 1.6, 2.0])
def test_diffuse_light_from_both_sides_is_reciprocal(n):
    """Brightness is conserved: n^2 (1 - r_inside) = 1 - r_outside, diffuse light."""
    u, w = np.polynomial.legendre.leggauss(200)
    mu = 0.5 * (u + 1.0)
    outside = np.sum(mu * w * internal_reflectance(inside_cosine(mu, n), n))
    assert n**2 * (1.0 - diffuse_internal_reflectance(n)) == pytest.approx(1.0 - outside, rel=1e-5)


@given(st.floats(1.0, 2.5), st.floats(0.0, 0.99), st.floats(0.0, 1.0), st.floats(0.05, 1.0))
def test_light_from_outside_is_let_in_returned_or_taken(index, mirror, absorbed, cosine):
    face = Face(1.0, mirror, absorbed)
    let_in, returned = face.seen_from_outside(np.array([500.0]), np.array([cosine]), index)
    assert 0.0 <= let_in <= 1.0
    assert let_in + returned <= 1.0 + 1e-12
    if absorbed == 0.0:
        assert let_in + returned == pytest.approx(1.0, abs=1e-12)


@given(st.floats(1.0, 2.5), st.floats(0.0, 0.99), st.floats(0.05, 1.0))
def test_a_face_is_the_same_from_both_sides(index, mirror, cosine):
    face = Face(1.0, mirror)
    let_in, _ = face.seen_from_outside(np.array([500.0]), np.array([cosine]), index)
    inside = inside_cosine(np.array([cosine]), index)
    kept = face.seen_from_inside(np.array([500.0]), inside, index)
    assert let_in[0, 0] == pytest.approx(1.0 - kept[0, 0], abs=1e-12)


def test_a_perfect_mirror_lets_nothing_in():
    let_in, returned = Face(mirror=1.0).seen_from_outside(np.array([500.0]), np.array([0.5]), 1.5)
    assert let_in == 0.0 and returned == pytest.approx(1.0)


@pytest.mark.parametrize("wrong", [{"outside_index": 0.5}, {"mirror_absorption": -0.1}, {"mirror": 2.0}])
def test_impossible_faces_are_refused(wrong):
    with pytest.raises(OptionError):
        Face(**wrong)
