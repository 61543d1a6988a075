"""Compiled loop of the ladder of identical emitters, backwards in time: all starts at once."""

from __future__ import annotations

import numpy as np
from numba import njit

_G = 0.435866521508459
_A21 = 0.5 * (1.0 - _G)
_B1 = -0.25 * (6.0 * _G * _G - 16.0 * _G + 1.0)
_B2 = 0.25 * (6.0 * _G * _G - 20.0 * _G + 5.0)


@njit(cache=True)
def rates(n, dephasing):
    """Rates of light, to J - 1 and to J + 1 by dephasing; state (excited, k), J = n/2 - k."""
    h = 0.5 * n
    light = np.zeros((n + 1, n // 2 + 1))
    down = np.zeros((n + 1, n // 2 + 1))
    up = np.zeros((n + 1, n // 2 + 1))
    for e in range(n + 1):
        m = e - h
        for k in range(min(e, n - e) + 1):
            j = h - k
            light[e, k] = (j + m) * (j - m + 1.0)
            if j > 0.0:
                down[e, k] = 2.0 * dephasing * (j + m) * (j - m) * (j + 1.0 + h) / (2.0 * j * (2.0 * j + 1.0))
            up[e, k] = 2.0 * dephasing * (j - m + 1.0) * (j + m + 1.0) * (h - j)
            up[e, k] /= 2.0 * (j + 1.0) * (2.0 * j + 1.0)
    return light, down, up


@njit(cache=True)
def solve(n, light, down, up, a, right, out, diagonal, side):
    """out = (1 - a A)^-1 right, A v = sum of rate (v_to - v_from): one tridiagonal system a level."""
    for e in range(n + 1):
        last = min(e, n - e)
        for k in range(last + 1):
            value = right[e, k]
            if e > 0 and light[e, k] > 0.0:
                value += a * light[e, k] * out[e - 1, k]
            out[e, k] = value
            diagonal[k] = 1.0 + a * (light[e, k] + down[e, k] + up[e, k])
        # to k + 1 with `down`, to k - 1 with `up`
        for k in range(1, last + 1):
            w = -a * up[e, k] / diagonal[k - 1]
            side[k] = w
            diagonal[k] -= w * (-a * down[e, k - 1])
            out[e, k] -= w * out[e, k - 1]
        out[e, last] /= diagonal[last]
        for k in range(last - 1, -1, -1):
            out[e, k] = (out[e, k] + a * down[e, k] * out[e, k + 1]) / diagonal[k]


@njit(cache=True)
def photons_from_every_start(n, dephasing, times, substeps, shares):
    """Photons given until each time by e excited of n at first, (len(times), n + 1); times[0] = 0.

    v(t) of each state obeys v' = A v + light, v(0) = 0: photons until t. Third-order L-stable (Alexander's
    SDIRK). shares (n + 1, n//2 + 1): chance of each J for e random emitters excited.
    """
    light, down, up = rates(n, dephasing)
    shape = light.shape
    v = np.zeros(shape)
    k1, k2, k3, right = np.zeros(shape), np.zeros(shape), np.zeros(shape), np.zeros(shape)
    diagonal, side = np.zeros(shape[1]), np.zeros(shape[1])
    found = np.zeros((len(times), n + 1))
    for i in range(1, len(times)):
        h = (times[i] - times[i - 1]) / substeps
        a = _G * h
        for _ in range(substeps):
            # Y = (1 - aA)^-1 (r + a light);  h A' := (Y - r)/G with A' the whole right-hand side
            right[:] = v + a * light
            solve(n, light, down, up, a, right, k1, diagonal, side)
            k1[:] = (k1 - v) / _G
            right[:] = v + _A21 * k1 + a * light
            solve(n, light, down, up, a, right, k2, diagonal, side)
            k2[:] = (k2 - v - _A21 * k1) / _G
            right[:] = v + _B1 * k1 + _B2 * k2 + a * light
            solve(n, light, down, up, a, right, k3, diagonal, side)
            v[:] = k3
        for e in range(n + 1):
            total = 0.0
            for k in range(min(e, n - e) + 1):
                total += shares[e, k] * v[e, k]
            found[i, e] = total
    return found
