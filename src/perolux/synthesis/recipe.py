"""Recipes: what a chemist writes, in TOML with the units of the bench, checked before anything is computed.

    route = "hot-injection"
    product = "CsPbBr3"
    [vessel]
    temperature = "180 degC"
    contents = [{ chemical = "PbBr2", amount = "0.188 mmol" }, { chemical = "octadecene", volume = "5 mL" }]
    [[events]]
    kind = "inject"
    at = "0 s"
    contents = [{ chemical = "cesium oleate", concentration = "0.125 M", volume = "0.4 mL",
                  solvent = "octadecene" }]
    [observe]
    until = "30 s"

One model a route, all frozen, unknown keys refused. `feasibility.py` says what of a recipe cannot be carried
out, `ledger.py` counts what is in the vessel, `schedule.py` makes from it what the engines take.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeAlias, Union

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from perolux.errors import InputError, OptionError, Problem
from perolux.files import read_small_text
from perolux.materials import parse_composition
from perolux.quantities.fields import measured

if TYPE_CHECKING:
    from perolux.synthesis.recipe_droplet import FlowRecipe
    from perolux.synthesis.recipe_solid import SolidRecipe

    AnyRecipe: TypeAlias = "Recipe | FlowRecipe | SolidRecipe"

__all__ = [
    "AntisolventRecipe",
    "Block",
    "Chemistry",
    "Event",
    "HotInjectionRecipe",
    "Observe",
    "Platelets",
    "Portion",
    "PowderSpectra",
    "ProductRecipe",
    "Recipe",
    "Spectra",
    "TopoRecipe",
    "in_a_flask",
    "read_recipe",
    "recipe_of",
    "recipe_schema",
    "routes",
]

_LARGEST_FILE = 1_000_000
_MOST_EVENTS = 1000


Moles = Annotated[float, measured("mol")]
Grams = Annotated[float, measured("g")]
Millilitres = Annotated[float, measured("mL")]
Molar = Annotated[float, measured("mol/L")]
Seconds = Annotated[float, measured("s")]
PositiveSeconds = Annotated[float, measured("s", above=True)]
Kelvin = Annotated[float, measured("K")]
Nanometres = Annotated[float, measured("nm", above=True)]
Wavelength = Annotated[float, measured("nm", above=True, spectral=True)]
Millimetres = Annotated[float, measured("mm", above=True)]
_Name = Annotated[str, Field(min_length=1, max_length=120)]
_Fraction = Annotated[float, Field(ge=0.0, le=1.0, strict=False)]


class Block(BaseModel):
    """A table of a recipe: frozen, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Portion(Block):
    """How much of a chemical: an amount, a mass or a volume; of a solution its concentration and volume."""

    chemical: _Name = Field(description="name or formula, e.g. 'PbBr2', 'oleic acid'")
    amount: Moles | None = Field(default=None, description="amount of substance, e.g. '0.188 mmol'")
    mass: Grams | None = Field(default=None, description="mass, e.g. '69 mg'")
    volume: Millilitres | None = Field(
        default=None, description="volume, of the pure liquid or of the solution"
    )
    concentration: Molar | None = Field(default=None, description="of a solution, with its volume")
    solvent: _Name | None = Field(default=None, description="of that solution")
    purity: _Fraction = Field(
        default=1.0, description="mass fraction of the chemical; the rest counts as nothing"
    )

    @model_validator(mode="after")
    def _one_way(self) -> Portion:
        given = [name for name in ("amount", "mass", "volume") if getattr(self, name) is not None]
        if self.concentration is not None and given != ["volume"]:
            raise ValueError(f"{self.chemical}: a solution has a concentration and a volume, nothing else")
        if len(given) != 1:
            raise ValueError(
                f"{self.chemical}: one of amount, mass, volume (with concentration: of the solution)"
            )
        if (self.solvent is None) != (self.concentration is None):
            raise ValueError(f"{self.chemical}: a solution needs its concentration and its solvent")
        if self.purity != 1.0 and (self.amount is not None or self.concentration is not None):
            raise ValueError(f"{self.chemical}: a purity belongs to a mass or the volume of a pure liquid")
        return self


