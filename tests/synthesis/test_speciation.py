"""Equilibria: totals, the conditions of the least Gibbs energy, closed forms, order of the phases."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perolux.errors import OptionError
from perolux.materials.chemicals import chemicals
from perolux.synthesis.kinetics import prior_constants
from perolux.synthesis.phases import equilibrium_totals, phase_names
from perolux.synthesis.speciation import COMPONENTS, _file, equilibrium_records, speciate

HOLDS = {f"free {j}": {j: 1} for j in COMPONENTS} | {row["name"]: row["holds"] for row in _file()["complex"]}
SOLIDS = {
    "APbX3": {"A": 1, "Pb": 1, "X": 3},
    "A4PbX6": {"A": 4, "Pb": 1, "X": 6},
    "AX": {"A": 1, "X": 1},
    "PbX2": {"Pb": 1, "X": 2},
}


def feeds(count, seed, decades=(-6.0, 0.0), missing=0.0):
    rng = np.random.default_rng(seed)
    return {j: 10 ** rng.uniform(*decades, count) * (rng.random(count) >= missing) for j in COMPONENTS}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("decades", "missing"), [((-6.0, 0.0), 0.0), ((-6.0, 0.0), 0.2), ((-12.0, 1.0), 0.0)]
)
def test_totals_of_ten_thousand_feeds(decades, missing):
    totals = feeds(10_000, 7, decades, missing)
    temperature = np.random.default_rng(8).uniform(270.0, 480.0, 10_000)
    found = speciate(totals, temperature_k=temperature)
    assert found.total_error.max() < 1e-12
    for j in COMPONENTS:
        parts = [held.get(j, 0) * found.species[name] for name, held in HOLDS.items()]
        parts += [held.get(j, 0) * found.solids[name] for name, held in SOLIDS.items()]
        assert sum(parts) == pytest.approx(totals[j], rel=1e-12, abs=0.0)


def test_conditions_of_the_least_gibbs_energy():
    """Mass action for every complex; a solid is there, or not supersaturated: enough, for it is convex."""
    totals = feeds(2000, 3)
    found = speciate(totals)
    own = {name: value.number for name, value in equilibrium_records().items()}
    own["PbX2[complexant]"] = own["PbX2"] - np.log10(prior_constants().topo_dissociation_mol_l)
    log = {j: np.log10(found.species[f"free {j}"]) for j in COMPONENTS}
    for name, held in HOLDS.items():
        expected = own.get(name, 0.0) + sum(n * log[j] for j, n in held.items())
        assert np.log10(found.species[name]) == pytest.approx(expected, abs=1e-10)
    seen = 0
    for name in SOLIDS:
        there = found.solids[name] > 0
        assert found.supersaturation[name][there] == pytest.approx(1.0, abs=1e-9)
        assert np.all(found.supersaturation[name] < 1.0 + 1e-9)
        seen += there.sum()
    assert seen > 200


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-6.0, 0.0), min_size=8, max_size=8), st.floats(270.0, 480.0), st.floats(0.0, 1.0))
def test_any_feed_with_any_antisolvent(logs, temperature, antisolvent):
    totals = {j: 10.0**x for j, x in zip(COMPONENTS, logs, strict=True)}
    found = speciate(totals, temperature_k=temperature, antisolvent_fraction=antisolvent)
    assert float(found.total_error) < 1e-12


def weak():
    """Constants with which nothing associates."""
    return {row["name"]: -30.0 for row in _file()["complex"]}


def test_a_lone_solid_dissolves_to_its_solubility():
    constants = prior_constants()
    for temperature, antisolvent in ((298.15, 0.0), (400.0, 0.0), (298.15, 0.3)):
        found = speciate(
            {"A": 1.0, "Pb": 1.0, "X": 3.0},
            temperature_k=temperature,
            antisolvent_fraction=antisolvent,
            log10_k=weak(),
        )
        c = float(constants.solubility_mol_m3(temperature, antisolvent)) * 1e-3
        assert float(found.species["free Pb"]) == pytest.approx(c, rel=1e-9)
        assert float(found.solids["APbX3"]) == pytest.approx(1.0 - c, rel=1e-9)


def test_one_complex_has_its_closed_form():
    """P <=> Pb + anion: x^2 + (T0 + K) x - K P = 0, with all else apart (A14)."""
    lead, excess, log_k = 0.01, 0.02, 3.0
    found = speciate({"Pb": lead, "anion": lead + excess}, log10_k=weak() | {"Pb(anion)+": log_k})
    k = 10**-log_k
    b = excess + k
    x = 2 * k * lead / (b + np.sqrt(b * b + 4 * k * lead))
    assert float(found.species["free Pb"]) == pytest.approx(x, rel=1e-10)


def test_more_cesium_gives_the_solids_in_turn():
    """10.1039/d2nr04102b: CsPbBr3, Cs4PbBr6, CsBr."""
    ratio = np.geomspace(0.5, 100.0, 60)
    found = speciate({"A": 0.01 * ratio, "Pb": 0.01, "X": 0.01 * (2 + ratio)})
    first = [ratio[np.flatnonzero(found.solids[name] > 0)[0]] for name in ("APbX3", "A4PbX6", "AX")]
    assert all(a < b for a, b in itertools.pairwise(first))


def test_formamidinium_has_no_lead_poor_solid():
    feed = {"A": 0.3, "Pb": 0.01, "X": 0.32}
    assert float(speciate(feed).solids["A4PbX6"]) > 0
    assert float(speciate(feed, cation="FA").solids["A4PbX6"]) == 0


def test_nothing_and_missing_ions():
    found = speciate({"A": [0.0, 0.1], "X": [0.0, 0.1]})
    assert found.total_error.tolist() == [0.0, pytest.approx(0.0, abs=1e-12)]
    assert np.isnan(found.supersaturation["APbX3"]).all()
    assert found.share("APbX3").tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("totals", "options", "words"),
    [
        ({"lead": 1.0}, {}, "no component is called 'lead'"),
        ({"proton": -0.1, "Pb": 1.0}, {}, "proton"),
        ({"Pb": np.nan}, {}, "Pb"),
        ({"Pb": 1.0}, {"log10_k": {"PbX7": 1.0}}, "no equilibrium is called 'PbX7'"),
    ],
)
def test_wrong_input(totals, options, words):
    with pytest.raises(OptionError, match=words):
        speciate(totals, **options)


def test_every_chemical_brings_neutral_totals():
    charge = {"A": 1, "Pb": 2, "X": -1, "anion": -1, "proton": 1, "quaternary": 1}
    for name, one in chemicals().items():
        totals = equilibrium_totals({name: 1.0})
        assert sum(charge.get(j, 0) * float(b) for j, b in totals.items()) == 0, name
        assert one.role != "salt" or any(totals.values())


def test_names_of_the_solids():
    assert phase_names("CsPbBr3")["A4PbX6"] == "Cs4PbBr6"
    assert phase_names("CsPb(Br0.5I0.5)3")["PbX2"] == "PbX2"
    assert phase_names("FAPbI3")["AX"] == "FAI"
