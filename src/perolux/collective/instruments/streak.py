"""What a streak camera and a photon counter would record of a burst: expected counts, and photons drawn.

    n(t bin, E bin) = shots x share collected x efficiency x [I(t) behind the response] x line(E) + dark

Time and energy are independent: the line is that of the emitters one by one (their energies, homogeneous
width hbar (Gamma + 2 g*), a Lorentzian) behind a Gaussian spectrometer; shifts that change during a burst
are not in it. The sweep may be uneven: bin k begins at start + bin (k + q k (k - n)/n).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from perolux.collective.couplings import FloatArray
from perolux.collective.instruments.response import FWHM_PER_SIGMA, Blur, blur_kernel, blurred
from perolux.errors import OptionError

__all__ = ["StreakCamera", "counted", "emitter_line", "streak_image"]

_MOST_FINE = 200_000


@dataclass(frozen=True)
class StreakCamera:
    """response: in time. start_ps, bin_ps, bins: axis of time, t = 0 the start of the emission; uneven: q
    of the sweep, |q| < 0.5. energy_edges_ev (L + 1), rising. resolution_mev: FWHM of the spectrometer.
    dark: counts of each pixel."""

    response: Blur
    start_ps: float
    bin_ps: float
    bins: int
    energy_edges_ev: FloatArray
    resolution_mev: float = 0.0
    uneven: float = 0.0
    dark: float = 0.0

    def __post_init__(self) -> None:
        if not (self.bin_ps > 0.0 and 1 <= self.bins <= 20_000 and abs(self.uneven) < 0.5):
            raise OptionError(
                f"{self.bins} bins of {self.bin_ps:g} ps, sweep uneven by {self.uneven:g}",
                allowed="1 to 20000 bins above 0 ps; below 0.5",
            )
        if np.any(np.diff(self.energy_edges_ev) <= 0.0) or self.resolution_mev < 0.0 or self.dark < 0.0:
            raise OptionError("energies that do not rise, or a resolution or dark counts below 0")

    @property
    def edges_ps(self) -> FloatArray:
        """Borders of the bins of time, (bins + 1,)."""
        k = np.arange(self.bins + 1.0)
        return np.asarray(self.start_ps + self.bin_ps * (k + self.uneven * k * (k - self.bins) / self.bins))


def counted(
    times_ps: FloatArray, rate_per_ps: FloatArray, edges_ps: FloatArray, response: Blur
) -> FloatArray:
    """Photons between edges, (len(edges) - 1,), of a rate at times (k,) from 0 on, behind a response.

    The rate is straight between its times and 0 outside. Also the histogram of a photon counter that sees
    less than 0.05 photons a pulse (above that: `perolux.photons.pile_up`).
    """
    t, i = np.asarray(times_ps, dtype=float), np.asarray(rate_per_ps, dtype=float)
    if t.ndim != 1 or t.shape != i.shape or len(t) < 2 or np.any(np.diff(t) <= 0.0) or np.any(i < 0.0):
        raise OptionError("a rate that is no curve over rising times, 0 and more")
    low, high = response.reach
    smallest = float(np.diff(edges_ps).min())
    step = min(smallest / 4.0, max(response.sigma_ps / 3.0, smallest / 16.0))
    first = min(float(edges_ps[0]) - high, float(t[0]))
    last = max(float(edges_ps[-1]) - low, float(t[-1]))
    count = math.ceil((last - first) / step)
    if count > _MOST_FINE:
        raise OptionError(
            f"{count} fine steps of time", allowed=f"{_MOST_FINE}", fix="wider bins, a shorter span"
        )
    fine = first + step * np.arange(count + 1, dtype=np.float64)
    steps = np.diff(_integral(t, i, fine))
    kernel, begin = blur_kernel(response, step)
    seen = np.append(0.0, np.cumsum(blurred(steps, kernel, begin)))
    return np.diff(np.interp(edges_ps, fine, seen))


def _integral(t: FloatArray, i: FloatArray, at: FloatArray) -> FloatArray:
    """Integral of the straight pieces up to each time."""
    whole = np.append(0.0, np.cumsum(0.5 * (i[1:] + i[:-1]) * np.diff(t)))
    k = np.clip(np.searchsorted(t, at, side="right") - 1, 0, len(t) - 2)
    x = np.clip(at - t[k], 0.0, t[k + 1] - t[k])
    slope = (i[k + 1] - i[k]) / (t[k + 1] - t[k])
    return np.asarray(np.where(at < t[0], 0.0, whole[k] + i[k] * x + 0.5 * slope * x**2))


def emitter_line(
    energies_ev: FloatArray, homogeneous_mev: float, edges_ev: FloatArray, resolution_mev: float = 0.0
) -> FloatArray:
    """Share of the light in each bin of energy, (L,): Voigt lines (FWHM) at the energies of all emitters."""
    from scipy.special import voigt_profile

    sigma = 1e-3 * max(resolution_mev, 1e-3) / FWHM_PER_SIGMA
    gamma = 0.5e-3 * homogeneous_mev
    # bins wider than the line are split
    parts = max(math.ceil(float(np.diff(edges_ev).max()) / max(0.25 * (sigma + gamma), 1e-6)), 1)
    parts = min(parts, 400)
    inside = (np.arange(parts) + 0.5) / parts
    width = np.diff(edges_ev)
    points = edges_ev[:-1, None] + width[:, None] * inside
    centres, weights = _grouped(energies_ev, 0.1 * (sigma + gamma))
    share = np.zeros(points.shape)
    for centre, weight in zip(centres, weights, strict=True):
        share += weight * voigt_profile(points - centre, sigma, gamma)
    return np.asarray(share.mean(axis=1) * width)


def _grouped(energies: FloatArray, step: float) -> tuple[FloatArray, FloatArray]:
    """Energies to the nearest step, with the share of emitters at each."""
    found, counts = np.unique(np.rint(energies / step), return_counts=True)
    return found * step, counts / len(energies)


def streak_image(
    camera: StreakCamera, times_ps: FloatArray, rate_per_ps: FloatArray, line: FloatArray
) -> FloatArray:
    """Expected counts (bins, L): rate_per_ps of photons that the camera detects, line (L,) of shares.

    Nothing is lost but what falls off the axes: where they hold all of the light the counts sum to it.
    """
    if line.shape != (len(camera.energy_edges_ev) - 1,):
        raise OptionError(f"a line of shape {line.shape}", allowed="a share for each bin of energy")
    trace = counted(times_ps, rate_per_ps, camera.edges_ps, camera.response)
    return np.outer(trace, line) + camera.dark
