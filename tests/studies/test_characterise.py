"""The main job on a small study: rows, joins, files, failures of single samples, and refusals."""

import csv
import json
import math
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest

from perolux.errors import InputError, OptionError, OutputError
from perolux.studies import Run, characterise, load_study
from perolux.studies import sample as sample_module

FILES = {
    "run.json",
    "results.csv",
    "results.json",
    "results.parquet",
    "spectra.nc",
    "report.html",
    "README.txt",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory, small):
    folder = tmp_path_factory.mktemp("small")
    return characterise(small.make(folder / "in"), folder / "out")


def test_every_spectrum_and_every_recipe_is_a_row(run):
    assert [row["label"] for row in run] == ["a", "b", "c", "extra", "lonely"]
    assert run["extra"]["flags"].count("no-recipe") == 1 and run["extra"]["recipe"] is None
    assert run["lonely"]["status"] == "no-spectrum" and run["lonely"]["plqy"] == 0.1
    assert run["lonely"]["reasons"]["peak_ev"]
    assert run.record["counts"] == {
        "samples": 5,
        "spectra": 4,
        "characterised": 4,
        "failed": 0,
        "with recipe and spectrum": 3,
        "without recipe": 1,
        "without spectrum": 1,
    }


def test_peaks_and_widths_are_those_put_in(run):
    # noise of 30 counts on a band of about 1e4: 1 meV is about five standard deviations of either number
    for label, peak_ev, fwhm_mev in (("a", 2.42, 85.0), ("b", 2.45, 95.0), ("c", 2.70, 90.0)):
        assert run[label]["peak_ev"] == pytest.approx(peak_ev, abs=1e-3)
        assert run[label]["fwhm_mev"] == pytest.approx(fwhm_mev, abs=1.0)


def test_recipe_variables_ratios_and_what_was_not_measured(run):
    assert run["a"]["recipe"] == {
        "recipe: volume [uL]": 100.0,
        "recipe: lead": 2.0,
        "recipe: solvent": "MeOH",
        "recipe: volume : lead": 50.0,
    }
    assert run["a"]["plqy"] == 0.5
    assert run["b"]["plqy"] is None  # the table's 0 stands for "not measured"
    assert run["c"]["recipe"]["recipe: volume : lead"] is None  # division by zero is no number


def test_sizes_with_their_kind_and_sets(run):
    row = run["a"]
    assert row["edge_kind"] in ("interval", "lower-bound")
    assert row["edge_low95_nm"] < row["edge_median_nm"]
    assert set(row["size"]["sets"]) and 0 <= row["platelet_weight"] <= 1
    assert run["c"]["platelet_weight"] > run["a"]["platelet_weight"]


def test_the_folder_holds_all_files_and_nothing_else(run):
    assert {entry.name for entry in run.folder.iterdir()} == FILES
    assert run.report.stat().st_size > 10_000


