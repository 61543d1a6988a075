"""Reading a user's table of levels: `energy_mev,radiative_lifetime_ns[,degeneracy]`, one level a line."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

from perolux.errors import InputError, Problem
from perolux.excitons.light.rates import Levels

__all__ = ["MAX_BYTES", "MAX_LEVELS", "read_levels"]

MAX_BYTES = 10_000_000
MAX_LEVELS = 200_000
# Far beyond any exciton, and near enough that sums and exponents stay finite.
_ENERGY_LIMIT_MEV = 1e6
_LIFETIMES_NS = (1e-9, 1e18)
_MOST_STATES = 1e9
_REQUIRED = ("energy_mev", "radiative_lifetime_ns")
_KNOWN = (*_REQUIRED, "degeneracy")
_SHOWN = 20
_EXAMPLE = "the header energy_mev,radiative_lifetime_ns or energy_mev,radiative_lifetime_ns,degeneracy"


def read_levels(path: str | Path) -> Levels:
    """The levels of a CSV file with the columns energy_mev, radiative_lifetime_ns and, if wanted, degeneracy.

    energy_mev: from any common zero, any order. radiative_lifetime_ns: of each state of the level, above 0;
    empty for a dark level (`inf` is not accepted). degeneracy: number of states, above 0; empty or left out:
    1. Lines that are empty or begin with # are skipped; the order of the columns is free.

    Raises `InputError` with all problems at once (the first 20 are listed) for a file that is missing, larger
    than 10 MB or 200000 levels, no UTF-8 text, without the columns, or with cells that are no such numbers.
    """
    where = str(path)
    text = _text(Path(path), where)
    lines = [
        (number, line)
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not lines:
        raise InputError("the file holds no levels", where=where, allowed=_EXAMPLE)
    names = [name.strip().lower() for name in _cells(lines[0][1])]
    _check_header(names, f"{where}, line {lines[0][0]}")
    if len(lines) - 1 > MAX_LEVELS:
        raise InputError(f"{len(lines) - 1} levels", where=where, allowed=f"{MAX_LEVELS} or fewer")
    problems: list[Problem] = []
    rows: list[tuple[float, float, float]] = []
    for number, line in lines[1:]:
        before = len(problems)
        row = _level(names, _cells(line), f"{where}, line {number}", problems)
        if len(problems) == before and row is not None:
            rows.append(row)
    if problems:
        more = len(problems) - _SHOWN
        if more > 0:
            problems = [*problems[:_SHOWN], Problem(f"and {more} more problems", where)]
        raise InputError(problems)
    if not rows:
        raise InputError("the table has a header but no levels", where=where)
    energy, rate, degeneracy = zip(*rows, strict=True)
    return Levels.of(energy, rate, degeneracy)


def _text(path: Path, where: str) -> str:
    try:
        if not path.is_file():
            what = "this is no file" if path.exists() else "there is no such file"
            raise InputError(what, where=where, allowed="a CSV file of levels")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"could not read: {error.strerror or error}", where=where) from error
    if len(content) > MAX_BYTES:
        raise InputError("the file is too large", where=where, allowed=f"{MAX_BYTES} bytes or fewer")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError("this is no UTF-8 text", where=where, allowed="a CSV file of levels") from error
    if "\x00" in text:
        raise InputError("this is no text", where=where, allowed="a CSV file of levels")
    return text


def _cells(line: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(line)), [])
    except csv.Error:
        return [line]


def _check_header(names: list[str], where: str) -> None:
    problems = [
        Problem(f"the column {name!r} is missing", where, _EXAMPLE) for name in _REQUIRED if name not in names
    ]
    problems += [
        Problem(f"unknown column {_short(name)}", where, ", ".join(_KNOWN), "remove it, or rename it")
        for name in names
        if name not in _KNOWN
    ]
    problems += [
        Problem(f"the column {name!r} stands twice", where) for name in _KNOWN if names.count(name) > 1
    ]
    if problems:
        raise InputError(problems[:_SHOWN])


def _level(
    names: list[str], cells: list[str], where: str, problems: list[Problem]
) -> tuple[float, float, float] | None:
    """(energy, rate, degeneracy) of a line; what is wrong goes into `problems`."""
    if len(cells) != len(names):
        problems.append(Problem(f"{len(cells)} cells", where, f"{len(names)}, as in the header"))
        return None
    row = {name: cell.strip() for name, cell in zip(names, cells, strict=True)}
    energy = _number(row["energy_mev"])
    if energy is None or abs(energy) > _ENERGY_LIMIT_MEV:
        allowed = f"a number from -{_ENERGY_LIMIT_MEV:g} to {_ENERGY_LIMIT_MEV:g} meV"
        problems.append(Problem(f"energy_mev is {_short(row['energy_mev'])}", where, allowed))
    rate = 0.0
    if row["radiative_lifetime_ns"]:
        lifetime = _number(row["radiative_lifetime_ns"])
        low, high = _LIFETIMES_NS
        if lifetime is None or not low <= lifetime <= high:
            shown = _short(row["radiative_lifetime_ns"])
            problems.append(
                Problem(
                    f"radiative_lifetime_ns is {shown}",
                    where,
                    f"a number from {low:g} to {high:g}, or empty for a dark level",
                )
            )
        else:
            rate = 1.0 / lifetime
    states: float | None = 1.0
    if row.get("degeneracy"):
        states = _number(row["degeneracy"])
        if states is None or not 0 < states <= _MOST_STATES:
            problems.append(
                Problem(
                    f"degeneracy is {_short(row['degeneracy'])}",
                    where,
                    f"a number above 0 and up to {_MOST_STATES:g}, or empty for 1",
                )
            )
    return None if energy is None or states is None else (energy, rate, states)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    # float() also takes 1_000 and nan: neither is meant here
    return value if math.isfinite(value) and "_" not in text else None


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")
