"""Scatterers in a film: spheres (TiO2, SiO2, ZrO2 ...) by Mie, as the coefficients that transport needs.

With a volume fraction f of spheres of number-mean area <pi d^2/4 Q> and volume <pi d^3/6>,

    mu_s = f <pi d^2/4 Q_sca>/<pi d^3/6>   (one size: 3 f Q_sca/(2 d)),   mu_s' = mu_s (1 - g)

g is weighted by what each size scatters. Spheres are taken to scatter one by one: above some ten per cent
they see one another and the sum is too strong. The host is transparent. Irregular or aggregated pigment is
taken as spheres, which is an error source.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from perolux.display.mie import sphere_light
from perolux.display.optical_media import Index, film_value, index_at
from perolux.errors import ModelRangeError, OptionError

__all__ = ["ScattererLight", "Scatterers", "fraction_for_depth", "scattering"]

FloatArray = npt.NDArray[np.float64]
_CM_PER_NM = 1e7
_NODES = 161
_REACH = 4.0
_CLOSE_PACKED = np.pi / np.sqrt(18.0)
"""Densest packing of equal spheres, exact."""


@dataclass(frozen=True)
class Scatterers:
    """Spheres in a film: index, median diameter, volume fraction of the film, spread.

    spread: sigma of ln d of a lognormal distribution by number; 0 for one size.
    """

    index: Index
    diameter_nm: float
    fraction: float
    spread: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 < self.diameter_nm < np.inf:
            raise OptionError(f"scatterers of {self.diameter_nm:g} nm", allowed="a diameter above 0 nm")
        if not 0.0 <= self.spread <= 1.0:
            raise OptionError(
                f"a spread of {self.spread:g}", where="scatterers", allowed="sigma of ln d, 0 to 1"
            )
        if not self.fraction >= 0.0:
            raise OptionError(
                f"a volume fraction of {self.fraction:g}", where="scatterers", allowed="0 and more"
            )
        if self.fraction > _CLOSE_PACKED:
            raise ModelRangeError(
                f"scatterers filling {self.fraction:.3g} of the film cannot be packed",
                allowed=f"up to {_CLOSE_PACKED:.4f}, the densest packing of equal spheres",
                fix="lower the fraction, which is by volume and not by mass",
            )


@dataclass(frozen=True)
class ScattererLight:
    """Per wavelength (m,): scattering and absorption coefficients (1/cm, base e), mean cosine g, notes."""

    wavelength_nm: FloatArray
    mu_s_per_cm: FloatArray
    mu_a_per_cm: FloatArray
    g: FloatArray
    notes: tuple[str, ...] = field(default=())

    @property
    def transport_per_cm(self) -> FloatArray:
        """mu_s' = mu_s (1 - g)."""
        return self.mu_s_per_cm * (1.0 - self.g)

    def depth(self, thickness_um: float) -> FloatArray:
        """Scattering depth mu_s t of a film."""
        return self.mu_s_per_cm * 1e-4 * thickness_um


def scattering(scatterers: Scatterers, host: Index, wavelength_nm: npt.ArrayLike) -> ScattererLight:
    """Coefficients of scatterers in a transparent host at wavelengths (m,) in nm.

    Raises `OptionError` for a host that absorbs; outside the records of the media `ModelRangeError`.

    >>> from perolux.display.optical_media import medium
    >>> found = scattering(Scatterers(medium("TiO2 rutile"), 250.0, 0.01), 1.5, [525.0])
    >>> f"{found.mu_s_per_cm[0]:.0f} 1/cm, g {found.g[0]:.2f}"
    '2643 1/cm, g 0.61'
    """
    nm = np.atleast_1d(np.asarray(wavelength_nm, dtype=float))
    outside = index_at(host, nm)
    if np.any(outside.imag != 0.0):
        raise OptionError(
            "scatterers in a host that absorbs", allowed="a transparent host", fix="leave k out"
        )
    inside = index_at(scatterers.index, nm)
    diameter, number = _sizes(scatterers)
    x = np.pi * diameter[:, None] * outside.real / nm
    light = sphere_light(inside / outside.real, x)
    area = (number * 0.25 * np.pi * diameter**2)[:, None]
    volume = float(np.sum(number * np.pi / 6.0 * diameter**3))
    scattered = np.sum(area * light.scattering, axis=0)
    forward = np.sum(area * light.scattering * light.g, axis=0)
    scale = scatterers.fraction / volume * _CM_PER_NM
    absorbed = np.where(inside.imag > 0.0, np.sum(area * light.absorption, axis=0), 0.0)
    g = np.divide(forward, scattered, out=np.zeros_like(scattered), where=scattered > 0.0)
    notes = ["scatterers are spheres and scatter one by one"]
    limit = film_value("independent_scattering_fraction")
    if scatterers.fraction > limit.number:
        notes.append(
            f"{scatterers.fraction:.3g} of the film is scatterers, above {limit.number:g} ({limit.kind}): "
            "they see one another, the scattering is overestimated"
        )
    return ScattererLight(nm, scale * scattered, scale * absorbed, g, tuple(notes))


def fraction_for_depth(
    scatterers: Scatterers, host: Index, depth: float, thickness_um: float, wavelength_nm: float
) -> float:
    """Volume fraction at which mu_s t is the depth wanted; the fraction of `scatterers` does not matter.

    Raises `ModelRangeError` where it could not be packed, or the spheres do not scatter at all.
    """
    if not (depth >= 0.0 and thickness_um > 0.0):
        raise OptionError(
            "a depth or a thickness that cannot be used", allowed="depth >= 0, thickness > 0 um"
        )
    one = Scatterers(scatterers.index, scatterers.diameter_nm, 0.01, scatterers.spread)
    inside, outside = (complex(index_at(which, wavelength_nm)) for which in (scatterers.index, host))
    unit = float(scattering(one, host, [wavelength_nm]).depth(thickness_um)[0])
    if abs(inside - outside) <= 1e-12 * abs(outside):
        raise ModelRangeError("spheres of the index of their host do not scatter", fix="take another index")
    wanted = 0.01 * depth / unit
    Scatterers(scatterers.index, scatterers.diameter_nm, wanted, scatterers.spread)  # refuses what cannot be
    return wanted


def _sizes(scatterers: Scatterers) -> tuple[FloatArray, FloatArray]:
    """Diameters and number weights; evenly in ln d, where the trapezoid is exact for a Gaussian."""
    if scatterers.spread == 0.0:
        return np.array([scatterers.diameter_nm]), np.ones(1)
    # large spheres scatter most: the nodes reach as far about the volume mean as about the number mean
    z = np.linspace(-_REACH, _REACH + 6.0 * scatterers.spread, _NODES)
    weight = np.exp(-0.5 * z**2)
    return scatterers.diameter_nm * np.exp(scatterers.spread * z), weight / weight.sum()
