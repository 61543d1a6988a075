"""Laws of halide exchange between nanocrystals, as plain functions of arrays.

Fractions are vectors over Cl, Br, I that sum to 1; counts are amounts of halide, in any one unit.

    mean field     dx_i/dt = k (p - x_i)
    in pairs       dx_A/dt = k (x_B - x_A), and so for B; two equal populations
    with activity  dx_i/dt = k (p A_i - a_i),   a = x gamma(x), A_i = sum of a_i over the halides

p is the composition of the pool of desorbed ion pairs. Without salt the pool holds next to nothing, so p is
the mean of what leaves, weighted by halide count: x_mean for the mean field. Salt in solution is part of the
pool, which then holds a real amount of halide and is counted. The third law is the first for ions that leave
a crystal the faster the less they fit into it (regular solution, `miscibility`), so that crystals stop where
their exchange potentials are equal; with W = 0 it is the first.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from perolux.errors import ConvergenceError, OptionError

__all__ = ["activities", "mean_field", "pairwise", "with_activities"]

FloatArray = npt.NDArray[np.float64]
Course = tuple[FloatArray, FloatArray]


def pairwise(first: npt.ArrayLike, second: npt.ArrayLike, rate_per_s: float, time_s: npt.ArrayLike) -> Course:
    """Two equal populations that exchange in pairs; each (times, 3) for fractions (3,).

    x_A - x_B = (x_A0 - x_B0) exp(-2kt), the mean stays: the mean field with 2k.
    """
    if not rate_per_s >= 0:
        raise OptionError(f"a rate of {rate_per_s} 1/s", where="pairwise", allowed="0 and above")
    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    left = np.exp(-2.0 * rate_per_s * np.atleast_1d(np.asarray(time_s, dtype=float)))[:, None]
    mean, half = 0.5 * (a + b), 0.5 * (a - b) * left
    return mean + half, mean - half


def mean_field(
    fractions: FloatArray,
    counts: FloatArray,
    rate_per_s: float,
    time_s: FloatArray,
    pool: FloatArray | None = None,
    pool_count: float = 0.0,
) -> Course:
    """Closed form of the mean field: crystals (times, populations, 3) and pool (times, 3).

    fractions (populations, 3), counts (populations,), time_s (times,); pool (3,) and pool_count: salt in
    solution. With s = pool_count/sum(counts), X the mean of all and c that of the crystals:

        c = X - (s/(1+s)) d,  p = X + d/(1+s),  d = (p0 - c0) exp(-k (1 + 1/s) t)
        x_i = c + (x_i0 - c0) exp(-kt)
    """
    if not (rate_per_s >= 0 and counts.sum() > 0):
        raise OptionError(
            f"a rate of {rate_per_s} 1/s and {counts.sum()} of halide",
            where="mean_field",
            allowed="a rate of 0 and above, halide above 0",
        )
    start = counts @ fractions / counts.sum()
    relaxed = np.exp(-rate_per_s * time_s)[:, None]
    # a solution of next to nothing follows the crystals, and 1/s would be no number
    if pool is None or pool_count < 1e-200 * counts.sum():
        centre = np.broadcast_to(start, (len(time_s), 3))
        moved = centre[:, None, :] + (fractions - start) * relaxed[:, :, None]
        return moved, np.array(centre)
    s = pool_count / counts.sum()
    everything = (start + s * pool) / (1.0 + s)
    difference = (pool - start) * np.exp(-rate_per_s * time_s * (1.0 + 1.0 / s))[:, None]
    centre = everything - s / (1.0 + s) * difference
    moved = centre[:, None, :] + (fractions - start) * relaxed[:, :, None]
    return moved, everything + difference / (1.0 + s)


def activities(fractions: npt.ArrayLike, w: FloatArray) -> FloatArray:
    """Activities of a regular solution, a_j = x_j exp((W x)_j - x W x/2); (..., 3) for fractions (..., 3).

    For two halides a_1 = x_1 exp(W x_2^2).
    """
    x = np.asarray(fractions, dtype=float)
    field = x @ w
    return np.asarray(x * np.exp(field - 0.5 * np.sum(x * field, axis=-1, keepdims=True)))


def with_activities(
    fractions: FloatArray,
    counts: FloatArray,
    rate_per_s: float,
    time_s: FloatArray,
    w: FloatArray,
    pool: FloatArray | None = None,
    pool_count: float = 0.0,
) -> Course:
    """The law with activities, integrated (LSODA, relative 1e-10); arguments and results as `mean_field`.

    w: (3, 3) of `miscibility.w_matrix`. Every halide leaves one place and takes another, so what is
    integrated conserves each of them. Raises `ConvergenceError` where the integration fails.
    """
    from scipy.integrate import solve_ivp

    many, salted = len(counts), pool is not None and pool_count > 0.0
    share = counts / counts.sum()
    salt = pool_count / counts.sum()

    def flows(x: FloatArray, p: FloatArray | None) -> tuple[FloatArray, FloatArray]:
        """Change of the crystals per 1/k, and the composition of the pool."""
        leaving = activities(x, w)
        sites = leaving.sum(axis=1)
        held = share @ leaving / (share @ sites) if p is None else p
        return held * sites[:, None] - leaving, held

    def rate(_: float, state: FloatArray) -> FloatArray:
        x = state[: 3 * many].reshape(many, 3)
        change, _held = flows(x, state[3 * many :] if salted else None)
        if not salted:
            return change.ravel()
        return np.concatenate([change.ravel(), -(share @ change) / salt])

    assert pool is not None or not salted
    start = np.concatenate([fractions.ravel(), pool]) if salted and pool is not None else fractions.ravel()
    until = rate_per_s * time_s
    if not until[-1] > 0:
        held = np.asarray(pool) if salted else flows(fractions, None)[1]
        return np.repeat(fractions[None], len(until), axis=0), np.repeat(held[None], len(until), axis=0)
    solved = solve_ivp(rate, (0.0, float(until[-1])), start, "LSODA", t_eval=until, rtol=1e-10, atol=1e-13)
    if not solved.success:
        raise ConvergenceError(f"the exchange with activities could not be integrated: {solved.message}")
    crystals = solved.y.T[:, : 3 * many].reshape(-1, many, 3)
    held = solved.y.T[:, 3 * many :] if salted else np.array([flows(x, None)[1] for x in crystals])
    return crystals, held
