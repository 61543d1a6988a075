"""Compiled parts of the engine of mixed halides: cohorts with a halide fraction united, halved and trimmed.

After a change here touch `_mixed_kernels.py` too: the cache of numba looks at the file of `run` alone.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from perolux.synthesis._cohort_merging import TAIL, upper_edge, volume_centre

# rows of the array of cohorts; FRACTION and SPREAD (a variance) weigh by amount of halide
LOW, HIGH, NUMBER, FRACTION, SPREAD = range(5)
COLUMNS = 5


@njit(cache=True, error_model="numpy")
def mean_cube(a, b):
    """Mean r^3 of an even spread over [a, b]."""
    return 0.25 * (a + b) * (a * a + b * b)


@njit(cache=True, error_model="numpy")
def _sort(c, family, n):
    """Sort by family, then by size, in place: by insertion, for cohorts are nearly sorted."""
    held = np.empty(COLUMNS)
    for i in range(1, n):
        held[:] = c[:, i]
        kind, size = family[i], c[LOW, i] + c[HIGH, i]
        j = i - 1
        while j >= 0 and (family[j] > kind or (family[j] == kind and c[LOW, j] + c[HIGH, j] > size)):
            c[:, j + 1] = c[:, j]
            family[j + 1] = family[j]
            j -= 1
        c[:, j + 1] = held
        family[j + 1] = kind


@njit(cache=True, error_model="numpy")
def _union(c, i, least, out):
    """The union of cohorts i and i + 1 into `out`: number, volume and halide exactly, variances nearly so."""
    x1, x2 = 0.5 * (c[HIGH, i] + c[LOW, i]), 0.5 * (c[HIGH, i + 1] + c[LOW, i + 1])
    h1, h2 = 0.5 * (c[HIGH, i] - c[LOW, i]), 0.5 * (c[HIGH, i + 1] - c[LOW, i + 1])
    both = c[NUMBER, i] + c[NUMBER, i + 1]
    a, b = c[NUMBER, i] / both, c[NUMBER, i + 1] / both
    variance = (a * h1**2 + b * h2**2) / 3.0 + a * b * (x2 - x1) ** 2
    v1, v2 = a * x1 * (x1**2 + h1**2), b * x2 * (x2**2 + h2**2)
    half = math.sqrt(3.0 * variance)
    centre = volume_centre(v1 + v2, half)
    out[LOW], out[HIGH], out[NUMBER] = centre - half, centre + half, both
    if out[LOW] < least:
        out[LOW], out[HIGH] = least, upper_edge(v1 + v2, least)
    s, t = v1 / (v1 + v2), v2 / (v1 + v2)
    apart = c[FRACTION, i + 1] - c[FRACTION, i]
    out[FRACTION] = c[FRACTION, i] + t * apart
    out[SPREAD] = s * c[SPREAD, i] + t * c[SPREAD, i + 1] + s * t * apart**2
    return both**TAIL * (variance**1.5 / x1**3 + abs(s * t * apart**2) ** 1.5)


@njit(cache=True, error_model="numpy")
def merge(c, family, n, most, least):
    """Unite neighbours in size within a family until at most `most` are left. Returns the new count.

    Pairs with the least N^TAIL ((sd of size/r)^3 + (sd of fraction)^3) go first.
    """
    _sort(c, family, n)
    cost, one = np.empty(n), np.empty(COLUMNS)
    while n > most:
        for i in range(n - 1):
            cost[i] = _union(c, i, least, one) if family[i] == family[i + 1] else np.inf
        wanted = min(n - most, max(1, (n - 1) // 3))
        limit = np.sort(cost[: n - 1])[wanted - 1]
        if limit == np.inf:
            limit = 1e300
        m, i, removed = 0, 0, 0
        while i < n:
            take = i < n - 1 and cost[i] <= limit and removed < wanted
            if take and (i == n - 2 or cost[i] <= cost[i + 1]):
                _union(c, i, least, one)
                c[:, m] = one
                family[m] = family[i]
                i += 2
                removed += 1
            else:
                c[:, m] = c[:, i]
                family[m] = family[i]
                i += 1
            m += 1
        n = m
        if removed == 0:
            break
    return n


@njit(cache=True, error_model="numpy")
def trim(c, family, n, least, youngest, gone):
    """Take away what lies below the least size, counted by family in `gone`. Returns the new count."""
    m = 0
    for k in range(youngest.shape[0]):
        youngest[k] = -1 - youngest[k] if youngest[k] >= 0 else 0
    for i in range(n):
        a, b = c[LOW, i], c[HIGH, i]
        if b <= least:
            gone[family[i]] += c[NUMBER, i]
            continue
        share = (b - least) / (b - a) if a < least else 1.0
        gone[family[i]] += c[NUMBER, i] * (1.0 - share)
        c[:, m] = c[:, i]
        family[m] = family[i]
        c[LOW, m], c[NUMBER, m] = max(a, least), c[NUMBER, i] * share
        for k in range(youngest.shape[0]):
            if youngest[k] == -1 - i:
                youngest[k] = m + 1
        m += 1
    for k in range(youngest.shape[0]):
        youngest[k] = youngest[k] - 1 if youngest[k] > 0 else -1
    return m


@njit(cache=True, error_model="numpy")
def refine(c, family, n, most, length, share):
    """Halve cohorts (exact for an even spread) that are too wide for their number. Returns the new count."""
    total = 0.0
    for i in range(n):
        total += c[NUMBER, i]
    for i in range(n):
        while n < most:
            centre = 0.5 * (c[LOW, i] + c[HIGH, i])
            bend = 0.5 * (c[HIGH, i] - c[LOW, i]) / centre * max(1.0, length / centre)
            if (c[NUMBER, i] / total) ** TAIL * bend * bend <= share:
                break
            c[:, n] = c[:, i]
            family[n] = family[i]
            c[LOW, n], c[NUMBER, n] = centre, 0.5 * c[NUMBER, i]
            c[HIGH, i], c[NUMBER, i] = centre, 0.5 * c[NUMBER, i]
            n += 1
    return n
