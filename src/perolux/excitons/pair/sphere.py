"""The correlated electron-hole pair in a sphere with hard walls, at any confinement and dielectric contrast.

Psi = chi(r_e) chi(r_h) sum c_pqs r_e^2p r_h^2q r_eh^s exp(-a r_eh), p + q + s <= N. All matrix elements are
moments of r_e^2, r_h^2 and r_eh over the region |r_e - r_h| <= r_eh <= r_e + r_h, so that one table of
moments serves the whole basis. The exponent a and the wall function chi are those of the lowest energy.
A screened attraction is the same moments with another exponent; image charges are moments with the image
kernel as a weight.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from perolux.errors import ModelRangeError, OptionError
from perolux.excitons.pair._dense import fold_orbits
from perolux.excitons.pair._ritz import Family, Levels, Trial, solve_family
from perolux.excitons.pair._sphere_images import pair_image, self_image
from perolux.excitons.pair._variation import (
    Array,
    Index,
    ball_wall,
    check_options,
    check_sizes,
    gauss_unit,
)
from perolux.excitons.pair.screening import COULOMB, Screening
from perolux.excitons.pair.state import ExcitonLevels, ExcitonState
from perolux.threads import one_thread

__all__ = ["DIELECTRIC_RANGE", "SPHERE_ORDER", "SPHERE_RANGE", "solve_sphere", "solve_sphere_levels"]

SPHERE_ORDER = 8
"""Default basis order: 95 functions for equal masses."""
SPHERE_RANGE = (1e-3, 30.0)
"""Radii over aB for which the basis and the quadrature are tested."""
DIELECTRIC_RANGE = (0.02, 50.0)
"""Ratios eps_inside/eps_outside for which the quadrature of the image charges is tested."""
_SCAN_ORDER = 3
_SCAN_ORDER_LEVELS = 5
_POINTS = 32


@dataclass(frozen=True)
class _Basis:
    """Powers (p, q, s) of all functions, rows of one orbit together; `first` marks each orbit."""

    p: Index
    q: Index
    s: Index
    first: Index
    size: Index
    degree: Index


@dataclass(frozen=True)
class _Moments:
    """Moments [i, j, k + 1] of r_e^2i r_h^2j r_eh^k: plain, and with -chi lap chi of electron or hole.

    screened: plain ones for each screened term of the attraction. image: with the potential of the image
    charges in 1/x Ry; None without dielectric contrast.
    """

    plain: Array
    electron: Array
    hole: Array
    screened: tuple[Array, ...]
    image: Array | None


@dataclass(frozen=True)
class _Physics:
    """What the Hamiltonian of one sphere consists of."""

    x: float
    mass_ratio: float
    dielectric_ratio: float
    screening: Screening


def solve_sphere(
    radius_over_bohr: float,
    *,
    order: int = SPHERE_ORDER,
    mass_ratio: float = 1.0,
    dielectric_ratio: float = 1.0,
    screening: Screening = COULOMB,
    exponent: float | None = None,
    wall: float | None = None,
) -> ExcitonState:
    """Ground exciton of a sphere with hard walls.

    H = -(mu/m_e) lap_e - (mu/m_h) lap_h - 2/r_eh + V_image in Ry and aB; E, K = |int Psi(r,r)|^2 and
    X = pi aB^3 int |Psi(r,r)|^2 of its lowest state.
    V_image = (1/x) sum alpha_n [(r_e/R)^2n + (r_h/R)^2n - 2 (r_e r_h/R^2)^n P_n(cos)], with
    alpha_n = (e-1)(n+1)/(e n + n + 1), e the dielectric ratio: self-energies and the images' attraction.

    radius_over_bohr: radius R/aB, within `SPHERE_RANGE`. order: basis order N, at least 3. mass_ratio:
    m_e/m_h at fixed reduced mass. dielectric_ratio: eps_inside/eps_outside, within `DIELECTRIC_RANGE`; 1 is
    no contrast. screening: replaces 2/r_eh (with no dielectric contrast). exponent (1/aB), wall (1/aB^2):
    None for those of the lowest energy.
    Returns an `ExcitonState`; the energy is an upper bound, its error estimate covers what the bound lacks.
    Raises `ModelRangeError` outside the tested sizes and ratios and `OptionError` for an order that cannot be
    used or for contrast and screening together (which eps the images see is then not defined).
    Source: Hylleraas-type variational method; see the module docstring; image terms in their standard form.

    >>> state = solve_sphere(2.0)
    >>> round(state.energy_over_rydberg, 4), round(state.overlap_k, 2)
    (0.3046, 7.43)
    >>> round(solve_sphere(2.0, dielectric_ratio=3.0).energy_over_rydberg, 3)  # self-energies win
    0.545
    """
    physics = _Physics(float(radius_over_bohr), mass_ratio, dielectric_ratio, screening)
    levels = _solve(physics, order, exponent, wall, 1)
    return ExcitonState.ground(
        "sphere",
        physics.x,
        levels,
        order,
        mass_ratio=mass_ratio,
        dielectric_ratio=dielectric_ratio,
        screening=screening,
    )


def solve_sphere_levels(
    radius_over_bohr: float,
    count: int = 6,
    *,
    order: int = 10,
    mass_ratio: float = 1.0,
    exponent: float | None = None,
    wall: float | None = None,
) -> ExcitonLevels:
    """The lowest `count` S states of the pair in a sphere with hard walls: roots of one basis.

    As `solve_sphere`; exponent and wall are those with the lowest sum of the energies. The roots converge
    more slowly the higher they are, see their error estimates.

    >>> solve_sphere_levels(2.0, 3, order=7).energy_over_rydberg.round(2).tolist()
    [0.3, 2.87, 3.89]
    """
    physics = _Physics(float(radius_over_bohr), mass_ratio, 1.0, COULOMB)
    levels = _solve(physics, order, exponent, wall, count)
    return ExcitonLevels.of("sphere", physics.x, levels, order, mass_ratio)


def _solve(physics: _Physics, order: int, exponent: float | None, wall: float | None, count: int) -> Levels:
    x = physics.x
    where = f"sphere of radius {x:g} aB"
    _check(physics, order, exponent, wall, where)
    # a stronger attraction at short distance makes the exciton smaller in the sphere
    reach = x * max(1.0, sum(physics.screening.strengths))
    full = _POINTS if reach <= 25.0 else 2 * _POINTS

    def trial(order: int, a: float, b: float, fine: bool) -> Trial:
        basis = _basis(order, physics.mass_ratio == 1.0)
        points = full if fine else full * 3 // 4
        overlap, hamiltonian = _matrices(physics, a, b, basis, points)
        return Trial(
            basis.degree, overlap, hamiltonian, lambda use, vectors: _contact(x, b, basis, use, vectors)
        )

    scan_order = _SCAN_ORDER if count == 1 else min(_SCAN_ORDER_LEVELS, order)
    start = (1.0 + 0.4 / (x + 0.2), 0.2 if x > 1.5 else 0.5)
    with one_thread():
        return solve_family(Family(trial, 1, scan_order, start, where), order, exponent, wall, count)


def _check(physics: _Physics, order: int, exponent: float | None, wall: float | None, where: str) -> None:
    check_sizes([physics.x], "radius", SPHERE_RANGE, where)
    check_options(order, range(3, 12), physics.mass_ratio, exponent, wall, where)
    least, most = DIELECTRIC_RANGE
    if not (math.isfinite(physics.dielectric_ratio) and least <= physics.dielectric_ratio <= most):
        raise ModelRangeError(
            f"dielectric ratio {physics.dielectric_ratio:g}",
            where=where,
            allowed=f"eps_inside/eps_outside from {least:g} to {most:g}",
        )
    if physics.dielectric_ratio != 1.0 and physics.screening != COULOMB:
        raise OptionError(
            "dielectric contrast and a screened attraction together",
            where=where,
            allowed="one of the two",
            fix="leave `screening` or `dielectric_ratio` out",
        )


@lru_cache(maxsize=16)
def _basis(order: int, symmetric: bool) -> _Basis:
    """All functions with p + q + s <= order; for equal masses (p, q) and (q, p) form one function."""
    rows: list[tuple[int, int, int]] = []
    first, size, degree = [], [], []
    for total in range(order + 1):
        for s in range(total + 1):
            for p in range(total - s + 1):
                q = total - s - p
                if symmetric and p < q:
                    continue
                orbit = [(p, q, s)] if p == q or not symmetric else [(p, q, s), (q, p, s)]
                first.append(len(rows))
                size.append(len(orbit))
                degree.append(total)
                rows += orbit
    table = np.array(rows, dtype=np.int64)
    return _Basis(table[:, 0], table[:, 1], table[:, 2], np.array(first), np.array(size), np.array(degree))


@lru_cache(maxsize=8)
def _grid(points: int) -> tuple[Array, Array, Array, Array, Array]:
    """r_e (outer), r_h = r_e u (inner), r_eh = r_e - r_h + 2 r_h w, volume, weight of w; lengths in R.

    Only r_e > r_h is integrated, where nothing has a cusp.
    """
    node, weight = gauss_unit(points)
    inner = node[:, None] * node[None, :]
    distance = node[:, None, None] * (
        1.0 - node[None, :, None] + 2.0 * node[None, :, None] * node[None, None, :]
    )
    volume = 2.0 * node[:, None] ** 4 * node[None, :] ** 2 * weight[:, None] * weight[None, :]
    return node, inner, distance, volume, weight


@lru_cache(maxsize=8)
def _images(ratio: float, points: int) -> tuple[Array, Array, Array]:
    """Twice the pair's image sum on the grid, and the self-energies of the outer and the inner particle."""
    outer, inner, distance, _, _ = _grid(points)
    pair = pair_image(outer[:, None, None], inner[..., None], distance, ratio)
    return 2.0 * pair, self_image(outer, ratio), self_image(inner, ratio)


