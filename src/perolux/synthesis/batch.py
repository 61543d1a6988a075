"""A recipe in a vessel, from start to end: rows over time, the ensemble, and where every ion went."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from perolux.errors import ConvergenceError
from perolux.quantities import Value
from perolux.synthesis.cohorts import TOLERANCE, grow
from perolux.synthesis.feasibility import require_feasible
from perolux.synthesis.history import History
from perolux.synthesis.kinetics import FLOW_ONLY, KineticConstants, prior_constants, priors
from perolux.synthesis.laws import LEAST_SUPERSATURATION
from perolux.synthesis.ledger import Ledger, ledger_of
from perolux.synthesis.phases import component_of, phase_names, phase_shares, vessel_equilibrium
from perolux.synthesis.recipe import Recipe, in_a_flask
from perolux.synthesis.schedule import Schedule, schedule_of, stoichiometry
from perolux.synthesis.solution import OTHERS, RESOLVED, solution_at
from perolux.synthesis.speciation import COMPONENTS, Speciation, counts_of_species, records_among

if TYPE_CHECKING:
    from perolux.ensemble import Ensemble
    from perolux.synthesis.inline_spectra import InlineSpectra
    from perolux.synthesis.recipe import AnyRecipe

__all__ = [
    "Batch",
    "constants_of",
    "grow_recipe",
    "nothing_nucleates",
    "priors_of",
    "times_of",
    "vessel_balances",
    "warnings_of",
]

_ROWS = 60
_MOST_STEPS_BY_IONS = 100_000


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
        if self.by_ions:
            return self._balances_by_species()
        return vessel_balances(
            self.recipe,
            self.ledger,
            crystals_mol_m3=self.schedule.model.bound_mol_m3(self.history.distributions[-1]),
            monomer_mol_m3=float(self.history.dissolved_mol_m3[-1] * self.history.volume_ratio[-1]),
            supplied_mol_m3=float(self.history.supplied_mol_m3[-1]),
        )

    @property
    def by_ions(self) -> bool:
        """Whether the supersaturation is that of the ions in solution, not of the free monomer."""
        return self.schedule.model.solution is not None

    def _balances_by_species(self) -> dict[str, dict[str, float]]:
        """The same with the dissolved counted complex by complex, less what the engine took too much."""
        last = self.history.distributions[-1]
        crystals = self.schedule.model.bound_mol_m3(last) * self.ledger.reference_ml
        litres = 1e-3 * self.ledger.reference_ml * float(self.history.volume_ratio[-1])
        found = self.solution([self.recipe.observe.until], [self.schedule.model.bound_mol_m3(last)])
        names, counts = counts_of_species()
        need = stoichiometry(self.recipe.product)
        short = min(float(self.history.dissolved_mol_m3[-1]), 0.0)
        balances = {}
        for ion, total in _fed_umol(self.recipe, self.ledger).items():
            component = component_of(ion)
            k = COMPONENTS.index(component)
            available, fed = self.ledger.available_mol_l[ion][-1], self.ledger.fed_mol_l[ion][-1]
            dissolved = sum(counts[i, k] * float(found.species[name][-1]) for i, name in enumerate(names))
            parts = {
                "in_crystals_umol": float(need.get(ion, 0.0) * crystals),
                "dissolved_umol": float(litres * (1e6 * dissolved + 1e3 * need.get(ion, 0.0) * short)),
                "not_yet_mixed_umol": 1e3 * float(fed - available) * self.ledger.reference_ml,
            }
            error = float(abs(sum(parts.values()) - total) / total) if total > 0 else 0.0
            balances[ion] = {"fed_umol": total, **parts, "error": error}
        return balances

    def solution(
        self, time_s: npt.ArrayLike | None = None, bound_mol_m3: npt.ArrayLike | None = None
    ) -> Speciation:
        """The equilibria of what crystals have left in solution, at the times of the rows."""
        return solution_at(
            self.recipe.product,
            self.ledger,
            self.constants,
            self.recipe.chemistry,
            self.history.time_s if time_s is None else time_s,
            self.history.bound_mol_m3 if bound_mol_m3 is None else bound_mol_m3,
        )

    def saturation(self) -> dict[str, Any]:
        """How saturated the solution is in every solid at the times of the rows.

        log10_saturation: log10(ion product/Ksp) of each solid, None where an ion is missing or the cation has
        no such solid. share_of_lead: in solids beside the crystals (0 where they are only watched).
        """
        found = self.solution()
        names = phase_names(self.recipe.product)
        return {
            "t_s": [float(t) for t in self.history.time_s],
            "log10_saturation": {
                names[solid]: [float(x) if np.isfinite(x) else None for x in values / np.log(10.0)]
                for solid, values in found.ln_saturation.items()
            },
        }

    def phases(self) -> dict[str, float]:
        """Share of the lead in each solid and in solution if all came to equilibrium at the end.

        Growth knows the product only; `synthesis.phases` knows every solid, with constants that are assumed.
        """
        found = vessel_equilibrium(
            self.recipe.product,
            self.ledger,
            self.constants,
            self.history.time_s[-1:],
            self.recipe.chemistry.equilibria,
        )
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
        found = priors_of(self.recipe, self.constants, self.schedule)
        equilibria: list[Value] = []
        if self.by_ions:
            there = {j for j, total in self.solution().totals.items() if np.any(total > 0)}
            given = self.recipe.chemistry.equilibria
            equilibria = [v for name, v in records_among(there).items() if name not in given]
            topo = priors()["topo_dissociation_mol_l"]
            if "complexant" in there and "PbX2[complexant]" not in given and topo not in found:
                found.append(topo)
        return found + equilibria


def vessel_balances(
    recipe: Recipe,
    ledger: Ledger,
    *,
    crystals_mol_m3: float,
    monomer_mol_m3: float,
    supplied_mol_m3: float,
) -> dict[str, dict[str, float]]:
    """What `Batch.balances` says, from formula units (per reference volume) in crystals and in solution."""
    # mol/m^3 of the reference volume is umol/mL
    millilitres = ledger.reference_ml
    need = stoichiometry(recipe.product)
    found = {}
    for ion, total in _fed_umol(recipe, ledger).items():
        count = need.get(ion, 0.0)
        available = 1e3 * float(ledger.available_mol_l[ion][-1])
        unmixed = 1e3 * float(ledger.fed_mol_l[ion][-1]) - available
        dissolved = count * monomer_mol_m3 + (available - count * supplied_mol_m3)
        parts = {
            "in_crystals_umol": count * crystals_mol_m3 * millilitres,
            "dissolved_umol": dissolved * millilitres,
            "not_yet_mixed_umol": unmixed * millilitres,
        }
        error = abs(sum(parts.values()) - total) / total if total > 0 else 0.0
        found[ion] = {"fed_umol": total, **parts, "error": error}
    return found


def _fed_umol(recipe: Recipe, ledger: Ledger) -> dict[str, float]:
    """Ions in all portions that have been poured by the end, in micromol."""
    end = np.array([recipe.observe.until])
    found = {ion: 1e6 * mol for ion, mol in ledger.start.components().items()}
    for one in ledger.additions:
        for ion, mol in one.amounts.components().items():
            found[ion] = found.get(ion, 0.0) + 1e6 * one.share * float(one.fed(end)[0]) * mol
    return found


def priors_of(recipe: Recipe, constants: KineticConstants, schedule: Schedule) -> list[Value]:
    """The priors that growth in this vessel uses and the recipe does not give."""
    kinds = {event.kind for event in recipe.events}
    unused = {*constants.from_recipe, *FLOW_ONLY}
    if "antisolvent" not in kinds:
        unused.add("antisolvent_exponent")
    if not schedule.conditions.dissociation_mol_m3.any():
        unused.add("topo_dissociation_mol_l")
    if not schedule.conditions.ligand_mol_m3.any():
        unused |= {"ligand_binding_l_mol", "ligand_cover_per_nm2"}
    if all(event.mixing is not None for event in recipe.events if event.contents):
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
    schedule = schedule_of(recipe.product, ledger, used, recipe.chemistry)
    times = times_of(recipe)
    if schedule.model.solution is None:
        history = grow(schedule.model, schedule.conditions, times, tolerance=tolerance)
        return Batch(recipe, used, ledger, schedule, history, warnings_of(schedule, history))
    try:
        history = grow(
            schedule.model, schedule.conditions, times, tolerance=tolerance, most_steps=_MOST_STEPS_BY_IONS
        )
    except ConvergenceError as error:
        problem = error.problems[0]
        raise ConvergenceError(
            f"{problem.what}: by the ions the supersaturation may be so large that all nucleates at once",
            where="chemistry.supersaturation",
            fix="constants chosen for the free monomer do not carry over: raise solubility_mol_l or "
            "surface_energy_j_m2 in [kinetics], or bind the ions more strongly",
        ) from error
    batch = Batch(recipe, used, ledger, schedule, history, ())
    return replace(batch, warnings=(*warnings_of(schedule, history), *_other_solids(batch)))


def _other_solids(batch: Batch) -> list[str]:
    """In which solids beside the product the solution was supersaturated, how much and when."""
    found, time, names = batch.solution(), batch.history.time_s, phase_names(batch.recipe.product)
    sentences = []
    history = batch.history
    supplied = history.supplied_mol_m3 / history.volume_ratio
    below = (supplied > 0) & (history.dissolved_mol_m3 < RESOLVED * supplied)
    if below.any():
        sentences.append(
            f"from t = {time[np.argmax(below)]:.3g} s on so little is dissolved (below {RESOLVED:g} of the "
            "supply) that the supersaturation is not resolved"
        )
    for solid in OTHERS:
        times_over = found.supersaturation[solid]
        above = np.nan_to_num(times_over) > LEAST_SUPERSATURATION
        if above.any():
            since, until = time[np.argmax(above)], time[len(above) - 1 - np.argmax(above[::-1])]
            sentences.append(
                f"the solution is supersaturated in {names[solid]} from t = {since:.3g} s to {until:.3g} s, "
                f"{np.nanmax(times_over):.3g}-fold an ion at most; growth forms none (constants assumed)"
            )
    return sentences


def times_of(recipe: Recipe) -> np.ndarray:
    """Times of the rows (s): those of [observe], else 60 of rising step; the end is always one."""
    end = recipe.observe.until
    if recipe.observe.times is None:
        return end * np.geomspace(1e-3, 1.0, _ROWS)
    times = np.array(recipe.observe.times)
    # balances and the ensemble belong to the end
    return times if times[-1] == end else np.append(times, end)


def warnings_of(schedule: Schedule, history: History) -> tuple[str, ...]:
    """What a reader must know: the scarcest component, and why nothing nucleates."""
    found = [f"{schedule.limiting} is the scarcest: the yield counts by it", *history.warnings]
    if history.nuclei_per_m3[-1] < 1.0:
        found.append(nothing_nucleates(schedule, history.largest_supersaturation))
    return (*found, *schedule.warnings)


def nothing_nucleates(schedule: Schedule, by_ions: float | None = None) -> str:
    """Why there are no crystals, in words. by_ions: the largest supersaturation of ions, where they drive."""
    table = schedule.conditions
    best = float(np.max(table.supplied_mol_m3 / table.volume_ratio / table.solubility_mol_m3))
    if schedule.model.solution is not None and by_ions is not None:
        best = by_ions
    why = "is not above" if best <= LEAST_SUPERSATURATION else "does not carry nuclei over the barrier, above"
    return f"nothing nucleates: the largest supersaturation, {best:.3g}, {why} {LEAST_SUPERSATURATION:g}"
