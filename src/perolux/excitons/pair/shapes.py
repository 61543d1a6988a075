"""The ground pair in any shape: E/Ry, K and X of cuboids, platelets, rods, spheroids, spheres, for arrays.

    cuboid    E = sum_i E_cube(L_i)/3 + rest, ln K and ln X likewise; the rest from a table of solved cuboids
    platelet  as a cuboid up to edges 9:1; beyond, the infinite plate with its centre of mass in the plane
    rod       the square bar of equal transverse kinetic energy and equal length (edge 0.924 diameters)
    spheroid  exact kinetic energy; Coulomb part, K and X of the cuboid of equal aspect ratio and kinetic
              energy, times the ratio of sphere to cube at that kinetic energy

The sums over cubes are exact for a cube, for the kinetic energy, and for a large cuboid, whose centre of mass
moves along each edge by itself; the rest is small and smooth. The table (`data/cuboid.csv`) is made by
`tools/make_cuboid_table.py`.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perolux.errors import ModelRangeError, OptionError
from perolux.excitons.pair._lobatto import lobatto_points, lobatto_weights
from perolux.excitons.pair._variation import Array, gauss_unit
from perolux.excitons.pair.rod import BAR_OF_ROD
from perolux.excitons.pair.tables import interpolate

__all__ = ["PairCurve", "pair_in", "spheroid_kinetic"]

_DATA = Path(__file__).parents[1] / "data"
_SPHEROID_ASPECT, _SPHEROID_VALID = 6.0, 3.0
_ROD_ERRORS = (0.006, 0.006, 0.02)
"""Square bar for cylinder, relative: of the Coulomb part of E, of K and of X; measured with `rod.bar_state`
for diameters from 0.4 to 3 aB (see the tests). X follows the contact density of the section, 1.7 % more."""
_SPHEROID_ERRORS = (0.01, 0.05, 0.05)
"""The same for the mapping of spheroids per unit of |ln(aspect)|: about what sphere and cube differ."""


@dataclass(frozen=True)
class PairCurve:
    """Ground pair of many nanocrystals, arrays of one shape; energies from the gap in Ry.

    valid: within the range where the error estimates are measured; regime: "table", or how it is continued.
    """

    shape: str
    energy_over_rydberg: Array
    overlap_k: Array
    exchange_x: Array
    estimated_error_rydberg: Array
    estimated_error_k_relative: Array
    estimated_error_x_relative: Array
    valid: NDArray[np.bool_]
    regime: NDArray[np.str_]


def pair_in(shape: str, lengths_over_bohr: Sequence[ArrayLike]) -> PairCurve:
    """E/Ry, K and X of the ground exciton in any shape with hard walls, equal masses, no dielectric mismatch.

    shape, lengths_over_bohr: as in `perolux.ensemble.shapes`, the three lengths a, b, c over aB (a sphere by
    its diameter), arrays that broadcast. Equations: see the module.
    Raises `OptionError` for an unknown shape or lengths that are not positive and finite,
    `ModelRangeError` for aspect ratios beyond the tables (cuboid 9, rod length from 1.0 to 8 diameters,
    spheroid 1/6 to 6). Source: `solve_cuboid` through `tools/make_cuboid_table.py`.

    >>> pair = pair_in("cuboid", (2.0, 3.0, [3.0, 6.0]))
    >>> pair.energy_over_rydberg.round(2).tolist()
    [1.97, 1.5]
    """
    try:
        a, b, c = np.broadcast_arrays(*(np.asarray(v, dtype=np.float64) for v in lengths_over_bohr))
    except ValueError:
        raise OptionError("a shape needs three lengths a, b, c that broadcast", where=shape) from None
    if not bool(np.all(np.isfinite(a + b + c) & (np.minimum(np.minimum(a, b), c) > 0.0))):
        raise OptionError(f"lengths of a {shape} must be positive", allowed="finite numbers above 0")
    if shape == "sphere":
        curve = interpolate("sphere", 0.5 * a)
        errors = (
            curve.estimated_error_rydberg,
            curve.estimated_error_k_relative,
            curve.estimated_error_x_relative,
        )
        means = (curve.energy_over_rydberg, curve.overlap_k, curve.exchange_x)
        return PairCurve(shape, *means, *errors, np.ones(a.shape, dtype=bool), curve.regime)
    if shape in ("cube", "cuboid"):
        return _cuboid(shape, (a, b, c))
    if shape == "platelet":
        return _platelet(a, b, c)
    if shape == "rod":
        return _rod(a, c)
    if shape == "spheroid":
        return _spheroid(a, c)
    raise OptionError(f"unknown shape {shape!r}", allowed="cube, cuboid, platelet, sphere, spheroid, rod")


@lru_cache(maxsize=1)
def _table():  # type: ignore[no-untyped-def]
    """Spline in ln(size) of [stretch, split, quantity]: size times energy rest, ln K, ln X, errors."""
    from scipy.interpolate import CubicSpline

    lines = (_DATA / "cuboid.csv").read_text(encoding="utf-8").splitlines()
    rows = np.array(
        list(csv.reader(line for line in lines if not line.startswith("#")))[1:], dtype=np.float64
    )
    size, stretch, split = (np.unique(rows[:, k]) for k in range(3))
    values = rows[:, 3:].reshape(size.size, stretch.size, split.size, 6).copy()
    values[..., 0] *= size[:, None, None]
    return (float(size[0]), float(size[-1])), stretch, split, CubicSpline(np.log(size), values)


def _cuboid(shape: str, lengths: tuple[Array, Array, Array]) -> PairCurve:
    edges = np.sort(np.stack(lengths), axis=0)
    size = np.cbrt(edges[0] * edges[1] * edges[2])
    stretch = np.log(edges[2] / edges[0])
    longer = np.where(stretch > 0.0, stretch, 1.0)
    split = np.where(stretch > 0.0, np.log(edges[1] / edges[0]) / longer, 0.0)
    (low, high), stretches, splits, spline = _table()
    if not bool(np.all(stretch <= stretches[-1] + 1e-9)):
        worst = int(np.argmax(stretch))
        thin = bool(split.flat[worst] > 0.5)  # the middle edge is nearer to the longest: a plate
        raise ModelRangeError(
            f"a {'thin' if thin else 'long'} {shape} whose edges differ by a factor "
            f"{math.exp(float(stretch.flat[worst])):.3g}",
            where=shape,
            allowed="a factor of 9 between the longest and the shortest",
            fix="ask for a platelet: its monolayers (--monolayers N) and lateral edges (--edge A,B)"
            if thin
            else "ask for a shorter one; the bare pair of any bar: perolux.excitons.pair.rod.bar_state",
        )
    inside = np.clip(size, low, high)
    across, along = lobatto_weights(stretches, stretch), lobatto_weights(splits, split)
    rest = np.empty((6, *size.shape))
    flat = rest.reshape(6, -1)
    shape_of = (-1, stretches.size)
    logs = np.log(inside).ravel()
    across, along = across.reshape(shape_of), along.reshape(-1, splits.size)
    for start in range(0, logs.size, 100_000):  # the spline has 180 columns: keep memory small
        part = slice(start, start + 100_000)
        flat[:, part] = np.einsum(
            "nijk,ni,nj->kn", spline(logs[part]), across[part], along[part], optimize=True
        )
    cubes = interpolate("cube", edges)
    # below the table the first order of the attraction goes on as 1/size; above, energy and X lose what is
    # left as 1/size^3, between plates that are still thin and the 1/size^5 of dead layers, and K as 1/size
    far = np.where(size > high, (high / size) ** 2, 1.0)
    energy = cubes.energy_over_rydberg.mean(axis=0) + rest[0] / size * far
    fade = np.where(size < low, size / low, np.where(size > high, high / size, 1.0))
    log_k = np.log(cubes.overlap_k).mean(axis=0) + rest[1] * fade
    log_x = np.log(cubes.exchange_x).mean(axis=0) + rest[2] * fade * far
    beyond = (size < low) | (size > high)
    interpolation = (2e-4, 1e-3, 1e-3)
    errors = [np.maximum(rest[3 + k], interpolation[k]) for k in range(3)]
    # first order alone below the table: the second is of the order 0.3 Ry times the anisotropy
    errors[0] = errors[0] + np.where(size < low, 0.05 * stretch, 0.0)
    errors[0] = errors[0] + np.where(size > high, np.abs(rest[0]) / size, 0.0)
    errors[1], errors[2] = (errors[k] + np.where(beyond, np.abs(rest[k]) * fade, 0.0) for k in (1, 2))
    regime = np.where(size < low, "strong", np.where(size > high, "weak", "table"))
    means = (energy, np.exp(log_k), np.exp(log_x))
    return PairCurve(shape, *means, errors[0], errors[1], errors[2], np.ones(size.shape, dtype=bool), regime)


def _platelet(a: Array, b: Array, c: Array) -> PairCurve:
    from perolux.excitons.pair.platelets import interpolate_plate

    edges = np.sort(np.stack([a, b, c]), axis=0)
    thin = edges[2] / edges[0] > 9.0
    out = np.empty((6, *a.shape))
    valid = np.ones(a.shape, dtype=bool)
    if (~thin).any():
        box = _cuboid("platelet", (a[~thin], b[~thin], c[~thin]))
        out[:, ~thin] = np.stack(_six(box))
    if thin.any():
        d, one, two = edges[:, thin]
        plate = interpolate_plate(d, 0.0)
        layer = 2.0 * (0.70 / math.sqrt(2.0)) * plate.radius_over_bohr
        if not bool(np.all(one > 2.0 * plate.radius_over_bohr)):
            raise ModelRangeError(
                "a thin strip: neither a plate nor within the table of cuboids",
                where="platelet",
                allowed="edges within a factor 9, or lateral edges above twice the electron-hole distance",
                fix="ask for wider lateral edges (--edge A,B), or for a cuboid within a factor 9",
            )
        # M = 4 mu for equal masses: hbar^2 pi^2/(2 M L^2) is pi^2/(4 L^2) in Ry and aB
        lateral = 0.25 * math.pi**2 * (1.0 / (one - layer) ** 2 + 1.0 / (two - layer) ** 2)
        energy = (math.pi / d) ** 2 + plate.free_rest_rydberg - plate.binding_rydberg + lateral
        area = (8.0 / math.pi**2) ** 2 * (one - layer) * (two - layer)
        # the dead layer is known to about a tenth of the electron-hole distance
        unsure = 0.1 * plate.radius_over_bohr
        edge_error = 2.0 * unsure * (1.0 / (one - layer) + 1.0 / (two - layer))
        e_error = plate.estimated_error_rydberg + 2e-4 + lateral * edge_error
        ones = np.ones_like(d)
        out[:, thin] = [
            energy,
            plate.contact * area,
            plate.exchange_x,
            e_error,
            0.02 + edge_error,
            0.05 * ones,
        ]
        valid[thin] = one >= 4.0 * plate.radius_over_bohr
    energy, k, x, e_error, k_error, x_error = out
    regime = np.where(thin, "plate", "table")
    return PairCurve("platelet", energy, k, x, e_error, k_error, x_error, valid, regime)


def _six(curve: PairCurve) -> tuple[Array, ...]:
    return (
        curve.energy_over_rydberg,
        curve.overlap_k,
        curve.exchange_x,
        curve.estimated_error_rydberg,
        curve.estimated_error_k_relative,
        curve.estimated_error_x_relative,
    )


def _rod(diameter: Array, length: Array) -> PairCurve:
    if not bool(np.all((length >= diameter * (1.0 - 1e-12)) & (length <= 8.0 * diameter * (1.0 + 1e-12)))):
        ratio = length / diameter
        long = bool(np.any(ratio > 8.0))
        raise ModelRangeError(
            f"a rod of {float(ratio.max() if long else ratio.min()):.3g} diameters, with what leaks into the "
            "walls, is not tabulated",
            where="rod",
            allowed="length from 1 to 8 diameters",
            fix="ask for a shorter one; the bare pair of any bar: perolux.excitons.pair.rod.bar_state"
            if long
            else "shorter than thick: ask for a spheroid",
        )
    edge = BAR_OF_ROD * diameter
    bar = _cuboid("rod", (edge, edge, length))
    kinetic = math.pi**2 * (2.0 / edge**2 + 1.0 / length**2)
    error = bar.estimated_error_rydberg + _ROD_ERRORS[0] * (kinetic - bar.energy_over_rydberg)
    return PairCurve(
        "rod",
        bar.energy_over_rydberg,
        bar.overlap_k,
        bar.exchange_x,
        error,
        bar.estimated_error_k_relative + _ROD_ERRORS[1],
        bar.estimated_error_x_relative + _ROD_ERRORS[2],
        length >= 1.5 * diameter,
        bar.regime,
    )


def _spheroid(equator: Array, polar: Array) -> PairCurve:
    aspect = polar / equator
    if not bool(np.all(np.abs(np.log(aspect)) <= math.log(_SPHEROID_ASPECT) + 1e-9)):
        raise ModelRangeError(
            "spheroids of these proportions are not covered",
            where="spheroid",
            allowed=f"polar over equatorial diameter from 1/{_SPHEROID_ASPECT:g} to {_SPHEROID_ASPECT:g}",
            fix="longer ones: a rod; flatter ones: a platelet",
        )
    kinetic = spheroid_kinetic(aspect) / (0.25 * equator * equator)
    # cuboid of the same aspect ratio and kinetic energy
    edge = math.pi * np.sqrt((2.0 + 1.0 / aspect**2) / kinetic)
    box = _cuboid("spheroid", (edge, edge, edge * aspect))
    ball = interpolate("sphere", math.pi / np.sqrt(kinetic))
    cube = interpolate("cube", math.pi * np.sqrt(3.0 / kinetic))
    coulomb = (kinetic - box.energy_over_rydberg) * (kinetic - ball.energy_over_rydberg)
    coulomb = coulomb / (kinetic - cube.energy_over_rydberg)
    far = np.abs(np.log(aspect))
    e_error = box.estimated_error_rydberg + _SPHEROID_ERRORS[0] * far * coulomb
    return PairCurve(
        "spheroid",
        kinetic - coulomb,
        box.overlap_k * ball.overlap_k / cube.overlap_k,
        box.exchange_x * ball.exchange_x / cube.exchange_x,
        e_error,
        box.estimated_error_k_relative + _SPHEROID_ERRORS[1] * far,
        box.estimated_error_x_relative + _SPHEROID_ERRORS[2] * far,
        far <= math.log(_SPHEROID_VALID) + 1e-9,
        box.regime,
    )


def spheroid_kinetic(aspect: ArrayLike) -> Array:
    """k^2 A^2 of the lowest free state in a hard spheroid, A its equatorial radius; pi^2 for a sphere.

    -lap psi = k^2 psi, psi = 0 on the surface, by a Ritz basis (1 - s^2) s^2i z^2j in the coordinates in
    which the spheroid is a ball, at Chebyshev points of ln(aspect); accurate to 1e-5 for aspects up to 6.

    >>> float(spheroid_kinetic(1.0).round(4))
    9.8696
    """
    points, values = _kinetic_table()
    return np.asarray(np.exp(lobatto_weights(points, np.log(np.asarray(aspect, dtype=float))) @ values))


@lru_cache(maxsize=1)
def _kinetic_table() -> tuple[Array, Array]:
    points = lobatto_points(-math.log(_SPHEROID_ASPECT), math.log(_SPHEROID_ASPECT), 17)
    return points, np.log([_spheroid_ritz(math.exp(point)) for point in points])


def _spheroid_ritz(aspect: float, top: int = 9) -> float:
    from scipy.linalg import eigh

    node, weight = gauss_unit(28)
    s, cosine = np.repeat(node, node.size), np.tile(node, node.size)
    measure = np.outer(weight, weight).ravel() * s**2
    z, rho = s * cosine, s * np.sqrt(1.0 - cosine**2)
    powers = [(i, j) for i in range(top) for j in range(top - i)]
    wall = 1.0 - s**2
    functions, by_rho, by_z = [], [], []
    for i, j in powers:
        f = s ** (2 * i) * z ** (2 * j)
        # d(s^2i)/drho = 2 i s^(2i-2) rho; z likewise, with the derivative of z^2j
        inner = 2 * i * s ** (2 * i - 2) if i else np.zeros_like(s)
        functions.append(wall * f)
        by_rho.append(wall * inner * rho * z ** (2 * j) - 2.0 * rho * f)
        own = s ** (2 * i) * (2 * j * z ** (2 * j - 1) if j else 0.0)
        by_z.append(wall * (inner * z * z ** (2 * j) + own) - 2.0 * z * f)
    norm = 1.0 / np.sqrt((np.array(functions) ** 2) @ measure)
    g, gr, gz = (np.array(rows) * norm[:, None] for rows in (functions, by_rho, by_z))
    overlap = (g * measure) @ g.T
    kinetic = (gr * measure) @ gr.T + (gz * measure) @ gz.T / aspect**2
    values, vectors = eigh(overlap)
    keep = values > 1e-12 * values[-1]
    basis: Array = vectors[:, keep] / np.sqrt(values[keep])
    return float(eigh(basis.T @ kinetic @ basis, eigvals_only=True)[0])
