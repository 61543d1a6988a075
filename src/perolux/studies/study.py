"""Loading a study file: every problem of it found at once, before any work starts."""

from __future__ import annotations

import difflib
import glob
import hashlib
import json
import os
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perolux.errors import InputError, PeroluxError, Problem
from perolux.files import sha256_of
from perolux.studies.naming import group_of
from perolux.studies.table import Table, read_table

if TYPE_CHECKING:
    from perolux.studies.schema import StudyFile

__all__ = ["Study", "load_study", "study_from"]


@dataclass(frozen=True)
class Study:
    """A study that has been read and checked: its settings, its files, its recipe table.

    spec: the settings as the schema defines them; folder: where relative paths start;
    spectra_files, absorption_files, samples_file: the files found; name: file name of the study for messages.
    """

    spec: StudyFile
    folder: Path
    spectra_files: tuple[Path, ...]
    samples_file: Path | None
    table: Table | None
    name: str = "study.toml"
    absorption_files: tuple[Path, ...] = ()

    def shown(self, path: Path) -> str:
        """A file's name as the study gives it: relative to its folder, absolute only where given so."""
        given = [*self.spec.spectra.files, *([self.spec.samples.file] if self.spec.samples else [])]
        given += self.spec.absorption.files if self.spec.absorption else ()
        roots = [Path(text).anchor and Path(text).parent for text in given]
        if not path.is_relative_to(self.folder) and any(
            root and path.is_relative_to(root) for root in roots if not glob.has_magic(str(root))
        ):
            return path.as_posix()
        return Path(os.path.relpath(path, self.folder)).as_posix()

    @cached_property
    def inputs(self) -> tuple[tuple[str, str], ...]:
        """(name, sha256) of every input file, in the order of the study."""
        files = [*self.spectra_files, *self.absorption_files]
        files += [self.samples_file] if self.samples_file else []
        return tuple((self.shown(path), _hash_of(path, self.shown(path))) for path in files)

    def digest(self, *extra: str) -> str:
        """SHA-256 over the settings, the content of all inputs and what else decides the result."""
        content = json.dumps(
            [self.spec.model_dump(mode="json"), [list(pair) for pair in self.inputs], list(extra)],
            sort_keys=True,
        )
        return hashlib.sha256(content.encode("utf-8")).hexdigest()


def load_study(path: str | Path) -> Study:
    """Read and check a study file (or the `study.toml` in a folder).

    Raises `InputError` that holds all problems found: TOML that does not parse, unknown keys, wrong types,
    files that do not exist, columns that the recipe table lacks, a material or temperature without a record.
    """
    path = Path(path)
    if path.is_dir():
        path = path / "study.toml"
    try:
        raw_bytes = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"the study file cannot be read: {error.strerror or error}",
            where=str(path),
            fix="give the path of a STUDY.toml; `perolux demo` shows a complete one",
        ) from error
    try:
        content = tomllib.loads(raw_bytes.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"not valid TOML: {error}", where=path.name, fix="mend the line named") from error
    return study_from(content, folder=path.parent, name=path.name)


def study_from(content: dict[str, Any], *, folder: str | Path, name: str = "study.toml") -> Study:
    """Check study settings given as a dictionary (the content of a study file) against files in `folder`."""
    from pydantic import ValidationError

    from perolux.studies.schema import StudyFile

    folder = Path(folder).resolve()
    problems: list[Problem] = []
    spec: StudyFile | None = None
    try:
        spec = StudyFile.model_validate(content)
    except ValidationError as error:
        problems += [_problem_of(detail, name) for detail in error.errors()]
    spectra = _files_of("spectra", content, folder, name, problems)
    absorption = _files_of("absorption", content, folder, name, problems)
    samples_file, table = _samples(content.get("samples"), folder, name, problems)
    if spec is not None:
        problems += _material_problems(spec, name)
        problems += _report_problems(spec, table, name)
        problems += _pairing_problems(spec, spectra, absorption, name)
    if problems:
        raise InputError(problems)
    assert spec is not None
    return Study(spec, folder, tuple(spectra), samples_file, table, name, tuple(absorption))


