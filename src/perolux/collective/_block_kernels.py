"""The master equation on blocks of equal excitation, applied to a density matrix without forming a matrix.

rho = A + iB with A symmetric and B antisymmetric is kept as one real matrix R = A + B a block, row by row,
the block with most excitations first; rows and columns are filled up with zeros to fours (`wide`), so that
inner loops have no remainder. With real H and photon operator G (loss added to its diagonal)

    R' = P + Q^T + jumps(R),   P = -H R^T - G R/2,   Q = H R - G R^T/2

Where H is 0 and R symmetric, P = Q. The rows of H and G of one state are lists of hops (`hops`), some at a
time: the inner loops run over columns and are vectorised. The sparse matrix of `generator_matrix` of
`master_equation.py` is the plain twin.
"""

import numpy as np
from numba import njit

_AT_ONCE = 4
# offsets without sign: an index that could count from the end would keep the loops from being vectorised
_u = np.uint64


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


@njit(cache=True)
def lifts(states, place, n, first, size, wide, holes, gamma, loss):
    """One excitation more: of each state the rows in the block above and the emitters that were empty.

    Both (states, n + 1), filled with emitter n. Then where the lists of each block begin, and of the h-th
    empty emitter i of each column s: the column above (h, s), and Gamma_ij of every j, loss added (j, h, s),
    0 for j = n.
    """
    row, site = np.zeros((len(states), n + 1), np.uint64), np.full((len(states), n + 1), _u(n))
    begin = np.zeros(len(size) + 1, np.int64)
    for m in range(len(size)):
        begin[m + 1] = begin[m] + holes[m] * wide[m]
    column, share = np.zeros(begin[-1], np.uint64), np.zeros((n + 1) * begin[-1])
    for m in range(len(size)):
        many = holes[m] * wide[m]
        for s in range(size[m]):
            pattern, h = states[first[m] + s], 0
            for i in range(n):
                if pattern >> i & 1:
                    continue
                at = h * wide[m] + s
                row[first[m] + s, h], site[first[m] + s, h] = place[pattern | (1 << i)], i
                column[begin[m] + at] = place[pattern | (1 << i)]
                for j in range(n):
                    share[(n + 1) * begin[m] + j * many + at] = gamma[i, j] + (loss if i == j else 0.0)
                h += 1
    return row, site, begin, column, share


@njit(cache=True, fastmath=True, nogil=True)
def _transposed(x, xo, t, w):
    """t = X^T of the w x w matrix at x[xo:], in tiles."""
    if w < _AT_ONCE:
        for i in range(w):
            for j in range(w):
                t[i * w + j] = x[xo + j * w + i]
        return
    wide, at = _u(w), _u(xo)
    for low in range(0, w, _AT_ONCE):
        for left in range(0, w, _AT_ONCE):
            here, there = _u(low) * wide + _u(left), at + _u(left) * wide + _u(low)
            for i in range(_u(4)):
                for j in range(_u(4)):
                    t[here + i * wide + j] = x[there + j * wide + i]


@njit(cache=True, fastmath=True, nogil=True)
def _joined(x, xo, q, out, o, w):
    """out[o:] = X + Q^T of the w x w matrix at x[xo:], in tiles."""
    if w < _AT_ONCE:
        for i in range(w):
            for j in range(w):
                out[o + i * w + j] = x[xo + i * w + j] + q[j * w + i]
        return
    wide, here, to = _u(w), _u(xo), _u(o)
    for low in range(0, w, _AT_ONCE):
        for left in range(0, w, _AT_ONCE):
            p, there = _u(low) * wide + _u(left), _u(left) * wide + _u(low)
            for i in range(_u(4)):
                for j in range(_u(4)):
                    s = p + i * wide + j
                    out[to + s] = x[here + s] + q[there + j * wide + i]


@njit(cache=True, fastmath=True, nogil=True)
def _turning(r, out, begin, row, turn, fade, f, o, c, wide, t, q):
    """P into out[o:] and Q of one block of c states from f on, at o of r. t: R^T."""
    w, at = _u(wide), _u(o)
    for p in range(c):
        low = _u(p) * w
        m = begin[f + p]
        d, g = turn[m], fade[m]
        for s in range(w):
            x, y = r[at + low + s], t[low + s]
            out[at + low + s] = g * x - d * y
            q[low + s] = g * y + d * x
        # two at a time: four need more registers than there are
        for m in range(begin[f + p] + 1, begin[f + p + 1], 2):
            i, j = w * row[m], w * row[m + 1]
            e, i1, j1 = at + low, at + i, at + j
            f1, f2, t1, t2 = fade[m], fade[m + 1], turn[m], turn[m + 1]
            for s in range(w):
                x1, x2, y1, y2 = r[i1 + s], r[j1 + s], t[i + s], t[j + s]
                out[e + s] += (f1 * x1 + f2 * x2) - (t1 * y1 + t2 * y2)
                q[low + s] += (f1 * y1 + f2 * y2) + (t1 * x1 + t2 * x2)


