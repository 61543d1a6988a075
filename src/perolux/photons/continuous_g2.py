"""g2(0) under steady light: the dip (or peak) of all coincidences, fitted by Poisson likelihood.

    C(tau) = A int over the bin of g2(tau - offset) * jitter
    flat                g2 = 1
    dip                 g2 = 1 - a exp(-|tau|/rise)
    dip and bunching    g2 = (1 - a exp(-|tau|/rise)) (1 + b exp(-|tau|/bunching))

so that g2(0) is 1 - a or (1 - a)(1 + b); a below 0 is a peak. Every product is a sum of two-sided
exponentials, whose blur by a Gaussian and integral over a bin are closed. The Bayesian criterion chooses the
model. The level A is free: g2 is relative to delays beyond all the model's times, and how far they stand
above unrelated light is told as `plateau` (blinking raises it). For a two-level emitter 1/rise = Gamma +
pump.

Dark counts: with D = 1 - rho_A rho_B of the pairs of unrelated light, rho the share of the signal,

    g2_corrected = (L g2 - D)/(L - D),   L = plateau;       1 - (1 - g2)/rho^2 for L = 1
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.errors import ConvergenceError, OptionError
from perolux.fitting import bic, least_squares, poisson_deviance_residuals, profile_interval
from perolux.fitting.least_squares import FitResult
from perolux.measured.photon_stream import PhotonStream
from perolux.photons.correlation import PairHistogram, Sides, pairs
from perolux.progress import Progress, silent

__all__ = ["MODELS", "ContinuousG2", "blurred_bins", "continuous_g2", "fit_continuous_g2"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

MODELS = ("flat", "dip", "dip and bunching")
LEAST_PAIRS = 200
"""Pairs that a histogram needs: with fewer the criterion's choice between models says nothing."""
_MOST_BINS = 4001
_SHARPEST = 0.25
"""Smallest time of a model in bins: what is shorter is not seen."""


@dataclass(frozen=True)
class ContinuousG2:
    """g2(0) under steady light and the fit that gave it.

    raw: g2(0) of the record without the detectors' blur; corrected: dark counts taken off, may be below 0;
    sigma, low95, high95: of `corrected`, profile likelihood, not below 0. rise_ns, bunching, bunching_ns: of
    the model, None where it has none, with their sigmas in `sigmas`. jitter_ns: blur of the delay. plateau:
    over unrelated light. criteria: BIC of each model. coincidences, model_counts: the histogram and its fit.
    """

    raw: float
    corrected: float
    sigma: float | None
    low95: float | None
    high95: float | None
    model: str
    rise_ns: float
    bunching: float | None
    bunching_ns: float | None
    offset_ns: float
    jitter_ns: float
    plateau: float
    sigmas: dict[str, float | None]
    criteria: dict[str, float]
    reduced_deviance: float
    coincidences: PairHistogram = field(repr=False)
    model_counts: FloatArray = field(repr=False)
    notes: tuple[str, ...] = ()

    @property
    def method(self) -> str:
        """In words, for a table."""
        return f"fit of the coincidences of steady light, {self.model}"

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        names: tuple[str, ...] = (
            "raw",
            "corrected",
            "sigma",
            "low95",
            "high95",
            "method",
            "model",
            "rise_ns",
            "bunching",
        )
        names += ("bunching_ns", "offset_ns", "jitter_ns", "plateau", "reduced_deviance")
        return {name: getattr(self, name) for name in names} | {
            "sigmas": self.sigmas,
            "criteria": self.criteria,
            "notes": list(self.notes),
        }


def blurred_bins(tau_ns: npt.ArrayLike, width_ns: float, time_ns: float, blur_ns: float) -> FloatArray:
    """Mean of exp(-|tau|/time), blurred by a Gaussian of standard deviation blur_ns, over bins; shape (n,).

    tau_ns: centres, (n,), of bins of width_ns. Closed form; exact for any ratio of the times.

    >>> blurred_bins([0.0, 10.0], 1e-6, 5.0, 0.0).round(6).tolist()
    [1.0, 0.135335]
    """
    tau = np.asarray(tau_ns, dtype=float)
    upper = _cumulative(tau + width_ns / 2, time_ns, blur_ns)
    lower = _cumulative(tau - width_ns / 2, time_ns, blur_ns)
    return np.asarray(2 * time_ns / width_ns * (upper - lower))


