"""The part of the middle peak that interference takes away, bin by bin, with the timing of the detectors.

    i(t) = (G/2) exp(-K|t| - s^2 t^2/2) sum_j q_j cos(d_j t),   K = 2/T2,   area V (see `hom`)

blurred by a Gaussian of standard deviation b. One half of it, t > 0, blurred at x, in closed form:

    exp(-x^2/2b^2)/(2 b sqrt a) erfcx[(K - i d - x/b^2)/sqrt(2a)],   a = s^2 + 1/b^2

Times in ns, angular frequencies in rad/ns.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError

__all__ = ["beats_of", "interference_share"]

FloatArray = npt.NDArray[np.float64]
Beats = tuple[tuple[float, float], ...]
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(4)
_FINEST = 50.0
"""A blur below this part of a bin is none."""


def beats_of(lines: Sequence[float], weights: Sequence[float]) -> Beats:
    """(difference, share) of each pair of lines, those of one difference together; shares add up to 1.

    lines: angular frequencies in any unit; weights: shares of the light, normalised here.

    >>> beats_of((0.0, 3.0), (1.0, 1.0))
    ((0.0, 0.5), (3.0, 0.5))
    """
    w, p = np.asarray(lines, dtype=float), np.asarray(weights, dtype=float)
    if w.shape != p.shape or w.ndim != 1 or not w.size or np.any(p < 0) or not p.sum() > 0:
        raise OptionError("lines and weights do not fit", allowed="as many weights as lines, none negative")
    p = p / p.sum()
    found: dict[float, float] = {}
    for i in range(len(w)):
        for j in range(len(w)):
            gap = abs(float(w[i] - w[j]))
            found[gap] = found.get(gap, 0.0) + float(p[i] * p[j])
    return tuple(sorted(found.items()))


def interference_share(
    edges_ns: npt.ArrayLike,
    centre_ns: float,
    t1_ns: float,
    t2_ns: float,
    *,
    spread: float = 0.0,
    beats: Beats = ((0.0, 1.0),),
    blur_ns: float = 0.0,
) -> FloatArray:
    """Integral of i(t - centre) over each bin, shape (edges - 1,); over all times it is the visibility.

    spread: s, rad/ns; beats: (d_j, q_j) of the difference of the two photons, shares adding up to 1. A blur
    below 1/50 of the narrowest bin counts as none; otherwise bins are integrated by Gauss-Legendre over
    pieces no wider than the blur, to 1e-6 of the whole.
    """
    edges = np.asarray(edges_ns, dtype=float) - centre_ns
    width = np.diff(edges)
    if blur_ns < float(width.min()) / _FINEST:
        total = np.zeros(len(edges))
        for gap, share in beats:
            total += share * np.sign(edges) * _half_area(np.abs(edges), 2 / t2_ns, gap, spread)
        return np.diff(total) / (2 * t1_ns)
    # beyond this reach nothing is left of either exponential
    reach = 40 * t2_ns + 10 * blur_ns
    near = np.flatnonzero((edges[1:] > -reach) & (edges[:-1] < reach))
    found = np.zeros(len(width))
    if not len(near):
        return found
    pieces = math.ceil(float(width[near].max()) / blur_ns)
    step = width[near] / pieces
    start = edges[near][:, None] + step[:, None] * np.arange(pieces)
    x = start[:, :, None] + 0.5 * step[:, None, None] * (_NODES + 1)
    density = np.zeros(x.shape)
    for gap, share in beats:
        for side in (x, -x):
            density += share * _half_density(side, 2 / t2_ns, gap, spread, blur_ns)
    found[near] = 0.5 * step * np.sum(density * _WEIGHTS, axis=(1, 2)) / (2 * t1_ns)
    return found


def _half_area(x: FloatArray, width: float, gap: float, spread: float) -> FloatArray:
    """Integral from 0 to x >= 0 of exp(-width t - spread^2 t^2/2) cos(gap t)."""
    from scipy.special import wofz

    rate = width - 1j * gap
    if spread < 1e-6 * abs(rate):
        return np.asarray(np.real((1 - np.exp(-rate * x)) / rate))
    z = rate / (math.sqrt(2) * spread)
    left = np.exp(-rate * x - (spread * x) ** 2 / 2) * wofz(1j * (z + spread * x / math.sqrt(2)))
    return np.asarray(np.real(wofz(1j * z) - left) * math.sqrt(math.pi / 2) / spread)


def _half_density(x: FloatArray, width: float, gap: float, spread: float, blur: float) -> FloatArray:
    """exp(-width t - spread^2 t^2/2) cos(gap t) for t > 0, blurred, at x."""
    from scipy.special import wofz

    a = spread**2 + 1 / blur**2
    z = (width - 1j * gap - x / blur**2) / math.sqrt(2 * a)
    bell = -((x / blur) ** 2) / 2
    right = np.real(z) >= 0
    small = np.exp(bell) * wofz(1j * np.where(right, z, -z))
    # erfcx(z) = 2 exp(z^2) - erfcx(-z), exponents added before they can overflow
    power = np.where(right, 0.0, bell + z**2)
    return np.real(np.where(right, small, 2 * np.exp(power) - small)) / (2 * blur * math.sqrt(a))
