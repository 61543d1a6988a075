"""Emission of populations while they exchange their halides, by the ensemble spectra of `excitons`.

    I(E, t) = sum_i n_i V_i I_i(E; x_i(t)) / sum_i n_i V_i

n_i crystals per litre of mean volume V_i (n_i V_i from the halide count and the lattice constant), each
population with the line of its own sizes and composition. All absorb as their volume and have one quantum
yield; energy transfer, reabsorption and a spread of composition among the crystals of one population (which
the law does not make) are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError
from perolux.excitons import ensemble_spectrum
from perolux.materials import material
from perolux.surface.exchange import Exchange

if TYPE_CHECKING:
    import xarray

__all__ = ["band_peaks_ev", "exchange_spectra"]

FloatArray = npt.NDArray[np.float64]

_PROMINENCE = 0.01
"""A band stands out by this part of the highest point at least."""


def exchange_spectra(
    found: Exchange,
    energy_ev: npt.ArrayLike,
    *,
    line_fwhm_mev: float | None = None,
    outside_index: float | None = None,
) -> xarray.DataArray:
    """Emission of the mixture (1/eV, area 1 over all energies); dimensions set, time, energy.

    energy_ev, line_fwhm_mev, outside_index: as in `excitons.ensemble_spectrum`. A material with one parameter
    set takes part under every name. Raises `NotAvailableError` for populations without ensembles, and what
    the materials raise, for example for chloride and iodide in one crystal.
    """
    import xarray

    rows: list[dict[str, FloatArray]] = []
    for step in range(len(found.time_s)):
        parts, absorbed = [], []
        for one, ensemble in zip(found.populations, found.ensembles(step), strict=True):
            light = ensemble_spectrum(
                ensemble,
                energy_ev,
                "emission",
                temperature_k=found.temperature_k,
                line_fwhm_mev=line_fwhm_mev,
                outside_index=outside_index,
            )
            parts.append({str(name): light.sel(set=name).values for name in light["set"].values})
            cell_nm3 = material(str(ensemble.material[0])).lattice_constant_nm ** 3
            absorbed.append(one.halide_mol_l * cell_nm3)
        weights = np.array(absorbed) / sum(absorbed)
        rows.append(_together(parts, weights))
    names = max(rows, key=len)
    values = [[row.get(name, next(iter(row.values()))) for row in rows] for name in names]
    return xarray.DataArray(
        np.array(values),
        dims=("set", "time", "energy"),
        coords={
            "set": list(names),
            "time": ("time", found.time_s, {"units": "s"}),
            "energy": ("energy", np.asarray(energy_ev, dtype=float), {"units": "eV"}),
        },
        attrs={"units": "1/eV", "long_name": "emission", "temperature_k": found.temperature_k},
        name="emission",
    )


def band_peaks_ev(energy_ev: npt.ArrayLike, emission: npt.ArrayLike) -> FloatArray:
    """Energies of the bands of a spectrum without noise: maxima that stand out by 1 % of the highest.

    energy_ev, emission: (m,). Two bands closer than their widths are one.
    """
    from scipy.signal import find_peaks

    energy, light = (np.asarray(a, dtype=float) for a in (energy_ev, emission))
    if energy.ndim != 1 or energy.shape != light.shape or not np.any(light > 0):
        raise OptionError("a spectrum needs as many intensities as energies, and light in it")
    at, _ = find_peaks(light, prominence=_PROMINENCE * float(light.max()))
    return np.asarray(energy[at])


def _together(parts: list[dict[str, FloatArray]], weights: FloatArray) -> dict[str, FloatArray]:
    """Sum of the parts under each parameter set; those with one set take part under every name."""
    names = max(parts, key=len)
    for part in parts:
        if len(part) > 1 and set(part) != set(names):
            raise OptionError(
                f"the populations have the parameter sets {', '.join(names)} and {', '.join(part)}",
                where="exchange_spectra",
                allowed="materials that share their sets, or have one",
            )
    found = {}
    for name in names:
        lines = [part.get(name, next(iter(part.values()))) for part in parts]
        found[name] = np.asarray(weights @ np.array(lines))
    return found
