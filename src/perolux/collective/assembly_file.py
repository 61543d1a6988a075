"""An assembly as a file: a superlattice, its emitters, disorder, excitation and sampling, in TOML with units.

    name = "cube of eight"
    [lattice]
    kind = "cube"                 # chain, sheet, cube, fcc, nacl, alb2, abo3, cluster, table
    pitch = "12.5 nm"
    repeats = [2, 2, 2]
    [emitters]
    lifetime = "300 ps"
    wavelength = "530 nm"
    [disorder]
    energy_spread = "2 meV"
    [times]
    until = "600 ps"

All tables are frozen, unknown keys are refused, and `read_assembly` raises with all problems at once.
"""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo

from perolux.errors import InputError, OptionError, Problem
from perolux.files import read_small_text
from perolux.quantities.fields import measured
from perolux.superlattices.disorder import DipoleRule

__all__ = ["AssemblyFile", "assembly_of", "assembly_schema", "read_assembly", "sampling_with"]

_LARGEST_FILE = 1_000_000


Nm = Annotated[float, measured("nm", above=True)]
Ps = Annotated[float, measured("ps", above=True)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Direction = Annotated[
    tuple[float, float, float],
    BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value),
]
Repeats = Annotated[int, Field(ge=1, le=1000)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class LatticeTable(_Table):
    """Where the nanocrystals sit."""

    kind: Literal["chain", "sheet", "cube", "fcc", "nacl", "alb2", "abo3", "cluster", "table"]
    pitch: Nm | None = Field(
        default=None,
        description="chain, sheet, cube, fcc: nearest neighbours, centre to centre; cluster: least distance; "
        "nacl, abo3: edge of the cell; alb2: a of the cell",
    )
    repeats: list[Repeats] = Field(
        default=[2, 2, 2],
        min_length=1,
        max_length=3,
        description="cells: chain [n], sheet [n, m], others three",
    )
    emits: list[str] | None = Field(
        default=None, description="sites with light: nacl, alb2 ['B'], abo3 ['B', 'O'] if left out"
    )
    c_over_a: float = Field(default=1.0, gt=0.1, lt=10.0, description="alb2 alone")
    count: int | None = Field(default=None, ge=1, le=20000, description="cluster: nanocrystals")
    filling: float = Field(default=0.25, gt=0.0, le=0.3, description="cluster: share of its volume")
    file: str | None = Field(default=None, description="table: x_nm, y_nm, z_nm[, dx, dy, dz]")

    @model_validator(mode="after")
    def _complete(self) -> LatticeTable:
        wanted = {"chain": 1, "sheet": 2, "cluster": 0, "table": 0}.get(self.kind, 3)
        given = self.model_fields_set
        if (self.kind == "table") != (self.file is not None):
            raise ValueError("file belongs to kind = 'table', which needs it")
        if (self.kind == "cluster") != (self.count is not None):
            raise ValueError("count belongs to kind = 'cluster', which needs it")
        if (self.kind == "table") == (self.pitch is not None):
            raise ValueError("every kind but 'table' needs a pitch")
        if wanted == 0 and "repeats" in given:
            raise ValueError(f"kind = '{self.kind}' has no repeats")
        if wanted and ("repeats" not in given or len(self.repeats) != wanted):
            raise ValueError(f"kind = '{self.kind}' needs repeats of {wanted} number{'s'[: wanted - 1]}")
        if self.emits is not None and self.kind not in ("nacl", "alb2", "abo3"):
            raise ValueError("emits belongs to nacl, alb2 and abo3")
        if "c_over_a" in given and self.kind != "alb2":
            raise ValueError("c_over_a belongs to alb2")
        if "filling" in given and self.kind != "cluster":
            raise ValueError("filling belongs to kind = 'cluster'")
        return self


class EmittersTable(_Table):
    """What emits. Rates are counted in Gamma = 1/lifetime, the radiative rate of one in its surroundings."""

    lifetime: Ps | None = Field(
        default=None,
        description="radiative, of one nanocrystal, as in '300 ps'; that of the excitons room if left out",
    )
    wavelength: Annotated[float, measured("nm", above=True, spectral=True)] | None = Field(
        default=None, description="in vacuum; from the excitons room if left out"
    )
    refractive_index: float = Field(default=1.0, ge=1.0, lt=10.0, description="of the medium between")
    material: str = Field(
        default="CsPbBr3", description="cubes of this, for everything the excitons room gives"
    )
    edge: Nm | None = Field(default=None, description="mean core edge, e.g. '9 nm'")
    temperature: Annotated[float, measured("K", above=True)] = Field(default=6.0, description="e.g. '6 K'")
    parameter_set: str | None = Field(
        default=None, description="of the excitons room; the median if left out"
    )
    dipoles: DipoleRule = Field(default="z", description="along which axis of each nanocrystal")
    pure_dephasing_time: Ps | None = Field(default=None, description="1/g*, with 1/T2 = 1/(2 T1) + g*")
    pure_dephasing: float | None = Field(default=None, ge=0.0, description="g*/Gamma, in place of the time")
    nonradiative: float = Field(default=0.0, ge=0.0, description="loss without light, over Gamma")

    @model_validator(mode="after")
    def _known(self) -> EmittersTable:
        if self.pure_dephasing is not None and self.pure_dephasing_time is not None:
            raise ValueError("pure_dephasing and pure_dephasing_time say the same: give one")
        if self.edge is None and (self.lifetime is None or self.wavelength is None):
            raise ValueError("without lifetime or wavelength an edge is needed to compute it")
        return self


class DisorderTable(_Table):
    """What differs from one nanocrystal to the next."""

    edge_spread: float = Field(
        default=0.0, ge=0.0, le=0.3, description="coefficient of variation of the edge"
    )
    energy_spread: Annotated[float, measured("meV")] = Field(
        default=0.0, description="Gaussian, beside what the edges do, e.g. '5 meV'"
    )
    position_spread: Annotated[float, measured("nm")] = Field(default=0.0, description="of each coordinate")
    orientation_spread: Annotated[float, measured("degree")] = Field(
        default=0.0, description="Gaussian turns about three axes, e.g. '10 degree'"
    )
    vacancies: float = Field(default=0.0, ge=0.0, le=0.95, description="chance of a missing nanocrystal")


class ExcitationTable(_Table):
    """How it starts."""

    kind: Literal["all", "single", "random", "driven"] = Field(
        default="all",
        description="all excited; one excitation shared in phase; each at random; driven: every one "
        "turned by a pulse of light, with its phase (up to 8 emitters)",
    )
    fraction: Share | None = Field(default=None, description="random: chance of each to be excited")
    direction: Direction | None = Field(
        default=None,
        description="single, driven: where the light runs that excites, three numbers of any length; single "
        "without it: all in phase",
    )
    pulse_area: float | None = Field(
        default=None, gt=0.0, le=3.14159265358979,
        description="driven: angle of the turn, rad; sin^2 of its half is the share excited",
    )  # fmt: skip

    @model_validator(mode="after")
    def _fraction(self) -> ExcitationTable:
        if (self.kind == "random") != (self.fraction is not None):
            raise ValueError("fraction belongs to kind = 'random', which needs it")
        if (self.kind == "driven") != (self.pulse_area is not None):
            raise ValueError("pulse_area belongs to kind = 'driven', which needs it")
        if self.direction is not None and self.kind not in ("single", "driven"):
            raise ValueError("direction belongs to kind = 'single' or 'driven'")
        if self.direction is None and self.kind == "driven":
            raise ValueError("kind = 'driven' needs the direction of the light, e.g. [1, 0, 0]")
        if self.direction is not None and not 1e-9 < sum(one * one for one in self.direction) < 1e18:
            raise ValueError("a direction of length 0")
        return self


class SamplingTable(_Table):
    """How much is drawn, and by which method."""

    disorder_draws: int = Field(default=10, ge=1, le=10000)
    trajectories: int = Field(
        default=400, ge=2, le=1_000_000, description="of each draw, where the method has any"
    )
    seed: int = Field(default=0, ge=0)
    method: str = Field(default="auto", description="as --method of perolux burst")
    screening: list[Share] = Field(
        default=[0.0, 0.3, 1.0], min_length=1, max_length=5,
        description="factors on the shifts, run beside each other: 0 none, 1 bare point dipoles",
    )  # fmt: skip
    ablation: bool = Field(default=True, description="each disorder switched off in turn")


class TimesTable(_Table):
    """When to look."""

    until: Ps
    points: int = Field(default=101, ge=2, le=20001)


class CompareTable(_Table):
    """One large nanocrystal, for the same job."""

    edge: Nm = Field(description="of a single cube, e.g. '30 nm'")


class InstrumentTable(_Table):
    """What looks on: a streak camera behind a lens and a spectrometer; its trace is that of a photon
    counter."""

    response: Annotated[float, measured("ps")] = Field(
        description="full width at half maximum of the response in time, e.g. '3 ps'"
    )
    jitter: Annotated[float, measured("ps")] = Field(
        default=0.0, description="standard deviation of the trigger over the shots"
    )
    time_bin: Ps = Field(description="e.g. '2 ps'")
    before: Annotated[float, measured("ps")] = Field(default=20.0, description="time shown before the pulse")
    uneven: float = Field(default=0.0, gt=-0.5, lt=0.5, description="unevenness of the sweep")
    wavelength_bin: Nm = Field(default=0.5, description="of a pixel")
    resolution: Annotated[float, measured("nm")] = Field(
        default=0.0, description="full width of the spectrometer's slit"
    )
    linewidth: Annotated[float, measured("meV")] | None = Field(
        default=None, description="homogeneous, full width; hbar (Gamma + 2 g*) if left out"
    )
    aperture: float = Field(default=0.5, gt=0.0, lt=4.0, description="numerical aperture of the lens")
    axis: Literal["x", "y", "z"] = Field(default="z", description="of the lens; normal of a substrate")
    substrate_index: float | None = Field(
        default=None, ge=1.0, lt=10.0, description="flat substrate below, without its effect on couplings"
    )
    gap: Annotated[float, measured("nm")] = Field(
        default=6.0, description="from the centres of the lowest nanocrystals to the substrate"
    )
    through_substrate: bool = Field(default=False, description="the lens looks through it")
    efficiency: float = Field(default=0.1, gt=0.0, le=1.0, description="of optics and cathode together")
    shots: float = Field(default=1e6, gt=0.0, description="pulses times equal assemblies in view")
    dark: float = Field(default=0.0, ge=0.0, description="dark counts of each pixel, over all shots")


class SpectrometerTable(_Table):
    """A spectrometer, over all of the time."""

    pixel: Nm = Field(description="e.g. '0.02 nm'")
    slit: Annotated[float, measured("nm")] = Field(
        default=0.0, description="full width at half maximum of the Gaussian that a sharp line becomes"
    )
    slit_energy: Annotated[float, measured("meV")] | None = Field(
        default=None, description="the same in energy, in place of slit, e.g. '0.1 meV'"
    )
    slit_wings: Annotated[float, measured("nm")] = Field(
        default=0.0, description="full width of the Lorentzian part: a Voigt profile"
    )
    span: Nm | None = Field(default=None, description="all pixels together; as wide as the light if left out")
    photons: float = Field(default=1e5, gt=0.0, le=1e15, description="detected, of all the light")
    dark: float = Field(default=0.0, ge=0.0, description="dark counts of each pixel")

    @model_validator(mode="after")
    def _one_slit(self) -> SpectrometerTable:
        if self.slit_energy is not None and "slit" in self.model_fields_set:
            raise ValueError("slit and slit_energy say the same: give one")
        return self


class MichelsonTable(_Table):
    """A Michelson interferometer, over all of the time."""

    until: Ps = Field(description="last delay, e.g. '20 ps'")
    step: Ps = Field(description="from delay to delay, at each of which some fringes are scanned")
    contrast: float = Field(
        default=1.0, gt=0.0, le=1.0, description="of a sharp line, by alignment and wavefronts"
    )
    reflected: float = Field(default=0.5, gt=0.0, lt=1.0, description="share that the beam splitter reflects")
    port: Literal["out", "back"] = Field(default="out", description="back: towards the source")
    path_jitter: Annotated[float, measured("nm")] = Field(
        default=0.0, description="standard deviation of the path difference within a reading, e.g. '10 nm'"
    )
    points: int = Field(default=8, ge=3, le=1000, description="readings of a fringe")
    fringes: int = Field(default=4, ge=1, le=1000, description="whole fringes scanned at each delay")
    moving: bool = Field(default=False, description="the mirror moves while it counts")
    photons: float = Field(default=1e5, gt=0.0, le=1e12, description="that enter at each delay, detected")
    dark: float = Field(default=0.0, ge=0.0, description="dark counts of each reading")


class AssemblyFile(_Table):
    """A superlattice that emits."""

    name: str = ""
    lattice: LatticeTable
    emitters: EmittersTable
    disorder: DisorderTable = DisorderTable()
    excitation: ExcitationTable = ExcitationTable()
    sampling: SamplingTable = SamplingTable()
    times: TimesTable
    compare: CompareTable | None = None
    instrument: InstrumentTable | None = None
    spectrometer: SpectrometerTable | None = None
    michelson: MichelsonTable | None = None

    @model_validator(mode="after")
    def _joined(self) -> AssemblyFile:
        if self.disorder.edge_spread > 0.0 and self.emitters.edge is None:
            raise ValueError("a spread of edges needs the mean edge ([emitters] edge)")
        if self.emitters.dipoles == "three" and self.excitation.kind != "single":
            raise ValueError(
                "three dipoles of a nanocrystal hold one exciton between them: three two-level emitters are "
                "right for excitation kind = 'single' alone"
            )
        return self


def read_assembly(path: Path) -> AssemblyFile:
    """An assembly from a TOML file. Raises `InputError` with all that is wrong."""
    text = read_small_text(path, _LARGEST_FILE, "assembly")
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"not TOML: {error}", where=str(path)) from None
    return assembly_of(content, str(path))


