"""The walk of `_pixel_kernels.py` in plain NumPy: all photons one leg at a time, from plane to plane.

The reference of the tests, with global coordinates in place of cells: no folding, no roulette, no mirrors.
"""

from __future__ import annotations

import numpy as np

from perolux.display import _pixel_kernels as kernels
from perolux.display.fresnel import FloatArray, internal_reflectance
from perolux.display.pixel_rays import PixelArray, Plate
from perolux.display.rays import Scatterers, optics_of
from perolux.display.slab import Slab

__all__ = ["pixel_ends_plain"]


def pixel_ends_plain(
    slab: Slab,
    shape: Plate | PixelArray,
    rays: int,
    rng: np.random.Generator,
    scatterers: Scatterers | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Shares of photons by end, in the order of `PixelLight`, and the map of converted light forward.

    The slab has air or another medium at both faces, and no mirrors; scattering is isotropic.
    """
    nm, optics = optics_of(slab, scatterers or Scatterers())
    grid, source = shape.grid(slab.index), len(nm)
    width = grid.spacing_um * (2 * grid.half + 1)
    place = np.zeros((rays, 3))
    place[:, :2] = 0.5 * width + grid.source_um * (rng.random((rays, 2)) - 0.5)
    way = np.tile([0.0, 0.0, 1.0], (rays, 1))
    row, ends = np.full(rays, source), np.full(rays, -1)
    faces = (slab.index / slab.bottom.outside_index, slab.index / slab.top.outside_index)
    ends[rng.random(rays) < internal_reflectance(1.0, faces[0])] = kernels.R_BLUE
    converted = np.zeros((shape.pixels, shape.pixels))
    while (now := np.flatnonzero(ends < 0)).size:
        p, u = place[now], way[now]
        own, host = optics.own[row[now]], optics.host[row[now]]
        total = own + host + optics.scatter[row[now]]
        left = rng.exponential(size=now.size) * grid.thickness_um / total
        step, axis = _next_plane(p, u, grid)
        event = left < step
        p += u * np.where(event, left, step)[:, None]
        which = np.arange(now.size)
        cosine, ahead = np.abs(u[which, axis]), u[which, axis] > 0.0
        # put what met a plane onto it, or rounding lets it slip through
        spacing = np.where(axis == 2, grid.thickness_um, grid.spacing_um)
        plane = np.rint(p[which, axis] / spacing)
        p[which, axis] = np.where(event, p[which, axis], plane * spacing)
        outer = (axis < 2) & ((plane == 0) | (plane == 2 * grid.half + 1))
        side = (
            np.full(now.size, grid.edge_reflectance)
            if grid.edge_reflectance >= 0.0
            else internal_reflectance(cosine, grid.edge_index)
        )
        face = np.where(ahead, *(internal_reflectance(cosine, n) for n in faces[::-1]))
        wall = np.where(p[:, 2] < grid.wall_um, grid.wall_reflectance, np.nan)  # nan: over the wall
        r = np.where(axis == 2, face, np.where(outer, side, wall))
        meets = ~event & ~np.isnan(r)
        gone = meets & (rng.random(now.size) >= r)
        u[which[meets & ~gone], axis[meets & ~gone]] *= -1.0
        blue = row[now] == source
        at_face = np.where(ahead, 0, 1) + np.where(blue, kernels.T_BLUE, kernels.T_EM)
        at_side = np.where(outer, np.where(blue, kernels.EDGE_BLUE, kernels.EDGE_EM), kernels.WALL)
        ends[now[gone]] = np.where(axis == 2, at_face, at_side)[gone]
        above = gone & (axis == 2) & ahead & ~blue
        pixel = np.clip((p[above, :2] // grid.pitch_um).astype(int), 0, shape.pixels - 1)
        np.add.at(converted, (pixel[:, 0], pixel[:, 1]), 1.0 / rays)
        v = rng.random(now.size) * total
        absorbed = event & (v < own)
        ends[now[event & ~absorbed & (v < own + host)]] = kernels.HOST
        again = rng.random(now.size) < slab.plqy
        ends[now[absorbed & ~again]] = kernels.LOSS
        emitter = now[absorbed & again]
        row[emitter] = np.searchsorted(optics.cumulative, rng.random(emitter.size), side="right")
        new = event & ((absorbed & again) | (v >= own + host))
        u[new] = _isotropic(int(np.sum(new)), rng)
        place[now], way[now] = p, u
    return np.bincount(ends, minlength=kernels.ENDS) / rays, converted


def _next_plane(p: FloatArray, u: FloatArray, grid: kernels.Grid) -> tuple[FloatArray, np.ndarray]:
    """Distance to the next plane of each photon, and its axis."""
    spacing = np.array([grid.spacing_um, grid.spacing_um, grid.thickness_um])
    cell = p / spacing
    near = np.abs(cell - np.rint(cell)) < 1e-9  # it stands on a plane: go to the next one
    ahead = np.where(near, np.rint(cell) + np.sign(u), np.where(u > 0.0, np.ceil(cell), np.floor(cell)))
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.where(u == 0.0, np.inf, (ahead * spacing - p) / u)
    axis = np.argmin(distance, axis=1)
    return distance[np.arange(len(p)), axis], axis


def _isotropic(count: int, rng: np.random.Generator) -> FloatArray:
    z, phi = rng.uniform(-1.0, 1.0, count), rng.uniform(0.0, 2.0 * np.pi, count)
    across = np.sqrt(1.0 - z**2)
    return np.column_stack([across * np.cos(phi), across * np.sin(phi), z])
