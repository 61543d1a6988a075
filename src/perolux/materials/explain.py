"""Where a number comes from: `explain("CsPbBr3.gap", 300)` gives value, ingredients and rivals."""

from __future__ import annotations

from dataclasses import dataclass

from perolux.errors import ModelRangeError, NotAvailableError, OptionError
from perolux.materials.material import known_materials, material, parameter_sets
from perolux.materials.records import load_records, quantities
from perolux.quantities.citations import citation_keys, reference
from perolux.quantities.constants import constants
from perolux.quantities.value import Value

__all__ = ["Explanation", "explain"]

_MODELS = ("gap_course", "mixing")
_DEFAULT_TEMPERATURE_K = 298.0  # the default of `material`, said to be assumed


@dataclass(frozen=True)
class Explanation:
    """A value with its rivals, the values it was computed from, how, and the works they cite.

    temperature_assumed: True where no temperature was given and the default was taken.
    """

    key: str
    chosen: Value
    rivals: tuple[Value, ...] = ()
    ingredients: tuple[Value, ...] = ()
    how: str = "read from its record"
    meaning: str = ""
    temperature_k: float | None = None
    temperature_assumed: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def references(self) -> tuple[str, ...]:
        """The works behind the value, its ingredients and its rivals, one line each."""
        values = (self.chosen, *self.ingredients, *self.rivals)
        keys = dict.fromkeys(key for value in values for key in citation_keys(value.source))
        return tuple(str(reference(key)) for key in keys)

    def as_dict(self) -> dict[str, object]:
        """Plain dictionary for JSON."""
        return {
            "key": self.key,
            "meaning": self.meaning,
            "temperature_k": self.temperature_k,
            "temperature_assumed": self.temperature_assumed,
            "chosen": self.chosen.as_dict(),
            "how": self.how,
            "ingredients": [value.as_dict() for value in self.ingredients],
            "rivals": [value.as_dict() for value in self.rivals],
            "warnings": list(self.warnings),
            "references": list(self.references),
        }

    def __str__(self) -> str:
        value = self.chosen
        unit = "" if value.unit == "1" else f" {value.unit}"
        lines = [f"{self.key}: {self.meaning}" if self.meaning else self.key]
        if self.temperature_k is not None:
            assumed = " (assumed, none was given)" if self.temperature_assumed else ""
            lines.append(f"  temperature  {self.temperature_k:g} K{assumed}")
        lines.append(f"  value        {value.number:.6g}{unit}")
        if value.is_range:
            lines.append(f"  range        {value.low:.6g} to {value.high:.6g}{unit} (a uniform prior)")
        lines.append(f"  sigma        {'not given' if value.sigma is None else f'{value.sigma:.2g}{unit}'}")
        lines += [f"  kind         {value.kind}", f"  source       {value.source}"]
        if value.parameter_set:
            lines.append(f"  set          {value.parameter_set}")
        lines += [f"  valid for    {name} {low:g} to {high:g}" for name, low, high in value.valid]
        lines.append(f"  how          {self.how}")
        if value.note:
            lines.append(f"  note         {value.note}")
        lines += [f"  warning      {warning}" for warning in self.warnings]
        if self.ingredients:
            lines += ["  from", *(f"    {_line(one)}" for one in self.ingredients)]
        lines += (
            ["  rivals", *(f"    {_line(one)}" for one in self.rivals)]
            if self.rivals
            else ["  rivals       none on record"]
        )
        lines += ["  references", *(f"    {line}" for line in self.references)]
        return "\n".join(lines)


def explain(key: str, temperature_k: float | None = None, parameter_set: str | None = None) -> Explanation:
    """Where a number comes from, and what else is on record for it.

    key: "MATERIAL.quantity" ("CsPbBr3.gap", "CsPb(Br0.7I0.3)3.reduced_mass"), "constants.NAME",
    "mixing.bowing_br_i", "gap_course.knee_temperature". temperature_k: K; where none is given 298 K is
    assumed and said. Raises `OptionError` for an unknown key, `NotAvailableError` where nothing is on
    record, `ModelRangeError` outside the range of the records.

    >>> print(explain("CsPbBr3.gap", 300).chosen)
    CsPbBr3.gap = 2.36 to 2.39 eV [recalled: field-knowledge: 300 K anchor and slope, at 300 K]
    """
    owner, _, quantity = key.strip().rpartition(".")
    if owner == "constants":
        return _constant(key.strip(), quantity)
    if owner in _MODELS:
        return _model(key.strip(), owner, quantity)
    if not owner:
        raise OptionError(
            f"{key!r} names no quantity",
            allowed="MATERIAL.quantity, constants.NAME, mixing.NAME or gap_course.NAME",
            fix=f"write for example {quantity if quantity in known_materials() else 'CsPbBr3'}.gap",
        )
    assumed = temperature_k is None
    at = _DEFAULT_TEMPERATURE_K if temperature_k is None else temperature_k
    chosen = material(owner, at, parameter_set)
    answer = chosen.answer(quantity)
    rivals = list(answer.rivals)
    for other in parameter_sets(owner):
        if other == chosen.parameter_set:
            continue
        try:
            value = material(owner, at, other).value(quantity)
        except (NotAvailableError, ModelRangeError):
            continue
        known = [(v.number, v.low, v.high) for v in (answer.value, *rivals)]
        if (value.number, value.low, value.high) not in known:
            rivals.append(value)
    return Explanation(
        key=key.strip(),
        chosen=chosen.value(quantity),
        rivals=tuple(rivals),
        ingredients=answer.ingredients,
        how=answer.how,
        meaning=quantities()[quantity].meaning,
        temperature_k=at,
        temperature_assumed=assumed,
        warnings=chosen.warnings,
    )


def _constant(key: str, name: str) -> Explanation:
    if name not in constants():
        raise OptionError(f"unknown constant {name!r}", allowed=", ".join(constants()))
    return Explanation(key, constants()[name])


def _model(key: str, model: str, name: str) -> Explanation:
    records = load_records(model).of(name)
    if not records:
        raise OptionError(f"{model} has no record {name!r}", allowed=", ".join(load_records(model).records))
    first, *others = (record.value for record in records)
    return Explanation(key, first, tuple(others), meaning=quantities()[name].meaning)


def _line(value: Value) -> str:
    named = f", set {value.parameter_set}" if value.parameter_set else ""
    note = f"; {value.note}" if value.note else ""
    return f"{value}{named}{note}"