def assembly_of(content: dict[str, Any], where: str = "assembly") -> AssemblyFile:
    """An assembly from the dictionary of its file."""
    try:
        return AssemblyFile.model_validate(content)
    except ValidationError as error:
        raise InputError([_problem(one, where) for one in error.errors()]) from None


def _problem(error: Any, where: str) -> Problem:
    """One complaint of pydantic in words: what, where, what is allowed, how to mend it."""
    loc = error["loc"]
    place = ".".join(str(part) for part in loc)
    at = f"{where}: {place}" if place else where
    if error["type"] == "extra_forbidden":
        keys = sorted(_fields(loc[:-1]))
        close = difflib.get_close_matches(str(loc[-1]), keys, n=1)
        fix = f"did you mean {close[0]!r}?" if close else None
        return Problem(f"unknown key {loc[-1]!r}", at, ", ".join(keys), fix)
    if error["type"] == "missing":
        field = _fields(loc[:-1]).get(str(loc[-1]))
        fix = f"add a table [{place}]" if len(loc) == 1 else f"write {loc[-1]} = ..."
        return Problem("is missing", at, None if field is None else field.description, fix)
    what, _, fix = str(error["msg"]).removeprefix("Value error, ").partition("; ")
    if what.startswith("Input should be "):
        return Problem(f"{error['input']!r} is not allowed", at, what.removeprefix("Input should be "))
    return Problem(what, at, fix=fix or None)


def _fields(loc: tuple[Any, ...]) -> dict[str, FieldInfo]:
    """The keys of the table at a place of the file; none where it is no table."""
    model: Any = AssemblyFile
    for part in loc:
        field = model.model_fields.get(part)
        kinds = () if field is None else (field.annotation, *get_args(field.annotation))
        tables = [one for one in kinds if isinstance(one, type) and issubclass(one, _Table)]
        if not tables:
            return {}
        model = tables[0]
    return dict(model.model_fields)


def sampling_with(sampling: SamplingTable, changed: dict[str, Any]) -> SamplingTable:
    """The same with some values changed, under the limits of the file. Raises `OptionError`."""
    try:
        return SamplingTable.model_validate(sampling.model_dump() | changed)
    except ValidationError as error:
        one = error.errors()[0]
        raise OptionError(one["msg"], where="--" + ".".join(str(part) for part in one["loc"])) from None


def assembly_schema() -> dict[str, Any]:
    """The JSON schema of an assembly."""
    return AssemblyFile.model_json_schema() | {"title": "perolux assembly"}
