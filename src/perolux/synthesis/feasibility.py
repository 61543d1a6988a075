"""What of a recipe cannot be carried out: all of it at once, before anything is computed."""

from __future__ import annotations

from perolux.errors import NotAvailableError, OptionError, PeroluxError, Problem
from perolux.materials.chemicals import chemical
from perolux.synthesis.ledger import amounts_of
from perolux.synthesis.recipe import Portion, Recipe
from perolux.synthesis.schedule import stoichiometry

__all__ = ["problems_of", "require_feasible"]

_ZERO_C = 273.15
_MOST_LEAD_MOL_L = 5.0
"""No solution of a lead halide is more concentrated: a unit was mistaken."""


def require_feasible(recipe: Recipe) -> None:
    """Raise `OptionError` with all that cannot be carried out."""
    problems = problems_of(recipe)
    if problems:
        raise OptionError(problems)


def problems_of(recipe: Recipe) -> list[Problem]:
    """Unknown chemicals, boiling liquids, missing ions, aliquots that are not there, events after the end."""
    groups: list[tuple[str, tuple[Portion, ...]]] = [("vessel.contents", recipe.vessel.contents)]
    groups += [(f"events.{n + 1}.contents", e.contents) for n, e in enumerate(recipe.events) if e.contents]
    problems: list[Problem] = []
    for where, portions in groups:
        for n, portion in enumerate(portions):
            try:
                amounts_of([portion])
            except (OptionError, NotAvailableError) as error:
                problems += [Problem(p.what, f"{where}.{n + 1}", p.allowed, p.fix) for p in error.problems]
    if problems:
        return problems
    return [*_liquids(recipe), *_ions(recipe, groups), *_events(recipe)]


def _liquids(recipe: Recipe) -> list[Problem]:
    start = amounts_of(recipe.vessel.contents)
    if start.volume_ml <= 0:
        return [Problem("there is no liquid in the vessel", "vessel.contents", "a solvent with its volume")]
    found = []
    hottest = max([recipe.vessel.temperature, *(e.to for e in recipe.events if e.to is not None)])
    for name in start.ml:
        known = chemical(name)
        if known.has("boiling_c") and hottest > known.property("boiling_c").number + _ZERO_C:
            found.append(
                Problem(
                    f"{name} boils at {known.property('boiling_c').number:g} degC, "
                    f"the vessel reaches {hottest - _ZERO_C:g} degC",
                    "vessel",
                    fix="take a solvent that boils higher, or a lower temperature",
                )
            )
    lead = start.components().get("Pb", 0.0) * 1e3 / start.volume_ml
    if lead > _MOST_LEAD_MOL_L:
        found.append(
            Problem(f"{lead:.3g} mol/L of lead", "vessel.contents", f"below {_MOST_LEAD_MOL_L:g} mol/L")
        )
    return found


def _ions(recipe: Recipe, groups: list[tuple[str, tuple[Portion, ...]]]) -> list[Problem]:
    there: dict[str, float] = {}
    for _, portions in groups:
        for ion, amount in amounts_of(portions).components().items():
            there[ion] = there.get(ion, 0.0) + amount
    try:
        need = stoichiometry(recipe.product)
    except PeroluxError as error:
        return list(error.problems)
    return [
        Problem(
            f"nothing in the recipe brings {ion} for {recipe.product}",
            "recipe",
            fix="add a chemical that does",
        )
        for ion in need
        if there.get(ion, 0.0) <= 0
    ]


def _events(recipe: Recipe) -> list[Problem]:
    found = []
    volume = amounts_of(recipe.vessel.contents).volume_ml
    for n, event in sorted(enumerate(recipe.events), key=lambda one: one[1].at):
        where = f"events.{n + 1}"
        if event.at > recipe.observe.until:
            found.append(
                Problem(f"at {event.at:g} s, after the end", where, f"up to {recipe.observe.until:g} s")
            )
        volume += amounts_of(event.contents).volume_ml
        if event.volume is not None:
            if event.volume > volume:
                found.append(
                    Problem(
                        f"an aliquot of {event.volume:g} mL of {volume:.3g} mL",
                        where,
                        "at most what is there",
                    )
                )
            volume = max(volume - event.volume, 0.0)
    return found
