"""Compiled walk of single photons through a luminescent slab with scatterers.

A photon keeps its direction from one event (absorption, scattering) to the next, so its reflectances at the
two faces stay what they are, and all its round trips are one geometric series: the next event, or the face by
which it leaves, is drawn at once (`step_by_step` walks from face to face in place of that; both have the same
law). Faces are at z = 0 and 1. `ray_plain.py` is the same in NumPy, generation by generation.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit


class Optics(NamedTuple):
    """What a photon meets, by wavelength; the last row is the light of the source.

    own, host, scatter, anisotropy (m+1,): optical depths and mean cosine of scattering. traced (m+1,): the
    emitters' depth is a trace that the film does not have. index_top, index_bottom: film over outside.
    mirror_top, mirror_bottom (m+1, k): reflectance of a mirror by cosine in the gap, k evenly from 0 to 1
    (k = 1: the same for all, k = 0: no mirror). absorb_top, absorb_bottom: share of what the mirror does not
    return that it absorbs. cumulative (m,), guide: emitted shares summed up and where to begin to look.
    first (m+1,): first wavelength that may be emitted after absorption here. plqy.
    """

    own: np.ndarray
    host: np.ndarray
    scatter: np.ndarray
    anisotropy: np.ndarray
    traced: np.ndarray
    index_top: float
    index_bottom: float
    mirror_top: np.ndarray
    mirror_bottom: np.ndarray
    absorb_top: float
    absorb_bottom: float
    cumulative: np.ndarray
    guide: np.ndarray
    first: np.ndarray
    plqy: float


# Places in the sums of a walk: weights of the ends, of their squares behind them, then the counts.
ENDS = 7
T_BLUE, R_BLUE, T_EM, R_EM, LOSS, HOST, MIRROR = range(ENDS)
EMISSIONS, EMISSIONS_2, ROULETTE, TERMINATED, TRACED, EVENTS = range(2 * ENDS, 2 * ENDS + 6)
SUMS = 2 * ENDS + 6

_ROULETTE_EVERY = 1024
_TO_UNIT = 1.0 / 9007199254740992.0


@njit(cache=True, nogil=True)
def seed_state(seed, state):
    """Fill the state (4,) of xoshiro256+ by splitmix64 (Blackman and Vigna)."""
    x = np.uint64(seed)
    for i in range(4):
        x += np.uint64(0x9E3779B97F4A7C15)
        y = x
        y = (y ^ (y >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        y = (y ^ (y >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state[i] = y ^ (y >> np.uint64(31))


@njit(cache=True, nogil=True)
def uniform(state):
    """The next number of xoshiro256+, above 0 and at most 1."""
    s0, s1, s2, s3 = state[0], state[1], state[2], state[3]
    drawn = s0 + s3
    t = s1 << np.uint64(17)
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= t
    s3 = (s3 << np.uint64(45)) | (s3 >> np.uint64(19))
    state[0], state[1], state[2], state[3] = s0, s1, s2, s3
    return (np.float64(drawn >> np.uint64(11)) + 1.0) * _TO_UNIT


@njit(cache=True, nogil=True)
def fresnel(cosine, index):
    """Unpolarised reflectance from inside, and the cosine outside (0 where it is total)."""
    square = 1.0 - index * index * (1.0 - cosine * cosine)
    if square <= 0.0:
        return 1.0, 0.0
    out = math.sqrt(square)
    s = (index * cosine - out) / (index * cosine + out)
    p = (cosine - index * out) / (cosine + index * out)
    return 0.5 * (s * s + p * p), out


@njit(cache=True, nogil=True)
def mirror_at(table, row, outside):
    """Reflectance of a mirror at a cosine in the gap: linear between the columns."""
    last = table.shape[1] - 1
    if last == 0:
        return table[row, 0]
    place = outside * last
    k = min(int(place), last - 1)
    share = place - k
    return table[row, k] * (1.0 - share) + table[row, k + 1] * share


@njit(cache=True, nogil=True)
def reflectance(cosine, index, mirror, row):
    """R = R_F + (1 - R_F)^2 R_m/(1 - R_F R_m) of a face and its mirror, and the cosine outside."""
    r, out = fresnel(cosine, index)
    if mirror.shape[1] == 0 or out == 0.0:
        return r, out
    behind = mirror_at(mirror, row, out)
    below = 1.0 - r * behind
    if below > 0.0:
        r += (1.0 - r) ** 2 * behind / below
    return r, out


@njit(cache=True, nogil=True)
def emitted_row(state, optics, absorbed):
    """The wavelength of a photon emitted after absorption of one at row `absorbed`."""
    last = len(optics.cumulative) - 1
    first = optics.first[absorbed]
    low = optics.cumulative[first - 1] if first > 0 else 0.0
    if first > last or low >= 1.0:
        return last  # an empty window: the last wavelength
    u = low + (1.0 - low) * (1.0 - uniform(state))
    cells = len(optics.guide)
    k = max(optics.guide[min(int(u * cells), cells - 1)], first)
    while k < last and optics.cumulative[k] <= u:
        k += 1
    return k


@njit(cache=True, nogil=True)
def scattering_cosine(state, g):
    """Cosine of the angle of scattering by Henyey and Greenstein; even from -1 to 1 where g = 0."""
    u = uniform(state)
    if abs(g) < 1e-6:
        return 2.0 * u - 1.0
    part = (1.0 - g * g) / (1.0 - g + 2.0 * g * u)
    return max(-1.0, min(1.0, (1.0 + g * g - part * part) / (2.0 * g)))


@njit(cache=True, nogil=True)
def enter(state, optics, diffuse, sums):
    """A photon of the source at the bottom: its cosine inside, or 0 where it does not come in."""
    row = len(optics.own) - 1
    outside = math.sqrt(uniform(state)) if diffuse else 1.0
    n = optics.index_bottom
    square = 1.0 - (1.0 - outside * outside) / (n * n)
    inside = math.sqrt(square) if square > 0.0 else 0.0
    r = fresnel(inside, n)[0] if square > 0.0 else 1.0
    behind, absorbs = 0.0, 0.0
    if optics.mirror_bottom.shape[1] > 0:
        behind, absorbs = mirror_at(optics.mirror_bottom, row, outside), optics.absorb_bottom
    through = (1.0 - behind) * (1.0 - absorbs)
    below = 1.0 - behind * r
    let_in = through * (1.0 - r) / below
    returned = behind + through * through * r / below
    u = uniform(state)
    if u <= let_in:
        return inside
    end = R_BLUE if u <= let_in + returned else MIRROR
    sums[end] += 1.0
    sums[ENDS + end] += 1.0
    return 0.0


@njit(cache=True, nogil=True)
def walk_block(seed, rays, optics, diffuse, step_by_step, longest, sums, forward, backward, cosine, blue):
    """Walk `rays` photons of one seed to their ends and add them to the sums.

    diffuse: the source is Lambertian, not at normal incidence. longest: events after which Russian roulette
    begins. sums (SUMS,). forward, backward (m,): converted photons that leave. cosine, blue (k,): converted
    and source photons that leave forward, by cosine outside.
    """
    state = np.empty(4, np.uint64)
    seed_state(seed, state)
    source = len(optics.own) - 1
    bins = len(cosine)
    for _ in range(rays):
        mu = enter(state, optics, diffuse, sums)
        if mu == 0.0:
            continue
        row, z, up, weight = source, 0.0, True, 1.0
        emissions, events, end, outside = 0.0, 0, -1, 0.0
        while end < 0:
            events += 1
            if events > longest and events % _ROULETTE_EVERY == 0:
                # half of the long ways end, the others count twice: right in the mean
                if uniform(state) <= 0.5:
                    sums[ROULETTE] += weight
                    sums[TERMINATED] += 1.0
                    break
                sums[ROULETTE] -= weight
                weight *= 2.0
            own, host = optics.own[row], optics.host[row]
            total = own + host + optics.scatter[row]
            a = total / mu
            depth = -math.log(uniform(state))
            ahead = 1.0 - z if up else z
            if depth < a * ahead:
                z = z + depth / a if up else z - depth / a
            else:
                n_ahead = optics.index_top if up else optics.index_bottom
                r_ahead, outside = reflectance(
                    mu, n_ahead, optics.mirror_top if up else optics.mirror_bottom, row
                )
                if uniform(state) <= 1.0 - r_ahead:
                    end = 0 if up else 1
                    break
                z = 1.0 if up else 0.0
                up = not up
                if step_by_step:
                    continue
                r_next, next_outside = reflectance(
                    mu,
                    optics.index_top if up else optics.index_bottom,
                    optics.mirror_top if up else optics.mirror_bottom,
                    row,
                )
                # one round trip from this face: event on the way, out, event on the way back, out here
                stop = -math.expm1(-a)
                go = 1.0 - stop
                p1 = stop
                p2 = p1 + go * (1.0 - r_next)
                p3 = p2 + go * r_next * stop
                p4 = p3 + go * go * r_next * (1.0 - r_ahead)
                u = uniform(state) * p4
                if p1 < u <= p2:
                    outside = next_outside
                    end = 0 if up else 1
                    break
                if u > p3:
                    end = 1 if up else 0
                    break
                if u > p2:
                    up = not up
                away = min(-math.log1p(-uniform(state) * stop) / a, 1.0)
                z = away if up else 1.0 - away
            # an event at z
            u = uniform(state) * total
            if u <= own:
                if optics.traced[row]:
                    sums[TRACED] += weight
                if uniform(state) > optics.plqy:
                    end = LOSS
                    break
                emissions += weight
                row = emitted_row(state, optics, row)
                u = 2.0 * uniform(state) - 1.0
            elif u <= own + host:
                end = HOST
                break
            else:
                u = scattering_cosine(state, optics.anisotropy[row])
                if optics.anisotropy[row] != 0.0:
                    # the angle round the old direction is even
                    side = math.sqrt((1.0 - mu * mu) * (1.0 - u * u))
                    u = (mu if up else -mu) * u + side * math.cos(2.0 * math.pi * uniform(state))
            up = u > 0.0
            mu = min(max(abs(u), 1e-16), 1.0)
        sums[EVENTS] += events
        sums[EMISSIONS] += emissions
        sums[EMISSIONS_2] += emissions * emissions
        if end < 0:
            continue
        if end < 2:  # it leaves by the top (0) or the bottom (1)
            absorbs = optics.absorb_top if end == 0 else optics.absorb_bottom
            if absorbs > 0.0 and uniform(state) <= absorbs:
                end = MIRROR
            elif row == source:
                if end == 0:
                    blue[min(int(outside * bins), bins - 1)] += weight
                end = T_BLUE if end == 0 else R_BLUE
            elif end == 0:
                forward[row] += weight
                cosine[min(int(outside * bins), bins - 1)] += weight
                end = T_EM
            else:
                backward[row] += weight
                end = R_EM
        sums[end] += weight
        sums[ENDS + end] += weight * weight


@njit(cache=True, nogil=True)
def walk_blocks(seeds, counts, optics, diffuse, step_by_step, longest, bins):
    """Walk blocks of photons, each of its own seed; see `walk_block`."""
    m = len(optics.cumulative)
    sums = np.zeros(SUMS)
    forward, backward = np.zeros(m), np.zeros(m)
    cosine, blue = np.zeros(bins), np.zeros(bins)
    for b in range(len(seeds)):
        walk_block(
            seeds[b], counts[b], optics, diffuse, step_by_step, longest, sums, forward, backward, cosine, blue
        )
    return sums, forward, backward, cosine, blue
