"""Files of 32-bit records, one photon, overflow or marker each: read in slices, surveyed once, then streamed.

    macro = wraps x wrap + counter of the record

A decoder turns a slice of words and the wraps before it into photons, markers and the wraps after it, so that
a file of any length passes in constant memory. `survey` goes through all of it once and counts; what it
counts is held against what the header says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from perolux.errors import InputError
from perolux.measured.photon_stream import CHUNK, Photons

__all__ = ["RecordFile", "Slice", "Survey", "running_wraps", "slices", "survey"]

Words = npt.NDArray[np.uint32]
_LARGEST_MACRO = 1 << 62


@dataclass(frozen=True)
class Slice:
    """What some records hold: photons, markers, wraps after the last, last counter, what was no record."""

    photons: Photons
    markers: Photons
    wraps: int
    end: int
    overflow_records: int
    invalid: int
    gaps: int = 0


@dataclass(frozen=True)
class RecordFile:
    """Records in a file: `count` words from `offset` on, and their decoder (words, wraps before) -> Slice."""

    path: Path
    offset: int
    count: int
    decode: Callable[[Words, int], Slice]

    def photons(self, most: int) -> Iterator[Photons]:
        """Photons in order, at most `most` at once."""
        for part in slices(self, most):
            if len(part.photons):
                yield part.photons

    def markers(self, most: int) -> Iterator[Photons]:
        """Markers in order, at most `most` at once."""
        for part in slices(self, most):
            if len(part.markers):
                yield part.markers


@dataclass
class Survey:
    """What all records of a file hold; `end` is the last macro time of any record, overflows included."""

    photons: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(256, np.int64))
    markers: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(256, np.int64))
    overflow_records: int = 0
    invalid: int = 0
    gaps: int = 0
    backwards: int = 0
    first_back: int | None = None
    end: int = 0
    nanotime_max: int = -1
    over_period: int = 0

    @property
    def total(self) -> int:
        """All photons."""
        return int(self.photons.sum())

    def per_channel(self) -> dict[int, int]:
        """Photons of each channel that has some."""
        return {int(c): int(self.photons[c]) for c in np.flatnonzero(self.photons)}

    def per_kind(self) -> dict[int, int]:
        """Markers of each kind that occurs."""
        return {int(c): int(self.markers[c]) for c in np.flatnonzero(self.markers)}

    @property
    def back_share(self) -> float:
        """Fraction of steps between photons that go back in time."""
        return self.backwards / max(self.total - 1, 1)


def slices(file: RecordFile, most: int = CHUNK) -> Iterator[Slice]:
    """Decoded slices of at most `most` records; `InputError` where the file ends early or cannot be read."""
    wraps = 0
    left = file.count
    try:
        with file.path.open("rb") as handle:
            handle.seek(file.offset)
            while left > 0:
                words = np.fromfile(handle, dtype="<u4", count=min(most, left))
                if not len(words):
                    raise InputError("the file became shorter while it was read", where=str(file.path))
                left -= len(words)
                part = file.decode(words, wraps)
                wraps = part.wraps
                yield part
    except OSError as error:
        raise InputError(f"could not read: {error.strerror or error}", where=str(file.path)) from error


def survey(file: RecordFile, *, period_bins: float | None = None, most_words: int | None = None) -> Survey:
    """Count everything in one pass; period_bins: of the laser, to count nanotimes beyond it."""
    found = Survey()
    before: int | None = None
    if most_words is not None and most_words < file.count:
        file = RecordFile(file.path, file.offset, most_words, file.decode)
    for part in slices(file):
        macro, nanotime = part.photons.macro, part.photons.nanotime
        if len(macro):
            steps = np.diff(macro, prepend=macro[0] if before is None else before)
            back = np.flatnonzero(steps < 0)
            if back.size and found.first_back is None:
                found.first_back = found.total + int(back[0]) + 1
            found.backwards += int(back.size)
            before = int(macro[-1])
        if nanotime is not None and len(nanotime):
            found.nanotime_max = max(found.nanotime_max, int(nanotime.max()))
            if period_bins is not None:
                found.over_period += int(np.count_nonzero(nanotime > period_bins))
        found.photons += np.bincount(part.photons.channel, minlength=256)
        found.markers += np.bincount(part.markers.channel, minlength=256)
        found.overflow_records += part.overflow_records
        found.invalid += part.invalid
        found.gaps += part.gaps
        found.end = max(found.end, part.end)
    return found


def running_wraps(
    steps: npt.NDArray[np.int64], before: int, wrap: int, where: str
) -> tuple[npt.NDArray[np.int64], int]:
    """Wraps up to and with each record, and after the last; `InputError` where times leave 62 bits."""
    after = before + int(steps.sum())
    if (after + 1) * wrap > _LARGEST_MACRO:
        raise InputError(
            f"a storm of overflows: {after} wraps of {wrap} ticks leave any measurement",
            where=where,
            allowed="macro times below 2^62 ticks",
            fix="the file is damaged or of another type; export it again from the instrument's software",
        )
    return before + np.cumsum(steps), after
