"""Functions of H in one block of equal excitation by Chebyshev polynomials, where eigenvectors cost too much.

    exp(-i (H - i G/2) t) psi = sum_m (2 - delta_m0) (-i)^m J_m(w t) T_m(H_eff/w) psi

with w above half the spread of H; about w t + 10 products. H is applied from tables of neighbours.
Source: Tal-Ezer and Kosloff's expansion (standard form).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import jv

from perolux.collective import _sector_kernels as kernels
from perolux.collective.blocks import Blocks, excited_sites
from perolux.collective.couplings import ComplexArray, Couplings, FloatArray

__all__ = ["Sector", "States", "sector"]

States = npt.NDArray[np.complexfloating[Any, Any]]
"""States as columns (C, m), in single or double precision."""

_AT_ONCE = 32
_LANCZOS = 80
# of the amplitude: below the rounding of single precision
_LAST_TERM = 1e-7


@dataclass(frozen=True)
class Sector:
    """Of one number of excitations: neighbours (C, k (n - k)) and pairs, amplitudes of H and of the photon
    operator by pair (n n,), diagonal of H less its middle; lowest and highest energy."""

    excited: int
    neighbour: npt.NDArray[np.int32]
    pair: npt.NDArray[np.int32]
    shift: npt.NDArray[np.float32]
    decay: npt.NDArray[np.float32]
    diagonal: npt.NDArray[np.float32]
    low: float
    high: float

    @property
    def middle(self) -> float:
        """Of the energies."""
        return 0.5 * (self.low + self.high)

    @property
    def half(self) -> float:
        """Radius of a disc around `middle` that holds H_eff: it lies off the real axis by half a collective
        rate, at most k (N - k + 1)/2."""
        emitters = round(len(self.decay) ** 0.5)
        return self.real_half + 0.5 * self.excited * (emitters - self.excited + 1)

    @property
    def real_half(self) -> float:
        """Half the spread of H with a margin for Lanczos' error, never 0."""
        return 0.505 * (self.high - self.low) + 1e-3

    def __len__(self) -> int:
        return len(self.neighbour)

    def light(self, psi: States) -> FloatArray:
        """<psi|sum Gamma_ij s+_i s-_j|psi> of states as columns (C, m)."""
        found = np.empty(psi.shape[1])
        own = np.full(len(self), self.excited, dtype=np.float32)
        for first in range(0, psi.shape[1], _AT_ONCE):
            part = np.ascontiguousarray(psi[:, first : first + _AT_ONCE]).view(np.float32)
            out = np.empty_like(part)
            kernels.hop(self.neighbour, self.pair, self.decay, own, part, out)
            both = np.einsum("cs,cs->s", part, out).reshape(-1, 2)
            found[first : first + _AT_ONCE] = both.sum(axis=1, dtype=float)
        return found

    def carried(self, psi: States, elapsed: FloatArray, loss: float) -> States:
        """exp(-i H_eff t) of states as columns (C, m), each by its own t (m,); a common phase is left out."""
        out = np.empty(psi.shape, dtype=np.complex64)
        # alike times beside each other: the longest sets the number of terms
        order = np.argsort(elapsed)
        for first in range(0, len(order), _AT_ONCE):
            which = order[first : first + _AT_ONCE]
            out[:, which] = self._carried(np.ascontiguousarray(psi[:, which]), elapsed[which], loss)
        return out

    def _carried(self, psi: States, elapsed: FloatArray, loss: float) -> States:
        coefficients = _coefficients(self.half, elapsed)
        turn, fade = coefficients.real.astype(np.float32), coefficients.imag.astype(np.float32)
        own = np.float32(self.excited)
        scale = np.float32(1.0 / self.half)
        before = psi.view(np.float32)
        nothing = np.zeros(psi.shape[1], dtype=np.float32)
        # the first polynomial is H_eff/w, half of the recursion from T_-1 = 0
        now = np.zeros_like(before)
        sums = np.zeros_like(before)
        tables = (self.neighbour, self.pair, self.shift, self.decay, self.diagonal, own)
        kernels.complex_term(*tables, np.float32(0.5) * scale, before, now, nothing, nothing, sums)
        found = psi * coefficients[0] + now.view(np.complex64) * coefficients[1]
        sums = np.ascontiguousarray(found, dtype=np.complex64).view(np.float32)
        before = before.copy()
        for m in range(2, len(coefficients)):
            kernels.complex_term(*tables, scale, now, before, turn[m], fade[m], sums)
            before, now = now, before
        whole = sums.view(np.complex64)
        if loss > 0.0:
            whole = whole * np.exp(-0.5 * loss * self.excited * elapsed).astype(np.float32)
        return whole

    def polynomials(self, x: npt.NDArray[np.float32], terms: int) -> Iterator[npt.NDArray[np.float32]]:
        """T_0 x, T_1 x, ... of real columns (C, m), T of (H - middle)/real_half; arrays are used again."""
        tables = (self.neighbour, self.pair, self.shift, self.diagonal)
        scale = np.float32(1.0 / self.real_half)
        before, now = x.copy(), np.zeros_like(x)
        yield before
        # T_1 x = H x/w: half of the recursion from T_-1 = 0
        kernels.real_term(*tables, np.float32(0.5) * scale, before, now)
        yield now
        for _ in range(2, terms):
            kernels.real_term(*tables, scale, now, before)
            before, now = now, before
            yield now


