"""Imaging by antibunching: pairs that are missing mark where an emitter is, more sharply than its light.

    singles   I(x) = N h(x)                        h: point spread, N photons a dwell at the peak
    missing   M(x) = <n>^2 - <n (n - 1)> = (1 - g2) I(x)^2,    width of h^2: that of h over sqrt 2

For emitters that do not know each other the missing pairs add up: M = sum_i (1 - g2_i) I_i(x)^2. Order k of
the correlation narrows by sqrt k in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, OptionError

__all__ = ["ScanImage", "gaussian_width", "simulate_scan"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ScanImage:
    """One line of a scan. position_nm: (m,); singles: (m,), photons a pulse; missing: (m,), missing pairs a
    pulse, <n>^2 - <n(n-1)>; both with their standard errors (m,)."""

    position_nm: FloatArray
    singles: FloatArray
    singles_error: FloatArray
    missing: FloatArray
    missing_error: FloatArray


def simulate_scan(
    position_nm: npt.ArrayLike,
    emitter_nm: npt.ArrayLike,
    rng: np.random.Generator,
    *,
    spread_nm: float,
    photons: float,
    g2_zero: float = 0.0,
    pulses: int = 1_000_000,
) -> ScanImage:
    """Scan a Gaussian spot over emitters, pulse by pulse.

    spread_nm: standard deviation of the point spread; photons: of one emitter, a pulse at the peak (to 1);
    g2_zero: of each; pulses: a position. An emitter gives 0, 1 or 2 photons as in `simulate`. Raises
    `OptionError`.
    """
    x, places = np.asarray(position_nm, dtype=float), np.atleast_1d(np.asarray(emitter_nm, dtype=float))
    if not (spread_nm > 0 and 0 < photons <= 1 and g2_zero >= 0 and g2_zero * photons <= 1 and pulses > 1):
        raise OptionError(
            "a scan that cannot be", allowed="spread above 0, photons to 1, g2 x photons to 1, pulses above 1"
        )
    singles, pairs, third, fourth = (np.zeros(len(x)) for _ in range(4))
    for i, at in enumerate(x):
        n = np.zeros(pulses, dtype=np.int64)
        for place in places:
            m = photons * float(np.exp(-((at - place) ** 2) / (2 * spread_nm**2)))
            two = g2_zero * m * m / 2
            draw = rng.random(pulses)
            n += (draw < m - two).astype(np.int64) + (draw < two)
        singles[i], pairs[i] = n.mean(), (n * (n - 1)).mean()
        # of the missing pairs: errors of <n>^2 and <n(n-1)>, first order
        influence = 2 * singles[i] * n - n * (n - 1)
        third[i], fourth[i] = n.std() / np.sqrt(pulses), influence.std() / np.sqrt(pulses)
    return ScanImage(x, singles, third, singles**2 - pairs, fourth)


def gaussian_width(
    position_nm: npt.ArrayLike, values: npt.ArrayLike, errors: npt.ArrayLike
) -> tuple[float, float]:
    """Standard deviation of a Gaussian fitted to a profile, and its error, in nm.

    errors: (m,), those of 0 count as the smallest above 0. Raises `ModelRangeError` where the profile has no
    peak.
    """
    from perolux.fitting import least_squares

    x, y, s = (np.asarray(one, dtype=float) for one in (position_nm, values, errors))
    if not np.any(s > 0) or y.max() <= 0:
        raise ModelRangeError("no peak to fit", where="gaussian_width")
    s = np.maximum(s, s[s > 0].min())
    span = float(np.ptp(x))
    top = int(np.argmax(y))
    start = np.array([y[top], x[top], span / 8])

    def residual(p: FloatArray) -> FloatArray:
        return np.asarray((y - p[0] * np.exp(-((x - p[1]) ** 2) / (2 * p[2] ** 2))) / s)

    fit = least_squares(
        residual, start, names=("height", "centre", "width"), low=[0.0, x.min(), span / 1e3],
        high=[np.inf, x.max(), span], scale=[y[top] / 10, span / 20, span / 20],
    )  # fmt: skip
    if fit.sigma[2] is None:
        raise ModelRangeError("the width is not fixed by the profile", where="gaussian_width")
    return float(fit.values[2]), fit.sigma[2]
