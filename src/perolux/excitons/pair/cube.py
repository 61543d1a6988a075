"""The correlated electron-hole pair in a cube or cuboid with hard walls, at any confinement.

Psi = prod chi(x) sum c r^s exp(-a r) prod_i P_i^m_i u_i^n_i with u = r_e - r_h, X = (r_e + r_h)/2, P = 2 X/L,
r = |u|. Near r = 0 an exact state is an analytic function plus r times an analytic function, and r^2 is
itself a polynomial in u, so s = 0 and 1 are complete. m_i + n_i is even on every axis (parity). For equal
masses n_i is even too: the Hamiltonian does not change when electron and hole exchange one coordinate only,
and states that are odd in such an exchange have K = X = 0 exactly. Functions are symmetrised over axes of
equal length; the order N bounds sum_i (m_i + n_i). The exponent a and the wall function chi are those
of the lowest energy.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from perolux.errors import OptionError
from perolux.excitons.pair._box_integrals import attraction_integrals, box_integrals
from perolux.excitons.pair._dense import fold_orbits
from perolux.excitons.pair._ritz import Family, Levels, Trial, solve_family
from perolux.excitons.pair._variation import (
    Array,
    Index,
    box_wall,
    check_options,
    check_sizes,
    gauss_unit,
)
from perolux.excitons.pair.screening import COULOMB, Screening
from perolux.excitons.pair.state import ExcitonLevels, ExcitonState
from perolux.threads import one_thread

__all__ = [
    "CUBE_ORDER",
    "CUBE_RANGE",
    "Edges",
    "solve_cube",
    "solve_cube_levels",
    "solve_cuboid",
    "solve_cuboid_levels",
]

Edges = tuple[float, float, float]

CUBE_ORDER = 10
"""Default basis order: 206 functions for equal masses."""
CUBE_RANGE = (1e-3, 30.0)
"""Edges over aB for which the basis and the quadrature are tested."""
_SCAN_ORDER = 4
_SCAN_ORDER_LEVELS = 6


@dataclass(frozen=True)
class _Basis:
    """Powers s, m[:, axis], n[:, axis] of all functions, rows of one orbit together; `first` begins each."""

    s: Index
    m: Index
    n: Index
    first: Index
    size: Index
    degree: Index


@lru_cache(maxsize=16)
def _basis(order: int, equal: tuple[bool, bool, bool], symmetric: bool) -> _Basis:
    """All functions of degree <= order; `equal` tells which of the axes (0, 1), (0, 2), (1, 2) are alike."""
    alike = {(0, 1): equal[0], (0, 2): equal[1], (1, 2): equal[2]}
    swaps = [
        turn
        for turn in itertools.permutations(range(3))
        if all(i == j or alike[min(i, j), max(i, j)] for i, j in enumerate(turn))
    ]
    axis = [(m, total - m) for total in range(0, order + 1, 2) for m in range(total + 1)]
    rows: list[tuple[int, ...]] = []
    first, size, degree = [], [], []
    for s, *three in itertools.product((0, 1), axis, axis, axis):
        total = sum(m + n for m, n in three)
        if total > order or (symmetric and any(n % 2 for _, n in three)):
            continue
        orbit = sorted({tuple(three[i] for i in turn) for turn in swaps})
        if tuple(three) != orbit[0]:
            continue
        first.append(len(rows))
        size.append(len(orbit))
        degree.append(total)
        rows += [(s, *(m for m, _ in one), *(n for _, n in one)) for one in orbit]
    table = np.array(rows, dtype=np.int64)
    return _Basis(
        table[:, 0], table[:, 1:4], table[:, 4:7], np.array(first), np.array(size), np.array(degree)
    )


@dataclass(frozen=True)
class _Physics:
    """What the Hamiltonian of one cuboid consists of."""

    edges: Edges
    mass_ratio: float
    screening: Screening


def solve_cube(
    edge_over_bohr: float,
    *,
    order: int = CUBE_ORDER,
    mass_ratio: float = 1.0,
    dielectric_ratio: float = 1.0,
    screening: Screening = COULOMB,
    exponent: float | None = None,
    wall: float | None = None,
) -> ExcitonState:
    """Ground exciton of a cube with hard walls and no dielectric mismatch.

    H = -(mu/m_e) lap_e - (mu/m_h) lap_h - 2/r_eh in Ry and aB; E, K = |int Psi(r,r)|^2 and
    X = pi aB^3 int |Psi(r,r)|^2 of its lowest state.

    edge_over_bohr: edge L/aB, within `CUBE_RANGE`. order: basis order N, even, at least 4. mass_ratio:
    m_e/m_h at fixed reduced mass. dielectric_ratio: only 1, image charges of a cube have no closed form.
    screening: replaces 2/r_eh. exponent (1/aB), wall (1/aB^2): None for those of the lowest energy.
    Returns an `ExcitonState`; the energy is an upper bound, its error estimate covers what the bound lacks.
    Raises `ModelRangeError` outside the tested sizes and `OptionError` for an order that cannot be used.
    Source: correlated variational method with explicit r_eh; see the module docstring.

    >>> state = solve_cube(3.0, order=6)
    >>> round(state.energy_over_rydberg, 3), round(state.overlap_k, 2)
    (0.889, 5.89)
    """
    edge = float(edge_over_bohr)
    physics = _Physics((edge, edge, edge), mass_ratio, screening)
    _refuse_contrast(dielectric_ratio, f"cube of edge {edge:g} aB")
    levels = _solve("cube", physics, order, exponent, wall, 1)
    return ExcitonState.ground(
        "cube",
        edge,
        levels,
        order,
        mass_ratio=mass_ratio,
        edges_over_bohr=physics.edges,
        screening=screening,
    )


def solve_cuboid(
    edges_over_bohr: Edges,
    *,
    order: int = 8,
    mass_ratio: float = 1.0,
    dielectric_ratio: float = 1.0,
    screening: Screening = COULOMB,
    exponent: float | None = None,
    wall: float | None = None,
) -> ExcitonState:
    """Ground exciton of a cuboid with hard walls; as `solve_cube`, with three edges over aB.

    Without the symmetry of the cube a given order has up to six times as many functions, so the default order
    is lower. Tested for edges within a factor of nine of one another.
    """
    one, two, three = (float(edge) for edge in edges_over_bohr)
    physics = _Physics((one, two, three), mass_ratio, screening)
    _refuse_contrast(dielectric_ratio, "cuboid")
    levels = _solve("cuboid", physics, order, exponent, wall, 1)
    return ExcitonState.ground(
        "cuboid",
        math.prod(physics.edges) ** (1.0 / 3.0),
        levels,
        order,
        mass_ratio=mass_ratio,
        edges_over_bohr=physics.edges,
        screening=screening,
    )


def solve_cube_levels(
    edge_over_bohr: float,
    count: int = 6,
    *,
    order: int = 10,
    mass_ratio: float = 1.0,
    exponent: float | None = None,
    wall: float | None = None,
) -> ExcitonLevels:
    """The lowest `count` A1g states of the pair in a cube with hard walls: roots of one basis.

    As `solve_cube`; exponent and wall are those with the lowest sum of the energies. The roots converge more
    slowly the higher they are, see their error estimates.

    >>> solve_cube_levels(3.0, 3, order=8).energy_over_rydberg.round(2).tolist()
    [0.89, 4.15, 5.28]
    """
    edge = float(edge_over_bohr)
    physics = _Physics((edge, edge, edge), mass_ratio, COULOMB)
    levels = _solve("cube", physics, order, exponent, wall, count)
    return ExcitonLevels.of("cube", edge, levels, order, mass_ratio)


def solve_cuboid_levels(
    edges_over_bohr: Edges,
    count: int = 4,
    *,
    order: int = 8,
    mass_ratio: float = 1.0,
    exponent: float | None = None,
    wall: float | None = None,
) -> ExcitonLevels:
    """The lowest `count` levels of a cuboid that are even along each edge: as `solve_cube_levels`.

    >>> levels = solve_cuboid_levels((2.5, 3.0, 3.6), 3, order=6, exponent=1.4, wall=0.2)
    >>> levels.energy_over_rydberg.round(1).tolist()
    [1.0, 3.3, 4.4]
    """
    one, two, three = (float(edge) for edge in edges_over_bohr)
    physics = _Physics((one, two, three), mass_ratio, COULOMB)
    levels = _solve("cuboid", physics, order, exponent, wall, count)
    return ExcitonLevels.of("cuboid", math.prod(physics.edges) ** (1.0 / 3.0), levels, order, mass_ratio)


def _refuse_contrast(dielectric_ratio: float, where: str) -> None:
    if dielectric_ratio != 1.0:
        raise OptionError(
            f"dielectric ratio {dielectric_ratio:g}: the image charges of a cube are not in this solver",
            where=where,
            allowed="1 (no dielectric contrast)",
            fix="use the sphere of equal confinement, R = L/sqrt(3), which takes a dielectric ratio",
        )


def _solve(
    shape: str, physics: _Physics, order: int, exponent: float | None, wall: float | None, count: int
) -> Levels:
    edges = physics.edges
    where = f"{shape} of edges {', '.join(f'{edge:g}' for edge in edges)} aB"
    _check(edges, order, physics.mass_ratio, exponent, wall, where)
    # a stronger attraction at short distance makes the exciton smaller in the box
    reach = max(edges) * max(1.0, sum(physics.screening.strengths))
    points, coarse_points = (32, 24) if reach <= 12.0 else (48, 36)
    equal = (edges[0] == edges[1], edges[0] == edges[2], edges[1] == edges[2])
    size = math.prod(edges) ** (1.0 / 3.0)

    def trial(order: int, a: float, b: float, fine: bool) -> Trial:
        basis = _basis(order, equal, physics.mass_ratio == 1.0)
        overlap, hamiltonian = _matrices(physics, a, b, basis, points if fine else coarse_points)
        return Trial(
            basis.degree, overlap, hamiltonian, lambda use, vectors: _contact(edges, b, basis, use, vectors)
        )

    scan_order = _SCAN_ORDER if count == 1 else min(_SCAN_ORDER_LEVELS, order)
    start = (1.0 + 1.2 / size if size > 0.5 else 3.4, 0.8 / (size + 1.0))
    with one_thread():
        return solve_family(Family(trial, 2, scan_order, start, where), order, exponent, wall, count)


def _check(
    edges: Edges, order: int, mass_ratio: float, exponent: float | None, wall: float | None, where: str
) -> None:
    check_sizes(edges, "edge", CUBE_RANGE, where)
    check_options(order, range(4, 15, 2), mass_ratio, exponent, wall, where)


def _matrices(physics: _Physics, a: float, wall: float, basis: _Basis, points: int) -> tuple[Array, Array]:
    """Overlap and Hamiltonian (Ry) of the symmetrised basis, per octant and in units of prod L^2.

    With kinetic energy |grad_u|^2 + |grad_X|^2/4 (and, for unequal masses, a mixed term), integrated by parts
    so that the wall functions enter only through -chi''/chi.
    """
    edges = physics.edges
    # 1/(1+r) and r/(1+r) are mu/m_e and mu/m_h for r = m_e/m_h
    imbalance = (1.0 - physics.mass_ratio) / (1.0 + physics.mass_ratio)
    top = int(basis.degree.max()) + 1
    integrals = box_integrals(edges, a, wall, top, points=points, odd=imbalance != 0.0)
    lead = basis.first
    left, right = np.nonzero(((basis.m[lead][:, None] + basis.m[None]) % 2 == 0).all(axis=2))
    s, s2 = basis.s[lead][left], basis.s[right]
    m, m2 = basis.m[lead][left].T, basis.m[right].T
    n, n2 = basis.n[lead][left].T, basis.n[right].T
    alpha, beta, power = (m + m2) // 2, (n + n2) // 2, s + s2
    width = int(integrals.number.max()) + 1

    def place(al: Index, be: Index) -> Index:
        # an index that would be negative always meets a factor 0
        k = integrals.number[np.maximum(al, 0), np.maximum(be, 0)]
        return (k[0] * width + k[1]) * width + k[2]

    def at(table: Array, where: Index, of_r: Index) -> Array:
        return table.ravel()[np.maximum(of_r + 1, 0) * width**3 + where]

    plain = integrals.plain
    here = place(alpha, beta)
    unity, inverse, inverse2 = (at(plain, here, power - k) for k in range(3))
    sum_n, sum_n2 = n.sum(axis=0), n2.sum(axis=0)
    value = at(integrals.bend, here, power)
    for strength, rate in zip(physics.screening.strengths, physics.screening.rates, strict=True):
        # exp(-rate r) joins exp(-2 a r): the same integrals with another exponent
        if rate == 0.0:
            value -= 2.0 * strength * inverse
        else:
            damped = attraction_integrals(edges, a + 0.5 * rate, wall, top, points=points)
            value -= 2.0 * strength * at(damped, here, power - 1)
    value += (s2 * sum_n + s * sum_n2 + s * s2) * inverse2 - a * (sum_n + sum_n2 + power) * inverse
    value += a * a * unity
    for axis, edge in enumerate(edges):
        step = (np.arange(3) == axis).astype(np.int64)[:, None]
        value += m[axis] * m2[axis] / edge**2 * at(plain, place(alpha - step, beta), power)
        value += n[axis] * n2[axis] / edge**2 * at(plain, place(alpha, beta - step), power)

    overlap = np.zeros((lead.size, basis.s.size))
    hamiltonian = np.zeros_like(overlap)
    overlap[left, right] = unity
    hamiltonian[left, right] = value
    if imbalance != 0.0:
        hamiltonian += imbalance * _mixed(edges, a, basis, integrals.plain, integrals.odd, integrals.number)
    return fold_orbits(overlap, basis.first, basis.size), fold_orbits(hamiltonian, basis.first, basis.size)


def _mixed(
    edges: Edges, a: float, basis: _Basis, plain: Array, odd: tuple[Array, ...], number: Index
) -> Array:
    """What unequal masses add, over (mu/m_e - mu/m_h): the product of grad_u and grad_X, and odd walls."""
    lead = basis.first
    out = np.zeros((lead.size, basis.s.size))
    width = int(number.max()) + 1
    parity = (basis.m[lead][:, None] + basis.m[None]) % 2
    for axis, edge in enumerate(edges):
        wanted = np.arange(3) == axis
        left, right = np.nonzero((parity == wanted).all(axis=2))
        s, s2 = basis.s[lead][left], basis.s[right]
        m, m2 = basis.m[lead][left].T, basis.m[right].T
        n, n2 = basis.n[lead][left].T, basis.n[right].T
        # floor division turns the odd sum of this axis, 2 alpha + 1, into alpha
        alpha, beta, power = (m + m2) // 2, (n + n2) // 2, s + s2
        step = wanted.astype(np.int64)[:, None]

        def at(table: Array, al: Index, be: Index, of_r: Index) -> Array:
            k = number[np.maximum(al, 0), np.maximum(be, 0)]
            return table.ravel()[np.maximum(of_r + 1, 0) * width**3 + (k[0] * width + k[1]) * width + k[2]]

        one, two, first, second = m[axis], m2[axis], n[axis], n2[axis]
        value = (first * two + one * second) / edge**2 * at(plain, alpha, beta, power)
        value += (two * s + one * s2) * at(plain, alpha, beta + step, power - 2)
        value -= a * (one + two) * at(plain, alpha, beta + step, power - 1)
        value += at(odd[axis], alpha, beta, power)
        out[left, right] += value
    return out


def _contact(edges: Edges, wall: float, basis: _Basis, use: Index, vectors: Array) -> tuple[Array, Array]:
    """K and X [state] of normalised states: functions with s = 0, n = 0 survive where electron meets hole."""
    node, weight = gauss_unit(64)
    powers = node[None] ** np.arange(2 * int(basis.m.max()) + 1)[:, None]
    once, twice = [], []
    for edge in edges:
        chi, _ = box_wall(0.5 * node, 1.0 - wall * edge**2)
        once.append(powers @ (chi**2 * weight))
        twice.append(powers @ (chi**4 * weight))
    orbit = np.repeat(np.arange(basis.first.size), basis.size)
    place = np.full(basis.first.size, -1)
    place[use] = np.arange(use.size)
    meets = np.flatnonzero((basis.s == 0) & (basis.n == 0).all(axis=1) & (place[orbit] >= 0))
    m, c = basis.m[meets], vectors[place[orbit[meets]]]
    amplitude = (once[0][m[:, 0]] * once[1][m[:, 1]] * once[2][m[:, 2]]) @ c
    both = m[:, None] + m[None]
    density = twice[0][both[..., 0]] * twice[1][both[..., 1]] * twice[2][both[..., 2]]
    # the overlap matrix holds one of the eight octants
    return amplitude**2 / 8.0, math.pi * np.sum(c * (density @ c), axis=0) / (8.0 * math.prod(edges))
