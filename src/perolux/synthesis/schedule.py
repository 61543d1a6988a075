"""From what is in a vessel to what crystals grow in: the columns of `Conditions`, for one product.

The monomer is one formula unit ABX3: as many as the scarcest of A, Pb and X/3 allows (by components that are
mixed in). Ligands multiply surface rate and surface energy as their records say (kind assumed); a ligand that
is added as an event of kind "ligand" also ends nucleation, and where its record says that it covers, growth
and dissolution go on only where it does not sit, by Langmuir's law. A complexant holds monomer back (A14).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError
from perolux.materials import Composition, material, parse_composition
from perolux.materials.chemicals import chemical
from perolux.quantities.constants import AVOGADRO_PER_MOL
from perolux.synthesis.conditions import Conditions
from perolux.synthesis.kinetics import KineticConstants
from perolux.synthesis.ledger import Ledger
from perolux.synthesis.models import ClassicalGrowth
from perolux.synthesis.recipe import Chemistry
from perolux.synthesis.solution import solution_of

__all__ = ["Schedule", "formula_volume_m3", "schedule_of", "stoichiometry"]

FloatArray = npt.NDArray[np.float64]
_WARM_K = 333.15
"""Above it (60 degC) the binding of a covering ligand at room temperature is no guide."""


@dataclass(frozen=True)
class Schedule:
    """What an engine takes: the law, the conditions, and which component is the scarcest at the end."""

    model: ClassicalGrowth
    conditions: Conditions
    limiting: str
    warnings: tuple[str, ...]


def stoichiometry(product: str) -> dict[str, float]:
    """Moles of each component in one formula unit, e.g. {"Cs": 1, "Pb": 1, "Br": 3}."""
    composition: Composition = parse_composition(product)
    if composition.is_open:
        raise OptionError(f"{product}: its halides have no fractions", allowed="e.g. CsPb(Br0.5I0.5)3")
    found = {site: float(share) for site, share in composition.cations}
    found["Pb"] = 1.0
    found |= {halide: 3.0 * float(share or 0.0) for halide, share in composition.halides}
    return found


def formula_volume_m3(product: str) -> float:
    """Volume of one formula unit (m^3): the pseudocubic lattice constant, cubed."""
    edge_nm = material(product, 298.15).value("lattice_constant").number
    return float((edge_nm * 1e-9) ** 3)


def schedule_of(
    product: str, ledger: Ledger, constants: KineticConstants, chemistry: Chemistry | None = None
) -> Schedule:
    """The law and the conditions for the crystals of a product in a vessel.

    chemistry: by what the supersaturation goes; None: by the free monomer.
    """
    by_ions = chemistry is not None and chemistry.supersaturation == "speciation"
    need = stoichiometry(product)
    nothing = np.zeros_like(ledger.time_s)
    each = {name: ledger.available_mol_l.get(name, nothing) / count for name, count in need.items()}
    missing = [name for name, values in each.items() if values[-1] <= 0]
    if missing:
        raise OptionError(
            f"nothing in the recipe brings {', '.join(missing)} for {product}",
            where="recipe",
            fix="add a chemical that holds it, or name another product",
        )
    limiting = min(each, key=lambda name: float(each[name][-1]))
    supplied = 1e3 * np.minimum.reduce(list(each.values()))
    temperature = ledger.temperature_k
    # at a jump the first of two equal knots belongs to what was before
    before = np.append(np.diff(ledger.time_s) == 0, False)
    moment = np.where(before, np.nextafter(ledger.time_s, -np.inf), ledger.time_s)
    covering = _covering(ledger, moment)
    rate_factor, energy_factor, stopped = _ligands(ledger, moment, covering)
    cover = np.sum(list(covering.values()), axis=0) if covering else nothing
    energy = constants.surface_energy_j_m2 * energy_factor
    ln_a = np.full_like(temperature, constants.log10_nucleation_prefactor * np.log(10.0))
    ln_a[stopped] = -1e300
    complexant, dissociation = (nothing, nothing) if by_ions else _complexant(ledger, constants)
    conditions = Conditions(
        time_s=ledger.time_s,
        temperature_k=temperature,
        solubility_mol_m3=constants.solubility_mol_m3(temperature, ledger.antisolvent_fraction),
        surface_rate_m_s=constants.surface_rate_at_m_s(temperature) * rate_factor,
        diffusivity_m2_s=constants.diffusivity_at_m2_s(temperature),
        surface_energy_j_m2=energy,
        ln_prefactor=ln_a,
        barrier_factor=np.ones_like(temperature),
        volume_ratio=ledger.volume_ratio,
        supplied_mol_m3=supplied,
        complexant_mol_m3=complexant,
        dissociation_mol_m3=dissociation,
        washout_per_s=nothing,
        ligand_mol_m3=cover / ledger.volume_ratio,
    )
    model = ClassicalGrowth(
        formula_volume_m3(product),
        "cube",
        least_radius_m=constants.least_radius_nm * 1e-9,
        ligand_binding_m3_mol=1e-3 * constants.ligand_binding_l_mol if covering else 0.0,
        ligand_per_area_mol_m2=1e18 * constants.ligand_cover_per_nm2 / AVOGADRO_PER_MOL if covering else 0.0,
    )
    if by_ions:
        assert chemistry is not None
        model = replace(model, solution=solution_of(product, ledger, constants, conditions, model, chemistry))
    return Schedule(model, conditions, limiting, _cover_warnings(covering, temperature))


def _covering(ledger: Ledger, time_s: FloatArray) -> dict[str, FloatArray]:
    """Ligands that cover the surface and were added to do so: mol/m^3 of the reference volume, by name."""
    found: dict[str, FloatArray] = {}
    for one in ledger.additions:
        if one.kind != "ligand":
            continue
        for name, mol in one.amounts.mol.items():
            if chemical(name).covers:
                amount = one.share * 1e6 * mol / ledger.reference_ml * one.mixed(time_s)
                found[name] = found.get(name, np.zeros_like(time_s)) + amount
    return found


def _cover_warnings(covering: dict[str, FloatArray], temperature_k: FloatArray) -> tuple[str, ...]:
    found = []
    for name, amount in covering.items():
        hottest = float(np.max(temperature_k, where=amount > 0, initial=0.0))
        if hottest > _WARM_K:
            found.append(
                f"{name} covers the crystals at up to {hottest - 273.15:.0f} degC as it would at room "
                "temperature: its binding constant there is not on record"
            )
    return tuple(found)


def _ligands(
    ledger: Ledger, time_s: FloatArray, covering: dict[str, FloatArray]
) -> tuple[FloatArray, FloatArray, npt.NDArray[np.bool_]]:
    """Factors on surface rate and surface energy, and where an added ligand has ended nucleation.

    Ligands in the vessel share the surface by their moles (geometric mean of their multipliers); one that an
    event of kind "ligand" adds takes the surface over as it mixes in. What covers (mol/m^3) has no part in
    the surface rate: Langmuir's law counts it.
    """
    rate, energy, total = (np.zeros_like(time_s) for _ in range(3))
    for name, whole in ledger.chemicals_mol_l.items():
        known = chemical(name)
        if known.multipliers:
            amount = np.maximum(whole - 1e-3 * covering[name], 0.0) if name in covering else whole
            total = total + amount
            rate = rate + amount * np.log(known.multipliers["surface_rate"].number)
            energy = energy + amount * np.log(known.multipliers["surface_energy"].number)
    share = np.where(total > 0, 1.0 / np.maximum(total, 1e-300), 0.0)
    rate, energy = rate * share, energy * share
    stopped = np.zeros(time_s.shape, dtype=bool)
    for one in ledger.additions:
        if one.kind != "ligand":
            continue
        mixed = one.mixed(time_s)
        stopped |= one.fed(time_s) > 0
        for name in one.amounts.mol:
            known = chemical(name)
            if known.multipliers:
                if name not in covering:
                    rate = rate * (1 - mixed) + mixed * np.log(known.multipliers["surface_rate"].number)
                energy = energy * (1 - mixed) + mixed * np.log(known.multipliers["surface_energy"].number)
    return np.exp(rate), np.exp(energy), stopped


def _complexant(ledger: Ledger, constants: KineticConstants) -> tuple[FloatArray, FloatArray]:
    """T0 beyond what lead binds (one TOPO a lead) and K, mol/m^3 of liquid as it is; K 0: no complex."""
    nothing = np.zeros_like(ledger.time_s)
    topo = ledger.chemicals_mol_l.get("TOPO", nothing)
    if not topo.any():
        return nothing, nothing
    free = np.maximum(topo - ledger.available_mol_l.get("Pb", nothing), 0.0)
    constant = np.where(topo > 0, 1e3 * constants.topo_dissociation_mol_l, 0.0)
    return 1e3 * free / ledger.volume_ratio, constant
