"""How much of a large crystal one exciton can use: its coherence volume V_c.

The oscillator strength grows with the crystal up to V_c only (`pair_light`: K shrinks as that of a sphere
that shrinks from the volume of the crystal to V_c). Without a limit an exciton in a 30 nm crystal would decay
in 13 to 38 ps, where 80 to 100 ps are measured. Named alternatives for V_c (`COHERENCE_MODELS`):

| name | V_c |
| --- | --- |
| none | the whole crystal |
| localisation | a sphere whose diameter disorder sets (`coherence_diameter_over_bohr`, a calibration) |
| linewidth | the centre-of-mass states within the homogeneous width share the oscillator strength |

For the last: N(D) = V (2 M D/hbar^2)^(3/2)/(6 pi^2) states of a particle of mass M lie less than D above the
lowest in a volume V. Dephasing of width D mixes them, and each carries its part of V:

    V_c = V/(1 + N(D)),    D -> 0: V (fully coherent);   V -> infinity: 6 pi^2 (hbar^2/2 M D)^(3/2)
"""

from __future__ import annotations

import math
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError
from perolux.excitons.assumptions import assumption
from perolux.quantities.constants import HBAR2_OVER_2M0_EV_NM2

__all__ = [
    "COHERENCE_MODELS",
    "CoherenceModel",
    "coherence_volume_nm3",
    "linewidth_coherence_volume_nm3",
]

FloatArray = npt.NDArray[np.float64]

CoherenceModel = Literal["none", "localisation", "linewidth"]
COHERENCE_MODELS: tuple[CoherenceModel, ...] = get_args(CoherenceModel)


def coherence_volume_nm3(
    model: CoherenceModel,
    volume_nm3: npt.ArrayLike,
    *,
    diameter_nm: npt.ArrayLike | None = None,
    bohr_radius_nm: npt.ArrayLike | None = None,
    total_mass_m0: npt.ArrayLike | None = None,
    homogeneous_fwhm_mev: npt.ArrayLike | None = None,
) -> FloatArray:
    """V_c of a named model in nm^3, at most the crystal's volume; arrays broadcast.

    "localisation" takes diameter_nm or, with bohr_radius_nm, the middle of the record; "linewidth" needs
    total_mass_m0 (M = m_e + m_h) and homogeneous_fwhm_mev. Raises `OptionError` for an unknown model or for
    what is missing.

    >>> coherence_volume_nm3("localisation", 27000.0, diameter_nm=20.0).round().item()
    4189.0
    """
    volume = _positive("volume", volume_nm3)
    if model == "none":
        return volume
    if model == "localisation":
        if diameter_nm is None:
            if bohr_radius_nm is None:
                raise OptionError(
                    "the coherence model 'localisation' needs a length", where="diameter_nm or bohr_radius_nm"
                )
            bohr = _positive("Bohr radius", bohr_radius_nm)
            diameter_nm = assumption("coherence_diameter_over_bohr").number * bohr
        diameter = _positive("coherence diameter", diameter_nm)
        return np.minimum(volume, math.pi / 6.0 * diameter**3)
    if model == "linewidth":
        if total_mass_m0 is None or homogeneous_fwhm_mev is None:
            raise OptionError(
                "the coherence model 'linewidth' needs the exciton's mass and a width",
                where="total_mass_m0, homogeneous_fwhm_mev",
            )
        return linewidth_coherence_volume_nm3(volume, total_mass_m0, homogeneous_fwhm_mev)
    raise OptionError(f"unknown coherence model {model!r}", allowed=", ".join(COHERENCE_MODELS))


def linewidth_coherence_volume_nm3(
    volume_nm3: npt.ArrayLike, total_mass_m0: npt.ArrayLike, homogeneous_fwhm_mev: npt.ArrayLike
) -> FloatArray:
    """V/(1 + N), N the centre-of-mass states within the homogeneous width; V for width 0 (see the module).

    Counts states as in a large volume; where N < 1 a real box holds fewer still, and the result is a lower
    bound.
    """
    volume, mass = _positive("volume", volume_nm3), _positive("mass", total_mass_m0)
    width_ev = 1e-3 * np.asarray(homogeneous_fwhm_mev, dtype=float)
    if np.any(width_ev < 0) or not np.isfinite(width_ev).all():
        raise OptionError("a width must be finite and not negative", where="homogeneous_fwhm_mev")
    wave_number2 = width_ev * mass / HBAR2_OVER_2M0_EV_NM2
    return np.asarray(volume / (1.0 + volume * wave_number2**1.5 / (6.0 * math.pi**2)))


def _positive(name: str, values: npt.ArrayLike) -> FloatArray:
    array = np.asarray(values, dtype=float)
    if not bool(np.all(np.isfinite(array) & (array > 0))):
        raise OptionError(f"the {name} must be a positive number")
    return array
