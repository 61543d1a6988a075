"""Functions of the rows in `excitons_platelets.toml`: plates between two and three dimensions, ladders."""

from __future__ import annotations

import math

import numpy as np

from perolux.excitons.light.plate_heat import plate_heat
from perolux.excitons.pair.plate_pair import solve_plate, solve_plate_levels
from perolux.excitons.pair.platelets import PlateletState, plate_exciton
from perolux.materials import material
from perolux.validation.rows import read_table
from perolux.validation.run import Computed

__all__ = [
    "binding_mev",
    "bright_splitting_mev",
    "emission_ev",
    "implied_bulk_mev",
    "plate_dead_layer",
    "plate_exchange",
    "plate_heat_deviation",
    "plate_limit",
    "plate_series",
]

_MONOLAYER_NM = 0.6
"""About the pseudocubic lattice constant of CsPbBr3 (0.585-0.63 nm is on record)."""
_EPS_OUTSIDE = 2.2
"""Middle of the range of n^2 of ligands and solvents (2.0-2.4, assumed)."""


def plate_limit(quantity: str) -> float:
    """Binding (Ry) or contact density (1/aB^2) of a plate without mismatch for d -> 0, linearly from two."""
    one, two = solve_plate(0.001), solve_plate(0.002)
    return 2.0 * float(getattr(one, quantity)) - float(getattr(two, quantity))


def plate_series(level: int, quantity: str) -> float:
    """Binding or contact of a level over that of 1s, in a plate of 1e-3 aB without mismatch."""
    found = getattr(solve_plate_levels(1e-3), quantity)
    return float(found[level - 1] / found[0])


def plate_dead_layer(thickness_over_bohr: float) -> float:
    """d - L of E = -1 + pi^2/(4 L^2), both walls together, in aB."""
    energy = solve_plate(thickness_over_bohr).energy
    return thickness_over_bohr - math.sqrt(0.25 * math.pi**2 / (energy + 1.0))


def plate_exchange(thickness_over_bohr: float) -> float:
    """X of a plate without mismatch."""
    return solve_plate(thickness_over_bohr).exchange_x


def plate_heat_deviation(contrast: float) -> Computed:
    """Largest deviation of R from the trace over all states, over the error that the formula states."""
    rows = [row for row in read_table("plate_heat.csv") if float(row["contrast"]) == contrast]
    names = ("a", "b", "thickness", "contrast", "theta")
    found = plate_heat(*np.array([[float(row[one]) for one in names] for row in rows]).T)
    off = np.abs(found.ratio / np.array([float(row["ratio"]) for row in rows]) - 1.0)
    return Computed(float((off / found.relative_error).max()), f"{off.max():.0%} at most")


def _plate(parameter_set: str, monolayers: float, walls: str = "barrier") -> PlateletState:
    host = material("CsPbBr3", parameter_set=parameter_set)
    return plate_exciton(
        monolayers,
        _MONOLAYER_NM,
        host.reduced_mass_m0,
        host.eps_effective,
        _EPS_OUTSIDE,
        host.gap_ev,
        barrier_ev=None if walls == "hard" else host.value("barrier").number,
        mass_outside_m0=host.value("mass_outside").number,
    )


def binding_mev(parameter_set: str, monolayers: int) -> float:
    """Binding of the exciton in a CsPbBr3 platelet: eps_in of the bulk exciton, eps_out 2.2, barriers."""
    return 1e3 * float(_plate(parameter_set, monolayers).binding_ev)


def emission_ev(parameter_set: str, monolayers: int, walls: str = "barrier") -> float:
    """Exciton energy of a CsPbBr3 platelet of infinite lateral size at 298 K, no Stokes shift.

    walls: "barrier" of the middle of the recorded range, or "hard".
    """
    host = material("CsPbBr3", parameter_set=parameter_set)
    return host.gap_ev + float(_plate(parameter_set, monolayers, walls).energy_ev)


def _levels_mev(parameter_set: str, monolayers: int, short_range_mev: float) -> np.ndarray:
    """Bright levels x, y, z above the dark one: (C + w_LT N_i pi aB^3) X/(pi aB^3), N = 0, 0, 1 for a plate.

    short_range_mev: C/(pi aB^3) of the bulk.
    """
    host = material("CsPbBr3", parameter_set=parameter_set)
    plate = _plate(parameter_set, monolayers)
    # X of the plate refers to the aB of its heavier mass
    density = float(plate.exchange_x) * (host.bohr_radius_nm / float(plate.bohr_radius_nm)) ** 3
    lt = 1e3 * host.value("lt_splitting").number
    return density * (short_range_mev + lt * np.array([0.0, 0.0, 1.0]))


def implied_bulk_mev(parameter_set: str, monolayers: int, splitting_mev: float) -> Computed:
    """Short-range splitting C/(pi aB^3) of the bulk if a platelet's bright-dark splitting is C X/(pi aB^3).

    The in-plane bright levels have no long-range part in a plate that is wide against the exciton.
    """
    per_bulk = _levels_mev(parameter_set, monolayers, 1.0)[0]
    return Computed(
        splitting_mev / float(per_bulk), f"density of contact {per_bulk:.1f} times that of the bulk"
    )


def bright_splitting_mev(parameter_set: str, monolayers: int) -> float:
    """Out-of-plane less in-plane bright level from the long-range exchange alone."""
    levels = _levels_mev(parameter_set, monolayers, 0.0)
    return float(levels[2] - levels[0])
