"""Bursts backwards: energy of the models, the likelihood, identifiability, g2, and who wins."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from perolux.collective.backwards.bunching import bunching_rivals
from perolux.collective.backwards.compare import compare_models, record_of
from perolux.collective.backwards.data import burst_data
from perolux.collective.backwards.identify import combinations, equivalent_spread, expected_knowledge
from perolux.collective.backwards.likelihood import burst_problem, prior_records
from perolux.collective.backwards.models import MODELS, photons_until
from perolux.collective.backwards.simulate import simulated_counts
from perolux.collective.backwards.study import TYPICAL, study_axes, study_set
from perolux.collective.blocks import blocks, product_state
from perolux.collective.couplings import Couplings
from perolux.collective.instruments.response import GaussianBlur
from perolux.collective.master_equation import exact_emission
from perolux.collective.symmetric import symmetric_burst
from perolux.errors import InputError, OptionError
from perolux.fitting import binomial_interval

F = np.array([5.0, 50.0, 400.0])


@pytest.mark.parametrize("name", MODELS)
def test_photons_never_fall_and_none_come_from_nothing(name):
    t = np.linspace(-50.0, 4000.0, 3000)
    base, second = photons_until(name, TYPICAL, F, t)
    assert np.all(np.diff(base) >= -1e-12) and np.all(np.diff(second) >= -1e-9)
    assert np.all(base[:, t <= 0.0] == 0.0) and np.all(second[:, t <= 0.0] == 0.0)
    whole = base[:, -1] + second[:, -1]
    p = -np.expm1(-F / TYPICAL["saturation_fluence"])
    if name in ("superfluorescence", "amplified"):
        # every excitation one photon, after ten lifetimes; dark states of a domain keep 2e-3
        assert np.allclose(whole, p, rtol=5e-3)
    elif name == "biexciton":
        assert np.all(whole >= 0.99 * p) and np.all(whole <= F / TYPICAL["saturation_fluence"])
    else:
        assert np.allclose(whole, F / F[-1], rtol=1e-4)


def test_multiexcitons_as_a_chain_of_rates():
    n, k = np.arange(1.0, 9.0), 1.0 / 400.0
    light = n * (1.0 + (n - 1.0) * 0.5) * k
    out = light + n**2 * (n - 1.0) / (4.0 * 40.0)
    x = 2.0
    start = np.array([math.exp(-x) * x**i / math.factorial(i) for i in range(1, 9)])
    start[-1] += 1.0 - math.exp(-x) - start.sum()
    solved = solve_ivp(
        lambda _, y: np.concatenate([-out * y[:8] + np.append(out[1:] * y[1:8], 0.0), light * y[:8]]),
        (0.0, 300.0), np.concatenate([start, np.zeros(8)]), rtol=1e-10, atol=1e-13,
    )  # fmt: skip
    base, second = photons_until("biexciton", TYPICAL, np.array([200.0]), np.array([300.0]))
    assert base[0, 0] == pytest.approx(solved.y[8, -1], rel=1e-8)
    assert second[0, 0] == pytest.approx(solved.y[9:, -1].sum(), rel=1e-8)


def test_amplified_light_as_its_rate_equation():
    g0, b, tau = 10.0, 0.1, 400.0

    def fall(_, p):
        g = g0 * (p - 0.5) / 0.5
        return -p / tau * ((1.0 - b) + b * np.expm1(g) / g)

    solved = solve_ivp(fall, (0.0, 50.0), [-math.expm1(-4.0)], rtol=1e-9, atol=1e-12)
    base, second = photons_until("amplified", TYPICAL, np.array([400.0]), np.array([50.0]))
    assert base[0, 0] + second[0, 0] == pytest.approx(solved.y[0, 0] - solved.y[0, -1], rel=1e-4)


def test_likelihood_and_residuals_say_the_same_and_the_scale_drops_out():
    blank = study_axes()
    made = simulated_counts("fused", TYPICAL, blank, np.full(3, 2000.0), np.random.default_rng(0))
    problem = burst_problem("fused", made)
    u = np.array([one.share(TYPICAL[one.name]) for one in problem.priors])
    value = problem.log_likelihood(u)
    assert np.sum(problem.residuals(u) ** 2) == pytest.approx(-2.0 * value, rel=1e-9)
    assert problem.deviance(problem.numbers(u)) == pytest.approx(-2.0 * value, rel=1e-9)
    assert problem.expected(TYPICAL).sum(axis=(1, 2)) == pytest.approx(made.totals)
    # about one per cell, 630 cells of few counts each
    assert 400.0 < -2.0 * value < 900.0


def test_joined_bins_keep_every_count():
    rng = np.random.default_rng(1)
    n = rng.poisson(5.0, (2, 500, 80)).astype(float)
    n[:, 20:60, 30:40] += 40.0
    found = burst_data(
        np.arange(501.0), n, GaussianBlur(3.0), fluences=np.array([2.0, 1.0]),
        energy_edges_ev=np.linspace(2.0, 2.6, 81),
    )  # fmt: skip
    assert found.counts.sum() == n.sum() and found.counts.shape[2] <= 24 and found.counts.shape[1] < 200
    assert found.fluences.tolist() == [1.0, 2.0] and found.totals[0] == n[1].sum()


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"counts": -np.ones((1, 20))}, "below 0"),
        ({"edges_ps": np.arange(21.0)[::-1]}, "do not rise"),
        ({"counts": np.ones((1, 20))}, "20 counts"),
        ({"fluences": np.array([1.0, 2.0])}, "fluences"),
        ({"zero_ps": (5.0, 1.0)}, "pulse between"),
    ],
)
def test_data_that_cannot_be_fitted(change, match):
    given = {"edges_ps": np.arange(21.0), "counts": np.full((1, 20), 50.0), "response": GaussianBlur(2.0)}
    with pytest.raises((InputError, OptionError), match=match):
        burst_data(**(given | change))


def test_products_of_powers_that_draws_know():
    rng = np.random.default_rng(2)
    n, loose = np.exp(rng.standard_normal(5000)), np.exp(0.01 * rng.standard_normal(5000))
    best, worst = combinations({"N": n, "g": n**2 * loose})
    assert best.powers["g"] / best.powers["N"] == pytest.approx(-0.5, abs=0.01)
    assert best.factor < 1.02 and worst.factor > 2.0


@pytest.mark.parametrize("name", ["superfluorescence", "amplified"])
def test_what_is_known_before_a_count_is_the_curvature_of_the_mean_likelihood(name):
    problem = burst_problem(name, study_axes(2000.0))
    # off the kink at 20 emitters: between whole numbers a domain is a mixture
    numbers = {one.name: (TYPICAL | {"coupled_number": 20.5})[one.name] for one in problem.priors}
    found = expected_knowledge(problem, numbers)
    # counts as expected: -ln L itself, no sum of squares of slopes
    mean = burst_problem(name, replace(problem.data, counts=problem.expected(numbers)))
    u = np.array([one.share(numbers[one.name]) for one in mean.priors])
    k, step = len(u), 2e-4
    shifts = step * np.eye(k)
    curve = np.array(
        [
            [
                mean.log_likelihood(u + a + b) - mean.log_likelihood(u + a - b)
                - mean.log_likelihood(u - a + b) + mean.log_likelihood(u - a - b)
                for b in shifts
            ]
            for a in shifts
        ]
    ) / (4.0 * step**2)  # fmt: skip
    covariance = np.linalg.inv(12.0 * np.eye(k) - curve)
    # the fourth derivative along the ridge of gain and saturation leaves a per cent
    assert np.allclose([one.left for one in found], np.sqrt(12.0 * np.diag(covariance)), rtol=0.03)
    # a parameter is never known worse than its prior has it
    assert all(0.0 < one.left <= 1.0 for one in found)


def test_parameters_outside_of_their_priors_are_refused():
    problem = burst_problem("exponential", study_axes())
    with pytest.raises(OptionError, match="lifetime_ratio outside"):
        expected_knowledge(problem, TYPICAL | {"lifetime_ratio": 2.0})


@pytest.mark.slow
@pytest.mark.parametrize("sigma", [1.0, 10.0])
def test_a_spread_of_energies_looks_like_dephasing(sigma):
    n, draws = 5, 12
    times, rng = np.linspace(0.0, 2.5, 51), np.random.default_rng(0)
    start = product_state(blocks(n), np.arange(n))
    rate = np.zeros(len(times))
    for _ in range(draws):
        one = Couplings(np.ones((n, n)), np.zeros((n, n)), sigma * rng.standard_normal(n))
        rate += exact_emission(one, start, times).photon_rate / draws
    grid = np.geomspace(0.05, 50.0, 40)
    misses = [
        np.sqrt(np.mean((symmetric_burst(n, times, dephasing=g).photon_rate - rate) ** 2)) / n for g in grid
    ]
    k = int(np.argmin(misses))
    # the two differ by a few per cent of I(0): nothing that a fit of usual counts tells apart
    assert misses[k] < 0.05
    assert sigma / 1.6 < equivalent_spread(n, float(grid[k])) < 1.6 * sigma


def test_the_start_of_a_burst_does_not_see_dephasing():
    sharp, washed = symmetric_burst(8), symmetric_burst(8, dephasing=100.0)
    assert sharp.g2_zero == washed.g2_zero == pytest.approx(1.75)
    # the peak of one is twice its start, that of the other its start
    assert sharp.i_peak > 15.0 and washed.i_peak < 8.2


def test_g2_alone():
    by_name = {one.name: one for one in bunching_rivals(1.5, 0.1)}
    assert sum(one.probability for one in by_name.values()) == pytest.approx(1.0)
    assert by_name["domains"].probability < 0.9 and by_name["cascade"].probability > 0.02
    assert max(bunching_rivals(0.9, 0.02), key=lambda one: one.probability).name == "independent"
    with pytest.raises(OptionError):
        bunching_rivals(1.0, 0.0)


def test_priors_are_records_with_reasons():
    for one in prior_records().values():
        assert one.kind == "assumed" and one.reason and one.low < one.high
        assert one.share(one.at(0.3)) == pytest.approx(0.3)


@pytest.mark.slow
def test_superfluorescence_wins_where_it_is_true():
    made = simulated_counts(
        "superfluorescence", TYPICAL, study_axes(), np.full(3, 4000.0), np.random.default_rng(3)
    )
    data = burst_data(
        made.edges_ps, made.counts, made.response, fluences=made.fluences, zero_ps=(-10.0, 10.0)
    )  # fmt: skip
    found = compare_models(data, ["superfluorescence", "exponential"], draws=200, identify=False)
    assert found.fits[0].name == "superfluorescence" and found.probabilities[0] > 0.999
    assert abs(found.fits[0].misfit) < 4.0
    low, _, high = found.fits[0].intervals["coupled_number"]
    assert low < TYPICAL["coupled_number"] < high
    record = record_of(found)
    assert record["models"][0]["model"] == "superfluorescence" and record["identified"] is None


@pytest.mark.long
def test_intervals_hold_the_truth_and_probabilities_are_shares():
    """Sixty sets drawn from the priors, some minutes; `tools/burst_fit_study.py` runs as many as wanted."""
    sets = [study_set(name, seed) for seed in range(12) for name in MODELS]
    inside = [hit for one in sets for hit in one["hits"].values()]
    ranks = np.array([rank for one in sets for rank in one["ranks"].values()])
    # the parameters of a set miss together, hence intervals of 99 % and no narrower
    for hits, level in ((inside, 0.95), (np.abs(ranks - 0.5) < 0.25, 0.5)):
        low, high = binomial_interval(int(np.sum(hits)), len(hits), 0.99)
        assert low < level < high
    # the winner of probability p is true with the chance p: mean and variance of the number of wins
    most = np.array([max(one["probabilities"].values()) for one in sets])
    wins = sum(one["winner"] == one["truth"] for one in sets)
    assert abs(wins - most.sum()) < 3.0 * np.sqrt(np.sum(most * (1.0 - most))) + 0.5


@pytest.mark.long
def test_clear_cases_are_won():
    clear = [study_set(name, seed, typical=True) for seed in range(4) for name in MODELS]
    # exponentials may lose to models that can be them
    assert sum(one["winner"] == one["truth"] for one in clear) >= 0.9 * len(clear)


def test_models_that_do_not_exist():
    with pytest.raises(OptionError, match="no model lasing"):
        compare_models(study_axes(), ["lasing"])
