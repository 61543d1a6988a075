"""Compiled trajectories of the discrete truncated Wigner method: sequential rotation of classical spins.

Each emitter is a vector S of length sqrt(3) that turns about w = (2 Im F, 2 Re F, delta),
F = (Gamma/2 + i Omega) s- + xi with s- = (sx - i sy)/2. Emitters are visited 1..N, then N..1, each turned by
w dt/2 with the fields of all others as they are then; the noise xi is held over the step. `step` and
`wigner_step_plain` of `wigner.py` are the same one trajectory at a time.

`step_lanes` moves many trajectories side by side: xy (N, 2 B) holds sx of B trajectories, then their sy. The
shifts of a group of emitters from all others outside of it are products of matrices before the group is
visited, those inside are added at each visit: the sums are those of the sequential rule. Going up, the groups
below have moved and those above not since they were summed going down, and the other way round: half of each
sum is kept from the sweep before, so that a step costs one product of all with all (4 N^2 operations a
trajectory). Decay goes through Gamma = factor factor^T, whose sums factor^T s are kept up to date at each
turn.
"""

import math

import numpy as np
from numba import njit


@njit(cache=True)
def _turn(sx, sy, sz, wx, wy, wz, dt):
    """S turned about w by the angle |w| dt, in Cayley's form with the tangent of half the angle."""
    size = math.sqrt(wx * wx + wy * wy + wz * wz)
    if size == 0.0:
        return sx, sy, sz
    t = math.tan(0.5 * size * dt) / size
    ax, ay, az = wx * t, wy * t, wz * t
    # S' = S + 2/(1 + a^2) (a x S + a x (a x S))
    cx, cy, cz = ay * sz - az * sy, az * sx - ax * sz, ax * sy - ay * sx
    factor = 2.0 / (1.0 + ax * ax + ay * ay + az * az)
    dx, dy, dz = ay * cz - az * cy, az * cx - ax * cz, ax * cy - ay * cx
    return sx + factor * (cx + dx), sy + factor * (cy + dy), sz + factor * (cz + dz)


@njit(cache=True, fastmath=True)
def step(s, g_real, g_imag, detuning, noise_real, noise_imag, dt):
    """One step of one trajectory in place. s (3, N); g = Gamma/2 + i Omega with diagonal 1/2."""
    n = s.shape[1]
    for sweep in range(2):
        for m in range(n):
            i = m if sweep == 0 else n - 1 - m
            # s- of j is (sx - i sy)/2
            fr, fi = s[0, 0] * 0, s[0, 0] * 0
            for j in range(n):
                fr += g_real[i, j] * s[0, j] + g_imag[i, j] * s[1, j]
                fi += g_imag[i, j] * s[0, j] - g_real[i, j] * s[1, j]
            s[0, i], s[1, i], s[2, i] = _turn(
                s[0, i], s[1, i], s[2, i],
                fi + 2.0 * noise_imag[i], fr + 2.0 * noise_real[i], detuning[i], 0.5 * dt,
            )  # fmt: skip


GROUP = 64


@njit(cache=True, fastmath=True, nogil=True, error_model="numpy")
def _visit(i, xy, z, p, factor, field, noise, loss, detuning, quarter, kick):
    """Turn emitter i of all lanes; field (2 B,): sums of the shifts, with sx, then with sy. quarter: dt/4.

    kick (B,): angles about z of the dephasing after the turn, or none.
    """
    lanes, rank = z.shape[1], factor.shape[1]
    decay = np.zeros(2 * lanes, xy.dtype)
    for c in range(2 * lanes):
        decay[c] = loss * xy[i, c]
    for m in range(rank):
        a = factor[i, m]
        for c in range(2 * lanes):
            decay[c] += a * p[m, c]
    for c in range(lanes):
        sx, sy, sz = xy[i, c], xy[i, lanes + c], z[i, c]
        half = xy.dtype.type(0.5)
        two = xy.dtype.type(2.0)
        ax = (field[c] - half * decay[lanes + c] + two * noise[i, lanes + c]) * quarter
        ay = (field[lanes + c] + half * decay[c] + two * noise[i, c]) * quarter
        az = detuning[i] * quarter
        # tan(x)/x by its continued fraction: the length is kept whatever t is, the angle to 1e-6 below 1
        q = ax * ax + ay * ay + az * az
        t = (xy.dtype.type(105.0) - xy.dtype.type(10.0) * q) / (
            xy.dtype.type(105.0) - xy.dtype.type(45.0) * q + q * q
        )
        ax, ay, az = ax * t, ay * t, az * t
        cx, cy, cz = ay * sz - az * sy, az * sx - ax * sz, ax * sy - ay * sx
        f = two / (xy.dtype.type(1.0) + q * t * t)
        dx = f * (cx + ay * cz - az * cy)
        dy = f * (cy + az * cx - ax * cz)
        xy[i, c], xy[i, lanes + c] = sx + dx, sy + dy
        z[i, c] = sz + f * (cz + ax * cy - ay * cx)
        decay[c], decay[lanes + c] = dx, dy
    # by itself, so that the loop above is vectorised
    for c in range(len(kick)):
        e, s, x, y = math.cos(kick[c]), math.sin(kick[c]), xy[i, c], xy[i, lanes + c]
        xy[i, c], xy[i, lanes + c] = e * x - s * y, s * x + e * y
        decay[c] += xy[i, c] - x
        decay[lanes + c] += xy[i, lanes + c] - y
    for m in range(rank):
        a = factor[i, m]
        for c in range(2 * lanes):
            p[m, c] += a * decay[c]


