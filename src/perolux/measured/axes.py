"""The axis of a recorded spectrum: its unit, its direction, and its wavelengths in nm, ascending.

The unit is what the user says, else what the header says, else what the numbers allow, and then it is
flagged. Where none decides, or where they contradict one another, an error names the option to give.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import Problem
from perolux.measured import wording
from perolux.measured.records import AXIS_UNITS, AxisUnit
from perolux.quantities.constants import HC_EV_NM

__all__ = ["MIN_POINTS", "Axis", "resolve_axis"]

FloatArray = npt.NDArray[np.float64]

MIN_POINTS = 5
"""Fewest points of a spectrum."""
SHORTEST_NM, LONGEST_NM = 100.0, 5000.0
"""The optical window that an axis must lie in, whatever its unit."""
NM_PER_CM = 1e7
IRREGULAR = 0.01
"""Relative spread of the steps from which on a grid counts as irregular."""
_SHOWN = 5
_OPTION = 'axis_unit="nm" (or "eV", "cm-1"); on the command line --axis-unit'
_DECAY_HINT = (
    "a decay or a correlation histogram is read by perolux.measured.read_decay, other tables by read_table"
)


@dataclass(frozen=True)
class Axis:
    """A checked axis: `order` sorts recorded points by ascending `wavelength_nm`."""

    wavelength_nm: FloatArray
    order: npt.NDArray[np.intp]
    unit: AxisUnit
    flags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def resolve_axis(
    recorded: FloatArray,
    lines: npt.NDArray[np.int64],
    words: str,
    said: str | None,
    where: str,
) -> tuple[Axis | None, list[Problem]]:
    """The axis of `recorded` numbers (finite, in file order), or the problems with it.

    words: header of the axis column; said: unit that the user gave; lines: line in the file of each number.
    """
    problems: list[Problem] = []
    if len(recorded) < MIN_POINTS:
        return None, [
            Problem(
                f"the spectrum has {len(recorded)} point{'s' * (len(recorded) != 1)}",
                where,
                f"at least {MIN_POINTS} points",
                "export the whole scan",
            )
        ]
    unit, flags, notes = _unit(recorded, words, said, where, problems)
    problems += _order_problems(recorded, lines, where)
    if unit is None or problems:
        return None, problems
    outside = _outside(recorded, lines, unit, words, said, where)
    if outside is not None:
        return None, [outside]
    descending = bool(recorded[0] > recorded[-1])
    if descending:
        flags.append("descending-axis")
    steps = np.abs(np.diff(recorded))
    if np.ptp(steps) > IRREGULAR * np.median(steps):
        flags.append("irregular-grid")
    wavelength = to_nm(recorded, unit)
    order = np.arange(len(recorded), dtype=np.intp)
    if wavelength[0] > wavelength[-1]:
        order = order[::-1]
    wavelength = np.ascontiguousarray(wavelength[order])
    if not np.all(np.diff(wavelength) > 0):
        return None, [
            Problem(
                "neighbouring axis values differ by less than can be told apart", where, None, "thin it out"
            )
        ]
    return Axis(wavelength, order, unit, tuple(flags), tuple(notes)), []


def to_nm(recorded: FloatArray, unit: AxisUnit) -> FloatArray:
    """Wavelength in nm of axis values in nm, eV (hc/E) or cm-1 (1e7/wavenumber)."""
    if unit == "nm":
        return recorded
    return (HC_EV_NM if unit == "eV" else NM_PER_CM) / recorded


def window(unit: AxisUnit) -> tuple[float, float]:
    """Smallest and largest axis value in `unit` within the optical window of 100 to 5000 nm."""
    if unit == "nm":
        return SHORTEST_NM, LONGEST_NM
    scale = HC_EV_NM if unit == "eV" else NM_PER_CM
    return scale / LONGEST_NM, scale / SHORTEST_NM


def _unit(
    recorded: FloatArray, words: str, said: str | None, where: str, problems: list[Problem]
) -> tuple[AxisUnit | None, list[str], list[str]]:
    """Unit, flags and notes; a problem is added where it cannot be decided."""
    shown = wording.plain(words, 60)
    try:
        written = wording.axis_unit_in(words)
    except ValueError as error:
        if said is None:
            problems.append(
                Problem(f"the header {shown!r} names two units, {error}", where, "one unit", f"say {_OPTION}")
            )
            return None, [], []
        written = None
    if said is not None:
        unit = next(unit for unit in AXIS_UNITS if unit == said)
        notes = []
        if written not in (None, unit):
            notes.append(f"The header says {shown!r}; the axis was read in {unit}, as asked.")
        return unit, [], notes
    foreign = wording.foreign_axis_in(words)
    if foreign is not None:
        problems.append(
            Problem(
                f"the axis {shown!r} is no optical axis ({foreign})",
                where,
                "wavelength in nm, energy in eV or wavenumber in cm-1",
                _DECAY_HINT if foreign == "time" else f"convert the axis column, or say {_OPTION}",
            )
        )
        return None, [], []
    if written is not None:
        return written, [], []
    inferred = _inferred(recorded, words)
    if inferred is None:
        problems.append(
            Problem(
                f"the unit of the axis cannot be decided: it runs from {recorded.min():.6g} to "
                f"{recorded.max():.6g}" + (f" and is called {shown!r}" if shown else " and has no name"),
                where,
                "wavelength in nm, energy in eV or wavenumber in cm-1",
                f"say {_OPTION}; {_DECAY_HINT}",
            )
        )
        return None, [], []
    return inferred, ["unit-inferred"], [f"The axis unit {inferred} was inferred from the numbers."]


def _inferred(recorded: FloatArray, words: str) -> AxisUnit | None:
    """The only unit in which these numbers make an optical spectrum, or None.

    Wavelengths in micrometres (0.3 to 1.2) overlap with energies in eV, so eV needs at least 1.2; wavenumbers
    in cm-1 overlap with wavelengths in nm below 5000.
    """
    low, high = float(recorded.min()), float(recorded.max())
    named_wavelength = "wavelength" in words.lower().replace(" ", "").replace("-", "")
    if low >= 150.0 and high <= 2600.0:
        return "nm"
    if named_wavelength:
        return None
    if low >= 1.2 and high <= window("eV")[1]:
        return "eV"
    if low > LONGEST_NM and high <= window("cm-1")[1]:
        return "cm-1"
    return None


def _allowed(unit: AxisUnit) -> str:
    low, high = window(unit)
    return f"{low:.4g} to {high:.4g} {unit}" + (" (100 to 5000 nm)" if unit != "nm" else "")


def _outside(
    recorded: FloatArray,
    lines: npt.NDArray[np.int64],
    unit: AxisUnit,
    words: str,
    said: str | None,
    where: str,
) -> Problem | None:
    low, high = window(unit)
    bad = (recorded < low) | (recorded > high)
    if not bad.any():
        return None
    if said is not None:
        source = f"the call says {unit}"
    elif wording.plain(words):
        source = f"the header says {wording.plain(words, 60)!r}"
    else:
        source = f"the unit was inferred as {unit}"
    span = f"the axis runs from {recorded.min():.6g} to {recorded.max():.6g}"
    if bad.all():
        other = _inferred(recorded, "")
        return Problem(
            f"a spectrum in the wrong unit: {source} but {span}",
            where,
            _allowed(unit),
            (f'if these are {other}, say axis_unit="{other}"' if other else f"say {_OPTION}")
            + "; or correct the header",
        )
    first = int(np.flatnonzero(bad)[0])
    return Problem(
        f"{int(bad.sum())} axis value{'s lie' if bad.sum() > 1 else ' lies'} outside the optical range: "
        f"{recorded[first]:.6g} {unit} in line {lines[first]} ({source}; {span})",
        where,
        _allowed(unit),
        "remove these rows, or give a header to a row of numbers above the data; " + _DECAY_HINT,
    )


def _order_problems(recorded: FloatArray, lines: npt.NDArray[np.int64], where: str) -> list[Problem]:
    """Repeated axis values and changes of direction, with their lines."""
    with np.errstate(over="ignore"):
        steps = np.diff(recorded)
    if (steps > 0).all() or (steps < 0).all():
        return []
    problems: list[Problem] = []
    sequence = np.argsort(recorded, kind="stable")
    ordered = recorded[sequence]
    same = np.flatnonzero(ordered[1:] == ordered[:-1])
    if len(same):
        shown = "; ".join(
            f"{ordered[at]:.6g} in lines {lines[sequence[at]]} and {lines[sequence[at + 1]]}"
            for at in same[:_SHOWN]
        )
        more = f"; and {len(same) - _SHOWN} more" if len(same) > _SHOWN else ""
        problems.append(
            Problem(
                f"{len(same)} axis value{'s' * (len(same) > 1)} more than once: {shown}{more}",
                where,
                "each axis value once",
                "remove the repeated rows, or export the axis with more digits",
            )
        )
    sign = 1.0 if np.count_nonzero(steps > 0) >= np.count_nonzero(steps < 0) else -1.0
    turns = np.flatnonzero(sign * steps < 0)
    if len(turns):
        shown = "; ".join(
            f"line {lines[at + 1]}: {recorded[at + 1]:.6g} after {recorded[at]:.6g}" for at in turns[:_SHOWN]
        )
        more = f"; and {len(turns) - _SHOWN} more" if len(turns) > _SHOWN else ""
        problems.append(
            Problem(
                f"the axis does not run in one direction ({shown}{more})",
                where,
                "an axis that only rises or only falls",
                "sort the rows, or split several scans into several files",
            )
        )
    return problems
