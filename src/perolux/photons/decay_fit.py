"""Lifetimes of a decay by Poisson likelihood: one to four exponentials, or a shape, and which of them the
data ask for.

    D = 2 sum[n ln(n/m) - n + m],   m = exposure (sum_k N_k p_k + B)

Amplitudes and background are projected out (`poisson_projection`); the start is a search over all sets of
lifetimes on a grid, and several starts are followed to their end. Models are compared by Schwarz's criterion
D + k ln(bins). Intervals of lifetimes are profile likelihoods. Where Pearson's chi^2 per degree of freedom
shows that no noise makes such a misfit, errors are those of quasi-likelihood: widened by its square root
(`overdispersion` says so). Source: Wilks (1938) for intervals; McCullagh and Nelder, Generalized Linear
Models, for quasi-likelihood (recalled).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.errors import ConvergenceError, InputError, OptionError, Problem
from perolux.fitting import bic, poisson_deviance
from perolux.photons.decay_models import check_period, exponential_columns, lifetime_limits
from perolux.photons.decay_shapes import SHAPES, shape_column
from perolux.photons.instrument_response import GaussianResponse, MeasuredResponse, Response
from perolux.photons.poisson_projection import Curve, Optimum, covariance, minimise, non_negative, profile

__all__ = ["MODELS", "DecayFit", "Histogram", "fit_decay", "make_histogram"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

MODELS = ("1", "2", "3", "4", *SHAPES)
"""Models by name: numbers are exponentials."""
_GRID, _COARSE_BINS, _FOLLOWED = 10, 400, 5
_SHIFT_BINS, _SHIFT_SIGMAS = 10.0, 3.0
_SAME = 0.5
"""Optima whose deviances differ by less are one."""
_MISFIT_SIGMAS = 4.0
_LEFT = 0.01
"""Part of the slowest component left after a period, or a window, above which it is said."""
_CLOSE = 3.0
"""Lifetimes closer than this factor are hard to tell apart."""


@dataclass(frozen=True, eq=False)
class Histogram:
    """What is fitted: counts of all bins (n,), bin_ns, which bins are used (n,), exposure of bins (n,), the
    response."""

    counts: FloatArray
    bin_ns: float
    used: BoolArray
    exposure: FloatArray
    response: Response | None
    period_ns: float | None


@dataclass(frozen=True)
class Compared:
    """One model of the comparison; reduced_deviance is None without degrees of freedom."""

    model: str
    parameters: int
    deviance: float
    reduced_deviance: float | None
    bic: float
    delta_bic: float
    lifetimes_ns: tuple[float, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return dict(self.__dict__) | {"lifetimes_ns": list(self.lifetimes_ns)}


@dataclass(frozen=True)
class Starts:
    """How far the result depends on the start: starts followed, those that ended within 0.5 of the best
    deviance, all deviances found, and the lifetimes of the nearest other optimum."""

    followed: int
    reached_best: int
    deviances: tuple[float, ...]
    next_best_lifetimes_ns: tuple[float, ...] | None


@dataclass(frozen=True, eq=False)
class DecayFit:
    """A fitted decay; components from the shortest lifetime to the longest.

    lifetimes_ns, lifetime_sigma_ns, intervals_ns: of each component; a sigma or an end is None where there
    is none (`warnings` says why). counts: photons of each component over all times (with a period: per
    period). amplitudes: counts per bin at the pulse, exponentials of an instant. background: counts per bin.
    shift_ns: of the response, None without. second: the shape's other parameter (name, value, sigma) and its
    interval. average_amplitude_ns: sum(A tau)/sum(A); average_intensity_ns: sum(A tau^2)/sum(A tau).
    overdispersion: factor on the variance that the errors allow for, 1 where the model is good to the noise.
    expected, residuals: model and signed deviance residuals of the bins `used`.
    """

    model: str
    lifetimes_ns: tuple[float, ...]
    lifetime_sigma_ns: tuple[float | None, ...]
    intervals_ns: tuple[tuple[float | None, float | None], ...]
    level: float
    counts: tuple[float, ...]
    amplitudes: tuple[float, ...]
    amplitude_sigma: tuple[float | None, ...]
    background: float
    background_sigma: float | None
    background_free: bool
    shift_ns: float | None
    shift_sigma_ns: float | None
    second: tuple[str, float, float | None] | None
    deviance: float
    degrees_of_freedom: int
    pearson_chi2: float
    overdispersion: float
    comparison: tuple[Compared, ...]
    starts: Starts
    histogram: Histogram
    expected: FloatArray
    warnings: tuple[str, ...] = ()

    @property
    def reduced_deviance(self) -> float | None:
        """Deviance per degree of freedom; about 1 for a true model of bins with more than a few counts."""
        return self.deviance / self.degrees_of_freedom if self.degrees_of_freedom > 0 else None

    @property
    def residuals(self) -> FloatArray:
        """Signed deviance residuals of the bins used."""
        from perolux.fitting import poisson_deviance_residuals

        return poisson_deviance_residuals(self.histogram.counts[self.histogram.used], self.expected)

    @property
    def amplitude_fractions(self) -> tuple[float, ...] | None:
        """A_k over their sum: shares of emitters, where all emit alike at first; None without any
        amplitude."""
        return _shares(self.amplitudes)

    @property
    def intensity_fractions(self) -> tuple[float, ...] | None:
        """Shares of the photons; None without any."""
        return _shares(self.counts)

    @property
    def average_amplitude_ns(self) -> float | None:
        """sum(A tau)/sum(A), the area of the decay over its height."""
        shares = self.amplitude_fractions
        if shares is None or self.model in SHAPES:
            return None
        return sum(a * t for a, t in zip(shares, self.lifetimes_ns, strict=True))

    @property
    def average_intensity_ns(self) -> float | None:
        """sum(A tau^2)/sum(A tau), the mean time at which a photon comes."""
        shares = self.intensity_fractions
        if shares is None or self.model in SHAPES:
            return None
        return sum(a * t for a, t in zip(shares, self.lifetimes_ns, strict=True))

    def as_dict(self) -> dict[str, Any]:
        """For JSON; missing is None."""
        h = self.histogram
        return {
            "model": self.model,
            "lifetimes_ns": [
                {"value": value, "sigma": sigma, "low": low, "high": high, "level": self.level}
                for value, sigma, (low, high) in zip(
                    self.lifetimes_ns, self.lifetime_sigma_ns, self.intervals_ns, strict=True
                )
            ],
            "amplitudes": [
                {"counts_per_bin_at_pulse": a, "sigma": s, "counts": n}
                for a, s, n in zip(self.amplitudes, self.amplitude_sigma, self.counts, strict=True)
            ],
            "amplitude_fractions": None if self.amplitude_fractions is None else list(self.amplitude_fractions),
            "intensity_fractions": None if self.intensity_fractions is None else list(self.intensity_fractions),
            "average_lifetime_amplitude_weighted_ns": self.average_amplitude_ns,
            "average_lifetime_intensity_weighted_ns": self.average_intensity_ns,
            "background": {
                "counts_per_bin": self.background, "sigma": self.background_sigma, "free": self.background_free
            },
            "shift_ns": None if self.shift_ns is None else {"value": self.shift_ns, "sigma": self.shift_sigma_ns},
            "shape_parameter": None
            if self.second is None
            else dict(zip(("name", "value", "sigma"), self.second, strict=True)),
            "deviance": self.deviance,
            "degrees_of_freedom": self.degrees_of_freedom,
            "reduced_deviance": self.reduced_deviance,
            "reduced_pearson_chi2": self.pearson_chi2 / max(self.degrees_of_freedom, 1),
            "overdispersion": self.overdispersion,
            "counts": float(h.counts[h.used].sum()),
            "counts_of_model": float(self.expected.sum()),
            "bins": int(h.used.sum()),
            "bin_ns": h.bin_ns,
            "period_ns": h.period_ns,
            "model_comparison": [one.as_dict() for one in self.comparison],
            "starts": {
                "followed": self.starts.followed,
                "reached_best": self.starts.reached_best,
                "deviances": list(self.starts.deviances),
                "next_best_lifetimes_ns": None
                if self.starts.next_best_lifetimes_ns is None
                else list(self.starts.next_best_lifetimes_ns),
            },
            "warnings": list(self.warnings),
        }  # fmt: skip


def fit_decay(
    counts: npt.ArrayLike,
    bin_ns: float,
    *,
    irf: Response | None = None,
    period_ns: float | None = None,
    exponentials: int | str = "auto",
    models: Sequence[str] | None = None,
    background: float | str = "free",
    used: npt.ArrayLike | None = None,
    exposure: npt.ArrayLike | None = None,
    free_shift: bool | None = None,
    start_ns: Sequence[float] | None = None,
    intervals: bool = True,
    level: float = 0.95,
) -> DecayFit:
    """Fit a histogram of photons after a pulse, shape (n,), bins of bin_ns; the first begins at 0.

    irf: the response; None: an instant at the start of the first bin used, which without `used` is the
    highest bin. period_ns: of the laser; light of earlier pulses is then part of the model. exponentials: 1
    to 4, or "auto". models: names of `MODELS` to compare instead. background: "free" (0 or more), or counts
    per bin. used: True for the bins to fit, shape (n,). exposure: part of the pulses that a bin could still
    see (pile-up), shape (n,). free_shift: whether the response may move in time; default with a measured
    response, or a Gaussian of some width. start_ns: lifetimes to start from, instead of the search.
    intervals: without them errors are those of the information matrix alone. Raises `InputError` and
    `OptionError` with all that is wrong, `ConvergenceError`.

    >>> import numpy as np
    >>> decay = 1000 * np.exp(-np.arange(200) * 0.1 / 3.0) + 5
    >>> fit = fit_decay(np.rint(decay), 0.1, exponentials=1)
    >>> round(fit.lifetimes_ns[0], 2), round(fit.background, 1)
    (3.0, 5.0)
    """
    names = _names(exponentials, models)
    h = make_histogram(counts, bin_ns, irf=irf, period_ns=period_ns, used=used, exposure=exposure)
    fixed = _background(background)
    if not 0 < level < 1:
        raise OptionError(f"a level of {level:g}", allowed="between 0 and 1")
    moves = (
        (isinstance(irf, MeasuredResponse) or getattr(irf, "sigma_ns", 0.0) > 0)
        if free_shift is None
        else free_shift
    )
    if moves and irf is None:
        raise OptionError("there is no response that could shift", fix="give one, or leave free_shift out")
    if start_ns is not None and (len(names) != 1 or len(start_ns) != _count(names[0])):
        raise OptionError("lifetimes to start from", allowed="as many as the one model that is fitted has")
    found: dict[str, tuple[Optimum, Starts]] = {}
    before: Optimum | None = None
    for name in names:
        need = _count(name) * 2 + (name in SHAPES) + (fixed is None) + moves
        if int(h.used.sum()) <= need:
            raise OptionError(
                f"{int(h.used.sum())} bins for a model of {need} parameters",
                fix="use more bins, or a smaller model",
            )
        found[name] = _search(h, name, fixed, moves, before, start_ns)
        before = found[name][0] if name not in SHAPES else None
    bins = int(h.used.sum())
    criteria = {name: bic(one.deviance, _parameters(one, fixed), bins) for name, (one, _) in found.items()}
    best = min(criteria, key=lambda name: criteria[name])
    compared = tuple(
        Compared(
            name, _parameters(one, fixed), one.deviance,
            one.deviance / (bins - _parameters(one, fixed)) if bins > _parameters(one, fixed) else None,
            criteria[name], criteria[name] - criteria[best], _lifetimes(name, one.theta),
        )
        for name, (one, _) in found.items()
    )  # fmt: skip
    return _finish(h, best, *found[best], fixed, moves, compared, intervals, level)


def make_histogram(
    counts: npt.ArrayLike,
    bin_ns: float,
    *,
    irf: Response | None = None,
    period_ns: float | None = None,
    used: npt.ArrayLike | None = None,
    exposure: npt.ArrayLike | None = None,
) -> Histogram:
    """The checked input of `fit_decay`; all problems at once."""
    n = np.asarray(counts, dtype=float)
    problems = []
    if n.ndim != 1 or len(n) < 4:
        problems.append(Problem(f"counts of shape {n.shape}", "counts", "a list of 4 or more"))
    elif not np.isfinite(n).all() or np.any(n < 0) or np.any(n != np.rint(n)):
        problems.append(
            Problem(
                "counts must be whole numbers that are not negative",
                "counts",
                fix="give raw counts: nothing subtracted, nothing normalised",
            )
        )
    if not (math.isfinite(bin_ns) and bin_ns > 0):
        problems.append(Problem(f"a bin of {bin_ns:g} ns", "bin_ns", "a positive number"))
    if problems:
        raise InputError(problems)
    keep = np.ones(len(n), dtype=bool) if used is None else np.asarray(used, dtype=bool)
    seen = np.ones(len(n)) if exposure is None else np.asarray(exposure, dtype=float)
    if keep.shape != n.shape or seen.shape != n.shape or not np.isfinite(seen).all() or np.any(seen < 0):
        raise OptionError("used and exposure need one entry for each bin", allowed="exposure 0 or more")
    if irf is None:
        if used is None:
            keep[: int(np.argmax(n))] = False
        first = int(np.argmax(keep))
        n, keep, seen = n[first:], keep[first:], seen[first:]
    keep = keep & (seen > 0)
    check_period(len(n), bin_ns, irf, period_ns)
    if not n[keep].sum():
        raise InputError("there are no photons in the bins to fit", fix="check the range")
    return Histogram(n, float(bin_ns), keep, seen, irf, period_ns)


def _names(exponentials: int | str, models: Sequence[str] | None) -> list[str]:
    names = (
        list(models) if models is not None else MODELS[:4] if exponentials == "auto" else [str(exponentials)]
    )
    wrong = [name for name in names if name not in MODELS]
    if wrong or not names:
        raise OptionError(
            f"no such model: {', '.join(map(repr, wrong))}", where="models", allowed=", ".join(MODELS)
        )
    return sorted(set(names), key=MODELS.index)


def _background(background: float | str) -> float | None:
    if isinstance(background, str):
        if background != "free":
            raise OptionError(f"a background of {background!r}", allowed='"free", or counts per bin')
        return None
    if not (math.isfinite(background) and background >= 0):
        raise OptionError(f"a background of {background:g} counts per bin", allowed="0 or more")
    return float(background)


def _count(name: str) -> int:
    return 1 if name in SHAPES else int(name)


def _parameters(at: Optimum, fixed: float | None) -> int:
    return len(at.theta) + len(at.amplitudes[0])


def _lifetimes(name: str, theta: FloatArray) -> tuple[float, ...]:
    return tuple(sorted(float(x) for x in np.exp(theta[: _count(name)])))


def model_curve(
    h: Histogram, name: str, fixed: float | None, moves: bool, index: npt.NDArray[np.int64] | None = None
) -> tuple[Curve, FloatArray, FloatArray]:
    """The curve of one histogram under a model, and bounds of its parameters ln(tau) ..., [second],
    [shift]."""
    n, keep, k = len(h.counts), h.used, _count(name)
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

        def column(p: FloatArray) -> FloatArray:
            found = shape_column(
                lambda t: shape.curve(t, math.exp(p[0]), float(p[1])), n, h.bin_ns, h.response,
                period_ns=h.period_ns, shift_ns=float(p[2]) if moves else 0.0,
            )  # fmt: skip
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
    return curve, np.array(low), np.array(high)


def _search(
    h: Histogram,
    name: str,
    fixed: float | None,
    moves: bool,
    before: Optimum | None,
    given: Sequence[float] | None,
) -> tuple[Optimum, Starts]:
    curve, low, high = model_curve(h, name, fixed, moves)
    if given is not None:
        if not all(math.isfinite(x) and x > 0 for x in given):
            raise OptionError("lifetimes to start from", allowed="positive numbers")
        begin = [np.concatenate([np.log(given), [SHAPES[name].guesses[0]] * (name in SHAPES), [0.0] * moves])]
    else:
        begin = _begin(h, name, fixed, moves, before)
    ends = [minimise([curve], one, low, high) for one in begin]
    good = [one for one in ends if one.converged]
    if not good:
        raise ConvergenceError(
            f"no start of {_title(name)} converged", fix="fit fewer components, or a range without artefacts"
        )
    good.sort(key=lambda one: one.deviance)
    best = good[0]
    others = [one for one in good if one.deviance > best.deviance + _SAME]
    return best, Starts(
        len(begin),
        len(good) - len(others),
        tuple(one.deviance for one in good),
        _lifetimes(name, others[0].theta) if others else None,
    )


def _begin(
    h: Histogram, name: str, fixed: float | None, moves: bool, before: Optimum | None
) -> list[FloatArray]:
    """Starts: the best sets of lifetimes on a grid, on merged bins, with the response where the rise says it
    is."""
    n, k = len(h.counts), _count(name)
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


def _finish(
    h: Histogram, name: str, best: Optimum, starts: Starts, fixed: float | None, moves: bool,
    compared: tuple[Compared, ...], intervals: bool, level: float,
) -> DecayFit:  # fmt: skip
    curve, low, high = model_curve(h, name, fixed, moves)
    threshold = NormalDist().inv_cdf((1 + level) / 2) ** 2
    k = _count(name)
    for _ in range(5):
        expected = curve.columns(best.theta)[0] @ best.amplitudes[0] + curve.fixed
        dof = len(expected) - _parameters(best, fixed)
        pearson, excess = _misfit(curve.counts, expected, dof)
        by_theta, by_amplitude = covariance([curve], best, low, high)
        if not intervals:
            ends = [(None, None)] * k
            break
        ends, better = _intervals(curve, best, by_theta, k, threshold * excess, low, high)
        if better is None:
            break
        best = better
    else:
        raise ConvergenceError(
            f"the profiles of {_title(name)} keep finding better fits", fix="fit fewer components"
        )
    order = np.argsort(best.theta[:k])
    tau = np.exp(best.theta[:k])
    spread = _sigmas(None if by_theta is None else np.diag(by_theta) * excess, len(best.theta))
    amount = best.amplitudes[0]
    amount_sigma = _sigmas(
        None if by_amplitude[0] is None else np.diag(by_amplitude[0]) * excess, len(amount)
    )
    per_count = np.ones(k) if name in SHAPES else h.bin_ns / tau
    area = _areas(h, name, best, amount[:k], moves)
    fit = DecayFit(
        model=name,
        lifetimes_ns=tuple(float(tau[i]) for i in order),
        lifetime_sigma_ns=tuple(_times(spread[i], float(tau[i])) for i in order),
        intervals_ns=tuple((_exp(ends[i][0]), _exp(ends[i][1])) for i in order),
        level=level,
        counts=tuple(float(area[i]) for i in order),
        amplitudes=tuple(float(amount[i] * per_count[i]) for i in order),
        amplitude_sigma=_amplitude_sigmas(h, name, best, by_theta, curve, low, high, excess, order),
        background=float(amount[k]) if fixed is None else fixed,
        background_sigma=amount_sigma[k] if fixed is None else None,
        background_free=fixed is None,
        shift_ns=float(best.theta[-1]) if moves else (None if h.response is None else 0.0),
        shift_sigma_ns=spread[-1] if moves else None,
        second=(SHAPES[name].second, float(best.theta[1]), spread[1]) if name in SHAPES else None,
        deviance=poisson_deviance(curve.counts, expected),
        degrees_of_freedom=dof,
        pearson_chi2=pearson,
        overdispersion=excess,
        comparison=compared,
        starts=starts,
        histogram=h,
        expected=expected,
    )
    return replace(fit, warnings=tuple(_warnings(fit, best, low, high, by_theta is None, moves, intervals)))


def _misfit(n: FloatArray, m: FloatArray, dof: int) -> tuple[float, float]:
    """Pearson's chi^2, and the factor on the variance: 1 unless it is 4 sigma above what Poisson noise
    gives."""
    there = m > 0
    chi2 = float(np.sum((n[there] - m[there]) ** 2 / m[there]))
    if dof < 1:
        return chi2, 1.0
    # a bin's (n-m)^2/m has variance 2 + 1/m; the last bins hold less than a count
    spread = math.sqrt(2 * dof + float(np.sum(1 / np.maximum(m[there], 1e-12))))
    return chi2, chi2 / dof if chi2 > dof + _MISFIT_SIGMAS * spread else 1.0


def _intervals(
    curve: Curve, best: Optimum, by_theta: FloatArray | None, k: int, threshold: float, low: FloatArray,
    high: FloatArray,
) -> tuple[list[tuple[float | None, float | None]], Optimum | None]:  # fmt: skip
    ends: list[tuple[float | None, float | None]] = []
    for i in range(k):
        sigma = 0.1 if by_theta is None or not np.isfinite(by_theta[i, i]) else math.sqrt(by_theta[i, i])
        first, last, better = profile(
            [curve], best, i, min(sigma, 0.5) * math.sqrt(threshold), threshold, low, high
        )
        if better is not None:
            return ends, better
        ends.append((first, last))
    return ends, None


def _areas(h: Histogram, name: str, best: Optimum, amount: FloatArray, moves: bool) -> FloatArray:
    """Photons of each component over all times."""
    if name not in SHAPES:
        return amount
    from scipy.integrate import quad

    shape, tau, second = SHAPES[name], math.exp(best.theta[0]), float(best.theta[1])
    f: Callable[[float], float] = lambda x: float(shape.curve(np.array([x]), 1.0, second)[0])  # noqa: E731
    # over the axis, or what a period holds: a heavy tail (gamma, a <= 1) has no end
    last = (h.period_ns or len(h.counts) * h.bin_ns) / tau
    return amount * quad(f, 0.0, last, limit=400)[0] * tau / h.bin_ns


def _amplitude_sigmas(
    h: Histogram, name: str, best: Optimum, by_theta: FloatArray | None, curve: Curve, low: FloatArray,
    high: FloatArray, excess: float, order: npt.NDArray[np.int64],
) -> tuple[float | None, ...]:  # fmt: skip
    """Sigma of the amplitudes: those of N h/tau for exponentials, from a fit in which the columns are scaled
    so."""
    if by_theta is None:
        return (None,) * len(order)
    if name in SHAPES:
        scaled, at = curve, best
    else:
        k = len(order)

        def columns(theta: FloatArray) -> tuple[FloatArray, FloatArray]:
            phi, slope = curve.columns(theta)
            phi, slope = phi.copy(), slope.copy()
            unit = np.exp(theta[:k]) / h.bin_ns
            slope[:, :, :k] *= unit
            phi[:, :k] *= unit
            for i in range(k):
                slope[i, :, i] += phi[:, i]
            return phi, slope

        scaled = replace(curve, columns=columns)
        amplitudes = best.amplitudes[0].copy()
        amplitudes[:k] *= h.bin_ns / np.exp(best.theta[:k])
        at = replace(best, amplitudes=(amplitudes,))
    part = covariance([scaled], at, low, high)[1][0]
    sigma = _sigmas(None if part is None else np.diag(part) * excess, len(at.amplitudes[0]))
    return tuple(sigma[i] for i in order)


def _warnings(
    fit: DecayFit,
    best: Optimum,
    low: FloatArray,
    high: FloatArray,
    undetermined: bool,
    moves: bool,
    intervals: bool,
) -> list[str]:
    h, said = fit.histogram, []
    slowest, window = fit.lifetimes_ns[-1], len(h.counts) * h.bin_ns
    if h.period_ns is not None and math.exp(-h.period_ns / slowest) > _LEFT:
        said.append(
            f"{math.exp(-h.period_ns / slowest):.1%} of the component of {slowest:.3g} ns is left when the next pulse "
            f"comes after {h.period_ns:.6g} ns; light of earlier pulses is part of the model"
        )
    if h.period_ns is None and math.exp(-window / slowest) > _LEFT:
        said.append(
            f"{math.exp(-window / slowest):.1%} of the component of {slowest:.3g} ns is left at the end of the record, "
            "and the laser period is not known: light of earlier pulses, if there is any, is not modelled"
        )
    if fit.overdispersion > 1:
        said.append(
            f"the model misses the counts by more than their noise (Pearson's chi2 per degree of freedom "
            f"{fit.overdispersion:.3g}): lifetimes describe the curve and need not be states; errors are widened by "
            f"{math.sqrt(fit.overdispersion):.2f}"
        )
    if undetermined:
        said.append("the counts do not determine all lifetimes: no sigma")
    for name, value, least, most in (
        *(
            (f"the lifetime of {math.exp(x):.3g} ns", x, low[0], high[0])
            for x in best.theta[: len(fit.lifetimes_ns)]
        ),
        *([("the shift of the response", best.theta[-1], low[-1], high[-1])] if moves else []),
        *([(f"{fit.second[0]} of the shape", best.theta[1], low[1], high[1])] if fit.second else []),
    ):
        if value <= least or value >= most:
            said.append(f"{name} ran to the end of its range: no sigma")
    for tau, amount in zip(fit.lifetimes_ns, fit.counts, strict=True):
        if amount <= 0:
            said.append(f"the component of {tau:.3g} ns has no photons: its lifetime says nothing")
    for tau, (first, last) in zip(fit.lifetimes_ns, fit.intervals_ns, strict=True):
        if intervals and (first is None or last is None):
            side = "below" if first is None else "above"
            said.append(f"the counts do not bound the lifetime of {tau:.3g} ns from {side}")
    for a, b in zip(fit.lifetimes_ns, fit.lifetimes_ns[1:], strict=False):
        if b < _CLOSE * a:
            said.append(
                f"lifetimes of {a:.3g} and {b:.3g} ns are closer than a factor {_CLOSE:g}: they trade off"
            )
    if fit.starts.reached_best < fit.starts.followed:
        other = fit.starts.next_best_lifetimes_ns
        shown = "" if other is None else f"; the next optimum has {', '.join(f'{x:.3g}' for x in other)} ns"
        said.append(
            f"{fit.starts.reached_best} of {fit.starts.followed} starts ended at the best optimum{shown}"
        )
    if isinstance(h.response, MeasuredResponse) and h.response.counts < 10 * h.counts[h.used].sum():
        said.append(
            f"the response holds {h.response.counts:.0f} counts, fewer than ten times those of the decay: its own noise "
            "is not in the errors"
        )
    return said


def _title(name: str) -> str:
    return f"{name} exponential{'s' * (name != '1')}" if name not in SHAPES else f"the {name} decay"


def _sigmas(variance: FloatArray | None, n: int) -> list[float | None]:
    if variance is None:
        return [None] * n
    return [float(np.sqrt(v)) if np.isfinite(v) and v >= 0 else None for v in variance]


def _times(a: float | None, b: float) -> float | None:
    return None if a is None else a * b


def _exp(x: float | None) -> float | None:
    return None if x is None else math.exp(x)


def _shares(values: tuple[float, ...]) -> tuple[float, ...] | None:
    total = sum(values)
    return tuple(x / total for x in values) if total > 0 else None
