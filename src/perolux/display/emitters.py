"""Emission spectra for displays: a Gaussian line, a phosphor on record, or a measured spectrum.

G530/22     a line at 530 nm, 22 nm wide (FWHM), Gaussian in wavelength
L532        light of one wavelength, a laser
KSF6        a record of `data/emitters.toml`; InP530 one with its width and a center of one's own
green.csv   a measured spectrum, any format that `perolux pl` reads; green.csv::LABEL one of several

All are power per nm on 380 to 780 nm, 1 nm apart, with sum 1: the grid of every colour here.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from perolux.display.colour import Quantity, truncated
from perolux.errors import InputError, OptionError
from perolux.quantities.value import Value

__all__ = ["GRID_NM", "Emitter", "emitter", "emitter_names", "emitter_values", "gaussian_line", "on_grid"]

FloatArray = npt.NDArray[np.float64]
GRID_NM: FloatArray = np.arange(380.0, 781.0)
GRID_NM.flags.writeable = False
_MOST_OUTSIDE = 0.01
_LINE = re.compile(r"G(?P<center>\d+(?:\.\d+)?)/(?P<fwhm>\d+(?:\.\d+)?)")
_LASER = re.compile(r"L(?P<center>\d+(?:\.\d+)?)")
_NAMED = re.compile(r"(?P<name>[A-Za-z][A-Za-z-]*?)(?P<center>\d+(?:\.\d+)?)")


@dataclass(frozen=True)
class Emitter:
    """One emission spectrum. power (401,): power per nm on `GRID_NM`, sum 1.

    kind, source: where it comes from. center_nm, fwhm_nm: of a single line, None otherwise. warnings: what a
    user should know.
    """

    name: str
    power: FloatArray = field(repr=False)
    kind: Literal["given", "read", "recalled", "assumed", "measured"]
    source: str
    center_nm: float | None = None
    fwhm_nm: float | None = None
    warnings: tuple[str, ...] = ()

    @property
    def photons(self) -> FloatArray:
        """Photons per nm, sum 1: power times wavelength."""
        photons: FloatArray = self.power * GRID_NM
        return photons / np.sum(photons)


def gaussian_line(center_nm: float, fwhm_nm: float) -> FloatArray:
    """exp(-4 ln 2 (lambda - c)^2/w^2) on `GRID_NM` with sum 1.

    Raises `OptionError` for a width that 1 nm cannot show or a center outside 380 to 780 nm.
    """
    if not GRID_NM[0] <= center_nm <= GRID_NM[-1]:
        raise OptionError(
            f"a line at {center_nm:g} nm", allowed="380 to 780 nm, the visible", fix="give the center in nm"
        )
    if not 2.0 <= fwhm_nm <= 400.0:
        raise OptionError(
            f"a line {fwhm_nm:g} nm wide",
            allowed="2 to 400 nm (full width at half maximum); L530 is light of one wavelength",
        )
    line = np.exp(-4.0 * math.log(2.0) * ((GRID_NM - center_nm) / fwhm_nm) ** 2)
    return np.asarray(line / np.sum(line))


def _one_wavelength(center_nm: float) -> FloatArray:
    """All power at one wavelength, shared between the two nearest points of the grid."""
    if not GRID_NM[0] <= center_nm <= GRID_NM[-1]:
        raise OptionError(f"light of {center_nm:g} nm", allowed="380 to 780 nm, the visible")
    return np.maximum(0.0, 1.0 - np.abs(GRID_NM - center_nm))


@cache
def _records() -> Mapping[str, dict[str, Any]]:
    return tomllib.loads(files("perolux.display").joinpath("data/emitters.toml").read_text("utf-8"))


def emitter_names() -> tuple[str, ...]:
    """Names of the emitters on record."""
    return tuple(_records())


def emitter_values() -> dict[str, Value]:
    """One number of each emitter on record, by name: the place of its highest line in nm, or the width of a
    line that is given its center by name. The note says which, and the rest of the record.

    >>> emitter_values()["KSF6"].number, emitter_values()["InP"].number
    (631.0, 38.0)
    """
    return {name: _value(name, record) for name, record in _records().items()}


def _value(name: str, record: Mapping[str, Any]) -> Value:
    width = float(record["fwhm_nm"])
    number, note = width, f"{record['what']}: FWHM; the center is written behind the name, as {name}530"
    if (lines := record.get("lines_nm")) is not None:
        heights = record["heights"]
        number = float(lines[heights.index(max(heights))])
        note = f"{record['what']}: center of a line {width:g} nm wide (FWHM)"
        if len(lines) > 1:
            parts = ", ".join(f"{nm:g} ({h:g})" for nm, h in zip(lines, heights, strict=True))
            note = (
                f"{record['what']}: highest line; all, with relative heights: {parts} nm, FWHM {width:g} nm"
            )
    return Value(number, "nm", record["kind"], record["source"], key=f"emitter.{name}", note=note)


def emitter(text: str, quantity: Quantity = "photons") -> Emitter:
    """An emitter by a line, a name or a file (see the top of this file).

    quantity: what the values of a file are per nm; a spectrometer with a detector of photons gives
    "photons", a spectroradiometer "power". Raises `OptionError` with what can be written.

    >>> emitter("G530/22").center_nm
    530.0
    >>> emitter("InP530").fwhm_nm
    38.0
    """
    if (line := _LINE.fullmatch(text)) is not None:
        center, fwhm = float(line["center"]), float(line["fwhm"])
        return Emitter(text, gaussian_line(center, fwhm), "given", "given as a Gaussian line", center, fwhm)
    if (laser := _LASER.fullmatch(text)) is not None:
        center = float(laser["center"])
        return Emitter(text, _one_wavelength(center), "given", "given as one wavelength", center, 0.0)
    records = _records()
    if text in records and "lines_nm" in records[text]:
        return _recorded(text, records[text])
    named = _NAMED.fullmatch(text)
    if named is not None and named["name"] in records:
        record, center = records[named["name"]], float(named["center"])
        line_power = gaussian_line(center, record["fwhm_nm"])
        return Emitter(text, line_power, record["kind"], record["source"], center, record["fwhm_nm"])
    path, _, label = text.partition("::")
    if text in records or not Path(path).is_file():
        what = f"{text} needs a center, as {text}530" if text in records else f"no emitter or file {text!r}"
        raise OptionError(
            what,
            where="emitter",
            allowed=f"G530/22 (center/FWHM in nm), L530, a file, or one of {', '.join(records)}",
            fix=f"write {text}530" if text in records else "check the spelling and the folder of the file",
        )
    return _measured(Path(path), label or None, quantity)


def _recorded(name: str, record: Mapping[str, Any]) -> Emitter:
    shape = np.zeros_like(GRID_NM)
    for center, height in zip(record["lines_nm"], record["heights"], strict=True):
        shape += height * np.exp(-4.0 * math.log(2.0) * ((GRID_NM - center) / record["fwhm_nm"]) ** 2)
    single = len(record["lines_nm"]) == 1
    return Emitter(
        name,
        shape / np.sum(shape),
        record["kind"],
        record["source"],
        record["lines_nm"][0] if single else None,
        record["fwhm_nm"] if single else None,
    )


def _measured(path: Path, label: str | None, quantity: Quantity) -> Emitter:
    from perolux.measured import read

    spectra = read(path, kind="pl")
    if label is None and len(spectra) > 1:
        raise OptionError(
            f"{len(spectra)} spectra in one file",
            where=str(path),
            allowed=", ".join(spectra.labels[:12]),
            fix=f"name one: {path}::{spectra.labels[0]}",
        )
    spectrum = spectra[0] if label is None else spectra[label]
    found = spectrum.pl()
    values = np.asarray(spectrum.values - found.baseline.curve, dtype=float)
    if spectrum.axis_unit != "nm":
        values = values / spectrum.wavelength_nm**2
    warnings = [f"{path.name}: {note}" for note in spectra.notes]
    if float(np.sum(values)) <= 0.0 < float(np.sum(np.maximum(spectrum.values, 0.0))):
        raise InputError(
            "nothing is left above the baseline, a line through both ends of the record",
            where=str(path),
            allowed="an emission that ends, on both sides, in the dark",
            fix="export a wider range: the record is cut off inside the emission",
        )
    power, lost = on_grid(spectrum.wavelength_nm, values, quantity, where=str(path))
    if lost > _MOST_OUTSIDE:
        warnings.append(
            f"{path.name}: {100 * lost:.2g} % of the power lies outside 380 to 780 nm and is left out"
        )
    if truncated(spectrum.wavelength_nm, values):
        warnings.append(f"{path.name}: the record is cut off inside the visible: its colour is not certain")
    return Emitter(text_of(path, label), power, "measured", str(path), warnings=tuple(warnings))


def text_of(path: Path, label: str | None) -> str:
    """How a file and a label are written as an emitter."""
    return path.name if label is None else f"{path.name}::{label}"


def on_grid(
    wavelength_nm: FloatArray, values: FloatArray, quantity: Quantity, *, where: str = "spectrum"
) -> tuple[FloatArray, float]:
    """A spectrum as power per nm on `GRID_NM`, sum 1, and the share of its power outside that range.

    wavelength_nm: ascending; values per nm: photons or power. Each point of the grid holds the integral of
    the curve times a hat of 1 nm to either side, so narrow lines of a fine record keep their power and
    their mean wavelength. Raises `InputError` for a spectrum without
    light in the visible.
    """
    x, y = np.asarray(wavelength_nm, dtype=float), np.asarray(values, dtype=float)
    if quantity == "photons":
        y = y / x  # power per nm is photons per nm times hc/lambda
    # Between two points of both grids curve and hats are straight, and Simpson's rule is exact.
    edges = np.arange(GRID_NM[0] - 1.0, GRID_NM[-1] + 2.0)
    points = np.union1d(x, edges[(edges > x[0]) & (edges < x[-1])])
    curve, width = np.interp(points, x, y), np.diff(points)
    middle = 0.5 * (points[1:] + points[:-1])
    parts = (
        (points[:-1], curve[:-1], width / 6.0),
        (middle, 0.5 * (curve[1:] + curve[:-1]), 4.0 * width / 6.0),
        (points[1:], curve[1:], width / 6.0),
    )
    power = np.zeros(len(GRID_NM) + 2)
    for at, height, weight in parts:
        place = np.clip(at - GRID_NM[0] + 1.0, 0.0, len(power) - 1.0)
        left = np.minimum(place.astype(int), len(power) - 2)
        np.add.at(power, left, height * weight * (1.0 - (place - left)))
        np.add.at(power, left + 1, height * weight * (place - left))
    bins, total = power[1:-1], float(np.sum(power))
    inside = float(np.sum(bins))
    if not inside > 0.0 or not total > 0.0:
        raise InputError(
            "no light in the visible is left",
            where=where,
            allowed="a spectrum with light between 380 and 780 nm",
            fix="is the axis named with its unit (nm or eV), and is this a spectrum of emission?",
        )
    return bins / inside, max(1.0 - inside / total, 0.0)
