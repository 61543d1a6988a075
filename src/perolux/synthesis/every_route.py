"""One call for a recipe of any route: carry it out, also with drawn constants, and say what it comes to.

The numbers of an `Outcome` are those of `outcome.OUTCOMES` for every route; what a route does not define is
None with its reason. Some routes have numbers of their own beside them (`outcomes_for`).

    flask, salt       at the end of the recipe
    droplet, tube     at the last detector, over all paces; the course over time is that of the middle pace
    milling, template at the end of the recipe
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from perolux.errors import OptionError
from perolux.synthesis.batch import Batch, constants_of, grow_recipe
from perolux.synthesis.carrier import OnCarrier, grow_on_carrier
from perolux.synthesis.cohorts import TOLERANCE
from perolux.synthesis.feasibility import require_feasible
from perolux.synthesis.flow import Flow, grow_flow
from perolux.synthesis.flow_feasibility import require_flow_feasible
from perolux.synthesis.kinetics import KineticConstants, draw_constants
from perolux.synthesis.milling import Milled, mill
from perolux.synthesis.outcome import FEWEST_PER_M3, OUTCOMES, Outcome, of_the_course, outcome_of
from perolux.synthesis.recipe import Recipe, in_a_flask
from perolux.synthesis.recipe_droplet import DropletRecipe, FlowRecipe
from perolux.synthesis.recipe_mixed import MixedDropletRecipe
from perolux.synthesis.recipe_solid import MillingRecipe, SaltRecipe, TemplateRecipe
from perolux.synthesis.solid_priors import draw_solid_constants
from perolux.synthesis.template import Templated, grow_in_pores

if TYPE_CHECKING:
    from perolux.synthesis.recipe import AnyRecipe

__all__ = [
    "AnyResult",
    "carry_out_any",
    "constants_to_choose",
    "draw_for",
    "given_constants",
    "outcome_of_any",
    "outcomes_for",
    "require_one_solid",
    "require_possible",
    "size_of_route",
    "takes_steps",
]

AnyResult: TypeAlias = Batch | Flow | Milled | Templated | OnCarrier
_COURSE_ROWS = 60
_BISECTIONS = 40
_KINETIC = tuple(one.name for one in fields(KineticConstants) if one.name != "from_recipe")
_CARRIER = ("contact_angle_deg", "carrier_sites_per_nm2")

_OWN: dict[str, dict[str, tuple[str, str]]] = {
    "droplet": {
        "residence_time_s": ("s", "mean residence time at the last detector"),
        "nuclei_per_droplet": ("1", "nuclei that have formed in a droplet, by the mean population"),
        "no_nucleus": ("1", "chance that a droplet has no nucleus by the last detector"),
    },
    "tube": {
        "residence_time_s": ("s", "mean residence time at the last detector"),
        "residence_sd_s": ("s", "standard deviation of the residence time there"),
    },
    "milling": {
        "volume_mean_edge_nm": ("nm", "mean of the edge by volume at the end"),
        "ligand_used": ("1", "surface over that which the ligand can cover, at the end"),
        "still_breaking": ("1", "share of the volume in crystals that can still break, at the end"),
    },
    "template": {
        "mean_diameter_nm": ("nm", "number mean of the diameter of the spheres at the end"),
        "pore_limited": ("1", "share of the crystals that the wall of the pore ended"),
    },
    "salt": {"sites_taken": ("1", "share of the places on the carrier that hold a crystal, at the end")},
}
_VOLUME = {
    "droplet": "liquid that reacts, the carrier left out",
    "tube": "liquid",
    "milling": "crystals",
    "template": "pores",
}
_NO_SOLUTION = "no crystal grows from a solution here"
_NO_YIELD = "the salts are taken to have formed the product before the first row"
_NO_BARRIER = "there is no barrier to nucleation on this route"
_SPHERES = "the crystals are spheres: see mean_diameter_nm"
_FEW = "few nuclei in each droplet: the course of the mean population is that of no droplet"


def outcomes_for(route: str) -> dict[str, tuple[str, str]]:
    """Name of a number of an outcome of a route -> its unit and what it means."""
    common = dict(OUTCOMES)
    if route in _VOLUME:
        common["N_per_m3"] = ("1/m^3", f"crystals per volume of {_VOLUME[route]} at the end")
    return common | _OWN.get(route, {})


def size_of_route(route: str) -> str:
    """The number that is the size of the crystals: "mean_edge_nm", of spheres "mean_diameter_nm"."""
    return "mean_diameter_nm" if route == "template" else "mean_edge_nm"


def takes_steps(route: str) -> bool:
    """Whether a route takes steps in time, so that it has a tolerance."""
    return route not in ("milling", "template")


def given_constants(recipe: AnyRecipe) -> tuple[str, ...]:
    """Names of the constants that a recipe gives itself."""
    own = dict(recipe.kinetics.model_dump())
    if isinstance(recipe, SaltRecipe):
        own |= {name: getattr(recipe.carrier, name) for name in _CARRIER}
    return tuple(name for name, value in own.items() if value is not None)


def constants_to_choose(recipe: AnyRecipe) -> tuple[str, ...]:
    """Names of the constants of a route that a recipe leaves to the priors, used by it or not."""
    given = given_constants(recipe)
    own: tuple[str, ...] = _KINETIC
    if isinstance(recipe, MillingRecipe | TemplateRecipe):
        own = tuple(recipe.kinetics.model_dump())
    elif isinstance(recipe, SaltRecipe):
        own = (*_KINETIC, *_CARRIER)
    return tuple(name for name in own if name not in given)


def require_one_solid(recipe: AnyRecipe) -> None:
    """Raise `OptionError` for mixed halides and platelets, which only `perolux grow` carries out."""
    if isinstance(recipe, MixedDropletRecipe):
        raise OptionError(
            "mixed halides in droplets: `perolux grow` carries them out, nothing else does yet",
            where="product",
            fix="take one halide",
        )
    if isinstance(recipe, Recipe):
        in_a_flask(recipe)  # no platelets


def require_possible(recipe: AnyRecipe) -> None:
    """Raise `OptionError` with what can be seen beforehand that a recipe cannot be carried out."""
    require_one_solid(recipe)
    if isinstance(recipe, FlowRecipe):
        require_flow_feasible(recipe)
    elif isinstance(recipe, Recipe):
        require_feasible(recipe)
    elif isinstance(recipe, SaltRecipe):
        require_feasible(recipe.flask())


def carry_out_any(
    recipe: AnyRecipe, *, drawn: Mapping[str, float] | None = None, tolerance: float = TOLERANCE
) -> AnyResult:
    """Carry out a recipe of any route as far as its outcome asks: of a tube at its last detector only.

    drawn: constants in place of the middle of the priors (`draw_for`). tolerance: of one step, where a route
    takes steps. Raises what the route itself raises.
    """
    if isinstance(recipe, MillingRecipe):
        return mill(recipe, drawn=drawn)
    if isinstance(recipe, TemplateRecipe):
        return grow_in_pores(recipe, drawn=drawn)
    constants = None
    if drawn is not None:
        own = {name: value for name, value in drawn.items() if name in _KINETIC}
        constants = constants_of(recipe).with_values(own, of_recipe=False)
    if isinstance(recipe, SaltRecipe):
        return grow_on_carrier(recipe, tolerance=tolerance, kinetics=constants, drawn=drawn)
    if isinstance(recipe, FlowRecipe):
        require_flow_feasible(recipe)  # all detectors, not the last alone
        last = recipe.observe.model_copy(update={"detectors": recipe.observe.detectors[-1:]})
        alone = recipe.model_copy(update={"observe": last})
        return grow_flow(alone, constants=constants, tolerance=tolerance, course_rows=_COURSE_ROWS)
    return grow_recipe(recipe, constants=constants, tolerance=tolerance)


def draw_for(recipe: AnyRecipe, rng: np.random.Generator, count: int) -> tuple[dict[str, float], ...]:
    """`count` sets of all constants of a route, drawn from the priors where the recipe gives none."""
    free = constants_to_choose(recipe)
    if isinstance(recipe, MillingRecipe | TemplateRecipe):
        return tuple(draw_solid_constants(rng, free) for _ in range(count))
    kinetic = [asdict(one) for one in draw_constants(rng, count, constants_of(recipe))]
    return tuple(
        {name: one[name] for name in free if name in _KINETIC}
        | draw_solid_constants(rng, [name for name in free if name in _CARRIER])
        for one in kinetic
    )


def outcome_of_any(result: AnyResult) -> Outcome:
    """What a recipe of any route comes to; every number of `outcomes_for`, None with a reason."""
    if isinstance(result, Batch):
        return outcome_of(result)
    if isinstance(result, OnCarrier):
        found = outcome_of(result.batch)
        taken = result.batch.history.distributions[-1].number / result.sites_per_m3
        return replace(found, numbers=found.numbers | {"sites_taken": taken}, warnings=result.warnings)
    if isinstance(result, Flow):
        return _of_flow(result)
    return _of_milling(result) if isinstance(result, Milled) else _of_template(result)


def _of_flow(flow: Flow) -> Outcome:
    last, course = flow.detectors[-1], flow.course
    row = last.row()
    kept = course.time_s <= last.time_s * (1.0 + 1e-9)
    born = course.nuclei_per_m3[kept]
    numbers, reasons = of_the_course(
        course.time_s[kept], born, course.bound_mol_m3[kept], float(course.supplied_mol_m3[kept][-1])
    )
    nucleated = last.nuclei_per_m3 >= FEWEST_PER_M3
    there = nucleated and row["N_per_m3"] > 0
    none = "the crystals have dissolved by the last detector" if nucleated else "nothing nucleates"
    sizes = {"mean_edge_nm": row["mean_edge_nm"], "cv": row["cv"]}
    number, share, peak = row["N_per_m3"], row["yield"], course.largest_supersaturation
    if flow.sample is not None:  # what single droplets show, in place of a mean that none of them has
        single = flow.sample.summary(-1)
        sizes = {name: single[name] for name in sizes}
        there = single["mean_edge_nm"] is not None
        none = f"none of {single['droplets']} droplets has a crystal"
        crystals, bound = single["crystals_mean"], single["bound_share_mean"]
        assert crystals is not None and bound is not None
        number, share, peak = crystals / flow.sample.volume_m3, bound, None
        numbers = dict.fromkeys(numbers)
        reasons = dict.fromkeys((*numbers, "largest_supersaturation"), _FEW)
    if not there:
        sizes, number = dict.fromkeys(sizes), 0.0
        reasons |= dict.fromkeys(sizes, none)
    own: dict[str, float | None] = {"residence_time_s": last.time_s}
    if isinstance(flow.recipe, DropletRecipe):
        own |= {"nuclei_per_droplet": last.nuclei_per_droplet, "no_nucleus": last.no_nucleus}
    else:
        own["residence_sd_s"] = last.time_sd_s
    found = {**sizes, "N_per_m3": number, "yield": share, "largest_supersaturation": peak, **numbers}
    return Outcome({name: found[name] for name in OUTCOMES} | own, reasons, flow.warnings)


def _of_milling(milled: Milled) -> Outcome:
    row = milled.rows()[-1]
    reasons = dict.fromkeys(("largest_supersaturation", "nucleation_share"), _NO_SOLUTION)
    reasons |= dict.fromkeys(("yield", "time_to_90_percent_s"), _NO_YIELD)
    return Outcome({name: row.get(name) for name in outcomes_for("milling")}, reasons, milled.warnings)


def _of_template(pores: Templated) -> Outcome:
    row = pores.rows()[-1]
    end = float(pores.time_s[-1])
    reasons = {"mean_edge_nm": _SPHERES}
    reasons |= dict.fromkeys(("largest_supersaturation", "nucleation_share"), _NO_BARRIER)
    numbers: dict[str, float | None] = {name: row.get(name) for name in outcomes_for("template")}
    share = numbers["yield"] = pores.yield_at(end)
    if row["mean_diameter_nm"] is None:
        reasons |= dict.fromkeys(("mean_diameter_nm", "cv", "pore_limited"), "no crystal has formed")
    if share < 0.9:
        reasons["time_to_90_percent_s"] = "the yield stays below 90%"
    else:
        low, high = 0.0, end
        for _ in range(_BISECTIONS):
            middle = 0.5 * (low + high)
            low, high = (low, middle) if pores.yield_at(middle) >= 0.9 else (middle, high)
        numbers["time_to_90_percent_s"] = high
    return Outcome(numbers, reasons, pores.warnings)
