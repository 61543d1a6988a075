"""Columns of decays: exact limits, earlier pulses summed by hand, other shapes, the response, wrong input."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from perolux.errors import InputError, ModelRangeError, OptionError
from perolux.photons.decay_models import exponential_columns
from perolux.photons.decay_shapes import SHAPES, shape_column
from perolux.photons.instrument_response import (
    GaussianResponse,
    MeasuredResponse,
    measured_response,
    parse_gaussian,
)

BELL = 1000 * np.exp(-0.5 * ((np.arange(60) * 0.1 + 0.05 - 3) / 0.15) ** 2)


def responses() -> list[GaussianResponse | MeasuredResponse | None]:
    return [None, GaussianResponse(0.0, 3.03), GaussianResponse(0.15, 3.0), measured_response(BELL, 0.1)]


@pytest.mark.parametrize("tau", [0.05, 0.4, 3.0, 50.0])
def test_a_gaussian_convolution_agrees_with_quadrature(tau: float) -> None:
    sigma, centre, h = 0.15, 1.0, 0.25
    found, _, _ = exponential_columns([tau], 12, h, GaussianResponse(sigma, centre))

    def density(t: float) -> float:
        def inside(u: float) -> float:
            bell = math.exp(-0.5 * ((t - centre - u) / sigma) ** 2) / (sigma * math.sqrt(2 * math.pi))
            return bell * math.exp(-u / tau) / tau

        middle = max(0.0, t - centre)
        return quad(inside, max(0.0, middle - 10 * sigma), middle + 10 * sigma, epsabs=1e-14, epsrel=1e-13)[0]

    for i in (1, 3, 4, 7):
        nodes, weights = np.polynomial.legendre.leggauss(30)
        times = (i + (nodes + 1) / 2) * h
        expected = float(np.dot(weights, [density(float(t)) for t in times])) * h / 2
        assert found[i, 0] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("response", responses())
@pytest.mark.parametrize("period_ns", [20.0, 33.3])
def test_earlier_pulses_are_those_summed_by_hand(response, period_ns: float) -> None:
    fine = 0.1
    found, _, _ = exponential_columns([12.0], 200, fine, response, period_ns=period_ns)
    single, _, _ = exponential_columns([12.0], 200 + 333 * 60, fine, response)
    by_hand = sum(single[round(period_ns / fine) * j :][:200] for j in range(60))
    assert np.abs(found - by_hand).max() < 1e-14


@pytest.mark.parametrize("response", responses())
def test_all_light_of_a_period_is_in_its_bins(response) -> None:
    found, _, _ = exponential_columns([0.5, 7.0, 90.0], 200, 0.1, response, period_ns=20.0)
    assert found.sum(axis=0) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("response", responses())
@pytest.mark.parametrize("period_ns", [None, 21.0])
def test_derivatives_are_those_of_differences(response, period_ns: float | None) -> None:
    tau, e = np.array([0.3, 5.0, 40.0]), 1e-5

    def at(t, shift=0.013):
        return exponential_columns(t, 200, 0.1, response, period_ns=period_ns, shift_ns=shift)

    _, by_tau, by_shift = at(tau)
    assert np.abs((at(tau * math.exp(e))[0] - at(tau * math.exp(-e))[0]) / (2 * e) - by_tau).max() < 1e-9
    assert np.abs((at(tau, 0.013 + e)[0] - at(tau, 0.013 - e)[0]) / (2 * e) - by_shift).max() < 1e-7


@given(tau=st.floats(0.02, 500.0), sigma=st.floats(0.0, 0.3), centre=st.floats(0.0, 8.0), wrap=st.booleans())
@settings(max_examples=60, deadline=None)
def test_columns_are_shares(tau: float, sigma: float, centre: float, wrap: bool) -> None:
    response = GaussianResponse(sigma, centre)
    found, slope, _ = exponential_columns([tau], 128, 0.1, response, period_ns=13.0 if wrap else None)
    assert np.isfinite(found).all() and np.isfinite(slope).all()
    assert found.min() > -1e-13 and found.sum() < 1 + 1e-12


def test_a_response_that_begins_before_the_axis_leaves_the_end_of_the_period_its_light() -> None:
    response = GaussianResponse(0.2, 0.1)
    found, _, _ = exponential_columns([0.5], 100, 0.1, response, period_ns=10.0)
    assert found.sum() == pytest.approx(1.0, abs=1e-12)
    shaped = shape_column(lambda t: np.exp(-t / 0.5), 100, 0.1, response, period_ns=10.0) * 0.1 / 0.5
    assert np.abs(shaped - found[:, 0]).max() < 2e-4


@pytest.mark.parametrize("response", responses())
@pytest.mark.parametrize("period_ns", [None, 21.0])
def test_shapes_become_exponentials_at_their_limits(response, period_ns: float | None) -> None:
    tau = 2.5
    exact, _, _ = exponential_columns([tau], 200, 0.1, response, period_ns=period_ns)
    # a Gaussian is cut into quarters of a bin: (h/4)^2/12 on top of its variance
    allowed = 6e-4 if isinstance(response, GaussianResponse) and response.sigma_ns else 1e-11
    for name, second, miss in (
        ("stretched", 1.0, 0.0),
        ("lognormal", 1e-9, 1e-8),
        ("bimolecular", 0.0, 0.0),
        ("gamma", 1e7, 1e-6),
    ):
        scale = 2.0 if name == "bimolecular" else 1.0  # light goes with the square
        column = shape_column(
            lambda t, n=name, s=second, c=scale: SHAPES[n].curve(t, c * tau, s),
            200, 0.1, response, period_ns=period_ns,
        )  # fmt: skip
        assert np.abs(column - exact[:, 0] * tau / 0.1).max() < allowed + miss, name


@pytest.mark.parametrize("response", responses())
def test_power_laws_and_stretched_decays_keep_their_earlier_pulses(response) -> None:
    for name, second in (("gamma", 1.6), ("stretched", 0.5)):
        shape = SHAPES[name]
        later = None if shape.later is None else lambda t, p, s=shape.later, a=second: s(t, p, 2.0, a)
        found = shape_column(
            lambda t, s=shape, a=second: s.curve(t, 2.0, a), 200, 0.1, response, period_ns=20.0, later=later
        )
        single = shape_column(lambda t, s=shape, a=second: s.curve(t, 2.0, a), 200 * 400, 0.1, response)
        by_hand = single.reshape(400, 200).sum(axis=0)
        # the sum by hand ends after 400 pulses: of the power law some 1e-3 are left
        left = 400 * 20.0 / 20.0 * (1 + 8000 / 3.2) ** -1.6 / 0.6 if name == "gamma" else 0.0
        assert np.abs(found - by_hand - left).max() < 0.02 * left + 1e-7, name


def test_a_spread_of_rates_agrees_with_a_sum_of_exponentials() -> None:
    tau, s = 3.0, 0.5
    x = np.linspace(-6, 6, 4001)
    weight = np.exp(-0.5 * x**2)
    weight /= weight.sum()
    t = np.linspace(0, 30, 50)
    direct = np.exp(-t[:, None] * np.exp(s * x) / tau) @ weight
    assert np.abs(SHAPES["lognormal"].curve(t, tau, s) - direct).max() < 1e-6


def test_two_carriers_follow_their_rate_equation() -> None:
    from scipy.integrate import solve_ivp

    tau, b = 4.0, 2.5
    solved = solve_ivp(
        lambda t, n: -n / tau - b / tau * n**2,
        (0, 10),
        [1.0],
        t_eval=[1.0, 3.0, 10.0],
        rtol=1e-10,
        atol=1e-13,
    )
    assert SHAPES["bimolecular"].curve(solved.t, tau, b) == pytest.approx(solved.y[0] ** 2, rel=1e-7)


def test_a_shift_of_a_resolved_response_is_that_of_fourier() -> None:
    x = np.arange(120)
    bell = np.exp(-0.5 * ((x - 40.3) / 4.0) ** 2)
    response = MeasuredResponse(bell / bell.sum(), 0.1, 1e6, 0.0, "test")
    moved, _ = response.shifted(0.037, 120)
    turned = np.fft.irfft(
        np.fft.rfft(bell / bell.sum()) * np.exp(-2j * np.pi * np.fft.rfftfreq(120) * 0.37), 120
    )
    assert np.abs(moved - turned).max() < 2e-3 * moved.max()
    assert moved.min() >= 0 and moved.sum() == pytest.approx(1.0, abs=1e-12)


def test_a_sharp_response_never_turns_negative() -> None:
    response = measured_response([0, 0, 0, 5000, 0, 0, 0, 0], 0.1)
    for shift in np.linspace(-0.2, 0.2, 17):
        moved, _ = response.shifted(float(shift), 8)
        assert moved.min() >= 0 and moved.sum() == pytest.approx(1.0, abs=1e-12)


def test_the_background_of_a_measured_response_goes() -> None:
    rng = np.random.default_rng(3)
    found = measured_response(rng.poisson(30 + np.concatenate([np.zeros(40), 20 * BELL, np.zeros(300)])), 0.1)
    clean = np.concatenate([np.zeros(40), BELL, np.zeros(300)])
    assert np.abs(found.probability - clean / clean.sum()).max() < 0.005
    assert "background" in found.note


def test_wrong_responses_are_refused() -> None:
    with pytest.raises(InputError, match="counts above"):
        measured_response(np.full(50, 3), 0.1)
    with pytest.raises(InputError, match="not negative"):
        measured_response([-1, 500, 3], 0.1)
    with pytest.raises(OptionError, match="Gaussian"):
        parse_gaussian("gaussian:1,2,3")
    with pytest.raises(OptionError):
        GaussianResponse(-0.1, 0.0)
    with pytest.raises(OptionError, match="bins of"):
        exponential_columns([1.0], 100, 0.2, measured_response(BELL, 0.1))


def test_wrong_periods_and_lifetimes_are_refused() -> None:
    with pytest.raises(OptionError, match="longer than the period"):
        exponential_columns([1.0], 100, 0.1, period_ns=8.0)
    with pytest.raises(ModelRangeError, match="response at"):
        exponential_columns([1.0], 100, 0.1, GaussianResponse(1.0, 5.0), period_ns=12.0)
    with pytest.raises(ModelRangeError, match="lifetime of"):
        exponential_columns([0.001], 100, 0.1, GaussianResponse(1.0, 5.0))
    with pytest.raises(OptionError, match="positive"):
        exponential_columns([-1.0], 100, 0.1)
