"""The second engine of mixed halides: conservative finite volumes in size and halide fraction.

    dN_ik/dt = F_(i)k - F_(i+1)k + H_i(k) - H_i(k+1) + nuclei
    F = G n at a face in size, H = V n at one in fraction

Cells of equal width in size; fractions 0, 1/m, ... 1 in the middle of cells of width 1/m, so that monohalide
crystals have theirs. Faces upwind with Koren's limiter, SSP-RK3, both directions together (no splitting).
The ions in solution change by the fluxes, so each balances to rounding. Mean field only (no gap). Sizes are
half edges at the lattice constant of the first halide. Numerical diffusion widens both coordinates: compare
grids (`finite_volume.extrapolated`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from perolux.errors import ConvergenceError, ModelRangeError, OptionError
from perolux.synthesis.mixed_crystals import NO_CRYSTALS, MixedConditions, MixedCrystals, MixedLaw
from perolux.synthesis.mixed_growth import MixedHistory, mixed_times, supplied_at

__all__ = ["grow_mixed_finite_volume"]

FloatArray = npt.NDArray[np.float64]
_MOST_STEPS = 5_000_000


def grow_mixed_finite_volume(
    law: MixedLaw,
    conditions: MixedConditions,
    times_s: Sequence[float] | FloatArray,
    *,
    largest_m: float,
    cells: int = 200,
    fractions: int = 41,
    start: MixedCrystals = NO_CRYSTALS,
    most_steps: int = _MOST_STEPS,
) -> MixedHistory:
    """History at `times_s` (rising) on cells from the least size to `largest_m` and that many fractions.

    `start` keeps its number and its mean fraction; sizes go to the cells. Nucleation rates and
    supersaturations are not told (NaN), families are those that x lies nearer to. Raises
    `OptionError` for bad input, jumps in the conditions or a law with a gap, `ModelRangeError` where crystals
    reach `largest_m`, `ConvergenceError` where `most_steps` do not suffice.
    """
    times = mixed_times(times_s, conditions)
    if not law.least_m < largest_m < np.inf:
        raise OptionError(f"largest_m = {largest_m!r}", allowed=f"a finite size above {law.least_m:g} m")
    if cells < 8 or fractions < 5:
        raise OptionError(f"{cells} cells, {fractions} fractions", allowed="8 and 5 or more")
    if law.w > 0:
        raise OptionError("these cells know the mean field only", where="w", fix="take grow_mixed")
    if np.any(np.diff(conditions.time_s) <= 0):
        raise OptionError("these cells know no jumps of the conditions", fix="take grow_mixed")
    faces = np.linspace(law.least_m, largest_m, cells + 1)
    a, b = faces[:-1], faces[1:]
    cube = 0.25 * (a + b) * (a * a + b * b)
    number = _in_cells(start, law, faces, fractions)
    from perolux.synthesis import _mixed_cells_kernels as kernels

    knots, table, _ = conditions.table()
    out, kept = np.zeros((len(times), 8)), np.zeros((len(times), *number.shape))
    state, steps, reached = kernels.run(
        law.packed(), knots, table, faces, cube, number, float(knots[0]), times, most_steps, out, kept
    )
    if state == kernels.TOO_LARGE:
        raise ModelRangeError(
            f"at {reached:.6g} s crystals reach the largest size", allowed=f"sizes below {largest_m:g} m",
            fix="give a larger largest_m, and more cells with it",
        )  # fmt: skip
    if state != kernels.DONE:
        raise ConvergenceError(
            f"{steps} steps brought the growth to {reached:.6g} s of {times[-1]:.6g} s",
            fix="take fewer cells or more steps, or end earlier",
        )
    volume = np.interp(times, conditions.time_s, conditions.volume_ratio)
    solute = out[:, :4] / volume[:, None]
    halide = solute[:, 2] + solute[:, 3]
    unknown = np.full((len(times), law.families), np.nan)
    return MixedHistory(
        time_s=times,
        dissolved_mol_m3=solute,
        monomer_mol_m3=np.minimum.reduce([solute[:, 0], solute[:, 1], halide / 3.0]),
        pool_fraction=np.where(halide > 0, solute[:, 3] / np.maximum(halide, 1e-300), 0.0),
        supersaturation=unknown,
        nucleation_per_m3_s=unknown,
        nuclei_per_m3=out[:, 4 : 4 + law.families],
        dissolved_crystals_per_m3=out[:, 6:7],
        supplied_mol_m3=supplied_at(conditions, times),
        volume_ratio=volume,
        crystals=tuple(_crystals(one, law, faces) for one in kept),
        steps=int(out[-1, 7]),
        rejected_steps=0,
        engine="finite volume",
    )


def _in_cells(start: MixedCrystals, law: MixedLaw, faces: FloatArray, fractions: int) -> FloatArray:
    number = np.zeros((len(faces) - 1, fractions))
    for i in range(len(start)):
        stretch = float(law.stretch(start.fraction[i]))
        low, high = start.low_m[i] / stretch, start.high_m[i] / stretch
        if low < faces[0] or high > faces[-1]:
            raise OptionError(
                "the start has crystals outside the cells", allowed=f"{faces[0]:g} to {faces[-1]:g} m"
            )
        place = start.fraction[i] * (fractions - 1)
        k = min(int(place), fractions - 2)
        below = np.clip((faces - low) / max(high - low, 1e-15), 0.0, 1.0)
        share = start.number_per_m3[i] * np.diff(below)
        number[:, k] += share * (1.0 - (place - k))
        number[:, k + 1] += share * (place - k)
    return number


def _crystals(number: FloatArray, law: MixedLaw, faces: FloatArray) -> MixedCrystals:
    """The cells that hold crystals, as cohorts."""
    i, k = np.nonzero(number > 0)
    x = k / (number.shape[1] - 1)
    stretch = law.stretch(x)
    family = (x > 0.5).astype(np.int64) if law.families == 2 else np.zeros(len(x), dtype=np.int64)
    return MixedCrystals(
        faces[i] * stretch, faces[i + 1] * stretch, number[i, k], x, np.zeros(len(x)), family, law.lattice_m
    )
