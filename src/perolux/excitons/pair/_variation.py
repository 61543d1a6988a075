"""What the variational solvers share: Gauss points, wall functions, lowest state, error estimates."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from perolux.errors import ConvergenceError, ModelRangeError, OptionError

Array = NDArray[np.float64]
Index = NDArray[np.int64]

SMALLEST_ERRORS = (1e-5, 1e-3, 5e-4)
"""The smallest errors of E (Ry), K and X (relative) that a state may quote. The basis converges further, but
independent calculations confirm it only to about this level."""


@dataclass(frozen=True)
class Shell:
    """Energies (Ry), K and X of the lowest states of one basis, all [state]."""

    energy: Array
    overlap_k: Array
    exchange_x: Array


def shell_errors(shells: Sequence[Shell], coarse: Shell) -> tuple[Array, Array, Array]:
    """Error estimates of the last of three nested bases: E (Ry), K and X (relative), all [state].

    What the last shell changed, or half of what the shell before changed where that is more (K and X need not
    converge monotonically); plus what a coarser quadrature changes in the
    middle basis; never below `SMALLEST_ERRORS`.
    """
    before, middle, last = shells
    energy = abs(middle.energy - last.energy) + abs(middle.energy - coarse.energy)
    k = np.maximum(abs(middle.overlap_k - last.overlap_k), 0.5 * abs(before.overlap_k - middle.overlap_k))
    x = np.maximum(abs(middle.exchange_x - last.exchange_x), 0.5 * abs(before.exchange_x - middle.exchange_x))
    k += abs(middle.overlap_k - coarse.overlap_k)
    x += abs(middle.exchange_x - coarse.exchange_x)
    return (
        np.maximum(energy, SMALLEST_ERRORS[0]),
        np.maximum(k / last.overlap_k, SMALLEST_ERRORS[1]),
        np.maximum(x / last.exchange_x, SMALLEST_ERRORS[2]),
    )


def check_sizes(sizes: Sequence[float], name: str, limits: tuple[float, float], where: str) -> None:
    """Raise for sizes (aB) that are no numbers, not above 0, or beyond what the solver is tested for."""
    for size in sizes:
        if math.isnan(size):
            raise ModelRangeError(f"the {name} is no number", where=where, allowed="a number of Bohr radii")
        if size == 0.0:
            raise ModelRangeError(
                f"the {name} is 0: there is no room for a pair", where=where, allowed="above 0 Bohr radii"
            )
        if size < 0.0:
            raise ModelRangeError(
                f"the {name} is negative, {size:g}", where=where, allowed="above 0 Bohr radii"
            )
    low, high = limits
    outside = [size for size in sizes if not low <= size <= high]
    if outside:
        raise ModelRangeError(
            f"the solver is not tested for the {name} {outside[0]:g}",
            where=where,
            allowed=f"{low:g} to {high:g} Bohr radii",
            fix="use perolux.excitons.interpolate, which continues with the asymptotic laws",
        )


def check_options(
    order: int, orders: range, mass_ratio: float, exponent: float | None, wall: float | None, where: str
) -> None:
    """Refuse an order, a mass ratio, or half a pair of exponent and wall that cannot be used."""
    if order not in orders:
        allowed = ", ".join(str(one) for one in orders)
        raise OptionError(f"order {order} cannot be used", where=where, allowed=f"one of {allowed}")
    if not (math.isfinite(mass_ratio) and mass_ratio > 0):
        raise OptionError(f"mass ratio {mass_ratio}", where=where, allowed="m_e/m_h > 0")
    if (exponent is None) != (wall is None):
        raise OptionError(
            "exponent and wall belong together", where=where, allowed="both given, or none", fix="give both"
        )


@lru_cache(maxsize=32)
def gauss_unit(points: int) -> tuple[Array, Array]:
    """Nodes and weights of Gauss-Legendre quadrature on [0, 1]."""
    nodes, weights = np.polynomial.legendre.leggauss(points)
    return 0.5 * (nodes + 1.0), 0.5 * weights


def box_wall(position: Array, curvature: float) -> tuple[Array, Array]:
    """Wall function of one coordinate of a box of edge 1, and minus its second derivative.

    chi(s) = [cos(k s) - cos(k/2)] / [1 - cos(k/2)], s in [-1/2, 1/2], k^2 = pi^2 `curvature`. A curvature of
    1 is the free particle cos(pi s), 0 the parabola, negative ones are flat inside: 1 - cosh(q s)/cosh(q/2).
    """
    if abs(curvature) < 1e-6:
        return 1.0 - 4.0 * position**2, np.full_like(position, 8.0)
    if curvature > 0:
        k = math.pi * math.sqrt(curvature)
        edge = math.cos(0.5 * k)
        inner = np.cos(k * position)
        return (inner - edge) / (1.0 - edge), k * k * inner / (1.0 - edge)
    q = math.pi * math.sqrt(-curvature)
    # cosh(q s)/cosh(q/2) written with decaying exponentials, so that a large q cannot overflow
    far = np.exp(-q * (0.5 - np.abs(position))) * (1.0 + np.exp(-2.0 * q * np.abs(position)))
    inner = far / (1.0 + math.exp(-q))
    edge = 1.0 / math.cosh(0.5 * q)
    return (1.0 - inner) / (1.0 - edge), q * q * inner / (1.0 - edge)


def ball_wall(radius: Array, curvature: float) -> tuple[Array, Array]:
    """Wall function of one particle in a ball of radius 1, and minus its Laplacian.

    chi(r) = [j0(k r) - j0(k)] / [1 - j0(k)], k^2 = pi^2 `curvature`; 1 gives sin(pi r)/(pi r), 0 gives
    1 - r^2, negative ones are flat inside.
    """
    if abs(curvature) < 1e-6:
        return 1.0 - radius**2, np.full_like(radius, 6.0)
    if curvature > 0:
        k = math.pi * math.sqrt(curvature)
        edge = math.sin(k) / k
        inner = np.sinc(k * radius / math.pi)
        return (inner - edge) / (1.0 - edge), k * k * inner / (1.0 - edge)
    q = math.pi * math.sqrt(-curvature)
    edge = q / math.sinh(q)
    # sinh(q r)/(r sinh q), again with decaying exponentials
    inner = np.exp(-q * (1.0 - radius)) * (1.0 - np.exp(-2.0 * q * radius)) / (radius * -math.expm1(-2.0 * q))
    return (1.0 - inner) / (1.0 - edge), q * q * inner / (1.0 - edge)


def minimise(
    energy: Callable[[float, float], float], start: tuple[float, float], where: str
) -> tuple[float, float]:
    """Exponent (1/aB) and wall (1/aB^2) with the lowest energy, by Nelder-Mead from `start`.

    The minimum is quadratic, so 1 % in the two parameters is far below the basis error of the energy.
    """
    from scipy.optimize import minimize

    def target(point: Array) -> float:
        exponent, wall = float(point[0]), float(point[1])
        if not (1e-3 < exponent < 6.0 and -0.5 < wall < 1.5):
            return math.inf
        return energy(exponent, wall)

    simplex = np.array([start, (start[0] * 1.25 + 0.05, start[1]), (start[0], start[1] + 0.05)])
    found = minimize(
        target,
        simplex[0],
        method="Nelder-Mead",
        options={"initial_simplex": simplex, "xatol": 0.01, "fatol": 1e-8, "maxiter": 80},
    )
    if not math.isfinite(found.fun):
        raise ConvergenceError("no exponent gives a finite energy", where=where)
    return float(found.x[0]), float(found.x[1])
