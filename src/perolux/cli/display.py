"""`perolux display`: from a display's file to gamut, efficacy, lead and lifetime."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from perolux.cli.console import patiently, print_json, print_table

if TYPE_CHECKING:
    from perolux.display.stack import DisplayRun

__all__ = ["display"]


def display(
    file: Annotated[Path, Parameter(help="a display in TOML (examples/displays)")],
    /,
    *,
    out: Annotated[Path | None, Parameter(help="a new folder for report, pictures and tables")] = None,
    replace: Annotated[bool, Parameter(negative="", help="replace the folder of --out")] = False,
    seed: Annotated[int, Parameter(help="of the photons followed")] = 0,
    json: Annotated[bool, Parameter(negative="", help="print one JSON document")] = False,
) -> None:
    """Gamut, white, lm/W, film, lead, cross-talk and lifetime of a display."""
    from perolux.display.stack import run_stack
    from perolux.display.stack_file import read_stack

    stack = read_stack(file)
    if out is not None:
        from perolux.studies.growth import require_new_folder

        require_new_folder(out, replace=replace, holds=("result.json", "spectra.csv"))
    found = patiently(lambda: run_stack(stack, file.parent, seed), "computing the display")
    if out is not None:
        from perolux.reports.display import write_display_report

        write_display_report(found, out, file)
    if json:
        print_json(found.as_dict())
    else:
        _show(found, out, file)


def _show(found: DisplayRun, out: Path | None, file: Path) -> None:
    from perolux.reports.display_words import rows_of

    record = found.as_dict()
    notes = [
        *(f"rests on {text}" for text in record["rests_on"]),
        *record["warnings"],
        *(f"{name}: {text}" for name, text in record["missing"].items()),
        *([f"report.html, pictures and tables: {out}"] if out is not None else []),
    ]
    rows: list[list[Any]] = [[name, value, unit] for name, value, unit in rows_of(record)]
    print_table(record["name"] or file.stem, ["quantity", "value", "unit"], rows, "\n".join(notes))
