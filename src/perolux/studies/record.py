"""The record of a run (`run.json`): what went in, with which programs and numbers, and what came out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from perolux import __version__
from perolux.journal import Entry
from perolux.studies.columns import Column
from perolux.studies.conditions import assumed_temperature
from perolux.studies.flags import meaning_of
from perolux.studies.join import Gathered
from perolux.studies.study import Study

__all__ = ["counts_of", "run_record", "values_of"]

_KINDS = ("assumed", "recalled", "derived", "read")


def values_of(study: Study, entries: Sequence[Entry]) -> tuple[dict[str, Any], ...]:
    """Every number that any size rests on, each once; assumed and recalled ones first."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    values: list[dict[str, Any]] = []
    if study.spec.conditions.material is not None and study.spec.conditions.temperature_k is None:
        values.append(assumed_temperature().as_dict())
    for entry in entries:
        values.extend(entry.values)
    for value in values:
        found.setdefault((value["key"], value["parameter_set"], value["value"], value["low"]), value)
    return tuple(sorted(found.values(), key=lambda value: (_KINDS.index(value["kind"]), value["key"])))


def counts_of(rows: Sequence[dict[str, Any]]) -> dict[str, int]:
    """How many samples there are of each sort."""
    flags = Counter(flag for row in rows for flag in row["flags"])
    spectra = [row for row in rows if row["file"] is not None]
    absorption = [row for row in rows if row.get("absorption_file") is not None]
    counts = {
        "samples": len(rows),
        "spectra": len(spectra),
        "characterised": sum(row.get("peak_ev") is not None for row in rows),
        "failed": sum(row["status"] == "failed" for row in rows),
        "with recipe and spectrum": sum(row["recipe"] is not None for row in spectra),
        "without recipe": flags["no-recipe"],
        "without spectrum": flags["no-spectrum"],
    }
    if flags["ambiguous-recipe"]:
        counts["with several recipes, none used"] = flags["ambiguous-recipe"]
    if absorption:
        counts["absorption spectra"] = len(absorption)
        counts["absorption joined to PL"] = sum(row["file"] is not None for row in absorption)
    return counts


def run_record(
    study: Study,
    digest: str,
    gathered: Gathered,
    rows: Sequence[dict[str, Any]],
    values: Sequence[dict[str, Any]],
    columns: Sequence[Column],
    *,
    summary: str,
    seconds: float,
    now: datetime,
    versions: dict[str, str],
) -> dict[str, Any]:
    """The content of run.json: plain JSON, no path of the machine beyond those that the study names."""
    flags = Counter(flag for row in rows for flag in row["flags"])
    return {
        "program": "perolux",
        "version": __version__,
        "task": "characterise",
        "digest": digest,
        "finished": now.isoformat(),
        "seconds": round(seconds, 2),
        "versions": versions,
        "seed": None,
        "seed_reason": "the computation draws no random numbers",
        "summary": summary,
        "study": study.spec.model_dump(mode="json"),
        "inputs": [{"file": name, "sha256": checksum} for name, checksum in study.inputs],
        "counts": counts_of(rows),
        "flags": {
            flag: {"samples": number, "meaning": meaning_of(flag)} for flag, number in flags.most_common()
        },
        "failed_files": [
            {"file": file, "problems": [problem.as_dict() for problem in problems]}
            for file, problems in gathered.unreadable
        ],
        "failed_samples": [
            {"label": row["label"], "file": row["file"], "reason": row["reasons"].get("peak_ev")}
            for row in rows
            if row["status"] == "failed"
        ],
        "notes": [{"where": where, "note": note} for where, note in gathered.notes],
        "parameter_keys": sorted({value["key"] for value in values}),
        "values": list(values),
        "columns": [
            {"name": column.name, "unit": column.unit, "meaning": column.meaning} for column in columns
        ],
    }
