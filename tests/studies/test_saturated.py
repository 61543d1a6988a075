"""A saturated line in a study: no number of it anywhere, a reason everywhere, and the others are done."""

import csv
import json

import pytest

from perolux.studies import Run, characterise


def clip(text: str, label: str) -> str:
    """The csv with one column cut at half of its largest value."""
    header, *lines = text.splitlines()
    at = header.split(",").index(label)
    rows = [line.split(",") for line in lines]
    limit = 0.5 * max(float(row[at]) for row in rows)
    for row in rows:
        row[at] = f"{min(float(row[at]), limit):.4f}"
    return "\n".join([header, *(",".join(row) for row in rows)]) + "\n"


def make(folder, small, labels) -> Run:
    study = small.STUDY.replace("figures = []", "") + '\n[absorption]\nfiles = ["uv.csv"]\n'
    file = small.make(folder, study=study, excitons={"a": 2.47, "b": 2.50, "c": 2.75})
    text = (folder / "spectra.csv").read_text()
    for label in labels:
        text = clip(text, label)
    (folder / "spectra.csv").write_text(text)
    return characterise(file, out=folder / "run")


def refuse(constant):
    raise AssertionError(f"{constant} in the JSON")


@pytest.mark.slow
@pytest.mark.parametrize("labels", [("a",), ("a", "b", "c", "extra")])
def test_nothing_of_a_saturated_line_is_shown_as_a_number(tmp_path, small, labels):
    run = make(tmp_path, small, labels)
    rows = json.loads((run.folder / "results.json").read_text(), parse_constant=refuse)
    row = next(row for row in rows if row["label"] == "a")
    assert row["status"] == "failed" and "saturated" in row["flags"]
    for key in ("peak_ev", "fwhm_mev", "peak_nm_no_jacobian", "integrated", "snr"):
        assert row[key] is None and "saturated" in row["reasons"][key]
    assert row.get("cie_x") is None and "saturated" in row["reasons"]["cie_x"]
    assert row.get("size_text") is None and "saturated" in row["reasons"]["size"]
    assert row["first_exciton_ev"] == pytest.approx(2.47, abs=0.02)  # the absorption is not affected
    assert row["stokes_shift_mev"] is None and row["reasons"]["stokes_shift_mev"]

    with (run.folder / "results.csv").open(encoding="utf-8", newline="") as file:
        flat = next(line for line in csv.DictReader(file) if line["label"] == "a")
    assert flat["peak_ev"] == flat["cie_x"] == flat["edge_median_nm"] == flat["screen_colour"] == ""
    assert "nan" not in (run.folder / "results.csv").read_text().lower()

    import pyarrow.parquet as pq

    table = pq.read_table(run.folder / "results.parquet").to_pylist()
    assert next(line for line in table if line["label"] == "a")["fwhm_mev"] is None

    page = run.report.read_text(encoding="utf-8")
    card = page.split('<h3 id="s0-h">a</h3>')[1].split("</article>")[0]
    assert "the detector is saturated" in card and "nan" not in card.lower()
    assert "emission not evaluated" in card
    assert len([one for one in rows if one.get("peak_ev") is not None]) == 4 - len(labels)
