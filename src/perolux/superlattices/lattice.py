"""The lattice of a superlattice: cell, sites with what sits on them, how often it repeats, who emits.

Place of site s in cell (h, k, l): (h + x_s) a + (k + y_s) b + (l + z_s) c. Species are letters of the
structure (A, B, O); `emits` names those that are nanocrystals with light, the others only keep their place.
`axes` turns the nanocrystal of a site: its columns are the nanocrystal's own x, y, z in the
frame of the lattice.

Geometry: NaCl Fm-3m, sphere A on 4a, cube B on 4b; AlB2 P6/mmm, A on 1a, B on 2d; ABO3 Pm-3m, A on 1a, B on
1b, O on 3c (types read: 10.1038/s41586-021-03492-5; cells of lalicodes/hoodlt). Lattice constants of the
published structures are not on record: they are always asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, OptionError

__all__ = ["Superlattice", "abo3", "alb2", "chain", "face_centred", "nacl", "sheet", "simple_cubic"]

FloatArray = npt.NDArray[np.float64]
_MOST = 100_000


@dataclass(frozen=True)
class Superlattice:
    """cell_nm (3, 3): rows are the cell vectors. fractions (S, 3), species (S,), axes (S, 3, 3): of the sites
    of one cell. repeats: cells along each vector. emits: the species that are emitters. dipoles (S, 3): given
    ones, None where a rule makes them."""

    name: str
    cell_nm: FloatArray
    fractions: FloatArray
    species: tuple[str, ...]
    emits: tuple[str, ...]
    repeats: tuple[int, int, int]
    axes: FloatArray
    dipoles: FloatArray | None = None

    def __post_init__(self) -> None:
        sites = len(self.fractions)
        if self.cell_nm.shape != (3, 3) or self.fractions.shape != (sites, 3) or not sites:
            raise OptionError(f"a cell {self.cell_nm.shape} with sites {self.fractions.shape}")
        if not np.isfinite(self.cell_nm).all() or abs(float(np.linalg.det(self.cell_nm))) <= 0.0:
            raise OptionError(f"{self.name}: the cell has no volume", allowed="lengths above 0 nm")
        if len(self.species) != sites or self.axes.shape != (sites, 3, 3):
            raise OptionError(f"{self.name}: {sites} sites with {len(self.species)} species")
        unknown = [one for one in self.emits if one not in self.species]
        if unknown or not self.emits:
            raise OptionError(
                f"{self.name} has no site {', '.join(map(repr, unknown)) or 'that emits'}",
                allowed=", ".join(sorted(set(self.species))),
            )
        if len(self.repeats) != 3 or any(int(n) != n or n < 1 for n in self.repeats):
            raise OptionError(f"repeats of {self.repeats}", allowed="three whole numbers, 1 and more")
        if sites * int(np.prod(self.repeats)) > _MOST:
            raise ModelRangeError(
                f"{sites * int(np.prod(self.repeats))} sites", allowed=f"up to {_MOST}", fix="fewer repeats"
            )

    def positions(self) -> tuple[FloatArray, npt.NDArray[np.int64]]:
        """Places (N, 3) in nm of all sites that emit, and which site of the cell each is; cells in order."""
        keep = np.flatnonzero([one in self.emits for one in self.species])
        cells = np.stack(np.meshgrid(*(np.arange(n) for n in self.repeats), indexing="ij"), axis=-1).reshape(
            -1, 3
        )
        whole = cells[:, None, :] + self.fractions[keep][None]
        return whole.reshape(-1, 3) @ self.cell_nm, np.tile(keep, len(cells))

    def __len__(self) -> int:
        """Number of emitters without vacancies."""
        return sum(one in self.emits for one in self.species) * int(np.prod(self.repeats))


def _made(
    name: str,
    cell: FloatArray,
    sites: Sequence[tuple[str, Sequence[float]]],
    emits: Sequence[str],
    repeats: Sequence[int],
    axes: FloatArray | None = None,
) -> Superlattice:
    return Superlattice(
        name,
        np.asarray(cell, dtype=float),
        np.array([place for _, place in sites], dtype=float),
        tuple(kind for kind, _ in sites),
        tuple(emits),
        (int(repeats[0]), int(repeats[1]), int(repeats[2])),
        np.tile(np.eye(3), (len(sites), 1, 1)) if axes is None else axes,
    )


def _length(value: float, what: str) -> float:
    if not (np.isfinite(value) and value > 0.0):
        raise OptionError(f"{what} of {value:g} nm", allowed="above 0 nm")
    return float(value)


def simple_cubic(pitch_nm: float, repeats: Sequence[int]) -> Superlattice:
    """Cubes on a simple cubic lattice, axes parallel; pitch_nm: centre to centre.

    >>> simple_cubic(12.5, (2, 2, 2)).positions()[0][-1].tolist()
    [12.5, 12.5, 12.5]
    """
    cell = _length(pitch_nm, "a pitch") * np.eye(3)
    return _made("simple cubic", cell, [("A", (0, 0, 0))], ("A",), repeats)


def chain(pitch_nm: float, count: int) -> Superlattice:
    """A straight chain along z."""
    return _made("chain", _length(pitch_nm, "a pitch") * np.eye(3), [("A", (0, 0, 0))], ("A",), (1, 1, count))


def sheet(pitch_nm: float, columns: int, rows: int) -> Superlattice:
    """A square monolayer in the plane x, y."""
    return _made(
        "sheet", _length(pitch_nm, "a pitch") * np.eye(3), [("A", (0, 0, 0))], ("A",), (columns, rows, 1)
    )


def face_centred(pitch_nm: float, repeats: Sequence[int]) -> Superlattice:
    """Face-centred cubic; pitch_nm: nearest neighbours, a = sqrt(2) pitch; four sites a cell."""
    places = ((0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0))
    cell = np.sqrt(2.0) * _length(pitch_nm, "a pitch") * np.eye(3)
    return _made("face-centred cubic", cell, [("A", one) for one in places], ("A",), repeats)


def nacl(cell_nm: float, repeats: Sequence[int], emits: Sequence[str] = ("B",)) -> Superlattice:
    """Spheres A on 4a and cubes B on 4b, axes parallel; cell_nm: edge of the cubic cell.

    >>> len(nacl(20.0, (2, 1, 1)))
    8
    """
    spheres = ((0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0))
    cubes = ((0.5, 0.5, 0.5), (0.5, 0, 0), (0, 0.5, 0), (0, 0, 0.5))
    sites = [("A", one) for one in spheres] + [("B", one) for one in cubes]
    return _made("NaCl", _length(cell_nm, "a cell") * np.eye(3), sites, emits, repeats)


def alb2(
    cell_nm: float, repeats: Sequence[int], c_over_a: float = 1.0, emits: Sequence[str] = ("B",)
) -> Superlattice:
    """Spheres A on 1a, cubes B on 2d with [111] along c; cell_nm: a of the hexagonal cell."""
    a = _length(cell_nm, "a cell")
    c = a * _length(c_over_a, "c/a")
    cell = np.array([[a, 0, 0], [-0.5 * a, 0.5 * np.sqrt(3.0) * a, 0], [0, 0, c]])
    sites = [("A", (0, 0, 0)), ("B", (1 / 3, 2 / 3, 0.5)), ("B", (2 / 3, 1 / 3, 0.5))]
    # rows: two directions across [111] and [111] itself, in the frame of the cube
    diagonal = np.array([[1, -1, 0], [1, 1, -2], [1, 1, 1]]) / np.sqrt([[2.0], [6.0], [3.0]])
    return _made("AlB2", cell, sites, emits, repeats, np.stack([np.eye(3), diagonal, diagonal]))


def abo3(cell_nm: float, repeats: Sequence[int], emits: Sequence[str] = ("B", "O")) -> Superlattice:
    """Perovskite-type: A on 1a, B on 1b (axes parallel), O on 3c, turned by 45 degrees about the cell axis
    normal to its face; emits: ("B", "O") where cubes take both, ("O",) with a dark B.

    >>> len(abo3(25.0, (1, 1, 1))), len(abo3(25.0, (2, 2, 2), ("B",)))
    (4, 8)
    """
    sites = [("A", (0, 0, 0)), ("B", (0.5, 0.5, 0.5)), ("O", (0, 0.5, 0.5)), ("O", (0.5, 0, 0.5)),
             ("O", (0.5, 0.5, 0))]  # fmt: skip
    turned = [_turned(axis) for axis in range(3)]
    axes = np.stack([np.eye(3), np.eye(3), *turned])
    return _made("ABO3", _length(cell_nm, "a cell") * np.eye(3), sites, emits, repeats, axes)


def _turned(axis: int) -> FloatArray:
    """A turn by 45 degrees about one axis of the cell."""
    h = np.sqrt(0.5)
    j, k = (axis + 1) % 3, (axis + 2) % 3
    found = np.zeros((3, 3))
    found[axis, axis] = 1.0
    found[j, j] = found[k, k] = h
    found[k, j], found[j, k] = h, -h
    return found
