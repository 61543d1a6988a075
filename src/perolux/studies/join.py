"""Joining spectra and recipes by sample name: every spectrum and every recipe becomes a sample, flagged."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from perolux.errors import PeroluxError, Problem
from perolux.studies.table import Cell, Table

if TYPE_CHECKING:
    from perolux.measured.records import Spectrum
    from perolux.studies.schema import SamplesBlock
    from perolux.studies.study import Study

_SAME = 1e-5
"""Largest difference, as a fraction of the span, at which two spectra count as copies."""

__all__ = ["Gathered", "RecipeVariable", "Sample", "gather", "recipe_of", "recipe_variables"]


@dataclass(frozen=True)
class RecipeVariable:
    """A column of the recipe table, or a ratio made of columns."""

    name: str
    unit: str
    numeric: bool
    derived: bool = False

    @property
    def column(self) -> str:
        """Name of the variable's column in the results, with its unit."""
        return f"recipe: {self.name} [{self.unit}]" if self.unit else f"recipe: {self.name}"


@dataclass(frozen=True)
class Sample:
    """One sample of the study: a spectrum, a recipe, or both."""

    label: str
    file: str | None
    spectrum: Spectrum | None
    recipe: dict[str, Cell] | None
    plqy: float | None
    flags: tuple[str, ...] = ()
    identical_to: tuple[str, ...] = ()


@dataclass(frozen=True)
class Gathered:
    """All samples in file order (recipes without a spectrum last), what the readers noted, what failed.

    unreadable: (file name, problems) of files that no reader could take; the other files are still done.
    """

    samples: tuple[Sample, ...]
    notes: tuple[tuple[str, str], ...]
    unreadable: tuple[tuple[str, tuple[Problem, ...]], ...]
    variables: tuple[RecipeVariable, ...]


def gather(study: Study) -> Gathered:
    """Read all spectra, join each with its recipe by exact name (blanks at the ends do not count)."""
    spectra, notes, unreadable = _spectra(study)
    twins = _identical([spectrum for _, _, spectrum in spectra])
    times = Counter(label for label, _, _ in spectra)
    seen: Counter[str] = Counter()
    rows = _rows_by_label(study)
    variables = recipe_variables(study)
    samples: list[Sample] = []
    for position, (label, file, spectrum) in enumerate(spectra):
        flags: list[str] = []
        others = tuple(spectra[other][0] for other in twins[position])
        if others:
            flags.append("identical-spectrum")
        seen[label] += 1
        shown = label
        if times[label] > 1:
            flags.append("duplicate-label")
            shown = f"{label} ({seen[label]})"
        found = rows.get(label, [])
        recipe, plqy = None, None
        if len(found) == 1:
            recipe, plqy = recipe_of(study, found[0])
        elif study.table is not None:
            flags.append("ambiguous-recipe" if found else "no-recipe")
        samples.append(Sample(shown, file, spectrum, recipe, plqy, tuple(flags), others))
    for label, found in rows.items():
        if label not in times:
            for line in found:
                recipe, plqy = recipe_of(study, line)
                samples.append(Sample(label, None, None, recipe, plqy, ("no-spectrum",)))
    notes += _near_misses(set(times), set(rows))
    return Gathered(tuple(samples), tuple(notes), tuple(unreadable), variables)


def recipe_variables(study: Study) -> tuple[RecipeVariable, ...]:
    """Recipe variables of the study: the columns named (or all but the label), then the ratios."""
    block, table = study.spec.samples, study.table
    if block is None or table is None:
        return ()
    names = block.variables
    if names is None:
        names = tuple(column for column in table.columns if column not in (block.label, block.plqy))
    plain = [RecipeVariable(name, block.units.get(name, ""), table.is_numeric(name)) for name in names]
    ratios = [RecipeVariable(ratio.name, ratio.unit, True, derived=True) for ratio in block.ratios]
    return (*plain, *ratios)


def recipe_of(study: Study, position: int) -> tuple[dict[str, Cell], float | None]:
    """Recipe of one row of the table by column name of the results, and its PLQY (fraction) or None."""
    block, table = study.spec.samples, study.table
    assert block is not None and table is not None
    recipe: dict[str, Cell] = {}
    for variable in recipe_variables(study):
        if variable.derived:
            ratio = next(ratio for ratio in block.ratios if ratio.name == variable.name)
            recipe[variable.column] = _ratio(block, table, ratio.numerator, ratio.denominator, position)
        else:
            recipe[variable.column] = _cell(block, table, variable.name, position)
    plqy = _cell(block, table, block.plqy, position) if block.plqy else None
    return recipe, plqy if isinstance(plqy, float) else None


