"""A grown recipe as a record and as a folder: tables that open in a spreadsheet, spectra, one report.

rows.csv (against time), sizes.csv (volume distribution), pl.csv and absorbance.csv (one column a time and
parameter set), result.json (all of it, as `perolux grow --json` prints), report.html, and the recipe.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from perolux import __version__
from perolux.errors import ModelRangeError, NotAvailableError, OptionError, OutputError
from perolux.files import sha256_of, whole_folder, write_bytes, write_json, write_text

if TYPE_CHECKING:
    from perolux.synthesis.batch import Batch
    from perolux.synthesis.flow import Flow
    from perolux.synthesis.inline_spectra import InlineSpectra

__all__ = ["growth_record", "light_of", "require_new_folder", "with_light", "write_growth"]


def require_new_folder(out: Path, *, replace: bool) -> None:
    """Raise `OutputError` where the folder is there and not to be replaced, or is no folder of a recipe."""
    if not out.exists():
        return
    ours = out.is_dir() and (out / "result.json").is_file() and (out / "rows.csv").is_file()
    if not (replace and ours):
        fix = "--replace, or another --out" if ours else "another --out: this is no folder of a grown recipe"
        raise OutputError("there is something already", where=str(out), fix=fix)


def light_of(batch: Batch | Flow) -> tuple[InlineSpectra | None, str]:
    """The spectra of a recipe, or why its product has none."""
    try:
        return batch.spectra(), ""
    except (NotAvailableError, ModelRangeError, OptionError) as error:
        return None, error.problems[0].what


def growth_record(batch: Batch, spectra: InlineSpectra | None, why: str, name: str) -> dict[str, Any]:
    """What `perolux grow RECIPE --json` prints: rows over time, final numbers, phases, balances, warnings.

    pl_peak_nm and pl_fwhm_mev of each row: {sets, median}; left out, with the reason in "spectra", where the
    product gives no light.
    """
    rows = with_light(batch.rows(), spectra)
    last = rows[-1]
    return {
        "recipe": name,
        "route": batch.recipe.route,
        "product": batch.recipe.product,
        "rows": rows,
        "final": {
            key: last[key]
            for key in ("t_s", "N_per_m3", "mean_edge_nm", "cv", "yield", "pl_peak_nm", "pl_fwhm_mev")
            if key in last
        },
        "phases": batch.phases(),
        "chemistry": batch.recipe.chemistry.model_dump(),
        "saturation": batch.saturation(),
        "balances": batch.balances(),
        "mass_error": batch.history.mass_error,
        "spectra": {
            "reason": why or None,
            "absorbance_reason": None if spectra is None else spectra.reasons.get("absorbance"),
            "left_out_of_light": None if spectra is None else [float(x) for x in spectra.left_out],
            "conditions": batch.recipe.spectra.model_dump(),
        },
        "kinetics_given": list(batch.constants.from_recipe),
        "rests_on": [value.key for value in batch.rests_on()],
        "warnings": list(batch.warnings),
        "perolux": __version__,
    }


def with_light(rows: list[dict[str, Any]], spectra: InlineSpectra | None) -> list[dict[str, Any]]:
    """Rows with pl_peak_nm and pl_fwhm_mev ({sets, median}), where there are spectra."""
    if spectra is None:
        return rows
    return [
        row | {key: _over_sets(numbers) for key, numbers in line.items()}
        for row, line in zip(rows, spectra.lines(), strict=True)
    ]


def _over_sets(numbers: dict[str, float | None]) -> dict[str, Any]:
    seen = [x for x in numbers.values() if x is not None]
    return {"sets": numbers, "median": median(seen) if seen else None}


def write_growth(
    batch: Batch, spectra: InlineSpectra | None, why: str, out: Path, name: str, recipe: Path
) -> Path:
    """Write the folder of a recipe; it is there whole or not at all."""
    from perolux.reports.growth import render_growth, size_bins

    record = growth_record(batch, spectra, why, name) | {"recipe_sha256": sha256_of(recipe)}
    with whole_folder(out) as folder:
        write_bytes(folder / "recipe.toml", recipe.read_bytes())
        write_json(folder / "result.json", record)
        write_text(folder / "rows.csv", _rows_csv(record["rows"]))
        edges = size_bins(batch)
        counts = [one.counts(0.5e-9 * edges) for one in batch.history.distributions]
        write_text(
            folder / "sizes.csv",
            _columns_csv(
                "edge_nm",
                0.5 * (edges[1:] + edges[:-1]),
                [f"{time:.6g} s (crystals per m3)" for time in batch.history.time_s],
                counts,
            ),
        )
        if spectra is not None:
            heads = [f"{time:.6g} s" for time in spectra.time_s]
            for k, parameter_set in enumerate(spectra.sets):
                suffix = "" if len(spectra.sets) == 1 else f"_{parameter_set}"
                axis = spectra.wavelength_nm
                write_text(
                    folder / f"pl{suffix}.csv", _columns_csv("wavelength_nm", axis, heads, spectra.pl[k])
                )
                if spectra.absorbance is not None:
                    text = _columns_csv("wavelength_nm", axis, heads, spectra.absorbance[k])
                    write_text(folder / f"absorbance{suffix}.csv", text)
        write_text(folder / "report.html", render_growth(batch, spectra, name))
    return out


def _rows_csv(rows: list[dict[str, Any]]) -> str:
    flat = []
    for row in rows:
        one: dict[str, Any] = {}
        for key, value in row.items():
            if isinstance(value, dict):
                one |= {f"{key} ({name})": number for name, number in value["sets"].items()}
            else:
                one[key] = value
        flat.append(one)
    return _csv(list(flat[0]), [list(one.values()) for one in flat])


def _columns_csv(first: str, axis: np.ndarray, heads: list[str], columns: Iterable[np.ndarray]) -> str:
    table = np.column_stack([axis, *columns])
    return _csv([first, *heads], [[f"{x:.6g}" for x in line] for line in table])


def _csv(head: list[str], rows: Iterable[list[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(["" if cell is None else cell for cell in row] for row in rows)
    return text.getvalue()
