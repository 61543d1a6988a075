"""Slow synthesis with TOPO: the complex gives its complexant back, and a ligand that covers stops growth."""

import copy
import tomllib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from perolux.files import example_path
from perolux.quantities.constants import AVOGADRO_PER_MOL
from perolux.synthesis import (
    ClassicalGrowth,
    SizeDistribution,
    constant_conditions,
    grow,
    grow_finite_volume,
    grow_recipe,
)
from perolux.synthesis.laws import capillary_length_m, growth_rate_m_s
from perolux.synthesis.recipe import recipe_of
from perolux.synthesis.schedule import formula_volume_m3

TOPO = tomllib.loads((example_path("recipes") / "cspbbr3_topo.toml").read_text())


def slow(*, last=None, **kinetics):
    content = copy.deepcopy(TOPO)
    content["kinetics"] |= kinetics
    content["observe"]["times"] = ["1 s", "300 s", "1700 s", "1799 s", "1810 s", "2410 s"]
    if last is not None:
        content["events"][1]["contents"] = last
    return grow_recipe(recipe_of(content))


def slopes(batch):
    """d(mean edge)/dt just before the last event and after it (nm/s)."""
    edge, time = 2e9 * batch.history.mean_radius_m, batch.history.time_s
    return (edge[3] - edge[2]) / (time[3] - time[2]), (edge[5] - edge[4]) / (time[5] - time[4])


def test_the_shipped_recipe_grows_for_half_an_hour_and_stands_still_after_lecithin():
    batch = slow()
    edge = 2e9 * batch.history.mean_radius_m
    assert edge[0] < 3.0
    assert np.all(np.diff(edge) > 0)
    before, after = slopes(batch)
    assert 0 < after < 0.01 * before
    assert {"prior.ligand_binding_l_mol", "prior.ligand_cover_per_nm2"} <= {v.key for v in batch.rests_on()}
    assert all(one["error"] < 1e-9 for one in batch.balances().values())


def test_growth_under_a_cover_is_that_of_the_uncovered_share():
    """The mean size of the engine against the growth law and Langmuir's by a root finder, little ligand."""
    binding, per_nm2, added_umol = 200.0, 1.4, 20.0
    content = copy.deepcopy(TOPO)
    content["kinetics"] |= {"ligand_binding_l_mol": binding, "ligand_cover_per_nm2": per_nm2}
    content["events"][1] |= {"at": "10 min", "contents": [{"chemical": "lecithin", "amount": "20 umol"}]}
    content["observe"] = {"until": "640 s", "times": ["600 s", "620 s", "630 s"]}
    batch = grow_recipe(recipe_of(content), tolerance=1e-5)
    history, crystals = batch.history, batch.history.distributions[2]
    volume = float(batch.ledger.volume_ratio[-1])
    total = added_umol / (volume * batch.ledger.reference_ml)  # mol/m^3
    places = per_nm2 * 1e18 / AVOGADRO_PER_MOL * 24.0 * crystals.moment(2) / volume
    k = 1e-3 * binding
    free = brentq(lambda x: x + places * k * x / (1 + k * x) - total, 0.0, total)
    at = batch.schedule.conditions.at(630.0)
    assert 0.5 < k * free < 2.0
    rate = growth_rate_m_s(
        0.5 * (crystals.low_m + crystals.high_m),
        history.free_mol_m3[2],
        at["solubility_mol_m3"],
        capillary_length_m(at["surface_energy_j_m2"], formula_volume_m3("CsPbBr3"), 298.15),
        formula_volume_m3("CsPbBr3"),
        at["diffusivity_m2_s"],
        at["surface_rate_m_s"] / (1 + k * free),
    )
    mean_rate = crystals.number_per_m3 @ rate / crystals.number
    middle = (history.mean_radius_m[3] - history.mean_radius_m[1]) / 20.0
    assert middle == pytest.approx(mean_rate, rel=5e-3)


