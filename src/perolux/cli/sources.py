"""`perolux explain` and `perolux cite`: where a number comes from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from perolux.cli.console import print_json

__all__ = ["cite", "explain"]

Json = Annotated[bool, Parameter(negative="", help="print one JSON document")]


def explain(
    key: Annotated[
        str,
        Parameter(
            help="MATERIAL.quantity, or constants., prior., equilibrium., chemical., display., film. or "
            "emitter.NAME; or an assembly of `perolux burst` (a .toml file)"
        ),
    ],
    *,
    at: Annotated[str | None, Parameter(help="temperature, e.g. 300K")] = None,
    json: Json = False,
) -> None:
    """Value, sigma, kind, source and range of a number, and its rivals."""
    if key.lower().endswith(".toml"):
        _explain_assembly(Path(key), at, json)
        return
    if key.lower().endswith(".json"):
        from perolux.errors import OptionError

        raise OptionError(
            "a file in JSON: all its numbers are given", where=key, allowed="an assembly in TOML, or a key"
        )
    from perolux.quantities.units import parse_quantity
    from perolux.studies.sources import explain_key

    temperature_k = None if at is None else parse_quantity(at, "K", default_unit="K")
    explanation = explain_key(key, temperature_k)
    if json:
        print_json(explanation.as_dict())
    else:
        print(explanation)  # noqa: T201 - the command's result


def _explain_assembly(file: Path, at: str | None, json: bool) -> None:
    from perolux.collective.assembly_file import read_assembly
    from perolux.collective.assembly_sources import assembly_grounds
    from perolux.errors import OptionError

    if at is not None:
        raise OptionError(
            "a temperature beside an assembly", where="--at", fix="[emitters] temperature in the file"
        )
    grounds = assembly_grounds(read_assembly(file), file.parent)
    if json:
        print_json(grounds.as_dict())
    else:
        print(grounds)  # noqa: T201 - the command's result


def cite(
    run: Annotated[Path, Parameter(help="a run folder, or a key as in `explain`")],
    *,
    json: Json = False,
) -> None:
    """BibTeX of everything that a run's result rests on."""
    from perolux.studies.sources import citations_of_run

    entries = citations_of_run(run)
    if json:
        print_json(entries.as_dict())
    else:
        print(entries.bibtex)  # noqa: T201 - the command's result
