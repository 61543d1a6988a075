"""What the models of this room assume, as records (`priors.toml`): each a `Value` with key "prior.NAME"."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

from perolux.errors import OptionError
from perolux.quantities import Value

__all__ = ["prior", "priors"]


@cache
def priors() -> dict[str, Value]:
    """All records of this room by name."""
    text = files("perolux.surface").joinpath("priors.toml").read_text("utf-8")
    found = {}
    for name, record in tomllib.loads(text).items():
        valid = tuple((str(quantity), low, high) for quantity, low, high in record.pop("valid", ()))
        found[name] = Value(key=f"prior.{name}", valid=valid, **record)
    return found


def prior(name: str) -> Value:
    """One record by name, e.g. "exchange_rate_per_s"; `OptionError` where there is none of that name."""
    try:
        return priors()[name]
    except KeyError:
        raise OptionError(f"no record is called {name!r}", allowed=", ".join(priors())) from None
