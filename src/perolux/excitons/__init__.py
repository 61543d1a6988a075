"""Excitons: one nanocrystal and light.

The correlated electron-hole pair behind hard walls, solved (`solve_sphere`, `solve_cube`, `solve_cuboid`)
or read from tables that the solvers made (`interpolate`); exact limits in `limits`, an independent slow
solver in `product_sines`. Sizes and energies are in the material's own Bohr radii and Rydbergs; `sizing` puts
them into nm and eV, `linewidth` and `stokes` lead from the level to the measured line.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOME = {
    "ExcitonCurve": "perolux.excitons.tables",
    "ExcitonState": "perolux.excitons.state",
    "interpolate": "perolux.excitons.tables",
    "solve_cube": "perolux.excitons.cube",
    "solve_cuboid": "perolux.excitons.cube",
    "solve_sphere": "perolux.excitons.sphere",
}

__all__ = [
    "ExcitonCurve",
    "ExcitonState",
    "interpolate",
    "solve_cube",
    "solve_cuboid",
    "solve_sphere",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'perolux.excitons' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
