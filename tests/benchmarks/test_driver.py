"""The benchmark driver: rows, saving, merging, and its errors. Speed itself is never tested."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from perolux.errors import OptionError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def driver(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import driver

    return driver


@pytest.fixture
def timing(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import timing

    return timing


def results(driver, rows, date="2026-01-02"):
    return {"date": date, "machine": driver.machine(), "rows": rows}


def test_a_ratio_above_one_means_that_perolux_is_quicker(timing):
    row = timing.row("a kernel", 0.5, peer="a peer", peer_seconds=1.0)
    assert row["ratio"] == 2.0
    assert timing.row("alone", 0.5)["ratio"] is None


def test_medians_are_of_one_call_and_positive(timing):
    calls = []
    seconds = timing.median_cpu(lambda: calls.append(sum(range(1000))), repeats=3)
    assert 0.0 < seconds < 0.01  # a thousand additions; the bound only excludes the sum over all calls
    assert len(calls) > 100


def test_saved_results_name_the_machine_and_hold_no_nan(driver, timing, tmp_path):
    rows = [{"room": "measured", **timing.row("a | kernel", 0.5, peer="a peer", peer_seconds=1.0)}]
    path, page = driver.save(results(driver, rows), tmp_path)
    saved = json.loads(path.read_text("utf-8"))
    assert saved["machine"]["cores"] >= 1
    assert saved["machine"]["versions"]["numpy"]
    text = page.read_text("utf-8")
    assert "a \\| kernel" in text
    assert "500 ms" in text
    assert "| 2 |" in text


def test_rooms_that_were_not_run_keep_their_rows_with_their_date(driver, timing, tmp_path):
    earlier = results(driver, [{"room": "excitons", **timing.row("old", 0.5)}], "2025-12-31")
    earlier["machine"]["versions"]["a peer"] = "1.2"
    driver.save(earlier, tmp_path)
    path, page = driver.save(results(driver, [{"room": "measured", **timing.row("new", 0.5)}]), tmp_path)
    saved = json.loads(path.read_text("utf-8"))
    assert [row["name"] for row in saved["rows"]] == ["old", "new"]
    assert saved["machine"]["versions"]["a peer"] == "1.2"
    assert "run of 2025-12-31" in page.read_text("utf-8")


def test_unknown_rooms_are_refused(driver):
    with pytest.raises(OptionError, match="kitchen"):
        driver.run(["kitchen"])


@pytest.mark.slow
def test_the_command_exits_2_for_an_unknown_room():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "kitchen", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "kitchen" in json.loads(done.stdout)["error"]["problems"][0]["what"]
