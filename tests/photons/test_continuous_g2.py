"""g2(0) of steady light: the blurred exponential against integrals, exact limits, coverage."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad

from perolux.errors import OptionError
from perolux.measured.photon_stream import PhotonStream, stream_of_arrays
from perolux.photons.continuous_g2 import blurred_bins, continuous_g2, fit_continuous_g2, odd_ticks
from perolux.photons.correlation import PairHistogram, pairs
from perolux.photons.emitter import Emitter, Step, steady_g2
from perolux.photons.emitter_stream import emitter_stream
from perolux.photons.simulate import Detectors, simulate_stream

DARK, JITTER = (2e4, 3e4), 0.3


def emitter(seed: int, g2: float = 0.1, duration_s: float = 0.5, jitter: float = JITTER) -> PhotonStream:
    """Two levels of 10 ns beside steady light: g2 = 1 - (1 - g2) exp(-rate tau)."""
    return simulate_stream(
        [(1e6, 10.0)], duration_s=duration_s, rng=np.random.default_rng(seed), efficiency=0.05, g2_zero=g2,
        tick_ns=0.1, detectors=Detectors(jitter_ns=jitter, dark_cps=DARK),
    ).stream  # fmt: skip


def rise_of(g2: float) -> float:
    return 1 / (1 / 10 + 1 / (0.05e9 / (1e6 * np.sqrt(1 - g2)) - 10))


def histogram(expected: np.ndarray, width: float) -> PairHistogram:
    """Counts that are the model itself, of 1e6 photons on each side in 1 s."""
    half = len(expected) // 2
    unrelated = 1e12 * width / 1e9
    return PairHistogram(
        width * np.arange(-half, half + 1),
        np.rint(unrelated * expected).astype(int),
        width,
        (10**6, 10**6),
        1.0,
    )


@pytest.mark.parametrize(
    ("time", "blur", "width"),
    [(5.0, 0.5, 0.3), (1.0, 3.0, 0.5), (0.2, 2.0, 1.0), (50.0, 0.1, 1.0), (8.0, 0.0, 2.0)],
)
def test_blurred_bins_are_their_integrals(time: float, blur: float, width: float) -> None:
    tau = np.array([-7.0, -1.3, 0.0, 0.4, 5.0]) * width

    def g(x: float) -> float:
        if blur == 0:
            return float(np.exp(-abs(x) / time))
        ends = sorted({-10 * blur, float(np.clip(x, -10 * blur, 10 * blur)), 10 * blur})
        return sum(
            quad(lambda u: np.exp(-abs(x - u) / time - u * u / (2 * blur**2)), a, b, epsabs=1e-12)[0]
            for a, b in pairwise(ends)
        ) / (blur * np.sqrt(2 * np.pi))

    exact = [
        quad(g, t - width / 2, t + width / 2, points=[0.0] if abs(t) < width / 2 else None, epsabs=1e-10)[0]
        / width
        for t in tau
    ]
    np.testing.assert_allclose(blurred_bins(tau, width, time, blur), exact, rtol=1e-8, atol=1e-10)


def test_an_incoherent_two_level_emitter_exactly() -> None:
    two = Emitter(("g", "x"), (Step("g", "x", 1.0, "pump"), Step("x", "g", 0.1, "emission", 1.0)))
    pump, width, blur = 0.05, 0.5, 0.7
    tau = width * np.arange(-200, 201)
    shape = 1 - blurred_bins(tau, 1e-6, 1 / 0.15, blur)
    np.testing.assert_allclose(steady_g2(two, pump, tau, jitter_ns=blur), shape, atol=1e-7)
    binned = 1 - blurred_bins(tau, width, 1 / 0.15, blur)
    found = fit_continuous_g2(histogram(binned, width), jitter_ns=blur)
    assert found.model == "dip"
    assert found.raw == pytest.approx(0, abs=0.01)  # rounding to whole counts
    assert found.rise_ns == pytest.approx(1 / 0.15, rel=0.01)
    assert found.low95 == 0
    assert found.plateau == pytest.approx(1, abs=1e-3)


@pytest.mark.slow
def test_dip_with_bunching_and_peak() -> None:
    width = 1.0
    tau = width * np.arange(-1000, 1001)
    a, b, short, long = 0.9, 0.8, 8.0, 100.0
    both = short * long / (short + long)
    shape = (
        1 - a * blurred_bins(tau, width, short, 0.5) + b * blurred_bins(tau, width, long, 0.5)
        - a * b * blurred_bins(tau, width, both, 0.5)
    )  # fmt: skip
    found = fit_continuous_g2(histogram(shape, width), jitter_ns=0.5)
    assert found.model == "dip and bunching"
    assert found.raw == pytest.approx((1 - a) * (1 + b), abs=0.01)
    assert (found.rise_ns, found.bunching, found.bunching_ns) == pytest.approx((8, 0.8, 100), rel=0.02)
    peak = fit_continuous_g2(histogram(1 + 4.0 * blurred_bins(tau, width, 20.0, 0.0), width))
    assert peak.model == "peak"
    assert peak.raw == pytest.approx(5, rel=0.01)
    free = fit_continuous_g2(histogram(1 - blurred_bins(tau, width, 8.0, 2.0), width), jitter_ns=None)
    assert free.jitter_ns == pytest.approx(2, rel=0.1)
    assert free.raw == pytest.approx(0, abs=0.03)


def test_dark_counts_are_taken_off_exactly() -> None:
    tau = 1.0 * np.arange(-100, 101)
    # 0.424 measured behind rho = 0.8 is 0.10
    shape = 1 - 0.576 * blurred_bins(tau, 1.0, 8.0, 0.0)
    found = fit_continuous_g2(histogram(shape, 1.0), dark_cps=(2e5, 2e5))
    assert found.raw == pytest.approx(0.424, abs=2e-3)
    level = found.plateau
    assert found.corrected == pytest.approx((level * found.raw - 0.36) / (level - 0.36), abs=1e-12)
    assert found.corrected == pytest.approx(0.1, abs=5e-3)


@pytest.mark.slow
def test_flat_light_has_no_g2_zero() -> None:
    rng = np.random.default_rng(3)
    tick = np.sort(rng.integers(0, 10**9, 300_000))
    stream = stream_of_arrays(tick, rng.integers(0, 2, len(tick)), macro_tick_ns=1.0, duration_s=1.0)
    with pytest.raises(OptionError, match="flat"):
        continuous_g2(stream)


@pytest.mark.slow
def test_the_window_finds_short_and_long_dips() -> None:
    for lifetime in (0.8, 250.0):
        stream = simulate_stream(
            [(2e6, lifetime)], duration_s=0.5, rng=np.random.default_rng(1), efficiency=0.6, tick_ns=0.064
        ).stream
        found = continuous_g2(stream)
        rise = 1 / (1 / lifetime + 1 / (0.6e9 / 2e6 - lifetime))
        assert found.rise_ns == pytest.approx(rise, abs=5 * (found.sigmas["rise_ns"] or 0))
        assert found.low95 is not None
        assert found.low95 < 0.03


def test_bins_hold_an_odd_number_of_ticks() -> None:
    assert odd_ticks(0.5, 0.1) == pytest.approx(0.5)
    assert odd_ticks(0.45, 0.1) == pytest.approx(0.3)
    assert odd_ticks(0.05, 0.1) == pytest.approx(0.1)
    stream = emitter(0, duration_s=0.2)
    assert continuous_g2(stream, dark_cps=DARK).coincidences.width_ns / 0.1 % 2 == pytest.approx(1)


@pytest.mark.slow
def test_shelving_of_an_emitter() -> None:
    states = ("ground", "bright", "dark")
    steps = (
        Step("ground", "bright", 1.0, "pump"), Step("bright", "ground", 0.1, "emission", 1.0),
        Step("bright", "dark", 0.01, "transfer"), Step("dark", "ground", 0.004, "loss"),
    )  # fmt: skip
    shelved = Emitter(states, steps)
    stream = emitter_stream(
        shelved, duration_s=0.02, rng=np.random.default_rng(2), pump_per_ns=0.05, tick_ns=0.1
    )
    found = continuous_g2(stream, window_ns=1500.0)
    assert found.model == "dip and bunching"
    assert found.high95 is not None
    assert found.high95 < 0.1
    assert found.low95 == 0
    shape = steady_g2(shelved, 0.05, found.coincidences.tau_ns)
    score = (found.coincidences.counts - found.model_counts) / np.sqrt(found.model_counts)
    assert np.abs(score).max() < 5
    assert np.abs(found.model_counts / found.model_counts[-1] - shape / shape[-1]).max() < 0.15


def _coverage(seeds: range, g2: float) -> tuple[float, float, float]:
    inside, scores, rises = [], [], []
    for seed in seeds:
        found = continuous_g2(emitter(seed, g2), dark_cps=DARK, jitter_ns=JITTER * 2**0.5)
        inside.append(found.low95 <= g2 <= found.high95)
        scores.append((found.corrected - g2) / found.sigma)
        rises.append((found.rise_ns - rise_of(g2)) / found.sigmas["rise_ns"])
    return float(np.mean(inside)), float(np.mean(scores)), float(np.mean(rises))


@pytest.mark.slow
def test_the_interval_holds_the_truth_in_a_few_streams() -> None:
    inside, score, rise = _coverage(range(12), 0.2)
    assert inside >= 0.75  # 12 of 95 %: below in 0.03 %
    assert abs(score) < 1.2
    assert abs(rise) < 1.2


@pytest.mark.long
@pytest.mark.parametrize("g2", [0.0, 0.2, 0.5])
def test_the_interval_holds_the_truth_in_many_streams(g2: float) -> None:
    inside, score, rise = _coverage(range(1000, 1200), g2)
    # binomial of 200: 95 % within three deviations; at the bound of 0 intervals are one-sided and wider
    assert (0.90 if g2 else 0.93) <= inside <= (0.99 if g2 else 1.0)
    assert abs(score) < (0.25 if g2 else 1.0)
    assert abs(rise) < 0.3


def test_wrong_input() -> None:
    stream = emitter(0, duration_s=0.1)
    found = pairs(stream, window_ns=100.0, width_ns=0.5)
    with pytest.raises(OptionError, match="dark counts"):
        fit_continuous_g2(found, dark_cps=(1e9, 0.0))
    with pytest.raises(OptionError, match="jitter"):
        fit_continuous_g2(found, jitter_ns=-1.0)
    with pytest.raises(OptionError, match="models"):
        fit_continuous_g2(found, models=("dips",))
    few = PairHistogram(found.tau_ns, found.counts // 1000, 0.5, found.photons, found.duration_s)
    with pytest.raises(OptionError, match="too few"):
        fit_continuous_g2(few)
