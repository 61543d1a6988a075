"""Recipes whose crystals are not free in a stirred solution: what a chemist writes, checked.

    route = "milling"
    product = "CsPbBr3"
    [jar]
    contents = [{ chemical = "CsBr", amount = "1 mmol" }, { chemical = "PbBr2", amount = "1 mmol" },
                { chemical = "oleylamine", volume = "0.5 mL" }]
    [observe]
    until = "1 h"

They are read by `recipe.read_recipe` like every other; constants are the names of `solid_priors.toml`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, model_validator

from perolux.quantities.fields import measured
from perolux.synthesis.recipe import (
    Block,
    Event,
    Grams,
    HotInjectionRecipe,
    Kinetics,
    Observe,
    Portion,
    PositiveSeconds,
    PowderSpectra,
    ProductRecipe,
    Spectra,
    Vessel,
)

__all__ = [
    "SOLID_ROUTES",
    "Carrier",
    "Drying",
    "Jar",
    "MillingConstants",
    "MillingRecipe",
    "Pores",
    "SaltRecipe",
    "SolidRecipe",
    "Solution",
    "TemplateConstants",
    "TemplateRecipe",
]

Nanometres = Annotated[float, measured("nm", above=True)]


class Jar(Block):
    """[jar]: salts and ligands that are milled together."""

    contents: tuple[Portion, ...] = Field(min_length=1, max_length=200)


class MillingConstants(Block):
    """[kinetics] of milling: constants of this recipe in place of the priors."""

    breakage_rate_per_s: float | None = Field(default=None, ge=0, le=1e3)
    breakage_exponent: float | None = Field(default=None, ge=0.5, le=6)
    daughter_power: float | None = Field(default=None, gt=-1, le=50)
    ligand_bound_share: float | None = Field(default=None, gt=0, le=1)
    coarse_edge_nm: float | None = Field(default=None, ge=20, le=1e5)
    coarse_cv: float | None = Field(default=None, ge=0.01, le=1.5)
    least_radius_nm: float | None = Field(default=None, gt=0, lt=5)


class MillingRecipe(ProductRecipe):
    """Ball milling: the salts form a coarse powder, which breaks until the ligand covers no more surface."""

    route: Literal["milling"]
    jar: Jar
    daughter: Literal["binary", "power-law"] = Field(
        default="binary", description="law of the pieces: two, or (nu + 2)/(nu + 1) on average"
    )
    observe: Observe
    spectra: PowderSpectra = Field(default_factory=PowderSpectra)
    kinetics: MillingConstants = Field(default_factory=MillingConstants)

    @model_validator(mode="after")
    def _power_of_its_law(self) -> MillingRecipe:
        power = self.kinetics.daughter_power
        if self.daughter == "binary" and power is not None and power <= 0:
            raise ValueError(f"daughter_power = {power:g}: above 0 for two pieces")
        if self.daughter == "power-law" and (power is None or power > 0):
            raise ValueError(
                "a power law needs kinetics.daughter_power, above -1 and up to 0, e.g. -0.5 for three pieces"
            )
        return self


class Pores(Block):
    """[pores]: of the template. Their diameters either by mean and cv (lognormal), or as a table."""

    mass: Grams = Field(gt=0, description="of the template, e.g. '100 mg'")
    volume: Annotated[float, measured("mL/g", above=True)] = Field(description="of pores, e.g. '0.8 mL/g'")
    mean: Nanometres | None = Field(default=None, description="mean diameter, by number of pores")
    cv: float | None = Field(default=None, ge=0.0, le=1.0, description="standard deviation over the mean")
    diameters: tuple[Nanometres, ...] | None = Field(default=None, min_length=1, max_length=10_000)
    shares: tuple[float, ...] | None = Field(
        default=None, description="of the number of pores of equal length, for each of the diameters"
    )
    filling: float = Field(default=1.0, gt=0.0, le=1.0, description="part of the pores that solution fills")

    @model_validator(mode="after")
    def _one_distribution(self) -> Pores:
        given = [name for name in ("mean", "cv", "diameters", "shares") if getattr(self, name) is not None]
        if given not in (["mean", "cv"], ["diameters", "shares"]):
            raise ValueError(f"{', '.join(given) or 'no diameters'}: mean with cv, or diameters with shares")
        if self.diameters is not None and self.shares is not None:
            if len(self.diameters) != len(self.shares):
                raise ValueError(f"{len(self.diameters)} diameters and {len(self.shares)} shares")
            if min(self.shares) < 0 or not 0 < sum(self.shares) < float("inf"):
                raise ValueError("shares of 0 or more, not all 0")
        return self


class Solution(Block):
    """[solution]: precursors in a solvent, which the pores take up."""

    contents: tuple[Portion, ...] = Field(min_length=1, max_length=200)


class Drying(Block):
    """[drying]: the solvent leaves at a constant rate."""

    over: PositiveSeconds = Field(description="until all of it has left, e.g. '2 h'")


class TemplateConstants(Block):
    """[kinetics] of a template: constants of this recipe in place of the priors."""

    template_shell_nm: float | None = Field(default=None, ge=0, le=10)
    crystal_spacing_nm: float | None = Field(default=None, gt=0, le=1e6)
    solution_solubility_mol_l: float | None = Field(default=None, gt=0, le=10)
    least_radius_nm: float | None = Field(default=None, gt=0, lt=5)


class TemplateRecipe(ProductRecipe):
    """Mesoporous template: a solution dries in the pores, whose width the crystals cannot exceed."""

    route: Literal["template"]
    pores: Pores
    solution: Solution
    drying: Drying
    observe: Observe
    spectra: PowderSpectra = Field(default_factory=PowderSpectra)
    kinetics: TemplateConstants = Field(default_factory=TemplateConstants)


class Carrier(Block):
    """[carrier]: grains of a salt that does not dissolve, in the vessel from the start."""

    salt: str = Field(min_length=1, max_length=120, description="what it is, for the record")
    mass: Grams = Field(gt=0, description="e.g. '200 mg'")
    area: Annotated[float, measured("m^2/g", above=True)] = Field(description="of surface, e.g. '2 m^2/g'")
    contact_angle_deg: float | None = Field(
        default=None,
        ge=45,
        le=180,
        description="in place of the prior; 180: no effect on the barrier. Below 45 nuclei, which enter as "
        "whole cubes, would take most of the monomer",
    )
    carrier_sites_per_nm2: float | None = Field(
        default=None, gt=0, le=10, description="in place of the prior"
    )


class SaltRecipe(ProductRecipe):
    """Growth on salt carriers: as in a flask, but crystals begin on the surface of the grains."""

    route: Literal["salt"]
    vessel: Vessel
    carrier: Carrier
    events: tuple[Event, ...] = Field(default=(), max_length=1000)
    observe: Observe
    spectra: Spectra = Field(default_factory=Spectra)
    kinetics: Kinetics = Field(default_factory=Kinetics)

    def flask(self) -> HotInjectionRecipe:
        """The same vessel and events without the carrier."""
        same = {
            name: getattr(self, name)
            for name in ("name", "product", "vessel", "events", "observe", "spectra", "kinetics")
        }
        return HotInjectionRecipe(route="hot-injection", **same)


SolidRecipe = MillingRecipe | TemplateRecipe | SaltRecipe
SOLID_ROUTES: dict[str, type[BaseModel]] = {
    "milling": MillingRecipe,
    "template": TemplateRecipe,
    "salt": SaltRecipe,
}
