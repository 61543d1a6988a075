"""What the models of a nanocrystal assume: priors, couplings, model errors, as records (`assumptions.toml`).

Each is a `Value` with key "prior.NAME"; a study may replace a range, and every report lists those in use.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

from perolux.errors import OptionError
from perolux.quantities import Value

__all__ = ["assumption", "assumptions"]


@cache
def assumptions() -> dict[str, Value]:
    """All assumptions by name."""
    text = files("perolux.excitons").joinpath("assumptions.toml").read_text("utf-8")
    return {name: Value(key=f"prior.{name}", **record) for name, record in tomllib.loads(text).items()}


def assumption(name: str) -> Value:
    """One assumption by name, e.g. "stokes_shift_ev"."""
    try:
        return assumptions()[name]
    except KeyError:
        raise OptionError(f"no assumption is called {name!r}", allowed=", ".join(assumptions())) from None
