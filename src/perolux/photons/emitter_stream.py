"""Photons of an emitter walking through its states, one jump after another: the second method for `emitter`.

Every jump is drawn (Gillespie), so that the record has all correlations of the model at all times: cascades,
shelving, blinking by charging. Cost: some 20 million jumps a second; where photons are rare, most are lost.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from perolux.errors import OptionError
from perolux.measured.photon_stream import PhotonStream, stream_of_arrays
from perolux.measured.records import FileSource
from perolux.photons.emitter import Emitter, pulse_counts, rate_matrix, stationary
from perolux.photons.simulate import Detectors, recorded

__all__ = ["emitter_stream"]

_SLICE_NS = 1e6
_MOST_JUMPS = 5e9


def emitter_stream(
    emitter: Emitter,
    *,
    duration_s: float,
    rng: np.random.Generator,
    pump_per_ns: float | None = None,
    pairs_per_pulse: float | None = None,
    sync_period_ns: float | None = None,
    tick_ns: float = 0.016,
    detectors: Detectors | None = None,
) -> PhotonStream:
    """A record of an emitter: T2 under steady light (pump_per_ns), T3 under pulses (pairs_per_pulse and
    sync_period_ns).

    It starts in the first of its states. Detection is that of the steps (`Step.detected`); the
    detectors come behind it. Raises `OptionError` for neither or both kinds of light, and for more than 5e9
    jumps.
    """
    from scipy.linalg import expm

    from perolux.photons import _jump_kernels

    pulsed = sync_period_ns is not None
    if pulsed != (pairs_per_pulse is not None) or pulsed == (pump_per_ns is not None):
        raise OptionError(
            "one kind of light",
            where="pump_per_ns, pairs_per_pulse, sync_period_ns",
            allowed="pump_per_ns, or pairs_per_pulse with sync_period_ns",
        )
    if not (math.isfinite(duration_s) and duration_s > 0):
        raise OptionError(f"a duration of {duration_s:g} s", where="duration_s", allowed="a positive number")
    duration_ns = duration_s * 1e9
    walk: Any = _jump_kernels.jumps
    pulsed_walk: Any = _jump_kernels.pulsed_jumps
    tables = _tables(emitter, 0.0 if pump_per_ns is None else pump_per_ns)
    detectors = Detectors() if detectors is None else detectors
    if pump_per_ns is not None:
        still = stationary(emitter, pump_per_ns)
        flux = float(emitter.detections.sum(axis=0) @ still)
        speed = float(-np.diag(rate_matrix(emitter, pump_per_ns)) @ still)
        _must_be_quick(speed * duration_ns)
        # bunched photons spread more than Poisson's: room for that, and a second try with more
        time, count = np.empty(0), -1
        room = int(1.5 * flux * duration_ns + 10_000)
        state = rng.bit_generator.state
        while count < 0:
            rng.bit_generator.state = state
            time = np.empty(room)
            _, count = walk(rng, 0, 0.0, duration_ns, *tables, time, 0)
            room *= 2
        time = time[:count]
        cell_ns, cells = _SLICE_NS, math.ceil(duration_ns / _SLICE_NS)
        cell = np.floor(time / cell_ns).astype(np.int64)
        fine = time - cell * cell_ns
    else:
        assert pairs_per_pulse is not None and sync_period_ns is not None
        mean = pulse_counts(emitter, pairs_per_pulse, sync_period_ns).mean
        cell_ns, cells = sync_period_ns, int(duration_ns / sync_period_ns * (1 + 1e-12))
        _must_be_quick(cells * (1 + 4 * pairs_per_pulse))
        rows = np.cumsum(expm(pairs_per_pulse * emitter.captures).T, axis=1)
        rows[:, -1] = 1.0
        count = -1
        room = int(1.5 * mean * cells + 10_000)
        state = rng.bit_generator.state
        while count < 0:
            rng.bit_generator.state = state
            cell, fine = np.empty(room, np.int64), np.empty(room)
            _, count = pulsed_walk(rng, 0, 0, cells, cell_ns, rows, *tables, cell, fine, 0)
            room *= 2
        cell, fine = cell[:count], fine[:count]
    cell, fine, channel = recorded(cell, fine, cells, cell_ns, duration_s, detectors, rng)
    source, notes = FileSource("simulated photons", "", "simulation"), ("simulated",)
    if pulsed:
        return stream_of_arrays(
            cell, channel, macro_tick_ns=cell_ns, duration_s=duration_s,
            nanotime=(fine / tick_ns).astype(np.int32), nanotime_bin_ns=tick_ns, sync_period_ns=cell_ns,
            macro_is_sync=True, source=source, notes=notes,
        )  # fmt: skip
    ticks = np.floor(cell * (cell_ns / tick_ns) + fine / tick_ns).astype(np.int64)
    return stream_of_arrays(
        ticks, channel, macro_tick_ns=tick_ns, duration_s=duration_s, source=source, notes=notes
    )


def _tables(emitter: Emitter, pump_per_ns: float) -> Any:
    """Total rates, cumulated rates, targets and odds of detection, one row for each state."""
    n = len(emitter.states)
    ways: list[list[tuple[float, int, float]]] = [[] for _ in range(n)]
    for step in emitter.steps:
        rate = step.rate_per_ns * (pump_per_ns if step.kind == "pump" else 1.0)
        if rate > 0:
            ways[emitter.index(step.start)].append((rate, emitter.index(step.end), step.detected))
    most = max(1, *(len(one) for one in ways))
    cumulated, targets = np.full((n, most), np.inf), np.zeros((n, most), np.int64)
    odds, out = np.zeros((n, most)), np.zeros(n)
    for k, one in enumerate(ways):
        for j, (rate, end, odd) in enumerate(one):
            out[k] += rate
            cumulated[k, j], targets[k, j], odds[k, j] = out[k], end, odd
        if one:
            cumulated[k, len(one) - 1] = np.inf  # rounding must not lead past the last
    return out, cumulated, targets, odds


def _must_be_quick(jumps: float) -> None:
    if jumps > _MOST_JUMPS:
        raise OptionError(
            f"{jumps:.3g} jumps", allowed="5e9", fix="shorten the record, or use `perolux.photons.simulate`"
        )
