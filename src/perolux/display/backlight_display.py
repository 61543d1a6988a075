"""A film in the backlight of a liquid-crystal display: white, gamut, efficacy, passes, losses.

The source sends blue (and red) into the film between a reflector and prism films (`recycling`); the panel
splits what comes out with colour filters. The share of red is chosen for the white of the open panel; a panel
reaches the white itself by dimming its sub-pixels, at a loss of light that is told.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from perolux.display.appearance import ColourTemperature, colour_temperature
from perolux.display.colour import chromaticity, tristimulus, uv_prime
from perolux.display.display_records import display_record
from perolux.display.emitters import GRID_NM, Emitter, emitter
from perolux.display.filters import FilterSet, filter_set
from perolux.display.primaries import GamutOfPrimaries, gamut_of_spectra, moved
from perolux.display.rays import Scatterers
from perolux.display.recycling import Backlight, FilmResponse, Recycled, recycle, response_of
from perolux.display.slab import Slab
from perolux.display.stack_file import FilmStack
from perolux.display.stack_film import BuiltFilm, build_film
from perolux.display.two_flux import two_flux_response
from perolux.display.two_flux_constants import left_by_calibration, outside_region
from perolux.display.white import MAXIMUM_LM_PER_W
from perolux.errors import OptionError
from perolux.quantities.value import Value

__all__ = [
    "BacklightDisplay",
    "Sources",
    "backlight_of",
    "dimming_of",
    "efficacy_of",
    "mixed_light",
    "parts_of",
    "run_film_stack",
    "share_for_white",
    "sources_of",
    "transmission_of",
]

FloatArray = npt.NDArray[np.float64]
_BLUE_NM = (420.0, 490.0)
_TOLD = {"t_em": "converted forward", "r_em": "converted back", "loss": "lost", "t_blue": "blue forward"}


@dataclass(frozen=True)
class BacklightDisplay:
    """The display. spectra: power per nm on `GRID_NM` (of one watt of the source) by where it is.

    open_xy: white of the panel with all sub-pixels open. dimming: drive of R, G, B for the white, the
    largest 1; None where no drive gives it. lm_per_optical_w: of the source's light; lm_per_electrical_w:
    with the diode's and phosphor's losses; both at the white, None without it. film_gain: converted photons
    that leave for each of the source's blue photons. blue_absorbed: share of the blue photons that
    nanocrystals take (more than leaves converted and is lost in them: converted light ends in the reflector
    too). red_shift_nm: mean of the converted light that leaves
    less that emitted.
    """

    stack: FilmStack
    film: BuiltFilm
    backlight: Backlight
    filters: FilterSet
    red_share: float
    gamut: GamutOfPrimaries
    open_xy: tuple[float, float]
    open_temperature: ColourTemperature
    dimming: tuple[float, float, float] | None
    lm_per_optical_w: float | None
    lm_per_electrical_w: float | None
    passes: float | None
    film_gain: float
    red_shift_nm: float | None
    blue_absorbed: float
    lost_in_emitters: float
    lost_elsewhere: float
    spectra: dict[str, FloatArray] = field(repr=False)
    rests_on: tuple[Value, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Sources:
    """Blue and red as photons per watt (up to one constant), and what becomes of each."""

    blue: Emitter
    red: Emitter | None


def run_film_stack(stack: FilmStack, folder: Path) -> BacklightDisplay:
    """Compute a display with a film. folder: where the files it names are looked for."""
    limit = stack.lead_limit_ppm or display_record("lead_limit_ppm").number
    film = build_film(stack.film, folder, limit_ppm=limit, quantity=stack.source.quantity)
    backlight, rests = backlight_of(stack)
    filters = filter_set(_named(stack.panel.filters, folder))
    sources = sources_of(stack, folder)
    parts = parts_of(_response(film.slab, stack), sources, backlight)
    share = stack.source.red_share
    if share is None:
        share = 0.0 if sources.red is None else share_for_white(parts, filters, stack.panel.white)
    elif sources.red is None and share > 0.0:
        raise OptionError(
            "a share of red without a red source", where="source.red_share", fix="give source.red"
        )
    light = mixed_light(parts, share)
    primaries = light * filters.transmission
    gamut = gamut_of_spectra(
        primaries, _variants(stack, film, sources, backlight, filters, share), stack.panel.white,
        sigmas=(stack.sigma_center_nm, stack.sigma_fwhm_nm), names=("red", "green", "blue"),
    )  # fmt: skip
    opened = np.sum(primaries, axis=0)
    x, y = chromaticity(GRID_NM, opened, "power")
    open_xy = (float(x), float(y))
    dimming = dimming_of(primaries, stack.panel.white)
    _, used = _of_record(stack.panel.transmission, "panel_transmission")
    passed = transmission_of(stack, backlight)
    optical, electrical = efficacy_of(primaries, dimming, passed, share, stack)
    rests += used
    if stack.source.wall_plug is None:
        rests.append(display_record("wall_plug"))
    if share > 0.0 and stack.source.red_efficiency is None:
        rests.append(display_record("red_efficiency"))
    blue = parts[0]
    converted = blue.out_converted
    emitted = film.emission.photons
    return BacklightDisplay(
        stack, film, backlight, filters, share, gamut, open_xy, colour_temperature(*open_xy), dimming,
        optical, electrical, blue.passes(*_BLUE_NM),
        float(np.sum(converted) / np.sum(blue.source)),
        float(np.sum(GRID_NM * converted) / np.sum(converted) - np.sum(GRID_NM * emitted))
        if np.any(converted > 0.0) else None,
        blue.absorbed / float(np.sum(blue.source)),
        blue.lost_in_emitters / float(np.sum(blue.source)), blue.lost_elsewhere / float(np.sum(blue.source)),
        {"source": _source_power(sources, share), "backlight": light, "red": primaries[0],
         "green": primaries[1], "blue": primaries[2]},
        tuple(rests), _warnings(film, filters, gamut, dimming, open_xy, stack.panel.white),
    )  # fmt: skip


def _named(text: str, folder: Path) -> str:
    return str(folder / text) if (folder / text).is_file() else text


def _of_record(given: float | None, name: str) -> tuple[float, list[Value]]:
    record = display_record(name)
    return (record.number, [record]) if given is None else (given, [])


def backlight_of(stack: FilmStack, prism: float | None = None) -> tuple[Backlight, list[Value]]:
    """The backlight of the file, with recalled numbers (told as second) where it says nothing.

    prism: in place of what the file says.
    """
    values, rests = {}, []
    for name in ("reflector", "prism", "polariser"):
        given = prism if name == "prism" and prism is not None else getattr(stack.backlight, name)
        values[name], used = _of_record(given, name)
        rests += used
    return Backlight(**values, absorption=stack.backlight.absorption), rests


def sources_of(stack: FilmStack, folder: Path) -> Sources:
    """The emitters of the source."""
    quantity = stack.source.quantity
    blue = emitter(_named(stack.source.blue, folder), quantity)
    red = None if stack.source.red is None else emitter(_named(stack.source.red, folder), quantity)
    return Sources(blue, red)


def _response(slab: Slab, stack: FilmStack) -> FilmResponse:
    if stack.film.scattering_depth > 0.0:
        return two_flux_response(slab, Scatterers(stack.film.scattering_depth, stack.film.asymmetry))
    return response_of(slab)


def _of_two_fluxes(film: BuiltFilm) -> list[str]:
    """What must be said of a film with scatterers: what the calibration leaves, or that it has none."""
    if not film.file.scattering_depth > 0.0:
        return []
    turned = Scatterers(film.file.scattering_depth, film.file.asymmetry)
    if outside := outside_region(film.slab, turned):
        return [f"two fluxes outside their calibration, error not known: {'; '.join(outside)}"]
    misfit = left_by_calibration(film.slab, turned, diffuse=True)
    told = ", ".join(f"{text} {misfit[name]:.2g}" for name, text in _TOLD.items())
    return [f"film with scatterers by two fluxes, for one pass off Monte Carlo by (rms) {told}"]


def parts_of(film: FilmResponse, sources: Sources, backlight: Backlight) -> tuple[Recycled, ...]:
    """What a watt of blue and a watt of red become; photons in units of power times wavelength."""
    emitters = [sources.blue, *([] if sources.red is None else [sources.red])]
    return tuple(recycle(film, one.power * GRID_NM, backlight) for one in emitters)


def mixed_light(parts: tuple[Recycled, ...], red_share: float) -> FloatArray:
    """Power per nm that leaves, per watt of the source."""
    shares = (1.0 - red_share, red_share)
    out = sum(share * one.out for share, one in zip(shares, parts, strict=False))
    return np.asarray(out / GRID_NM)


def _source_power(sources: Sources, red_share: float) -> FloatArray:
    if sources.red is None:
        return sources.blue.power
    return (1.0 - red_share) * sources.blue.power + red_share * sources.red.power


def share_for_white(parts: tuple[Recycled, ...], filters: FilterSet, white: tuple[float, float]) -> float:
    """The share of red for which the open panel comes nearest to the white in u'v'."""
    opened = np.stack(
        [mixed_light(parts, share) * np.sum(filters.transmission, axis=0) for share in (0.0, 1.0)]
    )
    weighed = tristimulus(GRID_NM, opened, "power") @ np.array([1.0, 15.0, 3.0])
    x, y = chromaticity(GRID_NM, opened, "power")
    ends = np.stack(uv_prime(x, y), axis=1)
    towards = ends[1] - ends[0]
    # mixtures lie on the line between the two in u'v': its foot, back from place on the line to share
    length = max(float(np.sum(towards**2)), 1e-30)
    along = float(np.sum(towards * (np.array(uv_prime(*white)) - ends[0]))) / length
    along = min(max(along, 0.0), 1.0)
    share = along * weighed[0] / ((1.0 - along) * weighed[1] + along * weighed[0])
    return min(float(share), 0.999)


def transmission_of(stack: FilmStack, backlight: Backlight) -> float:
    """What the panel passes of the light of the backlight, without filters.

    The transmission of file and record is that of unpolarised light, half of which the panel's first
    polariser takes. A reflective polariser of mean reflectance r returns the other polarisation alone (2 r of
    it), so of what leaves it the share 1/(2 (1 - r)) has the wanted one: the panel passes 1/(1 - r) times as
    much, twice at most.
    """
    plain = _of_record(stack.panel.transmission, "panel_transmission")[0]
    return min(plain * min(1.0 / (1.0 - backlight.polariser), 2.0), 1.0)


def dimming_of(primaries: FloatArray, white: tuple[float, float]) -> tuple[float, float, float] | None:
    """Drive of R, G, B for a white, the largest 1; None where none gives it."""
    x, y = white
    columns = tristimulus(GRID_NM, primaries, "power").T
    if np.linalg.cond(columns) > 1e10:
        return None
    drive = np.linalg.solve(columns, np.array([x / y, 1.0, (1.0 - x - y) / y]))
    if np.any(drive < 0.0):
        return None
    red, green, blue = (float(one) for one in drive / np.max(drive))
    return red, green, blue


def efficacy_of(
    primaries: FloatArray,
    dimming: tuple[float, float, float] | None,
    transmission: float,
    red_share: float,
    stack: FilmStack,
) -> tuple[float | None, float | None]:
    """Lumen per watt of the source's light and per electrical watt, driven for the white."""
    if dimming is None:
        return None, None
    luminance = tristimulus(GRID_NM, primaries, "power")[:, 1]
    lumen = MAXIMUM_LM_PER_W * float(np.dot(luminance, dimming)) / 3.0 * transmission
    wall_plug, _ = _of_record(stack.source.wall_plug, "wall_plug")
    red, _ = _of_record(stack.source.red_efficiency, "red_efficiency")
    blue_needed = (1.0 - red_share) + (red_share / red if red_share > 0.0 else 0.0)
    return lumen, lumen * wall_plug / blue_needed


