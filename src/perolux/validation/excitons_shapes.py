"""Functions of the rows in `excitons_shapes.toml`: cuboids, rods, spheroids against solvers and limits."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from perolux.excitons.pair.box_transitions import box_transitions
from perolux.excitons.pair.cube import solve_cuboid
from perolux.excitons.pair.rod import BAR_OF_ROD, bar_state
from perolux.excitons.pair.shapes import pair_in, spheroid_kinetic
from perolux.excitons.pair.state import ExcitonState
from perolux.excitons.pair.transitions import transitions
from perolux.validation.run import Computed

__all__ = [
    "bar_excess",
    "box_line_error",
    "cuboid_interpolation_error",
    "rod_section_error",
    "spheroid_disc_kinetic",
    "spheroid_sphere_difference",
]


def cuboid_interpolation_error(quantity: str, number: int) -> Computed:
    """Largest difference of `pair_in` from the solver at random cuboids: Ry, or relative for K and X."""
    rng = np.random.default_rng(20)
    worst, where = 0.0, ""
    for _ in range(number):
        size, stretch, split = math.exp(rng.uniform(-1.0, 1.8)), rng.uniform(0.0, 2.19), rng.uniform()
        logs = np.array([0.0, split * stretch, stretch])
        one, two, three = (float(v) for v in size * np.exp(logs - logs.mean()))
        exact = getattr(_solved((one, two, three)), quantity)
        found = float(getattr(pair_in("cuboid", (one, two, three)), quantity))
        error = abs(found - exact) if quantity == "energy_over_rydberg" else abs(found / exact - 1.0)
        if error > worst:
            worst, where = error, f"worst at {one:.2f} x {two:.2f} x {three:.2f} aB"
    return Computed(worst, where)


@cache
def _solved(edges: tuple[float, float, float]) -> ExcitonState:
    """Shared by the rows of energy, K and X."""
    return solve_cuboid(edges, order=8)


def bar_excess(width_over_bohr: float, length_over_bohr: float) -> float:
    """Adiabatic square bar above the correlated cuboid, in Ry."""
    exact = solve_cuboid((width_over_bohr, width_over_bohr, length_over_bohr), order=8)
    bar = bar_state(width_over_bohr, length_over_bohr, "square", number=32)
    return bar.energy_over_rydberg - exact.energy_over_rydberg


def rod_section_error(diameter_over_bohr: float, length_over_bohr: float, quantity: str) -> float:
    """Cylinder less square bar of equal transverse energy, adiabatic: Ry, or relative for K and X."""
    rod = bar_state(diameter_over_bohr, length_over_bohr, "circle")
    bar = bar_state(BAR_OF_ROD * diameter_over_bohr, length_over_bohr, "square")
    one, two = float(getattr(rod, quantity)), float(getattr(bar, quantity))
    return one - two if quantity == "energy_over_rydberg" else one / two - 1.0


def spheroid_sphere_difference(diameter_over_bohr: float) -> float:
    """E/Ry of a spheroid of equal axes less that of the sphere."""
    lengths = (diameter_over_bohr,) * 3
    one, two = pair_in("spheroid", lengths), pair_in("sphere", lengths)
    return float(one.energy_over_rydberg) - float(two.energy_over_rydberg)


def spheroid_disc_kinetic(aspect: float) -> float:
    """k^2 A^2 of a flat spheroid over the adiabatic w^2 + 2 w + 2, w = pi/(2 aspect)."""
    steep = 0.5 * math.pi / aspect
    return float(spheroid_kinetic(aspect)) / (steep * steep + 2.0 * steep + 2.0)


def box_line_error(edge_over_bohr: float) -> Computed:
    """Largest deviation (%) of the steps to lines 2 to 4 of a box of equal edges from the cube's table."""
    steps = box_transitions((edge_over_bohr,) * 3).steps_rydberg[1:, 0]
    table = transitions("cube", edge_over_bohr, 4).energy_over_rydberg.ravel()
    errors = 100.0 * np.abs(steps / (table[1:] - table[0]) - 1.0)
    return Computed(float(errors.max()), f"line {2 + int(errors.argmax())}")
