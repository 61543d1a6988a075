"""Constants of milling, template and carrier: priors (`solid_priors.toml`) and what a recipe says instead."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from perolux.quantities import Value

__all__ = ["chosen", "solid_priors"]


@cache
def solid_priors() -> dict[str, Value]:
    """All these priors by name, keys "prior.NAME"."""
    text = files("perolux.synthesis").joinpath("solid_priors.toml").read_text("utf-8")
    return {name: Value(key=f"prior.{name}", **record) for name, record in tomllib.loads(text).items()}


def chosen(given: Mapping[str, float | None]) -> tuple[dict[str, float], tuple[str, ...]]:
    """The constants by the names of `given`: a recipe's own, else the middle of the prior; and which it gave.

    >>> chosen({"coarse_cv": None, "breakage_exponent": 3.0})
    ({'coarse_cv': 0.5, 'breakage_exponent': 3.0}, ('breakage_exponent',))
    """
    values = {name: solid_priors()[name].number if value is None else value for name, value in given.items()}
    return values, tuple(name for name, value in given.items() if value is not None)
