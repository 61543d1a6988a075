"""Constants of the two-flux film: of the textbook, or calibrated on Monte Carlo with the misfit that is left.

    k = 2 alpha (a_0 + a_1 w + a_2 (n - 1.6))                       w = alpha/(s' + alpha), s' = mu_s (1 - g)
    s = (3/4) s' (b_0 + b_1 w + b_2 (n - 1.6)) - b_3 alpha, at least 0
    the beam loses alpha + mu_s (1 - c g): light that is scattered almost ahead still counts as beam

Textbook: a = (1, 0, 0), b = (1, 0, 0, 1/4), c = 0. The calibrated ones are a record that
`tools/calibrate_two_flux.py` makes; outside the films that it counted they mean nothing.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from perolux.display.rays import Scatterers
from perolux.display.slab import Slab

__all__ = ["TEXTBOOK", "Constants", "TwoFluxConstants", "calibrated", "left_by_calibration", "outside_region"]

FloatArray = npt.NDArray[np.float64]
Constants = Literal["calibrated", "textbook"]


@dataclass(frozen=True)
class TwoFluxConstants:
    """absorption: a_0, a_1, a_2; scattering: b_0, b_1, b_2, b_3; beam: c. See the top of this file."""

    absorption: tuple[float, float, float] = (1.0, 0.0, 0.0)
    scattering: tuple[float, float, float, float] = (1.0, 0.0, 0.0, 0.25)
    beam: float = 0.0

    def coefficients(
        self, alpha: FloatArray, mu_s: FloatArray, asymmetry: FloatArray, index: float
    ) -> tuple[FloatArray, FloatArray]:
        """k and s times the thickness of the film, from the depths alpha t and mu_s t."""
        reduced = mu_s * (1.0 - asymmetry)
        share = alpha / (reduced + alpha)
        (a0, a1, a2), (b0, b1, b2, b3) = self.absorption, self.scattering
        dense = index - 1.6
        k = 2.0 * alpha * (a0 + a1 * share + a2 * dense)
        s = 0.75 * reduced * (b0 + b1 * share + b2 * dense) - b3 * alpha
        return k, np.maximum(s, 0.0)

    def beam_scattering(self, mu_s: FloatArray, asymmetry: FloatArray) -> FloatArray:
        """What the beam loses to scattering, as an optical depth."""
        return mu_s * (1.0 - self.beam * asymmetry)


TEXTBOOK = TwoFluxConstants()


@cache
def _record() -> Mapping[str, Any]:
    return tomllib.loads(
        files("perolux.display").joinpath("data/two_flux_calibration.toml").read_text("utf-8")
    )


def calibrated() -> TwoFluxConstants:
    """The calibrated constants on record."""
    found = _record()["constants"]
    return TwoFluxConstants(tuple(found["absorption"]), tuple(found["scattering"]), found["beam"])


def outside_region(slab: Slab, scatterers: Scatterers) -> tuple[str, ...]:
    """What of a film lies outside the region of the calibration, in words; empty inside it.

    The scattering depth and the anisotropy are judged for the source and for the mean of the emission.
    """
    share = slab.emission / np.sum(slab.emission)
    depth, asymmetry = scatterers.rows(len(share))
    asked = {
        "index": (float(slab.index),),
        "optical_density": (float(slab.source_depth / np.log(10.0)),),
        "plqy": (float(slab.plqy),),
        "scattering_depth": (float(depth[-1]), float(share @ depth[:-1])),
        "anisotropy": (float(asymmetry[-1]), float(share @ asymmetry[:-1])),
    }
    found = []
    for name, (low, high) in _record()["region"].items():
        for value in dict.fromkeys(asked[name]):
            if not low * (1.0 - 1e-9) <= value <= high * (1.0 + 1e-9):
                found.append(f"{name.replace('_', ' ')} {value:.3g} (calibrated {low:g} to {high:g})")
    if any(face.outside_index != 1.0 for face in (slab.top, slab.bottom)):
        found.append("a medium other than air outside (calibrated in air)")
    return tuple(dict.fromkeys(found))


def left_by_calibration(slab: Slab, scatterers: Scatterers, diffuse: bool) -> dict[str, float]:
    """Root-mean-square distance to Monte Carlo that the calibration leaves in this part of its region.

    By name of the share; parts are told apart by reduced scattering depth (mean of the emission) and by
    whether the source is a beam or diffuse. Of films that took no part in the calibration.
    """
    share = slab.emission / np.sum(slab.emission)
    depth, asymmetry = scatterers.rows(len(share))
    reduced = float(share @ (depth * (1.0 - asymmetry))[:-1])
    parts = [row for row in _record()["misfit"] if row["source"] == ("diffuse" if diffuse else "beam")]
    for row in parts:
        if reduced <= row["reduced_depth_up_to"]:
            return dict(row["rms"])
    return dict(parts[-1]["rms"])
