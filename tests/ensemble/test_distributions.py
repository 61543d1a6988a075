"""Size distributions against scipy, numerical integrals and each other."""

import numpy as np
import pytest
from scipy import integrate, stats

from perolux import ensemble as en
from perolux.ensemble.quadratures import gauss_from_points
from perolux.errors import OptionError

CUT = en.Normal(5.0, 0.6, low_nm=2.0)
HISTOGRAM = en.Histogram((2.0, 3.0, 5.0, 9.0), (1.0, 5.0, 2.0))
MIXTURE = en.Mixture((en.Lognormal(4.0, 0.05), en.Normal(9.0, 0.1)), (0.3, 0.7))
ALL = [
    en.Fixed(7.0),
    en.Normal(8.0, 0.1),
    en.Normal(5.0, 0.6),
    CUT,
    en.Lognormal(8.0, 0.25),
    en.Tabulated((3.0, 4.0, 4.5, 9.0), (1.0, 2.0, 0.0, 1.0)),
    HISTOGRAM,
    MIXTURE,
]


def test_truncated_normal_agrees_with_scipy():
    truth = stats.truncnorm((2.0 - 5.0) / 3.0, np.inf, loc=5.0, scale=3.0)
    sizes = np.linspace(0, 20, 101)
    np.testing.assert_allclose(CUT.pdf(sizes), np.where(sizes > 2, truth.pdf(sizes), 0.0), rtol=1e-12)
    for order in range(1, 7):
        assert CUT.moment(order) == pytest.approx(truth.moment(order), rel=1e-10)
    assert CUT.kept == pytest.approx(stats.norm.sf(-1.0), rel=1e-14)


def test_lognormal_agrees_with_scipy():
    ours = en.Lognormal(8.0, 0.25)
    truth = stats.lognorm(ours.log_sigma, scale=np.exp(ours.log_mean))
    assert truth.mean() == pytest.approx(8.0, rel=1e-13)
    assert truth.std() / truth.mean() == pytest.approx(0.25, rel=1e-13)
    sizes = np.linspace(-1, 20, 43)
    np.testing.assert_allclose(ours.pdf(sizes), truth.pdf(sizes), rtol=1e-12)
    for order in range(1, 7):
        # the same in other words: m^k (1 + v^2)^(k (k - 1)/2)
        assert ours.moment(order) == pytest.approx(
            8.0**order * 1.0625 ** (order * (order - 1) / 2), rel=1e-13
        )


@pytest.mark.parametrize("distribution", [en.Normal(5.0, 0.6), CUT, en.Lognormal(8.0, 0.25), HISTOGRAM])
def test_density_integrates_to_its_moments(distribution):
    breaks = [2.0, 3.0, 5.0, 9.0]
    for order in range(4):
        value, _ = integrate.quad(
            lambda x, k=order: x**k * float(distribution.pdf(x)), 0, 60, points=breaks, limit=200
        )
        assert value == pytest.approx(distribution.moment(order), rel=1e-7)  # accuracy asked of quad


@pytest.mark.parametrize("distribution", ALL)
@pytest.mark.parametrize("n", [1, 2, 5, 12])
def test_gauss_rule_keeps_moments_to_its_order(distribution, n):
    nodes, weights = distribution.quadrature(n)
    assert np.all(nodes > 0) and np.all(weights >= 0) and weights.sum() == pytest.approx(1, abs=1e-14)
    for order in range(min(2 * n, 7)):
        assert weights @ nodes**order == pytest.approx(distribution.moment(order), rel=1e-10)


def test_gauss_rule_reproduces_gauss_legendre():
    points, weights = np.polynomial.legendre.leggauss(300)
    nodes, found = gauss_from_points(points, weights, 12)
    truth = np.polynomial.legendre.leggauss(12)
    np.testing.assert_allclose(nodes, truth[0], atol=1e-14)
    np.testing.assert_allclose(found, truth[1] / 2, atol=1e-14)


def test_a_short_table_is_taken_as_it_is():
    nodes, weights = en.Tabulated((9.0, 3.0, 3.0), (1.0, 1.0, 2.0)).quadrature(5)
    assert nodes.tolist() == [3.0, 9.0] and weights.tolist() == [0.75, 0.25]


@pytest.mark.parametrize("distribution", ALL)
def test_samples_agree_with_moments_by_z_score(distribution):
    n = 40_000
    sizes = distribution.sample(np.random.default_rng(20240611), n)
    assert sizes.shape == (n,) and np.all(sizes > 0)
    for order in (1, 2, 3):
        mean = distribution.moment(order)
        error = np.sqrt(max(distribution.moment(2 * order) - mean**2, 0.0) / n)
        # 5 standard errors: fails by chance once in 1.7 million; a fixed seed makes it repeatable
        assert abs(np.mean(sizes**order) - mean) <= 5 * error + 1e-9 * mean


def test_samples_of_a_cut_normal_have_its_shape():
    sizes = CUT.sample(np.random.default_rng(3), 5000)
    truth = stats.truncnorm(-1.0, np.inf, loc=5.0, scale=3.0)
    assert sizes.min() > 2.0
    assert stats.kstest(sizes, truth.cdf).pvalue > 1e-6  # fixed seed; a wrong shape gives far below


def test_one_seed_reproduces_a_sample():
    first, second = (MIXTURE.sample(np.random.default_rng(5), 100) for _ in range(2))
    assert first.tobytes() == second.tobytes()


@pytest.mark.parametrize(
    "call",
    [
        lambda: en.Fixed(0.0),
        lambda: en.Fixed(float("nan")),
        lambda: en.Normal(-8.0, 0.1),
        lambda: en.Normal(8.0, 0.0),
        lambda: en.Normal(8.0, 1.5),
        lambda: en.Normal(8.0, 0.1, low_nm=9.0),
        lambda: en.Normal(8.0, 0.1, low_nm=-1.0),
        lambda: en.Lognormal(8.0, -0.1),
        lambda: en.Tabulated(()),
        lambda: en.Tabulated((1.0, -2.0)),
        lambda: en.Tabulated((1.0, 2.0), (0.0, 0.0)),
        lambda: en.Tabulated((1.0, 2.0), (1.0, float("nan"))),
        lambda: en.Tabulated((1.0, 2.0), (1.0,)),
        lambda: en.Histogram((1.0, 1.0), (1.0,)),
        lambda: en.Histogram((-1.0, 1.0), (1.0,)),
        lambda: en.Histogram((1.0, 2.0), (1.0, 1.0)),
        lambda: en.Mixture((), ()),
        lambda: en.Mixture((en.Fixed(1.0),), (-1.0,)),
        lambda: en.Normal(8.0, 0.1).quadrature(0),
        lambda: en.Normal(8.0, 0.1).quadrature(2.5),
        lambda: en.Normal(8.0, 0.1).quadrature(10_000),
    ],
)
def test_bad_input_is_refused(call):
    with pytest.raises(OptionError):
        call()
