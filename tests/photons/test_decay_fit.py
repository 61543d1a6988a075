"""Fits of decays: known truth, counts kept, intervals that cover, batches, shared lifetimes, pile-up, dot."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perolux.errors import InputError, OptionError
from perolux.files import example_path
from perolux.fitting import least_squares, poisson_deviance_residuals, profile_interval
from perolux.measured import read_decay
from perolux.photons.decay_batch import fit_decays_batch, interpolation_error
from perolux.photons.decay_fit import fit_decay
from perolux.photons.decay_global import fit_decays_global
from perolux.photons.decay_models import exponential_columns
from perolux.photons.decay_record import analyse_decay, response_of_record, stored_fit_problem
from perolux.photons.instrument_response import GaussianResponse, measured_response
from perolux.photons.pile_up import coates, exposure, pile_up
from perolux.photons.poisson_projection import deviance_of, non_negative

BIN, BINS = 50 / 1024, 1024
SHARP = GaussianResponse(0.15 / (2 * math.sqrt(2 * math.log(2))), 2.0)


def recipe(bins: int = BINS, photons: float = 5000.0) -> tuple[np.ndarray, float]:
    """The biexponential of the bar: 2 and 9 ns with 40 and 60 % of the counts, 5 % flat."""
    h = 50 / bins
    columns, _, _ = exponential_columns([2.0, 9.0], bins, h, SHARP)
    shares = columns / columns.sum(axis=0)
    return photons * (0.95 * shares @ [0.4, 0.6] + 0.05 / bins), h


def cramer_rao(bins: int = BINS, photons: float = 5000.0) -> np.ndarray:
    """Bounds on both lifetimes with lifetimes, counts and background free."""
    mean, h = recipe(bins, photons)
    columns, slopes, _ = exponential_columns([2.0, 9.0], bins, h, SHARP)
    area = 0.95 * photons * np.array([0.4, 0.6]) / columns.sum(axis=0)
    jacobian = np.column_stack([slopes * area, columns, np.ones(bins)])
    return np.sqrt(np.diag(np.linalg.inv(jacobian.T @ (jacobian / mean[:, None])))[:2]) * [2.0, 9.0]


def test_the_model_holds_as_many_photons_as_the_data() -> None:
    counts = np.random.default_rng(4).poisson(recipe(256)[0])
    for k in (1, 2, 3):
        fit = fit_decay(counts, 50 / 256, irf=SHARP, exponentials=k, intervals=False)
        assert fit.expected.sum() == pytest.approx(counts.sum(), rel=1e-9)


@given(st.integers(0, 10_000), st.integers(1, 3))
@settings(max_examples=25, deadline=None)
def test_amplitudes_are_the_best_of_all(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    phi = np.column_stack([np.exp(-np.arange(60) / tau) for tau in rng.uniform(2, 40, k)] + [np.ones(60)])
    counts = rng.poisson(phi @ rng.uniform(0, 30, k + 1)).astype(float)
    c = non_negative(counts, phi, np.zeros(60))
    best = deviance_of(counts, phi @ c)
    assert (c >= 0).all()
    for _ in range(30):
        other = np.maximum(c * (1 + 0.05 * rng.standard_normal(k + 1)) + 0.01 * rng.random(k + 1), 0)
        assert deviance_of(counts, phi @ other) >= best - 1e-6


def test_two_exponentials_are_found_and_chosen() -> None:
    mean, h = recipe(256, 50_000)
    fit = fit_decay(np.random.default_rng(11).poisson(mean), h, irf=SHARP, models=["1", "2", "3"])
    assert fit.model == "2"
    for value, (low, high), truth in zip(fit.lifetimes_ns, fit.intervals_ns, (2.0, 9.0), strict=True):
        assert low is not None and high is not None and low < value < high
        assert value == pytest.approx(truth, rel=0.2)
    assert fit.average_amplitude_ns is not None and fit.average_intensity_ns is not None
    assert fit.average_amplitude_ns < fit.average_intensity_ns
    assert [one.delta_bic for one in fit.comparison if one.model == "2"] == [0.0]
    assert fit.overdispersion == 1.0


def test_profiles_agree_with_those_of_the_fitting_floor() -> None:
    rng = np.random.default_rng(2)
    t = np.arange(100) * 0.2
    counts = rng.poisson(80 * np.exp(-t / 3) + 4)
    fit = fit_decay(counts, 0.2, exponentials=1, used=np.ones(100, bool))

    def residual(p: np.ndarray) -> np.ndarray:
        return poisson_deviance_residuals(counts, p[0] * np.exp(-t / p[1]) + p[2])

    other = least_squares(residual, [70.0, 2.5, 5.0], names=["a", "tau", "b"], low=[0, 0.1, 0])
    interval = profile_interval(residual, other, "tau", low=[0, 0.1, 0])
    assert fit.lifetimes_ns[0] == pytest.approx(other["tau"], rel=1e-4)
    assert fit.intervals_ns[0] == pytest.approx((interval.low, interval.high), rel=1e-3)
    assert fit.lifetime_sigma_ns[0] == pytest.approx(other.sigma[1], rel=0.05)


@pytest.mark.parametrize("seeds", [100, pytest.param(400, marks=pytest.mark.long)])
@pytest.mark.slow
def test_intervals_of_one_lifetime_cover_the_truth(seeds: int) -> None:
    columns, _, _ = exponential_columns([3.0], 96, 0.2, GaussianResponse(0.2, 1.0))
    mean, inside = 800 * columns[:, 0] + 1.5, 0
    for seed in range(seeds):
        fit = fit_decay(
            np.random.default_rng(seed).poisson(mean), 0.2, irf=GaussianResponse(0.2, 1.0), exponentials=1,
            start_ns=[2.0], free_shift=False,
        )  # fmt: skip
        (low, high) = fit.intervals_ns[0]
        inside += low is not None and high is not None and low <= 3.0 <= high
    assert (0.90 if seeds == 400 else 0.89) <= inside / seeds <= (0.98 if seeds == 400 else 1.0)


@pytest.mark.parametrize(
    "seeds", [pytest.param(100, marks=pytest.mark.slow), pytest.param(400, marks=pytest.mark.long)]
)
def test_intervals_of_two_lifetimes_cover_the_truth(seeds: int) -> None:
    mean, h = recipe(256, 20_000)
    inside = np.zeros(2)
    for seed in range(seeds):
        fit = fit_decay(
            np.random.default_rng(seed).poisson(mean), h, irf=SHARP, exponentials=2, start_ns=[1.5, 8.0]
        )
        for k, truth in enumerate((2.0, 9.0)):
            low, high = fit.intervals_ns[k]
            inside[k] += low is not None and high is not None and low <= truth <= high
    least, most = (0.90, 0.98) if seeds == 400 else (0.89, 1.0)
    assert ((inside / seeds >= least) & (inside / seeds <= most)).all(), inside


@pytest.mark.parametrize(("period_ns", "found"), [(100.0, 30.0), (None, 25.9)])
def test_a_decay_that_does_not_end(period_ns: float | None, found: float) -> None:
    # check 7: 30 ns, pulses every 100 ns, the pulse at 10 ns
    pulse = GaussianResponse(0.0, 10.0)
    column, _, _ = exponential_columns([30.0], 1000, 0.1, pulse, period_ns=100.0)
    counts = np.rint(1e7 * column[:, 0])
    fit = fit_decay(counts, 0.1, irf=pulse, period_ns=period_ns, exponentials=1, intervals=False)
    assert fit.lifetimes_ns[0] == pytest.approx(found, rel=0.005)
    if period_ns:
        assert any("earlier pulses is part of the model" in text for text in fit.warnings)


def test_a_shifted_measured_response_is_found() -> None:
    h, x = 0.1, np.arange(400)
    bell = 1e5 * np.exp(-0.5 * ((x - 50) / 3.0) ** 2)
    response = measured_response(np.rint(bell), h)
    columns, _, _ = exponential_columns([4.0], 400, h, response, shift_ns=0.237)
    fit = fit_decay(np.rint(1e6 * columns[:, 0] + 20), h, irf=response, exponentials=1, intervals=False)
    assert fit.shift_ns == pytest.approx(0.237, abs=0.002)
    assert fit.lifetimes_ns[0] == pytest.approx(4.0, rel=1e-3)


def test_an_excluded_range_changes_nothing_but_the_precision() -> None:
    t = np.arange(300) * 0.1
    counts = np.rint(1e6 * np.exp(-t / 4) + 50)
    counts[100:140] *= 3
    used = np.ones(300, bool)
    used[100:140] = False
    fit = fit_decay(counts, 0.1, exponentials=1, used=used, intervals=False)
    assert fit.lifetimes_ns[0] == pytest.approx(4.0, rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "second"), [("stretched", 0.6), ("lognormal", 0.8), ("gamma", 2.0), ("bimolecular", 3.0)]
)
def test_shapes_are_told_from_exponentials(name: str, second: float) -> None:
    from perolux.photons.decay_shapes import SHAPES, shape_column

    column = shape_column(lambda t: SHAPES[name].curve(t, 3.0, second), 300, 0.1)
    counts = np.random.default_rng(5).poisson(3000 * column + 3)
    fit = fit_decay(counts, 0.1, models=["1", name], used=np.ones(300, bool))
    assert fit.model == name and fit.second is not None
    low, high = fit.intervals_ns[0]
    assert low is not None and high is not None and low * 0.9 < 3.0 < high * 1.1
    assert fit.second[1] == pytest.approx(second, rel=0.3)


def test_a_batch_agrees_with_single_fits() -> None:
    mean, h = recipe(256, 20_000)
    counts = np.random.default_rng(8).poisson(mean, size=(6, 256))
    many = fit_decays_batch(counts, h, exponentials=2, irf=SHARP)
    assert many.converged.all()
    for i in range(6):
        one = fit_decay(counts[i], h, irf=SHARP, exponentials=2, free_shift=False, intervals=False)
        assert many.lifetimes_ns[i] == pytest.approx(one.lifetimes_ns, rel=1e-3)
        assert many.lifetime_sigma_ns[i] == pytest.approx(one.lifetime_sigma_ns, rel=1e-2)
        assert many.counts[i] == pytest.approx(one.counts, rel=1e-3)
        assert many.background[i] == pytest.approx(one.background, rel=1e-2)
        assert many.deviance[i] == pytest.approx(one.deviance, abs=1e-4)


def test_a_batch_finds_the_optimum_on_its_bounds_too() -> None:
    # 300 photons, no background: amplitudes often end at 0
    response = GaussianResponse(0.1, 2.0)
    columns, _, _ = exponential_columns([1.2, 20.0], 200, 0.5, response, period_ns=100.0)
    counts = np.random.default_rng(0).poisson(columns @ [120.0, 180.0], size=(12, 200))
    many = fit_decays_batch(counts, 0.5, exponentials=2, irf=response, period_ns=100.0)
    assert many.converged.all() and many.on_bound.any()
    for one, deviance in zip(counts, many.deviance, strict=True):
        single = fit_decay(
            one, 0.5, irf=response, period_ns=100.0, exponentials=2, free_shift=False, intervals=False
        )
        assert deviance == pytest.approx(single.deviance, abs=1e-3)


def test_a_batch_reaches_the_bound() -> None:
    counts = np.random.default_rng(1).poisson(recipe()[0], size=(1000, BINS))
    many = fit_decays_batch(counts, BIN, exponentials=2, irf=SHARP)
    good = many.lifetimes_ns[many.converged]
    assert len(good) > 990
    assert np.median(good, axis=0) == pytest.approx([2.0, 9.0], rel=0.02)
    assert good.std(axis=0) / cramer_rao() == pytest.approx(1.0, abs=0.10)


def test_a_batch_of_different_decays_and_of_none() -> None:
    t = np.arange(400) * 0.1
    counts = np.array([np.rint(3000 * np.exp(-t / tau) + 2) for tau in (0.5, 2.0, 6.0)] + [np.zeros(400)])
    many = fit_decays_batch(counts, 0.1, exponentials=1)
    assert many.lifetimes_ns[:3, 0] == pytest.approx([0.5, 2.0, 6.0], rel=0.01)
    assert not many.converged[3] and np.isnan(many.lifetimes_ns[3, 0])


@pytest.mark.parametrize(
    "response", [SHARP, None, measured_response(1e4 * np.exp(-0.5 * (np.arange(80) - 40.0) ** 2 / 4), BIN)]
)
def test_the_table_of_a_batch_is_exact_enough(response) -> None:
    assert interpolation_error(256, BIN, response, period_ns=20.0) < 1e-6


@pytest.mark.slow
def test_shared_lifetimes_are_found_and_judged() -> None:
    rng = np.random.default_rng(0)
    columns, _, _ = exponential_columns([1.0, 8.0], 200, 0.15)
    other, _, _ = exponential_columns([1.0, 3.0], 200, 0.15)
    same = [rng.poisson(columns @ area + 2) for area in ([9000, 2000], [4000, 8000], [1000, 16000])]
    fit = fit_decays_global(same, 0.15, exponentials=2)
    assert fit.sharing_supported
    assert fit.lifetimes_ns[0] == pytest.approx([1.0, 8.0], rel=0.1)
    low, high = fit.intervals_ns[1]
    assert low is not None and high is not None and low < 8.0 < high
    mixed = [same[1], rng.poisson(other @ [20000, 20000] + 2)]
    assert not fit_decays_global(mixed, 0.15, exponentials=2).sharing_supported
    own = fit_decays_global(mixed, 0.15, exponentials=2, shared=(True, False))
    assert own.lifetimes_ns[:, 1] == pytest.approx([8.0, 3.0], rel=0.25)
    assert own.lifetimes_ns[0, 0] == own.lifetimes_ns[1, 0]


def test_pile_up_is_told_and_allowed_for() -> None:
    rng, pulses = np.random.default_rng(0), 2_000_000
    column, _, _ = exponential_columns([5.0], 300, 0.1)
    mean = 0.3 * column[:, 0] + 1e-5
    counts, left = np.zeros(300), pulses
    for i, m in enumerate(mean):  # one photon a pulse at most
        counts[i] = rng.binomial(left, -math.expm1(-m))
        left -= int(counts[i])
    share = pile_up(counts, pulses)
    assert share.too_many and share.warning
    used = np.ones(300, bool)
    naive = fit_decay(counts, 0.1, exponentials=1, used=used, intervals=False)
    fit = fit_decay(counts, 0.1, exponentials=1, used=used, exposure=exposure(counts, pulses))
    low, high = fit.intervals_ns[0]
    assert naive.lifetimes_ns[0] < 4.6
    assert low is not None and high is not None and low < 5.0 < high
    assert coates(counts, pulses).sum() == pytest.approx(pulses * mean.sum(), rel=0.01)


def test_coates_undoes_pile_up_exactly() -> None:
    mean = 0.5 * np.exp(-np.arange(50) / 10) / 10
    left = np.exp(-np.concatenate([[0], np.cumsum(mean)[:-1]]))
    assert coates(1e6 * left * -np.expm1(-mean), 1e6) == pytest.approx(1e6 * mean, rel=1e-12)


def dot():
    return read_decay(example_path("single_dot") / "corr_unseg.txt")


@pytest.mark.parametrize(
    ("model", "lifetimes", "background", "chi2"),
    [("2", (2.17, 21.2), 1093, 10.4), ("3", (1.26, 8.24, 29.8), 656, 3.45)],
)
def test_the_dot(model: str, lifetimes: tuple[float, ...], background: float, chi2: float) -> None:
    found = analyse_decay(dot(), start_ns=0.1, models=[model])
    assert found.fit.lifetimes_ns == pytest.approx(lifetimes, rel=0.02)
    assert found.fit.background == pytest.approx(background, rel=0.01)
    assert found.fit.pearson_chi2 / found.fit.degrees_of_freedom == pytest.approx(chi2, rel=0.01)
    assert any("had not converged: 2 of its 5" in text for text in found.as_dict()["warnings"])


def test_the_dot_asks_for_three_or_more() -> None:
    fit = analyse_decay(dot(), models=["2", "3"]).fit
    assert fit.model == "3" and fit.reduced_deviance is not None and fit.reduced_deviance <= 4
    assert fit.starts.followed > 3 and fit.overdispersion > 3


def test_a_stored_fit_that_moved_is_not_blamed() -> None:
    assert (
        stored_fit_problem([("fit_result", "[5.1, 0.3]"), ("fit_guess", "[5.0, 0.5]"), ("se", "[0.1, 1.0]")])
        is None
    )
    assert stored_fit_problem([]) is None


def test_a_response_file_lands_on_the_axis(tmp_path) -> None:
    t = np.arange(300) * 0.1
    column, _, _ = exponential_columns([3.0], 300, 0.1, GaussianResponse(0.2, 5.0))
    np.savetxt(
        tmp_path / "d.csv",
        np.column_stack([t + 1, np.rint(1e6 * column[:, 0])]),
        header="time (ns),counts",
        delimiter=",",
        comments="",
        fmt="%.6g",
    )
    bell = np.rint(1e5 * np.exp(-0.5 * ((t + 0.05 - 5) / 0.2) ** 2))
    np.savetxt(
        tmp_path / "r.csv",
        np.column_stack([t[20:120] + 1, bell[20:120]]),
        header="time (ns),counts",
        delimiter=",",
        comments="",
        fmt="%.6g",
    )
    record = read_decay(tmp_path / "d.csv")
    response = response_of_record(read_decay(tmp_path / "r.csv"), record)
    fit = analyse_decay(record, irf=response, models=["1"]).fit
    assert fit.lifetimes_ns[0] == pytest.approx(3.0, rel=1e-3) and abs(fit.shift_ns or 0) < 0.01


def test_wrong_input_is_refused() -> None:
    good = np.arange(50, 0, -1)
    with pytest.raises(InputError, match="whole numbers"):
        fit_decay(good - 0.5, 0.1)
    with pytest.raises(InputError, match="no photons"):
        fit_decay(np.zeros(50), 0.1)
    with pytest.raises(OptionError, match="no such model"):
        fit_decay(good, 0.1, exponentials=7)
    with pytest.raises(OptionError, match="parameters"):
        fit_decay(good[:6], 0.1, exponentials=4, used=np.ones(6, bool))
    with pytest.raises(OptionError, match="response"):
        fit_decay(good, 0.1, free_shift=True)
    with pytest.raises(OptionError, match="background"):
        fit_decay(good, 0.1, background=-1.0)
    with pytest.raises(OptionError, match="pulses"):
        pile_up(good, 100)
    with pytest.raises(OptionError, match="2 curves"):
        fit_decays_global([good], 0.1, exponentials=1)
    with pytest.raises(InputError, match="batch"):
        fit_decays_batch(good, 0.1, exponentials=1)
    with pytest.raises(OptionError, match="no bin begins"):
        analyse_decay(dot(), exclude_ns=[(200.0, 210.0)])
