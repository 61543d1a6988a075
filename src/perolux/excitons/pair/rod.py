"""The electron-hole pair in a long bar: one dimension along the axis, averaged over the cross-section.

    H = E_t - (d^2/dz_e^2 + d^2/dz_h^2)/2 + V(z_e - z_h),   V(z) = -2 <1/sqrt(s^2 + z^2)>   (Ry, aB)

E_t is the kinetic energy of both in the lowest transverse states, s their transverse distance, averaged
over the densities J0^2(2.405 rho/R) of a cylinder or cos^2(pi x/w) cos^2(pi y/w) of a square bar. Electron
and hole do not correlate across the bar, so the energy lies above the exact one, by 0.2 to 0.3 Ry in thin
bars. Its use: the difference between a cylinder and the square bar that `shapes.pair_in` takes in its place.
"""

from __future__ import annotations

import itertools
import math
from functools import lru_cache

import numpy as np

from perolux.errors import ModelRangeError, OptionError
from perolux.excitons.pair._variation import Array, gauss_unit
from perolux.excitons.pair.state import ExcitonState

__all__ = ["BAR_OF_ROD", "bar_state", "transverse_distances"]

J0_ZERO = 2.404825557695773
"""First zero of the Bessel function J0."""
BAR_OF_ROD = math.pi / (math.sqrt(2.0) * J0_ZERO)
"""Edge of the square bar over the diameter of the cylinder of equal transverse kinetic energy: 0.924."""


@lru_cache(maxsize=4)
def transverse_distances(section: str, points: int = 200) -> tuple[Array, Array]:
    """Distances s and their weights (sum 1) in a cross-section of width 1: "square" or "circle".

    Square: density of |x_e - x_h| on each axis in closed form. Circle: density of s by a two-dimensional
    autocorrelation, int 2 pi k Jhat(k)^2 J0(k s) dk with Jhat the Hankel transform of the density.
    """
    node, weight = gauss_unit(points)
    if section == "square":
        # autocorrelation of 2 cos^2(pi x) on |x| < 1/2, for u = |x_e - x_h|
        number = 80
        u, w = gauss_unit(number)
        turn = 2.0 * math.pi * u
        line = 2.0 * ((1.0 - u) * (1.0 + 0.5 * np.cos(turn)) + 0.75 / math.pi * np.sin(turn)) * w
        s = np.hypot(u[:, None], u[None, :]).ravel()
        return s, np.outer(line, line).ravel()
    if section != "circle":
        raise OptionError(f"unknown cross-section {section!r}", allowed="square, circle")
    from scipy.special import j0, j1

    radius = 0.5
    rho = radius * node
    density = j0(J0_ZERO * node) ** 2 / (math.pi * radius**2 * j1(J0_ZERO) ** 2)
    k, k_weight = gauss_unit(400)
    k, k_weight = 160.0 * k, 160.0 * k_weight
    transform = j0(np.outer(k, rho)) @ (2.0 * math.pi * rho * density * weight * radius)
    correlation = j0(np.outer(node, k)) @ (k * transform**2 * k_weight) / (2.0 * math.pi)
    weights = 2.0 * math.pi * node * correlation * weight
    return node, weights / weights.sum()


