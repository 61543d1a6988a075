"""Numbers computed from records: range, sigma, kind, sources and valid ranges are carried along.

The kind of a result is that of its weakest ingredient (read and derived give derived, then recalled, then
assumed). Ranges are carried to the exact bounds of a function that is monotonic in each ingredient, sigmas in
quadrature; where a range meets a sigma, the sigma enters as the uniform range of equal standard deviation.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

from perolux.quantities.citations import citation_keys
from perolux.quantities.value import Kind, Value

__all__ = ["bounds", "combine", "common_valid", "span", "weakest_kind"]

_STRENGTH: tuple[Kind, ...] = ("derived", "recalled", "assumed")


def weakest_kind(values: Sequence[Value]) -> Kind:
    """Kind of a number computed from `values`: derived, or recalled or assumed where one of them is."""
    ranks = [_STRENGTH.index("derived" if v.kind == "read" else v.kind) for v in values]
    return _STRENGTH[max(ranks, default=0)]


def bounds(value: Value) -> tuple[float, float]:
    """Low and high of a value: its range, or that of a uniform distribution of equal sigma (sqrt(3) sigma).

    Both are the number itself where neither is known.
    """
    if value.low is not None and value.high is not None:
        return value.low, value.high
    half = math.sqrt(3.0) * (value.sigma or 0.0)
    return value.number - half, value.number + half


def span(value: Value) -> tuple[float, float]:
    """Low and high of a value of which only a range is known; the number itself twice where it is known."""
    if value.low is not None and value.high is not None:
        return value.low, value.high
    return value.number, value.number


def common_valid(
    values: Sequence[Value], own: tuple[tuple[str, float, float], ...] = ()
) -> tuple[tuple[str, float, float], ...]:
    """Valid ranges of a number computed from `values`: what all of them allow, quantity by quantity.

    own: ranges of the computation itself; for these quantities they count alone. Records with no range in
    common (cold and warm ones) are all named: no one condition satisfies them, and `Value.check` says so.

    >>> common_valid([Value(1, "nm", "read", "x", valid=(("edge_nm", 8, 100), ("temperature_k", 2, 10)))])
    (('edge_nm', 8, 100), ('temperature_k', 2, 10))
    """
    ranges: dict[str, list[tuple[float, float]]] = {}
    for value in values:
        for quantity, low, high in value.valid:
            ranges.setdefault(quantity, []).append((low, high))
    found = {quantity: [(low, high)] for quantity, low, high in own}
    for quantity, spans in ranges.items():
        low, high = max(low for low, _ in spans), min(high for _, high in spans)
        found.setdefault(quantity, [(low, high)] if low <= high else list(dict.fromkeys(spans)))
    return tuple((quantity, low, high) for quantity, spans in found.items() for low, high in spans)


def combine(
    function: Callable[..., float],
    ingredients: Sequence[Value],
    *,
    unit: str,
    key: str,
    how: str,
    also: Sequence[Value] = (),
    parameter_set: str | None = None,
    note: str = "",
    valid: tuple[tuple[str, float, float], ...] = (),
) -> Value:
    """The value of `function(*numbers)` with everything that follows from its ingredients.

    function: monotonic in each argument over the range of that ingredient. how: one clause that says what
    was done; it becomes the place in the source, after the citation keys of the ingredients. also: values
    that the function rests on without taking them (a knee temperature); they count for kind and source.
    valid: ranges of the computation, in place of those of the ingredients (see `common_valid`).
    """
    numbers = [value.number for value in ingredients]
    number = function(*numbers)
    low = high = sigma = None
    if any(value.is_range for value in ingredients):
        spans = [tuple(dict.fromkeys(bounds(value))) for value in ingredients]
        corners = [function(*corner) for corner in itertools.product(*spans)]
        # The middle of the ingredients can miss the corners by rounding only.
        low, high = min(*corners, number), max(*corners, number)
    elif any(value.sigma for value in ingredients):
        sigma = math.sqrt(sum(_share(function, numbers, i, v.sigma) ** 2 for i, v in enumerate(ingredients)))
    named = (*ingredients, *also)
    keys = dict.fromkeys(key for value in named for key in citation_keys(value.source))
    used = ", ".join(dict.fromkeys(value.key for value in named if value.key))
    notes = [note, f"computed from {used}" if used else ""]
    return Value(
        number=number,
        unit=unit,
        kind=weakest_kind(named),
        source=" + ".join(keys or ["perolux"]) + f": {how}",
        sigma=sigma,
        low=low,
        high=high,
        key=key,
        parameter_set=parameter_set,
        valid=common_valid(named, valid),
        note="; ".join(part for part in notes if part),
    )


def _share(function: Callable[..., float], numbers: list[float], position: int, sigma: float | None) -> float:
    """Half the change of the function over one sigma to either side of an ingredient."""
    if not sigma:
        return 0.0
    above, below = list(numbers), list(numbers)
    above[position] += sigma
    below[position] -= sigma
    return (function(*above) - function(*below)) / 2.0
