"""Antibunching images: the width is that of the light over sqrt 2, and two emitters add up."""

import numpy as np
import pytest

from perolux.errors import ModelRangeError, OptionError
from perolux.photons.imaging import gaussian_width, simulate_scan

X = np.linspace(-400, 400, 17)


@pytest.mark.parametrize("g2", [0.0, 0.3])
def test_the_width_is_over_root_two(g2):
    found = simulate_scan(
        X, 0.0, np.random.default_rng(0), spread_nm=120.0, photons=0.5, g2_zero=g2, pulses=100_000
    )
    plain, plain_error = gaussian_width(X, found.singles, found.singles_error)
    sharp, error = gaussian_width(X, found.missing, found.missing_error)
    assert abs(plain - 120.0) < 4 * plain_error
    assert abs(sharp - 120.0 / np.sqrt(2)) < 4 * error and error < 2.0
    assert found.missing.max() == pytest.approx((1 - g2) * 0.25, rel=0.05)


def test_missing_pairs_of_two_emitters_add_up():
    places, s = np.array([-60.0, 60.0]), 100.0
    found = simulate_scan(X, places, np.random.default_rng(1), spread_nm=s, photons=0.3, pulses=200_000)
    light = 0.3 * np.exp(-((X[:, None] - places) ** 2) / (2 * s * s))
    pull = (found.missing - np.sum(light**2, axis=1)) / np.maximum(found.missing_error, 1e-9)
    assert np.abs(pull[found.singles > 1e-3]).max() < 4


def test_refused():
    with pytest.raises(OptionError):
        simulate_scan(X, 0.0, np.random.default_rng(0), spread_nm=0.0, photons=0.5)
    with pytest.raises(OptionError):
        simulate_scan(X, 0.0, np.random.default_rng(0), spread_nm=9.0, photons=0.9, g2_zero=2.0)
    with pytest.raises(ModelRangeError):
        gaussian_width(X, np.zeros(17), np.ones(17))
