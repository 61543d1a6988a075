"""The record of the memory benchmark is what it says; memory does not grow with the number of photons."""

import sys

import numpy as np
import pytest
from benchmarks.bench_photons_memory import as_row, long_stream, measure, with_earlier


@pytest.mark.slow
def test_long_stream_is_in_order_and_of_the_length_asked_for() -> None:
    made = long_stream(9_000_001)
    counted, last = np.zeros(2, np.int64), 0
    for photons in made.chunks(1_000_000):
        assert len(photons) <= 1_000_000
        assert photons.macro[0] >= last
        assert (np.diff(photons.macro) >= 0).all()
        last = int(photons.macro[-1])
        counted += np.bincount(photons.channel, minlength=2)
    assert counted.sum() == len(made) == 9_000_001
    assert made.photons_per_channel == {0: counted[0], 1: counted[1]}
    assert last * made.macro_tick_ns * 1e-9 <= made.duration_s


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")
def test_reading_and_lags_of_ten_times_the_photons_take_no_more_memory() -> None:
    short, long = (measure(photons, analysis=False) for photons in (4_000_000, 40_000_000))
    # A pass that reads ahead holds the whole file (130 MB more), one in memory 470 MB more. What may grow are
    # buffers of the Parquet reader, 60 MB at most after the first five chunks, and the allocator's gaps.
    assert long["largest_MB"] - short["largest_MB"] < 120


@pytest.mark.long
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")
def test_ten_times_the_photons_take_no_more_memory() -> None:
    short, long = measure(4_000_000), measure(40_000_000)
    # As above; in the search for changes photons of the chunk before come in only from the third chunk on.
    assert long["largest_MB"] - short["largest_MB"] < 150
    assert long["largest_MB"] < 800
    assert long["changes"] == pytest.approx(10 * short["changes"], rel=0.05)


def test_rows_of_other_sizes_are_kept(tmp_path) -> None:
    found = {
        "photons": 40_000_000, "seconds": 60.0, "largest_MB": 560, "changes": 12_000,
        "file_bytes": 147_000_000,
        "stages": {"imports": {"MB": 36}, "open": {"MB": 290}, "analyse": {"MB": 560}},
    }  # fmt: skip
    made = as_row(found)
    assert made["name"].startswith("4e7 photons")
    assert "open 290, analyse 560" in made["note"]
    saved = tmp_path / "results.json"
    saved.write_text(
        '{"date": "2026-01-01", "rows": [{"room": "photons_memory", "photons": 1000000000}, {"room": "cli"}]}'
    )
    rows = with_earlier([made], saved)
    assert [one["photons"] for one in rows] == [40_000_000, 1_000_000_000]
    assert rows[1]["date"] == "2026-01-01"
    assert "room" not in rows[1]
