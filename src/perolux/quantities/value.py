"""`Value`: a number that knows its uncertainty, unit, kind, source and valid range."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from perolux.errors import ModelRangeError

__all__ = ["KINDS", "Kind", "Value"]

Kind = Literal["read", "derived", "recalled", "assumed"]
KINDS: tuple[Kind, ...] = ("read", "derived", "recalled", "assumed")
"""read: seen in the cited source. derived: computed from other values. recalled: common knowledge of the
field, not verified against a source. assumed: a choice of this program."""


@dataclass(frozen=True)
class Value:
    """A number with provenance.

    number: the central value, in `unit`.
    sigma: one standard deviation in `unit`; None where the source gives none.
    low, high: bounds in `unit` where the number is known only as a range; it then enters inference as a
        uniform prior between them, and `number` is the middle.
    unit: text such as "eV", "nm", "m0", "1".
    kind: read, derived, recalled or assumed (see `KINDS`).
    source: a citation key or sentence with the place in the source.
    key: the name of the record, for example "CsPbBr3.gap".
    parameter_set: the named set the number belongs to, where it belongs to one.
    valid: what the number is valid for, as (quantity, low, high) triples, e.g. ("temperature_k", 2, 360).
    note: what a user should know before relying on it.
    """

    number: float
    unit: str
    kind: Kind
    source: str
    sigma: float | None = None
    low: float | None = None
    high: float | None = None
    key: str = ""
    parameter_set: str | None = None
    valid: tuple[tuple[str, float, float], ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.key or 'value'}: kind {self.kind!r} is not one of {KINDS}")
        if not math.isfinite(self.number):
            raise ValueError(f"{self.key or 'value'}: the number must be finite, not {self.number}")
        if self.sigma is not None and not (math.isfinite(self.sigma) and self.sigma >= 0):
            raise ValueError(f"{self.key or 'value'}: sigma must be finite and not negative")
        if (self.low is None) != (self.high is None):
            raise ValueError(f"{self.key or 'value'}: a range needs both low and high")
        if self.low is not None and self.high is not None and not self.low <= self.number <= self.high:
            raise ValueError(f"{self.key or 'value'}: the number lies outside its own range")
        if not self.source:
            raise ValueError(f"{self.key or 'value'}: every value needs a source")

    @property
    def is_range(self) -> bool:
        """True where only a range is known (a uniform prior), not a central value with sigma."""
        return self.low is not None

    @property
    def spread(self) -> float:
        """Standard deviation implied by what is known: sigma, or that of the uniform range, or 0."""
        if self.low is not None and self.high is not None:
            return (self.high - self.low) / math.sqrt(12.0)
        return self.sigma or 0.0

    def check(self, **conditions: float) -> None:
        """Raise `ModelRangeError` where a condition lies outside the valid range of this record.

        >>> Value(1.0, "eV", "assumed", "here", valid=(("temperature_k", 2, 360),)).check(temperature_k=300)
        """
        for quantity, low, high in self.valid:
            given = conditions.get(quantity)
            if given is not None and not low <= given <= high:
                raise ModelRangeError(
                    f"{quantity} = {given:g} is outside the range of the record",
                    where=self.key or None,
                    allowed=f"{low:g} to {high:g}",
                    fix="ask within the range, or supply a record that covers it",
                )

    def with_key(self, key: str) -> Value:
        """The same value under another key."""
        return replace(self, key=key)

    def __str__(self) -> str:
        if self.low is not None and self.high is not None:
            text = f"{self.low:g} to {self.high:g}"
        elif self.sigma is not None:
            text = f"{self.number:.6g} ± {self.sigma:.2g}"
        else:
            text = f"{self.number:.6g}"
        unit = "" if self.unit == "1" else f" {self.unit}"
        name = f"{self.key} = " if self.key else ""
        return f"{name}{text}{unit} [{self.kind}: {self.source}]"

    def as_dict(self) -> dict[str, object]:
        """Plain dictionary for JSON; missing entries are null."""
        return {
            "key": self.key,
            "value": self.number,
            "sigma": self.sigma,
            "low": self.low,
            "high": self.high,
            "unit": self.unit,
            "kind": self.kind,
            "source": self.source,
            "parameter_set": self.parameter_set,
            "valid": {quantity: [low, high] for quantity, low, high in self.valid},
            "note": self.note,
        }
