"""Scission (breakage) of crystals: the population balance on fixed pivots, exact in time.

    dn(v)/dt = -s(v) n(v) + int_v^inf s(u) b(v | u) n(u) du,   s = k (v/v_ref)^(alpha/3),   int v b dv = u

Daughters, w = v/u: "binary", two pieces, b = 2 [w (1 - w)]^(q - 1)/(B(q, q) u), q = 1 is random scission,
large q halves; "power-law", b = (nu + 2) w^nu/u, (nu + 2)/(nu + 1) pieces on average, -1 < nu <= 0.

With a least volume v_m pieces lie between v_m and u - v_m: a cut that would leave less does not happen. So
s b is cut off at both ends and s is multiplied by the share of the pieces' volume in between; nothing below
2 v_m breaks. With s = k v and q = 1 this is the random parking of cars of length v_m (Renyi).

The pieces of one crystal in a cell are shared between two pivots by their mean volume, so that number and
volume are kept (cell averages: J. Kumar et al., Chem. Eng. Sci. 61, 3327 (2006)).
The equation is linear, so that every time is reached in one step,
N(t) = exp(t M) N(0), by Talbot's contour (Trefethen, Weideman and Schmelzer, BIT 46, 653 (2006)).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from perolux.errors import ConvergenceError, OptionError, Problem

__all__ = ["Cells", "Scission", "break_up", "cells_above", "scission_matrix"]

FloatArray = npt.NDArray[np.float64]
Daughter = Literal["binary", "power-law"]
_NODES = (28, 32)
"""Points of the contour and of the one that checks it: the error falls as 3.89^-n."""
_APART = 1e-6
"""How far the two may differ, as part of number and volume."""


@dataclass(frozen=True)
class Scission:
    """How crystals break. rate_per_s: k, of a crystal of `reference_volume`; exponent: alpha of the size.

    daughter, power: "binary" with q > 0, or "power-law" with -1 < nu <= 0. least_volume: v_m, 0 for none.
    Volumes may have any unit, all the same one.
    """

    rate_per_s: float
    reference_volume: float
    exponent: float
    daughter: Daughter = "binary"
    power: float = 1.0
    least_volume: float = 0.0

    def __post_init__(self) -> None:
        problems = [
            Problem(f"{name} = {getattr(self, name)!r}", "scission", allowed)
            for name, fits, allowed in (
                ("rate_per_s", 0 <= self.rate_per_s < np.inf, "0 or a finite number above it"),
                ("reference_volume", 0 < self.reference_volume < np.inf, "a finite number above 0"),
                ("exponent", 0 <= self.exponent <= 6, "0 to 6"),
                ("least_volume", 0 <= self.least_volume < np.inf, "0 or a finite number above it"),
            )
            if not fits
        ]
        if self.daughter not in ("binary", "power-law"):
            problems.append(Problem(f"daughter = {self.daughter!r}", "scission", "binary, power-law"))
        elif self.daughter == "binary" and not 0 < self.power <= 1000:
            problems.append(Problem(f"power = {self.power!r}", "binary", "above 0 (1: random scission)"))
        elif self.daughter == "power-law" and not -1 < self.power <= 0:
            problems.append(
                Problem(f"power = {self.power!r}", "power-law", "above -1 and up to 0: two pieces or more")
            )
        if problems:
            raise OptionError(problems)

    def tries_per_s(self, volume: npt.ArrayLike) -> FloatArray:
        """k (v/v_ref)^(alpha/3): the rate (1/s) without a least volume."""
        ratio = np.asarray(volume, dtype=float) / self.reference_volume
        return self.rate_per_s * ratio ** (self.exponent / 3.0)

    def rate(self, volume: npt.ArrayLike) -> FloatArray:
        """s(v): how often (1/s) a crystal breaks; 0 up to twice the least volume."""
        v = np.asarray(volume, dtype=float)
        x = np.minimum(self.least_volume / v, 0.5)
        return self.tries_per_s(v) * (self.volume_below(1.0 - x) - self.volume_below(x))

    def pieces_below(self, w: npt.ArrayLike) -> FloatArray:
        """Mean number of pieces below the part w of the parent's volume, without a least volume."""
        x = np.asarray(w, dtype=float)
        if self.daughter == "power-law":
            return (self.power + 2.0) / (self.power + 1.0) * x ** (self.power + 1.0)
        from scipy.special import betainc

        return 2.0 * np.asarray(betainc(self.power, self.power, x))

    def volume_below(self, w: npt.ArrayLike) -> FloatArray:
        """Part of the parent's volume in pieces below w, without a least volume."""
        x = np.asarray(w, dtype=float)
        if self.daughter == "power-law":
            return x ** (self.power + 2.0)
        from scipy.special import betainc

        return np.asarray(betainc(self.power + 1.0, self.power, x), dtype=float)


