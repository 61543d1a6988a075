"""Pile-up: a card that takes one photon a pulse counts early photons too often.

    m_i = -M ln[1 - c_i/(M - sum_{j<i} c_j)]          counts as they would be without (Coates), M pulses

Nothing is corrected in silence: a share of pulses with a photon above 2 % is a warning. A fit that allows for
it does not change the counts, for they would no longer be Poisson; it takes the part of the pulses that each
bin could still see as its `exposure`. Source: Coates, J. Phys. E 1, 878 (1968): recalled; the formula follows
from the binomial law.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.errors import InputError, OptionError

__all__ = ["MOST_PER_PULSE", "PileUp", "coates", "exposure", "pile_up"]

FloatArray = npt.NDArray[np.float64]

MOST_PER_PULSE = 0.02
"""Photons per pulse above which pile-up is said: it then moves a lifetime by about a hundredth."""


@dataclass(frozen=True)
class PileUp:
    """Photons per pulse, and whether that is too many."""

    photons_per_pulse: float
    pulses: float
    too_many: bool

    @property
    def warning(self) -> str | None:
        """In words, where there are too many."""
        if not self.too_many:
            return None
        return (
            f"{self.photons_per_pulse:.2%} of the pulses gave a photon (more than {MOST_PER_PULSE:.0%}): "
            f"early photons "
            "hide later ones and lifetimes come out short, unless the pile-up is part of the model"
        )

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"photons_per_pulse": self.photons_per_pulse, "pulses": self.pulses, "too_many": self.too_many}


def pile_up(counts: npt.ArrayLike, pulses: float) -> PileUp:
    """Photons per pulse of a histogram, shape (n,). Raises `OptionError` for fewer pulses than photons.

    >>> pile_up([30, 20], 1000).too_many
    True
    """
    n = _checked(counts, pulses)
    share = float(n.sum()) / pulses
    return PileUp(share, float(pulses), share > MOST_PER_PULSE)


def exposure(counts: npt.ArrayLike, pulses: float) -> FloatArray:
    """Part of the pulses that had given no photon before the middle of each bin; shape (n,).

    >>> exposure([100, 100], 1000).round(6).tolist()
    [0.95, 0.85]
    """
    n = _checked(counts, pulses)
    return 1.0 - (np.cumsum(n) - 0.5 * n) / pulses


def coates(counts: npt.ArrayLike, pulses: float) -> FloatArray:
    """Counts as they would be without pile-up, shape (n,): for a picture, not for a Poisson fit.

    >>> [round(float(x), 6) for x in coates([100, 90], 1000)]
    [105.360516, 105.360516]
    """
    n = _checked(counts, pulses)
    left = pulses - (np.cumsum(n) - n)
    if np.any(n >= left):
        raise InputError("every pulse left gave a photon", fix="check the number of pulses")
    return -pulses * np.log1p(-n / left)


def _checked(counts: npt.ArrayLike, pulses: float) -> FloatArray:
    n = np.asarray(counts, dtype=float)
    if n.ndim != 1 or not len(n) or not np.isfinite(n).all() or np.any(n < 0):
        raise InputError("counts must be a list of numbers that are not negative")
    if not (math.isfinite(pulses) and pulses > n.sum()):
        raise OptionError(
            f"{pulses:g} laser pulses for {n.sum():.0f} photons", allowed="more pulses than photons",
            fix="pulses = repetition rate x duration",
        )  # fmt: skip
    return n
