"""Run the benchmarks of the rooms, name the machine, save the results and the table of the documentation."""

from __future__ import annotations

import importlib
import os
import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from perolux.errors import OptionError
from perolux.files import write_json, write_text

__all__ = ["ROOMS", "machine", "markdown", "run", "save"]

HERE = Path(__file__).parent
ROOMS: tuple[str, ...] = tuple(sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py")))
"""Rooms that have a `bench_<room>.py`."""

_PACKAGES = (
    "perolux", "numpy", "scipy", "xarray", "pandas", "lmfit", "pybaselines", "lumispy", "colour-science",
    "qutip",
)  # fmt: skip


def machine() -> dict[str, Any]:
    """Cores, load when asked, Python, and the versions of the libraries and peers that are present."""
    versions: dict[str, str | None] = {}
    for name in _PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = None
    return {
        "cores": os.cpu_count(),
        "architecture": platform.machine(),
        "system": platform.system(),
        "load_1min": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "threads": os.environ.get("OMP_NUM_THREADS"),
        "python": platform.python_version(),
        "versions": versions,
    }


def run(rooms: Iterable[str] | None = None) -> dict[str, Any]:
    """Run the benchmarks of the rooms given (all where None): machine, date and rows, each row with its room.

    Raises `OptionError` for a room without benchmarks.
    """
    wanted = tuple(rooms) if rooms is not None else ROOMS
    unknown = [room for room in wanted if room not in ROOMS]
    if unknown:
        raise OptionError(f"no benchmarks of {', '.join(unknown)}", allowed=", ".join(ROOMS))
    results: dict[str, Any] = {"date": f"{datetime.now(UTC):%Y-%m-%d}", "machine": machine(), "rows": []}
    for room in wanted:
        for row in importlib.import_module(f"benchmarks.bench_{room}").run():
            results["rows"].append({"room": room, **row})
    return results


def save(results: dict[str, Any], root: Path = HERE.parent) -> tuple[Path, Path]:
    """Write `benchmarks/results.json` and `docs/benchmarks.md` under `root`; returns both paths.

    Rooms that were not run this time keep their last rows, marked with the date and machine of that run.
    """
    path = root / "benchmarks" / "results.json"
    merged = _merged(path, results)
    return write_json(path, merged), write_text(root / "docs" / "benchmarks.md", markdown(merged))


def markdown(results: dict[str, Any]) -> str:
    """The table of the documentation."""
    about = results["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in about["versions"].items() if number)
    lines = [
        "# Benchmarks",
        "",
        "CPU seconds, medians over repeats after a warm-up; a peer ran in the same process on the same",
        "input. *ratio* is the peer's time over ours: above 1 means that perolux is quicker. Speed is never",
        "tested, it is measured: `make bench` makes this page.",
        "",
        f"Machine: {about['cores']} cores ({about['architecture']}, {about['system']}), "
        f"load {about['load_1min']}, Python {about['python']}. {versions}. Date: {results['date']}.",
        "",
    ]
    for room in dict.fromkeys(row["room"] for row in results["rows"]):
        lines += [f"## {room}", "", "| what | perolux | peer | peer's time | ratio | accuracy | note |"]
        lines.append("|---|---|---|---|---|---|---|")
        for row in results["rows"]:
            if row["room"] == room:
                peer_seconds, ratio = row["peer_seconds_median"], row["ratio"]
                cells = (
                    row["name"],
                    _seconds(row["seconds_median"]),
                    row["peer"] or "–",
                    "" if peer_seconds is None else _seconds(peer_seconds),
                    "" if ratio is None else f"{ratio:.3g}",
                    row["accuracy"] or "",
                    "; ".join(text for text in (row["note"], _older(row, results)) if text),
                )
                lines.append("| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |")
        lines.append("")
    return "\n".join(lines)


def _older(row: dict[str, Any], results: dict[str, Any]) -> str:
    date = row.get("date", results["date"])
    return "" if date == results["date"] else f"run of {date}"


def _merged(path: Path, results: dict[str, Any]) -> dict[str, Any]:
    import json

    if not path.is_file():
        return results
    earlier = json.loads(path.read_text("utf-8"))
    fresh = {row["room"] for row in results["rows"]}
    kept = [
        {"date": earlier["date"], **row}
        for row in earlier["rows"]
        if row["room"] not in fresh and row["room"] in ROOMS
    ]
    # rows that are kept may name peers that this environment lacks
    before, now = earlier["machine"].get("versions", {}), results["machine"]["versions"]
    versions = {name: now.get(name) or before.get(name) for name in {**before, **now}}
    machine = {**results["machine"], "versions": versions}
    return {
        **results,
        "machine": machine,
        "rows": sorted([*kept, *results["rows"]], key=lambda row: ROOMS.index(row["room"])),
    }


def _seconds(value: float) -> str:
    if value >= 1.0:
        return f"{value:.3g} s"
    return f"{value * 1e3:.3g} ms" if value >= 1e-3 else f"{value * 1e6:.3g} µs"
