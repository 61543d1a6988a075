"""Find the table of numbers in a text, by its content: delimiter, decimal sign, first and last row.

Every candidate for delimiter and decimal sign votes with the rows that it can read completely. The longest
run of rows that begin with a number and go on with another one is the table; what stands above is header,
what stands below is a log.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass

from perolux.errors import InputError, OptionError
from perolux.measured.wording import plain

__all__ = ["Dialect", "Options", "is_missing", "is_number", "row_starts", "sniff_dialect"]

MAX_COLUMNS = 10_000
_LONGEST_NUMBER = 48
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,4})?", re.ASCII)
_NUMBER_COMMA = re.compile(r"[+-]?(?:\d+(?:,\d*)?|,\d+)(?:[eE][+-]?\d{1,4})?", re.ASCII)
_STARTS_WITH_NUMBER = re.compile(
    r"\s*[\"']?[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d{1,4})?[\"']?\s*(?:[,;\t ]|$)", re.ASCII
)
_TWO_CELLS = re.compile(
    r"\s*[\"']?[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,4})?[\"']?[,;\t ]+[^,;\t ]", re.ASCII
)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+", re.ASCII)
_MISSING = frozenset(
    [
        "nan",
        "na",
        "n/a",
        "n.a.",
        "n.d.",
        "nd",
        "null",
        "none",
        "inf",
        "+inf",
        "-inf",
        "infinity",
        "-infinity",
        "#n/a",
        "#num!",
        "#value!",
        "#div/0!",
        "over",
        "overflow",
        "ovrflw",
        "1.#inf",
        "-1.#inf",
        "1.#qnan",
        "-1.#ind",
    ]
)
_COMMENTS = ("#", "%", "//", "!", "'")
_DELIMITERS = {
    "tab": "\t",
    "\\t": "\t",
    "\t": "\t",
    ";": ";",
    ",": ",",
    "space": " ",
    "whitespace": " ",
    " ": " ",
}
_NAMES = {"\t": "tab", ";": "semicolon", ",": "comma", " ": "white space"}
_CANDIDATES = (("\t", "."), (";", "."), (",", "."), (" ", "."), ("\t", ","), (";", ","), (" ", ","))


@dataclass(frozen=True)
class Options:
    """What the user said about a file; None where nothing was said."""

    kind: str | None = None
    axis_unit: str | None = None
    delimiter: str | None = None
    decimal: str | None = None

    def said(self) -> tuple[tuple[str, str], ...]:
        """The options that were given, as pairs of name and value."""
        pairs = (
            ("kind", self.kind),
            ("axis_unit", self.axis_unit),
            ("delimiter", self.delimiter),
            ("decimal", self.decimal),
        )
        return tuple((name, value) for name, value in pairs if value is not None)


@dataclass(frozen=True)
class Dialect:
    """How the cells of a table are separated and their numbers written.

    delimiter: "\\t", ";", "," or " " (any white space); decimal: "." or ",".
    """

    delimiter: str
    decimal: str

    @property
    def name(self) -> str:
        """The dialect in words."""
        return f"{_NAMES[self.delimiter]} separated, decimal {'comma' if self.decimal == ',' else 'point'}"

    def split(self, line: str, most: int = -1) -> list[str]:
        """Cells of a line, quotes removed; at most `most` + 1 of them (the rest stays joined)."""
        if self.delimiter == " ":
            cells = line.split(None, most)
            return [cell.strip("\"'") for cell in cells] if '"' in line or "'" in line else cells
        if '"' in line:
            return _split_quoted(line, self.delimiter)
        return line.split(self.delimiter, most)

    def is_comment(self, line: str) -> bool:
        """True for a comment line; a semicolon starts one unless it separates the cells."""
        start = line.lstrip()
        return start.startswith(_COMMENTS) or (self.delimiter != ";" and start.startswith(";"))

    def is_number(self, cell: str) -> bool:
        """True where the cell is a number written with this decimal sign."""
        cell = cell.strip()
        pattern = _NUMBER if self.decimal == "." else _NUMBER_COMMA
        return 0 < len(cell) <= _LONGEST_NUMBER and pattern.fullmatch(cell) is not None

    def starts_row(self, line: str) -> bool:
        """True for a row of data: a number first, and among the next cells a number or nothing but gaps."""
        cells = self.split(line, 8)[:8]
        if len(cells) < 2 or not self.is_number(cells[0]):
            return False
        rest = cells[1:]
        return any(map(self.is_number, rest)) or all(map(is_missing, rest))


def is_number(cell: str) -> bool:
    """True for a number with a decimal point or a decimal comma."""
    cell = cell.strip()
    return len(cell) <= _LONGEST_NUMBER and bool(_NUMBER.fullmatch(cell) or _NUMBER_COMMA.fullmatch(cell))


def is_missing(cell: str) -> bool:
    """True for an empty cell and for the words that programs write where a number is missing."""
    cell = cell.strip().lower()
    return not cell.strip("-*") or cell in _MISSING


def row_starts(lines: list[str], dialect: Dialect, first: int, last: int) -> Iterator[int]:
    """Positions of the lines in [first, last) that are rows of data."""
    for position in range(first, last):
        line = lines[position]
        if line and _STARTS_WITH_NUMBER.match(line) and dialect.starts_row(line):
            yield position


def sniff_dialect(lines: list[str], options: Options, where: str) -> Dialect:
    """The dialect that reads most rows of the longest run of lines that begin with a number.

    Raises `InputError` where there is no such run, only one column, or no dialect that reads three quarters
    of the sample; the message shows the first lines.
    """
    candidates = _candidates(options, where)
    sample = _sample(lines, _TWO_CELLS) or _sample(lines, _STARTS_WITH_NUMBER)
    if not sample:
        raise InputError(
            "no rows of numbers were found: a header only, or no table of a spectrum",
            where=where,
            allowed="rows that begin with the wavelength or energy and go on with intensities",
            fix=f"export the spectrum as text; the file begins with {_shown(lines)}",
        )
    best: Dialect | None = None
    most = 0
    for delimiter, decimal in candidates:
        dialect = Dialect(delimiter, decimal)
        clean = sum(_reads(dialect, line) for line in sample)
        if clean > most:
            best, most = dialect, clean
    if best is None or most < 0.75 * len(sample):
        one_column = all(is_number(line.strip().strip("\"'")) for line in sample)
        raise InputError(
            "there is only one column of numbers" if one_column else "the columns cannot be told apart",
            where=where,
            allowed="two columns or more, axis and intensity; one delimiter, one decimal sign, no words",
            fix="export axis and intensity side by side"
            if one_column
            else 'say delimiter="," (or ";", "tab", "space") and decimal="." (or ","); '
            f"the rows look like {_shown(sample)}",
        )
    _refuse_thousands(best, sample, options, where)
    return best


def _candidates(options: Options, where: str) -> list[tuple[str, str]]:
    if options.delimiter is not None and options.delimiter not in _DELIMITERS:
        raise OptionError(
            f"unknown delimiter {options.delimiter!r}", where=where, allowed='",", ";", "tab", "space"'
        )
    if options.decimal not in (None, ".", ","):
        raise OptionError(f"unknown decimal sign {options.decimal!r}", where=where, allowed='"." or ","')
    wanted = None if options.delimiter is None else _DELIMITERS[options.delimiter]
    result = [
        (delimiter, decimal)
        for delimiter, decimal in _CANDIDATES
        if wanted in (None, delimiter) and options.decimal in (None, decimal)
    ]
    if not result:
        raise OptionError(
            "a comma cannot separate the cells and be the decimal sign", where=where, fix="change one of them"
        )
    return result


def _sample(lines: list[str], pattern: re.Pattern[str], size: int = 24) -> list[str]:
    """Lines, evenly spread, of the longest run that fits the pattern (gaps, comments do not end it)."""
    longest: list[int] = []
    run: list[int] = []
    for position, line in enumerate(lines):
        if pattern.match(line):
            run.append(position)
        elif line.strip() and not line.lstrip().startswith((*_COMMENTS, ";")):
            if len(run) > len(longest):
                longest = run
            run = []
    if len(run) > len(longest):
        longest = run
    step = max(1, len(longest) // size)
    return [lines[position] for position in longest[::step][: size + 1]]


def _reads(dialect: Dialect, line: str) -> bool:
    cells = dialect.split(line, 60)[:60]
    if len(cells) < 2 or not dialect.is_number(cells[0]):
        return False
    rest = cells[1:]
    clean = all(dialect.is_number(cell) or is_missing(cell) for cell in rest)
    return clean and (any(map(dialect.is_number, rest)) or len(rest) > 0)


def _refuse_thousands(dialect: Dialect, sample: list[str], options: Options, where: str) -> None:
    """Where every comma could separate thousands as well as decimals, ask instead of guessing."""
    if dialect.decimal != "," or options.decimal is not None:
        return
    rows = [dialect.split(line)[:60] for line in sample]
    if any("," in row[0] for row in rows if row):
        return
    cells = [cell.strip() for row in rows for cell in row[1:] if "," in cell]
    if cells and all(_THOUSANDS.fullmatch(cell) for cell in cells):
        raise InputError(
            f"the commas, as in {plain(cells[0], 30)!r}, may be decimal commas or separate thousands",
            where=where,
            fix='say decimal="," for a decimal comma, or export without separators of thousands',
        )


def _split_quoted(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error:
        return [cell.strip().strip('"') for cell in line.split(delimiter)]


def _shown(lines: list[str]) -> str:
    shown = [repr(plain(line, 60)) for line in lines if line.strip()][:2]
    return " / ".join(shown) if shown else "nothing"
