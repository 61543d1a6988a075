"""Recipes in flow: a droplet is a flask that travels; what is refused; where every ion is."""

import copy
import tomllib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perolux.errors import InputError, ModelRangeError, OptionError
from perolux.files import example_path
from perolux.synthesis import grow
from perolux.synthesis.batch import constants_of, grow_recipe
from perolux.synthesis.flow import grow_flow
from perolux.synthesis.recipe import read_recipe, recipe_of, recipe_schema
from perolux.synthesis.residence import taylor_aris_m2_s
from perolux.synthesis.tube import flow_ledger, tube_of

DROPLETS = tomllib.loads((example_path("recipes") / "cspbbr3_droplets.toml").read_text())
TUBE = tomllib.loads((example_path("recipes") / "cspbbr3_tube.toml").read_text())


def droplets(**blocks):
    content = copy.deepcopy(DROPLETS)
    content["droplets"]["jitter"] = 0.0
    content["observe"] = {"detectors": ["2 mm", "1 cm"]}
    for name, value in blocks.items():
        content[name] = content[name] | value if isinstance(value, dict) and name in content else value
    return content


def flow_of(content, **more):
    return grow_flow(recipe_of(content), **more)


@pytest.mark.parametrize("name", ["cspbbr3_droplets", "cspbbr3_tube"])
def test_shipped_recipes_are_carried_out(name):
    flow = grow_flow(read_recipe(example_path("recipes") / f"{name}.toml"), tolerance=1e-4)
    for i in range(len(flow.detectors)):
        for ion, one in flow.balances(i).items():
            assert one["error"] < 1e-9, ion
            assert min(one.values()) > -1e-9 * one["fed_umol_min"]
    assert flow.rows()[-1]["yield"] > 0.9
    assert flow.ensemble().mean() > flow.ensemble(0).mean() > 1.0
    assert flow.ensemble().number_per_litre == pytest.approx(1e-3 * flow.rows()[-1]["N_per_m3"])
    assert all(value.kind in ("assumed", "recalled") for value in flow.rests_on())
    assert flow.sample is None


def test_position_is_time_at_the_mean_velocity():
    flow = flow_of(droplets(), tolerance=1e-3)
    area = np.pi * 0.25**2  # mm^2
    assert 1e3 * flow.velocity_m_s == pytest.approx(100.0 / 60.0 / area)
    assert flow.rows()[1]["time_s"] == pytest.approx(10.0 * area * 60.0 / 100.0)
    assert flow.droplets_per_s == pytest.approx(40.0 / 60.0 / 0.1)


def test_a_droplet_is_the_flask_of_its_contents():
    """The same amounts, mixing and warmth in a flask, through the ledger of the flask."""
    content = droplets(tube={"inner_diameter": "0.5 mm", "thermal_time": "0.2 s",
                             "zones": [{"length": "2 cm", "temperature": "140 degC"}]})  # fmt: skip
    content["streams"][0]["temperature"] = content["streams"][1]["temperature"] = "60 degC"
    flow = flow_of(content)
    times = [row["time_s"] for row in flow.rows()]
    lead, cesium = content["streams"]
    amounts = [dict(one) for one in lead["contents"]]
    flask = {
        "route": "hot-injection",
        "product": "CsPbBr3",
        "vessel": {"temperature": "60 degC", "contents": amounts},
        "events": [
            # 6 mL of the lead stock and a third of that of cesium
            {"kind": "inject", "at": "0 s", "temperature": "60 degC", "mixing": "5 ms",
             "contents": [dict(cesium["contents"][0]) | {"volume": "2 mL"}]},
            {"kind": "heat", "at": "0 s", "to": "140 degC", "time_constant": "0.2 s"},
        ],
        "observe": {"until": f"{times[-1]} s", "times": [f"{t} s" for t in times]},
        "kinetics": DROPLETS["kinetics"],
    }  # fmt: skip
    batch = grow_recipe(recipe_of(flask), tolerance=1e-3)
    here, there = flow.schedule.conditions, batch.schedule.conditions
    for t in (1e-4, 1e-3, 1e-2, 0.1, 1.0):
        a, b = here.at(t), there.at(t)
        assert a.pop("supplied_mol_m3") == pytest.approx(b.pop("supplied_mol_m3") / b.pop("volume_ratio"))
        del a["volume_ratio"]
        assert a == pytest.approx(b, rel=1e-9)
    history = grow(batch.schedule.model, there, times, tolerance=1e-5, most_cohorts=1024)
    first = flow.rows()[0]
    assert first["nuclei_per_m3"] == pytest.approx(
        history.nuclei_per_m3[0] / history.volume_ratio[0], rel=5e-3
    )
    assert first["mean_edge_nm"] == pytest.approx(2e9 * history.mean_radius_m[0], rel=5e-3)
    assert first["c_mol_m3"] == pytest.approx(history.dissolved_mol_m3[0], rel=5e-3)
    # after most have dissolved the two runs share no step
    assert flow.rows()[1]["mean_edge_nm"] == pytest.approx(2e9 * history.mean_radius_m[1], rel=0.05)


