"""Tikhonov regularisation of the light against size: a second estimate, and the resolution kernel.

    minimise   |(y - K x - C a)/sigma|^2 + lambda int (d^2 x/dE^2)^2 dE           x: light per eV

in the energy of emission, where the line of one size is equally wide everywhere. Without x >= 0 the estimate
is linear, x = R x_true + noise: column j of R is what becomes of a single size (point spread). It says what
the data resolve by themselves, whatever the density. With x >= 0 (NNLS) x is the second estimate. The numbers
of crystals that follow are poor: light as weak as the noise at 2.5 nm is many crystals.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Resolution", "TikhonovFit", "resolution", "tikhonov"]

FloatArray = npt.NDArray[np.float64]

_LAMBDAS = 10.0 ** np.arange(3.0, -12.25, -0.5)
"""Of a penalty scaled to that of light of unit width in the units of the largest step; a wide range."""


@dataclass(frozen=True, eq=False)
class TikhonovFit:
    """light: share of the light of each edge (n,), not negative, sum 1. response: R (n, n), linear, from
    light to light. weight_gcv, weight_l_curve: lambda by the two rules; the first is used."""

    light: FloatArray
    response: FloatArray
    weight_gcv: float
    weight_l_curve: float
    freedom: float


@dataclass(frozen=True, eq=False)
class Resolution:
    """Point spread of each edge (n,): half-height points and width; NaN where none lies inside the grid."""

    edge_nm: FloatArray
    low_nm: FloatArray
    high_nm: FloatArray

    @property
    def width_nm(self) -> FloatArray:
        """Full width at half height of the point spread."""
        return self.high_nm - self.low_nm

    @property
    def limit_nm(self) -> float:
        """Largest edge up to which every point spread ends inside the grid."""
        beyond = np.flatnonzero(~np.isfinite(self.high_nm))
        return float(self.edge_nm[beyond[0]] if len(beyond) else self.edge_nm[-1])


def tikhonov(
    data: FloatArray, matrix: FloatArray, columns: FloatArray, emission_ev: FloatArray, points: int
) -> TikhonovFit:
    """Light (n,) of edges whose emission falls along emission_ev; rows are divided by their sigma.

    matrix: (m, n), spectra of light 1 of each edge. columns: (m, k), amounts of 0 or more in the second
    estimate, free in the linear one. points: of the record (rows may be compressed).
    """
    from scipy.optimize import nnls

    width = np.abs(np.gradient(emission_ev))
    bend = _second_differences(emission_ev)
    free = columns[:, _independent(columns)]
    q = np.linalg.qr(free)[0] if free.shape[1] else np.zeros((len(data), 0))
    a = matrix * width
    a, b = a - q @ (q.T @ a), data - q @ (q.T @ data)
    scale = np.linalg.norm(a, 2) ** 2 / np.linalg.norm(bend, 2) ** 2
    normal, penalty = a.T @ a, bend.T @ bend
    tried = []
    for weight in scale * _LAMBDAS:
        inverse = np.linalg.pinv(normal + weight * penalty, hermitian=True)
        x = inverse @ (a.T @ b)
        freedom = float(np.sum(inverse * normal)) + free.shape[1]
        chi2 = float(np.sum((b - a @ x) ** 2))
        score = points * chi2 / max(points - freedom, 1.0) ** 2
        tried.append((score, weight, freedom, chi2, float(np.sum((bend @ x) ** 2))))
    _, weight, freedom, _, _ = min(tried)
    response = np.linalg.pinv(normal + weight * penalty, hermitian=True) @ normal
    rows = np.vstack(
        [np.hstack([matrix * width, columns]), np.zeros((len(bend), a.shape[1] + columns.shape[1]))]
    )
    rows[len(data) :, : a.shape[1]] = np.sqrt(weight) * bend
    x = nnls(rows, np.r_[data, np.zeros(len(bend))], maxiter=50 * rows.shape[1])[0][: a.shape[1]]
    light = x * width
    total = float(light.sum()) or 1.0
    return TikhonovFit(light / total, response, float(weight), _corner(tried), freedom)


def resolution(fit: TikhonovFit, edge_nm: FloatArray, emission_ev: FloatArray) -> Resolution:
    """Half-height points of the point spread of every edge, in nm."""
    low, high = np.full(len(edge_nm), np.nan), np.full(len(edge_nm), np.nan)
    for j in range(len(edge_nm)):
        # the response holds density per eV for density per eV in the cell of edge j
        spread = fit.response[:, j]
        top = int(np.argmax(spread))
        half = 0.5 * spread[top]
        left = np.flatnonzero(spread[:top] < half)
        right = np.flatnonzero(spread[top:] < half)
        if len(left):
            i = int(left[-1])
            low[j] = np.interp(half, [spread[i], spread[i + 1]], [edge_nm[i], edge_nm[i + 1]])
        if len(right):
            i = top + int(right[0])
            high[j] = np.interp(half, [spread[i], spread[i - 1]], [edge_nm[i], edge_nm[i - 1]])
    return Resolution(edge_nm, low, high)


def _second_differences(x: FloatArray) -> FloatArray:
    """Second differences (n, n) over uneven steps, with nothing beyond both ends, times sqrt of the step."""
    h = np.abs(np.diff(x))
    before, after = np.r_[h[0], h], np.r_[h, h[-1]]
    root = np.sqrt(0.5 * (before + after))
    bend = np.diag(-2.0 * root / (before * after))
    bend += np.diag((2.0 * root / (before * (before + after)))[1:], -1)
    bend += np.diag((2.0 * root / (after * (before + after)))[:-1], 1)
    return bend


def _independent(columns: FloatArray) -> list[int]:
    """Columns that are not others with the sign turned."""
    kept: list[int] = []
    for j in range(columns.shape[1]):
        if all(abs(abs(_cosine(columns[:, j], columns[:, i])) - 1.0) > 1e-9 for i in kept):
            kept.append(j)
    return kept


def _cosine(a: FloatArray, b: FloatArray) -> float:
    return float(a @ b / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-300))


def _corner(tried: list[tuple[float, float, float, float, float]]) -> float:
    """The corner of ln roughness against ln chi2: the lambda farthest below the line between the ends."""
    x, y = (np.log(np.array([one[k] for one in tried]) + 1e-300) for k in (3, 4))
    x, y = (x - x.min()) / max(np.ptp(x), 1e-12), (y - y.min()) / max(np.ptp(y), 1e-12)
    # from the smoothest (large chi2, no roughness) to the roughest
    distance = (1.0 - x) + (1.0 - y)
    return float(tried[int(np.argmax(distance))][1])
