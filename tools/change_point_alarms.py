"""Simulate `src/perolux/photons/false_alarms.csv`: changes that the search sees where the rate never changes.

    python tools/change_point_alarms.py [millions of photons, 40]

Light of constant rate in stretches of a million photons (exponential gaps, default_rng(k) for stretch k).
Thresholds at which fewer than five were seen are extrapolated by the slope of the last three.
"""

import csv
import io
import sys
from pathlib import Path

import numpy as np

from perolux.files import write_text
from perolux.photons.change_points import change_points

THRESHOLDS = (4.0, 4.5, 5.0, 5.5, 6.0, 6.5, 7.0, 7.5, 8.0, 9.0, 10.0, 12.0)
TARGET = Path(__file__).parent.parent / "src/perolux/photons/false_alarms.csv"


def main(millions: int) -> None:
    """Count, extrapolate, write the table."""
    counted = np.zeros(len(THRESHOLDS), dtype=int)
    searched = np.zeros(len(THRESHOLDS), dtype=int)
    for k in range(millions):
        time_s = np.cumsum(np.random.default_rng(k).exponential(1.0, 1_000_000))
        for i, threshold in enumerate(THRESHOLDS):
            if threshold < 6 and k >= millions // 4:
                continue
            counted[i] += len(change_points(time_s, threshold=threshold)) - 1
            searched[i] += 1
    rate = counted / searched
    sure = np.flatnonzero(counted >= 5)
    slope, level = np.polyfit(np.array(THRESHOLDS)[sure[-3:]], np.log(rate[sure[-3:]]), 1)
    out = io.StringIO()
    out.write("# False alarms of the search for changes of rate, in light of constant rate (computed).\n")
    out.write("# By tools/change_point_alarms.py: seen = 0 to 4 is extrapolated from the last three above.\n")
    table = csv.writer(out, lineterminator="\n")
    table.writerow(["threshold", "per_million_photons", "seen", "million_photons"])
    for i, threshold in enumerate(THRESHOLDS):
        value = rate[i] if counted[i] >= 5 else np.exp(slope * threshold + level)
        table.writerow([threshold, f"{value:.3g}", counted[i], searched[i]])
    write_text(TARGET, out.getvalue())
    print(out.getvalue())


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
