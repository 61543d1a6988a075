"""Energy, overlap and exchange of the confined exciton against size, from tables that the solvers made.

The packaged tables (`data/sphere.csv`, `data/cube.csv`, made by `tools/make_exciton_tables.py`) hold E/Ry,
K and X for equal masses. Between the knots a cubic spline in ln(size) interpolates what is left when the
limit of strong confinement is taken away: E - kinetic/size^2 + 2 J/size, ln K, ln(X size^3). Below and above
the table the asymptotic laws continue it.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perolux.errors import ModelRangeError
from perolux.excitons.pair._variation import Array
from perolux.excitons.pair.limits import (
    contact_constant,
    coulomb_constant,
    dead_layer,
    kinetic_constant,
    overlap_constant,
    overlap_layer,
    require_shape,
)

__all__ = ["SIZE_RANGE", "ExcitonCurve", "Table", "interpolate", "table"]

SIZE_RANGE = (1e-6, 1e6)
"""Sizes over aB that `interpolate` accepts; most of it is asymptotic law, see `ExcitonCurve.regime`."""

_DATA = Path(__file__).parents[1] / "data"


@dataclass(frozen=True)
class ExcitonCurve:
    """The exciton ground state at many sizes; all arrays have the shape of `size_over_bohr`.

    energy_over_rydberg: E/Ry from the gap; overlap_k: K; exchange_x: X; the estimated errors as in
    `ExcitonState`. table_range: the sizes between which the numbers come from the table.
    """

    shape: str
    size_over_bohr: Array
    energy_over_rydberg: Array
    overlap_k: Array
    exchange_x: Array
    estimated_error_rydberg: Array
    estimated_error_k_relative: Array
    estimated_error_x_relative: Array
    table_range: tuple[float, float]

    @property
    def regime(self) -> NDArray[np.str_]:
        """Where each number comes from: "table", or the law of "strong" or "weak" confinement."""
        low, high = self.table_range
        below, above = self.size_over_bohr < low, self.size_over_bohr > high
        return np.where(below, "strong", np.where(above, "weak", "table"))


@dataclass(frozen=True)
class Table:
    """A table as it was made: knots with the solver's numbers and errors, and the lines that say how."""

    shape: str
    header: tuple[str, ...]
    size: Array
    energy: Array
    overlap_k: Array
    exchange_x: Array
    errors: Array


@dataclass(frozen=True)
class _Spline:
    """Values and slopes in ln(size) of the three reduced quantities: arrays [quantity, knot]."""

    table: Table
    log_size: Array
    values: Array
    slopes: Array


def interpolate(shape: str, size_over_bohr: ArrayLike) -> ExcitonCurve:
    """E/Ry, K and X of the ground exciton at any number of sizes, for equal masses and hard walls.

    Inside the table: a cubic spline, which adds less than 2e-6 Ry and 5e-5 of K and X to the solver's error.
    Below: E = kinetic/x^2 - 2 J/x + c + c' x, ln K = k x + k' x^2, ln(X x^3) = ln X0 + h x + h' x^2.
    Above: E = -1 + kinetic/(4 (x - d)^2), K = K0 (x - d)^3 with slowly varying d, X = 1 + A/x^3 + B/x^4.
    The laws join the table continuously.

    shape: "sphere" (size is R/aB) or "cube" (L/aB). size_over_bohr: any array of sizes within `SIZE_RANGE`.
    Raises `ModelRangeError` for a size that is not positive, not finite or outside, `OptionError` for an
    unknown shape.
    Source: the packaged tables and `perolux.excitons.pair.limits`.

    >>> curve = interpolate("sphere", [1.0, 2.0])
    >>> curve.energy_over_rydberg.round(3).tolist(), curve.overlap_k.round(2).tolist()
    ([5.974, 0.305], [2.76, 7.43])
    """
    require_shape(shape)
    size = np.asarray(size_over_bohr, dtype=np.float64)
    low, high = SIZE_RANGE
    if not bool(np.all((size >= low) & (size <= high))):
        bad = size[~((size >= low) & (size <= high))]
        raise ModelRangeError(
            f"{bad.size} of {size.size} sizes cannot be used, the first is {bad.flat[0]:g}",
            where=f"exciton in a {shape}",
            allowed=f"size over Bohr radius from {low:g} to {high:g}",
        )
    spline = _spline(shape)
    flat = np.atleast_1d(size)
    first, last = float(spline.table.size[0]), float(spline.table.size[-1])
    below, above = flat < first, flat > last
    if below.any() or above.any():
        result = np.empty((6, *flat.shape))
        inside = ~(below | above)
        result[:, inside] = _inside(spline, flat[inside])
        result[:, below] = _strong(spline, flat[below])
        result[:, above] = _weak(spline, flat[above])
    else:
        result = _inside(spline, flat)
    result = result.reshape((6, *size.shape))
    energy, overlap, exchange, e_error, k_error, x_error = result
    return ExcitonCurve(shape, size, energy, overlap, exchange, e_error, k_error, x_error, (first, last))


