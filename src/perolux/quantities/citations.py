"""Citations: the bibliography behind every record, and BibTeX text for the sources a result rests on.

The source of a `Value` reads "key: place" or, for a derived number, "key + key: how"; the keys are the
entries of `bibliography.toml`. An entry holds what is known of a work and nothing else: many are known by
their DOI and the authors' name only, and are written so.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from perolux.errors import InputError, OptionError, Problem

__all__ = ["Reference", "bibliography", "citation_keys", "reference", "to_bibtex"]

_TYPES = ("article", "misc", "software", "dataset", "none")
FIELDS = (
    "author", "title", "journal", "year", "volume", "number", "pages", "doi", "eprint", "url", "note",
)  # fmt: skip
"""Fields of a work, in the order of BibTeX text."""
KEY_PATTERN = r"^[A-Za-z][A-Za-z0-9-]*$"
"""What a citation key looks like."""
_KEY = re.compile(KEY_PATTERN)
_ACCENTS = {'"': "\u0308", "'": "\u0301", "`": "\u0300", "~": "\u0303"}


@dataclass(frozen=True)
class Reference:
    """One work: citation key, BibTeX type and the fields that are known.

    type: article, misc, software, dataset, or "none" for what is no work (common knowledge, a choice of
    this program): such an entry becomes a comment in BibTeX.
    """

    key: str
    type: str
    fields: tuple[tuple[str, str], ...]

    def get(self, field: str) -> str | None:
        """The text of a field, or None where it is not known."""
        return dict(self.fields).get(field)

    def bibtex(self) -> str:
        """The entry as BibTeX text."""
        if self.type == "none":
            return f"% {self.key}: {self.get('note')}"
        lines = [f"@{self.type}{{{self.key},"]
        lines += [f"  {name} = {{{_escape(name, text)}}}," for name, text in self.fields]
        if self.get("eprint"):
            lines.append("  archiveprefix = {arXiv},")
        return "\n".join([*lines, "}"])

    def __str__(self) -> str:
        parts = [self.get(name) for name in ("author", "title", "journal", "year", "doi", "eprint", "note")]
        if parts[0] is not None and parts[0].count(" and ") > 1:
            parts[0] = parts[0].partition(" and ")[0] + " and others"
        return f"{self.key}: " + _without_tex("; ".join(part for part in parts if part))


@cache
def bibliography() -> dict[str, Reference]:
    """All references by key, in the order of the file. Raises `InputError` naming every faulty entry."""
    text = files("perolux.quantities").joinpath("bibliography.toml").read_text("utf-8")
    return parse_bibliography(text, "bibliography.toml")


def parse_bibliography(text: str, where: str) -> dict[str, Reference]:
    """The references of a bibliography in TOML; all faults of the file are raised together."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"not valid TOML: {error}", where=where) from error
    problems: list[Problem] = []
    references = {}
    for key, table in tables.items():
        place = f"{where}: {key}"
        if not isinstance(table, dict):
            problems.append(Problem("an entry must be a table", place, fix=f"write [{key}]"))
            continue
        if not _KEY.fullmatch(key):
            problems.append(Problem("a key has letters, digits and hyphens only", place))
        if table.get("type") not in _TYPES:
            problems.append(Problem(f"type {table.get('type')!r}", place, ", ".join(_TYPES)))
        for field in table.keys() - {"type", *FIELDS}:
            problems.append(Problem(f"unknown field {field!r}", place, ", ".join(FIELDS)))
        known = tuple((name, str(table[name])) for name in FIELDS if name in table)
        if not known:
            problems.append(Problem("an entry needs at least one field", place, ", ".join(FIELDS)))
        references[key] = Reference(key, str(table.get("type")), known)
    if problems:
        raise InputError(problems)
    return references


def reference(key: str) -> Reference:
    """The reference with this key; `OptionError` with the nearest known key otherwise."""
    known = bibliography()
    if key not in known:
        from difflib import get_close_matches

        near = get_close_matches(key, known, n=1)
        raise OptionError(
            f"no reference has the key {key!r}",
            allowed="a key of the bibliography",
            fix=f"did you mean {near[0]!r}?" if near else None,
        )
    return known[key]


def citation_keys(source: str) -> tuple[str, ...]:
    """The citation keys at the head of a source text, in order.

    >>> citation_keys("yang2017 + galkowski2016: linear in composition")
    ('yang2017', 'galkowski2016')
    >>> citation_keys("computed by the program")
    ()
    """
    head = source.partition(":")[0]
    keys = tuple(key.strip() for key in head.split(" + "))
    return keys if all(_KEY.fullmatch(key) and key in bibliography() for key in keys) else ()


def to_bibtex(keys: Iterable[str]) -> str:
    """BibTeX text of the references, each once, in the order given.

    Raises `OptionError` for an unknown key. What is no published work stands as a comment line.
    """
    return "\n\n".join(reference(key).bibtex() for key in dict.fromkeys(keys)) + "\n"


def _without_tex(text: str) -> str:
    """BibTeX text for the eye: accented letters for their TeX, no braces."""
    accented = re.sub(r"\\([\"'`~])(\w)", lambda found: found[2] + _ACCENTS[found[1]], text)
    return re.sub(r"[{}]", "", unicodedata.normalize("NFC", accented))


def _escape(field: str, text: str) -> str:
    if field in ("doi", "eprint", "url"):
        return text
    return re.sub(r"([&%#_$])", r"\\\1", text)
