"""The second method of breakage: crystals one by one, each with its own waiting time and its own cut.

It shares with `scission.py` the law and nothing else: no pivots, no equation for a density.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, OptionError
from perolux.synthesis.scission import Scission

__all__ = ["FamilyTree", "break_one_by_one"]

FloatArray = npt.NDArray[np.float64]
_MOST = 20_000_000


@dataclass(frozen=True)
class FamilyTree:
    """Every crystal that ever was: its volume, when it was born and when it broke (s; inf: not by then)."""

    volume: FloatArray
    born_s: FloatArray
    broke_s: FloatArray

    def at(self, time_s: float) -> FloatArray:
        """Volumes of the crystals that exist at a time."""
        found: FloatArray = self.volume[(self.born_s <= time_s) & (time_s < self.broke_s)]
        return found


def break_one_by_one(
    law: Scission, volumes: npt.ArrayLike, until_s: float, rng: np.random.Generator
) -> FamilyTree:
    """Break single crystals until a time: a crystal waits Exp(s(v)), then a cut of the law parts it in two.

    volumes: of the crystals at 0 s, in the unit of the law. Raises `OptionError` for the power law, which
    does not say how many pieces one crystal gives, `ModelRangeError` beyond 2e7 crystals.
    """
    if law.daughter != "binary":
        raise OptionError(
            "single crystals break in two", allowed='daughter "binary"', fix="use break_up for a power law"
        )
    from scipy.special import betainc, betaincinv

    now = np.atleast_1d(np.asarray(volumes, dtype=float))
    born = np.zeros_like(now)
    parts: list[tuple[FloatArray, FloatArray, FloatArray]] = []
    count = 0
    while len(now):
        count += len(now)
        if count > _MOST:
            raise ModelRangeError(
                f"more than {_MOST:g} crystals", fix="break fewer crystals, or for a shorter time"
            )
        rate = law.rate(now)
        with np.errstate(divide="ignore"):
            broke = born + np.where(rate > 0, rng.exponential(size=len(now)) / rate, np.inf)
        parts.append((now, born, np.where(broke <= until_s, broke, np.inf)))
        breaks = broke <= until_s
        parent, when = now[breaks], broke[breaks]
        x = law.least_volume / parent
        low = betainc(law.power, law.power, x)
        w = np.clip(
            betaincinv(law.power, law.power, low + (1.0 - 2.0 * low) * rng.random(len(x))), x, 1.0 - x
        )
        now = np.concatenate((w * parent, (1.0 - w) * parent))
        born = np.concatenate((when, when))
    volume, start, end = (np.concatenate([part[i] for part in parts]) for i in range(3))
    return FamilyTree(volume, start, end)
