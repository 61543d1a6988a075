"""`ExcitonState` and `ExcitonLevels`: the pair in one nanocrystal, in its Bohr radii and Rydbergs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from perolux.excitons.pair._ritz import Levels
from perolux.excitons.pair._variation import Array
from perolux.excitons.pair.screening import COULOMB, Screening

__all__ = ["ExcitonLevels", "ExcitonState", "Shape"]

Shape = Literal["sphere", "cube", "cuboid"]


@dataclass(frozen=True)
class ExcitonState:
    """The correlated electron-hole ground state of one nanocrystal with hard walls.

    shape: "sphere", "cube" or "cuboid".
    size_over_bohr: radius (sphere), edge (cube) or cube root of the volume (cuboid), over aB.
    energy_over_rydberg: E/Ry, counted from the bulk gap; a variational upper bound. Bound: E < 0.
    overlap_k: K = |int Psi(r,r) d3r|^2, 1 without correlation; it multiplies the oscillator strength.
    exchange_x: X = pi aB^3 int |Psi(r,r)|^2 d3r, 1 in the bulk; it scales electron-hole exchange.
    estimated_error_rydberg: error bound of E/Ry from the last basis shells and the quadrature.
    estimated_error_k_relative, estimated_error_x_relative: the same for K and X, relative.
    functions: symmetrised basis functions that were used; order: the basis order N they come from.
    exponent: a of exp(-a r_eh), in 1/aB, where the energy is lowest.
    wall: b of the wall functions, in 1/aB^2 (see `_variation.box_wall`); 0 is the uncorrelated one.
    mass_ratio: m_e/m_h at fixed reduced mass.
    edges_over_bohr: the three edges over aB, None for a sphere.
    dielectric_ratio: eps_inside/eps_outside; 1 without image charges.
    screening: how the attraction is screened; "coulomb" is one dielectric constant at every distance.
    """

    shape: Shape
    size_over_bohr: float
    energy_over_rydberg: float
    overlap_k: float
    exchange_x: float
    estimated_error_rydberg: float
    estimated_error_k_relative: float
    estimated_error_x_relative: float
    functions: int
    exponent: float
    wall: float
    order: int
    mass_ratio: float = 1.0
    edges_over_bohr: tuple[float, float, float] | None = None
    dielectric_ratio: float = 1.0
    screening: Screening = COULOMB

    @classmethod
    def ground(
        cls,
        shape: Shape,
        size_over_bohr: float,
        levels: Levels,
        order: int,
        *,
        mass_ratio: float,
        edges_over_bohr: tuple[float, float, float] | None = None,
        dielectric_ratio: float = 1.0,
        screening: Screening = COULOMB,
    ) -> ExcitonState:
        """The first of the levels that a solver found."""
        return cls(
            shape,
            size_over_bohr,
            float(levels.energy[0]),
            float(levels.overlap_k[0]),
            float(levels.exchange_x[0]),
            float(levels.errors[0][0]),
            float(levels.errors[1][0]),
            float(levels.errors[2][0]),
            functions=levels.functions,
            exponent=levels.exponent,
            wall=levels.wall,
            order=order,
            mass_ratio=mass_ratio,
            edges_over_bohr=edges_over_bohr,
            dielectric_ratio=dielectric_ratio,
            screening=screening,
        )

    def as_dict(self) -> dict[str, float | int | str | list[float] | None]:
        """The state as a plain dictionary, ready for JSON."""
        return {
            "shape": self.shape,
            "size_over_bohr": self.size_over_bohr,
            "energy_over_rydberg": self.energy_over_rydberg,
            "overlap_k": self.overlap_k,
            "exchange_x": self.exchange_x,
            "estimated_error_rydberg": self.estimated_error_rydberg,
            "estimated_error_k_relative": self.estimated_error_k_relative,
            "estimated_error_x_relative": self.estimated_error_x_relative,
            "functions": self.functions,
            "order": self.order,
            "exponent": self.exponent,
            "wall": self.wall,
            "mass_ratio": self.mass_ratio,
            "edges_over_bohr": None if self.edges_over_bohr is None else list(self.edges_over_bohr),
            "dielectric_ratio": self.dielectric_ratio,
            "screening": self.screening.name,
        }


@dataclass(frozen=True)
class ExcitonLevels:
    """The lowest optically active levels of one nanocrystal with hard walls, in rising order; arrays [level].

    Active: of full symmetry, so that int Psi(r,r) d3r need not vanish. Sphere: S states; cube: A1g states;
    for equal masses also even under the exchange of electron and hole. The other fields as in
    `ExcitonState`; an energy is an upper bound of its own level. The relative error of a K that nearly
    vanishes can exceed 1.
    """

    shape: Shape
    size_over_bohr: float
    energy_over_rydberg: Array
    overlap_k: Array
    exchange_x: Array
    estimated_error_rydberg: Array
    estimated_error_k_relative: Array
    estimated_error_x_relative: Array
    functions: int
    exponent: float
    wall: float
    order: int
    mass_ratio: float = 1.0

    @classmethod
    def of(
        cls, shape: Shape, size_over_bohr: float, levels: Levels, order: int, mass_ratio: float
    ) -> ExcitonLevels:
        """All levels that a solver found."""
        return cls(
            shape,
            size_over_bohr,
            levels.energy,
            levels.overlap_k,
            levels.exchange_x,
            *levels.errors,
            functions=levels.functions,
            exponent=levels.exponent,
            wall=levels.wall,
            order=order,
            mass_ratio=mass_ratio,
        )
