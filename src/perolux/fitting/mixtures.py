"""Mixtures of Student-t densities as proposals of importance sampling: draw, weigh, fit to draws."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

__all__ = ["Proposal", "drawn", "fitted", "log_mixture", "walked"]

FloatArray = npt.NDArray[np.float64]
Proposal = tuple[FloatArray, list[FloatArray], list[FloatArray]]
"""Shares, centres (k,), shapes (k, k) of the parts."""

_FREEDOM = 5.0
_STRETCH = 2.0


def drawn(proposal: Proposal, count: int, rng: np.random.Generator) -> FloatArray:
    """Draws (count, k) of a mixture."""
    shares, centres, shapes = proposal
    which = rng.choice(len(shares), count, p=shares)
    normal = rng.standard_normal((count, len(centres[0])))
    stretch = np.sqrt(_FREEDOM / rng.chisquare(_FREEDOM, count))
    roots = [np.linalg.cholesky(one) for one in shapes]
    return np.stack([centres[w] + stretch[i] * (roots[w] @ normal[i]) for i, w in enumerate(which)])


def log_mixture(z: FloatArray, proposals: list[Proposal], sizes: FloatArray) -> FloatArray:
    """ln of the mixture of all proposals at z (n, k), each weighted by its number of draws."""
    parts = []
    for (shares, centres, shapes), size in zip(proposals, sizes / sizes.sum(), strict=True):
        for share, centre, shape in zip(shares, centres, shapes, strict=True):
            parts.append(math.log(share * size) + _log_student(z, centre, shape))
    table = np.stack(parts)
    top = table.max(axis=0)
    return np.asarray(top + np.log(np.sum(np.exp(table - top), axis=0)))


def _log_student(z: FloatArray, centre: FloatArray, shape: FloatArray) -> FloatArray:
    k = z.shape[1]
    root = np.linalg.cholesky(shape)
    scaled = np.linalg.solve(root, (z - centre).T)
    log_norm = (
        math.lgamma((_FREEDOM + k) / 2.0) - math.lgamma(_FREEDOM / 2.0)
        - 0.5 * k * math.log(_FREEDOM * math.pi) - float(np.sum(np.log(np.diag(root))))
    )  # fmt: skip
    tail = np.log1p(np.sum(scaled**2, axis=0) / _FREEDOM)
    return np.asarray(log_norm - 0.5 * (_FREEDOM + k) * tail)


def fitted(z: FloatArray, parts: int, rng: np.random.Generator, rounds: int = 25) -> Proposal:
    """A mixture fitted to draws (n, k) of equal weight by expectation and maximisation of Gaussians."""
    n, k = z.shape
    whole = np.cov(z.T).reshape(k, k) + 1e-6 * np.eye(k)
    centres = [z[i] for i in rng.choice(n, parts, replace=False)]
    shapes = [whole / parts ** (2.0 / k) for _ in range(parts)]
    shares = np.full(parts, 1.0 / parts)
    for _ in range(rounds):
        logs = np.stack(
            [math.log(s) + _log_normal(z, c, h) for s, c, h in zip(shares, centres, shapes, strict=True)]
        )
        member = np.exp(logs - logs.max(axis=0))
        member /= member.sum(axis=0)
        mass = member.sum(axis=1)
        for i in range(parts):
            weight = member[i] / max(mass[i], 1e-9)
            centres[i] = weight @ z
            apart = z - centres[i]
            # a part of few draws keeps some of the shape of all
            keep = 2.0 * k / (2.0 * k + mass[i])
            shapes[i] = (1.0 - keep) * (apart * weight[:, None]).T @ apart + keep * whole + 1e-8 * np.eye(k)
        shares = np.maximum(mass / n, 0.01)
        shares /= shares.sum()
    return shares, centres, [1.2 * one for one in shapes]


def _log_normal(z: FloatArray, centre: FloatArray, shape: FloatArray) -> FloatArray:
    root = np.linalg.cholesky(shape)
    scaled = np.linalg.solve(root, (z - centre).T)
    return np.asarray(-0.5 * np.sum(scaled**2, axis=0) - np.sum(np.log(np.diag(root))))


def walked(
    log_density: Callable[[FloatArray], float], begun: FloatArray, sweeps: int, rng: np.random.Generator
) -> FloatArray:
    """Walkers (w, k) that stretch towards one another from `begun`; the second half of their ways, (n, k).

    Goodman and Weare's move, as in `ensemble_sampler`, two in ten along a difference of two others.
    """
    x = begun.copy()
    w, k = len(x), x.shape[1]
    level = np.array([log_density(one) for one in x])
    kept = []
    wide = 2.38 / math.sqrt(2.0 * k)
    for sweep in range(sweeps):
        chance, far = rng.random((w,)), rng.random((w,))
        stretch = ((_STRETCH - 1.0) * far + 1.0) ** 2 / _STRETCH
        bar, jitter = np.log(rng.random(w)), 1e-5 * rng.standard_normal((w, k))
        # two others than i, which differ
        first, second = rng.integers(w - 1, size=w), rng.integers(w - 2, size=w)
        second += second >= first
        first, second = first + (first >= np.arange(w)), second + (second >= np.arange(w))
        for i in range(w):
            a, b = first[i], second[i]
            if chance[i] < 0.8:
                trial, extra = x[a] + stretch[i] * (x[i] - x[a]), (k - 1) * math.log(stretch[i])
            else:
                trial, extra = x[i] + wide * (x[a] - x[b]) + jitter[i], 0.0
            value = log_density(trial)
            if bar[i] < extra + value - level[i]:
                x[i], level[i] = trial, value
        if sweep >= sweeps // 2:
            kept.append(x.copy())
    return np.concatenate(kept)
