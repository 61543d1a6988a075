"""Width of the emission line of one size (homogeneous), and how it moves with temperature.

    H(T) = H(T0) + Gamma_LO [n(T) - n(T0)],   n(T) = 1/(exp(E_LO/kT) - 1),   T0 = 300 K

T0 is where the published widths were taken. They, Gamma_LO and E_LO are known as ranges only, so the result
is a range; the acoustic term is left out (below 3 meV at 300 K for gamma_ac < 10 ueV/K).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from perolux.errors import OptionError
from perolux.materials.temperature import phonon_occupation
from perolux.quantities import KINDS, Value
from perolux.quantities.citations import citation_keys

if TYPE_CHECKING:
    from perolux.materials import Material

__all__ = ["LINEWIDTHS", "LinewidthName", "homogeneous_fwhm_mev", "linewidth_records"]

LinewidthName = Literal["single-dot", "ensemble"]
LINEWIDTHS: tuple[LinewidthName, ...] = get_args(LinewidthName)

_RECORDS: dict[str, tuple[str, ...]] = {
    "single-dot": ("single_dot_width_300k_treated", "single_dot_width_300k"),
    "ensemble": ("ensemble_width_300k",),
}
_PHONONS = ("linewidth_gamma_lo", "linewidth_lo_energy")
_REFERENCE_K = 300.0
_NARROWEST = 0.02
"""Where the phonon part alone would exceed the width at 300 K: the low end, as a part of the high one."""


def linewidth_records(name: str) -> tuple[str, ...]:
    """Names of the material's records that the homogeneous width of that name rests on."""
    if name not in _RECORDS:
        raise OptionError(f"unknown linewidth {name!r}", allowed=", ".join(LINEWIDTHS))
    return (*_RECORDS[name], *_PHONONS)


def homogeneous_fwhm_mev(material: Material, name: str = "single-dot") -> Value:
    """Range of the homogeneous FWHM of a material at its temperature, in meV (a uniform prior).

    name: "single-dot" (single dots, as made and surface-treated, taken together; the default) or "ensemble"
    (ensembles of edges above 8 nm, which the spread of sizes hardly broadens; the narrower rival). Raises
    `NotAvailableError` for a material without these records.
    """
    linewidth_records(name)
    records = [material.value(record) for record in _RECORDS[name]]
    coupling, phonon = (material.value(record) for record in _PHONONS)
    changes = [
        1e3
        * strength
        * float(phonon_occupation(material.temperature_k, energy) - phonon_occupation(_REFERENCE_K, energy))
        for strength in _ends(coupling)
        for energy in _ends(phonon)
    ]
    low = 1e3 * min(end for record in records for end in _ends(record)) + min(changes)
    high = 1e3 * max(end for record in records for end in _ends(record)) + max(changes)
    note = f"moved from {_REFERENCE_K:g} to {material.temperature_k:g} K with {coupling.key}, {phonon.key}"
    if low < _NARROWEST * high:
        low = _NARROWEST * high
        note += f"; the low end is put at {100 * _NARROWEST:g} % of the high one, it would be negative"
    works = [key for record in records for key in citation_keys(record.source)]
    values = (*records, coupling, phonon)
    return Value(
        key=f"{material.name}.homogeneous_fwhm",
        number=(low + high) / 2,
        low=low,
        high=high,
        unit="meV",
        kind=max((value.kind for value in values), key=KINDS.index),
        source=f"{' + '.join(dict.fromkeys(works))}: {' and '.join(record.key for record in records)}",
        valid=tuple(
            condition for record in records for condition in record.valid if condition[0] == "edge_nm"
        ),
        note=note,
    )


def _ends(value: Value) -> tuple[float, ...]:
    if value.low is not None and value.high is not None:
        return (value.low, value.high)
    return (value.number,)
