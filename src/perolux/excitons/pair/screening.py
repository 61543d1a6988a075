"""How the attraction of electron and hole is screened: by one dielectric constant, or by a moving lattice.

At large distance the lattice follows (eps_0), at short distance only the electrons of the crystal (eps_inf).
A `Screening` writes the attraction as a sum of exp(-r/l)/r; both pair solvers take it as `screening=`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from perolux.errors import OptionError
from perolux.excitons.pair._variation import Array

__all__ = ["COULOMB", "Screening", "bulk_ground_state", "bulk_s_states", "haken", "polaron_length_over_bohr"]


@dataclass(frozen=True)
class Screening:
    """The attraction -(2/r) sum_k strengths[k] exp(-rates[k] r) in Ry and aB of the material.

    strengths: parts of the attraction over that with the eps of aB and Ry. rates: in 1/aB, 0 for a plain 1/r.
    """

    strengths: tuple[float, ...] = (1.0,)
    rates: tuple[float, ...] = (0.0,)
    name: str = "coulomb"

    def __post_init__(self) -> None:
        numbers = (*self.strengths, *self.rates)
        if len(self.strengths) != len(self.rates) or not all(math.isfinite(v) for v in numbers):
            raise OptionError("strengths and rates do not belong together", allowed="as many of each, finite")
        if min(self.rates, default=0.0) < 0.0:
            raise OptionError(f"screening rates {self.rates}", allowed="rates >= 0 (1/aB)")

    def attraction(self, distance_over_bohr: Array) -> Array:
        """-V r/2: 1 for the plain Coulomb attraction, at each distance (aB)."""
        distance = np.asarray(distance_over_bohr, dtype=np.float64)
        terms = zip(self.strengths, self.rates, strict=True)
        return np.asarray(sum(part * np.exp(-rate * distance) for part, rate in terms))


COULOMB = Screening()
"""One dielectric constant at every distance."""


def polaron_length_over_bohr(phonon_over_rydberg: float, mass_ratio: float = 1.0) -> tuple[float, float]:
    """Polaron lengths of electron and hole, l_j = sqrt(hbar/(2 m_j w_LO)), in aB.

    (l_j/aB)^2 = (mu/m_j) Ry/(hbar w_LO). phonon_over_rydberg: hbar w_LO/Ry, with the Ry of aB.
    mass_ratio: m_e/m_h. Raises `OptionError` for numbers that are not positive.
    """
    if not (phonon_over_rydberg > 0 and mass_ratio > 0):
        raise OptionError(
            f"phonon energy {phonon_over_rydberg:g} Ry, mass ratio {mass_ratio:g}", allowed="both positive"
        )
    electron, hole = 1.0 / (1.0 + mass_ratio), mass_ratio / (1.0 + mass_ratio)
    return math.sqrt(electron / phonon_over_rydberg), math.sqrt(hole / phonon_over_rydberg)


def haken(
    *,
    eps_static: float,
    eps_optical: float,
    eps_of_unit: float,
    phonon_over_rydberg: float,
    mass_ratio: float = 1.0,
) -> Screening:
    """The Haken attraction, lattice screening that sets in beyond the polaron lengths.

    V = -(e^2/(4 pi eps0 r)) [1/eps_0 + (1/eps_inf - 1/eps_0)(exp(-r/l_e) + exp(-r/l_h))/2]

    eps_static, eps_optical: eps_0 >= eps_inf. eps_of_unit: the eps that aB and Ry are made with (any; the
    effective one makes `COULOMB` the model that this replaces). phonon_over_rydberg: hbar w_LO over that Ry.
    Masses are those of the bare bands. r -> 0: eps_inf; r -> infinity: eps_0.
    Raises `OptionError` for dielectric constants out of order.
    Source: H. Haken's interpolation between both dielectric constants, standard form.

    >>> screening = haken(eps_static=24.1, eps_optical=4.5, eps_of_unit=9.0, phonon_over_rydberg=0.6)
    >>> [round(part, 3) for part in screening.strengths]
    [0.373, 0.813, 0.813]
    """
    if not (math.inf > eps_static >= eps_optical > 0 and 0 < eps_of_unit < math.inf):
        raise OptionError(
            f"eps_0 = {eps_static:g}, eps_inf = {eps_optical:g}, unit {eps_of_unit:g}",
            where="Haken screening",
            allowed="eps_0 >= eps_inf > 0, and a positive unit",
        )
    electron, hole = polaron_length_over_bohr(phonon_over_rydberg, mass_ratio)
    lattice = 0.5 * eps_of_unit * (1.0 / eps_optical - 1.0 / eps_static)
    return Screening((eps_of_unit / eps_static, lattice, lattice), (0.0, 1.0 / electron, 1.0 / hole), "haken")


def bulk_s_states(screening: Screening = COULOMB, count: int = 1, functions: int = 40) -> tuple[float, ...]:
    """Energies (Ry) of the lowest s states of the free pair, from the radial equation alone.

    -u'' - (2/r) attraction(r) u = E u in the orthogonal basis u_k = r exp(-r) L_k^2(2 r), Gauss-Laguerre
    quadrature. The bulk binding energy of a screened pair, and the limit of both solvers at large sizes.
    40 functions hold 1s and 2s to 1e-9 Ry while the 1s radius lies between 0.2 and 5 aB; energies above
    -0.02 Ry are not resolved. Raises `OptionError` for a count that the basis cannot hold.

    >>> [round(energy, 6) for energy in bulk_s_states(count=2)]
    [-1.0, -0.25]
    """
    if not 1 <= count <= functions <= 60:
        raise OptionError(f"{count} of {functions} states", allowed="1 <= count <= functions <= 60")
    return tuple(float(energy) for energy in _radial(screening, functions)[0][:count])


def bulk_ground_state(screening: Screening = COULOMB) -> tuple[float, float]:
    """Energy (Ry) and pi aB^3 |phi(0)|^2 of the free pair: the bulk limits of E and X.

    >>> [round(number, 6) for number in bulk_ground_state()]
    [-1.0, 1.0]
    """
    energies, contact = _radial(screening, 40)
    return float(energies[0]), float(contact[0])


@lru_cache(maxsize=256)
def _radial(screening: Screening, functions: int) -> tuple[Array, Array]:
    """Energies and pi |phi(0)|^2 of the s states."""
    from scipy.special import eval_genlaguerre, roots_laguerre

    node, weight = roots_laguerre(2 * functions + 20)
    degree = np.arange(functions)[:, None]
    norm = np.sqrt((degree + 1.0) * (degree + 2.0))
    value = node * eval_genlaguerre(degree, 2, node) / norm
    lower = np.where(degree > 0, eval_genlaguerre(np.maximum(degree - 1, 0), 3, node), 0.0)
    slope = (eval_genlaguerre(degree, 2, node) - node * lower) / norm - 0.5 * value
    # with q = 2 r, -u'' is 4 times the slopes and 2/r is 4/q
    potential = 4.0 * screening.attraction(0.5 * node) / node
    matrix = 4.0 * (slope * weight) @ slope.T - (value * (weight * potential)) @ value.T
    energies, vectors = np.linalg.eigh(matrix)
    # phi = u/(sqrt(4 pi) r), u normalised in q: du/dr at 0 is 2^(3/2) du/dq, L_k^2(0) = (k+1)(k+2)/2
    start = 8.0 * (0.5 * norm.ravel() @ vectors) ** 2
    return energies, 0.25 * start
