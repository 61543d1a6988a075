"""Peak and half-height width of one band: the reference procedure on samples, and a local fit.

Both take an ascending axis and intensities from which the baseline has been subtracted, in any unit.

The reference procedure takes half of the largest sample, linear crossings, and a quadratic through the top;
it is what the published columns of the antisolvent set follow. The local fit takes y = exp(polynomial) by
least squares: one polynomial for the whole upper part of the band where its residuals show no structure,
else one near the top and one around each half-height point. A band that is Gaussian on its axis is recovered
exactly on any grid, and every result is a linear response to the samples. Its sigma takes the shape of the
noise from the caller and its size from the residuals of the fits, with their degrees of freedom.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from perolux.measured.noise import INDEPENDENT, correlated_square, mean_factor
from perolux.measured.records import FloatArray

__all__ = ["LocalPeak", "ReferencePeak", "local_peak", "reference_peak", "smoothed"]

TOP_FRACTIONS = (0.6, 0.7, 0.8)
"""Heights above which the top is fitted; the widest whose residuals look like noise is taken."""
FLANK_FRACTIONS = (0.28, 0.72)
"""Heights between which each flank is fitted; one fit of the whole band goes down to the lower one."""
_FEW_FRACTION = 0.1
"""Height down to which a band of few samples is fitted, so that residuals are left to tell the noise."""
_FEW_SAMPLES = 10
"""Samples above the lower flank fraction below which a band counts as coarsely sampled."""
_STRUCTURE = 0.02
"""Probability by chance of a fall of the residuals, below which a higher order is believed (F test)."""
_RISE_SIGMAS = 6.0
"""Rise of the smoothed curve, in its own sigmas, that ends a window: the next band begins there."""
_LEAST_FREEDOM = 3.0
"""Degrees of freedom below which Student's t has no variance; its inflation stops growing there."""
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
    x: FloatArray,
    y: FloatArray,
    noise: float | FloatArray,
    offset: FloatArray | None = None,
    correlation: FloatArray = INDEPENDENT,
    background: float | FloatArray = 0.0,
) -> LocalPeak:
    """Position, half-height points and their uncertainty from local fits of y = exp(polynomial in x).

    x ascending, shape (n,); y with the baseline subtracted; noise: standard deviation of each sample, of
    which the fits use the shape over the band (its size comes from their residuals); offset: what a unit of
    left-over baseline adds to each sample, ones when not given; correlation: of the noise by lag in samples;
    background: noise beside the band, below which the noise in it is not taken, however small residuals are.
    Nothing is raised: what cannot be found is None.
    """
    count = len(y)
    sigma = np.broadcast_to(np.asarray(noise, dtype=float), y.shape)
    shape = offset if offset is not None else np.ones(count)
    smooth, length = smoothed(y)
    i = int(np.argmax(smooth))
    if i < 2 or i > count - 3 or smooth[i] <= 0:
        return LocalPeak(at_edge=True)
    band = _Band(x, y, smooth, sigma, _RISE_SIGMAS * mean_factor(correlation, length) * sigma, correlation, i)
    found = _whole_band(band) or _top_and_flanks(band)
    if found is None:
        return LocalPeak()
    scale = found.noise_scale()

    def sigma_of(response: FloatArray) -> float:
        implied = scale**2 * correlated_square(response * sigma, correlation)
        return math.sqrt(max(implied, correlated_square(response * background, correlation)))

    left, right = found.sides
    width_sigma, width_shift = None, 0.0
    if left is not None and right is not None:
        to_width = right.response - left.response
        width_sigma = sigma_of(to_width)
        width_shift = float(to_width @ shape)
    return LocalPeak(
        position=found.top.place,
        height=math.exp(found.log_height),
        position_sigma=sigma_of(found.top.response),
        left=None if left is None else left.place,
        right=None if right is None else right.place,
        width_sigma=width_sigma,
        shift=float(found.top.response @ shape),
        width_shift=width_shift,
    )


