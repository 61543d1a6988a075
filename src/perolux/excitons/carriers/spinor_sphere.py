"""Spinor states of a sphere: what spin-orbit coupling makes of s and p levels at a wall of finite height.

Four bands (eight with spin), the others folded into one energy-dependent mass. A state has a total angular
momentum j and kappa = l for j = l - 1/2, kappa = -(l + 1) for j = l + 1/2; its large component is j_l(k r).
At the wall are continuous

    f   and   (1/m(E)) f' + b(E) (1 + kappa) f/r

| bracket | b inside | b outside |
| --- | --- | --- |
| "mass": all of the mass comes from the two bands at the gap | 1/m(E) | 1/m_out |
| "kane": what the Kane coupling gives, free electrons outside | see below | 0 |

The first is (1/m) [f' + (1 + kappa) f/r], exact without remote bands and without J = 3/2. In the second
b_e = (Ep/3)/(Eg + E) and b_h = (Ep/3) [1/(Eg + E) - 1/(Eg + Delta + E)]: remote bands and a J = 3/2 band at
the same energy as J = 1/2 do not see the spin. s states feel no difference (1 + kappa = 0); p1/2 and p3/2
split, their centre of gravity (2 p1/2 + 4 p3/2)/6 stays that of the scalar p level to first order. Behind
hard walls f = 0, and nothing splits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError
from perolux.excitons.carriers._roots import bracketed_root
from perolux.excitons.carriers.bands import Bands, Carrier, inverse_mass
from perolux.excitons.carriers.carrier_levels import Barrier
from perolux.excitons.carriers.walls import decay_log_derivative, hard_wall_phase
from perolux.quantities.constants import HBAR2_OVER_2M0_EV_NM2

__all__ = ["KAPPA", "Bracket", "SpinorLevels", "SpinorName", "spinor_level_ev", "spinor_levels"]

FloatArray = npt.NDArray[np.float64]
Bracket = Literal["mass", "kane"]
SpinorName = Literal["s1/2", "p1/2", "p3/2"]
KAPPA: dict[str, int] = {"s1/2": -1, "p1/2": 1, "p3/2": -2}

_LIGHTEST_INVERSE = 1e-9  # stands for a diverging mass while a root is sought
_NEXT_TO_ZERO = 1e-9  # of the hard-wall energy: from here on a root is sought


@dataclass(frozen=True)
class SpinorLevels:
    """Lowest levels in eV from the band edge; bound: all three lie below the barrier."""

    s_half_ev: FloatArray
    p_half_ev: FloatArray
    p_three_half_ev: FloatArray
    bound: npt.NDArray[np.bool_]


def spinor_levels(
    carrier: Carrier,
    diameter_nm: npt.ArrayLike,
    bands: Bands,
    barrier: Barrier | None = None,
    *,
    bracket: Bracket = "mass",
) -> SpinorLevels:
    """The levels s1/2, p1/2 and p3/2 of one carrier in a sphere; equations of this file.

    All arrays broadcast. barrier: None for hard walls, else with a mass outside. A level that is not bound is
    put at the top of the barrier and flagged.

    >>> bands = Bands(2.342, 0.36, 0.36, 15.0, 1.25)
    >>> levels = spinor_levels("electron", 6.0, bands, Barrier(2.25, 2.25))
    >>> [round(float(x), 4) for x in (levels.s_half_ev, levels.p_half_ev, levels.p_three_half_ev)]
    [0.0893, 0.1838, 0.1765]
    """
    s, p_half, p_three = (
        spinor_level_ev(carrier, name, diameter_nm, bands, barrier, bracket=bracket)
        for name in get_args(SpinorName)
    )
    if barrier is None:
        bound = np.ones(s.shape, dtype=bool)
    else:
        height = barrier.height_ev(carrier)
        bound = np.asarray((p_half < height) & (p_three < height))
    return SpinorLevels(s, p_half, p_three, bound)


def spinor_level_ev(
    carrier: Carrier,
    name: SpinorName,
    diameter_nm: npt.ArrayLike,
    bands: Bands,
    barrier: Barrier | None = None,
    *,
    bracket: Bracket = "mass",
) -> FloatArray:
    """One of the levels of `spinor_levels` in eV, to 1e-12 of itself."""
    if name not in KAPPA or bracket not in get_args(Bracket):
        raise OptionError(
            f"no spinor level {name!r} with bracket {bracket!r}",
            allowed=f"{', '.join(KAPPA)}; {', '.join(get_args(Bracket))}",
        )
    kappa = KAPPA[name]
    order = kappa if kappa > 0 else -kappa - 1
    radius = 0.5 * np.asarray(diameter_nm, dtype=np.float64)
    if not np.all(radius > 0.0):
        raise OptionError("a diameter must be positive", allowed="nm, above 0")
    unit = HBAR2_OVER_2M0_EV_NM2 / radius**2
    hard = _hard_wall_ev(carrier, bands, unit, order)
    if barrier is None:
        return hard
    if barrier.mass_outside_m0 is None:
        raise OptionError("spinor levels need the mass outside", allowed="a barrier with mass_outside_m0")
    height, outside = barrier.height_ev(carrier), 1.0 / np.asarray(barrier.mass_outside_m0, dtype=np.float64)
    hard, height, outside, unit = np.broadcast_arrays(hard, height, outside, unit)
    shape = np.broadcast_shapes(hard.shape, height.shape)

    def mismatch(energy: FloatArray) -> FloatArray:
        """Flux outside less flux inside, times j_l: negative below the level."""
        from scipy.special import spherical_jn

        inverse = _inverse(carrier, energy, bands)
        u = np.sqrt(energy / (unit * inverse))
        y = np.sqrt(np.maximum(height - energy, 0.0) / (unit * outside))
        spin_inside = inverse if bracket == "mass" else _kane_bracket(carrier, energy, bands)
        spin_outside = outside if bracket == "mass" else np.zeros_like(outside)
        flux_outside = outside * decay_log_derivative(order, y) + (1 + kappa) * spin_outside
        bessel = spherical_jn(order, u)
        slope = inverse * u * spherical_jn(order, u, derivative=True)
        return np.asarray((flux_outside - (1 + kappa) * spin_inside) * bessel - slope)

    top = np.broadcast_to(np.minimum(hard, height), shape)
    return bracketed_root(mismatch, _NEXT_TO_ZERO * top, top)


def _hard_wall_ev(carrier: Carrier, bands: Bands, unit: FloatArray, order: int) -> FloatArray:
    """E = (hbar^2/2 m(E)) (u/R)^2 with the first zero u of j_l."""
    scale = unit * hard_wall_phase("sphere", order) ** 2
    parabolic = scale * inverse_mass(carrier, 0.0, bands)
    return bracketed_root(
        lambda energy: energy - scale * _inverse(carrier, energy, bands), np.zeros_like(parabolic), parabolic
    )


def _inverse(carrier: Carrier, energy: FloatArray, bands: Bands) -> FloatArray:
    return np.maximum(inverse_mass(carrier, energy, bands), _LIGHTEST_INVERSE)


def _kane_bracket(carrier: Carrier, energy: FloatArray, bands: Bands) -> FloatArray:
    third, below = np.asarray(bands.kane_ev) / 3.0, np.asarray(bands.gap_ev) + energy
    if carrier == "electron":
        return np.asarray(third / below)
    return np.asarray(third * (1.0 / below - 1.0 / (below + np.asarray(bands.spin_orbit_ev))))
