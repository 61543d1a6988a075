"""Decays that are no sum of exponentials, behind the same responses: stretched, spread rates, two carriers
that meet.

    stretched    f = exp(-(t/tau)^beta)                                             mean tau/beta
    Gamma(1/beta) lognormal    f = integral exp(-k t) over ln k, Gaussian around -ln tau, width s
    gamma        f = (1 + t/(a tau))^-a                                             rates by a gamma law, mean
    1/tau bimolecular  f = [e/(1 + b (1 - e))]^2, e = exp(-t/tau)                         light ~ n^2, dn/dt =
    -n/tau - k2 n^2,
                                                                                    b = k2 n0 tau

Columns hold f's mean in each bin (f(0) = 1): the amplitude is in counts per bin at the pulse. The response is
taken as constant within a bin (a Gaussian: a quarter of a bin), f is integrated over bins; earlier pulses are
summed until nothing is left. Checked against `decay_models` where beta = 1, s -> 0, a -> infinity, b = 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError
from perolux.photons.decay_models import REACH_SIGMAS, check_period
from perolux.photons.instrument_response import GaussianResponse, MeasuredResponse, Response

__all__ = ["SHAPES", "Shape", "shape_column"]

FloatArray = npt.NDArray[np.float64]
_FINER, _TABLE = 4, 1000
_LEFT, _NEAR, _MOST_PULSES = 1e-9, 8, 200_000
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)
_HERMITE, _HERMITE_WEIGHTS = np.polynomial.hermite_e.hermegauss(40)


Curve = Callable[[FloatArray], FloatArray]
Later = Callable[[FloatArray, float], FloatArray]


@dataclass(frozen=True)
class Shape:
    """A decay f(t) of two parameters: ln(tau) and a second, with its name, bounds and first guesses."""

    second: str
    low: float
    high: float
    guesses: tuple[float, ...]
    curve: Callable[[FloatArray, float, float], FloatArray]
    later: Callable[[FloatArray, float, float, float], FloatArray] | None = None


def _stretched(t: FloatArray, tau: float, beta: float) -> FloatArray:
    return np.exp(-((t / tau) ** beta))


def _lognormal(t: FloatArray, tau: float, s: float) -> FloatArray:
    if t.size > 2 * _TABLE:  # smooth in ln t: a spline through a table is good to 1e-8
        from scipy.interpolate import CubicSpline

        first = 1e-6 * tau
        grid = np.linspace(math.log(first), math.log(float(t.max()) + 2 * first), _TABLE)
        curve: Any = CubicSpline(grid, _lognormal(np.maximum(np.exp(grid) - first, 0.0), tau, s))
        table: FloatArray = curve(np.log(t + first))
        return table
    rates = np.exp(s * _HERMITE) / tau
    found: FloatArray = np.exp(-t[..., None] * rates) @ (_HERMITE_WEIGHTS / _HERMITE_WEIGHTS.sum())
    return found


def _gamma(t: FloatArray, tau: float, a: float) -> FloatArray:
    return np.exp(-a * np.log1p(t / (a * tau)))


def _gamma_later(t: FloatArray, period: float, tau: float, a: float) -> FloatArray:
    """Sum over k >= 1 of f(t + k period): a power law has no end, but Hurwitz' zeta where a > 1."""
    from scipy.special import zeta

    if a <= 1:
        raise ModelRangeError(f"light of earlier pulses has no sum for a = {a:g}", allowed="a above 1")
    found: FloatArray = (period / (a * tau)) ** -a * zeta(a, 1 + (a * tau + t) / period)
    return found


def _bimolecular(t: FloatArray, tau: float, b: float) -> FloatArray:
    e = np.exp(-t / tau)
    found: FloatArray = (e / (1 - b * np.expm1(-t / tau))) ** 2
    return found


SHAPES = {
    "stretched": Shape("beta", 0.2, 2.0, (0.5, 0.8), _stretched),
    "lognormal": Shape("s", 0.01, 3.0, (0.3, 1.0), _lognormal),
    "gamma": Shape("a", 0.3, 200.0, (1.5, 5.0), _gamma, _gamma_later),
    "bimolecular": Shape("b", 0.0, 300.0, (0.3, 3.0), _bimolecular),
}


