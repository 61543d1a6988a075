"""A grown recipe as a folder: tables that open in a spreadsheet, spectra, one report.

rows.csv (a row a time or detector), sizes.csv (crystals by size or class), pl.csv and absorbance.csv (one
column a time or detector, one file a parameter set), result.json (all of it, as `perolux grow --json`
prints), report.html, and the recipe.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from perolux.errors import OutputError
from perolux.files import sha256_of, whole_folder, write_bytes, write_json, write_text

if TYPE_CHECKING:
    from perolux.reports.grown import Grown

__all__ = ["require_new_folder", "write_growth"]


def require_new_folder(
    out: Path, *, replace: bool, holds: Sequence[str] = ("result.json", "rows.csv")
) -> None:
    """Raise `OutputError` where the folder is there and not to be replaced, or is none of ours.

    holds: files by which a folder of ours is known. An empty folder is free.
    """
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    ours = all((out / name).is_file() for name in holds)
    if not (replace and ours):
        fix = "--replace, or another --out" if ours else "another --out: this is of something else"
        raise OutputError("there is something already", where=str(out), fix=fix)


def write_growth(grown: Grown, out: Path, recipe: Path) -> Path:
    """Write the folder of a recipe, there whole or not at all. recipe: the file that it was read from."""
    from perolux.reports.growth import render_growth

    labels, sizes, spectra = grown.along.labels, grown.sizes, grown.spectra
    with whole_folder(out) as folder:
        write_bytes(folder / "recipe.toml", recipe.read_bytes())
        write_json(folder / "result.json", grown.record() | {"recipe_sha256": sha256_of(recipe)})
        write_text(folder / "rows.csv", _rows_csv(grown.rows))
        heads = [f"{label} ({sizes.per})" for label in labels]
        write_text(folder / "sizes.csv", _columns_csv(sizes.first, sizes.x, heads, sizes.counts))
        if spectra is not None:
            for kind, values in (("pl", spectra.pl), ("absorbance", spectra.absorbance)):
                if values is None:
                    continue
                for one, of_set in zip(spectra.sets, values, strict=True):
                    suffix = "" if len(spectra.sets) == 1 else f"_{one}"
                    text = _columns_csv("wavelength_nm", spectra.wavelength_nm, labels, of_set)
                    write_text(folder / f"{kind}{suffix}.csv", text)
        write_text(folder / "report.html", render_growth(grown))
    return out


def _rows_csv(rows: list[dict[str, Any]]) -> str:
    """Rows as a table; what stands in a table within a row gets columns of its own."""
    flat = []
    for row in rows:
        one: dict[str, Any] = {}
        for key, value in row.items():
            if isinstance(value, dict):
                within = value.get("sets", value)
                one |= {f"{key} ({name})": number for name, number in within.items()}
            else:
                one[key] = value
        flat.append(one)
    return _csv(list(flat[0]), [list(one.values()) for one in flat])


def _columns_csv(
    first: str, axis: np.ndarray | Sequence[str], heads: list[str], columns: Iterable[np.ndarray]
) -> str:
    names = [one if isinstance(one, str) else f"{one:.6g}" for one in axis]
    table = np.column_stack(list(columns))
    lines = zip(names, table, strict=True)
    return _csv([first, *heads], [[name, *(f"{x:.6g}" for x in line)] for name, line in lines])


def _csv(head: list[str], rows: Iterable[list[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(["" if cell is None else cell for cell in row] for row in rows)
    return text.getvalue()
