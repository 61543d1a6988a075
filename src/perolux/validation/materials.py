"""Functions of the rows in `materials.toml`."""

from __future__ import annotations

__all__: list[str] = []
