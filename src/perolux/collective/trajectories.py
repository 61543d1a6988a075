"""Quantum jumps that keep the number of excitations: unbiased emission of a dozen emitters.

A trajectory is in one block k. Between jumps it follows exp(-i H_eff t), H_eff = H - (i/2) sum Gamma_ij
s+_i s-_j - (i/2) kappa k, by the eigenvectors of H_eff in the block; it jumps when its norm has fallen to a
random share, by a collective mode nu of the decay matrix with a chance in proportion to
Gamma_nu |L_nu psi|^2, or by a loss. What is averaged is the rate <psi|sum Gamma_ij s+_i s-_j|psi>, not the
clicks. Dephasing makes random phase kicks: sz of an emitter at the rate g*/2 changes nothing in number.

All trajectories of a block move together, as columns of one matrix: products of matrices in place of many
products with vectors. Random numbers are drawn for all in a fixed order, so that the number of threads of the
linear algebra changes nothing but rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import scipy.sparse as sparse

from perolux.collective.blocks import (
    IntArray,
    blocks,
    excited_sites,
    hamiltonian,
    photon_operator,
)
from perolux.collective.couplings import ComplexArray, Couplings, FloatArray
from perolux.collective.jumps import Ledger, Rules, Walkers, above_table, joined, jump
from perolux.collective.kept import batch_of, kept_batch, means_of
from perolux.collective.rows import Emission
from perolux.collective.stepped_trajectories import stepped_trajectories
from perolux.errors import ModelRangeError, OptionError
from perolux.pieces import Pieces, nothing_kept
from perolux.progress import Progress, silent

__all__ = ["require_every_jump", "trajectory_emission", "trajectory_jumps"]

_MOST = 16
_EIGENVECTORS = 12
_LEAST_MODE = 1e-9
_AT_ONCE, _STEPPED_AT_ONCE = 1000, 250
# of the norm where a jump is placed: above the rounding of single precision, far below statistical errors
_SHARE_TO = 3e-6
_CONDITION_OF_SINGLE = 300.0
_SINGLE_FROM = 100
_WORKERS = 2
_LOOKS = 40


@dataclass(frozen=True)
class _Block:
    """Of one number of excitations: eigenvalues and right eigenvectors of H_eff, their inverse, the photon
    operator, and for every lower state and emitter the state above, or -1."""

    values: ComplexArray
    right: ComplexArray
    inverse: ComplexArray
    photon: sparse.csr_matrix
    above: IntArray
    signs: FloatArray
    loss: float


def trajectory_emission(
    between: Couplings,
    start: tuple[int, ComplexArray],
    times: FloatArray,
    *,
    trajectories: int = 1000,
    rng: np.random.Generator,
    dephasing: float = 0.0,
    loss: float = 0.0,
    progress: Progress = silent,
    pieces: Pieces = nothing_kept,
) -> Emission:
    """Mean photon rate and population over jump trajectories, with standard errors.

    times: in 1/Gamma, rising from 0 on. Unbiased at any number of trajectories. Up to 12 emitters by
    eigenvectors of the blocks, 13 to 16 step by step (`stepped_trajectories`; cost in proportion to the last
    time). Raises `ModelRangeError` above 16 emitters (blocks of 12870 states).
    """
    n = len(between)
    if n > _MOST:
        raise ModelRangeError(
            f"jump trajectories of {n} emitters",
            allowed=f"up to {_MOST}",
            fix="above: a bracket of methods",
        )
    if trajectories < 2:
        raise OptionError(f"{trajectories} trajectories", allowed="2 and more")
    if dephasing < 0.0 or loss < 0.0:
        raise OptionError("a rate below 0", allowed="dephasing and loss of 0 and more, in Gamma")
    k0, vector = start
    stepped = n > _EIGENVECTORS
    parts = {} if stepped else _blocks(between, k0, loss)
    rules = _rules(between, dephasing, loss)
    at_once = _STEPPED_AT_ONCE if stepped else _AT_ONCE
    counts = [min(at_once, trajectories - first) for first in range(0, trajectories, at_once)]
    # each batch has numbers of its own, so that one that is known need not be drawn again
    own = [rng, *rng.spawn(len(counts) - 1)]
    batches = []
    progress.start("trajectories", trajectories)
    for b, many in enumerate(counts):
        if stepped:
            rows = partial(stepped_trajectories, between, start, many, times, rules, own[b])
        else:
            rows = partial(_many, k0, vector, many, times, parts, rules, own[b])
        name = f"batch-{b:06d}"
        batches.append(kept_batch(pieces, name, len(times), partial(_sums, rows)))
        progress.advance(many)
    progress.finish()
    mean, excited, sigma = means_of(batches)
    g2 = between.initial_g2() if k0 == n else None
    return Emission(
        "trajectories", f"{trajectories} number-conserving quantum jumps: unbiased, statistical errors",
        times, mean, excited, sigma, g2,
    )  # fmt: skip


def trajectory_jumps(
    between: Couplings,
    start: tuple[int, ComplexArray],
    end: float,
    *,
    trajectories: int,
    rng: np.random.Generator,
    dephasing: float = 0.0,
    loss: float = 0.0,
    progress: Progress = silent,
    pieces: Pieces = nothing_kept,
) -> dict[str, FloatArray]:
    """Every jump of each trajectory up to `end` (1/Gamma), in order of trajectory and time.

    which, time, by: (m,), `by` the collective mode (place among those that emit, brightest last) or -1 for a
    loss; left: (trajectories,) excitations at the end. Up to 12 emitters: step by step, as above them, the
    last photons are out of reach.
    """
    require_every_jump(len(between))
    if trajectories < 1 or not end > 0.0 or dephasing < 0.0 or loss < 0.0:
        raise OptionError(
            f"{trajectories} trajectories to {end:g}/Gamma", allowed="1 and more, above 0; rates from 0 on"
        )
    rules, parts = _rules(between, dephasing, loss), _blocks(between, start[0], loss)
    # only where a norm is looked at between jumps: from the shortest rise of a burst to the end
    fastest = float(np.max(rules.rates, initial=loss)) * max(len(between) ** 2, 4)
    looked = np.concatenate([[0.0], np.geomspace(min(0.1 / fastest, 0.5 * end), end, _LOOKS)])

    def made(many: int, own: np.random.Generator) -> dict[str, FloatArray]:
        ledger = Ledger()
        _, population = _many(start[0], start[1], many, looked, parts, rules, own, ledger)
        which, time, by = (
            np.concatenate([np.zeros(0), *one]) for one in (ledger.which, ledger.time, ledger.by)
        )
        order = np.lexsort((time, which))
        by = np.where(by < len(rules.rates), by, -1.0)
        return {"which": which[order], "time": time[order], "by": by[order], "left": population[:, -1]}

    counts = [min(_AT_ONCE, trajectories - first) for first in range(0, trajectories, _AT_ONCE)]
    own = [rng, *rng.spawn(len(counts) - 1)]
    lengths: dict[str, int | None] = {"which": None, "time": None, "by": None}
    found: list[dict[str, FloatArray]] = []
    progress.start("trajectories", trajectories)
    for b, many in enumerate(counts):
        batch = pieces.arrays(f"jumps-{b:06d}", lengths | {"left": many}, partial(made, many, own[b]))
        found.append(batch | {"which": batch["which"] + b * _AT_ONCE})
        progress.advance(many)
    progress.finish()
    return {name: np.concatenate([one[name] for one in found]) for name in found[0]}


def _rules(between: Couplings, dephasing: float, loss: float) -> Rules:
    rates, modes = between.modes()
    bright = rates > _LEAST_MODE
    return Rules(len(between), rates[bright], modes[:, bright], dephasing, loss)


def require_every_jump(emitters: int) -> None:
    """Raises `ModelRangeError` where jumps to the end are out of reach."""
    if emitters > _EIGENVECTORS:
        raise ModelRangeError(
            f"every photon of {emitters} emitters",
            allowed=f"up to {_EIGENVECTORS}",
            fix="fewer emitters; rates alone: perolux burst --method trajectories, up to 16",
        )


def _blocks(between: Couplings, top: int, loss: float) -> dict[int, _Block]:
    """Blocks 1 to `top`. Without detunings the block of k holes is that of k excitations with every bit
    turned, and its H_eff differs by a number: half of the eigenvectors come for nothing."""
    n = len(between)
    of = blocks(n)
    twin = not np.any(between.detuning)
    photon = {k: photon_operator(of, k, between) for k in range(1, top + 1)}
    own = [k for k in range(top, 0, -1) if not (twin and 0 < n - k < k)]

    def solved(k: int) -> tuple[ComplexArray, ComplexArray, ComplexArray]:
        effective = hamiltonian(of, k, between).toarray() - 0.5j * photon[k].toarray()
        effective -= 0.5j * loss * k * np.eye(len(effective))
        values, right = np.linalg.eig(effective)
        return values, right, np.linalg.inv(right)

    with ThreadPoolExecutor(_WORKERS) as pool:
        # the largest first: LAPACK lets go of the interpreter
        largest = sorted(own, key=of.size, reverse=True)
        eigen = dict(zip(largest, pool.map(solved, largest), strict=True))
    found: dict[int, _Block] = {}
    for k in range(1, top + 1):
        if k in eigen:
            values, right, inverse = eigen[k]
        else:
            values, right, inverse = eigen[n - k]
            turned = of.place[of.states[k] ^ (2**n - 1)]
            values = values - 0.5j * (1.0 + loss) * (2 * k - n)
            right, inverse = right[turned], inverse[:, turned]
        signs = 2.0 * excited_sites(of, k) - 1.0
        # a single precision product is 2 to 3 times as fast; its rounding is `condition` times 6e-8
        single = len(right) >= _SINGLE_FROM and _condition(right, inverse) < _CONDITION_OF_SINGLE
        kind, real = (np.complex64, np.float32) if single else (complex, float)
        found[k] = _Block(
            values, right.astype(kind), inverse.astype(kind), photon[k].astype(real), above_table(of, k),
            signs.astype(real), loss * k,
        )  # fmt: skip
    return found


def _condition(right: ComplexArray, inverse: ComplexArray) -> float:
    """How much a rounding of the weights grows on the mean: 1 for a normal H_eff, 1 to 4 for lattices."""
    return float(np.linalg.norm(right) * np.linalg.norm(inverse)) / len(right)


def _sums(rows: Callable[[], tuple[FloatArray, FloatArray]]) -> dict[str, FloatArray]:
    return batch_of(*rows())


def _many(
    top: int,
    vector: ComplexArray,
    many: int,
    times: FloatArray,
    parts: dict[int, _Block],
    rules: Rules,
    rng: np.random.Generator,
    ledger: Ledger | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Rates and populations (many, k) of trajectories from one state; ledger: takes down their jumps."""
    rate, population = np.zeros((many, len(times))), np.zeros((many, len(times)))
    there = Walkers(
        np.arange(many), np.tile(vector[:, None], (1, many)).astype(complex), np.zeros(many),
        np.zeros(many, dtype=np.int64),
    )  # fmt: skip
    for k in range(top, 0, -1):
        if not len(there.which):
            # the last time comes before any photon of this block
            break
        block = parts[k]
        arrived: list[Walkers] = []
        while len(there.which):
            share = rng.random(len(there.which))
            # kicks of all emitters together come at n g*/2
            kick = there.now + (
                rng.exponential(2.0 / (rules.dephasing * rules.emitters), len(share))
                if rules.dephasing > 0.0
                else np.inf
            )
            jumped, kicked = _until_event(block, k, there, share, kick, times, rate, population)
            draws = rng.random(len(jumped.which))
            arrived.append(jump(block.above, jumped, draws, rules, ledger))
            site = rng.integers(rules.emitters, size=len(kicked.which))
            there = replace(kicked, psi=kicked.psi * block.signs[:, site])
        there = joined(arrived)
    return rate, population