def _cumulative(x: FloatArray, time: float, blur: float) -> FloatArray:
    """Integral up to x of exp(-|t|/time)/(2 time), blurred, from 0 on: odd in x.

    F(x) = erf(x/(s sqrt2))/2 + [h(-x) - h(x)]/2,   h(x) = exp(s^2/(2 time^2) + x/time) Phi(-x/s - s/time)
    """
    if blur < 1e-4 * time:
        return np.asarray(np.sign(x) * 0.5 * -np.expm1(-np.abs(x) / time))
    from scipy.special import erf, erfcx, ndtr

    # Ten deviations beyond the bell only the exponential is left, good to 1e-23.
    found = np.sign(x) * 0.5 * (1 - np.exp(np.minimum(blur**2 / (2 * time**2) - np.abs(x) / time, 0.0)))
    near = np.abs(x) < blur**2 / time + 10 * blur

    def h(y: FloatArray) -> FloatArray:
        z = (y / blur + blur / time) / math.sqrt(2)
        # erfcx overflows on the left; there Phi is near 1 and the exponent is negative
        left = np.exp(np.minimum(blur**2 / (2 * time**2) + y / time, 0.0)) * ndtr(-z * math.sqrt(2))
        right = 0.5 * np.exp(-(y**2) / (2 * blur**2)) * erfcx(np.maximum(z, 0.0))
        return np.where(z < 0, left, right)

    y = x[near]
    found[near] = 0.5 * erf(y / (blur * math.sqrt(2))) + 0.5 * (h(y) - h(-y))
    return np.asarray(found)


def fit_continuous_g2(
    found: PairHistogram,
    *,
    dark_cps: Sequence[float] = (0.0, 0.0),
    jitter_ns: float | None = 0.0,
    tick_ns: float = 0.0,
    models: Sequence[str] = MODELS,
) -> ContinuousG2:
    """Fit g2(tau) of steady light to a histogram of all pairs; the model by the Bayesian criterion.

    jitter_ns: standard deviation of the blur of the delay, sqrt 2 times that of one detector; None: found by
    the fit, up to a tenth of the window. tick_ns: of the times; whole ticks blur a delay by tick/sqrt 6,
    which is added. dark_cps: of A and B.

    Raises `OptionError` for fewer than 200 pairs, dark counts above all counts, a histogram shorter than 21
    bins, and where no model but the flat one is asked for by the data: then there is no g2(0).
    """
    tau, counts = found.tau_ns, found.counts.astype(float)
    wrong = [name for name in models if name not in MODELS]
    if wrong or not models:
        raise OptionError(f"models {', '.join(wrong) or 'none'}", allowed=", ".join(MODELS))
    if len(tau) < 21 or counts.sum() < LEAST_PAIRS:
        raise OptionError(
            f"{int(counts.sum())} pairs in {len(tau)} bins are too few for a fit of g2",
            allowed=f"{LEAST_PAIRS} pairs, 21 bins",
            fix="record longer, or take a longer window",
        )
    if jitter_ns is not None and not (math.isfinite(jitter_ns) and jitter_ns >= 0):
        raise OptionError(f"a jitter of {jitter_ns:g} ns", allowed="0 or more, None to fit it")
    dark_pairs = _dark_pairs(found, dark_cps)
    frame = _Frame(tau, counts, found.width_ns, jitter_ns, tick_ns)
    fits: dict[str, FitResult | None] = {}
    for name in MODELS:
        if name in models:
            fits[name] = frame.best(name, fits.get("dip"))
    criteria = {
        name: bic(fit.chi2, len(fit.values), len(tau)) for name, fit in fits.items() if fit is not None
    }
    if not criteria:
        raise ConvergenceError(
            "no start of the fit of g2 converged", fix="take a longer window or wider bins"
        )
    chosen = min(criteria, key=lambda name: criteria[name])
    if chosen == "flat":
        told = ", ".join(f"{name} {value:.1f}" for name, value in criteria.items())
        raise OptionError(
            "the coincidences of steady light are flat: the Bayesian criterion finds neither dip nor peak "
            f"({told})",
            fix="record longer; a dip shorter than a bin or than the jitter is not seen",
        )
    fit = fits[chosen]
    assert fit is not None
    residual, low, high = frame.problem(chosen)
    notes = list(fit.warnings)
    ends: tuple[float | None, float | None] = (None, None)
    try:
        interval = profile_interval(residual, fit, "g2", low=low, high=high)
        # on the bound of 0 the interval starts there
        ends = (interval.low if interval.low is not None else 0.0), interval.high
        if interval.high is None:
            notes.append(str(interval.reason))
    except ConvergenceError as error:
        notes.append(f"no interval of g2(0): {error.problems[0].what}")
    run_ns = found.duration_s * 1e9
    unrelated = found.photons[0] * found.photons[1] * found.width_ns / run_ns
    plateau = math.exp(fit["log_level"]) / unrelated
    if plateau <= dark_pairs:
        raise OptionError(
            "pairs with dark counts are all there are", where="--dark-cps", fix="check the dark counts"
        )

    def corrected(value: float) -> float:
        return (plateau * value - dark_pairs) / (plateau - dark_pairs)

    slope = plateau / (plateau - dark_pairs)
    sigma = fit.sigma[fit.names.index("g2")] or frame.sigma_on_bound(fit)
    times = {name: _time(fit, name) for name in ("rise", "bunching_time")}
    if plateau > 1.02:
        notes.append(f"delays beyond the dip stand {plateau:.3g} times above unrelated light: blinking")
    window = float(tau[-1])
    if max(times["rise"][0] or 0.0, times["bunching_time"][0] or 0.0) > window / 4:
        notes.append(
            f"a time of the model is near the window of {window:g} ns: level and g2(0) hang together"
        )
    raw = fit["g2"]
    return ContinuousG2(
        raw=raw,
        corrected=corrected(raw),
        sigma=None if sigma is None else slope * sigma,
        low95=None if ends[0] is None else max(corrected(ends[0]), 0.0),
        high95=None if ends[1] is None else max(corrected(ends[1]), 0.0),
        model=("dip" if raw < 1 else "peak") if chosen == "dip" else chosen,
        rise_ns=times["rise"][0] or 0.0,
        bunching=fit["bunching"] if "bunching" in fit.names else None,
        bunching_ns=times["bunching_time"][0],
        offset_ns=fit["offset"],
        jitter_ns=fit["jitter"] if "jitter" in fit.names else float(jitter_ns or 0.0),
        plateau=plateau,
        sigmas={
            "rise_ns": times["rise"][1],
            "bunching": fit.sigma[fit.names.index("bunching")] if "bunching" in fit.names else None,
            "bunching_ns": times["bunching_time"][1],
            "offset_ns": fit.sigma[fit.names.index("offset")],
            "jitter_ns": fit.sigma[fit.names.index("jitter")] if "jitter" in fit.names else None,
        },
        criteria=criteria,
        reduced_deviance=fit.chi2 / max(len(frame.counts) - len(fit.values), 1),
        coincidences=found,
        model_counts=frame.model(chosen, fit.values, frame.all_edges),
        notes=tuple(notes),
    )


