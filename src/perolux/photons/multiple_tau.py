"""Correlation at long lags from counts in bins that double with the lag (multiple tau), fed piece by piece.

Photons of two lists are counted in bins of w ticks. At lag k w, with k from L to 2 L - 1, the pairs are
sum_i a_i b_(i+k); then neighbouring bins are joined, w doubles, and the same k serve the next octave. Only
2 L - 1 bins of each width are kept, so memory does not depend on the length of the record.

Two photons d apart lie k bins apart with the chance 1 - |d/w - k|: a lag is the mean of g2 over a triangle of
half-width w, at most 1/L of the lag itself. Its bias is (w^2/12) g2''. For g2 - 1 = A exp(-tau/tau0) that is
A exp(-tau/tau0) (w/tau0)^2/12 and at most

    A (4/e^2)/(12 L^2) = 0.045 A/L^2        (at tau = 2 tau0; L = 16: 1.8e-4 of A)

Source: derived here; the scheme after Schaetzel, Quantum Optics 2, 287 (1990) (recalled), and Wahl et al.,
Opt. Express 11, 3583 (2003) (recalled).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

__all__ = ["MultipleTau", "TauLevel"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
_BLOCK = 1 << 18


@dataclass
class TauLevel:
    """Bins of one width: how many there were, what they held, their first and last 2 L - 1, and the products.

    pairs: (L,) sum_i a_i b_(i+k), k = L ... 2 L - 1. spare_a, spare_b: a bin that waits for its neighbour.
    """

    width: int
    pairs: FloatArray
    last_a: FloatArray
    first_b: FloatArray
    seen: int = 0
    sum_a: float = 0.0
    sum_b: float = 0.0
    spare_a: FloatArray = field(default_factory=lambda: np.zeros(0))
    spare_b: FloatArray = field(default_factory=lambda: np.zeros(0))

    def expected(self, lags: IntArray) -> FloatArray:
        """Pairs of unrelated light at `lags` (in bins), from just those bins that a lag joins: a drift or an
        uneven end then does not tilt g2."""
        heads = self.sum_a - np.array([self.last_a[len(self.last_a) - lag :].sum() for lag in lags])
        tails = self.sum_b - np.array([self.first_b[:lag].sum() for lag in lags])
        return np.asarray(heads * tails / (self.seen - lags))


class MultipleTau:
    """Takes ascending times of two lists of photons and gives pairs at lags from L w to the longest.

    shift: the first bins are w = 2^shift ticks wide. first_lag: L. bins: of the whole record at that width.
    longest: lags in ticks up to which levels are kept.
    """

    def __init__(self, *, shift: int, first_lag: int, bins: int, longest: int) -> None:
        self.shift, self.bins = shift, bins
        self.lags = np.arange(first_lag, 2 * first_lag)
        self.levels: list[TauLevel] = []
        width = 1 << shift
        kept = 2 * first_lag - 1
        while first_lag * width < longest:
            self.levels.append(TauLevel(width, np.zeros(first_lag), np.zeros(kept), np.zeros(0)))
            width *= 2
        self._next = 0
        self._rest = (np.zeros(0, np.int64), np.zeros(0, np.int64))

    def add(self, a: IntArray, b: IntArray, complete: int) -> None:
        """Photons of both lists, in ticks; bins below `complete` get no more of them."""
        from perolux.photons._lag_kernels import binned

        a, b = (np.concatenate([old, new]) for old, new in zip(self._rest, (a, b), strict=True))
        at_a = at_b = 0
        complete = min(complete, self.bins)
        while self._next < complete and self.levels:
            count = min(_BLOCK, complete - self._next)
            in_a, in_b = np.zeros(count), np.zeros(count)
            at_a = binned(a, at_a, self.shift, self._next, in_a)
            at_b = binned(b, at_b, self.shift, self._next, in_b)
            self._take(in_a, in_b)
            self._next += count
        self._rest = (a[at_a:].copy(), b[at_b:].copy())

    def _take(self, a: FloatArray, b: FloatArray) -> None:
        """New bins at the first level; pairs of them go up to the next."""
        from perolux.photons._lag_kernels import lag_products

        for level in self.levels:
            if not len(a):
                return
            with_last = np.concatenate([level.last_a, a])
            lag_products(with_last, b, self.lags, level.pairs)
            kept = len(level.last_a)
            level.last_a = with_last[len(with_last) - kept :].copy()
            if len(level.first_b) < kept:
                level.first_b = np.concatenate([level.first_b, b[: kept - len(level.first_b)]])
            level.seen += len(a)
            level.sum_a += float(a.sum())
            level.sum_b += float(b.sum())
            a, b = np.concatenate([level.spare_a, a]), np.concatenate([level.spare_b, b])
            even = len(a) // 2 * 2
            level.spare_a, level.spare_b = a[even:].copy(), b[even:].copy()
            a, b = a[0:even:2] + a[1:even:2], b[0:even:2] + b[1:even:2]
