"""Compiled distributions of greatest entropy and of least curvature. The plain twins are `entropy_fit` and
`curvature_fit` of `distribution_smooth`, step by step.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from perolux.photons._distribution_kernels import _quadratic


@njit(cache=True, nogil=True)
def entropy_of_stack(counts, columns, left, right, fixed, grid, weights, most, done, amount, steps):
    """Newton search of each row of counts (d, n) with its weight (d,).

    columns (n, p), sums 1, the first `grid` in the order of lifetimes; left (n, r) @ right (r, p) = columns;
    fixed (n,). Results: amount (d, p), steps (d,), -1 where it did not converge.
    """
    d = len(counts)
    p = columns.shape[1]
    wide = np.ascontiguousarray(left.T)
    for one in range(d):
        n, weight = counts[one], weights[one]
        total = n.sum()
        even = total / grid
        a = np.full(p, even)
        m = np.dot(columns, a) + fixed
        value = _likelihood(n, m) + weight * _entropy(a, even, grid)
        steps[one] = -1
        for step_number in range(most):
            w = _ratio(n, m)
            pull = 1 - np.dot(w, columns)
            for k in range(grid):
                pull[k] += weight * np.log(a[k] / even)
            root = np.sqrt(a)
            own = weight + (1e-14 if weight > 0 else 0.0)
            free = max(pull[p - 1], 1e-14) if p > grid else 0.0
            inner = np.dot(wide, left * _ratio(w, m).reshape(-1, 1))
            step = -_newton(inner, right, root, own, free, grid, root * pull) / root
            promise = 0.0
            for k in range(p):
                promise += a[k] * pull[k] * step[k]
            if -promise < done:
                steps[one] = step_number
                break
            length, found = 1.0, False
            trial, now = a, value
            while length > 1e-8:
                trial = np.empty(p)
                for k in range(p):
                    moved = length * step[k]
                    factor = 1 + moved if moved > -0.5 else -0.25 / moved
                    trial[k] = max(a[k] * factor, 1e-25 * even)
                m = np.dot(columns, trial) + fixed
                now = _likelihood(n, m) + weight * _entropy(trial, even, grid)
                if now <= value + 1e-4 * length * promise + 1e-15 * (total + abs(value)):
                    found = True
                    break
                length *= 0.4
            if not found:
                break
            a, value = trial, now
        amount[one] = a


@njit(cache=True, nogil=True)
def curvature_of_stack(counts, columns, left, right, fixed, second, weights, most, done, amount, steps):
    """The same for least curvature; second (p, p): sum of the squares of second differences as a form."""
    d = len(counts)
    p = columns.shape[1]
    wide = np.ascontiguousarray(left.T)
    for one in range(d):
        n = counts[one]
        total = n.sum()
        penalty = weights[one] / total * second
        a = np.full(p, total / p)
        m = np.dot(columns, a) + fixed
        value = _likelihood(n, m) + 0.5 * np.dot(a, np.dot(penalty, a))
        steps[one] = -1
        for step_number in range(most):
            w = _ratio(n, m)
            pull = 1 - np.dot(w, columns) + np.dot(penalty, a)
            if np.dot(pull, a) + total * max(0.0, -pull.min()) < done:
                steps[one] = step_number
                break
            matrix = _hessian(left, wide, right, _ratio(w, m)) + penalty
            goal = a.copy()
            _quadratic(matrix, pull - np.dot(matrix, a), goal)
            step = goal - a
            promise = np.dot(pull, step)
            if -promise < done:
                steps[one] = step_number
                break
            change = np.dot(columns, step)
            worst = 0.0
            for i in range(len(n)):
                if n[i] > 0:
                    worst = max(worst, -change[i] / m[i])
            length = min(1.0, 0.95 / worst) if worst > 0 else 1.0
            found = False
            trial, now = a, value
            while length > 1e-10:
                trial = np.maximum(a + length * step, 0.0)
                m = np.dot(columns, trial) + fixed
                now = _likelihood(n, m) + 0.5 * np.dot(trial, np.dot(penalty, trial))
                if now <= value + 1e-4 * length * promise + 1e-15 * (total + abs(value)):
                    found = True
                    break
                length *= 0.4
            if not found:
                break
            a, value = trial, now
        amount[one] = a


@njit(cache=True, nogil=True)
def _newton(inner, right, root, own, free, grid, b):
    """x of (diag + V inner V^T) x = b, V = root right^T, diag own on the grid and free behind it.

    On the grid by (own + V L L^T V^T)^-1 = [1 - V L (own + L^T V^T V L)^-1 L^T V^T]/own, L L^T = inner; the
    background, whose diagonal may be nothing, is eliminated.
    """
    p, r = len(b), len(inner)
    v = np.ascontiguousarray((right * root).T)
    on = v[:grid]
    half = np.dot(on, np.linalg.cholesky(inner + 1e-15 * np.trace(inner) * np.eye(r)))
    small = np.dot(np.ascontiguousarray(half.T), half)
    for j in range(r):
        small[j, j] += own
    x = np.empty(p)
    if p == grid:
        x[:] = (b - np.dot(half, np.linalg.solve(small, np.dot(b, half)))) / own
        return x
    last = np.dot(inner, v[grid])
    cross = np.dot(on, last)
    both = np.empty((grid, 2))
    both[:, 0] = b[:grid]
    both[:, 1] = cross
    gone = np.linalg.solve(small, np.dot(np.ascontiguousarray(half.T), both))
    both = (both - np.dot(half, gone)) / own
    corner = free + np.dot(v[grid], last) - np.dot(cross, np.ascontiguousarray(both[:, 1]))
    x[grid] = (b[grid] - np.dot(cross, np.ascontiguousarray(both[:, 0]))) / corner
    x[:grid] = both[:, 0] - both[:, 1] * x[grid]
    return x


@njit(cache=True, nogil=True)
def _hessian(left, wide, right, weight):
    """columns.T @ diag(weight) @ columns, by the singular vectors."""
    inner = np.dot(wide, left * weight.reshape(-1, 1))
    return np.dot(np.dot(np.ascontiguousarray(right.T), inner), right)


@njit(cache=True, nogil=True)
def _ratio(n, m):
    found = np.zeros(len(n))
    for i in range(len(n)):
        if n[i] > 0:
            found[i] = n[i] / m[i]
    return found


@njit(cache=True, nogil=True)
def _likelihood(n, m):
    """sum m - n - n ln(m/n); infinite where the model forbids counts that are there."""
    value = 0.0
    for i in range(len(n)):
        if n[i] > 0:
            if m[i] <= 0:
                return np.inf
            value += m[i] - n[i] - n[i] * np.log(m[i] / n[i])
        else:
            value += m[i]
    return value


@njit(cache=True, nogil=True)
def _entropy(a, even, grid):
    value = 0.0
    for k in range(grid):
        value += a[k] * np.log(a[k] / even) - a[k] + even
    return value
