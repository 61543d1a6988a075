"""From oscillator strength to cross section, and from lines near the edge to bulk absorption above it.

    int sigma dE = (pi e^2 hbar/(2 eps0 m0 c)) |F|^2 f/n_s        one line, per nanocrystal, any polarisation
    sigma(E) = mu_i(E) V            above Eg + 0.5 eV, mu_i from n and k (`materials.optical`)
    sigma(E) = lines + continuum    below: a smooth step from E_c on, so that the integral is that of mu_i V

f is the strength of one bright level with one polarisation axis; the three bright levels of a cube or sphere
have one axis each, so that light of any polarisation meets one of them. F is the local field factor. The
continuum below the join stands for all transitions that are not given as lines; its height makes sigma
continuous at the join, and its onset E_c follows from the sum rule

    int^(join) (lines + continuum) dE = int^(join) mu_i V dE.

Where E_c would fall below the first line (small nanocrystals: confinement carries strength across the join)
the continuum starts at the first line and the deficit is reported. The calibration of mu_i is uncertain by
1.7 at least (`materials.absorption_calibrations`): it is part of every report.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, NotAvailableError, OptionError
from perolux.excitons.assumptions import assumption
from perolux.materials.optical import (
    OpticalConstants,
    absorption_calibrations,
    intrinsic_absorption_per_cm,
    molar_from_intrinsic,
    optical_constants,
)
from perolux.measured.concentration import concentration_mol_per_l
from perolux.quantities import Value
from perolux.quantities.constants import COULOMB_EV_NM, FWHM_PER_SIGMA, HBAR2_OVER_2M0_EV_NM2, HC_EV_NM

__all__ = [
    "CM2_EV_PER_STRENGTH",
    "CalibratedAbsorption",
    "JoinedAbsorption",
    "ScaledAbsorption",
    "calibrated_absorption",
    "integrated_cross_section_cm2_ev",
    "join_bulk_absorption",
    "particle_cross_section_cm2",
    "scale_lines_to_bulk",
]

FloatArray = npt.NDArray[np.float64]

CM2_EV_PER_STRENGTH = 1e-14 * 8.0 * math.pi**3 * COULOMB_EV_NM * HBAR2_OVER_2M0_EV_NM2 / HC_EV_NM
"""pi e^2 hbar/(2 eps0 m0 c) in cm^2 eV: the integrated cross section of strength 1 in vacuum (1.0976e-16)."""
_CM3_PER_NM3 = 1e-21
_NEWTON = 60


def integrated_cross_section_cm2_ev(
    strength: npt.ArrayLike, local_field: npt.ArrayLike, solvent_index: npt.ArrayLike
) -> FloatArray:
    """Integral of the cross section over one line in cm^2 eV; all arguments broadcast.

    (pi e^2 hbar/(2 eps0 m0 c)) |F|^2 f/n_s: strength f, real or complex local field factor F, index n_s.
    """
    index = np.asarray(solvent_index, dtype=np.float64)
    if not np.all(index >= 1.0):
        raise OptionError("a solvent index below 1", allowed="1 and above")
    field = np.abs(np.asarray(local_field)) ** 2
    return np.asarray(CM2_EV_PER_STRENGTH * field * np.asarray(strength, dtype=np.float64) / index)


def particle_cross_section_cm2(
    table: OpticalConstants, energy_ev: npt.ArrayLike, volume_nm3: npt.ArrayLike, solvent_index: float
) -> FloatArray:
    """sigma = mu_i(E) V in cm^2, bulk-like absorption; (sizes, energies) for 1-D volumes, else broadcast."""
    energy = np.asarray(energy_ev, dtype=np.float64)
    intrinsic = intrinsic_absorption_per_cm(table, HC_EV_NM / energy, solvent_index)
    volume = np.asarray(volume_nm3, dtype=np.float64)
    if volume.ndim == 1 and energy.ndim == 1:
        volume = volume[:, None]
    return np.asarray(intrinsic * volume * _CM3_PER_NM3)


@dataclass(frozen=True, eq=False)
class JoinedAbsorption:
    """Absorption of sizes (n,) on energies (m,): lines below the join, bulk above, and how they were joined.

    sigma_cm2 (n, m). join_ev: Eg + 0.5 eV. onset_ev (n,): E_c of the continuum. line_share (n,): part of the
    bulk sum below the join that the lines carry. sum_ratio (n,): integral below the join over that of the
    bulk, 1 where the sum rule holds; below 1 where the onset was kept at the first line, above 1 where the
    lines alone exceed the bulk.
    """

    energy_ev: FloatArray
    sigma_cm2: FloatArray
    join_ev: float
    onset_ev: FloatArray
    line_share: FloatArray
    sum_ratio: FloatArray

    @property
    def conserved(self) -> npt.NDArray[np.bool_]:
        """For each size, whether the sum rule holds (within 0.5 %)."""
        return np.abs(self.sum_ratio - 1.0) < 5e-3


def join_bulk_absorption(
    energy_ev: npt.ArrayLike,
    lines_cm2: npt.ArrayLike,
    first_line_ev: npt.ArrayLike,
    volume_nm3: npt.ArrayLike,
    table: OpticalConstants,
    *,
    gap_ev: float,
    solvent_index: float,
    onset_fwhm_ev: float,
) -> JoinedAbsorption:
    """Join lines (n, m) in cm^2 on an energy grid (m,) to mu_i V above Eg + 0.5 eV by the sum rule.

    first_line_ev (n,): energy of the lowest line. gap_ev: bulk gap at the temperature of the table (300 K).
    onset_fwhm_ev: width of the step at which the continuum starts. Raises `ModelRangeError` where the grid
    leaves the table, or begins above the join.
    """
    energy = np.asarray(energy_ev, dtype=np.float64)
    lines = np.atleast_2d(np.asarray(lines_cm2, dtype=np.float64))
    first = np.atleast_1d(np.asarray(first_line_ev, dtype=np.float64))
    volume = np.atleast_1d(np.asarray(volume_nm3, dtype=np.float64))
    if energy.ndim != 1 or not np.all(np.diff(energy) > 0):
        raise OptionError("the energy grid must be one ascending axis")
    if lines.shape != (len(volume), len(energy)) or first.shape != volume.shape:
        raise OptionError(
            f"lines of shape {lines.shape} for {len(volume)} sizes and {len(energy)} energies",
            allowed="(sizes, energies), and a first line for each size",
        )
    if not onset_fwhm_ev > 0:
        raise OptionError("the step of the continuum needs a width", allowed="above 0 eV")
    join = gap_ev + assumption("bulk_absorption_above_gap_ev").number
    if not energy[0] < join < energy[-1]:
        raise ModelRangeError(
            f"lines and bulk are joined at {join:.3f} eV, outside the energies, {energy[0]:.3f} to "
            f"{energy[-1]:.3f} eV",
            allowed=f"energies from below to beyond {join:.3f} eV",
            fix="extend the energies, and cut the spectrum afterwards",
        )
    bulk = particle_cross_section_cm2(table, energy, volume, solvent_index)
    at_join = particle_cross_section_cm2(table, np.array([join]), volume, solvent_index)[:, 0]
    below = energy < join
    lines_at_join = np.array([np.interp(join, energy, row) for row in lines])
    line_sum = _integral(energy[below], lines[:, below], join, lines_at_join)
    bulk_sum = _integral(energy[below], bulk[:, below], join, at_join)
    height = np.maximum(at_join - lines_at_join, 0.0)
    rest = bulk_sum - line_sum
    sigma = onset_fwhm_ev / FWHM_PER_SIGMA
    width = _step_width(np.where(height > 0, rest / np.where(height > 0, height, 1.0), 0.0), sigma)
    onset = np.clip(join - width, np.minimum(first, join), join)
    shape = _normal_cdf((energy[None, :] - onset[:, None]) / sigma)
    # lines stronger than the bulk leave nothing for a continuum
    height = np.where(rest > 0, height, 0.0)
    under = lines + height[:, None] * shape
    total = np.where(below[None, :], under, bulk)
    end = lines_at_join + height * _normal_cdf((join - onset) / sigma)
    ratio = _integral(energy[below], under[:, below], join, end) / bulk_sum
    return JoinedAbsorption(energy, total, join, onset, line_sum / bulk_sum, ratio)


@dataclass(frozen=True, eq=False)
class ScaledAbsorption:
    """Absorption of sizes (n,) on energies (m,), continuous everywhere; see `scale_lines_to_bulk`.

    line_scale (n,): what the calculated lines are multiplied by, 1 where theory and bulk agree.
    """

    energy_ev: FloatArray
    sigma_cm2: FloatArray
    join_ev: float
    onset_ev: FloatArray
    line_scale: FloatArray


def scale_lines_to_bulk(
    energy_ev: npt.ArrayLike,
    lines_cm2: npt.ArrayLike,
    last_line_ev: npt.ArrayLike,
    volume_nm3: npt.ArrayLike,
    table: OpticalConstants,
    *,
    join_ev: float,
    solvent_index: float,
    onset_fwhm_ev: float,
) -> ScaledAbsorption:
    """Lines (n, m) in cm^2, and the bulk mu_i V from the last calculated line on, with the sum of the bulk.

        sigma(E) = s lines(E) + mu_i V Phi((E - E_last)/w),     s: both integrals up to the join are equal

    The continuum takes over where the calculated lines (n, m) end, at last_line_ev (n,), or at the join where
    that lies lower; so no hole opens between them and nothing steps at the join. The scale s of the lines
    is the calibration factor between theory and n and k. Tails that reach beyond the join fade there. Raises
    as `join_bulk_absorption`.
    """
    energy = np.asarray(energy_ev, dtype=np.float64)
    lines = np.atleast_2d(np.asarray(lines_cm2, dtype=np.float64))
    volume = np.atleast_1d(np.asarray(volume_nm3, dtype=np.float64))
    last = np.minimum(np.atleast_1d(np.asarray(last_line_ev, dtype=np.float64)), join_ev)
    if energy.ndim != 1 or not np.all(np.diff(energy) > 0):
        raise OptionError("the energy grid must be one ascending axis")
    if not energy[0] < join_ev < energy[-1]:
        raise ModelRangeError(
            f"lines and bulk are joined at {join_ev:.3f} eV, outside the energies, {energy[0]:.3f} to "
            f"{energy[-1]:.3f} eV",
            allowed=f"energies from below to beyond {join_ev:.3f} eV",
            fix="extend the energies, and cut the spectrum afterwards",
        )
    bulk = particle_cross_section_cm2(table, energy, volume, solvent_index)
    at_join = particle_cross_section_cm2(table, np.array([join_ev]), volume, solvent_index)[:, 0]
    sigma = onset_fwhm_ev / FWHM_PER_SIGMA
    continuum = bulk * _normal_cdf((energy - last[:, None]) / sigma)
    # the lines give way to the continuum, so that nothing steps at the join
    fading = lines * _normal_cdf((join_ev - energy) / sigma)
    below = energy < join_ev
    end = at_join * _normal_cdf((join_ev - last) / sigma)
    wanted = _integral(energy[below], bulk[:, below], join_ev, at_join)
    given = _integral(energy[below], continuum[:, below], join_ev, end)
    own = np.trapezoid(fading, energy, axis=1)
    scale = np.where(own > 0, np.maximum(wanted - given, 0.0) / np.where(own > 0, own, 1.0), 0.0)
    return ScaledAbsorption(energy, scale[:, None] * fading + continuum, join_ev, last, scale)


@dataclass(frozen=True)
class CalibratedAbsorption:
    """Absorption of one nanocrystal at a wavelength, under each calibration on record.

    sigma_cm2, molar_per_m_cm: one number for each of `calibrations` (the first is bulk n and k, where there
    is a table). factor: the largest over the smallest calibration at 335 nm; print it beside every number.
    """

    wavelength_nm: float
    volume_nm3: float
    calibrations: tuple[Value, ...]
    sigma_cm2: tuple[float, ...]
    molar_per_m_cm: tuple[float, ...]
    factor: float

    def concentration_mol_per_l(self, absorbance: float, path_cm: float = 1.0) -> tuple[float, ...]:
        """Concentration of nanocrystals from the decadic absorbance, one for each calibration."""
        return tuple(
            concentration_mol_per_l(
                absorbance, sigma / (self.volume_nm3 * _CM3_PER_NM3), self.volume_nm3, path_cm
            )
            for sigma in self.sigma_cm2
        )

    def summary(self) -> str:
        """The numbers as plain text, with the calibration factor."""
        head = (
            f"at {self.wavelength_nm:g} nm, V = {self.volume_nm3:.4g} nm3; "
            f"calibrations differ by a factor of {self.factor:.2f}"
        )
        rows = [
            f"  sigma {s:.3g} cm2, epsilon {m:.3g} 1/(M cm): {c.source.partition(',')[0]} ({c.kind})"
            for s, m, c in zip(self.sigma_cm2, self.molar_per_m_cm, self.calibrations, strict=True)
        ]
        return "\n".join([head, *rows])


def calibrated_absorption(
    material: str, wavelength_nm: float, volume_nm3: float, solvent_index: float
) -> CalibratedAbsorption:
    """sigma (cm^2) and molar absorption coefficient (1/(M cm)) at a wavelength far above the gap.

    The course over wavelength is that of n and k; a calibration at 335 nm scales all of it. Raises
    `NotAvailableError` for a material without bulk n and k.

    >>> found = calibrated_absorption("CsPbBr3", 400.0, 8.5**3, 1.5)
    >>> f"{found.sigma_cm2[0]:.2e} {found.factor:.2f}"
    '3.79e-14 1.75'
    """
    table = optical_constants(material)
    calibrations = absorption_calibrations(material, solvent_index)
    if not calibrations:
        raise NotAvailableError(f"no calibration of the absorption of {material} is on record")
    if not volume_nm3 > 0:
        raise OptionError("a volume is not positive", allowed="above 0 nm3")
    here = float(intrinsic_absorption_per_cm(table, wavelength_nm, solvent_index))
    at_335 = float(intrinsic_absorption_per_cm(table, 335.0, solvent_index))
    intrinsic = [here * one.number / at_335 for one in calibrations]
    return CalibratedAbsorption(
        float(wavelength_nm),
        float(volume_nm3),
        calibrations,
        tuple(mu * volume_nm3 * _CM3_PER_NM3 for mu in intrinsic),
        tuple(float(molar_from_intrinsic(mu, volume_nm3)) for mu in intrinsic),
        max(one.number for one in calibrations) / min(one.number for one in calibrations),
    )


def _integral(energy: FloatArray, rows: FloatArray, end_ev: float, at_end: FloatArray) -> FloatArray:
    """Trapezoid over a grid that ends below `end_ev`, closed with the values there."""
    grid = np.append(energy, end_ev)
    return np.asarray(np.trapezoid(np.concatenate([rows, at_end[:, None]], axis=1), grid, axis=1))


def _step_width(length: FloatArray, sigma: float) -> FloatArray:
    """w such that int_-inf^w Phi(x/sigma) dx = length, by Newton steps; below 0 where length is small."""
    w = np.maximum(length, 0.0).copy()
    for _ in range(_NEWTON):
        x = w / sigma
        phi = _normal_cdf(x)
        value = sigma * (x * phi + np.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi))
        # phi is at least that of 8 deviations below, where the area is nought in any case
        w = np.maximum(w - (value - length) / np.maximum(phi, 1e-12), -8.0 * sigma)
    return np.asarray(w)


def _normal_cdf(x: FloatArray) -> FloatArray:
    from scipy.special import ndtr

    return np.asarray(ndtr(x))
