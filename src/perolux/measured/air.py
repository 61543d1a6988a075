"""Refractive index of standard air, for wavelengths that were recorded in air."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from perolux.errors import ModelRangeError
from perolux.measured.records import FloatArray

__all__ = ["air_index", "air_record", "vacuum_wavelength_nm"]


@cache
def air_record() -> dict[str, Any]:
    """The record of the dispersion formula: coefficients, kind, source, valid range."""
    return tomllib.loads(files("perolux.measured").joinpath("air.toml").read_text("utf-8"))


def air_index(vacuum_nm: FloatArray) -> FloatArray:
    """Refractive index of standard air: n - 1 = k1/(k0 - s^2) + k3/(k2 - s^2), s = 1/wavelength in 1/um.

    vacuum_nm: vacuum wavelength, any shape. Raises `ModelRangeError` outside 230 to 1690 nm. Source: Ciddor,
    Appl. Opt. 35, 1566 (1996), recalled (`air.toml`).

    >>> import numpy as np
    >>> round(float(air_index(np.array([514.5]))[0]), 6)
    1.000279
    """
    record = air_record()
    low, high = record["valid_nm"]
    if np.any(vacuum_nm < low) or np.any(vacuum_nm > high):
        raise ModelRangeError(
            "the wavelength is outside the range of the formula for air", allowed=f"{low:g} to {high:g} nm"
        )
    s2 = (1e3 / vacuum_nm) ** 2
    return (
        1.0
        + record["k1_per_um2"] / (record["k0_per_um2"] - s2)
        + record["k3_per_um2"] / (record["k2_per_um2"] - s2)
    )


def vacuum_wavelength_nm(air_nm: FloatArray) -> FloatArray:
    """Vacuum wavelength of a wavelength recorded in standard air: lambda_vac = n(lambda_vac) lambda_air."""
    vacuum = air_nm * air_index(air_nm)
    # n varies by 1e-8 over the shift itself: one more step is exact to double precision
    return air_nm * air_index(vacuum)
