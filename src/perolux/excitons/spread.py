"""`Spread`: one result under each named parameter set, and its spread over sets and draws."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import NotAvailableError

__all__ = ["Spread", "aligned", "spread_of"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class Spread:
    """A number that depends on the parameter set.

    sets: the number of each named set, at the middle of all ranges. median, low95, high95: over the draws of
    all sets, each set with equal weight.
    """

    sets: Mapping[str, float]
    median: float
    low95: float
    high95: float
    unit: str = "1"

    def as_dict(self) -> dict[str, object]:
        """The four keys of the JSON contract."""
        return {
            "sets": dict(self.sets),
            "median": self.median,
            "low95": self.low95,
            "high95": self.high95,
        }

    def scaled(self, factor: float, unit: str) -> Spread:
        """The same result in another unit."""
        low, high = sorted((factor * self.low95, factor * self.high95))
        sets = {name: factor * number for name, number in self.sets.items()}
        return Spread(sets, factor * self.median, low, high, unit)

    def __repr__(self) -> str:
        return f"<Spread {self}, sets {', '.join(self.sets)}>"

    def __str__(self) -> str:
        unit = "" if self.unit == "1" else f" {self.unit}"
        return f"{self.median:.4g}{unit} (95 %: {self.low95:.4g} to {self.high95:.4g})"


def spread_of(by_set: Mapping[str, npt.ArrayLike], unit: str = "1") -> Spread:
    """Spread of arrays (1 + draws,), the middle first, one for each set.

    Raises `NotAvailableError` where a number is not finite: a model that has no answer must say so itself.

    >>> spread_of({"A": [1.0, 0.9, 1.1], "B": [2.0, 1.9, 2.1]}).median
    1.5
    """
    arrays = {name: np.atleast_1d(np.asarray(array, dtype=float)) for name, array in by_set.items()}
    faulty = [name for name, array in arrays.items() if not np.all(np.isfinite(array))]
    if not arrays or faulty:
        raise NotAvailableError(f"no finite result under {', '.join(faulty) or 'any parameter set'}")
    pooled = np.concatenate([array[1:] if array.size > 1 else array for array in arrays.values()])
    low, median, high = np.quantile(pooled, [0.025, 0.5, 0.975])
    return Spread(
        {name: float(array[0]) for name, array in arrays.items()},
        float(median),
        float(low),
        float(high),
        unit,
    )


def aligned(numbers: Sequence[float]) -> tuple[list[str], int]:
    """Numbers of one row with the same decimals, four digits of the largest, and the power of ten taken off.

    >>> aligned([2.3551, 2.3, 12.0])
    (['2.36', '2.30', '12.00'], 0)
    >>> aligned([8.1e-14, 1.2e-15])
    (['8.100', '0.120'], -14)
    """
    largest = max((abs(one) for one in numbers), default=0.0)
    power = 0
    if largest and not 1e-3 <= largest < 1e5:
        power = math.floor(math.log10(largest))
        numbers, largest = [one / 10.0**power for one in numbers], largest / 10.0**power
    decimals = max(0, 3 - math.floor(math.log10(largest))) if largest else 0
    return [f"{one:.{decimals}f}" for one in numbers], power


def combined(
    function: Callable[..., FloatArray], *arguments: Mapping[str, FloatArray]
) -> dict[str, FloatArray]:
    """`function` applied set by set to arrays of the same sets."""
    return {name: function(*(one[name] for one in arguments)) for name in arguments[0]}
