"""Evidence of a model: its likelihood averaged over the prior, by importance sampling, Laplace and nesting.

    Z = integral over the unit cube of L(u) du,      u_i = prior probability below the parameter

In z = ln(u/(1 - u)) the density L(u) prod u(1 - u) is smooth on all of R^k and falls off on every side, also
along parameters that the data say nothing of. Laplace: one Gaussian at the best point. Importance sampling:
draws from mixtures of Student-t densities, first at the tops and along the ridges that run from them, then
fitted to walkers that have explored the density; all rounds count, each draw weighted by the mixture of all
proposals (Cornuet et al., Scand. J. Stat. 39, 798 (2012): recalled). The draws with their weights are the
posterior too. `nested` is the slow check of both.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from perolux.errors import ConvergenceError, OptionError
from perolux.fitting.mixtures import Proposal, drawn, fitted, log_mixture, walked

__all__ = ["Evidence", "evidence"]

FloatArray = npt.NDArray[np.float64]
LogLikelihood = Callable[[FloatArray], float]

_PARTS = 6
_RIDGE_STEPS, _RIDGE_FALL = 8, 5.0
_FEW_STEPS, _MORE_STARTS = 12, 2
_WORTH, _MORE_ROUNDS = 200.0, 2
_FARTHEST = 12.0
"""|z| beyond this is u within 6e-6 of an end: no prior mass worth a search."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """ln Z with its standard error, and by Laplace. best (k,): u of the largest likelihood times prior in z;
    log_likelihood: the largest one met. draws (n, k): u, with weights (n,), sum 1. effective: draws of equal
    weight that these are worth. evaluations: of the likelihood."""

    log_evidence: float
    error: float
    laplace: float
    best: FloatArray
    log_likelihood: float
    draws: FloatArray = field(repr=False)
    weights: FloatArray = field(repr=False)
    effective: float
    evaluations: int

    def resampled(self, count: int, rng: np.random.Generator) -> FloatArray:
        """Draws of equal weight, (count, k)."""
        return self.draws[rng.choice(len(self.draws), count, p=self.weights)]


def evidence(
    log_likelihood: LogLikelihood,
    parameters: int,
    rng: np.random.Generator,
    *,
    scatter: int = 150,
    searches: int = 5,
    draws: int = 1500,
    starts: FloatArray | None = None,
    residuals: Callable[[FloatArray], FloatArray] | None = None,
) -> Evidence:
    """Evidence of a likelihood over the unit cube of `parameters` dimensions.

    log_likelihood: u (k,) -> ln L, -inf where L is 0. scatter: points that cover the cube, of which the best
    `searches` begin a search (with `starts`, (m, k), beside them). draws: of a round; half as many
    at the tops and twice as many steps of walkers come before, and up to two rounds more where all are worth
    fewer than 200 of equal weight. residuals: u -> (n,) whose squares sum to -2 ln L and a constant (a
    deviance): searches are then least squares, far surer in ten dimensions than the simplex that is taken
    without. Raises `ConvergenceError` where no point of the cube has a likelihood.

    >>> rng = np.random.default_rng(0)
    >>> found = evidence(lambda u: -0.5 * float(np.sum(((u - 0.5) / 0.01) ** 2)), 2, rng)
    >>> abs(found.log_evidence - math.log(2 * math.pi * 1e-4)) < 0.05
    True
    """
    k = int(parameters)
    if k < 1 or draws < 50 or scatter < 1 or searches < 1:
        raise OptionError(f"{draws} draws over {k} parameters", allowed="50 and more; 1 parameter and more")
    density = _Density(log_likelihood)
    cube = _scattered(k, scatter, rng)
    if starts is not None:
        cube = np.concatenate([np.clip(starts, 1e-4, 1.0 - 1e-4), cube])
    begun = np.log(cube) - np.log1p(-cube)
    heights = np.array([density(z) for z in begun])
    if not np.isfinite(heights).any():
        raise ConvergenceError("no point of the prior has a likelihood", fix="check data and priors")
    begun = begun[np.argsort(-heights)]
    tops: list[tuple[FloatArray, float]]
    if residuals is None:
        tops = _searched(density, begun, searches)
        shapes = [_covariance(density, z, height) for z, height in tops]
    else:
        tops, shapes = _least_squares(density, residuals, begun, searches)
    best = tops[0]
    laplace = _laplace(best[1], shapes[0])
    centres = [z for z, _ in tops]
    shares = np.array([math.exp(max(0.5 * (h - best[1]), -30.0)) for _, h in tops]) + 0.02
    proposals: list[Proposal] = [(shares / shares.sum(), centres, [1.3 * one for one in shapes])]
    z, logs, log_weights = np.empty((0, k)), np.empty(0), np.empty(0)
    sizes: list[int] = []
    for n_round in range(2 + _MORE_ROUNDS):
        if n_round == 1:
            # walkers find ridges and funnels that no local shape shows
            count = max(4 * k, 16)
            first = z[rng.choice(len(z), count, p=_capped(log_weights))]
            walks = walked(density, first, max(2 * draws // count, 20), rng)
            proposals.append(fitted(walks, min(_PARTS, len(walks) // (10 * k) + 1), rng))
        elif n_round > 1:
            if _worth(log_weights) >= _WORTH:
                break
            own = z[rng.choice(len(z), 1500, p=_capped(log_weights))]
            proposals.append(fitted(own, _PARTS, rng))
        sizes.append(draws if n_round else draws // 2)
        new = drawn(proposals[-1], sizes[-1], rng)
        z = np.concatenate([z, new])
        logs = np.concatenate([logs, [density(one) for one in new]])
        log_weights = logs - log_mixture(z, proposals, np.array(sizes, dtype=float))
    top = float(np.max(log_weights))
    raw = np.exp(log_weights - top)
    mean = float(np.mean(raw))
    error = float(np.std(raw, ddof=1)) / mean / math.sqrt(len(raw))
    weights = raw / raw.sum()
    k_best = int(np.argmax(logs))
    where = z[k_best] if logs[k_best] > best[1] else best[0]
    return Evidence(
        top + math.log(mean), error, laplace, _inside(where), density.most,
        _inside(z), weights, float(1.0 / np.sum(weights**2)), density.evaluations,
    )  # fmt: skip


def _capped(log_weights: FloatArray) -> FloatArray:
    """Weights, none above a twentieth of all: no draw may be all there is."""
    weights = np.exp(log_weights - log_weights.max())
    for _ in range(3):
        weights = np.minimum(weights, 0.05 * weights.sum())
    return np.asarray(weights / weights.sum())


def _worth(log_weights: FloatArray) -> float:
    weights = np.exp(log_weights - log_weights.max())
    return float(weights.sum() ** 2 / np.sum(weights**2))


class _Density:
    """ln of L(u) prod u(1 - u) at z; remembers how often it was asked and the largest ln L."""

    def __init__(self, log_likelihood: LogLikelihood) -> None:
        self.log_likelihood = log_likelihood
        self.evaluations = 0
        self.most = -math.inf

    def __call__(self, z: FloatArray) -> float:
        apart = np.abs(z)
        if apart.max() > 3.0 * _FARTHEST:
            return -math.inf
        self.evaluations += 1
        value = float(self.log_likelihood(_inside(z)))
        if not value > -math.inf:
            return -math.inf
        self.most = max(self.most, value)
        # ln u(1 - u) = -|z| - 2 ln(1 + exp(-|z|))
        return value - float((apart + 2.0 * np.log1p(np.exp(-apart))).sum())


def _inside(z: FloatArray) -> FloatArray:
    return np.asarray(1.0 / (1.0 + np.exp(-z)))


def _scattered(k: int, count: int, rng: np.random.Generator) -> FloatArray:
    from scipy.stats import qmc

    cube = qmc.Halton(k, rng=rng).random(count)
    return np.clip(cube, 1e-3, 1.0 - 1e-3)


def _searched(density: _Density, begun: FloatArray, searches: int) -> list[tuple[FloatArray, float]]:
    """Tops, the highest first; equal ones once."""
    from scipy.optimize import minimize

    def cost(z: FloatArray) -> float:
        value = density(np.clip(z, -_FARTHEST, _FARTHEST))
        return -value if value > -math.inf else 1e15

    found: list[tuple[FloatArray, float]] = []
    for start in begun[:searches]:
        k = len(start)
        simplex = np.concatenate([start[None], start + 0.4 * np.eye(k)])
        wide = minimize(
            cost, start, method="Nelder-Mead",
            options={"initial_simplex": simplex, "maxfev": 120 * k, "xatol": 1e-3, "fatol": 1e-2},
        )  # fmt: skip
        found.append((np.clip(wide.x, -_FARTHEST, _FARTHEST), -float(wide.fun)))
    found.sort(key=lambda one: -one[1])
    # a second simplex at the top: the first may have become flat on its way
    start = found[0][0]
    simplex = np.concatenate([start[None], start + 0.15 * np.eye(len(start))])
    last = minimize(
        cost, start, method="Nelder-Mead",
        options={"initial_simplex": simplex, "maxfev": 150 * len(start), "xatol": 1e-3, "fatol": 3e-3},
    )  # fmt: skip
    if -float(last.fun) > found[0][1]:
        found[0] = (np.clip(last.x, -_FARTHEST, _FARTHEST), -float(last.fun))
    tops = [found[0]]
    for z, height in found[1:]:
        if height > found[0][1] - 12.0 and all(np.max(np.abs(z - one)) > 0.5 for one, _ in tops):
            tops.append((z, height))
    return tops


def _least_squares(
    density: _Density, residuals: Callable[[FloatArray], FloatArray], begun: FloatArray, searches: int
) -> tuple[list[tuple[FloatArray, float]], list[FloatArray]]:
    """Tops by least squares and points along their ridges, with the inverse of J^T J at each."""
    from scipy.optimize import least_squares

    last: list[FloatArray] = [np.empty(0), np.empty(0)]

    def all_residuals(z: FloatArray) -> FloatArray:
        # asked again where slopes are wanted
        if np.array_equal(z, last[0]):
            return last[1]
        density.evaluations += 1
        # the fall of the prior in z, -ln 4 u(1 - u), is half the square of a residual for each parameter
        half = 0.5 * np.abs(z)
        away = 2.0 * (half + np.log1p(0.5 * np.expm1(-2.0 * half)))
        own = np.where(half < 1e-4, z / math.sqrt(2.0), np.sign(z) * np.sqrt(2.0 * np.maximum(away, 0.0)))
        seen = residuals(_inside(z))
        if not np.isfinite(seen).all():
            seen = np.nan_to_num(seen, nan=1e3, posinf=1e3, neginf=-1e3)
        last[0], last[1] = z.copy(), np.concatenate([seen, own])
        return last[1]

    def search(start: FloatArray, free: list[int], most: int) -> tuple[FloatArray, float, FloatArray]:
        z = np.clip(start, -0.9 * _FARTHEST, 0.9 * _FARTHEST)

        def filled(part: FloatArray) -> FloatArray:
            whole = z.copy()
            whole[free] = part
            return whole

        def slopes(part: FloatArray) -> FloatArray:
            return step_slopes(all_residuals, filled(part), free)

        one = least_squares(
            lambda part: all_residuals(filled(part)), z[free], jac=slopes, bounds=(-_FARTHEST, _FARTHEST),
            max_nfev=most, xtol=1e-5, ftol=1e-6,
        )  # fmt: skip
        at = filled(one.x)
        jacobian = np.empty((len(one.fun), len(z)))
        jacobian[:, free] = one.jac
        held = [i for i in range(len(z)) if i not in free]
        if held:
            jacobian[:, held] = step_slopes(all_residuals, at, held, one.fun)
        values, vectors = np.linalg.eigh(jacobian.T @ jacobian)
        shape = np.asarray((vectors / np.maximum(values, 0.1)) @ vectors.T)
        return at, density(at), shape

    k = begun.shape[1]
    everything = list(range(k))
    # a few steps from many places tell valleys apart; only the best are worth going on
    short = [
        search(start, everything, _FEW_STEPS) for start in _apart(begun, searches, _MORE_STARTS * searches)
    ]
    short.sort(key=lambda one: -one[1])
    found = [search(one[0], everything, 60) for one in _distinct(short)[:searches]]
    found = [one for one in found if one[1] > -math.inf]
    if not found:
        raise ConvergenceError("no search came to a likelihood", fix="check data and priors")
    found.sort(key=lambda one: -one[1])
    kept = [one for one in _distinct(found) if one[1] > found[0][1] - 12.0]
    ridge = [point for top in kept[:2] for i in everything for point in _ridge(search, top, i)]
    every = sorted([*kept, *ridge], key=lambda one: -one[1])
    return [(z, height) for z, height, _ in every], [shape for _, _, shape in every]


def _apart(begun: FloatArray, best: int, more: int) -> FloatArray:
    """The first `best` starts (highest first) and `more` of the better half, each farthest from those taken.

    The highest points of a scatter often lie in one valley, which need not be the deepest.
    """
    u = _inside(begun[: max(len(begun) // 2, best)])
    taken = list(range(min(best, len(u))))
    distance = np.min(np.sum((u[:, None, :] - u[None, taken, :]) ** 2, axis=2), axis=1)
    while len(taken) < min(best + more, len(u)):
        farthest = int(np.argmax(distance))
        taken.append(farthest)
        distance = np.minimum(distance, np.sum((u - u[farthest]) ** 2, axis=1))
    return begun[taken]


Point = tuple[FloatArray, float, FloatArray]


def _distinct(points: list[Point]) -> list[Point]:
    """Those that lie more than 0.5 in z from every one before, finite ones."""
    kept: list[Point] = []
    for one in points:
        if one[1] > -math.inf and all(np.max(np.abs(one[0] - other[0])) > 0.5 for other in kept):
            kept.append(one)
    return kept


def _ridge(search: Callable[[FloatArray, list[int], int], Point], top: Point, i: int) -> list[Point]:
    """Points on both sides of a top, parameter i held and the others following, while there is density."""
    k = len(top[0])
    others = [j for j in range(k) if j != i]
    found: list[Point] = []
    for sign in (-1.0, 1.0):
        z, _, shape = top
        step = sign * min(max(0.8 * math.sqrt(shape[i, i]), 1e-3), 1.5)
        for _ in range(_RIDGE_STEPS):
            start = z.copy()
            # the others move with i as the local shape has it
            start[others] += np.clip(shape[others, i] / shape[i, i] * step, -2.0, 2.0)
            start[i] += step
            if abs(start[i]) > 0.8 * _FARTHEST:
                break
            z, height, shape = search(start, others, 6) if others else (start, -math.inf, shape)
            if height < top[1] - _RIDGE_FALL:
                break
            found.append((z, height, shape))
            step *= 1.2
    return found


def step_slopes(
    residuals: Callable[[FloatArray], FloatArray],
    z: FloatArray,
    columns: Sequence[int] | None = None,
    here: FloatArray | None = None,
) -> FloatArray:
    """Jacobian (n, k) over steps of 1e-4 in z: small against a standard deviation, large against rounding.

    columns: only those parameters; here: residuals at z, where known.
    """
    if here is None:
        here = residuals(z)
    wanted = range(len(z)) if columns is None else columns
    found = np.empty((len(here), len(wanted)))
    for place, i in enumerate(wanted):
        moved = z.copy()
        moved[i] += 1e-4 if z[i] < 0.0 else -1e-4
        found[:, place] = (residuals(moved) - here) / (moved[i] - z[i])
    return found


def _covariance(density: _Density, z: FloatArray, height: float) -> FloatArray:
    """Inverse of the second differences of -ln density at z, steps over about one standard deviation."""
    k = len(z)
    steps = np.empty(k)
    for i in range(k):
        steps[i] = _width(density, z, height, i)
    half = 0.7 * steps
    up, down = np.empty(k), np.empty(k)
    for i in range(k):
        shift = np.zeros(k)
        shift[i] = half[i]
        up[i], down[i] = density(z + shift), density(z - shift)
    curve = np.empty((k, k))
    for i in range(k):
        curve[i, i] = -(up[i] + down[i] - 2.0 * height)
        for j in range(i):
            shift = np.zeros(k)
            shift[i], shift[j] = half[i], half[j]
            both = density(z + shift) + density(z - shift)
            curve[i, j] = curve[j, i] = -0.5 * (both - up[i] - down[i] - up[j] - down[j] + 2.0 * height)
    curve[~np.isfinite(curve)] = 0.0
    values, vectors = np.linalg.eigh(curve)
    # in units of the steps the curvature is about 0.5; flat or bent upwards: as wide as three steps
    values = np.clip(values, 0.05, 50.0)
    inverse = (vectors / values) @ vectors.T
    return np.asarray(inverse * np.outer(half, half))


def _width(density: _Density, z: FloatArray, height: float, i: int) -> float:
    """Distance along axis i over which ln density falls by about 1/2 on average of both sides."""
    low, high = 1e-4, 8.0
    step = 0.1
    for _ in range(14):
        shift = np.zeros(len(z))
        shift[i] = step
        fall = height - 0.5 * (density(z + shift) + density(z - shift))
        if fall > 0.5:
            high = step
        else:
            low = step
        if 0.3 < fall < 0.8 or high / low < 1.2:
            break
        step = (
            step * min(max(math.sqrt(0.5 / fall), 0.1), 10.0)
            if 1e-3 < fall < math.inf and low < step * math.sqrt(0.5 / fall) < high
            else math.sqrt(low * high)
        )
    return min(step, 3.0)


def _laplace(height: float, covariance: FloatArray) -> float:
    sign, log_det = np.linalg.slogdet(2.0 * math.pi * covariance)
    return height + 0.5 * float(log_det) if sign > 0 else -math.inf
