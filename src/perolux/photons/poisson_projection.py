"""Poisson fits of sums with amplitudes that are not negative: only the shapes are searched.

    m = e (Phi(theta) c + b),   D(theta) = min over c >= 0 of 2 sum[n ln(n/m) - n + m]

The inner problem is convex and solved by Newton's method with an active set; outside, Fisher scoring with
damping goes over theta with the information that is left once the amplitudes adapt, S = F_tt - F_tc F_cc^-1
F_ct. At the optimum sum(m) = sum(n) where any column is free to scale. Several curves may share parameters.
This is variable projection for Poisson counts; least squares has it in `fitting.fit_separable`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import ConvergenceError

__all__ = ["Curve", "Optimum", "covariance", "minimise", "non_negative", "profile"]

FloatArray = npt.NDArray[np.float64]
Columns = Callable[[FloatArray], tuple[FloatArray, FloatArray]]

_INNER, _OUTER = 80, 200
_FORWARD, _AGAIN = 8, 3
"""Steps of expectation maximisation first, and from amplitudes that are nearly right."""
_GRADIENT = 1e-10
"""Of a count: where moving an amplitude by its own size changes ln L by less, it is found."""
_NOTHING = 1e-100
"""A model below this is 0; its reciprocal and square are still numbers."""
_RELEASE = 1e-7
"""An amplitude of 0 is let go where a count of it would raise ln L by more."""
_GAIN = 1e-8
"""Deviance that one more step promises; below, the search ends."""


@dataclass(frozen=True, eq=False)
class Curve:
    """One histogram and its model.

    counts, fixed: shape (m,), fixed: a known part of the model. columns: own parameters, shape (q,), -> Phi
    (m, p) and dPhi (q, m, p), exposure included. index: which of all parameters are its own, shape (q,).
    """

    counts: FloatArray
    fixed: FloatArray
    columns: Columns
    index: npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Optimum:
    """theta, shape (k,); amplitudes of each curve, (p,); deviance; converged."""

    theta: FloatArray
    amplitudes: tuple[FloatArray, ...]
    deviance: float
    converged: bool


def deviance_of(n: FloatArray, m: FloatArray) -> float:
    """Deviance; infinite where the model forbids counts that are there."""
    there = n > 0
    if np.any(m[there] <= 0) or not np.isfinite(m).all():
        return float(np.inf)
    return float(2 * (np.sum(m) - np.sum(n) - np.sum(n[there] * np.log(m[there] / n[there]))))


def non_negative(
    n: FloatArray, phi: FloatArray, fixed: FloatArray, start: FloatArray | None = None
) -> FloatArray:
    """Amplitudes c >= 0 of least deviance for m = phi c + fixed; shape (p,). phi must not be negative."""
    from perolux.photons._projection_kernels import amplitudes

    size = phi.sum(axis=0)
    unit = np.where(size > 0, size, 1.0)
    columns = np.ascontiguousarray((phi / unit).T)  # amplitudes in counts
    total = max(float(n.sum()), 1.0)
    c = np.full(len(unit), total / len(unit)) if start is None else np.maximum(start * unit, 1e-4 * total)
    known = np.ascontiguousarray(np.broadcast_to(fixed, n.shape), dtype=float)
    amplitudes(
        np.ascontiguousarray(n, dtype=float), columns, known, c, size > 0,
        _FORWARD if start is None else _AGAIN, _INNER, _GRADIENT, _RELEASE, _NOTHING,
    )  # fmt: skip
    return np.asarray(c / unit)


def _evaluate(
    curves: Sequence[Curve], theta: FloatArray, starts: Sequence[FloatArray | None]
) -> tuple[float, list[FloatArray], list[FloatArray], list[FloatArray]]:
    deviance, amplitudes, columns, slopes = 0.0, [], [], []
    for curve, start in zip(curves, starts, strict=True):
        phi, slope = curve.columns(theta[curve.index])
        if not (np.isfinite(phi).all() and np.isfinite(slope).all()):
            return float(np.inf), [], [], []
        c = non_negative(curve.counts, phi, curve.fixed, start)
        deviance += deviance_of(curve.counts, phi @ c + curve.fixed)
        amplitudes.append(c)
        columns.append(phi)
        slopes.append(slope)
    return deviance, amplitudes, columns, slopes


def _information(
    curves: Sequence[Curve], count: int, amplitudes: Sequence[FloatArray], columns: Sequence[FloatArray],
    slopes: Sequence[FloatArray],
) -> tuple[FloatArray, FloatArray]:  # fmt: skip
    """Gradient of -ln L by theta, (k,), and the information left once amplitudes adapt, (k, k)."""
    gradient, left = np.zeros(count), np.zeros((count, count))
    for curve, c, phi, slope in zip(curves, amplitudes, columns, slopes, strict=True):
        m = phi @ c + curve.fixed
        there = m > _NOTHING
        j = np.where(there, slope @ c, 0.0)
        f = phi[:, c > 0] * there[:, None]
        w = np.divide(1.0, m, out=np.zeros_like(m), where=there)
        gradient[curve.index] += j @ (1 - curve.counts * w) + 0.0
        cross = (j * w) @ f
        inner = f.T @ (f * w[:, None])
        s = (j * w) @ j.T
        if f.shape[1]:
            s = s - cross @ np.linalg.lstsq(inner, cross.T, rcond=1e-14)[0]
        left[np.ix_(curve.index, curve.index)] += s
    return gradient, left


def minimise(
    curves: Sequence[Curve],
    start: FloatArray,
    low: FloatArray,
    high: FloatArray,
    *,
    free: npt.NDArray[np.bool_] | None = None,
    amplitudes: Sequence[FloatArray] | None = None,
) -> Optimum:
    """Least deviance over theta within bounds, from one start; `free`, shape (k,), holds the others where
    they are.
    """
    theta = np.clip(np.asarray(start, dtype=float), low, high)
    moving = np.ones(len(theta), dtype=bool) if free is None else free
    begin: Sequence[FloatArray | None] = amplitudes if amplitudes is not None else [None] * len(curves)
    value, c, phi, slope = _evaluate(curves, theta, begin)
    if not np.isfinite(value):
        raise ConvergenceError("the model is 0 where there are counts", fix="let the background be free")
    damping = 1e-4
    for _ in range(_OUTER):
        gradient, s = _information(curves, len(theta), c, phi, slope)
        held = ~moving | ((theta <= low) & (gradient > 0)) | ((theta >= high) & (gradient < 0))
        diagonal = np.diag(s).copy()
        held |= diagonal <= 1e-12 * max(float(diagonal.max(initial=0.0)), 1e-300)
        act = np.flatnonzero(~held)
        if not len(act):
            return Optimum(theta, tuple(c), value, True)
        width = np.sqrt(diagonal[act])
        matrix, pull = s[np.ix_(act, act)] / np.outer(width, width), gradient[act] / width
        for _ in range(30):
            step = np.zeros_like(theta)
            step[act] = -np.linalg.solve(matrix + damping * np.eye(len(act)), pull) / width
            longest = np.max(np.abs(step))
            trial = np.clip(theta + step * min(1.0, 1.5 / max(longest, 1e-300)), low, high)
            promise = -float(gradient @ (trial - theta))
            if promise < _GAIN:
                return Optimum(theta, tuple(c), value, True)
            found = _evaluate(curves, trial, c)
            if found[0] < value:
                damping = max(damping / 5, 1e-9)
                break
            damping = max(4 * damping, 1e-6)
        else:
            return Optimum(theta, tuple(c), value, promise < 1e-4)
        gained = value - found[0]
        theta, (value, c, phi, slope) = trial, found
        if gained < 0.1 * _GAIN and promise < 1e3 * _GAIN:
            return Optimum(theta, tuple(c), value, True)
    return Optimum(theta, tuple(c), value, False)


def covariance(
    curves: Sequence[Curve], at: Optimum, low: FloatArray, high: FloatArray
) -> tuple[FloatArray | None, list[FloatArray | None]]:
    """Inverse of the Fisher information: of theta, (k, k), and of each curve's amplitudes, (p, p).

    Rows of what lies on a bound are NaN; None where the data do not determine the rest.
    """
    count = len(at.theta)
    _, c, phi, slope = _evaluate(curves, at.theta, at.amplitudes)
    _, s = _information(curves, count, c, phi, slope)
    diagonal = np.diag(s)
    inner = (
        (at.theta > low)
        & (at.theta < high)
        & (diagonal > 1e-12 * max(float(diagonal.max(initial=0)), 1e-300))
    )
    act = np.flatnonzero(inner)
    width = np.sqrt(diagonal[act])
    scaled = s[np.ix_(act, act)] / np.outer(width, width)
    if len(act) and np.linalg.eigvalsh(scaled)[0] < 1e-10:
        return None, [None] * len(curves)
    whole = np.full((count, count), np.nan)
    small = np.linalg.inv(scaled) / np.outer(width, width) if len(act) else np.zeros((0, 0))
    whole[np.ix_(act, act)] = small
    parts: list[FloatArray | None] = []
    for curve, cc, p, d in zip(curves, c, phi, slope, strict=True):
        m = p @ cc + curve.fixed
        w = np.divide(1.0, m, out=np.zeros_like(m), where=m > _NOTHING)
        live = cc > 0
        f = p[:, live]
        own = np.zeros((count, len(m)))
        own[curve.index] = d @ cc
        solve = np.linalg.pinv(f.T @ (f * w[:, None]), rcond=1e-14)
        moved = solve @ (f.T * w) @ own[act].T  # by how much amplitudes give way to theta
        part = np.full((len(cc), len(cc)), np.nan)
        part[np.ix_(live, live)] = solve + moved @ small @ moved.T
        parts.append(part)
    return whole, parts


def profile(
    curves: Sequence[Curve],
    best: Optimum,
    i: int,
    step: float,
    threshold: float,
    low: FloatArray,
    high: FloatArray,
) -> tuple[float | None, float | None, Optimum | None]:
    """Where the deviance, minimised over all but theta_i, has risen by `threshold`; None where it never does.

    The third is an optimum better than `best`, where the profile ran into one.
    """
    free = np.ones(len(best.theta), dtype=bool)
    free[i] = False
    ends: list[float | None] = []
    for sign in (-1.0, 1.0):
        bound = float(low[i] if sign < 0 else high[i])
        near, inside, below, reach = best, float(best.theta[i]), -threshold, sign * step
        end = None
        for _ in range(60):
            outside = inside + reach
            if (outside - bound) * sign >= 0:
                outside = bound
            if outside == inside:
                break
            there = _held(curves, near, i, outside, low, high, free)
            if there.deviance < best.deviance - 1e-3:
                return None, None, there
            above = there.deviance - best.deviance - threshold
            if above > 0:
                end, better = _cross(
                    curves,
                    near,
                    i,
                    (inside, below),
                    (outside, above),
                    best.deviance + threshold,
                    low,
                    high,
                    free,
                )
                if better is not None:
                    return None, None, better
                break
            if outside == bound:
                break
            # the next step by the parabola that these two points tell
            grown = np.sqrt(threshold / max(above + threshold, 0.05 * threshold))
            reach = (outside - float(best.theta[i])) * min(max(1.1 * float(grown) - 1.0, 0.2), 2.0)
            near, inside, below = there, outside, above
        ends.append(end)
    return ends[0], ends[1], None


def _held(
    curves: Sequence[Curve], near: Optimum, i: int, value: float, low: FloatArray, high: FloatArray,
    free: npt.NDArray[np.bool_],
) -> Optimum:  # fmt: skip
    start = near.theta.copy()
    start[i] = value
    return minimise(curves, start, low, high, free=free, amplitudes=near.amplitudes)


def _cross(
    curves: Sequence[Curve], near: Optimum, i: int, inside: tuple[float, float], outside: tuple[float, float],
    level: float, low: FloatArray, high: FloatArray, free: npt.NDArray[np.bool_],
) -> tuple[float, Optimum | None]:  # fmt: skip
    """The crossing between two values: false position, Illinois' rule."""
    (a, fa), (b, fb) = inside, outside
    for _ in range(30):
        x = b - fb * (b - a) / (fb - fa)
        there = _held(curves, near, i, x, low, high, free)
        f = there.deviance - level
        if abs(f) < 1e-3:
            return x, None
        if (f > 0) == (fb > 0):
            fa *= 0.5
        else:
            a, fa = b, fb
        b, fb = x, f
    return b, None
