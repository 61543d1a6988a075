"""The lowest optically active levels of the pair against size: energies, overlaps and exchange from tables.

The packaged tables (`data/sphere_transitions.csv`, `data/cube_transitions.csv`, made by
`tools/make_transition_tables.py`) hold E/Ry, K and X of the S states of a sphere and the A1g states of a cube
for equal masses. Between the knots, in ln(size): a cubic spline of ln(E + 1), straight in both limits, with
slopes held back where it would not fall (levels that avoid one another); monotone cubics of K and X over
those of the ground state.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perolux.errors import OptionError
from perolux.excitons.pair._variation import Array
from perolux.excitons.pair.centre_of_mass import centre_of_mass_ladder
from perolux.excitons.pair.limits import kinetic_constant, require_shape
from perolux.excitons.pair.tables import ExcitonCurve, interpolate, spline_slopes

__all__ = ["LEVELS", "TransitionCurves", "transition_names", "transitions"]

LEVELS = 8
"""Levels in the tables."""

_DATA = Path(__file__).parents[1] / "data"
# What the levels become when the size goes to 0: states of electron and hole, and E size^2 over pi^2.
_CUBE_STRONG = (
    ("(111)-(111)", 3.0),
    ("(112)-(112)", 6.0),
    ("(111)-(113)", 7.0),
    ("(122)-(122)", 9.0),
    ("(112)-(123)", 10.0),
    ("(111)-(133)", 11.0),
    ("(113)-(113)", 11.0),
    ("(112)-(114)", 12.0),
)
_SPHERE_STRONG = ("1s-1s", "1p-1p", "1s-2s", "1d-1d", "2s-2s", "1p-2p", "1f-1f", "1s-3s")


@dataclass(frozen=True)
class TransitionCurves:
    """The lowest active levels at many sizes; arrays [level, ...sizes], levels in rising order.

    energy_over_rydberg: E/Ry from the gap; overlap_k: K; exchange_x: X; errors as in `ExcitonState`.
    strong_names, weak_names: what each level becomes for small and for large sizes. A level keeps its place:
    levels of one symmetry do not cross.
    table_range: the sizes between which the numbers come from the table.
    """

    shape: str
    size_over_bohr: Array
    energy_over_rydberg: Array
    overlap_k: Array
    exchange_x: Array
    estimated_error_rydberg: Array
    estimated_error_k_relative: Array
    estimated_error_x_relative: Array
    strong_names: tuple[str, ...]
    weak_names: tuple[str, ...]
    table_range: tuple[float, float]

    @property
    def names(self) -> NDArray[np.str_]:
        """The name of each level at each size: of strong confinement while the ground pair is unbound."""
        column = (slice(None), *(None,) * self.size_over_bohr.ndim)
        strong, weak = np.array(self.strong_names)[column], np.array(self.weak_names)[column]
        return np.where(self.energy_over_rydberg[:1] > 0.0, strong, weak)


@dataclass(frozen=True)
class _Table:
    """[quantity, level, knot]: ln(E + 1), K and X over the ground state's; slopes in ln(size); errors."""

    size: Array
    values: Array
    slopes: Array
    errors: Array


