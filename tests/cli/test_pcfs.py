"""perolux pcfs: contract, page, refusals."""

import json
import runpy

import pytest

from perolux.cli.app import run
from perolux.files import example_path

FOLDER = example_path("coherence_simulated")


@pytest.mark.slow
def test_the_example(capsys, tmp_path):
    out = tmp_path / "out"
    assert run(["pcfs", str(FOLDER / "pcfs_pairs"), "--out", str(out), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["t2_interval_ps"]["low"] < 66 < found["t2_interval_ps"]["high"]
    assert found["diffusion"]["sd_interval_rad_per_ps"]["low"] < 0.02
    assert found["diffusion"]["sd_interval_rad_per_ps"]["high"] > 0.02
    assert found["simulated"] is True and found["intervals"] == "profile likelihood"
    assert len(found["spectral_correlation"]["zeta_uev"]) == 121
    assert "Simulated data" in (out / "report.html").read_text()
    assert {path.suffix for path in out.iterdir()} == {".html", ".json", ".csv", ".svg"}
    assert run(["pcfs", str(FOLDER / "pcfs_pairs"), "--no-diffusion", "--level", "0.68"]) == 0
    assert "not asked for" in capsys.readouterr().out


@pytest.mark.slow
def test_photons_made_by_the_script_come_back(capsys, tmp_path):
    runpy.run_path(str(FOLDER / "make.py"))["photons"](tmp_path / "set", seconds=4.0, rate_cps=1e4)
    assert run(["pcfs", str(tmp_path / "set"), "--lags", "1e-5,5e-3,8", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["t2_interval_ps"]["low"] < 66 < found["t2_interval_ps"]["high"]
    assert found["positions"] == 13 and "blocks of time" in found["intervals"]


def test_the_script_makes_what_is_shipped(tmp_path):
    runpy.run_path(str(FOLDER / "make.py"))["tables"](tmp_path)
    for path in (*FOLDER.glob("*.csv"), *FOLDER.glob("pcfs_pairs/*")):
        assert (tmp_path / path.relative_to(FOLDER)).read_bytes() == path.read_bytes(), path.name


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["/nowhere"], "no pcfs.toml"),
        ([str(FOLDER / "pcfs_pairs"), "--contrast", "2"], "contrast of 2"),
        ([str(FOLDER / "pcfs_pairs"), "--lags", "1,0"], "rising"),
        ([str(FOLDER / "pcfs_pairs"), "--fringes-per-s", "1000"], "fringes pass within the last lag"),
        ([str(FOLDER / "pcfs_pairs"), "--lines", "0,0.1"], "2 lines, 1 weights"),
        ([str(FOLDER / "pcfs_pairs"), "--replace"], "--out FOLDER"),
    ],
)
def test_refused(arguments, says, capsys):
    assert run(["pcfs", *arguments]) == 2
    assert says in capsys.readouterr().err
