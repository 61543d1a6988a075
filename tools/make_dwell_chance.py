"""Simulate `src/perolux/photons/dwell_chance.csv`: the chance that a dwell between long neighbours is found.

    python tools/make_dwell_chance.py [dwells a point, 800]

Dwells of one length at the rate `ratio` stand between stretches of rate 1, all in one record that is searched
as any other is. A dwell is found where two changes or more lie about it (up to an eighth of a neighbour).
Lengths are multiples of the length at which the expected gain in log-likelihood is twice the threshold:

    t = scaled * 2 threshold/|ratio ln(ratio) - (ratio - 1)|

default_rng(k) for point k. Once three points in a row are all found, longer ones are taken as found.
"""

import csv
import io
import sys
from pathlib import Path

import numpy as np

from perolux.files import write_text
from perolux.photons.change_points import change_points

THRESHOLDS = (5.0, 7.0, 9.0, 12.0)
RATIOS = (0.001, 0.015625, 0.0625, 0.125, 0.25, 0.5, 0.7, 1.4, 2.0, 4.0, 8.0, 16.0, 64.0, 1000.0)
SCALED = (0.2, 0.3, 0.4, 0.5, 0.63, 0.8, 1.0, 1.25, 1.6, 2.0, 2.5, 3.2, 4.0, 5.0, 6.3, 8.0, 10.0, 13.0)
TARGET = Path(__file__).parent.parent / "src/perolux/photons/dwell_chance.csv"


def found_share(ratio: float, length: float, threshold: float, dwells: int, seed: int) -> float:
    """Share of dwells of `length` at rate `ratio` between long stretches of rate 1 that are found."""
    rng = np.random.default_rng(seed)
    beside = max(1000.0, 5 * length)
    counts = np.stack([rng.poisson(beside, dwells), rng.poisson(length * ratio, dwells)], axis=1)
    counts[-1, 1] = 0  # the last stretch has a neighbour behind it
    start = np.arange(dwells) * (beside + length)
    edges = np.stack([start, start + beside], axis=1)
    widths = np.tile([beside, length], dwells)
    time = np.repeat(edges.ravel(), counts.ravel()) + np.repeat(widths, counts.ravel()) * rng.random(
        counts.sum()
    )
    # sorted within each stretch, for stretches follow one another
    changes = change_points(np.sort(time), dwells * (beside + length) - length, threshold=threshold).change_s
    low = np.searchsorted(changes, edges[:-1, 1] - beside / 8)
    high = np.searchsorted(changes, edges[:-1, 1] + length + beside / 8)
    return float(np.mean(high - low >= 2))


def main(dwells: int) -> None:
    """Simulate all points, write the table."""
    out = io.StringIO()
    out.write(
        "# Chance that a dwell between long neighbours is found by the search for changes (computed).\n"
    )
    out.write(
        f"# By tools/make_dwell_chance.py, {dwells} dwells a point; columns and lengths as told there.\n"
    )
    table = csv.writer(out, lineterminator="\n")
    table.writerow(["threshold", "ratio", *(f"at_{x:g}" for x in SCALED)])
    seed = 0
    for threshold in THRESHOLDS:
        for ratio in RATIOS:
            unit = 2 * threshold / abs(ratio * np.log(ratio) - (ratio - 1))
            row: list[float] = []
            for x in SCALED:
                seed += 1
                sure = len(row) >= 3 and min(row[-3:]) == 1.0
                row.append(1.0 if sure else found_share(ratio, x * unit, threshold, dwells, seed))
            table.writerow([threshold, ratio, *(f"{x:.4g}" for x in row)])
            print(threshold, ratio, row, flush=True)
    write_text(TARGET, out.getvalue())


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 800)
