"""The Pareto front of a film in a backlight: gamut against efficacy, within limits of lead and thickness.

A design is a point of the ranges in [optimise] of the display's file. The first half of the designs fill the
ranges evenly (Sobol), the rest are drawn near the front found so far, generation by generation, so the front
is sharper where it lies. Every design is computed with the same physics as `run_film_stack`, with fewer cells
(errors of 1e-6). The absorption moves with the emission in energy, as that of nanocrystals of another size:
an assumption.
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

from perolux.display.backlight_display import (
    backlight_of,
    dimming_of,
    efficacy_of,
    mixed_light,
    parts_of,
    share_for_white,
    sources_of,
    transmission_of,
)
from perolux.display.colour import chromaticity
from perolux.display.display_records import display_record
from perolux.display.emitters import GRID_NM, gaussian_line
from perolux.display.filters import filter_set
from perolux.display.gamut import coverage
from perolux.display.primaries import SPACES, width_nm
from perolux.display.recycling import response_of
from perolux.display.stack_file import FilmStack, OptimiseFile
from perolux.display.stack_film import BuiltFilm, build_film
from perolux.errors import InputError, OptionError
from perolux.progress import Progress, silent
from perolux.quantities.constants import HC_EV_NM

__all__ = ["DisplayFront", "display_front", "pareto_front"]

FloatArray = npt.NDArray[np.float64]
_CELLS, _NODES = 8, 12
_BATCH = 100
_GENERATIONS = 8
_BOUNDS = {
    "thickness_um": (0.1, 1e4), "lead_ppm": (1e-3, 1e6), "green_center_nm": (400.0, 760.0),
    "green_fwhm_nm": (2.0, 400.0), "prism": (0.0, 1.0), "plqy": (0.0, 1.0),
}  # fmt: skip
"""What a range of each variable may span: where the models answer."""
_VARIABLES = tuple(_BOUNDS)


@dataclass(frozen=True)
class DisplayFront:
    """variables (d, k) of all designs in the order of `names`; coverage_percent and lm_per_w (d,), NaN where
    no drive gives the white. front: rows of the designs that no other beats in both, by rising coverage."""

    names: tuple[str, ...]
    variables: FloatArray = field(repr=False)
    coverage_percent: FloatArray = field(repr=False)
    lm_per_w: FloatArray = field(repr=False)
    front: npt.NDArray[np.int64] = field(repr=False)
    space: str
    without_white: int
    assumptions: tuple[str, ...]

    def rows(self) -> list[dict[str, float]]:
        """The front as a list of designs."""
        return [
            {
                **{name: float(self.variables[i, k]) for k, name in enumerate(self.names)},
                "coverage_percent": float(self.coverage_percent[i]),
                "lm_per_electrical_w": float(self.lm_per_w[i]),
            }
            for i in self.front
        ]

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON, as `perolux display --optimise --json` prints it."""
        return {
            "designs": len(self.variables),
            "without_white": self.without_white,
            "space": self.space,
            "front": self.rows(),
            "assumptions": list(self.assumptions),
        }


