"""`perolux burst fit` and the instrument of an assembly, through the command line."""

import json

import pytest

from perolux.cli import main
from perolux.files import example_path

SERIES = example_path("bursts") / "simulated" / "amplified_series.csv"
STREAK = """
name = "pair behind a camera"
[lattice]
kind = "chain"
pitch = "12.5 nm"
repeats = [2]
[emitters]
lifetime = "300 ps"
wavelength = "530 nm"
[times]
until = "300 ps"
points = 31
[sampling]
disorder_draws = 1
screening = [0.0]
ablation = false
[instrument]
response = "10 ps"
time_bin = "10 ps"
linewidth = "10 meV"
resolution = "1 nm"
aperture = 0.9
dark = 0.01
"""


def run(capsys, *words):
    code = 0
    try:
        code = main([str(word) for word in words]) or 0
    except SystemExit as end:
        code = end.code
    return code, capsys.readouterr()


@pytest.mark.slow
def test_a_series_as_json_and_as_a_report(tmp_path, capsys):
    out = tmp_path / "page"
    code, said = run(
        capsys, "burst", "fit", SERIES, "--response", "gaussian:4", "--zero=-10,10", "--models",
        "amplified,exponential", "--draws", 60, "--g2", "1.5,0.1", "--out", out, "--json",
    )  # fmt: skip
    record = json.loads(said.out)
    assert code == 0 and record["best"] == "amplified" and record["models"][1]["probability"] < 1e-6
    assert record["data"]["counts"] and "SIMULATED" in record["data"]["said"][0]
    assert {one["kind"] for one in record["priors"]} == {"assumed"}
    assert record["g2"]["hypotheses"][0]["highest"] == 2.0
    page = (out / "report.html").read_text("utf-8")
    assert "Which model" in page and "ln evidence" in page and "proves no coupling" in page
    assert {one.name for one in out.iterdir()} >= {"report.html", "result.json", "traces.csv", "evidence.svg"}


def test_an_image_without_time_and_other_faults(tmp_path, capsys):
    image = tmp_path / "image.csv"
    image.write_text("pixel\\wavelength_nm,500,501\n" + "".join(f"{k},1,2\n" for k in range(9)))
    code, said = run(capsys, "burst", "fit", image, "--response", "gaussian:4")
    assert code == 2 and "axis of time" in said.err
    code, said = run(capsys, "burst", "fit", SERIES, "--response", "gaussian:wide")
    assert code == 2 and "gaussian:FWHM_PS" in said.err
    code, said = run(capsys, "burst", "fit", SERIES, "--response", "gaussian:4", "--zero", "3")
    assert code == 2 and "--zero" in said.err
    code, said = run(capsys, "burst", "fit", SERIES, "--response", "gaussian:4", "--models", "lasing")
    assert code == 2 and "superfluorescence" in said.err


@pytest.mark.slow
def test_an_assembly_before_its_camera(tmp_path, capsys):
    path, out = tmp_path / "pair.toml", tmp_path / "page"
    path.write_text(STREAK)
    code, said = run(capsys, "burst", path, "--out", out, "--json")
    seen = json.loads(said.out)["instrument"]
    assert code == 0 and seen["screening_of_image"] == 0.0
    assert 0.0 < seen["collected"]["independent"] < 0.5
    assert "streak image" in (out / "report.html").read_text("utf-8")
    # what is written can be read, and gives its counts back
    from perolux.measured.streak import read_time_tables

    table = read_time_tables(out / "streak.csv")
    assert table.counts.sum() > 100.0 and table.time_ps[0] == pytest.approx(-15.0)
    assert len(seen["traces"][0]["expected"][0]) == len(table.time_ps)


def test_an_instrument_with_a_word_too_many(tmp_path, capsys):
    path = tmp_path / "pair.toml"
    path.write_text(STREAK + 'colour = "red"\n')
    code, said = run(capsys, "burst", path)
    assert code == 2 and "instrument.colour" in said.err
