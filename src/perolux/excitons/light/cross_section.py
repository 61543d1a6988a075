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
the continuum starts at the first line and the deficit is reported (`join_bulk_absorption`, for the first
line alone). `scale_lines_to_bulk` takes all computed lines; every nanocrystal and ensemble of the room rests
on it. The calibration of mu_i is uncertain by 1.7 at least (`materials.absorption_calibrations`): it is part
of every report.
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
_HALVINGS = 45
_TAIL_EV = 0.3
_SUM_STEP_EV = 1e-3
_HERMITE_X, _HERMITE_W = np.polynomial.hermite_e.hermegauss(15)
_HERMITE_W = _HERMITE_W / _HERMITE_W.sum()


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

    join_ev (n,): from here on no line is drawn and a size absorbs as its volume of bulk. onset_ev (n,): E_c
    of the continuum. line_scale (n,): what the lines are multiplied by, 1 where theory and bulk agree.
    """

    energy_ev: FloatArray
    sigma_cm2: FloatArray
    join_ev: FloatArray
    onset_ev: FloatArray
    line_scale: FloatArray


def scale_lines_to_bulk(
    energy_ev: npt.ArrayLike,
    transition_ev: npt.ArrayLike,
    area_cm2_ev: npt.ArrayLike,
    volume_nm3: npt.ArrayLike,
    table: OpticalConstants,
    *,
    gap_ev: float,
    solvent_index: float,
    fwhm_ev: npt.ArrayLike,
    join_ev: float | None = None,
) -> ScaledAbsorption:
    """Gaussian lines and, from E_c on, the bulk mu_i V: together the strength of the bulk, for each size.

        sigma(E) = s lines(E) Phi((E_j - E)/w) + mu_i V Phi((E - E_c)/w)              E_j = E_1 + 0.5 eV
        E_c:  int mu_i V (1 - Phi((E - E_c)/w)) dE = int lines Phi dE,  kept within E_1 to E_j and E_last

    The lines hold the strength that the bulk has from the gap to E_c; beyond, a size absorbs as its volume.
    Where E_c meets an end of its range (many lines that are stronger than the bulk) the factor s on the lines
    keeps the sum; elsewhere s is 1. So no hole opens in small sizes, whose lines lie far apart, and from E_j
    on sigma is linear in volume. E_1 is at least the gap.

    transition_ev, area_cm2_ev (n, k): the first line first, the last last. fwhm_ev: one, or (n,). join_ev:
    one E_j for all rows, as for draws of one crystal; None: each its own. The result depends neither on the
    grid (m,) nor, then, on the other sizes. Raises `ModelRangeError` where E_j leaves the table of n and k.
    """
    energy = np.asarray(energy_ev, dtype=np.float64)
    at, area = (np.atleast_2d(np.asarray(one, dtype=np.float64)) for one in (transition_ev, area_cm2_ev))
    volume = np.atleast_1d(np.asarray(volume_nm3, dtype=np.float64))
    if energy.ndim != 1 or not np.all(np.diff(energy) > 0):
        raise OptionError("the energy grid must be one ascending axis")
    if at.shape != area.shape or len(at) != len(volume):
        raise OptionError(
            f"lines of shape {at.shape} with areas of shape {area.shape} for {len(volume)} sizes",
            allowed="(sizes, lines) both",
        )
    if not np.all(np.asarray(fwhm_ev) > 0):
        raise OptionError("a line needs a width", allowed="above 0 eV")
    sigma = np.broadcast_to(np.asarray(fwhm_ev, dtype=np.float64) / FWHM_PER_SIGMA, volume.shape)
    first = np.maximum(at[:, 0], gap_ev)
    join = first + assumption("bulk_absorption_above_gap_ev").number
    if join_ev is not None:
        join = np.maximum(first, join_ev)
    # one computed line ends nothing: the rest of the ladder is not known
    last = np.clip(at[:, -1], first, join) if at.shape[1] > 1 else join
    gathered = _BulkSum.of(table, gap_ev, float(np.max(join)), float(sigma.max()), solvent_index)
    given = np.sum(area * _normal_cdf((join[:, None] - at) / (math.sqrt(2.0) * sigma[:, None])), axis=1)
    onset = gathered.where(given / (volume * _CM3_PER_NM3), first, last, sigma)
    wanted = gathered.until(onset, sigma) * volume * _CM3_PER_NM3
    scale = np.where(given > 0, wanted / np.where(given > 0, given, 1.0), 0.0)
    found = particle_cross_section_cm2(table, energy, volume, solvent_index)
    found *= _normal_cdf((energy - onset[:, None]) / sigma[:, None])
    fading = scale[:, None] * _normal_cdf((join[:, None] - energy) / sigma[:, None])
    for k in range(at.shape[1]):
        x = (energy - at[:, k, None]) / sigma[:, None]
        height = area[:, k] / (sigma * math.sqrt(2.0 * math.pi))
        found += fading * height[:, None] * np.exp(-0.5 * x * x)
    return ScaledAbsorption(energy, found, join, onset, scale)


@dataclass(frozen=True, eq=False)
class _BulkSum:
    """C(E) = int^E mu_i dE in eV/cm, and what a step of finite width leaves below it."""

    energy_ev: FloatArray
    sum_ev_per_cm: FloatArray

    @staticmethod
    def of(
        table: OpticalConstants, gap_ev: float, join_ev: float, sigma_ev: float, solvent_index: float
    ) -> _BulkSum:
        # what a table that ends 1.5 deviations beyond the join lacks of a step there is 0.03 deviations
        blue = HC_EV_NM / table.wavelength_nm[0] * (1.0 - 1e-12)
        end_ev = max(join_ev + 1.5 * sigma_ev, min(join_ev + 7.0 * sigma_ev, blue))
        # far below the gap n and k hold noise rather than absorption
        red = min(table.wavelength_nm[-1], table.k_trusted_below_nm or np.inf)
        low = max(gap_ev - _TAIL_EV, HC_EV_NM / red * (1.0 + 1e-12))
        energy = np.linspace(low, end_ev, max(int((end_ev - low) / _SUM_STEP_EV), 2) + 1)
        mu = intrinsic_absorption_per_cm(table, HC_EV_NM / energy, solvent_index)
        pieces = 0.5 * (mu[1:] + mu[:-1]) * np.diff(energy)
        return _BulkSum(energy, np.concatenate([[0.0], np.cumsum(pieces)]))

    def until(self, onset_ev: FloatArray, sigma_ev: FloatArray) -> FloatArray:
        """int mu_i (1 - Phi((E - E_c)/w)) dE, by parts the mean of C over a Gaussian about E_c."""
        at = onset_ev[:, None] + sigma_ev[:, None] * _HERMITE_X
        return np.asarray(np.interp(at, self.energy_ev, self.sum_ev_per_cm) @ _HERMITE_W)

    def where(
        self, wanted: FloatArray, low_ev: FloatArray, high_ev: FloatArray, sigma_ev: FloatArray
    ) -> FloatArray:
        """E_c at which `until` is what is wanted, by bisection; the nearer end where none is."""
        low, high = low_ev.copy(), high_ev.copy()
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            below = self.until(middle, sigma_ev) < wanted
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return 0.5 * (low + high)


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
