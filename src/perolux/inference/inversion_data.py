"""What an inversion takes of a record: the samples in range, their noise, and what lies under them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import InputError, OptionError
from perolux.excitons.assumptions import assumption
from perolux.measured.absorption import NO_MINIMUM, reduce_absorption
from perolux.measured.artefacts import check_values, is_saturated, noise_level
from perolux.measured.noise import estimate_noise
from perolux.measured.peaks import smoothed
from perolux.measured.pl import reduce_pl
from perolux.measured.records import Spectrum
from perolux.quantities.constants import HC_EV_NM

__all__ = ["Record", "record_of"]

FloatArray = npt.NDArray[np.float64]

_LEAST_POINTS = 30
_SCATTER_EXPONENT = 4.0


@dataclass(frozen=True, eq=False)
class Record:
    """Samples (m,) of one spectrum; light is per nm. columns: (m, k), what is added with amounts of 0
    or more (a constant of either sign; in an absorbance scattered light, falling as lambda^-4)."""

    kind: str
    wavelength_nm: FloatArray
    values: FloatArray
    sigma: FloatArray
    columns: FloatArray
    flags: tuple[str, ...]
    where: str


def record_of(
    spectrum: Spectrum,
    range_ev: tuple[float, float],
    range_nm: tuple[float, float] | None = None,
    noise: float | None = None,
) -> Record:
    """The samples between two energies, or between the wavelengths asked for.

    noise: standard deviation in the unit of the values; None: estimated (`measured.noise`), in a PL growing
    with the signal as found, enlarged where neighbouring samples share it. It is never less than
    `prior.spectrum_model_part` of the maximum. Raises `OptionError` for a spectrum of unknown kind or options
    that cannot be used, `InputError` for one that is saturated or has no band or no samples in range.
    """
    where = f"{spectrum.source.path}: {spectrum.label}"
    if spectrum.kind not in ("pl", "absorbance"):
        raise OptionError(
            f"the kind of this spectrum is {spectrum.kind}", where=where, allowed="pl, absorbance",
            fix='say it: read(path, kind="pl"), or --kind pl',
        )  # fmt: skip
    if noise is not None and not (np.isfinite(noise) and noise > 0):
        raise OptionError(f"noise = {noise!r}", where=where, allowed="above 0, in the unit of the values")
    nm, values = spectrum.wavelength_nm, np.asarray(spectrum.values, dtype=float)
    check_values(values, where)
    flags: tuple[str, ...] = spectrum.flags
    if spectrum.kind == "pl":
        reduced = reduce_pl(spectrum)
        flags = reduced.flags
        for flag in ("saturated", "near-zero-signal"):
            if flag in flags:
                raise InputError(reduced.reasons["peak_ev"], where=where, fix="record it again")
        if spectrum.axis_unit != "nm":
            values = spectrum.per_ev()[1][::-1] * HC_EV_NM / nm**2
        height = values - float(np.median(np.r_[values[:8], values[-8:]]))
        smooth, _ = smoothed(height)
        found = estimate_noise(height, smooth)
        shared = 1.0 + 2.0 * float(np.sum(found.correlation[1:]))
        sigma = found.sigma(smooth) * np.sqrt(shared)
    else:
        reduced_edge = reduce_absorption(spectrum)
        doubt = reduced_edge.reasons.get("first_exciton_nm", NO_MINIMUM)
        if NO_MINIMUM not in doubt:
            raise InputError(doubt, where=where, fix='say kind "pl" if it is an emission')
        flags = tuple(flag for flag in reduced_edge.flags if flag != "no-first-exciton")
        if is_saturated(values):
            raise InputError(
                "the top of the absorbance is cut flat", where=where, fix="dilute, record it again"
            )
        sigma = np.full(len(values), noise_level(values))
    if noise is not None:
        sigma = np.full(len(values), float(noise))
    sigma = np.maximum(sigma, assumption("spectrum_model_part").number * float(np.max(np.abs(values))))
    low, high = range_nm or (HC_EV_NM / range_ev[1], HC_EV_NM / range_ev[0])
    inside = (nm >= low) & (nm <= high)
    if np.count_nonzero(inside) < _LEAST_POINTS:
        raise InputError(
            f"{np.count_nonzero(inside)} samples lie between {low:.0f} and {high:.0f} nm", where=where,
            allowed=f"{_LEAST_POINTS} or more", fix="give another range, or check the material",
        )  # fmt: skip
    nm, values, sigma = nm[inside], values[inside], sigma[inside]
    one = np.full(len(nm), float(np.max(np.abs(values))))
    columns = [one, -one]
    if spectrum.kind == "absorbance":
        columns.append(one * (nm / nm[0]) ** -_SCATTER_EXPONENT)
    return Record(spectrum.kind, nm, values, sigma, np.stack(columns, axis=1), tuple(flags), where)