def test_what_meets_follows_from_the_flow_rates():
    recipe = recipe_of(droplets())
    tube = tube_of(recipe, constants_of(recipe))
    ledger = flow_ledger(recipe, tube, 1.0)
    assert ledger.fed_mol_l["Cs"][-1] == pytest.approx(0.025 * 10.0 / 40.0)
    assert ledger.fed_mol_l["Pb"][-1] == pytest.approx(0.188 / 6.0 * 30.0 / 40.0)
    assert ledger.available_mol_l["Cs"][0] == 0.0
    at = np.searchsorted(ledger.time_s, 5e-3)
    mixed = -np.expm1(-ledger.time_s[at] / 5e-3)
    assert ledger.available_mol_l["Cs"][at] / ledger.fed_mol_l["Cs"][at] == pytest.approx(mixed)


def test_neither_the_order_of_streams_nor_the_size_of_a_stock_matters():
    one = flow_of(droplets(), tolerance=1e-4).rows()[0]
    content = droplets()
    content["streams"] = content["streams"][::-1]
    content["streams"][0]["contents"][0]["volume"] = "7 mL"
    other = flow_of(content, tolerance=1e-4).rows()[0]
    # the sums differ in their last digits, and with them the steps
    for name in ("N_per_m3", "mean_edge_nm", "c_mol_m3", "temperature_c"):
        assert other[name] == pytest.approx(one[name], rel=1e-2)


def test_the_liquid_takes_the_temperature_of_each_zone():
    content = droplets(
        tube={
            "inner_diameter": "0.5 mm",
            "thermal_time": "0.5 s",
            "zones": [
                {"length": "1 cm", "temperature": "140 degC"},
                {"length": "1 cm", "temperature": "40 degC"},
            ],
        }
    )
    recipe = recipe_of(content)
    tube = tube_of(recipe, constants_of(recipe))
    duration = 0.01 / tube.velocity_m_s
    inlet = 273.15 + (30.0 * 25.0 + 10.0 * 100.0) / 40.0
    assert tube.inlet_k == pytest.approx(inlet)
    for pace in (0.7, 1.0, 1.6):
        ledger = flow_ledger(recipe, tube, 2.0 * pace * duration, pace)
        hot = 413.15 + (inlet - 413.15) * np.exp(-pace * duration / 0.5)
        assert np.interp(pace * duration, ledger.time_s, ledger.temperature_k) == pytest.approx(hot)
        cold = 313.15 + (hot - 313.15) * np.exp(-pace * duration / 0.5)
        assert ledger.temperature_k[-1] == pytest.approx(cold)


def test_jitter_averages_over_arrival_times():
    plain = flow_of(droplets(), tolerance=1e-4)
    jittered = flow_of(droplets(droplets={"jitter": 0.1}), tolerance=1e-4)
    for a, b in zip(plain.rows(), jittered.rows(), strict=True):
        assert b["time_sd_s"] == pytest.approx(0.1 * b["time_s"])
        assert a["time_sd_s"] == 0.0
        # near 1 s the mean rises by a fifth within the jitter, as one generation dissolves
        assert b["mean_edge_nm"] == pytest.approx(a["mean_edge_nm"], rel=0.15)
    tiny = flow_of(droplets(droplets={"jitter": 1e-6}), tolerance=1e-4)
    assert tiny.rows()[0]["mean_edge_nm"] == pytest.approx(plain.rows()[0]["mean_edge_nm"], rel=1e-3)
    for one in jittered.balances().values():
        assert one["error"] < 1e-9


def test_a_zone_in_two_is_one_zone():
    """With two zones each pace has a history of its own; with one, all share it."""
    whole = droplets(droplets={"jitter": 0.05}, observe={"detectors": ["1 mm"]})
    whole["tube"]["zones"] = [{"length": "1.6 mm", "temperature": "140 degC"}]
    halves = copy.deepcopy(whole)
    halves["tube"]["zones"] = [{"length": "0.8 mm", "temperature": "140 degC"}] * 2
    a, b = flow_of(whole, tolerance=1e-3).rows()[0], flow_of(halves, tolerance=1e-3).rows()[0]
    for name in ("N_per_m3", "mean_edge_nm", "c_mol_m3", "time_sd_s", "temperature_c"):
        assert b[name] == pytest.approx(a[name], rel=2e-2)