@dataclass(frozen=True)
class _Band:
    """What the fits share: samples, running mean, noise, allowed rise, correlation, place of the maximum."""

    x: FloatArray
    y: FloatArray
    smooth: FloatArray
    sigma: FloatArray
    rise: FloatArray
    correlation: FloatArray
    top: int

    def end(self, start: int, step: int, level: float) -> int:
        """Last index, going outwards, above `level` and before the curve rises again by more than noise."""
        j = last = start
        lowest = float(self.smooth[start])
        while 0 <= j + step < len(self.smooth):
            j += step
            here = float(self.smooth[j])
            if here <= level or here > lowest + float(self.rise[j]):
                break
            if here <= lowest:
                lowest, last = here, j
        return last

    def fit(self, low: int, high: int, order: int) -> _ExpPolynomial | None:
        """Fit of the samples low to high, both included."""
        if high - low < order:
            return None
        span = slice(low, high + 1)
        return _fit_exp_polynomial(
            self.x[span], self.y[span], self.sigma[span], order, self.correlation, low, len(self.y)
        )


@dataclass(frozen=True)
class _ExpPolynomial:
    """ln y as a polynomial in u = (x - centre)/scale, and how its coefficients respond to all samples.

    squares: sum of the squared residuals in units of the given sigma; expected: what that sum is for noise
    of exactly this sigma and correlation; freedom: degrees of freedom that it is worth.
    """

    coefficients: FloatArray  # ascending powers of u
    response: FloatArray  # shape (order + 1, samples of the record)
    centre: float
    scale: float
    squares: float
    expected: float
    freedom: float

    @property
    def noise(self) -> float:
        """Noise that the residuals imply, in units of the given one; nan without degrees of freedom."""
        return math.sqrt(self.squares / self.expected) if self.expected > 0 else math.nan

    def place(self, u: float) -> float:
        return self.centre + self.scale * u


@dataclass(frozen=True)
class _Place:
    """A place on the axis and its response to all samples."""

    place: float
    response: FloatArray


@dataclass(frozen=True)
class _Found:
    """Top and half-height points with the fits that they rest on."""

    top: _Place
    log_height: float
    sides: tuple[_Place | None, _Place | None]
    fits: tuple[_ExpPolynomial, ...]

    def noise_scale(self) -> float:
        """Noise that all residuals together imply, widened as Student's t is for their freedom.

        Without any residual the given noise is all there is.
        """
        freedom = sum(fit.freedom for fit in self.fits)
        expected = sum(fit.expected for fit in self.fits)
        if not freedom > 0 or not expected > 0:
            return 1.0
        freedom = max(freedom, _LEAST_FREEDOM)
        return math.sqrt(sum(fit.squares for fit in self.fits) / expected * freedom / (freedom - 2.0))


def _fit_exp_polynomial(
    x: FloatArray,
    y: FloatArray,
    sigma: FloatArray,
    order: int,
    correlation: FloatArray = INDEPENDENT,
    first: int = 0,
    count: int | None = None,
) -> _ExpPolynomial | None:
    """Weighted least squares of y = exp(polynomial); Gauss-Newton from the fit to ln y; None if it fails.

    x, y, sigma: the samples of the fit, which start at `first` of the `count` samples of the record.
    """
    centre = 0.5 * float(x[0] + x[-1])
    scale = 0.5 * float(x[-1] - x[0]) or 1.0
    u = (x - centre) / scale
    powers = u[:, None] ** np.arange(order + 1)
    floor = 0.02 * float(np.max(y))
    if floor <= 0:
        return None
    # below four times the largest sample; false for what is no number, too
    limit = math.log(200.0 * floor)
    least = float(np.min(sigma))
    weights = least / sigma
    model = np.maximum(y, floor)
    try:
        jacobian = powers * (weights * model)[:, None]
        target = weights * model * np.log(model)
        coefficients = np.asarray(
            np.linalg.solve(jacobian.T @ jacobian, jacobian.T @ target), dtype=np.float64
        )
        for _ in range(8):
            exponent = powers @ coefficients
            if not float(exponent.max()) < limit:
                return None
            model = np.exp(exponent)
            jacobian = powers * (weights * model)[:, None]
            change = np.linalg.solve(jacobian.T @ jacobian, jacobian.T @ (weights * (y - model)))
            coefficients = coefficients + change
            if float(np.abs(change).max()) < 1e-10:
                break
        response = np.linalg.solve(jacobian.T @ jacobian, jacobian.T) * weights
    except np.linalg.LinAlgError:
        return None
    exponent = powers @ coefficients
    if not float(exponent.max()) < limit:
        return None
    rest = weights * (y - np.exp(exponent)) / least
    expected = freedom = float(len(y) - order - 1)
    if len(correlation) > 1 and freedom > 0:
        expected, freedom = _shared_freedom(np.linalg.qr(jacobian)[0], correlation, freedom)
    everywhere = np.zeros((order + 1, count if count is not None else len(y)))
    everywhere[:, first : first + len(y)] = response
    return _ExpPolynomial(coefficients, everywhere, centre, scale, float(rest @ rest), expected, freedom)


