"""The peer of colours: what is said where it cannot run. Speed itself is never tested."""

from __future__ import annotations

from pathlib import Path

import numpy as np


def test_a_python_that_is_not_there_is_told(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))
    monkeypatch.setenv("PEROLUX_LUXPY", "/nowhere/python")
    from benchmarks.peers.luxpy_colour import luxpy_colours

    found = luxpy_colours(np.arange(380.0, 781.0), np.ones((1, 401)))
    assert found.seconds is None and "PEROLUX_LUXPY" in found.reason
