"""Image charges of one pair in a dielectric sphere: kernel of the pair and self-energy of one carrier.

With e = eps_inside/eps_outside and alpha_n = (e-1)(n+1)/(e n + n + 1) = A [1 + (1-b)/(n+b)], A = (e-1)/(e+1),
b = 1/(e+1), the sums over n are an image charge (the 1) and an integral over a line of charge (the rest):

    sum alpha_n t^n P_n(c) = A [1/D(1) + (1-b) int_0^1 s^(b-1)/D(s) ds],   D(s)^2 = 1 - 2 s t c + s^2 t^2

The terms n = 0 of pair and self-energies cancel exactly for a neutral pair and are left out of both: they
alone diverge for e -> infinity.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from perolux.excitons.pair._variation import Array

__all__ = ["image_coefficient", "pair_image", "self_image"]

_LINE_POINTS = 24


def image_coefficient(degree: Array, ratio: float) -> Array:
    """alpha_n of the sphere, for n >= 1 (n = 0 cancels for a neutral pair)."""
    return (ratio - 1.0) * (degree + 1.0) / (ratio * degree + degree + 1.0)


def pair_image(electron: Array, hole: Array, distance: Array, ratio: float) -> Array:
    """sum over n >= 1 of alpha_n (r_e r_h)^n P_n(cos), all lengths over R; times -2/x it is V_pol in Ry."""
    node, weight = _line(1.0 / (ratio + 1.0))
    # 2 r_e r_h cos = r_e^2 + r_h^2 - r_eh^2
    twice = electron**2 + hole**2 - distance**2
    square = (electron * hole) ** 2
    # at s = 1 without a difference of large numbers: the image is near where both meet at the wall
    total = 1.0 / np.sqrt((1.0 - electron**2) * (1.0 - hole**2) + distance**2) - 1.0
    for s, w in zip(node, weight, strict=True):
        total = total + w * (1.0 / np.sqrt(1.0 - s * twice + s * s * square) - 1.0) / s
    return np.asarray((ratio - 1.0) / (ratio + 1.0) * total)


def self_image(radius: Array, ratio: float) -> Array:
    """sum over n >= 1 of alpha_n r^(2n), r over R; over x it is the self-energy of one carrier in Ry."""
    from scipy.special import hyp2f1

    b = 1.0 / (ratio + 1.0)
    square = radius**2
    line = (1.0 - b) / (1.0 + b) * hyp2f1(1.0, 1.0 + b, 2.0 + b, square)
    return np.asarray((ratio - 1.0) / (ratio + 1.0) * square * (1.0 / (1.0 - square) + line))


@lru_cache(maxsize=16)
def _line(b: float) -> tuple[Array, Array]:
    """Points and weights of (1-b) int_0^1 s^b f(s) ds (Gauss-Jacobi)."""
    from scipy.special import roots_sh_jacobi

    node, weight = roots_sh_jacobi(_LINE_POINTS, b + 1.0, b + 1.0)
    return node, (1.0 - b) * weight
