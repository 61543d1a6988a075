"""g2(0) from a coincidence histogram whose peaks overlap: all peaks fitted at once by Poisson likelihood.

    C(tau) = b + A sum_{k != 0} S(tau - k T) + r A S(tau)
    S(tau) = sum_i w_i exp(-|tau|/tau_i)/(2 tau_i),   sum w_i = 1

each integrated over its bin; tau is counted from a common offset. The sum over the endless train of peaks is
closed: sum_k exp(-|x - k T|/tau) = [exp(-u/tau) + exp(-(T - u)/tau)]/(1 - exp(-T/tau)), u = x modulo T. The
timing jitter is taken as far below the lifetimes. S of a pulsed emitter of several lifetimes is a sum of
two-sided exponentials (the cross-correlation of two decays of exponentials is one). One shape for all peaks
is an assumption: a biexciton decays faster, so that a sharper centre is one of the alternatives that
`tail_alternatives` shows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import ConvergenceError, OptionError
from perolux.fitting import least_squares, poisson_deviance_residuals, profile_interval

__all__ = ["TailFit", "fit_tails", "tail_alternatives"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TailFit:
    """g2(0) with tails modelled. g2, sigma, low95, high95: r, its error and profile interval (None: not
    closed).

    lifetimes_ns, weights: of the shape; centre_lifetime_ns: of the centre where it has its own; offset_ns,
    background_per_bin; reduced_deviance; bic: lower is better; model_counts: (n,).
    """

    model: str
    g2: float
    sigma: float | None
    low95: float | None
    high95: float | None
    lifetimes_ns: tuple[float, ...]
    weights: tuple[float, ...]
    centre_lifetime_ns: float | None
    offset_ns: float
    period_ns: float
    background_per_bin: float
    reduced_deviance: float
    bic: float
    model_counts: FloatArray


def fit_tails(
    tau_ns: npt.ArrayLike,
    counts: npt.ArrayLike,
    *,
    period_ns: float,
    exponentials: int = 2,
    own_centre: bool = False,
    free_period: bool = False,
) -> TailFit:
    """Fit all peaks of a coincidence histogram, evenly spaced bins tau_ns, (n,), counts, (n,).

    exponentials: 1 to 3 in the shared shape; own_centre: the centre decays with one lifetime of its own;
    free_period: the period is found too, within 2 % of period_ns. Starts from several lifetimes, the best
    fit counts. Raises `OptionError` for a histogram shorter than a period on either side, `ConvergenceError`
    where no start converges.
    """
    tau, found = np.asarray(tau_ns, dtype=float), np.asarray(counts, dtype=float)
    width = float(np.median(np.diff(tau)))
    if not 1 <= exponentials <= 3:
        raise OptionError(f"{exponentials} exponentials", allowed="1 to 3")
    if min(-tau[0], tau[-1]) < period_ns or not np.allclose(np.diff(tau), width, rtol=1e-3):
        raise OptionError(
            "the histogram is too short or unevenly spaced",
            allowed=f"even bins over at least +-{period_ns:g} ns",
        )
    area = float(found.sum()) * period_ns / (tau[-1] - tau[0])
    names = ["log_area", "g2", "background", "offset"]
    names += [f"log_lifetime_{i}" for i in range(exponentials)] + [
        f"weight_{i}" for i in range(1, exponentials)
    ]
    names += ["log_centre_lifetime"] if own_centre else []
    low = [-np.inf, 0.0, 0.0, -period_ns / 4] + [math.log(width / 5)] * exponentials
    high = [np.inf, 50.0, np.inf, period_ns / 4] + [math.log(5 * period_ns)] * exponentials
    low += [0.0] * (exponentials - 1) + ([math.log(width / 5)] if own_centre else [])
    high += [1.0] * (exponentials - 1) + ([math.log(5 * period_ns)] if own_centre else [])
    if free_period:
        names, low, high = [*names, "period"], [*low, 0.98 * period_ns], [*high, 1.02 * period_ns]

    def unpack(p: FloatArray) -> tuple[FloatArray, FloatArray, float | None]:
        lifetimes = np.exp(p[4 : 4 + exponentials])
        shares = p[4 + exponentials : 3 + 2 * exponentials]
        # Stick breaking keeps weights positive with sum 1.
        weights, left = [], 1.0
        for share in shares:
            weights.append(left * share)
            left *= 1 - share
        return (
            lifetimes,
            np.array([*weights, left]),
            float(np.exp(p[3 + 2 * exponentials])) if own_centre else None,
        )

    def model(p: FloatArray) -> FloatArray:
        lifetimes, weights, centre = unpack(p)
        place = tau - p[3]
        period = float(p[-1]) if free_period else period_ns
        train, one = np.zeros(len(tau)), np.zeros(len(tau))
        for weight, lifetime in zip(weights, lifetimes, strict=True):
            train += weight * _over_bins(_train, place, lifetime, width, period)
            one += weight * _over_bins(_single, place, lifetime, width, period)
        own = one if centre is None else _over_bins(_single, place, centre, width, period)
        return p[2] + math.exp(p[0]) * (train - one + p[1] * own)

    def residual(p: FloatArray) -> FloatArray:
        return poisson_deviance_residuals(found, np.maximum(model(p), 1e-12))

    starts: dict[int, list[tuple[float, ...]]] = {
        1: [(0.05,), (0.15,)],
        2: [(0.02, 0.2), (0.05, 0.4), (0.01, 0.1)],
        3: [(0.01, 0.05, 0.3), (0.02, 0.1, 0.2)],
    }
    best = None
    for shares in starts[exponentials]:
        for ratio in (0.05, 0.4):
            start = [math.log(area), ratio, 1e-3 + float(np.quantile(found, 0.02)) / 2, 0.0]
            start += [math.log(share * period_ns) for share in shares] + [0.5] * (exponentials - 1)
            start += [math.log(shares[0] * period_ns)] if own_centre else []
            start += [period_ns] if free_period else []
            try:
                fit = least_squares(residual, start, names=names, low=low, high=high)
            except ConvergenceError:
                continue
            if best is None or fit.chi2 < best.chi2:
                best = fit
    if best is None:
        raise ConvergenceError("no start of the fit of the peaks converged", fix="take fewer exponentials")
    try:
        interval = profile_interval(residual, best, "g2", low=low, high=high)
        ends = interval.low, interval.high
    except ConvergenceError:
        ends = None, None
    lifetimes, weights, centre = unpack(best.values)
    order = np.argsort(lifetimes)
    return TailFit(
        model=f"{exponentials} lifetime{'s' if exponentials > 1 else ''}"
        + (", centre its own" if own_centre else ""),
        g2=float(best.values[1]),
        sigma=best.sigma[1],
        low95=ends[0],
        high95=ends[1],
        lifetimes_ns=tuple(float(x) for x in lifetimes[order]),
        weights=tuple(float(x) for x in weights[order]),
        centre_lifetime_ns=centre,
        offset_ns=float(best.values[3]),
        period_ns=float(best.values[-1]) if free_period else period_ns,
        background_per_bin=float(best.values[2]),
        reduced_deviance=float(best.chi2 / (len(found) - len(names))),
        bic=float(best.chi2 + len(names) * math.log(len(found))),
        model_counts=model(best.values),
    )


def tail_alternatives(
    tau_ns: npt.ArrayLike,
    counts: npt.ArrayLike,
    *,
    period_ns: float,
    exponentials: Sequence[int] = (1, 2, 3),
    free_period: bool = False,
) -> tuple[TailFit, ...]:
    """The fit with each number of shared lifetimes, and with a centre of its own lifetime; the least BIC
    first."""
    fits = [
        fit_tails(
            tau_ns, counts, period_ns=period_ns, exponentials=n, own_centre=own, free_period=free_period
        )
        for n in exponentials
        for own in (False, True)
    ]
    return tuple(sorted(fits, key=lambda fit: fit.bic))


def _over_bins(
    cumulative: Callable[[FloatArray, float, float], FloatArray],
    x: FloatArray,
    lifetime: float,
    width: float,
    period: float,
) -> FloatArray:
    return cumulative(x + width / 2, lifetime, period) - cumulative(x - width / 2, lifetime, period)


def _single(x: FloatArray, lifetime: float, period: float) -> FloatArray:
    """Integral of exp(-|x|/tau)/(2 tau) up to x."""
    del period
    tail = 0.5 * np.exp(-np.abs(x) / lifetime)
    return np.where(x < 0, tail, 1 - tail)


def _train(x: FloatArray, lifetime: float, period: float) -> FloatArray:
    """Integral of the endless train of such peaks from 0 to x."""
    whole = np.floor(x / period)
    u = x - whole * period
    last = math.exp(-period / lifetime)
    part = (1 - np.exp(-u / lifetime) + np.exp(-(period - u) / lifetime) - last) / (2 * (1 - last))
    return np.asarray(whole + part)
