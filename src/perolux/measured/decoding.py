"""From a file to text: size and kind of the file, its encoding, and what binary content it really is.

Nothing is ever executed or unpacked here; bytes are looked at and decoded, no more.
"""

from __future__ import annotations

import re
import stat
from pathlib import Path

from perolux.errors import InputError

__all__ = ["DEFAULT_MAX_BYTES", "decode", "load_bytes"]

DEFAULT_MAX_BYTES = 64 * 2**20
"""Largest file that is read unless the caller says otherwise: 64 MiB."""

_EXPORT = "export the spectrum as text (csv, txt) from the program that wrote this file"
_SPREADSHEET = "save the sheet as csv from the spreadsheet program"
_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "a PNG picture", _EXPORT),
    (b"\xff\xd8\xff", "a JPEG picture", _EXPORT),
    (b"GIF8", "a GIF picture", _EXPORT),
    (b"II*\x00", "a TIFF picture", _EXPORT),
    (b"MM\x00*", "a TIFF picture", _EXPORT),
    (b"%PDF", "a PDF document", _EXPORT),
    (b"PK\x03\x04", "a zip archive or an Office file (xlsx, ods, docx)", _SPREADSHEET),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office file (xls, doc)", _SPREADSHEET),
    (b"\x1f\x8b", "a gzip archive", "unpack it first"),
    (b"BZh", "a bzip2 archive", "unpack it first"),
    (b"\xfd7zXZ\x00", "an xz archive", "unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "unpack it first"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", _EXPORT),
    (b"CDF\x01", "a netCDF file", _EXPORT),
    (b"PAR1", "a Parquet table", _EXPORT),
    (b"\x93NUMPY", "a NumPy array file", _EXPORT),
    (b"PQTTTR", "a PicoQuant photon stream", "open it with perolux.measured.read_stream"),
    (b"PQHISTO", "a PicoQuant histogram", "open it with perolux.measured.read_decay"),
    (b"Andor Technology", "an Andor sif file", _EXPORT),
    (b"\x7fELF", "a program", _EXPORT),
    (b"MZ\x90\x00", "a program", _EXPORT),
    (b"{\\rtf", "a rich text document", _EXPORT),
)
_MARKUP = re.compile(r"\s*<(!doctype\s+html|html|\?xml|svg|head|body)\b", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x19\x1b-\x1f\x7f]")
_BOMS: tuple[tuple[bytes, str], ...] = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


def load_bytes(path: str | Path, max_bytes: int = DEFAULT_MAX_BYTES) -> bytes:
    """The raw bytes of a regular file of at most `max_bytes`.

    Raises `InputError` for a missing file, a folder, a device or pipe, a file without read permission, an
    empty file and a file above the limit (looked up before anything is read).
    """
    path = Path(path)
    where = str(path)
    try:
        state = path.stat()
        if stat.S_ISDIR(state.st_mode):
            raise InputError("is a folder, not a file", where=where, fix="name a file inside it")
        if not stat.S_ISREG(state.st_mode):
            raise InputError("is no regular file (a device or a pipe)", where=where, fix="copy it to a file")
        check_size(state.st_size, where, max_bytes)
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except FileNotFoundError:
        raise InputError("no such file", where=where, fix="check the spelling and the folder") from None
    except PermissionError:
        raise InputError(
            "may not be read (no permission)", where=where, fix="change the permissions of the file"
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"could not be read: {reason}", where=repr(where)) from error
    check_size(len(data), where, max_bytes)
    return data


def check_size(size: int, where: str, max_bytes: int) -> None:
    """Raise `InputError` where `size` (bytes) is zero or above `max_bytes`."""
    if size == 0:
        raise InputError("the file is empty", where=where, fix="export the spectrum again")
    if size > max_bytes:
        raise InputError(
            f"the file has {size / 2**20:.3g} MiB, more than the limit",
            where=where,
            allowed=f"up to {max_bytes / 2**20:.3g} MiB",
            fix=f"split the file, or raise the limit: read(..., max_bytes={size})",
        )


def decode(data: bytes, where: str) -> tuple[str, tuple[str, ...]]:
    """Text of `data` and notes on how it was decoded.

    Knows UTF-8, UTF-16 and UTF-32 with a byte order mark, UTF-16 without one, and Windows-1252 for what is
    not UTF-8. Raises `InputError` for binary content, saying what the first bytes show.
    """
    if data.isspace():
        raise InputError("the file holds nothing but white space", where=where, fix="export it again")
    _refuse_binary(data, where)
    notes: tuple[str, ...] = ()
    encoding = _encoding(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            raise InputError(
                f"the file announces {encoding} but breaks it at byte {error.start}",
                where=where,
                fix="export the file again as UTF-8 text",
            ) from None
        text = data.decode("cp1252", errors="replace")
        notes = ("The text is not UTF-8; it was read as Windows-1252.",)
    text = text.rstrip("\x1a\x00")
    if not text.strip():
        raise InputError("the file holds no text", where=where, fix="export the spectrum again")
    control = len(_CONTROL.findall(text[:100_000]))
    if control > 0.002 * min(len(text), 100_000):
        raise InputError(
            f"the file is no text: {control} control characters among its first ones",
            where=where,
            fix=_EXPORT,
        )
    if _MARKUP.match(text[:200]):
        raise InputError("the content is a web page or XML, not a table", where=where, fix=_EXPORT)
    return text, notes


def _refuse_binary(data: bytes, where: str) -> None:
    for magic, what, fix in _MAGIC:
        if data.startswith(magic):
            raise InputError(f"the content is {what}, whatever the name says", where=where, fix=fix)


def _encoding(data: bytes) -> str:
    for bom, name in _BOMS:
        if data.startswith(bom):
            return name
    head = data[:2000]
    even, odd = head[0::2].count(0), head[1::2].count(0)
    # Plain latin text in UTF-16 has a zero in nearly every second byte, always on the same side.
    if odd > 0.35 * len(head[1::2]) and even == 0:
        return "utf-16-le"
    if even > 0.35 * len(head[0::2]) and odd == 0:
        return "utf-16-be"
    return "utf-8"
