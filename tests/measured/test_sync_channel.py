"""A channel that ticks is found by its period alone, and a T2 record becomes the T3 record it was made of."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perolux.errors import OptionError
from perolux.measured.photon_stream import PhotonStream, stream_of_arrays
from perolux.measured.sync_channel import pulsed_by_own_sync, regular_channels, with_sync_channel

TICK, PERIOD = 0.064, 100.03  # the period is no whole number of ticks


def t2(
    seed: int = 0,
    pulses: int = 20_000,
    every: int = 1,
    lost: float = 0.0,
    jitter: float = 0.02,
    start: float = 0.0,
    photons: int = 4_000,
) -> tuple[PhotonStream, np.ndarray, np.ndarray]:
    """A T2 record with the sync in channel 64, and the pulse and delay of each photon, in order."""
    rng = np.random.default_rng(seed)
    at = np.arange(0, pulses, every)
    at = at[rng.random(len(at)) >= lost]
    sync = start + at * PERIOD + jitter * rng.standard_normal(len(at))
    pulse = np.sort(rng.integers(2 * every, pulses - 2 * every, photons))
    delay = np.minimum(1.0 + rng.exponential(10.0, photons), PERIOD - 2)
    light = start + pulse * PERIOD + delay
    time = np.concatenate([sync, light])
    channel = np.concatenate([np.full(len(sync), 64), rng.integers(0, 2, photons)])
    order = np.argsort(time, kind="stable")
    tick = np.floor(time[order] / TICK).astype(np.int64)
    stream = stream_of_arrays(
        np.maximum(tick, 0), channel[order], macro_tick_ns=TICK, duration_s=(start + pulses * PERIOD) * 1e-9
    )
    by_time = np.argsort(light, kind="stable")
    return stream, pulse[by_time], delay[by_time]


def in_chunks(stream: PhotonStream, size: int) -> PhotonStream:
    return replace(stream, read_chunks=lambda most: stream.read_chunks(size))


@settings(max_examples=10, deadline=None)
@given(
    seed=st.integers(0, 100),
    chunk=st.integers(1, 5000),
    every=st.sampled_from([1, 4]),
    lost=st.sampled_from([0.0, 0.02]),
)
def test_pulses_and_nanotimes_come_back_in_any_chunks(seed: int, chunk: int, every: int, lost: float) -> None:
    stream, pulse, delay = t2(seed, pulses=4000 * every, every=every, lost=lost, start=1.0, photons=500)
    made = with_sync_channel(in_chunks(stream, chunk), 64, laser_period_ns=PERIOD if every > 1 else None)
    photons = made.load()
    step = np.diff(photons.macro - pulse)
    assert np.all(step == 0)  # the first pulse may have any number
    assert np.all(np.diff(photons.macro) >= 0)
    found = (photons.nanotime + 0.5) * made.nanotime_bin_ns
    # sync jitter, two roundings to ticks, and the error of the mean period over `every` pulses
    assert np.abs(found - delay).max() < 5 * 0.02 + 2 * TICK
    assert made.sync_period_ns == pytest.approx(PERIOD, rel=1e-6)
    assert made.macro_is_sync
    assert made.photons_per_channel == {k: int(np.sum(photons.channel == k)) for k in (0, 1)}


def test_only_the_sync_ticks() -> None:
    stream, _, _ = t2()
    (found,) = regular_channels(stream)
    assert found.channel == 64
    assert found.period_ns == pytest.approx(PERIOD, rel=1e-6)
    # two rounded times and two jitters to a step
    assert found.jitter_ns == pytest.approx(np.sqrt(2 * 0.02**2 + TICK**2 / 6), rel=0.1)
    made, said = pulsed_by_own_sync(stream)
    assert made.macro_is_sync
    assert said is not None
    assert "channel 64 is the sync" in said
    assert pulsed_by_own_sync(made) == (made, None)


@pytest.mark.parametrize("rate", [1e5, 1e7])
def test_random_light_does_not_tick(rate: float) -> None:
    rng = np.random.default_rng(1)
    tick = np.cumsum(rng.geometric(rate * TICK * 1e-9, 50_000))
    stream = stream_of_arrays(tick, rng.integers(0, 2, 50_000), macro_tick_ns=TICK, duration_s=60.0)
    assert regular_channels(stream) == ()
    assert pulsed_by_own_sync(stream) == (stream, None)


def test_photons_of_a_pulsed_dot_do_not_tick() -> None:
    rng = np.random.default_rng(2)
    pulse = np.cumsum(rng.geometric(0.5, 20_000))  # half of all pulses bring a photon
    tick = ((pulse * PERIOD + rng.exponential(0.5, len(pulse))) / TICK).astype(np.int64)
    stream = stream_of_arrays(tick, rng.integers(0, 2, len(tick)), macro_tick_ns=TICK, duration_s=1.0)
    assert regular_channels(stream) == ()


def test_what_is_left_out_and_lost_is_told() -> None:
    stream, _, _ = t2(lost=0.03)
    late = stream.load()
    cut = np.flatnonzero(late.channel == 64)[0] + 10
    first_sync_late = ~((late.channel == 64) & (np.arange(len(late)) < 5_000))
    kept = late.only(first_sync_late)
    again = stream_of_arrays(kept.macro, kept.channel, macro_tick_ns=TICK, duration_s=stream.duration_s)
    made = with_sync_channel(again, 64)
    assert cut > 0
    assert any("before the first tick" in note for note in made.notes)
    assert any("ticks are missing" in note for note in made.notes)
    assert len(made) == len(made.load())


def test_errors_say_what_would_do() -> None:
    stream, _, _ = t2(every=4)
    with pytest.raises(OptionError, match="no events in channel 7"):
        with_sync_channel(stream, 7)
    with pytest.raises(OptionError, match="does not tick") as caught:
        with_sync_channel(stream, 0)
    assert "64" in str(caught.value)
    with pytest.raises(OptionError, match="whole number of periods"):
        with_sync_channel(stream, 64, laser_period_ns=70.0)
    with pytest.raises(OptionError, match="already"):
        with_sync_channel(with_sync_channel(stream, 64), 0)


def test_a_pause_of_the_laser_is_told() -> None:
    stream, _, _ = t2()
    photons = stream.load()
    later = np.where(np.arange(len(photons)) > 12_000, 10**8, 0)
    again = stream_of_arrays(
        photons.macro + later, photons.channel, macro_tick_ns=TICK, duration_s=stream.duration_s + 6.4
    )
    made = with_sync_channel(again, 64)
    assert any("paused 1 times" in note for note in made.notes)
    assert made.sync_period_ns == pytest.approx(PERIOD, rel=1e-6)


def test_two_channels_that_tick_are_named() -> None:
    stream, _, _ = t2()
    photons = stream.load()
    other = np.arange(0, photons.macro[-1], 5000)
    macro = np.concatenate([photons.macro, other])
    order = np.argsort(macro, kind="stable")
    channel = np.concatenate([photons.channel, np.full(len(other), 9)])
    both = stream_of_arrays(macro[order], channel[order], macro_tick_ns=TICK, duration_s=stream.duration_s)
    same, said = pulsed_by_own_sync(both)
    assert same is both
    assert said is not None
    assert "--sync-channel" in said
    assert with_sync_channel(both, 64).sync_period_ns == pytest.approx(PERIOD, rel=1e-6)
