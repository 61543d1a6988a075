"""The Kane energy in one convention, and the relations that tie it to masses and to the LT splitting.

Throughout perolux Ep = 2 P^2/m0 with the momentum matrix element P = <S|p_z|Z> of the orbitals without spin,
in eV. Published numbers are converted when a record is loaded; each record of a Kane energy names the
convention of its source.
"""

from __future__ import annotations

import math

from perolux.errors import OptionError
from perolux.quantities.constants import COULOMB_EV_NM, HBAR2_OVER_2M0_EV_NM2

__all__ = [
    "KANE_CONVENTIONS",
    "kane_energy_ev",
    "kane_energy_from_lt_splitting",
    "kane_energy_from_mass",
    "lt_splitting_ev",
]

KANE_CONVENTIONS: dict[str, str] = {
    "momentum-matrix-element": "2 P^2/m0 in eV with P = <S|p_z|Z>: the convention of this package",
    "band-edge-element": "2 |p_cv|^2/m0 in eV with p_cv between the spin-orbit-split J = 1/2 band edges, "
    "which hold one third of the Z orbital: three times smaller",
    "kane-parameter-ev-nm": "Kane's P in eV nm, P = (hbar/m0) <S|p_z|Z>: Ep = P^2/(hbar^2/2 m0)",
}
"""Conventions in which a Kane energy is published, with their meaning."""


def kane_energy_ev(number: float, convention: str) -> float:
    """A published Kane energy in the convention of this package, in eV.

    Ep = number ("momentum-matrix-element"), 3 number ("band-edge-element"), or number^2/(hbar^2/2 m0)
    ("kane-parameter-ev-nm"). Raises `OptionError` for a convention that is not named.

    >>> kane_energy_ev(5.0, "band-edge-element")
    15.0
    """
    if convention == "momentum-matrix-element":
        return number
    if convention == "band-edge-element":
        return 3.0 * number
    if convention == "kane-parameter-ev-nm":
        return number**2 / HBAR2_OVER_2M0_EV_NM2
    raise OptionError(
        f"a Kane energy needs its convention, not {convention!r}",
        allowed=", ".join(KANE_CONVENTIONS),
        fix='write convention = "momentum-matrix-element" or another of these',
    )


def kane_energy_from_mass(reduced_mass_m0: float, gap_ev: float, spin_orbit_ev: float | None = None) -> float:
    """Kane energy in eV that a reduced mass implies, without remote bands.

    m0/mu = (2/3) Ep/Eg for two symmetric bands; with the upper J = 3/2 band at Eg + Delta kept,
    m0/mu = (Ep/3) [2/Eg + 2/(Eg + Delta)]. Their ratio shows what counting of bands does to Ep.

    >>> round(kane_energy_from_mass(0.18, 2.35), 1), round(kane_energy_from_mass(0.18, 2.35, 1.2), 1)
    (19.6, 11.8)
    """
    inverse_gaps = 2.0 / gap_ev
    if spin_orbit_ev is not None:
        inverse_gaps += 2.0 / (gap_ev + spin_orbit_ev)
    return 3.0 / (reduced_mass_m0 * inverse_gaps)


def lt_splitting_ev(
    kane_ev: float, exciton_energy_ev: float, eps_background: float, bohr_radius_nm: float
) -> float:
    """Longitudinal-transverse splitting of the bulk exciton in eV.

    hbar w_LT = hbar^2 e^2 (f/V)/(2 eps_b eps0 m0 E_X) with f/V = (2/3)(Ep/E_X)/(pi aB^3).
    """
    density = (2.0 / 3.0) * (kane_ev / exciton_energy_ev) / (math.pi * bohr_radius_nm**3)
    # hbar^2/m0 = 2 (hbar^2/2 m0) and e^2/eps0 = 4 pi (e^2/4 pi eps0), both in eV and nm.
    return (
        2.0 * HBAR2_OVER_2M0_EV_NM2 * 4.0 * math.pi * COULOMB_EV_NM * density
        / (2.0 * eps_background * exciton_energy_ev)
    )  # fmt: skip


def kane_energy_from_lt_splitting(
    lt_splitting: float, exciton_energy_ev: float, eps_background: float, bohr_radius_nm: float
) -> float:
    """Kane energy in eV from a longitudinal-transverse splitting in eV: the inverse of `lt_splitting_ev`.

    The recommended calibration: a factor two in Ep is a factor two in every radiative rate, and the
    splitting measures the oscillator strength itself.

    >>> round(kane_energy_from_lt_splitting(5.3e-3, 2.35 - 0.0325, 4.5, 2.557), 1)
    14.6
    """
    return lt_splitting / lt_splitting_ev(1.0, exciton_energy_ev, eps_background, bohr_radius_nm)
