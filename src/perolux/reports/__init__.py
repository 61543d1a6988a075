"""Reports: one self-contained HTML file and publication figures from the results of a study.

`render_report` turns a `ReportContent` (plain data) into one HTML file that opens from the disk, asks
nothing of any network and holds no library: curves are packed arrays, drawn by a small script in it.
`write_figures` draws the overview, the chromaticity diagrams and peak against width as SVG and PDF.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOME = {
    "Curves": "perolux.reports.content",
    "Degeneracy": "perolux.reports.content",
    "ReportContent": "perolux.reports.content",
    "Variable": "perolux.reports.content",
    "render_report": "perolux.reports.html",
    "write_figures": "perolux.reports.figures",
    "write_report": "perolux.reports.html",
}

__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'perolux.reports' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
