"""perolux diffusion, and perolux photons with --spectra: table, JSON, report, wrong input."""

import json

import numpy as np
import pytest

from perolux.cli.app import run
from perolux.measured import read
from perolux.measured.stream_parquet import write_parquet_stream
from perolux.photons.diffusion_simulation import Wander, simulate_series, write_series
from perolux.photons.dwells import Exponential
from perolux.photons.line_profile import LineModel, gaussian_instrument
from perolux.photons.simulate import simulate_stream


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    made = simulate_series(
        Wander(5e-4, 1.0), np.random.default_rng(0), frames=150, exposure_s=0.1, photons=200.0, pixels=48,
        model=LineModel("lorentzian", gaussian_instrument(4e-4)), widths_ev=(1e-4,),
    )  # fmt: skip
    return write_series(tmp_path_factory.mktemp("series") / "series.csv", made), made


def test_written_series_reads_back(series):
    path, made = series
    found = read(path)
    assert found.labels == made.spectra.labels
    assert found[7].values == pytest.approx(made.spectra[7].values, rel=1e-6)


@pytest.mark.slow
def test_table_report_and_json(series, tmp_path, capsys):
    path, _ = series
    options = ["--spectrometer-fwhm-ev", "4e-4", "--t1-ps", "100", "--t2-ps", "112"]
    out = tmp_path / "out"
    assert run(["diffusion", str(path), *options, "--out", str(out)]) == 0
    shown = capsys.readouterr().out
    assert "Ornstein-Uhlenbeck" in shown and "visibility" in shown
    assert {f.name for f in out.iterdir()} == {"report.html", "result.json", "line_path.csv", "shifts.csv"}
    page = (out / "report.html").read_text()
    assert "<script" not in page and page.count("<svg") == 5 and "Width against exposure" in page
    assert run(["diffusion", str(path), *options, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found.items() <= json.loads((out / "result.json").read_text()).items()
    assert found["best"] in found["not_excluded"] and len(found["path"]["centre_ev"]) == 150
    assert run(["diffusion", str(path), "--out", str(out)]) == 2
    assert "--replace" in capsys.readouterr().err


@pytest.mark.slow
def test_beside_photons(series, tmp_path, capsys):
    path, _ = series
    stream = simulate_stream(
        [(5e3, 5.0), (2e4, 12.0)], duration_s=20.0, rng=np.random.default_rng(0), sync_period_ns=200.0,
        dwell=Exponential(0.5),
    ).stream  # fmt: skip
    record = write_parquet_stream(stream, tmp_path / "dot.parquet")
    options = ["--spectra", str(path), "--spectra-offset-s", "2", "--spectrometer-fwhm-ev", "4e-4"]
    out = tmp_path / "out"
    assert run(["photons", str(record), *options, "--out", str(out), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["spectral_diffusion"]["photons"]["frames_inside"] == 150
    page = (out / "report.html").read_text()
    assert "Spectral diffusion" in page and "each level of intensity" in page
    assert (out / "line_path.csv").is_file()
    assert run(["photons", str(record), *options]) == 0
    assert "against rate of photons" in capsys.readouterr().out
    assert run(["photons", str(record), "--spectra", str(path), "--spectra-offset-s", "50"]) == 2
    assert "overlap" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--shape", "box"], "unknown line shape"),
        (["--spectrometer-fwhm-ev", "1e-3", "--instrument", "lamp.csv"], "two instrument functions"),
        (["--range-ev", "2"], "two numbers"),
        (["--range-ev", "1,1.1"], "pixels between"),
        (["--t1-ps", "100"], "one of T1 and T2"),
        (["--exposure-s", "3"], "exposure of 3 s"),
        (["--gain", "0"], "gain of 0"),
    ],
)
def test_wrong_options(series, capsys, options, said):
    assert run(["diffusion", str(series[0]), *options]) == 2
    assert said in capsys.readouterr().err


def test_options_of_a_series_need_one(capsys):
    assert run(["photons", "dot.ptu", "--gain", "2"]) == 2
    assert "--spectra" in capsys.readouterr().err
