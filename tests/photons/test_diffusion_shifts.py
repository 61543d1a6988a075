"""Squared shifts and their errors, kernels, width against exposure."""

import numpy as np
import pytest

from perolux.photons.diffusion_laws import Observed, dense_covariance, mean_covariance, mean_variance
from perolux.photons.diffusion_shifts import jump_kernels, squared_shifts, width_against_exposure
from perolux.photons.diffusion_simulation import Jumps, Wander, simulate_series
from perolux.photons.line_path import fit_line_path
from perolux.photons.line_profile import LineModel, gaussian_instrument
from perolux.photons.spectral_series import series_of

LAW = (5e-4, 1.0)


def centres(rng, n=200, error=1e-4, keep=1.0):
    """Exact means of exposures of an Ornstein-Uhlenbeck line, drawn from the dense covariance."""
    start = 0.1 * np.flatnonzero(rng.random(n) < keep)
    blank = Observed(start, np.zeros(len(start)), np.full(len(start), error), 0.1)
    root = np.linalg.cholesky(dense_covariance(blank, wander=LAW))
    return Observed(start, root @ rng.normal(size=len(start)), blank.sigma_ev, 0.1)


@pytest.mark.parametrize("keep", [1.0, 0.7])
def test_error_is_the_sum_over_pairs_of_pairs(keep):
    one = centres(np.random.default_rng(0), n=80, keep=keep)
    found = squared_shifts(one, 0.1, wander=LAW)
    covariance = dense_covariance(one, wander=LAW)
    index = np.round(one.start_s / 0.1).astype(int)
    for row in range(0, len(found.lag_s), 4):
        lag = round(found.lag_s[row] / 0.1)
        pairs = [(np.flatnonzero(index == i)[0], np.flatnonzero(index == i + lag)[0])
                 for i in index if (index == i + lag).any()]  # fmt: skip
        design = np.zeros((len(pairs), len(one)))
        for k, (early, late) in enumerate(pairs):
            design[k, early], design[k, late] = -1, 1
        between = design @ covariance @ design.T
        assert found.pairs[row] == len(pairs)
        assert found.sigma_ev2[row] ** 2 == pytest.approx(2 * np.sum(between**2) / len(pairs) ** 2, rel=1e-9)


def test_noise_is_taken_off_and_errors_are_true():
    rng = np.random.default_rng(1)
    drawn = [squared_shifts(centres(rng), 0.1, wander=LAW) for _ in range(150)]
    shifts = np.array([one.shift_ev2 for one in drawn])
    lag, sigma = drawn[0].lag_s, drawn[0].sigma_ev2
    expected = 2 * (mean_variance(*LAW, 0.1) - mean_covariance(*LAW, 0.1, lag))
    # 150 records: a mean is known to 0.08 of an error, a scatter to 6 %
    assert np.max(np.abs(shifts.mean(axis=0) - expected) / sigma) < 0.35
    assert shifts.std(axis=0) / sigma == pytest.approx(np.ones(len(lag)), abs=0.25)
    assert np.all(drawn[0].independent <= drawn[0].pairs)


def test_kernels_tell_jumps_from_wandering():
    rng = np.random.default_rng(2)
    one = centres(rng, n=1000)
    found = jump_kernels(one, 0.1, squared_shifts(one, 0.1, wander=LAW))
    assert found[0].lag_s == pytest.approx(0.1)
    assert abs(found[0].excess) < 4 * found[0].excess_sigma
    assert found[0].counts.sum() == 999
    jumps = simulate_series(
        Jumps((0.0, 1e-3), (5.0, 5.0)), rng, frames=1000, exposure_s=0.1, pixels=8, photons=1.0
    )
    other = Observed(jumps.start_s, jumps.centre_ev + 1e-4 * rng.normal(size=1000), np.full(1000, 1e-4), 0.1)
    rare = jump_kernels(other, 0.1, squared_shifts(other, 0.1, wander=(5e-4, 2.5)))
    assert rare[0].excess > 10 * rare[0].excess_sigma


@pytest.mark.slow
def test_width_against_exposure_follows_the_law():
    instrument = gaussian_instrument(4e-4)
    made = simulate_series(
        Wander(*LAW), np.random.default_rng(3), frames=600, exposure_s=0.1, pixels=64, photons=300.0,
        model=LineModel("lorentzian", instrument), widths_ev=(1e-4,),
    )  # fmt: skip
    path = fit_line_path(series_of(made.spectra), LineModel("voigt", instrument))
    found = width_against_exposure(path, wander=LAW)
    assert found.exposure_s[:3] == pytest.approx([0.2, 0.4, 0.8])
    for values in (found.extra_ev2, found.path_ev2):
        # within four errors, and 5 % for a sum of Lorentzians that is no Voigt profile
        allowed = 4 * found.sigma_ev2 + 0.05 * found.expected_ev2
        assert np.all(np.abs(values - found.expected_ev2) < allowed)
    assert np.all(np.diff(found.fwhm_ev) > 0)
    each = fit_line_path(series_of(made.spectra), LineModel("lorentzian", instrument), shared_width=False)
    assert width_against_exposure(each, wander=LAW) is None
