"""Which record answers for a quantity of an end member, or how the answer follows from other records.

Order: records of the named parameter set, then those outside the sets, then those of the family. A Kane
energy is calibrated on the longitudinal-transverse splitting before any unnamed record of it is taken, and
where neither is on record it is the range that the reduced mass allows. What is left without an answer raises
`NotAvailableError`; another material's number is never given.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial

from perolux.errors import ModelRangeError, NotAvailableError, OptionError, PeroluxError
from perolux.materials.derive import bounds, combine
from perolux.materials.kane import (
    kane_energy_from_lt_splitting,
    kane_energy_from_mass,
    lt_splitting_ev,
)
from perolux.materials.optical import absorption_calibrations
from perolux.materials.records import Record, RecordFile, load_records, quantities
from perolux.materials.temperature import gap_piecewise_ev
from perolux.quantities.citations import citation_keys
from perolux.quantities.constants import BOHR_RADIUS_NM, RYDBERG_EV
from perolux.quantities.value import Value

__all__ = ["Answer", "answer", "model_choice", "set_warnings"]


@dataclass(frozen=True)
class Answer:
    """The value of a quantity, its rivals, the values it was computed from, and how."""

    value: Value
    rivals: tuple[Value, ...] = ()
    ingredients: tuple[Value, ...] = ()
    how: str = "read from its record"


_Rule = Callable[[RecordFile, float, str | None], Answer | None]


def model_choice(name: str, model: str = "gap_course") -> Value:
    """A choice of a model (`gap_course`, `mixing`), as the `Value` of its record."""
    return load_records(model).of(name)[0].value


@lru_cache(maxsize=4096)
def answer(material: str, quantity: str, temperature_k: float, parameter_set: str | None) -> Answer:
    """The answer of an end member for a quantity at a temperature (K) under a named set.

    Raises `OptionError` for an unknown quantity, `NotAvailableError` where nothing is on record and
    `ModelRangeError` outside the range of the records.
    """
    check_quantity(material, quantity)
    file = load_records(material)
    records = file.of(quantity)
    mine = [r for r in records if r.value.parameter_set == parameter_set and parameter_set is not None]
    pool = [r for r in records if r.value.parameter_set is None and not r.rival_only]
    rule = _RULES.get(quantity)
    steps: list[Callable[[], Answer | None]] = [
        lambda: _from_records(mine, temperature_k),
        lambda: _from_records(pool, temperature_k),
    ]
    if rule is not None:
        position = 0 if quantity in _RULE_FIRST else 1 if quantity in _RULE_SECOND else 2
        steps.insert(position, lambda: rule(file, temperature_k, parameter_set))
    if quantity == "kane_energy":
        steps.append(lambda: _kane_from_mass(file, temperature_k, parameter_set))
    for step in steps:
        found = step()
        if found is not None:
            also = rule(file, temperature_k, parameter_set) if rule and quantity != "gap" else None
            return replace(found, rivals=found.rivals + _rivals(records, found.value, also))
    raise not_available(file, quantity, temperature_k)


def check_quantity(material: str, quantity: str) -> None:
    """Raise `OptionError` with the nearest name where a quantity is unknown."""
    known = [name for name, spec in quantities().items() if spec.mixing != "model"]
    if quantity in known:
        return
    from difflib import get_close_matches

    near = get_close_matches(quantity, known, n=3, cutoff=0.4)
    raise OptionError(
        f"unknown quantity {quantity!r}",
        where=material,
        allowed=", ".join(known),
        fix=f"did you mean {' or '.join(near)}?" if near else None,
    )


def not_available(file: RecordFile, quantity: str, temperature_k: float, why: str = "") -> NotAvailableError:
    """The error that says what is missing, of which material, and who could supply it."""
    spec = quantities()[quantity]
    rivals = [str(r.value) for r in file.of(quantity)]
    doubtful = f"; on record only as rival: {'; '.join(rivals)}" if rivals else ""
    return NotAvailableError(
        f"{quantity} of {file.name} is not available{why}{doubtful}",
        where=f"{file.name} at {temperature_k:g} K",
        allowed=f"{quantity}: {spec.meaning}, in {spec.unit}",
        fix=f"could be supplied by {file.supplier}: {spec.supplied_by}",
    )


def _from_records(records: list[Record], temperature_k: float) -> Answer | None:
    failure: PeroluxError | None = None
    for record in records:
        try:
            record.value.check(temperature_k=temperature_k)
            return Answer(record.value)
        except ModelRangeError as error:
            failure = error
    for record in records:
        if record.extrapolates:
            recorded = next(f"{a:g} to {b:g} K" for q, a, b in record.value.valid if q == "temperature_k")
            told = f"extrapolated: recorded at {recorded}, asked for {temperature_k:g} K"
            note = f"{told}; {record.value.note}" if record.value.note else told
            return Answer(replace(record.value, note=note), how="its record, used beyond the recorded range")
    if failure is not None:
        raise failure
    return None


def _rivals(records: tuple[Record, ...], chosen: Value, also: Answer | None) -> tuple[Value, ...]:
    """Every other record of the quantity (whatever its set), and what a rule would have given instead."""

    def same(a: Value, b: Value) -> bool:
        return (a.source, a.number, a.parameter_set) == (b.source, b.number, b.parameter_set)

    rivals = [r.value for r in records if not same(r.value, chosen)]
    if also is not None and not same(also.value, chosen):
        rivals.append(also.value)
    return tuple(rivals)


def _set_value(file: RecordFile, quantity: str, parameter_set: str | None) -> Value | None:
    """The number of the set, else of the pool, whatever the temperature of its record."""
    for wanted in (parameter_set, None):
        for record in file.of(quantity):
            if record.value.parameter_set == wanted and not record.rival_only:
                return record.value
    return None


def _gap(file: RecordFile, temperature_k: float, parameter_set: str | None) -> Answer:
    """The gap at a temperature: along the course where a slope is on record, else at the anchors only."""
    del parameter_set
    low_at, high_at = model_choice("low_temperature"), model_choice("high_temperature")
    if not low_at.number <= temperature_k <= high_at.number:
        raise ModelRangeError(
            f"temperature {temperature_k:g} K is outside the range of the gap course",
            where=f"{file.name}.gap",
            allowed=f"{low_at.number:g} to {high_at.number:g} K",
            fix="ask within the range; the upper end lies below the first phase transition of CsPbBr3",
        )
    low, anchor, slope = (_set_value(file, q, None) for q in ("gap_low_t", "gap_300k", "gap_slope"))
    if anchor is None or slope is None or low is None:
        return _gap_at_anchor(file, temperature_k, low, anchor)
    key, valid = f"{file.name}.gap", (("temperature_k", low_at.number, high_at.number),)
    if temperature_k == low_at.number:
        return Answer(_as_gap(file, low, valid), ingredients=(low,), how="the low-temperature anchor")
    knee, anchor_at = model_choice("knee_temperature"), model_choice("anchor_temperature")
    sign = _set_value(file, "gap_slope_sign", None)
    course = partial(
        gap_piecewise_ev,
        temperature_k,
        low_k=low_at.number,
        knee_k=knee.number,
        anchor_k=anchor_at.number,
        sign=0.0 if sign is None else sign.number,
    )
    known, at = () if sign is None else (sign,), f"at {temperature_k:g} K"
    kept = "" if sign is None else f", dEg/dT {'>' if sign.number > 0 else '<'} 0 kept"
    if temperature_k < knee.number:
        return _middle(
            _computed(
                course,
                (low, anchor, slope),
                key,
                f"straight line from the low-temperature anchor to the knee{kept}, {at}",
                also=(knee, *known),
                beside=(low_at, anchor_at),
                valid=valid,
            )
        )
    found = _computed(
        lambda e, s: e + s * (temperature_k - anchor_at.number),
        (anchor, slope),
        key,
        f"300 K anchor and slope, {at}",
        beside=(anchor_at,),
        valid=valid,
    )
    if sign is not None and not _agrees(found.value, low, sign):
        found = _computed(
            course,
            (low, anchor, slope),
            key,
            f"300 K anchor and slope, not beyond the low-temperature anchor{kept}, {at}",
            also=known,
            beside=(anchor_at,),
            valid=valid,
        )
    # A second route to the same number: the low-temperature anchor kept to the knee, then the slope.
    rival = _computed(
        lambda e0, s: e0 + s * (temperature_k - knee.number),
        (low, slope),
        key,
        f"low-temperature anchor kept to the knee, then the slope, {at}",
        also=(knee,),
        valid=valid,
    )
    return replace(_middle(found), rivals=(rival.value,))


def _agrees(warm: Value, cold: Value, sign: Value) -> bool:
    """Whether no part of a gap lies on the wrong side of the low-temperature anchor."""
    if sign.number > 0:
        return bounds(warm)[0] >= bounds(cold)[1]
    return bounds(warm)[1] <= bounds(cold)[0]


def _middle(found: Answer) -> Answer:
    """A range with its middle as its number, which the sign of the slope may have moved."""
    low, high = found.value.low, found.value.high
    if low is None or high is None:
        return found
    return replace(found, value=replace(found.value, number=0.5 * (low + high)))


def _as_gap(file: RecordFile, anchor: Value, valid: tuple[tuple[str, float, float], ...]) -> Value:
    return replace(anchor, key=f"{file.name}.gap", valid=valid)


def _gap_at_anchor(file: RecordFile, temperature_k: float, low: Value | None, anchor: Value | None) -> Answer:
    """Without a slope only the anchors themselves answer, widened by the distance in temperature."""
    anchor_at, window = model_choice("anchor_temperature"), model_choice("anchor_window").number
    low_at, low_window = model_choice("low_temperature"), model_choice("low_temperature_window").number
    unlisted, sign = _unlisted_slope(file), _set_value(file, "gap_slope_sign", None)
    windows = (
        (anchor, anchor_at, anchor_at.number - window, anchor_at.number + window),
        (low, low_at, low_at.number, low_window),
    )
    for value, told, first, last in windows:
        if value is None or not first <= temperature_k <= last:
            continue
        at, valid = told.number, (("temperature_k", first, last),)
        if temperature_k == at:
            return Answer(_as_gap(file, value, valid), ingredients=(value,), how="its anchor")
        distance = temperature_k - at
        return _computed(
            lambda e, s, d=distance: e + s * d,
            (value, unlisted),
            f"{file.name}.gap",
            f"anchor at {at:g} K, widened for {temperature_k:g} K",
            also=() if sign is None else (sign,),
            beside=(told,),
            valid=valid,
        )
    missing = [name for name, v in (("gap_low_t", low), ("gap_300k", anchor)) if v is None]
    why = ": no anchor is on record"
    if anchor is not None or low is not None:
        why = f" at {temperature_k:g} K: {' and '.join([*missing, 'gap_slope'])} not on record"
    raise not_available(file, "gap", temperature_k, why)


def _unlisted_slope(file: RecordFile) -> Value:
    """The range of slopes assumed where none is on record, cut at zero where at least the sign is."""
    unlisted, sign = model_choice("unlisted_slope"), _set_value(file, "gap_slope_sign", None)
    low, high = bounds(unlisted)
    if sign is None:
        return unlisted
    low, high = (0.0, high) if sign.number > 0 else (low, 0.0)
    keys = " + ".join(citation_keys(sign.source))
    return replace(
        unlisted,
        number=0.5 * (low + high),
        low=low,
        high=high,
        source=f"{keys} + perolux: sign read, size bounded",
    )


def _computed(
    function: Callable[..., float],
    ingredients: tuple[Value, ...],
    key: str,
    how: str,
    *,
    also: tuple[Value, ...] = (),
    beside: tuple[Value, ...] = (),
    parameter_set: str | None = None,
    note: str = "",
    valid: tuple[tuple[str, float, float], ...] = (),
) -> Answer:
    """An answer by `combine`. beside: ingredients that the name of a record states already (the temperature
    of `gap_300k`); they are listed, but the result is no weaker for them.
    """
    unit = quantities()[key.rpartition(".")[2]].unit
    value = combine(
        function,
        ingredients,
        unit=unit,
        key=key,
        how=how,
        also=also,
        parameter_set=parameter_set,
        note=note,
        valid=valid,
    )
    return Answer(value, ingredients=(*ingredients, *also, *beside), how=how)


def _pair(file: RecordFile, parameter_set: str | None) -> tuple[Value, Value] | None:
    """Reduced mass and effective dielectric constant of a set, the latter as the set keeps it."""
    mass = _set_value(file, "reduced_mass", parameter_set)
    kept = _eps_effective(file, 0.0, parameter_set)
    eps = kept.value if kept is not None else _set_value(file, "eps_effective", parameter_set)
    return None if mass is None or eps is None else (mass, eps)


def _eps_effective(file: RecordFile, temperature_k: float, parameter_set: str | None) -> Answer | None:
    """Where a set keeps its binding, the dielectric constant that follows: eps = sqrt(Ry0 mu/Eb)."""
    del temperature_k
    named = next((one for one in file.sets if one.name == parameter_set), None)
    if named is None or named.keep != "exciton_binding":
        return None
    mass = _set_value(file, "reduced_mass", parameter_set)
    binding = _set_value(file, "exciton_binding", parameter_set)
    if mass is None or binding is None:
        return None
    published = _set_value(file, "eps_effective", parameter_set)
    note = "no dielectric constant was published"
    if published is not None:
        note = f"replaces the published {published.number:g}, which contradicts the binding"
    return _computed(
        lambda mu, eb: math.sqrt(RYDBERG_EV * mu / eb),
        (mass, binding),
        f"{file.name}.eps_effective",
        "sqrt(Ry0 mu/Eb): mass and binding of the set are kept",
        parameter_set=parameter_set,
        note=note,
    )


def _of_pair(quantity: str, formula: Callable[[float, float], float], how: str) -> _Rule:
    """A rule that computes a quantity from reduced mass and effective dielectric constant."""

    def rule(file: RecordFile, temperature_k: float, parameter_set: str | None) -> Answer | None:
        del temperature_k
        pair = _pair(file, parameter_set)
        if pair is None:
            return None
        return _computed(formula, pair, f"{file.name}.{quantity}", how, parameter_set=parameter_set)

    return rule


def _kane_energy(file: RecordFile, temperature_k: float, parameter_set: str | None) -> Answer | None:
    del temperature_k
    splitting, background = (_set_value(file, q, None) for q in ("lt_splitting", "eps_high_freq"))
    gap, binding = _set_value(file, "gap_low_t", None), _set_value(file, "exciton_binding", parameter_set)
    pair = _pair(file, parameter_set)
    if splitting is None or background is None or gap is None or binding is None or pair is None:
        return None

    def calibrated(lt: float, eps_b: float, eg: float, eb: float, mu: float, eps: float) -> float:
        return kane_energy_from_lt_splitting(lt, eg - eb, eps_b, BOHR_RADIUS_NM * eps / mu)

    return _computed(
        calibrated,
        (splitting, background, gap, binding, *pair),
        f"{file.name}.kane_energy",
        "from the longitudinal-transverse splitting and the Bohr radius of the set",
        parameter_set=parameter_set,
    )


def _lt_splitting(file: RecordFile, temperature_k: float, parameter_set: str | None) -> Answer | None:
    """The longitudinal-transverse splitting from a recorded Kane energy: the inverse of `_kane_energy`."""
    del temperature_k
    kane, background = _set_value(file, "kane_energy", parameter_set), _set_value(file, "eps_high_freq", None)
    gap, binding = _set_value(file, "gap_low_t", None), _set_value(file, "exciton_binding", parameter_set)
    pair = _pair(file, parameter_set)
    if kane is None or background is None or gap is None or binding is None or pair is None:
        return None

    def splitting(ep: float, eps_b: float, eg: float, eb: float, mu: float, eps: float) -> float:
        return lt_splitting_ev(ep, eg - eb, eps_b, BOHR_RADIUS_NM * eps / mu)

    return _computed(
        splitting,
        (kane, background, gap, binding, *pair),
        f"{file.name}.lt_splitting",
        "from the Kane energy and the Bohr radius of the set",
        parameter_set=parameter_set,
    )


def _kane_from_mass(file: RecordFile, temperature_k: float, parameter_set: str | None) -> Answer | None:
    """Where nobody has measured it: the range between the two ways of counting bands in the reduced mass."""
    del temperature_k
    mass, gap = _set_value(file, "reduced_mass", parameter_set), _set_value(file, "gap_low_t", None)
    split = _set_value(file, "spin_orbit_delta", None)
    if mass is None or gap is None or split is None:
        return None
    key, note = f"{file.name}.kane_energy", "remote bands other than the J = 3/2 band are left out"
    how = "from the reduced mass: low end with the J = 3/2 band, high end of two symmetric bands"
    with_split = _computed(
        kane_energy_from_mass, (mass, gap, split), key, how, parameter_set=parameter_set, note=note
    )
    two_bands = _computed(kane_energy_from_mass, (mass, gap), key, how, parameter_set=parameter_set)
    low, high = bounds(with_split.value)[0], bounds(two_bands.value)[1]
    value = replace(with_split.value, number=0.5 * (low + high), low=low, high=high, sigma=None)
    return replace(with_split, value=value)


def _electron_mass(file: RecordFile, temperature_k: float, parameter_set: str | None) -> Answer | None:
    del temperature_k
    mass, hole = _set_value(file, "reduced_mass", parameter_set), _set_value(file, "hole_mass", parameter_set)
    if mass is None or hole is None or bounds(mass)[1] >= bounds(hole)[0]:
        return None
    return _computed(
        lambda mu, mh: 1.0 / (1.0 / mu - 1.0 / mh),
        (mass, hole),
        f"{file.name}.electron_mass",
        "1/(1/mu - 1/m_h)",
        parameter_set=parameter_set,
        note="mass of the set with a hole mass of another source",
    )


def _formula_units(file: RecordFile, temperature_k: float, parameter_set: str | None) -> Answer | None:
    del temperature_k, parameter_set
    lattice = _set_value(file, "lattice_constant", None)
    if lattice is None:
        return None
    key = f"{file.name}.formula_units_per_nm3"
    return _computed(lambda a: a**-3, (lattice,), key, "1/a^3, a the lattice constant")


def _intrinsic_absorption(file: RecordFile, temperature_k: float, parameter_set: str | None) -> Answer | None:
    del temperature_k, parameter_set
    index = model_choice("reference_solvent_index")
    rivals = absorption_calibrations(file.name, index.number)
    if not rivals:
        return None
    return Answer(rivals[0], rivals[1:], ingredients=(index,), how="computed by the clause of its source")


_RULES: dict[str, _Rule] = {
    "gap": _gap,
    "eps_effective": _eps_effective,
    "bohr_radius": _of_pair("bohr_radius", lambda mu, eps: BOHR_RADIUS_NM * eps / mu, "a0 eps/mu"),
    "rydberg": _of_pair("rydberg", lambda mu, eps: RYDBERG_EV * mu / eps**2, "Ry0 mu/eps^2"),
    "exciton_binding": _of_pair("exciton_binding", lambda mu, eps: RYDBERG_EV * mu / eps**2, "Ry0 mu/eps^2"),
    "kane_energy": _kane_energy,
    "lt_splitting": _lt_splitting,
    "electron_mass": _electron_mass,
    "formula_units_per_nm3": _formula_units,
    "intrinsic_absorption_335nm": _intrinsic_absorption,
}
# What a rule answers before any record, and what it answers after the records of the set only: the Kane
# energy, and the gap, of which no packaged set but a user's own one may have a record.
_RULE_FIRST = {"eps_effective"}
_RULE_SECOND = {"kane_energy", "gap"}


@lru_cache(maxsize=64)
def set_warnings(material: str, parameter_set: str | None) -> tuple[str, ...]:
    """What does not fit together in a set: binding against Rydberg, reduced mass against carrier masses."""
    file = load_records(material)
    mass, eps, binding = (
        _set_value(file, q, parameter_set) for q in ("reduced_mass", "eps_effective", "exciton_binding")
    )
    who = f"{material} ({parameter_set})"
    warnings = []
    if mass is not None and eps is not None and binding is not None:
        rydberg = RYDBERG_EV * mass.number / eps.number**2
        if abs(rydberg - binding.number) >= model_choice("binding_tolerance").number:
            kept = _eps_effective(file, 0.0, parameter_set)
            end = "all are kept"
            if kept is not None:
                end = f"the binding is kept, the dielectric constant becomes {kept.value.number:.2f}"
            warnings.append(
                f"{who}: the published mass {mass.number:g} m0 and dielectric constant {eps.number:g} give a "
                f"Rydberg of {1e3 * rydberg:.1f} meV, not the binding of {1e3 * binding.number:g} meV; {end}"
            )
    for name, value in zip(("mass", "dielectric constant"), _pair(file, parameter_set) or (), strict=False):
        if value.is_range:
            radius = answer(material, "bohr_radius", 0.0, parameter_set).value
            warnings.append(
                f"{who}: the {name} is known only as {value.low:g} to {value.high:g}, hence the Bohr radius "
                f"only as {radius.low:.2f} to {radius.high:.2f} nm; a single number is their middle"
            )
    carriers = [r.value for q in ("electron_mass", "hole_mass") for r in file.of(q)[:1]]
    if mass is not None and len(carriers) == 2:
        electron, hole = (carrier.number for carrier in carriers)
        reduced = 1.0 / (1.0 / electron + 1.0 / hole)
        if abs(reduced - mass.number) > model_choice("mass_tolerance").number * mass.number:
            warnings.append(
                f"{who}: electron and hole mass {electron:g} and {hole:g} m0 mean a reduced mass of "
                f"{reduced:.3f}, not {mass.number:g} m0; all are kept"
            )
    return tuple(warnings)
