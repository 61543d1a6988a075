"""Tables of the envelope's margins from finished cases: misses, growth with the emitters, coverage.

Used by `calibrate_collective_envelopes.py`; no solver runs here.
"""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.stats import beta

from perolux.collective.couplings import FloatArray
from perolux.collective.envelope import LARGEST, bare, grown, is_widened

__all__ = ["write"]

OUT = Path(__file__).parent.parent / "src" / "perolux" / "collective" / "data"
WANTED = 0.9
RESAMPLED = 400
METHODS = ("wigner", "cumulant", "diffusion")
QUANTITIES = ("rate", "population")
BANDS = ((4, 6), (7, 9), (10, 12), (13, 16))


def misses(case: dict[str, Any], times: FloatArray) -> dict[str, Any]:
    """Largest misses of the bare envelope at any time, over the excitations of the start, and heights.

    Of the rate of a full inversion from the highest burst on, else at all times.
    """
    whole = case["start"] == "all"
    inside = [name for name in METHODS if name in case["rate"]]
    rates, errors, ups = (
        np.array([case[key][name] for name in inside]) for key in ("rate", "error", "population")
    )
    rate, up = np.array(case["rate"]["truth"]), np.array(case["population"]["truth"])
    low, high = bare(times, rates, errors, int(case["excited"]))
    later = is_widened(times, high, whole)

    def away(least: FloatArray, most: FloatArray, truth: FloatArray) -> float:
        outside = np.maximum(least - truth, truth - most)
        return float(max(np.max(outside), 0.0)) / float(case["excited"])

    top = int(np.argmax(rate))
    # rounding of the start, where all methods agree
    height, room = float(rate[top]), 1e-6 * float(rate[top])
    kept = ("start", "kind", "emitters", "excited", "pitch_nm", "sigma", "dephasing", "seed")
    return {name: case[name] for name in kept} | {
        "methods": len(inside), "rate": away(low[later], high[later], rate[later]),
        "population": away(ups.min(axis=0), ups.max(axis=0), up),
        "height": height, "height_error": float(case["error"]["truth"][top]),
        "height_low": float(low.max()), "height_high": float(high.max()),
        "height_inside": "" if not whole else int(low.max() - room <= height <= high.max() + room),
    }  # fmt: skip


def growth(cases: list[dict[str, Any]], quantity: str) -> float:
    """p of mean miss = a N^p by the likelihood of a variance in proportion to the mean."""
    x = np.array([case["emitters"] for case in cases], dtype=float) / LARGEST
    s = np.array([case[quantity] for case in cases])

    def against(p: float) -> float:
        shape = x**p
        mean = shape * s.sum() / shape.sum()
        return float(np.sum(mean - s * np.log(np.maximum(mean, 1e-300))))

    return float(minimize_scalar(against, bounds=(-3.0, 3.0), method="bounded").x)


def binomial(inside: int, of: int) -> tuple[float, float]:
    """The exact 95 % interval of Clopper and Pearson."""
    low = float(beta.ppf(0.025, inside, of - inside + 1)) if inside else 0.0
    high = float(beta.ppf(0.975, inside + 1, of - inside)) if inside < of else 1.0
    return low, high


def regime(rows: list[dict[str, Any]], start: str, quantity: str) -> dict[str, Any]:
    """Margin, its growth, and coverage of one start and quantity."""
    own = [row for row in rows if row["start"] == start]
    first, second, beyond = (
        [row for row in own if row["half"] == half] for half in ("calibration", "test", "beyond")
    )
    # how it grows decides above 12 emitters alone: both halves tell
    both, rng = [*first, *second], np.random.default_rng(2)
    p = growth(both, quantity)
    others = [
        growth([both[k] for k in rng.integers(len(both), size=len(both))], quantity) for _ in range(RESAMPLED)
    ]
    error = float(np.std(others))

    def scale(row: dict[str, Any]) -> float:
        return grown(p, error, row["emitters"])

    scaled = sorted(row[quantity] / scale(row) for row in first)
    # split conformal: the k-th of n misses holds for a new case with the chance k/(n + 1)
    k = min(math.ceil((len(scaled) + 1) * WANTED), len(scaled))
    margin = float(f"{scaled[k - 1]:.4g}")

    def counted(some: list[dict[str, Any]]) -> int:
        return sum(row[quantity] <= margin * scale(row) * (1.0 + 1e-3) for row in some)

    low, high = binomial(counted(second), len(second))
    found: dict[str, Any] = {
        "start": start, "quantity": quantity, "margin_over_excitations": margin, "growth": p,
        "growth_error": error, "calibration_cases": len(first), "test_cases": len(second),
        "test_inside": counted(second), "coverage_low": low, "coverage_high": high,
        "bare_coverage": float(np.mean([row[quantity] == 0.0 for row in own])),
        "beyond_cases": len(beyond), "beyond_inside": counted(beyond),
        "beyond_most": max((row["emitters"] for row in beyond), default=LARGEST),
    }  # fmt: skip
    for least, most in BANDS:
        part = [row for row in [*second, *beyond] if least <= row["emitters"] <= most]
        found[f"inside_{least}_{most}"] = f"{counted(part)} of {len(part)}"
    return found


def write(cases: list[dict[str, Any]], times: FloatArray) -> None:
    """Both tables. times: of the courses."""
    rows = []
    # halves in each number of emitters and start, by chance
    rng = np.random.default_rng(1)
    cells: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for case in cases:
        rows.append(misses(case, times))
        cells.setdefault((case["start"], case["emitters"]), []).append(rows[-1])
    for (_, n), cell in sorted(cells.items()):
        side = int(rng.integers(2))
        for place, k in enumerate(rng.permutation(len(cell))):
            half = "calibration" if (place + side) % 2 == 0 else "test"
            cell[k]["half"] = half if n <= LARGEST else "beyond"
    regimes = [regime(rows, start, quantity) for start in ("all", "some") for quantity in QUANTITIES]
    OUT.mkdir(exist_ok=True)
    for name, table in (("envelope_cases", rows), ("envelopes", regimes)):
        with (OUT / f"{name}.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, list(table[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(
                {key: f"{v:.4g}" if isinstance(v, float) else v for key, v in row.items()} for row in table
            )
    for one in regimes:
        print(one)
    full = [row for row in rows if row["start"] == "all"]
    told = sum(int(row["height_inside"]) for row in full)
    print(f"heights of full inversions inside: {told} of {len(full)}, up to {float(times[-1]):g}/Gamma")
    for row in full:
        if not row["height_inside"]:
            print(row)
