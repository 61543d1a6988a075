"""Functions of the rows in `excitons_spectra.toml`: cross sections, the Elliott edge, ensemble spectra."""

from __future__ import annotations

import math

import numpy as np

from perolux.ensemble import Lognormal, Population, quadrature
from perolux.excitons.backwards.sizing import confinement_energy_ev
from perolux.excitons.light.cross_section import (
    CM2_EV_PER_STRENGTH,
    JoinedAbsorption,
    calibrated_absorption,
    join_bulk_absorption,
)
from perolux.excitons.light.elliott import elliott_continuum, elliott_line_weights, sommerfeld_factor
from perolux.excitons.light.line import ensemble_line
from perolux.excitons.light.rates import oscillator_strength
from perolux.excitons.light.spectra import (
    absorption_lines,
    emission_table,
    ensemble_emission,
    gaussian_line,
    size_nodes,
)
from perolux.excitons.pair.tables import interpolate
from perolux.materials import material, optical_constants
from perolux.validation.run import Computed

__all__ = [
    "cross_section_exponent",
    "elliott_far",
    "elliott_merge",
    "emission_difference_mev",
    "joined_sum",
    "molar_absorption",
    "oscillator_constant",
    "threshold_enhancement",
    "vertex_enhancement",
]

_RYDBERG_EV = 0.03
_SOLVENT = 1.5
_WIDTH_EV = 0.08


def oscillator_constant() -> float:
    """Integrated cross section of strength 1 in vacuum, cm^2 eV."""
    return CM2_EV_PER_STRENGTH


def elliott_merge() -> float:
    """Weight over spacing of the thousandth line, over the continuum at the gap."""
    at, weight = elliott_line_weights(_RYDBERG_EV, 1001)
    middle = 0.5 * (weight[999] + weight[1000])
    return float(middle / (at[1000] - at[999]) / (2.0 * math.pi * math.sqrt(_RYDBERG_EV)))


def elliott_far() -> float:
    """The continuum far above the gap over its expansion."""
    excess = 1e4 * _RYDBERG_EV
    expected = math.sqrt(excess) + math.pi * math.sqrt(_RYDBERG_EV)
    return float(elliott_continuum(excess, _RYDBERG_EV)) / expected


def joined_sum(edge_nm: float) -> Computed:
    """Integral of the joined absorption below the join over that of the bulk."""
    grid = np.linspace(2.0, 3.6, 1601)
    found = _joined(np.array([edge_nm]), grid)
    share = 100 * float(found.line_share[0])
    note = f"the first exciton carries {share:.0f} %, continuum from {found.onset_ev[0]:.3f} eV"
    return Computed(float(found.sum_ratio[0]), note)


def cross_section_exponent() -> Computed:
    """p of sigma(3.1 eV) ~ L^p, by a straight line through the logarithms."""
    edges = np.linspace(6.0, 12.0, 13)
    grid = np.linspace(2.0, 3.6, 801)
    found = _joined(edges, grid)
    sigma = found.sigma_cm2[:, int(np.argmin(np.abs(grid - 3.1)))]
    exponent = float(np.polyfit(np.log(edges), np.log(sigma), 1)[0])
    return Computed(exponent, "3 by construction: above Eg + 0.5 eV the model is linear in volume")


def vertex_enhancement(energy_ev: float, parameter_set: str) -> float:
    """Sommerfeld factor of the bulk at an energy, 300 K."""
    host = material("CsPbBr3", 300.0, parameter_set)
    return float(sommerfeld_factor(energy_ev - host.gap_ev, host.rydberg_ev))


def threshold_enhancement(edge_nm: float, parameter_set: str) -> float:
    """Overlap K of the first exciton of a CsPbBr3 cube."""
    host = material("CsPbBr3", 300.0, parameter_set)
    return float(interpolate("cube", edge_nm / host.bohr_radius_nm).overlap_k)


def molar_absorption(calibration: int) -> Computed:
    """Molar absorption coefficient of an 8.5 nm cube at 335 nm under one of the calibrations."""
    found = calibrated_absorption("CsPbBr3", 335.0, 8.5**3, _SOLVENT)
    return Computed(found.molar_per_m_cm[calibration], f"calibrations differ by {found.factor:.2f}")


def emission_difference_mev(quantity: str) -> float:
    """Peak or width of a table's emission less that of `ensemble_line`, for 6 nm and 8 %, set A."""
    host = material("CsPbBr3", 298.0, "A")

    def confinement(sizes: np.ndarray) -> np.ndarray:
        return confinement_energy_ev(sizes, host)

    cubes = quadrature(Lognormal(6.0, 0.08), Population("cube", "core-edge", "CsPbBr3"), 60)
    sizes = cubes.equal_volume_edge_nm
    nodes = size_nodes(0.999 * sizes.min(), 1.001 * sizes.max(), confinement, _WIDTH_EV / 20)
    grid = np.arange(-0.2, 1.2, 2e-4)
    light = ensemble_emission(
        emission_table(nodes, grid, confinement(nodes), gaussian_line(_WIDTH_EV)), cubes
    )
    other = ensemble_line(6.0, 0.08, _WIDTH_EV, confinement)
    if quantity == "peak":
        return 1e3 * float(grid[light.argmax()] - other.peak_ev.item())
    above = grid[light >= 0.5 * light.max()]
    return 1e3 * float(above[-1] - above[0] - other.fwhm_ev.item())


def _joined(edges_nm: np.ndarray, grid_ev: np.ndarray) -> JoinedAbsorption:
    """First excitons of CsPbBr3 cubes, set B, joined to the bulk; local field of a sphere with eps 4.5."""
    host = material("CsPbBr3", 300.0, "B")
    curve = interpolate("cube", edges_nm / host.bohr_radius_nm)
    energy = host.gap_ev + host.rydberg_ev * curve.energy_over_rydberg
    strength = oscillator_strength(host.value("kane_energy").number, energy, curve.overlap_k)
    eps = host.value("eps_high_freq").number
    field = 3.0 * _SOLVENT**2 / (2.0 * _SOLVENT**2 + eps)
    lines = absorption_lines(
        grid_ev, energy, strength, gaussian_line(_WIDTH_EV), local_field=field, solvent_index=_SOLVENT
    )
    return join_bulk_absorption(
        grid_ev,
        lines,
        energy,
        edges_nm**3,
        optical_constants("CsPbBr3"),
        gap_ev=host.gap_ev,
        solvent_index=_SOLVENT,
        onset_fwhm_ev=_WIDTH_EV,
    )