def continuous_g2(
    stream: PhotonStream,
    *,
    sides: Sides | None = None,
    dark_cps: Sequence[float] = (0.0, 0.0),
    jitter_ns: float | None = 0.0,
    window_ns: float = 200.0,
    progress: Progress = silent,
) -> ContinuousG2:
    """g2(0) of a record of steady light: pairs counted, the fit done, and both again where the window does
    not suit it. A flat histogram is looked at again in a tenth of the window and in ten of it.

    The window becomes 20 times the longest time of the model where it is not 10 to 60 of them, and the bins a
    tenth of the shortest where they are wider than a fifth, in whole odd ticks (an uneven number of ticks in
    a bin would show as stripes). Errors as `fit_continuous_g2`, with `coincidences` of the last histogram
    lost: use `pairs` for it.
    """
    tick = stream.nanotime_bin_ns if stream.macro_is_sync and stream.nanotime_bin_ns else stream.macro_tick_ns
    longest = stream.duration_s * 1e9 / 10

    def tried(window: float, width: float) -> ContinuousG2:
        histogram = pairs(stream, window_ns=window, width_ns=width, sides=sides, progress=progress)
        return fit_continuous_g2(histogram, dark_cps=dark_cps, jitter_ns=jitter_ns, tick_ns=tick)

    found, window, width = None, 0.0, 0.0
    reasons: list[OptionError] = []
    for factor in (1.0, 0.1, 10.0):
        window = min(factor * window_ns, longest)
        width = odd_ticks(max(window / 400, 2 * window / (_MOST_BINS - 1)), tick)
        if window < 11 * width:
            continue
        try:
            found = tried(window, width)
            break
        except OptionError as error:
            if error.problems[0].where == "--dark-cps":
                raise
            reasons.append(error)
    if found is None:
        if reasons:
            raise reasons[0]
        raise OptionError(
            f"ticks of {tick:g} ns are too long for g2 within {window_ns:g} ns",
            allowed="a window of 11 ticks or more",
            fix="take a longer window",
        )
    for _ in range(3):
        slow = max(found.rise_ns, found.bunching_ns or 0.0)
        fast = min(found.rise_ns, found.bunching_ns or math.inf)
        wider = min(20 * slow, longest) if not 10 * slow < window < 60 * slow else window
        finer = fast / 10 if width > fast / 5 else width
        finer = odd_ticks(max(finer, 2 * wider / (_MOST_BINS - 1)), tick)
        if abs(wider / window - 1) < 0.1 and abs(finer / width - 1) < 0.1:
            break
        try:
            found = tried(wider, finer)
        except (OptionError, ConvergenceError):
            break  # what the first window showed stands
        window, width = wider, finer
    return found


