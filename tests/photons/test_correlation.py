"""Pairs against brute force, whatever the chunks; unrelated light is flat; starts and stops are not used."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perolux.errors import OptionError
from perolux.measured.photon_stream import PhotonStream, stream_of_arrays
from perolux.photons.correlation import log_lags, pairs, two_sides

TICK, BIN = 200.0, 0.1


def poisson_pulsed(count: int, seed: int, chance: float = 0.02) -> PhotonStream:
    rng = np.random.default_rng(seed)
    sync = np.cumsum(rng.geometric(chance, count))
    nano = (rng.exponential(10.0, count) / BIN).astype(np.int64)
    return stream_of_arrays(
        sync, rng.integers(0, 2, count), nanotime=nano, nanotime_bin_ns=BIN, macro_tick_ns=TICK,
        sync_period_ns=TICK, duration_s=(sync[-1] + 1) * TICK * 1e-9,
    )  # fmt: skip


def in_chunks(stream: PhotonStream, size: int) -> PhotonStream:
    return replace(stream, read_chunks=lambda most: stream.read_chunks(size))


def delays(stream: PhotonStream) -> np.ndarray:
    photons = stream.load()
    time = photons.macro * TICK + photons.nanotime * BIN
    a, b = time[photons.channel == 0], time[photons.channel == 1]
    return (b[None, :] - a[:, None]).ravel()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), chunk=st.integers(1, 300), width=st.floats(0.7, 50.0))
def test_pairs_are_those_of_brute_force_in_any_chunks(seed: int, chunk: int, width: float) -> None:
    stream = poisson_pulsed(300, seed, 0.2)
    found = pairs(in_chunks(stream, chunk), window_ns=900.0, width_ns=width)
    half = len(found.counts) // 2
    edges = (np.arange(-half, half + 2) - 0.5) * width
    # a delay on an edge may fall to either side by rounding
    tau = delays(stream)
    safe = np.abs(tau / width - np.floor(tau / width) - 0.5) > 1e-9
    if safe.all():
        np.testing.assert_array_equal(found.counts, np.histogram(tau, edges)[0])
    assert found.photons == tuple(np.bincount(stream.load().channel, minlength=2))


def test_unrelated_light_is_flat() -> None:
    rng = np.random.default_rng(2)
    tick = np.sort(rng.integers(0, 10**9, 400_000))
    stream = stream_of_arrays(tick, rng.integers(0, 2, 400_000), macro_tick_ns=1.0, duration_s=1.0)
    g2, error = pairs(stream, window_ns=1000.0, width_ns=10.0).continuous_g2()
    z = (g2 - 1) / error
    assert abs(z.mean()) < 3 / np.sqrt(len(z)) + 0.1
    assert 0.8 < z.std() < 1.2
    lags = log_lags(stream)
    late = lags.low_ns > 1000
    score = (lags.g2[late] - 1) * np.sqrt(lags.pairs[late])
    # lags are not independent: neighbours share photons
    assert np.abs(score).max() < 5
    assert np.abs(lags.g2[lags.low_ns > 1e6] - 1).max() < 3e-3


def test_short_lags_are_exact() -> None:
    stream = poisson_pulsed(3000, 4)
    photons = stream.load()
    lag = (photons.macro[photons.channel == 1][None] - photons.macro[photons.channel == 0][:, None]).ravel()
    found = log_lags(in_chunks(stream, 311))
    for low, high, count in zip(found.low_ns[:60], found.high_ns[:60], found.pairs[:60], strict=True):
        assert count == np.count_nonzero((lag * TICK >= low) & (lag * TICK < high))


@pytest.mark.slow
def test_blinking_bunches_up_to_its_time() -> None:
    rng = np.random.default_rng(1)
    on = np.repeat(np.arange(200) % 2 == 0, 1000)
    rate = np.where(on, 30, 0)
    count = rng.poisson(rate)
    tick = np.sort(np.repeat(np.arange(len(rate)), count) * 1000 + rng.integers(0, 1000, count.sum()))
    stream = stream_of_arrays(
        tick, rng.integers(0, 2, len(tick)), macro_tick_ns=100.0, duration_s=len(rate) * 1000 * 1e-7
    )
    found = log_lags(stream)
    middle = np.sqrt(found.low_ns * found.high_ns)
    assert np.mean(found.g2[(middle > 1e5) & (middle < 1e6)]) == pytest.approx(2.0, abs=0.05)
    # one period on and one off of 100 ms: half a period later all is dark
    assert found.g2[np.argmin(np.abs(middle - 1e8))] < 0.2


def test_bad_questions() -> None:
    stream = poisson_pulsed(100, 0)
    with pytest.raises(OptionError, match="window of 1 ns"):
        pairs(stream, window_ns=1.0, width_ns=10.0)
    with pytest.raises(OptionError, match="both sides"):
        two_sides(stream, ((0,), (0,)))
    alone = stream_of_arrays([1, 2, 3], [4, 4, 4], macro_tick_ns=1.0, duration_s=1.0)
    with pytest.raises(OptionError, match="which are A and B"):
        two_sides(alone)
    with pytest.raises(OptionError, match="no photons"):
        pairs(stream, window_ns=10.0, width_ns=1.0, sides=((0,), (7,))).continuous_g2()