class Vessel(Block):
    """[vessel]: what is in the flask before the first event."""

    temperature: Kelvin = Field(description="e.g. '180 degC'")
    contents: tuple[Portion, ...] = Field(min_length=1, max_length=200)


class Event(Block):
    """[[events]]: what is done, and when."""

    kind: Literal["inject", "antisolvent", "ligand", "cool", "heat", "aliquot"] = Field(
        description="inject: reagents; antisolvent; ligand: a ligand that stops growth; cool, heat: the bath "
        "changes; aliquot: a sample is taken"
    )
    at: Seconds = Field(description="start, e.g. '5 s'")
    over: Seconds = Field(default=0.0, description="how long it is added; 0: at once")
    mixing: PositiveSeconds | None = Field(default=None, description="time in which it mixes in")
    contents: tuple[Portion, ...] = Field(default=(), max_length=200)
    temperature: Kelvin | None = Field(default=None, description="of what is added (25 degC if left out)")
    to: Kelvin | None = Field(default=None, description="cool, heat: temperature of the bath")
    time_constant: PositiveSeconds | None = Field(default=None, description="cool, heat: of the approach")
    volume: Millilitres | None = Field(default=None, description="aliquot: volume taken")

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Event:
        adds = self.kind in ("inject", "antisolvent", "ligand")
        wrong = []
        if adds != bool(self.contents):
            wrong.append("contents" if not adds else f"a {self.kind} event without contents")
        if (self.kind in ("cool", "heat")) != (self.to is not None):
            wrong.append("to" if self.to is not None else f"a {self.kind} event without `to`")
        if (self.kind == "aliquot") != (self.volume is not None):
            wrong.append("volume" if self.volume is not None else "an aliquot without a volume")
        for name in ("temperature", "mixing"):
            if getattr(self, name) is not None and not adds:
                wrong.append(name)
        if self.time_constant is not None and self.kind not in ("cool", "heat"):
            wrong.append("time_constant")
        if self.over and not adds:
            wrong.append("over")
        if wrong:
            raise ValueError(f"{self.kind}: {', '.join(wrong)} does not belong here")
        return self


class Observe(Block):
    """[observe]: until when, and at which times."""

    until: PositiveSeconds = Field(description="end, e.g. '60 s'")
    times: tuple[Seconds, ...] | None = Field(
        default=None,
        min_length=1,
        max_length=10_000,
        description="times of the rows; 60 of rising step if left out",
    )

    @model_validator(mode="after")
    def _rising(self) -> Observe:
        if self.times is not None:
            rises = all(a < b for a, b in zip(self.times, self.times[1:], strict=False))
            if not rises or self.times[-1] > self.until:
                raise ValueError("times that rise and end no later than `until`")
        return self


class PowderSpectra(Block):
    """[spectra] of a powder: how its PL is recorded. Light has no known path through it: no absorbance."""

    temperature: Kelvin = Field(default=298.15, description="of the sample as it is measured, e.g. '25 degC'")
    first: Wavelength = Field(default=350.0, description="first wavelength recorded")
    last: Wavelength = Field(default=750.0, description="last wavelength recorded")
    step: Nanometres = Field(default=1.0, description="between wavelengths")
    slit: Annotated[float, measured("nm")] = Field(default=2.0, description="full width of the slit")
    signal_to_noise: float | None = Field(
        default=None, gt=0, description="largest PL over its noise; none if left out"
    )

    @model_validator(mode="after")
    def _a_range(self) -> Self:
        if not 10 * self.step <= self.last - self.first <= 20_000 * self.step:
            raise ValueError("first, last and step: 10 to 20000 wavelengths that rise")
        return self


class Spectra(PowderSpectra):
    """[spectra]: how PL and absorbance are recorded, for instance of an aliquot in a capillary."""

    path: Millimetres | None = Field(
        default=None, description="of light through the liquid; left out: 1 mm, in a tube its bore"
    )
    dilution: float = Field(default=1.0, ge=1, le=1e6, description="volume after dilution over that before")
    excitation: Wavelength = Field(default=365.0, description="wavelength of the lamp")
    plqy: float = Field(default=1.0, gt=0, le=1, description="quantum yield of all nanocrystals")
    absorbance_noise: float = Field(default=0.0, ge=0, le=1, description="standard deviation")


