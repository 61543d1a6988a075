"""Three primaries judged: chromaticities, area and coverage of every standard, white and efficacy.

Area and coverage are different numbers, and so are both in CIE xy and in u'v': all are given, always.
Uncertainty: peak and width of each primary are taken to vary independently, and their effect on colours and
coverages is added in quadrature to first order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.display.colour import chromaticity
from perolux.display.emitters import GRID_NM, Emitter
from perolux.display.filters import Filtered, FilterSet, behind_filters
from perolux.display.gamut import Coverage, Space, coverage
from perolux.display.white import D65, White, white_of
from perolux.errors import OptionError
from perolux.quantities.constants import FWHM_PER_SIGMA

__all__ = ["SPACES", "STANDARDS", "GamutOfPrimaries", "Spread", "gamut_of_primaries"]

FloatArray = npt.NDArray[np.float64]
STANDARDS = {"rec2020": "Rec.2020", "dci-p3": "DCI-P3", "ntsc": "NTSC1953", "rec709": "sRGB/Rec.709"}
"""Short names of the standards in results, and their names on record."""
SPACES: dict[str, Space] = {"xy": "xy", "upvp": "u'v'"}
_COLOURS = ("red", "green", "blue")


@dataclass(frozen=True)
class Spread:
    """What a standard deviation of peak and width makes of it: xy (3, 2, 2) covariances of the colours, and
    standard deviations of area ratios and coverages by (standard, space)."""

    center_nm: float
    fwhm_nm: float
    xy: FloatArray
    area: dict[tuple[str, str], float]
    coverage: dict[tuple[str, str], float]


@dataclass(frozen=True)
class GamutOfPrimaries:
    """xy: of red, green, blue. gamuts: by standard and space. white: None with a warning where it lies
    outside. rests_on: the emitters that are recalled or assumed, with their sources."""

    emitters: tuple[Emitter, ...]
    power: FloatArray = field(repr=False)
    xy: tuple[tuple[float, float], ...]
    gamuts: dict[str, dict[str, Coverage]]
    white: White | None
    white_xy: tuple[float, float]
    warnings: tuple[str, ...]
    rests_on: tuple[str, ...]
    spread: Spread
    filtered: Filtered | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON, as `perolux gamut --json` prints it."""
        white = self.white
        return {
            "emitters": dict(zip(_COLOURS, (one.name for one in self.emitters), strict=True)),
            "xy": {name: list(xy) for name, xy in zip(_COLOURS, self.xy, strict=True)},
            "gamuts": {
                name: {
                    space: {
                        "area_percent": 100.0 * c.area_ratio,
                        "coverage_percent": 100.0 * c.coverage,
                        "area_sigma": 100.0 * self.spread.area[name, space],
                        "coverage_sigma": 100.0 * self.spread.coverage[name, space],
                    }
                    for space, c in spaces.items()
                }
                for name, spaces in self.gamuts.items()
            },
            "xy_covariance": {n: c.tolist() for n, c in zip(_COLOURS, self.spread.xy, strict=True)},
            "sigma_center_nm": self.spread.center_nm,
            "sigma_fwhm_nm": self.spread.fwhm_nm,
            "white_xy": list(self.white_xy),
            "d65_power_fractions": None
            if white is None
            else dict(zip(_COLOURS, white.power_fractions, strict=True)),
            "ler_lm_per_w": None if white is None else white.ler_lm_per_w,
            "filters": None
            if self.filtered is None
            else {
                "name": self.filtered.filters.name,
                "backlight_power_fractions": dict(
                    zip(_COLOURS, self.filtered.backlight_fractions, strict=True)
                ),
                "throughput": self.filtered.throughput,
                "luminous_throughput": self.filtered.luminous_throughput,
            },
            "rests_on": list(self.rests_on),
            "warnings": list(self.warnings),
        }


