"""Red and green converters on blue diodes: sub-pixels, white, gamut, efficacy, cross-talk, gain over filters.

Each converter is a film on a sub-pixel of blue light, with a mirror below that passes blue and filters above
where there are any; the blue sub-pixel is clear. The drive of the sub-pixels gives the white. The gain is
told against the same diodes behind a film and colour filters, losses of the panel left out on both sides:
white from blue with the same yields, of which the filters pass a third or less.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from perolux.display.appearance import ColourTemperature, colour_temperature
from perolux.display.colour import tristimulus
from perolux.display.display_records import display_record
from perolux.display.emitters import GRID_NM, Emitter, emitter
from perolux.display.filters import FilterSet, behind_filters, filter_set
from perolux.display.fresnel import Face
from perolux.display.mirrors import short_pass_mirror, stack_mirror
from perolux.display.pixel_rays import PixelArray, PixelLight, Walls, pixel_light
from perolux.display.primaries import GamutOfPrimaries, gamut_of_spectra, moved
from perolux.display.rays import Scatterers, ray_light
from perolux.display.slab import Slab, converted, incoming, lambertian, solve
from perolux.display.stack_file import Converter, FilmFile, PixelFile
from perolux.display.stack_film import BuiltFilm, build_film
from perolux.display.white import MAXIMUM_LM_PER_W
from perolux.errors import ModelRangeError
from perolux.quantities.value import Value

__all__ = [
    "ConverterDisplay", "SubPixel", "clear_transport", "lit_by", "mirror_of", "pixel_array", "primaries_of",
    "run_converter", "scatterers_of",
]  # fmt: skip

FloatArray = npt.NDArray[np.float64]
_RAYS = 100_000
"""Standard errors of 0.0015 on a share of 0.35, a second on one core."""
_CELLS, _NODES = 48, 32


@dataclass(frozen=True)
class SubPixel:
    """One converter. forward (401,): power that leaves for one watt of blue, with leak (401,) its blue part.

    photons_forward, photons_back, blue_leak, loss: shares of the blue photons. power_share: of the blue watt
    that leaves forward as converted light. red_shift_nm: mean of the light that leaves less that emitted.
    cross_talk: share of the forward converted light that leaves over other pixels, with its standard error.
    """

    film: BuiltFilm
    forward: FloatArray = field(repr=False)
    leak: FloatArray = field(repr=False)
    photons_forward: float
    photons_back: float
    blue_leak: float
    loss: float
    power_share: float
    red_shift_nm: float | None
    cross_talk: float | None
    cross_talk_sigma: float | None
    pixels: PixelLight = field(repr=False)

    @property
    def scatterers(self) -> Scatterers | None:
        """What turns light in the film; None in a clear one."""
        return scatterers_of(self.film.file)


@dataclass(frozen=True)
class ConverterDisplay:
    """The display. power_fractions: of the blue diodes' light in R, G, B sub-pixels for the white, None
    without it. lm_per_optical_w: lumen per watt of blue light. gain_over_filters: of that over a backlight of
    the same diodes and yields behind `reference_filters`; reference_lm_per_w its lumen per watt of blue."""

    stack: Converter
    blue: Emitter
    green: SubPixel
    red: SubPixel
    gamut: GamutOfPrimaries
    white_temperature: ColourTemperature
    power_fractions: tuple[float, float, float] | None
    lm_per_optical_w: float | None
    lm_per_electrical_w: float | None
    reference_filters: FilterSet
    reference_lm_per_w: float | None
    gain_over_filters: float | None
    spectra: dict[str, FloatArray] = field(repr=False)
    rests_on: tuple[Value, ...]
    warnings: tuple[str, ...]


def run_converter(stack: Converter, folder: Path, seed: int = 0) -> ConverterDisplay:
    """Compute a display of converters. seed: of the photons followed for cross-talk and scattering films."""
    limit = stack.lead_limit_ppm or display_record("lead_limit_ppm").number
    mirror = mirror_of(stack.pixel)
    source = str(folder / stack.source.blue) if (folder / stack.source.blue).is_file() else stack.source.blue
    blue = emitter(source, stack.source.quantity)
    files: dict[str, FilmFile] = {"green": stack.green, "red": stack.red}
    built = {
        name: build_film(file, folder, limit_ppm=limit, bottom=mirror, quantity=stack.source.quantity)
        for name, file in files.items()
    }
    rng = np.random.default_rng(seed)
    pixels = {name: _sub_pixel(film, blue, stack.pixel, rng) for name, film in built.items()}
    for name, one in pixels.items():
        if not np.sum(one.forward) > 0.0:
            raise ModelRangeError(
                f"no light leaves the {name} sub-pixel", where=str(name), fix="a PLQY above 0, a thinner film"
            )
    above = None if stack.pixel.filters is None else filter_set(_named(stack.pixel.filters, folder))
    primaries = primaries_of(pixels["red"].forward, pixels["green"].forward, blue.power, above)
    gamut = gamut_of_spectra(
        primaries, _variants(stack, built, blue, above), stack.pixel.white,
        sigmas=(stack.sigma_center_nm, stack.sigma_fwhm_nm),
        names=("red converter", "green converter", blue.name),
    )  # fmt: skip
    fractions, lumen = _drive(primaries, gamut)
    wall_plug = display_record("wall_plug")
    plug = wall_plug.number if stack.source.wall_plug is None else stack.source.wall_plug
    reference = above or filter_set("default")
    behind = _behind_filters(built, blue, reference, stack.pixel.white)
    warnings = [*built["green"].notes, *built["red"].notes, *gamut.warnings]
    for name, one in pixels.items():
        leak = float(np.sum(one.leak)) / float(np.sum(one.forward))
        if leak > 0.01:
            warnings.append(
                f"{100 * leak:.1f} % of the {name} sub-pixel's power is blue that leaks: a thicker film, or "
                "filters"
            )
        if one.film.lead is not None and one.film.lead.ppm > limit:
            warnings.append(f"{name}: {one.film.lead.verdict}")
    return ConverterDisplay(
        stack, blue, pixels["green"], pixels["red"], gamut, colour_temperature(*stack.pixel.white), fractions,
        lumen, None if lumen is None else lumen * plug, reference, behind,
        None if lumen is None or behind is None else lumen / behind - 1.0,
        {"blue diode": blue.power, "red": primaries[0], "green": primaries[1], "blue": primaries[2]},
        (wall_plug,) if stack.source.wall_plug is None else (), tuple(dict.fromkeys(warnings)),
    )  # fmt: skip


def _named(text: str, folder: Path) -> str:
    return str(folder / text) if (folder / text).is_file() else text


def mirror_of(pixel: PixelFile) -> Face:
    """The face of a converter towards its diode."""
    if pixel.mirror == "none":
        return Face()
    return Face(mirror=stack_mirror(short_pass_mirror(pixel.mirror_edge, pixel.mirror_pairs)))


def _sub_pixel(film: BuiltFilm, blue: Emitter, pixel: PixelFile, rng: np.random.Generator) -> SubPixel:
    forward, passed, back, loss = _transport(film, blue, pixel, rng)
    emitted = film.emission.photons
    source = blue.power * GRID_NM  # photons of a watt, up to the constant that all of them share
    came = float(np.sum(source))
    leak, light = passed / GRID_NM, forward / GRID_NM
    array = pixel_array(pixel, film)
    seen = pixel_light(
        lit_by(film.slab, blue),
        array,
        pixel.rays,
        rng,
        scatterers=scatterers_of(film.file),
        diffuse=pixel.incidence == "lambertian",
    )
    total = float(np.sum(forward))
    return SubPixel(
        film, light + leak, leak, total / came, back / came, float(np.sum(passed)) / came, loss / came,
        float(np.sum(light)),
        float(np.sum(GRID_NM * forward)) / total - float(np.sum(GRID_NM * emitted)) if total > 0.0 else None,
        seen.cross_talk(), seen.cross_talk_sigma(), seen,
    )  # fmt: skip


def pixel_array(pixel: PixelFile, film: BuiltFilm) -> PixelArray:
    """The array of sub-pixels of one film."""
    walls: Walls = "reflecting" if pixel.wall == "mirror" else pixel.wall
    return PixelArray(pixel.pitch, film.file.thickness, walls=walls)


def scatterers_of(file: FilmFile) -> Scatterers | None:
    """What turns light in a film; None in a clear one."""
    return Scatterers(file.scattering_depth, file.asymmetry) if file.scattering_depth > 0.0 else None


def lit_by(slab: Slab, blue: Emitter) -> Slab:
    """The slab with the source of Monte Carlo at the mean wavelength of the diode's photons."""
    mean_nm = float(np.sum(GRID_NM * blue.photons))
    host = np.broadcast_to(np.asarray(slab.host_depth, dtype=float), slab.depth.shape)
    own, other = (float(np.interp(mean_nm, slab.wavelength_nm, depth)) for depth in (slab.depth, host))
    return replace(slab, source_nm=mean_nm, source_depth=own, host_source_depth=other)