def odd_ticks(width_ns: float, tick_ns: float) -> float:
    """The odd number of ticks nearest below width_ns, at least one tick; in ns."""
    whole = max(int(width_ns / tick_ns), 1)
    return (whole if whole % 2 else whole - 1) * tick_ns


def _dark_pairs(found: PairHistogram, dark_cps: Sequence[float]) -> float:
    """Share of the pairs of unrelated light with at least one dark count, 1 - rho_A rho_B."""
    rates = [count / found.duration_s for count in found.photons]
    if min(rates) <= 0:
        raise OptionError("one detector has no photons: no g2", fix="name two detectors that saw light")
    if not all(0 <= dark < rate for dark, rate in zip(dark_cps, rates, strict=True)):
        raise OptionError(
            f"dark counts of {dark_cps[0]:g} and {dark_cps[1]:g} a second",
            where="--dark-cps",
            allowed=f"below all counts, {rates[0]:.4g} and {rates[1]:.4g} a second",
        )
    return 1 - (1 - dark_cps[0] / rates[0]) * (1 - dark_cps[1] / rates[1])


def _time(fit: FitResult, name: str) -> tuple[float | None, float | None]:
    """A time and its sigma from its logarithm; None where the model has none."""
    if f"log_{name}" not in fit.names:
        return None, None
    value, sigma = math.exp(fit[f"log_{name}"]), fit.sigma[fit.names.index(f"log_{name}")]
    return value, None if sigma is None else value * sigma


