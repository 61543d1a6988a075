"""The solution of a recipe's vessel: its tables for the engines, and how saturated it is in every solid."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError
from perolux.materials import parse_composition
from perolux.synthesis.conditions import Conditions
from perolux.synthesis.kinetics import KineticConstants
from perolux.synthesis.laws import capillary_length_m
from perolux.synthesis.ledger import Ledger
from perolux.synthesis.models import ClassicalGrowth
from perolux.synthesis.phases import cation_of, equilibrium_totals
from perolux.synthesis.recipe import Chemistry
from perolux.synthesis.solution_line import PRODUCT, SolutionTable, tabulate
from perolux.synthesis.speciation import SOLIDS, Speciation, speciate

__all__ = ["OTHERS", "RESOLVED", "solution_at", "solution_of"]

FloatArray = npt.NDArray[np.float64]
OTHERS = tuple(name for name in SOLIDS if name != "APbX3")
"""Solids beside the product."""
RESOLVED = 1e-7
"""Share of the supply below which the engine does not tell what is dissolved (found: short by up to 2e-8)."""


def solution_of(
    product: str,
    ledger: Ledger,
    constants: KineticConstants,
    conditions: Conditions,
    model: ClassicalGrowth,
    chemistry: Chemistry,
) -> SolutionTable:
    """Tables along the reaction at the knots of a ledger.

    Raises `OptionError` where the equilibria, which know one A and one X, cannot tell the ions apart.
    """
    _require_one_of_each(product, ledger)
    totals = _totals(ledger, np.arange(len(ledger.time_s)))
    supplied = 1e-3 * conditions.supplied_mol_m3 / ledger.volume_ratio
    rest = {j: _rest(values, PRODUCT.get(j, 0.0) * supplied) for j, values in totals.items()}
    length = capillary_length_m(
        conditions.surface_energy_j_m2, model.formula_volume_m3, conditions.temperature_k
    )
    return tabulate(
        rest,
        supplied,
        conditions.solubility_mol_m3,
        ledger.time_s,
        steepest=float(np.max(length)) / model.least_radius_m,
        constants=constants,
        cation=cation_of(product),
        log10_k=chemistry.equilibria,
    )


def solution_at(
    product: str,
    ledger: Ledger,
    constants: KineticConstants,
    chemistry: Chemistry,
    time_s: npt.ArrayLike,
    bound_mol_m3: npt.ArrayLike,
) -> Speciation:
    """The equilibria of what crystals have left in solution, at times (s) of a recipe; no solid forms.

    bound_mol_m3: formula units in crystals, per m^3 of the reference volume.
    """
    times = np.asarray(time_s, dtype=float)
    volume = np.interp(times, ledger.time_s, ledger.volume_ratio)
    taken = 1e-3 * np.asarray(bound_mol_m3, dtype=float) / volume
    totals = {
        j: _rest(
            np.interp(times, ledger.time_s, values * ledger.volume_ratio) / volume,
            PRODUCT.get(j, 0.0) * taken,
        )
        for j, values in _totals(ledger, np.arange(len(ledger.time_s))).items()
    }
    return speciate(
        totals,
        temperature_k=np.interp(times, ledger.time_s, ledger.temperature_k),
        antisolvent_fraction=np.interp(times, ledger.time_s, ledger.antisolvent_fraction),
        constants=constants,
        cation=cation_of(product),
        log10_k=chemistry.equilibria,
        solids=(),
    )


def _totals(ledger: Ledger, knots: npt.NDArray[np.int64]) -> Mapping[str, FloatArray]:
    amounts = {
        name: values[knots] / ledger.volume_ratio[knots] for name, values in ledger.chemicals_mol_l.items()
    }
    return equilibrium_totals(amounts)


def _rest(total: FloatArray, taken: FloatArray) -> FloatArray:
    """What is left of a total: none where it is rounding, or below what the engine resolves."""
    left = total - taken
    return np.where((left < 1e-12 * total) & (left > -RESOLVED * total), 0.0, left)


def _require_one_of_each(product: str, ledger: Ledger) -> None:
    composition = parse_composition(product)
    own = {site for site, _ in composition.cations} | {x for x, share in composition.halides if share}
    there = {ion for ion, values in ledger.fed_mol_l.items() if ion != "Pb" and np.any(values > 0)}
    if len(own) != 2 or there != own:
        raise OptionError(
            f"the equilibria know one A and one X, the recipe has {', '.join(sorted(own | there))}",
            where="chemistry.supersaturation",
            allowed="a product of one cation and one halide, and no others fed",
            fix='take supersaturation = "monomer"',
        )
