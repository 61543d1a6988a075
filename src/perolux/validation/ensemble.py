"""Functions of the rows in `ensemble.toml`."""

from __future__ import annotations

__all__: list[str] = []
