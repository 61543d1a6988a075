"""The sentences of a report: the summary a chemist reads first, numbers and sizes in words."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from perolux.display.gamut import coverage, gamut_triangle
from perolux.reports.content import ReportContent

__all__ = [
    "Figure",
    "Summary",
    "formula",
    "nearest_primaries",
    "number",
    "plural",
    "summary_of",
    "value_text",
    "with_spread",
]

_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def number(value: float | None, digits: int) -> str:
    """A number with fixed digits and a true minus; an en dash where there is none.

    >>> number(-1.25, 1), number(None, 1)
    ('−1.2', '–')
    """
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:.{digits}f}".replace("-", "−")


def with_spread(mean: float, sd: float | None, digits: int = 4, *, least: float = 1e-7) -> str:
    """A mean and its spread; what is below `least` or 1e-5 of the mean is left out.

    >>> with_spread(5.835, 0.0062), with_spread(1.0, 7e-8), with_spread(4e-18, 0.0)
    ('5.835 ± 0.0062', '1', '0')
    """
    shown = "0" if abs(mean) < least else f"{mean:.{digits}g}"
    return shown if sd is None or sd <= max(least, 1e-5 * abs(mean)) else f"{shown} ± {sd:.2g}"


def formula(text: str) -> str:
    """A composition with its indices set low; fractions in it stay as they are.

    >>> formula("CsPbBr3"), formula("CsPb(Br0.7I0.3)3")
    ('CsPbBr₃', 'CsPb(Br0.7I0.3)₃')
    """
    return re.sub(r"(?<=[A-Za-z)])(\d+)(?![\d.])", lambda m: m.group(1).translate(_SUBSCRIPTS), text)


def plural(count: int, one: str, many: str | None = None) -> str:
    """A count with its noun.

    >>> plural(1, "spectrum", "spectra"), plural(2, "recipe")
    ('1 spectrum', '2 recipes')
    """
    return f"{count} {one if count == 1 else many or one + 's'}"


def value_text(value: dict[str, Any]) -> str:
    """A `Value` (as a dictionary) as text: range, or number with its uncertainty, and unit."""
    if value["low"] is not None:
        text = f"{value['low']:g} to {value['high']:g}"
    elif value["sigma"]:
        text = f"{value['value']:.6g} ± {value['sigma']:.2g}"
    else:
        text = f"{value['value']:.6g}"
    return text.replace("-", "−") + ("" if value["unit"] == "1" else f" {value['unit']}")


@dataclass(frozen=True)
class Figure:
    """One key figure of the summary: name, value, unit and a line of detail."""

    name: str
    value: str
    unit: str
    detail: str


@dataclass(frozen=True)
class Summary:
    """The words of a report; low_nm and high_nm are the ends of the emission."""

    lead: str
    figures: tuple[Figure, ...]
    caveats: tuple[str, ...]
    colour: str
    values: str
    low_nm: float | None
    high_nm: float | None


def summary_of(content: ReportContent) -> Summary:
    """What a chemist wants to know first, from all rows."""
    rows = content.rows
    measured = content.measured
    spectra = [row for row in rows if row["file"] is not None]
    peaks = sorted(row["peak_nm"] for row in measured)
    widths = sorted(row["fwhm_mev"] for row in measured if row.get("fwhm_mev") is not None)
    platelets = [row for row in measured if (row.get("platelet_weight") or 0.0) > 0.5]
    cubes = [row for row in measured if row.get("edge_kind") and row not in platelets]
    intervals = sorted(row["edge_median_nm"] for row in cubes if row["edge_kind"] == "interval")
    bounds = [row["edge_low95_nm"] for row in cubes if row["edge_kind"] == "lower-bound"]
    of_what = f" of {formula(content.material)} nanocrystals" if content.material else ""
    lead = [f"{plural(len(spectra), 'spectrum', 'spectra')}{of_what} went in."]
    if peaks:
        lead = [
            f"{len(measured)} of {plural(len(spectra), 'spectrum', 'spectra')}{of_what} "
            f"{'was' if len(measured) == 1 else 'were'} evaluated: they emit between {peaks[0]:.0f} and "
            f"{peaks[-1]:.0f} nm (median {median(peaks):.0f} nm)"
            + (
                f", {widths[0]:.0f} to {widths[-1]:.0f} meV wide (median {median(widths):.0f} meV)."
                if widths
                else "."
            )
        ]
    if cubes or platelets:
        share = 100 * len(platelets) / max(len(measured), 1)
        lead.append(f"{len(platelets)} ({share:.0f} %) are more probably nanoplatelets than cubes.")
        if intervals:
            ends = f"median edges of {intervals[0]:.1f} to {intervals[-1]:.1f} nm"
            one = len(intervals) == 1
            lead.append(
                f"Of the others, {len(intervals)} {'has' if one else 'have'} a size, with "
                f"{f'a median edge of {intervals[0]:.1f} nm' if one else ends},"
                + (
                    f" and {len(bounds)} only a lower bound, because their emission no longer resolves it."
                    if bounds
                    else "."
                )
            )
        elif bounds:
            lead.append(f"For the other {len(bounds)} the emission gives only a lower bound of the size.")
    lead += _composition_words(content)
    lead += _absorption_words(content)
    lead += _missing_words(rows)
    return Summary(
        lead=" ".join(lead).replace(",.", "."),
        figures=_figures(rows, measured, spectra, peaks, widths, platelets, intervals, bounds),
        caveats=content.caveats,
        colour=_colour_words(measured),
        values=_values_words(content),
        low_nm=peaks[0] if peaks else None,
        high_nm=peaks[-1] if peaks else None,
    )


def _composition_words(content: ReportContent) -> list[str]:
    mixed = sorted(r["halide_fraction_median"] for r in content.measured if r.get("halide_fraction_name"))
    if not mixed:
        return []
    return [
        f"The median {content.fraction_name} runs from {mixed[0]:.2f} to {mixed[-1]:.2f}, but one peak fixes "
        "only a combination of size and composition: read both as a line, not as two numbers."
    ]


def _absorption_words(content: ReportContent) -> list[str]:
    """How many samples have a first exciton, where they lie, and what the sizes made of them."""
    rows = [row for row in content.rows if row.get("absorption_file") is not None]
    if not rows:
        return []
    found = sorted(row["first_exciton_nm"] for row in rows if row.get("first_exciton_nm") is not None)
    words = f"{plural(len(rows), 'sample has', 'samples have')} an absorption spectrum"
    if len(found) > 1:
        words += f", {len(found)} of them a first exciton, between {found[0]:.0f} and {found[-1]:.0f} nm"
    elif found:
        words += f", 1 of them a first exciton, at {found[0]:.0f} nm"
    shifts = [row["stokes_shift_mev"] for row in rows if row.get("stokes_shift_mev") is not None]
    if shifts:
        words += f"; the observed Stokes shift has a median of {number(median(shifts), 0)} meV"
    joint = sum(row.get("size_from") == "emission and absorption" for row in rows)
    if content.material and shifts:
        words += f", and {plural(joint, 'size rests', 'sizes rest')} on emission and absorption together"
    return [words + "."]


def _missing_words(rows: Sequence[dict[str, Any]]) -> list[str]:
    without_recipe = sum("no-recipe" in row["flags"] for row in rows)
    ambiguous = sum("ambiguous-recipe" in row["flags"] for row in rows)
    without_spectrum = sum("no-spectrum" in row["flags"] for row in rows)
    failed = sum(row["status"] == "failed" and row["file"] is not None for row in rows)
    unread = sum(row["status"] == "failed" and row["file"] is None for row in rows)
    copies = sum("identical-spectrum" in row["flags"] for row in rows)
    words = []
    if without_recipe or without_spectrum or ambiguous:
        parts = []
        if without_recipe:
            parts.append(f"{plural(without_recipe, 'spectrum has', 'spectra have')} no recipe")
        if without_spectrum:
            parts.append(f"{plural(without_spectrum, 'recipe has', 'recipes have')} no spectrum")
        if ambiguous:
            parts.append(
                f"{plural(ambiguous, 'sample has', 'samples have')} several recipes, none of them used"
            )
        before = ", ".join(parts[:-1])
        words.append(
            f"{before} and {parts[-1]}; all are shown." if before else f"{parts[-1]}; all are shown."
        )
    if copies:
        words.append(f"{copies} spectra are copies: each agrees with another one at every point.")
    if failed:
        words.append(f"{plural(failed, 'spectrum', 'spectra')} could not be evaluated.")
    if unread:
        words.append(f"The files of {plural(unread, 'sample')} could not be read.")
    return words


def _figures(
    rows: Sequence[dict[str, Any]],
    measured: Sequence[dict[str, Any]],
    spectra: Sequence[dict[str, Any]],
    peaks: Sequence[float],
    widths: Sequence[float],
    platelets: Sequence[dict[str, Any]],
    intervals: Sequence[float],
    bounds: Sequence[float],
) -> tuple[Figure, ...]:
    figures = [
        Figure("Spectra", f"{len(spectra)}", "", f"{len(measured)} with a peak, {len(rows)} samples in all")
    ]
    if peaks:
        energies = (
            f"{max(r['peak_ev'] for r in measured):.2f} to {min(r['peak_ev'] for r in measured):.2f} eV"
        )
        figures.append(Figure("Emission", f"{peaks[0]:.0f}–{peaks[-1]:.0f}", "nm", energies))
    if widths:
        detail = f"middle half {_quantile(widths, 0.25):.0f} to {_quantile(widths, 0.75):.0f} meV"
        figures.append(Figure("Width, median", f"{median(widths):.0f}", "meV", detail))
    if any(row.get("edge_kind") for row in measured):
        size = f"{intervals[0]:.1f}–{intervals[-1]:.1f}" if intervals else "–"
        detail = f"medians, {len(intervals)} with an interval"
        figures.append(Figure("Edge of cubes", size, "nm" if intervals else "", detail))
        detail = f"larger than {min(bounds):.1f} nm or more" if bounds else "every size is an interval"
        figures.append(Figure("Lower bounds only", f"{len(bounds)}", "", detail))
        share = f"{100 * len(platelets) / max(len(measured), 1):.0f} % of the spectra, weight above 0.5"
        figures.append(Figure("Probably platelets", f"{len(platelets)}", "", share))
    excitons = sorted(row["first_exciton_nm"] for row in rows if row.get("first_exciton_nm") is not None)
    if excitons:
        span = f"{excitons[0]:.0f}–{excitons[-1]:.0f}"
        figures.append(Figure("First exciton", span, "nm", f"{len(excitons)} found in absorption"))
    shifts = [row["stokes_shift_mev"] for row in rows if row.get("stokes_shift_mev") is not None]
    if shifts:
        detail = f"{number(min(shifts), 0)} to {number(max(shifts), 0)} meV, as observed"
        figures.append(Figure("Stokes shift, median", number(median(shifts), 0), "meV", detail))
    yields = [row["plqy"] for row in measured if row.get("plqy") is not None]
    if yields:
        detail = f"best of {len(yields)} measured, median {median(yields):.2f}"
        figures.append(Figure("PL quantum yield", f"{max(yields):.2f}", "", detail))
    return tuple(figures)


def _quantile(ordered: Sequence[float], fraction: float) -> float:
    return float(np.quantile(ordered, fraction))


def nearest_primaries(measured: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """For each Rec.2020 primary that is some sample's nearest: the closest sample in u'v'."""
    best: dict[str, dict[str, Any]] = {}
    for row in measured:
        name, distance = row.get("rec2020_nearest"), row.get("rec2020_distance_uv")
        if name and (name not in best or distance < best[name]["rec2020_distance_uv"]):
            best[name] = row
    return {name: best[name] for name in ("red", "green", "blue") if name in best}


