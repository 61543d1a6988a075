"""Rows of the validation tables: what a row may say, and how the tables are read and checked.

A room has `<room>.toml`, and `<room>_<topic>.toml` for each topic that has a table of its own.

All problems of a file are raised together when it is loaded, so that a row that names a function which does
not exist stops at once and not in the middle of a run.
"""

from __future__ import annotations

import csv
import io
import math
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.resources import files
from types import ModuleType
from typing import Any, get_args

from perolux.errors import InputError, OptionError, Problem
from perolux.validation.tolerance import Target, Tolerance, ToleranceKind, target_problem

__all__ = ["ROOMS", "ROW_KINDS", "Row", "Tolerance", "load_rows", "parse_rows", "read_table"]

ROOMS: tuple[str, ...] = (
    "quantities",
    "materials",
    "ensemble",
    "measured",
    "excitons",
    "surface",
    "photons",
    "collective",
    "synthesis",
    "display",
    "inference",
    "design",
)
"""Rooms with validation rows, in the order in which they are run and printed."""

ROW_KINDS: tuple[str, ...] = ("read", "derived", "computed", "recalled")
"""How the target is known. read: seen in the cited source. derived: algebra that can be repeated by hand.
computed: calculated independently, by the method the source names. recalled: common knowledge, not
verified."""

_ROW_KEYS = {
    "id", "quantity", "target", "tolerance", "unit", "kind", "source", "function", "arguments",
    "known_disagreement", "calibration", "slow", "long",
}  # fmt: skip
_TABLE_KEYS = _ROW_KEYS - {"id", "target"} | {
    "prefix", "file", "key_column", "target_column", "argument_columns", "tolerance_columns",
}  # fmt: skip
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@+-]*")


@dataclass(frozen=True)
class Row:
    """One comparison.

    id: "room.name"; quantity: what is compared, as a sentence; target: number, (low, high) or text in `unit`;
    tolerance: how near is near enough, and why; kind and source: how the target is known and where it stands;
    function: computes the value from `arguments`; known_disagreement: why a disagreement is understood;
    calibration: the target was used to fix a parameter, so agreement proves nothing; slow: not in the quick
    tier of the tests; long: in the long tier only (coverage studies).
    """

    id: str
    quantity: str
    target: Target
    tolerance: Tolerance
    unit: str
    kind: str
    source: str
    function: Callable[..., Any]
    arguments: tuple[tuple[str, Any], ...] = field(default=())
    known_disagreement: str | None = None
    calibration: bool = False
    slow: bool = False
    long: bool = False

    @property
    def room(self) -> str:
        """The room the row belongs to."""
        return self.id.split(".", 1)[0]


def load_rows(room: str | None = None) -> tuple[Row, ...]:
    """All rows of one room, or of every room, in file order.

    Raises `OptionError` for an unknown room and `InputError` with all problems of a faulty table.

    >>> load_rows("excitons")[0].room
    'excitons'
    """
    if room is None:
        return tuple(row for name in ROOMS for row in load_rows(name))
    if room not in ROOMS:
        raise OptionError(f"the room {room!r} has no validation rows", allowed=", ".join(ROOMS))
    return _load_room(room)


@cache
def _load_room(room: str) -> tuple[Row, ...]:
    folder = files("perolux.validation")
    rows: list[Row] = []
    for part in _parts(room):
        text = folder.joinpath(f"{part}.toml").read_text("utf-8")
        rows += parse_rows(room, text, import_module(f"perolux.validation.{part}"), file=f"{part}.toml")
    twice = [one for one, number in Counter(row.id for row in rows).items() if number > 1]
    if twice:
        raise InputError([Problem("this id is used in two files", f"{room}: {one}") for one in twice])
    return tuple(rows)


def _parts(room: str) -> list[str]:
    """The tables of a room: `<room>.toml` if there is one, then `<room>_<topic>.toml` of each topic."""
    names = [entry.name for entry in files("perolux.validation").iterdir() if entry.name.endswith(".toml")]
    topics = sorted(name for name in names if name.startswith(f"{room}_"))
    whole = [f"{room}.toml"] if f"{room}.toml" in names else []
    return [name.removesuffix(".toml") for name in (*whole, *topics)]


