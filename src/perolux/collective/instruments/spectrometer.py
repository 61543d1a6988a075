"""What a spectrometer shows of a spectrum that is a sum of lines: behind its slit, in pixels, as counts.

    seen(w) = int S(w - x) slit(x) dx = (1/pi) Re sum_a c_a sqrt(pi/2)/s W(i z_a),   slit: Gaussian of sd s
    z_a = (i w - mu_a + l)/(s sqrt 2),   l: half width of the slit's Lorentzian part (wings), W: Faddeeva

in closed form for every line, as each is one exponential of g1. A Gaussian line behind a Gaussian slit adds
in quadrature, Lorentzian widths add. Frequencies and widths in Gamma, as those of `lines`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from perolux.collective.couplings import FloatArray
from perolux.collective.instruments.response import FWHM_PER_SIGMA
from perolux.collective.lines import Lines
from perolux.errors import OptionError

__all__ = ["Slit", "full_width", "lines_of_emitters", "pixel_photons", "slit_density"]

_AT_ONCE = 2_000_000
_MOST_PARTS = 200


@dataclass(frozen=True)
class Slit:
    """What one sharp line becomes: a Voigt profile. gaussian, lorentzian: full widths at half maximum, in
    Gamma, 0 and more."""

    gaussian: float
    lorentzian: float = 0.0

    def __post_init__(self) -> None:
        both = (self.gaussian, self.lorentzian)
        if not (math.isfinite(sum(both)) and min(both) >= 0.0):
            raise OptionError(
                f"a slit of {self.gaussian:g} (Gaussian) and {self.lorentzian:g} (Lorentzian)",
                allowed="0 and more",
            )

    @property
    def width(self) -> float:
        """Full width of the Voigt profile, to 0.02 % (Olivero and Longbothum 1977, recalled)."""
        return 0.5346 * self.lorentzian + math.hypot(math.sqrt(0.2166) * self.lorentzian, self.gaussian)


def slit_density(lines: Lines, frequency: FloatArray, slit: Slit) -> FloatArray:
    """Photons per Gamma behind the slit at frequencies (m,); without a slit `Lines.density`."""
    from scipy.special import wofz

    broad = Lines(lines.poles - 0.5 * slit.lorentzian, lines.weights, lines.method)
    sigma = slit.gaussian / FWHM_PER_SIGMA
    narrowest = float(np.min(np.abs(broad.poles.real)))
    # far below the narrowest line a Gaussian does nothing but lose digits
    if sigma <= 1e-6 * narrowest:
        return broad.density(frequency)
    found = np.empty(len(frequency))
    step = max(_AT_ONCE // len(lines.poles), 1)
    for i in range(0, len(frequency), step):
        part = slice(i, i + step)
        z = (1j * frequency[part, None] - broad.poles) / (sigma * math.sqrt(2.0))
        found[part] = np.real(wofz(1j * z) @ lines.weights)
    return found / (sigma * math.sqrt(2.0 * math.pi))


def pixel_photons(lines: Lines, edges: FloatArray, slit: Slit) -> FloatArray:
    """Photons in each pixel between edges (L + 1, rising or falling), (L,).

    By four points of Gauss and Legendre in every full width of the slit's Gaussian, to 1e-5 of the height;
    without one, or with one below 1/200 of a pixel, which shows nowhere, in closed form.
    """
    edges = np.asarray(edges, dtype=float)
    steps = np.diff(edges)
    if len(edges) < 2 or not (np.all(steps > 0.0) or np.all(steps < 0.0)):
        raise OptionError("pixels whose edges do not rise or fall")
    widest = float(np.abs(steps).max())
    if slit.gaussian < widest / _MOST_PARTS:
        return np.abs(Lines(lines.poles - 0.5 * slit.lorentzian, lines.weights).binned(edges))
    parts = max(math.ceil(widest / slit.gaussian), 1)
    nodes, weights = np.polynomial.legendre.leggauss(4)
    inside = ((np.arange(parts)[:, None] + 0.5 * (nodes + 1.0)) / parts).ravel()
    points = edges[:-1, None] + steps[:, None] * inside
    seen = slit_density(lines, points.ravel(), slit).reshape(points.shape)
    return np.asarray(seen @ np.tile(0.5 * weights / parts, parts) * np.abs(steps))


def lines_of_emitters(detuning: FloatArray, width: float) -> Lines:
    """One photon of emitters one by one: Lorentzians of the full width `width` (Gamma)."""
    n = len(detuning)
    poles = 1j * np.asarray(detuning, dtype=float) - 0.5 * width
    return Lines(poles, np.full(n, 1.0 / n, dtype=complex), "emitters one by one")


def full_width(place: FloatArray, height: FloatArray) -> float | None:
    """Full width at half of the largest height, outermost crossings, straight between points; None where a
    side does not fall so far."""
    half = 0.5 * float(np.max(height))
    above = np.flatnonzero(height >= half)
    first, last = int(above[0]), int(above[-1])
    if first == 0 or last == len(height) - 1:
        return None

    def crossing(low: int, high: int) -> float:
        share = (half - height[low]) / (height[high] - height[low])
        return float(place[low] + share * (place[high] - place[low]))

    return abs(crossing(last, last + 1) - crossing(first - 1, first))
