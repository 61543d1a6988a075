"""Where trions and biexcitons emit: the shift from the exciton's line, calculated and empirical.

    biexciton -> exciton            E(XX) - 2 E(X)
    trion -> the carrier left       E(X*) - E(X) - E(carrier)

negative = red = bound; binding = -shift. Calculated: hard walls, effective masses, one dielectric constant,
opposite spins, from the table `data/multiexcitons.csv` that diffusion Monte Carlo made. Empirical:
A + B/L^2, fitted by others to measured lines of CsPbBr3; a fit, not a prediction.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perolux.errors import ModelRangeError, OptionError
from perolux.excitons.assumptions import assumption
from perolux.excitons.pair._variation import Array
from perolux.excitons.pair.limits import kinetic_constant, require_shape

__all__ = [
    "KINDS",
    "MASS_RATIOS",
    "ShiftKnot",
    "empirical_shift_ev",
    "multiexciton_shift",
    "multiexciton_shift_ev",
    "shift_knots",
]

KINDS = ("trion-", "trion+", "biexciton")
"""Two electrons and a hole; an electron and two holes; two of each."""

MASS_RATIOS = (0.4, 2.5)
"""m_e/m_h between which the table holds; outside it is refused."""

_TABLE = Path(__file__).parents[1] / "data" / "multiexcitons.csv"
_SCALE = {"cube": 4.0, "sphere": 4.0 / math.sqrt(3.0)}
"""Size in aB at which the fit's variable u = 1/(1 + size/scale) is 1/2: between strong and weak."""
_FREE = (6, 4)
"""Free powers from u^3 on: of the fit at equal masses, and of what unequal masses change. With one less the
runs scatter about the curve by more than their errors, with one more the curve only follows their noise."""


@dataclass(frozen=True)
class ShiftKnot:
    """One line of the table: shift and statistical error in Ry; size 0 and inf are the limits."""

    kind: str
    shape: str
    mass_ratio: float
    size_over_bohr: float
    shift_over_rydberg: float
    error_over_rydberg: float


@dataclass(frozen=True)
class _Fit:
    """Coefficients of powers of u (ascending): of the shift, and of its variance."""

    coefficients: Array
    variance: Array

    def shift(self, u: Array) -> Array:
        """The shift in Ry."""
        return np.asarray(np.polynomial.polynomial.polyval(u, self.coefficients))

    def squared_error(self, u: Array) -> Array:
        """Its variance."""
        return np.maximum(np.polynomial.polynomial.polyval(u, self.variance), 0.0)


def multiexciton_shift(
    kind: str, shape: str, size_over_bohr: ArrayLike, mass_ratio: ArrayLike = 1.0
) -> tuple[Array, Array]:
    """Shift of the line of a trion or biexciton in Ry, and its standard error, at any number of sizes.

    A polynomial in u = 1/(1 + size/s) fitted to the table: u = 1 is the limit of strong confinement
    (second-order perturbation theory), u = 0 open space; the term in u^2 is known, the confinement of the
    centre of mass,

        shift = bulk + kinetic (mu/M_complex - sum of mu/M of the parts)/size^2 + ...

    so the law holds at every size. Mass ratio at fixed reduced mass: a + b (cosh t - 1) + c sinh t, t =
    ln(m_e/m_h), as in the strong limit; from runs at 0.4 and 1. The error has the statistics of the runs and
    what one power less would change; the models of walls, masses and dielectric constant are not in it.
    Sizes and mass ratios broadcast.

    kind: "trion-" (two electrons), "trion+" or "biexciton". shape: "cube" (size is L/aB) or "sphere" (R/aB).
    Raises `OptionError` for an unknown kind or shape, `ModelRangeError` for sizes <= 0 or a mass ratio
    outside `MASS_RATIOS`.

    >>> shift, sigma = multiexciton_shift("biexciton", "cube", [1e-6, 2.0, 1e6])
    >>> shift.round(2).tolist()
    [-0.88, -0.59, -0.06]
    """
    if kind not in KINDS:
        raise OptionError(f"no shift of {kind!r}", allowed=", ".join(KINDS))
    require_shape(shape)
    size = np.asarray(size_over_bohr, dtype=np.float64)
    if not bool(np.all(size > 0)):
        raise ModelRangeError(
            "a size over the Bohr radius that is not above 0",
            where=f"{kind} in a {shape}",
            allowed="sizes above 0",
        )
    low, high = MASS_RATIOS
    ratio = np.asarray(mass_ratio, dtype=np.float64)
    if not bool(np.all((ratio >= low) & (ratio <= high))):
        raise ModelRangeError(
            "a mass ratio that the table does not cover",
            where=f"{kind} in a {shape}",
            allowed=f"m_e/m_h from {low:g} to {high:g}",
        )
    u = 1.0 / (1.0 + size / _SCALE[shape])
    equal = _equal_masses(kind, shape)
    shift, variance = equal.shift(u), equal.squared_error(u)
    if bool(np.any(ratio != 1.0)):
        for weight, other in _mass_weights(kind, ratio):
            change = _mass_change(other, shape)
            shift = shift + weight * change.shift(u)
            variance = variance + weight**2 * change.squared_error(u)
    return np.asarray(shift), np.sqrt(variance)


