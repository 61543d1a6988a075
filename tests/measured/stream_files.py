"""Write small valid files of photon instruments, byte by byte from the published layouts.

No real PicoQuant file is at hand: these are made from documentation, and the tests read them with perolux and
with ptufile or phconvert, which were written by others.
"""

from __future__ import annotations

import io
import struct
import zipfile

import numpy as np

PHOTON, MARKER, SYNC = 0, 1, 2


def events(count=400, seed=1, mode=3, inputs=(0, 1), mean_gap=700, markers=True, sync=False):
    """Photons with some markers between them: kind, macro, nanotime, channel (or marker)."""
    rng = np.random.default_rng(seed)
    macro = np.cumsum(rng.geometric(1 / mean_gap, count))
    kind = np.zeros(count, int)
    channel = rng.choice(inputs, count)
    nanotime = np.minimum(rng.exponential(300, count).astype(int) + 20, 3000)
    if markers:
        at = rng.choice(count, max(count // 40, 1), replace=False)
        kind[at], channel[at], nanotime[at] = MARKER, rng.choice([1, 2, 4], len(at)), 0
    if sync and mode == 2:
        at = rng.choice(np.flatnonzero(kind == PHOTON), count // 10, replace=False)
        kind[at], channel[at] = SYNC, 0
    return kind, macro, nanotime, channel


def _with_overflows(macro, wrap, one, many=None):
    """Counters of the events and the overflow words before each."""
    out, passed = [], 0
    for time in macro:
        turns = int(time) // wrap - passed
        words = []
        if many is None:
            words = [one] * turns
        else:
            while turns > 0:
                step = min(turns, 1000)
                words.append(many | step)
                turns -= step
        passed = int(time) // wrap
        out.append((words, int(time) % wrap))
    return out


def hydraharp_words(made, mode, version=2):
    """Records of HydraHarp, TimeHarp 260, MultiHarp: special 1, channel 6, then nanotime and time."""
    kind, macro, nanotime, channel = made
    wrap = 1 << 10 if mode == 3 else (33552000 if version == 1 else 1 << 25)
    overflow = (1 << 31) | (63 << 25)
    words = []
    counters = _with_overflows(macro, wrap, overflow, overflow if version == 2 else None)
    for (before, counter), what, nano, ch in zip(counters, kind, nanotime, channel, strict=True):
        words += before
        special = 0 if what == PHOTON else 1
        body = (int(nano) << 10 | counter) if mode == 3 else counter
        words.append(special << 31 | int(ch) << 25 | body)
    return np.array(words, "<u4")


def picoharp_words(made, mode):
    """Records of PicoHarp 300: channel 4, then nanotime 12 and sync count 16, or time 28."""
    kind, macro, nanotime, channel = made
    wrap = 1 << 16 if mode == 3 else 210698240
    words = []
    for (before, counter), what, nano, ch in zip(
        _with_overflows(macro, wrap, 15 << 28), kind, nanotime, channel, strict=True
    ):
        words += before
        if what == MARKER:
            words.append(15 << 28 | (int(ch) << 16 | counter if mode == 3 else counter & ~0xF | int(ch)))
        else:
            words.append(int(ch) << 28 | (int(nano) << 16 | counter if mode == 3 else counter))
    return np.array(words, "<u4")


def spc_words(macro, nanotime, route, *, clock=500, marks=(), gaps=()):
    """Records of SPC-130, 140, 150: header word, photons, overflows singly and counted."""
    words, passed = [0x80000000 | clock], 0
    for number, (time, nano, ch) in enumerate(zip(macro, nanotime, route, strict=True)):
        turns = int(time) // 4096 - passed
        passed = int(time) // 4096
        if turns > 1:
            words.append(0xC0000000 | (turns - 1))
        word = int(time) % 4096 | int(ch) << 12 | (4095 - int(nano)) << 16 | (1 << 30 if turns else 0)
        if number in marks:
            word |= 0x90000000
        if number in gaps:
            word |= 0x20000000
        words.append(word)
    return np.array(words, "<u4")


def set_bytes(module="SPC-150", code=0x28, tac_r=5e-8, tac_g=4):
    """A .set file with what a reader needs."""
    text = (
        f"*IDENTIFICATION\r\n  ID        : SPC Setup Script File\r\n  Title     : made\r\n"
        f"  Contents  : made from documentation\r\n with module {module} (Ser.No. 0)\r\n*END\r\n"
        f"*SETUP\r\n  SYS_PARA_BEGIN:\r\n  #SP [SP_TAC_R,F,{tac_r}]\r\n  #SP [SP_TAC_G,I,{tac_g}]\r\n"
        "  SYS_PARA_END:\r\n*END\r\n"
    )
    return struct.pack("<HiHiHiHIiHHHIHH", code << 4 | 13, 42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x5555, 0, 0, 0) + (
        text.encode()
    )


def tag(name, value, index=-1):
    """One tag of a unified file."""
    head = name.encode().ljust(32, b"\0")
    if isinstance(value, bool):
        return head + struct.pack("<iIq", index, 0x00000008, value)
    if isinstance(value, int):
        return head + struct.pack("<iIq", index, 0x10000008, value)
    if isinstance(value, float):
        return head + struct.pack("<iId", index, 0x20000008, value)
    if value is None:
        return head + struct.pack("<iIq", index, 0xFFFF0008, 0)
    data = value.encode("cp1252") + b"\0"
    data = data.ljust(-(-len(data) // 8) * 8, b"\0")
    return head + struct.pack("<iIq", index, 0x4001FFFF, len(data)) + data


def ptu_bytes(code, words, **changes):
    """A .ptu file; changes: tags set to other values, or left out where None."""
    mode = code >> 8 & 0xF
    tags = {
        "File_GUID": "{00000000-0000-0000-0000-000000000000}",
        "CreatorSW_Name": "made from documentation",
        "CreatorSW_Version": "0",
        "File_CreatingTime": 43000.5,
        "HW_Type": "made",
        "Measurement_Mode": mode,
        "Measurement_SubMode": 0,
        "TTResultFormat_TTTRRecType": code,
        "TTResultFormat_BitsPerRecord": 32,
        "MeasDesc_GlobalResolution": 1e-7 if mode == 3 else 1e-12,
        "MeasDesc_Resolution": 1.6e-11,
        "MeasDesc_AcquisitionTime": 1000,
        "TTResult_SyncRate": 10_000_000,
        "TTResult_NumberOfRecords": len(words),
        **changes,
    }
    body = b"".join(tag(name, value) for name, value in tags.items() if value is not None)
    return b"PQTTTR\0\0" + b"1.0.00\0\0" + body + tag("Header_End", None) + np.asarray(words, "<u4").tobytes()


def _legacy_text(ident, version):
    return (
        ident.ljust(16, b"\0")
        + version.ljust(6, b"\0")
        + b"made".ljust(18, b"\0")
        + b"1.0".ljust(12, b"\0")
        + b"01/02/20 10:00:00".ljust(18, b"\0")
        + b"\r\n"
        + b"from documentation".ljust(256, b"\0")
    )


def ht_bytes(mode, words, version=b"1.0", rate=10_000_000, acquired_ms=1000, inputs=2):
    """A .ht2 or .ht3 file."""
    out = _legacy_text(b"HydraHarp 400", version)
    out += struct.pack("<6id2iI7i", 1, 32, 0, mode, 0, 0, 16.0, 0, acquired_ms, 0, 0, 0, 0, 0, 0, 0, 0)
    out += bytes(8 * 8 + 3 * 12 + 36)
    out += b"HydraHarp 400".ljust(16, b"\0") + bytes(8) + struct.pack("<2i", 1, 1) + bytes(80)
    out += struct.pack("<dQ8i", 1.0, 3, inputs, 0, 0, 0, 1, 0, 0, 0) + bytes(20 * inputs)
    out += struct.pack("<4iQ", rate, acquired_ms, 0, 0, len(words))
    return out + np.asarray(words, "<u4").tobytes()


def pt_bytes(mode, words, rate=10_000_000, acquired_ms=1000):
    """A .pt2 or .pt3 file."""
    out = _legacy_text(b"PicoHarp 300", b"2.0")
    out += struct.pack("<10iI7i", 1, 32, 4, 1, 0, mode, 0, 0, 0, acquired_ms, 0, 0, 0, 0, 0, 0, 0, 0)
    out += bytes(8 * 8 + 3 * 12 + 36)
    out += struct.pack("<16s8s6if2i", b"PicoHarp 300", b"", 0, 1, 0, 0, 0, 0, 0.016, 0, 0) + bytes(4 * 24)
    out += struct.pack("<9i", 0, 0, 0, rate, 0, acquired_ms, 0, len(words), 0)
    return out + np.asarray(words, "<u4").tobytes()


def phu_bytes(curves, step_s=1.6e-11):
    """A .phu file of some curves."""
    head = [
        tag("CreatorSW_Name", "made from documentation"),
        tag("Measurement_Mode", 0),
        tag("Measurement_SubMode", 1),
        tag("MeasDesc_AcquisitionTime", 1000),
        tag("HistoResult_NumberOfCurves", len(curves)),
        tag("HistoResult_BitsPerBin", 32),
    ]
    size = 16 + sum(map(len, head)) + len(curves) * 4 * 48 + 48
    at = size
    for number, counts in enumerate(curves):
        head += [
            tag("HistResDscr_DataOffset", at, number),
            tag("HistResDscr_HistogramBins", len(counts), number),
            tag("HistResDscr_MDescResolution", step_s, number),
            tag("HistResDscr_InputChannel", number, number),
        ]
        at += 4 * len(counts)
    body = b"".join(np.asarray(counts, "<u4").tobytes() for counts in curves)
    return b"PQHISTO\0" + b"1.0.00\0\0" + b"".join(head) + tag("Header_End", None) + body


def sdt_bytes(curves, tac_r=5e-8, tac_g=1, packed=False, claimed=None):
    """A .sdt file of one block a curve: header, identification, measurement description, blocks.

    packed: blocks as zip archives; claimed: bytes that the archive says it unpacks to.
    """
    info = b"*IDENTIFICATION\r\n  ID        : SPC Setup & Data File\r\n  Title     : made\r\n*END\r\n"
    bins = len(curves[0])
    described = struct.pack(
        "<9s11s16sh4ffhffhfffhhhh",
        b"10:00:00", b"01-02-2020", b"3F0022", 0, 0, 0, 0, 0, 0, 1, 0, tac_r, tac_g, 0, 0, 0, bins, 0, 1, 1,
    )  # fmt: skip
    first = 42 + len(info) + len(described)
    head = struct.pack(
        "<hihiHihIihhHIHH",
        0x28 << 4 | 15, 42, len(info), 0, 0, first, len(curves), 2 * bins,
        42 + len(info), 1, len(described), 0x5555, len(curves), 0, 0x55AA,
    )  # fmt: skip
    out, at = head + info + described, first
    for number, counts in enumerate(curves):
        data = np.asarray(counts, "<u2").tobytes()
        if packed:
            archive = io.BytesIO()
            with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
                file.writestr("data_block", data)
            data = archive.getvalue()
            if claimed is not None:
                data = data.replace(struct.pack("<I", 2 * bins), struct.pack("<I", claimed))
        after = at + 22 + len(data)
        out += struct.pack("<BBIIHhII", 0, 0, at + 22, after, 0x1001 if packed else 1, 0, number, 2 * bins)
        out += data
        at = after
    return out
