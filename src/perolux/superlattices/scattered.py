"""Assemblies without a lattice: random clusters of spheres that do not overlap, and tables of positions."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np

from perolux.errors import InputError, ModelRangeError, OptionError, Problem
from perolux.files import read_small_text
from perolux.superlattices.lattice import FloatArray, Superlattice

__all__ = ["disordered_cluster", "read_positions"]

_LARGEST_FILE = 50_000_000
_DENSEST = 0.3
_TRIES, _RESTARTS, _BATCH = 300, 3, 2000
_PLACE, _DIPOLE = ("x_nm", "y_nm", "z_nm"), ("dx", "dy", "dz")


def disordered_cluster(
    count: int, pitch_nm: float, rng: np.random.Generator, filling: float = 0.25
) -> Superlattice:
    """A round cluster of `count` places, none nearer than pitch_nm, by random sequential addition.

    Centres lie in a sphere of which balls of diameter pitch_nm have the share `filling` of the volume. That
    is looser than random close packing (0.64), which sequential addition cannot reach (0.38). Raises
    `ModelRangeError` above 0.3 and where a place is not found.
    """
    if not 1 <= count <= 20_000:
        raise OptionError(f"a cluster of {count}", allowed="1 to 20000")
    if not pitch_nm > 0.0:
        raise OptionError(f"a pitch of {pitch_nm:g} nm", allowed="above 0 nm")
    if not 0.0 < filling <= _DENSEST:
        raise ModelRangeError(
            f"a filling of {filling:g}", allowed=f"above 0, up to {_DENSEST:g}",
            fix="denser clusters: a lattice with vacancies and position spread",
        )  # fmt: skip
    from scipy.spatial import cKDTree

    radius = 0.5 * pitch_nm * (count / filling) ** (1.0 / 3.0)
    most = 0
    for _ in range(_RESTARTS):
        places = np.zeros((0, 3))
        for _ in range(_TRIES):
            tries = rng.uniform(-radius, radius, size=(_BATCH, 3))
            tries = tries[np.sum(tries**2, axis=1) <= radius**2]
            if len(places):
                away, _ = cKDTree(places).query(tries)
                tries = tries[away >= pitch_nm]
            taken: list[FloatArray] = []
            for one in tries:
                if len(places) + len(taken) == count:
                    break
                if not taken or np.min(np.sum((np.array(taken) - one) ** 2, axis=1)) >= pitch_nm**2:
                    taken.append(one)
            if taken:
                places = np.concatenate([places, taken])
            if len(places) == count:
                return _free("disordered cluster", places, None)
        most = max(most, len(places))
    raise ModelRangeError(
        f"{most} of {count} places found at a filling of {filling:g}", fix="a smaller filling"
    )


def read_positions(path: Path) -> Superlattice:
    """Places from a table with the columns x_nm, y_nm, z_nm and, if dipoles are known, dx, dy, dz.

    Dipoles of any length above 0 are made to length 1. Raises `InputError` with all that is wrong.
    """
    lines = list(csv.DictReader(io.StringIO(read_small_text(path, _LARGEST_FILE, "table of positions"))))
    names = [] if not lines else [name for name in lines[0] if name is not None]
    absent = [name for name in _PLACE if name not in names]
    some = [name for name in _DIPOLE if name in names]
    if not lines or absent or len(some) in (1, 2):
        told = f"no column {', '.join(absent)}" if absent else "dipoles need dx, dy and dz"
        raise InputError(told if lines else "no rows", where=str(path), allowed="x_nm,y_nm,z_nm[,dx,dy,dz]")
    columns = (*_PLACE, *some)
    table, problems = np.zeros((len(lines), len(columns))), []
    for i, line in enumerate(lines):
        for j, name in enumerate(columns):
            try:
                table[i, j] = float(line[name])
            except (TypeError, ValueError):
                table[i, j] = np.nan
            if not np.isfinite(table[i, j]):
                problems.append(
                    Problem(f"{name} is {line[name]!r}", f"{path}, row {i + 2}", "a finite number")
                )
    dipoles = None
    if some and not problems:
        length = np.linalg.norm(table[:, 3:], axis=1)
        problems += [
            Problem("a dipole of length 0", f"{path}, row {i + 2}") for i in np.flatnonzero(length == 0)
        ]
        if not problems:
            dipoles = table[:, 3:] / length[:, None]
    if problems:
        raise InputError(problems[:20])
    return _free(path.stem, table[:, :3], dipoles)


def _free(name: str, places: FloatArray, dipoles: FloatArray | None) -> Superlattice:
    """Places as the sites of one cell of 1 nm edges: fractions are nm."""
    n = len(places)
    axes = np.tile(np.eye(3), (n, 1, 1))
    return Superlattice(name, np.eye(3), places, ("A",) * n, ("A",), (1, 1, 1), axes, dipoles)
