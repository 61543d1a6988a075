"""Compiled loops of the fits: tables of domains at the times asked for, gain that empties, counts of cells.

The plain NumPy twins are in `tests/collective/test_fit_kernels.py`.
"""

from __future__ import annotations

import numpy as np
from numba import njit

_LEAST_CHANCE = 1e-15


@njit(cache=True)
def between_logs(times, first_time, ratio, values, out):
    """out = values at times (T,) by cubics in ln t; values at 0 and first_time ratio^k, k = 0, 1, ...

    Slopes are central differences (Catmull-Rom); straight lines at both ends, the last value beyond.
    """
    last = len(values) - 1
    for i in range(len(times)):
        if times[i] < first_time:
            out[i] = values[0] + (values[1] - values[0]) * times[i] / first_time
            continue
        x = np.log(times[i] / first_time) / np.log(ratio)
        k = int(x)
        if k + 1 >= last:
            out[i] = values[last]
            continue
        x -= k
        b, c = values[k + 1], values[k + 2]
        if k == 0 or k + 2 == last:
            out[i] = b + x * (c - b)
            continue
        a, d = values[k], values[k + 3]
        out[i] = b + 0.5 * x * (c - a + x * (2.0 * a - 5.0 * b + 4.0 * c - d + x * (3.0 * (b - c) + d - a)))


@njit(cache=True)
def add_domains(n, share, log_choose, tables, weights, excited, first, end, curves):
    """curves (J, times) += share/n of the photons of n emitters, each excited with the chance of `excited`.

    tables: four (n + 1, times), one a dephasing, with their weights. Only times `first` to `end` are done.
    """
    t0, t1, t2, t3 = tables
    w0, w1, w2, w3 = weights
    chance = np.empty(len(excited))
    mixed = np.empty(end - first)
    for e in range(n + 1):
        most = 0.0
        for j in range(len(excited)):
            p = min(max(excited[j], 1e-300), 1.0 - 1e-16)
            chance[j] = np.exp(log_choose[e] + e * np.log(p) + (n - e) * np.log1p(-p)) * share / n
            most = max(most, chance[j])
        if most * n < _LEAST_CHANCE:
            continue
        for i in range(first, end):
            mixed[i - first] = w0 * t0[e, i] + w1 * t1[e, i] + w2 * t2[e, i] + w3 * t3[e, i]
        for j in range(len(excited)):
            c = chance[j]
            for i in range(first, end):
                curves[j, i] += c * mixed[i - first]


@njit(cache=True)
def emptied(starts, tau, gain, guided, transparent, fall, left, times, base, second):
    """Light aside and along of a stripe whose gain empties; times (T,) rising, base and second (J, T) filled.

    y = ln p falls at the rate h(p)/tau: the time at each p is an integral, by trapezoids over `fall`, the
    grid of ln(p0/p); left = exp(-fall). Between, cubics with the rates of both ends: straight lines would
    leave the light rough in every parameter.
    """
    points = len(fall)
    at, aside, inside, rate = np.zeros(points), np.zeros(points), np.empty(points), np.empty(points)
    for j in range(len(starts)):
        count = 0
        for i in range(points):
            p = starts[j] * left[i]
            g = gain * (p - transparent) / (1.0 - transparent)
            if abs(g) < 1e-6:
                g = 1e-6
            inside[i] = p
            rate[i] = ((1.0 - guided) + guided * np.expm1(g) / g) / tau
            if i > 0:
                half = 0.5 * (fall[i] - fall[i - 1])
                at[i] = at[i - 1] + half * (1.0 / rate[i] + 1.0 / rate[i - 1])
                step = half * (p / rate[i] + inside[i - 1] / rate[i - 1])
                aside[i] = aside[i - 1] + (1.0 - guided) / tau * step
            count = i + 1
            if at[i] > times[-1]:
                break
        k = 0
        for i in range(len(times)):
            t = min(times[i], at[count - 1])
            while k + 2 < count and at[k + 1] <= t:
                k += 1
            width = at[k + 1] - at[k]
            x = (t - at[k]) / width
            a, b = inside[k], inside[k + 1]
            gone = starts[j] - _cubic(x, a, b, -width * rate[k] * a, -width * rate[k + 1] * b)
            slope = width * (1.0 - guided) / tau
            base[j, i] = min(_cubic(x, aside[k], aside[k + 1], slope * a, slope * b), gone)
            second[j, i] = gone - base[j, i]


@njit(cache=True)
def _cubic(x, a, b, slope_a, slope_b):
    """Between a at x = 0 and b at x = 1, with slopes."""
    rise = b - a
    return a + x * (
        slope_a + x * (3.0 * rise - 2.0 * slope_a - slope_b + x * (slope_a + slope_b - 2.0 * rise))
    )


