"""Compiled loops for logarithmic lags. Their plain twins stand in the tests: brute force, and
`numpy.correlate`."""

from __future__ import annotations

from numba import njit


@njit(cache=True, nogil=True)
def two_lists(time, channel, table, a, b):
    """Write the times of side 0 to a, of side 1 to b, table[channel] giving the side; how many of each."""
    in_a = in_b = 0
    for i in range(len(time)):
        # Always written, kept by moving on: no branch to guess wrong.
        side = table[channel[i]]
        a[in_a] = time[i]
        b[in_b] = time[i]
        in_a += side == 0
        in_b += side == 1
    return in_a, in_b


@njit(cache=True, nogil=True)
def near_lags(a, b, edges, first, shift, counts):
    """Add the pairs with b - a in [edges[k], edges[k + 1]) to counts[k]; edges, a, b ascending, in ticks.

    first[lag >> shift]: the bin of the least lag of that cell, so that few steps lead to the bin of any lag.
    """
    least, most = edges[0], edges[-1]
    low = high = 0
    for j in range(len(b)):
        time = b[j]
        while low < len(a) and a[low] <= time - most:
            low += 1
        while high < len(a) and a[high] <= time - least:
            high += 1
        for i in range(low, high):
            lag = time - a[i]
            k = first[lag >> shift]
            while lag >= edges[k + 1]:
                k += 1
            counts[k] += 1


@njit(cache=True, nogil=True)
def every_lag(a, b, least, counts):
    """Add the pairs with least <= b - a < len(counts) to counts[b - a]; a, b ascending, in ticks."""
    most = len(counts)
    low = high = 0
    for j in range(len(b)):
        time = b[j]
        while low < len(a) and a[low] <= time - most:
            low += 1
        while high < len(a) and a[high] <= time - least:
            high += 1
        for i in range(low, high):
            counts[time - a[i]] += 1


@njit(cache=True, nogil=True)
def binned(time, start, shift, first_bin, out):
    """Add photons from index `start` on to out[(time >> shift) - first_bin], until one lies beyond `out`;
    its index."""
    for i in range(start, len(time)):
        place = (time[i] >> shift) - first_bin
        if place >= len(out):
            return i
        out[place] += 1.0
    return len(time)


@njit(cache=True, nogil=True, fastmath=True)
def lag_products(a, b, lags, out):
    """Add sum_i a[i + before - lags[k]] b[i] to out[k], before = len(a) - len(b); in blocks that stay in the
    cache. Counts are whole numbers: their sums are exact below 2^53 in any order."""
    before = len(a) - len(b)
    block = 4096
    for start in range(0, len(b), block):
        stop = min(start + block, len(b))
        for k in range(len(lags)):
            ahead = before - lags[k]
            total = 0.0
            for i in range(start, stop):
                total += a[i + ahead] * b[i]
            out[k] += total
