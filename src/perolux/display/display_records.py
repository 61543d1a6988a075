"""Numbers on which displays rest, as records (`data/display.toml`): "display.NAME"."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

from perolux.errors import OptionError
from perolux.quantities import Value

__all__ = ["display_record", "display_records"]


@cache
def display_records() -> dict[str, Value]:
    """All of them by name."""
    text = files("perolux.display").joinpath("data/display.toml").read_text("utf-8")
    return {name: Value(key=f"display.{name}", **record) for name, record in tomllib.loads(text).items()}


def display_record(name: str) -> Value:
    """One by name, e.g. "reflector"; `OptionError` where there is none of that name."""
    try:
        return display_records()[name]
    except KeyError:
        raise OptionError(f"no record is called {name!r}", allowed=", ".join(display_records())) from None
