"""Which cuts bring a population to a wanted spread, and what they cost.

One pass is two steps: what is larger than the high cut falls out and is set aside, then from the supernatant
what is larger than the low cut falls out and is kept. Passes repeat the same two cuts. For each number of
passes the two cuts are those of largest yield by number among all that reach the spread.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.ensemble import Ensemble
from perolux.errors import ModelRangeError, OptionError
from perolux.surface.fractionation import Fractionation, Precipitation, fractionate, precipitated_share
from perolux.surface.priors import prior

__all__ = ["CutDesign", "PassOption", "design_cuts"]

FloatArray = npt.NDArray[np.float64]

_CENTRES, _HALVES, _ZOOMS = 33, 49, 6
"""Grid of the search, and how often it closes in on the best point (by 4 each time)."""
_WIDEST = 1.5
"""Half the distance of the cuts in ln L at most: beyond, one of them does nothing."""
_ROWS = 2000
"""Sizes that the search takes; more are gathered in as many bins."""
_SLACK = 1e-5
"""The search aims below the cv by this, more than what gathering sizes does to it."""
_WORTH = 0.5
"""The fewest passes are chosen that reach this part of the best yield."""


@dataclass(frozen=True)
class PassOption:
    """The best cuts for a number of passes: yields (parts of the fed), cv and mean edge of what is kept."""

    passes: int
    low_cut_nm: float
    high_cut_nm: float
    yield_number: float
    yield_volume: float
    cv: float
    mean_nm: float


@dataclass(frozen=True, eq=False)
class CutDesign:
    """Steps that reach a spread: the option chosen, all options by number of passes, and the run itself.

    run: None where nothing has to be done (the spread is there already; passes 0, yield 1).
    """

    wanted_cv: float
    steepness: float
    chosen: PassOption
    options: tuple[PassOption, ...]
    run: Fractionation | None


def design_cuts(
    ensemble: Ensemble,
    cv: float = 0.05,
    *,
    steepness: float | None = None,
    passes: int | None = None,
    most_passes: int = 12,
) -> CutDesign:
    """Cuts that bring an ensemble to a relative spread of the edge, with the largest yield by number.

    cv: wanted standard deviation over mean (edge of equal volume, by number). steepness: the record's where
    None. passes: how many; where None the fewest that reach half of the best yield of 1 to `most_passes`.
    The yield found is the largest to about 1e-3 of itself; fractions set aside are not worked up again.
    Raises `OptionError` for a cv or number that is none, `ModelRangeError` where no cuts reach it.

    >>> from perolux.ensemble import Lognormal, Population, quadrature
    >>> crude = quadrature(Lognormal(10.0, 0.10), Population("cube", "core-edge", "CsPbBr3"), n=100)
    >>> sharp = design_cuts(crude, 0.05, steepness=30.0)
    >>> sharp.chosen.passes, round(sharp.chosen.yield_number, 2), sharp.run.kept.cv <= 0.05
    (1, 0.56, True)
    """
    if not (isinstance(cv, int | float) and math.isfinite(cv) and 0.0 < cv < 1.0):
        raise OptionError(f"a wanted cv of {cv!r}", where="design_cuts", allowed="between 0 and 1, e.g. 0.05")
    for name, number in (("passes", passes), ("most_passes", most_passes)):
        if number is not None and not (isinstance(number, int) and 1 <= number <= 100):
            raise OptionError(f"{name} = {number!r}", where="design_cuts", allowed="a whole number, 1 to 100")
    s = prior("precipitation_steepness").number if steepness is None else steepness
    fractionate(ensemble, [Precipitation(1.0, steepness=s)])  # the same checks, and their words
    spread = ensemble.relative_spread()
    if spread <= cv:
        lowest, highest = (
            float(ensemble.equal_volume_edge_nm.min()),
            float(ensemble.equal_volume_edge_nm.max()),
        )
        nothing = PassOption(0, lowest, highest, 1.0, 1.0, spread, ensemble.mean())
        return CutDesign(cv, s, nothing, (nothing,), None)
    edges, weights = _gathered(ensemble)
    wanted = range(1, most_passes + 1) if passes is None else (passes,)
    aim = cv * (1.0 - _SLACK)
    found = [cuts for n in wanted if (cuts := _best_cuts(edges, weights, aim, s, n)) is not None]
    options = tuple(_option(ensemble, s, *one) for one in found)
    options = tuple(one for one in options if one.yield_number > 0)
    if not options:
        raise ModelRangeError(
            f"no two cuts bring a cv of {spread:.3g} to {cv:g} in {max(wanted)} passes at steepness {s:g}",
            where="design_cuts",
            fix="allow more passes (most_passes), a larger cv, or a sharper separation",
        )
    best = max(one.yield_number for one in options)
    chosen = next(one for one in options if one.yield_number >= _WORTH * best)
    steps = _steps(chosen.low_cut_nm, chosen.high_cut_nm, s, chosen.passes)
    return CutDesign(cv, s, chosen, options, fractionate(ensemble, steps))


def _steps(low: float, high: float, steepness: float, passes: int) -> list[Precipitation]:
    pair = [Precipitation(high, "supernatant", steepness), Precipitation(low, "pellet", steepness)]
    return pair * passes


def _option(ensemble: Ensemble, steepness: float, passes: int, low: float, high: float) -> PassOption:
    kept = fractionate(ensemble, _steps(low, high, steepness, passes)).kept
    return PassOption(
        passes, low, high, kept.yield_number, kept.yield_volume, kept.cv or 0.0, kept.mean_nm or 0.0
    )


def _best_cuts(
    edges: FloatArray, weights: FloatArray, cv: float, steepness: float, passes: int
) -> tuple[int, float, float] | None:
    """(passes, low cut, high cut) of largest yield that reach the cv; a grid that closes in on it."""
    reach = np.log(edges[weights > 0])
    middle, half = (float(reach.min() + reach.max()) / 2, _WIDEST / 2)
    wide_middle, wide_half = float(reach.max() - reach.min()) / 2, _WIDEST / 2
    best: tuple[float, float, float] | None = None
    for _ in range(_ZOOMS):
        centres = middle + wide_middle * np.linspace(-1.0, 1.0, _CENTRES)
        halves = np.unique(np.clip(half + wide_half * np.linspace(-1.0, 1.0, _HALVES), 0.0, _WIDEST))
        for centre in centres:
            number, spread = _yields(edges, weights, centre, halves, steepness, passes)
            number = np.where(spread <= cv, number, 0.0)
            k = int(np.argmax(number))
            if number[k] > 0 and (best is None or number[k] > best[0]):
                best = (float(number[k]), float(centre), float(halves[k]))
        if best is None:
            return None
        _, middle, half = best
        wide_middle, wide_half = wide_middle / 4, wide_half / 4
    assert best is not None
    return passes, math.exp(best[1] - best[2]), math.exp(best[1] + best[2])


def _yields(
    edges: FloatArray, weights: FloatArray, centre: float, halves: FloatArray, steepness: float, passes: int
) -> tuple[FloatArray, FloatArray]:
    """Yield by number and cv of windows of several half widths about one centre; (halves,) each."""
    low = precipitated_share(edges[None, :] * np.exp(halves)[:, None], math.exp(centre), steepness)
    high = precipitated_share(edges[None, :] * np.exp(-halves)[:, None], math.exp(centre), steepness)
    kept = weights * (low * (1.0 - high)) ** passes
    number = kept.sum(axis=1)
    safe = np.where(number > 0, number, 1.0)
    mean = kept @ edges / safe
    variance = np.sum(kept * (edges[None, :] - mean[:, None]) ** 2, axis=1) / safe
    return number, np.where(number > 0, np.sqrt(variance) / np.where(mean > 0, mean, 1.0), np.inf)


def _gathered(ensemble: Ensemble) -> tuple[FloatArray, FloatArray]:
    """Edges of equal volume and number weights, gathered in bins of neighbours where there are many."""
    edges, weights = ensemble.equal_volume_edge_nm, ensemble.weights
    held = weights > 0
    edges, weights = edges[held], weights[held]
    if len(edges) <= _ROWS:
        return edges, weights
    order = np.argsort(edges)
    starts = np.linspace(0, len(edges), _ROWS, endpoint=False).astype(int)
    number = np.add.reduceat(weights[order], starts)
    return np.add.reduceat((weights * edges)[order], starts) / number, number
