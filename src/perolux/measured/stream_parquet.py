"""The plain layout of a photon stream: a Parquet table and a sidecar, readable by anything.

    NAME.parquet   sync_index (int64), nanotime_bin (int32), channel (uint8), in order of arrival
    NAME.json      sync_period_ns, nanotime_bin_ns, duration_s; notes (a list of texts, optional), which are
                   shown again, such as "simulated"; anything else is kept as header

A continuous record (T2) has `time_tick` (int64) in place of the first two and `tick_ns` in place of the
first two lengths.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from perolux.errors import InputError, NotAvailableError, OptionError, Problem
from perolux.files import atomic_path, read_small_text, sha256_of, write_json
from perolux.measured.photon_stream import CHUNK, Photons, PhotonStream, check_order
from perolux.measured.records import FileSource

__all__ = ["read_parquet_stream", "write_parquet_stream"]

_PULSED = ("sync_index", "nanotime_bin", "channel")
_CONTINUOUS = ("time_tick", "channel")
_BUFFER = 1 << 20
_BROKEN = (OSError, ValueError, LookupError, TypeError, OverflowError, RuntimeError, MemoryError)
"""What pyarrow raises on damaged files, beside its own exceptions."""


def read_parquet_stream(path: str | Path, *, sync_period_ns: float | None = None) -> PhotonStream:
    """Open a stream in the plain layout; columns are checked whole, photons stay on disk.

    sync_period_ns: where the sidecar does not say it. Raises `InputError` for a missing column or sidecar, a
    wrong type, times that go backwards, a table without photons.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = Path(path)
    try:
        file = pq.ParquetFile(path)
        names = set(file.schema_arrow.names)
        kinds = {name: file.schema_arrow.field(name).type for name in names}
    except (pa.ArrowException, *_BROKEN) as error:
        raise InputError(f"could not be read as Parquet: {_first_line(error)}", where=str(path)) from None
    pulsed = "time_tick" not in names
    wanted = _PULSED if pulsed else _CONTINUOUS
    problems = [
        Problem(
            f"no column {name!r}",
            where=str(path),
            allowed=f"{', '.join(_PULSED)}; or {', '.join(_CONTINUOUS)}",
        )
        for name in wanted
        if name not in names
    ]
    problems += [
        Problem(f"column {name!r} holds {kinds[name]}", where=str(path), allowed="whole numbers")
        for name in wanted
        if name in kinds and not pa.types.is_integer(kinds[name])
    ]
    said, more = _sidecar(path, pulsed, sync_period_ns)
    problems += more
    if problems:
        raise InputError(problems)
    where = str(path)

    def read(most: int) -> Iterator[Photons]:
        before: int | None = None
        first = 0
        try:
            # Read ahead, or without a buffer, the compressed table is held whole by the end of a pass.
            file = pq.ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False)
            for batch in file.iter_batches(batch_size=most, columns=list(wanted), use_threads=False):
                if any(batch.column(name).null_count for name in wanted):
                    raise InputError("empty cells among the photons", where=where, fix="leave such rows out")
                photons = Photons(
                    batch.column(wanted[0]).to_numpy().astype(np.int64, copy=False),
                    _fitting(batch.column("nanotime_bin"), "nanotime_bin", np.int32, where)
                    if pulsed
                    else None,
                    _fitting(batch.column("channel"), "channel", np.uint8, where),
                )
                check_order(photons, where, before, first)
                if len(photons):
                    before, first = int(photons.macro[-1]), first + len(photons)
                yield photons
        except (pa.ArrowException, *_BROKEN) as error:
            raise InputError(
                f"the table breaks off after {first} photons: {_first_line(error)}", where=where
            ) from None

    counted = np.zeros(256, dtype=np.int64)
    last, largest = 0, -1
    for photons in read(CHUNK):
        counted += np.bincount(photons.channel, minlength=256)
        if len(photons):
            last = int(photons.macro[-1])
            if photons.nanotime is not None:
                largest = max(largest, int(photons.nanotime.max()))
    tick = said["sync_period_ns"] if pulsed else said["tick_ns"]
    notes = list(said.get("notes") or ())
    if last * tick > said["duration_s"] * 1e9 * (1 + 1e-6):
        raise InputError(
            f"the last photon comes at {last * tick * 1e-9:.6g} s, after the end at {said['duration_s']:g} s",
            where=where,
            fix="correct duration_s, or the lengths of the ticks, in the sidecar",
        )
    if pulsed and largest * said["nanotime_bin_ns"] >= tick:
        beyond = (
            f"Nanotimes reach {largest * said['nanotime_bin_ns']:.5g} ns, beyond the period of {tick:.5g} ns."
        )
        if beyond not in notes:
            notes.append(beyond)
    header = tuple((key, str(value)) for key, value in said.items() if key not in (*_LENGTHS, "notes"))
    return PhotonStream(
        macro_tick_ns=tick,
        nanotime_bin_ns=said["nanotime_bin_ns"] if pulsed else None,
        sync_period_ns=said.get("sync_period_ns"),
        duration_s=said["duration_s"],
        macro_is_sync=pulsed,
        photons_per_channel={int(c): int(counted[c]) for c in np.flatnonzero(counted)},
        source=FileSource(where, sha256_of(path), "photon stream in Parquet"),
        read_chunks=read,
        notes=tuple(notes),
        header=header,
    )