def test_tables_agree_and_missing_is_empty(run):
    with (run.folder / "results.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    table = run.table
    assert [row["label"] for row in rows] == list(table["label"]) == [row["label"] for row in run]
    for row, full in zip(rows, run, strict=True):
        assert "nan" not in {cell.lower() for cell in row.values()}
        peak = full.get("peak_ev")
        assert row["peak_ev"] == ("" if peak is None else f"{peak:.10g}")
    import pyarrow.parquet as pq

    columns = pq.read_table(run.folder / "results.parquet")
    assert columns.column("peak_ev").null_count == 1
    assert columns.schema.field("peak_ev").metadata[b"unit"] == b"eV"
    named = {column["name"] for column in run.record["columns"]}
    assert named == set(rows[0]) == set(columns.column_names)
    assert all(column["meaning"] for column in run.record["columns"])


def test_curves_can_be_read_by_anyone(run):
    import xarray as xr

    with xr.open_dataset(run.folder / "spectra.nc", engine="h5netcdf") as data:
        assert data["wavelength_0"].attrs["units"] == "nm"
        assert list(data["sample_0"].values) == ["a", "b", "c", "extra"]
        difference = data["recorded_0"] - data["corrected_0"]
        # the baseline is one number a spectrum
        assert float(np.ptp(difference.values, axis=1).max()) == pytest.approx(0.0, abs=1e-6)
        misfit = np.abs(data["fit_0"] - data["recorded_0"]).max() / data["recorded_0"].max()
        assert float(misfit) < 0.02  # the bands are Gaussians in energy, with 0.3 % noise
        area = np.trapezoid(data["edge_density"].values[0], data["edge"].values)
        assert area == pytest.approx(1.0, abs=1e-2)


def test_the_record_names_inputs_numbers_and_no_path_of_the_machine(run):
    record, home = run.record, str(run.folder.parent)
    assert [entry["file"] for entry in record["inputs"]] == ["spectra.csv", "recipes.csv"]
    assert all(len(entry["sha256"]) == 64 for entry in record["inputs"])
    assert home not in json.dumps(record)
    keys = {value["key"]: value for value in record["values"]}
    assert keys["study.temperature_k"]["kind"] == "assumed"
    assert set(record["parameter_keys"]) == set(keys)
    assert {value["kind"] for value in run.assumed} <= {"assumed", "recalled"} and run.assumed
    for name in ("report.html", "results.csv", "results.json"):
        assert home not in (run.folder / name).read_text("utf-8")


def test_a_given_temperature_is_no_assumption(tmp_path, small):
    text = small.STUDY.replace('material = "CsPbBr3"', 'material = "CsPbBr3"\ntemperature_k = 300.0')
    run = characterise(small.make(tmp_path / "in", study=text), tmp_path / "out")
    assert "study.temperature_k" not in run.record["parameter_keys"]


def test_without_a_material_there_is_no_size_but_a_reason(tmp_path, small):
    text = small.STUDY.replace('material = "CsPbBr3"', "")
    run = characterise(small.make(tmp_path / "in", study=text), tmp_path / "out")
    assert run["a"].get("size") is None and run["a"]["reasons"]["size"] == "the study names no material"
    assert run["a"]["peak_ev"] is not None and not run.record["values"]


def test_a_study_without_recipes(tmp_path, small):
    text = small.STUDY[: small.STUDY.index("[samples]")] + "[report]\nfigures = []\n"
    run = characterise(small.make(tmp_path / "in", study=text), tmp_path / "out")
    assert len(run) == 4 and all("no-recipe" not in row["flags"] for row in run)


def test_one_bad_file_and_one_bad_spectrum_do_not_stop_the_others(tmp_path, small):
    text = small.STUDY.replace('["spectra.csv"]', '["spectra.csv", "broken.csv", "flat.csv"]')
    path = small.make(tmp_path / "in", study=text)
    (tmp_path / "in" / "broken.csv").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
    flat = "\n".join(f"{nm},7" for nm in range(400, 601))
    (tmp_path / "in" / "flat.csv").write_text("wavelength_nm,flat\n" + flat + "\n")
    run = characterise(path, tmp_path / "out")
    assert run["a"]["peak_ev"] is not None
    assert run["flat"]["status"] == "failed" and run["flat"]["reasons"]["peak_ev"]
    (failed,) = run.record["failed_files"]
    assert failed["file"] == "broken.csv" and failed["problems"][0]["what"]
    assert "broken.csv" in run.report.read_text("utf-8")


def test_a_bug_in_one_sample_is_shown_and_the_others_are_done(tmp_path, small, monkeypatch):
    honest = sample_module._describe_line

    def buggy(spectrum, *rest):
        if spectrum.label == "b":
            raise ZeroDivisionError("division by zero")
        honest(spectrum, *rest)

    monkeypatch.setattr(sample_module, "_describe_line", buggy)
    run = characterise(small.make(tmp_path / "in"), tmp_path / "out")
    assert run["b"]["status"] == "failed" and "program-error" in run["b"]["flags"]
    assert "ZeroDivisionError" in run["b"]["reasons"]["peak_ev"]
    assert run["a"]["status"] == "ok"


def test_a_peak_below_the_bulk_is_said_with_its_size(tmp_path, small):
    run = characterise(
        small.make(tmp_path / "in", bands={"a": (2.25, 85.0), "b": (2.42, 85.0)}), tmp_path / "out"
    )
    row = run["a"]
    assert row["status"] == "flagged" and "below-bulk" in row["flags"]
    assert "no size explains" in row["size_text"] and "no size explains" in row["reasons"]["edge_high95_nm"]
    card = run.report.read_text(encoding="utf-8").split(">a</h3>")[1].split("</article>")[0]
    assert "below bulk" in card and "no size explains" in card
    assert "below-bulk" not in run["b"]["flags"]


def test_copies_and_repeated_names_are_flagged(tmp_path, small):
    bands = {"a": (2.42, 85.0), "b": (2.45, 95.0)}
    text = small.STUDY.replace('["spectra.csv"]', '["spectra.csv", "more.csv"]')
    recipes = small.RECIPES + "b,1,1,MeOH,0.2\n"
    path = small.make(tmp_path / "in", study=text, recipes=recipes, bands=bands)
    lines = [line.split(",") for line in (tmp_path / "in" / "spectra.csv").read_text().splitlines()]
    scaled = [f"{row[0]},{2 * float(row[1]):.4f},{row[2]}1" for row in lines[1:]]
    (tmp_path / "in" / "more.csv").write_text("wavelength_nm,a,other\n" + "\n".join(scaled) + "\n")
    run = characterise(path, tmp_path / "out")
    assert {"a (1)", "a (2)", "b"} <= {row["label"] for row in run}
    assert {"duplicate-label", "identical-spectrum"} <= set(run["a (1)"]["flags"])
    assert run["a (2)"]["identical_to"] == ["a (1)"]  # the name under which that row stands
    assert run["other"]["identical_to"] == ["b"] and "no-recipe" in run["other"]["flags"]
    assert "ambiguous-recipe" in run["b"]["flags"] and run["b"]["recipe"] is None


def test_identical_to_is_a_list_and_a_text_in_the_tables(tmp_path, small):
    path = small.make(tmp_path / "in", bands={"a": (2.42, 85.0), "30 s": (2.45, 95.0)})
    spectra = tmp_path / "in" / "spectra.csv"
    lines = [line.split(",") for line in spectra.read_text().splitlines()]
    copies = [lines[0] + ["x 1", "x 2"], *([*line, line[1], line[1]] for line in lines[1:])]
    spectra.write_text("\n".join(",".join(line) for line in copies) + "\n")
    run = characterise(path, tmp_path / "out")
    rows = {row["label"]: row for row in json.loads((run.folder / "results.json").read_text())}
    assert rows["a"]["identical_to"] == ["x 1", "x 2"] and rows["30 s"]["identical_to"] == []
    with (run.folder / "results.csv").open(encoding="utf-8", newline="") as file:
        flat = {line["label"]: line["identical_to"] for line in csv.DictReader(file)}
    assert flat["a"] == "x 1; x 2" and flat["30 s"] == ""
    assert "point by point that of x 1, x 2" in run.report.read_text(encoding="utf-8")


def test_no_recipe_is_lost_where_a_name_has_several(tmp_path, small):
    recipes = small.RECIPES + "b,1,1,MeOH,0.2\nlonely,500,1,MeOH,\n,600,1,MeOH,\n"
    run = characterise(small.make(tmp_path / "in", recipes=recipes), tmp_path / "out")
    row = run["b"]
    assert row["recipe"] is None and row["plqy"] is None and "ambiguous-recipe" in row["flags"]
    assert [one["line"] for one in row["candidate_recipes"]] == [3, 6]  # lines of the file, header included
    assert [one["plqy"] for one in row["candidate_recipes"]] == [None, 0.2]
    assert [one["recipe"]["recipe: volume [uL]"] for one in row["candidate_recipes"]] == [200.0, 1.0]
    assert [one["recipe"]["recipe: volume : lead"] for one in row["candidate_recipes"]] == [50.0, 1.0]
    assert run["a"]["candidate_recipes"] == []

    with (run.folder / "results.csv").open(encoding="utf-8", newline="") as file:
        flat = {line["label"]: line["candidate_recipes"] for line in csv.DictReader(file)}
    assert flat["a"] == "" and "line 3: volume [uL] = 200" in flat["b"] and "line 6:" in flat["b"]
    page = run.report.read_text(encoding="utf-8")
    card = page.split(">b</h3>")[1].split("</article>")[0]
    assert "Recipe, line 3?" in card and "volume 200 uL" in card
    assert "Recipe, line 6?" in card and "PLQY 0.200" in card
    assert run.record["counts"]["with several recipes, none used"] == 1

    # two recipes without a spectrum of one name are two rows, each with its own numbers
    lonely = [run["lonely (1)"], run["lonely (2)"]]
    assert [one["recipe"]["recipe: volume [uL]"] for one in lonely] == [400.0, 500.0]
    assert all({"no-spectrum", "duplicate-label"} <= set(one["flags"]) for one in lonely)
    # and one without a name is a row called by its line
    assert run["(line 8)"]["recipe"]["recipe: volume [uL]"] == 600.0


def test_names_that_differ_only_in_writing_are_noted(tmp_path, small):
    run = characterise(
        small.make(tmp_path / "in", recipes=small.RECIPES.replace("c,300", "C.txt,300")), tmp_path / "out"
    )
    assert any("'c' and recipe 'C.txt'" in note["note"] for note in run.record["notes"])


def test_a_finished_run_is_returned_as_it_is(tmp_path, small):
    path = small.make(tmp_path / "in")
    first = characterise(path, tmp_path / "out")
    stamp = (first.folder / "run.json").stat().st_mtime_ns
    again = characterise(path, tmp_path / "out")
    assert again.rows == first.rows
    assert (first.folder / "run.json").stat().st_mtime_ns == stamp
    characterise(path, tmp_path / "out", restart=True)
    assert (first.folder / "run.json").stat().st_mtime_ns > stamp


def test_a_folder_with_something_else_is_refused(tmp_path, small):
    path = small.make(tmp_path / "in")
    characterise(path, tmp_path / "out")
    other = small.make(tmp_path / "other", study=small.STUDY.replace('"small"', '"other"'))
    with pytest.raises(OptionError, match="other inputs"):
        characterise(other, tmp_path / "out")
    with pytest.raises(OptionError, match="not empty"):
        characterise(other, tmp_path / "in")


def test_the_default_folder_is_beside_the_caller(tmp_path, small, monkeypatch):
    path = small.make(tmp_path / "in", study=small.STUDY.replace('"small"', '"my study/.."'))
    monkeypatch.chdir(tmp_path)
    run = characterise(path)
    assert run.folder.parent.name == "runs" and run.folder.name == f"my-study-{run.digest[:8]}"


def test_places_that_cannot_be_written(tmp_path, small):
    path = small.make(tmp_path / "in")
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="could not write: Not a directory"):
        characterise(path, tmp_path / "file")
    with pytest.raises(OutputError, match="could not write"):
        characterise(path, tmp_path / "file" / "out")


