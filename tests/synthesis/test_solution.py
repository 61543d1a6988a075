"""Supersaturation by the ions in solution: exact limits, engines, a second method, other solids."""

import copy
import json
import tomllib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from perolux.errors import ConvergenceError, InputError, ModelRangeError, OptionError
from perolux.files import example_path
from perolux.quantities.constants import AVOGADRO_PER_MOL, constant
from perolux.reports.grown_routes import grown_of
from perolux.synthesis import (
    ClassicalGrowth,
    SizeDistribution,
    constant_conditions,
    grow,
    grow_finite_volume,
    grow_recipe,
)
from perolux.synthesis.kinetics import prior_constants
from perolux.synthesis.platelets import platelets_of_recipe
from perolux.synthesis.recipe import recipe_of
from perolux.synthesis.solution_line import along, tabulate
from perolux.synthesis.speciation import _file, equilibrium_records

VOLUME_M3 = 2.02262e-28
WEAK = {row["name"]: -60.0 for row in _file()["complex"]}
HOT = tomllib.loads((example_path("recipes") / "cspbbr3_hot_injection.toml").read_text())
REST = {"Pb": 0.02, "X": 0.045, "anion": 0.25, "proton": 0.22, "amine": 0.24}
"""What a hot injection would leave (mol/L), with a little more bromide."""
CUBES = SizeDistribution(np.array([2e-9, 3e-9]), np.array([2.1e-9, 3.2e-9]), np.array([4e20, 2e20]))
ALIKE = SizeDistribution(CUBES.low_m, CUBES.low_m * (1 + 1e-9), CUBES.number_per_m3)
LN27 = np.log(27.0)


def hot(mode="speciation", *, cesium_ml=None, **chemistry):
    content = copy.deepcopy(HOT)
    content["chemistry"] = {"supersaturation": mode, **chemistry}
    if cesium_ml is not None:
        content["events"][0]["contents"][0]["volume"] = f"{cesium_ml} mL"
    return recipe_of(content)


def table(rest, most_mol_l, solubility, knots=(0.0, 1.0), **options):
    options = {"steepest": 8.0, "time_error": 2e-3} | options
    return tabulate(rest, np.full(len(knots), most_mol_l), np.full(len(knots), solubility), knots, **options)


def test_without_complexes_the_ion_product_is_that_of_the_amounts():
    d = np.geomspace(1e-7, 1e-1, 13)
    _, p, w = along({"Pb": 0.02, "X": 0.01}, d, log10_k=WEAK)
    assert p == pytest.approx(np.log(d * (0.02 + d) * (0.01 + 3 * d) ** 3), abs=1e-12)
    assert w == pytest.approx(d, rel=1e-12)
    _, p, w = along({}, d, log10_k=WEAK)
    c_s = prior_constants().solubility_mol_l
    assert p - 5 * np.log(c_s) - LN27 == pytest.approx(5 * np.log(d / c_s), abs=1e-12)


def test_topo_alone_has_its_closed_form():
    """P <=> M + T with the other ions in such excess that lead is PbX2 or PbX2[TOPO] (A14, to 1e-10)."""
    k, supply, excess = prior_constants().topo_dissociation_mol_l, 2e-3, 5e-4
    d = np.linspace(1e-5, supply, 9)
    rest = {"A": 1.0, "X": 1.0, "complexant": excess + supply}
    found, _, w = along(rest, d, log10_k=WEAK | {"PbX2": 40.0, "PbX2[complexant]": 40.0 - np.log10(k)})
    b = excess + (supply - d) + k  # what is not dissolved has set its TOPO free
    x = 2 * k * d / (b + np.sqrt(b * b + 4 * k * d))
    assert found.species["PbX2"] == pytest.approx(x, rel=1e-10)
    assert w == pytest.approx(x, rel=1e-10)


