"""Compiled loops over photons: pairs by the first of the two, triples, first stops. Plain twins in the
tests."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def gated_pairs(sync, nanotime, side, first_new, edges, stop, most, skip, centre, beside):
    """Add pairs of sides 0 and 1 by the earlier of their two nanotimes: of one pulse to `centre`, of pulses
    skip < |difference| <= most apart to `beside`.

    edges: (k + 1,) ascending bins of the earlier nanotime; pairs with a nanotime of stop or more are left
    out. Only pairs whose later photon has index first_new or more are counted.
    """
    low = 0
    bins = len(centre)
    for j in range(first_new, len(sync)):
        mine = side[j]
        if mine == 2 or nanotime[j] >= stop or nanotime[j] < edges[0]:
            continue
        while sync[j] - sync[low] > most:
            low += 1
        for i in range(low, j):
            other = side[i]
            if other == mine or other == 2 or nanotime[i] >= stop:
                continue
            earlier = min(nanotime[i], nanotime[j])
            if earlier < edges[0] or earlier >= edges[bins]:
                continue
            lag = sync[j] - sync[i]
            if lag > 0 and lag <= skip:
                continue
            k = np.searchsorted(edges, earlier, side="right") - 1
            if lag == 0:
                centre[k] += 1
            else:
                beside[k] += 1


@njit(cache=True, nogil=True)
def pulse_triples(sync, side, first_new, most, counts):
    """Add triples of photons of three different sides to counts[most + l, most + m]; sides 0, 1, ... , 255
    is ignored.

    Of sides a < b < c, l = sync(b) - sync(a), m = sync(c) - sync(a). Counted are triples that span at most
    `most` pulses and whose last photon has index first_new or more.
    """
    low = 0
    pulse = np.zeros(3, np.int64)
    who = np.zeros(3, np.int64)
    for k in range(first_new, len(sync)):
        if side[k] == 255:
            continue
        while sync[k] - sync[low] > most:
            low += 1
        for j in range(low + 1, k):
            if side[j] == 255 or side[j] == side[k]:
                continue
            for i in range(low, j):
                if side[i] == 255 or side[i] == side[j] or side[i] == side[k]:
                    continue
                pulse[0], pulse[1], pulse[2] = sync[i], sync[j], sync[k]
                who[0], who[1], who[2] = side[i], side[j], side[k]
                _by_side(pulse, who)
                counts[most + pulse[1] - pulse[0], most + pulse[2] - pulse[0]] += 1


@njit(cache=True, nogil=True)
def equal_triples(sync, first_new, most, counts):
    """As `pulse_triples` for photons that are not told apart: each triple is counted in its six orders."""
    low = 0
    for k in range(first_new, len(sync)):
        while sync[k] - sync[low] > most:
            low += 1
        for j in range(low + 1, k):
            for i in range(low, j):
                x, y, z = sync[i], sync[j], sync[k]
                counts[most + y - x, most + z - x] += 1
                counts[most + z - x, most + y - x] += 1
                counts[most + x - y, most + z - y] += 1
                counts[most + z - y, most + x - y] += 1
                counts[most + x - z, most + y - z] += 1
                counts[most + y - z, most + x - z] += 1


@njit(cache=True, nogil=True)
def _by_side(value, who):
    """Sort three values by who they belong to, in place."""
    for a, b in ((0, 1), (1, 2), (0, 1)):
        if who[a] > who[b]:
            who[a], who[b] = who[b], who[a]
            value[a], value[b] = value[b], value[a]


@njit(cache=True, nogil=True)
def triple_grid(macro, fine_ns, side, tick_ns, window_ns, first_new, width_ns, counts):
    """Add triples of three different sides to counts[bin of t(b) - t(a), bin of t(c) - t(a)], sides a < b <
    c.

    Bin i holds -window + i width <= tau < -window + (i + 1) width; a triple with a tau outside is left out.
    Only triples whose last photon (by macro time) has index first_new or more are counted. 255 is ignored.
    """
    bins = len(counts)
    reach = np.int64(np.ceil((2 * window_ns + fine_ns.max() - fine_ns.min()) / tick_ns)) + 1
    low = 0
    time = np.zeros(3)
    who = np.zeros(3, np.int64)
    for k in range(first_new, len(macro)):
        if side[k] == 255:
            continue
        while macro[k] - macro[low] > reach:
            low += 1
        for j in range(low + 1, k):
            if side[j] == 255 or side[j] == side[k]:
                continue
            for i in range(low, j):
                if side[i] == 255 or side[i] == side[j] or side[i] == side[k]:
                    continue
                # times after the photon i, so that no digit is lost
                time[0] = fine_ns[i]
                time[1] = (macro[j] - macro[i]) * tick_ns + fine_ns[j]
                time[2] = (macro[k] - macro[i]) * tick_ns + fine_ns[k]
                who[0], who[1], who[2] = side[i], side[j], side[k]
                _by_side(time, who)
                one = np.floor((time[1] - time[0] + window_ns) / width_ns)
                two = np.floor((time[2] - time[0] + window_ns) / width_ns)
                if one >= 0 and one < bins and two >= 0 and two < bins:
                    counts[np.int64(one), np.int64(two)] += 1


@njit(cache=True, nogil=True)
def first_stops(macro, fine_ns, side, tick_ns, window_ns, width_ns, state, counts):
    """What start-stop electronics record: a start at side 0, its first stop at side 1, the rest is lost.

    Photons in order of their time. state: (3,) float, changed in place: whether a start waits (0 or 1), its
    time after the first macro time of this call, and the number of starts taken. A start that waits longer
    than window_ns is given up; starts that come while one waits are not seen. Bin i holds i width <= tau < (i
    + 1) width.
    """
    first = macro[0]
    for i in range(len(macro)):
        now = (macro[i] - first) * tick_ns + fine_ns[i]
        if state[0] == 1.0 and now - state[1] >= window_ns:
            state[0] = 0.0
        if side[i] == 0 and state[0] == 0.0:
            state[0], state[1] = 1.0, now
            state[2] += 1.0
        elif side[i] == 1 and state[0] == 1.0:
            counts[min(np.int64((now - state[1]) / width_ns), len(counts) - 1)] += 1
            state[0] = 0.0
