"""What a recipe comes to when nobody knows its kinetic constants: outcomes over draws from the priors.

Every constant that the recipe does not give is drawn (`kinetics.draw_constants`), all of them independently;
each draw is grown. The spread of the outcomes is that of the priors alone: the laws themselves, the amounts
and the temperatures are taken as exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError, PeroluxError
from perolux.progress import Progress, silent
from perolux.synthesis.cohorts import TOLERANCE
from perolux.synthesis.every_route import (
    carry_out_any,
    draw_for,
    outcome_of_any,
    outcomes_for,
    require_possible,
    size_of_route,
)
from perolux.synthesis.many import in_order
from perolux.synthesis.outcome import OUTCOMES, Outcome

if TYPE_CHECKING:
    from perolux.synthesis.recipe import AnyRecipe

__all__ = [
    "FEWEST_DRAWS",
    "MOST_DRAWS",
    "RankCorrelation",
    "Uncertainty",
    "draw_outcomes",
    "rank_correlation",
]

FloatArray = npt.NDArray[np.float64]

FEWEST_DRAWS, MOST_DRAWS = 40, 10_000
"""Fewer than 40 draws have no 2.5 % tail."""
QUANTITIES = ("mean_edge_nm", "cv", "N_per_m3", "yield", "time_to_90_percent_s")
_FEWEST_RANKED = 10
_95 = 1.959963984540054


@dataclass(frozen=True)
class RankCorrelation:
    """Spearman's rank correlation and its 95 % interval over `draws` pairs."""

    value: float
    low95: float
    high95: float
    draws: int


def rank_correlation(x: npt.ArrayLike, y: npt.ArrayLike) -> RankCorrelation | None:
    """Spearman's rank correlation rho of pairs, shapes (n,), with its 95 % interval.

        tanh(artanh rho -+ 1.96 sqrt((1 + rho^2/2)/(n - 3)))

    Ties share their ranks. None for fewer than 10 pairs or where x or y does not vary. The interval is that
    of Bonett and Wright, Psychometrika 65, 23 (2000) (recalled), meant for abs(rho) below 0.95.
    """
    from scipy.stats import rankdata

    a, b = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if a.shape != b.shape or a.ndim != 1:
        raise OptionError(f"pairs of shapes {a.shape} and {b.shape}", allowed="two of one length")
    n = len(a)
    if n < _FEWEST_RANKED or np.ptp(a) == 0 or np.ptp(b) == 0:
        return None
    rho = float(np.clip(np.corrcoef(rankdata(a), rankdata(b))[0, 1], -1.0, 1.0))
    middle = np.arctanh(np.clip(rho, -1.0 + 1e-12, 1.0 - 1e-12))
    half = _95 * np.sqrt((1.0 + 0.5 * rho**2) / (n - 3))
    return RankCorrelation(rho, float(np.tanh(middle - half)), float(np.tanh(middle + half)), n)


