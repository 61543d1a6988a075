"""What each route shows of its result: `grown_of` makes a `Grown` of the result of any route."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from statistics import median
from typing import Any

import numpy as np

from perolux.errors import ModelRangeError, NotAvailableError, OptionError, PeroluxError
from perolux.reports.grown import (
    Along,
    Column,
    Course,
    Curve,
    Grown,
    Profile,
    numbers,
    profile_of,
    with_light,
)
from perolux.reports.words import Figure, number
from perolux.synthesis.batch import Batch
from perolux.synthesis.carrier import OnCarrier
from perolux.synthesis.flow import Flow
from perolux.synthesis.inline_spectra import InlineSpectra
from perolux.synthesis.milling import Milled
from perolux.synthesis.platelet_batch import PlateletBatch
from perolux.synthesis.platelets import CLASS_NAMES
from perolux.synthesis.recipe import Event
from perolux.synthesis.routes import Result

__all__ = ["grown_of", "light_of"]

Row = dict[str, Any]
_CELLS_A_BIN = 4
_LAST = "at the last detector"
_LIQUID = "crystals per m3"


def grown_of(result: Result, name: str) -> Grown:
    """The result of a recipe as table, folder and report show it. name: what the recipe is called."""
    spectra, why = light_of(result)
    rows = with_light(result.rows(), spectra)
    if isinstance(result, Flow):
        found = _flow(result, rows, spectra, why, name)
    elif isinstance(result, PlateletBatch):
        found = _platelets(result, rows, spectra, why, name)
    elif isinstance(result, Batch):
        found = _flask(result, rows, spectra, why, name)
    elif isinstance(result, OnCarrier):
        found = _on_carrier(result, rows, spectra, why, name)
    elif isinstance(result, Milled):
        found = _milled(result, rows, spectra, why, name)
    else:
        found = _in_pores(result, rows, spectra, why, name)
    peaks = _peak_course(found)
    courses = (*found.courses, *([] if peaks is None else [peaks]))
    return replace(found, courses=tuple(one for one in courses if _has_values(one)))


def _has_values(course: Course) -> bool:
    return any(np.isfinite(curve.values).any() for curve in course.left)


def light_of(result: Result) -> tuple[InlineSpectra | None, str]:
    """The spectra of a recipe, or why its product has none."""
    try:
        return result.spectra(), ""
    except (NotAvailableError, ModelRangeError, OptionError) as error:
        return None, error.problems[0].what


def _flask(batch: Batch, rows: list[Row], spectra: InlineSpectra | None, why: str, name: str) -> Grown:
    history = batch.history
    nuclei = history.nuclei_per_m3[-1]
    lost = 100.0 * history.dissolved_crystals_per_m3[-1] / nuclei if nuclei > 0 else None
    phases = batch.phases()
    there = ", ".join(f"{one} {100.0 * share:.3g} %" for one, share in phases.items() if share > 5e-4)
    return Grown(
        recipe=batch.recipe,
        name=name,
        along=_through_time(history.time_s, batch.recipe.events),
        rows=rows,
        columns=(
            ("t_s", "t (s)", ".3g", 1.0),
            ("temperature_c", "T (degC)", ".1f", 1.0),
            ("supersaturation", "S", ".3g", 1.0),
            ("nucleation_per_m3_s", "J (1/(m3 s))", ".2e", 1.0),
            ("N_per_m3", "N (1/m3)", ".3g", 1.0),
            ("mean_edge_nm", "edge (nm)", ".2f", 1.0),
            ("cv", "cv", ".3f", 1.0),
            ("yield", "yield (%)", ".1f", 100.0),
        ),
        headline=(
            *_size(rows[-1], "mean_edge_nm", "mean edge"),
            Figure("yield", number(100.0 * rows[-1]["yield"], 1), "%", "of the scarcest ion, in crystals"),
            *_peak(spectra, rows[-1]),
            Figure("dissolved again", number(lost, 1), "%", "of all nuclei: ripening"),
        ),
        sizes=profile_of(
            history.distributions, numbers(rows, "yield"), size="edge", of_all="yield", per=_LIQUID
        ),
        said=_said(rows, "mean_edge_nm", "mean edge"),
        courses=(_edge_course(rows, "mean_edge_nm", "edge"), _drive(rows), _number_and_yield(rows)),
        balances=batch.balances(),
        unit="umol",
        spectra=spectra,
        why=why,
        rests_on=tuple(batch.rests_on()),
        given=batch.constants.from_recipe,
        warnings=batch.warnings,
        equilibrium=phases,
        notes=(f"at equilibrium, constants assumed, of the lead: {there}",),
        extra={
            "phases": phases,
            "chemistry": batch.recipe.chemistry.model_dump(),
            "saturation": batch.saturation(),
            "mass_error": history.mass_error,
        },
    )


def _platelets(
    result: PlateletBatch, rows: list[Row], spectra: InlineSpectra | None, why: str, name: str
) -> Grown:
    history = result.history
    total = float(history.supplied_mol_m3[-1])
    shares = 100.0 * history.amount_mol_m3 / total
    top = int(np.argmax(history.platelet_share))
    when = float(history.time_s[top])
    most = f"of the lead, at {number(when, 1)} s"
    bands = {} if spectra is None or history.platelet_share[top] <= 0 else result.bands_nm(top)
    told = ", ".join(f"{one} {_range(found.values())} nm" for one, found in bands.items())
    cubes = rows[-1]["edge_nm"]["cubes"]
    return Grown(
        recipe=result.recipe,
        name=name,
        along=_through_time(history.time_s, result.recipe.events),
        rows=rows,
        columns=(
            ("t_s", "t (s)", ".3g", 1.0),
            ("supersaturation", "S", ".3g", 1.0),
            ("coverage", "covered (%)", ".0f", 100.0),
            *((f"share.{one}", f"{one} (%)", ".1f", 100.0) for one in CLASS_NAMES),
            ("edge_nm.cubes", "cubes (nm)", ".2f", 1.0),
        ),
        headline=(
            Figure("in platelets", number(100.0 * float(history.platelet_share[top]), 1), "%", most),
            Figure("platelets at the end", number(100.0 * rows[-1]["platelet_share"], 1), "%", "of the lead"),
            Figure("cubes", number(cubes, 2), "nm", "edge of the mean volume, at the end"),
            Figure("yield", number(100.0 * rows[-1]["yield"], 1), "%", "of the scarcest ion, in crystals"),
            *_peak(spectra, rows[-1]),
        ),
        sizes=Profile(
            x=CLASS_NAMES,
            y=shares,
            x_label="monolayers",
            y_label="share of the lead (%)",
            title="Platelets by thickness, and cubes",
            caption="Share of the lead in platelets of 2 to 8 monolayers and in cubes.",
            counts=history.number_per_m3,
            first="class",
            per=_LIQUID,
        ),
        said=tuple(_said_of_platelets(row) for row in rows),
        courses=(
            Course(
                "classes",
                "Shares of the lead against time",
                "Share of the lead in platelets of 2 to 8 monolayers and in cubes.",
                "share of the lead (%)",
                tuple(
                    Curve(one, column)
                    for one, column in zip(CLASS_NAMES, shares.T, strict=True)
                    if column.max() > 0.5
                ),
            ),
            Course(
                "edges",
                "Edges against time",
                "Edge of the mean volume of each class that holds more than 1 % of the lead.",
                "edge (nm)",
                tuple(
                    Curve(one, np.where(shares[:, k] > 1.0, numbers(rows, f"edge_nm.{one}"), np.nan))
                    for k, one in enumerate(CLASS_NAMES)
                    if shares[:, k].max() > 1.0
                ),
            ),
            Course(
                "drive",
                "Supersaturation and ligand layers against time",
                "Supersaturation (blue) and share of wide facets under a ligand layer (orange).",
                "supersaturation",
                (Curve("supersaturation", numbers(rows, "supersaturation")),),
                Curve("covered (%)", numbers(rows, "coverage", 100.0)),
            ),
        ),
        balances=result.balances(),
        unit="umol",
        spectra=spectra,
        why=why,
        rests_on=tuple(result.rests_on()),
        given=result.given,
        warnings=result.warnings,
        notes=(f"bands at {when:.3g} s: {told}",) if bands else (),
        extra={
            "mass_error": history.mass_error,
            "bands": {
                "t_s": when,
                "nm": {
                    one: {"sets": found, "median": median(found.values())} for one, found in bands.items()
                },
            },
        },
        aside=", platelets beside cubes",
    )


def _said_of_platelets(row: Row) -> str:
    if row["yield"] <= 0:
        return "no crystals"
    share, cubes = 100.0 * row["platelet_share"], 100.0 * row["share"]["cubes"]
    mean = "" if row["mean_monolayers"] is None else f" ({row['mean_monolayers']:.1f} ML on average)"
    return f"platelets {share:.1f} %{mean}, cubes {cubes:.1f} %"


def _flow(flow: Flow, rows: list[Row], spectra: InlineSpectra | None, why: str, name: str) -> Grown:
    in_droplets = flow.droplets_per_s is not None
    last = rows[-1]
    place = np.array([at.position_mm for at in flow.detectors])
    span = place[-1] / place[0]
    train = f", {flow.droplets_per_s:.3g} droplets/s" if flow.droplets_per_s is not None else ""
    columns: list[Column] = [
        ("position_mm", "x (mm)", "g", 1.0),
        ("time_s", "t (s)", ".3g", 1.0),
        ("time_sd_s", "sd (s)", ".2g", 1.0),
        ("temperature_c", "T (degC)", ".1f", 1.0),
        ("N_per_m3", "N (1/m3)", ".3g", 1.0),
        ("mean_edge_nm", "mean edge (nm)", ".2f", 1.0),
        ("cv", "cv", ".3f", 1.0),
        ("c_mol_m3", "c (mol/m3)", ".3g", 1.0),
        ("yield", "yield (%)", ".1f", 100.0),
    ]
    if in_droplets:
        columns.append(("nuclei_per_droplet", "nuclei a droplet", ".3g", 1.0))
    ages = 100.0 * last["time_sd_s"] / last["time_s"]
    kind = "from droplet to droplet" if in_droplets else "laminar flow"
    return Grown(
        recipe=flow.recipe,
        name=name,
        along=Along("distance from the inlet", "mm", "Along the tube", place, bool(span > 10), end=_LAST),
        rows=rows,
        columns=tuple(columns),
        headline=(
            *_size(last, "mean_edge_nm", "mean edge", _LAST),
            Figure("yield", number(100.0 * last["yield"], 1), "%", "of the scarcest ion, in crystals"),
            *_peak(spectra, last, _LAST),
            Figure("residence time", number(last["time_s"], 1), "s", f"spread {ages:.2g} %: {kind}"),
        ),
        sizes=profile_of(
            [at.distribution for at in flow.detectors],
            numbers(rows, "yield"),
            size="edge",
            of_all="yield",
            per="crystals per m3 of what reacts",
        ),
        said=tuple(
            f"{row['time_s']:.3g} ± {row['time_sd_s']:.2g} s, {text}"
            for row, text in zip(rows, _said(rows, "mean_edge_nm", "mean edge"), strict=True)
        ),
        courses=(
            _edge_course(rows, "mean_edge_nm", "edge"),
            Course(
                "ages",
                "Residence time along the tube",
                f"Residence time, band: one standard deviation ({kind}).",
                "residence time (s)",
                (Curve("residence time", numbers(rows, "time_s"), numbers(rows, "time_sd_s")),),
            ),
            _number_and_yield(rows),
            Course(
                "left",
                "Monomer and temperature along the tube",
                "Monomer in solution (blue) and temperature of the liquid (orange).",
                "monomer (mol/m³)",
                (Curve("monomer", numbers(rows, "c_mol_m3")),),
                Curve("T (°C)", numbers(rows, "temperature_c")),
            ),
        ),
        balances=flow.balances(),
        unit="umol_min",
        spectra=spectra,
        why=why,
        rests_on=tuple(flow.rests_on()),
        given=flow.constants.from_recipe,
        warnings=flow.warnings,
        notes=tuple(_droplets(row) for row in rows if row["droplets"]),
        extra={
            "velocity_mm_s": 1e3 * flow.velocity_m_s,
            "reynolds": flow.reynolds,
            "flow_ml_min": flow.flow_ml_min,
            "droplets_per_s": flow.droplets_per_s,
        },
        aside=f", {1e3 * flow.velocity_m_s:.3g} mm/s{train}",
    )


def _droplets(row: Row) -> str:
    one = row["droplets"]
    edge = "no crystals" if one["mean_edge_nm"] is None else f"mean edge {one['mean_edge_nm']:.4g} nm"
    return (
        f"single droplets at {row['position_mm']:g} mm: {one['crystals_mean']:.3g} crystals (sd "
        f"{one['crystals_sd']:.2g}), {100 * one['without_crystals']:.3g} % without, {edge}; "
        f"no nucleus in {100 * row['no_nucleus']:.3g} %"
    )


def _milled(result: Milled, rows: list[Row], spectra: InlineSpectra | None, why: str, name: str) -> Grown:
    last = rows[-1]
    # a few cells together: they are narrower than what is known of the powder
    cells = np.arange(0, len(result.cells.pivots), _CELLS_A_BIN)
    held = np.add.reduceat(result.numbers * result.cells.pivots, cells, axis=1)
    edges = np.cbrt(np.append(result.cells.edges[cells], result.cells.edges[-1]))
    light, note = _light(result)
    volume_mean = Figure("by volume", number(last["volume_mean_edge_nm"], 1), "nm", "mean edge, at the end")
    used = Figure("ligand used", number(100.0 * last["ligand_used"], 1), "%", "of the surface it can cover")
    return Grown(
        recipe=result.recipe,
        name=name,
        along=Along("time", "s", "Through time", result.time_s),
        rows=rows,
        columns=result.COLUMNS,
        headline=(*_size(last, "mean_edge_nm", "mean edge"), volume_mean, *_peak(spectra, last), used),
        sizes=Profile(
            x=np.sqrt(edges[1:] * edges[:-1]),
            y=100.0 * held / held.sum(axis=1, keepdims=True) / np.diff(np.log10(edges)),
            x_label="edge (nm)",
            y_label="volume per decade (%)",
            title="Size distribution",
            caption="Size distribution by volume.",
            counts=np.add.reduceat(result.numbers, cells, axis=1),
            first="edge_nm",
            per="crystals per m3 of crystals",
            log=True,
        ),
        said=_said(rows, "mean_edge_nm", "mean edge"),
        courses=(
            Course(
                "edge",
                "Edge length against time",
                "Mean edge by number and by volume.",
                "edge (nm)",
                (
                    Curve("by number", numbers(rows, "mean_edge_nm"), decades=4.0),
                    Curve("by volume", numbers(rows, "volume_mean_edge_nm"), decades=4.0),
                ),
            ),
            Course(
                "ligand",
                "Ligand and breakage against time",
                "Surface over that which the ligand can cover (blue); volume that can still break (orange).",
                "ligand used (%)",
                (Curve("ligand used", numbers(rows, "ligand_used", 100.0)),),
                Curve("can break (% of volume)", numbers(rows, "still_breaking", 100.0)),
            ),
            Course(
                "number",
                "Number and spread against time",
                "Number of crystals per m³ of crystals (blue) and their cv by number (orange).",
                "crystals (1/m³)",
                (Curve("crystals", numbers(rows, "N_per_m3"), decades=12.0),),
                Curve("cv", numbers(rows, "cv")),
            ),
        ),
        balances=result.balances(),
        unit="umol",
        spectra=spectra,
        why=why,
        rests_on=tuple(result.rests_on()),
        given=result.given,
        warnings=result.warnings,
        notes=(note,),
        extra=light,
    )


def _in_pores(result: Any, rows: list[Row], spectra: InlineSpectra | None, why: str, name: str) -> Grown:
    last = rows[-1]
    light, note = _light(result)
    share = "share of what was loaded"
    ended = None if last["pore_limited"] is None else 100.0 * last["pore_limited"]
    return Grown(
        recipe=result.recipe,
        name=name,
        along=Along("time", "s", "Through time", result.time_s, log=False),
        rows=rows,
        columns=result.COLUMNS,
        headline=(
            *_size(last, "mean_diameter_nm", "mean diameter"),
            Figure("crystallised", number(100.0 * last["crystallised"], 1), "%", "of what was loaded"),
            *_peak(spectra, last),
            Figure("ended by the pore", number(ended, 1), "%", "of the crystals; the rest by their supply"),
        ),
        sizes=profile_of(
            result.distributions,
            numbers(rows, "crystallised"),
            size="diameter",
            of_all=share,
            per="crystals per m3 of pores",
        ),
        said=_said(rows, "mean_diameter_nm", "mean diameter"),
        courses=(
            _edge_course(rows, "mean_diameter_nm", "diameter"),
            Course(
                "drying",
                "Drying and crystallisation against time",
                "Share of what was loaded that has crystallised (blue), solvent that has left (orange).",
                "crystallised (%)",
                (Curve("crystallised", numbers(rows, "crystallised", 100.0)),),
                Curve("evaporated (%)", numbers(rows, "evaporated", 100.0)),
            ),
            Course(
                "number",
                "Number against time",
                "Crystals per m³ of pores (blue) and part of them that the pore ended (orange).",
                "crystals (1/m³)",
                (Curve("crystals", numbers(rows, "N_per_m3")),),
                Curve("ended by the pore (%)", numbers(rows, "pore_limited", 100.0)),
            ),
        ),
        balances=result.balances(),
        unit="umol",
        spectra=spectra,
        why=why,
        rests_on=tuple(result.rests_on()),
        given=result.given,
        warnings=result.warnings,
        notes=(note,),
        extra=light,
    )


def _on_carrier(
    result: OnCarrier, rows: list[Row], spectra: InlineSpectra | None, why: str, name: str
) -> Grown:
    """As in a flask, with the places on the grains."""
    flask = _flask(result.batch, rows, spectra, why, name)
    light, note = _light(result)
    taken = number(100.0 * rows[-1]["sites_taken"], 2)
    return replace(
        flask,
        recipe=result.recipe,
        columns=result.COLUMNS,
        headline=(*flask.headline, Figure("places taken", taken, "%", f"on {result.recipe.carrier.salt}")),
        rests_on=tuple(result.rests_on()),
        given=result.given,
        warnings=(
            *result.warnings,
            "the spectra are those of the stirred liquid, as if its grains scattered no light",
        ),
        equilibrium=None,
        notes=(note,),
        extra={"mass_error": result.batch.history.mass_error, **light},
    )


def _light(result: Any) -> tuple[dict[str, Any], str]:
    """Emission at the end without an instrument, as the record holds it, and in words."""
    try:
        light = result.light()
    except PeroluxError as error:
        reason = error.problems[0].what
        return {"light": None, "light_missing": reason}, f"no emission: {reason}"
    of_sets = ", ".join(
        f"{peak:.1f} nm, {light.fwhm_nm.sets[name]:.1f} nm wide ({name})"
        for name, peak in light.peak_nm.sets.items()
    )
    return {"light": light.as_dict(), "light_missing": None}, f"emission: {of_sets}"


def _through_time(time_s: Any, events: Iterable[Event]) -> Along:
    marks = tuple(event.at for event in events if event.at > 0)
    return Along("time", "s", "Through time", np.asarray(time_s, dtype=float), marks=marks)


def _size(last: Row, key: str, name: str, where: str = "at the end") -> tuple[Figure, ...]:
    mean, cv = last[key], last["cv"]
    spread = None if cv is None else 100.0 * cv
    return (
        Figure(name, number(mean, 2), "nm", f"by number, {where}"),
        Figure("spread", number(spread, 1), "%", f"standard deviation over {name}"),
    )


def _peak(spectra: InlineSpectra | None, last: Row, where: str = "at the end") -> tuple[Figure, ...]:
    if spectra is None:
        return ()
    text = _range(x for x in last["pl_peak_nm"]["sets"].values() if x is not None)
    of_sets = "over the parameter sets" if len(spectra.sets) > 1 else f"by {spectra.sets[0]}"
    return (Figure("PL peak", text, "nm", f"{of_sets}, {where}"),)


def _range(values: Iterable[float]) -> str:
    """Least to largest without digits; an en dash where there is none."""
    ordered = [number(x, 0) for x in sorted(values)]
    if not ordered:
        return "–"
    return ordered[0] if ordered[0] == ordered[-1] else f"{ordered[0]} to {ordered[-1]}"


def _said(rows: list[Row], key: str, name: str) -> tuple[str, ...]:
    return tuple(
        "no crystals"
        if row[key] is None or row["cv"] is None
        else f"{name} {row[key]:.2f} nm, spread {100.0 * row['cv']:.1f} %"
        for row in rows
    )


def _edge_course(rows: list[Row], key: str, size: str) -> Course:
    mean = numbers(rows, key)
    return Course(
        "edge",
        f"Mean {size}",
        f"Mean {size}, band: one standard deviation.",
        f"{size} (nm)",
        (Curve(size, mean, mean * numbers(rows, "cv")),),
    )


def _drive(rows: list[Row]) -> Course:
    return Course(
        "drive",
        "Supersaturation and nucleation rate",
        "Supersaturation (blue) and nucleation rate (orange).",
        "supersaturation",
        (Curve("supersaturation", numbers(rows, "supersaturation")),),
        Curve("J (1/(m³ s))", numbers(rows, "nucleation_per_m3_s"), decades=8.0),
    )


def _number_and_yield(rows: list[Row]) -> Course:
    return Course(
        "number",
        "Number and yield",
        "Number of crystals per m³ (blue) and yield (orange).",
        "crystals (1/m³)",
        (Curve("crystals", numbers(rows, "N_per_m3")),),
        Curve("yield (%)", numbers(rows, "yield", 100.0)),
    )


def _peak_course(grown: Grown) -> Course | None:
    if grown.spectra is None:
        return None
    lines = [row["pl_peak_nm"]["sets"] for row in grown.rows]
    return Course(
        "peak",
        "PL peak",
        "PL peak under each parameter set of the material.",
        "PL peak (nm)",
        tuple(
            Curve(one, np.array([np.nan if line[one] is None else line[one] for line in lines]))
            for one in grown.spectra.sets
        ),
    )