@pytest.mark.slow
def test_the_first_zone_knows_nothing_of_the_next():
    """What a detector in the first zone sees is that of a tube which goes on as it began, to the last bit."""
    content = copy.deepcopy(TUBE)
    content["observe"]["detectors"] = ["5 mm", "1 cm"]
    alone = flow_of(content, tolerance=1e-3)
    content["tube"]["zones"] = [
        {"length": "1 cm", "temperature": "120 degC"},
        {"length": "1 cm", "temperature": "60 degC"},
    ]
    both = flow_of(content, tolerance=1e-3)
    assert both.rows() == alone.rows()
    content["observe"]["detectors"] = ["5 mm", "2 cm"]
    beyond = flow_of(content, tolerance=1e-3).rows()
    assert beyond[0]["mean_edge_nm"] == pytest.approx(alone.rows()[0]["mean_edge_nm"], rel=0.02)
    assert beyond[1]["temperature_c"] == pytest.approx(60.0, abs=0.5)


@settings(max_examples=15, deadline=None)
@given(
    st.floats(0.5, 500.0), st.floats(0.5, 500.0), st.floats(1.0, 200.0), st.floats(0.0, 0.3), st.floats(-4, 1)
)
def test_every_ion_is_somewhere(lead, cesium, millimolar, jitter, log_mixing):
    content = droplets(droplets={"jitter": jitter, "mixing": f"{10**log_mixing} s"})
    content["streams"][0]["flow"], content["streams"][1]["flow"] = f"{lead} uL/min", f"{cesium} uL/min"
    content["streams"][1]["contents"][0]["concentration"] = f"{millimolar} mM"
    flow = flow_of(content, tolerance=1e-3)
    for i in (0, 1):
        for one in flow.balances(i).values():
            assert one["error"] < 1e-9
            assert one["dissolved_umol_min"] > -1e-9 * one["fed_umol_min"]
            assert one["not_yet_mixed_umol_min"] > -1e-9 * one["fed_umol_min"]


def test_a_lost_crystal_shows_in_the_balance():
    flow = flow_of(droplets(), tolerance=1e-3)
    at = flow.detectors[-1]
    fewer = replace(at.distribution, number_per_m3=0.99 * at.distribution.number_per_m3)
    short = replace(flow, detectors=(*flow.detectors[:-1], replace(at, distribution=fewer)))
    assert short.balances()["Cs"]["error"] > 5e-3


def slow_nucleation(volume, **observe):
    kinetics = {"log10_nucleation_prefactor": 20.0}
    return droplets(
        droplets={"volume": volume}, kinetics=kinetics, observe={"detectors": ["2 mm", "1 cm"], **observe}
    )


def test_droplets_of_few_nuclei_are_followed_one_by_one():
    content = slow_nucleation("1e-5 nL", droplets=40, seed=3)
    flow = flow_of(content, tolerance=1e-4)
    last = flow.rows()[1]
    assert 10 < last["nuclei_per_droplet"] < 100
    one = last["droplets"]
    assert one["droplets"] == 40
    assert one["crystals_mean"] == pytest.approx(last["N_per_m3"] * 1e-17, rel=0.1)
    assert one["mean_edge_nm"] == pytest.approx(last["mean_edge_nm"], rel=0.1)
    assert one["bound_share_mean"] == pytest.approx(last["yield"], rel=0.05)
    assert any("no droplet" in text for text in flow.warnings)
    assert flow_of(content, tolerance=1e-4).rows()[1]["droplets"] == one
    content["observe"]["seed"] = 4
    assert flow_of(content, tolerance=1e-4).rows()[1]["droplets"] != one


def test_single_droplets_keep_their_own_pace():
    content = slow_nucleation("1e-5 nL", droplets=30)
    content["droplets"]["jitter"] = 0.2
    content["tube"]["zones"] = [
        {"length": "2 mm", "temperature": "140 degC"}, {"length": "3 cm", "temperature": "120 degC"},
    ]  # fmt: skip
    flow = flow_of(content, tolerance=1e-3)
    sample = flow.sample
    assert sample.dissolved_mol_m3 + sample.bound_mol_m3 == pytest.approx(np.full((30, 2), 6.25), rel=1e-9)
    assert flow.rows()[1]["droplets"]["crystals_mean"] == pytest.approx(
        flow.rows()[1]["N_per_m3"] * 1e-17, rel=0.3
    )