def _cell(block: SamplesBlock, table: Table, column: str, position: int) -> Cell:
    cell = table.columns[column][position]
    return None if column in block.not_measured and cell == block.not_measured[column] else cell


def _ratio(
    block: SamplesBlock, table: Table, numerator: tuple[str, ...], denominator: tuple[str, ...], position: int
) -> float | None:
    value = 1.0
    for column in numerator:
        cell = _cell(block, table, column, position)
        if not isinstance(cell, float):
            return None
        value *= cell
    for column in denominator:
        cell = _cell(block, table, column, position)
        if not isinstance(cell, float) or cell == 0:
            return None
        value /= cell
    return value


def _rows_by_label(study: Study) -> dict[str, list[int]]:
    if study.table is None or study.spec.samples is None:
        return {}
    rows: dict[str, list[int]] = {}
    for position, label in enumerate(study.table.text[study.spec.samples.label]):
        if label:
            rows.setdefault(label, []).append(position)
    return rows


def _spectra(
    study: Study,
) -> tuple[list[tuple[str, str, Spectrum]], list[tuple[str, str]], list[tuple[str, tuple[Problem, ...]]]]:
    from perolux.measured import read

    block = study.spec.spectra
    spectra: list[tuple[str, str, Spectrum]] = []
    notes: list[tuple[str, str]] = []
    unreadable: list[tuple[str, tuple[Problem, ...]]] = []
    for path in study.spectra_files:
        shown = study.shown(path)
        try:
            found = read(path, kind=block.kind, axis_unit=block.axis_unit)
        except PeroluxError as error:
            unreadable.append((shown, error.problems))
            continue
        notes += [(shown, note) for note in found.notes]
        for spectrum in found:
            if study.spec.reduction.air_to_vacuum and spectrum.axis_unit == "nm":
                spectrum = _in_vacuum(spectrum)
            spectra.append((_label_of(spectrum, path, len(found), block.label), shown, spectrum))
    return spectra, notes, unreadable


def _in_vacuum(spectrum: Spectrum) -> Spectrum:
    from perolux.measured.air import vacuum_wavelength_nm

    converted = vacuum_wavelength_nm(spectrum.wavelength_nm)
    return replace(spectrum, wavelength_nm=converted, medium="vacuum")


def _identical(spectra: list[Spectrum]) -> list[tuple[int, ...]]:
    """For each spectrum the positions of those that are the same at every point, up to a factor and offset.

    Noise never repeats to `_SAME` of the span at all points: such spectra are copies of one measurement.
    Spectra on one grid are sorted by their mean, so that only neighbours need be compared.
    """
    by_grid: dict[bytes, list[tuple[float, int, npt.NDArray[np.float64]]]] = {}
    for position, spectrum in enumerate(spectra):
        span = float(np.ptp(spectrum.values)) if len(spectrum) else 0.0
        if span > 0 and np.isfinite(span):
            scaled = (spectrum.values - spectrum.values.min()) / span
            entry = (float(scaled.mean()), position, scaled)
            by_grid.setdefault(spectrum.wavelength_nm.tobytes(), []).append(entry)
    twins: list[set[int]] = [set() for _ in spectra]
    for entries in by_grid.values():
        entries.sort(key=lambda entry: entry[:2])
        for k, (mean, position, scaled) in enumerate(entries):
            for other_mean, other, other_scaled in entries[k + 1 :]:
                if other_mean - mean > _SAME:
                    break
                if float(np.max(np.abs(scaled - other_scaled))) <= _SAME:
                    twins[position].add(other)
                    twins[other].add(position)
    return [tuple(sorted(others)) for others in twins]


def _label_of(spectrum: Spectrum, path: Path, together: int, rule: str) -> str:
    header = spectrum.label.strip()
    if rule == "stem" or not header:
        return path.stem if together == 1 else f"{path.stem}: {header}" if header else path.stem
    return header


def _near_misses(spectra: set[str], recipes: set[str]) -> list[tuple[str, str]]:
    """Names that differ only by case, blanks, leading zeros or a file ending: probably the same sample."""
    if not recipes:
        return []

    def plain(label: str) -> str:
        return label.lower().replace(" ", "").removesuffix(".txt").removesuffix(".csv").lstrip("0")

    lonely = {plain(label): label for label in recipes - spectra}
    return [
        (
            "names",
            f"spectrum {label!r} and recipe {lonely[plain(label)]!r} differ only in writing; not joined",
        )
        for label in sorted(spectra - recipes)
        if plain(label) in lonely
    ]
