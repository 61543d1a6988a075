"""A recipe in flow: the population at each detector along a tube, in droplets or without.

A droplet is a flask that holds one unit of the streams and travels at the mean velocity u of all that flows:
position is time, t = x/u, and the population balance is that of a batch (`schedule.py`, `cohorts.py`). The
liquid takes the temperature of the wall with dT/dt = (T_wall - T)/tau (`tube.py`).

Not all of it stays equally long. Each droplet keeps its own pace, with an inverse Gaussian over the paces; in
a plain tube the spread is that of laminar flow (`residence.py`), and what is of one age stays together
(segregated flow). The population at a detector is the average over the paces, each with its own history.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError
from perolux.quantities import Value
from perolux.synthesis.batch import constants_of, warnings_of
from perolux.synthesis.cohorts import TOLERANCE, grow
from perolux.synthesis.droplet_nucleation import (
    FEW_NUCLEI,
    DropletSample,
    sample_droplets,
    undepleted_nuclei_per_m3,
)
from perolux.synthesis.flow_feasibility import require_flow_feasible
from perolux.synthesis.history import History, SizeDistribution
from perolux.synthesis.kinetics import KineticConstants, priors
from perolux.synthesis.laws import stokes_einstein_m2_s
from perolux.synthesis.ledger import Ledger
from perolux.synthesis.many import in_order
from perolux.synthesis.mixedness import grow_mixed
from perolux.synthesis.models import ClassicalGrowth
from perolux.synthesis.recipe_droplet import DropletRecipe, FlowRecipe, PlainTubeRecipe
from perolux.synthesis.residence import residence_times
from perolux.synthesis.schedule import Schedule, schedule_of, stoichiometry
from perolux.synthesis.tube import TubeFlow, fed_umol_min, flow_ledger, tube_of

if TYPE_CHECKING:
    from perolux.ensemble import Ensemble
    from perolux.synthesis.inline_spectra import InlineSpectra

__all__ = [
    "AtDetector",
    "Flow",
    "average_population",
    "grow_flow",
]

FloatArray = npt.NDArray[np.float64]
_MOST_THREADS = 8
_WIDEST = 0.6
_WIDE = 0.3
_LARGE_NUCLEUS = 0.01
_EARLY = 0.9
"""Where the variance is below this share of its long-time law, a tube counts as too short for that law."""


@dataclass(frozen=True)
class AtDetector:
    """The population where a detector looks; amounts per m^3 of what reacts (carrier left out).

    time_s, time_sd_s: mean and standard deviation of the residence time. distribution: of all paces together.
    supplied_mol_m3: monomer that has mixed in, dissolved_mol_m3 and bound_mol_m3: where it is.
    available_mol_l, fed_mol_l: ions that have mixed in, and all. nuclei_per_m3: formed since the inlet.
    nuclei_per_droplet, no_nucleus: of droplets only, by the mean population; the chance that none formed.
    """

    position_mm: float
    time_s: float
    time_sd_s: float
    temperature_k: float
    distribution: SizeDistribution
    supplied_mol_m3: float
    dissolved_mol_m3: float
    bound_mol_m3: float
    available_mol_l: dict[str, float]
    fed_mol_l: dict[str, float]
    nuclei_per_m3: float
    nuclei_per_droplet: float | None
    no_nucleus: float | None

    def row(self) -> dict[str, Any]:
        """One dictionary: position, residence time, number, mean edge, cv, monomer left, yield."""
        mean, total = self.distribution.mean_radius_m, self.dissolved_mol_m3 + self.bound_mol_m3
        return {
            "position_mm": self.position_mm,
            "time_s": self.time_s,
            "time_sd_s": self.time_sd_s,
            "temperature_c": self.temperature_k - 273.15,
            "N_per_m3": self.distribution.number,
            "mean_edge_nm": 2e9 * mean if mean else None,
            "cv": self.distribution.cv,
            "c_mol_m3": self.dissolved_mol_m3,
            "yield": self.bound_mol_m3 / total if total > 0 else 0.0,
            "nuclei_per_m3": self.nuclei_per_m3,
            "nuclei_per_droplet": self.nuclei_per_droplet,
            "no_nucleus": self.no_nucleus,
        }


@dataclass(frozen=True)
class Flow:
    """A recipe in flow, carried out. schedule: of the middle pace.

    velocity_m_s: of all that flows, over the bore. flow_ml_min: of what reacts. droplets_per_s: of the train
    (None without droplets). sample: droplets one by one, where nuclei are few in each. course: over time,
    at the middle pace. unused: constants that have no effect here.
    """

    recipe: FlowRecipe
    constants: KineticConstants
    velocity_m_s: float
    reynolds: float
    flow_ml_min: float
    droplets_per_s: float | None
    schedule: Schedule
    detectors: tuple[AtDetector, ...]
    sample: DropletSample | None
    course: History
    unused: frozenset[str]
    warnings: tuple[str, ...]

    def rows(self) -> list[dict[str, Any]]:
        """One dictionary a detector; `droplets` is what single droplets show, None where nuclei are many."""
        found = [at.row() for at in self.detectors]
        for i, row in enumerate(found):
            row["droplets"] = self.sample.summary(i) if self.sample else None
        return found

    def balances(self, i: int = -1) -> dict[str, dict[str, float]]:
        """Where each ion is at a detector, in micromol per minute: shares counted one by one, and the error.

        fed: from portions and flow rates of the recipe. in_crystals: from the sizes. dissolved: monomer that
        the engine left in solution, and what the scarcest component left over.
        """
        at = self.detectors[i]
        crystals = self.schedule.model.bound_mol_m3(at.distribution)
        need = stoichiometry(self.recipe.product)
        found = {}
        for ion, total in fed_umol_min(self.recipe).items():
            count = need.get(ion, 0.0)
            available = 1e3 * at.available_mol_l[ion]
            # mol/m^3 times mL/min is umol/min
            parts = {
                "in_crystals": count * crystals * self.flow_ml_min,
                "dissolved": (count * at.dissolved_mol_m3 + available - count * at.supplied_mol_m3)
                * self.flow_ml_min,
                "not_yet_mixed": (1e3 * at.fed_mol_l[ion] - available) * self.flow_ml_min,
            }
            error = abs(sum(parts.values()) - total) / total if total > 0 else 0.0
            found[ion] = {
                "fed_umol_min": total,
                **{f"{name}_umol_min": value for name, value in parts.items()},
                "error": error,
            }
        return found

    def ensemble(self, i: int = -1) -> Ensemble | None:
        """The crystals at a detector as an `Ensemble` of cubes; None where there are none."""
        from perolux.ensemble import Population, from_table

        crystals = self.detectors[i].distribution
        if not len(crystals) or crystals.number <= 0:
            return None
        population = Population(
            shape="cube",
            size_convention="core-edge",
            material=self.recipe.product,
            number_per_litre=1e-3 * crystals.number,
        )
        return from_table(1e9 * (crystals.low_m + crystals.high_m), population, crystals.number_per_m3)

    def spectra(self, *, sets: str | None = None, seed: int = 0) -> InlineSpectra:
        """PL and absorbance at the detectors, as [spectra] of the recipe says; the path is the bore.

        A detector sees what reacts, in droplets without the carrier between them. The temperature is that of
        [spectra], not of the tube: n, k and gaps are on record near 300 K only.
        """
        from perolux.synthesis.inline_spectra import inline_spectra, spectrometer_of

        return inline_spectra(
            self.recipe.product,
            [at.distribution for at in self.detectors],
            [at.time_s for at in self.detectors],
            spectrometer=spectrometer_of(self.recipe.spectra, self.recipe.tube.inner_diameter),
            sets=sets,
            seed=seed,
        )

    def rests_on(self) -> list[Value]:
        """The priors that this result rests on: constants that it used and the recipe did not give."""
        return [value for name, value in priors().items() if name not in self.unused]


def average_population(distributions: Sequence[SizeDistribution], weights: npt.ArrayLike) -> SizeDistribution:
    """The population of parts that weigh `weights` (sum 1) of the volume: each number times its weight."""
    share = np.asarray(weights, dtype=float)
    return SizeDistribution(
        np.concatenate([one.low_m for one in distributions]),
        np.concatenate([one.high_m for one in distributions]),
        np.concatenate([w * one.number_per_m3 for w, one in zip(share, distributions, strict=True)]),
    )


def grow_flow(
    recipe: FlowRecipe,
    *,
    constants: KineticConstants | None = None,
    tolerance: float = TOLERANCE,
    course_rows: int = 0,
    one_by_one: bool = True,
) -> Flow:
    """Carry out a recipe in flow. Raises `OptionError` with all that cannot be carried out, `ModelRangeError`
    where the flow is not laminar.

    course_rows: rising times up to the mean one of the last detector at which `course` is kept, besides those
    of the detectors. one_by_one: follow single droplets where nuclei are few in each; False leaves the mean
    population alone.
    """
    require_flow_feasible(recipe)
    used = constants or constants_of(recipe)
    tube = tube_of(recipe, used)
    paces = [_paces(recipe, tube, place) for place in recipe.observe.detectors]
    if isinstance(recipe, PlainTubeRecipe) and recipe.ages == "mixed":
        return _flow_of_mixed_ages(recipe, used, tube, tolerance)
    run_of = _runs_of(recipe, [pace for pace, _, _ in paces])
    asked: dict[float, set[float]] = {}
    for (pace, _, mean), runs_at in zip(paces, run_of, strict=True):
        for one, run in zip(pace, runs_at, strict=True):
            asked.setdefault(run, set()).add(float(one * mean))
    middle = min(asked, key=lambda one: abs(one - 1.0))
    asked[middle] |= set((paces[-1][2] * np.geomspace(1e-3, 1.0, course_rows)[:-1]).tolist())
    found = in_order(
        lambda item: _run(recipe, used, tube, item[0], sorted(item[1]), tolerance),
        asked.items(),
        min(len(asked), os.cpu_count() or 1, _MOST_THREADS),
    )
    runs = dict(zip(asked, found, strict=True))
    detectors = []
    for place, (pace, weights, mean), runs_at in zip(recipe.observe.detectors, paces, run_of, strict=True):
        parts = [(runs[run], float(one * mean)) for one, run in zip(pace, runs_at, strict=True)]
        detectors.append(_at(tube, place, mean, parts, weights))
    sample: DropletSample | None = None
    crowded: tuple[str, ...] = ()
    try:
        sample = _few(recipe, used, tube, detectors) if one_by_one else None
    except ModelRangeError as error:  # late droplets of a wide jitter
        crowded = (f"{error.problems[0].what}: droplets are not followed one by one, the rows are the mean",)
    return Flow(
        recipe=recipe,
        constants=used,
        velocity_m_s=tube.velocity_m_s,
        reynolds=tube.reynolds,
        flow_ml_min=tube.flow_ml_min,
        droplets_per_s=tube.droplets_per_s,
        schedule=runs[middle].schedule,
        detectors=tuple(detectors),
        sample=sample,
        course=runs[middle].history,
        unused=frozenset(_unused(recipe, used, tube)),
        warnings=(
            *warnings_of(runs[middle].schedule, runs[middle].history),
            *_warnings(recipe, tube, runs[middle].schedule.model, detectors, sample),
            *crowded,
        ),
    )


def _flow_of_mixed_ages(
    recipe: PlainTubeRecipe, constants: KineticConstants, tube: TubeFlow, tolerance: float
) -> Flow:
    """The tube under maximum mixedness: each detector has a way of its own that leads to it."""
    places = recipe.observe.detectors
    cases = [(tube.time_s(place), tube.spread(place)) for place in places]
    found = list(
        in_order(
            lambda case: grow_mixed(recipe, constants, tube, *case, tolerance),
            cases,
            min(len(cases), os.cpu_count() or 1, _MOST_THREADS),
        )
    )
    detectors = []
    for place, (mean, spread), one in zip(places, cases, found, strict=True):
        history, ledger = one.history, one.ledger
        detectors.append(
            AtDetector(
                position_mm=place,
                time_s=mean,
                time_sd_s=mean * spread,
                temperature_k=float(ledger.temperature_k[-1]),
                distribution=history.distributions[-1],
                supplied_mol_m3=float(history.supplied_mol_m3[-1]),
                dissolved_mol_m3=float(history.dissolved_mol_m3[-1]),
                bound_mol_m3=float(history.bound_mol_m3[-1]),
                available_mol_l={ion: float(v[-1]) for ion, v in ledger.available_mol_l.items()},
                fed_mol_l={ion: float(v[-1]) for ion, v in ledger.fed_mol_l.items()},
                nuclei_per_m3=one.nuclei_per_m3,
                nuclei_per_droplet=None,
                no_nucleus=None,
            )
        )
    last = found[-1]
    return Flow(
        recipe=recipe,
        constants=constants,
        velocity_m_s=tube.velocity_m_s,
        reynolds=tube.reynolds,
        flow_ml_min=tube.flow_ml_min,
        droplets_per_s=None,
        schedule=last.schedule,
        detectors=tuple(detectors),
        sample=None,
        course=last.history,
        unused=frozenset(_unused(recipe, constants, tube)),
        warnings=(
            *warnings_of(last.schedule, last.history),
            *_warnings(recipe, tube, last.schedule.model, detectors, None),
        ),
    )


def _runs_of(recipe: FlowRecipe, paces: Sequence[FloatArray]) -> list[list[float]]:
    """Of each detector the pace of the run that serves each of its paces.

    Within the first zone the history is the same at every pace, and one run serves all: that of the slowest,
    which is there longest. Beyond it each pace has a history of its own.
    """
    zones = recipe.tube.zones
    early = [len(zones) == 1 or place <= zones[0].length for place in recipe.observe.detectors]
    slowest = max([1.0, *(float(pace.max()) for pace, first in zip(paces, early, strict=True) if first)])
    return [
        [slowest] * len(pace) if first else [float(one) for one in pace]
        for pace, first in zip(paces, early, strict=True)
    ]


@dataclass(frozen=True)
class _Run:
    """One history. undepleted_per_m3: nuclei expected by each time if nothing were taken up."""

    ledger: Ledger
    schedule: Schedule
    history: History
    undepleted_per_m3: FloatArray


def _run(
    recipe: FlowRecipe,
    constants: KineticConstants,
    tube: TubeFlow,
    pace: float,
    times: list[float],
    tolerance: float,
) -> _Run:
    ledger = flow_ledger(recipe, tube, times[-1], pace)
    schedule = schedule_of(recipe.product, ledger, constants)
    law, table = schedule.model, schedule.conditions
    history = grow(law, table, times, tolerance=tolerance)
    return _Run(ledger, schedule, history, undepleted_nuclei_per_m3(law, table, times))


def _paces(recipe: FlowRecipe, tube: TubeFlow, place_mm: float) -> tuple[FloatArray, FloatArray, float]:
    """Residence times over their mean at a detector, their weights, and the mean (s)."""
    mean = tube.time_s(place_mm)
    if isinstance(recipe, DropletRecipe):
        spread = recipe.droplets.jitter
    else:
        spread = tube.spread(place_mm)
        if spread > _WIDEST:
            raise ModelRangeError(
                f"residence times that spread by {100 * spread:.3g} % at {place_mm:g} mm",
                where="observe.detectors",
                allowed=f"up to {100 * _WIDEST:g} %: flow that outruns diffusion along the tube",
                fix="raise the flow rates, or look further from the inlet",
            )
    pace, weights = residence_times(1.0, spread)
    return pace, weights, mean


def _at(
    tube: TubeFlow, place_mm: float, mean_s: float, parts: list[tuple[_Run, float]], weights: FloatArray
) -> AtDetector:
    def average(values: Sequence[float]) -> float:
        return float(weights @ np.array(values))

    # times of a run are those that were asked of it, to the last bit
    places = [(run, int(np.searchsorted(run.history.time_s, t)), t) for run, t in parts]

    def ions(name: str) -> dict[str, float]:
        return {
            ion: average(
                [np.interp(t, run.ledger.time_s, getattr(run.ledger, name)[ion]) for run, _, t in places]
            )
            for ion in parts[0][0].ledger.fed_mol_l
        }

    times = np.array([t for _, t in parts])
    nuclei = average([run.history.nuclei_per_m3[i] for run, i, _ in places])
    droplet = tube.droplet_m3
    return AtDetector(
        position_mm=place_mm,
        time_s=mean_s,
        time_sd_s=float(np.sqrt(weights @ (times - mean_s) ** 2)),
        temperature_k=average([run.schedule.conditions.at(t)["temperature_k"] for run, _, t in places]),
        distribution=average_population([run.history.distributions[i] for run, i, _ in places], weights),
        supplied_mol_m3=average([run.history.supplied_mol_m3[i] for run, i, _ in places]),
        dissolved_mol_m3=average([run.history.dissolved_mol_m3[i] for run, i, _ in places]),
        bound_mol_m3=average([run.history.bound_mol_m3[i] for run, i, _ in places]),
        available_mol_l=ions("available_mol_l"),
        fed_mol_l=ions("fed_mol_l"),
        nuclei_per_m3=nuclei,
        nuclei_per_droplet=None if droplet is None else nuclei * droplet,
        no_nucleus=None
        if droplet is None
        else average([np.exp(-droplet * run.undepleted_per_m3[i]) for run, i, _ in places]),
    )


def _few(
    recipe: FlowRecipe,
    constants: KineticConstants,
    tube: TubeFlow,
    detectors: Sequence[AtDetector],
) -> DropletSample | None:
    """Droplets one by one where the mean population has fewer than a hundred nuclei in each."""
    if not isinstance(recipe, DropletRecipe) or tube.droplet_m3 is None:
        return None
    expected = detectors[-1].nuclei_per_droplet
    if expected is None or expected >= FEW_NUCLEI or detectors[-1].no_nucleus == 1.0:
        return None
    rng = np.random.default_rng(recipe.observe.seed)
    count, jitter = recipe.observe.droplets, recipe.droplets.jitter
    # a smaller jitter than a millionth moves nothing, and its inverse square is no number
    paces = rng.wald(1.0, 1.0 / jitter**2, count) if jitter > 1e-6 else np.ones(count)
    times = np.array([at.time_s for at in detectors])
    if len(recipe.tube.zones) == 1 or not jitter:
        ledger = flow_ledger(recipe, tube, float(times[-1] * paces.max()), 1.0)
        conditions = [schedule_of(recipe.product, ledger, constants)] * count
    else:
        conditions = [
            schedule_of(
                recipe.product,
                flow_ledger(recipe, tube, float(times[-1] * pace), float(pace)),
                constants,
            )
            for pace in paces
        ]
    return sample_droplets(
        conditions[0].model,
        [one.conditions for one in conditions],
        paces[:, None] * times,
        tube.droplet_m3,
        rng,
    )


def _unused(recipe: FlowRecipe, constants: KineticConstants, tube: TubeFlow) -> set[str]:
    """Constants that the recipe gives itself or that have no effect in it."""
    found = {*constants.from_recipe, "mixing_time_s", "bath_time_constant_s"}
    found |= {"ligand_binding_l_mol", "ligand_cover_per_nm2"}  # of ligand events, which a tube has not
    if not any(stream.antisolvent for stream in recipe.streams):
        found.add("antisolvent_exponent")
    if not any("TOPO" in one.mol for one in tube.streams):
        found.add("topo_dissociation_mol_l")
    if recipe.tube.thermal_time is not None:
        found.add("thermal_diffusivity_m2_s")
    if (
        not isinstance(recipe, DropletRecipe)
        or recipe.droplets.mixing is not None
        or len(recipe.streams) == 1
    ):
        found.add("droplet_mixing_time_s")
    return found


def _warnings(
    recipe: FlowRecipe,
    tube: TubeFlow,
    model: ClassicalGrowth,
    detectors: Sequence[AtDetector],
    sample: DropletSample | None,
) -> list[str]:
    last = detectors[-1]
    if isinstance(recipe, DropletRecipe):
        found = []
        sphere = 4.0 / 3.0 * np.pi * tube.radius_m**3
        if tube.droplet_m3 is not None and tube.droplet_m3 < sphere:
            found.append(
                f"a droplet of {recipe.droplets.volume:g} nL does not fill the bore ({1e12 * sphere:.3g} nL "
                "do): it travels faster than the mean velocity, by up to a factor of 2"
            )
        if tube.droplet_m3 is not None and last.supplied_mol_m3 > 0:
            share = model.amount_per_r3 * model.least_radius_m**3 / (last.supplied_mol_m3 * tube.droplet_m3)
            if share > _LARGE_NUCLEUS:
                found.append(
                    f"a crystal of the least size takes {100 * share:.2g} % of what a droplet holds: the "
                    "barrier to nucleation, that of an open solution, is too low"
                )
        if last.nuclei_per_droplet is not None and sample is not None:
            found.append(
                f"{last.nuclei_per_droplet:.3g} nuclei in a droplet: the mean population is that of no "
                f"droplet, see what {recipe.observe.droplets} single droplets show"
            )
        return found
    found = [
        "segregated flow: what is of one age stays together, one of two limits (`ages` is the key)"
        if recipe.ages == "apart"
        else "maximum mixedness: ages mix as early as the residence times allow, one of two limits (`ages`)"
    ]
    early = [p for p in recipe.observe.detectors if tube.late_share(p) < _EARLY]
    if early:
        found.append(
            f"too early for Taylor and Aris at {', '.join(f'{p:g} mm' for p in early)}: the spread is that "
            "of laminar flow at such times, the shape of the distribution is a guess"
        )
    first = detectors[0].time_sd_s / detectors[0].time_s
    if first > _WIDE:
        found.append(
            f"residence times spread by {100 * first:.2g} % at {detectors[0].position_mm:g} mm: what has "
            f"passed may come back, which moves their mean by up to {100 * first**2:.2g} %"
        )
    mean = last.distribution.mean_radius_m
    if mean:
        # a cube drags like the sphere of its volume
        size = mean * (6.0 / np.pi) ** (1.0 / 3.0)
        slow = [float(stokes_einstein_m2_s(t, eta, size)) for _, t, _, eta in tube.zones]
        spread = tube.spread(last.position_mm, slow)
        found.append(
            f"residence times spread as monomer does, by {100 * last.time_sd_s / last.time_s:.2g} % at the "
            f"last detector; crystals of its mean size all the way would spread by {100 * spread:.2g} %"
        )
    return found
