"""What the correlated pair behind hard walls needs to know of real bands and real walls.

The pair's curve e(size/aB) is for parabolic carriers behind hard walls. It is taken at

    m_e(E_e), m_h(E_h), 1/mu = 1/m_e + 1/m_h      masses at the single-particle levels (non-parabolic bands)
    size_eff = size x s,   s_i^2 = hbar^2 u_i^2/(2 mu half_i^2) / (e_i^e + e_i^h)      (leak through the
    walls)

for each separable part i of the shape (`carrier_levels`): s_i half_i is the half length at which hard walls
and the masses mu give the energy of electron and hole together, so the limit of strong confinement is that
of the levels. In large nanocrystals the masses tend to those of the band edge and s to 1 + leak/size, so
the pair's energy tends to that of the bulk exciton. Behind hard walls s = 1, in parabolic bands the masses
are those of the band edge, exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, OptionError
from perolux.excitons.carriers.bands import Bands
from perolux.excitons.carriers.carrier_levels import Barrier, CarrierLevel, Part, carrier_level, shape_parts
from perolux.excitons.carriers.walls import wall_energy_ev

__all__ = ["EffectivePair", "PairCurve", "effective_pair", "is_one_set", "pair_curve", "pair_lengths"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class EffectivePair:
    """The hard-wall pair that stands for a real one; arrays broadcast over sizes and draws.

    electron_energy_ev, hole_energy_ev: single-particle levels from the band edges, with the walls and bands
    asked for; electron_mass_m0, hole_mass_m0: masses there; a_nm, b_nm, c_nm: effective lengths, named as in
    `ensemble.shapes`. bound: both carriers lie below their barriers; in_range: both masses have grown by less
    than `prior.carrier_mass_growth`. Numbers where a flag is false are finite but not to be trusted.
    """

    electron_energy_ev: FloatArray
    hole_energy_ev: FloatArray
    electron_mass_m0: FloatArray
    hole_mass_m0: FloatArray
    a_nm: FloatArray
    b_nm: FloatArray
    c_nm: FloatArray
    bound: npt.NDArray[np.bool_]
    in_range: npt.NDArray[np.bool_]

    @property
    def reduced_mass_m0(self) -> FloatArray:
        """1/(1/m_e + 1/m_h) at the levels."""
        return 1.0 / (1.0 / self.electron_mass_m0 + 1.0 / self.hole_mass_m0)

    @property
    def mass_ratio(self) -> FloatArray:
        """m_e/m_h at the levels."""
        return self.electron_mass_m0 / self.hole_mass_m0

    @property
    def valid(self) -> npt.NDArray[np.bool_]:
        """bound and in_range."""
        return self.bound & self.in_range


def effective_pair(
    shape: str,
    a_nm: npt.ArrayLike,
    b_nm: npt.ArrayLike | None = None,
    c_nm: npt.ArrayLike | None = None,
    *,
    bands: Bands,
    barrier: Barrier | None = None,
    nonparabolic: bool = True,
) -> EffectivePair:
    """Masses, effective lengths and levels of a pair; equations of this file.

    shape and lengths (nm) as in `ensemble.shapes`; b and c default to a. bands: numbers or draws. barrier:
    None for hard walls (no leak). nonparabolic: False keeps the masses of the band edges. Raises
    `OptionError` for lengths or shapes that cannot be, `ModelRangeError` for a spheroid out of range.

    >>> bands = Bands(2.342, 0.36, 0.36, 15.0, 1.25)
    >>> pair = effective_pair("cube", [4.0, 40.0], bands=bands, barrier=Barrier(2.25, 2.25))
    >>> pair.reduced_mass_m0.round(3).tolist(), (pair.a_nm - [4.0, 40.0]).round(2).tolist()
    ([0.191, 0.18], [0.68, 0.72])
    """
    a = np.asarray(a_nm, dtype=np.float64)
    b = a if b_nm is None else np.asarray(b_nm, dtype=np.float64)
    c = a if c_nm is None else np.asarray(c_nm, dtype=np.float64)
    parts = shape_parts(shape, a, b, c)
    electron = carrier_level("electron", parts, bands, barrier, nonparabolic=nonparabolic)
    hole = carrier_level("hole", parts, bands, barrier, nonparabolic=nonparabolic)
    if barrier is None:
        scales = [np.ones(())] * len(parts)
    else:
        scales = _scales(parts, electron, hole)
    each = np.broadcast_shapes(electron.energy_ev.shape, hole.energy_ev.shape, a.shape, b.shape, c.shape)
    a_eff, b_eff, c_eff = (np.broadcast_to(length, each) for length in pair_lengths((a, b, c), scales))
    return EffectivePair(
        electron.energy_ev,
        hole.energy_ev,
        electron.mass_m0,
        hole.mass_m0,
        a_eff,
        b_eff,
        c_eff,
        np.logical_and(electron.bound, hole.bound),
        np.logical_and(electron.in_range, hole.in_range),
    )


def pair_lengths(
    lengths: tuple[FloatArray, FloatArray, FloatArray], scales: list[FloatArray]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The three lengths of a shape times the scales of its one, two or three parts."""
    # boxes have a part for each length, a rod's radius stands for two, round shapes have one for all
    order = {3: (0, 1, 2), 2: (0, 0, 1), 1: (0, 0, 0)}[len(scales)]
    a, b, c = (length * scales[i] for length, i in zip(lengths, order, strict=True))
    return a, b, c