@lru_cache(maxsize=4)
def table(shape: str) -> Table:
    """The packaged table of a shape: knots, solver's numbers, error estimates and how it was made."""
    require_shape(shape)
    lines = (_DATA / f"{shape}.csv").read_text(encoding="utf-8").splitlines()
    header = tuple(line.lstrip("# ") for line in lines if line.startswith("#"))
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))

    def column(name: str) -> Array:
        return np.array([float(row[name]) for row in rows])

    errors = ("error_rydberg", "error_k_relative", "error_x_relative")
    return Table(
        shape,
        header,
        column("size_over_bohr"),
        column("energy_over_rydberg"),
        column("overlap_k"),
        column("exchange_x"),
        np.stack([column(f"estimated_{name}") for name in errors]),
    )


@lru_cache(maxsize=4)
def _spline(shape: str) -> _Spline:
    knots = table(shape)
    size = knots.size
    log_size = np.log(size)
    rest = knots.energy - kinetic_constant(shape) / size**2 + 2.0 * coulomb_constant(shape) / size
    values = np.stack([rest, np.log(knots.overlap_k), np.log(knots.exchange_x) + 3.0 * log_size])
    return _Spline(knots, log_size, values, spline_slopes(log_size, values))


def spline_slopes(knots: Array, values: Array) -> Array:
    """Slopes at the knots of the cubic splines (not-a-knot) through `values` [curve, knot]."""
    step = np.diff(knots)
    rise = np.diff(values, axis=-1) / step
    count = knots.size
    matrix = np.zeros((count, count))
    right = np.zeros_like(values)
    inner = np.arange(1, count - 1)
    matrix[inner, inner - 1] = step[1:]
    matrix[inner, inner] = 2.0 * (step[:-1] + step[1:])
    matrix[inner, inner + 1] = step[:-1]
    right[:, 1:-1] = 3.0 * (step[1:] * rise[:, :-1] + step[:-1] * rise[:, 1:])
    # not-a-knot: the third derivative does not jump at the second and the last but one knot
    for end, near, a, b, first, second in (
        (0, 1, step[0], step[1], rise[:, 0], rise[:, 1]),
        (-1, -2, step[-1], step[-2], rise[:, -1], rise[:, -2]),
    ):
        matrix[end, end] = b
        matrix[end, near] = a + b
        right[:, end] = ((a + 2.0 * (a + b)) * b * first + a * a * second) / (a + b)
    return np.asarray(np.linalg.solve(matrix, right.T).T)


