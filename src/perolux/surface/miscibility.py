"""Two halides in one crystal as a regular solution: where they mix, and into what they part.

    g/RT = x ln x + (1 - x) ln(1 - x) + W x (1 - x),     W = w/(RT)

x is the fraction of either halide; the curve is symmetric. It is unstable where W > 1/(2x(1 - x)) (spinodal),
parts in equilibrium between the two compositions of one tangent (binodal), and mixes everywhere for W <= 2,
the critical point at x = 1/2. w is a record for each pair of halides (`priors.toml`), independent of
temperature; strain, surface and size of the crystal are not in it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError
from perolux.materials import HALIDES
from perolux.quantities import Value
from perolux.quantities.constants import AVOGADRO_PER_MOL, constant
from perolux.surface.priors import prior

__all__ = [
    "CRITICAL_W",
    "PhaseSplit",
    "binodal",
    "critical_temperature_k",
    "interaction",
    "mixing_free_energy",
    "phase_split",
    "spinodal",
    "w_matrix",
]

FloatArray = npt.NDArray[np.float64]

CRITICAL_W = 2.0
"""W of the critical point, at x = 1/2: g has one minimum below and two above (derived)."""
GAS_CONSTANT_KJ_MOL_K = 1e-3 * constant("boltzmann_j_per_k") * AVOGADRO_PER_MOL


@dataclass(frozen=True)
class PhaseSplit:
    """What a mean composition ends as: compositions (fractions of one halide) and shares that sum to 1."""

    fractions: tuple[float, ...]
    shares: tuple[float, ...]

    @property
    def is_split(self) -> bool:
        """True where it ends in two compositions."""
        return len(self.fractions) == 2


def mixing_free_energy(fraction: npt.ArrayLike, w: float) -> FloatArray:
    """g/RT of mixing at fractions 0 to 1 (any shape); 0 at both ends."""
    from scipy.special import xlogy

    x = _fractions(fraction)
    return np.asarray(xlogy(x, x) + xlogy(1.0 - x, 1.0 - x) + w * x * (1.0 - x))


def spinodal(w: float) -> tuple[float, float] | None:
    """The two fractions between which a mixture is unstable, (1 -+ sqrt(1 - 2/W))/2; None for W <= 2.

    >>> spinodal(2.0) is None, [round(x, 4) for x in spinodal(3.0)]
    (True, [0.2113, 0.7887])
    """
    if _checked(w) <= CRITICAL_W:
        return None
    root = math.sqrt(1.0 - CRITICAL_W / w)
    # x1 x2 = 1/(2W): the difference 1 - root would lose its digits for a large W
    high = 0.5 * (1.0 + root)
    return 1.0 / (2.0 * w * high), high


def binodal(w: float) -> tuple[float, float] | None:
    """The two fractions that are in equilibrium, ln(x/(1 - x)) = -W (1 - 2x); None for W <= 2.

    Solved for m = 1 - 2x, m = tanh(W m/2), bracketed between the spinodal and 1.

    >>> binodal(1.9) is None, [round(x, 4) for x in binodal(3.0)]
    (True, [0.0707, 0.9293])
    """
    unstable = spinodal(w)
    if unstable is None:
        return None
    from scipy.optimize import brentq

    m = brentq(lambda m: math.tanh(0.5 * w * m) - m, 1.0 - 2.0 * unstable[0], 1.0, xtol=1e-15, rtol=1e-14)
    away = math.exp(-w * m)
    return away / (1.0 + away), 1.0 / (1.0 + away)


def phase_split(mean: float, w: float) -> PhaseSplit:
    """What a mean fraction ends as: itself, or by the lever rule two compositions of the binodal.

        share of the high one = (mean - x_low)/(x_high - x_low)

    >>> [round(x, 4) for x in phase_split(0.3, 3.0).shares], phase_split(0.05, 3.0).is_split
    ([0.7329, 0.2671], False)
    """
    x = float(_fractions(mean))
    ends = binodal(w)
    if ends is None or not ends[0] < x < ends[1]:
        return PhaseSplit((x,), (1.0,))
    high = (x - ends[0]) / (ends[1] - ends[0])
    return PhaseSplit(ends, (1.0 - high, high))


def interaction(first: str, second: str) -> Value:
    """The record of w (kJ/mol) of a pair of halides, in either order; `OptionError` for no such pair."""
    pair = tuple(one for one in HALIDES if one in (first, second))
    if first == second or len(pair) != 2:
        raise OptionError(f"{first} and {second} are no pair of halides", allowed=", ".join(HALIDES))
    return prior(f"mixing_w_{pair[0].lower()}_{pair[1].lower()}_kj_mol")


def critical_temperature_k(w_kj_mol: float) -> float:
    """Temperature T = w/(2R) above which a pair mixes at all fractions (K); 0 for w of 0 and below."""
    return max(_checked(w_kj_mol), 0.0) / (CRITICAL_W * GAS_CONSTANT_KJ_MOL_K)


def w_matrix(temperature_k: float, own_kj_mol: Mapping[str, float] | None = None) -> FloatArray:
    """W = w/(RT) of all pairs of halides, symmetric (3, 3) in the order Cl, Br, I, zero on the diagonal.

    own_kj_mol: w of pairs that replace the records, as {"Cl-I": 8.0}.
    """
    given = {_pair(name): _checked(number) for name, number in (own_kj_mol or {}).items()}
    found = np.zeros((3, 3))
    for i, j in ((0, 1), (0, 2), (1, 2)):
        number = given.get((i, j))
        number = interaction(HALIDES[i], HALIDES[j]).number if number is None else number
        found[i, j] = found[j, i] = number / (GAS_CONSTANT_KJ_MOL_K * temperature_k)
    return found


def _pair(name: str) -> tuple[int, int]:
    places = sorted(HALIDES.index(one) for one in name.split("-") if one in HALIDES)
    if len(places) != 2 or places[0] == places[1] or name.count("-") != 1:
        raise OptionError(f"{name!r} is no pair of halides", allowed="Cl-Br, Br-I, Cl-I")
    return places[0], places[1]


def _fractions(fraction: npt.ArrayLike) -> FloatArray:
    x = np.asarray(fraction, dtype=float)
    if not np.all((x >= 0.0) & (x <= 1.0)):
        raise OptionError("a halide fraction outside its range", allowed="0 to 1")
    return x


def _checked(number: float) -> float:
    if not (isinstance(number, int | float) and math.isfinite(number)):
        raise OptionError(f"an interaction of {number!r}", allowed="a finite number")
    return float(number)
