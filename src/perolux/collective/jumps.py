"""What all jump trajectories share: where each stands, and how it loses an excitation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.collective.blocks import Blocks, IntArray
from perolux.collective.couplings import FloatArray
from perolux.collective.sectors import States

__all__ = ["Rules", "Walkers", "above_table", "joined", "jump"]

_BYTES_AT_ONCE = 50_000_000


@dataclass
class Walkers:
    """The trajectories in one block: which (n,), states as columns (C, n), their times, outputs done."""

    which: IntArray
    psi: States
    now: FloatArray
    done: IntArray

    def part(self, keep: npt.NDArray[np.bool_] | IntArray) -> Walkers:
        """Some of them."""
        return Walkers(self.which[keep], self.psi[:, keep], self.now[keep], self.done[keep])


@dataclass(frozen=True)
class Rules:
    """emitters: N. rates, modes: of the decay matrix, over Gamma. dephasing, loss: of each emitter, over
    Gamma."""

    emitters: int
    rates: FloatArray
    modes: FloatArray
    dephasing: float
    loss: float


def above_table(of: Blocks, excited: int) -> IntArray:
    """For every state of block k - 1 and emitter the state of block k with that emitter excited, or -1."""
    below = of.states[excited - 1][:, None]
    site = np.arange(of.emitters)
    return np.where((below >> site & 1) == 0, of.place[below | (1 << site)], -1)


def joined(parts: list[Walkers]) -> Walkers:
    """All in one, in the order of their numbers."""
    which = np.concatenate([one.which for one in parts])
    whole = Walkers(
        which,
        np.concatenate([one.psi for one in parts], axis=1),
        np.concatenate([one.now for one in parts]),
        np.concatenate([one.done for one in parts]),
    )
    return whole.part(np.argsort(which))


def jump(above: IntArray, jumped: Walkers, draws: FloatArray, rules: Rules) -> Walkers:
    """One excitation less: by a collective mode or by a loss. above: `above_table` of the block."""
    below = len(above)
    at_once = max(_BYTES_AT_ONCE // (16 * above.size), 1)
    psi = np.empty((below, len(draws)), dtype=complex)
    padded = np.concatenate([jumped.psi, np.zeros((1, len(draws)))])
    for first in range(0, len(draws), at_once):
        part = slice(first, first + at_once)
        lowered = padded[:, part][above]  # (below, N, few); -1 is the row of zeros
        pairs = np.einsum("bit,bjt->tij", lowered.conj(), lowered, optimize=True)
        chance = rules.rates * np.real(
            np.einsum("im,tij,jm->tm", rules.modes, pairs, rules.modes, optimize=True)
        )
        lost = rules.loss * np.real(np.einsum("tii->ti", pairs))
        both = np.cumsum(np.concatenate([chance, lost], axis=1), axis=1)
        chosen = np.sum(both < (draws[part] * both[:, -1])[:, None], axis=1)
        vectors = np.concatenate([rules.modes, np.eye(rules.emitters)], axis=1)[:, chosen]
        psi[:, part] = np.einsum("bit,it->bt", lowered, vectors)
    psi /= np.linalg.norm(psi, axis=0)
    return Walkers(jumped.which, psi, jumped.now, jumped.done)
