"""Mixtures: Vegard with bowing for the gap, Vegard for lattice and Kane energy, 1/mu and 1/eps linear.

    Eg(x) = sum w_i Eg_i - sum b_jk x_j x_k     (pairs j, k of halides and of cations; b > 0 lowers the gap)
    a(x) = sum w_i a_i,  Ep(x) = sum w_i Ep_i,  1/mu = sum w_i/mu_i,  1/eps = sum w_i/eps_i

`mixed_material_arrays` gives the same for an array of halide fractions, for inference.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, NotAvailableError, OptionError
from perolux.materials.composition import Composition, parse_composition
from perolux.materials.derive import bounds, combine, span
from perolux.materials.records import quantities
from perolux.materials.resolve import Answer, answer, model_choice
from perolux.materials.trace import collect
from perolux.quantities.constants import BOHR_RADIUS_NM, RYDBERG_EV
from perolux.quantities.value import Value

__all__ = ["MixedMaterialArrays", "mixed_answer", "mixed_material_arrays"]

FloatArray = npt.NDArray[np.float64]
Members = tuple[tuple[str, float, str | None], ...]

_PAIRS = {frozenset({"Cl", "Br"}): "bowing_cl_br", frozenset({"Br", "I"}): "bowing_br_i"}


@dataclass(frozen=True)
class MixedMaterialArrays:
    """A halide series over the fraction of its second halide; every array has the shape of `fraction`.

    gap_low_ev and gap_high_ev bound the gap (uniform prior between them), gap_ev is the middle. `rests_on`
    holds the values that went in: gaps, masses and dielectric constants of the end members with the records
    that these were computed from, and the bowing.
    """

    family: str
    parameter_set: str | None
    temperature_k: float
    fraction: FloatArray
    gap_low_ev: FloatArray
    gap_high_ev: FloatArray
    reduced_mass_m0: FloatArray
    eps_effective: FloatArray
    rests_on: tuple[Value, ...]
    mass_ends_m0: tuple[FloatArray, FloatArray] = field(repr=False)
    eps_ends: tuple[FloatArray, FloatArray] = field(repr=False)

    def scale_range(self) -> tuple[MixedMaterialArrays, ...]:
        """Series to be weighted equally: this one, or three where an end has ranges of mass or constant.

        They differ in `reduced_mass_m0` and `eps_effective`: strong confinement (high mass, low constant),
        the middle, weak confinement; as `Material.scale_range`.
        """
        (light, heavy), (weak, strong) = self.mass_ends_m0, self.eps_ends
        if np.array_equal(light, heavy) and np.array_equal(weak, strong):
            return (self,)
        return (
            replace(self, reduced_mass_m0=heavy, eps_effective=weak),
            self,
            replace(self, reduced_mass_m0=light, eps_effective=strong),
        )

    @property
    def gap_ev(self) -> FloatArray:
        """Middle of the gap in eV."""
        return 0.5 * (self.gap_low_ev + self.gap_high_ev)

    @property
    def bohr_radius_nm(self) -> FloatArray:
        """Exciton Bohr radius a0 eps/mu in nm."""
        return BOHR_RADIUS_NM * self.eps_effective / self.reduced_mass_m0

    @property
    def rydberg_ev(self) -> FloatArray:
        """Exciton Rydberg Ry0 mu/eps^2 in eV."""
        return RYDBERG_EV * self.reduced_mass_m0 / self.eps_effective**2


def mixed_material_arrays(
    family: str | Composition,
    fraction: npt.ArrayLike,
    temperature_k: float = 298.0,
    parameter_set: str | None = None,
) -> MixedMaterialArrays:
    """Gap, mass and dielectric constant of an open composition over an array of halide fractions.

    family: for example "CsPb(Br,I)3". fraction: any shape, 0 to 1, of the second halide named (here iodide).
    Raises `OptionError` for a closed composition or a fraction outside 0 to 1, `ModelRangeError` for halides
    that do not mix, `NotAvailableError` where an end member lacks a number.

    >>> series = mixed_material_arrays("CsPb(Br,I)3", [0.0, 1.0])
    >>> [round(float(mu), 3) for mu in series.reduced_mass_m0]
    [0.18, 0.114]
    """
    from perolux.materials.material import material

    composition = parse_composition(family) if isinstance(family, str) else family
    x = np.asarray(fraction, dtype=np.float64)
    if not composition.is_open:
        raise OptionError(
            f"{composition.formula} has no open halide fraction", fix="name two halides, as in CsPb(Br,I)3"
        )
    if not np.all((x >= 0) & (x <= 1)):
        raise OptionError("a halide fraction outside its range", allowed="0 to 1", where=composition.formula)
    # Halides that do not mix are refused by the mixture itself, before the ends are asked.
    whole = material(composition.with_fraction(0.5), temperature_k, parameter_set)
    first, second = (
        [(m, s) for m, _, s in whole.members if m.endswith(f"Pb{halide}3")]
        for halide, _ in composition.halides
    )
    cations = [share for _, share in composition.cations]
    needed = ("gap", "reduced_mass", "eps_effective")
    ends = [
        {q: [answer(m, q, whole.temperature_k, s).value for m, s in end] for q in needed}
        for end in (first, second)
    ]
    halide_bowing = _bowing(*(halide for halide, _ in composition.halides))
    bowings: list[tuple[Value, FloatArray | float]] = [
        (halide_bowing, x * (1 - x)),
        *_cation_bowings(composition),
    ]
    low, high = (
        (1 - x) * _mean([bounds(v)[i] for v in ends[0]["gap"]], cations)
        + x * _mean([bounds(v)[i] for v in ends[1]["gap"]], cations)
        - sum(share * bounds(bowing)[1 - i] for bowing, share in bowings)
        for i in (0, 1)
    )

    def series(quantity: str, of: Callable[[Value], float]) -> FloatArray:
        first_end, second_end = (_mean([1 / of(v) for v in end[quantity]], cations) for end in ends)
        return np.asarray(1.0 / ((1 - x) * first_end + x * second_end))

    def ends_of(quantity: str) -> tuple[FloatArray, FloatArray]:
        # A sigma counts beside a range only, as in `combine`.
        ranged = any(v.is_range for end in ends for v in end[quantity])
        limits = bounds if ranged else span
        return series(quantity, lambda v: limits(v)[0]), series(quantity, lambda v: limits(v)[1])

    used = [v for end in ends for found in end.values() for v in found]
    sets = {m: s for m, _, s in whole.members}

    def look_up(owner: str, quantity: str) -> Answer | None:
        return answer(owner, quantity, whole.temperature_k, sets[owner]) if owner in sets else None

    return MixedMaterialArrays(
        composition.formula,
        whole.parameter_set,
        whole.temperature_k,
        x,
        low,
        high,
        series("reduced_mass", lambda v: v.number),
        series("eps_effective", lambda v: v.number),
        collect((*used, *(bowing for bowing, _ in bowings)), look_up),
        ends_of("reduced_mass"),
        ends_of("eps_effective"),
    )


def _mean(numbers: list[float], weights: list[float]) -> float:
    return sum(n * w for n, w in zip(numbers, weights, strict=True))


def _bowing(first: str, second: str) -> Value:
    return model_choice(_PAIRS[frozenset({first, second})], "mixing")


def _cation_bowings(composition: Composition) -> list[tuple[Value, float]]:
    """Bowing of mixed cations with the sum of products of their fractions; none for a single cation."""
    cations = [share for _, share in composition.cations]
    if len(cations) == 1:
        return []
    products = sum(a * b for a, b in itertools.combinations(cations, 2))
    return [(model_choice("bowing_cations", "mixing"), products)]


def mixed_answer(
    name: str, composition: Composition, members: Members, quantity: str, temperature_k: float
) -> Answer:
    """The answer of a mixture for a quantity, from the answers of its end members.

    Raises `NotAvailableError` where an end member lacks it or no mixing rule is known for it.
    """
    rule = quantities()[quantity].mixing
    key = f"{name}.{quantity}"
    if quantity in ("bohr_radius", "rydberg", "exciton_binding"):
        return _hydrogenic(name, composition, members, quantity, temperature_k)
    if quantity == "formula_units_per_nm3":
        lattice = mixed_answer(name, composition, members, "lattice_constant", temperature_k).value
        return _answer(lambda a: a**-3, (lattice,), key, quantity, "1/a^3")
    if rule == "none":
        raise NotAvailableError(
            f"{quantity} of {name} is not available: no rule is known for mixing it",
            where=f"{name} at {temperature_k:g} K",
            allowed="gap, lattice_constant, kane_energy, reduced_mass, eps_effective and what follows",
            fix=f"could be supplied by {quantities()[quantity].supplied_by} on the mixture itself",
        )
    parts = tuple(answer(m, quantity, temperature_k, s).value for m, _, s in members)
    weights = [w for _, w, _ in members]
    if rule == "same":
        if len({(v.number, v.source) for v in parts}) > 1:
            raise ModelRangeError(f"the end members of {name} have different records of {quantity}")
        return Answer(parts[0].with_key(key), ingredients=parts, how="the same for all end members")
    if rule == "inverse":
        return _answer(
            lambda *numbers: 1.0 / sum(w / n for w, n in zip(weights, numbers, strict=True)),
            parts,
            key,
            quantity,
            "inverse linear in composition",
        )
    if rule == "bowing":
        return _gap(composition, parts, weights, key)
    return _answer(
        lambda *numbers: sum(w * n for w, n in zip(weights, numbers, strict=True)),
        parts,
        key,
        quantity,
        "linear in composition (Vegard)",
    )


def _gap(composition: Composition, parts: tuple[Value, ...], weights: list[float], key: str) -> Answer:
    halides = [(symbol, share or 0.0) for symbol, share in composition.halides]
    bowings = [(_bowing(a, b), xa * xb) for (a, xa), (b, xb) in itertools.combinations(halides, 2)]
    bowings += _cation_bowings(composition)
    shares = [share for _, share in bowings]

    def gap(*numbers: float) -> float:
        ends, bows = numbers[: len(weights)], numbers[len(weights) :]
        return sum(w * e for w, e in zip(weights, ends, strict=True)) - sum(
            s * b for s, b in zip(shares, bows, strict=True)
        )

    ingredients = (*parts, *(value for value, _ in bowings))
    return _answer(gap, ingredients, key, "gap", "Vegard with bowing")


def _hydrogenic(
    name: str, composition: Composition, members: Members, quantity: str, temperature_k: float
) -> Answer:
    mass, eps = (
        mixed_answer(name, composition, members, q, temperature_k).value
        for q in ("reduced_mass", "eps_effective")
    )
    if quantity == "bohr_radius":
        return _answer(
            lambda mu, e: BOHR_RADIUS_NM * e / mu, (mass, eps), f"{name}.{quantity}", quantity, "a0 eps/mu"
        )
    return _answer(
        lambda mu, e: RYDBERG_EV * mu / e**2, (mass, eps), f"{name}.{quantity}", quantity, "Ry0 mu/eps^2"
    )


def _answer(
    function: Callable[..., float], ingredients: tuple[Value, ...], key: str, quantity: str, how: str
) -> Answer:
    sets = "+".join(dict.fromkeys(v.parameter_set for v in ingredients if v.parameter_set))
    value = combine(
        function, ingredients, unit=quantities()[quantity].unit, key=key, how=how, parameter_set=sets or None
    )
    return Answer(value, ingredients=ingredients, how=how)
