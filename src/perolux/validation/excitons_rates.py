"""Functions of the rows in `excitons_rates.toml`: radiative rates, thermal lifetimes, coherence."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import numpy as np

from perolux.excitons.assumptions import assumption
from perolux.excitons.crystal import nanocrystal
from perolux.excitons.layers import Layers
from perolux.excitons.light.dephasing import coherence, pure_dephasing_fwhm_ev
from perolux.excitons.light.rates import (
    Levels,
    ThermalLifetime,
    oscillator_strength,
    radiative_rate_per_ns,
    thermal_lifetime,
)
from perolux.excitons.light.thermal_ladder import centre_of_mass_ladder
from perolux.excitons.pair.tables import interpolate
from perolux.excitons.parameters import parameters_of
from perolux.excitons.properties import results_of
from perolux.materials import Material, material
from perolux.validation.rows import read_table
from perolux.validation.run import Computed

__all__ = [
    "bright_lifetime_ns",
    "coherence_diameter_nm",
    "coherence_time_ps",
    "crystals_flagged",
    "equal_levels_ratio",
    "four_level_error_percent",
    "four_level_lifetime_ns",
    "four_level_shortfall_percent",
    "ideal_sphere_lifetime_ps",
    "ladder_second_level",
    "mixed_over_bromide",
    "superradiant_ps",
]

_ATOMISTIC = "cspbi3_bse_fine_structure_lifetimes.csv"
_LARGE_NM = 30.0
_MIXED = "CsPb(Br0.5Cl0.5)3"
_HELIUM_K = 4.0


def bright_lifetime_ns(
    transition_ev: float, kane_ev: float, emission_factor: float, overlap_k: float
) -> float:
    """Radiative lifetime of one bright level."""
    f = oscillator_strength(kane_ev, transition_ev, overlap_k)
    return 1.0 / float(radiative_rate_per_ns(transition_ev, f, index_outside=emission_factor))


def four_level_error_percent(structure: str, temperature_k: int, below_nm: float = 99.0) -> Computed:
    """Largest deviation (absolute) of the lifetime of the first four levels from that of all states."""
    deviations = {
        edge: 100.0 * (_four_levels(structure, edge, temperature_k) / published - 1.0)
        for edge, published in _published(structure, temperature_k).items()
        if edge < below_nm
    }
    worst = max(deviations, key=lambda edge: abs(deviations[edge]))
    return Computed(abs(deviations[worst]), f"worst at {worst:g} nm: {deviations[worst]:+.2f} %")


def four_level_lifetime_ns(structure: str, edge_nm: float, temperature_k: float) -> float:
    """Lifetime of the first four levels of one atomistic crystal."""
    return _four_levels(structure, edge_nm, temperature_k)


def four_level_shortfall_percent(smallest_nm: float, largest_nm: float, end: str) -> float:
    """Least or greatest shortfall of four levels at 300 K over all crystals of these edges."""
    shortfalls = [
        100.0 * (1.0 - _four_levels(structure, edge, 300) / published)
        for structure in ("Cubic", "Relaxed", "Orthorhombic")
        for edge, published in _published(structure, 300).items()
        if smallest_nm <= edge <= largest_nm
    ]
    return min(shortfalls) if end == "least" else max(shortfalls)


def crystals_flagged(temperature_k: float) -> int:
    """How many of the atomistic crystals' lists of four levels are flagged as incomplete."""
    return sum(
        bool(_lifetime(row["structure"], float(row["edge_nm"]), temperature_k).levels_incomplete[0])
        for row in read_table(_ATOMISTIC)
    )


def equal_levels_ratio(temperature_k: float) -> float:
    """Lifetime of one dark and three bright levels of one energy, over that of a bright level."""
    result = thermal_lifetime(Levels.of([0.0, 0.0], [0.0, 0.5], [1, 3]), temperature_k)
    return float(result.lifetime_ns[0]) / 2.0


def ideal_sphere_lifetime_ps(parameter_set: str, kane_ev: float) -> float:
    """Bright lifetime of a CsPbBr3 sphere of 30 nm diameter without any limit of coherence."""
    host = _cspbbr3(parameter_set)
    curve = interpolate("sphere", 0.5 * _LARGE_NM / host.bohr_radius_nm)
    energy = host.value("gap_low_t").number + host.rydberg_ev * float(curve.energy_over_rydberg)
    return 1e3 * bright_lifetime_ns(energy, kane_ev, _emission_factor(), float(curve.overlap_k))


def superradiant_ps(parameter_set: str) -> Computed:
    """Bright lifetime of a 30 nm CsPbBr3 cube at 4 K as its passport gives it, middle of every range."""
    return _superradiant("CsPbBr3", parameter_set, None)


