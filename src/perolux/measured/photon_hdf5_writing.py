"""Write Photon-HDF5 0.5 (photon-hdf5.github.io): chunk by chunk, the whole file or none of it.

The format has no field for markers; they go to /user/markers, a place that it leaves to users.
"""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from perolux.errors import InputError, OutputError
from perolux.files import atomic_path
from perolux.measured.photon_stream import PhotonStream

__all__ = ["write_photon_hdf5"]

_BLOCK = 1 << 16
_URL = "http://photon-hdf5.org/"


def write_photon_hdf5(
    stream: PhotonStream,
    path: str | Path,
    *,
    description: str | None = None,
    author: str | None = None,
    author_affiliation: str | None = None,
) -> Path:
    """Write a stream as Photon-HDF5 that its validators accept; photons pass in chunks.

    description: of the measurement; without it the name of the source file. Two detectors are written as the
    two sides of a beam splitter. Raises `OptionError` where nanotimes need the laser period, which the
    format demands, and nobody said it; `OutputError` where the file cannot be written.
    """
    import h5py

    path = Path(path)
    pulsed = stream.nanotime_bin_ns is not None
    period_ns = stream.needs_sync_period() if pulsed else stream.sync_period_ns
    if len(stream) == 0:
        raise InputError("a stream without photons", where=stream.source.path, allowed="at least one photon")
    titles = tomllib.loads(Path(__file__).with_name("photon_hdf5_fields.toml").read_text(encoding="utf-8"))
    with atomic_path(path) as temporary:
        try:
            with h5py.File(temporary, "w") as file:
                file.attrs["TITLE"] = np.bytes_(titles["/"])
                _say(file, titles, _fields(stream, path, period_ns, description, author, author_affiliation))
                largest = _write_photons(file, stream, titles)
                if stream.nanotime_bin_ns is not None and period_ns is not None:
                    bins = max(largest + 1, int(np.ceil(period_ns / stream.nanotime_bin_ns)))
                    specs = {
                        "/photon_data/nanotimes_specs/tcspc_unit": stream.nanotime_bin_ns * 1e-9,
                        "/photon_data/nanotimes_specs/tcspc_num_bins": bins,
                    }
                    _say(file, titles, specs)
                _write_markers(file, stream)
        except (RuntimeError, ValueError) as error:
            raise OutputError(f"could not write: {str(error).splitlines()[0]}", where=str(path)) from error
    return path


def _fields(
    stream: PhotonStream,
    path: Path,
    period_ns: float | None,
    description: str | None,
    author: str | None,
    author_affiliation: str | None,
) -> dict[str, Any]:
    """Everything but the photons, by the path of its field."""
    from perolux import __version__

    channels = stream.channels
    counts = [stream.photons_per_channel[channel] for channel in channels]
    fields: dict[str, Any] = {
        "/format_name": "Photon-HDF5",
        "/format_version": "0.5",
        "/acquisition_duration": float(stream.duration_s),
        "/description": description or f"Photon stream from {Path(stream.source.path).name}",
        "/photon_data/timestamps_specs/timestamps_unit": stream.macro_tick_ns * 1e-9,
        "/photon_data/measurement_specs/measurement_type": "generic",
        "/photon_data/measurement_specs/detectors_specs": None,
        "/setup/num_pixels": len(channels),
        "/setup/num_spots": 1,
        "/setup/num_spectral_ch": 1,
        "/setup/num_polarization_ch": 1,
        "/setup/num_split_ch": 2 if len(channels) == 2 else 1,
        "/setup/modulated_excitation": 0,
        "/setup/lifetime": int(stream.nanotime_bin_ns is not None),
        "/setup/excitation_alternated": np.array([0], np.uint8),
        "/setup/excitation_cw": np.array([int(period_ns is None)], np.uint8),
        "/setup/detectors/id": np.array(channels, np.uint8),
        "/setup/detectors/id_hardware": np.array(channels, np.uint8),
        "/setup/detectors/counts": np.array(counts, np.int64),
        "/identity/format_name": "Photon-HDF5",
        "/identity/format_version": "0.5",
        "/identity/format_url": _URL,
        "/identity/software": "perolux",
        "/identity/software_version": __version__,
        "/identity/creation_time": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S"),
        "/identity/filename": path.name,
        "/identity/filename_full": str(path),
        "/provenance/filename": Path(stream.source.path).name,
        "/provenance/software": stream.source.reader,
    }
    if period_ns is not None:
        fields["/photon_data/measurement_specs/laser_repetition_rate"] = 1e9 / period_ns
        fields["/setup/laser_repetition_rates"] = np.array([1e9 / period_ns])
    if len(channels) == 2:
        for side, channel in enumerate(channels, 1):
            key = f"/photon_data/measurement_specs/detectors_specs/split_ch{side}"
            fields[key] = np.array([channel], np.uint8)
    for label, text in (("author", author), ("author_affiliation", author_affiliation)):
        if text:
            fields[f"/identity/{label}"] = text
    return fields


