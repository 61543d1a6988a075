"""Intensity against time, and what photons of each stretch and level say of the lifetime.

One pass over the record gives counts in bins of time, the histogram of nanotimes of every level, and the
mean arrival of every stretch. The lifetime of a stretch comes from its mean arrival after the pulse: for a
decay exp(-t/tau) seen over 0 <= t < T, with a flat share f of dark counts,

    <t> = (1 - f) [tau - T/(exp(T/tau) - 1)] + f T/2

which without dark counts is the estimate of maximum likelihood. A stretch has too few photons for more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.measured.photon_stream import PhotonStream
from perolux.photons.change_points import Segments
from perolux.progress import Progress, silent

__all__ = ["IntensityTrace", "NanotimeView", "intensity_trace", "nanotimes_of", "stretch_lifetimes"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class IntensityTrace:
    """Counts in bins of bin_s: start_s, (n,); counts, (n,)."""

    start_s: FloatArray
    counts: IntArray
    bin_s: float

    @property
    def rate_cps(self) -> FloatArray:
        """Counts a second, (n,)."""
        return self.counts / self.bin_s

    def fano(self) -> float:
        """Variance over mean of the counts: 1 for steady light."""
        mean = float(self.counts.mean())
        return float(self.counts.var(ddof=1)) / mean if mean > 0 and len(self.counts) > 1 else 1.0


@dataclass(frozen=True)
class NanotimeView:
    """Nanotimes sorted by level. counts: (levels, bins) with bins of bin_ns; mean_ns, photons: (stretches,),
    mean arrival after pulse_ns, modulo the period, of each stretch; pulse_ns: half the height of the rising
    edge; rise_ns from there to the top; foot_ns: how long before pulse_ns the edge begins."""

    counts: IntArray
    bin_ns: float
    pulse_ns: float
    rise_ns: float
    foot_ns: float
    period_ns: float
    mean_ns: FloatArray
    photons: IntArray


def intensity_trace(
    stream: PhotonStream, bin_s: float = 0.01, *, channels: tuple[int, ...] | None = None
) -> IntensityTrace:
    """Counts in bins of `bin_s`; an incomplete last bin is left out."""
    count = max(int(stream.duration_s / bin_s + 1e-9), 1)
    counts = np.zeros(count + 1, dtype=np.int64)
    for photons in stream.chunks():
        kept = photons if channels is None else photons.only(np.isin(photons.channel, channels))
        place = (kept.macro * (stream.macro_tick_ns * 1e-9 / bin_s)).astype(np.int64)
        counts += np.bincount(np.minimum(place, count), minlength=count + 1)
    return IntensityTrace(bin_s * np.arange(count, dtype=float), counts[:count], bin_s)


def nanotimes_of(
    stream: PhotonStream,
    segments: Segments,
    level_of: IntArray,
    *,
    channels: tuple[int, ...] | None = None,
    pulse_ns: float | None = None,
    progress: Progress = silent,
) -> NanotimeView:
    """Histograms of the nanotimes of each level, and the mean arrival in each stretch.

    level_of: (stretches,). pulse_ns: time of the pulse in the histogram; half the height of the rising edge
    if left out. Raises `OptionError` where the period of the laser is not known.
    """
    period = stream.needs_sync_period()
    width = float(stream.nanotime_bin_ns or 0.0)
    bins = max(round(period / width), 1)
    levels = int(level_of.max()) + 1
    counts = np.zeros((levels, bins), dtype=np.int64)
    sums, wrapped, photons_in = (np.zeros(len(segments)) for _ in range(3))
    total, first = np.zeros(bins, dtype=np.int64), 0
    for photons in stream.chunks():
        if photons.nanotime is not None:
            total += np.bincount(np.minimum(photons.nanotime, bins - 1), minlength=bins)
    edge, top = _rising_edge(total)
    pulse_ns = width * edge if pulse_ns is None else pulse_ns
    progress.start("sorting nanotimes", len(stream))
    for photons in stream.chunks():
        kept = photons if channels is None else photons.only(np.isin(photons.channel, channels))
        if kept.nanotime is None or not len(kept):
            continue
        index = np.searchsorted(segments.first_photon, first + np.arange(len(kept)), side="right") - 1
        place = np.minimum(kept.nanotime, bins - 1)
        level = level_of[index]
        counts += np.bincount(level * bins + place, minlength=levels * bins).reshape(levels, bins)
        after = (place + 0.5) * width - pulse_ns
        late = after < 0
        sums += np.bincount(index, weights=after + late * period, minlength=len(segments))
        wrapped += np.bincount(index, weights=late, minlength=len(segments))
        photons_in += np.bincount(index, minlength=len(segments))
        first += len(kept)
        progress.advance(len(photons))
    progress.finish()
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(photons_in > 0, sums / photons_in, np.nan)
    rise = width * ((top - edge) % bins)
    foot = width * _foot(total, edge)
    return NanotimeView(counts, width, pulse_ns, rise, foot, period, mean, photons_in.astype(np.int64))


def stretch_lifetimes(view: NanotimeView, dark_share: npt.ArrayLike = 0.0) -> tuple[FloatArray, FloatArray]:
    """Lifetime of each stretch from its mean arrival, and its counting error tau/sqrt(n), both (stretches,)
    in ns.

    dark_share: f, of each stretch or one for all. NaN where the mean lies outside what a decay within a
    period can have (0 to T/2, with the dark counts taken off), or a stretch has no photons.
    """
    f = np.broadcast_to(np.asarray(dark_share, dtype=float), view.mean_ns.shape)
    period = view.period_ns
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (view.mean_ns - f * period / 2) / (1 - f)
    # <t>(tau) rises from 0 to T/2: read backwards from a table in ln tau.
    tau = np.geomspace(1e-4, 1e3, 4000) * period
    table = tau - period / np.expm1(np.minimum(period / tau, 700.0))
    good = np.isfinite(mean) & (mean > table[0]) & (mean < table[-1])
    found = np.where(good, np.interp(np.where(good, mean, table[0]), table, tau), np.nan)
    x = period / found
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        slope = 1 - x**2 * np.exp(-x) / np.expm1(-x) ** 2
        # Of arrivals: those of the decay (variance tau^2 slope), and dark ones evenly over the period.
        square = (1 - f) * (found**2 * slope + mean**2) + f * period**2 / 3
        scatter = np.sqrt((square - view.mean_ns**2) / np.maximum(view.photons, 1))
        error = scatter / ((1 - f) * np.maximum(slope, 1e-6))
    return found, error


def _foot(counts: IntArray, edge: int) -> int:
    """Bins before the half height of the edge that hold light of this pulse: back to where the counts are
    those before the pulse (median of a fifth of the period) within three errors."""
    n = len(counts)
    before = np.roll(counts, -edge)[::-1]
    far = before[max(n // 50, 1) : max(n // 4, 3)]
    level = float(np.median(far))
    calm = np.flatnonzero(before[: max(n // 4, 3)] <= level + 3.0 * np.sqrt(level + 1.0))
    return int(calm[0]) if calm.size else 0


def _rising_edge(counts: IntArray) -> tuple[int, int]:
    """First bin of the run of bins above half the height that holds the maximum, and the maximum; around the
    period."""
    # Neighbours are averaged until the top holds some hundred counts, so that noise does not end the run
    # early.
    span = int(np.clip(np.ceil(400 / max(int(counts.max()), 1)), 1, max(len(counts) // 50, 1)))
    smooth = np.sum([np.roll(counts, -k) for k in range(span)], axis=0)
    top = int(np.argmax(smooth))
    before = np.roll(smooth, -top)[::-1]
    below = np.flatnonzero(before < smooth[top] / 2)
    edge = int((top - (int(below[0]) if below.size else 0)) % len(counts))
    # On a plateau the top is where the counts first come within three errors of the highest.
    ahead = np.roll(smooth, -edge)
    first = int(np.argmax(ahead >= smooth[top] - 3 * np.sqrt(smooth[top])))
    return edge, (edge + first) % len(counts)
