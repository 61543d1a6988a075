"""Compiled search for changes of a Poisson rate. Plain twins stand in the tests."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def logarithms(x, mantissa, out, count):
    """out = ln x of the first `count`, to 1e-15; x positive, not denormal; mantissa: (n,) scratch.

    x = m 2^e with 1 <= m < 2 by its bits; ln m = ln(root 2) + 2 artanh(s), s = (m - root 2)/(m + root 2), as
    a series to s^19. Written out because compiled loops take `np.log` one by one, but this by four or eight.
    """
    bits, mantissa_bits = x.view(np.int64), mantissa.view(np.int64)
    for c in range(count):
        mantissa_bits[c] = (bits[c] & 0x000FFFFFFFFFFFFF) | 0x3FF0000000000000
        out[c] = np.float64(np.int32((bits[c] >> 52) - 1023))
    for c in range(count):
        s = (mantissa[c] - 1.4142135623730951) / (mantissa[c] + 1.4142135623730951)
        z = s * s
        series = 1 / 15 + z * (1 / 17 + z * (1 / 19))
        series = 1 / 9 + z * (1 / 11 + z * (1 / 13 + z * series))
        series = 1 + z * (1 / 3 + z * (1 / 5 + z * (1 / 7 + z * series)))
        out[c] = (out[c] + 0.5) * 0.6931471805599453 + 2 * s * series


@njit(cache=True, nogil=True, fastmath={"nnan", "nsz"})
def least_of(value, count):
    """The least of the first `count`."""
    low = np.inf
    for c in range(count):
        low = min(low, value[c])
    return low


@njit(cache=True, nogil=True)
def how_many_above(value, count, limit):
    """How many of the first `count` lie above a limit."""
    found = 0
    for c in range(count):
        found += value[c] > limit
    return found


@njit(cache=True, nogil=True, error_model="numpy")
def best_partition(time, stride, penalty, least, most_alive):
    """Changes (indices of photons) of the partition of least cost, by dynamic programming with exact pruning
    (PELT).

    time: (n,) ascending. Photons 0, stride, 2 stride ... may be changes. A segment from photon i to j holds
    n = j - i photons in T = t[j] - t[i] and costs n - n ln(n/T) + penalty; segments of fewer than `least`
    strides are not tried. Where more than `most_alive` starts are open (long stretches of one rate), those
    that lie closer than 1/128 of their age are thinned out; the change is put in its place afterwards.
    """
    nodes = (len(time) - 1) // stride + 1
    if nodes < 2 * least + 1:
        return np.zeros(0, np.int64)
    self_information = np.zeros(nodes)
    for k in range(1, nodes):
        n = k * stride
        self_information[k] = n * np.log(n) - n
    best = np.full(nodes, np.inf)
    best[0] = -penalty
    before = np.zeros(nodes, np.int64)
    # Of each start that is alive: its node, its time, what all before it costs.
    room = most_alive + 1
    alive = np.zeros(room, np.int64)
    began, paid, value = np.zeros(room), np.zeros(room), np.zeros(room)
    span, scratch = np.ones(room), np.ones(room)
    count = 0
    for j in range(least, nodes):
        start = j - least
        if best[start] < np.inf:
            alive[count], began[count], paid[count] = start, time[start * stride], best[start]
            count += 1
        now = time[j * stride]
        for c in range(count):
            span[c] = now - began[c]
        logarithms(span, scratch, value, count)
        for c in range(count):
            n = j - alive[c]
            value[c] = paid[c] + n * stride * value[c] - self_information[n]
        low = least_of(value, count)
        first = 0
        while first < count - 1 and value[first] != low:
            first += 1
        at = alive[first]
        best[j] = low + penalty
        before[j] = at
        # What is worse than a fresh segment from here on can never win again.
        if how_many_above(value, count, best[j]):
            kept = 0
            for c in range(count):
                alive[kept], began[kept], paid[kept] = alive[c], began[c], paid[c]
                kept += value[c] <= best[j]
            count = kept
        if count >= most_alive:
            kept = 1
            for c in range(1, count):
                if alive[c] == at or (alive[c] - alive[kept - 1]) * 128 >= j - alive[c]:
                    alive[kept], began[kept], paid[kept] = alive[c], began[c], paid[c]
                    kept += 1
            count = kept
    changes = np.zeros(nodes, np.int64)
    found = 0
    j = before[nodes - 1]
    while j > 0:
        changes[found] = j * stride
        found += 1
        j = before[j]
    return changes[:found][::-1].copy()


@njit(cache=True, nogil=True)
def split_gain(time, left, at, right):
    """Log-likelihood gained by a change at photon `at` of the segment from photon left to photon right."""
    n1, n2 = at - left, right - at
    t1, t2 = time[at] - time[left], time[right] - time[at]
    if n1 <= 0 or n2 <= 0 or t1 <= 0 or t2 <= 0:
        return -np.inf
    n = n1 + n2
    return n1 * np.log(n1 / t1) + n2 * np.log(n2 / t2) - n * np.log(n / (t1 + t2))


@njit(cache=True, nogil=True)
def refine(time, changes, stride):
    """Move each change to the best photon near it, its neighbours held; in place, in order.

    Near is two strides, or a sixty-fourth of the segments beside it where the search was thinned.
    """
    last = len(time) - 1
    for k in range(len(changes)):
        left = changes[k - 1] if k > 0 else 0
        right = changes[k + 1] if k + 1 < len(changes) else last
        reach = max(2 * stride, (right - left) // 64)
        top, at = -np.inf, changes[k]
        for i in range(max(left + 2, changes[k] - reach), min(right - 2, changes[k] + reach) + 1):
            gain = split_gain(time, left, i, right)
            if gain > top:
                top, at = gain, i
        changes[k] = at


@njit(cache=True, nogil=True)
def prune(time, changes, threshold):
    """Take out the weakest change again and again until each gains at least `threshold`; gives what stays,
    with gains."""
    count = len(changes)
    keep = changes.copy()
    last = len(time) - 1
    gain = np.zeros(count)
    for k in range(count):
        gain[k] = split_gain(
            time, keep[k - 1] if k > 0 else 0, keep[k], keep[k + 1] if k + 1 < count else last
        )
    while count:
        worst = 0
        for k in range(1, count):
            if gain[k] < gain[worst]:
                worst = k
        if gain[worst] >= threshold:
            break
        for k in range(worst, count - 1):
            keep[k] = keep[k + 1]
            gain[k] = gain[k + 1]
        count -= 1
        for k in (worst - 1, worst):
            if 0 <= k < count:
                gain[k] = split_gain(
                    time, keep[k - 1] if k > 0 else 0, keep[k], keep[k + 1] if k + 1 < count else last
                )
    return keep[:count], gain[:count]