@njit(cache=True, fastmath=True, nogil=True)
def _others(outside, xy, low, size, above, out):
    """out (size, 2 B) = shifts of a group with the groups above it or those below."""
    n = len(xy)
    high = low + size
    begin = low * n + (size * low if above else 0)
    # rows of a group lie one after the other: all below, then, `inside` left out, all above
    wide = n - high if above else low
    if wide == 0:
        out[:] = 0.0
        return
    block = outside[begin : begin + size * wide].reshape(size, wide)
    np.dot(block, xy[high:] if above else xy[:low], out)


@njit(cache=True, fastmath=True, nogil=True)
def sums_above(outside, xy):
    """What the first sweep needs of the shifts: of each emitter with all groups above its own, (N, 2 B)."""
    found = np.zeros_like(xy)
    for low in range(0, len(xy), GROUP):
        size = min(GROUP, len(xy) - low)
        _others(outside, xy, low, size, True, found[low : low + size])
    return found


@njit(cache=True, fastmath=True, nogil=True)
def step_lanes(
    xy, z, p, factor, outside, inside, has_shift, loss, detuning, noise, quarter, kicks, below, above
):  # fmt: skip
    """One step of all lanes in place. z (N, B), p (r, 2 B) = factor^T xy, noise (N, 2 B) real, imaginary.

    outside, inside: the shifts as `wigner.grouped` lays them. kicks (N, B): angles of the dephasing between
    the sweeps, or (N, 0). below, above (N, 2 B): sums of shifts with the groups below and above; `above` of
    the spins as they are (`sums_above`) comes in, and goes out for the next step.
    """
    n, both = xy.shape
    field = np.zeros(both, xy.dtype)
    groups = (n + GROUP - 1) // GROUP
    none = kicks[0, :0]
    for sweep in range(2):
        for v in range(groups):
            low = GROUP * (v if sweep == 0 else groups - 1 - v)
            size = min(GROUP, n - low)
            if has_shift:
                moved = below if sweep == 0 else above
                _others(outside, xy, low, size, sweep == 1, moved[low : low + size])
            for u in range(size):
                k = u if sweep == 0 else size - 1 - u
                if has_shift:
                    for c in range(both):
                        field[c] = below[low + k, c] + above[low + k, c]
                    for j in range(size):
                        a = inside[low + k, j]
                        for c in range(both):
                            field[c] += a * xy[low + j, c]
                kick = kicks[low + k] if sweep == 0 else none
                _visit(low + k, xy, z, p, factor, field, noise, loss, detuning, quarter, kick)


@njit(cache=True, fastmath=True, nogil=True)
def lanes(starts, seed, outside, inside, has_shift, detuning, factor, loss, dephasing, dts, every):
    """Photon rate and population of each trajectory at first, every `every`-th step and at last, (k, B) each.

    starts (3, N, B); all in the precision of `starts`. dts (steps,): lengths of the steps, a multiple of
    `every` of them.
    """
    np.random.seed(seed)  # noqa: NPY002
    n, b, steps = starts.shape[1], starts.shape[2], len(dts)
    kept, rank = steps // every + 1, factor.shape[1]
    rate, excited = np.zeros((kept, b)), np.zeros((kept, b))
    turned = factor.T.copy()
    # what the factor makes of the diagonal, so that the sum over pairs is without it
    own = np.sum(factor * factor, axis=1)
    xy, z = np.zeros((n, 2 * b), starts.dtype), starts[2].copy()
    xy[:, :b], xy[:, b:] = starts[0], starts[1]
    p, eta = np.zeros((rank, 2 * b), starts.dtype), np.zeros((rank, 2 * b), starts.dtype)
    noise = np.zeros((n, 2 * b), starts.dtype)
    kicks = np.zeros((n, b if dephasing > 0.0 else 0), starts.dtype)
    above = sums_above(outside, xy) if has_shift else np.zeros((0, 2 * b), starts.dtype)
    below = np.zeros_like(above)
    for k in range(steps + 1):
        np.dot(turned, xy, p)
        if k % every == 0:
            at = k // every
            for m in range(rank):
                for c in range(b):
                    rate[at, c] += 0.25 * (p[m, c] ** 2 + p[m, b + c] ** 2)
            for i in range(n):
                for c in range(b):
                    up = 0.5 * (1.0 + z[i, c])
                    excited[at, c] += up
                    rate[at, c] += up - 0.25 * own[i] * (xy[i, c] ** 2 + xy[i, b + c] ** 2)
        if k == steps:
            break
        # <xi_i conj xi_j> = Gamma_ij/(2 dt): xi = factor eta/sqrt(2), eta complex with <|eta|^2> = 1/dt
        dt = dts[k]
        scale, lost = math.sqrt(0.25 / dt), math.sqrt(0.25 * loss / dt)
        quarter = xy.dtype.type(0.25 * dt)
        for m in range(rank):
            for c in range(2 * b):
                eta[m, c] = scale * np.random.normal()  # noqa: NPY002
        np.dot(factor, eta, noise)
        if loss > 0.0:
            for i in range(n):
                for c in range(2 * b):
                    noise[i, c] += lost * np.random.normal()  # noqa: NPY002
        if dephasing > 0.0:
            for i in range(n):
                for c in range(b):
                    kicks[i, c] = math.sqrt(2.0 * dephasing * dt) * np.random.normal()  # noqa: NPY002
        step_lanes(
            xy, z, p, factor, outside, inside, has_shift, loss, detuning, noise, quarter, kicks, below, above
        )
    return rate, excited
