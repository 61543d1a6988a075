"""Peak and width under counting and shared noise: nothing is lost, the sigmas are those of the scatter."""

from __future__ import annotations

import math

import numpy as np
import pytest

from perolux.measured import FileSource, Spectrum, reduce_pl
from perolux.measured.noise import INDEPENDENT, correlated_square, estimate_noise, mean_factor
from perolux.measured.peaks import smoothed
from perolux.quantities.constants import HC_EV_NM

CENTRE_EV = 2.40


def clean(nm, fwhm_mev, counts, background=20.0):
    """A Gaussian in energy, per nm, with `counts` at its top."""
    energy = HC_EV_NM / nm
    density = np.exp(-4 * math.log(2) * (1e3 * (energy - CENTRE_EV) / fwhm_mev) ** 2) / nm**2
    return counts * density / np.max(density) + background


def spectrum(nm, values):
    return Spectrum(np.array(nm), np.array(values, float), "made", FileSource("made", "", "test"), "pl")


def draws(step_nm, fwhm_mev, counts, number, neighbours=1, seed=3):
    """Results of records of counts, and with neighbours > 1 of running means over so many samples."""
    rng = np.random.default_rng(seed)
    nm = np.arange(400.0, 650.0, step_nm)
    truth = clean(nm, fwhm_mev, counts)
    kernel = np.ones(neighbours) / neighbours
    for _ in range(number):
        noise = np.convolve(rng.poisson(truth) - truth, kernel, "same")
        yield reduce_pl(spectrum(nm, truth + noise))


def pulls(results, fwhm_mev):
    """Standard deviation of error/sigma of the peak and of the width."""
    peak = [(r.peak_ev - CENTRE_EV) / r.peak_ev_sigma for r in results]
    width = [(r.fwhm_mev - fwhm_mev) / r.fwhm_mev_sigma for r in results]
    return np.std(peak), np.std(width)


@pytest.mark.parametrize("step_nm", [0.1, 0.22, 0.5, 1.0])
@pytest.mark.parametrize("counts", [300, 1000])
def test_no_clean_band_is_lost(step_nm, counts):
    lost = sum(r.peak_ev is None or r.fwhm_mev is None for r in draws(step_nm, 85.0, counts, 30))
    assert lost == 0  # the fits of the top alone lost 5 % on the finer grids


@pytest.mark.long
@pytest.mark.parametrize("step_nm", [0.1, 0.22, 0.5, 1.0])
def test_no_clean_band_of_many_is_lost(step_nm):
    lost = sum(r.peak_ev is None or r.fwhm_mev is None for r in draws(step_nm, 85.0, 300, 2000))
    assert lost == 0


@pytest.mark.parametrize(
    ("step_nm", "fwhm_mev", "counts", "neighbours"),
    [
        (1.0, 85.0, 1000, 1),
        (0.22, 85.0, 300, 1),
        (2.0, 85.0, 1000, 1),
        (5.0, 85.0, 1000, 1),
        (5.0, 85.0, 300, 1),
        (1.0, 20.0, 1000, 1),
        (1.0, 20.0, 100_000, 1),
        (1.0, 85.0, 1000, 3),
        (0.22, 85.0, 1000, 9),
        (1.0, 85.0, 1000, 9),
    ],
)
def test_sigmas_are_those_of_the_scatter(step_nm, fwhm_mev, counts, neighbours):
    found = list(draws(step_nm, fwhm_mev, counts, 100, neighbours))
    # the bar is 0.8 to 1.4; 100 draws give it to 7 %, and worse where few samples leave long tails
    peak, width = pulls(found, fwhm_mev)
    assert 0.7 < peak < 1.5
    assert 0.7 < width < 1.5


@pytest.mark.long
@pytest.mark.parametrize(
    ("step_nm", "fwhm_mev", "counts", "neighbours"),
    [
        (1.0, 85.0, 1000, 1),
        (5.0, 85.0, 1000, 1),
        (1.0, 20.0, 1000, 1),
        (0.22, 85.0, 1000, 9),
        (1.0, 85.0, 1000, 9),
    ],
)
def test_sigmas_are_those_of_the_scatter_over_many(step_nm, fwhm_mev, counts, neighbours):
    peak, width = pulls(list(draws(step_nm, fwhm_mev, counts, 1500, neighbours, seed=9)), fwhm_mev)
    assert 0.8 < peak < 1.4
    assert 0.8 < width < 1.4


@pytest.mark.parametrize("neighbours", [1, 2, 3, 5, 9])
def test_shared_noise_is_recognised(neighbours):
    rng = np.random.default_rng(8)
    nm = np.arange(400.0, 650.0, 0.5)
    truth = clean(nm, 85.0, 1000, background=0.0)
    found = []
    for _ in range(40):
        noise = np.convolve(rng.normal(0.0, 5.0 + 0.02 * truth), np.ones(neighbours) / neighbours, "same")
        height = truth + noise
        found.append(len(estimate_noise(height, smoothed(height)[0]).correlation))
    assert sum(length == neighbours for length in found) >= 38  # measured: all, or all but one


def test_tails_are_not_shared_noise():
    """A Lorentzian has tails that no polynomial takes, with and without white noise on them."""
    rng = np.random.default_rng(9)
    nm = np.arange(400.0, 650.0)
    for noise in (0.0, 5.0, 100.0):
        height = 1e5 / (1 + ((nm - 517.0) / 9.0) ** 2) + rng.normal(0.0, 1.0, len(nm)) * noise
        assert len(estimate_noise(height, smoothed(height)[0]).correlation) == 1


def test_the_noise_of_counts_grows_with_the_signal():
    rng = np.random.default_rng(10)
    nm = np.arange(400.0, 650.0, 0.22)
    found = []
    for _ in range(40):
        height = rng.poisson(clean(nm, 85.0, 3000, background=100.0)) - 100.0
        found.append(estimate_noise(height, smoothed(height)[0]))
    assert np.mean([n.floor for n in found]) == pytest.approx(10.0, rel=0.05)
    assert np.mean([n.gain for n in found]) == pytest.approx(1.0, rel=0.15)  # the least of three is 8 % low


def test_correlated_square_against_the_matrix():
    rng = np.random.default_rng(11)
    rows = rng.normal(size=(3, 30))
    correlation = np.array([1.0, 0.6, 0.2])
    matrix = np.zeros((30, 30))
    for lag, value in enumerate(correlation):
        matrix += value * (np.eye(30, k=lag) + (np.eye(30, k=-lag) if lag else 0.0))
    expected = sum(float(row @ matrix @ row) for row in rows)
    assert correlated_square(rows, correlation) == pytest.approx(expected, rel=1e-12)
    assert correlated_square(rows, INDEPENDENT) == pytest.approx(float(np.sum(rows**2)), rel=1e-12)
    mean = np.full(6, 1.0 / 6.0)
    assert mean_factor(correlation, 6) ** 2 == pytest.approx(float(mean @ matrix[:6, :6] @ mean), rel=1e-12)
