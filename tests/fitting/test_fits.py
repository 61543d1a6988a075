"""Least squares, variable projection, profiles and bootstrap: errors, intervals and honest failures."""

import math

import numpy as np
import pytest
from scipy import stats

from perolux import fitting
from perolux.errors import ConvergenceError, OptionError

X = np.linspace(0, 5, 60)


def line(p):
    return p[0] + p[1] * X


def decay(p):
    return p[0] * np.exp(-X / p[1]) + p[2]


# ---- least squares


def test_linear_problem_has_the_textbook_covariance():
    sigma = 0.1 + 0.05 * X
    y = line([1.0, 2.0]) + np.random.default_rng(0).normal(0, sigma)
    fit = fitting.least_squares(lambda p: (y - line(p)) / sigma, [0.0, 0.0], names=["offset", "slope"])
    design = np.column_stack([np.ones_like(X), X]) / sigma[:, None]
    covariance = np.linalg.inv(design.T @ design)
    np.testing.assert_allclose(fit.values, covariance @ design.T @ (y / sigma), rtol=1e-9)
    np.testing.assert_allclose(fit.covariance, covariance, rtol=1e-7)
    assert fit["slope"] == fit.values[1] and fit.sigma[1] == pytest.approx(
        math.sqrt(covariance[1, 1]), rel=1e-7
    )
    assert fit.degrees_of_freedom == 58 and fit.rank == 2 and not fit.warnings
    width = np.sqrt(np.diag(covariance))
    assert fit.correlation[0, 1] == pytest.approx(covariance[0, 1] / width.prod(), rel=1e-6)
    assert "slope = " in repr(fit)
    relative = fitting.least_squares(lambda p: (y - line(p)) / (7 * sigma), [0.0, 0.0], absolute_sigma=False)
    scaled = covariance * fit.chi2 / 58
    np.testing.assert_allclose(relative.covariance, scaled, rtol=1e-7)
    with pytest.raises(OptionError, match="no parameter"):
        fit["height"]


def test_sigma_covers_the_truth():
    truth, rng = np.array([10.0, 1.5, 1.0]), np.random.default_rng(5)
    inside = []
    for _ in range(150):
        y = decay(truth) + rng.normal(0, 0.2, len(X))
        fit = fitting.least_squares(lambda p, y=y: (y - decay(p)) / 0.2, [5.0, 1.0, 0.0])
        inside.append(np.abs(fit.values - truth) < 1.96 * np.array(fit.sigma))
    for hits in np.array(inside).T:
        # an interval that a true 95 % misses once in 3 million
        assert fitting.coverage(hits, np.ones(150), np.ones(150), level=0.9999997).agrees_with(0.95)


@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e9])
def test_parameters_of_any_size_are_fitted_alike(unit):
    y = decay([10.0, 1.5, 1.0])
    fit = fitting.least_squares(
        lambda p: y - decay([p[0] / unit, p[1] * unit, p[2]]), [5.0 * unit, 1.0 / unit, 0.5]
    )
    np.testing.assert_allclose(fit.values, [10.0 * unit, 1.5 / unit, 1.0], rtol=1e-9)


def test_an_analytic_jacobian_gives_the_same():
    y = decay([10.0, 1.5, 1.0]) + np.random.default_rng(1).normal(0, 0.1, len(X))

    def jacobian(p):
        e = np.exp(-X / p[1])
        return -np.column_stack([e, p[0] * X / p[1] ** 2 * e, np.ones_like(X)])

    plain = fitting.least_squares(lambda p: y - decay(p), [5.0, 1.0, 0.0])
    exact = fitting.least_squares(lambda p: y - decay(p), [5.0, 1.0, 0.0], jacobian=jacobian)
    np.testing.assert_allclose(exact.values, plain.values, rtol=1e-8)
    np.testing.assert_allclose(exact.covariance, plain.covariance, rtol=1e-6)
    np.testing.assert_allclose(plain.jacobian, jacobian(plain.values), rtol=1e-7, atol=1e-9)


def test_a_bound_is_reached_and_said():
    y = line([-1.0, 2.0])
    fit = fitting.least_squares(
        lambda p: y - line(p), [1.0, 1.0], low=[0.0, -np.inf], names=["offset", "slope"]
    )
    assert fit.at_bound == (True, False) and fit.values[0] == 0.0
    assert fit.sigma[0] is None and fit.sigma[1] > 0
    # the rest as if the bounded parameter were fixed
    assert fit.values[1] == pytest.approx(X @ y / (X @ X), rel=1e-6)
    assert fit.covariance[1, 1] == pytest.approx(1 / (X @ X), rel=1e-6) and fit.covariance[0, 0] == 0
    assert "lies on a bound" in fit.warnings[0] and fit.degrees_of_freedom == 59


