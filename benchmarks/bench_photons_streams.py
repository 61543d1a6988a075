"""Correlation of ten million photons, changes of rate in a million, a whole record to its report.

Memory of long records: `bench_photons_memory`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.change_point_tools import amolf, measure
from benchmarks.peers.correlators import BIN_NS, PERIOD_NS, made_stream
from benchmarks.timing import cpu_of_command, median_cpu, row
from perolux.measured.photon_stream import PhotonStream, stream_of_arrays
from perolux.measured.stream_parquet import write_parquet_stream
from perolux.photons.change_points import change_points
from perolux.photons.correlation import log_lags, pairs
from perolux.photons.dwells import Exponential
from perolux.photons.simulate import Detectors, alternating_stream, simulate_stream
from perolux.validation.photons_streams import alternating

PHOTONS = 10_000_000
BY_PYCORRELATE = 100_000


def run() -> list[dict[str, Any]]:
    """The rows; peers run in processes of their own, where they are installed."""
    sync, nano, channel = made_stream(PHOTONS)
    stream = stream_of_arrays(
        sync, channel, nanotime=nano, nanotime_bin_ns=BIN_NS,
        macro_tick_ns=PERIOD_NS, sync_period_ns=PERIOD_NS,
        duration_s=(int(sync[-1]) + 1) * PERIOD_NS * 1e-9,
    )  # fmt: skip
    window = median_cpu(lambda: pairs(stream, window_ns=1000.0, width_ns=1.0), repeats=3)
    lags = median_cpu(lambda: log_lags(stream), repeats=3)
    py, py_note = _peer("pycorrelate", BY_PYCORRELATE)
    tttr, tttr_note = _peer_told("tttrlib", PHOTONS)
    made = alternating_stream(np.random.default_rng(0))
    changes = median_cpu(lambda: change_points(made.time_s), repeats=3)
    return [
        row(
            "g2 of 1e7 photons, +-1 us in bins of 1 ns",
            window,
            peer="pycorrelate" if py is not None else None,
            peer_seconds=None if py is None else py * PHOTONS / BY_PYCORRELATE,
            accuracy=f"{int(pairs(stream, window_ns=1000.0, width_ns=1.0).counts.sum())} pairs, all of them",
            note=py_note
            if py is None
            else f"pycorrelate: {BY_PYCORRELATE} photons, scaled, without compiling",
        ),
        row(
            "logarithmic lags of 1e7 photons",
            lags,
            peer="tttrlib (felekyan)" if tttr is not None else None,
            peer_seconds=tttr["seconds"] if tttr else None,
            accuracy=_lag_accuracy(stream, tttr),
            note=tttr_note or "felekyan is tttrlib's quickest method; it leaves some lags out",
        ),
        changes_row(changes),
        *_whole_record(),
    ]


def changes_row(seconds: float) -> dict[str, Any]:
    """The search for changes; beside AMOLF CPA where the variable AMOLF_CPA names its folder of scripts."""
    told = f"recall {alternating('recall'):.3f}, precision {alternating('precision'):.3f}, seeds 0 to 2"
    folder = os.environ.get("AMOLF_CPA")
    if folder is None:
        note = "AMOLF CPA is no package: name its folder in AMOLF_CPA (benchmarks.peers.change_point_tools)"
        return row("changes of rate in 1e6 photons, 391 true", seconds, accuracy=told, note=note)
    peer = measure(amolf(Path(folder)), 8.0, 0)
    return row(
        "changes of rate in 1e6 photons, 391 true",
        seconds,
        peer="AMOLF CPA (b3f4bbc)",
        peer_seconds=peer["seconds"],
        accuracy=f"{told}; peer: recall {peer['recall']:.3f}, precision {peer['precision']:.3f}, seed 0",
        note="thresholds without a false alarm in 1e7 photons of steady light: ours 9, the peer's default 8",
    )


def _peer(name: str, photons: int) -> tuple[float | None, str]:
    found, note = _peer_told(name, photons)
    return None if found is None else found["seconds"], note


def _peer_told(name: str, photons: int) -> tuple[dict[str, float] | None, str]:
    if find_spec(name) is None:
        return None, f"{name} is not installed"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.peers.correlators", name, str(photons)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        return None, f"{name} ended with {done.returncode}"
    return json.loads(done.stdout.splitlines()[-1]), ""


def _whole_record() -> list[dict[str, Any]]:
    made = simulate_stream(
        [(2e4, 4.0), (6e4, 9.0), (1.2e5, 18.0)], duration_s=60.0,
        rng=np.random.default_rng(1), sync_period_ns=100.0,
        dwell=Exponential(0.05), g2_zero=0.1, detectors=Detectors(dark_cps=(120.0, 95.0)),
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        path = write_parquet_stream(made.stream, Path(folder) / "dot.parquet")
        command = ["-m", "perolux", "photons", str(path), "--dark-cps", "120,95"]
        seconds = cpu_of_command([*command, "--out", str(Path(folder) / "report"), "--replace"])
    return [
        row(
            f"a record of 60 s and {len(made.stream) / 1e6:.1f} million photons to its report",
            seconds,
            note="command started afresh",
        )
    ]


def _lag_accuracy(stream: PhotonStream, peer: dict[str, float] | None) -> str:
    """How far g2 of unrelated light lies from 1 at long lags."""
    found = log_lags(stream)
    far = np.abs(found.g2[(found.low_ns > 1e7) & (found.high_ns < 1e10)] - 1).max()
    text = f"{len(found.g2)} lags from 200 ns to 10 s; unrelated light from 10 ms on within {far:.1e} of 1"
    return text if peer is None else f"{text}; tttrlib {peer['lags']:.0f} lags, within {peer['far']:.1e}"
