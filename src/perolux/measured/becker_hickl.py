"""Photon streams of Becker & Hickl modules: .spc records of 32 bits with the .set file beside them.

    word 0: bits 0-23 macro clock in 0.1 ns, bit 31 set
    photon: 0-11 macro, 12-15 route, 16-27 ADC, 28 mark, 29 gap, 30 overflow, 31 invalid
    overflow and invalid without mark: bits 0-27 count overflows;    nanotime = 4095 - ADC
    nanotime bin = SP_TAC_R/(SP_TAC_G x 4096)

Only this layout (SPC-130, 140, 150, 160, 180, 830) is read. The .spc file does not say what wrote it, and
another module's file read in this layout gives photons that never were: the module comes from the .set file,
and the records must bear it out (first word, order in time, length).
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from perolux.errors import InputError, Problem
from perolux.files import sha256_of
from perolux.measured.photon_stream import Photons, PhotonStream
from perolux.measured.picoquant import no_photons
from perolux.measured.record_files import RecordFile, Slice, Survey, Words, running_wraps, survey
from perolux.measured.records import FileSource

__all__ = ["has_set", "may_be_spc", "read_set", "read_spc"]

_WRAP = 4096
_SUFFIXES = (".set", ".SET", ".Set")
_LARGEST_SET = 64_000_000
_PROBE = 200_000
_READ = ("SPC-130", "SPC-140", "SPC-150", "SPC-160", "SPC-180", "SPC-830")
"""Modules, by the start of their names, that write the layout above."""
_CODES = {
    **{0x20: "SPC-130", 0x21: "SPC-600", 0x22: "SPC-630", 0x23: "SPC-700", 0x24: "SPC-730", 0x25: "SPC-830"},
    **{0x26: "SPC-140", 0x27: "SPC-930", 0x28: "SPC-150", 0x29: "DPC-230", 0x2A: "SPC-130EM"},
    **{0x2B: "SPC-160", 0x2E: "SPC-150N", 0x80: "SPC-150NX", 0x81: "SPC-160X", 0x82: "SPC-160PCIE"},
    **{0x83: "SPC-130EMN", 0x84: "SPC-180N", 0x85: "SPC-180NX", 0x86: "SPC-180NXX", 0x87: "SPC-180N-USB"},
    **{0x88: "SPC-130IN", 0x89: "SPC-130INX", 0x8A: "SPC-130INXX", 0x8B: "SPC-QC-104", 0x8C: "SPC-QC-004"},
    **{0x8D: "SPC-QC-106", 0x8E: "SPC-QC-006"},
}
"""Module by bits 4 to 11 of the first word of a .set file (SPC_data_file_structure.h, as in phconvert)."""


@dataclass(frozen=True)
class SetFile:
    """What a .set file says: module, parameters of its SETUP part, texts of its IDENTIFICATION part."""

    module: str
    parameters: dict[str, str]
    texts: tuple[tuple[str, str], ...]

    def number(self, name: str) -> float | None:
        """A parameter as a positive number, None where it is missing or is none."""
        try:
            value = float(self.parameters.get(name, ""))
        except ValueError:
            return None
        return value if math.isfinite(value) and value > 0 else None


def may_be_spc(head: bytes, size: int) -> bool:
    """Whether a file could be .spc records: bit 31 of the first word set, a macro clock of 1 ns to 10 us."""
    return size >= 8 and head[3] & 0x80 != 0 and 10 <= int.from_bytes(head[:3], "little") <= 100_000


def has_set(path: Path) -> bool:
    """Whether a .set file of the same name lies beside a file that is none itself."""
    return path.suffix.lower() != ".set" and any(path.with_suffix(s).is_file() for s in _SUFFIXES)


def read_spc(path: Path, sync_period_ns: float | None = None) -> PhotonStream:
    """Open a .spc file with its .set file beside it.

    Raises `InputError` with the reason where the module writes another layout, the records contradict it, or
    the .set file is missing.
    """
    where = str(path)
    said = read_set(_set_beside(path))
    if not said.module.startswith(_READ):
        raise InputError(
            f"its .set file names the module {said.module}, whose records have another layout",
            where=where,
            allowed=", ".join(_READ),
            fix="export the record as Photon-HDF5 (phconvert) or text from SPCM",
        )
    size = path.stat().st_size
    with path.open("rb") as handle:
        first = handle.read(4)
    problems = []
    if size % 4:
        problems.append(
            Problem(
                f"{size} bytes are no whole number of 32-bit records of {said.module}",
                where,
                "a multiple of 4 bytes",
                "the file is cut off, or of another module: copy it again",
            )
        )
    if not may_be_spc(first.ljust(4, b"\0"), size):
        problems.append(
            Problem(
                f"its first word is no header of {said.module} records",
                where,
                "bit 31 set and a macro clock of 1 ns to 10 us",
                "check that .spc and .set belong together",
            )
        )
    tac_range, gain = said.number("SP_TAC_R"), said.number("SP_TAC_G")
    if tac_range is None or gain is None:
        problems.append(
            Problem("SP_TAC_R or SP_TAC_G is missing", str(_set_beside(path)), "both, as SPCM writes them")
        )
    if problems or tac_range is None or gain is None:
        raise InputError(problems)
    tick_ns = int.from_bytes(first[:3], "little") * 0.1
    file = RecordFile(path, 4, size // 4 - 1, _decoder(where))
    found = survey(file)
    _check(path, said.module, found)
    if found.total == 0:
        raise no_photons(where, found)
    notes = [
        "The record does not say how long was measured: up to its last record, "
        f"{found.end * tick_ns * 1e-9:.6g} s, is taken."
    ]
    if found.gaps:
        notes.append(f"{found.gaps} gaps: the module's memory overran and photons were lost there.")
    if found.invalid:
        notes.append(f"{found.invalid} records marked invalid were left out.")
    if found.overflow_records > 100 * found.total:
        notes.append(f"{found.overflow_records} overflows for {found.total} photons: mostly empty time.")
    return PhotonStream(
        macro_tick_ns=tick_ns,
        nanotime_bin_ns=tac_range / (gain * 4096) * 1e9,
        sync_period_ns=sync_period_ns,
        duration_s=found.end * tick_ns * 1e-9,
        macro_is_sync=False,
        photons_per_channel=found.per_channel(),
        source=FileSource(where, sha256_of(path), f"Becker & Hickl {said.module}"),
        read_chunks=file.photons,
        notes=tuple(notes),
        header=said.texts,
        markers_per_kind=found.per_kind(),
        read_markers=file.markers,
    )


def read_set(path: Path) -> SetFile:
    """Read a .set file; `InputError` where it is none, or its two names of the module disagree."""
    where = str(path)
    try:
        if path.stat().st_size > _LARGEST_SET:
            raise InputError("the file is too large for a .set file", where=where, allowed="64 MB")
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"could not read: {error.strerror or error}", where=where) from error
    start, end = data.find(b"*IDENTIFICATION"), data.find(b"*END")
    if len(data) < 42 or start < 0 or end < start:
        raise InputError("is no .set file: it has no *IDENTIFICATION part", where=where)
    prose = data[start:end].decode("cp1252", "replace")
    code = struct.unpack_from("<H", data)[0] >> 4 & 0xFF
    by_code = _CODES.get(code)
    named = re.search(r"with module ([A-Z]{3}-[A-Za-z0-9-]+)", prose)
    by_name = named.group(1) if named else None
    if by_code is None and by_name is None:
        raise InputError(
            f"the module is unknown (code 0x{code:02x})", where=where, allowed=", ".join(_CODES.values())
        )
    if by_code and by_name and not (by_code.startswith(by_name) or by_name.startswith(by_code)):
        raise InputError(
            f"the module is {by_code} by its code and {by_name} by its text",
            where=where,
            fix="take the .set file that was saved with the record",
        )
    setup = data[data.find(b"*SETUP") :] if b"*SETUP" in data else b""
    pairs = re.findall(rb"#[A-Z]{2} \[([A-Z0-9_]{1,20}),[A-Z],([^\]\r\n]{0,300})\]", setup[: 1 << 20])
    texts = []
    for line in prose.splitlines():
        key, _, value = line.partition(":")
        if value.strip() and key.strip().isprintable() and value.strip().isprintable():
            texts.append((key.strip(), value.strip()[:200]))
    return SetFile(
        by_name or by_code or "",
        {key.decode(): value.decode("cp1252", "replace") for key, value in pairs},
        tuple(texts),
    )


def _set_beside(path: Path) -> Path:
    for suffix in _SUFFIXES:
        if path.with_suffix(suffix).is_file():
            return path.with_suffix(suffix)
    raise InputError(
        f"its .set file ({path.with_suffix('.set').name}) is not beside it",
        where=str(path),
        allowed="the .set file of the same name: it names the module and the nanotime bin",
        fix="copy both files together",
    )


def _decoder(where: str) -> Callable[[Words, int], Slice]:
    def decode(words: Words, wraps: int) -> Slice:
        mark = (words & (1 << 28)).astype(bool)
        overflow = (words & (1 << 30)).astype(bool)
        invalid = (words >> 31).astype(bool)
        many = invalid & overflow & ~mark
        steps = np.where(many, words & 0x0FFFFFFF, overflow).astype(np.int64)
        passed, after = running_wraps(steps, wraps, _WRAP, where)
        macro = passed * _WRAP + (words & 0xFFF).astype(np.int64)
        macro[many] = passed[many] * _WRAP
        route = ((words >> 12) & 0xF).astype(np.uint8)
        valid = ~invalid & ~mark
        nanotime = (4095 - ((words >> 16) & 0xFFF).astype(np.int32)).astype(np.int32)
        overflows = int(np.count_nonzero(many))
        markers = Photons(macro[mark], None, route[mark])
        return Slice(
            Photons(macro[valid], nanotime[valid], route[valid]),
            markers,
            after,
            int(macro.max()) if len(macro) else 0,
            overflows,
            int(np.count_nonzero(invalid & ~overflow & ~mark)),
            int(np.count_nonzero((words & (1 << 29)).astype(bool) & ~many)),
        )

    return decode


def _check(path: Path, module: str, found: Survey) -> None:
    """Raise `InputError` where the records are another layout's; names the one that fits."""
    words = np.fromfile(path, dtype="<u4", count=_PROBE, offset=4)
    bare = int(np.count_nonzero(words == 0x80000000))
    counted = int(np.count_nonzero(words >> 30 == 3))
    looks = None
    if bare > 0 and (counted == 0 or bare > 10 * counted):
        looks = "SPC-QC (overflows are words of bit 31 alone)"
    elif found.backwards:
        looks = _rival(path, words)
    if looks is None and not found.backwards:
        return
    reason = (
        f"read as {module}, {found.backwards} of {found.total} times go backwards"
        if found.backwards
        else f"{bare} of {len(words)} records are overflows as {module} never writes them"
    )
    raise InputError(
        f"its .set file names {module}, the records are another container's: {reason}"
        + (f"; they look like {looks}" if looks else ""),
        where=str(path),
        allowed=f"32-bit records of {', '.join(_READ)}",
        fix="check that .spc and .set belong together; convert other modules' files with SPCM or phconvert",
    )


def _rival(path: Path, words: Words) -> str | None:
    """The SPC-600 layout whose times ascend, if one does."""
    macro = (words >> 8 & 0x1FFFF).astype(np.int64)
    macro += np.cumsum(words >> 30 & 1, dtype=np.int64) << 17
    if _ascends(macro[(words >> 31) == 0]):
        return "SPC-600 with 32 bits"
    size = path.stat().st_size
    if size % 6 == 0:
        raw = np.fromfile(path, dtype="<u2", count=3 * _PROBE, offset=6)
        low, middle, high = raw[: len(raw) // 3 * 3].reshape(-1, 3).T.astype(np.int64)
        macro = (middle & 0xFF) << 16 | high
        macro += np.cumsum(low >> 13 & 1) << 24
        if _ascends(macro[(low >> 12 & 1) == 0]):
            return "SPC-600 with 48 bits"
    return None


def _ascends(macro: np.ndarray) -> bool:
    return len(macro) > 2 and float(np.mean(np.diff(macro) < 0)) < 0.001
