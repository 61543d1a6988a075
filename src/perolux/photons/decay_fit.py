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
from dataclasses import replace
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from perolux.errors import ConvergenceError, InputError, OptionError, Problem
from perolux.fitting import bic, poisson_deviance
from perolux.photons.dark_record import DarkRecord, DarkVerdict
from perolux.photons.decay_models import check_period
from perolux.photons.decay_result import Compared, DecayFit, Histogram, Starts
from perolux.photons.decay_search import count_of, lifetimes_of, model_curve, search, title_of
from perolux.photons.decay_shapes import SHAPES
from perolux.photons.instrument_response import GaussianResponse, MeasuredResponse, Response
from perolux.photons.poisson_projection import Curve, Optimum, covariance, minimise, profile

__all__ = ["MODELS", "DecayFit", "Histogram", "fit_decay", "make_histogram"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

MODELS = ("1", "2", "3", "4", *SHAPES)
"""Models by name: numbers are exponentials."""
_MISFIT_SIGMAS = 4.0
_LEFT = 0.01
"""Part of the slowest component left after a period, or a window, above which it is said."""
_CLOSE = 3.0
"""Lifetimes closer than this factor are hard to tell apart."""


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
    dark: DarkRecord | None = None,
) -> DecayFit:
    """Fit a histogram of photons after a pulse, shape (n,), bins of bin_ns; the first begins at 0.

    irf: the response; None: an instant at the start of the first bin used, which without `used` is the
    highest bin. period_ns: of the laser; light of earlier pulses is then part of the model. exponentials: 1
    to 4, or "auto". models: names of `MODELS` to compare instead. background: "free" (0 or more), or counts
    per bin. used: True for the bins to fit, shape (n,). exposure: part of the pulses that a bin could still
    see (pile-up), shape (n,). free_shift: whether the response may move in time; default with a measured
    response, or a Gaussian of some width. start_ns: lifetimes to start from, instead of the search.
    intervals: without them errors are those of the information matrix alone. dark: a record in the dark
    (`dark_record`), the prior of a free background; whether the decay agrees is told. Raises `InputError` and
    `OptionError` with all that is wrong, `ConvergenceError`.

    >>> import numpy as np
    >>> decay = 1000 * np.exp(-np.arange(200) * 0.1 / 3.0) + 5
    >>> fit = fit_decay(np.rint(decay), 0.1, exponentials=1)
    >>> round(fit.lifetimes_ns[0], 2), round(fit.background, 1)
    (3.0, 5.0)
    """
    names = _names(exponentials, models)
    h = make_histogram(counts, bin_ns, irf=irf, period_ns=period_ns, used=used, exposure=exposure, dark=dark)
    fixed = _background(background)
    if dark is not None and fixed is not None:
        raise OptionError("a background that is given, and dark counts", fix="give one of the two")
    if not 0 < level < 1:
        raise OptionError(f"a level of {level:g}", allowed="between 0 and 1")
    moves = (
        (isinstance(irf, MeasuredResponse) or getattr(irf, "sigma_ns", 0.0) > 0)
        if free_shift is None
        else free_shift
    )
    if moves and irf is None:
        raise OptionError("there is no response that could shift", fix="give one, or leave free_shift out")
    if start_ns is not None and (len(names) != 1 or len(start_ns) != count_of(names[0])):
        raise OptionError("lifetimes to start from", allowed="as many as the one model that is fitted has")
    found: dict[str, tuple[Optimum, Starts]] = {}
    before: Optimum | None = None
    for name in names:
        need = count_of(name) * 2 + (name in SHAPES) + (fixed is None) + moves
        if int(h.used.sum()) <= need:
            raise OptionError(
                f"{int(h.used.sum())} bins for a model of {need} parameters",
                fix="use more bins, or a smaller model",
            )
        found[name] = search(h, name, fixed, moves, before, start_ns)
        before = found[name][0] if name not in SHAPES else None
    bins = int(h.used.sum())
    criteria = {name: bic(one.deviance, _parameters(one, fixed), bins) for name, (one, _) in found.items()}
    best = min(criteria, key=lambda name: criteria[name])
    compared = tuple(
        Compared(
            name, _parameters(one, fixed), one.deviance,
            one.deviance / (bins - _parameters(one, fixed)) if bins > _parameters(one, fixed) else None,
            criteria[name], criteria[name] - criteria[best], lifetimes_of(name, one.theta),
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
    dark: DarkRecord | None = None,
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
    if isinstance(irf, GaussianResponse) and irf.centre_ns >= len(n) * bin_ns:
        raise OptionError(
            "the response comes after the end of the decay",
            where="irf",
            allowed=f"a centre within {len(n) * bin_ns:.6g} ns of the first bin",
        )
    if not n[keep].sum():
        raise InputError("there are no photons in the bins to fit", fix="check the range")
    return Histogram(n, float(bin_ns), keep, seen, irf, period_ns, dark)


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


def _parameters(at: Optimum, fixed: float | None) -> int:
    return len(at.theta) + len(at.amplitudes[0])


def _finish(
    h: Histogram, name: str, best: Optimum, starts: Starts, fixed: float | None, moves: bool,
    compared: tuple[Compared, ...], intervals: bool, level: float,
) -> DecayFit:  # fmt: skip
    curve, low, high = model_curve(h, name, fixed, moves)
    threshold = NormalDist().inv_cdf((1 + level) / 2) ** 2
    k = count_of(name)
    bins = int(h.used.sum())  # a dark record is a row more
    for _ in range(5):
        expected = (curve.columns(best.theta)[0] @ best.amplitudes[0] + curve.fixed)[:bins]
        dof = bins - _parameters(best, fixed)
        pearson, excess = _misfit(curve.counts[:bins], expected, dof)
        by_theta, by_amplitude = covariance([curve], best, low, high)
        if not intervals:
            ends: list[tuple[float | None, float | None]] = [(None, None)] * k
            break
        ends, better = _intervals(curve, best, by_theta, k, threshold * excess, low, high)
        if better is None:
            break
        best = better
    else:
        raise ConvergenceError(
            f"the profiles of {title_of(name)} keep finding better fits", fix="fit fewer components"
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
        deviance=poisson_deviance(curve.counts[:bins], expected),
        degrees_of_freedom=dof,
        pearson_chi2=pearson,
        overdispersion=excess,
        comparison=compared,
        starts=starts,
        histogram=h,
        expected=expected,
        dark=_verdict(h, name, best, moves),
    )
    return replace(fit, warnings=tuple(_warnings(fit, best, low, high, by_theta is None, moves, intervals)))


def _verdict(h: Histogram, name: str, best: Optimum, moves: bool) -> DarkVerdict | None:
    """What the decay alone says of the background: the same model without the dark record."""
    if h.dark is None:
        return None
    curve, low, high = model_curve(replace(h, dark=None), name, None, moves)
    free = minimise([curve], best.theta, low, high, amplitudes=best.amplitudes)
    level = float(free.amplitudes[0][-1])
    part = covariance([curve], free, low, high)[1][0]
    sigma = None if part is None else _sigmas(np.diag(part), len(part))[-1]
    sign = 1.0 if level >= h.dark.per_bin else -1.0
    rise = max(best.deviance - free.deviance, 0.0)
    return DarkVerdict(h.dark, level, sigma, sign * math.sqrt(rise))


def _misfit(n: FloatArray, m: FloatArray, dof: int) -> tuple[float, float]:
    """Pearson's chi^2, and the factor on the variance: 1 unless it is 4 sigma above what Poisson noise
    gives.
    """
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
    so.
    """
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
            f"{math.exp(-h.period_ns / slowest):.1%} of the component of {slowest:.3g} ns is left when the "
            f"next pulse "
            f"comes after {h.period_ns:.6g} ns; light of earlier pulses is part of the model"
        )
    if h.period_ns is None and math.exp(-window / slowest) > _LEFT:
        said.append(
            f"{math.exp(-window / slowest):.1%} of the component of {slowest:.3g} ns is left at the end of "
            f"the record, "
            "and the laser period is not known: light of earlier pulses, if there is any, is not modelled"
        )
    if fit.overdispersion > 1:
        said.append(
            f"the model misses the counts by more than their noise (Pearson's chi2 per degree of freedom "
            f"{fit.overdispersion:.3g}): lifetimes describe the curve and need not be states; errors are "
            f"widened by "
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
    if fit.dark is not None and fit.dark.warning:
        said.append(fit.dark.warning)
    if fit.background_free and fit.background <= 0:
        said.append("the background is 0, the least that it can be: no sigma")
    for tau, amount in zip(fit.lifetimes_ns, fit.counts, strict=True):
        if amount <= 0:
            said.append(f"the component of {tau:.3g} ns has no photons: its lifetime says nothing")
    for tau, (first, last) in zip(fit.lifetimes_ns, fit.intervals_ns, strict=True):
        if intervals and (first is None or last is None):
            side = "below" if first is None else "above"
            side = "either side" if first is None and last is None else side
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
            f"the response holds {h.response.counts:.0f} counts, fewer than ten times those of the decay: "
            f"its own noise "
            "is not in the errors"
        )
    return said


def _sigmas(variance: FloatArray | None, n: int) -> list[float | None]:
    if variance is None:
        return [None] * n
    return [float(np.sqrt(v)) if np.isfinite(v) and v >= 0 else None for v in variance]


def _times(a: float | None, b: float) -> float | None:
    return None if a is None else a * b


def _exp(x: float | None) -> float | None:
    return None if x is None else math.exp(x)