@pytest.mark.skipif(os.name != "posix", reason="permissions of files as POSIX has them")
@pytest.mark.parametrize("mode", [0o555, 0o000])
def test_a_read_only_folder(small, mode):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        study = load_study(small.make(folder / "in"))
        study.digest()  # the inputs are read before the rights are given up
        closed = folder / "closed"
        closed.mkdir()
        closed.chmod(mode)
        owner = os.geteuid()
        try:
            if owner == 0:
                os.seteuid(65534)  # root may write everywhere
            with pytest.raises(OutputError, match="could not write") as caught:
                characterise(study, closed / "out")
        finally:
            os.seteuid(owner)
            closed.chmod(0o755)
        assert "--out" in caught.value.problems[0].fix


def test_a_study_without_any_readable_spectrum(tmp_path, small):
    path = small.make(tmp_path / "in")
    (tmp_path / "in" / "spectra.csv").write_text("")
    with pytest.raises(InputError, match=r"spectra\.csv"):
        characterise(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_is_no_run_says_so(tmp_path):
    with pytest.raises(InputError, match="not a run folder"):
        Run.open(tmp_path)


def test_rows_hold_no_nan(run):
    def walk(value):
        if isinstance(value, dict):
            yield from (leaf for item in value.values() for leaf in walk(item))
        elif isinstance(value, list):
            yield from (leaf for item in value for leaf in walk(item))
        else:
            yield value

    numbers = [leaf for row in run for leaf in walk(row) if isinstance(leaf, float)]
    assert len(numbers) > 100 and all(math.isfinite(number) for number in numbers)


def test_the_run_shows_itself(run):
    assert "small" in repr(run) and "4 spectra" in repr(run)
    assert run.lines()[0] == run.record["summary"] == run.summary()["summary"]
    assert "4 spectra of CsPbBr₃ nanocrystals were evaluated" in run.summary()["summary"]


def test_curved_baselines_and_vacuum_wavelengths(tmp_path, small):
    text = (
        small.STUDY + '\n[reduction]\nbaseline = "linear"\nair_to_vacuum = true\ncalibration_sigma_nm = 0.3\n'
    )
    plain = characterise(small.make(tmp_path / "in"), tmp_path / "out")
    run = characterise(small.make(tmp_path / "vac", study=text), tmp_path / "vacuum")
    shift_ev = run["a"]["peak_ev"] - plain["a"]["peak_ev"]
    # n - 1 = 2.78e-4 at 2.42 eV is -0.67 meV; the other baseline moves the peak by far less than 0.1 meV
    assert shift_ev == pytest.approx(-2.78e-4 * 2.42, abs=1e-4)
    assert run["a"]["peak_ev_sigma"] > 1e-3 > plain["a"]["peak_ev_sigma"]
