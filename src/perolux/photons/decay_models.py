"""Decays as an instrument sees them: exponentials behind a response, in bins, with all earlier pulses.

    exGaussian      E(x) = 1/2 exp(-x^2/(2 s^2)) erfcx((s/tau - x/s)/sqrt2),   F(x) = Phi(x/s) - E(x)
    bin             p_i = F(t_i+1 - t0) - F(t_i - t0)                           integrated, not sampled
    earlier pulses  F gains -exp(s^2/(2 tau^2) - (x + T)/tau)/(1 - exp(-T/tau))

Each column is the share of a component's photons of one whole period (or of all times) that falls in each
bin. A measured response is constant within its bins; its exponential is then exact, a recursive filter:

    p_i = P0 r_i + c s_i,  s_i+1 = q s_i + r_i,  q = exp(-h/tau), P0 = 1 - (1 - q) tau/h, c = (1 - q)^2 tau/h

and s_0 holds what earlier pulses left. Source: the exGaussian is a standard convolution (Grushka, Anal. Chem.
44, 1733 (1972): recalled); the rest is algebra. Times in ns.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, OptionError
from perolux.photons.instrument_response import GaussianResponse, MeasuredResponse, Response

__all__ = ["check_period", "exponential_columns", "lifetime_limits"]

FloatArray = npt.NDArray[np.float64]

REACH_SIGMAS = 9.0
"""A Gaussian is nothing (1e-18) beyond this many standard deviations."""
LEAST_BINS, LEAST_SIGMAS, MOST_WINDOWS = 0.1, 1 / 15, 10.0
"""Lifetimes from a tenth of a bin and a fifteenth of the response's sigma to ten windows."""


def lifetime_limits(bins: int, bin_ns: float, response: Response | None) -> tuple[float, float]:
    """Shortest and longest lifetime that such a histogram is asked about, in ns."""
    sigma = response.sigma_ns if isinstance(response, GaussianResponse) else 0.0
    return max(LEAST_BINS * bin_ns, LEAST_SIGMAS * sigma), MOST_WINDOWS * bins * bin_ns


def check_period(bins: int, bin_ns: float, response: Response | None, period_ns: float | None) -> None:
    """Raise where the axis is longer than the period, or the response too wide for it."""
    if period_ns is None:
        return
    if not (math.isfinite(period_ns) and period_ns > 0):
        raise OptionError(f"a period of {period_ns:g} ns", allowed="a positive number")
    # half a bin: axes are rounded in files
    if bins * bin_ns > period_ns + 0.5 * bin_ns:
        raise OptionError(
            f"the axis of {bins * bin_ns:.6g} ns is longer than the period of {period_ns:.6g} ns",
            fix="cut the record to one period (--start, --stop), or correct --period",
        )
    if (
        isinstance(response, GaussianResponse)
        and response.centre_ns + REACH_SIGMAS * response.sigma_ns >= period_ns
    ):
        raise ModelRangeError(
            f"a response at {response.centre_ns:g} ns with sigma {response.sigma_ns:g} ns for a period of "
            f"{period_ns:g} ns",
            allowed=f"centre + {REACH_SIGMAS:g} sigma below the period",
        )


