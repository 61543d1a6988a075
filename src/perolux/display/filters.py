"""Colour filters of a panel, and the panel behind them: primaries, white and how much light passes.

Primary c has the spectrum S F_c, S the backlight. The powers of the three emitters of the backlight are
chosen so that the panel with all three filters open, S (F_R + F_G + F_B), has the wanted white; with each
sub-pixel a third of the area the share of light that passes is (1/3) sum_c sum(S F_c)/sum(S).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from perolux.display.colour import tristimulus
from perolux.display.emitters import GRID_NM, Emitter
from perolux.display.white import D65
from perolux.errors import InputError, NotAvailableError, OptionError

if TYPE_CHECKING:
    from perolux.measured import Spectrum, SpectrumSet

__all__ = ["FilterSet", "Filtered", "behind_filters", "filter_set", "filter_set_names"]

FloatArray = npt.NDArray[np.float64]
_COLOURS = ("red", "green", "blue")


@dataclass(frozen=True)
class FilterSet:
    """transmission (3, 401): of red, green, blue on `GRID_NM`, 0 to 1. kind and source: where it is from."""

    name: str
    transmission: FloatArray = field(repr=False)
    kind: str
    source: str


@dataclass(frozen=True)
class Filtered:
    """A panel behind filters. backlight_fractions: power of the three emitters, sum 1. backlight (401,): the
    light behind the filters, power per nm, sum 1. primaries (3, 401): what each filter passes of it.
    throughput, luminous_throughput: shares of power and of lumen that pass, sub-pixels of a third each."""

    filters: FilterSet
    backlight_fractions: tuple[float, ...]
    backlight: FloatArray = field(repr=False)
    primaries: FloatArray = field(repr=False)
    throughput: float
    luminous_throughput: float


@cache
def _records() -> Mapping[str, dict[str, Any]]:
    return tomllib.loads(files("perolux.display").joinpath("data/filters.toml").read_text("utf-8"))


def filter_set_names() -> tuple[str, ...]:
    """Names of the filter sets on record."""
    return tuple(_records())


def filter_set(text: str) -> FilterSet:
    """A filter set by the name of a record, or a table: wavelength in nm, then red, green, blue (shares).

    Raises `InputError` with the line for transmissions outside 0 to 1 and a table that does not cover 380
    to 780 nm: nothing is extrapolated.
    """
    if (record := _records().get(text)) is not None:
        shapes = np.stack([_shape(record[colour]) for colour in _COLOURS])
        return FilterSet(text, shapes, record["kind"], record["source"])
    path = Path(text)
    if not path.is_file():
        raise OptionError(
            f"no filter set or file {text!r}",
            where="filters",
            allowed=f"a table of wavelength_nm, red, green, blue, or one of {', '.join(_records())}",
            fix="check the spelling and the folder of the file",
        )
    return _read(path)


def _shape(record: Mapping[str, Any]) -> FloatArray:
    product = np.ones_like(GRID_NM)
    for edge, width in record["rising"]:
        product = product / (1.0 + np.exp(-(GRID_NM - edge) / width))
    for edge, width in record["falling"]:
        product = product / (1.0 + np.exp(-(edge - GRID_NM) / width))
    return np.asarray(record["leak"] + record["height"] * product)


def _read(path: Path) -> FilterSet:
    from perolux.measured import read

    spectra = read(path)
    if len(spectra) != 3:
        raise InputError(
            f"{len(spectra)} columns of transmission",
            where=str(path),
            allowed="three: red, green, blue beside the wavelength",
            fix="one table with the columns wavelength_nm, red, green, blue",
        )
    columns = []
    for colour, spectrum in zip(_COLOURS, _by_colour(spectra), strict=True):
        nm, values = spectrum.wavelength_nm, spectrum.values
        low, high = float(np.min(values)), float(np.max(values))
        if low < 0.0 or high > 1.0:
            fix = "divide by 100: these look like per cent" if 2.0 < high <= 100.0 and low >= 0.0 else None
            raise InputError(
                f"the {colour} filter transmits from {low:.3g} to {high:.3g}",
                where=str(path),
                allowed="shares from 0 to 1",
                fix=fix,
            )
        if nm[0] > GRID_NM[0] or nm[-1] < GRID_NM[-1]:
            raise InputError(
                f"the {colour} filter is known from {nm[0]:g} to {nm[-1]:g} nm",
                where=str(path),
                allowed="at least 380 to 780 nm; nothing is extrapolated",
                fix="add rows at the ends, where the filter is known",
            )
        columns.append(np.interp(GRID_NM, nm, values))
    found = np.stack(columns)
    middle = found @ GRID_NM / np.maximum(np.sum(found, axis=1), 1e-300)
    if not middle[0] > middle[1] > middle[2]:
        raise InputError(
            "the filters pass light in the middle at " + ", ".join(f"{nm:.0f} nm" for nm in middle),
            where=str(path),
            allowed="red, green, blue in this order, or columns of these names",
            fix="name the columns red, green, blue",
        )
    return FilterSet(path.name, found, "measured", str(path))


def _by_colour(spectra: SpectrumSet) -> list[Spectrum]:
    """The columns as red, green, blue: by their names where all three have one, else in their order."""
    named = {one.label.strip().lower(): one for one in spectra}
    if set(named) == set(_COLOURS):
        return [named[colour] for colour in _COLOURS]
    return list(spectra)


def behind_filters(
    emitters: Sequence[Emitter], filters: FilterSet, white_xy: tuple[float, float] = D65
) -> Filtered:
    """Three emitters of a backlight behind filters, mixed so that the open panel has the white.

    Raises `NotAvailableError` where no mix of them gives it.

    >>> from perolux.display.emitters import emitter
    >>> three = [emitter("KSF6"), emitter("G530/20"), emitter("G450/20")]
    >>> round(behind_filters(three, filter_set("default")).throughput, 4)
    0.2915
    """
    power = np.stack([one.power for one in emitters])
    x, y = white_xy
    all_open = np.sum(filters.transmission, axis=0)
    columns = tristimulus(GRID_NM, power * all_open, "power").T
    weights = np.linalg.solve(columns, np.array([x / y, 1.0, (1.0 - x - y) / y]))
    if np.any(weights < 0.0):
        raise NotAvailableError(
            f"no mix of {', '.join(one.name for one in emitters)} gives the white ({x:g}, {y:g}) behind "
            f"the filters {filters.name}",
            fix="another white, emitters or filters",
        )
    fractions = weights / np.sum(weights)
    backlight = fractions @ power
    passed = backlight * filters.transmission
    luminance = tristimulus(GRID_NM, np.vstack([backlight, passed]), "power")[:, 1]
    return Filtered(
        filters,
        tuple(float(w) for w in fractions),
        backlight,
        passed,
        float(np.sum(passed) / np.sum(backlight)) / len(passed),
        float(np.sum(luminance[1:]) / luminance[0]) / len(passed),
    )
