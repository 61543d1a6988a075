"""Jump trajectories of 13 to 16 emitters: states are carried from step to step, without eigenvectors.

The same process as in `trajectories`. All trajectories share a grid of short times; between two of them each
is carried by Chebyshev polynomials of H_eff (`sectors`), in single precision. Where its norm falls below its
random share, the time of the jump is found by Newton's steps from a cubic through norm and slope at both ends
(the slope of the norm is minus photon rate and loss); the rest of the step it goes on in the block below.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from perolux.collective import _sector_kernels as kernels
from perolux.collective.blocks import IntArray, blocks, excited_sites
from perolux.collective.couplings import ComplexArray, Couplings, FloatArray
from perolux.collective.jumps import Rules, Walkers, above_table, joined
from perolux.collective.sectors import Sector, States, sector

__all__ = ["stepped_seconds", "stepped_trajectories"]

# phase of the widest block in one step: about 25 products, of which 10 are overhead
_PHASE = 15.0
# of the norm where a jump is placed: its time moves by this over the rate, to either side
_SHARE_TO = 5e-4
_MOST_ROUNDS = 30
# measured at 16 emitters, one slow core: seconds for a hop of one state in one product, with the jumps
_SECONDS_PER_HOP = 8.5e-10


@dataclass
class _Course:
    """One trajectory's share, and when its next kick comes: both (many,)."""

    share: FloatArray
    kick: FloatArray


def stepped_trajectories(
    between: Couplings,
    start: tuple[int, ComplexArray],
    many: int,
    times: FloatArray,
    rules: Rules,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray]:
    """Rates and populations (many, k) of trajectories from one state. times: rising from 0 on."""
    top, vector = start
    parts = {k: sector(blocks(len(between)), k, between) for k in range(top, 0, -1)}
    above = {k: above_table(blocks(len(between)), k) for k in parts}
    rate, population = np.zeros((many, len(times))), np.zeros((many, len(times)))
    course = _Course(rng.random(many), _kicks(np.zeros(many), rules, rng))
    everyone = Walkers(
        np.arange(many), np.tile(vector[:, None], (1, many)).astype(np.complex64), np.zeros(many),
        np.zeros(many, dtype=np.int64),
    )  # fmt: skip
    there = {top: everyone}
    now = 0.0
    for t, output in enumerate(times):
        half = max((parts[k].half for k in there), default=0.0)
        steps = max(int(np.ceil((output - now) * half / _PHASE)), 1)
        for end in np.linspace(now, output, steps + 1)[1:] if output > now else ():
            there = _stepped(there, float(end), parts, above, course, rules, rng)
        now = float(output)
        for k, block in there.items():
            norm = _norms(block.psi)
            rate[block.which, t] = parts[k].light(block.psi) / norm
            population[block.which, t] = float(k)
    return rate, population


