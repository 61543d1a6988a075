"""perolux photons: a record, its report, the derived files of a dot, wrong input."""

import json

import numpy as np
import pytest

from perolux.cli.app import run
from perolux.files import example_path
from perolux.measured.stream_parquet import write_parquet_stream
from perolux.photons.dwells import Exponential
from perolux.photons.simulate import simulate_stream


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    made = simulate_stream(
        [(2e4, 5.0), (8e4, 12.0)], duration_s=3.0, rng=np.random.default_rng(0), sync_period_ns=100.0,
        dwell=Exponential(0.05), g2_zero=0.1,
    )  # fmt: skip
    return write_parquet_stream(made.stream, tmp_path_factory.mktemp("photons") / "dot.parquet")


@pytest.mark.slow
def test_json_keeps_its_contract(record, capsys):
    assert run(["photons", str(record), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    keys = {"photons_per_channel", "duration_s", "change_points_s", "levels", "on_fraction", "g2_zero"}
    assert keys | {"dwell_times", "warnings"} <= set(found)
    assert set(found["levels"][0]) >= {"rate_cps", "rate_sigma", "lifetime_ns", "lifetime_sigma", "occupancy"}
    assert set(found["g2_zero"]) >= {"raw", "corrected", "sigma", "method"}
    assert found["duration_s"] == 3.0


@pytest.mark.slow
def test_table_and_report(record, capsys, tmp_path):
    out = tmp_path / "report"
    assert run(["photons", str(record), "--levels", "2", "--irf", "gaussian:0.02,0", "--out", str(out)]) == 0
    told = capsys.readouterr().out
    assert "g2(0)" in told
    assert "lifetime (ns)" in told
    names = {path.name for path in out.iterdir()}
    assert names == {
        "report.html", "result.json", "stretches.csv", "trace.csv", "coincidences.csv", "decays.csv",
        "intensity_correlation.csv",
    }  # fmt: skip
    page = (out / "report.html").read_text("utf-8")
    assert page.count("<svg") >= 4
    assert "nan" not in page.lower().replace("nanotime", "")
    assert run(["photons", str(record), "--out", str(out)]) == 2
    assert "--replace" in capsys.readouterr().err


@pytest.mark.slow
def test_derived_files_of_a_dot(capsys):
    assert run(["photons", str(example_path("single_dot")), "--sync-period", "100", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["photons_per_channel"] == {"A": 2155457, "B": 1903580}
    assert found["g2_zero"]["raw"] == pytest.approx(0.284, abs=0.003)
    assert 0.09 < found["g2_zero"]["corrected"] < 0.15
    cut = next(law for law in found["dwell_times"]["laws"] if law["law"] == "truncated-power-law")
    assert cut["log_likelihood_over_power_law"] == pytest.approx(272, abs=10)
    assert found["flid_correlation"] == pytest.approx(-0.78, abs=0.01)
    stored = [row["stored"] for row in found["beside"] if row["stored"]]
    assert any("3.25" in text for text in stored)
    assert found["decay"]["stored"]["problem"].startswith("The fit stored in the file had not converged")
    assert found["decay"]["lifetimes_ns"] == pytest.approx([1.26, 8.24, 29.8], rel=0.02)
    assert found["switching"]["exponent_of_the_same_line"] == pytest.approx(3.2495, abs=1e-3)
    assert found["switching"]["exponent_by_likelihood"] == pytest.approx(3.15, abs=0.02)
    assert found["source"]["licence"] == "CC0 1.0"


@pytest.mark.slow
def test_page_of_derived_files(capsys, tmp_path):
    out = tmp_path / "dot"
    folder = tmp_path / "part"
    folder.mkdir()
    for name in ("segments.csv", "switchinghist.txt", "metadata_dataset.txt"):
        (folder / name).write_bytes((example_path("single_dot") / name).read_bytes())
    assert run(["photons", str(folder), "--out", str(out)]) == 0
    assert "report.html" in capsys.readouterr().out
    page = (out / "report.html").read_text()
    assert "not said in the folder" in page and "decay: its file is not in the folder" in page
    assert "Beside what its authors stored" in page and "<script" not in page
    assert {path.name for path in out.iterdir()} == {
        "report.html",
        "result.json",
        "beside.csv",
        "stretches.csv",
    }
    assert len((out / "stretches.csv").read_text().splitlines()) == 12000
    assert run(["photons", str(folder), "--out", str(out)]) == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--dark-cps", "1"], "two numbers"),
        (["--dark-cps=-1,2"], "two numbers"),
        (["--channels", "a,b"], "two channels"),
        (["--levels", "100000"], "levels from"),
        (["--threshold", "1"], "threshold of 1"),
        (["--irf", "gaussian:x"], "no Gaussian"),
    ],
)
def test_wrong_options(record, capsys, options, said):
    assert run(["photons", str(record), *options]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.slow
def test_missing_things(record, capsys, tmp_path):
    lonely = tmp_path / "lonely.parquet"
    lonely.write_bytes(record.read_bytes())
    assert run(["photons", str(lonely)]) == 2
    assert "sidecar lonely.json" in capsys.readouterr().err
    sidecar = json.loads(record.with_suffix(".json").read_text())
    del sidecar["sync_period_ns"]
    lonely.with_suffix(".json").write_text(json.dumps(sidecar))
    assert run(["photons", str(lonely)]) == 2
    assert "--sync-period" in capsys.readouterr().err
    assert run(["photons", str(lonely), "--sync-period", "100", "--json"]) == 0
    capsys.readouterr()
    empty = tmp_path / "empty"
    empty.mkdir()
    assert run(["photons", str(empty)]) == 2
    assert run(["photons", str(empty), "--dark-cps", "1,2"]) == 2


@pytest.mark.slow
def test_gates_steady_light_and_a_sync_channel(record, capsys, tmp_path):
    assert run(["photons", str(record), "--gate", "3,90", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["g2_zero"]["gated"]["from_ns"] == pytest.approx(3, abs=0.02)
    assert {"yield_over_exciton", "sigma", "time_gate"} <= set(found["biexciton"])
    for options, said in (
        (["--gate", "9"], "FROM,TO"),
        (["--gate", "9,500"], "--gate"),
        (["--light", "dim"], "pulsed, steady"),
        (["--sync-channel", "1"], "already"),
    ):
        assert run(["photons", str(record), *options]) == 2
        assert said in capsys.readouterr().err
    made = simulate_stream([(4e5, 8.0)], duration_s=0.5, rng=np.random.default_rng(0), efficiency=0.05)
    file = write_parquet_stream(made.stream, tmp_path / "steady.parquet")
    out = tmp_path / "steady"
    assert run(["photons", str(file), "--out", str(out)]) == 0
    assert "steady light" in capsys.readouterr().out
    page = (out / "report.html").read_text("utf-8")
    assert "Coincidences of steady light" in page
    assert "nan" not in page.lower().replace("nanotime", "")
