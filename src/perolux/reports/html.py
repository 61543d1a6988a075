"""One self-contained HTML file from a `ReportContent`; all text of the user is escaped."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perolux.files import write_text
from perolux.reports.content import ReportContent, variables_of
from perolux.reports.pack import as_script_json, packed_data
from perolux.reports.words import formula, nearest_primaries, number, summary_of, value_text

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["environment", "render_report", "static_text", "value_groups", "write_report"]

_KINDS = {
    "assumed": "choices of this program",
    "recalled": "common knowledge of the field, not verified against a source",
    "derived": "computed from other numbers",
    "read": "seen in the source named",
}
_SHAPES = {
    "gaussian": "one Gaussian",
    "bi-gaussian": "asymmetric Gaussian",
    "voigt": "Voigt",
    "two-gaussians": "two Gaussians",
}


def write_report(content: ReportContent, path: str | Path) -> Path:
    """Render the report and write it atomically."""
    return write_text(path, render_report(content))


def render_report(content: ReportContent) -> str:
    """The report as one HTML document: no request leaves it, no library is embedded.

    Text of the user (labels, notes, recipes, file names) is escaped in the page and in the script's data; a
    content security policy forbids every request besides.
    """
    from markupsafe import Markup

    rows = [_row(position, row, content) for position, row in enumerate(content.rows)]
    by_label = {row["label"]: row for row in rows}
    degeneracy = content.degeneracy
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            c=content,
            s=summary_of(content),
            css=Markup(static_text("report.css")),
            js=Markup(static_text("report.js")),
            data=Markup(as_script_json(packed_data(content))),
            strip=_strip(content),
            rows=rows,
            lonely=[row for row in rows if not row["has_spectrum"] and row["status"] != "failed"],
            unread=[row for row in rows if not row["has_spectrum"] and row["status"] == "failed"],
            failed=[row for row in rows if row["has_spectrum"] and row["status"] == "failed"],
            statuses=list(dict.fromkeys(row["status"] for row in rows)),
            table_columns=_table_columns(content),
            nearest=_nearest(content, by_label),
            degeneracy_id=by_label[degeneracy.label]["id"] if degeneracy else "",
            degeneracy_label=degeneracy.label if degeneracy else "",
            mixed=by_label.get(content.composition_label or ""),
            set_table=_set_table(content),
            flag_groups=_flag_groups(content, rows),
            notes=_grouped_notes(content),
            value_groups=value_groups(content.values),
            csv64=base64.b64encode(content.csv.encode("utf-8")).decode("ascii"),
            csv_name=re.sub(r"[^\w.-]+", "-", content.name, flags=re.ASCII).strip("-.") + "-results.csv",
        )
    )


@cache
def environment() -> Environment:
    """The template environment of all reports: what a template prints is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("perolux.reports", "templates"), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["num"] = number
    environment.filters["formula"] = formula
    return environment


def static_text(name: str) -> str:
    """A file that stands beside the templates, such as the style sheet."""
    return files("perolux.reports").joinpath("templates", name).read_text("utf-8")


def _strip(content: ReportContent) -> list[str]:
    ordered = sorted(content.measured, key=lambda row: row["peak_nm"])
    return [row["screen_colour"] for row in ordered if row.get("screen_colour")]


def _table_columns(content: ReportContent) -> list[dict[str, Any]]:
    fixed = [
        ("sample", False),
        ("status", False),
        ("peak (nm)", True),
        ("peak (eV)", True),
        ("width (meV)", True),
        ("width (nm)", True),
    ]
    if _sized(content):
        fixed += [("edge of a cube (nm), 95 %", True), ("platelet weight", True)]
    if _with_yield(content):
        fixed += [("PLQY", True)]
    fixed += [("SNR", True)]
    if content.has_absorption:
        fixed += [("first exciton (nm)", True), ("Stokes shift (meV)", True)]
    if content.fraction_name:
        fixed += [(f"{content.fraction_name}, 95 %", True)]
    recipe = [(variable.title, variable.numeric) for variable in content.variables]
    return [{"title": title, "numeric": numeric} for title, numeric in [*fixed, *recipe, ("flags", False)]]


