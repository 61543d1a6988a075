"""Crystals in pores: both limits, amounts, drying, light against pore, and what is refused."""

import copy
import tomllib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perolux.errors import InputError, ModelRangeError, OptionError
from perolux.files import example_path
from perolux.quantities.constants import AVOGADRO_PER_MOL
from perolux.synthesis.recipe import read_recipe, recipe_of
from perolux.synthesis.schedule import formula_volume_m3
from perolux.synthesis.template import crystals_in_pores, grow_in_pores

PATH = example_path("recipes") / "mapbbr3_template.toml"
CONTENT = tomllib.loads(PATH.read_text())


def changed(pores=None, **blocks):
    content = copy.deepcopy(CONTENT) | blocks
    content["pores"] |= pores or {}
    return recipe_of(content)


def test_the_shipped_recipe_is_carried_out():
    found = grow_in_pores(read_recipe(PATH))
    rows = found.rows()
    assert rows[0]["mean_diameter_nm"] is None and rows[0]["pore_limited"] is None
    assert np.all(np.diff([row["crystallised"] for row in rows]) >= 0)
    assert rows[-1]["crystallised"] == pytest.approx(1.0, abs=1e-12)
    for one in found.balances().values():
        assert one["error"] < 1e-9
    assert found.ensemble().mean("edge_a_nm") == pytest.approx(rows[-1]["mean_diameter_nm"])
    assert [value.key for value in found.rests_on()] == [
        "prior.template_shell_nm",
        "prior.crystal_spacing_nm",
        "prior.solution_solubility_mol_l",
        "prior.least_radius_nm",
    ]


def test_much_supply_gives_the_width_of_the_pore():
    pore = np.array([3.0, 5.0, 8.0])
    found = crystals_in_pores(pore, 0.1, 0.3, 1e5, 1.0)
    assert np.allclose(found.diameter_nm, pore - 0.6)
    assert found.pore_limited.all()
    # all that crystallised is in them
    assert np.allclose(found.number_per_nm * np.pi / 6 * (pore - 0.6) ** 3, 0.1 * np.pi / 4 * pore**2)


def test_little_supply_gives_one_crystal_a_stretch():
    pore = np.array([6.0, 8.0, 12.0])
    found = crystals_in_pores(pore, 0.01, 0.3, 40.0, 1.0)
    assert not found.pore_limited.any()
    assert np.allclose(found.number_per_nm, 1 / 40.0)
    assert np.allclose(found.diameter_nm, np.cbrt(1.5 * 0.01 * pore**2 * 40.0))


def test_the_two_limits_meet():
    d, shell, stretch = 5.0, 0.25, 50.0
    share = (d - 2 * shell) ** 3 / (1.5 * d**2 * stretch)
    below, above = (crystals_in_pores([d], share * f, shell, stretch, 1.0) for f in (1 - 1e-9, 1 + 1e-9))
    assert not below.pore_limited[0] and above.pore_limited[0]
    assert below.diameter_nm[0] == pytest.approx(above.diameter_nm[0], rel=1e-8)
    assert below.number_per_nm[0] == pytest.approx(above.number_per_nm[0], rel=1e-8)


def test_crystals_in_a_recipe_are_those_of_its_amounts():
    """One pore, little supply: (6/pi) filling c v_m N_A (pi/4) d^2 stretch, cubed root."""
    found = grow_in_pores(
        changed({"mean": "9 nm", "cv": 0.0, "filling": 0.5}, kinetics={"crystal_spacing_nm": 20.0})
    )
    concentration = 50e-6 / 0.1e-3  # mol/L
    share = 0.5 * concentration * 1e3 * AVOGADRO_PER_MOL * formula_volume_m3("MAPbBr3")
    row = found.rows()[-1]
    assert row["pore_limited"] == 0.0
    assert row["mean_diameter_nm"] == pytest.approx(np.cbrt(1.5 * share * 81.0 * 20.0), rel=1e-9)
    assert row["N_per_m3"] == pytest.approx(1 / (np.pi / 4 * 81e-18 * 20e-9), rel=1e-9)


def test_nothing_ripens_between_pores():
    """Two sorts of pores together give what each gives alone."""
    both = grow_in_pores(recipe_with_table([3.0, 7.0], [0.5, 0.5])).distributions[-1]
    for one, d in enumerate((3.0, 7.0)):
        alone = grow_in_pores(recipe_with_table([d], [1.0])).distributions[-1]
        assert both.low_m[one] == pytest.approx(alone.low_m[0], rel=1e-12)


def recipe_with_table(diameters, shares, **blocks):
    content = copy.deepcopy(CONTENT) | blocks
    for name in ("mean", "cv"):
        del content["pores"][name]
    content["pores"] |= {"diameters": [f"{d} nm" for d in diameters], "shares": shares}
    return recipe_of(content)


