"""`perolux gamut`, `slab`, `lead`, `display`: contracts in JSON, reports, and what they refuse."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from perolux.cli.app import run
from perolux.files import example_path


def answer(capsys, *arguments):
    assert run([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys, *arguments):
    assert run(list(arguments)) == 2
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return captured.err


def test_gamut(capsys):
    found = answer(capsys, "gamut", "KSF6", "G530/22", "G450/20")
    assert found["xy"]["red"] == pytest.approx([0.6963, 0.3036], abs=5e-4)
    assert set(found["gamuts"]) == {"rec2020", "dci-p3", "ntsc", "rec709"}
    rec2020 = found["gamuts"]["rec2020"]
    assert rec2020["xy"]["area_percent"] == pytest.approx(97.3, abs=0.1)
    assert rec2020["upvp"]["coverage_percent"] == pytest.approx(92.2, abs=0.1)
    assert sum(found["d65_power_fractions"].values()) == pytest.approx(1.0)
    assert found["ler_lm_per_w"] == pytest.approx(290.4, abs=1.0)


def test_gamut_without_white(capsys):
    found = answer(capsys, "gamut", "G640/20", "G600/20", "G570/20")
    assert found["d65_power_fractions"] is None and found["ler_lm_per_w"] is None
    assert found["warnings"]


def test_gamut_behind_filters_with_a_picture(capsys, tmp_path):
    picture = tmp_path / "gamut.svg"
    found = answer(
        capsys, "gamut", "KSF6", "G530/20", "G450/20", "--filters", "default", "--out", str(picture)
    )
    assert found["filters"]["throughput"] == pytest.approx(0.2915, abs=2e-4)
    assert picture.read_text().startswith("<?xml")
    assert "Rec.2020" in picture.read_text()
    assert ".png" in refused(capsys, "gamut", "KSF6", "G530/20", "G450/20", "--out", str(tmp_path / "x.gif"))


@pytest.mark.parametrize(
    "arguments",
    [
        ("KSF6", "green", "G450/20"), ("KSF6", "G530/22", "G200/20"), ("KSF6", "InP", "G450/20"),
        ("KSF6", "G530/22", "G450/20", "--white", "0.3"),
        ("KSF6", "G530/22", "G450/20", "--white", "0.9,0.9"),
        ("KSF6", "G530/22", "G450/20", "--filters", "mine"), ("KSF6", "G530/22", "G450/20", "--sigma=-1,1"),
    ],
)  # fmt: skip
def test_gamut_refuses(capsys, arguments):
    refused(capsys, "gamut", *arguments)


def test_slab(capsys):
    found = answer(capsys, "slab", "--n", "1.6", "--optical-depth", "4.60517", "--plqy", "0.95")
    assert found["t_em"] == pytest.approx(0.3526, abs=2e-4)
    assert found["emissions_per_photon"] == pytest.approx(4.1027, abs=1e-3)
    assert set(found["sigma"]) == {"t_blue", "r_blue", "t_em", "r_em", "loss", "emissions_per_photon"}
    assert abs(found["balance"]) < 1e-10
    mono = answer(
        capsys, "slab", "--n", "1", "--optical-depth", "4.60517", "--plqy", "0.9", "--emission-depth", "1"
    )
    assert mono["t_em"] == pytest.approx(0.26545, abs=1e-4)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--n", "1.6", "--optical-depth", "4", "--plqy", "1.2"),
        ("--n", "0.6", "--optical-depth", "4", "--plqy", "0.9"),
        ("--n", "1.6", "--optical-depth", "-4", "--plqy", "0.9"),
        (
            "--n",
            "1.6",
            "--optical-depth",
            "4",
            "--plqy",
            "0.9",
            "--scatter-depth",
            "2",
            "--method",
            "deterministic",
        ),
        ("--n", "1.6", "--optical-depth", "4", "--plqy", "0.9", "--scatter-depth", "-2"),
    ],
)
def test_slab_refuses(capsys, arguments):
    refused(capsys, "slab", *arguments)


def test_lead(capsys):
    found = answer(
        capsys, "lead", "--material", "CsPbBr3", "--host-density", "1.1", "--host-n", "1.5", "--limit-ppm",
        "1000", "--thickness-um", "100",
    )  # fmt: skip
    assert found["nc_volume_fraction"] == pytest.approx(6.37e-4, rel=0.02)
    assert found["absorptance_per_pass"] == pytest.approx(0.219, abs=0.004)
    assert found["wavelength_nm"] == 450.0
    assert run(["lead"]) == 0 and "recycled" in capsys.readouterr().out
    assert "not available" in refused(capsys, "lead", "--material", "FAPbBr3")
    stand_in = answer(capsys, "lead", "--material", "FAPbBr3", "--optical-constants", "MAPbBr3")
    assert any("stand for" in text for text in stand_in["notes"])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["green_film", "green_led"])
def test_display_examples(capsys, tmp_path, name):
    file = example_path("displays") / f"{name}.toml"
    found = answer(capsys, "display", str(file), "--out", str(tmp_path / name))
    assert found["name"]
    page = (tmp_path / name / "report.html").read_text()
    assert page.count("<figure") >= 1 and "What this rests on" in page
    assert json.loads((tmp_path / name / "result.json").read_text())["kind"] == found["kind"]
    rows = list(csv.reader((tmp_path / name / "spectra.csv").read_text().splitlines()))
    assert len(rows) == 402
    assert "something already" in refused(capsys, "display", str(file), "--out", str(tmp_path / name))


@pytest.mark.slow
def test_display_of_pixels(capsys, tmp_path):
    file = example_path("displays") / "pixels.toml"
    found = answer(capsys, "display", str(file), "--out", str(tmp_path / "pixels"))
    assert 0.0 < found["green"]["cross_talk"] < 1.0
    assert found["gain_over_filters"] > 0.0
    page = (tmp_path / "pixels" / "report.html").read_text()
    assert "Ways of photons" in page and "exemption" in page
    assert answer(capsys, "display", str(file))["green"] == found["green"]  # one seed, one answer


def test_search(capsys, tmp_path):
    file = example_path("displays") / "green_film.toml"
    out = tmp_path / "front"
    found = answer(
        capsys, "display", str(file), "--optimise", "--designs", "48", "--workers", "1", "--out", str(out)
    )
    front = found["front"]
    assert found["designs"] == 48 and 1 <= len(front) < 48
    coverage = [one["coverage_percent"] for one in front]
    light = [one["lm_per_electrical_w"] for one in front]
    assert coverage == sorted(coverage) and light == sorted(light, reverse=True)
    assert len((out / "designs.csv").read_text().splitlines()) == 49
    assert (out / "front.svg").exists()


def test_display_refuses(capsys, tmp_path):
    broken = tmp_path / "broken.toml"
    broken.write_text('kind = "film"\n[source]\n[film]\nplqy = 2\nthickness = "1 um"\n')
    told = refused(capsys, "display", str(broken))
    assert "filters decide" in told or "panel" in told
    assert "plqy" in told
    assert "TOML" in refused(capsys, "display", str(example_path("displays") / "red_absorption.csv"))
    refused(capsys, "display", str(tmp_path / "none.toml"))
    led = str(Path(example_path("displays")) / "green_led.toml")
    assert "--optimise" in refused(capsys, "display", led, "--designs", "100")


def test_line(capsys):
    found = answer(capsys, "line", "0.1660,0.7873")
    assert found["center_nm"] == pytest.approx(530.0, abs=0.3)
    assert found["fwhm_nm"] == pytest.approx(22.0, abs=1.0)
    assert answer(capsys, "line", "0.169,0.760", "--peak", "527")["fwhm_nm"] == pytest.approx(35.4, abs=0.1)
    assert "no Gaussian line" in refused(capsys, "line", "0.5,0.1")
    refused(capsys, "line", "3")


def test_volume_of_colours(capsys):
    found = answer(capsys, "gamut", "KSF6", "G530/22", "G450/20", "--volume", "1000")
    assert found["ictcp"]["over_rec2020"] == pytest.approx(1.018, abs=0.002)
