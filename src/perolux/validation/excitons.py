"""Functions of the rows in `excitons.toml`: the hard-wall pair against its own limits and reference tables.

Energies are counted from the bulk gap, in exciton Rydberg; sizes are the radius of a sphere or the edge of a
cube in exciton Bohr radii.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from perolux.excitons.backwards.sizing import confinement_energy_ev
from perolux.excitons.light.line import ensemble_line
from perolux.excitons.light.linewidth import homogeneous_fwhm_mev
from perolux.excitons.pair.cube import solve_cube
from perolux.excitons.pair.sphere import solve_sphere
from perolux.materials import Material, material
from perolux.quantities.constants import constant
from perolux.validation.rows import read_table
from perolux.validation.run import Computed

if TYPE_CHECKING:
    from perolux.excitons.pair.state import ExcitonState

__all__ = [
    "beyond_table_error",
    "bulk_rydberg_mev",
    "confinement_energy_mev",
    "confinement_k",
    "confinement_span_mev",
    "coulomb_constant",
    "dead_layer",
    "diamagnetic_shift",
    "ensemble_width_mev",
    "equal_confinement",
    "excess_over_variational_rydberg",
    "exchange_limit",
    "highest_emission_ev",
    "interpolation_error",
    "k_over_weak_limit",
    "own_error_cover",
    "prior_width_mev",
    "solved",
    "strong_limit_remainder",
    "weak_limit_error",
]

_BENCHMARKS = {
    "sphere": ("exciton_hard_sphere_benchmark.csv", "R_over_aB"),
    "cube": ("exciton_hard_cube_benchmark.csv", "L_over_aB"),
}
_SPHERE_TABLE_ERROR_RYDBERG = 2e-5
"""How far the sphere table's energies moved with 66 instead of 46 functions (README of the tables)."""
# First-order energies behind hard walls, in Ry: kinetic / size^2 - 2 J / size, with J the Coulomb constant.
_KINETIC = {"sphere": math.pi**2, "cube": 3.0 * math.pi**2}


@cache
def _state(shape: str, size_over_bohr: float) -> ExcitonState:
    solve: Callable[[float], ExcitonState] = solve_sphere if shape == "sphere" else solve_cube
    return solve(size_over_bohr)


def solved(shape: str, size_over_bohr: float, quantity: str) -> float:
    """A quantity of the solved ground exciton: a field of `ExcitonState`."""
    return float(getattr(_state(shape, size_over_bohr), quantity))


def excess_over_variational_rydberg(shape: str) -> float:
    """How far the solver lies above the variational reference, beyond that table's uncertainty, at worst."""
    worst = -math.inf
    for size, energy, uncertainty in _reference_energies(shape):
        worst = max(worst, _state(shape, size).energy_over_rydberg - energy - uncertainty)
    return worst


def own_error_cover(shape: str, quantity: str) -> Computed:
    """Largest deviation from the reference in units of (own error estimate + uncertainty of the reference).

    quantity: "energy", "k" or "x"; deviations of K and X are relative.
    """
    worst, where = -math.inf, 0.0
    for size, reference, uncertainty in _references(shape, quantity):
        state = _state(shape, size)
        if quantity == "energy":
            deviation = abs(state.energy_over_rydberg - reference)
            own = state.estimated_error_rydberg
        elif quantity == "k":
            deviation = abs(state.overlap_k / reference - 1.0)
            own = state.estimated_error_k_relative
        else:
            deviation = abs(state.exchange_x / reference - 1.0)
            own = state.estimated_error_x_relative
        ratio = deviation / (own + uncertainty)
        if ratio > worst:
            worst, where = ratio, size
    return Computed(worst, f"worst at size {where:g}")


def interpolation_error(shape: str, quantity: str) -> Computed:
    """Largest deviation of the packaged curve from the solver at sizes beside its knots.

    Absolute in Ry for the energy, relative for K and X.
    """
    from perolux.excitons.pair.tables import interpolate

    sizes = np.array([0.55, 0.97, 1.83, 2.71, 3.37, 4.6, 6.9, 9.1])
    curve = interpolate(shape, sizes)
    exact = np.array([solved(shape, float(size), quantity) for size in sizes])
    found = np.asarray(getattr(curve, quantity))
    error = np.abs(found - exact) if quantity == "energy_over_rydberg" else np.abs(found / exact - 1.0)
    return Computed(float(error.max()), f"worst at size {sizes[error.argmax()]:g}")


