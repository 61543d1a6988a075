"""The lowest state of one carrier in a nanocrystal: energy-dependent mass, walls of finite height.

    E = sum over the separable parts of e_i(m(E)),   e_i from `walls` at the mass of the TOTAL energy E

| shape | parts |
| --- | --- |
| cube, cuboid, platelet | three slabs of thickness a, b, c |
| rod (flat-ended cylinder) | cylinder of diameter a, slab of thickness c |
| sphere | sphere of diameter a |
| spheroid | sphere of the same hard-wall energy (file `spheroid`): its leak is taken |

e_i falls when the mass rises and the mass rises with E, so there is one root; it stays below the energy at
which the mass diverges. A barrier that is separable counts twice at the edges of a box and three times at
its corners, where the carrier hardly is. The spheroid is exact as a sphere and behind hard walls.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError
from perolux.excitons.assumptions import assumption
from perolux.excitons.carriers._roots import bracketed_root
from perolux.excitons.carriers.bands import Bands, Carrier, inverse_mass
from perolux.excitons.carriers.spheroid import equal_confinement_radius_nm
from perolux.excitons.carriers.walls import Wall, wall_energy_ev

__all__ = [
    "Barrier",
    "CarrierLevel",
    "Part",
    "carrier_level",
    "kane_mass_outside_m0",
    "part_energy_ev",
    "shape_parts",
]

FloatArray = npt.NDArray[np.float64]
Part = tuple[Wall, FloatArray]

_LIGHTEST_INVERSE = 1e-9
"""m0/m that stands for a diverging mass."""


@dataclass(frozen=True)
class Barrier:
    """Walls of finite height, numbers or arrays of draws.

    electron_ev, hole_ev: V0 of each carrier; mass_outside_m0: of both outside, or None for that of the same
    Kane coupling without remote terms (`kane_mass_outside_m0`), as eight bands with one P everywhere have.
    """

    electron_ev: npt.ArrayLike
    hole_ev: npt.ArrayLike
    mass_outside_m0: npt.ArrayLike | None = 1.0

    def __post_init__(self) -> None:
        for name in ("electron_ev", "hole_ev", "mass_outside_m0"):
            given = getattr(self, name)
            if given is not None and not np.all(np.asarray(given) > 0.0):
                raise OptionError(f"{name} of a barrier must be positive", allowed="numbers above 0")

    def height_ev(self, carrier: Carrier) -> FloatArray:
        """V0 of a carrier."""
        return np.asarray(self.electron_ev if carrier == "electron" else self.hole_ev, dtype=np.float64)


@dataclass(frozen=True)
class CarrierLevel:
    """The lowest level of one carrier; arrays broadcast over sizes and draws.

    energy_ev: from the band edge; mass_m0: at that energy; parts_ev: the share of each separable part, first
    axis as `shape_parts`; bound: below the barrier (in all parts together); in_range: the mass is not more
    than `prior.carrier_mass_growth` times that of the band edge, beyond which it is held there. Where a flag
    is false the numbers continue steadily but are not to be trusted.
    """

    energy_ev: FloatArray
    mass_m0: FloatArray
    parts_ev: FloatArray
    bound: npt.NDArray[np.bool_]
    in_range: npt.NDArray[np.bool_]


def shape_parts(
    shape: str, a_nm: npt.ArrayLike, b_nm: npt.ArrayLike, c_nm: npt.ArrayLike
) -> tuple[Part, ...]:
    """The separable parts of a shape, each with half its thickness or its radius in nm.

    Lengths as in `ensemble.shapes`. Raises `OptionError` for another shape or a length that is not positive.
    """
    a, b, c = (np.asarray(x, dtype=np.float64) for x in (a_nm, b_nm, c_nm))
    for length in (a, b, c):
        if not np.all((length > 0.0) & np.isfinite(length)):
            raise OptionError("a length of a nanocrystal must be positive and finite", allowed="nm, above 0")
    if shape in ("cube", "cuboid", "platelet"):
        return ("slab", 0.5 * a), ("slab", 0.5 * b), ("slab", 0.5 * c)
    if shape == "rod":
        return ("cylinder", 0.5 * a), ("slab", 0.5 * c)
    if shape == "sphere":
        return (("sphere", 0.5 * a),)
    if shape == "spheroid":
        return (("sphere", equal_confinement_radius_nm(a, c)),)
    raise OptionError(f"unknown shape {shape!r}", allowed="cube, cuboid, platelet, rod, sphere, spheroid")


def carrier_level(
    carrier: Carrier,
    parts: tuple[Part, ...],
    bands: Bands,
    barrier: Barrier | None = None,
    *,
    nonparabolic: bool = True,
) -> CarrierLevel:
    """The lowest level of a carrier in a shape of `shape_parts`; equations of this file.

    barrier: None for hard walls. nonparabolic: False keeps the mass of the band edge. All arrays broadcast.

    >>> bands = Bands(2.342, 0.36, 0.36, 15.0, 1.25)
    >>> parts = shape_parts("cube", 6.0, 6.0, 6.0)
    >>> carrier_level("hole", parts, bands, nonparabolic=False).energy_ev.round(4).item()
    0.087
    >>> carrier_level("hole", parts, bands, Barrier(2.25, 2.25)).energy_ev.round(4).item()
    0.0672
    """
    edge = 1.0 / bands.edge_mass_m0(carrier)
    # beyond this the law of the mass ends: it is held, so that levels go on steadily, and flagged
    held = edge / assumption("carrier_mass_growth").number
    height = None if barrier is None else barrier.height_ev(carrier)

    def shares(inverse: FloatArray, at: npt.ArrayLike) -> FloatArray:
        outside = np.ones(()) if barrier is None else _outside(carrier, at, bands, barrier)
        return _shares(parts, 1.0 / inverse, height, outside)

    parabolic = shares(edge, 0.0)
    top = parabolic.sum(axis=0)
    shape = np.broadcast_shapes(top.shape, inverse_mass(carrier, 0.0, bands).shape)
    top = np.broadcast_to(top, shape)
    if nonparabolic:

        def excess(energy: FloatArray) -> FloatArray:
            inverse = np.maximum(inverse_mass(carrier, energy, bands), held)
            return np.asarray(energy - shares(inverse, energy).sum(axis=0))

        energy = bracketed_root(excess, np.zeros(shape), top, relative=1e-12)
        own = inverse_mass(carrier, energy, bands)
        inverse = np.maximum(own, held)
        mass, each, in_range = 1.0 / inverse, shares(inverse, energy), own > held
    else:
        energy, mass = top, np.broadcast_to(1.0 / edge, shape)
        each = np.broadcast_to(parabolic, (len(parts), *shape))
        in_range = np.ones(shape, dtype=bool)
    bound = np.ones(shape, dtype=bool) if height is None else energy < height
    return CarrierLevel(energy, mass, each, np.broadcast_to(bound, shape), in_range)


def part_energy_ev(
    carrier: Carrier,
    wall: Wall,
    half_nm: npt.ArrayLike,
    at_ev: npt.ArrayLike,
    bands: Bands,
    barrier: Barrier | None,
) -> FloatArray:
    """Level of one part (as in `shape_parts`) with the masses of an energy `at_ev` that is given.

    The mass is nowhere held: of use where it follows its law.
    """
    mass = 1.0 / np.maximum(inverse_mass(carrier, at_ev, bands), _LIGHTEST_INVERSE)
    if barrier is None:
        return wall_energy_ev(wall, half_nm, mass)
    outside = _outside(carrier, at_ev, bands, barrier)
    return wall_energy_ev(wall, half_nm, mass, barrier.height_ev(carrier), outside)


def kane_mass_outside_m0(
    carrier: Carrier, energy_ev: npt.ArrayLike, bands: Bands, barrier: Barrier
) -> FloatArray:
    """Mass outside when the Kane coupling is the same there and no other bands count, in m0.

    m0/m_e = (Ep/3)/(Eg + V_h + E);  m0/m_h = (Ep/3) [1/(Eg + V_e + E) + 2/(Eg + Delta + V_e + E)].

    >>> bands = Bands(2.342, 0.36, 0.36, 15.0, 1.25)
    >>> kane_mass_outside_m0("hole", 0.1, bands, Barrier(2.25, 2.25)).round(3).item()
    0.364
    """
    third, energy = np.asarray(bands.kane_ev) / 3.0, np.asarray(energy_ev, dtype=np.float64)
    gap = np.asarray(bands.gap_ev) + energy
    if carrier == "electron":
        return np.asarray((gap + np.asarray(barrier.hole_ev)) / third)
    near = gap + np.asarray(barrier.electron_ev)
    return np.asarray(1.0 / (third * (1.0 / near + 2.0 / (near + np.asarray(bands.spin_orbit_ev)))))


def _outside(carrier: Carrier, energy_ev: npt.ArrayLike, bands: Bands, barrier: Barrier) -> FloatArray:
    if barrier.mass_outside_m0 is not None:
        return np.asarray(barrier.mass_outside_m0, dtype=np.float64)
    if not np.all(np.asarray(bands.kane_ev) > 0.0):
        raise OptionError("a mass outside from the Kane coupling needs a Kane energy", allowed="above 0")
    return kane_mass_outside_m0(carrier, energy_ev, bands, barrier)


def _shares(
    parts: tuple[Part, ...], mass: FloatArray, height: FloatArray | None, outside: npt.ArrayLike
) -> FloatArray:
    """Energy of each part at a mass, equal parts computed once."""
    done: list[tuple[Wall, FloatArray, FloatArray]] = []
    for wall, half in parts:
        for before, size, energy in done:
            if before == wall and np.array_equal(size, half):
                done.append((wall, half, energy))
                break
        else:
            done.append((wall, half, wall_energy_ev(wall, half, mass, height, outside)))
    return np.array(np.broadcast_arrays(*(energy for _, _, energy in done)))
