"""Weak confinement: the bound pair moves as one particle in a box smaller by a dead layer at each wall."""

from __future__ import annotations

import csv
import itertools
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from perolux.errors import ModelRangeError, OptionError
from perolux.excitons.pair._variation import Array, Index
from perolux.excitons.pair.limits import kinetic_constant, overlap_layer
from perolux.excitons.pair.tables import interpolate

_LAYERS = ("energy_layer", "overlap_layer")

__all__ = ["LADDER_START", "Ladder", "centre_of_mass_ladder", "cuboid_ladder", "dead_layers"]

LADDER_START = {"sphere": 3.0, "cube": 5.0}
"""Sizes over aB from which the ladder is a model of the levels; below, the pair is not one particle."""


@dataclass(frozen=True)
class Ladder:
    """Levels of the centre of mass, in rising order.

    names: quantum numbers of each level, "111" for a cuboid, "1s" or "1p" for a sphere. degeneracy: states of
    each level [level]. energy_over_rydberg: E/Ry from the gap [level, ...sizes], of the 1s pair.
    overlap_k: K [level, ...sizes] of all states of the level together; 0 where a quantum number is even (or
    l > 0): those levels hold population but do not absorb.
    """

    names: tuple[str, ...]
    degeneracy: Index
    energy_over_rydberg: Array
    overlap_k: Array


def dead_layers(shape: str, size_over_bohr: ArrayLike) -> tuple[Array, Array]:
    """Dead layers d (aB) of energy and overlap at each size, as the ground state's table has them.

    E = -1 + kinetic/(4 (size - d)^2), K = constant (size - d)^3. Sphere: one wall; cube: both of an axis.

    >>> [round(float(d), 2) for d in dead_layers("cube", 12.0)]
    [1.39, 0.99]
    """
    curve = interpolate(shape, size_over_bohr)
    size, energy, overlap = (
        np.atleast_1d(v) for v in (curve.size_over_bohr, curve.energy_over_rydberg, curve.overlap_k)
    )
    layer = size - np.sqrt(kinetic_constant(shape) / (4.0 * (energy + 1.0)))
    k_layer = np.array(
        [overlap_layer(shape, x, k) for x, k in zip(size.ravel(), overlap.ravel(), strict=True)]
    )
    form = np.shape(curve.size_over_bohr)
    return layer.reshape(form), k_layer.reshape(form)


def centre_of_mass_ladder(
    shape: str, size_over_bohr: ArrayLike, count: int = 10, *, mass_ratio: float = 1.0
) -> Ladder:
    """The lowest `count` levels of the centre of mass in a cube or sphere.

    cube    E = -1 + (mu/M) pi^2 (n1^2 + n2^2 + n3^2)/(y - d)^2,  K = K_111 g/(n1 n2 n3)^2 for odd n
    sphere  E = -1 + (mu/M) z_nl^2/(x - d)^2,                     K = K_1s/n^2 for l = 0

    g: degeneracy; z_nl: zeros of the spherical Bessel functions; d and the K of the lowest level are those of
    the packaged table, so that the lowest level is the table's for equal masses. mass_ratio: m_e/m_h, gives
    mu/M = r/(1+r)^2 and thicker dead layers (2.2 times at a ratio of 0.15), from 0.1 to 10.
    Raises `ModelRangeError` below `LADDER_START` or for another ratio, and `OptionError` for an unknown
    shape or a bad count.
    Source: centre-of-mass quantisation with a dead layer, standard form.

    >>> ladder = centre_of_mass_ladder("cube", 8.0, 3)
    >>> ladder.names, ladder.degeneracy.tolist(), ladder.energy_over_rydberg.round(3).tolist()
    (('111', '112', '122'), [1, 3, 3], [-0.832, -0.664, -0.496])
    """
    curve = interpolate(shape, size_over_bohr)
    size = curve.size_over_bohr
    if bool(np.any(size < LADDER_START[shape])):
        raise ModelRangeError(
            f"size {float(np.min(size)):g} aB is too small for one particle in a box",
            where=f"centre-of-mass ladder of a {shape}",
            allowed=f"from {LADDER_START[shape]:g} Bohr radii",
            fix="use transitions(), which holds at all sizes",
        )
    names, degeneracy, kinetic, bright = _levels(shape, count)
    layer, k_layer = dead_layers(shape, size)
    grow, k_grow = _growth(shape, mass_ratio)
    column = (slice(None), *(None,) * size.ndim)
    energy = _inertia(mass_ratio) * kinetic[column] / (size - grow * layer) ** 2 - 1.0
    overlap = curve.overlap_k * ((size - k_grow * k_layer) / (size - k_layer)) ** 3
    return Ladder(names, degeneracy, energy, bright[column] * overlap)


