"""Size-selective precipitation: large nanocrystals fall out first, step by step.

    p(L) = 1/(1 + exp(-s ((L/L_cut)^2 - 1)))

p is the probability that a crystal of edge L precipitates (L: edge of the cube of equal volume). It is a
logistic in the attraction between two crystals, U(L) = U_cut (L/L_cut)^2 (van der Waals between square faces
close to one another), with s = U_cut over the width of the logistic, the steepness: an assumed record with a
wide range. L_cut falls as more antisolvent is added; how much it takes needs a model of the colloid (ligand
brush, solvent), which is not in it, so steps are given by their cut.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from perolux.ensemble import Ensemble
from perolux.errors import OptionError, Problem
from perolux.quantities import Value
from perolux.surface.priors import prior

__all__ = ["Fraction", "Fractionation", "Part", "Precipitation", "fractionate", "precipitated_share"]

FloatArray = npt.NDArray[np.float64]
Part = Literal["pellet", "supernatant"]

_COARSE = 0.5
"""Neighbouring sizes whose shares differ by more than this do not resolve the cut."""
_COUNTS = 1e-6
"""Rows with less of the number than this do not matter for it."""


@dataclass(frozen=True)
class Precipitation:
    """One step: crystals above about `cut_nm` fall out, and the work goes on with one of the two parts.

    cut_nm: edge of the cube of equal volume at which half precipitates. steepness: the record's where None.
    keep: "supernatant" removes the large, "pellet" (redispersed) the small; the other part is set aside.
    """

    cut_nm: float
    keep: Part = "supernatant"
    steepness: float | None = None


@dataclass(frozen=True, eq=False)
class Fraction:
    """One part of what was fed.

    shares: of each row of the fed ensemble (rows,). yield_number, yield_volume: of all that was fed.
    ensemble: the crystals, rows as fed, its number per litre that in the volume fed; None, as mean_nm and cv,
    where it holds none. mean_nm, cv: of the edge of equal volume, by number.
    """

    name: str
    shares: FloatArray
    yield_number: float
    yield_volume: float
    ensemble: Ensemble | None
    mean_nm: float | None
    cv: float | None


@dataclass(frozen=True, eq=False)
class Fractionation:
    """All fractions of a run of steps: those set aside in order, and last the one that is kept."""

    fed: Ensemble
    steps: tuple[Precipitation, ...]
    fractions: tuple[Fraction, ...]
    rests_on: tuple[Value, ...]
    warnings: tuple[str, ...]

    @property
    def kept(self) -> Fraction:
        """What is left after the last step."""
        return self.fractions[-1]

    def balance(self) -> dict[str, float]:
        """Largest relative error of number and of volume over the rows, all fractions counted one by one."""
        number = np.zeros(len(self.fed))
        volume = np.zeros(len(self.fed))
        for one in self.fractions:
            if one.ensemble is not None:
                number += one.yield_number * one.ensemble.weights
                volume += one.yield_number * one.ensemble.weights * one.ensemble.volume_nm3
        held = self.fed.weights > 0
        fed = self.fed.weights[held]
        return {
            "number": float(np.max(np.abs(number[held] / fed - 1.0))),
            "volume": float(np.max(np.abs(volume[held] / (fed * self.fed.volume_nm3[held]) - 1.0))),
        }


def precipitated_share(edge_nm: npt.ArrayLike, cut_nm: float, steepness: float | None = None) -> FloatArray:
    """Probability to precipitate of edges in nm (any shape); the equation of this file.

    >>> [round(float(p), 3) for p in precipitated_share([8.0, 10.0, 12.0], 10.0, 5.0)]
    [0.142, 0.5, 0.9]
    """
    return _logistic(_over_cut(edge_nm, Precipitation(cut_nm, steepness=steepness)))


def fractionate(ensemble: Ensemble, steps: Sequence[Precipitation]) -> Fractionation:
    """Carry out steps of precipitation in a row; every crystal fed is in one fraction.

    ensemble: any shapes and materials; it needs rows close enough in size to show the cut (a warning says
    where not). Raises `OptionError` with all faults of the steps.

    >>> from perolux.ensemble import Lognormal, Population, quadrature
    >>> crude = quadrature(Lognormal(10.0, 0.12), Population("cube", "core-edge", "CsPbBr3"), n=64)
    >>> found = fractionate(crude, [Precipitation(11.0), Precipitation(9.5, keep="pellet")])
    >>> [one.name for one in found.fractions]
    ['pellet 1', 'supernatant 2', 'pellet 2']
    >>> found.kept.cv < crude.relative_spread(), max(found.balance().values()) < 1e-12
    (True, True)
    """
    if not isinstance(ensemble, Ensemble):
        raise OptionError(
            f"a {type(ensemble).__name__} is no Ensemble",
            where="fractionate",
            fix="make one with perolux.ensemble: sample, quadrature or from_table",
        )
    run = _checked(steps)
    edges = ensemble.equal_volume_edge_nm
    present, shares, fractions = np.ones(len(ensemble)), [], []
    for number, step in enumerate(run, 1):
        z = _over_cut(edges, step)
        shares.append(_logistic(z))
        # both parts by their own logistic, so that neither is a difference of near equals
        parts = {"pellet": present * _logistic(z), "supernatant": present * _logistic(-z)}
        aside = "pellet" if step.keep == "supernatant" else "supernatant"
        fractions.append(_fraction(f"{aside} {number}", parts[aside], ensemble))
        present = parts[step.keep]
    fractions.append(_fraction(f"{run[-1].keep} {len(run)}", present, ensemble))
    used = ["precipitation_exponent"]
    if any(one.steepness is None for one in run):
        used.append("precipitation_steepness")
    return Fractionation(
        ensemble, run, tuple(fractions), tuple(prior(one) for one in used), _coarse(ensemble, shares)
    )


def _over_cut(edge_nm: npt.ArrayLike, step: Precipitation) -> FloatArray:
    """Attraction above that at the cut, over the width of the logistic."""
    _checked([step])
    try:
        size = np.asarray(edge_nm, dtype=float)
    except (TypeError, ValueError):
        size = np.array([np.nan])
    if not np.all(np.isfinite(size) & (size > 0)):
        raise OptionError("an edge that is no size", where="edge_nm", allowed="finite, above 0 nm")
    steepness = prior("precipitation_steepness").number if step.steepness is None else step.steepness
    return np.asarray(steepness * ((size / step.cut_nm) ** prior("precipitation_exponent").number - 1.0))


def _logistic(z: FloatArray) -> FloatArray:
    from scipy.special import expit

    return np.asarray(expit(z))


def _fraction(name: str, shares: FloatArray, fed: Ensemble) -> Fraction:
    number = fed.weights * shares
    total = float(number.sum())
    volume = float(number @ fed.volume_nm3) / float(fed.weights @ fed.volume_nm3)
    if not total > 0:
        return Fraction(name, shares, 0.0, 0.0, None, None, None)
    weights = number / total
    own = replace(
        fed,
        weights=weights / weights.sum(),
        number_per_litre=None if fed.number_per_litre is None else fed.number_per_litre * total,
        notes=(*fed.notes, f"Fraction {name} of a size-selective precipitation."),
    )
    return Fraction(name, shares, total, volume, own, own.mean(), own.relative_spread())


def _checked(steps: Sequence[Precipitation]) -> tuple[Precipitation, ...]:
    run = tuple(steps) if isinstance(steps, Sequence) else ()
    if not run or not all(isinstance(one, Precipitation) for one in run):
        raise OptionError("a list of one or more Precipitation is needed", where="steps")
    problems = []
    for number, one in enumerate(run, 1):
        where = f"step {number}"
        if not _positive(one.cut_nm):
            problems.append(Problem(f"a cut at {one.cut_nm!r} nm", where, "a finite number above 0"))
        if one.steepness is not None and not _positive(one.steepness):
            problems.append(Problem(f"a steepness of {one.steepness!r}", where, "a finite number above 0"))
        if one.keep not in get_args(Part):
            problems.append(Problem(f"keep = {one.keep!r}", where, ", ".join(get_args(Part))))
    if problems:
        raise OptionError(problems)
    return run


def _positive(number: object) -> bool:
    return isinstance(number, int | float | np.floating) and math.isfinite(number) and bool(number > 0)


def _coarse(ensemble: Ensemble, shares: list[FloatArray]) -> tuple[str, ...]:
    rows = np.flatnonzero(ensemble.weights > _COUNTS)
    order = rows[np.argsort(ensemble.equal_volume_edge_nm[rows])]
    jump = max(float(np.max(np.abs(np.diff(one[order])), initial=0.0)) for one in shares)
    if jump <= _COARSE:
        return ()
    return (
        f"sizes lie so far apart that the share that precipitates jumps by {100 * jump:.0f} % between "
        "two: give the ensemble more rows",
    )
