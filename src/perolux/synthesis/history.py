"""What growth gives: a distribution of sizes, and the history of a population at the times asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError

__all__ = ["EXPLOSIVE_SHARE", "NOTHING", "History", "SizeDistribution", "explosive"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SizeDistribution:
    """Crystals by size: `number_per_m3[i]` of them lie evenly between two radii (half edges of cubes).

    Boxes may overlap: the density is their sum.
    """

    low_m: FloatArray
    high_m: FloatArray
    number_per_m3: FloatArray

    def __post_init__(self) -> None:
        for name in ("low_m", "high_m", "number_per_m3"):
            values = np.array(getattr(self, name), dtype=float)
            values.flags.writeable = False
            object.__setattr__(self, name, values)
        if not (self.low_m.shape == self.high_m.shape == self.number_per_m3.shape and self.low_m.ndim == 1):
            raise OptionError(
                "low_m, high_m and number_per_m3 differ in length", allowed="three equal lengths"
            )
        if np.any(self.low_m < 0) or np.any(self.high_m < self.low_m) or np.any(self.number_per_m3 < 0):
            raise OptionError("a size distribution", allowed="0 <= low_m <= high_m, numbers of 0 or more")

    def __len__(self) -> int:
        return len(self.number_per_m3)

    def moment(self, order: int) -> float:
        """Sum of N r^order (m^order/m^3)."""
        a, b, k = self.low_m, self.high_m, order
        # (b^(k+1) - a^(k+1))/((k+1)(b - a)) without the difference
        mean = sum(a**i * b ** (k - i) for i in range(k + 1)) / (k + 1)
        return float(np.sum(self.number_per_m3 * mean))

    @property
    def number(self) -> float:
        """Crystals per m^3 (of the reference volume)."""
        return float(self.number_per_m3.sum())

    @property
    def mean_radius_m(self) -> float | None:
        """Number mean of the radius or half edge; None where there are no crystals."""
        return self.moment(1) / self.number if self.number > 0 else None

    @property
    def cv(self) -> float | None:
        """Standard deviation of the size over its mean, by number; None where there are no crystals."""
        mean = self.mean_radius_m
        if not mean:
            return None
        centre = 0.5 * (self.low_m + self.high_m) - mean
        spread = self.number_per_m3 @ (centre**2 + (self.high_m - self.low_m) ** 2 / 12.0)
        return float(np.sqrt(spread / self.number) / mean)

    @property
    def skewness(self) -> float | None:
        """Third standardised central moment of the size, by number; None without crystals or spread."""
        mean, cv = self.mean_radius_m, self.cv
        if not mean or not cv:
            return None
        a, b = self.low_m - mean, self.high_m - mean
        third = self.number_per_m3 @ ((a + b) * (a * a + b * b)) / 4.0
        return float(third / self.number / (cv * mean) ** 3)

    def counts(self, edges_m: npt.ArrayLike) -> FloatArray:
        """Crystals per m^3 in each bin between the edges (rising), exact for the boxes."""
        edges = np.asarray(edges_m, dtype=float)
        width = self.high_m - self.low_m
        point = width <= 0
        below = np.clip((edges[:, None] - self.low_m) / np.where(point, 1.0, width), 0.0, 1.0)
        below = np.where(point, edges[:, None] > self.low_m, below)
        counts: FloatArray = np.diff(below @ self.number_per_m3)
        return counts


NOTHING = SizeDistribution(np.empty(0), np.empty(0), np.empty(0))
"""No crystals."""


@dataclass(frozen=True)
class History:
    """A population against time; arrays over `time_s`, amounts per reference volume where not said else.

    number_per_m3: crystals per m^3 of liquid as it is. mean_radius_m, cv: NaN where there are no crystals
    (`rows` says None). dissolved_mol_m3: monomer in solution, free_mol_m3 the part that no complexant holds,
    both per m^3 of liquid as it is. supersaturation: free over solubility, with a table of the solution
    ion product over that at saturation. nucleation_per_m3_s: J in the
    liquid as it is. entry_radius_m: size of nuclei then (0: none form). bound_mol_m3: in crystals.
    nuclei_per_m3, dissolved_crystals_per_m3: formed and dissolved since the start. attachments_per_m3,
    fragments_per_m3: pairs that joined since the start, and pieces less the crystals that broke; None by an
    engine that solves neither. supplied_mol_m3: what
    dissolved and bound must sum to; `mass_error` is the largest relative deviation.
    distributions: at each time. steps, rejected_steps: work done. engine: which.
    largest_supersaturation: of all steps since the start (None: the engine does not keep it).
    warnings: explosive nucleation (`explosive`), and what callers add.
    """

    time_s: FloatArray
    number_per_m3: FloatArray
    mean_radius_m: FloatArray
    cv: FloatArray
    dissolved_mol_m3: FloatArray
    free_mol_m3: FloatArray
    supersaturation: FloatArray
    nucleation_per_m3_s: FloatArray
    entry_radius_m: FloatArray
    bound_mol_m3: FloatArray
    nuclei_per_m3: FloatArray
    dissolved_crystals_per_m3: FloatArray
    supplied_mol_m3: FloatArray
    volume_ratio: FloatArray
    distributions: tuple[SizeDistribution, ...]
    steps: int
    rejected_steps: int
    engine: str
    warnings: tuple[str, ...] = ()
    attachments_per_m3: FloatArray | None = None
    fragments_per_m3: FloatArray | None = None
    largest_supersaturation: float | None = None

    @property
    def mass_error(self) -> float:
        """Largest relative deviation of what is dissolved and bound from what was supplied."""
        found = self.dissolved_mol_m3 * self.volume_ratio + self.bound_mol_m3
        scale = np.maximum(np.abs(self.supplied_mol_m3), np.finfo(float).tiny)
        return float(np.max(np.abs(found - self.supplied_mol_m3) / scale))

    def rows(self) -> list[dict[str, Any]]:
        """One dictionary a time: t_s, N_per_m3, mean_diameter_nm, cv, c_mol_m3 and what drives growth."""
        return [
            {
                "t_s": float(self.time_s[i]),
                "N_per_m3": float(self.number_per_m3[i]),
                "mean_diameter_nm": _or_none(2e9 * self.mean_radius_m[i]),
                "cv": _or_none(self.cv[i]),
                "c_mol_m3": float(self.dissolved_mol_m3[i]),
                "c_free_mol_m3": float(self.free_mol_m3[i]),
                "supersaturation": float(self.supersaturation[i]),
                "nucleation_per_m3_s": float(self.nucleation_per_m3_s[i]),
                "bound_mol_m3": float(self.bound_mol_m3[i] / self.volume_ratio[i]),
            }
            for i in range(len(self.time_s))
        ]


EXPLOSIVE_SHARE = 0.5
"""Share of the monomer that nuclei hold as they enter, above which nucleation is called explosive."""


def explosive(
    uptake_mol_m3: FloatArray, supplied_mol_m3: FloatArray, nuclei_per_m3: FloatArray, model: object
) -> tuple[str, ...]:
    """A warning where nuclei, as they entered, took more than half of all monomer; else nothing.

    Growth then has no part in stopping nucleation: the number is the supply over what a nucleus holds, and
    hangs on the size at which nuclei enter, cubed, and on steps and cells (up to a quarter). uptake: amount
    in nuclei as they entered, summed since the start; all per reference volume, against time.
    """
    amount = getattr(model, "amount_per_r3", 0.0)
    supplied = float(np.max(supplied_mol_m3, initial=0.0))
    taken, nuclei = float(uptake_mol_m3[-1]), float(nuclei_per_m3[-1])
    if not amount or supplied <= 0 or taken <= EXPLOSIVE_SHARE * supplied:
        return ()
    size_nm = 2e9 * (taken / (amount * nuclei)) ** (1.0 / 3.0)
    least = 2e9 * getattr(model, "least_radius_m", 0.0)
    why = f" (the least size, {least:.3g} nm, which is assumed)" if size_nm < 1.02 * least else ""
    return (
        f"explosive nucleation: nuclei of {size_nm:.3g} nm{why} took {100 * taken / supplied:.0f} % of the "
        "monomer as they entered; their number follows that size, and differs by up to a quarter between "
        "steps, cells and engines",
    )


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
