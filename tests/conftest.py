"""What every test shares: no window opens, hypothesis does not judge by the clock of a busy machine.

Slow tests carry the mark `slow` or stand in slow.txt, a measured list that tools/slow_tests.py writes.
"""

from __future__ import annotations

import os
import resource
from pathlib import Path

import hypothesis
import pytest

# Set before matplotlib is first imported anywhere.
os.environ.setdefault("MPLBACKEND", "agg")

# Time limits per example would fail at random on a shared machine; the tiers bound the time instead.
hypothesis.settings.register_profile(
    "perolux", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("perolux")

SLOW = frozenset(Path(__file__).with_name("slow.txt").read_text("utf-8").splitlines()[1:])
SECONDS = os.environ.get("PEROLUX_TEST_SECONDS")


def pytest_collection_modifyitems(items):
    """Marks what is listed as slow; the longest test starts first, so that nothing waits for it."""
    for item in items:
        if not SLOW.isdisjoint((item.nodeid, item.nodeid.split("[")[0])):
            item.add_marker(pytest.mark.slow)
    items.sort(key=lambda item: item.name != "test_slow_rows_of_the_inversion")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item, nextitem):
    """Notes the seconds of each test where PEROLUX_TEST_SECONDS names a file."""
    before = _cpu_s()
    done = yield
    if SECONDS:
        with Path(SECONDS).open("a", encoding="utf-8") as notes:
            notes.write(f"{_cpu_s() - before:.2f} {item.nodeid}\n")
    return done


def _cpu_s() -> float:
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)
