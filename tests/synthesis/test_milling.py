"""Ball milling from a recipe: least edge by the ligand, amounts, light, and what is refused."""

import copy
import tomllib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perolux.errors import InputError, OptionError
from perolux.files import example_path
from perolux.materials import material
from perolux.quantities.constants import AVOGADRO_PER_MOL
from perolux.synthesis.milling import mill
from perolux.synthesis.recipe import read_recipe, recipe_of, recipe_schema
from perolux.synthesis.solid_light import peak_and_width
from perolux.synthesis.solid_priors import solid_priors

PATH = example_path("recipes") / "cspbbr3_milling.toml"
CONTENT = tomllib.loads(PATH.read_text())


def changed(contents=None, **blocks):
    content = copy.deepcopy(CONTENT) | blocks
    if contents is not None:
        content["jar"]["contents"] = contents
    return recipe_of(content)


def test_the_shipped_recipe_is_carried_out():
    found = mill(read_recipe(PATH))
    rows = found.rows()
    assert [row["t_s"] for row in rows] == sorted(row["t_s"] for row in rows)
    assert np.all(np.diff([row["N_per_m3"] for row in rows]) > 0)
    assert np.all(np.diff([row["mean_edge_nm"] for row in rows]) < 0)
    for one in found.balances().values():
        assert one["error"] < 1e-9
    ensemble = found.ensemble()
    assert ensemble.mean("edge_a_nm") == pytest.approx(rows[-1]["mean_edge_nm"], rel=1e-9)
    assert ensemble.number_per_litre is None
    assert all(value.kind in ("assumed", "recalled") for value in found.rests_on())


def test_the_least_edge_is_that_of_crystals_that_use_all_the_ligand():
    ligand_mol = 4e-4
    found = mill(
        changed(
            [
                {"chemical": "CsBr", "amount": "1 mmol"},
                {"chemical": "PbBr2", "amount": "2 mmol"},
                {"chemical": "oleylamine", "amount": "0.4 mmol"},
            ],
            kinetics={"ligand_bound_share": 0.5},
        )
    )
    cell = float(material("CsPbBr3").lattice_constant_nm)
    volume = 1e-3 * AVOGADRO_PER_MOL * cell**3
    assert found.least_edge_nm == pytest.approx(6 * volume / (0.5 * ligand_mol * AVOGADRO_PER_MOL * cell**2))
    assert found.balances()["Pb"]["left_over_umol"] == pytest.approx(1000.0)
    assert found.balances()["Br"]["in_crystals_umol"] == pytest.approx(3000.0)


def test_long_milling_ends_where_the_ligand_does():
    found = mill(changed(kinetics={"breakage_rate_per_s": 1e3}))
    last = found.rows()[-1]
    assert last["still_breaking"] < 1e-3
    edges = found.ensemble().edge_a_nm
    assert edges.min() >= found.least_edge_nm * (1 - 1e-12)
    # all but a trace between v_m and 2 v_m
    assert last["mean_edge_nm"] < 2 ** (1 / 3) * found.least_edge_nm


@settings(max_examples=20, deadline=None)
@given(
    st.floats(0.1, 5.0), st.floats(0.3, 3.0), st.floats(1e-4, 10.0), st.floats(0.5, 3.0), st.floats(0.2, 4.0)
)
def test_no_more_surface_than_the_ligand_covers(lead, ligand, rate, exponent, power):
    found = mill(
        changed(
            [
                {"chemical": "CsBr", "amount": "1 mmol"},
                {"chemical": "PbBr2", "amount": f"{lead} mmol"},
                {"chemical": "OLA", "amount": f"{ligand} mmol"},
            ],
            kinetics={"breakage_rate_per_s": rate, "breakage_exponent": exponent, "daughter_power": power},
        ),
        cells=80,
    )
    for row in found.rows():
        assert 0 < row["ligand_used"] <= 1 + 1e-9
    for one in found.balances().values():
        assert one["error"] < 1e-9
        assert one["left_over_umol"] >= -1e-9 * one["fed_umol"]


def test_a_lost_crystal_shows_in_the_balance():
    found = mill(changed())
    fewer = replace(found, numbers=0.99 * found.numbers)
    assert fewer.balances()["Cs"]["error"] == pytest.approx(0.01, rel=1e-6)


