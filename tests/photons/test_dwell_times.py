"""Dwell times: laws recovered between limits, intervals that hold, the real dot."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from perolux.errors import OptionError
from perolux.files import example_path
from perolux.measured.decays import read_table
from perolux.photons.dwell_times import (
    LAWS,
    _Problem,
    against_limit,
    compare_laws,
    detection_chance,
    fit_law,
    law_density,
    sample_law,
)

TRUE = {
    "power-law": {"exponent": 1.6},
    "truncated-power-law": {"exponent": 1.4, "cut_off_s": 0.05},
    "exponential": {"mean_s": 0.02},
    "stretched": {"stretching": 0.6, "scale_s": 0.02},
    "lognormal": {"median_s": 0.02, "log_sd": 1.0},
}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("upper", [None, 0.2])
def test_laws_come_back(law: str, upper: float | None) -> None:
    drawn = sample_law(law, TRUE[law], 4000, np.random.default_rng(1), lower_s=2e-3, upper_s=upper)
    found = fit_law(drawn, law, lower_s=2e-3, upper_s=upper)
    for name, true in TRUE[law].items():
        assert abs(found.parameters[name] - true) < 4 * found.sigma[name]
        assert found.low95[name] < found.parameters[name] < found.high95[name]
    total, _ = quad(
        lambda u: float(law_density(found, np.exp(u))) * np.exp(u),
        np.log(2e-3),
        np.log(upper or 1e6),
        limit=400,
    )
    assert total == pytest.approx(1, abs=2e-3 if law == "power-law" and upper is None else 1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("law", ["power-law", "truncated-power-law", "exponential"])
def test_intervals_hold_the_truth(law: str) -> None:
    inside = []
    for seed in range(100):
        drawn = sample_law(law, TRUE[law], 500, np.random.default_rng(seed), lower_s=2e-3)
        found = fit_law(drawn, law, lower_s=2e-3)
        inside += [
            (found.low95[name] or -np.inf) <= true <= (found.high95[name] or np.inf)
            for name, true in TRUE[law].items()
        ]
    assert 0.89 <= np.mean(inside) <= 1.0


def test_real_dot() -> None:
    """Published numbers of the segment durations of one CsPbBr3 dot."""
    table = read_table(example_path("single_dot") / "segments.csv")
    dwells = np.asarray(table["duration_ms"]) * 1e-3
    found = compare_laws(dwells, lower_s=3e-3)
    cut = found["truncated-power-law"]
    assert cut.dwells == 6401
    assert cut.parameters["exponent"] == pytest.approx(1.36, abs=0.1)
    assert cut.parameters["cut_off_s"] == pytest.approx(13.0e-3, abs=1e-3)
    assert found.against_power_law["truncated-power-law"] == pytest.approx(272, abs=10)
    assert found["power-law"].parameters["exponent"] == pytest.approx(2.31, abs=0.02)
    assert found.p_power_law < 1e-100
    five, ten = against_limit(dwells, [5e-3, 10e-3])
    assert five.parameters["exponent"] == pytest.approx(1.71, abs=0.1)
    assert ten.parameters["cut_off_s"] == pytest.approx(22.5e-3, abs=1e-3)


def test_missed_short_dwells_are_allowed_for() -> None:
    chance = detection_chance(8e4, 2e4, 9.0)
    rng = np.random.default_rng(3)
    drawn = sample_law("exponential", {"mean_s": 1e-3}, 20_000, rng, lower_s=1e-5)
    seen = drawn[rng.uniform(size=len(drawn)) < chance(drawn)]
    lower = 3e-4
    naive = fit_law(seen, "exponential", lower_s=lower, intervals=False).parameters["mean_s"]
    aware = fit_law(seen, "exponential", lower_s=lower, chance=chance, intervals=False)
    assert abs(aware.parameters["mean_s"] - 1e-3) < 4 * aware.sigma["mean_s"]
    assert abs(naive - 1e-3) > 2 * abs(aware.parameters["mean_s"] - 1e-3)
    assert chance([1e-6])[0] < 1e-3
    assert chance([1e-2])[0] > 0.999
    dark = detection_chance(2e4, 8e4, 9.0)
    assert dark([1e-2])[0] > 0.999


def test_wrong_input() -> None:
    with pytest.raises(OptionError, match="3 dwells"):
        fit_law([1.0, 2.0, 3.0], "exponential", lower_s=0.5)
    with pytest.raises(OptionError, match="no law"):
        fit_law([1.0] * 30, "weibull", lower_s=0.5)
    with pytest.raises(OptionError, match="positive finite"):
        fit_law([1.0, -2.0], "exponential", lower_s=0.5)
    with pytest.raises(OptionError, match="limits"):
        fit_law([1.0] * 30, "exponential", lower_s=0.5, upper_s=0.1)


@pytest.mark.parametrize("chance", [None, lambda t: np.ones_like(t)])
@given(st.sampled_from(LAWS), st.floats(-1e3, 1e3), st.floats(-1e3, 1e3))
@settings(max_examples=200, deadline=None)
def test_a_search_may_go_anywhere(chance, law: str, first: float, second: float) -> None:
    """A simplex runs far away now and then: it gets a number, never an error."""
    t = np.array([2e-3, 5e-3, 8e-3, 2e-2, 0.1] * 4)
    p = np.array([first, second][: len(TRUE[law])])
    assert np.isfinite(_Problem(law, t, 1e-3, None, chance).loss(p))
