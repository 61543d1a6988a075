"""What every test shares: no window opens, hypothesis does not judge by the clock of a busy machine."""

from __future__ import annotations

import os

import hypothesis

# Set before matplotlib is first imported anywhere.
os.environ.setdefault("MPLBACKEND", "agg")

# Time limits per example would fail at random on a shared machine; the tiers bound the time instead.
hypothesis.settings.register_profile(
    "perolux", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("perolux")


def pytest_collection_modifyitems(items):
    """The longest test starts first: nothing has to wait for it at the end."""
    items.sort(key=lambda item: item.name != "test_slow_rows_of_the_inversion")
