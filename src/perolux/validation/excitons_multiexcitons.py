"""Functions of the rows in `excitons_multiexcitons.toml`: trions, biexcitons, Auger, counting."""

from __future__ import annotations

import numpy as np

from perolux.excitons.many.auger import auger_exponent, extended_auger_lifetime_ns
from perolux.excitons.many.multiexcitons import empirical_shift_ev, multiexciton_shift_ev, shift_knots
from perolux.materials import material
from perolux.validation.run import Computed

__all__ = [
    "auger_regimes",
    "bulk_binding",
    "calculated_shift_mev",
    "empirical_shift_mev",
    "extended_slope",
    "monte_carlo_excess",
    "poisson_sum",
    "second_order_exciton",
    "strong_limit_of_runs",
]


def bulk_binding(kind: str) -> Computed:
    """Binding of a trion or biexciton of equal masses in open space (exciton Ry), packaged runs."""
    knot = next(k for k in shift_knots() if (k.kind, k.shape, k.mass_ratio) == (kind, "open", 1.0))
    return Computed(-knot.shift_over_rydberg, f"statistical error {knot.error_over_rydberg:.4f} Ry")


def strong_limit_of_runs(kind: str, shape: str) -> Computed:
    """Limit of the shift for size -> 0 from the runs alone: a quadratic through the four smallest."""
    knots = [k for k in shift_knots() if (k.kind, k.shape, k.mass_ratio) == (kind, shape, 1.0)]
    knots = sorted((k for k in knots if k.size_over_bohr > 0), key=lambda k: k.size_over_bohr)[:4]
    size = np.array([k.size_over_bohr for k in knots])
    shift = np.array([k.shift_over_rydberg for k in knots])
    weight = 1.0 / np.array([k.error_over_rydberg for k in knots])
    found, covariance = np.polyfit(size, shift, 2, w=weight, cov="unscaled")
    return Computed(float(found[2]), f"statistical error {float(covariance[2, 2]) ** 0.5:.4f} Ry")


def second_order_exciton(shape: str) -> float:
    """Second-order energy of the exciton by the sums that give the strong limits of the shifts, in Ry."""
    from perolux.excitons.many.second_order import second_order

    return second_order(shape, states=10).exciton


def monte_carlo_excess(shape: str, size_over_bohr: float) -> Computed:
    """Energy of the exciton by Monte Carlo (one seed, default step) less that of the table, in Ry."""
    from perolux.excitons.many.diffusion_monte_carlo import solve_by_monte_carlo
    from perolux.excitons.pair.tables import interpolate

    rng = np.random.default_rng(20)
    found = solve_by_monte_carlo("exciton", shape, size_over_bohr, rng, walkers=500, steps=5000)
    exact = float(interpolate(shape, size_over_bohr).energy_over_rydberg)
    error = f"statistical error {found.error_over_rydberg:.4f} Ry"
    return Computed(found.energy_over_rydberg - exact, error)


def calculated_shift_mev(kind: str, shape: str, parameter_set: str, edge_nm: float) -> Computed:
    """Calculated shift of CsPbBr3 (edge of a cube or diameter of a sphere), equal masses, in meV."""
    host = material("CsPbBr3", parameter_set=parameter_set)
    shift, sigma = multiexciton_shift_ev(kind, shape, edge_nm, host.bohr_radius_nm, host.rydberg_ev)
    return Computed(1e3 * float(shift), f"error of the table {1e3 * float(sigma):.2f} meV")


def empirical_shift_mev(kind: str, edge_nm: float) -> float:
    """The empirical law A + B/L^2 of CsPbBr3 in meV."""
    return 1e3 * float(empirical_shift_ev(kind, edge_nm))


def auger_regimes(bohr_radius_nm: float) -> str:
    """How the biexciton's Auger lifetime goes with volume at edges of 4, 10 and 30 nm."""
    powers = auger_exponent(np.array([4.0, 10.0, 30.0]) ** 3, bohr_radius_nm)
    words = ["linear" if abs(p - 1) < 0.01 else "sublinear" if p < 1 else "superlinear" for p in powers]
    return ", ".join(words)


def extended_slope() -> float:
    """Slope of ln(Auger lifetime) against ln(lateral area) of platelets."""
    area = np.array([50.0, 800.0])
    lifetime = extended_auger_lifetime_ns(area, 100.0, 0.01)
    return float(np.diff(np.log(lifetime))[0] / np.diff(np.log(area))[0])


def poisson_sum(mean_excitons: float) -> float:
    """Photons per pulse over <N> where every step emits with certainty."""
    from perolux.excitons.many.multiexciton_emission import pulsed_emission

    return float(pulsed_emission(mean_excitons, higher_yield=1.0).total) / mean_excitons
