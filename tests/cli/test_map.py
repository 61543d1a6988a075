"""`perolux map` and `perolux grow --uncertainty`: contracts in JSON, tables, refusals, exit codes."""

import json

import pytest

from perolux.cli.app import run
from perolux.files import example_path

ANTISOLVENT = str(example_path("recipes") / "cspbbr3_antisolvent.toml")
CASE = str(example_path("kinetic_cases") / "batch.json")


def test_map_keeps_its_contract(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = ["map", ANTISOLVENT, "--vary", "vessel.temperature=20,30 degC", "--json"]
    assert run(arguments) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["folder"].startswith("runs/map-CsPbBr3-by-antisolvent-")
    assert found["points"] == found["computed"] == 2
    assert found["summary"]["statuses"] == {"grown": 2}
    edge = found["summary"]["numbers"]["mean_edge_nm"]["largest"]
    assert edge["at"].keys() == {"vessel.temperature (degC)"}
    for one in found["rests_on"]:
        assert run(["explain", one["key"]]) == 0
    capsys.readouterr()
    assert run(arguments[:-1]) == 0
    shown = capsys.readouterr().out
    assert "2 points, 0 computed now" in shown and "priors, not literature" in shown


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "nothing is varied"),
        (["--vary", "vessel.temp=1..2 degC:3"], "a number of this recipe"),
        (["--vary", "vessel.temperature=20..30 degC:3", "--seed", "1"], "--sample"),
        (["--vary", "vessel.temperature=20..30 degC:3", "--jobs", "many"], "jobs"),
    ],
)
def test_map_refuses_in_words(capsys, tmp_path, arguments, words):
    assert run(["map", ANTISOLVENT, *arguments, "--out", str(tmp_path / "out")]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_map_interrupted(capsys, tmp_path, monkeypatch):
    from perolux.studies import recipe_map

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(recipe_map, "row_of", interrupted)
    arguments = ["map", ANTISOLVENT, "--vary", "vessel.temperature=20,30 degC", "--out", str(tmp_path / "o")]
    assert run(arguments) == 130
    assert "0 of 2 recipes are kept" in capsys.readouterr().err


@pytest.mark.slow
def test_uncertainty_keeps_its_contract(capsys):
    assert run(["grow", ANTISOLVENT, "--uncertainty", "40", "--seed", "3", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    spread = found["uncertainty"]
    assert (spread["draws"], spread["seed"], spread["failed"]["draws"]) == (40, 3, 0)
    assert set(spread["quantities"]) == {"mean_edge_nm", "cv", "N_per_m3", "yield", "time_to_90_percent_s"}
    assert {"median", "low95", "high95", "draws", "reason"} == set(spread["quantities"]["cv"])
    assert {one["prior"] for one in spread["matters"]} == set(found["rests_on"]) == set(spread["drawn"])
    sizes = [abs(one["rank_correlation"]) for one in spread["matters"]]
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.slow
def test_uncertainty_prints_its_tables(capsys):
    assert run(["grow", ANTISOLVENT, "--uncertainty", "40"]) == 0
    shown = capsys.readouterr().out
    for words in ("40 draws from the priors (seed 0)", "no crystals: 0 of 40", "rank correlation"):
        assert words in shown


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([ANTISOLVENT, "--uncertainty", "10"], "40 to 10000"),
        ([ANTISOLVENT, "--uncertainty", "50", "60"], "one, e.g. 200"),
        ([ANTISOLVENT, "--seed", "1"], "give --uncertainty"),
        ([CASE, "--uncertainty"], "has no priors"),
    ],
)
def test_uncertainty_refuses_in_words(capsys, arguments, words):
    assert run(["grow", *arguments]) == 2
    assert words in capsys.readouterr().err
