"""Functions of the rows in `excitons_fine_structure.toml`: exchange, lattice splittings, g factors."""

from __future__ import annotations

import math

import numpy as np

from perolux.excitons.levels.exchange import exchange_mev, long_range_mev, short_range_mev
from perolux.excitons.levels.fine_structure import fine_structure
from perolux.excitons.levels.g_factors import remote_g_for_exciton
from perolux.excitons.levels.lattice_tensor import lattice_tensor_mev
from perolux.excitons.levels.profile_factors import profile_factors
from perolux.excitons.pair.tables import interpolate
from perolux.materials import Material, material
from perolux.materials.kane import lt_splitting_ev
from perolux.quantities.constants import constant
from perolux.validation.rows import read_table
from perolux.validation.run import Computed

__all__ = [
    "bright_span_mev",
    "cspbi3_splitting_mev",
    "fapbbr3_splitting_mev",
    "long_range_sphere_mev",
    "platelet_bright_splitting_mev",
    "platelet_splitting_mev",
    "remote_g",
    "size_exponent",
    "table_exponent",
    "x_over_k_form",
    "zeeman_splitting_mev",
]

_ATOMISTIC = "cspbi3_bse_fine_structure_lifetimes.csv"
_CUBIC_EDGES = (2.5, 3.1, 3.8, 4.4, 5.0, 6.3, 6.9)


def long_range_sphere_mev(radius_over_bohr: float, lt_splitting_mev: float) -> float:
    """Long-range exchange of a sphere, the same along each axis."""
    exchange_x = interpolate("sphere", radius_over_bohr).exchange_x
    return float(long_range_mev(exchange_x, lt_splitting_mev)[0])


def x_over_k_form(radius_over_bohr: float) -> float:
    """X over what the form with (pi aB^3/V) K has in its place, for a sphere."""
    curve = interpolate("sphere", radius_over_bohr)
    return float(curve.exchange_x * 4.0 / 3.0 * radius_over_bohr**3 / curve.overlap_k)


def cspbi3_splitting_mev(edge_nm: float, short_range: bool) -> Computed:
    """Bright-dark splitting of a cubic CsPbI3 cube: long range from Ep and eps, short from the record."""
    host = material("CsPbI3")
    bohr = host.bohr_radius_nm
    exchange_x = interpolate("cube", edge_nm / bohr).exchange_x
    eps = host.value("eps_high_freq")
    ends = [
        float(
            exchange_mev(
                exchange_x,
                bohr,
                lt_splitting_mev=_lt_splitting_mev(host, host.value("kane_energy").number, background),
                short_range_mev_nm3=1e3 * host.value("short_range_exchange").number if short_range else 0.0,
            )[0]
        )
        for background in (eps.number, eps.low or eps.number, eps.high or eps.number)
    ]
    return Computed(ends[0], f"{ends[2]:.2f} to {ends[1]:.2f} meV over the range of eps_high_freq")


def size_exponent() -> float:
    """p of splitting ~ L^p of hard-wall CsPbI3 cubes over the sizes of the atomistic ones."""
    sizes = np.array(_CUBIC_EDGES)
    exchange_x = interpolate("cube", sizes / material("CsPbI3").bohr_radius_nm).exchange_x
    return _exponent(sizes, exchange_x)


def table_exponent() -> float:
    """p of splitting ~ L^p of the atomistic cubic crystals themselves."""
    rows = [row for row in read_table(_ATOMISTIC) if row["structure"] == "Cubic"]
    sizes = np.array([float(row["edge_nm"]) for row in rows])
    levels = np.array([[float(row[f"bright_minus_dark_meV_{k}"]) for k in (1, 2, 3)] for row in rows])
    return _exponent(sizes, levels.mean(axis=1))