def coherence_diameter_nm(parameter_set: str) -> float:
    """The coherence diameter on record, in nm for a parameter set."""
    host = _cspbbr3(parameter_set)
    return host.value("coherence_diameter").number * host.bohr_radius_nm


def mixed_over_bromide(scaling: str, quantity: str, parameter_set: str = "A") -> Computed:
    """30 nm CsPb(Br0.5Cl0.5)3: bright lifetime in ps at 4 K, or its ratio to that of CsPbBr3.

    scaling: the coherence diameter is the same as that of CsPbBr3 in "bohr" radii or in "nm".
    """
    bromide = _cspbbr3(parameter_set)
    mixed = material(_MIXED, parameter_set=parameter_set, temperature_k=_HELIUM_K)
    diameter = bromide.value("coherence_diameter").number
    if scaling == "nm":
        diameter *= bromide.bohr_radius_nm / mixed.bohr_radius_nm
    found = _superradiant(_MIXED, parameter_set, diameter)
    if quantity == "ps":
        return found
    return Computed(float(found.value) / float(superradiant_ps(parameter_set).value), found.detail)


def coherence_time_ps(temperature_k: float) -> Computed:
    """T2 of large CsPbBr3 with the dephasing on record and a lifetime of 90 ps."""
    phonon = _cspbbr3("A").value("phonon_energy_1").number
    width = pure_dephasing_fwhm_ev(
        temperature_k,
        assumption("acoustic_dephasing_ev_per_k").number,
        assumption("activated_dephasing_ev").number,
        phonon,
    )
    found = coherence(0.09, width)
    return Computed(1e3 * float(found.coherence_time_ns), f"2 T1/T2 = {float(found.excess):.2f}")


def ladder_second_level(quantity: str) -> float:
    """Second optically active level of an 8 aB cube as a centre-of-mass state: E in Ry, or K of all three."""
    ground = interpolate("cube", 8.0)
    # aB = 1 nm and M = 4 mu: the unit of energy falls out of the ratio to the table's own confinement
    energy, strength, states = centre_of_mass_ladder(8.0, 1.0, 1.0, float(ground.overlap_k), up_to_mev=1e4)
    place = int(np.flatnonzero(strength[1:] > 0)[0]) + 1
    if quantity == "k":
        return float(strength[place] * states[place])
    above = float(ground.energy_over_rydberg) + 1.0
    return float(ground.energy_over_rydberg + above * energy[place] / energy[1])


def _superradiant(name: str, parameter_set: str, diameter_over_bohr: float | None) -> Computed:
    """Bright lifetime (ps) of a 30 nm cube at 4 K by the passport's own path."""
    (parameters,) = parameters_of(name, _HELIUM_K, sets=parameter_set, draws=0)
    if diameter_over_bohr is not None:
        numbers = {**parameters.numbers, "coherence_diameter": np.array([diameter_over_bohr])}
        parameters = replace(parameters, numbers=numbers)
    cube = nanocrystal(name, "cube", _LARGE_NM, "core-edge", temperature_k=_HELIUM_K).as_crystals
    arrays = results_of(cube, parameters, Layers(), with_absorption=False).arrays
    volume = float(arrays["coherence_volume"][0])
    return Computed(1e3 * float(arrays["bright_lifetime"][0]), f"coherent in {volume:.0f} nm^3")


def _emission_factor() -> float:
    return assumption("emission_factor").number


@cache
def _cspbbr3(parameter_set: str) -> Material:
    return material("CsPbBr3", parameter_set=parameter_set, temperature_k=_HELIUM_K)


def _published(structure: str, temperature_k: float) -> dict[float, float]:
    rows = [row for row in read_table(_ATOMISTIC) if row["structure"] == structure]
    return {float(row["edge_nm"]): float(row[f"tau_{temperature_k:g}K_ns"]) for row in rows}


def _four_levels(structure: str, edge_nm: float, temperature_k: float) -> float:
    value = float(_lifetime(structure, edge_nm, temperature_k).lifetime_ns[0])
    assert math.isfinite(value)
    return value


def _lifetime(structure: str, edge_nm: float, temperature_k: float) -> ThermalLifetime:
    for row in read_table(_ATOMISTIC):
        if row["structure"] == structure and float(row["edge_nm"]) == edge_nm:
            energies = [0.0] + [float(row[f"bright_minus_dark_meV_{k}"]) for k in (1, 2, 3)]
            rates = [0.0] + [1.0 / float(row[f"tau_bright_ns_{k}"]) for k in (1, 2, 3)]
            return thermal_lifetime(Levels.of(energies, rates), temperature_k)
    raise KeyError((structure, edge_nm))
