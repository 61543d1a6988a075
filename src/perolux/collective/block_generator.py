"""The master equation's right-hand side on blocks of equal excitation.

rho = A + iB is kept as A + B, C(2N, N) real numbers: A is symmetric, B antisymmetric. Each block is filled up
with rows and columns of zeros to fours.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.collective.blocks import Blocks, blocks, different_sites, hamiltonian, photon_operator
from perolux.collective.couplings import ComplexArray, Couplings, FloatArray

__all__ = ["BlockGenerator", "Part", "block_generator", "in_parts"]

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Part:
    """Blocks that one thread takes. within: where they are in rho. wide: columns kept. tables: of
    `_block_kernels.apply`. fading: decay by dephasing of each number, of length 0 without. handed: numbers of
    the last block, which a part below needs; 0 where there is none."""

    within: slice
    wide: IntArray
    tables: tuple[Any, ...] = field(repr=False)
    fading: FloatArray = field(repr=False)
    handed: int

    def workspace(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Of `_block_kernels.workspace`."""
        from perolux.collective import _block_kernels as kernels

        holes, over = self.tables[-3:-1]
        return kernels.workspace(self.wide, holes, over)


@dataclass(frozen=True)
class BlockGenerator:
    """The right-hand side for blocks `top` down to 0. turning, damping: bounds on the frequencies and on the
    decay rates of the generator, in Gamma. size, wide, start: of each block, states, columns kept (filled up
    with zeros to fours), first number in rho."""

    of: Blocks
    between: Couplings
    top: int
    dephasing: float
    loss: float
    turning: float
    damping: float
    size: IntArray
    wide: IntArray
    start: IntArray
    whole: Part

    @property
    def length(self) -> int:
        """Numbers of all blocks."""
        return int(np.sum(self.wide**2))

    def __call__(self, rho: FloatArray) -> FloatArray:
        """rho' of rho, both as A + B of the blocks, the highest first."""
        from perolux.collective import _block_kernels as kernels

        found, part = np.zeros_like(rho), self.whole
        kernels.apply(rho, np.zeros(0), found, False, part.tables, part.fading, part.workspace())
        return found

    def block(self, rho: FloatArray, excited: int) -> FloatArray:
        """A + B of one block, a view (C, C) of rho."""
        m = self.top - excited
        size, wide, at = int(self.size[m]), int(self.wide[m]), int(self.start[m])
        return rho[at : at + wide**2].reshape(wide, wide)[:size, :size]

    def packed(self, density: dict[int, ComplexArray]) -> FloatArray:
        """Density matrices of blocks, Hermitian, as rho."""
        rho = np.zeros(self.length)
        for k, block in density.items():
            self.block(rho, k)[:] = block.real + block.imag
        return rho

    def functional(self, operators: dict[int, FloatArray]) -> FloatArray:
        """Weights f with Tr[O rho] = f.(A + B) for a real symmetric O in the blocks named: B adds nothing."""
        weights = np.zeros(self.length)
        for k, operator in operators.items():
            self.block(weights, k)[:] = operator
        return weights

    def unpacked(self, rho: FloatArray) -> dict[int, ComplexArray]:
        """Density matrices of the blocks."""
        found = {}
        for k in range(self.top, -1, -1):
            block = self.block(rho, k)
            found[k] = 0.5 * (block + block.T) + 0.5j * (block - block.T)
        return found


def block_generator(between: Couplings, top: int, *, dephasing: float, loss: float) -> BlockGenerator:
    """The generator of blocks `top` down to 0, with bounds of its spectrum from each block."""
    of = blocks(len(between))
    turns = bool(np.any(between.shift)) or bool(np.any(between.detuning))
    turning, damping = 0.0, 0.0
    for k in range(top + 1):
        if turns:
            levels = np.linalg.eigvalsh(hamiltonian(of, k, between).toarray())
            turning = max(turning, float(levels[-1] - levels[0]))
        fast = float(np.linalg.eigvalsh(photon_operator(of, k, between).toarray())[-1]) + loss * k
        damping = max(damping, fast + dephasing * 2.0 * min(k, of.emitters - k))
    size = np.array([of.size(k) for k in range(top, -1, -1)], dtype=np.int64)
    wide = np.where(size < 4, size, -(-size // 4) * 4)
    return BlockGenerator(
        of, between, top, dephasing, loss, turning, damping, size, wide, _starts(wide**2),
        _part(of, between, top, 0, dephasing, loss, top),
    )  # fmt: skip


def _starts(lengths: IntArray) -> IntArray:
    return np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64)


def _part(
    of: Blocks, between: Couplings, high: int, low: int, dephasing: float, loss: float, top: int
) -> Part:
    """Blocks `high` down to `low` of those from `top` on."""
    from perolux.collective import _block_kernels as kernels

    n = of.emitters
    ks = np.arange(high, low - 1, -1)
    every = np.array([of.size(k) for k in range(top, -1, -1)], dtype=np.int64)
    widths = np.where(every < 4, every, -(-every // 4) * 4)
    begin = np.concatenate([[0], np.cumsum(widths**2)])
    size, wide = every[top - ks], widths[top - ks]
    # of the highest nothing is over: never read
    over, w_over = every[np.maximum(top - ks - 1, 0)], widths[np.maximum(top - ks - 1, 0)]
    patterns = np.arange(2**n, dtype=np.int64)
    count = sum((patterns >> i & 1 for i in range(n)), np.zeros_like(patterns))
    states = np.concatenate([of.states[k] for k in ks])
    first, holes = _starts(size), n - ks
    fading = np.zeros(int(np.sum(wide**2)) if dephasing > 0.0 else 0)
    if dephasing > 0.0:
        for k, c, w, at in zip(ks, size, wide, _starts(wide**2), strict=True):
            fading[at : at + w**2].reshape(w, w)[:c, :c] = dephasing * different_sites(of, int(k))
    tables = (
        *kernels.hops(states, of.place, count, n, between.shift, between.detuning, between.decay, loss),
        *kernels.lifts(states, of.place, n, first, size, wide, holes, between.decay, loss),
        first, size, wide, _starts(wide**2), holes, over, w_over,
    )  # fmt: skip
    within = slice(int(begin[top - high]), int(begin[top - low + 1]))
    return Part(within, wide, tables, fading, int(wide[-1] ** 2) if low > 0 else 0)


def in_parts(generator: BlockGenerator) -> tuple[Part, ...]:
    """Upper and lower blocks of about the same work; the whole where there is one block."""
    n, ks = generator.of.emitters, np.arange(generator.top, -1, -1)
    # products of hops, and of jumps about twice their number
    work = np.cumsum(generator.size**2 * (4.0 * (1 + ks * (n - ks)) + 2.0 * (n - ks) ** 2))
    low = int(ks[np.argmin(np.abs(work - 0.5 * work[-1]))])
    if low == 0:
        return (generator.whole,)
    shared = (generator.dephasing, generator.loss, generator.top)
    return (
        _part(generator.of, generator.between, generator.top, low, *shared),
        _part(generator.of, generator.between, low - 1, 0, *shared),
    )
