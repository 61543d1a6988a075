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
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo

from perolux.errors import InputError, Problem
from perolux.files import read_small_text
from perolux.quantities.fields import measured

__all__ = [
    "AgeingFile",
    "BacklightFile",
    "Converter",
    "EnsembleFile",
    "FilmFile",
    "FilmStack",
    "LedFile",
    "LedStack",
    "OptimiseConverterFile",
    "OptimiseFile",
    "OptimiseLedFile",
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


def _within(low: float, high: float, unit: str) -> AfterValidator:
    def check(value: float) -> float:
        if not low <= value <= high:
            raise ValueError(
                f"{value:g} {unit} lies outside {low:g} to {high:g} {unit}; write a value between"
            )
        return value

    return AfterValidator(check)


Um = Annotated[float, measured("um", above=True), _within(0.0, 1e4, "um")]
Nm = Annotated[float, measured("nm", above=True), _within(0.5, 1e3, "nm")]
MirrorEdge = Annotated[float, measured("nm", above=True, spectral=True), _within(400.0, 760.0, "nm")]


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
        default=None,
        gt=0.0,
        description="red power for blue power taken, in the package; on record if left out",
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
        default=None, description="table of n and k, a name or a file; that of the material if left out"
    )
    absorption: str | None = Field(
        default=None, description="file of a measured absorbance, scaled to optical_density; in place of n, k"
    )
    emission: str | None = Field(default=None, description="emitter: G530/22, a name or a file")
    ensemble: EnsembleFile | None = Field(
        default=None, description="in place of emission: cubes whose light and absorption are computed"
    )
    recipe: str | None = Field(default=None, description="a recipe whose nanocrystals these are")
    parameter_set: str | None = Field(
        default=None,
        description="of an ensemble's or recipe's material; if left out the first, beside all others",
    )
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
            raise ValueError("one of emission, ensemble, recipe says what the film emits; give just one")
        amounts = [
            n for n in ("volume_fraction", "lead_ppm", "optical_density") if getattr(self, n) is not None
        ]
        if len(amounts) != 1:
            raise ValueError(
                "one of volume_fraction, lead_ppm, optical_density says how much is in it; give just one"
            )
        if self.absorption is not None and amounts != ["optical_density"]:
            raise ValueError("a measured absorption is scaled to an optical_density; give that")
        if self.absorption is not None and self.optical_constants is not None:
            raise ValueError("absorption and optical_constants say the same; give one of them")
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
    transmission: Share | None = Field(
        default=None, description="of unpolarised light, without filters; recalled if left out"
    )
    white: tuple[float, float] = Field(default=(0.3127, 0.3290), description="CIE x, y that is wanted")


class PixelFile(_Table):
    """Sub-pixels of a colour converter on blue diodes."""

    pitch: Um = Field(description="of the sub-pixels, e.g. '45 um'; at least 5 um")
    wall: Literal["none", "black", "mirror"] = Field(default="none", description="between sub-pixels")
    mirror: Literal["none", "short-pass"] = Field(
        default="none", description="below the converter: passes blue, returns green and red"
    )
    mirror_edge: MirrorEdge = Field(default=495.0, description="edge of that mirror, e.g. '495 nm'")
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


