"""Amplitudes of a sum of columns by Poisson likelihood, compiled: the inner loop of every fit of a decay."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def amplitudes(n, a, fixed, c, usable, forward, inner, gradient_limit, release, nothing):
    """Least deviance of m = a c + fixed over c >= 0, from c, which is overwritten; columns a (p, m) of sum 1.

    usable (p,): columns that are not all 0. forward: steps of expectation maximisation before Newton's
    method with an active set. The rest: limits of `poisson_projection`.
    """
    p, size = a.shape
    total = 0.0
    for i in range(size):
        total += n[i]
    total = max(total, 1.0)
    m, ratio, weight = np.empty(size), np.empty(size), np.empty(size)
    gradient, step, trial = np.empty(p), np.empty(p), np.empty(p)
    for _ in range(forward):  # slow but always forward
        _model(a, c, fixed, m)
        for j in range(p):
            s = 0.0
            for i in range(size):
                s += a[j, i] * n[i] / max(m[i], nothing)
            step[j] = s
        for j in range(p):
            c[j] *= step[j]
    value = _deviance(n, a, c, fixed, m)
    free = np.empty(p, np.bool_)
    for j in range(p):
        free[j] = usable[j] and c[j] > 0
    curvature = np.empty((p, p))
    stuck = False
    for _ in range(inner):
        _model(a, c, fixed, m)
        for i in range(size):
            below = max(m[i], nothing)
            ratio_i = n[i] / below
            ratio[i] = ratio_i
            weight[i] = ratio_i / below
        steepest = 0.0
        for j in range(p):
            s = 0.0
            for i in range(size):
                s += a[j, i] * ratio[i]
            gradient[j] = (1.0 if usable[j] else 0.0) - s
            if free[j]:
                steepest = max(steepest, abs(gradient[j]) * max(c[j], 1.0))
        if steepest < gradient_limit * total or stuck:
            # one at a time: then Newton's step leads into what is allowed
            lowest, let_go = -release, -1
            for j in range(p):
                if usable[j] and not free[j] and gradient[j] < lowest:
                    lowest, let_go = gradient[j], j
            if let_go < 0:
                break
            free[let_go] = True
        for j in range(p):
            for k in range(j + 1):
                s = 0.0
                if free[j] and free[k]:
                    for i in range(size):
                        s += a[j, i] * a[k, i] * weight[i]
                curvature[j, k] = s
                curvature[k, j] = s
        _newton(curvature, gradient, free, step)
        reach = np.inf
        for j in range(p):
            if step[j] < 0:
                reach = min(reach, c[j] / -step[j])
        length, stuck = min(1.0, reach), True
        for _ in range(40):
            for j in range(p):
                trial[j] = max(c[j] + length * step[j], 0.0)
                if step[j] < 0 and c[j] / -step[j] <= length:
                    trial[j] = 0.0
            now = _deviance(n, a, trial, fixed, m)
            if now <= value:
                gone = False
                for j in range(p):
                    if free[j] and trial[j] <= 0:
                        free[j], gone = False, True
                stuck = now > value - 1e-15 * total and not gone
                c[:] = trial
                value = now
                break
            length *= 0.4


@njit(cache=True, nogil=True)
def _model(a, c, fixed, m):
    for i in range(len(m)):
        m[i] = fixed[i]
    for j in range(len(c)):
        row, amount = a[j], c[j]
        for i in range(len(m)):
            m[i] += amount * row[i]


@njit(cache=True, nogil=True)
def _deviance(n, a, c, fixed, m):
    """Deviance, with the model in m; infinite where it forbids counts that are there."""
    _model(a, c, fixed, m)
    found = 0.0
    for i in range(len(m)):
        if n[i] > 0:
            if not 0.0 < m[i] < np.inf:
                return np.inf
            found += m[i] - n[i] - n[i] * np.log(m[i] / n[i])
        else:
            found += m[i]
    return 2.0 * found if np.isfinite(found) else np.inf


@njit(cache=True, nogil=True)
def _newton(curvature, gradient, free, step):
    """Newton's step over the free amplitudes, 0 for the others: a scaled matrix with a trace of 1e-12."""
    p = len(gradient)
    at = np.flatnonzero(free)
    count = len(at)
    scale = np.empty(count)
    for j in range(count):
        scale[j] = np.sqrt(max(curvature[at[j], at[j]], 1e-300))
    work, right = np.empty((count, count)), np.empty(count)
    for j in range(count):
        for k in range(count):
            work[j, k] = curvature[at[j], at[k]] / (scale[j] * scale[k])
        work[j, j] += 1e-12
        right[j] = -gradient[at[j]] / scale[j]
    # Gauss elimination with pivots: the matrix is small
    for j in range(count):
        best = j
        for k in range(j + 1, count):
            if abs(work[k, j]) > abs(work[best, j]):
                best = k
        if best != j:
            for k in range(count):
                work[j, k], work[best, k] = work[best, k], work[j, k]
            right[j], right[best] = right[best], right[j]
        pivot = work[j, j] if work[j, j] != 0.0 else 1e-300
        for k in range(j + 1, count):
            share = work[k, j] / pivot
            for q in range(j, count):
                work[k, q] -= share * work[j, q]
            right[k] -= share * right[j]
    for j in range(count - 1, -1, -1):
        s = right[j]
        for k in range(j + 1, count):
            s -= work[j, k] * right[k]
        right[j] = s / (work[j, j] if work[j, j] != 0.0 else 1e-300)
    for j in range(p):
        step[j] = 0.0
    for j in range(count):
        step[at[j]] = right[j] / scale[j]