def test_the_chance_of_no_nucleus_is_told():
    flow = flow_of(slow_nucleation("5e-7 nL", droplets=400), tolerance=1e-4)
    row = flow.rows()[-1]
    assert 0.0 < row["no_nucleus"] < 1.0
    # a droplet without a nucleus has used up nothing, so fewer are empty than the mean population says
    assert row["no_nucleus"] < np.exp(-row["nuclei_per_droplet"])
    empty = np.mean(flow.sample.nuclei[:, -1] == 0)
    error = np.sqrt(row["no_nucleus"] * (1.0 - row["no_nucleus"]) / 400)
    assert empty == pytest.approx(row["no_nucleus"], abs=4 * error)


def test_droplets_that_hold_hardly_a_nucleus_are_flagged():
    flow = flow_of(droplets(droplets={"volume": "3e-12 nL"}, observe={"detectors": ["1 mm"], "droplets": 5}))
    assert any("open solution" in text for text in flow.warnings)
    for one in flow.balances().values():
        assert one["error"] < 1e-9


def test_a_plain_tube_spreads_as_taylor_and_aris_say():
    recipe = recipe_of(TUBE)
    constants = constants_of(recipe)
    tube = tube_of(recipe, constants)
    diffusivity = float(constants.diffusivity_at_m2_s(393.15))
    axial = float(taylor_aris_m2_s(diffusivity, tube.velocity_m_s, 1.25e-4))
    assert tube.late_share(50.0) > 0.98
    assert tube.spread(50.0) ** 2 == pytest.approx(
        2.0 * axial / (tube.velocity_m_s * 0.05) * tube.late_share(50.0), rel=1e-9
    )
    flow = grow_flow(recipe, tolerance=1e-3)
    for at in flow.detectors:
        assert at.time_sd_s / at.time_s == pytest.approx(tube.spread(at.position_mm), rel=1e-9)
        assert at.nuclei_per_droplet is None and at.no_nucleus is None
    assert any("too early for Taylor and Aris at 5 mm" in text for text in flow.warnings)


def test_a_tube_in_which_much_comes_back_is_flagged():
    content = copy.deepcopy(TUBE)
    content["tube"]["inner_diameter"] = "5 mm"
    content["observe"]["detectors"] = ["5 mm"]
    content["kinetics"]["surface_energy_j_m2"] = 0.09  # nothing nucleates: only the flow counts here
    flow = flow_of(content)
    assert any("may come back" in text for text in flow.warnings)
    assert not any("may come back" in text for text in flow_of(TUBE, tolerance=1e-3).warnings)


def test_streams_side_by_side_mix_by_diffusion():
    content = copy.deepcopy(TUBE)
    del content["mixing"]
    recipe = recipe_of(content)
    constants = constants_of(recipe)
    tube = tube_of(recipe, constants)
    at_inlet = float(constants.diffusivity_at_m2_s(tube.inlet_k))
    assert tube.mixing_s == pytest.approx((1.25e-4) ** 2 / (1.841184**2 * at_inlet), rel=1e-5)
    content["streams"] = [
        {"flow": "1 uL/min", "contents": [c for s in TUBE["streams"] for c in s["contents"]]}
    ]
    assert tube_of(recipe_of(content), constants).mixing_s == 0.0


