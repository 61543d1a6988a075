"""Bounded least squares that does not believe itself: scaled parameters, and checks of what came out.

Minimises chi^2(p) = sum r_i(p)^2 for weighted residuals r = (data - model)/sigma with the trust-region
reflective method of scipy. Afterwards it is checked that the gradient vanished, that parameters moved where
they should have, and that the data determine them all; what is wrong is an error or a warning sentence.
Covariance: (J^T J)^-1 at the solution (times chi^2/(n - k) where the errors are only relative).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from perolux.errors import ConvergenceError, OptionError
from perolux.threads import one_thread

__all__ = ["FitResult", "least_squares"]

FloatArray = npt.NDArray[np.float64]
Residual = Callable[[FloatArray], npt.ArrayLike]

GRADIENT_LIMIT = 1e-3
"""Largest cosine between the residuals and a column of J that passes for a minimum."""
DIFFERENCE = 6e-6
"""Step of a difference in units of a parameter: the cube root of the machine's precision."""
RANK_LIMIT = 1e-8
"""Singular values of the column-scaled J below this fraction of the largest count as zero.

A difference is wrong by 1e-10 of the residual's terms, so that J of parameters that do the same has singular
values of up to 1e-9 instead of 0; the hardest of the NIST problems (Bennett5) has 2e-5."""


@dataclass(frozen=True, eq=False)
class FitResult:
    """What a fit found, and how far it can be believed.

    values: shape (k,). sigma: one for each parameter, None where a bound or missing rank leaves none (then
    `warnings` says why). covariance: shape (k, k), rows and columns of parameters on a bound are 0; None
    where the data do not determine all free parameters. chi2: sum of squared residuals.
    reduced_chi2: None without degrees of freedom. gradient: largest |cosine| between residuals and a column
    of J, 0 at an exact minimum. rank: of J for the free parameters. at_bound, moved: one for each parameter.
    """

    names: tuple[str, ...]
    values: FloatArray
    sigma: tuple[float | None, ...]
    covariance: FloatArray | None
    chi2: float
    degrees_of_freedom: int
    residuals: FloatArray
    jacobian: FloatArray
    gradient: float
    rank: int
    at_bound: tuple[bool, ...]
    moved: tuple[bool, ...]
    evaluations: int
    absolute_sigma: bool
    warnings: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> float:
        if name not in self.names:
            raise OptionError(f"no parameter is called {name!r}", allowed=", ".join(self.names))
        return float(self.values[self.names.index(name)])

    @property
    def reduced_chi2(self) -> float | None:
        """chi^2 per degree of freedom, about 1 for a true model with true errors."""
        return self.chi2 / self.degrees_of_freedom if self.degrees_of_freedom > 0 else None

    @property
    def correlation(self) -> FloatArray | None:
        """Correlation matrix, shape (k, k), 0 beside parameters on a bound; None as `covariance`."""
        if self.covariance is None:
            return None
        width = np.sqrt(np.diag(self.covariance))
        safe = np.where(width > 0, width, 1.0)
        return self.covariance / np.outer(safe, safe)

    def __repr__(self) -> str:
        pairs = zip(self.names, self.values, self.sigma, strict=True)
        lines = [f"<FitResult: chi2 {self.chi2:.6g}, {self.degrees_of_freedom} degrees of freedom>"]
        lines += [f"  {n} = {v:.6g}" + (f" ± {s:.2g}" if s is not None else "") for n, v, s in pairs]
        return "\n".join(lines + [f"  warning: {text}" for text in self.warnings])


@one_thread()
def least_squares(
    residual: Residual,
    start: npt.ArrayLike,
    *,
    names: Sequence[str] | None = None,
    low: npt.ArrayLike | None = None,
    high: npt.ArrayLike | None = None,
    scale: npt.ArrayLike | None = None,
    jacobian: Callable[[FloatArray], npt.ArrayLike] | None = None,
    absolute_sigma: bool = True,
    max_evaluations: int = 2000,
    tolerance: float = 1e-10,
) -> FitResult:
    """Fit parameters p, shape (k,), so that the sum of squared weighted residuals is least.

    residual: p -> (data - model(p))/sigma, shape (n,), n >= k. low, high: bounds, default none. scale:
    typical size of a change of each parameter; default |start|, or a tenth of the bounds, or 1. jacobian:
    p -> dr/dp, shape (n, k); finite differences without it. absolute_sigma: False where the errors are known
    only up to a common factor, which then comes from chi^2.

    Raises `OptionError` for input that is no fit problem, `ConvergenceError` where the residuals are not
    finite at the start, the evaluations run out, or the gradient is not zero at the end.

    >>> x = np.arange(5.0)
    >>> fit = least_squares(lambda p: 2 * x + 1 - (p[0] * x + p[1]), [1.0, 0.0], names=["slope", "offset"])
    >>> round(fit["slope"], 9), round(fit["offset"], 9)
    (2.0, 1.0)
    """
    p0, bounds, width, labels = check_problem(start, low, high, scale, names)
    first = _evaluate(residual, p0)
    if len(first) < len(p0):
        raise OptionError(f"{len(first)} residuals cannot determine {len(p0)} parameters")
    found = _search(residual, jacobian, p0, bounds, width, len(first), max_evaluations, tolerance)
    if scale is None:
        # A start far too large makes the unit of a parameter, and so its difference steps, too coarse.
        finer = np.minimum(width, np.maximum(_natural_width(found), 1e-6 * width))
        if np.any(finer < 0.1 * width):
            width, spent = finer, found.evaluations
            left = max(max_evaluations - spent, 1)
            found = _search(residual, jacobian, found.values, bounds, width, len(first), left, tolerance)
            found = replace(found, evaluations=found.evaluations + spent)
    if not _perfect(found, first, width):
        found = _put_on_bounds(found, residual, bounds, width)
    return _judge(found, first, p0, bounds, width, labels, absolute_sigma)


