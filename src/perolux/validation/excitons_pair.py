"""Functions of the rows in `excitons_pair.toml`: the pair solvers beyond the ground state of equal masses.

Energies are counted from the bulk gap, in exciton Rydberg; sizes are the radius of a sphere or the edge of a
cube in exciton Bohr radii.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from perolux.excitons.pair.centre_of_mass import centre_of_mass_ladder, cuboid_ladder
from perolux.excitons.pair.cube import solve_cube, solve_cube_levels, solve_cuboid
from perolux.excitons.pair.product_sines import solve_by_product_sines, solve_levels_by_product_sines
from perolux.excitons.pair.screening import Screening, bulk_s_states, haken
from perolux.excitons.pair.sphere import solve_sphere, solve_sphere_levels
from perolux.excitons.pair.sphere_products import solve_by_sphere_products
from perolux.excitons.pair.state import ExcitonLevels
from perolux.excitons.pair.transitions import transitions
from perolux.validation.excitons import solved
from perolux.validation.rows import read_table
from perolux.validation.run import Computed

__all__ = [
    "cuboid_ladder_error",
    "cuboid_over_cube",
    "haken_attraction",
    "haken_bulk_from_spheres",
    "heavy_hole_limit",
    "image_constant",
    "image_shift_by_products",
    "ladder_energy_ratio",
    "level",
    "level_by_product_sines",
    "level_by_sphere_products",
    "mass_ratio_by_product_sines",
    "matched_sphere",
    "plate_binding",
    "transition_error",
    "worst_deviation",
    "worst_own_error",
]

_TABLES = {
    "sphere": ("exciton_hard_sphere_benchmark.csv", "R_over_aB", "E_over_Ry", "overlap2_K"),
    "cube": ("exciton_hard_cube_benchmark.csv", "L_over_aB", "E_over_Ry", "overlap_K"),
}
# A perovskite-like case in units of its own effective eps of 9: eps_0 24.1, eps_inf 4.5, hbar w_LO = 0.6 Ry.
_CASE = {"eps_static": 24.1, "eps_optical": 4.5, "eps_of_unit": 9.0, "phonon_over_rydberg": 0.6}


@cache
def _levels(shape: str, size_over_bohr: float) -> ExcitonLevels:
    if shape == "sphere":
        return solve_sphere_levels(size_over_bohr, 6)
    return solve_cube_levels(size_over_bohr, 4, order=12)


def worst_own_error(shape: str, quantity: str) -> Computed:
    """Largest own error estimate over the sizes of the reference table: E in Ry, K and X relative."""
    file, key, *_ = _TABLES[shape]
    sizes = [float(row[key]) for row in read_table(file)]
    errors = [solved(shape, size, f"estimated_error_{quantity}") for size in sizes]
    return Computed(max(errors), f"worst at size {sizes[int(np.argmax(errors))]:g}")


def worst_deviation(shape: str, quantity: str) -> Computed:
    """Largest deviation from the reference table: E in Ry, K relative."""
    file, key, energy, overlap = _TABLES[shape]
    worst, where = 0.0, 0.0
    for row in read_table(file):
        size = float(row[key])
        if quantity == "energy":
            found = abs(solved(shape, size, "energy_over_rydberg") - float(row[energy]))
        else:
            found = abs(solved(shape, size, "overlap_k") / float(row[overlap]) - 1.0)
        if found > worst:
            worst, where = found, size
    return Computed(worst, f"worst at size {where:g}")


def cuboid_over_cube(edge_over_bohr: float) -> float:
    """E of a cuboid of three edges that differ by 1e-7 less that of the cube, in Ry."""
    edges = (edge_over_bohr * (1 + 1e-7), edge_over_bohr, edge_over_bohr * (1 - 1e-7))
    cuboid = solve_cuboid(edges, order=6)
    return cuboid.energy_over_rydberg - solve_cube(edge_over_bohr, order=6).energy_over_rydberg


def plate_binding(thickness_over_bohr: float, edge_over_bohr: float) -> float:
    """Energy of the two subbands less that of the pair in a square plate, in Ry."""
    state = solve_cuboid((edge_over_bohr, edge_over_bohr, thickness_over_bohr))
    return math.pi**2 / thickness_over_bohr**2 - state.energy_over_rydberg


def heavy_hole_limit(radius_over_bohr: float) -> float:
    """E of a sphere for m_e/m_h -> 0: from 0.0025 and 0.01, linear in the square root of the ratio."""
    ratios = (0.0025, 0.01)
    light, heavy = (solve_sphere(radius_over_bohr, mass_ratio=r).energy_over_rydberg for r in ratios)
    one, two = (math.sqrt(r) for r in ratios)
    return light - (heavy - light) / (two - one) * one


def mass_ratio_by_product_sines(edge_over_bohr: float, mass_ratio: float) -> float:
    """E of a cube less that of extrapolated product sines with the same masses, in Ry."""
    counts = (4, 6, 8)
    energies = [solve_by_product_sines(edge_over_bohr, n, mass_ratio=mass_ratio)[0] for n in counts]
    found = solve_cube(edge_over_bohr, mass_ratio=mass_ratio, order=8).energy_over_rydberg
    return found - _limit(counts, energies, (3, 4))


def image_constant(dielectric_ratio: float) -> float:
    """x (E(ratio) - E(1))/2 for x -> 0, from three small spheres: the self-energy of one carrier in Ry/x."""
    sizes = np.array([0.02, 0.04, 0.08])
    shift = [
        0.5
        * x
        * (
            solve_sphere(float(x), dielectric_ratio=dielectric_ratio).energy_over_rydberg
            - solve_sphere(float(x)).energy_over_rydberg
        )
        for x in sizes
    ]
    return float(np.polyfit(sizes, shift, 2)[2])


def image_shift_by_products(radius_over_bohr: float, dielectric_ratio: float) -> float:
    """What the images change, solver less products of single-particle states (extrapolated), in Ry."""

    counts = (4, 6, 8)

    def products(n: int) -> float:
        with_images = solve_by_sphere_products(radius_over_bohr, n, n, dielectric_ratio=dielectric_ratio)
        return float(with_images[0][0] - solve_by_sphere_products(radius_over_bohr, n, n)[0][0])

    with_images = solve_sphere(radius_over_bohr, dielectric_ratio=dielectric_ratio)
    own = with_images.energy_over_rydberg - solve_sphere(radius_over_bohr).energy_over_rydberg
    return own - _limit(counts, [products(n) for n in counts], (3, 4))


def matched_sphere(radius_over_bohr: float) -> float:
    """E with a dielectric ratio of 1 + 1e-9 less E with 1: the image terms vanish with the contrast."""
    near = solve_sphere(radius_over_bohr, dielectric_ratio=1.0 + 1e-9)
    return near.energy_over_rydberg - solve_sphere(radius_over_bohr).energy_over_rydberg


def haken_attraction(distance_over_bohr: float) -> float:
    """eps_unit over the effective eps of the Haken attraction at a distance; eps_unit is 9."""
    return float(haken(**_CASE).attraction(np.array(distance_over_bohr)))


def haken_bulk_from_spheres() -> Computed:
    """Bulk binding of a Haken pair from spheres of 14 and 20 aB, less the radial solution, in Ry.

    E = -B + pi^2/(4 (x - d)^2), with B and d from the two sizes.
    """
    from scipy.optimize import brentq

    screening: Screening = haken(**_CASE)
    sizes = (14.0, 20.0)
    energies = [solve_sphere(size, screening=screening).energy_over_rydberg for size in sizes]

    def confined(layer: float) -> list[float]:
        return [math.pi**2 / (4.0 * (size - layer) ** 2) for size in sizes]

    def mismatch(layer: float) -> float:
        one, two = confined(layer)
        return (one - two) - (energies[0] - energies[1])

    layer = brentq(mismatch, -2.0, 4.0)
    binding = confined(layer)[1] - energies[1]
    return Computed(
        binding + bulk_s_states(screening)[0], f"binding {binding:.5f} Ry, dead layer {layer:.3f}"
    )


def level(shape: str, size_over_bohr: float, number: int, quantity: str) -> float:
    """A quantity of the `number`-th optically active level: a field of `ExcitonLevels`."""
    return float(getattr(_levels(shape, size_over_bohr), quantity)[number - 1])


def level_by_product_sines(edge_over_bohr: float, number: int) -> float:
    """E of an active level of a cube, correlated basis less extrapolated product sines, in Ry."""
    counts = (4, 6, 8)
    energies = [solve_levels_by_product_sines(edge_over_bohr, n, number)[0][number - 1] for n in counts]
    return level("cube", edge_over_bohr, number, "energy_over_rydberg") - _limit(counts, energies, (3, 4))


def level_by_sphere_products(radius_over_bohr: float, number: int) -> float:
    """E of an S state of a sphere, correlated basis less extrapolated products of orbitals, in Ry."""
    counts = (4, 6, 8)
    energies = [solve_by_sphere_products(radius_over_bohr, n, n, count=number)[0][number - 1] for n in counts]
    return level("sphere", radius_over_bohr, number, "energy_over_rydberg") - _limit(counts, energies, (3, 4))


def ladder_energy_ratio(shape: str, size_over_bohr: float, number: int) -> float:
    """(E + 1 Ry) of a bright level of the centre-of-mass ladder over that of the solver."""
    ladder = centre_of_mass_ladder(shape, size_over_bohr, 40)
    energies = ladder.energy_over_rydberg[ladder.overlap_k > 0.0]
    return float(
        (energies[number - 1] + 1.0) / (level(shape, size_over_bohr, number, "energy_over_rydberg") + 1.0)
    )


def cuboid_ladder_error(one: float, two: float, three: float) -> float:
    """E of the lowest level of a cuboid's ladder less that of the solver, in Ry."""
    found = cuboid_ladder((one, two, three), 1).energy_over_rydberg[0]
    return float(found) - solve_cuboid((one, two, three)).energy_over_rydberg


