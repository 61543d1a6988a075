"""What a Michelson interferometer shows: fringes at each delay, their visibility, and the spectrum behind.

    port "out"   2 R T photons [1 + Re(v exp(i phi))],          v = contrast J M g1(tau)
    port "back"  (R^2 + T^2) photons [1 - Re(v' exp(i phi))],   v' = v 2 R T/(R^2 + T^2)
    J = exp(-(2 pi d/lambda)^2/2)    path difference that shakes by d (sd) within a reading
    M = sinc(1/points)               a mirror that moves while it counts, `points` readings a fringe

R = 1 - T: reflected share of the beam splitter; both arms pass it twice, so that it costs light at the port
"out" and contrast at "back". Fringes are read at whole fractions of the wavelength, over whole fringes:

    v^ = 2 sum n_k exp(-i phi_k)/sum (n_k - dark),   sd of each part s = sqrt(2 sum n_k)/sum (n_k - dark)

and |v|^2 = |v^|^2 - 2 s^2 without bias. S(w) = (1/pi) Re int_0 g1 exp(-i w tau) dtau (Wiener-Khinchin).
Delays in 1/Gamma; g1 is taken as even over one scan of fringes and one shake (1 fs a fringe).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from perolux.collective.couplings import ComplexArray, FloatArray
from perolux.collective.lines import Lines
from perolux.errors import OptionError

__all__ = ["FringeReading", "Michelson", "fringe_counts", "fringes", "read_fringes", "spectrum_of_fringes"]

_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class Michelson:
    """contrast: of a monochromatic line, by alignment and wavefronts, 0 to 1. reflected: R of the beam
    splitter. port: "out" or "back". path_jitter_nm: sd of the path difference. points: readings of a fringe,
    3 and more; scanned: whole fringes at each delay. moving: the mirror moves while it counts."""

    wavelength_nm: float
    contrast: float = 1.0
    reflected: float = 0.5
    port: str = "out"
    path_jitter_nm: float = 0.0
    points: int = 8
    scanned: int = 4
    moving: bool = False

    def __post_init__(self) -> None:
        if not (0.0 < self.contrast <= 1.0 and 0.0 < self.reflected < 1.0):
            raise OptionError(
                f"a contrast of {self.contrast:g} behind a splitter of {self.reflected:g}",
                allowed="above 0 to 1; between 0 and 1",
            )
        if self.port not in ("out", "back"):
            raise OptionError(f"no port {self.port!r}", allowed="out, back")
        if self.points < 3 or self.scanned < 1:
            raise OptionError(
                f"{self.points} readings a fringe over {self.scanned} fringes",
                allowed="3 and more (phase, contrast and mean), over 1 and more",
            )
        if not (self.wavelength_nm > 0.0 and 0.0 <= self.path_jitter_nm < math.inf):
            raise OptionError("a wavelength or jitter out of range", allowed="above 0 nm; 0 nm and more")

    @property
    def share(self) -> float:
        """Of the light, at the port, without fringes."""
        r = self.reflected
        return 2.0 * r * (1.0 - r) if self.port == "out" else r**2 + (1.0 - r) ** 2

    @property
    def visibility(self) -> float:
        """Of a monochromatic line: contrast, splitter, jitter and motion together."""
        r = self.reflected
        both = 2.0 * r * (1.0 - r)
        splitter = 1.0 if self.port == "out" else both / (r**2 + (1.0 - r) ** 2)
        shaken = math.exp(-0.5 * (2.0 * math.pi * self.path_jitter_nm / self.wavelength_nm) ** 2)
        return self.contrast * splitter * shaken * (float(np.sinc(1.0 / self.points)) if self.moving else 1.0)

    @property
    def phases(self) -> FloatArray:
        """phi of every reading of one scan, (points x scanned,)."""
        return 2.0 * np.pi / self.points * np.arange(self.points * self.scanned, dtype=np.float64)


def fringes(lines: Lines, delays: FloatArray, michelson: Michelson) -> ComplexArray:
    """v at delays (m,) of either sign, in 1/Gamma: |v| is the visibility, its phase that of the fringes less
    the carrier; the opposite sign at "back"."""
    at_once = max(_AT_ONCE // len(lines.poles), 1)
    g = np.concatenate(
        [lines.correlation(np.abs(delays[i : i + at_once])) for i in range(0, len(delays), at_once)]
    )
    g /= lines.photons
    sign = 1.0 if michelson.port == "out" else -1.0
    return np.asarray(sign * michelson.visibility * np.where(delays >= 0.0, g, g.conj()))


def fringe_counts(v: ComplexArray, michelson: Michelson, photons: float, dark: float = 0.0) -> FloatArray:
    """Expected counts (m, readings) of scans with the fringes v (m,): `photons` enter in each scan, `dark`
    counts come in each reading."""
    if not (photons > 0.0 and dark >= 0.0):
        raise OptionError(f"{photons:g} photons and {dark:g} dark counts", allowed="above 0; 0 and more")
    each = michelson.share * photons / len(michelson.phases)
    # |v| is 1 at most but for rounding: dark fringes of full contrast are 0 and not below it
    shape = np.maximum(1.0 + np.real(np.multiply.outer(v, np.exp(1j * michelson.phases))), 0.0)
    return np.asarray(each * shape + dark)


@dataclass(frozen=True, eq=False)
class FringeReading:
    """v^ (m,), sigma (m,) of each of its two parts, visibility (m,) without the bias of noise (0 where noise
    is all)."""

    v: ComplexArray
    sigma: FloatArray
    visibility: FloatArray


def read_fringes(counts: FloatArray, michelson: Michelson, dark: float = 0.0) -> FringeReading:
    """Fringes from counts (m, readings) of scans. Raises `OptionError` where a scan has no light."""
    total = np.sum(counts, axis=1)
    light = total - dark * counts.shape[1]
    if counts.shape[1] != len(michelson.phases) or np.any(light <= 0.0):
        raise OptionError(
            "a scan without light, or of another length", allowed=f"{len(michelson.phases)} readings"
        )
    v = 2.0 * (counts @ np.exp(-1j * michelson.phases)) / light
    sigma = np.sqrt(2.0 * total) / light
    return FringeReading(v, sigma, np.sqrt(np.maximum(np.abs(v) ** 2 - 2.0 * sigma**2, 0.0)))


def spectrum_of_fringes(v: ComplexArray, step: float, *, padded: int = 4) -> tuple[FloatArray, FloatArray]:
    """Frequencies (rising, Gamma) and density of the fringes v_k at delays k step, k = 0, 1, ..., of one
    sign: (step/pi) Re[v_0/2 + sum v_k exp(-i w k step)], by FFT over a grid `padded` times as fine.

    Its sum times the spacing is Re v_0. An exponential g1 = exp(-c tau) gives, exactly where it has died out,
    (step/2 pi) sinh(c step)/(cosh(c step) - cos(w step)): the Lorentzian with its copies 2 pi/step apart.
    """
    v = np.asarray(v, dtype=complex)
    if v.ndim != 1 or len(v) < 2 or not step > 0.0 or padded < 1:
        raise OptionError("no fringes at two delays or more", allowed="(m,) at even steps from 0 on")
    n = 2 * padded * len(v)
    half = np.concatenate([[0.5 * v[0]], v[1:]])
    density = np.real(np.fft.fft(half, n)) * step / np.pi
    frequency = np.asarray(2.0 * np.pi * np.fft.fftfreq(n, step), dtype=np.float64)
    order = np.argsort(frequency)
    return frequency[order], density[order]
