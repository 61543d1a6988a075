"""Exact and asymptotic limits of the confined exciton: what the solvers and tables must tend to.

Sizes are R/aB for a sphere and L/aB for a cube. Strong confinement is perturbation theory in the Coulomb
attraction; weak confinement is a hydrogen atom whose centre of mass is confined behind a dead layer.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from perolux.errors import OptionError
from perolux.excitons.pair._box_integrals import box_integrals
from perolux.excitons.pair._variation import gauss_unit

__all__ = [
    "contact_constant",
    "coulomb_constant",
    "dead_layer",
    "kinetic_constant",
    "overlap_constant",
    "overlap_layer",
    "require_shape",
    "strong_limit_remainder",
]

SHAPES = ("sphere", "cube")


def require_shape(shape: str) -> None:
    """Raise `OptionError` for a shape that has no table."""
    if shape not in SHAPES:
        raise OptionError(f"unknown shape {shape!r}", allowed=" or ".join(SHAPES))


def kinetic_constant(shape: str) -> float:
    """E size^2 -> this constant (Ry aB^2) in strong confinement: pi^2 for a sphere, 3 pi^2 for a cube."""
    require_shape(shape)
    return math.pi**2 * (1.0 if shape == "sphere" else 3.0)


@lru_cache(maxsize=4)
def coulomb_constant(shape: str) -> float:
    """J = <size/r_eh> of the uncorrelated ground state, in units of e^2/(4 pi eps0 eps size).

    Sphere: 2 int_0^1 dr 2 sin^2(pi r) (1/r) int_0^r 2 sin^2(pi s) ds, because a shell of charge acts from its
    centre. Cube: int prod_i A(u_i)/|u| d3u, A the density of separations on one axis. Both by Gauss-Legendre
    quadrature, to about 1e-12. First-order energy: -2 J/size in Ry.

    >>> round(coulomb_constant("sphere"), 5), round(coulomb_constant("cube"), 4)
    (1.78607, 3.0478)
    """
    require_shape(shape)
    if shape == "sphere":
        node, weight = gauss_unit(40)
        inside = 2.0 * np.sin(math.pi * node[:, None] * node) ** 2 @ weight  # (1/r) int_0^r, with s = r node
        return float(2.0 * weight @ (2.0 * np.sin(math.pi * node) ** 2 * inside))
    table = box_integrals((1.0, 1.0, 1.0), 0.0, 0.0, 0, points=40, odd=False).plain
    return float(table[0, 0, 0, 0] / table[1, 0, 0, 0])


@lru_cache(maxsize=4)
def contact_constant(shape: str) -> float:
    """X size^3 -> this constant in strong confinement: pi int |phi|^4 over the shape of unit size.

    Sphere: pi int_0^pi sin^4 t / t^2 dt = 2.1114; cube: pi (3/2)^3.
    """
    require_shape(shape)
    if shape == "cube":
        return math.pi * 1.5**3
    node, weight = gauss_unit(40)
    return float(math.pi**2 * weight @ (np.sin(math.pi * node) ** 4 / (math.pi * node) ** 2))


def overlap_constant(shape: str) -> float:
    """K -> this constant times (size - dead layer)^3 in weak confinement.

    8/pi^2 for a sphere, (8/pi^2)^3/pi for a cube: |int of the confined centre-of-mass state|^2/(pi aB^3).
    """
    require_shape(shape)
    return 8.0 / math.pi**2 if shape == "sphere" else (8.0 / math.pi**2) ** 3 / math.pi


def strong_limit_remainder(shape: str, size: float, energy: float) -> float:
    """What first-order perturbation theory leaves of an energy (Ry): E - kinetic/size^2 + 2 J/size.

    It tends to the second-order constant, about -0.279 (sphere) and -0.284 (cube), when size tends to 0.
    """
    return energy - kinetic_constant(shape) / size**2 + 2.0 * coulomb_constant(shape) / size


def dead_layer(shape: str, size: float, energy: float) -> float:
    """Dead layer d (aB) of an energy (Ry) for equal masses: E = -1 + kinetic/(4 (size - d)^2).

    For a cube both walls of an axis are counted, so d is twice the layer of one wall.
    """
    return size - math.sqrt(kinetic_constant(shape) / (4.0 * (energy + 1.0)))


def overlap_layer(shape: str, size: float, overlap_k: float) -> float:
    """Dead layer d (aB) of an overlap factor: K = constant (size - d)^3."""
    return size - (overlap_k / overlap_constant(shape)) ** (1.0 / 3.0)
