"""The second engine: a population in cells of equal width, by a conservative high-resolution scheme.

    dN_i/dt = F_i - F_(i+1) + J w_i - washout N_i + attachment + breakage,   F = G n at a face
    d(held)/dt = amount sum F (v_(i+1) - v_i)

The density at a face is taken upwind, with Koren's limiter (third order where smooth, never negative); v_i
is the mean volume of a cell. The monomer that crystals hold changes by the fluxes, so that the sum of all
monomer stays to rounding. Nuclei go to two cells so that they reach the next face when they should: a share
(face - r_n)/width to their own cell, the rest to the one beyond. Sharing with number and volume kept would
delay them by half a cell, a first-order error. No more nuclei enter than there are free places. Time steps:
SSP-RK3 (Shu and Osher, J. Comput. Phys. 77, 439 (1988)) with a CFL number of 0.45; a jump of the conditions
ends a step. What leaves through the lowest face has dissolved.

Attachment and breakage stand in the same Runge-Kutta stages. A crystal of a cell has the mean volume of the
cell; a pair that joins, and the pieces of a parent in a cell, are shared among two neighbours so that number
and volume stay (`_encounter_kernels.py`). So the number falls by one a meeting and rises by the pieces less
one a breaking, exactly, and neither touches the monomer, but for pieces below the least size, which
dissolve. A step takes at most a twentieth of a cell that counts.

Koren, in Numerical Methods for Advection-Diffusion Problems, 1993, p. 117. Narrow populations are widened by
numerical diffusion: compare cell counts (`extrapolated`), never trust one grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import numpy as np
import numpy.typing as npt

from perolux.errors import ConvergenceError, ModelRangeError, OptionError
from perolux.synthesis.aggregation import Attachment, OrientedAttachment
from perolux.synthesis.breakage import Breakage
from perolux.synthesis.conditions import Conditions, checked_times
from perolux.synthesis.history import NOTHING, History, SizeDistribution, explosive
from perolux.synthesis.models import ClassicalGrowth, Model, PowerLawGrowth
from perolux.synthesis.solution_line import packed_solution

__all__ = ["extrapolated", "grow_finite_volume"]

FloatArray = npt.NDArray[np.float64]
_MOST_STEPS = 5_000_000


def grow_finite_volume(
    model: Model,
    conditions: Conditions,
    times_s: Sequence[float] | FloatArray,
    *,
    largest_m: float,
    cells: int = 400,
    start: SizeDistribution = NOTHING,
    start_s: float | None = None,
    attachment: Attachment | None = None,
    breakage: Breakage | None = None,
    most_steps: int = _MOST_STEPS,
) -> History:
    """History of a population at `times_s` (rising), on `cells` cells from the least radius to `largest_m`.

        Sizes are radii or half edges (m). Moments are those of the cells as even spreads. `start` keeps its
    number; its volume moves by the square of the cell width. attachment, breakage: how crystals join and
    break, beside what the model says of growth; meetings are per volume of the liquid as it is. Raises
    `OptionError` for bad input, `ModelRangeError` where crystals reach `largest_m`, or more than 1e-6 of
    their volume would by attachment, `ConvergenceError` where `most_steps` do not suffice.
    """
    times, began = checked_times(times_s, conditions, start_s)
    code, parameters = model.packed()
    least = float(parameters[0])
    if not least < largest_m < np.inf:
        raise OptionError(f"largest_m = {largest_m!r}", allowed=f"a finite size above {least:g} m")
    if cells < 8:
        raise OptionError(f"cells = {cells!r}", allowed="8 or more, e.g. 400")
    faces = np.linspace(least, largest_m, cells + 1)
    a, b = faces[:-1], faces[1:]
    cube = 0.25 * (a + b) * (a * a + b * b)
    if len(start) and (start.low_m.min() < least or start.high_m.max() > largest_m):
        raise OptionError("the start has crystals outside the cells", allowed=f"{least:g} to {largest_m:g} m")
    for name, given, kinds in (
        ("attachment", attachment, get_args(Attachment)),
        ("breakage", breakage, (Breakage,)),
    ):
        if given is not None and not isinstance(given, kinds):
            raise OptionError(
                f"{name} = {given!r}",
                where=name,
                allowed="None or " + ", ".join(one.__name__ for one in kinds),
            )
    if isinstance(attachment, OrientedAttachment) and getattr(model, "shape", "cube") != "cube":
        raise OptionError(
            "spheres have no {100} faces to attach by", where="attachment", allowed="a model of cubes",
            fix='give the model shape="cube", or take BrownianAttachment',
        )  # fmt: skip
    number = np.ascontiguousarray(start.counts(faces)) if len(start) else np.zeros(cells)
    from perolux.synthesis import _finite_volume_kernels as kernels

    knots, table, sections = conditions.table()
    out, kept = np.zeros((len(times), kernels.UPTAKE + 1)), np.zeros((len(times), cells))
    meet, tables = _encounters(attachment, breakage, faces, cube)
    state, steps, reached = kernels.run(
        code, parameters, meet, tables, packed_solution(model, conditions), knots, table, sections, faces,
        cube, number, began, times, most_steps, out, kept,
    )  # fmt: skip
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
    return _history(kernels, out, kept, faces, times, conditions, model)


def _encounters(
    attachment: Attachment | None, breakage: Breakage | None, faces: FloatArray, cube: FloatArray
) -> tuple[FloatArray, tuple[npt.NDArray[np.generic], ...]]:
    """Tables of meetings and pieces for the compiled loops; empty where there are none."""
    meet, kernel, upper = np.zeros(2), np.empty((0, 0)), np.empty((0, 0))
    partners, joined = np.empty(0, dtype=np.int64), np.empty((0, 0), dtype=np.int32)
    if attachment is not None:
        kernel, meet = attachment.packed(np.cbrt(cube))
        # a pair that is larger than the last cell does not join
        partners = np.searchsorted(cube, cube[-1] - cube, side="right").astype(np.int64)
        pair = cube[:, None] + cube[None, :]
        joined = np.clip(np.searchsorted(cube, pair, side="right") - 1, 0, len(cube) - 2).astype(np.int32)
        upper = np.clip((pair - cube[joined]) / (cube[joined + 1] - cube[joined]), 0.0, 1.0)
    pieces: tuple[FloatArray, ...] = (np.empty(0), np.empty((0, 0)), np.empty(0), np.empty(0))
    if breakage is not None:
        pieces = breakage.packed(faces, cube)
    return meet, (np.ascontiguousarray(kernel), partners, joined, upper, *pieces)


def _history(
    kernels: object,
    out: FloatArray,
    kept: FloatArray,
    faces: FloatArray,
    times: FloatArray,
    conditions: Conditions,
    model: Model,
) -> History:
    def column(name: str) -> FloatArray:
        values: FloatArray = out[:, getattr(kernels, name)].copy()
        return values

    distributions = tuple(
        SizeDistribution(faces[:-1][there], faces[1:][there], number[there])
        for number, there in ((number, number > 0) for number in kept)
    )
    there = [conditions.at(float(t)) for t in times]
    volume = np.array([one["volume_ratio"] for one in there])
    supplied = np.array([one["supplied_mol_m3"] for one in there])
    # content counted from the cells: what `mass_error` compares with the solute that followed the fluxes
    bound = np.array([model.bound_mol_m3(one) for one in distributions])
    has_solution = isinstance(model, ClassicalGrowth | PowerLawGrowth)
    return History(
        time_s=times,
        number_per_m3=np.array([one.number for one in distributions]) / volume,
        mean_radius_m=np.array([_number(one.mean_radius_m) for one in distributions]),
        cv=np.array([_number(one.cv) for one in distributions]),
        dissolved_mol_m3=column("DISSOLVED"),
        free_mol_m3=column("FREE"),
        supersaturation=column("SUPERSATURATION"),
        nucleation_per_m3_s=column("RATE") / volume,
        entry_radius_m=column("ENTRY"),
        bound_mol_m3=bound,
        nuclei_per_m3=column("NUCLEI"),
        dissolved_crystals_per_m3=column("GONE"),
        attachments_per_m3=column("MEETINGS"),
        fragments_per_m3=column("BROKEN"),
        supplied_mol_m3=supplied if has_solution else column("DISSOLVED") * volume + bound,
        volume_ratio=volume,
        distributions=distributions,
        steps=int(column("STEPS")[-1]),
        rejected_steps=0,
        engine="finite volume",
        warnings=explosive(column("UPTAKE"), supplied, column("NUCLEI"), model),
    )


def _number(value: float | None) -> float:
    return np.nan if value is None else value


def extrapolated(coarse: npt.ArrayLike, fine: npt.ArrayLike, order: float, ratio: float = 2.0) -> FloatArray:
    """Richardson: the value at no cell width, fine + (fine - coarse)/(ratio^order - 1).

    ratio: cells of the fine grid over those of the coarse. Only where the error falls with that order: check
    it with a third grid.

    >>> float(extrapolated(1.04, 1.01, order=2.0).round(12))
    1.0
    """
    high = np.asarray(fine, dtype=float)
    result: FloatArray = high + (high - np.asarray(coarse, dtype=float)) / (ratio**order - 1.0)
    return result
