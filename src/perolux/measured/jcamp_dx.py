"""JCAMP-DX files (jdx, dx) with one or several blocks, through the library `jcamp`.

Blocks and labels are told apart here; each block goes to the library as a bounded list of its essential
lines, because the library expands compressed data without a limit and prints where it doubts. X values of an
(X++(Y..Y)) table follow FIRSTX, LASTX and NPOINTS. Written from documentation; no file of ours has come from
an instrument that writes this format.
"""

from __future__ import annotations

import contextlib
import io
import re
from dataclasses import dataclass

import numpy as np

from perolux.errors import InputError, Problem
from perolux.measured import wording
from perolux.measured.columns import Column

__all__ = ["NAME", "is_jcamp", "read_jcamp"]

NAME = "jcamp-dx"
_LABEL = re.compile(r"##([^=\n]{0,80})=(.*)", re.DOTALL)
_START = re.compile(r"(?:\s|\$\$[^\n]{0,200}\n)*##\s*(title|jcamp)", re.IGNORECASE)
_NUMERIC = ("firstx", "lastx", "npoints", "xfactor", "yfactor", "deltax")
_MAX_POINTS = 1_000_000
_MAX_LINE = 512
_MAX_WORK = 16_000_000
_COMPRESSED = frozenset("STUVWXYZs")
_UNIT_WORDS = {
    "nanometers": "nm",
    "nanometres": "nm",
    "nanometer": "nm",
    "electronvolts": "eV",
    "1/cm": "cm-1",
    "cm-1": "cm-1",
    "micrometers": "micrometre",
}


@dataclass(frozen=True)
class _Block:
    labels: dict[str, str]
    data: list[str]
    first_line: int


def is_jcamp(text: str) -> bool:
    """True where the text begins with a TITLE or JCAMP-DX label."""
    return _START.match(text, 0, 4000) is not None


def read_jcamp(
    lines: list[str], where: str, stem: str, notes: list[str]
) -> tuple[list[Column], tuple[tuple[str, str], ...], list[Problem]]:
    """Columns, header facts and problems of all blocks with an x-y table.

    Raises `InputError` where no block has one. What the library refuses becomes a problem of its block.
    """
    blocks = [block for block in _blocks(lines) if "xydata" in block.labels or "xypoints" in block.labels]
    if not blocks:
        raise InputError(
            "the JCAMP-DX file has no block with XYDATA or XYPOINTS",
            where=where,
            fix="export the spectrum as x-y data",
        )
    columns: list[Column] = []
    problems: list[Problem] = []
    for block in blocks:
        place = f"{where}: block at line {block.first_line}" if len(blocks) > 1 else where
        try:
            columns.append(_column(block, place, stem if len(blocks) == 1 else "", notes))
        except InputError as error:
            problems += error.problems
    facts = tuple(
        (wording.plain(key, 60), wording.plain(value))
        for key, value in list(blocks[0].labels.items())[:80]
        if value.strip() and key not in ("xydata", "xypoints", "end")
    )
    return _distinct(columns), facts, problems


def _blocks(lines: list[str]) -> list[_Block]:
    """Labels and data lines of each block; a block begins at TITLE and ends at END."""
    blocks: list[_Block] = []
    current: _Block | None = None
    in_data = False
    for number, line in enumerate(lines, start=1):
        text = line.split("$$", 1)[0].rstrip()
        if text.lstrip().startswith("##"):
            match = _LABEL.match(text.lstrip())
            if match is None:
                continue
            key = re.sub(r"[\s\-_/]", "", match.group(1)).lower()
            in_data = False
            if key == "title":
                current = _Block({}, [], number)
                blocks.append(current)
            if current is None:
                current = _Block({}, [], number)
                blocks.append(current)
            if key == "end":
                current = None
                continue
            if key in ("xydata", "xypoints"):
                if current.data:
                    current = _Block(dict(current.labels), [], number)
                    blocks.append(current)
                in_data = True
            current.labels.setdefault(key, match.group(2).strip())
        elif in_data and current is not None and text.strip():
            current.data.append(text)
    return blocks


