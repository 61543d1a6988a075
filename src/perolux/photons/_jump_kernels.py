"""Compiled walk of an emitter through its states. Uncompiled (`py_func`) it gives the same photons."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def jumps(rng, state, start_ns, stop_ns, out, cumulated, targets, odds, time, count):
    """Walk from `state` between two times; gives (state, count), count -1 where `time` is full.

    out: (n,) total rate of leaving; cumulated, targets, odds: (n, m) cumulated rates of the steps of each
    state, where they lead, and the probability that one gives a detected photon. A state that nothing leaves
    stays.
    """
    now = start_ns
    while True:
        if out[state] <= 0.0:
            return state, count
        now += rng.standard_exponential() / out[state]
        if now >= stop_ns:
            return state, count
        pick = rng.random() * out[state]
        k = 0
        while cumulated[state, k] <= pick and k < cumulated.shape[1] - 1:
            k += 1
        odd = odds[state, k]
        if odd > 0.0 and (odd >= 1.0 or rng.random() < odd):
            if count >= len(time):
                return state, -1
            time[count] = now
            count += 1
        state = targets[state, k]


@njit(cache=True, nogil=True)
def pulsed_jumps(
    rng, state, first, last, period_ns, captures, out, cumulated, targets, odds, cell, fine, count
):
    """The same between pulses first <= k < last; captures: (n, n), rows cumulated probabilities of the state
    that a pulse leads to."""
    inside = np.zeros(64)
    for pulse in range(first, last):
        pick = rng.random()
        k = 0
        while captures[state, k] <= pick and k < captures.shape[1] - 1:
            k += 1
        state, seen = jumps(rng, k, 0.0, period_ns, out, cumulated, targets, odds, inside, 0)
        if seen < 0 or count + seen > len(cell):
            return state, -1
        for j in range(seen):
            cell[count] = pulse
            fine[count] = inside[j]
            count += 1
    return state, count
