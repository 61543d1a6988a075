"""A recipe with [platelets]: its rows, balances, light, and what it refuses."""

import tomllib
from dataclasses import replace

import numpy as np
import pytest

from perolux.ensemble import Population, from_table
from perolux.errors import InputError, ModelRangeError, OptionError
from perolux.excitons import ensemble_spectrum, population
from perolux.files import example_path
from perolux.quantities.constants import HC_EV_NM
from perolux.synthesis import grow_recipe, read_recipe
from perolux.synthesis.inline_spectra import LEAST_EDGE_NM, Spectrometer
from perolux.synthesis.platelet_batch import PlateletBatch, grow_platelet_recipe
from perolux.synthesis.platelet_light import platelet_bands_nm, platelet_spectra
from perolux.synthesis.platelets import CLASS_NAMES, PlateletHistory, platelet_ensemble, platelets_of_recipe
from perolux.synthesis.recipe import recipe_of
from perolux.synthesis.routes import carry_out

FOLDER = example_path("recipes")
TEXT = (FOLDER / "fapbbr3_platelets.toml").read_text()


def recipe(text=TEXT):
    return recipe_of(tomllib.loads(text))


@pytest.fixture(scope="module")
def grown():
    return carry_out(
        recipe(TEXT.replace('until = "600 s"', 'until = "600 s"\ntimes = ["1 s", "12 s", "60 s"]'))
    )


@pytest.mark.slow
def test_it_is_the_model_of_platelets(grown):
    """The same as the function of the model on the recipe without the block, and its published passage."""
    assert isinstance(grown, PlateletBatch)
    plain = platelets_of_recipe(
        read_recipe(FOLDER / "fapbbr3_antisolvent.toml"), times_s=grown.history.time_s
    )
    assert grown.history.amount_mol_m3 == pytest.approx(plain.amount_mol_m3, rel=1e-12, abs=1e-15)
    rows = grown.rows()
    assert [row["t_s"] for row in rows] == [1.0, 12.0, 60.0, 600.0]
    assert rows[1]["platelet_share"] > 0.7 and rows[3]["platelet_share"] < 1e-3
    assert rows[0]["mean_monolayers"] is None and 2.0 < rows[1]["mean_monolayers"] < 4.0
    for row in rows:
        assert sum(row["share"].values()) == pytest.approx(row["yield"], abs=1e-12)


def test_every_ion_is_somewhere(grown):
    for ion, one in grown.balances().items():
        parts = one["in_crystals_umol"] + one["dissolved_umol"] + one["not_yet_mixed_umol"]
        assert parts == pytest.approx(one["fed_umol"], rel=1e-9), ion
        assert one["error"] < 1e-9
    lost = replace(grown, history=replace(grown.history, dissolved_mol_m3=0 * grown.history.dissolved_mol_m3))
    assert lost.balances()["Pb"]["error"] > 1e-3  # the error is counted, not zero by construction


def test_bands_are_those_of_the_room_excitons(grown):
    """Another path: the ensemble of the time, its emission nanocrystal by nanocrystal."""
    bands = platelet_bands_nm(grown.history, "FAPbBr3", 1)
    ensemble = platelet_ensemble(grown.history, "FAPbBr3", 1)
    light = HC_EV_NM / population(ensemble, temperature_k=298.15)["emission_ev"].values[0]
    assert bands["2 ML"]["galkowski2016"] == pytest.approx(light[0], abs=0.01)
    assert bands["cubes"]["galkowski2016"] == pytest.approx(light[-1], abs=0.01)
    order = [bands[name]["galkowski2016"] for name in CLASS_NAMES if name in bands]
    assert order == sorted(order)  # thicker is redder


def history_of(edges_nm, amounts):
    """A history of one time with these edges (nm) and amounts of the classes."""
    edge = np.full((1, 8), np.nan)
    amount = np.zeros((1, 8))
    for name in edges_nm:
        i = CLASS_NAMES.index(name)
        edge[0, i], amount[0, i] = 1e-9 * edges_nm[name], amounts[name]
    one = np.ones(1)
    return PlateletHistory(one, 1e20 * amount, amount, edge, one, one + amount.sum(axis=1), one, one, one)


