"""A display as a file: what an engineer writes in TOML, checked before anything is computed.

    kind = "film"                       # film, converter or led
    name = "green film, magenta backlight"
    [source]
    blue = "G450/20"
    red = "KSF6"
    [film]
    material = "CsPbBr3"
    emission = "G530/22"                # or a file; or [film.ensemble]; or recipe = "FILE"
    plqy = 0.9
    thickness = "100 um"
    lead_ppm = 1000                     # or volume_fraction, or optical_density
    [backlight]
    prism = 0.5
    [panel]
    filters = "default"

All tables are frozen and unknown keys refused; `read_stack` raises with all problems at once.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from perolux.errors import InputError, Problem
from perolux.files import read_small_text
from perolux.synthesis.recipe import measured

__all__ = [
    "AgeingFile",
    "BacklightFile",
    "Converter",
    "EnsembleFile",
    "FilmFile",
    "FilmStack",
    "LedFile",
    "LedStack",
    "OptimiseFile",
    "PanelFile",
    "PixelFile",
    "SourceFile",
    "Stack",
    "read_stack",
    "stack_of",
    "stack_schema",
]

_LARGEST_FILE = 1_000_000
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Um = Annotated[float, measured("um", above=True)]
Nm = Annotated[float, measured("nm", above=True)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceFile(_Table):
    """The light-emitting diode, and a red phosphor beside it."""

    blue: str = Field(default="G450/20", description="emitter: G450/20, a name on record or a file")
    red: str | None = Field(default=None, description="emitter of a magenta backlight, e.g. KSF6")
    red_share: Share | None = Field(
        default=None, description="of the power of the source; chosen for the white if left out"
    )
    red_efficiency: Share | None = Field(
        default=None, description="red power for blue power taken, in the package; on record if left out"
    )
    wall_plug: Share | None = Field(default=None, description="optical over electrical power, blue diode")
    quantity: Literal["photons", "power"] = Field(default="photons", description="values of files per nm")


class EnsembleFile(_Table):
    """Nanocrystals of one shape whose light and absorption the excitons room computes."""

    edge_length: Nm = Field(description="mean edge of the cubes, e.g. '8.5 nm'")
    spread: Share = Field(default=0.08, description="coefficient of variation of the edge")
    parameter_set: str | None = Field(
        default=None, description="of the material; all are run if left out, the first is used"
    )


class FilmFile(_Table):
    """A film of nanocrystals: what it is made of, how much, how thick."""

    material: str = Field(default="CsPbBr3", description="formula of the nanocrystals")
    optical_constants: str | None = Field(
        default=None, description="table of n and k; that of the material if left out"
    )
    absorption: str | None = Field(
        default=None, description="file of a measured absorbance, scaled to optical_density; in place of n, k"
    )
    emission: str | None = Field(default=None, description="emitter: G530/22, a name or a file")
    ensemble: EnsembleFile | None = Field(
        default=None, description="in place of emission: cubes whose light and absorption are computed"
    )
    recipe: str | None = Field(default=None, description="a recipe whose nanocrystals these are")
    plqy: Share = Field(description="photoluminescence quantum yield, a share: 0.9, not 90")
    thickness: Um = Field(description="e.g. '100 um'")
    volume_fraction: Share | None = Field(default=None, description="of crystal")
    lead_ppm: float | None = Field(default=None, gt=0.0, description="by mass: sets the volume fraction")
    optical_density: float | None = Field(
        default=None, gt=0.0, le=20.0, description="base 10 at 450 nm: sets the volume fraction"
    )
    host_index: float = Field(default=1.5, ge=1.0, lt=4.0, description="refractive index of the host")
    host_density: Annotated[float, measured("g/mL", above=True)] | None = Field(
        default=None, description="e.g. '1.1 g/mL'; `perolux explain display.host_density_g_cm3` if left out"
    )
    host_absorption_per_cm: float = Field(default=0.0, ge=0.0, description="of the host alone, base e")
    ligand_length: Annotated[float, measured("nm")] | None = Field(
        default=None, description="half the gap between crystals that touch: sets the densest packing"
    )
    edge_length: Nm | None = Field(default=None, description="for the packing, where there is no ensemble")
    rule: Literal["maxwell-garnett", "bruggeman"] = Field(
        default="maxwell-garnett", description="which effective medium is used; both are told"
    )
    scattering_depth: float = Field(default=0.0, ge=0.0, le=100.0, description="optical depth, base e")
    asymmetry: float = Field(
        default=0.0, gt=-1.0, lt=1.0, description="mean cosine of the scattering angle; 0: even"
    )
    memory: Literal["full", "redshift", "kT"] = Field(
        default="full", description="does emission remember the absorbed wavelength: full (no), redshift, kT"
    )

    @model_validator(mode="after")
    def _one_way(self) -> FilmFile:
        if sum(x is not None for x in (self.emission, self.ensemble, self.recipe)) != 1:
            raise ValueError("one of emission, ensemble, recipe says what the film emits")
        amounts = [
            n for n in ("volume_fraction", "lead_ppm", "optical_density") if getattr(self, n) is not None
        ]
        if len(amounts) != 1:
            raise ValueError("one of volume_fraction, lead_ppm, optical_density says how much is in it")
        if self.absorption is not None and amounts != ["optical_density"]:
            raise ValueError("a measured absorption is scaled to an optical_density: give that")
        if self.absorption is not None and self.optical_constants is not None:
            raise ValueError("absorption and optical_constants say the same: one of them")
        return self


class BacklightFile(_Table):
    """Around the film; recalled values of `perolux explain display.reflector` and so on if left out."""

    reflector: Share | None = Field(default=None, description="reflectance of the film at the bottom")
    prism: Share | None = Field(default=None, description="share of diffuse light that prism films return")
    polariser: Share | None = Field(
        default=None, description="share that a reflective polariser returns; 0 without one"
    )
    absorption: Share = Field(default=0.0, description="share that the films above absorb")


class PanelFile(_Table):
    """The liquid-crystal panel."""

    filters: str = Field(description="'default' (assumed), 'narrow-blue' (assumed) or a table of one's own")
    transmission: Share | None = Field(default=None, description="without filters; recalled if left out")
    white: tuple[float, float] = Field(default=(0.3127, 0.3290), description="CIE x, y that is wanted")


class PixelFile(_Table):
    """Sub-pixels of a colour converter on blue diodes."""

    pitch: Um = Field(description="of the sub-pixels, e.g. '45 um'; at least 5 um")
    wall: Literal["none", "black", "mirror"] = Field(default="none", description="between sub-pixels")
    mirror: Literal["none", "short-pass"] = Field(
        default="none", description="below the converter: passes blue, returns green and red"
    )
    mirror_edge: Nm = Field(default=495.0, description="edge of that mirror, e.g. '495 nm'")
    mirror_pairs: int = Field(default=8, ge=1, le=60, description="pairs of TiO2 and SiO2 in it")
    filters: str | None = Field(default=None, description="colour filters above; none if left out")
    incidence: Literal["normal", "lambertian"] = Field(
        default="normal", description="of the blue light: straight or from all sides"
    )
    white: tuple[float, float] = Field(default=(0.3127, 0.3290), description="CIE x, y that is wanted")
    rays: int = Field(default=20_000, ge=1000, le=10_000_000, description="of the run for cross-talk")


class LedFile(_Table):
    """A nanocrystal light-emitting diode."""

    emission: str = Field(description="emitter: G531/22, a name or a file")
    plqy: Share = Field(description="of the film in the device, a share")
    balance: Share = Field(default=1.0, description="of electrons and holes")
    recombination: Share = Field(default=1.0, description="share of the pairs that meet in nanocrystals")
    index: float = Field(default=1.8, ge=1.0, lt=4.0, description="of the emitting film")
    outcoupling: Share | None = Field(default=None, description="share that leaves; 1/(2 n^2) if left out")
    reabsorbed: Share = Field(default=0.0, description="share that nanocrystals absorb again")
    voltage: Annotated[float, measured("V", above=True)] | None = Field(
        default=None, description="e.g. '3.5 V': for the light per electrical watt"
    )


class AgeingFile(_Table):
    """Accelerated tests of one's own, and the use."""

    tests: str = Field(description="table: time_h, brightness, temperature_c, humidity_percent, flux")
    temperature_c: float = Field(description="of the use")
    humidity_percent: float | None = Field(default=None, description="of the use")
    flux: float | None = Field(default=None, description="of the use, in the unit of the tests")
    given: dict[str, float] = Field(
        default_factory=dict,
        description="constants that the tests do not tell, of activation_ev, peck_n, flux_m",
    )
    brightening: bool = Field(default=False, description="fit a brightening under light before the decay")