@njit(cache=True, fastmath=True, nogil=True)
def _still(r, begin, row, fade, f, o, c, wide, q):
    """P of one block where H is 0, into q."""
    w, at = _u(wide), _u(o)
    for p in range(c):
        low = _u(p) * w
        m = begin[f + p]
        g = fade[m]
        for s in range(w):
            q[low + s] = g * r[at + low + s]
        for m in range(begin[f + p] + 1, begin[f + p + 1], _AT_ONCE):
            i, j, k, h = at + w * row[m], at + w * row[m + 1], at + w * row[m + 2], at + w * row[m + 3]
            f1, f2, f3, f4 = fade[m], fade[m + 1], fade[m + 2], fade[m + 3]
            for s in range(w):
                q[low + s] += f1 * r[i + s] + f2 * r[j + s] + f3 * r[k + s] + f4 * r[h + s]


@njit(cache=True, fastmath=True, nogil=True)
def _jumps(x, above, out, o, row, site, f, column, share, c, wide, c_above, wide_above, holes, lifted):
    """Adds R_above[p | j, s | i] Gamma_ij summed over the empty j of p and i of s. R_above: at x[above:].

    lifted: R_above[q, s | i] of every row q above and each empty i of s, so that rows can be added.
    """
    w, wa, empty = _u(wide), _u(wide_above), _u(holes)
    many = empty * w
    for q in range(_u(c_above)):
        here, to = _u(above) + q * wa, q * many
        for s in range(many):
            lifted[to + s] = x[here + column[s]]
    for p in range(c):
        low = _u(o) + _u(p) * w
        for g in range(0, holes, 2):
            # an odd one is filled with emitter n, of rates 0
            a, e = row[f + p, g] * many, row[f + p, g + 1] * many
            b, d = site[f + p, g] * many, site[f + p, g + 1] * many
            for h in range(empty):
                a1, b1, e1, d1 = a + h * w, b + h * w, e + h * w, d + h * w
                for s in range(w):
                    out[low + s] += share[b1 + s] * lifted[a1 + s] + share[d1 + s] * lifted[e1 + s]


@njit(cache=True, fastmath=True, nogil=True)
def apply(r, above, out, still, tables, fading, space):
    """R' of R into out; above: the block over the first, or nothing.

    tables: `hops`, `lifts`, and of each block, highest first: first row of the tables, size, width, start in
    r, empty emitters, size and width of the block over it. fading: decay by dephasing of every number of r,
    of length 0 without. space: of `workspace`.
    """
    begin, row, turn, fade, up, site, lift, column, share, first, size, wide, start, holes, over, w_over = (
        tables
    )
    t, q, lifted = space
    for m in range(len(size)):
        c, w, o, f = size[m], wide[m], start[m], first[m]
        q[c * w : w * w] = 0.0
        if still:
            _still(r, begin, row, fade, f, o, c, w, q)
            _joined(q, 0, q, out, o, w)
        else:
            _transposed(r, o, t, w)
            _turning(r, out, begin, row, turn, fade, f, o, c, w, t, q)
            _joined(out, o, q, out, o, w)
        if m > 0 or len(above) > 0:
            x, at = (r, start[m - 1]) if m > 0 else (above, 0)
            e, n = lift[m], up.shape[1]
            _jumps(
                x,
                at,
                out,
                o,
                up,
                site,
                f,
                column[e:],
                share[n * e :],
                c,
                w,
                over[m],
                w_over[m],
                holes[m],
                lifted,
            )
    for s in range(len(fading)):
        out[s] -= fading[s] * r[s]


@njit(cache=True)
def workspace(wide, holes, over):
    """What `apply` needs: R^T and Q of a block, and columns of the block above."""
    w = wide.max()
    return np.zeros(w * w), np.zeros(w * w), np.zeros((wide * holes * over).max())


@njit(cache=True, fastmath=True, nogil=True)
def terms(
    first, last, before, here, moved, total, above, below, still, tables, fading, space, scale, centre, sign,
    share, square, seen, weights, moments,
):  # fmt: skip
    """Terms `first` to `last` - 1 of sum_n share_n phi_n, phi_(n+1) = 2 (M/scale) phi_n + sign phi_(n-1).

    M = generator + centre, phi_1 = M phi_0/scale; before: phi_(first - 2), 0 at first, here: phi_(first - 1).

    above: of phi_(first - 1) and those after it the block over the first, as rows; below: the last block is
    left there. The rest is filled by n: squares of the norms, weights.phi_n[seen]. Returns the last two.
    """
    some = np.empty(len(seen))
    for n in range(first, last):
        if below.shape[1] > 0:
            below[n - first] = here[len(here) - below.shape[1] :]
        apply(here, above[n - first], moved, still, tables, fading, space)
        factor = (1.0 if n == 1 else 2.0) / scale
        along, part, size = factor * centre, share[n], 0.0
        for s in range(len(here)):
            term = factor * moved[s] + along * here[s] + sign * before[s]
            before[s] = term
            total[s] += part * term
            size += term * term
        before, here = here, before
        square[n] = size
        for a in range(len(seen)):
            some[a] = here[seen[a]]
        for k in range(len(weights)):
            found = 0.0
            for a in range(len(seen)):
                found += weights[k, a] * some[a]
            moments[n, k] = found
    return before, here
