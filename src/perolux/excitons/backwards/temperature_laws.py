"""Gap and width against temperature as functions with analytic derivatives, for fits.

    gap    E(T) = E0 + A_TE T + sum_i A_i (2 n_i + 1)
           dE/dT = A_TE + sum_i 2 A_i n_i (n_i + 1) E_i/(k T^2)
    width  Gamma(T) = Gamma0 + gamma_ac T + Gamma_LO n_LO
    n = 1/(exp(E/kT) - 1),  dn/dE = -n (n + 1)/(k T)

The values themselves are those of `materials.temperature`. Both laws are linear but for the phonon
energies: E = B(T) c, and a fit needs a search in the phonon energies only. Valid within one crystal phase.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError
from perolux.materials.temperature import phonon_occupation
from perolux.quantities.constants import BOLTZMANN_EV_PER_K

__all__ = ["GAP_LAWS", "WIDTH_LAW", "TemperatureLaw", "gap_slope_ev_per_k", "occupation_slopes"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TemperatureLaw:
    """A law that is linear but for its phonon energies.

    names: all parameters, in order. phonons: (name of a phonon energy, name of its strength) for each
    oscillator. offset, slope: names of the constant and of the coefficient of T. zero_point: 1 where an
    oscillator enters with 2 n + 1, 0 where with n.
    """

    quantity: str
    names: tuple[str, ...]
    offset: str
    slope: str
    phonons: tuple[tuple[str, str], ...]
    zero_point: bool

    def value(self, temperature_k: npt.ArrayLike, parameters: npt.ArrayLike) -> FloatArray:
        """The law at temperatures (n,), in eV; parameters (k,) in the order of `names`."""
        basis, linear = self._split(temperature_k, parameters)
        return np.asarray(basis @ linear)

    def jacobian(self, temperature_k: npt.ArrayLike, parameters: npt.ArrayLike) -> FloatArray:
        """Analytic derivatives with respect to the parameters, (n, k)."""
        temperature = np.atleast_1d(np.asarray(temperature_k, dtype=np.float64))
        p = self._checked(parameters)
        basis, _ = self._split(temperature, p)
        found = np.empty((len(temperature), len(self.names)))
        for column, name in zip(basis.T, self.linear_names, strict=True):
            found[:, self.names.index(name)] = column
        for phonon, strength in self.phonons:
            by_energy = occupation_slopes(temperature, p[self.names.index(phonon)])[0]
            factor = (2.0 if self.zero_point else 1.0) * p[self.names.index(strength)]
            found[:, self.names.index(phonon)] = factor * by_energy
        return found

    @property
    def linear_names(self) -> tuple[str, ...]:
        """Names of the linear parameters, in the order of the columns of `basis`."""
        return (self.offset, self.slope, *(strength for _, strength in self.phonons))

    def basis(self, temperature_k: npt.ArrayLike, phonon_ev: npt.ArrayLike) -> FloatArray:
        """Columns 1, T and one for each oscillator; (n, 2 + oscillators)."""
        temperature = np.atleast_1d(np.asarray(temperature_k, dtype=np.float64))
        columns = [np.ones_like(temperature), temperature]
        for energy in np.atleast_1d(np.asarray(phonon_ev, dtype=np.float64)):
            occupied = phonon_occupation(temperature, float(energy))
            columns.append(2.0 * occupied + 1.0 if self.zero_point else occupied)
        return np.stack(columns, axis=1)

    def _split(
        self, temperature_k: npt.ArrayLike, parameters: npt.ArrayLike
    ) -> tuple[FloatArray, FloatArray]:
        p = self._checked(parameters)
        phonon = [p[self.names.index(name)] for name, _ in self.phonons]
        linear = np.array([p[self.names.index(name)] for name in self.linear_names])
        return self.basis(temperature_k, phonon), linear

    def _checked(self, parameters: npt.ArrayLike) -> FloatArray:
        p = np.asarray(parameters, dtype=np.float64)
        if p.shape != (len(self.names),):
            raise OptionError(f"{p.size} parameters for the {self.quantity}", allowed=", ".join(self.names))
        return p


GAP_LAWS = {
    1: TemperatureLaw(
        "gap",
        ("gap0_ev", "expansion_ev_per_k", "coupling_ev", "phonon_ev"),
        "gap0_ev",
        "expansion_ev_per_k",
        (("phonon_ev", "coupling_ev"),),
        True,
    ),
    2: TemperatureLaw(
        "gap",
        ("gap0_ev", "expansion_ev_per_k", "coupling_1_ev", "phonon_1_ev", "coupling_2_ev", "phonon_2_ev"),
        "gap0_ev",
        "expansion_ev_per_k",
        (("phonon_1_ev", "coupling_1_ev"), ("phonon_2_ev", "coupling_2_ev")),
        True,
    ),
}
"""The gap with one and with two oscillators."""

WIDTH_LAW = TemperatureLaw(
    "width",
    ("gamma0_ev", "gamma_lo_ev", "lo_phonon_ev", "gamma_ac_ev_per_k"),
    "gamma0_ev",
    "gamma_ac_ev_per_k",
    (("lo_phonon_ev", "gamma_lo_ev"),),
    False,
)
"""The homogeneous width with one optical phonon and an acoustic term."""


def occupation_slopes(temperature_k: npt.ArrayLike, phonon_ev: float) -> tuple[FloatArray, FloatArray]:
    """dn/dE in 1/eV and dn/dT in 1/K of the Bose occupation; 0 at T = 0. Shape of `temperature_k`."""
    temperature = np.asarray(temperature_k, dtype=np.float64)
    occupied = phonon_occupation(temperature, phonon_ev)
    thermal = BOLTZMANN_EV_PER_K * temperature
    warm = occupied > 0
    safe = np.where(warm, thermal, 1.0)
    by_energy = np.where(warm, -occupied * (occupied + 1.0) / safe, 0.0)
    by_temperature = np.where(warm, -by_energy * phonon_ev / np.where(warm, temperature, 1.0), 0.0)
    return by_energy, by_temperature


def gap_slope_ev_per_k(
    temperature_k: npt.ArrayLike,
    expansion_ev_per_k: float,
    coupling_ev: npt.ArrayLike,
    phonon_ev: npt.ArrayLike,
) -> FloatArray:
    """dE/dT of the gap law in eV/K; its sign is the direction of the shift on warming.

    >>> cold, warm = gap_slope_ev_per_k([20.0, 300.0], 3e-4, -0.1, 0.04)
    >>> bool(cold > 0 > warm)  # as chloride-rich crystals: first to the blue, then to the red
    True
    """
    couplings, phonons = np.atleast_1d(coupling_ev), np.atleast_1d(phonon_ev)
    slope = np.full(np.shape(temperature_k), expansion_ev_per_k, dtype=np.float64)
    for coupling, phonon in zip(couplings, phonons, strict=True):
        slope = slope + 2.0 * coupling * occupation_slopes(temperature_k, float(phonon))[1]
    return np.asarray(slope)
