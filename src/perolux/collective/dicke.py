"""Identical emitters at one place, exactly: the ladder of Dicke.

State n has given away n photons; it gives the next at the rate (n + 1)(N - n) Gamma. From full inversion

    p_n' = n (N - n + 1) p_(n-1) - (n + 1)(N - n) p_n,     I = sum_n (n + 1)(N - n) p_n
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sparse
from scipy.optimize import brentq

from perolux.collective.couplings import FloatArray
from perolux.collective.uniformised import clocked, peak_of
from perolux.errors import ModelRangeError, OptionError

__all__ = ["DickeBurst", "burst_shape_limit", "dicke_burst"]

_MOST = 20_000


@dataclass(frozen=True)
class DickeBurst:
    """The burst of N emitters. t_peak, i_peak: of the photon rate, in 1/Gamma and Gamma. times, photon_rate,
    excited (k,): at the times asked for. g2_zero: of the full inversion, 2 - 2/N."""

    emitters: int
    t_peak: float
    i_peak: float
    g2_zero: float
    times: FloatArray = field(repr=False)
    photon_rate: FloatArray = field(repr=False)
    excited: FloatArray = field(repr=False)


def dicke_burst(emitters: int, times: FloatArray | None = None) -> DickeBurst:
    """The exact burst of N identical emitters at one place from full inversion.

    times: in 1/Gamma, rising, from 0 on; 201 up to the end of the burst if left out. The peak is located by
    the root of dI/dt, not on a grid. Raises `OptionError` for N below 1, `ModelRangeError` above 20000.

    >>> found = dicke_burst(10)
    >>> round(found.i_peak, 4)
    22.7591
    """
    n = int(emitters)
    if n < 1:
        raise OptionError(f"{emitters} emitters", allowed="1 and more")
    if n > _MOST:
        raise ModelRangeError(
            f"a ladder of {n} emitters",
            allowed=f"up to {_MOST}",
            fix="in Python: perolux.collective.dicke.burst_shape_limit, large N to 1/N",
        )
    k = np.arange(n + 1, dtype=float)
    leave = (k + 1.0) * (n - k)
    usual = 10.0 * (np.log(n) + 1.0) / n
    asked = np.linspace(0.0, usual, 201) if times is None else np.asarray(times, dtype=float)
    if asked.ndim != 1 or len(asked) < 1 or asked[0] < 0.0 or np.any(np.diff(asked) <= 0.0):
        raise OptionError("times that do not rise from 0", allowed="ascending, in 1/Gamma")

    end = max(float(asked[-1]), usual)
    ladder = sparse.diags([-leave, leave[:-1]], [0, -1], format="csr")
    start = np.zeros(n + 1)
    start[0] = 1.0
    found = clocked(ladder, start, np.stack([leave, n - k]), end)
    rate, excited = found.at(asked)
    t_peak, i_peak = peak_of(found, np.linspace(0.0, usual, 201))
    return DickeBurst(n, t_peak, i_peak, 2.0 - 2.0 / n, asked, rate, excited)


def burst_shape_limit(scaled_time: float) -> float:
    """I/(N^2 Gamma) for N to infinity at N Gamma t - ln N = scaled_time.

    The integral over z from 0 on of e^-z z E/(1 + z E)^2, E = exp(scaled_time): an average over delays of
    sech^2 pulses; its maximum is 0.19570683 at E = 1.39053740.

    >>> round(burst_shape_limit(0.32969029), 6)
    0.195707
    """
    from scipy.integrate import quad

    e = float(np.exp(scaled_time))
    value, _ = quad(lambda z: np.exp(-z) * z * e / (1.0 + z * e) ** 2, 0.0, np.inf, epsabs=1e-13, limit=400)
    return float(value)


def peak_of_limit() -> tuple[float, float]:
    """Scaled time and height of the largest value of `burst_shape_limit`."""

    def slope(u: float) -> float:
        h = 1e-4
        return (burst_shape_limit(u + h) - burst_shape_limit(u - h)) / (2.0 * h)

    at = float(brentq(slope, 0.0, 1.0, xtol=1e-10))
    return at, burst_shape_limit(at)
