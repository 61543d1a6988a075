"""Memory of blinking: whether the length of a stay says anything of the next.

    r = correlation of ln(length) over pairs: on-on and off-off (a stay and the next of its kind), on-off and
    off-on (a stay and the one right after it)

Stays of a renewal process have none. The p value is that of shuffled records: lengths drawn anew among the
stays of their own kind, so that the two laws stay what they are. A slow drift of the dot gives a memory too.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["memory_of"]

FloatArray = npt.NDArray[np.float64]
_FEWEST = 20
_DRAWS = 999
_CELLS = 1_000_000  # lengths held shuffled at once
_PAIRS = ("on_on", "off_off", "on_off", "off_on")


def memory_of(
    length_s: npt.ArrayLike, is_on: npt.ArrayLike, rng: np.random.Generator, draws: int = _DRAWS
) -> dict[str, dict[str, Any]]:
    """Correlation of subsequent stays, its 95 % interval (Fisher's z) and the p value of `draws` shuffles.

    length_s, is_on: (n,), stays in order, in turn on and off. Fewer than 20 pairs, or lengths that are all
    alike: null with the reason.

    >>> rng = np.random.default_rng(0)
    >>> found = memory_of(rng.exponential(1.0, 600), np.arange(600) % 2 == 0, rng)
    >>> found["on_on"]["pairs"], found["on_on"]["p_value"] > 0.001
    (299, True)
    """
    logs = np.log(np.maximum(np.asarray(length_s, dtype=float), 1e-12))
    kind = np.asarray(is_on, dtype=bool)
    of = {"on": logs[kind], "off": logs[~kind]}
    first = "on" if len(kind) and kind[0] else "off"
    found: dict[str, dict[str, Any]] = {}
    shifts = {}
    for name in _PAIRS:
        before, after = name.split("_")
        shift = 0 if before == first and before != after else 1
        n = min(len(of[before]), len(of[after]) - shift)
        if n < _FEWEST:
            found[name] = _none(n, f"{max(n, 0)} pairs are too few")
            continue
        r = float(_correlation(of[before][None, :n], of[after][None, shift : shift + n])[0])
        if not math.isfinite(r):
            found[name] = _none(n, "the stays are all alike")
            continue
        shifts[name] = shift
        z, width = math.atanh(min(max(r, -1 + 1e-12), 1 - 1e-12)), 1.959964 / math.sqrt(n - 3)
        found[name] = {
            "correlation": r, "low95": math.tanh(z - width), "high95": math.tanh(z + width),
            "p_value": None, "pairs": n, "reason": None,
        }  # fmt: skip
    as_far = dict.fromkeys(shifts, 0)
    rows = max(1, _CELLS // max(len(logs), 1))
    for start in range(0, draws, rows):
        many = min(rows, draws - start)
        drawn = {name: rng.permuted(np.tile(values, (many, 1)), axis=1) for name, values in of.items()}
        for name, shift in shifts.items():
            before, after = name.split("_")
            n = found[name]["pairs"]
            far = np.abs(_correlation(drawn[before][:, :n], drawn[after][:, shift : shift + n]))
            as_far[name] += int(np.count_nonzero(far >= abs(found[name]["correlation"]) - 1e-12))
    for name, count in as_far.items():
        found[name]["p_value"] = (1 + count) / (1 + draws)
    return found


def _none(pairs: int, reason: str) -> dict[str, Any]:
    return {
        "correlation": None,
        "low95": None,
        "high95": None,
        "p_value": None,
        "pairs": max(pairs, 0),
        "reason": reason,
    }


def _correlation(x: npt.NDArray[Any], y: npt.NDArray[Any]) -> FloatArray:
    """Correlation of each row of x with that of y."""
    x = x - x.mean(axis=1, keepdims=True)
    y = y - y.mean(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((x * y).sum(axis=1) / np.sqrt((x * x).sum(axis=1) * (y * y).sum(axis=1)))