def test_a_weak_ligand_does_not_stop_growth():
    weak = slow(last=[{"chemical": "oleic acid", "amount": "66 umol"}])
    before, after = slopes(weak)
    assert after > 0.2 * before  # slower only because little is left to grow from
    assert "prior.ligand_binding_l_mol" not in {v.key for v in weak.rests_on()}


@pytest.mark.slow
def test_a_cover_on_hot_crystals_is_said_to_be_a_guess():
    content = copy.deepcopy(TOPO)
    content["vessel"] |= {"temperature": "90 degC", "contents": [
        {"chemical": "PbBr2", "amount": "40 umol"}, {"chemical": "octane", "volume": "7 mL"}]}  # fmt: skip
    content["events"][0]["contents"][0]["solvent"] = "octane"
    content["events"][1]["contents"] = [{"chemical": "lecithin", "mass": "50 mg"}]
    assert any(
        "lecithin covers the crystals at up to 9" in one for one in grow_recipe(recipe_of(content)).warnings
    )
    assert not any("covers" in one for one in slow().warnings)


@pytest.mark.parametrize("engine", ["cohorts", "finite-volume"])
def test_crystals_give_their_complexant_back(engine):
    """x (T0 + bound + x) = K (d - x) at the end: total complexant is that of the start."""
    conditions = constant_conditions(
        solubility_mol_m3=0.01, supplied_mol_m3=2.0, complexant_mol_m3=0.5, dissociation_mol_m3=0.3
    )
    start = SizeDistribution(np.array([2e-9]), np.array([2.2e-9]), np.array([1e21]))
    model = ClassicalGrowth(2.02262e-28)
    found = (
        grow(model, conditions, [300.0], start=start)
        if engine == "cohorts"
        else grow_finite_volume(model, conditions, [300.0], start=start, largest_m=6e-9, cells=100)
    )
    x, d, bound = found.free_mol_m3[0], found.dissolved_mol_m3[0], found.bound_mol_m3[0]
    assert bound > 0.3 * 2.0
    assert x * (0.5 + bound + x) == pytest.approx(0.3 * (d - x), rel=1e-6)


def test_a_trace_of_nuclei_that_dissolves_within_its_step_leaves_no_crystal():
    content = copy.deepcopy(TOPO)
    content["events"] = content["events"][:1]
    content["observe"] = {"until": "39 min", "times": [f"{t:.3f} s" for t in np.geomspace(2, 2340, 70)]}
    content["kinetics"] = {
        "surface_energy_j_m2": 0.03439336055986606, "log10_nucleation_prefactor": 31.938467595023077,
        "solubility_mol_l": 1.4097267660471678e-05, "diffusivity_m2_s": 2.7511961473655943e-10,
        "surface_rate_m_s": 4.078493434815956e-06, "mixing_time_s": 0.8562741287222032,
        "least_radius_nm": 0.6479240918259999, "topo_dissociation_mol_l": 0.0035364891992519113,
    }  # fmt: skip
    history = grow_recipe(recipe_of(content)).history
    assert all((one.low_m >= 0.6e-9).all() for one in history.distributions)
    assert history.nuclei_per_m3[-1] < 1.0


@settings(max_examples=15, deadline=None)
@given(st.floats(0.0, 400.0), st.floats(1.0, 100.0), st.floats(0.0, 60.0))
def test_every_ion_is_somewhere_with_topo_and_lecithin(topo_umol, cesium_umol, lecithin_umol):
    content = copy.deepcopy(TOPO)
    content["vessel"]["contents"][1]["amount"] = f"{topo_umol} umol"
    content["events"][0]["contents"][0] = {"chemical": "Cs-DOPA", "amount": f"{cesium_umol} umol"}
    content["events"][1]["contents"][0] = {"chemical": "lecithin", "amount": f"{lecithin_umol} umol"}
    batch = grow_recipe(recipe_of(content))
    assert batch.history.mass_error < 1e-12
    assert all(one["error"] < 1e-9 for one in batch.balances().values())
