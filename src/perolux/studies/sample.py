"""One sample: from its spectrum to what the nanocrystals are, as a row of results with its curves."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from perolux.errors import PeroluxError
from perolux.journal import Entry
from perolux.studies.absorption import write_absorption, write_stokes_shift

if TYPE_CHECKING:
    from perolux.display.colour import SpectrumColour
    from perolux.inference import SizePosterior, SizePrior
    from perolux.measured.pl import PlResult
    from perolux.measured.records import Spectrum
    from perolux.studies.join import Sample

__all__ = ["BELOW_BULK_WORDS", "Conditions", "characterise_sample", "key_of", "size_text"]

BELOW_BULK_WORDS = "the peak lies below the emission of the bulk, which no size explains"
"""What is said beside a size with the flag `below-bulk`."""
_LIKELY, _POSSIBLE = 0.5, 0.05
"""Platelet weights above which a sample is flagged (a convention)."""


@dataclass(frozen=True)
class Conditions:
    """What is the same for all samples: material (None: no size), temperature in K, prior, reductions."""

    material: str | None
    temperature_k: float
    prior: SizePrior | None
    reduction: tuple[tuple[str, Any], ...] = ()
    absorption: tuple[tuple[str, Any], ...] = ()


def key_of(sample: Sample) -> str:
    """Name of a sample within its run: file and label, which together are unique."""
    return f"{sample.file or sample.absorption_file or ''}\t{sample.label}"


def characterise_sample(sample: Sample, conditions: Conditions) -> Entry:
    """Row and curves of one sample; what fails becomes a flagged row with its reason, never an exception.

    Row: plain JSON with the keys of `columns.COLUMNS` and the recipe; missing is None, with the why in
    `reasons`. Curves: `fit`, `component_1`, `component_2` (in the unit of the recorded values, baseline
    included, on the recorded axis), `baseline` (where it is no constant), `half_ev` (energies of the
    half-height points), `edge_nm`, `edge_density`, `halide_fraction`, `joint_density` (fraction, edge, flat),
    `scatter` (of the absorbance, on its axis).
    """
    row: dict[str, Any] = {
        "label": sample.label,
        "file": sample.file,
        "flags": list(sample.flags),
        "reasons": {},
        "identical_to": list(sample.identical_to),
        "plqy": sample.plqy,
        "recipe": sample.recipe,
        "candidate_recipes": [one.as_dict() for one in sample.candidates],
    }
    arrays: dict[str, npt.NDArray[np.float64]] = {}
    edge: tuple[float | None, float | None] = (None, None)
    if sample.named is not None:
        row["named"] = sample.named
    if sample.absorption is not None:
        row["absorption_file"] = sample.absorption_file
        edge = write_absorption(sample.absorption, dict(conditions.absorption), row, arrays)
    values: tuple[dict[str, Any], ...] = ()
    if sample.spectrum is None:
        what = "photoluminescence spectrum" if sample.absorption is not None else "spectrum"
        row["reasons"]["peak_ev"] = sample.failure or f"no {what} of this sample is among the files"
    else:
        try:
            values = _characterised(sample.spectrum, conditions, edge, row, arrays)
        except PeroluxError as error:
            row["flags"].append("failed")
            row["reasons"]["peak_ev"] = "; ".join(problem.what for problem in error.problems)
        except Exception as error:  # one sample's bug must not cost the others; it is shown, not hidden
            place = traceback.extract_tb(error.__traceback__)[-1]
            row["flags"].append("program-error")
            row["reasons"]["peak_ev"] = f"{type(error).__name__} in {place.name}: {error}"
    if sample.absorption is not None:
        write_stokes_shift(row)
    return Entry(key_of(sample), row, arrays, values)


def _characterised(
    spectrum: Spectrum,
    conditions: Conditions,
    edge: tuple[float | None, float | None],
    row: dict[str, Any],
    arrays: dict[str, npt.NDArray[np.float64]],
) -> tuple[dict[str, Any], ...]:
    """Write what the emission and the first exciton (`edge`, eV with sigma) say; returns what it rests on."""
    from perolux.measured.pl import PL_NUMBERS
    from perolux.studies.describe import describe_pl

    description = describe_pl(
        spectrum,
        material=conditions.material,
        temperature_k=conditions.temperature_k,
        prior=conditions.prior,
        absorption_ev=edge[0],
        absorption_ev_sigma=edge[1],
        **dict(conditions.reduction),
    )
    pl = description.result
    row["flags"] = list(dict.fromkeys([*description.flags, *row["flags"]]))
    row["reasons"].update(pl.reasons)
    row |= {name: getattr(pl, name) for name in PL_NUMBERS}
    row["baseline_method"], row["baseline_counts"] = pl.baseline.method, pl.baseline.counts
    if np.ptp(pl.baseline.curve) > 0:
        arrays["baseline"] = pl.baseline.curve
    if pl.peak_ev is not None:
        arrays["half_ev"] = np.array([edge for edge in pl.half_height_ev if edge is not None])
        _describe_line(spectrum, pl, row, arrays)
    _write_colour(description.colour, row)
    if description.posterior is not None:
        size = description.posterior
        _write_size(size, row)
        arrays["edge_nm"], arrays["edge_density"] = size.edge_nm, size.edge_density
        if size.halide_fraction is not None and size.joint_density is not None:
            arrays["halide_fraction"], arrays["joint_density"] = (
                size.halide_fraction,
                size.joint_density.ravel(),
            )
        if edge[0] is not None:
            row["size_from"] = "emission" if description.absorption_reason else "emission and absorption"
        if description.absorption_reason:
            row["reasons"]["size_from"] = description.absorption_reason
        return tuple(value.as_dict() for value in size.rests_on)
    if conditions.material is None:
        row["reasons"]["size"] = "the study names no material"
    else:
        row["flags"].append("size-unavailable")
        row["reasons"]["size"] = description.size_reason or "no size"
    return ()


def _describe_line(
    spectrum: Spectrum, pl: PlResult, row: dict[str, Any], arrays: dict[str, npt.NDArray[np.float64]]
) -> None:
    """The descriptive line shape, brought to the recorded axis and unit, so that it lies on the data."""
    from perolux.measured.artefacts import without_samples
    from perolux.measured.lineshape import LineFit, describe_line, line_curve
    from perolux.measured.pl import pl_curve

    spikes = np.flatnonzero(np.isin(spectrum.wavelength_nm, pl.cosmic_rays_nm))
    clean = replace(spectrum, values=without_samples(spectrum.values, spikes)) if len(spikes) else spectrum
    energy, density = pl_curve(clean, pl.baseline)
    jacobian = replace(spectrum, values=np.ones_like(spectrum.values)).per_ev()[1]
    # Equal noise per recorded point is noise proportional to the Jacobian per eV.
    line = describe_line(energy, density, weight=1.0 / jacobian)
    arrays["fit"] = (line.curve / jacobian)[::-1] + pl.baseline.curve
    if line.name == "two-gaussians":
        numbers = list(line.parameters.values())
        for position, part in enumerate((numbers[:3], numbers[3:]), 1):
            curve = line_curve(LineFit("gaussian", tuple(part), 0.0, True), energy)
            arrays[f"component_{position}"] = (curve / jacobian)[::-1] + pl.baseline.curve
    row["line_shape"] = line.name
    row["line_parameters"] = line.parameters
    row["line_aic_gain"] = line.aic_gain[line.name]
    row["line_aic_gains"] = line.aic_gain
    row["line_misfit_percent"] = 100.0 * line.relative_misfit


def _write_colour(colour: SpectrumColour, row: dict[str, Any]) -> None:
    """CIE coordinates of the baseline-corrected emission, and its distance to the Rec.2020 primaries."""
    if colour.xy is None or colour.uv_prime is None:
        row["reasons"]["cie_x"] = colour.reason or "no emission, hence no colour"
        return
    from perolux.display.gamut import gamut_triangle

    row["cie_x"], row["cie_y"] = colour.xy
    row["cie_u_prime"], row["cie_v_prime"] = colour.uv_prime
    row["screen_colour"], row["colour_on_screen"] = colour.hex, colour.on_screen
    distances = np.hypot(*(gamut_triangle("Rec.2020", "u'v'") - np.array(colour.uv_prime)).T)
    nearest = int(np.argmin(distances))
    row["rec2020_nearest"] = ("red", "green", "blue")[nearest]
    row["rec2020_distance_uv"] = float(distances[nearest])


def _write_size(size: SizePosterior, row: dict[str, Any]) -> None:
    row["size"] = size.as_dict()
    row["edge_kind"] = size.kind
    row["edge_median_nm"] = size.median_nm
    row["edge_low68_nm"], row["edge_high68_nm"] = size.low68_nm, size.high68_nm
    row["edge_low95_nm"], row["edge_high95_nm"] = size.low95_nm, size.high95_nm
    row["size_spread_median"], row["size_spread_high95"] = size.spread_median, size.spread_high95
    row["platelet_weight"] = size.platelet_weight
    if size.platelets.reason is not None:
        row["reasons"]["platelet_weight"] = size.platelets.reason
    row["size_text"] = size_text(size)
    fraction = row["size"].get("halide_fraction")
    if fraction is not None:
        row["halide_fraction_name"] = fraction["name"]
        for key in ("median", "low95", "high95"):
            row[f"halide_fraction_{key}"] = fraction[key]
    if size.kind == "lower-bound":
        row["flags"].append("size-lower-bound")
        row["reasons"]["edge_high95_nm"] = "the emission does not exclude the largest edge of the prior" + (
            f"; {BELOW_BULK_WORDS}" if "below-bulk" in size.flags else ""
        )
    weight = size.platelet_weight or 0.0
    if weight > _LIKELY:
        row["flags"].append("platelet-likely")
    elif weight > _POSSIBLE:
        row["flags"].append("platelet-possible")


def size_text(size: SizePosterior) -> str:
    """The size in one line: an interval with its median, or a lower bound, each at 95 %."""
    doubt = f"; {BELOW_BULK_WORDS}" if "below-bulk" in size.flags else ""
    if size.kind == "lower-bound" or size.high95_nm is None:
        return f"larger than {size.low95_nm:.1f} nm (95 %){doubt}"
    digits = 1 if size.high95_nm - size.low95_nm >= 0.2 else 2
    low, high, middle = (f"{x:.{digits}f}" for x in (size.low95_nm, size.high95_nm, size.median_nm))
    return f"{low} to {high} nm (95 %), median {middle} nm{doubt}"
