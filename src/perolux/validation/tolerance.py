"""How near a computed value must come to its target, and the check itself."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

__all__ = ["Target", "Tolerance", "ToleranceKind", "agrees", "target_problem"]

Target = float | str | tuple[float, float]
ToleranceKind = Literal["absolute", "relative", "at-least", "at-most", "range", "exact"]


@dataclass(frozen=True)
class Tolerance:
    """absolute: |value - target| <= number; relative: |value - target| <= number |target|; at-least and
    at-most: the target is the bound; range: the target is (low, high), widened by number on both sides;
    exact: equal, for counts and texts. `reason` says why this much and no less."""

    kind: ToleranceKind
    number: float
    reason: str

    def describe(self, unit: str = "") -> str:
        """The tolerance in words.

        >>> Tolerance("relative", 0.01, "K converges slowly").describe()
        'within 1 %'
        """
        suffix = "" if unit in ("", "1", "text") else f" {unit}"
        if self.kind == "absolute":
            return f"within {self.number:g}{suffix}"
        if self.kind == "relative":
            return f"within {self.number * 100:g} %"
        if self.kind == "range":
            return f"in the range, {self.number:g}{suffix} either side" if self.number else "in the range"
        return {"at-least": "at least", "at-most": "at most", "exact": "exactly"}[self.kind]


def agrees(value: float | str, target: Target, tolerance: Tolerance) -> bool:
    """True where `value` lies within `tolerance` of `target`.

    >>> agrees(32.4, 32.36, Tolerance("absolute", 0.2, "rounding of the two inputs"))
    True
    """
    if isinstance(value, str) or isinstance(target, str):
        return value == target
    if isinstance(target, tuple):
        return target[0] - tolerance.number <= value <= target[1] + tolerance.number
    if tolerance.kind == "absolute":
        return abs(value - target) <= tolerance.number
    if tolerance.kind == "relative":
        return abs(value - target) <= tolerance.number * abs(target)
    if tolerance.kind == "at-least":
        return value >= target
    if tolerance.kind == "at-most":
        return value <= target
    return value == target


def target_problem(target: object, tolerance: Tolerance) -> str | None:
    """What is wrong with a target for this kind of tolerance, or None."""
    if target is None:
        return "'target' is missing"
    if tolerance.kind == "range":
        if isinstance(target, tuple) and len(target) == 2 and all(_is_number(bound) for bound in target):
            return None if target[0] <= target[1] else "the target range runs downwards"
        return "a tolerance of kind 'range' needs target = [low, high]"
    if isinstance(target, str):
        return None if tolerance.kind == "exact" else "a text can only be compared exactly"
    if not _is_number(target):
        return "the target must be a finite number, a text, or [low, high]"
    return None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
