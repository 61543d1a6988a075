"""What is in the vessel of a recipe, against time: amounts by component, volume, temperature.

Volumes add up (no volume of mixing; dissolved solids take no room), the heat capacity per volume is the same
for all liquids. What is added becomes available as it mixes in, d(available)/dt = (fed - available)/tau.
Amounts are per the volume at the start: an aliquot takes its share of everything, so it changes no
concentration, and what is added later counts the more.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.materials.chemicals import Chemical, chemical
from perolux.synthesis.kinetics import KineticConstants
from perolux.synthesis.recipe import Event, Portion, Recipe

__all__ = ["AT_ONCE_S", "ROOM_K", "Addition", "Amounts", "Ledger", "amounts_of", "knots_between", "ledger_of"]

FloatArray = npt.NDArray[np.float64]
ROOM_K = 298.15
"""Temperature of what is added where a recipe says none (25 degC)."""
AT_ONCE_S = 1e-6
"""What takes less than a microsecond happens at once."""
_KNOTS = 240
"""Knots in each stretch between two events: linear interpolation between them is good to about 1e-4."""


@dataclass(frozen=True)
class Amounts:
    """Moles of chemicals and the millilitres that each takes as a liquid."""

    mol: dict[str, float]
    ml: dict[str, float]

    @property
    def volume_ml(self) -> float:
        """Volume of the liquids (mL)."""
        return sum(self.ml.values())

    def components(self) -> dict[str, float]:
        """Moles of the ions of a perovskite (Pb, Cs, FA, MA, Cl, Br, I) in all chemicals."""
        found: dict[str, float] = {}
        for name, amount in self.mol.items():
            for component, count in chemical(name).ions.items():
                found[component] = found.get(component, 0.0) + count * amount
        return found

    def __add__(self, other: Amounts) -> Amounts:
        def both(a: dict[str, float], b: dict[str, float]) -> dict[str, float]:
            return {name: a.get(name, 0.0) + b.get(name, 0.0) for name in dict.fromkeys((*a, *b))}

        return Amounts(both(self.mol, other.mol), both(self.ml, other.ml))


def amounts_of(portions: Iterable[Portion]) -> Amounts:
    """Moles and volumes of portions. Raises what `chemical` raises for an unknown name."""
    whole = Amounts({}, {})
    for portion in portions:
        whole = whole + _one(portion)
    return whole


def _one(portion: Portion) -> Amounts:
    known = chemical(portion.chemical)
    if portion.concentration is not None:
        assert portion.volume is not None and portion.solvent is not None
        solvent = chemical(portion.solvent)
        mol = {known.name: portion.concentration * 1e-3 * portion.volume}
        dissolved = _pure(solvent, portion.volume)
        return Amounts(mol, {}) + dissolved
    if portion.amount is not None:
        return _by_mass(known, portion.amount * known.molar_mass_g_mol)
    if portion.mass is not None:
        return _by_mass(known, portion.mass * portion.purity)
    assert portion.volume is not None
    return _pure(known, portion.volume, portion.purity)


def _pure(known: Chemical, ml: float, purity: float = 1.0) -> Amounts:
    grams = ml * known.property("density_g_ml").number * purity
    return Amounts({known.name: grams / known.molar_mass_g_mol}, {known.name: ml})


def _by_mass(known: Chemical, grams: float) -> Amounts:
    mol = {known.name: grams / known.molar_mass_g_mol}
    # salts and solid ligands dissolve; their volume is left out
    solid = known.role == "salt" or not known.has("density_g_ml")
    return Amounts(mol, {} if solid else {known.name: grams / known.property("density_g_ml").number})


@dataclass(frozen=True)
class Addition:
    """What one event adds: from start_s over over_s, mixed in with mixing_s; share: per reference volume."""

    start_s: float
    over_s: float
    mixing_s: float
    temperature_k: float
    amounts: Amounts
    kind: str
    share: float

    def fed(self, time_s: FloatArray) -> FloatArray:
        """Fraction that has been poured in."""
        if self.over_s <= 0:
            return np.where(time_s >= self.start_s, 1.0, 0.0)
        return np.clip((time_s - self.start_s) / self.over_s, 0.0, 1.0)

    def mixed(self, time_s: FloatArray) -> FloatArray:
        """Fraction that is mixed in: the exact solution of d(mixed)/dt = (fed - mixed)/tau."""
        tau, w = self.mixing_s, self.over_s
        since = np.maximum(time_s - self.start_s, 0.0)
        if tau <= 0:
            return self.fed(time_s)
        if w <= 0:
            return -np.expm1(-since / tau)
        pouring = np.minimum(since, w)
        lag = tau * -np.expm1(-pouring / tau)
        return (pouring - lag * np.exp(-np.maximum(since - w, 0.0) / tau)) / w


@dataclass(frozen=True)
class Ledger:
    """Contents of a vessel at the knots `time_s` (a time that stands twice is an event).

    volume_ratio: volume over that at the start, as if no aliquot had been taken. available_mol_l: component
    -> moles per litre of the reference volume that are mixed in. antisolvent_fraction: of the volume.
    removed_fraction: share of everything that aliquots have taken. start: contents before the first event.
    """

    time_s: FloatArray
    volume_ratio: FloatArray
    temperature_k: FloatArray
    available_mol_l: dict[str, FloatArray]
    fed_mol_l: dict[str, FloatArray]
    chemicals_mol_l: dict[str, FloatArray]
    antisolvent_fraction: FloatArray
    removed_fraction: FloatArray
    reference_ml: float
    start: Amounts
    additions: tuple[Addition, ...]


def ledger_of(recipe: Recipe, constants: KineticConstants) -> Ledger:
    """The contents of a recipe's vessel at all times until the end of its observation."""
    start = amounts_of(recipe.vessel.contents)
    reference_ml = start.volume_ml
    additions, removals = _additions(recipe, constants, reference_ml)
    end = recipe.observe.until
    breaks = sorted(
        {0.0, end}
        | {a.start_s for a in additions if a.start_s < end}
        | {a.start_s + a.over_s for a in additions if a.start_s + a.over_s < end}
        | {e.at for e in recipe.events if e.kind in ("cool", "heat", "aliquot") and e.at < end}
    )
    shortest = [a.mixing_s for a in additions if a.mixing_s > 0] + [
        _time_constant(e, constants) for e in recipe.events if e.to is not None
    ]
    time = knots_between(breaks, min(shortest, default=end))
    # at a jump the first of two equal knots still belongs to what was before
    before = np.append(np.diff(time) == 0, False)
    moment = np.where(before, np.nextafter(time, -np.inf), time)
    ratio = np.ones_like(time)
    antisolvent = np.zeros_like(time)
    components = start.components()
    available = {name: np.full_like(time, 1e3 * mol / reference_ml) for name, mol in components.items()}
    fed = {name: values.copy() for name, values in available.items()}
    chemicals = {name: np.full_like(time, 1e3 * mol / reference_ml) for name, mol in start.mol.items()}
    for one in additions:
        poured, mixed = one.fed(moment), one.mixed(moment)
        ratio += one.share * poured * one.amounts.volume_ml / reference_ml
        if one.kind == "antisolvent":
            antisolvent += one.share * mixed * one.amounts.volume_ml / reference_ml
        for name, mol in one.amounts.components().items():
            amount = one.share * 1e3 * mol / reference_ml
            available[name] = available.get(name, np.zeros_like(time)) + amount * mixed
            fed[name] = fed.get(name, np.zeros_like(time)) + amount * poured
        for name, mol in one.amounts.mol.items():
            amount = one.share * 1e3 * mol / reference_ml
            chemicals[name] = chemicals.get(name, np.zeros_like(time)) + amount * mixed
    removed = np.zeros_like(time)
    for at, fraction in removals:
        removed = np.where(moment >= at, 1.0 - (1.0 - removed) * (1.0 - fraction), removed)
    return Ledger(
        time_s=time,
        volume_ratio=ratio,
        temperature_k=_temperature(recipe, constants, additions, time, ratio * reference_ml),
        available_mol_l=available,
        fed_mol_l=fed,
        chemicals_mol_l=chemicals,
        antisolvent_fraction=antisolvent / ratio,
        removed_fraction=removed,
        reference_ml=reference_ml,
        start=start,
        additions=additions,
    )


