"""PCFS: transforms, photons thrown one by one, fits and their coverage, and what is refused."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perolux.errors import ModelRangeError, OptionError
from perolux.photons.pcfs import (
    Line,
    PcfsRecord,
    count_pairs,
    delay_of_path,
    envelope,
    fit_pcfs,
    interferogram,
    simulate_position,
    simulate_record,
    spectral_correlation,
    transform,
)

DELAY = np.linspace(0.0, 120.0, 13)
LAGS = np.geomspace(1e-6, 1e-2, 9)
WANDERING = Line(66.0, 0.02, 1e-3)


def record(line, seed=0, seconds=2.0, **changes):
    rng = np.random.default_rng(seed)
    return simulate_record(line, DELAY, LAGS, rng, rate_cps=2e4, seconds=seconds, **changes)


def test_a_lorentzian_line_gives_one_of_twice_its_width():
    line = Line(66.0)
    delay = np.linspace(0, 700, 3501)
    zeta = np.linspace(-0.12, 0.12, 1201)
    p = transform(delay, envelope(line, delay, 1e-6), zeta)
    above = zeta[p > p.max() / 2]
    assert above[-1] - above[0] == pytest.approx(2 * 2 / 66.0, rel=0.01)
    assert np.abs(p - spectral_correlation(line, zeta, 1e-6)).max() < 1e-3 * p.max()


@settings(max_examples=25, deadline=None)
@given(st.floats(20, 100), st.floats(0, 0.05), st.floats(0, 0.2), st.floats(0.1, 0.9), st.floats(1e-5, 1e-1))
def test_envelope_and_correlation_are_transforms(t2, sd, gap, share, tau):
    line = Line(t2, sd, 1e-3, (0.0, gap), (share, 1 - share))
    delay, zeta = np.linspace(0, 12 * t2, 12_001), np.linspace(-0.3, 0.3, 41)
    found = transform(delay, envelope(line, delay, tau), zeta)
    exact = spectral_correlation(line, zeta, tau)
    assert np.abs(found - exact).max() < 2e-3 * exact.max()
    assert envelope(line, 0.0, tau) == pytest.approx(1.0)
    assert np.all(np.abs(envelope(line, delay, tau)) <= 1 + 1e-12)


def test_diffusion_widens_p_with_the_lag():
    assert envelope(WANDERING, 50.0, 1e-9) == pytest.approx(math.exp(-100 / 66.0), rel=1e-5)
    late = envelope(WANDERING, 50.0, 1.0)
    assert late == pytest.approx(math.exp(-100 / 66.0 - 0.02**2 * 50**2), rel=1e-9)
    assert float(delay_of_path(0.299792458)) == pytest.approx(1.0)


def test_there_and_back():
    found = fit_pcfs(record(WANDERING))
    assert found.t2_interval_ps[0] < 66.0 < found.t2_interval_ps[1]
    assert found.diffusion_rad_per_ps == pytest.approx(0.02, rel=0.02)
    assert found.diffusion_time_s == pytest.approx(1e-3, rel=0.1)
    assert found.chi2 < found.degrees_of_freedom + 5 * math.sqrt(2 * found.degrees_of_freedom)


def test_a_still_line_has_no_diffusion_time():
    found = fit_pcfs(record(Line(66.0), bunching=np.linspace(0.2, 1.0, 8)))
    assert found.diffusion_time_s is None and not (found.diffusion_interval[0] or 0) > 0
    assert found.bunching[0] == pytest.approx(0.2, abs=0.05)
    plain = fit_pcfs(record(Line(66.0)), diffusion=False)
    assert plain.t2_ps == pytest.approx(66.0, rel=0.01) and plain.diffusion_rad_per_ps == 0.0


def test_the_interferogram_scatters_about_the_envelope():
    made = record(WANDERING, contrast=0.9)
    fit = fit_pcfs(made, contrast=0.9)
    seen, error = interferogram(made, fit.bunching, contrast=0.9)
    pull = (seen - envelope(WANDERING, DELAY[:, None], made.lag_s)) / error
    assert np.abs(pull).max() < 5 and 0.7 < pull.std() < 1.3


def test_photons_one_by_one():
    # few photons within a lag, so that pairs are Poisson's
    rng, fringes = np.random.default_rng(1), 20.0
    line = Line(66.0, 0.02, 2e-4, (0.0, 0.06), (0.7, 0.3))
    delays = np.array([0.0, 15.0, 30.0, 50.0, 80.0])
    streams = [
        simulate_position(line, d, rng, rate_cps=2e4, seconds=8.0, fringes_per_s=fringes, contrast=0.95)
        for d in delays
    ]
    made = count_pairs(streams, delays, np.geomspace(1e-5, 1e-3, 6), fringes_per_s=fringes)
    turned = np.cos(2 * np.pi * fringes * made.lag_s)
    mean = made.expected * (1 - 0.5 * 0.95**2 * envelope(line, delays[:, None], made.lag_s) * turned)
    pull = (made.pairs - mean) / np.sqrt(mean)
    assert np.abs(pull).max() < 5.5
    assert made.pairs[0, 0] / made.expected[0, 0] == pytest.approx(1 - 0.5 * 0.95**2, abs=0.03)


@pytest.mark.slow
def test_coverage():
    inside = 0
    for seed in range(100):
        low, high = fit_pcfs(record(Line(66.0), seed), diffusion=False, level=0.68).t2_interval_ps
        inside += low < 66.0 < high
    assert 54 <= inside <= 82  # binomial: 68 of 100, standard deviation 4.7


def test_pairs_that_scatter_more_than_poisson_widen_the_interval():
    made = record(Line(66.0))
    rough = PcfsRecord(
        made.delay_ps,
        made.lag_edges_s,
        np.maximum(
            made.pairs + 5 * np.sqrt(made.pairs) * np.random.default_rng(0).standard_normal(made.pairs.shape),
            0,
        ),
        made.expected,
    )
    plain, wide = fit_pcfs(made, diffusion=False), fit_pcfs(rough, diffusion=False)
    assert any("times Poisson" in one for one in wide.warnings)
    width = [one.t2_interval_ps[1] - one.t2_interval_ps[0] for one in (plain, wide)]
    assert width[1] > 3 * width[0]


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (lambda: Line(0.0), OptionError),
        (lambda: Line(66.0, -1.0), OptionError),
        (lambda: Line(66.0, weights=(0.5, 0.4)), OptionError),
        (lambda: record(Line(66.0), seconds=-1.0), OptionError),
        (lambda: record(Line(66.0), fringes_per_s=100.0), OptionError),
        (lambda: PcfsRecord(DELAY, LAGS, np.zeros((2, 2)), np.ones((2, 2))), OptionError),
        (lambda: fit_pcfs(record(Line(66.0)), contrast=2.0), OptionError),
        (lambda: fit_pcfs(record(Line(66.0), seconds=1e-6)), ModelRangeError),
        (lambda: transform([0.0, 1.0], [1.0, 0.9], [0.0]), ModelRangeError),
        (lambda: transform([1.0, 2.0], [1.0, 0.0], [0.0]), OptionError),
        (lambda: count_pairs([], [], [1e-6, 1e-5]), OptionError),
    ],
)
def test_refused(bad, error):
    with pytest.raises(error):
        bad()
