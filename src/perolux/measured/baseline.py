"""Baselines of PL spectra: what lies under the band, how well it is known, and the curve to subtract.

`ends` is the reference rule of the antisolvent set: the median of the first 8 and last 8 samples. `linear`
draws a line through the two ends, `arpls` follows a curved background, `none` subtracts nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np

from perolux.errors import OptionError
from perolux.measured.records import FloatArray

__all__ = ["BASELINE_METHODS", "END_SAMPLES", "Baseline", "BaselineMethod", "estimate_baseline"]

BaselineMethod = Literal["ends", "linear", "arpls", "none"]
BASELINE_METHODS: tuple[BaselineMethod, ...] = get_args(BaselineMethod)
END_SAMPLES = 8
"""Samples taken at each end of a spectrum by the reference rule."""
_MEDIAN_EFFICIENCY = math.sqrt(math.pi / 2.0)
"""Standard error of a median over that of a mean, Gaussian noise, many samples."""


@dataclass(frozen=True)
class Baseline:
    """A baseline: its method, its height in counts, what is left under the ends, and the whole curve.

    counts: the level (`ends`, `none`), or the level under the strongest sample (`linear`, `arpls`).
    sigma: standard uncertainty of the level in counts: the error of a median of the end samples, and half
        the disagreement of the two ends. 0 for `none`, which is taken at its word.
    noise: standard deviation of the end samples after subtraction; the noise of the reference `snr`.
    curve: the baseline at every sample, shape (n,).
    """

    method: BaselineMethod
    counts: float
    sigma: float
    noise: float
    curve: FloatArray = field(repr=False)

    def as_dict(self) -> dict[str, Any]:
        """Method and counts, as the command line prints them."""
        return {"method": self.method, "counts": self.counts}


def estimate_baseline(
    wavelength_nm: FloatArray,
    values: FloatArray,
    method: BaselineMethod = "ends",
    *,
    period_nm: float | None = None,
) -> Baseline:
    """Estimate the baseline of one spectrum on its recorded axis.

    wavelength_nm, values: shape (n,), n >= 2 * END_SAMPLES. period_nm: structure slower than this is taken
    for background by `arpls`; when not given, a quarter of the record or 2.5 widths of the band, the larger.
    A hump as narrow as that under a band cannot be told from the band by any baseline. Raises `OptionError`
    for an unknown method, for a period with another method than `arpls`, and for a record that is too short.

    >>> import numpy as np
    >>> x = np.arange(400.0, 600.0)
    >>> estimate_baseline(x, 7.0 + np.exp(-(((x - 500.0) / 9.0) ** 2))).counts
    7.0
    """
    if method not in BASELINE_METHODS:
        raise OptionError(f"unknown baseline method {method!r}", allowed=", ".join(BASELINE_METHODS))
    if period_nm is not None and (method != "arpls" or not period_nm > 0):
        raise OptionError(
            "a baseline period belongs to the method arpls and is positive",
            where=f"method {method}, period {period_nm} nm",
            fix="use baseline='arpls', or leave the period out",
        )
    count = len(values)
    if count < 2 * END_SAMPLES:
        raise OptionError(
            f"a spectrum of {count} samples has no two ends of {END_SAMPLES} samples",
            allowed=f"at least {2 * END_SAMPLES} samples",
            fix="record a wider range",
        )
    ends = np.r_[0:END_SAMPLES, count - END_SAMPLES : count]
    if method == "linear":
        curve = _line(wavelength_nm, values)
    elif method == "arpls":
        span = float(wavelength_nm[-1] - wavelength_nm[0])
        step = span / (count - 1)
        if period_nm is None:  # slower than a quarter of the record, and than the band itself
            above = values > 0.5 * (float(np.max(values)) + float(np.median(values[ends])))
            period_nm = max(0.25 * span, 2.5 * step * int(np.count_nonzero(above)))
        curve = _arpls(values, (period_nm / (2.0 * math.pi * step)) ** 4)
    else:
        curve = np.full(count, float(np.median(values[ends])) if method == "ends" else 0.0)
    rest = values[ends] - curve[ends]
    noise = float(np.std(rest))
    if method == "none":
        return Baseline(method, 0.0, 0.0, noise, curve)
    statistical = _MEDIAN_EFFICIENCY * noise / math.sqrt(len(ends))
    disagreement = 0.5 * abs(float(np.median(rest[:END_SAMPLES]) - np.median(rest[END_SAMPLES:])))
    counts = float(curve[int(np.argmax(values - curve))])
    return Baseline(method, counts, math.hypot(statistical, disagreement), noise, curve)


def _line(wavelength_nm: FloatArray, values: FloatArray) -> FloatArray:
    first, last = slice(None, END_SAMPLES), slice(-END_SAMPLES, None)
    x0, x1 = float(np.mean(wavelength_nm[first])), float(np.mean(wavelength_nm[last]))
    y0, y1 = float(np.median(values[first])), float(np.median(values[last]))
    return y0 + (wavelength_nm - x0) * ((y1 - y0) / (x1 - x0))


def _arpls(values: FloatArray, stiffness: float, iterations: int = 50, tolerance: float = 1e-3) -> FloatArray:
    """Asymmetrically reweighted penalised least squares (Baek et al., Analyst 140, 250 (2015)).

    Minimises sum w_i (y_i - z_i)^2 + stiffness * sum (second difference of z)^2 and gives samples that stand
    above the residual's negative side a logistic weight that falls to zero. Differences are by sample.
    """
    from scipy.linalg import solveh_banded

    scale = float(np.ptp(values)) or 1.0
    y = values / scale
    count = len(y)
    bands = np.zeros((3, count))  # upper form: rows are the second, first and zeroth diagonal
    bands[0, 2:] = 1.0
    bands[1, 1:] = -4.0
    bands[1, [1, -1]] = -2.0
    bands[2] = 6.0
    bands[2, [0, -1]] = 1.0
    bands[2, [1, -2]] = 5.0
    bands *= stiffness
    weights = np.ones(count)
    curve = y
    for _ in range(iterations):
        system = bands.copy()
        system[2] += weights
        curve = solveh_banded(system, weights * y)
        difference = y - curve
        negative = difference[difference < 0]
        spread = float(np.std(negative)) if len(negative) > 1 else 0.0
        if spread < 1e-12:  # the curve lies on or above every sample: nothing left to reweight
            break
        argument = 2.0 * (difference - (2.0 * spread - float(np.mean(negative)))) / spread
        updated = 1.0 / (1.0 + np.exp(np.clip(argument, -60.0, 60.0)))
        change = float(np.linalg.norm(weights - updated) / np.linalg.norm(weights))
        weights = updated
        if change < tolerance:
            break
    return curve * scale