@pytest.mark.parametrize("engine", ["cohorts", "finite-volume"])
def test_topo_alone_grows_as_by_the_closed_form(engine):
    """Crystals, nuclei and all: the table of the equilibria in place of A14, S = x/c_s."""
    supply, excess, k, c_s, many = 2.0, 0.5, 0.3, 0.01, 1e9
    plain = constant_conditions(
        solubility_mol_m3=c_s, supplied_mol_m3=supply, complexant_mol_m3=excess, dissociation_mol_m3=k,
        ln_prefactor=33 * np.log(10.0), surface_energy_j_m2=0.03,
    )  # fmt: skip
    # Ksp at which x = c_s is saturated beside the excess of the other ions
    log_x2 = 40.0
    ln_ksp = np.log(many * 1e-3 * c_s) + np.log(many) - log_x2 * np.log(10.0)
    solubility = 1e3 * np.exp((ln_ksp - LN27) / 5.0)
    ionic = constant_conditions(
        solubility_mol_m3=solubility, supplied_mol_m3=supply, ln_prefactor=33 * np.log(10.0),
        surface_energy_j_m2=0.03,
    )  # fmt: skip
    rest = {"A": many, "X": many, "complexant": 1e-3 * (excess + supply)}
    own = WEAK | {"PbX2": log_x2, "PbX2[complexant]": log_x2 - np.log10(1e-3 * k)}
    by_ions = ClassicalGrowth(
        VOLUME_M3, solution=table(rest, 1e-3 * supply, solubility, log10_k=own, per_decade=24)
    )

    def run(model, conditions):
        if engine == "cohorts":
            return grow(model, conditions, [60.0, 300.0], start=CUBES, tolerance=1e-6)
        return grow_finite_volume(model, conditions, [60.0, 300.0], start=CUBES, largest_m=6e-9, cells=60)

    one, other = run(ClassicalGrowth(VOLUME_M3), plain), run(by_ions, ionic)
    assert one.nuclei_per_m3[-1] > 1e10
    assert np.log(other.nuclei_per_m3) == pytest.approx(np.log(one.nuclei_per_m3), abs=5e-4)
    assert other.mean_radius_m == pytest.approx(one.mean_radius_m, rel=1e-5)
    assert other.free_mol_m3 == pytest.approx(one.free_mol_m3, rel=1e-5)
    assert other.supersaturation == pytest.approx(one.free_mol_m3 / c_s, rel=1e-5)


def test_tables_converge_with_their_points():
    errors = [table(REST, 8e-3, 0.2, per_decade=n).error for n in (4, 8, 16)]
    assert errors[0] > 8 * errors[1] > 64 * errors[2]
    assert table(REST, 8e-3, 0.2).error < 1e-4


def test_slopes_are_those_of_the_equilibria():
    from perolux.synthesis.solution_line import _slopes

    d, h = np.geomspace(1e-6, 1e-2, 9), 1e-4
    found, _, _ = along(REST, d)
    (_, p0, w0), (_, p1, w1) = along(REST, d * (1 - h)), along(REST, d * (1 + h))
    dp, dw = _slopes(found)
    assert dp * d == pytest.approx((p1 - p0) / (2 * h), rel=1e-5)
    assert dw * d == pytest.approx(np.log(w1 / w0) / (2 * h), rel=1e-5)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-5.0, 0.0), min_size=8, max_size=8), st.sampled_from(["A", "Pb", "X"]))
def test_more_dissolved_is_always_more_saturated(logs, scarce):
    """The Gibbs energy is convex: p rises along any direction in which d does."""
    from perolux.synthesis.speciation import COMPONENTS

    rest = {j: 10.0**x for j, x in zip(COMPONENTS, logs, strict=True)} | {scarce: 0.0}
    _, p, w = along(rest, np.geomspace(1e-8, 1.0, 40))
    assert np.all(np.diff(p) > 0)
    assert np.all(w > 0)


@pytest.mark.slow
def test_against_an_implicit_integration_with_the_equilibria_solved_at_every_call():
    """Three sizes by SciPy's BDF; surface concentrations by Newton's method on the equilibria, no table."""
    supply, c_s, energy, temperature = 8.0, 0.22, 0.02, 400.0
    number, start = np.array([8e21, 3e21, 1e21]), np.array([1.2e-9, 1.6e-9, 2.2e-9])
    conditions = constant_conditions(
        solubility_mol_m3=c_s, supplied_mol_m3=supply, surface_energy_j_m2=energy,
        temperature_k=temperature, surface_rate_m_s=1e-6,
    )  # fmt: skip
    model = ClassicalGrowth(VOLUME_M3, solution=table(REST, 1e-3 * supply, c_s, steepest=15.0, per_decade=24))
    length = 2 * energy * VOLUME_M3 / (constant("boltzmann_j_per_k") * temperature)  # a law of its own
    ln_ksp = 5 * np.log(1e-3 * c_s) + LN27
    guess = np.full(3, np.log(1e-3))

    def rates(_, u):
        r = 1e-9 * u
        d = 1e-3 * (supply - model.amount_per_r3 * np.sum(number * r**3))
        bulk = along(REST, d)[2]
        for _ in range(30):
            h = 1e-5
            _, p, _ = along(REST, np.exp(np.array([guess, guess + h])))
            step = (ln_ksp + length / r - p[0]) * h / (p[1] - p[0])
            guess[:] = guess + np.clip(step, -2.0, 2.0)
            if np.max(np.abs(step)) < 1e-7:
                break
        surface = along(REST, np.exp(guess))[2]
        return 1e9 * VOLUME_M3 * AVOGADRO_PER_MOL * 1e3 * (bulk - surface) / (r / 5e-10 + 1e6)

    times = [0.2, 1.0, 3.0]
    exact = solve_ivp(rates, (0.0, 3.0), 1e9 * start, method="BDF", t_eval=times, rtol=1e-7, atol=1e-9)
    assert exact.y[0, -1] < exact.y[0, 0] < exact.y[2, 0] < exact.y[2, -1]  # small ones dissolve meanwhile
    cubes = SizeDistribution(start, start * (1 + 1e-9), number)
    history = grow(model, conditions, times, start=cubes, tolerance=1e-7)
    found = np.array([one.low_m for one in history.distributions]).T
    assert found == pytest.approx(1e-9 * exact.y, rel=2e-5)


