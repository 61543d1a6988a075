"""How much crystal fits into a film: ligand shells and close packing.

    f = f_particle <V(L)>/<V(L + 2 l)>       cubes of one edge: (L/(L + 2l))^3

l is half the gap between two crystals that touch: the length of the ligands, less where they interlock. At
most, cubes fill space (1) and equal spheres pi/sqrt(18) = 0.7405 of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from perolux.ensemble import Ensemble
from perolux.errors import ModelRangeError, OptionError

__all__ = ["CLOSE_PACKED", "Shell", "check_fraction", "shell", "shell_of_ensemble"]

CLOSE_PACKED: dict[str, float] = {"cube": 1.0, "sphere": float(np.pi / np.sqrt(18.0))}
"""Densest packing of equal particles, exact."""


@dataclass(frozen=True)
class Shell:
    """Crystals with their ligands: shape, edge (or diameter), ligand length l, both in nm.

    core_share: volume of the crystal over that of crystal and shell.
    """

    shape: Literal["cube", "sphere"]
    edge_nm: float
    ligand_nm: float
    core_share: float

    @property
    def most(self) -> float:
        """Largest volume fraction of crystal that can be packed."""
        return CLOSE_PACKED[self.shape] * self.core_share

    def core_fraction(self, particle_fraction: float) -> float:
        """Volume fraction of crystal where crystals with their shells fill `particle_fraction`."""
        if not 0.0 <= particle_fraction <= CLOSE_PACKED[self.shape]:
            raise ModelRangeError(
                f"{self.shape}s filling {particle_fraction:.4g} of a film cannot be packed",
                allowed=f"0 to {CLOSE_PACKED[self.shape]:.4f}",
            )
        return particle_fraction * self.core_share


def shell(edge_nm: float, ligand_nm: float, shape: Literal["cube", "sphere"] = "cube") -> Shell:
    """Crystals of one size with ligands.

    >>> round(shell(8.5, 1.0).core_share, 4)
    0.5305
    """
    if shape not in CLOSE_PACKED:
        raise OptionError(f"the packing of {shape!r}", allowed=", ".join(CLOSE_PACKED))
    if not (0.0 < edge_nm < np.inf and 0.0 <= ligand_nm < np.inf):
        raise OptionError(
            f"crystals of {edge_nm:g} nm with ligands of {ligand_nm:g} nm", allowed="edge > 0, ligand >= 0 nm"
        )
    return Shell(shape, float(edge_nm), float(ligand_nm), (edge_nm / (edge_nm + 2.0 * ligand_nm)) ** 3)


def shell_of_ensemble(ensemble: Ensemble, ligand_nm: float) -> Shell:
    """Cubes or spheres of many sizes with ligands of one length; edge_nm is that of the mean volume."""
    shapes = set(ensemble.shape.tolist())
    if len(shapes) != 1 or not shapes <= set(CLOSE_PACKED):
        raise OptionError(
            f"the packing of {', '.join(sorted(shapes))}", allowed="an ensemble of cubes or of spheres"
        )
    if not 0.0 <= ligand_nm < np.inf:
        raise OptionError(f"ligands of {ligand_nm:g} nm", allowed="0 nm and more")
    size = ensemble.edge_a_nm
    mean, outer = (float(ensemble.average(edge**3)) for edge in (size, size + 2.0 * ligand_nm))
    return Shell(shapes.pop(), float(np.cbrt(mean)), float(ligand_nm), mean / outer)


def check_fraction(fraction: float, around: Shell | None) -> None:
    """Refuse a volume fraction of crystal that cannot be packed, saying why."""
    if not 0.0 <= fraction <= 1.0:
        raise OptionError(f"a volume fraction of {fraction:g}", where="film", allowed="0 to 1")
    if around is not None and fraction > around.most * (1.0 + 1e-12):
        packed = CLOSE_PACKED[around.shape]
        raise ModelRangeError(
            f"{fraction:.4g} of a film as crystal cannot be packed: {around.shape}s of {around.edge_nm:.3g} "
            f"nm with {around.ligand_nm:.3g} nm of ligands",
            where="film",
            allowed=f"up to {around.most:.4g}: {packed:.4f} (close packing) x {around.core_share:.4g} (core)",
            fix="lower the fraction, or take shorter ligands or larger crystals",
        )
