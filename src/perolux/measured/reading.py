"""Read spectra from a file, whatever its layout: recognised by content, never by the extension.

`read(path)` is what users call; `read_bytes(data, name)` does the same for bytes in memory (an upload, a
test); `read_many(paths)` goes on where one file fails.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path, PurePath

from perolux.errors import InputError, OptionError, PeroluxError, Problem
from perolux.measured import edinburgh, jcamp_dx, ocean_optics
from perolux.measured.assembly import Evidence, assemble
from perolux.measured.columns import Column, recorded_columns, run_along_rows, with_facts
from perolux.measured.decoding import DEFAULT_MAX_BYTES, check_size, decode, load_bytes
from perolux.measured.headers import head_facts
from perolux.measured.records import AXIS_UNITS, KINDS, FileSource, SpectrumSet
from perolux.measured.sniff import Options
from perolux.measured.text_tables import NumberTable, split_lines, tabulate

__all__ = ["read", "read_bytes", "read_many"]

_UNSEEN = (
    "The reader of this format follows its documentation; it has not seen a real file yet. "
    "Please check the numbers, and send the file if they are wrong."
)


def read(
    path: str | Path,
    *,
    kind: str | None = None,
    axis_unit: str | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    max_bytes: int = DEFAULT_MAX_BYTES,
) -> SpectrumSet:
    """Read every spectrum of a file (or of all files of a folder, sorted by name) into a `SpectrumSet`.

    kind: "pl", "absorbance" or "excitation", where the file does not say it; axis_unit: "nm", "eV" or "cm-1";
    delimiter: ",", ";", "tab" or "space"; decimal: "." or ","; max_bytes: largest file that is read.
    The layout is recognised by content: wide tables, two columns of any delimiter, decimal comma, UTF-16,
    scans side by side, Ocean Optics, Edinburgh, JCAMP-DX. Wavelengths come in nm, ascending; values as
    recorded.

    A point without a number is left out of its spectrum (flag `missing-points`); an axis value that occurs
    twice, an axis that turns round and text in the table are errors.

    Raises `InputError` with all problems of the file and the option that would settle each; `OptionError` for
    an option that is unknown or contradicts the file. In a folder, files that cannot be read become notes.
    """
    options = _options(kind, axis_unit, delimiter, decimal)
    if Path(path).is_dir():
        return _read_folder(Path(path), options, max_bytes)
    return _read_content(load_bytes(path, max_bytes), str(path), options)


def read_bytes(
    data: bytes,
    name: str = "spectrum.txt",
    *,
    kind: str | None = None,
    axis_unit: str | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    max_bytes: int = DEFAULT_MAX_BYTES,
) -> SpectrumSet:
    """Read the spectra in `data`, the content of a file called `name`; otherwise like `read`.

    >>> rows = "500,1\\n501,5\\n502,9\\n503,5\\n504,1\\n"
    >>> spectra = read_bytes(f"Wavelength (nm),PL (counts)\\n{rows}".encode(), "dot.csv")
    >>> spectra[0]
    <Spectrum 'dot': pl, 5 points, 500 to 504 nm, counts, flags: kind-from-header>
    """
    options = _options(kind, axis_unit, delimiter, decimal)
    check_size(len(data), name, max_bytes)
    return _read_content(data, name, options)


def read_many(
    paths: Iterable[str | Path],
    *,
    kind: str | None = None,
    axis_unit: str | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    max_bytes: int = DEFAULT_MAX_BYTES,
) -> tuple[list[SpectrumSet], list[tuple[str, PeroluxError]]]:
    """Read many files; gives the sets that could be read, and path and error of each that could not."""
    options = _options(kind, axis_unit, delimiter, decimal)
    return _read_each(paths, options, max_bytes)


def _read_each(
    paths: Iterable[str | Path], options: Options, max_bytes: int
) -> tuple[list[SpectrumSet], list[tuple[str, PeroluxError]]]:
    sets: list[SpectrumSet] = []
    errors: list[tuple[str, PeroluxError]] = []
    for path in paths:
        try:
            sets.append(_read_content(load_bytes(path, max_bytes), str(path), options))
        except PeroluxError as error:
            errors.append((str(path), error))
    return sets, errors


def _read_folder(folder: Path, options: Options, max_bytes: int) -> SpectrumSet:
    try:
        paths = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    except OSError as error:
        raise InputError(
            f"the folder cannot be listed: {error.strerror}", where=str(folder), fix="change its permissions"
        ) from error
    sets, errors = _read_each(paths, options, max_bytes)
    if not sets:
        problems = [problem for _, error in errors for problem in error.problems][:20]
        raise InputError(
            problems or Problem("the folder holds no file", str(folder), fix="name a folder with spectra")
        )
    notes = [f"{path} was not read: {error.problems[0].what}." for path, error in errors]
    for one in sets:
        notes += [f"{one.spectra[0].source.path}: {note}" for note in one.notes]
    return SpectrumSet(tuple(spectrum for one in sets for spectrum in one), tuple(notes))


def _options(kind: str | None, axis_unit: str | None, delimiter: str | None, decimal: str | None) -> Options:
    if kind is not None and kind not in KINDS:
        raise OptionError(f"unknown kind {kind!r}", allowed=", ".join(KINDS))
    if axis_unit is not None and axis_unit not in AXIS_UNITS:
        raise OptionError(f"unknown axis unit {axis_unit!r}", allowed=", ".join(AXIS_UNITS))
    return Options(kind, axis_unit, delimiter, decimal)


def _read_content(data: bytes, name: str, options: Options) -> SpectrumSet:
    text, notes_of_text = decode(data, name)
    lines = split_lines(text, name)
    stem = PurePath(name.replace("\\", "/")).stem or name
    notes, flags = list(notes_of_text), list[str]()
    table: NumberTable | None = None
    columns: list[Column]
    problems: list[Problem] = []
    if jcamp_dx.is_jcamp(text):
        reader = jcamp_dx.NAME
        columns, facts, problems = jcamp_dx.read_jcamp(lines, name, stem, notes)
        prose = ""
    elif ocean_optics.is_ocean_optics(lines):
        reader = ocean_optics.NAME
        columns, table, facts = ocean_optics.read_ocean_optics(lines, options, name, stem, notes, flags)
        prose = ""
    elif edinburgh.is_edinburgh(lines):
        reader = edinburgh.NAME
        columns, table, facts = edinburgh.read_edinburgh(lines, options, name, stem, notes)
        prose = ""
    else:
        reader = "table"
        table = tabulate(lines, options, name)
        columns = recorded_columns(table, stem, notes, flags)
        facts = head_facts(table.prose)
        columns = with_facts(columns, facts)
        prose = "\n".join(table.prose)[:20_000]
    unseen = reader != "table"
    if table is not None:
        notes += table.notes
        problems += table.problems
        if table.dropped:
            flags.append("trailing-log-dropped")
            notes.append(
                f"{table.dropped} lines after the data (after line {int(table.lines[-1])}) were left out."
            )
    if unseen:
        flags.append("from-documentation")
        notes.append(_UNSEEN)
    source = FileSource(name, hashlib.sha256(data).hexdigest(), reader, unseen, options.said())
    evidence = Evidence(
        source=source,
        prose=prose,
        facts=facts,
        flags=tuple(flags),
        notes=tuple(notes),
        problems=tuple(problems),
        instrument=ocean_optics.instrument_of(facts),
    )
    try:
        return assemble(columns, evidence, options)
    except InputError as error:
        if table is None or not run_along_rows(table):
            raise
        hint = Problem(
            "the names of the columns are numbers in order: the spectra seem to run along the rows",
            name,
            "one column for each spectrum, the axis in the first column",
            "transpose the table",
        )
        raise InputError([hint, *error.problems]) from error
