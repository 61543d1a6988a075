"""Populations: the two engines on a batch of classical growth and on a batch of power laws."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.peers import cadet_batch
from benchmarks.timing import median_cpu, row
from perolux.files import example_path
from perolux.synthesis import (
    OrientedAttachment,
    PlainGrowth,
    PowerLawGrowth,
    SizeDistribution,
    constant_conditions,
    grow,
    grow_finite_volume,
    read_kinetic_case,
)

TIMES_S = (10.0, 60.0, 300.0, 600.0, 1800.0)
POWER_LAW = PowerLawGrowth(1e6, 5, 2e-8, 1, 1e-6, 0.524, 1200.0)
EXACT_SOLUTE = 1.25627172


def run() -> list[dict[str, Any]]:
    """The reference batch to 1800 s, attachment, and the power-law batch beside CADET-Core to 18000 s."""
    case = read_kinetic_case(example_path("kinetic_cases") / "batch.json")
    solution = constant_conditions(solubility_mol_m3=1.2, supplied_mol_m3=2.0)
    fine = grow(case.model, case.conditions, TIMES_S, tolerance=1e-6, most_cohorts=1024)

    def batch(tolerance: float) -> Any:
        return grow(case.model, case.conditions, TIMES_S, tolerance=tolerance)

    def worst(found: Any) -> str:
        n = abs(found.number_per_m3 / fine.number_per_m3 - 1.0).max()
        cv = abs(found.cv / fine.cv - 1.0).max()
        return f"number {n:.1e}, cv {cv:.1e} against a tolerance of 1e-6"

    def cells() -> Any:
        return grow_finite_volume(case.model, case.conditions, TIMES_S, largest_m=3.6e-9, cells=400)

    def power(tolerance: float) -> Any:
        return grow(POWER_LAW, solution, [18000.0], tolerance=tolerance)

    def attachment() -> Any:
        cubes = SizeDistribution(np.array([2.4e-9]), np.array([2.6e-9]), np.array([1e22]))
        return grow_finite_volume(
            PlainGrowth("constant", 0.0), solution, [86400.0], largest_m=1.2e-7, cells=400, start=cubes,
            attachment=OrientedAttachment(),
        )  # fmt: skip

    error = abs(power(5e-5).dissolved_mol_m3[0] / EXACT_SOLUTE - 1.0)
    second = median_cpu(cells, repeats=3)
    return [
        row(
            "batch to 1800 s, cohorts, tolerance 2e-4",
            median_cpu(lambda: batch(2e-4)),
            peer="finite volumes, 400 cells",
            peer_seconds=second,
            accuracy=f"{worst(batch(2e-4))}; 400 cells: {worst(cells())}",
        ),
        row(
            "batch to 1800 s, cohorts, tolerance 1e-4",
            median_cpu(lambda: batch(1e-4)),
            accuracy=worst(batch(1e-4)),
        ),
        row(
            "power-law batch to 18000 s, cohorts, tolerance 5e-5",
            median_cpu(lambda: power(5e-5)),
            accuracy=f"solute {error:.1e} of the closed moments",
        ),
        row(
            "24 h of oriented attachment, 400 cells",
            median_cpu(attachment, repeats=3),
            accuracy="number and volume to rounding; self-preserving rate within 2e-4",
            note="no known peer for cubes",
        ),
        *cadet_batch.run(),
    ]
