"""Crystals with two coordinates, an edge and a halide fraction, and the law by which they form and mix."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError, Problem
from perolux.quantities.constants import AVOGADRO_PER_MOL

__all__ = ["NO_CRYSTALS", "MixedConditions", "MixedCrystals", "MixedLaw"]

FloatArray = npt.NDArray[np.float64]
_COLUMNS = (
    "temperature_k", "diffusivity_m2_s", "volume_ratio", "cation_mol_m3", "lead_mol_m3", "first_mol_m3",
    "second_mol_m3",
)  # fmt: skip
_PAIRS = ("solubility_mol_m3", "surface_rate_m_s", "surface_energy_j_m2", "ln_prefactor")


@dataclass(frozen=True)
class MixedLaw:
    """Two monohalide solids APbX3 of one solution, and crystals of any fraction x of the second halide.

        c_j   = M p_j^n,  M = min(A, Pb, X/3)               p: halide fractions in solution
        C(x)  = c_1^(1-x) c_2^x
        Cs(x) = c_s1^(1-x) c_s2^x exp(n (x ln x + (1-x) ln(1-x) + W x (1-x)))
        dr/dt = v_m N_A (C - Cs exp(l_c/r))/(r/D + 1/k_r)   at the fraction that the crystal has
        J_j   = A_j exp(-32 gamma^3 v_m^2/((kT)^3 ln^2 S)),  S = C/Cs: x of 0 or 1, or p (`nuclei`)
        dx/dt = k (p - x); with a gap k (p (a_1 + a_2) - a_2), a_1 = (1-x) exp(W x^2)

    p in the last line is the halide in solution, which is counted. lattice_m: of both solids; Vegard between.
    order: n. w: W = w/RT of the pair, in solid and exchange, where it has a gap; else 0.
    nuclei: "monohalide" or "mixed" (of the composition dissolved).
    least_m: half edge, at the lattice constant of the first halide, below which a crystal dissolves.
    """

    lattice_m: tuple[float, float]
    order: float = 1.0
    w: float = 0.0
    nuclei: str = "monohalide"
    least_m: float = 6e-10

    def __post_init__(self) -> None:
        problems = []
        if not all(1e-10 < one < 2e-9 for one in self.lattice_m):
            problems.append(Problem(f"lattice_m = {self.lattice_m}", "law", "two lengths of 0.1 to 2 nm"))
        if not 1.0 <= self.order <= 3.0:
            problems.append(Problem(f"order = {self.order!r}", "law", "1 to 3"))
        if not 0.0 <= self.w < 20.0:
            problems.append(Problem(f"w = {self.w!r}", "law", "0 to 20"))
        if self.nuclei not in ("monohalide", "mixed"):
            problems.append(Problem(f"nuclei = {self.nuclei!r}", "law", "monohalide, mixed"))
        if not 0.0 < self.least_m < 5e-9:
            problems.append(Problem(f"least_m = {self.least_m!r}", "law", "above 0, below 5 nm"))
        if problems:
            raise OptionError(problems)

    @property
    def families(self) -> int:
        """Kinds of nuclei."""
        return 2 if self.nuclei == "monohalide" else 1

    def stretch(self, fraction: npt.ArrayLike) -> FloatArray:
        """Lattice constant at a fraction over that of the first halide (Vegard)."""
        return 1.0 + np.asarray(fraction) * (self.lattice_m[1] / self.lattice_m[0] - 1.0)

    def packed(self) -> FloatArray:
        """Parameters as the compiled loops take them."""
        mixed = float(self.nuclei == "mixed")
        return np.array([self.least_m, *self.lattice_m, 32.0, self.order, self.w, mixed, float(self.w > 0.0)])


@dataclass(frozen=True)
class MixedConditions:
    """Conditions at the knots `time_s` (rising; a time that stands twice is a jump), as `Conditions`.

    Ions that are available (cation_mol_m3 ... second_mol_m3) are per m^3 of the reference volume, in solution
    or in crystals. Columns of pairs have the shape (2, knots), one row a halide.
    exchange_per_s: k of the mean field.
    """

    time_s: FloatArray
    temperature_k: FloatArray
    diffusivity_m2_s: FloatArray
    volume_ratio: FloatArray
    cation_mol_m3: FloatArray
    lead_mol_m3: FloatArray
    first_mol_m3: FloatArray
    second_mol_m3: FloatArray
    solubility_mol_m3: FloatArray
    surface_rate_m_s: FloatArray
    surface_energy_j_m2: FloatArray
    ln_prefactor: FloatArray
    exchange_per_s: FloatArray

    def __post_init__(self) -> None:
        problems, n = [], len(np.atleast_1d(self.time_s))
        for one in fields(self):
            given = np.asarray(getattr(self, one.name), dtype=float)
            if one.name in _PAIRS:
                values = np.broadcast_to(given[:, None] if given.shape == (2,) else given, (2, n)).copy()
            else:
                values = np.broadcast_to(given, (n,)).copy()
            values.flags.writeable = False
            object.__setattr__(self, one.name, values)
            if not np.isfinite(values).all():
                problems.append(Problem(f"{one.name} is not finite", "conditions", "finite numbers"))
            elif one.name in (*_COLUMNS[:3], *_PAIRS[:3]) and np.any(values <= 0):
                problems.append(Problem(f"{one.name} = {values.min():g}", "conditions", "above 0"))
            elif one.name in (*_COLUMNS[3:], "exchange_per_s") and np.any(values < 0):
                problems.append(Problem(f"{one.name} = {values.min():g}", "conditions", "0 or more"))
        if n < 2 or np.any(np.diff(self.time_s) < 0):
            problems.append(Problem("the knots of the conditions do not rise", "conditions", "rising times"))
        if problems:
            raise OptionError(problems)

    def table(self) -> tuple[FloatArray, FloatArray, npt.NDArray[np.int64]]:
        """Knots, columns as the compiled loops count them, and the smooth stretches (first, last knot)."""
        columns = [getattr(self, name) for name in _COLUMNS]
        columns += [row for name in _PAIRS for row in getattr(self, name)]
        jumps = np.flatnonzero(np.diff(self.time_s) == 0)
        first, last = np.append(0, jumps + 1), np.append(jumps, len(self.time_s) - 1)
        real = (self.time_s[last] > self.time_s[first]) | (last == len(self.time_s) - 1)
        table = np.column_stack([*columns, self.exchange_per_s])
        return self.time_s, table, np.column_stack((first, last))[real]


@dataclass(frozen=True, eq=False)
class MixedCrystals:
    """Crystals by size and halide fraction: cohorts that lie evenly between two half edges.

    low_m, high_m: half edges as they are, at the lattice constant of their fraction. number_per_m3: per
    reference volume. fraction, variance: of the second halide, weighed by the amount of halide within a
    cohort. family: 0 or 1, what they nucleated as. lattice_m: of both solids.
    """

    low_m: FloatArray
    high_m: FloatArray
    number_per_m3: FloatArray
    fraction: FloatArray
    variance: FloatArray
    family: npt.NDArray[np.int64]
    lattice_m: tuple[float, float]

    def __post_init__(self) -> None:
        for one in fields(self)[:5]:
            object.__setattr__(self, one.name, np.array(getattr(self, one.name), dtype=float))
        object.__setattr__(self, "family", np.array(self.family, dtype=np.int64))
        shapes = {getattr(self, one.name).shape for one in fields(self)[:6]}
        good = len(shapes) == 1 and self.low_m.ndim == 1
        if not good or np.any(self.low_m < 0) or np.any(self.high_m < self.low_m):
            raise OptionError("crystals of mixed halides", allowed="equal lengths, 0 <= low_m <= high_m")
        inside = (self.fraction >= 0) & (self.fraction <= 1)
        if not np.all(inside) or np.any(self.number_per_m3 < 0) or np.any(self.variance < 0):
            raise OptionError(
                "crystals of mixed halides", allowed="fractions of 0 to 1, numbers of 0 or more"
            )
        if not np.all(np.isin(self.family, (0, 1))):
            raise OptionError("crystals of mixed halides", allowed="families 0 and 1")

    def __len__(self) -> int:
        return len(self.number_per_m3)

    def of(self, family: int) -> MixedCrystals:
        """Those that nucleated as one family."""
        there = self.family == family
        columns = {one.name: getattr(self, one.name)[there] for one in fields(self)[:6]}
        return MixedCrystals(**columns, lattice_m=self.lattice_m)

    @property
    def formula_mol_m3(self) -> FloatArray:
        """Formula units in each cohort (mol per m^3 of reference volume), from edge and lattice constant."""
        a, b = self.low_m, self.high_m
        first, second = self.lattice_m
        cell = (first + self.fraction * (second - first)) ** 3
        return np.asarray(
            self.number_per_m3 * 2.0 * (a + b) * (a * a + b * b) / (cell * AVOGADRO_PER_MOL), dtype=float
        )

    @property
    def number(self) -> float:
        """Crystals per m^3."""
        return float(self.number_per_m3.sum())

    @property
    def mean_edge_nm(self) -> float | None:
        """Number mean of the edge; None without crystals."""
        if self.number <= 0:
            return None
        return float(1e9 * (self.number_per_m3 @ (self.low_m + self.high_m)) / self.number)

    @property
    def cv(self) -> float | None:
        """Standard deviation of the edge over its mean; None without crystals."""
        mean = self.mean_edge_nm
        if mean is None:
            return None
        away = self.low_m + self.high_m - 1e-9 * mean
        spread = self.number_per_m3 @ (away**2 + (self.high_m - self.low_m) ** 2 / 3.0)
        return float(np.sqrt(spread / self.number) / (1e-9 * mean))

    @property
    def mean_fraction(self) -> float | None:
        """Mean fraction of the second halide, weighed by amount; None without crystals."""
        amount = self.formula_mol_m3
        return float(amount @ self.fraction / amount.sum()) if amount.sum() > 0 else None

    @property
    def fraction_sd(self) -> float | None:
        """Standard deviation of the fraction over crystals, weighed by amount; None without crystals."""
        mean, amount = self.mean_fraction, self.formula_mol_m3
        if mean is None:
            return None
        return float(np.sqrt(amount @ (self.variance + (self.fraction - mean) ** 2) / amount.sum()))


NO_CRYSTALS = MixedCrystals(
    np.empty(0), np.empty(0), np.empty(0), np.empty(0), np.empty(0), np.empty(0, dtype=np.int64), (1e-9, 1e-9)
)
"""No crystals."""
