"""Quantum jumps that keep the number of excitations: unbiased emission of a dozen emitters.

A trajectory is in one block k. Between jumps it follows exp(-i H_eff t), H_eff = H - (i/2) sum Gamma_ij
s+_i s-_j - (i/2) kappa k, by the eigenvectors of H_eff in the block; it jumps when its norm has fallen to a
random share, by a collective mode nu of the decay matrix with a chance in proportion to
Gamma_nu |L_nu psi|^2, or by a loss. What is averaged is the rate <psi|sum Gamma_ij s+_i s-_j|psi>, not the
clicks. Dephasing makes random phase kicks: sz of an emitter at the rate g*/2 changes nothing in number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import brentq

from perolux.collective.blocks import blocks, excited_sites, hamiltonian, lowering, photon_operator
from perolux.collective.couplings import ComplexArray, Couplings, FloatArray
from perolux.collective.rows import Emission
from perolux.errors import ModelRangeError, OptionError
from perolux.progress import Progress, silent

__all__ = ["trajectory_emission"]

_MOST = 12
_LEAST_MODE = 1e-9


@dataclass(frozen=True)
class _Block:
    """Of one number of excitations: eigenvalues and right and left eigenvectors of H_eff, the photon operator
    between right eigenvectors, and the norm between them."""

    values: ComplexArray
    right: ComplexArray
    inverse: ComplexArray
    overlap: ComplexArray
    photon: ComplexArray


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
) -> Emission:
    """Mean photon rate and population over jump trajectories, with standard errors.

    times: in 1/Gamma, rising from 0 on. Unbiased at any number of trajectories. Raises `ModelRangeError`
    above 12 emitters (eigenvectors of blocks of 924 states).
    """
    n = len(between)
    if n > _MOST:
        raise ModelRangeError(
            f"jump trajectories of {n} emitters",
            allowed=f"up to {_MOST}",
            fix="no validated method is known above",
        )
    if trajectories < 2:
        raise OptionError(f"{trajectories} trajectories", allowed="2 and more")
    if dephasing < 0.0 or loss < 0.0:
        raise OptionError("a rate below 0", allowed="dephasing and loss of 0 and more, in Gamma")
    k0, vector = start
    of = blocks(n)
    parts = {k: _block(between, k, loss) for k in range(1, k0 + 1)}
    rates, modes = between.modes()
    bright = rates > _LEAST_MODE
    rates, modes = rates[bright], modes[:, bright]
    lower = {k: lowering(of, k) for k in range(1, k0 + 1)}
    sites = {k: excited_sites(of, k) for k in range(1, k0 + 1)}
    total = np.zeros((2, len(times)))
    square = np.zeros(len(times))
    progress.start("trajectories", trajectories)
    for _ in range(trajectories):
        rate, population = _one(k0, vector, times, parts, lower, sites, rates, modes, dephasing, loss, rng)
        total[0] += rate
        total[1] += population
        square += rate**2
        progress.advance()
    progress.finish()
    mean, excited = total / trajectories
    variance = np.maximum(square / trajectories - mean**2, 0.0) * trajectories / (trajectories - 1)
    g2 = between.initial_g2() if k0 == n else None
    return Emission(
        "trajectories", f"{trajectories} number-conserving quantum jumps: unbiased, statistical errors",
        times, mean, excited, np.sqrt(variance / trajectories), g2,
    )  # fmt: skip


def _block(between: Couplings, excited: int, loss: float) -> _Block:
    of = blocks(len(between))
    photon = photon_operator(of, excited, between).toarray()
    effective = hamiltonian(of, excited, between).toarray() - 0.5j * photon
    effective -= 0.5j * loss * excited * np.eye(len(photon))
    values, right = np.linalg.eig(effective)
    return _Block(
        values,
        right,
        np.linalg.inv(right),
        right.conj().T @ right,
        right.conj().T @ photon @ right,
    )


def _one(
    k: int,
    psi: ComplexArray,
    times: FloatArray,
    parts: dict[int, _Block],
    lower: Mapping[int, Sequence[Any]],
    sites: dict[int, FloatArray],
    rates: FloatArray,
    modes: FloatArray,
    dephasing: float,
    loss: float,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray]:
    """Rate and population of one trajectory at all times."""
    rate, population = np.zeros(len(times)), np.zeros(len(times))
    now, done = 0.0, 0
    n = modes.shape[0]
    while k > 0 and done < len(times):
        block = parts[k]
        weights = block.inverse @ psi
        kick = rng.exponential(1.0 / (0.5 * dephasing * n)) if dephasing > 0.0 else np.inf
        wait = _waiting_time(block, weights, rng.random(), min(kick, float(times[-1]) - now))
        until = min(wait, kick)
        last = int(np.searchsorted(times, now + until, side="left")) if np.isfinite(until) else len(times)
        if last > done:
            moved = np.exp(-1j * np.outer(times[done:last] - now, block.values)) * weights
            norm = np.real(np.einsum("ti,ij,tj->t", moved.conj(), block.overlap, moved))
            light = np.real(np.einsum("ti,ij,tj->t", moved.conj(), block.photon, moved))
            rate[done:last], population[done:last] = light / norm, float(k)
            done = last
        if not np.isfinite(until):
            break
        psi = block.right @ (np.exp(-1j * block.values * until) * weights)
        psi = psi / np.linalg.norm(psi)
        now += until
        if kick < wait:
            site = int(rng.integers(n))
            psi = psi * (2.0 * sites[k][:, site] - 1.0)
            continue
        psi, k = _jump(psi, k, lower[k], rates, modes, loss, rng)
    return rate, population


def _waiting_time(block: _Block, weights: ComplexArray, share: float, most: float) -> float:
    """When the norm has fallen to `share`; infinity where it is still above at `most`."""

    def norm(t: float) -> float:
        moved = np.exp(-1j * block.values * t) * weights
        return float(np.real(moved.conj() @ (block.overlap @ moved)))

    if not np.isfinite(most) or norm(most) > share:
        return np.inf
    # the norm falls all the time: one root between the two ends
    return float(brentq(lambda t: norm(t) - share, 0.0, most, xtol=1e-14, rtol=1e-10))


def _jump(
    psi: ComplexArray,
    k: int,
    lower: Sequence[Any],
    rates: FloatArray,
    modes: FloatArray,
    loss: float,
    rng: np.random.Generator,
) -> tuple[ComplexArray, int]:
    lowered = np.stack([one @ psi for one in lower])
    collective = modes.T @ lowered
    chance = rates * np.sum(np.abs(collective) ** 2, axis=1)
    lost = loss * np.sum(np.abs(lowered) ** 2, axis=1) if loss > 0.0 else np.zeros(0)
    both = np.concatenate([chance, lost])
    chosen = int(np.searchsorted(np.cumsum(both), rng.random() * np.sum(both), side="right"))
    chosen = min(chosen, len(both) - 1)
    after = collective[chosen] if chosen < len(chance) else lowered[chosen - len(chance)]
    return after / np.linalg.norm(after), k - 1
