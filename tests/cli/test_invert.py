"""`perolux invert`: its contract in JSON, the tables, the csv, and what it refuses."""

import csv
import json

import pytest

from perolux.cli.app import run
from perolux.files import example_path

SPECTRUM = str(example_path("antisolvent") / "spectra" / "native_grid" / "308.txt")
USUAL = ["invert", SPECTRUM, "--material", "CsPbBr3", "--kind", "pl"]
ONE = ["--parameter-set", "pssrrl2023", "--line-fwhm-mev", "77"]


@pytest.mark.slow
def test_invert_keeps_its_contract(capsys, tmp_path):
    out = tmp_path / "sizes.csv"
    assert run([*USUAL, *ONE, "--json", "--out", str(out)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["material"] == "CsPbBr3" and found["basis"] == "cubes" and found["temperature_assumed"]
    assert set(found["mean_edge_nm"]) == {"sets", "median", "low95", "high95"} == set(found["cv"])
    one = found["sets"]["pssrrl2023"]
    assert {"gcv", "l_curve", "tikhonov"} == set(one["regularisation"])
    # 495 nm: cubes of about 4 nm under this set
    assert 3.5 < one["mean_edge_nm"]["median"] < 4.5
    for key in found["rests_on"]:
        assert run(["explain", key]) == 0
    rows = list(csv.DictReader(out.read_text("utf-8").splitlines()))
    assert float(rows[0]["edge_nm"]) == 2.0
    area = sum(float(row["density_per_nm"]) * 0.03 * float(row["edge_nm"]) for row in rows)
    assert area == pytest.approx(1.0, abs=0.02)
    assert run([*USUAL, "--out", str(out)]) == 2  # nothing is overwritten


@pytest.mark.slow
def test_invert_prints_tables(capsys):
    assert run([*USUAL, *ONE, "--basis", "both"]) == 0
    shown = capsys.readouterr().out
    for words in ("mean edge (nm)", "GCV", "platelets alone", "electronic-recalled", "Schwarz", "rests on"):
        assert words in shown


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--range-nm", "wide"], "is no range"),
        (["--range-nm", "600,400"], "range_nm"),
        (["--out", "sizes.txt"], "csv"),
        (["--label", "nobody"], "nobody"),
        (["--slit", "-1"], "slit"),
        (["--basis", "rods"], "basis"),
        (["--temperature", "4"], "line_fwhm_mev"),
    ],
)
def test_invert_refuses_in_words(capsys, arguments, words):
    assert run([*USUAL, *arguments]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.slow
def test_a_file_of_many_asks_which(capsys):
    many = str(example_path("antisolvent") / "spectra" / "spectra_counts_wide.csv")
    assert run(["invert", many, "--material", "CsPbBr3", "--kind", "pl"]) == 2
    assert "--label" in capsys.readouterr().err
    assert run(["invert", many, "--material", "CsPbBr3", "--kind", "pl", "--label", "62", *ONE]) == 0
