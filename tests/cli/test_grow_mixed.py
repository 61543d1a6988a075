"""`perolux grow` of mixed halides in droplets: JSON, table, refusals."""

import json

import pytest

from perolux.cli.app import run
from perolux.files import example_path

MIXED = str(example_path("recipes") / "cspbbri3_droplets.toml")


@pytest.mark.slow
def test_json_keeps_its_contract(capsys):
    assert run(["grow", MIXED, "--tolerance", "1e-3", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["fraction_of"] == "I" and found["fraction_fed"] == pytest.approx(0.5)
    wanted = {"mean_edge_nm", "cv", "mean_fraction", "fraction_sd", "families", "pl_bands_nm", "pl_bands"}
    assert wanted <= set(found["rows"][0])
    bands = [set(row["pl_bands"].values()) for row in found["rows"]]
    assert bands[0] == {2} and bands[-1] == {1}
    assert set(found["rows"][0]["families"]) == {"CsPbBr3", "CsPbI3"}
    assert max(one["error"] for one in found["balances"].values()) < 1e-9
    for key in found["rests_on"]:
        assert run(["explain", key]) == 0, key


@pytest.mark.slow
def test_a_table_with_bands(capsys):
    assert run(["grow", MIXED, "--tolerance", "1e-3"]) == 0
    out = capsys.readouterr().out
    assert "PL bands (nm)" in out and " + " in out and "put in, not found" in out


def test_no_emission_is_said(capsys, tmp_path):
    text = (example_path("recipes") / "cspbbri3_droplets.toml").read_text("utf-8")
    recipe = tmp_path / "gap.toml"
    recipe.write_text(text.replace("PbBr2", "PbCl2").replace("CsPb(Br,I)3", "CsPb(Cl,I)3"))
    assert run(["grow", str(recipe), "--tolerance", "1e-3"]) == 0
    out = capsys.readouterr().out
    assert "no emission" in out and "miscibility gap" in out


def test_refusals(capsys, tmp_path):
    assert run(["grow", MIXED, "--out", str(tmp_path / "x")]) == 2
    assert run(["grow", MIXED, "--uncertainty", "50"]) == 2
    assert (
        run(["map", MIXED, "--vary", "kinetics.surface_energy_j_m2=0.03..0.04:3", "--out", str(tmp_path)])
        == 2
    )
    err = capsys.readouterr().err
    assert "Traceback" not in err and "droplet" in err
