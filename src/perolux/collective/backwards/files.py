"""From files to the data of a fit: streak image or series of decays, and the response of the instrument."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from perolux.collective.backwards.data import BurstData, burst_data
from perolux.collective.couplings import FloatArray
from perolux.collective.instruments.response import Blur, GaussianBlur, MeasuredBlur
from perolux.errors import InputError, OptionError
from perolux.measured.streak import TimeTable, read_time_tables
from perolux.photons.instrument_response import measured_response
from perolux.quantities.constants import HC_EV_NM

__all__ = ["data_of", "response_of"]


def response_of(text: str, jitter_ps: float = 0.0) -> Blur:
    """The response of "gaussian:FWHM_PS", or of a file with times and counts (its background taken off).

    >>> response_of("gaussian:3").note
    'Gaussian of 3 ps (FWHM)'
    """
    if text.lower().startswith("gaussian:"):
        try:
            return GaussianBlur(float(text.partition(":")[2]), jitter_ps)
        except ValueError:
            raise OptionError(
                f"no Gaussian: {text!r}", where="--response", allowed="gaussian:FWHM_PS"
            ) from None
    if jitter_ps:
        raise OptionError(
            "a jitter beside a measured response", where="--jitter", fix="the measured one holds it already"
        )
    if not Path(text).exists():
        raise OptionError(
            f"no file {text!r}", where="--response", allowed="gaussian:FWHM_PS, or a file",
            fix="a response of 2 ps (FWHM) is gaussian:2",
        )  # fmt: skip
    table = read_time_tables(Path(text))
    if table.counts.shape[0] != 1:
        raise InputError("several decays in the file of the response", where=text, allowed="times and counts")
    counts = table.counts[0].sum(axis=1)
    step = float(np.diff(table.time_ps).mean())
    if np.ptp(np.diff(table.time_ps)) > 1e-2 * step:
        raise InputError("a response in uneven steps of time", where=text, allowed="even steps")
    found = measured_response(counts, 1e-3 * step)
    even = table.time_ps[0] + step * np.arange(len(counts))
    return MeasuredBlur(even, np.asarray(found.probability * found.counts), found.note)


def data_of(
    path: Path,
    response: Blur,
    *,
    fluences: FloatArray | None = None,
    zero_ps: tuple[float, float] | None = None,
    resolution_nm: float = 0.0,
    same_exposure: bool = False,
    counts_per_photon: float = 1.0,
    time_unit: str | None = None,
    wavelength_unit: str | None = None,
) -> tuple[BurstData, TimeTable]:
    """Data of a fit from a file or folder, and what was read.

    fluences: in place of those of the file. counts_per_photon: of a camera that does not count photons; its
    counts are divided by it, and a noise beyond that of photons widens nothing: `misfit` tells.
    """
    table = read_time_tables(path, time_unit=time_unit, wavelength_unit=wavelength_unit)
    if not 0.0 <= resolution_nm < 1e3:
        raise OptionError(f"{resolution_nm:g} nm", where="--resolution", allowed="0 to 1000 nm")
    if not counts_per_photon > 0.0:
        raise OptionError(f"{counts_per_photon:g} counts per photon", allowed="above 0")
    known = table.fluences if fluences is None else fluences
    if known is None and len(table.counts) > 1:
        raise InputError("several decays without their fluences", where=str(path), fix="--fluences 10,50,250")
    edges = middles_to_edges(table.time_ps)
    counts = table.counts / counts_per_photon
    energies, resolution = None, 0.0
    if table.wavelengths_nm is not None:
        borders = middles_to_edges(table.wavelengths_nm)
        energies = HC_EV_NM / borders[::-1]
        counts = counts[:, :, ::-1]
        middle = float(np.mean(table.wavelengths_nm))
        resolution = 1e3 * HC_EV_NM * resolution_nm / middle**2
    data = burst_data(
        edges, counts, response, fluences=known, fluence_unit=table.fluence_unit, energy_edges_ev=energies,
        resolution_mev=resolution, zero_ps=zero_ps, same_exposure=same_exposure,
    )  # fmt: skip
    return data, table


def middles_to_edges(middles: FloatArray) -> FloatArray:
    """Borders half-way between values (n,), and as far beyond the ends; (n + 1,)."""
    inner = 0.5 * (middles[1:] + middles[:-1])
    return np.concatenate([[2.0 * middles[0] - inner[0]], inner, [2.0 * middles[-1] - inner[-1]]])