def _row(position: int, row: dict[str, Any], content: ReportContent) -> dict[str, Any]:
    variables = variables_of(row)
    cells = [
        _cell(row["status"].replace("-", " "), numeric=False),
        _cell(number(row.get("peak_nm"), 1)),
        _cell(number(row.get("peak_ev"), 4)),
        _cell(number(row.get("fwhm_mev"), 1)),
        _cell(number(row.get("fwhm_nm"), 1)),
        *_size_cells(row, content),
        *([_cell(number(row.get("plqy"), 3))] if _with_yield(content) else []),
        _cell(number(row.get("snr"), 0)),
        *_more_cells(row, content),
        *(_recipe_cell(variables.get(variable.column), variable.numeric) for variable in content.variables),
        _cell(", ".join(flag.replace("-", " ") for flag in row["flags"]), numeric=False),
    ]
    return {
        "i": position,
        "id": f"s{position}",
        "label": row["label"],
        "file": row["file"] or "",
        "status": row["status"],
        "colour": row.get("screen_colour"),
        "has_spectrum": row["file"] is not None or row.get("absorption_file") is not None,
        "has_plane": row.get("halide_fraction_median") is not None,
        "plane_words": _plane_words(row),
        "absorption_file": row.get("absorption_file") or "",
        "cells": cells,
        "headline": _headline(row),
        "facts": _facts(row, content),
        "flags": [
            {"name": flag.replace("-", " "), "meaning": content.flag_meanings[flag]} for flag in row["flags"]
        ],
        "why": row["reasons"].get("peak_ev", "no peak was found"),
        "no_size": row["reasons"].get("size") or row["reasons"].get("peak_ev") or "no size",
        "spectrum_words": _spectrum_words(row),
        "posterior_words": f"Posterior of the edge length: {row['size_text']}"
        if row.get("size_text")
        else "",
        "recipe_words": _recipe_words(row, content)
        or " / ".join(f"{name} {words}" for name, words in _candidate_facts(row, content)),
    }


def _sized(content: ReportContent) -> bool:
    """True where the study asks for sizes, so that a missing one is worth a column."""
    return content.material is not None


def _with_yield(content: ReportContent) -> bool:
    return any(row.get("plqy") is not None for row in content.rows)


def _size_cells(row: dict[str, Any], content: ReportContent) -> list[dict[str, Any]]:
    if not _sized(content):
        return []
    return [
        _cell(_edge_text(row), sort=_edge_order(row)),
        _cell(number(row.get("platelet_weight"), 2), sort=_sort_number(row.get("platelet_weight"))),
    ]


def _more_cells(row: dict[str, Any], content: ReportContent) -> list[dict[str, Any]]:
    cells = []
    if content.has_absorption:
        cells += [
            _cell(number(row.get("first_exciton_nm"), 1)),
            _cell(number(row.get("stokes_shift_mev"), 0), sort=_sort_number(row.get("stokes_shift_mev"))),
        ]
    if content.fraction_name:
        middle = row.get("halide_fraction_median")
        cells.append(_cell(_fraction_text(row) if middle is not None else "–", sort=_sort_number(middle)))
    return cells


def _fraction_text(row: dict[str, Any]) -> str:
    low, high = row["halide_fraction_low95"], row["halide_fraction_high95"]
    return f"{row['halide_fraction_median']:.2f} ({low:.2f} to {high:.2f})"


def _plane_words(row: dict[str, Any]) -> str:
    if row.get("halide_fraction_median") is None:
        return ""
    return f"Posterior over size and composition: {row['halide_fraction_name']} {_fraction_text(row)}"


def _cell(text: str, *, numeric: bool = True, sort: str | None = None) -> dict[str, Any]:
    return {"text": text, "numeric": numeric, "sort": sort}


def _recipe_cell(value: Any, numeric: bool) -> dict[str, Any]:
    return _cell("–" if value is None else _recipe_value(value), numeric=numeric)


def _recipe_value(value: Any) -> str:
    return f"{value:.4g}".replace("-", "−") if isinstance(value, float) else str(value)


def _sort_number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _edge_text(row: dict[str, Any]) -> str:
    if row.get("edge_kind") is None:
        return "–"
    if row["edge_kind"] == "lower-bound":
        return f"> {row['edge_low95_nm']:.1f}"
    return f"{row['edge_median_nm']:.1f} ({row['edge_low95_nm']:.1f} to {row['edge_high95_nm']:.1f})"


def _edge_order(row: dict[str, Any]) -> str:
    return _sort_number(row.get("edge_median_nm"))