def _shared_freedom(basis: FloatArray, correlation: FloatArray, freedom: float) -> tuple[float, float]:
    """Expected sum of squares of residuals that share noise, and the degrees of freedom it is worth.

    With M what the fit leaves, R the correlation: tr(MR) and tr(MR)^2/tr(MRMR). basis: orthonormal, (n, k).
    """
    count = len(basis)
    if count > 64:  # many samples: the fit takes few of their degrees, so the correlation alone counts
        expected = count - correlated_square(basis.T, correlation)
        freedom = freedom / (1.0 + 2.0 * float(np.sum(correlation[1:] ** 2)))
    else:
        padded = np.zeros(count)
        padded[: len(correlation)] = correlation[:count]
        shared = padded[np.abs(np.subtract.outer(np.arange(count), np.arange(count)))]
        left = shared - basis @ (basis.T @ shared)
        expected = float(np.trace(left))
        freedom = expected**2 / max(float(np.sum(left * left.T)), 1e-300)
    return max(expected, 0.02 * (count - basis.shape[1])), max(freedom, 1.0)


def _is_better(richer: _ExpPolynomial, plain: _ExpPolynomial, negligible: float) -> bool:
    """True where two more orders take more out of the residuals than noise does (F test, 2 and n degrees).

    P(F > f) = (1 + 2 f/n)^(-n/2) for two degrees in the numerator. negligible: sum of squares that is
    rounding, not structure.
    """
    fallen, more = plain.squares - richer.squares, plain.expected - richer.expected
    if plain.squares <= negligible or not richer.squares > 0 or more <= 0:
        return False
    ratio = max(fallen, 0.0) / more / (richer.squares / richer.expected)
    return (1.0 + 2.0 * ratio / richer.freedom) ** (-0.5 * richer.freedom) < _STRUCTURE


def _whole_band(band: _Band) -> _Found | None:
    """One fit of the band down to the lower flank fraction; None where its residuals show structure."""
    height = float(band.smooth[band.top])
    low, high = (band.end(band.top, step, FLANK_FRACTIONS[0] * height) for step in (-1, +1))
    few = high - low + 1 < _FEW_SAMPLES
    if few:
        low, high = (band.end(band.top, step, _FEW_FRACTION * height) for step in (-1, +1))
        low, high = min(low, band.top - 2), max(high, band.top + 2)
    if max(band.smooth[low], band.smooth[high]) > 0.5 * height:
        return None
    samples = high - low + 1
    negligible = float(np.sum((1e-7 * height / band.sigma[low : high + 1]) ** 2))
    for order in (2, 4) if few else (4,):
        fit = band.fit(low, high, order)
        if fit is None:
            continue
        richer = band.fit(low, high, order + 2) if samples >= order + 5 else None
        if richer is not None and _is_better(richer, fit, negligible):
            continue
        vertex = _plausible_vertex(fit, band, low, high)
        if vertex is None:
            continue
        top, log_height, to_log_height = _summit(fit, vertex)
        level = log_height - math.log(2.0)
        sides = []
        for step in (-1, +1):
            start = _first_below(band.smooth, math.exp(level), band.top, step)
            solved = None if start is None else _solve_level(fit, level, float(band.x[start]))
            # beyond the vertex, inside the samples, and falling there
            if solved is None or abs(solved[0]) > 1.0:
                break
            if (solved[0] - vertex) * step <= 0 or solved[1] * step >= 0:
                break
            sides.append(_half_point(fit, solved, to_log_height))
        if len(sides) == 2:
            return _Found(top, log_height, (sides[0], sides[1]), (fit,))
    return None


