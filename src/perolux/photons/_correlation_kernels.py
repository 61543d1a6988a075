"""Compiled loops over photons for correlations. Each has a plain twin in the tests."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def pair_histogram(macro, fine_ns, side, tick_ns, window_ns, first_start, width_ns, counts):
    """Add all pairs of one photon of side 0 and one of side 1 to `counts`, binned by t(1) - t(0).

    macro: (n,) ascending; fine_ns: (n,) time after the macro time; side: (n,) 0, 1, or 2 (ignored). Bin i
    holds -window + i width <= tau < -window + (i + 1) width. Only pairs whose later photon (by macro time)
    has index first_start or more are counted: earlier ones belong to the chunk before.
    """
    bins = len(counts)
    reach = np.int64(np.ceil((window_ns + fine_ns.max() - fine_ns.min()) / tick_ns)) + 1
    low = 0
    for j in range(first_start, len(macro)):
        mine = side[j]
        if mine == 2:
            continue
        while macro[j] - macro[low] > reach:
            low += 1
        for i in range(low, j):
            other = side[i]
            if other == mine or other == 2:
                continue
            tau = (macro[j] - macro[i]) * tick_ns + (fine_ns[j] - fine_ns[i])
            if mine == 0:
                tau = -tau
            place = np.floor((tau + window_ns) / width_ns)
            if place >= 0 and place < bins:
                counts[np.int64(place)] += 1


@njit(cache=True, nogil=True)
def short_lags(time, side, edges, most, first_start, counts):
    """Pairs 0 -> 1 with t(1) - t(0) in [edges[k], edges[k + 1]), edges ascending, times in whole ticks,
    ascending.

    most: the last edge. counts: (k,). The first photon of a pair has an index below first_start or not, the
    second has first_start or more. Lags are found by the bits of a table over the leading bits of a lag.
    """
    low = 0
    n_bins = len(counts)
    for j in range(first_start, len(time)):
        if side[j] != 1:
            continue
        while time[j] - time[low] >= most:
            low += 1
        k = n_bins - 1
        for i in range(low, j + 1):
            if side[i] != 0:
                continue
            lag = time[j] - time[i]
            while k >= 0 and lag < edges[k]:
                k -= 1
            if k < 0:
                break
            counts[k] += 1
    return low


@njit(cache=True, nogil=True)
def pulse_pairs(sync, side, first_start, counts):
    """Add all pairs of sides 0 and 1 to counts[most + sync(1) - sync(0)], |difference| <= most =
    len(counts)//2.

    Only pairs whose later photon has index first_start or more are counted.
    """
    most = len(counts) // 2
    low = 0
    for j in range(first_start, len(sync)):
        mine = side[j]
        if mine == 2:
            continue
        while sync[j] - sync[low] > most:
            low += 1
        for i in range(low, j):
            other = side[i]
            if other == mine or other == 2:
                continue
            lag = sync[j] - sync[i]
            counts[most + lag if mine == 1 else most - lag] += 1
