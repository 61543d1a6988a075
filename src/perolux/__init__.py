"""perolux: a virtual laboratory for lead halide perovskite nanocrystals.

    import perolux as px

    spectra = px.read("file.csv")     # a SpectrumSet, whatever the file layout
    spectra[0].pl()                   # model-free peak, width, colour of one PL spectrum
    px.characterise("study.toml")     # what the nanocrystals of a whole folder are, with uncertainty
    px.passport(px.nanocrystal("CsPbBr3", "cube", 8.0, "core-edge"))    # one nanocrystal and its light

Names are loaded when they are first used, so importing perolux is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "read": "perolux.measured",
    "Spectrum": "perolux.measured",
    "SpectrumSet": "perolux.measured",
    "Ensemble": "perolux.ensemble",
    "Value": "perolux.quantities",
    "PeroluxError": "perolux.errors",
    "characterise": "perolux.studies",
    "material": "perolux.materials",
    "nanocrystal": "perolux.excitons",
    "passport": "perolux.excitons",
    "population": "perolux.excitons",
}

__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'perolux' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
