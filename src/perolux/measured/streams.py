"""Read a record of single photons, whatever instrument wrote it: recognised by content, never by extension.

from perolux.measured import read_stream

stream = read_stream("dot.ptu")        # a PhotonStream; photons stay on disk
for photons in stream.chunks(): ...
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

from perolux.errors import InputError, OptionError
from perolux.measured.photon_stream import PhotonStream

__all__ = ["FORMATS", "read_stream"]

FORMATS = (
    "PicoQuant .ptu, .pt2, .pt3, .ht2, .ht3; Becker & Hickl .spc with its .set; Photon-HDF5; "
    "Parquet with its sidecar"
)
_OTHER = {
    b"PQHISTO\0": "a PicoQuant histogram (.phu): use read_decay",
    b"PQRESLT\0": "a PicoQuant result file",
    b"PQCHECK\0": "a PicoQuant analysis file",
    b"PQUNI\0\0\0": "a PicoQuant UniHarp file",
}


def read_stream(
    path: str | Path, *, sync_period_ns: float | None = None, group: str | None = None
) -> PhotonStream:
    """Open a record of single photons; what was counted is known at once, photons are read in chunks.

    sync_period_ns: of the laser, where the file does not say it; nothing is taken in its place. group: of a
    Photon-HDF5 file of several spots, for example "photon_data0". Channels are the inputs as the file numbers
    them; in PicoQuant T2 the sync input is channel 64. Markers and overflows are never among the photons.

    Raises `InputError` for a file that is no such record, is damaged, holds no photon, runs backwards in time
    or contradicts itself; `OptionError` for an option that is missing, unknown or against the file.
    """
    if sync_period_ns is not None and not (math.isfinite(sync_period_ns) and 0 < sync_period_ns < 1e12):
        raise OptionError(
            f"a laser period of {sync_period_ns:g} ns",
            allowed="a positive number of ns",
            fix="--sync-period NS",
        )
    path = Path(path)
    where = str(path)
    try:
        if path.is_dir():
            raise InputError("is a folder", where=where, fix="name the file of the record")
        size = path.stat().st_size
        with path.open("rb") as handle:
            head = handle.read(4096)
    except OSError as error:
        raise InputError(f"could not read: {error.strerror or error}", where=where) from error
    if not head:
        raise InputError("the file is empty", where=where, allowed=FORMATS)
    is_hdf5 = any(head[at : at + 8] == b"\x89HDF\r\n\x1a\n" for at in (0, 512, 1024, 2048))
    if group is not None and not is_hdf5:
        raise OptionError("`group` belongs to Photon-HDF5 files", where=where, fix="leave it out")
    stream = _open(path, head, size, is_hdf5, sync_period_ns, group)
    if len(stream) == 0:
        raise InputError("no photon", where=where, allowed="at least one photon")
    if len(stream.channels) == 1:
        note = f"All photons came to channel {stream.channels[0]}: no coincidences of two detectors."
        stream = replace(stream, notes=(*stream.notes, note))
    return stream


def _open(
    path: Path, head: bytes, size: int, is_hdf5: bool, sync_period_ns: float | None, group: str | None
) -> PhotonStream:
    from perolux.measured.becker_hickl import has_set, may_be_spc, read_spc
    from perolux.measured.picoquant_legacy import is_legacy, read_legacy

    if head.startswith(b"PQTTTR\0\0"):
        from perolux.measured.picoquant import read_ptu

        return read_ptu(path, sync_period_ns)
    if is_legacy(head):
        return read_legacy(path, sync_period_ns)
    if is_hdf5:
        from perolux.measured.photon_hdf5 import read_photon_hdf5

        return read_photon_hdf5(path, sync_period_ns=sync_period_ns, group=group)
    if head.startswith(b"PAR1"):
        from perolux.measured.stream_parquet import read_parquet_stream

        return read_parquet_stream(path, sync_period_ns=sync_period_ns)
    if has_set(path) or may_be_spc(head, size):
        return read_spc(path, sync_period_ns)
    other = _OTHER.get(head[:8])
    raise InputError(
        f"no record of single photons, but {other}" if other else "no record of single photons that is known",
        where=str(path),
        allowed=FORMATS,
        fix="export the record in one of these forms from the instrument's software",
    )
