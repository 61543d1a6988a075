"""What `perolux grow` shows of a recipe whose crystals are not free in a stirred solution."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from perolux.cli.console import print_json, print_table
from perolux.cli.grow_uncertainty import Draws, drawn, show_uncertainty
from perolux.errors import PeroluxError

if TYPE_CHECKING:
    from perolux.synthesis.recipe_solid import SolidRecipe

__all__ = ["show_solid"]

_MOST_ROWS = 20


def show_solid(
    path: Path, recipe: SolidRecipe, tolerance: float | None, json: bool, draws: Draws | None = None
) -> None:
    """Carry the recipe out and print its table, or one JSON document."""
    from perolux.synthesis.cohorts import TOLERANCE
    from perolux.synthesis.routes import carry_out

    result = carry_out(recipe, tolerance)
    rows, balances = result.rows(), result.balances()
    rests_on = [value.key for value in result.rests_on()]
    spread = drawn(recipe, draws, TOLERANCE if tolerance is None else tolerance)
    light: dict[str, Any] | None = None
    reason = None
    try:
        found = result.light()
        light = found.as_dict()
        of_sets = ", ".join(
            f"{peak:.1f} nm, {found.fwhm_nm.sets[name]:.1f} nm wide ({name})"
            for name, peak in found.peak_nm.sets.items()
        )
        said = f"emission: {of_sets}"
    except PeroluxError as error:
        reason = error.problems[0].what
        said = f"no emission: {reason}"
    name = recipe.name or path.stem
    if json:
        print_json(
            {
                "recipe": name,
                "route": recipe.route,
                "product": recipe.product,
                "rows": rows,
                "final": rows[-1],
                "balances": balances,
                "light": light,
                "light_missing": reason,
                "kinetics_given": list(result.given),
                "rests_on": rests_on,
                "warnings": list(result.warnings),
            }
            | ({} if spread is None else {"uncertainty": spread.as_dict()})
        )
        return
    stride = -(-len(rows) // _MOST_ROWS)
    shown = [row for n, row in enumerate(rows) if (len(rows) - 1 - n) % stride == 0]
    amounts = ", ".join(
        f"{ion} {one['fed_umol']:.4g} umol ({one['in_crystals_umol']:.4g} in crystals)"
        for ion, one in balances.items()
    )
    print_table(
        f"{name} ({recipe.route}, {recipe.product})",
        [heading for _, heading, _, _ in result.COLUMNS],
        [
            [
                "–" if row[key] is None else format(factor * row[key], style)
                for key, _, style, factor in result.COLUMNS
            ]
            for row in shown
        ],
        "\n".join(
            (
                *result.warnings,
                said,
                f"fed: {amounts}",
                f"priors, not literature ({len(rests_on)}): {', '.join(rests_on)}",
                f"given by the recipe: {', '.join(result.given) or 'none'}",
            )
        ),
    )
    if spread is not None:
        show_uncertainty(spread)
