"""Rates between bins of energy of two blocks: what a jump or a phase kick does to the states of a bin.

    jump:   Tr[P_B' J P_B J^+]/Tr P_B summed over the columns f of a factor F, J = sum_i f_i s-_i
    kick:   sum_i Tr[P_B' sz_i P_B sz_i]/Tr P_B inside a block

Where both blocks are diagonalised the sums are exact. Elsewhere random states of each bin are taken, and one
jump with random signs xi, sum_i (F xi)_i s-_i, in place of all: the mean over xi is the sum over columns. How
much leaves a bin in all is then still summed over all columns.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sparse

from perolux.collective.blocks import Blocks, excited_sites, lowering
from perolux.collective.couplings import FloatArray
from perolux.collective.energy_bins import Levels, Sampled
from perolux.collective.jumps import above_table

__all__ = ["jumps_between", "kicks_within"]

Bins = Levels | Sampled
_VECTORS = 3


def jumps_between(
    of: Blocks,
    k: int,
    upper: Bins,
    lower: Bins,
    factor: FloatArray,
    total: sparse.csr_matrix,
    rng: np.random.Generator,
) -> FloatArray:
    """(bins of block k - 1, bins of block k). factor (N, r); total: sum (F F^T)_ij s+_i s-_j of block k."""
    if isinstance(upper, Levels) and isinstance(lower, Levels):
        single = lowering(of, k)
        share = upper.member() / upper.member().sum(axis=0)
        moved = np.zeros((len(lower.states), len(upper.states)))
        for column in factor.T:
            jump = sum(c * one for c, one in zip(column, single, strict=True))
            moved += (lower.states.T @ (jump @ upper.states)) ** 2
        return np.asarray(lower.member().T @ moved @ share)
    above = above_table(of, k)
    found = np.empty((lower.bins, upper.bins))
    for b, states in enumerate(upper.vectors(_VECTORS, rng)):
        # a row of zeros for -1
        padded = np.concatenate([states, np.zeros((1, states.shape[1]), dtype=states.dtype)])
        signs = factor @ rng.choice([-1.0, 1.0], size=(factor.shape[1], states.shape[1]))
        after = np.zeros((len(above), states.shape[1]), dtype=states.dtype)
        for site, row in enumerate(signs.astype(states.dtype)):
            after += row * padded[above[:, site]]
        split = lower.shares(after).sum(axis=1)
        leaves = float(np.vdot(states, total.astype(states.dtype) @ states) / np.vdot(states, states))
        found[:, b] = leaves * split / max(float(split.sum()), 1e-300)
    return found


def kicks_within(of: Blocks, k: int, block: Bins, rng: np.random.Generator) -> FloatArray:
    """(bins, bins) of one block; each column adds up to N."""
    signs = 2.0 * excited_sites(of, k) - 1.0
    if isinstance(block, Levels):
        share = block.member() / block.member().sum(axis=0)
        mixed = sum((block.states.T @ (one[:, None] * block.states)) ** 2 for one in signs.T)
        return np.asarray(block.member().T @ mixed @ share)
    found = np.empty((block.bins, block.bins))
    for b, states in enumerate(block.vectors(_VECTORS, rng)):
        kick = signs @ rng.choice([-1.0, 1.0], size=(of.emitters, states.shape[1]))
        split = block.shares(kick * states).sum(axis=1)
        found[:, b] = of.emitters * split / float(split.sum())
    return found
