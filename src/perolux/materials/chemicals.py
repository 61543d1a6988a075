"""Reagents, ligands, solvents of a synthesis: formula, molar mass, densities (`data/chemicals.toml`)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from perolux.errors import InputError, NotAvailableError, OptionError
from perolux.quantities import Value

__all__ = [
    "Chemical",
    "atomic_weight",
    "atomic_weights",
    "chemical",
    "chemicals",
    "elements",
    "molar_mass_g_mol",
]

_HANDBOOK = "handbook number from memory, not verified"
_LIGAND = "this program, relative to oleic acid and oleylamine: prior, not literature"
_ORDER = "only the order of exchange rates OA/OLA > zwitterion > lecithin is published"
_UNITS = {"density_g_ml": "g/mL", "boiling_c": "degC", "melting_c": "degC"}
_GROUP = re.compile(r"([A-Z][a-z]?)(\d*)")


@dataclass(frozen=True)
class Chemical:
    """One reagent, ligand or solvent; what nobody has supplied raises `NotAvailableError`.

    role: "salt", "ligand" or "solvent". properties: `Value` by name (density_g_ml, boiling_c, melting_c).
    cations: organic A-site cations in the formula, which its elements do not tell. multipliers: of a ligand
    on surface_rate, surface_energy and exchange_rate, against oleic acid = 1. acts_as: what it brings to the
    equilibria of a solution besides `ions` (anion, proton, amine, complexant, quaternary). covers: True for a
    ligand that binds so strongly that where it sits nothing grows (assumed; only the order is published).
    """

    name: str
    formula: str
    role: str
    aliases: tuple[str, ...]
    properties: Mapping[str, Value]
    multipliers: Mapping[str, Value]
    cations: Mapping[str, int]
    acts_as: Mapping[str, int]
    covers: bool = False
    note: str | None = None

    @property
    def ions(self) -> dict[str, int]:
        """Ions of a perovskite in one formula unit: Pb, Cs, FA, MA, Cl, Br, I."""
        counts = elements(self.formula)
        return {e: counts[e] for e in ("Pb", "Cs", "Cl", "Br", "I") if e in counts} | dict(self.cations)

    def has(self, name: str) -> bool:
        """True where a property is on record."""
        return name in self.properties

    @property
    def molar_mass_g_mol(self) -> float:
        """Molar mass in g/mol: the sum of atomic weights over the formula."""
        return molar_mass_g_mol(self.formula)

    def property(self, name: str) -> Value:
        """One property, e.g. "density_g_ml"; raises `NotAvailableError` where no record stands."""
        try:
            return self.properties[name]
        except KeyError:
            raise NotAvailableError(
                f"no {name} is recorded for {self.name}", allowed=", ".join(self.properties) or "none"
            ) from None


def elements(formula: str) -> dict[str, int]:
    """Number of atoms of each element in a plain formula (no brackets), e.g. "Cs2CO3".

    >>> elements("Cs2CO3")
    {'Cs': 2, 'C': 1, 'O': 3}
    """
    if not formula or not re.fullmatch(r"(?:[A-Z][a-z]?(?:[1-9]\d*)?)+", formula):
        raise InputError(
            f"{formula!r} is not a formula", allowed="symbols and counts, e.g. PbBr2, without brackets"
        )
    counts: dict[str, int] = {}
    for symbol, count in _GROUP.findall(formula):
        atomic_weight(symbol)
        counts[symbol] = counts.get(symbol, 0) + int(count or 1)
    return counts


def atomic_weight(symbol: str) -> Value:
    """Standard atomic weight in g/mol of one element of the records."""
    weights = _file()["atomic_weight"]
    if symbol not in weights:
        raise InputError(f"no atomic weight is recorded for {symbol!r}", allowed=", ".join(weights))
    return Value(
        key=f"atomic_weight.{symbol}",
        number=weights[symbol],
        unit="g/mol",
        kind="recalled",
        source="IUPAC abridged standard atomic weights, from memory",
    )


def atomic_weights() -> tuple[str, ...]:
    """Symbols of the elements whose atomic weights are on record."""
    return tuple(_file()["atomic_weight"])


def molar_mass_g_mol(formula: str) -> float:
    """Molar mass in g/mol, M = sum_e n_e A_e, of a plain formula."""
    return sum(count * float(_file()["atomic_weight"][e]) for e, count in elements(formula).items())


@cache
def chemicals() -> dict[str, Chemical]:
    """All chemicals by name."""
    return {row["name"]: _chemical(row) for row in _file()["chemical"]}


def chemical(name: str) -> Chemical:
    """One chemical by name or alias, whatever the case; an unknown one raises `OptionError` with near names.

    >>> chemical("OA").formula
    'C18H34O2'
    """
    names = _names()
    if (found := names.get(name.strip().lower())) is not None:
        return chemicals()[found]
    from difflib import get_close_matches

    near = [names[key] for key in get_close_matches(name.strip().lower(), names, n=3)]
    hint = f"; near: {', '.join(dict.fromkeys(near))}" if near else ""
    raise OptionError(f"no chemical is called {name!r}{hint}", allowed=", ".join(chemicals()))


@cache
def _names() -> dict[str, str]:
    return {word.lower(): c.name for c in chemicals().values() for word in (c.name, *c.aliases)}


@cache
def _file() -> dict[str, Any]:
    text = files("perolux.materials").joinpath("data", "chemicals.toml").read_text("utf-8")
    return tomllib.loads(text)


def _chemical(row: dict[str, Any]) -> Chemical:
    key = f"chemical.{row['name']}"
    return Chemical(
        name=row["name"],
        formula=row["formula"],
        role=row["role"],
        aliases=tuple(row.get("aliases", ())),
        properties={
            name: Value(key=f"{key}.{name}", number=row[name], unit=unit, kind="recalled", source=_HANDBOOK)
            for name, unit in _UNITS.items()
            if name in row
        },
        multipliers={
            name: Value(key=f"{key}.{name}", number=x, unit="1", kind="assumed", source=_LIGAND, note=_ORDER)
            for name, x in row.get("multipliers", {}).items()
        },
        cations=row.get("cations", {}),
        acts_as=row.get("acts_as", {}),
        covers=row.get("covers", False),
        note=row.get("note"),
    )