def coulomb_constant(shape: str) -> float:
    """J in units e^2/(4 pi eps0 eps size), from the solver at three small sizes.

    (kinetic/s^2 - E) s / 2 = J + c1 s + c2 s^2 + ...: the quadratic through three sizes, at s = 0.
    """
    sizes = np.array([0.05, 0.1, 0.2])
    values = [0.5 * s * (_KINETIC[shape] / s**2 - _state(shape, float(s)).energy_over_rydberg) for s in sizes]
    return float(np.polyfit(sizes, values, 2)[2])


def strong_limit_remainder(shape: str, size_over_bohr: float) -> float:
    """E less kinetic and first-order Coulomb energy: the second-order term, plus what grows with size."""
    coulomb = {"sphere": 1.786073, "cube": 3.047787}[shape]
    first = _KINETIC[shape] / size_over_bohr**2 - 2.0 * coulomb / size_over_bohr
    return _state(shape, size_over_bohr).energy_over_rydberg - first


def dead_layer(shape: str, size_over_bohr: float) -> float:
    """d of E = -1 + (1/4) kinetic/(size - d)^2: how much smaller the box is for the centre of mass."""
    energy = _state(shape, size_over_bohr).energy_over_rydberg
    return size_over_bohr - 0.5 * math.sqrt(_KINETIC[shape] / (energy + 1.0))


def weak_limit_error(radius_over_bohr: float) -> float:
    """|E - (-1 + pi^2/(4 (x - 0.735)^2))| of a sphere, in Ry."""
    limit = -1.0 + 0.25 * math.pi**2 / (radius_over_bohr - 0.735) ** 2
    return abs(_state("sphere", radius_over_bohr).energy_over_rydberg - limit)


def beyond_table_error(shape: str, size_over_bohr: float) -> float:
    """|E of the packaged curve - weak limit| far beyond the table, in Ry.

    Dead layer d = 0.735 (sphere); d = 1.405 - 2.04/(y - d)^2 (cube), solved by iteration.
    """
    from perolux.excitons.pair.tables import interpolate

    layer = 0.735 if shape == "sphere" else 1.405
    if shape == "cube":
        for _ in range(20):
            layer = 1.405 - 2.04 / (size_over_bohr - layer) ** 2
    limit = -1.0 + 0.25 * _KINETIC[shape] / (size_over_bohr - layer) ** 2
    found = np.asarray(interpolate(shape, np.array([size_over_bohr])).energy_over_rydberg)
    return abs(float(found[0]) - limit)


def k_over_weak_limit(shape: str, size_over_bohr: float) -> float:
    """K over its limit for an exciton that moves as one particle.

    Sphere (8/pi^2) x^3; cube (8/pi^2)^3 y^3/pi.
    """
    ratio = 8.0 / math.pi**2
    limit = ratio if shape == "sphere" else ratio**3 / math.pi
    return _state(shape, size_over_bohr).overlap_k / (limit * size_over_bohr**3)


def exchange_limit(shape: str) -> float:
    """X size^3 for size -> 0, from the solver at two small sizes, extrapolated linearly."""
    small, smaller = 0.1, 0.05
    at_small = _state(shape, small).exchange_x * small**3
    at_smaller = _state(shape, smaller).exchange_x * smaller**3
    return 2.0 * at_smaller - at_small


def equal_confinement(radius_over_bohr: float, quantity: str) -> float:
    """Sphere against the cube of edge sqrt(3) R: difference of E in Ry, or ratio of K or X."""
    sphere = solved("sphere", radius_over_bohr, quantity)
    cube = solved("cube", radius_over_bohr * math.sqrt(3.0), quantity)
    return sphere - cube if quantity == "energy_over_rydberg" else sphere / cube


def bulk_rydberg_mev(parameter_set: str) -> float:
    """Exciton Rydberg (hydrogenic binding) of CsPbBr3 from mu and eps of a parameter set."""
    return 1000.0 * _cspbbr3(parameter_set).rydberg_ev


