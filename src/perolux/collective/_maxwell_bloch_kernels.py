"""Compiled shots of the one-dimensional Maxwell-Bloch equations with quantum seed; see `maxwell_bloch.py`.

Cells are slices times classes of detuning. The field is the running sum of the polarisation, taken in the
middle of a slice as the mean of both faces, so that what leaves the last face is what the cells lose.
Runge-Kutta of fourth order between kicks of noise. `step_plain` of `maxwell_bloch.py` is the same in NumPy.
"""

import math

import numpy as np
from numba import njit


@njit(cache=True)
def _slope(p, w, detuning, enters, gamma2, gamma1, ways, dp, dw):
    """d/dt of p (ways, M, K) and w (M, K); returns the fields that leave at the two ends."""
    m, k = w.shape
    h = 1.0 / m
    dw[:] = -gamma1 * (1.0 + w)
    ends = np.zeros(2, np.complex128)
    for way in range(ways):
        field = enters if way == 0 else 0j
        for s in range(m):
            j = s if way == 0 else m - 1 - s
            total = 0j
            for c in range(k):
                total += p[way, j, c]
            total *= h / k
            middle = field + 0.5 * total
            field += total
            for c in range(k):
                a = p[way, j, c]
                dp[way, j, c] = middle * w[j, c] - (gamma2 + 1j * detuning[j, c]) * a
                dw[j, c] -= middle.real * a.real + middle.imag * a.imag
        ends[way] = field
    return ends


@njit(cache=True)
def shots(starts, inversion, detuning, entering, gamma2, gamma1, noise, dt, steps, every, seeds):
    """starts (S, ways, M, K) complex; entering (2 steps + 1,): field at z = 0 at half steps; noise: of
    dephasing, root of the rate of <|p|^2> of a cell with all excited. Returns fields (S, ways, outputs), and
    inversion."""
    count, ways, m, k = starts.shape
    outputs = steps // every + 1
    fields = np.zeros((count, ways, outputs), np.complex128)
    mean = np.zeros((count, outputs))
    d1, d2 = np.zeros((ways, m, k), np.complex128), np.zeros((ways, m, k), np.complex128)
    d3, d4 = np.zeros((ways, m, k), np.complex128), np.zeros((ways, m, k), np.complex128)
    e1, e2, e3, e4 = np.zeros((m, k)), np.zeros((m, k)), np.zeros((m, k)), np.zeros((m, k))
    for shot in range(count):
        np.random.seed(seeds[shot])  # noqa: NPY002 - the generator of numba
        p = starts[shot].copy()
        w = np.full((m, k), inversion)
        for step in range(steps + 1):
            ends = _slope(p, w, detuning, entering[2 * step], gamma2, gamma1, ways, d1, e1)
            if step % every == 0:
                for way in range(ways):
                    fields[shot, way, step // every] = ends[way]
                mean[shot, step // every] = np.mean(w)
            if step == steps:
                break
            middle, after = entering[2 * step + 1], entering[2 * step + 2]
            _slope(p + 0.5 * dt * d1, w + 0.5 * dt * e1, detuning, middle, gamma2, gamma1, ways, d2, e2)
            _slope(p + 0.5 * dt * d2, w + 0.5 * dt * e2, detuning, middle, gamma2, gamma1, ways, d3, e3)
            _slope(p + dt * d3, w + dt * e3, detuning, after, gamma2, gamma1, ways, d4, e4)
            p = p + dt / 6.0 * (d1 + 2.0 * d2 + 2.0 * d3 + d4)
            w = w + dt / 6.0 * (e1 + 2.0 * e2 + 2.0 * e3 + e4)
            if noise > 0.0:
                for way in range(ways):
                    for j in range(m):
                        for c in range(k):
                            size = noise * math.sqrt(max(0.5 * (1.0 + w[j, c]), 0.0) * 0.5)
                            real = np.random.standard_normal()  # noqa: NPY002
                            imaginary = np.random.standard_normal()  # noqa: NPY002
                            p[way, j, c] += size * (real + 1j * imaginary)
    return fields, mean
