"""`perolux grow RECIPE.toml --uncertainty`: its options, its two tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from perolux.cli.console import print_table, terminal_progress
from perolux.errors import OptionError

if TYPE_CHECKING:
    from perolux.synthesis.recipe import AnyRecipe
    from perolux.synthesis.uncertainty import Uncertainty

__all__ = ["Draws", "drawn", "draws_of", "show_uncertainty"]

_DRAWS = 200
Draws = tuple[int, int]
"""How many draws, and their seed."""


def draws_of(given: Sequence[int] | None, seed: int | None, *, is_recipe: bool) -> Draws | None:
    """The draws that --uncertainty [N] and --seed ask for; None where none are asked for."""
    if given is None:
        if seed is not None:
            raise OptionError("nothing is drawn", where="--seed", fix="give --uncertainty as well")
        return None
    if not is_recipe:
        raise OptionError(
            "a kinetic case has no priors", where="--uncertainty", fix="give a recipe (TOML), or leave it out"
        )
    if len(given) > 1:
        raise OptionError(f"{len(given)} numbers of draws", where="--uncertainty", allowed="one, e.g. 200")
    return (given[0] if given else _DRAWS), seed or 0


def drawn(recipe: AnyRecipe, draws: Draws | None, tolerance: float) -> Uncertainty | None:
    """The outcomes of the draws, with progress on a terminal."""
    if draws is None:
        return None
    from perolux.synthesis.uncertainty import draw_outcomes

    count, seed = draws
    return draw_outcomes(recipe, count, seed=seed, tolerance=tolerance, progress=terminal_progress())


def show_uncertainty(spread: Uncertainty) -> None:
    """Print the intervals and what matters most."""
    found = spread.as_dict()
    failed, empty = found["failed"], found["no_crystals"]
    notes = [f"no crystals: {empty['draws']} of {found['draws'] - failed['draws']} draws"]
    notes += [f"{name}: {one['reason']}" for name, one in found["quantities"].items() if one["reason"]]
    notes += [f"failed: {one['draws']} draws, {one['error']}: {one['first']}" for one in failed["errors"]]
    print_table(
        f"{found['draws']} draws from the priors (seed {found['seed']})",
        ["", "median", "95 % from", "to", "draws"],
        [_row(name, one) for name, one in found["quantities"].items()],
        "\n".join(notes),
    )
    title = f"What matters for {found['matters_for']}"
    if not found["matters"]:
        print_table(title, ["prior"], [], found["matters_reason"])
        return
    print_table(
        title,
        ["prior", "rank correlation", "95 % from", "to"],
        [
            [one["prior"], *(f"{one[name]:.2f}" for name in ("rank_correlation", "low95", "high95"))]
            for one in found["matters"]
        ],
        "of twenty priors without effect one seems to have one",
    )


def _row(name: str, one: dict[str, Any]) -> list[str]:
    numbers = ["–" if one[key] is None else f"{one[key]:.4g}" for key in ("median", "low95", "high95")]
    return [name, *numbers, str(one["draws"])]
