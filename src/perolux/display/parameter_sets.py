"""A display once for every parameter set of its nanocrystals: how far rival sets disagree about it.

A film of an ensemble or a recipe takes light and absorption from the room excitons, which knows several
parameter sets of a material. The display is computed with the first and, here, with each of the others; what
is told is the number of each set and their spread, which is no probability.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from perolux.display.backlight_display import BacklightDisplay
from perolux.display.converter_display import ConverterDisplay
from perolux.display.emitters import GRID_NM
from perolux.display.stack_file import Converter, FilmFile, FilmStack
from perolux.display.stack_film import BuiltFilm
from perolux.errors import PeroluxError

__all__ = ["by_parameter_set", "sets_of_film"]

Result = BacklightDisplay | ConverterDisplay
_RAYS = 2000


def sets_of_film(file: FilmFile) -> tuple[str, ...]:
    """Parameter sets that a film leaves open; none for one with an emission or a set of its own."""
    named = file.parameter_set or (None if file.ensemble is None else file.ensemble.parameter_set)
    if file.emission is not None or named is not None:
        return ()
    from perolux.excitons.parameters import parameters_of

    return tuple(one.set_name for one in parameters_of(file.material, 298.0, draws=0))


def by_parameter_set(
    stack: FilmStack | Converter,
    first: Result,
    run: Callable[[FilmStack | Converter, Path], Result],
    folder: Path,
) -> dict[str, dict[str, Any]]:
    """Of each quantity: sets (its number by set, None where it has none), median, low95, high95.

    first: the display as computed, which is that of the first sets; run computes the others, without the
    spread of peaks and widths. A set under which the display cannot be is left out with its reason in
    `problems`. Empty where no film leaves its set open.
    """
    found: dict[str, dict[str, float | None]] = {}
    problems: dict[str, str] = {}
    names = ("film",) if isinstance(stack, FilmStack) else ("green", "red")
    for name in names:
        file: FilmFile = getattr(stack, name)
        for k, chosen in enumerate(sets_of_film(file)):
            label = chosen if len(names) == 1 else f"{name}: {chosen}"
            result = first
            if k > 0:
                changes: dict[str, Any] = {
                    name: file.model_copy(update={"parameter_set": chosen}),
                    "sigma_center_nm": 0.0,
                    "sigma_fwhm_nm": 0.0,
                }
                if isinstance(stack, Converter):
                    changes["pixel"] = stack.pixel.model_copy(update={"rays": _RAYS})
                try:
                    result = run(stack.model_copy(update=changes), folder)
                except PeroluxError as error:
                    problems[label] = error.problems[0].what
                    continue
            for quantity, value in _numbers(result, name).items():
                found.setdefault(quantity, {})[label] = value
    told: dict[str, dict[str, Any]] = {name: _spread(values) for name, values in found.items()}
    return told | ({"problems": problems} if problems else {})


def _numbers(result: Result, name: str) -> dict[str, float | None]:
    film: BuiltFilm = result.film if isinstance(result, BacklightDisplay) else getattr(result, name).film
    rec2020 = result.gamut.gamuts["rec2020"]
    return {
        "rec2020_xy_coverage_percent": 100.0 * rec2020["xy"].coverage,
        "rec2020_upvp_coverage_percent": 100.0 * rec2020["upvp"].coverage,
        "lm_per_electrical_w": result.lm_per_electrical_w,
        "emission_mean_nm": float(np.sum(GRID_NM * film.emission.photons)),
        "optical_density_450_nm": film.optical_density,
        "lead_ppm": None if film.lead is None else film.lead.ppm,
    }


def _spread(values: dict[str, float | None]) -> dict[str, Any]:
    known = [value for value in values.values() if value is not None]
    if not known:
        return {"sets": values, "median": None, "low95": None, "high95": None}
    # a handful of sets: their ends are the interval
    return {"sets": values, "median": float(np.median(known)), "low95": min(known), "high95": max(known)}