def test_what_the_data_do_not_determine_has_no_sigma():
    y = np.full(60, 3.0) + np.random.default_rng(0).normal(0, 0.1, 60)
    fit = fitting.least_squares(lambda p: y - (p[0] + p[1]) * np.ones(60) - p[2] * X, [1.0, 1.0, 0.0])
    assert fit.rank == 2 and fit.covariance is None and fit.sigma == (None, None, None)
    assert fit.correlation is None and "do not determine p0, p1" in fit.warnings[0]
    fit = fitting.least_squares(lambda p: y - p[0] + 0 * p[1], [1.0, 1.0])
    assert fit.rank == 1 and "do not determine p1:" in fit.warnings[0]
    # sin^2 + cos^2 is 1 but for rounding, in which no slope is to be seen
    one = np.linspace(1, 2, 60)
    fit = fitting.least_squares(
        lambda p: y - p[0] * (np.sin(one * p[1]) ** 2 + np.cos(one * p[1]) ** 2), [1.0, 0.3]
    )
    assert fit.rank == 1 and fit["p1"] == pytest.approx(0.3) and "do not determine p1:" in fit.warnings[0]


@pytest.mark.parametrize("rounding", [0.0, 1e-12, -1e-12])
def test_what_the_data_do_not_determine_does_not_hang_on_rounding(rounding):
    # height and factor do the same; over residuals made of terms of 1e5, differences tell it to 1e-9 only
    for seed in range(20, 35):
        noise = np.random.default_rng(seed).normal(0, 1e-3, len(X))
        y = (3 * np.exp(-X) + 100 + noise) * (1 + rounding)
        fit = fitting.least_squares(
            lambda p, y=y: (y - p[0] * p[1] * np.exp(-X * p[2]) - p[3]) / 1e-3, [1.0, 2.0, 0.5, 90.0]
        )
        assert fit.rank == 3 and "do not determine p0, p1:" in fit.warnings[0]


@pytest.mark.parametrize("low", [None, [0.0, 1e-3, 0.0]])
def test_a_background_of_nothing_under_a_high_signal(low):
    # in units of its own value, 0.1 of 1e6, the background would be searched with steps below the rounding
    def jacobian(p):
        e = np.exp(-X / p[1])
        return -np.column_stack([e, p[0] * X / p[1] ** 2 * e, np.ones_like(X)])

    for seed in range(20):
        y = decay([1e6, 1.5, 0.0]) + np.random.default_rng(seed).normal(0, 1.0, len(X))
        plain = fitting.least_squares(lambda p, y=y: y - decay(p), [5e5, 1.0, 1.0], low=low)
        exact = fitting.least_squares(
            lambda p, y=y: y - decay(p), [5e5, 1.0, 1.0], low=low, jacobian=jacobian
        )
        assert plain.at_bound == exact.at_bound and plain.rank == exact.rank
        # 1e-10 of the signal is what the residuals are rounded to, over steps of 6e-6 sigma and more
        np.testing.assert_allclose(plain.values, exact.values, rtol=1e-10, atol=1e-4)
        np.testing.assert_allclose(plain.covariance, exact.covariance, rtol=1e-3)


def test_a_fit_that_stays_at_its_start_is_refused():
    # the published failure: a target that the search cannot feel, here by rounding in the model
    y = decay([10.0, 1.5, 1.0])
    with pytest.raises(ConvergenceError, match="away from a minimum"):
        fitting.least_squares(
            lambda p: y - decay(np.array([5.0, 1.0, 0.0]) + np.round(p - [5.0, 1.0, 0.0], 0)) + 1e-9 * p[0],
            [5.0, 1.0, 0.0],
            jacobian=lambda p: np.column_stack([np.exp(-X), X, np.ones_like(X)]),
        )
    flat = fitting.least_squares(lambda p: y + 0 * p[0], [1.0])
    assert flat.moved == (False,) and "no parameter moved" in " ".join(flat.warnings)


def test_running_out_of_evaluations_is_an_error():
    y = decay([10.0, 1.5, 1.0])
    with pytest.raises(ConvergenceError, match="ran out"):
        fitting.least_squares(lambda p: y - decay(p), [500.0, 50.0, 100.0], max_evaluations=3)


def test_trial_steps_into_nowhere_are_taken_back():
    y = np.sqrt(X + 0.01)
    with np.errstate(invalid="ignore"):
        fit = fitting.least_squares(lambda p: y - np.sqrt(X + p[0]), [2.0])
    assert fit.values[0] == pytest.approx(0.01, rel=1e-6)


