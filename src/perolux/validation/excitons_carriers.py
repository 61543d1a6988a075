"""Functions of the rows in `excitons_carriers.toml`: bands away from the edge, walls of finite height.

Numbers of a material are those of its records: middles of ranges, low-temperature gap, m_e = m_h = 2 mu,
and a Kane energy of the assumptions where the material has none.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import numpy.typing as npt

from perolux.excitons.assumptions import assumption
from perolux.excitons.carriers.bands import Bands, Carrier, bands_from_reduced_mass, inverse_mass
from perolux.excitons.carriers.carrier_levels import Barrier, carrier_level, kane_mass_outside_m0, shape_parts
from perolux.excitons.carriers.effective_pair import effective_pair
from perolux.excitons.carriers.plane_waves import converged_level_ev
from perolux.excitons.carriers.spinor_sphere import spinor_level_ev, spinor_levels
from perolux.excitons.carriers.walls import hard_wall_phase, wall_energy_ev
from perolux.excitons.pair.tables import interpolate
from perolux.materials import Material, material
from perolux.materials.kane import kane_energy_from_mass
from perolux.quantities.constants import BOHR_RADIUS_NM, HBAR2_OVER_2M0_EV_NM2, RYDBERG_EV
from perolux.validation.run import Computed

__all__ = [
    "cation_spread_mev",
    "hard_wall_excess_mev",
    "kane_without_remote_terms",
    "mass_without_remote_terms",
    "plane_wave_difference_mev",
    "spinor_p_centre",
    "spinor_s_error_ev",
    "two_band_sphere_error_ev",
]

FloatArray = npt.NDArray[np.float64]
_TEMPERATURE_K = 5.0


def kane_without_remote_terms(
    reduced_mass_m0: float, gap_ev: float, spin_orbit_ev: float | None = None
) -> float:
    """Kane energy that a reduced mass asks for when no band is left out."""
    return kane_energy_from_mass(reduced_mass_m0, gap_ev, spin_orbit_ev)


def mass_without_remote_terms(carrier: Carrier, kane_ev: float, gap_ev: float, spin_orbit_ev: float) -> float:
    """Mass of a carrier whose band knows no others: any starting mass, less its remote terms."""
    from perolux.excitons.carriers.bands import remote_terms

    bands = Bands(gap_ev, 1.0, 1.0, kane_ev, spin_orbit_ev)
    remote = remote_terms(bands)
    left_out = remote.electron if carrier == "electron" else remote.hole
    return 1.0 / float(inverse_mass(carrier, 0.0, bands) - left_out)


def hard_wall_excess_mev(parameter_set: str, shape: str, size_nm: float) -> Computed:
    """Energy of the pair behind parabolic hard walls less that with bands and barrier of the records."""
    found = material("CsPbBr3", _TEMPERATURE_K, parameter_set)
    bands, barrier = _bands(found), _barrier(found)
    hard = _pair_ev(found, shape, size_nm, bands, None, False)
    real = _pair_ev(found, shape, size_nm, bands, barrier, True)
    bent = _pair_ev(found, shape, size_nm, bands, None, True)
    kane = float(np.asarray(bands.kane_ev))
    return Computed(
        float(1e3 * (hard - real)),
        f"non-parabolic bands alone {1e3 * float(hard - bent):.0f} meV; Ep {kane:.1f} eV, "
        f"barriers {float(np.asarray(barrier.electron_ev)):g} eV",
    )


def cation_spread_mev(parameter_set: str) -> Computed:
    """Largest spread of E - E(bulk exciton) over Cs, MA, FA at edges of 7 to 13 nm; below in the detail."""
    edges = np.concatenate([np.linspace(7.0, 13.0, 13), [4.0, 5.0, 6.0]])
    energies = []
    for found in (
        material("CsPbBr3", _TEMPERATURE_K, parameter_set),
        material("MAPbBr3", _TEMPERATURE_K),
        material("FAPbBr3", _TEMPERATURE_K),
    ):
        energy = _pair_ev(found, "cube", edges, _bands(found), _barrier(found), True)
        energies.append(energy + found.rydberg_ev)
    spread = 1e3 * np.ptp(np.array(energies), axis=0)
    small = ", ".join(f"{size:g} nm {one:.0f} meV" for size, one in zip(edges[-3:], spread[-3:], strict=True))
    largest = spread[:-3]
    return Computed(float(largest.max()), f"worst at {edges[largest.argmax()]:g} nm; below, {small}")


def two_band_sphere_error_ev() -> float:
    """Spinor p level in a hard sphere of 6 nm less the closed form of two bands."""
    gap, kane = 2.35, 16.0
    bands = Bands(gap, 3.0 * gap / kane, 0.3, kane, 1.2)
    square = HBAR2_OVER_2M0_EV_NM2 * (hard_wall_phase("sphere", 1) / 3.0) ** 2
    exact = 0.5 * (math.sqrt(gap**2 + 4.0 * kane / 3.0 * square) - gap)
    return float(spinor_level_ev("electron", "p3/2", 6.0, bands)) - exact


def spinor_s_error_ev() -> float:
    """Largest difference of the s1/2 roots and the scalar levels, which share no code for the match."""
    found = material("CsPbBr3", _TEMPERATURE_K, "B")
    bands, barrier = _bands(found), _barrier(found)
    sizes = np.linspace(3.0, 20.0, 18)
    parts = shape_parts("sphere", sizes, sizes, sizes)
    worst = 0.0
    carriers: tuple[Carrier, ...] = ("electron", "hole")
    for carrier in carriers:
        scalar = carrier_level(carrier, parts, bands, barrier).energy_ev
        spinor = spinor_level_ev(carrier, "s1/2", sizes, bands, barrier)
        worst = max(worst, float(np.abs(scalar - spinor).max()))
    return worst


def spinor_p_centre() -> Computed:
    """[(2 p1/2 + 4 p3/2)/6 - scalar p]/(p1/2 - p3/2) for parabolic bands."""
    # a gap so wide that the mass is constant, all of it from the two bands
    gap = 200.0
    bands = Bands(gap, 0.36, 0.36, 3.0 * gap / 0.36, 2.0 * gap)
    levels = spinor_levels("electron", 8.0, bands, Barrier(4.0, 4.0))
    mass = 1.0 / float(inverse_mass("electron", levels.p_half_ev, bands))
    scalar = float(wall_energy_ev("sphere", 4.0, mass, 4.0, state=1))
    splitting = float(levels.p_half_ev - levels.p_three_half_ev)
    centre = float(2.0 * levels.p_half_ev + 4.0 * levels.p_three_half_ev) / 6.0
    return Computed((centre - scalar) / splitting, f"splitting {1e3 * splitting:.2f} meV")


def plane_wave_difference_mev(
    carrier: Carrier, parameter_set: str, edge_nm: float, upper_band: bool = False
) -> Computed:
    """Separable self-consistent level of a cube less the eight-band one, both with the same outside."""
    found = material("CsPbBr3", _TEMPERATURE_K, parameter_set)
    full, error = _plane_waves(carrier, parameter_set, edge_nm)
    bands, barrier = _bands(found, upper_band=upper_band), _barrier(found)
    parts = shape_parts("cube", edge_nm, edge_nm, edge_nm)
    same = Barrier(barrier.electron_ev, barrier.hole_ev, mass_outside_m0=None)
    energy = float(carrier_level(carrier, parts, bands, same).energy_ev)
    outside = float(kane_mass_outside_m0(carrier, energy, bands, same))
    return Computed(
        1e3 * (energy - full), f"eight bands {1e3 * full:.1f} +- {1e3 * error:.1f} meV, m_out {outside:.2f}"
    )


@cache
def _plane_waves(carrier: Carrier, parameter_set: str, edge_nm: float) -> tuple[float, float]:
    found = material("CsPbBr3", _TEMPERATURE_K, parameter_set)
    return converged_level_ev(carrier, (edge_nm, edge_nm, edge_nm), _bands(found), _barrier(found))


def _bands(found: Material, upper_band: bool = False) -> Bands:
    return bands_from_reduced_mass(
        found.reduced_mass_m0,
        gap_ev=found.gap_ev,
        kane_ev=found.value("kane_energy").number,
        spin_orbit_ev=found.value("spin_orbit_delta").number,
        mass_ratio=assumption("carrier_mass_ratio").number,
        upper_band=upper_band,
    )


def _barrier(found: Material) -> Barrier:
    height = found.value("barrier").number
    return Barrier(height, height, found.value("mass_outside").number)


def _pair_ev(
    found: Material,
    shape: str,
    size_nm: npt.ArrayLike,
    bands: Bands,
    barrier: Barrier | None,
    nonparabolic: bool,
) -> FloatArray:
    """Ry(mu) e(size_eff/aB(mu)) of the ground pair, from the bulk gap."""
    pair = effective_pair(shape, size_nm, bands=bands, barrier=barrier, nonparabolic=nonparabolic)
    mu, eps = pair.reduced_mass_m0, found.eps_effective
    bohr = BOHR_RADIUS_NM * eps / mu
    size = pair.a_nm / (2.0 * bohr if shape == "sphere" else bohr)
    return np.asarray(RYDBERG_EV * mu / eps**2 * interpolate(shape, size).energy_over_rydberg)
