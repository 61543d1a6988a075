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
from perolux.measured.sync_channel import pulsed_by_own_sync, with_sync_channel
from perolux.photons.change_points import (
    THRESHOLD,
    Segments,
    change_points_of_stream,
    false_alarms_per_million,
)
from perolux.photons.correlation import PairHistogram, Sides, two_sides
from perolux.photons.instrument_response import GaussianResponse, MeasuredResponse, Response
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
from perolux.photons.pulsed_g2 import G2Zero
from perolux.photons.purity import DecayTimes, Purity, find_purity, is_steady
from perolux.photons.stays import DwellLaws, dwell_laws, stays_of
from perolux.progress import Progress, silent

if TYPE_CHECKING:
    from perolux.photons.decay_fit import DecayFit

__all__ = ["Analysis", "LevelLifetime", "Settings", "analyse"]

FloatArray = npt.NDArray[np.float64]
_LAST_RATE = 0.02
_RESAMPLES = 20


@dataclass(frozen=True)
class Settings:
    """What a user says of a record.

    dark_cps: dark counts of detectors A and B; other_dark_cps: of the channels beside them, for g3. levels:
    number of levels; by the criterion if left out. threshold: of the search for changes. sides: channels of A
    and B. shortest_dwell_s: lower limit of the dwell times; three times the median of the shortest tenth if
    left out. response: instrument response for `fit_decay`; the decays are fitted from the pulse on without
    one. dark_time_s: how long the dark counts were measured for; they are then a prior of the background of
    the levels' decays, which is free otherwise. gate_ns: from and to after the sync, for g2(0) in a gate.
    sync_channel: of a T2 record; the one that ticks if left out. light: "pulsed" or "steady"; by the sync and
    the nanotimes if left out.
    """

    dark_cps: tuple[float, float] = (0.0, 0.0)
    levels: int | None = None
    threshold: float = THRESHOLD
    sides: Sides | None = None
    shortest_dwell_s: float | None = None
    response: Response | None = None
    dark_time_s: float | None = None
    gate_ns: tuple[float, float] | None = None
    sync_channel: int | None = None
    light: str | None = None
    other_dark_cps: tuple[float, ...] = ()


@dataclass(frozen=True)
class LevelLifetime:
    """Lifetime of a level. lifetime_ns, sigma_ns: None with the reason. exponentials: how many the criterion
    asked for; with more than one the lifetime is their mean by amplitude. warning: where its background
    contradicts the dark counts."""

    lifetime_ns: float | None
    sigma_ns: float | None
    exponentials: int | None
    reduced_deviance: float | None
    reason: str | None = None
    warning: str | None = None