def _headline(row: dict[str, Any]) -> str:
    if row.get("peak_ev") is None:
        exciton = row.get("first_exciton_nm")
        emission = "no emission" if row["file"] is None else "emission not evaluated"
        return "not evaluated" if exciton is None else f"first exciton {exciton:.1f} nm, {emission}"
    width = "" if row.get("fwhm_mev") is None else f", {row['fwhm_mev']:.0f} meV wide"
    return f"{row['peak_nm']:.1f} nm{width}"


def _spectrum_words(row: dict[str, Any]) -> str:
    if row["file"] is None:
        return "Absorbance; there is no emission spectrum"
    if row.get("peak_ev") is None:
        return "Spectrum without an evaluated peak"
    return f"Spectrum with its fit: peak {row['peak_ev']:.4f} eV, width {number(row.get('fwhm_mev'), 1)} meV"


def _facts(row: dict[str, Any], content: ReportContent) -> list[tuple[str, str]]:
    facts: list[tuple[str, str]] = []
    if row.get("peak_ev") is not None:
        sigma, width_sigma = row.get("peak_ev_sigma"), row.get("fwhm_mev_sigma")
        facts.append(
            (
                "Peak",
                f"{row['peak_ev']:.4f}{'' if sigma is None else f' ± {max(sigma, 5e-5):.4f}'} eV, "
                f"{row['peak_nm']:.2f} nm",
            )
        )
        if row.get("fwhm_mev") is not None:
            uncertain = "" if width_sigma is None else f" ± {max(width_sigma, 0.05):.1f}"
            facts.append(("Width", f"{row['fwhm_mev']:.1f}{uncertain} meV, {row['fwhm_nm']:.2f} nm"))
        else:
            facts.append(("Width", row["reasons"].get("fwhm_mev", "none")))
        facts.append(
            (
                "As recorded",
                f"{number(row.get('peak_nm_no_jacobian'), 2)} nm, "
                f"{number(row.get('fwhm_mev_no_jacobian'), 1)} meV wide (no Jacobian)",
            )
        )
        facts.append(("Signal", f"signal to noise {number(row.get('snr'), 0)}"))
    elif row["file"] is not None:
        facts.append(("Peak", f"none: {row['reasons'].get('peak_ev', 'not found')}"))
    if row.get("line_shape"):
        gain = row["line_aic_gain"]
        better = f", AIC {gain:.0f} below one Gaussian" if gain > 0 else ""
        misfit = f"{row['line_misfit_percent']:.1f} % misfit"
        facts.append(("Line shape", f"{_SHAPES[row['line_shape']]}, {misfit}{better}"))
    facts += _absorption_facts(row)
    if row.get("size_text"):
        facts.append(("Size as a cube", row["size_text"]))
        if row.get("size_from"):
            why = row["reasons"].get("size_from")
            facts.append(("Size from", row["size_from"] + (f" alone: {why}" if why else "")))
        if row.get("halide_fraction_median") is not None:
            name = row["halide_fraction_name"]
            facts.append((name[:1].upper() + name[1:], f"{_fraction_text(row)}, degenerate with the size"))
        if (row["platelet_weight"] or 0.0) > 0.01:
            facts.append(("Platelets", f"weight {row['platelet_weight']:.2f}{_layer_words(row)}"))
    elif row.get("peak_ev") is not None and content.material:
        facts.append(("Size", row["reasons"].get("size", "none")))
    if row.get("cie_x") is not None:
        near = row.get("rec2020_nearest")
        facts.append(
            (
                "Colour",
                f"x {row['cie_x']:.4f}, y {row['cie_y']:.4f}"
                + (f"; {row['rec2020_distance_uv']:.3f} in u′v′ from Rec. 2020 {near}" if near else ""),
            )
        )
    if row.get("plqy") is not None:
        facts.append(("PLQY", f"{row['plqy']:.3f} (from the recipe table)"))
    if row.get("identical_to"):
        facts.append(("Same spectrum", f"point by point that of {', '.join(row['identical_to'])}"))
    facts += _candidate_facts(row, content)
    words = _recipe_words(row, content)
    if words or (content.has_recipes and not row.get("candidate_recipes")):
        named = row.get("recipe") is None and bool(words)
        facts.append(("From the name" if named else "Recipe", words or "none in the table"))
    return facts