def _top_and_flanks(band: _Band) -> _Found | None:
    """Top from the widest fit whose residuals look like noise, each half-height point from its own flank."""
    best: tuple[_ExpPolynomial, float] | None = None
    height = float(band.smooth[band.top])
    for fraction in TOP_FRACTIONS:
        low, high = (band.end(band.top, step, fraction * height) for step in (-1, +1))
        low, high = min(low, band.top - 1), max(high, band.top + 1)
        here = None
        # a fourth order through noise may have no maximum inside; the second nearly always has one
        for order in (4, 2) if high - low >= 7 else (2,):
            fit = band.fit(low, high, order)
            vertex = None if fit is None else _plausible_vertex(fit, band, low, high)
            if fit is not None and vertex is not None:
                here = fit, vertex
                break
        if here is None:
            continue
        best = here
        misfit = _MISFIT * height / float(np.min(band.sigma[low : high + 1]))
        if not here[0].noise > max(2.0, misfit):
            break
    if best is None:
        return None
    top, log_height, to_log_height = _summit(*best)
    sides = [_flank(band, step, math.exp(log_height), to_log_height) for step in (-1, +1)]
    fits = (best[0], *(side[1] for side in sides if side is not None))
    left, right = (None if side is None else side[0] for side in sides)
    return _Found(top, log_height, (left, right), fits)


def _plausible_vertex(fit: _ExpPolynomial, band: _Band, low: int, high: int) -> float | None:
    """The vertex, unless it overtops the samples by half: between samples it may be higher, but not so."""
    vertex = _vertex(fit)
    if vertex is None:
        return None
    reached = float(np.polyval(fit.coefficients[::-1], vertex))
    return vertex if reached < math.log(1.5 * float(np.max(band.y[low : high + 1]))) else None


def _summit(fit: _ExpPolynomial, u: float) -> tuple[_Place, float, FloatArray]:
    """Place of the vertex, ln(height) and the response of ln(height)."""
    c = fit.coefficients
    powers = u ** np.arange(len(c))
    second = sum(k * (k - 1) * c[k] * u ** (k - 2) for k in range(2, len(c)))
    first_row = np.array([0.0] + [k * u ** (k - 1) for k in range(1, len(c))])
    response = -fit.scale * (first_row @ fit.response) / second
    return _Place(fit.place(u), response), float(powers @ c), powers @ fit.response


def _half_point(fit: _ExpPolynomial, solved: tuple[float, float], to_log_height: FloatArray) -> _Place:
    """Half-height point; half of the maximum moves with the maximum: d ln(level) = d ln(height)."""
    u, slope = solved
    response = fit.scale * (to_log_height - u ** np.arange(len(fit.coefficients)) @ fit.response) / slope
    return _Place(fit.place(u), response)


def _vertex(fit: _ExpPolynomial) -> float | None:
    """The highest maximum of the polynomial strictly inside its samples, in its scaled variable."""
    c = fit.coefficients
    derivative = c[1:] * np.arange(1, len(c))
    roots = np.roots(derivative[::-1])
    inside = [float(r.real) for r in roots if abs(r.imag) < 1e-9 and abs(r.real) < 1.0]
    curvature = derivative[1:] * np.arange(1, len(derivative))
    maxima = [u for u in inside if np.polyval(curvature[::-1], u) < 0]
    return max(maxima, key=lambda u: float(np.polyval(c[::-1], u))) if maxima else None


def _flank(
    band: _Band, step: int, height: float, to_log_height: FloatArray
) -> tuple[_Place, _ExpPolynomial] | None:
    """Half-height point on one side from a fit around it, and that fit."""
    x, smooth, i = band.x, band.smooth, band.top
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
    outer = band.end(outer, step, FLANK_FRACTIONS[0] * height)
    low, high = min(inner, outer), max(inner, outer)
    if high - low < 3:  # a narrow line: at least two samples on each side of the crossing
        nearest = int(np.searchsorted(x, start))
        low, high = min(low, nearest - 2), max(high, nearest + 1)
        low, high = max(0, low), min(len(x) - 1, high)
    samples = high - low + 1
    for order in (3, 2, 1):
        if samples < (order + 1 if order < 3 else 7):
            continue
        fit = band.fit(low, high, order)
        solved = None if fit is None else _solve_level(fit, math.log(level), start)
        if fit is None or solved is None:
            continue
        if x[low] <= fit.place(solved[0]) <= x[high] and solved[1] * step < 0:
            return _half_point(fit, solved, to_log_height), fit
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
