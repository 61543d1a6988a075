"""Functions of the rows in `synthesis_outcomes.toml`: outcomes of recipes, and what matters for them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from perolux.files import example_path
from perolux.synthesis.batch import constants_of, grow_recipe
from perolux.synthesis.outcome import outcome_of
from perolux.synthesis.recipe import Recipe, in_a_flask, read_recipe
from perolux.synthesis.uncertainty import rank_correlation

__all__ = ["change_with_tolerance", "largest_without_crystals", "rank_coverage"]


def _hot_injection() -> Recipe:
    return in_a_flask(read_recipe(example_path("recipes") / "cspbbr3_hot_injection.toml"))


def rank_coverage(r: float, pairs: int, samples: int) -> float:
    """Share of samples of correlated normal pairs whose interval holds 6/pi asin(r/2)."""
    rng = np.random.default_rng(20)
    exact = 6.0 / np.pi * np.arcsin(0.5 * r)
    hits = 0
    for _ in range(samples):
        x, noise = rng.normal(size=(2, pairs))
        found = rank_correlation(x, r * x + np.sqrt(1.0 - r * r) * noise)
        assert found is not None
        hits += found.low95 <= exact <= found.high95
    return hits / samples


def largest_without_crystals() -> float:
    """Largest supersaturation over the exact one where a high surface energy forbids all nuclei."""
    recipe = _hot_injection()
    batch = grow_recipe(recipe, constants=replace(constants_of(recipe), surface_energy_j_m2=0.9))
    table = batch.schedule.conditions
    exact = np.max(table.supplied_mol_m3 / table.volume_ratio / table.solubility_mol_m3)
    found = outcome_of(batch)
    assert not found.has_crystals
    largest = found.numbers["largest_supersaturation"]
    assert largest is not None
    return float(largest / exact)


def change_with_tolerance(quantity: str) -> float:
    """Relative change of a number of the shipped hot injection from the default tolerance to 1e-6."""
    recipe = _hot_injection()
    usual = outcome_of(grow_recipe(recipe)).numbers[quantity]
    fine = outcome_of(grow_recipe(recipe, tolerance=1e-6)).numbers[quantity]
    assert usual is not None and fine is not None
    return abs(usual / fine - 1.0)
