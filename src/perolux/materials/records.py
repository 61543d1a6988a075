"""Material records: the TOML files of the folder `data`, checked when they are loaded.

A file has a table `[material]` (name, version, family, supplier, facts), named parameter sets `[[sets]]`, and
one array of tables per quantity, for example

    [[reduced_mass]]
    set = "yang2017"            # left out for what belongs to no set
    value = 0.126               # or low and high, where only a range is known
    unit = "m0"
    kind = "recalled"           # read, derived, recalled, assumed
    source = "yang2017: recalled"    # citation keys, then the place
    valid = { temperature_k = [2, 10] }
    outside = "extrapolate"     # beyond `valid`: refuse (the default), or give the number and say so

Units are turned into the canonical unit of `data/quantities.toml`. The first record of a quantity is used,
later ones are its rivals. Every fault of a file is raised at once.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import Any

from perolux.errors import InputError, OptionError, PeroluxError, Problem
from perolux.materials.kane import KANE_CONVENTIONS, kane_energy_ev
from perolux.quantities.citations import citation_keys
from perolux.quantities.units import linear_scale
from perolux.quantities.value import KINDS, Value

__all__ = [
    "ParameterSet",
    "Quantity",
    "Record",
    "RecordFile",
    "load_packaged",
    "load_records",
    "parse_records",
    "quantities",
]

_RECORD_FIELDS = {
    "set", "value", "low", "high", "sigma", "unit", "kind", "source", "valid", "outside", "convention",
    "note", "rival_only",
}  # fmt: skip


@dataclass(frozen=True)
class Quantity:
    """What a quantity is: canonical unit, bounds of a record, rule for mixtures, meaning, who supplies it.

    mixing: bowing, linear, inverse, same, none, or "model" for what belongs to a model and no material.
    """

    name: str
    unit: str
    low: float
    high: float
    mixing: str
    meaning: str
    supplied_by: str


@dataclass(frozen=True)
class ParameterSet:
    """A named set of published parameters. `keep`: the quantity kept where the set contradicts itself."""

    name: str
    aliases: tuple[str, ...] = ()
    keep: str | None = None
    note: str = ""


@dataclass(frozen=True)
class Record:
    """A `Value` with what it does outside its valid range, and whether it is ever chosen by itself."""

    value: Value
    extrapolates: bool = False
    rival_only: bool = False


@dataclass(frozen=True)
class RecordFile:
    """All records of one material file (own ones first, then those of its family)."""

    name: str
    version: str
    supplier: str
    facts: tuple[str, ...]
    sets: tuple[ParameterSet, ...]
    records: Mapping[str, tuple[Record, ...]] = field(repr=False, hash=False)

    def of(self, quantity: str) -> tuple[Record, ...]:
        """The records of a quantity in order of preference; empty where there is none."""
        return self.records.get(quantity, ())


def _text(name: str) -> str:
    return files("perolux.materials").joinpath("data", name).read_text("utf-8")


@cache
def quantities() -> dict[str, Quantity]:
    """All quantities that records may hold, by name."""
    return {
        name: Quantity(name=name, **table) for name, table in tomllib.loads(_text("quantities.toml")).items()
    }


@cache
def load_records(name: str) -> RecordFile:
    """The records of an end member ("CsPbBr3") or of a model ("mixing", "gap_course").

    Those of the package, and after them the sets of the user's own files (`own_records`), which replace
    nothing. Raises `InputError` with every fault of the files.
    """
    from perolux.materials.own_records import own_record_files

    packaged = load_packaged(name)
    own = own_record_files().get(name)
    if own is None:
        return packaged
    records = dict(packaged.records)
    for quantity, rows in own.records.items():
        records[quantity] = records.get(quantity, ()) + rows
    version = f"{packaged.version} + {own.version}"
    return replace(packaged, version=version, sets=packaged.sets + own.sets, records=records)


@cache
def load_packaged(name: str) -> RecordFile:
    """The packaged records alone."""
    return parse_records(_text(f"{name}.toml"), f"{name}.toml")


def parse_records(text: str, where: str) -> RecordFile:
    """Check and read the text of a record file; `where` names it in messages."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"not valid TOML: {error}", where=where) from error
    problems: list[Problem] = []
    head = tables.pop("material", None)
    if not isinstance(head, dict) or not isinstance(head.get("name"), str):
        raise InputError("the table [material] with a name is missing", where=where)
    for unknown in head.keys() - {"name", "version", "family", "supplier", "facts"}:
        problems.append(Problem(f"unknown field {unknown!r} in [material]", where))
    if not isinstance(head.get("version"), str):
        problems.append(Problem("the records have no version", where, fix='write version = "1"'))
    sets = _sets(tables.pop("sets", []), where, problems)
    records: dict[str, tuple[Record, ...]] = {}
    for quantity, rows in tables.items():
        records[quantity] = _rows(head["name"], quantity, rows, sets, where, problems)
    if problems:
        raise InputError(problems)
    family = load_packaged(head["family"]).records if "family" in head else {}
    for quantity, rows_of_family in family.items():
        own = records.get(quantity, ())
        records[quantity] = own + tuple(_renamed(record, head["name"]) for record in rows_of_family)
    return RecordFile(
        head["name"],
        head["version"],
        str(head.get("supplier", "whoever measures it")),
        tuple(str(fact) for fact in head.get("facts", [])),
        sets,
        records,
    )