def central_differences(
    function: Callable[[FloatArray], FloatArray],
    p: FloatArray,
    width: FloatArray,
    bounds: tuple[FloatArray, FloatArray],
) -> FloatArray:
    """df/dp by central differences, one-sided at a bound and where f ends; shape (k, *shape of f).

    width: typical size of each parameter. Error about 1e-10 relative (central). Raises `ConvergenceError`
    where f is not finite on either side of p.
    """
    parts = []
    for i, h in enumerate(DIFFERENCE * np.maximum(np.abs(p), width)):
        up, down = p.copy(), p.copy()
        up[i], down[i] = min(p[i] + h, bounds[1][i]), max(p[i] - h, bounds[0][i])
        above, below = function(up), function(down)
        if not np.isfinite(below).all():
            below, down = function(p), p
        elif not np.isfinite(above).all():
            above, up = function(p), p
        parts.append((above - below) / (up[i] - down[i]))
    slopes = np.stack(parts)
    if not np.isfinite(slopes).all():
        raise ConvergenceError(
            f"the model is not defined beside parameters {np.array2string(p, precision=6)}",
            fix="give bounds that keep the model defined, or better start values",
        )
    return slopes


@dataclass(frozen=True, eq=False)
class _Found:
    """Where a search ended; residuals and Jacobian (n, k) there."""

    values: FloatArray
    residuals: FloatArray
    jacobian: FloatArray
    evaluations: int
    ran_out: bool


def _search(
    residual: Residual,
    jacobian: Callable[[FloatArray], npt.ArrayLike] | None,
    p0: FloatArray,
    bounds: tuple[FloatArray, FloatArray],
    width: FloatArray,
    n: int,
    max_evaluations: int,
    tolerance: float,
) -> _Found:
    """scipy's trust-region reflective search in units of `width`."""
    from scipy.optimize import least_squares as scipy_least_squares

    def plain(p: FloatArray) -> FloatArray:
        # a step to where the model is not defined is one that the search takes back; it must not end it
        return _evaluate(residual, p, n, finite=False)

    def slopes(u: FloatArray) -> FloatArray:
        if jacobian is None:
            return _felt_slopes(plain, u * width, width, bounds) * width
        found = np.asarray(jacobian(u * width), dtype=float)
        if found.shape != (n, len(p0)) or not np.isfinite(found).all():
            raise OptionError(f"a Jacobian of shape {found.shape}", allowed=f"{(n, len(p0))}, finite numbers")
        return found * width

    found = scipy_least_squares(
        lambda u: plain(u * width),
        p0 / width,
        jac=slopes,
        bounds=(bounds[0] / width, bounds[1] / width),
        x_scale="jac",
        # chi^2 is flat at its minimum: p is known to the square root of what chi^2 is
        ftol=max(tolerance**2, 1e-15),
        xtol=tolerance,
        gtol=1e-15,
        max_nfev=max_evaluations,
    )
    return _Found(found.x * width, found.fun, found.jac / width, int(found.nfev), found.status == 0)


def _felt_slopes(
    residual: Callable[[FloatArray], FloatArray],
    p: FloatArray,
    width: FloatArray,
    bounds: tuple[FloatArray, FloatArray],
) -> FloatArray:
    """dr/dp by differences, shape (n, k); 0 where a difference is no more than the rounding of r's terms."""
    slopes = central_differences(residual, p, width, bounds).T
    norms = np.linalg.norm(slopes, axis=0)
    change = 2 * DIFFERENCE * np.maximum(np.abs(p), width) * norms
    rounding = 4 * np.finfo(float).eps * _terms(p, residual(p), norms)
    return np.where(change < rounding, 0.0, slopes)


