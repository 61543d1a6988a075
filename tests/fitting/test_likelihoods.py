"""Likelihoods against scipy.stats and exact sums; information criteria."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from perolux import fitting
from perolux.errors import OptionError

rng = np.random.default_rng(7)
DATA, MODEL, SIGMA = rng.normal(size=50) * 5, rng.normal(size=50), rng.uniform(0.1, 3, 50)
COUNTS, RATES = rng.poisson(3.0, 50), rng.uniform(0.1, 9, 50)


def test_gaussian_agrees_with_scipy():
    truth = stats.norm.logpdf(DATA, MODEL, SIGMA).sum()
    assert fitting.gaussian_log_likelihood(DATA, MODEL, SIGMA) == pytest.approx(truth, rel=1e-13)


@pytest.mark.parametrize("dof", [0.5, 3.0, 1e6])
def test_student_t_agrees_with_scipy(dof):
    truth = stats.t.logpdf(DATA, dof, MODEL, SIGMA).sum()
    # lgamma of 5e5 loses 6 digits of the difference of two of them
    assert fitting.student_t_log_likelihood(DATA, MODEL, SIGMA, dof) == pytest.approx(truth, rel=1e-8)


def test_poisson_agrees_with_scipy():
    truth = stats.poisson.logpmf(COUNTS, RATES).sum()
    assert fitting.poisson_log_likelihood(COUNTS, RATES) == pytest.approx(truth, rel=1e-13)
    assert fitting.poisson_log_likelihood([0], [0.0]) == 0.0
    assert fitting.poisson_log_likelihood([1], [0.0]) == -math.inf


def test_deviance_is_twice_the_log_likelihood_ratio():
    perfect = stats.poisson.logpmf(COUNTS, COUNTS).sum()
    ours = stats.poisson.logpmf(COUNTS, RATES).sum()
    assert fitting.poisson_deviance(COUNTS, RATES) == pytest.approx(2 * (perfect - ours), rel=1e-12)
    residuals = fitting.poisson_deviance_residuals(COUNTS, RATES)
    assert residuals @ residuals == pytest.approx(2 * (perfect - ours), rel=1e-12)
    assert np.all(np.sign(residuals) == np.sign(COUNTS - RATES))


def test_slopes_of_deviance_residuals():
    n = np.array([0.0, 0.0, 3.0, 7.0, 7.0, 1e5])
    m = np.array([1e-3, 2.5, 3.0, 2.0, 7.0 * (1 + 1e-9), 1.2e5])
    h = 1e-5 * m
    differences = (
        fitting.poisson_deviance_residuals(n, m + h) - fitting.poisson_deviance_residuals(n, m - h)
    ) / (2 * h)
    # 1e-7: what differences of numbers near sqrt(1e-16) leave
    np.testing.assert_allclose(fitting.poisson_deviance_slopes(n, m), differences, rtol=1e-7)
    assert fitting.poisson_deviance_slopes([0.0], [0.0]) == 0.0


def exact_deviance(n, m):
    """2 [n ln(n/m) - n + m] in 60-digit decimals."""
    from decimal import Decimal, getcontext

    getcontext().prec = 60
    big_n, big_m = (Decimal(Fraction(v).numerator) / Decimal(Fraction(v).denominator) for v in (n, m))
    return float(2 * ((big_n * (big_n / big_m).ln() if n else 0) - big_n + big_m))


@settings(max_examples=200, deadline=None)
@given(st.floats(0.1, 1e9), st.floats(-1, 1) | st.floats(-0.02, 0.02) | st.floats(-1e-7, 1e-7))
def test_deviance_does_not_cancel(m, x):
    n = max(m * (1 + x), 0.0)
    # 1e-11: the series stops at x^6/30 for |x| < 0.01, 1e-12 of its first term; rounding of (n - m)/m rest
    assert fitting.poisson_deviance([n], [m]) == pytest.approx(
        exact_deviance(n, m), rel=1e-8 if abs(x) < 1e-6 else 1e-9, abs=1e-300
    )


def test_deviance_of_no_counts():
    assert fitting.poisson_deviance([0], [2.5]) == 5.0
    assert fitting.poisson_deviance([0], [0.0]) == 0.0
    assert fitting.poisson_deviance([3], [3.0]) == 0.0
    assert fitting.poisson_deviance([1], [0.0]) == math.inf


@pytest.mark.parametrize(
    "call",
    [
        lambda: fitting.poisson_deviance([-1], [1.0]),
        lambda: fitting.poisson_deviance([1], [-1.0]),
        lambda: fitting.poisson_log_likelihood([np.nan], [1.0]),
        lambda: fitting.gaussian_log_likelihood([1.0], [1.0], [0.0]),
        lambda: fitting.gaussian_log_likelihood([np.inf], [1.0], [1.0]),
        lambda: fitting.student_t_log_likelihood([1.0], [1.0], [1.0], 0.0),
        lambda: fitting.aicc(1.0, 3, 4),
        lambda: fitting.aic(1.0, -1),
        lambda: fitting.bic(1.0, 1, 0),
        lambda: fitting.akaike_weights([]),
        lambda: fitting.akaike_weights([np.nan]),
    ],
)
def test_bad_input_is_refused(call):
    with pytest.raises(OptionError):
        call()


def test_information_criteria():
    assert fitting.aic(100.0, 4) == 108.0
    assert fitting.aicc(100.0, 4, 25) == pytest.approx(108 + 2 * 4 * 5 / 20)
    assert fitting.bic(100.0, 4, 25) == pytest.approx(100 + 4 * math.log(25))
    weights = fitting.akaike_weights([1000.0, 1002.0, 1010.0])
    assert weights.sum() == pytest.approx(1.0) and weights[0] / weights[1] == pytest.approx(math.e)


def test_aic_finds_the_right_polynomial():
    x = np.linspace(-1, 1, 60)
    y = 1 + 2 * x - 3 * x**2 + np.random.default_rng(3).normal(0, 0.1, 60)
    found = []
    for degree in range(6):
        rest = y - np.polynomial.polynomial.polyval(x, np.polynomial.polynomial.polyfit(x, y, degree))
        found.append(fitting.bic(float(np.sum((rest / 0.1) ** 2)), degree + 1, 60))
    assert int(np.argmin(found)) == 2