def test_perfect_data_and_no_freedom():
    fit = fitting.least_squares(lambda p: p - [1.0, 2.0], [0.0, 0.0])
    assert fit.reduced_chi2 is None and fit.sigma == pytest.approx((1.0, 1.0))
    fit = fitting.least_squares(lambda p: p - [1.0, 2.0], [0.0, 0.0], absolute_sigma=False)
    assert fit.sigma == (None, None) and fit.warnings


def test_poisson_fit_by_deviance_residuals_is_maximum_likelihood():
    counts = np.random.default_rng(2).poisson(decay([20.0, 1.0, 0.3]))
    fit = fitting.least_squares(
        lambda p: fitting.poisson_deviance_residuals(counts, decay(p)),
        [10.0, 2.0, 1.0],
        low=[0.0, 1e-3, 1e-6],
    )
    best = fitting.poisson_log_likelihood(counts, decay(fit.values))
    for i in range(3):
        for sign in (-1, 1):
            beside = fit.values.copy()
            beside[i] *= 1 + sign * 1e-3
            assert fitting.poisson_log_likelihood(counts, decay(beside)) < best


@pytest.mark.parametrize(
    "options",
    [
        {"start": [np.nan]},
        {"start": []},
        {"start": [1.0], "low": 2.0},
        {"start": [1.0], "low": 2.0, "high": 1.0},
        {"start": [1.0], "low": [0.0, 0.0]},
        {"start": [1.0], "scale": 0.0},
        {"start": [1.0], "names": ["a", "b"]},
        {"start": [1.0, 1.0], "names": ["a", "a"]},
        {"start": [1.0, 1.0, 1.0, 1.0]},
        {"start": [1.0], "jacobian": lambda p: np.ones((2, 2))},
    ],
)
def test_bad_fit_problems_are_refused(options):
    with pytest.raises(OptionError):
        fitting.least_squares(lambda p: np.ones(3) * p[0], **options)


def test_models_that_are_not_defined_are_refused():
    with pytest.raises(ConvergenceError, match="not finite"):
        fitting.least_squares(lambda p: np.full(3, np.nan), [1.0])
    with pytest.raises(ConvergenceError, match="not defined beside"):
        fitting.least_squares(lambda p: np.where(p[0] == 1.0, 1.0, np.nan) * np.ones(3), [1.0])
    with pytest.raises(OptionError, match="shape"):
        fitting.least_squares(lambda p: np.ones((3, 3)), [1.0])


# ---- variable projection


def two_decays(theta):
    return np.exp(-X[:, None] / theta)


def two_decays_derivative(theta):
    slopes = np.zeros((2, len(X), 2))
    for k in range(2):
        slopes[k, :, k] = X / theta[k] ** 2 * np.exp(-X / theta[k])
    return slopes


@pytest.mark.parametrize("derivative", [None, two_decays_derivative])
def test_separable_fit_equals_the_full_fit(derivative):
    sigma = 0.01 + 0.002 * X
    y = two_decays([0.4, 2.5]) @ [3.0, 2.0] + np.random.default_rng(4).normal(0, sigma)
    found = fitting.fit_separable(
        two_decays, y, [0.2, 4.0], sigma=sigma, basis_derivative=derivative, low=1e-3
    )
    full = fitting.least_squares(
        lambda p: (y - two_decays(p[:2]) @ p[2:]) / sigma, [0.2, 4.0, 1.0, 1.0], low=1e-3
    )
    np.testing.assert_allclose(found.fit.values, full.values[:2], rtol=1e-6)
    np.testing.assert_allclose(found.amplitudes, full.values[2:], rtol=1e-6)
    np.testing.assert_allclose(found.covariance, full.covariance, rtol=1e-4, atol=1e-10)
    np.testing.assert_allclose(found.fit.sigma + found.amplitude_sigma, full.sigma, rtol=1e-4)
    assert found.fit.chi2 == pytest.approx(full.chi2, rel=1e-9)
    assert found.fit.degrees_of_freedom == full.degrees_of_freedom == 56
    np.testing.assert_allclose((y - found.model) / sigma, found.fit.residuals, atol=1e-8)


def test_separable_fit_says_what_is_not_determined():
    y = 3 * np.exp(-X / 2.0) + np.random.default_rng(1).normal(0, 0.01, len(X))
    same = fitting.fit_separable(lambda th: np.exp(-X[:, None] / th[[0, 0]]), y, [1.0])
    assert same.fit.values[0] == pytest.approx(2.0, rel=0.02) and same.covariance is None
    assert same.amplitude_sigma is None and same.fit.sigma == (None,)
    assert "do not determine" in same.fit.warnings[-1]
    empty = fitting.fit_separable(lambda th: np.column_stack([np.exp(-X / th), 0 * X]), y, [1.0])
    assert empty.fit.values[0] == pytest.approx(2.0, rel=0.02) and empty.covariance is None


