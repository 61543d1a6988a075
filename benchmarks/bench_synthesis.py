"""Populations: the two engines on batches; equilibria; recipes, their light and maps of them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers import cadet_batch
from benchmarks.timing import median_cpu, row
from perolux.files import example_path
from perolux.studies.recipe_map import map_recipe
from perolux.synthesis import (
    OrientedAttachment,
    PlainGrowth,
    PowerLawGrowth,
    SizeDistribution,
    constant_conditions,
    grow,
    grow_finite_volume,
    read_kinetic_case,
    read_recipe,
    speciate,
)
from perolux.synthesis.batch import grow_recipe
from perolux.synthesis.speciation import COMPONENTS

TIMES_S = (10.0, 60.0, 300.0, 600.0, 1800.0)
POWER_LAW = PowerLawGrowth(1e6, 5, 2e-8, 1, 1e-6, 0.524, 1200.0)
EXACT_SOLUTE = 1.25627172
MAPS = {
    "cspbbr3_antisolvent": ("vessel.temperature=20..40 degC:4", "events.1.over=1..10 s:4"),
    "cspbbr3_hot_injection": ("vessel.temperature=140..200 degC:4", "events.1.contents.1.volume=0.1..1 mL:4"),
}


def run() -> list[dict[str, Any]]:
    """The reference batch, attachment, power laws beside CADET-Core, equilibria, whole recipes, maps."""
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
        speciation_row(),
        *recipe_rows(),
        *(map_row(name) for name in MAPS),
    ]


def speciation_row() -> dict[str, Any]:
    """Complexes and solids of random feeds over six decades."""
    rng = np.random.default_rng(2024)
    feeds = {name: 10.0 ** rng.uniform(-6.0, 0.0, 10_000) for name in COMPONENTS}
    warm = rng.uniform(270.0, 480.0, 10_000)
    error = float(speciate(feeds, temperature_k=warm).total_error.max())
    return row(
        "complexes and solids of 1e4 feeds at equilibrium",
        median_cpu(lambda: speciate(feeds, temperature_k=warm), repeats=3),
        accuracy=f"totals hold to {error:.0e}",
        note="no peer ran",
    )


def recipe_rows() -> list[dict[str, Any]]:
    """A recipe from its file to the population, and with PL and absorbance at each of its times."""
    path = example_path("recipes") / "cspbbr3_hot_injection.toml"
    recipe = read_recipe(path)
    batch = grow_recipe(recipe)
    times = len(batch.history.time_s)
    return [
        row(
            f"hot injection, recipe to population, {times} times",
            median_cpu(lambda: grow_recipe(read_recipe(path)), repeats=3),
            accuracy=f"{batch.history.steps} steps, mass {batch.history.mass_error:.0e}",
        ),
        row(
            f"its PL and absorbance, {times} times, every parameter set",
            median_cpu(batch.spectra, repeats=3),
            note="tables of light and cross sections are made anew each time",
        ),
    ]


def map_row(name: str) -> dict[str, Any]:
    """CPU seconds per recipe of a map of 48 recipes, written to the disk."""
    axes = (*MAPS[name], "kinetics.least_radius_nm=0.5,0.6,0.7")

    def mapped() -> int:
        with tempfile.TemporaryDirectory() as folder:
            recipe = example_path("recipes") / f"{name}.toml"
            return map_recipe(recipe, axes, Path(folder) / "map").computed

    points = mapped()
    return row(
        f"a recipe of a map, {name}",
        median_cpu(mapped, repeats=3) / points,
        note="bar 4 ms (500 recipes a second on two cores), not met: the engine alone takes most of it",
    )