def test_more_ligand_than_any_crystal_needs_is_said():
    found = mill(
        changed(
            [
                {"chemical": "CsBr", "amount": "1 mmol"},
                {"chemical": "PbBr2", "amount": "1 mmol"},
                {"chemical": "oleylamine", "amount": "100 mmol"},
                {"chemical": "toluene", "volume": "1 mL"},
            ]
        )
    )
    assert found.least_edge_nm == pytest.approx(1.2)
    assert any("smallest crystal" in one for one in found.warnings)
    assert any("toluene" in one for one in found.warnings)


def test_what_cannot_be_milled_is_told_at_once():
    with pytest.raises(OptionError) as caught:
        mill(changed([{"chemical": "CsBrr", "amount": "1 mmol"}, {"chemical": "PbBr", "amount": "1 mmol"}]))
    assert len(caught.value.problems) == 2
    with pytest.raises(OptionError, match="brings Br"):
        mill(changed([{"chemical": "Cs2CO3", "mass": "1 g"}, {"chemical": "oleylamine", "volume": "1 mL"}]))
    with pytest.raises(OptionError) as caught:
        mill(changed(CONTENT["jar"]["contents"][:1]))
    assert "no ligand" in str(caught.value) and "brings Pb" in str(caught.value)
    with pytest.raises(OptionError, match="coarse powder"):
        mill(changed(kinetics={"coarse_edge_nm": 20.0}))


@pytest.mark.parametrize(
    ("blocks", "words"),
    [
        ({"vessel": {}, "jar": {}}, ["vessel", "jar.contents"]),
        ({"daughter": "power-law"}, ["daughter_power"]),
        ({"kinetics": {"daughter_power": -0.5}}, ["above 0 for two pieces"]),
        ({"kinetics": {"breakage_exponent": 0.0, "coarse_cv": 9}}, ["breakage_exponent", "coarse_cv"]),
        ({"daughter": "halves", "observe": {"until": "soon"}}, ["daughter", "observe.until"]),
    ],
)
def test_recipes_that_say_what_is_not_are_refused(blocks, words):
    with pytest.raises(InputError) as caught:
        changed(**blocks)
    for word in words:
        assert word in str(caught.value)


def test_a_mill_that_stands_still_breaks_nothing():
    rows = mill(changed(kinetics={"breakage_rate_per_s": 0.0})).rows()
    assert rows[-1]["N_per_m3"] == pytest.approx(rows[0]["N_per_m3"], rel=1e-12)
    assert rows[-1]["still_breaking"] == pytest.approx(1.0, rel=1e-12)


def test_crystals_that_emit_as_bulk_are_told():
    assert any("above 100 nm" in one for one in mill(changed(observe={"until": "1 min"})).warnings)
    assert not any("above 100 nm" in one for one in mill(changed()).warnings)


def test_three_pieces_break_faster_than_two():
    power_law = mill(changed(daughter="power-law", kinetics={"daughter_power": -0.5})).rows()[-1]
    assert power_law["N_per_m3"] > mill(changed()).rows()[-1]["N_per_m3"]


def test_cells_suffice():
    """Half the cells change the mean by less than 0.2 %, the spread by less than 0.5 %."""
    coarse, fine = mill(changed(), cells=150).rows()[-1], mill(changed(), cells=300).rows()[-1]
    assert coarse["mean_edge_nm"] == pytest.approx(fine["mean_edge_nm"], rel=2e-3)
    assert coarse["cv"] == pytest.approx(fine["cv"], rel=5e-3)


def test_smaller_crystals_shine_bluer():
    short, long = (mill(changed(kinetics={"breakage_rate_per_s": rate})).light() for rate in (1e-2, 1.0))
    for name, peak in short.peak_ev.sets.items():
        assert long.peak_ev.sets[name] > peak
    assert short.fwhm_nm.median > 10.0


def test_peak_and_width_of_a_gaussian():
    x = np.linspace(-3.0, 3.0, 601)
    peak, width = peak_and_width(x, np.exp(-0.5 * ((x - 0.1234) / 0.4) ** 2))
    assert peak == pytest.approx(0.1234, abs=1e-4)
    assert width == pytest.approx(2 * np.sqrt(2 * np.log(2)) * 0.4, rel=1e-4)


def test_records_and_schema_know_milling():
    assert "milling" in str(recipe_schema())
    for value in solid_priors().values():
        assert value.kind in ("assumed", "recalled") and value.low < value.high