BARE = Spectrometer(slit_fwhm_nm=0.0)


def test_cubes_alone_emit_as_cubes():
    seen = platelet_spectra(history_of({"cubes": 7.0}, {"cubes": 1.0}), "CsPbBr3", BARE)
    kind = Population(shape="cube", size_convention="core-edge", material="CsPbBr3")
    energy = np.arange(1.8, 3.4, 0.001)
    line = ensemble_spectrum(from_table([7.0], kind), energy, "emission", temperature_k=298.15)
    at = HC_EV_NM / seen.wavelength_nm
    for name, pl in zip(seen.sets, seen.pl[:, 0], strict=True):
        per_nm = np.interp(at, energy, line.sel(set=name).values) * HC_EV_NM / seen.wavelength_nm**2
        assert pl == pytest.approx(per_nm, abs=0.01 * per_nm.max())


def test_light_is_shared_by_volume_and_traces_give_none():
    both = history_of({"4 ML": 8.0, "cubes": 9.0}, {"4 ML": 1.0, "cubes": 3.0})
    thin = history_of({"4 ML": 8.0}, {"4 ML": 1.0})
    cubes = history_of({"cubes": 9.0}, {"cubes": 1.0})
    pl = [platelet_spectra(one, "CsPbBr3", BARE).pl for one in (both, thin, cubes)]
    assert pl[0] == pytest.approx(0.25 * pl[1] + 0.75 * pl[2], abs=1e-12)
    assert pl[0].sum(axis=2) == pytest.approx(1.0, abs=0.01)  # photons per photon absorbed
    small = history_of({"4 ML": LEAST_EDGE_NM - 0.1, "cubes": 9.0}, {"4 ML": 1.0, "cubes": 3.0})
    seen = platelet_spectra(small, "CsPbBr3", BARE)
    assert seen.left_out == pytest.approx(0.25)
    assert seen.pl == pytest.approx(pl[2], abs=1e-12)
    wide = platelet_spectra(history_of({"2 ML": 30.0}, {"2 ML": 1.0}), "CsPbBr3", BARE)
    assert 405 < wide.wavelength_nm[int(wide.pl[0, 0].argmax())] < 445  # the plate, no cuboid


def test_constants_of_the_block_count():
    content = TEXT.replace("[platelets]", "[platelets]\nlayer_binding_l_mol = 0\nplatelet_fusion_m3_s = 0")
    found = grow_platelet_recipe(recipe(content.replace('until = "600 s"', 'until = "20 s"')))
    assert found.history.platelet_share.max() == 0
    assert {"layer_binding_l_mol", "platelet_fusion_m3_s"} <= set(found.given)
    assert not any("platelet" in value.key or "layer" in value.key for value in found.rests_on())


@pytest.mark.parametrize(
    ("old", "new", "error", "words"),
    [
        ("octylamine", "oleic acid", OptionError, "no amine is in the vessel"),
        ('temperature = "25 degC"', 'temperature = "90 degC"', ModelRangeError, "layer_binding_l_mol in"),
        ("[platelets]", "[platelets]\nlayer_binding_l_mol = -1", InputError, "layer_binding_l_mol"),
        ("[platelets]", "[platelets]\nshape = 1", InputError, "no key of a recipe"),
    ],
)
def test_what_makes_no_sense_is_refused(old, new, error, words):
    with pytest.raises(error, match=words):
        carry_out(recipe(TEXT.replace(old, new)))


def test_a_ligand_that_covers_is_refused():
    text = (FOLDER / "cspbbr3_topo.toml").read_text().replace("[vessel]", "[platelets]\n[vessel]")
    with pytest.raises(OptionError, match="a ligand that covers all facets"):
        carry_out(recipe(text))


def test_cubes_alone_are_never_taken_for_them():
    with pytest.raises(OptionError, match=r"leave \[platelets\] out"):
        grow_recipe(recipe())
    tube = tomllib.loads((FOLDER / "cspbbr3_tube.toml").read_text()) | {"platelets": {}}
    with pytest.raises(InputError, match="platelets form in a flask"):
        recipe_of(tube)
