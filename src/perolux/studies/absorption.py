"""The absorption spectrum of a sample in its row: first exciton, steepest slope, scatter, Stokes shift."""

from __future__ import annotations

import math
import traceback
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from perolux.errors import PeroluxError

if TYPE_CHECKING:
    from perolux.measured.absorption import AbsorptionResult
    from perolux.measured.records import Spectrum

__all__ = ["ABSORPTION_NUMBERS", "write_absorption", "write_stokes_shift"]

ABSORPTION_NUMBERS = {
    "first_exciton_nm": "first_exciton_nm",
    "first_exciton_ev": "first_exciton_ev",
    "first_exciton_sigma_ev": "sigma_ev",
    "steepest_slope_nm": "steepest_slope_nm",
    "scatter_exponent": "scatter_exponent",
}
"""Key of the row -> field of the reduction."""
_NEGATIVE_SIGMAS = 2.0


def write_absorption(
    spectrum: Spectrum,
    options: dict[str, Any],
    row: dict[str, Any],
    arrays: dict[str, npt.NDArray[np.float64]],
) -> tuple[float | None, float | None]:
    """Reduce an absorption spectrum into the row; returns first exciton and its sigma in eV, or (None, None).

    What fails becomes a flag and a reason, never an exception: the emission of the sample is not affected.
    arrays gets `scatter`, the fitted scattering on the axis of the record, where there is a fit.
    """
    row |= dict.fromkeys(ABSORPTION_NUMBERS)
    try:
        found = spectrum.absorption(**options)
    except PeroluxError as error:
        return _failed("; ".join(problem.what for problem in error.problems), row)
    except Exception as error:  # a bug here must not cost the emission; it is shown, not hidden
        place = traceback.extract_tb(error.__traceback__)[-1]
        return _failed(f"perolux itself failed: {type(error).__name__} in {place.name}: {error}", row)
    _write_numbers(found, row)
    if found.scatter.exponent is not None:
        arrays["scatter"] = found.scatter.curve(spectrum.wavelength_nm)
    return found.first_exciton_ev, found.sigma_ev


def _failed(reason: str, row: dict[str, Any]) -> tuple[None, None]:
    row["flags"].append("absorption-failed")
    row["reasons"]["first_exciton_ev"] = reason
    return None, None


def _write_numbers(found: AbsorptionResult, row: dict[str, Any]) -> None:
    for key, name in ABSORPTION_NUMBERS.items():
        row[key] = getattr(found, name)
        if name in found.reasons:
            row["reasons"][key] = found.reasons[name]
    row["flags"] += [flag for flag in found.flags if flag not in row["flags"]]


def write_stokes_shift(row: dict[str, Any]) -> None:
    """Observed Stokes shift in meV: first exciton minus PL peak, sigmas in quadrature.

    Both as measured: what second-derivative minimum and peak say about the true energies is not in sigma.
    """
    exciton, peak = row.get("first_exciton_ev"), row.get("peak_ev")
    row["stokes_shift_mev"] = row["stokes_shift_sigma_mev"] = None
    if exciton is None or peak is None:
        row["reasons"]["stokes_shift_mev"] = "it needs a first exciton and a PL peak of the same sample"
        return
    sigmas = row["first_exciton_sigma_ev"] or 0.0, row.get("peak_ev_sigma") or 0.0
    row["stokes_shift_mev"] = 1e3 * (exciton - peak)
    row["stokes_shift_sigma_mev"] = 1e3 * math.hypot(*sigmas)
    if row["stokes_shift_mev"] < -_NEGATIVE_SIGMAS * row["stokes_shift_sigma_mev"]:
        row["flags"].append("negative-stokes-shift")
