"""How a time grows with the number of emitters: a power or an exponential, by least squares in logarithms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["CostLaw", "cost_law"]

_OVER_QUICKEST = 5.0
_LEAST = 4


@dataclass(frozen=True)
class CostLaw:
    """seconds = at_one N^rate (kind "power") or at_one rate^N ("exponential"). error: standard error of rate.
    misfit: root mean square of the natural logarithms left. from_n: smallest N in the fit."""

    kind: str
    at_one: float
    rate: float
    error: float
    misfit: float
    from_n: int

    def text(self) -> str:
        """The law in words."""
        rate = f"{self.rate:.2f} ± {self.error:.2f}"
        law = f"N^({rate})" if self.kind == "power" else f"({rate})^N"
        return f"grows as {law} from N = {self.from_n}, points off by {100 * self.misfit:.0f} %"

    def seconds(self, n: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """The law at N."""
        n = np.asarray(n, dtype=float)
        return np.asarray(self.at_one * (n**self.rate if self.kind == "power" else self.rate**n))


def cost_law(n: npt.ArrayLike, seconds: npt.ArrayLike, kind: str) -> CostLaw:
    """The law of the points above five times the quickest (below, costs that do not grow are in the way) or
    of the last four. kind: "power", or "exponential" where a method keeps states of all emitters together.

    >>> law = cost_law([10, 20, 40, 80], [0.1, 0.4, 1.6, 6.4], "power")
    >>> law.kind, round(law.rate, 6)
    ('power', 2.0)
    """
    count, time = np.asarray(n, dtype=float), np.asarray(seconds, dtype=float)
    order = np.argsort(count)
    count, time = count[order], time[order]
    slow = time > _OVER_QUICKEST * time.min()
    first = max(min(int(np.argmax(slow)) if slow.any() else 0, len(count) - _LEAST), 0)
    count, logs = count[first:], np.log(time[first:])
    x = np.log(count) if kind == "power" else count
    about = x - x.mean()
    slope = float(about @ logs / (about @ about))
    left = logs - logs.mean() - slope * about
    error = float(np.sqrt(left @ left / max(len(x) - 2, 1) / (about @ about)))
    at_one = float(np.exp(logs.mean() - slope * x.mean()))
    rate, error = (slope, error) if kind == "power" else (float(np.exp(slope)), float(np.exp(slope)) * error)
    return CostLaw(kind, at_one, rate, error, float(np.sqrt(np.mean(left**2))), int(count[0]))
