"""The correlated electron-hole pair in a sphere with hard walls, at any confinement.

Psi = chi(r_e) chi(r_h) sum c_pqs r_e^2p r_h^2q r_eh^s exp(-a r_eh), p + q + s <= N. All matrix elements are
moments of r_e^2, r_h^2 and r_eh over the region |r_e - r_h| <= r_eh <= r_e + r_h, so that one table of
moments serves the whole basis. The exponent a and the wall function chi are those of the lowest energy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from perolux.errors import ModelRangeError
from perolux.excitons._variation import (
    Array,
    Shell,
    ball_wall,
    check_options,
    fold,
    gauss_unit,
    lowest_state,
    minimise,
    one_thread,
    shell_errors,
)
from perolux.excitons.state import ExcitonState

__all__ = ["SPHERE_ORDER", "SPHERE_RANGE", "solve_sphere"]

SPHERE_ORDER = 8
"""Default basis order: 95 functions for equal masses."""
SPHERE_RANGE = (1e-3, 30.0)
"""Radii over aB for which the basis and the quadrature are tested."""
_SCAN_ORDER = 3
_POINTS = 32

Index = NDArray[np.int64]


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
    """Moments [i, j, k + 1] of r_e^2i r_h^2j r_eh^k: plain, and with -chi lap chi of electron or hole."""

    plain: Array
    electron: Array
    hole: Array


def solve_sphere(
    radius_over_bohr: float,
    *,
    order: int = SPHERE_ORDER,
    mass_ratio: float = 1.0,
    exponent: float | None = None,
    wall: float | None = None,
) -> ExcitonState:
    """Ground exciton of a sphere with hard walls and no dielectric mismatch.

    H = -(mu/m_e) lap_e - (mu/m_h) lap_h - 2/r_eh in Ry and aB; E, K = |int Psi(r,r)|^2 and
    X = pi aB^3 int |Psi(r,r)|^2 of its lowest state.

    radius_over_bohr: radius R/aB, within `SPHERE_RANGE`. order: basis order N, at least 3. mass_ratio:
    m_e/m_h at fixed reduced mass. exponent (1/aB), wall (1/aB^2): None for those of the lowest energy.
    Returns an `ExcitonState`; the energy is an upper bound, its error estimate covers what the bound lacks.
    Raises `ModelRangeError` outside the tested sizes and `OptionError` for an order that cannot be used.
    Source: Hylleraas-type variational method; see the module docstring.

    >>> state = solve_sphere(2.0)
    >>> round(state.energy_over_rydberg, 4), round(state.overlap_k, 2)
    (0.3046, 7.43)
    """
    x = float(radius_over_bohr)
    where = f"sphere of radius {x:g} aB"
    _check(x, order, mass_ratio, exponent, wall, where)
    with one_thread():
        return _solve(x, order, mass_ratio, exponent, wall, where)


def _solve(
    x: float, order: int, mass_ratio: float, exponent: float | None, wall: float | None, where: str
) -> ExcitonState:
    symmetric = mass_ratio == 1.0
    if exponent is None or wall is None:
        scan = _basis(_SCAN_ORDER, symmetric)

        def energy(a: float, b: float) -> float:
            overlap, hamiltonian = _matrices(x, a, b, scan, mass_ratio, 24)
            return lowest_state(hamiltonian, overlap)[0]

        exponent, wall = minimise(energy, (1.0 + 0.4 / (x + 0.2), 0.2 if x > 1.5 else 0.5), where)
    basis = _basis(order, symmetric)
    overlap, hamiltonian = _matrices(x, exponent, wall, basis, mass_ratio, _POINTS)
    shells = []
    for top in (order - 2, order - 1, order):
        use = np.flatnonzero(basis.degree <= top)
        energy_ry, vector = lowest_state(hamiltonian[np.ix_(use, use)], overlap[np.ix_(use, use)])
        shells.append(Shell(energy_ry, *_contact(x, wall, basis, use, vector)))
    smaller = _basis(order - 1, symmetric)
    coarse_overlap, coarse_hamiltonian = _matrices(x, exponent, wall, smaller, mass_ratio, _POINTS * 3 // 4)
    energy_ry, vector = lowest_state(coarse_hamiltonian, coarse_overlap)
    coarse = Shell(energy_ry, *_contact(x, wall, smaller, np.arange(smaller.degree.size), vector))
    last = shells[-1]
    return ExcitonState(
        "sphere",
        x,
        last.energy,
        last.overlap_k,
        last.exchange_x,
        *shell_errors(shells, coarse),
        functions=int(basis.degree.size),
        exponent=exponent,
        wall=wall,
        order=order,
        mass_ratio=mass_ratio,
    )


def _check(
    x: float, order: int, mass_ratio: float, exponent: float | None, wall: float | None, where: str
) -> None:
    low, high = SPHERE_RANGE
    if not (math.isfinite(x) and low <= x <= high):
        raise ModelRangeError(
            "the solver is not tested for this size",
            where=where,
            allowed=f"radii from {low:g} to {high:g} Bohr radii",
            fix="use excitons.tables.interpolate, which continues with the asymptotic laws",
        )
    check_options(order, range(3, 11), mass_ratio, exponent, wall, where)


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


def _moments(exponent: float, curvature: float, top: int, points: int) -> _Moments:
    """Moments for exp(-2 a r_eh); `exponent` in 1/R, lengths in R, without the factor 8 pi^2.

    Only r_e > r_h is integrated, with r_h = r_e u, r_eh = r_e - r_h + 2 r_h w, where nothing has a cusp.
    """
    node, weight = gauss_unit(points)
    outer = node[:, None]
    inner = outer * node[None, :]
    distance = outer[..., None] * (
        1.0 - node[None, :, None] + 2.0 * node[None, :, None] * node[None, None, :]
    )
    volume = 2.0 * outer**4 * node[None, :] ** 2 * weight[:, None] * weight[None, :]
    shell = weight * np.exp(-2.0 * exponent * distance)
    # r^(k+1): one power of r comes from the volume element, so k = -1 is regular
    along = np.stack([np.einsum("tuw->tu", shell * distance**k) for k in range(top + 2)])
    far, far_bend = ball_wall(node, curvature)
    near, near_bend = ball_wall(inner, curvature)
    powers_outer = node[:, None] ** (2 * np.arange(top + 1))
    powers_inner = inner[..., None] ** (2 * np.arange(top + 1))

    def table(at_outer: Array, at_inner: Array) -> Array:
        part = np.einsum("ktu,tu,tuj->tkj", along, volume * at_inner, powers_inner, optimize=True)
        return np.einsum("t,ti,tkj->ijk", at_outer, powers_outer, part, optimize=True)

    plain = table(far**2, near**2)
    bend_outer = table(far * far_bend, near**2)
    bend_inner = table(far**2, near * near_bend)
    swap = (1, 0, 2)
    # where the hole is outside, the roles of the two powers are exchanged
    return _Moments(
        plain + plain.transpose(swap),
        bend_outer + bend_inner.transpose(swap),
        bend_inner + bend_outer.transpose(swap),
    )


def _matrices(
    x: float, exponent: float, wall: float, basis: _Basis, mass_ratio: float, points: int
) -> tuple[Array, Array]:
    """Overlap and Hamiltonian (Ry) of the symmetrised basis, without the factor 8 pi^2."""
    a = exponent * x
    order = int(basis.degree[-1])
    m = _moments(a, 1.0 - wall * x * x, 2 * order + 1, points)
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
    full = kinetic / (x * x) - (2.0 / x) * at(m.plain, both_p, both_q, both_s - 1)
    overlap = at(m.plain, both_p, both_q, both_s)
    return fold(overlap, basis.first, basis.size), fold(full, basis.first, basis.size)


def _contact(x: float, wall: float, basis: _Basis, use: Index, vector: Array) -> tuple[float, float]:
    """K and X of a normalised state: functions with s = 0 survive where electron meets hole."""
    node, weight = gauss_unit(2 * _POINTS)
    chi, _ = ball_wall(node, 1.0 - wall * x * x)
    lead = basis.first[use]
    meets = basis.s[lead] == 0
    power = 2 * (basis.p[lead] + basis.q[lead])[meets]
    pair = chi**2 * (node[:, None] ** power @ (basis.size[use] * vector)[meets])
    shell = 4.0 * math.pi * node**2 * weight
    # the overlap matrix lacks the factor 8 pi^2 of the volume element
    overlap = float(shell @ pair) ** 2 / (8.0 * math.pi**2)
    return overlap, math.pi / x**3 * float(shell @ pair**2) / (8.0 * math.pi**2)
