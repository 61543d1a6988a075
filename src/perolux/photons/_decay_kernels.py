"""Compiled fits of many decays with one response. A plain twin stands in the tests (`fit_decay`)."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, fastmath={"contract", "reassoc", "nsz", "arcp"})
def fit_stack(counts, table, slopes, first, step, start, most, theta, amount, deviance, sigma, state):
    """Fisher scoring of each decay over ln(tau) and amplitudes that are not negative.

    counts (d, n). table, slopes (nodes, n): columns and their derivatives by ln(tau), nodes at first + j
    step; between them cubic Hermite. start (d, k): ln(tau). Results: theta (d, k), amount (d, k + 1: photons,
    then background per bin), deviance (d,), sigma (d, 2 k + 1) of ln(tau), amounts and background (NaN:
    none), state (d,): 0 not converged, 1 done, 2 done with a parameter on a bound.
    """
    d, n = counts.shape
    k = start.shape[1]
    q = 2 * k + 1
    nodes = table.shape[0]
    low, high = first, first + (nodes - 1) * step
    phi, by_tau = np.zeros((k, n)), np.zeros((k, n))
    grad, info = np.zeros(q), np.zeros((q, q))
    p, trial, move = np.zeros(q), np.zeros(q), np.zeros(q)
    derivative = np.zeros((q, n))
    held = np.zeros(q, np.bool_)
    model = np.zeros(n)
    weight, pull = np.zeros(n), np.zeros(n)
    for one in range(d):
        y = counts[one]
        total = 0.0
        for i in range(n):
            total += y[i]
        if total <= 0:
            state[one] = 0
            deviance[one] = np.nan
            theta[one], amount[one], sigma[one] = np.nan, np.nan, np.nan
            continue
        constant = 0.0
        for i in range(n):
            if y[i] > 0:
                constant += y[i] * np.log(y[i]) - y[i]
        for j in range(k):
            p[j] = min(max(start[one, j], low), high)
            p[k + j] = 0.9 * total / k
        p[2 * k] = 0.1 * total / n
        value = np.inf
        damping = 1e-3
        done = 0
        promise = np.inf
        fresh = False
        trial[:] = p
        for _ in range(most):
            for j in range(k):
                place = (trial[j] - first) / step
                node = min(max(int(place), 0), nodes - 2)
                u = place - node
                a, b = (1 + 2 * u) * (1 - u) ** 2, u * (1 - u) ** 2 * step
                c, e = u * u * (3 - 2 * u), u * u * (u - 1) * step
                da, db = 6 * u * (u - 1) / step, (1 - u) * (1 - 3 * u)
                de = u * (3 * u - 2)
                t0, t1, s0, s1 = table[node], table[node + 1], slopes[node], slopes[node + 1]
                f, g = phi[j], by_tau[j]
                for i in range(n):
                    f[i] = a * t0[i] + b * s0[i] + c * t1[i] + e * s1[i]
                    g[i] = da * (t0[i] - t1[i]) + db * s0[i] + de * s1[i]
            for i in range(n):
                model[i] = trial[2 * k]
            for j in range(k):
                f, area = phi[j], trial[k + j]
                for i in range(n):
                    model[i] += area * f[i]
            likelihood = 0.0
            size = 0.0
            for i in range(n):
                size += model[i]
                if y[i] > 0:
                    if model[i] <= 0:
                        likelihood = -np.inf
                        break
                    likelihood += y[i] * np.log(model[i])
            now = 2 * (size - likelihood + constant)
            if now <= value:
                gain = value - now
                value = now
                p[:] = trial
                damping = max(damping / 8, 1e-8)
                fresh = True
                if gain < 1e-5 and promise < 1e-5:
                    done = 1
            else:
                damping = max(damping * 6, 1e-6)
                if damping > 1e8:
                    done = 1 if promise < 1e-3 else 0
                    break
            if fresh:
                for i in range(n):
                    weight[i] = 1 / model[i] if model[i] > 0 else 0.0
                    pull[i] = 1 - y[i] * weight[i]
                for j in range(k):
                    f, g, x, z, area = phi[j], by_tau[j], derivative[j], derivative[k + j], p[k + j]
                    for i in range(n):
                        x[i] = area * g[i]
                        z[i] = f[i]
                for i in range(n):
                    derivative[2 * k, i] = 1.0
                for j in range(q):
                    x = derivative[j]
                    s = 0.0
                    for i in range(n):
                        s += x[i] * pull[i]
                    grad[j] = s
                    for col in range(j + 1):
                        z = derivative[col]
                        s = 0.0
                        for i in range(n):
                            s += x[i] * z[i] * weight[i]
                        info[j, col] = s
                        info[col, j] = s
                fresh = False
            for j in range(q):
                at_end = (j >= k and p[j] <= 0 and grad[j] > 0) or (
                    j < k and ((p[j] <= low and grad[j] > 0) or (p[j] >= high and grad[j] < 0))
                )
                held[j] = at_end or info[j, j] <= 1e-300
            if done:
                break
            for _ in range(q):
                _solve(info, grad, held, damping, move)
                again = False
                for j in range(q):  # what lies on its end and would leave stays there
                    if not held[j] and (
                        (j >= k and p[j] <= 0 and move[j] < 0)
                        or (j < k and ((p[j] <= low and move[j] < 0) or (p[j] >= high and move[j] > 0)))
                    ):
                        held[j], again = True, True
                if not again:
                    break
            # the whole step is shortened, so that it still goes down
            length = 1.0
            for j in range(q):
                if j < k:
                    room = high - p[j] if move[j] > 0 else p[j] - low
                    length = min(length, min(0.7, room) / max(abs(move[j]), 1e-300))
                elif move[j] < 0:
                    length = min(length, p[j] / -move[j])
            promise = 0.0
            for j in range(q):
                trial[j] = p[j] + length * move[j]
                if j < k:
                    trial[j] = min(max(trial[j], low), high)
                elif trial[j] < 1e-9 * p[j]:
                    trial[j] = 0.0
                promise -= grad[j] * (trial[j] - p[j])
            promise *= 2
            if promise < 1e-7 and (length >= 1.0 or length * 1e3 > 1.0):
                done = 1
                break
        _inverse(info, held, sigma[one])
        for j in range(k):
            theta[one, j] = p[j]
        for j in range(k + 1):
            amount[one, j] = p[k + j]
        deviance[one] = value
        state[one] = done
        if done:
            for j in range(q):
                if held[j]:
                    state[one] = 2


@njit(cache=True, nogil=True)
def _solve(info, grad, held, damping, move):
    """Damped step: the scaled system by Cholesky's method; what is held does not move."""
    q = len(grad)
    a, b, width = np.zeros((q, q)), np.zeros(q), np.zeros(q)
    for j in range(q):
        width[j] = 1.0 if held[j] else np.sqrt(info[j, j])
    for j in range(q):
        b[j] = 0.0 if held[j] else -grad[j] / width[j]
        for col in range(q):
            if held[j] or held[col]:
                a[j, col] = 1.0 if j == col else 0.0
            else:
                a[j, col] = info[j, col] / (width[j] * width[col])
        a[j, j] += damping
    _cholesky(a)
    for j in range(q):
        for col in range(j):
            b[j] -= a[j, col] * b[col]
        b[j] /= a[j, j]
    for j in range(q - 1, -1, -1):
        for col in range(j + 1, q):
            b[j] -= a[col, j] * b[col]
        b[j] /= a[j, j]
        move[j] = b[j] / width[j]


