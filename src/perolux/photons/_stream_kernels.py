"""Compiled draws of photons and of what detectors make of them. Run uncompiled (`kernel.py_func`) they give
the same photons from the same seed: that is their plain twin in the tests.

A photon is (cell, fine_ns): the cell of time it belongs to (a laser period, or a slice of a continuous
record) and the time after its start, which may be negative or longer than a cell until `fold` puts that
right.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def pulsed_photons(rng, first, last, one, two, delay_ns, pair_delay_ns, second_ns, cell, fine, count):
    """Photons of the pulses first <= k < last; gives the new count, or -1 where the arrays are full.

    one, two: probabilities that a pulse gives one and two detected photons. A single photon comes after an
    exponential delay of mean delay_ns; of two, the first after pair_delay_ns, the second second_ns after the
    first (pair_delay_ns >= 0), or both after delay_ns on their own (pair_delay_ns < 0). Dark pulses are
    jumped over by a geometric gap.
    """
    any_photon = one + two
    if any_photon <= 0.0:
        return count
    log_dark = np.log1p(-any_photon) if any_photon < 1.0 else -np.inf
    room = len(cell)
    pulse = first
    while True:
        if any_photon < 1.0:
            # 1 - random() is never 0
            gap = np.floor(np.log(1.0 - rng.random()) / log_dark)
            if gap >= last - pulse:
                return count
            pulse += np.int64(gap)
        if pulse >= last:
            return count
        if count + 2 > room:
            return -1
        if rng.random() * any_photon < one:
            cell[count] = pulse
            fine[count] = delay_ns * rng.standard_exponential()
            count += 1
        else:
            if pair_delay_ns < 0.0:
                a = delay_ns * rng.standard_exponential()
                b = delay_ns * rng.standard_exponential()
            else:
                a = pair_delay_ns * rng.standard_exponential()
                b = a + second_ns * rng.standard_exponential()
            cell[count] = pulse
            fine[count] = a
            cell[count + 1] = pulse
            fine[count + 1] = b
            count += 2
        pulse += 1


@njit(cache=True, nogil=True)
def continuous_photons(rng, start_ns, stop_ns, wait_ns, lifetime_ns, efficiency, slice_ns, cell, fine, count):
    """Detected photons of a two-level emitter under steady light, from its ground state at start_ns.

    Between two emissions lie an exponential wait for excitation (mean wait_ns) and one for emission
    (lifetime_ns). Of the emissions each is detected with `efficiency`, so that a detected one closes a
    geometric number m of cycles: gamma(m) wait_ns + gamma(m) lifetime_ns, exactly. Gives the new count, or
    -1 where the arrays are full.
    """
    time = start_ns
    log_lost = np.log1p(-efficiency) if efficiency < 1.0 else -np.inf
    while True:
        cycles = 1.0
        if efficiency < 1.0:
            cycles += np.floor(np.log(1.0 - rng.random()) / log_lost)
        time += wait_ns * rng.standard_gamma(cycles) + lifetime_ns * rng.standard_gamma(cycles)
        if time >= stop_ns:
            return count
        if count >= len(cell):
            return -1
        at = np.int64(np.floor(time / slice_ns))
        cell[count] = at
        fine[count] = time - at * slice_ns
        count += 1


@njit(cache=True, nogil=True)
def fold(cell, fine, cell_ns):
    """Move whole cells from fine_ns to cell, in place, so that 0 <= fine < cell_ns."""
    for i in range(len(cell)):
        whole = np.floor(fine[i] / cell_ns)
        cell[i] += np.int64(whole)
        fine[i] -= whole * cell_ns
        if fine[i] >= cell_ns:  # rounding of a tiny negative time
            fine[i] = 0.0
            cell[i] += 1


@njit(cache=True, nogil=True)
def detect(rng, cell, fine, channel, cell_ns, dead_ns, after, after_ns, out_cell, out_fine, out_channel):
    """What detectors with dead time and afterpulsing record of photons in order of arrival.

    A detector is blind for dead_ns after each count (what falls there is lost and does not prolong it). Each
    count, an afterpulse too, gives with probability `after` one more count, exponential with mean after_ns
    from the end of the blind time. Gives the number of counts, or -1 where the arrays are full.
    """
    last_cell = np.full(256, np.int64(-(1 << 62)))
    last_fine = np.zeros(256)
    wait_cell = np.zeros(1024, np.int64)
    wait_fine = np.zeros(1024)
    wait_channel = np.zeros(1024, np.uint8)
    waiting = 0
    count = 0
    i = 0
    n = len(cell)
    while i < n or waiting:
        # the earliest of the next photon and the waiting afterpulses
        source = -1
        if i < n:
            c, f, k = cell[i], fine[i], channel[i]
        else:
            source = 0
            c, f, k = wait_cell[0], wait_fine[0], wait_channel[0]
        for w in range(waiting):
            if (wait_cell[w] - c) * cell_ns + (wait_fine[w] - f) < 0.0:
                source = w
                c, f, k = wait_cell[w], wait_fine[w], wait_channel[w]
        if source < 0:
            i += 1
        else:
            waiting -= 1
            wait_cell[source] = wait_cell[waiting]
            wait_fine[source] = wait_fine[waiting]
            wait_channel[source] = wait_channel[waiting]
        if last_cell[k] >= 0 and (c - last_cell[k]) * cell_ns + (f - last_fine[k]) < dead_ns:
            continue
        if count >= len(out_cell):
            return -1
        out_cell[count], out_fine[count], out_channel[count] = c, f, k
        count += 1
        last_cell[k], last_fine[k] = c, f
        if after > 0.0 and waiting < 1024 and rng.random() < after:
            later = f + dead_ns + after_ns * rng.standard_exponential()
            whole = np.floor(later / cell_ns)
            wait_cell[waiting] = c + np.int64(whole)
            wait_fine[waiting] = later - whole * cell_ns
            wait_channel[waiting] = k
            waiting += 1
    return count
