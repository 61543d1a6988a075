"""The master equation on blocks of equal excitation, applied to a density matrix without forming a matrix.

rho = A + iB with A symmetric and B antisymmetric, each block row by row in one vector, the block with most
excitations first. With real H and photon operator G (loss added to its diagonal)

    X = H B - G A/2,  Y = -H A - G B/2,   A' = X + X^T + jumps(A),  B' = Y - Y^T + jumps(B)

so that all is real. Hops are found from the bits of the states. The sparse matrix of `generator_matrix` of
`master_equation.py` is the plain twin.
"""

import numpy as np
from numba import njit


@njit(cache=True, fastmath=True)
def generator(
    a, b, da, db, complex_too, states, first, size, start, place, count, n, omega, delta, gamma, loss,
    dephasing,
):  # fmt: skip
    """rho' of rho = a + ib into da and db. Per block, highest first: first row in `states`, size, start in a.

    place (2^N,): where a bit pattern stands in its block; count: its number of excitations.
    """
    blocks = len(size)
    widest = 0
    for m in range(blocks):
        widest = max(widest, size[m])
    x = np.empty((widest, widest))
    y = np.empty((widest, widest))
    t = np.empty((n, widest))
    for m in range(blocks):
        c, o, f = size[m], start[m], first[m]
        k = count[states[f]]
        for p in range(c):
            pattern = states[f + p]
            xp, yp = x[p, :c], y[p, :c]
            d = 0.0
            for i in range(n):
                if pattern >> i & 1:
                    d += delta[i]
            g = 0.5 * k * (1.0 + loss)
            ap = a[o + p * c : o + (p + 1) * c]
            bp = b[o + p * c : o + (p + 1) * c] if complex_too else ap
            if complex_too:
                for s in range(c):
                    xp[s] = d * bp[s] - g * ap[s]
                    yp[s] = -d * ap[s] - g * bp[s]
            else:
                for s in range(c):
                    xp[s] = -g * ap[s]
            for i in range(n):
                if not pattern >> i & 1:
                    continue
                for j in range(n):
                    if pattern >> j & 1:
                        continue
                    q = place[pattern ^ (1 << i) ^ (1 << j)]
                    w, h = omega[i, j], 0.5 * gamma[i, j]
                    aq = a[o + q * c : o + (q + 1) * c]
                    if complex_too:
                        bq = b[o + q * c : o + (q + 1) * c]
                        for s in range(c):
                            xp[s] += w * bq[s] - h * aq[s]
                            yp[s] -= w * aq[s] + h * bq[s]
                    else:
                        for s in range(c):
                            xp[s] -= h * aq[s]
        for p in range(c):
            row = o + p * c
            for s in range(c):
                da[row + s] = x[p, s] + x[s, p]
            if complex_too:
                for s in range(c):
                    db[row + s] = y[p, s] - y[s, p]
            if dephasing > 0.0:
                for s in range(c):
                    fade = dephasing * count[states[f + p] ^ states[f + s]]
                    da[row + s] -= fade * a[row + s]
                    if complex_too:
                        db[row + s] -= fade * b[row + s]
        if m == 0:
            continue
        ca, oa = size[m - 1], start[m - 1]
        for part in range(2 if complex_too else 1):
            source = a if part == 0 else b
            target = da if part == 0 else db
            for p in range(c):
                pattern = states[f + p]
                for i in range(n):
                    ti = t[i, :ca]
                    ti[:] = 0.0
                    for j in range(n):
                        if pattern >> j & 1:
                            continue
                        w = gamma[i, j] + (loss if i == j else 0.0)
                        r = oa + place[pattern | (1 << j)] * ca
                        above = source[r : r + ca]
                        for s in range(ca):
                            ti[s] += w * above[s]
                for s in range(c):
                    other = states[f + s]
                    total = 0.0
                    for i in range(n):
                        if not other >> i & 1:
                            total += t[i, place[other | (1 << i)]]
                    target[o + p * c + s] += total