def multiexciton_shift_ev(
    kind: str,
    shape: str,
    edge_nm: ArrayLike,
    bohr_radius_nm: ArrayLike,
    rydberg_ev: ArrayLike,
    mass_ratio: ArrayLike = 1.0,
) -> tuple[Array, Array]:
    """The calculated shift and its standard error in eV; all arguments broadcast.

    edge_nm: edge of a cube, or diameter of a sphere. Raises as `multiexciton_shift`.

    >>> shift, _ = multiexciton_shift_ev("biexciton", "cube", [6.0, 10.0], 3.07, 0.0322)
    >>> bool((shift < 0).all())
    True
    """
    require_shape(shape)
    length = np.asarray(edge_nm, dtype=np.float64) * (0.5 if shape == "sphere" else 1.0)
    shift, sigma = multiexciton_shift(kind, shape, length / np.asarray(bohr_radius_nm), mass_ratio)
    rydberg = np.asarray(rydberg_ev, dtype=np.float64)
    return shift * rydberg, sigma * rydberg


def empirical_shift_ev(kind: str, edge_nm: ArrayLike, *, extrapolate: bool = False) -> Array:
    """The published law A + B/L^2 of CsPbBr3 at low temperature in eV: empirical, a fit to measured lines.

    kind: "trion" or "biexciton" (the source does not say which sign of charge; "trion-", "trion+" are taken
    as "trion"). Holds for the edges of `prior.empirical_shift_edge_nm`; outside raises `ModelRangeError`
    unless `extrapolate`. Source: the records `prior.empirical_*` (a citing statement on
    10.1038/s41467-023-35842-4).

    >>> (1e3 * empirical_shift_ev("biexciton", [6.0, 10.0])).round(1).tolist()
    [-54.6, -30.2]
    """
    name = kind.rstrip("+-")
    if name not in ("trion", "biexciton"):
        raise OptionError(f"no empirical shift of {kind!r}", allowed="trion, biexciton")
    constant = assumption(f"empirical_{name}_shift_ev")
    slope = assumption(f"empirical_{name}_shift_ev_nm2")
    edge = np.asarray(edge_nm, dtype=np.float64)
    valid = assumption("empirical_shift_edge_nm")
    low, high = valid.low or 0.0, valid.high or 0.0
    outside = ~((edge >= low) & (edge <= high))
    if bool(np.any(outside)) and not (extrapolate and bool(np.all(edge > 0))):
        raise ModelRangeError(
            f"{int(outside.sum())} of {edge.size} edges are outside the range of the empirical law",
            where=constant.key,
            allowed=f"{low:g} to {high:g} nm",
            fix="use the calculated shift, or ask for extrapolation",
        )
    return np.asarray(constant.number + slope.number / edge**2)


@lru_cache(maxsize=1)
def shift_knots() -> tuple[ShiftKnot, ...]:
    """All lines of the packaged table."""
    lines = _TABLE.read_text(encoding="utf-8").splitlines()
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    return tuple(
        ShiftKnot(
            row["kind"],
            row["shape"],
            *(float(row[name]) for name in
              ("mass_ratio", "size_over_bohr", "shift_over_rydberg", "error_over_rydberg")),
        )
        for row in rows
    )  # fmt: skip


