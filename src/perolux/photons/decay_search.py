"""The best fit of one model: its columns, starts from a grid of lifetimes, each start followed to its end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from itertools import combinations

import numpy as np
import numpy.typing as npt

from perolux.errors import ConvergenceError, ModelRangeError, OptionError
from perolux.photons.dark_record import DarkRecord
from perolux.photons.decay_models import exponential_columns, lifetime_limits
from perolux.photons.decay_result import Histogram, Starts
from perolux.photons.decay_shapes import SHAPES, shape_column
from perolux.photons.instrument_response import GaussianResponse
from perolux.photons.poisson_projection import Curve, Optimum, minimise, non_negative

__all__ = ["count_of", "lifetimes_of", "model_curve", "search", "title_of"]

FloatArray = npt.NDArray[np.float64]

_GRID, _COARSE_BINS, _FOLLOWED = 10, 400, 5
_SHIFT_BINS, _SHIFT_SIGMAS = 10.0, 3.0
_SAME = 0.5
"""Optima whose deviances differ by less are one."""


def search(
    h: Histogram,
    name: str,
    fixed: float | None,
    moves: bool,
    before: Optimum | None,
    given: Sequence[float] | None,
) -> tuple[Optimum, Starts]:
    """The best optimum of a model over several starts (or the given lifetimes), and how they ended."""
    curve, low, high = model_curve(h, name, fixed, moves)
    if given is not None:
        if not all(math.isfinite(x) and x > 0 for x in given):
            raise OptionError("lifetimes to start from", allowed="positive numbers")
        second = [SHAPES[name].guesses[0]] if name in SHAPES else []
        begin = [np.array([*np.log(given), *second, *([0.0] * moves)])]
    else:
        begin = _begin(h, name, fixed, moves, before)
    good = []
    for one in begin:
        with suppress(ConvergenceError):  # a start where the model cannot be
            found = minimise([curve], one, low, high)
            if found.converged:
                good.append(found)
    if not good:
        raise ConvergenceError(
            f"no start of {title_of(name)} converged",
            fix="fit fewer components, or a range without artefacts",
        )
    good.sort(key=lambda one: one.deviance)
    best = good[0]
    others = [one for one in good if one.deviance > best.deviance + _SAME]
    return best, Starts(
        len(begin),
        len(good) - len(others),
        tuple(one.deviance for one in good),
        lifetimes_of(name, others[0].theta) if others else None,
    )


def _begin(
    h: Histogram, name: str, fixed: float | None, moves: bool, before: Optimum | None
) -> list[FloatArray]:
    """Starts: the best sets of lifetimes on a grid, on merged bins, with the response where the rise says it
    is.
    """
    n, k = len(h.counts), count_of(name)
    low, high = lifetime_limits(n, h.bin_ns, h.response)
    window = n * h.bin_ns
    nodes = np.geomspace(max(low, 0.7 * h.bin_ns), min(high, 2 * window), _GRID)
    where = np.flatnonzero(h.used)
    merged = np.unique(np.linspace(0, len(where), min(_COARSE_BINS, len(where)) + 1).astype(int)[:-1])
    counts = np.add.reduceat(h.counts[where], merged)
    shifts = _shift_guesses(h, nodes) if moves else [0.0]
    ranked = []
    for shift in shifts:
        phi, _, _ = exponential_columns(nodes, n, h.bin_ns, h.response, period_ns=h.period_ns, shift_ns=shift)
        phi = np.add.reduceat(phi[where] * h.exposure[where][:, None], merged, axis=0)
        flat = np.add.reduceat(h.exposure[where], merged)
        for chosen in combinations(range(_GRID), k):
            columns = phi[:, chosen] if fixed is not None else np.column_stack([phi[:, chosen], flat])
            known = flat * (fixed or 0.0)
            c = non_negative(counts, columns, known)
            m = columns @ c + known
            there = counts > 0
            with np.errstate(divide="ignore"):
                value = float(m.sum() - counts[there] @ np.log(np.maximum(m[there], 1e-300)))
            ranked.append((value, [*np.log(nodes[list(chosen)])], shift))
    ranked.sort(key=lambda one: one[0])
    kept = ranked[:_FOLLOWED]
    seconds = [[x] for x in SHAPES[name].guesses] if name in SHAPES else [[]]
    starts = [
        np.array([*logs, *second, *([shift] * moves)])
        for _, logs, shift in (kept if name not in SHAPES else kept[:2])
        for second in seconds
    ]
    if before is not None and len(before.theta) == k - 1 + moves:
        split = np.concatenate([before.theta[: k - 1], [math.log(window / 3)], before.theta[k - 1 :]])
        starts.append(split)
    return starts


def _shift_guesses(h: Histogram, nodes: FloatArray) -> list[float]:
    """0, and where half of the rise lies against that of the model."""
    phi, _, _ = exponential_columns(nodes[5:6], len(h.counts), h.bin_ns, h.response, period_ns=h.period_ns)
    shown = np.where(h.used, h.counts, 0.0)
    half = [int(np.argmax(y - np.median(y) > 0.5 * (y.max() - np.median(y)))) for y in (shown, phi[:, 0])]
    guess = (half[0] - half[1]) * h.bin_ns
    return [0.0] if abs(guess) < 2 * h.bin_ns or abs(guess) > _SHIFT_BINS * h.bin_ns else [0.0, guess]


def model_curve(
    h: Histogram, name: str, fixed: float | None, moves: bool, index: npt.NDArray[np.int64] | None = None
) -> tuple[Curve, FloatArray, FloatArray]:
    """The curve of one histogram under a model, and bounds of its parameters ln(tau) ..., [second],
    [shift].
    """
    n, keep, k = len(h.counts), h.used, count_of(name)
    low_ns, high_ns = lifetime_limits(n, h.bin_ns, h.response)
    low, high = [math.log(low_ns)] * k, [math.log(high_ns)] * k
    shape = SHAPES.get(name)
    if shape is not None:
        low.append(shape.low)
        high.append(shape.high)
    if moves:
        sigma = h.response.sigma_ns if isinstance(h.response, GaussianResponse) else 0.0
        reach = max(_SHIFT_BINS * h.bin_ns, _SHIFT_SIGMAS * sigma)
        low.append(-reach)
        high.append(reach)
    seen = h.exposure[keep][:, None]
    flat = np.ones((int(keep.sum()), 1)) if fixed is None else np.ones((int(keep.sum()), 0))

    def columns(theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        shift = float(theta[-1]) if moves else 0.0
        phi, by_tau, by_shift = exponential_columns(
            np.exp(theta[:k]), n, h.bin_ns, h.response, period_ns=h.period_ns, shift_ns=shift
        )
        slopes = np.zeros((len(theta), int(keep.sum()), k + flat.shape[1]))
        for i in range(k):
            slopes[i, :, i] = by_tau[keep, i] * seen[:, 0]
        if moves:
            slopes[-1, :, :k] = by_shift[keep] * seen
        return np.hstack([phi[keep], flat]) * seen, slopes

    def shaped(theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        assert shape is not None

        law, later = shape.curve, shape.later

        def column(p: FloatArray) -> FloatArray:
            tau, second = math.exp(p[0]), float(p[1])
            try:
                found = shape_column(
                    lambda t: law(t, tau, second), n, h.bin_ns, h.response, period_ns=h.period_ns,
                    shift_ns=float(p[2]) if moves else 0.0,
                    later=None if later is None else lambda t, period: later(t, period, tau, second),
                )  # fmt: skip
            except ModelRangeError:  # a trial that never ends is no fit; `minimise` takes it back
                return np.full(int(keep.sum()), np.nan)
            return found[keep]

        middle = column(theta)
        slopes = np.zeros((len(theta), len(middle), 1 + flat.shape[1]))
        for i in range(len(theta)):
            e = 1e-4 * (h.bin_ns if moves and i == len(theta) - 1 else 1.0)
            up, down = theta.copy(), theta.copy()
            up[i], down[i] = min(theta[i] + e, high[i]), max(theta[i] - e, low[i])
            slopes[i, :, 0] = (column(up) - column(down)) / (up[i] - down[i]) * seen[:, 0]
        return np.hstack([middle[:, None], flat]) * seen, slopes

    curve = Curve(
        h.counts[keep],
        np.full(int(keep.sum()), fixed or 0.0) * seen[:, 0],
        columns if shape is None else shaped,
        np.arange(len(low)) if index is None else index,
    )
    if h.dark is not None and fixed is None:
        curve = _with_dark_record(curve, h.dark)
    return curve, np.array(low), np.array(high)


def _with_dark_record(curve: Curve, dark: DarkRecord) -> Curve:
    """The curve with one row more: counts of a dark record, which the background (the last column) alone
    makes.
    """

    def columns(theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        phi, slopes = curve.columns(theta)
        row = np.zeros((1, phi.shape[1]))
        row[0, -1] = dark.bins
        return np.vstack([phi, row]), np.concatenate(
            [slopes, np.zeros((len(slopes), 1, phi.shape[1]))], axis=1
        )

    return Curve(np.append(curve.counts, dark.counts), np.append(curve.fixed, 0.0), columns, curve.index)


def count_of(name: str) -> int:
    """Lifetimes of a model."""
    return 1 if name in SHAPES else int(name)


def lifetimes_of(name: str, theta: FloatArray) -> tuple[float, ...]:
    """Lifetimes in ns, ascending."""
    return tuple(sorted(float(x) for x in np.exp(theta[: count_of(name)])))


def title_of(name: str) -> str:
    """The model in words."""
    return f"{name} exponential{'s' * (name != '1')}" if name not in SHAPES else f"the {name} decay"
