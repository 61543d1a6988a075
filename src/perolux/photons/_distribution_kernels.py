"""Compiled distributions of lifetimes of greatest likelihood. The plain twin is
`distribution_likely.most_likely`.
"""

from __future__ import annotations

import numpy as np
from numba import njit

_FAST = {"contract", "reassoc", "nsz", "arcp"}


@njit(cache=True, nogil=True, fastmath=_FAST)
def spikes_of_stack(counts, table, fixed, grid, start, most, enough, amount, gap, steps):
    """Constrained Newton search of each row of counts, shape (d, n).

    table (p, n): columns as rows, sums 1; the first `grid` are in the order of lifetimes. fixed (n,). start
    (p,): shares to begin with, above 0 somewhere. enough (d,): gap at which a row ends. Results: amount (d,
    p), gap (d,), steps (d,).
    """
    d, n = counts.shape
    p = table.shape[0]
    m, w, curve, change = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
    a, g, trial = np.zeros(p), np.zeros(p), np.zeros(p)
    kept = np.zeros(p, np.int64)
    for one in range(d):
        y = counts[one]
        total = 0.0
        for i in range(n):
            total += y[i]
        if total <= 0:
            amount[one] = 0.0
            gap[one] = 0.0
            continue
        for k in range(p):
            a[k] = start[k] * total
        value = _model(a, table, fixed, y, m)
        for step in range(most):
            steps[one] = step
            for i in range(n):
                w[i] = y[i] / m[i] if y[i] > 0 else 0.0
            slack, lowest = 0.0, 0.0
            for k in range(p):
                column = table[k]
                s = 0.0
                for i in range(n):
                    s += column[i] * w[i]
                g[k] = 1 - s
                slack += g[k] * a[k]
                lowest = min(lowest, g[k])
            gap[one] = slack - total * lowest
            if gap[one] < enough[one]:
                for k in range(p):  # a step of expectation maximisation: sum(m) = N exactly
                    a[k] *= 1 - g[k]
                break
            size = 0
            for k in range(p):
                keep = a[k] > 0
                if not keep and g[k] < 0:
                    keep = True
                    if k < grid:
                        if k > 0 and g[k - 1] < g[k]:
                            keep = False
                        if k + 1 < grid and g[k + 1] < g[k]:
                            keep = False
                if keep:
                    kept[size] = k
                    size += 1
            for i in range(n):
                curve[i] = w[i] / m[i] if y[i] > 0 else 0.0
            hessian, linear, x = np.zeros((size, size)), np.zeros(size), np.zeros(size)
            weighted = np.zeros(n)
            for j in range(size):
                column = table[kept[j]]
                for i in range(n):
                    weighted[i] = column[i] * curve[i]
                for c in range(j + 1):
                    other = table[kept[c]]
                    s = 0.0
                    for i in range(n):
                        s += weighted[i] * other[i]
                    hessian[j, c] = s
                    hessian[c, j] = s
            for j in range(size):
                x[j] = a[kept[j]]
                linear[j] = g[kept[j]]
                for c in range(size):
                    linear[j] -= hessian[j, c] * a[kept[c]]
            _quadratic(hessian, linear, x)
            promise = 0.0
            for j in range(size):
                promise += g[kept[j]] * (x[j] - a[kept[j]])
            # no bin with counts may lose more than 95 % of its model at once
            for i in range(n):
                change[i] = 0.0
            for j in range(size):
                column, part = table[kept[j]], x[j] - a[kept[j]]
                for i in range(n):
                    change[i] += part * column[i]
            worst = 0.0
            for i in range(n):
                if y[i] > 0:
                    worst = max(worst, -change[i] / m[i])
            length = min(1.0, 0.95 / worst) if worst > 0 else 1.0
            found = False
            while length > 1e-10:
                trial[:] = 0.0
                for j in range(size):
                    trial[kept[j]] = max(a[kept[j]] + length * (x[j] - a[kept[j]]), 0.0)
                now = _model(trial, table, fixed, y, m)
                if now <= value + 1e-4 * length * promise + 1e-15 * (total + abs(value)):
                    found = True
                    break
                length *= 0.5
            if not found:
                for k in range(p):
                    trial[k] = a[k] * (1 - g[k])
                now = _model(trial, table, fixed, y, m)
            value = now
            a[:] = trial
        amount[one] = a


