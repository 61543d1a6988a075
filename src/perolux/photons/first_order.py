"""First-order coherence of one emitter, its spectrum, and its width.

    g1(tau) = exp(-|tau|/T2) exp(-s1^2 tau^2/2) P(tau),   tau > 0, carrier exp(-i w0 tau) left out
    P = exp{int dE s(E) [coth(E/2kT) (cos x - 1) + i sin x]},  x = E tau/hbar     (emission)
    spectrum S(E) = (1/pi hbar) Re int_0 g1(tau) exp(i E tau/hbar) dtau           E from the zero-phonon line

FWHM = 2 hbar/T2 of the Lorentzian; the zero-phonon share is exp{-int s coth}. The phonon factor is that of
independent bosons (`excitons.light.phonon_line` has the same line in energy); with + i sin x sidebands of
emission lie below the zero-phonon line at T = 0. Standard form.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, OptionError
from perolux.excitons.light.phonon_line import PhononModes
from perolux.materials.temperature import phonon_occupation
from perolux.quantities.constants import constant

__all__ = ["first_order_coherence", "spectrum_of", "zero_phonon_share"]

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complex128]
_HBAR_EV_PS = 1e12 * constant("planck_j_s") / (2 * math.pi) / constant("elementary_charge_c")


def _modes(modes: PhononModes, temperature_k: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Energies, strengths and 2n + 1; the acoustic continuum as 200 nodes (s(E) of `phonon_line`)."""
    energy, strength = list(modes.energy_ev), list(modes.huang_rhys)
    if modes.acoustic_huang_rhys > 0 and modes.acoustic_cutoff_ev:
        nodes, weights = np.polynomial.legendre.leggauss(200)
        x = 4.0 * (nodes + 1.0)  # to 8 cutoffs
        energy += list(modes.acoustic_cutoff_ev * x)
        strength += list(modes.acoustic_huang_rhys * 2 * x * np.exp(-(x**2)) * 4.0 * weights)
    found = np.array(energy, dtype=float)
    occupied = np.array([float(phonon_occupation(temperature_k, float(e))) for e in found])
    return found, np.array(strength, dtype=float), 2 * occupied + 1


def zero_phonon_share(modes: PhononModes, temperature_k: float) -> float:
    """B^2 = exp{-int s coth(E/2kT) dE}, share of the zero-phonon line; one mode exp[-S(2n+1)]."""
    _, strength, heat = _modes(modes, temperature_k)
    return float(np.exp(-np.sum(strength * heat)))


def first_order_coherence(
    tau_ps: npt.ArrayLike,
    t2_ps: float,
    *,
    spread_rad_per_ps: float = 0.0,
    modes: PhononModes | None = None,
    temperature_k: float = 0.0,
) -> ComplexArray:
    """g1, complex, shape of tau_ps (either sign: g1(-tau) = g1(tau)*), 1 at 0, carrier left out.

    spread_rad_per_ps: standard deviation of the centre during the measurement, of one line. modes: phonons,
    none where None. Acoustic phonons: |tau| up to some 50 hbar/Ec, beyond which their nodes beat.

    >>> abs(first_order_coherence(66.0, 66.0).item()) == math.exp(-1)
    True
    """
    if not (math.isfinite(t2_ps) and t2_ps > 0 and spread_rad_per_ps >= 0):
        raise OptionError(
            "a coherence time or spread out of range", allowed="T2 above 0 ps, spread 0 or more"
        )
    tau = np.asarray(tau_ps, dtype=float)
    found = np.exp(-np.abs(tau) / t2_ps - (spread_rad_per_ps * tau) ** 2 / 2).astype(complex)
    if modes is not None:
        energy, strength, heat = _modes(modes, temperature_k)
        x = energy * np.abs(tau)[..., None] / _HBAR_EV_PS
        exponent = np.sum(strength * (heat * (np.cos(x) - 1) + 1j * np.sin(x)), axis=-1)
        factor = np.exp(exponent)
        found = found * np.where(tau >= 0, factor, np.conj(factor))
    return np.asarray(found)


def spectrum_of(g1: npt.ArrayLike, step_ps: float) -> tuple[FloatArray, FloatArray]:
    """Energies (eV, ascending, from the zero-phonon line) and density (1/eV, area 1) of a sampled g1.

    g1: (n,) at tau = 0, step, 2 step ...; it must have died out: `ModelRangeError` where |g1| at the end
    exceeds 1e-4. Resolution h/(2 n step), range h/(2 step).
    """
    values = np.asarray(g1, dtype=complex)
    if values.ndim != 1 or len(values) < 8 or not step_ps > 0:
        raise OptionError("no sampled g1", allowed="eight values or more at equal steps above 0 ps")
    if abs(values[-1]) > 1e-4 * abs(values[0]):
        raise ModelRangeError("g1 has not died out", where="spectrum_of", fix="sample longer delays")
    n = len(values)
    both = np.zeros(2 * n, dtype=complex)
    both[:n] = values
    both[n + 1 :] = np.conj(values[1:][::-1])
    density = np.fft.fftshift(np.fft.ifft(both).real) * 2 * n * step_ps / (2 * math.pi * _HBAR_EV_PS)
    energy = np.fft.fftshift(np.fft.fftfreq(2 * n, step_ps)) * 2 * math.pi * _HBAR_EV_PS
    return energy, density
