"""Depolarisation factors of a box whose polarisation follows the pair instead of being uniform.

The long-range exchange of a bright level is the field energy of its polarisation p(r) = Psi(r, r) along axis
i:

    N_i = int |p(k)|^2 k_i^2/k^2 d3k / int |p(k)|^2 d3k,        N_a + N_b + N_c = 1.

With 1/k^2 = int exp(-k^2 t) dt it separates for p(r) = f(x/a) f(y/b) f(z/c) into products of one function of
t,

    N_c = - int A(t/a^2) A(t/b^2) (d/dt) A(t/c^2) dt,    A(s) = int g(u) exp(-u^2/4s)/sqrt(4 pi s) du,

g the autocorrelation of f with g(0) = 1. Profiles: "strong", f = cos^2 (electron and hole each in their
ground state); "weak", f = cos (the pair as one particle); "uniform", f = 1, which gives the magnetometric
factors of `depolarisation.box_factors` back. A cube has 1/3 in each.
"""

from __future__ import annotations

import math
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, OptionError

__all__ = ["PROFILES", "PolarisationProfile", "profile_factors"]

FloatArray = npt.NDArray[np.float64]

PolarisationProfile = Literal["strong", "weak", "uniform"]
PROFILES: tuple[PolarisationProfile, ...] = get_args(PolarisationProfile)

_TIMES, _POINTS = 144, 32
"""Nodes in ln t and in u; the factors move by less than 1e-8 when both are doubled (tested)."""
_REACH = 6.5
"""exp(-v^2) beyond this is below 1e-18."""
_ASPECT_LIMIT = 100.0


def profile_factors(
    a_nm: npt.ArrayLike,
    b_nm: npt.ArrayLike,
    c_nm: npt.ArrayLike,
    profile: PolarisationProfile = "strong",
    *,
    times: int = _TIMES,
    points: int = _POINTS,
) -> FloatArray:
    """Factors (N_a, N_b, N_c) of boxes for a polarisation profile; last axis of length 3, sum 1.

    Edges are full lengths, arrays broadcast; ratios up to 100. times, points: nodes of the two quadratures.
    About 1 ms a box: take the distinct shapes of an ensemble, not each crystal. Raises `OptionError` for an
    unknown profile or edges that are not positive, `ModelRangeError` beyond the ratio.

    >>> profile_factors(1.0, 1.0, 1.0).round(6).tolist()
    [0.333333, 0.333333, 0.333333]
    """
    if profile not in PROFILES:
        raise OptionError(f"unknown polarisation profile {profile!r}", allowed=", ".join(PROFILES))
    edges = np.stack(np.broadcast_arrays(*(np.asarray(e, dtype=float) for e in (a_nm, b_nm, c_nm))), axis=-1)
    if not bool(np.all(np.isfinite(edges) & (edges > 0))):
        raise OptionError("an edge is not a positive number", where="depolarisation factors")
    smallest, largest = edges.min(axis=-1), edges.max(axis=-1)
    if np.any(largest > _ASPECT_LIMIT * smallest):
        raise ModelRangeError(
            "edges of very different length",
            where="depolarisation factors of a profile",
            allowed=f"ratios up to {_ASPECT_LIMIT:g}",
            fix="use the limits: 0 along a long edge, 1 across a plate, 1/2 across a needle",
        )
    # ln t from where the tail of "uniform", t^(1/2), is below 1e-8 to where that of t^(-3/2) is; the
    # integrand is smooth and falls off on both sides, so that the plain sum converges exponentially
    ratio = (edges / smallest[..., None])[..., :, None]
    low, high = -37.0, 13.0 + 2.0 * np.log(largest / smallest)
    step = (high - low)[..., None] / times
    t = np.exp(low + step * np.arange(times + 1))
    value, slope = _averages(t[..., None, :] / ratio**2, profile, points)
    factors = []
    for axis in range(3):
        other = [k for k in range(3) if k != axis]
        integrand = -slope[..., axis, :] * value[..., other[0], :] * value[..., other[1], :]
        factors.append((integrand * step).sum(axis=-1))
    return np.stack(factors, axis=-1)


def _averages(s: FloatArray, profile: str, points: int) -> tuple[FloatArray, FloatArray]:
    """A(s) and s dA/ds = dA/d ln s; with u = 2 sqrt(s) v the Gaussian has a fixed width.

    dA/d ln s = int g (v^2 - 1/2) exp(-v^2) 2 dv/sqrt(pi).
    """
    root = 2.0 * np.sqrt(s)
    end = np.minimum(1.0 / root, _REACH)
    node, weight = np.polynomial.legendre.leggauss(points)
    v = 0.5 * end[..., None] * (node + 1.0)
    gauss = np.exp(-(v**2)) * _autocorrelation(root[..., None] * v, profile)
    measure = end * (1.0 / math.sqrt(math.pi))
    return measure * (gauss @ weight), measure * ((gauss * (v**2 - 0.5)) @ weight)


def _autocorrelation(u: FloatArray, profile: str) -> FloatArray:
    """int f(x) f(x + u) dx over its value at u = 0, for 0 <= u <= 1."""
    rest = np.maximum(1.0 - u, 0.0)
    if profile == "uniform":
        return rest
    if profile == "weak":
        return np.asarray(rest * np.cos(math.pi * u) + np.sin(math.pi * u) / math.pi)
    wave = 2.0 * math.pi * u
    return np.asarray((rest * (1.0 + 0.5 * np.cos(wave)) + 1.5 / (2.0 * math.pi) * np.sin(wave)) * 2.0 / 3.0)
