"""CPU seconds of a function: medians over repeats after a warm-up; and how to write a benchmark's row."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["cpu_of_command", "median_cpu", "row"]


def median_cpu(
    function: Callable[[], Any], repeats: int = 5, warm_up: int = 1, at_least_s: float = 0.02
) -> float:
    """Median CPU seconds (all threads of this process) of one call.

    A quick function is called often enough in one measurement that the measurement lasts `at_least_s`.
    """
    for _ in range(warm_up):
        function()
    start = time.process_time()
    function()
    once = time.process_time() - start
    calls = max(1, int(at_least_s / max(once, 1e-7)))
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        for _ in range(calls):
            function()
        seconds.append((time.process_time() - start) / calls)
    return statistics.median(seconds)


def cpu_of_command(arguments: Sequence[str], repeats: int = 3) -> float:
    """Median CPU seconds (user and system) of a Python command, started afresh each time."""
    import resource

    seconds = []
    for _ in range(repeats + 1):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(seconds[1:])


def row(
    name: str,
    seconds_median: float,
    *,
    peer: str | None = None,
    peer_seconds: float | None = None,
    accuracy: str = "",
    note: str = "",
) -> dict[str, Any]:
    """One line of the table. ratio = peer's seconds over ours: above 1 means that perolux is quicker."""
    return {
        "name": name,
        "peer": peer,
        "seconds_median": seconds_median,
        "peer_seconds_median": peer_seconds,
        "ratio": None if peer_seconds is None else peer_seconds / seconds_median,
        "accuracy": accuracy or None,
        "note": note or None,
    }
