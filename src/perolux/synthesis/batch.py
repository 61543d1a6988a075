"""A recipe in a vessel, from start to end: rows over time, the ensemble, and where every ion went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from perolux.quantities import Value
from perolux.synthesis.cohorts import TOLERANCE, grow
from perolux.synthesis.feasibility import require_feasible
from perolux.synthesis.history import History
from perolux.synthesis.kinetics import FLOW_ONLY, KineticConstants, prior_constants, priors
from perolux.synthesis.laws import LEAST_SUPERSATURATION
from perolux.synthesis.ledger import Ledger, ledger_of
from perolux.synthesis.phases import phase_shares, vessel_equilibrium
from perolux.synthesis.recipe import Recipe, in_a_flask
from perolux.synthesis.schedule import Schedule, schedule_of, stoichiometry

if TYPE_CHECKING:
    from perolux.ensemble import Ensemble
    from perolux.synthesis.inline_spectra import InlineSpectra
    from perolux.synthesis.recipe import AnyRecipe

__all__ = ["Batch", "constants_of", "grow_recipe", "warnings_of"]

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
        """Where each ion is at the end, in micromol: shares counted one by one, and what they leave out.

        fed: from the portions of the recipe. in_crystals: from the sizes at the end. dissolved: monomer that
        the engine left in solution, and what the scarcest component left over. error: relative, of their sum.
        Aliquots are counted in: amounts are those of everything that was ever in the vessel.
        """
        # mol/m^3 of the reference volume is umol/mL
        millilitres = self.ledger.reference_ml
        crystals = self.schedule.model.bound_mol_m3(self.history.distributions[-1])
        monomer = float(self.history.dissolved_mol_m3[-1] * self.history.volume_ratio[-1])
        supplied = float(self.history.supplied_mol_m3[-1])
        need = stoichiometry(self.recipe.product)
        found = {}
        for ion, total in self._fed_umol().items():
            count = need.get(ion, 0.0)
            available = 1e3 * float(self.ledger.available_mol_l[ion][-1])
            unmixed = 1e3 * float(self.ledger.fed_mol_l[ion][-1]) - available
            dissolved = count * monomer + (available - count * supplied)
            parts = {
                "in_crystals_umol": count * crystals * millilitres,
                "dissolved_umol": dissolved * millilitres,
                "not_yet_mixed_umol": unmixed * millilitres,
            }
            error = abs(sum(parts.values()) - total) / total if total > 0 else 0.0
            found[ion] = {"fed_umol": total, **parts, "error": error}
        return found

    def _fed_umol(self) -> dict[str, float]:
        """Ions in all portions that have been poured by the end, in micromol."""
        end = np.array([self.recipe.observe.until])
        found = {ion: 1e6 * mol for ion, mol in self.ledger.start.components().items()}
        for one in self.ledger.additions:
            for ion, mol in one.amounts.components().items():
                found[ion] = found.get(ion, 0.0) + 1e6 * one.share * float(one.fed(end)[0]) * mol
        return found

    def phases(self) -> dict[str, float]:
        """Share of the lead in each solid and in solution if all came to equilibrium at the end.

        Growth knows the product only; `synthesis.phases` knows every solid, with constants that are assumed.
        """
        found = vessel_equilibrium(self.recipe.product, self.ledger, self.constants, self.history.time_s[-1:])
        return phase_shares(self.recipe.product, found)

    def spectra(self, *, sets: str | None = None, seed: int = 0) -> InlineSpectra:
        """PL and absorbance at the times of the rows, as [spectra] of the recipe says."""
        from perolux.synthesis.inline_spectra import inline_spectra, spectrometer_of

        return inline_spectra(
            self.recipe.product,
            self.history.distributions,
            self.history.time_s,
            self.history.volume_ratio,
            spectrometer_of(self.recipe.spectra),
            sets=sets,
            seed=seed,
        )

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
        """The priors that this result rests on: constants that it used and the recipe did not give."""
        kinds = {event.kind for event in self.recipe.events}
        unused = {*self.constants.from_recipe, *FLOW_ONLY}
        if "antisolvent" not in kinds:
            unused.add("antisolvent_exponent")
        if not self.schedule.conditions.dissociation_mol_m3.any():
            unused.add("topo_dissociation_mol_l")
        if not self.schedule.conditions.ligand_mol_m3.any():
            unused |= {"ligand_binding_l_mol", "ligand_cover_per_nm2"}
        if all(event.mixing is not None for event in self.recipe.events if event.contents):
            unused.add("mixing_time_s")
        return [value for name, value in priors().items() if name not in unused]


def constants_of(recipe: AnyRecipe) -> KineticConstants:
    """Kinetic constants of a recipe: its own, and the middle of the priors for the rest."""
    own = {name: value for name, value in recipe.kinetics.model_dump().items() if value is not None}
    return prior_constants().with_values(own)


def grow_recipe(
    recipe: AnyRecipe, *, constants: KineticConstants | None = None, tolerance: float = TOLERANCE
) -> Batch:
    """Carry out a recipe in a flask. Raises `OptionError` with all that cannot be carried out."""
    recipe = in_a_flask(recipe)
    require_feasible(recipe)
    used = constants or constants_of(recipe)
    ledger = ledger_of(recipe, used)
    schedule = schedule_of(recipe.product, ledger, used)
    history = grow(schedule.model, schedule.conditions, _times(recipe), tolerance=tolerance)
    return Batch(recipe, used, ledger, schedule, history, warnings_of(schedule, history))


def _times(recipe: Recipe) -> np.ndarray:
    end = recipe.observe.until
    if recipe.observe.times is None:
        return end * np.geomspace(1e-3, 1.0, _ROWS)
    times = np.array(recipe.observe.times)
    # the end is always a row: balances and the ensemble belong to it
    return times if times[-1] == end else np.append(times, end)


def warnings_of(schedule: Schedule, history: History) -> tuple[str, ...]:
    """What a reader must know: the scarcest component, and why nothing nucleates."""
    found = [f"{schedule.limiting} is the scarcest: the yield counts by it", *history.warnings]
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
