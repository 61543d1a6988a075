"""Designs of a film in a backlight: coverage and lumen per electrical watt.

Every design is computed with the same physics as `run_film_stack`, with fewer cells (errors of 1e-6). The
absorption moves with the emission in energy, as that of nanocrystals of another size: an assumption.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.design.display_searches import Job, Search, with_line
from perolux.display.backlight_display import (
    Sources,
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
from perolux.display.emitters import GRID_NM
from perolux.display.filters import FilterSet, filter_set
from perolux.display.gamut import coverage
from perolux.display.primaries import SPACES
from perolux.display.recycling import response_of
from perolux.display.stack_file import FilmStack, OptimiseFile
from perolux.display.stack_film import BuiltFilm, build_film
from perolux.errors import OptionError

__all__ = ["evaluate_films", "film_search"]

FloatArray = npt.NDArray[np.float64]
_CELLS, _NODES = 8, 12
_BOUNDS = {
    "thickness_um": (0.1, 1e4), "lead_ppm": (1e-3, 1e6), "green_center_nm": (400.0, 760.0),
    "green_fwhm_nm": (2.0, 400.0), "prism": (0.0, 1.0), "plqy": (0.0, 1.0),
}  # fmt: skip


def film_search(stack: FilmStack, asked: OptimiseFile) -> Search:
    """The search of a film in a backlight. Raises `OptionError` for films without designs."""
    if stack.film.emission is None or stack.film.scattering_depth > 0.0:
        raise OptionError(
            "designs are computed for clear films with an emission of their own",
            where="film.emission, film.scattering_depth",
        )
    if stack.film.absorption is not None:
        raise OptionError("designs need n and k, not a measured absorption", where="film.absorption")
    limit = stack.lead_limit_ppm or display_record("lead_limit_ppm").number
    if asked.lead_ppm is not None and asked.lead_ppm[1] > limit:
        raise OptionError(
            f"lead up to {asked.lead_ppm[1]:g} ppm",
            where="optimise.lead_ppm",
            allowed=f"the limit of {limit:g} ppm",
            fix="lower the range, or say lead_limit_ppm",
        )
    return Search(
        _BOUNDS,
        evaluate_films,
        ("the absorption moves with the emission in energy", "the emission is a Gaussian line"),
    )


def evaluate_films(job: Job, points: FloatArray) -> FloatArray:
    """Coverage in per cent and lumen per electrical watt of designs, (b, 2); NaN without a white."""
    stack, folder = job.stack, Path(job.folder)
    assert isinstance(stack, FilmStack)
    limit = stack.lead_limit_ppm or display_record("lead_limit_ppm").number
    sources, filters = sources_of(stack, folder), filter_set(_filters_of(stack, folder))
    usual = build_film(stack.film, folder, limit_ppm=limit, quantity=stack.source.quantity)
    values = np.full((len(points), 2), np.nan)
    for row, point in enumerate(points):
        values[row] = _one(
            job,
            stack,
            dict(zip(job.names, point.tolist(), strict=True)),
            usual,
            sources,
            filters,
            limit,
            folder,
        )
    return values


def _filters_of(stack: FilmStack, folder: Path) -> str:
    """The filter set of a stack: a file beside it or a name."""
    text = stack.panel.filters
    return str(folder / text) if (folder / text).is_file() else text


def _one(
    job: Job,
    stack: FilmStack,
    at: dict[str, float],
    usual: BuiltFilm,
    sources: Sources,
    filters: FilterSet,
    limit: float,
    folder: Path,
) -> tuple[float, float]:
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
    slab = with_line(film, at.get("green_center_nm"), at.get("green_fwhm_nm"))
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
