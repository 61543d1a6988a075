"""Populations of two monohalide solids that share a solution, and the exchange of halide between crystals.

    dn/dt + d(G n)/dr + d(V n)/dx = sum_j J_j delta(r - r_j) delta(x - x_j),   V = k (p - x)

Cohorts move along both characteristics (`mixed_crystals.MixedLaw` says the laws): growth leaves x as it is,
exchange leaves the formula units. The two are split (Strang): half of the exchange, a step of growth, half of
the exchange. The mean field with what is dissolved is in closed form, so its conservation and its limits are
exact; ions in solution follow from the balances. Above `most_cohorts` neighbours of one family are merged
with number, volume, halide and the spread of both coordinates kept.

The second engine, `mixed_finite_volume.py`, shares the laws and no code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import ConvergenceError, OptionError
from perolux.synthesis.cohorts import TOLERANCE
from perolux.synthesis.mixed_crystals import NO_CRYSTALS, MixedConditions, MixedCrystals, MixedLaw

__all__ = ["MixedHistory", "grow_mixed"]

FloatArray = npt.NDArray[np.float64]
_MOST_STEPS = 2_000_000
_COHORTS, _LEAST_COHORTS = 320, 32


@dataclass(frozen=True, eq=False)
class MixedHistory:
    """Crystals and solution against time; arrays over `time_s`, amounts per reference volume.

    dissolved_mol_m3: (times, 4) of A, Pb, first, second halide in solution, per m^3 of liquid as it is.
    monomer_mol_m3: M. pool_fraction: of the second halide in solution (0 where there is none).
    supersaturation, nucleation_per_m3_s, nuclei_per_m3, dissolved_crystals_per_m3: (times, families).
    supplied_mol_m3: (times, 4), what is available of each ion. volume_ratio: as in the conditions.
    """

    time_s: FloatArray
    dissolved_mol_m3: FloatArray
    monomer_mol_m3: FloatArray
    pool_fraction: FloatArray
    supersaturation: FloatArray
    nucleation_per_m3_s: FloatArray
    nuclei_per_m3: FloatArray
    dissolved_crystals_per_m3: FloatArray
    supplied_mol_m3: FloatArray
    volume_ratio: FloatArray
    crystals: tuple[MixedCrystals, ...]
    steps: int
    rejected_steps: int
    engine: str

    @property
    def bound_mol_m3(self) -> FloatArray:
        """(times, 4): A, Pb, first, second halide in crystals, counted from the cohorts anew."""
        found = []
        for one in self.crystals:
            units = one.formula_mol_m3
            first, second = units @ (1.0 - one.fraction), units @ one.fraction
            found.append([units.sum(), units.sum(), 3.0 * first, 3.0 * second])
        return np.array(found)

    @property
    def mass_error(self) -> float:
        """Largest deviation of dissolved and bound ions from what was supplied, relative; of what makes less
        than 1e-9 of all ions relative to that."""
        found = self.dissolved_mol_m3 * self.volume_ratio[:, None] + self.bound_mol_m3
        traces = 1e-9 * self.supplied_mol_m3.sum(axis=1, keepdims=True)
        scale = np.maximum(self.supplied_mol_m3, np.maximum(traces, 1e-300))
        there = self.supplied_mol_m3 > 0
        return float(np.max(np.abs(found - self.supplied_mol_m3) / scale, where=there, initial=0.0))


def grow_mixed(
    law: MixedLaw,
    conditions: MixedConditions,
    times_s: Sequence[float] | FloatArray,
    *,
    start: MixedCrystals = NO_CRYSTALS,
    tolerance: float = TOLERANCE,
    most_cohorts: int | None = None,
    fixed_step_s: float | None = None,
    most_steps: int = _MOST_STEPS,
) -> MixedHistory:
    """History at `times_s` (rising) from `start` at the first knot of the conditions.

    tolerance: relative error of one step of growth; the steps of exchange follow its cube root.
    fixed_step_s: steps of that length instead (convergence studies). Raises `OptionError` for bad input and
    `ConvergenceError` where `most_steps` do not reach the last time or no step is short enough.
    """
    times = mixed_times(times_s, conditions)
    if not 1e-12 < tolerance < 1:
        raise OptionError(f"tolerance = {tolerance!r}", allowed="between 1e-12 and 1, e.g. 1e-4")
    if most_cohorts is None:
        most_cohorts = max(_COHORTS, 2 * len(start), int(_COHORTS * min(TOLERANCE / tolerance, 1e3) ** 0.5))
    if most_cohorts < max(_LEAST_COHORTS, 2 * len(start)):
        raise OptionError(
            f"most_cohorts = {most_cohorts}",
            allowed=f"{max(_LEAST_COHORTS, 2 * len(start))} or more: twice what the start holds",
        )
    from perolux.synthesis import _mixed_kernels as kernels
    from perolux.synthesis._mixed_merging import COLUMNS

    knots, table, sections = conditions.table()
    cohorts, family = np.zeros((COLUMNS, most_cohorts + 8)), np.zeros(most_cohorts + 8, dtype=np.int64)
    if len(start):
        if not np.allclose(start.lattice_m, law.lattice_m, rtol=1e-12, atol=0.0):
            raise OptionError("the start has other lattice constants than the law", where="start")
        stretch = law.stretch(start.fraction)
        rows = (start.low_m / stretch, start.high_m / stretch, start.number_per_m3, start.fraction)
        for row, values in enumerate((*rows, start.variance)):
            cohorts[row, : len(start)] = values
        if np.any(start.low_m / stretch < law.least_m):
            raise OptionError(
                "the start has crystals below the least size", allowed=f"{law.least_m:g} m or more"
            )
        if law.families == 1 and start.family.any():
            raise OptionError("the start has two families", allowed="family 0 alone with mixed nuclei")
        family[: len(start)] = start.family
    out = np.zeros((len(times), kernels.REPORT))
    kept = np.zeros((len(times), *cohorts.shape))
    kept_family = np.zeros((len(times), len(family)), dtype=np.int64)
    count = np.zeros(len(times), dtype=np.int64)
    state, steps, reached = kernels.run(
        law.packed(), knots, table, sections, cohorts, family, len(start), law.families, float(knots[0]),
        times, tolerance, fixed_step_s or 0.0, most_cohorts, most_steps, out, kept, kept_family, count,
    )  # fmt: skip
    if state != kernels.DONE:
        what = f"{steps} steps brought" if state == kernels.TOO_MANY_STEPS else "ever shorter steps brought"
        raise ConvergenceError(
            f"{what} the growth to {reached:.6g} s of {times[-1]:.6g} s",
            fix=f"give a larger tolerance than {tolerance:g} or more steps, or look at the rate constants",
        )
    crystals = []
    for i, n in enumerate(count):
        low, high, number, fraction, variance = kept[i, :, :n]
        stretch = law.stretch(fraction)
        crystals.append(
            MixedCrystals(
                low * stretch, high * stretch, number, fraction, variance, kept_family[i, :n], law.lattice_m
            )
        )
    k = law.families
    return MixedHistory(
        time_s=times,
        dissolved_mol_m3=out[:, :4],
        monomer_mol_m3=out[:, kernels.MONOMER],
        pool_fraction=out[:, kernels.POOL],
        supersaturation=out[:, kernels.SATURATION : kernels.SATURATION + k],
        nucleation_per_m3_s=out[:, kernels.RATE : kernels.RATE + k],
        nuclei_per_m3=out[:, kernels.NUCLEI : kernels.NUCLEI + k],
        dissolved_crystals_per_m3=out[:, kernels.GONE : kernels.GONE + k],
        supplied_mol_m3=supplied_at(conditions, times),
        volume_ratio=np.interp(times, conditions.time_s, conditions.volume_ratio),
        crystals=tuple(crystals),
        steps=int(steps),
        rejected_steps=int(out[-1, kernels.REJECTED]),
        engine="cohorts",
    )


def mixed_times(times_s: Sequence[float] | FloatArray, conditions: MixedConditions) -> FloatArray:
    """The times of a history, or `OptionError`."""
    times = np.ascontiguousarray(times_s, dtype=float)
    if times.ndim != 1 or not len(times) or np.any(np.diff(times) <= 0) or not np.isfinite(times).all():
        raise OptionError(
            "the times do not rise", where="times_s", allowed="one or more finite, rising times"
        )
    if times[0] < conditions.time_s[0]:
        raise OptionError(
            f"{times[0]:g} s lies before the start",
            where="times_s",
            allowed=f"{conditions.time_s[0]:g} s or later",
        )
    return times


def supplied_at(conditions: MixedConditions, times: FloatArray) -> FloatArray:
    """A, Pb, first and second halide that are available at the times, (times, 4)."""
    columns = (
        conditions.cation_mol_m3,
        conditions.lead_mol_m3,
        conditions.first_mol_m3,
        conditions.second_mol_m3,
    )
    return np.column_stack([np.interp(times, conditions.time_s, one) for one in columns])
