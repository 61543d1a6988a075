"""`perolux hom`: its contract in JSON, and what it refuses."""

import json

import pytest

from perolux.cli.app import run


def answer(capsys, *arguments):
    assert run(["hom", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_visibility(capsys):
    assert answer(capsys, "--t1", "100", "--t2", "112")["visibility"] == pytest.approx(0.56, abs=1e-12)
    gated = answer(capsys, "--t1", "100", "--t2", "112", "--gate", "10")
    assert gated["visibility"] == pytest.approx(0.9623529125, abs=1e-9)
    spread = answer(capsys, "--t1", "100", "--t2", "112", "--detuning-spread", "0.01")
    assert spread["visibility"] == pytest.approx(0.4576976926, abs=1e-9)


def test_back(capsys):
    found = answer(capsys, "--t1", "100", "--visibility", "0.56")
    assert found["t2_ps"] == pytest.approx(112.0)
    assert found["pure_dephasing_time_ps"] == pytest.approx(254.5454545)
    perfect = answer(capsys, "--t1", "100", "--visibility", "1")
    assert perfect["pure_dephasing_time_ps"] is None and perfect["reason"]


def test_wanted(capsys):
    found = answer(
        capsys, "--t1", "100", "--visibility", "0.56", "--wanted", "0.9", "--wavelength", "515",
        "--temperature", "4",
    )["wanted"]  # fmt: skip
    assert found["cavity"]["enhancement"] == pytest.approx(7.0714, abs=1e-3)
    assert found["cavity"]["verdict"] == "weak coupling"
    assert 0.5 < found["temperature"]["temperature_k"] < 0.6
    bare = answer(capsys, "--t1", "100", "--visibility", "0.56", "--wanted", "0.9")["wanted"]
    assert bare["temperature"]["temperature_k"] is None and bare["temperature"]["reason"]
    assert bare["cavity"]["coupling_over_loss"] is None


def test_words(capsys):
    assert run(["hom", "--t1", "100", "--t2", "112", "--wanted", "0.9"]) == 0
    said = capsys.readouterr().out
    assert "0.56" in said and "weak coupling not checked" in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--t1", "100"], "neither"),
        (["--t1", "100", "--t2", "50", "--visibility", "0.5"], "one of the two"),
        (["--t1", "100", "--t2", "300"], "at most 2 T1"),
        (["--t1", "100", "--visibility", "56"], "per cent"),
        (["--t1", "nan", "--visibility", "0.5"], "not positive"),
    ],
)
def test_refused(arguments, says, capsys):
    assert run(["hom", *arguments]) == 2
    assert says in capsys.readouterr().err
