"""Populations of nanocrystals, and salt in solution, as amounts of halide.

Crystals hold three halides for each formula unit, 3 N sum(w V)/a^3 with the lattice constant a on record;
sites at the surface count as those inside, and ligands hold none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from perolux.ensemble import Ensemble
from perolux.errors import NotAvailableError, OptionError
from perolux.materials import HALIDES, Composition, material, parse_composition
from perolux.materials.chemicals import chemical
from perolux.quantities.constants import AVOGADRO_PER_MOL

__all__ = [
    "DissolvedHalide",
    "HalidePopulation",
    "cations_of",
    "dissolved_salt",
    "formula_of",
    "population_of",
]

FloatArray = npt.NDArray[np.float64]
_SUM_TOLERANCE = 1e-9
_SAME = 1e-5
_PRINTED = 5e-7
"""Fractions below this vanish in a formula of six digits."""


@dataclass(frozen=True)
class HalidePopulation:
    """Crystals of one composition: fractions of Cl, Br, I (sum 1) and their halide in mol per litre.

    ensemble: the crystals themselves, which light needs; None where only composition is followed.
    """

    name: str
    fractions: tuple[float, float, float]
    halide_mol_l: float
    ensemble: Ensemble | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "fractions", _checked_fractions(self.fractions, self.name))
        _require_amount(self.halide_mol_l, self.name)
        if self.ensemble is not None:
            if not isinstance(self.ensemble, Ensemble):
                raise OptionError(f"a {type(self.ensemble).__name__} is no Ensemble", where=self.name)
            own = dict(_one_composition(self.ensemble).halides)
            given = dict(zip(HALIDES, self.fractions, strict=True))
            if any(abs((own.get(h) or 0.0) - given[h]) > _SAME for h in HALIDES):
                raise OptionError(
                    f"fractions {self.fractions} do not go with an ensemble of {self.ensemble.material[0]}",
                    where=self.name,
                    fix="make the population with perolux.surface.population_of",
                )


@dataclass(frozen=True)
class DissolvedHalide:
    """Halide in solution beside the crystals: fractions of Cl, Br, I (sum 1) and mol per litre."""

    fractions: tuple[float, float, float]
    halide_mol_l: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "fractions", _checked_fractions(self.fractions, "salt"))
        _require_amount(self.halide_mol_l, "salt")


def population_of(ensemble: Ensemble, name: str = "") -> HalidePopulation:
    """A population from an `Ensemble` of one composition, whose halide is counted: 3 N sum(w V)/a^3.

    a: lattice constant on record (Vegard between ends). Sites at the surface count as those inside. Raises
    `OptionError` for several compositions or an unknown number per litre.
    """
    if not isinstance(ensemble, Ensemble):
        raise OptionError(f"a {type(ensemble).__name__} is no Ensemble", where="population_of")
    if ensemble.number_per_litre is None:
        raise OptionError(
            "the number of crystals per litre is not known",
            where="population_of",
            fix="give it first: with_number_per_litre(...)",
        )
    composition = _one_composition(ensemble)
    cell_nm3 = material(composition).lattice_constant_nm ** 3
    units = ensemble.number_per_litre * float(ensemble.weights @ ensemble.volume_nm3) / cell_nm3
    fractions = dict(composition.halides)
    halides = tuple(fractions.get(one) or 0.0 for one in HALIDES)
    label = name or composition.formula
    return HalidePopulation(label, halides, 3.0 * units / AVOGADRO_PER_MOL, ensemble)  # type: ignore[arg-type]


def dissolved_salt(name: str, mol_l: float) -> DissolvedHalide:
    """The halide of a salt by name (`materials.chemicals`), from its concentration in mol per litre.

    >>> dissolved_salt("PbI2", 1e-3)
    DissolvedHalide(fractions=(0.0, 0.0, 1.0), halide_mol_l=0.002)
    """
    ions = chemical(name).ions
    counts = [ions.get(one, 0) for one in HALIDES]
    _require_amount(mol_l, name)
    if not sum(counts):
        raise OptionError(f"{name} holds no halide", allowed="a salt or ligand with Cl, Br or I")
    fractions = tuple(count / sum(counts) for count in counts)
    return DissolvedHalide(fractions, mol_l * sum(counts))  # type: ignore[arg-type]


def _checked_fractions(fractions: Sequence[float], where: str) -> tuple[float, ...]:
    try:
        x = np.asarray(fractions, dtype=float)
    except (TypeError, ValueError):
        x = np.array([np.nan])
    good = x.shape == (3,) and np.all(np.isfinite(x)) and np.all(x >= 0)
    if not (good and abs(float(x.sum()) - 1.0) <= _SUM_TOLERANCE):
        raise OptionError(
            f"halide fractions {fractions!r}",
            where=where,
            allowed="three (Cl, Br, I), 0 or more, that sum to 1",
        )
    return tuple(float(one) for one in x / x.sum())


def _require_amount(mol_l: float, where: str) -> None:
    if not (isinstance(mol_l, int | float) and math.isfinite(mol_l) and mol_l >= 0):
        raise OptionError(f"{mol_l!r} mol/L of halide", where=where, allowed="0 and above")


def _one_composition(ensemble: Ensemble) -> Composition:
    names = set(ensemble.material.tolist())
    partners = set() if ensemble.partner_material is None else set(ensemble.partner_material.tolist())
    mixed = set() if ensemble.halide_fraction is None else set(ensemble.halide_fraction.tolist())
    if len(names) > 1 or len(partners) > 1 or len(mixed) > 1:
        raise OptionError(
            "the ensemble holds several compositions",
            where="population_of",
            allowed="one",
            fix="make a population of each part (Ensemble.select)",
        )
    first = parse_composition(names.pop())
    if first.is_open:
        raise OptionError(f"the halide fraction of {first.formula} is open", where="population_of")
    partner, x = (partners.pop() if partners else ""), (mixed.pop() if mixed else 0.0)
    if not partner or x == 0.0:
        return first
    second = parse_composition(partner)
    if second.cations != first.cations or second.is_open:
        raise OptionError(f"{partner} is no partner of {first.formula} in its halides", where="population_of")
    shares = {h: (1.0 - x) * (dict(first.halides).get(h) or 0.0) for h in HALIDES}
    for halide, share in second.halides:
        shares[halide] += x * (share or 0.0)
    return replace(first, halides=tuple((h, s) for h, s in shares.items() if s > 0))


def cations_of(population: HalidePopulation) -> Composition:
    """The composition of a population whose crystals are known; `NotAvailableError` otherwise."""
    if population.ensemble is None:
        raise NotAvailableError(
            f"the crystals of {population.name} are not known, only their halide",
            where="exchange_halides",
            fix="make the population from an ensemble: perolux.surface.population_of",
        )
    return _one_composition(population.ensemble)


def formula_of(base: Composition, fractions: FloatArray) -> str:
    """Formula of six digits; what they cannot show is left out."""
    kept = np.where(fractions > _PRINTED, fractions, 0.0)
    kept = kept / kept.sum()
    halides = tuple((h, float(x)) for h, x in zip(HALIDES, kept, strict=True) if x > 0)
    return replace(base, halides=halides).formula
