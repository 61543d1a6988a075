"""Series that a fit of growth takes: sizes, PL or absorbance against time, or residence time in flow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from perolux.errors import NotAvailableError, OptionError
from perolux.synthesis.batch import Batch
from perolux.synthesis.flow import Flow
from perolux.synthesis.history import SizeDistribution
from perolux.synthesis.inline_spectra import Optics

__all__ = ["GrowthData", "Seen", "SizeSeries", "SpectralSeries", "falls_back", "seen_of"]

FloatArray = npt.NDArray[np.float64]
_BACK_SIGMAS = 4.0
_BACK_NM = 3.0
_SEEN_NM = 8.0
"""Above it the ensemble's line is as wide as that of one nanocrystal: CHIMIA 2024, 78(12), 861."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What a series sees of a grown recipe, at its times: mean sizes, spreads, populations."""

    time_s: FloatArray
    mean_radius_m: FloatArray
    cv: FloatArray
    distributions: tuple[SizeDistribution, ...]
    volume_ratio: FloatArray


def seen_of(result: Batch | Flow) -> Seen:
    """Of a batch its history, of a flow its detectors (mean residence times); NaN without crystals."""
    if isinstance(result, Batch):
        one = result.history
        return Seen(one.time_s, one.mean_radius_m, one.cv, one.distributions, one.volume_ratio)
    sizes = tuple(at.distribution for at in result.detectors)
    return Seen(
        np.array([at.time_s for at in result.detectors]),
        np.array([one.mean_radius_m or np.nan for one in sizes]),
        np.array([np.nan if one.cv is None else one.cv for one in sizes]),
        sizes,
        np.ones(len(sizes)),
    )


class GrowthData(Protocol):
    """What a fit asks of a series: its times, how many numbers it has, and residuals of a history at them."""

    @property
    def time_s(self) -> FloatArray:
        """Times (s) above 0 that rise."""

    @property
    def points(self) -> int:
        """How many numbers there are."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is odd about the series."""

    def residuals(self, history: Seen) -> FloatArray:
        """(data - model)/sigma for a history at the times."""

    def limits(self, history: Seen) -> tuple[str, ...]:
        """What such a series cannot tell of such a history, in sentences."""


@dataclass(frozen=True, eq=False)
class SizeSeries:
    """Mean edges (nm) and spreads (cv) with standard deviations, at times that rise; NaN: not measured."""

    time_s: FloatArray
    mean_edge_nm: FloatArray
    sigma_mean_nm: FloatArray
    cv: FloatArray | None = None
    sigma_cv: FloatArray | None = None
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _rising(self.time_s)
        if (self.cv is None) != (self.sigma_cv is None):
            raise OptionError("cv and sigma_cv belong together")
        for name in ("mean_edge_nm", "sigma_mean_nm", "cv", "sigma_cv"):
            values = getattr(self, name)
            if values is not None and np.shape(values) != np.shape(self.time_s):
                raise OptionError(f"{name} and time_s differ in length")
            if values is not None and name.startswith("sigma") and np.any(values <= 0):
                raise OptionError(f"{name} holds a number that is not above 0")

    @property
    def points(self) -> int:
        """How many numbers were measured."""
        cv = 0 if self.cv is None else int(np.isfinite(self.cv).sum())
        return int(np.isfinite(self.mean_edge_nm).sum()) + cv

    def residuals(self, history: Seen) -> FloatArray:
        """(data - model)/sigma; where the model has no crystals its size and spread count as 0."""
        mean = 2e9 * np.nan_to_num(history.mean_radius_m, nan=0.0)
        found = [(self.mean_edge_nm - mean) / self.sigma_mean_nm]
        if self.cv is not None and self.sigma_cv is not None:
            found.append((self.cv - np.nan_to_num(history.cv, nan=0.0)) / self.sigma_cv)
        both = np.concatenate(found)
        return both[np.isfinite(both)]

    def limits(self, history: Seen) -> tuple[str, ...]:
        """None: sizes are measured as such."""
        del history
        return ()