def test_third_order_in_time_while_the_solution_changes():
    knots = np.array([0.0, 20.0])
    supplied = np.array([4.0, 8.0])
    rest = {j: np.full(2, x) for j, x in REST.items()} | {"anion": np.array([0.25, 0.35])}
    solution = tabulate(rest, 1e-3 * supplied, np.full(2, 0.1), knots, steepest=8.0)
    columns = constant_conditions(
        solubility_mol_m3=0.1, supplied_mol_m3=1.0, surface_rate_m_s=3e-7, knots_s=tuple(knots)
    )
    conditions = replace(columns, supplied_mol_m3=supplied)
    model = ClassicalGrowth(VOLUME_M3, solution=solution)
    radii = [
        grow(model, conditions, [20.0], start=ALIKE, fixed_step_s=20.0 / n).mean_radius_m[0]
        for n in (8, 16, 32, 1280)
    ]
    errors = [abs(r / radii[-1] - 1) for r in radii[:3]]
    assert errors[0] > 7 * errors[1] > 49 * errors[2]


def test_the_engines_agree_on_nucleation_by_the_ions():
    """Finite volumes, extrapolated from two grids, against the cohorts."""
    solution = table(REST, 8e-3, 0.2, steepest=10.0)
    model = ClassicalGrowth(VOLUME_M3, solution=solution)
    conditions = constant_conditions(
        solubility_mol_m3=0.2, supplied_mol_m3=8.0, surface_energy_j_m2=0.02, temperature_k=420.0,
        ln_prefactor=28 * np.log(10.0), surface_rate_m_s=3e-6,
    )  # fmt: skip
    cohorts = grow(model, conditions, [1.0, 5.0], tolerance=1e-5)
    coarse, fine = (
        grow_finite_volume(model, conditions, [1.0, 5.0], largest_m=8e-9, cells=n) for n in (300, 600)
    )
    assert fine.nuclei_per_m3 == pytest.approx(cohorts.nuclei_per_m3, rel=3e-3)
    assert fine.free_mol_m3 == pytest.approx(cohorts.free_mol_m3, rel=3e-4)
    assert 2 * fine.mean_radius_m[1] - coarse.mean_radius_m[1] == pytest.approx(
        cohorts.mean_radius_m[1], rel=5e-3
    )


@settings(max_examples=6, deadline=None)
@given(st.floats(0.05, 3.0), st.one_of(st.just(0.0), st.floats(0.01, 1.0)), st.floats(0.05, 1.0))
@pytest.mark.slow
def test_every_ion_is_somewhere(cesium_ml, acid_ml, amine_ml):
    content = copy.deepcopy(HOT)
    content["chemistry"] = {"supersaturation": "speciation"}
    content["events"][0]["contents"][0]["volume"] = f"{cesium_ml} mL"
    content["vessel"]["contents"][2]["volume"] = f"{acid_ml} mL"
    content["vessel"]["contents"][3]["volume"] = f"{amine_ml} mL"
    content["observe"] = {"until": "7 s"}
    batch = grow_recipe(recipe_of(content))
    assert batch.history.mass_error < 1e-12
    assert all(one["error"] < 1e-9 for one in batch.balances().values())


@pytest.mark.slow
def test_a_recipe_by_the_ions_and_what_it_says_of_other_solids():
    batch = grow_recipe(hot(cesium_ml=1.6))
    saturation = batch.saturation()["log10_saturation"]
    assert set(saturation) == {"CsPbBr3", "Cs4PbBr6", "CsBr", "PbBr2"}
    # the rows of the engine and the equilibria without a table tell the same
    own = np.array(saturation["CsPbBr3"], dtype=float)
    rows = np.log10([row["supersaturation"] for row in batch.rows()])
    resolved = np.array([row["c_mol_m3"] for row in batch.rows()]) > 1e-4
    assert rows[resolved] == pytest.approx(own[resolved], abs=2e-3)
    (said,) = [one for one in batch.warnings if "Cs4PbBr6" in one]
    first = np.flatnonzero(np.array(saturation["Cs4PbBr6"]) > 0.1)[0]
    assert f"from t = {batch.history.time_s[first]:.3g} s" in said
    assert batch.schedule.model.solution.error < 1e-3
    record = grown_of(batch, "hot").record()
    assert "NaN" not in json.dumps(record["saturation"] | record["chemistry"], allow_nan=False)
    keys = {value.key for value in batch.rests_on()}
    assert {"equilibrium.PbX2", "equilibrium.ammonium", "equilibrium.AX_over_APbX3"} <= keys
    assert not {"equilibrium.quaternary halide", "prior.topo_dissociation_mol_l"} & keys