def gamut_of_primaries(
    emitters: Sequence[Emitter],
    white_xy: tuple[float, float] = D65,
    *,
    filters: FilterSet | None = None,
    sigma_center_nm: float = 1.0,
    sigma_fwhm_nm: float = 1.0,
) -> GamutOfPrimaries:
    """Judge three emitters, in the order red, green, blue; behind filters where a set is given.

    sigma_center_nm, sigma_fwhm_nm: standard deviations of the peak and the width of each.

    >>> from perolux.display.emitters import emitter
    >>> found = gamut_of_primaries([emitter("KSF6"), emitter("G530/22"), emitter("G450/20")])
    >>> round(100 * found.gamuts["rec2020"]["xy"].coverage, 1)
    94.0
    """
    if min(sigma_center_nm, sigma_fwhm_nm) < 0.0:
        raise OptionError("a standard deviation below 0", allowed="0 nm and more")
    emitted = np.stack([one.power for one in emitters])
    filtered = None if filters is None else behind_filters(emitters, filters, white_xy)
    power = emitted if filtered is None else _unit(filtered.primaries)
    corners = _corners(power)
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
    return GamutOfPrimaries(
        tuple(emitters),
        power,
        tuple((float(a), float(b)) for a, b in corners),
        _gamuts(corners),
        white,
        white_xy,
        tuple(warnings),
        tuple(
            f"{one.name}: {one.kind}; {one.source}"
            for one in (*emitters, *(() if filters is None else (filters,)))
            if one.kind in ("recalled", "assumed")
        ),
        _spread(emitters, filters, white_xy, sigma_center_nm, sigma_fwhm_nm),
        filtered,
    )


def _corners(power: FloatArray) -> FloatArray:
    x, y = chromaticity(GRID_NM, power, "power")
    return np.stack([x, y], axis=1)


def _gamuts(corners: FloatArray) -> dict[str, dict[str, Coverage]]:
    return {
        name: {space: coverage(corners, standard, of) for space, of in SPACES.items()}
        for name, standard in STANDARDS.items()
    }


def _spread(
    emitters: Sequence[Emitter],
    filters: FilterSet | None,
    white_xy: tuple[float, float],
    center_nm: float,
    fwhm_nm: float,
) -> Spread:
    """Central differences of a shift and of a broadening of each emitter, added in quadrature."""
    covariance = np.zeros((len(emitters), 2, 2))
    area = {(name, space): 0.0 for name in STANDARDS for space in SPACES}
    covered = dict(area)
    for i, one in enumerate(emitters):
        width = _width_nm(one.power)
        for shift, stretch in ((center_nm, 0.0), (0.0, fwhm_nm / width)):
            if shift == stretch == 0.0:
                continue
            ends = []
            for sign in (1.0, -1.0):
                moved = list(emitters)
                moved[i] = replace(one, power=_moved(one.power, sign * shift, 1.0 + sign * stretch))
                power = (
                    np.stack([each.power for each in moved])
                    if filters is None
                    else behind_filters(moved, filters, white_xy).primaries
                )
                ends.append(_corners(power))
            # behind filters an emitter moves every primary: all corners take part
            steps = 0.5 * (ends[0] - ends[1])
            covariance += steps[:, :, None] * steps[:, None, :]
            high, low = _gamuts(ends[0]), _gamuts(ends[1])
            for name, space in area:
                up, down = high[name][space], low[name][space]
                area[name, space] += (0.5 * (up.area_ratio - down.area_ratio)) ** 2
                covered[name, space] += (0.5 * (up.coverage - down.coverage)) ** 2
    return Spread(
        center_nm,
        fwhm_nm,
        covariance,
        {key: value**0.5 for key, value in area.items()},
        {key: value**0.5 for key, value in covered.items()},
    )


def _unit(power: FloatArray) -> FloatArray:
    return np.asarray(power / np.sum(power, axis=1, keepdims=True))


def _width_nm(power: FloatArray) -> float:
    """Standard deviation of the spectrum as the FWHM of a Gaussian; 2 nm at least."""
    mean = np.sum(power * GRID_NM)
    return max(FWHM_PER_SIGMA * float(np.sum(power * (GRID_NM - mean) ** 2)) ** 0.5, 2.0)


def _moved(power: FloatArray, shift_nm: float, factor: float) -> FloatArray:
    """The spectrum shifted, and stretched about its mean by `factor`."""
    mean = float(np.sum(power * GRID_NM))
    moved = np.interp(mean + (GRID_NM - shift_nm - mean) / factor, GRID_NM, power, 0.0, 0.0)
    return np.asarray(moved / np.sum(moved))
