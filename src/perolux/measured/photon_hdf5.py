"""Read Photon-HDF5, the open format for photon streams (photon-hdf5.github.io), with h5py alone.

Only what lies in the file itself is read: soft and external links, virtual and external data are refused.
Sizes are checked before anything is read; photons come in chunks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from perolux.errors import InputError, OptionError
from perolux.files import sha256_of
from perolux.measured.photon_stream import CHUNK, Photons, PhotonStream, check_order
from perolux.measured.records import FileSource

__all__ = ["read_photon_hdf5"]

_LARGEST_CHUNK = 1 << 26
"""Bytes that one compressed block may unpack to."""
_BEST_COMPRESSION = 2000
"""Deflate gives 1032 at most: a set that claims more than this times its bytes on disk is refused."""
_SAME = 1e-6


def read_photon_hdf5(
    path: Path, *, sync_period_ns: float | None = None, group: str | None = None
) -> PhotonStream:
    """Open a Photon-HDF5 file; group: which "photon_data" of a file with several spots.

    Raises `InputError` for missing or ill-typed fields, links, sizes that cannot be, times that go backwards.
    """
    where = str(path)
    try:
        return _open(path, where, sync_period_ns, group)
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, OverflowError, MemoryError) as error:
        raise _damaged(error, where) from None


def _open(path: Path, where: str, sync_period_ns: float | None, group: str | None) -> PhotonStream:
    import h5py

    with h5py.File(path, "r") as file:
        name = _group(file, group, where)
        count, pulsed = _check_sets(file, name, where)
        tick_s = _positive(file, f"{name}/timestamps_specs/timestamps_unit", where)
        bin_s = _bin_s(file, name, where) if pulsed else None
        marker_ids = _marker_ids(file, name, where)
        duration = _scalar(file, "acquisition_duration", where)
        rate = _rate(file, name, where)
        header = tuple(
            (label, text)
            for label in ("description", "identity/software", "identity/creation_time", "provenance/filename")
            if (text := _text(file, label, where))
        )
        has_markers = isinstance(_node(file, "user/markers/timestamps", where), h5py.Dataset)
    period_ns = None if rate is None else 1e9 / rate
    if period_ns is None:
        period_ns = sync_period_ns
    elif sync_period_ns is not None and abs(sync_period_ns / period_ns - 1) > 0.01:
        raise OptionError(
            f"the file says a laser period of {period_ns:.6g} ns, the call {sync_period_ns:.6g} ns",
            where=where,
            allowed="the same to 1 %",
            fix="leave --sync-period out",
        )

    def read(most: int) -> Iterator[Photons]:
        for part in _chunks(path, name, count, pulsed, most):
            photons = part.only(~np.isin(part.channel, marker_ids)) if marker_ids else part
            if len(photons):
                yield photons

    def read_markers(most: int) -> Iterator[Photons]:
        if has_markers:
            yield from _chunks(path, "user/markers", None, False, most)
            return
        for part in _chunks(path, name, count, False, most):
            marks = part.only(np.isin(part.channel, marker_ids))
            if len(marks):
                yield marks

    counted = np.zeros(256, np.int64)
    before, first = None, 0
    for photons in read(CHUNK):
        check_order(photons, where, before, first)
        counted += np.bincount(photons.channel, minlength=256)
        before, first = int(photons.macro[-1]), first + len(photons)
    kinds = np.zeros(256, np.int64)
    for marks in read_markers(CHUNK) if has_markers or marker_ids else ():
        kinds += np.bincount(marks.channel, minlength=256)
    notes = []
    last_s = (before or 0) * tick_s
    if duration is None or not math.isfinite(duration) or duration <= 0:
        notes.append("The file does not say how long was measured: up to the last photon is taken.")
        duration = last_s
    elif last_s > duration * 1.5:
        raise InputError(
            f"the last photon comes at {last_s:.6g} s, after the end at {duration:.6g} s",
            where=where,
            allowed="photons within acquisition_duration",
            fix="correct acquisition_duration or timestamps_unit",
        )
    elif last_s > duration:
        notes.append(
            f"The last photon comes at {last_s:.6g} s, the file says {duration:.6g} s; the photon is used."
        )
        duration = last_s
    if first == 0:
        raise InputError("no photon", where=where, allowed="at least one photon")
    return PhotonStream(
        macro_tick_ns=tick_s * 1e9,
        nanotime_bin_ns=None if bin_s is None else bin_s * 1e9,
        sync_period_ns=period_ns,
        duration_s=duration,
        macro_is_sync=pulsed and period_ns is not None and abs(tick_s * 1e9 / period_ns - 1) < _SAME,
        photons_per_channel={int(c): int(counted[c]) for c in np.flatnonzero(counted)},
        source=FileSource(where, sha256_of(path), "Photon-HDF5"),
        read_chunks=read,
        notes=tuple(notes),
        header=header,
        markers_per_kind={int(k): int(kinds[k]) for k in np.flatnonzero(kinds)},
        read_markers=read_markers if has_markers or marker_ids else None,
    )


def _group(file: Any, group: str | None, where: str) -> str:
    found = sorted(key for key in file if key.startswith("photon_data"))[:100]
    if not found:
        raise InputError(
            "an HDF5 file without the group photon_data",
            where=where,
            allowed="Photon-HDF5 (photon-hdf5.github.io)",
        )
    if group is not None and group not in found:
        raise OptionError(f"no group {group!r}", where=where, allowed=", ".join(found))
    if group is None and len(found) > 1:
        raise OptionError(
            f"the file holds {len(found)} spots",
            where=where,
            allowed=", ".join(found),
            fix="say which: group=...",
        )
    return group or found[0]


def _check_sets(file: Any, name: str, where: str) -> tuple[int, bool]:
    """Number of photons and whether they have nanotimes; types and sizes are in order."""
    times = _integers(file, f"{name}/timestamps", where)
    if times is None:
        raise InputError(f"{name}/timestamps is missing", where=where, allowed="Photon-HDF5")
    channels = _integers(file, f"{name}/detectors", where)
    nanotimes = _integers(file, f"{name}/nanotimes", where)
    lengths = {
        label: found.shape[0]
        for label, found in (("timestamps", times), ("detectors", channels), ("nanotimes", nanotimes))
        if found is not None
    }
    if len(set(lengths.values())) > 1:
        raise InputError(
            "columns of unequal length: " + ", ".join(f"{k} {v}" for k, v in lengths.items()), where=where
        )
    return times.shape[0], nanotimes is not None


def _integers(file: Any, name: str, where: str) -> Any:
    """A set of whole numbers whose size can be true, or None where it is not there."""
    import h5py

    found = _node(file, name, where)
    if found is None:
        return None
    if not isinstance(found, h5py.Dataset) or found.ndim != 1 or found.dtype.kind not in "iu":
        raise InputError(f"{name} is no list of whole numbers", where=where)
    if found.is_virtual or found.external:
        raise InputError(f"{name} lies outside the file", where=where, allowed="data in the file itself")
    chunk = int(np.prod(found.chunks or (0,))) * found.dtype.itemsize
    stored = found.id.get_storage_size()
    size = Path(where).stat().st_size
    if chunk > _LARGEST_CHUNK or stored > size or found.nbytes > _BEST_COMPRESSION * max(stored, 1):
        raise InputError(
            f"{name} claims {found.nbytes} bytes of which {stored} are stored, in blocks of {chunk}",
            where=where,
            allowed=f"what the {size} bytes of the file can hold, in blocks up to {_LARGEST_CHUNK} bytes",
            fix="the file is damaged or unfinished: write it again",
        )
    return found


def _node(file: Any, name: str, where: str) -> Any:
    """The object at a path of hard links, None where it ends; other links are refused."""
    import h5py

    here = file
    for part in name.split("/"):
        if not isinstance(here, h5py.Group):
            return None
        link = here.get(part, getlink=True)
        if link is None:
            return None
        if not isinstance(link, h5py.HardLink):
            raise InputError(
                f"{name} is a link to another place",
                where=where,
                allowed="data in the file itself",
                fix="copy the data into one file (h5repack)",
            )
        here = here[part]
    return here


def _scalar(file: Any, name: str, where: str) -> float | None:
    """One number, None where it is missing or none; the first of a list."""
    import h5py

    found = _node(file, name, where)
    if not isinstance(found, h5py.Dataset) or found.dtype.kind not in "iufb" or not 0 < found.size <= 64:
        return None
    return float(np.ravel(found[()])[0])


def _positive(file: Any, name: str, where: str) -> float:
    value = _scalar(file, name, where)
    if value is None or not 0 < value < 1e3:
        raise InputError(
            f"{name} is {'missing' if value is None else format(value, 'g')}",
            where=where,
            allowed="a positive length in seconds",
        )
    return value


def _bin_s(file: Any, name: str, where: str) -> float:
    """Length of a nanotime bin: of all detectors, or of each where they agree."""
    import h5py

    each = _node(file, "setup/detectors/tcspc_units", where)
    common = f"{name}/nanotimes_specs/tcspc_unit"
    if _node(file, common, where) is None and isinstance(each, h5py.Dataset) and 0 < each.size <= 256:
        if each.dtype.kind == "f" and len(np.unique(each[()])) > 1:
            raise InputError("its detectors have nanotime bins of different length", where=where)
        return _positive(file, "setup/detectors/tcspc_units", where)
    return _positive(file, common, where)


def _marker_ids(file: Any, name: str, where: str) -> list[int]:
    """Channels that the file says hold no photons (non_photon_id1, ...)."""
    import h5py

    specs = _node(file, f"{name}/measurement_specs/detectors_specs", where)
    found: list[int] = []
    for key in list(specs)[:64] if isinstance(specs, h5py.Group) else ():
        ids = _node(specs, key, where)
        is_list = isinstance(ids, h5py.Dataset) and ids.dtype.kind in "iu" and ids.size <= 256
        if key.startswith("non_photon_id") and is_list:
            found += [int(one) for one in np.ravel(ids[()])]
    return found


def _rate(file: Any, name: str, where: str) -> float | None:
    """Repetition rate of the laser in Hz, None where none pulsed or nobody said."""
    for label in (f"{name}/measurement_specs/laser_repetition_rate", "setup/laser_repetition_rates"):
        value = _scalar(file, label, where)
        if value is not None and 1e-3 < value < 1e15:
            return value
    return None


def _text(file: Any, name: str, where: str) -> str | None:
    import h5py

    found = _node(file, name, where)
    if not isinstance(found, h5py.Dataset) or found.shape != () or found.dtype.kind not in "SO":
        return None
    if found.dtype.itemsize > 10_000:
        return None
    value = found[()]
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    text = " ".join(text.split())[:500]
    return text if text.isprintable() else None


def _chunks(path: Path, name: str, count: int | None, pulsed: bool, most: int) -> Iterator[Photons]:
    import h5py

    where = str(path)
    labels = ("timestamps", "detectors", "nanotimes") if pulsed else ("timestamps", "detectors")
    try:
        with h5py.File(path, "r") as file:
            sets = [_integers(file, f"{name}/{label}", where) for label in labels]
            kinds: tuple[Any, ...] = (np.int64, np.uint8, np.int32)
            length = sets[0].shape[0] if count is None else count
            for start in range(0, length, most):
                stop = min(start + most, length)
                columns: list[Any] = []
                for label, found, kind in zip(labels, sets, kinds, strict=False):
                    if found is None:
                        columns.append(np.zeros(stop - start, kind))
                        continue
                    values = found[start:stop]
                    limits = np.iinfo(kind)
                    if values.min() < limits.min or values.max() > limits.max:
                        raise InputError(
                            f"{name}/{label} leaves its range",
                            where=where,
                            allowed=f"{limits.min} to {limits.max}",
                        )
                    columns.append(values.astype(kind, copy=False))
                yield Photons(columns[0], columns[2] if pulsed else None, columns[1])
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, OverflowError) as error:
        raise _damaged(error, where) from None


def _damaged(error: BaseException, where: str) -> InputError:
    reason = (str(error).splitlines() or ["unknown reason"])[0][:200]
    return InputError(
        f"could not be read as HDF5: {reason}",
        where=where,
        allowed="a whole Photon-HDF5 file",
        fix="copy the file again, or write it again",
    )
