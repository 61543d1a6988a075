"""Droplets of mixed halides: what is refused, where every ion is, bands that merge, light of the ends."""

import copy
import tomllib

import numpy as np
import pytest

from perolux.errors import InputError, ModelRangeError, OptionError
from perolux.files import example_path
from perolux.materials import parse_composition
from perolux.synthesis.flow import grow_flow
from perolux.synthesis.history import SizeDistribution
from perolux.synthesis.inline_spectra import Spectrometer, inline_spectra
from perolux.synthesis.mixed_crystals import MixedCrystals
from perolux.synthesis.mixed_flow import grow_mixed_flow
from perolux.synthesis.mixed_light import mixed_spectra
from perolux.synthesis.recipe import read_recipe, recipe_of, recipe_schema
from perolux.synthesis.recipe_mixed import MixedDropletRecipe
from perolux.synthesis.schedule import formula_volume_m3

MIXED = tomllib.loads((example_path("recipes") / "cspbbri3_droplets.toml").read_text("utf-8"))
LATTICE = (0.585e-9, 0.629e-9)


def content(**blocks):
    found = copy.deepcopy(MIXED)
    found["droplets"]["jitter"] = 0.0
    found["observe"] = {"detectors": ["2 mm", "5 cm"]}
    for name, value in blocks.items():
        found[name] = found.get(name, {}) | value if isinstance(value, dict) else value
    return found


def flow_of(found, **more):
    recipe = recipe_of(found)
    assert isinstance(recipe, MixedDropletRecipe)
    return grow_mixed_flow(recipe, **more)


@pytest.mark.parametrize("name", ["cspbbri3_droplets", "fapbclbr3_droplets"])
def test_shipped_recipes_keep_every_ion(name):
    flow = grow_mixed_flow(read_recipe(example_path("recipes") / f"{name}.toml"), tolerance=1e-3)
    for i in range(len(flow.detectors)):
        for ion, one in flow.balances(i).items():
            assert one["error"] < 1e-9, ion
            assert min(one.values()) > -1e-9 * one["fed_umol_min"]
    last = flow.rows()[-1]
    assert last["yield"] > 0.9 and last["fraction_sd"] < 1e-3
    assert last["mean_fraction"] == pytest.approx(flow.mean_fraction_fed(), abs=1e-4)
    assert all(value.kind != "derived" for value in flow.rests_on())


def test_two_families_mix_and_two_bands_become_one():
    flow = flow_of(content(), tolerance=1e-3)
    spectra = flow.spectra()
    first, last = flow.rows(spectra)
    assert set(first["pl_bands"].values()) == {2} and set(last["pl_bands"].values()) == {1}
    assert first["fraction_sd"] > 0.4 > 0.05 > last["fraction_sd"]
    bromide, iodide = first["families"].values()
    assert bromide["mean_fraction"] < 0.1 and iodide["mean_fraction"] > 0.9
    for blue, red in (sorted(nm) for nm in first["pl_bands_nm"].values()):
        (one,) = last["pl_bands_nm"]["yang2017"]
        assert blue < red and blue < one
    assert np.allclose(spectra.pl.sum(axis=2), 1.0, atol=1e-3)


def test_mixed_nuclei_have_one_band_from_the_start():
    flow = flow_of(content(mixing={"nuclei": "mixed"}), tolerance=1e-3)
    rows = flow.rows(flow.spectra())
    assert all(set(row["pl_bands"].values()) == {1} for row in rows)
    assert list(rows[0]["families"]) == ["CsPb(Br,I)3"]
    assert not any("put in" in one for one in flow.warnings)


def test_a_rate_of_its_own_and_the_order_are_used():
    slow = flow_of(content(mixing={"exchange_rate_per_s": 0.0}), tolerance=1e-3)
    assert slow.rows()[-1]["fraction_sd"] > 0.4
    assert "prior.exchange_rate_per_s" not in [value.key for value in slow.rests_on()]
    assert "exchange_rate_per_s" in slow.given and "I: surface_energy_j_m2" in slow.given
    third = flow_of(content(mixing={"monohalide_order": 3.0}), tolerance=1e-3)
    assert third.rows()[0]["supersaturation"][0] < slow.rows()[0]["supersaturation"][0]


@pytest.mark.slow
def test_nearly_one_halide_is_the_flow_of_one_halide():
    """With 1 ppm of iodide the bromide crystals are those of the engine of one halide."""
    found = content(observe={"detectors": ["5 mm"]}, monohalides={"I": {"surface_energy_j_m2": 0.06}})
    lead = found["streams"][1]["contents"]
    lead[0] = {"chemical": "PbBr2", "amount": "0.187999812 mmol"}
    lead.append({"chemical": "PbI2", "amount": "0.188 nmol"})
    both = flow_of(found, tolerance=1e-5)
    one = {k: v for k, v in found.items() if k not in ("mixing", "monohalides")} | {"product": "CsPbBr3"}
    alone = grow_flow(recipe_of(one), tolerance=1e-5)
    row, other = both.rows()[0], alone.rows()[0]
    for key, bar in (("N_per_m3", 1e-3), ("mean_edge_nm", 5e-4), ("yield", 1e-4)):
        assert row[key] == pytest.approx(other[key], rel=bar), key


