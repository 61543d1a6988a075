"""Reflectance of the faces of a film, for light inside it: Fresnel, total internal reflection, mirrors.

Light inside a film is incoherent and unpolarised at every bounce: R = (R_s + R_p)/2 is taken anew each time.
Cosines are those inside the film.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError

__all__ = [
    "Face",
    "Reflectance",
    "critical_cosine",
    "diffuse_internal_reflectance",
    "inside_cosine",
    "internal_reflectance",
    "normal_reflectance",
]

FloatArray = npt.NDArray[np.float64]
Reflectance = Callable[[FloatArray, FloatArray], FloatArray]


@dataclass(frozen=True)
class Face:
    """What lies beyond a face of the film.

    outside_index: refractive index of the medium there (air 1). mirror: reflectance of a mirror behind a gap
    of that medium, a number or a function of wavelength (nm) and cosine in the gap that broadcasts.
    mirror_absorption: share of what the mirror does not return that it absorbs; the rest passes.
    """

    outside_index: float = 1.0
    mirror: float | Reflectance = 0.0
    mirror_absorption: float = 0.0

    def __post_init__(self) -> None:
        if not 1.0 <= self.outside_index < 10.0:
            raise OptionError(f"an index of {self.outside_index:g} beyond the face", allowed="1 to 10")
        if not callable(self.mirror) and not 0.0 <= self.mirror <= 1.0:
            raise OptionError(f"a mirror of reflectance {self.mirror:g}", allowed="0 to 1")
        if not 0.0 <= self.mirror_absorption <= 1.0:
            raise OptionError(
                f"{self.mirror_absorption:g} of the rest absorbed by the mirror", allowed="0 to 1"
            )

    def seen_from_inside(self, wavelength_nm: FloatArray, cosine: FloatArray, index: float) -> FloatArray:
        """Reflectance of face and mirror for light inside, shape (wavelengths, cosines).

        R = R_F + (1 - R_F)^2 R_m/(1 - R_F R_m) where light can leave, 1 where it is totally reflected. Of
        1 - R the share 1 - mirror_absorption leaves.
        """
        relative = index / self.outside_index
        fresnel = internal_reflectance(cosine, relative)
        outside = np.sqrt(np.maximum(1.0 - relative**2 * (1.0 - cosine**2), 0.0))
        mirror = self._mirror(wavelength_nm, outside)
        open_ = fresnel < 1.0
        below = np.where(open_, 1.0 - fresnel * mirror, 1.0)
        return np.where(open_, fresnel + (1.0 - fresnel) ** 2 * mirror / below, 1.0)

    def seen_from_outside(
        self, wavelength_nm: FloatArray, outside_cosine: FloatArray, index: float
    ) -> tuple[FloatArray, FloatArray]:
        """Light that comes in through mirror and face: shares let in and returned, (wavelengths, cosines).

        With t = (1 - R_m)(1 - mirror_absorption): let in t (1 - R_F)/(1 - R_m R_F), returned
        R_m + t^2 R_F/(1 - R_m R_F).
        """
        relative = index / self.outside_index
        fresnel = internal_reflectance(inside_cosine(outside_cosine, relative), relative)
        mirror = self._mirror(wavelength_nm, outside_cosine)
        through = (1.0 - mirror) * (1.0 - self.mirror_absorption)
        below = 1.0 - mirror * fresnel
        if np.any(below <= 0.0):
            raise OptionError("a perfect mirror before a face that light grazes", allowed="a mirror below 1")
        return through * (1.0 - fresnel) / below, mirror + through**2 * fresnel / below

    def _mirror(self, wavelength_nm: FloatArray, outside_cosine: FloatArray) -> FloatArray:
        shape = (len(wavelength_nm), len(outside_cosine))
        if not callable(self.mirror):
            return np.full(shape, self.mirror)
        value = np.broadcast_to(self.mirror(wavelength_nm[:, None], outside_cosine[None, :]), shape)
        if not (np.min(value) >= 0.0 and np.max(value) <= 1.0):
            raise OptionError("a mirror whose reflectance leaves 0 to 1", allowed="0 to 1")
        return np.asarray(value, dtype=float)


def critical_cosine(relative_index: float) -> float:
    """Cosine of total internal reflection, sqrt(1 - 1/n^2); 0 for n <= 1.

    >>> round(critical_cosine(1.6), 4)
    0.7806
    """
    return 0.0 if relative_index <= 1.0 else float(np.sqrt(1.0 - 1.0 / relative_index**2))


def internal_reflectance(cosine: Any, relative_index: float) -> FloatArray:
    """Unpolarised Fresnel reflectance from inside, R = (R_s + R_p)/2, at cosines inside the film.

    With mu_o = sqrt(1 - n^2 (1 - mu^2)): R_s = ((n mu - mu_o)/(n mu + mu_o))^2 and
    R_p = ((mu - n mu_o)/(mu + n mu_o))^2; 1 below the critical cosine. relative_index: film over outside.

    >>> round(float(internal_reflectance(1.0, 1.5)), 12)
    0.04
    """
    n = relative_index
    mu = np.asarray(cosine, dtype=float)
    square = 1.0 - n**2 * (1.0 - mu**2)
    out = np.sqrt(np.maximum(square, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        s = ((n * mu - out) / (n * mu + out)) ** 2
        p = ((mu - n * out) / (mu + n * out)) ** 2
    return np.asarray(np.where((square <= 0.0) | (mu <= 0.0), 1.0, 0.5 * (s + p)))


def normal_reflectance(relative_index: float) -> float:
    """F = ((n - 1)/(n + 1))^2."""
    return ((relative_index - 1.0) / (relative_index + 1.0)) ** 2


def inside_cosine(outside_cosine: Any, relative_index: float) -> FloatArray:
    """Cosine inside of light that comes in at a cosine outside: mu = sqrt(1 - (1 - mu_o^2)/n^2)."""
    return np.sqrt(1.0 - (1.0 - np.asarray(outside_cosine, dtype=float) ** 2) / relative_index**2)


def diffuse_internal_reflectance(relative_index: float) -> float:
    """r_i = 2 integral_0^1 R(mu) mu dmu, the reflectance of a face for isotropic light from inside.

    >>> round(diffuse_internal_reflectance(1.5), 4)
    0.5963
    """
    edge = critical_cosine(relative_index)
    nodes, weights = np.polynomial.legendre.leggauss(64)
    u, w = 0.5 * (nodes + 1.0), 0.5 * weights
    mu = edge + (1.0 - edge) * u**2  # the square root at the critical cosine is gone in u
    reflectance = internal_reflectance(mu, relative_index)
    return float(edge**2 + np.sum(2.0 * mu * reflectance * 2.0 * (1.0 - edge) * u * w))
