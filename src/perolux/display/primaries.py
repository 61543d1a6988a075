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

__all__ = [
    "SPACES",
    "STANDARDS",
    "GamutOfPrimaries",
    "Spread",
    "gamut_of_primaries",
    "gamut_of_spectra",
    "moved",
    "width_nm",
]

FloatArray = npt.NDArray[np.float64]
STANDARDS = {"rec2020": "Rec.2020", "dci-p3": "DCI-P3", "ntsc": "NTSC1953", "rec709": "sRGB/Rec.709"}
"""Short names of the standards in results, and their names on record."""
SPACES: dict[str, Space] = {"xy": "xy", "upvp": "u'v'"}
_COLOURS = ("red", "green", "blue")
_LARGEST_SIGMA = 20.0


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
    """Three primaries judged.

    names and power (3, 401): of red, green, blue. xy: their colours. gamuts: by standard and space. white:
    None with a warning where it lies outside. rests_on: the emitters that are recalled or assumed, with
    their sources. spread: what the spread of peaks and widths makes of it. filtered: the panel, where there
    are filters.
    """

    names: tuple[str, ...]
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
            "emitters": dict(zip(_COLOURS, self.names, strict=True)),
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
    if (
        not 0.0
        <= min(sigma_center_nm, sigma_fwhm_nm)
        <= max(sigma_center_nm, sigma_fwhm_nm)
        <= _LARGEST_SIGMA
    ):
        raise OptionError(
            f"standard deviations of {sigma_center_nm:g} and {sigma_fwhm_nm:g} nm",
            where="sigma",
            allowed=f"0 to {_LARGEST_SIGMA:g} nm: their effect is taken to first order",
        )
    filtered = None if filters is None else behind_filters(emitters, filters, white_xy)
    found = gamut_of_spectra(
        np.stack([one.power for one in emitters]) if filtered is None else filtered.primaries,
        _variants(emitters, filters, white_xy, sigma_center_nm, sigma_fwhm_nm),
        white_xy,
        sigmas=(sigma_center_nm, sigma_fwhm_nm),
        names=tuple(one.name for one in emitters),
    )
    warnings = [text for one in emitters for text in one.warnings]
    order = [float(np.sum(one.power * GRID_NM)) for one in emitters]
    if not order[0] > order[1] > order[2]:
        warnings.append("the emitters are not in the order red, green, blue by their mean wavelength")
    parts = (*emitters, *(() if filters is None else (filters,)))
    return replace(
        found,
        warnings=(*warnings, *found.warnings),
        rests_on=tuple(
            f"{one.name}: {one.kind}; {one.source}" for one in parts if one.kind in ("recalled", "assumed")
        ),
        filtered=filtered,
    )


def gamut_of_spectra(
    power: FloatArray,
    variants: Sequence[tuple[FloatArray, FloatArray]] = (),
    white_xy: tuple[float, float] = D65,
    *,
    sigmas: tuple[float, float] = (0.0, 0.0),
    names: tuple[str, ...] = _COLOURS,
) -> GamutOfPrimaries:
    """Judge three spectra, in the order red, green, blue: (3, 401), power per nm on `GRID_NM`.

    variants: the same spectra with one of their causes moved up and down by its standard deviation; sigmas:
    those of peaks and widths, as they are told.
    """
    unit = power / np.sum(power, axis=1, keepdims=True)
    corners = _corners(unit)
    white = white_of(unit, white_xy)
    warnings = []
    if white is None:
        warnings.append(
            f"the white ({white_xy[0]:g}, {white_xy[1]:g}) lies outside the triangle of the primaries: "
            "no split of power makes it"
        )
    return GamutOfPrimaries(
        names,
        unit,
        tuple((float(a), float(b)) for a, b in corners),
        _gamuts(corners),
        white,
        white_xy,
        tuple(warnings),
        (),
        _spread(variants, sigmas),
    )


def _corners(power: FloatArray) -> FloatArray:
    x, y = chromaticity(GRID_NM, power, "power")
    return np.stack([x, y], axis=1)


def _gamuts(corners: FloatArray) -> dict[str, dict[str, Coverage]]:
    return {
        name: {space: coverage(corners, standard, of) for space, of in SPACES.items()}
        for name, standard in STANDARDS.items()
    }


def _variants(
    emitters: Sequence[Emitter],
    filters: FilterSet | None,
    white_xy: tuple[float, float],
    center_nm: float,
    fwhm_nm: float,
) -> list[tuple[FloatArray, FloatArray]]:
    """The primaries with peak and width of each emitter moved up and down by its standard deviation."""
    pairs = []
    for i, one in enumerate(emitters):
        for shift, wider in ((center_nm, 0.0), (0.0, fwhm_nm)):
            if shift == wider == 0.0:
                continue
            ends = []
            for sign in (1.0, -1.0):
                changed = list(emitters)
                changed[i] = replace(one, power=moved(one.power, sign * shift, sign * wider))
                ends.append(
                    np.stack([each.power for each in changed])
                    if filters is None
                    else behind_filters(changed, filters, white_xy).primaries
                )
            pairs.append((ends[0], ends[1]))
    return pairs


def _spread(variants: Sequence[tuple[FloatArray, FloatArray]], sigmas: tuple[float, float]) -> Spread:
    """Central differences added in quadrature; a cause that moves all primaries moves them together."""
    covariance = np.zeros((3, 2, 2))
    area = {(name, space): 0.0 for name in STANDARDS for space in SPACES}
    covered = dict(area)
    for up, down in variants:
        high, low = _corners(up), _corners(down)
        steps = 0.5 * (high - low)
        covariance += steps[:, :, None] * steps[:, None, :]
        more, less = _gamuts(high), _gamuts(low)
        for name, space in area:
            above, below = more[name][space], less[name][space]
            area[name, space] += (0.5 * (above.area_ratio - below.area_ratio)) ** 2
            covered[name, space] += (0.5 * (above.coverage - below.coverage)) ** 2
    return Spread(
        *sigmas,
        covariance,
        {key: value**0.5 for key, value in area.items()},
        {key: value**0.5 for key, value in covered.items()},
    )


def width_nm(power: FloatArray) -> float:
    """FWHM of the Gaussian with the standard deviation of a spectrum on `GRID_NM`."""
    unit = power / np.sum(power)
    mean = float(np.sum(unit * GRID_NM))
    return FWHM_PER_SIGMA * float(np.sum(unit * (GRID_NM - mean) ** 2)) ** 0.5


def moved(power: FloatArray, shift_nm: float, wider_nm: float) -> FloatArray:
    """A spectrum on `GRID_NM` shifted, and stretched about its mean so that its FWHM grows by `wider_nm`.

    The FWHM is that of a Gaussian of equal standard deviation, 2 nm at least.
    """
    unit = power / np.sum(power)
    mean = float(np.sum(unit * GRID_NM))
    width = max(width_nm(power), 2.0)
    factor = max(1.0 + wider_nm / width, 0.1)
    changed = np.interp(mean + (GRID_NM - shift_nm - mean) / factor, GRID_NM, unit, 0.0, 0.0)
    return np.asarray(changed / np.sum(changed))
