"""The effective pair of one set of bands for a million nanocrystals of any lengths.

For each kind of wall of a shape the level of one part is tabulated as a polynomial in the energy E at which
the masses are taken,

    e(half; E) = sum_k c_k(half) (E/E_top)^k / half^2,

with c_k linear in ln(half) between fine knots. The total level solves E = sum over the parts of e(half_i; E):
the coefficients of the parts add up and Newton's method does the rest. Energies, masses and lengths agree
with `effective_pair` to 3e-7 of themselves; with `upper_band`, where the mass can diverge, to 5e-5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, OptionError
from perolux.excitons.assumptions import assumption
from perolux.excitons.carriers.bands import Bands, Carrier, inverse_mass
from perolux.excitons.carriers.carrier_levels import Barrier, Part, carrier_level, part_energy_ev, shape_parts
from perolux.excitons.carriers.effective_pair import EffectivePair, is_one_set, pair_lengths
from perolux.excitons.carriers.walls import Wall, wall_energy_ev

__all__ = ["PairTable", "pair_table"]

FloatArray = npt.NDArray[np.float64]
CARRIERS: tuple[Carrier, Carrier] = ("electron", "hole")
_CHUNK = 32_768
"""Nanocrystals at a time: the arrays of one chunk stay in the cache."""
_NEWTON_STEPS = 6
"""From the parabolic level, which lies above the root of a convex function: quadratic all the way."""


@dataclass(frozen=True)
class PairTable:
    """Made by `pair_table`; call it with lengths.

    half_range_nm: half lengths that it holds (of a spheroid: radii of equal confinement); top_ev: the energy
    at which the polynomials of each carrier end; values: of each wall, [knot, carrier, power].
    """

    shape: str
    bands: Bands
    barrier: Barrier | None
    half_range_nm: tuple[float, float]
    top_ev: tuple[float, float]
    values: dict[Wall, FloatArray]

    def __call__(
        self,
        a_nm: npt.ArrayLike,
        b_nm: npt.ArrayLike | None = None,
        c_nm: npt.ArrayLike | None = None,
    ) -> EffectivePair:
        """The pair of each nanocrystal; lengths as in `effective_pair`, arrays of one shape.

        Raises `ModelRangeError` for lengths outside the table.
        """
        a = np.asarray(a_nm, dtype=np.float64)
        b = a if b_nm is None else np.asarray(b_nm, dtype=np.float64)
        c = a if c_nm is None else np.asarray(c_nm, dtype=np.float64)
        each = np.broadcast_shapes(a.shape, b.shape, c.shape)
        a, b, c = (np.broadcast_to(x, each).ravel() for x in (a, b, c))
        parts = shape_parts(self.shape, a, b, c)
        low, high = self.half_range_nm
        for _, half in parts:
            bad = half[(half < low) | (half > high)]
            if bad.size:
                raise ModelRangeError(
                    f"{bad.size} of {half.size} half lengths lie outside, the first is {bad[0]:g} nm",
                    where=f"effective pairs of shape {self.shape}",
                    allowed=f"{low:g} to {high:g} nm",
                    fix="make the table with a wider range_nm",
                )
        numbers = np.empty((4 + len(parts), a.size))
        for start in range(0, a.size, _CHUNK):
            piece = slice(start, start + _CHUNK)
            numbers[:, piece] = self._chunk(tuple((wall, half[piece]) for wall, half in parts))
        electron, hole, m_electron, m_hole = (numbers[k].reshape(each) for k in range(4))
        a, b, c = (x.reshape(each) for x in (a, b, c))
        lengths = pair_lengths((a, b, c), [scale.reshape(each) for scale in numbers[4:]])
        # a mass that has grown so far is held there (`carrier_levels`)
        growth = assumption("carrier_mass_growth").number * (1.0 - 1e-9)
        bands, barrier = self.bands, self.barrier
        bound = np.ones(each, dtype=bool)
        if barrier is not None:
            bound = (electron < barrier.height_ev("electron")) & (hole < barrier.height_ev("hole"))
        in_range = (m_electron < growth * bands.edge_mass_m0("electron")) & (
            m_hole < growth * bands.edge_mass_m0("hole")
        )
        return EffectivePair(electron, hole, m_electron, m_hole, *lengths, bound, in_range)

    def _chunk(self, parts: tuple[Part, ...]) -> FloatArray:
        """E_e, E_h, m_e, m_h and the scale of each part: [quantity, nanocrystal]."""
        looked_up: list[FloatArray] = []  # of each part, [nanocrystal, carrier, power]
        for i, (wall, half) in enumerate(parts):
            same = next(
                (k for k in range(i) if parts[k][0] == wall and np.array_equal(parts[k][1], half)), None
            )
            looked_up.append(self._coefficients(wall, half) if same is None else looked_up[same])
        total = sum(looked_up[1:], looked_up[0])
        out, shares = [], np.zeros((len(parts), parts[0][1].size))
        masses = []
        for which, carrier in enumerate(CARRIERS):
            coefficients = np.ascontiguousarray(total[:, which].T)
            energy = _root(coefficients, self.top_ev[which])
            reach = energy / self.top_ev[which]
            for i, one in enumerate(looked_up):
                shares[i] += _polynomial(np.ascontiguousarray(one[:, which].T), reach)
            flat = coefficients.shape[0] == 1  # parabolic: the mass of the band edge
            masses.append(1.0 / inverse_mass(carrier, np.zeros_like(energy) if flat else energy, self.bands))
            out.append(energy)
        if self.barrier is None:
            scales = np.ones_like(shares)
        else:
            mu = 1.0 / (1.0 / masses[0] + 1.0 / masses[1])
            hard = np.array([wall_energy_ev(wall, half, mu) for wall, half in parts])
            scales = np.sqrt(hard / shares)
        return np.array([*out, *masses, *scales])

    def _coefficients(self, wall: Wall, half: FloatArray) -> FloatArray:
        table = self.values[wall]
        low, high = self.half_range_nm
        position = np.log(half / low) * ((table.shape[0] - 1) / np.log(high / low))
        knot = np.clip(position.astype(np.intp), 0, table.shape[0] - 2)
        t = (position - knot)[:, None, None]
        lower = table[knot]
        return np.asarray((lower + t * (table[knot + 1] - lower)) / (half * half)[:, None, None])


def pair_table(
    shape: str,
    *,
    bands: Bands,
    barrier: Barrier | None = None,
    nonparabolic: bool = True,
    range_nm: tuple[float, float] = (1.5, 120.0),
    knots: int = 3001,
    powers: int = 9,
) -> PairTable:
    """A table for nanocrystals of one shape with lengths within `range_nm`.

    Arguments as in `effective_pair`; bands and barrier are numbers, not draws.

    >>> bands = Bands(2.342, 0.36, 0.36, 15.0, 1.25)
    >>> table = pair_table("cuboid", bands=bands, barrier=Barrier(2.25, 2.25))
    >>> table([4.0, 5.0], [4.0, 6.0], [4.0, 7.0]).reduced_mass_m0.round(3).tolist()
    [0.191, 0.186]
    """
    is_one_set(bands, barrier)
    low, high = (0.5 * length for length in range_nm)
    if not 0.0 < low < high:
        raise OptionError(f"a range of {range_nm[0]:g} to {range_nm[1]:g} nm", allowed="0 < low < high")
    half = np.exp(np.linspace(np.log(low), np.log(high), knots))
    walls = [wall for wall, _ in shape_parts(shape, 1.0, 1.0, 1.0)]
    smallest = tuple((wall, np.asarray(low)) for wall in walls)
    tops: list[float] = []
    values: dict[Wall, list[FloatArray]] = {wall: [] for wall in walls}
    for carrier in CARRIERS:
        level = carrier_level(carrier, smallest, bands, barrier, nonparabolic=nonparabolic)
        top = float(level.energy_ev) * (1.0 + 1e-9)
        if nonparabolic:
            top = min(top, _end_of_law_ev(carrier, bands, top))
        tops.append(top)
        count = powers if nonparabolic else 1
        # Chebyshev points of 0 to top, then powers: few enough for the change of basis to be harmless
        points = (
            0.5 * (1.0 - np.cos(np.pi * (np.arange(count) + 0.5) / count)) if nonparabolic else np.zeros(1)
        )
        vandermonde = np.vander(points, increasing=True)
        for wall in values:
            energies = part_energy_ev(carrier, wall, half, (points * top)[:, None], bands, barrier)
            values[wall].append(np.linalg.solve(vandermonde, energies * half**2).T)
    stacked = {wall: np.ascontiguousarray(np.stack(each, axis=1)) for wall, each in values.items()}
    return PairTable(shape, bands, barrier, (low, high), (tops[0], tops[1]), stacked)


def _end_of_law_ev(carrier: Carrier, bands: Bands, top: float) -> float:
    """Energy up to `top` where the mass has grown as far as it is trusted: polynomials go no further."""
    held = 1.0 / (float(bands.edge_mass_m0(carrier)) * assumption("carrier_mass_growth").number)
    energies = np.linspace(0.0, top, 4001)
    beyond = np.flatnonzero(inverse_mass(carrier, energies, bands) <= held)
    return float(energies[beyond[0]]) if beyond.size else top


def _root(coefficients: FloatArray, top: float) -> FloatArray:
    """E of E = sum_k c_k (E/top)^k for each nanocrystal; coefficients [power, nanocrystal]."""
    energy = coefficients[0].copy()
    if coefficients.shape[0] == 1:
        return energy
    slopes = coefficients[1:] * (np.arange(1, coefficients.shape[0]) / top)[:, None]
    energy = np.minimum(energy, top)
    for _ in range(_NEWTON_STEPS):
        reach = energy / top
        excess = energy - _polynomial(coefficients, reach)
        energy -= excess / (1.0 - _polynomial(slopes, reach))
    # beyond the table, where nothing is trusted and all is flagged, the level stays at its end
    return np.minimum(energy, top)


def _polynomial(coefficients: FloatArray, x: FloatArray) -> FloatArray:
    value = coefficients[-1].copy()
    for one in coefficients[-2::-1]:
        value *= x
        value += one
    return value
