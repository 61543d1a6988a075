"""Radiative rates, the local field of light, and the lifetime of thermally occupied levels.

    Gamma = n F^2 e^2 w^2 f/(6 pi eps0 m0 c^3),   f = (2/3)(Ep/E_X) K           one bright level, one axis
    F_i   = eps_out/(eps_out + N_i (eps_in - eps_out))            3 eps_out/(2 eps_out + eps_in) for N = 1/3
    1/tau(T) = sum g_i Gamma_i exp(-E_i/kT)/sum g_i exp(-E_i/kT)  levels in thermal equilibrium

n is the refractive index outside. The lifetime holds where levels exchange population faster than they decay;
for slow exchange between bright and dark see `relaxation`. A list of levels that ends too low is flagged:
what lies above takes part at 300 K, where larger crystals have thousands of dim states.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError
from perolux.excitons.levels.fine_structure import FineStructure
from perolux.excitons.levels.polarised import thermal_occupation
from perolux.quantities.constants import BOLTZMANN_EV_PER_K, COULOMB_EV_NM, HBAR2_OVER_2M0_EV_NM2, constant

__all__ = [
    "COMPLETE_ABOVE_KT",
    "Levels",
    "ThermalLifetime",
    "fine_structure_levels",
    "local_field",
    "oscillator_strength",
    "product_levels",
    "radiative_rate_per_ns",
    "thermal_lifetime",
]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

COMPLETE_ABOVE_KT = 6.0
"""A list of levels counts as complete where its highest level lies this many kT above the lowest: each level
that is left out then weighs less than exp(-6) = 0.25 %."""


@dataclass(frozen=True)
class Levels:
    """Levels of one exciton, or of many at once, in any order.

    energy_mev: (..., n), from any common zero; rate_per_ns: (..., n), radiative rate of each state, 0 for
    dark; degeneracy: (..., n), states at that energy, each with that rate.
    """

    energy_mev: FloatArray
    rate_per_ns: FloatArray
    degeneracy: FloatArray

    @classmethod
    def of(
        cls, energy_mev: npt.ArrayLike, rate_per_ns: npt.ArrayLike, degeneracy: npt.ArrayLike = 1.0
    ) -> Levels:
        """Levels from arrays that broadcast; `OptionError` for what is not finite, negative, or empty."""
        arrays = np.broadcast_arrays(
            *(np.asarray(one, dtype=float) for one in (energy_mev, rate_per_ns, degeneracy))
        )
        energy, rate, states = arrays
        if energy.ndim == 0 or energy.shape[-1] == 0:
            raise OptionError("there are no levels", allowed="at least one level on the last axis")
        if not all(np.isfinite(one).all() for one in arrays) or np.any(rate < 0) or np.any(states <= 0):
            raise OptionError(
                "a level is not usable",
                allowed="finite energies, rates of 0 or more, degeneracies above 0",
            )
        return cls(energy, rate, states)


@dataclass(frozen=True)
class ThermalLifetime:
    """Lifetime of thermally occupied levels; arrays of shape (..., temperatures).

    rate_per_ns: mean radiative rate; lifetime_ns: its inverse, infinite where only dark levels are occupied.
    levels_incomplete: the highest level lies less than 6 kT above the lowest, so what the list leaves out
    would take part.
    """

    temperature_k: FloatArray
    rate_per_ns: FloatArray
    levels_incomplete: BoolArray

    @property
    def lifetime_ns(self) -> FloatArray:
        """1/rate in ns; infinite where the rate is 0."""
        with np.errstate(divide="ignore"):
            return np.asarray(1.0 / self.rate_per_ns)


def oscillator_strength(
    kane_ev: npt.ArrayLike, transition_ev: npt.ArrayLike, overlap_k: npt.ArrayLike
) -> FloatArray:
    """f = (2/3)(Ep/E_X) K of one bright level along its axis, dimensionless; arrays broadcast.

    kane_ev: Ep = 2 P^2/m0 (`materials.kane`); transition_ev: E_X, gap included; overlap_k: K of the pair.

    >>> round(float(oscillator_strength(20.0, 2.35, 1.0)), 2)
    5.67
    """
    energy, kane = np.asarray(transition_ev, dtype=float), np.asarray(kane_ev, dtype=float)
    if not (np.all(energy > 0) and np.all(kane >= 0)):
        raise OptionError("the transition energy must be positive and the Kane energy not negative")
    return np.asarray(2.0 / 3.0 * kane / energy * np.asarray(overlap_k, dtype=float))


def local_field(
    eps_inside: npt.ArrayLike, eps_outside: npt.ArrayLike, factors: npt.ArrayLike = 1 / 3
) -> FloatArray:
    """Field inside over field outside along an axis, F = eps_out/(eps_out + N (eps_in - eps_out)).

    Dielectric constants at the frequency of light; factors: depolarisation factors N (a third for a sphere).
    The three arrays broadcast: for three axes give eps[..., None]. Exact for ellipsoids, a mean for boxes and
    cylinders, whose inner field is not uniform. Valid for crystals much smaller than the wavelength.

    >>> float(local_field(4.0, 1.0))
    0.5
    """
    inside, outside = np.asarray(eps_inside, dtype=float), np.asarray(eps_outside, dtype=float)
    share = np.asarray(factors, dtype=float)
    if not (np.all(inside > 0) and np.all(outside > 0) and np.all((share >= 0) & (share <= 1))):
        raise OptionError("dielectric constants must be positive, depolarisation factors from 0 to 1")
    return np.asarray(outside / (outside + share * (inside - outside)))


def radiative_rate_per_ns(
    transition_ev: npt.ArrayLike,
    strength: npt.ArrayLike,
    *,
    index_outside: npt.ArrayLike = 1.0,
    field_factor: npt.ArrayLike = 1.0,
) -> FloatArray:
    """Spontaneous emission of one bright level with one polarisation axis, in 1/ns; arrays broadcast.

        Gamma = n F^2 e^2 w^2 f/(6 pi eps0 m0 c^3)

    transition_ev: hbar w; strength: f (`oscillator_strength`); index_outside: n; field_factor: F
    (`local_field`).

    >>> f = oscillator_strength(20.0, 2.35, 1.0)
    >>> round(1.0 / float(radiative_rate_per_ns(2.35, f, index_outside=0.8)), 2)
    2.76
    """
    energy = np.asarray(transition_ev, dtype=float)
    index, field = np.asarray(index_outside, dtype=float), np.asarray(field_factor, dtype=float)
    if not (np.all(energy > 0) and np.all(index > 0) and np.all(field >= 0)):
        raise OptionError("transition energy and index must be positive, the local field not negative")
    scale = _rate_scale_per_ns_ev2()
    return np.asarray(scale * index * field**2 * energy**2 * np.asarray(strength, dtype=float))


def thermal_lifetime(levels: Levels, temperatures_k: npt.ArrayLike) -> ThermalLifetime:
    """Mean radiative rate of thermally occupied levels at each temperature; safe down to T = 0.

    levels: (..., n) levels, the four of the fine structure or a dense ladder (`product_levels`);
    temperatures_k: (temperatures,) or one number. Result (..., temperatures). At T = 0 only the lowest level
    counts. Equal energies of one dark and three bright levels give 4/3 of the bright lifetime.
    Raises `ModelRangeError` for a negative temperature.

    >>> levels = Levels.of([0.0, 7.0, 7.0, 7.0], [0.0, 0.5, 0.5, 0.5])
    >>> thermal_lifetime(levels, [50.0, 1e6]).lifetime_ns.round(2).tolist()
    [5.38, 2.67]
    """
    temperatures = np.atleast_1d(np.asarray(temperatures_k, dtype=float))
    if temperatures.ndim != 1:
        raise OptionError("temperatures must be one number or a list")
    rate = np.empty((*levels.energy_mev.shape[:-1], temperatures.size))
    for place, kelvin in enumerate(temperatures):  # one at a time: ladders are long
        occupation = thermal_occupation(levels.energy_mev, kelvin, levels.degeneracy)
        rate[..., place] = (occupation * levels.rate_per_ns).sum(axis=-1)
    span = (levels.energy_mev.max(axis=-1) - levels.energy_mev.min(axis=-1))[..., None]
    incomplete = span < COMPLETE_ABOVE_KT * 1000.0 * BOLTZMANN_EV_PER_K * temperatures
    return ThermalLifetime(temperatures, rate, np.asarray(incomplete))


def fine_structure_levels(fine: FineStructure, bright_rate_per_ns: npt.ArrayLike) -> Levels:
    """The four levels of a fine structure, each with the rate bright_rate_per_ns times its strength.

    bright_rate_per_ns: rate of one bright level of strength 1 (leading axes of the levels). A field or a
    lattice moves strength between levels and keeps the sum; local fields along the axes go into
    `axis_amplitude` of `fine_structure`, not into the rate again.

    >>> from perolux.excitons.levels.fine_structure import fine_structure
    >>> fine_structure_levels(fine_structure([2.0, 2.0, 3.0]), 0.4).rate_per_ns.tolist()
    [0.0, 0.4, 0.4, 0.4]
    """
    rate = np.asarray(bright_rate_per_ns, dtype=float)[..., None]
    return Levels.of(fine.energy_mev, rate * fine.strength)


def product_levels(
    orbital_energy_mev: npt.ArrayLike,
    overlap_k: npt.ArrayLike,
    spin_energy_mev: npt.ArrayLike,
    spin_rate_per_ns: npt.ArrayLike,
    *,
    degeneracy: npt.ArrayLike = 1.0,
    transition_ev: float | None = None,
) -> Levels:
    """A ladder of orbital levels, each with the spin fine structure of the ground level.

    E = E_orbital + E_spin, Gamma = K_orbital Gamma_spin (times (1 + (E - E_0)/E_X), as Gamma grows with E at
    a given Kane energy, where transition_ev gives E_X of the lowest level).

    orbital_energy_mev, overlap_k, degeneracy: (orbitals,), K = 0 for a dim orbital; spin_energy_mev,
    spin_rate_per_ns: (4,), the rates of the spin levels at K = 1. Result: (orbitals x 4) levels. Exchange in
    excited orbitals is taken as that of the ground level, an approximation: it grows with their own X.
    """
    energy, overlap, states = np.broadcast_arrays(
        *(np.atleast_1d(np.asarray(one, dtype=float)) for one in (orbital_energy_mev, overlap_k, degeneracy))
    )
    spin, rate = np.asarray(spin_energy_mev, dtype=float), np.asarray(spin_rate_per_ns, dtype=float)
    total = energy[:, None] + spin
    rates = overlap[:, None] * rate
    if transition_ev is not None:
        rates = rates * (1.0 + (total - total.min()) / (1000.0 * transition_ev))
    return Levels.of(total.ravel(), rates.ravel(), np.repeat(states, spin.size))


def _rate_scale_per_ns_ev2() -> float:
    """Gamma/(n F^2 E^2 f): e^2/(6 pi eps0 m0 c^3 hbar^2) in 1/(ns eV^2).

    = (2/3)(e^2/4 pi eps0)/(m0 c^2) c/(hbar c)^2, with (hbar c)^2/(m0 c^2) = 2 (hbar^2/2 m0).
    """
    c_nm_per_ns = constant("speed_of_light_m_per_s")  # 1 m/s is 1 nm/ns
    hbar_ev_ns = constant("planck_j_s") / (2.0 * math.pi) / constant("elementary_charge_c") * 1e9
    rest_ev = (hbar_ev_ns * c_nm_per_ns) ** 2 / (2.0 * HBAR2_OVER_2M0_EV_NM2)
    return 2.0 / 3.0 * COULOMB_EV_NM / rest_ev * c_nm_per_ns / (hbar_ev_ns * c_nm_per_ns) ** 2
