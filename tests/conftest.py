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
    """Groups that run in one process come first: they are long, and nothing may wait for them at the end."""
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)
