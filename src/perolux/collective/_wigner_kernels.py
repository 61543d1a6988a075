"""Compiled trajectories of the discrete truncated Wigner method: sequential rotation of classical spins.

Each emitter is a vector S of length sqrt(3) that turns about w = (2 Im F, 2 Re F, delta),
F = (Gamma/2 + i Omega) s- + xi with s- = (sx - i sy)/2. Emitters are visited 1..N, then N..1, each turned by
w dt/2 with the fields of all others as they are then; the noise xi is held over the step. `wigner_step_plain`
of `wigner.py` is the same in NumPy. Random numbers come from seeds that the caller draws.
"""

import math

import numpy as np
from numba import njit, prange


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


@njit(cache=True, fastmath=True)
def step_factored(s, factor, loss, shift, has_shift, detuning, noise_real, noise_imag, dt):
    """The same step with Gamma = factor factor^T: the sums factor^T s are kept up to date at each turn, so
    that the decay costs the rank of Gamma a visit, and the shifts alone cost N."""
    n, r = factor.shape
    px, py = np.zeros(r, s.dtype), np.zeros(r, s.dtype)
    for j in range(n):
        for m in range(r):
            px[m] += factor[j, m] * s[0, j]
            py[m] += factor[j, m] * s[1, j]
    for sweep in range(2):
        for v in range(n):
            i = v if sweep == 0 else n - 1 - v
            dx, dy, ox, oy = s[0, 0] * 0, s[0, 0] * 0, s[0, 0] * 0, s[0, 0] * 0
            for m in range(r):
                dx += factor[i, m] * px[m]
                dy += factor[i, m] * py[m]
            if has_shift:
                for j in range(n):
                    ox += shift[i, j] * s[0, j]
                    oy += shift[i, j] * s[1, j]
            bx, by = s[0, i], s[1, i]
            dx += loss * bx
            dy += loss * by
            s[0, i], s[1, i], s[2, i] = _turn(
                bx, by, s[2, i],
                ox - 0.5 * dy + 2.0 * noise_imag[i], 0.5 * dx + oy + 2.0 * noise_real[i],
                detuning[i], 0.5 * dt,
            )  # fmt: skip
            bx, by = s[0, i] - bx, s[1, i] - by
            for m in range(r):
                px[m] += factor[i, m] * bx
                py[m] += factor[i, m] * by


@njit(cache=True, parallel=True, fastmath=True)
def trajectories(starts, seeds, shift, detuning, factor, loss, dephasing, dt, steps, every):
    """Photon rate and population of each trajectory at every `every`-th step, (T, steps//every + 1) each.

    starts (T, 3, N); factor (N, r) with Gamma = factor factor^T. In the precision of `starts`.
    """
    count, n = starts.shape[0], starts.shape[2]
    kept = steps // every + 1
    rate, excited = np.zeros((count, kept)), np.zeros((count, kept))
    has_shift = np.any(shift != 0.0)
    turned = factor.T.copy()
    # what the factor makes of the diagonal, so that the sum over pairs is without it
    own = np.sum(factor * factor, axis=1)
    for t in prange(count):
        np.random.seed(seeds[t])  # noqa: NPY002
        s = starts[t].copy()
        noise_real, noise_imag = np.zeros(n, starts.dtype), np.zeros(n, starts.dtype)
        for k in range(steps + 1):
            if k % every == 0:
                light, up = 0.0, 0.0
                for m in range(factor.shape[1]):
                    row_r, row_i = s[0, 0] * 0, s[0, 0] * 0
                    for i in range(n):
                        row_r += turned[m, i] * s[0, i]
                        row_i += turned[m, i] * s[1, i]
                    light += 0.25 * (row_r * row_r + row_i * row_i)
                for i in range(n):
                    light -= 0.25 * own[i] * (s[0, i] * s[0, i] + s[1, i] * s[1, i])
                    up += 0.5 * (1.0 + s[2, i])
                rate[t, k // every] = light + up
                excited[t, k // every] = up
            if k == steps:
                break
            # <xi_i conj xi_j> = Gamma_ij/(2 dt): xi = factor eta/sqrt(2), eta complex with <|eta|^2> = 1/dt
            for i in range(n):
                noise_real[i], noise_imag[i] = 0.0, 0.0
            for m in range(factor.shape[1]):
                a = np.random.normal() * math.sqrt(0.25 / dt)  # noqa: NPY002
                b = np.random.normal() * math.sqrt(0.25 / dt)  # noqa: NPY002
                for i in range(n):
                    noise_real[i] += turned[m, i] * a
                    noise_imag[i] += turned[m, i] * b
            if loss > 0.0:
                for i in range(n):
                    noise_real[i] += math.sqrt(loss * 0.25 / dt) * np.random.normal()  # noqa: NPY002
                    noise_imag[i] += math.sqrt(loss * 0.25 / dt) * np.random.normal()  # noqa: NPY002
            step_factored(s, factor, loss, shift, has_shift, detuning, noise_real, noise_imag, dt)
            if dephasing > 0.0:
                for i in range(n):
                    angle = math.sqrt(2.0 * dephasing * dt) * np.random.normal()  # noqa: NPY002
                    c, d = math.cos(angle), math.sin(angle)
                    s[0, i], s[1, i] = c * s[0, i] - d * s[1, i], d * s[0, i] + c * s[1, i]
    return rate, excited