def _variants(
    stack: FilmStack,
    film: BuiltFilm,
    sources: Sources,
    backlight: Backlight,
    filters: FilterSet,
    share: float,
) -> list[tuple[FloatArray, FloatArray]]:
    """Primaries with peak and width of each emitter moved up and down by its standard deviation."""

    def primaries(response: FilmResponse, of: Sources) -> FloatArray:
        return np.asarray(mixed_light(parts_of(response, of, backlight), share) * filters.transmission)

    usual = _response(film.slab, stack)
    pairs = []
    for center, fwhm in ((stack.sigma_center_nm, 0.0), (0.0, stack.sigma_fwhm_nm)):
        if center == fwhm == 0.0:
            continue
        ends = []
        for sign in (1.0, -1.0):
            power = moved(film.emission.power, sign * center, sign * fwhm)
            ends.append(primaries(_response(replace(film.slab, emission=power * GRID_NM), stack), sources))
        pairs.append((ends[0], ends[1]))
        for name in ("blue", "red"):
            one: Emitter | None = getattr(sources, name)
            if one is None:
                continue
            ends = []
            for sign in (1.0, -1.0):
                changed = replace(one, power=moved(one.power, sign * center, sign * fwhm))
                ends.append(primaries(usual, replace(sources, **{name: changed})))
            pairs.append((ends[0], ends[1]))
    return pairs


def _warnings(
    film: BuiltFilm,
    filters: FilterSet,
    gamut: GamutOfPrimaries,
    dimming: tuple[float, float, float] | None,
    open_xy: tuple[float, float],
    white: tuple[float, float],
) -> tuple[str, ...]:
    found = [*film.notes, *_of_two_fluxes(film), *gamut.warnings]
    if filters.kind in ("assumed", "recalled"):
        found.append(f"filters {filters.name}: {filters.kind}, {filters.source}")
    if dimming is None:
        found.append(f"no drive of the sub-pixels gives the white ({white[0]:g}, {white[1]:g})")
    away = float(np.hypot(*np.subtract(uv_prime(*open_xy), uv_prime(*white))))
    if away > 0.01:
        found.append(
            f"the open panel is {away:.3f} in u'v' from the white: change the thickness or the prism films, "
            "or lose light by dimming"
        )
    return tuple(dict.fromkeys(found))
