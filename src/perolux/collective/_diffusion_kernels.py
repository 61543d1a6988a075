"""Compiled trajectories of quantum-state diffusion on product states; `diffusion_step_plain` is the same in
NumPy.

Each emitter is a pure state, a unit vector (x, y, z) with <s-> = (x - i y)/2. The others turn it,
sequentially as in the truncated Wigner method but without noise; then its own decay and the noise of the
photons it shares.
"""

import math

import numpy as np
from numba import njit, prange

from perolux.collective._wigner_kernels import _turn


@njit(cache=True)
def step(s, g_real, g_imag, detuning, noise_real, noise_imag, lost_real, lost_imag, kick, loss, dt):
    """One step of one trajectory in place. s (3, N); g = Gamma/2 + i Omega, diagonal 0; noise: dconj(eta),
    lost: that of the loss; kick: angles of dephasing."""
    n = s.shape[1]
    for sweep in range(2):
        for v in range(n):
            i = v if sweep == 0 else n - 1 - v
            fr, fi = 0.0, 0.0
            for j in range(n):
                fr += g_real[i, j] * s[0, j] + g_imag[i, j] * s[1, j]
                fi += g_imag[i, j] * s[0, j] - g_real[i, j] * s[1, j]
            s[0, i], s[1, i], s[2, i] = _turn(s[0, i], s[1, i], s[2, i], fi, fr, detuning[i], 0.5 * dt)
    for i in range(n):
        mr, mi, z = 0.5 * s[0, i], -0.5 * s[1, i], s[2, i]
        # d<s-> = -(1 + kappa)/2 <s-> dt - <s->^2 deta + ((1 + z)/2 - |<s->|^2) dconj(eta)
        hr, hi = noise_real[i] + lost_real[i], noise_imag[i] + lost_imag[i]
        own = 0.5 * (1.0 + loss) * dt
        square_r, square_i = mr * mr - mi * mi, 2.0 * mr * mi
        up = 0.5 * (1.0 + z) - mr * mr - mi * mi
        dr = -own * mr - (square_r * hr - square_i * hi) + up * hr
        di = -own * mi - (square_r * hi + square_i * hr) - up * hi
        dz = -2.0 * own * (1.0 + z) - 2.0 * (1.0 + z) * (mr * hr - mi * hi)
        x, y, z = 2.0 * (mr + dr), -2.0 * (mi + di), z + dz
        size = math.sqrt(x * x + y * y + z * z)
        c, d = math.cos(kick[i]), math.sin(kick[i])
        s[0, i], s[1, i], s[2, i] = (c * x - d * y) / size, (d * x + c * y) / size, z / size


@njit(cache=True, parallel=True)
def trajectories(starts, seeds, shift, detuning, factor, loss, dephasing, dt, steps, every):
    """Rates and excited emitters (T, outputs) of trajectories from starts (T, 3, N). factor (N, r): its
    product with its transpose is Gamma."""
    count, _, n = starts.shape
    rank = factor.shape[1]
    outputs = steps // every + 1
    decay = factor @ factor.T
    real = 0.5 * decay
    for i in range(n):
        real[i, i] = 0.0
    rate, excited = np.zeros((count, outputs)), np.zeros((count, outputs))
    for t in prange(count):
        np.random.seed(seeds[t])  # noqa: NPY002
        s = starts[t].copy()
        root, lost = math.sqrt(0.5 * dt), math.sqrt(0.5 * loss * dt)
        hr, hi, kr, ki = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
        kick = np.zeros(n)
        for k in range(steps + 1):
            if k % every == 0:
                total, up = 0.0, 0.0
                for i in range(n):
                    up += 0.5 * (1.0 + s[2, i])
                    for j in range(n):
                        if j != i:
                            total += 0.25 * decay[i, j] * (s[0, i] * s[0, j] + s[1, i] * s[1, j])
                rate[t, k // every], excited[t, k // every] = total + up, up
            if k == steps:
                break
            hr[:] = 0.0
            hi[:] = 0.0
            for r in range(rank):
                a = root * np.random.standard_normal()  # noqa: NPY002 - the generator of numba
                b = root * np.random.standard_normal()  # noqa: NPY002
                for i in range(n):
                    hr[i] += factor[i, r] * a
                    hi[i] += factor[i, r] * b
            for i in range(n):
                if loss > 0.0:
                    kr[i] = lost * np.random.standard_normal()  # noqa: NPY002
                    ki[i] = lost * np.random.standard_normal()  # noqa: NPY002
                if dephasing > 0.0:
                    kick[i] = math.sqrt(2.0 * dephasing * dt) * np.random.standard_normal()  # noqa: NPY002
            step(s, real, shift, detuning, hr, hi, kr, ki, kick, loss, dt)
    return rate, excited
