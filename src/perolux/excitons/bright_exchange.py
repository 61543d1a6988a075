"""Exchange of the bright levels of whole columns of nanocrystals, from the pair that `energies` gives."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from perolux.excitons.crystal import Crystals
from perolux.excitons.levels.depolarisation import depolarisation_factors
from perolux.excitons.levels.exchange import exchange_mev
from perolux.excitons.levels.profile_factors import PolarisationProfile, profile_factors
from perolux.excitons.parameters import ParameterDraws

__all__ = ["bright_exchange_ev", "exchange_factors"]

FloatArray = npt.NDArray[np.float64]

_STRONG_TO = 4.0
"""Size over aB up to which electron and hole make the polarisation of a box, each in its ground state."""
_PROFILES: tuple[PolarisationProfile, ...] = ("strong", "weak")


def exchange_factors(crystals: Crystals, bohr_nm: FloatArray) -> FloatArray:
    """Depolarisation factors N_i of the polarisation along a, b, c; a third each for a cube or sphere.

    Boxes: of the pair's own profile, strong confinement up to a size of 4 aB, one particle in a box beyond
    (`levels.profile_factors`); round shapes: uniform polarisation. Shape (3,) or (..., 3).
    """
    if crystals.shape in ("cube", "sphere"):
        return np.full(3, 1.0 / 3.0)
    a, b, c = np.broadcast_arrays(*(np.atleast_1d(one) for one in crystals.lengths_nm))
    if crystals.shape not in ("cuboid", "platelet"):
        return _as_given(depolarisation_factors(crystals.shape, a, b, c), crystals)
    # factors belong to proportions, of which there are few
    ratios = np.round(np.stack([a / c, b / c], axis=-1), 6)
    kinds, place = np.unique(ratios, axis=0, return_inverse=True)
    strong = np.cbrt(a * b * c) < _STRONG_TO * bohr_nm
    factors = {
        name: profile_factors(kinds[:, 0], kinds[:, 1], np.ones(len(kinds)), name)[place.ravel()]
        for name in _PROFILES
    }
    chosen = np.where(np.broadcast_to(strong, bohr_nm.shape)[..., None], factors["strong"], factors["weak"])
    return np.asarray(chosen)


def _as_given(factors: FloatArray, crystals: Crystals) -> FloatArray:
    """Without the axis of one that a single nanocrystal was given."""
    return factors[0] if np.ndim(crystals.lengths_nm[0]) == 0 else factors


def bright_exchange_ev(
    crystals: Crystals,
    parameters: ParameterDraws,
    exciton_ev: npt.ArrayLike,
    bulk_exciton_ev: FloatArray,
    bulk_bohr_nm: FloatArray,
    exchange_x: FloatArray,
    bohr_nm: FloatArray,
) -> FloatArray:
    """The three bright levels above the dark one (..., 3) in eV, along a, b, c.

    D_i = C X/(pi aB^3) + hbar w_LT N_i X (E_bulk/E_X)^2, all in the bulk's aB: the dipole of an exciton
    falls as 1/E_X at a given Kane energy. C is left out where no splitting of the compound is on record.
    """
    dipole = (bulk_exciton_ev / np.asarray(exciton_ev, dtype=float)) ** 2
    short = 1e3 * parameters["short_range_exchange"] if parameters.has("short_range_exchange") else 0.0
    return 1e-3 * exchange_mev(
        exchange_x,
        bulk_bohr_nm,
        lt_splitting_mev=1e3 * parameters["lt_splitting"] * dipole,
        short_range_mev_nm3=short,
        factors=exchange_factors(crystals, bohr_nm),
    )
