"""Where the rate of a stream of photons changes, from arrival times, without bins.

A change after k of the N photons of a stretch of length T gains

    LLR = k ln(k/t_k) + (N - k) ln[(N - k)/(T - t_k)] - N ln(N/T)

in log-likelihood (Watkins and Yang, J. Phys. Chem. B 109, 617 (2005)). The partition of the whole record into
stretches of constant rate is found at once, as the least of sum(-log-likelihood) + threshold per change
(PELT: Killick, Fearnhead and Eckley, J. Am. Stat. Assoc. 107, 1590 (2012)), so that short excursions, which
a search for one change at a time misses, are seen. Every sixth photon is tried, changes then move to their
best photon, and those that gain less than the threshold are taken out, the weakest first. `false_alarms.csv`
says how often each threshold sees a change in light of constant rate.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from perolux.errors import InputError, OptionError
from perolux.measured.photon_stream import PhotonStream
from perolux.progress import Progress, silent

__all__ = ["THRESHOLD", "Segments", "change_points", "change_points_of_stream", "false_alarms_per_million"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

THRESHOLD = 9.0
"""Gain in log-likelihood that a change must bring; see `false_alarms_per_million`."""
_STRIDE = 6
_MOST_ALIVE = 1200
_BLOCK = 4_000_000
_FORGET = 200_000


@dataclass(frozen=True)
class Segments:
    """Stretches of constant rate, one after the other over the whole record.

    first_photon: (n,) index of the first photon of each; start_s, stop_s: (n,); photons: (n,); gain: (n -
    1,) log-likelihood that each change brought when it was accepted; threshold: what it had to bring.
    """

    first_photon: IntArray
    start_s: FloatArray
    stop_s: FloatArray
    photons: IntArray
    gain: FloatArray
    threshold: float

    def __len__(self) -> int:
        return len(self.photons)

    @property
    def duration_s(self) -> FloatArray:
        """Lengths of the stretches, (n,)."""
        return self.stop_s - self.start_s

    @property
    def rate_cps(self) -> FloatArray:
        """Photons a second of each stretch, (n,)."""
        return self.photons / self.duration_s

    @property
    def change_s(self) -> FloatArray:
        """Times of the changes, (n - 1,)."""
        return self.start_s[1:]


def change_points(
    time_s: npt.ArrayLike, duration_s: float | None = None, *, threshold: float = THRESHOLD
) -> Segments:
    """Changes of rate of photons at ascending times from 0; a change lies at the photon that begins the new
    rate.

    duration_s: end of the record, the last photon if left out. Raises `InputError` for times that go
    backwards or leave the record, `OptionError` for a threshold below 3, where most changes would be noise.

    >>> quiet, loud = np.arange(0.0, 1.0, 0.01), np.arange(1.0, 2.0, 0.001)
    >>> change_points(np.concatenate([quiet, loud])).change_s.round(3).tolist()
    [1.0]
    """
    time = np.ascontiguousarray(time_s, dtype=float)
    if time.ndim != 1 or not np.isfinite(time).all():
        raise InputError("arrival times must be a list of finite numbers")
    end = float(duration_s) if duration_s is not None else float(time[-1]) if len(time) else 0.0
    if len(time) and (time[0] < 0 or time[-1] > end or np.any(np.diff(time) < 0)):
        raise InputError(
            "arrival times go backwards or leave the record", allowed=f"ascending from 0 to {end:g} s"
        )
    return _segments(iter([time]), end, threshold)


def change_points_of_stream(
    stream: PhotonStream,
    *,
    channels: tuple[int, ...] | None = None,
    threshold: float = THRESHOLD,
    progress: Progress = silent,
) -> Segments:
    """Changes of rate of the photons of a record (of some of its channels), chunk by chunk.

    The rate is that of what is recorded; dead time and afterpulses belong to it.
    """

    def times() -> Iterator[FloatArray]:
        progress.start("looking for changes of rate", len(stream))
        fine_ns = stream.nanotime_bin_ns if stream.macro_is_sync else None
        last = 0.0
        for photons in stream.chunks():
            kept = photons if channels is None else photons.only(np.isin(photons.channel, channels))
            time = kept.macro * (stream.macro_tick_ns * 1e-9)
            if fine_ns is not None and kept.nanotime is not None:
                time = time + kept.nanotime * (fine_ns * 1e-9)
            # Two photons of one pulse may stand in either order; what counts is when they came.
            time = np.maximum(np.sort(time), last)
            if len(time):
                last = float(time[-1])
            yield np.minimum(time, stream.duration_s)
            progress.advance(len(photons))
        progress.finish()

    return _segments(times(), stream.duration_s, threshold)


def _segments(blocks: Iterator[FloatArray], end_s: float, threshold: float) -> Segments:
    """Search block by block: what lies before the last change of a block is final, the rest is searched
    again."""
    if not threshold >= 3:
        raise OptionError(
            f"a threshold of {threshold:g}", where="threshold", allowed="3 or more", fix="9 is usual"
        )
    first: list[IntArray] = [np.zeros(1, np.int64)]
    start: list[FloatArray] = [np.zeros(1)]
    gain: list[FloatArray] = []
    held, offset = np.zeros(0), 0
    for block in blocks:
        for part in range(0, max(len(block), 1), _BLOCK):
            held = np.concatenate([held, block[part : part + _BLOCK]])
            changes, gains = _search(held, threshold)
            if len(changes) > 1:
                done = int(changes[-2])
                first.append(offset + changes[:-1])
                start.append(held[changes[:-1]])
                gain.append(gains[:-1])
            elif len(held) > _BLOCK:
                done = len(held) - _FORGET if not len(changes) else max(int(changes[0]) - _FORGET, 0)
            else:
                done = 0
            held, offset = held[done:], offset + done
    changes, gains = _search(held, threshold)
    first_photon = np.concatenate([*first, offset + changes])
    begin = np.concatenate([*start, held[changes]])
    return Segments(
        first_photon=first_photon,
        start_s=begin,
        stop_s=np.append(begin[1:], end_s),
        photons=np.diff(np.append(first_photon, offset + len(held))),
        gain=np.concatenate([*gain, gains]),
        threshold=threshold,
    )


def _search(time: FloatArray, threshold: float) -> tuple[IntArray, FloatArray]:
    from perolux.photons._change_point_kernels import best_partition, prune, refine

    if len(time) < 2 * _STRIDE + 1:
        return np.zeros(0, np.int64), np.zeros(0)
    # Photons in one tick would make a stretch of no length and of any rate: they are spread over a
    # thousandth of the mean gap.
    spread = time + np.arange(len(time)) * (1e-3 * (time[-1] - time[0]) / len(time) ** 2)
    changes = best_partition(spread, _STRIDE, threshold, 1, _MOST_ALIVE)
    refine(spread, changes, _STRIDE)
    refine(spread, changes, _STRIDE)
    return prune(spread, changes, threshold)


@cache
def _table() -> tuple[FloatArray, FloatArray]:
    text = files("perolux.photons").joinpath("false_alarms.csv").read_text("utf-8")
    rows = list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))
    return (
        np.array([float(row["threshold"]) for row in rows]),
        np.array([float(row["per_million_photons"]) for row in rows]),
    )


def false_alarms_per_million(threshold: float) -> float | None:
    """Changes seen per million photons of constant rate, from the simulated table; None beyond its ends.

    Between thresholds the logarithm is interpolated.
    """
    at, found = _table()
    if not at[0] <= threshold <= at[-1]:
        return None
    return float(np.exp(np.interp(threshold, at, np.log(found))))
