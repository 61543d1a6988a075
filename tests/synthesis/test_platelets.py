"""Platelets beside cubes: barriers against the energy itself, limits, balances, what the records decide."""

import tomllib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from perolux.errors import ModelRangeError, OptionError
from perolux.files import example_path
from perolux.synthesis import ClassicalGrowth, constant_conditions, grow, grow_recipe
from perolux.synthesis.laws import BOLTZMANN_J_PER_K, barrier_kt
from perolux.synthesis.platelets import (
    MONOLAYERS,
    PlateletGrowth,
    _Rates,
    grow_platelets,
    layer_binding_l_mol,
    platelet_barrier_kt,
    platelet_ensemble,
    platelet_records,
    platelets_of_recipe,
)
from perolux.synthesis.recipe import recipe_of

pytestmark = pytest.mark.slow

VM = 2.15e-28
FA = (example_path("recipes") / "fapbbr3_antisolvent.toml").read_text()
STEADY = constant_conditions(
    solubility_mol_m3=0.01, supplied_mol_m3=1.0, surface_rate_m_s=1e-6, surface_energy_j_m2=0.03,
    ln_prefactor=76.0, ligand_mol_m3=20.0,
)  # fmt: skip


def recipe(text=FA):
    return recipe_of(tomllib.loads(text))


@settings(max_examples=40, deadline=None)
@given(
    st.integers(2, 8),
    st.floats(3.0, 200.0),
    st.floats(0.01, 0.06),
    st.floats(0.1, 1.0),
    st.floats(270.0, 400.0),
)
def test_the_barrier_is_the_top_of_the_energy(m, s, edge_energy, ratio, kelvin):
    x, heat = m * VM ** (1 / 3), BOLTZMANN_J_PER_K * kelvin

    def energy(nm):
        side = 1e-9 * nm
        surface = 2 * ratio * edge_energy * side**2 + 4 * edge_energy * x * side
        return (surface - x * side**2 * heat * np.log(s) / VM) / heat

    barrier, edge = platelet_barrier_kt(m, s, edge_energy, ratio * edge_energy, VM, kelvin)
    if np.isfinite(barrier):
        top = minimize_scalar(lambda nm: -energy(nm), bounds=(0, 3e9 * edge), method="bounded")
        assert barrier == pytest.approx(energy(top.x), rel=1e-6)
        assert edge >= x * (1 - 1e-9)
    else:  # no top, or a column
        cost = x * heat * np.log(s) / VM - 2 * ratio * edge_energy
        assert cost <= 0 or 2 * edge_energy / cost < 1


def test_without_a_layer_the_best_platelet_is_the_cube():
    """gamma_b = gamma_e: the least barrier over all thicknesses is that of the cube, at equal sides."""
    gamma, s = 0.03, 20.0
    best = minimize_scalar(
        lambda m: platelet_barrier_kt(m, s, gamma, gamma, VM, 298.15)[0] if m > 0.5 else 1e9,
        bounds=(1.0, 2 * gamma * VM / (BOLTZMANN_J_PER_K * 298.15 * np.log(s)) / VM ** (1 / 3) * 2),
        method="bounded",
    )
    cube = float(barrier_kt(gamma, VM, 298.15, s, "cube"))
    assert platelet_barrier_kt(best.x, s, gamma, gamma, VM, 298.15)[0] == pytest.approx(cube, rel=1e-6)
    thinner = [platelet_barrier_kt(MONOLAYERS, s, gamma, x * gamma, VM, 298.15)[0] for x in (1.0, 0.6, 0.3)]
    least = [MONOLAYERS[int(np.argmin(one))] for one in thinner]
    assert least[0] > least[-1] == 2
    assert np.min(thinner[2]) < np.min(thinner[1]) < cube


def test_without_binding_all_is_classical_growth_of_cubes():
    """Against the cohorts while the population is narrow: one edge for all is the only difference."""
    times = [5.0, 20.0]
    found = grow_platelets(PlateletGrowth(VM, 0.0, 0.0), STEADY, times)
    other = grow(ClassicalGrowth(VM), STEADY, times, tolerance=1e-6)
    assert found.number_per_m3[:, -1] == pytest.approx(other.number_per_m3, rel=0.01)
    assert found.dissolved_mol_m3 == pytest.approx(other.dissolved_mol_m3, rel=0.04)
    assert not found.number_per_m3[:, :-1].any()
    assert not found.coverage.any()


def test_lead_is_counted_and_thin_platelets_feed_thick_ones():
    history = platelets_of_recipe(recipe())
    assert history.mass_error < 1e-9
    peak = int(history.platelet_share.argmax())
    assert history.platelet_share[peak] > 10 * history.platelet_share[-1]
    assert history.amount_mol_m3[-1, -1] > 0.9 * history.supplied_mol_m3[-1]
    thickness = MONOLAYERS * VM ** (1 / 3)
    flat = np.exp(2 * VM * history.basal_energy_j_m2[-1] / (thickness * BOLTZMANN_J_PER_K * 298.15))
    too_thin = flat > 2 * history.supersaturation[-1]
    assert too_thin.any()
    assert (history.amount_mol_m3[-1, :-1][too_thin] < 1e-6).all()
    row = history.rows()[peak]
    assert sum(row["share"].values()) <= 1.0
    assert row["edge_nm"]["2 ML"] > 2 * 1.2
    assert history.rows()[0]["edge_nm"]["cubes"] is None


