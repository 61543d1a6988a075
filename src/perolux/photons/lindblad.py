"""Few levels with coherences: master equation, and correlations by quantum regression.

    rho' = -i [H, rho] + sum_k g_k (A rho A* - (A* A rho + rho A* A)/2)
    g1(tau) = tr[C* exp(L tau) C rho]/tr[C* C rho]
    g2(tau) = tr[C* C exp(L tau) C rho C*]/tr[C* C rho]^2

H in rad per unit of time, g_k in 1 per unit of time, any one unit. C: the operator of the detected field. It
is the second method for `emitter` (no coherence) and `hom`, and the place of resonant driving and of beats
between lines. Up to some twelve levels: L is a dense (n^2, n^2) matrix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError

__all__ = ["Master", "first_order", "jump", "master", "regression_g2", "stationary_state"]

ComplexArray = npt.NDArray[np.complex128]
FloatArray = npt.NDArray[np.float64]
_MOST_LEVELS = 16


@dataclass(frozen=True)
class Master:
    """L (n^2, n^2) on density matrices written row after row; n levels."""

    generator: ComplexArray
    levels: int


def jump(levels: int, start: int, end: int) -> ComplexArray:
    """|end><start|, shape (levels, levels)."""
    if not (0 <= start < levels and 0 <= end < levels):
        raise OptionError(f"a jump from {start} to {end}", allowed=f"levels 0 to {levels - 1}")
    operator = np.zeros((levels, levels), dtype=complex)
    operator[end, start] = 1.0
    return operator


def master(hamiltonian: npt.ArrayLike, channels: Sequence[tuple[npt.ArrayLike, float]]) -> Master:
    """L from H (n, n), Hermitian, and channels (A, g) with g >= 0. Raises `OptionError` where they do not
    fit."""
    h = np.asarray(hamiltonian, dtype=complex)
    n = len(h)
    if (
        h.shape != (n, n)
        or n > _MOST_LEVELS
        or not np.allclose(h, h.conj().T, atol=1e-12 * (1 + abs(h).max()))
    ):
        raise OptionError("no Hamiltonian", allowed=f"a Hermitian matrix of up to {_MOST_LEVELS} levels")
    one = np.eye(n)
    generator = -1j * (np.kron(h, one) - np.kron(one, h.T))
    for operator, rate in channels:
        a = np.asarray(operator, dtype=complex)
        if a.shape != (n, n) or not (np.isfinite(rate) and rate >= 0):
            raise OptionError("a channel that does not fit", allowed=f"an operator ({n}, {n}), a rate >= 0")
        left = a.conj().T @ a
        generator = generator + rate * (
            np.kron(a, a.conj()) - 0.5 * (np.kron(left, one) + np.kron(one, left.T))
        )
    return Master(generator, n)


def stationary_state(system: Master) -> ComplexArray:
    """rho with L rho = 0 and trace 1; `OptionError` where there is more than one."""
    n = system.levels
    _, values, right = np.linalg.svd(system.generator)
    scale = max(values[0], 1e-300)
    if n > 1 and values[-2] < 1e-12 * scale:
        raise OptionError("more than one stationary state", fix="add the channel that leads out of them")
    rho = right[-1].conj().reshape(n, n)
    rho = rho / np.trace(rho)
    return np.asarray(0.5 * (rho + rho.conj().T))


def first_order(system: Master, field: npt.ArrayLike, tau: npt.ArrayLike) -> ComplexArray:
    """g1 at tau >= 0 (m,), complex, 1 at 0."""
    c = np.asarray(field, dtype=complex)
    rho = stationary_state(system)
    flux = np.trace(c.conj().T @ c @ rho).real
    _lit(flux)
    return _later(system, c @ rho, c.conj().T, tau) / flux


def regression_g2(system: Master, field: npt.ArrayLike, tau: npt.ArrayLike) -> FloatArray:
    """g2 at tau >= 0 (m,)."""
    c = np.asarray(field, dtype=complex)
    rho = stationary_state(system)
    count = c.conj().T @ c
    flux = np.trace(count @ rho).real
    _lit(flux)
    return np.asarray(_later(system, c @ rho @ c.conj().T, count, tau).real / flux**2)


def _later(system: Master, start: ComplexArray, read: ComplexArray, tau: npt.ArrayLike) -> ComplexArray:
    """tr[read exp(L tau) start] for each tau."""
    from scipy.linalg import expm

    times = np.atleast_1d(np.asarray(tau, dtype=float))
    if np.any(times < 0):
        raise OptionError("a negative delay", allowed="tau of 0 or more")
    moved = expm(times[:, None, None] * system.generator) @ start.ravel()
    return np.asarray(moved @ read.T.ravel())


def _lit(flux: float) -> None:
    if not flux > 0:
        raise OptionError("the field is dark in the stationary state", fix="drive it, or name another field")