def transition_names(shape: str, count: int = LEVELS) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the levels in strong and in weak confinement.

    Strong: states of electron and hole, "1p-1p" or "(112)-(112)" (sums of all that are equal by symmetry).
    Weak: the centre-of-mass state of the 1s pair.

    >>> transition_names("sphere", 4)[0]
    ('1s-1s', '1p-1p', '1s-2s', '1d-1d')
    """
    require_shape(shape)
    strong = _SPHERE_STRONG if shape == "sphere" else tuple(name for name, _ in _CUBE_STRONG)
    weak, _, _ = _weak_levels(shape)
    return strong[:count], tuple(f"1s pair, centre of mass {name}" for name in weak[:count])


def transitions(shape: str, size_over_bohr: ArrayLike, count: int = LEVELS) -> TransitionCurves:
    """E/Ry, K and X of the lowest `count` optically active levels at any number of sizes.

    Inside the table: interpolation, see the module. Below: (E + 1) x^2 = k + c x + q x^2 with the kinetic k
    of each level, K and X as the ground state's times exp(c x) or, where K vanishes with the size, a power of
    x. Above: E = -1 + k/(4 (x - d)^2), d of the ground state plus a constant of the level; K and X over the
    ground state's tend to those of the centre-of-mass ladder like 1/x and 1/x^3. The laws join the table
    continuously.

    shape: "sphere" (size is R/aB) or "cube" (L/aB), equal masses, hard walls. size_over_bohr: any array.
    Raises `ModelRangeError` for a size where nothing holds, `OptionError` for an unknown shape or a count
    above `LEVELS`.
    Source: the packaged tables.

    >>> curves = transitions("cube", [1.0, 3.0], 2)
    >>> curves.energy_over_rydberg.round(2).tolist(), curves.overlap_k.round(1).tolist()
    ([[23.2, 0.89], [52.64, 4.15]], [[1.8, 5.9], [4.6, 10.1]])
    """
    if not 1 <= count <= LEVELS:
        raise OptionError(f"{count} levels", where="transitions", allowed=f"1 to {LEVELS}")
    ground = interpolate(shape, size_over_bohr)
    table = _table(shape)
    size = np.atleast_1d(ground.size_over_bohr).ravel()
    low, high = float(table.size[0]), float(table.size[-1])
    out = np.empty((6, count, size.size))
    below, above = size < low, size > high
    inside = ~(below | above)
    if inside.any():
        out[:, :, inside] = _inside(table, size[inside], count)
    if below.any():
        out[:, :, below] = _strong(shape, table, size[below], count)
    if above.any():
        out[:, :, above] = _weak(shape, table, size[above], count)
    out[1] *= np.atleast_1d(ground.overlap_k).ravel()
    out[2] *= np.atleast_1d(ground.exchange_x).ravel()
    out = out.reshape((6, count, *ground.size_over_bohr.shape))
    strong, weak = transition_names(shape, count)
    energy, overlap, exchange, e_error, k_error, x_error = out
    return TransitionCurves(
        shape,
        ground.size_over_bohr,
        energy,
        overlap,
        exchange,
        e_error,
        k_error,
        x_error,
        strong,
        weak,
        (low, high),
    )


@lru_cache(maxsize=4)
def _table(shape: str) -> _Table:
    lines = (_DATA / f"{shape}_transitions.csv").read_text(encoding="utf-8").splitlines()
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))

    def column(name: str) -> Array:
        return np.array([float(row[name]) for row in rows]).reshape(-1, LEVELS).T

    size = column("size_over_bohr")[0]
    ground: ExcitonCurve = interpolate(shape, size)
    values = np.stack(
        [
            np.log(column("energy_over_rydberg") + 1.0),
            column("overlap_k") / ground.overlap_k,
            column("exchange_x") / ground.exchange_x,
        ]
    )
    knots = np.log(size)
    slopes = np.stack([_falling(knots, values[0]), *(_monotone(knots, part) for part in values[1:])])
    names = ("error_rydberg", "error_k_relative", "error_x_relative")
    return _Table(size, values, slopes, np.stack([column(f"estimated_{name}") for name in names]))


def _falling(knots: Array, values: Array) -> Array:
    """Slopes [curve, knot] of the spline, at most three times the smaller chord beside: never rising."""
    rise = np.diff(values, axis=-1) / np.diff(knots)
    beside = np.concatenate([rise[:, :1], np.maximum(rise[:, :-1], rise[:, 1:]), rise[:, -1:]], axis=-1)
    return np.minimum(np.maximum(spline_slopes(knots, values), 3.0 * beside), 0.0)


def _monotone(knots: Array, values: Array) -> Array:
    """Slopes [curve, knot] of the monotone cubic of Fritsch and Butland: 0 at extrema, never an overshoot."""
    step = np.diff(knots)
    rise = np.diff(values, axis=-1) / step
    left, right = rise[:, :-1], rise[:, 1:]
    before, after = step[:-1] + 2.0 * step[1:], 2.0 * step[:-1] + step[1:]
    same = left * right > 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        inner = np.where(same, (before + after) / (before / left + after / right), 0.0)
    return np.concatenate([rise[:, :1], inner, rise[:, -1:]], axis=-1)


def _inside(table: _Table, size: Array, count: int) -> Array:
    """[E, K and X over the ground state's, three errors] x level x size."""
    knots, at = np.log(table.size), np.log(size)
    cell = np.clip(np.searchsorted(knots, at, side="right") - 1, 0, knots.size - 2)
    step = np.diff(knots)[cell]
    t = (at - knots[cell]) / step
    out = np.empty((6, count, size.size))
    for k in range(3):
        values, slopes, errors = table.values[k, :count], table.slopes[k, :count], table.errors[k, :count]
        left, right = values[:, cell], values[:, cell + 1]
        start, end = slopes[:, cell] * step, slopes[:, cell + 1] * step
        bend = 2.0 * (left - right) + start + end
        out[k] = left + t * (start + t * (right - left - start - bend + t * bend))
        out[3 + k] = errors[:, cell] + t * (errors[:, cell + 1] - errors[:, cell])
    out[0] = np.exp(out[0]) - 1.0
    return out


def _strong(shape: str, table: _Table, size: Array, count: int) -> Array:
    first = float(table.size[0])
    kinetic = _strong_kinetic(shape)[:count, None]
    value, slope = table.values[:, :count, :1], table.slopes[:, :count, :1]
    # (E + 1) x^2 and its slope in ln(x) at the first knot
    reduced = np.exp(value[0]) * first**2
    quadratic = ((2.0 + slope[0]) * reduced - (reduced - kinetic)) / first**2
    linear = (reduced - kinetic) / first - quadratic * first
    out = np.empty((6, count, size.size))
    out[0] = kinetic / size**2 + linear / size + quadratic - 1.0
    for k in (1, 2):
        # to a constant like exp(c x), or to zero like a power: told apart at the end of the table
        power = slope[k] / value[k]
        out[k] = value[k] * np.where(
            power < 0.5, np.exp(power * (size / first - 1.0)), (size / first) ** np.maximum(power, 0.0)
        )
    # the next order of the energy is unknown: half of the last one that is used
    out[3] = table.errors[0, :count, :1] + 0.5 * np.abs(quadratic) * (1.0 - size / first)
    out[4:] = table.errors[1:, :count, :1] + 0.1 * (1.0 - size / first)
    return out


def _weak(shape: str, table: _Table, size: Array, count: int) -> Array:
    last = float(table.size[-1])
    _, kinetic, bright = _weak_levels(shape)
    kinetic, bright = 0.25 * kinetic[:count, None], bright[:count, None]
    ends = table.values[:, :count, -1:]
    layer = last - np.sqrt(kinetic / np.exp(ends[0]))
    ground = interpolate(shape, np.append(size, last))
    own = ground.size_over_bohr - np.sqrt(0.25 * kinetic_constant(shape) / (ground.energy_over_rydberg + 1.0))
    moved = own[:-1] + (layer - own[-1])
    out = np.empty((6, count, size.size))
    out[0] = kinetic / (size - moved) ** 2 - 1.0
    out[1] = bright + (ends[1] - bright) * last / size
    out[2] = 1.0 + (ends[2] - 1.0) * (last / size) ** 3
    # half of what a layer (and ratios) as at the end of the table would change, and the table's own error
    still = np.abs(kinetic / (size - layer) ** 2 - kinetic / (size - moved) ** 2)
    out[3] = table.errors[0, :count, -1:] * (last / size) ** 2 + 0.5 * still
    out[4] = table.errors[1, :count, -1:] + 0.5 * np.abs(ends[1] / out[1] - 1.0)
    out[5] = table.errors[2, :count, -1:] + 0.5 * np.abs(ends[2] / out[2] - 1.0)
    return out


@lru_cache(maxsize=4)
def _strong_kinetic(shape: str) -> Array:
    """E size^2 of each level for size -> 0, in Ry aB^2, equal masses."""
    if shape == "cube":
        return np.pi**2 * np.array([number for _, number in _CUBE_STRONG])
    from perolux.excitons.pair.centre_of_mass import bessel_zeros

    def square(state: str) -> float:
        return bessel_zeros("spdfg".index(state[1]), int(state[0]))[-1] ** 2

    return np.array([0.5 * sum(square(one) for one in name.split("-")) for name in _SPHERE_STRONG])


@lru_cache(maxsize=4)
def _weak_levels(shape: str) -> tuple[tuple[str, ...], Array, Array]:
    """Names, E size^2 (hbar^2/2M units) and K over the lowest one's, of the bright levels of the ladder."""
    reference = 1000.0  # any size far beyond the dead layer orders the levels
    ladder = centre_of_mass_ladder(shape, reference, 80)
    bright = ladder.overlap_k > 0.0
    relative = (ladder.energy_over_rydberg + 1.0) / (ladder.energy_over_rydberg[0] + 1.0)
    names = tuple(name for name, seen in zip(ladder.names, bright, strict=True) if seen)
    kinetic = kinetic_constant(shape) * relative[bright]
    return names, kinetic, (ladder.overlap_k / ladder.overlap_k[0])[bright]
