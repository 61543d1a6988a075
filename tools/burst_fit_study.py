"""Runs `perolux.collective.backwards.study` over seeds and prints its table.

    python tools/burst_fit_study.py OUT.jsonl --seeds 0 20 [--photons 10000] [--typical] [--alone]

Results are appended, a line each; what OUT holds already is not run again. --alone fits the true model only:
for intervals, five times as quick.
"""

from __future__ import annotations

import argparse
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import kstest

from perolux.collective.backwards.models import MODELS
from perolux.collective.backwards.study import study_set


def table(rows: list[dict[str, Any]]) -> list[str]:
    """Wins, coverage with its binomial error, and how often a model of a given probability was true."""
    told = [f"{'typical' if rows[0]['typical'] else 'prior'}: {len(rows)} sets"]
    for name in MODELS:
        own = [x for x in rows if x["truth"] == name]
        if not own:
            continue
        met = [x for x in own if x.get("rivals", True)]
        wins, by_bic = (sum(x[key] == name for x in met) for key in ("winner", "by_bic"))
        mean = sum(x["probabilities"][name] for x in met) / max(len(met), 1)
        told.append(
            f"{name:18s} {len(met):4d} sets with rivals: wins {wins}, by BIC {by_bic}, mean probability "
            f"{mean:.2f}"
        )
        told.append(f"    {len(own)} sets, 95 %: {_covered(own, 0.475)}, 50 %: {_covered(own, 0.25)}")
        for key in own[0]["ranks"]:
            r = np.array([x["ranks"][key] for x in own])
            told.append(
                f"    {key:22s} 95 %: {sum(x['hits'][key] for x in own)}/{len(own)}, 50 %: "
                f"{np.mean(np.abs(r - 0.5) < 0.25):.3f}, below {np.sum(r < 0.025)}, above "
                f"{np.sum(r > 0.975)}, uniform ranks p = {kstest(r, 'uniform').pvalue:.3f}, left "
                f"{np.median([x['left'][key] for x in own]):.2f}"
            )
    edges = np.array([0.0, 0.01, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 1.01])
    met = [x for x in rows if x.get("rivals", True)]
    given = np.array([p for x in met for p in x["probabilities"].values()])
    true = np.array([key == x["truth"] for x in met for key in x["probabilities"]])
    for low, high in pairwise(edges):
        inside = (given >= low) & (given < high)
        if inside.any():
            told.append(
                f"    probability {low:.2f} to {min(high, 1.0):.2f}: {inside.sum()} cases, mean "
                f"{given[inside].mean():.3f}, true {true[inside].mean():.3f} "
                f"({true[inside].sum()}, expected {given[inside].sum():.1f} +- "
                f"{np.sqrt(np.sum(given[inside] * (1 - given[inside]))):.1f})"
            )
    return told


def _covered(rows: list[dict[str, Any]], half: float) -> str:
    """Truths within `half` of the middle of their posteriors; parameters of a set err together."""
    inside = [[abs(rank - 0.5) < half for rank in x["ranks"].values()] for x in rows]
    shares = np.array([np.mean(one) for one in inside])
    hits, count = sum(sum(one) for one in inside), sum(len(one) for one in inside)
    error = shares.std(ddof=1) / np.sqrt(len(rows)) if len(rows) > 1 else np.nan
    return f"{hits}/{count} = {hits / count:.3f} +- {error:.3f}"


def main() -> None:
    """Run and append; print the table of all that is there."""
    read = argparse.ArgumentParser()
    read.add_argument("out", type=Path)
    read.add_argument("--seeds", type=int, nargs=2, default=(0, 20))
    read.add_argument("--photons", type=float, default=10_000.0)
    read.add_argument("--typical", action="store_true")
    read.add_argument("--alone", action="store_true")
    told = read.parse_args()
    done = [json.loads(line) for line in told.out.read_text().splitlines()] if told.out.exists() else []
    for seed in range(*told.seeds):
        for name in MODELS:
            if not any((x["truth"], x["seed"], x["typical"]) == (name, seed, told.typical) for x in done):
                found = study_set(
                    name, seed, told.photons, typical=told.typical, rivals=not told.alone
                )  # fmt: skip
                done.append(found)
                with told.out.open("a") as file:
                    file.write(json.dumps(found) + "\n")
    for typical in (False, True):
        rows = [x for x in done if x["typical"] == typical]
        if rows:
            print("\n".join(table(rows)))


if __name__ == "__main__":
    main()
