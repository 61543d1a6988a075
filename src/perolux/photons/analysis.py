"""One record of photons from end to end: what `perolux photons FILE` prints and shows.

Counts, changes of rate, levels with lifetimes, on-fraction, dwell times with the laws compared, g2(0) with
its corrections. Every number comes with its uncertainty; what was assumed, and what could not be had and
why, stands beside them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from perolux.errors import ConvergenceError, OptionError, PeroluxError
from perolux.measured.photon_stream import PhotonStream
from perolux.photons.change_points import (
    THRESHOLD,
    Segments,
    change_points_of_stream,
    false_alarms_per_million,
)
from perolux.photons.correlation import PairHistogram, Sides, pairs, two_sides
from perolux.photons.instrument_response import MeasuredResponse, Response
from perolux.photons.intensity import (
    IntensityTrace,
    NanotimeView,
    intensity_trace,
    nanotimes_of,
    stretch_lifetimes,
)
from perolux.photons.intensity_correlation import IntensityCorrelation, intensity_correlation
from perolux.photons.levels import Levels, find_levels, on_fraction
from perolux.photons.memory import memory_of
from perolux.photons.pulsed_g2 import G2Zero, g2_by_pulse, pairs_by_pulse
from perolux.photons.stays import DwellLaws, dwell_laws, stays_of
from perolux.progress import Progress, silent

if TYPE_CHECKING:
    from perolux.photons.decay_fit import DecayFit

__all__ = ["Analysis", "LevelLifetime", "Settings", "analyse"]

FloatArray = npt.NDArray[np.float64]
_SIDE_PEAKS = 20
_WINDOW_PERIODS = 3.5
_LAST_RATE = 0.02
_RESAMPLES = 20


@dataclass(frozen=True)
class Settings:
    """What a user says of a record.

    dark_cps: dark counts of detectors A and B. levels: number of levels; by the criterion if left out.
    threshold: of the search for changes. sides: channels of A and B. shortest_dwell_s: lower limit of the
    dwell times; three times the median of the shortest tenth if left out. response: instrument response for
    `fit_decay`; the decays are fitted from the pulse on without one.
    """

    dark_cps: tuple[float, float] = (0.0, 0.0)
    levels: int | None = None
    threshold: float = THRESHOLD
    sides: Sides | None = None
    shortest_dwell_s: float | None = None
    response: Response | None = None


@dataclass(frozen=True)
class LevelLifetime:
    """Lifetime of a level. lifetime_ns, sigma_ns: None with the reason. exponentials: how many the criterion
    asked for; with more than one the lifetime is their mean by amplitude."""

    lifetime_ns: float | None
    sigma_ns: float | None
    exponentials: int | None
    reduced_deviance: float | None
    reason: str | None = None


@dataclass(frozen=True)
class Analysis:
    """All that was found. nanotimes, lifetimes, stretch_lifetime_ns are None in a record without nanotimes,
    coincidences and g2 in one without two detectors; `missing` says why, by name."""

    stream: PhotonStream
    settings: Settings
    trace: IntensityTrace
    segments: Segments
    levels: Levels
    on_fraction: float
    on_levels: npt.NDArray[np.bool_]
    on_fraction_by_threshold: float
    dwells: dict[str, DwellLaws]
    memory: dict[str, dict[str, Any]]
    intensity_correlation: IntensityCorrelation | None
    nanotimes: NanotimeView | None
    lifetimes: tuple[LevelLifetime, ...] | None
    stretch_lifetime_ns: FloatArray | None
    flid_correlation: float | None
    coincidences: PairHistogram | None
    g2: G2Zero | None
    missing: dict[str, str]
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON, as `perolux photons --json` prints it."""
        lifetimes = self.lifetimes or (
            LevelLifetime(None, None, None, None, self.missing.get("lifetimes")),
        ) * len(self.levels)
        return {
            "file": self.stream.source.path,
            "sha256": self.stream.source.sha256,
            "photons": len(self.stream),
            "photons_per_channel": {str(c): n for c, n in self.stream.photons_per_channel.items()},
            "duration_s": self.stream.duration_s,
            "sync_period_ns": self.stream.sync_period_ns,
            "change_points_s": [float(t) for t in self.segments.change_s],
            "change_point_search": {
                "threshold": self.segments.threshold,
                "false_alarms_per_million_photons": false_alarms_per_million(self.segments.threshold),
            },
            "levels": [
                {
                    "rate_cps": float(self.levels.rate_cps[k]),
                    "rate_sigma": float(self.levels.rate_sigma[k]),
                    "lifetime_ns": life.lifetime_ns,
                    "lifetime_sigma": life.sigma_ns,
                    "occupancy": float(self.levels.occupancy[k]),
                    "on": bool(self.on_levels[k]),
                    "exponentials": life.exponentials,
                    "reduced_deviance": life.reduced_deviance,
                    "lifetime_reason": life.reason,
                }
                for k, life in enumerate(lifetimes)
            ],
            "level_criterion": {str(m): value for m, value in self.levels.bic.items()},
            "on_fraction": self.on_fraction,
            "on_fraction_by_threshold": self.on_fraction_by_threshold,
            "g2_zero": _g2_dict(self.g2, self.missing.get("g2_zero")),
            "dwell_times": {
                name: self.dwells[name].as_dict()
                if name in self.dwells
                else {"reason": self.missing.get(f"dwell_times.{name}")}
                for name in ("on", "off", "stretches")
            },
            "memory": self.memory,
            "intensity_correlation": self.intensity_correlation.as_dict()
            if self.intensity_correlation is not None
            else {"reason": self.missing.get("intensity_correlation")},
            "flid_correlation": self.flid_correlation,
            "assumptions": list(self.assumptions),
            "missing": self.missing,
            "warnings": list(self.warnings),
        }


