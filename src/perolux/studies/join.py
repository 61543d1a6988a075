"""Joining PL, absorption and recipes by sample name: each of them becomes part of a sample, flagged."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from perolux.errors import PeroluxError, Problem
from perolux.studies.naming import Name, all_times, group_of, name_of, near_misses, pair_names
from perolux.studies.table import Cell, Table

if TYPE_CHECKING:
    from perolux.measured.records import Spectrum
    from perolux.studies.schema import AbsorptionBlock, SamplesBlock, SpectraBlock
    from perolux.studies.study import Study

_SAME = 1e-5
"""Largest difference, as a fraction of the span, at which two spectra count as copies."""

__all__ = ["Candidate", "Gathered", "RecipeVariable", "Sample", "gather", "recipe_of", "recipe_variables"]


@dataclass(frozen=True)
class RecipeVariable:
    """A column of the recipe table, a ratio of columns, or (origin "name") what the samples' names say."""

    name: str
    unit: str
    numeric: bool
    derived: bool = False
    origin: str = "recipe"

    @property
    def column(self) -> str:
        """Name of the variable's column in the results, with its unit."""
        return f"{self.origin}: {self.name} [{self.unit}]" if self.unit else f"{self.origin}: {self.name}"


@dataclass(frozen=True)
class Candidate:
    """One of several rows of the recipe table with the same name: its line in the file and what it says."""

    line: int
    recipe: dict[str, Cell]
    plqy: float | None

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return {"line": self.line, "recipe": self.recipe, "plqy": self.plqy}


@dataclass(frozen=True)
class Sample:
    """One sample of the study: a PL spectrum, an absorption spectrum, a recipe, or several of them.

    candidates: the recipes of its name where there are several, none of which is used. named: what
    the name itself says (group, time in s) by column of the results, where the names say it.
    """

    label: str
    file: str | None
    spectrum: Spectrum | None
    recipe: dict[str, Cell] | None
    plqy: float | None
    flags: tuple[str, ...] = ()
    identical_to: tuple[str, ...] = ()
    absorption: Spectrum | None = None
    absorption_file: str | None = None
    named: dict[str, Cell] | None = None
    candidates: tuple[Candidate, ...] = ()
    failure: str | None = None
    """Why the file of this sample could not be read."""


@dataclass(frozen=True)
class _Read:
    """One spectrum as read: its name, the file as shown, the record.

    header: what stands above a lone column that is called after its file, because the words are of the kind
    that name no sample ("Intensity", "S1"); None elsewhere.
    """

    name: Name
    file: str
    spectrum: Spectrum
    header: str | None = None


@dataclass(frozen=True)
class Gathered:
    """All samples in file order (then absorption without PL, then recipes alone), what readers noted, failed.

    unreadable: (file name, problems) of files that no reader could take; the other files are still done.
    """

    samples: tuple[Sample, ...]
    notes: tuple[tuple[str, str], ...]
    unreadable: tuple[tuple[str, tuple[Problem, ...]], ...]
    variables: tuple[RecipeVariable, ...]


