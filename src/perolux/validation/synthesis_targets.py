"""Functions of the rows in `synthesis_targets.toml`: routes and regimes against what was published."""

from __future__ import annotations

import tomllib
from functools import cache
from typing import Any

import numpy as np

from perolux.files import example_path
from perolux.synthesis.batch import Batch, grow_recipe
from perolux.synthesis.platelets import MONOLAYERS, PlateletHistory, layer_binding_l_mol, platelets_of_recipe
from perolux.synthesis.recipe import recipe_of

__all__ = ["platelet_class", "platelet_share", "slow_growth"]

_LARGE_NM = 13.0


def slow_growth(quantity: str, binding_l_mol: float | None = None) -> float:
    """The shipped TOPO recipe: first mean edge (nm), minutes to 13 nm, cv there, growth after lecithin (%).

    The last is d(mean)/dt from 10 s to 10 min after the lecithin over that in the minute before it.
    """
    batch = _slow(binding_l_mol)
    time, edge = batch.history.time_s, 2e9 * batch.history.mean_radius_m
    if quantity == "first_edge_nm":
        return float(edge[0])
    if quantity == "frozen_percent":
        before, after = (
            np.diff(np.interp(span, time, edge))[0] / (span[1] - span[0])
            for span in ((1740.0, 1799.0), (1810.0, 2400.0))
        )
        return float(100.0 * after / before)
    return float(np.interp(_LARGE_NM, edge, time / 60.0 if quantity == "minutes" else batch.history.cv))


@cache
def _slow(binding_l_mol: float | None) -> Batch:
    content: dict[str, Any] = tomllib.loads(
        (example_path("recipes") / "cspbbr3_topo.toml").read_text("utf-8")
    )
    if binding_l_mol is not None:
        content["kinetics"]["ligand_binding_l_mol"] = binding_l_mol
    times = [*np.geomspace(1.0, 1700.0, 60), 1740.0, 1799.0, 1810.0, 2400.0]
    content["observe"] = {"until": "40 min", "times": [f"{t:.6f} s" for t in times]}
    return grow_recipe(recipe_of(content), tolerance=1e-5)


def platelet_share(halide: str, binding_of: str | None = None) -> float:
    """Largest share of the lead in platelets of 2 to 8 monolayers, FAPbX3 by the shipped antisolvent recipe.

    binding_of: product whose binding constant of the ligand layer is taken instead.
    """
    return float(_platelets("FA", halide, binding_of).platelet_share.max())


def platelet_class(cation: str, monolayers: int) -> float:
    """Share of the crystals' lead in platelets so thick when there are most platelets, bromide."""
    history = _platelets(cation, "Br", None)
    amount = history.amount_mol_m3[int(history.platelet_share.argmax())]
    return float(amount[MONOLAYERS.tolist().index(monolayers)] / amount.sum())


@cache
def _platelets(cation: str, halide: str, binding_of: str | None) -> PlateletHistory:
    content: dict[str, Any] = tomllib.loads(
        (example_path("recipes") / "fapbbr3_antisolvent.toml").read_text("utf-8")
    )
    salts = {"Br": "bromide", "I": "iodide"}
    salt = "cesium oleate" if cation == "Cs" else f"formamidinium {salts[halide]}"
    content["product"] = f"{cation}Pb{halide}3"
    content["vessel"]["contents"][0]["chemical"] = f"Pb{halide}2"
    content["vessel"]["contents"][1]["chemical"] = salt
    binding = None if binding_of is None else layer_binding_l_mol(binding_of)
    return platelets_of_recipe(recipe_of(content), layer_binding=binding)
