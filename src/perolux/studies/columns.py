"""The columns of a results table: name (which carries the unit), what it means, how it is shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from perolux.studies.join import RecipeVariable

__all__ = ["ABSORPTION_COLUMNS", "COLUMNS", "COMPOSITION_COLUMNS", "Column", "all_columns", "flat_row"]


@dataclass(frozen=True)
class Column:
    """name: key in every table; unit as text; meaning: one line; kind: "number" or "text"."""

    name: str
    unit: str
    meaning: str
    kind: str = "number"


COLUMNS: tuple[Column, ...] = (
    Column("label", "", "name of the sample", "text"),
    Column("file", "", "file of the spectrum, relative to the study", "text"),
    Column("status", "", "ok, flagged, failed or no-spectrum", "text"),
    Column("flags", "", "what to know about this row, from the documented list", "text"),
    Column("reasons", "", "why a number is missing", "text"),
    Column("identical_to", "", "samples whose spectrum is the same point by point", "text"),
    Column(
        "candidate_recipes",
        "",
        "all recipes of this name, where there are several",
        "text",
    ),
    Column("peak_ev", "eV", "PL peak per eV, with the Jacobian"),
    Column("peak_ev_sigma", "eV", "standard deviation of peak_ev"),
    Column("fwhm_mev", "meV", "full width at half maximum per eV, with the Jacobian"),
    Column("fwhm_mev_sigma", "meV", "standard deviation of fwhm_mev"),
    Column("peak_nm", "nm", "hc / peak_ev"),
    Column("fwhm_nm", "nm", "distance in wavelength of the half-height points of fwhm_mev"),
    Column("peak_nm_no_jacobian", "nm", "PL peak as recorded, reference procedure"),
    Column("fwhm_nm_no_jacobian", "nm", "width as recorded, reference procedure"),
    Column("fwhm_mev_no_jacobian", "meV", "width as recorded, half-height points converted to energy"),
    Column("integrated", "recorded unit x nm", "area above the baseline"),
    Column("snr", "1", "signal to noise: maximum above the baseline over the scatter of the ends"),
    Column("baseline_method", "", "how the baseline was found", "text"),
    Column("baseline_counts", "recorded unit", "the baseline"),
    Column("line_shape", "", "descriptive line shape chosen by AIC", "text"),
    Column("line_aic_gain", "1", "by how much the AIC of line_shape lies below that of one Gaussian"),
    Column("line_misfit_percent", "% of maximum", "root mean square residual of line_shape"),
    Column(
        "edge_kind", "", "interval, or lower-bound where the emission no longer resolves the size", "text"
    ),
    Column("edge_median_nm", "nm", "median of the edge length, conditional on cubes"),
    Column("edge_low68_nm", "nm", "lower end of the 68 % interval"),
    Column("edge_high68_nm", "nm", "upper end of the 68 % interval; empty for a lower bound"),
    Column("edge_low95_nm", "nm", "lower end of the 95 % interval, or the 95 % lower bound"),
    Column("edge_high95_nm", "nm", "upper end of the 95 % interval; empty for a lower bound"),
    Column("size_spread_median", "1", "median of the relative spread of the edge"),
    Column("size_spread_high95", "1", "95 % upper bound of the relative spread of the edge"),
    Column("platelet_weight", "1", "probability of nanoplatelets against cubes"),
    Column("size_text", "", "the size in words", "text"),
    Column("cie_x", "1", "CIE 1931 x of the emission"),
    Column("cie_y", "1", "CIE 1931 y of the emission"),
    Column("cie_u_prime", "1", "CIE 1976 u' of the emission"),
    Column("cie_v_prime", "1", "CIE 1976 v' of the emission"),
    Column("screen_colour", "", "nearest colour that a screen (sRGB) can show, as hex", "text"),
    Column("rec2020_nearest", "", "nearest primary of Rec.2020 in u'v'", "text"),
    Column("rec2020_distance_uv", "1", "distance to that primary in u'v'"),
    Column("plqy", "1", "PL quantum yield of the recipe table, a fraction"),
)


ABSORPTION_COLUMNS: tuple[Column, ...] = (
    Column("absorption_file", "", "file of the absorption spectrum, relative to the study", "text"),
    Column("first_exciton_nm", "nm", "first exciton: minimum of the second derivative of the absorbance"),
    Column("first_exciton_ev", "eV", "hc / first_exciton_nm"),
    Column("first_exciton_sigma_ev", "eV", "its standard deviation: noise and choice of the window"),
    Column("steepest_slope_nm", "nm", "steepest fall of the absorbance edge, another quantity"),
    Column("scatter_exponent", "1", "p of the scattering a lambda^-p + c below the gap"),
    Column("stokes_shift_mev", "meV", "observed Stokes shift: first_exciton_ev minus peak_ev"),
    Column("stokes_shift_sigma_mev", "meV", "standard deviation of stokes_shift_mev as measured"),
    Column("size_from", "", "what the size rests on: emission, or emission and absorption", "text"),
)
"""Columns of a study with absorption spectra."""

COMPOSITION_COLUMNS: tuple[Column, ...] = (
    Column("halide_fraction_name", "", "which halide halide_fraction_* counts, as a fraction of all", "text"),
    Column("halide_fraction_median", "1", "median of the halide fraction; degenerate with the size"),
    Column("halide_fraction_low95", "1", "lower end of its 95 % interval"),
    Column("halide_fraction_high95", "1", "upper end of its 95 % interval"),
)
"""Columns of a study of an open composition."""


def all_columns(
    variables: Iterable[RecipeVariable],
    set_names: Iterable[str],
    *,
    absorption: bool = False,
    composition: bool = False,
) -> tuple[Column, ...]:
    """All columns of a study: the fixed ones, absorption and composition where the study has them, the
    median edge by parameter set, the variables of recipes and names."""
    by_set = [
        Column(f"edge_median_nm [{name}]", "nm", f"median edge with the parameter set {name} alone")
        for name in set_names
    ]
    recipe = [
        Column(v.column, v.unit, _ORIGINS[v.origin], "number" if v.numeric else "text") for v in variables
    ]
    more = (*(ABSORPTION_COLUMNS if absorption else ()), *(COMPOSITION_COLUMNS if composition else ()))
    return (*COLUMNS, *more, *by_set, *recipe)


_ORIGINS = {"recipe": "recipe variable", "name": "read from the name of the sample"}


def flat_row(row: dict[str, Any], columns: Iterable[Column]) -> dict[str, Any]:
    """A row of results as one flat record in the order of the columns; missing is None."""
    sets = (row.get("size") or {}).get("sets", {})
    variables = {**(row.get("recipe") or {}), **(row.get("named") or {})}
    flat: dict[str, Any] = {}
    for column in columns:
        if column.name.startswith("edge_median_nm ["):
            flat[column.name] = sets.get(column.name[len("edge_median_nm [") : -1], {}).get("median")
        elif column.name.startswith(("recipe: ", "name: ")):
            flat[column.name] = variables.get(column.name)
        elif column.name == "flags":
            flat["flags"] = " ".join(row["flags"])
        elif column.name == "reasons":
            flat["reasons"] = "; ".join(_reasons(row["reasons"]))
        elif column.name == "identical_to":
            flat["identical_to"] = "; ".join(row.get(column.name) or ()) or None
        elif column.name == "candidate_recipes":
            flat["candidate_recipes"] = " | ".join(map(_candidate, row.get(column.name) or ())) or None
        else:
            flat[column.name] = row.get(column.name)
    return flat


def _candidate(candidate: dict[str, Any]) -> str:
    """One candidate recipe in words: line of the table, then what its cells say."""
    said = {name.removeprefix("recipe: "): value for name, value in candidate["recipe"].items()}
    said |= {"PLQY": candidate["plqy"]}
    cells = [
        f"{name} = {f'{value:.10g}' if isinstance(value, float) else value}"
        for name, value in said.items()
        if value is not None
    ]
    return f"line {candidate['line']}: {'; '.join(cells)}"


def _reasons(reasons: dict[str, str]) -> list[str]:
    """Reasons in words, each once with all the numbers it explains."""
    grouped: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        grouped.setdefault(reason, []).append(name)
    return [f"{', '.join(names)}: {reason}" for reason, names in grouped.items()]
