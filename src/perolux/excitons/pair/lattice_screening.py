"""Lattice screening as a layer: what the Haken attraction changes against one effective dielectric constant.

The packaged tables (`data/sphere_screening.csv`, `data/cube_screening.csv`, made by
`tools/make_screening_tables.py`) hold the change from the pair with eps_inf alone, on Chebyshev points of
ln(size), ln(eps_inf/eps_0) and ln(rate); polynomials through them take arrays of draws and sizes at once.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from perolux.errors import ModelRangeError
from perolux.excitons.pair._variation import Array
from perolux.excitons.pair.limits import require_shape
from perolux.excitons.pair.tables import interpolate

__all__ = ["HakenShift", "haken_shift"]

COLUMNS = ("size_over_bohr", "eps_ratio", "rate_bohr", "energy_rydberg", "log_k_ratio", "log_x_ratio")
KNOTS = (14, 5, 9)
"""Chebyshev points in ln(size), ln(eps_inf/eps_0) and ln(rate)."""
SIZES = {"sphere": (0.3, 20.0), "cube": (0.5, 24.0)}
RATIOS = (0.12, 1.0)
RATES = (0.15, 4.0)
_DATA = Path(__file__).parents[1] / "data"


@dataclass(frozen=True)
class HakenShift:
    """What lattice screening changes against one effective eps; arrays of the broadcast shape.

    energy_over_rydberg: E(Haken) - E(eps_eff), in Ry of eps_eff. k_ratio, x_ratio: K and X over those of
    eps_eff, each in aB of eps_eff.
    """

    energy_over_rydberg: Array
    k_ratio: Array
    x_ratio: Array


def haken_shift(
    shape: str,
    size_over_bohr: ArrayLike,
    *,
    eps_static: ArrayLike,
    eps_optical: ArrayLike,
    eps_effective: ArrayLike,
    phonon_over_rydberg: ArrayLike,
    mass_ratio: ArrayLike = 1.0,
) -> HakenShift:
    """The Haken attraction against a plain one with an effective eps, for arrays of sizes and draws.

    V = -(e^2/(4 pi eps0 r)) [1/eps_0 + (1/eps_inf - 1/eps_0)(exp(-r/l_e) + exp(-r/l_h))/2]

    size_over_bohr and phonon_over_rydberg (hbar w_LO/Ry) in aB and Ry of `eps_effective`; all arguments
    broadcast. mass_ratio enters through the two polaron lengths, whose changes are averaged (first order in
    the difference of the two; the pair itself has equal masses).
    Accuracy against the solver: 1e-3 Ry in E, 0.5 % in K and X for equal masses; 3e-3 Ry and 1.2 % at a mass
    ratio of 0.7.
    Outside the table's sizes the change goes to its limits: the exact first order for size 0, the bulk for
    size infinity. Raises `ModelRangeError` where eps_inf/eps_0 or a screening rate is outside the table.
    Source: Haken's potential, standard form; solved by `solve_sphere` and `solve_cube`.

    >>> shift = haken_shift("cube", [2.0, 8.0], eps_static=24.0, eps_optical=4.5, eps_effective=7.3,
    ...                     phonon_over_rydberg=0.6)
    >>> shift.energy_over_rydberg.round(1).tolist()
    [-0.4, 0.2]
    """
    require_shape(shape)
    size, static, optical, effective, phonon, masses = np.broadcast_arrays(
        *(
            np.asarray(v, dtype=np.float64)
            for v in (
                size_over_bohr,
                eps_static,
                eps_optical,
                eps_effective,
                phonon_over_rydberg,
                mass_ratio,
            )
        )
    )
    ratio = optical / static
    # aB goes with eps, Ry with 1/eps^2
    scale = optical / effective
    own = size / scale
    # (aB/l_j)^2 = (m_j/mu) hbar w/Ry, with m_e/mu = 1 + r and m_h/mu = (1 + r)/r
    frequency = phonon * scale**2
    rates = [np.sqrt(frequency * (1.0 + masses)), np.sqrt(frequency * (1.0 + masses) / masses)]
    _check(ratio, rates)
    change = 0.5 * (_change(shape, own, ratio, rates[0]) + _change(shape, own, ratio, rates[1]))
    bare, plain = interpolate(shape, own), interpolate(shape, size)
    energy = (bare.energy_over_rydberg + change[0]) / scale**2 - plain.energy_over_rydberg
    # X counts in aB^3
    x_ratio = bare.exchange_x * np.exp(change[2]) / (plain.exchange_x * scale**3)
    return HakenShift(energy, bare.overlap_k * np.exp(change[1]) / plain.overlap_k, x_ratio)


def nodes(shape: str) -> tuple[Array, Array, Array]:
    """Sizes, ratios and rates of the table."""
    low, high = np.log(SIZES[shape])
    first, second, third = (np.cos(np.pi * (np.arange(n) + 0.5) / n)[::-1] for n in KNOTS)
    sizes = np.exp(0.5 * (low + high) + 0.5 * (high - low) * first)
    ratios = np.exp(0.5 * np.log(RATIOS[0]) * (1.0 - second))
    slow, fast = np.log(RATES)
    return sizes, ratios, np.exp(0.5 * (slow + fast) + 0.5 * (fast - slow) * third)


def _check(ratio: Array, rates: list[Array]) -> None:
    tiny = 1e-9  # of rounding: eps_inf = eps_0 is allowed
    bad = ~((ratio >= RATIOS[0]) & (ratio <= RATIOS[1] + tiny))
    if bool(bad.any()):
        raise ModelRangeError(
            f"eps_inf/eps_0 = {float(ratio[bad].flat[0]):g}",
            where="Haken screening",
            allowed=f"{RATIOS[0]:g} to {RATIOS[1]:g}",
        )
    for rate in rates:
        bad = ~((rate >= RATES[0]) & (rate <= RATES[1]))
        if bool(bad.any()):
            raise ModelRangeError(
                f"polaron length of {1.0 / float(rate[bad].flat[0]):g} Bohr radii (of eps_inf)",
                where="Haken screening",
                allowed=f"{1.0 / RATES[1]:.3g} to {1.0 / RATES[0]:.3g}",
                fix="use solve_sphere or solve_cube with screening=haken(...)",
            )


def _change(shape: str, size: Array, ratio: Array, rate: Array) -> Array:
    """[energy, ln K ratio, ln X ratio] against eps_inf alone, in its units."""
    inside, bulk = _coefficients(shape)
    low, high = SIZES[shape]
    held = np.minimum(np.maximum(size, low), high)
    t = 2.0 * np.log(held / low) / np.log(high / low) - 1.0
    second = _chebyshev(1.0 - 2.0 * np.log(ratio) / np.log(RATIOS[0]), KNOTS[1])
    third = _chebyshev(2.0 * np.log(rate / RATES[0]) / np.log(RATES[1] / RATES[0]) - 1.0, KNOTS[2])
    pair = (second[:, None] * third[None]).reshape(KNOTS[1] * KNOTS[2], -1)
    first = _chebyshev(t, KNOTS[0]).reshape(KNOTS[0], -1)
    weak = (1.0 - ratio).ravel()
    out = np.empty((3, weak.size))
    for k in range(3):
        at_size = np.einsum("sn,sn->n", inside[k] @ pair, first)
        out[k] = weak * at_size
    # beyond: to the bulk like 1/size^2; below: like size to the first-order value, (1 - e^(-kr))/r -> k, and
    # no change of K and X
    ratio_out, over = (size / held).ravel(), (size > high).ravel()
    limit = weak * (bulk @ pair)
    strong = np.stack([2.0 * weak * rate.ravel(), np.zeros_like(weak), np.zeros_like(weak)])
    out = np.where(
        over, limit + (out - limit) / ratio_out**2, strong + (out - strong) * np.minimum(ratio_out, 1.0)
    )
    return out.reshape((3, *size.shape))


def _chebyshev(t: Array, count: int) -> Array:
    """T_0 to T_(count - 1) at t."""
    rows = [np.ones_like(t), np.asarray(t)]
    while len(rows) < count:
        rows.append(2.0 * t * rows[-1] - rows[-2])
    return np.stack(rows[:count])


@lru_cache(maxsize=4)
def _coefficients(shape: str) -> tuple[Array, Array]:
    """Chebyshev coefficients of change/(1 - ratio): [quantity, size, ratio x rate], and those of the bulk."""
    lines = (_DATA / f"{shape}_screening.csv").read_text(encoding="utf-8").splitlines()
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    values = np.array([[float(row[name]) for name in COLUMNS[3:]] for row in rows]).T
    ratio = np.array([float(row["eps_ratio"]) for row in rows])
    values = (values / (1.0 - ratio)).reshape(3, KNOTS[0] + 1, KNOTS[1], KNOTS[2])
    for axis, count in ((2, KNOTS[1]), (3, KNOTS[2])):
        values = np.moveaxis(np.tensordot(_transform(count), values, axes=(1, axis)), 0, axis)
    inside = np.moveaxis(np.tensordot(_transform(KNOTS[0]), values[:, :-1], axes=(1, 1)), 0, 1)
    flat = KNOTS[1] * KNOTS[2]
    return inside.reshape(3, KNOTS[0], flat), values[:, -1].reshape(3, flat)


def _transform(count: int) -> Array:
    """Coefficients of T_0 to T_(count - 1) from values at the Chebyshev points in rising order."""
    points = np.cos(np.pi * (np.arange(count) + 0.5) / count)[::-1]
    matrix = 2.0 / count * _chebyshev(points, count)
    matrix[0] *= 0.5
    return np.asarray(matrix)
