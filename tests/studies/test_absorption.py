"""Absorption spectra in a study: joined by name, used for the size, and never able to stop a sample."""

import numpy as np
import pytest

from perolux.errors import InputError
from perolux.files import example_path
from perolux.measured.records import Spectrum
from perolux.studies import characterise, load_study

BLOCK = '\n[absorption]\nfiles = ["uv.csv"]\n'
BANDS = {"a": (2.42, 85.0), "b": (2.45, 95.0), "c": (2.70, 90.0), "extra": (2.50, 100.0)}
EXCITONS = {"a": 2.46, "b": 2.50, "c": 2.20, "alone": 2.60}


@pytest.fixture(scope="module")
def run(tmp_path_factory, small):
    folder = tmp_path_factory.mktemp("absorption")
    path = small.make(folder / "in", study=small.STUDY + BLOCK, bands=BANDS, excitons=EXCITONS)
    return characterise(path, folder / "out")


@pytest.fixture(scope="module")
def plain(tmp_path_factory, small):
    folder = tmp_path_factory.mktemp("plain")
    return characterise(small.make(folder / "in", bands=BANDS), folder / "out")


def test_first_exciton_and_stokes_shift_of_each_sample(run):
    for label in ("a", "b"):
        row = run[label]
        # the foot of the continuum pulls the minimum of the second derivative by about 2 meV
        assert row["first_exciton_ev"] == pytest.approx(EXCITONS[label], abs=5e-3)
        assert row["first_exciton_nm"] == pytest.approx(1239.842 / row["first_exciton_ev"], rel=1e-6)
        shift = 1e3 * (row["first_exciton_ev"] - row["peak_ev"])
        assert row["stokes_shift_mev"] == pytest.approx(shift, abs=1e-9)
        sigmas = 1e3 * np.hypot(row["first_exciton_sigma_ev"], row["peak_ev_sigma"])
        assert row["stokes_shift_sigma_mev"] == pytest.approx(sigmas, rel=1e-12)
        assert row["steepest_slope_nm"] > row["first_exciton_nm"]
        assert row["absorption_file"] == "uv.csv" and row["status"] == "ok"


def test_the_size_uses_both_and_is_narrower(run, plain):
    both, alone = run["b"], plain["b"]
    assert both["size_from"] == "emission and absorption"
    width, width_alone = (row["edge_high95_nm"] - row["edge_low95_nm"] for row in (both, alone))
    assert width < 0.9 * width_alone
    keys = run.record["parameter_keys"]
    assert "prior.absorption_first_exciton_ev" in keys
    assert "prior.absorption_first_exciton_ev" not in plain.record["parameter_keys"]


def test_where_both_are_impossible_the_emission_alone_is_used_and_said(run, plain):
    row = run["c"]  # an edge 0.5 eV below the emission
    assert {"absorption-not-used", "negative-stokes-shift"} <= set(row["flags"])
    assert row["status"] == "flagged" and row["size_from"] == "emission"
    assert "500 meV apart" in row["reasons"]["size_from"] or "501 meV apart" in row["reasons"]["size_from"]
    for key in ("edge_median_nm", "edge_low95_nm", "edge_high95_nm", "platelet_weight"):
        assert row[key] == plain["c"][key]


def test_what_has_only_one_of_the_two_is_shown_and_flagged(run, plain):
    assert "no-absorption" in run["extra"]["flags"] and run["extra"].get("first_exciton_ev") is None
    assert run["extra"]["edge_median_nm"] == plain["extra"]["edge_median_nm"]
    alone = run["alone"]
    assert alone["file"] is None and alone["status"] == "flagged" and "no-pl" in alone["flags"]
    assert alone["first_exciton_ev"] == pytest.approx(2.60, abs=5e-3)
    assert alone["stokes_shift_mev"] is None and alone["reasons"]["stokes_shift_mev"]
    assert alone["reasons"]["peak_ev"] == "no photoluminescence spectrum of this sample is among the files"
    assert run.record["counts"]["absorption spectra"] == 4
    assert run.record["counts"]["absorption joined to PL"] == 3


def test_a_study_without_absorption_has_no_word_of_it(plain):
    assert not [column for column in plain.record["columns"] if "exciton" in column["name"]]
    assert not any("absorption" in key or "exciton" in key for row in plain for key in row)
    assert "absorbance" not in plain.report.read_text("utf-8").split("<script>")[0]