def _hash_of(path: Path, shown: str) -> str:
    try:
        return sha256_of(path)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", where=shown) from error


def _list_of_text(content: dict[str, Any], block: str, key: str) -> list[str]:
    table = content.get(block)
    value = table.get(key) if isinstance(table, dict) else None
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _files_of(
    block: str, content: dict[str, Any], folder: Path, name: str, problems: list[Problem]
) -> list[Path]:
    found: dict[Path, None] = {}
    for position, pattern in enumerate(_list_of_text(content, block, "files")):
        where = f"{name}: [{block}] files[{position}]"
        exact = folder / pattern
        if exact.is_file():
            found.setdefault(exact, None)
            continue
        if exact.is_dir():
            problems.append(
                Problem(
                    f"{pattern!r} is a folder", where, fix=f"say which files: {pattern.rstrip('/')}/*.csv"
                )
            )
            continue
        matches = sorted(Path(match) for match in glob.glob(str(exact), recursive=True))  # noqa: PTH207 - absolute patterns
        files = [match for match in matches if match.is_file()]
        if not files:
            what = f"no file matches {pattern!r}" if glob.has_magic(pattern) else f"no such file: {pattern!r}"
            problems.append(Problem(what, where, "paths relative to the study file", _near(exact)))
        for file in files:
            found.setdefault(file, None)
    return list(found)


def _near(missing: Path) -> str:
    parent = missing.parent
    if not parent.is_dir():
        return f"the folder {parent.name!r} does not exist either; check the path"
    names = [entry.name for entry in parent.iterdir()]
    close = difflib.get_close_matches(missing.name, names, n=3)
    return f"did you mean {' or '.join(close)}?" if close else "check the spelling, or put the file there"


def _samples(
    block: Any, folder: Path, name: str, problems: list[Problem]
) -> tuple[Path | None, Table | None]:
    if not isinstance(block, dict) or not isinstance(block.get("file"), str):
        return None, None
    path = folder / block["file"]
    if not path.is_file():
        problems.append(
            Problem(f"no such file: {block['file']!r}", f"{name}: [samples] file", fix=_near(path))
        )
        return None, None
    delimiter = block.get("delimiter")
    try:
        table = read_table(
            path, delimiter=delimiter if delimiter in (",", ";", "\t") else None, name=block["file"]
        )
    except PeroluxError as error:
        problems.extend(error.problems)
        return path, None
    for place, column in _columns_named(block):
        if column not in table.columns:
            close = difflib.get_close_matches(column, table.columns, n=1, cutoff=0.5)
            problems.append(
                Problem(
                    f"the table {block['file']!r} has no column {column!r}",
                    f"{name}: [samples] {place}",
                    ", ".join(repr(known) for known in table.columns),
                    f"did you mean {close[0]!r}?" if close else "use one of these, or add the column",
                )
            )
    for place, column in _columns_named(block, numeric=True):
        if column in table.columns and not table.is_numeric(column):
            text = next((t for t in table.text[column] if t and not _is_number(t)), "no number at all")
            problems.append(
                Problem(
                    f"the column {column!r} must hold numbers",
                    f"{name}: [samples] {place}",
                    "numbers or empty cells",
                    f"it holds {text!r}",
                )
            )
    return path, table


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True


def _columns_named(block: dict[str, Any], *, numeric: bool = False) -> list[tuple[str, str]]:
    named: list[tuple[str, Any]] = []
    if not numeric:
        named += [("label", block.get("label"))]
        named += [("variables", item) for item in _listed(block.get("variables"))]
        units = block.get("units")
        named += [("units", item) for item in (units if isinstance(units, dict) else {})]
    named += [("plqy", block.get("plqy"))]
    absent = block.get("not_measured")
    named += [("not_measured", item) for item in (absent if isinstance(absent, dict) else {})]
    for position, ratio in enumerate(_listed(block.get("ratios"))):
        if isinstance(ratio, dict):
            for key in ("numerator", "denominator"):
                named += [(f"ratios[{position}] {key}", item) for item in _listed(ratio.get(key))]
    return [(place, column) for place, column in named if isinstance(column, str)]


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _material_problems(spec: StudyFile, name: str) -> list[Problem]:
    from perolux.studies.conditions import check_material

    try:
        check_material(spec)
    except PeroluxError as error:
        return [
            Problem(p.what, f"{name}: [conditions]{f' ({p.where})' if p.where else ''}", p.allowed, p.fix)
            for p in error.problems
        ]
    return []