@njit(cache=True, nogil=True)
def _inverse(info, held, sigma):
    """Square roots of the diagonal of the inverse; NaN for what is held, and where nothing is determined."""
    q = len(sigma)
    a, width = np.zeros((q, q)), np.zeros(q)
    for j in range(q):
        width[j] = 1.0 if held[j] else np.sqrt(info[j, j])
        for col in range(q):
            if held[j] or held[col]:
                a[j, col] = 1.0 if j == col else 0.0
            else:
                a[j, col] = info[j, col] / (width[j] * np.sqrt(info[col, col]))
    good = _cholesky(a)
    for j in range(q):
        if held[j] or not good:
            sigma[j] = np.nan
            continue
        total = 0.0
        x = np.zeros(q)
        for col in range(j, q):
            s = 1.0 if col == j else 0.0
            for r in range(j, col):
                s -= a[col, r] * x[r]
            x[col] = s / a[col, col]
            total += x[col] ** 2
        sigma[j] = np.sqrt(total) / width[j]


@njit(cache=True, nogil=True)
def _cholesky(a):
    """Lower factor in place; whether the matrix is well determined (1e-10)."""
    good = True
    for j in range(len(a)):
        for col in range(j + 1):
            s = a[j, col]
            for r in range(col):
                s -= a[j, r] * a[col, r]
            if j == col:
                if s < 1e-10:
                    good = False
                    s = 1e-10
                a[j, j] = np.sqrt(s)
            else:
                a[j, col] = s / a[col, col]
    return good
