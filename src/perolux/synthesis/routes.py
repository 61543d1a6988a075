"""One call for every recipe whose crystals are not free in a stirred solution."""

from __future__ import annotations

from perolux.errors import OptionError
from perolux.synthesis.carrier import OnCarrier, grow_on_carrier
from perolux.synthesis.cohorts import TOLERANCE
from perolux.synthesis.milling import Milled, mill
from perolux.synthesis.recipe_solid import MillingRecipe, SaltRecipe, SolidRecipe
from perolux.synthesis.template import Templated, grow_in_pores

__all__ = ["SolidResult", "carry_out"]

SolidResult = Milled | Templated | OnCarrier
"""They share a face: COLUMNS, rows, balances, ensemble, light, rests_on, given, warnings."""


def carry_out(recipe: SolidRecipe, tolerance: float | None = None) -> SolidResult:
    """Carry out a recipe of `recipe_solid.py`. Raises `OptionError` with all that cannot be carried out.

    tolerance: relative error of one step, for crystals on a carrier; the other routes take no steps.
    """
    if isinstance(recipe, SaltRecipe):
        return grow_on_carrier(recipe, tolerance=tolerance or TOLERANCE)
    if tolerance is not None:
        raise OptionError(
            "a tolerance belongs to steps in time", fix=f"leave it out for the route {recipe.route}"
        )
    return mill(recipe) if isinstance(recipe, MillingRecipe) else grow_in_pores(recipe)
