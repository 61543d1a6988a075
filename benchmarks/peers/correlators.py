"""Correlate one made stream with pycorrelate or tttrlib, in a process of its own.

    python -m benchmarks.peers.correlators pycorrelate|tttrlib PHOTONS

Prints one JSON object: seconds (CPU, without import and compiling), photons, pairs or lags. pycorrelate is
GPL: it is called, never imported by perolux.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

__all__ = ["made_stream"]

PERIOD_NS, BIN_NS = 200.0, 0.1
IntArray = npt.NDArray[np.int64]


def made_stream(photons: int, seed: int = 0) -> tuple[IntArray, IntArray, npt.NDArray[np.uint8]]:
    """Pulses with geometric gaps (0.02 photons a pulse, 200 ns), exponential delays of 10 ns, two channels.

    Returns sync index, nanotime bin of 0.1 ns, channel, all (photons,).
    """
    rng = np.random.default_rng(seed)
    sync = np.cumsum(rng.geometric(0.02, photons))
    nano = (rng.exponential(10.0, photons) / BIN_NS).astype(np.int64)
    return sync, nano, rng.integers(0, 2, photons).astype(np.uint8)


def main(peer: str, photons: int) -> None:
    """Run one peer and print what it took."""
    sync, nano, channel = made_stream(photons)
    result = {"pycorrelate": _pycorrelate, "tttrlib": _tttrlib}[peer](sync, nano, channel)
    print(json.dumps({"peer": peer, "photons": photons, **result}))


def _seconds(function: Callable[[], object]) -> tuple[float, object]:
    start = time.process_time()
    found = function()
    return time.process_time() - start, found


def _pycorrelate(sync: IntArray, nano: IntArray, channel: npt.NDArray[np.uint8]) -> dict[str, float]:
    from pycorrelate import pcorrelate

    time_bins = np.sort(sync * round(PERIOD_NS / BIN_NS) + nano)
    a, b = time_bins[channel == 0], time_bins[channel == 1]
    edges = np.arange(0, 10_001, 10)  # 0 to 1 us in bins of 1 ns: one side of the window
    pcorrelate(a[:1000], b[:1000], edges)
    seconds, counts = _seconds(lambda: pcorrelate(a, b, edges))
    return {"seconds": 2 * seconds, "pairs_one_side": float(np.sum(counts))}  # type: ignore[arg-type]


def _tttrlib(sync: IntArray, nano: IntArray, channel: npt.NDArray[np.uint8]) -> dict[str, float]:
    import tttrlib

    del nano
    a, b = sync[channel == 0].astype(np.uint64), sync[channel == 1].astype(np.uint64)

    def correlate() -> object:
        made = tttrlib.Correlator()
        made.n_bins, made.n_casc, made.method = 9, 25, "felekyan"
        made.set_events(a, np.ones(len(a)), b, np.ones(len(b)))
        return np.array(made.x_axis) * PERIOD_NS, np.array(made.correlation)

    correlate()
    runs = sorted((_seconds(correlate) for _ in range(3)), key=lambda one: one[0])
    seconds, (lag_ns, g2) = runs[1]  # type: ignore[misc]
    far = np.abs(g2[(lag_ns > 1e7) & (lag_ns < 1e10)] - 1).max()
    return {"seconds": seconds, "lags": float(np.size(g2)), "far": float(far)}


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
