"""Designs of converters on blue diodes: coverage, lumen per electrical watt, cross-talk, lead, thickness.

A design is computed as `run_converter` does it: clear films without chance (fewer cells), films with
scatterers photon by photon in their pixels, the same photons' seed for every design, so that differences
between designs are less noisy than each. A loading beyond the densest packing is no design.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.design.display_searches import Job, Search, with_line
from perolux.display.colour import chromaticity, tristimulus
from perolux.display.converter_display import (
    clear_transport,
    lit_by,
    mirror_of,
    pixel_array,
    primaries_of,
    scatterers_of,
)
from perolux.display.display_records import display_record
from perolux.display.emitters import GRID_NM, Emitter, emitter
from perolux.display.filters import FilterSet, filter_set
from perolux.display.fresnel import Face
from perolux.display.gamut import coverage
from perolux.display.pixel_rays import pixel_light
from perolux.display.primaries import SPACES, moved
from perolux.display.stack_file import Converter, FilmFile, OptimiseConverterFile, PixelFile
from perolux.display.stack_film import BuiltFilm, build_film
from perolux.display.white import MAXIMUM_LM_PER_W
from perolux.errors import ModelRangeError, OptionError

__all__ = ["converter_search", "evaluate_converters"]

FloatArray = npt.NDArray[np.float64]
_CELLS, _NODES = 8, 12
_RAYS, _CLEAR_RAYS, _MORE = 1500, 300, 8
_COLOURS = ("green", "red")
_AMOUNTS = ("volume_fraction", "lead_ppm", "optical_density")
_BOUNDS = {
    "thickness_um": (0.1, 1e3), "green_thickness_um": (0.1, 1e3), "red_thickness_um": (0.1, 1e3),
    "green_optical_density": (0.01, 20.0), "red_optical_density": (0.01, 20.0),
    "green_volume_fraction": (1e-6, 1.0), "red_volume_fraction": (1e-6, 1.0),
    "green_center_nm": (400.0, 760.0), "green_fwhm_nm": (2.0, 400.0),
    "red_center_nm": (400.0, 760.0), "red_fwhm_nm": (2.0, 400.0), "blue_center_nm": (400.0, 500.0),
    "scattering_depth": (0.1, 100.0), "pitch_um": (5.0, 1e4), "mirror_edge_nm": (400.0, 760.0),
}  # fmt: skip
_TOLD = ("cross_talk_percent", "green_lead_ppm", "red_lead_ppm")


def converter_search(stack: Converter, asked: OptimiseConverterFile) -> Search:
    """The search of a display of converters. Raises `OptionError` for ranges that contradict one another."""
    given = {name for name in _BOUNDS if getattr(asked, name) is not None}
    if "thickness_um" in given and given & {"green_thickness_um", "red_thickness_um"}:
        raise OptionError(
            "a thickness of both films and one of one of them", where="optimise.thickness_um", fix="give one"
        )
    for name in _COLOURS:
        file: FilmFile = getattr(stack, name)
        if {f"{name}_optical_density", f"{name}_volume_fraction"} <= given:
            raise OptionError("two ranges for one loading", where=f"optimise.{name}_optical_density")
        if file.absorption is not None and f"{name}_volume_fraction" in given:
            raise OptionError(
                "a volume fraction of a film of measured absorption",
                where=f"optimise.{name}_volume_fraction", fix=f"{name}_optical_density",
            )  # fmt: skip
        if file.emission is None and given & {f"{name}_center_nm", f"{name}_fwhm_nm"}:
            raise OptionError(
                "a line of its own for a film of an ensemble or a recipe", where=f"optimise.{name}_center_nm"
            )
    if "mirror_edge_nm" in given and stack.pixel.mirror == "none":
        raise OptionError("an edge without a mirror", where="optimise.mirror_edge_nm", fix="pixel.mirror")
    assumptions = ["emission of moved lines is Gaussian; the absorption moves with it in energy"]
    if "scattering_depth" in given or any(getattr(stack, c).scattering_depth > 0 for c in _COLOURS):
        assumptions.append(
            f"films with scatterers by {_RAYS} photons a sub-pixel, of one seed for all designs; the front "
            f"anew by {_RAYS * _MORE}"
        )
    return Search(
        _BOUNDS, evaluate_converters, tuple(assumptions), _TOLD,
        ("cross_talk_percent",) if asked.cross_talk else (), again=True,
    )  # fmt: skip


def evaluate_converters(job: Job, points: FloatArray) -> FloatArray:
    """Columns of designs (b, 5): coverage and cross-talk in per cent, lumen per electrical watt, ppm of lead.

    NaN where no drive gives the white, a film cannot be, or a limit is passed; lead NaN where it is not
    counted, cross-talk where it is not asked for (clear films take many photons)."""
    stack, folder = job.stack, Path(job.folder)
    assert isinstance(stack, Converter)
    assert stack.optimise is not None
    blue = emitter(_named(stack.source.blue, folder), stack.source.quantity)
    filters = None if stack.pixel.filters is None else filter_set(_named(stack.pixel.filters, folder))
    usual = {name: _built(stack, getattr(stack, name), folder, _face(stack.pixel)) for name in _COLOURS}
    rows = []
    for point in points:
        at = dict(zip(job.names, point.tolist(), strict=True))
        try:
            rows.append(_one(job, stack, at, usual, blue, filters, folder))
        except ModelRangeError:  # more crystal than can be packed, an optical depth beyond the models
            rows.append([np.nan] * (2 + len(_TOLD)))
    return np.array(rows).reshape(len(points), 2 + len(_TOLD))


def _named(text: str, folder: Path) -> str:
    return str(folder / text) if (folder / text).is_file() else text


@lru_cache(maxsize=256)
def _face(pixel: PixelFile) -> Face:
    return mirror_of(pixel)


def _built(stack: Converter, file: FilmFile, folder: Path, bottom: Face) -> BuiltFilm:
    limit = stack.lead_limit_ppm or display_record("lead_limit_ppm").number
    return build_film(file, folder, limit_ppm=limit, bottom=bottom, quantity=stack.source.quantity)


def _one(
    job: Job,
    stack: Converter,
    at: dict[str, float],
    usual: dict[str, BuiltFilm],
    blue: Emitter,
    filters: FilterSet | None,
    folder: Path,
) -> list[float]:
    asked = stack.optimise
    assert asked is not None
    pixel = _pixel(stack.pixel, at)
    if "blue_center_nm" in at:
        was = blue.center_nm or float(np.sum(GRID_NM * blue.photons))
        blue = replace(blue, power=moved(blue.power, at["blue_center_nm"] - was, 0.0))
    wanted = asked.cross_talk or asked.cross_talk_max is not None or job.again
    light, talks, leads = {}, [], []
    for name in _COLOURS:
        film = _film(name, stack, usual[name], at, _face(pixel), folder)
        lead = np.nan if film.lead is None else film.lead.ppm
        if asked.lead_max_ppm is not None and lead > asked.lead_max_ppm:
            return [np.nan] * (2 + len(_TOLD))
        leads.append(lead)
        light[name], talk = _transport(film, blue, pixel, wanted, job)
        talks.append(talk)
    talk = 100.0 * max(talks) if wanted or not np.isnan(talks).any() else np.nan
    if asked.cross_talk_max is not None and not talk <= 100.0 * asked.cross_talk_max:
        return [np.nan] * (2 + len(_TOLD))
    primaries = primaries_of(light["red"], light["green"], blue.power, filters)
    if not np.all(np.sum(primaries, axis=1) > 0.0):
        return [np.nan] * (2 + len(_TOLD))
    x, y = chromaticity(GRID_NM, primaries, "power")
    covered = coverage(np.stack([x, y], axis=1), "Rec.2020", SPACES[job.space]).coverage
    return [100.0 * covered, _lumen(primaries, stack), talk, *leads]


def _pixel(pixel: PixelFile, at: dict[str, float]) -> PixelFile:
    changes: dict[str, Any] = {}
    if "pitch_um" in at:
        changes["pitch"] = at["pitch_um"]
    if "mirror_edge_nm" in at:
        changes["mirror_edge"] = float(round(at["mirror_edge_nm"]))
    return pixel.model_copy(update=changes) if changes else pixel


def _film(
    name: str, stack: Converter, usual: BuiltFilm, at: dict[str, float], bottom: Face, folder: Path
) -> BuiltFilm:
    """The film of a design."""
    file = usual.file
    changes: dict[str, Any] = {}
    thickness = at.get(f"{name}_thickness_um", at.get("thickness_um"))
    if thickness is not None:
        changes["thickness"] = thickness
    for amount in ("optical_density", "volume_fraction"):
        if f"{name}_{amount}" in at:
            changes |= dict.fromkeys(_AMOUNTS) | {amount: at[f"{name}_{amount}"]}
    scattering = {"scattering_depth": at["scattering_depth"]} if "scattering_depth" in at else {}
    scale = 1.0
    if file.absorption is not None:  # scaled to its optical density: no n, k, so no loading and no lead
        assert file.optical_density is not None
        scale = changes.get("optical_density", file.optical_density) / file.optical_density
        slab = usual.slab
        if thickness is not None:
            longer = thickness / file.thickness
            slab = replace(
                slab,
                host_depth=np.asarray(slab.host_depth) * longer,
                host_source_depth=slab.host_source_depth * longer,
            )
        film = replace(usual, file=file.model_copy(update=changes | scattering), slab=slab)
    elif changes:
        film = _built(stack, file.model_copy(update=changes | scattering), folder, bottom)
    else:
        film = replace(usual, file=file.model_copy(update=scattering))
    slab = with_line(film, at.get(f"{name}_center_nm"), at.get(f"{name}_fwhm_nm"), scale)
    return replace(film, slab=replace(slab, bottom=bottom))


def _transport(
    film: BuiltFilm, blue: Emitter, pixel: PixelFile, wanted: bool, job: Job
) -> tuple[FloatArray, float]:
    """Power that leaves for one watt of blue (401,), and cross-talk, NaN where it is not computed."""
    scatterers = scatterers_of(film.file)
    source = blue.power * GRID_NM
    forward = passed = None
    talk: float | None = np.nan
    if scatterers is None:
        forward, passed, _, _ = clear_transport(film, source, pixel, _CELLS, _NODES)
    if scatterers is not None or wanted:
        rays = _CLEAR_RAYS if scatterers is None else _RAYS
        seen = pixel_light(
            lit_by(film.slab, blue), pixel_array(pixel, film), rays * (_MORE if job.again else 1),
            np.random.default_rng(job.seed), scatterers=scatterers, diffuse=pixel.incidence == "lambertian",
            threads=1,
        )  # fmt: skip
        talk = seen.cross_talk()
        if forward is None:
            forward = np.zeros_like(GRID_NM)
            forward[np.searchsorted(GRID_NM, seen.wavelength_nm)] = seen.forward
            forward, passed = float(np.sum(source)) * forward, source * seen.t_blue
    assert forward is not None
    assert passed is not None
    return (forward + passed) / GRID_NM, np.nan if talk is None else talk


def _lumen(primaries: FloatArray, stack: Converter) -> float:
    """Lumen per electrical watt at the white, NaN where no drive gives it."""
    x, y = stack.pixel.white
    columns = tristimulus(GRID_NM, primaries, "power").T
    if np.linalg.cond(columns) > 1e10:
        return np.nan
    drive = np.linalg.solve(columns, np.array([x / y, 1.0, (1.0 - x - y) / y]))
    if np.any(drive < 0.0):
        return np.nan
    plug = stack.source.wall_plug
    return float(
        MAXIMUM_LM_PER_W / np.sum(drive) * (display_record("wall_plug").number if plug is None else plug)
    )