class OptimiseConverterFile(_Table):
    """Ranges of a search for converters; what has no range stays as the file says."""

    designs: int = Field(default=2000, ge=16, le=1_000_000, description="how many to compute")
    space: Literal["xy", "upvp"] = Field(default="xy", description="in which Rec.2020 is covered")
    thickness_um: _Range | None = Field(default=None, description="[low, high] of both films alike")
    green_thickness_um: _Range | None = Field(default=None, description="of the green film")
    red_thickness_um: _Range | None = Field(default=None, description="of the red film")
    green_optical_density: _Range | None = Field(
        default=None, description="at 450 nm, base 10: the loading follows, as far as crystals can be packed"
    )
    red_optical_density: _Range | None = Field(default=None, description="as that of the green film")
    green_volume_fraction: _Range | None = Field(default=None, description="loading of the green film")
    red_volume_fraction: _Range | None = Field(default=None, description="loading of the red film")
    green_center_nm: _Range | None = Field(default=None, description="the absorption moves with it in energy")
    green_fwhm_nm: _Range | None = Field(default=None, description="of a Gaussian line")
    red_center_nm: _Range | None = Field(default=None, description="the absorption moves with it in energy")
    red_fwhm_nm: _Range | None = Field(default=None, description="of a Gaussian line")
    blue_center_nm: _Range | None = Field(default=None, description="the diode's spectrum moved")
    scattering_depth: _Range | None = Field(default=None, description="of both films alike")
    pitch_um: _Range | None = Field(default=None, description="of the sub-pixels")
    mirror_edge_nm: _Range | None = Field(default=None, description="of pixel.mirror, in whole nm")
    lead_max_ppm: float | None = Field(
        default=None,
        gt=0.0,
        description="designs with a film of more lead are left out; none if not given",
    )
    cross_talk_max: Share | None = Field(
        default=None, description="designs with more cross-talk in a film are left out"
    )
    cross_talk: bool = Field(default=False, description="make little cross-talk a third aim")


class OptimiseLedFile(_Table):
    """Ranges of a search for an LED; what has no range stays as the file says."""

    designs: int = Field(default=2000, ge=16, le=1_000_000, description="how many to compute")
    space: Literal["xy", "upvp"] = Field(default="xy", description="in which Rec.2020 is covered")
    center_nm: _Range | None = Field(default=None, description="of a Gaussian line")
    fwhm_nm: _Range | None = Field(default=None, description="of a Gaussian line")
    plqy: _Range | None = Field(default=None, description="of led.plqy")
    outcoupling: _Range | None = Field(default=None, description="of led.outcoupling")
    index: _Range | None = Field(default=None, description="of led.index, where outcoupling follows from it")


class _Display(_Table):
    name: str = Field(default="", description="title of the report")
    lead_limit_ppm: float | None = Field(
        default=None, gt=0.0, description="by mass; `perolux explain display.lead_limit_ppm` if left out"
    )
    sigma_center_nm: float = Field(default=1.0, ge=0.0, le=20.0, description="of each peak")
    sigma_fwhm_nm: float = Field(default=1.0, ge=0.0, le=20.0, description="of each width")
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
    optimise: OptimiseConverterFile | None = None


class LedStack(_Display):
    """One LED."""

    kind: Literal["led"]
    led: LedFile
    optimise: OptimiseLedFile | None = None


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
        raise InputError(
            f"not TOML: {error}",
            where=str(path),
            allowed="a display as in examples/displays: text in quotes, numbers without, [tables]",
            fix="mend that line",
        ) from None
    return stack_of(content, str(path))


def stack_of(content: dict[str, Any], where: str = "display") -> Stack:
    """A display from the dictionary of its file."""
    kind = content.get("kind")
    if kind not in _KINDS:
        raise InputError(
            f"kind = {kind!r}" if kind is not None else "no kind",
            where=where,
            allowed=", ".join(_KINDS),
            fix='write kind = "film", "converter" or "led" at the top',
        )
    try:
        return _KINDS[kind].model_validate(content)
    except ValidationError as error:
        raise InputError([_problem(one, where, _KINDS[kind]) for one in error.errors()]) from None


def stack_schema() -> dict[str, Any]:
    """JSON Schema of the file, as `perolux schema display` prints it, for editors.

    >>> sorted(stack_schema()["discriminator"]["mapping"])
    ['converter', 'film', 'led']
    """
    schema = TypeAdapter(Annotated[Stack, Field(discriminator="kind")]).json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "perolux display"}