class Platelets(Block):
    """[platelets]: platelets of 2 to 8 monolayers beside cubes (`platelets.py`), in place of cubes alone.

    Its constants stand in place of the records of `platelets.toml`.
    """

    layer_binding_l_mol: float | None = Field(
        default=None, ge=0, lt=1e6, description="of the ligand layer on a wide facet; 0: cubes alone"
    )
    platelet_fusion_m3_s: float | None = Field(
        default=None, ge=0, le=1e-15, description="rate at which bare platelets join face to face"
    )


class Kinetics(Block):
    """[kinetics]: constants of this recipe in place of the priors, by the names of `priors.toml`."""

    surface_energy_j_m2: float | None = Field(default=None, gt=0, lt=1)
    log10_nucleation_prefactor: float | None = Field(default=None, gt=0, lt=60)
    solubility_mol_l: float | None = Field(default=None, gt=0, lt=10)
    dissolution_enthalpy_kj_mol: float | None = Field(default=None, ge=-200, le=200)
    diffusivity_m2_s: float | None = Field(default=None, gt=0, lt=1e-6)
    surface_rate_m_s: float | None = Field(default=None, gt=0, lt=1e3)
    surface_activation_kj_mol: float | None = Field(default=None, ge=0, le=300)
    antisolvent_exponent: float | None = Field(default=None, ge=0, le=200)
    mixing_time_s: float | None = Field(default=None, gt=0, le=1e4)
    viscosity_activation_kj_mol: float | None = Field(default=None, ge=0, le=100)
    least_radius_nm: float | None = Field(default=None, gt=0, lt=5)
    bath_time_constant_s: float | None = Field(default=None, gt=0, lt=1e5)
    topo_dissociation_mol_l: float | None = Field(default=None, gt=0, lt=1e3)
    ligand_binding_l_mol: float | None = Field(default=None, gt=0, lt=1e12)
    ligand_cover_per_nm2: float | None = Field(default=None, gt=0, lt=10)


class Chemistry(Block):
    """[chemistry]: by what the supersaturation goes, and constants of the equilibria."""

    supersaturation: Literal["monomer", "speciation"] = Field(
        default="monomer",
        description="monomer: free monomer over solubility; speciation: ion product over that at saturation, "
        "from all complexes",
    )
    equilibria: dict[str, float] = Field(
        default_factory=dict,
        max_length=50,
        description="constants in place of the records, by their names, e.g. PbX2 = 8.0 (log10)",
    )

    @model_validator(mode="after")
    def _belongs(self) -> Chemistry:
        bad = [name for name, value in self.equilibria.items() if not -100.0 <= value <= 100.0]
        if bad:
            raise ValueError(f"equilibria.{bad[0]}: a number from -100 to 100")
        return self


class ProductRecipe(Block):
    """What all recipes have in common: a name, and the perovskite that is to form."""

    name: str = Field(default="", max_length=200, description="what the recipe is called")
    product: str = Field(description="the perovskite that is to form, e.g. 'CsPbBr3'")

    @field_validator("product")
    @classmethod
    def _a_perovskite(cls, value: str) -> str:
        try:
            parse_composition(value)
        except OptionError as error:
            raise ValueError(error.problems[0].what) from None
        return value


class _SolutionRecipe(ProductRecipe):
    """What all recipes in a flask have in common."""

    vessel: Vessel
    events: tuple[Event, ...] = Field(default=(), max_length=_MOST_EVENTS)
    observe: Observe
    spectra: Spectra = Field(default_factory=Spectra)
    kinetics: Kinetics = Field(default_factory=Kinetics)
    platelets: Platelets | None = Field(default=None, description="platelets beside cubes; none if left out")
    chemistry: Chemistry = Field(default_factory=Chemistry)


