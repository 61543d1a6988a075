"""The Pareto front of a display of any kind: gamut against efficacy, within limits of lead and thickness.

A design is a point of the ranges in [optimise] of the display's file. The first half of the designs fill the
ranges evenly (Sobol), the rest are drawn near the front found so far, generation by generation, so the front
is sharper where it lies. What a design is, and how it is computed, stands in `film_designs`,
`converter_designs` and `led_designs`.
"""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.design.display_searches import Job, Search
from perolux.display.stack_file import (
    Converter,
    FilmStack,
    LedStack,
    OptimiseConverterFile,
    OptimiseFile,
    OptimiseLedFile,
    Stack,
)
from perolux.errors import InputError, OptionError
from perolux.progress import Progress, silent

__all__ = ["DisplayFront", "display_front", "pareto_front"]

FloatArray = npt.NDArray[np.float64]
_BATCH = 100
_GENERATIONS = 8


@dataclass(frozen=True)
class DisplayFront:
    """variables (d, k) of all designs in the order of `names`; coverage_percent and lm_per_w (d,), NaN where
    no drive gives the white or a design is left out. front: rows of the designs that no other beats in all
    aims, by rising coverage. told: further columns (d,) by name; aims: those of them wanted small."""

    names: tuple[str, ...]
    variables: FloatArray = field(repr=False)
    coverage_percent: FloatArray = field(repr=False)
    lm_per_w: FloatArray = field(repr=False)
    front: npt.NDArray[np.int64] = field(repr=False)
    space: str
    without_white: int
    assumptions: tuple[str, ...]
    told: dict[str, FloatArray] = field(default_factory=dict, repr=False)
    aims: tuple[str, ...] = ()

    def rows(self) -> list[dict[str, float | None]]:
        """The front as a list of designs."""
        return [
            {
                **{name: float(self.variables[i, k]) for k, name in enumerate(self.names)},
                "coverage_percent": float(self.coverage_percent[i]),
                "lm_per_electrical_w": float(self.lm_per_w[i]),
                **{
                    name: float(column[i]) if np.isfinite(column[i]) else None
                    for name, column in self.told.items()
                },
            }
            for i in self.front
        ]

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON, as `perolux display --optimise --json` prints it."""
        return {
            "designs": len(self.variables),
            "without_white": self.without_white,
            "space": self.space,
            "small": list(self.aims),
            "front": self.rows(),
            "assumptions": list(self.assumptions),
        }


def display_front(
    stack: Stack,
    folder: Path,
    *,
    designs: int | None = None,
    seed: int = 0,
    workers: int | None = None,
    progress: Progress = silent,
) -> DisplayFront:
    """Search the ranges of [optimise]. designs: how many to compute; workers: processes, one for each core.

    The same seed gives the same front for any number of workers. Raises `InputError` without [optimise],
    `OptionError` for ranges that break the limits.
    """
    asked = stack.optimise
    if asked is None:
        raise InputError(
            "no [optimise] in the display", allowed="[optimise] with ranges, e.g. prism = [0.3, 0.55]"
        )
    search = _search(stack)
    names, low, high = _ranges(search, asked)
    count = designs or asked.designs
    job = Job(stack, str(folder), names, asked.space, seed)
    rng = np.random.default_rng(seed)
    points = _sobol(max(count // 2, 1), low, high, seed)
    progress.start("designs", count)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    pool = workers or cores
    executor = (
        None
        if pool == 1
        else ProcessPoolExecutor(pool, mp_context=get_context("spawn"), initializer=_single_thread)
    )
    try:
        values = _compute(search, job, points, executor, progress)
        share = -(-(count - len(points)) // _GENERATIONS)
        while len(points) < count:
            near = _near_front(
                points, _wanted(search, values), low, high, min(share, count - len(points)), rng
            )
            points = np.vstack([points, near])
            values = np.vstack([values, _compute(search, job, near, executor, progress)])
        front = pareto_front(_wanted(search, values))
        if search.again and len(front):
            again = replace(job, seed=seed + 1, again=True)
            values[front] = _compute(search, again, points[front], executor, silent)
            front = front[pareto_front(_wanted(search, values[front]))]
    finally:
        if executor is not None:
            executor.shutdown(cancel_futures=True)
        progress.finish()
    good = np.all(np.isfinite(values[:, :2]), axis=1)
    return DisplayFront(
        names,
        points,
        values[:, 0],
        values[:, 1],
        front,
        asked.space,
        int(np.sum(~good)),
        (*search.assumptions, f"front of {count} designs: a better one may lie between them"),
        {name: values[:, 2 + k] for k, name in enumerate(search.told)},
        search.aims,
    )


def _search(stack: Stack) -> Search:
    asked = stack.optimise
    if isinstance(stack, FilmStack) and isinstance(asked, OptimiseFile):
        from perolux.design.film_designs import film_search

        return film_search(stack, asked)
    if isinstance(stack, Converter) and isinstance(asked, OptimiseConverterFile):
        from perolux.design.converter_designs import converter_search

        return converter_search(stack, asked)
    assert isinstance(stack, LedStack)
    assert isinstance(asked, OptimiseLedFile)
    from perolux.design.led_designs import led_search

    return led_search(stack, asked)


def _wanted(search: Search, values: FloatArray) -> FloatArray:
    """The columns that the front is about, all to be large."""
    small = [-values[:, 2 + search.told.index(name)] for name in search.aims]
    return np.column_stack([values[:, :2], *small])


def pareto_front(values: FloatArray) -> npt.NDArray[np.int64]:
    """Rows of (d, a) values, all to be large, that no other row beats in all; by rising first value.

    >>> pareto_front(np.array([[1.0, 5.0], [2.0, 4.0], [1.5, 3.0], [3.0, 1.0]])).tolist()
    [0, 1, 3]
    """
    good = np.flatnonzero(np.all(np.isfinite(values), axis=1))
    order = good[np.lexsort(-values[good].T[::-1])]
    kept: list[int] = []
    best = np.empty((0, values.shape[1] - 1))
    for i in order:  # nothing later has a larger first value, so the others decide
        rest = values[i, 1:]
        if not np.any(np.all(best >= rest, axis=1)):
            kept.append(int(i))
            best = np.vstack([best[~np.all(best <= rest, axis=1)], rest])
    return np.array(kept[::-1], dtype=np.int64)


def _ranges(search: Search, asked: Any) -> tuple[tuple[str, ...], FloatArray, FloatArray]:
    names, low, high = [], [], []
    for name, (least, most) in search.bounds.items():
        bounds = getattr(asked, name)
        if bounds is None:
            continue
        if not least <= bounds[0] < bounds[1] <= most:
            raise OptionError(
                f"a range from {bounds[0]:g} to {bounds[1]:g}",
                where=f"optimise.{name}",
                allowed=f"[low, high], low below high, both from {least:g} to {most:g}",
            )
        names.append(name)
        low.append(bounds[0])
        high.append(bounds[1])
    if not names:
        raise InputError("no range in [optimise]", allowed=", ".join(search.bounds))
    return tuple(names), np.array(low), np.array(high)


def _sobol(count: int, low: FloatArray, high: FloatArray, seed: int) -> FloatArray:
    from scipy.stats import qmc

    power = int(np.ceil(np.log2(max(count, 2))))
    unit = qmc.Sobol(len(low), seed=np.random.default_rng(seed)).random_base2(power)[:count]
    return np.asarray(qmc.scale(unit, low, high))


def _near_front(
    points: FloatArray,
    values: FloatArray,
    low: FloatArray,
    high: FloatArray,
    count: int,
    rng: np.random.Generator,
) -> FloatArray:
    """Points mixed from two of the front and moved a little, kept in the ranges by reflection."""
    front = pareto_front(values)
    if not len(front):
        return low + (high - low) * rng.random((count, len(low)))
    parents = points[rng.choice(front, (count, 2))]
    weight = rng.random((count, 1))
    mixed = weight * parents[:, 0] + (1.0 - weight) * parents[:, 1]
    moved = mixed + 0.05 * (high - low) * rng.standard_normal(mixed.shape)
    reflected = np.where(moved < low, 2.0 * low - moved, moved)
    reflected = np.where(reflected > high, 2.0 * high - reflected, reflected)
    return np.clip(reflected, low, high)


def _compute(
    search: Search, job: Job, points: FloatArray, executor: ProcessPoolExecutor | None, progress: Progress
) -> FloatArray:
    batches = [points[i : i + _BATCH] for i in range(0, len(points), _BATCH)]
    found = []
    results = (
        (search.evaluate(job, batch) for batch in batches)
        if executor is None
        else executor.map(search.evaluate, [job] * len(batches), batches)
    )
    for batch, values in zip(batches, results, strict=True):
        found.append(values)
        progress.advance(len(batch))
    return np.vstack(found)


def _single_thread() -> None:
    """One thread of linear algebra a process: the matrices are small."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)
