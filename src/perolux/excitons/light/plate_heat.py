"""Heat in a plate: bound pairs and free carriers in thermal equilibrium, at any thickness.

    R = N/Z    N = o_a o_b o_t (1 + c)                       states that emit, over the ground state
               Z = F + m_a m_b m_t [1 - exp(-x) (1 + x)]     all states, x = (B - U)/kT
               F = (z_a z_b z_t)^2 exp(-(E_free - V - E_pair)/kT)

m and o: all and the emitting levels of the pair, one particle of mass M behind its dead layer, axis by axis
(o weighs odd levels with 1/n^2). z: levels of one free carrier. B: binding in the plate. V, U: mean
attraction of a free pair in the plate, and its part from images. c: free pairs that meet, with the Sommerfeld
enhancement of the bulk. F has the attraction to first order (Gibbs, Bogoliubov, Feynman); what the bound
state adds to it is Planck's and Larkin's exp(x) - 1 - x, so that the sum is right to first order in the
attraction. Images are smooth on the scale of the pair and shift both alike: a constant attraction changes
nothing. Excited bound states are left out (Planck and Larkin weigh them lightly).

Exact limits: no attraction, the product of one-particle sums; cold, R = 1; wide and thin, the law of mass
action in two dimensions. Independent check: the trace over products of sines with all images
(`tools/make_plate_heat.py`). Equal masses, parabolic bands, as in `thermal`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError
from perolux.excitons.light.thermal import DEAD_LAYER, HIGHEST_THETA
from perolux.excitons.light.thermal_ladder import axis_sums
from perolux.excitons.pair.platelets import in_plane_dead_layer, interpolate_plate

__all__ = ["PlateHeat", "mean_attraction", "plate_heat"]

FloatArray = npt.NDArray[np.float64]

_IMAGES = 60
"""Images on each side: q^60 is below 1e-4 for eps_in/eps_out up to 12."""
_NODES = 48


@dataclass(frozen=True)
class PlateHeat:
    """R = K_th/K_0 of a plate, and its relative error as estimated; arrays of one shape."""

    ratio: FloatArray
    relative_error: FloatArray


def plate_heat(
    a_over_bohr: npt.ArrayLike,
    b_over_bohr: npt.ArrayLike,
    thickness_over_bohr: npt.ArrayLike,
    contrast: npt.ArrayLike,
    theta: npt.ArrayLike,
) -> PlateHeat:
    """R of a plate a x b (aB) at theta = kT/Ry; contrast: (eps_in - eps_out)/(eps_in + eps_out).

    Equation: module. relative_error: what walls do to a pair (its radius over the shorter edge), and how far
    Planck and Larkin differ from counting the bound state in full. Validity: that of `interpolate_plate`
    (thickness 0.05 to 15 aB) and kT up to 2.5 Ry, `ModelRangeError` outside; edges above four radii of the
    pair.

    >>> found = plate_heat(9.0, 9.0, 3.0, 0.0, [0.01, 0.8])
    >>> found.ratio.round(2).tolist()
    [1.0, 0.03]
    """
    a, b, thick, q, heat = np.broadcast_arrays(
        *(
            np.asarray(one, dtype=float)
            for one in (a_over_bohr, b_over_bohr, thickness_over_bohr, contrast, theta)
        )
    )
    if not np.all((heat >= 0) & (heat <= HIGHEST_THETA)):
        raise ModelRangeError(
            "heat in a plate does not reach this temperature",
            allowed=f"kT from 0 to {HIGHEST_THETA:g} exciton Rydberg",
        )
    heat = np.maximum(heat, 1e-6)
    pair = interpolate_plate(thick, q)
    layer = in_plane_dead_layer(pair.radius_over_bohr)
    inner = [np.maximum(length, 1e-3) for length in (a - layer, b - layer, thick - DEAD_LAYER)]
    states, bright = np.ones_like(heat), np.ones_like(heat)
    for length in inner:
        every, odd, _ = axis_sums(0.25 * math.pi**2 / (length**2 * heat))
        states, bright = states * every, bright * odd
    free, lengths = np.ones_like(heat), []
    for length in (a, b, thick):
        every, _, inverse = axis_sums(0.5 * math.pi**2 / (length**2 * heat))
        free = free * every**2
        # the uniform box with the same mean square as the carriers that are warm by kT
        lengths.append(length * np.sqrt(1.0 - 6.0 / math.pi**2 * inverse / every))
    direct, images = mean_attraction(lengths[0], lengths[1], lengths[2], thick, q)
    # counted from an unbound pair at rest in a wide plate
    e_free = math.pi**2 * (1.0 / a**2 + 1.0 / b**2)
    e_pair = 0.25 * math.pi**2 * (1.0 / inner[0] ** 2 + 1.0 / inner[1] ** 2) - pair.binding_rydberg
    # no state, and no mean over states, lies below the ground state
    above = np.maximum(e_free - direct - images - e_pair, 0.0)
    unbound = free * np.exp(-np.minimum(above / heat, 700.0))
    x = np.clip((pair.binding_rydberg - images) / heat, 0.0, 700.0)
    bulk_contact = thick / (math.pi * pair.contact)
    meeting = 0.5 * heat * bulk_contact * np.exp(-np.minimum(pair.binding_rydberg / heat, 700.0))
    emitting = bright * (1.0 + meeting)
    ratio = emitting / (unbound + states * (1.0 - np.exp(-x) * (1.0 + x)))
    in_full = emitting / (unbound + states)
    walls = pair.radius_over_bohr / np.minimum(a, b)
    return PlateHeat(np.minimum(ratio, 1.0), walls + np.abs(in_full / ratio - 1.0))


def mean_attraction(
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    spread: npt.ArrayLike,
    thickness: npt.ArrayLike,
    contrast: npt.ArrayLike,
) -> tuple[FloatArray, FloatArray]:
    """Mean attraction (Ry) of electron and hole spread evenly over a x b x spread: direct, and by images.

        2 <1/r> = (4/sqrt pi) int ds g(s a) g(s b) g(s spread)     g(u) = <exp(-u^2 (x - x')^2)> on [0, 1]

    The same with the images of a plate of that thickness, whose carriers are in the lowest subband across;
    lengths in aB.

    >>> direct, images = mean_attraction(1.0, 1.0, 1.0, 1.0, 0.0)
    >>> round(float(direct) / 2, 4), float(images)  # of a cube: 1.8823
    (1.8823, 0.0)
    """
    one, two, three, thick, q = (
        np.asarray(part, dtype=float)[..., None] for part in (a, b, spread, thickness, contrast)
    )
    stretch, weight, across = _nodes()
    s = stretch / thick
    plane = 4.0 / math.sqrt(math.pi) * weight / thick * _evenly(s * one) * _evenly(s * two)
    direct = (plane * _evenly(s * three)).sum(axis=-1)
    series = 2.0 * q ** np.arange(1, _IMAGES + 1) @ across
    return np.asarray(direct), np.asarray((plane * series).sum(axis=-1))


@lru_cache(maxsize=1)
def _nodes() -> tuple[FloatArray, FloatArray, FloatArray]:
    """s d, weights, and <exp(-s^2 (z_e - (-1)^n z_h + n d)^2)> of image n in the lowest subband [n, s]."""
    node, weight = np.polynomial.legendre.leggauss(_NODES)
    node, weight = 0.5 * (node + 1.0), 0.5 * weight
    stretch = (node / (1.0 - node)) ** 2  # as a square: wide plates need small s
    measure = weight * 2.0 * node / (1.0 - node) ** 3
    z = node - 0.5
    density = weight * 2.0 * np.cos(math.pi * z) ** 2
    both = density[:, None] * density[None, :]
    apart = z[:, None] - z[None, :]  # z_e + z_h is distributed alike
    across = np.array(
        [
            [float((both * np.exp(-((s * (apart + n)) ** 2))).sum()) for s in stretch]
            for n in range(1, _IMAGES + 1)
        ]
    )
    return stretch, measure, across


def _evenly(u: FloatArray) -> FloatArray:
    """g(u) = sqrt(pi) erf(u)/u - (1 - exp(-u^2))/u^2, the mean of exp(-u^2 (x - x')^2) on [0, 1]."""
    from scipy.special import erf

    safe = np.maximum(u, 1e-3)
    full = math.sqrt(math.pi) * erf(safe) / safe + np.expm1(-(safe**2)) / safe**2
    return np.asarray(np.where(u < 1e-2, 1.0 - u**2 / 6.0 + u**4 / 30.0, full))
