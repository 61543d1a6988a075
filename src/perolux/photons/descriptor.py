"""A source of single photons in one JSON document, for programs of linear optics.

    perolux document   ->  NoiseModel of Perceval (brightness, indistinguishability, g2, g2_distinguishable)

Numbers that nobody measured are null, with a reason. `schema` is the JSON Schema of a document.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import Any

from perolux.errors import InputError, NotAvailableError, Problem
from perolux.files import read_small_text, write_json

__all__ = ["FORMAT", "SourceDescriptor", "perceval_noise", "read_descriptor", "schema", "write_descriptor"]

FORMAT = "perolux photon source 1"
_NUMBERS: dict[str, tuple[float, float, str]] = {
    "t1_ps": (0.0, math.inf, "lifetime in ps"),
    "t2_ps": (0.0, math.inf, "coherence time in ps, at most 2 T1"),
    "g2_zero": (0.0, math.inf, "<n(n-1)>/<n>^2 per pulse"),
    "visibility": (0.0, 1.0, "of two photons of the source, corrected (two-photon interference)"),
    "efficiency": (0.0, 1.0, "photons per pulse at the output, mean"),
    "energy_ev": (0.0, math.inf, "of the line"),
    "zero_phonon_share": (0.0, 1.0, "of the light that the filter passes"),
    "pulse_period_ns": (0.0, math.inf, "between the pulses"),
    "temperature_k": (0.0, math.inf, "of the nanocrystal"),
}
_POSITIVE = ("t1_ps", "t2_ps", "energy_ev", "pulse_period_ns")


@dataclass(frozen=True)
class SourceDescriptor:
    """What a circuit needs to know of a source; None where it is not known.

    Numbers as in `schema`. extra_photons: "alike" or "unrelated", whether those behind g2 interfere like the
    others (`hom_peaks`). spectrum: energies in eV and density per eV, or None. reasons: why a number is
    absent, by its name. sources: where the numbers come from (files, fits, "assumed"), by name. Raises
    `InputError` with all problems.
    """

    name: str
    t1_ps: float | None = None
    t2_ps: float | None = None
    g2_zero: float | None = None
    visibility: float | None = None
    efficiency: float | None = None
    energy_ev: float | None = None
    zero_phonon_share: float | None = None
    pulse_period_ns: float | None = None
    temperature_k: float | None = None
    extra_photons: str | None = None
    spectrum: tuple[tuple[float, ...], tuple[float, ...]] | None = None
    reasons: Mapping[str, str] | None = None
    sources: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        problems = []
        for name, (low, high, _) in _NUMBERS.items():
            value = getattr(self, name)
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                problems.append(Problem(f"{value!r} is no number", name, "a number or null"))
            elif not low <= value <= high or (value == 0 and name in _POSITIVE):
                allowed = f"{'above ' if name in _POSITIVE else ''}{low:g} to {high:g}"
                fix = "a share, not per cent" if high == 1.0 and 1 < value <= 100 else None
                problems.append(Problem(f"{name} is {value:g}", name, allowed, fix))
        if not problems and self.t1_ps and self.t2_ps and self.t2_ps > 2 * self.t1_ps * (1 + 1e-9):
            problems.append(Problem("a coherence time above twice the lifetime", "t2_ps", "at most 2 T1"))
        if self.extra_photons not in (None, "alike", "unrelated"):
            problems.append(Problem(f"{self.extra_photons!r}", "extra_photons", "alike, unrelated or null"))
        if self.spectrum is not None:
            problems += _spectrum_problems(self.spectrum)
        if problems:
            raise InputError(problems)

    def as_dict(self) -> dict[str, Any]:
        """Plain dictionary for JSON; null numbers without a reason of their own are "not given"."""
        given = dict(self.reasons or {})
        absent = [n for n in _NUMBERS if getattr(self, n) is None]
        return {
            "format": FORMAT,
            "name": self.name,
            **{n: getattr(self, n) for n in _NUMBERS},
            "extra_photons": self.extra_photons,
            "spectrum": None
            if self.spectrum is None
            else {"energy_ev": list(self.spectrum[0]), "density_per_ev": list(self.spectrum[1])},
            "reasons": {n: given.get(n, "not given") for n in absent},
            "sources": dict(self.sources or {}),
        }


def _spectrum_problems(spectrum: tuple[tuple[float, ...], tuple[float, ...]]) -> list[Problem]:
    try:
        energy, density = ([float(x) for x in one] for one in spectrum)
    except (TypeError, ValueError):
        return [Problem("a spectrum that holds no numbers", "spectrum", "energies and densities")]
    good = len(energy) == len(density) >= 2 and all(map(math.isfinite, energy + density))
    if not good or any(b <= a for a, b in pairwise(energy)) or min(density) < 0:
        return [
            Problem("a spectrum that does not fit", "spectrum", "ascending energies, densities of 0 or more")
        ]
    return []


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a document."""
    numbers: dict[str, Any] = {}
    for name, (low, high, meaning) in _NUMBERS.items():
        limits: dict[str, Any] = {"exclusiveMinimum" if name in _POSITIVE else "minimum": low}
        if math.isfinite(high):
            limits["maximum"] = high
        numbers[name] = {"type": ["number", "null"], "description": meaning, **limits}
    series = {"type": "array", "items": {"type": "number"}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": FORMAT,
        "type": "object",
        "required": ["format", "name"],
        "additionalProperties": False,
        "properties": {
            "format": {"const": FORMAT},
            "name": {"type": "string"},
            **numbers,
            "extra_photons": {
                "enum": ["alike", "unrelated", None],
                "description": "whether the photons behind g2 interfere like the others",
            },
            "spectrum": {
                "type": ["object", "null"],
                "properties": {"energy_ev": series, "density_per_ev": series},
                "required": ["energy_ev", "density_per_ev"],
                "additionalProperties": False,
            },
            "reasons": {"type": "object", "additionalProperties": {"type": "string"}},
            "sources": {"type": "object", "additionalProperties": {"type": "string"}},
        },
    }