def fapbbr3_splitting_mev(edge_nm: float) -> Computed:
    """Long-range bright-dark splitting of a FAPbBr3 cube, with Ep and eps of CsPbBr3 (none on record)."""
    host, lender = material("FAPbBr3"), material("CsPbBr3", parameter_set="B")
    kane, eps = lender.value("kane_energy").number, lender.value("eps_high_freq").number
    splitting = _lt_splitting_mev(host, kane, eps)

    def at(edge: float) -> float:
        return float(long_range_mev(interpolate("cube", edge / host.bohr_radius_nm).exchange_x, splitting)[0])

    return Computed(at(edge_nm), f"hbar w_LT = {splitting:.2f} meV; {at(12.0):.2f} meV at 12 nm")


def bright_span_mev(phase: str, edge_nm: float, pair: str) -> float:
    """Splitting of the bright levels of a CsPbI3 cube by its lattice: "lower" pair or "all" three."""
    levels = fine_structure([10.0] * 3, lattice_mev=lattice_tensor_mev("CsPbI3", phase, edge_nm)).energy_mev
    return float(levels[2] - levels[1] if pair == "lower" else levels[3] - levels[1])


def platelet_splitting_mev(parameter_set: str, thickness_nm: float) -> Computed:
    """Short-range splitting of a thin CsPbBr3 plate with the constant of CsPbI3.

    In-plane dipoles of a wide plate feel no long range (N = 0). X = 12 aB/d: a two-dimensional exciton,
    |phi(0)|^2 = 8/(pi aB^2), times sine waves across, without dielectric mismatch.
    """
    host = material("CsPbBr3", parameter_set=parameter_set)
    record = material("CsPbI3").value("short_range_exchange")
    exchange_x = 12.0 * host.bohr_radius_nm / thickness_nm
    low, middle, high = (
        float(short_range_mev(exchange_x, host.bohr_radius_nm, 1e3 * one))
        for one in (record.low or 0.0, record.number, record.high or 0.0)
    )
    return Computed(middle, f"{low:.0f} to {high:.0f} meV over the range of the constant")


def platelet_bright_splitting_mev(parameter_set: str, thickness_nm: float, lateral_nm: float) -> Computed:
    """Long-range splitting between the bright level across a thin plate and those in its plane.

    hbar w_LT X (N_z - N_x) with X = 12 aB/d as in `platelet_splitting_mev`.
    """
    host = material("CsPbBr3", parameter_set=parameter_set)
    exchange_x = 12.0 * host.bohr_radius_nm / thickness_nm
    factors = profile_factors(lateral_nm, lateral_nm, thickness_nm)
    levels = long_range_mev(exchange_x, 1e3 * host.value("lt_splitting").number, factors)
    return Computed(float(levels[2] - levels[0]), f"N_z = {factors[2]:.3f}, X = {exchange_x:.1f}")


def remote_g(g_exciton: float, gap_ev: float, kane_ev: float, spin_orbit_ev: float) -> float:
    """dg_e that the four-band g factors need for g_X."""
    return float(remote_g_for_exciton(g_exciton, gap_ev, kane_ev, spin_orbit_ev))


def zeeman_splitting_mev(field_t: float, g_electron: float, g_hole: float) -> float:
    """Splitting of the two circular lines in Faraday geometry over g_X mu_B B."""
    levels = fine_structure([3.0] * 3, field_t=[0.0, 0.0, field_t], g_electron=g_electron, g_hole=g_hole)
    circular = np.abs(levels.dipole[:, 2]) < 1e-6
    lines = levels.energy_mev[circular & (levels.strength > 0.5)]
    unit = 1e3 * constant("bohr_magneton_ev_per_t") * field_t * (g_electron + g_hole)
    return float((lines.max() - lines.min()) / unit)


def _lt_splitting_mev(host: Material, kane_ev: float, eps_background: float) -> float:
    gap = host.value("gap_low_t").number
    return 1e3 * lt_splitting_ev(kane_ev, gap - host.rydberg_ev, eps_background, host.bohr_radius_nm)


def _exponent(sizes: np.ndarray, values: np.ndarray) -> float:
    slope = np.polyfit(np.log(sizes), np.log(values), 1)[0]
    assert math.isfinite(slope)
    return float(slope)