def _terms(p: FloatArray, residuals: FloatArray, norms: FloatArray) -> float:
    """Size of what is added up to the residuals, whose rounding they carry; norms: of the columns of J."""
    return float(np.linalg.norm(residuals) + np.max(norms * np.abs(p)))


def _natural_width(found: _Found) -> FloatArray:
    """Size of each parameter, or a thousand times the change that the residuals can tell where that is more.

    A parameter that came out as nothing (a background of 0) has no size: differences in units of it would
    lie below the rounding of the residuals. A thousand: differences then step over 6e-3 of that change. Of
    perfect data a millionth of the terms counts, for differences of 1e5 roundings.
    """
    norms = np.linalg.norm(found.jacobian, axis=0)
    scatter = math.sqrt(float(found.residuals @ found.residuals) / len(found.residuals))
    told = max(1e3 * scatter, 1e-6 * _terms(found.values, found.residuals, norms))
    change = np.zeros_like(norms)
    np.divide(told, norms, out=change, where=norms > 0)
    return np.maximum(np.abs(found.values), change)


def _put_on_bounds(
    found: _Found, residual: Residual, bounds: tuple[FloatArray, FloatArray], width: FloatArray
) -> _Found:
    """The search ends beside a bound, by how much is rounding: go onto it where chi^2 falls that way."""
    low, high = bounds
    nearest = np.where(found.values - low < high - found.values, low, high)
    # 1e-4: seen at up to 1e-6; a minimum that lies between has chi^2 rising to the bound, and stays
    near = np.abs(found.values - nearest) <= 1e-4 * np.maximum(np.abs(found.values), width)
    values = np.where(near, nearest, found.values)
    near &= (found.jacobian.T @ found.residuals) * (values - found.values) <= 0
    if not near.any():
        return found
    values = np.where(near, nearest, found.values)
    residuals = _evaluate(residual, values, len(found.residuals), finite=False)
    chi2 = float(found.residuals @ found.residuals)
    # 1e-12: rounding of a sum of squares; not finite where the model ends at its bound
    if not float(residuals @ residuals) <= chi2 * (1 + 1e-12):
        return found
    return replace(found, values=values, residuals=residuals, evaluations=found.evaluations + 1)


def check_problem(
    start: npt.ArrayLike,
    low: npt.ArrayLike | None,
    high: npt.ArrayLike | None,
    scale: npt.ArrayLike | None,
    names: Sequence[str] | None,
) -> tuple[FloatArray, tuple[FloatArray, FloatArray], FloatArray, tuple[str, ...]]:
    """Start values, bounds, scale and names, each of length k; `OptionError` where they are wrong."""
    p0 = np.atleast_1d(np.asarray(start, dtype=float))
    if p0.ndim != 1 or not p0.size or not np.isfinite(p0).all():
        raise OptionError("the start values must be a list of finite numbers")
    k = len(p0)
    try:
        below = np.broadcast_to(np.asarray(-np.inf if low is None else low, dtype=float), (k,)).copy()
        above = np.broadcast_to(np.asarray(np.inf if high is None else high, dtype=float), (k,)).copy()
        given = None if scale is None else np.broadcast_to(np.asarray(scale, dtype=float), (k,)).copy()
    except ValueError as error:
        raise OptionError(f"bounds and scale need one entry for each of {k} parameters") from error
    if np.isnan(below).any() or np.isnan(above).any() or np.any(below >= above):
        raise OptionError("each lower bound must lie below its upper bound")
    outside = np.flatnonzero((p0 < below) | (p0 > above))
    labels = tuple(names) if names is not None else tuple(f"p{i}" for i in range(k))
    if len(labels) != k or len(set(labels)) != k:
        raise OptionError(f"{len(labels)} names for {k} parameters, or one name twice")
    if outside.size:
        i = int(outside[0])
        raise OptionError(
            f"the start value {p0[i]:g} lies outside its bounds",
            where=labels[i],
            allowed=f"{below[i]:g} to {above[i]:g}",
        )
    span = np.where(np.isfinite(above) & np.isfinite(below), (above - below) / 10, 1.0)
    width = np.where(p0 != 0, np.abs(p0), span) if given is None else given
    if not np.isfinite(width).all() or np.any(width <= 0):
        raise OptionError("the scale of a parameter must be positive")
    return p0, (below, above), width, labels


def _evaluate(
    residual: Residual, p: FloatArray, length: int | None = None, *, finite: bool = True
) -> FloatArray:
    values = np.asarray(residual(p), dtype=float)
    if values.ndim != 1 or (length is not None and len(values) != length):
        raise OptionError(
            f"the residuals have shape {values.shape}", allowed="one axis, always the same length"
        )
    if finite and not np.isfinite(values).all():
        raise ConvergenceError(
            f"the residuals are not finite at parameters {np.array2string(p, precision=6)}",
            fix="choose other start values, or bounds that keep the model defined",
        )
    return values


