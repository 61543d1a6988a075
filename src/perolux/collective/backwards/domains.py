"""Domains of identical emitters at one place, each excited by chance: photons against time, for fits.

A domain holds N emitters, each excited with probability p, with pure dephasing g*: populations of |J, M> as
in `symmetric`, started from the mixture

    P(J | e excited) = d_J/C(N, e),   d_J = (2J + 1)/(N/2 + J + 1) C(N, N/2 - J),   J >= |e - N/2|

One backward equation gives all starts: v(J, M; t) = photons until t from |J, M>, v' = A v + light. Tables
over N and g* are made when asked for and kept; between g* they are interpolated (four points in ln g*),
between N a domain of 12.3 emitters is a mixture of domains of 12 and 13.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.special import gammaln

from perolux.collective.backwards._fit_kernels import add_domains, between_logs
from perolux.collective.backwards._ladder_kernels import photons_from_every_start
from perolux.collective.couplings import FloatArray
from perolux.errors import ModelRangeError

__all__ = ["DEPHASING_RANGE", "MOST_EMITTERS", "domain_photons", "domain_table", "start_shares"]

_SIZES = (*range(1, 25), 26, 28, 30, 32, 35, 38, 41, 44, 48, 52, 56, 60)
MOST_EMITTERS = _SIZES[-1]
"""Emitters of a domain in the tables; above 24 not every number has its own."""
DEPHASING_RANGE = (0.03, 3e4)
"""g* over Gamma of the tables."""
_STEP = 0.25 * np.log(10.0)
_FIRST = np.log(DEPHASING_RANGE[0]) - _STEP
_SUBSTEPS = 1
# photons are asked for up to 40 lifetimes; a step is 3 % of the time
_FIRST_TIME, _LAST_TIME, _TIMES = 1e-4, 40.0, 400
_RATIO = (_LAST_TIME / _FIRST_TIME) ** (1.0 / (_TIMES - 1))
SCALED_TIMES = np.concatenate([[0.0], np.geomspace(_FIRST_TIME, _LAST_TIME, _TIMES)])
"""Times of the tables, in 1/Gamma."""


def start_shares(emitters: int) -> FloatArray:
    """Chance of each J for e random emitters excited of N; (N + 1, N//2 + 1), second axis N/2 - J."""
    n, h = emitters, 0.5 * emitters
    shares = np.zeros((n + 1, n // 2 + 1))

    def log_choose(k: float) -> float:
        return float(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))

    for e in range(n + 1):
        for k in range(min(e, n - e) + 1):
            j = h - k
            log_d = np.log((2.0 * j + 1.0) / (h + j + 1.0)) + log_choose(k)
            shares[e, k] = np.exp(log_d - log_choose(e))
    return shares


@cache
def domain_table(emitters: int, position: int) -> FloatArray:
    """Photons until `SCALED_TIMES` from each start, (N + 1, times), at the `position`-th g* of the grid."""
    dephasing = float(np.exp(_FIRST + position * _STEP))
    found = photons_from_every_start(
        emitters, dephasing, SCALED_TIMES, _SUBSTEPS, start_shares(emitters)
    )  # fmt: skip
    return np.ascontiguousarray(found.T)


def domain_photons(
    emitters: float, dephasing: float, excited: FloatArray, scaled_times: FloatArray
) -> FloatArray:
    """Photons per emitter until each time, (len(excited), len(times)), for each chance of excitation.

    emitters: 1 to 60, a mixture between whole numbers of the tables. dephasing: g* over Gamma. scaled_times:
    in 1/Gamma, rising; 0 photons before 0, the last value after 40. Interpolation error of the tables: 1e-6
    of a photon per emitter in time, below 4e-4 in g* (tested). Raises `ModelRangeError` outside.

    >>> round(float(domain_photons(1.0, 1.0, np.array([1.0]), np.array([1.0]))[0, 0]), 3)
    0.632
    """
    if not 1.0 <= emitters <= MOST_EMITTERS:
        raise ModelRangeError(f"domains of {emitters:g} emitters", allowed=f"1 to {MOST_EMITTERS}")
    low, high = DEPHASING_RANGE
    if not low <= dephasing <= high * (1.0 + 1e-9):
        raise ModelRangeError(f"dephasing of {dephasing:g} Gamma", allowed=f"{low:g} to {high:g}")
    place = int(np.searchsorted(_SIZES, emitters, side="right")) - 1
    part = 0.0
    if place + 1 < len(_SIZES):
        part = (emitters - _SIZES[place]) / (_SIZES[place + 1] - _SIZES[place])
    at = (np.log(dephasing) - _FIRST) / _STEP
    first = int(np.floor(at)) - 1
    x = at - first
    # Lagrange through 0, 1, 2, 3
    weights = (
        -(x - 1.0) * (x - 2.0) * (x - 3.0) / 6.0, x * (x - 2.0) * (x - 3.0) / 2.0,
        -x * (x - 1.0) * (x - 3.0) / 2.0, x * (x - 1.0) * (x - 2.0) / 6.0,
    )  # fmt: skip
    times = np.maximum(scaled_times, 0.0)
    begin, end = _rows(times)
    curves = np.zeros((len(excited), len(SCALED_TIMES)))
    for n, share in ((_SIZES[place], 1.0 - part), (_SIZES[min(place + 1, len(_SIZES) - 1)], part)):
        if share > 0.0:
            tables = tuple(domain_table(n, first + k) for k in range(4))
            add_domains(n, share, _log_choose(n), tables, weights, excited, begin, end, curves)
    found = np.zeros((len(excited), len(times)))
    for one, curve in zip(found, curves, strict=True):
        between_logs(times, _FIRST_TIME, _RATIO, curve, one)
    return found


def _rows(times: FloatArray) -> tuple[int, int]:
    """Which times of the tables are needed for rising `times`; the first, 0 photons at 0, is known."""
    after = int(np.searchsorted(times, 0.0, side="right"))
    if after == len(times):
        return 0, 0
    # a cubic takes two on both sides
    begin = int(np.searchsorted(SCALED_TIMES, times[after])) - 3
    end = int(np.searchsorted(SCALED_TIMES, times[-1])) + 3
    return max(begin, 0), min(end, len(SCALED_TIMES))


@cache
def _log_choose(n: int) -> FloatArray:
    k = np.arange(n + 1.0)
    return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))