def _transport(
    film: BuiltFilm, blue: Emitter, pixel: PixelFile, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, float, float]:
    """Photons (times one constant) forward by wavelength, blue that passes, converted back, lost."""
    source = blue.power * GRID_NM
    scatterers = scatterers_of(film.file)
    if scatterers is not None:
        found = ray_light(
            lit_by(film.slab, blue),
            _RAYS,
            rng,
            scatterers=scatterers,
            diffuse=pixel.incidence == "lambertian",
        )
        came = float(np.sum(source))
        forward = np.zeros_like(GRID_NM)
        forward[np.searchsorted(GRID_NM, found.wavelength_nm)] = found.forward
        return came * forward, source * found.t_blue, came * found.r_em, came * found.loss
    return clear_transport(film, source, pixel)


def clear_transport(
    film: BuiltFilm, source: FloatArray, pixel: PixelFile, cells: int = _CELLS, nodes: int = _NODES
) -> tuple[FloatArray, FloatArray, float, float]:
    """As `_transport`, of a film without scatterers: no chance. source (401,): photons, up to a constant."""
    slab = film.slab
    solved = solve(slab, cells, nodes)
    mu, weight = lambertian() if pixel.incidence == "lambertian" else (None, None)
    lit = source > 1e-12 * float(np.max(source))
    host = np.broadcast_to(np.asarray(slab.host_depth, dtype=float), slab.depth.shape)
    came = incoming(slab, cells, GRID_NM[lit], slab.depth[lit], host[lit], outside_cosine=mu, weight=weight)
    absorbed = source[lit] @ came.absorbed
    mean_nm = float(np.sum(GRID_NM * source) / np.sum(source))
    found = converted(solved, absorbed, mean_nm)
    forward, passed = np.zeros_like(GRID_NM), np.zeros_like(GRID_NM)
    forward[solved.kept] = found.forward
    passed[lit] = source[lit] * came.passed
    return forward, passed, float(np.sum(found.backward)), found.loss


