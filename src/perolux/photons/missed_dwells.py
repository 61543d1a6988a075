"""Laws of dwell times from what a search for changes finds: short dwells are missed, and neighbours merge.

Stays in two states take turns. A dwell of length t is found with the chance w(t) (`dwell_chance`); one that is
not found joins the stays before and after it. What is seen of the stays of state 1 has the density

    g = w1 f1 + m2 * f1 * g,     m2 = (1 - w2) f2

(* is a convolution): it begins with a dwell that is found, and as long as the dwell of state 2 that follows is
missed, that dwell and the next of state 1 are added. This is the renewal argument of missed events in
recordings of single ion channels (Hawkes, Jalali and Colquhoun, Phil. Trans. R. Soc. A 332, 511 (1990):
recalled), with a chance in place of a sharp resolution. g is solved by Fourier transform of damped masses on a
few grids, each sixteen times coarser than the one before. Of a law only the part above the lower limit is
seen, but its shorter dwells merge others: exponential, stretched and lognormal laws go down to 0, power laws
begin where they are told to. Neighbours are taken as long when w is looked up.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError
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

__all__ = ["FoundDwells", "compare_found", "law_cumulative"]

FloatArray = npt.NDArray[np.float64]
Chance = Callable[[npt.ArrayLike], FloatArray]
_BINS, _COARSER = 512, 16
_FINE = 8  # bins of the finest grid to the length that is found half the time
_LOWER_CHANCE = 0.8
_MOST_MISSED = 0.5
_ROUNDS = 2


@dataclass(frozen=True)
class FoundDwells:
    """Laws of one state, corrected for what the search misses.

    laws: the comparison, or None with the reason. lower_s: dwells from there on are fitted; chance_at_lower:
    of being found there; dead_time_s: length found half the time; begin_s: where power laws begin;
    missed_share: part of the dwells of this state that is missed, by its best law; merged_share: part of the
    dwells of the other state that is missed, each of which joins two stays of this one.
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


def compare_found(
    lengths_s: Mapping[str, npt.ArrayLike],
    rates_cps: Mapping[str, float],
    threshold: float,
    *,
    cut_s: Mapping[str, float] | None = None,
    lower_s: float | None = None,
    begin_s: Mapping[str, float] | None = None,
    intervals: bool = True,
) -> dict[str, FoundDwells]:
    """Laws of the dwells of two states that take turns, corrected for missed dwells and merged neighbours.

    lengths_s: whole dwells of each of the two states, as they were found; rates_cps: mean rates of the
    states; threshold: that of the search. cut_s: a last stay that the record cut, of the state that it was
    in. lower_s: fitted from there on; from where four of five are found if left out. begin_s: of power laws,
    by state; the shortest dwell that was found if left out. Raises `OptionError` where the chance is not
    known, or a state has fewer than 20 dwells above the limit.
    """
    one, two = lengths_s
    other = {one: two, two: one}
    chance = {k: found_chance(rates_cps[k], rates_cps[other[k]], threshold) for k in other}
    dead = {k: length_of_chance(chance[k], 0.5) for k in other}
    least = max(length_of_chance(chance[k], _LOWER_CHANCE) for k in other)
    lower = least if lower_s is None else lower_s
    step = min(dead.values()) / _FINE
    kept = {k: _within(lengths_s[k], lower, None) for k in other}
    begin = {k: min(float(np.min(np.asarray(lengths_s[k]))), lower) for k in other} | dict(begin_s or {})
    longest = 1.1 * max(float(t.max()) for t in kept.values())
    cuts = cut_s or {}
    grids = _Grids(step, max(longest, 1.1 * max(cuts.values(), default=0.0)), chance)

    def fits(k: str, laws: tuple[str, ...], missed: _Missed | None, sure: bool) -> list[DwellFit]:
        return [
            fit_problem(
                _Problem(
                    law, kept[k], lower, None, None,
                    lambda p, law=law: _loss(law, p, kept[k], cuts.get(k), grids, k, begin[k], missed, lower),
                ),
                sure,
            )
            for law in laws
        ]  # fmt: skip

    best, missed = {}, {}
    for k in other:
        # A law that puts most of its dwells where none are found says nothing that the data have said.
        for fit in sorted(fits(k, LAWS, None, False), key=lambda fit: fit.bic, reverse=True):
            away = grids.missed(fit, k, begin[k])
            if k not in best or away.share < _MOST_MISSED:
                best[k], missed[k] = fit, away
    for _ in range(_ROUNDS):
        for k in other:
            if missed[other[k]].share < _MOST_MISSED:
                (best[k],) = fits(k, (best[k].law,), missed[other[k]], False)
                missed[k] = grids.missed(best[k], k, begin[k])
    found = {}
    for k in other:
        shares = [missed[state].share for state in (k, other[k])]
        reason = None
        if max(shares) >= _MOST_MISSED:
            reason = (
                f"more than half of the dwells would be missed ({100 * shares[0]:.2g} % of these, "
                f"{100 * shares[1]:.2g} % of the others): their law cannot be told from what is found"
            )
        found[k] = FoundDwells(
            laws=compared(fits(k, LAWS, missed[other[k]], intervals)) if reason is None else None,
            lower_s=lower,
            chance_at_lower=float(chance[k](lower)),
            dead_time_s=dead[k],
            begin_s=begin[k],
            missed_share=shares[0],
            merged_share=shares[1],
            rate_cps=rates_cps[k],
            other_cps=rates_cps[other[k]],
            reason=reason,
        )
    return found


