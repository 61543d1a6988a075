"""One call for every recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from perolux.errors import OptionError
from perolux.synthesis.batch import Batch, grow_recipe
from perolux.synthesis.carrier import OnCarrier, grow_on_carrier
from perolux.synthesis.cohorts import TOLERANCE
from perolux.synthesis.flow import Flow, grow_flow
from perolux.synthesis.milling import Milled, mill
from perolux.synthesis.platelet_batch import PlateletBatch, grow_platelet_recipe
from perolux.synthesis.recipe import Recipe
from perolux.synthesis.recipe_droplet import FlowRecipe
from perolux.synthesis.recipe_solid import MillingRecipe, SaltRecipe
from perolux.synthesis.template import Templated, grow_in_pores

if TYPE_CHECKING:
    from perolux.synthesis.recipe import AnyRecipe

__all__ = ["Result", "carry_out"]

Result: TypeAlias = Batch | PlateletBatch | Flow | Milled | Templated | OnCarrier
"""They share a face: recipe, rows, balances, ensemble, spectra, rests_on, warnings."""


def carry_out(recipe: AnyRecipe, tolerance: float | None = None) -> Result:
    """Carry out a recipe of any route. Raises `OptionError` with all that cannot be carried out.

    tolerance: relative error of one step; milling and templates take no steps.
    """
    step = TOLERANCE if tolerance is None else tolerance
    if isinstance(recipe, Recipe):
        if recipe.platelets is not None:
            return grow_platelet_recipe(recipe, tolerance=tolerance)
        return grow_recipe(recipe, tolerance=step)
    if isinstance(recipe, FlowRecipe):
        return grow_flow(recipe, tolerance=step)
    if isinstance(recipe, SaltRecipe):
        return grow_on_carrier(recipe, tolerance=step)
    if tolerance is not None:
        raise OptionError(
            "a tolerance belongs to steps in time", fix=f"leave it out for the route {recipe.route}"
        )
    return mill(recipe) if isinstance(recipe, MillingRecipe) else grow_in_pores(recipe)
