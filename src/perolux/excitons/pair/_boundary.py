"""Charges that a dielectric surface puts on itself: boundary elements on the flat triangles of one octant.

A charge q inside a body of permittivity eps_in in a medium eps_out leaves on the surface the charge

    sigma = lambda/(2 pi) (E_q + E_sigma),   lambda = (eps_in - eps_out)/(eps_in + eps_out),

with E the normal component of the field of q/eps_in and of sigma itself. Integrated over each triangle i this
is a balance of fluxes, and the flux through a flat triangle is a solid angle in closed form:

    Q_i = lambda/(2 pi) (Omega_i(q)/eps_in + sum_j Omega_i(centre of j) Q_j).

The angles of a closed surface add up to 4 pi inside and 2 pi on it, so the total charge (eps_in/eps_out - 1)
q/eps_in is exact on any mesh. The body is symmetric under x -> -x, y -> -y and z -> -z: charges are
split into eight classes of signs, each of which needs one octant only.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from perolux.excitons.pair._variation import Array, gauss_unit

__all__ = [
    "Octant",
    "ball_density",
    "ball_octant",
    "box_density",
    "box_octant",
    "first_bounce",
    "image_means",
    "rod_density",
    "rod_octant",
]

_SIGNS = np.array(list(itertools.product((1.0, -1.0), repeat=3)))
_CHARACTERS = np.stack(
    [
        np.prod(np.where(np.array(odd), _SIGNS, 1.0), axis=1)
        for odd in itertools.product((False, True), repeat=3)
    ]
)
"""Sign of each reflection (column) in each class (row)."""


def solid_angle(points: Array, triangles: Array) -> Array:
    """Solid angles [point, triangle], positive where the point lies on the inner side.

    tan(Omega/2) = a.(b x c)/(abc + (a.b)c + (b.c)a + (c.a)b)  (Van Oosterom and Strackee).
    """
    a, b, c = (triangles[None, :, k] - points[:, None] for k in range(3))
    la, lb, lc = (np.sqrt(np.einsum("ijk,ijk->ij", v, v)) for v in (a, b, c))
    ab, bc, ca = (np.einsum("ijk,ijk->ij", *pair) for pair in ((a, b), (b, c), (c, a)))
    triple = np.einsum("ijk,ijk->ij", a, np.cross(b, c))
    product = la * lb * lc
    angle = 2.0 * np.arctan2(triple, product + ab * lc + bc * la + ca * lb)
    # a point of the plane itself sends no flux through it, though the formula would give +-2 pi inside
    return np.where(np.abs(triple) > 1e-10 * product, angle, 0.0)


def potential(points: Array, triangles: Array) -> Array:
    """Mean of 1/distance over each triangle, [point, triangle]: sum of logarithms over edges - |h| Omega."""
    normal = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    double_area = np.linalg.norm(normal, axis=1)
    normal = normal / double_area[:, None]
    height = np.einsum("ijk,jk->ij", triangles[None, :, 0] - points[:, None], normal)
    total = -np.abs(height) * np.abs(solid_angle(points, triangles))
    for k in range(3):
        start, end = triangles[:, k], triangles[:, (k + 1) % 3]
        edge = end - start
        length = np.linalg.norm(edge, axis=1)
        along = edge / length[:, None]
        outward = np.cross(along, normal)
        from_point = start[None] - points[:, None]
        distance = np.einsum("ijk,jk->ij", from_point, outward)
        left = np.einsum("ijk,jk->ij", from_point, along)
        near = np.sqrt(np.einsum("ijk,ijk->ij", from_point, from_point))
        far = np.sqrt(near**2 + 2.0 * left * length + length**2)
        # ln((far + right)/(near + left)) in a form that has no cancellation on the line of the edge
        total += distance * np.log((near + far + length) / np.maximum(near + far - length, 1e-300))
    return np.asarray(total / (0.5 * double_area))


@dataclass(frozen=True)
class Octant:
    """Triangles [number, corner, xyz] of the surface in the positive octant, anticlockwise from outside."""

    triangles: Array

    @cached_property
    def _copies(self) -> list[Array]:
        """The triangles under each reflection; an odd one turns their sense around."""
        turned = self.triangles[:, [0, 2, 1]]
        return [(self.triangles if np.prod(signs) > 0 else turned) * signs for signs in _SIGNS]

    @property
    def volume(self) -> float:
        """Volume of the whole body inside the triangles."""
        a, b, c = (self.triangles[:, k] for k in range(3))
        return float(8.0 * np.einsum("ij,ij->", a, np.cross(b, c)) / 6.0)

    def fluxes(self, points: Array) -> Array:
        """[class, triangle, point]: solid angles summed over the reflections with the signs of each class."""
        copies = np.stack([solid_angle(points, copy) for copy in self._copies])
        return np.einsum("pg,gki->pik", _CHARACTERS, copies, optimize=True)

    def potentials(self, points: Array) -> Array:
        """[class, triangle, point]: mean inverse distances, summed like the fluxes."""
        copies = np.stack([potential(points, copy) for copy in self._copies])
        return np.einsum("pg,gki->pik", _CHARACTERS, copies, optimize=True)

    @cached_property
    def interaction(self) -> Array:
        """[class, i, j]: flux of a charge on triangle j through triangle i."""
        return self.fluxes(self.triangles.mean(axis=1))


def image_means(octant: Octant, points: Array, weights: Array, contrasts: Array) -> tuple[Array, Array]:
    """<G(r, r)>/lambda and <<G(r, r')>>/lambda over a density, per contrast; in 1/length, times eps_in.

    G(r, r') is the potential at r of the surface charge that a unit charge at r' induces. points, weights:
    quadrature of the density in the positive octant, weights adding up to 1 (the other octants are alike).
    """
    fluxes, potentials = octant.fluxes(points), octant.potentials(points)
    own, mutual = np.zeros(len(contrasts)), np.zeros(len(contrasts))
    unit = np.eye(octant.triangles.shape[0])
    for k, contrast in enumerate(contrasts):
        for p in range(len(_CHARACTERS)):
            system = unit - contrast / (2.0 * math.pi) * octant.interaction[p]
            charge = np.linalg.solve(system, fluxes[p]) / (2.0 * math.pi)
            own[k] += 0.125 * float((potentials[p] * charge).sum(axis=0) @ weights)
            if p == 0:  # only the fully even class survives the mean over a symmetric density
                mutual[k] += 0.125 * float((potentials[p] @ weights) @ (charge @ weights))
    return own, mutual


def first_bounce(edges: tuple[float, float, float], points: Array, weights: Array) -> float:
    """<G(r, r)>/lambda of a cuboid for lambda -> 0, exactly: each wall acts as if it were alone.

    (1/2 pi) int h/(x^2 + y^2 + h^2)^2 dx dy over each face seen from the distance h.
    """
    half = 0.5 * np.array(edges)
    total = np.zeros(len(points))
    for axis, sign in itertools.product(range(3), (1.0, -1.0)):
        height = half[axis] - sign * points[:, axis]
        sides = [(half[k] - side * points[:, k]) for k in range(3) if k != axis for side in (1.0, -1.0)]
        for a, b in itertools.product(sides[:2], sides[2:]):
            wide, deep = np.hypot(a, height), np.hypot(b, height)
            total += (a / wide * np.arctan(b / wide) + b / deep * np.arctan(a / deep)) / (2.0 * height)
    return float(weights @ total / (2.0 * math.pi))


def box_octant(edges: tuple[float, float, float], number: int) -> Octant:
    """Octant of a cuboid centred at the origin: `number` divisions of the shortest half edge, finer at edges.

    Longer edges get more, so that opposite faces see one another resolved, up to three times `number`.
    """
    # sin spacing: the surface charge is singular, though integrable, at the edges
    counts = [min(3 * number, math.ceil(number * (edge / min(edges)) ** 0.7 - 1e-9)) for edge in edges]
    fraction = [np.sin(0.5 * math.pi * np.linspace(0.0, 1.0, count + 1)) for count in counts]
    half = 0.5 * np.array(edges)
    panels = []
    for axis in range(3):
        one, two = (axis + 1) % 3, (axis + 2) % 3
        grid = np.zeros((counts[one] + 1, counts[two] + 1, 3))
        grid[..., axis] = half[axis]
        grid[..., one] = half[one] * fraction[one][:, None]
        grid[..., two] = half[two] * fraction[two][None, :]
        panels.append(_split(grid))
    return Octant(np.concatenate(panels))


def ball_octant(radii: tuple[float, float, float], number: int) -> Octant:
    """Octant of an ellipsoid, its corners pushed out until the flat triangles enclose the right volume."""
    corners = [(i, j, number - i - j) for i in range(number + 1) for j in range(number + 1 - i)]
    position = {key: np.array(key, dtype=float) / math.hypot(*key) for key in corners}
    triangles = []
    for i, j, k in corners:
        if k > 0:
            triangles.append([position[i, j, k], position[i + 1, j, k - 1], position[i, j + 1, k - 1]])
        if k > 0 and i > 0 and (i - 1, j + 1, k) in position:
            triangles.append([position[i, j, k], position[i, j + 1, k - 1], position[i - 1, j + 1, k]])
    surface = Octant(np.array(triangles))
    scale = (4.0 * math.pi / 3.0 / surface.volume) ** (1.0 / 3.0)
    return Octant(scale * surface.triangles * np.array(radii))


def rod_octant(diameter: float, length: float, number: int) -> Octant:
    """Octant of a flat-ended cylinder along z, its corners pushed out to the right cross-section."""
    angle = 0.5 * math.pi * np.linspace(0.0, 1.0, number + 1)
    radius = 0.5 * diameter * math.sqrt(0.5 * math.pi / (number * math.sin(0.5 * math.pi / number)))
    fraction = np.sin(angle)
    longer = min(3 * number, math.ceil(number * max(1.0, length / diameter) ** 0.7 - 1e-9))
    side = np.zeros((number + 1, longer + 1, 3))
    side[..., 0] = radius * np.cos(angle)[:, None]
    side[..., 1] = radius * np.sin(angle)[:, None]
    side[..., 2] = 0.5 * length * np.sin(0.5 * math.pi * np.linspace(0.0, 1.0, longer + 1))[None, :]
    cap = np.zeros((number + 1, number + 1, 3))
    cap[..., 0] = radius * fraction[:, None] * np.cos(angle)[None, :]
    cap[..., 1] = radius * fraction[:, None] * np.sin(angle)[None, :]
    cap[..., 2] = 0.5 * length
    panels = np.concatenate([_split(side), _split(cap)])
    area = np.linalg.norm(np.cross(panels[:, 1] - panels[:, 0], panels[:, 2] - panels[:, 0]), axis=1)
    return Octant(panels[area > 1e-12 * diameter * length])


def _split(grid: Array) -> Array:
    """Two triangles of each cell of a grid of corners [i, j, xyz]."""
    a, b, c, d = grid[:-1, :-1], grid[1:, :-1], grid[1:, 1:], grid[:-1, 1:]
    lower = np.stack([a, b, c], axis=2).reshape(-1, 3, 3)
    upper = np.stack([a, c, d], axis=2).reshape(-1, 3, 3)
    return np.concatenate([lower, upper])


def box_density(edges: tuple[float, float, float], points: int) -> tuple[Array, Array]:
    """Quadrature of prod 2 cos^2(pi x/L)/L in the positive octant of a cuboid."""
    node, weight = gauss_unit(points)
    line = 2.0 * weight * np.cos(0.5 * math.pi * node) ** 2
    grid = np.stack(np.meshgrid(*(0.5 * edge * node for edge in edges), indexing="ij"), axis=-1)
    return grid.reshape(-1, 3), np.einsum("i,j,k->ijk", line, line, line).ravel()


def ball_density(radii: tuple[float, float, float], points: int) -> tuple[Array, Array]:
    """Quadrature of sin^2(pi s)/s^2, s the radius in coordinates in which the ellipsoid is a unit ball."""
    node, weight = gauss_unit(points)
    angle, angle_weight = gauss_unit(max(6, points // 2))
    azimuth = 0.5 * math.pi * angle
    s, z, phi = np.meshgrid(node, angle, azimuth, indexing="ij")
    flat = np.sqrt(1.0 - z**2)
    grid = np.stack([s * flat * np.cos(phi), s * flat * np.sin(phi), s * z], axis=-1) * np.array(radii)
    radial = 2.0 * weight * np.sin(math.pi * node) ** 2
    return grid.reshape(-1, 3), np.einsum("i,j,k->ijk", radial, angle_weight, angle_weight).ravel()


def rod_density(diameter: float, length: float, points: int) -> tuple[Array, Array]:
    """Quadrature of J0^2(2.405 rho/R) cos^2(pi z/L), normalised, in the positive octant of a cylinder."""
    from scipy.special import j0, jn_zeros

    node, weight = gauss_unit(points)
    angle, angle_weight = gauss_unit(max(6, points // 2))
    azimuth = 0.5 * math.pi * angle
    rho, phi, z = np.meshgrid(0.5 * diameter * node, azimuth, 0.5 * length * node, indexing="ij")
    radial = weight * node * j0(jn_zeros(0, 1)[0] * node) ** 2
    axial = 2.0 * weight * np.cos(0.5 * math.pi * node) ** 2
    grid = np.stack([rho * np.cos(phi), rho * np.sin(phi), z], axis=-1).reshape(-1, 3)
    return grid, np.einsum("i,j,k->ijk", radial / radial.sum(), angle_weight, axial).ravel()
