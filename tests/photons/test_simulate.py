"""Simulated streams: what was put in comes out; compiled draws equal plain ones; what is refused."""

import numpy as np
import pytest

from perolux.errors import OptionError
from perolux.photons import _stream_kernels as kernels
from perolux.photons.correlation import pairs
from perolux.photons.dwells import Exponential
from perolux.photons.simulate import Detectors, Level, alternating_stream, simulate_stream


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("pair_delay", [-1.0, 2.0])
def test_compiled_pulses_are_the_plain_ones(pair_delay):
    found = []
    for kernel in (kernels.pulsed_photons, kernels.pulsed_photons.py_func):
        cell, fine = np.zeros(3000, np.int64), np.zeros(3000)
        n = kernel(rng(4), 10, 20_000, 0.05, 0.02, 8.0, pair_delay, 8.0, cell, fine, 0)
        found.append((n, cell[:n], fine[:n]))
    assert found[0][0] == found[1][0] > 1000
    assert np.array_equal(found[0][1], found[1][1]) and np.allclose(found[0][2], found[1][2], rtol=1e-12)


def test_compiled_steady_light_is_the_plain_one():
    found = []
    for kernel in (kernels.continuous_photons, kernels.continuous_photons.py_func):
        cell, fine = np.zeros(3000, np.int64), np.zeros(3000)
        n = kernel(rng(4), 5.0, 1e6, 30.0, 8.0, 0.05, 1e3, cell, fine, 0)
        found.append(cell[:n] * 1e3 + fine[:n])
    assert len(found[0]) > 500 and np.allclose(*found, rtol=1e-12)


def test_compiled_detectors_are_the_plain_ones():
    cell = np.arange(2000, dtype=np.int64)
    fine, channel = 10 * rng(1).random(2000), rng(2).integers(0, 2, 2000).astype(np.uint8)
    found = []
    for kernel in (kernels.detect, kernels.detect.py_func):
        out = np.zeros(4000, np.int64), np.zeros(4000), np.zeros(4000, np.uint8)
        n = kernel(rng(3), cell, fine, channel, 10.0, 25.0, 0.3, 40.0, *out)
        found.append([one[:n] for one in out])
    for a, b in zip(*found, strict=True):
        assert np.allclose(a, b, rtol=1e-12)


def test_counts_decay_and_splitting():
    made = simulate_stream(
        [Level(2e5, 9.0)],
        duration_s=2.0,
        rng=rng(),
        sync_period_ns=400.0,
        pulse_at_ns=5.0,
        detectors=Detectors(split=0.3),
    )
    photons = made.stream.load()
    assert len(photons) == pytest.approx(4e5, abs=4 * 632)
    assert np.mean(photons.channel == 0) == pytest.approx(0.3, abs=0.004)
    delay = (photons.nanotime + 0.5) * made.stream.nanotime_bin_ns - 5.0
    assert delay.mean() == pytest.approx(9.0, abs=5 * 9 / 632)


def test_decays_longer_than_the_period_wrap_into_the_next():
    period, tau = 20.0, 30.0
    made = simulate_stream([(4e5, tau)], duration_s=2.0, rng=rng(), sync_period_ns=period)
    delay = (made.stream.load().nanotime + 0.5) * 0.016
    exact = tau - period / np.expm1(period / tau)
    assert delay.mean() == pytest.approx(exact, abs=5 * 6 / np.sqrt(8e5))


@pytest.mark.parametrize(("g2_zero", "pair"), [(0.0, None), (0.2, None), (0.2, 2.0), (3.0, None)])
def test_pulsed_g2_is_what_was_asked(g2_zero, pair):
    made = simulate_stream(
        [(2e5, 5.0)],
        duration_s=4.0,
        rng=rng(7),
        sync_period_ns=200.0,
        g2_zero=g2_zero,
        biexciton_lifetime_ns=pair,
    )
    found = pairs(made.stream, window_ns=2100.0, width_ns=1.0)
    order = np.round(found.tau_ns / 200.0).astype(int)
    areas = np.array([found.counts[order == k].sum() for k in range(-10, 11)], float)
    side = np.delete(areas, 10).mean()
    error = np.sqrt(max(areas[10], 1)) / side + g2_zero / np.sqrt(20 * side)
    assert abs(areas[10] / side - g2_zero) < 4 * error


def test_steady_light_rises_as_it_should():
    rate, life, share = 4e5, 20.0, 0.1
    g = 0.19  # own light 0.9
    made = simulate_stream([(rate, life)], duration_s=5.0, rng=rng(2), g2_zero=g, efficiency=share)
    assert made.stream.nanotime_bin_ns is None
    found = pairs(made.stream, window_ns=100.0, width_ns=2.0)
    own = rate * np.sqrt(1 - g)
    wait = share * 1e9 / own - life
    k = 1 / wait + 1 / life
    # mean over each bin
    edges = np.abs(found.tau_ns[:, None] + np.linspace(-1, 1, 41)[None, :])
    true = 1 - (1 - g) * np.mean(np.exp(-k * edges), axis=1)
    scale = found.photons[0] * found.photons[1] * 2.0 / 5e9
    chi2 = np.sum((found.counts - scale * true) ** 2 / (scale * true))
    assert chi2 < len(true) + 5 * np.sqrt(2 * len(true))
    assert len(made.stream) == pytest.approx(rate * 5, rel=0.005)


