"""The nodeless trial function of a few carriers behind hard walls: wall functions times pair factors.

Psi_T = prod_i chi(r_i) prod_pairs exp u(r_ij), in exciton units (aB, Ry), with D = mu/m of each carrier:
H = -sum D_i laplace_i + sum 2 q_i q_j/r_ij.

chi = cos(z) exp(a z^2 + b z^4) on each axis of a cube, z = pi x/L; sin(z)/z exp(a z^2 + b z^4) in a sphere,
z = pi r/R; 1 in open space. u = s r + (c - s) r q, q = 1/(1 + g r), with the cusp c = q_i q_j/(D_i + D_j), so
that the local energy stays finite where two carriers meet.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from perolux.excitons.pair._variation import Array

__all__ = ["Carriers", "Local", "Trial", "evaluate"]


@dataclass(frozen=True)
class Carriers:
    """Electrons, then holes, in a shape ("cube", "sphere" or "open") of a size in aB (edge, radius)."""

    shape: str
    size: float
    electrons: int
    holes: int
    mass_ratio: float

    @property
    def number(self) -> int:
        """How many carriers there are."""
        return self.electrons + self.holes

    @cached_property
    def mobility(self) -> Array:
        """D = mu/m of each carrier."""
        electron, hole = 1.0 / (1.0 + self.mass_ratio), self.mass_ratio / (1.0 + self.mass_ratio)
        return np.array([electron] * self.electrons + [hole] * self.holes)

    @cached_property
    def pairs(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """First and second carrier of every pair."""
        return np.triu_indices(self.number, 1)

    @cached_property
    def pair_kind(self) -> NDArray[np.int64]:
        """0 electron-hole, 1 two electrons, 2 two holes, for every pair."""
        first, second = self.pairs
        kind = np.where(first < self.electrons, np.where(second < self.electrons, 1, 0), 2)
        return np.asarray(kind, dtype=np.int64)

    @cached_property
    def incidence(self) -> Array:
        """[carrier, pair]: +1 for the first of a pair, -1 for the second."""
        first, second = self.pairs
        table = np.zeros((self.number, first.size))
        table[first, np.arange(first.size)] = 1.0
        table[second, np.arange(first.size)] = -1.0
        return table

    @cached_property
    def cusp(self) -> Array:
        """c of every pair: the slope of ln Psi where the two meet."""
        first, second = self.pairs
        charge = np.where(self.pair_kind == 0, -1.0, 1.0)
        return np.asarray(charge / (self.mobility[first] + self.mobility[second]))

    @cached_property
    def pair_mobility(self) -> Array:
        """D_i + D_j of every pair."""
        first, second = self.pairs
        return np.asarray(self.mobility[first] + self.mobility[second])


@dataclass(frozen=True)
class Trial:
    """Parameters: wall (a, b) of electron and hole, then (s, g) for each kind of pair."""

    wall: Array
    pair: Array


@dataclass
class Local:
    """ln Psi_T, its gradient [carrier, axis, walker], the local energy, and who is inside the walls."""

    log_psi: Array
    gradient: Array
    energy: Array
    inside: NDArray[np.bool_]


def evaluate(carriers: Carriers, trial: Trial, position: Array) -> Local:
    """ln Psi_T, gradient and local energy at positions [carrier, axis, walker]."""
    first, second = carriers.pairs
    number, _, walkers = position.shape
    slope, stiffness = trial.pair[carriers.pair_kind].T[:, :, None]
    rest = carriers.cusp[:, None] - slope
    difference = position[first] - position[second]
    distance = np.sqrt(np.einsum("pcn,pcn->pn", difference, difference))
    q = 1.0 / (1.0 + stiffness * distance)
    square = q * q
    log_psi = (distance * (slope + rest * q)).sum(axis=0)
    # Coulomb energy and kinetic energy of the pair factors together: finite where the two meet
    energy = (2.0 * carriers.pair_mobility[:, None] * stiffness * rest * (q + square + q * square)).sum(
        axis=0
    )
    difference *= ((slope + rest * square) / distance)[:, None, :]
    gradient = (carriers.incidence @ difference.reshape(first.size, -1)).reshape(number, 3, walkers)
    mobility = carriers.mobility[:, None, None]
    if carriers.shape == "open":
        energy -= (mobility * gradient**2).sum(axis=(0, 1))
        return Local(log_psi, gradient, energy, np.ones(walkers, dtype=bool))
    wall = trial.wall[np.where(np.arange(number) < carriers.electrons, 0, 1)]
    turn = _cube_wall if carriers.shape == "cube" else _sphere_wall
    log_wall, wall_gradient, bend, inside = turn(position, math.pi / carriers.size, wall)
    energy -= (mobility * (gradient * (gradient + 2.0 * wall_gradient))).sum(axis=(0, 1))
    energy -= carriers.mobility @ bend
    gradient += wall_gradient
    return Local(log_psi + log_wall, gradient, energy, inside)


def _cube_wall(position: Array, k: float, wall: Array) -> tuple[Array, Array, Array, NDArray[np.bool_]]:
    """ln chi summed, its gradient, laplace chi/chi of each carrier, and who is inside."""
    a, b = wall[:, 0, None, None], wall[:, 1, None, None]
    z = k * position
    inside = np.abs(z).max(axis=(0, 1)) < 0.5 * math.pi
    z2 = z * z
    half = np.tan(0.5 * z)  # NumPy's tan is several times as fast as its sin and cos
    half2 = half * half
    cosine = (1.0 - half2) / (1.0 + half2)
    product = np.abs(cosine).prod(axis=(0, 1))
    log_chi = np.log(np.maximum(product, 1e-300)) + (z2 * (a + b * z2)).sum(axis=(0, 1))
    tangent = 2.0 * half / (1.0 - half2)
    extra = z * (2.0 * a + 4.0 * b * z2)
    bend = (extra * (extra - 2.0 * tangent) + (2.0 * a - 1.0) + 12.0 * b * z2).sum(axis=1)
    return log_chi, k * (extra - tangent), k * k * bend, inside


def _sphere_wall(position: Array, k: float, wall: Array) -> tuple[Array, Array, Array, NDArray[np.bool_]]:
    """The same for a ball."""
    a, b = wall[:, 0, None], wall[:, 1, None]
    radius = np.sqrt(np.einsum("pcn,pcn->pn", position, position))
    z = k * radius
    inside = z.max(axis=0) < math.pi
    z2 = z * z
    half = np.tan(0.5 * z)
    half2 = half * half
    sine = 2.0 * half / (1.0 + half2)
    product = np.abs(sine / z).prod(axis=0)
    log_chi = np.log(np.maximum(product, 1e-300)) + (z2 * (a + b * z2)).sum(axis=0)
    slope = (1.0 - half2) / (2.0 * half) - 1.0 / z
    extra = z * (2.0 * a + 4.0 * b * z2)
    bend = extra * (extra + 2.0 * slope) + (6.0 * a - 1.0) + 20.0 * b * z2
    gradient = position * (k * (extra + slope) / radius)[:, None, :]
    return log_chi, gradient, k * k * bend, inside