def _sets(rows: Any, where: str, problems: list[Problem]) -> tuple[ParameterSet, ...]:
    found = []
    for row in rows if isinstance(rows, list) else [None]:
        if not isinstance(row, dict) or not isinstance(row.get("name"), str):
            problems.append(Problem("a parameter set needs a name", f"{where}: sets"))
            continue
        for unknown in row.keys() - {"name", "aliases", "keep", "note"}:
            problems.append(Problem(f"unknown field {unknown!r}", f"{where}: set {row['name']}"))
        if row.get("keep") not in (None, "exciton_binding"):
            problems.append(
                Problem(f"keep = {row['keep']!r}", f"{where}: set {row['name']}", "exciton_binding")
            )
        aliases = tuple(str(alias) for alias in row.get("aliases", []))
        found.append(ParameterSet(row["name"], aliases, row.get("keep"), str(row.get("note", ""))))
    names = [name for one in found for name in (one.name, *one.aliases)]
    if len(set(names)) < len(names):
        problems.append(Problem("two parameter sets share a name or alias", f"{where}: sets"))
    return tuple(found)


def _rows(
    material: str,
    quantity: str,
    rows: Any,
    sets: tuple[ParameterSet, ...],
    where: str,
    problems: list[Problem],
) -> tuple[Record, ...]:
    spec = quantities().get(quantity)
    if spec is None:
        problems.append(Problem(f"unknown quantity {quantity!r}", where, ", ".join(quantities())))
        return ()
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        problems.append(Problem("records are written as [[" + quantity + "]]", f"{where}: {quantity}"))
        return ()
    records = []
    for position, row in enumerate(rows, 1):
        place = f"{where}: {quantity} {position}"
        found = _row(f"{material}.{quantity}", spec, row, sets, place)
        if isinstance(found, Record):
            records.append(found)
        else:
            problems.extend(found)
    return tuple(records)


