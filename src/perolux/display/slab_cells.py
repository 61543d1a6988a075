"""Cells of the deterministic slab: where light emitted in one cell is absorbed, and what leaves.

A slab of optical depth a (base e, at one wavelength) is cut into N equal cells. Averaged over the cells and
the directions, with mu the cosine inside, x = a/(N mu), p = 1 - exp(-x), g = p/x, r = exp(-x) and
D = 1 - R_t R_b exp(-2a/mu), light emitted in cell j is absorbed in cell i with the chance

    P_ij = integral_0^1 (dmu/2) { [i = j] 2(1 - g) + [i != j] p g r^(|i-j|-1)
           + (p g/D) [ R_t r^(2N-2-i-j) + R_b r^(i+j) + R_t R_b (r^(2N-1+i-j) + r^(2N-1-i+j)) ] }

and leaves by the top with

    E_j = integral_0^1 (dmu/2) (1 - R_t) (g/D) [ r^(N-1-j) + R_b r^(N+j) ]

These are exact for each direction: sum_i P_ij + E_top,j + E_bottom,j = 1 whatever the quadrature.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["CellVectors", "cell_matrix", "cell_vectors", "directions", "slab_vectors_plain"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CellVectors:
    """The sums over directions, one row a wavelength.

    own (m,): absorbed again in the cell itself on the direct way. direct, both (m, N): by the distance
    |i - j| of the cells. top (m, 2N-1): by 2N-2-i-j. bottom (m, 2N-1): by i + j. escape_top, escape_bottom
    (m, N): by the cell of emission.
    """

    own: FloatArray
    direct: FloatArray
    both: FloatArray
    top: FloatArray
    bottom: FloatArray
    escape_top: FloatArray
    escape_bottom: FloatArray


def directions(edges: tuple[float, ...], nodes: int) -> tuple[FloatArray, FloatArray]:
    """Cosines and weights of a quadrature on 0..1, split at critical cosines: weights sum to 1.

    On each piece mu = low + (high - low) u^2 with Gauss-Legendre in u: this removes the square root above a
    critical cosine and crowds nodes at grazing directions.
    """
    u, w = np.polynomial.legendre.leggauss(nodes)
    u, w = 0.5 * (u + 1.0), 0.5 * w
    points = sorted({0.0, 1.0, *(edge for edge in edges if 0.0 < edge < 1.0)})
    cosine, weight = [], []
    for low, high in itertools.pairwise(points):
        cosine.append(low + (high - low) * u**2)
        weight.append(2.0 * (high - low) * u * w)
    return np.concatenate(cosine), np.concatenate(weight)


def cell_vectors(
    depth: FloatArray,
    cosine: FloatArray,
    weight: FloatArray,
    reflect_top: FloatArray,
    reflect_bottom: FloatArray,
    cells: int,
) -> CellVectors:
    """All sums of a slab by the compiled kernel. depth (m,), above 0; reflectances (m, directions)."""
    from perolux.display._slab_kernels import slab_vectors

    return CellVectors(*slab_vectors(depth, cosine, weight, reflect_top, reflect_bottom, cells))


def slab_vectors_plain(
    depth: FloatArray,
    cosine: FloatArray,
    weight: FloatArray,
    reflect_top: FloatArray,
    reflect_bottom: FloatArray,
    cells: int,
) -> CellVectors:
    """The same as `cell_vectors`, written out in NumPy term by term: the reference of the tests."""
    a = depth[:, None] / cosine
    x = a / cells
    p, half = -np.expm1(-x), 0.5 * weight
    g = p / x
    short = np.where(x < 1e-4, 0.5 * x - x**2 / 6.0, 1.0 - g)
    rt, rb = reflect_top, reflect_bottom
    below = (1.0 - rt * rb) + rt * rb * (-np.expm1(-2.0 * a))

    def power(k: FloatArray) -> FloatArray:
        return np.asarray(np.exp(-x[:, :, None] * k))

    def summed(coefficient: FloatArray, k: FloatArray) -> FloatArray:
        return np.asarray(np.einsum("lm,lmk->lk", half * coefficient, power(k)))

    n = np.arange(cells, dtype=float)
    two = np.arange(2 * cells - 1, dtype=float)
    direct = summed(p * g, np.maximum(n - 1.0, 0.0))
    direct[:, 0] = 0.0
    round_both = summed(p * g * rt * rb / below, 2 * cells - 1.0 + n)
    round_both += summed(p * g * rt * rb / below, 2 * cells - 1.0 - n)
    return CellVectors(
        own=2.0 * np.sum(half * short, axis=1),
        direct=direct,
        both=round_both,
        top=summed(p * g * rt / below, two),
        bottom=summed(p * g * rb / below, two),
        escape_top=summed((1.0 - rt) * g / below, cells - 1.0 - n)
        + summed((1.0 - rt) * g * rb / below, cells + n),
        escape_bottom=summed((1.0 - rb) * g / below, n)
        + summed((1.0 - rb) * g * rt / below, 2.0 * cells - 1.0 - n),
    )


def cell_matrix(vectors: CellVectors, share: FloatArray) -> FloatArray:
    """P (N, N) of light spread over the wavelengths with `share` (m,): P_ij = sum_l share_l P_ij(l).

    Row i absorbs, column j emits.
    """
    near = share @ (vectors.direct + vectors.both)
    near[0] += share @ vectors.own
    top, bottom = share @ vectors.top, share @ vectors.bottom
    n = np.arange(len(near))
    along = n[:, None] + n
    matrix: FloatArray = near[np.abs(n[:, None] - n)] + bottom[along] + top[len(top) - 1 - along]
    return matrix
