"""Functions of the rows in `display.toml`: chromaticities, gamut areas and coverages."""

from __future__ import annotations

import math

import numpy as np

from perolux.display.colour import FloatArray, chromaticity, spectral_locus, uv_prime
from perolux.display.gamut import coverage, gamut, gamut_triangle, polygon_area

__all__ = ["gaussian_chromaticity", "locus_point", "triangle_area", "triple_percent", "white_point_uv"]

_AXIS_NM = np.arange(380.0, 781.0)


def triangle_area(standard: str, space: str) -> float:
    """Area of a standard gamut's triangle in CIE xy or u'v'."""
    return polygon_area(gamut_triangle(standard, "xy" if space == "xy" else "u'v'"))


def white_point_uv(standard: str, coordinate: str) -> float:
    """u' or v' of a standard's white."""
    u, v = uv_prime(*gamut(standard).white)
    return u if coordinate == "u" else v


def locus_point(wavelength_nm: float, coordinate: str) -> float:
    """CIE x or y of monochromatic light."""
    nm, x, y = spectral_locus()
    at = int(np.argmin(np.abs(nm - wavelength_nm)))
    return float(x[at] if coordinate == "x" else y[at])


def gaussian_chromaticity(center_nm: float, fwhm_nm: float, coordinate: str) -> float:
    """CIE x or y of a line that is Gaussian in wavelength, in power per nm."""
    x, y = chromaticity(_AXIS_NM, _gaussian(center_nm, fwhm_nm), quantity="power")
    return float(x if coordinate == "x" else y)


def triple_percent(red: str, green: str, blue: str, standard: str, space: str, quantity: str) -> float:
    """Area ratio or coverage, in per cent, of three Gaussian lines given as "center/fwhm" in nm."""
    corners = []
    for line in (red, green, blue):
        center, fwhm = (float(part) for part in line.split("/"))
        corners.append(chromaticity(_AXIS_NM, _gaussian(center, fwhm), quantity="power"))
    found = coverage(np.array(corners), standard, "xy" if space == "xy" else "u'v'")
    return 100.0 * (found.area_ratio if quantity == "area" else found.coverage)


def _gaussian(center_nm: float, fwhm_nm: float) -> FloatArray:
    line: FloatArray = np.exp(-4.0 * math.log(2.0) * ((_AXIS_NM - center_nm) / fwhm_nm) ** 2)
    return line
