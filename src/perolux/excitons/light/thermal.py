"""How heat weakens the emission of an exciton: the mean of K over all thermally occupied pair states.

    R(y, theta) = K_th/K_0,   K_th = sum_n K_n exp(-E_n/theta) / sum_n exp(-E_n/theta),   theta = kT/Ry

The sums run over every state of the electron-hole pair, the many dark ones included: excited states of the
centre of mass, of the relative motion, and of electron and hole apart. Only states in which the two can meet
emit, so R falls on warming; four band-edge levels alone would give lifetimes that are too short. The fine
structure multiplies R where it is small against the steps of this ladder.

R of a cube with equal masses is tabulated (`data/thermal_overlap.csv`, made by
`tools/make_thermal_table.py`). Beyond the table in size or below it in temperature, the ladder of the centre
of mass continues it; the dead layer of the wall is that of `limits`. A sphere is taken as the cube of equal
confinement, L = sqrt(3) R.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError
from perolux.excitons.light.thermal_ladder import axis_fraction

__all__ = ["DEAD_LAYER", "HIGHEST_THETA", "ThermalOverlap", "centre_of_mass_ratio", "thermal_overlap_ratio"]

FloatArray = npt.NDArray[np.float64]

DEAD_LAYER = 1.405
"""Dead layer of both walls of an axis in aB, weak limit of the cube (`pair.limits.dead_layer`)."""
_FINE = 400
HIGHEST_THETA = 2.5
"""kT/Ry up to which the table reaches."""


@dataclass(frozen=True)
class ThermalOverlap:
    """R, and where it does not come from the table: "table", "ladder" or "cold"; arrays of one shape."""

    ratio: FloatArray
    regime: npt.NDArray[np.str_]


def centre_of_mass_ratio(edge_over_bohr: npt.ArrayLike, theta: npt.ArrayLike) -> FloatArray:
    """R of the ladder of the centre of mass alone: M = 4 mu, box of edge y - d, only odd levels emit.

    The step of the ladder is e = (pi^2/4)/(y - d)^2 Ry (`thermal_ladder.axis_fraction`, on three axes).
    """
    size, heat = np.asarray(edge_over_bohr, dtype=float), np.asarray(theta, dtype=float)
    return axis_fraction(0.25 * math.pi**2 / (np.maximum(size - DEAD_LAYER, 1e-3) ** 2 * heat)) ** 3


@lru_cache(maxsize=1)
def _table() -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """ln y, ln theta, and R and its sigma on their grid."""
    text = files("perolux.excitons").joinpath("data", "thermal_overlap.csv").read_text("utf-8")
    rows = list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))
    sizes = sorted({float(row["y"]) for row in rows})
    heats = sorted({float(row["theta"]) for row in rows})
    ratio, sigma = np.empty((len(sizes), len(heats))), np.empty((len(sizes), len(heats)))
    for row in rows:
        place = sizes.index(float(row["y"])), heats.index(float(row["theta"]))
        ratio[place], sigma[place] = float(row["ratio"]), float(row["sigma"])
    return np.log(sizes), np.log(heats), ratio, sigma


@lru_cache(maxsize=1)
def _spline():  # type: ignore[no-untyped-def]
    """ln R over ln y and ln theta: monotone cubics on both axes, on a grid so fine that it is then linear."""
    from scipy.interpolate import PchipInterpolator, RectBivariateSpline

    log_size, log_heat, ratio, _ = _table()
    sizes = np.linspace(log_size[0], log_size[-1], _FINE)
    heats = np.linspace(log_heat[0], log_heat[-1], _FINE)
    along_size = PchipInterpolator(log_size, np.log(ratio), axis=0)(sizes)
    return RectBivariateSpline(
        sizes, heats, PchipInterpolator(log_heat, along_size, axis=1)(heats), kx=1, ky=1
    )


def thermal_overlap_ratio(edge_over_bohr: npt.ArrayLike, theta: npt.ArrayLike) -> ThermalOverlap:
    """R at sizes L/aB and temperatures kT/Ry (arrays that broadcast), for cubes with equal masses.

    Validity: kT/Ry up to 2.5; any size. In the table the error is a few per cent (interpolation, random
    vectors, convergence of the basis); beyond it the part of pairs that heat tears apart is kept from the
    largest size. Raises `ModelRangeError` for a hotter or a negative temperature.

    >>> thermal_overlap_ratio([0.5, 3.0], 0.02).ratio.round(3).tolist()
    [1.0, 1.0]
    """
    size, heat = np.broadcast_arrays(np.asarray(edge_over_bohr, dtype=float), np.asarray(theta, dtype=float))
    if not np.all((heat >= 0) & (heat <= HIGHEST_THETA)) or not np.all(size > 0):
        raise ModelRangeError(
            "the thermal ladder does not reach this temperature",
            allowed=f"kT up to {HIGHEST_THETA:g} exciton Rydberg, sizes above 0",
        )
    log_size, log_heat, _, _ = _table()
    smallest, largest = math.exp(log_size[0]), math.exp(log_size[-1])
    coldest = math.exp(log_heat[0])
    heat = np.maximum(heat, 1e-6)
    inside_size = np.clip(size, smallest, largest)
    inside_heat = np.clip(heat, coldest, math.exp(log_heat[-1]))
    ratio = np.asarray(np.exp(_spline().ev(np.log(inside_size), np.log(inside_heat))))
    ladder, cold = size > largest, heat < coldest
    beyond = ladder | cold
    if beyond.any():
        law = centre_of_mass_ratio(size[beyond], heat[beyond])
        joint = centre_of_mass_ratio(inside_size[beyond], inside_heat[beyond])
        ratio[beyond] *= law / joint
    ratio = np.where(size < smallest, 1.0, ratio)
    regime = np.where(ladder, "ladder", np.where(cold, "cold", "table"))
    return ThermalOverlap(np.minimum(ratio, 1.0), regime)