def cuboid_ladder(
    edges_over_bohr: tuple[float, float, float], count: int = 10, *, mass_ratio: float = 1.0
) -> Ladder:
    """The lowest `count` levels of the centre of mass in a cuboid: as the cube, with its own d for each edge.

    K = prod_i (8/(pi^2 n_i^2)) (L_i - d_i)/pi^(1/3) for odd n; levels that are equal by symmetry are joined.

    >>> cuboid_ladder((6.0, 8.0, 12.0), 3).names
    ('111', '112', '121')
    """
    edges = np.array([float(edge) for edge in edges_over_bohr])
    if bool(np.any(edges < LADDER_START["cube"])):
        raise ModelRangeError(
            f"edge {edges.min():g} aB is too small for one particle in a box",
            where="centre-of-mass ladder of a cuboid",
            allowed=f"from {LADDER_START['cube']:g} Bohr radii",
            fix="use solve_cuboid",
        )
    _check_count(count)
    grow, k_grow = _growth("cube", mass_ratio)
    layer, k_layer = (
        each * part for each, part in zip(dead_layers("cube", edges), (grow, k_grow), strict=True)
    )
    top = int(np.ceil(edges.max() / edges.min() * count ** (1.0 / 3.0))) + 2
    levels: dict[tuple[int, ...], list[float]] = {}
    for numbers in itertools.product(range(1, top + 1), repeat=3):
        # axes of one length share a level: sort the numbers within each group of equal edges
        key = tuple(
            sorted(n for n, e in zip(numbers, edges, strict=True) if e == edge)[
                sum(1 for e in edges[:axis] if e == edge)
            ]
            for axis, edge in enumerate(edges)
        )
        levels.setdefault(key, []).append(1.0)
    rows = []
    for key, states in levels.items():
        n = np.array(key)
        energy = _inertia(mass_ratio) * np.pi**2 * float(((n / (edges - layer)) ** 2).sum()) - 1.0
        one = float(np.prod(8.0 / (np.pi * n) ** 2 * (edges - k_layer))) / np.pi if (n % 2).all() else 0.0
        rows.append((energy, "".join(str(v) for v in key), len(states), len(states) * one))
    rows.sort()
    energies, names, degeneracy, overlap = zip(*rows[:count], strict=True)
    return Ladder(tuple(names), np.array(degeneracy), np.array(energies), np.array(overlap))


def _inertia(mass_ratio: float) -> float:
    """mu/M."""
    if not (np.isfinite(mass_ratio) and mass_ratio > 0):
        raise OptionError(f"mass ratio {mass_ratio}", allowed="m_e/m_h > 0")
    return mass_ratio / (1.0 + mass_ratio) ** 2


@lru_cache(maxsize=512)
def _growth(shape: str, mass_ratio: float) -> tuple[float, float]:
    """Dead layers of energy and overlap over those of equal masses, even in ln(mass ratio)."""
    _inertia(mass_ratio)
    rows = [row for row in _layer_rows() if row["shape"] == shape]
    knots = np.log([float(row["mass_ratio"]) for row in rows])
    at = -abs(np.log(mass_ratio))
    if at < knots[0] - 1e-12:
        raise ModelRangeError(
            f"mass ratio {mass_ratio:g}",
            where=f"centre-of-mass ladder of a {shape}",
            allowed=f"m_e/m_h from {np.exp(knots[0]):g} to {np.exp(-knots[0]):g}",
            fix="use solve_sphere or solve_cube",
        )
    found = [float(np.interp(at, knots, [float(row[name]) for row in rows])) for name in _LAYERS]
    return found[0], found[1]


@lru_cache(maxsize=1)
def _layer_rows() -> list[dict[str, str]]:
    lines = (Path(__file__).parents[1] / "data" / "dead_layer.csv").read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


def _check_count(count: int) -> None:
    if not 1 <= count <= 80:
        raise OptionError(f"{count} levels", where="centre-of-mass ladder", allowed="1 to 80")


@lru_cache(maxsize=16)
def _levels(shape: str, count: int) -> tuple[tuple[str, ...], Index, Array, Array]:
    """Names, degeneracies, E size^2 (hbar^2/2M units) and K over that of the lowest level."""
    _check_count(count)
    rows: list[tuple[float, str, int, float]] = []
    if shape == "cube":
        for three in itertools.combinations_with_replacement(range(1, 13), 3):
            states = len(set(itertools.permutations(three)))
            bright = states / float(np.prod(three)) ** 2 if all(k % 2 for k in three) else 0.0
            rows.append((np.pi**2 * sum(k * k for k in three), "".join(map(str, three)), states, bright))
    else:
        letters = "spdfghiklmnoqrtuvwxyz"
        for ell, letter in enumerate(letters):
            # as many as the next l needs, so that every zero is sought once
            for n, zero in enumerate(bessel_zeros(ell, 10 + len(letters) - ell)[:10], start=1):
                rows.append((zero**2, f"{n}{letter}", 2 * ell + 1, 1.0 / n**2 if ell == 0 else 0.0))
    rows.sort()
    kinetic, names, degeneracy, bright_k = zip(*rows[:count], strict=True)
    return tuple(names), np.array(degeneracy), np.array(kinetic), np.array(bright_k)


@lru_cache(maxsize=64)
def bessel_zeros(ell: int, count: int) -> tuple[float, ...]:
    """The first zeros of the spherical Bessel function j_l: each lies between two zeros of j_(l-1)."""
    from scipy.optimize import brentq
    from scipy.special import spherical_jn

    if ell == 0:
        return tuple(np.pi * n for n in range(1, count + 1))
    before = bessel_zeros(ell - 1, count + 1)
    return tuple(
        brentq(lambda z: spherical_jn(ell, z), a, b, xtol=1e-13) for a, b in itertools.pairwise(before)
    )