def _column(block: _Block, where: str, stem: str, notes: list[str]) -> Column:
    x, y, said = _through_library(block, where)
    notes += said
    if len(x) != len(y):
        raise InputError(
            f"NPOINTS promises {len(x)} points and the table holds {len(y)}",
            where=where,
            fix="the file is cut off or damaged: export it again",
        )
    labels = block.labels
    unit = labels.get("xunits", "")
    words = _UNIT_WORDS.get(unit.strip().lower(), unit)
    # "UV/VIS SPECTRUM" names the technique; the quantity stands in YUNITS.
    datatype = labels.get("datatype", "")
    datatype = "" if "absorbance" in wording.kinds_in(datatype) else datatype
    lines = np.full(len(x), block.first_line, dtype=np.int64)
    return Column(
        axis=x,
        values=y,
        lines=lines,
        label=stem or wording.plain(labels.get("title", ""), 120) or "spectrum",
        axis_words=wording.plain(f"Wavelength ({words})" if words == "nm" else words),
        value_words=wording.plain(f"{labels.get('yunits', '')} {datatype}"),
    )


def _through_library(block: _Block, where: str) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Arrays x and y by the library, and what it printed, as notes."""
    import jcamp

    form = "xydata" if "xydata" in block.labels else "xypoints"
    table_form = re.sub(r"\s", "", block.labels[form])
    if table_form not in ("(X++(Y..Y))", "(XY..XY)"):
        raise InputError(
            f"the table form {wording.plain(table_form, 40)!r} is not known",
            where=where,
            allowed="(X++(Y..Y)) or (XY..XY)",
            fix="export the spectrum as x-y data",
        )
    head = [f"##{form.upper()}={table_form}"]
    for key in _NUMERIC:
        if key in block.labels:
            head.insert(0, f"##{key.upper()}={_checked(key, block.labels[key], where):.17g}")
    if form == "xydata" and table_form == "(X++(Y..Y))":
        missing = [key.upper() for key in ("firstx", "lastx", "npoints") if key not in block.labels]
        if missing:
            raise InputError(
                f"the label {', '.join(missing)} is missing", where=where, fix="export the file again"
            )
    points = _checked("npoints", block.labels.get("npoints", "2"), where)
    head = [f"##NPOINTS={int(points)}" if line.startswith("##NPOINTS") else line for line in head]
    _refuse_bombs(block.data, where)
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed), np.errstate(all="ignore"):
            content = jcamp.read([*head, *block.data, "##END="])
        x = np.asarray(content["x"], dtype=np.float64)
        y = np.asarray(content["y"], dtype=np.float64)
    except (
        Exception
    ) as error:  # the library raises whatever its parser stumbles over, plain Exception included
        raise InputError(
            f"the JCAMP-DX library cannot read it: {type(error).__name__} {wording.plain(str(error), 80)}",
            where=where,
            fix="export the file again, if possible as plain (AFFN) numbers",
        ) from error
    if x.ndim != 1 or y.ndim != 1:
        raise InputError("the table of numbers is malformed", where=where, fix="export the file again")
    said = [
        f"{where}: {wording.plain(line)}"
        for line in printed.getvalue().splitlines()[:3]
        if "Mismatch" not in line
    ]
    y = y.copy()
    y[~np.isfinite(y)] = np.nan
    return x, y, said


def _checked(key: str, text: str, where: str) -> float:
    """The number of a label; NPOINTS between 2 and a million."""
    words = text.strip().replace(",", ".", 1).split()
    try:
        value = float(words[0]) if words else float("nan")
    except ValueError:
        value = float("nan")
    if not np.isfinite(value) or (key == "npoints" and not 2 <= value <= _MAX_POINTS):
        raise InputError(
            f"the label {key.upper()} is {wording.plain(text, 30)!r}",
            where=where,
            allowed=f"2 to {_MAX_POINTS}" if key == "npoints" else "a number",
            fix="the file is damaged: export it again",
        )
    return value


def _refuse_bombs(data: list[str], where: str) -> None:
    """Refuse lines that the library would expand beyond reason: repeats of long numbers, very long lines."""
    work = 0
    for line in data:
        repeats = sum(1 for character in line if character in _COMPRESSED) if len(line) <= _MAX_LINE else 0
        work += len(line) * (1 + 8 * repeats)
        if len(line) > _MAX_LINE or work > _MAX_WORK:
            raise InputError(
                "the compressed table is larger or has longer lines than the format allows",
                where=where,
                allowed=f"lines of at most {_MAX_LINE} characters (the standard says 80)",
                fix="export the file again, if possible as plain (AFFN) numbers",
            )


def _distinct(columns: list[Column]) -> list[Column]:
    """The same columns with labels that occur once."""
    seen: dict[str, int] = {}
    result: list[Column] = []
    for column in columns:
        seen[column.label] = seen.get(column.label, 0) + 1
        label = column.label if seen[column.label] == 1 else f"{column.label} ({seen[column.label]})"
        result.append(
            Column(column.axis, column.values, column.lines, label, column.axis_words, column.value_words)
        )
    return result