def test_tables_curves_and_report_hold_the_absorption(run):
    import xarray as xr

    table = run.table.set_index("label")
    assert table.loc["a", "first_exciton_ev"] == run["a"]["first_exciton_ev"]
    with xr.open_dataset(run.folder / "spectra.nc", engine="h5netcdf") as data:
        assert list(data["absorption_sample_0"].values) == ["a", "b", "c", "alone"]
        wavelength = data["absorption_wavelength_0"]
        assert wavelength.attrs["units"] == "nm" and float(wavelength[0]) == 350.0
        assert data["absorbance_0"].shape == (4, 301)
    text = run.report.read_text("utf-8")
    assert text.count('<article class="card"') == 5
    for words in ("First exciton", "meV, observed", "emission and absorption", "no photoluminescence"):
        assert words in text, words
    assert "1 sample has no absorption spectrum; the size rests on the emission alone there." in text


def test_a_failing_absorption_spectrum_costs_nothing_else(tmp_path, small, plain, monkeypatch):
    honest = Spectrum.absorption

    def buggy(spectrum, **options):
        if spectrum.label == "a":
            raise ZeroDivisionError("division by zero")
        return honest(spectrum, **options)

    monkeypatch.setattr(Spectrum, "absorption", buggy)
    path = small.make(tmp_path / "in", study=small.STUDY + BLOCK, bands=BANDS, excitons=EXCITONS)
    run = characterise(path, tmp_path / "out")
    row = run["a"]
    assert "absorption-failed" in row["flags"] and "ZeroDivisionError" in row["reasons"]["first_exciton_ev"]
    assert row["edge_median_nm"] == plain["a"]["edge_median_nm"]
    assert row["first_exciton_nm"] is None and run["b"]["first_exciton_nm"] is not None


@pytest.mark.slow
def test_no_exciton_and_impossible_options_are_flags(tmp_path, small, plain):
    text = small.STUDY + BLOCK + "window_nm = 400.0\n"
    path = small.make(tmp_path / "in", study=text, bands=BANDS, excitons=EXCITONS)
    run = characterise(path, tmp_path / "out")
    assert "absorption-failed" in run["a"]["flags"] and "400 nm" in run["a"]["reasons"]["first_exciton_ev"]
    assert run["a"]["edge_median_nm"] == plain["a"]["edge_median_nm"]
    flat = "wavelength_nm,a,b\n" + "".join(f"{nm},0.01,0.02\n" for nm in range(350, 651))
    (tmp_path / "in" / "uv.csv").write_text(flat)
    path.write_text(small.STUDY + BLOCK)
    again = characterise(path, tmp_path / "flat")
    assert "no-first-exciton" in again["a"]["flags"] and again["a"]["edge_median_nm"]
    assert again["a"].get("size_from") is None


def test_an_unreadable_absorption_file_is_listed(tmp_path, small):
    path = small.make(tmp_path / "in", study=small.STUDY + BLOCK, bands=BANDS)
    (tmp_path / "in" / "uv.csv").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
    run = characterise(path, tmp_path / "out")
    assert [entry["file"] for entry in run.record["failed_files"]] == ["uv.csv"]
    assert all("no-absorption" in row["flags"] for row in run if row["file"])
    assert run["a"]["edge_median_nm"]


