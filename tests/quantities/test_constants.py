"""Fundamental constants against the table of SciPy, an independent transcription of CODATA."""

import pytest
import scipy.constants as reference

from perolux.quantities import constants as ours
from perolux.quantities.constants import constant, constants

NAMES = {
    "speed_of_light_m_per_s": "speed of light in vacuum",
    "planck_j_s": "Planck constant",
    "elementary_charge_c": "elementary charge",
    "boltzmann_j_per_k": "Boltzmann constant",
    "avogadro_per_mol": "Avogadro constant",
    "electron_mass_kg": "electron mass",
    "vacuum_permittivity_f_per_m": "vacuum electric permittivity",
    "bohr_radius_m": "Bohr radius",
    "rydberg_energy_ev": "Rydberg constant times hc in eV",
    "bohr_magneton_ev_per_t": "Bohr magneton in eV/T",
}


@pytest.mark.parametrize("name", list(constants()))
def test_against_scipy(name):
    value, _, sigma = reference.physical_constants[NAMES[name]]
    record = constants()[name]
    # Releases of CODATA differ by a few of their own sigmas; the exact ones must be equal. SciPy may carry
    # the release before ours.
    assert abs(record.number - value) <= 5 * max(sigma, record.sigma or 0.0) + 1e-15 * abs(value)
    assert record.kind == "read" and record.key == f"constants.{name}"


def test_derived_numbers():
    assert pytest.approx(1239.841984, abs=1e-6) == ours.HC_EV_NM  # as printed in the chapter
    assert pytest.approx(8.617333262e-5, rel=1e-9) == ours.BOLTZMANN_EV_PER_K
    assert pytest.approx(1.4399645, rel=1e-7) == ours.COULOMB_EV_NM
    assert pytest.approx(0.0380998, rel=1e-6) == ours.HBAR2_OVER_2M0_EV_NM2
    assert pytest.approx(2.354820, abs=1e-6) == ours.FWHM_PER_SIGMA
    # Two routes to hbar^2/(2 m0): through Bohr radius and Rydberg, and from the SI constants.
    hbar = constant("planck_j_s") / 6.283185307179586
    route = hbar**2 / (2 * constant("electron_mass_kg")) / constant("elementary_charge_c") * 1e18
    assert route == pytest.approx(ours.HBAR2_OVER_2M0_EV_NM2, rel=1e-8)
    coulomb = constant("elementary_charge_c") / (
        4 * 3.141592653589793 * constant("vacuum_permittivity_f_per_m")
    )
    assert coulomb * 1e9 == pytest.approx(ours.COULOMB_EV_NM, rel=1e-8)
