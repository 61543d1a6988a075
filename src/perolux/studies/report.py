"""From the results of a study to what its report shows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np

from perolux import __version__
from perolux.errors import NotAvailableError
from perolux.reports.content import Absorbance, Curves, Degeneracy, Plane, ReportContent, Variable
from perolux.reports.words import formula, plural
from perolux.studies.conditions import prior_of, temperature_of
from perolux.studies.flags import meaning_of
from perolux.studies.join import Gathered
from perolux.studies.outputs import Finished
from perolux.studies.run import library_versions
from perolux.studies.study import Study

__all__ = ["degeneracy_of", "report_content"]


def report_content(
    study: Study,
    gathered: Gathered,
    finished: Sequence[Finished],
    values: Sequence[dict[str, Any]],
    csv: str,
    now: datetime,
) -> ReportContent:
    """Everything the report shows, as plain data."""
    spec = study.spec
    rows = tuple(one.row for one in finished)
    flags = dict.fromkeys(flag for row in rows for flag in row["flags"])
    return ReportContent(
        title=spec.report.title or spec.study.name,
        name=spec.study.name,
        note=spec.study.note,
        created=now.strftime("%Y-%m-%d %H:%M UTC"),
        version=__version__,
        material=spec.conditions.material,
        temperature_k=temperature_of(spec.conditions),
        temperature_assumed=spec.conditions.temperature_k is None,
        rows=rows,
        variables=tuple(Variable(v.name, v.unit, v.column, v.numeric) for v in gathered.variables),
        curves={
            position: _curves_of(one)
            for position, one in enumerate(finished)
            if one.spectrum is not None or one.absorption is not None
        },
        flag_meanings={flag: meaning_of(flag) for flag in flags},
        csv=csv,
        inputs=study.inputs,
        versions={"perolux": __version__, **library_versions()},
        options=_options(study),
        caveats=_caveats(study, gathered, rows, values),
        conventions=_conventions(study),
        values=tuple(values),
        problems=tuple(
            (problem.where or file, problem.what, problem.fix or "")
            for file, problems in gathered.unreadable
            for problem in problems
        ),
        notes=gathered.notes,
        degeneracy=degeneracy_of(study, rows),
        first_x=spec.report.x,
        composition_label=_middle_composition(rows),
    )


def degeneracy_of(study: Study, rows: Sequence[dict[str, Any]]) -> Degeneracy | None:
    """Size against Stokes shift for the sample in the middle of the sizes (cubes, if there are any).

    S(L) = E_abs(L) - E_peak for each parameter set, with its gap at the middle and the ends of its range.
    None without a material or without a size, and for an open composition, which has no single gap.
    """
    material_name = study.spec.conditions.material
    sized = sorted((row for row in rows if row.get("edge_kind")), key=lambda row: row["edge_median_nm"])
    sized = [row for row in sized if (row["platelet_weight"] or 0.0) < 0.5] or sized
    if material_name is None or not sized:
        return None
    from perolux.excitons.backwards.sizing import absorption_energy_ev
    from perolux.inference.prior import ends
    from perolux.materials import canonical_set, material, parameter_sets, parse_composition

    if parse_composition(material_name).is_open:
        return None
    chosen = sized[len(sized) // 2]
    prior = prior_of(study.spec)
    edges = np.linspace(3.0, 16.0, 131)
    shifts = {}
    # The middle of the softening stands for its range; the sizes themselves are averages over it.
    excess = 0.0 if prior.walls == "hard" else prior.record("hard_wall_excess_ev").number
    known = prior.sets or parameter_sets(material_name)
    try:
        for name in [canonical_set(material_name, one) for one in known]:
            one = material(material_name, temperature_of(study.spec.conditions), name)
            gap = one.gap
            low = gap.low if gap.low is not None else gap.number - (gap.sigma or 0.0)
            high = gap.high if gap.high is not None else gap.number + (gap.sigma or 0.0)
            middle, bottom, top = (
                absorption_energy_ev(edges, one, gap_ev=g, excess_at_4nm_ev=excess) - chosen["peak_ev"]
                for g in (gap.number, low, high)
            )
            shifts[name] = (middle, bottom, top)
    except NotAvailableError:
        return None  # a parameter set without a gap at this temperature: nothing to draw
    prior_range = ends(prior.record("stokes_shift_ev"))
    return Degeneracy(chosen["peak_ev"], chosen["label"], edges, shifts, prior_range)


def _middle_composition(rows: Sequence[dict[str, Any]]) -> str | None:
    """The sample in the middle of the halide fractions; None for a closed composition."""
    mixed = sorted(
        (row for row in rows if row.get("halide_fraction_median") is not None),
        key=lambda row: row["halide_fraction_median"],
    )
    return mixed[len(mixed) // 2]["label"] if mixed else None


def _curves_of(one: Finished) -> Curves:
    spectrum, arrays = one.spectrum, one.arrays
    baseline = arrays.get("baseline")
    return Curves(
        wavelength_nm=None if spectrum is None else spectrum.wavelength_nm,
        values=None if spectrum is None else spectrum.values,
        baseline=one.row.get("baseline_counts") or 0.0,
        baseline_curve=baseline,
        per_unit_of="nm" if spectrum is None else spectrum.axis_unit,
        fit=arrays.get("fit"),
        components=tuple(arrays[name] for name in ("component_1", "component_2") if name in arrays),
        half_ev=tuple(float(edge) for edge in arrays.get("half_ev", ())),
        edge_nm=arrays.get("edge_nm"),
        edge_density=arrays.get("edge_density"),
        absorbance=_absorbance_of(one),
        plane=_plane_of(one),
    )


def _absorbance_of(one: Finished) -> Absorbance | None:
    spectrum = one.absorption
    if spectrum is None or not len(spectrum) or not np.all(np.isfinite(spectrum.values)):
        return None
    return Absorbance(
        spectrum.wavelength_nm,
        spectrum.values,
        one.arrays.get("scatter"),
        one.row.get("first_exciton_ev"),
        one.row.get("first_exciton_sigma_ev"),
    )


def _plane_of(one: Finished) -> Plane | None:
    if "joint_density" not in one.arrays:
        return None
    fraction = one.arrays["halide_fraction"]
    density = one.arrays["joint_density"].reshape(len(fraction), -1)
    return Plane(one.row["halide_fraction_name"], fraction, density)


def _options(study: Study) -> tuple[tuple[str, str], ...]:
    """All settings of the study, defaults included, as text."""
    options = []
    for block, settings in study.spec.model_dump(mode="json").items():
        for key, value in (settings or {}).items():
            if (block, key) != ("study", "note"):
                options.append((f"[{block}] {key}", _shown(value)))
    return tuple(options)


def _shown(value: Any) -> str:
    if value is None:
        return "not given"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return "; ".join(f"{key} = {_shown(item)}" for key, item in value.items()) or "none"
    if isinstance(value, list):
        return "; ".join(_shown(item) for item in value) or "none"
    return str(value)


_SMALL_EDGES = {
    "layers": "Below about 5 nm the edges hang on how far the carriers leak into the ligands and on the "
    "dielectric surroundings, with and without which the sizes are averaged.",
    "softened": "Below about 5 nm the edges hang on how far hard walls and parabolic bands overestimate the "
    "confinement: up to 150 meV at 4 nm, over which the sizes are averaged.",
    "hard": "Below about 5 nm the edges come out too large: hard walls and parabolic bands overestimate the "
    "confinement there.",
}
"""What limits the edges of small nanocrystals, by the walls of the prior."""


def _caveats(
    study: Study, gathered: Gathered, rows: Sequence[dict[str, Any]], values: Sequence[dict[str, Any]]
) -> tuple[str, ...]:
    """What limits the numbers of this study, most important first."""
    caveats = []
    if any(row.get("edge_kind") for row in rows):
        caveats.append(
            "Edge lengths hold if the nanocrystals are cubes, and are intervals: the emission alone cannot "
            "tell size and Stokes shift apart. Where platelets are probable, read the platelet weight first."
        )
        caveats.append(_SMALL_EDGES[study.spec.prior.walls])
        if (study.spec.conditions.material or "").startswith("CsPbBr3"):
            caveats.append(
                f"Published emission of 9.9 to 12.5 nm {formula('CsPbBr3')} lies above this model "
                "(validation rows excitons.T28): edges of larger cubes may come out too small."
            )
    if any(row.get("halide_fraction_median") is not None for row in rows):
        caveats.insert(
            0,
            "Size and composition are degenerate in one peak: a smaller nanocrystal with the halide of the "
            "smaller gap emits like a larger one with less of it. Both intervals hold the whole of that line "
            "and neither median is a measurement.",
        )
    without = sum("no-absorption" in row["flags"] for row in rows)
    apart = sum("absorption-not-used" in row["flags"] for row in rows)
    if study.spec.conditions.material and apart:
        caveats.append(
            f"For {plural(apart, 'sample')} the model cannot explain first exciton and emission together; "
            "the size rests on the emission alone there."
        )
    if study.spec.conditions.material and without:
        caveats.append(
            f"{plural(without, 'sample has', 'samples have')} no absorption spectrum; the size rests on the "
            "emission alone there."
        )
    if study.spec.conditions.material and study.spec.conditions.temperature_k is None:
        temperature = temperature_of(study.spec.conditions)
        caveats.append(f"The temperature was not given; {temperature:g} K is assumed.")
    doubtful = sum(value["kind"] in ("assumed", "recalled") for value in values)
    if doubtful:
        caveats.append(
            f"{doubtful} of the {len(values)} numbers behind the sizes are assumed or recalled; they stand "
            "first in the provenance section."
        )
    spectra = [sample.spectrum for sample in gathered.samples if sample.spectrum is not None]
    if any(spectrum.instrument == "unknown" for spectrum in spectra):
        caveats.append(
            "Files that name no instrument do not say whether the counts were corrected for the spectral "
            "response of the detector; peak, width and colour shift if they were not."
        )
    if study.spec.reduction.calibration_sigma_nm is None:
        caveats.append("The uncertainty of the wavelength calibration was not given and is in no error bar.")
    return tuple(caveats)


def _conventions(study: Study) -> tuple[str, ...]:
    reduction = study.spec.reduction
    medium = (
        "Wavelengths were converted from air to vacuum."
        if reduction.air_to_vacuum
        else "Wavelengths are taken as recorded; no conversion from air to vacuum (−0.7 meV at 2.4 eV)."
    )
    calibration = (
        f"The peak's uncertainty includes {reduction.calibration_sigma_nm:g} nm of wavelength calibration."
        if reduction.calibration_sigma_nm
        else "The uncertainty of the wavelength calibration was not given and is not included."
    )
    absorption = (
        "The first exciton is the minimum of the smoothed second derivative of the absorbance; its standard "
        "deviation holds noise and the choice of the window, no calibration. The steepest slope of the edge "
        "is another quantity.",
        "The Stokes shift is the observed one: first exciton minus emission peak.",
    )
    return (
        *(absorption if study.spec.absorption else ()),
        "Peak and width are those per eV: intensities were multiplied by the Jacobian λ²/(hc). The columns "
        "*_no_jacobian hold the values as recorded.",
        "Widths are full widths at half of the fitted maximum, from local fits, not from the line shape.",
        f"Baseline: {_BASELINES[reduction.baseline]}.",
        medium,
        calibration,
        "Line shapes describe the data; no size follows from them. Extra parameters are taken only where "
        "they lower the AIC by 10 or more.",
        "Edge lengths are those of the core of a cube including both outer half cells, and hold if the "
        "nanocrystals are cubes; the platelet weight says how probable the alternative is.",
        "Colours are computed from power, not photon counts. Swatches are the nearest colours that a screen "
        "can show; most emitters here lie outside its gamut.",
    )


_BASELINES = {
    "ends": "median of the first and last 8 points",
    "linear": "straight line through both ends",
    "arpls": "asymmetrically reweighted penalised least squares (arPLS)",
    "none": "none subtracted",
}
