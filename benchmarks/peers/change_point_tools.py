"""A published search for changes of rate beside ours, at matched false alarms: AMOLF CPA.

    git clone https://github.com/AMOLFResonantNanophotonics/CPA
    git -C CPA checkout b3f4bbc
    python -m benchmarks.peers.change_point_tools CPA/Scripts_process_data [steady records, 20]

The tool (CC0; Palstra, Koenderink and co-workers, arXiv 2102.11044) is a script: its folder is named,
nothing of it is copied here, and of it only `CPA_functions.py` is needed. Both searches see the alternating
stream of the reference (20 and 80 kcps, dwells of 50 ms, 1e6 photons, seed 0) and steady records of 1e6
photons (default_rng(k)). A change is found where one lies within 2 ms, each counted once, nearest first.
Prints one JSON object a threshold: seconds (CPU), recall, precision, median error, false alarms per million
photons of steady light.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.photons.change_points import change_points
from perolux.photons.simulate import alternating_stream

FloatArray = npt.NDArray[np.float64]
Search = Callable[[FloatArray, float], FloatArray]
TOLERANCE_S = 2e-3
THRESHOLDS = {"perolux": (6.0, 7.0, 9.0), "AMOLF CPA": (4.0, 6.0, 8.0)}


def matched(found: FloatArray, true: FloatArray) -> FloatArray:
    """Distances of the changes that were found, nearest pairs first, none used twice."""
    distance = np.abs(found[:, None] - true[None, :])
    rows, columns = np.nonzero(distance <= TOLERANCE_S)
    free_found, free_true = np.ones(len(found), bool), np.ones(len(true), bool)
    errors = []
    for k in np.argsort(distance[rows, columns]):
        i, j = rows[k], columns[k]
        if free_found[i] and free_true[j]:
            free_found[i] = free_true[j] = False
            errors.append(distance[i, j])
    return np.array(errors)


def measure(search: Search, threshold: float, steady: int) -> dict[str, Any]:
    """Recall, precision, median error and time on the alternating stream, false alarms in steady light."""
    made = alternating_stream(np.random.default_rng(0))
    start = time.process_time()
    found = search(made.time_s, threshold)
    seconds = time.process_time() - start
    errors = matched(found, made.changes_s)
    alarms = sum(
        len(search(np.cumsum(np.random.default_rng(k).exponential(2e-5, 1_000_000)), threshold))
        for k in range(steady)
    )
    return {
        "threshold": threshold,
        "seconds": round(seconds, 3),
        "found": len(found),
        "recall": round(len(errors) / len(made.changes_s), 4),
        "precision": round(len(errors) / max(len(found), 1), 4),
        "median_error_us": round(1e6 * float(np.median(errors)), 1) if len(errors) else None,
        "false_alarms_per_million": alarms / steady if steady else None,
        "steady_millions": steady,
    }


def ours(time_s: FloatArray, threshold: float) -> FloatArray:
    """The search of perolux."""
    return change_points(time_s, threshold=threshold).change_s


def amolf(folder: Path) -> Search:
    """The search of AMOLF CPA, whose threshold is the decimal logarithm of a Bayes factor ("skepticism")."""
    if not (folder / "CPA_functions.py").is_file():
        raise SystemExit(f"{folder} holds no CPA_functions.py: name the folder Scripts_process_data")
    sys.path.insert(0, str(folder))
    import CPA_functions

    def search(time_s: FloatArray, threshold: float) -> FloatArray:
        ticks = np.rint(time_s * 1e12).astype(np.int64)  # two photons in one tick would give it NaN
        index, _ = CPA_functions.FindMultipleJumps(ticks, threshold, printsignal=False)
        index = np.asarray(index)
        return np.asarray(time_s[index[index > 0]])

    return search


def main(folder: str, steady: int) -> None:
    """Measure both at their thresholds."""
    ours(alternating_stream(1, photons=20_000).time_s, 9.0)  # compile
    tools = {"perolux": ours, "AMOLF CPA": amolf(Path(folder))}
    for name, search in tools.items():
        for threshold in THRESHOLDS[name]:
            print(json.dumps({"tool": name, **measure(search, threshold, steady)}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 20)
