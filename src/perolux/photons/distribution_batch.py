"""Smooth distributions of lifetimes of many decays behind one response: greatest entropy, or least curvature.

The optimum of each decay is that of `distribution_smooth.entropy_fit` or `curvature_fit` with the same weight
(compiled, the same steps). One weight times N serves all: by evidence, or by cross-validation, of a decay
that is the mean of them, rounded. A decay with fewer photons is then smoothed as much as the mean decay is.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from perolux.errors import InputError, OptionError
from perolux.photons.decay_fit import make_histogram
from perolux.photons.distribution_grid import grid_of, tabulate
from perolux.photons.distribution_likely import possible
from perolux.photons.distribution_smooth import DONE, MOST_STEPS, basis_of, by_cross_validation, by_evidence
from perolux.photons.instrument_response import Response

__all__ = ["SmoothBatch", "fit_smooth_batch"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SmoothBatch:
    """Distributions of d decays on k lifetimes; NaN and not converged as in `DistributionBatch`.

    tau_ns: shape (k,). photons: over all times (with a period: per period), shape (d, k). background: counts
    per bin, shape (d,). deviance, steps, converged: shape (d,). weight_times_photons: of the penalty, N w.
    """

    method: str
    tau_ns: FloatArray
    photons: FloatArray
    background: FloatArray
    deviance: FloatArray
    converged: npt.NDArray[np.bool_]
    steps: npt.NDArray[np.int64]
    weight_times_photons: float

    def __len__(self) -> int:
        return len(self.photons)

    @property
    def average_intensity_ns(self) -> FloatArray:
        """sum(N tau)/sum(N), shape (d,)."""
        return self.photons @ self.tau_ns / self.photons.sum(axis=1)

    @property
    def average_amplitude_ns(self) -> FloatArray:
        """sum(N)/sum(N/tau), shape (d,)."""
        return self.photons.sum(axis=1) / (self.photons @ (1 / self.tau_ns))


def fit_smooth_batch(
    counts: npt.ArrayLike,
    bin_ns: float,
    *,
    method: str = "entropy",
    weight_times_photons: float | None = None,
    irf: Response | None = None,
    period_ns: float | None = None,
    shift_ns: float = 0.0,
    background: float | None = None,
    used: npt.ArrayLike | None = None,
    grid: tuple[float, float, int] | None = None,
    threads: int | None = None,
    rng: np.random.Generator | None = None,
) -> SmoothBatch:
    """The smooth distribution of each row of counts, shape (d, n); the rest as `fit_distributions_batch`.

    method: entropy or curvature. weight_times_photons: N w of the penalty, from the mean decay if left out;
    the weight of a decay of N photons is that over N. rng: deals photons to folds (curvature). Raises as
    `fit_decay`.

    >>> decay = np.rint(2000 * np.exp(-np.arange(200) * 0.1 / np.array([[2.0], [4.0]])) + 1)
    >>> fit_smooth_batch(decay, 0.1).average_intensity_ns.round(1).tolist()
    [2.0, 4.0]
    """
    from perolux.photons._smooth_kernels import curvature_of_stack, entropy_of_stack

    if method not in ("entropy", "curvature"):
        raise OptionError(f"no method is called {method!r}", where="method", allowed="entropy, curvature")
    if weight_times_photons is not None and not 0 < weight_times_photons < np.inf:
        raise OptionError(f"a weight of {weight_times_photons:g}", allowed="a positive number")
    stack = np.asarray(counts, dtype=float)
    if stack.ndim != 2 or not len(stack) or not np.isfinite(stack).all() or np.any(stack < 0):
        raise InputError("a batch needs counts of shape (decays, bins) that are not negative")
    h = make_histogram(np.rint(stack.sum(axis=0)), bin_ns, irf=irf, period_ns=period_ns, used=used)
    data = np.ascontiguousarray(stack[:, stack.shape[1] - len(h.counts) :][:, h.used])
    problem = tabulate(h, grid_of(h, grid), shift_ns=shift_ns, background=background)
    basis, k, width = basis_of(problem), len(problem.tau_ns), problem.columns.shape[1]
    total = data.sum(axis=1)
    nothing = (total <= 0) | (data[:, ~possible(problem.columns.T, problem.fixed)] > 0).any(axis=1)
    if nothing.all():
        raise InputError("no decay of the batch has photons where the model allows them")
    if weight_times_photons is None:
        whole = replace(problem, counts=np.rint(data[~nothing].mean(axis=0)))
        if whole.counts.sum() < 1:
            whole = replace(problem, counts=data[~nothing].sum(axis=0))
        if method == "entropy":
            weight = by_evidence(whole, basis)[1]
        else:
            weight = by_cross_validation(whole, basis, rng or np.random.default_rng(0))[1]
        weight_times_photons = weight * float(whole.counts.sum())
    amount = np.full((len(data), width), np.nan)
    steps = np.full(len(data), -1, dtype=np.int64)
    rows = np.flatnonzero(~nothing)
    fitted, taken = np.zeros((len(rows), width)), np.zeros(len(rows), dtype=np.int64)
    given, weights = np.ascontiguousarray(data[rows]), weight_times_photons / total[rows]
    left, right = np.ascontiguousarray(basis.left), np.ascontiguousarray(basis.right)
    second = np.zeros((k - 2, width))
    for j in range(k - 2):
        second[j, j : j + 3] = 1.0, -2.0, 1.0
    form = second.T @ second

    def part(piece: slice) -> None:
        more = (weights[piece], MOST_STEPS, DONE, fitted[piece], taken[piece])
        if method == "entropy":
            entropy_of_stack(given[piece], problem.columns, left, right, problem.fixed, k, *more)
        else:
            curvature_of_stack(given[piece], problem.columns, left, right, problem.fixed, form, *more)

    workers = max(1, threads or os.cpu_count() or 1)
    size = max(1, -(-len(rows) // (4 * workers)))
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(part, [slice(i, i + size) for i in range(0, len(rows), size)]))
    amount[rows], steps[rows] = fitted, taken
    amount[steps < 0] = np.nan
    model = amount @ problem.columns.T + problem.fixed
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(data > 0, data * np.log(data / model), 0.0) - data + model
    return SmoothBatch(
        method,
        problem.tau_ns,
        amount[:, :k] / problem.unit[:k],
        amount[:, k] / problem.unit[k]
        if problem.background_free
        else np.full(len(data), background, dtype=float),
        2 * terms.sum(axis=1),
        steps >= 0,
        steps,
        weight_times_photons,
    )