def _judge(
    found: _Found,
    first: FloatArray,
    p0: FloatArray,
    bounds: tuple[FloatArray, FloatArray],
    width: FloatArray,
    names: tuple[str, ...],
    absolute_sigma: bool,
) -> FitResult:
    values, residuals = found.values, found.residuals
    jac, u = found.jacobian * width, values / width
    at_bound = _on_bound(u, bounds, width)
    free = ~at_bound
    chi2 = float(residuals @ residuals)
    perfect = _perfect(found, first, width)
    norms = np.linalg.norm(jac, axis=0)
    cosines = np.zeros(len(u))
    if not perfect and chi2 > 0:
        np.divide(np.abs(jac.T @ residuals), norms * math.sqrt(chi2), out=cosines, where=norms > 0)
    gradient = float(cosines[free].max(initial=0.0))
    if found.ran_out or gradient > GRADIENT_LIMIT:
        what = "the evaluations ran out" if found.ran_out else "the search stopped away from a minimum"
        raise ConvergenceError(
            f"{what} after {found.evaluations} steps: chi2 = {chi2:.6g}, gradient cosine {gradient:.1e}, at "
            + ", ".join(f"{name} = {value:.6g}" for name, value in zip(names, values, strict=True)),
            allowed=f"a gradient cosine below {GRADIENT_LIMIT:g}",
            fix="choose start values nearer to the solution, give scales, or allow more evaluations",
        )
    moved = np.abs(values - p0) > 1e-9 * width
    rank, covariance, warnings = _covariance(jac, norms, free, width, names)
    dof = len(residuals) - int(free.sum())
    if covariance is not None and not absolute_sigma:
        if dof <= 0:
            covariance = None
            warnings.append("no sigma: as many parameters as points, and the size of the errors is not known")
        else:
            covariance = covariance * (chi2 / dof)
    warnings += [f"{names[i]} lies on a bound ({values[i]:.6g}): no sigma" for i in np.flatnonzero(at_bound)]
    if not moved.any() and not perfect:
        warnings.append("no parameter moved from its start value")
    sigma = tuple(
        None if covariance is None or on else math.sqrt(max(float(covariance[i, i]), 0.0))
        for i, on in enumerate(at_bound)
    )
    return FitResult(
        names=names,
        values=values,
        sigma=sigma,
        covariance=covariance,
        chi2=chi2,
        degrees_of_freedom=dof,
        residuals=residuals,
        jacobian=found.jacobian,
        gradient=gradient,
        rank=rank,
        at_bound=tuple(bool(x) for x in at_bound),
        moved=tuple(bool(x) for x in moved),
        evaluations=found.evaluations,
        absolute_sigma=absolute_sigma,
        warnings=tuple(warnings),
    )


def _perfect(found: _Found, first: FloatArray, width: FloatArray) -> bool:
    """Residuals at the level of rounding are a perfect fit, whatever direction they point to.

    Against those of the start, or where it was the solution, against a change of a parameter by its size.
    """
    size = max(float(np.linalg.norm(first)), float(np.linalg.norm(found.jacobian * width, axis=0).max()))
    return float(np.linalg.norm(found.residuals)) <= 1e-12 * max(size, 1e-150)


def _on_bound(
    u: FloatArray, bounds: tuple[FloatArray, FloatArray], width: FloatArray
) -> npt.NDArray[np.bool_]:
    # the reflective method stays strictly inside and approaches a bound only to about this distance
    near = 1e-7 * np.maximum(np.abs(u), 1.0)
    return (u - bounds[0] / width < near) | (bounds[1] / width - u < near)


def _covariance(
    jac: FloatArray, norms: FloatArray, free: npt.NDArray[np.bool_], width: FloatArray, names: tuple[str, ...]
) -> tuple[int, FloatArray | None, list[str]]:
    """Rank of J for the free parameters, covariance for unit errors (None without full rank), warnings."""
    index = np.flatnonzero(free)
    covariance = np.zeros((len(free), len(free)))
    if not index.size:
        return 0, covariance, []
    norm = np.where(norms[index] > 0, norms[index], 1.0)
    _, singular, rows = np.linalg.svd(jac[:, index] / norm, full_matrices=False)
    rank = int(np.count_nonzero(singular > RANK_LIMIT * max(float(singular[0]), 1e-300)))
    if rank < len(index):
        loose = np.flatnonzero(np.abs(rows[rank:]).max(axis=0) > 0.1)
        which = ", ".join(names[index[i]] for i in loose)
        return rank, None, [f"the data do not determine {which}: rank {rank} of {len(index)}, no sigma"]
    half = rows.T / singular * (width[index] / norm)[:, None]
    covariance[np.ix_(index, index)] = half @ half.T
    return rank, covariance, []
