"""Functions of the rows in `measured.toml`."""

from __future__ import annotations

__all__: list[str] = []
