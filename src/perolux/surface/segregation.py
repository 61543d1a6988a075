"""Where an exchange ends: one composition, or two where the mean lies in a miscibility gap (lever rule)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.materials import HALIDES
from perolux.surface.exchange_laws import activities
from perolux.surface.miscibility import binodal, phase_split

__all__ = ["EndState", "end_state"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class EndState:
    """The equilibrium of crystals and pool.

    phases: fractions of Cl, Br, I of the one or two kinds of crystals; shares of the halide in crystals,
    which sum to 1; pool: fractions of what is dissolved, None without salt. The shares say how much is in
    which composition, not which crystals: a population can be carried across the gap only as a whole, so
    crystals whose shares do not suit the lever rule stay short of it.
    """

    phases: tuple[tuple[float, float, float], ...]
    shares: tuple[float, ...]
    pool: tuple[float, float, float] | None

    @property
    def is_split(self) -> bool:
        """True where the crystals end in two compositions."""
        return len(self.phases) == 2

    @property
    def sentence(self) -> str:
        """The end in words."""
        words = [
            " ".join(f"{h} {x:.3g}" for h, x in zip(HALIDES, phase, strict=True) if x > 0)
            + f" ({100 * share:.3g} % of the halide)"
            for phase, share in zip(self.phases, self.shares, strict=True)
        ]
        if not self.is_split:
            return f"ends in one composition: {words[0]}"
        return f"the mean lies in a miscibility gap: ends in two compositions, {words[0]} and {words[1]}"


def end_state(
    fractions: FloatArray,
    counts: FloatArray,
    w: FloatArray,
    gapped: bool,
    pool: FloatArray | None = None,
    pool_count: float = 0.0,
) -> EndState | None:
    """The equilibrium of populations (n, 3) with counts (n,) and a pool; None for three halides with a gap.

    Without a gap it is the mean of all, as the mean field has it. With one, crystals and pool have equal
    exchange potentials, p_1/p_2 = a_1/a_2, of which the pool takes its part before the lever rule is applied.
    """
    dissolved = pool_count if pool is not None else 0.0
    total = counts @ fractions + (dissolved * pool if pool is not None else 0.0)
    everything = total / (counts.sum() + dissolved)
    present = np.flatnonzero(total > 0)
    if not gapped or len(present) < 2:
        held = _triple(everything) if dissolved > 0 else None
        return EndState((_triple(everything),), (1.0,), held)
    if len(present) > 2:
        return None
    low, high = (int(j) for j in present)
    inside, outside = _crystal_mean(float(total[high]), float(counts.sum()), dissolved, float(w[low, high]))
    split = phase_split(inside, float(w[low, high]))
    phases = tuple(_pair(x, low, high) for x in split.fractions)
    return EndState(phases, split.shares, _pair(outside, low, high) if dissolved > 0 else None)


def _crystal_mean(total: float, crystals: float, dissolved: float, w: float) -> tuple[float, float]:
    """Fraction of the second halide in crystals and in the pool, N x + S p(x) = total."""
    if dissolved == 0.0:
        return total / crystals, 0.0
    ends = binodal(w)
    assert ends is not None
    # on the whole tie line the pool holds both halides alike, by the symmetry of g
    between = (total - 0.5 * dissolved) / crystals
    if ends[0] <= between <= ends[1]:
        return between, 0.5
    from scipy.optimize import brentq

    matrix = w * (1.0 - np.eye(3))

    def held(x: float) -> float:
        a = activities(np.array([1.0 - x, x, 0.0]), matrix)
        return float(a[1] / (a[0] + a[1]))

    bracket = (0.0, ends[0]) if between < ends[0] else (ends[1], 1.0)
    x = brentq(lambda x: crystals * x + dissolved * held(x) - total, *bracket, xtol=1e-15, rtol=1e-13)
    return float(x), held(float(x))


def _pair(x: float, low: int, high: int) -> tuple[float, float, float]:
    found = [0.0, 0.0, 0.0]
    found[low], found[high] = 1.0 - x, x
    return _triple(np.array(found))


def _triple(fractions: FloatArray) -> tuple[float, float, float]:
    cl, br, i = (float(x) for x in fractions)
    return cl, br, i
