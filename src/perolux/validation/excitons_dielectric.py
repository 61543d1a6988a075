"""Functions of the rows in `excitons_dielectric.toml`: image charges against series and limits."""

from __future__ import annotations

import math

import numpy as np

from perolux.excitons.pair import _boundary as surface
from perolux.excitons.pair.dielectric import dielectric_shift_ev, plate_self_energy_ev, sphere_coefficients
from perolux.excitons.pair.plate_pair import solve_plate
from perolux.quantities.constants import COULOMB_EV_NM

__all__ = [
    "bem_sphere_error",
    "cube_mesh_change_mev",
    "plate_against_pair",
    "sphere_image_coefficient",
    "sphere_total_error",
    "uncancelled_share",
]


def _moments(top: int) -> np.ndarray:
    node, weight = np.polynomial.legendre.leggauss(800)
    density = weight * np.sin(0.5 * math.pi * (node + 1.0)) ** 2
    return np.array([density @ (0.5 * (node + 1.0)) ** (2 * n) for n in range(top + 1)])


def sphere_image_coefficient(eps_ratio: float) -> float:
    """Image interaction of an uncorrelated pair in a sphere, in units -e^2/(4 pi eps0 eps_in R)."""
    shift = dielectric_shift_ev("sphere", (2.0, 2.0, 2.0), eps_ratio, 1.0)
    return -float(shift.image_interaction_ev) * eps_ratio / COULOMB_EV_NM


def sphere_total_error(eps_ratio: float) -> float:
    """Relative difference of the uncorrelated total from sum_{n>=1} alpha_n <r^2n>, 400 terms."""
    shift = dielectric_shift_ev("sphere", (2.0, 2.0, 2.0), eps_ratio, 1.0)
    series = sphere_coefficients(eps_ratio, 400)[1:] @ _moments(400)[1:]
    return float(shift.total_ev) * eps_ratio / COULOMB_EV_NM / float(series) - 1.0


def bem_sphere_error(eps_ratio: float, divisions: int) -> float:
    """Relative difference of the self-energies of boundary elements on a sphere from the multipole series."""
    contrast = (eps_ratio - 1.0) / (eps_ratio + 1.0)
    ball = (1.0, 1.0, 1.0)
    octant, density = surface.ball_octant(ball, divisions), surface.ball_density(ball, 12)
    own, _ = surface.image_means(octant, *density, np.array([contrast]))
    return float(own[0] * contrast / (sphere_coefficients(eps_ratio, 400) @ _moments(400))) - 1.0


def cube_mesh_change_mev(edge_nm: float, eps_inside: float, eps_outside: float) -> float:
    """Change of the self-energies of a cube when the mesh of 6 is replaced by one of 12 divisions."""
    contrast = (eps_inside - eps_outside) / (eps_inside + eps_outside)
    unit, found = (1.0, 1.0, 1.0), []
    for divisions in (6, 12):
        octant = surface.box_octant(unit, divisions)
        own, _ = surface.image_means(octant, *surface.box_density(unit, 8), np.array([contrast, 0.0]))
        # the first bounce is taken exactly in the tables
        found.append(own[0] - own[1])
    return 1e3 * COULOMB_EV_NM / (eps_inside * edge_nm) * contrast * float(found[1] - found[0])


def plate_against_pair(thickness_over_bohr: float, contrast: float) -> float:
    """First-order self-energies of a plate over those of the solved pair."""
    ratio = (1.0 + contrast) / (1.0 - contrast)
    first = float(plate_self_energy_ev(thickness_over_bohr, ratio, 1.0)) * 2.0 * ratio / COULOMB_EV_NM
    return first / solve_plate(thickness_over_bohr, contrast).self_energy


def uncancelled_share(shape: str, size_over_bohr: float) -> float:
    """Total shift over the self-energies of a correlated pair, eps_in/eps_out = 7.3/2.2; edge or diameter."""
    shift = dielectric_shift_ev(shape, (size_over_bohr,) * 3, 7.3, 2.2, bohr_radius_nm=1.0)
    return float(shift.total_ev / shift.self_energy_ev)
