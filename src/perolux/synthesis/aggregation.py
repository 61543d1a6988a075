"""Attachment of crystals to each other: Smoluchowski's equation on fixed pivots.

    dn(v)/dt = 1/2 int K(v - u, u) n(v - u) n(u) du - n(v) int K(v, u) n(u) du

A crystal that forms between two pivots is shared so that number and volume are kept (Kumar and Ramkrishna,
Chem. Eng. Sci. 51, 1311 (1996)).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from perolux.errors import ConvergenceError, ModelRangeError, OptionError

__all__ = ["attach", "attachment_rate"]

FloatArray = npt.NDArray[np.float64]


def attachment_rate(volume: FloatArray, number: FloatArray, kernel: FloatArray) -> FloatArray:
    """dN/dt (1/(m^3 s)) of crystals on rising pivots `volume` (any unit), `kernel[i, j]` symmetric (m^3/s).

    Raises `OptionError` for unlike shapes, `ModelRangeError` where occupied pivots join above the largest.
    """
    n = len(volume)
    if number.shape != (n,) or kernel.shape != (n, n) or n < 2 or np.any(np.diff(volume) <= 0):
        raise OptionError(
            "pivots, numbers and kernel do not fit", allowed="n rising pivots, n numbers, n x n"
        )
    meetings = kernel * np.outer(number, number)
    joined = volume[:, None] + volume[None, :]
    if np.any((joined > volume[-1] * (1 + 1e-12)) & (meetings > 0)):
        raise ModelRangeError("crystals join above the largest pivot", fix="give larger pivots")
    low = np.clip(np.searchsorted(volume, joined, side="right") - 1, 0, n - 2)
    upper = np.clip((joined - volume[low]) / (volume[low + 1] - volume[low]), 0.0, 1.0)
    gain = np.bincount(low.ravel(), (0.5 * meetings * (1 - upper)).ravel(), n)
    gain += np.bincount(low.ravel() + 1, (0.5 * meetings * upper).ravel(), n)
    result: FloatArray = gain - meetings.sum(axis=1)
    return result


def attach(volume: FloatArray, number: FloatArray, kernel: FloatArray, times_s: npt.ArrayLike) -> FloatArray:
    """Numbers [time, pivot] (1/m^3) of crystals that only attach to each other, from `number` at 0 s.

    Arguments as in `attachment_rate`; the volume of all is kept. Raises `ConvergenceError` where the
    integration (Runge-Kutta, 1e-9 of the number) does not come to the end.
    """
    from scipy.integrate import solve_ivp

    times = np.atleast_1d(np.asarray(times_s, dtype=float))
    scale = float(number.sum())
    found = solve_ivp(
        lambda _, n: attachment_rate(volume, np.maximum(n, 0.0) * scale, kernel) / scale,
        (0.0, float(times[-1])),
        number / scale,
        t_eval=times,
        rtol=1e-9,
        atol=1e-14,
    )
    if not found.success:
        raise ConvergenceError(
            f"attachment to {times[-1]:g} s: {found.message}", fix="ask for a shorter time"
        )
    return np.asarray(found.y.T * scale)
