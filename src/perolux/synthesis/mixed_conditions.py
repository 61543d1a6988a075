"""From what is in a tube to what two monohalide solids grow in: `MixedConditions` of a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, OptionError
from perolux.materials import HALIDES, material
from perolux.materials.chemicals import chemical
from perolux.quantities import Value
from perolux.surface.exchange_rates import exchange_rate
from perolux.surface.miscibility import CRITICAL_W, interaction, w_matrix
from perolux.synthesis.batch import constants_of
from perolux.synthesis.kinetics import KineticConstants
from perolux.synthesis.ledger import Ledger
from perolux.synthesis.mixed_crystals import MixedConditions, MixedLaw
from perolux.synthesis.mixed_priors import mixed_priors
from perolux.synthesis.recipe_mixed import MixedDropletRecipe
from perolux.synthesis.schedule import schedule_of

__all__ = ["MixedSchedule", "mixed_constants", "mixed_schedule"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class MixedSchedule:
    """What the engine takes: law, conditions, scarcest ion at the end, what exchange rests on, warnings."""

    law: MixedLaw
    conditions: MixedConditions
    limiting: str
    rests_on: tuple[Value, ...]
    warnings: tuple[str, ...]


def mixed_constants(recipe: MixedDropletRecipe) -> tuple[KineticConstants, KineticConstants]:
    """Kinetic constants of both monohalide solids: those of the recipe, the middle of the priors else."""
    found = []
    for halide in recipe.halides:
        own = recipe.monohalides[halide].model_dump() if halide in recipe.monohalides else {}
        given = {name: value for name, value in own.items() if value is not None}
        found.append(constants_of(recipe).with_values(given))
    return found[0], found[1]


def mixed_schedule(
    recipe: MixedDropletRecipe, ledger: Ledger, constants: tuple[KineticConstants, KineticConstants]
) -> MixedSchedule:
    """The law and the conditions of a recipe. Raises `OptionError` for what is not modelled with two halides,
    `ModelRangeError` where the exchange is outside the temperatures of its record."""
    if ledger.chemicals_mol_l.get("TOPO", np.zeros(1)).any():
        raise OptionError(
            "TOPO holds the monomer back, which is not modelled with two halides",
            where="streams",
            fix="leave it out",
        )
    both = [schedule_of(s, ledger, c).conditions for s, c in zip(recipe.solids, constants, strict=True)]
    nothing = np.zeros_like(ledger.time_s)
    ions = [1e3 * ledger.available_mol_l.get(one, nothing) for one in (recipe.cation, "Pb", *recipe.halides)]
    temperature = ledger.temperature_k
    rate, used, said = _exchange(recipe, ledger)
    # at the last temperature: a gap closes slowly as the liquid warms
    w = w_matrix(float(temperature[-1]))[tuple(HALIDES.index(one) for one in recipe.halides)]
    gap = float(w) if w > CRITICAL_W else 0.0
    order = recipe.mixing.monohalide_order
    lattice = [1e-9 * material(s, 298.15).lattice_constant_nm for s in recipe.solids]
    law = MixedLaw(
        lattice_m=(lattice[0], lattice[1]),
        order=mixed_priors()["monohalide_order"].number if order is None else order,
        w=gap,
        nuclei=recipe.mixing.nuclei,
        least_m=1e-9 * constants[0].least_radius_nm,
    )
    conditions = MixedConditions(
        time_s=ledger.time_s,
        temperature_k=temperature,
        diffusivity_m2_s=both[0].diffusivity_m2_s,
        volume_ratio=ledger.volume_ratio,
        cation_mol_m3=ions[0],
        lead_mol_m3=ions[1],
        first_mol_m3=ions[2],
        second_mol_m3=ions[3],
        solubility_mol_m3=np.array([one.solubility_mol_m3 for one in both]),
        surface_rate_m_s=np.array([one.surface_rate_m_s for one in both]),
        surface_energy_j_m2=np.array([one.surface_energy_j_m2 for one in both]),
        ln_prefactor=np.array([one.ln_prefactor for one in both]),
        exchange_per_s=rate,
    )
    each = {
        recipe.cation: ions[0][-1],
        "Pb": ions[1][-1],
        " and ".join(recipe.halides): (ions[2][-1] + ions[3][-1]) / 3.0,
    }
    if order is None:
        used = (*used, mixed_priors()["monohalide_order"])
    if gap:
        used = (*used, interaction(*recipe.halides))
    return MixedSchedule(law, conditions, min(each, key=each.__getitem__), used, said)


def _exchange(
    recipe: MixedDropletRecipe, ledger: Ledger
) -> tuple[FloatArray, tuple[Value, ...], tuple[str, ...]]:
    """k at the knots, the records behind it, and what to say of it."""
    own = recipe.mixing.exchange_rate_per_s
    if own is not None:
        return np.full_like(ledger.time_s, own), (), ()
    ligands: Mapping[str, float] = {
        name: float(values[-1])
        for name, values in ledger.chemicals_mol_l.items()
        if "exchange_rate" in chemical(name).multipliers and values[-1] > 0
    }
    said: tuple[str, ...] = ()
    if not ligands:
        ligands = {"oleic acid": 1.0}
        said = ("no ligand whose rate of exchange is on record: that of oleic acid is taken",)
    try:
        found = {t: exchange_rate(recipe.halides, float(t), ligands) for t in np.unique(ledger.temperature_k)}
    except ModelRangeError as error:
        one = error.problems[0]
        raise ModelRangeError(
            one.what,
            where="tube",
            allowed=one.allowed,
            fix="write exchange_rate_per_s into [mixing], or take a temperature within the range",
        ) from None
    last = found[ledger.temperature_k[-1]]
    said += (
        f"the rate of exchange of {last.per_s:.2g} 1/s at the end is a prior, not literature: "
        f"{last.low_per_s:.2g} to {last.high_per_s:.2g} 1/s",
    )
    return np.array([found[t].per_s for t in ledger.temperature_k]), last.rests_on, said
