"""Text exports of Ocean Optics / Ocean Insight programs (SpectraSuite, OceanView, OOIBase32, Jaz).

Lines "key: value", then ">>>>>Begin Spectral Data<<<<<" (or "Begin Processed Spectral Data"), then wavelength
in nm and intensity, tab separated, in the decimal sign of the computer; sometimes an end mark. Jaz files name
four columns W, D, S, P (wavelength, dark, sample, processed). Written from documentation and public examples
of the header; no file of ours has come from such an instrument.
"""

from __future__ import annotations

import re
from dataclasses import replace

from perolux.errors import InputError
from perolux.measured.columns import Column, recorded_columns
from perolux.measured.headers import head_facts
from perolux.measured.sniff import Options
from perolux.measured.text_tables import NumberTable, tabulate

__all__ = ["NAME", "instrument_of", "is_ocean_optics", "read_ocean_optics"]

NAME = "ocean-optics"
_BEGIN = re.compile(r">>>>>\s{0,3}Begin\b[^<\n]{0,60}<<<<<", re.IGNORECASE)
_END = re.compile(r">>>>>\s{0,3}End\b[^<\n]{0,60}<<<<<", re.IGNORECASE)
_HEAD_LINES = 400
_JAZ = ("W", "D", "S", "P")


def is_ocean_optics(lines: list[str]) -> bool:
    """True where the mark that begins the data stands in one of the first lines."""
    return any(_BEGIN.search(line[:200]) for line in lines[:_HEAD_LINES])


def read_ocean_optics(
    lines: list[str], options: Options, where: str, stem: str, notes: list[str], flags: list[str]
) -> tuple[list[Column], NumberTable, tuple[tuple[str, str], ...]]:
    """Columns, table and header facts of an Ocean Optics text export.

    Raises `InputError` where no table of numbers follows the mark.
    """
    begin = next(position for position, line in enumerate(lines) if _BEGIN.search(line[:200]))
    end = next(
        (position for position in range(begin + 1, len(lines)) if _END.search(lines[position][:200])),
        len(lines),
    )
    facts = head_facts(tuple(lines[:begin]))
    table = tabulate(lines[begin + 1 : end], options, where, first_line=begin + 2)
    mode = dict(facts).get("XAxis mode", "Wavelengths")
    if not mode.lower().startswith("wavelength"):
        raise InputError(
            f"the header says that the axis is {mode!r}",
            where=where,
            allowed="XAxis mode: Wavelengths",
            fix="set the axis to wavelengths in the instrument's program and export again",
        )
    if table.names is not None and tuple(name.strip() for name in table.names[:4]) == _JAZ:
        notes.append("Of the four Jaz columns W, D, S, P the processed one (P) was taken.")
        flags.append("columns-left-out")
        columns = [
            Column(
                table.numbers[:, 0], table.numbers[:, 3], table.lines, stem, "Wavelength (nm)", "processed"
            )
        ]
    else:
        columns = recorded_columns(table, stem, notes, flags)
    return [_with_axis(column) for column in columns], table, facts


def instrument_of(facts: tuple[tuple[str, str], ...]) -> str:
    """Name of the spectrometer in the header facts, or "unknown"."""
    for key, value in facts:
        if key.lower() in ("spectrometer", "spectrometers", "instrument", "instrument name", "model"):
            return value
    return "unknown"


def _with_axis(column: Column) -> Column:
    """The format has its axis in nm; a header of its own, where there is one, goes first."""
    return column if column.axis_words else replace(column, axis_words="Wavelength (nm)")
