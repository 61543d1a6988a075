"""Series of a growth from a file: a table of sizes against time, or PL spectra with a time each.

Sizes: a CSV with the columns t_s, mean_edge_nm, sigma_nm and, if measured, cv, sigma_cv. Spectra: any table
that `perolux.measured.read` takes whose columns are called by their times, as "30 s" or "2 min".
"""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from perolux.errors import InputError, OptionError, Problem
from perolux.files import read_small_text
from perolux.inference.growth_data import SizeSeries, SpectralSeries, falls_back
from perolux.measured import read
from perolux.measured.pl import reduce_pl
from perolux.measured.records import SpectrumSet
from perolux.quantities.units import parse_quantity
from perolux.synthesis.inline_spectra import optics_of, spectrometer_of
from perolux.synthesis.recipe import Recipe

__all__ = ["read_growth_series", "spectral_series"]

_LARGEST_FILE = 50_000_000
_LARGEST_EDGE_NM = 30.0
_END_SAMPLES = 16


def read_growth_series(
    path: str | Path, recipe: Recipe, *, parameter_set: str | None = None
) -> SizeSeries | SpectralSeries:
    """The series of a file; spectra in front of the recipe's spectrometer, under one parameter set.

    Raises `InputError` with all problems of the file, `OptionError` for a set that the material lacks.
    """
    path = Path(path)
    text = read_small_text(path, _LARGEST_FILE, "a series")
    if "mean_edge_nm" in text.partition("\n")[0]:
        return _sizes(path.name, text)
    return spectral_series(read(path, kind="pl"), recipe, parameter_set=parameter_set)


def _sizes(name: str, text: str) -> SizeSeries:
    rows = list(csv.DictReader(text.splitlines()))
    needed = ("t_s", "mean_edge_nm", "sigma_nm")
    missing = [column for column in needed if not rows or column not in rows[0]]
    if missing:
        raise InputError(
            f"no column {missing[0]!r}", where=name, allowed="t_s, mean_edge_nm, sigma_nm[, cv, sigma_cv]"
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
            problems.append(Problem("t_s is missing", f"{name}, line {line}"))
        table.append(values)
    if problems:
        raise InputError(problems)
    data = np.array(sorted(table))
    sigma = [np.where(np.isfinite(data[:, k]), data[:, k], 1.0) for k in (2, 4) if k < data.shape[1]]
    mean = np.where(np.isfinite(data[:, 2]), data[:, 1], np.nan)
    if not with_cv:
        return SizeSeries(data[:, 0], mean, sigma[0])
    return SizeSeries(
        data[:, 0], mean, sigma[0], np.where(np.isfinite(data[:, 4]), data[:, 3], np.nan), sigma[1]
    )


def spectral_series(
    spectra: SpectrumSet, recipe: Recipe, *, parameter_set: str | None = None
) -> SpectralSeries:
    """PL spectra as data of a fit: times from their labels, noise from the ends of each.

    Two spectra of one time, a label without a time, or an axis that differs raise `InputError`.
    """
    problems, timed = [], []
    for spectrum in spectra:
        time = _time_of(spectrum.label)
        if time is None:
            problems.append(
                Problem(f"no time in {spectrum.label!r}", "spectra", "labels as '30 s' or '2 min'")
            )
        elif time > 0:
            timed.append((time, spectrum))
    if problems:
        raise InputError(problems)
    timed.sort(key=lambda one: one[0])
    axis = timed[0][1].wavelength_nm if timed else np.empty(0)
    if len(axis) > 1:  # the optics want even steps; recorded ones hardly differ from them
        axis = np.linspace(axis[0], axis[-1], len(axis))
    try:
        optics = optics_of(
            recipe.product,
            _LARGEST_EDGE_NM,
            replace(spectrometer_of(recipe.spectra), wavelength_nm=axis),
            sets=parameter_set,
        )[0]
    except OptionError as error:
        raise InputError([Problem(p.what, "spectra", p.allowed, p.fix) for p in error.problems]) from error
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
    return SpectralSeries(times, np.array(pl), np.array(sigma), optics, warnings=warnings)


def _time_of(label: str) -> float | None:
    found = re.search(r"(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)\s*(ms|s|sec|min|h)\b", label)
    if found is None:
        return None
    unit = {"sec": "s"}.get(found[2], found[2])
    return parse_quantity(f"{found[1]} {unit}", "s")
