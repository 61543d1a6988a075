"""How fast halides exchange: a prior, its activation energy, and what a ligand makes of it.

    k(T) = k0 m exp(-(Ea/R)(1/T - 1/T0)),     T0 = 298.15 K

m is the multiplier `exchange_rate` of the ligands (`materials.chemicals`, assumed; only the order OA/OLA >
zwitterion > lecithin is published). Several ligands share the surface by their parts, as in a recipe, and m
is the geometric mean.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from perolux.errors import OptionError
from perolux.materials import HALIDES
from perolux.materials.chemicals import chemical
from perolux.quantities import Value
from perolux.quantities.constants import AVOGADRO_PER_MOL, BOLTZMANN_EV_PER_K, constant
from perolux.surface.priors import prior

__all__ = ["REFERENCE_K", "ExchangeRate", "Ligands", "exchange_rate"]

REFERENCE_K = 298.15
"""Temperature of the rate on record."""
KJ_MOL_PER_EV = 1e-3 * AVOGADRO_PER_MOL * constant("elementary_charge_c")

Ligands = str | Mapping[str, float]


@dataclass(frozen=True)
class ExchangeRate:
    """Rate constant of the mean field (1/s): the middle of its prior, and the ends of all ranges together.

    rests_on: the records behind it, all priors but the activation energy of Br and I.
    """

    per_s: float
    low_per_s: float
    high_per_s: float
    rests_on: tuple[Value, ...]


def exchange_rate(
    halides: Iterable[str], temperature_k: float = REFERENCE_K, ligands: Ligands = "oleic acid"
) -> ExchangeRate:
    """Rate constant of exchange between crystals that hold these halides together.

    halides: e.g. ("Br", "I"), which has an activation energy of its own. ligands: a name of a chemical, or
    {name: part of the surface}, normalised here. Raises `OptionError` for what is no halide or no ligand,
    `ModelRangeError` outside 270 to 370 K.

    >>> lecithin, oleate = (exchange_rate(("Br", "I"), ligands=one) for one in ("lecithin", "OA"))
    >>> lecithin.per_s < oleate.per_s
    True
    """
    named = tuple(halides)
    if not named or not set(named) <= set(HALIDES):
        raise OptionError(f"halides {', '.join(named) or 'of no name'}", allowed=", ".join(HALIDES))
    base = prior("exchange_rate_per_s")
    base.check(temperature_k=_finite(temperature_k))
    energy, (middle, low, high) = _activation_ev(named)
    multiplier, values = _multiplier(ligands)
    assert base.low is not None and base.high is not None

    def at(number: float, energy_ev: float) -> float:
        colder = 1.0 / temperature_k - 1.0 / REFERENCE_K
        return number * multiplier * math.exp(-energy_ev * colder / BOLTZMANN_EV_PER_K)

    ends = [at(number, e) for number in (base.low, base.high) for e in (low, high)]
    # at T0 the activation energy has no effect
    used = (base, energy) if temperature_k != REFERENCE_K else (base,)
    return ExchangeRate(at(base.number, middle), min(ends), max(ends), (*used, *values))


def _activation_ev(halides: tuple[str, ...]) -> tuple[Value, tuple[float, float, float]]:
    """The record, and middle, low and high (two sigma) in eV."""
    if set(halides) == {"Br", "I"}:
        value = prior("exchange_activation_br_i_ev")
        reach = 2.0 * (value.sigma or 0.0)
        return value, (value.number, value.number - reach, value.number + reach)
    value = prior("exchange_activation_kj_mol")
    assert value.low is not None and value.high is not None
    middle, low, high = (one / KJ_MOL_PER_EV for one in (value.number, value.low, value.high))
    return value, (middle, low, high)


def _multiplier(ligands: Ligands) -> tuple[float, tuple[Value, ...]]:
    parts = {ligands: 1.0} if isinstance(ligands, str) else dict(ligands or {})
    if (
        not parts
        or not all(math.isfinite(p) and p >= 0 for p in parts.values())
        or not sum(parts.values()) > 0
    ):
        raise OptionError(f"ligands {parts}", allowed="a name, or names with parts above 0")
    logarithm, used = 0.0, []
    for name, part in parts.items():
        known = chemical(name)
        if "exchange_rate" not in known.multipliers:
            raise OptionError(f"{known.name} is no ligand with an exchange rate", allowed=_ligand_names())
        value = known.multipliers["exchange_rate"]
        logarithm += part * math.log(value.number)
        used.append(value)
    return math.exp(logarithm / sum(parts.values())), tuple(used)


def _ligand_names() -> str:
    from perolux.materials.chemicals import chemicals

    return ", ".join(one.name for one in chemicals().values() if "exchange_rate" in one.multipliers)


def _finite(temperature_k: float) -> float:
    if not (isinstance(temperature_k, int | float) and math.isfinite(temperature_k)):
        raise OptionError(f"a temperature of {temperature_k!r} K", allowed="270 to 370 K")
    return float(temperature_k)
