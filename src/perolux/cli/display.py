"""`perolux display`: from a display's file to gamut, efficacy, lead and lifetime."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace as changed
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from perolux.cli.console import patiently, print_json, print_table, seed_of, terminal_progress
from perolux.errors import OptionError, PeroluxError

if TYPE_CHECKING:
    from perolux.display.stack import DisplayRun
    from perolux.display.stack_file import Stack

__all__ = ["display"]


def display(
    file: Annotated[Path, Parameter(help="a display in TOML (examples/displays)")],
    /,
    *,
    optimise: Annotated[
        bool, Parameter(negative="", help="search [optimise] for gamut against efficacy: the Pareto front")
    ] = False,
    designs: Annotated[int | None, Parameter(help="how many designs to compute; as the file says")] = None,
    workers: Annotated[int | None, Parameter(help="processes; one for each core otherwise")] = None,
    out: Annotated[Path | None, Parameter(help="a new folder for report, pictures and tables")] = None,
    replace: Annotated[bool, Parameter(negative="", help="replace the folder of --out")] = False,
    seed: Annotated[int, Parameter(help="of the photons followed")] = 0,
    json: Annotated[bool, Parameter(negative="", help="print one JSON document")] = False,
) -> None:
    """Gamut, white, lm/W, film, lead, cross-talk and lifetime of a display."""
    from perolux.display.stack import run_stack
    from perolux.display.stack_file import read_stack

    stack = read_stack(file)
    seed_of(seed)
    if out is not None:
        from perolux.studies.growth import require_new_folder

        require_new_folder(
            out, replace=replace, holds=("result.json", "designs.csv" if optimise else "spectra.csv")
        )
    if optimise:
        _optimise(stack, file, designs, workers, seed, out, json)
        return
    if designs is not None or workers is not None:
        raise OptionError("options of a search", where="--designs, --workers", fix="give --optimise as well")
    with _told_of(file):
        found = patiently(lambda: run_stack(stack, file.parent, seed), "computing the display")
    if out is not None:
        from perolux.reports.display import write_display_report

        write_display_report(found, out, file)
    if json:
        print_json(found.as_dict())
    else:
        _show(found, out, file)


@contextmanager
def _told_of(file: Path) -> Iterator[None]:
    """Problems of the parts of a display say in which display they are."""
    try:
        yield
    except PeroluxError as error:
        raise type(error)(
            changed(one, where=": ".join(x for x in (str(file), one.where) if x)) for one in error.problems
        ) from None


def _optimise(
    stack: Stack,
    file: Path,
    designs: int | None,
    workers: int | None,
    seed: int,
    out: Path | None,
    json: bool,
) -> None:
    from perolux.design.display_front import display_front

    if designs is not None and not 16 <= designs <= 1_000_000:
        raise OptionError(f"{designs} designs", where="--designs", allowed="16 to 1000000")
    if workers is not None and not 1 <= workers <= 512:
        raise OptionError(f"{workers} workers", where="--workers", allowed="1 to 512; left out: one a core")
    with _told_of(file):
        found = display_front(
            stack, file.parent, designs=designs, seed=seed, workers=workers, progress=terminal_progress()
        )
    if out is not None:
        from perolux.reports.display_front import write_display_front

        write_display_front(found, out, file, stack.name)
    if json:
        print_json(found.as_dict())
        return
    from perolux.reports.display_front import shown_front

    names, cells = shown_front(found, 20)
    print_table(
        f"{stack.name or file.stem}: {len(found.front)} of {len(found.variables)} designs, none beaten",
        names or [*found.names, "coverage_percent", "lm_per_electrical_w"],
        cells,
        "\n".join(
            (
                *(f"{text}." for text in found.assumptions),
                f"{found.without_white} designs reach no white, cannot be or pass a limit.",
                *([f"report.html, front.csv, designs.csv, front.svg: {out}"] if out is not None else []),
            )
        ),
    )


def _show(found: DisplayRun, out: Path | None, file: Path) -> None:
    from perolux.reports.display_words import rows_of

    record = found.as_dict()
    notes = [
        *(f"rests on {text}" for text in record["rests_on"]),
        *record["warnings"],
        *_verdicts(record),
        *(
            f"T{100 * one['share']:.0f}: {text}"
            for one in record["lifetimes"]
            for text in one["extrapolated"]
        ),
        *(f"{name}: {text}" for name, text in record["missing"].items()),
        *([f"report.html, pictures and tables: {out}"] if out is not None else []),
    ]
    rows: list[list[Any]] = [[name, value, unit] for name, value, unit in rows_of(record)]
    print_table(record["name"] or file.stem, ["quantity", "value", "unit"], rows, "\n".join(notes))


def _verdicts(record: dict[str, Any]) -> list[str]:
    """What the lead of a film in a backlight means; converters have theirs among the warnings."""
    lead = record["film"]["lead"] if record["kind"] == "film" else None
    return [] if lead is None else [f"lead: {lead['verdict']}"]