def test_dead_time_and_afterpulses():
    dead = 100.0
    made = simulate_stream(
        [(2e6, 4.0)],
        duration_s=0.5,
        rng=rng(3),
        efficiency=0.01,
        detectors=Detectors(split=1.0, dead_time_ns=dead),
    )
    gaps = np.diff(made.stream.load().macro) * made.stream.macro_tick_ns
    assert gaps.min() >= dead - made.stream.macro_tick_ns
    assert len(made.stream) == pytest.approx(1e6 / (1 + 2e6 * 1e-7), rel=0.01)
    plain = simulate_stream([(1e4, 4.0)], duration_s=10.0, rng=rng(3), efficiency=0.01)
    after = simulate_stream(
        [(1e4, 4.0)], duration_s=10.0, rng=rng(3), efficiency=0.01, detectors=Detectors(afterpulse=0.1)
    )
    assert len(after.stream) / len(plain.stream) == pytest.approx(1 / 0.9, rel=0.005)


def test_dark_counts_are_flat_and_jitter_widens():
    dark = simulate_stream(
        [(0.0, 1.0)],
        duration_s=10.0,
        rng=rng(),
        sync_period_ns=100.0,
        detectors=Detectors(dark_cps=(2e4, 1e4)),
    ).stream
    assert dark.photons_per_channel[0] == pytest.approx(2e5, abs=2000)
    assert np.mean(dark.load().nanotime * 0.016) == pytest.approx(50.0, abs=0.3)
    sharp = simulate_stream(
        [(1e5, 1e-3)],
        duration_s=1.0,
        rng=rng(),
        sync_period_ns=100.0,
        pulse_at_ns=50.0,
        detectors=Detectors(jitter_ns=0.5),
    ).stream
    assert np.std(sharp.load().nanotime * 0.016) == pytest.approx(0.5, rel=0.02)


def test_levels_have_their_rates_in_their_dwells():
    made = simulate_stream(
        [(1e4, 3.0), (8e4, 9.0)],
        duration_s=20.0,
        rng=rng(5),
        sync_period_ns=100.0,
        dwell=(Exponential(0.2), Exponential(0.1)),
    )
    photons = made.stream.load()
    time = photons.macro * 1e-7
    inside = np.searchsorted(made.ends_s, time, side="right") - 1
    state = made.states[np.clip(inside, 0, len(made.states) - 1)]
    spent = made.share_of_time() * 20.0
    for k, level in enumerate(made.levels):
        assert np.sum(state == k) / spent[k] == pytest.approx(level.rate_cps, rel=0.02)
        mean = (photons.nanotime[state == k] + 0.5).mean() * 0.016
        assert mean == pytest.approx(level.lifetime_ns, rel=0.03)
    share = made.share_of_time()
    mean = share @ [1e4, 8e4]
    assert made.blinking_factor() == pytest.approx(share @ [1e8, 64e8] / mean**2)
    assert len(made.changes_s) == len(made.states) - 1


def test_equal_seeds_give_equal_photons():
    one, two = (
        simulate_stream([(1e4, 5.0)], duration_s=1.0, rng=rng(9), sync_period_ns=100.0) for _ in range(2)
    )
    assert np.array_equal(one.stream.load().macro, two.stream.load().macro)
    assert np.array_equal(one.stream.load().nanotime, two.stream.load().nanotime)


def test_the_alternating_stream_is_the_documented_one():
    made = alternating_stream(0)
    assert len(made.time_s) == 1_000_000 and len(made.changes_s) == 391
    draw = rng(0)
    end, times = 0.0, []
    for k in range(3):
        dwell = draw.exponential(0.05)
        count = draw.poisson((2e4, 8e4)[k % 2] * dwell)
        times.append(end + np.sort(dwell * draw.random(count)))
        end += dwell
    plain = np.concatenate(times)
    assert np.array_equal(made.time_s[: len(plain)], plain) and made.changes_s[2] == end


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"levels": []}, "no levels"),
        ({"levels": [(-1.0, 1.0)]}, "cps"),
        ({"levels": [(1e4, 0.0)]}, "lifetime"),
        ({"levels": [(1e8, 1.0)], "sync_period_ns": 100.0}, "a pulse"),
        ({"levels": [(1e8, 20.0)], "sync_period_ns": None}, "efficiency/lifetime"),
        ({"levels": [(1e4, 1.0), (2e4, 1.0)]}, "no law"),
        ({"dwell": [Exponential(1.0)] * 3}, "laws"),
        ({"g2_zero": -0.1}, "g2"),
        ({"g2_zero": 1.5, "sync_period_ns": None}, "steady light"),
        ({"duration_s": 0.0}, "duration_s"),
        ({"duration_s": 1e9}, "1e8"),
        ({"efficiency": 0.1}, "no effect"),
        ({"biexciton_lifetime_ns": 1.0, "sync_period_ns": None}, "pulsed"),
    ],
)
def test_refused(change, says):
    call = {"levels": [(1e4, 5.0)], "duration_s": 1.0, "rng": rng(), "sync_period_ns": 100.0} | change
    with pytest.raises(OptionError, match=says):
        simulate_stream(call.pop("levels"), **call)


def test_detectors_refuse_with_all_problems():
    with pytest.raises(OptionError) as caught:
        Detectors(split=2.0, jitter_ns=-1.0, afterpulse=0.9)
    assert len(caught.value.problems) == 3