def _problem(error: Any, where: str, kind: type[BaseModel]) -> Problem:
    loc, ctx = error["loc"], error.get("ctx", {})
    place = ".".join(str(part) for part in loc)
    at = f"{where}: {place}" if place else where
    given = error.get("input")
    match error["type"]:
        case "missing" if place == "panel.filters":
            return Problem(
                "is missing: the filters decide the gamut, so none are taken in silence",
                at,
                "'default' (assumed), 'narrow-blue' (assumed), or a table: wavelength_nm, red, green, blue",
                'write filters = "FILE"',
            )
        case "missing":
            return Problem("is missing", at, _meaning(kind, loc), f"write {loc[-1]} = ...")
        case "extra_forbidden":
            keys = _keys(kind, loc[:-1])
            near = get_close_matches(str(loc[-1]), keys, n=1)
            return Problem("is no key here", at, ", ".join(keys), f"is {near[0]} meant?" if near else None)
        case "greater_than_equal" | "greater_than" | "less_than_equal" | "less_than":
            return Problem(
                f"{given!r} lies outside what can be", at, _limits(kind, loc, ctx), _percent(given, ctx)
            )
        case "float_parsing" | "float_type" | "int_parsing" | "int_type" | "int_from_float":
            return Problem(
                f"{given!r} is no number", at, "a number without quotes", _percent(given, {"le": 1.0})
            )
        case "tuple_type" | "too_short" | "too_long":
            return Problem(f"{given!r}", at, "two numbers, as in [50, 400]")
        case "literal_error" | "enum":
            return Problem(f"{given!r}", at, ctx.get("expected"))
        case "model_type" | "dict_type":
            return Problem(f"{given!r} is no table", at, f"a table: [{place}]")
        case _:
            what, _, fix = str(error["msg"]).removeprefix("Value error, ").partition("; ")
            field = _field(kind, loc)
            return Problem(what, at, None if field is None else field.description, fix or None)


def _field(kind: type[BaseModel], loc: tuple[Any, ...]) -> FieldInfo | None:
    """The field at a place of the file; None where there is none."""
    model: Any = kind
    found = None
    for part in loc:
        found = getattr(model, "model_fields", {}).get(part)
        if found is None:
            return None
        inner = found.annotation
        models = [
            one for one in (inner, *get_args(inner)) if isinstance(one, type) and issubclass(one, BaseModel)
        ]
        model = models[0] if models else None
    return found


def _keys(kind: type[BaseModel], loc: tuple[Any, ...]) -> list[str]:
    if not loc:
        return list(kind.model_fields)
    field = _field(kind, loc)
    inner: Any = None if field is None else field.annotation
    for one in (inner, *get_args(inner)):
        if isinstance(one, type) and issubclass(one, BaseModel):
            return list(one.model_fields)
    return []


def _meaning(kind: type[BaseModel], loc: tuple[Any, ...]) -> str | None:
    field = _field(kind, loc)
    if field is None:
        return None
    return field.description or ", ".join(_keys(kind, loc)) or None


def _limits(kind: type[BaseModel], loc: tuple[Any, ...], broken: dict[str, Any]) -> str:
    """The bounds of a field in words, both where it has two."""
    field, bounds = _field(kind, loc), dict(broken)
    known: list[Any] = [] if field is None else [*field.metadata]
    for one in () if field is None else get_args(field.annotation):  # of `Share | None`
        known += getattr(one, "__metadata__", ())
    known = [bound for one in known for bound in getattr(one, "metadata", (one,))]
    for one in known:
        for name in ("ge", "gt", "le", "lt"):
            if getattr(one, name, None) is not None:
                bounds[name] = getattr(one, name)
    words = {"ge": "from {:g}", "gt": "above {:g}", "le": "up to {:g}", "lt": "below {:g}"}
    said = ", ".join(words[name].format(float(bounds[name])) for name in words if name in bounds)
    meaning = None if field is None else field.description
    return f"{said} ({meaning})" if meaning else said


def _percent(given: Any, ctx: dict[str, Any]) -> str | None:
    """How to write a share where per cent were given."""
    text = str(given).strip().removesuffix("%").strip()
    try:
        value = float(text)
    except ValueError:
        return None
    looks = ctx.get("le") == 1.0 and 2.0 <= value <= 100.0
    return f"a share is meant: {value:g} % is {value / 100:g}" if looks else None