def read_table(name: str) -> list[dict[str, str]]:
    """A reference table of the package (`validation/data/<name>`) as one dictionary per line."""
    text = files("perolux.validation").joinpath("data", name).read_text("utf-8")
    return list(csv.DictReader(io.StringIO(text)))


def parse_rows(room: str, text: str, module: ModuleType, file: str | None = None) -> tuple[Row, ...]:
    """Rows of a table given as TOML text; the functions are the public names (`__all__`) of `module`.

    `[[row]]` is one comparison. `[[table]]` makes one comparison of each line of a reference table: the
    target stands in `target_column`, the arguments and the tolerance in the columns named. file: the name of
    the table in messages, `<room>.toml` where not given.
    """
    where = file or f"{room}.toml"
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"not TOML: {error}", where=where) from error
    problems: list[Problem] = []
    for key in content.keys() - {"row", "table"}:
        problems.append(Problem(f"unknown section [[{key}]]", where, "[[row]], [[table]]"))
    entries: list[dict[str, Any]] = []
    for table in content.get("table", []):
        entries += _expand(room, table, problems)
    entries = list(content.get("row", [])) + entries
    rows = [row for entry in entries if (row := _row(room, entry, module, problems)) is not None]
    seen: set[str] = set()
    for row in rows:
        if row.id in seen:
            problems.append(
                Problem("this id is used twice", f"{where}: {row.id}", fix="give each row its own id")
            )
        seen.add(row.id)
    if problems:
        raise InputError(problems)
    return tuple(rows)


def _row(room: str, entry: dict[str, Any], module: ModuleType, problems: list[Problem]) -> Row | None:
    name = str(entry.get("id", "row without an id"))
    where = f"{room}.toml: {name}"
    before = len(problems)

    def wrong(what: str, allowed: str | None = None, fix: str | None = None) -> None:
        problems.append(Problem(what, where, allowed, fix))

    for key in sorted(entry.keys() - _ROW_KEYS):
        wrong(f"unknown key {key!r}", ", ".join(sorted(_ROW_KEYS)))
    for key in ("id", "quantity", "unit", "kind", "source", "function"):
        if not isinstance(entry.get(key), str) or not entry[key].strip():
            wrong(f"{key!r} is missing or empty", "a text")
    if not (name.startswith(f"{room}.") and _ID.fullmatch(name.removeprefix(f"{room}."))):
        wrong("the id must be the room, a dot and a name", f"{room}.S1, {room}.sphere-energy@2")
    if entry.get("kind") not in ROW_KINDS:
        wrong(f"unknown kind {entry.get('kind')!r}", ", ".join(ROW_KINDS))
    tolerance = _tolerance(entry.get("tolerance"), wrong)
    target = tuple(entry["target"]) if isinstance(entry.get("target"), list) else entry.get("target")
    if tolerance is not None and (fault := target_problem(target, tolerance)) is not None:
        wrong(fault)
    function = _function(entry.get("function"), module, wrong)
    reason = entry.get("known_disagreement")
    if reason is not None and (not isinstance(reason, str) or len(reason.split()) < 4):
        wrong("a known disagreement needs its reason in words", fix="say why it disagrees, or drop the mark")
    for key in ("calibration", "slow", "long"):
        if not isinstance(entry.get(key, False), bool):
            wrong(f"{key!r} must be true or false")
    arguments = entry.get("arguments", {})
    if not isinstance(arguments, dict):
        wrong("'arguments' must be a table", "arguments = { edge_over_bohr = 2.0 }")
    if len(problems) > before or tolerance is None or target is None or function is None:
        return None
    return Row(
        id=name, quantity=entry["quantity"], target=target, tolerance=tolerance, unit=entry["unit"],
        kind=entry["kind"], source=entry["source"], function=function, arguments=tuple(arguments.items()),
        known_disagreement=reason, calibration=entry.get("calibration", False), slow=entry.get("slow", False),
        long=entry.get("long", False),
    )  # fmt: skip