def analyse(stream: PhotonStream, settings: Settings | None = None, progress: Progress = silent) -> Analysis:
    """Analyse one record. Raises `InputError` for one without photons, `OptionError` for settings that do
    not fit it."""
    s = settings or Settings()
    if not len(stream):
        raise OptionError("the record holds no photons", where=stream.source.path, fix="check the detectors")
    missing: dict[str, str] = {}
    assumed: list[str] = []
    warnings = list(stream.notes)
    sides: Sides | None = None
    try:
        sides = two_sides(stream, s.sides)
    except OptionError as error:
        if s.sides is not None:
            raise
        missing["g2_zero"] = error.problems[0].what
    channels = None if sides is None else (*sides[0], *sides[1])
    trace = intensity_trace(stream, channels=channels)
    segments = change_points_of_stream(stream, channels=channels, threshold=s.threshold, progress=progress)
    levels = find_levels(segments, s.levels)
    if levels.capped:
        warnings.append(
            f"{len(levels)} levels were the most tried and the criterion would take more: the intensity "
            "drifts or has many grey states; levels are a description, not states"
        )
    dark = sum(s.dark_cps)
    on, on_levels = on_fraction(levels, dark)
    if s.dark_cps == (0.0, 0.0):
        assumed.append("no dark counts (--dark-cps A,B)")
    nanotimes = lifetimes = stretch = None
    flid = None
    try:
        nanotimes = _nanotimes(stream, segments, levels, channels, progress)
        lifetimes = tuple(_level_lifetime(nanotimes, k, s, levels, dark) for k in range(len(levels)))
        share = np.clip(dark * segments.duration_s / np.maximum(segments.photons, 1), 0.0, 0.99)
        stretch, _ = stretch_lifetimes(nanotimes, share)
        flid = _flid_correlation(segments, stretch, dark)
        if s.response is None:
            assumed.append(
                "no instrument response (--irf): decays are fitted from the pulse at "
                f"{nanotimes.pulse_ns:.4g} ns on"
            )
        longest = max((one.lifetime_ns or 0.0) for one in lifetimes)
        if longest > 0.25 * nanotimes.period_ns:
            warnings.append(
                f"a lifetime of {longest:.3g} ns with a pulse every {nanotimes.period_ns:.4g} ns: "
                f"{100 * math.exp(-nanotimes.period_ns / longest):.2g} % of the light comes after the next "
                "pulse"
            )
    except OptionError as error:
        if stream.nanotime_bin_ns is not None:
            raise
        missing["lifetimes"] = error.problems[0].what
    coincidences, g2 = None, None
    if sides is not None:
        coincidences, g2 = _antibunching(stream, s, sides, lifetimes, missing, progress)
    dwells, too_few = dwell_laws(segments, levels, on_levels, s.shortest_dwell_s)
    missing |= {f"dwell_times.{name}": reason for name, reason in too_few.items()}
    if any(one.found is not None for one in dwells.values()):
        assumed.append(
            "power laws of stays begin where the number of short stays found says; none are shorter"
        )
    stays = stays_of(segments, levels, on_levels)
    fluctuations = None
    try:
        fluctuations = intensity_correlation(stream, sides=sides, channels=channels, progress=progress)
        warnings += fluctuations.notes
    except OptionError as error:
        missing["intensity_correlation"] = error.problems[0].what
    if (
        stream.sync_period_ns is not None
        and len(stream) / stream.duration_s * stream.sync_period_ns * 1e-9 > _LAST_RATE
    ):
        a_pulse = len(stream) / stream.duration_s * stream.sync_period_ns * 1e-9
        warnings.append(
            f"{100 * a_pulse:.2g} % of the pulses bring a photon: pile-up shortens lifetimes where a "
            "detector stops at the first"
        )
    return Analysis(
        stream=stream,
        settings=s,
        trace=trace,
        segments=segments,
        levels=levels,
        on_fraction=on,
        on_levels=on_levels,
        on_fraction_by_threshold=_by_threshold(trace, dark),
        dwells=dwells,
        memory=memory_of(stays.length_s, stays.is_on, np.random.default_rng(0)),
        intensity_correlation=fluctuations,
        nanotimes=nanotimes,
        lifetimes=lifetimes,
        stretch_lifetime_ns=stretch,
        flid_correlation=flid,
        coincidences=coincidences,
        g2=g2,
        missing=missing,
        assumptions=tuple(assumed),
        warnings=tuple(warnings),
    )


