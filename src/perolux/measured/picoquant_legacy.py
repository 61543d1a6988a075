"""Headers of PicoQuant's older files: .pt2, .pt3 (PicoHarp 300), .ht2, .ht3 (HydraHarp 400).

Fixed structures of little-endian fields, as in the demonstration code that PicoQuant publishes; the records
after them are those of .ptu.
"""

from __future__ import annotations

import struct
from pathlib import Path

from perolux.errors import InputError
from perolux.measured.photon_stream import PhotonStream
from perolux.measured.picoquant import Recorded, open_recorded
from perolux.measured.picoquant_records import RECORD_TYPES

__all__ = ["is_legacy", "read_legacy"]

_TEXT = struct.Struct("<16s6s18s12s18s2s256s")
_DISPLAY = 8 * 8 + 3 * 12 + 36
"""Bytes of display curves, parameters and repeat settings, which are not needed."""
_PICOHARP_T2_TICK_S = 4e-12
"""The tick of PicoHarp 300 in T2, fixed by the instrument; its files do not state it."""


def is_legacy(head: bytes) -> bool:
    """Whether a file starts like one of these."""
    return head[:16].rstrip(b"\0 ") in (b"PicoHarp 300", b"HydraHarp 400", b"TimeHarp 200")


def read_legacy(path: Path, sync_period_ns: float | None = None) -> PhotonStream:
    """Open a .pt2, .pt3, .ht2 or .ht3 file; `InputError` for a broken header or an unknown version."""
    where = str(path)
    try:
        with path.open("rb") as handle:
            head = handle.read(1 << 16)
    except OSError as error:
        raise InputError(f"could not read: {error.strerror or error}", where=where) from error
    name = head[:16].rstrip(b"\0 ")
    try:
        if name == b"HydraHarp 400":
            said = _hydraharp(path, head)
        elif name == b"PicoHarp 300":
            said = _picoharp(path, head)
        else:
            raise InputError(
                "records of TimeHarp 200 (.t3r) are not read",
                where=where,
                allowed=".pt2, .pt3, .ht2, .ht3, .ptu",
                fix="convert the file to .ptu with PicoQuant's software",
            )
    except struct.error:
        raise InputError("the header breaks off", where=where, fix="copy the file again") from None
    return open_recorded(said, sync_period_ns)


def _hydraharp(path: Path, head: bytes) -> Recorded:
    texts, version = _texts(head, {"1.0": 1, "2.0": 2}, str(path))
    at = _TEXT.size
    _, bits, _, mode, _, _, resolution_ps, _, acquired_ms, *_ = struct.unpack_from("<6id2iI7i", head, at)
    at += struct.calcsize("<6id2iI7i") + _DISPLAY
    # HardwareIdent, part number, serial, modules; ten modules of two numbers
    at += 16 + 8 + 4 + 4 + 10 * 8
    base_ps, _, inputs, *_ = struct.unpack_from("<dQ8i", head, at)
    at += struct.calcsize("<dQ8i")
    if not 0 <= inputs <= 64:
        raise InputError(f"the header claims {inputs} inputs", where=str(path), allowed="0 to 64")
    at += inputs * 20
    rate, stopped_ms, _, image, count = struct.unpack_from("<4iQ", head, at)
    at += struct.calcsize("<4iQ") + _image_bytes(image, path)
    _check(bits, mode, path)
    if mode == 2 and not 0.1 <= base_ps <= 1000:
        raise InputError(f"a base resolution of {base_ps:g} ps", where=str(path), allowed="0.1 to 1000 ps")
    return Recorded(
        path=path,
        format=f"PicoQuant HT{mode}",
        kind=RECORD_TYPES[(0x01010004 if version == 2 else 0x00010004) | mode << 8],
        offset=at,
        claimed=min(count, 1 << 62),
        tick_s=base_ps * 1e-12 if mode == 2 else None,
        sync_rate_hz=float(rate) if rate > 0 else None,
        bin_s=_positive(resolution_ps * 1e-12),
        elapsed_s=_elapsed(stopped_ms, acquired_ms),
        header=texts,
    )


def _picoharp(path: Path, head: bytes) -> Recorded:
    texts, _ = _texts(head, {"2.0": 2}, str(path))
    at = _TEXT.size
    _, bits, _, _, _, mode, _, _, _, acquired_ms, *_ = struct.unpack_from("<10iI7i", head, at)
    at += struct.calcsize("<10iI7i") + _DISPLAY
    *_, resolution_ns, _, _ = struct.unpack_from("<16s8s6if2i", head, at)
    at += struct.calcsize("<16s8s6if2i") + 4 * 24
    _, _, _, rate, _, stopped_ms, _, count, image = struct.unpack_from("<9i", head, at)
    at += struct.calcsize("<9i") + _image_bytes(image, path)
    _check(bits, mode, path)
    return Recorded(
        path=path,
        format=f"PicoQuant PT{mode}",
        kind=RECORD_TYPES[0x00010003 | mode << 8],
        offset=at,
        claimed=count,
        tick_s=_PICOHARP_T2_TICK_S if mode == 2 else None,
        sync_rate_hz=float(rate) if rate > 0 else None,
        bin_s=_positive(resolution_ns * 1e-9),
        elapsed_s=_elapsed(stopped_ms, acquired_ms),
        header=texts,
        notes=("The tick of PicoHarp T2 is 4 ps, as the instrument fixes it.",) if mode == 2 else (),
    )


def _texts(head: bytes, versions: dict[str, int], where: str) -> tuple[tuple[tuple[str, str], ...], int]:
    names = ("instrument", "format version", "software", "software version", "file time", "", "comment")
    found = [part.split(b"\0")[0].decode("cp1252", "replace").strip() for part in _TEXT.unpack_from(head)]
    if found[1] not in versions:
        raise InputError(
            f"format version {found[1]!r} of {found[0]}", where=where, allowed=" or ".join(versions)
        )
    pairs = tuple((n, t[:200]) for n, t in zip(names, found, strict=True) if n and t and t.isprintable())
    return pairs, versions[found[1]]


def _check(bits: int, mode: int, path: Path) -> None:
    if mode not in (2, 3) or bits != 32:
        raise InputError(
            f"measurement mode {mode} with records of {bits} bits",
            where=str(path),
            allowed="mode 2 (T2) or 3 (T3), 32 bits",
        )


def _image_bytes(words: int, path: Path) -> int:
    if not 0 <= words <= 10_000:
        raise InputError(f"the header claims an image header of {words} words", where=str(path))
    return 4 * words


def _elapsed(stopped_ms: int, acquired_ms: int) -> float | None:
    """Seconds measured: when it was stopped, else what was asked for."""
    milliseconds = stopped_ms if stopped_ms > 0 else acquired_ms
    return milliseconds * 1e-3 if milliseconds > 0 else None


def _positive(value: float) -> float | None:
    return value if 0 < value < 1 else None
