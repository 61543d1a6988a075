"""Studies: a study file and its spectra in, a run folder with tables, curves, figures and a report out.

    from perolux.studies import characterise

    run = characterise("study.toml")     # continues where an interrupted run stopped
    run.table                            # one row per sample, units in the column names

A run folder (`Run`) can be read without perolux: JSON, csv, Parquet, netCDF, HTML.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOME = {
    "Run": "perolux.studies.run",
    "Study": "perolux.studies.study",
    "characterise": "perolux.studies.pipeline",
    "load_study": "perolux.studies.study",
    "study_schema": "perolux.studies.schema",
}

__all__ = ["Run", "Study", "characterise", "load_study", "study_schema"]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'perolux.studies' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