def transition_error(shape: str, quantity: str) -> Computed:
    """Largest deviation of the packaged curves from the solver, first four levels, at sizes beside the knots.

    Absolute in Ry for the energy, of the ground state's for K and X.
    """
    worst, where = 0.0, ""
    for size in (0.55, 1.83, 3.37, 6.9, 9.1):
        exact, found = _four_levels(shape, size), transitions(shape, size, 4)
        difference = np.abs(getattr(exact, quantity) - getattr(found, quantity))
        if quantity != "energy_over_rydberg":
            difference = difference / getattr(exact, quantity)[0]
        if difference.max() > worst:
            worst, where = float(difference.max()), f"size {size:g}, level {difference.argmax() + 1}"
    return Computed(worst, f"worst at {where}")


@cache
def _four_levels(shape: str, size: float) -> ExcitonLevels:
    """Shared by the rows of energy, K and X."""
    return (solve_sphere_levels if shape == "sphere" else solve_cube_levels)(size, 4)


def _limit(counts: tuple[int, ...], values: list[float], powers: tuple[int, ...]) -> float:
    """v of v + sum a_k n^-k through as many points as there are unknowns."""
    matrix = np.array([[1.0] + [float(n) ** -p for p in powers] for n in counts])
    return float(np.linalg.solve(matrix, np.array(values, dtype=np.float64))[0])
