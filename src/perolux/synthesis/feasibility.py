"""What of a recipe cannot be carried out: all of it at once, before anything is computed."""

from __future__ import annotations

from perolux.errors import NotAvailableError, OptionError, PeroluxError, Problem
from perolux.materials.chemicals import chemical
from perolux.synthesis.ledger import Amounts, amounts_of
from perolux.synthesis.recipe import Portion, Recipe
from perolux.synthesis.schedule import stoichiometry

__all__ = ["boiling", "lead_problem", "missing_ions", "problems_of", "require_feasible", "unknown_chemicals"]

Groups = list[tuple[str, tuple[Portion, ...]]]
"""Where in the recipe portions stand, and they."""
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
    groups: Groups = [("vessel.contents", recipe.vessel.contents)]
    groups += [(f"events.{n + 1}.contents", e.contents) for n, e in enumerate(recipe.events) if e.contents]
    return unknown_chemicals(groups) or [
        *_liquids(recipe), *missing_ions(recipe.product, groups), *_events(recipe)
    ]  # fmt: skip


def unknown_chemicals(groups: Groups) -> list[Problem]:
    """Portions of chemicals that no record names, or that lack what their amount needs."""
    problems: list[Problem] = []
    for where, portions in groups:
        for n, portion in enumerate(portions):
            try:
                amounts_of([portion])
            except (OptionError, NotAvailableError) as error:
                problems += [Problem(p.what, f"{where}.{n + 1}", p.allowed, p.fix) for p in error.problems]
    return problems


def _liquids(recipe: Recipe) -> list[Problem]:
    start = amounts_of(recipe.vessel.contents)
    if start.volume_ml <= 0:
        return [Problem("there is no liquid in the vessel", "vessel.contents", "a solvent with its volume")]
    hottest = max([recipe.vessel.temperature, *(e.to for e in recipe.events if e.to is not None)])
    return [*boiling(start, hottest, "the vessel", "vessel"), *lead_problem(start, "vessel.contents")]


def boiling(amounts: Amounts, hottest_k: float, what: str, where: str) -> list[Problem]:
    """Liquids that boil, under 1 atm, below a temperature."""
    found = []
    for name in amounts.ml:
        known = chemical(name)
        if known.has("boiling_c") and hottest_k > known.property("boiling_c").number + _ZERO_C:
            found.append(
                Problem(
                    f"{name} boils at {known.property('boiling_c').number:g} degC, "
                    f"{what} reaches {hottest_k - _ZERO_C:g} degC",
                    where,
                    fix="take a solvent that boils higher, or a lower temperature",
                )
            )
    return found


def lead_problem(amounts: Amounts, where: str) -> list[Problem]:
    """More lead in a liquid than any solution holds."""
    lead = amounts.components().get("Pb", 0.0) * 1e3 / amounts.volume_ml
    if lead <= _MOST_LEAD_MOL_L:
        return []
    return [Problem(f"{lead:.3g} mol/L of lead", where, f"below {_MOST_LEAD_MOL_L:g} mol/L")]


def missing_ions(product: str, groups: Groups) -> list[Problem]:
    """Ions of the product that nothing in the recipe brings."""
    there: dict[str, float] = {}
    for _, portions in groups:
        for ion, amount in amounts_of(portions).components().items():
            there[ion] = there.get(ion, 0.0) + amount
    try:
        need = stoichiometry(product)
    except PeroluxError as error:
        return list(error.problems)
    return [
        Problem(
            f"nothing in the recipe brings {ion} for {product}",
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
