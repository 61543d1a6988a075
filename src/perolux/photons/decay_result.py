"""What a fit of a decay is: the histogram that went in, models compared, starts followed, the result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.photons.dark_record import DarkRecord, DarkVerdict
from perolux.photons.decay_shapes import SHAPES
from perolux.photons.instrument_response import Response

__all__ = ["Compared", "DecayFit", "Histogram", "Starts"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Histogram:
    """What is fitted: counts of all bins (n,), bin_ns, which bins are used (n,), exposure of bins (n,), the
    response. dark: what a dark record says of the background.
    """

    counts: FloatArray
    bin_ns: float
    used: BoolArray
    exposure: FloatArray
    response: Response | None
    period_ns: float | None
    dark: DarkRecord | None = None


@dataclass(frozen=True)
class Compared:
    """One model of the comparison; reduced_deviance is None without degrees of freedom."""

    model: str
    parameters: int
    deviance: float
    reduced_deviance: float | None
    bic: float
    delta_bic: float
    lifetimes_ns: tuple[float, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return dict(self.__dict__) | {"lifetimes_ns": list(self.lifetimes_ns)}


@dataclass(frozen=True)
class Starts:
    """How far the result depends on the start: starts followed, those that ended within 0.5 of the best
    deviance, all deviances found, and the lifetimes of the nearest other optimum."""

    followed: int
    reached_best: int
    deviances: tuple[float, ...]
    next_best_lifetimes_ns: tuple[float, ...] | None


@dataclass(frozen=True, eq=False)
class DecayFit:
    """A fitted decay; components from the shortest lifetime to the longest.

    lifetimes_ns, lifetime_sigma_ns, intervals_ns: of each component; a sigma or an end is None where there is
    none (`warnings` says why). counts: photons of each component over all times (with a period: per period).
    amplitudes: counts per bin at the pulse, exponentials of an instant. background: counts per bin. shift_ns:
    of the response, None without. second: the shape's other parameter (name, value, sigma) and its interval.
    average_amplitude_ns: sum(A tau)/sum(A); average_intensity_ns: sum(A tau^2)/sum(A tau). overdispersion:
    factor on the variance that the errors allow for, 1 where the model is good to the noise. expected,
    residuals: model and signed deviance residuals of the bins `used`. dark: what a dark record said of the
    background, and whether the decay agrees; None without one.
    """

    model: str
    lifetimes_ns: tuple[float, ...]
    lifetime_sigma_ns: tuple[float | None, ...]
    intervals_ns: tuple[tuple[float | None, float | None], ...]
    level: float
    counts: tuple[float, ...]
    amplitudes: tuple[float, ...]
    amplitude_sigma: tuple[float | None, ...]
    background: float
    background_sigma: float | None
    background_free: bool
    shift_ns: float | None
    shift_sigma_ns: float | None
    second: tuple[str, float, float | None] | None
    deviance: float
    degrees_of_freedom: int
    pearson_chi2: float
    overdispersion: float
    comparison: tuple[Compared, ...]
    starts: Starts
    histogram: Histogram
    expected: FloatArray
    warnings: tuple[str, ...] = ()
    dark: DarkVerdict | None = None

    @property
    def reduced_deviance(self) -> float | None:
        """Deviance per degree of freedom; about 1 for a true model of bins with more than a few counts."""
        return self.deviance / self.degrees_of_freedom if self.degrees_of_freedom > 0 else None

    @property
    def residuals(self) -> FloatArray:
        """Signed deviance residuals of the bins used."""
        from perolux.fitting import poisson_deviance_residuals

        return poisson_deviance_residuals(self.histogram.counts[self.histogram.used], self.expected)

    @property
    def amplitude_fractions(self) -> tuple[float, ...] | None:
        """A_k over their sum: shares of emitters, where all emit alike at first; None without any
        amplitude.
        """
        return _shares(self.amplitudes)

    @property
    def intensity_fractions(self) -> tuple[float, ...] | None:
        """Shares of the photons; None without any."""
        return _shares(self.counts)

    @property
    def average_amplitude_ns(self) -> float | None:
        """sum(A tau)/sum(A), the area of the decay over its height."""
        shares = self.amplitude_fractions
        if shares is None or self.model in SHAPES:
            return None
        return sum(a * t for a, t in zip(shares, self.lifetimes_ns, strict=True))

    @property
    def average_intensity_ns(self) -> float | None:
        """sum(A tau^2)/sum(A tau), the mean time at which a photon comes."""
        shares = self.intensity_fractions
        if shares is None or self.model in SHAPES:
            return None
        return sum(a * t for a, t in zip(shares, self.lifetimes_ns, strict=True))

    def as_dict(self) -> dict[str, Any]:
        """For JSON; missing is None."""
        h = self.histogram
        return {
            "model": self.model,
            "lifetimes_ns": [
                {"value": value, "sigma": sigma, "low": low, "high": high, "level": self.level}
                for value, sigma, (low, high) in zip(
                    self.lifetimes_ns, self.lifetime_sigma_ns, self.intervals_ns, strict=True
                )
            ],
            "amplitudes": [
                {"counts_per_bin_at_pulse": a, "sigma": s, "counts": n}
                for a, s, n in zip(self.amplitudes, self.amplitude_sigma, self.counts, strict=True)
            ],
            "amplitude_fractions": self.amplitude_fractions and list(self.amplitude_fractions),
            "intensity_fractions": self.intensity_fractions and list(self.intensity_fractions),
            "average_lifetime_amplitude_weighted_ns": self.average_amplitude_ns,
            "average_lifetime_intensity_weighted_ns": self.average_intensity_ns,
            "background": {
                "counts_per_bin": self.background,
                "sigma": self.background_sigma,
                "free": self.background_free,
                "dark": None if self.dark is None else self.dark.as_dict(),
            },
            "shift_ns": None
            if self.shift_ns is None
            else {"value": self.shift_ns, "sigma": self.shift_sigma_ns},
            "shape_parameter": None
            if self.second is None
            else dict(zip(("name", "value", "sigma"), self.second, strict=True)),
            "deviance": self.deviance,
            "degrees_of_freedom": self.degrees_of_freedom,
            "reduced_deviance": self.reduced_deviance,
            "reduced_pearson_chi2": self.pearson_chi2 / max(self.degrees_of_freedom, 1),
            "overdispersion": self.overdispersion,
            "counts": float(h.counts[h.used].sum()),
            "counts_of_model": float(self.expected.sum()),
            "bins": int(h.used.sum()),
            "bin_ns": h.bin_ns,
            "period_ns": h.period_ns,
            "model_comparison": [one.as_dict() for one in self.comparison],
            "starts": {
                "followed": self.starts.followed,
                "reached_best": self.starts.reached_best,
                "deviances": list(self.starts.deviances),
                "next_best_lifetimes_ns": None
                if self.starts.next_best_lifetimes_ns is None
                else list(self.starts.next_best_lifetimes_ns),
            },
            "warnings": list(self.warnings),
        }  # fmt: skip


def _shares(values: tuple[float, ...]) -> tuple[float, ...] | None:
    total = sum(values)
    return tuple(x / total for x in values) if total > 0 else None
