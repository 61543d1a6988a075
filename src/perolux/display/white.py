"""White from three primaries: how the power is split, and how much light for the eye a watt gives.

With the columns of M the XYZ of each primary per unit of radiant power, M w = XYZ of the white at Y = 1
gives the powers w; the split is w/sum(w) and the luminous efficacy of radiation is 683.002/sum(w) lm/W.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.display.colour import tristimulus
from perolux.display.emitters import GRID_NM
from perolux.errors import OptionError

__all__ = ["D65", "White", "luminous_efficacy", "white_of"]

FloatArray = npt.NDArray[np.float64]
D65 = (0.3127, 0.3290)
"""CIE xy of D65, as standards of displays write it."""
MAXIMUM_LM_PER_W = 683.002
"""Luminous efficacy of light of 555 nm in the scale of CIE 1931, K_m."""


@dataclass(frozen=True)
class White:
    """power_fractions: of R, G, B (sum 1). ler_lm_per_w: lumen per optical watt. xy: of the white."""

    xy: tuple[float, float]
    power_fractions: tuple[float, ...]
    ler_lm_per_w: float


def luminous_efficacy(power: FloatArray) -> FloatArray:
    """LER = 683.002 sum(P V)/sum(P) in lm per optical W of spectra (401,) or (m, 401) on `GRID_NM`.

    >>> from perolux.display.emitters import gaussian_line
    >>> round(float(luminous_efficacy(gaussian_line(555.0, 2.0))))
    683
    """
    xyz = tristimulus(GRID_NM, power, "power")
    return np.asarray(MAXIMUM_LM_PER_W * xyz[..., 1] / np.sum(power, axis=-1))


def white_of(primaries: FloatArray, white: tuple[float, float] = D65) -> White | None:
    """The split of power that gives a white, None where it lies outside the triangle of the primaries.

    primaries (3, 401): power per nm on `GRID_NM`, any scale. Raises `OptionError` for primaries on a line
    and for a white that is no colour.
    """
    x, y = white
    if not (0.0 < x < 1.0 and 0.0 < y < 1.0 and x + y < 1.0):
        raise OptionError(f"a white at ({x:g}, {y:g})", allowed="CIE x and y above 0, x + y below 1")
    power = np.sum(primaries, axis=1)
    columns = tristimulus(GRID_NM, primaries, "power").T / power
    if np.linalg.cond(columns) > 1e12:
        raise OptionError("primaries of one colour or on one line", allowed="three different colours")
    weights = np.linalg.solve(columns, np.array([x / y, 1.0, (1.0 - x - y) / y]))
    if np.any(weights < 0.0):
        return None
    total = float(np.sum(weights))
    return White(white, tuple(float(w) / total for w in weights), MAXIMUM_LM_PER_W / total)
