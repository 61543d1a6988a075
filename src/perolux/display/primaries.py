"""Three primaries judged: chromaticities, area and coverage of every standard, white and efficacy.

Area and coverage are different numbers, and so are both in CIE xy and in u'v': all are given, always.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from perolux.display.colour import chromaticity
from perolux.display.emitters import GRID_NM, Emitter
from perolux.display.gamut import Coverage, Space, coverage
from perolux.display.white import D65, White, white_of

__all__ = ["SPACES", "STANDARDS", "GamutOfPrimaries", "gamut_of_primaries"]

STANDARDS = {"rec2020": "Rec.2020", "dci-p3": "DCI-P3", "ntsc": "NTSC1953", "rec709": "sRGB/Rec.709"}
"""Short names of the standards in results, and their names on record."""
SPACES: dict[str, Space] = {"xy": "xy", "upvp": "u'v'"}
_COLOURS = ("red", "green", "blue")


@dataclass(frozen=True)
class GamutOfPrimaries:
    """xy: of red, green, blue. gamuts: by standard and space. white: None with a warning where it lies
    outside. rests_on: the emitters that are recalled or assumed, with their sources."""

    emitters: tuple[Emitter, ...]
    xy: tuple[tuple[float, float], ...]
    gamuts: dict[str, dict[str, Coverage]]
    white: White | None
    white_xy: tuple[float, float]
    warnings: tuple[str, ...]
    rests_on: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON, as `perolux gamut --json` prints it."""
        white = self.white
        return {
            "emitters": dict(zip(_COLOURS, (one.name for one in self.emitters), strict=True)),
            "xy": {name: list(xy) for name, xy in zip(_COLOURS, self.xy, strict=True)},
            "gamuts": {
                name: {
                    space: {"area_percent": 100.0 * c.area_ratio, "coverage_percent": 100.0 * c.coverage}
                    for space, c in spaces.items()
                }
                for name, spaces in self.gamuts.items()
            },
            "white_xy": list(self.white_xy),
            "d65_power_fractions": None
            if white is None
            else dict(zip(_COLOURS, white.power_fractions, strict=True)),
            "ler_lm_per_w": None if white is None else white.ler_lm_per_w,
            "rests_on": list(self.rests_on),
            "warnings": list(self.warnings),
        }


def gamut_of_primaries(
    emitters: Sequence[Emitter], white_xy: tuple[float, float] = D65
) -> GamutOfPrimaries:
    """Judge three emitters, in the order red, green, blue.

    >>> from perolux.display.emitters import emitter
    >>> found = gamut_of_primaries([emitter("KSF6"), emitter("G530/22"), emitter("G450/20")])
    >>> round(100 * found.gamuts["rec2020"]["xy"].coverage, 1)
    94.0
    """
    power = np.stack([one.power for one in emitters])
    x, y = chromaticity(GRID_NM, power, "power")
    corners = np.stack([x, y], axis=1)
    warnings = [text for one in emitters for text in one.warnings]
    order = [float(np.sum(one.power * GRID_NM)) for one in emitters]
    if not order[0] > order[1] > order[2]:
        warnings.append("the emitters are not in the order red, green, blue by their mean wavelength")
    white = white_of(power, white_xy)
    if white is None:
        warnings.append(
            f"the white ({white_xy[0]:g}, {white_xy[1]:g}) lies outside the triangle of the primaries: "
            "no split of power makes it"
        )
    gamuts = {
        name: {space: coverage(corners, standard, of) for space, of in SPACES.items()}
        for name, standard in STANDARDS.items()
    }
    rests_on = tuple(
        f"{one.name}: {one.kind}; {one.source}" for one in emitters if one.kind in ("recalled", "assumed")
    )
    return GamutOfPrimaries(
        tuple(emitters),
        tuple((float(a), float(b)) for a, b in corners),
        gamuts,
        white,
        white_xy,
        tuple(warnings),
        rests_on,
    )