def _report_problems(spec: StudyFile, table: Table | None, name: str) -> list[Problem]:
    if spec.report.x is None or (table is None and spec.samples is not None):
        return []
    known = list(table.columns) if table else []
    known += [ratio.name for ratio in spec.samples.ratios] if spec.samples else []
    if spec.report.x in known:
        return []
    return [
        Problem(
            f"{spec.report.x!r} is no recipe variable",
            f"{name}: [report] x",
            ", ".join(repr(column) for column in known) or "a study with [samples]",
        )
    ]


def _pairing_problems(
    spec: StudyFile, spectra: list[Path], absorption: list[Path], name: str
) -> list[Problem]:
    """What stands against telling PL and absorption apart, and against naming the group of each file."""
    problems: list[Problem] = []
    for block, rule, files in (
        ("spectra", spec.spectra.group, spectra),
        ("absorption", spec.absorption.group if spec.absorption else None, absorption),
    ):
        strange = [path.name for path in files if rule and group_of(path, rule) is None]
        if strange:
            more = f" and {len(strange) - 1} more" if len(strange) > 1 else ""
            problems.append(
                Problem(
                    f"the file name {strange[0]!r}{more} does not fit {rule!r}",
                    f"{name}: [{block}] group",
                    "names without ending, {group} for what tells the files apart, * for any text",
                    "mend the pattern, or name only files that fit it",
                )
            )
    if spec.absorption and (spec.spectra.group is None) != (spec.absorption.group is None):
        block = "absorption" if spec.absorption.group is None else "spectra"
        problems.append(
            Problem(
                "only one of [spectra] and [absorption] names a group, so that no samples would be joined",
                f"{name}: [{block}] group",
                fix="give both a group, or neither",
            )
        )
    both = [path.name for path in spectra if path in absorption]
    if both:
        problems.append(
            Problem(
                f"{both[0]!r} is named as PL and as absorption",
                f"{name}: [absorption] files",
                "each file in one block",
                "narrow the patterns",
            )
        )
    return problems


def _problem_of(detail: Any, name: str) -> Problem:
    """One complaint of pydantic in words: where, what, what is allowed, how to mend it."""
    place = list(detail["loc"])
    where = f"{name}: " + (f"[{place[0]}]" if place else "the file")
    for part in place[1:]:
        where += f"[{part}]" if isinstance(part, int) else f" {part}"
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        known = _known_keys(place[:-1])
        close = difflib.get_close_matches(str(place[-1]), known, n=1)
        fix = f"did you mean {close[0]!r}?" if close else "remove it"
        return Problem(f"unknown key {place[-1]!r}", where, ", ".join(known), fix)
    if kind == "missing":
        what = f"the block [{place[0]}] is missing" if len(place) == 1 else f"{place[-1]!r} is missing"
        return Problem(what, where, fix=f"add {place[-1]} = ..." if len(place) > 1 else f"add [{place[0]}]")
    given = detail.get("input")
    shown = repr(given) if len(repr(given)) < 60 else f"{repr(given)[:57]}..."
    message = detail["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    return Problem(f"{shown} is not allowed here", where, str(context.get("expected", message)))


def _known_keys(place: list[Any]) -> list[str]:
    from perolux.studies.schema import study_schema

    schema = study_schema()
    node: dict[str, Any] = schema
    for part in place:
        step = node.get("items", {}) if isinstance(part, int) else node.get("properties", {}).get(part, {})
        options = step.get("anyOf") or step.get("allOf") or [step]
        step = next((option for option in options if option.get("type") != "null"), dict[str, Any]())
        if "$ref" in step:
            step = schema["$defs"][step["$ref"].rsplit("/", 1)[-1]]
        node = step
    return sorted(node.get("properties", {}))
