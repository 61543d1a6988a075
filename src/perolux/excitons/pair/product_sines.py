"""The exciton in a hard-wall cube or cuboid from products of sines: slow, independent, a check on `cube`.

Psi = sum c prod_i sin(a_i) sin(b_i), a_i and b_i from 1 to n and of equal parity on each axis. The attraction
is a sum of Gaussians, 1/r = (2/sqrt(pi)) int_0^inf exp(-t^2 r^2) dt, each a product over the axes, so that
the Hamiltonian is applied without ever being stored. E approaches its limit like n^-3, K and X only like 1/n.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from perolux.errors import OptionError
from perolux.excitons.pair._dense import apply_gaussians
from perolux.excitons.pair._variation import Array, Index, gauss_unit

__all__ = ["solve_by_product_sines", "solve_levels_by_product_sines"]

Edges = float | tuple[float, float, float]
_GAUSSIANS = 48


def solve_by_product_sines(
    edges_over_bohr: Edges, sines: int, *, mass_ratio: float = 1.0
) -> tuple[float, float, float]:
    """E/Ry, K and X of the ground exciton of a cube or cuboid from `sines` single-particle states per axis.

    edges_over_bohr: edge L/aB, or three of them. sines: 2 to 16; memory and time grow like the
    sixth and eighth power. E is an upper bound. Raises `OptionError` for a size or basis that cannot be used.

    >>> energy, overlap, exchange = solve_by_product_sines(1.0, 4)
    >>> round(energy, 2)  # 23.2036 when converged
    23.22
    """
    levels = solve_levels_by_product_sines(edges_over_bohr, sines, 1, mass_ratio=mass_ratio)
    energy, overlap, exchange = (float(values[0]) for values in levels)
    return energy, overlap, exchange


def solve_levels_by_product_sines(
    edges_over_bohr: Edges, sines: int, count: int, *, mass_ratio: float = 1.0
) -> tuple[Array, Array, Array]:
    """E/Ry, K and X [level] of the lowest `count` optically active states; as `solve_by_product_sines`.

    Active: symmetric under permutation of equal axes and, for equal masses, under exchange of electron
    and hole in one coordinate. Everything else is shifted out of the way.

    >>> energy, _, _ = solve_levels_by_product_sines(1.0, 4, 2)
    >>> energy.round(1).tolist()  # 23.2036 and 52.6434 when converged
    [23.2, 52.7]
    """
    from scipy.sparse.linalg import LinearOperator, eigsh

    edges = np.broadcast_to(np.asarray(edges_over_bohr, dtype=np.float64), (3,))
    if not (np.all(np.isfinite(edges) & (edges > 0)) and 2 <= sines <= 16 and mass_ratio > 0 and count > 0):
        raise OptionError(
            f"edges {edges.tolist()}, {sines} sines, mass ratio {mass_ratio:g}, {count} levels: no use",
            allowed="edges > 0, 2 to 16 sines, mass ratio > 0, count > 0",
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
    matrices = tuple([_gaussian(electron, hole, t * edge) for t in stretch] for edge in edges)
    attraction = (matrices[0], matrices[1], matrices[2])
    even_part = _Symmetry.of(edges, electron, hole, mass_ratio == 1.0)
    beyond = float(kinetic.max())

    def apply(vector: Array) -> Array:
        state = vector.reshape(shape)
        kept = even_part(state)
        out = even_part(apply_gaussians(kept, kinetic, 2.0 * weights, attraction)) + beyond * (state - kept)
        return np.asarray(out.ravel())

    size = electron.size**3
    if not 0 < count < size - 1:
        raise OptionError(f"{count} states of {size}", allowed="fewer states than the basis has")
    start = even_part((1.0 / (kinetic - kinetic.min() + 20.0 / edges.min())).reshape(shape)).ravel()
    operator = LinearOperator((size, size), matvec=apply, dtype=np.float64)
    energies, vectors = eigsh(operator, k=count, which="SA", v0=start, tol=1e-9)
    order = np.argsort(energies)
    overlap, exchange = [], []
    meet = (electron == hole).astype(np.float64)
    node, weight = gauss_unit(3 * sines)
    pair = 2.0 * np.sin(math.pi * np.outer(node, electron)) * np.sin(math.pi * np.outer(node, hole))
    for column in order:
        state = (vectors[:, column] / np.linalg.norm(vectors[:, column])).reshape(shape)
        overlap.append(float(np.einsum("abc,a,b,c->", state, meet, meet, meet)) ** 2)
        contact = np.einsum("abc,xa,yb,zc->xyz", state, pair, pair, pair, optimize=True)
        density = float(np.einsum("xyz,x,y,z->", contact**2, weight, weight, weight))
        exchange.append(math.pi * density / float(edges.prod()))
    return energies[order], np.array(overlap), np.array(exchange)


@dataclass(frozen=True)
class _Symmetry:
    """Projection of a state [pair, pair, pair] onto the optically active ones."""

    turns: tuple[tuple[int, ...], ...]
    swap: Index | None

    @classmethod
    def of(cls, edges: Array, electron: Index, hole: Index, equal_masses: bool) -> _Symmetry:
        turns = tuple(
            turn for turn in itertools.permutations(range(3)) if np.array_equal(edges[list(turn)], edges)
        )
        place = {pair: k for k, pair in enumerate(zip(electron.tolist(), hole.tolist(), strict=True))}
        swap = np.array([place[h, e] for e, h in place]) if equal_masses else None
        return cls(turns, swap)

    def __call__(self, state: Array) -> Array:
        out = sum(state.transpose(turn) for turn in self.turns) / len(self.turns)
        if self.swap is not None:
            for axis in range(3):
                out = 0.5 * (out + np.take(out, self.swap, axis=axis))
        return np.asarray(out)


def _laplace(edge: float, gaussians: int = _GAUSSIANS) -> tuple[Array, Array]:
    """Weights and t (1/aB) of 1/r = sum weight exp(-t^2 r^2); t edge = s/(1-s) maps [0, 1) to [0, inf)."""
    node, weight = gauss_unit(gaussians)
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
