"""Photons of each line per pulse: conservation, limits, and a plain simulation as second method."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perolux.errors import OptionError
from perolux.excitons.many.multiexciton_emission import (
    multiexciton_spectrum,
    poisson_weights,
    pulsed_emission,
    pulsed_g2_zero,
)

MEANS = st.floats(0.0, 50.0)
PARTS = st.floats(0.0, 1.0)


@given(MEANS, st.integers(1, 60))
def test_poisson_weights_sum_to_one(mean, highest):
    weights = poisson_weights(mean, highest)
    assert weights.shape == (highest + 1,)
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)  # rounding of up to 60 terms


@given(st.floats(1e-12, 50.0), PARTS)
def test_without_losses_every_exciton_gives_a_photon(mean, charged):
    weights = pulsed_emission(mean, higher_yield=1.0, charged_fraction=charged)
    assert float(weights.total) == pytest.approx(mean, rel=1e-9)


@given(MEANS, PARTS, PARTS, PARTS, PARTS, PARTS)
def test_no_line_is_negative_and_no_photon_is_made_of_nothing(mean, one, two, trion, higher, charged):
    weights = pulsed_emission(
        mean,
        exciton_yield=one,
        biexciton_yield=two,
        trion_yield=trion,
        higher_yield=higher,
        charged_fraction=charged,
    )
    for line in (weights.exciton, weights.trion, weights.biexciton, weights.higher):
        assert float(line) >= 0
    assert float(weights.total) <= mean * (1 + 1e-9)


def test_weak_excitation_leaves_only_single_excitons():
    mean = 1e-4
    weights = pulsed_emission(mean, exciton_yield=0.8, biexciton_yield=0.1)
    # the next order is a relative mean/2 and mean/3
    assert weights.exciton == pytest.approx(0.8 * mean, rel=1e-4)
    assert weights.biexciton == pytest.approx(0.1 * mean**2 / 2, rel=1e-4)
    nothing = pulsed_emission(0.0)
    assert float(nothing.total) == 0.0


def test_the_series_for_small_means_joins_the_closed_form():
    below, above = (float(pulsed_emission(m, higher_yield=1.0).higher) for m in (1e-2 - 1e-9, 1e-2 + 1e-9))
    assert below == pytest.approx(above, rel=1e-6)  # 3e-7 for 2e-9 of the mean; the next term is m^6/180


def test_against_a_simulation():
    rng = np.random.default_rng(6)
    mean, one, two, pulses = 1.2, 0.7, 0.3, 400_000
    number = rng.poisson(mean, pulses)
    first = (number >= 1) & (rng.random(pulses) < one)
    second = (number >= 2) & (rng.random(pulses) < two)
    weights = pulsed_emission(mean, exciton_yield=one, biexciton_yield=two)
    # 5 standard errors of a fraction
    assert first.mean() == pytest.approx(float(weights.exciton), abs=5 * 0.5 / pulses**0.5)
    assert second.mean() == pytest.approx(float(weights.biexciton), abs=5 * 0.5 / pulses**0.5)
    photons = first.astype(float) + second
    g2 = (photons * (photons - 1)).mean() / photons.mean() ** 2
    found = float(pulsed_g2_zero(mean, exciton_yield=one, biexciton_yield=two))
    assert g2 == pytest.approx(found, rel=0.02)  # 1 % statistics of the pairs


def test_g2_of_weak_pulses_is_the_ratio_of_yields():
    assert pulsed_g2_zero(1e-5, exciton_yield=0.8, biexciton_yield=0.2) == pytest.approx(0.25, rel=1e-4)
    with pytest.raises(OptionError):
        pulsed_g2_zero(0.0)


def test_the_spectrum_holds_the_photons_and_lines_stand_where_told():
    weights = pulsed_emission(0.5, biexciton_yield=0.3, trion_yield=0.6, charged_fraction=0.4)
    energy = np.linspace(1.9, 2.9, 20001)
    spectrum = multiexciton_spectrum(
        energy,
        weights,
        2.4,
        trion_shift_ev=-0.02,
        biexciton_shift_ev=-0.04,
        fwhm_ev=(0.004, 0.005, 0.006),
    )
    lines = float(weights.exciton + weights.trion + weights.biexciton)
    assert spectrum.sum() * (energy[1] - energy[0]) == pytest.approx(lines, rel=1e-9)
    centre = (spectrum * energy).sum() / spectrum.sum()
    shift = -(0.02 * float(weights.trion) + 0.04 * float(weights.biexciton)) / lines
    assert centre - 2.4 == pytest.approx(shift, abs=1e-9)


def test_bad_input_is_refused():
    for options in ({"exciton_yield": 1.2}, {"charged_fraction": -0.1}):
        with pytest.raises(OptionError):
            pulsed_emission(0.5, **options)
    with pytest.raises(OptionError):
        pulsed_emission(-0.5)
    with pytest.raises(OptionError):
        poisson_weights(0.5, 0)
    weights = pulsed_emission(0.5)
    with pytest.raises(OptionError):
        multiexciton_spectrum(
            [2.0], weights, 2.4, trion_shift_ev=0, biexciton_shift_ev=0, fwhm_ev=(0.0, 0.1, 0.1)
        )
