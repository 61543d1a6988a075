"""The laws by which one population nucleates and grows: what an engine is asked to solve.

`ClassicalGrowth` is the law of every route. The others have exact solutions, or belong to other programs;
the tests and the benchmarks solve them with the same engines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError, Problem
from perolux.quantities.constants import AVOGADRO_PER_MOL
from perolux.synthesis.history import SizeDistribution
from perolux.synthesis.laws import SHAPE_FACTORS, CrystalShape

if TYPE_CHECKING:
    from perolux.synthesis.solution_line import SolutionTable

__all__ = ["ClassicalGrowth", "Model", "PlainGrowth", "PowerLawGrowth", "Ripening"]

FloatArray = npt.NDArray[np.float64]
_PARAMETERS = 8


@dataclass(frozen=True)
class ClassicalGrowth:
    """Classical nucleation and Gibbs-Thomson growth with the exponential kept (`laws.py`).

    formula_volume_m3: v_m of one formula unit. shape: of the crystals; sizes are the radius or half the edge.
    least_radius_m: a crystal that shrinks to it dissolves and gives back what it holds.
    sites_per_m3: places on which a nucleus can form, each once, per reference volume (0: no limit).
    ligand_binding_m3_mol, ligand_per_area_mol_m2: K_L and the densest cover of Langmuir's law, by whose
    uncovered share k_r is multiplied; 0: growth knows no ligand.
    solution: tables of the ions in solution, by whose activities S goes then; None: by the free monomer.
    """

    formula_volume_m3: float
    shape: CrystalShape = "cube"
    least_radius_m: float = 6e-10
    sites_per_m3: float = 0.0
    ligand_binding_m3_mol: float = 0.0
    ligand_per_area_mol_m2: float = 0.0
    solution: SolutionTable | None = None

    def __post_init__(self) -> None:
        problems = [
            Problem(f"{name} = {getattr(self, name)!r}", "model", "a finite number above 0")
            for name in ("formula_volume_m3", "least_radius_m")
            if not 0 < getattr(self, name) < np.inf
        ]
        problems += [
            Problem(f"{name} = {getattr(self, name)!r}", "model", "0 or a finite number above it")
            for name in ("sites_per_m3", "ligand_binding_m3_mol", "ligand_per_area_mol_m2")
            if not 0 <= getattr(self, name) < np.inf
        ]
        if self.shape not in SHAPE_FACTORS:
            problems.append(Problem(f"shape = {self.shape!r}", "model", ", ".join(SHAPE_FACTORS)))
        if problems:
            raise OptionError(problems)

    @property
    def amount_per_r3(self) -> float:
        """Formula units (mol) in a crystal over r^3 (m^3)."""
        return 8.0 * SHAPE_FACTORS[self.shape][0] / (self.formula_volume_m3 * AVOGADRO_PER_MOL)

    def bound_mol_m3(self, crystals: SizeDistribution) -> float:
        """Amount in crystals (mol per m^3 of reference volume): amount_per_r3 times the sum of N r^3."""
        return self.amount_per_r3 * crystals.moment(3)

    def packed(self) -> tuple[int, FloatArray]:
        """Kind of law and its parameters, as the compiled loops take them."""
        area = 24.0 if self.shape == "cube" else 4.0 * np.pi
        return 0, np.array(
            [
                self.least_radius_m, self.amount_per_r3, self.formula_volume_m3, SHAPE_FACTORS[self.shape][1],
                self.sites_per_m3, self.ligand_binding_m3_mol, self.ligand_per_area_mol_m2, area,
            ]
        )  # fmt: skip


@dataclass(frozen=True)
class PowerLawGrowth:
    """Nucleation B = k_p s^u at one size and growth dL/dt = k_g s^g, s = (c - c_s)/c_s; no dissolution.

    L = 2 r is the size; volume of a crystal: volume_factor L^3; density: amount per volume, in the unit of
    the concentrations (per m^3). Where s is 0 or less nothing happens.
    """

    nucleation_per_m3_s: float
    nucleation_order: float
    growth_m_s: float
    growth_order: float
    entry_size_m: float
    volume_factor: float
    density_per_m3: float

    @property
    def amount_per_r3(self) -> float:
        """Amount in a crystal over r^3."""
        return 8.0 * self.volume_factor * self.density_per_m3

    def bound_mol_m3(self, crystals: SizeDistribution) -> float:
        """Amount in crystals (mol per m^3 of reference volume): amount_per_r3 times the sum of N r^3."""
        return self.amount_per_r3 * crystals.moment(3)

    def packed(self) -> tuple[int, FloatArray]:
        """Kind of law and its parameters, as the compiled loops take them."""
        return 1, np.array(
            [
                0.0, self.amount_per_r3, self.nucleation_per_m3_s, self.nucleation_order, self.growth_m_s,
                self.growth_order, 0.5 * self.entry_size_m, 0.0,
            ]
        )  # fmt: skip


@dataclass(frozen=True)
class PlainGrowth:
    """Growth that knows no solution: dr/dt = g ("constant"), g r ("linear") or g/r ("inverse"), and constant
    nucleation at one radius. Exact solutions A1 to A5 of the tests."""

    law: Literal["constant", "linear", "inverse"]
    rate: float
    nucleation_per_m3_s: float = 0.0
    entry_radius_m: float = 0.0

    def bound_mol_m3(self, crystals: SizeDistribution) -> float:
        """Nothing: this law knows no amounts."""
        del crystals
        return 0.0

    def packed(self) -> tuple[int, FloatArray]:
        """Kind of law and its parameters, as the compiled loops take them."""
        kind = ("constant", "linear", "inverse").index(self.law)
        values = [0.0, 0.0, float(kind), self.rate, self.nucleation_per_m3_s, self.entry_radius_m]
        return 2, np.array(values + [0.0] * (_PARAMETERS - len(values)))


@dataclass(frozen=True)
class Ripening:
    """Ripening with Gibbs-Thomson linearised and nothing stored in solution: Lifshitz-Slyozov and Wagner.

    "diffusion": dr/dt = (K/r)(1/mean(r) - 1/r), K = D v_m c_s l_c (m^3/s). "surface": dr/dt = K (1/r_c - 1/r)
    with r_c = m2/m1, K = k_r v_m c_s l_c (m^2/s). Total volume stays.
    """

    limit: Literal["diffusion", "surface"]
    rate: float

    def bound_mol_m3(self, crystals: SizeDistribution) -> float:
        """Nothing: this law knows no amounts."""
        del crystals
        return 0.0

    def packed(self) -> tuple[int, FloatArray]:
        """Kind of law and its parameters, as the compiled loops take them."""
        kind = ("diffusion", "surface").index(self.limit)
        return 3, np.array([0.0, 0.0, float(kind), self.rate] + [0.0] * (_PARAMETERS - 4))


Model = ClassicalGrowth | PowerLawGrowth | PlainGrowth | Ripening