@njit(cache=True, nogil=True, fastmath=_FAST)
def _model(a, table, fixed, y, m):
    """m in place; sum m - n - n ln(m/n)."""
    n = len(y)
    for i in range(n):
        m[i] = fixed[i]
    for k in range(len(a)):
        if a[k] > 0:
            column, part = table[k], a[k]
            for i in range(n):
                m[i] += part * column[i]
    value = 0.0
    for i in range(n):
        if y[i] > 0:
            if m[i] <= 0:
                return np.inf
            value += m[i] - y[i] - y[i] * np.log(m[i] / y[i])
        else:
            value += m[i]
    return value


@njit(cache=True, nogil=True)
def _quadratic(h, linear, x):
    """The x >= 0 of least x.h.x/2 + linear.x, in place, from x >= 0: Lawson and Hanson's active set."""
    n = len(x)
    scale, c, q = np.zeros(n), np.zeros(n), np.zeros((n, n))
    largest = 0.0
    for j in range(n):
        scale[j] = np.sqrt(max(h[j, j], 1e-300))
        c[j] = linear[j] / scale[j]
        x[j] *= scale[j]
        largest = max(largest, abs(c[j]))
    for j in range(n):
        for k in range(n):
            q[j, k] = h[j, k] / (scale[j] * scale[k])
        q[j, j] += 1e-13
    free = np.ones(n, np.bool_)
    z = np.zeros(n)
    for _ in range(3 * n + 10):
        any_free = True
        while any_free:
            _solve_free(q, c, free, z)
            least, first = np.inf, -1
            for j in range(n):
                if free[j] and z[j] <= 0:
                    reach = x[j] / (x[j] - z[j]) if x[j] > 0 else 0.0
                    if reach < least:
                        least, first = reach, j
            if first < 0:
                for j in range(n):
                    x[j] = z[j] if free[j] else 0.0
                break
            any_free = False
            for j in range(n):
                if free[j]:
                    x[j] = max(x[j] + least * (z[j] - x[j]), 0.0)
                else:
                    x[j] = 0.0
                if j == first:
                    x[j] = 0.0
                free[j] = x[j] > 0
                any_free = any_free or free[j]
        worst, add = -1e-12 * largest, -1
        for j in range(n):
            if not free[j]:
                pull = c[j]
                for k in range(n):
                    pull += q[j, k] * x[k]
                if pull < worst:
                    worst, add = pull, j
        if add < 0:
            break
        free[add] = True
    for j in range(n):
        x[j] /= scale[j]


@njit(cache=True, nogil=True)
def _solve_free(q, c, free, z):
    """z of the free rows by Cholesky's method."""
    n = len(c)
    place = np.zeros(n, np.int64)
    size = 0
    for j in range(n):
        if free[j]:
            place[size] = j
            size += 1
    low, b = np.zeros((size, size)), np.zeros(size)
    for j in range(size):
        for k in range(j + 1):
            s = q[place[j], place[k]]
            for r in range(k):
                s -= low[j, r] * low[k, r]
            if j == k:
                low[j, j] = np.sqrt(max(s, 1e-15))
            else:
                low[j, k] = s / low[k, k]
        s = -c[place[j]]
        for r in range(j):
            s -= low[j, r] * b[r]
        b[j] = s / low[j, j]
    for j in range(size - 1, -1, -1):
        s = b[j]
        for r in range(j + 1, size):
            s -= low[r, j] * b[r]
        b[j] = s / low[j, j]
        z[place[j]] = b[j]
