"""Intensity correlation: exact for two states, its errors, afterpulses, what cannot be had."""

import numpy as np
import pytest

from perolux.errors import OptionError
from perolux.measured.photon_stream import stream_of_arrays
from perolux.photons.dwells import Exponential, walk
from perolux.photons.intensity_correlation import binned_correlation, intensity_correlation
from perolux.photons.simulate import Detectors, simulate_stream


def counts(seed: int, duration_s: float, width_s: float) -> np.ndarray:
    """Binned counts of two states (20 and 80 kcps, 20 ms each), without photons' times."""
    rng = np.random.default_rng(seed)
    ends, state = walk([Exponential(0.02)] * 2, duration_s, rng)
    area = np.concatenate([[0.0], np.cumsum(np.diff(ends) * np.array([2e4, 8e4])[state])])
    edges = width_s * np.arange(int(duration_s / width_s) + 1)
    return rng.poisson(np.diff(np.interp(edges, ends, area))).astype(np.float32)


@pytest.mark.slow
def test_two_states_decay_with_the_sum_of_their_rates_and_errors_are_their_size() -> None:
    """G = 1 + (30/50)^2 exp(-tau/10 ms); each value within its error, over forty records."""
    scores = []
    for seed in range(40):
        a = counts(seed, 8.0, 1e-3 / 8)
        lag, value, sigma = binned_correlation(a, a, 1e-3 / 8)
        exact = 1 + 0.36 * np.exp(-lag / 0.01)
        scores.append(((value - exact) / sigma)[[0, 8, 16, 24, 32, 48]])
    score = np.array(scores)
    assert lag[0] == pytest.approx(1e-3) and 0.7 < lag[-1] <= 0.8
    assert np.all(np.abs(score.mean(axis=0)) < 0.8)
    assert np.all((score.std(axis=0) > 0.7) & (score.std(axis=0) < 1.6))


def test_two_detectors_from_a_microsecond_on() -> None:
    made = simulate_stream(
        [(2e4, 5.0), (8e4, 8.0)], duration_s=10.0, rng=np.random.default_rng(2), sync_period_ns=100.0,
        dwell=Exponential(0.02),
    )  # fmt: skip
    found = intensity_correlation(made.stream, sides=((0,), (1,)))
    assert found.lag_s[0] < 2e-6 and found.lag_s[-1] <= 1.0
    assert np.all(np.diff(found.lag_s) > 0)
    exact = 1 + 0.36 * np.exp(-found.lag_s / 0.01)
    assert np.mean(np.abs(found.value - exact) < 3 * found.sigma) > 0.9
    assert not found.notes and found.two_detectors
    alone = intensity_correlation(made.stream)
    assert alone.lag_s[0] == pytest.approx(1e-3) and not alone.two_detectors
    # both see the same blinking
    assert np.interp(0.01, alone.lag_s, alone.value) == pytest.approx(
        np.interp(0.01, found.lag_s, found.value), abs=0.01
    )


def test_afterpulses_are_told_of_and_do_not_count() -> None:
    made = simulate_stream(
        [(1e5, 5.0)], duration_s=4.0, rng=np.random.default_rng(3), sync_period_ns=100.0,
        detectors=Detectors(afterpulse=0.03, afterpulse_ns=300.0, dead_time_ns=50.0),
    )  # fmt: skip
    found = intensity_correlation(made.stream, sides=((0,), (1,)))
    assert found.after_share == pytest.approx(0.03, abs=5 * found.after_sigma)
    assert "afterpulses" in found.notes[0]
    assert np.all(np.abs(found.value - 1) < 5 * found.sigma)
    assert "begins at 1 ms" in intensity_correlation(made.stream).notes[0]
    assert found.as_dict()["reason"] is None


def test_short_and_dark_records() -> None:
    few = stream_of_arrays(np.arange(100) * 100, np.zeros(100, int), macro_tick_ns=100.0, duration_s=0.05)
    with pytest.raises(OptionError, match="too short"):
        intensity_correlation(few)
    dark = stream_of_arrays(np.arange(100) * 100, np.zeros(100, int), macro_tick_ns=100.0, duration_s=1.0)
    with pytest.raises(OptionError, match="no photons"):
        intensity_correlation(dark, sides=((0,), (1,)))
