"""Series of a growth from a file: a table of sizes against time, or PL or absorbance with a time each.

Sizes: a CSV with the columns t_s, mean_edge_nm, sigma_nm and, if measured, cv, sigma_cv. Spectra: any table
that `perolux.measured.read` takes whose columns are called by their times, as "30 s" or "2 min". Of a recipe
in flow places count as well, x_mm in place of t_s and "30 mm" in place of "30 s": they become the mean
residence times that the flow rates and the bore give, whatever the kinetics.
"""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from perolux.errors import InputError, NotAvailableError, OptionError, Problem
from perolux.files import read_small_text
from perolux.inference.growth_data import SizeSeries, SpectralSeries, falls_back
from perolux.measured import read
from perolux.measured.pl import reduce_pl
from perolux.measured.records import Spectrum, SpectrumSet
from perolux.quantities.constants import HC_EV_NM
from perolux.quantities.units import parse_quantity
from perolux.synthesis.batch import constants_of
from perolux.synthesis.inline_spectra import Optics, optics_of, spectrometer_of
from perolux.synthesis.recipe import Recipe
from perolux.synthesis.recipe_droplet import FlowRecipe
from perolux.synthesis.tube import tube_of

__all__ = ["read_growth_series", "spectral_series"]

_LARGEST_FILE = 50_000_000
_LARGEST_EDGE_NM = 30.0
_END_SAMPLES = 16
_DARK = 1e-3
"""Share of its largest cross section below which a crystal counts as dark: where a baseline is read."""


def read_growth_series(
    path: str | Path,
    recipe: Recipe | FlowRecipe,
    *,
    parameter_set: str | None = None,
    kind: str = "pl",
    scale: str | None = None,
) -> SizeSeries | SpectralSeries:
    """The series of a file; spectra in front of the recipe's spectrometer, under one parameter set.

    kind: of spectra, "pl" or "absorbance". scale: as `SpectralSeries` has it; None: "each" of PL, "series" of
    absorbance, whose height tells how much has crystallised, up to one factor.

    Raises `InputError` with all problems of the file, `OptionError` for a set that the material lacks.
    """
    path = Path(path)
    text = read_small_text(path, _LARGEST_FILE, "a series")
    if "mean_edge_nm" in text.partition("\n")[0]:
        return _sizes(path.name, text, recipe)
    if kind not in ("pl", "absorbance"):
        raise OptionError(f"spectra of kind {kind!r}", allowed="pl, absorbance")
    spectra = read(path, kind="pl" if kind == "pl" else "absorbance")
    return spectral_series(spectra, recipe, parameter_set=parameter_set, kind=kind, scale=scale)


def _speed_mm_s(recipe: Recipe | FlowRecipe) -> float | None:
    """Mean velocity of what flows; None in a flask."""
    if not isinstance(recipe, FlowRecipe):
        return None
    return 1e3 * tube_of(recipe, constants_of(recipe)).velocity_m_s


def _sizes(name: str, text: str, recipe: Recipe | FlowRecipe) -> SizeSeries:
    rows = list(csv.DictReader(text.splitlines()))
    speed = _speed_mm_s(recipe)
    by_place = speed is not None and bool(rows) and "x_mm" in rows[0]
    needed = ("x_mm" if by_place else "t_s", "mean_edge_nm", "sigma_nm")
    missing = [column for column in needed if not rows or column not in rows[0]]
    if missing:
        first = "t_s" if speed is None else "t_s or x_mm"
        raise InputError(
            f"no column {missing[0]!r}",
            where=name,
            allowed=f"{first}, mean_edge_nm, sigma_nm[, cv, sigma_cv]",
        )
    with_cv = "cv" in rows[0]
    columns = (*needed, "cv", "sigma_cv") if with_cv else needed
    problems, table = [], []
    for line, row in enumerate(rows, 2):
        values = []
        for column in columns:
            cell = (row.get(column) or "").strip()
            try:
                values.append(float(cell) if cell else np.nan)
            except ValueError:
                problems.append(Problem(f"{column} = {cell!r} is no number", f"{name}, line {line}"))
                values.append(np.nan)
        if not np.isfinite(values[0]):
            problems.append(Problem(f"{needed[0]} is missing", f"{name}, line {line}"))
        table.append(values)
    if problems:
        raise InputError(problems)
    data = np.array(sorted(table))
    if by_place and speed is not None:
        data[:, 0] /= speed
    sigma = [np.where(np.isfinite(data[:, k]), data[:, k], 1.0) for k in (2, 4) if k < data.shape[1]]
    mean = np.where(np.isfinite(data[:, 2]), data[:, 1], np.nan)
    if not with_cv:
        return SizeSeries(data[:, 0], mean, sigma[0])
    return SizeSeries(
        data[:, 0], mean, sigma[0], np.where(np.isfinite(data[:, 4]), data[:, 3], np.nan), sigma[1]
    )


