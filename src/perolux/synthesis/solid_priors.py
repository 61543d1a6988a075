"""Constants of milling, template and carrier: priors (`solid_priors.toml`) and what a recipe says instead."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

import numpy as np

from perolux.quantities import Value
from perolux.synthesis.kinetics import priors

__all__ = ["chosen", "draw_solid_constants", "solid_priors"]

_LOG_UNIFORM = (
    "breakage_rate_per_s", "daughter_power", "ligand_bound_share", "coarse_edge_nm", "crystal_spacing_nm",
    "solution_solubility_mol_l", "carrier_sites_per_nm2",
)  # fmt: skip


@cache
def solid_priors() -> dict[str, Value]:
    """All these priors by name, keys "prior.NAME"."""
    text = files("perolux.synthesis").joinpath("solid_priors.toml").read_text("utf-8")
    return {name: Value(key=f"prior.{name}", **record) for name, record in tomllib.loads(text).items()}


def chosen(
    given: Mapping[str, float | None], drawn: Mapping[str, float] | None = None
) -> tuple[dict[str, float], tuple[str, ...]]:
    """The constants by the names of `given`: a recipe's own, else those drawn, else the middle of the prior;
    and which the recipe gave.

    >>> chosen({"coarse_cv": None, "breakage_exponent": 3.0})
    ({'coarse_cv': 0.5, 'breakage_exponent': 3.0}, ('breakage_exponent',))
    """
    free = {name: one.number for name, one in solid_priors().items()} | dict(drawn or {})
    values = {name: free[name] if value is None else value for name, value in given.items()}
    return values, tuple(name for name, value in given.items() if value is not None)


def draw_solid_constants(rng: np.random.Generator, names: Sequence[str]) -> dict[str, float]:
    """One value of each of these constants from its prior, log-uniform or uniform as its record says.

    A name that is not here is one of `priors.toml`, even over its range (`least_radius_nm`).
    """
    found = {}
    for name in names:
        prior = solid_priors().get(name) or priors()[name]
        assert prior.low is not None and prior.high is not None
        u = rng.random()
        if name in _LOG_UNIFORM:
            found[name] = float(prior.low * (prior.high / prior.low) ** u)
        else:
            found[name] = float(prior.low + u * (prior.high - prior.low))
    return found