def _colour_words(measured: Sequence[dict[str, Any]]) -> str:
    coloured = [row for row in measured if row.get("cie_x") is not None]
    if not coloured:
        return "No sample has a colour."
    best = nearest_primaries(coloured)
    words = [
        f"Colours of {plural(len(coloured), 'sample')}, from the emitted power. Nearest to a primary of "
        "Rec. 2020: "
        + ", ".join(
            f"{name} {row['label']} (Δu′v′ = {row['rec2020_distance_uv']:.3f})" for name, row in best.items()
        )
        + "."
    ]
    if "green" in best and "blue" in best:
        target = gamut_triangle("Rec.2020")
        red = (best["red"]["cie_x"], best["red"]["cie_y"]) if "red" in best else tuple(target[0])
        corners = np.array([red, *((best[name]["cie_x"], best[name]["cie_y"]) for name in ("green", "blue"))])
        uv, xy = coverage(corners, "Rec.2020", "u'v'"), coverage(corners, "Rec.2020", "xy")
        third = "the three" if "red" in best else "these two and the standard's own red primary"
        words.append(
            f"A display of {third} would cover {100 * uv.coverage:.0f} % of Rec. 2020 in u′v′ "
            f"({100 * xy.coverage:.0f} % in xy)."
        )
    return " ".join(words)


def _values_words(content: ReportContent) -> str:
    doubtful = sum(value["kind"] in ("assumed", "recalled") for value in content.values)
    return (
        f"The sizes rest on {plural(len(content.values), 'number')}; {doubtful} of them are assumed or "
        "recalled, that is, chosen by this program or common knowledge not checked against a source; "
        "these stand first."
    )
