"""How long an emitter stays in one state of brightness: laws of blinking, drawn exactly.

    exponential     p(t) ~ exp(-t/mean)
    lognormal       ln t normal about ln(median) with log_sd
    power law       p(t) ~ t^-a exp(-t/cutoff),   shortest <= t <= longest

The cutoff may be absent. `walk` goes from state to state until a time is full.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError, Problem

__all__ = ["DwellLaw", "Exponential", "Lognormal", "PowerLaw", "draw_dwells", "walk"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
_MOST = 50_000_000


@dataclass(frozen=True)
class Exponential:
    """p(t) = exp(-t/mean)/mean: one rate of leaving."""

    mean_s: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.mean_s) and self.mean_s > 0):
            raise OptionError(f"a mean dwell of {self.mean_s:g} s", allowed="a positive number")


@dataclass(frozen=True)
class Lognormal:
    """p(t) = exp(-(ln t - ln median)^2/(2 log_sd^2))/(t log_sd sqrt(2 pi))."""

    median_s: float
    log_sd: float

    def __post_init__(self) -> None:
        problems = [
            Problem(f"{name} is {value:g}", name, "a positive number")
            for name, value in (("median_s", self.median_s), ("log_sd", self.log_sd))
            if not (math.isfinite(value) and value > 0)
        ]
        if problems:
            raise OptionError(problems)


@dataclass(frozen=True)
class PowerLaw:
    """p(t) ~ t^-exponent exp(-t/cutoff_s) from shortest_s to longest_s; cutoff_s None: no exponential end."""

    exponent: float
    shortest_s: float
    longest_s: float
    cutoff_s: float | None = None

    def __post_init__(self) -> None:
        problems = []
        if not 0 <= self.exponent <= 10:
            problems.append(Problem(f"an exponent of {self.exponent:g}", "exponent", "0 to 10"))
        if not (0 < self.shortest_s < self.longest_s < math.inf):
            problems.append(
                Problem(
                    f"dwells from {self.shortest_s:g} to {self.longest_s:g} s",
                    "shortest_s, longest_s",
                    "0 < shortest < longest, both finite: without ends the law has no norm or no mean",
                )
            )
        if self.cutoff_s is not None and not (math.isfinite(self.cutoff_s) and self.cutoff_s > 0):
            problems.append(Problem(f"a cutoff of {self.cutoff_s:g} s", "cutoff_s", "a positive number"))
        if problems:
            raise OptionError(problems)


DwellLaw = Exponential | Lognormal | PowerLaw


def draw_dwells(law: DwellLaw, count: int, rng: np.random.Generator) -> FloatArray:
    """`count` dwells in s, shape (count,), exact draws of the law.

    A cut power law is drawn in x = ln t, where its density exp((1 - a) x - e^x/cutoff) has one maximum: by
    rejection from steps that are its largest value in each of 256 cells.
    """
    if isinstance(law, Exponential):
        return law.mean_s * rng.standard_exponential(count)
    if isinstance(law, Lognormal):
        return np.asarray(law.median_s * np.exp(law.log_sd * rng.standard_normal(count)))
    if law.cutoff_s is None:
        return _bare(law, rng.random(count))
    low = math.log(law.shortest_s)
    # beyond 700 cutoffs after the shortest the density is below 1e-300 of its value there
    high = math.log(min(law.longest_s, law.shortest_s + 700.0 * law.cutoff_s))
    edges = np.linspace(low, high, 257)
    scale, power = 1.0 / law.cutoff_s, 1.0 - law.exponent

    def height(x: FloatArray) -> FloatArray:
        return power * x - np.exp(x) * scale

    tops = np.maximum(height(edges[:-1]), height(edges[1:]))
    if power > 0 and low < (mode := math.log(power / scale)) < high:
        at = int(np.searchsorted(edges, mode, side="right")) - 1
        tops[at] = height(np.array([mode]))[0]
    weights = np.cumsum(np.exp(tops - tops.max()))
    found: list[FloatArray] = []
    have = 0
    while have < count:
        need = max(64, (count - have) * 9 // 8)
        cell = np.searchsorted(weights, weights[-1] * rng.random(need), side="right")
        x = edges[cell] + (edges[1] - edges[0]) * rng.random(need)
        times = np.exp(x[np.log1p(-rng.random(need)) < height(x) - tops[cell]])
        found.append(np.clip(times, law.shortest_s, law.longest_s))
        have += len(times)
    return np.concatenate(found)[:count] if found else np.zeros(0)


def _bare(law: PowerLaw, u: FloatArray) -> FloatArray:
    """The bare power law at quantiles u."""
    log_ratio = math.log(law.longest_s / law.shortest_s)
    power = 1.0 - law.exponent
    if abs(power * log_ratio) < 1e-9:
        return law.shortest_s * np.exp(u * log_ratio)
    return np.minimum(
        law.shortest_s * np.exp(np.log1p(u * np.expm1(power * log_ratio)) / power), law.longest_s
    )


def walk(
    laws: Sequence[DwellLaw],
    duration_s: float,
    rng: np.random.Generator,
    *,
    jumps: npt.ArrayLike | None = None,
    start: int | None = None,
) -> tuple[FloatArray, IntArray]:
    """States against time: ends (m + 1,) of m dwells, 0 to duration_s, and the state (m,) of each.

    laws: one for each state. jumps: (n, n), probability to go from row to column, no stay; None: to each
    other state alike. start: the first state, drawn evenly where None. The first dwell is a whole one (an
    ordinary renewal process, not a stationary one). Raises `OptionError` for jumps that do not fit.
    """
    n = len(laws)
    if n == 0:
        raise OptionError("no states to walk between", allowed="one law for each state")
    if n == 1:
        return np.array([0.0, duration_s]), np.zeros(1, np.int64)
    table = _jump_table(jumps, n)
    if start is not None and not 0 <= start < n:
        raise OptionError(f"state {start} is not there", allowed=f"0 to {n - 1}")
    state = int(rng.integers(n)) if start is None else start
    stock: list[FloatArray] = [np.zeros(0)] * n
    used = [0] * n
    reach, ends, states = 0.0, [0.0], []
    while reach < duration_s:
        if used[state] >= len(stock[state]):
            stock[state], used[state] = draw_dwells(laws[state], 1024, rng), 0
        reach += float(stock[state][used[state]])
        used[state] += 1
        ends.append(min(reach, duration_s))
        states.append(state)
        if len(states) > _MOST:
            raise OptionError(
                f"more than {_MOST} dwells", allowed="dwells that are not so short against the record"
            )
        if n == 2:
            state = 1 - state
        else:
            state = int(np.searchsorted(table[state], rng.random(), side="right"))
    return np.array(ends), np.array(states, dtype=np.int64)


def _jump_table(jumps: npt.ArrayLike | None, n: int) -> FloatArray:
    """Cumulated rows of the jump probabilities."""
    table = (1.0 - np.eye(n)) / (n - 1) if jumps is None else np.asarray(jumps, dtype=float)
    good = (
        table.shape == (n, n)
        and bool(np.all(table >= 0))
        and bool(np.allclose(table.sum(axis=1), 1.0, atol=1e-9))
        and not np.any(np.diag(table))
    )
    if not good:
        raise OptionError(
            "the jumps do not fit the states",
            where="jumps",
            allowed=f"{n} x {n} probabilities, rows that sum to 1, none to stay",
        )
    cumulated = np.cumsum(table, axis=1)
    cumulated[:, -1] = 1.0
    # a last state that is never reached must not be drawn by rounding
    for row, plain in zip(cumulated, table, strict=True):
        row[np.flatnonzero(plain)[-1] :] = 1.0
    return cumulated
