"""Polynomial interpolation through Chebyshev-Lobatto points, for tables in more than one variable."""

from __future__ import annotations

import math

import numpy as np

from perolux.excitons.pair._variation import Array

__all__ = ["lobatto_points", "lobatto_weights"]


def lobatto_points(low: float, high: float, number: int) -> Array:
    """The `number` points low + (high - low) (1 - cos(pi k/(number - 1)))/2, ascending."""
    return low + (high - low) * 0.5 * (1.0 - np.cos(math.pi * np.arange(number) / (number - 1)))


def lobatto_weights(points: Array, wanted: Array) -> Array:
    """Weights [..., point] with which values at Chebyshev-Lobatto points give the polynomial at `wanted`.

    Second barycentric formula, weights (-1)^k, halved at both ends.
    """
    barycentric = np.where(np.arange(points.size) % 2, -1.0, 1.0)
    barycentric[[0, -1]] *= 0.5
    distance = np.asarray(wanted, dtype=np.float64)[..., None] - points
    # at a point itself the formula is 0/0: a distance far below the spacing gives the point's own value
    tiny = 1e-13 * (points[-1] - points[0])
    terms = barycentric / np.where(np.abs(distance) < tiny, tiny, distance)
    return np.asarray(terms / terms.sum(axis=-1, keepdims=True))
