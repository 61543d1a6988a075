"""The part of the fine structure that comes from the lattice: a symmetric traceless tensor delta_ij.

A distorted lattice splits the three bright levels beyond what the shape of the crystal does. What is known is
a table of atomistic CsPbI3 cubes (`data/lattice_tensor.csv`, kind derived) in three lattices; quasicubic
analytic crystal fields fail for the orthorhombic phase (Sercel 2019), so none is offered. Which crystal axis
belongs to which principal value is not known.
"""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, NotAvailableError

__all__ = ["lattice_phases", "lattice_tensor_mev"]

FloatArray = npt.NDArray[np.float64]

_DATA = Path(__file__).parents[1] / "data" / "lattice_tensor.csv"


def lattice_phases() -> tuple[tuple[str, str], ...]:
    """The (material, phase) pairs that have a tensor on record."""
    return tuple(_tables())


def lattice_tensor_mev(material: str, phase: str, edge_nm: npt.ArrayLike) -> FloatArray:
    """delta_ij of cubes in meV, (..., 3, 3), diagonal, principal values by rising energy along x, y, z.

    Linear in ln(edge) between the computed crystals; 2.5 to 6.9 nm. Turn it with a rotation R: R delta R^T.
    Raises `NotAvailableError` for a material or phase without a record, `ModelRangeError` for an edge outside
    the table.

    >>> lattice_tensor_mev("CsPbI3", "orthorhombic", 6.9).diagonal().round(2).tolist()
    [-1.21, 0.15, 1.05]
    """
    table = _tables().get((material, phase))
    if table is None:
        raise NotAvailableError(
            f"no lattice tensor is on record for {material}, {phase}",
            allowed="; ".join(f"{name}, {kind}" for name, kind in _tables()),
            fix="give the tensor, or leave it out",
        )
    sizes, values = table
    edges = np.asarray(edge_nm, dtype=float)
    if not bool(np.all((edges >= sizes[0]) & (edges <= sizes[-1]))):
        raise ModelRangeError(
            "an edge lies outside the computed crystals",
            where=f"lattice tensor of {material}, {phase}",
            allowed=f"{sizes[0]:g} to {sizes[-1]:g} nm",
        )
    diagonal = np.stack([np.interp(np.log(edges), np.log(sizes), values[:, k]) for k in range(3)], axis=-1)
    # rounding of the table leaves a trace of up to 2e-4 meV, which belongs to no traceless tensor
    diagonal = diagonal - diagonal.mean(axis=-1, keepdims=True)
    return np.asarray(diagonal[..., None] * np.eye(3))


@lru_cache(maxsize=1)
def _tables() -> dict[tuple[str, str], tuple[FloatArray, FloatArray]]:
    lines = [line for line in _DATA.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    groups: dict[tuple[str, str], list[list[float]]] = {}
    for row in csv.DictReader(lines):
        numbers = [float(row[name]) for name in ("edge_nm", "delta_1_mev", "delta_2_mev", "delta_3_mev")]
        groups.setdefault((row["material"], row["phase"]), []).append(numbers)
    found = {}
    for key, rows in groups.items():
        ordered = np.array(sorted(rows))
        found[key] = (ordered[:, 0], ordered[:, 1:])
    return found
