"""Triples that dark counts bring, from the rates of the dark counts and the pairs that were counted.

Dark counts of detector d are independent of all else, D_d a pulse on the mean. With n = s + d of each of
three pulses, whatever the light s does from pulse to pulse,

    <s_a s_b s_c> = <(n_a - D_a)(n_b - D_b)(n_c - D_c)>
    accidental    = D_c P_ab + D_b P_ac + D_a P_bc - D_a D_b N_c - D_a D_c N_b - D_b D_c N_a + D_a D_b D_c M

for each distance of the pulses: P are pairs of two detectors at their distance, N photons, M pulses. So
blinking and the light of one emitter are in it as in the pairs; no share of the signal is assumed.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError
from perolux.measured.photon_stream import PhotonStream
from perolux.photons.pulsed_g2 import pairs_by_pulse
from perolux.photons.third_order import DarkTriples, PulseTriples
from perolux.progress import Progress, silent

__all__ = ["accidental_triples", "dark_triples"]

FloatArray = npt.NDArray[np.float64]


def dark_triples(
    stream: PhotonStream, found: PulseTriples, dark_cps: Sequence[float], progress: Progress = silent
) -> DarkTriples:
    """Triples of a record that hold a dark count, expected, for `g3_zero`; one pass for each two detectors.

    found: of `triples_by_pulse` of all channels, same_detector False; dark_cps: counts a second of each
    channel in order. Raises `OptionError` where they do not fit the channels or exceed all counts.
    """
    channels = stream.channels
    if found.orders != 1 or len(dark_cps) != len(channels) or len(found.photons) != len(channels):
        raise OptionError(
            f"dark counts of {len(dark_cps)} detectors for the triples of {len(found.photons)}",
            where="--dark-cps",
            allowed="one rate for each channel, of triples on three different detectors",
        )
    dark = np.asarray(dark_cps, dtype=float) * stream.duration_s / found.pulses
    for channel, rate, one, photons in zip(channels, dark_cps, dark, found.photons, strict=True):
        if not 0 <= one * found.pulses <= photons:
            raise OptionError(
                f"dark counts of {rate:g} a second in channel {channel}",
                where="--dark-cps",
                allowed=f"0 up to all counts, {photons / stream.duration_s:.4g} a second",
            )
    counted = {
        (i, j): pairs_by_pulse(
            stream, most=found.most, sides=((channels[i],), (channels[j],)), progress=progress
        ).counts
        for i, j in combinations(range(len(channels)), 2)
        if np.any(np.delete(dark, [i, j]) > 0)
    }
    return accidental_triples(found, counted, dark)


def accidental_triples(
    found: PulseTriples, pairs: dict[tuple[int, int], npt.NDArray[np.int64]], dark: FloatArray
) -> DarkTriples:
    """The equation of this file. pairs: of detectors i < j at distances -most to most, (2 most + 1,); those
    that no dark count can complete may be left out. dark: counts a pulse, (detectors,)."""
    k = found.most
    lag = np.arange(-k, k + 1)
    one, two = np.meshgrid(lag, lag, indexing="ij")
    apart = np.clip(two - one, -k, k)  # beyond is not observed
    none = np.zeros(2 * k + 1, dtype=np.int64)
    mean, variance = np.zeros(one.shape), np.zeros(one.shape)
    for a, b, c in combinations(range(len(found.photons)), 3):
        for third, two_of, distance in ((c, (a, b), one), (b, (a, c), two), (a, (b, c), apart)):
            counts = pairs.get(two_of, none)[distance + k]
            mean += dark[third] * counts
            variance += dark[third] ** 2 * counts
            mean -= dark[two_of[0]] * dark[two_of[1]] * found.photons[third]
        mean += dark[a] * dark[b] * dark[c] * found.pulses
    light = tuple(float(n - d * found.pulses) for n, d in zip(found.photons, dark, strict=True))
    return DarkTriples(np.where(found.observed, mean, 0.0), np.where(found.observed, variance, 0.0), light)
