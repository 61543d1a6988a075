"""Standard gamuts and what three primaries cover of them.

Area ratio and coverage are different numbers, and both differ between CIE xy and u'v'. A result is therefore
always the pair, with its space.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

import numpy as np

from perolux.display.colour import FloatArray, uv_prime
from perolux.errors import OptionError

__all__ = [
    "Coverage",
    "Gamut",
    "clip_polygon",
    "coverage",
    "gamut",
    "gamut_names",
    "gamut_triangle",
    "polygon_area",
]

Space = Literal["xy", "u'v'"]


@dataclass(frozen=True)
class Gamut:
    """A standard: primaries R, G, B and white as CIE xy, and where they are written."""

    name: str
    primaries: tuple[tuple[float, float], tuple[float, float], tuple[float, float]]
    white: tuple[float, float]
    source: str


@dataclass(frozen=True)
class Coverage:
    """area_ratio = area(P)/area(G); coverage = area(P and G)/area(G); P the primaries, G the standard."""

    standard: str
    space: Space
    area_ratio: float
    coverage: float


@cache
def _gamuts() -> dict[str, Gamut]:
    text = files("perolux.display").joinpath("data/standard_gamuts.csv").read_text("utf-8")
    found = {}
    for row in csv.DictReader(text.splitlines()):
        red, green, blue, white = ((float(row[f"x{c}"]), float(row[f"y{c}"])) for c in "RGBW")
        found[row["standard"]] = Gamut(row["standard"], (red, green, blue), white, row["source"])
    return found


def gamut_names() -> tuple[str, ...]:
    """Names of the standard gamuts on record."""
    return tuple(_gamuts())


def gamut(name: str) -> Gamut:
    """One standard gamut by name; raises `OptionError` with the known names."""
    try:
        return _gamuts()[name]
    except KeyError:
        raise OptionError(f"no gamut is called {name!r}", allowed=", ".join(_gamuts())) from None


def gamut_triangle(name: str, space: Space = "xy") -> FloatArray:
    """Corners R, G, B of a standard gamut, shape (3, 2), in CIE xy or u'v'.

    >>> gamut_triangle("Rec.2020")[1].tolist()
    [0.17, 0.797]
    """
    return _in_space(np.array(gamut(name).primaries), space)


def polygon_area(corners: FloatArray) -> float:
    """Area of a simple polygon (shoelace); corners of shape (n, 2) in either sense of rotation."""
    x, y = corners[:, 0], corners[:, 1]
    return 0.5 * abs(float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)))


def clip_polygon(subject: FloatArray, window: FloatArray) -> FloatArray:
    """Intersection of two convex polygons (Sutherland-Hodgman), shape (m, 2); m = 0 where they are apart.

    Plain on purpose: 0.1 ms a pair of triangles is three times what a compiled library takes, but a hundredth
    of what one design of a search costs.
    """
    kept = [np.asarray(point, dtype=float) for point in _counter_clockwise(subject)]
    edges = _counter_clockwise(window)
    for start, end in zip(edges, np.roll(edges, -1, axis=0), strict=True):
        side = [_left_of(start, end, point) for point in kept]
        result = []
        for i, point in enumerate(kept):
            before, was = kept[i - 1], side[i - 1]
            if (side[i] >= 0) != (was >= 0):
                result.append(before + (point - before) * (was / (was - side[i])))
            if side[i] >= 0:
                result.append(point)
        kept = result
        if not kept:
            return np.empty((0, 2))
    return np.array(kept)


def coverage(primaries_xy: FloatArray, standard: str = "Rec.2020", space: Space = "xy") -> Coverage:
    """Area ratio and coverage of a standard gamut by three (or more, convex) primaries given in CIE xy.

    primaries_xy: shape (n, 2), n >= 3. Straight lines stay straight from xy to u'v', so clipping may be done
    in either; areas are taken in `space`. Raises `OptionError` for fewer than three primaries.
    """
    corners = np.asarray(primaries_xy, dtype=float)
    if corners.ndim != 2 or corners.shape[0] < 3 or corners.shape[1] != 2:
        raise OptionError(
            f"primaries of shape {corners.shape}", allowed="three or more pairs x, y: shape (n, 2)"
        )
    shape, target = _in_space(corners, space), gamut_triangle(standard, space)
    whole = polygon_area(target)
    common = clip_polygon(shape, target)
    inside = polygon_area(common) if len(common) > 2 else 0.0
    return Coverage(standard, space, polygon_area(shape) / whole, inside / whole)


def _in_space(xy: FloatArray, space: Space) -> FloatArray:
    if space == "xy":
        return xy
    if space == "u'v'":
        return np.stack(uv_prime(xy[:, 0], xy[:, 1]), axis=1)
    raise OptionError(f"unknown colour space {space!r}", allowed="xy, u'v'")


def _left_of(start: FloatArray, end: FloatArray, point: FloatArray) -> float:
    along, towards = end - start, point - start
    return float(along[0] * towards[1] - along[1] * towards[0])


def _counter_clockwise(corners: FloatArray) -> FloatArray:
    x, y = corners[:, 0], corners[:, 1]
    turn = float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))
    return corners if turn >= 0 else corners[::-1]
