"""Largest memory of the whole analysis of records of N photons, from a file on disk or made on the fly.

    python -m benchmarks.bench_photons_memory --photons 40000000 [--made] [--report] [--folder DIR]

Photons are those of a blinking dot with dark counts (4 million in 60 s, made once from a seed), repeated
end to end. From disk they are a plain Parquet stream, about 4 bytes a photon; --made gives the same photons
chunk by chunk with no file, where there is no room for one. The analysis runs in a process of its own. What
it tells is VmHWM, the largest resident memory, in MB: after the imports, and of each stage (the mark is reset
between stages where the system allows it).

`run()` takes the sizes from PEROLUX_BENCH_PHOTONS ("4e6,4e7" where it is not set; "4e6,4e7,4e8,1e9" takes an
hour and 4 GB of disk) and keeps the rows of sizes that were not run.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.timing import row
from perolux.measured.photon_stream import Photons, PhotonStream
from perolux.measured.stream_parquet import write_parquet_stream
from perolux.photons.dwells import Exponential
from perolux.photons.simulate import Detectors, simulate_stream

__all__ = ["long_stream", "measure", "run"]

_RESULTS = Path(__file__).parent / "results.json"


def run() -> list[dict[str, Any]]:
    """A row for each number of photons, smallest first."""
    sizes = os.environ.get("PEROLUX_BENCH_PHOTONS", "4e6,4e7").split(",")
    return with_earlier([as_row(measure(int(float(size)), report=True)) for size in sizes])


def as_row(found: dict[str, Any]) -> dict[str, Any]:
    """The row of one measurement, with what each stage took."""
    stages = ", ".join(f"{name} {one['MB']}" for name, one in found["stages"].items() if name != "imports")
    made = row(
        f"{found['photons']:.0e} photons from file to report: lags, analysis, page (wall)".replace(
            "e+0", "e"
        ),
        found["seconds"],
        accuracy=f"largest memory {found['largest_MB']} MB; {found['changes']} changes of rate",
        note=f"MB by stage: {stages}; file of {found['file_bytes'] / 1e6:.0f} MB",
    )
    return {**made, "photons": found["photons"], "largest_MB": found["largest_MB"]}


def with_earlier(rows: list[dict[str, Any]], path: Path = _RESULTS) -> list[dict[str, Any]]:
    """Rows, and those of other sizes from the saved results, with their date."""
    if path.is_file():
        saved = json.loads(path.read_text("utf-8"))
        sizes = {one["photons"] for one in rows}
        rows = rows + [
            {"date": saved["date"], **{key: value for key, value in one.items() if key != "room"}}
            for one in saved["rows"]
            if one["room"] == "photons_memory" and one["photons"] not in sizes
        ]
    return sorted(rows, key=lambda one: int(one["photons"]))


def long_stream(photons: int) -> PhotonStream:
    """A blinking dot of 67,000 photons a second: one simulated minute again and again up to `photons`."""
    piece = simulate_stream(
        [(2e4, 4.0), (6e4, 9.0), (1.2e5, 18.0)], duration_s=60.0,
        rng=np.random.default_rng(1), sync_period_ns=100.0,
        dwell=Exponential(0.05), g2_zero=0.1, detectors=Detectors(dark_cps=(120.0, 95.0)),
    ).stream  # fmt: skip
    held = piece.load()
    length = round(piece.duration_s * 1e9 / piece.macro_tick_ns)
    whole, rest = divmod(photons, len(held))

    def read(most: int) -> Iterator[Photons]:
        for k in range(whole + (rest > 0)):
            end = rest if k == whole else len(held)
            for low in range(0, end, most):
                part = slice(low, min(low + most, end))
                assert held.nanotime is not None
                yield Photons(held.macro[part] + k * length, held.nanotime[part], held.channel[part])

    counts = whole * np.bincount(held.channel, minlength=2) + np.bincount(held.channel[:rest], minlength=2)
    ticks = whole * length + (int(held.macro[rest - 1]) + 1 if rest else 0)
    return PhotonStream(
        macro_tick_ns=piece.macro_tick_ns,
        nanotime_bin_ns=piece.nanotime_bin_ns,
        sync_period_ns=piece.sync_period_ns,
        duration_s=ticks * piece.macro_tick_ns * 1e-9,
        macro_is_sync=True,
        photons_per_channel={c: int(n) for c, n in enumerate(counts)},
        source=piece.source,
        read_chunks=read,
    )


def measure(
    photons: int,
    *,
    made: bool = False,
    report: bool = False,
    analysis: bool = True,
    folder: str | None = None,
) -> dict[str, Any]:
    """Memory (MB) and wall seconds of each stage, in a process of its own; or of reading and lags alone."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        path = Path(name) / "long.parquet"
        if not made:
            write_parquet_stream(long_stream(photons), path)
        task = {
            "photons": photons,
            "path": None if made else str(path),
            "report": name if report else None,
            "analysis": analysis,
        }
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.bench_photons_memory", "--task", json.dumps(task)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(done.stderr[-2000:])
        size = path.stat().st_size if path.exists() else 0
    return {**json.loads(done.stdout.splitlines()[-1]), "file_bytes": size}


def _run(task: dict[str, Any]) -> dict[str, Any]:
    from perolux.measured.streams import read_stream
    from perolux.photons.analysis import Settings, analyse
    from perolux.photons.correlation import log_lags

    found: dict[str, Any] = {"photons": task["photons"], "stages": {}}

    def stage(name: str, work: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        _reset_mark()
        result = work()
        found["stages"][name] = {"MB": _mark(), "seconds": round(time.perf_counter() - start, 1)}
        print(name, found["stages"][name], file=sys.stderr, flush=True)
        return result

    path = task["path"]
    stage("imports", lambda: None)
    stream = stage("open", lambda: long_stream(task["photons"]) if path is None else read_stream(path))
    assert len(stream) == task["photons"]
    lags = stage("log_lags", lambda: log_lags(stream))
    found["lags"] = len(lags.g2)
    if task["analysis"]:
        analysis = stage("analyse", lambda: analyse(stream, Settings(dark_cps=(120.0, 95.0))))
        stage("as_dict", lambda: json.dumps(analysis.as_dict(), allow_nan=False))
        found["changes"] = len(analysis.segments) - 1
        found["g2_zero"] = None if analysis.g2 is None else analysis.g2.corrected
        if task["report"]:
            from perolux.reports.photons import write_photon_report

            out = Path(task["report"]) / "report"
            stage("report", lambda: write_photon_report(analysis, out, Path(path or "made")))
    found["largest_MB"] = max(one["MB"] for one in found["stages"].values())
    found["seconds"] = round(sum(one["seconds"] for one in found["stages"].values()), 1)
    return found


def _reset_mark() -> None:
    with contextlib.suppress(OSError):  # marks then only grow; the largest is still right
        Path("/proc/self/clear_refs").write_text("5")


def _mark() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) // 1000


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photons", type=lambda text: int(float(text)), default=4_000_000)
    parser.add_argument("--made", action="store_true", help="no file: photons made chunk by chunk")
    parser.add_argument("--report", action="store_true", help="write the HTML report too")
    parser.add_argument("--folder", help="where the file goes for the time of the run")
    parser.add_argument("--task", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.task:
        print(json.dumps(_run(json.loads(options.task))))
        return
    found = measure(options.photons, made=options.made, report=options.report, folder=options.folder)
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
