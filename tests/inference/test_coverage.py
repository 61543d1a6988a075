"""Calibration: truths from the prior, lines by another route than the inference's; do regions cover."""

import pytest

from perolux.validation.inference import default_prior_coverage, size_coverage


@pytest.mark.slow
def test_regions_cover_as_they_say_small():
    # 120 truths: a calibrated 95 % region lies within 3 binomial deviations (0.02 each) of 0.95.
    assert size_coverage(95, 3.0, 12.0, truths=120).value == pytest.approx(0.95, abs=0.06)


@pytest.mark.long
def test_regions_cover_as_they_say_at_length():
    assert 0.92 <= size_coverage(95, 3.0, 12.0, truths=3000).value <= 0.98
    assert size_coverage(68, 3.0, 12.0, truths=3000).value == pytest.approx(0.68, abs=0.04)


@pytest.mark.long
def test_default_prior_covers_truths_of_3_to_12_nm():
    assert 0.92 <= default_prior_coverage(3.0, 12.0, truths=3000).value <= 0.98