def _tolerance(entry: Any, wrong: Callable[..., None]) -> Tolerance | None:
    if not isinstance(entry, dict):
        wrong("'tolerance' is missing", 'tolerance = { kind = "absolute", value = 0.1, reason = "..." }')
        return None
    kinds: tuple[str, ...] = get_args(ToleranceKind)
    kind, value, reason = entry.get("kind"), entry.get("value", 0.0), entry.get("reason")
    faults = [
        f"unknown key {key!r} in tolerance" for key in sorted(entry.keys() - {"kind", "value", "reason"})
    ]
    if kind not in kinds:
        faults.append(f"unknown kind of tolerance {kind!r}, allowed: {', '.join(kinds)}")
    elif kind in ("absolute", "relative") and "value" not in entry:
        faults.append(f"a tolerance of kind {kind!r} needs a value")
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not (math.isfinite(value) and value >= 0)
    ):
        faults.append("the tolerance must be a finite number, not negative")
    if not isinstance(reason, str) or not reason.strip():
        faults.append("the tolerance has no reason")
    for fault in faults:
        wrong(fault)
    return None if faults else Tolerance(kind, float(value), str(reason))  # type: ignore[arg-type]


def _function(name: Any, module: ModuleType, wrong: Callable[..., None]) -> Callable[..., Any] | None:
    """The public function of that name; only names in `__all__` count, so a row reaches nothing else."""
    if not isinstance(name, str):
        return None
    public: Iterable[str] = getattr(module, "__all__", ())
    if name not in public or not callable(getattr(module, name, None)):
        wrong(f"there is no function {name!r} in {module.__name__}", fix="write it, and list it in __all__")
        return None
    function: Callable[..., Any] = getattr(module, name)
    return function


def _expand(room: str, table: dict[str, Any], problems: list[Problem]) -> list[dict[str, Any]]:
    """One entry for each line of a reference table."""
    prefix = str(table.get("prefix", "table without a prefix"))
    where = f"{room}.toml: {prefix}"
    unknown = sorted(table.keys() - _TABLE_KEYS)
    missing = [key for key in ("prefix", "file", "key_column", "target_column") if key not in table]
    if unknown or missing:
        problems += [
            Problem(f"unknown key {key!r}", where, ", ".join(sorted(_TABLE_KEYS))) for key in unknown
        ]
        problems += [Problem(f"{key!r} is missing", where) for key in missing]
        return []
    try:
        lines = read_table(table["file"])
    except FileNotFoundError:
        problems.append(Problem(f"there is no table {table['file']!r}", where, "a file of validation/data/"))
        return []
    columns = set(lines[0]) if lines else set()
    arguments, tolerances = table.get("argument_columns", {}), table.get("tolerance_columns", {})
    wanted = [table["key_column"], table["target_column"], *arguments.values(), *tolerances.values()]
    absent = [name for name in wanted if name not in columns]
    if absent:
        problems += [
            Problem(f"no column {n!r} in {table['file']}", where, ", ".join(columns)) for n in absent
        ]
        return []
    shared = {key: value for key, value in table.items() if key in _ROW_KEYS}
    entries = []
    for line in lines:
        key = line[table["key_column"]]
        entries.append(
            shared
            | {
                "id": f"{prefix}@{key}",
                "quantity": str(table.get("quantity", "")).replace("{key}", key),
                "target": float(line[table["target_column"]]),
                "arguments": table.get("arguments", {}) | {k: _cell(line[c]) for k, c in arguments.items()},
                "tolerance": table.get("tolerance", {}) | {k: float(line[c]) for k, c in tolerances.items()},
            }
        )
    return entries


def _cell(text: str) -> float | str:
    """A number where the cell holds one, otherwise its text (a shape, a parameter set)."""
    try:
        return float(text)
    except ValueError:
        return text