@dataclass(frozen=True)
class Uncertainty:
    """Draws of the constants and what each came to; a failed draw has its error in place of an outcome.

    draws: by name, the constants that the recipe does not give. rests_on: keys of the priors that were drawn
    and that at least one draw used.
    """

    recipe: AnyRecipe
    seed: int
    draws: tuple[dict[str, float], ...]
    outcomes: tuple[Outcome | PeroluxError, ...]
    rests_on: tuple[str, ...]

    @property
    def grown(self) -> list[tuple[dict[str, float], Outcome]]:
        """The draws that were carried to the end, with their outcomes."""
        return [
            (draw, found)
            for draw, found in zip(self.draws, self.outcomes, strict=True)
            if isinstance(found, Outcome)
        ]

    @property
    def quantities(self) -> tuple[str, ...]:
        """Names of the numbers that have intervals: the common ones and those of the route."""
        own = [name for name in outcomes_for(self.recipe.route) if name not in OUTCOMES]
        return (*QUANTITIES, *own)

    @property
    def failures(self) -> dict[str, tuple[int, str]]:
        """Kind of error -> how many draws failed with it, and what the first of them said."""
        found: dict[str, tuple[int, str]] = {}
        for error in self.outcomes:
            if isinstance(error, PeroluxError):
                count, first = found.get(type(error).__name__, (0, str(error.problems[0].what)))
                found[type(error).__name__] = (count + 1, first)
        return found

    def values(self, quantity: str) -> FloatArray:
        """A quantity over the draws that have it."""
        found = [outcome.numbers[quantity] for _, outcome in self.grown]
        return np.array([value for value in found if value is not None])

    def rank_correlations(self, quantity: str | None = None) -> dict[str, RankCorrelation]:
        """Prior -> its rank correlation with a quantity over the draws that have it, the largest first.

        quantity: the mean size where none is named.
        Each interval is at 95 %: of twenty priors without any effect one seems to have one.
        """
        name = quantity or size_of_route(self.recipe.route)
        pairs = [(draw, found.numbers[name]) for draw, found in self.grown]
        kept = [(draw, value) for draw, value in pairs if value is not None]
        found = {}
        for key in self.rests_on:
            one = rank_correlation(
                [draw[key.removeprefix("prior.")] for draw, _ in kept], [value for _, value in kept]
            )
            if one is not None:
                found[key] = one
        return dict(sorted(found.items(), key=lambda item: -abs(item[1].value)))

    def _interval(self, name: str) -> dict[str, Any]:
        """Median and ends of the middle 95 % of the draws that have a quantity; how many do not, and why."""
        values, grown = self.values(name), self.grown
        found: dict[str, Any] = {"median": None, "low95": None, "high95": None, "draws": len(values)}
        if len(values):
            low, middle, high = np.quantile(values, [0.025, 0.5, 0.975]).tolist()
            found |= {"median": middle, "low95": low, "high95": high}
        why = [one.reasons[name] for _, one in grown if one.numbers[name] is None]
        found["reason"] = f"{len(why)} of {len(grown)} draws do not have it: {why[0]}" if why else None
        return found

    def as_dict(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        grown, asked = self.grown, len(self.draws)
        empty = sum(not found.has_crystals for _, found in grown)
        ranks = self.rank_correlations()
        return {
            "draws": asked,
            "seed": self.seed,
            "failed": {
                "draws": asked - len(grown),
                "errors": [
                    {"error": kind, "draws": count, "first": first}
                    for kind, (count, first) in self.failures.items()
                ],
            },
            "no_crystals": {"draws": empty, "share": empty / len(grown) if grown else None},
            "quantities": {name: self._interval(name) for name in self.quantities},
            "matters_for": size_of_route(self.recipe.route),
            "matters": [
                {
                    "prior": key,
                    "rank_correlation": one.value,
                    "low95": one.low95,
                    "high95": one.high95,
                    "draws": one.draws,
                }
                for key, one in ranks.items()
            ],
            "matters_reason": None if ranks else self._no_ranks(),
            "drawn": list(self.rests_on),
        }

    def _no_ranks(self) -> str:
        if not self.rests_on:
            return "the recipe gives all constants that it uses: nothing is drawn"
        return f"fewer than {_FEWEST_RANKED} draws have crystals, or their sizes do not differ"


def draw_outcomes(
    recipe: AnyRecipe,
    count: int = 200,
    *,
    seed: int = 0,
    jobs: int = 2,
    tolerance: float = TOLERANCE,
    progress: Progress = silent,
) -> Uncertainty:
    """Grow a recipe with `count` sets of constants drawn from the priors; what it gives itself stays.

    Deterministic in the seed, whatever `jobs` (threads). A draw that cannot be solved is kept with its error.
    Of a recipe of any route (`every_route.py`). Raises `OptionError` for a recipe that cannot be carried out,
    whatever is drawn, and for a count outside 40 to 10000.
    """
    if not FEWEST_DRAWS <= count <= MOST_DRAWS:
        raise OptionError(
            f"{count} draws",
            where="--uncertainty",
            allowed=f"{FEWEST_DRAWS} to {MOST_DRAWS}",
            fix="200 tell the ends of a 95 % interval to about 5 % of its width",
        )
    if seed < 0:
        raise OptionError(f"{seed} is no seed", where="--seed", allowed="0 or a whole number above it")
    require_possible(recipe)
    draws = draw_for(recipe, np.random.default_rng(seed), count)

    def outcome(drawn: dict[str, float]) -> tuple[Outcome | PeroluxError, tuple[str, ...]]:
        try:
            result = carry_out_any(recipe, drawn=drawn, tolerance=tolerance)
        except PeroluxError as error:
            return error, ()
        # constants of the equilibria are not drawn
        keys = [value.key for value in result.rests_on()]
        return outcome_of_any(result), tuple(key for key in keys if not key.startswith("equilibrium."))

    outcomes: list[Outcome | PeroluxError] = []
    used: dict[str, None] = {}
    progress.start("draws", count)
    try:
        for found, keys in in_order(outcome, draws, jobs):
            outcomes.append(found)
            used |= dict.fromkeys(keys)
            progress.advance()
    finally:
        progress.finish()
    first = outcomes[0]
    if isinstance(first, OptionError) and all(isinstance(one, OptionError) for one in outcomes):
        raise first
    return Uncertainty(recipe, seed, draws, tuple(outcomes), tuple(used))
