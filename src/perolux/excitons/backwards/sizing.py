"""From the size of a nanocrystal to the energy of its first exciton and of its emission.

    E_abs(L) = Eg(T) + Ry e(L/aB)            first exciton in absorption
    E_PL(L)  = E_abs(L) - S(L)               peak of the emission, S the Stokes shift

e is the ground-state energy of the correlated pair behind hard walls (`excitons.pair.tables`), aB and Ry
the exciton Bohr radius and Rydberg of a named parameter set. A cube is sized as a cube. The edge is that of
the core including both outer half cells.

Parabolic bands and hard walls put small nanocrystals too high, by 50-150 meV at 4 nm (recalled). The energy
k above the bulk exciton may therefore be softened,

    k -> k/(1 + k/E_s),   E_s such that a 4 nm cube is lowered by `excess_at_4nm_ev`,

which is the course of a two-band dispersion to second order, falls away in large nanocrystals and keeps k
monotonic. Excess 0 is the hard wall. Self-energy and image interaction of the dielectric surroundings,
which nearly cancel in cubes and spheres, are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError
from perolux.excitons.pair.tables import interpolate

if TYPE_CHECKING:
    from perolux.excitons.light.stokes import StokesModel
    from perolux.materials import Material

__all__ = ["ExcitonScale", "absorption_energy_ev", "confinement_energy_ev", "emission_energy_ev"]

FloatArray = npt.NDArray[np.float64]


class ExcitonScale(Protocol):
    """What sets the scale of an exciton: a `Material` has it, and so has one composition of a series."""

    @property
    def bohr_radius_nm(self) -> float: ...  # noqa: D102

    @property
    def rydberg_ev(self) -> float: ...  # noqa: D102


_EXCESS_EDGE_NM = 4.0
"""Edge at which the excess of hard walls is on record (`prior.hard_wall_excess_ev`)."""


def confinement_energy_ev(
    size_nm: npt.ArrayLike, material: ExcitonScale, shape: str = "cube", *, excess_at_4nm_ev: float = 0.0
) -> FloatArray:
    """Energy of the ground exciton counted from the bulk gap, in eV: Ry e(size/aB), softened; tends to -Ry.

    size_nm: edge of a cube or radius of a sphere, any shape of array, positive. excess_at_4nm_ev: by how much
    hard walls put a 4 nm cube too high; 0 leaves the hard walls.
    """
    sizes = np.asarray(size_nm, dtype=float)
    above_bulk = material.rydberg_ev * (1.0 + _curve(shape, sizes / material.bohr_radius_nm))
    if excess_at_4nm_ev == 0.0:
        return above_bulk - material.rydberg_ev
    at_4nm = material.rydberg_ev * (1.0 + float(_curve("cube", _EXCESS_EDGE_NM / material.bohr_radius_nm)))
    if not 0.0 < excess_at_4nm_ev < at_4nm:
        raise OptionError(
            f"hard walls cannot put a 4 nm cube {excess_at_4nm_ev:g} eV too high",
            allowed=f"0 to {at_4nm:.3f} eV, the whole confinement there",
        )
    softening = at_4nm**2 / excess_at_4nm_ev - at_4nm
    return above_bulk / (1.0 + above_bulk / softening) - material.rydberg_ev


def _curve(shape: str, size_over_bohr: npt.ArrayLike) -> FloatArray:
    return np.asarray(interpolate(shape, size_over_bohr).energy_over_rydberg)


def absorption_energy_ev(
    size_nm: npt.ArrayLike,
    material: Material,
    *,
    shape: str = "cube",
    gap_ev: float | None = None,
    excess_at_4nm_ev: float = 0.0,
) -> FloatArray:
    """First exciton in absorption, in eV: Eg(T) + confinement. `gap_ev` replaces the record's gap."""
    gap = material.gap_ev if gap_ev is None else gap_ev
    return gap + confinement_energy_ev(size_nm, material, shape, excess_at_4nm_ev=excess_at_4nm_ev)


def emission_energy_ev(
    size_nm: npt.ArrayLike,
    material: Material,
    stokes: StokesModel,
    *,
    stokes_shift_ev: float | None = None,
    shape: str = "cube",
    gap_ev: float | None = None,
    excess_at_4nm_ev: float = 0.0,
) -> FloatArray:
    """Peak of the photoluminescence of one size, in eV: the first exciton less the Stokes shift.

    stokes_shift_ev: the shift at the model's reference size; the middle of its prior where not given.
    """
    sizes = np.asarray(size_nm, dtype=float)
    shift = stokes.shift_ev.number if stokes_shift_ev is None else stokes_shift_ev
    absorbed = absorption_energy_ev(
        sizes, material, shape=shape, gap_ev=gap_ev, excess_at_4nm_ev=excess_at_4nm_ev
    )
    return absorbed - shift * stokes.scale(sizes)