def _inside(spline: _Spline, size: Array) -> Array:
    shape = spline.table.shape
    log_size = np.log(size)
    cell = np.clip(np.searchsorted(spline.log_size, log_size, side="right") - 1, 0, spline.log_size.size - 2)
    step = np.diff(spline.log_size)[cell]
    t = (log_size - spline.log_size[cell]) / step
    out = np.empty((6, *size.shape))
    for k in range(3):
        left, right = spline.values[k][cell], spline.values[k][cell + 1]
        start, end = spline.slopes[k][cell] * step, spline.slopes[k][cell + 1] * step
        bend = 2.0 * (left - right) + start + end
        out[k] = left + t * (start + t * (right - left - start - bend + t * bend))
        errors = spline.table.errors[k]
        out[3 + k] = errors[cell] + t * (errors[cell + 1] - errors[cell])
    inverse = 1.0 / size
    out[0] += (kinetic_constant(shape) * inverse - 2.0 * coulomb_constant(shape)) * inverse
    out[1] = np.exp(out[1])
    out[2] = np.exp(out[2]) * inverse**3
    return out


def _strong(spline: _Spline, size: Array) -> Array:
    """Laws of strong confinement; their two free coefficients are value and slope at the first knot."""
    shape, first = spline.table.shape, float(spline.table.size[0])
    (rest, log_k, log_x), slope = spline.values[:, 0], spline.slopes[:, 0] / first
    out = np.empty((6, *size.shape))
    gap = first - size
    out[0] = kinetic_constant(shape) / size**2 - 2.0 * coulomb_constant(shape) / size + rest - slope[0] * gap
    limit = np.log(contact_constant(shape))
    for k, start, base in ((1, log_k, 0.0), (2, log_x, limit)):
        quadratic = (slope[k] * first - (start - base)) / first**2
        linear = (start - base) / first - quadratic * first
        out[k] = np.exp(base + size * (linear + quadratic * size))
    out[2] /= size**3
    # the next order is not known: a tenth of the last one that is used, at the distance to the table
    for k in range(3):
        out[3 + k] = spline.table.errors[k][0] + 0.1 * abs(slope[k]) * gap
    return out


def _weak(spline: _Spline, size: Array) -> Array:
    """Laws of weak confinement; dead layers and exchange continue the last part of the table.

    Each is taken at the last knot and at 0.6 of it (the slope at the end alone would amplify the last digits
    of the solver). The energy's dead layer tends to its limit with 1/x for a sphere (curved wall) and 1/x^2
    for a cube, the overlap's with 1/x for both.
    """
    knots = spline.table
    shape, last = knots.shape, float(knots.size[-1])
    around = last * np.array([0.6, 1.0])
    inner = _inside(spline, around)
    layers = np.array([dead_layer(shape, x, e) for x, e in zip(around, inner[0], strict=True)])
    k_layers = np.array([overlap_layer(shape, x, k) for x, k in zip(around, inner[1], strict=True)])
    power = 1 if shape == "sphere" else 2
    layer = _tail(around, layers, power, size)
    k_layer = _tail(around, k_layers, 1, size)
    excess = _tail(around, (inner[2] - 1.0) * around**3, 1, size)
    out = np.empty((6, *size.shape))
    quarter = 0.25 * kinetic_constant(shape)
    out[0] = quarter / (size - layer) ** 2 - 1.0
    out[1] = overlap_constant(shape) * (size - k_layer) ** 3
    out[2] = 1.0 + excess / size**3
    # half of what a layer that stays as it is at the end of the table would change, relative for K
    out[3] = knots.errors[0][-1] + 0.5 * np.abs(quarter / (size - layers[1]) ** 2 - 1.0 - out[0])
    out[4] = knots.errors[1][-1] + 1.5 * np.abs(k_layer - k_layers[1]) / size
    out[5] = knots.errors[2][-1] + 0.5 * np.abs(excess - (inner[2][1] - 1.0) * last**3) / size**3
    return out


def _tail(around: Array, values: Array, power: int, size: Array) -> Array:
    """v0 + v1/size^power through two points."""
    inverse = around ** -float(power)
    slope = (values[1] - values[0]) / (inverse[1] - inverse[0])
    return np.asarray(values[1] + slope * (size ** -float(power) - inverse[1]))
