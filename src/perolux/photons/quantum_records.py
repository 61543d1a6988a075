"""What the models of coherence and of the emitter assume, as records (`quantum.toml`): "prior.NAME"."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

from perolux.errors import OptionError
from perolux.quantities import Value

__all__ = ["quantum_record", "quantum_records"]


@cache
def quantum_records() -> dict[str, Value]:
    """All of them by name."""
    text = files("perolux.photons").joinpath("quantum.toml").read_text("utf-8")
    return {name: Value(key=f"prior.{name}", **record) for name, record in tomllib.loads(text).items()}


def quantum_record(name: str) -> Value:
    """One by name, e.g. "weak_coupling_ratio"; `OptionError` where there is none of that name."""
    try:
        return quantum_records()[name]
    except KeyError:
        raise OptionError(f"no record is called {name!r}", allowed=", ".join(quantum_records())) from None
