"""The exciton in a hard-wall cube or cuboid from products of sines: slow, independent, a check on `cube`.

Psi = sum c prod_i sin(a_i) sin(b_i), a_i and b_i from 1 to n and of equal parity on each axis. The attraction
is a sum of Gaussians, 1/r = (2/sqrt(pi)) int_0^inf exp(-t^2 r^2) dt, each a product over the axes, so that
the Hamiltonian is applied without ever being stored. E approaches its limit like n^-3, K and X only like 1/n.
"""

from __future__ import annotations

import math

import numpy as np

from perolux.errors import OptionError
from perolux.excitons._variation import Index
from perolux.excitons._variation import Array, gauss_unit

__all__ = ["solve_by_product_sines"]

_GAUSSIANS = 48


def solve_by_product_sines(
    edges_over_bohr: float | tuple[float, float, float], sines: int, *, mass_ratio: float = 1.0
) -> tuple[float, float, float]:
    """E/Ry, K and X of the ground exciton of a cube or cuboid from `sines` single-particle states per axis.

    edges_over_bohr: edge L/aB, or three of them. sines: 2 to 16; memory and time grow like the
    sixth and eighth power. E is an upper bound. Raises `OptionError` for a size or basis that cannot be used.

    >>> energy, overlap, exchange = solve_by_product_sines(1.0, 4)
    >>> round(energy, 2)  # 23.2036 when converged
    23.22
    """
    from scipy.sparse.linalg import LinearOperator, eigsh

    edges = np.broadcast_to(np.asarray(edges_over_bohr, dtype=np.float64), (3,))
    if not (np.all(np.isfinite(edges) & (edges > 0)) and 2 <= sines <= 16 and mass_ratio > 0):
        raise OptionError(
            f"edges {edges.tolist()}, {sines} sines, mass ratio {mass_ratio:g} cannot be used",
            allowed="edges > 0, 2 to 16 sines, mass ratio > 0",
        )
    level = np.arange(1, sines + 1)
    electron, hole = (each.ravel() for each in np.meshgrid(level, level, indexing="ij"))
    even = (electron + hole) % 2 == 0
    electron, hole = electron[even], hole[even]
    # mu/m_e = 1/(1+r), mu/m_h = r/(1+r) with r = m_e/m_h
    axis = math.pi**2 * (electron**2 + mass_ratio * hole**2) / (1.0 + mass_ratio)
    shape = 3 * (electron.size,)
    one, two, three = (axis / edge**2 for edge in edges)
    kinetic = one[:, None, None] + two[None, :, None] + three[None, None, :]
    weights, stretch = _laplace(float(edges.min()))
    matrices = [[_gaussian(electron, hole, t * edge) for t in stretch] for edge in edges]

    def apply(vector: Array) -> Array:
        state = vector.reshape(shape)
        out = kinetic * state
        for weight, first, second, third in zip(weights, *matrices, strict=True):
            part = np.tensordot(first, state, axes=(1, 0))
            out -= 2.0 * weight * (second @ part @ third)
        return np.asarray(out.ravel())

    size = electron.size**3
    start = 1.0 / (kinetic.ravel() - kinetic.min() + 20.0 / edges.min())
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
    return energy, overlap, math.pi * density / float(edges.prod())


def _laplace(edge: float) -> tuple[Array, Array]:
    """Weights and t (1/aB) of 1/r = sum weight exp(-t^2 r^2); t edge = s/(1-s) maps [0, 1) to [0, inf)."""
    node, weight = gauss_unit(_GAUSSIANS)
    return 2.0 / math.sqrt(math.pi) * weight / (1.0 - node) ** 2 / edge, node / (1.0 - node) / edge


def _gaussian(electron: Index, hole: Index, t: float) -> Array:
    """Matrix [pair, pair] of exp(-t^2 (x_e - x_h)^2) on one axis, edge 1."""
    top = int(electron.max())
    reach = min(1.0, 6.5 / t)
    u, u_weight = gauss_unit(2 * top + 24)
    c, c_weight = gauss_unit(2 * top + 8)
    separation = reach * u[:, None]
    left = separation + (1.0 - separation) * c  # the electron; the hole is at left - separation
    measure = reach * u_weight[:, None] * (1.0 - separation) * c_weight * np.exp(-((t * separation) ** 2))
    first, second = left.ravel()[:, None], (left - separation).ravel()[:, None]
    values = 2.0 * np.sin(math.pi * first * electron) * np.sin(math.pi * second * hole)
    mirrored = 2.0 * np.sin(math.pi * second * electron) * np.sin(math.pi * first * hole)
    heavy = measure.ravel()[:, None]
    return np.asarray(values.T @ (heavy * values) + mirrored.T @ (heavy * mirrored))
