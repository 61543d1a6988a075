"""States of N two-level emitters sorted by how many are excited, and the operators between these blocks.

Emission takes one excitation away and nothing couples blocks coherently, so a density matrix that starts
block-diagonal stays so: C(2N, N) numbers instead of 4^N.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import numpy as np
import numpy.typing as npt
import scipy.sparse as sparse

from perolux.collective.couplings import ComplexArray, Couplings, FloatArray
from perolux.errors import ModelRangeError

__all__ = ["Blocks", "blocks", "hamiltonian", "lowering", "photon_operator"]

IntArray = npt.NDArray[np.int64]
_MOST = 20


@dataclass(frozen=True)
class Blocks:
    """emitters: N. states: of each block k = 0..N the bit patterns (C(N, k),), rising. place (2^N,): where a
    pattern stands in its block."""

    emitters: int
    states: tuple[IntArray, ...] = field(repr=False)
    place: IntArray = field(repr=False)

    def size(self, excited: int) -> int:
        """C(N, k)."""
        return len(self.states[excited])


@cache
def blocks(emitters: int) -> Blocks:
    """The blocks of N emitters; raises `ModelRangeError` above 20 (2^N patterns are kept)."""
    if not 1 <= emitters <= _MOST:
        raise ModelRangeError(f"blocks of {emitters} emitters", allowed=f"1 to {_MOST}")
    patterns = np.arange(2**emitters, dtype=np.int64)
    count = np.zeros_like(patterns)
    for i in range(emitters):
        count += patterns >> i & 1
    states = tuple(patterns[count == k] for k in range(emitters + 1))
    place = np.empty_like(patterns)
    for one in states:
        place[one] = np.arange(len(one))
    return Blocks(emitters, states, place)


def excited_sites(of: Blocks, excited: int) -> FloatArray:
    """Which emitters are excited in each state of a block, (C, N) of 0 and 1."""
    return np.asarray(of.states[excited][:, None] >> np.arange(of.emitters) & 1, dtype=float)


def lowering(of: Blocks, excited: int) -> list[sparse.csr_matrix]:
    """s-_j of every emitter from block k to block k - 1, sparse (C(N, k-1), C(N, k))."""
    states, found = of.states[excited], []
    for j in range(of.emitters):
        column = np.flatnonzero(states >> j & 1)
        row = of.place[states[column] ^ (1 << j)]
        shape = (of.size(excited - 1), len(states))
        found.append(sparse.csr_matrix((np.ones(len(column)), (row, column)), shape=shape))
    return found


def _hopping(of: Blocks, excited: int, amplitude: npt.NDArray[np.number]) -> sparse.csr_matrix:
    """sum_(i != j) amplitude_ij s+_i s-_j in one block."""
    states, size = of.states[excited], of.size(excited)
    sites = excited_sites(of, excited) > 0.0
    rows, columns, values = [], [], []
    for i in range(of.emitters):
        column, j = np.nonzero(sites & (amplitude[i] != 0.0) & ~sites[:, i : i + 1])
        rows.append(of.place[states[column] ^ (1 << j) ^ (1 << i)])
        columns.append(column)
        values.append(amplitude[i, j])
    return sparse.csr_matrix(
        (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=(size, size)
    )


def hamiltonian(of: Blocks, excited: int, between: Couplings) -> sparse.csr_matrix:
    """H = sum delta_i s+_i s-_i + sum_(i != j) Omega_ij s+_i s-_j of one block, real and symmetric."""
    diagonal = excited_sites(of, excited) @ between.detuning
    return (_hopping(of, excited, between.shift) + sparse.diags(diagonal)).tocsr()


def photon_operator(of: Blocks, excited: int, between: Couplings) -> sparse.csr_matrix:
    """sum_ij Gamma_ij s+_i s-_j of one block: its expectation is the photon rate over Gamma."""
    diagonal = sparse.diags(np.full(of.size(excited), float(excited)))
    return (_hopping(of, excited, between.decay) + diagonal).tocsr()


def different_sites(of: Blocks, excited: int) -> FloatArray:
    """At how many emitters two states of a block differ, (C, C)."""
    sites = excited_sites(of, excited)
    both = sites @ sites.T
    return np.asarray(2.0 * (excited - both))


def product_state(of: Blocks, excited_emitters: IntArray) -> tuple[int, ComplexArray]:
    """The block and vector of a product state with the emitters named excited."""
    pattern = int(np.sum(1 << np.asarray(excited_emitters, dtype=np.int64))) if len(excited_emitters) else 0
    k = len(excited_emitters)
    vector = np.zeros(of.size(k), dtype=complex)
    vector[of.place[pattern]] = 1.0
    return k, vector


def symmetric_single(of: Blocks) -> tuple[int, ComplexArray]:
    """One excitation shared evenly in phase."""
    return 1, np.full(of.emitters, 1.0 / np.sqrt(of.emitters), dtype=complex)
