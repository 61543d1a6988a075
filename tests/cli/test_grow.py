"""`perolux grow`: its contract in JSON, the table, and what it refuses."""

import json

import pytest

from perolux.cli.app import run
from perolux.files import example_path

CASE = str(example_path("kinetic_cases") / "batch.json")


def test_grow_keeps_its_contract(capsys):
    assert run(["grow", CASE, "--times", "10,60,300", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["t_s"] for row in found["rows"]] == [10.0, 60.0, 300.0]
    assert {"N_per_m3", "mean_diameter_nm", "cv", "c_mol_m3"} <= set(found["rows"][0])
    assert found["mass_error"] < 1e-12
    assert found["rows"][2]["mean_diameter_nm"] == pytest.approx(4.029689, rel=1e-3)


def test_grow_prints_a_table(capsys):
    assert run(["grow", CASE, "--times", "60"]) == 0
    assert "mean diameter (nm)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--times", "60,10"], "do not rise"),
        (["--times", "soon"], "is no time"),
        (["--engine", "magic"], "engine"),
        (["--tolerance", "2"], "tolerance"),
    ],
)
def test_grow_refuses_in_words(capsys, arguments, words):
    assert run(["grow", CASE, *arguments]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.slow
def test_grow_carries_out_a_recipe(capsys):
    recipe = str(example_path("recipes") / "cspbbr3_hot_injection.toml")
    assert run(["grow", recipe, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["final"]["yield"] > 0.9
    assert set(found["balances"]) == {"Pb", "Br", "Cs"}
    assert found["kinetics_given"] == ["surface_energy_j_m2", "solubility_mol_l", "surface_rate_m_s"]
    for key in found["rests_on"]:
        assert run(["explain", key]) == 0
    capsys.readouterr()
    assert run(["grow", recipe]) == 0
    assert "priors, not literature" in capsys.readouterr().out
    assert run(["grow", recipe, "--times", "3"]) == 2


def test_grow_of_a_missing_file(capsys):
    assert run(["grow", "nothing.json", "--json"]) == 2
    assert "could not read" in json.loads(capsys.readouterr().out)["error"]["problems"][0]["what"]
