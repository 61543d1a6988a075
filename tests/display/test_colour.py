"""Chromaticity against colour-science, the table against its source, truncation, screen colours."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

from perolux.display import chromaticity, spectral_locus, spectrum_colour, srgb_hex, tristimulus, uv_prime
from perolux.display.colour import colour_matching_functions, srgb_linear
from perolux.errors import InputError, OptionError
from perolux.measured import FLAGS, FileSource, Spectrum

NM = np.arange(380.0, 781.0)


def gaussian(centre, fwhm, nm=NM):
    return np.exp(-4 * math.log(2) * ((nm - centre) / fwhm) ** 2)


def spectrum(nm, values, kind="pl", unit="nm"):
    return Spectrum(np.array(nm), np.array(values, float), "made", FileSource("made", "", "test"), kind, unit)


@pytest.fixture(scope="module")
def colour():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of optional packages that are absent
        import colour
    return colour


@pytest.mark.slow  # importing colour-science takes 2 s
def test_every_number_of_the_table_is_that_of_colour_science(colour):
    functions = colour.MSDS_CMFS["CIE 1931 2 Degree Standard Observer"]
    nm, table = colour_matching_functions()
    assert np.array_equal(nm, functions.wavelengths)
    assert np.array_equal(table, functions.values)


@pytest.mark.slow
@pytest.mark.parametrize(("centre", "fwhm"), [(450, 20), (510, 22), (530, 40), (630, 15)])
def test_chromaticity_is_that_of_colour_science(colour, centre, fwhm):
    nm = np.arange(360.0, 831.0)  # the range of the functions: colour-science warns when it has to align
    power = gaussian(centre, fwhm, nm)
    made = colour.SpectralDistribution(dict(zip(nm, power, strict=True)))
    functions = colour.MSDS_CMFS["CIE 1931 2 Degree Standard Observer"]
    xyz = colour.sd_to_XYZ(made, functions, method="Integration")
    expected = colour.XYZ_to_xy(xyz)
    found = chromaticity(nm, power, quantity="power")
    assert found == pytest.approx(tuple(expected), abs=1e-6)  # same sums; the ends hold 1e-20
    assert uv_prime(*found) == pytest.approx(tuple(colour.xy_to_Luv_uv(expected)), abs=1e-6)


@pytest.mark.slow
def test_gamuts_are_those_of_colour_science(colour):
    from perolux.display import gamut

    for name, theirs in (("Rec.2020", "ITU-R BT.2020"), ("sRGB/Rec.709", "sRGB"), ("DCI-P3", "DCI-P3")):
        space = colour.RGB_COLOURSPACES[theirs]
        assert np.allclose(gamut(name).primaries, space.primaries, atol=1e-12)
        assert np.allclose(gamut(name).white, space.whitepoint, atol=5e-5)  # the record keeps four digits


@pytest.mark.slow
def test_transfer_function_is_that_of_colour_science(colour):
    from perolux.display.colour import _srgb_record

    law = _srgb_record()
    for value in (0.0, 0.001, 0.0031308, 0.01, 0.5, 1.0):
        low, high = law["linear_factor"] * value, law["power_factor"] * value ** (1 / law["exponent"])
        mine = low if value <= law["linear_limit"] else high - law["power_offset"]
        assert mine == pytest.approx(float(colour.cctf_encoding(value, function="sRGB")), abs=1e-9)


def test_photons_are_turned_into_power():
    counts = gaussian(520, 60)
    power = counts / NM  # hc/lambda per photon, up to a factor
    assert chromaticity(NM, counts) == pytest.approx(chromaticity(NM, power, "power"), abs=1e-12)
    wrong = chromaticity(NM, counts, "power")
    assert abs(wrong[0] - chromaticity(NM, counts)[0]) > 1e-3  # taking counts for power is visible


def test_monochromatic_light_lies_on_the_locus():
    nm, x, y = spectral_locus(400.0, 700.0)
    for i in (50, 120, 230):
        line = gaussian(nm[i], 1.0, np.arange(390.0, 720.0, 0.05))
        found = chromaticity(np.arange(390.0, 720.0, 0.05), line, "power")
        # the curve of the locus over a 1 nm line, and a table that is linear between whole nm
        assert found == pytest.approx((x[i], y[i]), abs=2e-3)


def test_equal_energy_white():
    assert chromaticity(np.arange(360.0, 831.0), np.ones(471), "power") == pytest.approx(
        (1 / 3, 1 / 3), abs=2e-4
    )


def test_grid_does_not_matter():
    truth = chromaticity(NM, gaussian(515, 25))
    native = 400.0 + np.cumsum(np.linspace(0.2346, 0.2155, 1000))
    # between whole nm the table is linear, on whole nm it is exact: 7e-5 at the steep end of the locus
    assert chromaticity(native, gaussian(515, 25, native)) == pytest.approx(truth, abs=1e-4)
    coarse = np.arange(380.0, 781.0, 5.0)  # linear between points 5 nm apart widens a 25 nm line
    assert chromaticity(coarse, gaussian(515, 25, coarse)) == pytest.approx(truth, abs=6e-3)


def test_many_spectra_at_once():
    both = np.stack([gaussian(460, 20), gaussian(530, 20)])
    x, y = chromaticity(NM, both)
    assert (x[1], y[1]) == pytest.approx(chromaticity(NM, both[1]), abs=1e-12)
    assert tristimulus(NM, both).shape == (2, 3)


def test_bad_input():
    with pytest.raises(InputError, match="no visible light"):
        chromaticity(NM, np.zeros(len(NM)))
    with pytest.raises(OptionError, match="ascending"):
        chromaticity(NM[::-1], gaussian(500, 20))
    with pytest.raises(OptionError, match="photons, power"):
        chromaticity(NM, gaussian(500, 20), "counts")
    with pytest.raises(InputError, match="not finite"):
        chromaticity(NM, np.full(len(NM), np.nan))
    with pytest.raises(OptionError, match="360 to 830"):
        spectral_locus(300.0, 700.0)
    with pytest.raises(OptionError, match="absorbance"):
        spectrum_colour(spectrum(NM, gaussian(500, 20), "absorbance"))


def test_spectrum_colour_and_truncation():
    short = np.arange(400.0, 601.0)
    whole = spectrum_colour(spectrum(short, 100.0 + 1e5 * gaussian(510, 22, short)), 100.0)
    assert whole.flags == ()
    assert whole.xy == pytest.approx(chromaticity(NM, gaussian(510, 22)), abs=1e-6)
    cut = spectrum_colour(spectrum(short, 1e5 * gaussian(590, 22, short)))
    assert cut.flags == ("colour-truncated",)
    assert set(cut.flags) <= FLAGS.keys()
    dark = spectrum_colour(spectrum(short, np.zeros(len(short))))
    assert dark.xy is None
    assert "no visible light" in dark.reason


def test_a_spectrum_per_ev_has_the_colour_of_the_same_light_per_nm():
    per_nm = gaussian(520, 40)
    by_nm = spectrum_colour(spectrum(NM, per_nm))
    by_ev = spectrum_colour(spectrum(NM, per_nm * NM**2, unit="eV"))
    assert by_ev.xy == pytest.approx(by_nm.xy, abs=1e-12)


def test_screen_colours():
    assert srgb_hex(*(0.64, 0.33)) == "#ff0000"
    assert srgb_hex(0.30, 0.60) == "#00ff00"
    assert srgb_hex(0.15, 0.06) == "#0000ff"
    green = spectrum_colour(spectrum(NM, gaussian(515, 20)))
    assert not green.on_screen
    assert np.min(srgb_linear(*green.xy)) < 0
    red, middle, blue = (int(green.hex[i : i + 2], 16) for i in (1, 3, 5))
    assert middle == 255
    assert max(red, blue) < 200
    with pytest.raises(OptionError, match="above 0"):
        srgb_linear(0.3, 0.0)
