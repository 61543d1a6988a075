"""The command line: what a user waits for, CPU seconds of a fresh process, imports included."""

from __future__ import annotations

from typing import Any

from benchmarks.timing import cpu_of_command, row
from perolux.files import example_path


def run() -> list[dict[str, Any]]:
    """Help, import, one file, one file with a size."""
    native = str(example_path("antisolvent") / "spectra" / "native_grid" / "305.txt")
    perolux = ["-m", "perolux"]
    bare = cpu_of_command(["-c", "import numpy"])
    cases = (
        ("perolux --help", [*perolux, "--help"], "bar 0.5 s"),
        ("import perolux", ["-c", "import perolux"], "names load when they are first used"),
        ("perolux pl FILE", [*perolux, "pl", native, "--json"], "bar 2 s"),
        (
            "perolux pl FILE --material CsPbBr3",
            [*perolux, "pl", native, "--material", "CsPbBr3", "--json"],
            "bar 2 s",
        ),
        ("perolux exciton cube", [*perolux, "exciton", "cube", "--edge-over-bohr", "3", "--json"], ""),
    )
    note = f"starting Python and importing NumPy alone takes {bare:.2f} s"
    return [
        row(name, cpu_of_command(command), note="; ".join(text for text in (bar, note) if text))
        for name, command, bar in cases
    ]
