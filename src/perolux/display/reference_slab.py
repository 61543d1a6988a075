"""The film of the reference table: a green film with test shapes of absorption and emission.

Shapes are records of `data/slab_reference.toml`, marked assumed: they serve comparison, not any real film.
"""

from __future__ import annotations

import math
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from scipy.special import erfc

from perolux.display.slab import FloatArray, Memory, Slab

__all__ = ["reference_shapes", "reference_slab"]


@cache
def _record() -> dict[str, Any]:
    return tomllib.loads(files("perolux.display").joinpath("data/slab_reference.toml").read_text("utf-8"))


def reference_shapes() -> tuple[FloatArray, FloatArray, FloatArray]:
    """Wavelengths (nm), absorption over that at the source, and emitted photons (sum 1)."""
    shape = _record()
    nm = np.arange(shape["first_nm"], shape["last_nm"] + 1.0)

    def absorption(at: FloatArray) -> FloatArray:
        below = shape["edge_nm"] - at
        rise = 1.0 + shape["slope_per_100_nm"] * np.maximum(below, 0.0) / 100.0
        return np.asarray(0.5 * erfc(-below / shape["edge_width_nm"]) * rise)

    emission = np.exp(
        -4.0 * math.log(2.0) * ((nm - shape["emission_center_nm"]) / shape["emission_fwhm_nm"]) ** 2
    )
    at_source = absorption(np.array([shape["source_nm"]]))
    return nm, absorption(nm) / at_source, emission / np.sum(emission)


def reference_slab(
    index: float,
    optical_depth: float,
    plqy: float,
    emission_depth: float | None = None,
    memory: Memory = "full",
) -> Slab:
    """A slab with the test shapes, or, with `emission_depth`, one of a single emitted wavelength.

    optical_depth: of the source, base e. emission_depth: of the emitted light, base e.

    >>> reference_slab(1.6, 4.605, 0.95).wavelength_nm.size
    301
    """
    source_nm = float(_record()["source_nm"])
    if emission_depth is not None:
        one = np.array([float(_record()["emission_center_nm"])])
        return Slab(
            index,
            one,
            np.array([float(emission_depth)]),
            np.ones(1),
            plqy,
            optical_depth,
            source_nm,
            memory=memory,
        )
    nm, absorption, emission = reference_shapes()
    return Slab(
        index, nm, optical_depth * absorption, emission, plqy, optical_depth, source_nm, memory=memory
    )
