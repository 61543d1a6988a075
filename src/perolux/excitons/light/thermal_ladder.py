"""The exciton of a large crystal as one particle: the ladder of its centre-of-mass levels in a cube.

    E = hbar^2 pi^2/(2 M (L - d)^2) (n_x^2 + n_y^2 + n_z^2 - 3),   K_n = K/(n_x n_y n_z)^2 for odd n, else 0

d is the dead layer at the walls, taken from the packaged energy, so that the lowest level lies 3 units above
the bulk exciton as it does there. Internal excitations of the pair (from about 3/4 Ry) are left out: the
ladder holds for kT well below the Rydberg, and its strengths only far above the limit of size (at 8 aB the
second level holds nearly twice what the ladder gives it).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, OptionError
from perolux.excitons.pair.tables import interpolate
from perolux.quantities.constants import BOLTZMANN_EV_PER_K, HBAR2_OVER_2M0_EV_NM2

__all__ = [
    "SMALLEST_EDGE_OVER_BOHR",
    "axis_fraction",
    "axis_sums",
    "centre_of_mass_ladder",
    "thermal_ladder_fraction",
]

FloatArray = npt.NDArray[np.float64]

SMALLEST_EDGE_OVER_BOHR = 5.2
"""Edge above which the pair moves as one particle: that of a sphere of 3 aB at equal confinement."""


def centre_of_mass_ladder(
    edge_nm: float, bohr_radius_nm: float, total_mass_m0: float, overlap_k: float, *, up_to_mev: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Levels of the exciton as one particle in a cube: (energy_mev, overlap_k, degeneracy), the lowest first.

    overlap_k: K of the lowest level. The strengths of all levels add up to K (pi^2/8)^3, that of the whole
    volume. total_mass_m0: M = m_e + m_h. Equation: module. Raises `ModelRangeError` below 5.2 aB. Feed
    `product_levels` with the result.
    """
    if not up_to_mev >= 0:
        raise OptionError("the ladder must reach up to 0 meV or more", where="up_to_mev")
    unit_mev = float(_unit_mev(edge_nm, bohr_radius_nm, total_mass_m0))
    top = math.isqrt(int(up_to_mev / unit_mev) + 1)
    n = np.arange(1, top + 1)
    n1, n2, n3 = (part.ravel() for part in np.meshgrid(n, n, n, indexing="ij"))
    square = n1**2 + n2**2 + n3**2 - 3
    keep = (n1 <= n2) & (n2 <= n3) & (square * unit_mev <= up_to_mev)
    n1, n2, n3, square = n1[keep], n2[keep], n3[keep], square[keep]
    odd = (n1 * n2 * n3) % 2 == 1
    strength = np.where(odd, overlap_k / (n1 * n2 * n3).astype(float) ** 2, 0.0)
    alike = (n1 == n2).astype(int) + (n2 == n3).astype(int)
    states = np.array([6.0, 3.0, 1.0])[alike]
    order = np.argsort(square, kind="stable")
    return unit_mev * square[order].astype(float), strength[order], states[order]


def thermal_ladder_fraction(
    edge_nm: npt.ArrayLike,
    bohr_radius_nm: npt.ArrayLike,
    total_mass_m0: npt.ArrayLike,
    temperature_k: npt.ArrayLike,
) -> FloatArray:
    """Mean strength of the thermally occupied ladder over that of its lowest level; arrays broadcast.

        [sum over odd n of q^(n^2 - 1)/n^2 / sum over n of q^(n^2 - 1)]^3,   q = exp(-unit/kT),

    exact for the whole ladder: energies add over the three axes and strengths multiply. Arguments and errors
    as in `centre_of_mass_ladder`; temperatures from 0 K.
    """
    kelvin = np.asarray(temperature_k, dtype=float)
    if not bool(np.all(np.isfinite(kelvin) & (kelvin >= 0))):
        raise ModelRangeError("a temperature below 0 K, or none", allowed="0 K and above")
    unit, thermal = np.broadcast_arrays(
        _unit_mev(edge_nm, bohr_radius_nm, total_mass_m0), 1000.0 * BOLTZMANN_EV_PER_K * kelvin
    )
    return axis_fraction(unit / np.maximum(thermal, 1e-3 * unit)) ** 3


def axis_fraction(unit_over_kt: npt.ArrayLike) -> FloatArray:
    """Mean strength over that of the lowest level for one axis, for a step of the ladder in units of kT.

        sum over odd n of q^(n^2 - 1)/n^2 / sum over n of q^(n^2 - 1),   q = exp(-step)

    >>> axis_fraction([50.0, 1.0]).round(3).tolist()
    [1.0, 0.952]
    """
    states, bright, _ = axis_sums(unit_over_kt)
    return np.asarray(bright / states)


def axis_sums(unit_over_kt: npt.ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Sums over n of q^(n^2 - 1), of q^(n^2 - 1)/n^2 for odd n, and of the same for all n; q = exp(-step)."""
    step = np.clip(np.asarray(unit_over_kt, dtype=float), 1e-9, 1e3)  # above 40 all is in the lowest level
    # exp(-40) is nought beside 1
    top = math.ceil(math.sqrt(1.0 + 40.0 / float(step.min(initial=40.0))))
    n = np.arange(1, max(3, top) + 1, dtype=float)
    weight = np.exp(-step[..., None] * (n**2 - 1.0))
    strength = 1.0 / n**2
    bright = np.where(n % 2 == 1, strength, 0.0)
    return weight.sum(axis=-1), weight @ bright, weight @ strength


def _unit_mev(
    edge_nm: npt.ArrayLike, bohr_radius_nm: npt.ArrayLike, total_mass_m0: npt.ArrayLike
) -> FloatArray:
    """hbar^2 pi^2/(2 M (L - d)^2) in meV, with (L - d)^2 = aB^2 3 pi^2/(4 (E/Ry + 1))."""
    bohr, mass = np.asarray(bohr_radius_nm, dtype=float), np.asarray(total_mass_m0, dtype=float)
    if not (np.all(bohr > 0) and np.all(mass > 0)):
        raise OptionError("the Bohr radius and the mass must be positive")
    size = np.asarray(edge_nm, dtype=float) / bohr
    if not bool(np.all(size >= SMALLEST_EDGE_OVER_BOHR)):
        raise ModelRangeError(
            f"an edge of {float(np.min(size)):.3g} aB is no weak confinement",
            where="centre-of-mass ladder",
            allowed=f"edges of {SMALLEST_EDGE_OVER_BOHR:g} aB and more",
        )
    above = interpolate("cube", size).energy_over_rydberg + 1.0
    return np.asarray(1000.0 * HBAR2_OVER_2M0_EV_NM2 * 4.0 / 3.0 * above / (mass * bohr**2))
