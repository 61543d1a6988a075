"""A recipe whose [platelets] block asks for platelets beside cubes: rows over time, balances, light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from perolux.errors import OptionError, Problem
from perolux.quantities import Value
from perolux.synthesis.batch import nothing_nucleates, priors_of, times_of, vessel_balances
from perolux.synthesis.inline_spectra import LEAST_EDGE_NM
from perolux.synthesis.platelets import (
    CLASS_NAMES,
    MONOLAYERS,
    PlateletCase,
    PlateletHistory,
    grow_platelets,
    platelet_case,
    platelet_ensemble,
    platelet_records,
)
from perolux.synthesis.recipe import Recipe

if TYPE_CHECKING:
    from perolux.ensemble import Ensemble
    from perolux.synthesis.inline_spectra import InlineSpectra

__all__ = ["PlateletBatch", "grow_platelet_recipe"]

_TOLERANCE = 1e-6
_SEEN = 0.01
"""Share of the lead from which on a warning speaks of a class."""


@dataclass(frozen=True)
class PlateletBatch:
    """A recipe with platelets, carried out. given: constants of [kinetics] and [platelets]."""

    recipe: Recipe
    case: PlateletCase
    history: PlateletHistory
    given: tuple[str, ...]
    warnings: tuple[str, ...]

    def rows(self) -> list[dict[str, Any]]:
        """Rows of `PlateletHistory.rows`; temperature, yield, mean_monolayers of the lead in platelets."""
        history, found = self.history, []
        in_platelets = history.amount_mol_m3[:, :-1]
        supplied = float(history.supplied_mol_m3[-1])
        for i, row in enumerate(history.rows()):
            held = float(in_platelets[i].sum())
            found.append(
                row
                | {
                    "temperature_c": self.case.conditions.at(row["t_s"])["temperature_k"] - 273.15,
                    "yield": float(history.amount_mol_m3[i].sum()) / supplied,
                    # a trace below one part in 1e9 has no thickness to speak of
                    "mean_monolayers": float(in_platelets[i] @ MONOLAYERS) / held
                    if held > 1e-9 * supplied
                    else None,
                }
            )
        return found

    def balances(self) -> dict[str, dict[str, float]]:
        """Where each ion is at the end, micromol; in_crystals: the sum over all classes."""
        return vessel_balances(
            self.recipe,
            self.case.ledger,
            crystals_mol_m3=float(self.history.amount_mol_m3[-1].sum()),
            monomer_mol_m3=float(self.history.dissolved_mol_m3[-1]),
            supplied_mol_m3=float(self.history.supplied_mol_m3[-1]),
        )

    def ensemble(self, i: int = -1) -> Ensemble | None:
        """Platelets (as cuboids) and cubes at one time; None where there are none."""
        return platelet_ensemble(self.history, self.recipe.product, i)

    def spectra(self, *, sets: str | None = None, seed: int = 0) -> InlineSpectra:
        """PL at the times of the rows, as [spectra] of the recipe says; no absorbance."""
        from perolux.synthesis.inline_spectra import spectrometer_of
        from perolux.synthesis.platelet_light import platelet_spectra

        return platelet_spectra(
            self.history, self.recipe.product, spectrometer_of(self.recipe.spectra), sets=sets, seed=seed
        )

    def bands_nm(self, i: int) -> dict[str, dict[str, float]]:
        """Where each class emits (nm) at one time, by class and parameter set."""
        from perolux.synthesis.platelet_light import platelet_bands_nm

        return platelet_bands_nm(self.history, self.recipe.product, i, self.recipe.spectra.temperature)

    def rests_on(self) -> list[Value]:
        """The priors that this result rests on: of growth in a flask and of platelets."""
        halides = [ion.lower() for ion in ("Cl", "Br", "I") if ion in _letters(self.recipe.product)]
        own = {f"layer_binding_{one}_l_mol" for one in halides} | {"platelet_fusion_m3_s"}
        if "layer_binding_l_mol" in self.given:
            own = {"platelet_fusion_m3_s"}
        found = [value for name, value in platelet_records().items() if name in own - set(self.given)]
        return [*priors_of(self.recipe, self.case.constants, self.case.schedule), *found]


def _letters(product: str) -> set[str]:
    from perolux.materials import parse_composition

    return {halide for halide, _ in parse_composition(product).halides}


def grow_platelet_recipe(recipe: Recipe, *, tolerance: float | None = None) -> PlateletBatch:
    """Carry out a recipe with a [platelets] block.

    Raises `OptionError` where no amine is there to form layers, where a ligand that covers all facets is
    added, or where the recipe cannot be carried out; `ModelRangeError` where the vessel is too warm for the
    binding constants on record, or a layer would make gamma_b negative.
    """
    block = recipe.platelets
    if block is None:
        raise OptionError("no [platelets] block", where="recipe", fix="write [platelets], it may be empty")
    case = platelet_case(
        recipe, layer_binding=block.layer_binding_l_mol, fusion_m3_s=block.platelet_fusion_m3_s
    )
    problems = []
    if not case.conditions.ligand_mol_m3.any():
        problems.append(
            Problem(
                "no amine is in the vessel, and without one no layer makes platelets",
                "platelets",
                fix="add an amine, e.g. octylamine, or leave [platelets] out",
            )
        )
    if case.schedule.conditions.ligand_mol_m3.any():
        problems.append(
            Problem(
                "a ligand that covers all facets is added, which the model of platelets does not know",
                "events",
                fix="leave that event out, or [platelets]",
            )
        )
    if problems:
        raise OptionError(problems)
    history = grow_platelets(
        case.law, case.conditions, times_of(recipe), tolerance=_TOLERANCE if tolerance is None else tolerance
    )
    own = [name for name, value in block.model_dump().items() if value is not None]
    return PlateletBatch(recipe, case, history, (*case.constants.from_recipe, *own), _warnings(case, history))


def _warnings(case: PlateletCase, history: PlateletHistory) -> tuple[str, ...]:
    found = [f"{case.schedule.limiting} is the scarcest: the yield counts by it"]
    share = history.platelet_share
    if history.number_per_m3.max() < 1.0:
        found.append(nothing_nucleates(case.schedule))
    elif share.max() > 0:
        top = int(np.argmax(share))
        most = CLASS_NAMES[int(np.argmax(history.amount_mol_m3[top, :-1]))]
        found.append(
            f"platelets hold at most {100 * share[top]:.3g} % of the lead, at {history.time_s[top]:.3g} s, "
            f"most of it in those of {most}; a class has one edge, so that no spread is told"
        )
        thin = 1e9 * case.law.monolayer_m * MONOLAYERS < LEAST_EDGE_NM
        if history.amount_mol_m3[:, :-1][:, thin].max() > _SEEN * history.supplied_mol_m3[-1]:
            names = " and ".join(str(m) for m in MONOLAYERS[thin])
            found.append(
                f"the bands of {names} monolayers are extrapolated: the model of light is for "
                f"{LEAST_EDGE_NM:g} nm and more"
            )
    return (*found, *case.schedule.warnings)