def _row(
    key: str, spec: Quantity, row: dict[str, Any], sets: tuple[ParameterSet, ...], place: str
) -> Record | list[Problem]:
    problems = [Problem(f"unknown field {name!r}", place, ", ".join(sorted(_RECORD_FIELDS)))
                for name in row.keys() - _RECORD_FIELDS]  # fmt: skip
    if row.get("kind") not in KINDS:
        problems.append(Problem(f"kind {row.get('kind')!r}", place, ", ".join(KINDS)))
    if not citation_keys(str(row.get("source", ""))):
        problems.append(
            Problem(
                f"source {row.get('source')!r} does not begin with keys of the bibliography",
                place,
                'for example "yang2017: abstract"',
                "add the work to quantities/bibliography.toml",
            )
        )
    names = [one.name for one in sets]
    if row.get("set") is not None and row["set"] not in names:
        problems.append(Problem(f"unknown parameter set {row['set']!r}", place, ", ".join(names) or "none"))
    if row.get("outside", "refuse") not in ("refuse", "extrapolate"):
        problems.append(Problem(f"outside = {row['outside']!r}", place, "refuse, extrapolate"))
    numbers = _numbers(spec, row, place, problems)
    valid = _valid(row.get("valid", {}), place, problems)
    if problems:
        return problems
    try:
        value = Value(
            unit=spec.unit,
            kind=row["kind"],
            source=row["source"],
            key=key,
            parameter_set=row.get("set"),
            valid=valid,
            note=str(row.get("note", "")),
            **numbers,
        )
    except ValueError as error:
        return [Problem(str(error), place)]
    return Record(value, row.get("outside") == "extrapolate", bool(row.get("rival_only", False)))


def _numbers(spec: Quantity, row: dict[str, Any], place: str, problems: list[Problem]) -> dict[str, Any]:
    """number, sigma, low and high in the canonical unit; faults are appended to `problems`."""
    given: dict[str, float] = {}
    for name in ("value", "sigma", "low", "high"):
        number = row.get(name)
        if number is None:
            continue
        if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
            problems.append(Problem(f"{name} = {number!r} is not a finite number", place))
            return {"number": 0.0}
        given[name] = float(number)
    if "value" not in given and not {"low", "high"} <= given.keys():
        problems.append(Problem("a record needs value, or low and high", place))
        return {"number": 0.0}
    try:
        given = {name: _canonical(spec, number, row) for name, number in given.items()}
    except PeroluxError as error:
        problems.extend(Problem(p.what, place, p.allowed, p.fix) for p in error.problems)
        return {"number": 0.0}
    sigma = given.pop("sigma", None)
    for name, number in given.items():
        if not spec.low <= number <= spec.high:
            problems.append(
                Problem(
                    f"{name} = {number:g} {spec.unit} is out of bounds",
                    place,
                    f"{spec.low:g} to {spec.high:g}",
                )
            )
    low, high = given.get("low"), given.get("high")
    middle = given["value"] if "value" in given else ((low or 0.0) + (high or 0.0)) / 2.0
    return {"number": middle, "sigma": sigma, "low": low, "high": high}


def _canonical(spec: Quantity, number: float, row: dict[str, Any]) -> float:
    number = linear_scale(number, str(row.get("unit")), spec.unit)
    if spec.name == "kane_energy":
        return kane_energy_ev(number, str(row.get("convention")))
    if "convention" in row:
        raise OptionError(
            "only a Kane energy has a convention",
            allowed="kane_energy with one of " + ", ".join(KANE_CONVENTIONS),
        )
    return number


def _valid(table: Any, place: str, problems: list[Problem]) -> tuple[tuple[str, float, float], ...]:
    found = []
    for name, limits in table.items() if isinstance(table, dict) else [("valid", table)]:
        if (
            not isinstance(limits, list)
            or len(limits) != 2
            or not all(isinstance(limit, int | float) for limit in limits)
            or not limits[0] <= limits[1]
        ):
            problems.append(Problem(f"valid.{name} must be [low, high]", place))
            continue
        found.append((str(name), float(limits[0]), float(limits[1])))
    return tuple(found)


def _renamed(record: Record, material: str) -> Record:
    quantity = record.value.key.rpartition(".")[2]
    return Record(record.value.with_key(f"{material}.{quantity}"), record.extrapolates, record.rival_only)