def _moments(physics: _Physics, exponent: float, curvature: float, top: int, points: int) -> _Moments:
    """Moments for exp(-2 a r_eh); `exponent` in 1/R, lengths in R, without the factor 8 pi^2."""
    outer, inner, distance, volume, weight = _grid(points)
    shell = weight * np.exp(-2.0 * exponent * distance)
    far, far_bend = ball_wall(outer, curvature)
    near, near_bend = ball_wall(inner, curvature)
    powers_outer = outer[:, None] ** (2 * np.arange(top + 1))
    powers_inner = inner[..., None] ** (2 * np.arange(top + 1))

    def along(density: Array) -> Array:
        # r^(k+1): one power of r comes from the volume element, so k = -1 is regular
        rows, part = [], density
        for _ in range(top + 2):
            rows.append(part.sum(axis=-1))
            part = part * distance
        return np.stack(rows)

    def table(lines: Array, at_outer: Array, at_inner: Array) -> Array:
        part = np.einsum("ktu,tu,tuj->tkj", lines, volume * at_inner, powers_inner, optimize=True)
        return np.einsum("t,ti,tkj->ijk", at_outer, powers_outer, part, optimize=True)

    lines = along(shell)
    plain = table(lines, far**2, near**2)
    bend_outer = table(lines, far * far_bend, near**2)
    bend_inner = table(lines, far**2, near * near_bend)

    def both(one: Array, other: Array) -> Array:
        # where the hole is outside, the roles of the two powers are exchanged
        return one + other.transpose((1, 0, 2))

    screened = []
    for rate in physics.screening.rates:
        damped = along(shell * np.exp(-rate * physics.x * distance)) if rate else lines
        one = table(damped, far**2, near**2) if rate else plain
        screened.append(both(one, one))
    image = None
    if physics.dielectric_ratio != 1.0:
        pair, self_outer, self_inner = _images(physics.dielectric_ratio, points)
        one = table(lines, far**2 * self_outer, near**2) + table(lines, far**2, near**2 * self_inner)
        one -= table(along(shell * pair), far**2, near**2)
        image = both(one, one)
    return _Moments(
        both(plain, plain), both(bend_outer, bend_inner), both(bend_inner, bend_outer), tuple(screened), image
    )


