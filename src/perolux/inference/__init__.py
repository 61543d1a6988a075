"""Floor 3: the same physics run backwards, from a record to what made it, with uncertainty.

`size_posterior` gives the size, spread and, for open compositions, the halide fraction from the peak and
width of photoluminescence, under a stated prior and marginalised over the named parameter sets, exact on
grids. `invert_spectrum` gives the size distribution, or the counts of monolayers of platelets, that a whole
spectrum allows; `fit_growth` the kinetic constants of a recipe from a series of sizes or spectra.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOME = {
    "GrowthFit": "perolux.inference.growth_fit",
    "SizeSeries": "perolux.inference.growth_data",
    "SpectralSeries": "perolux.inference.growth_data",
    "fit_growth": "perolux.inference.growth_fit",
    "SizeInversion": "perolux.inference.inversion_result",
    "SizePosterior": "perolux.inference.posterior",
    "SizePrior": "perolux.inference.prior",
    "check_material": "perolux.inference.size",
    "invert_spectrum": "perolux.inference.size_distribution",
    "size_posterior": "perolux.inference.size",
}

__all__ = [
    "GrowthFit",
    "SizeInversion",
    "SizePosterior",
    "SizePrior",
    "SizeSeries",
    "SpectralSeries",
    "check_material",
    "fit_growth",
    "invert_spectrum",
    "size_posterior",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'perolux.inference' has no attribute {name!r}")
