"""Integrals of two particles in a box with hard walls, over separations u and pair centres X.

The integrals over X are products of one-dimensional ones, tabulated against u_i; what remains is a
three-dimensional integral over u. The octant 0 <= u_i <= L_i is split into three pyramids by which u_i/L_i
is largest: with the largest t and the others t v and t w, the Jacobian t^2 removes the singularity 1/r_eh,
and the sums over w, v, t can be done one after another.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perolux.excitons._variation import Array, box_wall, gauss_unit

Index = NDArray[np.int64]

LOWEST_POWER = -1
"""The tables hold r_eh^S for S = -1, 0, 1, 2."""


@dataclass(frozen=True)
class BoxIntegrals:
    """Tables [S + 1, k1, k2, k3] of int r^S exp(-2 a r) prod chi^2 X_i^2alpha u_i^2beta over one octant.

    k = number[alpha, beta] counts the pairs with alpha + beta <= top. X in L/2, u in L, r in aB,
    volume in L^6.
    bend: the same with sum_i -chi''/chi / L_i^2 (mean of the two particles).
    odd: for unequal masses, per axis: X_i^(2alpha+1) u_i^(2beta+1) on that axis times half the difference of
    -chi''/chi / L_i^2 between the particles; empty for equal masses.
    """

    plain: Array
    bend: Array
    odd: tuple[Array, ...]
    number: Index


def pair_numbers(top: int) -> tuple[Index, Index, Index]:
    """All (alpha, beta) with alpha + beta <= top, and the table that numbers them."""
    pairs = [(alpha, total - alpha) for total in range(top + 1) for alpha in range(total + 1)]
    number = np.zeros((top + 1, top + 1), dtype=np.int64)
    for k, (alpha, beta) in enumerate(pairs):
        number[alpha, beta] = k
    table = np.array(pairs, dtype=np.int64)
    return table[:, 0], table[:, 1], number


def axis_tables(separation: Array, curvature: float, top: int, points: int) -> tuple[Array, Array, Array]:
    """One-dimensional integrals over X at each u (edge 1): [power, u] plain, bent, and odd.

    plain: int chi_e^2 chi_h^2 X^2alpha; bend: with the mean of -chi''/chi of the two; odd: X^(2alpha+1) with
    half the difference. X in half edges, |X| <= 1 - u.
    """
    node, weight = gauss_unit(points)
    half = 1.0 - separation[..., None]
    centre = half * node
    measure = half * weight  # dX in edges is half of that, twice for the two signs of X
    electron, electron_bend = box_wall(0.5 * (centre + separation[..., None]), curvature)
    hole, hole_bend = box_wall(0.5 * (centre - separation[..., None]), curvature)
    square = electron**2 * hole**2 * measure
    left = electron * electron_bend * hole**2 * measure
    right = hole * hole_bend * electron**2 * measure
    even = centre[None] ** (2 * np.arange(top + 1)).reshape((-1,) + (1,) * centre.ndim)
    return (
        (square * even).sum(axis=-1),
        (0.5 * (left + right) * even).sum(axis=-1),
        (0.5 * (left - right) * even * centre).sum(axis=-1),
    )


def box_integrals(
    edges: tuple[float, float, float], exponent: float, wall: float, top: int, *, points: int, odd: bool
) -> BoxIntegrals:
    """All integrals up to alpha + beta <= top per axis; edges in aB, exponent in 1/aB, wall in 1/aB^2."""
    cube = edges[0] == edges[1] == edges[2]
    alpha, beta, number = pair_numbers(top)
    shape = (4,) + 3 * (alpha.size,)
    plain, bend = np.zeros(shape), np.zeros(shape)
    odds = [np.zeros(shape) for _ in range(3)] if odd else []
    for largest in range(3):
        order = (largest, *(axis for axis in range(3) if axis != largest))
        if largest == 0 or not cube:
            sorted_edges = tuple(edges[axis] for axis in order)
            parts = _pyramid(sorted_edges, exponent, wall, alpha, beta, points, odd)
        place = [order.index(axis) for axis in range(3)]
        turn = (0, *(1 + at for at in place))
        plain += parts[0].transpose(turn)
        bend += parts[1].transpose(turn)
        for axis, total in enumerate(odds):
            total += parts[2 + place[axis]].transpose(turn)
    return BoxIntegrals(plain, bend, tuple(odds), number)


def _pyramid(
    edges: tuple[float, ...], exponent: float, wall: float, alpha: Index, beta: Index, points: int, odd: bool
) -> list[Array]:
    """The integrals over the part where u_1/L_1 is largest: plain, bend, and if wanted odd 1, 2, 3."""
    top = int(alpha.max())
    t, t_weight = gauss_unit(points)
    v, v_weight = gauss_unit(max(8, points * 5 // 8))
    side = t[:, None] * v
    square = (edges[1] * v[:, None]) ** 2 + (edges[2] * v[None, :]) ** 2
    r = t[:, None, None] * np.sqrt(edges[0] ** 2 + square)
    base = np.exp(-2.0 * exponent * r) * (t**2 * t_weight)[:, None, None] * np.outer(v_weight, v_weight)
    weight = np.stack([base * r**power for power in range(LOWEST_POWER, LOWEST_POWER + 4)])

    axes: list[tuple[Array, Array, Array]] = []
    for u, edge in zip((t, side, side), edges, strict=True):
        if len(axes) == 2 and edges[1] == edge:
            axes.append(axes[1])
            continue
        plain, bend, skew = axis_tables(u, 1.0 - wall * edge * edge, top, points)
        power = u ** (2 * beta).reshape((-1,) + (1,) * u.ndim)
        bent, skewed = bend[alpha] * power / edge**2, skew[alpha] * power * u / edge**2
        axes.append((plain[alpha] * power, bent, skewed))

    def contract(first: Array, second: Array, third: Array) -> Array:
        """sum_tvw weight[S, t, v, w] first[k, t] second[k, t, v] third[k, t, w], one sum after another."""
        inner = weight @ third.transpose(1, 2, 0)  # [S, t, v, k3]
        middle = second.transpose(1, 0, 2) @ inner  # [S, t, k2, k3]
        flat = middle.reshape(4, t.size, -1)
        return (first @ flat).reshape(4, alpha.size, alpha.size, alpha.size)

    (p1, b1, o1), (p2, b2, o2), (p3, b3, o3) = axes
    plain = contract(p1, p2, p3)
    bend = contract(b1, p2, p3) + contract(p1, b2, p3) + contract(p1, p2, b3)
    if not odd:
        return [plain, bend]
    return [plain, bend, contract(o1, p2, p3), contract(p1, o2, p3), contract(p1, p2, o3)]
