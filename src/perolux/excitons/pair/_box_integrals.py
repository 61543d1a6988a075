"""Integrals of two particles in a box with hard walls, over separations u and pair centres X.

The integrals over X are products of one-dimensional ones, tabulated against u_i; what remains is a
three-dimensional integral over u. The octant 0 <= u_i <= L_i is split into three pyramids by which u_i/L_i
is largest: with the largest t and the others t v and t w, the Jacobian t^2 removes the singularity 1/r_eh,
and the sums over w, v, t can be done one after another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from perolux.excitons.pair._dense import contract_pyramid
from perolux.excitons.pair._variation import Array, Index, box_wall, gauss_unit

Edges = tuple[float, float, float]


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
    edges: Edges, exponent: float, wall: float, top: int, *, points: int, odd: bool
) -> BoxIntegrals:
    """All integrals up to alpha + beta <= top per axis; edges in aB, exponent in 1/aB, wall in 1/aB^2."""
    alpha, beta, number = pair_numbers(top)

    def parts(sorted_edges: Edges) -> list[Array]:
        weight, axes = _pyramid(sorted_edges, exponent, wall, alpha, beta, points, (-1, 0, 1, 2))
        (p1, b1, o1), (p2, b2, o2), (p3, b3, o3) = axes
        plain = _contract(weight, p1, p2, p3)
        bend = _contract(weight, b1, p2, p3) + _contract(weight, p1, b2, p3) + _contract(weight, p1, p2, b3)
        if not odd:
            return [plain, bend]
        skew = [(o1, p2, p3), (p1, o2, p3), (p1, p2, o3)]
        return [plain, bend, *(_contract(weight, *three) for three in skew)]

    plain, bend, *odds = _all_pyramids(edges, parts)
    return BoxIntegrals(plain, bend, tuple(odds), number)


def attraction_integrals(edges: Edges, exponent: float, wall: float, top: int, *, points: int) -> Array:
    """The plain integrals with S = -1, 0, 1 alone: what exp(-rate r)/r needs, with exponent a + rate/2."""
    alpha, beta, _ = pair_numbers(top)

    def parts(sorted_edges: Edges) -> list[Array]:
        weight, axes = _pyramid(sorted_edges, exponent, wall, alpha, beta, points, (-1, 0, 1))
        return [_contract(weight, *(axis[0] for axis in axes))]

    return _all_pyramids(edges, parts)[0]


def _all_pyramids(edges: Edges, parts: Callable[[Edges], list[Array]]) -> list[Array]:
    """Sum over the three pyramids. parts: plain, bend and odd ones of the pyramid whose axis comes first."""
    cube = edges[0] == edges[1] == edges[2]
    total: list[Array] = []
    one: list[Array] = []
    for largest in range(3):
        order = (largest, *(axis for axis in range(3) if axis != largest))
        if largest == 0 or not cube:
            one = parts((edges[order[0]], edges[order[1]], edges[order[2]]))
        place = [order.index(axis) for axis in range(3)]
        turn = (0, *(1 + at for at in place))
        # tables of an axis come last and follow that axis
        source = [*one[:2], *(one[2 + at] for at in place[: len(one[2:])])]
        turned = [part.transpose(turn) for part in source]
        total = [a + b for a, b in zip(total, turned, strict=True)] if total else turned
    return total


def _contract(weight: Array, first: Array, second: Array, third: Array) -> Array:
    return np.asarray(contract_pyramid(weight, first, second, third))


def _pyramid(
    edges: Edges,
    exponent: float,
    wall: float,
    alpha: Index,
    beta: Index,
    points: int,
    powers: tuple[int, ...],
) -> tuple[Array, list[tuple[Array, Array, Array]]]:
    """Where u_1/L_1 is largest: weight [S, t, v, w], and on each axis the plain, bent and odd tables."""
    top = int(alpha.max())
    t, t_weight = gauss_unit(points)
    v, v_weight = gauss_unit(max(8, points * 5 // 8))
    side = t[:, None] * v
    square = (edges[1] * v[:, None]) ** 2 + (edges[2] * v[None, :]) ** 2
    r = t[:, None, None] * np.sqrt(edges[0] ** 2 + square)
    base = np.exp(-2.0 * exponent * r) * (t**2 * t_weight)[:, None, None] * np.outer(v_weight, v_weight)
    weight = np.stack([base * r**power for power in powers])

    axes: list[tuple[Array, Array, Array]] = []
    for u, edge in zip((t, side, side), edges, strict=True):
        if len(axes) == 2 and edges[1] == edge:
            axes.append(axes[1])
            continue
        plain, bend, skew = axis_tables(u, 1.0 - wall * edge * edge, top, points)
        power = u ** (2 * beta).reshape((-1,) + (1,) * u.ndim)
        bent, skewed = bend[alpha] * power / edge**2, skew[alpha] * power * u / edge**2
        axes.append((plain[alpha] * power, bent, skewed))
    return weight, axes
