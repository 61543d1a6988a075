"""Compiled walk of photons through a film of finite width or a row of pixels with walls between them.

The film of `_ray_kernels.py`, in three dimensions. A photon keeps its direction cosines, up to their signs,
from event to event, so that a pair of faces or sides that reflects it totally is folded away: only planes
that it can pass are stopped at. `step_by_step` (and recording a path) stops at all of them; both have the
same law.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from perolux.display._ray_kernels import (
    HOST,
    LOSS,
    MIRROR,
    R_BLUE,
    R_EM,
    T_BLUE,
    T_EM,
    emitted_row,
    fresnel,
    mirror_at,
    reflectance,
    scattering_cosine,
    seed_state,
    uniform,
)


class Grid(NamedTuple):
    """Square cells of side spacing_um, from -half to half on both axes, thickness_um high.

    pitch_um: of the pixels by which light that leaves is sorted. Between cells stand walls up to wall_um that
    reflect wall_reflectance and absorb the rest. The outer sides reflect edge_reflectance, or by Fresnel with
    edge_index where that is below 0. source_um: side of the square in the middle that is lit.
    """

    thickness_um: float
    spacing_um: float
    half: int
    pitch_um: float
    wall_um: float
    wall_reflectance: float
    edge_reflectance: float
    edge_index: float
    source_um: float


EDGE_BLUE, EDGE_EM, WALL = 7, 8, 9
ENDS = 10
EMISSIONS, EMISSIONS_2, ROULETTE, TERMINATED, TRACED, EVENTS = range(2 * ENDS, 2 * ENDS + 6)
SUMS = 2 * ENDS + 6

STARTED, FACE, SIDE, EMITTED, SCATTERED, ENDED = range(6)
"""Kinds of the points of a recorded path."""

_ROULETTE_EVERY = 1024


@njit(cache=True, nogil=True)
def _fold(place, length):
    """A place on an axis mirrored back into 0..length, and whether the direction has turned."""
    turns = math.floor(place / length)
    rest = place - turns * length
    if turns % 2.0 == 0.0:
        return min(max(rest, 0.0), length), False
    return min(max(length - rest, 0.0), length), True


@njit(cache=True, nogil=True)
def _side(cosine, grid):
    if grid.edge_reflectance >= 0.0:
        return grid.edge_reflectance
    return fresnel(cosine, grid.edge_index)[0]


@njit(cache=True, nogil=True)
def _isotropic(state):
    uz = 2.0 * uniform(state) - 1.0
    across, phi = math.sqrt(1.0 - uz * uz), 2.0 * math.pi * uniform(state)
    return across * math.cos(phi), across * math.sin(phi), uz


@njit(cache=True, nogil=True)
def _turned(state, g, ux, uy, uz):
    """A direction scattered by Henyey and Greenstein."""
    if g == 0.0:
        return _isotropic(state)
    c = scattering_cosine(state, g)
    s, phi = math.sqrt(1.0 - c * c), 2.0 * math.pi * uniform(state)
    a, b = s * math.cos(phi), s * math.sin(phi)
    across = math.sqrt(ux * ux + uy * uy)
    if across < 1e-9:
        return a, b, c if uz > 0.0 else -c
    vx = a * (ux * uz) / across - b * uy / across + c * ux
    vy = a * (uy * uz) / across + b * ux / across + c * uy
    vz = -a * across + c * uz
    length = math.sqrt(vx * vx + vy * vy + vz * vz)
    return vx / length, vy / length, vz / length


@njit(cache=True, nogil=True)
def _enter(state, optics, diffuse):
    """End of a photon that is not let in (or -1), and its direction inside."""
    outside = math.sqrt(uniform(state)) if diffuse else 1.0
    n = optics.index_bottom
    square = 1.0 - (1.0 - outside * outside) / (n * n)
    inside = math.sqrt(square) if square > 0.0 else 0.0
    r = fresnel(inside, n)[0] if square > 0.0 else 1.0
    behind, absorbs = 0.0, 0.0
    if optics.mirror_bottom.shape[1] > 0:
        behind = mirror_at(optics.mirror_bottom, len(optics.own) - 1, outside)
        absorbs = optics.absorb_bottom
    through = (1.0 - behind) * (1.0 - absorbs)
    below = 1.0 - behind * r
    u = uniform(state)
    end = -1
    if u > through * (1.0 - r) / below:
        end = R_BLUE
        if u > through * (1.0 - r) / below + behind + through * through * r / below:
            end = MIRROR
    across, phi = math.sqrt(1.0 - inside * inside), 2.0 * math.pi * uniform(state)
    return end, across * math.cos(phi), across * math.sin(phi), inside


@njit(cache=True, nogil=True)
def _noted(path, noted, grid, x, y, ix, iy, z, row, kind):
    if noted < len(path):
        path[noted, 0] = x + (ix - 0.5) * grid.spacing_um
        path[noted, 1] = y + (iy - 0.5) * grid.spacing_um
        path[noted, 2], path[noted, 3], path[noted, 4] = z, row, kind
        return noted + 1
    return noted


@njit(cache=True, nogil=True)
def walk_pixel(state, optics, grid, diffuse, step_by_step, longest, sums, forward, backward, on, blue, path):
    """Walk one photon; see `walk_pixels`. path (p, 5): x, y, z (um), row and kind of its points, where p > 0.
    Gives the number of points."""
    source = len(optics.own) - 1
    d, t, half = grid.spacing_um, grid.thickness_um, grid.half
    walls = half > 0
    sealed = walls and grid.wall_um >= t and grid.wall_reflectance >= 1.0
    record = len(path) > 0
    fold = not (step_by_step or record)
    row, weight, emissions, events, noted = source, 1.0, 0.0, 0, 0
    x = 0.5 * d + grid.source_um * (uniform(state) - 0.5)
    y = 0.5 * d + grid.source_um * (uniform(state) - 0.5)
    ix, iy, z = 0, 0, 0.0
    end, ux, uy, uz = _enter(state, optics, diffuse)
    if record:
        noted = _noted(path, noted, grid, x, y, ix, iy, z, row, STARTED)
    killed = False
    while end < 0:
        own, host = optics.own[row], optics.host[row]
        total = own + host + optics.scatter[row]
        left = -math.log(uniform(state)) * t / total
        cx, cy, cz = abs(ux), abs(uy), abs(uz)
        r_top = reflectance(cz, optics.index_top, optics.mirror_top, row)[0]
        r_bottom = reflectance(cz, optics.index_bottom, optics.mirror_bottom, row)[0]
        rx, ry = _side(cx, grid), _side(cy, grid)
        shut_z = fold and r_top >= 1.0 and r_bottom >= 1.0
        shut_x = fold and (sealed or (not walls and rx >= 1.0))
        shut_y = fold and (sealed or (not walls and ry >= 1.0))
        while True:
            events += 1
            if events > longest and events % _ROULETTE_EVERY == 0:
                # half of the long ways end, the others count twice: right in the mean
                if uniform(state) <= 0.5:
                    sums[ROULETTE] += weight
                    sums[TERMINATED] += 1.0
                    killed = True
                    break
                sums[ROULETTE] -= weight
                weight *= 2.0
            to_x = ((d - x) / ux if ux > 0.0 else -x / ux) if cx > 0.0 and not shut_x else math.inf
            to_y = ((d - y) / uy if uy > 0.0 else -y / uy) if cy > 0.0 and not shut_y else math.inf
            to_z = ((t - z) / uz if uz > 0.0 else -z / uz) if cz > 0.0 and not shut_z else math.inf
            step = min(left, to_x, to_y, to_z)
            left -= step
            x += ux * step
            y += uy * step
            z += uz * step
            if shut_x:
                x, turn = _fold(x, d)
                ux = -ux if turn else ux
            if shut_y:
                y, turn = _fold(y, d)
                uy = -uy if turn else uy
            if shut_z:
                z, turn = _fold(z, t)
                uz = -uz if turn else uz
            if step >= to_z:
                top = uz > 0.0
                z = t if top else 0.0
                if record:
                    noted = _noted(path, noted, grid, x, y, ix, iy, z, row, FACE)
                if uniform(state) <= 1.0 - (r_top if top else r_bottom):
                    end = 0 if top else 1
                    break
                uz = -uz
            elif step >= to_x or step >= to_y:
                along_x = step >= to_x
                ahead = (ux if along_x else uy) > 0.0
                if along_x:
                    x = d if ahead else 0.0
                else:
                    y = d if ahead else 0.0
                cell = ix if along_x else iy
                outer = cell == half if ahead else cell == -half
                if not outer and (not walls or z >= grid.wall_um):
                    # over the wall into the next cell
                    if along_x:
                        ix += 1 if ahead else -1
                        x = 0.0 if ahead else d
                    else:
                        iy += 1 if ahead else -1
                        y = 0.0 if ahead else d
                    continue
                r = (rx if along_x else ry) if outer else grid.wall_reflectance
                if record:
                    noted = _noted(path, noted, grid, x, y, ix, iy, z, row, SIDE)
                if uniform(state) <= 1.0 - r:
                    end = (EDGE_BLUE if row == source else EDGE_EM) if outer else WALL
                    break
                if along_x:
                    ux = -ux
                else:
                    uy = -uy
            else:
                break  # an event at x, y, z
        if killed:
            break
        if end >= 0:
            break
        u = uniform(state) * total
        if u <= own:
            if optics.traced[row]:
                sums[TRACED] += weight
            if uniform(state) > optics.plqy:
                end = LOSS
                break
            emissions += weight
            row = emitted_row(state, optics, row)
            ux, uy, uz = _isotropic(state)
            kind = EMITTED
        elif u <= own + host:
            end = HOST
            break
        else:
            ux, uy, uz = _turned(state, optics.anisotropy[row], ux, uy, uz)
            kind = SCATTERED
        if record:
            noted = _noted(path, noted, grid, x, y, ix, iy, z, row, kind)
    sums[EVENTS] += events
    sums[EMISSIONS] += emissions
    sums[EMISSIONS_2] += emissions * emissions
    if killed:
        return noted
    if events == 0:
        pass  # not let in: `end` is final
    elif end == 0 or end == 1:
        absorbs = optics.absorb_top if end == 0 else optics.absorb_bottom
        if absorbs > 0.0 and uniform(state) <= absorbs:
            end = MIRROR
        else:
            last = len(on) - 1
            px = min(max(int(((ix + half) * d + x) / grid.pitch_um), 0), last)
            py = min(max(int(((iy + half) * d + y) / grid.pitch_um), 0), last)
            if row == source:
                if end == 0:
                    blue[px, py] += weight
                end = T_BLUE if end == 0 else R_BLUE
            elif end == 0:
                forward[row] += weight
                on[px, py] += weight
                end = T_EM
            else:
                backward[row] += weight
                end = R_EM
    sums[end] += weight
    sums[ENDS + end] += weight * weight
    if record:
        noted = _noted(path, noted, grid, x, y, ix, iy, z, row, ENDED)
    return noted


@njit(cache=True, nogil=True)
def walk_pixels(seeds, counts, optics, grid, pixels, diffuse, step_by_step, longest):
    """Walk blocks of photons, each block of its own seed, from the middle pixel to their ends.

    pixels: number of pixels along one side. Gives sums (SUMS,), spectra forward and backward (m,), maps of
    converted and source light that leaves forward (pixels, pixels).
    """
    m = len(optics.cumulative)
    sums = np.zeros(SUMS)
    forward, backward = np.zeros(m), np.zeros(m)
    on, blue = np.zeros((pixels, pixels)), np.zeros((pixels, pixels))
    state, path = np.empty(4, np.uint64), np.empty((0, 5))
    for b in range(len(seeds)):
        seed_state(seeds[b], state)
        for _ in range(counts[b]):
            walk_pixel(
                state, optics, grid, diffuse, step_by_step, longest, sums, forward, backward, on, blue, path
            )
    return sums, forward, backward, on, blue
