"""g2(0) by pulse, by windows and with tails: truth recovered, intervals that hold, the real dot."""

import numpy as np
import pytest

from perolux.errors import OptionError
from perolux.files import example_path
from perolux.measured.decays import read_decay
from perolux.measured.photon_stream import PhotonStream, stream_of_arrays
from perolux.photons.g2_tails import (
    _single,
    _single_slopes,
    _train,
    _train_slopes,
    fit_tails,
    tail_alternatives,
)
from perolux.photons.pulsed_g2 import PulsePairs, g2_by_pulse, g2_by_windows, pairs_by_pulse
from perolux.photons.simulate import Detectors, simulate_stream

PERIOD = 200.0


def source(
    seed: int, g2: float, dark: tuple[float, float] = (0.0, 0.0), lifetime: float = 10.0
) -> PhotonStream:
    return simulate_stream(
        [(2e5, lifetime)], duration_s=0.1, rng=np.random.default_rng(seed), sync_period_ns=PERIOD, g2_zero=g2,
        detectors=Detectors(dark_cps=dark),
    ).stream  # fmt: skip


def test_pairs_by_pulse_are_those_of_brute_force() -> None:
    rng = np.random.default_rng(3)
    sync = np.sort(rng.integers(0, 3000, 900))
    channel = rng.integers(0, 2, 900)
    stream = stream_of_arrays(sync, channel, macro_tick_ns=PERIOD, sync_period_ns=PERIOD, duration_s=6e-4)
    found = pairs_by_pulse(stream, most=7)
    lag = (sync[channel == 1][None] - sync[channel == 0][:, None]).ravel()
    np.testing.assert_array_equal(found.counts, [np.count_nonzero(lag == k) for k in range(-7, 8)])


def test_intervals_hold_the_truth_with_dark_counts() -> None:
    inside, values = [], []
    for seed in range(100):
        stream = source(seed, 0.15, (4e3, 9e3))
        found = g2_by_pulse(pairs_by_pulse(stream), dark_cps=(4e3, 9e3), period_ns=PERIOD)
        inside.append(found.low95 <= 0.15 <= found.high95)
        values.append(found.corrected)
    assert 0.89 <= np.mean(inside) <= 1.0
    assert np.mean(values) == pytest.approx(0.15, abs=4 * np.std(values) / 10)


def test_late_photons_are_put_back() -> None:
    lifetime = 80.0
    raw, corrected = [], []
    for seed in range(20):
        pairs = pairs_by_pulse(source(seed, 0.05, lifetime=lifetime))
        late = np.exp(-PERIOD / lifetime)
        found = g2_by_pulse(pairs, period_ns=PERIOD, late=late)
        raw.append(found.raw)
        corrected.append(found.corrected)
    assert np.mean(raw) > 0.15
    assert np.mean(corrected) == pytest.approx(0.05, abs=0.03)


def test_side_peaks_of_unrelated_light_are_one() -> None:
    rng = np.random.default_rng(0)
    sync = np.sort(rng.integers(0, 10**6, 60_000))
    stream = stream_of_arrays(
        sync, rng.integers(0, 2, 60_000), macro_tick_ns=PERIOD, sync_period_ns=PERIOD, duration_s=0.2
    )
    found = g2_by_pulse(pairs_by_pulse(stream), period_ns=PERIOD)
    assert found.bunching == pytest.approx(1, abs=0.03)
    assert found.low95 < 1 < found.high95


def test_nothing_counted_at_zero_gives_an_upper_bound() -> None:
    lag = np.arange(-5, 6)
    found = g2_by_pulse(PulsePairs(lag, np.where(lag == 0, 0, 50), (1000, 1000), 1e6), period_ns=PERIOD)
    assert found.corrected == 0
    assert found.low95 == 0
    assert 0.02 < found.high95 < 0.08


