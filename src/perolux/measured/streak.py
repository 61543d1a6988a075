"""Streak images and series of decays from files: counts against time, against wavelength or fluence.

Plain tables (comma, semicolon, tab or spaces; lines that begin with # hold `name = value`):

    # fluence = 20 uJ/cm2                        a streak image: wavelengths across, times down
    time_ps\\wavelength_nm, 500.0, 500.5, ...     (or wavelength_nm\\time_ps: the other way round)
    -20.0, 3, 1, ...

    fluence (uJ/cm2), 10, 50, 250                a series of decays
    time_ps, counts, counts, counts
    -20.0, 0, 2, 1

Beside them .img files (`hamamatsu_img`), and a folder with one image, or one decay of two columns with its
`# fluence`, in each file. Times become ps, wavelengths nm (energies in eV are converted).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from perolux.errors import InputError, OptionError, Problem
from perolux.files import read_small_text, sha256_of
from perolux.measured.hamamatsu_img import read_img
from perolux.quantities.constants import HC_EV_NM

__all__ = ["TimeTable", "read_time_tables"]

FloatArray = npt.NDArray[np.float64]

_LARGEST = 200_000_000
_TIMES = {"fs": 1e-3, "ps": 1.0, "ns": 1e3, "us": 1e6, "µs": 1e6}
_SUFFIXES = (".csv", ".txt", ".dat", ".tsv", ".img")
_FIX_TIME = "write the unit into the first cell, as in time_ps\\wavelength_nm, or give --time-unit"


@dataclass(frozen=True, eq=False)
class TimeTable:
    """counts (J, T, L) at fluences (J,), rising times time_ps (T,), wavelengths_nm (L,), rising, or None.

    fluences: None where the file says nothing. notes: what the file says of itself, as "name = value".
    """

    time_ps: FloatArray
    counts: FloatArray = field(repr=False)
    fluences: FloatArray | None
    fluence_unit: str
    wavelengths_nm: FloatArray | None
    notes: tuple[str, ...]
    sha256: tuple[str, ...]


def read_time_tables(
    path: str | Path, *, time_unit: str | None = None, wavelength_unit: str | None = None
) -> TimeTable:
    """One file, or all files of a folder as one series.

    time_unit, wavelength_unit: of tables whose first cell says none. Raises `InputError`: a streak image
    without an axis of time, cells that are no numbers, files of a folder on different axes.
    """
    for unit, allowed, option in (
        (time_unit, list(_TIMES), "--time-unit"),
        (wavelength_unit, ["nm", "ev"], "--wavelength-unit"),
    ):
        if unit is not None and unit.lower() not in allowed:
            raise OptionError(f"no unit {unit!r}", where=option, allowed=", ".join(allowed))
    path = Path(path)
    if not path.is_dir():
        return _one(path, time_unit, wavelength_unit)
    files = sorted(one for one in path.iterdir() if one.suffix.lower() in _SUFFIXES)
    if not files:
        raise InputError("no table in the folder", where=str(path), allowed=", ".join(_SUFFIXES))
    return _joined([_one(one, time_unit, wavelength_unit) for one in files], files)


def _joined(tables: list[TimeTable], files: list[Path]) -> TimeTable:
    first = tables[0]
    problems = []
    for one, file in zip(tables, files, strict=True):
        same = len(one.time_ps) == len(first.time_ps) and np.allclose(one.time_ps, first.time_ps)
        if (one.wavelengths_nm is None) != (first.wavelengths_nm is None):
            same = False
        elif one.wavelengths_nm is not None and first.wavelengths_nm is not None:
            same = same and len(one.wavelengths_nm) == len(first.wavelengths_nm)
            same = same and np.allclose(one.wavelengths_nm, first.wavelengths_nm)
        if not same:
            problems.append(Problem(f"its axes are not those of {files[0].name}", file.name))
        if one.fluences is None and len(files) > 1:
            problems.append(
                Problem("it says no fluence", file.name, fix="add a line `# fluence = 20 uJ/cm2`")
            )
        if one.fluence_unit != first.fluence_unit:
            problems.append(Problem(f"fluence in {one.fluence_unit!r}", file.name, first.fluence_unit))
    if problems:
        raise InputError(problems)
    fluences = (
        None
        if first.fluences is None
        else np.concatenate([one.fluences for one in tables if one.fluences is not None])
    )
    return replace(
        first, counts=np.concatenate([one.counts for one in tables]), fluences=fluences,
        notes=tuple(dict.fromkeys(note for one in tables for note in one.notes)),
        sha256=tuple(one for table in tables for one in table.sha256),
    )  # fmt: skip


def _one(path: Path, time_unit: str | None, wavelength_unit: str | None) -> TimeTable:
    if path.suffix.lower() in (".tif", ".tiff"):
        raise InputError(
            "a TIFF file", where=path.name, allowed="a table or .img", fix="export it as a table"
        )
    if path.suffix.lower() == ".img":
        return _image_file(path)
    text = read_small_text(path, _LARGEST, "counts against time")
    notes, rows, lines = _rows(text, path.name)
    said = dict(_said(note) for note in notes)
    fluence, unit = _fluence(said.get("fluence"), path.name)
    digest = (sha256_of(path),)
    corner = rows[0][0].strip().strip('"')
    if corner.lower().startswith("fluence"):
        return _series(rows, lines, path.name, time_unit, notes, digest)
    width = len(rows[0])
    heads = _axes(corner)
    named = [name for name, _ in heads]
    if width == 2 and named[:1] != ["wavelength"] and len(named) < 2:
        scale = _time_scale(heads[0][1] if heads else "", time_unit, path.name)
        body = rows[1:] if heads or not _is_number(rows[0][0]) else rows
        table = _numbers(body, lines[len(rows) - len(body) :], 2, path.name)
        return TimeTable(
            _rising(table[:, 0] * scale, path.name),
            table[None, :, 1:],
            fluence,
            unit,
            None,
            tuple(notes),
            digest,
        )
    time, nm, counts = _image_table(rows, lines, path.name, heads, time_unit, wavelength_unit)
    return TimeTable(time, counts[None], fluence, unit, nm, tuple(notes), digest)


def _image_table(
    rows: list[list[str]], lines: list[int], where: str, heads: list[tuple[str, str]], time_unit: str | None,
    wavelength_unit: str | None,
) -> tuple[FloatArray, FloatArray, FloatArray]:  # fmt: skip
    across = _numbers([["0", *rows[0][1:]]], lines[:1], len(rows[0]), where)[0, 1:]
    table = _numbers(rows[1:], lines[1:], len(rows[0]), where)
    down, counts = table[:, 0], table[:, 1:]
    names = [name for name, _ in heads]
    units = dict(heads)
    if heads and "time" not in names:
        raise InputError("a streak image without an axis of time", where=where, fix=_FIX_TIME)
    if names[:1] == ["wavelength"]:
        down, across, counts = across, down, counts.T
    scale = _time_scale(units.get("time", ""), time_unit, where)
    unit = (units.get("wavelength") or wavelength_unit or "").lower()
    if unit not in ("nm", "ev"):
        raise InputError(
            "a streak image without a unit of its wavelengths", where=where, allowed="nm, eV",
            fix="write it into the first cell, as in time_ps\\wavelength_nm, or give --wavelength-unit",
        )  # fmt: skip
    time = _rising(down * scale, where)
    return time, *_by_wavelength(across, counts, unit, where)


def _by_wavelength(x: FloatArray, counts: FloatArray, unit: str, where: str) -> tuple[FloatArray, FloatArray]:
    if np.any(x <= 0.0):
        raise InputError("wavelengths of 0 or below", where=where)
    nm = HC_EV_NM / x if unit == "ev" else x
    order = np.argsort(nm)
    if len(nm) < 2 or np.any(np.diff(nm[order]) <= 0.0):
        raise InputError("two wavelengths that are equal, or one alone", where=where)
    return nm[order], counts[:, order]


def _image_file(path: Path) -> TimeTable:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"could not read: {error.strerror or error}", where=str(path)) from error
    found = read_img(content, path.name)
    if found.y is None:
        raise InputError(
            "a streak image without an axis of time", where=path.name,
            fix="export it with its time scale; a camera in focus mode does not sweep",
        )  # fmt: skip
    scale = _time_scale(found.y_unit, None, path.name)
    unit = found.x_unit.lower()
    if unit not in ("nm", "ev"):
        raise InputError(f"wavelengths in {found.x_unit!r}", where=path.name, allowed="nm, eV")
    nm, counts = _by_wavelength(found.x, found.counts, unit, path.name)
    time = _rising(found.y * scale, path.name)
    return TimeTable(time, counts[None], None, "", nm, ("Hamamatsu .img",), (sha256_of(path),))


def _series(
    rows: list[list[str]], lines: list[int], where: str, time_unit: str | None, notes: list[str],
    digest: tuple[str, ...],
) -> TimeTable:  # fmt: skip
    said = dict(_said(note) for note in notes)
    unit = _bracket(rows[0][0]) or said.get("fluence_unit", "")
    fluences = _numbers([["0", *rows[0][1:]]], lines[:1], len(rows[0]), where)[0, 1:]
    if np.any(fluences <= 0.0):
        raise InputError("a fluence of 0 or below", where=f"{where}, line {lines[0]}")
    if len(rows) < 2 or not rows[1][0].strip().lower().startswith("time"):
        raise InputError(
            "no row that names the time", where=where, allowed="time_ps, counts, counts, ...", fix=_FIX_TIME
        )
    heads = _axes(rows[1][0])
    scale = _time_scale(heads[0][1] if heads else "", time_unit, where)
    table = _numbers(rows[2:], lines[2:], len(rows[0]), where)
    time = _rising(table[:, 0] * scale, where)
    return TimeTable(time, table[:, 1:].T[:, :, None], fluences, unit, None, tuple(notes), digest)


def _rows(text: str, where: str) -> tuple[list[str], list[list[str]], list[int]]:
    """Notes, rows of cells and the line of each."""
    notes, rows, lines = [], [], []
    body = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    marks = {mark: sum(line.count(mark) for line in body[:20]) for mark in ("\t", ";", ",")}
    mark = max(marks, key=lambda one: marks[one])
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("#"):
            notes.append(line.lstrip("# ").strip())
        elif line.strip():
            rows.append([cell.strip() for cell in (line.split(mark) if marks[mark] else line.split())])
            lines.append(number)
    if len(rows) < 3:
        raise InputError("fewer than three rows of a table", where=where)
    return notes, rows, lines


def _said(note: str) -> tuple[str, str]:
    name, _, value = note.partition("=")
    return name.strip().lower(), value.strip()


def _fluence(text: str | None, where: str) -> tuple[FloatArray | None, str]:
    if text is None:
        return None, ""
    number, _, unit = text.partition(" ")
    if not _is_number(number) or float(number) <= 0.0:
        raise InputError(f"fluence = {text!r}", where=where, allowed="a number above 0 and its unit")
    return np.array([float(number)]), unit.strip()


def _axes(corner: str) -> list[tuple[str, str]]:
    """("time" or "wavelength", unit) in the order in which the first cell names them: down, then across."""
    found = []
    for part in re.split(r"[\\|]|\s/\s", corner):
        low = part.strip().lower()
        for name, words in (("time", ("time", "delay")), ("wavelength", ("wavelength", "lambda", "energy"))):
            if low.startswith(words):
                found.append((name, _bracket(part)))
    return found


def _bracket(text: str) -> str:
    """The unit of `name (unit)`, `name [unit]` or `name_unit`."""
    inside = re.search(r"[(\[]([^)\]]*)[)\]]", text)
    if inside:
        return inside.group(1).strip()
    return text.strip().rsplit("_", 1)[1] if "_" in text else ""


def _time_scale(unit: str, given: str | None, where: str) -> float:
    known = (unit or given or "").lower()
    if known not in _TIMES:
        what = (
            f"a time in {unit!r}"
            if unit
            else "a streak image or decay without an axis of time in known units"
        )
        raise InputError(what, where=where, allowed=", ".join(_TIMES), fix=_FIX_TIME)
    return _TIMES[known]


def _rising(time: FloatArray, where: str) -> FloatArray:
    falls = np.flatnonzero(np.diff(time) <= 0.0)
    if len(time) < 5 or len(falls):
        at = f"{time[falls[0] + 1]:g} after {time[falls[0]]:g} ps" if len(falls) else f"{len(time)} of them"
        raise InputError(
            f"times that do not rise ({at}): no axis of time", where=where,
            allowed="five and more, each later than the last", fix="the first column holds the times",
        )  # fmt: skip
    return time


def _is_number(cell: str) -> bool:
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False


def _numbers(rows: list[list[str]], lines: list[int], width: int, where: str) -> FloatArray:
    if rows and {len(row) for row in rows} == {width - 1}:
        raise InputError(
            "rows one cell shorter than the first: a streak image without an axis of time", where=where,
            allowed="a time as the first cell of each row", fix=_FIX_TIME,
        )  # fmt: skip
    problems = []
    for row, line in zip(rows, lines, strict=True):
        if len(row) != width:
            problems.append(Problem(f"{len(row)} cells", f"{where}, line {line}", f"{width}"))
        else:
            bad = [cell for cell in row if not _is_number(cell)]
            if bad:
                problems.append(Problem(f"no number: {bad[0][:30]!r}", f"{where}, line {line}"))
        if len(problems) > 5:
            break
    if problems:
        raise InputError(problems)
    return np.array([[float(cell) for cell in row] for row in rows], dtype=float)
