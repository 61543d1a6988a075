"""Functions of the rows in `quantities.toml`: the constants and the units built from them."""

from __future__ import annotations

from perolux.quantities import constants

__all__ = ["constant", "relative_deviation_from_scipy", "unit_constant"]


def constant(name: str) -> float:
    """A fundamental constant of the program, in the SI unit its name says."""
    return constants.constant(name)


def unit_constant(name: str) -> float:
    """A constant in the internal units (eV, nm, K), e.g. "HC_EV_NM"."""
    return float(getattr(constants, name))


def relative_deviation_from_scipy() -> float:
    """Largest relative deviation between the records and the CODATA table that SciPy carries."""
    from scipy.constants import physical_constants

    names = {
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
    missing = set(constants.constants()) - set(names)
    if missing:
        raise KeyError(f"constants without a counterpart in SciPy: {sorted(missing)}")
    return max(
        abs(constants.constant(ours) / physical_constants[theirs][0] - 1.0) for ours, theirs in names.items()
    )
