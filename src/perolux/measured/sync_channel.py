"""A channel that ticks: the laser's sync among the events of a T2 record, and the record seen from its
pulses.

    steps of a channel     d_k = n_k P + jitter,   n_k whole          P from the whole record
    pulse of a photon      macro = pulse of the last tick + floor((t - t_tick)/T),   nanotime = what is left

P is the period of the channel, T of the laser: the same, or P/divider where a divider stands before the
input. Random light of any rate has a tenth of its steps within a twentieth of a whole number of its median
step; a sync has all of them. Nothing is taken from the number of a channel: PicoHarp writes the sync of T2 as
channel 0, later instruments as 64 here, and either may carry a detector.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError
from perolux.measured.photon_stream import Photons, PhotonStream

__all__ = ["RegularChannel", "pulsed_by_own_sync", "regular_channels", "with_sync_channel"]

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

LEAST_TICKS = 200
"""Events that a channel needs before it is called regular."""
WITHIN = 0.05
"""Largest distance of a step from a whole number of periods, in periods."""
LEAST_REGULAR = 0.98
"""Share of the steps that are within it, and share of all periods that show their tick."""
_LEAST_TICKS_A_PERIOD = 8
_MOST_BINS = 1 << 15
"""Nanotime bins in a period at most, as in T3 records."""
_PROBE_STEPS = 200_000


@dataclass(frozen=True)
class RegularChannel:
    """A channel whose events come at one period. jitter_ns: standard deviation of a step, whole record;
    missing: share of the periods without a tick; pauses: stops of more than 1000 periods, not among the
    missing."""

    channel: int
    period_ns: float
    ticks: int
    jitter_ns: float
    missing: float
    pauses: int


def regular_channels(stream: PhotonStream) -> tuple[RegularChannel, ...]:
    """Channels of a T2 record that tick, from the constancy of their period; empty for T3.

    The first 200,000 steps of each channel decide which are looked at; those are then followed through the
    whole record. A channel with fewer than 200 events, or with less than 8 ticks of the clock in a period, is
    never called regular.
    """
    if stream.nanotime_bin_ns is not None or stream.macro_is_sync:
        return ()
    first = _first_times(stream)
    periods = {c: period for c, times in first.items() if (period := _period(times)) is not None}
    found = [_followed(stream, c, period) for c, period in sorted(periods.items())]
    return tuple(one for one in found if one is not None)


def pulsed_by_own_sync(stream: PhotonStream) -> tuple[PhotonStream, str | None]:
    """The record from its pulses where exactly one channel ticks beside photons, and what was done in words.

    Where none ticks, or the record has nanotimes, it comes back as it is with None; where several tick, with
    the sentence that says how to name the sync.
    """
    found = regular_channels(stream) if len(stream.channels) > 1 else ()
    if len(found) == 1:
        one = found[0]
        made = with_sync_channel(stream, one.channel)
        divided = round(one.period_ns / (made.sync_period_ns or one.period_ns))
        divider = f", {divided} laser periods (--sync-period)" if divided > 1 else ", no divider before it"
        return made, (
            f"channel {one.channel} is the sync: it alone ticks, every {one.period_ns:.6g} ns{divider} "
            "(--sync-channel)"
        )
    if found:
        told = ", ".join(f"{one.channel} ({one.period_ns:.6g} ns)" for one in found)
        return stream, f"several channels tick: {told}; name the sync with --sync-channel"
    return stream, None


def with_sync_channel(
    stream: PhotonStream, channel: int, *, laser_period_ns: float | None = None
) -> PhotonStream:
    """A T2 record as one of pulses: macro times count laser pulses, nanotimes follow them, `channel` is gone.

    laser_period_ns: where a divider stands before the sync input; else the period that the record itself says
    (`sync_period_ns`), else that of the channel. The channel's period must be a whole number of it to 1 %
    (the divider). Pulses between ticks, and ticks that are missing, are placed by the period over the whole
    record. Photons before the first tick are left out and told in `notes`. Nanotime bins are whole ticks, at
    most 32768 to a period.

    Raises `OptionError` where the record has nanotimes already, the channel is not there or does not tick, no
    other channel is left, or the period is no whole part of the channel's.
    """
    where = stream.source.path
    if stream.nanotime_bin_ns is not None or stream.macro_is_sync:
        raise OptionError(
            "the record counts laser pulses already (T3)", where=where, fix="leave --sync-channel out"
        )
    if channel not in stream.channels or len(stream.channels) < 2:
        raise OptionError(
            f"no events in channel {channel}" if channel not in stream.channels else "no channel beside it",
            where=f"{where}, --sync-channel",
            allowed=", ".join(map(str, stream.channels)) + ", with another that holds photons",
        )
    period = _period(_first_times(stream)[channel])
    tick = None if period is None else _followed(stream, channel, period)
    if tick is None:
        others = [str(one.channel) for one in regular_channels(stream)]
        raise OptionError(
            f"channel {channel} does not tick: its steps have no common period",
            where=f"{where}, --sync-channel",
            allowed=f"a channel of constant period ({', '.join(others) or 'this record has none'})",
            fix="name the sync's channel, or read the record as continuous light",
        )
    asked = laser_period_ns if laser_period_ns is not None else stream.sync_period_ns
    divider = _divider(tick, asked, where)
    tick_ns = stream.macro_tick_ns
    laser_ticks = tick.period_ns / tick_ns / divider
    bin_ticks = max(math.ceil(laser_ticks / _MOST_BINS), 1)
    early = 0
    counted = np.zeros(256, np.int64)
    start: int | None = None
    for photons in stream.chunks():
        if start is None:
            at = np.flatnonzero(photons.channel == channel)
            kept = photons.channel[at[0] :] if len(at) else photons.channel[:0]
            early += len(photons) - len(kept)
            start = int(photons.macro[at[0]]) if len(at) else None
        else:
            kept = photons.channel
        counted += np.bincount(kept, minlength=256)
    counted[channel] = 0
    if not counted.sum():
        raise OptionError(f"no photon after the first tick of channel {channel}", where=where)

    def read(most: int) -> Iterator[Photons]:
        yield from _seen_from_pulses(stream, channel, laser_ticks, divider, bin_ticks, most)

    def read_markers(most: int) -> Iterator[Photons]:
        for markers in stream.markers(most):
            yield replace(markers, macro=(markers.macro / laser_ticks).astype(np.int64))

    notes = [
        f"Channel {channel} ticks every {tick.period_ns:.7g} ns (jitter {tick.jitter_ns:.2g} ns) and is the "
        f"sync: laser period {tick.period_ns / divider:.7g} ns"
        + (f", divider {divider}" if divider > 1 else "")
        + "."
    ]
    if tick.missing > 1e-3:
        notes.append(
            f"{100 * tick.missing:.2g} % of the ticks are missing; their pulses are placed by the period."
        )
    if tick.pauses:
        notes.append(f"The sync paused {tick.pauses} times for more than 1000 periods.")
    if early:
        notes.append(f"{early} photons before the first tick of the sync were left out.")
    old = tuple(note for note in stream.notes if not note.startswith(f"Channel {channel} is the sync input"))
    return replace(
        stream,
        macro_tick_ns=tick.period_ns / divider,
        nanotime_bin_ns=bin_ticks * tick_ns,
        sync_period_ns=tick.period_ns / divider,
        macro_is_sync=True,
        photons_per_channel={int(c): int(counted[c]) for c in np.flatnonzero(counted)},
        read_chunks=read,
        read_markers=None if stream.read_markers is None else read_markers,
        notes=(*old, *notes),
    )


def _divider(tick: RegularChannel, asked_ns: float | None, where: str) -> int:
    if asked_ns is None:
        return 1
    share = tick.period_ns / asked_ns
    divider = round(share)
    if divider < 1 or abs(share / divider - 1) > 0.01:
        raise OptionError(
            f"channel {tick.channel} ticks every {tick.period_ns:.6g} ns, which is {share:.4g} laser periods "
            f"of {asked_ns:g} ns",
            where=f"{where}, --sync-period",
            allowed="a whole number of periods (the sync divider), to 1 %",
            fix=f"leave --sync-period out where no divider is used: {tick.period_ns:.6g} ns",
        )
    return divider


def _first_times(stream: PhotonStream) -> dict[int, IntArray]:
    """Times of the first events of each channel."""
    held: dict[int, list[IntArray]] = {c: [] for c in stream.channels}
    for photons in stream.chunks():
        for c in held:
            if sum(map(len, held[c])) <= _PROBE_STEPS:
                held[c].append(photons.macro[photons.channel == c])
        if all(sum(map(len, parts)) > _PROBE_STEPS for parts in held.values()):
            break
    return {c: np.concatenate(parts) if parts else np.zeros(0, np.int64) for c, parts in held.items()}


def _period(times: IntArray) -> float | None:
    """Period in ticks of a channel that ticks, None of one that does not."""
    steps = np.diff(times).astype(float)
    if len(steps) + 1 < LEAST_TICKS:
        return None
    period = float(np.median(steps))
    for _ in range(2):  # the median is whole; the mean of single steps is not
        if period < _LEAST_TICKS_A_PERIOD:
            return None
        whole = np.rint(steps / period)
        single = whole == 1
        if single.mean() < 0.9:
            return None
        period = float(steps[single].mean())
    off = np.abs(steps - np.rint(steps / period) * period)
    # a clock of few ticks a period rounds a step by up to a tick
    return period if np.mean(off <= max(WITHIN * period, 1.0)) >= LEAST_REGULAR else None


def _followed(stream: PhotonStream, channel: int, period: float) -> RegularChannel | None:
    """The channel through the whole record: period from its ends, None where it stops to tick evenly."""
    last: int | None = None
    ticks = pulses = regular = pauses = missing = 0
    spent = squares = 0.0
    for photons in stream.chunks():
        times = photons.macro[photons.channel == channel]
        if not len(times):
            continue
        ticks += len(times)
        steps = np.diff(times, prepend=times[0] if last is None else last).astype(float)
        steps = steps[1:] if last is None else steps
        last = int(times[-1])
        whole = np.rint(steps / period)
        pause = whole > 1000
        pauses += int(pause.sum())
        steps, whole = steps[~pause], whole[~pause]
        off = steps - whole * period
        good = (np.abs(off) <= max(WITHIN * period, 1.0)) & (whole >= 1)
        regular += int(good.sum())
        pulses += int(whole[good].sum())
        missing += int((whole[good] - 1).sum())
        spent += float(steps[good].sum())
        squares += float((off[good] ** 2).sum())
    counted = ticks - 1 - pauses
    if counted < LEAST_TICKS - 1 or regular < LEAST_REGULAR * counted or missing > 0.1 * pulses:
        return None
    mean = spent / pulses
    spread = math.sqrt(max(squares / regular - (mean - period) ** 2, 0.0))
    return RegularChannel(
        channel, mean * stream.macro_tick_ns, ticks, spread * stream.macro_tick_ns, missing / pulses, pauses
    )


def _seen_from_pulses(
    stream: PhotonStream, channel: int, laser_ticks: float, divider: int, bin_ticks: int, most: int
) -> Iterator[Photons]:
    """Photons as (pulse, bin after the pulse), one pass; ticks carry over from chunk to chunk."""
    last_tick: int | None = None
    last_pulse = latest = 0
    for photons in stream.chunks(most):
        is_tick = photons.channel == channel
        ticks = photons.macro[is_tick]
        keep, begun = ~is_tick, np.cumsum(is_tick)
        if last_tick is None:
            if not len(ticks):
                continue
            # The first tick gets the pulse that its time asks for, so that pulses times period is time.
            last_tick, last_pulse = int(ticks[0]), int(ticks[0] / laser_ticks)
            keep &= begun > 0
        steps = np.diff(ticks, prepend=last_tick)
        whole = np.rint(steps / (laser_ticks * divider)).astype(np.int64) * divider
        tick = np.concatenate([[last_tick], ticks])
        pulse = np.concatenate([[last_pulse], last_pulse + np.cumsum(whole)])
        row = begun[keep]
        after = (photons.macro[keep] - tick[row]).astype(float)
        later = np.floor(after / laser_ticks)
        nanotime = np.maximum((after - later * laser_ticks) / bin_ticks, 0.0).astype(np.int32)
        # An uneven step (a false tick) must not send a later photon to an earlier pulse.
        macro = np.maximum.accumulate(np.append(latest, pulse[row] + later.astype(np.int64)))[1:]
        last_tick, last_pulse = int(tick[-1]), int(pulse[-1])
        if len(macro):
            latest = int(macro[-1])
            yield Photons(macro, nanotime, photons.channel[keep])