@dataclass(frozen=True)
class Analysis:
    """All that was found. nanotimes, lifetimes, stretch_lifetime_ns are None in a record without nanotimes,
    purity None in one without two detectors; `missing` says why, by name. stream: as analysed, seen from its
    pulses where a channel was the sync."""

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
    purity: Purity | None
    missing: dict[str, str]
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def coincidences(self) -> PairHistogram | None:
        """Pairs against delay; None without two detectors."""
        return None if self.purity is None else self.purity.coincidences

    @property
    def g2(self) -> G2Zero | None:
        """g2(0) of pulsed light; that of steady light is in `purity`."""
        return None if self.purity is None else self.purity.g2

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON, as `perolux photons --json` prints it."""
        purity = self.purity or Purity(
            reasons=dict.fromkeys(("g2_zero", "time_gate", "g3_zero"), self.missing.get("g2_zero", ""))
        )
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
            "g2_zero": purity.g2_dict(),
            "biexciton": purity.biexciton_dict(),
            "time_gate_scan": purity.scan_list(),
            "g3_zero": purity.g3_dict(),
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
    stream, steady = _light(stream, s, assumed)
    warnings = list(stream.notes)
    sides: Sides | None = None
    try:
        sides = two_sides(stream, s.sides)
    except OptionError as error:
        if s.sides is not None or s.gate_ns is not None:
            raise
        missing["g2_zero"] = f"{error.problems[0].what} ({error.problems[0].fix})"
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
        if steady and stream.nanotime_bin_ns is not None:
            raise OptionError("steady light: its nanotimes tell no lifetime")
        nanotimes = _nanotimes(stream, segments, levels, channels, progress)
        lifetimes = tuple(
            _level_lifetime(nanotimes, k, s, float(segments.duration_s[levels.of_segment == k].sum()))
            for k in range(len(levels))
        )
        warnings += [f"level {k + 1}: {one.warning}" for k, one in enumerate(lifetimes) if one.warning]
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
        if stream.nanotime_bin_ns is not None and not steady:
            raise
        missing["lifetimes"] = error.problems[0].what
    purity = None
    if sides is not None:
        purity = find_purity(
            stream, sides, steady=steady, dark_cps=s.dark_cps, other_dark_cps=s.other_dark_cps,
            decay=_decay_times(nanotimes, lifetimes), response=s.response, gate_ns=s.gate_ns,
            progress=progress,
        )  # fmt: skip
        missing |= {k: text for k, text in purity.reasons.items() if k == "g2_zero"}
        untold = len(stream.channels) - sum(map(len, sides)) - len(s.other_dark_cps)
        if purity.g3 is not None and untold > 0 and any(s.dark_cps):
            assumed.append(f"g3: no dark counts of {untold} of the detectors (--dark-cps A,B,C...)")
        if steady and not isinstance(s.response, GaussianResponse):
            assumed.append(
                "no jitter of the detectors (--irf gaussian:SIGMA_NS,0): a dip as short as it is not seen "
                "whole"
            )
    dwells, too_few = dwell_laws(segments, levels, on_levels, s.shortest_dwell_s)
    missing |= {f"dwell_times.{name}": reason for name, reason in too_few.items()}
    if any(one.found is not None for one in dwells.values()):
        assumed.append(
            "power laws of stays begin where the number of short stays found says; none are shorter"
        )
    notes = [one.found.note for one in dwells.values() if one.found is not None]
    warnings += [f"dwell times: {text}" for text in dict.fromkeys(notes) if text is not None]
    stays = stays_of(segments, levels, on_levels)
    fluctuations = None
    try:
        fluctuations = intensity_correlation(stream, sides=sides, channels=channels, progress=progress)
        warnings += fluctuations.notes
    except OptionError as error:
        missing["intensity_correlation"] = error.problems[0].what
    if (
        stream.sync_period_ns is not None
        and not steady
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
        purity=purity,
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


def _level_lifetime(view: NanotimeView, level: int, settings: Settings, seconds: float) -> LevelLifetime:
    """Fit of the decay of one level; without a response from the pulse on, wrapped around the period."""
    from perolux.photons.dark_record import dark_record
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
        time = np.arange(len(counts) // bins) * bins * view.bin_ns
        # the foot of the edge stands at the end of the rolled period: light of the pulse to come
        used = (time >= view.rise_ns) & (time + bins * view.bin_ns <= view.period_ns - view.foot_ns)
    counts = counts[: len(counts) // bins * bins].reshape(-1, bins).sum(axis=1)
    period = None if settings.response is None else view.period_ns
    width = view.bin_ns * bins
    dark = None
    if settings.dark_time_s is not None:
        dark = dark_record(
            sum(settings.dark_cps), pulses=seconds / (view.period_ns * 1e-9), bin_ns=width,
            dark_time_s=settings.dark_time_s,
        )  # fmt: skip
    try:
        found, best = None, math.inf
        for several in (1, 2, 3):  # more only as long as the criterion asks for it
            try:
                one = fit_decay(
                    counts, width, irf=settings.response, period_ns=period, used=used,
                    exponentials=several, intervals=False, dark=dark,
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
    warning = None if found.dark is None else found.dark.warning
    return LevelLifetime(found.average_amplitude_ns, sigma, several, found.reduced_deviance, warning=warning)


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
                dark=found.histogram.dark,
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


def _light(stream: PhotonStream, settings: Settings, assumed: list[str]) -> tuple[PhotonStream, bool]:
    """The record as it is analysed, from its pulses where a channel is the sync, and whether its light is
    steady."""
    if settings.light not in (None, "pulsed", "steady"):
        raise OptionError(f"{settings.light!r}", where="--light", allowed="pulsed, steady")
    named = () if settings.sides is None else (*settings.sides[0], *settings.sides[1])
    if settings.sync_channel is not None:
        stream = with_sync_channel(stream, settings.sync_channel)
    elif settings.light != "steady":
        made, said = pulsed_by_own_sync(stream)
        if said and set(named) <= set(made.channels):  # a ticking channel that is named is a detector
            stream = made
            assumed.append(said)
    if settings.light is not None:
        steady = settings.light == "steady"
        if not steady and stream.nanotime_bin_ns is None and not stream.macro_is_sync:
            raise OptionError(
                "no channel of the record ticks, and it has no nanotimes: its pulses are not known",
                where="--light pulsed",
                fix="name the sync with --sync-channel, or leave --light out",
            )
        return stream, steady
    # A T2 record with a stated period is of pulsed light whose pulses are not in it.
    steady = is_steady(stream) and (stream.nanotime_bin_ns is not None or stream.sync_period_ns is None)
    if steady:
        why = "nanotimes are flat" if stream.nanotime_bin_ns is not None else "no sync in the record"
        assumed.append(f"steady light: {why} (--light pulsed says otherwise)")
    return stream, steady


def _decay_times(view: NanotimeView | None, lifetimes: tuple[LevelLifetime, ...] | None) -> DecayTimes | None:
    if view is None:
        return None
    known = [one.lifetime_ns for one in lifetimes or () if one.lifetime_ns is not None]
    late = max((math.exp(-view.period_ns / one) for one in known), default=0.0)
    brightest = lifetimes[-1].lifetime_ns if lifetimes else None
    return DecayTimes(view.pulse_ns, view.rise_ns, brightest, late)


def _by_threshold(trace: IntensityTrace, dark_cps: float) -> float:
    """Share of 10 ms bins above half the bright end (95th percentile) of the rate, dark counts taken off
    both."""
    rate = trace.rate_cps - dark_cps
    return float(np.mean(rate > 0.5 * np.quantile(rate, 0.95)))
