"""The passport of one nanocrystal as plain text that fits 80 columns."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from perolux.excitons.spread import aligned

if TYPE_CHECKING:
    from perolux.excitons.passport_record import Passport
    from perolux.excitons.spread import Spread

__all__ = ["passport_table", "show_passport"]

_WIDTH = 80
_SHORT = (
    ("oscillator strength", "strength"),
    ("cross section at", "cross sect."),
    ("lifetime of the bright levels", "bright lifetime"),
)
"""Names that are shortened for the sake of 80 columns."""


def show_passport(found: Passport) -> None:
    """Print the table to standard output."""
    sys.stdout.write(passport_table(found) + "\n")


def passport_table(found: Passport) -> str:
    """Every result: median, 95 % and each set; why one is missing, and the warnings, stand below.

    All numbers of a row have the same decimals. Sets that would widen the table beyond 80 columns get a table
    of their own.
    """
    sets = list(found.set_names)
    head = [["", "", "", *["set"] * len(sets)], ["", "median", "95 %", *sets]]
    rows: list[list[str]] = []
    reasons: dict[str, int] = {}
    for name, entry in found.entries().items():
        if entry.spread is None:
            reason = entry.reason or "not available"
            number = reasons.setdefault(reason, len(reasons) + 1)
            rows.append([_short(name), "–", f"note {number}", *["–"] * len(sets)])
        else:
            rows.append(_row(_short(name), entry.spread, sets))
    lines = [found.title, "", *_columns([*head, *rows])]
    if max(len(line) for line in lines[1:]) > _WIDTH:
        lines = [found.title, "", *_columns([row[:3] for row in [head[1], *rows]]), ""]
        lines += _columns([[row[0], *row[3:]] for row in [*head, *rows]])
    notes = [f"note {number}: {reason}" for reason, number in reasons.items()]
    # what is not available has its numbered note already
    notes += [f"note: {one}" for one in found.warnings if not one.startswith("not available, ")]
    below = [line for note in notes for line in textwrap.wrap(note, _WIDTH, subsequent_indent="  ")]
    return "\n".join([*lines, "", *below])


def _short(name: str) -> str:
    for long, short in _SHORT:
        name = name.replace(long, short)
    return name


def _row(name: str, spread: Spread, sets: Sequence[str]) -> list[str]:
    numbers = [spread.median, spread.low95, spread.high95, *(spread.sets[one] for one in sets)]
    (median, low, high, *each), power = aligned(numbers)
    if power:  # common to the row: it stands in its unit
        name = name.replace("(", f"(1e{power} ") if name.endswith(")") else f"{name} (1e{power})"
    return [name, median, f"{low} to {high}", *each]


def _columns(rows: list[list[str]]) -> list[str]:
    """The first column to the left, the others to the right; those of "LOW to HIGH" stand in line."""
    ends = [row[2].split(" to ") for row in rows if " to " in row[2]] if len(rows[0]) > 2 else []
    if ends:
        low, high = (max(len(pair[k]) for pair in ends) for k in (0, 1))
        for row in rows:
            if " to " in row[2]:
                one, two = row[2].split(" to ")
                row[2] = f"{one:>{low}} to {two:>{high}}"
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [f"{row[0]:<{widths[0]}}"]
        cells += [f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join(cells).rstrip())
    return lines