def stepped_seconds(between: Couplings, end: float, excited: int) -> float:
    """What one trajectory to `end` costs at most, s of a slow core: as if it were in the widest block that
    `excited` excitations can reach all the time. One that stays in the first blocks costs a few per cent of
    it."""
    n = len(between)
    widest = sector(blocks(n), min(n // 2, excited), between)
    return _SECONDS_PER_HOP * end * widest.half * widest.neighbour.size


def _kicks(now: FloatArray, rules: Rules, rng: np.random.Generator) -> FloatArray:
    """When the next kick of each comes; kicks of all emitters together come at n g*/2."""
    if rules.dephasing == 0.0:
        return np.full(len(now), np.inf)
    return now + rng.exponential(2.0 / (rules.dephasing * rules.emitters), len(now))


def _norms(psi: States) -> FloatArray:
    flat = np.ascontiguousarray(psi).view(psi.real.dtype)
    return np.asarray(np.einsum("cs,cs->s", flat, flat).reshape(-1, 2).sum(axis=1, dtype=float))


def _stepped(
    there: dict[int, Walkers],
    end: float,
    parts: dict[int, Sector],
    above: dict[int, IntArray],
    course: _Course,
    rules: Rules,
    rng: np.random.Generator,
) -> dict[int, Walkers]:
    """All at the time `end`, by block; those without excitation are left out."""
    found: dict[int, Walkers] = {}
    arrived: list[Walkers] = []
    for k in range(max(there, default=0), 0, -1):
        here = [*arrived, *([there[k]] if k in there else [])]
        arrived, arrivals = [], []
        waiting = joined(here) if here else None
        while waiting is not None and len(waiting.which):
            stop = np.minimum(end, course.kick[waiting.which])
            after = parts[k].carried(waiting.psi, stop - waiting.now, rules.loss)
            jumps = _norms(after) <= course.share[waiting.which]
            kicked = np.flatnonzero(~jumps & (stop < end))
            arrivals.append(replace(waiting, psi=after, now=stop).part(~jumps & (stop == end)))
            leaving = waiting.part(jumps)
            if len(leaving.which):
                low = _jumped(leaving, after[:, jumps], stop[jumps], parts[k], above[k], course, rules, rng)
                arrived.append(low)
            waiting = replace(waiting, psi=after, now=stop).part(kicked)
            site = rng.integers(rules.emitters, size=len(kicked))
            if len(kicked):
                signs = 2.0 * excited_sites(blocks(rules.emitters), k) - 1.0
                waiting.psi = waiting.psi * signs[:, site].astype(np.float32)
                course.kick[waiting.which] = _kicks(waiting.now, rules, rng)
        if arrivals and sum(len(one.which) for one in arrivals):
            found[k] = joined(arrivals)
    return found


def _jumped(
    leaving: Walkers,
    after: States,
    stop: FloatArray,
    block: Sector,
    above: IntArray,
    course: _Course,
    rules: Rules,
    rng: np.random.Generator,
) -> Walkers:
    """The trajectories that jump within the step, in the block below at the time of their jump, with a new
    share and norm 1. after: where they would be at `stop` without a jump."""
    share = course.share[leaving.which]
    lost = rules.loss * block.excited
    psi, elapsed = _when(leaving, after, stop - leaving.now, share, block, lost, rules.loss)
    total = block.light(psi) + lost * _norms(psi)
    below = _lowered(psi, total * rng.random(len(share)), above, rules)
    course.share[leaving.which] = rng.random(len(share))
    return Walkers(leaving.which, below, leaving.now + elapsed, leaving.done)


def _lowered(psi: States, reach: FloatArray, above: IntArray, rules: Rules) -> States:
    """States after a jump, of norm 1: the first whose rates added up pass `reach`, the brightest mode first,
    losses last. Most end at the first mode: the others are not formed for all."""
    bright = np.argsort(-rules.rates)
    vectors = (rules.modes * np.sqrt(rules.rates))[:, bright]
    if rules.loss > 0.0:
        vectors = np.concatenate([vectors, np.sqrt(rules.loss) * np.eye(rules.emitters)], axis=1)
    found = np.empty((len(above), psi.shape[1]), dtype=np.complex64)
    left, passed, best = np.arange(psi.shape[1]), np.zeros(psi.shape[1]), np.zeros(psi.shape[1])
    for amplitude in vectors.T.astype(np.float32):
        part = np.ascontiguousarray(psi[:, left]).view(np.float32)
        out = np.empty((len(above), part.shape[1]), dtype=np.float32)
        square = kernels.lower(above, np.tile(amplitude[:, None], (1, len(left))), part, out)
        passed[left] += square
        done = passed[left] >= reach[left]
        # where rounding leaves the sum short, the brightest of all is taken
        stored = done | (square > best[left])
        found[:, left[stored]] = out.view(np.complex64)[:, stored] / np.sqrt(square[stored]).astype(
            np.float32
        )
        best[left[stored]] = square[stored]
        left = left[~done]
        if not len(left):
            break
    return found


def _when(
    leaving: Walkers,
    after: States,
    whole: FloatArray,
    share: FloatArray,
    block: Sector,
    lost: float,
    loss: float,
) -> tuple[States, FloatArray]:
    """States where the norm is `share`, and after how long; `whole` is an end beyond it."""
    norms = _norms(leaving.psi), _norms(after)
    slopes = tuple(
        -(block.light(psi) + lost * norm) for psi, norm in zip((leaving.psi, after), norms, strict=True)
    )
    low, high = np.zeros_like(whole), whole.copy()
    at = _where(norms, slopes, whole, share)
    found, left = np.empty(leaving.psi.shape, dtype=np.complex64), np.arange(len(share))
    for _ in range(_MOST_ROUNDS):
        psi = block.carried(np.ascontiguousarray(leaving.psi[:, left]), at[left], loss)
        found[:, left] = psi
        norm = _norms(psi)
        apart = norm - share[left]
        low[left[apart > 0.0]] = at[left[apart > 0.0]]
        high[left[apart <= 0.0]] = at[left[apart <= 0.0]]
        rough = np.abs(apart) > _SHARE_TO
        if not np.any(rough):
            break
        left, apart, norm = left[rough], apart[rough], norm[rough]
        step = apart / np.maximum(block.light(np.ascontiguousarray(psi[:, rough])) + lost * norm, 1e-30)
        newton = at[left] + step
        inside = (newton > low[left]) & (newton < high[left])
        at[left] = np.where(inside, newton, 0.5 * (low[left] + high[left]))
    return found, at


def _where(
    norms: tuple[FloatArray, FloatArray], slopes: tuple[FloatArray, ...], whole: FloatArray, share: FloatArray
) -> FloatArray:
    """Where the cubic through norms and slopes at 0 and `whole` meets the share, by bisection."""
    low, high = np.zeros_like(share), np.ones_like(share)
    (a, b), (c, d) = norms, (slopes[0] * whole, slopes[1] * whole)
    for _ in range(30):
        x = 0.5 * (low + high)
        cubic = a + c * x + (3.0 * (b - a) - 2.0 * c - d) * x**2 + (2.0 * (a - b) + c + d) * x**3
        low, high = np.where(cubic > share, x, low), np.where(cubic > share, high, x)
    return 0.5 * (low + high) * whole