def _absorption_facts(row: dict[str, Any]) -> list[tuple[str, str]]:
    if row.get("absorption_file") is None:
        return []
    if row.get("first_exciton_ev") is None:
        return [("First exciton", row["reasons"].get("first_exciton_ev", "none"))]
    facts = [
        (
            "First exciton",
            f"{row['first_exciton_ev']:.4f} ± {row['first_exciton_sigma_ev']:.4f} eV, "
            f"{row['first_exciton_nm']:.2f} nm",
        )
    ]
    if row.get("steepest_slope_nm") is not None:
        facts.append(("Steepest slope", f"{row['steepest_slope_nm']:.1f} nm, another quantity"))
    if row.get("stokes_shift_mev") is not None:
        shift, sigma = row["stokes_shift_mev"], row["stokes_shift_sigma_mev"]
        facts.append(("Stokes shift", f"{number(shift, 1)} ± {sigma:.1f} meV, observed"))
    if row.get("scatter_exponent") is not None:
        facts.append(("Scattering", f"λ to the power of −{row['scatter_exponent']:.1f} below the gap"))
    return facts


def _layer_words(row: dict[str, Any]) -> str:
    """The most probable number of layers by each ladder; the ladders are rivals and may disagree."""
    layers = (row.get("size") or {}).get("platelet_layers", {})
    by_number: dict[str, list[str]] = {}
    for ladder, weights in layers.items():
        if weights:
            n, weight = max(weights.items(), key=lambda item: item[1])
            by_number.setdefault(n, []).append(f"{ladder} {weight:.2f}")
    words = [f"{n} layers ({', '.join(ladders)})" for n, ladders in by_number.items()]
    return f"; then {' or '.join(words)}" if words else ""


def _candidate_facts(row: dict[str, Any], content: ReportContent) -> list[tuple[str, str]]:
    """The recipes of this name where there are several: all of them, none is used."""
    facts = []
    for one in row.get("candidate_recipes") or ():
        words = _recipe_words({"recipe": one["recipe"]}, content) or "all cells are empty"
        if one["plqy"] is not None:
            words += f" · PLQY {one['plqy']:.3f}"
        facts.append((f"Recipe, line {one['line']}?", words))
    return facts


def _recipe_words(row: dict[str, Any], content: ReportContent) -> str:
    variables = variables_of(row)
    parts = []
    for variable in content.variables:
        value = variables.get(variable.column)
        if value is not None:
            parts.append(
                f"{variable.name} {_recipe_value(value)}{f' {variable.unit}' if variable.unit else ''}"
            )
    return " · ".join(parts)


def _nearest(content: ReportContent, by_label: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "primary": primary,
            "id": by_label[row["label"]]["id"],
            "label": row["label"],
            "colour": row.get("screen_colour"),
            "x": row["cie_x"],
            "y": row["cie_y"],
            "distance": row["rec2020_distance_uv"],
            "peak_nm": row["peak_nm"],
            "fwhm_nm": row.get("fwhm_nm"),
        }
        for primary, row in nearest_primaries(content.measured).items()
    ]


def _set_table(content: ReportContent) -> list[dict[str, Any]]:
    if content.degeneracy is None:
        return []
    row = next(row for row in content.rows if row["label"] == content.degeneracy.label)
    sets = (row.get("size") or {}).get("sets", {})
    return [{"name": name, **entry} for name, entry in sets.items()]


def _flag_groups(content: ReportContent, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    groups = []
    for flag, meaning in content.flag_meanings.items():
        samples = [row for row, raw in zip(rows, content.rows, strict=True) if flag in raw["flags"]]
        groups.append({"name": flag.replace("-", " "), "meaning": _sentence(meaning), "samples": samples})
    return sorted(groups, key=lambda group: -len(group["samples"]))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".")


def _grouped_notes(content: ReportContent) -> list[tuple[str, str]]:
    """Notes of the readers; what is said of many files is said once."""
    files_of: dict[str, list[str]] = {}
    for where, note in content.notes:
        files_of.setdefault(note, []).append(where)
    return [
        (places[0] if len(places) == 1 else f"{len(places)} files, {places[0]} to {places[-1]}", note)
        for note, places in files_of.items()
    ]


def value_groups(values: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The values (as dictionaries) that results rest on, gathered by kind, what is least certain first."""
    kept = list(values)
    groups = []
    for kind, meaning in _KINDS.items():
        entries = [
            {
                "key": value["key"],
                "set": value["parameter_set"] or "",
                "text": value_text(value),
                "source": value["source"],
                "note": value["note"],
            }
            for value in kept
            if value["kind"] == kind
        ]
        if entries:
            groups.append({"kind": kind, "meaning": meaning, "entries": entries})
    return groups
