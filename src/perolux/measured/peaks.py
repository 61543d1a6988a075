"""Peak and half-height width of one band: the reference procedure on samples, and a local fit.

Both take an ascending axis and intensities from which the baseline has been subtracted, in any unit.

The reference procedure takes half of the largest sample, linear crossings, and a quadratic through the top;
it is what the published columns of the antisolvent set follow. The local fit takes y = exp(polynomial) by
least squares near the top and around each half-height point, so a band that is Gaussian on its axis is
recovered exactly on any grid, and every result is a linear response to the samples, which gives its sigma.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from perolux.measured.records import FloatArray

__all__ = ["LocalPeak", "ReferencePeak", "local_peak", "reference_peak", "smoothed"]

TOP_FRACTIONS = (0.6, 0.7, 0.8)
"""Heights above which the top is fitted; the widest whose residuals look like noise is taken."""
FLANK_FRACTIONS = (0.28, 0.72)
"""Heights between which each flank is fitted."""
_MISFIT = 0.003
"""Residual, as a fraction of the maximum, up to which a top fit counts as good without noise."""


@dataclass(frozen=True)
class ReferencePeak:
    """Result of the reference procedure; a missing crossing or vertex is None."""

    position: float | None
    left: float | None
    right: float | None


@dataclass(frozen=True)
class LocalPeak:
    """Result of the local fit in units of the axis; a missing side is None, and then so is the width.

    height: fitted maximum. shift, width_shift: change of position and width if a flat `offset` of one unit
    (as passed to `local_peak`) were left in the samples. at_edge: the maximum is one of the outermost two
    samples, so it may continue outside; without a position and not at_edge, no smooth top could be fitted.
    """

    position: float | None = None
    height: float | None = None
    position_sigma: float | None = None
    left: float | None = None
    right: float | None = None
    width_sigma: float | None = None
    shift: float = 0.0
    width_shift: float = 0.0
    at_edge: bool = False

    @property
    def width(self) -> float | None:
        """Full width at half of the fitted maximum."""
        return None if self.left is None or self.right is None else self.right - self.left


def crossing(x: FloatArray, y: FloatArray, level: float, start: int, step: int) -> float | None:
    """First place, going from sample `start` by `step` (+1, -1), where the linear interpolant meets level."""
    j = _first_below(y, level, start, step)
    if j is None:
        return None
    inner = j - step
    return float(x[inner] + (level - y[inner]) / (y[j] - y[inner]) * (x[j] - x[inner]))


def reference_peak(x: FloatArray, y: FloatArray) -> ReferencePeak:
    """Reference procedure: half of the largest sample, linear crossings, quadratic above 80 % for the peak.

    The quadratic goes through the contiguous samples above 80 % of the largest one, least squares, unit
    weights. `position` is None where fewer than three samples lie there or the parabola has no maximum
    among them.
    """
    i = int(np.argmax(y))
    top = float(y[i])
    left, right = crossing(x, y, 0.5 * top, i, -1), crossing(x, y, 0.5 * top, i, +1)
    low, high = _run_above(y, 0.8 * top, i)
    position = None
    if high - low >= 2:
        u = x[low : high + 1] - x[i]
        design = np.stack([np.ones_like(u), u, u * u], axis=1)
        _, slope, curvature = np.linalg.lstsq(design, y[low : high + 1], rcond=None)[0]
        if curvature < 0 and u[0] <= -0.5 * slope / curvature <= u[-1]:
            position = float(x[i] - 0.5 * slope / curvature)
    return ReferencePeak(position, left, right)


def smoothed(y: FloatArray) -> tuple[FloatArray, int]:
    """Running mean over about an eighth of the band's width, and its length; only used to choose samples."""
    above = int(np.count_nonzero(y > 0.5 * np.max(y)))
    length = max(1, min(above // 8, len(y) // 10))
    length += 1 - length % 2
    if length == 1:
        return y, 1
    kernel = np.ones(length)
    return np.convolve(y, kernel, "same") / np.convolve(np.ones(len(y)), kernel, "same"), length


def local_peak(
    x: FloatArray, y: FloatArray, noise: float | FloatArray, offset: FloatArray | None = None
) -> LocalPeak:
    """Position, half-height points and their uncertainty from local fits of y = exp(polynomial in x).

    x ascending, shape (n,); y with the baseline subtracted; noise: standard deviation of each sample (its
    shape over the band; where a fit's own residuals are larger, they are used instead); offset: what a unit
    of left-over baseline adds to each sample, ones when not given. Nothing is raised: what cannot be found
    is None. Samples are weighted by 1/noise. The noise is taken as independent from sample to sample.
    """
    count = len(y)
    sigma = np.broadcast_to(np.asarray(noise, dtype=float), y.shape)
    shape = offset if offset is not None else np.ones(count)
    smooth, length = smoothed(y)
    i = int(np.argmax(smooth))
    if i < 2 or i > count - 3 or smooth[i] <= 0:
        return LocalPeak(at_edge=True)
    tolerance = 4.0 * sigma / math.sqrt(length)
    fit = _fit_top(x, y, smooth, sigma, tolerance, i)
    if fit is None:
        return LocalPeak()
    position, log_height, to_position, to_log_height, spread = fit
    height = math.exp(log_height)
    sides = [_fit_flank(x, y, smooth, sigma, tolerance, i, step, height) for step in (-1, +1)]
    sigma_used = np.maximum(sigma, spread)
    gradients = []
    for side in sides:
        if side is not None:
            sigma_used = np.maximum(sigma_used, side[3])
            # half of the maximum moves with the fitted maximum: d ln(level) = d ln(height)
            gradients.append(side[1] + to_log_height / side[2])
    left, right = (None if side is None else side[0] for side in sides)
    width_sigma, width_shift = None, 0.0
    if left is not None and right is not None:
        to_width = gradients[1] - gradients[0]
        width_sigma = float(np.sqrt(np.sum((to_width * sigma_used) ** 2)))
        width_shift = float(to_width @ shape)
    return LocalPeak(
        position=position,
        height=height,
        position_sigma=float(np.sqrt(np.sum((to_position * sigma_used) ** 2))),
        left=left,
        right=right,
        width_sigma=width_sigma,
        shift=float(to_position @ shape),
        width_shift=width_shift,
    )


@dataclass(frozen=True)
class _ExpPolynomial:
    """ln y as a polynomial in u = (x - centre)/scale, and how its coefficients respond to the samples."""

    coefficients: FloatArray  # ascending powers of u
    response: FloatArray  # shape (order + 1, samples of the fit)
    centre: float
    scale: float
    residual: float  # standard deviation of the weighted residuals; nan without degrees of freedom


def _fit_exp_polynomial(x: FloatArray, y: FloatArray, sigma: FloatArray, order: int) -> _ExpPolynomial | None:
    """Weighted least squares of y = exp(polynomial); Gauss-Newton from the fit to ln y; None if it fails."""
    centre = 0.5 * float(x[0] + x[-1])
    scale = 0.5 * float(x[-1] - x[0]) or 1.0
    u = (x - centre) / scale
    powers = u[:, None] ** np.arange(order + 1)
    floor = 0.02 * float(np.max(y))
    if floor <= 0:
        return None
    weights = 1.0 / sigma
    weights = weights / np.max(weights)
    model = np.maximum(y, floor)
    start = np.linalg.lstsq(powers * (weights * model)[:, None], weights * model * np.log(model))[0]
    coefficients = np.asarray(start, dtype=np.float64)
    response = np.zeros((order + 1, len(y)))
    for _ in range(6):
        exponent = powers @ coefficients
        if not _bounded(exponent, floor):
            return None
        model = np.exp(exponent)
        jacobian = powers * (weights * model)[:, None]
        normal = jacobian.T @ jacobian
        try:
            response = np.linalg.solve(normal, jacobian.T) * weights
        except np.linalg.LinAlgError:
            return None
        change = response @ (y - model)
        coefficients = coefficients + change
        if float(np.max(np.abs(change))) < 1e-10:
            break
    exponent = powers @ coefficients
    if not _bounded(exponent, floor):
        return None
    freedom = len(y) - order - 1
    rest = weights * (y - np.exp(exponent))
    residual = math.sqrt(float(rest @ rest) / freedom) if freedom > 0 else math.nan
    return _ExpPolynomial(coefficients, response, centre, scale, residual)


def _bounded(exponent: FloatArray, floor: float) -> bool:
    """True while the model stays below four times the largest sample (floor is 2 % of it)."""
    return bool(np.all(np.isfinite(exponent)) and float(np.max(exponent)) < math.log(4.0 * floor / 0.02))


def _spread(fit: _ExpPolynomial, sigma: FloatArray, span: slice, count: int) -> FloatArray:
    """Noise per sample that the residuals of a fit imply, zero outside its samples and without freedom."""
    out = np.zeros(count)
    if math.isfinite(fit.residual):
        out[span] = fit.residual * sigma[span] / np.min(sigma[span])
    return out


def _fit_top(
    x: FloatArray, y: FloatArray, smooth: FloatArray, sigma: FloatArray, tolerance: FloatArray, i: int
) -> tuple[float, float, FloatArray, FloatArray, FloatArray] | None:
    """Vertex of the top: position, ln(height), their responses to all samples, and the noise implied."""
    best = None
    for fraction in TOP_FRACTIONS:
        low = _flank_end(smooth, tolerance, i, -1, fraction * float(smooth[i]))
        high = _flank_end(smooth, tolerance, i, +1, fraction * float(smooth[i]))
        low, high = min(low, i - 1), max(high, i + 1)
        samples = high - low + 1
        order = 4 if samples >= 8 else 2
        span = slice(low, high + 1)
        fit = _fit_exp_polynomial(x[span], y[span], sigma[span], order)
        vertex = None if fit is None else _vertex(fit)
        if fit is not None and vertex is not None:
            reached = float(np.polyval(fit.coefficients[::-1], vertex))
            # a vertex between the samples may overtop them, but not by half
            vertex = vertex if reached < math.log(1.5 * float(np.max(y[span]))) else None
        if fit is None or vertex is None:
            if samples <= 5:
                break
            continue
        best = (fit, vertex, span)
        noise_here = float(np.min(sigma[span]))
        if not fit.residual > max(2.0 * noise_here, _MISFIT * float(smooth[i])):
            break
    if best is None:
        return None
    fit, u, span = best
    c = fit.coefficients
    powers = u ** np.arange(len(c))
    second = sum(k * (k - 1) * c[k] * u ** (k - 2) for k in range(2, len(c)))
    first_row = np.array([0.0] + [k * u ** (k - 1) for k in range(1, len(c))])
    to_position, to_log_height = np.zeros(len(y)), np.zeros(len(y))
    to_position[span] = -fit.scale * (first_row @ fit.response) / second
    to_log_height[span] = powers @ fit.response
    position = fit.centre + fit.scale * u
    return position, float(powers @ c), to_position, to_log_height, _spread(fit, sigma, span, len(y))


def _vertex(fit: _ExpPolynomial) -> float | None:
    """The highest maximum of the polynomial strictly inside its samples, in its scaled variable."""
    c = fit.coefficients
    derivative = c[1:] * np.arange(1, len(c))
    roots = np.roots(derivative[::-1])
    inside = [float(r.real) for r in roots if abs(r.imag) < 1e-9 and abs(r.real) < 1.0]
    curvature = derivative[1:] * np.arange(1, len(derivative))
    maxima = [u for u in inside if np.polyval(curvature[::-1], u) < 0]
    return max(maxima, key=lambda u: float(np.polyval(c[::-1], u))) if maxima else None


def _fit_flank(
    x: FloatArray,
    y: FloatArray,
    smooth: FloatArray,
    sigma: FloatArray,
    tolerance: FloatArray,
    i: int,
    step: int,
    height: float,
) -> tuple[float, FloatArray, float, FloatArray] | None:
    """Half-height point on one side: place, response to the samples, slope of ln y there, noise implied."""
    level = 0.5 * height
    outer = _first_below(smooth, level, i, step)
    if outer is None or outer == i:  # not in the record, or the fitted maximum missed the samples
        return None
    inner = outer - step
    start = float(
        x[inner] + (level - smooth[inner]) / (smooth[outer] - smooth[inner]) * (x[outer] - x[inner])
    )
    while inner != i and smooth[inner] < FLANK_FRACTIONS[1] * height:
        inner -= step
    outer = _flank_end(smooth, tolerance, outer, step, FLANK_FRACTIONS[0] * height)
    low, high = min(inner, outer), max(inner, outer)
    if high - low < 3:  # a narrow line: at least two samples on each side of the crossing
        nearest = int(np.searchsorted(x, start))
        low, high = min(low, nearest - 2), max(high, nearest + 1)
        low, high = max(0, low), min(len(y) - 1, high)
    samples = high - low + 1
    span = slice(low, high + 1)
    for order in (3, 2, 1):
        if samples < (order + 1 if order < 3 else 7):
            continue
        fit = _fit_exp_polynomial(x[span], y[span], sigma[span], order)
        found = None if fit is None else _solve_level(fit, math.log(level), start)
        if fit is None or found is None:
            continue
        u, slope = found
        if not x[low] <= fit.centre + fit.scale * u <= x[high] or slope * step >= 0:
            continue
        response = np.zeros(len(y))
        response[span] = -fit.scale * (u ** np.arange(order + 1) @ fit.response) / slope
        place = fit.centre + fit.scale * u
        return place, response, slope / fit.scale, _spread(fit, sigma, span, len(y))
    return None


def _solve_level(fit: _ExpPolynomial, log_level: float, start: float) -> tuple[float, float] | None:
    """Newton from `start`: where the polynomial equals log_level, and its slope there (scaled variable)."""
    c = fit.coefficients
    derivative = c[1:] * np.arange(1, len(c))
    u = (start - fit.centre) / fit.scale
    for _ in range(30):
        slope = float(np.polyval(derivative[::-1], u))
        if slope == 0.0:
            return None
        change = (float(np.polyval(c[::-1], u)) - log_level) / slope
        u -= change
        if not abs(u) < 3.0:
            return None
        if abs(change) < 1e-13:
            return u, float(np.polyval(derivative[::-1], u))
    return None


def _first_below(y: FloatArray, level: float, start: int, step: int) -> int | None:
    j = start
    while 0 <= j < len(y):
        if y[j] < level:
            return j
        j += step
    return None


def _run_above(y: FloatArray, level: float, i: int) -> tuple[int, int]:
    """First and last index of the contiguous samples around i that exceed level."""
    low = high = i
    while low > 0 and y[low - 1] > level:
        low -= 1
    while high < len(y) - 1 and y[high + 1] > level:
        high += 1
    return low, high


def _flank_end(smooth: FloatArray, tolerance: FloatArray, start: int, step: int, level: float) -> int:
    """Last index, going outwards, above `level` and before the curve rises again by more than noise."""
    j = last = start
    lowest = float(smooth[start])
    while 0 <= j + step < len(smooth):
        j += step
        here = float(smooth[j])
        if here <= level or here > lowest + float(tolerance[j]):
            break
        if here <= lowest:
            lowest, last = here, j
    return last
