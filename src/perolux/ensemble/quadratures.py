"""Gauss quadrature for any size distribution: few nodes that keep its moments up to order 2n - 1.

The measure is discretised finely, then Lanczos' recurrence with full reorthogonalisation gives the
tridiagonal Jacobi matrix whose eigenvalues are the nodes. Source: Gautschi, Orthogonal Polynomials (Oxford
2004), sections 2.2 and 3.1.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError

__all__ = ["MAX_NODES", "gauss_from_points", "legendre_points"]

FloatArray = npt.NDArray[np.float64]
MAX_NODES = 200
"""More nodes than this do not help: use more sizes by sampling, or a table."""


def check_nodes(n: int) -> int:
    """n as a valid number of quadrature nodes, or `OptionError`."""
    if isinstance(n, bool) or int(n) != n or not 1 <= n <= MAX_NODES:
        raise OptionError(f"{n} quadrature nodes", allowed=f"a whole number from 1 to {MAX_NODES}")
    return int(n)


def legendre_points(
    low: float, high: float, panels: int = 40, order: int = 20
) -> tuple[FloatArray, FloatArray]:
    """Composite Gauss-Legendre points and weights on [low, high]; shape (panels*order,) each."""
    nodes, weights = np.polynomial.legendre.leggauss(order)
    edges = np.linspace(low, high, panels + 1)
    half = np.diff(edges)[:, None] / 2
    return (edges[:-1, None] + half * (nodes + 1)).ravel(), (half * weights).ravel()


def gauss_from_points(points: FloatArray, weights: FloatArray, n: int) -> tuple[FloatArray, FloatArray]:
    """n-point Gauss rule of the discrete measure sum(weights delta(points)): nodes ascending, weights sum 1.

    Exact for polynomials up to degree 2n - 1. Where the measure has n points or fewer it is returned merged
    and sorted as it is. points, weights: shape (m,); weights not negative.
    """
    n = check_nodes(n)
    keep = weights > 0
    points, inverse = np.unique(points[keep], return_inverse=True)
    merged = np.bincount(inverse, weights[keep]).astype(np.float64)
    weights = merged / merged.sum()
    if len(points) <= n:
        return points, weights
    middle, half = (points[0] + points[-1]) / 2, (points[-1] - points[0]) / 2
    x = (points - middle) / half
    basis = np.zeros((n, len(x)))
    diagonal, off = np.zeros(n), np.zeros(n - 1)
    vector = np.sqrt(weights)
    for k in range(n):
        vector /= math.sqrt(float(vector @ vector))
        basis[k] = vector
        diagonal[k] = float(vector @ (x * vector))
        if k == n - 1:
            break
        vector = x * vector
        for _ in range(2):  # twice is enough (Parlett): orthogonal to rounding
            vector = vector - basis[: k + 1].T @ (basis[: k + 1] @ vector)
        off[k] = math.sqrt(float(vector @ vector))
    eigenvalues, eigenvectors = np.linalg.eigh(np.diag(diagonal) + np.diag(off, 1) + np.diag(off, -1))
    found = eigenvectors[0] ** 2
    nodes = np.clip(eigenvalues, -1.0, 1.0)  # Gauss nodes lie inside the support; rounding may not
    return middle + half * nodes, found / found.sum()
