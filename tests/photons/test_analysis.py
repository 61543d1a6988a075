"""One record from end to end: what was simulated comes back."""

import json

import numpy as np
import pytest

from perolux.errors import OptionError
from perolux.measured.photon_stream import stream_of_arrays
from perolux.photons.analysis import Settings, analyse
from perolux.photons.change_points import change_points_of_stream
from perolux.photons.dwells import Exponential
from perolux.photons.instrument_response import GaussianResponse
from perolux.photons.intensity import intensity_trace, nanotimes_of, stretch_lifetimes
from perolux.photons.levels import find_levels
from perolux.photons.simulate import Detectors, SimulatedStream, simulate_stream

DARK = (200.0, 300.0)
LEVELS = ((2e4, 5.0), (8e4, 12.0))


def simulated(seed: int, duration_s: float = 4.0, **more: float) -> SimulatedStream:
    return simulate_stream(
        LEVELS, duration_s=duration_s, rng=np.random.default_rng(seed), sync_period_ns=100.0,
        dwell=Exponential(0.05), g2_zero=0.1, detectors=Detectors(dark_cps=DARK), **more,
    )  # fmt: skip


@pytest.fixture(scope="module")
def record() -> dict:
    return analyse(simulated(1, 8.0).stream, Settings(dark_cps=DARK)).as_dict()


def test_levels_come_back(record: dict) -> None:
    assert len(record["levels"]) == 2
    for found, (rate, lifetime) in zip(record["levels"], LEVELS, strict=True):
        assert abs(found["rate_cps"] - rate - sum(DARK)) < 4 * found["rate_sigma"]
        assert abs(found["lifetime_ns"] - lifetime) < 4 * found["lifetime_sigma"]
        assert found["exponentials"] == 1
    assert record["levels"][1]["on"]
    g2 = record["g2_zero"]
    assert g2["low95"] < 0.1 < g2["high95"]
    assert g2["raw"] > g2["corrected"]
    assert record["dwell_times"]["on"]["best"] == "exponential"
    pair = record["biexciton"]
    assert pair["yield_over_exciton"] == g2["corrected"]
    assert pair["low95"] < 0.1 < pair["high95"]
    assert "value" in pair["time_gate"] or "reason" in pair["time_gate"]
    assert len(record["time_gate_scan"]) > 5
    assert "three are needed" in record["g3_zero"]["reason"]
    json.dumps(record, allow_nan=False)


def test_on_fraction_and_changes_come_back(record: dict) -> None:
    made = simulated(1, 8.0)
    assert record["on_fraction"] == pytest.approx(made.share_of_time()[1], abs=0.01)
    assert len(record["change_points_s"]) == pytest.approx(len(made.changes_s), rel=0.05)


def _coverage(seeds: range) -> np.ndarray:
    rows = []
    for seed in seeds:
        found = analyse(simulated(seed, 1.5).stream, Settings(dark_cps=DARK)).as_dict()
        if len(found["levels"]) != 2:
            rows.append([False] * 5)
            continue
        row = []
        for level, (rate, lifetime) in zip(found["levels"], LEVELS, strict=True):
            row.append(abs(level["rate_cps"] - rate - sum(DARK)) < 1.96 * level["rate_sigma"])
            row.append(abs(level["lifetime_ns"] - lifetime) < 1.96 * level["lifetime_sigma"])
        g2 = found["g2_zero"]
        rows.append([*row, g2["low95"] <= 0.1 <= g2["high95"]])
    return np.mean(rows, axis=0)


@pytest.mark.slow
def test_every_interval_holds_the_truth_in_a_hundred_streams() -> None:
    share = _coverage(range(100))
    assert np.all((share >= 0.89) & (share <= 1.0)), share


@pytest.mark.long
def test_every_interval_holds_the_truth_in_four_hundred_streams() -> None:
    share = _coverage(range(1000, 1400))
    assert np.all((share >= 0.90) & (share <= 0.98)), share


