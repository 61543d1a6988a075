"""One draw of a disordered superlattice: places, dipoles, energies, who is missing; every draw seeded.

Each kind of disorder has a random stream of its own, split from the generator in a fixed order: with one kind
switched off the draws of all others stay the same, so that what each costs can be told apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, OptionError
from perolux.superlattices.lattice import FloatArray, Superlattice

__all__ = ["DipoleRule", "Disorder", "Realisation", "realise"]

DipoleRule = Literal["x", "y", "z", "random-axis", "isotropic", "three"]
"""x, y, z: along that axis of each nanocrystal; random-axis: one of its three axes, drawn; isotropic: any
direction, drawn; three: all three axes as emitters at one place."""

_MOST_TRIES = 1000


@dataclass(frozen=True)
class Disorder:
    """edge_spread: coefficient of variation of the edge (Gaussian). energy_spread_mev: Gaussian, beside what
    the edges do. position_nm: Gaussian, of each coordinate. orientation_deg: Gaussian, of three turns.
    vacancies: chance of a missing nanocrystal."""

    edge_spread: float = 0.0
    energy_spread_mev: float = 0.0
    position_nm: float = 0.0
    orientation_deg: float = 0.0
    vacancies: float = 0.0

    def __post_init__(self) -> None:
        for name, most in (("edge_spread", 0.3), ("energy_spread_mev", 1e4), ("position_nm", 1e3),
                           ("orientation_deg", 90.0), ("vacancies", 0.95)):  # fmt: skip
            value = getattr(self, name)
            if not 0.0 <= value <= most:
                raise OptionError(f"{name} of {value:g}", allowed=f"0 to {most:g}")


@dataclass(frozen=True)
class Realisation:
    """positions_nm, dipoles (M, 3); energy_mev (M,): less that of the mean edge; edge_nm (M,) where an
    edge is known; nanocrystal (M,): which crystal an emitter belongs to; missing: vacancies of this draw."""

    positions_nm: FloatArray
    dipoles: FloatArray
    energy_mev: FloatArray
    edge_nm: FloatArray | None
    nanocrystal: npt.NDArray[np.int64]
    missing: int


def realise(
    lattice: Superlattice,
    rng: np.random.Generator,
    disorder: Disorder | None = None,
    *,
    dipoles: DipoleRule = "z",
    edge_nm: float | None = None,
    slope_mev_per_nm: float | None = None,
    least_distance_nm: float = 0.0,
) -> Realisation:
    """One draw: E_i = (dE/dL)(L_i - L) + a Gaussian of energy_spread, places and axes moved, sites left out.

    edge_nm, slope_mev_per_nm: needed where edges vary. least_distance_nm: a moved place nearer than that to
    another is drawn again. A dipole given with the lattice is turned, never replaced. Raises
    `ModelRangeError` where all are missing or a place is not found.

    >>> from perolux.superlattices import simple_cubic
    >>> spread = Disorder(energy_spread_mev=5.0)
    >>> found = realise(simple_cubic(12.5, (2, 2, 2)), np.random.default_rng(1), spread)
    >>> found.positions_nm.shape, round(float(found.energy_mev[0]), 2) != 0.0
    ((8, 3), True)
    """
    what = disorder or Disorder()
    if dipoles not in get_args(DipoleRule):
        raise OptionError(f"dipoles {dipoles!r}", allowed=", ".join(get_args(DipoleRule)))
    if dipoles == "three" and lattice.dipoles is not None:
        raise OptionError("three dipoles a crystal beside a table of dipoles", fix="leave one out")
    if what.edge_spread > 0.0 and (edge_nm is None or slope_mev_per_nm is None):
        raise OptionError("a spread of edges without the mean edge or dE/dL", fix="or give an energy spread")
    sizes, energies, places, turns, vacant, choice = rng.spawn(6)
    at, site = lattice.positions()
    n = len(at)
    edge = None if edge_nm is None else edge_nm * (1.0 + what.edge_spread * sizes.standard_normal(n))
    energy = what.energy_spread_mev * energies.standard_normal(n)
    if edge is not None and edge_nm is not None and slope_mev_per_nm is not None:
        energy = energy + slope_mev_per_nm * (edge - edge_nm)
    at = _moved(at, what.position_nm, places, least_distance_nm)
    axes = _turns(what.orientation_deg, turns, n) @ lattice.axes[site]
    here = vacant.random(n) >= what.vacancies
    if not here.any():
        raise ModelRangeError("every nanocrystal of this draw is missing", fix="fewer vacancies")
    chosen = _directions(lattice, axes, site, dipoles, choice)
    per = chosen.shape[1]
    keep = np.flatnonzero(here)
    return Realisation(
        np.repeat(at[keep], per, axis=0),
        chosen[keep].reshape(-1, 3),
        np.repeat(energy[keep], per),
        None if edge is None else np.repeat(edge[keep], per),
        np.repeat(np.arange(len(keep)), per),
        n - len(keep),
    )


def _moved(at: FloatArray, spread: float, rng: np.random.Generator, least: float) -> FloatArray:
    if spread == 0.0:
        return at
    new = at + spread * rng.standard_normal(at.shape)
    if least <= 0.0 or len(at) < 2:
        return new
    from scipy.spatial import cKDTree

    for _ in range(_MOST_TRIES):
        near = cKDTree(new).query_pairs(least, output_type="ndarray")
        if not len(near):
            return new
        again = np.unique(near[:, 1])
        new[again] = at[again] + spread * rng.standard_normal((len(again), 3))
    raise ModelRangeError(
        f"a position spread of {spread:g} nm leaves no places {least:g} nm apart", fix="a smaller spread"
    )


def _turns(spread_deg: float, rng: np.random.Generator, n: int) -> FloatArray:
    """Turns by Gaussian rotation vectors, (n, 3, 3)."""
    if spread_deg == 0.0:
        return np.tile(np.eye(3), (n, 1, 1))
    from scipy.spatial.transform import Rotation

    vectors = np.radians(spread_deg) * rng.standard_normal((n, 3))
    return np.asarray(Rotation.from_rotvec(vectors).as_matrix())


def _directions(
    lattice: Superlattice,
    axes: FloatArray,
    site: npt.NDArray[np.int64],
    rule: DipoleRule,
    rng: np.random.Generator,
) -> FloatArray:
    """Unit dipoles (n, 1 or 3, 3)."""
    n = len(site)
    if lattice.dipoles is not None:
        return np.einsum("nij,nj->ni", axes, lattice.dipoles[site])[:, None, :]
    if rule == "three":
        return np.swapaxes(axes, 1, 2)
    if rule == "isotropic":
        free = rng.standard_normal((n, 3))
        return (free / np.linalg.norm(free, axis=1, keepdims=True))[:, None, :]
    column = rng.integers(0, 3, n) if rule == "random-axis" else np.full(n, "xyz".index(rule))
    return axes[np.arange(n), :, column][:, None, :]
