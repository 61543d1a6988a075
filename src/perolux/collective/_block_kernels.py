"""The master equation on blocks of equal excitation, applied to a density matrix without forming a matrix.

rho = A + iB with A symmetric and B antisymmetric is kept as one real matrix R = A + B a block, row by row,
the block with most excitations first. With real H and photon operator G (loss added to its diagonal)

    R' = P + Q^T + jumps(R),   P = -H R^T - G R/2,   Q = H R - G R^T/2

Where H is 0, R stays what it is (symmetric for a real start). The rows of H and G of one state are lists of
hops (`hops`), four at a time: the inner loops run over columns and are vectorised. The sparse matrix of
`generator_matrix` of `master_equation.py` is the plain twin.
"""

import numpy as np
from numba import njit

_AT_ONCE = 4


@njit(cache=True)
def hops(states, place, count, n, omega, delta, gamma, loss):
    """Rows of H and -G/2 of each state: where they begin, row in the block, and both amplitudes.

    The state itself comes first; amplitudes of 0 fill the rest up to fours.
    """
    total = len(states)
    begin = np.zeros(total + 1, np.int64)
    for f in range(total):
        k = count[states[f]]
        begin[f + 1] = begin[f] + 1 - (-(k * (n - k)) // _AT_ONCE) * _AT_ONCE
    row = np.zeros(begin[total], np.uint64)
    turn, fade = np.zeros(begin[total]), np.zeros(begin[total])
    for f in range(total):
        pattern, m = states[f], begin[f]
        row[m : begin[f + 1]] = place[pattern]
        for i in range(n):
            if pattern >> i & 1:
                turn[m] += delta[i]
        fade[m] = -0.5 * count[pattern] * (1.0 + loss)
        for i in range(n):
            for j in range(n):
                if pattern >> i & 1 and not pattern >> j & 1:
                    m += 1
                    row[m] = place[pattern ^ (1 << i) ^ (1 << j)]
                    turn[m], fade[m] = omega[i, j], -0.5 * gamma[i, j]
    return begin, row, turn, fade


# offsets without sign: an index that could count from the end would keep the loops from being vectorised
_u = np.uint64


@njit(cache=True, fastmath=True)
def _add4(out, o, x, i, j, k, m, a, b, c, d, width):
    """out[o:] += a x[i:] + b x[j:] + c x[k:] + d x[m:]."""
    for s in range(width):
        out[o + s] += a * x[i + s] + b * x[j + s] + c * x[k + s] + d * x[m + s]


@njit(cache=True, fastmath=True)
def _add8(out, o, x, xo, a, b, c, d, y, e, f, g, h, i, j, k, m, width):
    """The same for rows i, j, k, m of x from xo on with a, b, c, d and of y with e, f, g, h."""
    xi, xj, xk, xm = xo + i, xo + j, xo + k, xo + m
    for s in range(width):
        out[o + s] += (a * x[xi + s] + b * x[xj + s] + c * x[xk + s] + d * x[xm + s]) + (
            e * y[i + s] + f * y[j + s] + g * y[k + s] + h * y[m + s]
        )


@njit(cache=True, fastmath=True)
def _flip(x, o, y, p, c, add):
    """y[p:] = X^T of the c x c matrix at x[o:], or y += X^T, in tiles."""
    for low in range(0, c, 8):
        for left in range(0, c, 8):
            for i in range(low, min(low + 8, c)):
                for j in range(left, min(left + 8, c)):
                    if add:
                        y[p + i * c + j] += x[o + j * c + i]
                    else:
                        y[p + i * c + j] = x[o + j * c + i]


@njit(cache=True, fastmath=True)
def _coherent(r, out, turns, begin, row, turn, fade, f0, o, c, t, q):
    """P + Q^T of one block of c states from f0 on, at o of r. t, q (c^2,): R^T, Q."""
    _flip(r, o, t, 0, c, False)
    wide, uo = _u(c), _u(o)
    for p in range(c):
        low, m = p * c, begin[f0 + p]
        # the state itself
        d, g = turn[m], fade[m]
        for s in range(c):
            out[o + low + s] = g * r[o + low + s] - d * t[low + s]
            q[low + s] = g * t[low + s] + d * r[o + low + s]
        for m in range(begin[f0 + p] + 1, begin[f0 + p + 1], _AT_ONCE):
            i, j, k, h = wide * row[m], wide * row[m + 1], wide * row[m + 2], wide * row[m + 3]
            if turns:
                _add8(
                    out, _u(o + low), r, uo, fade[m], fade[m + 1], fade[m + 2], fade[m + 3],
                    t, -turn[m], -turn[m + 1], -turn[m + 2], -turn[m + 3], i, j, k, h, wide,
                )  # fmt: skip
                _add8(
                    q, _u(low), t, _u(0), fade[m], fade[m + 1], fade[m + 2], fade[m + 3],
                    r[o:], turn[m], turn[m + 1], turn[m + 2], turn[m + 3], i, j, k, h, wide,
                )  # fmt: skip
            else:
                _add4(
                    out, _u(o + low), r, uo + i, uo + j, uo + k, uo + h,
                    fade[m], fade[m + 1], fade[m + 2], fade[m + 3], wide,
                )  # fmt: skip
                _add4(
                    q, _u(low), t, i, j, k, h, fade[m], fade[m + 1], fade[m + 2], fade[m + 3], wide
                )  # fmt: skip
    _flip(q, 0, out, o, c, True)


@njit(cache=True, fastmath=True)
def _jumps(r, out, states, place, n, rates, f, o, c, oa, ca, holes, source, column):
    """Adds R_above[p | j, s | i] rates_ij summed over the empty j of p and i of s. source (n ca): over j."""
    # holes are filled up to fours with rates of 0
    above, empty = np.full(n + 4, _u(oa)), np.full(n + 4, n)
    for s in range(c):
        h = 0
        for i in range(n):
            if not states[f + s] >> i & 1:
                column[s * holes + h] = i * ca + place[states[f + s] | (1 << i)]
                h += 1
    wide = _u(ca)
    for p in range(c):
        h = 0
        for j in range(n):
            if not states[f + p] >> j & 1:
                above[h], empty[h] = _u(oa + place[states[f + p] | (1 << j)] * ca), j
                h += 1
        source[: n * ca] = 0.0
        for i in range(n):
            for h in range(0, holes, _AT_ONCE):
                _add4(
                    source, _u(i * ca), r, above[h], above[h + 1], above[h + 2], above[h + 3],
                    rates[i, empty[h]], rates[i, empty[h + 1]], rates[i, empty[h + 2]],
                    rates[i, empty[h + 3]], wide,
                )  # fmt: skip
        at = _u(0)
        for s in range(c):
            total = 0.0
            for _ in range(holes):
                total += source[column[at]]
                at += _u(1)
            out[o + p * c + s] += total


@njit(cache=True, fastmath=True)
def generator(
    r, out, turns, begin, row, turn, fade, states, first, size, start, place, count, n, gamma, loss, dephasing
):  # fmt: skip
    """R' of R into out. Per block, highest first: first row in `states`, size, start in r.

    place (2^N,): where a bit pattern stands in its block; count: its number of excitations.
    """
    widest = 0
    for m in range(len(size)):
        widest = max(widest, size[m])
    t, q = np.empty(widest * widest), np.empty(widest * widest)
    source, column = np.empty(n * widest), np.empty(n * widest, _u)
    rates = np.zeros((n, n + 1))
    for i in range(n):
        for j in range(n):
            rates[i, j] = gamma[i, j] + (loss if i == j else 0.0)
    for m in range(len(size)):
        c, o, f = size[m], start[m], first[m]
        _coherent(r, out, turns, begin, row, turn, fade, f, o, c, t, q)
        if dephasing > 0.0:
            for p in range(c):
                for s in range(c):
                    out[o + p * c + s] -= dephasing * count[states[f + p] ^ states[f + s]] * r[o + p * c + s]
        if m > 0:
            holes = n - count[states[f]]
            _jumps(r, out, states, place, n, rates, f, o, c, start[m - 1], size[m - 1], holes, source, column)


@njit(cache=True, fastmath=True)
def next_term(moved, here, before, total, factor, along, sign, share):
    """before = factor moved + along here + sign before, the next term of a series; total += share times it.

    Returns the square of its norm.
    """
    size = 0.0
    for s in range(len(moved)):
        term = factor * moved[s] + along * here[s] + sign * before[s]
        before[s] = term
        total[s] += share * term
        size += term * term
    return size
