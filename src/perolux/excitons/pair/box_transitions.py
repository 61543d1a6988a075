"""The lowest optically active levels of the pair in a cuboid with hard walls, solved when asked for.

The correlated basis of `cube`, with exponent and wall taken from a rule instead of a search: a tenth of the
time, and the steps between the first four levels move by less than `STEP_ERROR` of themselves. Rods and
spheroids take the cuboid of equal confinement along each axis (`equal_confinement_edges`).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from numpy.typing import ArrayLike

from perolux.errors import ModelRangeError
from perolux.excitons.pair._variation import Array
from perolux.excitons.pair.cube import solve_cuboid_levels

__all__ = ["LARGEST_ASPECT", "STEP_ERROR", "BoxTransitions", "box_transitions", "equal_confinement_edges"]

LARGEST_ASPECT = 9.0
"""Longest over shortest edge for which the basis is tested."""
STEP_ERROR = 0.03
"""Relative error of the steps to the first four levels: basis, parameters, rounding of the aspect."""
_ORDER = 8
_KNOT, _TURN = 0.14, 0.02  # in ln(scale) and ln(edge ratio)
_FIRST_ZERO = 2.404825557695773  # of the Bessel function J0: the ground state of a cylinder


def equal_confinement_edges(shape: str, lengths: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
    """Edges of the cuboid in which a free carrier has the ground energy that it has in the shape, by axes.

    A disc of diameter d is a square of edge pi d/(sqrt(2) j01), a spheroid has sqrt(3)/2 of its diameters
    (exact for a sphere). That holds for the lowest state. Steps to higher ones come out too small: for free
    carriers by 4, 11 and 15 % (sphere: 1p-1p, 1s-2s, 1d-1d) and by 2.5, 6 and 16 % (the same across a
    cylinder), and the fourth line of the sphere has almost twice the K; for bound pairs by 5 to 44 % (sphere
    of R = 4 to 8 aB).
    """
    a, b, c = lengths
    if shape == "rod":
        across = math.pi / (math.sqrt(2.0) * _FIRST_ZERO)
        return across * a, across * b, c
    factor = 0.5 * math.sqrt(3.0) if shape == "spheroid" else 1.0
    return factor * a, factor * b, factor * c


@dataclass(frozen=True)
class BoxTransitions:
    """Steps above the lowest level (Ry) and K over its K, arrays [level, row]; the name of each level."""

    steps_rydberg: Array
    overlap_ratio: Array
    names: tuple[str, ...]


def box_transitions(
    edges_over_bohr: tuple[ArrayLike, ArrayLike, ArrayLike], count: int = 4
) -> BoxTransitions:
    """The lowest `count` active levels of cuboids that differ by their scale alone.

    edges_over_bohr: three columns (rows,); the aspect is that of the first row, to 1 %. Equal masses.
    Names, those of the first row: where the pair is bound, of its centre of mass in rising order; else the
    first `count` of free carriers, in rising order too, but electron and hole in unlike states name levels
    with less than half the K of the others, where there are such. Raises `ModelRangeError` outside the
    tested sizes and aspects.

    >>> lines = box_transitions((2.5, 3.0, 3.6))
    >>> lines.names[1:], lines.steps_rydberg[1:, 0].round(1).tolist()
    (('(112)-(112)', '(121)-(121)', '(111)-(113)'), [2.3, 3.3, 3.6])
    """
    columns = np.stack(
        np.broadcast_arrays(*(np.atleast_1d(np.asarray(e, dtype=float)) for e in edges_over_bohr))
    )
    scale = np.cbrt(columns.prod(axis=0))
    aspect = columns[:, 0] / scale[0]
    ratio = float(aspect.max() / aspect.min())
    if ratio > LARGEST_ASPECT:
        raise ModelRangeError(
            f"longest over shortest edge {ratio:.3g}", allowed=f"up to {LARGEST_ASPECT:g} for excited lines"
        )
    # rows lie between knots of scale that all boxes of one aspect share: a course over sizes solves few
    place = np.log(scale) / _KNOT
    knots = np.arange(math.floor(place.min()), math.floor(place.max()) + 2)
    order = np.argsort(aspect)
    turns = np.rint(np.log(aspect[order][1:] / aspect[order][:-1]) / _TURN).astype(int)
    solved = [_levels(math.exp(_KNOT * k), int(turns[0]), int(turns[1]), count) for k in knots]
    values = np.stack([one for one, _ in solved])
    values[:, :, 1:] = np.log(values[:, :, 1:])
    low = np.clip(np.floor(place).astype(int) - knots[0], 0, len(knots) - 2)
    t = (place - knots[0] - low)[:, None, None]
    between = (values[low] * (1 - t) + values[low + 1] * t).transpose(1, 2, 0)
    between[:, 1:] = np.exp(between[:, 1:])
    # named as solved: edges that are equal to the rounding are equal in their names too
    rounded = np.empty(3)
    rounded[order] = _edges(int(turns[0]), int(turns[1]))
    names = _names(rounded, between[1, :, 0], bound=solved[low[0]][1] < 0.0)
    return BoxTransitions(between[0], between[1], names)


@lru_cache(maxsize=1024)
def _levels(scale: float, first: int, second: int, count: int) -> tuple[Array, float]:
    """[step in Ry, K over the first] of the lowest levels, and the energy of the first.

    scale: cube root of the volume over aB. first, second: ln of the ratios of the edges, in rising order, in
    units of `_TURN`.
    """
    one, two, three = (float(edge) for edge in scale * _edges(first, second))
    exponent = 1.0 + 1.2 / scale if scale > 0.5 else 3.4
    found = solve_cuboid_levels(
        (one, two, three), count, order=_ORDER, exponent=exponent, wall=0.8 / (scale + 1.0)
    )
    energy, overlap = found.energy_over_rydberg, found.overlap_k
    return np.stack([energy - energy[0], overlap / overlap[0]]), float(energy[0])


def _edges(first: int, second: int) -> Array:
    """Rising edges of volume 1, ln of their ratios in units of `_TURN`."""
    edges = np.exp(_TURN * np.array([0.0, first, first + second]))
    return np.asarray(edges / np.cbrt(edges.prod()))


def _names(aspect: Array, overlap_ratio: Array, bound: bool) -> tuple[str, ...]:
    """Names of levels in rising order: of the centre of mass, or of free carriers by character."""
    squares = 1.0 / aspect**2
    count = len(overlap_ratio)
    if bound:
        odd = np.array(list(itertools.product((1, 3, 5, 7, 9), repeat=3)))
        return tuple(
            f"1s pair, centre of mass {_digits(odd[k])}" for k in _rising(np.square(odd) @ squares)[:count]
        )
    free = _free_levels()
    rising = _rising(0.5 * np.square(free).sum(axis=1) @ squares)
    found = [f"{_digits(free[k, 0])}-{_digits(free[k, 1])}" for k in rising[:count]]
    unlike = [name for name in found if len(set(name.split("-"))) > 1]
    weak = np.argsort(overlap_ratio)
    dim, rest = weak[: len(unlike)], weak[len(unlike) :]
    if not unlike or not 2.0 * overlap_ratio[dim].max() < overlap_ratio[rest].min():
        return tuple(found)  # no level stands out: they mix, and keep the place of strong confinement
    faint = set(dim.tolist())
    bright, dark = iter([name for name in found if name not in unlike]), iter(unlike)
    return tuple(next(dark if level in faint else bright) for level in range(count))


@lru_cache(maxsize=1)
def _free_levels() -> npt.NDArray[np.int64]:
    """Quantum numbers (levels, electron or hole, axis) of active pairs of free carriers."""
    axis = [(n, m) for n in range(1, 8) for m in range(n, 8, 2)]
    return np.array(list(itertools.product(axis, repeat=3))).transpose(0, 2, 1)


def _rising(energy: Array) -> npt.NDArray[np.int64]:
    """Levels by energy; of levels of one energy (equal edges) the first."""
    return np.unique(np.round(energy, 9), return_index=True)[1]


def _digits(numbers: Iterable[int]) -> str:
    return "(" + "".join(str(one) for one in numbers) + ")"
