"""From recorded columns to checked spectra: axis, kind, value unit, missing points, flags and notes.

All problems of a file are gathered and raised together. A column that cannot be used is left out with a note
as long as another one of the file can.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from perolux.errors import InputError, OptionError, Problem
from perolux.measured import wording
from perolux.measured.axes import MIN_POINTS, Axis, resolve_axis
from perolux.measured.columns import Column
from perolux.measured.flags import with_flags
from perolux.measured.records import KINDS, FileSource, Kind, Spectrum, SpectrumSet
from perolux.measured.sniff import Options

__all__ = ["Evidence", "assemble"]

_CERTAINLY_NO_ABSORBANCE = 10.0
"""Decadic absorbances above this are not measured: such values are counts, whatever the file says."""
_SHOWN = 5


@dataclass(frozen=True)
class Evidence:
    """What a reader knows about all columns of a file.

    prose: words of the file that may say the kind; facts: header facts, as pairs of name and value.
    """

    source: FileSource
    prose: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    flags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    instrument: str = "unknown"


def assemble(columns: Sequence[Column], evidence: Evidence, options: Options) -> SpectrumSet:
    """Checked spectra of all usable columns, in file order.

    Raises `InputError` with all problems of the file, and `OptionError` where the user's kind contradicts the
    header of a column.
    """
    where = evidence.source.path
    problems = dict.fromkeys(evidence.problems)
    column_problems: list[Problem] = []
    notes = list(evidence.notes)
    general = wording.kinds_in(evidence.prose)
    axes: dict[int, Axis | None] = {}
    several_axes = len({id(column.axis) for column in columns}) > 1
    spectra: list[Spectrum] = []
    thinned: list[str] = []
    lost = 0
    if not columns and not problems:
        problems[Problem("the table holds no column of intensities", where, "axis and intensity")] = None
    for column in columns:
        place = f"{where}: {column.label}" if len(columns) > 1 else where
        unusable = wording.not_a_spectrum(column.value_words)
        if unusable is not None:
            column_problems.append(
                Problem(
                    f"the values are {unusable}, not counts or absorbance",
                    place,
                    "counts (PL, excitation) or decadic absorbance",
                    "export as absorbance, or convert: A = -log10(T)",
                )
            )
            continue
        present = np.isfinite(column.axis)
        if not present.all() and np.isfinite(column.values[~present]).any():
            line = int(column.lines[~present & np.isfinite(column.values)][0])
            column_problems.append(
                Problem(
                    f"intensities without an axis value, first in line {line}",
                    place,
                    "an axis value in each row",
                    "mend or remove these rows",
                )
            )
            continue
        if id(column.axis) not in axes:
            axes[id(column.axis)], found = resolve_axis(
                column.axis[present],
                column.lines[present],
                column.axis_words,
                options.axis_unit,
                place if several_axes else where,
            )
            if several_axes:
                column_problems += found
            else:
                problems.update(dict.fromkeys(found))
        axis = axes[id(column.axis)]
        if axis is None:
            continue
        notes += axis.notes
        kind, flags = _kind(column, general, options, place, notes)
        values = column.values[present][axis.order]
        good = np.isfinite(values)
        wavelength = axis.wavelength_nm
        missing = int(len(good) - good.sum())
        if missing:
            if good.sum() < MIN_POINTS:
                column_problems.append(
                    Problem(
                        f"the spectrum has {int(good.sum())} points with a number",
                        place,
                        f"at least {MIN_POINTS} points",
                        "export the whole scan",
                    )
                )
                continue
            flags.append("missing-points")
            thinned.append(f"{missing} of {column.label!r}")
            lost += missing
            wavelength, values = wavelength[good], values[good]
        value_unit = _value_unit(column, kind)
        flags += _value_flags(values, kind, value_unit)
        if "normalised-input" in flags and value_unit == "unknown":
            value_unit = "normalised"
        spectra.append(
            Spectrum(
                wavelength_nm=wavelength,
                values=np.ascontiguousarray(values),
                label=column.label,
                source=evidence.source,
                kind=kind,
                axis_unit=axis.unit,
                value_unit=value_unit,
                medium=_medium(column.axis_words),
                instrument=evidence.instrument,
                flags=with_flags((*evidence.flags, *axis.flags, *flags)),
                header=evidence.facts + column.facts + _time_fact(column.label),
            )
        )
    if problems or (column_problems and not spectra) or not spectra:
        raise _error([*problems, *column_problems], where)
    if thinned:
        notes.append(f"{lost} points without a number were left out: {_listed(thinned)}.")
    if column_problems:
        notes += [f"Left out: {problem.where}: {problem.what}." for problem in column_problems[:_SHOWN]]
        if len(column_problems) > _SHOWN:
            notes.append(f"{len(column_problems) - _SHOWN} more columns were left out.")
    return SpectrumSet(tuple(spectra), tuple(dict.fromkeys(notes)))


def _error(problems: list[Problem], where: str) -> InputError:
    if not problems:
        return InputError("the file holds no spectrum", where=where)
    shown = problems[: 4 * _SHOWN]
    if len(problems) > len(shown):
        shown.append(Problem(f"and {len(problems) - len(shown)} more problems of this kind", where))
    return InputError(shown)


def _kind(
    column: Column,
    general: tuple[Kind, ...],
    options: Options,
    place: str,
    notes: list[str],
) -> tuple[Kind, list[str]]:
    """Kind of a column and the flag that says where it comes from; `general` is what the prose names."""
    own = _agreed(
        wording.kinds_in(column.value_words),
        wording.kinds_in(column.axis_words, axis=True),
        wording.kinds_in(column.label) if not column.value_words else (),
    )
    if len(own) > 1:
        notes.append(
            f"The header of {column.label!r} names {' and '.join(own)}, so it does not say the kind."
        )
        own = ()
    if options.kind is not None and options.kind != "unknown":
        said = next(kind for kind in KINDS if kind == options.kind)
        if own and own[0] != said:
            raise OptionError(
                f"the header of the file says this is {own[0]}, the call says {said}",
                where=place,
                fix=f"leave the kind out, or give kind={own[0]!r}; the command is `perolux "
                + ("absorption`" if own[0] == "absorbance" else "pl`"),
            )
        if not own and general and said not in general:
            notes.append(f"The text above the data mentions {', '.join(general)}; read as {said}, as asked.")
        return said, []
    if own:
        return own[0], ["kind-from-header"]
    if len(general) == 1:
        return general[0], ["kind-from-header"]
    if len(general) > 1:
        notes.append(f"The text above the data mentions {' and '.join(general)}, so the kind stays unknown.")
    return "unknown", []


def _agreed(*groups: Iterable[Kind]) -> tuple[Kind, ...]:
    return tuple(dict.fromkeys(kind for group in groups for kind in group))


def _value_unit(column: Column, kind: Kind) -> str:
    if kind == "absorbance":
        return "absorbance"
    unit = wording.value_unit_in(column.value_words)
    return "unknown" if unit == "absorbance" else unit


_CLEARLY_NEGATIVE = 0.01
"""Depth below zero, as a fraction of the largest value, that is flagged: dark subtraction leaves less."""


def _value_flags(values: np.ndarray, kind: Kind, value_unit: str) -> list[str]:
    """Negative counts and normalised intensities; an absorbance may be both without a flag."""
    if kind == "absorbance":
        return []
    flags: list[str] = []
    largest = float(np.max(np.abs(values)))
    counts = kind in ("pl", "excitation") or largest > _CERTAINLY_NO_ABSORBANCE
    if counts and float(values.min()) < -_CLEARLY_NEGATIVE * largest:
        flags.append("negative-counts")
    if kind in ("pl", "excitation") and largest <= 1.0 and value_unit in ("unknown", "normalised"):
        flags.append("normalised-input")
    return flags


def _medium(words: str) -> Literal["air", "vacuum", "unknown"]:
    lower = words.lower()
    air, vacuum = "air" in lower.split(), "vac" in lower
    if air == vacuum:
        return "unknown"
    return "air" if air else "vacuum"


def _time_fact(label: str) -> tuple[tuple[str, str], ...]:
    """The reaction time of a label such as "90 s", so that frames can be joined on time."""
    time_s = wording.time_of_label_s(label)
    return () if time_s is None else (("time_s", f"{time_s:g}"),)


def _listed(items: list[str]) -> str:
    return ", ".join(items[:_SHOWN]) + (f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else "")