_LENGTHS = ("sync_period_ns", "nanotime_bin_ns", "duration_s", "tick_ns")


def _sidecar(path: Path, pulsed: bool, sync_period_ns: float | None) -> tuple[dict[str, Any], list[Problem]]:
    beside = path.with_suffix(".json")
    if not beside.exists():
        raise InputError(
            f"its sidecar {beside.name} is not there",
            where=str(path),
            allowed="a JSON file with sync_period_ns, nanotime_bin_ns, duration_s",
        )
    try:
        said = json.loads(read_small_text(beside, 1_000_000, "a sidecar"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"is no JSON: {_first_line(error)}", where=str(beside)) from None
    if not isinstance(said, dict):
        raise InputError("holds no object", where=str(beside), allowed="{...}")
    found = said.get("sync_period_ns")
    if found is None and sync_period_ns is not None:
        said["sync_period_ns"] = sync_period_ns
    elif (
        sync_period_ns is not None
        and isinstance(found, int | float)
        and found > 0
        and abs(sync_period_ns / found - 1) > 0.01
    ):
        raise OptionError(
            f"the sidecar says a laser period of {found:.6g} ns, the call {sync_period_ns:.6g} ns",
            where=str(beside),
            allowed="the same to 1 %",
            fix="leave --sync-period out",
        )
    needed = ("sync_period_ns", "nanotime_bin_ns", "duration_s") if pulsed else ("tick_ns", "duration_s")
    problems = []
    for name in needed:
        value = said.get(name)
        if value is None:
            fix = "give --sync-period NS" if name == "sync_period_ns" else f"add {name} to the sidecar"
            problems.append(
                Problem(f"{name} is missing", where=str(beside), allowed="nothing is guessed", fix=fix)
            )
        elif isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e15:
            problems.append(Problem(f"{name} is {value!r}", where=str(beside), allowed="a positive number"))
    notes = said.get("notes")
    if notes is not None and not (isinstance(notes, list) and all(isinstance(one, str) for one in notes)):
        problems.append(
            Problem("notes are no list of texts", where=str(beside), allowed='["simulated"], or left out')
        )
    return said, problems


def write_parquet_stream(stream: PhotonStream, path: str | Path) -> Path:
    """Write a stream in the plain layout, chunk by chunk, table and sidecar each whole or not at all.

    The layout has no place for markers; the sidecar says how many were left out. Notes of the stream (that
    it is simulated, say) go into the sidecar.

    Raises `NotAvailableError` for a record whose nanotimes count from a clock that is not the laser's.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = Path(path)
    pulsed = stream.nanotime_bin_ns is not None
    if pulsed and not stream.macro_is_sync:
        raise NotAvailableError(
            "its macro times do not count laser pulses, as the plain layout does", where=stream.source.path
        )
    fields = (
        [("sync_index", pa.int64()), ("nanotime_bin", pa.int32()), ("channel", pa.uint8())]
        if pulsed
        else [("time_tick", pa.int64()), ("channel", pa.uint8())]
    )
    schema = pa.schema(fields)
    with atomic_path(path) as temporary, pq.ParquetWriter(temporary, schema, compression="zstd") as out:
        for photons in stream.chunks():
            columns = [photons.macro, photons.channel]
            if photons.nanotime is not None:
                columns.insert(1, photons.nanotime)
            out.write_table(pa.table(columns, schema=schema))
    lengths = (
        {"sync_period_ns": stream.macro_tick_ns, "nanotime_bin_ns": stream.nanotime_bin_ns}
        if pulsed
        else {"tick_ns": stream.macro_tick_ns, "sync_period_ns": stream.sync_period_ns}
    )
    said: dict[str, Any] = {**lengths, "duration_s": stream.duration_s}
    if stream.notes:
        said["notes"] = list(stream.notes)
    if stream.markers_per_kind:
        said["markers_left_out"] = sum(stream.markers_per_kind.values())
    write_json(path.with_suffix(".json"), said)
    return path


def _fitting(column: Any, name: str, kind: type, where: str) -> Any:
    values = column.to_numpy()
    limits = np.iinfo(kind)
    if len(values) and (values.min() < limits.min or values.max() > limits.max):
        raise InputError(f"{name} leaves its range", where=where, allowed=f"{limits.min} to {limits.max}")
    return values.astype(kind, copy=False)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or ["unknown reason"])[0]
