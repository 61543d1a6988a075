"""Draws from the priors: exact limits, counted failures, and a rank correlation that holds what it says."""

import json
import tomllib
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from perolux.errors import ConvergenceError, OptionError
from perolux.files import example_path
from perolux.synthesis import uncertainty
from perolux.synthesis.batch import constants_of, grow_recipe
from perolux.synthesis.kinetics import FLOW_ONLY
from perolux.synthesis.outcome import outcome_of
from perolux.synthesis.recipe import recipe_of
from perolux.synthesis.uncertainty import QUANTITIES, draw_outcomes, rank_correlation

pytestmark = pytest.mark.slow


def recipe(name="cspbbr3_antisolvent", *, fixed=(), free=(), **kinetics):
    content = tomllib.loads((example_path("recipes") / f"{name}.toml").read_text())
    every = {
        k: v
        for k, v in asdict(constants_of(recipe_of(content))).items()
        if k not in ("from_recipe", *FLOW_ONLY)
    }
    if fixed == "all":
        content["kinetics"] = {name: value for name, value in every.items() if name not in free}
    content["kinetics"] |= kinetics
    return recipe_of(content)


def test_with_all_constants_given_it_is_the_one_result():
    given_all = recipe(fixed="all")
    spread = draw_outcomes(given_all, 40)
    exact = outcome_of(grow_recipe(given_all)).numbers
    found = spread.as_dict()
    for name in QUANTITIES:
        one = found["quantities"][name]
        if exact[name] is None:
            assert one["median"] is None and one["reason"]
            continue
        assert one["low95"] == one["median"] == one["high95"] == pytest.approx(exact[name], rel=1e-12)
        assert one["draws"] == 40 and one["reason"] is None
    assert found["matters"] == [] and "gives all constants" in found["matters_reason"]
    assert found["no_crystals"] == {"draws": 0, "share": 0.0}


def test_one_free_constant_rules_alone():
    spread = draw_outcomes(recipe(fixed="all", free=("log10_nucleation_prefactor",)), 40)
    ranks = spread.rank_correlations("N_per_m3")
    assert list(ranks) == ["prior.log10_nucleation_prefactor"]
    assert abs(ranks["prior.log10_nucleation_prefactor"].value) > 0.99
    number = spread.as_dict()["quantities"]["N_per_m3"]
    assert number["low95"] < number["median"] < number["high95"]


def test_the_seed_decides_and_the_threads_do_not():
    one = draw_outcomes(recipe(), 40, seed=1, jobs=1)
    other = draw_outcomes(recipe(), 40, seed=1, jobs=3)
    assert other.draws == one.draws and other.as_dict() == one.as_dict()
    assert json.loads(json.dumps(one.as_dict(), allow_nan=False)) == one.as_dict()
    assert draw_outcomes(recipe(fixed="all", free=("surface_rate_m_s",)), 40, seed=2).draws != one.draws


def failing(monkeypatch, error, every):
    honest, calls = uncertainty.carry_out_any, []

    def grow(*arguments, **options):
        calls.append(1)
        if len(calls) % every == 0:
            raise error
        return honest(*arguments, **options)

    monkeypatch.setattr(uncertainty, "carry_out_any", grow)


def test_failed_draws_are_counted_and_shown(monkeypatch):
    failing(monkeypatch, ConvergenceError("stuck at 3 s"), 4)
    spread = draw_outcomes(recipe(), 40, jobs=1)
    found = spread.as_dict()
    assert found["failed"] == {
        "draws": 10,
        "errors": [{"error": "ConvergenceError", "draws": 10, "first": "stuck at 3 s"}],
    }
    assert len(spread.grown) == 30 and found["quantities"]["yield"]["draws"] == 30


def test_a_bug_is_no_failed_draw(monkeypatch):
    failing(monkeypatch, ZeroDivisionError("bug"), 4)
    with pytest.raises(ZeroDivisionError):
        draw_outcomes(recipe(), 40)


def test_draws_without_crystals_are_told():
    cold = recipe(fixed="all", surface_energy_j_m2=0.9)
    found = draw_outcomes(cold, 40).as_dict()
    assert found["no_crystals"] == {"draws": 40, "share": 1.0}
    edge = found["quantities"]["mean_edge_nm"]
    assert edge["median"] is None and edge["reason"] == "40 of 40 draws do not have it: nothing nucleates"
    assert found["quantities"]["yield"]["median"] == 0.0


