"""Tables of n and k of one's own: a CSV file with the columns wavelength_nm, n and k."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np

from perolux.errors import InputError, Problem
from perolux.files import read_small_text
from perolux.materials.optical import OpticalConstants, optical_constants

__all__ = ["optical_constants_of", "read_optical_constants"]

_LARGEST_FILE = 10_000_000
_COLUMNS = ("wavelength_nm", "n", "k")


def optical_constants_of(text: str, folder: Path | None = None) -> OpticalConstants:
    """A table by its name on record, or by the path of a file (in a folder, where it is relative).

    Raises `InputError` for a file that cannot be used, `NotAvailableError` where there is neither.
    """
    path = Path(text) if folder is None else folder / text
    return read_optical_constants(path) if path.is_file() else optical_constants(text)


def read_optical_constants(path: Path) -> OpticalConstants:
    """n and k from a table (CSV) with the columns wavelength_nm, n, k; k >= 0 absorbs.

    Lines that begin with # are comments. Rows may come in any order. Raises `InputError` with all faulty
    lines: numbers that are none, n of 0 or less, k below 0, a wavelength twice, fewer than two rows.
    """
    text = read_small_text(path, _LARGEST_FILE, "a table of n and k")
    lines = [(i, line) for i, line in enumerate(text.splitlines(), 1) if line.strip() and line[0] != "#"]
    rows = csv.DictReader([line for _, line in lines], skipinitialspace=True)
    missing = [name for name in _COLUMNS if name not in [str(one).strip() for one in rows.fieldnames or ()]]
    if missing:
        raise InputError(
            f"no column {', '.join(missing)}",
            where=str(path),
            allowed="wavelength_nm, n, k, with these names in the first line",
            fix="name the columns so; wavelengths in nm",
        )
    rows.fieldnames = [str(one).strip() for one in rows.fieldnames or ()]
    problems: list[Problem] = []
    found: dict[float, tuple[float, float]] = {}
    for (number, _), row in zip(lines[1:], rows, strict=False):
        at = f"{path}, line {number}"
        try:
            nm, n, k = (float(row[name] or "") for name in _COLUMNS)
        except ValueError:
            problems.append(Problem("no three numbers", at, "wavelength_nm, n, k as numbers"))
            continue
        if not (all(math.isfinite(x) for x in (nm, n, k)) and nm > 0.0 and n > 0.0 and k >= 0.0):
            fix = "k >= 0 absorbs: turn the sign, or set noise below 0 to 0" if k < 0.0 else None
            problems.append(
                Problem(f"n = {n:g}, k = {k:g} at {nm:g} nm", at, "n above 0, k of 0 and more", fix)
            )
        elif nm in found:
            problems.append(Problem(f"{nm:g} nm a second time", at, "each wavelength once", "leave one out"))
        found[nm] = (n, k)
    if problems:
        raise InputError(problems[:20])
    if len(found) < 2:
        raise InputError(f"{len(found)} rows", where=str(path), allowed="two or more")
    axis = sorted(found)
    if axis[0] < 10.0:
        raise InputError(
            f"wavelengths from {axis[0]:g} to {axis[-1]:g} nm",
            where=str(path),
            allowed="nm",
            fix="these look like micrometres or eV: convert the column to nm",
        )
    table = np.array([(nm, *found[nm]) for nm in axis])
    table.flags.writeable = False
    wavelength_nm, n, k = table.T
    return OpticalConstants(path.name, path.stem, "bulk", wavelength_nm, n, k, str(path))
