"""Series of spectra end to end: which law, intervals, interference, photons beside it."""

import json
import math

import numpy as np
import pytest

from perolux.errors import OptionError
from perolux.measured import SpectrumSet
from perolux.photons.analysis import Settings, analyse
from perolux.photons.diffusion_photons import correlate
from perolux.photons.diffusion_simulation import Jumps, Wander, simulate_series
from perolux.photons.dwells import Exponential
from perolux.photons.hom import diffusion_spread, visibility
from perolux.photons.line_profile import LineModel, gaussian_instrument
from perolux.photons.simulate import simulate_stream
from perolux.photons.spectral_diffusion import HBAR_EV_PS, analyse_diffusion
from perolux.photons.spectral_series import series_of

INSTRUMENT = gaussian_instrument(4e-4)
LINE = {"model": LineModel("lorentzian", INSTRUMENT), "widths_ev": (1e-4,), "pixels": 64}
MODEL = LineModel("voigt", INSTRUMENT)


def made(motion, seed=0, frames=300, photons=200.0, **kept):
    return simulate_series(
        motion, np.random.default_rng(seed), frames=frames, exposure_s=0.1, photons=photons, **LINE, **kept
    )


def holds(p, true):
    return (p["low"] is None or p["low"] <= true) and (p["high"] is None or true <= p["high"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("motion", "law"),
    [
        (Wander(5e-4, 1.0), "wander"),
        (Wander(diffusion_ev2_per_s=3e-8), "walk"),
        (Wander(), "static"),
        (Wander(4e-4, 2e-3), "white"),
        (Jumps((-6e-4, 0.0, 6e-4), (4.0, 4.0, 4.0)), "jumps"),
    ],
)
def test_the_law_that_moved_it(motion, law):
    steps = 400 if law == "white" else 16
    found = analyse_diffusion(series_of(made(motion, steps=steps).spectra), MODEL, t1_ps=100.0, t2_ps=112.0)
    assert law in found.not_excluded
    record = found.as_dict()
    json.dumps(record, allow_nan=False)
    laws = {one["law"]: one for one in record["laws"]}
    p = laws["wander"]["parameters"]
    if law == "wander":
        assert holds(p["spread_ev"], 5e-4) and holds(p["correlation_time_s"], 1.0)
    if law == "walk":
        assert holds(laws["walk"]["parameters"]["diffusion_ev2_per_s"], 3e-8)
    if law == "static":
        early = record["interference"]["delays"][0]
        assert early["detuning_spread_rad_per_ps"]["high"] is None and early["visibility_low95"] is None
    if law == "jumps":
        assert found.best == "jumps" and len(found.jumps) == 3
        assert "not that of jumps" in record["interference"]["note"]
    assert record["frames_by_status"]["ok"] >= 295


@pytest.mark.slow
def test_interference_is_that_of_the_room():
    delays = (0.0, 1e-9, 0.5, 1e4)
    found = analyse_diffusion(
        series_of(made(Wander(5e-4, 1.0)).spectra), MODEL, t1_ps=100.0, t2_ps=112.0, delays_s=delays
    )
    s1, tc = found.wander
    for one in found.interference:
        spread = float(diffusion_spread(s1 / HBAR_EV_PS, one.delay_s, tc))
        assert one.spread_rad_per_ps.value == pytest.approx(spread, rel=1e-6, abs=1e-15)
        seen = float(visibility(100.0, 112.0, detuning_spread_rad_per_ps=spread))
        assert one.visibility == pytest.approx(seen, rel=1e-6)
        assert one.extrapolated == (one.delay_s < 0.1)
        assert one.visibility_low <= one.visibility <= one.visibility_high
    assert found.interference[0].visibility == pytest.approx(0.56, rel=1e-9)
    assert found.as_dict()["line"]["coherence_time_at_least_ps"] > 1.0


def test_irregular_series_have_no_shifts():
    whole = made(Wander(5e-4, 1.0), frames=60).spectra
    start = np.cumsum(np.random.default_rng(1).uniform(0.11, 0.4, 60))
    from dataclasses import replace

    odd = SpectrumSet(tuple(replace(s, label=f"{t:.4f} s") for s, t in zip(whole, start, strict=True)))
    found = analyse_diffusion(series_of(odd, exposure_s=0.1), MODEL)
    record = found.as_dict()
    assert found.jumps is None and found.shifts is None
    assert "whole periods" in record["mean_squared_shift"]["reason"]
    assert {"jumps", "mean_squared_shift", "width_against_exposure", "visibility"} <= set(record["missing"])


def test_what_is_refused():
    series = series_of(made(Wander(), frames=10).spectra)
    with pytest.raises(OptionError, match="one of T1 and T2"):
        analyse_diffusion(series, MODEL, t1_ps=100.0)
    with pytest.raises(OptionError, match="longer than twice"):
        analyse_diffusion(series, MODEL, t1_ps=100.0, t2_ps=300.0)
    with pytest.raises(OptionError, match="delay"):
        analyse_diffusion(series, MODEL, delays_s=(-1.0,))


@pytest.fixture(scope="module")
def photons():
    stream = simulate_stream(
        [(1e3, 3.0), (2e4, 12.0), (4e4, 20.0)], duration_s=40.0, rng=np.random.default_rng(0),
        sync_period_ns=200.0, dwell=Exponential(1.0),
    ).stream  # fmt: skip
    time = stream.load().macro * stream.macro_tick_ns * 1e-9
    start = 2.0 + 0.1 * np.arange(360)
    return stream, np.histogram(time, np.append(start, start[-1] + 0.1))[0] / 0.1


@pytest.mark.slow
def test_energy_follows_the_photons(photons):
    stream, rate = photons
    truth = made(Wander(5e-5, 1.0), frames=360, photons=0.01 * rate, shift_ev=-4e-4 * rate / 4e4)
    found = analyse_diffusion(
        series_of(truth.spectra), MODEL, beside=analyse(stream, Settings()), offset_s=2.0
    )
    link = found.photons
    assert link.rate_cps == pytest.approx(rate, abs=10.0)
    assert link.energy.high95 < -0.5 and link.brightness.low95 > 0.9
    middle, top = link.levels[1], link.levels[2]
    assert top.shift_ev is None
    assert abs(middle.shift_ev - 2e-4) < 3 * middle.shift_sigma_ev + 1e-5
    assert top.spectrum.max() > 1.5 * middle.spectrum.max()
    json.dumps(found.as_dict(), allow_nan=False)


@pytest.mark.slow
def test_clocks_must_overlap(photons):
    stream, rate = photons
    truth = made(Wander(), frames=360, photons=0.01 * rate)
    series, beside = series_of(truth.spectra), analyse(stream, Settings())
    with pytest.raises(OptionError, match="photons' clock"):
        analyse_diffusion(series, MODEL, beside=beside, offset_s=100.0)
    late = analyse_diffusion(series, MODEL, beside=beside, offset_s=20.0)
    assert late.photons.inside.sum() == 200
    assert any("lie outside" in text for text in late.warnings)
    assert any("--spectra-offset-s right" in text for text in late.warnings)


def test_correlation_of_series_that_remember():
    rng = np.random.default_rng(0)
    outside = plain = 0
    for _ in range(300):
        x, y = np.zeros(200), np.zeros(200)
        for k in range(1, 200):
            x[k], y[k] = 0.9 * x[k - 1] + rng.normal(), 0.9 * y[k - 1] + rng.normal()
        found = correlate(x, y)
        outside += found.low95 is not None and not found.low95 <= 0 <= found.high95
        plain += abs(math.atanh(found.r)) > 1.96 / math.sqrt(197)
    # 5 % wanted; estimated memories are noisy, so that up to 12 % pass. Without memory half of them are wrong
    assert outside < 36 and plain > 120
    assert correlate(np.ones(20), x[:20]).r is None
    assert "too few" in correlate(x[:3], y[:3]).reason


@pytest.mark.long
def test_coverage_from_spectra_to_intervals():
    hits = np.zeros(2)
    runs = 120
    for seed in range(runs):
        truth = made(Wander(5e-4, 1.0), seed=seed, photons=150.0)
        from perolux.photons.diffusion_laws import Observed, fit_wander
        from perolux.photons.line_path import fit_line_path

        path = fit_line_path(series_of(truth.spectra), MODEL)
        ok = path.ok
        p = fit_wander(Observed(truth.start_s[ok], path.centre_ev[ok], path.centre_sigma_ev[ok], 0.1))[
            0
        ].parameters
        hits += [
            holds(p["spread_ev"].as_dict(), 5e-4),
            holds(p["correlation_time_s"].as_dict(), 1.0),
        ]
    # 95 % of 120: 114 with a deviation of 2.4
    assert np.all(hits >= 106)
