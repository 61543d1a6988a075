"""Lifetime T1 and coherence time T2 of an exciton: what interference of its photons can show.

    1/T2 = 1/(2 T1) + 1/T2*,   2 hbar/T2* = gamma_ac T + gamma_act n(E_act, T),   homogeneous FWHM = 2 hbar/T2

Pure dephasing T2* by acoustic phonons (linear in T) and by a thermally activated phonon of energy E_act. The
two strengths are records of `assumptions.toml`: the acoustic one is a calibration on one coherence time, the
activated one assumed. 2 T1/T2 is 1 for photons at the limit of their lifetime and larger otherwise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError
from perolux.excitons.levels.relaxation import occupation
from perolux.quantities.constants import constant

__all__ = ["Coherence", "acoustic_dephasing_ev_per_k", "coherence", "pure_dephasing_fwhm_ev"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Coherence:
    """T1 and T2 in ns, arrays of one shape."""

    lifetime_ns: FloatArray
    coherence_time_ns: FloatArray

    @property
    def excess(self) -> FloatArray:
        """2 T1/T2: 1 at the limit of the lifetime."""
        return np.asarray(2.0 * self.lifetime_ns / self.coherence_time_ns)

    @property
    def indistinguishability(self) -> FloatArray:
        """T2/(2 T1): overlap of two photons of the same emitter with ideal timing."""
        return np.asarray(self.coherence_time_ns / (2.0 * self.lifetime_ns))

    @property
    def homogeneous_fwhm_ev(self) -> FloatArray:
        """2 hbar/T2."""
        return np.asarray(2.0 * _hbar_ev_ns() / self.coherence_time_ns)


def pure_dephasing_fwhm_ev(
    temperature_k: npt.ArrayLike,
    acoustic_ev_per_k: npt.ArrayLike,
    activated_ev: npt.ArrayLike = 0.0,
    activation_ev: npt.ArrayLike | None = None,
) -> FloatArray:
    """gamma_ac T + gamma_act n(E_act, T) in eV; arrays broadcast. activation_ev: E_act, if gamma_act > 0."""
    acoustic, activated = np.asarray(acoustic_ev_per_k, float), np.asarray(activated_ev, float)
    if np.any(acoustic < 0) or np.any(activated < 0):
        raise OptionError("dephasing cannot be negative", allowed="0 and above")
    width = acoustic * np.asarray(temperature_k, dtype=float)
    if np.any(activated > 0):
        if activation_ev is None:
            raise OptionError("thermally activated dephasing needs its phonon energy", where="activation_ev")
        width = width + activated * occupation(1000.0 * np.asarray(activation_ev, float), temperature_k)
    return np.asarray(width)


def coherence(lifetime_ns: npt.ArrayLike, pure_fwhm_ev: npt.ArrayLike = 0.0) -> Coherence:
    """T1 and T2 from a lifetime and the width that pure dephasing alone would give; arrays broadcast.

    >>> found = coherence(0.09, 9.1e-6)
    >>> round(float(found.coherence_time_ns), 3), round(float(found.excess), 2)
    (0.08, 2.24)
    """
    lifetime, width = np.broadcast_arrays(np.asarray(lifetime_ns, float), np.asarray(pure_fwhm_ev, float))
    if not bool(np.all(lifetime > 0)) or np.any(width < 0):
        raise OptionError("a lifetime must be positive and a width not negative")
    rate = 0.5 / lifetime + width / (2.0 * _hbar_ev_ns())
    return Coherence(lifetime, np.asarray(1.0 / rate))


def acoustic_dephasing_ev_per_k(lifetime_ns: float, coherence_time_ns: float, temperature_k: float) -> float:
    """gamma_ac that one measured T1 and T2 imply, all pure dephasing taken as acoustic: a calibration.

    >>> round(1e6 * acoustic_dephasing_ev_per_k(0.09, 0.08, 4.0), 2)  # micro-eV per kelvin
    2.29
    """
    rate = 1.0 / coherence_time_ns - 0.5 / lifetime_ns
    if rate < 0:
        raise OptionError("the coherence time is longer than twice the lifetime", allowed="T2 up to 2 T1")
    return 2.0 * _hbar_ev_ns() * rate / temperature_k


def _hbar_ev_ns() -> float:
    return 1e9 * constant("planck_j_s") / (2.0 * math.pi) / constant("elementary_charge_c")
