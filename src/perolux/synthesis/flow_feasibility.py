"""What of a recipe in flow cannot be carried out: all of it at once, before anything is computed."""

from __future__ import annotations

import numpy as np

from perolux.errors import OptionError, Problem
from perolux.synthesis.feasibility import boiling, lead_problem, missing_ions, unknown_chemicals
from perolux.synthesis.ledger import amounts_of
from perolux.synthesis.recipe_droplet import DropletRecipe, FlowRecipe

__all__ = ["flow_problems", "require_flow_feasible"]


def require_flow_feasible(recipe: FlowRecipe) -> None:
    """Raise `OptionError` with all that cannot be carried out."""
    problems = flow_problems(recipe)
    if problems:
        raise OptionError(problems)


def flow_problems(recipe: FlowRecipe) -> list[Problem]:
    """Unknown chemicals, streams without liquid, boiling liquids, missing ions, detectors beyond the tube."""
    groups = [(f"streams.{n + 1}.contents", one.contents) for n, one in enumerate(recipe.streams)]
    return unknown_chemicals(groups) or [
        *_streams(recipe), *missing_ions(recipe.product, groups), *_places(recipe)
    ]  # fmt: skip


def _streams(recipe: FlowRecipe) -> list[Problem]:
    hottest = max(zone.temperature for zone in recipe.tube.zones)
    found = []
    for n, stream in enumerate(recipe.streams):
        where = f"streams.{n + 1}"
        stock = amounts_of(stream.contents)
        if stock.volume_ml <= 0:
            found.append(
                Problem("there is no liquid in the stream", f"{where}.contents", "a solvent with its volume")
            )
            continue
        warmest = max(hottest, stream.temperature or 0.0)
        found += [
            Problem(f"{one.what} (at 1 atm: pressure is not modelled)", one.where, one.allowed, one.fix)
            for one in boiling(stock, warmest, "the tube", where)
        ]
        found += lead_problem(stock, f"{where}.contents")
    return found


def _places(recipe: FlowRecipe) -> list[Problem]:
    length = recipe.tube.length_mm
    found = [
        Problem(
            f"a detector at {place:g} mm",
            f"observe.detectors.{n + 1}",
            f"up to {length:g} mm, where the tube ends",
        )
        for n, place in enumerate(recipe.observe.detectors)
        if place > length * (1.0 + 1e-12)
    ]
    if isinstance(recipe, DropletRecipe):
        # nL over mm^2: 1e-3 mm
        bore = 0.25 * np.pi * recipe.tube.inner_diameter**2
        long = 1e-3 * recipe.droplets.volume / bore
        if long > length:
            found.append(
                Problem(
                    f"a droplet of {recipe.droplets.volume:g} nL fills {long:.3g} mm of the tube",
                    "droplets.volume",
                    f"less than the tube, {length:g} mm",
                )
            )
    return found
