"""Functions of the rows in `materials.toml`: laws of temperature, consistency of the sets, absorption."""

from __future__ import annotations

import numpy as np

from perolux.materials import material
from perolux.materials.optical import intrinsic_absorption_per_cm, optical_constants
from perolux.materials.records import load_records
from perolux.materials.temperature import gap_course_two_oscillator, linewidth_ev
from perolux.quantities.constants import BOHR_RADIUS_NM, RYDBERG_EV
from perolux.validation.run import Computed

__all__ = [
    "binding_mismatch_mev",
    "gap_at_zero_mev",
    "gap_ev",
    "gap_rises",
    "gap_slope_sign",
    "intrinsic_absorption",
    "linewidth_mev",
    "record_number",
    "recovered_linewidth_percent",
]


def linewidth_mev(temperature_k: float, law_mev: list[float]) -> float:
    """Width at a temperature; law_mev: Gamma0, Gamma_LO, E_LO."""
    gamma0, gamma_lo, phonon = (1e-3 * number for number in law_mev)
    return 1e3 * float(linewidth_ev(temperature_k, gamma0, gamma_lo, phonon))


def recovered_linewidth_percent(law_mev: list[float]) -> float:
    """Largest relative error, in per cent, of the three parameters fitted to the law at 10, 30 ... 290 K."""
    from scipy.optimize import curve_fit

    temperatures = np.arange(10.0, 291.0, 20.0)
    widths = np.array([linewidth_mev(float(t), law_mev) for t in temperatures])

    def law(t: np.ndarray, gamma0: float, gamma_lo: float, phonon: float) -> np.ndarray:
        return 1e3 * linewidth_ev(t, 1e-3 * gamma0, 1e-3 * gamma_lo, 1e-3 * phonon)

    found, _ = curve_fit(law, temperatures, widths, p0=(30.0, 40.0, 25.0))
    return 100.0 * float(np.max(np.abs(found / np.array(law_mev) - 1.0)))


def gap_at_zero_mev(gap0_mev: float, coupling_mev: float) -> float:
    """E(0) of the one-oscillator law, which must be E0 + A_EP."""
    return 1e3 * float(gap_course_two_oscillator(0.0, 1e-3 * gap0_mev, 3e-4, 1e-3 * coupling_mev, 0.018))


def gap_rises(expansion_ev_per_k: float, coupling_ev: float) -> str:
    """Whether the one-oscillator gap, with a phonon of 18 meV, rises at every step from 10 to 300 K."""
    course = gap_course_two_oscillator(
        np.arange(10.0, 301.0, 10.0), 2.4, expansion_ev_per_k, coupling_ev, 0.018
    )
    return "rises" if bool(np.all(np.diff(course) > 0)) else "does not rise"


def gap_ev(name: str, temperature_k: float) -> float:
    """Gap of a material at a temperature, eV; the middle where a range is known."""
    return material(name, temperature_k).gap_ev


def gap_slope_sign(name: str) -> str:
    """Sign of dEg/dT near 300 K from the program's course of the gap."""
    difference = gap_ev(name, 310.0) - gap_ev(name, 290.0)
    return "+" if difference > 0 else "-" if difference < 0 else "0"


def binding_mismatch_mev(name: str, parameter_set: str | None = None) -> Computed:
    """|Ry(mu, eps) - Eb| of a set as published (the default one where None), meV: is it consistent."""
    host = material(name, parameter_set=parameter_set)
    mass, eps, binding = (
        next(r.value.number for r in load_records(name).of(q) if r.value.parameter_set == host.parameter_set)
        for q in ("reduced_mass", "eps_effective", "exciton_binding")
    )
    rydberg = 1e3 * RYDBERG_EV * mass / eps**2
    note = f"Ry {rydberg:.2f} meV, Eb {1e3 * binding:g} meV, aB {BOHR_RADIUS_NM * eps / mass:.2f} nm"
    return Computed(abs(rydberg - 1e3 * binding), note)


def intrinsic_absorption(name: str, wavelength_nm: float, solvent_index: float) -> float:
    """mu_i, 1/cm, of small spheres of a material in a solvent, from its n and k."""
    return float(intrinsic_absorption_per_cm(optical_constants(name), wavelength_nm, solvent_index))


def record_number(name: str, quantity: str) -> float:
    """A number that a material answers."""
    return material(name).value(quantity).number
