"""Backwards: the Gaussian line, peak and width, that has a given chromaticity."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from perolux.display.colour import chromaticity
from perolux.display.emitters import GRID_NM, gaussian_line
from perolux.errors import NotAvailableError, OptionError

__all__ = ["LineOfColour", "line_of_colour", "width_of_colour"]

FloatArray = npt.NDArray[np.float64]
_CLOSE = 1e-5
_WIDTHS_NM = (2.0, 200.0)


@dataclass(frozen=True)
class LineOfColour:
    """center_nm, fwhm_nm of the line; xy its chromaticity; distance: from the one asked for, in xy."""

    center_nm: float
    fwhm_nm: float
    xy: tuple[float, float]
    distance: float


def _xy(center: float, fwhm: float) -> tuple[float, float]:
    x, y = chromaticity(GRID_NM, gaussian_line(center, fwhm), "power")
    return float(x), float(y)


@cache
def _table() -> tuple[FloatArray, FloatArray, FloatArray]:
    """Chromaticities of lines every 5 nm and 20 widths, to begin from."""
    centers, widths = np.meshgrid(np.arange(395.0, 766.0, 5.0), np.geomspace(2.5, 190.0, 20))
    power = np.stack([gaussian_line(c, w) for c, w in zip(centers.ravel(), widths.ravel(), strict=True)])
    x, y = chromaticity(GRID_NM, power, "power")
    return centers.ravel(), widths.ravel(), np.stack([x, y], axis=1)


def line_of_colour(x: float, y: float) -> LineOfColour:
    """The Gaussian line (power per nm) whose chromaticity is x, y, to 1e-5.

    Beyond about 570 nm the locus is nearly straight and lines of quite different widths share a colour: take
    `width_of_colour` with a measured peak there.

    Raises `NotAvailableError` where no line of 2 to 200 nm has it: outside the spectral locus, on the purple
    side, or where the colour needs more than one line.

    >>> found = line_of_colour(0.1660, 0.7873)
    >>> round(found.center_nm), round(found.fwhm_nm)
    (530, 22)
    """
    if not (0.0 <= x <= 1.0 and 0.0 < y <= 1.0 and x + y <= 1.0):
        raise OptionError(
            f"a chromaticity ({x:g}, {y:g})", allowed="CIE x, y with y above 0, x + y at most 1"
        )
    from scipy.optimize import least_squares

    centers, widths, table = _table()
    order = np.argsort(np.hypot(table[:, 0] - x, table[:, 1] - y))
    tried = []
    for start in order[:40:8]:
        tried.append(
            least_squares(
                lambda p: np.subtract(_xy(p[0], np.exp(p[1])), (x, y)),
                [centers[start], np.log(widths[start])],
                bounds=([390.0, np.log(_WIDTHS_NM[0])], [770.0, np.log(_WIDTHS_NM[1])]),
                x_scale=[10.0, 0.3],
                xtol=1e-12,
                ftol=1e-12,
                gtol=1e-12,
                max_nfev=100,
            )
        )
        if np.hypot(*tried[-1].fun) < _CLOSE:
            break
    best = min(tried, key=lambda one: float(one.cost))
    center, width = float(best.x[0]), float(np.exp(best.x[1]))
    line = LineOfColour(center, width, _xy(center, width), float(np.hypot(*best.fun)))
    if line.distance > _CLOSE:
        raise NotAvailableError(
            f"no Gaussian line has the chromaticity ({x:g}, {y:g}); the nearest, {center:.1f} nm with "
            f"{width:.1f} nm, is {line.distance:.2g} away",
            allowed="colours between the spectral locus and white",
        )
    return line


def width_of_colour(x: float, y: float, center_nm: float) -> LineOfColour:
    """The width of a line of known peak that comes nearest to a chromaticity, and how far off it stays.

    >>> round(width_of_colour(0.1660, 0.7873, 530.0).fwhm_nm)
    22
    """

    from scipy.optimize import minimize_scalar

    def distance(log_width: float) -> float:
        return float(np.hypot(*np.subtract(_xy(center_nm, float(np.exp(log_width))), (x, y))))

    grid = np.linspace(np.log(_WIDTHS_NM[0]), np.log(_WIDTHS_NM[1]), 60)
    start = int(np.argmin([distance(w) for w in grid]))
    around = (float(grid[max(start - 1, 0)]), float(grid[min(start + 1, len(grid) - 1)]))
    found = minimize_scalar(distance, bounds=around, method="bounded", options={"xatol": 1e-9})
    width = float(np.exp(found.x))
    return LineOfColour(center_nm, width, _xy(center_nm, width), distance(float(found.x)))
