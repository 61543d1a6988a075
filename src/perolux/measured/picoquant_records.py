"""Records of PicoQuant instruments: which bits mean what, per record type, and their decoder.

    HydraHarp and later, T3    special 1 | channel 6 | nanotime 15 | sync count 10     wrap 1024
    HydraHarp and later, T2    special 1 | channel 6 | time 25                         wrap 2^25, V1 33552000
    PicoHarp 300, T3           channel 4 | nanotime 12 | sync count 16                 wrap 65536
    PicoHarp 300, T2           channel 4 | time 28                                     wrap 210698240

special: channel 63 is an overflow (V2: the counter says how many, 0 means one), 1 to 15 markers, 0 in T2 the
sync input. PicoHarp: channel 15 is an overflow or, where its marker bits are set, a marker.
Source: PicoQuant's published demonstration code for each type; checked against ptufile and phconvert.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from perolux.measured.photon_stream import Photons
from perolux.measured.record_files import Slice, Words, running_wraps

__all__ = ["RECORD_TYPES", "SYNC_CHANNEL", "RecordType", "decoder", "sibling"]

SYNC_CHANNEL = 64
"""Channel of events of the sync input in T2: beyond the inputs 0 to 62, which keep their numbers."""


@dataclass(frozen=True)
class RecordType:
    """A layout of records: mode 2 or 3, bits of the counter, its wrap, and whether overflows are counted."""

    code: int
    name: str
    mode: int
    picoharp: bool
    wrap: int
    counted_overflows: bool = True


_TYPES = [
    RecordType(0x00010203, "PicoHarp 300 T2", 2, True, 210698240, False),
    RecordType(0x00010303, "PicoHarp 300 T3", 3, True, 1 << 16, False),
    RecordType(0x00010204, "HydraHarp V1 T2", 2, False, 33552000, False),
    RecordType(0x00010304, "HydraHarp V1 T3", 3, False, 1 << 10, False),
]
for _code, _name in (
    (0x01010004, "HydraHarp V2"),
    (0x00010005, "TimeHarp 260 Nano"),
    (0x00010006, "TimeHarp 260 Pico"),
    (0x00010007, "MultiHarp, PicoHarp 330 (generic)"),
):
    _TYPES.append(RecordType(_code | 0x200, f"{_name} T2", 2, False, 1 << 25))
    _TYPES.append(RecordType(_code | 0x300, f"{_name} T3", 3, False, 1 << 10))

RECORD_TYPES = {kind.code: kind for kind in _TYPES}


def sibling(kind: RecordType) -> RecordType:
    """The other mode of the same instrument."""
    return RECORD_TYPES[kind.code ^ 0x100]


def decoder(kind: RecordType, where: str) -> Callable[[Words, int], Slice]:
    """The decoder of one record type: (words, wraps before) -> `Slice`."""

    def decode(words: Words, wraps: int) -> Slice:
        if kind.picoharp:
            channel = (words >> 28).astype(np.uint8)
            special = channel == 15
            bits = 16 if kind.mode == 3 else 28
            nanotime = ((words >> 16) & 0xFFF).astype(np.int32) if kind.mode == 3 else None
            counter = (words & ((1 << bits) - 1)).astype(np.int64)
            kind_of_marker = (counter & 0xF if nanotime is None else nanotime & 0xF).astype(np.uint8)
            overflow = special & (kind_of_marker == 0)
            if nanotime is not None:
                overflow = special & (nanotime == 0)
            marker = special & ~overflow & (kind_of_marker > 0)
            # In T2 the low four bits of a marker's time carry the marker.
            if nanotime is None:
                counter[marker] &= ~0xF
            valid = ~special & (channel <= 4)
            steps = overflow.astype(np.int64)
        else:
            channel = ((words >> 25) & 0x3F).astype(np.uint8)
            special = (words >> 31).astype(bool)
            bits = 10 if kind.mode == 3 else 25
            nanotime = ((words >> 10) & 0x7FFF).astype(np.int32) if kind.mode == 3 else None
            counter = (words & ((1 << bits) - 1)).astype(np.int64)
            overflow = special & (channel == 63)
            marker = special & (channel >= 1) & (channel <= 15)
            kind_of_marker = channel
            valid = ~special
            if kind.mode == 2:
                sync = special & (channel == 0)
                valid = valid | sync
                channel = np.where(sync, np.uint8(SYNC_CHANNEL), channel)
            steps = overflow.astype(np.int64)
            if kind.counted_overflows:
                steps = np.where(overflow, np.maximum(counter, 1), 0)
        passed, after = running_wraps(steps, wraps, kind.wrap, where)
        macro = passed * kind.wrap + counter
        macro[overflow] = passed[overflow] * kind.wrap
        photons = Photons(macro[valid], None if nanotime is None else nanotime[valid], channel[valid])
        markers = Photons(macro[marker], None, kind_of_marker[marker])
        overflows = int(np.count_nonzero(overflow))
        return Slice(
            photons,
            markers,
            after,
            int(macro.max()) if len(macro) else 0,
            overflows,
            len(words) - len(photons) - len(markers) - overflows,
        )

    return decode