def write_descriptor(source: SourceDescriptor, path: str | Path) -> Path:
    """Write a document whole or not at all; gives its path."""
    write_json(Path(path), source.as_dict())
    return Path(path)


def read_descriptor(path: str | Path) -> SourceDescriptor:
    """Read a document. Raises `InputError` with all problems: no JSON, another format, unknown keys."""
    where = str(path)
    try:
        said = json.loads(read_small_text(Path(path), 10_000_000, "a source document"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"is no JSON: {error}", where=where) from None
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise InputError("is no document of a photon source", where=where, allowed=f'"format": "{FORMAT}"')
    known = {one.name for one in fields(SourceDescriptor)}
    unknown = sorted(said.keys() - known - {"format"})
    if unknown or not isinstance(said.get("name"), str):
        problems = [Problem(f"unknown key {key!r}", where, ", ".join(sorted(known))) for key in unknown]
        if not isinstance(said.get("name"), str):
            problems.append(Problem("no name", where, "a text"))
        raise InputError(problems)
    values = {key: value for key, value in said.items() if key != "format"}
    if (light := values.get("spectrum")) is not None:
        if not isinstance(light, dict) or set(light) != {"energy_ev", "density_per_ev"}:
            raise InputError("a spectrum that does not fit", where=where, allowed="energy_ev, density_per_ev")
        values["spectrum"] = (tuple(light["energy_ev"]), tuple(light["density_per_ev"]))
    return SourceDescriptor(**values)


def perceval_noise(source: SourceDescriptor) -> dict[str, float | bool]:
    """Arguments of Perceval's `NoiseModel` (perceval-quandela 1.3): nothing of it is imported here.

    brightness = efficiency; g2_distinguishable = extra photons unrelated. Raises `NotAvailableError` with
    what is missing: a circuit is not computed from guesses.
    """
    needed = {
        "efficiency": source.efficiency,
        "visibility": source.visibility,
        "g2_zero": source.g2_zero,
        "extra_photons": source.extra_photons,
    }
    missing = [name for name, value in needed.items() if value is None]
    if missing:
        raise NotAvailableError(
            f"not known: {', '.join(missing)}", where=source.name, fix="measure it, or state an assumption"
        )
    assert source.efficiency is not None and source.visibility is not None and source.g2_zero is not None
    return {
        "brightness": source.efficiency,
        "indistinguishability": source.visibility,
        "g2": source.g2_zero,
        "g2_distinguishable": source.extra_photons == "unrelated",
    }