@pytest.mark.parametrize(
    "options",
    [
        {"data": np.full(60, np.nan)},
        {"data": X, "sigma": 0.0},
        {"data": X[:2]},
        {"data": X, "start": [1.0], "basis": lambda th: np.ones(60)},
    ],
)
def test_bad_separable_problems_are_refused(options):
    given = {"basis": two_decays, "start": [1.0, 2.0]} | options
    with pytest.raises(OptionError):
        fitting.fit_separable(given.pop("basis"), given.pop("data"), given.pop("start"), **given)


# ---- profiles


def test_profile_of_a_linear_problem_is_symmetric():
    y = line([1.0, 2.0]) + np.random.default_rng(0).normal(0, 0.3, len(X))

    def residual(p):
        return (y - line(p)) / 0.3

    fit = fitting.least_squares(residual, [0.0, 0.0], names=["offset", "slope"])
    for level in (0.68, 0.95):
        interval = fitting.profile_interval(residual, fit, "slope", level)
        half = stats.norm.ppf((1 + level) / 2) * fit.sigma[1]
        assert (interval.low, interval.high) == pytest.approx(
            (fit["slope"] - half, fit["slope"] + half), rel=1e-6
        )
        assert interval.reason is None
    relative = fitting.least_squares(
        lambda p: residual(p) * 5, [0.0, 0.0], names=["a", "b"], absolute_sigma=False
    )
    interval = fitting.profile_interval(lambda p: residual(p) * 5, relative, "b")
    assert interval.high - interval.low == pytest.approx(2 * 1.959964 * relative.sigma[1], rel=1e-6)


def test_profile_of_one_parameter_is_a_likelihood_interval():
    # Poisson mean of 4 counts: 2 [4 ln(4/m) - 4 + m] = 3.841459 at both ends
    def residual(p):
        return fitting.poisson_deviance_residuals([4], p)

    fit = fitting.least_squares(residual, [3.0], low=1e-9)
    interval = fitting.profile_interval(residual, fit, "p0", low=1e-9)
    for end in (interval.low, interval.high):
        assert fitting.poisson_deviance([4], [end]) == pytest.approx(3.841458820694124, rel=1e-7)
    assert interval.high - 4 > 4 - interval.low > 0


def test_an_open_end_is_none_with_a_reason():
    # a decay so long that only a lower bound of its time can be told
    y = 1.0 + 0 * X + np.random.default_rng(8).normal(0, 0.05, len(X))

    def residual(p):
        return (y - p[0] * np.exp(-X * p[1])) / 0.05

    fit = fitting.least_squares(residual, [1.0, 0.1], low=[0, 0], high=[10, 10], names=["height", "rate"])
    interval = fitting.profile_interval(residual, fit, "rate", low=[0, 0], high=[10, 10])
    assert interval.low is None and 0 < interval.high < 0.05 and "rate from below" in interval.reason


@pytest.mark.parametrize("rounding", [0.0, 1e-12, -1e-12])
def test_a_profile_from_a_bound_does_not_hang_on_rounding(rounding):
    # on the bound the rate is 0 or what rounding left of it, which says nothing of how far to step
    def profiled(y, rate):
        shape = np.exp(-X * rate)
        return np.sum(((y - shape * (shape @ y) / (shape @ shape)) / 0.05) ** 2)

    on_bound = 0
    for seed in range(12):
        y = (1.0 + np.random.default_rng(seed).normal(0, 0.05, len(X))) * (1 + rounding)

        def residual(p, y=y):
            return (y - p[0] * np.exp(-X * p[1])) / 0.05

        limits = {"low": [0, 0], "high": [10, 10]}
        fit = fitting.least_squares(residual, [1.0, 0.1], names=["height", "rate"], **limits)
        rate = fitting.profile_interval(residual, fit, "rate", **limits)
        height = fitting.profile_interval(residual, fit, "height", **limits)
        # the height is linear: chi^2 profiled over it has a closed form; 1e-6 is left to the search for it
        assert profiled(y, rate.high) - fit.chi2 == pytest.approx(3.841458820694124, rel=1e-6)
        assert height.low < fit["height"] < height.high and height.reason is None
        on_bound += fit.at_bound[1]
    assert 3 <= on_bound <= 9  # about half the data sets want a negative rate


