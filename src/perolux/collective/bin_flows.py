"""Rates out of bins of energy: what a jump or a phase kick does to the states of a bin.

    jump:   Tr[P_B' J rho_B J^+] summed over the columns f of a factor F, J = sum_i f_i s-_i
    kick:   sum_i Tr[P_B' sz_i rho_B sz_i] inside a block

rho_B holds the eigenstates of a bin by their weights. Where both blocks are diagonalised the sums are exact.
Elsewhere random states of each bin are taken, and one jump with random signs xi, sum_i (F xi)_i s-_i, in
place of all: the mean over xi is the sum over columns. How much leaves a bin is still summed over all.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sparse

from perolux.collective.blocks import Blocks, excited_sites, lowering
from perolux.collective.couplings import FloatArray
from perolux.collective.energy_bins import Levels, Sampled, Vectors
from perolux.collective.jumps import above_table

__all__ = ["jumps_between", "kicks_between_states", "kicks_within", "shares_of"]

Bins = Levels | Sampled
_VECTORS = 4


def jumps_between(
    of: Blocks,
    k: int,
    upper: Bins,
    lower: Bins,
    there: Vectors,
    factor: FloatArray,
    total: sparse.csr_matrix,
    leaves_else: float,
    rng: np.random.Generator,
) -> tuple[FloatArray, Vectors]:
    """Rates (eigenstates of block k - 1 or, where it is sampled, its bins; bins of block k), and columns
    (C below, m) whose squares add up to what arrives in a sampled block below, else none.

    there: of block k, the mean populations (C,) of its eigenstates; of a sampled one what arrived in it
    (C, m). factor (N, r); total: sum (F F^T)_ij s+_i s-_j of block k; leaves_else: other rates out of a bin.
    """
    if isinstance(upper, Levels) and isinstance(lower, Levels):
        single = lowering(of, k)
        moved = np.zeros((len(lower.states), len(upper.states)))
        for column in factor.T:
            jump = sum(c * one for c, one in zip(column, single, strict=True))
            moved += (lower.states.T @ (jump @ upper.states)) ** 2
        return np.asarray(moved @ shares_of(upper, there)), np.zeros((0, 0))
    above = above_table(of, k)
    found, arrive = [], np.zeros((len(above), _VECTORS), dtype=np.float32)
    for states in upper.vectors(there, _VECTORS, rng):
        # a row of zeros for -1
        padded = np.concatenate([states, np.zeros((1, states.shape[1]), dtype=states.dtype)])
        signs = factor @ rng.choice([-1.0, 1.0], size=(factor.shape[1], states.shape[1]))
        after = np.zeros((len(above), states.shape[1]), dtype=states.dtype)
        for site, row in enumerate(signs.astype(states.dtype)):
            after += row * padded[above[:, site]]
        split = lower.shares(after).sum(axis=1)
        leaves = float(np.vdot(states, total.astype(states.dtype) @ states) / np.vdot(states, states))
        found.append(leaves * split / max(float(split.sum()), 1e-300))
        # mean populations are what arrived over what leaves
        stays = 1.0 / _VECTORS if isinstance(upper, Levels) else 1.0 / (leaves + leaves_else)
        sign = rng.choice([-1.0, 1.0], size=states.shape[1])
        arrive += (np.sqrt(stays) * sign * after).astype(np.float32)
    return np.stack(found, axis=1), arrive if isinstance(lower, Sampled) else np.zeros((0, 0))


def shares_of(block: Levels, weights: Vectors) -> FloatArray:
    """Each eigenstate's share of its bin, (C, bins)."""
    inside = block.member() * weights[:, None]
    return np.asarray(inside / inside.sum(axis=0), dtype=float)


def kicks_between_states(of: Blocks, k: int, block: Levels) -> FloatArray:
    """sum_i |<a|sz_i|b>|^2, (C, C); each column adds up to N."""
    signs = 2.0 * excited_sites(of, k) - 1.0
    found = np.zeros(block.states.shape)
    for one in signs.T:
        found += (block.states.T @ (one[:, None] * block.states)) ** 2
    return found


def kicks_within(
    of: Blocks, k: int, block: Sampled, arrived: Vectors, rng: np.random.Generator
) -> FloatArray:
    """The same between the bins of a sampled block, (bins, bins)."""
    signs = 2.0 * excited_sites(of, k) - 1.0
    found = np.empty((block.bins, block.bins))
    for b, states in enumerate(block.vectors(arrived, _VECTORS, rng)):
        kick = signs @ rng.choice([-1.0, 1.0], size=(of.emitters, states.shape[1]))
        split = block.shares(kick * states).sum(axis=1)
        found[:, b] = of.emitters * split / float(split.sum())
    return found
