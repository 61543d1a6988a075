"""The pair in a sphere from products of single-particle states: slow, independent, a check on `sphere`.

Psi = sum c [j_l(k_nl r_e) j_l(k_n'l r_h)] P_l(cos), coupled to total angular momentum 0. The attraction is
expanded in multipoles, and image charges are products of one-particle moments, so nothing is shared with
the correlated basis. E converges like l^-3 and n^-3 or so, K and X only like 1/n.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from perolux.errors import OptionError
from perolux.excitons.pair._dense import lowest_states
from perolux.excitons.pair._sphere_images import image_coefficient, self_image
from perolux.excitons.pair._variation import Array, gauss_unit
from perolux.excitons.pair.centre_of_mass import bessel_zeros

__all__ = ["solve_by_sphere_products"]


@dataclass(frozen=True)
class _Orbitals:
    """States n = 1..N of one l on radial points: r times the radial function, edge 1; and zeros k_nl."""

    zeros: Array
    values: Array
    inner: Array


def solve_by_sphere_products(
    radius_over_bohr: float,
    radial: int,
    angular: int,
    *,
    count: int = 1,
    mass_ratio: float = 1.0,
    dielectric_ratio: float = 1.0,
) -> tuple[Array, Array, Array]:
    """E/Ry, K and X [state] of the lowest S states from `radial` states for each l up to `angular`.

    radius_over_bohr: R/aB. For equal masses only states even under exchange of electron and hole. Energies
    are upper bounds. Raises `OptionError` for a basis that cannot be used.

    >>> energy, overlap, exchange = solve_by_sphere_products(1.0, 4, 3)
    >>> round(float(energy[0]), 2)  # 5.974 when converged
    5.99
    """
    x = float(radius_over_bohr)
    if not (x > 0 and 1 <= radial <= 12 and 0 <= angular <= 10 and mass_ratio > 0 and dielectric_ratio > 0):
        raise OptionError(
            f"radius {x:g}, {radial} radial states up to l = {angular} cannot be used",
            allowed="positive numbers, 1 to 12 radial states, l to 10",
        )
    node, weight = gauss_unit(96)
    shells = [_orbitals(ell, radial) for ell in range(angular + 1)]
    block = radial * radial
    size = block * (angular + 1)
    hamiltonian = np.zeros((size, size))
    electron, hole = 1.0 / (1.0 + mass_ratio), mass_ratio / (1.0 + mass_ratio)
    for ell, left in enumerate(shells):
        here = slice(ell * block, (ell + 1) * block)
        levels = electron * left.zeros[:, None] ** 2 + hole * left.zeros[None, :] ** 2
        hamiltonian[here, here] += np.diag(levels.ravel()) / x**2
        if dielectric_ratio != 1.0:
            energy = (left.values * weight * self_image(node, dielectric_ratio)) @ left.values.T / x
            unit = np.eye(radial)
            hamiltonian[here, here] += np.kron(energy, unit) + np.kron(unit, energy)
        for other in range(ell + 1):
            there = slice(other * block, (other + 1) * block)
            part = -(2.0 / x) * _attraction(ell, other, radial, angular, dielectric_ratio)
            hamiltonian[here, there] += part
            if other != ell:
                hamiltonian[there, here] += part.T
    unit = np.eye(size)
    if mass_ratio == 1.0:
        hamiltonian, unit, back = _even(hamiltonian, radial, angular)
    else:
        back = np.eye(size)
    energy, vectors = lowest_states(hamiltonian, unit, count)
    return (energy, *_contact(back @ vectors, shells, x))


def _even(hamiltonian: Array, radial: int, angular: int) -> tuple[Array, Array, Array]:
    """Matrices between sums of (n, n') and (n', n), their overlap, and the way back."""
    columns = []
    for ell in range(angular + 1):
        for n in range(radial):
            for m in range(n, radial):
                one = np.zeros((angular + 1, radial, radial))
                one[ell, n, m] = one[ell, m, n] = 1.0 if n == m else math.sqrt(0.5)
                columns.append(one.ravel())
    back = np.array(columns).T
    return back.T @ hamiltonian @ back, np.eye(back.shape[1]), back


@lru_cache(maxsize=64)
def _orbitals(ell: int, radial: int) -> _Orbitals:
    from scipy.special import spherical_jn

    node, _ = gauss_unit(96)
    part, _ = gauss_unit(48)
    zeros = np.array(bessel_zeros(ell, radial))

    def reduced(r: Array) -> Array:
        scale = math.sqrt(2.0) / np.abs(spherical_jn(ell + 1, zeros))
        return np.array([a * r * spherical_jn(ell, z * r) for a, z in zip(scale, zeros, strict=True)])

    return _Orbitals(zeros, reduced(node), reduced(node[:, None] * part))


@lru_cache(maxsize=512)
def _attraction(ell: int, other: int, radial: int, angular: int, dielectric_ratio: float) -> Array:
    """Matrix of R/r_eh (and of the pair's images) between the (n n') of l and those of l'."""
    node, weight = gauss_unit(96)
    part, part_weight = gauss_unit(48)
    one, two = _orbitals(ell, radial), _orbitals(other, radial)
    outer = (one.values[:, None] * two.values[None]).reshape(radial**2, -1)
    inner = (one.inner[:, None] * two.inner[None]).reshape(radial**2, node.size, -1)
    total = np.zeros((radial**2, radial**2))
    for degree in range(abs(ell - other), ell + other + 1, 2):
        # int_0^r s^l/r^(l+1) ds of the hole inside, s = r t; then the other way round
        within = inner @ (part**degree * part_weight)
        slater = (outer * weight) @ within.T
        slater = slater + slater.T
        if dielectric_ratio != 1.0 and degree > 0:
            moment = outer @ (weight * node**degree)
            slater = slater + image_coefficient(np.array(float(degree)), dielectric_ratio) * np.outer(
                moment, moment
            )
        total += _three_j_squared(ell, degree, other) * slater
    total *= math.sqrt((2 * ell + 1) * (2 * other + 1))
    # from [(n, m), (n', m')] of electron and hole to [(n, n'), (m, m')] of states
    four = total.reshape(radial, radial, radial, radial)
    return np.asarray(four.transpose(0, 2, 1, 3).reshape(radial**2, radial**2))


