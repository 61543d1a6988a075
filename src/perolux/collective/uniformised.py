"""Populations p' = A p, A a generator of rates, exactly: by the counts of a Poisson clock.

    p(t) = sum_k e^(-Lt) (Lt)^k/k! (1 + A/L)^k p(0),   L: the fastest rate at which a state is left

(uniformisation; Jensen, Skand. Aktuarietidskr. 36, 87 (1953)). All terms are positive: nothing cancels and
there is no step to choose. What is seen at any time, and its slope, are sums over one sequence of numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse

from perolux.collective.couplings import FloatArray
from perolux.errors import ModelRangeError

__all__ = ["Uniformised", "clocked", "peak_of"]

_ROWS = 256
_STILL = 1e-18
"""What a population may still change over `_ROWS` ticks once nothing is left to happen."""
_MOST_TICKS = 3e7
_WIDTHS = 9.0
"""Standard deviations of the clock on either side: what lies beyond is 1e-18."""


@dataclass(frozen=True, eq=False)
class Uniformised:
    """Values (things, ticks) after each tick of a clock of the rate `fastest`."""

    values: FloatArray
    fastest: float

    def at(self, times: FloatArray) -> FloatArray:
        """Values at times, (things, k)."""
        return np.array([self._mean(self.values, float(t)) for t in times]).T.reshape(len(self.values), -1)

    def slope_at(self, times: FloatArray) -> FloatArray:
        """Their slopes by time, (things, k)."""
        steps = self.fastest * np.diff(self.values)
        return np.array([self._mean(steps, float(t)) for t in times]).T.reshape(len(self.values), -1)

    def _mean(self, values: FloatArray, time: float) -> FloatArray:
        first, weight = _poisson(self.fastest * time, values.shape[1])
        return np.asarray(values[:, first : first + len(weight)] @ weight)


def clocked(rates: sparse.csr_matrix, start: FloatArray, seen: FloatArray, end: float) -> Uniformised:
    """What is `seen` (things, n) of populations (n,) up to a time; rates: the generator A.

    Raises `ModelRangeError` where the clock would tick more than 3e7 times.
    """
    fastest = max(float(-rates.diagonal().min()), 1e-300)
    tick = sparse.identity(len(start), format="csr") + rates / fastest
    most = fastest * end
    if most > _MOST_TICKS:
        raise ModelRangeError(
            f"{most:.2g} ticks of the fastest rate, {fastest:.3g}/Gamma, up to {end:g}/Gamma",
            allowed=f"up to {_MOST_TICKS:g}", fix=f"times up to {_MOST_TICKS / fastest:.3g}/Gamma",
        )  # fmt: skip
    ticks = int(most + _WIDTHS * np.sqrt(most) + 30.0)
    values = np.empty((len(seen), ticks + 1))
    rows = np.empty((_ROWS, len(start)))
    p = start
    for first in range(0, ticks + 1, _ROWS):
        some = rows[: min(_ROWS, ticks + 1 - first)]
        for row in some:
            row[:] = p
            p = tick @ p
        values[:, first : first + len(some)] = seen @ some.T
        if np.max(np.abs(some[-1] - some[0])) < _STILL:
            values[:, first + len(some) :] = values[:, first + len(some) - 1, None]
            break
    return Uniformised(values, fastest)


def peak_of(found: Uniformised, grid: FloatArray) -> tuple[float, float]:
    """Time and height of the largest first value, from a grid of times that holds one maximum between two."""
    from scipy.optimize import brentq

    height = found.at(grid)[0]
    best = int(np.argmax(height))
    if best == 0 and found.slope_at(grid[:1])[0, 0] <= 0.0:
        return float(grid[0]), float(height[0])

    def slope(time: float) -> float:
        return float(found.slope_at(np.array([time]))[0, 0])

    at = float(brentq(slope, grid[max(best - 1, 0)], grid[best + 1], xtol=1e-15, rtol=1e-14))
    return at, float(found.at(np.array([at]))[0, 0])


def _poisson(mean: float, ticks: int) -> tuple[int, FloatArray]:
    """First count and chances of the counts of a clock within `_WIDTHS` of its mean; their sum is 1."""
    reach = _WIDTHS * np.sqrt(mean) + 25.0
    middle = min(int(mean), ticks - 1)
    low, high = max(0, int(middle - reach)), min(ticks - 1, int(middle + reach))
    up = np.cumprod(mean / np.arange(middle + 1, high + 1))
    down = np.cumprod(np.arange(middle, low, -1) / mean) if mean > 0.0 else np.empty(0)
    weight = np.concatenate([down[::-1], [1.0], up])
    return low, weight / weight.sum()
