"""The exciton in a hard-wall cube from products of sines: slow, independent of `cube`, a check on it.

Psi = sum c prod_i sin(a_i) sin(b_i), a_i and b_i from 1 to n and of equal parity on each axis. The attraction
is a sum of Gaussians, 1/r = (2/sqrt(pi)) int_0^inf exp(-t^2 r^2) dt, each a product over the axes, so that
the Hamiltonian is applied without ever being stored. E approaches its limit like n^-3, K and X only like 1/n.
"""

from __future__ import annotations

import math

import numpy as np

from perolux.errors import OptionError
from perolux.excitons._variation import Array, gauss_unit

__all__ = ["solve_by_product_sines"]

_GAUSSIANS = 48


def solve_by_product_sines(
    edge_over_bohr: float, sines: int, *, mass_ratio: float = 1.0
) -> tuple[float, float, float]:
    """E/Ry, K and X of the ground exciton of a cube in a basis of `sines` single-particle states per axis.

    edge_over_bohr: L/aB > 0. sines: 2 to 16; memory and time grow like the sixth and eighth power. E is an
    upper bound. Raises `OptionError` for a size or basis that cannot be used.

    >>> energy, overlap, exchange = solve_by_product_sines(1.0, 4)
    >>> round(energy, 2)  # 23.2036 when converged
    23.22
    """
    from scipy.sparse.linalg import LinearOperator, eigsh

    edge = float(edge_over_bohr)
    if not (math.isfinite(edge) and edge > 0 and 2 <= sines <= 16 and mass_ratio > 0):
        raise OptionError(
            f"edge {edge:g}, {sines} sines, mass ratio {mass_ratio:g} cannot be used",
            allowed="edge > 0, 2 to 16 sines, mass ratio > 0",
        )
    level = np.arange(1, sines + 1)
    electron, hole = (each.ravel() for each in np.meshgrid(level, level, indexing="ij"))
    even = (electron + hole) % 2 == 0
    electron, hole = electron[even], hole[even]
    # mu/m_e = 1/(1+r), mu/m_h = r/(1+r) with r = m_e/m_h
    axis = math.pi**2 / edge**2 * (electron**2 + mass_ratio * hole**2) / (1.0 + mass_ratio)
    shape = 3 * (electron.size,)
    kinetic = axis[:, None, None] + axis[None, :, None] + axis[None, None, :]
    gaussians = [(2.0 / edge * weight, matrix) for weight, matrix in _gaussians(electron, hole)]

    def apply(vector: Array) -> Array:
        state = vector.reshape(shape)
        out = kinetic * state
        for weight, matrix in gaussians:
            part = np.tensordot(matrix, state, axes=(1, 0))
            part = np.einsum("jb,ibk->ijk", matrix, part, optimize=True)
            out -= weight * (part @ matrix)
        return np.asarray(out.ravel())

    size = electron.size**3
    start = 1.0 / (kinetic.ravel() - 3.0 * axis.min() + 20.0 / edge)
    _, vectors = eigsh(
        LinearOperator((size, size), matvec=apply, dtype=np.float64), k=1, which="SA", v0=start, tol=1e-9
    )
    state = vectors[:, 0] / np.linalg.norm(vectors[:, 0])
    energy = float(state @ apply(state))
    state = state.reshape(shape)
    meet = (electron == hole).astype(np.float64)
    overlap = float(np.einsum("abc,a,b,c->", state, meet, meet, meet)) ** 2
    node, weight = gauss_unit(3 * sines)
    pair = 2.0 * np.sin(math.pi * np.outer(node, electron)) * np.sin(math.pi * np.outer(node, hole))
    contact = np.einsum("abc,xa,yb,zc->xyz", state, pair, pair, pair, optimize=True)
    density = float(np.einsum("xyz,x,y,z->", contact**2, weight, weight, weight))
    return energy, overlap, math.pi * density / edge**3


def _gaussians(electron: np.ndarray, hole: np.ndarray) -> list[tuple[float, Array]]:
    """Weights and one-axis matrices [pair, pair] of the Gaussians that make up 1/r, for edge 1."""
    node, weight = gauss_unit(_GAUSSIANS)
    top = int(electron.max())
    out = []
    # t = s/(1-s) maps [0, 1) to [0, inf); the product of three axes falls like t^-3
    for s, w in zip(node, weight, strict=True):
        t = s / (1.0 - s)
        reach = min(1.0, 6.5 / t)
        u, u_weight = gauss_unit(2 * top + 24)
        c, c_weight = gauss_unit(2 * top + 8)
        separation = reach * u[:, None]
        left = separation + (1.0 - separation) * c  # the electron, with the hole at left - separation
        measure = reach * u_weight[:, None] * (1.0 - separation) * c_weight * np.exp(-((t * separation) ** 2))
        first, second = left.ravel()[:, None], (left - separation).ravel()[:, None]
        values = 2.0 * np.sin(math.pi * first * electron) * np.sin(math.pi * second * hole)
        mirrored = 2.0 * np.sin(math.pi * second * electron) * np.sin(math.pi * first * hole)
        heavy = measure.ravel()[:, None]
        matrix = values.T @ (heavy * values) + mirrored.T @ (heavy * mirrored)
        out.append((2.0 / math.sqrt(math.pi) * w / (1.0 - s) ** 2, matrix))
    return out
