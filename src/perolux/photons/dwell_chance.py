"""The chance that the search for changes finds a dwell, from a table made by simulation.

A dwell of length t at rate r between long stretches of rate q brings ln-likelihood r t ln(r/q) - (r - q) t on
the mean, and its two changes must bring twice the threshold. With

    t = x 2 threshold/|r ln(r/q) - (r - q)|

the chance rises from 0 to 1 about x = 1, later where the contrast is strong and few photons decide.
`dwell_chance.csv` holds it against threshold, r/q and x (tools/make_dwell_chance.py). The formula of
`dwell_times.detection_chance`, which knows the rates and the edges, is the check: both agree to 0.15 for
rates within a factor of four, and the table is right beyond.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError

__all__ = ["found_chance", "length_of_chance"]

FloatArray = npt.NDArray[np.float64]
Chance = Callable[[npt.ArrayLike], FloatArray]


def found_chance(rate_cps: float, other_cps: float, threshold: float) -> Chance:
    """Chance that a dwell of length t (s) at rate_cps between long stretches at other_cps is found.

    Interpolated linearly in the threshold, ln(rate/other) and ln t; 0 towards t = 0, 1 beyond the table.
    Rates more than a thousand apart are taken as a thousand apart: one of them is dark. Raises
    `OptionError` for rates closer than 1.4 to 1 and thresholds outside 5 to 12.

    >>> chance = found_chance(2e4, 8e4, 9.0)
    >>> chance([1e-4, 1e-3, 5e-3]).round(2).tolist()
    [0.0, 0.98, 1.0]
    """
    thresholds, ratios, scaled, shares = _table()
    if min(rate_cps, other_cps) < 0 or max(rate_cps, other_cps) <= 0:
        raise OptionError("rates of 0 or more are needed, one of them above 0")
    top = max(rate_cps, other_cps)
    ratio = max(rate_cps, 1e-3 * top) / max(other_cps, 1e-3 * top)
    if not thresholds[0] <= threshold <= thresholds[-1]:
        raise OptionError(
            f"the chance to find a dwell is not known at a threshold of {threshold:g}",
            where="threshold",
            allowed=f"{thresholds[0]:g} to {thresholds[-1]:g}",
        )
    side = ratios < 1 if ratio < 1 else ratios > 1
    logs = np.log(ratios[side])
    if not logs[0] - 1e-9 <= math.log(ratio) <= logs[-1] + 1e-9:
        raise OptionError(
            f"rates of {rate_cps:.4g} and {other_cps:.4g} 1/s are too close to tell how dwells are missed",
            allowed=f"a ratio of {math.exp(logs[0]):.3g} or more"
            if ratio > 1
            else f"a ratio of {math.exp(logs[-1]):.3g} or less",
        )
    found = np.array(
        [
            np.interp(
                math.log(ratio), logs, [np.interp(threshold, thresholds, s) for s in shares[:, side, k].T]
            )
            for k in range(len(scaled))
        ]
    )
    found = np.maximum.accumulate(found)
    unit = 2 * threshold / abs(ratio * math.log(ratio) - (ratio - 1)) / (max(other_cps, 1e-3 * top))

    def chance(t: npt.ArrayLike) -> FloatArray:
        x = np.asarray(t, dtype=float) / unit
        inside = np.interp(np.log(np.maximum(x, 1e-12)), np.log(scaled), found, right=1.0)
        # below the table the chance falls to nothing with the length
        return np.asarray(np.where(x < scaled[0], found[0] * np.maximum(x, 0.0) / scaled[0], inside))

    return chance


def length_of_chance(chance: Chance, share: float) -> float:
    """Length (s) from which on a dwell is found with at least the chance `share`, to a per cent."""
    t = np.geomspace(1e-9, 1e5, 32_000)
    return float(t[np.argmax(chance(t) >= share)])


@cache
def _table() -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Thresholds, ratios, scaled lengths, and shares (thresholds, ratios, lengths)."""
    text = files("perolux.photons").joinpath("dwell_chance.csv").read_text("utf-8")
    rows = list(csv.reader(line for line in text.splitlines() if not line.startswith("#")))
    scaled = np.array([float(name.removeprefix("at_")) for name in rows[0][2:]])
    values = np.array([[float(cell) for cell in row] for row in rows[1:]])
    thresholds, ratios = np.unique(values[:, 0]), np.unique(values[:, 1])
    return thresholds, ratios, scaled, values[:, 2:].reshape(len(thresholds), len(ratios), -1)
