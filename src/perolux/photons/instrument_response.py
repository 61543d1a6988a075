"""The response of an instrument to an instant of light: a Gaussian, or a measured histogram, shifted at will.

A measured response is a density that is constant within a bin up to the curvature of its neighbours: its
cumulated counts are joined by a monotone cubic (PCHIP) and moved by a fraction of a bin. Unlike a shift in
Fourier space this never makes a negative response of a sharp one; where the response is resolved the two
agree (a test shows it).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.errors import InputError, OptionError

__all__ = ["GaussianResponse", "MeasuredResponse", "Response", "measured_response", "parse_gaussian"]

FloatArray = npt.NDArray[np.float64]

BACKGROUND_SIGMAS = 3.0
"""A bin belongs to a measured response where it stands this many Poisson sigmas above its background."""
LEAST_COUNTS = 100
"""Counts that a measured response needs above its background."""


@dataclass(frozen=True)
class GaussianResponse:
    """A Gaussian of standard deviation sigma_ns (0: an instant) at centre_ns after the start of the first
    bin.
    """

    sigma_ns: float
    centre_ns: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.sigma_ns) and self.sigma_ns >= 0 and math.isfinite(self.centre_ns)):
            raise OptionError(
                f"a Gaussian response of sigma {self.sigma_ns:g} ns at {self.centre_ns:g} ns",
                allowed="sigma 0 or more, both finite",
            )

    @property
    def note(self) -> str:
        """How it was made, in words."""
        return f"Gaussian, sigma {self.sigma_ns:g} ns at {self.centre_ns:g} ns"


@dataclass(frozen=True, eq=False)
class MeasuredResponse:
    """A response by bins of the decay's own axis: probabilities, shape (n,), sum 1; `counts` it was made
    of.
    """

    probability: FloatArray
    bin_ns: float
    counts: float
    background: float
    note: str

    def __post_init__(self) -> None:
        self.probability.flags.writeable = False

    def shifted(self, shift_ns: float, bins: int) -> tuple[FloatArray, FloatArray]:
        """Probabilities moved by `shift_ns` on an axis of `bins` bins, and their derivative by the shift;
        each (bins,).

        What leaves the axis is gone.
        """
        from scipy.interpolate import PchipInterpolator

        n = len(self.probability)
        cumulated = np.concatenate([[0.0, 0.0], np.cumsum(self.probability), [1.0]])
        cumulated[-2] = 1.0
        edges = np.arange(-1, n + 2) * self.bin_ns
        at = np.arange(bins + 1) * self.bin_ns - shift_ns
        inside = np.clip(at, edges[0], edges[-1])
        curve: Any = PchipInterpolator(edges, cumulated)
        slope = np.where(inside == at, curve(inside, 1), 0.0)
        return np.diff(curve(inside)), -np.diff(slope)


Response = GaussianResponse | MeasuredResponse


def measured_response(
    counts: npt.ArrayLike, bin_ns: float, *, first_bin: int = 0, background: float | None = None
) -> MeasuredResponse:
    """A response from a histogram of scattered light, shape (n,), whose bins are those of the decay.

    first_bin: bin of the decay in which the histogram begins. background: counts per bin; None: the median of
    all bins, which holds where the response is short. Bins around the peak up to the last one that stands
    3 sigma above the background are kept, less the background and not below 0. Raises `InputError` where
    counts are negative or fewer than 100 stand above the background, `OptionError` for a response that begins
    before the decay.

    >>> found = measured_response([1, 1, 40, 100, 50, 20, 1, 1, 1, 1, 1, 1], 0.1)
    >>> [round(float(p), 3) for p in found.probability[1:7]]
    [0.0, 0.189, 0.481, 0.238, 0.092, 0.0]
    """
    values = np.asarray(counts, dtype=float)
    if values.ndim != 1 or len(values) < 2 or not np.isfinite(values).all() or np.any(values < 0):
        raise InputError(
            "a measured response must be a list of counts that are not negative", allowed="2 or more"
        )
    if not (math.isfinite(bin_ns) and bin_ns > 0):
        raise OptionError(f"a bin of {bin_ns:g} ns", allowed="a positive number")
    if first_bin < 0:
        raise OptionError(
            f"the response begins {-first_bin} bins before the decay",
            fix="give a decay whose axis begins where that of the response does",
        )
    level = float(np.median(values)) if background is None else float(background)
    above = values > level + BACKGROUND_SIGMAS * math.sqrt(max(level, 1.0))
    peak = int(np.argmax(values))
    # one bin that fell below by chance does not end the response; two do
    gone = ~above & np.append(~above[1:], True)
    ends = np.flatnonzero(gone[peak:])
    starts = np.flatnonzero((~above & np.insert(~above[:-1], 0, True))[: peak + 1])
    last = peak + int(ends[0]) if len(ends) else len(values)
    first = int(starts[-1]) + 1 if len(starts) else 0
    kept = np.zeros_like(values)
    kept[first:last] = np.maximum(values[first:last] - level, 0.0)
    total = float(kept.sum())
    if total < LEAST_COUNTS:
        raise InputError(
            f"the measured response has {total:.0f} counts above its background",
            allowed=f"{LEAST_COUNTS} or more",
            fix="measure it longer, or model it: --irf gaussian:SIGMA_NS,CENTRE_NS",
        )
    placed = np.concatenate([np.zeros(first_bin), kept]) / total
    note = (
        f"measured, {total:.0f} counts in bins {first + first_bin} to {last - 1 + first_bin}, "
        f"a background of {level:g} counts per bin removed"
    )
    return MeasuredResponse(placed, float(bin_ns), total, level, note)


def parse_gaussian(text: str) -> GaussianResponse | Path:
    """The response of "gaussian:SIGMA_NS,CENTRE_NS" (the centre 0 where it is left out); else the path of a
    file.

    >>> parse_gaussian("gaussian:0.06,2")
    GaussianResponse(sigma_ns=0.06, centre_ns=2.0)
    """
    if not text.lower().startswith("gaussian:"):
        return Path(text)
    try:
        numbers = [float(part) for part in text.partition(":")[2].split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 2):
        raise OptionError(f"no Gaussian: {text!r}", where="--irf", allowed="gaussian:SIGMA_NS,CENTRE_NS")
    return GaussianResponse(*numbers)