@njit(cache=True)
def chain_of_decays(times, light, out, chance, base, second):
    """base, second (J, T): photons of state 1, and of all above, of p_n' = -out_n p_n + out_(n+1) p_(n+1).

    light, out (K,): rates of light and of all ways down, all different; chance (J, K): p_n at first. The
    matrix is triangular: eigenvalues -out, eigenvectors by recursion, weights by substitution.
    """
    most = len(out)
    vectors = np.zeros((most, most))
    for k in range(most):
        vectors[k, k] = 1.0
        for i in range(k - 1, -1, -1):
            vectors[i, k] = out[i + 1] * vectors[i + 1, k] / (out[i] - out[k])
    gone = np.empty(len(times))
    weight = chance.copy()
    base[:] = 0.0
    second[:] = 0.0
    for k in range(most - 1, -1, -1):
        for i in range(len(times)):
            gone[i] = -np.expm1(-out[k] * times[i])
        for j in range(len(chance)):
            for i in range(k + 1, most):
                weight[j, k] -= vectors[k, i] * weight[j, i]
            one = light[0] * vectors[0, k] * weight[j, k] / out[k]
            two = 0.0
            for n in range(1, k + 1):
                two += light[n] * vectors[n, k] * weight[j, k] / out[k]
            for i in range(len(times)):
                base[j, i] += one * gone[i]
                second[j, i] += two * gone[i]


@njit(cache=True)
def steps_of(until, after, held, steps):
    """steps (F, J): light of each step between the times `after` (F + 1); until (J, F + 1): light till then.

    held: 0, or the mean time by which light, given evenly within a step, is held back, exponentially spread.
    """
    waiting = np.zeros(len(until))
    leaves, waits = 0.0, 0.0
    for f in range(len(after) - 1):
        if held > 0.0:
            width = after[f + 1] - after[f]
            leaves = -np.expm1(-width / held)
            waits = leaves * held / width
        for j in range(len(until)):
            given = until[j, f + 1] - until[j, f]
            steps[f, j] = (1.0 - waits) * given + leaves * waiting[j]
            waiting[j] += waits * given - leaves * waiting[j]


@njit(cache=True)
def binned(steps, starts, edges, low, high, table, out):
    """out (T, J): photons between the edges behind a response; steps (F, J): given between starts (F + 1).

    low, high, table: reach of the response, and the integral of its cumulative at even steps between (0 below
    it, the time above). Light of a step is given evenly in it; what falls outside of the edges is lost.
    """
    out[:] = 0.0
    scale = (len(table) - 1) / (high - low) if high > low else 0.0
    # of the step's start and end: the integral at each edge; only edges from `at` on are kept up
    begun = np.zeros(len(edges))
    at, known = 0, 0
    for f in range(len(starts) - 1):
        a, b = starts[f], starts[f + 1]
        inverse = 1.0 / (b - a)
        while at + 1 < len(edges) and edges[at + 1] <= a + low:
            at += 1
        before, k = 0.0, at
        while k < len(edges):
            done = edges[k] >= b + high
            if k >= known:
                begun[k] = _integral(edges[k] - a, low, high, scale, table)
                known = k + 1
            ended = _integral(edges[k] - b, low, high, scale, table)
            here = 1.0 if done else (begun[k] - ended) * inverse
            begun[k] = ended
            if k > at:
                for j in range(steps.shape[1]):
                    out[k - 1, j] += steps[f, j] * (here - before)
            before = here
            k += 1
            if done:
                break


@njit(cache=True)
def _integral(x, low, high, scale, table):
    if x <= low:
        return 0.0
    if x >= high:
        return x
    at = (x - low) * scale
    k = min(int(at), len(table) - 2)
    return table[k] + (at - k) * (table[k + 1] - table[k])


@njit(cache=True)
def expected_counts(bands, lines, totals, parts, flat, together, out):
    """out (J, T, L): expected counts with the totals measured; nan where a model gives no light.

    bands (T, 2 J): base, then second; lines (2, L); totals (J,) or, `together`, the one total of all; parts:
    share of the background in each; flat (T, L): where it falls, sum 1 over all that shares a total.
    """
    traces, bins, energies = out.shape
    one, two = lines[0].sum(), lines[1].sum()
    whole = np.zeros(traces)
    for t in range(bins):
        for j in range(traces):
            whole[j] += bands[t, j] * one + bands[t, traces + j] * two
    if together:
        whole[:] = whole.sum()
    for j in range(traces):
        k = 0 if together else j
        light = totals[k] * (1.0 - parts[k]) / whole[j] if whole[j] > 0.0 else np.nan
        dark = totals[k] * parts[k]
        for t in range(bins):
            one, two = light * bands[t, j], light * bands[t, traces + j]
            for e in range(energies):
                out[j, t, e] = one * lines[0, e] + two * lines[1, e] + dark * flat[t, e]


@njit(cache=True)
def log_likelihood(counts, expected):
    """Sum of n ln m; -inf where m is no number."""
    found = 0.0
    for i in range(len(counts)):
        m = expected[i]
        if not np.isfinite(m):
            return -np.inf
        if counts[i] > 0.0:
            found += counts[i] * np.log(max(m, 1e-300))
    return found


@njit(cache=True)
def deviance_residuals(counts, expected, out):
    """sign(n - m) sqrt(2 [n ln(n/m) - n + m]), m no less than 1e-12; False where m is no number."""
    for i in range(len(counts)):
        n, m = counts[i], expected[i]
        if not np.isfinite(m):
            return False
        m = max(m, 1e-12)
        x = (n - m) / m
        if abs(x) < 1e-2:
            # (1 + x) ln(1 + x) - x cancels
            half = m * x * x * (1 / 2 - x * (1 / 6 - x * (1 / 12 - x * (1 / 20 - x / 30))))
        else:
            half = (n * np.log(n / m) if n > 0.0 else 0.0) - (n - m)
        root = np.sqrt(max(2.0 * half, 0.0))
        out[i] = root if x > 0.0 else -root
    return True
