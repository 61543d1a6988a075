"""Gates against brute force, the cascade's law, and biexciton yields that come back by area and by gate."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perolux.errors import OptionError
from perolux.measured.photon_stream import PhotonStream, stream_of_arrays
from perolux.photons.pulsed_g2 import g2_by_pulse, pairs_by_pulse
from perolux.photons.simulate import Detectors, simulate_stream
from perolux.photons.time_gate import expected_gated_g2, g2_in_gate, gated_pairs, yield_by_gate

PERIOD, PULSE = 200.0, 5.0


def cascade(
    seed: int, ratio: float = 0.2, dark: tuple[float, float] = (0.0, 0.0), jitter: float = 0.0
) -> PhotonStream:
    return simulate_stream(
        [(2e5, 12.0)], duration_s=0.5, rng=np.random.default_rng(seed), sync_period_ns=PERIOD, g2_zero=ratio,
        biexciton_lifetime_ns=2.0, pulse_at_ns=PULSE, detectors=Detectors(dark_cps=dark, jitter_ns=jitter),
    ).stream  # fmt: skip


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), chunk=st.integers(1, 100), skip=st.integers(0, 2))
def test_pairs_are_those_of_brute_force_in_any_chunks(seed: int, chunk: int, skip: int) -> None:
    rng = np.random.default_rng(seed)
    n, most = 200, 4
    sync, nano, channel = np.sort(rng.integers(0, 80, n)), rng.integers(0, 2100, n), rng.integers(0, 3, n)
    stream = stream_of_arrays(
        sync, channel, nanotime=nano, nanotime_bin_ns=0.1, macro_tick_ns=PERIOD, sync_period_ns=PERIOD,
        duration_s=80 * PERIOD * 1e-9,
    )  # fmt: skip
    split = replace(stream, read_chunks=lambda size: stream.read_chunks(chunk))
    found = gated_pairs(split, [10.0, 40.0, 90.0], stop_ns=150.0, most=most, skip=skip, sides=((0,), (1,)))
    edges = np.array([100, 400, 900, 1500])
    centre, beside = np.zeros(3, int), np.zeros(3, int)
    for i in np.flatnonzero(channel == 0):
        for j in np.flatnonzero(channel == 1):
            first, lag = min(nano[i], nano[j]), abs(sync[i] - sync[j])
            if max(nano[i], nano[j]) >= 1500 or first < 100 or lag > most:
                continue
            k = np.searchsorted(edges, first, side="right") - 1
            centre[k] += lag == 0
            beside[k] += lag > skip
    np.testing.assert_array_equal(found.centre, centre)
    np.testing.assert_array_equal(found.beside, beside)
    for side in (0, 1):
        np.testing.assert_array_equal(
            found.photons[side],
            [np.sum((nano[channel == side] >= a) & (nano[channel == side] < b)) for a, b in pairwise(edges)],
        )


def test_an_open_gate_is_g2_by_pulse() -> None:
    stream = cascade(0, dark=(300.0, 500.0))
    (gated,) = g2_in_gate(gated_pairs(stream, [0.0]), dark_cps=(300.0, 500.0))
    plain = g2_by_pulse(pairs_by_pulse(stream), dark_cps=(300.0, 500.0), period_ns=PERIOD)
    assert gated is not None
    assert gated.corrected == pytest.approx(plain.corrected, rel=1e-9)
    assert (gated.low95, gated.high95) == pytest.approx((plain.low95, plain.high95), rel=1e-6)


@pytest.mark.slow
def test_a_scan_falls_by_the_law_of_the_cascade() -> None:
    dark, starts = (300.0, 500.0), PULSE + np.array([0.0, 1.0, 2.0, 4.0])
    exact = expected_gated_g2(0.2, starts - PULSE, biexciton_ns=2.0, exciton_ns=12.0)
    scores = []
    for seed in range(10):
        found = g2_in_gate(gated_pairs(cascade(seed, dark=dark), starts), dark_cps=dark)
        scores.append([(one.corrected - truth) / one.sigma for one, truth in zip(found, exact, strict=True)])
    # means of ten scores; the few biexciton photons among the singles move the law by less
    assert np.abs(np.mean(scores, axis=0)).max() < 1.2
    assert exact[-1] < 0.3 * exact[0]


def test_two_emitters_do_not_fall() -> None:
    stream = simulate_stream(
        [(4e5, 12.0)], duration_s=0.5, rng=np.random.default_rng(1), sync_period_ns=PERIOD, g2_zero=0.5,
        pulse_at_ns=PULSE,
    ).stream  # fmt: skip
    found = g2_in_gate(gated_pairs(stream, [PULSE, PULSE + 8.0]))
    assert found[1] is not None
    assert abs(found[1].corrected - 0.5) < 4 * found[1].sigma


@pytest.mark.slow
def test_both_yields_hold_the_truth() -> None:
    dark, jitter = (300.0, 500.0), 0.1
    scores, lifetimes, errors = [], [], []
    for seed in range(20):
        stream = cascade(seed, dark=dark, jitter=jitter)
        found = yield_by_gate(stream, PULSE + 0.8, pulse_ns=PULSE, response_sigma_ns=jitter, dark_cps=dark)
        plain = g2_by_pulse(pairs_by_pulse(stream), dark_cps=dark, period_ns=PERIOD)
        scores.append((found.value - 0.2) / found.sigma)
        lifetimes.append((found.lifetime_ns - 2.0) / found.lifetime_sigma)
        errors.append(found.sigma / plain.sigma)
        assert found.share_kept < 1
    assert abs(np.mean(scores)) < 0.9  # four errors of a mean of twenty
    assert 0.5 < np.std(scores) < 1.6
    assert abs(np.mean(lifetimes)) < 0.9
    assert np.median(errors) > 1  # the gate loses information


def test_wrong_gates() -> None:
    stream = cascade(0)
    with pytest.raises(OptionError, match="within 0 to 200"):
        gated_pairs(stream, [5.0], stop_ns=300.0)
    with pytest.raises(OptionError, match="one after the other"):
        gated_pairs(stream, [50.0], stop_ns=20.0)
    with pytest.raises(OptionError, match="side peaks"):
        gated_pairs(stream, [5.0], most=2, skip=2)
    with pytest.raises(OptionError, match="dark counts"):
        g2_in_gate(gated_pairs(stream, [5.0]), dark_cps=(1e7, 0.0))
    with pytest.raises(OptionError, match="from the pulse"):
        yield_by_gate(stream, 1.0, pulse_ns=PULSE)
    with pytest.raises(OptionError, match="open the gate earlier"):
        yield_by_gate(stream, 150.0, pulse_ns=PULSE)
    steady = simulate_stream([(5e4, 8.0)], duration_s=0.1, rng=np.random.default_rng(0)).stream
    with pytest.raises(OptionError, match="no time gate"):
        gated_pairs(steady, [1.0])
