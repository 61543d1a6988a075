"""Width of the emission line of one size (homogeneous) and of an ensemble (inhomogeneous), with temperature.

    Gamma_hom(T) = Gamma_hom(T0) + Gamma_LO [n(T) - n(T0)],   n(T) = 1/(exp(E_LO/kT) - 1)
    FWHM^2 = Gamma_hom^2 + 8 ln2 sigma_E^2

T0 = 298 K is where the published widths were taken. Gamma_LO and E_LO are known as ranges only, so the
result is a range; the acoustic term is left out (below 3 meV at 300 K for gamma_ac < 10 ueV/K).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import numpy.typing as npt

from perolux.errors import NotAvailableError, OptionError
from perolux.excitons.assumptions import assumption
from perolux.quantities import Value
from perolux.quantities.constants import BOLTZMANN_EV_PER_K, FWHM_PER_SIGMA

if TYPE_CHECKING:
    from perolux.materials import Material

__all__ = ["LINEWIDTHS", "LinewidthName", "ensemble_fwhm_mev", "homogeneous_fwhm_mev", "phonon_occupation"]

LinewidthName = Literal["ensemble", "single-dot"]
LINEWIDTHS: tuple[LinewidthName, ...] = get_args(LinewidthName)

_RECORDS = {"ensemble": "homogeneous_fwhm_mev", "single-dot": "homogeneous_fwhm_single_dot_mev"}
_REFERENCE_K = 298.0
_SAME_TEMPERATURE_K = 10.0
"""Within this distance of 298 K the published width is used as it is (it changes by less than 3 meV)."""


def phonon_occupation(energy_mev: float, temperature_k: float) -> float:
    """Bose-Einstein occupation n = 1/(exp(E/kT) - 1) of a mode; 0 at 0 K."""
    if temperature_k <= 0:
        return 0.0
    return 1.0 / math.expm1(energy_mev / (1e3 * BOLTZMANN_EV_PER_K * temperature_k))


def homogeneous_fwhm_mev(material: Material, name: str = "ensemble") -> Value:
    """Range of the homogeneous FWHM of a material at its temperature, in meV (a uniform prior).

    name: "ensemble" (width of ensembles above 8 nm, the default) or "single-dot" (the wider range of single
    dots). Raises `NotAvailableError` away from room temperature for a material without phonon records.
    """
    if name not in _RECORDS:
        raise OptionError(f"unknown linewidth {name!r}", allowed=", ".join(LINEWIDTHS))
    room = assumption(_RECORDS[name])
    if room.low is None or room.high is None:
        raise ValueError(f"the record {room.key} must be a range")
    if abs(material.temperature_k - _REFERENCE_K) <= _SAME_TEMPERATURE_K:
        return room
    coupling, phonon = material.value("gamma_lo"), material.value("lo_linewidth_energy")
    changes = [
        strength
        * (phonon_occupation(energy, material.temperature_k) - phonon_occupation(energy, _REFERENCE_K))
        for strength in _ends(coupling)
        for energy in _ends(phonon)
    ]
    low, high = max(room.low + min(changes), 0.0), room.high + max(changes)
    if high <= low:
        raise NotAvailableError(
            f"no homogeneous width follows for {material.temperature_k:g} K", where=material.name
        )
    return Value(
        key=f"{material.name}.homogeneous_fwhm",
        number=(low + high) / 2,
        low=low,
        high=high,
        unit="meV",
        kind="derived",
        source=f"{room.key} moved from 298 K to {material.temperature_k:g} K "
        f"with {coupling.key}, {phonon.key}",
    )


def ensemble_fwhm_mev(
    homogeneous_mev: npt.ArrayLike, energy_sigma_mev: npt.ArrayLike
) -> npt.NDArray[np.float64]:
    """FWHM of an ensemble: homogeneous width and spread of energies (standard deviation) in quadrature."""
    return np.hypot(homogeneous_mev, FWHM_PER_SIGMA * np.asarray(energy_sigma_mev, dtype=float))


def _ends(value: Value) -> tuple[float, ...]:
    if value.low is not None and value.high is not None:
        return (value.low, value.high)
    return (value.number,)
