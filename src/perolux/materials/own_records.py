"""A user's own record files: named parameter sets that join the packaged records.

A file has the form of the packaged ones (`perolux.materials.records`), for one end member:

    [material]
    name = "CsPbBr3"
    version = "1"
    [[sets]]
    name = "my-sizes-2025"
    [[reduced_mass]]
    set = "my-sizes-2025"
    value = 0.15
    unit = "m0"
    kind = "derived"
    source = "perolux: fitted to sizes.csv"

Every record belongs to a set of its file, so that nothing packaged is replaced and a result changes only
where the set is asked for by name, `material("CsPbBr3", parameter_set="my-sizes-2025")`. A record of the
quantity `gap` in a set answers within its temperatures before the packaged course does. Files are those of
`use_records`, else those that the environment variable PEROLUX_RECORDS names (separated as PATH is). The
version of a material with own records carries the digest of their file.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path

from perolux.errors import InputError, Problem
from perolux.files import write_text
from perolux.materials.records import RecordFile, load_packaged, load_records, parse_records
from perolux.quantities.value import Value

__all__ = ["RECORDS_VARIABLE", "own_record_files", "record_text", "use_records", "write_records"]

RECORDS_VARIABLE = "PEROLUX_RECORDS"

_chosen: tuple[Path, ...] | None = None
"""Files given to `use_records`; None where it was never called, and the environment decides."""


def use_records(*paths: str | Path) -> tuple[str, ...]:
    """Use these record files (none: only packaged records) from now on; returns the names of their sets.

    Replaces files chosen before and the environment. Raises `InputError` with every fault of every file; the
    former choice then stays.
    """
    global _chosen
    before = _chosen
    _chosen = tuple(Path(path) for path in paths)
    _forget()
    try:
        return tuple(one.name for file in own_record_files().values() for one in file.sets)
    except InputError:
        _chosen = before
        _forget()
        raise


@cache
def own_record_files() -> dict[str, RecordFile]:
    """The own record files in use, by material; several files of one material are joined.

    Raises `InputError` with every fault of every file.
    """
    problems: list[Problem] = []
    found: dict[str, RecordFile] = {}
    for path in _paths():
        try:
            one = _read(path)
            found[one.name] = _joined(found[one.name], one) if one.name in found else one
        except InputError as error:
            problems += error.problems
    for name, file in found.items():
        packaged = load_packaged(name)
        taken = {n for one in packaged.sets for n in (one.name, *one.aliases)}
        names = [n for one in file.sets for n in (one.name, *one.aliases)]
        problems += [
            Problem(
                f"{name} has a parameter set {n!r} already", f"own records of {name}", fix="choose another"
            )
            for n in names
            if n in taken or names.count(n) > 1
        ]
    if problems:
        raise InputError(list(dict.fromkeys(problems)))
    return found


def record_text(
    material: str, set_name: str, values: dict[str, Value], *, version: str = "1", note: str = ""
) -> str:
    """The text of a record file with one named set; values by quantity, in canonical units.

    kind, source, sigma or range, valid range and note of each `Value` are written.
    """
    lines = ["[material]", f"name = {_quoted(material)}", f"version = {_quoted(version)}", ""]
    lines += ["[[sets]]", f"name = {_quoted(set_name)}"] + ([f"note = {_quoted(note)}"] if note else [])
    for quantity, value in values.items():
        lines += ["", f"[[{quantity}]]", f"set = {_quoted(set_name)}"]
        numbers = {"value": value.number, "sigma": value.sigma, "low": value.low, "high": value.high}
        lines += [f"{name} = {float(number)!r}" for name, number in numbers.items() if number is not None]
        lines += [f"{name} = {_quoted(getattr(value, name))}" for name in ("unit", "kind", "source")]
        if quantity == "kane_energy":
            lines.append('convention = "momentum-matrix-element"')
        if value.valid:
            ranges = ", ".join(f"{name} = [{low!r}, {high!r}]" for name, low, high in value.valid)
            lines.append(f"valid = {{ {ranges} }}")
        if value.note:
            lines.append(f"note = {_quoted(value.note)}")
    return "\n".join(lines) + "\n"


def write_records(path: str | Path, text: str) -> Path:
    """Check the text of an own record file as a file that is read would be, then write it atomically.

    Raises `InputError` with every fault, and then writes nothing.
    """
    _checked(text, str(path))
    return write_text(path, text)


def _paths() -> tuple[Path, ...]:
    if _chosen is not None:
        return _chosen
    return tuple(Path(part) for part in os.environ.get(RECORDS_VARIABLE, "").split(os.pathsep) if part)


def _read(path: Path) -> RecordFile:
    try:
        content = path.read_bytes()
        text = content.decode("utf-8")
    except OSError as error:
        raise InputError(
            f"the record file cannot be read: {error.strerror or error}",
            where=str(path),
            fix=f"check {RECORDS_VARIABLE} or the path given",
        ) from error
    except UnicodeDecodeError as error:
        raise InputError("the record file is not text in UTF-8", where=str(path)) from error
    file = _checked(text, str(path))
    digest = hashlib.sha256(content).hexdigest()[:12]
    return replace(file, version=f"{path.name} {file.version} (sha256 {digest})")


def _checked(text: str, where: str) -> RecordFile:
    file = parse_records(text, where)
    problems = []
    from perolux.materials.material import known_materials

    if file.name not in known_materials():
        problems.append(
            Problem(f"own records of {file.name!r}", f"{where}: material", ", ".join(known_materials()))
        )
    if not file.sets:
        problems.append(Problem("an own file needs a named parameter set", where, fix="write [[sets]]"))
    for quantity, records in file.records.items():
        if any(record.value.parameter_set is None for record in records):
            problems.append(
                Problem("an own record must belong to a set", f"{where}: {quantity}", fix="write set = NAME")
            )
    if problems:
        raise InputError(problems)
    return file


def _joined(first: RecordFile, second: RecordFile) -> RecordFile:
    records = dict(first.records)
    for quantity, rows in second.records.items():
        records[quantity] = records.get(quantity, ()) + rows
    version = f"{first.version} + {second.version}"
    return replace(first, version=version, sets=first.sets + second.sets, records=records)


def _forget() -> None:
    """Drop every answer that the former files gave."""
    from perolux.materials.material import _combinations, material
    from perolux.materials.resolve import answer, set_warnings

    for clear in (
        own_record_files.cache_clear,
        load_records.cache_clear,
        answer.cache_clear,
        set_warnings.cache_clear,
        material.cache_clear,
        _combinations.cache_clear,
    ):
        clear()


def _quoted(text: str) -> str:
    """A TOML basic string; control characters as escapes."""
    escaped: Iterable[str] = (
        f"\\u{ord(c):04x}" if ord(c) < 32 or ord(c) == 127 else "\\" + c if c in '"\\' else c for c in text
    )
    return '"' + "".join(escaped) + '"'