_Range = tuple[float, float]


class OptimiseFile(_Table):
    """Ranges of a search for designs; what has no range stays as the file says."""

    designs: int = Field(default=2000, ge=16, le=1_000_000, description="how many to compute")
    space: Literal["xy", "upvp"] = Field(default="xy", description="in which Rec.2020 is covered")
    thickness_um: _Range | None = Field(default=None, description="[low, high] of the film")
    lead_ppm: _Range | None = Field(default=None, description="up to lead_limit_ppm")
    green_center_nm: _Range | None = Field(default=None, description="the absorption moves with it in energy")
    green_fwhm_nm: _Range | None = Field(default=None, description="of a Gaussian line")
    prism: _Range | None = Field(default=None, description="of backlight.prism")
    plqy: _Range | None = Field(default=None, description="of film.plqy")


class _Display(_Table):
    name: str = Field(default="", description="title of the report")
    lead_limit_ppm: float | None = Field(
        default=None, gt=0.0, description="by mass; `perolux explain display.lead_limit_ppm` if left out"
    )
    sigma_center_nm: float = Field(default=1.0, ge=0.0, description="of each peak")
    sigma_fwhm_nm: float = Field(default=1.0, ge=0.0, description="of each width")
    ageing: AgeingFile | None = None


class FilmStack(_Display):
    """A film in the backlight of a liquid-crystal display."""

    kind: Literal["film"]
    source: SourceFile
    film: FilmFile
    backlight: BacklightFile = BacklightFile()
    panel: PanelFile
    optimise: OptimiseFile | None = None


