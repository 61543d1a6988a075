"""Start and stop against a plain loop, and against all pairs at a low and at a high rate."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perolux.errors import OptionError
from perolux.measured.photon_stream import PhotonStream, stream_of_arrays
from perolux.photons.correlation import pairs
from perolux.photons.simulate import simulate_stream
from perolux.photons.start_stop import start_stop


def steady(rate_cps: float, count: int, seed: int = 0) -> PhotonStream:
    rng = np.random.default_rng(seed)
    seconds = count / rate_cps
    tick = np.sort(rng.integers(0, int(seconds * 1e9), count))
    return stream_of_arrays(tick, rng.integers(0, 2, count), macro_tick_ns=1.0, duration_s=seconds)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), chunk=st.integers(1, 80), window=st.integers(3, 400))
def test_it_is_the_plain_loop_in_any_chunks(seed: int, chunk: int, window: int) -> None:
    rng = np.random.default_rng(seed)
    macro = np.sort(rng.integers(0, 100, 300))
    nano = rng.integers(0, 100, 300)
    order = np.lexsort((nano, macro))
    macro, nano, channel = macro[order], nano[order], rng.integers(0, 3, 300)
    stream = stream_of_arrays(
        macro, channel, nanotime=nano, nanotime_bin_ns=1.0, macro_tick_ns=100.0, sync_period_ns=100.0,
        duration_s=1e-5,
    )  # fmt: skip
    split = replace(stream, read_chunks=lambda most: stream.read_chunks(chunk))
    found = start_stop(split, window_ns=float(window), width_ns=1.0, sides=((0,), (1,)))
    counts, started, starts = np.zeros(window, int), None, 0
    for time, one in zip(macro * 100 + nano, channel, strict=True):
        if started is not None and time - started >= window:
            started = None
        if one == 0 and started is None:
            started, starts = time, starts + 1
        elif one == 1 and started is not None:
            counts[time - started] += 1
            started = None
    np.testing.assert_array_equal(found.counts, counts)
    assert found.starts == starts


def test_at_a_low_rate_it_agrees_with_all_pairs() -> None:
    stream = steady(2e4, 400_000)
    raw, corrected = start_stop(stream, window_ns=2000.0, width_ns=100.0).g2()
    all_pairs, error = pairs(stream, window_ns=1950.0, width_ns=100.0).continuous_g2()
    assert np.abs(raw - corrected).max() < 0.03  # 2 us at 1e4 stops a second
    # both count nearly the same photons: their means agree within their errors
    late = all_pairs[len(all_pairs) // 2 + 1 :]
    assert raw.mean() == pytest.approx(late.mean(), abs=4 * float(np.sqrt(np.mean(error**2) / len(late))))


def test_at_a_high_rate_stops_are_lost_and_put_back() -> None:
    stream = steady(2e6, 400_000)
    found = start_stop(stream, window_ns=3000.0, width_ns=100.0)
    raw, corrected = found.g2()
    lost = np.exp(-1e-3 * found.tau_ns)
    error = np.sqrt(found.counts) / (found.counts / raw)
    assert np.abs((raw - lost) / error).max() < 4.5
    assert raw[-1] < 0.1
    assert np.abs((corrected - 1) * lost / error).max() < 4.5
    assert found.stopped > 0.9
    all_pairs, error = pairs(stream, window_ns=3000.0, width_ns=100.0).continuous_g2()
    assert np.abs((all_pairs - 1) / error).max() < 4.5


def test_the_correction_is_no_cure_for_antibunched_light() -> None:
    made = simulate_stream(
        [(2e7, 10.0)], duration_s=0.05, rng=np.random.default_rng(1), efficiency=0.6, tick_ns=0.1
    )
    found = start_stop(made.stream, window_ns=200.0, width_ns=2.0)
    raw, corrected = found.g2()
    true, _ = pairs(made.stream, window_ns=200.0, width_ns=2.0).continuous_g2()
    late = found.tau_ns > 100
    assert raw[late].mean() < 0.4
    assert true[-40:].mean() == pytest.approx(1, abs=0.02)
    assert abs(corrected[late].mean() - 1) > 0.02


def test_wrong_options() -> None:
    with pytest.raises(OptionError, match="a window"):
        start_stop(steady(1e5, 1000), window_ns=1.0, width_ns=2.0)
    dark = stream_of_arrays([1, 2], [0, 0], macro_tick_ns=1.0, duration_s=1.0)
    with pytest.raises(OptionError, match="no g2"):
        start_stop(dark, window_ns=5.0, width_ns=1.0, sides=((0,), (1,))).g2()