def _matrices(
    physics: _Physics, exponent: float, wall: float, basis: _Basis, points: int
) -> tuple[Array, Array]:
    """Overlap and Hamiltonian (Ry) of the symmetrised basis, without the factor 8 pi^2."""
    x, mass_ratio = physics.x, physics.mass_ratio
    a = exponent * x
    order = int(basis.degree[-1])
    m = _moments(physics, a, 1.0 - wall * x * x, 2 * order + 1, points)
    lead = basis.first
    p, q, s = (v[lead][:, None] for v in (basis.p, basis.q, basis.s))
    pp, qq, ss = (v[None, :] for v in (basis.p, basis.q, basis.s))
    both_p, both_q, both_s = p + pp, q + qq, s + ss

    def at(table: Array, i: Index, j: Index, k: Index) -> Array:
        # an index that would be negative always meets a factor 0
        return table[np.maximum(i, 0), np.maximum(j, 0), np.maximum(k + 1, 0)]

    def gradient(own: Index, other: Index, left: Index, right: Index, swap: bool) -> Array:
        def get(i: Index, j: Index, k: Index) -> Array:
            return at(m.plain, j, i, k) if swap else at(m.plain, i, j, k)

        radial = 4 * left * right * get(own - 1, other, both_s)
        pair = s * ss * get(own, other, both_s - 2) - a * both_s * get(own, other, both_s - 1)
        pair += a * a * get(own, other, both_s)
        cross = (left * ss + right * s) * (
            get(own, other, both_s - 2) + get(own - 1, other, both_s) - get(own - 1, other + 1, both_s - 2)
        )
        cross -= (
            a
            * (left + right)
            * (
                get(own, other, both_s - 1)
                + get(own - 1, other, both_s + 1)
                - get(own - 1, other + 1, both_s - 1)
            )
        )
        return radial + pair + cross

    electron, hole = 1.0 / (1.0 + mass_ratio), mass_ratio / (1.0 + mass_ratio)
    kinetic = electron * (gradient(both_p, both_q, p, pp, False) + at(m.electron, both_p, both_q, both_s))
    kinetic += hole * (gradient(both_q, both_p, q, qq, True) + at(m.hole, both_p, both_q, both_s))
    full = kinetic / (x * x)
    for strength, table in zip(physics.screening.strengths, m.screened, strict=True):
        full -= (2.0 * strength / x) * at(table, both_p, both_q, both_s - 1)
    if m.image is not None:
        full += at(m.image, both_p, both_q, both_s) / x
    overlap = at(m.plain, both_p, both_q, both_s)
    return fold_orbits(overlap, basis.first, basis.size), fold_orbits(full, basis.first, basis.size)


def _contact(x: float, wall: float, basis: _Basis, use: Index, vectors: Array) -> tuple[Array, Array]:
    """K and X [state] of normalised states: functions with s = 0 survive where electron meets hole."""
    node, weight = gauss_unit(2 * _POINTS)
    chi, _ = ball_wall(node, 1.0 - wall * x * x)
    lead = basis.first[use]
    meets = basis.s[lead] == 0
    power = 2 * (basis.p[lead] + basis.q[lead])[meets]
    pair = (chi**2)[:, None] * (node[:, None] ** power @ (basis.size[use][:, None] * vectors)[meets])
    shell = 4.0 * math.pi * node**2 * weight
    # the overlap matrix lacks the factor 8 pi^2 of the volume element
    overlap = (shell @ pair) ** 2 / (8.0 * math.pi**2)
    return overlap, math.pi / x**3 * (shell @ pair**2) / (8.0 * math.pi**2)
