"""Compiled recursions over the frames of a series. Uncompiled (`py_func`) they are their own plain twin; the
dense matrices of `diffusion_laws` are the second method."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def innovations(y, noise2, gap, gap_q, keep, end_q, mean_c, mean_q, cross_q, first_variance):
    """Innovations of y and of a constant 1, and their variances, each (n,).

    State: the centre at the end of the last exposure. gap, gap_q: what the gap before an exposure keeps of
    it, and adds in variance; keep, end_q: the same for the exposure; mean_c, mean_q: of the mean over the
    exposure; cross_q: covariance of what mean and end gain. first_variance: at the start of the first.
    """
    n = len(y)
    left = np.empty(n)
    left_one = np.empty(n)
    variance = np.empty(n)
    state = 0.0
    state_one = 0.0
    spread = first_variance
    for k in range(n):
        if k > 0:
            state *= gap[k]
            state_one *= gap[k]
            spread = gap[k] * gap[k] * spread + gap_q[k]
        variance[k] = mean_c * mean_c * spread + mean_q + noise2[k]
        left[k] = y[k] - mean_c * state
        left_one[k] = 1.0 - mean_c * state_one
        both = keep * mean_c * spread + cross_q
        weight = both / variance[k]
        state = keep * state + weight * left[k]
        state_one = keep * state_one + weight * left_one[k]
        spread = keep * keep * spread + end_q - weight * both
    return left, left_one, variance


@njit(cache=True, nogil=True)
def forward_backward(log_emission, powers, power_of, share):
    """Hidden Markov chain: log-likelihood, posterior (n, m), expected steps summed by power (p, m, m).

    log_emission: (n, m); powers: (p, m, m), the matrix of steps to each power of the period that occurs;
    power_of: (n,), which of them leads to frame k; share: (m,), at the first frame.
    """
    n, m = log_emission.shape
    forward = np.empty((n, m))
    scale = np.empty(n)
    total = 0.0
    for k in range(n):
        top = log_emission[k, 0]
        for i in range(1, m):
            top = max(top, log_emission[k, i])
        norm = 0.0
        for i in range(m):
            if k == 0:
                come = share[i]
            else:
                come = 0.0
                for j in range(m):
                    come += forward[k - 1, j] * powers[power_of[k], j, i]
            forward[k, i] = come * np.exp(log_emission[k, i] - top)
            norm += forward[k, i]
        norm = max(norm, 1e-300)
        for i in range(m):
            forward[k, i] /= norm
        scale[k] = norm
        total += np.log(norm) + top
    posterior = np.empty((n, m))
    steps = np.zeros(powers.shape)
    backward = np.ones(m)
    for i in range(m):
        posterior[n - 1, i] = forward[n - 1, i]
    fresh = np.empty(m)
    for k in range(n - 1, 0, -1):
        top = log_emission[k, 0]
        for i in range(1, m):
            top = max(top, log_emission[k, i])
        for j in range(m):
            fresh[j] = 0.0
        for i in range(m):
            arrive = np.exp(log_emission[k, i] - top) * backward[i] / scale[k]
            for j in range(m):
                part = powers[power_of[k], j, i] * arrive
                steps[power_of[k], j, i] += forward[k - 1, j] * part
                fresh[j] += part
        norm = 0.0
        for j in range(m):
            backward[j] = fresh[j]
            posterior[k - 1, j] = forward[k - 1, j] * backward[j]
            norm += posterior[k - 1, j]
        for j in range(m):
            posterior[k - 1, j] /= norm
    return total, posterior, steps
