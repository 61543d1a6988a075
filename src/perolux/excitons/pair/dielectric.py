"""What the dielectric surroundings do to electron and hole: self-energies and image interaction.

A charge inside a nanocrystal of permittivity eps_in polarises the surface towards the surroundings
eps_out. The charge left on the surface acts back on the charge itself (self-energy, repulsive for eps_in >
eps_out) and on its partner (image interaction, attractive). With e = eps_in/eps_out, first order in the
ground pair of hard walls:

    sphere    own    = (C/R) (e-1) [1 + sum_{n>=1} a_n <r_e^2n + r_h^2n>/2],   a_n = (n+1)/(e n + n + 1)
              mutual = -(C/R) (e-1) [1 + sum_{n>=1} a_n <(r_e r_h)^n P_n(cos)>]
    plate     own    = (C/d) sum_{n != 0} q^|n| <1/|z - (-1)^n z + n d|> d,    q = (e-1)/(e+1)
    cuboid, spheroid, rod    boundary elements

with C = e^2/(4 pi eps0 eps_in). Both fall as 1/size at a given shape and e. Their sum, half the square of the
difference of two fields, is never negative for e > 1; in weak confinement electron and hole sit together
and it vanishes. In a sphere the correlated pair itself is used; for the other shapes the part that
correlation changes is scaled as in the sphere of equal kinetic energy: exact for an uncorrelated pair,
exact for a sphere, and right (zero) for a large crystal. The tables are made by
`tools/make_dielectric_tables.py`.

Not included: the direct attraction, which is in the pair itself, and whatever the first order misses. Do not
add these energies to a fit whose eps_in was adjusted to nanocrystals in the same surroundings.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perolux.errors import ModelRangeError, NotAvailableError, OptionError
from perolux.excitons.pair._lobatto import lobatto_weights
from perolux.excitons.pair._variation import Array, gauss_unit
from perolux.quantities.constants import COULOMB_EV_NM

__all__ = [
    "EPS_INSIDE",
    "DielectricShift",
    "dielectric_shift_ev",
    "image_interaction_ev",
    "plate_self_energy_ev",
    "self_energy_ev",
    "sphere_coefficients",
]

EPS_INSIDE: dict[str, str] = {
    "exciton": "eps_effective",
    "optical": "eps_high_freq",
}
"""Which record of a material stands for eps_in: the screening between electron and hole of the exciton, which
keeps the surface terms consistent with the pair; or the high-frequency one, if the lattice cannot follow
(confinement energies far above the phonons). The surroundings always enter with their optical n^2."""

_SHAPES = ("cube", "cuboid", "sphere", "spheroid", "rod")
_DATA = Path(__file__).parents[1] / "data"


@dataclass(frozen=True)
class DielectricShift:
    """Parts of the shift of the pair in eV, arrays of one shape.

    self_energy_ev: both carriers together; image_interaction_ev: negative for eps_in > eps_out; total_ev:
    their sum. uncorrelated_total_ev: the same for an uncorrelated pair, to show what correlation takes away.
    """

    self_energy_ev: Array
    image_interaction_ev: Array
    total_ev: Array
    uncorrelated_total_ev: Array


def self_energy_ev(
    shape: str,
    lengths_nm: Sequence[ArrayLike],
    eps_inside: ArrayLike,
    eps_outside: ArrayLike,
    *,
    bohr_radius_nm: ArrayLike | None = None,
) -> Array:
    """Self-energies of electron and hole together in eV; arguments as for `dielectric_shift_ev`."""
    return dielectric_shift_ev(
        shape, lengths_nm, eps_inside, eps_outside, bohr_radius_nm=bohr_radius_nm
    ).self_energy_ev


def image_interaction_ev(
    shape: str,
    lengths_nm: Sequence[ArrayLike],
    eps_inside: ArrayLike,
    eps_outside: ArrayLike,
    *,
    bohr_radius_nm: ArrayLike | None = None,
) -> Array:
    """Interaction of each carrier with the surface charge of the other in eV, as `dielectric_shift_ev`."""
    return dielectric_shift_ev(
        shape, lengths_nm, eps_inside, eps_outside, bohr_radius_nm=bohr_radius_nm
    ).image_interaction_ev


def dielectric_shift_ev(
    shape: str,
    lengths_nm: Sequence[ArrayLike],
    eps_inside: ArrayLike,
    eps_outside: ArrayLike,
    *,
    bohr_radius_nm: ArrayLike | None = None,
) -> DielectricShift:
    """Shift of the ground pair by the dielectric surroundings, first order, hard walls; see the module.

    shape, lengths_nm: as in `perolux.ensemble.shapes`, three lengths a, b, c (nm) that broadcast with the
    other arguments. eps_inside, eps_outside: permittivities, ratio from 1/2 to 12. bohr_radius_nm: exciton
    Bohr radius for the correlation; None for an uncorrelated pair (strong confinement).
    Raises `OptionError` for lengths or permittivities that are not positive or a shape that is not known,
    `ModelRangeError` outside the tables (edges up to 10 times one another, spheroids to 8, rods of length
    over diameter 0.5 to 10), `NotAvailableError` for platelets, whose shift is not of first order.
    Validity: meshes and interpolation change the total by less than 1 % of it; the scaling of the correlation
    from the sphere is not exact for other shapes.
    Source: standard multipole series; boundary elements of this program.

    >>> shift = dielectric_shift_ev("cube", (8.0, 8.0, 8.0), 7.3, 2.2)
    >>> bool(shift.self_energy_ev > -shift.image_interaction_ev > 0)
    True
    """
    if shape == "platelet":
        raise NotAvailableError(
            "the shift of a platelet is not of first order: free in its plane, the pair draws together",
            fix="use perolux.excitons.pair.platelets.plate_exciton, which solves the pair with all images",
        )
    if shape not in _SHAPES:
        raise OptionError(f"unknown shape {shape!r}", allowed=", ".join(_SHAPES))
    a, b, c, inside, outside = np.broadcast_arrays(
        *(np.asarray(value, dtype=np.float64) for value in (*lengths_nm, eps_inside, eps_outside))
    )
    for name, value in (("lengths", np.stack([a, b, c])), ("permittivities", np.stack([inside, outside]))):
        if not bool(np.all(np.isfinite(value) & (value > 0.0))):
            raise OptionError(f"{name} of a {shape} must be positive numbers", allowed="finite, above 0")
    screen = outside / (inside + outside)
    _require_inside(screen, "screen", f"{shape} in a dielectric", "eps_inside/eps_outside from 0.5 to 12")
    if shape == "sphere":
        length, radius = 0.5 * a, 0.5 * a
        strong = _sphere(np.zeros_like(screen), screen)
    else:
        length, radius, strong = _other(shape, (a, b, c), screen)
    own, rest = strong
    if bohr_radius_nm is not None:
        bohr = np.asarray(bohr_radius_nm, dtype=np.float64)
        if not bool(np.all(np.isfinite(bohr) & (bohr > 0.0))):
            raise OptionError("the Bohr radius must be a positive number of nm")
        x = radius / bohr
        own_0, rest_0 = _sphere(np.zeros_like(screen), screen)
        own_x, rest_x = _sphere(x, np.broadcast_to(screen, x.shape))
        mutual = own - rest
        own = mutual + rest * (own_x - 1.0) / (own_0 - 1.0)
        rest = rest * rest_x / rest_0
    unit = COULOMB_EV_NM * (inside / outside - 1.0) / (inside * length)
    # the image interaction is what the self-energies do not leave over, so that parts add up to the total
    return DielectricShift(unit * own, unit * (rest - own), unit * rest, unit * strong[1])


def sphere_coefficients(eps_ratio: float, top: int) -> Array:
    """alpha_n = (e - 1)(n + 1)/(e n + n + 1), n = 0 .. top, of the multipoles of a sphere."""
    n = np.arange(top + 1)
    return np.asarray((eps_ratio - 1.0) * (n + 1) / (eps_ratio * n + n + 1))


def plate_self_energy_ev(thickness_nm: ArrayLike, eps_inside: ArrayLike, eps_outside: ArrayLike) -> Array:
    """Self-energies of electron and hole together in a plate, both cos(pi z/d), in eV.

    (C/d) [-ln(1 - q^2) + 2 sum_{n odd} q^n a_n], a_n = int 2 cos^2(pi s)/|2 s + n| ds over |s| < 1/2; the sum
    is atanh(q) plus the differences a_n - 1/n, which fall as 1/n^3. All three arguments broadcast.
    """
    d, inside, outside = (np.asarray(v, dtype=np.float64) for v in (thickness_nm, eps_inside, eps_outside))
    for value in (d, inside, outside):
        if not bool(np.all(np.isfinite(value) & (value > 0.0))):
            raise OptionError("thickness and permittivities must be positive numbers")
    q = (inside - outside) / (inside + outside)
    number, excess = _plate_terms()
    odd = np.arctanh(q) + (q[..., None] ** number * excess).sum(axis=-1)
    return np.asarray(COULOMB_EV_NM / (inside * d) * (2.0 * odd - np.log1p(-(q**2))))


@lru_cache(maxsize=1)
def _plate_terms() -> tuple[NDArray[np.int64], Array]:
    node, weight = gauss_unit(64)
    s = node - 0.5
    number = np.arange(1, 200, 2)
    density = 2.0 * np.cos(math.pi * s) ** 2 * weight
    return number, (density / (2.0 * s + number[:, None])).sum(axis=1) - 1.0 / number


def _other(
    shape: str, lengths: tuple[Array, Array, Array], screen: Array
) -> tuple[Array, Array, tuple[Array, Array]]:
    """Length unit, radius of the sphere of equal kinetic energy, and the uncorrelated means of a shape."""
    a, b, c = lengths
    if shape in ("cube", "cuboid"):
        edges = np.sort(np.stack([a, b, c]), axis=0)
        stretch = np.log(edges[2] / edges[0])
        # a cube has no split: any gives the same
        split = np.where(
            stretch > 0.0, np.log(edges[1] / edges[0]) / np.where(stretch > 0.0, stretch, 1.0), 0.0
        )
        table = _table("dielectric_box")
        _require_axis(table, 0, stretch, shape, "edges within a factor 10 of one another")
        radius = 1.0 / np.sqrt((1.0 / edges**2).sum(axis=0))
        return np.cbrt(a * b * c), radius, _evaluate(table, stretch, split, screen)
    aspect = np.log(c / a)
    if shape == "spheroid":
        table, volume, allowed = (
            _table("dielectric_spheroid"),
            math.pi / 6.0,
            "polar over equatorial 1/8 to 8",
        )
        radius = 0.5 * np.sqrt(3.0 / (2.0 / a**2 + 1.0 / c**2))
    else:
        table, volume, allowed = _table("dielectric_rod"), math.pi / 4.0, "length over diameter 0.5 to 10"
        radius = math.pi / np.sqrt((2.0 * _BESSEL_ZERO / a) ** 2 + (math.pi / c) ** 2)
    _require_axis(table, 0, aspect, shape, allowed)
    return np.cbrt(volume * a * a * c), radius, _evaluate(table, aspect, screen)


_BESSEL_ZERO = 2.404825557695773
"""First zero of the Bessel function J0."""


@dataclass(frozen=True)
class _Table:
    """Values [own or rest, axis 1, axis 2, ...] on the points of each axis; the last axis is the screen."""

    axes: tuple[Array, ...]
    values: Array


@lru_cache(maxsize=8)
def _table(name: str) -> _Table:
    lines = (_DATA / f"{name}.csv").read_text(encoding="utf-8").splitlines()
    rows = list(csv.reader(line for line in lines if not line.startswith("#")))
    numbers = np.array(rows[1:], dtype=np.float64)
    axes = tuple(np.unique(numbers[:, k]) for k in range(numbers.shape[1] - 2))
    shape = tuple(axis.size for axis in axes)
    return _Table(axes, numbers[:, -2:].T.reshape(2, *shape))


def _evaluate(table: _Table, *where: Array) -> tuple[Array, Array]:
    """own and rest by polynomials in all axes."""
    values: Array = table.values
    weights = [lobatto_weights(axis, at) for axis, at in zip(table.axes, where, strict=True)]
    if len(weights) == 2:
        own, rest = np.einsum("...i,...j,kij->k...", *weights, values, optimize=True)
    else:
        own, rest = np.einsum("...i,...j,...l,kijl->k...", *weights, values, optimize=True)
    return own, rest


def _sphere(x: Array, screen: Array) -> tuple[Array, Array]:
    """own and rest of the correlated pair in a sphere of radius 1, by splines in x/(1+x).

    Beyond the table `own` stays and `rest` goes on with its last power of x: by then it is below 2 % of own.
    """
    spline, last, power = _sphere_spline()
    inside = np.minimum(x, last)
    weights = lobatto_weights(_table("dielectric_sphere").axes[1], screen)
    own, rest = np.einsum("...ks,...s->k...", spline(inside / (1.0 + inside)), weights)
    return own, np.asarray(rest * (np.maximum(x, last) / last) ** power)


@lru_cache(maxsize=1)
def _sphere_spline():  # type: ignore[no-untyped-def]
    from scipy.interpolate import CubicSpline

    table = _table("dielectric_sphere")
    size, values = table.axes[0], table.values
    middle = values[1, :, values.shape[2] // 2]
    power = math.log(middle[-1] / middle[-2]) / math.log(size[-1] / size[-2])
    return CubicSpline(size / (1.0 + size), values.transpose(1, 0, 2)), float(size[-1]), power


def _require_inside(value: Array, name: str, where: str, allowed: str) -> None:
    low, high = 1.0 / 13.0 - 1e-12, 2.0 / 3.0 + 1e-12
    if not bool(np.all((value >= low) & (value <= high))):
        raise ModelRangeError("permittivities outside the tables", where=where, allowed=allowed)


def _require_axis(table: _Table, axis: int, value: Array, shape: str, allowed: str) -> None:
    low, high = table.axes[axis][0] - 1e-9, table.axes[axis][-1] + 1e-9
    if not bool(np.all((value >= low) & (value <= high))):
        raise ModelRangeError(
            "aspect ratios outside the tables of surface charges",
            where=f"{shape} in a dielectric",
            allowed=allowed,
            fix="for thin plates use perolux.excitons.pair.platelets.plate_exciton",
        )
