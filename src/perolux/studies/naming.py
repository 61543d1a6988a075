"""Names of samples: what a column header or a file says, the group of a file, times written in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

__all__ = [
    "Name",
    "Pairing",
    "all_times",
    "group_of",
    "group_pattern",
    "name_of",
    "near_misses",
    "pair_names",
    "time_of",
]

_SECONDS = {"s": 1.0, "sec": 1.0, "second": 1.0, "min": 60.0, "minute": 60.0, "h": 3600.0, "hour": 3600.0}
_TIME = re.compile(
    r"(?:t\s*=\s*)?(\d+(?:[.,]\d+)?)\s*(s|secs?|seconds?|mins?|minutes?|h|hours?)(?![a-z0-9])"
    r"[\s.,;:_-]*(.*)",
    re.IGNORECASE,
)


def time_of(text: str) -> tuple[float, str] | None:
    """The time in seconds that a name begins with, and the words behind it; None where it names no time.

    A number without a unit is no time, and "m" (metre or minute) is no unit.

    >>> time_of("30 s reaction"), time_of("1.5 min"), time_of("sample 3")
    ((30.0, 'reaction'), (90.0, ''), None)
    """
    found = _TIME.fullmatch(" ".join(text.split()))
    if found is None:
        return None
    number, unit, rest = found.groups()
    seconds = float(number.replace(",", ".")) * _SECONDS[unit.lower().removesuffix("s") or "s"]
    return round(seconds, 9), rest.lower()


def group_pattern(rule: str) -> re.Pattern[str]:
    """The pattern of a rule such as "{group}_uv*": {group} is what names the group, * stands for any text."""
    parts = {"{group}": "(.+?)", "*": ".*?"}
    return re.compile("".join(parts.get(p) or re.escape(p) for p in re.split(r"(\{group\}|\*)", rule)))


def group_of(path: Path, rule: str | None) -> str | None:
    """The group of a file by a rule over its name without ending; None without a rule or a match.

    >>> group_of(Path("run2_uv-vis.csv"), "{group}_uv-vis")
    'run2'
    """
    found = group_pattern(rule).fullmatch(path.stem) if rule else None
    return found.group(1).strip() or None if found else None


@dataclass(frozen=True)
class Name:
    """Name of a spectrum: its group (of the file; None where files have none) and its own part in it."""

    group: str | None
    part: str

    @property
    def shown(self) -> str:
        """The name as one text, which is also what the table of recipes is searched for."""
        return ": ".join(text for text in (self.group, self.part) if text)

    @cached_property
    def time(self) -> tuple[float, str] | None:
        """Seconds and the words behind them, where the part is a time."""
        return time_of(self.part)


def name_of(header: str, path: Path, together: int, label: str, group: str | None) -> Name:
    """Name of a spectrum from its column header, its file, the number of spectra in it and the rules.

    label "header": the header, or the file name where there is none; "stem": the file name, with the header
    behind it where the file holds several. A group stands for the file name in both.
    """
    header = header.strip()
    if label == "stem" or not header:
        own = "" if together == 1 or not header else header
        if group is not None:
            return Name(group, own)
        return Name(path.stem, own) if own else Name(None, path.stem)
    return Name(group, header)


@dataclass(frozen=True)
class Pairing:
    """partner: for each name of the first list the position in the second, or None.

    contested_1, contested_2: positions whose partner is not unique; nothing is joined there.
    """

    partner: tuple[int | None, ...]
    contested_1: frozenset[int]
    contested_2: frozenset[int]


def pair_names(first: Sequence[Name], second: Sequence[Name]) -> Pairing:
    """Pair two lists of names: equal names in equal groups, else equal times in equal groups.

    Times pair only where the words behind them are equal or missing on one side ("30 s" and "30 s reaction",
    never "30 s A" and "30 s B"). A pair must be the only one possible on both sides; position in the list
    never counts.
    """
    partner: list[int | None] = [None] * len(first)
    contested_1: set[int] = set()
    contested_2: set[int] = set()
    for key, fits in ((_words_of, _always), (_seconds_of, _same_words)):
        left: dict[object, list[int]] = {}
        right: dict[object, list[int]] = {}
        taken = set(partner) | contested_2
        for i, name in enumerate(first):
            if partner[i] is None and i not in contested_1:
                left.setdefault(key(name), []).append(i)
        for j, name in enumerate(second):
            if j not in taken:
                right.setdefault(key(name), []).append(j)
        for shared in left.keys() & right.keys() - {None}:
            ahead = {i: [j for j in right[shared] if fits(first[i], second[j])] for i in left[shared]}
            back = {j: [i for i, found in ahead.items() if j in found] for j in right[shared]}
            for i, found in ahead.items():
                if len(found) == 1 and len(back[found[0]]) == 1:
                    partner[i] = found[0]
                elif found:
                    contested_1.add(i)
                    contested_2.update(found)
    return Pairing(tuple(partner), frozenset(contested_1), frozenset(contested_2))


def _words_of(name: Name) -> object:
    return name.group, *name.part.split()


def _seconds_of(name: Name) -> object:
    return None if name.time is None else (name.group, name.time[0])


def _always(one: Name, other: Name) -> bool:
    return True


def _same_words(one: Name, other: Name) -> bool:
    words, other_words = (name.time[1] if name.time else "" for name in (one, other))
    return words == other_words or not words or not other_words


def near_misses(spectra: set[str], others: set[str], other: str) -> list[tuple[str, str]]:
    """Names that differ only by case, blanks, leading zeros or a file ending: probably the same sample.

    other: what the second names are, e.g. "recipe". Pairs of ("names", sentence).
    """
    if not others:
        return []
    lonely = {_plain(label): label for label in others - spectra}
    return [
        (
            "names",
            f"spectrum {label!r} and {other} {lonely[_plain(label)]!r} differ only in writing; not joined",
        )
        for label in sorted(spectra - others)
        if _plain(label) in lonely
    ]


def _plain(label: str) -> str:
    return label.lower().replace(" ", "").removesuffix(".txt").removesuffix(".csv").lstrip("0")


def all_times(names: Iterable[Name]) -> bool:
    """True where every name is a time, so that the time is a variable of the study."""
    names = list(names)
    return bool(names) and all(name.time is not None for name in names)