@settings(max_examples=15, deadline=None)
@given(st.floats(0.0, 0.2), st.floats(-25.0, -18.0), st.floats(0.025, 0.04), st.floats(0.3, 30.0))
def test_amounts_are_kept_whatever_the_constants(binding, log_fusion, gamma, supplied):
    conditions = replace(
        STEADY,
        surface_energy_j_m2=np.full(2, gamma),
        supplied_mol_m3=np.full(2, supplied),
        ligand_mol_m3=np.full(2, 10.0),
    )
    try:
        found = grow_platelets(PlateletGrowth(VM, binding, 10**log_fusion), conditions, [1.0, 30.0, 300.0])
    except ModelRangeError:
        return
    assert found.mass_error < 1e-9
    assert (found.amount_mol_m3 >= 0).all()
    assert (found.dissolved_mol_m3 >= 0).all()


def test_what_joins_is_kept_and_each_pair_makes_one():
    rates = _Rates(PlateletGrowth(VM, 0.0, 1e-20), STEADY, 1.0)
    rng = np.random.default_rng(3)
    number, amount = rng.uniform(1e20, 1e22, 8), rng.uniform(0.01, 0.1, 8)
    moved, carried = rates._fusion(number, amount, np.ones(8, dtype=bool), 0.5, 1.0)
    assert carried.sum() == pytest.approx(0.0, abs=1e-12 * np.abs(carried).sum())
    assert moved.sum() == pytest.approx(-0.5 * 1e-20 * 0.25 * number[:-1].sum() ** 2)
    # Smoluchowski of one class: dN/dt = -K N^2 of the class, half of it in the next
    one = np.zeros(8)
    one[0] = 1e21
    moved, _ = rates._fusion(one, np.where(one > 0, 1.0, 0.0), one > 0, 0.0, 1.0)
    assert moved[0] == pytest.approx(-1e22)
    assert moved.sum() == pytest.approx(-0.5e22)


def test_the_sign_of_bromide_and_iodide_follows_from_the_records_alone():
    iodide = FA.replace("PbBr2", "PbI2").replace("FAPbBr3", "FAPbI3").replace("m bromide", "m iodide")
    bromine, iodine = (platelets_of_recipe(recipe(text)).platelet_share.max() for text in (FA, iodide))
    assert bromine > 0.2
    assert iodine < 0.05
    alike = platelets_of_recipe(recipe(iodide), layer_binding=layer_binding_l_mol("FAPbBr3"))
    assert alike.platelet_share.max() > 0.2


def test_binding_of_mixed_halides():
    records = platelet_records()
    bromine, iodine = (records[f"layer_binding_{x}_l_mol"].number for x in ("br", "i"))
    assert layer_binding_l_mol("CsPb(Br0.5I0.5)3") == pytest.approx(np.sqrt(bromine * iodine))
    with pytest.raises(OptionError, match="no fractions"):
        layer_binding_l_mol("CsPb(Br,I)3")
    assert all(value.kind == "assumed" for value in records.values())


def test_without_amines_there_are_no_platelets_and_slow_mixing_is_counted():
    """The TOPO recipe: its monomer mixes in over seconds, its number of crystals is that of the cohorts."""
    slow = recipe((example_path("recipes") / "cspbbr3_topo.toml").read_text())
    found = platelets_of_recipe(slow, times_s=[1.0, 60.0, 200.0])
    assert found.mass_error < 1e-9
    assert not found.platelet_share.any()
    other = grow_recipe(slow).history
    expected = np.interp(200.0, other.time_s, other.number_per_m3 * other.volume_ratio)
    assert found.number_per_m3[-1, -1] == pytest.approx(expected, rel=0.005)


def test_platelets_as_an_ensemble():
    history = platelets_of_recipe(recipe(), times_s=[5.0, 10.0])
    found = platelet_ensemble(history, "FAPbBr3")
    assert found.weights.sum() == pytest.approx(1.0)
    assert set(found.shape) == {"cube", "cuboid"}
    assert min(found.edge_c_nm) == pytest.approx(1.198, abs=0.01)  # two lattice constants
    assert platelet_ensemble(platelets_of_recipe(recipe(), times_s=[0.01]), "FAPbBr3") is None


def test_what_cannot_be_asked():
    law = PlateletGrowth(VM, 0.1, 1e-22)
    with pytest.raises(ModelRangeError, match="falls apart"):
        grow_platelets(replace(law, layer_binding_m3_mol=50.0), STEADY, [1.0])
    with pytest.raises(OptionError, match="outflow"):
        grow_platelets(law, replace(STEADY, washout_per_s=np.ones(2)), [1.0])
    with pytest.raises(OptionError, match="no monomer"):
        grow_platelets(law, replace(STEADY, supplied_mol_m3=np.zeros(2)), [1.0])
    with pytest.raises(OptionError, match="do not rise"):
        grow_platelets(law, STEADY, [2.0, 1.0])
    with pytest.raises(OptionError, match="tolerance"):
        grow_platelets(law, STEADY, [1.0], tolerance=2.0)
    with pytest.raises(OptionError, match="times_s"):
        grow_platelets(law, STEADY, "soon")
    with pytest.raises(OptionError, match="fusion_m3_s"):
        PlateletGrowth(VM, 1.0, "fast")
    with pytest.raises(ModelRangeError, match="room temperature"):
        platelets_of_recipe(recipe((example_path("recipes") / "cspbbr3_hot_injection.toml").read_text()))
    with pytest.raises(OptionError, match="layer_binding_m3_mol"):
        PlateletGrowth(VM, -1.0, 0.0)
    with pytest.raises(OptionError, match="formula_volume_m3"):
        PlateletGrowth(2.0, 1.0, 0.0)