def gather(study: Study) -> Gathered:
    """Read all spectra, join each with its recipe by exact name (blanks at the ends do not count)."""
    notes: list[tuple[str, str]] = []
    unreadable: list[tuple[str, tuple[Problem, ...]]] = []
    spectra = _spectra(study, study.spec.spectra, study.spectra_files, notes, unreadable)
    failed = tuple(unreadable)
    absorption: list[_Read] = []
    if study.spec.absorption is not None:
        absorption = _spectra(study, study.spec.absorption, study.absorption_files, notes, unreadable)
    rows = _rows_by_label(study)
    common = _shared_headers(spectra) | _shared_headers(absorption)
    spectra = _named_by_recipes(spectra, rows, common, notes)
    absorption = _named_by_recipes(absorption, rows, common, notes)
    pairing = pair_names([one.name for one in spectra], [one.name for one in absorption])
    twins = _identical([one.spectrum for one in spectra])
    times = Counter(one.name.shown for one in spectra)
    shown_names = _numbered([one.name.shown for one in spectra])
    named = _named_variables([one.name for one in (*spectra, *absorption)], study)
    samples: list[Sample] = []
    for position, one in enumerate(spectra):
        flags: list[str] = []
        label, shown = one.name.shown, shown_names[position]
        others = tuple(shown_names[other] for other in twins[position])
        if others:
            flags.append("identical-spectrum")
        if times[label] > 1:
            flags.append("duplicate-label")
        recipe, plqy, candidates, flag = _recipe_called(label, rows, study)
        flags += flag
        sample = Sample(
            shown,
            one.file,
            one.spectrum,
            recipe,
            plqy,
            tuple(flags),
            others,
            named=_named(one.name, named),
            candidates=candidates,
        )
        partner = pairing.partner[position]
        if partner is not None:
            other = absorption[partner]
            sample = replace(sample, absorption=other.spectrum, absorption_file=other.file)
        elif study.spec.absorption is not None:
            flag = ("ambiguous-absorption",) if position in pairing.contested_1 else ("no-absorption",)
            sample = replace(sample, flags=(*sample.flags, *flag))
        samples.append(sample)
    labels = {sample.label for sample in samples}
    for position, one in enumerate(absorption):
        if position in pairing.partner:
            continue
        recipe, plqy, candidates, flag = _recipe_called(one.name.shown, rows, study)
        contested = position in pairing.contested_2
        shown = _free(one.name.shown, labels)
        labels.add(shown)
        samples.append(
            Sample(
                shown,
                None,
                None,
                recipe,
                plqy,
                ("ambiguous-absorption" if contested else "no-pl", *flag),
                absorption=one.spectrum,
                absorption_file=one.file,
                named=_named(one.name, named),
                candidates=candidates,
            )
        )
    with_spectrum = {one.name.shown for one in (*spectra, *absorption)}
    for file, problems in failed:
        # The file stands for a sample of its name, so that neither the sample nor its recipe is lost.
        stem = Path(file).stem
        recipe, plqy, candidates, flag = _recipe_called(stem, rows, study)
        shown = _free(stem, labels, "unreadable")
        labels.add(shown)
        with_spectrum.add(stem)
        why = f"{file}: {'; '.join(problem.what for problem in problems)}"
        flags = ["failed", *flag]
        samples.append(
            Sample(shown, None, None, recipe, plqy, tuple(flags), candidates=candidates, failure=why)
        )
    for label, found in rows.items():
        if label not in with_spectrum:
            repeated = ("duplicate-label",) if len(found) > 1 else ()
            for number, position in enumerate(found, 1):
                shown = _free(f"{label} ({number})" if repeated else label, labels, "recipe")
                labels.add(shown)
                recipe, plqy = recipe_of(study, position)
                samples.append(Sample(shown, None, None, recipe, plqy, ("no-spectrum", *repeated)))
    for position, line in _unnamed_rows(study):
        shown = _free(f"(line {line})", labels, "recipe")
        labels.add(shown)
        recipe, plqy = recipe_of(study, position)
        samples.append(Sample(shown, None, None, recipe, plqy, ("no-spectrum",)))
    notes += near_misses(with_spectrum, set(rows), "recipe")
    lonely = {one.name.shown for k, one in enumerate(absorption) if k not in pairing.partner}
    notes += near_misses(set(times), lonely, "absorption spectrum")
    return Gathered(
        tuple(samples), tuple(notes), tuple(unreadable), (*recipe_variables(study), *named.values())
    )


def _shared_headers(spectra: list[_Read]) -> set[str]:
    """Headers of lone columns that several files share: words of an instrument, not names."""
    times = Counter(one.header for one in spectra if one.header is not None)
    return {header for header, number in times.items() if number > 1}


def _named_by_recipes(
    spectra: list[_Read], rows: dict[str, list[int]], common: set[str], notes: list[tuple[str, str]]
) -> list[_Read]:
    """Spectra called after their file take the header of their column where only that is a recipe's name.

    A header in `common` stays what it is; that it looks like a recipe's name is noted.
    """
    result = []
    for one in spectra:
        name = None if one.header is None else replace(one.name, part=one.header)
        if name is not None and name.shown in rows and one.name.shown not in rows:
            like = f"the column is headed {one.header!r}, like a recipe"
            if one.header in common:
                notes.append((one.file, f"{like}, but so are those of other files: not joined"))
            else:
                notes.append((one.file, f"{like}: taken for that sample"))
                one = replace(one, name=name)
        result.append(one)
    return result


