"""The shipped files: exactly the rows, columns and labels that their README counts."""

import numpy as np
import pytest

from perolux.files import example_path, sha256_of
from perolux.measured import read, read_decay, read_facts, read_many, read_table

CDSE = example_path("cdse_hot_injection")
ANTISOLVENT = example_path("antisolvent")
DOT = example_path("single_dot")


@pytest.mark.parametrize(
    ("name", "rows", "times", "dropped"),
    [
        ("run5_fl_emission.csv", 171, 18, 3388),  # check R4; the log below the data has 3388 rows
        ("run5_uv-vis.csv", 301, 18, 630),  # check R4; 630 rows of log
        ("run5_fl_excitation.csv", 161, 18, 0),
        ("run2_fl_emission.csv", 181, 14, 0),
        ("run2_uv-vis.csv", 251, 16, 0),
        ("run4_fl_emission.csv", 151, 18, 0),
        ("run7_uv-vis.csv", 301, 18, 0),
    ],
)
def test_cdse_runs_have_the_rows_and_times_of_their_files(name, rows, times, dropped):
    spectra = read(CDSE / name)
    assert len(spectra) == times
    assert {len(spectrum) for spectrum in spectra} == {rows}
    assert (f"{dropped} lines" in " ".join(spectra.notes)) == (dropped > 0)
    for spectrum in spectra:
        assert ("trailing-log-dropped" in spectrum.flags) == (dropped > 0)
        assert np.all(np.diff(spectrum.wavelength_nm) > 0)


def test_time_headers_are_stripped_and_understood():
    spectra = read(CDSE / "run4_fl_emission.csv")
    assert spectra.labels[:4] == ("30 s", "60 s", "90 s", "120 s")
    assert dict(spectra["90 s"].header)["time_s"] == "90"
    reaction = read(CDSE / "run2_fl_emission.csv")
    assert reaction.labels[0] == "60 s reaction"
    assert dict(reaction[0].header)["time_s"] == "60"


def test_a_byte_order_mark_does_not_hide_the_axis():
    spectra = read(CDSE / "run2_fl_emission.csv")
    assert "unit-inferred" not in spectra[0].flags
    assert spectra[0].axis_unit == "nm"


def test_descending_axis_keeps_each_value_at_its_wavelength():
    spectrum = read(CDSE / "run2_uv-vis.csv")["30 s"]
    assert "descending-axis" in spectrum.flags
    assert spectrum.wavelength_nm[0] == 350.0107117
    assert spectrum.values[0] == 0.258183688
    assert spectrum.wavelength_nm[-1] == 599.9901733
    assert spectrum.values[-1] == -0.00400519


def test_wide_table_of_414_samples():
    path = ANTISOLVENT / "spectra" / "spectra_counts_wide.csv"
    spectra = read(path)
    assert len(spectra) == 414
    assert spectra.labels[:3] == ("1", "100", "101")
    assert len(set(spectra.labels)) == 414
    first = spectra["1"]
    assert np.array_equal(first.wavelength_nm, np.arange(400.0, 601.0))
    assert first.values[0] == 459.026
    assert spectra["101"].values[1] == 300.609
    assert first.kind == "unknown"
    assert first.source.sha256 == sha256_of(path)
    assert first.source.reader == "table"


def test_kind_said_by_the_user_is_kept_and_recorded():
    spectra = read(ANTISOLVENT / "spectra" / "spectra_counts_wide.csv", kind="pl")
    assert {spectrum.kind for spectrum in spectra} == {"pl"}
    assert ("kind", "pl") in spectra[0].source.options
    for spectrum in spectra:
        deep = spectrum.values.min() < -0.01 * abs(spectrum.values).max()
        assert ("negative-counts" in spectrum.flags) == deep


@pytest.mark.parametrize(
    ("sample", "rows"),
    [("305", 1327), ("307", 897), ("308", 1327), ("310", 1327), ("311", 1327), ("430", 897), ("435", 897)],
)
def test_native_grid_files_are_one_spectrum_each(sample, rows):
    spectra = read(ANTISOLVENT / "spectra" / "native_grid" / f"{sample}.txt", kind="pl")
    assert spectra.labels == (sample,)
    spectrum = spectra[0]
    assert len(spectrum) == rows
    for flag in ("unit-inferred", "irregular-grid", "normalised-input", "columns-left-out"):
        assert flag in spectrum.flags
    # README of the data: column 2 is scaled, maximum 0.52 to 0.96; column 3 is column 2 scaled
    assert 0.5 < spectrum.values.max() < 1.0
    assert any("scaled" in note for note in spectra.notes)


def test_a_folder_is_read_in_the_order_of_its_names():
    spectra = read(ANTISOLVENT / "spectra" / "native_grid", kind="pl")
    assert len(spectra) == 11
    assert list(spectra.labels) == sorted(spectra.labels)


def test_read_many_goes_on_where_one_file_fails():
    folder = CDSE
    sets, errors = read_many([folder / "run2_uv-vis.csv", folder / "LICENSE", folder / "run4_uv-vis.csv"])
    assert [len(one) for one in sets] == [16, 18]
    assert len(errors) == 1
    assert errors[0][0].endswith("LICENSE")


def test_g2_has_2550_integer_bins():  # check R3
    histogram = read_decay(DOT / "g2.txt")
    assert len(histogram) == 2550
    assert histogram.counts.dtype == np.int64
    assert histogram.counts[:4].tolist() == [14, 14, 19, 15]
    assert histogram.time_ns[0] == -209.8777500000000202
    assert histogram.gaps == ()


def test_the_cut_of_the_decay_is_a_gap_and_the_axis_is_not_spliced():  # check R3
    decay = read_decay(DOT / "corr_unseg.txt")
    assert decay.counts.dtype == np.int64
    assert decay.counts[0] == 59145
    assert len(decay.gaps) == 1
    # README of the data: around 26.5 to 32.9 ns are cut out, on a grid of 0.165 ns
    assert decay.gaps[0] == pytest.approx((26.5, 32.9), abs=0.05)
    assert decay.step_ns == pytest.approx(0.16461, abs=1e-9)
    time_ns, counts, recorded = decay.on_full_axis()
    assert recorded.sum() == len(decay)
    assert np.array_equal(counts[recorded], decay.counts)
    assert np.array_equal(time_ns[recorded], decay.time_ns)
    inside = (time_ns > decay.gaps[0][0]) & (time_ns < decay.gaps[0][1])
    assert inside.sum() > 30
    assert not recorded[inside].any()


def test_segments_keep_whole_numbers():  # check R3
    table = read_table(DOT / "segments.csv")
    assert len(table) == 11_999
    assert table["first_photon_index"].dtype == np.int64
    assert table["start_time_bins"][1] == 21_453_775
    assert table["photons"][:3].tolist() == [69, 50, 286]
    assert table["duration_ms"].dtype == np.float64


def test_metadata_of_the_dot():  # check R2, as text
    facts = read_facts(DOT / "metadata_dataset.txt")
    assert facts["cts_chA"] + facts["cts_chB"] == facts["totalPhotonCount"] == 4_059_037
    assert (facts["cts_chA"], facts["cts_chB"], facts["cts_chR"]) == (2_155_457, 1_903_580, 4_025_117)
    assert facts["dtau_ns"] == 0.16461
    assert facts["maxEventTime_ns"] / 1e9 == pytest.approx(60.000361, abs=1e-6)
