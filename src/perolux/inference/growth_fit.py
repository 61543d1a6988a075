"""Kinetic constants of a recipe from a series of sizes or spectra: the synthesis run backwards.

Minimises chi^2(u) = sum ((data - model(u))/sigma)^2 over constants u, each from 0 to 1 across the range of
its prior (even in the logarithm where the prior is). The model is `grow_recipe` itself, and for spectra the
optics of `synthesis.inline_spectra`. Starts come from a Sobol sequence over the whole range, then
Gauss-Newton steps with differences of about one standard deviation of the data, far above the noise of an
adaptive engine.

Intervals: profile likelihood, chi^2 + 3.84 for 95 %. Where chi^2 is a parabola out to both ends of the
interval of the covariance, which two runs of the model tell, that interval is the same and is taken.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.errors import ConvergenceError, ModelRangeError, OptionError
from perolux.fitting.ensemble_sampler import Samples, sample_ensemble
from perolux.inference.growth_data import GrowthData, seen_of
from perolux.inference.identifiability import Direction, directions, words_of
from perolux.progress import Progress, silent
from perolux.synthesis.batch import Batch, constants_of, grow_recipe
from perolux.synthesis.cohorts import TOLERANCE
from perolux.synthesis.flow import Flow, grow_flow
from perolux.synthesis.kinetics import FLOW_ONLY, KineticConstants, is_logarithmic, priors
from perolux.synthesis.many import in_order
from perolux.synthesis.recipe import Recipe
from perolux.synthesis.recipe_droplet import FlowRecipe
from perolux.synthesis.tube import tube_of

__all__ = ["GrowthFit", "Interval", "fit_growth"]

FloatArray = npt.NDArray[np.float64]
_STEP, _LEAST_STEP, _LARGEST_STEP = 1e-3, 2e-5, 0.01
"""Half the distance of a difference, in the range of a prior: first, least, largest."""
_FELT = 3.0
"""How far a difference moves the residuals (their norm): a few standard deviations, above the noise of the
engine and yet where the model is nearly straight."""
_LOUD = 0.3
"""Noise of the engine (norm of what it does to the residuals) above which a warning stands."""
_STARTS = 256
_COARSE = 1e-3
_CLIMBS = 12
_AGAIN = 6
_MOST_STEPS = 40
_LEVEL = 3.841458820694124
"""95 % quantile of chi^2 with one degree of freedom."""
_PARABOLA = 0.2
"""How far chi^2 at the ends may be from 3.84, relative, for the covariance to be believed."""
_BETTER = 0.2
_TINY = 1e-3
FLASK_ONLY = ("mixing_time_s", "bath_time_constant_s")
"""Constants that a recipe in flow does not use."""
"""A gain of chi^2 that is worth no step."""


@dataclass(frozen=True)
class Interval:
    """95 % interval of one constant; an end is None where the data do not close it within its prior.

    how: "covariance" (chi^2 is a parabola there) or "profile". sigma: standard deviation by the covariance.
    """

    name: str
    value: float
    low: float | None
    high: float | None
    sigma: float | None
    unit: str
    how: str

    def as_dict(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        return {
            "value": self.value, "low95": self.low, "high95": self.high, "sigma": self.sigma,
            "unit": self.unit, "how": self.how,
        }  # fmt: skip


@dataclass(frozen=True, eq=False)
class GrowthFit:
    """What a series says of kinetic constants.

    constants: as found. intervals: of each fitted constant. correlation: (k, k) between them by the
    covariance, None where the data leave a direction open. directions: combinations of constants, the best
    determined first. batch: the recipe grown with the constants found (a `Flow` of one in flow). samples: of
    the posterior, if asked.
    """

    names: tuple[str, ...]
    constants: KineticConstants
    intervals: tuple[Interval, ...]
    correlation: FloatArray | None
    directions: tuple[Direction, ...]
    chi2: float
    points: int
    batch: Batch | Flow
    evaluations: int
    words: tuple[str, ...]
    warnings: tuple[str, ...]
    samples: Samples | None = field(default=None, repr=False)

    def __getitem__(self, name: str) -> Interval:
        if name not in self.names:
            raise OptionError(f"no constant {name!r} was fitted", allowed=", ".join(self.names))
        return self.intervals[self.names.index(name)]

    def as_dict(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        return {
            "constants": {one.name: one.as_dict() for one in self.intervals},
            "correlation": None if self.correlation is None else self.correlation.tolist(),
            "directions": [one.as_dict() for one in self.directions],
            "chi2": self.chi2,
            "points": self.points,
            "degrees_of_freedom": self.points - len(self.names),
            "evaluations": self.evaluations,
            "words": list(self.words),
            "warnings": list(self.warnings),
            "posterior": None if self.samples is None else self.samples.as_dict(self.names),
        }


def fit_growth(
    recipe: Recipe | FlowRecipe,
    data: GrowthData,
    names: Sequence[str],
    *,
    start: KineticConstants | None = None,
    samples: int = 0,
    seed: int = 0,
    tolerance: float = TOLERANCE,
    jobs: int = 2,
    progress: Progress = silent,
) -> GrowthFit:
    """Fit kinetic constants of a recipe, by their names in the priors, to a series of sizes or spectra.

    recipe: in a flask, or in flow; there the times of the series are mean residence times at the detectors.
    start: constants to begin with; None: the whole range of the priors is searched. samples: draws of the
    posterior (flat within the ranges of the priors); 0: none. tolerance: of one step of the engine. jobs:
    threads that share the first points of the search; they change no number. Constants
    that are not fitted are those of the recipe, or the middle of their priors. Raises `OptionError` for names
    or data that cannot be used and `ConvergenceError` where no constants within the priors grow the recipe.
    """
    problem = _Problem(recipe, data, tuple(names), tolerance)
    rng = np.random.default_rng(seed)
    progress.start("search", _STARTS if start is None else 1)
    if start is None:
        best, chi2 = _search(problem, rng, progress, jobs)
    else:
        best, chi2 = _climb(problem, problem.unit(start))
        progress.advance()
        if not _describes(problem, chi2):  # the climb ended in another valley: look everywhere
            elsewhere, least = _search(problem, rng, progress, jobs)
            best, chi2 = (elsewhere, least) if least < chi2 else (best, chi2)
    for _ in range(_AGAIN):  # valleys are narrow and bent: begin again where the last climb tired
        before = chi2
        best, chi2 = _climb(problem, best)
        if before - chi2 < 0.05:
            break
    progress.finish()
    if not np.isfinite(chi2):
        raise ConvergenceError(
            "no constants within the priors grow this recipe",
            fix="give other ranges, or other constants to fit",
        )
    progress.start("intervals", len(problem.names))
    for attempt in range(_AGAIN):
        jacobian = _jacobian(problem, best)
        covariance = _covariance(jacobian)
        intervals = [_interval(problem, best, chi2, covariance, i) for i in range(len(problem.names))]
        if problem.least > chi2 - _BETTER or attempt == _AGAIN - 1:
            break
        # a profile went along the valley and found a lower place
        best, chi2 = _climb(problem, problem.lowest)
        progress.advance()
    progress.finish()
    found = directions(jacobian, problem.names)
    drawn = None
    if samples:
        drawn = _sampled(problem, best, covariance, samples, rng, progress)
    correlation = None
    if covariance is not None:
        width = np.sqrt(np.diag(covariance))
        correlation = covariance / np.outer(width, width)
    constants = problem.constants(best)
    return GrowthFit(
        names=problem.names,
        constants=constants,
        intervals=tuple(intervals),
        correlation=correlation,
        directions=tuple(found),
        chi2=chi2,
        points=data.points,
        batch=problem.grow(constants, to_show=True),
        evaluations=problem.evaluations,
        words=words_of(found, correlation, problem.names),
        warnings=(*_warnings(problem, best, chi2, data), *data.limits(seen_of(problem.grow(constants)))),
        samples=drawn,
    )


class _Problem:
    """chi^2 and residuals in unit coordinates; counts its runs of the model."""

    def __init__(
        self, recipe: Recipe | FlowRecipe, data: GrowthData, names: tuple[str, ...], tolerance: float
    ) -> None:
        known = priors()
        wrong = [name for name in names if name not in known]
        if wrong or not names or len(set(names)) < len(names):
            what = f"no kinetic constant is called {wrong[0]!r}" if wrong else "one name or more, each once"
            raise OptionError(what, where="constants to fit", allowed=", ".join(known))
        if data.points <= len(names):
            raise OptionError(f"{data.points} numbers cannot tell {len(names)} constants")
        self.names, self.data, self.tolerance, self.evaluations = names, data, tolerance, 0
        self.least, self.lowest = np.inf, np.zeros(len(names))
        self.steps = np.full(len(names), _STEP)  # of differences, as the last ones asked for
        self.base = constants_of(recipe)
        flow = isinstance(recipe, FlowRecipe)
        self.recipe = (
            _at_detectors(recipe, data, self.base)
            if isinstance(recipe, FlowRecipe)
            else _at_times(recipe, data)
        )
        idle = [name for name in names if name in (FLASK_ONLY if flow else FLOW_ONLY)]
        if idle:
            raise OptionError(
                f"{idle[0]} has no effect in a recipe {'in flow' if flow else 'in a flask'}",
                where="constants to fit",
            )
        ranges = [(known[name].low, known[name].high) for name in names]
        self.low = np.array([_coordinate(n, low) for n, (low, _) in zip(names, ranges, strict=True)])
        self.high = np.array([_coordinate(n, high) for n, (_, high) in zip(names, ranges, strict=True)])

    def values(self, u: FloatArray) -> dict[str, float]:
        at = self.low + u * (self.high - self.low)
        return {n: float(np.exp(x) if is_logarithmic(n) else x) for n, x in zip(self.names, at, strict=True)}

    def unit(self, constants: KineticConstants) -> FloatArray:
        at = np.array([_coordinate(n, getattr(constants, n)) for n in self.names])
        u = (at - self.low) / (self.high - self.low)
        for name, one in zip(self.names, u, strict=True):
            if not -1e-9 <= one <= 1.0 + 1e-9:
                prior = priors()[name]
                raise OptionError(
                    f"{name} = {getattr(constants, name):g} to start with lies outside its prior",
                    allowed=f"{prior.low:g} to {prior.high:g} {prior.unit}",
                )
        return np.clip(u, 0.0, 1.0)

    def constants(self, u: FloatArray) -> KineticConstants:
        return self.base.with_values(self.values(u))

    def grow(self, constants: KineticConstants, *, to_show: bool = False) -> Batch | Flow:
        if isinstance(self.recipe, FlowRecipe):
            return grow_flow(self.recipe, constants=constants, tolerance=self.tolerance, one_by_one=to_show)
        return grow_recipe(self.recipe, constants=constants, tolerance=self.tolerance)

    def look(self, u: FloatArray) -> FloatArray | None:
        """(data - model)/sigma; None where the engine gives up. Counts nothing: threads may share it."""
        try:
            return self.data.residuals(seen_of(self.grow(self.constants(u))))
        except (ConvergenceError, ModelRangeError):
            return None

    def residuals(self, u: FloatArray) -> FloatArray | None:
        """As `look`, counted, and the least chi^2 kept."""
        self.evaluations += 1
        found = self.look(u)
        if found is None:
            return None
        if self.tolerance < _COARSE and float(found @ found) < self.least:
            self.least, self.lowest = float(found @ found), u.copy()
        return found

    def chi2(self, u: FloatArray) -> float:
        found = self.residuals(u)
        return np.inf if found is None else float(found @ found)


def _at_times(recipe: Recipe, data: GrowthData) -> Recipe:
    """The recipe up to the end of a series, observed at its times."""
    end = float(data.time_s[-1])
    if data.time_s[0] <= 0 or end > recipe.observe.until:
        raise OptionError(
            f"the series runs from {data.time_s[0]:g} to {end:g} s",
            allowed=f"above 0 and up to {recipe.observe.until:g} s, the end of the recipe",
        )
    times = tuple(float(t) for t in data.time_s)
    observe = recipe.observe.model_copy(update={"times": times, "until": end})
    events = tuple(event for event in recipe.events if event.at <= end)
    return recipe.model_copy(update={"observe": observe, "events": events})


def _at_detectors(recipe: FlowRecipe, data: GrowthData, constants: KineticConstants) -> FlowRecipe:
    """The recipe in flow with detectors where the mean residence times are those of a series."""
    speed = 1e3 * tube_of(recipe, constants).velocity_m_s
    places = tuple(speed * float(t) for t in data.time_s)
    if places[0] <= 0 or places[-1] > recipe.tube.length_mm * (1.0 + 1e-9):
        raise OptionError(
            f"the series runs from {places[0]:g} to {places[-1]:g} mm, {data.time_s[-1]:g} s from the inlet",
            allowed=f"above 0 and up to {recipe.tube.length_mm:g} mm, where the tube ends",
        )
    places = tuple(min(one, recipe.tube.length_mm) for one in places)
    return recipe.model_copy(update={"observe": recipe.observe.model_copy(update={"detectors": places})})


def _coordinate(name: str, value: float | None) -> float:
    assert value is not None
    return float(np.log(value)) if is_logarithmic(name) else float(value)


def _search(
    problem: _Problem, rng: np.random.Generator, progress: Progress, jobs: int
) -> tuple[FloatArray, float]:
    """The best end of climbs from the best of many points spread evenly over the ranges.

    Points are ordered by sum log(1 + r^2): one that is right about half of the series leads further than one
    that is wrong about all of it by less. Climbs go on until one describes the series.
    """
    from scipy.stats import qmc

    points = qmc.Sobol(len(problem.names), rng=rng).random(_STARTS)
    fine, problem.tolerance = problem.tolerance, max(problem.tolerance, _COARSE)
    levels = []
    for found in in_order(problem.look, points, jobs):
        problem.evaluations += 1
        levels.append(np.inf if found is None else float(np.sum(np.log1p(found * found))))
        progress.advance()
    problem.tolerance = fine
    best, least = points[0], np.inf
    for k in np.argsort(levels)[:_CLIMBS]:
        problem.steps[:] = _STEP
        u, chi2 = _climb(problem, points[k])
        if chi2 < least:
            best, least = u, chi2
        if _describes(problem, least):
            break
    return best, least


def _describes(problem: _Problem, chi2: float) -> bool:
    """Whether a chi^2 is one that noise alone brings, to six standard deviations."""
    free = problem.data.points - len(problem.names)
    return bool(chi2 < free + 6.0 * np.sqrt(2.0 * free))


def _climb(
    problem: _Problem, start: FloatArray, free: Sequence[int] | None = None
) -> tuple[FloatArray, float]:
    """Gauss-Newton with damping inside the unit box, over the free coordinates (None: all)."""
    use = np.arange(len(start)) if free is None else np.array(free, dtype=int)
    u = start.copy()
    r = problem.residuals(u)
    if r is None:
        return u, np.inf
    chi2, damping = float(r @ r), 1e-3
    for _ in range(_MOST_STEPS):
        jacobian = _jacobian(problem, u, use)
        gradient, hessian = jacobian.T @ r, jacobian.T @ jacobian
        # what stands at a wall and is pushed against it stays there
        held = ((u[use] <= 0.0) & (gradient > 0)) | ((u[use] >= 1.0) & (gradient < 0))
        move = np.flatnonzero(~held)
        gained = 0.0
        while len(move) and damping < 1e8:
            step = np.zeros(len(use))
            inner = hessian[np.ix_(move, move)]
            scale = damping * np.maximum(np.diag(inner), 1e-6 * np.trace(inner) + 1e-300)
            step[move] = -np.linalg.solve(inner + np.diag(scale), gradient[move])
            trial = u.copy()
            trial[use] = np.clip(u[use] + np.clip(step, -0.25, 0.25), 0.0, 1.0)
            found = problem.residuals(trial)
            if found is not None and float(found @ found) < chi2:
                gained = chi2 - float(found @ found)
                u, r, chi2, damping = trial, found, float(found @ found), max(0.2 * damping, 1e-9)
                break
            if float(np.abs(step).max()) < 1e-5:
                break
            damping *= 10.0 if damping > 1e-4 else 100.0
        if gained < _TINY:
            break
    return u, chi2


def _jacobian(problem: _Problem, u: FloatArray, use: npt.NDArray[np.int_] | None = None) -> FloatArray:
    """d residual/du by differences, one-sided at a wall; the steps shrink where the engine gives up."""
    columns = []
    for i in range(len(u)) if use is None else use:
        step = problem.steps[i]
        for _ in range(6):
            up, down = u.copy(), u.copy()
            up[i], down[i] = min(u[i] + step, 1.0), max(u[i] - step, 0.0)
            above, below = problem.residuals(up), problem.residuals(down)
            if above is not None and below is not None:
                column = (above - below) / (up[i] - down[i])
                felt = float(np.linalg.norm(above - below)) / _FELT
                wanted = float(np.clip(step / max(felt, 1e-6), _LEAST_STEP, _LARGEST_STEP))
                problem.steps[i] = wanted
                if 0.25 < wanted / step < 4.0:
                    break
                step = wanted
            else:
                step *= 0.3
        else:
            if above is None or below is None:
                raise ConvergenceError(f"the engine gives up beside {problem.values(u)}")
        columns.append(column)
    return np.stack(columns, axis=1)


def _covariance(jacobian: FloatArray) -> FloatArray | None:
    """(J^T J)^-1 in unit coordinates; None where a direction is not determined at all."""
    information = jacobian.T @ jacobian
    eigenvalues = np.linalg.eigvalsh(information)
    if eigenvalues[0] <= 1e-10 * eigenvalues[-1]:
        return None
    return np.asarray(np.linalg.inv(information))


def _interval(
    problem: _Problem, best: FloatArray, chi2: float, covariance: FloatArray | None, i: int
) -> Interval:
    name = problem.names[i]
    ends: list[float | None] = [None, None]
    how, sigma = "profile", None
    if covariance is not None:
        sigma = float(np.sqrt(covariance[i, i]))
        along = covariance[:, i] / covariance[i, i]
        both = [best + sign * np.sqrt(_LEVEL) * sigma * along for sign in (-1.0, 1.0)]
        if all(np.all((end >= 0) & (end <= 1)) for end in both):
            rise = [problem.chi2(end) - chi2 for end in both]
            if all(abs(one / _LEVEL - 1.0) < _PARABOLA for one in rise):
                how, ends = "covariance", [float(both[0][i]), float(both[1][i])]
    if how == "profile":
        step = min(max(sigma or 0.05, 1e-3), 0.1)
        ends = [_profile_end(problem, best, chi2, i, sign * step) for sign in (-1.0, 1.0)]

    def at(u_i: float | None) -> float | None:
        return None if u_i is None else problem.values(np.where(np.arange(len(best)) == i, u_i, best))[name]

    value = at(float(best[i]))
    assert value is not None
    width = None
    if sigma is not None:
        slope = (problem.high[i] - problem.low[i]) * (value if is_logarithmic(name) else 1.0)
        width = sigma * slope
    return Interval(name, value, at(ends[0]), at(ends[1]), width, priors()[name].unit, how)


def _profile_end(problem: _Problem, best: FloatArray, chi2: float, i: int, step: float) -> float | None:
    """Where the profile of chi^2 is 3.84 above its minimum, on one side; None: nowhere in the prior."""
    others = [j for j in range(len(best)) if j != i]
    near, inside, low = best, float(best[i]), 0.0

    def rise(value: float, start: FloatArray) -> tuple[float, FloatArray]:
        u = start.copy()
        u[i] = value
        if not others:
            return problem.chi2(u) - chi2, u
        found, level = _climb(problem, u, others)
        return level - chi2, found

    for _ in range(30):
        outside = float(np.clip(inside + step, 0.0, 1.0))
        if outside == inside:
            return None
        high, there = rise(outside, near)
        if high > _LEVEL:
            break
        inside, low, near, step = outside, high, there, 1.6 * step
    else:
        return None
    for _ in range(12):  # regula falsi on the root of the rise, which is nearly linear
        a, b = np.sqrt(max(low, 0.0)), np.sqrt(min(high, 1e6))
        middle = inside + (outside - inside) * float(np.clip((np.sqrt(_LEVEL) - a) / (b - a), 0.1, 0.9))
        level, there = rise(middle, near)
        if abs(level - _LEVEL) < 0.02 * _LEVEL:
            return middle
        if level > _LEVEL:
            outside, high = middle, level
        else:
            inside, low, near = middle, level, there
    return 0.5 * (inside + outside)


def _sampled(
    problem: _Problem,
    best: FloatArray,
    covariance: FloatArray | None,
    count: int,
    rng: np.random.Generator,
    progress: Progress,
) -> Samples:
    spread = np.full(len(best), 0.05) if covariance is None else np.sqrt(np.diag(covariance))

    def log_density(u: FloatArray) -> float:
        return -np.inf if np.any((u < 0) | (u > 1)) else -0.5 * problem.chi2(u)

    drawn = sample_ensemble(log_density, best, np.minimum(spread, 0.1), count, rng, progress=progress)
    values = [problem.values(np.clip(u, 0.0, 1.0)) for u in drawn.values]
    table = np.array([[one[name] for name in problem.names] for one in values])
    return Samples(table, drawn.log_density, drawn.autocorrelation, drawn.acceptance)


def _warnings(problem: _Problem, best: FloatArray, chi2: float, data: GrowthData) -> tuple[str, ...]:
    found = list(data.warnings)
    free = data.points - len(problem.names)
    if free > 0 and chi2 > free + 4.0 * np.sqrt(2.0 * free):
        found.append(
            f"chi2 {chi2:.4g} for {free} degrees of freedom: the model does not describe the series within "
            "its errors, and the intervals are too narrow"
        )
    near = [problem.residuals(np.clip(best + k * 1e-9, 0.0, 1.0)) for k in range(3)]
    apart = [b - a for a, b in itertools.pairwise(near) if a is not None and b is not None]
    noise = max((float(np.linalg.norm(one)) for one in apart), default=0.0)
    if noise > _LOUD:
        found.append(
            f"the engine's own noise moves the series by {noise:.2g} standard deviations: chi2 and intervals "
            "are good to about that; a tighter tolerance lowers it"
        )
    if problem.least < chi2 - _BETTER:
        found.append(
            f"chi2 falls to {problem.least:.4g} elsewhere along a valley that the fit did not follow to its "
            "end: start again with other constants, or fit fewer"
        )
    for name, u in zip(problem.names, best, strict=True):
        if u <= 0.0 or u >= 1.0:
            end = "lower" if u <= 0.0 else "upper"
            found.append(f"{name} stands at the {end} end of its prior")
    return tuple(found)