def is_one_set(bands: Bands, barrier: Barrier | None) -> None:
    """Raise `OptionError` for arrays of draws, of which no table can be made."""
    given = [getattr(one, field.name) for one in (bands, barrier) if one is not None for field in fields(one)]
    if any(np.ndim(value) for value in given):
        raise OptionError(
            "a table is made of one set of band parameters, not of draws",
            allowed="numbers",
            fix="perolux.excitons.carriers.effective_pair.effective_pair takes arrays of draws",
        )


def _scales(parts: tuple[Part, ...], electron: CarrierLevel, hole: CarrierLevel) -> list[FloatArray]:
    mu = 1.0 / (1.0 / electron.mass_m0 + 1.0 / hole.mass_m0)
    return [
        np.sqrt(wall_energy_ev(wall, half, mu) / (e_share + h_share))
        for (wall, half), e_share, h_share in zip(parts, electron.parts_ev, hole.parts_ev, strict=True)
    ]


@dataclass(frozen=True)
class PairCurve:
    """`effective_pair` of one set of bands against size, for a million nanocrystals: cubic splines in
    ln(size).

    shape, aspect: the lengths are size x aspect; smallest_valid_nm: from here on the flags are true.
    Made by `pair_curve`; call it with sizes.
    """

    shape: str
    aspect: tuple[float, float, float]
    range_nm: tuple[float, float]
    smallest_bound_nm: float
    smallest_in_range_nm: float
    coefficients: FloatArray
    """[power, cell, quantity]; quantities ln E_e, ln E_h, m0/m_e, m0/m_h, scales of the three lengths."""

    def __call__(self, size_nm: npt.ArrayLike) -> EffectivePair:
        """The pair at any array of sizes; raises `ModelRangeError` outside `range_nm`."""
        size = np.asarray(size_nm, dtype=np.float64)
        low, high = self.range_nm
        if not np.all((size >= low) & (size <= high)):
            bad = size[~((size >= low) & (size <= high))]
            raise ModelRangeError(
                f"{bad.size} of {size.size} sizes lie outside the curve, the first is {bad.flat[0]:g} nm",
                where=f"effective pair in a {self.shape}",
                allowed=f"{low:g} to {high:g} nm",
                fix="make the curve with a wider range_nm",
            )
        cells = self.coefficients.shape[1]
        position = np.log(size / low) * (cells / np.log(high / low))
        cell = np.minimum(position.astype(np.intp), cells - 1)
        t = position - cell
        cubic, square, slope, value = self.coefficients

        def quantity(k: int) -> FloatArray:
            taken = [np.ascontiguousarray(one[:, k])[cell] for one in (cubic, square, slope, value)]
            return np.asarray(((taken[0] * t + taken[1]) * t + taken[2]) * t + taken[3])

        equal = self.aspect == (1.0, 1.0, 1.0)
        scales = [quantity(4)] * 3 if equal else [quantity(k) for k in (4, 5, 6)]
        a, b, c = (size * part * scale for part, scale in zip(self.aspect, scales, strict=True))
        return EffectivePair(
            np.exp(quantity(0)),
            np.exp(quantity(1)),
            1.0 / quantity(2),
            1.0 / quantity(3),
            a,
            b,
            c,
            size >= self.smallest_bound_nm,
            size >= self.smallest_in_range_nm,
        )


def pair_curve(
    shape: str,
    *,
    bands: Bands,
    barrier: Barrier | None = None,
    nonparabolic: bool = True,
    aspect: tuple[float, float, float] = (1.0, 1.0, 1.0),
    range_nm: tuple[float, float] = (1.5, 120.0),
    cells: int = 160,
) -> PairCurve:
    """The effective pair of one set of numbers (no draws) for all sizes of a range.

    aspect: a, b, c over the size; the other arguments as in `effective_pair`. With 160 cells the splines add
    less than 1e-6 of each number.

    >>> curve = pair_curve("sphere", bands=Bands(2.342, 0.36, 0.36, 15.0, 1.25), barrier=Barrier(2.25, 2.25))
    >>> curve([4.0, 6.0]).reduced_mass_m0.round(3).tolist()
    [0.195, 0.187]
    """
    from scipy.interpolate import CubicSpline

    low, high = range_nm
    if not 0.0 < low < high:
        raise OptionError(f"a range of {low:g} to {high:g} nm", allowed="0 < low < high")
    is_one_set(bands, barrier)
    size = np.exp(np.linspace(np.log(low), np.log(high), cells + 1))
    size[[0, -1]] = low, high
    a, b, c = (size * part for part in aspect)
    pair = effective_pair(shape, a, b, c, bands=bands, barrier=barrier, nonparabolic=nonparabolic)
    values = np.array(
        [
            np.log(pair.electron_energy_ev),
            np.log(pair.hole_energy_ev),
            1.0 / pair.electron_mass_m0,
            1.0 / pair.hole_mass_m0,
            pair.a_nm / a,
            pair.b_nm / b,
            pair.c_nm / c,
        ]
    )
    spline = CubicSpline(np.arange(cells + 1.0), values, axis=1)
    return PairCurve(
        shape,
        aspect,
        (low, high),
        _smallest(size, pair.bound),
        _smallest(size, pair.in_range),
        np.asarray(spline.c),
    )


def _smallest(size: FloatArray, flag: npt.NDArray[np.bool_]) -> float:
    """The size from which on a flag is true at all knots; infinity where it is not at the last."""
    false = np.flatnonzero(~flag)
    if false.size == 0:
        return float(size[0])
    return float(size[false[-1] + 1]) if false[-1] + 1 < size.size else float("inf")
