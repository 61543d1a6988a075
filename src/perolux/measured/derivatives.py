"""Smoothed derivatives on any grid: a local polynomial over a window in nm (Savitzky-Golay generalised).

On an even grid with the window over whole samples this is the Savitzky-Golay filter. On an uneven grid the
window keeps its width in nm, which is what decides how far structure is smoothed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError
from perolux.measured.records import FloatArray

__all__ = ["DerivativeFilter", "derivative_filter"]


@dataclass(frozen=True)
class DerivativeFilter:
    """Rows of a linear filter, one per point of the axis: result = rows @ values.

    index, weights: shape (n, k): sample numbers and weights of each row (weight 0 beyond its window).
    full: shape (n,), False where the end of the axis cuts the window.
    gain: shape (n,), noise of the result for unit independent noise of the samples.
    """

    index: npt.NDArray[np.intp]
    weights: FloatArray
    full: npt.NDArray[np.bool_]
    gain: FloatArray

    def __call__(self, values: FloatArray) -> FloatArray:
        """The derivative of `values` (shape (n,)) at each point of the axis."""
        result: FloatArray = np.einsum("ij,ij->i", self.weights, values[self.index])
        return result

    def dense_rows(self, points: npt.NDArray[np.intp]) -> FloatArray:
        """The chosen rows over all samples, shape (len(points), n)."""
        out = np.zeros((len(points), len(self.index)))
        for row, point in enumerate(points):
            np.add.at(out[row], self.index[point], self.weights[point])
        return out


def derivative_filter(
    wavelength_nm: FloatArray, window_nm: float, derivative: int, order: int = 3
) -> DerivativeFilter:
    """Filter for the n-th derivative by least squares of a polynomial in every window.

    wavelength_nm: ascending, shape (n,). window_nm: full width; on a 1 nm grid 31 nm holds 31 samples.
    derivative: 0 (smoothing), 1, 2, in units per nm^derivative. Near the ends the window is cut, but keeps
    order + 2 samples. Raises `OptionError` where a window that is not cut holds fewer than order + 2 samples.
    """
    return _cached(wavelength_nm.tobytes(), float(window_nm), int(derivative), int(order))


@lru_cache(maxsize=32)
def _cached(axis: bytes, window_nm: float, derivative: int, order: int) -> DerivativeFilter:
    x = np.frombuffer(axis)
    half = 0.5 * window_nm
    first = np.searchsorted(x, x - half, side="left")
    last = np.searchsorted(x, x + half, side="right")
    step = float(np.median(np.diff(x))) if len(x) > 1 else 0.0
    full = (x - half >= x[0] - step) & (x + half <= x[-1] + step)
    least = order + 2
    if not window_nm > 0 or len(x) < least or np.any((last - first)[full] < least):
        raise OptionError(
            f"a window of {window_nm:g} nm holds too few samples for a polynomial of order {order}",
            allowed=f"at least {least} samples in every window",
            fix="use a wider window",
        )
    short = last - first < least
    first = np.where(short, np.clip(first, 0, len(x) - least), first)
    last = np.where(short, first + least, last)
    width = int(np.max(last - first))
    index = first[:, None] + np.arange(width)
    inside = index < last[:, None]
    index = np.minimum(index, len(x) - 1)
    u = (x[index] - x[:, None]) / half
    powers = np.where(inside[..., None], u[..., None] ** np.arange(order + 1), 0.0)
    normal = np.einsum("ijk,ijl->ikl", powers, powers)
    response = np.linalg.solve(normal, np.swapaxes(powers, 1, 2))
    weights = response[:, derivative, :] * math.factorial(derivative) / half**derivative
    for array in (index, weights, full):
        array.flags.writeable = False
    return DerivativeFilter(index, weights, full, np.sqrt(np.sum(weights**2, axis=1)))
