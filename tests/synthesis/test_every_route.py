"""Recipes of all routes by one call: their outcomes, reasons, draws, and the limits in which routes agree."""

import math
import tomllib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perolux.errors import OptionError
from perolux.files import example_path
from perolux.synthesis.every_route import (
    carry_out_any,
    constants_to_choose,
    draw_for,
    given_constants,
    outcome_of_any,
    outcomes_for,
    size_of_route,
)
from perolux.synthesis.flow import grow_flow
from perolux.synthesis.recipe import recipe_of
from perolux.synthesis.routes import carry_out
from perolux.synthesis.solid_priors import draw_solid_constants, solid_priors
from perolux.synthesis.uncertainty import draw_outcomes

SHORT = {
    "droplet": ("cspbbr3_droplets", {"observe": {"detectors": ["1 mm", "5 mm"]}}),
    "tube": ("cspbbr3_tube", {"observe": {"detectors": ["5 mm"]}}),
    "milling": ("cspbbr3_milling", {}),
    "template": ("mapbbr3_template", {}),
    "salt": ("cspbbr3_on_salt", {"observe": {"until": "70 s"}}),
}


def content_of(route, **kinetics):
    name, blocks = SHORT[route]
    content = tomllib.loads((example_path("recipes") / f"{name}.toml").read_text()) | blocks
    if kinetics:
        content["kinetics"] = content.get("kinetics", {}) | kinetics
    return content


def outcome(content):
    return outcome_of_any(carry_out_any(recipe_of(content)))


@pytest.mark.parametrize("route", SHORT)
def test_every_number_is_there_or_has_its_reason(route):
    found = outcome(content_of(route))
    assert list(found.numbers) == list(outcomes_for(route))
    assert {name for name, value in found.numbers.items() if value is None} == set(found.reasons)
    assert all(value is None or math.isfinite(value) for value in found.numbers.values())
    assert found.has_crystals and found.numbers[size_of_route(route)] > 1.0


@pytest.mark.parametrize("route", ["milling", "template", "salt"])
def test_it_says_what_the_last_row_of_the_route_says(route):
    recipe = recipe_of(content_of(route))
    row, found = carry_out(recipe).rows()[-1], outcome_of_any(carry_out_any(recipe)).numbers
    shared = [name for name in found if found[name] is not None and name in row]
    assert size_of_route(route) in shared and "N_per_m3" in shared and "cv" in shared
    for name in shared:
        assert found[name] == pytest.approx(row[name], rel=1e-12), name


@pytest.mark.parametrize("route", ["droplet", "tube"])
def test_flow_is_told_at_its_last_detector(route):
    recipe = recipe_of(content_of(route))
    row, found = grow_flow(recipe).rows()[-1], outcome_of_any(carry_out_any(recipe)).numbers
    # the times that are asked for move the engine's steps; where most crystals dissolve its cv is good to 2 %
    for name in ("mean_edge_nm", "cv", "N_per_m3", "yield"):
        assert found[name] == pytest.approx(row[name], rel=0.02), name
    assert found["residence_time_s"] == pytest.approx(row["time_s"], rel=1e-12)


def test_a_droplet_without_jitter_has_the_course_of_a_flask():
    """One stream, one zone, at its temperature: the flask that a droplet is."""
    contents = [
        {"chemical": "PbBr2", "amount": "0.02 mmol"},
        {"chemical": "cesium oleate", "concentration": "25 mM", "volume": "1 mL", "solvent": "octadecene"},
        {"chemical": "octadecene", "volume": "5 mL"},
    ]
    kinetics = {"surface_energy_j_m2": 0.02, "surface_rate_m_s": 3e-7, "solubility_mol_l": 1e-6}
    stream = {"flow": "30 uL/min", "temperature": "140 degC", "contents": contents}
    droplet = {
        "route": "droplet", "product": "CsPbBr3", "streams": [stream], "kinetics": kinetics,
        "tube": {"inner_diameter": "0.5 mm", "zones": [{"length": "10 cm", "temperature": "140 degC"}]},
        "droplets": {"volume": "100 nL", "carrier_flow": "60 uL/min"},
        "observe": {"detectors": ["5 mm"]},
    }  # fmt: skip
    in_droplets = outcome(droplet).numbers
    flask = {
        "route": "hot-injection", "product": "CsPbBr3", "kinetics": kinetics,
        "vessel": {"temperature": "140 degC", "contents": contents},
        "observe": {"until": f"{in_droplets['residence_time_s']!r} s"},
    }  # fmt: skip
    in_a_flask = outcome(flask).numbers
    assert in_a_flask.pop("time_to_90_percent_s") is in_droplets["time_to_90_percent_s"] is None
    for name, value in in_a_flask.items():
        assert in_droplets[name] == pytest.approx(value, rel=1e-6), name


