"""`perolux characterise`, `perolux demo`, `perolux schema`: the main job on a folder of spectra."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from perolux.cli.console import print_json, terminal_progress

if TYPE_CHECKING:
    from perolux.studies import Run

__all__ = ["characterise", "demo", "schema"]

Out = Annotated[Path | None, Parameter(help="run folder; by default a new folder beside where you are")]
Json = Annotated[bool, Parameter(negative="", help="print one JSON document")]


def characterise(
    study: Annotated[Path, Parameter(help="the study file")],
    *,
    out: Out = None,
    workers: Annotated[int, Parameter(help="processes that share the samples")] = 1,
    restart: Annotated[bool, Parameter(negative="", help="compute everything again")] = False,
    json: Json = False,
) -> None:
    """Characterise every sample of a study: table, spectra, figures and one report in a run folder.

    An interrupted run goes on where it stopped when it is started again.
    """
    from perolux.studies import characterise as run_study

    run = run_study(study, out=out, progress=terminal_progress(), workers=workers, restart=restart)
    _show(run, json)


def demo(*, out: Out = None, json: Json = False) -> None:
    """Characterise the shipped example: 425 real PL spectra of CsPbBr3 with the recipes that made them."""
    from perolux.files import example_path
    from perolux.studies import characterise as run_study

    study = example_path("antisolvent") / "study.toml"
    folder = Path("perolux-demo") if out is None else out
    _show(run_study(study, out=folder, progress=terminal_progress()), json)


def schema(
    of: Annotated[
        Literal["study", "recipe", "display", "assembly"],
        Parameter(help="which kind of file: study, recipe, display or assembly (perolux burst)"),
    ] = "study",
    /,
    *,
    json: Json = False,
) -> None:
    """Print the JSON Schema of a study, recipe, display or assembly file, for editors that check TOML."""
    del json  # the schema is JSON either way
    print_json(_schema(of))


def _schema(of: str) -> dict[str, Any]:
    if of == "recipe":
        from perolux.synthesis.recipe import recipe_schema

        return recipe_schema()
    if of == "assembly":
        from perolux.collective.assembly_file import assembly_schema

        return assembly_schema()
    if of == "display":
        from perolux.display.stack_file import stack_schema

        return stack_schema()
    from perolux.studies import study_schema

    return study_schema()


def _show(run: Run, as_json: bool) -> None:
    if as_json:
        print_json({"folder": str(run.folder), "report": str(run.report), **run.record})
        return
    print("\n".join(run.lines()))  # noqa: T201 - the command's result
