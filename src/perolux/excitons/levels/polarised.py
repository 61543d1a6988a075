"""Polarised emission of a single nanocrystal: lines of its fine structure through an analyser.

    I_j(e) = p_j |e* . d_j|^2,     p_j = exp(-E_j/kT)/Z

d_j are the dipoles of the levels (`fine_structure`), e the polarisation that passes the analyser. Intensities
are relative: 1 for a fully occupied bright level seen along its dipole. Occupation is thermal; where
relaxation is slow, as between bright and dark, take the populations of `relaxation` instead.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, OptionError
from perolux.excitons.levels.fine_structure import FineStructure
from perolux.quantities.constants import BOLTZMANN_EV_PER_K, FWHM_PER_SIGMA

__all__ = ["analyser_vector", "line_intensities", "polarised_spectrum", "thermal_occupation"]

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complex128]


def thermal_occupation(
    energy_mev: npt.ArrayLike, temperature_k: npt.ArrayLike, degeneracy: npt.ArrayLike = 1.0
) -> FloatArray:
    """Occupation p_j = g_j exp(-E_j/kT)/Z of levels (..., n) at temperatures (...): sum 1, safe at T = 0.

    At T = 0 the lowest level holds all (levels of exactly equal energy share). Raises `ModelRangeError` for a
    negative temperature.
    """
    energy = np.asarray(energy_mev, dtype=float)
    temperature = np.asarray(temperature_k, dtype=float)
    if not bool(np.all(np.isfinite(temperature) & (temperature >= 0))):
        raise ModelRangeError("a temperature below 0 K, or none", allowed="0 K and above")
    above = energy - energy.min(axis=-1, keepdims=True)
    thermal_mev = 1000.0 * BOLTZMANN_EV_PER_K * temperature[..., None]
    # beyond 700 kT the weight is below 1e-304: nought; a division by a tiny kT would overflow, as
    # would 700 kT near the largest number
    cold = above / 700.0 > thermal_mev
    ratio = above / np.where(cold | (thermal_mev == 0), 1.0, thermal_mev)
    weight = np.where(cold, 0.0, np.exp(-np.where(cold, 0.0, ratio))) * np.asarray(degeneracy, dtype=float)
    return np.asarray(weight / weight.sum(axis=-1, keepdims=True))


def analyser_vector(
    detection: npt.ArrayLike, angle_rad: npt.ArrayLike, retardance_rad: npt.ArrayLike = 0.0
) -> ComplexArray:
    """Polarisation that passes an analyser: e = cos(angle) u + exp(i retardance) sin(angle) v, (..., 3).

    u and v are across the direction of detection k and right-handed (u x v = k); u lies in the plane of k and
    z (for k along z: u = x, v = y). Linear at retardance 0; circular at angle pi/4 and retardance +-pi/2.
    Raises `OptionError` for a direction without length.
    """
    k = np.asarray(detection, dtype=float)
    if k.shape != (3,) or not np.isfinite(k).all() or not np.linalg.norm(k) > 0:
        raise OptionError("the direction of detection is not a vector", allowed="three numbers, not all 0")
    k = k / np.linalg.norm(k)
    polar, azimuth = math.acos(max(-1.0, min(1.0, float(k[2])))), math.atan2(float(k[1]), float(k[0]))
    u = np.array(
        [
            math.cos(polar) * math.cos(azimuth),
            math.cos(polar) * math.sin(azimuth),
            -math.sin(polar),
        ]
    )
    v = np.cross(k, u)
    angle, delay = np.broadcast_arrays(np.asarray(angle_rad, float), np.asarray(retardance_rad, float))
    return np.asarray(
        np.cos(angle)[..., None] * u + (np.exp(1j * delay) * np.sin(angle))[..., None] * v, dtype=complex
    )


def line_intensities(
    levels: FineStructure, temperature_k: npt.ArrayLike, analyser: npt.ArrayLike | None = None
) -> FloatArray:
    """Intensity p_j |e* . d_j|^2 of each line (..., 4); without an analyser p_j |d_j|^2, all directions.

    analyser: e of `analyser_vector`, shape (3,). temperature_k broadcasts against the leading axes of the
    levels.
    """
    occupation = thermal_occupation(levels.energy_mev, temperature_k)
    if analyser is None:
        return occupation * levels.strength
    through = levels.dipole @ np.conj(np.asarray(analyser, dtype=complex))
    return np.asarray(occupation * np.abs(through) ** 2)


def polarised_spectrum(
    levels: FineStructure,
    energy_mev: npt.ArrayLike,
    *,
    temperature_k: float,
    fwhm_mev: float,
    analyser: npt.ArrayLike | None = None,
    line: str = "lorentzian",
) -> FloatArray:
    """Emission spectrum (..., energies) per meV: each line with its intensity as area and one given width.

    energy_mev: (energies,), on the scale of `levels.energy_mev` (from the dark level without field).
    line: "lorentzian" (homogeneous) or "gaussian" (spectral wandering, or an instrument).

    >>> from perolux.excitons.levels.fine_structure import fine_structure
    >>> levels = fine_structure([2.0, 2.0, 2.0])
    >>> polarised_spectrum(levels, [2.0], temperature_k=4.0, fwhm_mev=0.1).round(3).tolist()
    [0.057]
    """
    if not fwhm_mev > 0:
        raise OptionError(f"a line width of {fwhm_mev:g} meV", allowed="above 0")
    grid = np.asarray(energy_mev, dtype=float)
    distance = grid[..., None, :] - levels.energy_mev[..., :, None]
    if line == "lorentzian":
        half = 0.5 * fwhm_mev
        shape = half / math.pi / (distance**2 + half**2)
    elif line == "gaussian":
        sigma = fwhm_mev / FWHM_PER_SIGMA
        shape = np.exp(-0.5 * (distance / sigma) ** 2) / (sigma * math.sqrt(2.0 * math.pi))
    else:
        raise OptionError(f"unknown line {line!r}", allowed="lorentzian, gaussian")
    intensity = line_intensities(levels, temperature_k, analyser)
    return np.asarray(np.einsum("...j,...jk->...k", intensity, shape))
