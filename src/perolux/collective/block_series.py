"""The exponential of the master equation's generator as one long series.

Chebyshev polynomials over steps of up to two thousand turns of the fastest coherence; what is asked for at
the times between is summed from the same terms, so that output times cost nothing. Nothing goes from a block
to one with more excitations: a second thread takes the lower blocks, some terms behind the first.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from scipy.fft import fft, next_fast_len
from scipy.linalg import expm
from scipy.special import ive, jv

from perolux.collective.block_generator import BlockGenerator, Part, in_parts
from perolux.collective.couplings import FloatArray
from perolux.errors import ConvergenceError

__all__ = ["propagate"]

_TURNS = 2000.0
# terms of a step grow up to exp of half of this, and rounding with them
_DAMPING = 8.0
_TOLERANCE = 1e-12
_FEW_TERMS = 300
_DENSE = 70
_FEW_STEPS = 6
# terms that a thread makes at a time, or a part of all; below so many numbers a second thread gains little
_CHUNK, _CHUNKS = 32, 16
_TWO_THREADS_FROM = 3000


def propagate(
    generator: BlockGenerator, rho: FloatArray, times: FloatArray, weights: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """f.exp(t L) rho for the rows f of weights at all times (m, k), and rho last.

    L has frequencies up to `turning` and decay rates up to `damping`. A step is one series: with W a scale of
    the frequencies, c half of the damping and M = L + c, exp(t L) = exp(-c t) times
    J_0(W t) + 2 sum_n J_n(W t) phi_n, phi_(n+1) = 2 (M/W) phi_n + phi_(n-1); where nothing turns,
    I_0(c t) + 2 sum_n I_n(c t) T_n(M/c). Raises `ConvergenceError` where the series does not end.
    """
    if len(rho) <= _DENSE:
        direct = _dense_steps(generator, rho, times, weights)
        if direct is not None:
            return direct
    found = np.zeros((len(weights), len(times)))
    turns = generator.turning > 0.0
    centre = max(0.5 * generator.damping, 1e-9)
    scale = max(1.05 * generator.turning, centre) if turns else centre
    longest = min(_TURNS / scale, _DAMPING / (2.0 * centre))
    parts = in_parts(generator) if _two_threads(generator) else (generator.whole,)
    now, done = 0.0, 0
    while done < len(times):
        step = min(longest, float(times[-1]) - now)
        last = int(np.searchsorted(times, now + step * (1.0 + 1e-12), side="right"))
        at = np.append(times[done:last] - now, step)
        # the upper of two parts is a chunk ahead
        share = _shares(turns, int(1.3 * scale * step + 60) + 2 * _CHUNK, scale * at)
        share *= np.exp(-centre * at if turns else 0.0 * at)[:, None]
        still = not turns and _is_symmetric(generator, rho)
        moments, rho = _series(
            parts, rho, still, scale, centre, 1.0 if turns else -1.0, share[-1], scale * step, weights
        )
        found[:, done:last] = moments.T @ share[:-1, : len(moments)].T
        done, now = last, now + step
        if step <= 0.0:
            break
    return found, rho


def _two_threads(generator: BlockGenerator) -> bool:
    from numba import get_num_threads

    return generator.length >= _TWO_THREADS_FROM and get_num_threads() > 1


def _is_symmetric(generator: BlockGenerator, rho: FloatArray) -> bool:
    """rho is real, but for rounding."""
    small = 1e-13 * float(np.max(np.abs(rho), initial=0.0))
    views = (generator.block(rho, k) for k in range(generator.top + 1))
    return all(float(np.max(np.abs(one - one.T))) <= small for one in views)


def _series(
    parts: tuple[Part, ...],
    rho: FloatArray,
    still: bool,
    scale: float,
    centre: float,
    sign: float,
    share: FloatArray,
    past: float,
    weights: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """weights.phi_n of the terms (terms, m), and sum_n share_n phi_n, of `_block_kernels.terms`.

    Ends after two terms in a row below the tolerance, past the turning point of the Bessel functions. Where
    there are two parts, the lower follows a chunk of terms behind.
    """
    chunk = min(max(int(past) // _CHUNKS, 2), _CHUNK)
    runs = [_Run(part, rho, chunk, still, scale, centre, sign, share, weights) for part in parts]
    upper, lower = runs[0], runs[-1]
    least = _TOLERANCE * (float(np.linalg.norm(rho)) + 1e-300)
    with ThreadPoolExecutor(1) as pool:
        while upper.done < len(share):
            behind = None
            if lower is not upper and upper.done > 1:
                behind = pool.submit(lower.go, upper.spill)
            upper.go(upper.nothing)
            if behind is not None:
                behind.result()
            ready = lower.done
            length = np.sqrt(sum(run.square[:ready] for run in runs))
            small = np.abs(share[:ready]) * length < least
            if np.any(small[1:] & small[:-1] & (np.arange(1, ready) > past)):
                moments = np.sum([run.moments[:ready] for run in runs], axis=0)
                return moments, np.concatenate([run.total for run in runs])
    raise ConvergenceError(f"the series of the master equation does not end after {len(share)} terms")


class _Run:
    """A part on its way through the series. spill: its last block in the terms of the last chunk but for the
    last of them, with the term before: what the block below needs."""

    def __init__(
        self, part: Part, rho: FloatArray, chunk: int, still: bool, scale: float, centre: float, sign: float,
        share: FloatArray, weights: FloatArray,
    ) -> None:  # fmt: skip
        from perolux.collective import _block_kernels as kernels

        own, asked = rho[part.within], weights[:, part.within]
        self.seen = np.flatnonzero(np.any(asked, axis=0))
        self.weights = np.ascontiguousarray(asked[:, self.seen])
        self.share, self.terms, self.done = share, kernels.terms, 1
        self.rest = (still, part.tables, part.fading, part.workspace(), scale, centre, sign, share)
        self.before, self.here, self.moved = np.zeros_like(own), own.copy(), np.zeros_like(own)
        self.total = share[0] * own
        self.square, self.moments = np.zeros(len(share)), np.zeros((len(share), len(weights)))
        self.square[0], self.moments[0] = own @ own, asked @ own
        self.chunk, self.nothing = chunk, np.zeros((chunk, 0))
        # one is read while the other is written
        self.spill, self.spare = np.zeros((chunk, part.handed)), np.zeros((chunk, part.handed))

    def go(self, above: FloatArray) -> None:
        """The next chunk of terms; above: spill of the part above."""
        last = min(self.done + self.chunk, len(self.share))
        self.before, self.here = self.terms(
            self.done, last, self.before, self.here, self.moved, self.total, above, self.spare, *self.rest,
            self.square, self.seen, self.weights, self.moments,
        )  # fmt: skip
        self.done = last
        self.spill, self.spare = self.spare, self.spill


def _shares(turns: bool, most: int, x: FloatArray) -> FloatArray:
    """J_n(x), or exp(-x) I_n(x) where nothing turns, n = 0..most, from n = 1 on twice: (k, most + 1).

    Many J_n from exp(i x sin a) = sum_n J_n exp(i n a) by a transform: absolute errors of 1e-16 x. Where the
    damping is not far below the frequencies, phi_n grow and small J_n must be right: by `jv`, few there.
    """
    if turns and most > _FEW_TERMS:
        points = 2 * next_fast_len(most + 20)
        waves = np.exp(1j * x[:, None] * np.sin(2.0 * np.pi * np.arange(points) / points))
        share = np.asarray(fft(waves, axis=1)[:, : most + 1].real) / points
    else:
        share = np.asarray((jv if turns else ive)(np.arange(most + 1)[None, :], x[:, None]))
    share[:, 1:] *= 2.0
    return share


def _dense_steps(
    generator: BlockGenerator, rho: FloatArray, times: FloatArray, weights: FloatArray
) -> tuple[FloatArray, FloatArray] | None:
    """The same with exponentials of a small dense generator; None where the steps differ too much."""
    gaps = np.diff(times, prepend=0.0)
    # steps equal but for rounding of the times
    kinds = np.round(gaps / max(float(times[-1]), 1e-300), 12)
    different, first, which = np.unique(kinds, return_index=True, return_inverse=True)
    if len(different) > _FEW_STEPS:
        return None
    matrix = np.stack([generator(one) for one in np.eye(len(rho))], axis=1)
    moves = [expm(matrix * gaps[i]) for i in first]
    found = np.zeros((len(weights), len(times)))
    for t, kind in enumerate(which):
        rho = moves[kind] @ rho
        found[:, t] = weights @ rho
    return found, rho
