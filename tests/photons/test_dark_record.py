"""Dark counts as a prior: right, narrower, unbiased, and contradicted where they are wrong."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from perolux.errors import OptionError
from perolux.photons.dark_record import dark_record, pulses_of
from perolux.photons.decay_fit import fit_decay
from perolux.photons.decay_models import exponential_columns
from perolux.photons.instrument_response import GaussianResponse

BIN, BINS, PULSES, RESPONSE = 0.5, 200, 1e8, GaussianResponse(0.3, 5.0)
TAU, RATE = 20.0, 30.0  # 30 counts/s over 1e8 pulses: 1.5 counts per bin
COLUMN = exponential_columns([TAU], BINS, BIN, RESPONSE)[0][:, 0]


def fitted(counts, dark=None, **more):
    return fit_decay(
        counts, BIN, irf=RESPONSE, exponentials=1, free_shift=False, start_ns=[15.0], dark=dark, **more
    )


def test_a_gaussian_is_the_record_of_the_same_mean_and_error() -> None:
    one = dark_record(30.0, pulses=PULSES, bin_ns=BIN, sigma_cps=0.5)
    assert one.per_bin == pytest.approx(1.5) and one.per_bin_sigma == pytest.approx(0.025)
    other = dark_record(30.0, pulses=PULSES, bin_ns=BIN, dark_time_s=120.0)
    assert (other.counts, other.bins) == pytest.approx((one.counts, one.bins))


def test_limits_a_sharp_record_fixes_and_a_vague_one_frees() -> None:
    counts = np.random.default_rng(0).poisson(1500 * COLUMN + 1.5)
    fixed, free = fitted(counts, background=1.5), fitted(counts)
    sharp = fitted(counts, dark_record(RATE, pulses=PULSES, bin_ns=BIN, dark_time_s=3e6))
    vague = fitted(counts, dark_record(RATE, pulses=PULSES, bin_ns=BIN, dark_time_s=1e-6))
    # 1e-4 of the background is 0.03 counts of 300; amplitudes are found to 1e-9 of all counts, 0.1 here
    assert sharp.lifetimes_ns[0] == pytest.approx(fixed.lifetimes_ns[0], rel=5e-4)
    assert sharp.intervals_ns[0] == pytest.approx(fixed.intervals_ns[0], rel=1e-3)
    assert vague.lifetimes_ns[0] == pytest.approx(free.lifetimes_ns[0], rel=1e-4)
    assert vague.intervals_ns[0] == pytest.approx(free.intervals_ns[0], rel=1e-3)
    assert sharp.dark is not None and sharp.dark.free_per_bin == pytest.approx(free.background, rel=1e-5)
    assert len(sharp.expected) == len(sharp.residuals) == BINS
    assert sharp.degrees_of_freedom == free.degrees_of_freedom == BINS - 3


def test_the_joint_likelihood_by_brute_force() -> None:
    """The optimum of decay and dark record, searched with another optimiser."""
    from scipy.optimize import minimize

    rng = np.random.default_rng(4)
    counts, seen = rng.poisson(1500 * COLUMN + 1.5), 2900.0
    fit = fitted(counts, dark_record(seen / 100, pulses=PULSES, bin_ns=BIN, dark_time_s=100.0))

    def value(p: np.ndarray) -> float:
        m = np.exp(p[0]) * exponential_columns([np.exp(p[1])], BINS, BIN, RESPONSE)[0][:, 0] + np.exp(p[2])
        expected = np.exp(p[2]) / (PULSES * BIN * 1e-9) * 100.0
        return float(np.sum(m - counts * np.log(m)) + expected - seen * np.log(expected))

    best = minimize(
        value, np.log([1500.0, 15.0, 1.0]), method="Nelder-Mead",
        options={"xatol": 1e-8, "fatol": 1e-10, "maxiter": 4000},
    )  # fmt: skip
    assert fit.lifetimes_ns[0] == pytest.approx(math.exp(best.x[1]), rel=1e-5)
    assert fit.background == pytest.approx(math.exp(best.x[2]), rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [100, pytest.param(400, marks=pytest.mark.long)])
def test_intervals_cover_are_narrower_and_nothing_is_biased(seeds: int) -> None:
    found = {"free": [], "dark": []}
    pulls = []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        counts = rng.poisson(1500 * COLUMN + 1.5)
        dark = dark_record(rng.poisson(RATE * 100) / 100, pulses=PULSES, bin_ns=BIN, dark_time_s=100.0)
        for name, prior in (("free", None), ("dark", dark)):
            fit = fitted(counts, prior)
            found[name].append((fit.lifetimes_ns[0], *fit.intervals_ns[0]))
        assert fit.dark is not None
        pulls.append(fit.dark.sigmas)
    free, held = (np.array(found[name], dtype=float) for name in ("free", "dark"))
    for rows in (free, held):
        inside = np.mean((rows[:, 1] <= TAU) & (rows[:, 2] >= TAU))
        assert inside >= (0.89 if seeds == 100 else 0.92)
        assert abs(rows[:, 0].mean() - TAU) < 3 * rows[:, 0].std() / math.sqrt(seeds) + 0.1
    widths = np.median(held[:, 2] - held[:, 1]), np.median(free[:, 2] - free[:, 1])
    assert widths[0] < 0.8 * widths[1]
    assert held[:, 0].std() < 0.85 * free[:, 0].std()
    # the root of the rise is a standard normal where the record is right
    assert abs(np.mean(pulls)) < 3.5 / math.sqrt(seeds) and 0.8 < np.std(pulls) < 1.2
    assert np.sum(np.abs(pulls) > 3) <= max(2, 0.01 * seeds)


@pytest.mark.parametrize(("rate", "sign"), [(10.0, 1), (60.0, -1)])
def test_a_wrong_record_is_contradicted(rate: float, sign: int) -> None:
    counts = np.random.default_rng(0).poisson(1500 * COLUMN + 1.5)
    fit = fitted(counts, dark_record(rate, pulses=PULSES, bin_ns=BIN, sigma_cps=0.5))
    assert fit.dark is not None and fit.dark.contradicts and fit.dark.sigmas * sign > 3
    assert any("contradicts the dark counts" in text for text in fit.warnings)
    right = fitted(counts, dark_record(RATE, pulses=PULSES, bin_ns=BIN, sigma_cps=0.5))
    assert right.dark is not None and not right.dark.contradicts and right.dark.warning is None


def test_no_dark_count_at_all() -> None:
    counts = np.random.default_rng(0).poisson(1500 * COLUMN)
    fit = fitted(counts, dark_record(0.0, pulses=PULSES, bin_ns=BIN, dark_time_s=100.0))
    assert fit.background < 0.05 and fit.dark is not None and fit.dark.record.per_bin == 0.0


def test_pulses() -> None:
    assert pulses_of(60.0, 100.0, None) == pytest.approx(6e8)
    assert pulses_of(60.0, 100.0, 6.01e8) == 6.01e8
    assert pulses_of(None, None, 5.0) == 5.0
    with pytest.raises(OptionError, match="--pulses 3e"):
        pulses_of(60.0, 100.0, 3e8)
    with pytest.raises(OptionError, match="number of laser pulses"):
        pulses_of(60.0, None, None)
    with pytest.raises(OptionError, match="live time"):
        pulses_of(-1.0, 100.0, None)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "how well"),
        ({"sigma_cps": 1.0, "dark_time_s": 5.0}, "two errors"),
        ({"sigma_cps": 0.0}, "positive"),
        ({"sigma_cps": 1e-4}, "exactly known"),
        ({"rate_cps": -1.0, "sigma_cps": 1.0}, "a dark rate of -1"),
        ({"rate_cps": 0.0, "sigma_cps": 1.0}, "Gaussian"),
        ({"pulses": math.nan, "sigma_cps": 1.0}, "pulses"),
    ],
)
def test_wrong_records_are_refused(arguments: dict, said: str) -> None:
    given = {"rate_cps": 30.0, "pulses": PULSES, "bin_ns": BIN} | arguments
    with pytest.raises(OptionError, match=said):
        dark_record(given.pop("rate_cps"), **given)


def test_a_known_background_and_a_prior_exclude_each_other() -> None:
    counts = np.random.default_rng(0).poisson(1500 * COLUMN + 1.5)
    dark = dark_record(RATE, pulses=PULSES, bin_ns=BIN, sigma_cps=1.0)
    with pytest.raises(OptionError, match="one of the two"):
        fitted(counts, dark, background=1.5)
    assert replace(dark, counts=0.0).per_bin_sigma > 0
