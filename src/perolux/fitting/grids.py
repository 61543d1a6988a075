"""Exact posteriors on grids: normalise in log space, marginalise, quantiles, credible intervals, coverage.

A density is given by its values at the points of an ascending grid and is linear between them, so that its
integral is the trapezoid sum and its distribution function is quadratic in each cell: every quantile here
is exact for that piecewise-linear density. Nothing is assumed about what lies outside the grid; a density
that has not fallen off at an end of its grid is the caller's to notice (`edge_mass` helps).

Plain numpy: the quick commands of the command line import this file.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError

__all__ = [
    "Coverage",
    "binomial_interval",
    "coverage",
    "credible_interval",
    "cumulative",
    "edge_mass",
    "equal_tail",
    "hpd",
    "log_evidence",
    "logsumexp",
    "marginalise",
    "mean_and_sigma",
    "normalise_log",
    "one_sided_lower",
    "quantiles",
    "trapezoid_weights",
]

FloatArray = npt.NDArray[np.float64]
IntervalKind = Literal["equal-tail", "hpd", "lower-bound"]


def trapezoid_weights(grid: npt.ArrayLike) -> FloatArray:
    """Weights w with sum(w f) = the trapezoid integral of f: half the distance between neighbours.

    grid: shape (n,), n >= 2, strictly ascending, any unit. Returns shape (n,) in the unit of the grid.

    >>> trapezoid_weights([0.0, 1.0, 3.0]).tolist()
    [0.5, 1.5, 1.0]
    """
    points = _grid(grid)
    steps = np.diff(points)
    weights = np.empty_like(points)
    weights[0], weights[-1] = steps[0] / 2, steps[-1] / 2
    weights[1:-1] = (steps[1:] + steps[:-1]) / 2
    return weights


def logsumexp(values: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> float:
    """log(sum(weights exp(values))) without overflow, over all elements; -inf where every term is zero.

    >>> round(logsumexp([1000.0, 1000.0]) - 1000.0, 6)
    0.693147
    """
    array = np.asarray(values, dtype=float)
    if array.size == 0:
        raise OptionError("the log-sum of nothing is not defined")
    if np.isnan(array).any() or np.isposinf(array).any():
        raise OptionError("a logarithm is NaN or +inf", allowed="finite numbers and -inf")
    top = float(array.max())
    if math.isinf(top):
        return -math.inf
    terms = np.exp(array - top)
    total = float(np.sum(terms if weights is None else terms * np.asarray(weights, dtype=float)))
    return top + math.log(total) if total > 0 else -math.inf


def log_evidence(log_density: npt.ArrayLike, *grids: npt.ArrayLike) -> float:
    """log of the integral of exp(log_density) over the grids: the log evidence of likelihood times prior."""
    log_values = np.asarray(log_density, dtype=float)
    return logsumexp(log_values, _volume_weights(log_values, grids))


def normalise_log(log_density: npt.ArrayLike, *grids: npt.ArrayLike) -> FloatArray:
    """Density with integral 1 from an unnormalised log density; one grid for each axis, in order.

    p = exp(log_density - log_evidence). log_density: shape (len(grid_0), len(grid_1), ...); -inf means
    impossible. Raises `OptionError` on NaN, +inf, a wrong shape, or where everything is impossible.

    >>> normalise_log([-1e4, -1e4, -1e4], [0.0, 1.0, 2.0]).tolist()
    [0.5, 0.5, 0.5]
    """
    log_values = np.asarray(log_density, dtype=float)
    weights = _volume_weights(log_values, grids)
    total = logsumexp(log_values, weights)
    if math.isinf(total):
        raise OptionError(
            "the density is zero everywhere on the grid",
            fix="widen the grid or the prior: the data and the prior exclude each other",
        )
    density = np.exp(log_values - total)
    return density / np.sum(density * weights)


def marginalise(density: npt.ArrayLike, grids: Sequence[npt.ArrayLike], keep: int) -> FloatArray:
    """Marginal density on the axis `keep`: the trapezoid integral over all the other axes.

    density: shape (len(grids[0]), len(grids[1]), ...), normalised or not. Returns shape (len(grids[keep]),),
    normalised to 1 by the trapezoid rule.
    """
    values = np.asarray(density, dtype=float)
    _check_shape(values, grids)
    if not 0 <= keep < values.ndim:
        raise OptionError(f"there is no axis {keep}", allowed=f"0 to {values.ndim - 1}")
    for axis in reversed(range(values.ndim)):
        if axis != keep:
            values = np.tensordot(values, trapezoid_weights(grids[axis]), axes=(axis, 0))
    _, values = _density(grids[keep], values)
    return values / float(values @ trapezoid_weights(grids[keep]))


def mean_and_sigma(grid: npt.ArrayLike, density: npt.ArrayLike) -> tuple[float, float]:
    """Mean and standard deviation of a density on a grid, by the trapezoid rule, in the unit of the grid."""
    points, values = _density(grid, density)
    weights = values * trapezoid_weights(points)
    weights /= weights.sum()
    mean = float(weights @ points)
    return mean, math.sqrt(float(weights @ (points - mean) ** 2))


def cumulative(grid: npt.ArrayLike, density: npt.ArrayLike) -> FloatArray:
    """Distribution function at the grid points, from exactly 0 to exactly 1; shape (n,)."""
    points, values = _density(grid, density)
    steps = np.diff(points) * (values[1:] + values[:-1]) / 2
    sums = np.concatenate(([0.0], np.cumsum(steps)))
    return sums / sums[-1]


def quantiles(grid: npt.ArrayLike, density: npt.ArrayLike, probabilities: npt.ArrayLike) -> FloatArray:
    """Quantiles of a piecewise-linear density: x with P(<= x) = p, exact in each cell (a quadratic).

    grid, density: shape (n,); the density need not be normalised. probabilities: any shape, within 0..1.
    Returns the shape of `probabilities`, in the unit of the grid.

    >>> quantiles([0.0, 1.0], [0.0, 2.0], 0.25).item()
    0.5
    """
    points, values = _density(grid, density)
    wanted = np.asarray(probabilities, dtype=float)
    if not np.all((wanted >= 0) & (wanted <= 1)):
        raise OptionError("a probability lies outside 0..1", allowed="0 to 1")
    # on a stretch without probability: its lower end, but for p = 0 the lower end of the support
    return np.where(
        wanted == 0, _invert(points, values, wanted, "right"), _invert(points, values, wanted, "left")
    )


def _invert(
    points: FloatArray, values: FloatArray, wanted: FloatArray, side: Literal["left", "right"]
) -> FloatArray:
    """x with P(<= x) = wanted; on a stretch without probability its lower ("left") or upper ("right") end."""
    total = cumulative(points, values)
    scaled = values / float(values @ trapezoid_weights(points))
    cell = np.clip(np.searchsorted(total, wanted, side=side) - 1, 0, len(points) - 2)
    step = points[cell + 1] - points[cell]
    start, slope = scaled[cell], (scaled[cell + 1] - scaled[cell]) / step
    rest = np.maximum(wanted - total[cell], 0.0)
    root = start + np.sqrt(np.maximum(start**2 + 2 * slope * rest, 0.0))
    # This form of the root of slope t^2/2 + start t = rest neither cancels nor divides by a small slope.
    inside = np.divide(2 * rest, root, out=np.zeros_like(rest), where=root > 0)
    return points[cell] + np.minimum(inside, step)


def equal_tail(grid: npt.ArrayLike, density: npt.ArrayLike, level: float) -> tuple[float, float]:
    """Interval that leaves (1 - level)/2 of the probability on each side, in the unit of the grid."""
    tail = (1.0 - _level(level)) / 2
    low, high = quantiles(grid, density, [tail, 1.0 - tail])
    return float(low), float(high)


def one_sided_lower(grid: npt.ArrayLike, density: npt.ArrayLike, level: float) -> float:
    """Lower bound b with P(x >= b) = level: the quantile at 1 - level, in the unit of the grid."""
    return float(quantiles(grid, density, 1.0 - _level(level)))


def hpd(grid: npt.ArrayLike, density: npt.ArrayLike, level: float) -> tuple[float, float]:
    """Shortest interval with probability `level`.

    For a density with one peak this is the highest-density region. With several peaks it is still one
    interval, not the (possibly disjoint) region; among equally short ones the lowest is returned.
    """
    level = _level(level)
    points, values = _density(grid, density)
    total = cumulative(points, values)
    # With the probability `below` left out on the low side, d width/d below = 1/f(high) - 1/f(low). Between
    # these knots both ends stay in one cell, where f^2 is linear in probability: f(high)^2 - f(low)^2 is
    # linear in `below`, and its zeros and the knots are all the places where the width can be least.
    knots = np.concatenate([total, total - level, [0.0, 1.0 - level]])
    knots = np.unique(knots[(knots >= 0) & (knots <= 1.0 - level)])

    def ends(below: FloatArray) -> tuple[FloatArray, FloatArray]:
        low = _invert(points, values, below, "right")
        return low, _invert(points, values, np.minimum(below + level, 1.0), "left")

    low, high = ends(knots)
    excess = np.interp(high, points, values) ** 2 - np.interp(low, points, values) ** 2
    crossing = np.flatnonzero(excess[:-1] * excess[1:] < 0)
    share = excess[crossing] / (excess[crossing] - excess[crossing + 1])
    candidates = np.concatenate([knots, knots[crossing] + share * (knots[crossing + 1] - knots[crossing])])
    low, high = ends(np.sort(candidates))
    best = int(np.argmin(high - low))
    return float(low[best]), float(high[best])


def credible_interval(
    grid: npt.ArrayLike, density: npt.ArrayLike, level: float = 0.95, kind: IntervalKind = "equal-tail"
) -> tuple[float, float | None]:
    """Credible interval of a density on a grid; (low, None) for kind "lower-bound".

    kind: "equal-tail" (same probability on both sides), "hpd" (shortest single interval), "lower-bound"
    (P(x >= low) = level, no upper end).

    >>> low, high = credible_interval([0.0, 1.0], [1.0, 1.0], 0.9)
    >>> round(low, 12), round(high, 12)
    (0.05, 0.95)
    >>> credible_interval([0.0, 1.0], [1.0, 1.0], 0.75, "lower-bound")
    (0.25, None)
    """
    if kind == "equal-tail":
        return equal_tail(grid, density, level)
    if kind == "hpd":
        return hpd(grid, density, level)
    if kind == "lower-bound":
        return one_sided_lower(grid, density, level), None
    raise OptionError(f"unknown kind of interval {kind!r}", allowed="equal-tail, hpd, lower-bound")


def edge_mass(grid: npt.ArrayLike, density: npt.ArrayLike) -> tuple[float, float]:
    """Density at the two ends of the grid relative to its maximum: near 0 where the grid holds it all."""
    _, values = _density(grid, density)
    return float(values[0] / values.max()), float(values[-1] / values.max())


@dataclass(frozen=True)
class Coverage:
    """How often intervals hold the truth: `inside` of `total`, with the interval of that proportion."""

    inside: int
    total: int
    fraction: float
    low: float
    high: float
    level: float
    method: str

    def agrees_with(self, nominal: float) -> bool:
        """True where the nominal coverage lies within the interval of the observed proportion."""
        return self.low <= nominal <= self.high


def coverage(
    truths: npt.ArrayLike,
    lows: npt.ArrayLike,
    highs: npt.ArrayLike | Sequence[float | None],
    *,
    level: float = 0.95,
    method: Literal["wilson", "clopper-pearson"] = "wilson",
) -> Coverage:
    """Fraction of the intervals [low, high] that hold their truth, with a binomial interval of it.

    truths, lows, highs: shape (n,). A high of None or inf, and a low of None or -inf, is a one-sided
    interval. level: of the interval around the fraction (see `binomial_interval`).

    >>> coverage([1.0, 2.0, 3.0], [0.0, 2.5, 2.0], [2.0, 3.0, None]).fraction
    0.6666666666666666
    """
    truth = np.asarray(truths, dtype=float)
    low = _open_ends(lows, -np.inf)
    high = _open_ends(highs, np.inf)
    if truth.ndim != 1 or truth.shape != low.shape or truth.shape != high.shape:
        raise OptionError(f"truths, lows and highs differ in shape: {truth.shape}, {low.shape}, {high.shape}")
    if np.isnan(truth).any() or np.isnan(low).any() or np.isnan(high).any():
        raise OptionError("a truth or an end of an interval is NaN", fix="leave such cases out and say so")
    if np.any(low > high):
        raise OptionError("an interval has its low end above its high end")
    inside = int(np.count_nonzero((truth >= low) & (truth <= high)))
    bounds = binomial_interval(inside, len(truth), level, method=method)
    return Coverage(inside, len(truth), inside / len(truth), *bounds, level, method)


def binomial_interval(
    successes: int,
    total: int,
    level: float = 0.95,
    *,
    method: Literal["wilson", "clopper-pearson"] = "wilson",
) -> tuple[float, float]:
    """Confidence interval of a proportion: Wilson's score interval, or Clopper and Pearson's exact one.

    Wilson: (p + z^2/2n ± z sqrt(p(1-p)/n + z^2/4n^2))/(1 + z^2/n). The exact one covers at least `level`
    and loads scipy. Source: Wilson, J. Am. Stat. Assoc. 22, 209 (1927); Clopper and Pearson, Biometrika 26,
    404 (1934).

    >>> [round(end, 4) for end in binomial_interval(95, 100)]
    [0.8882, 0.9785]
    """
    level = _level(level)
    if total < 1 or not 0 <= successes <= total:
        raise OptionError(f"{successes} of {total} is no proportion", allowed="0 <= successes <= total >= 1")
    if method == "wilson":
        from statistics import NormalDist

        z = NormalDist().inv_cdf((1.0 + level) / 2)
        p, shift = successes / total, z * z / total
        centre = (p + shift / 2) / (1 + shift)
        half = z * math.sqrt(p * (1 - p) / total + shift / (4 * total)) / (1 + shift)
        return max(centre - half, 0.0), min(centre + half, 1.0)
    if method == "clopper-pearson":
        from scipy.special import betaincinv

        tail = (1.0 - level) / 2
        low = 0.0 if successes == 0 else float(betaincinv(successes, total - successes + 1, tail))
        high = 1.0 if successes == total else float(betaincinv(successes + 1, total - successes, 1 - tail))
        return low, high
    raise OptionError(f"unknown method {method!r}", allowed="wilson, clopper-pearson")


def _open_ends(ends: npt.ArrayLike | Sequence[float | None], missing: float) -> FloatArray:
    if isinstance(ends, list | tuple):
        ends = [missing if end is None else end for end in ends]
    elif isinstance(ends, np.ndarray) and ends.dtype == object:
        ends = [missing if end is None else end for end in ends.tolist()]
    return np.asarray(ends, dtype=float)


def _grid(grid: npt.ArrayLike) -> FloatArray:
    points = np.asarray(grid, dtype=float)
    if (
        points.ndim != 1
        or len(points) < 2
        or not np.all(np.diff(points) > 0)
        or not np.isfinite(points).all()
    ):
        raise OptionError(
            "a grid must be finite, one-dimensional and strictly ascending, with 2 points or more"
        )
    return points


def _density(grid: npt.ArrayLike, density: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    points, values = _grid(grid), np.asarray(density, dtype=float)
    if values.shape != points.shape:
        raise OptionError(f"the density has shape {values.shape}, its grid {points.shape}")
    if not np.isfinite(values).all() or np.any(values < 0) or not np.any(values > 0):
        raise OptionError("a density must be finite, nowhere negative and somewhere positive")
    return points, values


def _check_shape(values: FloatArray, grids: Sequence[npt.ArrayLike]) -> None:
    lengths = tuple(len(_grid(grid)) for grid in grids)
    if values.shape != lengths:
        raise OptionError(f"the density has shape {values.shape}, its grids have lengths {lengths}")


def _volume_weights(values: FloatArray, grids: Sequence[npt.ArrayLike]) -> FloatArray:
    _check_shape(values, grids)
    weights = np.ones(())
    for grid in grids:
        weights = np.multiply.outer(weights, trapezoid_weights(grid))
    return weights


def _level(level: float) -> float:
    if not 0.0 < level < 1.0:
        raise OptionError(f"a level of {level:g} is no probability", allowed="between 0 and 1, e.g. 0.95")
    return float(level)
