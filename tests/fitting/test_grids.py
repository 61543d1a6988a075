"""Grid posteriors against closed forms and scipy."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from perolux.errors import OptionError
from perolux.fitting import grids


def test_weights_integrate_a_line_exactly():
    grid = np.array([0.0, 0.3, 1.0, 4.0])
    assert grids.trapezoid_weights(grid) @ (2 * grid + 1) == pytest.approx(20.0, abs=1e-14)


def test_logsumexp_agrees_with_scipy():
    values = np.array([-1e5, 700.0, 710.0, -np.inf])
    assert grids.logsumexp(values) == pytest.approx(special.logsumexp(values), rel=1e-15)
    assert grids.logsumexp([-np.inf, -np.inf]) == -np.inf


@pytest.mark.parametrize("offset", [0.0, -5000.0, 5000.0])
def test_normal_density_from_logs(offset):
    grid = np.linspace(-9, 9, 2001)
    density = grids.normalise_log(-(grid**2) / 2 + offset, grid)
    # the trapezoid rule is spectrally accurate for a Gaussian that has fallen off
    np.testing.assert_allclose(density, stats.norm.pdf(grid), atol=1e-13)
    assert grids.log_evidence(-(grid**2) / 2 + offset, grid) == pytest.approx(
        offset + math.log(2 * math.pi) / 2, abs=1e-9
    )
    assert grids.mean_and_sigma(grid, density) == pytest.approx((0.0, 1.0), abs=1e-10)
    # linear interpolation between points 0.009 apart: CDF error of order h^2/12 = 7e-6
    np.testing.assert_allclose(
        grids.quantiles(grid, density, [0.025, 0.5, 0.841]), stats.norm.ppf([0.025, 0.5, 0.841]), atol=3e-5
    )
    assert grids.hpd(grid, density, 0.95) == pytest.approx((-1.959964, 1.959964), abs=1e-3)
    assert grids.one_sided_lower(grid, density, 0.95) == pytest.approx(-1.644854, abs=3e-5)
    assert max(grids.edge_mass(grid, density)) < 1e-15


def test_quantiles_are_exact_for_a_piecewise_linear_density():
    # triangle on 0..1..3, P(<= 1) = 1/3
    grid, density = np.array([0.0, 1.0, 3.0]), np.array([0.0, 2 / 3, 0.0])
    truth = stats.triang(1 / 3, 0, 3)
    p = np.linspace(0, 1, 41)
    np.testing.assert_allclose(grids.quantiles(grid, density, p), truth.ppf(p), atol=1e-12)
    # shortest interval: cut both slopes at equal height; its complement is a triangle of the same shape
    low, high = grids.hpd(grid, density, 0.64)
    assert (low, high) == pytest.approx((0.6 * 1.0, 3 - 0.6 * 2.0), abs=1e-6)


def test_quantiles_skip_where_there_is_nothing():
    grid = np.arange(7.0)
    density = np.array([0, 0, 1, 0, 0, 0, 0.0])
    low, high = grids.quantiles(grid, density, [0.0, 1.0])
    assert (low, high) == (1.0, 3.0)
    two = np.array([1.0, 1.0, 0, 0, 0, 1.0, 1.0])
    assert grids.quantiles(grid, two, 0.5).item() == pytest.approx(2.0)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(0, 10), min_size=3, max_size=12).filter(lambda v: max(v) > 1e-3),
    st.floats(0.05, 0.99),
    st.randoms(use_true_random=False),
)
def test_intervals_hold_their_level(values, level, random):
    grid = np.cumsum([0.1 + random.random() for _ in values])
    density = np.array(values)
    density /= density @ grids.trapezoid_weights(grid)

    def below(x):
        knots = np.sort(np.append(grid, x))
        inside = knots <= x
        return np.trapezoid(np.interp(knots[inside], grid, density), knots[inside])

    for interval in (grids.equal_tail(grid, density, level), grids.hpd(grid, density, level)):
        assert below(interval[1]) - below(interval[0]) == pytest.approx(level, abs=1e-9)
    shortest, equal = grids.hpd(grid, density, level), grids.equal_tail(grid, density, level)
    assert shortest[1] - shortest[0] <= equal[1] - equal[0] + 1e-9
    assert 1 - below(grids.one_sided_lower(grid, density, level)) == pytest.approx(level, abs=1e-9)


def test_marginals_of_a_correlated_normal():
    x, y = np.linspace(-7, 7, 201), np.linspace(-14, 14, 301)
    covariance = np.array([[1.0, 1.2], [1.2, 4.0]])
    mesh = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1)
    density = grids.normalise_log(stats.multivariate_normal(cov=covariance).logpdf(mesh), x, y)
    np.testing.assert_allclose(grids.marginalise(density, (x, y), 0), stats.norm.pdf(x), atol=1e-9)
    np.testing.assert_allclose(grids.marginalise(density, (x, y), 1), stats.norm.pdf(y, scale=2), atol=1e-9)


@pytest.mark.parametrize(("k", "n"), [(0, 10), (3, 10), (95, 100), (500, 500)])
@pytest.mark.parametrize("method", ["wilson", "clopper-pearson"])
def test_binomial_interval_agrees_with_scipy(k, n, method):
    name = {"wilson": "wilson", "clopper-pearson": "exact"}[method]
    truth = stats.binomtest(k, n).proportion_ci(0.95, method=name)
    assert grids.binomial_interval(k, n, 0.95, method=method) == pytest.approx(tuple(truth), abs=1e-12)


def test_coverage_counts_one_sided_intervals():
    result = grids.coverage([1.0, 5.0, 9.0], [0.0, None, 8.0], [2.0, 4.0, None])
    assert (result.inside, result.total) == (2, 3)
    assert result.agrees_with(0.5) and not result.agrees_with(0.01)


def test_coverage_of_honest_intervals():
    rng = np.random.default_rng(1)
    truth = rng.normal(size=2000)
    seen = truth + rng.normal(size=2000)
    # 5 sigma interval: fails by chance once in 1.7 million
    assert grids.coverage(truth, seen - 1.96, seen + 1.96, level=0.9999994).agrees_with(0.95)
    assert not grids.coverage(truth, seen - 1.5, seen + 1.5, level=0.9999994).agrees_with(0.95)


@pytest.mark.parametrize(
    "call",
    [
        lambda: grids.trapezoid_weights([1.0]),
        lambda: grids.trapezoid_weights([1.0, 1.0]),
        lambda: grids.trapezoid_weights([0.0, np.nan]),
        lambda: grids.normalise_log([0.0, np.nan], [0.0, 1.0]),
        lambda: grids.normalise_log([0.0, np.inf], [0.0, 1.0]),
        lambda: grids.normalise_log([-np.inf, -np.inf], [0.0, 1.0]),
        lambda: grids.normalise_log([0.0, 0.0, 0.0], [0.0, 1.0]),
        lambda: grids.quantiles([0.0, 1.0], [-1.0, 1.0], 0.5),
        lambda: grids.quantiles([0.0, 1.0], [0.0, 0.0], 0.5),
        lambda: grids.quantiles([0.0, 1.0], [1.0, 1.0], 1.5),
        lambda: grids.quantiles([0.0, 1.0], [1.0, 1.0], np.nan),
        lambda: grids.credible_interval([0.0, 1.0], [1.0, 1.0], 1.0),
        lambda: grids.credible_interval([0.0, 1.0], [1.0, 1.0], 0.9, "upper"),
        lambda: grids.marginalise(np.ones((2, 2)), ([0.0, 1.0], [0.0, 1.0]), 2),
        lambda: grids.coverage([1.0], [2.0], [1.0]),
        lambda: grids.coverage([np.nan], [0.0], [1.0]),
        lambda: grids.coverage([], [], []),
        lambda: grids.binomial_interval(5, 4),
        lambda: grids.logsumexp([]),
    ],
)
def test_bad_input_is_refused(call):
    with pytest.raises(OptionError):
        call()