def test_progress_counts_the_draws():
    steps = []

    class Bar:
        start = staticmethod(lambda task, total: steps.append(total))
        advance = staticmethod(lambda count=1: steps.append(count))
        finish = staticmethod(lambda: steps.append("end"))

    draw_outcomes(recipe(fixed="all"), 40, progress=Bar())
    assert steps == [40, *[1] * 40, "end"]


@pytest.mark.parametrize(
    ("count", "seed", "words"), [(39, 0, "40 to"), (10_001, 0, "40 to"), (40, -1, "seed")]
)
def test_it_refuses_in_words(count, seed, words):
    with pytest.raises(OptionError, match=words):
        draw_outcomes(recipe(), count, seed=seed)


def test_what_cannot_be_carried_out_is_refused_before_any_draw():
    content = tomllib.loads((example_path("recipes") / "cspbbr3_antisolvent.toml").read_text())
    content["product"] = "CsPbI3"
    with pytest.raises(OptionError, match="brings I"):
        draw_outcomes(recipe_of(content))


PAIRS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=10, max_size=60)


@settings(max_examples=60)
@given(PAIRS)
def test_the_rank_correlation_is_spearmans(pairs):
    x, y = np.array(pairs, dtype=float).T
    found = rank_correlation(x, y)
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        assert found is None
        return
    assert found.value == pytest.approx(float(spearmanr(x, y).statistic), abs=1e-12)
    assert -1.0 <= found.low95 <= found.high95 <= 1.0
    assert found.low95 <= found.value + 1e-9 and found.value - 1e-9 <= found.high95
    bent = rank_correlation(np.exp(x / 7.0), y)
    assert bent.value == pytest.approx(found.value, abs=1e-12)
    assert rank_correlation(-x, y).value == pytest.approx(-found.value, abs=1e-12)


def test_the_rank_correlation_of_too_little_is_none():
    assert rank_correlation(np.arange(9.0), np.arange(9.0)) is None
    with pytest.raises(OptionError, match="shapes"):
        rank_correlation(np.arange(9.0), np.arange(8.0))


ONCE_STUCK = {
    # trial steps left a deficit of monomer from which every further step was refused
    "cspbbr3_antisolvent": {
        "surface_energy_j_m2": 0.0362727, "log10_nucleation_prefactor": 31.6187,
        "solubility_mol_l": 1.20767e-06, "dissolution_enthalpy_kj_mol": 20.6611,
        "diffusivity_m2_s": 6.50534e-10, "surface_rate_m_s": 5.47352e-06,
        "surface_activation_kj_mol": 60.3318, "antisolvent_exponent": 15.6719, "mixing_time_s": 0.254825,
        "viscosity_activation_kj_mol": 19.2209, "least_radius_nm": 0.663171, "bath_time_constant_s": 5.03414,
    },
    # crystals, fewer than one in a cubic metre, born and dissolved within a step had a size below 0
    "cspbbr3_hot_injection": {
        "surface_energy_j_m2": 0.0307084, "log10_nucleation_prefactor": 32.3701,
        "solubility_mol_l": 3.80216e-05, "dissolution_enthalpy_kj_mol": 38.5997,
        "diffusivity_m2_s": 5.38033e-10, "surface_rate_m_s": 4.99243e-07,
        "surface_activation_kj_mol": 78.9124, "mixing_time_s": 0.963739,
        "viscosity_activation_kj_mol": 12.9853, "least_radius_nm": 0.536534, "bath_time_constant_s": 34.9122,
    },
}  # fmt: skip


@pytest.mark.parametrize("name", ONCE_STUCK)
def test_draws_that_once_stopped_the_engine(name):
    batch = grow_recipe(recipe(name, **ONCE_STUCK[name]))
    assert batch.history.mass_error < 1e-12
    assert all(one["error"] < 1e-9 for one in batch.balances().values())
    assert batch.history.dissolved_mol_m3[-1] > 0
    assert batch.yield_fraction > 0.9
