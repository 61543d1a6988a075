"""The tagged header of PicoQuant's unified files (.ptu, .phu): read within bounds, whatever the bytes.

48 bytes a tag: name (32), index (int32), type (uint32), value (8 bytes), then what texts and arrays hold.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from perolux.errors import InputError, Problem

__all__ = ["Tags", "read_tags", "tags_from_bytes"]

_MOST_TAGS = 100_000
_MOST_BYTES = 64_000_000
_SIZED = {0x2001FFFF, 0x4001FFFF, 0x4002FFFF, 0xFFFFFFFF}
_WHOLE = {0x00000008, 0x10000008, 0x11000008, 0x12000008}
_REAL = {0x20000008, 0x21000008}
_EMPTY = 0xFFFF0008
_TAG = struct.Struct("<32siI8s")


@dataclass(frozen=True)
class Tags:
    """Tags by name, each a list in file order; `data_offset`: where the data begin."""

    values: dict[str, list[Any]]
    data_offset: int
    where: str
    notes: tuple[str, ...] = field(default=())

    def one(self, name: str) -> Any:
        """The last value of a tag, None where it is not there."""
        found = self.values.get(name)
        return found[-1] if found else None

    def positive(self, name: str) -> float | None:
        """A tag as a positive finite number, None where it is missing or is none."""
        value = self.one(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return float(value) if 0 < value < 1e300 else None

    def texts(self) -> tuple[tuple[str, str], ...]:
        """Short tags as pairs of text, for the header of a record."""
        pairs = []
        for name, found in self.values.items():
            text = ", ".join(str(value) for value in found[:8])
            if text and text.isprintable():
                pairs.append((name, text[:200]))
        return tuple(pairs[:400])


def read_tags(path: Path) -> Tags:
    """Read the header; `InputError` where it breaks off, has no end, or a tag claims more than is there."""
    where = str(path)
    try:
        size = path.stat().st_size
        with path.open("rb") as handle:
            handle.seek(16)
            return _read(handle, size, where)
    except OSError as error:
        raise InputError(f"could not read: {error.strerror or error}", where=where) from error


def tags_from_bytes(data: bytes, where: str) -> Tags:
    """`read_tags` of bytes in memory."""
    handle = io.BytesIO(data)
    handle.seek(16)
    return _read(handle, len(data), where)


def _read(handle: BinaryIO, size: int, where: str) -> Tags:
    values: dict[str, list[Any]] = {}
    notes: list[str] = []
    at = 16
    for number in range(_MOST_TAGS):
        head = handle.read(_TAG.size)
        if len(head) < _TAG.size:
            raise _broken(f"the header breaks off in tag {number + 1}", where)
        raw, index, kind, value = _TAG.unpack(head)
        at += _TAG.size
        name = raw.split(b"\0")[0].decode("ascii", "replace")
        content: Any
        if name == "Header_End":
            return Tags(values, at, where, tuple(notes))
        if kind in _SIZED:
            length = struct.unpack("<q", value)[0]
            if not 0 <= length <= min(size - at, _MOST_BYTES - at):
                raise _broken(f"tag {name!r} claims {length} bytes, the file has {size - at} more", where)
            data = handle.read(length)
            at += length
            content = _sized(kind, data)
        elif kind in _WHOLE:
            content = struct.unpack("<q", value)[0]
        elif kind in _REAL:
            content = struct.unpack("<d", value)[0]
        elif kind == _EMPTY:
            content = None
        else:
            raise _broken(f"tag {name!r} has the unknown type 0x{kind:08x}", where)
        found = values.setdefault(name, [])
        if index >= 0 and index != len(found) and len(notes) < 5:
            notes.append(f"Tag {name} comes with index {index} in place {len(found)}; taken in file order.")
        found.append(content)
    raise _broken(f"the header does not end within {_MOST_TAGS} tags", where)


def _sized(kind: int, data: bytes) -> Any:
    if kind == 0x4001FFFF:
        return data.split(b"\0")[0].decode("cp1252", "replace")
    if kind == 0x4002FFFF:
        return data.decode("utf-16-le", "replace").split("\0")[0]
    if kind == 0x2001FFFF:
        return struct.unpack(f"<{len(data) // 8}d", data[: len(data) // 8 * 8])
    return f"{len(data)} bytes"


def _broken(what: str, where: str) -> InputError:
    return InputError(
        Problem(what, where, "a complete header", "copy the file again, or export it again from the software")
    )
