"""Coincidences of a record: steady and pulsed light told apart, gates, a sync channel, three detectors."""

import json

import numpy as np
import pytest

from perolux.errors import OptionError
from perolux.measured.photon_stream import PhotonStream, stream_of_arrays
from perolux.photons.analysis import Settings, _light, analyse
from perolux.photons.instrument_response import GaussianResponse
from perolux.photons.purity import is_steady
from perolux.photons.simulate import Detectors, simulate_stream
from perolux.photons.third_order import split_over

PERIOD = 100.0


def pulsed(seed: int = 0, **more: float) -> PhotonStream:
    return simulate_stream(
        [(1e5, 10.0)], duration_s=1.0, rng=np.random.default_rng(seed), sync_period_ns=PERIOD, g2_zero=0.2,
        biexciton_lifetime_ns=1.5, pulse_at_ns=5.0, **more,
    ).stream  # fmt: skip


def steady(seed: int = 0) -> PhotonStream:
    return simulate_stream(
        [(1e6, 10.0)],
        duration_s=0.4,
        rng=np.random.default_rng(seed),
        efficiency=0.05,
        g2_zero=0.1,
        tick_ns=0.1,
    ).stream


def as_t3(stream: PhotonStream, period_ns: float = PERIOD) -> PhotonStream:
    """A T2 record as T3 with a clock that has nothing to do with it."""
    photons = stream.load()
    ticks = round(period_ns / stream.macro_tick_ns)
    return stream_of_arrays(
        photons.macro // ticks, photons.channel, nanotime=photons.macro % ticks,
        nanotime_bin_ns=stream.macro_tick_ns, macro_tick_ns=period_ns, sync_period_ns=period_ns,
        duration_s=stream.duration_s,
    )  # fmt: skip


def as_t2(stream: PhotonStream, every: int = 1) -> PhotonStream:
    """A T3 record as T2 with the sync in channel 64."""
    photons = stream.load()
    bin_ns = stream.nanotime_bin_ns
    time = photons.macro * (PERIOD / bin_ns) + photons.nanotime
    sync = np.arange(0, int(stream.duration_s * 1e9 / PERIOD), every) * (PERIOD / bin_ns)
    macro = np.concatenate([sync, time]).astype(np.int64)
    channel = np.concatenate([np.full(len(sync), 64), photons.channel])
    order = np.argsort(macro, kind="stable")
    return stream_of_arrays(macro[order], channel[order], macro_tick_ns=bin_ns, duration_s=stream.duration_s)


def test_kinds_of_light() -> None:
    assert not is_steady(pulsed())
    assert is_steady(steady())
    assert is_steady(as_t3(steady()))
    slow = simulate_stream(
        [(1e6, 10 * PERIOD)], duration_s=0.3, rng=np.random.default_rng(0), sync_period_ns=PERIOD, g2_zero=1.0
    ).stream
    assert not is_steady(slow)  # a lifetime of ten periods


@pytest.mark.slow
def test_steady_light_in_both_modes() -> None:
    for stream in (steady(), as_t3(steady())):
        found = analyse(stream, Settings(response=GaussianResponse(0.0))).as_dict()
        g2 = found["g2_zero"]
        assert g2["low95"] < 0.1 < g2["high95"]
        assert abs(g2["corrected"] - 0.1) < 4 * g2["sigma"]
        assert g2["rise_ns"] == pytest.approx(8.1, abs=5 * g2["sigmas"]["rise_ns"])
        assert "steady light" in g2["method"]
        assert found["levels"][0]["lifetime_ns"] is None
        assert any("steady light" in text for text in found["assumptions"])
        json.dumps(found, allow_nan=False)
    asked = analyse(as_t3(steady()), Settings(light="pulsed")).as_dict()
    assert asked["g2_zero"]["method"] == "by pulse"


