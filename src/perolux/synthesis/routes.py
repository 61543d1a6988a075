"""One call for every recipe whose crystals are not free in a stirred solution."""

from __future__ import annotations

from perolux.synthesis.milling import Milled, mill
from perolux.synthesis.recipe_solid import MillingRecipe, SolidRecipe
from perolux.synthesis.template import Templated, grow_in_pores

__all__ = ["SolidResult", "carry_out"]

SolidResult = Milled | Templated
"""They share a face: COLUMNS, rows, balances, ensemble, light, rests_on, given, warnings."""


def carry_out(recipe: SolidRecipe) -> SolidResult:
    """Carry out a recipe of `recipe_solid.py`. Raises `OptionError` with all that cannot be carried out."""
    return mill(recipe) if isinstance(recipe, MillingRecipe) else grow_in_pores(recipe)
