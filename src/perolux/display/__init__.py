"""Display: nanocrystals as light sources for people to look at.

Open so far: colour (`colour.py`, chromaticity of a measured spectrum, spectral locus, colour on a screen) and
gamuts (`gamut.py`, standard triangles, area ratio and coverage).
"""

from perolux.display.colour import (
    SpectrumColour,
    chromaticity,
    spectral_locus,
    spectrum_colour,
    srgb_hex,
    tristimulus,
    uv_prime,
)
from perolux.display.gamut import Coverage, Gamut, coverage, gamut, gamut_names, gamut_triangle

__all__ = [
    "Coverage",
    "Gamut",
    "SpectrumColour",
    "chromaticity",
    "coverage",
    "gamut",
    "gamut_names",
    "gamut_triangle",
    "spectral_locus",
    "spectrum_colour",
    "srgb_hex",
    "tristimulus",
    "uv_prime",
]