class HotInjectionRecipe(_SolutionRecipe):
    """Hot injection: a cool precursor into a hot flask, finite mixing, an ice bath."""

    route: Literal["hot-injection"]


class AntisolventRecipe(_SolutionRecipe):
    """Ligand-assisted reprecipitation: an antisolvent lowers the solubility."""

    route: Literal["antisolvent"]


class TopoRecipe(_SolutionRecipe):
    """Slow synthesis at room temperature: TOPO holds the lead, a ligand at the end stops growth."""

    route: Literal["topo"]


Recipe = HotInjectionRecipe | AntisolventRecipe | TopoRecipe
"""A recipe in a flask."""
ROUTES: dict[str, type[BaseModel]] = {
    "hot-injection": HotInjectionRecipe,
    "antisolvent": AntisolventRecipe,
    "topo": TopoRecipe,
}


def routes() -> dict[str, type[BaseModel]]:
    """The recipe of every route; some are made of the blocks of this file and stand in their own."""
    from perolux.synthesis.recipe_droplet import DropletRecipe, PlainTubeRecipe
    from perolux.synthesis.recipe_solid import SOLID_ROUTES

    return ROUTES | {"droplet": DropletRecipe, "tube": PlainTubeRecipe} | SOLID_ROUTES


def in_a_flask(recipe: AnyRecipe) -> Recipe:
    """The recipe, where it is one of cubes in a flask. Raises `OptionError` for all others."""
    if not isinstance(recipe, Recipe):
        raise OptionError(
            f"a recipe of the route {recipe.route!r} is no flask",
            where="route",
            allowed=", ".join(ROUTES),
            fix="`perolux grow RECIPE` carries out every route; what asks for a flask takes no other",
        )
    if recipe.platelets is not None:
        raise OptionError(
            "platelets beside cubes",
            where="platelets",
            allowed="cubes alone",
            fix="`perolux grow RECIPE` follows platelets; here leave [platelets] out",
        )
    return recipe


def recipe_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a recipe, for editors that complete and check TOML."""
    from perolux.synthesis.recipe_mixed import MixedDropletRecipe

    every: Any = Union[tuple(routes().values())]  # noqa: UP007
    one_halide: Any = Annotated[every, Field(discriminator="route")]
    schema: dict[str, Any] = TypeAdapter(Union[one_halide, MixedDropletRecipe]).json_schema()  # noqa: UP007
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "perolux recipe"}


def read_recipe(path: str | Path) -> AnyRecipe:
    """Read and check a recipe in TOML. Raises `InputError` with all problems of the file at once."""
    path = Path(path)
    try:
        content = tomllib.loads(read_small_text(path, _LARGEST_FILE, "a recipe"))
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"no TOML: {error}", where=path.name, fix="see the page of the room synthesis"
        ) from error
    return recipe_of(content, path.name)


def recipe_of(content: dict[str, Any], where: str = "recipe") -> AnyRecipe:
    """The recipe that a dictionary (of a TOML file) says. Raises `InputError` with all problems at once."""
    route = content.get("route")
    known = routes()
    if not isinstance(route, str) or route not in known:
        raise InputError(
            f"route = {route!r}" if route is not None else "no route",
            where=where,
            allowed=", ".join(known),
            fix='write route = "hot-injection" at the top of the recipe',
        )
    from perolux.synthesis.recipe_mixed import MixedDropletRecipe, names_open_halides

    mixed = route == "droplet" and names_open_halides(content)
    try:
        recipe: Any = (MixedDropletRecipe if mixed else known[route]).model_validate(content)
    except ValidationError as error:
        raise InputError([_problem(one, where) for one in error.errors()]) from None
    return recipe


def _problem(error: Any, where: str) -> Problem:
    place = ".".join(str(part + 1) if isinstance(part, int) else str(part) for part in error["loc"])
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "missing":
        message = "is missing"
    elif error["type"] == "extra_forbidden":
        message = "is no key of a recipe here"
        if place.split(".")[-1] == "platelets":
            message += f"; platelets form in a flask ({', '.join(ROUTES)})"
    return Problem(f"{place}: {message}" if place else message, where)
