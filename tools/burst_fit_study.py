"""How often the true model of a burst wins, and how often its intervals hold the truth: simulated data.

    python tools/burst_fit_study.py OUT.jsonl --seeds 0 20

For each seed and each model: parameters drawn from its priors (pulse within 10 ps, 0.3 background counts per
ps), 10000 photons at each of three fluences (10, 50, 250), bins of 2 ps from -20 to 400 ps, a Gaussian
response of 4 ps; all models fitted. Drawn from the prior, 95 % intervals have to hold the truth in 95 %. With
--typical the parameters are those of examples/bursts (a clear case of each model). Results are appended, a
line each; what OUT holds already is not run again.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from perolux.collective.backwards.compare import compare_models
from perolux.collective.backwards.data import BurstData, burst_data
from perolux.collective.backwards.likelihood import burst_problem
from perolux.collective.backwards.models import MODELS
from perolux.collective.backwards.simulate import simulated_counts
from perolux.collective.instruments.response import GaussianBlur

EDGES = np.arange(-20.0, 401.0, 2.0)
FLUENCES = np.array([10.0, 50.0, 250.0])
TYPICAL = {
    "lifetime_ps": 400.0, "saturation_fluence": 100.0, "coupled_number": 20.0, "dephasing_over_gamma": 10.0,
    "uncoupled_share": 0.2, "gain_length": 10.0, "guided_share": 0.1, "transit_ps": 1.0, "auger_ps": 40.0,
    "radiative_scaling": 3.0, "second_share": 0.4, "lifetime_ratio": 0.2, "bimolecular_fluence": 50.0,
    "pulse_ps": 0.0, "background_per_ps": 0.3,
}  # fmt: skip


def axes() -> BurstData:
    """The axes of all data here, without counts of their own."""
    even = np.full((len(FLUENCES), len(EDGES) - 1), 50.0)
    return burst_data(
        EDGES, even, GaussianBlur(4.0), fluences=FLUENCES, zero_ps=(-10.0, 10.0), join=False
    )  # fmt: skip


def one(name: str, seed: int, photons: float, typical: bool) -> dict[str, object]:
    """Truth, winner, evidence and hits of one simulated set."""
    rng = np.random.default_rng((seed, list(MODELS).index(name), 77))
    blank = axes()
    truth = dict(TYPICAL)
    if not typical:
        drawn = {prior.name: prior.at(float(rng.random())) for prior in burst_problem(name, blank).priors}
        truth = {**drawn, "pulse_ps": float(rng.uniform(-9.0, 9.0)), "background_per_ps": 0.3}
    made = simulated_counts(name, truth, blank, np.full(len(FLUENCES), photons), rng)
    data = burst_data(EDGES, made.counts, made.response, fluences=FLUENCES, zero_ps=(-10.0, 10.0))
    found = compare_models(data, seed=seed, draws=900, identify=False)
    own = found.fit(name)
    assert own is not None
    logs = {fit.name: fit.evidence.log_evidence for fit in found.fits}
    bics = {fit.name: fit.bic for fit in found.fits}
    return {
        "truth": name,
        "seed": seed,
        "typical": typical,
        "winner": found.fits[0].name,
        "by_bic": min(bics, key=lambda key: bics[key]),
        "probability_of_truth": dict(zip((f.name for f in found.fits), found.probabilities, strict=True))[
            name
        ],
        "behind": max(logs.values()) - logs[name],
        "hits": {
            key: bool(low <= truth[key] <= high)
            for key, (low, _, high) in own.intervals.items()
            if key not in ("pulse_ps", "background_per_ps")
        },
        "misfit": own.misfit,
    }


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
                found = one(name, seed, told.photons, told.typical)
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
