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


@njit(cache=True)
def step(s, g_real, g_imag, detuning, noise_real, noise_imag, dt):
    """One step of one trajectory in place. s (3, N); g = Gamma/2 + i Omega with diagonal 1/2."""
    n = s.shape[1]
    for sweep in range(2):
        for m in range(n):
            i = m if sweep == 0 else n - 1 - m
            fr, fi = noise_real[i], noise_imag[i]
            for j in range(n):
                # s- of j is (sx - i sy)/2
                a, b = 0.5 * s[0, j], -0.5 * s[1, j]
                fr += g_real[i, j] * a - g_imag[i, j] * b
                fi += g_real[i, j] * b + g_imag[i, j] * a
            s[0, i], s[1, i], s[2, i] = _turn(
                s[0, i], s[1, i], s[2, i], 2.0 * fi, 2.0 * fr, detuning[i], 0.5 * dt
            )


@njit(cache=True, parallel=True)
def trajectories(starts, seeds, g_real, g_imag, detuning, factor, decay, dephasing, dt, steps, every):
    """Photon rate and population of each trajectory at every `every`-th step, (T, steps//every + 1) each.

    starts (T, 3, N); factor (N, r) with Gamma = factor factor^T; `decay` Gamma.
    """
    count, n = starts.shape[0], starts.shape[2]
    kept = steps // every + 1
    rate, excited = np.zeros((count, kept)), np.zeros((count, kept))
    for t in prange(count):
        np.random.seed(seeds[t])  # noqa: NPY002
        s = starts[t].copy()
        noise_real, noise_imag = np.zeros(n), np.zeros(n)
        for k in range(steps + 1):
            if k % every == 0:
                light, up = 0.0, 0.0
                for i in range(n):
                    row_r, row_i = 0.0, 0.0
                    for j in range(n):
                        row_r += decay[i, j] * s[0, j]
                        row_i += decay[i, j] * s[1, j]
                    light += 0.25 * (s[0, i] * row_r + s[1, i] * row_i)
                    light -= 0.25 * decay[i, i] * (s[0, i] * s[0, i] + s[1, i] * s[1, i])
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
                    noise_real[i] += factor[i, m] * a
                    noise_imag[i] += factor[i, m] * b
            step(s, g_real, g_imag, detuning, noise_real, noise_imag, dt)
            if dephasing > 0.0:
                for i in range(n):
                    angle = math.sqrt(2.0 * dephasing * dt) * np.random.normal()  # noqa: NPY002
                    c, d = math.cos(angle), math.sin(angle)
                    s[0, i], s[1, i] = c * s[0, i] - d * s[1, i], d * s[0, i] + c * s[1, i]
    return rate, excited