class Converter(_Display):
    """Red and green converters on blue diodes."""

    kind: Literal["converter"]
    source: SourceFile
    green: FilmFile
    red: FilmFile
    pixel: PixelFile


class LedStack(_Display):
    """One LED."""

    kind: Literal["led"]
    led: LedFile


Stack = FilmStack | Converter | LedStack
_KINDS: dict[str, type[FilmStack] | type[Converter] | type[LedStack]] = {
    "film": FilmStack,
    "converter": Converter,
    "led": LedStack,
}


def read_stack(path: Path) -> Stack:
    """A display from a TOML file. Raises `InputError` with all that is wrong in it."""
    text = read_small_text(path, _LARGEST_FILE, "display")
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"not TOML: {error}", where=str(path)) from None
    return stack_of(content, str(path))


def stack_of(content: dict[str, Any], where: str = "display") -> Stack:
    """A display from the dictionary of its file."""
    kind = content.get("kind")
    if kind not in _KINDS:
        raise InputError(
            f"kind = {kind!r}" if kind is not None else "no kind",
            where=where,
            allowed=", ".join(_KINDS),
            fix='write kind = "film" at the top',
        )
    try:
        return _KINDS[kind].model_validate(content)
    except ValidationError as error:
        raise InputError([_problem(one, where) for one in error.errors()]) from None


def stack_schema() -> dict[str, Any]:
    """JSON Schema of the file, as `perolux schema display` prints it, for editors.

    >>> sorted(stack_schema()["discriminator"]["mapping"])
    ['converter', 'film', 'led']
    """
    schema = TypeAdapter(Annotated[Stack, Field(discriminator="kind")]).json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "perolux display"}


def _problem(error: Any, where: str) -> Problem:
    place = ".".join(str(part) for part in error["loc"])
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "missing":
        message = "is missing"
        if place == "panel.filters":
            message = "is missing: the filters decide the gamut, so none are taken in silence"
    elif error["type"] == "extra_forbidden":
        message = "is no key here"
    return Problem(f"{place}: {message}" if place else message, where)