@dataclass(frozen=True)
class Cells:
    """Cells of volume between rising `edges`, each with a pivot that stands for its crystals.

    A pivot is the middle of its cell; the first is the lower edge of all and the last the upper one, so that
    whatever is born lies between two pivots.
    """

    edges: FloatArray

    def __post_init__(self) -> None:
        edges = np.array(self.edges, dtype=float)
        if edges.ndim != 1 or len(edges) < 3 or not np.isfinite(edges).all() or edges[0] <= 0:
            raise OptionError("cells of volume", where="edges", allowed="three or more volumes above 0")
        if np.any(np.diff(edges) <= 0):
            raise OptionError("the edges of the cells do not rise", where="edges", allowed="rising volumes")
        edges.flags.writeable = False
        object.__setattr__(self, "edges", edges)

    @property
    def pivots(self) -> FloatArray:
        """Volume that stands for each cell."""
        middle = 0.5 * (self.edges[1:] + self.edges[:-1])
        middle[0], middle[-1] = self.edges[0], self.edges[-1]
        return middle

    def shared(self, volume: npt.ArrayLike, number: npt.ArrayLike) -> FloatArray:
        """Numbers on the pivots for crystals of any volumes between them; number and volume are kept."""
        v, n, pivots = np.asarray(volume, dtype=float), np.asarray(number, dtype=float), self.pivots
        if v.shape != n.shape or np.any(v < pivots[0]) or np.any(v > pivots[-1]):
            raise OptionError(
                "crystals do not lie in the cells",
                allowed=f"{pivots[0]:g} to {pivots[-1]:g}, one number each",
            )
        low = np.clip(np.searchsorted(pivots, v, side="right") - 1, 0, len(pivots) - 2)
        upper = (v - pivots[low]) / (pivots[low + 1] - pivots[low])
        found = np.bincount(low, n * (1.0 - upper), len(pivots))
        found += np.bincount(low + 1, n * upper, len(pivots))
        return np.asarray(found, dtype=float)


