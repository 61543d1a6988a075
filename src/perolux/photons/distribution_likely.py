"""The amplitudes of greatest Poisson likelihood on a grid of lifetimes: converged, with a bound that proves
it.

    L(a) = sum_i m_i - n_i ln m_i,   m = P a + b,   a >= 0
    g    = dL/da = 1 - P^T (n/m)                            optimum: g_k = 0 where a_k > 0, g_k >= 0 elsewhere
    L(a) - min L <= sum_k g_k a_k + N max(-g_k)             convexity, and sum(a) <= N at the minimum

The last line is the `gap`, in units of ln L; the search ends where it is below 1e-6 (of N = 1e6 counts and
more: 1e-12 N, what rounding leaves). Each step puts all lifetimes at which g has a minimum below 0 among
those that are kept, solves the quadratic problem of the kept ones (non-negative, few) and goes along it as
far as L falls: the constrained Newton method for mixtures. The optimum is a few spikes, in practice two to
five pairs of neighbours: a truth of the algebra, not of the sample. Source: Y. Wang, J. R. Stat. Soc. B 69,
185 (2007): recalled; the bound is derived.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import ConvergenceError, InputError
from perolux.photons.decay_fit import make_histogram
from perolux.photons.distribution_grid import grid_of, tabulate
from perolux.photons.instrument_response import Response

__all__ = [
    "GAP",
    "DistributionBatch",
    "fit_distributions_batch",
    "longest_step",
    "most_likely",
    "optimality_gap",
    "possible",
    "quadratic",
    "value_of",
]

FloatArray = npt.NDArray[np.float64]
GAP = 1e-6
_ROUNDING = 1e-12
_MOST_STEPS = 200


def optimality_gap(a: FloatArray, gradient: FloatArray, total: float) -> float:
    """Largest distance of L from its minimum that convexity allows, from a >= 0, its gradient and N."""
    return float(gradient @ a + total * max(0.0, -float(gradient.min())))


def most_likely(
    counts: FloatArray, columns: FloatArray, fixed: FloatArray, *, ordered: int | None = None
) -> tuple[FloatArray, float]:
    """The amplitudes of greatest likelihood, shape (p,), and their `gap`; columns (m, p) with sums of 1.

    ordered: how many of the columns are a grid (default all); the others stand apart, as a background does.
    The plain twin of the compiled `spikes_of_stack`. Raises `ConvergenceError`.
    """
    n, p = counts, columns
    width = p.shape[1]
    grid = width if ordered is None else ordered
    total = float(n.sum())
    enough = max(GAP, _ROUNDING * total)
    if total <= 0:
        return np.zeros(width), 0.0
    if not possible(p.T, fixed)[n > 0].all():
        raise ConvergenceError("the model is 0 where there are counts", fix="let the background be free")
    a = np.full(width, total / width)
    value = np.inf
    gap = np.inf
    for _ in range(_MOST_STEPS):
        m = p @ a + fixed
        w = np.divide(n, m, out=np.zeros_like(m), where=n > 0)
        value = value_of(n, m)
        g = 1 - w @ p
        gap = optimality_gap(a, g, total)
        if gap < enough:
            return a * (1 - g), gap  # a step of expectation maximisation: L falls on, and sum(m) = N exactly
        kept = (a > 0) | (g < 0) & _minima(g, grid)
        s = np.flatnonzero(kept)
        f = p[:, s]
        hessian = f.T @ (f * np.divide(w, m, out=np.zeros_like(m), where=n > 0)[:, None])
        target = quadratic(hessian, g[s] - hessian @ a[s], a[s])
        step = np.zeros(width)
        step[s] = target - a[s]
        length = longest_step(n, m, p @ step)
        promise = float(g @ step)
        while length > 1e-10:
            trial = np.maximum(a + length * step, 0.0)
            now = value_of(n, p @ trial + fixed)
            if now <= value + 1e-4 * length * promise + 1e-15 * (total + abs(value)):
                break
            length *= 0.5
        else:
            trial = a * (w @ p)  # a step of expectation maximisation goes forward always
        a = trial
    raise ConvergenceError(
        f"the distribution did not converge: ln L may still rise by {gap:.2g}", fix="use fewer lifetimes"
    )


def value_of(n: FloatArray, m: FloatArray) -> float:
    """L up to a constant: half the deviance; infinite where the model forbids counts that are there."""
    there = n > 0
    if np.any(m[there] <= 0):
        return float(np.inf)
    return float(m.sum() - n[there] @ np.log(m[there] / n[there]) - n.sum())


def possible(table: FloatArray, fixed: FloatArray) -> npt.NDArray[np.bool_]:
    """Bins that any column, or what is fixed, gives light; table (p, m)."""
    found: npt.NDArray[np.bool_] = (table.sum(axis=0) > 0) | (fixed > 0)
    return found


def longest_step(n: FloatArray, m: FloatArray, change: FloatArray) -> float:
    """1, or less: no bin with counts may lose more than 95 % of its model at once, where L is far from its
    parabola.
    """
    there = n > 0
    worst = float(np.max(-change[there] / m[there], initial=0.0))
    return min(1.0, 0.95 / worst) if worst > 0 else 1.0


def _minima(g: FloatArray, grid: int) -> npt.NDArray[np.bool_]:
    """Where the gradient has a minimum along the grid; columns beside the grid count as such."""
    found = np.ones(len(g), dtype=bool)
    inner = g[:grid]
    found[1:grid] &= inner[1:] <= inner[:-1]
    found[: grid - 1] &= inner[:-1] <= inner[1:]
    return found


def quadratic(h: FloatArray, linear: FloatArray, start: FloatArray) -> FloatArray:
    """The x >= 0 of least x.h.x/2 + linear.x, by an active set (Lawson and Hanson) from a start >= 0."""
    scale = np.sqrt(np.maximum(np.diag(h), 1e-300))
    q, c = h / np.outer(scale, scale), linear / scale
    q = q + 1e-13 * np.eye(len(c))
    x = start * scale
    free = np.ones(len(c), dtype=bool)
    tolerance = 1e-12 * float(np.abs(c).max())
    for _ in range(3 * len(c) + 10):
        while free.any():
            z = np.zeros(len(c))
            z[free] = np.linalg.solve(q[np.ix_(free, free)], -c[free])
            out = free & (z <= 0)
            if not out.any():
                x = z
                break
            reach = np.divide(x, x - z, out=np.zeros_like(x), where=out & (x > 0))
            first = np.flatnonzero(out)[np.argmin(reach[out])]
            x = np.maximum(x + reach[first] * (z - x), 0.0)
            x[first] = 0.0
            free &= x > 0
        if not free.any():
            x = np.zeros(len(c))
        pull = q @ x + c
        waiting = ~free & (pull < -tolerance)
        if not waiting.any():
            break
        free[np.flatnonzero(waiting)[np.argmin(pull[waiting])]] = True
    return x / scale


@dataclass(frozen=True, eq=False)
class DistributionBatch:
    """Distributions of d decays on k lifetimes; a decay without photons, or with some where the model allows
    none (before the pulse, background 0), is NaN and not converged.

    tau_ns: shape (k,). photons: over all times (with a period: per period), shape (d, k). background: counts
    per bin, shape (d,). gap: how much ln L may still rise at most, shape (d,). converged: shape (d,). steps
    of the search, shape (d,). deviance: shape (d,).
    """

    tau_ns: FloatArray
    photons: FloatArray
    background: FloatArray
    deviance: FloatArray
    gap: FloatArray
    converged: npt.NDArray[np.bool_]
    steps: npt.NDArray[np.int64]

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


def fit_distributions_batch(
    counts: npt.ArrayLike,
    bin_ns: float,
    *,
    irf: Response | None = None,
    period_ns: float | None = None,
    shift_ns: float = 0.0,
    background: float | None = None,
    used: npt.ArrayLike | None = None,
    grid: tuple[float, float, int] | None = None,
    threads: int | None = None,
) -> DistributionBatch:
    """The distribution of greatest likelihood of each row of counts, shape (d, n), all behind one response.

    shift_ns: of the response. background: counts per bin of each where known, free otherwise. used: bins to
    fit, shape (n,); without a response the decay begins at the first of them (default: the highest bin of the
    sum). grid: as `grid_of`. threads: default all cores. Raises as `fit_decay`.

    >>> decay = np.rint(200 * np.exp(-np.arange(200) * 0.1 / np.array([[2.0], [4.0]])) + 1)
    >>> fit_distributions_batch(decay, 0.1).average_intensity_ns.round(1).tolist()
    [2.0, 4.0]
    """
    from perolux.photons._distribution_kernels import spikes_of_stack

    stack = np.asarray(counts, dtype=float)
    if stack.ndim != 2 or not len(stack) or not np.isfinite(stack).all() or np.any(stack < 0):
        raise InputError("a batch needs counts of shape (decays, bins) that are not negative")
    pooled = stack.sum(axis=0)
    h = make_histogram(np.rint(pooled), bin_ns, irf=irf, period_ns=period_ns, used=used)
    data = np.ascontiguousarray(stack[:, stack.shape[1] - len(h.counts) :][:, h.used])
    problem = tabulate(h, grid_of(h, grid), shift_ns=shift_ns, background=background)
    d, k, width = len(data), len(problem.tau_ns), problem.columns.shape[1]
    table = np.ascontiguousarray(problem.columns.T)
    seen = possible(table, problem.fixed)
    nothing = (data.sum(axis=1) <= 0) | (data[:, ~seen] > 0).any(axis=1)
    data[nothing] = 0.0
    total = data.sum(axis=1)
    enough = np.maximum(GAP, _ROUNDING * total)
    # all begin at the optimum of the sum, with a trace of everything so that no count is impossible
    whole = data.sum(axis=0)
    shares = most_likely(whole, problem.columns, problem.fixed * max(1, int((~nothing).sum())), ordered=k)[0]
    shares = shares / max(float(whole.sum()), 1.0)
    start = 0.9 * shares + 0.1 / width
    start[(shares <= 0) & (np.arange(width) % max(1, k // 6) != 0)] = 0.0
    amount, gap, steps = np.zeros((d, width)), np.zeros(d), np.zeros(d, dtype=np.int64)

    def part(piece: slice) -> None:
        spikes_of_stack(
            data[piece], table, problem.fixed, k, start, _MOST_STEPS, enough[piece], amount[piece],
            gap[piece],
            steps[piece],
        )  # fmt: skip

    workers = max(1, threads or os.cpu_count() or 1)
    size = max(1, -(-d // (4 * workers)))
    pieces = [slice(i, min(i + size, d)) for i in range(0, d, size)]
    if workers == 1 or len(pieces) == 1:
        for piece in pieces:
            part(piece)
    else:
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(part, pieces))
    amount[nothing] = np.nan
    model = amount @ table + problem.fixed
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(data > 0, data * np.log(data / model), 0.0) - data + model
    return DistributionBatch(
        problem.tau_ns,
        amount[:, :k] / problem.unit[:k],
        amount[:, k] / problem.unit[k] if problem.background_free else np.full(d, background, dtype=float),
        2 * terms.sum(axis=1),
        gap,
        (gap < enough) & ~nothing,
        steps,
    )
