"""The line of one transition coupled linearly to phonons (independent bosons, Huang-Rhys).

    A(E) = (1/2 pi hbar) int dt exp(iEt/hbar) Z(t) exp[phi(t) - phi(0)]
    phi(t) = sum_j S_j [(n_j + 1) exp(-i E_j t/hbar) + n_j exp(+i E_j t/hbar)]

E is counted from the zero-phonon line, upwards in absorption; emission is the mirror image A(-E). n_j is the
Bose occupation, S_j the Huang-Rhys factor of a mode of energy E_j, Z(t) the Fourier transform of the
zero-phonon line (Lorentzian and Gaussian part). Acoustic phonons are a continuum with the Huang-Rhys density

    s(E) = S_ac (2E/Ec^2) exp(-E^2/Ec^2),   integral S_ac,   Ec = sqrt(2) hbar v/a

that is the spectral density E^2 s(E) ~ E^3 exp(-E^2/Ec^2) of deformation-potential coupling to a Gaussian
density exp(-r^2/a^2), with S_ac = D^2/(4 pi^2 rho hbar v^3 a^2). a is matched to the ground state
of a hard cube: the density has the same variance along each axis.

One exponential holds all orders of all modes; it is evaluated on a grid of energies and of times that fast
Fourier transforms link. Exact: area 1, mean sum S E, variance sum S E^2 coth(E/2kT) beside the zero-phonon
line; at T = 0 one mode gives weights exp(-S) S^n/n!. The coupling does not mix levels.
Source: Huang and Rhys, Proc. R. Soc. A 204, 406 (1950); Lax, J. Chem. Phys. 20, 1752 (1952).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, OptionError
from perolux.materials.temperature import phonon_occupation
from perolux.quantities.constants import BOLTZMANN_EV_PER_K, FWHM_PER_SIGMA

__all__ = [
    "LineMoments",
    "PhononLine",
    "PhononModes",
    "generating_exponent",
    "line_moments",
    "mode_weights",
    "moments_of_draws",
    "phonon_line",
]

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complex128]

_FINEST_STEPS = 24.0
"""Grid steps within the zero-phonon line: its transform then ends below exp(-0.5 pi 24) or far less."""
_REACH = 14.0
"""Half window in deviations of the whole line, beyond its highest mode; Gaussian tails are below 1e-40."""
_LORENTZ_REACH = 400.0
"""Half window in widths of a Lorentzian part: 0.08 % of its area lies beyond and is folded back."""
_MOST_POINTS = 1 << 20
_COLD = 1e-9
"""kT in units of the acoustic cutoff below which it is taken as 0: far below any grid step."""


@dataclass(frozen=True, eq=False)
class PhononModes:
    """Modes that couple to a transition: sharp ones (m,) and the acoustic continuum.

    energy_ev: positive; huang_rhys: not negative. acoustic_cutoff_ev: Ec, needed where acoustic_huang_rhys
    is not 0. Raises `OptionError` with all that is wrong.
    """

    energy_ev: FloatArray
    huang_rhys: FloatArray
    acoustic_huang_rhys: float = 0.0
    acoustic_cutoff_ev: float | None = None

    def __post_init__(self) -> None:
        energy, strength = np.atleast_1d(self.energy_ev), np.atleast_1d(self.huang_rhys)
        object.__setattr__(self, "energy_ev", np.asarray(energy, dtype=np.float64))
        object.__setattr__(self, "huang_rhys", np.asarray(strength, dtype=np.float64))
        if energy.shape != strength.shape or energy.ndim != 1:
            raise OptionError(f"{energy.size} phonon energies for {strength.size} Huang-Rhys factors")
        if not (np.all(np.isfinite(energy)) and np.all(energy > 0)):
            raise OptionError("a phonon energy is not positive", allowed="finite, above 0 eV")
        factors = np.append(strength, self.acoustic_huang_rhys)
        if not (np.all(np.isfinite(factors)) and np.all(factors >= 0)):
            raise OptionError("a Huang-Rhys factor is negative", allowed="0 and above")
        if self.acoustic_huang_rhys > 0 and not (self.acoustic_cutoff_ev or 0) > 0:
            raise OptionError("an acoustic continuum needs a cutoff energy", allowed="above 0 eV")

    @property
    def relaxation_ev(self) -> float:
        """sum S E: from the zero-phonon line to the mean of absorption, and to that of emission."""
        acoustic = 0.0
        if self.acoustic_huang_rhys > 0 and self.acoustic_cutoff_ev:
            acoustic = self.acoustic_huang_rhys * self.acoustic_cutoff_ev * math.sqrt(math.pi) / 2.0
        return float(self.huang_rhys @ self.energy_ev) + acoustic


@dataclass(frozen=True)
class LineMoments:
    """Exact moments of the phonon part of a line: area 1, mean_ev from the zero-phonon line, variance."""

    mean_ev: float
    variance_ev2: float

    @property
    def fwhm_ev(self) -> float:
        """Width at half height of the Gaussian of this variance: the limit of strong coupling or warmth."""
        return FWHM_PER_SIGMA * math.sqrt(self.variance_ev2)


@dataclass(frozen=True, eq=False)
class PhononLine:
    """A line on its own grid: `detuning_ev` (n,) from the zero-phonon line, `density_per_ev` of area 1.

    zero_phonon_weight: exp(-phi(0)), the part of the area in the zero-phonon line.
    """

    detuning_ev: FloatArray
    density_per_ev: FloatArray
    zero_phonon_weight: float
    side: Literal["absorption", "emission"]

    def at(self, detuning_ev: npt.ArrayLike) -> FloatArray:
        """The line at other detunings, linear between grid points; `ModelRangeError` beyond the grid."""
        asked = np.asarray(detuning_ev, dtype=np.float64)
        first, last = float(self.detuning_ev[0]), float(self.detuning_ev[-1])
        if not np.all((asked >= first) & (asked <= last)):
            raise ModelRangeError(
                "a detuning outside the window of the line",
                allowed=f"{first:.3g} to {last:.3g} eV",
                fix="make the line with a larger reach_ev",
            )
        return np.asarray(np.interp(asked, self.detuning_ev, self.density_per_ev))


def phonon_line(
    modes: PhononModes,
    temperature_k: float,
    *,
    lorentz_fwhm_ev: float = 0.0,
    gauss_fwhm_ev: float = 0.0,
    side: Literal["absorption", "emission"] = "absorption",
    reach_ev: float = 0.0,
    refine: int = 1,
) -> PhononLine:
    """The line of a transition with its phonons at a temperature (K), area 1.

    lorentz_fwhm_ev, gauss_fwhm_ev: of the zero-phonon line, not both 0. reach_ev: window at least +-reach.
    refine: doubles, triples ... the number of grid points in width and in window (a test of convergence).
    Raises `OptionError` for a line without width and `ModelRangeError` where the grid would exceed 2^20
    points.

    >>> modes = PhononModes([0.019], [0.5])
    >>> line = phonon_line(modes, 0.0, gauss_fwhm_ev=0.002)
    >>> round(float(np.sum(line.density_per_ev)) * float(line.detuning_ev[1] - line.detuning_ev[0]), 9)
    1.0
    """
    if side not in ("absorption", "emission"):
        raise OptionError(f"unknown side {side!r}", allowed="absorption, emission")
    if min(lorentz_fwhm_ev, gauss_fwhm_ev) < 0 or not lorentz_fwhm_ev + gauss_fwhm_ev > 0:
        raise OptionError(
            "a zero-phonon line needs a width", allowed="lorentz_fwhm_ev or gauss_fwhm_ev above 0 eV"
        )
    energy, step = _grid(modes, temperature_k, lorentz_fwhm_ev, gauss_fwhm_ev, reach_ev, refine)
    n = len(energy)
    # times in 1/eV; the product of the two steps is 2 pi/n, as the transform needs
    time = np.asarray(2.0 * np.pi * np.fft.fftfreq(n, d=step), dtype=np.float64)
    phi0, exponent = generating_exponent(modes, temperature_k, time, energy)
    sigma = gauss_fwhm_ev / FWHM_PER_SIGMA
    width = np.exp(-0.5 * lorentz_fwhm_ev * np.abs(time) - 0.5 * (sigma * time) ** 2)
    density = np.fft.fftshift(np.fft.ifft(np.exp(exponent - phi0) * width)).real / step
    if side == "emission":
        # the grid runs from -n/2 to n/2 - 1: mirrored, -n/2 stays where it is (the window is a ring)
        density = np.roll(density[::-1], 1)
    return PhononLine(energy, density, math.exp(-phi0), side)


def generating_exponent(
    modes: PhononModes, temperature_k: float, time_per_ev: FloatArray, energy_ev: FloatArray
) -> tuple[float, ComplexArray]:
    """phi(0) and phi(t) at the times (1/eV, t/hbar) that belong to an energy grid (centred, even length).

    The sharp modes are summed; the continuum is the transform of its two-sided density
    s(E) (n(E) + 1) for E > 0 and s(|E|) n(|E|) for E < 0, which is smooth through 0 for T > 0.
    """
    exponent = np.zeros(len(time_per_ev), dtype=np.complex128)
    for energy, strength in zip(modes.energy_ev, modes.huang_rhys, strict=True):
        occupied = float(phonon_occupation(temperature_k, float(energy)))
        phase = np.exp(-1j * energy * time_per_ev)
        exponent += strength * ((occupied + 1.0) * phase + occupied * np.conj(phase))
    if modes.acoustic_huang_rhys > 0:
        density = _two_sided(modes, temperature_k, energy_ev)
        step = float(energy_ev[1] - energy_ev[0])
        exponent += np.fft.fft(np.fft.ifftshift(density)) * step
    return float(exponent[0].real), exponent


def line_moments(modes: PhononModes, temperature_k: float) -> LineMoments:
    """Mean sum S E and variance sum S E^2 coth(E/2kT) of the phonon part; the continuum by quadrature."""
    occupied = np.array([float(phonon_occupation(temperature_k, float(e))) for e in modes.energy_ev])
    variance = float(np.sum(modes.huang_rhys * modes.energy_ev**2 * (2.0 * occupied + 1.0)))
    if modes.acoustic_huang_rhys > 0 and modes.acoustic_cutoff_ev:
        # Gauss-Legendre to 8 cutoffs (exp(-64) beyond); the integrand is smooth, 200 points give 1e-12
        x, w = _legendre(200)
        energy = 4.0 * modes.acoustic_cutoff_ev * (x + 1.0)
        density = _one_sided(modes, energy) * 4.0 * modes.acoustic_cutoff_ev * w
        warm = np.array([float(phonon_occupation(temperature_k, float(e))) for e in energy])
        variance += float(np.sum(density * energy**2 * (2.0 * warm + 1.0)))
    return LineMoments(modes.relaxation_ev, variance)


def moments_of_draws(
    energy_ev: npt.ArrayLike,
    huang_rhys: npt.ArrayLike,
    temperature_k: npt.ArrayLike,
    acoustic_huang_rhys: npt.ArrayLike = 0.0,
    acoustic_cutoff_ev: npt.ArrayLike = 1.0,
) -> tuple[FloatArray, FloatArray]:
    """Mean sum S E (eV) and variance (eV^2) for many sizes or draws at once.

    Last axis of energy_ev and huang_rhys: the modes. temperature_k and the acoustic arguments broadcast
    against the other axes, all energies are positive. As `line_moments`, without its checks: some 1e6 sets
    in a second.
    """
    energy, factor = (np.asarray(a, dtype=np.float64) for a in (energy_ev, huang_rhys))
    thermal = BOLTZMANN_EV_PER_K * np.asarray(temperature_k, dtype=np.float64)
    acoustic, cutoff = (np.asarray(a, dtype=np.float64) for a in (acoustic_huang_rhys, acoustic_cutoff_ev))
    mean = (factor * energy).sum(axis=-1) + 0.5 * math.sqrt(math.pi) * acoustic * cutoff
    variance = (factor * energy**2 * _coth_half(energy, thermal[..., None])).sum(axis=-1)
    if np.any(acoustic > 0):
        # to 5 cutoffs (exp(-25) beyond); the integrand is smooth, 24 points give 1e-8
        x, w = _legendre(24)
        for node, weight in zip(2.5 * (x + 1.0), 2.5 * w, strict=True):
            at = node * cutoff
            density = weight * 2.0 * node * math.exp(-node * node) * acoustic
            variance = variance + density * at**2 * _coth_half(at, thermal)
    return np.asarray(mean), np.asarray(variance)


def _coth_half(energy: FloatArray, thermal: FloatArray) -> FloatArray:
    """coth(E/2kT), 1 at 0 K; E/kT above 700 is as cold."""
    cold = energy > 700.0 * thermal
    return np.where(cold, 1.0, 1.0 / np.tanh(0.5 * energy / np.where(cold, energy, thermal)))


def mode_weights(huang_rhys: float, phonon_ev: float, temperature_k: float, most: int = 60) -> FloatArray:
    """Weights of the lines at p E, p = -most ... most, of one mode: the closed form, by Bessel functions.

    W_p = exp(-S (2n + 1)) ((n + 1)/n)^(p/2) I_p(2 S sqrt(n (n + 1))); at n = 0 exp(-S) S^p/p!, p >= 0.
    Shape (2 most + 1,). W_-p = W_p exp(-p E/kT). It knows nothing of the generating function.

    >>> mode_weights(0.5, 0.019, 0.0, most=2).round(6).tolist()
    [0.0, 0.0, 0.606531, 0.303265, 0.075816]
    """
    from scipy.special import gammaln, ive

    order = np.arange(-most, most + 1, dtype=np.float64)
    occupied = float(phonon_occupation(temperature_k, phonon_ev))
    if occupied == 0.0 or huang_rhys == 0.0:
        up = np.maximum(order, 0.0)
        power = np.where(up > 0, up * math.log(huang_rhys or 1.0), 0.0)
        weights = np.exp(power - huang_rhys - gammaln(up + 1.0))
        return np.where((order < 0) | ((huang_rhys == 0.0) & (order != 0)), 0.0, weights)
    argument = 2.0 * huang_rhys * math.sqrt(occupied * (occupied + 1.0))
    half = 0.5 * phonon_ev / (BOLTZMANN_EV_PER_K * temperature_k)  # ln((n + 1)/n)/2
    scaled = ive(np.abs(order), argument)
    # where ive underflows its argument is so small that the first term of the series is all of it
    first = np.abs(order) * math.log(0.5 * argument) - gammaln(np.abs(order) + 1.0) - argument
    logarithm = np.where(scaled > 1e-250, np.log(np.maximum(scaled, 1e-250)), first)
    return np.asarray(np.exp(logarithm + argument - huang_rhys * (2.0 * occupied + 1.0) + order * half))


@cache
def _legendre(points: int) -> tuple[FloatArray, FloatArray]:
    x, w = np.polynomial.legendre.leggauss(points)
    return np.asarray(x, dtype=np.float64), np.asarray(w, dtype=np.float64)


def _one_sided(modes: PhononModes, energy: FloatArray) -> FloatArray:
    cutoff = float(modes.acoustic_cutoff_ev or 0.0)
    return 2.0 * modes.acoustic_huang_rhys * energy / cutoff**2 * np.exp(-((energy / cutoff) ** 2))


def _two_sided(modes: PhononModes, temperature_k: float, energy: FloatArray) -> FloatArray:
    """s(E)/(1 - exp(-E/kT)) with s odd in E: both sides at once, and its limit at 0."""
    cutoff = float(modes.acoustic_cutoff_ev or 0.0)
    thermal = BOLTZMANN_EV_PER_K * temperature_k
    if thermal <= _COLD * cutoff:
        return np.where(energy > 0, _one_sided(modes, energy), 0.0)
    ratio = energy / thermal
    # x/(1 - exp(-x)), 1 + x/2 near 0: there expm1 has the digits, but 0/0 must not be formed
    safe = np.where(ratio == 0.0, 1.0, ratio)
    bose = np.where(ratio == 0.0, 1.0, safe / -np.expm1(-np.maximum(safe, -700.0)))
    envelope = np.exp(-((energy / cutoff) ** 2))
    return np.asarray(2.0 * modes.acoustic_huang_rhys * thermal / cutoff**2 * envelope * bose)


def _grid(
    modes: PhononModes,
    temperature_k: float,
    lorentz_ev: float,
    gauss_ev: float,
    reach_ev: float,
    refine: int,
) -> tuple[FloatArray, float]:
    """Energies around the zero-phonon line and their step: fine enough for it, wide enough for the line."""
    mean, variance = moments_of_draws(
        modes.energy_ev,
        modes.huang_rhys,
        temperature_k,
        modes.acoustic_huang_rhys,
        modes.acoustic_cutoff_ev or 1.0,
    )
    sigma = math.sqrt(float(variance) + (gauss_ev / FWHM_PER_SIGMA) ** 2)
    reach = float(mean) + _REACH * sigma
    if modes.energy_ev.size:
        # weak coupling: a few phonons lie far outside the deviation of the line
        reach += 8.0 * float(modes.energy_ev.max())
    reach = max(reach, reach_ev, _LORENTZ_REACH * lorentz_ev)
    step = (gauss_ev + lorentz_ev) / _FINEST_STEPS
    if modes.acoustic_huang_rhys > 0 and modes.acoustic_cutoff_ev:
        reach = max(reach, 12.0 * modes.acoustic_cutoff_ev)
        step = min(step, modes.acoustic_cutoff_ev / 16.0)
    n = 1 << math.ceil(math.log2(2.0 * reach * math.sqrt(refine) / (step / math.sqrt(refine))))
    if n > _MOST_POINTS:
        raise ModelRangeError(
            f"a line {1e3 * step * _FINEST_STEPS:.3g} meV wide in {reach:.3g} eV needs {n} points",
            allowed=f"{_MOST_POINTS} points",
            fix="give the zero-phonon line a larger width, or a smaller reach_ev",
        )
    step = step / math.sqrt(refine)
    return (np.arange(n, dtype=np.float64) - n // 2) * step, step