def test_with_a_response() -> None:
    made = simulate_stream(
        [(1e5, 6.0)], duration_s=2.0, rng=np.random.default_rng(2), sync_period_ns=50.0, pulse_at_ns=5.0,
        detectors=Detectors(jitter_ns=0.4),
    )  # fmt: skip
    found = analyse(made.stream, Settings(response=GaussianResponse(0.4, 5.0)))
    (life,) = found.lifetimes
    assert abs(life.lifetime_ns - 6.0) < 4 * life.sigma_ns
    assert not any("response" in text for text in found.assumptions)


def test_lifetimes_of_stretches() -> None:
    made = simulated(4, 10.0)
    segments = change_points_of_stream(made.stream)
    levels = find_levels(segments)
    view = nanotimes_of(made.stream, segments, levels.of_segment)
    dark = sum(DARK) * segments.duration_s / segments.photons
    lifetime, error = stretch_lifetimes(view, dark)
    for k, (_, true) in enumerate(LEVELS):
        use = (levels.of_segment == k) & (view.photons > 300) & np.isfinite(lifetime)
        score = (lifetime[use] - true) / error[use]
        assert abs(score.mean()) < 0.4
        assert 0.8 < score.std() < 1.3
    assert view.counts.sum() == len(made.stream)


def test_trace_counts_all_whole_bins() -> None:
    stream = stream_of_arrays([0, 5, 9, 10, 25], [0] * 5, macro_tick_ns=1e8, duration_s=3.0)
    found = intensity_trace(stream, 1.0)
    assert found.counts.tolist() == [3, 1, 1]


@pytest.mark.slow
def test_a_continuous_record_has_no_lifetimes_and_says_why() -> None:
    made = simulate_stream([(5e4, 8.0)], duration_s=2.0, rng=np.random.default_rng(0), efficiency=0.05)
    found = analyse(made.stream).as_dict()
    assert found["levels"][0]["lifetime_ns"] is None
    assert "T2" in found["levels"][0]["lifetime_reason"]
    assert any("steady light: no sync" in text for text in found["assumptions"])
    assert found["biexciton"]["yield_over_exciton"] is None
    assert "steady" in found["biexciton"]["reason"]
    assert found["time_gate_scan"] == []


def test_one_detector_has_no_g2() -> None:
    made = simulate_stream(
        [(5e4, 8.0)],
        duration_s=1.0,
        rng=np.random.default_rng(0),
        sync_period_ns=100.0,
        detectors=Detectors(split=1.0),
    )
    found = analyse(made.stream).as_dict()
    assert found["g2_zero"]["raw"] is None
    assert found["levels"][0]["lifetime_ns"] == pytest.approx(8, rel=0.05)


@pytest.mark.slow
def test_wrong_settings() -> None:
    stream = simulated(0, 0.5).stream
    with pytest.raises(OptionError, match="dark counts of"):
        analyse(stream, Settings(dark_cps=(1e8, 0.0)))
    with pytest.raises(OptionError, match="both sides"):
        analyse(stream, Settings(sides=((0,), (0,))))
    with pytest.raises(OptionError, match="no photons"):
        analyse(stream_of_arrays(np.zeros(0, int), np.zeros(0, int), macro_tick_ns=1.0, duration_s=1.0))


@pytest.mark.slow
def test_the_foot_of_the_edge_is_not_taken_for_decay():
    """Jitter spreads the pulse to before its half height: those photons are no late light of the last."""
    simulated = simulate_stream(
        [(4000.0, 3.0), (40000.0, 15.0)], duration_s=8.0, rng=np.random.default_rng(3),
        sync_period_ns=200.0, dwell=Exponential(0.05), pulse_at_ns=5.0,
        detectors=Detectors(jitter_ns=0.15, dark_cps=(200.0, 150.0)),
    )  # fmt: skip
    found = analyse(simulated.stream, Settings(dark_cps=(200.0, 150.0)))
    assert 0.3 < found.nanotimes.foot_ns < 1.0
    for level, truth in zip(found.lifetimes, (3.0, 15.0), strict=True):
        assert level.reduced_deviance < 1.3
        assert abs(level.lifetime_ns - truth) < 4.0 * level.sigma_ns
        assert level.sigma_ns < 0.02 * truth
