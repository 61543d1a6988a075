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
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import ConvergenceError, OptionError
from perolux.fitting import (
    least_squares,
    poisson_deviance_residuals,
    poisson_deviance_slopes,
    profile_interval,
)

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

    k = exponentials
    edges = np.append(tau - width / 2, tau[-1] + width / 2)

    def period_of(p: FloatArray) -> float:
        return float(p[-1]) if free_period else period_ns

    def unpack(p: FloatArray) -> tuple[FloatArray, FloatArray, float | None]:
        centre = float(np.exp(p[3 + 2 * k])) if own_centre else None
        return np.exp(p[4 : 4 + k]), _weights(p[4 + k : 3 + 2 * k]), centre

    def cumulatives(p: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """What the endless train, the peak at zero and the centre put below each edge."""
        lifetimes, weights, centre = unpack(p)
        x, period = edges - p[3], period_of(p)
        train = weights @ [_train(x, life, period) for life in lifetimes]
        one = weights @ [_single(x, life) for life in lifetimes]
        return train, one, one if centre is None else _single(x, centre)

    def model(p: FloatArray) -> FloatArray:
        train, one, own = cumulatives(p)
        return p[2] + math.exp(p[0]) * np.diff(train - one + p[1] * own)

    def residual(p: FloatArray) -> FloatArray:
        return poisson_deviance_residuals(found, np.maximum(model(p), 1e-12))

    def jacobian(p: FloatArray) -> FloatArray:
        lifetimes, weights, centre = unpack(p)
        x, period, area, g2 = edges - p[3], period_of(p), math.exp(p[0]), p[1]
        shared = g2 if centre is None else 0.0
        trains = [(_train(x, life, period), *_train_slopes(x, life, period)) for life in lifetimes]
        ones = [(_single(x, life), *_single_slopes(x, life)) for life in lifetimes]
        # value, d/dx and d/d ln tau of each lifetime's part of the cumulative
        parts = [[t[j] - (1 - shared) * o[j] for t, o in zip(trains, ones, strict=True)] for j in range(3)]
        whole, along = weights @ parts[0], weights @ parts[1]
        own = weights @ [o[0] for o in ones]
        felt = [weights[i] * parts[2][i] for i in range(k)]
        # a weight is linear in each share
        for i in range(k - 1):
            shares = np.array([p[4 + k : 3 + 2 * k]] * 2)
            shares[:, i] = 1.0, 0.0
            felt.append((_weights(shares[0]) - _weights(shares[1])) @ parts[0])
        if centre is not None:
            own = _single(x, centre)
            dx, dlog = _single_slopes(x, centre)
            whole, along = whole + g2 * own, along + g2 * dx
            felt.append(g2 * dlog)
        if free_period:
            felt.append(weights @ [t[3] for t in trains])
        columns = area * np.diff([whole, own, edges, -along, *felt])
        columns[2] = 1.0
        made = p[2] + columns[0]  # the peaks are what their logarithm moves
        slopes = np.where(made > 1e-12, poisson_deviance_slopes(found, np.maximum(made, 1e-12)), 0.0)
        return np.asarray((columns * slopes).T)

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
                fit = least_squares(residual, start, names=names, low=low, high=high, jacobian=jacobian)
            except ConvergenceError:
                continue
            if best is None or fit.chi2 < best.chi2:
                best = fit
    if best is None:
        raise ConvergenceError("no start of the fit of the peaks converged", fix="take fewer exponentials")
    try:
        interval = profile_interval(residual, best, "g2", low=low, high=high, jacobian=jacobian)
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


def _weights(shares: FloatArray) -> FloatArray:
    """Positive, with sum 1: each share is of what the ones before left."""
    left = np.cumprod(np.concatenate([[1.0], 1.0 - shares]))
    return left * np.append(shares, 1.0)


def _single(x: FloatArray, lifetime: float) -> FloatArray:
    """Integral of exp(-|x|/tau)/(2 tau) up to x."""
    tail = 0.5 * np.exp(-np.abs(x) / lifetime)
    return np.where(x < 0, tail, 1 - tail)


def _single_slopes(x: FloatArray, lifetime: float) -> tuple[FloatArray, FloatArray]:
    """d/dx and d/d ln tau of it."""
    density = 0.5 * np.exp(-np.abs(x) / lifetime) / lifetime
    return density, -x * density


def _train(x: FloatArray, lifetime: float, period: float) -> FloatArray:
    """Integral of the endless train of such peaks from 0 to x."""
    whole = np.floor(x / period)
    u = x - whole * period
    last = math.exp(-period / lifetime)
    part = (1 - np.exp(-u / lifetime) + np.exp(-(period - u) / lifetime) - last) / (2 * (1 - last))
    return np.asarray(whole + part)


def _train_slopes(x: FloatArray, lifetime: float, period: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """d/dx, d/d ln tau and d/d period of it."""
    whole = np.floor(x / period)
    u = (x - whole * period) / lifetime
    length = period / lifetime
    last = math.exp(-length)
    before, after, scale = np.exp(-u), np.exp(u - length), 2 * (1 - last)
    part = (1 - before + after - last) / scale
    density = (before + after) / scale / lifetime
    by_log = (-u * before + (length - u) * after - length * last + 2 * length * last * part) / scale
    by_period = -whole * density + (last - after - 2 * last * part) / scale / lifetime
    return density, by_log, by_period
