"""What one value of g2(0) says of how many nanocrystals emit together: rivals by evidence, and little.

    domains      D domains of N, all excited: 1 + (1 - 2/N)/D      between 1 and 2
    independent  n emitters: 1 - 1/n                               below 1
    thermal      light of M modes: 1 + 1/M                         between 1 and 2
    cascade      one nanocrystal, bright for the share f of the time, that gives biexciton and exciton one
                 after the other, c = yield of the biexciton over the exciton's: c/f    0 to any size

The start of a burst, 1 + (Var - 1)/N, holds no dephasing and no disorder: they enter the emission at second
order in time. So a value above 1 is no proof of a domain, and none of these numbers stands for a burst.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from perolux.collective.couplings import FloatArray
from perolux.errors import OptionError

__all__ = ["Bunching", "bunching_rivals"]

_MOST = 60
NOTE = (
    "g2(0) alone proves no coupling: at the start of a burst dephasing and spread of energies do "
    "not enter it "
    "(second order in time), and one nanocrystal that blinks gives any value"
)


@dataclass(frozen=True)
class Bunching:
    """ln of the evidence of one hypothesis, its probability beside the others, and the values it can give."""

    name: str
    log_evidence: float
    probability: float
    low: float
    high: float | None


def bunching_rivals(g2: float, sigma: float) -> tuple[Bunching, ...]:
    """The four hypotheses for g2(0) = g2 +- sigma, equal at first; N, D, n, M uniform in ln from 1 (N from 2)
    to 60, f in ln from 1e-3 to 1, c from 0 to 1.

    >>> {one.name: round(one.probability, 2) for one in bunching_rivals(21.0, 1.0)}
    {'domains': 0.0, 'independent': 0.0, 'thermal': 0.0, 'cascade': 1.0}
    """
    if not (math.isfinite(g2) and g2 >= 0.0 and math.isfinite(sigma) and sigma > 0.0):
        raise OptionError(f"g2(0) = {g2:g} +- {sigma:g}", allowed="0 and more, its error above 0")
    n = np.arange(1.0, _MOST + 1.0)
    weight = 1.0 / n
    sizes, size_weight = n[1:], weight[1:]
    f = np.geomspace(1e-3, 1.0, 1201)
    # the integral over c of a Gaussian in c/f is a difference of error functions
    share = np.array([_normal((1.0 / x - g2) / sigma) - _normal(-g2 / sigma) for x in f]) * f
    cascade = float(np.trapezoid(share, np.log(f))) / math.log(1e3)
    found = {
        "domains": _averaged(
            1.0 + np.outer(1.0 - 2.0 / sizes, 1.0 / n), np.outer(size_weight, weight), g2, sigma
        ),
        "independent": _averaged(1.0 - 1.0 / n, weight, g2, sigma),
        "thermal": _averaged(1.0 + 1.0 / n, weight, g2, sigma),
        "cascade": math.log(max(cascade, 1e-300)),
    }
    top = max(found.values())
    total = sum(math.exp(one - top) for one in found.values())
    ends: dict[str, tuple[float, float | None]] = {
        "domains": (1.0, 2.0), "independent": (0.0, 1.0), "thermal": (1.0, 2.0), "cascade": (0.0, None),
    }  # fmt: skip
    return tuple(
        Bunching(name, value, math.exp(value - top) / total, *ends[name]) for name, value in found.items()
    )


def _normal(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


def _averaged(values: FloatArray, weights: FloatArray, g2: float, sigma: float) -> float:
    logs = -0.5 * ((values - g2) / sigma) ** 2 - math.log(sigma * math.sqrt(2.0 * math.pi))
    top = float(logs.max())
    return max(top + math.log(float(np.sum(weights * np.exp(logs - top)) / weights.sum())), -690.0)
