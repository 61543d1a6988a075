"""Electron-hole exchange: how far the bright levels of an exciton lie above the dark one.

    D_i = C X/(pi aB^3) + hbar w_LT N_i X

C is the short-range constant of the compound, X the pair's exchange overlap (`pair.tables.interpolate`), w_LT
the longitudinal-transverse splitting of the bulk and N_i the depolarisation factor of axis i: 1/3 for a
sphere or cube, where the form is exact for an isotropic profile. Along the axes of a box take
`profile_factors`, which follow the pair, or the factors of uniform polarisation (`depolarisation`), a coarser
approximation that makes the splitting by shape about 20 % too small. The background is matched. The often
written form with K pi aB^3/V in place of X treats the polarisation as uniform even where the pair is not,
falls short by a factor 2.5, and is not used here.

In a cube or sphere both terms grow with the same X: a series of sizes gives their sum, never each of them.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, OptionError

__all__ = [
    "bright_dark_splitting_mev",
    "exchange_mev",
    "long_range_mev",
    "short_range_constant",
    "short_range_mev",
]

FloatArray = npt.NDArray[np.float64]


def short_range_mev(
    exchange_x: npt.ArrayLike, bohr_radius_nm: npt.ArrayLike, short_range_mev_nm3: npt.ArrayLike
) -> FloatArray:
    """Short-range exchange C X/(pi aB^3) in meV: the same for the three bright levels.

    exchange_x: X, dimensionless; bohr_radius_nm: aB; short_range_mev_nm3: C. All broadcast.
    """
    overlap, bohr = _positive("exchange overlap X", exchange_x), _positive("Bohr radius", bohr_radius_nm)
    return np.asarray(np.asarray(short_range_mev_nm3, dtype=float) * overlap / (math.pi * bohr**3))


def long_range_mev(
    exchange_x: npt.ArrayLike, lt_splitting_mev: npt.ArrayLike, factors: npt.ArrayLike = (1 / 3, 1 / 3, 1 / 3)
) -> FloatArray:
    """Long-range exchange hbar w_LT N_i X of the bright levels along three axes, in meV, shape (..., 3).

    factors: depolarisation factors N_i (`profile_factors`, `depolarisation_factors`), (..., 3); a third each
    for a sphere or cube. exchange_x and lt_splitting_mev broadcast against the leading axes. Bulk limit of a
    sphere: hbar w_LT/3. Validity: crystals much smaller than the wavelength of light.

    >>> long_range_mev(9.0, 5.0).round(6).tolist()
    [15.0, 15.0, 15.0]
    """
    shares = np.asarray(factors, dtype=float)
    if shares.shape[-1:] != (3,) or not np.allclose(shares.sum(axis=-1), 1.0, atol=1e-6):
        raise OptionError("depolarisation factors are three numbers with the sum 1 on the last axis")
    scale = np.asarray(lt_splitting_mev, dtype=float) * _positive("exchange overlap X", exchange_x)
    return np.asarray(scale[..., None] * shares)


def exchange_mev(
    exchange_x: npt.ArrayLike,
    bohr_radius_nm: npt.ArrayLike,
    *,
    lt_splitting_mev: npt.ArrayLike,
    short_range_mev_nm3: npt.ArrayLike = 0.0,
    factors: npt.ArrayLike = (1 / 3, 1 / 3, 1 / 3),
) -> FloatArray:
    """Bright levels along x, y, z above the dark one, D_i = short range + long range, in meV.

    The short range is off (C = 0) unless it is given: where no splitting of the compound is on record, C is
    not known. Arguments as in `short_range_mev` and `long_range_mev`; result (..., 3).
    """
    short = short_range_mev(exchange_x, bohr_radius_nm, short_range_mev_nm3)
    return np.asarray(short[..., None] + long_range_mev(exchange_x, lt_splitting_mev, factors))


def bright_dark_splitting_mev(bright_mev: npt.ArrayLike) -> FloatArray:
    """Mean of the three bright levels above the dark one, in meV: the isotropic exchange D_BD."""
    return np.asarray(np.asarray(bright_mev, dtype=float).mean(axis=-1))


def short_range_constant(
    splitting_mev: npt.ArrayLike,
    exchange_x: npt.ArrayLike,
    bohr_radius_nm: npt.ArrayLike,
    lt_splitting_mev: npt.ArrayLike,
) -> FloatArray:
    """C in meV nm^3 that gives a published bright-dark splitting: C = (D_BD - hbar w_LT X/3) pi aB^3/X.

    A calibration: the splitting that goes in is afterwards reproduced, not predicted. Raises
    `ModelRangeError` where the long range alone exceeds the splitting, for exchange never lowers a bright
    level.

    >>> float(short_range_constant(10.0, 2.0, 3.0, 3.0).round(2))
    339.29
    """
    overlap, bohr = _positive("exchange overlap X", exchange_x), _positive("Bohr radius", bohr_radius_nm)
    rest = np.asarray(splitting_mev, dtype=float) - np.asarray(lt_splitting_mev, dtype=float) * overlap / 3.0
    if np.any(rest < 0):
        raise ModelRangeError(
            f"the long range alone exceeds the splitting, by up to {float(-rest.min()):.3g} meV",
            where="short-range exchange constant",
            allowed="a splitting of at least hbar w_LT X/3",
            fix="use a smaller LT splitting, or leave the short range at 0",
        )
    return np.asarray(rest * math.pi * bohr**3 / overlap)


def _positive(name: str, values: npt.ArrayLike) -> FloatArray:
    array = np.asarray(values, dtype=float)
    if not bool(np.all(np.isfinite(array) & (array > 0))):
        raise OptionError(f"the {name} must be a positive number")
    return array
