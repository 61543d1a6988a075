"""`Material`: what a composition at a temperature is, under one named parameter set."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field, replace
from functools import lru_cache

from perolux.errors import ModelRangeError, NotAvailableError, OptionError
from perolux.materials.composition import CATIONS, HALIDES, Composition, parse_composition
from perolux.materials.derive import span
from perolux.materials.mixtures import mixed_answer
from perolux.materials.records import ParameterSet, load_records, quantities
from perolux.materials.resolve import Answer, answer, check_quantity, model_choice, set_warnings
from perolux.quantities.constants import BOHR_RADIUS_NM, RYDBERG_EV
from perolux.quantities.value import Value

__all__ = [
    "ExcitonScale",
    "Material",
    "canonical_set",
    "known_materials",
    "material",
    "mixed_material",
    "parameter_sets",
]


@dataclass(frozen=True)
class ExcitonScale:
    """The two numbers that scale an exciton: Bohr radius in nm and Rydberg in eV."""

    bohr_radius_nm: float
    rydberg_ev: float


@dataclass(frozen=True)
class Material:
    """A lead halide perovskite at a temperature, under one named, versioned parameter set.

    name: canonical formula. members: (end member, weight, its parameter set). version: of each record file.
    warnings: what the import checks of the set found. Every number is a `Value` (`value`, `gap`); the
    properties with a unit in their name are the plain floats that physics needs.
    """

    name: str
    composition: Composition = field(repr=False)
    temperature_k: float
    parameter_set: str | None
    version: str
    members: tuple[tuple[str, float, str | None], ...] = field(repr=False)
    warnings: tuple[str, ...] = field(repr=False, default=())

    def answer(self, quantity: str) -> Answer:
        """The value of a quantity with its rivals, its ingredients and how it was found."""
        if len(self.members) == 1:
            name, _, chosen = self.members[0]
            return answer(name, quantity, self.temperature_k, chosen)
        check_quantity(self.name, quantity)
        return mixed_answer(self.name, self.composition, self.members, quantity, self.temperature_k)

    def value(self, quantity: str) -> Value:
        """The `Value` of a quantity, for example "reduced_mass" (all names: `perolux.materials.quantities`).

        Raises `OptionError` for an unknown quantity, `NotAvailableError` where nobody has supplied it and
        `ModelRangeError` where the temperature lies outside the range of the record.
        """
        found = self.answer(quantity).value
        return found if found.parameter_set is None else replace(found, parameter_set=self.parameter_set)

    def values(self) -> dict[str, Value]:
        """Every quantity that this material answers at its temperature, by name."""
        found = {}
        for quantity in _quantity_names():
            try:
                found[quantity] = self.value(quantity)
            except (NotAvailableError, ModelRangeError):
                continue
        return found

    def missing(self) -> dict[str, str]:
        """The quantities that this material does not answer, each with the reason."""
        reasons = {}
        for quantity in _quantity_names():
            try:
                self.value(quantity)
            except (NotAvailableError, ModelRangeError) as error:
                reasons[quantity] = error.problems[0].what
        return reasons

    @property
    def facts(self) -> tuple[str, ...]:
        """What is known beside numbers, in sentences, of all end members."""
        return tuple(fact for name, _, _ in self.members for fact in load_records(name).facts)

    def __repr__(self) -> str:
        parts = []
        for quantity in ("gap", "reduced_mass", "eps_effective", "bohr_radius", "rydberg"):
            try:
                value = self.value(quantity)
            except (NotAvailableError, ModelRangeError):
                parts.append(f"{quantity} not available")
                continue
            span = f"{value.low:.4g} to {value.high:.4g}" if value.is_range else f"{value.number:.4g}"
            unit = "" if value.unit == "1" else f" {value.unit}"
            parts.append(f"{quantity} {span}{unit} ({value.kind})")
        named = f"set {self.parameter_set}" if self.parameter_set else "no parameter set"
        head = f"{self.name} at {self.temperature_k:g} K, {named}, records {self.version}"
        return f"<Material {head}: {', '.join(parts)}>"

    @property
    def gap(self) -> Value:
        """Band gap at the temperature, in eV."""
        return self.value("gap")

    @property
    def gap_ev(self) -> float:
        """Band gap at the temperature in eV; the middle where only a range is known."""
        return self.gap.number

    @property
    def reduced_mass_m0(self) -> float:
        """Reduced mass of electron and hole in m0."""
        return self.value("reduced_mass").number

    @property
    def eps_effective(self) -> float:
        """Dielectric constant between electron and hole of the exciton."""
        return self.value("eps_effective").number

    @property
    def bohr_radius_nm(self) -> float:
        """Exciton Bohr radius a0 eps/mu in nm."""
        return self.value("bohr_radius").number

    @property
    def rydberg_ev(self) -> float:
        """Exciton Rydberg Ry0 mu/eps^2 in eV."""
        return self.value("rydberg").number

    def scale_range(self) -> tuple[ExcitonScale, ...]:
        """Exciton scales to be weighted equally: the middle, and where mass or constant are ranges the ends.

        One scale where both are numbers; else (strong, middle, weak) confinement: smallest Bohr radius and
        largest Rydberg (low constant, high mass) first. The middle is what the plain floats use.
        """
        mass, eps = self.value("reduced_mass"), self.value("eps_effective")
        masses, constants = span(mass), span(eps)
        pairs = dict.fromkeys(
            [
                (masses[1], constants[0]),
                (mass.number, eps.number),
                (masses[0], constants[1]),
            ]
        )
        return tuple(ExcitonScale(BOHR_RADIUS_NM * e / mu, RYDBERG_EV * mu / e**2) for mu, e in pairs)

    @property
    def lattice_constant_nm(self) -> float:
        """Pseudocubic lattice constant in nm."""
        return self.value("lattice_constant").number


def _quantity_names() -> list[str]:
    return [name for name, spec in quantities().items() if spec.mixing != "model"]


def known_materials() -> tuple[str, ...]:
    """Names of the end members APbX3, in the order of the periodic table of their sites."""
    return tuple(f"{cation}Pb{halide}3" for cation in CATIONS for halide in HALIDES)


def parameter_sets(name: str | Composition) -> tuple[str, ...]:
    """Names of the parameter sets of a material, the default first; empty where there is none.

    A mixture has one for each combination of the sets of its end members, named after the members that have
    a choice. An open composition has those of its mixtures.

    >>> parameter_sets("CsPbBr3")
    ('pssrrl2023', 'yang2017')
    >>> parameter_sets("CsPb(Br,I)3")
    ('pssrrl2023', 'yang2017')
    """
    composition = parse_composition(name) if isinstance(name, str) else name
    return tuple(_combinations(composition))


def canonical_set(material_name: str | Composition, name_or_alias: str) -> str:
    """The name of a parameter set, from the name or an alias; so for mixtures and open compositions.

    Raises `OptionError` with the sets of the material where it has none of that name.

    >>> canonical_set("CsPbBr3", "A"), canonical_set("CsPb(Br,I)3", "2307.07035")
    ('yang2017', 'pssrrl2023')
    """
    composition = parse_composition(material_name) if isinstance(material_name, str) else material_name
    for name, combination in _combinations(composition).items():
        if name_or_alias in (name, *combination.aliases):
            return name
    raise _unknown_set(composition, name_or_alias)


def _unknown_set(composition: Composition, wanted: str | None) -> OptionError:
    combinations = _combinations(composition)
    listed = [f"{n} (also {', '.join(c.aliases)})" if c.aliases else n for n, c in combinations.items()]
    return OptionError(
        f"{composition.formula} has no parameter set {wanted!r}",
        allowed=", ".join(listed) or "none: this material has no named sets",
    )


@dataclass(frozen=True)
class _Combination:
    """The set of each end member (None where it has none), and the other names of the combination."""

    sets: tuple[ParameterSet | None, ...]
    aliases: tuple[str, ...]


@lru_cache(maxsize=256)
def _combinations(composition: Composition) -> dict[str, _Combination]:
    """The combinations of sets by name, which is that of the members that have a choice."""
    closed = composition.with_fraction(0.5) if composition.is_open else composition
    choices = [load_records(member).sets or (None,) for member, _ in closed.end_members]
    named: dict[str, _Combination] = {}
    for combination in itertools.product(*choices):
        deciding = [s for s, options in zip(combination, choices, strict=True) if s and len(options) > 1]
        naming = deciding or [s for s in combination if s]
        name = "+".join(dict.fromkeys(s.name for s in naming))
        aliases = naming[0].aliases if len({s.name for s in naming}) == 1 else ()
        if name:
            named.setdefault(name, _Combination(combination, aliases))
    return named


def _chosen_sets(composition: Composition, wanted: str | None) -> tuple[str | None, tuple[str | None, ...]]:
    combinations = _combinations(composition)
    if wanted is None and not combinations:
        return None, (None,) * len(composition.end_members)
    name = next(iter(combinations)) if wanted is None else canonical_set(composition, wanted)
    return name, tuple(one.name if one else None for one in combinations[name].sets)


@lru_cache(maxsize=1024)
def material(
    name: str | Composition, temperature_k: float = 298.0, parameter_set: str | None = None
) -> Material:
    """The material of a formula at a temperature, under a named parameter set (else the default one).

    name: "CsPbBr3", "CsPb(Br0.7I0.3)3", "Cs0.9FA0.1PbBr3". temperature_k: K. parameter_set: a name of
    `parameter_sets(name)` or an alias. Raises `OptionError` for an unknown material or set or an open halide
    fraction, `ModelRangeError` for halides that do not mix. Temperatures are checked by each record.

    >>> cspbbr3 = material("CsPbBr3", parameter_set="B")
    >>> round(cspbbr3.bohr_radius_nm, 2), round(1e3 * cspbbr3.rydberg_ev, 2)
    (2.56, 32.36)
    """
    composition = parse_composition(name) if isinstance(name, str) else name
    temperature_k = float(temperature_k)
    if not (math.isfinite(temperature_k) and temperature_k >= 0):
        raise OptionError(
            f"a temperature of {temperature_k:g} K", allowed="0 K and above", where=composition.formula
        )
    # Asked before the end members: of an open composition that does not mix no fraction would help.
    halides = {symbol for symbol, _ in composition.halides}
    if {"Cl", "I"} <= halides and model_choice("miscible_cl_i", "mixing").number == 0:
        raise ModelRangeError(
            "chloride and iodide do not mix in one crystal",
            where=composition.formula,
            allowed="mixtures of Cl with Br, or of Br with I",
            fix="see perolux explain mixing.miscible_cl_i for the source",
        )
    members = composition.end_members
    chosen, sets = _chosen_sets(composition, parameter_set)
    versions = [f"{member} {load_records(member).version}" for member, _ in members]
    warnings = [warning for (m, _), s in zip(members, sets, strict=True) for warning in set_warnings(m, s)]
    return Material(
        name=composition.formula,
        composition=composition,
        temperature_k=temperature_k,
        parameter_set=chosen,
        version=", ".join(versions),
        members=tuple((m, w, s) for (m, w), s in zip(members, sets, strict=True)),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def mixed_material(
    family: str | Composition,
    fraction: float,
    temperature_k: float = 298.0,
    parameter_set: str | None = None,
) -> Material:
    """The material of an open composition at one halide fraction, the ends included.

    family: for example "CsPb(Br,I)3"; fraction: 0 to 1 of the second halide named. parameter_set: a name of
    `parameter_sets(family)`; at the ends it means the set that the end member has in that combination.

    >>> mixed_material("CsPb(Br,I)3", 1.0, parameter_set="pssrrl2023").parameter_set
    'yang2017'
    """
    composition = parse_composition(family) if isinstance(family, str) else family
    closed = composition.with_fraction(float(fraction))
    if 0.0 < fraction < 1.0:
        return material(closed, temperature_k, parameter_set)
    inside = material(composition.with_fraction(0.5), temperature_k, parameter_set)
    sets = {member: chosen for member, _, chosen in inside.members}
    own = [sets[member] for member, _ in closed.end_members]
    for name, combination in _combinations(closed).items():
        if [one.name if one else None for one in combination.sets] == own:
            return material(closed, temperature_k, name)
    return material(closed, temperature_k)
