"""Fundamental constants (CODATA 2022), read from `constants.toml`, in SI and in the units perolux uses.

Internal units are nm, eV, ns, K. `HC_EV_NM` turns a vacuum wavelength in nm into a photon energy in eV.
"""

from __future__ import annotations

import math
import tomllib
from functools import cache
from importlib.resources import files

from perolux.quantities.value import Value

__all__ = [
    "AVOGADRO_PER_MOL",
    "BOHR_RADIUS_NM",
    "BOLTZMANN_EV_PER_K",
    "COULOMB_EV_NM",
    "FWHM_PER_SIGMA",
    "HBAR2_OVER_2M0_EV_NM2",
    "HC_EV_NM",
    "RYDBERG_EV",
    "constant",
    "constants",
]

_SOURCE = "codata2022: NIST table"


@cache
def constants() -> dict[str, Value]:
    """All fundamental constants by name, as `Value`s."""
    text = files("perolux.quantities").joinpath("constants.toml").read_text("utf-8")
    return {
        name: Value(key=f"constants.{name}", kind="read", source=_SOURCE, **record)
        for name, record in tomllib.loads(text).items()
    }


def constant(name: str) -> float:
    """The number of one fundamental constant, in the SI unit its name says."""
    return constants()[name].number


_E = constant("elementary_charge_c")

HC_EV_NM = constant("planck_j_s") * constant("speed_of_light_m_per_s") / _E * 1e9
"""h c in eV nm: photon energy = HC_EV_NM / vacuum wavelength (1239.841984)."""
BOLTZMANN_EV_PER_K = constant("boltzmann_j_per_k") / _E
"""Boltzmann constant in eV/K."""
BOHR_RADIUS_NM = constant("bohr_radius_m") * 1e9
"""Bohr radius of hydrogen in nm; an exciton's is this times eps/mu."""
RYDBERG_EV = constant("rydberg_energy_ev")
"""Rydberg energy in eV; an exciton's is this times mu/eps^2."""
AVOGADRO_PER_MOL = constant("avogadro_per_mol")
"""Avogadro constant in 1/mol."""
COULOMB_EV_NM = 2.0 * RYDBERG_EV * BOHR_RADIUS_NM
"""e^2/(4 pi eps0) in eV nm (1.43996), from e^2/(4 pi eps0 a0) = 2 Ry."""
HBAR2_OVER_2M0_EV_NM2 = RYDBERG_EV * BOHR_RADIUS_NM**2
"""hbar^2/(2 m0) in eV nm^2 (0.0381), from Ry = hbar^2/(2 m0 a0^2)."""
FWHM_PER_SIGMA = 2.0 * math.sqrt(2.0 * math.log(2.0))
"""Full width at half maximum of a Gaussian in units of its standard deviation (2.354820)."""
