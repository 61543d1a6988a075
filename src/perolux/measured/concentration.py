"""Absorption coefficients and concentration: intrinsic and molar, and how they convert.

The calibration constant is always the caller's: the known values of CsPbBr3 at 335 nm differ by 1.7.
"""

from __future__ import annotations

import math

from perolux.errors import OptionError
from perolux.materials.optical import intrinsic_from_molar, molar_from_intrinsic

__all__ = [
    "absorptance",
    "concentration_mol_per_l",
    "intrinsic_from_molar_per_cm",
    "molar_from_intrinsic_per_m_cm",
]


def _positive(**values: float) -> None:
    wrong = {name: value for name, value in values.items() if not (math.isfinite(value) and value > 0)}
    if wrong:
        raise OptionError(
            "; ".join(f"{name} = {value:g}" for name, value in wrong.items()) + " is not possible here",
            allowed="finite numbers above zero",
        )


def absorptance(absorbance: float) -> float:
    """Fraction of light absorbed: f = 1 - 10^-A, A the decadic absorbance.

    >>> round(absorptance(1.0), 12)
    0.9
    """
    return -math.expm1(-math.log(10.0) * absorbance)


def molar_from_intrinsic_per_m_cm(intrinsic_per_cm: float, volume_nm3: float) -> float:
    """Decadic molar absorption coefficient: eps = N_A mu_i V/(1000 ln 10) in 1/(mol/L cm).

    intrinsic_per_cm: absorption coefficient of the nanocrystal's own volume, natural base, 1/cm.
    volume_nm3: volume of one nanocrystal. Raises `OptionError` unless both are positive.
    """
    _positive(intrinsic_per_cm=intrinsic_per_cm, volume_nm3=volume_nm3)
    return float(molar_from_intrinsic(intrinsic_per_cm, volume_nm3))


def intrinsic_from_molar_per_cm(molar_per_m_cm: float, volume_nm3: float) -> float:
    """Intrinsic absorption coefficient from the molar one: mu_i = 1000 ln(10) eps/(N_A V) in 1/cm.

    A cube of 8.5 nm with eps = 0.0242 L^3 per cm and umol/L:

    >>> f"{intrinsic_from_molar_per_cm(0.0242e6 * 8.5**3, 8.5**3):.3g}"
    '9.25e+04'
    """
    _positive(molar_per_m_cm=molar_per_m_cm, volume_nm3=volume_nm3)
    return intrinsic_from_molar(molar_per_m_cm / volume_nm3)


def concentration_mol_per_l(
    absorbance: float, intrinsic_per_cm: float, volume_nm3: float, path_cm: float = 1.0
) -> float:
    """Concentration of nanocrystals: c = A ln(10) 1000/(N_A mu_i V l) in mol/L.

    absorbance: decadic, at the wavelength of mu_i, scattering subtracted. path_cm: cuvette.
    Raises `OptionError` for a negative absorbance or a coefficient, volume or path that is not positive.
    """
    _positive(path_cm=path_cm)
    if not (math.isfinite(absorbance) and absorbance >= 0):
        raise OptionError(
            f"an absorbance of {absorbance:g} has no concentration",
            allowed="0 or more",
            fix="check the blank",
        )
    return absorbance / (molar_from_intrinsic_per_m_cm(intrinsic_per_cm, volume_nm3) * path_cm)
