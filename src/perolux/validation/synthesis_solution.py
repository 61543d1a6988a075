"""Functions of the rows in `synthesis_solution.toml`: supersaturation by the ions, other solids in time."""

from __future__ import annotations

import tomllib
from functools import cache

import numpy as np

from perolux.files import example_path
from perolux.synthesis.batch import Batch, grow_recipe
from perolux.synthesis.kinetics import prior_constants
from perolux.synthesis.recipe import recipe_of
from perolux.synthesis.solution_line import along
from perolux.synthesis.speciation import equilibrium_records

__all__ = [
    "acid_and_saturation",
    "balance_by_species",
    "cesium_and_saturation",
    "first_solid",
    "growth_error",
    "ion_product",
    "table_error",
    "topo_alone",
]


def _alone(**others: float) -> dict[str, float]:
    """Constants with which nothing else associates."""
    complexes = [name for name in equilibrium_records() if "_" not in name]
    return dict.fromkeys(complexes, -60.0) | others


@cache
def _hot_injection(cesium_ml: float = 0.4, acid_ml: float = 0.5, tolerance: float = 1e-4) -> Batch:
    """The shipped hot injection by the ions, with another volume of cesium oleate or oleic acid."""
    content = tomllib.loads((example_path("recipes") / "cspbbr3_hot_injection.toml").read_text("utf-8"))
    content["chemistry"] = {"supersaturation": "speciation"}
    content["vessel"]["contents"][2]["volume"] = f"{acid_ml} mL"
    content["events"][0]["contents"][0]["volume"] = f"{cesium_ml} mL"
    content["observe"] = {"until": "6 s"}
    return grow_recipe(recipe_of(content), tolerance=tolerance)


def ion_product() -> float:
    """Largest relative error of S = ((c_A c_Pb c_X^3)/27)/c_s^5 where nothing associates."""
    d = np.geomspace(1e-8, 1e-1, 50)
    c_s = prior_constants().solubility_mol_l
    _, p, _ = along({"Pb": 0.02, "X": 0.01}, d, log10_k=_alone())
    exact = d * (0.02 + d) * (0.01 + 3 * d) ** 3 / (27.0 * c_s**5)
    return float(np.max(np.abs(np.exp(p - 5 * np.log(c_s) - np.log(27.0)) / exact - 1.0)))


def topo_alone() -> float:
    """Largest relative error of the free monomer against x (T0 + taken up + x) = K (d - x)."""
    k, supply, excess = prior_constants().topo_dissociation_mol_l, 2e-3, 5e-4
    d = np.linspace(1e-5, supply, 50)
    own = _alone(**{"PbX2": 40.0, "PbX2[complexant]": 40.0 - float(np.log10(k))})
    _, _, w = along({"A": 1.0, "X": 1.0, "complexant": excess + supply}, d, log10_k=own)
    b = excess + (supply - d) + k
    exact = 2 * k * d / (b + np.sqrt(b * b + 4 * k * d))
    return float(np.max(np.abs(w / exact - 1.0)))


def table_error() -> float:
    """Largest error of ln S in the tables of the shipped hot injection."""
    table = _hot_injection().schedule.model.solution
    assert table is not None
    return table.error


def growth_error() -> float:
    """Relative change of the mean edge of the shipped hot injection from the default tolerance to 1e-6."""
    usual, fine = _hot_injection().history, _hot_injection(tolerance=1e-6).history
    return float(abs(usual.mean_radius_m[-1] / fine.mean_radius_m[-1] - 1.0))


def balance_by_species(cesium_ml: float) -> float:
    """Largest relative error of an ion: crystals, each complex, what has not mixed in, against the feed."""
    return max(one["error"] for one in _hot_injection(cesium_ml).balances().values())


def _largest(batch: Batch, solid: str) -> float:
    return float(np.nanmax(batch.solution().ln_saturation[solid]))


def cesium_and_saturation(cesium_ml: float, more_ml: float) -> float:
    """ln(ion product/Ksp) of Cs4PbBr6, the largest in time: with more cesium less that with less."""
    return _largest(_hot_injection(more_ml), "A4PbX6") - _largest(_hot_injection(cesium_ml), "A4PbX6")


def acid_and_saturation(cesium_ml: float) -> float:
    """The same with 0.02 mL oleic acid less that with 1.5 mL."""
    little, much = (_hot_injection(cesium_ml, ml) for ml in (0.02, 1.5))
    return _largest(little, "A4PbX6") - _largest(much, "A4PbX6")


def first_solid(cesium_ml: float) -> float:
    """Time at which the solution is first supersaturated in Cs4PbBr6 over that for CsPbBr3."""
    batch = _hot_injection(cesium_ml)
    found = batch.solution().ln_saturation
    times = [batch.history.time_s[np.argmax(np.nan_to_num(found[name]) > 0)] for name in ("A4PbX6", "APbX3")]
    return float(times[0] / times[1])
