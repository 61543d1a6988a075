"""Runs `perolux.collective.backwards.study` over seeds and prints its table.

    python tools/burst_fit_study.py OUT.jsonl --seeds 0 20 [--photons 10000] [--typical]

Results are appended, a line each; what OUT holds already is not run again.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from perolux.collective.backwards.models import MODELS
from perolux.collective.backwards.study import study_set


def main() -> None:
    """Run and append; print the table of all that is there."""
    read = argparse.ArgumentParser()
    read.add_argument("out", type=Path)
    read.add_argument("--seeds", type=int, nargs=2, default=(0, 20))
    read.add_argument("--photons", type=float, default=10_000.0)
    read.add_argument("--typical", action="store_true")
    told = read.parse_args()
    done = [json.loads(line) for line in told.out.read_text().splitlines()] if told.out.exists() else []
    for seed in range(*told.seeds):
        for name in MODELS:
            if not any((x["truth"], x["seed"], x["typical"]) == (name, seed, told.typical) for x in done):
                found = study_set(name, seed, told.photons, typical=told.typical)
                done.append(found)
                with told.out.open("a") as file:
                    file.write(json.dumps(found) + "\n")
    for typical in (False, True):
        for name in MODELS:
            rows = [x for x in done if x["truth"] == name and x["typical"] == typical]
            if rows:
                hits = [hit for x in rows for hit in x["hits"].values()]
                print(
                    f"{'typical' if typical else 'prior':8s}{name:18s} {len(rows):3d} sets: wins "
                    f"{sum(x['winner'] == name for x in rows)}, "
                    f"by BIC {sum(x['by_bic'] == name for x in rows)}, "
                    f"intervals {sum(hits)}/{len(hits)}, mean probability of the truth "
                    f"{np.mean([x['probability_of_truth'] for x in rows]):.2f}"
                )


if __name__ == "__main__":
    main()