def primaries_of(red: FloatArray, green: FloatArray, blue: FloatArray, above: FilterSet | None) -> FloatArray:
    """Power that each sub-pixel gives for one watt of blue, (3, 401)."""
    power = np.stack([red, green, blue])
    return power if above is None else np.asarray(power * above.transmission)


def _drive(
    primaries: FloatArray, gamut: GamutOfPrimaries
) -> tuple[tuple[float, float, float] | None, float | None]:
    """Shares of the blue light for the white, and lumen per watt of blue."""
    if gamut.white is None:
        return None, None
    needed = np.array(gamut.white.power_fractions) / np.sum(primaries, axis=1)
    red, green, blue = (float(x) for x in needed / np.sum(needed))
    return (red, green, blue), gamut.white.ler_lm_per_w / float(np.sum(needed))


def _behind_filters(
    built: dict[str, BuiltFilm], blue: Emitter, filters: FilterSet, white: tuple[float, float]
) -> float | None:
    """Lumen per watt of blue of a backlight of the same emitters and yields behind colour filters.

    Each blue photon absorbed gives a green or red one with the PLQY; no other loss is counted: no trapped or
    re-absorbed light, no reflector, no polariser. None where a yield is 0 or no mix gives the white.
    """
    from perolux.errors import NotAvailableError

    yields = [built["red"].file.plqy, built["green"].file.plqy, 1.0]
    if not min(yields) > 0.0:
        return None
    emitters = [built["red"].emission, built["green"].emission, blue]
    try:
        panel = behind_filters(emitters, filters, white)
    except NotAvailableError:
        return None
    mean = [float(np.sum(one.power * GRID_NM)) for one in emitters]
    blue_needed = sum(
        share * nm / mean[2] / q for share, nm, q in zip(panel.backlight_fractions, mean, yields, strict=True)
    )
    passed = float(tristimulus(GRID_NM, np.sum(panel.primaries, axis=0), "power")[1]) / 3.0
    return MAXIMUM_LM_PER_W * passed / blue_needed


def _variants(
    stack: Converter, built: dict[str, BuiltFilm], blue: Emitter, above: FilterSet | None
) -> list[tuple[FloatArray, FloatArray]]:
    """Primaries with peak and width of each emitter moved, films without scattering."""

    def spectrum(film: BuiltFilm, source: Emitter) -> FloatArray:
        forward, passed, _, _ = clear_transport(film, source.power * GRID_NM, stack.pixel)
        return (forward + passed) / GRID_NM

    def all_of(films: dict[str, BuiltFilm], source: Emitter) -> FloatArray:
        return primaries_of(
            spectrum(films["red"], source), spectrum(films["green"], source), source.power, above
        )

    pairs = []
    for center, fwhm in ((stack.sigma_center_nm, 0.0), (0.0, stack.sigma_fwhm_nm)):
        if center == fwhm == 0.0:
            continue
        for name in ("red", "green", "blue"):
            ends = []
            for sign in (1.0, -1.0):
                films, source = dict(built), blue
                if name == "blue":
                    source = replace(blue, power=moved(blue.power, sign * center, sign * fwhm))
                else:
                    one = films[name]
                    power = moved(one.emission.power, sign * center, sign * fwhm)
                    films[name] = replace(one, slab=replace(one.slab, emission=power * GRID_NM))
                ends.append(all_of(films, source))
            pairs.append((ends[0], ends[1]))
    return pairs