class _Frame:
    """One histogram and how its models are written in parameters; nothing of it leaves this file.

    Far from the dip bins are joined (a twelfth of the distance), which costs no information on times as long
    as the distance and makes a fit some twenty times as quick.
    """

    def __init__(
        self, tau: FloatArray, counts: FloatArray, width: float, jitter: float | None, tick: float
    ) -> None:
        self.width, self.jitter, self.tick_blur = width, jitter, tick / math.sqrt(6)
        self.window = float(tau[-1])
        self.all_edges = np.append(tau - width / 2, tau[-1] + width / 2)
        self.centre, self.span, self.sign = _most_uneven(tau, counts, width)
        at = int(np.argmin(np.abs(tau - self.centre)))
        cuts = _cuts(len(tau), at)
        self.edges = self.all_edges[cuts]
        self.counts = np.add.reduceat(counts, cuts[:-1])
        far = np.concatenate([counts[: max(len(counts) // 20, 3)], counts[-max(len(counts) // 20, 3) :]])
        self.log_level = math.log(max(float(far.mean()), 0.1))

    def names(self, model: str) -> tuple[str, ...]:
        names: tuple[str, ...] = ("log_level",)
        if model != "flat":
            names += ("g2", "log_rise", "offset")
            names += ("bunching", "log_bunching_time") if model == "dip and bunching" else ()
            names += ("jitter",) if self.jitter is None else ()
        return names

    def limits(self, model: str) -> tuple[FloatArray, FloatArray]:
        shortest, longest = math.log(_SHARPEST * self.width), math.log(2 * self.window)
        bounds = {
            "log_level": (-math.inf, math.inf),
            "g2": (0.0, 1e4),
            "log_rise": (shortest, longest),
            "offset": (-self.window / 4, self.window / 4),
            "bunching": (0.0, 1e4),
            "log_bunching_time": (shortest, longest),
            "jitter": (0.0, self.window / 10),
        }
        low, high = zip(*(bounds[name] for name in self.names(model)), strict=True)
        return np.array(low), np.array(high)

    def model(self, model: str, p: FloatArray, edges: FloatArray) -> FloatArray:
        """Expected counts between edges, (n + 1,) -> (n,)."""
        value = dict(zip(self.names(model), p, strict=True))
        level = math.exp(min(value["log_level"], 700.0)) / self.width
        shape = np.diff(edges)
        if model == "flat":
            return np.asarray(level * shape)
        blur = math.hypot(value.get("jitter", self.jitter or 0.0), self.tick_blur)
        b = value.get("bunching", 0.0)
        a = 1 - value["g2"] / (1 + b)
        rise = math.exp(value["log_rise"])
        x = edges - value["offset"]
        shape = shape - a * 2 * rise * np.diff(_cumulative(x, rise, blur))
        if b:
            long = math.exp(value["log_bunching_time"])
            both = rise * long / (rise + long)
            shape += b * 2 * long * np.diff(_cumulative(x, long, blur))
            shape -= a * b * 2 * both * np.diff(_cumulative(x, both, blur))
        return np.asarray(level * shape)

    def problem(self, model: str) -> tuple[Callable[[FloatArray], FloatArray], FloatArray, FloatArray]:
        def residual(p: FloatArray) -> FloatArray:
            expected = np.maximum(self.model(model, p, self.edges), 1e-9)
            return poisson_deviance_residuals(self.counts, expected)

        return residual, *self.limits(model)

    def starts(self, model: str, simpler: FitResult | None) -> list[list[float]]:
        if model == "flat":
            return [[self.log_level]]
        free = [0.3 * self.span] if self.jitter is None else []
        if model == "dip" or simpler is None:
            g2 = 0.3 if self.sign < 0 else 3.0
            return [
                [self.log_level, g2, math.log(factor * self.span), self.centre, *free]
                for factor in (0.3, 1.0, 4.0)
            ]
        level, g2, rise, offset = (float(x) for x in simpler.values[:4])
        if g2 > 1:  # a peak: a dip may hide in it, or a slower part beside it
            ways = [(0.3, rise - 2.3, g2 - 1, rise), (g2, rise - 0.7, 0.3 * (g2 - 1), rise + 1.5)]
        else:
            ways = [
                (g2, rise, 0.2, rise + 2.3),
                (g2 / 2, rise - 1.0, 1.0, rise + 0.5),
                (g2, rise, 0.05, rise + 4),
            ]
        return [[level, way[0], way[1], offset, *way[2:], *free] for way in ways]

    def best(self, model: str, simpler: FitResult | None) -> FitResult | None:
        residual, low, high = self.problem(model)
        best = None
        for start in self.starts(model, simpler):
            inside = np.clip(start, low, high)
            try:
                fit = least_squares(residual, inside, names=self.names(model), low=low, high=high)
            except ConvergenceError:
                continue
            if best is None or fit.chi2 < best.chi2:
                best = fit
        return best

    def sigma_on_bound(self, fit: FitResult) -> float | None:
        """Error of g2 where it sits on its bound of 0, from the curvature there."""
        normal = fit.jacobian.T @ fit.jacobian
        free = np.flatnonzero(np.diag(normal) > 0)
        place = np.flatnonzero(free == fit.names.index("g2"))
        if not len(place):
            return None
        try:
            inverse = np.linalg.inv(normal[np.ix_(free, free)])
        except np.linalg.LinAlgError:
            return None
        variance = float(inverse[place[0], place[0]])
        return math.sqrt(variance) if variance > 0 else None


def _cuts(bins: int, at: int) -> IntArray:
    """Edges of joined bins, whole numbers from 0 to `bins`: single near `at`, then a twelfth of the
    distance."""
    right = [at + 1]
    while right[-1] < bins:
        right.append(min(right[-1] + max((right[-1] - at) // 12, 1), bins))
    left = [at]
    while left[-1] > 0:
        left.append(max(left[-1] - max((at - left[-1]) // 12, 1), 0))
    return np.array(left[::-1] + right, dtype=np.int64)


def _most_uneven(tau: FloatArray, counts: FloatArray, width: float) -> tuple[float, float, int]:
    """Centre, length and sign of the run of bins, within a quarter of the window, that differs most from the
    rest.

    Score of a run of s bins with level m: (sum - s m)/sqrt(s m). Below 4 the centre is 0 and a dip is sought.
    """
    level = max(float(np.median(counts)), 0.1)
    total = np.concatenate([[0.0], np.cumsum(counts)])
    best = (4.0, 0.0, 0.02 * float(tau[-1]), -1)
    size = 1
    while size <= len(counts) // 4:
        score = (total[size:] - total[:-size] - size * level) / math.sqrt(size * level)
        centre = (tau[: len(score)] + tau[size - 1 :]) / 2
        score = np.where(np.abs(centre) < tau[-1] / 4, score, 0.0)
        k = int(np.argmax(np.abs(score)))
        if abs(score[k]) > best[0]:
            best = (abs(float(score[k])), float(centre[k]), size * width / 2, int(np.sign(score[k])))
        size = 2 * size + 1
    return best[1], max(best[2], width), best[3]