@pytest.mark.slow
def test_more_cesium_leaves_the_solution_more_saturated_in_the_lead_poor_solid():
    most = [
        np.nanmax(grow_recipe(hot(cesium_ml=ml)).solution().ln_saturation["A4PbX6"])
        for ml in (0.05, 0.4, 1.6)
    ]
    assert most[0] < 0 < most[1] < most[2]


def test_the_free_monomer_stays_the_default_and_tells_saturation_too():
    plain, named = grow_recipe(recipe_of(HOT)), grow_recipe(hot("monomer"))
    assert plain.history.mean_radius_m.tolist() == named.history.mean_radius_m.tolist()
    assert plain.schedule.model.solution is None
    assert max(plain.saturation()["log10_saturation"]["CsPbBr3"]) > 0


@pytest.mark.slow
def test_constants_of_the_equilibria_may_be_given():
    weak = grow_recipe(hot(equilibria={"A carboxylate": 0.0}))
    as_is = grow_recipe(hot())
    assert weak.history.supersaturation[0] > 2 * as_is.history.supersaturation[0]
    assert "equilibrium.A carboxylate" not in {v.key for v in weak.rests_on()}


def test_formamidinium_has_no_such_solid():
    content = tomllib.loads((example_path("recipes") / "fapbbr3_antisolvent.toml").read_text())
    content["chemistry"] = {"supersaturation": "speciation"}
    batch = grow_recipe(recipe_of(content))
    assert set(batch.saturation()["log10_saturation"]["FA4PbBr6"]) == {None}
    with pytest.raises(OptionError, match="platelets know the free monomer alone"):
        platelets_of_recipe(recipe_of(content))


@pytest.mark.parametrize(
    ("chemistry", "words"),
    [
        ({"supersaturation": "ions"}, "chemistry.supersaturation"),
        ({"equilibria": {"PbX2": 1e9}}, "a number from -100 to 100"),
        ({"ksp": 1.0}, "is no key of a recipe here"),
    ],
)
def test_wrong_blocks(chemistry, words):
    with pytest.raises(InputError, match=words):
        recipe_of(HOT | {"chemistry": chemistry})


def test_wrong_chemistry():
    with pytest.raises(OptionError, match="no equilibrium is called 'PbX7'"):
        grow_recipe(hot(equilibria={"PbX7": 1.0}))
    mixed = copy.deepcopy(HOT) | {"chemistry": {"supersaturation": "speciation"}}
    mixed["vessel"]["contents"].append({"chemical": "PbI2", "amount": "0.05 mmol"})
    with pytest.raises(OptionError, match="one A and one X, the recipe has Br, Cs, I"):
        grow_recipe(recipe_of(mixed))
    with pytest.raises(ModelRangeError, match="less that can attach"):
        table({"Pb": 0.046, "A": 0.0024, "complexant": 1.14, "anion": 0.03}, 0.1, 0.2)
    model = ClassicalGrowth(VOLUME_M3, solution=table(REST, 8e-3, 0.2))
    longer = constant_conditions(solubility_mol_m3=0.2, supplied_mol_m3=8.0, knots_s=(0.0, 1.0, 2.0))
    with pytest.raises(ModelRangeError, match="belong to other conditions"):
        grow(model, longer, [1.0])


@pytest.mark.slow
def test_what_nucleates_all_at_once_is_said_to():
    topo = tomllib.loads((example_path("recipes") / "cspbbr3_topo.toml").read_text())
    with pytest.raises(ConvergenceError, match="by the ions"):
        grow_recipe(recipe_of(topo | {"chemistry": {"supersaturation": "speciation"}}))


def test_all_records_are_assumed_and_explained():
    from perolux.studies.sources import explain_key

    for name, value in equilibrium_records().items():
        assert explain_key(f"equilibrium.{name}").chosen == value
    with pytest.raises(OptionError, match=r"no record is called 'equilibrium\.PbX9'"):
        explain_key("equilibrium.PbX9")
    assert {value.kind for value in equilibrium_records().values()} == {"assumed"}