def _additions(
    recipe: Recipe, constants: KineticConstants, reference_ml: float
) -> tuple[tuple[Addition, ...], list[tuple[float, float]]]:
    """Additions with their weight per reference volume, and (time, share taken) of the aliquots."""
    additions: list[Addition] = []
    removals: list[tuple[float, float]] = []
    left = 1.0
    for event in sorted(recipe.events, key=lambda one: one.at):
        if event.kind in ("inject", "antisolvent", "ligand"):
            mixing = event.mixing if event.mixing is not None else constants.mixing_time_s
            additions.append(
                Addition(
                    start_s=event.at,
                    over_s=event.over if event.over > AT_ONCE_S else 0.0,
                    mixing_s=mixing if mixing > AT_ONCE_S else 0.0,
                    temperature_k=event.temperature if event.temperature is not None else ROOM_K,
                    amounts=amounts_of(event.contents),
                    kind=event.kind,
                    share=1.0 / left,
                )
            )
        elif event.kind == "aliquot":
            assert event.volume is not None
            at = np.array([event.at])
            there = reference_ml + sum(float(a.share * a.fed(at)[0]) * a.amounts.volume_ml for a in additions)
            fraction = min(event.volume / (there * left), 1.0)
            removals.append((event.at, fraction))
            left = max(left * (1.0 - fraction), 1e-9)
    return tuple(additions), removals


