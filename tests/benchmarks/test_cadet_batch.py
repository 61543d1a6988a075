"""Side by side with CADET-Core: its input, how its output is judged, what is said where it is missing."""

from __future__ import annotations

import os
from pathlib import Path

import h5py
import numpy as np
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def batch(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks.peers import cadet_batch

    return cadet_batch


def program(folder: Path, text: str) -> Path:
    path = folder / "bin" / "cadet-cli"
    path.parent.mkdir(exist_ok=True)
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return path


def test_closed_moments_are_those_of_the_published_case(batch):
    solute, moments = batch.exact()
    mean = moments[1] / moments[0]
    assert solute[-1] == pytest.approx(1.25627172, rel=1e-8)
    assert moments[0] == pytest.approx(9.12634891e8, rel=1e-8)
    assert 1e6 * mean == pytest.approx(100.475626, rel=1e-8)
    assert np.sqrt(moments[2] / moments[0] - mean**2) / mean == pytest.approx(0.309918, rel=1e-5)


def test_the_input_says_what_the_batch_is(batch, tmp_path):
    faces = batch.grid("lin", 20)
    batch.write_cadet_input(tmp_path / "in.h5", "WENO35", faces)
    with h5py.File(tmp_path / "in.h5") as file:
        tank = file["input/model/unit_000"]
        assert tank["NCOMP"][()] == 22 and tank["INIT_C"][0] == 2.0 and tank["INIT_C"][-1] == 1.2
        assert tank["INIT_C"][1:-1].any() == 0
        law = tank["reaction_bulk"]
        assert law["CRY_BINS"][:] == pytest.approx(faces) and law["CRY_GROWTH_SCHEME_ORDER"][()] == 4
        assert law["CRY_U"][()] == 5.0 and law["CRY_VOL_SHAPE_FACTOR"][()] == 0.524


def test_errors_of_known_cells(batch):
    # one even cell with the exact number, and half of the exact solute
    solute, moments = batch.exact()
    low, high = np.array([5e-5]), np.array([1.5e-4])
    found = batch.accuracy(0.5 * solute, low, high, moments[0] / (high - low))
    assert found.c == found.c_worst == pytest.approx(0.5)
    assert found.number == pytest.approx(0.0, abs=1e-12)
    assert found.cv == pytest.approx(1 / np.sqrt(12))
    third = (high**4 - low**4)[0] / 4 / 1e-4
    crystal = 1200 * 0.524 * moments[0] * third
    assert found.mass_drift == pytest.approx((0.5 * solute[-1] + crystal) / 2 - 1)


def test_why_there_is_no_peer(batch, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("PEROLUX_CADET", raising=False)
    assert batch.find_cadet() == (None, "no cadet-cli on PATH or in PEROLUX_CADET")
    monkeypatch.setenv("PEROLUX_CADET", str(tmp_path / "nowhere"))
    assert "holds no cadet-cli" in batch.find_cadet()[1]
    broken = program(tmp_path, "exit 3\n")
    monkeypatch.setenv("PEROLUX_CADET", str(tmp_path))
    assert batch.find_cadet()[1].startswith("cadet-cli --version failed")
    if os.geteuid() != 0:
        broken.chmod(0o644)
        assert "chmod" in batch.find_cadet()[1]


def test_without_the_binary_perolux_still_runs_and_the_rows_say_why(batch, tmp_path, monkeypatch):
    monkeypatch.setenv("PEROLUX_CADET", str(tmp_path))
    monkeypatch.setattr(batch, "REPEATS", 1)
    rows = batch.run()
    assert len(rows) == 4
    for one in rows:
        assert one["ratio"] is None and one["peer"] is None and "holds no cadet-cli" in one["note"]
        assert abs(one["errors"]["mass_drift"]) < 1e-12
        assert one["errors"]["c"] < 2e-3


def test_a_peer_that_fails_is_a_row_with_its_words(batch, tmp_path, monkeypatch):
    says = 'if [ "$1" = --version ]; then echo This is cadet-cli version 0.0; exit 0; fi\n'
    monkeypatch.setenv("PEROLUX_CADET", str(program(tmp_path, says + "echo no such model >&2; exit 2\n")))
    monkeypatch.setattr(batch, "REPEATS", 1)
    monkeypatch.setattr(batch, "CADET_RUNS", (("WENO35", "lin", 100),))
    first = batch.run()[0]
    assert first["peer"] == "CADET-Core 0.0, WENO35, 100 even cells" and first["ratio"] is None
    assert first["note"] == "peer not run: cadet-cli ended with 2: no such model"
    program(tmp_path, says + "exit 0\n")
    assert batch.run()[0]["note"] == "peer not run: cadet-cli wrote no solution"


def test_cadet_itself_where_there_is_one(batch, monkeypatch):
    binary, about = batch.find_cadet()
    if binary is None:
        pytest.skip(about)
    monkeypatch.setattr(batch, "REPEATS", 1)
    seconds, found = batch.run_cadet(binary, "WENO35", "lin", 100)
    assert seconds > 0 and found.c < 1e-4 and found.number < 0.01 and 0 < found.mass_drift < 2e-3
