"""Attachment: rates on fixed pivots against the exact ones of Smoluchowski, and what they conserve."""

import numpy as np
import pytest

from perolux.synthesis.aggregation import attachment_rate


def test_rates_of_the_exact_solution_of_a_constant_kernel():
    # A9: N_j = T^(j-1)/(1+T)^(j+1) with N0 = 1, k = 2, so that T = t
    t, j = 0.2, np.arange(1, 61.0)
    number = np.where(j <= 30, t ** (j - 1) / (1 + t) ** (j + 1), 0.0)
    rate = attachment_rate(j, number, np.full((60, 60), 2.0))
    exact = number * ((j - 1) / t - (j + 1) / (1 + t))
    assert rate[:30] == pytest.approx(exact[:30], abs=1e-14)


def test_uneven_pivots_keep_volume_and_halve_meetings():
    volume = np.geomspace(1, 1e3, 30)
    number = np.where(volume < 400, 1 / volume, 0.0)
    kernel = np.full((30, 30), 0.3)
    rate = attachment_rate(volume, number, kernel)
    assert abs(rate @ volume) < 1e-12 * (np.abs(rate) @ volume)
    assert rate.sum() == pytest.approx(-0.5 * 0.3 * number.sum() ** 2, rel=1e-12)
