"""Excitons: one nanocrystal and its light, from strong to weak confinement.

`passport` puts all layers together for one `nanocrystal`; `over_size` and `over_temperature` ask along a
line, `population` gives every nanocrystal of an `Ensemble`, `ensemble_spectrum` its spectra. Below it, plain
functions of numbers and arrays:

- the pair behind hard walls: `solve_sphere`, `solve_cube`, `solve_cuboid`, tables (`interpolate`,
  `transitions`), limits, screening, shapes and platelets;
- real bands and walls: carriers, effective_pair; dielectric surroundings: dielectric;
- light: rates, coherence, fine_structure, thermal, cross_section, spectra, phonon_line, multiexcitons, auger;
- backwards: sizing, temperature_series, size_energy_fit.

Sizes and energies of the pair are in its own Bohr radii and Rydbergs; everything else in nm and eV.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOME = {
    "Crystals": "perolux.excitons.crystal",
    "ExcitonCurve": "perolux.excitons.pair.tables",
    "ExcitonState": "perolux.excitons.pair.state",
    "Layers": "perolux.excitons.layers",
    "Levels": "perolux.excitons.light.rates",
    "Nanocrystal": "perolux.excitons.crystal",
    "Passport": "perolux.excitons.passport_record",
    "Spread": "perolux.excitons.spread",
    "ensemble_spectrum": "perolux.excitons.ensemble_spectra",
    "interpolate": "perolux.excitons.pair.tables",
    "nanocrystal": "perolux.excitons.crystal",
    "over_size": "perolux.excitons.courses",
    "over_temperature": "perolux.excitons.courses",
    "passport": "perolux.excitons.properties",
    "population": "perolux.excitons.populations",
    "read_levels": "perolux.excitons.light.level_tables",
    "solve_cube": "perolux.excitons.pair.cube",
    "solve_cuboid": "perolux.excitons.pair.cube",
    "solve_sphere": "perolux.excitons.pair.sphere",
    "thermal_lifetime": "perolux.excitons.light.rates",
}

__all__ = [
    "Crystals",
    "ExcitonCurve",
    "ExcitonState",
    "Layers",
    "Levels",
    "Nanocrystal",
    "Passport",
    "Spread",
    "ensemble_spectrum",
    "interpolate",
    "nanocrystal",
    "over_size",
    "over_temperature",
    "passport",
    "population",
    "read_levels",
    "solve_cube",
    "solve_cuboid",
    "solve_sphere",
    "thermal_lifetime",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'perolux.excitons' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
