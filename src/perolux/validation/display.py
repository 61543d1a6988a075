"""Functions of the rows in `display.toml`: standard gamuts and the spectral locus."""

from __future__ import annotations

import numpy as np

from perolux.display.colour import spectral_locus, uv_prime
from perolux.display.gamut import gamut, gamut_triangle, polygon_area

__all__ = ["locus_point", "triangle_area", "white_point_uv"]


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
