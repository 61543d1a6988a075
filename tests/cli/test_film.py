"""`perolux film`: numbers, JSON, errors."""

from __future__ import annotations

import json

import pytest

from perolux.cli.app import run as run_command


def run(capsys, *arguments):
    code = run_command(["film", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_fraction_gives_thickness(capsys):
    code, out, _ = run(capsys, "--fraction", "0.3", "--json")
    found = json.loads(out)
    assert code == 0
    rule = found["rules"]["maxwell-garnett"]
    assert rule["thickness_um_for_od"] == pytest.approx(3.757, abs=2e-3)
    assert rule["od"] is None and "od" in found["reasons"]
    assert found["rules"]["bruggeman"]["thickness_um_for_od"] < rule["thickness_um_for_od"]


def test_thickness_gives_fraction(capsys):
    code, out, _ = run(capsys, "CsPbBr3", "--thickness", "3", "--edge", "8.5", "--ligand", "1", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["rules"]["maxwell-garnett"]["fraction"] == pytest.approx(0.37, abs=0.005)
    assert found["rules"]["maxwell-garnett"]["od"] == pytest.approx(2.0, rel=1e-9)
    assert found["densest_fraction"] == pytest.approx(0.5305, abs=1e-4)
    assert run(capsys, "--thickness", "3")[0] == 0  # the table


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "neither a fraction nor a thickness"),
        (("--fraction", "0.6", "--edge", "8.5", "--ligand", "1.5"), "cannot be packed"),
        (("--fraction", "0.3", "--edge", "8.5"), "an edge without ligands"),
        (("--fraction", "0.3", "--host", "glue"), "no host 'glue'"),
        (("FAPbBr3", "--fraction", "0.3"), "not available"),
    ],
)
def test_errors_say_what_is_wrong(capsys, arguments, says):
    code, _, err = run(capsys, *arguments)
    assert code == 2 and says in err
