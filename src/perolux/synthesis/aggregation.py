"""Attachment of crystals to each other: Smoluchowski's equation on fixed pivots.

    dn(v)/dt = 1/2 int K(v - u, u) n(v - u) n(u) du - n(v) int K(v, u) n(u) du

A crystal that forms between two pivots is shared so that number and volume are kept (Kumar and Ramkrishna,
Chem. Eng. Sci. 51, 1311 (1996)).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, OptionError

__all__ = ["attachment_rate"]

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
