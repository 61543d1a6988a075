"""The absorption edge of the bulk with electron-hole attraction (Elliott), broadened.

    alpha(E) ~ (1/E) [ sum_n (4 pi Ry^(3/2)/n^3) delta(E - Eg + Ry/n^2)
                       + 2 pi Ry^(1/2) theta(E - Eg)/(1 - exp(-2 pi sqrt(Ry/(E - Eg)))) ]

Unit eV^(-1/2). At Eg the lines merge into the continuum with the same density 2 pi Ry^(1/2); far above it
the continuum is sqrt(E - Eg) + pi sqrt(Ry). Lines beyond the last one that is summed are added to the
continuum as that density, from Eg - Ry/(n + 1/2)^2 on. The broadening is Gaussian: the tails of a Lorentzian
would carry a continuum without end far below the gap. Parabolic bands, one pair of them, static screening.
Source: Elliott, Phys. Rev. 108, 1384 (1957).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError
from perolux.quantities.constants import FWHM_PER_SIGMA

__all__ = ["elliott_continuum", "elliott_edge", "elliott_line_weights", "sommerfeld_factor"]

FloatArray = npt.NDArray[np.float64]

_REACH = 8.0
"""Deviations of the Gaussian that are integrated: beyond lie 1e-15 of it."""
_POINTS = 96


def sommerfeld_factor(excess_ev: npt.ArrayLike, rydberg_ev: npt.ArrayLike) -> FloatArray:
    """Continuum absorption with attraction over that without: x/(1 - exp(-x)), x = 2 pi sqrt(Ry/(E - Eg)).

    >>> round(float(sommerfeld_factor(1e6, 0.03)), 2)
    1.0
    """
    excess = np.asarray(excess_ev, dtype=np.float64)
    if not np.all(excess > 0):
        raise OptionError("the factor is for energies above the gap", allowed="above 0 eV")
    x = 2.0 * np.pi * np.sqrt(np.asarray(rydberg_ev, dtype=np.float64) / excess)
    return np.asarray(x / -np.expm1(-x))


def elliott_continuum(excess_ev: npt.ArrayLike, rydberg_ev: float) -> FloatArray:
    """2 pi Ry^(1/2)/(1 - exp(-2 pi sqrt(Ry/x))) at x above the gap, 0 below; eV^(1/2)."""
    excess = np.asarray(excess_ev, dtype=np.float64)
    root = np.sqrt(np.where(excess > 0, excess, 1.0))
    attracted = 2.0 * np.pi * math.sqrt(rydberg_ev)
    above = attracted / -np.expm1(-attracted / root)
    return np.where(excess > 0, above, 0.0)


def elliott_line_weights(rydberg_ev: float, lines: int) -> tuple[FloatArray, FloatArray]:
    """Energies from the gap, -Ry/n^2, and weights 4 pi Ry^(3/2)/n^3 of the lines n = 1 ... lines."""
    n = np.arange(1, lines + 1, dtype=np.float64)
    return -rydberg_ev / n**2, 4.0 * np.pi * rydberg_ev**1.5 / n**3


def elliott_edge(
    energy_ev: npt.ArrayLike, gap_ev: float, rydberg_ev: float, fwhm_ev: float, lines: int = 12
) -> FloatArray:
    """The broadened edge at energies (m,), eV^(-1/2); fwhm_ev: of the Gaussian of lines and continuum.

    lines: n up to which lines are summed one by one. Raises `OptionError` for a width, a Rydberg or a gap
    that is not positive.
    """
    if not (fwhm_ev > 0 and rydberg_ev > 0 and gap_ev > rydberg_ev and lines >= 1):
        raise OptionError("width, Rydberg and number of lines must be positive, the gap above the Rydberg")
    energy = np.atleast_1d(np.asarray(energy_ev, dtype=np.float64))
    sigma = fwhm_ev / FWHM_PER_SIGMA
    at, weight = elliott_line_weights(rydberg_ev, lines)
    distance = (energy[:, None] - gap_ev - at[None, :]) / sigma
    norm = 1.0 / (sigma * math.sqrt(2.0 * math.pi))
    edge = np.exp(-0.5 * distance**2) @ (weight / (gap_ev + at)) * norm
    x, w = np.polynomial.legendre.leggauss(_POINTS)
    # the lines beyond the last one, as a continuum of constant density up to the gap
    merged = rydberg_ev / (lines + 0.5) ** 2
    low = np.clip(energy - _REACH * sigma, gap_ev - merged, gap_ev)
    high = np.clip(energy + _REACH * sigma, gap_ev - merged, gap_ev)
    half = 0.5 * (high - low)
    points = low[:, None] + half[:, None] * (x + 1.0)
    inside = 2.0 * np.pi * math.sqrt(rydberg_ev) / points * _gauss(energy, points, sigma)
    edge += (inside @ w) * half
    # the continuum, in u = sqrt(E - Eg), in which it is smooth
    u_low = np.sqrt(np.maximum(energy - _REACH * sigma - gap_ev, 0.0))
    u_high = np.sqrt(np.maximum(energy + _REACH * sigma - gap_ev, 0.0))
    half = 0.5 * (u_high - u_low)
    u = u_low[:, None] + half[:, None] * (x + 1.0)
    points = gap_ev + u**2
    value = elliott_continuum(u**2, rydberg_ev) / points * _gauss(energy, points, sigma) * 2.0 * u
    return np.asarray(edge + (value @ w) * half)


def _gauss(energy: FloatArray, points: FloatArray, sigma: float) -> FloatArray:
    distance = (energy[:, None] - points) / sigma
    return np.asarray(np.exp(-0.5 * distance**2) / (sigma * math.sqrt(2.0 * math.pi)))
