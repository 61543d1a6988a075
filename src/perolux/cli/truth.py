"""`perolux validate` and `perolux bench`: is it true, and is it fast."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from perolux.cli.console import DONE, VALIDATION_FAILED, print_json, print_table, terminal_progress

__all__ = ["bench", "validate"]

Room = Annotated[str | None, Parameter(help="one room, e.g. measured; all rooms where not given")]
Json = Annotated[bool, Parameter(negative="", help="print one JSON document")]


def validate(
    room: Room = None,
    *,
    quick: Annotated[bool, Parameter(negative="", help="leave out the rows marked slow")] = False,
    json: Json = False,
) -> int:
    """Compute published numbers and exact limits again; exit 3 where one fails without an explanation."""
    from perolux.validation import as_json, counts, has_unexplained_failure, run_rows, table_rows
    from perolux.validation.show import COLUMNS

    results = run_rows(room, include_slow=not quick, progress=terminal_progress())
    if json:
        print_json(as_json(results))
    else:
        summary = ", ".join(f"{number} {verdict}" for verdict, number in counts(results).items())
        print_table("", COLUMNS, table_rows(results), f"{len(results)} rows: {summary}")
    return VALIDATION_FAILED if has_unexplained_failure(results) else DONE


def bench(room: Room = None, *, json: Json = False) -> int:
    """Run the benchmarks of a checkout, each against its peer in the same run."""
    import subprocess
    import sys
    from pathlib import Path

    import perolux
    from perolux.errors import NotAvailableError

    checkout = Path(perolux.__file__).resolve().parents[2]
    if not (checkout / "benchmarks" / "__main__.py").is_file():
        raise NotAvailableError(
            "the benchmarks are part of a checkout of perolux, not of an installed package",
            fix="clone the repository and run: make bench",
        )
    command = [sys.executable, "-m", "benchmarks", *([room] if room else []), *(["--json"] if json else [])]
    return subprocess.run(command, cwd=checkout, check=False).returncode
