"""Distributions of lifetimes that are asked to be smooth: greatest entropy, or least curvature, on a grid.

    entropy    Q = L(a) + w sum[a ln(a/d) - a + d]          d: even in ln(tau), N in all
    curvature  Q = L(a) + w N/2 sum[(a_k-1 - 2 a_k + a_k+1)/N]^2,   a >= 0

Both are convex: one optimum, found by Newton's method. The weight w comes from the data. For the entropy by
the evidence (Laplace, measure prod a^-1/2):

    ln E(w) = -Q(a) - 1/2 sum ln(1 + v/w)                   v: eigenvalues of a^1/2 L'' a^1/2

for the curvature by cross-validation: photons are dealt to five folds (thinned Poisson counts are
independent Poisson counts), and what is fitted to four must foretell the fifth. w is kept from fold to
whole, for the penalty scales with N as L does. Source: Skilling and Bryan, Mon. Not. R. Astron. Soc. 211,
111 (1984); Gull, Maximum Entropy and Bayesian Methods 53 (1989); Provencher, Computer Physics Communications
27, 213 (1982): recalled.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from perolux.errors import ConvergenceError
from perolux.photons.distribution_grid import Tabulated
from perolux.photons.distribution_likely import longest_step, optimality_gap, quadratic, value_of

__all__ = [
    "DONE",
    "MOST_STEPS",
    "Basis",
    "basis_of",
    "by_cross_validation",
    "by_evidence",
    "curvature_fit",
    "entropy_fit",
]

FloatArray = npt.NDArray[np.float64]

_FOLDS, MOST_STEPS = 5, 200
DONE = 1e-7
"""Fall of Q that one more step promises; below, the search ends."""
_WEIGHTS = np.geomspace(300.0, 1e-3, 15)
"""Weights of the entropy, times N: at w N = 1 an entropy of one per photon costs one unit of ln L."""
_CURVATURE_WEIGHTS = np.geomspace(1e9, 1e0, 10)
"""Weights of the curvature, times N."""


@dataclass(frozen=True, eq=False)
class Basis:
    """Singular vectors of the columns: columns = left @ right to 1e-12; the curvature of L lives in them."""

    left: FloatArray
    right: FloatArray

    def hessian(self, weight: FloatArray) -> FloatArray:
        """columns.T @ diag(weight) @ columns."""
        inner = self.left.T @ (self.left * weight[:, None])
        found: FloatArray = self.right.T @ inner @ self.right
        return found


def basis_of(problem: Tabulated) -> Basis:
    """Columns of sixty lifetimes are some fifteen independent ones."""
    u, s, v = np.linalg.svd(problem.columns, full_matrices=False)
    r = int(np.sum(s > 1e-12 * s[0]))
    return Basis(u[:, :r], s[:r, None] * v[:r])


def entropy_fit(
    problem: Tabulated, basis: Basis, weight: float, start: FloatArray | None = None
) -> FloatArray:
    """Amplitudes of least Q with the entropy of the lifetimes (not of the background), shape (p,).

    Raises `ConvergenceError`.
    """
    n, p, k = problem.counts, problem.columns, len(problem.tau_ns)
    total = float(n.sum())
    even = total / k
    own = np.full(p.shape[1], weight)
    own[k:] = 0.0
    a = np.full(p.shape[1], even) if start is None else np.maximum(start, 1e-12 * even)

    def evaluate(a: FloatArray) -> tuple[float, FloatArray]:
        m = p @ a + problem.fixed
        x = a[:k]
        return value_of(n, m) + weight * float(x @ np.log(x / even) - x.sum() + k * even), m

    value, m = evaluate(a)
    for _ in range(MOST_STEPS):
        w = np.divide(n, m, out=np.zeros_like(m), where=n > 0)
        pull = 1 - w @ p
        pull[:k] += weight * np.log(a[:k] / even)
        # in ln(a) the exact curvature has a pull/a more on its diagonal, which is 0 at the optimum; where a
        # background runs to 0 it is not, and makes the step one of ln(a) by -1
        root = np.sqrt(a)
        curvature = basis.hessian(np.divide(w, m, out=np.zeros_like(m), where=n > 0))
        matrix = curvature * np.outer(root, root)
        matrix[np.diag_indices_from(matrix)] += own + np.where(own > 0, 1e-14, np.maximum(pull, 1e-14))
        step = -np.linalg.solve(matrix, root * pull) / root
        promise = float((a * pull) @ step)
        if -promise < DONE:
            return a
        length = 1.0
        while length > 1e-8:
            # straight, as the model is, and bent only where a would lose more than half
            moved = length * step
            factor = np.where(moved > -0.5, 1 + moved, -0.25 / np.minimum(moved, -0.5))
            trial = np.maximum(a * factor, 1e-25 * even)
            now, m = evaluate(trial)
            if now <= value + 1e-4 * length * promise + 1e-15 * (total + abs(value)):
                break
            length *= 0.4
        else:
            break
        a, value = trial, now
    raise ConvergenceError(
        f"the distribution of greatest entropy did not converge at a weight of {weight:.3g}",
        fix="use fewer lifetimes",
    )


def curvature_fit(
    problem: Tabulated, basis: Basis, weight: float, start: FloatArray | None = None
) -> FloatArray:
    """Amplitudes a >= 0 of least Q with the curvature, shape (p,): a quadratic problem a step.

    Raises `ConvergenceError`.
    """
    n, p, k = problem.counts, problem.columns, len(problem.tau_ns)
    total = float(n.sum())
    second = np.zeros((k - 2, p.shape[1]))
    for j in range(k - 2):
        second[j, j : j + 3] = 1.0, -2.0, 1.0
    penalty = weight / total * second.T @ second
    a = np.full(p.shape[1], total / p.shape[1]) if start is None else start + 1e-6 * total / p.shape[1]

    def evaluate(a: FloatArray) -> tuple[float, FloatArray]:
        m = p @ a + problem.fixed
        return value_of(n, m) + 0.5 * float(a @ penalty @ a), m

    value, m = evaluate(a)
    for _ in range(MOST_STEPS):
        w = np.divide(n, m, out=np.zeros_like(m), where=n > 0)
        pull = 1 - w @ p + penalty @ a
        if optimality_gap(a, pull, total) < DONE:
            return a
        h = basis.hessian(np.divide(w, m, out=np.zeros_like(m), where=n > 0)) + penalty
        step = quadratic(h, pull - h @ a, a) - a
        promise = float(pull @ step)
        if -promise < DONE:
            return a
        length = longest_step(n, m, p @ step)
        while length > 1e-10:
            trial = np.maximum(a + length * step, 0.0)
            now, m = evaluate(trial)
            if now <= value + 1e-4 * length * promise + 1e-15 * (total + abs(value)):
                break
            length *= 0.4
        else:
            break
        a, value = trial, now
    raise ConvergenceError(
        f"the distribution of least curvature did not converge at a weight of {weight:.3g}",
        fix="use fewer lifetimes",
    )


def by_evidence(problem: Tabulated, basis: Basis) -> tuple[FloatArray, float, bool]:
    """Amplitudes of greatest entropy, their weight by the evidence, and whether the evidence had its peak
    inside the weights tried.
    """
    total = float(problem.counts.sum())
    weights, logs, fits = _WEIGHTS / total, [], []
    a: FloatArray | None = None
    for weight in weights:
        a = entropy_fit(problem, basis, float(weight), a)
        fits.append(a)
        logs.append(_log_evidence(problem, basis, a, float(weight)))
        if len(logs) > 3 and logs[-1] < max(logs) - 10:
            break
    best = int(np.argmax(logs))
    inside = 0 < best < len(logs) - 1
    weight = float(weights[best])
    if inside:  # the peak of the parabola through three
        low, middle, high = logs[best - 1 : best + 2]
        moved = 0.5 * (low - high) / (low - 2 * middle + high)
        weight *= float((weights[1] / weights[0]) ** moved)
    return entropy_fit(problem, basis, weight, fits[best]), weight, inside


def _log_evidence(problem: Tabulated, basis: Basis, a: FloatArray, weight: float) -> float:
    n, k = problem.counts, len(problem.tau_ns)
    m = problem.columns @ a + problem.fixed
    x, even = a[:k], float(n.sum()) / k
    q = value_of(n, m) + weight * float(x @ np.log(x / even) - x.sum() + k * even)
    h = basis.hessian(np.divide(n, m**2, out=np.zeros_like(m), where=n > 0))
    inner = h[:k, :k]
    if problem.background_free:  # the background adapts
        inner = inner - np.outer(h[:k, k], h[k, :k]) / max(float(h[k, k]), 1e-300)
    root = np.sqrt(x)
    v = np.maximum(np.linalg.eigvalsh(inner * np.outer(root, root)), 0.0)
    return -q - 0.5 * float(np.log1p(v / weight).sum())


def by_cross_validation(
    problem: Tabulated, basis: Basis, rng: np.random.Generator
) -> tuple[FloatArray, float, bool]:
    """Amplitudes of least curvature, their weight by five folds of photons, and whether the best weight lay
    inside those tried.
    """
    n, b = problem.counts, problem.bins
    total = float(n.sum())
    folds = np.zeros((_FOLDS, len(n)))
    left = n[:b].astype(np.int64)
    for i in range(_FOLDS):
        folds[i, :b] = left if i == _FOLDS - 1 else rng.binomial(left, 1 / (_FOLDS - i))
        left = left - folds[i, :b].astype(np.int64)
    folds[:, b:] = n[b:] / _FOLDS
    score = np.zeros(len(_CURVATURE_WEIGHTS))
    part = 1 - 1 / _FOLDS
    for fold in folds:
        train = replace(problem, counts=n - fold, fixed=problem.fixed * part)
        a: FloatArray | None = None
        for j, weight in enumerate(_CURVATURE_WEIGHTS / total):
            a = curvature_fit(train, basis, float(weight), a)
            foretold = (problem.columns @ a + train.fixed)[:b] / (_FOLDS - 1)
            score[j] += value_of(fold[:b], np.maximum(foretold, 1e-12 * total / b))
    best = int(np.argmin(score))
    inside = 0 < best < len(score) - 1
    logs = np.log(_CURVATURE_WEIGHTS / total)
    chosen = logs[best]
    if inside:
        low, middle, high = score[best - 1 : best + 2]
        chosen += 0.5 * (low - high) / (low - 2 * middle + high) * (logs[1] - logs[0])
    weight = float(np.exp(chosen))
    return curvature_fit(problem, basis, weight), weight, inside