def _time_constant(event: Event, constants: KineticConstants) -> float:
    given = event.time_constant if event.time_constant is not None else constants.bath_time_constant_s
    return max(given, AT_ONCE_S)


def knots_between(breaks: Sequence[float], shortest: float) -> FloatArray:
    """Knots of all stretches, closer after each break where mixing and cooling are fast."""
    parts = []
    for first, last in itertools.pairwise(breaks):
        length = last - first
        step = min(shortest / 20.0, length / _KNOTS)
        # geometric: steps grow from `step` until they fill the stretch
        low, high = 0.0, 600.0 / _KNOTS  # larger would overflow
        for _ in range(80):
            rate = 0.5 * (low + high)
            total = np.expm1(rate * _KNOTS) / np.expm1(rate) if rate > 1e-9 else _KNOTS
            low, high = (rate, high) if step * total < length else (low, rate)
        counted = np.arange(_KNOTS + 1.0)
        grown = counted if high < 1e-9 else np.expm1(high * counted)
        parts.append(first + length * grown / grown[-1])
        parts[-1][-1] = last
    return np.concatenate(parts)


def _temperature(
    recipe: Recipe,
    constants: KineticConstants,
    additions: Sequence[Addition],
    time: FloatArray,
    volume_ml: FloatArray,
) -> FloatArray:
    """Temperature at the knots: streams mix by volume, and the vessel follows its bath.

    dT/dt = (T_bath - T)/tau + (inflow/V)(T_in - T), exact over each knot with the inflow of its middle.
    """
    bath, tau = recipe.vessel.temperature, constants.bath_time_constant_s
    now = bath
    found = np.empty_like(time)
    for i, moment in enumerate(time):
        if i and moment > time[i - 1]:
            dt, middle = moment - time[i - 1], 0.5 * (moment + time[i - 1])
            rate, heat = 1.0 / tau, bath / tau
            for one in additions:
                if one.over_s > 0 and one.start_s <= middle < one.start_s + one.over_s:
                    inflow = one.share * one.amounts.volume_ml / one.over_s
                    inflow /= 0.5 * (volume_ml[i] + volume_ml[i - 1])
                    rate += inflow
                    heat += inflow * one.temperature_k
            now = heat / rate + (now - heat / rate) * np.exp(-rate * dt)
        else:
            # an event: what is poured at once, then the new bath
            for one in additions:
                if one.over_s <= 0 and one.start_s == moment:
                    now += one.share * one.amounts.volume_ml / volume_ml[i] * (one.temperature_k - now)
            for event in recipe.events:
                if event.to is not None and event.at == moment:
                    bath, tau = event.to, _time_constant(event, constants)
        found[i] = now
    return found