@dataclass(frozen=True, eq=False)
class SpectralSeries:
    """Spectra (times, wavelengths) on the wavelengths of their optics, with the noise of each spectrum.

    kind: "pl" or "absorbance". scale: "each": every spectrum has its own factor, found with the fit, so that
    only shape and place count; "series": one factor for all (the lamp and the geometry stayed, and so did the
    quantum yield); "none": as computed, of absorbance where path, dilution and cross sections are known.
    """

    time_s: FloatArray
    values: FloatArray
    sigma: FloatArray
    optics: Optics
    scale: str = "each"
    kind: str = "pl"
    warnings: tuple[str, ...] = ()
    _weights: FloatArray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        _rising(self.time_s)
        wanted = (len(self.time_s), len(self.optics.spectrometer.wavelength_nm))
        if np.shape(self.values) != wanted:
            raise OptionError(f"spectra of shape {np.shape(self.values)}", allowed=f"{wanted}")
        if self.kind not in ("pl", "absorbance"):
            raise OptionError(f"spectra of kind {self.kind!r}", allowed="pl, absorbance")
        if self.kind == "absorbance" and self.optics.cross is None:
            raise NotAvailableError(self.optics.reason, where="absorbance as data of a fit")
        scales = ("each", "series") if self.kind == "pl" else ("each", "series", "none")
        if self.scale not in scales:
            raise OptionError(f"scale = {self.scale!r} of {self.kind}", allowed=", ".join(scales))
        sigma = np.broadcast_to(np.asarray(self.sigma, dtype=float), self.time_s.shape)
        if not (np.isfinite(self.values).all() and np.all(sigma > 0)):
            raise OptionError("spectra need finite values and a noise above 0")
        object.__setattr__(self, "_weights", 1.0 / sigma)

    @property
    def points(self) -> int:
        """Numbers less the factors that are fitted with them."""
        factors = {"each": len(self.time_s), "series": 1, "none": 0}
        return int(self.values.size) - factors[self.scale]

    def residuals(self, history: Seen) -> FloatArray:
        """(data - factor model)/sigma, the factor that fits best."""
        largest = 0.5e-9 * self.optics.light.size_nm[-1]
        which = 0 if self.kind == "absorbance" else 1
        model = np.array(
            [
                # beyond the table crystals shine as the largest of it: wrong, but it leads back to it
                self.optics.record(_held_below(one, largest), float(volume))[which]
                for one, volume in zip(history.distributions, history.volume_ratio, strict=True)
            ]
        )
        data, model = self.values * self._weights[:, None], model * self._weights[:, None]
        if self.scale == "none":
            return np.asarray(data - model).ravel()
        axis = 1 if self.scale == "each" else None
        norm = np.sum(model * model, axis=axis, keepdims=True)
        factor = np.sum(data * model, axis=axis, keepdims=True) / np.maximum(norm, 1e-300)
        return np.asarray(data - np.maximum(factor, 0.0) * model).ravel()

    def limits(self, history: Seen) -> tuple[str, ...]:
        """Times at which crystals are too large for their light to tell sizes, or for the table of light."""
        found = []
        large = np.flatnonzero(2e9 * np.nan_to_num(history.mean_radius_m, nan=0.0) > _SEEN_NM)
        if len(large):
            name = "PL" if self.kind == "pl" else "an absorbance edge"
            found.append(
                f"from {history.time_s[large[0]]:g} s on the mean edge is above {_SEEN_NM:g} nm: {name} "
                "hardly tells sizes there, and growth and ripening rest on the model"
            )
        end = float(self.optics.light.size_nm[-1])
        if max([2e9 * float(one.high_m.max()) for one in history.distributions if len(one)], default=0) > end:
            found.append(f"crystals above {end:g} nm were drawn as if they had {end:g} nm")
        return tuple(found)


def _held_below(crystals: SizeDistribution, largest_m: float) -> SizeDistribution:
    if not len(crystals) or crystals.high_m.max() <= largest_m:
        return crystals
    high = np.minimum(crystals.high_m, largest_m)
    return SizeDistribution(np.minimum(crystals.low_m, high), high, crystals.number_per_m3)


def _rising(time_s: FloatArray) -> None:
    times = np.asarray(time_s, dtype=float)
    if times.ndim != 1 or len(times) < 2 or not np.all(np.diff(times) > 0):
        raise OptionError("the times of a series", allowed="two or more that rise")


def falls_back(time_s: Sequence[float], peak_nm: Sequence[float | None]) -> tuple[float, float] | None:
    """Time (s) and depth (nm) at which a peak lies farthest to the blue of where it was before, or None.

    Growth only moves a peak to the red. Counted is what exceeds both 3 nm and four times the scatter from
    point to point (second differences, median). A series that falls back dissolved, or is not of one vessel.
    """
    kept = [(t, p) for t, p in zip(time_s, peak_nm, strict=True) if p is not None and np.isfinite(p)]
    if len(kept) < 4:
        return None
    times, peaks = np.array(kept).T
    scatter = 1.4826 * float(np.median(np.abs(np.diff(peaks, 2)))) / np.sqrt(6.0)
    depth = np.maximum.accumulate(peaks) - peaks
    worst = int(np.argmax(depth))
    if depth[worst] <= max(_BACK_NM, _BACK_SIGMAS * scatter):
        return None
    return float(times[worst]), float(depth[worst])
