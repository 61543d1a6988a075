"""Measures the CPU seconds of each test and writes tests/slow.txt, the tests that the quick tier leaves out.

    python tools/slow_tests.py --measure     runs the quick tier, notes seconds, adds what takes too long
    python tools/slow_tests.py FILE          the same from the notes of an earlier run (below)

A run of pytest with PEROLUX_TEST_SECONDS=FILE appends one line per test (seconds, name) to FILE. The seconds
are those of the processor, of the test and of programs that it started: a busy machine changes them little.
A test with parameters counts by its slowest case, but each row of the validation and each page for itself.
Compiled kernels are kept between runs: measure twice on a fresh clone and take the second.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
LIST = ROOT / "tests" / "slow.txt"
MOST_CPU_S = 0.3
"""400 tests lie above it and take seven tenths of the quick tier's time."""
BY_CASE = ("tests/validation/test_rows.py", "tests/test_doctests.py")
HEAD = f"# Written by tools/slow_tests.py: tests that take more than {MOST_CPU_S} s of a processor.\n"


def entry(name: str) -> str:
    """The name by which a test is listed: without its parameters, but for rows and pages."""
    return name if name.startswith(BY_CASE) else name.split("[")[0]


def above(notes: str) -> set[str]:
    """Names of the tests that took more than `MOST_CPU_S`."""
    slowest: Counter[str] = Counter()
    for line in notes.splitlines():
        seconds, name = line.split(" ", 1)
        slowest[entry(name)] = max(slowest[entry(name)], float(seconds))  # type: ignore[assignment]
    return {name for name, seconds in slowest.items() if seconds > MOST_CPU_S}


def main() -> None:
    """Adds what takes too long to the list and drops what is no more."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notes", nargs="?", type=Path, default=ROOT / ".pytest_cache" / "seconds.txt")
    parser.add_argument("--measure", action="store_true")
    chosen = parser.parse_args()
    if chosen.measure:
        chosen.notes.parent.mkdir(exist_ok=True)
        chosen.notes.unlink(missing_ok=True)
        words = [sys.executable, "-m", "pytest", "-q", "-n", "2", "-m", "not slow and not long"]
        noted = os.environ | {"PEROLUX_TEST_SECONDS": str(chosen.notes)}
        subprocess.run(words, cwd=ROOT, check=False, env=noted)
    listed = set(LIST.read_text("utf-8").splitlines()[1:]) if LIST.exists() else set()
    new = above(chosen.notes.read_text("utf-8")) - listed
    kept = {name for name in listed if (ROOT / name.split("::")[0]).exists()}
    LIST.write_text(HEAD + "".join(f"{name}\n" for name in sorted(kept | new)), encoding="utf-8")
    print(f"{len(new)} new of {len(kept | new)} in {LIST.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
