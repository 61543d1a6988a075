"""`perolux exciton lifetime`: the lifetime of thermally occupied levels from a table."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from perolux.cli.console import numbers_of, print_json, print_table

__all__ = ["lifetime"]

_MOST_TEMPERATURES = 1000
_DARK = "only dark levels are occupied at this temperature"


def lifetime(
    levels: Annotated[
        Path, Parameter(help="CSV with energy_mev,radiative_lifetime_ns[,degeneracy]; empty: dark")
    ],
    /,
    *,
    temperature: Annotated[str, Parameter(help="temperatures in K, e.g. 50,100,300")] = "300",
    json: Annotated[bool, Parameter(negative="", help="print one JSON document")] = False,
) -> None:
    """Radiative lifetime of the levels of an exciton in thermal equilibrium, at each temperature.

    Marked where the list of levels ends less than 6 kT above its lowest: higher levels would take part.
    """
    from perolux.excitons.light.level_tables import read_levels
    from perolux.excitons.light.rates import COMPLETE_ABOVE_KT, thermal_lifetime

    temperatures = numbers_of(
        temperature, "--temperature", "temperature", "0 K or more, e.g. 50,100,300", _MOST_TEMPERATURES
    )
    result = thermal_lifetime(read_levels(levels), temperatures)
    rows = []
    for kelvin, value, incomplete in zip(
        temperatures, result.lifetime_ns.tolist(), result.levels_incomplete.tolist(), strict=True
    ):
        finite = math.isfinite(value)
        row = {
            "temperature_k": kelvin,
            "thermal_lifetime_ns": value if finite else None,
            "levels_incomplete": incomplete,
        }
        rows.append(row if finite else row | {"reason": _DARK})
    if json:
        print_json({"rows": rows})
        return
    shown = [
        [
            f"{kelvin:g}",
            f"{value:.4g}" if math.isfinite(value) else "–",
            "; ".join(
                [
                    *([] if math.isfinite(value) else [_DARK]),
                    *(["levels incomplete"] * row["levels_incomplete"]),
                ]
            ),
        ]
        for kelvin, value, row in zip(temperatures, result.lifetime_ns.tolist(), rows, strict=True)
    ]
    note = (
        f"levels incomplete: the highest level lies less than {COMPLETE_ABOVE_KT:g} kT above the lowest, "
        "what lies above it would take part"
    )
    print_table(
        f"thermal lifetime of {levels.name}",
        ["T (K)", "lifetime (ns)", ""],
        shown,
        note if any(row["levels_incomplete"] for row in rows) else "",
    )
