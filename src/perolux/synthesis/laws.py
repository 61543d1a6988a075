"""Laws of nucleation and growth, in SI, as plain functions of arrays.

Sizes are the radius of a sphere or half the edge of a cube (m). Concentrations in these laws are mol/m^3 of
formula units; S is the supersaturation c/c_s, above 1 where crystals grow. The compiled loops of the engines
hold the same laws once more; tests compare them with these.

Standard forms: classical nucleation theory and the Gibbs-Thomson equation with the exponential kept. The
linear form (1 + l_c/r) is wrong for nanocrystals, whose capillary length of 1 to 6 nm is of their own size.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from perolux.quantities.constants import AVOGADRO_PER_MOL, constant

__all__ = [
    "LEAST_SUPERSATURATION",
    "SHAPE_FACTORS",
    "CrystalShape",
    "arrhenius",
    "barrier_kt",
    "capillary_length_m",
    "critical_radius_m",
    "damkohler",
    "entry_radius_m",
    "growth_rate_m_s",
    "heterogeneous_factor",
    "ln_nucleation_rate",
    "nucleation_rate_per_m3_s",
    "solubility_mol_m3",
    "stokes_einstein_m2_s",
]

FloatArray = npt.NDArray[np.float64]
CrystalShape = Literal["sphere", "cube"]

BOLTZMANN_J_PER_K = constant("boltzmann_j_per_k")
GAS_CONSTANT_J_MOL_K = BOLTZMANN_J_PER_K * AVOGADRO_PER_MOL

LEAST_SUPERSATURATION = 1.02
"""Below this S nothing nucleates: the barrier is beyond any that matters, and 1/ln^2 S overflows."""

SHAPE_FACTORS: dict[CrystalShape, tuple[float, float]] = {
    "sphere": (np.pi / 6.0, 16.0 * np.pi / 3.0),
    "cube": (1.0, 32.0),
}
"""Volume over (2r)^3, and the number b in the barrier W/kT = b gamma^3 v_m^2/((kT)^3 ln^2 S)."""


def capillary_length_m(
    surface_energy_j_m2: npt.ArrayLike, formula_volume_m3: float, temperature_k: npt.ArrayLike
) -> FloatArray:
    """Capillary length l_c = 2 gamma v_m/(kT) (m)."""
    heat = BOLTZMANN_J_PER_K * np.asarray(temperature_k, dtype=float)
    return 2.0 * np.asarray(surface_energy_j_m2, dtype=float) * formula_volume_m3 / heat


def critical_radius_m(
    surface_energy_j_m2: npt.ArrayLike,
    formula_volume_m3: float,
    temperature_k: npt.ArrayLike,
    supersaturation: npt.ArrayLike,
) -> FloatArray:
    """Radius r_c = l_c/ln S (m) that neither grows nor dissolves; infinite for S of 1 and less."""
    s = np.asarray(supersaturation, dtype=float)
    length = capillary_length_m(surface_energy_j_m2, formula_volume_m3, temperature_k)
    with np.errstate(divide="ignore"):
        return np.where(s > 1.0, length / np.log(np.maximum(s, 1.0)), np.inf)


def entry_radius_m(
    surface_energy_j_m2: npt.ArrayLike,
    formula_volume_m3: float,
    temperature_k: npt.ArrayLike,
    supersaturation: npt.ArrayLike,
) -> FloatArray:
    """Radius (m) at which nuclei enter the population: r_c + sqrt(kT/(pi gamma))/2, kT below the barrier."""
    heat = BOLTZMANN_J_PER_K * np.asarray(temperature_k, dtype=float)
    step = 0.5 * np.sqrt(heat / (np.pi * np.asarray(surface_energy_j_m2, dtype=float)))
    return critical_radius_m(surface_energy_j_m2, formula_volume_m3, temperature_k, supersaturation) + step


def barrier_kt(
    surface_energy_j_m2: npt.ArrayLike,
    formula_volume_m3: float,
    temperature_k: npt.ArrayLike,
    supersaturation: npt.ArrayLike,
    shape: CrystalShape = "sphere",
) -> FloatArray:
    """Height of the barrier to nucleation in kT: B gamma^3 v_m^2/((kT)^3 ln^2 S), B 16 pi/3 or 32 (cube).

    The cube: W = a^2 (6 gamma) - a^3 kT ln S/v_m at its maximum a = 4 gamma v_m/(kT ln S) gives 32.
    """
    gamma = np.asarray(surface_energy_j_m2, dtype=float)
    heat = BOLTZMANN_J_PER_K * np.asarray(temperature_k, dtype=float)
    s = np.asarray(supersaturation, dtype=float)
    with np.errstate(divide="ignore"):
        log2 = np.where(s > 1.0, np.log(np.maximum(s, 1.0)) ** 2, 0.0)
        return SHAPE_FACTORS[shape][1] * gamma**3 * formula_volume_m3**2 / (heat**3 * log2)


def heterogeneous_factor(contact_angle_rad: npt.ArrayLike) -> FloatArray:
    """f = (2 + cos theta)(1 - cos theta)^2/4 by which a surface lowers the barrier; 1 at 180 degrees."""
    cos = np.cos(np.asarray(contact_angle_rad, dtype=float))
    return (2.0 + cos) * (1.0 - cos) ** 2 / 4.0


def ln_nucleation_rate(
    ln_prefactor: npt.ArrayLike, barrier: npt.ArrayLike, supersaturation: npt.ArrayLike
) -> FloatArray:
    """ln of the nucleation rate: ln A - W/kT; minus infinity up to S = 1.02."""
    s = np.asarray(supersaturation, dtype=float)
    value = np.asarray(ln_prefactor, dtype=float) - np.asarray(barrier, dtype=float)
    return np.where(s > LEAST_SUPERSATURATION, value, -np.inf)


def nucleation_rate_per_m3_s(
    ln_prefactor: npt.ArrayLike, barrier: npt.ArrayLike, supersaturation: npt.ArrayLike
) -> FloatArray:
    """Nucleation rate J = A exp(-W/kT) (1/(m^3 s)), 0 up to S = 1.02."""
    return np.exp(ln_nucleation_rate(ln_prefactor, barrier, supersaturation))


def growth_rate_m_s(
    radius_m: npt.ArrayLike,
    concentration_mol_m3: npt.ArrayLike,
    solubility_of_flat_mol_m3: npt.ArrayLike,
    capillary_m: npt.ArrayLike,
    formula_volume_m3: float,
    diffusivity_m2_s: npt.ArrayLike,
    surface_rate_m_s: npt.ArrayLike,
) -> FloatArray:
    """Growth rate dr/dt = v_m N_A (c - c_s exp(l_c/r))/(r/D + 1/k_r) (m/s), negative where it dissolves.

    The term r/D is that of a sphere in still liquid; for a cube with half edge r it is approximate.
    """
    r = np.asarray(radius_m, dtype=float)
    c_s = np.asarray(solubility_of_flat_mol_m3, dtype=float)
    drive = np.asarray(concentration_mol_m3, dtype=float) - c_s * np.exp(np.asarray(capillary_m) / r)
    resistance = r / np.asarray(diffusivity_m2_s, dtype=float) + 1.0 / np.asarray(surface_rate_m_s)
    return formula_volume_m3 * AVOGADRO_PER_MOL * drive / resistance


def damkohler(
    radius_m: npt.ArrayLike, surface_rate_m_s: npt.ArrayLike, diffusivity_m2_s: npt.ArrayLike
) -> FloatArray:
    """Damkoehler number Da = k_r r/D: much below 1 the surface limits growth, much above 1 diffusion."""
    return np.asarray(surface_rate_m_s, dtype=float) * np.asarray(radius_m) / np.asarray(diffusivity_m2_s)


def arrhenius(
    value_at_reference: npt.ArrayLike,
    activation_kj_mol: npt.ArrayLike,
    temperature_k: npt.ArrayLike,
    reference_k: float = 298.15,
) -> FloatArray:
    """Value at a temperature: value(T0) exp(-(Ea/R)(1/T - 1/T0)). Also van't Hoff, with an enthalpy."""
    t = np.asarray(temperature_k, dtype=float)
    exponent = -1e3 * np.asarray(activation_kj_mol) / GAS_CONSTANT_J_MOL_K * (1.0 / t - 1.0 / reference_k)
    return np.asarray(value_at_reference, dtype=float) * np.exp(exponent)


def solubility_mol_m3(
    value_at_reference: npt.ArrayLike,
    enthalpy_kj_mol: npt.ArrayLike,
    temperature_k: npt.ArrayLike,
    antisolvent_fraction: npt.ArrayLike = 0.0,
    antisolvent_exponent: npt.ArrayLike = 0.0,
    reference_k: float = 298.15,
) -> FloatArray:
    """Solubility of the flat surface: c_s0 exp(-(dH/R)(1/T - 1/T0)) exp(-kappa phi) (mol/m^3)."""
    warm = arrhenius(value_at_reference, enthalpy_kj_mol, temperature_k, reference_k)
    return warm * np.exp(-np.asarray(antisolvent_exponent) * np.asarray(antisolvent_fraction, dtype=float))


def stokes_einstein_m2_s(
    temperature_k: npt.ArrayLike, viscosity_pa_s: npt.ArrayLike, radius_m: npt.ArrayLike
) -> FloatArray:
    """Diffusivity D = kT/(6 pi eta a) (m^2/s) of a solute of radius a."""
    heat = BOLTZMANN_J_PER_K * np.asarray(temperature_k, dtype=float)
    return heat / (6.0 * np.pi * np.asarray(viscosity_pa_s) * np.asarray(radius_m, dtype=float))
