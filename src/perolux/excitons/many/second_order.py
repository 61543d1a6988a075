"""Second-order energies of excitons, trions and biexcitons in strong confinement, by sums over states.

All carriers start in the ground state of the walls. First order is the net charge squared times J/size and
cancels in every shift. In second order a carrier is excited alone, by the mean field of the others
(amplitude: their net charge), or two carriers are excited together. With S the sum over single excitations
of a carrier of mobility D = mu/m in the field of one charge, and P(a, b) the sum over double excitations,
for any size,

    exciton         S_e + S_h + P_eh
    trion (2e, h)   4 S_h + 2 P_eh + P_ee
    biexciton       2 S_e + 2 S_h + 4 P_eh + P_ee + P_hh

in Ry. A shift tends to what is left: 3 S_h - S_e + P_eh + P_ee, and 2 P_eh + P_ee + P_hh.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from perolux.errors import OptionError
from perolux.excitons.pair._variation import Array, gauss_unit
from perolux.excitons.pair.limits import require_shape
from perolux.threads import one_thread

__all__ = ["SecondOrder", "second_order"]


@dataclass(frozen=True)
class SecondOrder:
    """The sums in Ry (all negative): single excitations of electron and hole, double ones of each pair."""

    single_electron: float
    single_hole: float
    electron_hole: float
    electrons: float
    holes: float

    @property
    def exciton(self) -> float:
        """Second-order energy of the exciton."""
        return self.single_electron + self.single_hole + self.electron_hole

    def shift(self, kind: str) -> float:
        """Limit of the shift of "trion-", "trion+" or "biexciton" for size -> 0, in Ry."""
        if kind == "trion-":
            return 3.0 * self.single_hole - self.single_electron + self.electron_hole + self.electrons
        if kind == "trion+":
            return 3.0 * self.single_electron - self.single_hole + self.electron_hole + self.holes
        if kind == "biexciton":
            return 2.0 * self.electron_hole + self.electrons + self.holes
        raise OptionError(f"no shift of {kind!r}", allowed="trion-, trion+, biexciton")


def second_order(shape: str, *, mass_ratio: float = 1.0, states: int = 12) -> SecondOrder:
    """The second-order sums of a cube or sphere, m_e/m_h = mass_ratio, extrapolated in the number of states.

    Cube: sines up to `states` on each axis; the rest falls like states^-3. Sphere: angular momenta below
    `states` and as many radial states and two more; the rest of the sum over l falls like l^-3. With 12 the
    sums are right to about 1e-4 Ry. Raises `OptionError` for an unknown shape or a mass ratio <= 0.

    >>> round(second_order("cube").exciton, 3)
    -0.284
    """
    require_shape(shape)
    if not (0.0 < mass_ratio < math.inf and 6 <= states <= 16):
        raise OptionError(
            f"mass ratio {mass_ratio}, {states} states", allowed="mass ratio above 0, 6 to 16 states"
        )
    electron, hole = 1.0 / (1.0 + mass_ratio), mass_ratio / (1.0 + mass_ratio)
    pairs = ((electron, hole), (electron, electron), (hole, hole))
    if shape == "cube":
        with one_thread():
            _, few = _cube_sums(states - 4, pairs)
            single, many = _cube_sums(states, pairs)
        part = 1.0 / ((states / (states - 4)) ** 3 - 1.0)
    else:
        single, sums = _sphere_sums(states, pairs)
        few, many = sums[:, : states // 2].sum(axis=1), sums.sum(axis=1)
        part = 1.0 / 7.0
    eh, ee, hh = many + part * (many - few)
    return SecondOrder(single / electron, single / hole, float(eh), float(ee), float(hh))


def _cube_sums(sines: int, pairs: tuple[tuple[float, float], ...]) -> tuple[float, Array]:
    """S for D = 1, and P for every pair of mobilities, from products of sines."""
    coupling, left, right = _cube_couplings(sines)
    first, second = left > 0, right > 0
    alone, both = first & ~second, first & second
    single = -float((coupling[alone] ** 2 / left[alone]).sum())
    square, one, two = coupling[both] ** 2, left[both], right[both]
    return single, np.array([-float((square / (a * one + b * two)).sum()) for a, b in pairs])


@lru_cache(maxsize=4)
def _cube_couplings(sines: int) -> tuple[Array, Array, Array]:
    """<k l|2/r|1 1> of a cube of edge 1, and the energies of k and l above the ground state for D = 1."""
    from perolux.excitons.pair.product_sines import _gaussian, _laplace

    level = np.arange(1, sines + 1)
    k, el = (each.ravel() for each in np.meshgrid(level, level, indexing="ij"))
    even = (k + el) % 2 == 0
    k, el = k[even], el[even]
    weights, stretch = _laplace(1.0)
    rows = np.array([_gaussian(k, el, float(t))[0] for t in stretch])
    coupling = np.einsum("g,ga,gb,gc->abc", 2.0 * weights, rows, rows, rows, optimize=True)

    def above(one: Array) -> Array:
        return np.asarray(math.pi**2 * (one[:, None, None] + one[None, :, None] + one[None, None, :]))

    return np.asarray(coupling), above(k**2 - 1.0), above(el**2 - 1.0)


def _sphere_sums(top: int, pairs: tuple[tuple[float, float], ...]) -> tuple[float, Array]:
    """S for D = 1, and P [pair, l] of a sphere of radius 1, from Slater integrals."""
    single, sums = 0.0, np.zeros((len(pairs), top))
    for ell in range(top):
        roots, slater = _sphere_couplings(ell, top + 2)
        energy = roots**2 - math.pi**2
        square = 4.0 * slater**2 / (2 * ell + 1)
        if ell == 0:
            single = -float((square[0, 1:] / energy[1:]).sum())
            square, energy = square[1:, 1:], energy[1:]
        for row, (a, b) in enumerate(pairs):
            sums[row, ell] = -float((square / (a * energy[:, None] + b * energy)).sum())
    return single, sums


@lru_cache(maxsize=64)
def _sphere_couplings(ell: int, count: int) -> tuple[Array, Array]:
    """Roots k of j_l, and Slater integrals of order l between 1s 1s and (k l)(k' l), radius 1."""
    from scipy.special import spherical_jn

    roots = _bessel_roots(ell, count)
    node, weight = gauss_unit(160)
    part, part_weight = gauss_unit(48)
    inner = np.outer(node, part)

    def radial(r: Array, k: float) -> Array:
        """r times the radial function of state k."""
        norm = math.sqrt(2.0) / abs(float(spherical_jn(ell + 1, k)))
        return np.asarray(norm * r * spherical_jn(ell, k * r))

    ground, ground_inner = (math.sqrt(2.0) * np.sin(math.pi * r) for r in (node, inner))
    outside = np.array([radial(node, k) * ground for k in roots])
    # int_0^r s^l/r^(l+1) of the transition density, with s = r t
    inside = np.array([(radial(inner, k) * ground_inner * part**ell) @ part_weight for k in roots])
    half = (outside * weight) @ inside.T
    return roots, np.asarray(half + half.T)


def _bessel_roots(ell: int, count: int) -> Array:
    """The first roots of the spherical Bessel function j_l."""
    from scipy.optimize import brentq
    from scipy.special import spherical_jn

    # roots lie above l + 1 and about pi apart; a grid of 0.1 cannot skip one
    grid = np.arange(ell + 1.0, ell + 4.0 * count + 20.0, 0.1)
    value = spherical_jn(ell, grid)
    change = np.flatnonzero(value[:-1] * value[1:] < 0)[:count]
    return np.array([brentq(lambda z: spherical_jn(ell, z), grid[i], grid[i + 1]) for i in change])
