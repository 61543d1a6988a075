"""Photons one by one: `PhotonStream`, read from disk in chunks, so that a billion photons need little memory.

A photon has a macro time (int64 ticks), a channel and, where a laser pulsed it (T3), a nanotime after its
pulse:

    arrival = macro x macro_tick_ns + nanotime x nanotime_bin_ns

T2 records have macro times only. Ticks stay integers; lengths stand beside them, never inside.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.errors import InputError, OptionError, Problem
from perolux.measured.records import FileSource

__all__ = ["CHUNK", "MOST_IN_MEMORY", "PhotonStream", "Photons", "stream_of_arrays"]

IntArray = npt.NDArray[np.int64]

CHUNK = 1 << 21
"""Photons of one chunk: 2 million, some 30 MB."""
MOST_IN_MEMORY = 200_000_000
"""Photons that `load` takes into memory at most, some 3 GB."""


@dataclass(frozen=True)
class Photons:
    """Photons in order of arrival: macro (int64), nanotime (int32; None in T2), channel (uint8), all (n,)."""

    macro: IntArray
    nanotime: npt.NDArray[np.int32] | None
    channel: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.macro)

    def only(self, keep: npt.NDArray[np.bool_]) -> Photons:
        """Those where `keep`, shape (n,), is true."""
        return Photons(
            self.macro[keep], None if self.nanotime is None else self.nanotime[keep], self.channel[keep]
        )


@dataclass(frozen=True)
class PhotonStream:
    """A record of single photons. `chunks()` reads it again from its start, as often as one likes.

    macro_tick_ns: of a macro time. nanotime_bin_ns: None in T2. sync_period_ns: of the laser; None where it
    did not pulse, or nobody said. macro_is_sync: whether macro times count laser pulses. duration_s: of the
    measurement, not of the last photon. photons_per_channel: counted, not read from a header. notes: what a
    reader noticed. markers_per_kind: events that are no photons (frame, line, stage moved), never among the
    photons; `markers()` gives them.
    """

    macro_tick_ns: float
    nanotime_bin_ns: float | None
    sync_period_ns: float | None
    duration_s: float
    macro_is_sync: bool
    photons_per_channel: dict[int, int]
    source: FileSource
    read_chunks: Callable[[int], Iterator[Photons]] = field(repr=False)
    notes: tuple[str, ...] = ()
    header: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    markers_per_kind: dict[int, int] = field(default_factory=dict)
    read_markers: Callable[[int], Iterator[Photons]] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name in ("macro_tick_ns", "nanotime_bin_ns", "sync_period_ns", "duration_s"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise InputError(f"{name} is {value:g}", where=self.source.path, allowed="a positive number")

    def __len__(self) -> int:
        return sum(self.photons_per_channel.values())

    @property
    def channels(self) -> tuple[int, ...]:
        """Channels that hold photons, ascending."""
        return tuple(sorted(c for c, n in self.photons_per_channel.items() if n))

    def chunks(self, most: int = CHUNK) -> Iterator[Photons]:
        """Photons in order of arrival, at most `most` at once."""
        yield from self.read_chunks(most)

    def markers(self, most: int = CHUNK) -> Iterator[Photons]:
        """Markers in order, their kind in place of the channel; nothing where the record has none."""
        if self.read_markers is not None:
            yield from self.read_markers(most)

    def load(self, most: int = MOST_IN_MEMORY) -> Photons:
        """All photons at once; `OptionError` where there are more than `most`."""
        if len(self) > most:
            raise OptionError(
                f"{len(self)} photons do not go into memory at once",
                where=self.source.path,
                allowed=f"up to {most}",
                fix="go through stream.chunks(), or raise `most`",
            )
        parts = list(self.chunks())
        if len(parts) == 1:
            return parts[0]
        nanotimes = [part.nanotime for part in parts if part.nanotime is not None]
        return Photons(
            np.concatenate([part.macro for part in parts]) if parts else np.zeros(0, np.int64),
            None if self.nanotime_bin_ns is None else np.concatenate(nanotimes or [np.zeros(0, np.int32)]),
            np.concatenate([part.channel for part in parts]) if parts else np.zeros(0, np.uint8),
        )

    def needs_sync_period(self) -> float:
        """The laser period in ns; `OptionError` that names the option where it is not known."""
        if self.sync_period_ns is None:
            raise OptionError(
                "the record does not say the period of the laser",
                where=self.source.path,
                allowed="the period in ns; nothing is taken in its place",
                fix="give --sync-period NS",
            )
        return self.sync_period_ns


def stream_of_arrays(
    macro: npt.ArrayLike,
    channel: npt.ArrayLike,
    *,
    macro_tick_ns: float,
    duration_s: float,
    nanotime: npt.ArrayLike | None = None,
    nanotime_bin_ns: float | None = None,
    sync_period_ns: float | None = None,
    macro_is_sync: bool | None = None,
    source: FileSource | None = None,
    notes: tuple[str, ...] = (),
) -> PhotonStream:
    """A stream of photons that are in memory: simulated, or read by other means.

    macro: (n,) ticks in order of arrival; channel: (n,) 0 to 255; nanotime: (n,) bins after the pulse.
    Raises `InputError` with all problems: unequal lengths, times that go backwards, negative nanotimes.
    """
    where = "arrays" if source is None else source.path
    ticks = _integers(macro, "macro", np.int64, where)
    detectors = _integers(channel, "channel", np.uint8, where)
    bins = None if nanotime is None else _integers(nanotime, "nanotime", np.int32, where)
    problems = []
    if len(detectors) != len(ticks) or (bins is not None and len(bins) != len(ticks)):
        problems.append(Problem("columns of unequal length", where=where))
    if (bins is None) != (nanotime_bin_ns is None):
        problems.append(Problem("nanotimes and their bin belong together", where=where))
    if problems:
        raise InputError(problems)
    photons = Photons(ticks, bins, detectors)
    check_order(photons, where)
    counted = np.bincount(detectors, minlength=256)
    if macro_is_sync is None:
        macro_is_sync = sync_period_ns is not None and math.isclose(
            sync_period_ns, macro_tick_ns, rel_tol=1e-9
        )

    def read(most: int) -> Iterator[Photons]:
        for start in range(0, len(ticks), most):
            part = slice(start, start + most)
            yield Photons(ticks[part], None if bins is None else bins[part], detectors[part])

    return PhotonStream(
        macro_tick_ns=macro_tick_ns,
        nanotime_bin_ns=nanotime_bin_ns,
        sync_period_ns=sync_period_ns,
        duration_s=duration_s,
        macro_is_sync=macro_is_sync,
        photons_per_channel={int(c): int(counted[c]) for c in np.flatnonzero(counted)},
        source=source or FileSource(where, "", "arrays"),
        read_chunks=read,
        notes=notes,
    )


def check_order(photons: Photons, where: str, before: int | None = None, first: int = 0) -> None:
    """Raise `InputError` where macro times go backwards or numbers are negative.

    before: macro time of the photon before the first; first: its index, for the message.
    """
    macro = photons.macro
    if not len(macro):
        return
    start = macro[0] if before is None else before
    steps = np.diff(macro, prepend=start)
    back = np.flatnonzero(steps < 0)
    problems = []
    if back.size:
        at = int(back[0])
        problems.append(
            Problem(
                f"{back.size} times go backwards, the first at photon {first + at + 1} "
                f"(by {-int(steps[at])} ticks)",
                where=where,
                allowed="macro times in order of arrival",
                fix="sort the photons by time, or read the record from the original file",
            )
        )
    if macro[0] < 0:
        problems.append(Problem("a negative macro time", where=where, allowed="0 or more"))
    if photons.nanotime is not None and photons.nanotime.min() < 0:
        problems.append(Problem("a negative nanotime", where=where, allowed="0 or more"))
    if problems:
        raise InputError(problems)


def _integers(values: npt.ArrayLike, name: str, kind: type, where: str) -> Any:
    found = np.asarray(values)
    if found.ndim != 1:
        raise InputError(
            f"{name} has {found.ndim} dimensions", where=where, allowed="a list of whole numbers"
        )
    if not (np.issubdtype(found.dtype, np.integer) or found.size == 0):
        raise InputError(
            f"{name} holds {found.dtype} numbers",
            where=where,
            allowed="whole numbers",
            fix="keep ticks as integers",
        )
    limits = np.iinfo(kind)
    if found.size and (found.min() < limits.min or found.max() > limits.max):
        raise InputError(
            f"{name} leaves its range",
            where=where,
            allowed=f"{limits.min} to {limits.max} ({np.dtype(kind).name})",
        )
    return found.astype(kind, copy=False)