def _until_event(
    block: _Block,
    k: int,
    there: Walkers,
    share: FloatArray,
    kick: FloatArray,
    times: FloatArray,
    rate: FloatArray,
    population: FloatArray,
) -> tuple[Walkers, Walkers]:
    """Follow all to their next jump or kick, or past the last time; fill in what is seen on the way."""
    weights = block.inverse @ there.psi.astype(block.inverse.dtype)
    low = np.zeros(len(share))
    high = np.full(len(share), np.nan)
    ends = np.ones((2, len(share)))
    kicked = np.zeros(len(share), dtype=bool)
    done = there.done.copy()
    active = np.flatnonzero(done < len(times))
    while len(active):
        output = times[done[active]]
        to = np.minimum(output, kick[active]) - there.now[active]
        psi, norm, light = _moved(block, weights[:, active], to)
        del psi
        jumps = norm <= share[active]
        high[active[jumps]] = to[jumps]
        ends[1, active[jumps]] = norm[jumps]
        stays = ~jumps
        by_kick = stays & (kick[active] < output)
        kicked[active[by_kick]] = True
        seen = active[stays & ~by_kick]
        inside = stays & ~by_kick
        rate[there.which[seen], done[seen]] = light[inside] / norm[inside]
        population[there.which[seen], done[seen]] = float(k)
        done[seen] += 1
        low[seen], ends[0, seen] = to[inside], norm[inside]
        active = seen[done[seen] < len(times)]
    jumped = np.flatnonzero(np.isfinite(high))
    # where a straight line between the norms at both ends meets the share
    line = (ends[0] - share) / np.maximum(ends[0] - ends[1], 1e-300)
    guess = (low + np.clip(line, 0.0, 1.0) * (high - low))[jumped]
    after, elapsed = _when(block, weights[:, jumped], share[jumped], low[jumped], high[jumped], guess)
    first = Walkers(there.which[jumped], after, there.now[jumped] + elapsed, done[jumped])
    turned = np.flatnonzero(kicked)
    after, norm, _ = _moved(block, weights[:, turned], kick[turned] - there.now[turned])
    return first, Walkers(there.which[turned], after / np.sqrt(norm), kick[turned], done[turned])


