"""Compiled parts of the cohort engine: cohorts united, halved and trimmed (`_cohort_kernels.py` moves them).

After a change here touch `_cohort_kernels.py` too: the cache of numba looks at the file of `run` alone.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

TAIL = 0.2
"""Power with which numbers count where cohorts are halved and united.

Small: where nearly all crystals dissolve again the last are those of the upper tail, one in 1e4. A power of 1
put their sizes wrong by 15 %; between 0.15 and 0.25 nothing changes any more."""


@njit(cache=True, error_model="numpy")
def volume_centre(r3, half):
    """Centre c with c^3 + c h^2 = r3: the cohort of half width h around it has that mean r^3."""
    c = max(r3 ** (1.0 / 3.0), 1e-300)
    for _ in range(30):
        step = (c * (c * c + half * half) - r3) / (3.0 * c * c + half * half)
        c -= step
        if abs(step) < 1e-16 * c:
            break
    return c


@njit(cache=True, error_model="numpy")
def upper_edge(r3, a):
    """Edge b of the cohort evenly spread over [a, b] with mean r^3: (a + b)(a^2 + b^2) = 4 r3."""
    b = max(r3 ** (1.0 / 3.0), a)
    for _ in range(30):
        step = ((a + b) * (a * a + b * b) - 4.0 * r3) / (a * a + 2.0 * a * b + 3.0 * b * b)
        b -= step
        if abs(step) < 1e-16 * b:
            break
    return max(b, a)


@njit(cache=True, error_model="numpy")
def _sort(low, high, number, n):
    """Sort cohorts by size in place: by insertion, for they are nearly sorted."""
    for i in range(1, n):
        a, b, c = low[i], high[i], number[i]
        j = i - 1
        while j >= 0 and low[j] + high[j] > a + b:
            low[j + 1], high[j + 1], number[j + 1] = low[j], high[j], number[j]
            j -= 1
        low[j + 1], high[j + 1], number[j + 1] = a, b, c


@njit(cache=True, error_model="numpy")
def _smallest(values, n, wanted):
    """A number that at least `wanted` of n positive values do not exceed, and hardly more (bisection)."""
    low, high = 0.0, 0.0
    for i in range(n):
        high = max(high, values[i])
    for _ in range(60):
        middle = 0.5 * (low + high)
        count = 0
        for i in range(n):
            if values[i] <= middle:
                count += 1
        if count >= wanted:
            high = middle
        else:
            low = middle
    return high


@njit(cache=True, error_model="numpy")
def merge(low, high, number, n, most, least):
    """Unite neighbours in size until at most `most` cohorts are left. Returns the new count.

    The number and the volume of each pair go to its union exactly, its variance exactly, its mean up to what
    the volume asks for. Pairs with the least N^TAIL (sd/r)^3 go first: what the union forgets is their
    skewness. A union that would reach below the least radius begins there, and its variance gives way.
    """
    _sort(low, high, number, n)
    cost = np.empty(n)
    x, h = np.empty(n), np.empty(n)
    while n > most:
        for i in range(n):
            x[i], h[i] = 0.5 * (high[i] + low[i]), 0.5 * (high[i] - low[i])
        for i in range(n - 1):
            both = number[i] + number[i + 1]
            a, b = number[i] / both, number[i + 1] / both
            variance = (a * h[i] ** 2 + b * h[i + 1] ** 2) / 3.0 + a * b * (x[i + 1] - x[i]) ** 2
            cost[i] = both**TAIL * variance**1.5 / x[i] ** 3
        wanted = min(n - most, max(1, (n - 1) // 3))
        limit = _smallest(cost, n - 1, wanted)
        m, i, removed = 0, 0, 0
        while i < n:
            if i < n - 1 and cost[i] <= limit and removed < wanted and (i == n - 2 or cost[i] <= cost[i + 1]):
                both = number[i] + number[i + 1]
                a, b = number[i] / both, number[i + 1] / both
                variance = (a * h[i] ** 2 + b * h[i + 1] ** 2) / 3.0 + a * b * (x[i + 1] - x[i]) ** 2
                r3 = a * x[i] * (x[i] ** 2 + h[i] ** 2) + b * x[i + 1] * (x[i + 1] ** 2 + h[i + 1] ** 2)
                half = math.sqrt(3.0 * variance)
                centre = volume_centre(r3, half)
                low[m], high[m], number[m] = centre - half, centre + half, both
                if low[m] < least:
                    low[m], high[m] = least, upper_edge(r3, least)
                i += 2
                removed += 1
            else:
                low[m], high[m], number[m] = low[i], high[i], number[i]
                i += 1
            m += 1
        n = m
        if removed == 0:
            break
    return n


@njit(cache=True, error_model="numpy")
def trim(low, high, number, n, least, youngest):
    """Take away what lies below the least radius: new count, number that dissolved, where the youngest is."""
    m, lost, place = 0, 0.0, -1
    for i in range(n):
        a, b = low[i], high[i]
        if b <= least:
            lost += number[i]
            continue
        share = (b - least) / (b - a) if a < least else 1.0
        lost += number[i] * (1.0 - share)
        low[m], high[m], number[m] = max(a, least), b, number[i] * share
        if i == youngest:
            place = m
        m += 1
    return m, lost, place


@njit(cache=True, error_model="numpy")
def refine(low, high, number, n, most, length, share):
    """Halve cohorts (exact for an even spread) that are too wide for their number. Returns the new count.

    Too wide: (N/all)^TAIL (width/r)^2 max(1, l/r)^2 above `share`.
    """
    total = 0.0
    for i in range(n):
        total += number[i]
    for i in range(n):
        while n < most:
            centre = 0.5 * (low[i] + high[i])
            bend = 0.5 * (high[i] - low[i]) / centre * max(1.0, length / centre)
            if (number[i] / total) ** TAIL * bend * bend <= share:
                break
            low[n], high[n], number[n] = centre, high[i], 0.5 * number[i]
            high[i], number[i] = centre, 0.5 * number[i]
            n += 1
    return n
