"""Records of recipes of mixed halides (`mixed_priors.toml`): each a `Value` with key "prior.NAME"."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

from perolux.quantities import Value

__all__ = ["mixed_priors"]


@cache
def mixed_priors() -> dict[str, Value]:
    """All of them by name."""
    text = files("perolux.synthesis").joinpath("mixed_priors.toml").read_text("utf-8")
    return {name: Value(key=f"prior.{name}", **record) for name, record in tomllib.loads(text).items()}
