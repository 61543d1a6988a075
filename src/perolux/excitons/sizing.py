"""From the size of a nanocrystal to the energy of its first exciton and of its emission, and their spreads.

    E_abs(L) = Eg(T) + Ry e(L/aB)            first exciton in absorption
    E_PL(L)  = E_abs(L) - S(L)               peak of the emission, S the Stokes shift

e is the ground-state energy of the correlated electron-hole pair behind hard walls (`excitons.tables`), aB
and Ry the exciton Bohr radius and Rydberg of a named parameter set. A cube is sized as a cube. The edge is
that of the core including both outer half cells.

Valid where parabolic bands and hard walls are: they put small nanocrystals too high, by 50-150 meV at 4 nm
(recalled; excitons chapter), so sizes below about 5 nm come out too large. Self-energy and image
interaction of the dielectric surroundings, which nearly cancel in cubes and spheres, are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError
from perolux.excitons.tables import interpolate

if TYPE_CHECKING:
    from perolux.excitons.stokes import StokesModel
    from perolux.materials import Material

__all__ = [
    "ExcitonScale",
    "absorption_energy_ev",
    "confinement_energy_ev",
    "emission_energy_ev",
    "ensemble_confinement_ev",
]

FloatArray = npt.NDArray[np.float64]


class ExcitonScale(Protocol):
    """What sets the scale of an exciton: a `Material` has it, and so has one composition of a series."""

    @property
    def bohr_radius_nm(self) -> float: ...  # noqa: D102

    @property
    def rydberg_ev(self) -> float: ...  # noqa: D102


_HERMITE_NODES = 9
"""Nodes over the lognormal sizes; 9 and 15 nodes agree within 0.1 meV for spreads up to 25 % (tested)."""


def confinement_energy_ev(size_nm: npt.ArrayLike, material: ExcitonScale, shape: str = "cube") -> FloatArray:
    """Energy of the ground exciton counted from the bulk gap, in eV: Ry e(size/aB); tends to -Ry.

    size_nm: edge of a cube or radius of a sphere, any shape of array, positive.
    """
    sizes = np.asarray(size_nm, dtype=float)
    curve = interpolate(shape, sizes / material.bohr_radius_nm)
    return material.rydberg_ev * curve.energy_over_rydberg


def absorption_energy_ev(
    size_nm: npt.ArrayLike, material: Material, *, shape: str = "cube", gap_ev: float | None = None
) -> FloatArray:
    """First exciton in absorption, in eV: Eg(T) + Ry e(size/aB). `gap_ev` replaces the record's gap."""
    gap = material.gap_ev if gap_ev is None else gap_ev
    return gap + confinement_energy_ev(size_nm, material, shape)


def emission_energy_ev(
    size_nm: npt.ArrayLike,
    material: Material,
    stokes: StokesModel,
    *,
    stokes_shift_ev: float | None = None,
    shape: str = "cube",
    gap_ev: float | None = None,
) -> FloatArray:
    """Peak of the photoluminescence of one size, in eV: the first exciton less the Stokes shift.

    stokes_shift_ev: the shift at the model's reference size; the middle of its prior where not given.
    """
    sizes = np.asarray(size_nm, dtype=float)
    shift = stokes.shift_ev.number if stokes_shift_ev is None else stokes_shift_ev
    return absorption_energy_ev(sizes, material, shape=shape, gap_ev=gap_ev) - shift * stokes.scale(sizes)


def ensemble_confinement_ev(
    edge_nm: npt.ArrayLike, relative_spread: npt.ArrayLike, material: ExcitonScale, shape: str = "cube"
) -> tuple[FloatArray, FloatArray]:
    """Mean and standard deviation, in eV, of the confinement energy over an emitting ensemble.

    Sizes are lognormal with number-mean `edge_nm` (shape (n,)) and standard deviation `relative_spread`
    times the mean (shape (m,)); each nanocrystal counts in proportion to its volume, because above the gap
    it absorbs in that proportion. With tau^2 = ln(1 + s^2) the volume-weighted ln L is normal with centre
    ln(edge) + 5 tau^2/2 and deviation tau. Returns two arrays of shape (n, m).
    """
    edges = np.atleast_1d(np.asarray(edge_nm, dtype=float))
    spreads = np.atleast_1d(np.asarray(relative_spread, dtype=float))
    if np.any(edges <= 0) or np.any(spreads < 0):
        raise OptionError("sizes must be positive and spreads not negative", where="ensemble_confinement_ev")
    nodes, weights = np.polynomial.hermite_e.hermegauss(_HERMITE_NODES)
    weights = weights / weights.sum()
    tau2 = np.log1p(spreads**2)[None, :, None]
    log_sizes = np.log(edges)[:, None, None] + 2.5 * tau2 + np.sqrt(tau2) * nodes
    energies = confinement_energy_ev(np.exp(log_sizes), material, shape)
    mean = energies @ weights
    variance = (energies - mean[..., None]) ** 2 @ weights
    return mean, np.sqrt(variance)
