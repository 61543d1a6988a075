"""Decays from instrument histograms: PicoQuant .phu and Becker & Hickl .sdt, recognised by their content.

Both may hold many curves; which one is asked by an error that lists them. Bins begin at 0, all of one length.
"""

from __future__ import annotations

import hashlib
import logging
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np

from perolux.errors import InputError, OptionError
from perolux.measured.decays import Decay
from perolux.measured.picoquant_tags import tags_from_bytes
from perolux.measured.records import FileSource

__all__ = ["decay_from_histograms", "is_histogram"]

_MOST_BINS = 1 << 22
_LARGEST_BLOCK = 1 << 28
"""Bytes that a compressed block of a .sdt file may unpack to."""


@dataclass(frozen=True)
class _Curve:
    label: str
    counts: Any
    step_ns: float


def is_histogram(data: bytes) -> bool:
    """Whether bytes are a .phu or .sdt file."""
    return data.startswith(b"PQHISTO\0") or _is_sdt(data)


def _is_sdt(data: bytes) -> bool:
    # Header with its check marks, and data blocks: a .set file has the same header without data.
    return (
        len(data) >= 42
        and struct.unpack_from("<H", data, 32)[0] == 0x5555
        and struct.unpack_from("<h", data, 18)[0] != 0
        and b"*IDENTIFICATION" in data[:4096]
    )


def decay_from_histograms(data: bytes, name: str, curve: int | None = None) -> Decay:
    """The decay in a .phu or .sdt file; curve: its number from 1 where there are several.

    Raises `OptionError` that lists the curves where none was chosen, `InputError` for a damaged file.
    """
    phu = data.startswith(b"PQHISTO\0")
    curves, header, notes = _phu(data, name) if phu else _sdt(data, name)
    if not curves:
        raise InputError("the file holds no curve", where=name)
    listed = "; ".join(
        f"{n}: {one.label}, {len(one.counts)} bins of {one.step_ns:.5g} ns, {int(one.counts.sum())} counts"
        for n, one in enumerate(curves[:20], 1)
    ) + ("; ..." if len(curves) > 20 else "")
    if curve is None:
        filled = [n for n, one in enumerate(curves, 1) if one.counts.any()]
        if len(filled) > 1:
            raise OptionError(
                f"the file holds {len(curves)} curves, {len(filled)} with counts",
                where=name,
                allowed=listed,
                fix="choose one: curve=1",
            )
        curve = filled[0] if filled else 1
        if len(curves) > 1:
            notes.append(f"Curve {curve} is the only one of {len(curves)} with counts.")
    if not 1 <= curve <= len(curves):
        raise OptionError(f"there is no curve {curve}", where=name, allowed=listed)
    chosen = curves[curve - 1]
    if not chosen.counts.any():
        raise InputError(f"curve {curve} holds no counts", where=name, allowed=listed)
    return Decay(
        time_ns=np.arange(len(chosen.counts), dtype=np.float64) * chosen.step_ns,
        counts=chosen.counts,
        step_ns=chosen.step_ns,
        gaps=(),
        label=f"{PurePath(name).stem}, {chosen.label}" if len(curves) > 1 else PurePath(name).stem,
        source=FileSource(
            name,
            hashlib.sha256(data).hexdigest(),
            "PicoQuant PHU" if phu else "Becker & Hickl SDT",
            from_documentation=True,
            options=(("curve", str(curve)),),
        ),
        notes=(*notes, "The reader follows the documentation of the format; no real file was at hand."),
        header=header,
    )


def _phu(data: bytes, name: str) -> tuple[list[_Curve], tuple[tuple[str, str], ...], list[str]]:
    tags = tags_from_bytes(data, name)
    count = tags.one("HistoResult_NumberOfCurves")
    offsets = tags.values.get("HistResDscr_DataOffset", [])
    bins = tags.values.get("HistResDscr_HistogramBins", [])
    steps = tags.values.get("HistResDscr_MDescResolution") or tags.values.get("MeasDesc_Resolution", [])
    inputs = tags.values.get("HistResDscr_InputChannel", [])
    if not isinstance(count, int) or not (count == len(offsets) == len(bins)):
        raise InputError(
            f"the header claims {count!r} curves and describes {min(len(offsets), len(bins))}", where=name
        )
    if tags.one("HistoResult_BitsPerBin") not in (None, 32):
        raise InputError(
            f"bins of {tags.one('HistoResult_BitsPerBin')!r} bits", where=name, allowed="32 bits"
        )
    curves = []
    for number, (offset, length) in enumerate(zip(offsets, bins, strict=True)):
        fits = (
            isinstance(offset, int)
            and isinstance(length, int)
            and 0 < length <= _MOST_BINS
            and tags.data_offset <= offset <= len(data) - 4 * length
        )
        if not fits:
            raise InputError(
                f"curve {number + 1} claims {length!r} bins at byte {offset!r} of {len(data)}",
                where=name,
                fix="the file is cut off or damaged: copy it again",
            )
        counts = np.frombuffer(data, "<u4", length, offset).astype(np.int64)
        step = steps[min(number, len(steps) - 1)] if steps else None
        label = f"input {inputs[number]}" if number < len(inputs) else f"curve {number + 1}"
        curves.append(_Curve(label, counts, _step_ns(step, name)))
    return curves, tags.texts(), list(tags.notes)