def test_an_antisolvent_stream_lowers_the_solubility():
    content = droplets()
    content["streams"].append(
        {"flow": "40 uL/min", "antisolvent": True, "contents": [{"chemical": "octane", "volume": "1 mL"}]}
    )
    content["tube"]["zones"][0]["temperature"] = "60 degC"
    content["kinetics"] = content["kinetics"] | {"solubility_mol_l": 5e-3}
    flow = flow_of(content, tolerance=1e-3)
    with_it = flow.schedule.conditions.solubility_mol_m3[-1]
    content["streams"][2]["antisolvent"] = False
    other = flow_of(content, tolerance=1e-3)
    without = other.schedule.conditions.solubility_mol_m3[-1]
    assert with_it / without == pytest.approx(np.exp(-12.0 * 0.5), rel=1e-6)
    assert "prior.antisolvent_exponent" in [value.key for value in flow.rests_on()]
    assert "prior.antisolvent_exponent" not in [value.key for value in other.rests_on()]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c["streams"][0].update(flow="0 uL/min"), "streams.1.flow: '0 uL/min' is not above 0"),
        (lambda c: c["streams"][0].update(flow="3 mL"), "uL/min"),
        (lambda c: c["droplets"].update(carrier_flow="0 uL/min"), "carrier_flow"),
        (lambda c: c["droplets"].update(volume="0 nL"), "droplets.volume"),
        (lambda c: c["droplets"].update(jitter=0.5), "droplets.jitter"),
        (lambda c: c["observe"].update(detectors=["2 cm", "1 cm"]), "rise"),
        (lambda c: c["observe"].update(detectors=["0 cm"]), "observe.detectors.1"),
        (lambda c: c["observe"].update(detectors=[]), "observe.detectors"),
        (lambda c: c["tube"].update(pressure="2 bar"), "tube.pressure"),
        (lambda c: c["tube"].update(zones=[]), "tube.zones"),
        (lambda c: c.pop("droplets"), "droplets: is missing"),
        (lambda c: c["kinetics"].update(mixing_time_s=1.0), "belongs to a flask"),
        (lambda c: c.update(streams=[]), "streams"),
        (lambda c: c["tube"]["zones"][0].update(temperature="0 K"), "tube.zones.1.temperature"),
    ],
)
def test_recipes_that_say_no_flow_are_refused(change, words):
    content = droplets()
    change(content)
    with pytest.raises(InputError, match=words):
        recipe_of(content)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c.update(droplets=DROPLETS["droplets"]), "is no key"),
        (lambda c: c["observe"].update(seed=3), "belongs to droplets"),
        (lambda c: c["kinetics"].update(droplet_mixing_time_s=3), "belongs to droplets"),
    ],
)
def test_a_plain_tube_has_no_droplets(change, words):
    content = copy.deepcopy(TUBE)
    change(content)
    with pytest.raises(InputError, match=words):
        recipe_of(content)


def test_what_cannot_be_carried_out_is_told_at_once():
    content = droplets(product="CsPbI3", droplets={"volume": "1 mL"}, observe={"detectors": ["1 cm", "2 m"]})
    content["streams"][0]["contents"][1] = {"chemical": "toluene", "volume": "5 mL"}
    content["streams"].append({"flow": "1 uL/min", "contents": [{"chemical": "PbBr2", "amount": "1 mmol"}]})
    with pytest.raises(OptionError) as caught:
        flow_of(content)
    text = str(caught.value)
    for part in ("toluene boils", "pressure is not modelled", "brings I", "2000 mm", "fills", "no liquid"):
        assert part in text
    content = droplets()
    content["streams"][0]["contents"][0]["chemical"] = "PbBr3"
    with pytest.raises(OptionError, match="near: PbBr2"):
        flow_of(content)


def test_flow_beyond_the_model_is_refused():
    content = droplets()
    content["streams"][0]["flow"] = "100 mL/min"
    with pytest.raises(ModelRangeError, match="Reynolds"):
        flow_of(content)
    content = copy.deepcopy(TUBE)
    for stream in content["streams"]:
        stream["flow"] = "0.1 nL/min"
    with pytest.raises(ModelRangeError, match="outruns diffusion"):
        flow_of(content)


def test_a_droplet_smaller_than_the_bore_is_flagged():
    flow = flow_of(droplets(droplets={"volume": "10 nL"}), tolerance=1e-3)
    assert any("does not fill the bore" in text for text in flow.warnings)


def test_flasks_and_tubes_are_told_apart():
    with pytest.raises(OptionError, match="no flask"):
        grow_recipe(recipe_of(droplets()))
    text = str(recipe_schema())
    for route in ("droplet", "tube", "hot-injection"):
        assert f"'{route}'" in text


@pytest.mark.slow
def test_the_last_crystals_are_those_of_the_tail():
    """Nearly all nuclei of the cold streams dissolve in the hot tube: two tolerances agree on the rest."""
    content = droplets(observe={"detectors": ["2.9 mm", "7.2 mm", "14 mm"]})
    content["tube"]["zones"] = [{"length": "20 mm", "temperature": "160 degC"}]
    usual, fine = (flow_of(content, tolerance=x).rows() for x in (1e-4, 1e-5))
    for a, b in zip(usual, fine, strict=True):
        assert a["mean_edge_nm"] == pytest.approx(b["mean_edge_nm"], rel=0.02)
        assert a["N_per_m3"] == pytest.approx(b["N_per_m3"], rel=0.03)


def test_detectors_see_light():
    flow = flow_of(droplets(observe={"detectors": ["5 mm", "5 cm"]}, spectra={"plqy": 0.5}))
    seen = flow.spectra(sets="yang2017")
    assert seen.spectrometer.path_mm == 0.5  # the bore
    assert seen.time_s.tolist() == [row["time_s"] for row in flow.rows()]
    peaks = [line["pl_peak_nm"]["yang2017"] for line in seen.lines()]
    assert 420 < peaks[0] < peaks[1] < 540
    assert np.all(seen.pl.sum(axis=2) < 0.5)
