"""g3 against brute force in any chunks, and against light whose g3 is known exactly."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perolux.errors import OptionError
from perolux.measured.photon_stream import PhotonStream, stream_of_arrays
from perolux.photons.emitter import Emitter, Step, pulse_counts, pulse_moments
from perolux.photons.emitter_stream import emitter_stream
from perolux.photons.simulate import Detectors, simulate_stream
from perolux.photons.third_order import (
    g3_of_independent,
    g3_zero,
    split_over,
    triples,
    triples_by_pulse,
    without_background_g3,
)
from perolux.photons.third_order_dark import dark_triples

PERIOD = 200.0


def pulsed(numbers: np.ndarray, seed: int, detectors: int = 3, loss: float = 0.0) -> PhotonStream:
    """numbers: photons of each pulse; each is kept by chance and goes to a detector by chance."""
    rng = np.random.default_rng(seed)
    sync = np.repeat(np.arange(len(numbers)), rng.binomial(numbers, 1 - loss))
    return stream_of_arrays(
        sync, rng.integers(0, detectors, len(sync)), macro_tick_ns=PERIOD, sync_period_ns=PERIOD,
        duration_s=len(numbers) * PERIOD * 1e-9,
    )  # fmt: skip


def in_chunks(stream: PhotonStream, size: int) -> PhotonStream:
    return replace(stream, read_chunks=lambda most: stream.read_chunks(size))


def plain_pulse_triples(sync: np.ndarray, side: np.ndarray, most: int, *, equal: bool) -> np.ndarray:
    """Plain twin of both kernels: every three photons, looked at one by one."""
    counts = np.zeros((2 * most + 1,) * 2, dtype=np.int64)
    n = len(sync)
    for i in range(n):
        for j in range(i + 1, n):
            for k in range(j + 1, n):
                three = np.array([i, j, k])
                if np.ptp(sync[three]) > most:
                    continue
                if equal:
                    for order in permutations(three):
                        a, b, c = sync[list(order)]
                        counts[most + b - a, most + c - a] += 1
                elif len(set(side[three])) == 3:
                    a, b, c = sync[three[np.argsort(side[three])]]
                    counts[most + b - a, most + c - a] += 1
    return counts


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 1000), chunk=st.integers(1, 60), equal=st.booleans())
def test_pulse_triples_are_those_of_brute_force(seed: int, chunk: int, equal: bool) -> None:
    stream = pulsed(np.random.default_rng(seed).poisson(0.7, 60), seed, detectors=4)
    found = triples_by_pulse(in_chunks(stream, chunk), most=4, same_detector=equal)
    photons = stream.load()
    np.testing.assert_array_equal(
        found.counts, plain_pulse_triples(photons.macro, photons.channel, 4, equal=equal)
    )
    assert not found.counts[~found.observed].any()
    assert sum(found.photons) == len(stream)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 1000), chunk=st.integers(1, 60), width=st.floats(3.0, 60.0))
def test_triples_in_time_are_those_of_brute_force(seed: int, chunk: int, width: float) -> None:
    rng = np.random.default_rng(seed)
    macro = np.sort(rng.integers(0, 30, 60))
    nano = rng.integers(0, 1500, 60)
    channel = rng.integers(0, 4, 60)
    stream = stream_of_arrays(
        macro, channel, nanotime=nano, nanotime_bin_ns=0.1, macro_tick_ns=100.0, sync_period_ns=100.0,
        duration_s=3e-6,
    )  # fmt: skip
    found = triples(in_chunks(stream, chunk), window_ns=200.0, width_ns=width, detectors=(0, 1, 2))
    time = macro * 100.0 + nano * 0.1
    a, b, c = (time[channel == k] for k in range(3))
    one = (b[None, :] - a[:, None])[:, :, None] + np.zeros(len(c))
    two = (c[None, :] - a[:, None])[:, None, :] + np.zeros((len(b), 1))
    half = len(found.tau_ns) // 2
    edges = (np.arange(-half, half + 2) - 0.5) * width
    near = np.concatenate([one.ravel(), two.ravel()]) / width
    if np.all(np.abs(near - np.floor(near) - 0.5) > 1e-9):  # a delay on an edge may fall to either side
        np.testing.assert_array_equal(
            found.counts, np.histogram2d(one.ravel(), two.ravel(), [edges, edges])[0].astype(int)
        )


@pytest.mark.parametrize("equal", [False, True])
def test_unrelated_light_is_one(equal: bool) -> None:
    stream = pulsed(np.random.default_rng(1).poisson(0.15, 400_000), 1)
    found = g3_zero(triples_by_pulse(stream, same_detector=equal))
    # 4 sigma: one draw, sigma from counts
    assert abs(found.value - 1) < 4 * found.sigma
    assert abs(found.pair - 1) < 4 * found.pair_sigma
    assert found.bunching == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("n", [1, 2, 3, 4])
@pytest.mark.parametrize("equal", [False, True])
def test_n_photons_a_pulse(n: int, equal: bool) -> None:
    stream = pulsed(np.full(60_000, n), n, loss=0.7)
    found = g3_zero(triples_by_pulse(stream, most=4, same_detector=equal))
    exact = (n - 1) * (n - 2) / n**2
    assert (found.triples == 0) == (n < 3)
    assert abs(found.value - exact) < 4 * found.sigma
    assert found.low95 <= exact + 0.01
    assert abs(found.pair - (1 - 1 / n)) < 4 * found.pair_sigma + 0.01


def test_three_detectors_or_more_agree() -> None:
    numbers = np.random.default_rng(5).geometric(0.8, 400_000) - 1  # thermal light of one mode: g3 = 6
    for detectors in (3, 4, 6):
        found = g3_zero(triples_by_pulse(pulsed(numbers, detectors, detectors=detectors)))
        assert abs(found.value - 6) < 4 * found.sigma
        assert abs(found.pair - 2) < 4 * found.pair_sigma + 0.05


def test_two_detectors_cannot() -> None:
    stream = pulsed(np.random.default_rng(0).poisson(0.1, 10_000), 0, detectors=2)
    with pytest.raises(OptionError, match="dead time") as caught:
        triples_by_pulse(stream)
    assert "third detector" in str(caught.value)
    with pytest.raises(OptionError, match="dead time"):
        triples(stream, window_ns=1000.0, width_ns=100.0)
    assert g3_zero(triples_by_pulse(stream, same_detector=True)).detectors == 2


def test_dead_time_is_noticed() -> None:
    made = simulate_stream(
        [(2e6, 1.0)], duration_s=0.1, rng=np.random.default_rng(0), sync_period_ns=PERIOD, g2_zero=1.0,
        detectors=Detectors(dead_time_ns=80.0),
    )  # fmt: skip
    with pytest.raises(OptionError, match="dead time swallows"):
        triples_by_pulse(made.stream, same_detector=True)


def test_independent_emitters() -> None:
    rng = np.random.default_rng(7)
    each = 0.3 * np.array([0.5, 0.3, 0.2]) / 0.5
    numbers = (rng.random((400_000, 3)) < each).sum(axis=1)
    pair, triple = g3_of_independent(each / each.sum())
    found = g3_zero(triples_by_pulse(pulsed(numbers, 8)))
    assert abs(found.value - triple) < 4 * found.sigma
    assert abs(found.pair - pair) < 4 * found.pair_sigma
    for count in (1, 2, 5):
        exact = (1 - 1 / count), (1 - 1 / count) * (1 - 2 / count)
        assert g3_of_independent(np.full(count, 1 / count)) == pytest.approx(exact, abs=1e-12)
    with_light = g3_of_independent([0.7, 0.3], [0.2, 1.0], [0.01, 1.0])
    assert without_background_g3(with_light[1], with_light[0], 0.7) == pytest.approx((0.2, 0.01), abs=1e-12)


def cascade(eta: float = 0.5) -> Emitter:
    """Ground, exciton, biexciton, triexciton, each with its light and its Auger loss."""
    steps = [Step(f"{k}", f"{k + 1}", 1.0, "pump") for k in range(3)]
    steps += [Step(f"{k}", f"{k - 1}", k / 10.0, "emission", eta) for k in (1, 2, 3)]
    steps += [Step("2", "1", 0.3, "loss"), Step("3", "2", 0.9, "loss")]
    return Emitter(("0", "1", "2", "3"), tuple(steps))


def test_moments_of_a_cascade() -> None:
    emitter = cascade()
    mean, pairs, threes = pulse_moments(emitter, 0.8, PERIOD)
    counts = pulse_counts(emitter, 0.8, PERIOD)
    assert (mean, pairs) == pytest.approx((counts.mean, counts.pairs), rel=1e-12)
    # by hand: all states are left before the next pulse; of n pairs n photons, each by its odds
    q1, q2, q3 = 0.5, 0.5 * 0.2 / 0.5, 0.5 * 0.3 / 1.2
    weight = [np.exp(-0.8) * 0.8**k / np.prod(range(1, k + 1)) for k in range(3)]
    full = 1 - sum(weight)  # three pairs or more fill the triexciton
    assert threes == pytest.approx(6 * full * q1 * q2 * q3, rel=1e-6)
    assert mean == pytest.approx(weight[1] * q1 + weight[2] * (q1 + q2) + full * (q1 + q2 + q3), rel=1e-6)


@pytest.mark.slow
def test_a_simulated_emitter_with_triexcitons() -> None:
    emitter = cascade(1.0)
    stream = emitter_stream(
        emitter, duration_s=0.1, rng=np.random.default_rng(3), pairs_per_pulse=1.0, sync_period_ns=PERIOD,
        detectors=Detectors(split=1.0),
    )  # fmt: skip
    mean, pairs, threes = pulse_moments(emitter, 1.0, PERIOD)
    split = split_over(stream, [1 / 3] * 3, np.random.default_rng(4))
    found = g3_zero(triples_by_pulse(split, most=5))
    assert abs(found.value - threes / mean**3) < 4 * found.sigma
    assert abs(found.pair - pairs / mean**2) < 4 * found.pair_sigma
    resolved = g3_zero(triples_by_pulse(stream, most=5, same_detector=True))
    assert abs(resolved.value - threes / mean**3) < 4 * resolved.sigma


@pytest.mark.slow
def test_the_interval_holds_the_truth() -> None:
    inside = []
    for seed in range(100):
        stream = pulsed(np.random.default_rng(seed).poisson(0.15, 30_000), seed)
        found = g3_zero(triples_by_pulse(stream, most=5))
        inside.append(found.low95 <= 1 <= found.high95)
    # binomial: 95 % of 100 within three deviations
    assert 0.88 <= np.mean(inside) <= 1.0


def test_steady_light() -> None:
    rng = np.random.default_rng(2)
    tick = np.sort(rng.integers(0, 10**8, 300_000))
    light = stream_of_arrays(tick, rng.integers(0, 3, len(tick)), macro_tick_ns=1.0, duration_s=0.1)
    g3, error = triples(light, window_ns=1000.0, width_ns=101.0).g3()
    score = (g3 - 1) / error
    assert abs(score.mean()) < 0.3  # bins of one photon hang together
    assert 0.7 < score.std() < 1.4


def test_steady_light_of_one_emitter() -> None:
    made = simulate_stream(
        [(2e7, 10.0)], duration_s=0.05, rng=np.random.default_rng(1), efficiency=0.5, tick_ns=0.1,
        detectors=Detectors(split=1.0),
    )  # fmt: skip
    stream = split_over(made.stream, [0.4, 0.3, 0.3], np.random.default_rng(2))
    found = triples(stream, window_ns=60.0, width_ns=1.5)
    g3, error = found.g3()
    rate = 1 / 10 + 1 / (0.5e9 / 2e7 - 10)
    t = found.tau_ns
    one, two = np.meshgrid(t, t, indexing="ij")
    times = np.sort(np.stack([np.zeros_like(one), one, two]), axis=0)

    # a renewal of jumps: g3 is the product of g2 over the two gaps
    def g2(gap: np.ndarray) -> np.ndarray:
        return 1 - np.exp(-rate * gap)

    exact = g2(times[1] - times[0]) * g2(times[2] - times[1])
    middle = len(t) // 2
    assert g3[middle, middle] < 0.02
    away = (np.diff(times, axis=0) > 3).all(axis=0)  # a bin across a cusp sees its mean
    score = (g3 - exact)[away] / error[away]
    assert abs(score.mean()) < 0.3
    assert 0.8 < score.std() < 1.3


def test_wrong_options() -> None:
    stream = pulsed(np.random.default_rng(0).poisson(0.2, 1000), 0)
    with pytest.raises(OptionError, match="separate"):
        triples_by_pulse(stream, detectors=(0, 0, 1))
    with pytest.raises(OptionError, match="triples over"):
        triples_by_pulse(stream, most=1)
    with pytest.raises(OptionError, match="a window"):
        triples(stream, window_ns=1.0, width_ns=2.0)
    with pytest.raises(OptionError, match="do not fit"):
        g3_of_independent([0.5, 0.6])
    with pytest.raises(OptionError, match="share of the signal"):
        without_background_g3(1.0, 1.0, 0.0)
    with pytest.raises(OptionError, match="do not fit"):
        split_over(stream, [0.5, 0.6], np.random.default_rng(0))
    empty = stream_of_arrays([5], [0], macro_tick_ns=PERIOD, sync_period_ns=PERIOD, duration_s=1.0)
    with pytest.raises(OptionError, match="no triples"):
        g3_zero(triples_by_pulse(empty, same_detector=True))


def with_dark(n: int, seed: int, dark: tuple[float, ...], pulses: int = 60_000) -> PhotonStream:
    """n photons a pulse while a slow emitter is bright, a fifth of them detected, and dark counts."""
    rng = np.random.default_rng(seed)
    bright = np.repeat(rng.random(pulses // 1000) < 0.5, 1000)
    light = np.repeat(np.arange(pulses), rng.binomial(n * bright, 0.2))
    extra = [np.repeat(np.arange(pulses), rng.poisson(one, pulses)) for one in dark]
    sync = np.concatenate([light, *extra])
    side = [rng.integers(0, len(dark), len(light)), *(np.full(len(e), k) for k, e in enumerate(extra))]
    order = np.argsort(sync, kind="stable")
    return stream_of_arrays(
        sync[order], np.concatenate(side)[order], macro_tick_ns=PERIOD, sync_period_ns=PERIOD,
        duration_s=pulses * PERIOD * 1e-9,
    )  # fmt: skip


@pytest.mark.parametrize("detectors", [3, 4])
def test_triples_by_dark_counts_are_those_of_the_light_taken_away(detectors: int) -> None:
    """The formula, over all distances, is what dark counts add, by records with and without them."""
    dark = (0.03, 0.05, 0.02, 0.04)[:detectors]
    added, told = np.zeros(2), np.zeros(2)
    for seed in range(3):
        both = with_dark(3, seed, dark, 200_000)
        found = triples_by_pulse(both, most=3)
        off = dark_triples(both, found, [one / PERIOD * 1e9 for one in dark])
        alone = triples_by_pulse(with_dark(3, seed, (0.0,) * detectors, 200_000), most=3)
        middle = (3, 3)
        added += found.counts[middle] - alone.counts[middle], (found.counts - alone.counts).sum()
        told += off.mean[middle], off.mean.sum()
    # light of both records is the same draw but for its detectors: 4 deviations of two Poisson counts; for
    # all distances triples share photons, and ten other sets of seeds scattered by 0.9 %
    assert abs(added[0] - told[0]) < 4 * np.sqrt(2 * found.counts[3, 3] * 3)
    assert told[1] == pytest.approx(added[1], rel=0.03)


def test_dark_counts_are_taken_off() -> None:
    """Blinking light of 2 or 3 photons a pulse: intervals hold 0 and 2/9, uncorrected they do not."""
    dark = (0.02, 0.04, 0.03)
    cps = [one / PERIOD * 1e9 for one in dark]
    for n, exact in ((2, 0.0), (3, 2 / 9)):
        inside, raw, scores = [], [], []
        for seed in range(40):
            stream = with_dark(n, seed, dark)
            counted = triples_by_pulse(stream, most=4)
            found = g3_zero(counted, dark=dark_triples(stream, counted, cps))
            inside.append(found.low95 <= exact <= found.high95)
            scores.append((found.value - exact) / found.sigma)
            raw.append(g3_zero(counted).low95 > exact)
        # binomial: 95 % of 40 falls below 35 once in 200
        assert np.mean(inside) >= 0.875
        assert abs(np.mean(scores)) < 4 / np.sqrt(40) and 0.7 < np.std(scores) < 1.3
        assert np.mean(raw) > 0.8
    with pytest.raises(OptionError, match="in channel 1"):
        dark_triples(stream, counted, (0.0, 1e9, 0.0))
    with pytest.raises(OptionError, match="dark counts of 2 detectors"):
        dark_triples(stream, counted, (0.0, 1.0))