def test_few_nuclei_are_told_by_single_droplets():
    content = content_of("droplet", log10_nucleation_prefactor=11.0)
    content |= {"observe": {"detectors": ["2 mm"], "droplets": 20}}
    result = carry_out_any(recipe_of(content))
    found, single = outcome_of_any(result), result.sample.summary(-1)
    assert found.numbers["mean_edge_nm"] == single["mean_edge_nm"]
    assert found.numbers["N_per_m3"] == pytest.approx(single["crystals_mean"] / 1e-10)
    assert "that of no droplet" in found.reasons["nucleation_share"]
    assert {name for name, value in found.numbers.items() if value is None} == set(found.reasons)


def test_without_nuclei_a_droplet_says_so():
    found = outcome(content_of("droplet", surface_energy_j_m2=0.5))
    assert not found.has_crystals and found.reasons["mean_edge_nm"] == "nothing nucleates"
    assert found.numbers["no_nucleus"] == 1.0 and found.numbers["N_per_m3"] == 0.0


def test_a_template_passes_90_percent_where_its_rows_do():
    content = content_of("template")
    content["pores"] |= {"filling": 1.0}
    content["solution"]["contents"][-1]["volume"] = "0.08 mL"
    recipe = recipe_of(content)
    result = carry_out_any(recipe)
    when = outcome_of_any(result).numbers["time_to_90_percent_s"]
    assert result.yield_at(when) == pytest.approx(0.9, abs=1e-6)
    assert result.yield_at(0.999 * when) < 0.9


@pytest.mark.parametrize("route", SHORT)
def test_draws_hold_what_the_recipe_leaves_open_and_nothing_else(route):
    recipe = recipe_of(content_of(route))
    draws = draw_for(recipe, np.random.default_rng(1), 3)
    assert len(draws) == 3 and draws[0] != draws[1]
    assert set(draws[0]) == set(constants_to_choose(recipe))
    assert not set(draws[0]) & set(given_constants(recipe))


@pytest.mark.parametrize("route", SHORT)
def test_drawn_constants_are_those_used(route):
    """A recipe that gives the drawn values itself comes to the same."""
    recipe = recipe_of(content_of(route))
    draw = draw_for(recipe, np.random.default_rng(3), 1)[0]
    drawn = outcome_of_any(carry_out_any(recipe, drawn=draw)).numbers
    content = content_of(route)
    own = set(type(recipe.kinetics).model_fields)
    if route in ("droplet", "tube"):
        own -= {"mixing_time_s", "bath_time_constant_s"}
        if route == "tube":
            own -= {"droplet_mixing_time_s"}
    content["kinetics"] = content.get("kinetics", {}) | {k: v for k, v in draw.items() if k in own}
    if route == "salt":
        content["carrier"] |= {
            k: v for k, v in draw.items() if k in ("contact_angle_deg", "carrier_sites_per_nm2")
        }
    assert outcome(content).numbers == drawn


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32))
def test_solid_draws_stay_within_their_priors(seed):
    found = draw_solid_constants(np.random.default_rng(seed), list(solid_priors()))
    for name, value in found.items():
        prior = solid_priors()[name]
        assert prior.low * (1 - 1e-12) <= value <= prior.high * (1 + 1e-12), name


def test_records_that_say_log_uniform_are_drawn_so():
    rng = np.random.default_rng(0)
    draws = [draw_solid_constants(rng, list(solid_priors())) for _ in range(400)]
    for name, prior in solid_priors().items():
        below = np.mean([one[name] < 0.5 * (prior.low + prior.high) for one in draws])
        even = abs(below - 0.5) < 0.1
        assert even != (prior.note or "").startswith("log-uniform"), name


@pytest.mark.slow
@pytest.mark.parametrize("route", SHORT)
def test_uncertainty_of_every_route(route):
    recipe = recipe_of(content_of(route))
    spread = draw_outcomes(recipe, 40, seed=1).as_dict()
    assert spread["matters_for"] == size_of_route(route)
    assert set(spread["drawn"]) <= {f"prior.{name}" for name in constants_to_choose(recipe)}
    size = spread["quantities"][size_of_route(route)]
    assert size["low95"] < size["median"] < size["high95"]
    for name, one in spread["quantities"].items():
        assert (one["reason"] is None) == (one["draws"] == 40 - spread["failed"]["draws"]), name


@pytest.mark.slow
def test_what_no_draw_can_carry_out_is_refused_in_its_own_words():
    content = content_of("milling")
    content["jar"]["contents"] = content["jar"]["contents"][:2]
    with pytest.raises(OptionError, match="no ligand covers"):
        draw_outcomes(recipe_of(content), 40)
    content = content_of("droplet")
    content["observe"]["detectors"] = ["90 cm", "95 cm"]
    with pytest.raises(OptionError, match="where the tube ends"):
        draw_outcomes(recipe_of(content), 40)
    with pytest.raises(OptionError, match=r"90 mm|900 mm"):
        carry_out_any(recipe_of(content))
