"""Many decays behind one response: ten thousand reconvolutions in seconds, by Fisher scoring on tabulated
columns.

Columns p(tau) and dp/d ln(tau) are tabulated on a grid of ln(tau) and joined by cubic Hermite: the error is
below step^4/384 times the fourth derivative, some 1e-7 of a column's largest value, and `interpolation_error`
measures it. All decays start from the fit of their sum, its lifetimes moved to the mean delay of each decay;
those that end on a bound or unconverged start again from others, and the best end is kept. Errors are those
of the information matrix.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.errors import InputError, OptionError
from perolux.photons.decay_fit import fit_decay
from perolux.photons.decay_models import check_period, exponential_columns, lifetime_limits
from perolux.photons.instrument_response import Response

__all__ = ["BatchFit", "fit_decays_batch", "interpolation_error"]

FloatArray = npt.NDArray[np.float64]
NODES = 400
_MOST_STEPS = 80
_OTHER_STARTS = (0.4, 2.5)


@dataclass(frozen=True, eq=False)
class BatchFit:
    """Fits of d decays by k exponentials, lifetimes ascending; NaN where there is nothing.

    lifetimes_ns, lifetime_sigma_ns, counts, counts_sigma: shape (d, k). background, background_sigma (counts
    per bin), deviance: shape (d,). converged, on_bound: shape (d,); a decay on a bound has a component
    without photons, no background, or a lifetime at the end of the range, and no sigma for it.
    degrees_of_freedom: of each.
    """

    lifetimes_ns: FloatArray
    lifetime_sigma_ns: FloatArray
    counts: FloatArray
    counts_sigma: FloatArray
    background: FloatArray
    background_sigma: FloatArray
    deviance: FloatArray
    converged: npt.NDArray[np.bool_]
    on_bound: npt.NDArray[np.bool_]
    degrees_of_freedom: int

    def __len__(self) -> int:
        return len(self.deviance)


def fit_decays_batch(
    counts: npt.ArrayLike,
    bin_ns: float,
    *,
    exponentials: int,
    irf: Response | None = None,
    period_ns: float | None = None,
    shift_ns: float = 0.0,
    used: npt.ArrayLike | None = None,
    start_ns: Sequence[float] | None = None,
    threads: int | None = None,
) -> BatchFit:
    """Fit each row of counts, shape (d, n), by exponentials (1 to 4) behind one response that stays where it
    is.

    shift_ns: of the response, as `fit_decay` of the sum finds it. used: bins to fit, shape (n,); without a
    response the decay begins at the first of them (default: the highest bin of the sum). start_ns: lifetimes
    to start from, instead of the fit of the sum. threads: default all cores. A decay without photons gives
    NaN. Raises as `fit_decay`.

    >>> decay = np.rint(200 * np.exp(-np.arange(200) * 0.1 / np.array([[2.0], [4.0]])) + 1)
    >>> fit_decays_batch(decay, 0.1, exponentials=1).lifetimes_ns.round(1).ravel().tolist()
    [2.0, 4.0]
    """
    from perolux.photons._decay_kernels import fit_stack

    stack = np.asarray(counts, dtype=float)
    if stack.ndim != 2 or not len(stack) or not np.isfinite(stack).all() or np.any(stack < 0):
        raise InputError("a batch needs counts of shape (decays, bins) that are not negative")
    if exponentials not in (1, 2, 3, 4):
        raise OptionError(f"{exponentials} exponentials", allowed="1 to 4")
    k = int(exponentials)
    if start_ns is not None and (len(start_ns) != k or min(start_ns) <= 0):
        raise OptionError("lifetimes to start from", allowed=f"{k} positive numbers")
    pooled = stack.sum(axis=0)
    keep = np.ones(stack.shape[1], dtype=bool) if used is None else np.asarray(used, dtype=bool)
    if keep.shape != pooled.shape:
        raise OptionError(f"used has shape {keep.shape}", allowed=f"{pooled.shape}")
    if irf is None:
        first = int(np.argmax(pooled)) if used is None else int(np.argmax(keep))
        stack, pooled, keep = stack[:, first:], pooled[first:], keep[first:]
    if int(keep.sum()) <= 2 * k + 1:
        raise OptionError(f"{int(keep.sum())} bins for {2 * k + 1} parameters", fix="use more bins")
    bins = len(pooled)
    check_period(bins, bin_ns, irf, period_ns)
    nodes, table, slopes = _table(bins, bin_ns, irf, period_ns, shift_ns, keep)
    if start_ns is None:
        sum_fit = fit_decay(
            pooled,
            bin_ns,
            irf=irf,
            period_ns=period_ns,
            exponentials=k,
            used=keep,
            free_shift=False,
            intervals=False,
        )
        start_ns = sum_fit.lifetimes_ns
    data = np.ascontiguousarray(stack[:, keep])
    at = (np.arange(bins) * bin_ns)[keep]
    total = data.sum(axis=1)
    mean = np.divide(data @ at, total, out=np.full(len(data), np.nan), where=total > 0)
    # the background holds the mean delay back: half of the way, in the logarithm
    usual = float(np.average(at, weights=pooled[keep]))
    factor = np.sqrt(np.nan_to_num(mean / usual, nan=1.0).clip(0.2, 5.0))
    start = np.log(np.asarray(start_ns, dtype=float))[None, :] + np.log(factor)[:, None]
    workers = max(1, threads or os.cpu_count() or 1)

    def solve(rows: npt.NDArray[np.int64], begin: FloatArray) -> tuple[Any, ...]:
        d = len(rows)
        out = (
            np.empty((d, k)), np.empty((d, k + 1)), np.empty(d), np.empty((d, 2 * k + 1)),
            np.zeros(d, dtype=np.int64),
        )  # fmt: skip
        step = float(nodes[1] - nodes[0])

        def part(piece: slice) -> None:
            fit_stack(
                data[rows[piece]],
                table,
                slopes,
                float(nodes[0]),
                step,
                begin[piece],
                _MOST_STEPS,
                *(x[piece] for x in out),
            )

        size = max(1, -(-d // (4 * workers)))
        pieces = [slice(i, min(i + size, d)) for i in range(0, d, size)]
        if workers == 1 or len(pieces) == 1:
            for piece in pieces:
                part(piece)
        else:
            with ThreadPoolExecutor(workers) as pool:
                list(pool.map(part, pieces))
        return out

    theta, amount, deviance, sigma, state = solve(np.arange(len(data)), start)
    for scale in _OTHER_STARTS:
        again = np.flatnonzero((state != 1) & (total > 0))
        if not len(again):
            break
        second = solve(again, start[again] + np.log(scale))
        better = (second[4] > 0) & ((second[2] < deviance[again] - 1e-6) | (state[again] == 0))
        for whole, new in zip((theta, amount, deviance, sigma, state), second, strict=True):
            whole[again[better]] = new[better]
    order = np.argsort(theta, axis=1)

    def sorted_by(x: FloatArray) -> FloatArray:
        return np.take_along_axis(x, order, axis=1)

    tau = np.exp(sorted_by(theta))
    return BatchFit(
        tau,
        sorted_by(sigma[:, :k]) * tau,
        sorted_by(amount[:, :k]),
        sorted_by(sigma[:, k : 2 * k]),
        amount[:, k],
        sigma[:, 2 * k],
        deviance,
        state > 0,
        state == 2,
        int(keep.sum()) - 2 * k - 1,
    )


def interpolation_error(
    bins: int, bin_ns: float, irf: Response | None = None, *, period_ns: float | None = None
) -> float:
    """Largest difference of a column half way between nodes from the exact one, over that column's largest
    value.
    """
    nodes, table, slopes = _table(bins, bin_ns, irf, period_ns, 0.0, np.ones(bins, dtype=bool))
    step = float(nodes[1] - nodes[0])
    middle = (table[:-1] + table[1:]) / 2 + (slopes[:-1] - slopes[1:]) * step / 8
    exact, _, _ = exponential_columns(np.exp(nodes[:-1] + step / 2), bins, bin_ns, irf, period_ns=period_ns)
    return float(np.max(np.abs(middle - exact.T) / exact.T.max(axis=1, keepdims=True)))


def _table(
    bins: int,
    bin_ns: float,
    irf: Response | None,
    period_ns: float | None,
    shift_ns: float,
    keep: npt.NDArray[np.bool_],
) -> tuple[FloatArray, FloatArray, FloatArray]:
    low, high = lifetime_limits(bins, bin_ns, irf)
    nodes = np.linspace(np.log(low), np.log(high), NODES)
    columns, slopes, _ = exponential_columns(
        np.exp(nodes), bins, bin_ns, irf, period_ns=period_ns, shift_ns=shift_ns
    )
    return nodes, np.ascontiguousarray(columns[keep].T), np.ascontiguousarray(slopes[keep].T)
