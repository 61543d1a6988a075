"""What the crystals of a film are made of: bulk n and k, or confined nanocrystals of the excitons room."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from perolux.display.effective_media import eps_of_dilute
from perolux.ensemble import Ensemble
from perolux.errors import ModelRangeError, OptionError
from perolux.materials.optical import OpticalConstants, optical_constants
from perolux.quantities.constants import HC_EV_NM

__all__ = ["Inclusion", "bulk_inclusion", "confined_inclusions"]

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complex128]
_CM3_PER_NM3 = 1e-21


@dataclass(frozen=True)
class Inclusion:
    """What a crystal is made of: its dielectric function eps (m,) on ascending wavelengths (m,) in nm.

    host_index: the index for which an absorption per volume was turned into eps; None for a bulk table.
    """

    name: str
    wavelength_nm: FloatArray = field(repr=False)
    eps: ComplexArray = field(repr=False)
    source: str = ""
    notes: tuple[str, ...] = ()
    host_index: float | None = None

    def at(self, wavelength_nm: npt.ArrayLike) -> ComplexArray:
        """eps by linear interpolation of n and k; raises `ModelRangeError` outside the axis."""
        asked = np.asarray(wavelength_nm, dtype=float)
        low, high = float(self.wavelength_nm[0]), float(self.wavelength_nm[-1])
        if not np.all((asked >= low) & (asked <= high)):
            raise ModelRangeError(
                f"a wavelength outside that of {self.name}",
                where=self.source,
                allowed=f"{low:g} to {high:g} nm",
                fix="ask within the table, or bring a wider one; nothing is extrapolated",
            )
        root = np.sqrt(self.eps)
        n = np.interp(asked, self.wavelength_nm, root.real)
        return np.asarray((n + 1j * np.interp(asked, self.wavelength_nm, root.imag)) ** 2)


def bulk_inclusion(table: str | OpticalConstants) -> Inclusion:
    """A crystal as bulk, from a table of n and k, e.g. "CsPbBr3_1nm" (1 nm) or "CsPbBr3" (5 nm).

    Where k of the table is an artefact (`k_trusted_below_nm`) it is set to 0, and a note says so.
    """
    found = optical_constants(table) if isinstance(table, str) else table
    k, notes = found.k, [found.note] if found.note else []
    if found.k_trusted_below_nm is not None:
        k = np.where(found.wavelength_nm > found.k_trusted_below_nm, 0.0, k)
        notes.append(f"k of {found.name} is set to 0 beyond {found.k_trusted_below_nm:g} nm")
    if found.sample != "bulk":
        notes.append(f"n and k of a {found.sample}, not of the bulk: the fraction of crystal counts twice")
    return Inclusion(found.name, found.wavelength_nm, (found.n + 1j * k) ** 2, found.source, tuple(notes))


def confined_inclusions(
    ensemble: Ensemble,
    host_index: float,
    wavelength_nm: npt.ArrayLike,
    *,
    temperature_k: float = 298.0,
    sets: str | Iterable[str] | None = None,
    line_fwhm_mev: float | None = None,
) -> dict[str, Inclusion]:
    """Confined nanocrystals of an ensemble as inclusions, one for each parameter set of their material.

    Mean cross section over mean volume, from `excitons.ensemble_spectrum` in a medium of host_index, is the
    absorption per volume of the dilute film. Im eps follows by `eps_of_dilute`, with Re eps of the bulk
    table: by Kramers and Kronig the change of Im eps of 8.5 nm cubes would move it by up to 0.5 of 5 at the
    edge and by less than 0.25 elsewhere, an error source. So the film has for f -> 0 exactly that absorption,
    and the same local field at every f. The calibration of the absorption is the middle of those on
    record, of which bulk n and k are the strong end.
    """
    nm = np.asarray(wavelength_nm, dtype=float)
    if nm.ndim != 1 or len(nm) < 2 or np.any(np.diff(nm) <= 0):
        raise OptionError("wavelengths that cannot be used", where="confined film", allowed="ascending, nm")
    from perolux.excitons.ensemble_spectra import ensemble_spectrum

    spectra = ensemble_spectrum(
        ensemble,
        HC_EV_NM / nm[::-1],
        temperature_k=temperature_k,
        sets=sets,
        outside_index=host_index,
        line_fwhm_mev=line_fwhm_mev,
    )
    material = str(ensemble.material[0])
    n, k = optical_constants(material).at(nm)
    volume_cm3 = float(ensemble.average(ensemble.volume_nm3)) * _CM3_PER_NM3
    found = {}
    for name, sigma in zip(spectra["set"].values.tolist(), spectra.values[:, ::-1], strict=True):
        eps = eps_of_dilute(sigma / volume_cm3, n**2 - k**2, host_index, nm)
        notes = (
            f"absorption of confined nanocrystals, parameter set {name}, in a medium of index "
            f"{host_index:g}; middle of the calibrations on record",
            "the real part of eps is that of the bulk",
        )
        source = f"excitons room, {material}"
        found[name] = Inclusion(f"{material} nanocrystals ({name})", nm, eps, source, notes, host_index)
    return found
