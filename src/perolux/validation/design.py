"""Functions of the rows in `design.toml`: how well unseen recipes are predicted."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from perolux.design import learn
from perolux.files import example_path

__all__ = ["score"]

_FEATURES = [
    "Cs_per_Pb", "Pb_mol_per_L", "antisolvent_fraction", "c_CsOA_mol_per_L", "c_PbBr2_mol_per_L", "polarity",
    "dipole_D", "hansen_H", "donor_number", "antisolvent",
]  # fmt: skip


def score(target: str, quantity: str) -> float:
    """A mean score of three repeats; "over_mean" is the error over that of the mean predictor."""
    found = _scores(target)
    if quantity == "over_mean":
        return float(found["mean_absolute_error"] / found["mean_predictor_error"])
    return float(found[quantity])


@cache
def _scores(target: str) -> dict[str, Any]:
    table = example_path("antisolvent") / "recipes_and_peaks.csv"
    with tempfile.TemporaryDirectory() as folder:
        record = learn(table, [target], _FEATURES, Path(folder) / "model", repeats=3)
    found: dict[str, Any] = record["cross_validation"][target]
    return found
