"""Laws of dwell times from what a search for changes finds: short dwells are missed, and neighbours merge.

Stays in two states take turns. A dwell of length t is found with the chance w(t) (`dwell_chance`); one that
is not found joins the stays before and after it. What is seen of the stays of state 1 has the density

    g = w1 f1 + m2 * f1 * g,     m2 = (1 - w2) f2

(* is a convolution): it begins with a dwell that is found, and as long as the dwell of state 2 that follows
is missed, that dwell and the next of state 1 are added. This is the renewal argument of missed events in
recordings of single ion channels (Hawkes, Jalali and Colquhoun, Phil. Trans. R. Soc. A 332, 511 (1990):
recalled), with a chance in place of a sharp resolution. g is solved by Fourier transform of damped masses
on a few grids, each sixteen times coarser than the one before. Of a law only the part above the lower limit
is seen, but its shorter dwells merge others: exponential, stretched and lognormal laws go down to 0, power
laws begin where the number of short dwells says. Neighbours are taken as long when w is looked up.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from perolux.photons.dwell_chance import found_chance, length_of_chance
from perolux.photons.dwell_times import (
    LAWS,
    DwellComparison,
    DwellFit,
    _inside,
    _log_density,
    _Problem,
    _within,
    compared,
    fit_problem,
)

__all__ = ["FoundDwells", "compare_found", "law_cumulative", "seen_density", "without_errors"]

FloatArray = npt.NDArray[np.float64]
Chance = Callable[[npt.ArrayLike], FloatArray]
_BINS, _COARSER = 512, 16
_FINE = 8  # bins of the finest grid to the length that is found half the time
_LOWER_CHANCE, _TOLD_CHANCE, _BEGIN_CHANCE = 0.95, 0.5, 0.2
_MOST_MISSED = 0.5
_ROUNDS = 2


@dataclass(frozen=True)
class FoundDwells:
    """Laws of one state, corrected for what the search misses.

    laws: the comparison, or None with the reason. lower_s: dwells from there on are fitted; chance_at_lower:
    of being found there; dead_time_s: length found half the time; begin_s: where power laws begin;
    missed_share: part of the dwells of this state that is missed, by its best law; merged_share: part of the
    dwells of the other state that is missed, each of which joins two stays of this one. note: where a power
    law goes on below what can be found, why there are no errors: the missed dwells are then no part of the
    data, and intervals that take their number as known held the truth in 57 % of simulated records.
    """

    laws: DwellComparison | None
    lower_s: float
    chance_at_lower: float
    dead_time_s: float
    begin_s: float
    missed_share: float | None
    merged_share: float | None
    rate_cps: float
    other_cps: float
    reason: str | None = None
    note: str | None = None


def compare_found(
    lengths_s: Mapping[str, npt.ArrayLike],
    rates_cps: Mapping[str, float],
    threshold: float,
    *,
    cut_s: Mapping[str, float] | None = None,
    lower_s: Mapping[str, float] | float | None = None,
    begin_s: Mapping[str, float] | None = None,
    laws: tuple[str, ...] = LAWS,
    intervals: bool = True,
) -> dict[str, FoundDwells]:
    """Laws of the dwells of two states that take turns, corrected for missed dwells and merged neighbours.

    lengths_s: whole dwells of each of the two states, as they were found; rates_cps: mean rates of the
    states; threshold: that of the search. cut_s: a last stay that the record cut, of the state that it was
    in. lower_s: the laws are fitted from there on, but not below the length that is found nineteen times of
    twenty. How many dwells are missed is told from all dwells that are found half the time, whatever the
    limit: short ones say it, and so does their absence. begin_s: of power laws, by state; if left out, where
    it must be for as many dwells below that length as were found there (down to the one found one time of
    five). laws: the power law and others to fit. Raises
    `OptionError` where the chance is not known, or a state has fewer than 20 dwells above the limit.
    """
    one, two = lengths_s
    other = {one: two, two: one}
    chance = {k: found_chance(rates_cps[k], rates_cps[other[k]], threshold) for k in other}
    dead = {k: length_of_chance(chance[k], 0.5) for k in other}
    asked = lower_s if isinstance(lower_s, Mapping) else dict.fromkeys(other, lower_s or 0.0)
    short = {k: length_of_chance(chance[k], _TOLD_CHANCE) for k in other}
    lower = {k: max(length_of_chance(chance[k], _LOWER_CHANCE), asked[k]) for k in other}
    step = min(dead.values()) / _FINE
    begin = short | dict(begin_s or {})
    longest = 1.1 * max(float(np.max(lengths_s[k])) for k in other)
    cuts = cut_s or {}
    grids = _Grids(step, max(longest, 1.1 * max(cuts.values(), default=0.0)), chance)

    def fits(
        k: str, names: tuple[str, ...], missed: _Missed | None, sure: bool, limit: float
    ) -> list[DwellFit]:
        kept = _within(lengths_s[k], limit, None)
        return [
            fit_problem(
                _Problem(
                    law, kept, limit, None, None,
                    partial(
                        _loss, law, t=kept, cut=cuts.get(k), grids=grids, state=k, begin=begin[k],
                        missed=missed, lower=limit,
                    ),
                ),
                sure,
            )
            for law in names
        ]  # fmt: skip

    best, missed = {}, {}
    for k in other:
        # A law that puts most of its dwells where none are found says nothing that the data have said.
        first = fits(k, laws, None, False, short[k])
        if k not in (begin_s or {}):
            power = [fit for fit in first if fit.law.endswith("power-law")][-1]
            begin[k] = _beginning(power, np.asarray(lengths_s[k], dtype=float), short[k], chance[k])
        for fit in sorted(first, key=lambda fit: fit.bic, reverse=True):
            away = grids.missed(fit.law, _told(fit), k, begin[k])
            if k not in best or away.share < _MOST_MISSED:
                best[k], missed[k] = fit, away
    for _ in range(_ROUNDS):
        for k in other:
            if missed[other[k]].share < _MOST_MISSED:
                (best[k],) = fits(k, (best[k].law,), missed[other[k]], False, short[k])
                missed[k] = grids.missed(best[k].law, _told(best[k]), k, begin[k])
    below = [k for k in other if best[k].law.endswith("power-law") and begin[k] < dead[k] * (1 - 1e-9)]
    note = None
    if below:
        note = (
            f"the law of the {' and '.join(below)} stays is a power law that goes on below "
            f"{1e3 * dead[below[0]]:.2g} ms, where fewer than half are found: how many are missed cannot be "
            "known, so no errors are given"
        )
    found = {}
    for k in other:
        shares = [missed[state].share for state in (k, other[k])]
        reason = None
        if max(shares) >= _MOST_MISSED:
            reason = (
                f"more than half of the dwells would be missed ({100 * shares[0]:.2g} % of these, "
                f"{100 * shares[1]:.2g} % of the others): their law cannot be told from what is found"
            )
        told = None
        if reason is None:
            told = fits(k, laws, missed[other[k]], intervals and note is None, lower[k])
            told = told if note is None else [without_errors(fit) for fit in told]
        found[k] = FoundDwells(
            laws=None if told is None else compared(told),
            lower_s=lower[k],
            chance_at_lower=float(chance[k](lower[k])),
            dead_time_s=dead[k],
            begin_s=begin[k],
            missed_share=shares[0],
            merged_share=shares[1],
            rate_cps=rates_cps[k],
            other_cps=rates_cps[other[k]],
            reason=reason,
            note=note,
        )
    return found


def seen_density(
    t_s: npt.ArrayLike,
    law: tuple[str, Mapping[str, float]],
    other: tuple[str, Mapping[str, float]],
    *,
    chance: Chance,
    other_chance: Chance,
    step_s: float,
    begin_s: tuple[float, float] = (0.0, 0.0),
) -> FloatArray:
    """Density (1/s) of the stays of one state that are seen, where those of the other are missed and merge
    them.

    law, other: name and parameters of both; chance, other_chance: t -> chance to be found, 1 from 512 steps
    on; step_s: of the finest grid, an eighth of the length found half the time is fine enough. begin_s: of
    power laws.

    >>> sure, half = (lambda t: np.ones_like(t)), (lambda t: np.full_like(t, 0.5))
    >>> one, two = ("exponential", {"mean_s": 0.02}), ("exponential", {"mean_s": 1e-3})
    >>> seen = seen_density([0.02, 0.1], one, two, chance=sure, other_chance=half, step_s=2.5e-5)
    >>> bool(seen[0] / seen[1] < np.exp(4))  # longer than the true ones, whose density falls by e^4
    True
    """
    t = np.asarray(t_s, dtype=float)
    grids = _Grids(step_s, 1.1 * float(t.max()), {"one": chance, "two": other_chance})
    p, q = (_inside(name, list(told.values())) for name, told in (law, other))
    missed = grids.missed(other[0], q, "two", begin_s[1])
    masses, total = grids.seen(law[0], p, "one", begin_s[0], missed)
    return grids.at(masses, t, cumulated=False) / total


def _beginning(fit: DwellFit, lengths: FloatArray, lower: float, chance: Chance) -> float:
    """Where a power law must begin to bring as many dwells below the lower limit as were found there."""
    shortest = min(length_of_chance(chance, _BEGIN_CHANCE), lower)
    below = int(np.count_nonzero((lengths >= shortest) & (lengths < lower)))
    if below == 0 or shortest == lower:
        return lower
    p = _told(fit)
    u = np.linspace(math.log(lower), math.log(shortest), 400)
    density = np.exp(_log_density(fit.law, p, np.exp(u)) + u) * np.asarray(chance(np.exp(u)))
    mass = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)]) * (u[0] - u[1])
    above = math.exp(_Problem(fit.law, np.array([lower]), lower, None, None).log_norm(p))
    wanted = above * below / int(np.count_nonzero(lengths >= lower))
    return math.exp(float(np.interp(wanted, mass, u)))


@dataclass(frozen=True)
class _Missed:
    """Transforms, one a grid, of the masses of dwells that are not found; share: their sum."""

    waves: list[npt.NDArray[np.complex128]]
    share: float


class _Grids:
    """Nodes at even distance on a few scales, and the chance at the middle of the finest steps.

    Masses are put on the two nodes beside them so that sums and means stay what they are.
    """

    def __init__(self, step: float, longest: float, chance: Mapping[str, Chance]) -> None:
        self.steps = [step]
        while self.steps[-1] * _BINS * 0.9 < longest:
            self.steps.append(self.steps[-1] * _COARSER)
        whole = np.arange(_BINS + 1, dtype=float)
        self.nodes = [width * whole for width in self.steps]
        middle = (self.nodes[0][1:] + self.nodes[0][:-1]) / 2
        self.chance = {k: np.asarray(one(middle)) for k, one in chance.items()}
        # Damping keeps what leaves the grid from coming back at its beginning.
        self.damp = np.exp(-10.0 * whole / _BINS)

    def masses(self, law: str, p: FloatArray, begin: float) -> tuple[list[FloatArray], float]:
        """Masses of a law between the nodes of each grid, and what lies beyond the last."""
        found, top = [], 0.0
        for nodes in self.nodes:
            cumulated = law_cumulative(law, p, nodes, begin)
            found.append(np.diff(cumulated))
            top = float(cumulated[-1])
        return found, 1 - top

    def on_nodes(
        self, masses: list[FloatArray], weight: FloatArray | float, beyond: bool
    ) -> list[FloatArray]:
        """Masses on the nodes, times a weight known on the finest grid and 1 (beyond) or 0 outside it."""
        found = [_halved(masses[0] * weight)]
        right = np.arange(_COARSER) / _COARSER
        inner = _BINS // _COARSER
        for mass in masses[1:]:
            outer = np.zeros(_BINS)
            if beyond:
                outer[inner:] = mass[inner:]
            coarse = _halved(outer)
            fine = found[-1][:-1].reshape(inner, _COARSER)
            coarse[:inner] += fine @ (1 - right)
            coarse[1 : inner + 1] += fine @ right
            coarse[inner] += found[-1][-1]
            found.append(coarse)
        return found

    def missed(self, law: str, p: FloatArray, state: str, begin: float) -> _Missed:
        """The dwells of a law that are not found."""
        masses, _ = self.masses(law, p, begin)
        away = self.on_nodes(masses, 1 - self.chance[state], beyond=False)
        return _Missed([np.fft.rfft(one * self.damp, 2 * _BINS) for one in away], float(away[0].sum()))

    def seen(
        self, law: str, p: FloatArray, state: str, begin: float, missed: _Missed | None
    ) -> tuple[list[FloatArray], float]:
        """Masses of what is seen (not normalised) on the nodes of each grid, and their sum."""
        masses, tail = self.masses(law, p, begin)
        first = self.on_nodes(masses, self.chance[state], beyond=True)
        total = float(first[-1].sum()) + tail
        if missed is None:
            return first, total
        found = []
        for start, mass, away in zip(
            first, self.on_nodes(masses, 1.0, beyond=True), missed.waves, strict=True
        ):
            a, f = np.fft.rfft(np.stack([start, mass]) * self.damp, 2 * _BINS)
            found.append(np.fft.irfft(a / (1 - away * f), 2 * _BINS)[: _BINS + 1] / self.damp)
        return found, total / (1 - missed.share)

    def at(self, masses: list[FloatArray], t: FloatArray, cumulated: bool) -> FloatArray:
        """Density at t, or mass below t, read on the finest grid that reaches there."""
        found = np.zeros(len(t))
        done = np.zeros(len(t), dtype=bool)
        for nodes, width, mass in zip(self.nodes, self.steps, masses, strict=True):
            use = ~done & (t <= 0.95 * nodes[-1])
            if use.any():
                shown = np.cumsum(mass) - mass / 2 if cumulated else mass / width
                found[use] = np.interp(t[use], nodes, shown)
            done |= use
        return found


def without_errors(fit: DwellFit) -> DwellFit:
    """The same fit with its errors and limits taken away."""
    none: dict[str, float | None] = dict.fromkeys(fit.parameters)
    return replace(fit, sigma=none, low95=none, high95=none)


def _told(fit: DwellFit) -> FloatArray:
    return _inside(fit.law, list(fit.parameters.values()))


def _halved(masses: FloatArray) -> FloatArray:
    """Masses between nodes, half on either side."""
    return np.asarray(np.append(masses, 0.0) / 2 + np.append(0.0, masses) / 2)


def _loss(
    law: str,
    p: FloatArray,
    t: FloatArray,
    cut: float | None,
    grids: _Grids,
    state: str,
    begin: float,
    missed: _Missed | None,
    lower: float,
) -> float:
    """-ln(likelihood) of the dwells found above the lower limit, and of a last one longer than `cut`."""
    masses, total = grids.seen(law, p, state, begin, missed)
    above = total - float(grids.at(masses, np.array([lower]), cumulated=True)[0])
    density = grids.at(masses, t, cumulated=False)
    if not above > 0 or not np.all(density > 0):
        return 1e300
    value = len(t) * math.log(above) - float(np.log(density).sum())
    if cut is not None and cut > lower:
        left = total - float(grids.at(masses, np.array([cut]), cumulated=True)[0])
        # below what the transform resolves, the cut stay only says that it is unlikely
        value += math.log(above) - math.log(max(left, 1e-10 * total))
    return value if math.isfinite(value) else 1e300


def law_cumulative(law: str, p: FloatArray, t: FloatArray, begin_s: float) -> FloatArray:
    """Chance that a dwell is shorter than t: laws from 0 on, power laws from begin_s on; p as in the search.

    A power law with an exponent of 1 or less has no norm: all NaN.
    """
    if law == "exponential":
        return np.asarray(-np.expm1(-t * math.exp(min(-p[0], 700.0))))
    with np.errstate(divide="ignore"):
        logs = np.log(t)
    if law == "stretched":
        b = math.exp(min(max(p[0], -5.0), 5.0))
        return np.asarray(-np.expm1(-np.exp(np.minimum(b * (logs - p[1]), 700.0))))
    if law == "lognormal":
        from scipy.special import ndtr

        return np.asarray(ndtr((logs - p[0]) / math.exp(min(max(p[1], -20.0), 300.0))))
    if law == "power-law":
        if p[0] <= 1:
            return np.full(len(t), np.nan)
        return np.asarray(-np.expm1(np.minimum((1 - p[0]) * (logs - math.log(begin_s)), 0.0)))
    if p[1] > 300:
        return np.full(len(t), np.nan)
    u = np.linspace(math.log(begin_s), math.log(begin_s + 45 * math.exp(p[1])), 1500)
    log = _log_density(law, p, np.exp(u)) + u
    weight = np.exp(log - log.max())
    total = np.concatenate([[0.0], np.cumsum(weight[1:] + weight[:-1])])
    return np.asarray(np.interp(logs, u, total / total[-1]))