def spectral_series(
    spectra: SpectrumSet,
    recipe: Recipe | FlowRecipe,
    *,
    parameter_set: str | None = None,
    kind: str = "pl",
    scale: str | None = None,
) -> SpectralSeries:
    """Spectra as data of a fit: times (in flow also places) from their labels, noise from the ends of each.

    Of PL both ends are dark; of absorbance the red one is, below the gap, and its median is the baseline.
    Two spectra of one time, a label without a time, an axis that differs, or absorbance that does not reach
    below the gap raise `InputError`.
    """
    speed = _speed_mm_s(recipe)
    problems, timed = [], []
    for spectrum in spectra:
        time = _time_of(spectrum.label, speed)
        if time is None:
            problems.append(Problem(f"no time in {spectrum.label!r}", "spectra", _LABELS[speed is not None]))
        elif time > 0:
            timed.append((time, spectrum))
    if problems:
        raise InputError(problems)
    timed.sort(key=lambda one: one[0])
    axis = timed[0][1].wavelength_nm if timed else np.empty(0)
    if len(axis) > 1:  # the optics want even steps; recorded ones hardly differ from them
        axis = np.linspace(axis[0], axis[-1], len(axis))
    path = recipe.tube.inner_diameter if isinstance(recipe, FlowRecipe) else 1.0
    try:
        optics = optics_of(
            recipe.product,
            _LARGEST_EDGE_NM,
            replace(spectrometer_of(recipe.spectra, path), wavelength_nm=axis),
            sets=parameter_set,
        )[0]
    except OptionError as error:
        raise InputError([Problem(p.what, "spectra", p.allowed, p.fix) for p in error.problems]) from error
    if kind == "absorbance":
        return _absorbance(timed, axis, optics, scale or "series")
    pl, sigma, peaks = [], [], []
    for _, spectrum in timed:
        values = np.interp(axis, spectrum.wavelength_nm, spectrum.values)
        ends = np.concatenate([values[:_END_SAMPLES], values[-_END_SAMPLES:]])
        pl.append(values - np.median(ends))
        sigma.append(max(float(np.std(ends)), 1e-4 * float(np.max(np.abs(pl[-1])))))
        peaks.append(reduce_pl(spectrum).peak_nm)
    times = np.array([time for time, _ in timed])
    back = falls_back(list(times), peaks)
    warnings: tuple[str, ...] = ()
    if back is not None:
        warnings = (
            f"the emission falls back by {back[1]:.1f} nm to the blue at {back[0]:g} s: dissolution, or not "
            "one vessel; growth alone does not describe it",
        )
    return SpectralSeries(
        times, np.array(pl), np.array(sigma), optics, scale=scale or "each", warnings=warnings
    )


def _absorbance(
    timed: list[tuple[float, Spectrum]], axis: npt.NDArray[np.float64], optics: Optics, scale: str
) -> SpectralSeries:
    if optics.cross is None:
        raise NotAvailableError(optics.reason, where="absorbance as data of a fit")
    energy, most = optics.cross.energy_ev, optics.cross.values[-1]
    dark = float(np.interp(HC_EV_NM / axis[-_END_SAMPLES], energy, most))
    if len(axis) <= 2 * _END_SAMPLES or dark > _DARK * float(most.max()):
        raise InputError(
            f"absorbance up to {axis[-1]:g} nm shows no baseline",
            where="spectra",
            allowed=f"over {2 * _END_SAMPLES} wavelengths, the last {_END_SAMPLES} of them below the gap",
        )
    values, sigma = [], []
    for _, spectrum in timed:
        one = np.interp(axis, spectrum.wavelength_nm, spectrum.values)
        end = one[-_END_SAMPLES:]
        values.append(one - np.median(end))
        sigma.append(max(float(np.std(end)), 1e-4 * float(np.max(np.abs(values[-1])))))
    times = np.array([time for time, _ in timed])
    return SpectralSeries(times, np.array(values), np.array(sigma), optics, scale=scale, kind="absorbance")


_LABELS = {False: "labels as '30 s' or '2 min'", True: "labels as '30 mm', '5 cm' or '12 s'"}
"""How spectra are called, by whether the recipe is in flow."""


def _time_of(label: str, speed_mm_s: float | None = None) -> float | None:
    """Time (s) that a label says; with a speed also the residence time at the place that it says."""
    number = r"(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)\s*"
    if speed_mm_s is not None and (place := re.search(number + r"(mm|cm|m)\b", label)):
        return parse_quantity(f"{place[1]} {place[2]}", "mm") / speed_mm_s
    found = re.search(number + r"(ms|s|sec|min|h)\b", label)
    if found is None:
        return None
    unit = {"sec": "s"}.get(found[2], found[2])
    return parse_quantity(f"{found[1]} {unit}", "s")