def display_front(
    stack: FilmStack,
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
    if stack.film.emission is None or stack.film.scattering_depth > 0.0:
        raise OptionError(
            "designs are computed for clear films with an emission of their own",
            where="film.emission, film.scattering_depth",
        )
    if stack.film.absorption is not None:
        raise OptionError("designs need n and k, not a measured absorption", where="film.absorption")
    names, low, high = _ranges(stack, asked)
    count = designs or asked.designs
    job = _Job(stack, str(folder), names, asked.space)
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
        values = _compute(job, points, executor, progress)
        share = -(-(count - len(points)) // _GENERATIONS)
        while len(points) < count:
            near = _near_front(points, values, low, high, min(share, count - len(points)), rng)
            points = np.vstack([points, near])
            values = np.vstack([values, _compute(job, near, executor, progress)])
    finally:
        if executor is not None:
            executor.shutdown(cancel_futures=True)
        progress.finish()
    good = np.all(np.isfinite(values), axis=1)
    return DisplayFront(
        names,
        points,
        values[:, 0],
        values[:, 1],
        pareto_front(values),
        asked.space,
        int(np.sum(~good)),
        (
            "the absorption moves with the emission in energy",
            "the emission is a Gaussian line",
            f"front of {count} designs: a better one may lie between them",
        ),
    )


def pareto_front(values: FloatArray) -> npt.NDArray[np.int64]:
    """Rows of (d, 2) values, both to be large, that no other row beats in both; by rising first value.

    >>> pareto_front(np.array([[1.0, 5.0], [2.0, 4.0], [1.5, 3.0], [3.0, 1.0]])).tolist()
    [0, 1, 3]
    """
    good = np.flatnonzero(np.all(np.isfinite(values), axis=1))
    order = good[np.lexsort((-values[good, 1], -values[good, 0]))]
    kept, best = [], -np.inf
    for i in order:
        if values[i, 1] > best:
            kept.append(int(i))
            best = float(values[i, 1])
    return np.array(kept[::-1], dtype=np.int64)


@dataclass(frozen=True)
class _Job:
    stack: FilmStack
    folder: str
    names: tuple[str, ...]
    space: str


def _ranges(stack: FilmStack, asked: OptimiseFile) -> tuple[tuple[str, ...], FloatArray, FloatArray]:
    limit = stack.lead_limit_ppm or display_record("lead_limit_ppm").number
    names, low, high = [], [], []
    for name in _VARIABLES:
        bounds = getattr(asked, name)
        if bounds is None:
            continue
        least, most = _BOUNDS[name]
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
        raise InputError("no range in [optimise]", allowed=", ".join(_VARIABLES))
    if "lead_ppm" in names:
        k = names.index("lead_ppm")
        if high[k] > limit:
            raise OptionError(
                f"lead up to {high[k]:g} ppm",
                where="optimise.lead_ppm",
                allowed=f"the limit of {limit:g} ppm",
                fix="lower the range, or say lead_limit_ppm",
            )
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
    job: _Job, points: FloatArray, executor: ProcessPoolExecutor | None, progress: Progress
) -> FloatArray:
    batches = [points[i : i + _BATCH] for i in range(0, len(points), _BATCH)]
    found = []
    results = (
        (_evaluate(job, batch) for batch in batches)
        if executor is None
        else executor.map(_evaluate, [job] * len(batches), batches)
    )
    for batch, values in zip(batches, results, strict=True):
        found.append(values)
        progress.advance(len(batch))
    return np.vstack(found)


def _single_thread() -> None:
    """One thread of linear algebra a process: the matrices are small."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)


def _evaluate(job: _Job, points: FloatArray) -> FloatArray:
    """Coverage in per cent and lumen per electrical watt of designs, (b, 2); NaN without a white."""
    stack, folder = job.stack, Path(job.folder)
    limit = stack.lead_limit_ppm or display_record("lead_limit_ppm").number
    sources, filters = sources_of(stack, folder), filter_set(transmission_name(stack, folder))
    usual = build_film(stack.film, folder, limit_ppm=limit, quantity=stack.source.quantity)
    values = np.full((len(points), 2), np.nan)
    for row, point in enumerate(points):
        values[row] = _one(
            job, dict(zip(job.names, point.tolist(), strict=True)), usual, sources, filters, limit, folder
        )
    return values


def transmission_name(stack: FilmStack, folder: Path) -> str:
    """The filter set of a stack: a file beside it or a name."""
    text = stack.panel.filters
    return str(folder / text) if (folder / text).is_file() else text


def _one(
    job: _Job, at: dict[str, float], usual: BuiltFilm, sources: Any, filters: Any, limit: float, folder: Path
) -> tuple[float, float]:
    stack = job.stack
    changes: dict[str, Any] = {}
    if "thickness_um" in at:
        changes["thickness"] = at["thickness_um"]
    if "lead_ppm" in at:
        changes |= {"lead_ppm": at["lead_ppm"], "volume_fraction": None, "optical_density": None}
    if "plqy" in at:
        changes["plqy"] = at["plqy"]
    film = (
        usual
        if not changes
        else build_film(
            stack.film.model_copy(update=changes), folder, limit_ppm=limit, quantity=stack.source.quantity
        )
    )
    slab = film.slab
    if "green_center_nm" in at or "green_fwhm_nm" in at:
        mean = float(np.sum(GRID_NM * film.emission.photons))
        center = at.get("green_center_nm", film.emission.center_nm or mean)
        fwhm = at.get("green_fwhm_nm", film.emission.fwhm_nm or width_nm(film.emission.power))
        shift_ev = HC_EV_NM / center - HC_EV_NM / (film.emission.center_nm or mean)
        seen_nm = HC_EV_NM / (HC_EV_NM / GRID_NM - shift_ev)
        seen_nm = np.clip(seen_nm, film.optics.wavelength_nm[0], film.optics.wavelength_nm[-1])
        alpha = film.optics.alpha_at(seen_nm)
        slab = replace(
            slab, emission=gaussian_line(center, fwhm) * GRID_NM, depth=alpha * film.file.thickness * 1e-4
        )
    backlight, _ = backlight_of(stack, at.get("prism"))
    parts = parts_of(response_of(slab, _CELLS, _NODES), sources, backlight)
    share = stack.source.red_share
    if share is None:
        share = 0.0 if sources.red is None else share_for_white(parts, filters, stack.panel.white)
    primaries = mixed_light(parts, share) * filters.transmission
    x, y = chromaticity(GRID_NM, primaries, "power")
    covered = coverage(np.stack([x, y], axis=1), "Rec.2020", SPACES[job.space]).coverage
    dimming = dimming_of(primaries, stack.panel.white)
    if dimming is None:
        return float("nan"), float("nan")
    _, electrical = efficacy_of(primaries, dimming, transmission_of(stack, backlight), share, stack)
    return 100.0 * covered, float("nan") if electrical is None else electrical
