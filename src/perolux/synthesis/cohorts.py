"""The first engine: a population as cohorts that move along the characteristics of the population balance.

    dn/dt + d(G n)/dr = J delta(r - r_n),   dr/dt = G(r, c),   c = (supplied - bound)/volume

Each cohort is a number of crystals spread evenly between two sizes that both move with G; number is kept by
construction and the monomer in solution follows from the balance, never from an integration. Nuclei of a
step become one cohort that touches the one before. Steps adapt to the error of an embedded Runge-Kutta pair
of third order (Bogacki and Shampine, Appl. Math. Lett. 2, 321 (1989)); what is born is of second order. A
jump of the conditions ends a step. Above `most_cohorts` neighbours are merged with number, volume and
variance kept.

The second engine, `finite_volume.py`, shares nothing with this one but the laws.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.errors import ConvergenceError, OptionError
from perolux.synthesis.conditions import Conditions, checked_times
from perolux.synthesis.history import NOTHING, History, SizeDistribution, explosive
from perolux.synthesis.models import ClassicalGrowth, Model, PowerLawGrowth
from perolux.synthesis.solution_line import packed_solution

__all__ = ["MOST_STEPS", "TOLERANCE", "grow"]

TOLERANCE = 1e-4
"""Relative error of one step in sizes, numbers and concentration."""
MOST_STEPS = 2_000_000
_COHORTS, _LEAST_COHORTS = 320, 16


def grow(
    model: Model,
    conditions: Conditions,
    times_s: Sequence[float] | npt.NDArray[np.float64],
    *,
    start: SizeDistribution = NOTHING,
    start_s: float | None = None,
    tolerance: float = TOLERANCE,
    most_cohorts: int | None = None,
    fixed_step_s: float | None = None,
    most_steps: int = MOST_STEPS,
) -> History:
    """History of a population at `times_s` (rising) from `start` at `start_s` (the first knot).

    tolerance: relative, of one step. most_cohorts: beyond it neighbours are merged; None: 320 at the default
    tolerance, more where it is tighter, for merging then is what limits it. fixed_step_s: steps of that
    length instead (convergence studies).
    Raises `ConvergenceError` where `most_steps` do not reach the last time, or a step would have to be
    too short to move the time; says how far it came and how to go on.
    """
    times, began = checked_times(times_s, conditions, start_s)
    if not 1e-12 < tolerance < 1:
        raise OptionError(f"tolerance = {tolerance!r}", allowed="between 1e-12 and 1, e.g. 1e-4")
    if most_cohorts is None:
        most_cohorts = max(_COHORTS, 2 * len(start), int(_COHORTS * min(TOLERANCE / tolerance, 1e4) ** 0.5))
    if most_cohorts < max(_LEAST_COHORTS, 2 * len(start)):
        raise OptionError(
            f"most_cohorts = {most_cohorts}",
            allowed=f"{max(_LEAST_COHORTS, 2 * len(start))} or more: twice what the start holds",
        )
    from perolux.synthesis import _cohort_kernels as kernels

    code, parameters = model.packed()
    knots, table, sections = conditions.table()
    low, high, number = _arrays(start, most_cohorts + 8)
    shape = (len(times), len(low))
    out = np.zeros((len(times), kernels.UPTAKE + 1))
    lows, highs, numbers = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    count = np.zeros(len(times), dtype=np.int64)
    state, steps, reached, _ = kernels.run(
        code, parameters, knots, table, sections, packed_solution(model, conditions), low, high, number,
        len(start), began, times, tolerance, fixed_step_s or 0.0, most_cohorts,
        most_steps, out, 1, lows, highs, numbers, count,
    )  # fmt: skip
    if state != kernels.DONE:
        _refuse(state == kernels.TOO_MANY_STEPS, steps, reached, times[-1], tolerance)
    distributions = tuple(
        SizeDistribution(lows[i, : count[i]], highs[i, : count[i]], numbers[i, : count[i]])
        for i in range(len(times))
    )
    return _history(kernels, out, times, conditions, model, distributions, steps)


def _arrays(start: SizeDistribution, room: int) -> tuple[npt.NDArray[np.float64], ...]:
    found = []
    for values in (start.low_m, start.high_m, start.number_per_m3):
        whole = np.zeros(room)
        whole[: len(values)] = values
        found.append(whole)
    return tuple(found)


def _refuse(too_many: bool, steps: int, reached: float, wanted: float, tolerance: float) -> None:
    if too_many:
        raise ConvergenceError(
            f"{steps} steps brought the growth to {reached:.6g} s of {wanted:.6g} s",
            fix=f"give a larger tolerance than {tolerance:g} or more steps, or end earlier",
        )
    raise ConvergenceError(
        f"at {reached:.6g} s of {wanted:.6g} s the population changes too fast for any step",
        fix="look at nucleation and growth there: a rate constant or a surface energy may be off by orders",
    )


def _history(
    kernels: Any,
    out: npt.NDArray[np.float64],
    times: npt.NDArray[np.float64],
    conditions: Conditions,
    model: Model,
    distributions: tuple[SizeDistribution, ...],
    steps: int,
) -> History:
    def column(name: str) -> npt.NDArray[np.float64]:
        values: npt.NDArray[np.float64] = out[:, getattr(kernels, name)].copy()
        return values

    there = [conditions.at(float(t)) for t in times]
    volume = np.array([one["volume_ratio"] for one in there])
    has_solution = isinstance(model, ClassicalGrowth | PowerLawGrowth)
    supplied = np.array([one["supplied_mol_m3"] for one in there])
    # counted from the cohorts anew: what `mass_error` holds against the monomer of the compiled balance
    bound = np.array([model.bound_mol_m3(one) for one in distributions])
    number = column("NUMBER")
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(number > 0, column("MEAN"), np.nan)
        cv = np.where(number > 0, np.sqrt(column("VARIANCE")) / mean, np.nan)
    return History(
        time_s=times,
        number_per_m3=number / volume,
        mean_radius_m=mean,
        cv=cv,
        dissolved_mol_m3=column("DISSOLVED"),
        free_mol_m3=column("FREE"),
        supersaturation=column("SUPERSATURATION"),
        nucleation_per_m3_s=column("RATE") / volume,
        entry_radius_m=column("ENTRY"),
        bound_mol_m3=bound,
        nuclei_per_m3=column("NUCLEI"),
        dissolved_crystals_per_m3=column("GONE"),
        supplied_mol_m3=supplied if has_solution else column("DISSOLVED") * volume + bound,
        volume_ratio=volume,
        distributions=distributions,
        steps=int(steps),
        rejected_steps=int(out[-1, kernels.REJECTED]),
        engine="cohorts",
        warnings=explosive(column("UPTAKE"), supplied, column("NUCLEI"), model),
        largest_supersaturation=float(out[-1, kernels.PEAK]),
    )
