"""Platelet ladders: at what wavelength nanoplatelets of 2, 3, 4 ... monolayers emit.

The recalled ladders disagree; all are kept as rivals and inference weighs them equally.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

from perolux.materials.composition import parse_composition
from perolux.quantities.constants import HC_EV_NM
from perolux.quantities.value import Value

__all__ = ["PlateletLadder", "platelet_ladders"]


@dataclass(frozen=True)
class PlateletLadder:
    """One ladder: layer numbers with the emission of each, in nm (the record) and in eV (hc/lambda)."""

    name: str
    material: str
    monolayers: tuple[int, ...]
    emission_nm: tuple[Value, ...]
    emission_ev: tuple[Value, ...]
    note: str = ""

    def __str__(self) -> str:
        steps = ", ".join(
            f"{n} ML {v.number:g} nm" for n, v in zip(self.monolayers, self.emission_nm, strict=True)
        )
        return f"{self.name} ({self.emission_nm[0].kind}): {steps}"


@cache
def platelet_ladders(name: str) -> tuple[PlateletLadder, ...]:
    """The rival ladders of a material; empty where none is on record (all but CsPbBr3).

    Raises `OptionError` for an unknown material.

    >>> [ladder.monolayers for ladder in platelet_ladders("CsPbBr3")]
    [(2, 3, 4, 5, 6), (2, 3, 4)]
    """
    material = parse_composition(name).formula
    text = files("perolux.materials").joinpath("data", "platelets.toml").read_text("utf-8")
    return tuple(_ladder(row) for row in tomllib.loads(text)["ladder"] if row["material"] == material)


def _ladder(row: dict[str, Any]) -> PlateletLadder:
    key = f"{row['material']}.platelet_{row['name']}"
    emission_nm = tuple(
        Value(float(nm), "nm", row["kind"], row["source"], key=f"{key}_{n}ml", note=row["note"])
        for n, nm in zip(row["monolayers"], row["emission_nm"], strict=True)
    )
    # The same records in another unit: kind, source with its place, and note stay theirs.
    emission_ev = tuple(
        replace(v, number=HC_EV_NM / v.number, unit="eV", source=f"{v.source}; as hc/lambda")
        for v in emission_nm
    )
    return PlateletLadder(
        row["name"], row["material"], tuple(row["monolayers"]), emission_nm, emission_ev, row["note"]
    )