def _moved(
    block: _Block, weights: ComplexArray, elapsed: FloatArray
) -> tuple[ComplexArray, FloatArray, FloatArray]:
    """States after `elapsed`, their norms and unnormalised photon rates."""
    # phases in double precision: the shifts times the time are many turns
    phases = np.exp(np.outer(-1j * block.values, elapsed)).astype(weights.dtype)
    psi = block.right @ (phases * weights)
    flat = psi.view(psi.real.dtype)
    light = np.einsum("ct,ct->t", flat, block.photon @ flat).reshape(-1, 2).sum(axis=1, dtype=float)
    norm = np.einsum("ct,ct->t", flat, flat).reshape(-1, 2).sum(axis=1, dtype=float)
    return psi, norm, light


def _when(
    block: _Block,
    weights: ComplexArray,
    share: FloatArray,
    low: FloatArray,
    high: FloatArray,
    at: FloatArray,
) -> tuple[ComplexArray, FloatArray]:
    """States where the norm has fallen to `share`, and when: Newton's steps inside the bracket low to high.

    The slope of the norm is less the photon rate and the loss; a step out of the bracket is a bisection.
    """
    states = np.empty_like(weights)
    left = np.arange(len(share))
    low, high, at = low.copy(), high.copy(), at.copy()
    for _ in range(60):
        if not len(left):
            break
        psi, norm, light = _moved(block, weights[:, left], at[left])
        states[:, left] = psi / np.sqrt(norm)
        above = norm - share[left]
        low[left[above > 0.0]] = at[left[above > 0.0]]
        high[left[above <= 0.0]] = at[left[above <= 0.0]]
        newton = at[left] + above / np.maximum(light + block.loss * norm, 1e-300)
        inside = (newton > low[left]) & (newton < high[left])
        fine = (np.abs(above) < _SHARE_TO) | (high[left] - low[left] < 1e-14)
        at[left] = np.where(fine, at[left], np.where(inside, newton, 0.5 * (low[left] + high[left])))
        left = left[~fine]
    return states, at
