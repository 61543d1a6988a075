"""The ground state of a particle in a hard-wall spheroid, for any ratio of its axes.

In coordinates that make the spheroid a ball, -grad^2 becomes -(d_x^2 + d_y^2) - (a/c)^2 d_z^2 (lengths in the
equatorial radius). Ritz basis: (1 - r^2) P_p(2 rho^2 - 1) P_2q(z), p + q <= 8, exact quadrature, which
converges from above. Exact limits: sphere u = pi; long needle u -> 2.4048 (cylinder of that radius); flat
disc u -> (pi/2) a/c.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from numpy.polynomial import legendre

from perolux.errors import ModelRangeError
from perolux.threads import one_thread

__all__ = ["ASPECT_RANGE", "equal_confinement_radius_nm", "spheroid_phase", "spheroid_phase_solved"]

FloatArray = npt.NDArray[np.float64]

ASPECT_RANGE = (0.125, 8.0)
"""Ratios of polar to equatorial axis that `spheroid_phase` accepts."""

_KNOTS = 41
_ORDER = 8


def spheroid_phase_solved(aspect: float, order: int = _ORDER) -> float:
    """u of E = (hbar^2/2m) (u/R)^2 for the ground state, R the equatorial radius; one aspect, solved.

    aspect: polar over equatorial axis. order: largest p + q.

    >>> round(spheroid_phase_solved(1.0), 9)
    3.141592654
    """
    from scipy.linalg import eigh

    node, weight = legendre.leggauss(2 * order + 6)
    radius, weight_r = 0.5 * (node + 1.0), 0.5 * weight
    cosine = 0.5 * (node + 1.0)  # the ground state is even in z: one half of the ball
    r, cos = np.meshgrid(radius, cosine, indexing="ij")
    volume = (weight_r * radius**2)[:, None] * (0.5 * weight)[None, :]
    rho, z = r * np.sqrt(1.0 - cos**2), r * cos
    edge = 1.0 - r**2
    values, along_rho, along_z = [], [], []
    for p in range(order + 1):
        radial, radial_slope = _legendre(p, 2.0 * rho**2 - 1.0)
        for q in range(order + 1 - p):
            axial, axial_slope = _legendre(2 * q, z)
            values.append(edge * radial * axial)
            along_rho.append((-2.0 * rho * radial + edge * 4.0 * rho * radial_slope) * axial)
            along_z.append((-2.0 * z * axial + edge * axial_slope) * radial)
    f, f_rho, f_z = (np.array(x).reshape(len(values), -1) for x in (values, along_rho, along_z))
    w = volume.ravel()
    with one_thread():
        kinetic = (f_rho * w) @ f_rho.T + (f_z * w) @ f_z.T / aspect**2
        overlap = (f * w) @ f.T
        lowest = eigh(kinetic, overlap, eigvals_only=True, subset_by_index=(0, 0))
    return math.sqrt(float(lowest[0]))


def spheroid_phase(aspect: npt.ArrayLike) -> FloatArray:
    """u of the ground state for any array of aspects, by a cubic spline through solved ones.

    The spline adds less than 1e-6.

    Raises `ModelRangeError` outside `ASPECT_RANGE`.

    >>> spheroid_phase([0.5, 1.0, 2.0]).round(4).tolist()
    [4.3989, 3.1416, 2.6989]
    """
    ratio = np.asarray(aspect, dtype=np.float64)
    low, high = ASPECT_RANGE
    # the ends by rounding: lengths are divided
    if not np.all((ratio >= low * (1 - 1e-12)) & (ratio <= high * (1 + 1e-12))):
        raise ModelRangeError(
            f"a spheroid whose polar axis is {ratio.flat[np.abs(np.log(np.abs(ratio))).argmax()]:g} times "
            "its equatorial axis",
            where="spheroid levels",
            allowed=f"{low:g} to {high:g}",
            fix="longer ones: a rod; flatter ones: a platelet",
        )
    return np.asarray(np.exp(_spline()(np.log(ratio))))


def equal_confinement_radius_nm(equatorial_nm: npt.ArrayLike, polar_nm: npt.ArrayLike) -> FloatArray:
    """Radius of the sphere with the same hard-wall ground state as a spheroid of these two diameters."""
    equatorial, polar = (np.asarray(x, dtype=np.float64) for x in (equatorial_nm, polar_nm))
    return np.asarray(0.5 * equatorial * math.pi / spheroid_phase(polar / equatorial))


@lru_cache(maxsize=1)
def _spline() -> Callable[[FloatArray], FloatArray]:
    from scipy.interpolate import CubicSpline

    low, high = ASPECT_RANGE
    log = np.linspace(math.log(low), math.log(high), _KNOTS)
    return CubicSpline(log, np.log([spheroid_phase_solved(math.exp(x)) for x in log]))


def _legendre(order: int, x: FloatArray) -> tuple[FloatArray, FloatArray]:
    coefficients = np.eye(order + 1)[order]
    slope = legendre.legval(x, legendre.legder(coefficients))
    return np.asarray(legendre.legval(x, coefficients)), np.asarray(slope, dtype=np.float64)
