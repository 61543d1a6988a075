"""Droplets of mixed halides, carried out: monohalide crystals that nucleate beside one another and mix.

Flow, mixing, warmth and residence times are those of one halide (`flow.py`, `tube.py`); populations, their
light and the balances of every ion are told at each detector. Each pace of the droplets has its own history.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError, Problem
from perolux.quantities import Value
from perolux.surface.miscibility import binodal, spinodal
from perolux.synthesis.cohorts import TOLERANCE
from perolux.synthesis.flow_feasibility import flow_problems
from perolux.synthesis.inline_spectra import spectrometer_of
from perolux.synthesis.kinetics import KineticConstants, priors
from perolux.synthesis.laws import LEAST_SUPERSATURATION
from perolux.synthesis.ledger import Ledger
from perolux.synthesis.mixed_conditions import MixedSchedule, mixed_constants, mixed_schedule
from perolux.synthesis.mixed_crystals import MixedCrystals
from perolux.synthesis.mixed_growth import MixedHistory, grow_mixed
from perolux.synthesis.mixed_light import MixedSpectra, mixed_spectra
from perolux.synthesis.mixed_priors import mixed_priors
from perolux.synthesis.recipe_mixed import MixedDropletRecipe
from perolux.synthesis.residence import residence_times
from perolux.synthesis.tube import TubeFlow, fed_umol_min, flow_ledger, tube_of

__all__ = ["AtMixedDetector", "MixedFlow", "grow_mixed_flow"]

FloatArray = npt.NDArray[np.float64]
_FEW = 100.0
_EVEN = 1e-6
"""A fraction that far from a limit counts as on it."""


@dataclass(frozen=True, eq=False)
class AtMixedDetector:
    """Crystals and solution where a detector looks; amounts per m^3 of what reacts.

    dissolved_mol_m3: of cation, lead, first and second halide. pool_fraction: of the second halide in
    solution. available_mol_l, fed_mol_l: ions that have mixed in, and all. nuclei_per_m3: by family.
    """

    position_mm: float
    time_s: float
    time_sd_s: float
    temperature_k: float
    crystals: MixedCrystals
    dissolved_mol_m3: FloatArray
    monomer_mol_m3: float
    pool_fraction: float
    supersaturation: FloatArray
    nuclei_per_m3: FloatArray
    available_mol_l: dict[str, float]
    fed_mol_l: dict[str, float]


@dataclass(frozen=True, eq=False)
class MixedFlow:
    """A recipe of mixed halides in droplets, carried out. schedule: of the middle pace."""

    recipe: MixedDropletRecipe
    constants: tuple[KineticConstants, KineticConstants]
    tube: TubeFlow
    schedule: MixedSchedule
    detectors: tuple[AtMixedDetector, ...]
    warnings: tuple[str, ...]

    def rows(self, spectra: MixedSpectra | None = None) -> list[dict[str, Any]]:
        """One dictionary a detector; with spectra their bands (pl_bands_nm, pl_bands, by parameter set).

        mean_fraction, fraction_sd: of the second halide, over crystals, weighed by amount. families: of what
        nucleated as each monohalide its number, mean edge and mean fraction. Null where there are no
        crystals.
        """
        found = []
        for i, at in enumerate(self.detectors):
            crystals = at.crystals
            bound = float(crystals.formula_mol_m3.sum())
            row: dict[str, Any] = {
                "position_mm": at.position_mm,
                "time_s": at.time_s,
                "time_sd_s": at.time_sd_s,
                "temperature_c": at.temperature_k - 273.15,
                "N_per_m3": crystals.number,
                "mean_edge_nm": crystals.mean_edge_nm,
                "cv": crystals.cv,
                "mean_fraction": crystals.mean_fraction,
                "fraction_sd": crystals.fraction_sd,
                "families": self._families(at),
                "dissolved_fraction": at.pool_fraction,
                "c_mol_m3": at.monomer_mol_m3,
                "supersaturation": [float(s) for s in at.supersaturation],
                "yield": bound / (bound + at.monomer_mol_m3) if bound > 0 else 0.0,
            }
            if spectra is not None:
                bands = spectra.bands_nm[i]
                row["pl_bands_nm"] = bands
                row["pl_bands"] = {name: len(one) for name, one in bands.items()}
                row["without_light"] = float(spectra.left_out[i])
            found.append(row)
        return found

    def _families(self, at: AtMixedDetector) -> dict[str, dict[str, float | None]]:
        names = self.recipe.solids if self.schedule.law.families == 2 else (self.recipe.product,)
        found: dict[str, dict[str, float | None]] = {}
        for k, name in enumerate(names):
            one = at.crystals.of(k)
            found[name] = {
                "N_per_m3": one.number,
                "nuclei_per_m3": float(at.nuclei_per_m3[k]),
                "mean_edge_nm": one.mean_edge_nm,
                "mean_fraction": one.mean_fraction,
            }
        return found

    def balances(self, i: int = -1) -> dict[str, dict[str, float]]:
        """Where each ion is at a detector, in micromol per minute: shares counted one by one, and the error.

        fed: from portions and flow rates. in_crystals: from edges, lattice constants and fractions of the
        crystals. dissolved: as the engine left it. not_yet_mixed: from the ledger.
        """
        at, recipe, flow = self.detectors[i], self.recipe, self.tube.flow_ml_min
        units = at.crystals.formula_mol_m3
        first, second = units @ (1.0 - at.crystals.fraction), units @ at.crystals.fraction
        held = (float(units.sum()), float(units.sum()), 3.0 * float(first), 3.0 * float(second))
        order = (recipe.cation, "Pb", *recipe.halides)
        found = {}
        for ion, total in fed_umol_min(recipe).items():
            available = 1e3 * at.available_mol_l[ion]
            if ion in order:
                k = order.index(ion)
                crystals, dissolved = held[k], float(at.dissolved_mol_m3[k])
            else:
                crystals, dissolved = 0.0, available
            parts = {
                "in_crystals": crystals * flow,
                "dissolved": dissolved * flow,
                "not_yet_mixed": (1e3 * at.fed_mol_l[ion] - available) * flow,
            }
            error = abs(sum(parts.values()) - total) / total if total > 0 else 0.0
            found[ion] = {
                "fed_umol_min": total,
                **{f"{name}_umol_min": value for name, value in parts.items()},
                "error": error,
            }
        return found

    def mean_fraction_fed(self) -> float:
        """Fraction of the second halide among both in what is fed."""
        fed = fed_umol_min(self.recipe)
        first, second = (fed.get(one, 0.0) for one in self.recipe.halides)
        return second / (first + second)

    def spectra(self) -> MixedSpectra:
        """PL at the detectors as [spectra] says, without noise. Raises what the materials raise."""
        spectrometer = spectrometer_of(self.recipe.spectra, self.recipe.tube.inner_diameter)
        return mixed_spectra(self.recipe.composition, [at.crystals for at in self.detectors], spectrometer)

    @property
    def given(self) -> tuple[str, ...]:
        """Constants that the recipe gave, those of one halide by its name."""
        recipe = self.recipe
        found = [name for name, value in recipe.kinetics.model_dump().items() if value is not None]
        for halide, block in recipe.monohalides.items():
            found += [f"{halide}: {name}" for name, value in block.model_dump().items() if value is not None]
        own = {"exchange_rate_per_s": recipe.mixing.exchange_rate_per_s}
        own["monohalide_order"] = recipe.mixing.monohalide_order
        return (*found, *(name for name, value in own.items() if value is not None))

    def rests_on(self) -> list[Value]:
        """The priors that this result rests on: constants that it used and the recipe did not give."""
        recipe = self.recipe
        unused = {"mixing_time_s", "bath_time_constant_s", "ligand_binding_l_mol", "ligand_cover_per_nm2"}
        unused |= {"topo_dissociation_mol_l"}
        unused |= set(self.constants[0].from_recipe) & set(self.constants[1].from_recipe)
        if not any(stream.antisolvent for stream in recipe.streams):
            unused.add("antisolvent_exponent")
        if recipe.tube.thermal_time is not None:
            unused.add("thermal_diffusivity_m2_s")
        if recipe.droplets.mixing is not None or len(recipe.streams) == 1:
            unused.add("droplet_mixing_time_s")
        own = [value for name, value in priors().items() if name not in unused]
        return [*own, *self.schedule.rests_on]


def grow_mixed_flow(recipe: MixedDropletRecipe, *, tolerance: float = TOLERANCE) -> MixedFlow:
    """Carry out a recipe of mixed halides in droplets.

    Raises `OptionError` with all that cannot be carried out, `ModelRangeError` where the flow is not laminar
    or the exchange outside the temperatures of its record.
    """
    _require_feasible(recipe)
    constants = mixed_constants(recipe)
    tube = tube_of(recipe, constants[0])
    paces, weights = residence_times(1.0, recipe.droplets.jitter)
    one_for_all = len(recipe.tube.zones) == 1
    means = [tube.time_s(place) for place in recipe.observe.detectors]
    asked: dict[float, set[float]] = {}
    for pace in paces:
        asked.setdefault(1.0 if one_for_all else float(pace), set()).update(float(pace * t) for t in means)
    runs = {pace: _run(recipe, constants, tube, pace, sorted(t), tolerance) for pace, t in asked.items()}
    detectors = []
    for place, mean in zip(recipe.observe.detectors, means, strict=True):
        parts = [(runs[1.0 if one_for_all else float(pace)], float(pace * mean)) for pace in paces]
        detectors.append(_at(place, mean, parts, weights))
    middle = runs[min(runs, key=lambda one: abs(one - 1.0))]
    warnings = _warnings(recipe, tube, middle, detectors)
    return MixedFlow(recipe, constants, tube, middle.schedule, tuple(detectors), warnings)


def _require_feasible(recipe: MixedDropletRecipe) -> None:
    problems: list[Problem] = []
    for solid in recipe.solids:
        one = recipe.model_copy(update={"product": solid})
        problems += [
            p for p in flow_problems(one) if (p.what, p.where) not in {(q.what, q.where) for q in problems}
        ]
    if problems:
        raise OptionError(problems)


@dataclass(frozen=True, eq=False)
class _Run:
    ledger: Ledger
    schedule: MixedSchedule
    history: MixedHistory


def _run(
    recipe: MixedDropletRecipe,
    constants: tuple[KineticConstants, KineticConstants],
    tube: TubeFlow,
    pace: float,
    times: list[float],
    tolerance: float,
) -> _Run:
    ledger = flow_ledger(recipe, tube, times[-1], pace)
    schedule = mixed_schedule(recipe, ledger, constants)
    return _Run(ledger, schedule, grow_mixed(schedule.law, schedule.conditions, times, tolerance=tolerance))


def _at(
    place_mm: float, mean_s: float, parts: list[tuple[_Run, float]], weights: FloatArray
) -> AtMixedDetector:
    # times of a run are those that were asked of it, to the last bit
    places = [(run, int(np.searchsorted(run.history.time_s, t)), t) for run, t in parts]

    def average(values: list[Any]) -> Any:
        return np.tensordot(weights, np.array(values), axes=1)

    def ions(name: str) -> dict[str, float]:
        return {
            ion: float(
                average(
                    [np.interp(t, run.ledger.time_s, getattr(run.ledger, name)[ion]) for run, _, t in places]
                )
            )
            for ion in parts[0][0].ledger.fed_mol_l
        }

    times = np.array([t for _, t in parts])
    return AtMixedDetector(
        position_mm=place_mm,
        time_s=mean_s,
        time_sd_s=float(np.sqrt(weights @ (times - mean_s) ** 2)),
        temperature_k=float(
            average([np.interp(t, run.ledger.time_s, run.ledger.temperature_k) for run, _, t in places])
        ),
        crystals=_together([run.history.crystals[i] for run, i, _ in places], weights),
        dissolved_mol_m3=average([run.history.dissolved_mol_m3[i] for run, i, _ in places]),
        monomer_mol_m3=float(average([run.history.monomer_mol_m3[i] for run, i, _ in places])),
        pool_fraction=float(average([run.history.pool_fraction[i] for run, i, _ in places])),
        supersaturation=average([run.history.supersaturation[i] for run, i, _ in places]),
        nuclei_per_m3=average([run.history.nuclei_per_m3[i] for run, i, _ in places]),
        available_mol_l=ions("available_mol_l"),
        fed_mol_l=ions("fed_mol_l"),
    )


def _together(parts: list[MixedCrystals], weights: FloatArray) -> MixedCrystals:
    """Crystals of parts that weigh `weights` (sum 1) of the volume."""
    columns = {
        one.name: np.concatenate([getattr(part, one.name) for part in parts])
        for one in fields(MixedCrystals)[:6]
    }
    columns["number_per_m3"] = np.concatenate(
        [w * part.number_per_m3 for w, part in zip(weights, parts, strict=True)]
    )
    return MixedCrystals(**columns, lattice_m=parts[0].lattice_m)


def _warnings(
    recipe: MixedDropletRecipe, tube: TubeFlow, run: _Run, detectors: list[AtMixedDetector]
) -> tuple[str, ...]:
    schedule, last = run.schedule, detectors[-1]
    found = [f"{schedule.limiting} is the scarcest: the yield counts by it"]
    if schedule.law.families == 2:
        found.append(
            "that nuclei hold one halide each is put in, not found: mixed nuclei would have the larger "
            "supersaturation"
        )
    nuclei = last.nuclei_per_m3
    names = recipe.solids if len(nuclei) == 2 else (recipe.product,)
    for k, name in enumerate(names):
        if nuclei[k] < 1.0:
            best = float(run.history.supersaturation[:, k].max())
            why = (
                "does not carry nuclei over the barrier"
                if best > LEAST_SUPERSATURATION
                else f"is not above {LEAST_SUPERSATURATION:g}"
            )
            found.append(f"no {name} nucleates: the largest supersaturation at a detector, {best:.3g}, {why}")
        elif tube.droplet_m3 is not None and nuclei[k] * tube.droplet_m3 < _FEW:
            found.append(
                f"{nuclei[k] * tube.droplet_m3:.3g} nuclei of {name} in a droplet: the mean population is "
                "that of no droplet, and single ones are not followed here"
            )
    foreign = [ion for ion in fed_umol_min(recipe) if ion not in (recipe.cation, "Pb", *recipe.halides)]
    found += [
        f"{ion} is fed but has no place in {recipe.product}: whether it enters is not modelled"
        for ion in foreign
    ]
    return (*found, *_segregation(recipe, schedule, detectors), *schedule.warnings)


def _segregation(
    recipe: MixedDropletRecipe, schedule: MixedSchedule, detectors: list[AtMixedDetector]
) -> list[str]:
    """Where the fraction passes into a miscibility gap, or beyond a published limit."""
    found, w = [], schedule.law.w
    second = recipe.halides[1]
    if w > 0:
        gap, unstable = binodal(w), spinodal(w)
        assert gap is not None and unstable is not None
        inside = [at for at in detectors if _share(at.crystals, *gap) > 0.01]
        if inside:
            found.append(
                f"miscibility gap of {' and '.join(recipe.halides)} between {second} {gap[0]:.3g} and "
                f"{gap[1]:.3g} (W assumed): {100 * _share(inside[0].crystals, *gap):.2g} % of the crystals' "
                f"amount lie in it at {inside[0].position_mm:g} mm. They exchange by activities and are not "
                "carried through; a crystal that would part inside is taken as even"
            )
        parting = [at for at in detectors if _share(at.crystals, *unstable) > 0.01]
        if parting:
            found.append(
                f"at {parting[0].position_mm:g} mm crystals are unstable ({second} {unstable[0]:.3g} to "
                f"{unstable[1]:.3g}): real ones would part"
            )
    if recipe.cation == "FA" and set(recipe.halides) == {"Cl", "Br"}:
        limit = mixed_priors()["segregation_cl_fa"].number
        # a pure monohalide crystal has nothing to part
        low, high = (limit + _EVEN, 0.999) if second == "Cl" else (0.001, 1.0 - limit - _EVEN)
        beyond = [at for at in detectors if _share(at.crystals, low, high) > 0.01]
        if beyond:
            at = beyond[0]
            mean = at.crystals.mean_fraction or 0.0
            chloride = mean if second == "Cl" else 1.0 - mean
            found.append(
                f"above {100 * limit:.0f} at.% Cl FAPb(Cl,Br)3 was found to segregate "
                f"({mixed_priors()['segregation_cl_fa'].source}): "
                f"{100 * _share(at.crystals, low, high):.2g} % of the crystals' amount lie there from "
                f"{at.position_mm:g} mm on (mean {100 * chloride:.3g} at.% Cl). The model knows no cause and "
                "keeps them even"
            )
    return found


def _share(crystals: MixedCrystals, low: float, high: float) -> float:
    """Share of the amount of crystals whose fraction lies between two."""
    amount = crystals.formula_mol_m3
    if amount.sum() <= 0:
        return 0.0
    there = (crystals.fraction > low) & (crystals.fraction < high)
    return float(amount[there].sum() / amount.sum())
