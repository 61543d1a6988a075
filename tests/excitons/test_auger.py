"""Auger lifetimes: the three regimes, counting of ways, yields."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perolux.errors import ModelRangeError, OptionError
from perolux.excitons.many.auger import (
    AugerLaw,
    auger_exponent,
    auger_lifetime_ns,
    auger_rate_scaling,
    auger_regime,
    default_auger_law,
    emission_yield,
    extended_auger_lifetime_ns,
    radiative_rate_scaling,
)

LAW = AugerLaw(1e-4, 2.0, 0.5, 20.0, 8000.0, 0.5)


def test_linear_then_sublinear_then_exponential():
    edges = np.array([3.0, 5.0, 8.0, 12.0, 22.0, 30.0])
    assert (
        auger_regime(edges**3, 3.0, LAW).tolist() == ["strong"] * 2 + ["sublinear"] * 2 + ["exponential"] * 2
    )
    times = auger_lifetime_ns("biexciton", edges**3, 3.0, LAW)
    assert times[0] == pytest.approx(1e-4 * 27)
    assert times[1] / times[0] == pytest.approx((5 / 3) ** 3)
    assert times[3] / times[2] == pytest.approx(1.5**1.5)
    assert np.log(times[5] / times[4]) == pytest.approx((30**3 - 22**3) / 8000)


@pytest.mark.parametrize("border", [6.0**3, 20.0**3])
def test_the_law_is_continuous(border):
    below, above = auger_lifetime_ns("biexciton", border * np.array([1 - 1e-9, 1 + 1e-9]), 3.0, LAW)
    assert below == pytest.approx(above, rel=1e-8)


@given(st.floats(1.0, 1e5), st.floats(0.5, 15.0))
def test_the_exponent_is_the_slope_of_the_law(volume, bohr):
    borders = np.array([(2 * bohr) ** 3, max(20.0**3, (2 * bohr) ** 3)])
    if np.any(np.abs(volume / borders - 1) < 1e-3):
        return
    times = auger_lifetime_ns("biexciton", volume * np.exp(np.array([-1e-5, 1e-5])), bohr, LAW)
    slope = np.log(times[1] / times[0]) / 2e-5
    assert slope == pytest.approx(float(auger_exponent(volume, bohr, LAW)), rel=1e-5)
    assert slope > 0


def test_draws_of_the_law_and_of_the_bohr_radius_broadcast():
    law = default_auger_law(np.random.default_rng(1), 500)
    times = auger_lifetime_ns("trion-", np.array([[64.0], [1000.0]]), np.linspace(2.5, 3.1, 500), law)
    assert times.shape == (2, 500)
    # the recalled slope alone spans a factor of two
    biexcitons = auger_lifetime_ns("biexciton", 64.0, 3.0, law)
    assert biexcitons.min() >= 64 * 5e-5 and biexcitons.max() <= 64 * 1e-4


def ways(electrons, holes):
    """Ways with an electron and with a hole as third carrier, by listing them."""
    with_electron = sum(1 for _ in combinations(range(electrons), 2)) * 2 * holes / 2
    with_hole = sum(1 for _ in combinations(range(holes), 2)) * 2 * electrons / 2
    return with_electron, with_hole


@pytest.mark.parametrize("share", [0.2, 0.5, 1.0])
def test_rates_count_the_ways(share):
    # rate of one way: share of the biexciton's rate over its 2 ways
    electron, hole = (one / two for one, two in zip((share, 1 - share), ways(2, 2), strict=True))

    def rate(electrons, holes):
        with_electron, with_hole = ways(electrons, holes)
        return with_electron * electron + with_hole * hole

    assert auger_rate_scaling("trion-", share) == pytest.approx(rate(2, 1))
    assert auger_rate_scaling("trion+", share) == pytest.approx(rate(1, 2))
    assert auger_rate_scaling("biexciton", share) == pytest.approx(rate(2, 2))
    for number in (1, 2, 3, 5):
        found = auger_rate_scaling("excitons", share, number)
        assert found == pytest.approx(rate(number, number))
    # superposition: the biexciton loses as fast as both trions twice over
    both = auger_rate_scaling("trion-", share) + auger_rate_scaling("trion+", share)
    assert 2 * both == pytest.approx(1.0)


def test_radiative_scaling_from_single_pairs():
    assert radiative_rate_scaling("biexciton") == pytest.approx(4.0)
    assert radiative_rate_scaling("trion+") == pytest.approx(2.0)
    # only bright states occupied: the exciton is 4/3 times as fast, the complexes as before
    bright = radiative_rate_scaling("biexciton", 1.0)
    assert bright == pytest.approx(3.0)
    with pytest.raises(OptionError):
        radiative_rate_scaling("biexciton", 0.0)
    with pytest.raises(OptionError):
        radiative_rate_scaling("triexciton")


def test_yields_have_their_limits():
    assert emission_yield("exciton", 5.0, 0.01) == pytest.approx(1.0)
    assert emission_yield("exciton", 5.0, 0.01, other_loss_ns=5.0) == pytest.approx(0.5)
    assert emission_yield("biexciton", 5.0, 1e9) == pytest.approx(1.0)
    assert emission_yield("biexciton", 4.0, 0.01) == pytest.approx(1 / 101)
    # trion: radiative 2/4, Auger 1/(4 x 0.5): equal
    assert emission_yield("trion-", 4.0, 0.5) == pytest.approx(0.5)
    small, large = emission_yield("biexciton", np.array([4.0, 4.0]), np.array([0.005, 0.5]))
    assert small < large


def test_platelets_and_rods_are_linear_in_their_extent():
    times = extended_auger_lifetime_ns(np.array([100.0, 300.0]), 100.0, 0.02)
    assert times.tolist() == pytest.approx([0.02, 0.06])


def test_bad_input_is_refused():
    with pytest.raises(ModelRangeError):
        auger_lifetime_ns("biexciton", -1.0, 3.0)
    with pytest.raises(ModelRangeError):
        auger_lifetime_ns("biexciton", 10.0, 0.0)
    with pytest.raises(OptionError):
        auger_lifetime_ns("exciton", 10.0, 3.0)
    with pytest.raises(OptionError):
        AugerLaw(1e-4, 2.0, -0.5, 20.0, 8000.0, 0.5)
    with pytest.raises(ModelRangeError):
        extended_auger_lifetime_ns(0.0, 100.0, 0.02)
    with pytest.raises(OptionError):
        emission_yield("biexciton", -4.0, 0.5)
