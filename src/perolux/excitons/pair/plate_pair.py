"""The correlated electron-hole pair in an infinite plate with hard walls and image charges, at any thickness.

Psi = chi(z_e) chi(z_h) sum c r^s exp(-a r) u^2n Z^2m with u = z_e - z_h, Z = (z_e + z_h)/2, r^2 = rho^2 +
u^2: the function of the cuboid solver with two edges that are infinite, where the centre of mass rests.
Energies in Ry, lengths in aB:

    H = -(lap_e + lap_h)/2 - 2 sum_n q^|n|/sqrt(rho^2 + (z_e - (-1)^n z_h + n d)^2) + Sigma(z_e) + Sigma(z_h)
    Sigma(z) = sum_{n != 0} q^|n|/|z - (-1)^n z + n d|,   q = (eps_in - eps_out)/(eps_in + eps_out)

The images act on the pair itself, not as a first-order shift. Integrals over (r, u, Z), where the volume
element r dr du dZ removes the singularity 1/r.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from perolux.errors import ModelRangeError, OptionError
from perolux.excitons.pair._dense import lowest_states
from perolux.excitons.pair._variation import Array, box_wall, gauss_unit, minimise
from perolux.threads import one_thread

__all__ = ["PLATE_RANGE", "PlateLevels", "PlateState", "free_pair_rydberg", "image_sum"]
__all__ += ["solve_plate", "solve_plate_levels"]

PLATE_RANGE = (1e-3, 15.0)
"""Thicknesses over aB for which basis and quadrature are tested."""
CONTRAST_RANGE = (-0.5, 0.95)
"""Contrasts q for which the sum over images is carried to its end."""


@dataclass(frozen=True)
class PlateState:
    """The ground pair of a plate, energies in Ry and lengths in aB.

    energy: from the bulk gap, with confinement and self-energies; free: the same of an unbound pair at the
    band edges of the plate; binding = free - energy. self_energy, image: expectation values. radius: root
    mean square of the in-plane distance. contact: |int Psi(r, r) dz|^2 in 1/aB^2, K over the area; 8/pi
    for the two-dimensional hydrogen atom. exchange_x: pi aB^3 int |Psi(r, r)|^2 dz, 1 in the bulk. error:
    energy change by the last functions and by a coarser quadrature.
    """

    thickness: float
    contrast: float
    energy: float
    free: float
    self_energy: float
    image: float
    radius: float
    contact: float
    exchange_x: float
    error: float
    exponent: float
    wall: float

    @property
    def binding(self) -> float:
        """Binding energy against a free pair in the same plate, in Ry."""
        return self.free - self.energy


@dataclass(frozen=True)
class _Grid:
    """Quadrature points and what does not depend on the exponent."""

    r: Array
    u: Array
    middle: Array
    weight: Array
    direct: Array
    image: Array
    self_energy: Array


def solve_plate(
    thickness_over_bohr: float,
    contrast: float = 0.0,
    *,
    order: int = 6,
    exponent: float | None = None,
    wall: float | None = None,
) -> PlateState:
    """Ground pair of a plate; see the module for Psi and H.

    thickness_over_bohr: d/aB within `PLATE_RANGE`. contrast: q within `CONTRAST_RANGE`; 0 without mismatch.
    order: highest power s of r; n + m up to half of it. Equal masses. The energy is an upper bound.
    Contact and X converge to 0.2 %, below 0.3 aB to 1 %.
    Raises `ModelRangeError` outside the tested ranges, `OptionError` for an order that cannot be used.
    Exact limits: d -> 0 without mismatch 4 Ry of binding; d -> infinity 1 Ry and E = -1 + pi^2/(4 d^2).

    >>> round(solve_plate(0.001).binding, 2), round(solve_plate(0.8, 0.5).binding, 1)
    (3.99, 5.2)
    """
    d, q = float(thickness_over_bohr), float(contrast)
    if not (PLATE_RANGE[0] <= d <= PLATE_RANGE[1]):
        raise ModelRangeError(
            "the solver is not tested for this thickness",
            where=f"plate of {d:g} aB",
            allowed=f"{PLATE_RANGE[0]:g} to {PLATE_RANGE[1]:g} Bohr radii",
        )
    if not (CONTRAST_RANGE[0] <= q <= CONTRAST_RANGE[1]):
        raise ModelRangeError(
            f"dielectric contrast {q:g}",
            where=f"plate of {d:g} aB",
            allowed=f"{CONTRAST_RANGE[0]:g} to {CONTRAST_RANGE[1]:g}",
        )
    if order not in range(2, 11):
        raise OptionError(f"order {order} cannot be used", allowed="2 to 10")
    with one_thread():
        return _solve(d, q, order, exponent, wall)


@dataclass(frozen=True)
class PlateLevels:
    """The lowest levels of the pair in a plate: binding against a free pair (Ry), contact (1/aB^2)."""

    binding: Array
    contact: Array


def solve_plate_levels(thickness_over_bohr: float, contrast: float = 0.0, count: int = 3) -> PlateLevels:
    """The lowest levels of even symmetry: 1s, 2s, 3s in a thin plate; in a thick one also the centre of mass.

    As `solve_plate`, each level with an exponent of its own size (0.6 and 0.33 of the ground state's). The
    adiabatic radial equation holds 2s and 3s less by at most 2 % up to 2 aB; contacts over that of 1s agree
    to 2 %. Two-dimensional limit: binding 4/(2n - 1)^2 Ry, contact (8/pi)/(2n - 1)^3.

    >>> solve_plate_levels(0.01).binding.round(1).tolist()
    [3.9, 0.4, 0.2]
    """
    if count not in (1, 2, 3):
        raise OptionError(f"{count} levels", where="solve_plate_levels", allowed="1, 2, 3")
    ground = solve_plate(thickness_over_bohr, contrast)
    d, q = ground.thickness, ground.contrast
    binding, contact = [ground.binding], [ground.contact]
    with one_thread():
        grid = _grid(d, q, 10)
        for level, (order, part) in enumerate(((8, 0.6), (10, 0.33))[: count - 1], start=1):
            hamiltonian, overlap, _, _ = _matrices(
                grid, d, part * ground.exponent, ground.wall, _powers(order)
            )
            energies, vectors = lowest_states(hamiltonian, overlap, level + 1)
            binding.append(ground.free - float(energies[level]))
            contact.append(_contact(d, ground.wall, _powers(order), vectors[:, level])[0])
    return PlateLevels(np.array(binding), np.array(contact))


def _lowest(hamiltonian: Array, overlap: Array) -> tuple[float, Array]:
    energies, vectors = lowest_states(hamiltonian, overlap)
    return float(energies[0]), vectors[:, 0]


def _solve(d: float, q: float, order: int, exponent: float | None, wall: float | None) -> PlateState:
    grid = _grid(d, q, 10)
    if exponent is None or wall is None:

        def energy(a: float, b: float) -> float:
            return _lowest(*_matrices(grid, d, a, b, _powers(2))[:2])[0]

        exponent, wall = minimise(energy, (1.0 + 1.0 / (1.0 + d), 0.3 / (d + 1.0)), f"plate of {d:g} aB")
    hamiltonian, overlap, functions, measure = _matrices(grid, d, exponent, wall, _powers(order))
    value, vector = _lowest(hamiltonian, overlap)
    smaller = _lowest(*_matrices(grid, d, exponent, wall, _powers(order - 1))[:2])[0]
    other = _lowest(*_matrices(_grid(d, q, 8), d, exponent, wall, _powers(order - 1))[:2])[0]
    psi2 = (functions @ vector) ** 2 * measure
    contact, exchange = _contact(d, wall, _powers(order), vector)
    return PlateState(
        d,
        q,
        value,
        free_pair_rydberg(d, q),
        float(psi2 @ grid.self_energy),
        float(psi2 @ grid.image),
        math.sqrt(float(psi2 @ (grid.r**2 - grid.u**2))),
        contact,
        exchange,
        abs(smaller - value) + abs(other - smaller),
        exponent,
        wall,
    )


@lru_cache(maxsize=16)
def _powers(order: int) -> tuple[tuple[int, int, int], ...]:
    """(s, 2n, 2m) of all functions: s up to the order, n + m up to half of it."""
    return tuple(
        (s, 2 * n, 2 * m)
        for s in range(order + 1)
        for n in range(order // 2 + 1)
        for m in range(order // 2 + 1 - n)
        if s + 2 * n + 2 * m <= order + 2
    )


def _grid(d: float, q: float, points: int) -> _Grid:
    node, weight = gauss_unit(points)
    # intervals that double: the pair has structure at d, at aB and, under images, at d eps_in/eps_out
    start = min(d, 0.5)
    edges = [0.0, *(start * 2.0**k for k in range(60) if start * 2.0**k < 40.0), 40.0]
    edges = sorted({*edges, d})
    edges = [edges[0], *(b for a, b in itertools.pairwise(edges) if b - a > 1e-12)]
    r = np.concatenate([a + (b - a) * node for a, b in itertools.pairwise(edges)])
    r_weight = np.concatenate([(b - a) * weight for a, b in itertools.pairwise(edges)])
    reach = np.minimum(r, d)[:, None, None]
    u = reach * node[None, :, None]
    middle = 0.5 * (d - u) * node[None, None, :]
    full = np.ones((r.size, points, points))
    volume = 8.0 * math.pi * r[:, None, None] * reach * 0.5 * (d - u)
    volume = volume * r_weight[:, None, None] * weight[None, :, None] * weight[None, None, :]
    distance = r[:, None, None] * full
    rho2 = np.maximum(distance**2 - u**2, 0.0)
    image = image_sum(rho2, u * full, 2.0 * middle, d, q)
    own = _self_energy(middle + 0.5 * u, d, q) + _self_energy(middle - 0.5 * u, d, q)
    flat = [
        x.ravel() for x in (distance, u * full, middle * full, volume, -2.0 / distance, image, own * full)
    ]
    return _Grid(*flat)


def _images(q: float) -> range:
    """1 .. the last image that counts: beyond, they add up to less than 1e-8 of the first."""
    if q == 0.0:
        return range(0)
    return range(1, min(600, 4 + math.ceil(math.log(1e-8 * (1.0 - abs(q))) / math.log(abs(q)))))


def image_sum(rho2: Array, u: Array, sum_z: Array, d: float, q: float) -> Array:
    """-2 sum_{n != 0} q^|n|/sqrt(rho^2 + (z_e - (-1)^n z_h + n d)^2) in Ry; sum_z = z_e + z_h."""
    total = np.zeros(np.broadcast_shapes(rho2.shape, u.shape, sum_z.shape))
    for n in _images(q):
        along = sum_z if n % 2 else u
        total += q**n * (
            1.0 / np.sqrt(rho2 + (along + n * d) ** 2) + 1.0 / np.sqrt(rho2 + (along - n * d) ** 2)
        )
    return -2.0 * total


def _self_energy(z: Array, d: float, q: float) -> Array:
    """Sigma(z) of one carrier in Ry."""
    total = np.zeros_like(z)
    for n in _images(q):
        if n % 2:
            total += q**n * (1.0 / np.abs(2.0 * z + n * d) + 1.0 / np.abs(2.0 * z - n * d))
    even = -math.log1p(-q * q) / d if q else 0.0
    return total + even


@lru_cache(maxsize=4096)
def free_pair_rydberg(d: float, q: float) -> float:
    """Energy of an unbound pair at the band edges of the plate: both lowest states in Sigma(z), in Ry."""
    node, weight = gauss_unit(48)
    z = 0.5 * d * node
    wave = np.cos(math.pi * np.arange(1, 24, 2)[:, None] * z / d) * math.sqrt(2.0 / d)
    potential = (wave * (weight * d * _self_energy(z, d, q))) @ wave.T
    kinetic = 0.5 * (math.pi * np.arange(1, 24, 2) / d) ** 2
    return 2.0 * float(np.linalg.eigvalsh(np.diag(kinetic) + potential)[0])


def _matrices(
    grid: _Grid, d: float, a: float, wall: float, powers: tuple[tuple[int, int, int], ...]
) -> tuple[Array, Array, Array, Array]:
    """Hamiltonian, overlap, the functions at the points without the walls, and the measure with them."""
    curvature = 1.0 - wall * d * d
    electron, electron_bend = box_wall((grid.middle + 0.5 * grid.u) / d, curvature)
    hole, hole_bend = box_wall((grid.middle - 0.5 * grid.u) / d, curvature)
    square = grid.weight * electron**2 * hole**2
    # -chi''/chi of both, written so that it stays finite at the walls
    bend = 0.5 / d**2 * grid.weight * electron * hole * (electron_bend * hole + hole_bend * electron)
    s, n, m = (np.array(column) for column in zip(*powers, strict=True))
    r, u, z = grid.r[:, None], grid.u[:, None], grid.middle[:, None]
    scale_u, scale_z = u / d, 2.0 * z / d
    g = r**s * np.exp(-a * r) * scale_u**n * scale_z**m
    slope = (s / r - a) * g
    rho = np.sqrt(np.maximum(grid.r**2 - grid.u**2, 0.0))[:, None]
    parts = (rho / r * slope, u / r * slope + n / u * g, 0.5 * m / z * g)
    weight = square[:, None]
    hamiltonian = sum(part.T @ (weight * part) for part in parts)
    potential = (bend + square * (grid.direct + grid.image + grid.self_energy))[:, None]
    hamiltonian = hamiltonian + g.T @ (potential * g)
    return hamiltonian, g.T @ (weight * g), g, square


def _contact(
    d: float, wall: float, powers: tuple[tuple[int, int, int], ...], vector: Array
) -> tuple[float, float]:
    """|int Psi(r, r) dz|^2 and pi int |Psi(r, r)|^2 dz: s = 0 and n = 0 survive where electron meets hole."""
    node, weight = gauss_unit(48)
    chi, _ = box_wall(0.5 * node, 1.0 - wall * d * d)
    psi = sum(c * node**m for (s, n, m), c in zip(powers, vector, strict=True) if s == 0 and n == 0) * chi**2
    return (d * float(weight @ psi)) ** 2, math.pi * d * float(weight @ psi**2)
