"""`perolux fit-growth`: its contract in JSON, and what it refuses."""

import json

import pytest

from perolux.cli.app import run
from perolux.files import example_path

SIZES = (
    "t_s,mean_edge_nm,sigma_nm,cv,sigma_cv\n60,2.2,0.05,0.20,0.01\n150,3.95,0.05,0.22,0.01\n300,5.62,0.05,,\n"
)


@pytest.fixture
def files(tmp_path):
    text = (example_path("recipes") / "cspbbr3_hot_injection.toml").read_text()
    text = text.replace("180 degC", "25 degC").replace("100 degC", "25 degC").replace("0.125 M", "0.02 M")
    text = text.split('[[events]]\nkind = "cool"')[0] + (
        '[observe]\nuntil = "400 s"\n[kinetics]\nsurface_energy_j_m2 = 0.04\nsolubility_mol_l = 3e-6\n'
    )
    (tmp_path / "recipe.toml").write_text(text)
    (tmp_path / "sizes.csv").write_text(SIZES)
    return str(tmp_path / "recipe.toml"), str(tmp_path / "sizes.csv")


@pytest.mark.slow
def test_it_keeps_its_contract(files, capsys):
    assert run(["fit-growth", *files, "--constants", "surface_rate_m_s", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    one = found["constants"]["surface_rate_m_s"]
    assert one["low95"] < 1e-7 < one["high95"]
    assert found["degrees_of_freedom"] == 4
    assert [row["t_s"] for row in found["rows"]] == [60.0, 150.0, 300.0]
    assert found["posterior"] is None
    assert found["words"][0].startswith("fixed")


@pytest.mark.parametrize(
    ("constants", "words"),
    [("rate", "no kinetic constant"), ("", "one name"), ("a,a", "no kinetic constant")],
)
def test_it_refuses_in_words(files, capsys, constants, words):
    assert run(["fit-growth", *files, "--constants", constants]) == 2
    assert words in capsys.readouterr().err


def test_a_recipe_in_no_flask(files, capsys):
    milling = str(example_path("recipes") / "cspbbr3_milling.toml")
    assert run(["fit-growth", milling, files[1], "--constants", "surface_rate_m_s"]) == 2
    assert "no flask" in capsys.readouterr().err
