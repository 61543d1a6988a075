"""Display: nanocrystals as light sources for people to look at.

Colour and gamuts (`colour`, `gamut`, `emitters`, `filters`, `primaries`), films of nanocrystals
(`film_optics`, `lead`), light in them (`slab` without chance, `rays` photon by photon), whole displays from
a file (`stack_file`, `stack`), ageing and LEDs. The page *The house* lists the files.
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