def _say(file: Any, titles: dict[str, str], fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        if value is None:
            _titled(file.require_group(name), name, titles)
            continue
        parent = name.rpartition("/")[0]
        if parent:
            _titled(file.require_group(parent), parent, titles)
        stored = np.bytes_(value.encode("utf-8")) if isinstance(value, str) else value
        item = file.create_dataset(name, data=stored)
        _titled(item, name, titles)
        if isinstance(value, str):
            # PyTables, through which others read the format, gives text only where it finds these.
            for key, mark in (("CLASS", "ARRAY"), ("VERSION", "2.4"), ("FLAVOR", "python")):
                item.attrs[key] = np.bytes_(mark)
    for parent in ("/photon_data", "/setup"):
        _titled(file.require_group(parent), parent, titles)


def _titled(item: Any, name: str, titles: dict[str, str]) -> None:
    nth = {"1": "first", "2": "second"}.get(name[-1], "")
    item.attrs["TITLE"] = np.bytes_(titles[name.rstrip("12")].replace("{NTH}", nth))


def _write_photons(file: Any, stream: PhotonStream, titles: dict[str, str]) -> int:
    """Write the columns; gives the largest nanotime."""
    count = len(stream)
    kinds: dict[str, Any] = {"timestamps": np.int64, "detectors": np.uint8}
    if stream.nanotime_bin_ns is not None:
        kinds["nanotimes"] = np.int32
    sets = {label: _column(file, f"/photon_data/{label}", count, kind) for label, kind in kinds.items()}
    for label, column in sets.items():
        _titled(column, f"/photon_data/{label}", titles)
    at, largest = 0, -1
    for photons in stream.chunks():
        part = slice(at, at + len(photons))
        sets["timestamps"][part] = photons.macro
        sets["detectors"][part] = photons.channel
        if photons.nanotime is not None and len(photons):
            sets["nanotimes"][part] = photons.nanotime
            largest = max(largest, int(photons.nanotime.max()))
        at += len(photons)
    return largest


def _write_markers(file: Any, stream: PhotonStream) -> None:
    count = sum(stream.markers_per_kind.values())
    if not count:
        return
    times = _column(file, "/user/markers/timestamps", count, np.int64)
    kinds = _column(file, "/user/markers/detectors", count, np.uint8)
    at = 0
    for markers in stream.markers():
        times[at : at + len(markers)] = markers.macro
        kinds[at : at + len(markers)] = markers.channel
        at += len(markers)


def _column(file: Any, name: str, count: int, kind: Any) -> Any:
    return file.create_dataset(
        name,
        shape=(count,),
        dtype=kind,
        chunks=(min(_BLOCK, count),),
        compression="gzip",
        compression_opts=4,
        shuffle=True,
    )