def _sdt(data: bytes, name: str) -> tuple[list[_Curve], tuple[tuple[str, str], ...], list[str]]:
    import tempfile

    import sdtfile

    _check_sdt_blocks(data, name)
    try:
        # sdtfile reads numbers with numpy.fromfile, which needs a real file.
        with tempfile.NamedTemporaryFile(suffix=".sdt") as copy, _quiet("sdtfile"):
            copy.write(data)
            copy.seek(0)
            file = sdtfile.SdtFile(copy.file)
            sets = [np.array(values) for values in file.data]
            times = [np.array(values, dtype=float) for values in file.times]
            info = str(file.info).splitlines()
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise InputError(
            f"could not be read as .sdt: {reason}",
            where=name,
            fix="copy the file again, or export it as text",
        ) from None
    curves = []
    for block, (values, axis) in enumerate(zip(sets, times, strict=True), 1):
        if values.ndim > 2 or values.ndim == 0 or values.shape[-1] != len(axis) or len(axis) < 2:
            shape = " x ".join(str(n) for n in values.shape)
            raise InputError(
                f"block {block} is an image or no decay ({shape} values)",
                where=name,
                allowed="curves of counts over time",
                fix="sum the pixels that belong together in SPCImage, and export the decay",
            )
        for row in np.atleast_2d(values):
            curves.append(_Curve(f"block {block}", row.astype(np.int64), _step_ns(axis[1] - axis[0], name)))
    header = tuple(
        (key.strip(), value.strip()[:200])
        for key, found, value in (line.partition(":") for line in info[:40])
        if found and value.strip().isprintable() and key.strip().isprintable() and value.strip()
    )
    return curves, header, []


def _check_sdt_blocks(data: bytes, name: str) -> None:
    """Walk the blocks before sdtfile does, so that no size is believed that the file cannot hold."""
    try:
        at, blocks = struct.unpack_from("<ih", data, 14)
        revision = struct.unpack_from("<h", data)[0] & 0xF
        if blocks == 0x7FFF:
            blocks = struct.unpack_from("<I", data, 34)[0]
        if not 0 < blocks <= 100_000:
            raise InputError(f"the header claims {blocks} blocks", where=name, allowed="1 to 100000")
        seen = set()
        total = 0
        for number in range(blocks):
            if at in seen or not 0 <= at <= len(data) - 22:
                raise InputError(
                    f"block {number + 1} of {blocks} lies at byte {at}, the file has {len(data)}", where=name
                )
            seen.add(at)
            if revision >= 15:
                _, _, start, after, kind, _, _, length = struct.unpack_from("<BBIIHhII", data, at)
            else:
                _, start, after, kind, _, _, length = struct.unpack_from("<hiiHhII", data, at)
            packed = bool(kind & 0x1000)
            total += max(length, _unpacked(data[start:after])) if packed and start >= 0 else length
            if total > _LARGEST_BLOCK or start < 0 or (not packed and start + length > len(data)):
                raise InputError(
                    f"block {number + 1} claims {length} bytes at byte {start}, the file has {len(data)}",
                    where=name,
                    fix="the file is cut off or damaged: copy it again",
                )
            at = after
    except struct.error:
        raise InputError("the header breaks off", where=name, fix="copy the file again") from None


def _unpacked(block: bytes) -> int:
    """Bytes that the first file of a zip archive unpacks to; 0 where it is none."""
    import io
    import zipfile

    try:
        with zipfile.ZipFile(io.BytesIO(block)) as archive:
            return archive.infolist()[0].file_size
    except (zipfile.BadZipFile, IndexError, ValueError, OSError, NotImplementedError, struct.error):
        return 0


def _step_ns(step_s: Any, name: str) -> float:
    if isinstance(step_s, bool) or not isinstance(step_s, int | float) or not 0 < step_s < 1:
        raise InputError(f"a bin of {step_s!r} s", where=name, allowed="a length in seconds")
    return float(step_s) * 1e9


@contextmanager
def _quiet(logger: str) -> Iterator[None]:
    """Silence a library that logs what it meets: what matters is raised."""
    log = logging.getLogger(logger)
    before = log.disabled
    log.disabled = True
    try:
        yield
    finally:
        log.disabled = before