def test_chloride_and_iodide_stop_at_their_gap():
    found = content(product="CsPb(Cl,I)3")
    found["streams"][0]["contents"][0] = {"chemical": "PbCl2", "amount": "0.188 mmol"}
    flow = flow_of(found, tolerance=1e-3)
    # the binodal at 50 degC is 0.07 and 0.93; most of the halide stays in solution
    assert flow.schedule.law.w > 2.0
    assert flow.rows()[-1]["fraction_sd"] > 0.2
    assert any("miscibility gap of Cl and I" in one for one in flow.warnings)
    with pytest.raises(ModelRangeError, match="do not mix"):
        flow.spectra()


def test_chloride_beyond_the_published_limit_is_told():
    found = tomllib.loads((example_path("recipes") / "fapbclbr3_droplets.toml").read_text("utf-8"))
    found["droplets"]["jitter"], found["observe"] = 0.0, {"detectors": ["5 cm"]}
    assert not any("segregate" in one for one in flow_of(found, tolerance=1e-3).warnings)
    found["streams"][0]["flow"], found["streams"][1]["flow"] = "10 uL/min", "20 uL/min"
    for product in ("FAPb(Br,Cl)3", "FAPb(Cl,Br)3"):
        found["product"] = product
        flow = flow_of(found, tolerance=1e-3)
        assert any("above 60 at.% Cl" in one for one in flow.warnings)
    assert flow.rows()[0]["mean_fraction"] == pytest.approx(1 / 3, abs=1e-6)


@pytest.mark.parametrize(
    ("blocks", "said"),
    [
        ({"product": "Cs0.9FA0.1Pb(Br,I)3"}, "mixed cations"),
        ({"monohalides": {"Cl": {"solubility_mol_l": 1e-6}}}, "has no Cl"),
        ({"monohalides": {"I": {"mixing_time_s": 1.0}}}, "no key"),
        ({"mixing": {"nuclei": "pure"}}, "nuclei"),
        ({"mixing": {"monohalide_order": 5}}, "monohalide_order"),
        ({"spectra": {"signal_to_noise": 50}}, "without noise"),
        ({"observe": {"seed": 4}}, "single droplets"),
        ({"product": "CsPb(Br0.5I0.5)3", "mixing": {}}, "mixing"),
    ],
)
def test_recipes_are_refused_in_words(blocks, said):
    with pytest.raises(InputError, match=said):
        recipe_of(content(**blocks))


def test_what_cannot_be_carried_out():
    with pytest.raises(OptionError, match="brings Cl"):
        flow_of(content(product="CsPb(Cl,Br)3", monohalides={}) | {"monohalides": {}})
    hot = content(tube={"zones": [{"length": "50 cm", "temperature": "140 degC"}]})
    with pytest.raises(ModelRangeError, match="temperature_k"):
        flow_of(hot)
    hot["mixing"] = {"exchange_rate_per_s": 10.0}
    assert flow_of(hot, tolerance=1e-3).rows()[-1]["temperature_c"] == pytest.approx(140.0, abs=1.0)
    topo = content()
    topo["streams"][2]["contents"].append({"chemical": "TOPO", "amount": "10 umol"})
    with pytest.raises(OptionError, match="TOPO"):
        flow_of(topo)


def test_light_of_one_end_is_that_of_one_halide():
    edges = np.linspace(2.0e-9, 2.6e-9, 8)
    number = np.array([1.0, 3.0, 5.0, 6.0, 4.0, 2.0, 1.0])
    n = len(number)
    ones = np.ones(n)
    crystals = MixedCrystals(edges[:-1], edges[1:], number, ones, 0 * ones, ones.astype(int), LATTICE)
    used = Spectrometer()
    product = parse_composition("CsPb(Br,I)3")
    mixed = mixed_spectra(product, [crystals], used)
    alone = inline_spectra(
        "CsPbI3", [SizeDistribution(edges[:-1], edges[1:], number)], [0.0], spectrometer=used
    )
    assert np.allclose(mixed.pl[mixed.sets.index("yang2017"), 0], alone.pl[0, 0], atol=2e-3 * alone.pl.max())
    half = MixedCrystals(edges[:-1], edges[1:], number, 0.5 * ones, 0 * ones, np.zeros(n, int), LATTICE)
    (peak,) = mixed_spectra(product, [half], used).bands_nm[0]["yang2017"]
    (red,) = mixed.bands_nm[0]["yang2017"]
    assert peak < red - 20


def test_lattice_of_the_law_is_that_of_the_materials():
    law = flow_of(content(), tolerance=1e-2).schedule.law
    assert law.lattice_m[0] ** 3 == pytest.approx(formula_volume_m3("CsPbBr3"))
    assert law.lattice_m[1] ** 3 == pytest.approx(formula_volume_m3("CsPbI3"))


def test_the_schema_knows_mixed_halides():
    assert "monohalides" in str(recipe_schema())
