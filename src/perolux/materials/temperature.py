"""Laws of temperature: the gap and the width of emission.

`gap_piecewise_ev` is the course that `Material.gap` follows: a straight line through the 300 K anchor above
the knee, and a straight line from there to the low-temperature anchor below it. The oscillator law and the
width law are for fits and for data that support them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, OptionError
from perolux.quantities.constants import BOLTZMANN_EV_PER_K

__all__ = ["gap_course_two_oscillator", "gap_piecewise_ev", "linewidth_ev", "phonon_occupation"]

FloatArray = npt.NDArray[np.float64]


def phonon_occupation(temperature_k: npt.ArrayLike, phonon_ev: float) -> FloatArray:
    """Bose-Einstein occupation n = 1/(exp(E/kT) - 1) of a phonon of energy E (eV); 0 at T = 0.

    temperature_k: any shape, not negative. Raises `ModelRangeError` for a negative temperature and
    `OptionError` for a phonon energy that is not positive.
    """
    temperature = np.asarray(temperature_k, dtype=np.float64)
    if not np.all((temperature >= 0) & np.isfinite(temperature)):
        raise ModelRangeError("a temperature below 0 K, or none", allowed="0 K and above")
    if not phonon_ev > 0:
        raise OptionError(f"a phonon energy of {phonon_ev:g} eV", allowed="above 0")
    thermal_ev = BOLTZMANN_EV_PER_K * temperature
    # Below kT = E/700 the occupation is under 1e-304: nought, and exp(E/kT) would overflow.
    warm = thermal_ev > phonon_ev / 700.0
    ratio = phonon_ev / np.where(warm, thermal_ev, phonon_ev)
    return np.where(warm, 1.0 / np.expm1(ratio), 0.0)


def gap_course_two_oscillator(
    temperature_k: npt.ArrayLike,
    gap0_ev: float,
    expansion_ev_per_k: float,
    coupling_ev: float | Sequence[float],
    phonon_ev: float | Sequence[float],
) -> FloatArray:
    """Gap from thermal expansion and one or two phonon oscillators, in eV.

    E(T) = E0 + A_TE T + sum_i A_i (2 n(E_i, T) + 1), with A_TE > 0 for lattice expansion and A_i usually
    < 0; E(0) = E0 + sum_i A_i. Two oscillators are needed for chloride-rich crystals. Result has the shape
    of `temperature_k`. Valid within one crystal phase.

    >>> float(gap_course_two_oscillator(0.0, 2.40, 3e-4, -0.05, 0.02))
    2.35
    """
    couplings, phonons = np.atleast_1d(coupling_ev), np.atleast_1d(phonon_ev)
    if couplings.shape != phonons.shape:
        raise OptionError(
            f"{len(couplings)} couplings for {len(phonons)} phonons",
            allowed="as many of the one as of the other",
        )
    gap = gap0_ev + expansion_ev_per_k * np.asarray(temperature_k, dtype=np.float64)
    for coupling, phonon in zip(couplings, phonons, strict=True):
        gap = gap + coupling * (2.0 * phonon_occupation(temperature_k, float(phonon)) + 1.0)
    return np.asarray(gap)


def linewidth_ev(
    temperature_k: npt.ArrayLike,
    gamma0_ev: float,
    gamma_lo_ev: float,
    lo_phonon_ev: float,
    gamma_ac_ev_per_k: float = 0.0,
) -> FloatArray:
    """Homogeneous full width at half maximum of the emission, in eV.

    Gamma(T) = Gamma0 + gamma_ac T + gamma_LO/(exp(E_LO/kT) - 1). Result has the shape of `temperature_k`.
    At high temperature only the ratio gamma_LO/E_LO is determined.

    >>> [round(1e3 * float(linewidth_ev(t, 0.020, 0.070, 0.018)), 3) for t in (10, 150, 290, 300)]
    [20.0, 43.14, 86.35, 89.565]
    """
    temperature = np.asarray(temperature_k, dtype=np.float64)
    return np.asarray(
        gamma0_ev
        + gamma_ac_ev_per_k * temperature
        + gamma_lo_ev * phonon_occupation(temperature, lo_phonon_ev)
    )


def gap_piecewise_ev(
    temperature_k: float,
    gap_low_t_ev: float,
    gap_anchor_ev: float,
    slope_ev_per_k: float,
    *,
    low_k: float,
    knee_k: float,
    anchor_k: float,
    sign: float = 0.0,
) -> float:
    """Gap at one temperature from two anchors and a slope, in eV.

    From the knee upwards E = E_anchor + s (T - T_anchor); below it a straight line from E_low at T_low to
    the value at the knee, so that the course is continuous. sign: that of dE/dT where it is known, else 0.
    With it E is at no temperature below E_low (sign > 0) or above it (sign < 0): the course bends to E_low
    where the line would cross it, and is monotonic.
    """

    def line(at_k: float) -> float:
        gap_ev = gap_anchor_ev + slope_ev_per_k * (at_k - anchor_k)
        if sign == 0:
            return gap_ev
        return max(gap_ev, gap_low_t_ev) if sign > 0 else min(gap_ev, gap_low_t_ev)

    if temperature_k >= knee_k:
        return line(temperature_k)
    weight = (temperature_k - low_k) / (knee_k - low_k)
    return (1.0 - weight) * gap_low_t_ev + weight * line(knee_k)