def cells_above(least: float, largest: float, count: int) -> Cells:
    """`count` cells from `least` to `largest`: a tenth of them even up to 2 least, beyond growing with v.

    Twice the least volume, where breaking ends, is an edge: what is born on one side stays there.
    """
    if not (0 < 2 * least < largest < np.inf and count >= 20):
        raise OptionError(
            f"{count} cells from {least:g} to {largest:g}", allowed="0 < 2 least < largest, 20 cells or more"
        )
    low = max(count // 10, 4)
    first = np.linspace(least, 2.0 * least, low + 1)
    # grows from the width of the even cells: v - c is geometric
    beyond = np.geomspace(least, largest - least, count - low + 1) + least
    return Cells(np.concatenate((first, beyond[1:])))


def scission_matrix(law: Scission, cells: Cells) -> FloatArray:
    """M [into, from] (1/s) of dN/dt = M N for the pivots; upper triangular, sum_i v_i M_ij = 0.

    sum_i M_ij is the rate of pivot j times (pieces - 1). Without a least volume what falls below all cells is
    counted in the first by its volume, and its number is too small.
    """
    v, edges = cells.pivots, cells.edges
    if 0 < law.least_volume < edges[0] * (1 - 1e-12):
        raise OptionError(
            f"the least volume {law.least_volume:g} lies below all cells, from {edges[0]:g}",
            where="cells",
            fix="begin the cells at the least volume",
        )
    parent = v[None, :]
    top = np.maximum(parent - law.least_volume, law.least_volume)
    reach = np.clip(np.concatenate(([0.0], edges))[:, None], law.least_volume, top) / parent
    tries = law.tries_per_s(v)
    pieces = np.diff(law.pieces_below(reach), axis=0) * tries
    volume = np.diff(law.volume_below(reach), axis=0) * tries * parent
    found = np.zeros((len(v), len(v)))
    found[0] += volume[0] / v[0]  # below all cells
    pieces, inside = pieces[1:], volume[1:]
    # the pieces of one parent in a cell have a mean volume: shared between the two pivots around it
    lower = (inside < pieces * v[:, None]).astype(int)
    left = np.clip(np.arange(len(v))[:, None] - lower, 0, len(v) - 2)
    upper = (inside - v[left] * pieces) / (v[left + 1] - v[left])
    column = np.broadcast_to(np.arange(len(v)), left.shape)
    np.add.at(found, (left, column), pieces - upper)
    np.add.at(found, (left + 1, column), upper)
    found[np.diag_indices(len(v))] -= volume.sum(axis=0) / v
    return np.triu(found)


def break_up(law: Scission, cells: Cells, number: FloatArray, times_s: npt.ArrayLike) -> FloatArray:
    """Numbers [time, pivot] after each time of breaking, from `number` on the pivots at 0 s.

    Raises `ConvergenceError` where two contours differ by more than 1e-6 of number or volume, which happens
    where nearly all crystals break at one rate.
    """
    times = np.atleast_1d(np.asarray(times_s, dtype=float))
    start = np.asarray(number, dtype=float)
    if start.shape != cells.pivots.shape or np.any(start < 0) or not np.isfinite(start).all():
        raise OptionError("numbers do not fit the cells", allowed="one finite number of 0 or more each")
    if times.ndim != 1 or np.any(times < 0) or not np.isfinite(times).all():
        raise OptionError("times of breaking", allowed="finite numbers of 0 s or more")
    rates = scission_matrix(law, cells)
    found = np.empty((len(times), len(start)))
    for i, time in enumerate(times):
        if time == 0 or not start.any():
            found[i] = start
            continue
        found[i], check = (_exponential(time * rates, start, nodes) for nodes in _NODES)
        apart = np.abs(found[i] - check)
        error = max(apart.sum() / found[i].sum(), cells.pivots @ apart / (cells.pivots @ start))
        if not error < _APART:
            raise ConvergenceError(
                f"breaking up to {time:g} s is uncertain by {error:.2g}",
                fix="give an exponent further above 0, or another time",
            )
    # rounding of the contour leaves 1e-14 of a number below 0
    return np.maximum(found, 0.0)


def _exponential(matrix: FloatArray, start: FloatArray, nodes: int) -> FloatArray:
    """exp(matrix) start for an upper triangular matrix with eigenvalues up to 0, by Talbot's contour."""
    from scipy.linalg import solve_triangular

    theta = (2.0 * np.arange(nodes // 2) + 1.0) * np.pi / nodes
    cot = 1.0 / np.tan(0.6407 * theta)
    z = nodes * (0.5071 * theta * cot - 0.6122 + 0.2645j * theta)
    slope = 0.5071 * (cot - 0.6407 * theta * (1.0 + cot**2)) + 0.2645j
    total = np.zeros(len(start))
    shifted = -matrix.astype(complex)
    diagonal = np.diag_indices(len(start))
    own = shifted[diagonal]
    for point, share in zip(z, np.exp(z) * slope / 1j, strict=True):
        shifted[diagonal] = own + point
        total += 2.0 * (share * solve_triangular(shifted, start, check_finite=False)).real
    return total