@pytest.mark.slow
def test_gate_and_both_yields() -> None:
    found = analyse(pulsed(), Settings(gate_ns=(9.0, 95.0), response=GaussianResponse(0.0, 5.0))).as_dict()
    pair, gated = found["biexciton"], found["g2_zero"]["gated"]
    assert pair["low95"] < 0.2 < pair["high95"]
    assert abs(pair["time_gate"]["value"] - 0.2) < 4 * pair["time_gate"]["sigma"]
    assert pair["time_gate"]["sigma"] > pair["sigma"]
    assert abs(pair["time_gate"]["lifetime_ns"] - 1.5) < 4 * pair["time_gate"]["lifetime_sigma"]
    assert (gated["from_ns"], gated["to_ns"]) == pytest.approx((9.0, 95.0), abs=0.02)
    assert gated["low95"] < gated["expected_of_cascade"] < gated["high95"]
    assert gated["corrected"] < 0.5 * found["g2_zero"]["corrected"]
    with pytest.raises(OptionError, match="within 0 to 100"):
        analyse(pulsed(), Settings(gate_ns=(9.0, 200.0)))
    with pytest.raises(OptionError, match="no gate"):
        analyse(steady(), Settings(gate_ns=(9.0, 20.0)))


@pytest.mark.slow
@pytest.mark.parametrize("every", [1, 8])
def test_a_sync_channel_gives_what_t3_gives(every: int) -> None:
    stream = pulsed()
    plain = analyse(stream).as_dict()
    t2 = as_t2(stream, every)
    if every == 1:
        found = analyse(t2).as_dict()
        assert any("channel 64 is the sync" in text for text in found["assumptions"])
    else:
        from dataclasses import replace

        found = analyse(replace(t2, sync_period_ns=PERIOD), Settings(sync_channel=64)).as_dict()
        assert any("divider 8" in text for text in found["warnings"])
    assert found["sync_period_ns"] == pytest.approx(PERIOD, rel=1e-6)
    assert found["photons_per_channel"] == plain["photons_per_channel"]
    # rounding to ticks may move a few photons over the edge of a period
    assert found["g2_zero"]["centre_counts"] == pytest.approx(plain["g2_zero"]["centre_counts"], abs=2)
    assert found["g2_zero"]["corrected"] == pytest.approx(plain["g2_zero"]["corrected"], abs=0.01)
    assert found["levels"][0]["lifetime_ns"] == pytest.approx(plain["levels"][0]["lifetime_ns"], rel=0.01)


def test_a_named_channel_stays_a_detector() -> None:
    stream = simulate_stream(
        [(1e5, 10.0)], duration_s=0.05, rng=np.random.default_rng(0), sync_period_ns=PERIOD
    ).stream
    t2 = as_t2(stream)
    told: list[str] = []
    same, _ = _light(t2, Settings(sides=((0,), (64,))), told)
    assert same is t2
    made, steady_light = _light(t2, Settings(sides=((0,), (1,))), told)
    assert made.macro_is_sync
    assert not steady_light
    with pytest.raises(OptionError, match="does not tick"):
        analyse(t2, Settings(sync_channel=1))
    with pytest.raises(OptionError, match="ticks"):
        analyse(steady(), Settings(light="pulsed"))
    with pytest.raises(OptionError, match="pulsed, steady"):
        analyse(steady(), Settings(light="bright"))


@pytest.mark.slow
def test_three_detectors_give_g3() -> None:
    stream = pulsed(detectors=Detectors(split=1.0))
    three = split_over(stream, [1 / 3] * 3, np.random.default_rng(1))
    found = analyse(three, Settings(sides=((0,), (1,)))).as_dict()
    assert found["g3_zero"]["value"] == 0  # two photons a pulse at most
    assert found["g3_zero"]["pair"] == pytest.approx(0.2, abs=4 * found["g3_zero"]["pair_sigma"])
    alone = analyse(stream).as_dict()
    assert alone["g3_zero"]["value"] is None
    with pytest.raises(OptionError, match="detector"):
        analyse(stream, Settings(gate_ns=(5.0, 50.0)))
