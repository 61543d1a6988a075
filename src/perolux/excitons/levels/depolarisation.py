"""Depolarisation factors of spheroids, boxes and cylinders: the shape shares out the field of a polarisation.

A uniformly polarised body has the mean inner field -N_i P_i/eps0 along its axis i, and N_x + N_y + N_z = 1.
For an ellipsoid the inner field is uniform and N exact; for a box or a cylinder N is the volume average (the
magnetometric factor). They enter the long-range exchange (hbar w_LT N_i X) and the local field of a light
wave.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, OptionError

__all__ = ["ASPECT_LIMIT", "box_factors", "cylinder_factors", "depolarisation_factors", "spheroid_factors"]

FloatArray = npt.NDArray[np.float64]

ASPECT_LIMIT = 1000.0
"""Largest ratio of two lengths: beyond, the closed forms for boxes lose more than about 1e-9 to rounding."""

_NEAR_SPHERE = 0.02
"""|1 - (polar/equatorial)^2| below which a series takes the place of the closed forms (its error: 1e-14)."""


def spheroid_factors(equatorial_nm: npt.ArrayLike, polar_nm: npt.ArrayLike) -> FloatArray:
    """Depolarisation factors (N_x, N_y, N_z) of spheroids, z the axis of rotation; last axis of length 3.

        prolate  N_z = (1 - e^2)/e^3 (atanh e - e),        e^2 = 1 - (equatorial/polar)^2
        oblate   N_z = (1 + g^2)/g^3 (g - atan g),         g^2 = (equatorial/polar)^2 - 1

    and N_x = N_y = (1 - N_z)/2. Sphere 1/3; needle N_z = 0; thin disc N_z = 1. Lengths are diameters (or
    radii), only their ratio counts; arrays broadcast. Raises `OptionError` for lengths that are not positive,
    `ModelRangeError` beyond a ratio of 1000. Source: Stoner and Osborn 1945 (standard closed forms).

    >>> spheroid_factors(1.0, 1.0).round(6).tolist()
    [0.333333, 0.333333, 0.333333]
    """
    across, along = _lengths(equatorial_nm, polar_nm)
    t = 1.0 - (across / along) ** 2  # e^2 of a prolate, -g^2 of an oblate spheroid
    near = np.abs(t) < _NEAR_SPHERE
    safe = np.where(near, 0.5, t)
    root = np.sqrt(np.abs(safe))
    prolate = (np.arctanh(np.where(safe > 0, root, 0.5)) - root) / root**3
    oblate = (root - np.arctan(root)) / root**3
    # (atanh e - e)/e^3 = sum_{n>=0} e^(2n)/(2n + 3), for either sign of e^2
    series = np.polynomial.polynomial.polyval(t, 1.0 / (2.0 * np.arange(8) + 3.0))
    along_factor = (1.0 - t) * np.where(near, series, np.where(safe > 0, prolate, oblate))
    return _about_axis(along_factor)


def cylinder_factors(diameter_nm: npt.ArrayLike, length_nm: npt.ArrayLike) -> FloatArray:
    """Magnetometric factors (N_x, N_y, N_z) of flat-ended cylinders, z the axis; last axis of length 3.

        1 - N_z = 4/(3 pi k') { (k'^2/k^2) [K(k) - E(k)] + E(k) - k },   k^2 = D^2/(D^2 + L^2), k'^2 = 1 - k^2

    with the complete elliptic integrals K and E: one minus N_z is the mean flux density in a uniformly
    magnetised cylinder, which is that of a solenoid (Lorenz, Nagaoka). Arguments and errors as in
    `spheroid_factors`.

    >>> cylinder_factors(1.0, 1.0).round(4).tolist()
    [0.3442, 0.3442, 0.3116]
    """
    from scipy.special import ellipe, ellipkm1

    diameter, length = _lengths(diameter_nm, length_nm)
    ratio = length / diameter
    complement = ratio**2 / (1.0 + ratio**2)  # k'^2, without cancellation for flat discs
    square = 1.0 / (1.0 + ratio**2)
    first, second = ellipkm1(complement), ellipe(square)
    # K - E cancels for needles, where it is (pi/4) k^2 + (3 pi/32) k^4 + (15 pi/256) k^6 + ...
    difference = first - second
    thin = square < 1e-3
    coefficients = math.pi * np.array([1 / 4, 3 / 32, 15 / 256, 175 / 4096])
    start = np.polynomial.polynomial.polyval(square, coefficients)
    ratio_term = np.where(thin, complement * start, complement * difference / square)
    flux = 4.0 / (3.0 * math.pi * np.sqrt(complement)) * (ratio_term + second - np.sqrt(square))
    return _about_axis(1.0 - flux)


def box_factors(a_nm: npt.ArrayLike, b_nm: npt.ArrayLike, c_nm: npt.ArrayLike) -> FloatArray:
    """Magnetometric factors (N_a, N_b, N_c) of rectangular boxes, one for each edge; last axis of length 3.

    The closed form of Aharoni for a uniformly magnetised prism. Cube 1/3 each; thin plate N -> 1 across.
    Edges are full lengths, only their ratios count; arrays broadcast. Raises `OptionError` for edges that are
    not positive, `ModelRangeError` beyond a ratio of 1000. Source: A. Aharoni, J. Appl. Phys. 83, 3432
    (1998), equation 1.

    >>> box_factors(1.0, 1.0, 1.0).round(9).tolist()
    [0.333333333, 0.333333333, 0.333333333]
    """
    a, b, c = _lengths(a_nm, b_nm, c_nm)
    scale = np.maximum(np.maximum(a, b), c)
    a, b, c = a / scale, b / scale, c / scale
    return np.stack([_along_last(b, c, a), _along_last(c, a, b), _along_last(a, b, c)], axis=-1)


def depolarisation_factors(
    shape: str, a_nm: npt.ArrayLike, b_nm: npt.ArrayLike, c_nm: npt.ArrayLike
) -> FloatArray:
    """Factors along the three lengths of any shape of `ensemble.shapes`; last axis of length 3.

    >>> depolarisation_factors("platelet", 10.0, 10.0, 2.0).round(3).tolist()
    [0.153, 0.153, 0.694]
    """
    if shape in ("cube", "cuboid", "platelet"):
        return box_factors(a_nm, b_nm, c_nm)
    if shape in ("sphere", "spheroid"):
        return spheroid_factors(a_nm, c_nm)
    if shape == "rod":
        return cylinder_factors(a_nm, c_nm)
    raise OptionError(f"unknown shape {shape!r}", allowed="cube, cuboid, platelet, sphere, spheroid, rod")


def _along_last(a: FloatArray, b: FloatArray, c: FloatArray) -> FloatArray:
    """Aharoni's N along c. His ln[(r - a)/(r + a)] are -2 asinh(a/sqrt(r^2 - a^2)), which do not cancel."""
    ab, bc, ca = np.hypot(a, b), np.hypot(b, c), np.hypot(c, a)
    r = np.hypot(ab, c)
    logs = (
        (c**2 - b**2) / (b * c) * np.arcsinh(a / bc)
        + (c**2 - a**2) / (a * c) * np.arcsinh(b / ca)
        + b / c * np.arcsinh(a / b)
        + a / c * np.arcsinh(b / a)
        - c / a * np.arcsinh(b / c)
        - c / b * np.arcsinh(a / c)
    )
    powers = a**3 + b**3 - 2.0 * c**3 + (a**2 + b**2 - 2.0 * c**2) * r - (ab**3 + bc**3 + ca**3)
    rest = powers / (3.0 * a * b * c) + c * (ca + bc) / (a * b)
    return np.asarray((logs + 2.0 * np.arctan2(a * b, c * r) + rest) / math.pi)


def _about_axis(along: FloatArray) -> FloatArray:
    across = 0.5 * (1.0 - along)
    return np.stack([across, across, along], axis=-1)


def _lengths(*given: npt.ArrayLike) -> tuple[FloatArray, ...]:
    arrays = np.broadcast_arrays(*(np.asarray(one, dtype=float) for one in given))
    for values in arrays:
        if not bool(np.all(np.isfinite(values) & (values > 0))):
            raise OptionError("a length is not a positive number", where="depolarisation factors")
    ratio = np.maximum.reduce(arrays) / np.minimum.reduce(arrays)
    if np.any(ratio > ASPECT_LIMIT):
        raise ModelRangeError(
            f"lengths with a ratio of {float(np.max(ratio)):g}",
            where="depolarisation factors",
            allowed=f"ratios up to {ASPECT_LIMIT:g}",
            fix="use the limits: 0, 1/2 or 1",
        )
    return tuple(arrays)