def test_a_profile_whose_other_parameter_jumps():
    # q has minima at -1 and, 6.25 higher, at 1; beyond v = 1.2 it is pulled from the first to the second
    def residual(p):
        v, q = p
        return np.array([v, 10 * (q**2 - 1), 1.25 * (q + 1), 10 * max(v - 1.2, 0.0) * (q - 1)])

    fit = fitting.least_squares(residual, [0.5, -0.9], names=["v", "q"])
    interval = fitting.profile_interval(residual, fit, "v")
    assert interval.low == pytest.approx(-1.959964, rel=1e-5)
    # on the branch of the first minimum: q stays within 0.02 of -1
    branch = np.linspace(-1.05, -0.95, 2001)
    chi2 = min(float(r @ r) for r in (residual([interval.high, q]) for q in branch))
    assert chi2 == pytest.approx(3.841459, rel=1e-3)


def test_profile_refuses_what_is_no_minimum():
    y = line([1.0, 2.0])

    def other(p):
        return y - line(p) - 0.5

    fit = fitting.least_squares(lambda p: y - line(p) + 0.1 * np.sin(9 * X), [0.0, 0.0])
    with pytest.raises(ConvergenceError, match="better fit"):
        fitting.profile_interval(other, fit, "p1")
    with pytest.raises(OptionError):
        fitting.profile_interval(other, fit, "p7")
    with pytest.raises(OptionError):
        fitting.profile_interval(other, fit, "p1", 1.0)


# ---- bootstrap


def refit_line(y):
    return np.linalg.lstsq(np.column_stack([np.ones_like(X), X]), y, rcond=None)[0]


def test_both_bootstraps_find_the_covariance():
    sigma = 0.3
    y = line([1.0, 2.0]) + np.random.default_rng(6).normal(0, sigma, len(X))
    best = refit_line(y)
    design = np.column_stack([np.ones_like(X), X])
    n = 1500
    parametric = fitting.bootstrap_parametric(
        lambda rng: line(best) + rng.normal(0, sigma, len(X)), refit_line, np.random.default_rng(1), n
    )
    residual = fitting.bootstrap_residuals(
        line(best),
        (y - line(best)) / sigma,
        refit_line,
        np.random.default_rng(2),
        n,
        sigma=sigma,
        parameters=2,
    )
    exact = np.sqrt(np.diag(np.linalg.inv(design.T @ design)))
    scatter = np.sqrt(np.sum((y - line(best)) ** 2) / 58)
    # a sigma from n samples has a relative error of 1/sqrt(2 n); 5 of them
    np.testing.assert_allclose(parametric.sigma, sigma * exact, rtol=5 / math.sqrt(2 * n))
    np.testing.assert_allclose(residual.sigma, scatter * exact, rtol=5 / math.sqrt(2 * n))
    assert np.all(np.abs(residual.mean - best) < 5 * residual.sigma / math.sqrt(n))
    np.testing.assert_allclose(np.sqrt(np.diag(parametric.covariance)), parametric.sigma, rtol=1e-12)
    widths = np.diff(parametric.interval(0.95), axis=1)[:, 0]
    # a 2.5 % quantile from 1500 samples has an error of 6 % of sigma
    np.testing.assert_allclose(widths, 2 * 1.96 * sigma * exact, rtol=0.15)
    assert parametric.failed == 0 and parametric.samples.shape == (n, 2)


def test_failed_refits_are_counted_and_too_many_are_an_error():
    def some_fail(y):
        if y[0] > limit:
            raise ConvergenceError("no")
        return y[:1]

    def simulate(rng):
        return rng.uniform(0, 1, 3)

    limit = 0.95
    result = fitting.bootstrap_parametric(simulate, some_fail, np.random.default_rng(0), 200)
    assert 0 < result.failed == 200 - len(result.samples)
    limit = 0.5
    with pytest.raises(ConvergenceError, match="did not converge"):
        fitting.bootstrap_parametric(simulate, some_fail, np.random.default_rng(0), 200)


def test_bad_bootstraps_are_refused():
    rng = np.random.default_rng(0)
    for call in (
        lambda: fitting.bootstrap_parametric(lambda r: X, refit_line, rng, 1),
        lambda: fitting.bootstrap_residuals(X, X[:3], refit_line, rng),
        lambda: fitting.bootstrap_residuals([1.0, 2.0], [0.0, 0.0], refit_line, rng, parameters=2),
        lambda: fitting.bootstrap_residuals([1.0, np.nan], [0.0, 0.0], refit_line, rng),
        lambda: fitting.bootstrap_residuals(X, X, refit_line, rng, 5).interval(0.0),
    ):
        with pytest.raises(OptionError):
            call()
