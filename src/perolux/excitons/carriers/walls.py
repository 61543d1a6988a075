"""Parabolic carriers behind walls: slab, cylinder and sphere, hard or with a barrier of finite height.

Inside, the lowest state of its kind is cos(k x), J_0(k rho) or j_l(k r); outside it decays with q. With
BenDaniel and Duke, f and f'/m are continuous:

    k = sqrt(2 m E)/hbar,   q = sqrt(2 m_out (V0 - E))/hbar,   E = (hbar^2/2m) (u/half)^2,   u = k half
    slab      tan u = beta y/u                       beta = m/m_out, y = q half
    cylinder  u J_1(u)/J_0(u) = beta y K_1(y)/K_0(y)
    sphere    u j_l'(u)/j_l(u) = beta y k_l'(y)/k_l(y);   for l = 0: u cot u - 1 = -beta (1 + y)

`half` is half the thickness, or the radius. With v = half sqrt(2 m V0)/hbar, u = v sin t and
y = v cos t/sqrt(beta), so t from 0 to pi/2 runs over all bound energies and the equations are smooth in it.
A slab and a cylinder always hold a state; a sphere does from v = pi/2 on for beta = 1 (l = 0).

Source: standard form; BenDaniel and Duke, Phys. Rev. 152, 683 (1966).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError
from perolux.excitons.carriers._roots import bracketed_root
from perolux.quantities.constants import HBAR2_OVER_2M0_EV_NM2

__all__ = ["WALLS", "Wall", "decay_log_derivative", "hard_wall_phase", "wall_energy_ev", "wall_phase"]

FloatArray = npt.NDArray[np.float64]
Wall = Literal["slab", "cylinder", "sphere"]
WALLS: tuple[Wall, ...] = ("slab", "cylinder", "sphere")

_LARGEST_L = 2
_HUGE = 1e300
"""Stands for a strength that would overflow when squared: the phase is that of hard walls anyway."""
_NEXT_TO_ZERO = 1e-6


@lru_cache(maxsize=16)
def hard_wall_phase(wall: Wall, state: int = 0) -> float:
    """u of hard walls: (state + 1) pi/2 for a slab, else the first zero of J_0 or j_l (l = `state`).

    >>> round(hard_wall_phase("sphere", 1), 4), round(hard_wall_phase("cylinder"), 4)
    (4.4934, 2.4048)
    """
    from scipy.optimize import brentq
    from scipy.special import jn_zeros, spherical_jn

    _check(wall, state)
    if wall == "slab":
        return (state + 1) * math.pi / 2.0
    if wall == "cylinder":
        return float(jn_zeros(0, 1)[0])
    # the first zero of j_l (3.14, 4.49, 5.76) lies just below (l/2 + 1) pi
    start = math.pi * (1.0 + 0.5 * state)
    return float(brentq(lambda u: spherical_jn(state, u), start - 0.8, start + 0.3, xtol=1e-14))


def wall_phase(wall: Wall, strength: npt.ArrayLike, beta: npt.ArrayLike, state: int = 0) -> FloatArray:
    """u = k half of a bound state for a strength v and a mass ratio beta = m/m_out (arrays).

    state: number of nodes of a slab's state (0, 1, ...), l of a sphere's (0, 1, 2); 0 for a cylinder.
    Where no state is bound u = v comes back: the energy is that of the top of the barrier.

    >>> wall_phase("slab", [1e9, 2.0], 1.0).round(4).tolist()
    [1.5708, 1.0299]
    """
    _check(wall, state)
    v, b = np.broadcast_arrays(np.asarray(strength, dtype=np.float64), np.asarray(beta, dtype=np.float64))
    v = np.minimum(v, _HUGE)
    hard = hard_wall_phase(wall, state)
    match = _match(wall, v, b, state)
    # u stays below that of hard walls
    highest = np.arcsin(np.minimum(hard / v, 1.0))
    # not from 0, where the regular solution itself vanishes
    found = bracketed_root(match, _NEXT_TO_ZERO * highest, highest)
    return np.asarray(v * np.sin(found))


def wall_energy_ev(
    wall: Wall,
    half_nm: npt.ArrayLike,
    mass_m0: npt.ArrayLike,
    barrier_ev: npt.ArrayLike | None = None,
    mass_outside_m0: npt.ArrayLike = 1.0,
    state: int = 0,
) -> FloatArray:
    """Energy of a state behind walls from the band edge, in eV; hard walls where `barrier_ev` is None.

    half_nm: half thickness or radius. A result equal to the barrier means that no state is bound.

    >>> wall_energy_ev("sphere", 3.0, 0.25).round(4).item()  # hbar^2 pi^2/(2 m R^2)
    0.1671
    """
    half, mass = np.asarray(half_nm, dtype=np.float64), np.asarray(mass_m0, dtype=np.float64)
    unit = HBAR2_OVER_2M0_EV_NM2 / (mass * half**2)
    if barrier_ev is None:
        return np.asarray(unit * hard_wall_phase(wall, state) ** 2)
    strength = np.sqrt(np.asarray(barrier_ev, dtype=np.float64) / unit)
    return np.asarray(unit * wall_phase(wall, strength, mass / np.asarray(mass_outside_m0), state) ** 2)


def decay_log_derivative(l_number: int, y: FloatArray) -> FloatArray:
    """y k_l'(y)/k_l(y) of the decaying spherical wave outside: -(1 + y) for l = 0.

    By the recurrence of k_(l-1)/k_l, which is free of overflow.
    """
    ratio = np.ones_like(y)  # k_(-1)/k_0
    for order in range(l_number):
        ratio = y / (ratio * y + (2 * order + 1))
    return np.asarray(-y * ratio - (l_number + 1))


def _match(wall: Wall, v: FloatArray, beta: FloatArray, state: int) -> Callable[[FloatArray], FloatArray]:
    """A function of t that changes sign at the state, negative below it."""
    outside = v / np.sqrt(beta)
    if wall == "slab":
        root = np.sqrt(beta)
        quarter = (state + 1) * math.pi / 2.0

        def slab(t: FloatArray) -> FloatArray:
            return np.asarray(v * np.sin(t) + np.arctan2(np.sin(t), root * np.cos(t)) - quarter)

        return slab
    if wall == "cylinder":
        from scipy.special import j0, j1, k0e, k1e

        def cylinder(t: FloatArray) -> FloatArray:
            u = v * np.sin(t)
            y = np.clip(outside * np.cos(t), 1e-300, 1e150)  # K_0 and K_1 diverge at 0, their ratio does not
            return np.asarray(u * j1(u) - beta * y * k1e(y) / k0e(y) * j0(u))

        return cylinder
    if state == 0:

        def sphere(t: FloatArray) -> FloatArray:
            u = v * np.sin(t)
            return np.asarray(u - np.arctan2(u, 1.0 - beta * (1.0 + outside * np.cos(t))))

        return sphere
    from scipy.special import spherical_jn

    def higher(t: FloatArray) -> FloatArray:
        u = v * np.sin(t)
        decay = beta * decay_log_derivative(state, outside * np.cos(t))
        return np.asarray(decay * spherical_jn(state, u) - u * spherical_jn(state, u, derivative=True))

    return higher


def _check(wall: str, state: int) -> None:
    if wall not in WALLS:
        raise OptionError(f"unknown wall {wall!r}", allowed=", ".join(WALLS))
    largest = {"slab": 10_000, "cylinder": 0, "sphere": _LARGEST_L}[wall]
    if not 0 <= state <= largest:
        raise OptionError(f"no state {state} of a {wall}", allowed=f"0 to {largest}")
