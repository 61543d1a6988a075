"""Accelerated tests: simulated, fitted, recovered; what they cannot tell is refused."""

from __future__ import annotations

import numpy as np
import pytest

from perolux.display.ageing import (
    AgeingTest,
    Condition,
    acceleration,
    fit_ageing,
    lifetime_in_use,
    read_ageing,
)
from perolux.errors import InputError, NotAvailableError, OptionError

TRUE = {"activation_ev": 0.62, "peck_n": 1.9, "flux_m": 0.9}
TAU, BETA = 900.0, 0.7
AT = Condition(60.0, 70.0, 10.0)
CONDITIONS = [Condition(60, 90, 10), Condition(85, 85, 10), Condition(60, 50, 40), Condition(75, 70, 20)]


def simulated(rng, conditions=CONDITIONS, noise=0.01, hours=1000.0, brightening=0.0):
    tests = []
    for k, condition in enumerate(conditions):
        t = np.linspace(0.0, hours, 30)
        tau = TAU / acceleration(condition, AT, **TRUE)
        light = 5.0 * np.exp(-((t / tau) ** BETA)) * (1.0 + brightening * -np.expm1(-t / 15.0))
        tests.append(AgeingTest(f"test {k}", condition, t, light * np.exp(rng.normal(0.0, noise, len(t)))))
    return tests


def true_hours(use, share):
    return TAU / acceleration(use, AT, **TRUE) * (-np.log(share)) ** (1.0 / BETA)


def test_constants_and_lifetimes_come_back():
    found = fit_ageing(simulated(np.random.default_rng(1), noise=1e-6))
    for name, value in TRUE.items():
        assert found.fit[name] == pytest.approx(value, abs=2e-3)
    use = Condition(35.0, 50.0, 1.0)
    for share in (0.95, 0.9, 0.8):
        assert lifetime_in_use(found, use, share).hours == pytest.approx(true_hours(use, share), rel=2e-3)


@pytest.mark.slow
def test_intervals_cover_the_truth():
    use, hits = Condition(40.0, 50.0, 2.0), 0
    for seed in range(200):
        found = fit_ageing(simulated(np.random.default_rng(seed)))
        life = lifetime_in_use(found, use, 0.9)
        hits += life.low <= true_hours(use, 0.9) <= life.high
    assert 180 <= hits <= 198  # 95 % of 200 is 190; 3.3 binomial standard deviations below, 2.6 above


def test_brightening_is_recovered_and_delays():
    tests = simulated(np.random.default_rng(2), [Condition(60, 70, 10)], noise=1e-5, brightening=0.2)
    found = fit_ageing(tests, brightening=True)
    assert found.fit["brightening"] == pytest.approx(0.2, rel=0.02)
    life = lifetime_in_use(found, Condition(60, 70, 10), 0.9)
    assert life.hours > true_hours(Condition(60, 70, 10), 0.9)
    assert life.acceleration["test 0"] == pytest.approx(1.0)


def test_what_the_tests_do_not_tell_is_refused_unless_given():
    tests = simulated(np.random.default_rng(3), [Condition(60, 70, 10)])
    found = fit_ageing(tests)
    with pytest.raises(NotAvailableError, match="none is assumed"):
        lifetime_in_use(found, Condition(40.0, 70.0, 10.0), 0.9)
    given = fit_ageing(tests, given={"activation_ev": 0.5})
    life = lifetime_in_use(given, Condition(40.0, 70.0, 10.0), 0.9)
    assert any("given" in text for text in life.extrapolated)
    assert any("outside the tests" in text for text in life.extrapolated)


def test_extrapolation_in_time_is_marked():
    tests = simulated(np.random.default_rng(4), [Condition(60, 70, 10)], hours=20.0)
    found = fit_ageing(tests)
    assert any("below" in text for text in found.warnings)
    assert any(
        "beyond the tests" in t for t in lifetime_in_use(found, Condition(60, 70, 10), 0.5).extrapolated
    )
    inside = fit_ageing(simulated(np.random.default_rng(4), [Condition(60, 70, 10)]))
    assert lifetime_in_use(inside, Condition(60, 70, 10), 0.8).extrapolated == ()


def test_tables(tmp_path):
    path = tmp_path / "tests.csv"
    header = "time_h,brightness,temperature_c,humidity_percent,flux\n"
    path.write_text(
        header + "".join(f"{t},{100 - t / 100},{c},{90},1\n" for c in (60, 85) for t in range(0, 900, 100))
    )
    tests = read_ageing(path)
    assert [one.condition.temperature_c for one in tests] == [60.0, 85.0]
    path.write_text(header + "0,-1,60,90,1\nx,1,60,90,1\n")
    with pytest.raises(InputError) as error:
        read_ageing(path)
    assert len(error.value.problems) == 2 and "line 3" in str(error.value)
    path.write_text("hours,light\n1,2\n")
    with pytest.raises(InputError, match="no column"):
        read_ageing(path)


def test_wrong_constants_and_conditions():
    tests = simulated(np.random.default_rng(5))
    with pytest.raises(OptionError, match="given, and told"):
        fit_ageing(tests, given={"activation_ev": 0.5})
    with pytest.raises(OptionError, match="no constant"):
        fit_ageing(tests, given={"ea": 0.5})
    with pytest.raises(InputError, match="points"):
        fit_ageing([AgeingTest("short", AT, np.array([0.0, 1.0]), np.array([1.0, 0.9]))])
    for wrong in ((400.0, None, None), (20.0, 0.0, None), (20.0, 50.0, -1.0)):
        with pytest.raises(OptionError):
            Condition(*wrong)
    with pytest.raises(OptionError, match="share"):
        lifetime_in_use(fit_ageing(tests), AT, 1.5)
