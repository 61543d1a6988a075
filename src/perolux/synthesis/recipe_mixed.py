"""Recipes of mixed halides in droplets: a product with two halides whose fractions are a result.

    route = "droplet"
    product = "CsPb(Br,I)3"
    ...                          as every recipe in droplets
    [mixing]
    nuclei = "monohalide"
    [monohalides.I]
    solubility_mol_l = 2e-6

[kinetics] holds for both monohalide solids; [monohalides.HALIDE] gives what differs.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from perolux.errors import OptionError
from perolux.materials import Composition, parse_composition
from perolux.synthesis.recipe import Block
from perolux.synthesis.recipe_droplet import DropletRecipe

__all__ = ["MixedDropletRecipe", "Mixing", "MonohalideConstants", "names_open_halides"]


class Mixing(Block):
    """[mixing]: what nuclei are, and how fast halides exchange."""

    nuclei: Literal["monohalide", "mixed"] = Field(
        default="monohalide",
        description="monohalide: nuclei hold one halide each, an assumption; mixed: the halides dissolved",
    )
    exchange_rate_per_s: float | None = Field(
        default=None,
        ge=0,
        le=1e6,
        description="of the mean field, at all temperatures; the prior of the room surface, its activation "
        "energy and the ligands if left out (then 270 to 370 K)",
    )
    monohalide_order: float | None = Field(default=None, ge=1, le=3)


class MonohalideConstants(Block):
    """[monohalides.HALIDE]: constants of one solid in place of [kinetics] and the priors."""

    surface_energy_j_m2: float | None = Field(default=None, gt=0, lt=1)
    log10_nucleation_prefactor: float | None = Field(default=None, gt=0, lt=60)
    solubility_mol_l: float | None = Field(default=None, gt=0, lt=10)
    dissolution_enthalpy_kj_mol: float | None = Field(default=None, ge=-200, le=200)
    surface_rate_m_s: float | None = Field(default=None, gt=0, lt=1e3)
    surface_activation_kj_mol: float | None = Field(default=None, ge=0, le=300)
    antisolvent_exponent: float | None = Field(default=None, ge=0, le=200)


class MixedDropletRecipe(DropletRecipe):
    """Droplets in which two monohalide solids share lead and cation, and exchange their halide."""

    mixing: Mixing = Field(default_factory=Mixing)
    monohalides: dict[Literal["Cl", "Br", "I"], MonohalideConstants] = Field(default_factory=dict)

    @field_validator("product")
    @classmethod
    def _two_halides(cls, value: str) -> str:
        composition = parse_composition(value)
        if not composition.is_open:
            raise ValueError(f"{value}: two halides without fractions, as in CsPb(Br,I)3")
        if len(composition.cations) > 1:
            raise ValueError(f"{value}: one cation; mixed cations beside mixed halides are not modelled")
        return value

    @model_validator(mode="after")
    def _fits(self) -> MixedDropletRecipe:
        foreign = sorted(set(self.monohalides) - set(self.halides))
        if foreign:
            raise ValueError(f"monohalides.{foreign[0]}: {self.product} has no {foreign[0]}")
        light = {"signal_to_noise", "absorbance_noise"} & self.spectra.model_fields_set
        if light:
            raise ValueError(f"spectra.{sorted(light)[0]}: light of mixed halides is told without noise")
        few = {"droplets", "seed"} & self.observe.model_fields_set
        if few:
            raise ValueError(f"observe.{sorted(few)[0]}: single droplets are not followed with mixed halides")
        return self

    @property
    def composition(self) -> Composition:
        """The product, its fractions open."""
        return parse_composition(self.product)

    @property
    def halides(self) -> tuple[str, str]:
        """Both halides in the order of the formula; the fraction is that of the second."""
        first, second = (symbol for symbol, _ in self.composition.halides)
        return first, second

    @property
    def cation(self) -> str:
        """The cation."""
        return self.composition.cations[0][0]

    @property
    def solids(self) -> tuple[str, str]:
        """Formulas of both monohalide solids."""
        first, second = (f"{self.cation}Pb{halide}3" for halide in self.halides)
        return first, second


def names_open_halides(content: dict[str, Any]) -> bool:
    """True where a recipe names a product whose halides have no fractions."""
    product = content.get("product")
    try:
        return isinstance(product, str) and parse_composition(product).is_open
    except OptionError:
        return False
