"""Growth on salt carriers: limits of nucleation on places, amounts, light, and what is refused."""

import copy
import tomllib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perolux.errors import InputError, OptionError
from perolux.files import example_path
from perolux.synthesis import ClassicalGrowth, constant_conditions, grow, grow_finite_volume
from perolux.synthesis.batch import grow_recipe
from perolux.synthesis.carrier import grow_on_carrier, with_carrier
from perolux.synthesis.recipe import read_recipe, recipe_of
from perolux.synthesis.routes import carry_out

PATH = example_path("recipes") / "cspbbr3_on_salt.toml"
CONTENT = tomllib.loads(PATH.read_text())


def changed(carrier=None, **blocks):
    content = copy.deepcopy(CONTENT) | blocks
    content["carrier"] |= carrier or {}
    return recipe_of(content)


def test_the_shipped_recipe_is_carried_out():
    found = grow_on_carrier(read_recipe(PATH))
    rows = found.rows()
    assert rows[-1]["yield"] > 0.9
    assert max(row["sites_taken"] for row in rows) <= 1 + 1e-4  # the tolerance of the steps
    for one in found.balances().values():
        assert one["error"] < 1e-9
    keys = [value.key for value in found.rests_on()]
    assert "prior.contact_angle_deg" in keys and "prior.surface_energy_j_m2" not in keys
    assert found.light().peak_nm.median > 500.0


def test_places_as_dense_as_molecules_and_no_wetting_are_the_liquid_itself():
    free = grow_recipe(changed().flask())
    model = free.schedule.model
    same = with_carrier(free.schedule, 1.0 / model.formula_volume_m3, 180.0)
    found = grow(same.model, same.conditions, free.history.time_s)
    # two adaptive runs whose steps fall alike up to rounding and the 1e-8 of the places that are taken
    assert found.nuclei_per_m3[-1] == pytest.approx(free.history.nuclei_per_m3[-1], rel=1e-3)
    assert found.mean_radius_m[-1] == pytest.approx(free.history.mean_radius_m[-1], rel=1e-3)


def test_half_the_barrier_at_a_right_angle():
    free = grow_recipe(changed().flask())
    half = with_carrier(free.schedule, 1e20, 90.0).conditions
    assert np.allclose(half.barrier_factor, 0.5)
    beside = np.log(1e20 * free.schedule.model.formula_volume_m3 / half.volume_ratio)
    assert np.allclose(half.ln_prefactor - free.schedule.conditions.ln_prefactor, beside)


@pytest.mark.parametrize("turns", [0.1, 1.0, 4.0])
def test_places_fill_as_an_exponential(turns):
    """dN/dt = J (1 - N/N_s) at a supersaturation that stays."""
    conditions = constant_conditions(
        solubility_mol_m3=1.0,
        supplied_mol_m3=50.0,
        surface_energy_j_m2=0.01,
        surface_rate_m_s=1e-12,
        ln_prefactor=np.log(1e17),
        barrier_factor=1e-9,
    )
    model = ClassicalGrowth(2.02e-28, "cube", sites_per_m3=1e18)
    found = grow(model, conditions, [10.0 * turns], tolerance=1e-6)
    assert found.number_per_m3[0] == pytest.approx(1e18 * -np.expm1(-turns), rel=2e-3)


def test_the_second_engine_says_the_same():
    """The reference batch with 0.3 of the barrier and 1e20 places: finite volumes share only the laws."""
    conditions = constant_conditions(
        solubility_mol_m3=0.01,
        supplied_mol_m3=1.0,
        ln_prefactor=33 * np.log(10.0) + np.log(1e20 * 2.02262e-28),
        barrier_factor=0.3,
    )
    model = ClassicalGrowth(2.02262e-28, "cube", sites_per_m3=1e20)
    one = grow(model, conditions, [60.0])
    two = grow_finite_volume(model, conditions, [60.0], largest_m=4e-9, cells=300)
    assert 0.2 < one.number_per_m3[0] / 1e20 < 0.8
    assert two.number_per_m3[0] == pytest.approx(one.number_per_m3[0], rel=2e-3)
    assert two.mean_radius_m[0] == pytest.approx(one.mean_radius_m[0], rel=1e-2)


def test_better_wetting_takes_the_places_sooner():
    first = []
    for angle in (45.0, 60.0, 90.0):
        recipe = changed({"contact_angle_deg": angle}, observe={"until": "60 s"})
        rows = grow_on_carrier(recipe).rows()
        first.append(next(row["t_s"] for row in rows if row["sites_taken"] > 0.01))
    assert np.all(np.diff(first) > 0)


@pytest.mark.slow
@settings(max_examples=8, deadline=None)
@given(st.floats(45.0, 180.0), st.floats(0.001, 1.0), st.floats(10.0, 2000.0), st.floats(0.01, 0.3))
def test_every_ion_is_somewhere(angle, sites, milligrams, lead):
    content = copy.deepcopy(CONTENT)
    content["vessel"]["contents"][0]["amount"] = f"{lead} mmol"
    content["observe"]["until"] = "60 s"
    content["carrier"] |= {
        "mass": f"{milligrams} mg",
        "contact_angle_deg": angle,
        "carrier_sites_per_nm2": sites,
    }
    found = grow_on_carrier(recipe_of(content))
    assert found.batch.history.mass_error < 1e-12
    for one in found.balances().values():
        assert one["error"] < 1e-9
    assert all(row["sites_taken"] <= 1 + 1e-4 for row in found.rows())


@pytest.mark.slow
def test_nuclei_in_the_liquid_are_counted_in_a_warning():
    found = grow_on_carrier(changed({"contact_angle_deg": 180.0}))
    assert found.liquid_nuclei_per_m3 > found.batch.history.nuclei_per_m3[-1]
    assert any("form in the liquid" in one for one in found.warnings)
    assert not any("form in the liquid" in one for one in grow_on_carrier(changed()).warnings)


def test_it_says_that_nothing_nucleates():
    found = grow_on_carrier(
        changed(
            {"contact_angle_deg": 180.0}, kinetics={"surface_energy_j_m2": 0.08}, observe={"until": "5 s"}
        )
    )
    assert any("nothing nucleates" in one for one in found.warnings)
    assert found.ensemble() is None
    with pytest.raises(OptionError, match="no crystals"):
        found.light()


@pytest.mark.parametrize(
    ("carrier", "words"),
    [
        ({"mass": "0 mg", "contact_angle_deg": 200.0}, ["carrier.mass", "contact_angle_deg"]),
        ({"area": "2 m^2", "colour": "white"}, ["carrier.area", "colour"]),
        ({"carrier_sites_per_nm2": 0.0, "contact_angle_deg": 30.0}, ["carrier_sites_per_nm2", "45"]),
    ],
)
def test_carriers_that_are_none_are_refused(carrier, words):
    with pytest.raises(InputError) as caught:
        changed(carrier)
    for word in words:
        assert word in str(caught.value)


def test_what_cannot_be_carried_out_is_told_at_once():
    content = copy.deepcopy(CONTENT)
    content["vessel"]["contents"][1] = {"chemical": "toluene", "volume": "5 mL"}
    content["product"] = "CsPbI3"
    with pytest.raises(OptionError) as caught:
        carry_out(recipe_of(content))
    assert "toluene boils" in str(caught.value) and "brings I" in str(caught.value)
    with pytest.raises(OptionError, match="tolerance"):
        carry_out(read_recipe(example_path("recipes") / "cspbbr3_milling.toml"), 1e-3)