def _numbered(labels: list[str]) -> list[str]:
    """The labels, with a number behind each that occurs several times."""
    times, seen = Counter(labels), Counter[str]()
    numbered = []
    for label in labels:
        seen[label] += 1
        numbered.append(f"{label} ({seen[label]})" if times[label] > 1 else label)
    return numbered


def _recipe_called(
    label: str, rows: dict[str, list[int]], study: Study
) -> tuple[dict[str, Cell] | None, float | None, tuple[Candidate, ...], tuple[str, ...]]:
    """Recipe and PLQY of the one row of that name; else all rows of that name, and the flag that says why."""
    found = rows.get(label, [])
    if len(found) == 1:
        return *recipe_of(study, found[0]), (), ()
    if study.table is None:
        return None, None, (), ()
    lines = study.table.lines
    candidates = tuple(Candidate(lines[position], *recipe_of(study, position)) for position in found)
    return None, None, candidates, ("ambiguous-recipe" if found else "no-recipe",)


def _named_variables(names: list[Name], study: Study) -> dict[str, RecipeVariable]:
    """What the names of all spectra say: the group, where the study asks for one, and a time."""
    variables = {}
    if study.spec.spectra.group is not None:
        variables["group"] = RecipeVariable("group", "", False, origin="name")
    if all_times(names):
        variables["time"] = RecipeVariable("time", "s", True, origin="name")
    return variables


def _named(name: Name, variables: dict[str, RecipeVariable]) -> dict[str, Cell] | None:
    values: dict[str, Cell] = {"group": name.group, "time": name.time[0] if name.time else None}
    return {variable.column: values[key] for key, variable in variables.items()} or None


def _free(label: str, taken: set[str], what: str = "absorption") -> str:
    """A name that no sample has yet, for what stands alone: absorption, an unreadable file, a recipe."""
    wanted, number = label, 1
    while wanted in taken:
        wanted = f"{label} ({what})" if number == 1 else f"{label} ({what} {number})"
        number += 1
    return wanted


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


def _unnamed_rows(study: Study) -> list[tuple[int, int]]:
    """Position and line of the recipes whose name is empty: they join with nothing, but are not dropped."""
    if study.table is None or study.spec.samples is None:
        return []
    labels = study.table.text[study.spec.samples.label]
    return [(i, study.table.lines[i]) for i, label in enumerate(labels) if not label]


def _spectra(
    study: Study,
    block: SpectraBlock | AbsorptionBlock,
    files: tuple[Path, ...],
    notes: list[tuple[str, str]],
    unreadable: list[tuple[str, tuple[Problem, ...]]],
) -> list[_Read]:
    """All spectra of one block; what the readers note and what they cannot read is added to the lists."""
    from perolux.measured import read
    from perolux.measured.columns import COLUMN_HEADER

    spectra: list[_Read] = []
    for path in files:
        shown = study.shown(path)
        try:
            found = read(path, kind=block.kind, axis_unit=block.axis_unit)
        except PeroluxError as error:
            unreadable.append((shown, tuple(_relative(problem, path, shown) for problem in error.problems)))
            continue
        notes += [(shown, note) for note in found.notes]
        for spectrum in found:
            if study.spec.reduction.air_to_vacuum and spectrum.axis_unit == "nm":
                spectrum = _in_vacuum(spectrum)
            group = group_of(path, block.group)
            name = name_of(spectrum.label, path, len(found), block.label, group)
            header = dict(spectrum.header).get(COLUMN_HEADER) if block.label == "header" else None
            spectra.append(_Read(name, shown, spectrum, header))
    return spectra


def _relative(problem: Problem, path: Path, shown: str) -> Problem:
    """The problem with the file called as the study calls it: a run folder names no path of the machine."""
    return replace(problem, where=problem.where.replace(str(path), shown)) if problem.where else problem


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