def test_wrong_settings() -> None:
    pairs = pairs_by_pulse(source(0, 0.1))
    with pytest.raises(OptionError, match="dark counts of 1e"):
        g2_by_pulse(pairs, dark_cps=(1e9, 0.0), period_ns=PERIOD)
    with pytest.raises(OptionError, match="late photons"):
        g2_by_pulse(pairs, period_ns=PERIOD, late=0.7)
    free = stream_of_arrays([1, 2], [0, 1], macro_tick_ns=1.0, duration_s=1.0)
    with pytest.raises(OptionError, match="do not count laser pulses"):
        pairs_by_pulse(free)
    with pytest.raises(OptionError, match="no whole side peak"):
        g2_by_windows(np.arange(-50.0, 51.0), np.ones(101), period_ns=100.0)


def test_train_is_the_sum_of_its_peaks() -> None:
    edges = np.linspace(-250.25, 250.25, 1002)
    train = np.diff(_train(edges, 30.0, 100.0))
    peaks = sum(np.diff(_single(edges - 100.0 * k, 30.0)) for k in range(-40, 41))
    np.testing.assert_allclose(train, peaks, rtol=1e-9)


@pytest.mark.parametrize("lifetime", [0.7, 12.0, 400.0])
def test_slopes_of_the_peaks_are_their_differences(lifetime: float) -> None:
    x, h = np.linspace(-250.0, 250.0, 402) + 0.123, 1e-5
    dx, dlog = _single_slopes(x, lifetime)
    up, down = _single(x, lifetime * np.exp(h)), _single(x, lifetime * np.exp(-h))
    np.testing.assert_allclose(dx, (_single(x + h, lifetime) - _single(x - h, lifetime)) / (2 * h), atol=1e-8)
    np.testing.assert_allclose(dlog, (up - down) / (2 * h), atol=1e-8)
    moves = [(h, 0.0, 0.0), (0.0, h, 0.0), (0.0, 0.0, h)]
    for slope, (a, b, c) in zip(_train_slopes(x, lifetime, 100.0), moves, strict=True):
        up, down = (_train(x + s * a, lifetime * np.exp(s * b), 100.0 + s * c) for s in (1, -1))
        np.testing.assert_allclose(slope, (up - down) / (2 * h), atol=1e-7)


@pytest.mark.slow
def test_tails_come_back() -> None:
    rng = np.random.default_rng(1)
    tau = np.arange(-210.0, 210.01, 0.5)
    edges = np.append(tau - 0.25, tau[-1] + 0.25)
    train, one = np.diff(_train(edges, 25.0, 100.0)), np.diff(_single(edges, 25.0))
    inside, lifetimes = [], []
    for _ in range(20):
        found = fit_tails(
            tau, rng.poisson(2.0 + 6000.0 * (train - one + 0.2 * one)), period_ns=100.0, exponentials=1
        )
        inside.append(found.low95 <= 0.2 <= found.high95)
        lifetimes.append(found.lifetimes_ns[0])
    assert np.mean(inside) >= 0.8
    error = np.std(lifetimes) / np.sqrt(len(lifetimes))
    assert np.mean(lifetimes) == pytest.approx(25, abs=4 * error)
    assert error < 0.4


@pytest.mark.slow
def test_real_dot() -> None:
    decay = read_decay(example_path("single_dot") / "g2.txt")
    windows = g2_by_windows(decay.time_ns, decay.counts, period_ns=100.0)
    assert windows.centre == 2752
    assert windows.side * 2 == 9616 + 9797
    assert windows.raw == pytest.approx(0.284, abs=0.003)
    assert windows.sigma == pytest.approx(0.006, abs=0.001)
    fits = tail_alternatives(decay.time_ns, decay.counts, period_ns=100.0, exponentials=(1, 2))
    best = fits[0]
    assert best.model == "2 lifetimes"
    assert best.g2 == pytest.approx(0.12, abs=0.03)
    assert best.low95 < best.g2 < best.high95
    assert best.lifetimes_ns == pytest.approx((4.1, 27.6), rel=0.05)
    # the spread of the models is wider than any error bar
    assert min(fit.g2 for fit in fits) < 0.08
