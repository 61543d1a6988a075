"""How much of a large crystal one exciton can use: coherence volume and superradiant lifetime.

    K_eff = min(K(V), K(V_c)) = K(min(V, V_c))          giant oscillator strength up to the coherence volume

Without a limit an ideal exciton in a 30 nm crystal would decay in 22 to 38 ps, where 80 to 100 ps are
measured. Named alternatives for V_c (`COHERENCE_MODELS`):

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
from perolux.excitons.light.rates import oscillator_strength, radiative_rate_per_ns
from perolux.excitons.light.thermal_ladder import thermal_ladder_fraction
from perolux.excitons.pair.tables import interpolate
from perolux.quantities.constants import HBAR2_OVER_2M0_EV_NM2

__all__ = [
    "COHERENCE_MODELS",
    "CoherenceModel",
    "coherence_volume_nm3",
    "coherent_overlap",
    "linewidth_coherence_volume_nm3",
    "superradiant_lifetime_ns",
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


def coherent_overlap(
    shape: str,
    size_nm: npt.ArrayLike,
    bohr_radius_nm: npt.ArrayLike,
    coherence_volume: npt.ArrayLike = math.inf,
    *,
    region: str = "sphere",
) -> FloatArray:
    """K_eff = min(K of the crystal, K of a region of the coherence volume); arrays broadcast.

    shape: "sphere" (size: radius) or "cube" (edge); coherence_volume in nm^3, infinite for no limit; region:
    the shape of the coherent part. Where the coherence volume is that of the crystal the crystal's own K
    holds. Source of K: the packaged tables (`pair.tables.interpolate`).
    """
    bohr = _positive("Bohr radius", bohr_radius_nm)
    size, limit = np.broadcast_arrays(
        np.asarray(size_nm, dtype=float) / bohr, np.asarray(coherence_volume, dtype=float) / bohr**3
    )
    whole = interpolate(shape, size).overlap_k
    volume = size**3 * (4.0 * math.pi / 3.0 if shape == "sphere" else 1.0)
    if not np.all(limit > 0):
        raise OptionError("a coherence volume must be positive", allowed="above 0, or infinite")
    limited = limit < volume * (1.0 - 1e-12)
    held = np.where(limited, limit, volume)
    part = np.cbrt(held / (4.0 * math.pi / 3.0 if region == "sphere" else 1.0))
    return np.asarray(np.where(limited, np.minimum(whole, interpolate(region, part).overlap_k), whole))


def superradiant_lifetime_ns(
    edge_nm: npt.ArrayLike,
    *,
    bohr_radius_nm: npt.ArrayLike,
    transition_ev: npt.ArrayLike,
    kane_ev: npt.ArrayLike,
    emission_factor: npt.ArrayLike,
    coherence_volume: npt.ArrayLike = math.inf,
    temperature_k: npt.ArrayLike = 0.0,
    total_mass_m0: npt.ArrayLike | None = None,
) -> FloatArray:
    """Radiative lifetime of one bright level of a cube, in ns; arrays broadcast.

    emission_factor: n F^2 (index outside, local field). coherence_volume in nm^3. At temperature_k above 0
    the bright exciton spreads over the centre-of-mass ladder of its coherent region (a cube of that volume),
    which needs total_mass_m0 and lengthens the lifetime. The dark level is left out: on the scale of 0.1 ns
    in the cold it exchanges nothing with the bright ones (two-phonon relaxation freezes out).
    """
    overlap = coherent_overlap("cube", edge_nm, bohr_radius_nm, coherence_volume)
    f = oscillator_strength(kane_ev, transition_ev, overlap)
    rate = radiative_rate_per_ns(transition_ev, f, index_outside=emission_factor)
    if np.any(np.asarray(temperature_k) != 0):
        if total_mass_m0 is None:
            raise OptionError("the centre-of-mass ladder needs the exciton's mass", where="total_mass_m0")
        region = np.minimum(np.asarray(edge_nm, dtype=float), np.cbrt(coherence_volume))
        rate = rate * thermal_ladder_fraction(region, bohr_radius_nm, total_mass_m0, temperature_k)
    return np.asarray(1.0 / rate)


def _positive(name: str, values: npt.ArrayLike) -> FloatArray:
    array = np.asarray(values, dtype=float)
    if not bool(np.all(np.isfinite(array) & (array > 0))):
        raise OptionError(f"the {name} must be a positive number")
    return array
