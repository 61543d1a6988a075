"""perolux hom FILES: contract, page, refusals."""

import json

import pytest

from perolux.cli.app import run
from perolux.files import example_path

FOLDER = example_path("coherence_simulated")
ONE, TWO = str(FOLDER / "hom_parallel.csv"), str(FOLDER / "hom_orthogonal.csv")
KNOWN = ["--delay", "3", "--blur", "0.05", "--g2", "0.05", "--splitter", "0.47,0.53", "--contrast", "0.97"]


@pytest.mark.slow
def test_the_example(capsys, tmp_path):
    assert run(["hom", ONE, TWO, *KNOWN, "--out", str(tmp_path / "out"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    told, emitter = found["visibility"], found["emitter"]
    assert told["interval"]["low"] < 0.56 < told["interval"]["high"]
    assert "2 g2" in told["correction"]["words"] and told["correction"]["factor"] == pytest.approx(
        1.17677, abs=1e-4
    )
    assert emitter["t1_interval_ps"]["low"] < 280 < emitter["t1_interval_ps"]["high"]
    assert emitter["t2_interval_ps"]["low"] < 313.6 < emitter["t2_interval_ps"]["high"]
    assert [one["order"] for one in found["peaks"]["parallel"]] == [-2, -1, 0, 1, 2]
    assert found["reference"] == "orthogonal histogram" and not found["warnings"]
    page = (tmp_path / "out" / "report.html").read_text()
    assert "The correction used" in page and 'src="http' not in page and "<script" not in page
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"report.html", "result.json", "hom.svg", "middle_peak.svg", "histograms.csv"}
    assert run(["hom", ONE, TWO, *KNOWN, "--out", str(tmp_path / "out")]) == 2
    assert "already" in capsys.readouterr().err


@pytest.mark.slow
def test_one_file_with_both_and_words(capsys):
    assert run(["hom", str(FOLDER / "hom_both.csv"), "--delay", "3", "--level", "0.68"]) == 0
    said = capsys.readouterr().out
    assert "coherence time T2" in said and "Assumed: detectors without jitter" in said and "68%" in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([ONE, TWO], "delay of the interferometer is not given"),
        ([ONE, "--delay", "3"], "orthogonal polarisation is missing"),
        ([ONE, TWO, "--delay", "3", "--reference", "side-peaks"], "two references"),
        ([ONE, TWO, "--delay", "2"], "--delay"),
        ([ONE, TWO, "--delay", "3", "--zero", "0.9"], "--zero moved"),
        ([ONE, ONE, "--delay", "3"], "the same, byte by byte"),
        ([ONE, TWO, "--delay", "3", "--t1", "100"], "beside measured histograms"),
        ([ONE, TWO, "--delay", "3", "--splitter", "0.7,0.7"], "sum up to 1"),
        ([ONE, TWO, "--delay", "3", "--curves", "1,2"], "no numbered curves"),
        ([ONE, TWO, "--delay", "3", "--lines", "0,0.02", "--weights", "1"], "2 lines, 1 weights"),
        ([ONE, TWO, "--delay", "3", "--fit-spread", "--detuning-spread", "0.01"], "held and fitted"),
        (["--t1", "100", "--t2", "112", "--delay", "3"], "no file"),
        (["--t2", "112"], "neither a lifetime nor"),
        (["/nowhere.csv", "--delay", "3"], "no such file"),
    ],
)
def test_refused(arguments, says, capsys):
    assert run(["hom", *arguments]) == 2
    assert says in capsys.readouterr().err
