"""Laminar dispersion and the distribution of residence times."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import jn_zeros, jnp_zeros
from scipy.stats import invgauss

from perolux.errors import OptionError
from perolux.synthesis.residence import (
    MIXING_MODE,
    THERMAL_MODE,
    axial_variance_m2,
    inverse_gaussian_density,
    residence_times,
    reynolds,
    taylor_aris_m2_s,
)

RADIUS, DIFFUSIVITY, VELOCITY = 2.5e-4, 1e-9, 2e-3
SCALE = RADIUS**2 / DIFFUSIVITY


def variance(scaled, parts=1):
    return axial_variance_m2(VELOCITY, RADIUS, [(DIFFUSIVITY, scaled * SCALE / parts)] * parts)


def test_modes_are_zeros_of_bessel_functions():
    assert pytest.approx(jn_zeros(0, 1)[0] ** 2) == THERMAL_MODE
    assert pytest.approx(jnp_zeros(1, 1)[0] ** 2) == MIXING_MODE


def test_still_liquid_only_diffuses():
    assert taylor_aris_m2_s(DIFFUSIVITY, 0.0, RADIUS) == DIFFUSIVITY
    assert axial_variance_m2(0.0, RADIUS, [(DIFFUSIVITY, 7.0)]) == pytest.approx(14.0 * DIFFUSIVITY)


def test_the_variance_is_ballistic_at_first_and_taylors_at_last():
    early, late = 1e-6, 1e3
    assert variance(early) - 2 * DIFFUSIVITY * early * SCALE == pytest.approx(
        (VELOCITY * early * SCALE) ** 2 / 3.0, rel=1e-4
    )
    axial = float(taylor_aris_m2_s(DIFFUSIVITY, VELOCITY, RADIUS))
    assert variance(late) == pytest.approx(2.0 * axial * late * SCALE, rel=1e-4)
    # what the start takes away for good is 64 sum a^-8 = 1/720
    lost = 2.0 * axial * 5 * SCALE - variance(5.0)
    assert lost == pytest.approx(2.0 * (VELOCITY * SCALE) ** 2 / 720.0, rel=1e-6)


@settings(max_examples=50, deadline=None)
@given(st.floats(1e-4, 20.0), st.integers(2, 6))
def test_a_stretch_in_parts_is_the_whole(scaled, parts):
    assert variance(scaled, parts) == pytest.approx(variance(scaled), rel=1e-9)


@settings(max_examples=100, deadline=None)
@given(st.floats(1e-3, 1e5), st.floats(0.0, 0.9), st.integers(1, 30))
def test_residence_times_keep_number_and_mean(mean, sd, nodes):
    times, weights = residence_times(mean, sd, nodes)
    assert np.all(times > 0) and np.all(weights > 0)
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)
    assert weights @ times == pytest.approx(mean, rel=1e-12)


def test_residence_times_are_those_of_an_inverse_gaussian():
    for sd in (0.03, 0.3, 0.6):
        times, weights = residence_times(5.0, sd)
        law = invgauss(sd**2, scale=5.0 / sd**2)
        assert law.mean() == pytest.approx(5.0)
        assert law.std() == pytest.approx(5.0 * sd)
        assert weights @ (times - 5.0) ** 2 == pytest.approx(law.var(), rel=1e-10)
        assert weights @ np.exp(-times) == pytest.approx(law.expect(lambda t: np.exp(-t)), rel=1e-3)
        t = np.linspace(0.1, 20.0, 50)
        assert inverse_gaussian_density(t, 5.0, sd) == pytest.approx(law.pdf(t), rel=1e-9, abs=1e-300)
    assert inverse_gaussian_density([0.0, -1.0], 5.0, 0.3).tolist() == [0.0, 0.0]


@pytest.mark.parametrize(("mean", "sd"), [(0.0, 0.1), (1.0, -0.1), (1.0, 1.0), (np.nan, 0.1), (1.0, np.nan)])
def test_no_residence_time_is_guessed(mean, sd):
    with pytest.raises(OptionError, match="residence time"):
        residence_times(mean, sd)


def test_reynolds_of_water():
    assert reynolds(1.0, 1e-3, 1000.0, 1e-3) == pytest.approx(1000.0)
