"""Area ratio and coverage against the table of chapter 7.2 (Gaussian primaries, 380 to 780 nm, 1 nm)."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perolux.display import chromaticity, coverage, gamut, gamut_names, gamut_triangle
from perolux.display.gamut import clip_polygon, polygon_area
from perolux.errors import OptionError

NM = np.arange(380.0, 781.0)


def primaries(*lines):
    return np.array(
        [chromaticity(NM, np.exp(-4 * math.log(2) * ((NM - c) / w) ** 2), "power") for c, w in lines]
    )


@pytest.mark.parametrize(
    ("lines", "xy", "uv"),
    [
        (((630, 20), (525, 20), (460, 20)), (102.6, 95.3), (105.7, 96.8)),
        (((650, 35), (515, 20), (455, 14)), (105.7, 86.1), (119.4, 94.4)),
        (((630, 25), (530, 30), (450, 20)), (95.0, 91.4), (107.5, 91.5)),
        (((630, 38), (530, 38), (450, 20)), (89.1, 86.5), (100.4, 87.8)),
    ],
)
def test_rec_2020_by_gaussian_primaries(lines, xy, uv):
    corners = primaries(*lines)
    for space, (area, covered) in (("xy", xy), ("u'v'", uv)):
        found = coverage(corners, "Rec.2020", space)
        assert 100 * found.area_ratio == pytest.approx(area, abs=0.06)  # the table keeps one digit
        assert 100 * found.coverage == pytest.approx(covered, abs=0.06)


def test_a_gamut_covers_itself():
    for name in gamut_names():
        for space in ("xy", "u'v'"):
            found = coverage(gamut_triangle(name), name, space)
            assert found.area_ratio == pytest.approx(1.0, abs=1e-12)
            assert found.coverage == pytest.approx(1.0, abs=1e-12)


def test_areas_of_the_standards():
    """Areas that the table of the standards itself states."""
    assert polygon_area(gamut_triangle("Rec.2020")) == pytest.approx(0.21187, abs=1e-5)
    assert polygon_area(gamut_triangle("sRGB/Rec.709", "u'v'")) == pytest.approx(0.064892, abs=1e-6)
    assert gamut("DCI-P3").white == (0.314, 0.351)


def test_order_of_primaries_does_not_matter():
    corners = primaries((630, 20), (525, 20), (460, 20))
    assert coverage(corners[::-1]).coverage == pytest.approx(coverage(corners).coverage, abs=1e-12)


def test_polygons_that_are_apart_share_nothing():
    square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    assert len(clip_polygon(square + 5.0, square)) == 0
    assert coverage(gamut_triangle("Rec.2020") + 3.0).coverage == 0.0


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=3, max_size=3, unique=True))
def test_coverage_is_bounded_by_both_areas(corners):
    triangle = np.array(corners)
    found = coverage(triangle)
    assert -1e-9 <= found.coverage <= min(1.0, found.area_ratio) + 1e-9


def test_unknown_names():
    with pytest.raises(OptionError, match=r"Rec\.2020"):
        gamut_triangle("Rec.9999")
    with pytest.raises(OptionError, match="xy, u'v'"):
        gamut_triangle("Rec.2020", "Lab")
    with pytest.raises(OptionError, match="three or more"):
        coverage(np.zeros((2, 2)))
