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

from typing import Literal

from pydantic import BaseModel, Field, model_validator

from perolux.synthesis.recipe import Block, Observe, Portion, ProductRecipe

__all__ = ["SOLID_ROUTES", "Jar", "MillingConstants", "MillingRecipe", "SolidRecipe"]


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


SolidRecipe = MillingRecipe
SOLID_ROUTES: dict[str, type[BaseModel]] = {"milling": MillingRecipe}
