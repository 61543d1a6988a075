"""`perolux grow` of recipes whose crystals are not free in a stirred solution."""

import json

import pytest

from perolux.cli.app import run
from perolux.files import example_path

FOLDER = example_path("recipes")


@pytest.mark.parametrize("name", ["cspbbr3_milling", "mapbbr3_template", "cspbbr3_on_salt"])
@pytest.mark.slow
def test_grow_keeps_its_contract(capsys, name):
    path = str(FOLDER / f"{name}.toml")
    assert run(["grow", path, "--json"]) == 0
    text = capsys.readouterr().out
    assert "NaN" not in text and "Infinity" not in text
    found = json.loads(text)
    assert found["final"] == found["rows"][-1]
    assert set(found["balances"]) >= {"Pb", "Br"}
    assert all(one["error"] < 1e-9 for one in found["balances"].values())
    assert set(found["light"]["fwhm_nm"]) == {"sets", "median", "low95", "high95"}
    assert found["light_missing"] is None
    for key in found["rests_on"]:
        assert run(["explain", key]) == 0
    capsys.readouterr()
    assert run(["grow", path]) == 0
    table = capsys.readouterr().out
    assert "priors, not literature" in table and "emission: " in table


def test_what_belongs_to_a_flask_is_refused(capsys):
    path = str(FOLDER / "cspbbr3_milling.toml")
    assert run(["grow", path, "--tolerance", "1e-3"]) == 2
    assert "tolerance" in capsys.readouterr().err
    assert run(["grow", path, "--times", "3"]) == 2
    assert "[observe]" in capsys.readouterr().err


def test_a_product_without_light_still_grows(capsys, tmp_path):
    """Nobody has measured the gap of MAPbCl3: null with the reason, and the crystals all the same."""
    text = (FOLDER / "cspbbr3_milling.toml").read_text()
    text = text.replace("CsPbBr3", "MAPbCl3").replace("CsBr", "MABr").replace("PbBr2", "PbCl2")
    path = tmp_path / "chloride.toml"
    path.write_text(text)
    assert run(["grow", str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["light"] is None and "gap of MAPbCl3" in found["light_missing"]
    assert found["balances"]["MA"]["left_over_umol"] > 0
    assert any("Br is fed" in one for one in found["warnings"])
    assert run(["grow", str(path)]) == 0
    assert "no emission: " in capsys.readouterr().out
