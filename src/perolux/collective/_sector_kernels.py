"""Hops of excitations on many states at once, from tables of neighbours: no matrix is formed.

States are rows of a real array (C, m); a complex state takes two columns, real and imaginary part. The plain
twin is the sparse matrix of `blocks.hamiltonian` and `blocks.photon_operator`.
"""

import numpy as np
from numba import njit


@njit(cache=True)
def tables(states, place, n, neighbour, pair):
    """States that one hop from each state of a block reaches, and by which pair i n + j: (C, k (n - k))."""
    for p in range(len(states)):
        pattern = states[p]
        at = 0
        for i in range(n):
            if not pattern >> i & 1:
                continue
            for j in range(n):
                if pattern >> j & 1:
                    continue
                neighbour[p, at] = place[pattern ^ (1 << i) ^ (1 << j)]
                pair[p, at] = i * n + j
                at += 1


@njit(cache=True, fastmath=True)
def hop(neighbour, pair, amplitude, diagonal, x, out):
    """out = (diagonal + hops of `amplitude` (n n,)) x."""
    many = x.shape[1]
    hops = neighbour.shape[1]
    row = np.empty(many, dtype=x.dtype)
    for p in range(len(neighbour)):
        d = diagonal[p]
        for s in range(many):
            row[s] = d * x[p, s]
        for a in range(hops):
            w = amplitude[pair[p, a]]
            q = neighbour[p, a]
            for s in range(many):
                row[s] += w * x[q, s]
        for s in range(many):
            out[p, s] = row[s]


@njit(cache=True, fastmath=True)
def real_term(neighbour, pair, shift, diagonal, scale, x, old):
    """Chebyshev's recursion by a real H: old becomes 2 scale H x - old."""
    many = x.shape[1]
    hops = neighbour.shape[1]
    row = np.empty(many, dtype=x.dtype)
    double = x.dtype.type(2.0) * scale
    for p in range(len(neighbour)):
        d = diagonal[p]
        for s in range(many):
            row[s] = d * x[p, s]
        for a in range(hops):
            w = shift[pair[p, a]]
            q = neighbour[p, a]
            for s in range(many):
                row[s] += w * x[q, s]
        for s in range(many):
            old[p, s] = double * row[s] - old[p, s]


@njit(cache=True, fastmath=True)
def complex_term(neighbour, pair, shift, decay, diagonal, light, scale, x, old, turn, fade, out):
    """The same by H - (i/2) G: old becomes 2 scale (H - i G/2) x - old, and out += (turn + i fade) old.

    turn, fade (m/2,): coefficient of each state. diagonal, light: of H and G.
    """
    many = x.shape[1] // 2
    hops = neighbour.shape[1]
    half = x.dtype.type(0.5)
    double = x.dtype.type(2.0) * scale
    h = np.empty(2 * many, dtype=x.dtype)
    g = np.empty(2 * many, dtype=x.dtype)
    for p in range(len(neighbour)):
        d, e = diagonal[p], light
        for s in range(2 * many):
            h[s] = d * x[p, s]
            g[s] = e * x[p, s]
        for a in range(hops):
            w = shift[pair[p, a]]
            v = decay[pair[p, a]]
            q = neighbour[p, a]
            for s in range(2 * many):
                h[s] += w * x[q, s]
                g[s] += v * x[q, s]
        for s in range(many):
            re = double * (h[2 * s] + half * g[2 * s + 1]) - old[p, 2 * s]
            im = double * (h[2 * s + 1] - half * g[2 * s]) - old[p, 2 * s + 1]
            old[p, 2 * s], old[p, 2 * s + 1] = re, im
            out[p, 2 * s] += turn[s] * re - fade[s] * im
            out[p, 2 * s + 1] += turn[s] * im + fade[s] * re


@njit(cache=True, fastmath=True)
def lower(above, amplitude, x, out):
    """out = sum_i amplitude_i s-_i x for states in pairs of columns; amplitude (N, m), x (C, 2 m).

    above: for every lower state and emitter the state above, or -1. Returns the squares of the columns.
    """
    many = x.shape[1] // 2
    square = np.zeros(many)
    row = np.empty(2 * many, dtype=x.dtype)
    for p in range(len(above)):
        row[:] = 0.0
        for i in range(above.shape[1]):
            q = above[p, i]
            if q < 0:
                continue
            for s in range(many):
                row[2 * s] += amplitude[i, s] * x[q, 2 * s]
                row[2 * s + 1] += amplitude[i, s] * x[q, 2 * s + 1]
        for s in range(many):
            square[s] += row[2 * s] ** 2 + row[2 * s + 1] ** 2
            out[p, 2 * s], out[p, 2 * s + 1] = row[2 * s], row[2 * s + 1]
    return square
