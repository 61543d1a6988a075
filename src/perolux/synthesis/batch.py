"""A recipe in a vessel, from start to end: rows over time, the ensemble, and where every ion went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from perolux.quantities import Value
from perolux.synthesis.cohorts import TOLERANCE, grow
from perolux.synthesis.feasibility import require_feasible
from perolux.synthesis.history import History
from perolux.synthesis.kinetics import KineticConstants, prior_constants, priors
from perolux.synthesis.laws import LEAST_SUPERSATURATION
from perolux.synthesis.ledger import Ledger, ledger_of
from perolux.synthesis.recipe import Recipe
from perolux.synthesis.schedule import Schedule, schedule_of, stoichiometry

if TYPE_CHECKING:
    from perolux.ensemble import Ensemble

__all__ = ["Batch", "constants_of", "grow_recipe"]

_ROWS = 60


@dataclass(frozen=True)
class Batch:
    """A grown recipe. history: against time; ledger, schedule: what it grew in; constants: as used."""

    recipe: Recipe
    constants: KineticConstants
    ledger: Ledger
    schedule: Schedule
    history: History
    warnings: tuple[str, ...]

    @property
    def yield_fraction(self) -> float:
        """Share of the scarcest component of the product that is in crystals at the end."""
        supplied = float(self.history.supplied_mol_m3[-1])
        return float(self.history.bound_mol_m3[-1]) / supplied if supplied > 0 else 0.0

    def rows(self) -> list[dict[str, Any]]:
        """Rows over time: those of `History.rows`, mean edge in place of the diameter, temperature, yield."""
        found = []
        for i, row in enumerate(self.history.rows()):
            time = float(self.history.time_s[i])
            at = self.schedule.conditions.at(time)
            edge = row.pop("mean_diameter_nm")
            supplied = float(self.history.supplied_mol_m3[-1])
            found.append(
                row
                | {
                    "mean_edge_nm": edge,
                    "temperature_c": at["temperature_k"] - 273.15,
                    "yield": float(self.history.bound_mol_m3[i]) / supplied if supplied > 0 else 0.0,
                }
            )
        return found

    def balances(self) -> dict[str, dict[str, float]]:
        """Where each ion is at the end, in micromol: fed, dissolved, in_crystals, and the relative error.

        Aliquots are counted in: amounts are those of everything that was ever in the vessel.
        """
        millilitres = self.ledger.reference_ml
        bound = float(self.history.bound_mol_m3[-1])
        need = stoichiometry(self.recipe.product)
        found = {}
        for ion, fed in self.ledger.fed_mol_l.items():
            # mol/L = mmol/mL, and mol/m^3 = umol/mL
            total = 1e3 * float(fed[-1]) * millilitres
            crystals = bound * need.get(ion, 0.0) * millilitres
            unmixed = 1e3 * float(fed[-1] - self.ledger.available_mol_l[ion][-1]) * millilitres
            free = 1e3 * float(self.ledger.available_mol_l[ion][-1]) * millilitres - crystals
            found[ion] = {
                "fed_umol": total,
                "in_crystals_umol": crystals,
                "dissolved_umol": free,
                "not_yet_mixed_umol": unmixed,
                "error": abs(crystals + free + unmixed - total) / total if total > 0 else 0.0,
            }
        return found

    def ensemble(self) -> Ensemble | None:
        """The crystals at the end as an `Ensemble` of cubes; None where there are none."""
        from perolux.ensemble import Population, from_table

        last = self.history.distributions[-1]
        if not len(last) or last.number <= 0:
            return None
        edge = 1e9 * (last.low_m + last.high_m)
        population = Population(
            shape="cube",
            size_convention="core-edge",
            material=self.recipe.product,
            number_per_litre=1e-3 * last.number / float(self.history.volume_ratio[-1]),
        )
        return from_table(edge, population, last.number_per_m3)

    def rests_on(self) -> list[Value]:
        """The priors that this result rests on: every kinetic constant that the recipe did not give."""
        return [value for name, value in priors().items() if name not in self.constants.from_recipe]


def constants_of(recipe: Recipe) -> KineticConstants:
    """Kinetic constants of a recipe: its own, and the middle of the priors for the rest."""
    own = {name: value for name, value in recipe.kinetics.model_dump().items() if value is not None}
    return prior_constants().with_values(own)


def grow_recipe(
    recipe: Recipe, *, constants: KineticConstants | None = None, tolerance: float = TOLERANCE
) -> Batch:
    """Carry out a recipe. Raises `OptionError` with all that cannot be carried out."""
    require_feasible(recipe)
    used = constants or constants_of(recipe)
    ledger = ledger_of(recipe, used)
    schedule = schedule_of(recipe.product, ledger, used)
    history = grow(schedule.model, schedule.conditions, _times(recipe), tolerance=tolerance)
    return Batch(recipe, used, ledger, schedule, history, _warnings(schedule, history))


def _times(recipe: Recipe) -> np.ndarray:
    if recipe.observe.times is not None:
        times = np.array([t for t in recipe.observe.times if t > 0])
        return (
            times
            if len(times) and times[-1] == recipe.observe.until
            else np.append(times, recipe.observe.until)
        )
    end = recipe.observe.until
    return end * np.geomspace(1e-3, 1.0, _ROWS)


def _warnings(schedule: Schedule, history: History) -> tuple[str, ...]:
    found = [f"{schedule.limiting} is the scarcest: the yield counts by it"]
    if history.nuclei_per_m3[-1] < 1.0:
        table = schedule.conditions
        best = float(np.max(table.supplied_mol_m3 / table.volume_ratio / table.solubility_mol_m3))
        why = (
            "is not above"
            if best <= LEAST_SUPERSATURATION
            else "does not carry nuclei over the barrier, above"
        )
        found.append(
            f"nothing nucleates: the largest supersaturation, {best:.3g}, {why} {LEAST_SUPERSATURATION:g}"
        )
    return (*found, *schedule.warnings)
