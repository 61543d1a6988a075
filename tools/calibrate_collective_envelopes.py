"""Measure by how much the envelope of truncated Wigner, cumulants and product-state diffusion misses the
exact result.

    PYTHONPATH=src python tools/calibrate_collective_envelopes.py

Clusters of 4 to 6 emitters with the shifts of touching nanocrystals, all or some excited, with spread of
energies and dephasing; half of them, drawn at random, calibrate, the other half test. Written: one row a case
with its misses (`collective/data/envelope_cases.csv`), and one a regime with margin and coverage
(`collective/data/envelopes.csv`).
"""

from __future__ import annotations

import contextlib
import csv
import math
from pathlib import Path

import numpy as np

from perolux.collective.blocks import blocks, product_state
from perolux.collective.couplings import Couplings, Emitters, couplings
from perolux.collective.cumulants import cumulant_emission
from perolux.collective.diffusion import diffusion_emission
from perolux.collective.master_equation import exact_emission
from perolux.collective.wigner import wigner_emission
from perolux.errors import ConvergenceError

OUT = Path(__file__).parent.parent / "src" / "perolux" / "collective" / "data"
TIMES = np.linspace(0.0, 2.0, 101)
AT = np.array([12, 25, 50, 75, 100])
# shape, and how many of its sites are left out at random
SHAPES = [
    ((2, 2, 1), 0), ((2, 3, 1), 0), ((2, 2, 2), 2), ((2, 4, 1), 2), ((6, 1, 1), 0), ((1, 1, 6), 0),
    ((2, 1, 3), 0), ((2, 2, 2), 3), ((1, 1, 5), 0),
]  # fmt: skip
WANTED = 0.9
TRAJECTORIES = 300


def cluster(
    shape: tuple[int, int, int], pitch: float, vacancies: int, sigma: float, rng: np.random.Generator
) -> Couplings:
    """A part of a lattice with full shifts and detunings."""
    places = pitch * np.array(list(np.ndindex(*shape)), dtype=float)
    keep = np.sort(rng.permutation(len(places))[vacancies:])
    places = places[keep]
    made = couplings(Emitters(places, np.tile([0.0, 0.0, 1.0], (len(places), 1)), 1.0, 530.0))
    return Couplings(made.decay, made.shift, sigma * rng.standard_normal(len(places)))


def cases() -> list[dict[str, float | str]]:
    """All cases, seeded."""
    rng, found = np.random.default_rng(7), []
    for start in ("all", "some"):
        for k in range(28):
            shape, vacancies = SHAPES[k % len(SHAPES)]
            found.append(
                {
                    "start": start,
                    "shape": "x".join(map(str, shape)),
                    "vacancies": vacancies,
                    "pitch_nm": float(rng.choice([11.0, 12.5, 15.0])),
                    "sigma": float(rng.choice([0.0, 30.0, 100.0, 300.0])),
                    "dephasing": float(rng.choice([0.0, 0.0, 1.0, 10.0])),
                    "seed": int(rng.integers(1 << 30)),
                }
            )
    return found


def misses(case: dict[str, float | str]) -> dict[str, float]:
    """Misses of the envelope over the excitations of the start: of the rate after the peak and the
    population."""
    rng = np.random.default_rng(int(case["seed"]))
    shape = tuple(int(n) for n in str(case["shape"]).split("x"))
    between = cluster(shape, float(case["pitch_nm"]), int(case["vacancies"]), float(case["sigma"]), rng)  # type: ignore[arg-type]
    n = len(between)
    excited = np.arange(n)
    if case["start"] == "some":
        excited = np.sort(rng.permutation(n)[: int(rng.integers(2, n))])
    star = float(case["dephasing"])
    exact = exact_emission(between, product_state(blocks(n), excited), TIMES, dephasing=star)
    kinds = {"dephasing": star, "rng": rng, "trajectories": TRAJECTORIES}
    three = [wigner_emission(between, excited, TIMES, **kinds)]
    # cumulants run away from some partial excitations: the envelope is that of the other two, as in `burst`
    with contextlib.suppress(ConvergenceError):
        three.append(cumulant_emission(between, excited, TIMES, dephasing=star))
    three.append(diffusion_emission(between, excited, TIMES, **kinds))
    rates, ups = (np.stack([getattr(one, name) for one in three]) for name in ("photon_rate", "excited"))

    def miss(values: np.ndarray, truth: np.ndarray) -> float:
        away = np.maximum(np.maximum(values.min(axis=0) - truth, truth - values.max(axis=0)), 0.0)
        return float(np.max(away)) / len(excited)

    peak = int(np.argmax(rates.max(axis=0)))
    after = AT[peak <= AT]
    return {
        "methods": len(three), "emitters": n, "excited": len(excited),
        "rate": miss(rates[:, after], exact.photon_rate[after]),
        "population": miss(ups[:, AT], exact.excited[AT]),
        "burst_inside": float(
            case["start"] != "all"
            or rates.max(axis=1).min() * 0.98 <= exact.photon_rate.max() <= rates.max(axis=1).max() * 1.02
        ),
    }  # fmt: skip


def main() -> None:
    """Run all cases and write both tables."""
    rows = []
    for case in cases():
        rows.append(case | misses(case))
        print(rows[-1], flush=True)
    write(rows)


def write(rows: list[dict[str, float | str]]) -> None:
    """Halves, margins, coverage, and both tables."""
    order = np.random.default_rng(1).permutation(len(rows))
    for place, k in enumerate(order):
        rows[k]["half"] = "calibration" if place % 2 == 0 else "test"
    regimes = []
    for start in ("all", "some"):
        for quantity in ("rate", "population"):
            own = [row for row in rows if row["start"] == start]
            first = sorted(float(row[quantity]) for row in own if row["half"] == "calibration")
            # split conformal: the k-th of n misses holds for a new case with the chance k/(n + 1)
            k = min(math.ceil((len(first) + 1) * WANTED), len(first))
            margin = first[k - 1]
            second = [float(row[quantity]) <= margin for row in own if row["half"] == "test"]
            regimes.append({
                "start": start, "quantity": quantity, "margin_over_excitations": f"{margin:.4g}",
                "calibration_cases": len(first), "test_cases": len(second),
                "coverage": f"{np.mean(second):.4g}",
                "bare_coverage": f"{np.mean([float(row[quantity]) == 0.0 for row in own]):.4g}",
            })  # fmt: skip
    OUT.mkdir(exist_ok=True)
    for name, table in (("envelope_cases", rows), ("envelopes", regimes)):
        with (OUT / f"{name}.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, list(table[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(
                {key: f"{v:.4g}" if isinstance(v, float) else v for key, v in row.items()} for row in table
            )
    print(regimes)


if __name__ == "__main__":
    main()