def diamagnetic_shift(parameter_set: str) -> float:
    """e^2 aB^2/(4 mu) of CsPbBr3 from a parameter set, in micro-eV per tesla squared."""
    host = _cspbbr3(parameter_set)
    mass_kg = host.reduced_mass_m0 * constant("electron_mass_kg")
    return 1e6 * constant("elementary_charge_c") * (1e-9 * host.bohr_radius_nm) ** 2 / (4.0 * mass_kg)


def confinement_energy_mev(shape: str, parameter_set: str, size_nm: float) -> float:
    """Exciton energy from the gap of a CsPbBr3 sphere (diameter) or cube (edge), solved at that size."""
    host = _cspbbr3(parameter_set)
    return 1000.0 * host.rydberg_ev * _sized(shape, host, size_nm).energy_over_rydberg


def confinement_k(shape: str, parameter_set: str, size_nm: float) -> float:
    """Overlap K of a CsPbBr3 sphere (diameter) or cube (edge): the rate over that of an uncorrelated pair."""
    return _sized(shape, _cspbbr3(parameter_set), size_nm).overlap_k


def confinement_span_mev(parameter_set: str, small_nm: float, large_nm: float) -> float:
    """Energy of the first exciton of the smaller CsPbBr3 cube above that of the larger one."""
    small, large = confinement_energy_ev([small_nm, large_nm], _cspbbr3(parameter_set))
    return 1000.0 * float(small - large)


def highest_emission_ev(parameter_set: str, edge_nm: float) -> float:
    """Highest PL energy of a CsPbBr3 cube: upper end of the gap, no Stokes shift, 298 K."""
    host = _cspbbr3(parameter_set)
    highest_gap = host.gap.number if host.gap.high is None else host.gap.high
    return highest_gap + float(confinement_energy_ev(edge_nm, host))


def prior_width_mev(name: str) -> float:
    """Middle of the prior of the width of one size at 298 K."""
    return homogeneous_fwhm_mev(_cspbbr3("A"), name).number


def ensemble_width_mev(edge_nm: float, relative_spread: float, parameter_set: str) -> float:
    """FWHM of an ensemble of CsPbBr3 cubes at 298 K, with the middle of the ensemble record of one size."""
    host = _cspbbr3(parameter_set)
    width_ev = 1e-3 * homogeneous_fwhm_mev(host, "ensemble").number
    line = ensemble_line(edge_nm, relative_spread, width_ev, lambda sizes: confinement_energy_ev(sizes, host))
    return 1e3 * float(line.fwhm_ev[0, 0, 0])


def _sized(shape: str, host: Material, size_nm: float) -> ExcitonState:
    length_nm = size_nm / 2.0 if shape == "sphere" else size_nm
    return _state(shape, length_nm / host.bohr_radius_nm)


def _cspbbr3(parameter_set: str) -> Material:
    return material("CsPbBr3", parameter_set=parameter_set)


def _reference_energies(shape: str) -> list[tuple[float, float, float]]:
    return _references(shape, "energy")


def _references(shape: str, quantity: str) -> list[tuple[float, float, float]]:
    """(size, reference, uncertainty) of each line; uncertainty absolute for E, relative for K and X."""
    name, size = _BENCHMARKS[shape]
    lines = read_table(name)
    if shape == "cube":
        column, error = {
            "energy": ("E_over_Ry", "E_uncertainty_Ry"),
            "k": ("overlap_K", "K_rel_uncertainty"),
            "x": ("exchange_X", "X_rel_uncertainty"),
        }[quantity]
        return [(float(line[size]), float(line[column]), float(line[error])) for line in lines]
    if quantity == "energy":
        return [(float(ln[size]), float(ln["E_over_Ry"]), _SPHERE_TABLE_ERROR_RYDBERG) for ln in lines]
    if quantity == "k":
        return [(float(line[size]), float(line["overlap2_K"]), float(line["tol_K_rel"])) for line in lines]
    lines = read_table("exciton_hard_sphere_exchange.csv")
    return [(float(line[size]), float(line["exchange_X"]), 0.005) for line in lines]
