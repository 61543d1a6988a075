"""Distributions of lifetimes: the true maximum proven, a second method, known truths, coverage."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import nnls

from perolux.errors import ConvergenceError, InputError, OptionError
from perolux.photons.dark_record import dark_record
from perolux.photons.decay_distribution import MOMENTS, fit_distribution
from perolux.photons.decay_fit import make_histogram
from perolux.photons.decay_models import exponential_columns
from perolux.photons.distribution_batch import fit_smooth_batch
from perolux.photons.distribution_grid import Tabulated, grid_of, tabulate
from perolux.photons.distribution_likely import (
    fit_distributions_batch,
    most_likely,
    optimality_gap,
    value_of,
)
from perolux.photons.distribution_smooth import basis_of, by_evidence, curvature_fit, entropy_fit
from perolux.photons.instrument_response import GaussianResponse

BINS, BIN = 256, 50 / 256
RESPONSE = GaussianResponse(0.2, 2.0)


def truth(kind: str) -> tuple[np.ndarray, dict[str, float]]:
    """Light per bin of one photon, and the moments: lognormal amplitudes, two lifetimes, or one."""
    tau, photons = np.array([4.0]), np.ones(1)
    if kind == "lognormal":  # 3 ns, s = 0.5
        tau = np.geomspace(0.02, 200, 2000)
        photons = tau * np.exp(-0.5 * (np.log(tau / 3) / 0.5) ** 2)
    elif kind == "two":
        tau, photons = np.array([2.0, 9.0]), np.array([0.4, 0.6])
    photons = photons / photons.sum()
    mean = float(photons @ np.log(tau))
    return exponential_columns(tau, BINS, BIN, RESPONSE)[0] @ photons, {
        "mean_ln_tau": mean,
        "sd_ln_tau": math.sqrt(float(photons @ (np.log(tau) - mean) ** 2)),
        "average_amplitude_ns": 1 / float(photons @ (1 / tau)),
        "average_intensity_ns": float(photons @ tau),
    }


def problem_of(kind: str, photons: float, seed: int | None, dark: bool = False) -> Tabulated:
    mean = photons * (truth(kind)[0] + 0.05 / BINS)
    counts = np.rint(mean) if seed is None else np.random.default_rng(seed).poisson(mean)
    h = make_histogram(counts, BIN, irf=RESPONSE)
    if dark:
        h = replace(
            h,
            dark=dark_record(
                50.0, pulses=0.05 * photons / BINS / (50 * BIN * 1e-9), bin_ns=BIN, dark_time_s=30
            ),
        )
    return tabulate(h, grid_of(h))


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("photons", [200.0, 5e3, 1e6])
def test_the_maximum_fulfils_the_conditions_of_kuhn_and_tucker(photons: float, dark: bool) -> None:
    p = problem_of("two", photons, 3, dark)
    a, gap = most_likely(p.counts, p.columns, p.fixed, ordered=len(p.tau_ns))
    g = 1 - p.columns.T @ (p.counts / np.maximum(p.columns @ a, 1e-300))
    total = p.counts.sum()
    # the bound 1e-6 on ln L leaves no gradient below -1e-6/N, and hardly any on what is there
    assert gap < max(1e-6, 1e-12 * total) and (a >= 0).all()
    assert g.min() >= -max(1e-6, 1e-12 * total) / total
    assert np.abs(g * a).sum() < 1e-5
    assert a.sum() == pytest.approx(total, rel=1e-9)
    assert 1 <= np.count_nonzero(a[:-1]) <= 8


@pytest.mark.parametrize("seed", range(4))
def test_a_second_method_finds_the_same_maximum(seed: int) -> None:
    """Least squares with non-negative amplitudes (scipy), its weights 1/m renewed until they stay: EM
    between.
    """
    p = problem_of("lognormal", 5e3, seed)
    a, _ = most_likely(p.counts, p.columns, p.fixed, ordered=len(p.tau_ns))
    b = np.full(len(a), p.counts.sum() / len(a))
    for _ in range(60):
        root = np.sqrt(p.columns @ b)
        target = nnls(p.columns / root[:, None], p.counts / root)[0]
        for length in (1.0, 0.5, 0.25, 0.1, 0.03, 0.01):
            trial = b + length * (target - b)
            if value_of(p.counts, p.columns @ trial) <= value_of(p.counts, p.columns @ b):
                b = trial
                break
    assert value_of(p.counts, p.columns @ a) == pytest.approx(value_of(p.counts, p.columns @ b), abs=1e-5)
    assert value_of(p.counts, p.columns @ a) <= value_of(p.counts, p.columns @ b) + 1e-6


def test_expectation_maximisation_comes_near_from_above() -> None:
    p = problem_of("two", 5e3, 1)
    a, _ = most_likely(p.counts, p.columns, p.fixed, ordered=len(p.tau_ns))
    best, gaps = value_of(p.counts, p.columns @ a), []
    b = np.full(len(a), p.counts.sum() / len(a))
    for step in range(3001):
        ratio = p.columns.T @ (p.counts / (p.columns @ b))
        if step in (100, 1000, 3000):
            value = value_of(p.counts, p.columns @ b)
            gaps.append(value - best)
            # the bound is one
            assert value - best <= optimality_gap(b, 1 - ratio, p.counts.sum()) + 1e-9
        b = b * ratio
    assert gaps[0] > gaps[1] > gaps[2] > 0


@pytest.mark.parametrize("tau", [1.0, 4.0, 12.0])
def test_one_exponential_comes_back_at_its_place(tau: float) -> None:
    h = make_histogram(np.zeros(BINS) + 1, BIN, irf=RESPONSE)
    grid = np.array([*np.geomspace(0.3, tau, 30), *np.geomspace(tau, 40, 31)[1:]])
    p = tabulate(h, grid)
    column = exponential_columns([tau], BINS, BIN, RESPONSE)[0][:, 0]
    exact = replace(p, counts=1e6 * column + 20.0)  # no noise at all
    a, _ = most_likely(exact.counts, exact.columns, exact.fixed, ordered=60)
    # a grid that holds tau: all photons there, to what 1e-6 of ln L can tell
    assert a[29] / p.unit[29] == pytest.approx(1e6, rel=1e-3)
    assert a[60] / p.unit[60] == pytest.approx(20.0, rel=1e-2)


def test_off_the_grid_two_neighbours_share_it() -> None:
    p = problem_of("one", 1e6, None)
    a, _ = most_likely(p.counts, p.columns, p.fixed, ordered=60)
    photons = a[:60] / p.unit[:60]
    main = np.flatnonzero(photons > 0.01 * photons.sum())
    assert len(main) == 2 and p.tau_ns[main[0]] < 4.0 < p.tau_ns[main[1]]
    assert photons @ p.tau_ns / photons.sum() == pytest.approx(4.0, rel=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["lognormal", "two"])
def test_moments_go_to_the_truth_with_the_counts(kind: str) -> None:
    """No noise but that of rounding: averages are right to 1 % at 1e6 counts, better than at 1e4."""
    _, true = truth(kind)
    off = []
    for photons in (1e4, 1e7):
        h = make_histogram(np.rint(photons * (truth(kind)[0] + 0.05 / BINS)), BIN, irf=RESPONSE)
        found = fit_distribution(h, resamples=0)
        off.append(
            [
                abs(one.moments[key][0] / true[key] - 1)
                for one in found.methods
                for key in ("average_amplitude_ns", "average_intensity_ns")
            ]
        )
    assert max(off[1]) < 0.01
    assert max(off[1]) < max(off[0])


@pytest.mark.slow
def test_a_lognormal_of_rates_is_recovered_within_its_intervals() -> None:
    column, true = truth("lognormal")
    counts = np.random.default_rng(5).poisson(2e5 * (column + 0.05 / BINS))
    found = fit_distribution(make_histogram(counts, BIN, irf=RESPONSE), resamples=60)
    one = found["entropy"]
    for key, value in true.items():
        low, high = one.moments[key][1:]
        assert low is not None and high is not None and low <= value <= high, key
    # amplitudes lognormal with s: photons too, their mean of ln(tau) higher by s^2
    assert true["mean_ln_tau"] == pytest.approx(math.log(3) + 0.25, abs=1e-6)
    assert true["sd_ln_tau"] == pytest.approx(0.5, rel=1e-6)
    main = max(one.peaks, key=lambda peak: peak.share)
    assert main.broad and main.share > 0.9


def test_a_single_lifetime_is_not_called_broad() -> None:
    counts = np.random.default_rng(2).poisson(5e4 * (truth("one")[0] + 0.05 / BINS))
    found = fit_distribution(make_histogram(counts, BIN, irf=RESPONSE), resamples=0)
    main = max(found["entropy"].peaks, key=lambda peak: peak.share)
    assert not main.broad and main.tau_ns == pytest.approx(4.0, rel=0.02)


def test_entropy_and_curvature_are_at_their_optimum() -> None:
    """Gradients by differences of the penalised likelihood, computed here again from their definition."""
    p = problem_of("two", 2e4, 7)
    basis, n, k = basis_of(p), p.counts, len(p.tau_ns)
    total, rng = n.sum(), np.random.default_rng(0)
    weight = 3.0 / total
    a = entropy_fit(p, basis, weight)

    def entropy(x: np.ndarray) -> float:
        grid = np.maximum(x[:k], 1e-300)
        return value_of(n, p.columns @ x) + weight * float(
            np.sum(grid * np.log(grid / (total / k)) - grid + total / k)
        )

    c = curvature_fit(p, basis, 1e4 / total)

    def curvature(x: np.ndarray) -> float:
        return value_of(n, p.columns @ x) + 0.5 * 1e4 * float(np.sum(np.diff(x[:k] / total, 2) ** 2))

    for best, q in ((a, entropy), (c, curvature)):
        assert (best >= 0).all()
        for scale in (1e-3, 1e-2, 1e-1):
            for _ in range(20):
                other = np.maximum(
                    best * (1 + scale * rng.standard_normal(k + 1)) + 1e-3 * rng.random(k + 1), 0
                )
                assert q(other) >= q(best) - 1e-6


def test_the_evidence_counts_what_the_data_measure() -> None:
    """At the peak of the evidence -2 w S is the number of good measurements (Gull), a handful here."""
    p = problem_of("two", 5e4, 4)
    a, weight, inside = by_evidence(p, basis_of(p))
    x, even = a[:60], p.counts.sum() / 60
    assert inside
    good = 2 * weight * float(np.sum(x * np.log(x / even) - x + even))
    root = np.sqrt(x)
    m = p.columns @ a
    f = p.columns[:, :60]
    v = np.linalg.eigvalsh((f.T @ (f * (p.counts / m**2)[:, None])) * np.outer(root, root))
    # the grid of weights is joined by a parabola: 15 %
    assert good == pytest.approx(float(np.sum(np.maximum(v, 0) / (np.maximum(v, 0) + weight))), rel=0.15)
    assert 2 < good < 12


@pytest.mark.slow
def test_a_batch_agrees_with_single_fits_and_converges() -> None:
    mean = 5000 * (truth("two")[0] + 0.05 / BINS)
    counts = np.random.default_rng(0).poisson(mean, size=(200, BINS))
    counts[7] = 0
    many = fit_distributions_batch(counts, BIN, irf=RESPONSE)
    assert np.array_equal(np.flatnonzero(~many.converged), [7]) and np.isnan(many.photons[7]).all()
    for i in (0, 50, 199):
        h = make_histogram(counts[i], BIN, irf=RESPONSE)
        p = tabulate(h, grid_of(h))
        a, _ = most_likely(p.counts, p.columns, p.fixed, ordered=60)
        assert many.deviance[i] == pytest.approx(2 * value_of(p.counts, p.columns @ a), abs=1e-5)
        assert many.average_intensity_ns[i] == pytest.approx(
            a[:60] / p.unit[:60] @ p.tau_ns / (a[:60] / p.unit[:60]).sum(), rel=1e-3
        )
    one = fit_distributions_batch(counts, BIN, irf=RESPONSE, threads=1)
    assert np.array_equal(one.photons, many.photons, equal_nan=True)
    early = counts[:3].copy()
    early[1, 0] = 1  # before the pulse, where nothing can be
    dark = fit_distributions_batch(early, BIN, irf=GaussianResponse(0.0, 2.0), background=0.0)
    assert not dark.converged[1] and np.isnan(dark.deviance[1])
    known = fit_distributions_batch(counts[:5], BIN, irf=RESPONSE, background=250 / BINS)
    assert known.converged.all() and (known.background == 250 / BINS).all()


@pytest.mark.slow
@pytest.mark.parametrize(("method", "alone"), [("entropy", entropy_fit), ("curvature", curvature_fit)])
@pytest.mark.parametrize("background", [None, 0.5])
def test_a_smooth_batch_is_what_single_fits_are(method, alone, background) -> None:
    mean = np.array([[200.0], [5e3], [1e5]]) * (truth("two")[0] + 0.05 / BINS) + (background or 0.0)
    counts = np.random.default_rng(0).poisson(np.repeat(mean, 3, axis=0))
    counts[4] = 0
    many = fit_smooth_batch(counts, BIN, irf=RESPONSE, method=method, background=background)
    assert np.array_equal(np.flatnonzero(~many.converged), [4]) and np.isnan(many.photons[4]).all()
    h = make_histogram(counts.sum(axis=0), BIN, irf=RESPONSE)
    p = tabulate(h, grid_of(h), background=background)
    for i in (0, 3, 8):
        one = replace(p, counts=counts[i].astype(float))
        a = alone(one, basis_of(p), many.weight_times_photons / counts[i].sum())
        n = a[:60] / p.unit[:60]
        # the same steps in another order of sums
        assert np.abs(many.photons[i] - n).max() < 1e-8 * n.max()
        assert many.deviance[i] == pytest.approx(2 * value_of(one.counts, p.columns @ a + p.fixed), rel=1e-9)
    again = fit_smooth_batch(
        counts, BIN, irf=RESPONSE, method=method, background=background, threads=1,
        weight_times_photons=many.weight_times_photons,
    )  # fmt: skip
    assert np.array_equal(again.photons, many.photons, equal_nan=True)


@pytest.mark.slow
def test_a_dark_record_steadies_the_background() -> None:
    mean = 5000 * (truth("two")[0] + 0.05 / BINS)
    counts = np.random.default_rng(1).poisson(mean)
    h = make_histogram(counts, BIN, irf=RESPONSE)
    dark = dark_record(100.0, pulses=250 / BINS / (100 * BIN * 1e-9), bin_ns=BIN, dark_time_s=1000.0)
    free, held = (fit_distribution(one, resamples=40) for one in (h, replace(h, dark=dark)))
    for name in ("likelihood", "entropy", "curvature"):
        widths = [x[name].moments["background"] for x in (free, held)]
        assert widths[1][2] - widths[1][1] < 0.3 * (widths[0][2] - widths[0][1])
        assert held[name].background == pytest.approx(250 / BINS, rel=0.02)


def test_json_and_refusals() -> None:
    counts = np.random.default_rng(1).poisson(3000 * (truth("one")[0] + 0.05 / BINS))
    h = make_histogram(counts, BIN, irf=RESPONSE)
    found = fit_distribution(h, grid=(0.3, 30.0, 25), resamples=20)
    facts = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert len(facts["tau_ns"]) == 25 and set(facts["methods"]) == {"likelihood", "entropy", "curvature"}
    assert set(facts["methods"]["entropy"]["moments"]) == set(MOMENTS)
    assert any("spikes" in text for text in facts["warnings"])
    assert facts["methods"]["likelihood"]["log_likelihood_may_rise_by"] < 1e-6
    with pytest.raises(OptionError, match="a grid from"):
        fit_distribution(h, grid=(1e-6, 30.0, 25))
    with pytest.raises(OptionError, match="5 lifetimes"):
        fit_distribution(h, grid=(0.3, 30.0, 5))
    with pytest.raises(OptionError, match="resamples"):
        fit_distribution(h, resamples=3)
    with pytest.raises(OptionError, match="no method"):
        found["ridge"]
    with pytest.raises(InputError, match="batch"):
        fit_distributions_batch(counts, BIN)
    with pytest.raises(InputError, match="batch"):
        fit_smooth_batch(counts, BIN)
    with pytest.raises(OptionError, match="no method"):
        fit_smooth_batch(counts[None], BIN, method="ridge")
    with pytest.raises(InputError, match="no photons"):
        fit_smooth_batch(0 * counts[None], BIN, irf=RESPONSE)
    with pytest.raises(ConvergenceError, match="the model is 0"):
        most_likely(np.array([1.0, 5.0]), np.array([[1.0], [0.0]]), np.zeros(2))


@pytest.mark.long
@pytest.mark.parametrize("kind", ["lognormal", "two", "one"])
def test_intervals_cover_the_truth(kind: str, seeds: int = 40) -> None:
    column, true = truth(kind)
    inside = dict.fromkeys(
        [(name, key) for name in ("likelihood", "entropy", "curvature") for key in true], 0
    )
    for seed in range(seeds):
        counts = np.random.default_rng(seed).poisson(2e4 * (column + 0.05 / BINS))
        found = fit_distribution(
            make_histogram(counts, BIN, irf=RESPONSE), resamples=40, rng=np.random.default_rng(seed + 999)
        )
        for name, key in inside:
            low, high = found[name].moments[key][1:]
            inside[name, key] += low is not None and high is not None and low <= true[key] <= high
    # nominal 95 %; the quantiles of 40 resamples hold 90 %, and regularised averages keep some bias
    assert min(inside.values()) >= 0.75 * seeds, inside
    assert np.mean(list(inside.values())) >= 0.85 * seeds, inside
