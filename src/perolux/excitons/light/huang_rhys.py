"""Huang-Rhys factors of a nanocrystal against its size, and the Stokes shift that follows from them.

    S_j(L) = S_j(L0) (L0/L)^p          sharp modes (near 3, 6 and 19 meV)
    S_ac = D^2/(4 pi^2 rho hbar v^3 a^2),  Ec = sqrt(2) hbar v/a       acoustic continuum, ~ 1/L^2 and 1/L
    Stokes shift = 2 sum_j S_j E_j + (mean level in absorption - mean level in emission)

a^2 = 2 L^2 (1/12 - 1/(2 pi^2)): the Gaussian density exp(-r^2/a^2) with the variance that the ground state
cos^2 of a hard cube has along each axis. Factors at L0 = 7 nm, exponent p, deformation potential D, sound
velocity v and density rho are assumed ranges (`assumptions.toml`): no factor is on record, only that it
grows when the nanocrystal is smaller. Results are ranges, not predictions.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, OptionError
from perolux.excitons.assumptions import assumption
from perolux.excitons.light.phonon_line import PhononModes
from perolux.quantities.constants import BOLTZMANN_EV_PER_K, FWHM_PER_SIGMA, constant

if TYPE_CHECKING:
    from perolux.materials import Material
    from perolux.quantities import Value

__all__ = [
    "acoustic_coupling",
    "huang_rhys_factor",
    "material_phonon_modes",
    "phonon_records",
    "phonon_stokes_shift_ev",
    "stokes_shift_from_width_ev",
    "thermalisation_shift_ev",
]

FloatArray = npt.NDArray[np.float64]
End = Literal["low", "middle", "high"]

_MODES = (
    ("phonon_energy_1", "huang_rhys_3mev"),
    ("phonon_energy_2", "huang_rhys_6mev"),
    ("lo_phonon_energy", "huang_rhys_19mev"),
)
_ACOUSTIC = ("acoustic_deformation_potential_ev", "sound_velocity_nm_per_ps", "mass_density_g_per_cm3")
_VARIANCE = 1.0 / 12.0 - 0.5 / math.pi**2
"""Variance of the coordinate in the ground state of a hard box, in units of the edge squared."""


def huang_rhys_factor(
    edge_nm: npt.ArrayLike,
    at_reference: npt.ArrayLike,
    exponent: npt.ArrayLike,
    reference_edge_nm: npt.ArrayLike,
) -> FloatArray:
    """S(L) = S(L0) (L0/L)^p; all arguments broadcast. Raises `OptionError` for a length that is not positive.

    >>> huang_rhys_factor(3.5, 0.3, 2.0, 7.0).item()
    1.2
    """
    edges = np.asarray(edge_nm, dtype=np.float64)
    if not np.all(edges > 0):
        raise OptionError("an edge is not positive", allowed="above 0 nm")
    ratio = np.asarray(reference_edge_nm, dtype=np.float64) / edges
    return np.asarray(np.asarray(at_reference) * ratio ** np.asarray(exponent))


def acoustic_coupling(
    edge_nm: npt.ArrayLike,
    deformation_potential_ev: npt.ArrayLike,
    sound_velocity_nm_per_ps: npt.ArrayLike,
    density_g_per_cm3: npt.ArrayLike,
) -> tuple[FloatArray, FloatArray]:
    """Huang-Rhys factor S_ac and cutoff Ec (eV) of the acoustic continuum; all arguments broadcast.

    Bulk-like longitudinal phonons, deformation potential, Gaussian density (see above). The discrete
    acoustic modes of a free nanocrystal are not in it: the 3 meV mode stands for them.
    """
    a_nm = np.asarray(edge_nm, dtype=np.float64) * math.sqrt(2.0 * _VARIANCE)
    hbar_j_s = constant("planck_j_s") / (2.0 * math.pi)
    charge = constant("elementary_charge_c")
    velocity = 1e3 * np.asarray(sound_velocity_nm_per_ps, dtype=np.float64)
    potential_j = charge * np.asarray(deformation_potential_ev, dtype=np.float64)
    density = 1e3 * np.asarray(density_g_per_cm3, dtype=np.float64)
    factor = potential_j**2 / (4.0 * math.pi**2 * density * hbar_j_s * velocity**3 * (1e-9 * a_nm) ** 2)
    cutoff = math.sqrt(2.0) * hbar_j_s * velocity / (1e-9 * a_nm) / charge
    return np.asarray(factor), np.asarray(cutoff)


def material_phonon_modes(material: Material, edge_nm: float, end: End = "middle") -> PhononModes:
    """Modes of a cube of a material: energies from its records, coupling from the assumptions.

    end: "low", "middle" or "high": of the assumed ranges of coupling, all together (the exponent acts away
    from 7 nm only, its middle is used). Raises `ModelRangeError` outside the edges for which the size law is
    assumed and `NotAvailableError` for a material without phonon energies.

    >>> from perolux.materials import material
    >>> modes = material_phonon_modes(material("CsPbBr3"), 7.0)
    >>> [round(1e3 * float(e), 1) for e in modes.energy_ev], modes.huang_rhys.tolist()
    ([3.2, 6.0, 19.0], [0.3, 0.3, 0.3])
    """
    valid = assumption("huang_rhys_valid_edge_nm")
    low, high = _end(valid, "low"), _end(valid, "high")
    if not low <= edge_nm <= high:
        raise ModelRangeError(
            f"Huang-Rhys factors of a cube of {edge_nm:g} nm",
            allowed=f"{low:g} to {high:g} nm",
            fix="give PhononModes with your own factors",
        )
    if end not in ("low", "middle", "high"):
        raise OptionError(f"unknown end {end!r}", allowed="low, middle, high")
    exponent, reference = (
        assumption("huang_rhys_size_exponent").number,
        assumption("huang_rhys_reference_edge_nm").number,
    )
    energies = [material.value(record).number for record, _ in _MODES]
    at_reference = np.array([_end(assumption(name), end) for _, name in _MODES])
    potential = _end(assumption(_ACOUSTIC[0]), end)
    # soft and light crystals couple more
    other: End = "low" if end == "high" else "high" if end == "low" else "middle"
    velocity, density = _end(assumption(_ACOUSTIC[1]), other), _end(assumption(_ACOUSTIC[2]), other)
    acoustic, cutoff = acoustic_coupling(edge_nm, potential, velocity, density)
    return PhononModes(
        np.array(energies),
        huang_rhys_factor(edge_nm, at_reference, exponent, reference),
        float(acoustic),
        float(cutoff),
    )


def phonon_records(material: Material) -> tuple[Value, ...]:
    """Every record that `material_phonon_modes` rests on."""
    names = [name for _, name in _MODES]
    names += ["huang_rhys_size_exponent", "huang_rhys_reference_edge_nm", *_ACOUSTIC]
    return (*(material.value(record) for record, _ in _MODES), *(assumption(name) for name in names))


def phonon_stokes_shift_ev(modes: PhononModes) -> float:
    """2 sum S E: between the means of absorption and emission of one coupled transition, at any temperature.

    Peaks lie nearer: for weak coupling both peaks are the zero-phonon line, and their distance is 0.
    """
    return 2.0 * modes.relaxation_ev


def stokes_shift_from_width_ev(fwhm_ev: npt.ArrayLike, temperature_k: npt.ArrayLike) -> FloatArray:
    """2 sum S E = FWHM^2/(8 ln 2 kT): the shift that goes with a width made by warm phonons, in eV.

    Both are the same fluctuations: variance sum S E^2 coth(E/2kT) -> 2 kT sum S E where kT exceeds the phonon
    energies (1 % high at 300 K for 9 meV, 4 % for 19 meV). The width is that of one size by phonons alone; a
    static part of it (surfaces, charges) has no share in the shift, which is then an upper bound.

    >>> round(1e3 * float(stokes_shift_from_width_ev(0.080, 300.0)), 1)
    44.6
    """
    width, temperature = (np.asarray(a, dtype=np.float64) for a in (fwhm_ev, temperature_k))
    if not (np.all(width >= 0) and np.all(temperature > 0)):
        raise OptionError("a shift from a width needs a width that is not negative and a warm crystal")
    return np.asarray((width / FWHM_PER_SIGMA) ** 2 / (BOLTZMANN_EV_PER_K * temperature))


def thermalisation_shift_ev(
    level_ev: npt.ArrayLike, strength: npt.ArrayLike, temperature_k: float
) -> FloatArray:
    """Mean level in absorption less that in emission, in eV: never negative.

    Absorption weights level i with its strength f_i, emission with f_i exp(-E_i/kT). level_ev, strength:
    last axis the levels; result without it. 0 K: emission from the lowest level that has strength.
    """
    level, weight = np.broadcast_arrays(
        np.asarray(level_ev, dtype=np.float64), np.asarray(strength, dtype=np.float64)
    )
    if np.any(weight < 0) or not np.all(weight.sum(axis=-1) > 0):
        raise OptionError("strengths must not be negative, and one of them positive")
    if not temperature_k >= 0:
        raise ModelRangeError("a temperature below 0 K", allowed="0 K and above")
    lowest = np.min(np.where(weight > 0, level, np.inf), axis=-1, keepdims=True)
    above = level - lowest
    thermal = BOLTZMANN_EV_PER_K * temperature_k
    # beyond 700 kT the factor is below 1e-304: nought, at 0 K for every higher level
    reached = above <= 700.0 * thermal
    exponent = np.where(reached, above, 0.0) / max(thermal, np.finfo(float).tiny)
    emitted = np.where(reached, weight * np.exp(-np.maximum(exponent, 0.0)), 0.0)
    absorbed_mean = (weight * level).sum(axis=-1) / weight.sum(axis=-1)
    return np.asarray(absorbed_mean - (emitted * level).sum(axis=-1) / emitted.sum(axis=-1))


def _end(value: Value, end: End) -> float:
    if end == "middle" or value.low is None or value.high is None:
        return value.number
    return value.low if end == "low" else value.high
