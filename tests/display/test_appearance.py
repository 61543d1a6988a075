"""Lines from colours, colour temperature, volume in ICtCp."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perolux.display.appearance import _closed_volume, colour_temperature, ictcp_volume
from perolux.display.colour import chromaticity
from perolux.display.emitters import GRID_NM, gaussian_line
from perolux.display.gamut import gamut
from perolux.display.line_of_colour import line_of_colour, width_of_colour
from perolux.errors import NotAvailableError, OptionError


@given(st.floats(450.0, 640.0), st.floats(12.0, 60.0))
@settings(max_examples=15, deadline=None)
def test_a_line_comes_back_from_its_colour(center, width):
    x, y = chromaticity(GRID_NM, gaussian_line(center, width), "power")
    found = line_of_colour(x, y)
    # where lines of other widths look alike (red, on the straight locus), the colour alone must agree
    assert found.distance < 1e-5
    if 480.0 < center < 550.0:
        assert found.center_nm == pytest.approx(center, abs=0.05)
        assert found.fwhm_nm == pytest.approx(width, abs=0.1)


@pytest.mark.parametrize("xy", [(0.4, 0.1), (0.05, 0.9), (0.28, 0.08)])
def test_colours_without_a_line_are_refused(xy):
    with pytest.raises(NotAvailableError, match="no Gaussian line"):
        line_of_colour(*xy)


def test_no_colour_is_refused():
    with pytest.raises(OptionError, match="chromaticity"):
        line_of_colour(0.9, 0.9)


def test_width_of_a_known_peak():
    x, y = chromaticity(GRID_NM, gaussian_line(527.0, 19.0), "power")
    assert width_of_colour(x, y, 527.0).fwhm_nm == pytest.approx(19.0, abs=1e-3)


def test_colour_temperature_of_black_bodies_and_of_green():
    import colour

    for kelvin in (2700.0, 6500.0, 12000.0):
        sd = colour.sd_blackbody(kelvin, colour.SpectralShape(360, 830, 1))
        x, y = chromaticity(sd.wavelengths, sd.values, "power")
        found = colour_temperature(x, y)
        assert found.cct_k == pytest.approx(kelvin, rel=2e-3)
        assert found.duv == pytest.approx(0.0, abs=1e-4)
    assert colour_temperature(0.17, 0.79).reason


@pytest.mark.parametrize("xy", [(0.3127, 0.3290), (0.45, 0.41), (0.28, 0.30), (0.38, 0.36), (0.29, 0.33)])
def test_colour_temperature_against_colour_science(xy):
    import colour

    uv = np.array([4.0 * xy[0], 6.0 * xy[1]]) / (-2.0 * xy[0] + 12.0 * xy[1] + 3.0)
    cct, duv = colour.temperature.uv_to_CCT_Ohno2013(uv)
    found = colour_temperature(*xy)
    assert found.cct_k == pytest.approx(float(cct), rel=5e-4)  # the table of Ohno's method is good to 1 K
    assert found.duv == pytest.approx(float(duv), abs=2e-5)


def test_volume_of_a_cube_and_of_rec2020():
    assert _closed_volume(lambda rgb: rgb @ np.diag([1.0, 2.0, 3.0]), 5) == pytest.approx(6.0, rel=1e-12)
    standard = gamut("Rec.2020")
    same = ictcp_volume(np.array(standard.primaries), standard.white, steps=8)
    assert same.over_rec2020 == pytest.approx(1.0, rel=1e-12)
    small = ictcp_volume(np.array(gamut("sRGB/Rec.709").primaries), standard.white, steps=8)
    assert 0.3 < small.over_rec2020 < 0.7
    with pytest.raises(OptionError, match="outside the triangle"):
        ictcp_volume(np.array(gamut("sRGB/Rec.709").primaries), (0.1, 0.7), steps=4)