def exponential_columns(
    lifetimes_ns: npt.ArrayLike,
    bins: int,
    bin_ns: float,
    response: Response | None = None,
    *,
    period_ns: float | None = None,
    shift_ns: float = 0.0,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Columns of exponentials, and their derivatives by ln(tau) and by the shift; each of shape (bins, k).

    response: None is an instant at the start of the first bin. period_ns: of the laser; None: one pulse. A
    column sums to 1 over all times (period: over one period). Raises as `check_period`, and `ModelRangeError`
    for a lifetime below sigma/15 of a Gaussian response.

    >>> p, _, _ = exponential_columns([2.0], 50, 1.0, GaussianResponse(0.1, 5.0))
    >>> round(float(p.sum()), 8)
    1.0
    """
    tau = np.atleast_1d(np.asarray(lifetimes_ns, dtype=float))
    if not (np.isfinite(tau).all() and (tau > 0).all()):
        raise OptionError("a lifetime that is not a positive number")
    check_period(bins, bin_ns, response, period_ns)
    if isinstance(response, MeasuredResponse):
        return _measured(tau, bins, bin_ns, response, period_ns, shift_ns)
    instant = response or GaussianResponse(0.0)
    if 0 < instant.sigma_ns < 1e-9 * bin_ns:  # no width at all; squares of x/s would overflow
        instant = GaussianResponse(0.0, instant.centre_ns)
    if tau.min() < 0.999 * LEAST_SIGMAS * instant.sigma_ns:
        raise ModelRangeError(
            f"a lifetime of {tau.min():g} ns behind a response of sigma {instant.sigma_ns:g} ns",
            allowed="sigma/15 or more",
        )
    x: FloatArray = np.arange(bins + 1, dtype=np.float64)[:, None] * bin_ns - instant.centre_ns - shift_ns
    upper, slope = _exgaussian(x, tau, instant.sigma_ns)
    tail = _tail(x, tau, instant.sigma_ns)
    if period_ns is not None:
        reach = period_ns - REACH_SIGMAS * instant.sigma_ns
        if float(x[-1, 0]) > reach:  # the next pulse begins within the axis
            more, more_slope = _exgaussian(x - period_ns, tau, instant.sigma_ns)
            upper, slope = upper + more, slope + more_slope
            tail = tail + _tail(x - period_ns, tau, instant.sigma_ns)
        earlier, earlier_slope = _earlier(x, tau, instant.sigma_ns, period_ns)
        upper, slope, tail = upper - earlier, slope - earlier_slope, tail + earlier
    # where nothing has come yet, rounding leaves -1e-17
    shares = np.maximum(np.diff(upper, axis=0), 0.0)
    return shares, np.diff(slope, axis=0), -np.diff(tail, axis=0) / tau


def _tail(x: FloatArray, tau: FloatArray, sigma: float) -> FloatArray:
    """E(x), shape (n, k)."""
    from scipy.special import erfcx

    late = np.exp(np.minimum((0.5 * sigma**2 / tau - x) / tau, 700.0))
    if sigma == 0:
        return np.where(x >= 0, late, 0.0)
    z = (sigma / tau - x / sigma) / math.sqrt(2)
    edge = 0.5 * np.exp(-0.5 * (x / sigma) ** 2) * erfcx(np.abs(z))
    # erfcx(-z) = 2 exp(z^2) - erfcx(z) overflows; the product with the Gaussian does not
    found: FloatArray = np.where(z >= 0, edge, late - edge)
    return found


def _exgaussian(x: FloatArray, tau: FloatArray, sigma: float) -> tuple[FloatArray, FloatArray]:
    """F(x) and dF/d ln(tau), shape (n, k)."""
    from scipy.special import ndtr

    tail = _tail(x, tau, sigma)
    if sigma == 0:
        return np.where(x >= 0, 1.0 - tail, 0.0), -x / tau * tail
    bell = np.exp(-0.5 * (x / sigma) ** 2) * sigma / (tau * math.sqrt(2 * math.pi))
    return ndtr(x / sigma) - tail, -((x / tau - (sigma / tau) ** 2) * tail + bell)


def _earlier(x: FloatArray, tau: FloatArray, sigma: float, period: float) -> tuple[FloatArray, FloatArray]:
    """What all earlier pulses left at x, and its derivative by ln(tau), shape (n, k)."""
    u = period / tau
    left = np.exp((0.5 * sigma**2 / tau - x - period) / tau) / -np.expm1(-u)
    return left, left * ((x + period) / tau - (sigma / tau) ** 2 + u / np.expm1(np.minimum(u, 700.0)))


def _measured(
    tau: FloatArray,
    bins: int,
    bin_ns: float,
    response: MeasuredResponse,
    period: float | None,
    shift_ns: float,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    if abs(response.bin_ns / bin_ns - 1) > 1e-3:
        raise OptionError(
            f"the response has bins of {response.bin_ns:g} ns, the decay of {bin_ns:g} ns",
            allowed="the same bins",
            fix="export both with one bin width",
        )
    if int(np.flatnonzero(response.probability)[-1]) >= bins:
        raise OptionError(
            "the response ends after the decay does",
            fix="give the decay the whole axis; exclude with --start, --stop",
        )
    r, moved = response.shifted(shift_ns, bins)
    columns, slopes, shifts = (np.empty((bins, len(tau))) for _ in range(3))
    for k, one in enumerate(tau):
        columns[:, k], slopes[:, k] = _filtered(r, float(one), bin_ns, period)
        shifts[:, k] = _filtered(moved, float(one), bin_ns, period)[0]
    return columns, slopes, shifts


def _filtered(r: FloatArray, tau: float, h: float, period: float | None) -> tuple[FloatArray, FloatArray]:
    """One exponential behind r, and its derivative by ln(tau)."""
    from scipy.signal import lfilter

    rho = h / tau
    q, rise = math.exp(-rho), -math.expm1(-rho)
    first, first_slope = 1 - rise / rho, q - rise / rho
    later, later_slope = rise**2 / rho, rise**2 / rho - 2 * rise * q
    s0 = s0_slope = 0.0
    if period is not None:
        u = period / tau
        age = np.maximum(period - (1 + np.arange(len(r))) * h, 0.0) / tau
        left = r * np.exp(-age) / -math.expm1(-u)
        s0 = float(left.sum())
        s0_slope = float((left * age).sum()) + s0 * u / math.expm1(min(u, 700.0))
    # s_i for i = 0 ... n-1: the filter's state before bin i
    s, _ = lfilter([0.0, 1.0], [1.0, -q], r, zi=[s0])
    ds, _ = lfilter([0.0, 1.0], [1.0, -q], rho * q * s, zi=[s0_slope])
    return first * r + later * s, first_slope * r + later_slope * s + later * ds