@dataclass(frozen=True)
class _Missed:
    """Transforms, one a grid, of the masses of dwells that are not found, a bin late; share: their sum."""

    waves: list[npt.NDArray[np.complex128]]
    share: float


class _Grids:
    """Bins of equal width on a few scales, and the chance at the bins of the finest."""

    def __init__(self, step: float, longest: float, chance: Mapping[str, Chance]) -> None:
        self.steps = [step]
        while self.steps[-1] * _BINS * 0.9 < longest:
            self.steps.append(self.steps[-1] * _COARSER)
        whole = np.arange(_BINS + 1, dtype=float)
        self.edges = [width * whole for width in self.steps]
        middle = (self.edges[0][1:] + self.edges[0][:-1]) / 2
        self.chance = {k: np.asarray(one(middle)) for k, one in chance.items()}
        # Damping keeps what leaves the grid from coming back at its beginning.
        self.damp = np.exp(-10.0 * (whole[:-1] + 0.5) / _BINS)
        # Three middles of bins add up to the middle of a bin one further than the indices say.
        self.delay = np.exp(-1j * np.pi * np.arange(_BINS + 1) / _BINS)
        self.undamp = 1 / self.damp

    def masses(self, law: str, p: FloatArray, begin: float) -> tuple[list[FloatArray], float]:
        """Masses of a law in the bins of each grid, and what lies beyond the last."""
        found, top = [], 0.0
        for edges in self.edges:
            cumulated = law_cumulative(law, p, edges, begin)
            found.append(np.diff(cumulated))
            top = float(cumulated[-1])
        return found, 1 - top

    def weighted(self, masses: list[FloatArray], weight: FloatArray, beyond: bool) -> list[FloatArray]:
        """Masses times a weight that is known on the finest grid, and 1 (beyond) or 0 outside it."""
        found = [masses[0] * weight]
        for mass in masses[1:]:
            inner = found[-1].reshape(-1, _COARSER).sum(axis=1)
            outer = mass[len(inner) :]
            found.append(np.concatenate([inner, outer if beyond else np.zeros_like(outer)]))
        return found

    def missed(self, fit: DwellFit, state: str, begin: float) -> _Missed:
        """The dwells of a law that are not found."""
        masses, _ = self.masses(fit.law, _inside(fit.law, list(fit.parameters.values())), begin)
        away = self.weighted(masses, 1 - self.chance[state], beyond=False)
        waves = [self.delay * np.fft.rfft(one * self.damp, 2 * _BINS) for one in away]
        return _Missed(waves, float(away[0].sum()))

    def seen(
        self, law: str, p: FloatArray, state: str, begin: float, missed: _Missed | None
    ) -> tuple[list[FloatArray], float]:
        """Masses of what is seen (not normalised) on each grid, and their sum."""
        masses, tail = self.masses(law, p, begin)
        first = self.weighted(masses, self.chance[state], beyond=True)
        total = float(first[-1].sum()) + tail
        if missed is None:
            return first, total
        found = []
        for start, mass, away in zip(first, masses, missed.waves, strict=True):
            a, f = np.fft.rfft(np.stack([start, mass]) * self.damp, 2 * _BINS)
            seen = np.fft.irfft(a / (1 - away * f), 2 * _BINS)[:_BINS]
            found.append(seen * self.undamp)
        return found, total / (1 - missed.share)

    def at(self, masses: list[FloatArray], t: FloatArray, cumulated: bool) -> FloatArray:
        """Density at t, or mass below t, read on the finest grid that reaches there."""
        found = np.zeros(len(t))
        done = np.zeros(len(t), dtype=bool)
        for edges, width, mass in zip(self.edges, self.steps, masses, strict=True):
            use = ~done & (t <= 0.95 * edges[-1])
            if use.any():
                if cumulated:
                    found[use] = np.interp(t[use], edges, np.concatenate([[0.0], np.cumsum(mass)]))
                else:
                    found[use] = np.interp(t[use], (edges[1:] + edges[:-1]) / 2, mass / width)
            done |= use
        return found


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
        if left <= 0:
            return 1e300
        value += math.log(above) - math.log(left)
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
        b = math.exp(min(p[0], 5.0))
        return np.asarray(-np.expm1(-np.exp(np.minimum(b * (logs - p[1]), 700.0))))
    if law == "lognormal":
        from scipy.special import ndtr

        return np.asarray(ndtr((logs - p[0]) / math.exp(max(p[1], -20.0))))
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