@settings(max_examples=40, deadline=None)
@given(
    st.floats(1.5, 20.0), st.floats(0.0, 0.5), st.floats(0.05, 1.0), st.floats(5.0, 80.0),
    st.floats(0.0, 0.6), st.floats(20.0, 500.0), st.floats(0.05, 3.0), st.floats(0.1, 3.0),
)  # fmt: skip
def test_every_ion_is_somewhere(mean, cv, filling, lead, shell, stretch, solubility, hours):
    solution = copy.deepcopy(CONTENT["solution"])
    solution["contents"][1]["amount"] = f"{lead} umol"
    recipe = changed(
        {"mean": f"{mean} nm", "cv": cv, "filling": filling},
        solution=solution,
        observe={"until": f"{hours} h"},
        kinetics={
            "template_shell_nm": shell,
            "crystal_spacing_nm": stretch,
            "solution_solubility_mol_l": solubility,
        },
    )
    found = grow_in_pores(recipe)
    for one in found.balances().values():
        assert one["error"] < 1e-9
        assert all(value >= -1e-9 * one["fed_umol"] for value in one.values())
    wall = found.pore_nm.max() - 2 * shell
    for sizes in found.distributions:
        assert not len(sizes) or 2e9 * sizes.high_m.max() <= wall * (1 + 1e-12)


def test_a_lost_crystal_shows_in_the_balance():
    found = grow_in_pores(changed())
    assert replace(found, pores_ml=0.99 * found.pores_ml).balances()["Pb"]["error"] > 5e-3


def test_pores_have_the_mean_and_spread_asked_for():
    found = grow_in_pores(changed({"mean": "6 nm", "cv": 0.2}))
    mean = found.pore_share @ found.pore_nm
    assert mean == pytest.approx(6.0, rel=1e-12)
    assert np.sqrt(found.pore_share @ (found.pore_nm - mean) ** 2) / mean == pytest.approx(0.2, rel=1e-12)


def test_wider_pores_shine_redder():
    peaks = []
    for mean in (3.3, 3.7, 4.2, 6.2, 7.1):
        light = grow_in_pores(changed({"mean": f"{mean} nm"})).light()
        peaks.append(light.peak_nm.median)
    assert np.all(np.diff(peaks) > 0)


def test_pores_too_narrow_stay_empty_and_it_is_said():
    found = grow_in_pores(recipe_with_table([1.5, 5.0], [0.5, 0.5]))
    assert found.balances()["Pb"]["without_crystal_umol"] > 0
    assert any("no room" in one for one in found.warnings)
    none = grow_in_pores(recipe_with_table([1.5], [1.0]))
    assert none.ensemble() is None
    assert any("no crystal" in one for one in none.warnings)
    with pytest.raises(OptionError, match="no crystals"):
        none.light()


def test_a_wet_template_says_so():
    found = grow_in_pores(changed(observe={"until": "1 h"}))
    assert any("not dry" in one for one in found.warnings)
    assert found.balances()["Pb"]["dissolved_umol"] > 0


@pytest.mark.parametrize(
    ("pores", "words"),
    [
        ({"shares": [1.0]}, "mean with cv, or diameters with shares"),
        ({"filling": 1.5}, "filling"),
        ({"mean": "4 mL"}, "pores.mean"),
        ({"mean": "0 nm"}, "above 0"),
        ({"volume": "0.8 mL"}, "pores.volume"),
    ],
)
def test_pores_that_are_none_are_refused(pores, words):
    with pytest.raises(InputError, match=words):
        changed(pores)


def test_tables_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="2 diameters and 1 shares"):
        recipe_with_table([3.0, 4.0], [1.0])
    with pytest.raises(InputError, match="not all 0"):
        recipe_with_table([3.0], [0.0])


def test_what_cannot_be_carried_out_is_told_at_once():
    solution = copy.deepcopy(CONTENT["solution"])
    solution["contents"][1]["amount"] = "2 mmol"
    solution["contents"][2]["volume"] = "0.05 mL"
    with pytest.raises(OptionError) as caught:
        grow_in_pores(changed(solution=solution))
    assert "mol/L of lead" in str(caught.value) and "the pores take up" in str(caught.value)
    with pytest.raises(OptionError, match="brings MA"):
        grow_in_pores(changed(solution={"contents": solution["contents"][1:]}))
    with pytest.raises(OptionError, match="no liquid"):
        grow_in_pores(changed(solution={"contents": solution["contents"][:2]}))
    with pytest.raises(ModelRangeError, match="length of a pore"):
        grow_in_pores(changed(kinetics={"template_shell_nm": 1.6, "least_radius_nm": 0.4}))