def centre_of_mass_constant(kind: str, mass_ratio: float) -> float:
    """mu/M of the complex less those of its parts: times kinetic/size^2 in weak confinement."""
    exciton = mass_ratio / (1.0 + mass_ratio) ** 2
    if kind == "biexciton":
        return -1.5 * exciton
    ratio = mass_ratio if kind == "trion-" else 1.0 / mass_ratio  # of the carrier that is there twice
    carrier = 1.0 / (1.0 + ratio)
    return carrier / (2.0 + 1.0 / ratio) - exciton - carrier


def _mass_weights(kind: str, mass_ratio: Array) -> list[tuple[Array, str]]:
    """How much of the change from equal masses to the runs at unequal ones: b (cosh t - 1) + c sinh t."""
    known = math.log(MASS_RATIOS[0])
    t = np.log(mass_ratio)
    even = (np.cosh(t) - 1.0) / (math.cosh(known) - 1.0)
    if kind == "biexciton":
        return [(even, kind)]
    odd = np.sinh(t) / math.sinh(known)
    other = "trion+" if kind == "trion-" else "trion-"
    return [(0.5 * (even + odd), kind), (0.5 * (even - odd), other)]


@lru_cache(maxsize=8)
def _equal_masses(kind: str, shape: str) -> _Fit:
    """The curve at equal masses, where both trions are the same."""
    kind = "trion-" if kind == "trion+" else kind
    return fit_knots(_knots(kind, shape, 1.0), shape, _FREE[0])


@lru_cache(maxsize=8)
def _mass_change(kind: str, shape: str) -> _Fit:
    """What the smallest mass ratio of the table changes: a smaller and smoother curve than the shift."""
    return fit_knots(_knots(kind, shape, MASS_RATIOS[0]), shape, _FREE[1], _equal_masses(kind, shape))


def _knots(kind: str, shape: str, mass_ratio: float) -> list[ShiftKnot]:
    knots = [k for k in shift_knots() if k.kind == kind and k.mass_ratio == mass_ratio]
    return [k for k in knots if k.shape in (shape, "open")]


def fit_knots(knots: list[ShiftKnot], shape: str, free: int, start: _Fit | None = None) -> _Fit:
    """The polynomial in u through knots of one kind and mass ratio, with `free` powers from u^3 on.

    start: a curve (at equal masses) of which only the change is fitted.
    """
    size = np.array([k.size_over_bohr for k in knots])
    u = 1.0 / (1.0 + size / _SCALE[shape])
    shift = np.array([k.shift_over_rydberg for k in knots])
    error = np.array([k.error_over_rydberg for k in knots])
    mass = centre_of_mass_constant(knots[0].kind, knots[0].mass_ratio)
    if start is not None:
        shift = shift - start.shift(u)
        mass -= centre_of_mass_constant(knots[0].kind, 1.0)
    bend = kinetic_constant(shape) * mass / _SCALE[shape] ** 2
    coefficients, covariance = _least_squares(u, shift - bend * u**2, error, free)
    fewer, _ = _least_squares(u, shift - bend * u**2, error, free - 1)
    coefficients[2] = fewer[2] = bend
    # statistics, and the square of what one power less would change: both polynomials in u
    power = np.add.outer(np.arange(coefficients.size), np.arange(coefficients.size))
    bent = coefficients.copy()
    bent[: fewer.size] -= fewer
    variance = np.bincount(power.ravel(), weights=covariance.ravel()) + np.convolve(bent, bent)
    return _Fit(coefficients, variance)


def _least_squares(u: Array, rest: Array, error: Array, free: int) -> tuple[Array, Array]:
    """Coefficients of 1, u^3, u^4 ... as a full set of powers, and their covariance.

    Where the scatter about the curve is larger than the errors say, the covariance grows by that.
    """
    used: NDArray[np.int64] = np.array([0, *range(3, 3 + free)])
    matrix = u[:, None] ** used / error[:, None]
    found, _, _, _ = np.linalg.lstsq(matrix, rest / error, rcond=None)
    scatter = float(((matrix @ found - rest / error) ** 2).sum()) / max(u.size - used.size, 1)
    inverse = np.linalg.inv(matrix.T @ matrix) * max(scatter, 1.0)
    coefficients, covariance = np.zeros(3 + free), np.zeros((3 + free, 3 + free))
    coefficients[used] = found
    covariance[np.ix_(used, used)] = inverse
    return coefficients, covariance
