"""`perolux grow` of recipes in flow: JSON, table, refusals."""

import json
from pathlib import Path

import pytest

from perolux.cli.app import run
from perolux.files import example_path

DROPLETS = str(example_path("recipes") / "cspbbr3_droplets.toml")


def test_droplets_keep_their_contract(capsys):
    assert run(["grow", DROPLETS, "--tolerance", "1e-3", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["route"] == "droplet"
    assert [row["position_mm"] for row in found["rows"]] == [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0]
    wanted = {"time_s", "time_sd_s", "N_per_m3", "mean_edge_nm", "cv", "c_mol_m3", "yield"}
    assert wanted <= set(found["rows"][0])
    assert found["rows"][0]["droplets"] is None
    assert max(one["error"] for one in found["balances"].values()) < 1e-9
    for key in found["rests_on"]:
        assert run(["explain", key]) == 0


@pytest.mark.parametrize("name", ["cspbbr3_droplets", "cspbbr3_tube"])
def test_a_table_of_detectors(capsys, name):
    assert run(["grow", str(example_path("recipes") / f"{name}.toml"), "--tolerance", "1e-3"]) == 0
    out = capsys.readouterr().out
    assert "x (mm)" in out and "priors, not literature" in out
    assert ("nuclei a droplet" in out) == (name == "cspbbr3_droplets")


def test_single_droplets_are_shown(capsys, tmp_path):
    recipe = tmp_path / "small.toml"
    text = Path(DROPLETS).read_text("utf-8").replace("100 nL", "1e-5 nL")
    text = text.replace("[observe]", "[observe]\ndroplets = 9")
    recipe.write_text(text + "log10_nucleation_prefactor = 20.0\n")
    assert run(["grow", str(recipe), "--tolerance", "1e-3"]) == 0
    assert "single droplets at 100 mm" in capsys.readouterr().out


def test_flow_refuses_in_words(capsys, tmp_path):
    assert run(["grow", DROPLETS, "--times", "3"]) == 2
    assert "detectors" in capsys.readouterr().err
    recipe = tmp_path / "long.toml"
    recipe.write_text(Path(DROPLETS).read_text("utf-8").replace('"10 cm"]', '"11 cm"]'))
    assert run(["grow", str(recipe)]) == 2
    assert "a detector at 110 mm" in capsys.readouterr().err
