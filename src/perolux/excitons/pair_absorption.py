"""Absorption cross sections of columns of nanocrystals at the wavelengths where colloids are calibrated."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, NotAvailableError
from perolux.excitons.assumptions import assumption
from perolux.excitons.crystal import Crystals
from perolux.excitons.energies import PairEnergies
from perolux.excitons.levels.depolarisation import depolarisation_factors
from perolux.excitons.light.cross_section import (
    integrated_cross_section_cm2_ev,
    particle_cross_section_cm2,
    scale_lines_to_bulk,
)
from perolux.excitons.light.rates import local_field, oscillator_strength
from perolux.excitons.pair_light import homogeneous_width_mev, optical_surroundings
from perolux.excitons.parameters import ParameterDraws
from perolux.materials import absorption_calibrations, optical_constants
from perolux.quantities import Value
from perolux.quantities.constants import HC_EV_NM

__all__ = ["WAVELENGTHS_NM", "calibration_range", "cross_sections_cm2"]

FloatArray = npt.NDArray[np.float64]

WAVELENGTHS_NM = (335.0, 400.0, 450.0)
"""Wavelengths at which absorption is calibrated in the literature."""
_TAIL_WIDTHS = 1.5
"""FWHM below the first line, beyond which a Gaussian says nothing about the tail of a real line."""
_AGREES = (0.67, 1.5)
"""Scales of the calculated lines that are taken as agreement with bulk n and k; others are said."""


def cross_sections_cm2(
    crystals: Crystals,
    parameters: ParameterDraws,
    pair: PairEnergies,
    energies: list[FloatArray],
    overlaps: list[FloatArray],
    reasons: dict[str, str],
    warnings: list[str],
) -> dict[str, FloatArray]:
    """Absorption cross sections (cm2): mu_i V far above the gap, below it lines that keep the bulk's sum.

    The calibrations on record differ by almost a factor of two: the sets take the middle, the draws are
    uniform between them. Why a wavelength has no number is added to `reasons`: n and k that do not reach,
    or a photon so far below the first line that only the tail of the line shape would answer.
    """
    inside, outside = optical_surroundings(crystals, parameters)
    index = float(outside[0])
    table = optical_constants(crystals.material)  # a material without bulk n and k has no answer
    uniform = parameters.assumed(calibration_range(crystals.material, index), "absorption_calibration")
    gap = float(parameters["gap"][0])
    first = float(np.min(energies[0]))
    # bulk-like from half an electronvolt above the gap, or above the first exciton where that lies higher
    above = assumption("bulk_absorption_above_gap_ev").number
    join = max(gap, float(energies[0][0])) + above
    fwhm = 1e-3 * homogeneous_width_mev(parameters)
    factors = depolarisation_factors(crystals.shape, *crystals.lengths_nm)
    field2 = (local_field(inside[..., None], outside[..., None] ** 2, factors) ** 2).mean(axis=-1)
    strengths = [
        oscillator_strength(parameters["kane_energy"], e, k) for e, k in zip(energies, overlaps, strict=True)
    ]
    areas = [integrated_cross_section_cm2_ev(one, np.sqrt(field2), index) for one in strengths]

    found: dict[str, FloatArray] = {}
    near_lines = []
    darkest = first - _TAIL_WIDTHS * float(np.max(fwhm))
    for nm in WAVELENGTHS_NM:
        photon, name = HC_EV_NM / nm, f"cross section {nm:g}"
        if photon >= join:
            bulk = particle_cross_section_cm2(table, np.asarray(photon), crystals.volume_nm3, index)
            found[name] = bulk * uniform
        elif photon < darkest:
            reasons[name] = f"{nm:g} nm lies below the first absorption line, where tails are not calculated"
        else:
            near_lines.append((nm, photon, name))
    if not near_lines:
        return found
    try:
        photons = sorted(photon for _, photon, _ in near_lines)
        rows = pair.gap_ev.shape
        joined = scale_lines_to_bulk(
            photons,
            np.stack([np.broadcast_to(one, rows) for one in energies], axis=1),
            np.stack([np.broadcast_to(one, rows) for one in areas], axis=1),
            np.broadcast_to(crystals.volume_nm3, rows),
            table,
            gap_ev=gap,
            solvent_index=index,
            fwhm_ev=fwhm,
            join_ev=join,
        )
    except (NotAvailableError, ModelRangeError) as error:
        reasons |= dict.fromkeys((name for *_, name in near_lines), str(error.problems[0].what))
        return found
    scale = float(joined.line_scale[0])
    if not _AGREES[0] < scale < _AGREES[1]:
        warnings.append(
            f"set {parameters.set_name}: the calculated lines carry {1.0 / max(scale, 1e-3):.2g} times what "
            f"bulk n and k leave them up to {join:.2f} eV; cross sections there keep the "
            "sum of the bulk"
        )
    for _, photon, name in near_lines:
        found[name] = joined.sigma_cm2[:, photons.index(photon)] * uniform
    below = ", ".join(f"{nm:g}" for nm, *_ in near_lines)
    warnings.append(
        f"cross section at {below} nm: a few lines of one nanocrystal decide there, their places and "
        "widths; an ensemble is smoother"
    )
    return found


def calibration_range(material: str, solvent_index: float) -> Value:
    """Factor on n and k of the bulk: from the smallest to the largest calibration on record, its middle."""
    calibrations = absorption_calibrations(material, solvent_index)
    scales = sorted([1.0, *(one.number / calibrations[0].number for one in calibrations)])
    middle = 0.5 * (scales[0] + scales[-1])
    return Value(middle, "1", "derived", "calibrations", low=scales[0], high=scales[-1])
