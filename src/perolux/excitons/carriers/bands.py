"""Electron and hole away from the band edge: masses that depend on the energy into the band.

    m0/m_e(E) = g_e + (Ep/3)/(Eg + E)
    m0/m_h(E) = g_h + (Ep/3) [1/(Eg + E) + 2/(Eg + Delta + E)]

E is counted from the band edge into the band. The band order is inverted against zinc blende: the valence
band is S-like (J = 1/2), the conduction band is the split-off P-like one (J = 1/2), and a P-like J = 3/2 band
lies Delta above it. The terms g_e and g_h of all other bands (unit 1/m0, not g-factors) follow from the
masses at the band edge. They are often negative; then the mass diverges at a finite energy.

The hole's formula is exact for these four bands. That of the electron leaves out that the J = 3/2 band pushes
the conduction band down (`upper_band`): in four bands without other terms

    m0/m_e(E) = (Ep/3)/(Eg + E) [1 - 2 E/(Delta - E)],

which makes the electron heavier already at E of the order of Delta/10.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, OptionError

__all__ = [
    "Bands",
    "Carrier",
    "RemoteTerms",
    "bands_from_reduced_mass",
    "divergence_energy_ev",
    "effective_mass_m0",
    "inverse_mass",
    "remote_terms",
]

FloatArray = npt.NDArray[np.float64]
Carrier = Literal["electron", "hole"]


@dataclass(frozen=True)
class Bands:
    """Band parameters: numbers, or arrays of draws that broadcast with one another and with the sizes.

    gap_ev: Eg; electron_mass_m0, hole_mass_m0: at the band edges; kane_ev: Ep = 2 P^2/m0 with P = <S|p_z|Z>;
    spin_orbit_ev: Delta. upper_band: the electron is also pushed down by the J = 3/2 band.
    """

    gap_ev: npt.ArrayLike
    electron_mass_m0: npt.ArrayLike
    hole_mass_m0: npt.ArrayLike
    kane_ev: npt.ArrayLike
    spin_orbit_ev: npt.ArrayLike
    upper_band: bool = False

    def __post_init__(self) -> None:
        for name in ("gap_ev", "electron_mass_m0", "hole_mass_m0"):
            if not np.all(np.asarray(getattr(self, name)) > 0.0):
                raise OptionError(f"{name} must be positive", allowed="numbers above 0")
        for name in ("kane_ev", "spin_orbit_ev"):
            if not np.all(np.asarray(getattr(self, name)) >= 0.0):
                raise OptionError(f"{name} must not be negative", allowed="0 and above")

    def edge_mass_m0(self, carrier: Carrier) -> FloatArray:
        """Mass at the band edge."""
        return _array(self.electron_mass_m0 if carrier == "electron" else self.hole_mass_m0)

    @property
    def reduced_mass_m0(self) -> FloatArray:
        """Reduced mass at the band edges: 1/mu = 1/m_e + 1/m_h."""
        return 1.0 / (1.0 / _array(self.electron_mass_m0) + 1.0 / _array(self.hole_mass_m0))


@dataclass(frozen=True)
class RemoteTerms:
    """g_e and g_h: what the bands outside the model add to m0/m."""

    electron: FloatArray
    hole: FloatArray


def bands_from_reduced_mass(
    reduced_mass_m0: npt.ArrayLike,
    *,
    gap_ev: npt.ArrayLike,
    kane_ev: npt.ArrayLike,
    spin_orbit_ev: npt.ArrayLike,
    mass_ratio: npt.ArrayLike = 1.0,
    upper_band: bool = False,
) -> Bands:
    """Bands of a reduced mass and a ratio r = m_e/m_h: m_e = mu (1 + r), m_h = mu (1 + 1/r).

    Only the reduced mass of most compounds is known; equal masses (2 mu each) are then an assumption
    (`perolux explain prior.carrier_mass_ratio`).

    >>> bands = bands_from_reduced_mass(0.18, gap_ev=2.342, kane_ev=15.0, spin_orbit_ev=1.25)
    >>> float(bands.hole_mass_m0), round(float(bands.reduced_mass_m0), 3)
    (0.36, 0.18)
    """
    mu, ratio = _array(reduced_mass_m0), _array(mass_ratio)
    return Bands(gap_ev, mu * (1.0 + ratio), mu * (1.0 + 1.0 / ratio), kane_ev, spin_orbit_ev, upper_band)


def remote_terms(bands: Bands) -> RemoteTerms:
    """g_e and g_h that give the masses at the band edges with this Kane energy.

    g_e = m0/m_e - (Ep/3)/Eg,   g_h = m0/m_h - (Ep/3) [1/Eg + 2/(Eg + Delta)].

    >>> found = remote_terms(Bands(2.342, 0.36, 0.36, 15.0, 1.25))
    >>> round(float(found.electron), 2), round(float(found.hole), 2)
    (0.64, -2.14)
    """
    third, gap = _array(bands.kane_ev) / 3.0, _array(bands.gap_ev)
    upper = gap + _array(bands.spin_orbit_ev)
    electron = 1.0 / _array(bands.electron_mass_m0) - third / gap
    hole = 1.0 / _array(bands.hole_mass_m0) - third * (1.0 / gap + 2.0 / upper)
    return RemoteTerms(electron, hole)


def inverse_mass(carrier: Carrier, energy_ev: npt.ArrayLike, bands: Bands) -> FloatArray:
    """m0/m at an energy into the band, which may come out zero or negative: see `divergence_energy_ev`.

    The equations of this file; with `upper_band` the electron's w = m0/m_e solves
    (w - g_e)(w + b) = a w, a = (Ep/3)/(Eg + E), b = 2 a E/(Delta - E); it is 0 where no w does (E above the
    top of the band) and from E = Delta on. energy_ev: broadcasts with the parameters.
    """
    remote = remote_terms(bands)
    third, energy = _array(bands.kane_ev) / 3.0, _array(energy_ev)
    delta = _array(bands.spin_orbit_ev)
    below = _array(bands.gap_ev) + energy
    if carrier == "hole":
        return np.asarray(remote.hole + third * (1.0 / below + 2.0 / (below + delta)))
    near = third / below
    if not bands.upper_band:
        return np.asarray(remote.electron + near)
    inside = energy < delta
    pushed = 2.0 * near * energy / np.where(inside, delta - energy, 1.0)
    half = 0.5 * (remote.electron + near - pushed)
    square = half**2 + remote.electron * pushed
    found = half + np.sqrt(np.maximum(square, 0.0))
    return np.asarray(np.where(inside & (square >= 0.0), found, 0.0))


def effective_mass_m0(carrier: Carrier, energy_ev: npt.ArrayLike, bands: Bands) -> FloatArray:
    """Mass at an energy into the band, in m0.

    Raises `ModelRangeError` where it would diverge or be negative; arrays of draws that may contain such are
    served by `inverse_mass` (a mask: m0/m > 0) and by the levels, which flag them.

    >>> effective_mass_m0("hole", [0.0, 0.2], Bands(2.342, 0.36, 0.36, 15.0, 1.25)).round(4).tolist()
    [0.36, 0.406]
    """
    inverse = inverse_mass(carrier, energy_ev, bands)
    if not np.all(inverse > 0.0):
        bad = np.broadcast_to(_array(energy_ev), inverse.shape)[inverse <= 0.0]
        raise ModelRangeError(
            f"the {carrier} mass diverges below {bad.min():g} eV for {bad.size} of {inverse.size} values",
            where="energy-dependent mass",
            allowed=f"energies below {float(np.min(divergence_energy_ev(carrier, bands))):.3g} eV",
            fix="use the band-edge mass (nonparabolic off), or a smaller Kane energy",
        )
    return 1.0 / inverse


def divergence_energy_ev(carrier: Carrier, bands: Bands) -> FloatArray:
    """Energy at which the mass diverges, in eV; infinity where it never does.

    electron: g_e < 0 gives E = -(Ep/3)/g_e - Eg; the hole's is the larger root of the quadratic
    g (Eg + E)(Eg + Delta + E) + (Ep/3) [3 (Eg + E) + Delta] = 0; with `upper_band` it is where the square
    root of `inverse_mass` vanishes, found numerically.
    """
    remote = remote_terms(bands)
    third, gap, delta = (_array(x) for x in (bands.kane_ev, bands.gap_ev, bands.spin_orbit_ev))
    third = third / 3.0
    if carrier == "electron" and bands.upper_band:
        return _numerical_divergence(bands)
    with np.errstate(divide="ignore", invalid="ignore"):
        if carrier == "electron":
            found, term = -third / remote.electron - gap, remote.electron
        else:
            # in t = Eg + E: g t^2 + (g Delta + Ep) t + (Ep/3) Delta = 0
            term, linear, constant = remote.hole, remote.hole * delta + 3.0 * third, third * delta
            found = (-linear - np.sqrt(linear**2 - 4.0 * term * constant)) / (2.0 * term) - gap
    return np.asarray(np.where(term < 0.0, found, np.inf))


def _numerical_divergence(bands: Bands) -> FloatArray:
    """First energy of the band at which m0/m_e with the upper band is not positive, at most Delta."""
    shape = np.broadcast_shapes(*(np.shape(x) for x in _fields(bands)))
    low, high = np.zeros(shape), np.broadcast_to(_array(bands.spin_orbit_ev), shape).copy()
    for _ in range(60):  # to the last digit
        middle = 0.5 * (low + high)
        positive = inverse_mass("electron", middle, bands) > 0.0
        low, high = np.where(positive, middle, low), np.where(positive, high, middle)
    return high


def _fields(bands: Bands) -> tuple[npt.ArrayLike, ...]:
    return bands.gap_ev, bands.electron_mass_m0, bands.hole_mass_m0, bands.kane_ev, bands.spin_orbit_ev


def _array(value: npt.ArrayLike) -> FloatArray:
    return np.asarray(value, dtype=np.float64)
