"""The emission line of an ensemble: its peak and its width at half height.

    f(E) = sum_i w_i exp(-(E - E_i)^2 / 2 sigma^2) / sigma,  E_i confinement of size L_i, sigma = H/2.3548

Sizes are lognormal with number-mean `edge_nm` and standard deviation `relative_spread` times the mean; each
nanocrystal counts in proportion to its volume, because above the gap it absorbs in that proportion. With
tau^2 = ln(1 + s^2) the volume-weighted ln L is normal with centre ln(edge) + 5 tau^2/2 and deviation tau.
The line of one size is a Gaussian of FWHM H (an assumption).

Energies of small sizes are steep in size, so f is skew: at 4 nm and a spread of 15 % its peak lies 55 meV
below the mean energy. Mean and standard deviation would not do.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError
from perolux.quantities.constants import FWHM_PER_SIGMA

__all__ = ["EnsembleLine", "ensemble_line", "volume_weighted_sizes"]

FloatArray = npt.NDArray[np.float64]

_REACH = 4.0
"""Sizes out to this many deviations of ln L; beyond lie 6e-5 of the light."""
_FEWEST, _MOST = 17, 65
_SMOOTH = 0.6
"""Sizes in the sum. Where neighbours lie further apart in energy than the line of one size is wide, each is
given at least this part of their distance as its deviation: the sum then has no ripples."""
_CLIMB, _DESCENT, _STARTS = 6, 8, 9
"""Newton steps and starting energies; the last steps move by less than 0.01 meV (tested)."""


@dataclass(frozen=True)
class EnsembleLine:
    """Peak and width of ensemble lines; both of shape (edges, spreads, homogeneous widths), in eV.

    peak_ev counts from the bulk gap (a confinement energy), as the function given does.
    """

    peak_ev: FloatArray
    fwhm_ev: FloatArray


def volume_weighted_sizes(
    edge_nm: npt.ArrayLike, relative_spread: npt.ArrayLike, nodes: int
) -> tuple[FloatArray, FloatArray]:
    """Sizes (edges, spreads, nodes) in nm and weights (nodes,) of the light of a lognormal ensemble."""
    edges = np.atleast_1d(np.asarray(edge_nm, dtype=float))
    spreads = np.atleast_1d(np.asarray(relative_spread, dtype=float))
    if np.any(edges <= 0) or np.any(spreads < 0):
        raise OptionError("sizes must be positive and spreads not negative")
    z = np.linspace(-_REACH, _REACH, nodes)
    weights = np.exp(-0.5 * z * z)
    tau2 = np.log1p(spreads**2)[None, :, None]
    log_sizes = np.log(edges)[:, None, None] + 2.5 * tau2 + np.sqrt(tau2) * z
    return np.exp(log_sizes), weights / weights.sum()


def ensemble_line(
    edge_nm: npt.ArrayLike,
    relative_spread: npt.ArrayLike,
    homogeneous_fwhm_ev: npt.ArrayLike,
    confinement_ev: Callable[[FloatArray], FloatArray],
) -> EnsembleLine:
    """Peak and FWHM of the lines of ensembles, on the grid of edges, spreads and homogeneous widths.

    confinement_ev: energy (eV) against size (nm), falling. Peak: highest point of f; width: between the
    points of half height. By safeguarded Newton steps on ln f.
    """
    widths = np.atleast_1d(np.asarray(homogeneous_fwhm_ev, dtype=float))
    if np.any(widths <= 0):
        raise OptionError("a homogeneous width must be positive", allowed="above 0 eV")
    # Sizes must lie closer in energy than the line of one size is wide, or the sum shows ripples.
    ends = confinement_ev(volume_weighted_sizes(edge_nm, relative_spread, 9)[0])
    step = float(np.max(np.abs(np.diff(ends, axis=-1)))) * 8
    finest = float(widths.min()) / FWHM_PER_SIGMA
    nodes = int(np.clip(math.ceil(step / (1.5 * finest)) | 1, _FEWEST, _MOST))
    sizes, weights = volume_weighted_sizes(edge_nm, relative_spread, nodes)
    energies = confinement_ev(sizes)[:, :, None, :]
    spacing = np.abs(np.gradient(energies, axis=-1))
    sigma = np.maximum((widths / FWHM_PER_SIGMA)[None, None, :, None], _SMOOTH * spacing)
    mean = energies @ weights
    total = np.sqrt(((energies - mean[..., None]) ** 2 + sigma**2) @ weights)
    peak = _climb(energies, weights, sigma, _best_node(energies, weights, sigma))
    top = _log_line(peak, energies, weights, sigma)[0] - math.log(2.0)
    low = _descend(energies, weights, sigma, total, peak, top, -1.0)
    high = _descend(energies, weights, sigma, total, peak, top, +1.0)
    return EnsembleLine(peak, high - low)


def _log_line(
    energy: FloatArray, energies: FloatArray, weights: FloatArray, sigma: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """ln f, its slope and its curvature at `energy`."""
    distance = (energies - energy[..., None]) / sigma
    exponent = -0.5 * distance**2
    top = exponent.max(axis=-1)
    parts = np.exp(exponent - top[..., None]) * (weights / sigma)
    line = parts.sum(axis=-1)
    slope = (parts * distance / sigma).sum(axis=-1) / line
    curvature = (parts * (distance**2 - 1.0) / sigma**2).sum(axis=-1) / line - slope**2
    return top + np.log(line), slope, curvature


def _best_node(energies: FloatArray, weights: FloatArray, sigma: FloatArray) -> FloatArray:
    """Of some energies of the ensemble, the one where the line is highest: a start near the peak."""
    shape = sigma.shape[:-1]
    best, highest = np.zeros(shape), np.full(shape, -np.inf)
    last = energies.shape[-1] - 1
    # Light is densest at large sizes, whose energies lie close together: the peak is never in the other tail.
    for k in np.round(np.linspace(0.25, 0.95, _STARTS) * last).astype(int):
        candidate = np.broadcast_to(energies[..., k], shape)
        value = _log_line(candidate, energies, weights, sigma)[0]
        best, highest = np.where(value > highest, candidate, best), np.maximum(value, highest)
    return best


def _climb(energies: FloatArray, weights: FloatArray, sigma: FloatArray, start: FloatArray) -> FloatArray:
    """The maximum of ln f: Newton where it is concave, else a step of the weighted mean, always uphill."""
    energy, narrow = start, sigma.min(axis=-1)
    for _ in range(_CLIMB):
        _, slope, curvature = _log_line(energy, energies, weights, sigma)
        mean_shift = slope * narrow**2
        newton = np.divide(-slope, curvature, out=mean_shift.copy(), where=curvature < -1e-3 / narrow**2)
        energy = energy + np.clip(newton, -2.0 * narrow, 2.0 * narrow)
    return energy


def _descend(
    energies: FloatArray,
    weights: FloatArray,
    sigma: FloatArray,
    total: FloatArray,
    peak: FloatArray,
    level: FloatArray,
    side: float,
) -> FloatArray:
    """Where ln f falls to `level` on one side of the peak: Newton, kept between known bounds."""
    inner, outer = peak.copy(), peak + side * 8.0 * total
    energy = peak + side * 1.2 * sigma.min(axis=-1)
    for _ in range(_DESCENT):
        value, slope, _ = _log_line(energy, energies, weights, sigma)
        above = value > level
        inner, outer = np.where(above, energy, inner), np.where(above, outer, energy)
        step = np.divide(level - value, slope, out=np.full_like(value, np.inf), where=slope * side < 0)
        newton = energy + step
        # A converged point lies on a bound, give or take rounding; it must not be thrown back to the middle.
        slack = 1e-9 * total
        inside = ((newton - inner) * side > -slack) & ((outer - newton) * side > -slack)
        energy = np.where(inside, newton, 0.5 * (inner + outer))
    return energy
