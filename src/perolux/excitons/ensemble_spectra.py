"""Absorption and emission of an `Ensemble` of cubes or spheres with all layers of the model.

Every size is a node of a table (`light.spectra.SpectralTable`); its lines are those of `pair_light`, each of
the homogeneous width, with the bulk absorption where they end and its sum below the join (`cross_section`).
Once the table stands, the spectrum of any ensemble of that sort is one product of a vector and a matrix.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

from perolux.ensemble import Ensemble
from perolux.errors import ModelRangeError, NotAvailableError, OptionError
from perolux.excitons.assumptions import assumption
from perolux.excitons.crystal import Crystals
from perolux.excitons.energies import pair_energies
from perolux.excitons.layers import Layers
from perolux.excitons.light.cross_section import integrated_cross_section_cm2_ev, scale_lines_to_bulk
from perolux.excitons.light.rates import local_field, oscillator_strength
from perolux.excitons.light.spectra import (
    SpectralTable,
    emission_table,
    ensemble_absorption,
    ensemble_emission,
    gaussian_line,
    size_nodes,
)
from perolux.excitons.pair_absorption import calibration_range
from perolux.excitons.pair_light import homogeneous_width_mev, optical_surroundings, transition_lines
from perolux.excitons.parameters import ParameterDraws, parameters_of
from perolux.excitons.properties import stokes_shift_ev
from perolux.materials import optical_constants

if TYPE_CHECKING:
    import xarray

    from perolux.ensemble import Ensemble
    from perolux.ensemble.shapes import Shape

__all__ = ["absorption_table", "ensemble_spectrum", "light_table"]

FloatArray = npt.NDArray[np.float64]

_STEP = 0.3
"""Nodes lie at most this part of the homogeneous width apart in energy."""


def ensemble_spectrum(
    ensemble: Ensemble,
    energy_ev: npt.ArrayLike,
    kind: str = "absorption",
    *,
    temperature_k: float = 298.0,
    layers: Layers | None = None,
    sets: str | Iterable[str] | None = None,
    outside_index: float | None = None,
    line_fwhm_mev: float | None = None,
) -> xarray.DataArray:
    """The spectrum of an ensemble of one shape (cube or sphere) and material, under each parameter set.

    energy_ev: ascending photon energies in eV. kind: "absorption" (mean cross section in cm2 for each
    nanocrystal) or "emission" (1/eV, area 1 over all energies; each nanocrystal in proportion to its volume).
    line_fwhm_mev: width of one nanocrystal's line; that on record where None, from 100 K on.
    All numbers at the middle of their ranges. Raises `OptionError` for a mixed ensemble, an unknown kind or
    energies that cannot be used, `NotAvailableError` where the material lacks the numbers (for absorption n
    and k of the bulk; in the cold the width), and `ModelRangeError` where the energies do not fit the table
    of n and k.
    """
    import xarray

    if kind not in ("absorption", "emission"):
        raise OptionError(f"unknown kind of spectrum {kind!r}", allowed="absorption, emission")
    if not isinstance(ensemble, Ensemble):
        raise OptionError(
            f"a {type(ensemble).__name__} is no Ensemble",
            where="ensemble_spectrum",
            fix="make one with perolux.ensemble: sample, quadrature or from_table",
        )
    material, shape = _one_sort(ensemble)
    energy = _checked_energies(energy_ev)
    size = ensemble.edge_a_nm
    make = absorption_table if kind == "absorption" else light_table
    rows, names = [], []
    for parameters in parameters_of(material, temperature_k, sets=sets, draws=0):
        table = make(
            parameters,
            shape,
            (float(size.min()), float(size.max())),
            energy,
            layers,
            outside_index=outside_index,
            line_fwhm_mev=line_fwhm_mev,
        )
        rows.append(
            ensemble_absorption(table, ensemble)
            if kind == "absorption"
            else ensemble_emission(table, ensemble)
        )
        names.append(parameters.set_name)
    unit = "cm2" if kind == "absorption" else "1/eV"
    return xarray.DataArray(
        np.array(rows),
        dims=("set", "energy"),
        coords={"set": names, "energy": ("energy", energy, {"units": "eV"})},
        attrs={"units": unit, "long_name": kind, "temperature_k": temperature_k},
        name=kind,
    )


def absorption_table(
    parameters: ParameterDraws,
    shape: str,
    range_nm: tuple[float, float],
    energy_ev: FloatArray,
    layers: Layers | None = None,
    *,
    outside_index: float | None = None,
    line_fwhm_mev: float | None = None,
) -> SpectralTable:
    """Cross sections (cm2) of sizes within a range on energies (eV); nodes by the volume-equivalent edge."""
    width = _line_fwhm_ev(parameters, energy_ev, line_fwhm_mev)
    sizes, crystals, rows = _nodes(parameters, shape, range_nm, layers, outside_index, width)
    pair = pair_energies(crystals, rows, layers or Layers())
    _, energies, overlaps = transition_lines(crystals, pair)
    inside, index = optical_surroundings(crystals, rows)
    strengths = [
        oscillator_strength(rows["kane_energy"], e, k) for e, k in zip(energies, overlaps, strict=True)
    ]
    area = integrated_cross_section_cm2_ev(
        np.stack(strengths, axis=1), local_field(inside, index**2)[:, None], float(index[0])
    )
    volume = np.broadcast_to(crystals.volume_nm3, sizes.shape)
    joined = scale_lines_to_bulk(
        energy_ev,
        np.stack(energies, axis=1),
        area,
        volume,
        optical_constants(parameters.material.name),
        gap_ev=float(parameters["gap"][0]),
        solvent_index=float(index[0]),
        fwhm_ev=width,
    )
    middle = calibration_range(parameters.material.name, float(index[0])).number
    return SpectralTable(np.cbrt(volume), np.asarray(energy_ev), middle * joined.sigma_cm2, "cm2")


def light_table(
    parameters: ParameterDraws,
    shape: str,
    range_nm: tuple[float, float],
    energy_ev: FloatArray,
    layers: Layers | None = None,
    *,
    outside_index: float | None = None,
    line_fwhm_mev: float | None = None,
) -> SpectralTable:
    """Emission (1/eV, area 1) of sizes within a range: one line of the homogeneous width at each peak."""
    width = _line_fwhm_ev(parameters, energy_ev, line_fwhm_mev)
    _, crystals, rows = _nodes(parameters, shape, range_nm, layers, outside_index, width)
    pair = pair_energies(crystals, rows, layers or Layers())
    peak = pair.exciton_ev - stokes_shift_ev(crystals, rows)
    line = gaussian_line(width)
    edge = np.cbrt(np.broadcast_to(crystals.volume_nm3, peak.shape))
    return emission_table(edge, np.asarray(energy_ev), peak, line)


def _nodes(
    parameters: ParameterDraws,
    shape: str,
    range_nm: tuple[float, float],
    layers: Layers | None,
    outside_index: float | None,
    line_fwhm_ev: float,
) -> tuple[FloatArray, Crystals, ParameterDraws]:
    """Sizes (edge of a cube, diameter of a sphere) near enough to one another, as crystals."""
    low, high = range_nm[0] * (1.0 - 1e-9), range_nm[1] * (1.0 + 1e-9)
    if not 0.0 < low < high:
        raise ModelRangeError(f"sizes from {low:g} to {high:g} nm", allowed="0 < low < high")

    def of(size: FloatArray) -> tuple[Crystals, ParameterDraws]:
        host = parameters.material
        lengths = (size, size, size)
        crystals = Crystals(host.name, cast("Shape", shape), lengths, host.temperature_k, outside_index)
        return crystals, parameters.middle(size.size)

    fine = np.geomspace(low, high, 200)
    crystals, rows = of(fine)
    coarse = pair_energies(crystals, rows, layers or Layers()).exciton_ev
    step = _STEP * line_fwhm_ev
    sizes = size_nodes(low, high, lambda s: np.interp(s, fine, coarse), step)
    return sizes, *of(sizes)


def _line_fwhm_ev(parameters: ParameterDraws, energy_ev: FloatArray, line_fwhm_mev: float | None) -> float:
    """Width (eV) of one nanocrystal's line: as asked for, or on record, which nothing is in the cold."""
    temperature_k, warm = parameters.material.temperature_k, assumption("stokes_shift_from_k").number
    if line_fwhm_mev is None:
        if temperature_k < warm:
            raise NotAvailableError(
                f"below {warm:g} K no width of one nanocrystal is on record",
                where=f"spectrum of an ensemble at {temperature_k:g} K",
                fix="give line_fwhm_mev, the width of one nanocrystal's line in meV",
            )
        return 1e-3 * float(homogeneous_width_mev(parameters)[0])
    if not (isinstance(line_fwhm_mev, int | float) and 0.0 < line_fwhm_mev < np.inf):
        raise OptionError(f"a line {line_fwhm_mev!r} meV wide", where="line_fwhm_mev", allowed="above 0 meV")
    width = 1e-3 * float(line_fwhm_mev)
    if np.max(np.diff(energy_ev)) > width:
        raise OptionError(
            f"energies up to {1e3 * float(np.max(np.diff(energy_ev))):.3g} meV apart do not resolve a line "
            f"{line_fwhm_mev:g} meV wide",
            where="energy_ev",
            fix="give denser energies, or a wider line",
        )
    return width


def _checked_energies(energy_ev: npt.ArrayLike) -> FloatArray:
    try:
        energy = np.asarray(energy_ev, dtype=float)
    except (TypeError, ValueError):
        energy = np.array([np.nan])
    usable = energy.ndim == 1 and energy.size > 1 and np.all(np.isfinite(energy)) and energy.min() > 0.0
    if not (usable and np.all(np.diff(energy) > 0)):
        raise OptionError(
            "the energies cannot be used",
            where="energy_ev",
            allowed="at least two finite photon energies in eV, above 0 and ascending",
        )
    return energy


def _one_sort(ensemble: Ensemble) -> tuple[str, str]:
    shapes, materials = set(ensemble.shape.tolist()), set(ensemble.material.tolist())
    mixed = ensemble.halide_fraction is not None
    if len(shapes) > 1 or len(materials) > 1 or mixed or not shapes <= {"cube", "sphere"}:
        raise OptionError(
            f"an ensemble of {', '.join(sorted(shapes))} of {', '.join(sorted(materials))}",
            where="ensemble_spectrum",
            allowed="cubes or spheres of one material",
            fix="ask for the spectrum of each part and add them with the fractions of their number",
        )
    return materials.pop(), shapes.pop()