def _coefficients(half: float, elapsed: FloatArray) -> ComplexArray:
    """(terms, m): terms until the last is negligible for the longest time."""
    most = half * float(np.max(elapsed, initial=0.0))
    terms = int(most + 8.0 * most ** (1.0 / 3.0)) + 12
    order = np.arange(terms)
    found = jv(order[:, None], half * elapsed) * ((-1j) ** order)[:, None]
    found[1:] *= 2.0
    kept = np.flatnonzero(np.max(np.abs(found), axis=1) > _LAST_TERM)
    return np.asarray(found[: max(int(kept[-1]) + 1, 3)])


def sector(of: Blocks, excited: int, between: Couplings) -> Sector:
    """Tables and spread of one block; the spread by Lanczos' steps from a random vector."""
    n, states = of.emitters, of.states[excited]
    hops = excited * (n - excited)
    neighbour = np.empty((len(states), hops), dtype=np.int32)
    pair = np.empty((len(states), hops), dtype=np.int32)
    kernels.tables(states, of.place, n, neighbour, pair)
    diagonal = excited_sites(of, excited) @ between.detuning
    low, high = _spread(neighbour, pair, between.shift.ravel(), diagonal)
    middle = 0.5 * (low + high)
    return Sector(
        excited, neighbour, pair, between.shift.ravel().astype(np.float32),
        between.decay.ravel().astype(np.float32), (diagonal - middle).astype(np.float32), low, high,
    )  # fmt: skip


def _spread(
    neighbour: npt.NDArray[np.int32], pair: npt.NDArray[np.int32], shift: FloatArray, diagonal: FloatArray
) -> tuple[float, float]:
    """Least and largest eigenvalue by Lanczos' method, to a per mille or so of their distance."""
    size = len(neighbour)
    rng = np.random.default_rng(0)
    now = rng.normal(size=(size, 1))
    now /= np.linalg.norm(now)
    before, beta = np.zeros_like(now), 0.0
    alphas, betas = [], []
    for _ in range(min(_LANCZOS, size)):
        after = np.empty_like(now)
        kernels.hop(neighbour, pair, shift, diagonal, now, after)
        alpha = float(np.vdot(now, after))
        after -= alpha * now + beta * before
        alphas.append(alpha)
        beta = float(np.linalg.norm(after))
        if beta < 1e-9 * (1.0 + abs(alpha)):
            break
        betas.append(beta)
        before, now = now, after / beta
    ritz = np.linalg.eigvalsh(
        np.diag(alphas) + np.diag(betas[: len(alphas) - 1], 1) + np.diag(betas[: len(alphas) - 1], -1)
    )
    return float(ritz[0]), float(ritz[-1])