@lru_cache(maxsize=2048)
def _three_j_squared(one: int, two: int, three: int) -> float:
    """(one two three; 0 0 0)^2 = (1/2) int P_one P_two P_three d cos."""
    from scipy.special import eval_legendre

    node, weight = gauss_unit(one + two + three + 2)
    cosine = 2.0 * node - 1.0
    product = eval_legendre(one, cosine) * eval_legendre(two, cosine) * eval_legendre(three, cosine)
    return float(weight @ product)


def _contact(vectors: Array, shells: list[_Orbitals], x: float) -> tuple[Array, Array]:
    """K and X: P_l(1) = 1, each pair of radial functions divided by r^2."""
    node, weight = gauss_unit(96)
    radial = shells[0].zeros.size
    pair = np.zeros((node.size, vectors.shape[1]))
    overlap = np.zeros(vectors.shape[1])
    for ell, shell in enumerate(shells):
        part = vectors[ell * radial**2 : (ell + 1) * radial**2] * math.sqrt(2 * ell + 1)
        pair += (shell.values[:, None] * shell.values[None]).reshape(radial**2, -1).T @ part
        overlap += np.eye(radial).ravel() @ part
    # the coupled state is sqrt(2l+1)/(4 pi) R R' P_l; int 4 pi r^2 (pair/(4 pi r^2))^2 dr
    density = weight @ (pair**2 / node[:, None] ** 2) / (4.0 * math.pi)
    return overlap**2, math.pi * density / x**3
