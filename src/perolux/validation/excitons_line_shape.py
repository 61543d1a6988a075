"""Functions of the rows in `excitons_line_shape.toml`: the phonon line, widths, unit conversion."""

from __future__ import annotations

import math

import numpy as np

from perolux.errors import NotAvailableError
from perolux.excitons.backwards.sizing import confinement_energy_ev
from perolux.excitons.light.huang_rhys import End, material_phonon_modes, phonon_stokes_shift_ev
from perolux.excitons.light.line import ensemble_line
from perolux.excitons.light.linewidth import homogeneous_fwhm_mev
from perolux.excitons.light.phonon_line import PhononModes, line_moments, mode_weights, phonon_line
from perolux.materials import material
from perolux.quantities.constants import FWHM_PER_SIGMA, HC_EV_NM
from perolux.validation.run import Computed

__all__ = [
    "converted_width_mev",
    "phonon_width_mev",
    "progression_error",
    "stokes_shift_mev",
    "variance_error",
]

_NARROW_EV = 0.003
"""Zero-phonon line of the checks: narrower than a phonon, wide enough for a short grid."""


def progression_error(huang_rhys: float, phonon_mev: float, temperature_k: float) -> float:
    """Largest deviation of the line from the weights of the closed form, relative to its peak."""
    phonon = 1e-3 * phonon_mev
    modes = PhononModes(np.array([phonon]), np.array([huang_rhys]))
    line = phonon_line(modes, temperature_k, gauss_fwhm_ev=_NARROW_EV)
    weights, order = mode_weights(huang_rhys, phonon, temperature_k, 40), np.arange(-40, 41)
    sigma = _NARROW_EV / FWHM_PER_SIGMA
    distance = (line.detuning_ev[:, None] - order[None, :] * phonon) / sigma
    expected = np.exp(-0.5 * distance**2) @ weights / (sigma * math.sqrt(2.0 * math.pi))
    return float(np.max(np.abs(line.density_per_ev - expected)) / expected.max())


def variance_error(edge_nm: float, temperature_k: float) -> float:
    """Relative error of the variance of a CsPbBr3 line on its grid."""
    modes = material_phonon_modes(material("CsPbBr3"), edge_nm)
    line = phonon_line(modes, temperature_k, gauss_fwhm_ev=_NARROW_EV)
    step = float(line.detuning_ev[1] - line.detuning_ev[0])
    mean = float(line.density_per_ev @ line.detuning_ev) * step
    variance = float(line.density_per_ev @ (line.detuning_ev - mean) ** 2) * step
    exact = line_moments(modes, temperature_k).variance_ev2 + (_NARROW_EV / FWHM_PER_SIGMA) ** 2
    return abs(variance / exact - 1.0)


def phonon_width_mev(edge_nm: float, temperature_k: float, end: End) -> Computed:
    """FWHM of the line of one CsPbBr3 cube by its phonons alone; the ends of the assumption beside."""
    found = {}
    ends: tuple[End, ...] = ("low", "middle", "high")
    for one in ends:
        modes = material_phonon_modes(material("CsPbBr3"), edge_nm, one)
        line = phonon_line(modes, temperature_k, gauss_fwhm_ev=_NARROW_EV, side="emission")
        above = line.detuning_ev[line.density_per_ev >= 0.5 * line.density_per_ev.max()]
        found[one] = 1e3 * float(above[-1] - above[0])
    return Computed(
        found[end], f"assumed coupling from low to high: {found['low']:.0f} to {found['high']:.0f}"
    )


def stokes_shift_mev(edge_nm: float, end: End) -> Computed:
    """2 sum S E of a CsPbBr3 cube; the ends of the assumption beside."""
    ends: tuple[End, ...] = ("low", "middle", "high")
    found = {
        one: 1e3 * phonon_stokes_shift_ev(material_phonon_modes(material("CsPbBr3"), edge_nm, one))
        for one in ends
    }
    return Computed(
        found[end], f"assumed coupling from low to high: {found['low']:.0f} to {found['high']:.0f}"
    )


def converted_width_mev(peak_nm: float, fwhm_nm: float, diameter_nm: float) -> Computed:
    """h c dlambda/lambda^2 in meV; beside it the program's width of spheres of that diameter.

    The program's: spheres without and with 10 % spread, with the width of one size where the material has
    one on record; MAPbBr3 has none, so that only the part by the spread of sizes is given.
    """
    width = 1e3 * HC_EV_NM * fwhm_nm / peak_nm**2
    host = material("MAPbBr3", 298.0)
    narrow_ev = 1e-3
    line = ensemble_line(
        diameter_nm / 2.0, [0.05, 0.10], narrow_ev, lambda r: confinement_energy_ev(r, host, "sphere")
    )
    five, ten = (1e3 * float(w) for w in line.fwhm_ev[0, :, 0])
    try:
        single = f"{homogeneous_fwhm_mev(host).number:.0f} meV"
    except NotAvailableError:
        single = "not on record"
    return Computed(
        width, f"model: {five:.0f} and {ten:.0f} meV by 5 and 10 % of spread; width of one size {single}"
    )
