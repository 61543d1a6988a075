"""Text exports of Edinburgh Instruments spectrometers (FLS, FS5; programs F900, F980, Fluoracle).

Rows "Labels", "Type", "Start", "Stop", "Step", "Fixed/Offset", "Xaxis", "Yaxis", ... with one cell per scan,
comma or tab separated, often with a delimiter at the end of each row; then a blank line and the numbers:
axis, then one value per scan. Written from documentation and public readers of the format; no file of ours
has come from such an instrument.
"""

from __future__ import annotations

import re

from perolux.errors import InputError
from perolux.measured import wording
from perolux.measured.columns import Column
from perolux.measured.sniff import Options
from perolux.measured.text_tables import NumberTable, tabulate

__all__ = ["NAME", "is_edinburgh", "read_edinburgh"]

NAME = "edinburgh"
_KEYS = ("labels", "type", "start", "stop", "step", "fixed/offset", "xaxis", "yaxis", "scan type")
_ROW = re.compile(r"\s*\"?([A-Za-z][A-Za-z /_.()#-]{1,40}?)\"?\s*([,\t;])")
_NO_SPECTRUM = re.compile(r"time|decay|kinetic|tcspc|mcs|anisotropy|synchronous|map", re.IGNORECASE)
_HEAD_LINES = 80


def is_edinburgh(lines: list[str]) -> bool:
    """True where at least four of the format's rows stand in the head, "Type" or "Labels" among them."""
    keys = {key for key in (_key(line) for line in lines[:_HEAD_LINES]) if key in _KEYS}
    return len(keys) >= 4 and bool(keys & {"labels", "type"})


def read_edinburgh(
    lines: list[str], options: Options, where: str, stem: str, notes: list[str]
) -> tuple[list[Column], NumberTable, tuple[tuple[str, str], ...]]:
    """Columns, table and facts common to all scans of an Edinburgh text export.

    Raises `InputError` for a kinetic or decay measurement, for scans of a type that is no spectrum, and where
    the number of columns is not the number of labels.
    """
    table = tabulate(lines, options, where, headed=False)
    rows = _head_rows(table.head)
    scans = table.numbers.shape[1] - 1
    types = _cells(rows, "type") or _cells(rows, "scan type")
    for kind in dict.fromkeys(types):
        if re.search(
            r"time|decay|kinetic|lifetime|tcspc|mcs|anisotropy|synchronous|map", kind, re.IGNORECASE
        ):
            raise InputError(
                f"the header says that this is {kind!r}, not an emission, excitation or absorption scan",
                where=where,
                fix="read a decay with perolux.measured.read_decay; export other scans one by one",
            )
    labels = _cells(rows, "labels")
    counted = {key: len(_cells(rows, key)) for key in ("labels", "type") if _cells(rows, key)}
    for key, count in counted.items():
        if count != scans:
            raise InputError(
                f"the row {key!r} names {count} scan{'s' * (count != 1)} and the table has {scans} column"
                f"{'s' * (scans != 1)} of intensities",
                where=where,
                allowed="one column per scan after one common axis",
                fix="export the scans one by one",
            )
    columns: list[Column] = []
    taken: set[str] = set()
    axis = table.numbers[:, 0]
    for scan in range(scans):
        facts = tuple((key, cells[scan]) for key, cells in rows if scan < len(cells) and cells[scan])
        named = dict((key.lower(), value) for key, value in facts)
        label = named.get("labels", stem if scans == 1 else f"scan {scan + 1}")
        while label in taken:
            label = f"{label} ({scan + 1})"
        taken.add(label)
        axis_words = named.get("xaxis", "")
        columns.append(
            Column(
                axis=axis,
                values=table.numbers[:, scan + 1],
                lines=table.lines,
                label=wording.plain(label),
                axis_words=axis_words or "Wavelength (nm)",
                value_words=f"{_kind_word(named.get('type', ''))} {named.get('yaxis', '')}".strip(),
                facts=facts,
            )
        )
    if not any(key.lower() == "xaxis" for key, _ in rows):
        notes.append(
            "The header has no row Xaxis; the axis was read as wavelength in nm, the format's usual one."
        )
    if not labels and scans > 1:
        notes.append("The header has no labels; the scans were numbered.")
    return columns, table, ()


def _kind_word(type_cell: str) -> str:
    """The scan type as one word of the kinds that `wording.kinds_in` knows."""
    lower = type_cell.lower()
    if "excitation" in lower:
        return "excitation scan"
    return "emission" if "emission" in lower else type_cell


def _key(line: str) -> str:
    match = _ROW.match(line[:200])
    return match.group(1).strip().lower() if match else ""


def _head_rows(head: tuple[str, ...]) -> list[tuple[str, list[str]]]:
    rows: list[tuple[str, list[str]]] = []
    for line in head[-_HEAD_LINES:]:
        match = _ROW.match(line[:200])
        if match is None:
            continue
        cells = [wording.plain(cell.strip().strip('"')) for cell in line[match.end() :].split(match.group(2))]
        while cells and not cells[-1]:
            cells.pop()
        rows.append((wording.plain(match.group(1), 60), cells))
    return rows


def _cells(rows: list[tuple[str, list[str]]], key: str) -> list[str]:
    return next((cells for name, cells in rows if name.lower() == key), [])
