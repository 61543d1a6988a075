"""Effective media: one index for many small crystals in a host, by Maxwell Garnett and by Bruggeman.

    b = (eps_i - eps_h)/(eps_i + 2 eps_h)
    Maxwell Garnett:  eps = eps_h (1 + 2 f b)/(1 - f b) = eps_h + 3 f eps_h b/(1 - f b)
    Bruggeman:        eps = [B + sqrt(B^2 + 8 eps_i eps_h)]/4,   B = (3f - 1) eps_i + (2 - 3f) eps_h
    alpha/f -> (2 pi/(lambda n_h)) |3 eps_h/(eps_i + 2 eps_h)|^2 Im eps_i        for f -> 0

Crystals are taken as spheres far smaller than the wavelength. Maxwell Garnett keeps them apart from one
another, Bruggeman treats crystal and host alike; neither is exact in a dense film, and their difference is
part of every answer.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, OptionError

__all__ = [
    "RULES",
    "Rule",
    "absorption_per_cm",
    "bruggeman",
    "effective_eps",
    "eps_of_dilute",
    "maxwell_garnett",
]

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complex128]
Rule = Literal["maxwell-garnett", "bruggeman"]
RULES: tuple[Rule, ...] = ("maxwell-garnett", "bruggeman")


def maxwell_garnett(
    eps_inside: npt.ArrayLike, eps_host: npt.ArrayLike, fraction: npt.ArrayLike
) -> ComplexArray:
    """Dielectric function of spheres apart from one another in a host; arguments broadcast.

    >>> complex(maxwell_garnett(4.0, 2.25, 1.0))
    (4+0j)
    """
    inside, host = np.asarray(eps_inside, dtype=complex), np.asarray(eps_host, dtype=complex)
    share = _share(fraction)
    step = inside - host
    return np.asarray(host + 3.0 * share * host * step / (inside + 2.0 * host - share * step))


def bruggeman(eps_inside: npt.ArrayLike, eps_host: npt.ArrayLike, fraction: npt.ArrayLike) -> ComplexArray:
    """Dielectric function of a mixture in which crystal and host play the same part; arguments broadcast.

    >>> abs(complex(bruggeman(4.0, 2.25, 0.0)) - 2.25) < 1e-15
    True
    """
    inside, host = np.asarray(eps_inside, dtype=complex), np.asarray(eps_host, dtype=complex)
    share = _share(fraction)
    b = (3.0 * share - 1.0) * inside + (2.0 - 3.0 * share) * host
    root = np.sqrt(b**2 + 8.0 * inside * host)
    first, second = 0.25 * (b + root), 0.25 * (b - root)
    # absorbing media absorb: of the two roots the one with Im >= 0 (and Re > 0 where both have)
    wrong = (first.imag < -1e-12 * np.abs(first)) & (second.imag >= 0.0)
    return np.asarray(np.where(wrong, second, first))


def effective_eps(
    rule: Rule, eps_inside: npt.ArrayLike, eps_host: npt.ArrayLike, fraction: npt.ArrayLike
) -> ComplexArray:
    """`maxwell_garnett` or `bruggeman` by name."""
    if rule not in RULES:
        raise OptionError(f"unknown rule {rule!r}", where="effective medium", allowed=", ".join(RULES))
    return (maxwell_garnett if rule == "maxwell-garnett" else bruggeman)(eps_inside, eps_host, fraction)


def absorption_per_cm(eps: npt.ArrayLike, wavelength_nm: npt.ArrayLike) -> FloatArray:
    """alpha = 4 pi Im sqrt(eps)/lambda in 1/cm, base e.

    >>> f"{float(absorption_per_cm((2.161585 + 0.17826j) ** 2, 450.0)):.4g}"
    '4.978e+04'
    """
    k = np.sqrt(np.asarray(eps, dtype=complex)).imag
    return np.asarray(4.0 * np.pi * k / np.asarray(wavelength_nm, dtype=float) * 1e7)


def eps_of_dilute(
    per_cm: npt.ArrayLike, real_part: npt.ArrayLike, host_index: npt.ArrayLike, wavelength_nm: npt.ArrayLike
) -> ComplexArray:
    """The dielectric function that absorbs, dilute in a host, what is given per volume of crystal (1/cm).

    Im eps of the dilute limit for a given Re eps: with A = Re eps + 2 n_h^2 and
    c = lambda alpha/(18 pi n_h^3 f), the smaller root of c Im^2 - Im + c A^2 = 0. Raises `ModelRangeError`
    where no crystal of that Re eps absorbs so much (4 c^2 A^2 > 1).
    """
    host = np.asarray(host_index, dtype=float)
    c = (
        np.asarray(per_cm, dtype=float)
        * 1e-7
        * np.asarray(wavelength_nm, dtype=float)
        / (18.0 * np.pi * host**3)
    )
    a = np.asarray(real_part, dtype=float) + 2.0 * host**2
    under = 1.0 - (2.0 * c * a) ** 2
    if np.any(under < 0.0) or np.any(c < 0.0):
        raise ModelRangeError(
            "an absorption per volume that no dielectric function of this real part gives",
            where="effective medium",
            allowed="0 and more, and below the local-field limit 1/(2 c A)",
            fix="check the volume and the unit (1/cm, base e)",
        )
    imaginary = 2.0 * c * a**2 / (1.0 + np.sqrt(under))  # the root without cancellation
    return np.asarray(np.asarray(real_part, dtype=float) + 1j * imaginary)


def _share(fraction: npt.ArrayLike) -> FloatArray:
    share = np.asarray(fraction, dtype=float)
    if not np.all((share >= 0.0) & (share <= 1.0)):
        raise OptionError("a volume fraction outside 0 to 1", where="effective medium", allowed="0 to 1")
    return share
