"""Photon streams of PicoQuant instruments: .ptu of every kind, and .pt2, .pt3, .ht2, .ht3 of older software.

T3: macro times count laser pulses, nanotimes follow them; T2: absolute times, no nanotimes. The mode that the
header states is held against the records themselves: a T3 record read as T2 runs backwards in half of its
steps, and the span of all records must fit the time that the header says was measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from perolux.errors import InputError, OptionError
from perolux.files import sha256_of
from perolux.measured.photon_stream import PhotonStream
from perolux.measured.picoquant_records import RECORD_TYPES, SYNC_CHANNEL, RecordType, decoder, sibling
from perolux.measured.picoquant_tags import Tags, read_tags
from perolux.measured.record_files import RecordFile, Survey, survey
from perolux.measured.records import FileSource

__all__ = ["Recorded", "open_recorded", "read_ptu"]

_PROBE = 200_000
"""Records that decide whether a file is of the other mode."""
_DISORDER = 0.02
"""Share of backward steps from which the mode is doubted. Records of the wrong mode give 0.4 to 0.5."""
_SAME_PERIOD = 0.01
"""Relative difference up to which two statements of the laser period agree; rates are counted over 0.1 s."""
UNSEEN = "The reader follows the documentation of the format; no real file of this kind was at hand."


@dataclass(frozen=True)
class Recorded:
    """What a header says about a file of records; None where it does not."""

    path: Path
    format: str
    kind: RecordType
    offset: int
    claimed: int
    tick_s: float | None
    sync_rate_hz: float | None
    bin_s: float | None
    elapsed_s: float | None
    header: tuple[tuple[str, str], ...]
    notes: tuple[str, ...] = ()


def read_ptu(path: Path, sync_period_ns: float | None = None) -> PhotonStream:
    """Open a .ptu file. Raises `InputError` for a broken header, an unknown record type, a wrong mode."""
    tags = read_tags(path)
    where = tags.where
    code = tags.one("TTResultFormat_TTTRRecType")
    mode = tags.one("Measurement_Mode")
    if code not in RECORD_TYPES:
        shown = f"0x{code:08x}" if isinstance(code, int) else repr(code)
        raise InputError(
            f"the record type {shown} (tag TTResultFormat_TTTRRecType) is unknown",
            where=where,
            allowed=", ".join(f"{kind.name} (0x{kind.code:08x})" for kind in RECORD_TYPES.values()),
            fix="export the record as Photon-HDF5 or text from the instrument's software",
        )
    kind = RECORD_TYPES[code]
    if mode is not None and mode != kind.mode:
        raise InputError(
            f"the header contradicts itself: Measurement_Mode says T{mode}, the record type {kind.name}",
            where=where,
            allowed=f"Measurement_Mode {kind.mode} for {kind.name}",
            fix="export the record again; nothing here says which of the two is right",
        )
    if tags.one("TTResultFormat_BitsPerRecord") not in (None, 0, 32):
        raise InputError(
            f"records of {tags.one('TTResultFormat_BitsPerRecord')} bits", where=where, allowed="32 bits"
        )
    claimed = tags.one("TTResult_NumberOfRecords")
    return open_recorded(
        Recorded(
            path=path,
            format="PicoQuant PTU",
            kind=kind,
            offset=tags.data_offset,
            claimed=claimed if isinstance(claimed, int) else 0,
            tick_s=tags.positive("MeasDesc_GlobalResolution"),
            sync_rate_hz=tags.positive("TTResult_SyncRate"),
            bin_s=tags.positive("MeasDesc_Resolution"),
            elapsed_s=_elapsed(tags),
            header=tags.texts(),
            notes=tags.notes,
        ),
        sync_period_ns,
    )


def _elapsed(tags: Tags) -> float | None:
    """Seconds that were measured: when it was stopped, else what was asked for; both are in ms."""
    elapsed = tags.positive("TTResult_StopAfter") or tags.positive("MeasDesc_AcquisitionTime")
    return None if elapsed is None else elapsed * 1e-3


def open_recorded(said: Recorded, sync_period_ns: float | None = None) -> PhotonStream:
    """The stream of a file whose header is read: lengths settled, records surveyed, mode checked.

    Raises `InputError` with the reason where records contradict the header, `OptionError` where the period of
    the laser is not known (T3) or the option contradicts the file.
    """
    where, kind = str(said.path), said.kind
    notes = [*said.notes, UNSEEN]
    tick_ns, period_ns = _lengths(said, sync_period_ns, notes)
    bin_ns = None
    if kind.mode == 3:
        if said.bin_s is None:
            raise InputError(
                "the header does not say the length of a nanotime bin (MeasDesc_Resolution)", where=where
            )
        bin_ns = said.bin_s * 1e9
    count = _count(said, notes)
    file = RecordFile(said.path, said.offset, count, decoder(kind, where))
    found = survey(file, period_bins=None if bin_ns is None else tick_ns / bin_ns)
    _check_mode(said, file, found)
    span_s = found.end * tick_ns * 1e-9
    duration_s = _duration(said, span_s, found, count, notes)
    _remarks(said, found, notes, tick_ns)
    return PhotonStream(
        macro_tick_ns=tick_ns,
        nanotime_bin_ns=bin_ns,
        sync_period_ns=period_ns,
        duration_s=duration_s,
        macro_is_sync=kind.mode == 3,
        photons_per_channel=found.per_channel(),
        source=FileSource(
            where, sha256_of(said.path), f"{said.format}, {kind.name}", from_documentation=True
        ),
        read_chunks=file.photons,
        notes=tuple(notes),
        header=said.header,
        markers_per_kind=found.per_kind(),
        read_markers=file.markers,
    )


def _lengths(said: Recorded, sync_period_ns: float | None, notes: list[str]) -> tuple[float, float | None]:
    """Tick of the macro time and period of the laser, in ns."""
    where = str(said.path)
    if said.kind.mode == 2:
        if said.tick_s is None:
            raise InputError(
                "the header does not say the length of a tick (MeasDesc_GlobalResolution)", where=where
            )
        return said.tick_s * 1e9, sync_period_ns
    from_rate = None if said.sync_rate_hz is None else 1.0 / said.sync_rate_hz
    period_s = said.tick_s or from_rate
    if period_s is None:
        if sync_period_ns is None:
            raise OptionError(
                "the header does not say the period of the laser, and T3 counts time in pulses",
                where=where,
                allowed="the period in ns; nothing is taken in its place",
                fix="give --sync-period NS",
            )
        notes.append(f"The period of the laser, {sync_period_ns:g} ns, is what the call said.")
        return sync_period_ns, sync_period_ns
    period_ns = period_s * 1e9
    if sync_period_ns is not None and abs(sync_period_ns / period_ns - 1) > _SAME_PERIOD:
        raise OptionError(
            f"the file says a laser period of {period_ns:.6g} ns, the call {sync_period_ns:.6g} ns",
            where=where,
            allowed="the same to 1 %",
            fix="leave --sync-period out",
        )
    if said.tick_s and from_rate and abs(from_rate / said.tick_s - 1) > _SAME_PERIOD:
        notes.append(
            f"The header says a period of {period_ns:.5g} ns and a sync rate of {said.sync_rate_hz:.5g} Hz "
            f"({from_rate * 1e9:.5g} ns); the period is used."
        )
    return period_ns, period_ns


def _count(said: Recorded, notes: list[str]) -> int:
    """Records that are there, held against what the header claims."""
    rest = said.path.stat().st_size - said.offset
    there = max(rest, 0) // 4
    if said.claimed <= 0:
        notes.append(f"The header does not say how many records there are: all {there} up to the end.")
        return there
    if said.claimed > there:
        notes.append(
            f"The file is cut off: {there} of {said.claimed} records are there. The measurement is taken to "
            "end with the last of them."
        )
        return there
    if rest > 4 * said.claimed:
        notes.append(f"{rest - 4 * said.claimed} bytes after the last record were left out.")
    return said.claimed


def _check_mode(said: Recorded, file: RecordFile, found: Survey) -> None:
    """Raise `InputError` where photons run backwards: records of the other mode, or damaged ones."""
    if not found.backwards:
        return
    where, kind = str(said.path), said.kind
    other = sibling(kind)
    if found.back_share > _DISORDER:
        try:
            probe = survey(
                RecordFile(said.path, said.offset, file.count, decoder(other, where)), most_words=_PROBE
            )
        except InputError:
            probe = None
        if probe is not None and probe.back_share < 0.1 * found.back_share:
            raise InputError(
                f"the header declares {kind.name}, the records are T{other.mode}: read as T{kind.mode}, "
                f"{found.back_share:.0%} of the steps go back in time, "
                f"as T{other.mode} {probe.back_share:.1%}",
                where=where,
                allowed=f"record type 0x{other.code:08x} for {other.name}",
                fix="correct the header, or export the record again",
            )
    raise InputError(
        f"{found.backwards} times go backwards, the first at photon {(found.first_back or 0) + 1}",
        where=where,
        allowed=f"{kind.name} records in order of arrival",
        fix="the file is damaged or its header is another file's: export it again",
    )


def _duration(said: Recorded, span_s: float, found: Survey, count: int, notes: list[str]) -> float:
    elapsed = said.elapsed_s
    if elapsed is None or 0 < said.claimed != count:
        if elapsed is None:
            notes.append("The header does not say how long was measured: up to the last record is taken.")
        return _positive(span_s, said)
    if span_s > 1.5 * elapsed:
        raise InputError(
            f"the records span {span_s:.6g} s, the header says that {elapsed:.6g} s were measured "
            f"({found.overflow_records} overflows of {said.kind.name})",
            where=str(said.path),
            allowed="the span of the records within the time measured",
            fix="the record type, the tick or the sync rate in the header is wrong: export the record again",
        )
    if span_s > elapsed * (1 + 1e-6):
        if span_s > 1.01 * elapsed:
            notes.append(
                f"The records span {span_s:.6g} s, the header says {elapsed:.6g} s; their span is taken."
            )
        return span_s
    if found.total and span_s < 0.5 * elapsed:
        notes.append(f"The last record comes at {span_s:.4g} s of {elapsed:.6g} s measured.")
    return elapsed


def _positive(span_s: float, said: Recorded) -> float:
    if span_s <= 0:
        raise InputError("the records span no time", where=str(said.path), allowed="at least one photon")
    return span_s


def _remarks(said: Recorded, found: Survey, notes: list[str], tick_ns: float) -> None:
    if found.total == 0:
        raise no_photons(str(said.path), found)
    if found.overflow_records > 100 * found.total:
        notes.append(f"{found.overflow_records} overflows for {found.total} photons: mostly empty time.")
    if found.invalid:
        notes.append(f"{found.invalid} records are neither photon, marker nor overflow and were left out.")
    if found.photons[SYNC_CHANNEL]:
        notes.append(
            f"Channel {SYNC_CHANNEL} is the sync input: {int(found.photons[SYNC_CHANNEL])} events, "
            "of a detector or of the laser."
        )
    if found.over_period:
        notes.append(
            f"{found.over_period} nanotimes lie beyond the period of {tick_ns:.5g} ns "
            "(a sync divider, or a wrong period)."
        )


def no_photons(where: str, found: Survey) -> InputError:
    """The error for a record without a photon, which says what is there."""
    return InputError(
        f"no photon: {int(found.markers.sum())} markers, {found.overflow_records} overflows, "
        f"{found.invalid} other records",
        where=where,
        allowed="at least one photon",
        fix="check that the detectors were on and their inputs enabled",
    )
