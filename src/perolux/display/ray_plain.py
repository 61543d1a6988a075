"""The walk of `_ray_kernels.py` in plain NumPy: all photons one leg at a time, from face to face.

The reference of the tests: written apart from the kernel, with other random numbers, no geometric series, no
tables of mirrors and no roulette. Light that is guided for long makes it slow.
"""

from __future__ import annotations

import numpy as np

from perolux.display import _ray_kernels as kernels
from perolux.display.fresnel import Face, FloatArray, internal_reflectance
from perolux.display.rays import RayLight, Scatterers, light_of_sums, optics_of
from perolux.display.slab import Slab

__all__ = ["ray_light_plain"]


def ray_light_plain(
    slab: Slab, rays: int, rng: np.random.Generator, scatterers: Scatterers | None = None
) -> RayLight:
    """`ray_light` at normal incidence, generation by generation."""
    nm, optics = optics_of(slab, scatterers or Scatterers())
    lines = np.append(nm, slab.source_nm)
    source = len(nm)
    ends = np.full(rays, -1)
    row, z, cosine = np.full(rays, source), np.zeros(rays), np.ones(rays)
    outside, emissions = np.zeros(rays), np.zeros(rays)
    let_in, returned = (
        float(x[0, 0])
        for x in slab.bottom.seen_from_outside(np.array([slab.source_nm]), np.ones(1), slab.index)
    )
    u = rng.random(rays)
    ends[u >= let_in] = kernels.R_BLUE
    ends[u >= let_in + returned] = kernels.MIRROR
    while (alive := np.flatnonzero(ends < 0)).size:
        lines_now, mu, up = lines[row[alive]], np.abs(cosine[alive]), cosine[alive] > 0.0
        own, host = optics.own[row[alive]], optics.host[row[alive]]
        total = own + host + optics.scatter[row[alive]]
        way = rng.exponential(size=alive.size) / total * mu
        ahead = np.where(up, 1.0 - z[alive], z[alive])
        meets = way >= ahead
        z[alive] = np.where(meets, np.where(up, 1.0, 0.0), z[alive] + np.where(up, way, -way))
        for face, side, first in ((slab.top, up, 0), (slab.bottom, ~up, 1)):
            here = meets & side
            relative = slab.index / face.outside_index
            reflected = _reflectance(face, lines_now[here], mu[here], relative)
            leaves = rng.random(reflected.size) >= reflected
            taken = rng.random(reflected.size) < face.mirror_absorption
            leaver = alive[here][leaves]
            outside[leaver] = np.sqrt(1.0 - relative**2 * (1.0 - mu[here][leaves] ** 2))
            blue = row[leaver] == source
            ends[leaver] = np.where(blue, kernels.T_BLUE, kernels.T_EM) + first
            ends[leaver[taken[leaves]]] = kernels.MIRROR
            cosine[alive[here][~leaves]] *= -1.0
        u = rng.random(alive.size) * total
        absorbed = ~meets & (u < own)
        ends[alive[~meets & ~absorbed & (u < own + host)]] = kernels.HOST
        scattered = ~meets & (u >= own + host)
        again = rng.random(alive.size) < slab.plqy
        ends[alive[absorbed & ~again]] = kernels.LOSS
        emitter = alive[absorbed & again]
        emissions[emitter] += 1.0
        row[emitter] = _emitted(optics, row[emitter], rng)
        cosine[emitter] = rng.uniform(-1.0, 1.0, emitter.size)
        turned = alive[scattered]
        cosine[turned] = _turned(cosine[turned], optics.anisotropy[row[turned]], rng)
    return _counted(nm, rays, ends, row, outside, emissions)


def _reflectance(face: Face, nm: FloatArray, mu: FloatArray, relative: float) -> FloatArray:
    fresnel = internal_reflectance(mu, relative)
    out = np.sqrt(np.maximum(1.0 - relative**2 * (1.0 - mu**2), 0.0))
    mirror = face.mirror(nm, out) if callable(face.mirror) else np.full(mu.shape, face.mirror)
    below = np.where(fresnel < 1.0, 1.0 - fresnel * mirror, 1.0)
    return np.where(fresnel < 1.0, fresnel + (1.0 - fresnel) ** 2 * mirror / below, 1.0)


def _emitted(optics: kernels.Optics, absorbed: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    first, last = optics.first[absorbed], len(optics.cumulative) - 1
    low = np.where(first > 0, optics.cumulative[np.minimum(first, last + 1) - 1], 0.0)
    drawn = np.searchsorted(optics.cumulative, low + (1.0 - low) * rng.random(len(low)), side="right")
    return np.minimum(np.where(low < 1.0, drawn, last), last)


def _turned(cosine: FloatArray, g: FloatArray, rng: np.random.Generator) -> FloatArray:
    u = rng.random(len(g))
    safe = np.where(g == 0.0, 1.0, g)
    henyey = (1.0 + g**2 - ((1.0 - g**2) / (1.0 - g + 2.0 * g * u)) ** 2) / (2.0 * safe)
    c = np.where(g == 0.0, 2.0 * u - 1.0, np.clip(henyey, -1.0, 1.0))
    side = np.sqrt((1.0 - cosine**2) * (1.0 - c**2)) * np.cos(2.0 * np.pi * rng.random(len(g)))
    return np.asarray(cosine * c + side)


def _counted(
    nm: FloatArray, rays: int, ends: np.ndarray, row: np.ndarray, outside: FloatArray, emissions: FloatArray
) -> RayLight:
    sums = np.zeros(kernels.SUMS)
    sums[: kernels.ENDS] = np.bincount(ends, minlength=kernels.ENDS)
    sums[kernels.ENDS : 2 * kernels.ENDS] = sums[: kernels.ENDS]
    sums[kernels.EMISSIONS], sums[kernels.EMISSIONS_2] = np.sum(emissions), np.sum(emissions**2)
    spectra = [
        np.bincount(row[ends == end], minlength=len(nm)).astype(float) for end in (kernels.T_EM, kernels.R_EM)
    ]
    edges = np.linspace(0.0, 1.0, 33)
    angles = [
        np.histogram(outside[ends == end], edges)[0].astype(float) for end in (kernels.T_EM, kernels.T_BLUE)
    ]
    return light_of_sums(nm, rays, sums, *spectra, *angles)
