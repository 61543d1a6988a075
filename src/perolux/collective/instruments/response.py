"""How a detector blurs light in time: photons given until each time, behind a response, in bins.

Light that comes at an even rate within a fine step of width h, behind a response with cumulative R, reaches
the fine step m steps later with the share

    K_m = [S(m + 1) - 2 S(m) + S(m - 1)]/h,   S(m) = integral of R up to m h

so that nothing is lost or made. Jitter of the trigger over many shots adds to a Gaussian in quadrature; a
measured response holds it already. Times in ps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from perolux.collective.couplings import FloatArray
from perolux.errors import InputError, OptionError

__all__ = ["GaussianBlur", "MeasuredBlur", "blur_kernel", "delayed"]

_REACH = 6.0
FWHM_PER_SIGMA = 2.0 * math.sqrt(2.0 * math.log(2.0))


@dataclass(frozen=True)
class GaussianBlur:
    """A Gaussian of full width fwhm_ps at half maximum (0: none), and the jitter_ps (sd) of its trigger."""

    fwhm_ps: float
    jitter_ps: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.fwhm_ps + self.jitter_ps) and self.fwhm_ps >= 0 and self.jitter_ps >= 0):
            raise OptionError(
                f"a response of {self.fwhm_ps:g} ps with a jitter of {self.jitter_ps:g} ps",
                allowed="0 and more",
            )

    @property
    def sigma_ps(self) -> float:
        """Standard deviation of both together."""
        return math.hypot(self.fwhm_ps / FWHM_PER_SIGMA, self.jitter_ps)

    @property
    def note(self) -> str:
        """In words."""
        jitter = f", jitter {self.jitter_ps:g} ps (sd)" if self.jitter_ps else ""
        return f"Gaussian of {self.fwhm_ps:g} ps (FWHM){jitter}"

    def primitive(self, t: FloatArray) -> FloatArray:
        """Integral of the cumulative response up to t."""
        from scipy.special import ndtr

        s = self.sigma_ps
        if s == 0.0:
            return np.maximum(t, 0.0)
        z = t / s
        return np.asarray(t * ndtr(z) + s * np.exp(-0.5 * z**2) / math.sqrt(2.0 * math.pi))

    @property
    def reach(self) -> tuple[float, float]:
        """Where the response begins and ends."""
        return -_REACH * self.sigma_ps, _REACH * self.sigma_ps


@dataclass(frozen=True, eq=False)
class MeasuredBlur:
    """A measured response: time_ps (n,), even steps, counts (n,) less their background; t = 0 at its mean."""

    time_ps: FloatArray
    counts: FloatArray
    note: str = "measured"

    def __post_init__(self) -> None:
        t, c = self.time_ps, self.counts
        steps = np.diff(t)
        if len(t) < 3 or t.shape != c.shape or np.any(steps <= 0.0) or np.ptp(steps) > 1e-3 * steps[0]:
            raise InputError("a measured response needs three or more times in even steps")
        if np.any(c < 0.0) or not np.isfinite(c).all() or c.sum() <= 0.0:
            raise InputError("a measured response must have counts, none below 0")

    @property
    def sigma_ps(self) -> float:
        """Standard deviation about the mean."""
        p = self.counts / self.counts.sum()
        return float(np.sqrt(p @ (self.time_ps - p @ self.time_ps) ** 2))

    def _nodes(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        step = float(self.time_ps[1] - self.time_ps[0])
        p = self.counts / self.counts.sum()
        edges = np.append(self.time_ps - 0.5 * step, self.time_ps[-1] + 0.5 * step) - p @ self.time_ps
        cumulated = np.append(0.0, np.cumsum(p))
        primitive = np.append(0.0, np.cumsum(0.5 * step * (cumulated[1:] + cumulated[:-1])))
        return edges, cumulated, primitive

    def primitive(self, t: FloatArray) -> FloatArray:
        """Integral of the cumulative response up to t; the response is even within its own steps."""
        edges, cumulated, primitive = self._nodes()
        k = np.clip(np.searchsorted(edges, t, side="right") - 1, 0, len(edges) - 2)
        x = np.clip(t - edges[k], 0.0, edges[k + 1] - edges[k])
        slope = (cumulated[k + 1] - cumulated[k]) / (edges[k + 1] - edges[k])
        inside = primitive[k] + cumulated[k] * x + 0.5 * slope * x**2
        return np.asarray(np.where(t < edges[0], 0.0, inside + np.maximum(t - edges[-1], 0.0)))

    @property
    def reach(self) -> tuple[float, float]:
        """Where the response begins and ends."""
        edges = self._nodes()[0]
        return float(edges[0]), float(edges[-1])


Blur = GaussianBlur | MeasuredBlur


def blur_kernel(response: Blur, step_ps: float) -> tuple[FloatArray, int]:
    """Shares K that reach fine steps first, first + 1, ... (first may be below 0); sum 1.

    >>> kernel, first = blur_kernel(GaussianBlur(0.0), 1.0)
    >>> float(kernel[-first]), round(float(kernel.sum()), 12)
    (1.0, 1.0)
    """
    if not (math.isfinite(step_ps) and step_ps > 0.0):
        raise OptionError(f"a step of {step_ps:g} ps", allowed="above 0")
    low, high = response.reach
    first = math.floor(low / step_ps) - 1
    last = math.ceil(high / step_ps) + 1
    s = response.primitive(np.arange(first - 1, last + 2, dtype=np.float64) * step_ps)
    kernel = np.maximum(s[2:] - 2.0 * s[1:-1] + s[:-2], 0.0) / step_ps
    return kernel / kernel.sum(), first


def blurred(steps: FloatArray, kernel: FloatArray, first: int) -> FloatArray:
    """Photons of fine steps (..., n) behind the kernel, on the same steps; what leaves them is gone."""
    n = steps.shape[-1]
    flat = steps.reshape(-1, n)
    found = np.empty_like(flat)
    for i, one in enumerate(flat):
        whole = np.convolve(one, kernel)
        start = -first
        found[i] = np.pad(whole, (max(-start, 0), max(start + n - len(whole), 0)))[
            max(start, 0) : max(start, 0) + n
        ]
    return found.reshape(steps.shape)


def delayed(steps: FloatArray, step_ps: float, time_ps: float) -> FloatArray:
    """Photons of fine steps (..., n), each held back by an exponentially spread time of mean time_ps."""
    from scipy.signal import lfilter

    rho = step_ps / time_ps
    q, rise = math.exp(-rho), -math.expm1(-rho)
    s = lfilter([0.0, 1.0], [1.0, -q], steps, axis=-1)
    return np.asarray((1.0 - rise / rho) * steps + rise**2 / rho * s)
