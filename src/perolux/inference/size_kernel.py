"""Spectra of one size, as a spectrometer records them: the matrix that a size distribution is inverted with.

Lines and cross sections are the tables of `synthesis.inline_spectra`, so that an edge means the same in both.

    PL          K(lambda, L) = L_i(E) hc/lambda^2     light of area 1 of each edge, per nm
    absorbance  K(lambda, L) = sigma(E, L)            cm^2 of each crystal
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError
from perolux.excitons.light.spectra import SpectralTable, shared_weights
from perolux.excitons.parameters import ParameterDraws
from perolux.quantities.constants import FWHM_PER_SIGMA, HC_EV_NM
from perolux.synthesis.inline_spectra import LEAST_EDGE_NM, Spectrometer, spectral_tables

__all__ = ["STEP", "SizeKernel", "edge_grid", "size_kernel"]

FloatArray = npt.NDArray[np.float64]

STEP = 0.03
"""Step of ln edge: neighbours lie nearer in energy than the line of one size is wide, from 2 nm on."""
_FINE_NM = 0.5
_MARGIN_NM = 5.0


def edge_grid(largest_nm: float) -> FloatArray:
    """Edges in nm from `LEAST_EDGE_NM` on, even in the logarithm, the last not above the largest."""
    count = int(np.log(largest_nm / LEAST_EDGE_NM) / STEP + 1e-9)
    if count < 20:
        raise OptionError(
            f"a largest edge of {largest_nm:g} nm",
            allowed=f"{LEAST_EDGE_NM * np.exp(20 * STEP):.2g} nm or more, up to 100 nm",
        )
    return np.asarray(LEAST_EDGE_NM * np.exp(STEP * np.arange(count + 1)))


@dataclass(frozen=True, eq=False)
class SizeKernel:
    """Tables of one parameter set on (edges,). cross is None, with `reason`, where n and k are not on record.

    light_per_crystal: what a crystal takes of the lamp, its volume over 1 nm^3 or its cross section over
    1e-16 cm^2. emission_ev: mean energy of the light of each edge.
    """

    set_name: str
    edge_nm: FloatArray
    light: SpectralTable
    cross: SpectralTable | None
    reason: str
    light_per_crystal: FloatArray
    emission_ev: FloatArray

    def pl(self, wavelength_nm: FloatArray, slit_fwhm_nm: float, shift_ev: float = 0.0) -> FloatArray:
        """(wavelengths, edges), per nm; all energies of the crystals moved up by shift_ev."""
        fine = _fine(wavelength_nm)
        rows = _rows(self.light, self.edge_nm, HC_EV_NM / fine - shift_ev) * (HC_EV_NM / fine**2)
        return _recorded(fine, rows, slit_fwhm_nm, wavelength_nm)

    def absorbance(self, wavelength_nm: FloatArray, slit_fwhm_nm: float, shift_ev: float = 0.0) -> FloatArray:
        """(wavelengths, edges) in cm^2; the slit averages the absorbance itself (exact for a weak one)."""
        assert self.cross is not None
        fine = _fine(wavelength_nm)
        rows = _rows(self.cross, self.edge_nm, HC_EV_NM / fine - shift_ev)
        return _recorded(fine, rows, slit_fwhm_nm, wavelength_nm)


def size_kernel(
    parameters: ParameterDraws,
    edge_nm: FloatArray,
    wavelength_nm: FloatArray,
    lamp_nm: float | None,
    line_fwhm_mev: float | None = None,
) -> SizeKernel:
    """Tables of all edges that reach over the wavelengths; lamp_nm None: light in proportion to the volume;
    line_fwhm_mev: width of the line of one size, None: that on record.

    Raises what the room `excitons` raises for a material without optical records, and `OptionError` for a
    lamp where there is no cross section.
    """
    blue = min(float(wavelength_nm[0]) - _MARGIN_NM, lamp_nm or np.inf)
    axis = np.arange(blue, float(wavelength_nm[-1]) + _MARGIN_NM, 1.0)
    used = Spectrometer(
        wavelength_nm=axis,
        excitation_nm=lamp_nm or float(axis[0]),
        temperature_k=parameters.material.temperature_k,
    )
    light, cross, reason = spectral_tables(
        parameters, (float(edge_nm[0]), float(edge_nm[-1])), used, line_fwhm_mev
    )
    taken = edge_nm**3
    if lamp_nm is not None:
        if cross is None:
            raise OptionError(
                "without cross sections it is not known what a crystal takes of the lamp",
                where=f"excitation_nm = {lamp_nm:g}: {reason}",
                fix="leave it out: crystals then count by their volume",
            )
        at_lamp = np.array([np.interp(HC_EV_NM / lamp_nm, cross.energy_ev, row) for row in cross.values])
        taken = 1e16 * np.interp(edge_nm, cross.size_nm, at_lamp)
    centre = light.values @ light.energy_ev / light.values.sum(axis=1)
    emission = np.array([float(shared_weights(light.size_nm, e, 1.0) @ centre) for e in edge_nm])
    return SizeKernel(parameters.set_name, edge_nm, light, cross, reason, taken, emission)


def _rows(table: SpectralTable, edge_nm: FloatArray, energy_ev: FloatArray) -> FloatArray:
    """Spectra (edges, energies) between the nodes of a table."""
    nodes = np.array([np.interp(energy_ev, table.energy_ev, row) for row in table.values])
    return np.array([shared_weights(table.size_nm, edge, 1.0) for edge in edge_nm]) @ nodes


def _fine(wavelength_nm: FloatArray) -> FloatArray:
    first, last = float(wavelength_nm[0]) - _MARGIN_NM, float(wavelength_nm[-1]) + _MARGIN_NM
    return np.arange(first, last + _FINE_NM, _FINE_NM)


def _recorded(fine: FloatArray, rows: FloatArray, slit_fwhm_nm: float, at_nm: FloatArray) -> FloatArray:
    """Through a Gaussian slit onto the wavelengths of the record."""
    if slit_fwhm_nm > 0:
        from scipy.ndimage import gaussian_filter1d

        rows = gaussian_filter1d(rows, slit_fwhm_nm / FWHM_PER_SIGMA / _FINE_NM, axis=1, mode="nearest")
    return np.array([np.interp(at_nm, fine, row) for row in rows]).T
