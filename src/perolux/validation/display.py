"""Functions of the rows in `display.toml`."""

from __future__ import annotations

__all__: list[str] = []