def bar_state(
    width_over_bohr: float, length_over_bohr: float, section: str = "circle", *, number: int = 24
) -> ExcitonState:
    """Ground pair of a bar in the adiabatic approximation, by sines sin(n pi z/L) of electron and hole.

    width_over_bohr: diameter or edge; length_over_bohr: between hard walls; number: sines of each carrier.
    The error estimates say what half the sines change, not what the approximation neglects.
    Raises `ModelRangeError` where the length is below the width: the axis is then not the slow direction.

    >>> round(bar_state(0.5, 3.0).energy_over_rydberg, 1)
    86.3
    """
    width, length = float(width_over_bohr), float(length_over_bohr)
    if not (0.0 < width <= length < math.inf):
        raise ModelRangeError(
            "the pair follows the axis only in bars that are longer than wide",
            where=f"bar of width {width:g} and length {length:g} aB",
            allowed="0 < width <= length",
        )
    coarse = _axial(width, length, section, number // 2)
    energy, overlap, contact = _axial(width, length, section, number)
    # per particle J0_ZERO^2/R^2 (circle) or 2 pi^2/w^2 (square), halved for m = 2 mu and twice for two
    if section == "circle":
        transverse = (2.0 * J0_ZERO / width) ** 2
        spread = _circle_contact() / width**2
    else:
        transverse, spread = 2.0 * (math.pi / width) ** 2, 2.25 / width**2
    exchange = math.pi * contact * spread
    return ExcitonState(
        "cuboid",
        (width * width * length) ** (1.0 / 3.0),
        transverse + energy,
        overlap,
        exchange,
        abs(coarse[0] - energy),
        abs(coarse[1] / overlap - 1.0),
        abs(coarse[2] / contact - 1.0),
        functions=(number * number + 1) // 2,
        exponent=0.0,
        wall=0.0,
        order=number,
        edges_over_bohr=(width, width, length),
    )


def _axial(width: float, length: float, section: str, number: int) -> tuple[float, float, float]:
    """Energy along the axis (Ry), K, and int |Psi(z,z)|^2 dz (1/aB) with even parity of the pair."""
    # V is needed on [0, L]; its scale is the width, so intervals double from there
    node, weight = gauss_unit(16)
    edges = [0.0]
    step = 0.5 * width
    while edges[-1] < length:
        edges.append(min(length, edges[-1] + step))
        step = min(2.0 * step, length / number * 4.0)
    z = np.concatenate([a + (b - a) * node for a, b in itertools.pairwise(edges)])
    z_weight = np.concatenate([(b - a) * weight for a, b in itertools.pairwise(edges)])
    s, s_weight = transverse_distances(section)
    potential = -2.0 * (1.0 / np.sqrt((width * s[None, :]) ** 2 + z[:, None] ** 2)) @ s_weight
    # sin n sin n' = [cos(n-n') - cos(n+n')]/2; int over the square of cos(p z_e) cos(q z_h) V(z_e - z_h)
    # needs, at each distance z, the overlap integrals of the shifted cosines in closed form
    n = np.arange(1, number + 1)
    pairs = [(a, b) for a in n for b in n if (a + b) % 2 == 0]
    first, second = (np.array(column) for column in zip(*pairs, strict=True))
    top = 2 * number
    table = _cosine_table(top, z, z_weight * potential, length)

    def element(p: Array, q: Array) -> Array:
        return table[np.abs(p), np.abs(q)]

    left, right = first[:, None] - first[None, :], first[:, None] + first[None, :]
    low, high = second[:, None] - second[None, :], second[:, None] + second[None, :]
    interaction = element(left, low) - element(left, high) - element(right, low) + element(right, high)
    interaction = interaction / length**2
    kinetic = np.diag(0.5 * (math.pi / length) ** 2 * (first**2 + second**2).astype(float))
    energy, vectors = np.linalg.eigh(kinetic + interaction)
    vector = vectors[:, 0]
    overlap = float(vector[first == second].sum()) ** 2
    grid, grid_weight = gauss_unit(2 * number + 8)
    waves = math.sqrt(2.0 / length) * np.sin(math.pi * n[:, None] * grid[None, :])
    together = (vector[:, None] * waves[first - 1] * waves[second - 1]).sum(axis=0)
    return float(energy[0]), overlap, length * float(grid_weight @ together**2)


def _cosine_table(top: int, z: Array, weight: Array, length: float) -> Array:
    """int int cos(p pi z_e/L) cos(q pi z_h/L) V(z_e - z_h), p and q up to `top`, over the square."""
    k = math.pi * np.arange(top + 1) / length
    total = np.zeros((top + 1, top + 1))
    for distance, w in zip(z, weight, strict=True):
        # z_h = t from 0 to L - distance, z_e = t + distance
        span = length - distance

        def line(difference: Array, phase: Array, span: float = span) -> Array:
            # int_0^span cos(difference t + phase) dt
            half = 0.5 * difference * span
            return span * np.sinc(half / math.pi) * np.cos(half + phase)

        phase = k[:, None] * distance + 0.0 * k[None, :]
        both = 0.5 * (line(k[:, None] - k[None, :], phase) + line(k[:, None] + k[None, :], phase))
        total += w * (both + both.T)
    return total


@lru_cache(maxsize=1)
def _circle_contact() -> float:
    """int |phi|^4 over a circle of diameter 1, phi = J0(2 j rho) normalised."""
    from scipy.special import j0, j1

    node, weight = gauss_unit(60)
    density = j0(J0_ZERO * node) ** 2 / (0.25 * math.pi * j1(J0_ZERO) ** 2)
    return float(0.5 * math.pi * (node * weight) @ density**2)
