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
from perolux.quantities import KINDS, Value
from perolux.quantities.citations import citation_keys
from perolux.quantities.constants import BOLTZMANN_EV_PER_K, FWHM_PER_SIGMA

if TYPE_CHECKING:
    from perolux.materials import Material

__all__ = ["LINEWIDTHS", "LinewidthName", "ensemble_fwhm_mev", "homogeneous_fwhm_mev", "phonon_occupation"]

LinewidthName = Literal["ensemble", "single-dot"]
LINEWIDTHS: tuple[LinewidthName, ...] = get_args(LinewidthName)

_RECORDS: dict[str, tuple[str, ...]] = {
    "ensemble": ("ensemble_width_300k",),
    "single-dot": ("single_dot_width_300k_treated", "single_dot_width_300k"),
}
"""Records of the material whose ranges, taken together, are the width at room temperature."""
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

    name: "ensemble" (width of ensembles above 8 nm, which the spread of sizes no longer broadens; the
    default) or "single-dot" (the wider range of single dots, as made and surface-treated). Raises
    `NotAvailableError` for a material without these records, and away from room temperature without phonons.
    """
    if name not in _RECORDS:
        raise OptionError(f"unknown linewidth {name!r}", allowed=", ".join(LINEWIDTHS))
    records = [material.value(record) for record in _RECORDS[name]]
    room_low = 1e3 * min(end for record in records for end in _ends(record))
    room_high = 1e3 * max(end for record in records for end in _ends(record))
    works = [key for record in records for key in citation_keys(record.source)]
    source = f"{' + '.join(dict.fromkeys(works))}: {' and '.join(record.key for record in records)}"
    if abs(material.temperature_k - _REFERENCE_K) <= _SAME_TEMPERATURE_K:
        changes, kinds = [0.0], [record.kind for record in records]
    else:
        coupling, phonon = material.value("linewidth_gamma_lo"), material.value("linewidth_lo_energy")
        changes = [
            1e3
            * strength
            * (phonon_occupation(1e3 * energy, t) - phonon_occupation(1e3 * energy, _REFERENCE_K))
            for t in (material.temperature_k,)
            for strength in _ends(coupling)
            for energy in _ends(phonon)
        ]
        kinds = [value.kind for value in (*records, coupling, phonon)]
        source += f"; moved from 298 K with {coupling.key} and {phonon.key}"
    low, high = max(room_low + min(changes), 0.0), room_high + max(changes)
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
        kind=max(kinds, key=KINDS.index),
        source=source,
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
