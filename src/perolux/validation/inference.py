"""Functions of the rows in `inference.toml`."""

from __future__ import annotations

__all__: list[str] = []