def test_times_join_across_spellings_and_runs_stay_apart(tmp_path, small):
    text = """
[study]
name = "times"
[spectra]
files = ["run*_pl.csv"]
group = "{group}_pl"
[absorption]
files = ["run*_uv.csv"]
group = "{group}_uv"
[report]
figures = []
"""
    path = small.make(tmp_path / "in", study=text)
    pl = {"60 s reaction": (2.45, 90.0), "30 s reaction": (2.50, 90.0)}  # not in the order of the absorption
    for number, extra in ((2, 0.0), (4, 0.10)):
        moved = {label: (peak + extra, width) for label, (peak, width) in pl.items()}
        (tmp_path / "in" / f"run{number}_pl.csv").write_text(small.wide_csv(moved))
        uv = {"0.5 min": 2.54 + extra, "60 s": 2.49 + extra, "90 s": 2.45 + extra}
        (tmp_path / "in" / f"run{number}_uv.csv").write_text(small.absorbance_csv(uv))
    run = characterise(path, tmp_path / "out")
    assert [row["label"] for row in run][:4] == [
        f"run{number}: {time} s reaction" for number in (2, 4) for time in (60, 30)
    ]
    for row in run:
        if row["file"]:
            # each shift is 40 meV only with the right partner, within the 5 meV of the minimum
            assert row["stokes_shift_mev"] == pytest.approx(40.0, abs=6.0), row["label"]
            assert "duplicate-label" not in row["flags"]
    assert [row["label"] for row in run if not row["file"]] == ["run2: 90 s", "run4: 90 s"]
    table = run.table.set_index("label")
    assert table.loc["run4: 60 s reaction", "name: time [s]"] == 60.0
    assert table.loc["run4: 60 s reaction", "name: group"] == "run4"
    assert not any(row.get("size") for row in run)


def test_names_that_stand_twice_are_not_joined(tmp_path, small):
    text = small.STUDY.replace('["spectra.csv"]', '["spectra.csv", "again.csv"]') + BLOCK
    path = small.make(tmp_path / "in", study=text, bands=BANDS, excitons=EXCITONS)
    more = small.wide_csv({"a": (2.43, 85.0), "z": (2.5, 90.0)}, seed=3)
    (tmp_path / "in" / "again.csv").write_text(more)
    run = characterise(path, tmp_path / "out")
    for label in ("a (1)", "a (2)"):
        assert {"ambiguous-absorption", "duplicate-label"} <= set(run[label]["flags"])
        assert run[label].get("first_exciton_ev") is None
    assert "ambiguous-absorption" in run["a"]["flags"] and run["a"]["file"] is None
    assert run["b"]["first_exciton_ev"] is not None


@pytest.mark.parametrize(
    ("spectra", "block", "where", "words"),
    [
        ("", '[absorption]\nfiles = ["vu.csv"]', "[absorption] files[0]", "no such file"),
        ("", '[absorption]\nfiles = ["*.csv"]', "[absorption] files", "as PL and as absorption"),
        ("", BLOCK + 'kind = "pl"', "[absorption] kind", "not allowed"),
        ("", BLOCK + "near_nm = [500.0, 400.0]", "[absorption] near_nm", "not allowed"),
        ('group = "{group}_x"', "", "[spectra] group", "does not fit"),
        ('group = "spectra"', "", "[spectra] group", "not allowed"),
        ('group = "{group}tra"', BLOCK, "[absorption] group", "only one of"),
    ],
)
def test_mistakes_of_the_block_are_named(tmp_path, small, spectra, block, where, words):
    text = small.STUDY.replace('["spectra.csv"]', f'["spectra.csv"]\n{spectra}') + block + "\n"
    with pytest.raises(InputError) as caught:
        load_study(small.make(tmp_path, study=text, excitons=EXCITONS))
    (problem,) = caught.value.problems
    assert where in problem.where and words in problem.what


@pytest.mark.slow
def test_the_other_material_of_the_examples(tmp_path):
    import csv

    run = characterise(example_path("cdse_hot_injection") / "study.toml", tmp_path / "run")
    assert run.record["counts"]["spectra"] == 68 and run.record["counts"]["absorption joined to PL"] == 68
    assert [row["label"] for row in run if row["file"] is None] == ["run2: 30 s", "run2: 570 s"]
    assert not any(row.get("size") or row.get("edge_kind") for row in run)  # never a perovskite size
    assert not run.record["values"] and not any("duplicate-label" in row["flags"] for row in run)
    with (example_path("cdse_hot_injection") / "author_uvvis_peaks_nm.csv").open(encoding="utf-8") as file:
        authors = {float(line["time_s"]): line["Run 2"] for line in csv.DictReader(file) if line["time_s"]}
    rows = [row for row in run if row["named"]["name: group"] == "run2"]
    found = {row["named"]["name: time [s]"]: row["first_exciton_nm"] for row in rows}
    misses = [found[time] - float(nm) for time, nm in authors.items() if nm and time in found]
    assert len(misses) >= 14 and abs(np.mean(misses)) < 2.0  # the bar of the CdSe series
    assert run.report.stat().st_size < 1_000_000
