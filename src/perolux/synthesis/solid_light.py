"""The light of a finished population, through the room `excitons`: peak and width by parameter set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError
from perolux.quantities.constants import HC_EV_NM

if TYPE_CHECKING:
    from perolux.ensemble import Ensemble
    from perolux.excitons.spread import Spread

__all__ = ["Light", "emission_of", "peak_and_width"]

FloatArray = npt.NDArray[np.float64]
_STEP_EV = 5e-4


@dataclass(frozen=True)
class Light:
    """Emission of an ensemble, no instrument, no reabsorption: `Spread`s over the parameter sets.

    peak_ev, fwhm_mev: of the spectrum over energy; peak_nm, fwhm_nm: of the one over wavelength,
    I_lambda = I_E E^2/(hc).
    """

    peak_ev: Spread
    fwhm_mev: Spread
    peak_nm: Spread
    fwhm_nm: Spread

    def as_dict(self) -> dict[str, object]:
        """The four as the JSON contract has them."""
        names = ("peak_ev", "fwhm_mev", "peak_nm", "fwhm_nm")
        return {name: getattr(self, name).as_dict() for name in names}


def emission_of(ensemble: Ensemble, temperature_k: float = 298.0) -> Light:
    """Peak and width of the emission of cubes or spheres of one material, each in proportion to its volume.

    Line positions and homogeneous width are those of `perolux.excitons.ensemble_spectrum`, whose errors are
    passed on.
    """
    from perolux.excitons import ensemble_spectrum
    from perolux.excitons.spread import spread_of

    energy = np.arange(1.0, 5.0, _STEP_EV)
    spectrum = ensemble_spectrum(ensemble, energy, "emission", temperature_k=temperature_k)
    found: dict[str, dict[str, float]] = {"peak_ev": {}, "fwhm_mev": {}, "peak_nm": {}, "fwhm_nm": {}}
    for name, values in zip(spectrum.coords["set"].values.tolist(), spectrum.values, strict=True):
        peak, width = peak_and_width(energy, values)
        found["peak_ev"][name], found["fwhm_mev"][name] = peak, 1e3 * width
        wave = HC_EV_NM / energy[::-1]
        peak, width = peak_and_width(wave, (values * energy**2)[::-1])
        found["peak_nm"][name], found["fwhm_nm"][name] = peak, width
    units = {"peak_ev": "eV", "fwhm_mev": "meV", "peak_nm": "nm", "fwhm_nm": "nm"}
    return Light(**{name: spread_of(values, units[name]) for name, values in found.items()})


def peak_and_width(x: FloatArray, y: FloatArray) -> tuple[float, float]:
    """Place of the largest value (parabola through three points) and full width at half of it (linear).

    The width is that of the band around the peak: from it to the next point on either side that lies below
    half. Raises `ModelRangeError` where the band does not end within x.
    """
    top = int(np.argmax(y))
    below = np.flatnonzero(y < 0.5 * y[top])
    left, right = below[below < top], below[below > top]
    if not len(left) or not len(right):
        raise ModelRangeError("a band that does not end within the spectrum", fix="ask for a wider range")
    a, b = int(left[-1]), int(right[0])
    half = 0.5 * y[top]
    low = x[a] + (half - y[a]) / (y[a + 1] - y[a]) * (x[a + 1] - x[a])
    high = x[b - 1] + (y[b - 1] - half) / (y[b - 1] - y[b]) * (x[b] - x[b - 1])
    c2, c1, _ = np.polyfit(x[top - 1 : top + 2] - x[top], y[top - 1 : top + 2], 2)
    peak = x[top] - 0.5 * c1 / c2 if c2 < 0 else x[top]
    return float(peak), float(high - low)
