"""Maximum mixedness: its feed, the linear limit in which both limits agree, balances, what it changes."""

import copy
import tomllib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perolux.errors import InputError, OptionError
from perolux.files import example_path
from perolux.synthesis import grow_finite_volume
from perolux.synthesis.batch import constants_of
from perolux.synthesis.flow import grow_flow
from perolux.synthesis.mixedness import feed_rate_per_s, grow_mixed
from perolux.synthesis.recipe import recipe_of
from perolux.synthesis.residence import inverse_gaussian_density
from perolux.synthesis.tube import tube_of

TUBE = tomllib.loads((example_path("recipes") / "cspbbr3_tube.toml").read_text())


def tube(ages, detectors=("5 mm",), **kinetics):
    content = copy.deepcopy(TUBE) | {"ages": ages}
    content["observe"] = {"detectors": list(detectors)}
    content["kinetics"] = content["kinetics"] | kinetics
    return recipe_of(content)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.05, 0.6), st.floats(0.1, 1000.0), st.floats(0.1, 2.0))
def test_the_feed_keeps_the_residence_times(spread, mean, part):
    """Another path: what has not been fed later than a time left is 1 - F, by quadrature of the density."""
    left = np.linspace(0.0, part * mean, 20_001)
    fed = np.trapezoid(feed_rate_per_s(left, mean, spread), left)
    passed = np.trapezoid(inverse_gaussian_density(left, mean, spread), left)
    assert np.exp(-fed) == pytest.approx(1.0 - passed, abs=1e-5)


def test_the_oldest_liquid_is_a_stirred_tank():
    assert feed_rate_per_s(40.0, 1.0, 0.5) == pytest.approx(1.0 / (2.0 * 0.25), rel=0.1)
    assert feed_rate_per_s(0.0, 1.0, 0.5) == 0.0
    with pytest.raises(OptionError, match="above 0"):
        feed_rate_per_s(1.0, 1.0, 0.0)


@pytest.mark.slow
def test_both_limits_agree_where_nothing_is_used_up():
    """So few nuclei that the supersaturation stays: number and sizes are linear in what is fed."""
    rows = [
        grow_flow(tube(ages, ("1 cm",), log10_nucleation_prefactor=12.0), tolerance=1e-4).rows()[0]
        for ages in ("apart", "mixed")
    ]
    assert 0 < rows[0]["yield"] < 1e-4
    for name in ("N_per_m3", "mean_edge_nm", "cv", "nuclei_per_m3", "time_s", "time_sd_s"):
        assert rows[1][name] == pytest.approx(rows[0][name], rel=0.015), name


@pytest.mark.slow
def test_limits_bracket_what_mixing_of_ages_can_do():
    """Fresh feed meets crystals and grows them instead of nucleating: fewer and larger ones; ions balance."""
    apart, mixed = (grow_flow(tube(ages), tolerance=1e-3) for ages in ("apart", "mixed"))
    one, two = apart.rows()[0], mixed.rows()[0]
    assert two["N_per_m3"] < 0.5 * one["N_per_m3"]
    assert two["mean_edge_nm"] > 1.3 * one["mean_edge_nm"]
    for balance in (*apart.balances().values(), *mixed.balances().values()):
        assert balance["error"] < 1e-9
        assert min(balance.values()) > -1e-9 * balance["fed_umol_min"]
    assert any("maximum mixedness" in text for text in mixed.warnings)


@pytest.mark.slow
def test_the_other_engine_says_the_same():
    recipe = tube("mixed", log10_nucleation_prefactor=27.0)
    constants = constants_of(recipe)
    flow = tube_of(recipe, constants)
    found = grow_mixed(recipe, constants, flow, flow.time_s(5.0), flow.spread(5.0), 1e-4)
    other = grow_finite_volume(
        found.schedule.model, found.schedule.conditions, found.history.time_s[-1:], largest_m=60e-9, cells=600
    )
    assert other.number_per_m3[-1] == pytest.approx(found.history.number_per_m3[-1], rel=0.02)
    assert other.mean_radius_m[-1] == pytest.approx(found.history.mean_radius_m[-1], rel=0.02)


def test_several_zones_are_refused():
    content = copy.deepcopy(TUBE) | {"ages": "mixed"}
    content["tube"]["zones"] = [{"length": "3 cm", "temperature": "120 degC"}] * 2
    with pytest.raises(InputError, match="takes one zone"):
        recipe_of(content)
    with pytest.raises(InputError, match="ages"):
        recipe_of(copy.deepcopy(TUBE) | {"ages": "stirred"})