def _nanotimes(
    stream: PhotonStream,
    segments: Segments,
    levels: Levels,
    channels: tuple[int, ...] | None,
    progress: Progress,
) -> NanotimeView:
    if stream.nanotime_bin_ns is None:
        raise OptionError("the record has no nanotimes (T2): no lifetimes")
    return nanotimes_of(stream, segments, levels.of_segment, channels=channels, progress=progress)


def _level_lifetime(
    view: NanotimeView, level: int, settings: Settings, levels: Levels, dark_cps: float
) -> LevelLifetime:
    """Fit of the decay of one level; without a response from the pulse on, wrapped around the period."""
    from perolux.photons.decay_fit import fit_decay

    counts = view.counts[level]
    if counts.sum() < 50:
        return LevelLifetime(None, None, None, None, f"{int(counts.sum())} photons are too few")
    measured = isinstance(settings.response, MeasuredResponse)
    bins = 1 if measured else max(1, len(counts) // 2048)
    used = None
    if settings.response is None:
        # From the top of the pulse on a periodic exponential is an exponential: only its height differs.
        counts = np.roll(counts, -round(view.pulse_ns / view.bin_ns))
        used = np.arange(len(counts) // bins) * bins * view.bin_ns >= view.rise_ns
    counts = counts[: len(counts) // bins * bins].reshape(-1, bins).sum(axis=1)
    period = None if settings.response is None else view.period_ns
    width = view.bin_ns * bins
    try:
        found, best = None, math.inf
        for several in (1, 2, 3):  # more only as long as the criterion asks for it
            try:
                one = fit_decay(
                    counts, width, irf=settings.response, period_ns=period, used=used,
                    exponentials=several, intervals=False,
                )  # fmt: skip
            except ConvergenceError:
                if found is None:
                    raise
                break  # one more exponential has nothing to hold on to
            bic = one.deviance + (2 * several + 1) * math.log(max(counts.sum(), 2))
            if bic >= best:
                break
            found, best = one, bic
        assert found is not None
    except PeroluxError as error:
        return LevelLifetime(None, None, None, None, error.problems[0].what)
    several = len(found.lifetimes_ns)
    sigma = found.lifetime_sigma_ns[0]
    if several > 1:
        sigma = _resampled_sigma(found, settings, period, used)
    return LevelLifetime(found.average_amplitude_ns, sigma, several, found.reduced_deviance)


def _resampled_sigma(
    found: DecayFit, settings: Settings, period: float | None, used: npt.NDArray[np.bool_] | None
) -> float | None:
    """Scatter of the mean lifetime over decays drawn from the fit, for the mean of several has no simple
    error."""
    from perolux.photons.decay_fit import fit_decay

    generator = np.random.default_rng(0)
    drawn: list[float] = []
    for _ in range(_RESAMPLES):
        counts = generator.poisson(found.expected)
        try:
            again = fit_decay(
                counts,
                found.histogram.bin_ns,
                irf=settings.response,
                period_ns=period,
                used=used,
                exponentials=len(found.lifetimes_ns),
                start_ns=found.lifetimes_ns,
                intervals=False,
            )
        except PeroluxError:
            continue
        if again.average_amplitude_ns is not None:
            drawn.append(again.average_amplitude_ns)
    return float(np.std(drawn, ddof=1)) if len(drawn) > _RESAMPLES // 2 else None


def _flid_correlation(segments: Segments, lifetime: FloatArray, dark_cps: float) -> float | None:
    """Pearson's correlation of intensity and ln(1/lifetime) over stretches of more than 200 photons, by
    photons."""
    good = np.isfinite(lifetime) & (segments.photons > 200)
    if good.sum() < 10:
        return None
    x, y = segments.rate_cps[good] - dark_cps, -np.log(lifetime[good])
    if x.std() == 0 or y.std() == 0:
        return None
    return float(np.corrcoef(x, y)[0, 1])


def _antibunching(
    stream: PhotonStream,
    settings: Settings,
    sides: Sides,
    lifetimes: tuple[LevelLifetime, ...] | None,
    missing: dict[str, str],
    progress: Progress,
) -> tuple[PairHistogram | None, G2Zero | None]:
    period = stream.sync_period_ns
    if period is None:
        missing["g2_zero"] = (
            "the period of the laser is not known (--sync-period), or the light is continuous"
        )
        width = max(0.5, stream.macro_tick_ns)
        return pairs(stream, window_ns=200.0, width_ns=width, sides=sides, progress=progress), None
    width = max(period / 500, stream.nanotime_bin_ns or stream.macro_tick_ns)
    found = None
    if stream.nanotime_bin_ns is not None or stream.macro_tick_ns < period:
        found = pairs(
            stream, window_ns=_WINDOW_PERIODS * period, width_ns=width, sides=sides, progress=progress
        )
    if not stream.macro_is_sync:
        missing["g2_zero"] = "macro times do not count laser pulses: see the coincidences"
        return found, None
    late = 0.0
    for one in lifetimes or ():
        if one.lifetime_ns is not None:
            late = max(late, math.exp(-period / one.lifetime_ns))
    try:
        counted = pairs_by_pulse(stream, most=_SIDE_PEAKS, sides=sides, progress=progress)
        return found, g2_by_pulse(
            counted, dark_cps=settings.dark_cps, period_ns=period, late=late if late > 1e-4 else 0.0
        )
    except OptionError as error:
        if error.problems[0].where == "--dark-cps":
            raise
        missing["g2_zero"] = error.problems[0].what
        return found, None


def _by_threshold(trace: IntensityTrace, dark_cps: float) -> float:
    """Share of 10 ms bins above half the bright end (95th percentile) of the rate, dark counts taken off
    both."""
    rate = trace.rate_cps - dark_cps
    return float(np.mean(rate > 0.5 * np.quantile(rate, 0.95)))


def _g2_dict(found: G2Zero | None, reason: str | None) -> dict[str, Any]:
    if found is None:
        return {"raw": None, "corrected": None, "sigma": None, "method": None, "reason": reason}
    return {
        "raw": found.raw,
        "corrected": found.corrected,
        "sigma": found.sigma,
        "low95": found.low95,
        "high95": found.high95,
        "method": found.method,
        "centre_counts": found.centre,
        "side_counts": found.side,
        "side_peaks": found.side_peaks,
        "bunching": found.bunching,
        "biexciton_yield_over_exciton": found.corrected,
        "notes": list(found.notes),
    }