def shape_column(
    f: Curve,
    bins: int,
    bin_ns: float,
    response: Response | None = None,
    *,
    period_ns: float | None = None,
    shift_ns: float = 0.0,
    later: Later | None = None,
) -> FloatArray:
    """Mean of f, behind the response, in each bin; shape (bins,). f: t >= 0 in ns, f(0) = 1.

    later: t, period -> the sum over k >= 1 of f(t + k period), where it is known. Raises `ModelRangeError`
    where more than 200000 earlier pulses matter.
    """
    check_period(bins, bin_ns, response, period_ns)
    if isinstance(response, MeasuredResponse):
        finer, before, h = 1, 0, bin_ns
        r = response.shifted(shift_ns, bins)[0]
    else:
        instant = response or GaussianResponse(0.0)
        finer = _FINER if instant.sigma_ns else 1
        h = bin_ns / finer
        centre = instant.centre_ns + shift_ns
        if not instant.sigma_ns:
            edges: FloatArray = np.arange(bins + 1, dtype=np.float64) * bin_ns - centre
            return _means(f, edges, period_ns, later)
        from scipy.special import ndtr

        before = max(0, math.ceil((REACH_SIGMAS * instant.sigma_ns - centre) / h))
        r = np.diff(ndtr((np.arange(-before, bins * finer + 1) * h - centre) / instant.sigma_ns))
    from scipy.signal import fftconvolve

    n = len(r)
    d = np.arange(-(n - 1) if period_ns else 0, n)
    u = (_NODES + 1) / 2
    # integrals over the triangle of two bins; near the start f may rise like a root: nodes crowd there
    right = (f_sum(f, (d[:, None] + u**3) * h, period_ns, later) * (1 - u**3) * 3 * u**2) @ _WEIGHTS / 2
    left = (f_sum(f, (d[:, None] - 1 + u**3) * h, period_ns, later) * u**3 * 3 * u**2) @ _WEIGHTS / 2
    kernel = left + right
    whole = fftconvolve(r, kernel)
    start = n - 1 if period_ns else 0
    column = np.maximum(whole[start + before : start + before + bins * finer], 0.0)
    found: FloatArray = column.reshape(bins, finer).mean(axis=1)
    return found


def f_sum(f: Curve, t: FloatArray, period: float | None, later: Later | None = None) -> FloatArray:
    """f(t) and what earlier pulses left; 0 before a pulse. later: as in `shape_column`."""
    total = np.where(t >= 0, f(np.maximum(t, 0.0)), 0.0)
    if period is None:
        return total
    low, high = float(t.min()), float(t.max())
    if high > period:  # a response that begins before the axis: the next pulse has come
        total = total + np.where(t >= period, f(np.maximum(t - period, 0.0)), 0.0)
    if later is not None and low + period > 0:
        return total + later(t, period)
    for k in range(1, _NEAR):
        late = t + k * period
        total = total + np.where(late >= 0, f(np.maximum(late, 0.0)), 0.0)
    # what is older runs smoothly over one period: a polynomial through 17 times
    x = np.polynomial.chebyshev.chebpts1(17)
    nodes, sums = low + (x + 1) / 2 * (high - low), np.zeros(17)
    for k in range(_NEAR, _MOST_PULSES, 1000):
        values = f(nodes + period * np.arange(k, k + 1000)[:, None])
        sums += values.sum(axis=0)
        if float(values[-1].max()) * k < _LEFT:
            smooth = np.polynomial.Chebyshev.fit(nodes, sums, 16, domain=[low, high])
            found: FloatArray = total + smooth(t)
            return found
    raise ModelRangeError(
        f"this decay is not over after {_MOST_PULSES} pulses",
        fix="fit exponentials, or leave the period out",
    )


def _means(f: Curve, edges: FloatArray, period: float | None, later: Later | None) -> FloatArray:
    """Means of f between edges; the bin of the pulse begins there."""
    low, high = edges[:-1, None], edges[1:, None]
    u = ((_NODES + 1) / 2) ** 3
    weight = _WEIGHTS / 2 * 3 * ((_NODES + 1) / 2) ** 2
    split = np.clip(0.0, low, high)
    parts = [(a, b - a) for a, b in ((low, split), (split, high))]
    total = sum((f_sum(f, a + u * width, period, later) * width) @ weight for a, width in parts)
    found: FloatArray = total / (high - low)[:, 0]
    return found
